"""README and docs say what the repository holds: tables as measured, links that lead somewhere, commands that exist."""

import csv
import hashlib
import json
import re
import subprocess

import yaml

from study.settings.grid import ladder

TABLE = "reports/cifar32/tables/hypotheses.md"


def pages(root):
    return [root / "README.md", root / "CONTRIBUTING.md", root / "data/README.md", *sorted((root / "docs").glob("*.md"))]


def test_readme_shows_the_committed_verdicts_and_numbers(root):
    readme = (root / "README.md").read_text()
    lines = [line for line in (root / TABLE).read_text().splitlines() if line.startswith("|")]
    assert "\n".join(lines) in readme
    with (root / "reports/cifar32/cells.csv").open(newline="") as file:
        errors = {row["cell"]: float(row["top1_error"]) for row in csv.DictReader(file) if row["top1_error"]}

    def shown(arm):
        """The mean over seeds, in percent."""
        runs = [error for cell, error in errors.items() if cell.rpartition("-")[0] == arm]
        return f"{100 * sum(runs) / len(runs):.1f}"

    scratch, pretrained = (shown(f"cifar10-cnn32_{kind}-0.1") for kind in ("scratch", "tiny"))
    assert f"CNN's error on CIFAR-10 from {scratch} to {pretrained} %" in readme
    scratch, pretrained = (shown(f"cifar10-vit32_{kind}-0.1") for kind in ("scratch", "tiny"))
    assert f"ViT's from {scratch} to {pretrained} %" in readme
    study = yaml.safe_load((root / "studies.yaml").read_text())["cifar32"]
    cells = len(study["datasets"]) * len(study["models"]) * len(study["seeds"]) * len(ladder(root / "dvc.yaml"))
    assert f"**{len(errors)} of {cells} cells are measured.**" in readme


def test_relative_links_lead_somewhere(root):
    for page in pages(root):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_commands_that_are_named_exist(root):
    for page in pages(root):
        for package, name in re.findall(r"python -m (stages|tools|trials|benchmarks)\.(\w+)", page.read_text()):
            assert (root / package / f"{name}.py").is_file(), f"{page.name} names {package}.{name}"
        for name in re.findall(r"^    make (\w+)", page.read_text(), re.MULTILINE):
            assert re.search(rf"^[\w /.-]*\b{name}\b[\w /.-]*:", (root / "Makefile").read_text(), re.MULTILINE), f"make {name}"


def test_readme_is_short(root):
    assert len((root / "README.md").read_text().splitlines()) <= 150


def test_lock_holds_the_real_downloads_and_splits_and_the_whole_small_study(root):
    lock = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    stages = {"download@cifar10", "download@cifar100", "aggregate@digits"}
    stages |= {
        f"split@{dataset}-{fraction}-0" for dataset in ("cifar10", "cifar100") for fraction in ("1.0", "0.5", "0.2", "0.1")
    }
    for dataset in ("digits", "digits100"):
        for model in ("cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs"):
            for fraction in ("1.0", "0.5", "0.2", "0.1"):
                stages |= {f"{stage}@{dataset}-{model}-{fraction}-0" for stage in ("train", "evaluate")}
    assert stages <= lock.keys()


def test_lock_was_recorded_by_the_code_that_is_here(root):
    """Else the first `dvc repro` of a stranger would train again what the committed report already shows."""
    lock = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    for name, entry in lock.items():
        for dep in entry["deps"]:
            if dep["path"].startswith(("stages/", "study/")):
                assert md5_of(root / dep["path"]) == dep["md5"], f"{name}: {dep['path']}"


def test_the_committed_reports_are_those_that_the_lock_records(root):
    lock = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    reports = {
        out["path"]: out["md5"] for name, entry in lock.items() if name.startswith("aggregate@") for out in entry["outs"]
    }
    assert {"reports/digits", "reports/cifar32"} <= reports.keys()
    assert [path for path, md5 in reports.items() if md5_of(root / path) != md5] == []


def md5_of(path):
    """The md5 that DVC records of a file, or of a folder: of the list of its files."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(
        (file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc"),
        key=lambda file: file.relative_to(path).parts,
    )
    listed = [{"md5": md5_of(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def test_nothing_that_dvc_keeps_is_in_git(root):
    tracked = subprocess.run(["git", "ls-files", "data"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    folders = {path.split("/")[1] for path in tracked}
    assert folders <= {
        "README.md",
        "own",
        "pretrained",
        "measured",
        "reference",
    }
