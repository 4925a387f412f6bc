"""README and docs say what the repository holds: tables as measured, links that lead somewhere, commands that exist."""

import hashlib
import json
import re
import subprocess

import yaml

TABLE = "reports/digits/tables/errors_digits.md"


def pages(root):
    return [root / "README.md", root / "CONTRIBUTING.md", root / "data/README.md", *sorted((root / "docs").glob("*.md"))]


def test_readme_shows_the_committed_table_and_verdicts(root):
    readme = " ".join((root / "README.md").read_text().split())
    lines = [line for line in (root / TABLE).read_text().splitlines() if line.startswith("|")]
    assert " ".join(lines) in readme
    verdicts = json.loads((root / "reports/digits/summary.json").read_text())["verdicts"]
    assert "there, H1 is {H1}, H2 {H2} and H3 {H3}.".format(**verdicts) in readme


def test_relative_links_lead_somewhere(root):
    for page in pages(root):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_stages_that_are_named_exist(root):
    for page in pages(root):
        for name in re.findall(r"python -m stages\.(\w+)", page.read_text()):
            assert (root / f"stages/{name}.py").is_file(), f"{page.name} names stages.{name}"


def test_small_study_of_the_makefile_is_declared(root):
    params = yaml.safe_load((root / "params.yaml").read_text())
    makefile = (root / "Makefile").read_text()
    for axis in ("datasets", "models"):
        named = re.search(rf"study\.{axis}=\[([^]]+)\]", makefile)
        assert named and set(named[1].split(",")) <= set(params[axis])


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
            if dep["path"].startswith("stages/"):
                assert code_md5(root / dep["path"]) == dep["md5"], f"{name}: {dep['path']}"


def code_md5(path):
    """The md5 that DVC records of a file, or of a folder: of the list of its files."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(path.rglob("*.py"), key=lambda file: file.relative_to(path).parts)
    listed = [{"md5": code_md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def test_nothing_that_dvc_keeps_is_in_git(root):
    tracked = subprocess.run(["git", "ls-files", "data"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    folders = {path.split("/")[1] for path in tracked}
    assert folders <= {"README.md", "pretrained", "measured", "published.csv"}
