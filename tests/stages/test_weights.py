"""The stage weights: from the hub, a URL, a file or a folder to data/weights/<model>/, or one sentence."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
import yaml
from huggingface_hub import constants
from safetensors.torch import save, save_file
from servers import COMMIT, Files, Hub, serving

from stages import weights as stage
from study.base.errors import StudyError
from study.models import architecture
from study.models.build import build, load_pretrained
from study.models.card import Card
from study.settings.params import Model, Params, Weights

ARCH, OPTIONS = "test_vit", {"patch_size": 8, "depth": 1}
CONFIG = {
    "architecture": ARCH,
    "num_classes": 7,
    "pretrained_cfg": {
        "input_size": [3, 32, 32],
        "num_classes": 7,
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "interpolation": "bilinear",
    },
}


@pytest.fixture(scope="module")
def state():
    model = timm.create_model(ARCH, img_size=32, num_classes=7, **OPTIONS)
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="module")
def content(state):
    return save(state)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, no_waiting):
    """An empty project, an empty cache of the hub, and no waiting."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return folder


@pytest.fixture
def folder(tmp_path, content):
    """Weights in a local folder laid out like a repository of the hub."""
    path = tmp_path / "local"
    path.mkdir()
    (path / "model.safetensors").write_bytes(content)
    (path / "config.json").write_text(json.dumps(CONFIG))
    return path


def point_to(url, monkeypatch):
    """What HF_ENDPOINT does when huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


@pytest.fixture
def hub(monkeypatch, content):
    site = Hub()
    site.repositories["timm/test_vit.small"] = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": content}
    with serving(site):
        point_to(site.url, monkeypatch)
        yield site


def prepare(source, sha256=None, arch=ARCH, options=OPTIONS):
    target = Path("data/weights/small")
    target.mkdir(parents=True, exist_ok=True)
    model = Model("small", "vit", arch, options, None if source is None else Weights(str(source), sha256), None)
    card = stage.prepare(model, target)
    assert Card.read(target) == card
    return card


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def expect(card, source, content, revision=None):
    assert card == Card(ARCH, OPTIONS, source, revision, sha256(content), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bilinear")
    assert Path("data/weights/small/weights.safetensors").read_bytes() == content


# Where weights come from


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


@pytest.mark.parametrize("revision", ["", "@main", f"@{COMMIT}"])
def test_hub(hub, content, revision):
    source = f"hf-hub:timm/test_vit.small{revision}"
    expect(prepare(source), source, content, COMMIT)


def test_hub_while_connections_break(hub, content):
    hub.cuts = [None, 1000]  # config.json whole, then weights cut off once
    expect(prepare("hf-hub:timm/test_vit.small"), "hf-hub:timm/test_vit.small", content, COMMIT)
    assert [method for method, path, _ in hub.requests if path.endswith(".safetensors")] == ["HEAD", "GET", "GET"]


def test_hub_offline_from_its_cache(hub, content, monkeypatch):
    first = prepare("hf-hub:timm/test_vit.small")
    hub.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert prepare("hf-hub:timm/test_vit.small") == first
    assert hub.requests == []


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


def test_arch_that_takes_any_size(tmp_path):
    model = timm.create_model("test_resnet", num_classes=3)
    (tmp_path / "resnet").mkdir()
    save_file(model.state_dict(), tmp_path / "resnet/model.safetensors")
    (tmp_path / "resnet/config.json").write_text(json.dumps({**CONFIG, "architecture": "test_resnet"}))
    assert prepare(tmp_path / "resnet", arch="test_resnet.r160_in1k", options={}).interpolation == "bilinear"


# What may be wrong


def refused(sentence, *arguments, **options):
    with pytest.raises(StudyError, match=sentence) as error:
        prepare(*arguments, **options)
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert not Path("data/weights/small/card.json").exists()


def test_wrong_sha256(folder, content):
    refused(f"local has the sha256 {sha256(content)} instead of {'0' * 64}", folder, "0" * 64)


def test_wrong_sha256_is_told_before_the_file_is_read(folder):
    (folder / "model.safetensors").write_bytes(b"no safetensors at all")
    refused(f"instead of {'0' * 64}", folder, "0" * 64)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_truncated(folder, content, cut):
    (folder / "model.safetensors").write_bytes(content[:cut])
    refused(r"local is damaged or no safetensors file \(.*\); fetch it again", folder)


def test_pickles_are_not_read(folder):
    torch.save({"a": torch.zeros(1)}, folder / "model.safetensors")
    refused("damaged or no safetensors file", folder)
    torch.save({}, folder / "model.pth")
    refused(r"model\.pth' in params\.yaml, which is neither a folder here nor a \.safetensors file", folder / "model.pth")
    for name in ("model.bin", "last.ckpt", "model.pth.tar"):
        refused(f"{name} is not a .safetensors file.* python -m tools.convert makes one", f"https://127.0.0.1/{name}")


def test_addresses_that_lead_nowhere():
    refused("Invalid IPv6 URL", "http://[nowhere/model.safetensors")
    refused(r"model\.safetensors is not here", "~nobody-of-this-name/model.safetensors")


def test_another_architecture_names_the_first_mismatch(folder, state):
    other = "is of another architecture than test_vit with {.*}: "
    refused(other + "it has no tensor blocks.1.norm1.weight", folder, options={"patch_size": 8, "depth": 2})
    refused(
        other + r"its cls_token has the shape \(1, 1, 64\) instead of \(1, 1, 32\), at 32 pixels",
        folder,
        options={"patch_size": 8, "depth": 1, "embed_dim": 32, "num_heads": 1},
    )
    refused("test_vit with .*, which has no tensor pos_embed", folder, options={**OPTIONS, "pos_embed": "none"})
    save_file({**state, "more": torch.zeros(1)}, folder / "model.safetensors")
    refused(r"another architecture than test_vit with .*, which has no tensor more\.", folder)


def test_names_with_something_before_them(folder, state):
    save_file({f"module.{name}": tensor for name, tensor in state.items()}, folder / "model.safetensors")
    refused(r"it has no tensor cls_token, but module\.cls_token; rename its tensors as timm has them", folder)


def test_another_architecture_of_the_same_shapes(folder):
    (folder / "config.json").write_text(json.dumps({**CONFIG, "architecture": "other_vit"}))
    refused(r"the shapes agree, but its config\.json names other_vit", folder)


def test_unknown_arch_and_options():
    refused(r"'resnet51' is not an architecture of timm \S+; close names are .*resnet5\d", None, arch="resnet51", options={})
    refused("'hf-hub:timm/x' is not an architecture of timm", None, arch="hf-hub:timm/x", options={})
    for closed in ("pretrained", "checkpoint_path", "pretrained_cfg", "cache_dir"):
        refused(f"{closed} of test_vit is no option of an architecture", None, options={closed: "model.pth"})
    for option in ({"colour": "red"}, {"patch_size": "x"}):
        refused(f"cannot build test_vit with {re.escape(str(option))}: ", None, options=option)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mean": None}, "mean is None; it must be three numbers"),
        ({"std": [0.1, 0.2]}, r"std is \[0\.1, 0\.2\]; it must be three numbers"),
        ({"std": [0.1, 0.2, 0]}, r"std is \[0\.1, 0\.2, 0\]; it must be three numbers above 0"),
        ({"interpolation": "random"}, "interpolation is 'random'; it must be bilinear or bicubic"),
    ],
)
def test_config_without_what_images_need(folder, change, sentence):
    settings = {**CONFIG["pretrained_cfg"], **change}
    (folder / "config.json").write_text(json.dumps({**CONFIG, "pretrained_cfg": settings}))
    refused(rf"config\.json of .*local: {sentence}", folder)


def test_config_that_is_absent_or_no_json(folder):
    (folder / "config.json").write_text("{")
    refused(r"config\.json is no readable JSON", folder)
    (folder / "config.json").unlink()
    refused(r"config\.json is not here; weights\.source .* needs model weights with a config\.json beside them", folder)


def test_hub_refusals(hub, content):
    refused("has no such repository, or shows it only to users with a token", "hf-hub:timm/nothing")
    refused("the repository has no such revision", "hf-hub:timm/test_vit.small@nothing")
    refused("not of the form hf-hub:owner/name", "hf-hub:timm/test/vit")
    del hub.repositories["timm/test_vit.small"]["model.safetensors"]
    refused(r"lacks config\.json or model\.safetensors", "hf-hub:timm/test_vit.small")


def test_hub_cache_that_was_damaged(hub, content, tmp_path):
    prepare("hf-hub:timm/test_vit.small")
    Path("data/weights/small/card.json").unlink()
    (blob,) = (tmp_path / "cache").glob(f"*/blobs/{sha256(content)}")
    blob.write_bytes(content[:-1] + b"\xff")
    refused("is damaged: its sha256 is not the hub's; delete the file it links to", "hf-hub:timm/test_vit.small")


def test_offline_without_a_cache(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(
        "HF_HUB_OFFLINE is set and it is not in the cache .*; weights.source in params.yaml also takes a local folder",
        "hf-hub:timm/test_vit.small",
    )


def test_hub_out_of_reach(monkeypatch):
    point_to("http://127.0.0.1:9", monkeypatch)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    refused("http://127.0.0.1:9 is out of reach and it is not in the cache .* HF_HUB_OFFLINE=1; weights", "hf-hub:timm/x")


@pytest.mark.parametrize(("status", "said"), [(429, "answered 429 .*: wait a while, or set HF_TOKEN"), (403, "answered 403")])
def test_what_the_hub_answers_is_said(monkeypatch, status, said):
    site = Files()
    site.statuses = [status] * 50
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with serving(site):
        point_to(site.url, monkeypatch)
        refused(said, "hf-hub:timm/x")


def test_url_without_a_config(content):
    site = Files()
    site.files["/model.safetensors"] = content
    with serving(site):
        refused(
            r"config\.json could not be fetched: .* 404 .*; mean, std and interpolation come from",
            f"{site.url}/model.safetensors",
        )


def test_url_with_another_sha256(content):
    site = Files()
    site.files = {"/model.safetensors": content, "/config.json": json.dumps(CONFIG).encode()}
    with serving(site):
        refused(f"the sha256 {sha256(content)} instead of {'0' * 64}: what was", f"{site.url}/model.safetensors", "0" * 64)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"arch": "x"}'])
def test_card_that_is_damaged(tmp_path, text):
    with pytest.raises(StudyError, match=r"card\.json is not here; dvc pull, or python -m stages\.weights"):
        Card.read(tmp_path)
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(StudyError, match=r"card\.json is (damaged|not a card)"):
        Card.read(tmp_path)


def test_card_imports_neither_torch_nor_timm(root):
    program = "import sys, study.models.card; print({'torch', 'timm', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True).stdout == "set()\n"


def test_models_of_the_study_are_built_without_memory():
    for arch in ("resnet50", "vit_small_patch16_224"):
        default = architecture.check(arch, {})
        assert default["input_size"] == (3, 224, 224)


# The command, in processes of its own: a hub, then none


def test_command_line(project, root, tmp_path, content):
    models = {
        name: {"family": "vit", "arch": {"name": ARCH, **OPTIONS}, "weights": weights, "recipe": {}, "scratch": None}
        for name, weights in {
            "small": {"source": "hf-hub:timm/test_vit.small", "sha256": None},
            "away": {"source": "hf-hub:timm/other", "sha256": None},
        }.items()
    }
    (project / "params.yaml").write_text(yaml.safe_dump({"models": models}))
    settings = {**os.environ, "PYTHONPATH": str(root), "HF_HOME": str(tmp_path / "home")}

    def command(model, **more):
        return subprocess.run(
            [sys.executable, "-m", "stages.weights", model],
            cwd=project,
            env=settings | more,
            capture_output=True,
            text=True,
        )

    site = Hub()
    site.repositories["timm/test_vit.small"] = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": content}
    with serving(site):
        done = command("small", HF_ENDPOINT=site.url)
    assert done.returncode == 0, done.stderr
    assert f"models.small.weights:\n      sha256: {sha256(content)}\n" in done.stdout
    written = {path.name: path.read_bytes() for path in (project / "data/weights/small").iterdir()}
    again = command("small", HF_HUB_OFFLINE="1")
    assert again.returncode == 0, again.stderr
    assert {path.name: path.read_bytes() for path in (project / "data/weights/small").iterdir()} == written
    failed = command("away", HF_HUB_OFFLINE="1")
    assert failed.returncode == 1
    assert re.fullmatch(r"error: hf-hub:timm/other could not be fetched: HF_HUB_OFFLINE is set .*\.\n", failed.stderr)
    assert [path.name for path in (project / "data/weights").iterdir()] == ["small"]
