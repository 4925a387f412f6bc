"""Weights that are damaged, of another architecture or not described are refused in one sentence."""

import json
import re

import pytest
import torch
from safetensors.torch import save_file
from servers import Files, serving
from small_weights import CONFIG, OPTIONS, refused, sha256

pytestmark = pytest.mark.usefixtures("project", "empty_cache")


def test_wrong_sha256(folder, content):
    refused(f"local has the sha256 {sha256(content)} instead of {'0' * 64}", folder, "0" * 64)


def test_wrong_sha256_is_told_before_the_file_is_read(folder):
    (folder / "model.safetensors").write_bytes(b"no safetensors at all")
    refused(f"instead of {'0' * 64}", folder, "0" * 64)


def test_a_mean_of_pixels_from_0_to_255(folder):
    """Such models would see inputs that hardly differ from image to image."""
    config = json.loads((folder / "config.json").read_text())
    config["pretrained_cfg"] |= {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
    (folder / "config.json").write_text(json.dumps(config))
    refused("local has a mean of pixels from 0 to 255; divide its mean and its std by 255", folder)


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
        refused(
            f"{name} is not a .safetensors file.* python -m tools.convert makes a .safetensors file",
            f"https://127.0.0.1/{name}",
        )


def test_a_folder_of_a_pickle_alone_names_the_way_out(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    refused(r"local has no model\.safetensors, but pytorch_model\.bin, which can run code.*python -m tools\.convert", folder)


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
