"""Weights in files that torch pickled: read without running their code, unwrapped, and every step said."""

import argparse
import hashlib
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from study.base.errors import StudyError
from study.models.build import build, load_pretrained
from tools import convert

ARCH = ("resnet10t", {"stem_width": 8, "channels": [8, 8, 16, 16]})
PLAIN = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3)}
AVERAGED = {name: tensor + 1 for name, tensor in PLAIN.items()}


def prefixed(state, prefix):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.fixture
def converted(tmp_path, capsys):
    """Saves an object, converts it, and returns the tensors and what was said."""

    def do(saved, name="weights.pth", **options):
        torch.save(saved, tmp_path / name)
        target = convert.convert(tmp_path / name, **options)
        return load_file(target), capsys.readouterr().out

    return do


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("saved", "expected", "said"),
    [
        (PLAIN, PLAIN, "2 tensors at the top\n"),
        (prefixed(PLAIN, "module."), PLAIN, "taken off every name: module.\n"),
        (prefixed(PLAIN, "model."), PLAIN, "taken off every name: model.\n"),
        (prefixed(PLAIN, "module.model."), PLAIN, "taken off every name: module. then model.\n"),
        ({"state_dict": PLAIN, "epoch": 3}, PLAIN, "2 tensors under state_dict\n"),
        ({"model": {"state_dict": prefixed(PLAIN, "module.")}}, PLAIN, "under model → state_dict\n"),
        ({"state_dict": PLAIN, "state_dict_ema": AVERAGED}, AVERAGED, "under state_dict_ema (averaged weights, EMA)\n"),
        ({"model": PLAIN, "ema": prefixed(AVERAGED, "module.")}, AVERAGED, "it also has model; --take takes"),
        ({**prefixed(PLAIN, "module."), "n_averaged": torch.tensor(9)}, PLAIN, "taken off every name: module.\n"),
        ({**PLAIN, "model.weight": torch.ones(1)}, None, "3 tensors at the top\n"),
        ({**prefixed(PLAIN, "encoder."), "norm.weight": torch.ones(1)}, None, "3 tensors at the top\n"),  # as timm has them
        ({**prefixed(PLAIN, "model."), "criterion.weight": torch.ones(1)}, PLAIN, "that model: criterion.weight\n"),
        (
            {"state_dict": {**prefixed(PLAIN, "model.backbone."), "model.head.weight": torch.ones(1)}},
            PLAIN,
            "taken off every name: model. then backbone.\nleft out, being no part of that model: model.head.weight\n",
        ),
        (
            {**prefixed(PLAIN, "model."), **prefixed(AVERAGED, "model_ema.module.")},
            AVERAGED,
            "taken off every name: model_ema. then module.\nleft out, being no part of that model: model.a.weight, model.a.",
        ),
        ({**prefixed(PLAIN, "student."), "model_ema.decay": torch.ones(())}, PLAIN, "that model: model_ema.decay\n"),
        ({**PLAIN, "_metadata": "x"}, PLAIN, "left out, being no weights: _metadata\n"),
        ({"model": PLAIN, "args": argparse.Namespace(lr=1)}, PLAIN, "under model\n"),
    ],
)
def test_weights_are_found_and_it_is_said_where(converted, saved, expected, said):
    found, words = converted(saved)
    assert same(found, saved if expected is None else expected)
    assert said in words


def test_one_key_can_be_asked_for(converted):
    found, words = converted({"state_dict": PLAIN, "state_dict_ema": AVERAGED}, take="state_dict")
    assert same(found, PLAIN) and "under state_dict\n" in words


@pytest.mark.parametrize(
    ("saved", "take"),
    [
        ({"ema": {"shadow": PLAIN, "decay": 0.9}, "model": AVERAGED}, "ema.shadow"),
        ({"state_dict": {**prefixed(PLAIN, "model."), **prefixed(AVERAGED, "model_ema.")}}, "state_dict.model"),
        ({**prefixed(PLAIN, "encoder."), **AVERAGED}, "encoder"),
        ({"a.b": PLAIN, "a": {"b": AVERAGED}}, "a.b"),
    ],
)
def test_what_is_asked_for_may_be_inside_or_before_names(converted, saved, take):
    found, words = converted(saved, take=take)
    assert same(found, PLAIN) and f"under {take}" in words


@pytest.mark.parametrize("take", [None, "state_dict"])
def test_only_what_can_be_taken_is_offered(converted, take):
    assert "--take" not in converted({"state_dict": {"module": PLAIN, "model": PLAIN}}, take=take)[1]


@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a.bin"])
def test_old_and_new_forms_of_files_are_read(tmp_path, name):
    for new in (True, False):
        torch.save(PLAIN, tmp_path / name, _use_new_zipfile_serialization=new)
        assert same(load_file(convert.convert(tmp_path / name)), PLAIN)
        (tmp_path / "a.safetensors").unlink()


def test_tensors_that_share_memory_are_written_apart(converted):
    whole = torch.arange(12.0)
    found, _ = converted({"a": whole[:6], "b": whole[3:9], "c": whole.reshape(3, 4).t()})
    assert torch.equal(found["b"], whole[3:9]) and torch.equal(found["c"], whole.reshape(3, 4).t())


def test_what_was_converted_is_what_a_model_takes(converted, tmp_path):
    source = build(*ARCH, classes=7, image_size=32, seed=1)
    converted({"model": prefixed(source.state_dict(), "module.")})
    model = build(*ARCH, classes=10, image_size=32, seed=2)
    load_pretrained(model, tmp_path / "weights.safetensors")
    assert torch.equal(model.state_dict()["conv1.0.weight"], source.state_dict()["conv1.0.weight"])


# What is refused


class Malice:
    """Unpickled by Python itself, it makes a file."""

    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self):
        return Path.touch, (self.victim,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path, zipped):
    torch.save({"state_dict": PLAIN, "x": Malice(tmp_path / "ran")}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(StudyError, match=r"a\.pth is damaged, or holds more than weights.* could run code and is not read"):
        convert.convert(tmp_path / "a.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pth"]
    pickle.loads(pickle.dumps(Malice(tmp_path / "ran")))  # which shows that it would have
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        ([1, 2], "holds list and no tensors by name"),
        (torch.ones(2), "holds Tensor and no tensors by name"),
        ({"epoch": 1, "optimizer": {"a": 1}}, "no tensors in a place that is known; its keys are epoch, optimizer: name one"),
        ({}, "no tensors in a place that is known; its keys are none"),
        ({"a": torch.eye(2).to_sparse()}, r"sparse, quantized, complex or empty .meta. tensors \(a\)"),
        ({"a": torch.ones(2, dtype=torch.complex128)}, r"complex or empty .meta. tensors \(a\)"),
        ({"a": torch.ones(2, device="meta")}, r"empty .meta. tensors \(a\)"),
        ({"ema": {"shadow": PLAIN, "decay": 0.9}, "model": PLAIN}, "its keys are ema.shadow, model: name one by --take"),
        ({"ema": {"decay": 0.9}, "model": PLAIN}, "no tensors under ema; its keys are ema, model: name one by --take"),
    ],
)
def test_what_holds_no_weights_is_one_sentence(tmp_path, saved, sentence):
    torch.save(saved, tmp_path / "a.pth")
    with pytest.raises(StudyError, match=sentence) as error:
        convert.convert(tmp_path / "a.pth")
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    assert not (tmp_path / "a.safetensors").exists()


def endless():
    found = {}
    found["model"] = found
    return found


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        (endless(), "model → model → .* inside each other, which has no end"),
        ({1: torch.ones(2), "1": torch.zeros(2)}, "a tensor called 1, a name that .safetensors has no room for"),
        ({"__metadata__": torch.ones(2)}, "a tensor called '__metadata__', a name"),
        ({"a": torch.ones(1).expand(10**12)}, "a tensor a that claims more values than are in the file"),
    ],
)
def test_what_would_be_lost_or_have_no_end_is_refused(converted, tmp_path, saved, sentence):
    with pytest.raises(StudyError, match=sentence):
        converted(saved)
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1])
def test_a_damaged_file_is_one_sentence(tmp_path, cut):
    torch.save(PLAIN, tmp_path / "a.pth")
    (tmp_path / "a.pth").write_bytes((tmp_path / "a.pth").read_bytes()[:cut])
    with pytest.raises(StudyError, match=r"a\.pth is (damaged|no file of torch\.save that is whole)"):
        convert.convert(tmp_path / "a.pth")


def test_a_program_of_torchscript_is_one_sentence(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), tmp_path / "a.pt")
    with pytest.raises(StudyError, match=r"TorchScript.*or have it saved anew as torch\.save\(model\.state_dict\(\), …\)\.$"):
        convert.convert(tmp_path / "a.pt")


def test_files_that_are_no_weights_or_not_there(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"<html>not found</html>")
    for path, sentence in (
        (tmp_path / "a.pth", "is damaged|is no file of torch"),
        (tmp_path / "b.pth", r"b\.pth is not here"),
        (tmp_path, "is a folder"),
        (Path(), "is a folder"),
        (tmp_path / "c.safetensors", "is a .safetensors file already"),
    ):
        with pytest.raises(StudyError, match=sentence):
            convert.convert(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "weights.pth")
    with pytest.raises(StudyError, match=r"weights\.pth is no file"):
        convert.convert(tmp_path / "weights.pth")


def test_nothing_is_overwritten(tmp_path):
    torch.save(PLAIN, tmp_path / "a.pth")
    (tmp_path / "a.safetensors").write_text("mine")
    with pytest.raises(StudyError, match=r"a\.safetensors is there already"):
        convert.convert(tmp_path / "a.pth")
    assert (tmp_path / "a.safetensors").read_text() == "mine"


def test_command_line(tmp_path, capsys, monkeypatch):
    torch.save({"model": PLAIN}, tmp_path / "a.pth")
    monkeypatch.setattr(sys, "argv", ["convert", str(tmp_path / "a.pth")])
    convert.main()
    digest = hashlib.sha256((tmp_path / "a.safetensors").read_bytes()).hexdigest()
    assert f"      source: {tmp_path / 'a.safetensors'}\n      sha256: {digest}\n" in capsys.readouterr().out
