"""Own data are a dependency: DVC sees every change below data/own/<dataset>, and what lies elsewhere is pinned."""

import re
import shutil

import pytest
import yaml
from clones import commit, ran, sh
from pictures import content, halves, lay

from stages import download as stage
from study.base.errors import StudyError
from study.data.watched import is_watched


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DATASETS_DIR", raising=False)
    return folder


def declare(project, **source):
    sections = {"study": {"datasets": ["mine", "digits"]}}
    sections["datasets"] = {
        "mine": {"source": {"format": "folder", "side": 8, **source}, "recipe": {}},
        "digits": {"source": {"format": "digits"}, "recipe": {}},
    }
    (project / "params.yaml").write_text(yaml.safe_dump(sections))


def test_every_declared_dataset_has_its_folder(root):
    for dataset in yaml.safe_load((root / "params.yaml").read_text())["datasets"]:
        assert (root / "data/own" / dataset).is_dir(), f"mkdir data/own/{dataset}: DVC wants what a stage depends on to exist"


def test_what_is_watched(project, tmp_path):
    elsewhere = halves(tmp_path / "elsewhere")
    (project / "data/own/other").mkdir(parents=True)
    (project / "data/own/mine").symlink_to(elsewhere)
    assert is_watched("data/own/mine", "mine")
    assert is_watched("data/own/mine/train", "mine")
    assert is_watched(str(project / "data/own/mine"), "mine")
    assert not is_watched("data/own/other", "mine")
    assert not is_watched("data/own/mine/../other", "mine")
    assert not is_watched(str(elsewhere), "mine")
    assert not is_watched("data/own/mine2", "mine")
    assert not is_watched("~nobody-of-this-name/mine", "mine")
    (elsewhere / "train/cow").symlink_to(elsewhere / "train/ant")
    with pytest.raises(StudyError, match=r"DVC does not look into links to folders below data/own/mine: .*train/cow; make"):
        is_watched("data/own/mine", "mine")


def test_an_image_that_is_added_while_the_dataset_is_read_is_not_taken_for_read(project, tmp_path, monkeypatch):
    """DVC looks at the folder when the stage ends, and would record the image as read."""
    elsewhere = halves(tmp_path / "elsewhere")
    (project / "data/own").mkdir(parents=True)
    (project / "data/own/mine").symlink_to(elsewhere)
    declare(project, path="data/own/mine")
    load = stage.formats.load

    def slow(*arguments):
        data = load(*arguments)
        (elsewhere / "train/ant/9.png").write_bytes(content(9))
        return data

    with monkeypatch.context() as patch, pytest.raises(StudyError, match="were edited while it was made, so nothing"):
        patch.setattr(stage.formats, "load", slow)
        stage.download("mine")
    assert not (project / "data/raw/mine").exists()
    stage.download("mine")


@pytest.mark.parametrize("name", ["4913", "a.tmp", "a~", "a.swf", "#a#", "a___jb_old___"])
def test_a_class_may_be_called_like_what_editors_leave(root, name, project):
    sh(project, "git", "init", "--quiet")
    sh(project, "dvc", "init", "--quiet")
    shutil.copy(root / ".dvcignore", project)
    lay(project, f"data/own/mine/train/{name}/0.png")
    sh(project, "dvc", "check-ignore", f"data/own/mine/train/{name}/0.png", fails=True)  # it fails where nothing is ignored


def test_what_is_not_watched_must_be_pinned(project, tmp_path):
    elsewhere = halves(tmp_path / "elsewhere")
    declare(project, path=str(elsewhere))
    with pytest.raises(StudyError, match=r"DVC does not see when files of .*elsewhere change: write md5: \w{32} into") as error:
        stage.download("mine")
    assert not (project / "data/raw/mine").exists()
    declare(project, path=str(elsewhere), md5=re.search(r"md5: (\w{32})", str(error.value))[1])
    stage.download("mine")
    (elsewhere / "train/ant/0.png").write_bytes(content(99))
    with pytest.raises(StudyError, match="files were added, removed or changed"):
        stage.download("mine")


def test_what_lies_under_datasets_dir_is_not_watched_though_it_is_called_the_same(project, tmp_path, monkeypatch):
    halves(tmp_path / "other/data/own/mine/photos")
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "other"))
    declare(project, path="data/own/mine/photos")
    with pytest.raises(StudyError, match=r"DVC does not see when files of data/own/mine/photos change"):
        stage.download("mine")


def test_a_table_that_lists_images_elsewhere_must_be_pinned(project, tmp_path):
    """DVC watches the table, and not what lies outside data/own/mine."""
    own, elsewhere = project / "data/own/mine", lay(tmp_path / "elsewhere", *(f"{n}.png" for n in range(4)))
    lay(own, *(f"pictures/{n}.png" for n in range(4)))
    (own / "tables").mkdir()
    table = {"format": "csv", "path": "data/own/mine/tables/x.csv", "image": "file", "label": "y", "test": 0.5}
    for folder, images in (("", "../pictures"), ("../pictures/", None), (f"{elsewhere}/", None), ("", str(elsewhere))):
        rows = "".join(f"{folder}{n}.png,{'ab'[n % 2]}\n" for n in range(4))
        (own / "tables/x.csv").write_text(f"file,y\n{rows}")
        declare(project, **table, images=images)
        if "elsewhere" in f"{folder}{images}":
            with pytest.raises(
                StudyError, match=r"does not see when files of data/own/mine/tables/x.csv change: write md5:"
            ) as error:
                stage.download("mine")
            declare(project, **table, images=images, md5=re.search(r"md5: (\w{32})", str(error.value))[1])
        stage.download("mine")


def test_an_archive_pinned_by_its_sha256_needs_no_md5(project, tmp_path):
    halves(tmp_path / "elsewhere")
    packed = shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path / "elsewhere")
    declare(project, path=packed, sha256="0" * 64)
    with pytest.raises(StudyError, match="instead of 0000"):
        stage.download("mine")
    declare(project, path=packed)
    with pytest.raises(StudyError, match=r"write md5: \w{32} .or sha256: what `sha256sum` prints for the archive. into"):
        stage.download("mine")


@pytest.fixture
def clone(root, project):
    """A project with the stage download alone, as the repository's dvc.yaml has it, and images of its user's own."""
    for name in ("stages", "study"):
        shutil.copytree(root / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / ".dvcignore", project)
    whole = yaml.safe_load((root / "dvc.yaml").read_text())
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"download": whole["stages"]["download"]}}))
    (project / "data/own/digits").mkdir(parents=True)
    declare(project, path="data/own/mine")
    sh(project, "git", "init", "--quiet")
    sh(project, "dvc", "init", "--quiet")
    commit(project, "as it is")
    return project


def test_an_image_added_changed_or_removed_runs_download_and_nothing_else_does(clone, tmp_path):
    def repro():
        return ran(sh(clone, "dvc", "repro", PYTHONPATH=str(clone)))

    elsewhere = halves(tmp_path / "elsewhere")
    (clone / "data/own/mine").symlink_to(elsewhere)
    assert repro() == {"download@mine", "download@digits"}
    assert repro() == set()
    (elsewhere / "train/ant/9.png").write_bytes(content(9))
    assert repro() == {"download@mine"}
    (elsewhere / "train/ant/9.png").write_bytes(content(10))
    assert repro() == {"download@mine"}
    (elsewhere / "train/ant/.DS_Store").write_bytes(b"x")
    assert repro() == set()
    (elsewhere / "train/ant/9.png").rename(elsewhere / "train/bee/9.png")
    assert repro() == {"download@mine"}
    (elsewhere / "train/bee/9.png").unlink()
    before = (clone / "dvc.lock").read_text()
    assert repro() == set()  # this state is in DVC's run cache: its output is taken from there
    assert (clone / "dvc.lock").read_text() != before
    (elsewhere / "train/4913").write_bytes(b"vim's")
    assert repro() == set()
    (elsewhere / "train/4913").unlink()
    for number, name in enumerate(("4913", "x.tmp")):  # classes that are called like what editors leave behind
        lay(elsewhere, f"train/{name}/1.png", start=20 + number)
        assert repro() == {"download@mine"}
