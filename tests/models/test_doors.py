"""What timm is given: options that name no files, weights of old with their buffers, names that it knows."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from study.base.errors import StudyError
from study.models import architecture
from study.models.build import CLOSED, build, load_pretrained

SWIN = "swin_tiny_patch4_window7_224"
CONFIG = {"pretrained_cfg": {"input_size": [3, 224, 224]}}


def test_swins_weights_with_timms_old_buffers_are_taken(tmp_path):
    weights = dict(timm.create_model(SWIN).state_dict())
    weights["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    weights["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49, dtype=torch.int64)
    save_file(weights, tmp_path / "weights.safetensors")
    architecture.check_file(tmp_path / "weights.safetensors", SWIN, {}, CONFIG, "here")
    load_pretrained(build(SWIN, {}, 10, 224, seed=0), tmp_path / "weights.safetensors")
    save_file(weights | {"more": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(StudyError, match="which has no tensor more"):
        architecture.check_file(tmp_path / "weights.safetensors", SWIN, {}, CONFIG, "here")


def test_a_mistyped_tag_names_those_that_there_are():
    with pytest.raises(StudyError, match=r"knows resnet50, but no weights 'a1_in1kk' of it; write resnet50, or one of a1_in1k"):
        architecture.check("resnet50.a1_in1kk", {})
    with pytest.raises(StudyError, match=r"has no model 'resnet50\.a1_in1kk'"):
        build("resnet50.a1_in1kk", {}, 10, 32, seed=0)
    assert architecture.check("resnet50.a1_in1k", {})


@pytest.mark.parametrize("option", sorted(CLOSED))
def test_no_option_names_a_file_or_an_address(option):
    for attempt in (
        lambda: build("resnet10t", {option: "x"}, 10, 32, 0),
        lambda: architecture.check("resnet10t", {option: "x"}),
    ):
        with pytest.raises(StudyError, match=f"{option} of resnet10t is no option of an architecture"):
            attempt()


@pytest.mark.parametrize("size", ["abc", 5, [3, "x", None], [3, -1, -1], {"a": 1}, [10**30, 10**30, 10**30]])
def test_a_size_that_is_none_is_one_sentence(tmp_path, size):
    save_file({"a": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(StudyError):
        architecture.check_file(tmp_path / "weights.safetensors", "vit_tiny_patch16_224", {}, {"input_size": size}, "here")
