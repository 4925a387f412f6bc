"""This project with a stub for every stage, which writes tiny files at once: what is left to measure or test is DVC's part.

A clone has this project's dvc.yaml, code and parameters, with seeds added until the grid has so many cells as are asked for;
`python` is a shell script there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.settings.grid import ladder
from tests.clones import commit, working_tree

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("tests", "docs", "reports", "benchmarks")
OURS = (  # tools.repro, which would put its own python before the stub
    sys.executable,
    "-c",
    "import sys; from study.pipeline import lockfile as ours; names = sys.argv[1:]; "
    "ours.reproduce_alone(names) if names else ours.reproduce()",
)
STUB = r"""#!/bin/sh
recipe=$(cksum < params.yaml)
case "$2" in
stages.download) out="data/raw/$3"; mkdir -p "$out"
    for name in train_images.npy train_labels.npy test_images.npy test_labels.npy classes.json; do
        echo "$3 $name" > "$out/$name"; done;;
stages.weights) mkdir -p "data/weights/$3"; echo "$3" > "data/weights/$3/card.json";;
stages.split) out="data/splits/$3/$4/$5"; mkdir -p "$out"
    echo "train $3 $4 $5" > "$out/train.npy"; echo "validation $3 $4 $5" > "$out/validation.npy";;
stages.train) mkdir -p "data/runs/$3" "data/history/$3"
    echo "$3 $recipe" > "data/runs/$3/checkpoint.safetensors"
    echo "$3 $recipe" > "data/history/$3/history.csv"; echo "of $3 $recipe" > "data/history/$3/provenance.json";;
stages.evaluate) out="data/predictions/$3"; mkdir -p "$out"
    cat "data/runs/$3/checkpoint.safetensors" > "$out/predictions.npz"; echo "$3 $recipe" > "$out/metrics.json";;
stages.aggregate) mkdir -p "reports/$3"; echo "{}" > "reports/$3/summary.json";;
*) echo "no stub of $*" >&2; exit 1;;
esac
"""


class Stubbed:
    """A clone of this project in ``folder`` with stubs and a grid of ``count`` cells."""

    def __init__(self, folder: Path, count: int):
        self.folder = folder
        params: dict[str, Any] = yaml12.load((ROOT / "params.yaml").read_text())
        fractions = [str(fraction) for fraction in ladder(ROOT / "dvc.yaml")]
        study = params["study"] | {"name": "stub"}
        if count < len(fractions) * len(study["datasets"]) * len(study["models"]):
            study["datasets"], study["models"] = study["datasets"][:1], study["models"][:1]
        study["seeds"] = list(range(count // (len(fractions) * len(study["datasets"]) * len(study["models"]))))
        self.params = params | {"fraction": 1.0, "study": study}
        self.cells = [
            f"{dataset}-{model}-{fraction}-{seed}"
            for dataset in study["datasets"]
            for model in study["models"]
            for fraction in fractions
            for seed in study["seeds"]
        ]
        assert len(self.cells) == count, f"{count} cells make no grid: take 4, 8, ... 28, or a multiple of 32"
        splits = [f"{d} {fraction} {seed}" for d in study["datasets"] for fraction in fractions for seed in study["seeds"]]
        self.commands = [
            *(f"download {dataset}" for dataset in study["datasets"]),
            *(f"weights {model}" for model in study["models"]),
            *(f"split {split}" for split in splits),
            *(f"{stage} {cell}" for cell in self.cells for stage in ("train", "evaluate")),
            "aggregate stub",
        ]
        self._make()

    def _make(self) -> None:
        working_tree(ROOT, self.folder)
        for name in LEFT_OUT:
            shutil.rmtree(self.folder / name)
        (self.folder / "dvc.lock").unlink()
        self.write_params()
        stub = self.folder / ".stub" / "python"
        stub.parent.mkdir()
        stub.write_text(STUB)
        stub.chmod(0o755)
        with (self.folder / ".gitignore").open("a") as ignored:
            ignored.write("/reports/stub/\n")
        commit(self.folder, "stub")

    def write_params(self) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(self.params, sort_keys=False))

    def clone(self, folder: Path) -> "Stubbed":
        """A fresh git clone: dvc.lock, remote, nothing under data/."""
        subprocess.run(["git", "clone", "--quiet", str(self.folder), str(folder)], check=True)
        fresh = object.__new__(Stubbed)
        fresh.__dict__ = self.__dict__ | {"folder": folder}
        return fresh

    def fill(self) -> None:
        """Everything there and recorded, by one `dvc commit`: no part of what is measured."""
        script = "".join(f"python -m stages.{command}\n" for command in self.commands)
        self.run("sh", "-c", script)
        self.run("dvc", "commit", "--force")

    def run(self, *command: str) -> str:
        """Output of ``command`` in the clone; the benchmark ends where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {"PATH": self.path, "DVC_NO_ANALYTICS": "1"},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"error: {' '.join(command)[:200]} ended with {done.returncode}:\n{done.stdout[-2000:]}")
        return done.stdout

    @property
    def path(self) -> str:
        """The variable PATH with the stub first, then this interpreter's dvc."""
        return os.pathsep.join([str(self.folder / ".stub"), str(Path(sys.executable).parent), os.environ["PATH"]])

    def read_lock(self) -> str:
        return (self.folder / "dvc.lock").read_text()
