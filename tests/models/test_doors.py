"""What timm is given: options that name no files, weights of old with their buffers, names that it knows."""

from contextlib import nullcontext

import pytest
import timm
import torch
from safetensors.torch import save_file

from study.base.errors import StudyError
from study.models import architecture
from study.models.build import CLOSED, build, load_pretrained, on_device, safe_channels_last

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


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda tensor: tensor.to(torch.int8), "has whole numbers"),
        (lambda tensor: torch.full_like(tensor, torch.inf), "has values that are not finite"),
        (lambda tensor: tensor.half(), None),
    ],
)
def test_tensors_that_cannot_be_weights_are_refused(tmp_path, made, said):
    weights = build("resnet10t", {}, 10, 64, seed=0).state_dict()
    weights |= {"bn1.running_var": made(weights["bn1.running_var"]), "conv1.0.weight": made(weights["conv1.0.weight"])}
    file = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, file)
    with pytest.raises(StudyError, match=f"^here: its .* {said}") if said else nullcontext():
        architecture.check_file(file, "resnet10t", {}, {"input_size": [3, 64, 64]}, "here")


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


@pytest.mark.parametrize("size", ["abc", 5, [3, "x", None], [3, -1, -1], {"a": 1}, [3, 5000, 5000], [10**30, 10**30, 10**30]])
def test_a_size_that_is_none_is_one_sentence(tmp_path, size):
    save_file({"a": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(StudyError, match="input_size is"):
        architecture.check_file(tmp_path / "weights.safetensors", "vit_tiny_patch16_224", {}, {"input_size": size}, "here")


@pytest.mark.parametrize("arch", ["repvgg_a0", "mobileone_s0", "fastvit_t8"])
def test_archs_that_onednn_would_crash_on_stay_out_of_channels_last(arch):
    """Their first convolution has a 1x1 kernel, stride 2 and 3 channels."""
    model, channels_last = on_device(build(arch, {}, 10, 32, seed=0), torch.device("cpu"))
    assert not channels_last
    torch.nn.functional.cross_entropy(model(torch.rand(4, 3, 32, 32)), torch.arange(4)).backward()
    assert all(torch.isfinite(each.grad).all() for each in model.parameters() if each.grad is not None)


@pytest.mark.parametrize(
    ("kernel", "stride", "channels", "safe"),
    [(1, 2, 3, False), (1, 2, 7, False), (1, 2, 8, True), (1, 2, 1, True), (1, 1, 3, True), (3, 2, 3, True)],
)
def test_which_convolutions_are_safe(kernel, stride, channels, safe):
    assert safe_channels_last(torch.nn.Conv2d(channels, 48, kernel, stride)) is safe


@pytest.mark.parametrize("name", sorted(timm.models.get_deprecated_models())[:: len(timm.models.get_deprecated_models()) // 4])
def test_a_name_that_timm_has_changed_is_given_anew(name):
    now = timm.models.get_deprecated_models()[name]
    with pytest.raises(StudyError, match=f"'{name}' by another name now; write {now}"):
        architecture.check(name, {})
