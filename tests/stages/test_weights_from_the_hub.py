"""Weights from the Hugging Face hub: what is asked of it, its cache, and refusals in one sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants
from servers import COMMIT, Files, serving
from small_weights import ARCH, OPTIONS, expect, point_to, prepare, refused, sha256

pytestmark = pytest.mark.usefixtures("project", "empty_cache")


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


def test_command_line(project, root, tmp_path, hub, content):
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

    done = command("small", HF_ENDPOINT=hub.url)
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
