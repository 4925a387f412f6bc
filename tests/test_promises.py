"""What users are promised of `dvc repro`, `dvc exp run`, `dvc metrics diff` and `dvc pull`, with real training.

First the small study's whole grid runs once, at one epoch; then the promises are tried on copies narrowed to a tiny grid:
handwritten digits, the small CNN from scratch and pre-trained, the ladder's four fractions.
"""

import hashlib
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from clones import commit, copy, ran, set_params, sh, working_tree
from servers import Folder, serving

from trials.remotes import clone_of, configure
from trials.servers import NotInstalledError, Server, ssh

MODELS = ("cnn_scratch", "cnn_glyphs")
FRACTIONS = ("1.0", "0.5", "0.2", "0.1")
CELLS = {f"digits-{model}-{fraction}-0" for model in MODELS for fraction in FRACTIONS}
REPORT = Path("reports/digits")
SMALL_STUDY = (
    "fraction=1.0",
    "study.seeds=[0]",
    "study.name=digits",
    "study.datasets=[digits,digits100]",
    "study.models=[cnn_scratch,cnn_glyphs,vit_scratch,vit_glyphs]",
)


def stages(cells, *names):
    return {f"{name}@{cell}" for cell in cells for name in names}


def trained(output):
    return {stage for stage in ran(output) if stage.startswith("train@")}


def report_bytes(clone):
    """What a report promises byte for byte: all but the pages, which quote provenance."""
    folder = clone / REPORT
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".html")
    }


def lock(clone):
    return yaml.safe_load((clone / "dvc.lock").read_text())["stages"]


@pytest.fixture(scope="session")
def whole(root, tmp_path_factory):
    """A clone in which the small study was run whole, at one epoch; and what dvc printed."""
    clone = working_tree(root, tmp_path_factory.mktemp("whole") / "clone")
    (clone / "dvc.lock").unlink()  # DVC reads and writes all of it for every stage, and no entry in it is of one epoch
    set_params(
        clone,
        *SMALL_STUDY,
        *(f"datasets.{dataset}.recipe.epochs=1" for dataset in ("digits", "digits100")),
    )
    commit(clone, "the small study at one epoch")
    return clone, sh(clone, "dvc", "repro")


@pytest.fixture(scope="session")
def finished(whole, tmp_path_factory):
    """A clone in which the tiny grid was run and committed."""
    clone = copy(whole[0], tmp_path_factory.mktemp("finished") / "clone")
    set_params(clone, "study.datasets=[digits]", f"study.models=[{','.join(MODELS)}]")
    assert ran(sh(clone, "dvc", "repro")) == {"aggregate@digits"}
    commit(clone, "the tiny grid")
    return clone


@pytest.fixture
def clone(finished, tmp_path):
    return copy(finished, tmp_path / "clone")


def test_small_study_runs_whole(whole):
    clone, output = whole
    models = ("cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs")
    cells = {f"{d}-{m}-{f}-0" for d in ("digits", "digits100") for m in models for f in FRACTIONS}
    assert stages(cells, "train", "evaluate") | {"aggregate@digits"} <= ran(output)
    summary = json.loads((clone / REPORT / "summary.json").read_text())
    assert set(summary) == {"digits", "digits100", "verdicts"}
    for dataset in ("digits", "digits100"):
        for model in models:
            cell = clone / f"data/predictions/{dataset}-{model}-1.0-0"
            measured = json.loads((cell / "metrics.json").read_text())["top1_error"]
            with np.load(cell / "predictions.npz") as arrays:
                assert measured == (arrays["predicted"] != arrays["labels"]).mean()
            assert summary[dataset][model]["top1_error"] == pytest.approx(measured)


def test_second_run_runs_nothing(clone):
    assert ran(sh(clone, "dvc", "repro")) == set()
    assert sh(clone, "git", "status", "--porcelain") == ""


def test_weights_and_biases_switched_on_runs_nothing(clone):
    assert ran(sh(clone, "dvc", "repro", WANDB_MODE="offline", WANDB_PROJECT="p")) == set()


def test_one_models_learning_rate_runs_that_models_cells_alone(clone):
    output = sh(clone, "dvc", "exp", "run", "-S", "+models.cnn_glyphs.recipe.learning_rate=0.0005")
    changed = {cell for cell in CELLS if "cnn_glyphs" in cell}
    assert ran(output) == stages(changed, "train", "evaluate") | {"aggregate@digits"}


def test_cells_that_left_the_study_are_in_no_table(clone):
    assert "cnn_glyphs" in "".join(path.read_text() for path in (clone / REPORT / "tables").iterdir())
    output = sh(clone, "dvc", "exp", "run", "-S", "study.models=[cnn_scratch]")
    assert ran(output) == {"aggregate@digits"}
    for path in (clone / REPORT).rglob("*"):
        if path.suffix in (".md", ".csv", ".json"):
            assert "cnn_glyphs" not in path.read_text(), path
    back = sh(clone, "dvc", "exp", "run", "-S", f"study.models=[{','.join(MODELS)}]")
    assert ran(back) <= {"aggregate@digits"}


def test_a_fraction_of_the_ladder_trains_nothing_and_moves_the_headline(clone):
    before = (clone / REPORT / "summary.json").read_text()
    assert ran(sh(clone, "dvc", "exp", "run", "-S", "fraction=0.2")) == {"aggregate@digits"}
    assert (clone / REPORT / "summary.json").read_text() != before
    assert "cnn_scratch" in sh(clone, "dvc", "metrics", "diff")


def test_detour_to_another_fraction_and_back_leaves_everything_as_it_was(clone):
    files, entries, params = report_bytes(clone), lock(clone), (clone / "params.yaml").read_bytes()
    new = {f"digits-{model}-0.3-0" for model in MODELS}
    output = sh(clone, "dvc", "exp", "run", "-S", "fraction=0.3")
    assert ran(output) == stages(new, "train", "evaluate") | {"split@digits-0.3-0", "aggregate@digits"}
    assert report_bytes(clone) != files
    sh(clone, "dvc", "exp", "run", "-S", "fraction=1.0")
    assert ran(sh(clone, "dvc", "repro")) == set()
    assert report_bytes(clone) == files
    assert (clone / "params.yaml").read_bytes() == params
    assert {name: lock(clone)[name] for name in entries} == entries


def test_queued_experiments_finish(clone):
    sh(clone, "dvc", "exp", "run", "--queue", "-S", "fraction=0.05,0.3")
    sh(clone, "dvc", "queue", "start")
    deadline = time.monotonic() + 300
    while (status := sh(clone, "dvc", "queue", "status")).count("Success") < 2:
        assert "Failed" not in status and time.monotonic() < deadline, status + sh(clone, "dvc", "queue", "logs", "-h")
        time.sleep(2)
    shown = sh(clone, "dvc", "exp", "show", "--csv", "--drop", "data/|stages/")
    assert "0.05" in shown and "0.3" in shown


def test_partial_pull_and_failed_aggregate_leave_the_old_report(clone):
    before = {**report_bytes(clone), "page": (clone / REPORT / "README.md").read_bytes()}
    shutil.rmtree(clone / "data/predictions/digits-cnn_scratch-0.2-0")
    under_dvc = sh(clone, "dvc", "repro", "--single-item", "--force", "aggregate@digits", fails=True)
    by_hand = sh(clone, "python", "-m", "stages.aggregate", "digits", fails=True)
    for output in (under_dvc, by_hand):
        assert "digits-cnn_scratch-0.2-0" in output and "Traceback" not in output
    assert {**report_bytes(clone), "page": (clone / REPORT / "README.md").read_bytes()} == before
    assert not list((clone / "reports").glob("*tmp*"))


def test_uncached_cells_off_the_grid_are_not_deleted(clone):
    stray = clone / "data/predictions/digits-cnn_scratch-0.7-0"
    shutil.copytree(clone / "data/predictions/digits-cnn_scratch-0.2-0", stray)
    output = sh(clone, "dvc", "repro", fails=True)
    assert stray.name in output and "not deleted" in output
    assert stray.is_dir()


def test_diffs_between_branches_in_a_clone_with_an_empty_cache(clone, tmp_path):
    sh(clone, "git", "checkout", "-q", "-b", "other")
    sh(clone, "dvc", "exp", "run", "-S", "fraction=0.1")
    commit(clone, "another operating point")
    sh(tmp_path, "git", "clone", "-q", str(clone), "elsewhere")
    elsewhere = tmp_path / "elsewhere"
    assert not (elsewhere / ".dvc/cache").exists()
    shown = sh(elsewhere, "dvc", "metrics", "diff", "origin/main", "origin/other")
    assert "digits.cnn_glyphs.top1_error" in shown
    assert not (elsewhere / "reports/cifar").exists()
    sh(elsewhere, "dvc", "plots", "diff", "origin/main", "origin/other")
    assert "error" in (elsewhere / "dvc_plots/index.html").read_text().lower()


def test_the_difference_of_two_commits_names_verdicts_and_errors(root, tmp_path):
    """With no data, no cache and no stage: a repository of the committed summaries and the metrics of dvc.yaml."""
    metrics = yaml.safe_load((root / "dvc.yaml").read_text())["metrics"]
    for name in metrics:
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(root / name, tmp_path / name)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"metrics": metrics}))
    sh(tmp_path, "git", "init", "--quiet")
    sh(tmp_path, "dvc", "init", "--quiet")
    commit(tmp_path, "before")
    path = tmp_path / "reports/cifar32/summary.json"
    summary = json.loads(path.read_text())
    verdict, error = summary["verdicts"]["H2"], summary["cifar10"]["cnn32_tiny"]["top1_error"]
    summary["verdicts"]["H2"], summary["cifar10"]["cnn32_tiny"]["top1_error"] = "of another kind", error + 0.5
    path.write_text(json.dumps(summary))
    commit(tmp_path, "after")
    shown = [line.split(maxsplit=2) for line in sh(tmp_path, "dvc", "metrics", "diff", "HEAD~", "HEAD").splitlines()[1:]]
    assert [(name, rest.split("  ")[0]) for _, name, rest in shown] == [
        ("cifar10.cnn32_tiny.top1_error", str(error)),
        ("verdicts.H2", verdict),
    ]
    assert "of another kind" in shown[1][2]


def test_wrong_value_stops_the_study_with_one_sentence(clone):
    before = lock(clone)
    output = sh(clone, "dvc", "exp", "run", "-S", "train.precision=fp16", fails=True)
    assert "train.precision is 'fp16'; it must be bf16 or fp32" in output and "Traceback" not in output
    assert lock(clone) == before


# --- remotes ---


@pytest.fixture(scope="session")
def pushed(finished, tmp_path_factory):
    """A folder to which the finished study was pushed."""
    remote = tmp_path_factory.mktemp("remote")
    push(copy(finished, tmp_path_factory.mktemp("pushing") / "clone"), Server("a folder", str(remote)))
    return remote


def push(clone, server):
    configure(clone, server)
    sh(clone, "dvc", "push", **server.environment)


def fresh_clone(finished, folder, url):
    return clone_of(finished, folder / "fresh", Server("a remote", url))


def pulls_and_trains_nothing(clone, finished, **env):
    sh(clone, "dvc", "pull", **env)
    assert ran(sh(clone, "dvc", "repro")) == set()
    sh(clone, "python", "-m", "stages.aggregate", "digits")
    assert report_bytes(clone) == report_bytes(finished)


def test_pull_from_a_local_path(finished, pushed, tmp_path):
    pulls_and_trains_nothing(fresh_clone(finished, tmp_path, str(pushed)), finished)


def test_repro_with_pull(finished, pushed, tmp_path):
    clone = fresh_clone(finished, tmp_path, str(pushed))
    assert not trained(sh(clone, "dvc", "repro", "--pull"))
    assert report_bytes(clone) == report_bytes(finished)
    assert not trained(sh(clone, "dvc", "exp", "run", "--pull", "-S", "fraction=0.2"))


def test_pull_over_http(finished, pushed, tmp_path):
    with serving(Folder(pushed)) as site:
        pulls_and_trains_nothing(fresh_clone(finished, tmp_path, site.url), finished)


def test_tampered_object_is_refused(finished, pushed, tmp_path):
    """One byte of one file; DVC does not verify its listings of folders, but what they lead to."""
    remote = copy(pushed, tmp_path / "remote")
    cell = "data/predictions/digits-cnn_scratch-1.0-0"
    md5 = hashlib.md5((finished / cell / "metrics.json").read_bytes()).hexdigest()
    target = remote / "files/md5" / md5[:2] / md5[2:]
    content = bytearray(target.read_bytes())
    content[20] ^= 1
    target.chmod(0o644)
    target.write_bytes(content)
    clone = fresh_clone(finished, tmp_path, str(remote))
    assert cell in sh(clone, "dvc", "pull", fails=True)
    assert not (clone / cell).exists()


@pytest.fixture
def ssh_server(tmp_path):
    """A real SSH server of our own, on this machine."""
    pytest.importorskip("dvc_ssh", reason="dvc[ssh] is not installed")
    try:
        with ssh(tmp_path) as server:
            yield server
    except NotInstalledError as missing:
        pytest.skip(str(missing))


def test_push_and_pull_over_ssh(finished, ssh_server, tmp_path):
    push(copy(finished, tmp_path / "pushing"), ssh_server)
    clone = clone_of(finished, tmp_path / "fresh", ssh_server)
    pulls_and_trains_nothing(clone, finished, **ssh_server.environment)
