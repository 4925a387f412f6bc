"""What is fuzzed: good files, and what reads them. Each reader gives something or raises StudyError, and nothing else."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutations import of_archive, of_array, of_csv, of_json, of_name, of_safetensors, of_yaml
from written import write

from study.design import cells
from study.design.cells import Cell

Mutation = Callable[[random.Random, bytes], bytes]
CELL = Cell("tiny", "cnn", 1.0, 0)


@dataclass(frozen=True)
class Target:
    """A file, how it is changed, and what reads it."""

    file: Path
    mutation: Mutation
    read: Callable[[], Any]


def prepare(root: Path) -> None:
    """The good files, in the working directory; ``root`` is the repository."""
    import torch
    from tiny import make

    from study.base.atomic import write as put
    from study.engine import checkpoint, resume
    from study.engine.checkpoint import Checkpoint

    make(Path.cwd())
    put(Path("dvc.yaml"), (root / "dvc.yaml").read_bytes())
    put(Path("own.yaml"), (root / "params.yaml").read_bytes())
    put(Path("dvc.lock"), b"schema: '2.0'\nstages:\n  train@x:\n    cmd: python\n    outs:\n    - path: data\n      md5: abc\n")
    write(CELL)
    record = {
        "cell": str(CELL), "arch": "resnet10t", "arch_options": {"stem_width": 8}, "classes": 6, "image_size": 32,
        "mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "precision": "fp32", "epoch": 1,
    }  # fmt: skip
    content = Checkpoint(**record).pack({"a.weight": torch.zeros(3, 2), "b": torch.zeros(1)})
    put(cells.runs(CELL) / checkpoint.FILE, content)
    resume.Store(CELL, "key").save(resume.State(1, 1, {"seconds": 1.0}, content, content))
    put(Path("config.json"), b'{"architecture": "test_vit", "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],'
        b' "interpolation": "bilinear", "input_size": [3, 32, 32]}}')  # fmt: skip
    put(Path("name"), str(CELL).encode())
    put(cells.failed(CELL), b'{"cell": "x", "when_epoch": 1, "error": "no"}')
    put(Path("data/records") / f"{CELL}.json", b'{"cell": "tiny-cnn-1.0-0", "image_size": 32, "batch_size": 16, "precision":'
        b' "fp32", "full_images": 70, "wall_seconds": 1.0, "images_per_second": 9.5, "device": "CPU", "python": "3", "platform":'
        b' "Linux", "code_sha256": "x", "wandb_run_id": null}')  # fmt: skip


def targets() -> dict[str, Target]:
    """What can be fuzzed, by name; ``prepare`` has made the files."""
    import numpy as np

    from study.data.part import Part
    from study.data.splits import Split
    from study.engine import checkpoint, resume
    from study.engine.checkpoint import Checkpoint
    from study.models import architecture, from_cell, pretrained
    from study.models.card import Card, Normalisation
    from study.pipeline import cell_states, standing
    from study.pipeline.timing import Timing
    from study.results import collected
    from study.settings.grid import Grid, ladder
    from study.settings.params import Params

    def params() -> None:
        found = Params.load(Path("own.yaml"))
        found.check_all()
        Grid.load(found)

    def result() -> object:
        return collected.read(CELL, cells.predictions(CELL), cells.history(CELL))

    def config() -> None:
        found = pretrained._parse(Path("config.json").read_bytes(), "config.json")
        settings = found.get("pretrained_cfg", found)
        Normalisation.parse(settings, "config.json")
        architecture.check_file(run / checkpoint.FILE, "test_vit", {}, found, "here")

    run, curves, said = cells.runs(CELL), cells.history(CELL), cells.predictions(CELL)
    raw, split, card = cells.raw("tiny"), cells.split("tiny", 1.0, 0), cells.weights("cnn")
    state = resume.folder(CELL) / "key"
    standing.PATIENCE = standing.SETTLED = 0.0
    drawn = Split.draw("tiny", 1.0, 0, np.arange(90) % 6, 0.1)
    splits = lambda: drawn.check(split)  # noqa: E731
    part = lambda: Part.read(raw, "train")  # noqa: E731
    states = lambda: resume.Store(CELL, "key").load()  # noqa: E731
    return {
        "params.yaml": Target(Path("own.yaml"), of_yaml, params),
        "dvc.yaml": Target(Path("dvc.yaml"), of_yaml, ladder),
        "dvc.lock": Target(Path("dvc.lock"), of_yaml, standing.recorded),
        "card": Target(card / "card.json", of_json, lambda: Card.read(card)),
        "config": Target(Path("config.json"), of_json, config),
        "provenance": Target(curves / "provenance.json", of_json, result),
        "history": Target(curves / "history.csv", of_csv, result),
        "predictions": Target(said / "predictions.npz", of_archive, result),
        "metrics": Target(said / "metrics.json", of_json, result),
        "indices": Target(split / "train.npy", of_array, splits),
        "split": Target(split / "split.json", of_json, splits),
        "images": Target(raw / "train_images.npy", of_array, part),
        "labels": Target(raw / "train_labels.npy", of_array, part),
        "classes": Target(raw / "classes.json", of_json, part),
        "checkpoint": Target(run / checkpoint.FILE, of_safetensors, lambda: Checkpoint.read(run / checkpoint.FILE)),
        "weights of a cell": Target(
            run / checkpoint.FILE, of_safetensors, lambda: from_cell.configuration(run / checkpoint.FILE, CELL)
        ),
        "name": Target(Path("name"), of_name, lambda: Cell.parse(Path("name").read_bytes().decode())),
        "state": Target(state / "0001.json", of_json, states),
        "failure": Target(cells.failed(CELL), of_json, lambda: cell_states._error(CELL)),
        "record": Target(Path("data/records") / f"{CELL}.json", of_json, lambda: Timing(Params.load())),
    }
