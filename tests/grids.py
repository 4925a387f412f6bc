"""Small studies on disk for tests of aggregate: params.yaml, dvc.yaml and synthetic cells, made in no time."""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from study.design.cells import Cell

MODELS: dict[str, dict[str, Any]] = {
    "cnn_scratch": {"family": "cnn", "label": "CNN", "arch": "resnet10t", "weights": None, "recipe": {}, "scratch": None},
    "cnn_glyphs": {
        "family": "cnn",
        "label": "CNN",
        "arch": "resnet10t",
        "weights": {"source": "data/pretrained/cnn_glyphs", "sha256": None},
        "recipe": {},
        "scratch": "cnn_scratch",
    },
    "vit_scratch": {"family": "vit", "label": "ViT", "arch": "test_vit", "weights": None, "recipe": {}, "scratch": None},
    "vit_glyphs": {
        "family": "vit",
        "label": "ViT",
        "arch": "test_vit",
        "weights": {"source": "data/pretrained/vit_glyphs", "sha256": None},
        "recipe": {},
        "scratch": "vit_scratch",
    },
}
KERNELS = "synthetic fp32"
TRAIN = {
    "image_size": 32,
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 0.001,
    "betas": [0.9, 0.999],
    "eps": 1.0e-08,
    "weight_decay": 0.0001,
    "augmentation": "none",
    "precision": "fp32",
}


def sections(
    datasets: Iterable[str] = ("easy", "hard"),
    models: Mapping[str, dict[str, Any]] = MODELS,
    seeds: Iterable[int] = (0,),
    fraction: float = 1.0,
    name: str = "tiny",
) -> dict[str, Any]:
    """params.yaml of a study of ``datasets`` and ``models``; published models are declared too."""
    published = {
        "resnet50_scratch": MODELS["cnn_scratch"] | {"arch": "resnet50", "label": "ResNet50"},
        "resnet50_im1k": MODELS["cnn_glyphs"] | {"arch": "resnet50", "label": "ResNet50", "scratch": "resnet50_scratch"},
        "vit_s16_scratch": MODELS["vit_scratch"] | {"arch": "vit_small_patch16_224", "label": "ViT-S/16"},
        "vit_s16_im1k": MODELS["vit_glyphs"]
        | {"arch": "vit_small_patch16_224", "label": "ViT-S/16", "scratch": "vit_s16_scratch"},
    }
    declared = dict.fromkeys([*datasets, "cifar10", "cifar100"])
    return {
        "fraction": fraction,
        "study": {"name": name, "datasets": list(datasets), "models": list(models), "seeds": list(seeds)},
        "split": {"val_fraction": 0.1},
        "train": TRAIN,
        "datasets": {dataset: {"source": {"format": "digits"}, "recipe": {}} for dataset in declared},
        "models": published | dict(models),
    }


def write_study(root: Path, params: Mapping[str, Any], ladder: Iterable[float] = (1.0, 0.5, 0.1)) -> None:
    """params.yaml, dvc.yaml (its ladder alone) and data/reference/published.csv in ``root``."""
    (root / "params.yaml").write_text(yaml.safe_dump(dict(params), sort_keys=False))
    matrix = {"dataset": "${study.datasets}", "fraction": ["${fraction}", *ladder]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"split": {"matrix": matrix, "cmd": "true"}}}))
    (root / "data" / "reference").mkdir(parents=True, exist_ok=True)
    for name in ("published.csv", "published_differences.csv"):
        (root / "data/reference" / name).write_text((Path(__file__).parent.parent / "data/reference" / name).read_text())


def checkpoint_of(cell: Cell) -> str:
    """A sha256 that stands for the cell's checkpoint."""
    return hashlib.sha256(str(cell).encode()).hexdigest()


def error_of(cell: Cell) -> float:
    """A plausible true error: more for less data, for scratch, for the ViT and for the second dataset."""
    base = 0.08 + 0.10 * (1 - cell.fraction)
    if "scratch" in cell.model:
        base += 0.05 + 0.15 * (1 - cell.fraction)
    if "vit" in cell.model:
        base += 0.06
    return base + (0.15 if cell.dataset in ("hard", "cifar100") else 0.0)


def write_cells(
    root: Path,
    cells: Iterable[Cell],
    images: int = 300,
    classes: int = 10,
    error: Callable[[Cell], float] = error_of,
    measured: bool = False,
) -> None:
    """Synthetic predictions, history and provenance of ``cells``, the same bytes every time.

    Images have a difficulty that all cells on a dataset share, so that their errors go together as real ones do.
    """
    for cell in cells:
        shared = np.random.default_rng(zlib.crc32(cell.dataset.encode()))
        labels = np.arange(images) % classes
        difficulty = shared.random(images)
        own = np.random.default_rng(zlib.crc32(str(cell).encode()))
        wrong = 0.6 * difficulty + 0.4 * own.random(images)
        rate = float(np.clip(error(cell) * (1 + 0.1 * own.standard_normal()), 0, 1))
        wrong = np.zeros(images, dtype=bool) if rate == 0 else wrong > np.quantile(wrong, 1 - rate)
        predicted = np.where(wrong, (labels + 1 + own.integers(classes - 1, size=images)) % classes, labels)
        confidence = np.clip(own.beta(6, 2, images) - 0.25 * wrong, 1.5 / classes, 1).astype(np.float32)
        rank = np.where(wrong, 1 + own.integers(classes - 1, size=images), 0)
        base = root / "data"
        predictions, history = (
            [base / "measured" / str(cell)] * 2
            if measured
            else [base / "predictions" / str(cell), base / "history" / str(cell)]
        )
        predictions.mkdir(parents=True, exist_ok=True)
        history.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            predictions / "predictions.npz",
            cell=np.array(str(cell)),
            checkpoint_sha256=np.array(checkpoint_of(cell)),
            labels=labels.astype(np.int16),
            predicted=predicted.astype(np.int16),
            rank=rank.astype(np.int16),
            confidence=confidence,
            nll=np.where(wrong, 2.0, -np.log(confidence)).astype(np.float32),
            classes=np.array([f"class {number:02d}" for number in range(classes)]),
        )
        errors = int(np.count_nonzero(predicted != labels))
        metrics = {"images": images, "top1_accuracy": (images - errors) / images, "top1_error": errors / images}
        if classes > 5:
            metrics["top5_error"] = float(np.count_nonzero(rank >= 5)) / images
        (predictions / "metrics.json").write_text(json.dumps(metrics))
        _write_history(history, cell, rate, own, _made_of(root, cell.model))


def _made_of(root: Path, model: str) -> dict[str, Any]:
    """The architecture and the weights that params.yaml in ``root`` gives ``model``, as provenance has them."""
    entry = yaml.safe_load((root / "params.yaml").read_text())["models"].get(model, MODELS["cnn_scratch"])
    arch = dict(entry["arch"]) if isinstance(entry["arch"], dict) else {"name": entry["arch"]}
    weights = {"source": None, "sha256": None} | (entry["weights"] or {}) | {"revision": None}
    return {"arch": arch.pop("name"), "arch_options": arch, "weights": weights}


def _write_history(folder: Path, cell: Cell, rate: float, own: np.random.Generator, made_of: Mapping[str, Any]) -> None:
    epochs = TRAIN["epochs"]
    rows = ["epoch,learning_rate,train_loss,train_error,val_loss,val_error"]
    errors = [
        round(100 * min(1.0, rate + 0.5 * np.exp(-1.2 * epoch) + 0.01 * own.random())) / 100 for epoch in range(1, epochs + 1)
    ]
    for epoch, val_error in enumerate(errors, start=1):
        rows.append(f"{epoch},{0.001 / epoch},{val_error * 2},{val_error * 0.8},{val_error * 2.5},{val_error}")
    curves = "\n".join(rows) + "\n"
    (folder / "history.csv").write_text(curves)
    provenance = {
        "cell": str(cell),
        "recipe": TRAIN,
        **made_of,
        "best_epoch": int(np.argmin(errors)) + 1,
        "train_images": int(900 * cell.fraction),
        "full_images": 900,
        "validation_images": 100,
        "official_images": 1000,
        "data_md5": {"train_images.npy": "0123456789abcdef" * 2},
        "libraries": {"numpy": "2.4.6", "timm": "1.0.31", "torch": "2.14.1"},
        "kernels": KERNELS,
        "checkpoint_sha256": checkpoint_of(cell),
        "history_sha256": hashlib.sha256(curves.encode()).hexdigest(),
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
