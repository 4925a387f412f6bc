"""The stage weights: from a file, a folder or a URL to data/weights/<model>/, at the sizes of the study."""

import json
import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from servers import Files, serving
from small_weights import ARCH, CONFIG, OPTIONS, expect, prepare, sha256

from stages import weights as stage
from study.base import yaml12
from study.base.errors import StudyError
from study.models import architecture
from study.models.build import build, load_pretrained
from study.models.card import Card
from study.settings.params import Model, Params, Weights

pytestmark = pytest.mark.usefixtures("project", "empty_cache")


def test_scratch_is_the_card_alone():
    card = prepare(None, arch="vit_small_patch16_224", options={})
    assert card == Card("vit_small_patch16_224", {}, None, None, None, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic")
    assert [path.name for path in Path("data/weights/small").iterdir()] == ["card.json"]
    # The keys of the card are what other stages rely on.
    assert json.loads(Path("data/weights/small/card.json").read_text()) == {
        "arch": "vit_small_patch16_224",
        "arch_options": {},
        "source": None,
        "revision": None,
        "sha256": None,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
    }


def test_folder(folder, content):
    expect(prepare(folder, sha256(content)), str(folder), content)


def test_file(folder, content):
    path = (folder / "model.safetensors").rename(folder / "mine.safetensors")
    expect(prepare(path), str(path), content)


def test_url(content):
    site = Files()
    site.files = {"/a/model.safetensors": content, "/a/config.json": json.dumps(CONFIG).encode()}
    site.cuts = [None, 1000]
    with serving(site):
        source = f"{site.url}/a/model.safetensors?download=true"
        site.files["/a/model.safetensors?download=true"] = content
        site.files["/a/config.json?download=true"] = site.files["/a/config.json"]
        expect(prepare(source, sha256(content)), source, content)
    # The locks stay: another process may wait for one, to fetch the same file for another model.
    assert {path.suffix for path in Path(".dvc/tmp/downloads").iterdir()} == {".lock"}


def test_flat_config(folder, content):
    (folder / "config.json").write_text(json.dumps({"architecture": ARCH, **CONFIG["pretrained_cfg"]}))
    expect(prepare(folder), str(folder), content)


def test_head_of_another_size_or_none(folder, state):
    headless = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
    save_file(headless, folder / "model.safetensors")
    assert prepare(folder).sha256 == sha256((folder / "model.safetensors").read_bytes())


@pytest.mark.parametrize("options", [{"patch_size": 4, "depth": 1}, {"patch_size": 16, "depth": 1}])
def test_a_vit_of_another_patch_size_is_taken_as_a_training_takes_it(folder, options):
    prepare(folder, options=options)
    model = build(ARCH, options, classes=3, image_size=32, seed=0)
    before = model.state_dict()["patch_embed.proj.weight"].clone()
    load_pretrained(model, Path("data/weights/small/weights.safetensors"))
    assert not torch.equal(model.state_dict()["patch_embed.proj.weight"], before)


def test_weights_are_tried_at_the_sizes_of_the_study(folder):
    for sizes in ((64,), (32, 64)):
        target = Path(f"data/weights/{len(sizes)}")
        target.mkdir(parents=True)
        stage.prepare(Model("small", "vit", ARCH, OPTIONS, Weights(str(folder), None), None), target, sizes)
        assert (target / "card.json").is_file()
    with pytest.raises(StudyError, match=r"timm cannot build test_vit with .* for 36 pixels"):
        stage.prepare(Model("small", "vit", ARCH, OPTIONS, Weights("nowhere", None), None), Path("data/weights"), (32, 36))


@pytest.mark.parametrize(
    ("arch", "sentence"),
    [
        ("inception_v3", "timm cannot build inception_v3 with {} for 32 pixels: "),
        ("vit_base_patch16_224_in21k", r"by another name now; write vit_base_patch16_224\.augreg_in21k"),
        ("resnet18.a1_in1kk", "no weights 'a1_in1kk' of it"),
    ],
)
def test_an_arch_that_cannot_be_is_refused_before_weights_are_looked_for(arch, sentence):
    with pytest.raises(StudyError, match=sentence):
        stage.prepare(Model("small", "vit", arch, {}, Weights("nowhere", None), None), Path(), (32,))


def test_the_sizes_are_those_of_the_study(root):
    params = Params.load(root / "params.yaml")
    sizes = {params.recipe(dataset, "cnn_scratch").image_size for dataset in params.study().datasets}
    assert stage._sizes(params, "cnn_scratch") == tuple(sorted(sizes))
    assert stage._sizes(Params({"models": {}}), "cnn_scratch") == ()


def test_a_wrong_recipe_of_any_dataset_stops_before_anything_is_fetched(root, monkeypatch):
    sections = yaml12.load((root / "params.yaml").read_text())
    sections["study"] |= {"datasets": ["cifar10", "digits"]}
    sections["datasets"]["digits"]["recipe"] = {"epochs": 0}
    Path("params.yaml").write_text(json.dumps(sections))
    monkeypatch.setattr(sys, "argv", ["weights", "resnet50_im1k"])
    monkeypatch.setattr(stage.pretrained, "fetch", lambda *_: pytest.fail("fetched"))
    monkeypatch.setattr(stage.code, "digest", lambda _: "")
    with pytest.raises(StudyError, match="epochs is 0"):
        stage.main()


@pytest.mark.filterwarnings("error")
def test_timms_resampling_is_silent(tmp_path):
    """Its tables of relative positions, for another window."""
    options = {"depths": (1, 1, 1, 1)}
    model = timm.create_model("swin_tiny_patch4_window7_224", **options)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, tmp_path / "w.safetensors")
    swin = ("swin_tiny_patch4_window7_224", options)
    architecture.check_file(tmp_path / "w.safetensors", *swin, model.pretrained_cfg, "here", (32,))


def test_arch_that_takes_any_size(tmp_path):
    model = timm.create_model("test_resnet", num_classes=3)
    (tmp_path / "resnet").mkdir()
    save_file(model.state_dict(), tmp_path / "resnet/model.safetensors")
    (tmp_path / "resnet/config.json").write_text(json.dumps({**CONFIG, "architecture": "test_resnet"}))
    assert prepare(tmp_path / "resnet", arch="test_resnet.r160_in1k", options={}).interpolation == "bilinear"
