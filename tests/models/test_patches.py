"""Whether a model sees the whole image: patches that leave rows over are refused, convolutions that overlap are not."""

import pytest
import torch
import torch.nn.functional as F

from study.base.errors import StudyError
from study.models import architecture, patches
from study.models.build import build
from study.settings.params import Params

VIT = ("vit_tiny_patch16_224", {"depth": 1})
SMALL = {"depths": (1, 1, 1, 1)}


@pytest.mark.parametrize(
    ("arch", "options", "size", "sides"),
    [
        (*VIT, 33, "16 for image_size, such as 32 or 48"),
        (*VIT, 28, "16 for image_size, such as 16 or 32"),
        ("eva02_tiny_patch14_224", {"depth": 1}, 32, "14 for image_size, such as 28 or 42"),
        ("mixer_s16_224", {}, 36, "16 for image_size, such as 32 or 48"),
        ("convmixer_768_32", {}, 32, "7 for image_size, such as 28 or 35"),
        ("convnext_atto", SMALL, 33, "4 for image_size, such as 32 or 36"),
        ("swin_tiny_patch4_window7_224", SMALL, 33, "4 for image_size, such as 32 or 36"),
        ("tnt_s_legacy_patch16_224", {"depth": 1}, 36, "16 for image_size, such as 32 or 48"),  # of features, not pixels
    ],
)
def test_rows_that_no_patch_covers_are_refused_with_the_sides_that_fit(arch, options, size, sides):
    with pytest.raises(StudyError, match=f"{arch} cuts images into patches .* of {size} pixels; take a multiple of {sides}"):
        architecture.check(arch, options, (size,))


@pytest.mark.parametrize(
    ("arch", "options", "size"),
    [
        (*VIT, 32),
        (*VIT, 224),
        ("vit_tiny_patch16_224", {"depth": 1, "dynamic_img_pad": True, "dynamic_img_size": True}, 33),
        ("resnet10t", {}, 33),
        ("regnetx_002", {}, 32),  # blind at the border until its gains have left 0
        ("convnext_atto", SMALL, 36),  # its second stage leaves rows over that the first has mixed
        ("crossvit_tiny_240", {"depth": ([1, 1, 0],)}, 32),  # resizes images
        ("mobilenetv3_small_050", {}, 33),
        ("densenet121", {}, 33),
        ("efficientvit_b0", {}, 36),
        ("inception_v3", {}, 224),  # a row at the border is too few for one more step of its first convolution
    ],
)
def test_what_sees_the_whole_image_is_let_through(arch, options, size):
    architecture.check(arch, options, (size,))


def test_what_is_refused_is_not_seen():
    """The output of a ViT at 33 pixels is that of the 32 which fit."""
    model = build(*VIT, classes=3, image_size=33, seed=0).eval()
    whole = torch.rand(1, 3, 33, 33)
    assert torch.equal(model(whole), model(F.pad(whole[..., :32, :32], (0, 1, 0, 1))))
    with pytest.raises(StudyError, match="never sees the last rows"):
        patches.check(model, VIT[0], 33)


def test_the_models_of_params_yaml_fit_their_sizes(root):
    params = Params.load(root / "params.yaml")
    for name in params._sections["models"]:
        model = params.model(name)
        sizes = {params.recipe(dataset, name).image_size for dataset in params._sections["datasets"]}
        architecture.check(model.arch, model.arch_options, sorted(sizes))
