"""A lock that was reset and a clone that finds the cache train nothing; another clone that trains ends in the same dvc.lock."""

import shutil

import pytest
from clones import commit, ran, set_params, sh, working_tree


def trained(output):
    return {stage for stage in ran(output) if stage.startswith(("train@", "evaluate@"))}


def bare(root, folder):
    """Two cells of one epoch, and nothing recorded."""
    clone = working_tree(root, folder)
    (clone / "dvc.lock").unlink()
    text = (clone / "dvc.yaml").read_text().replace('["${fraction}", 1.0, 0.5, 0.2, 0.1]', '["${fraction}", 0.1]')
    (clone / "dvc.yaml").write_text(text.replace("--ladder 1.0,0.5,0.2,0.1", "--ladder 0.1"))
    models = "study.models=[cnn_scratch,vit_scratch]"
    set_params(clone, "study.name=digits", "study.datasets=[digits]", models, "fraction=0.1", "study.seeds=[0]")
    set_params(clone, "datasets.digits.recipe.epochs=1")
    shutil.rmtree(clone / "reports", ignore_errors=True)
    commit(clone, "two cells")
    return clone


@pytest.fixture(scope="module")
def done(root, tmp_path_factory):
    clone = bare(root, tmp_path_factory.mktemp("done") / "clone")
    assert len(trained(sh(clone, "dvc", "repro"))) == 4
    return clone


def test_after_a_reset_of_the_lock_nothing_is_trained_again(done):
    kept = (done / "dvc.lock").read_bytes()
    (done / "dvc.lock").unlink()
    assert not trained(sh(done, "dvc", "repro"))
    assert (done / "dvc.lock").read_bytes() == kept


def test_a_fresh_clone_with_the_cache_trains_nothing(done, tmp_path):
    commit(done, "results")
    sh(tmp_path, "git", "clone", "--quiet", str(done), "fresh")
    fresh = tmp_path / "fresh"
    sh(fresh, "dvc", "cache", "dir", "--local", str(done / ".dvc" / "cache"))
    assert not trained(sh(fresh, "dvc", "repro"))
    assert not sh(fresh, "git", "status", "--porcelain")


def test_another_clone_ends_in_the_same_lock_and_report(root, done, tmp_path):
    """Wall times, names of machines and the like are in no file that DVC or git keeps."""
    other = bare(root, tmp_path / "other")
    sh(other, "dvc", "repro")
    assert (other / "dvc.lock").read_bytes() == (done / "dvc.lock").read_bytes()
    names = sorted(path.relative_to(other) for path in (other / "reports").rglob("*") if path.is_file())
    assert names and all((other / name).read_bytes() == (done / name).read_bytes() for name in names)
    (other / "data" / "records" / "digits-cnn_scratch-0.1-0.json").stat()
