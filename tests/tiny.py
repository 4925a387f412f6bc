"""A project of seconds in a temporary folder: the real stages, a dataset of 90 images, models of a few thousand weights."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from study.data.dataset import Dataset
from study.data.splits import Split
from study.design import cells
from study.design.cells import Cell
from study.models.card import Card

ROOT = Path(__file__).resolve().parent.parent
CNN = Cell("tiny", "cnn", 1.0, 0)
VIT = Cell("tiny", "vit", 1.0, 0)
ARCHS = {
    "cnn": ("resnet10t", {"stem_width": 8, "channels": [8, 8, 8, 16]}),
    "vit": ("test_vit", {"patch_size": 8, "depth": 1, "num_heads": 1, "embed_dim": 16, "proj_drop_rate": 0.1}),
}
CLASSES = 6


def make(folder: Path, **recipe) -> Path:
    """The project in ``folder``, with keys of the recipe as given; all that stages before train would have written."""
    for room in ("stages", "study", "tools"):
        (folder / room).symlink_to(ROOT / room)
    train = {
        "image_size": 32,
        "epochs": 4,
        "batch_size": 16,
        "learning_rate": 0.003,
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "weight_decay": 0.0001,
        "augmentation": "flip_crop",
        "precision": "bf16",
    } | recipe
    models = {
        name: {"family": name, "arch": {"name": arch, **options}, "weights": None, "recipe": {}, "scratch": None}
        for name, (arch, options) in ARCHS.items()
    }
    params = {
        "fraction": 1.0,
        "study": {"name": "tiny", "datasets": ["tiny"], "models": list(models), "seeds": [0]},
        "split": {"val_fraction": 0.1},
        "train": train,
        "datasets": {"tiny": {"source": {"format": "digits"}, "recipe": {}}},
        "models": models,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    write_raw(folder / cells.raw("tiny"))
    for name, (arch, options) in ARCHS.items():
        path = folder / cells.weights(name)
        path.mkdir(parents=True)
        Card(arch, options, None, None, None, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bilinear").write(path)
    labels = np.load(folder / cells.raw("tiny") / "train_labels.npy")
    for seed in (0, 1):
        Split.draw("tiny", 1.0, seed, labels, 0.1).save(folder / cells.split("tiny", 1.0, seed))
    return folder


def write_raw(folder: Path, classes: int = CLASSES) -> None:
    """A dataset of 90 train and 40 test images of 16x16 pixels, whose classes differ in brightness."""
    random = np.random.RandomState(0)

    def images(count):
        labels = np.arange(count) % classes
        noise = random.randint(0, 100, (count, 16, 16, 3))
        return (noise + 25 * labels[:, None, None, None]).astype(np.uint8), labels.astype(np.int64)

    folder.mkdir(parents=True)
    Dataset(*images(90), *images(40), tuple(f"class {label}" for label in range(classes))).write(folder)


def command(stage: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"stages.{stage}", *map(str, arguments)]


def run(folder: Path, stage: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a stage by hand in ``folder``, on the CPU unless ``variables`` of the environment say otherwise."""
    environment = os.environ | {"STUDY_DEVICE": "cpu"} | variables
    return subprocess.run(command(stage, *arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def outs(folder: Path, cell: Cell) -> dict[str, bytes]:
    """The outs of a training that must be the same bytes every time."""
    files = (cells.runs(cell) / "checkpoint.safetensors", cells.history(cell) / "history.csv")
    return {file.name: (folder / file).read_bytes() for file in files}
