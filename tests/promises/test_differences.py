"""What users are promised of `dvc metrics diff` and `dvc plots diff`."""

import json
import shutil

import yaml
from clones import commit, sh


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
        ("cifar10.cnn32_tiny.top1_error", str(round(error, 5))),  # DVC's own precision
        ("verdicts.H2", verdict),
    ]
    assert "of another kind" in shown[1][2]
