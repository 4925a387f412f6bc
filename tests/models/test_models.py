"""Models from timm: the seed's weights, pre-trained ones, and what does not fit."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from study.base.errors import StudyError
from study.models import architecture
from study.models.build import build, is_convolutional, load, load_pretrained

VIT = ("test_vit", {"patch_size": 8, "depth": 1})
CNN = ("resnet10t", {"stem_width": 8, "channels": [8, 8, 16, 16]})


@pytest.mark.parametrize("arch", [VIT, CNN], ids=lambda arch: arch[0])
def test_initial_weights_come_from_the_seed_alone(arch):
    torch.manual_seed(1)
    first = build(*arch, classes=10, image_size=32, seed=5).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = build(*arch, classes=10, image_size=32, seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), before)  # and leaves the global generator alone
    other = build(*arch, classes=10, image_size=32, seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_pretrained_weights_are_taken_all_but_the_head(tmp_path):
    for arch in (VIT, CNN):
        source = build(*arch, classes=37, image_size=32, seed=1)
        save_file({name: tensor.contiguous() for name, tensor in source.state_dict().items()}, tmp_path / "w.safetensors")
        model = build(*arch, classes=10, image_size=32, seed=2)
        fresh = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        load_pretrained(model, tmp_path / "w.safetensors")
        for name, tensor in model.state_dict().items():
            expected = fresh[name] if name.startswith(("head", "fc")) else source.state_dict()[name]
            assert torch.equal(tensor, expected), name


def test_the_head_is_fresh_even_where_the_class_count_is_the_same(tmp_path):
    source = build(*CNN, classes=10, image_size=32, seed=1)
    save_file(source.state_dict(), tmp_path / "w.safetensors")
    model = build(*CNN, classes=10, image_size=32, seed=2)
    load_pretrained(model, tmp_path / "w.safetensors")
    assert not torch.equal(model.state_dict()["fc.weight"], source.state_dict()["fc.weight"])


def test_files_without_batch_normalisation_s_counters_are_taken(tmp_path):
    source = build(*CNN, classes=10, image_size=32, seed=1).state_dict()
    old = {name: tensor for name, tensor in source.items() if not name.endswith(".num_batches_tracked")}
    assert len(old) < len(source)
    save_file(old, tmp_path / "w.safetensors")
    model = build(*CNN, classes=10, image_size=32, seed=2)
    load_pretrained(model, tmp_path / "w.safetensors")
    assert torch.equal(model.state_dict()["conv1.0.weight"], source["conv1.0.weight"])
    assert model.state_dict()["bn1.num_batches_tracked"] == 0
    counted = source | {"bn1.num_batches_tracked": torch.tensor(7)}
    save_file(counted, tmp_path / "w.safetensors")
    load_pretrained(model, tmp_path / "w.safetensors")
    assert model.state_dict()["bn1.num_batches_tracked"] == 7


def test_position_embeddings_are_resampled_to_the_image_size(tmp_path):
    source = build(*VIT, classes=10, image_size=32, seed=1)
    save_file(source.state_dict(), tmp_path / "w.safetensors")
    model = build(*VIT, classes=10, image_size=64, seed=2)
    load_pretrained(model, tmp_path / "w.safetensors")
    old, new = source.state_dict()["pos_embed"], model.state_dict()["pos_embed"]
    assert new.shape[1] > old.shape[1]
    assert new[:, 1:].mean().item() == pytest.approx(old[:, 1:].mean().item(), abs=0.02)
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 10)


def test_weights_of_another_architecture_are_refused_in_one_sentence(tmp_path):
    save_file(build(*CNN, classes=10, image_size=32, seed=1).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(StudyError, match="does not fit VisionTransformer"):
        load_pretrained(build(*VIT, classes=10, image_size=32, seed=1), tmp_path / "w.safetensors")


def test_damaged_weights_are_refused_in_one_sentence(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StudyError, match="absent or damaged"):
        load_pretrained(build(*VIT, classes=10, image_size=32, seed=1), tmp_path / "w.safetensors")


def test_missing_tensors_are_refused():
    model = build(*CNN, classes=10, image_size=32, seed=1)
    weights = model.state_dict()
    del weights["conv1.0.weight"]
    with pytest.raises(StudyError, match=r"conv1\.0\.weight it holds nothing"):
        load(model, weights, "a file")


@pytest.mark.parametrize(
    ("arch", "options", "size"),
    [("resnet5000", {}, 32), ("resnet10t", {"no_such_option": 1}, 32), ("test_vit", {"patch_size": 64}, 32)],
)
def test_what_timm_cannot_build_is_one_sentence(arch, options, size):
    with pytest.raises(StudyError, match="timm"):
        build(arch, options, classes=10, image_size=size, seed=0)(torch.zeros(1, 3, size, size))


@pytest.mark.parametrize("size", [32, 48])
def test_crossvit_takes_sizes_that_are_not_its_own(size):
    """It resizes images itself; made for such a size it does not build."""
    model = build("crossvit_tiny_240", {"depth": ([1, 1, 0],)}, classes=3, image_size=size, seed=0)
    same = build("crossvit_tiny_240", {"depth": ([1, 1, 0],)}, classes=3, image_size=size, seed=0)
    assert model(torch.zeros(2, 3, size, size)).shape == (2, 3)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), same.state_dict().values(), strict=True))


def test_models_of_the_study_are_built_without_memory():
    for arch in ("resnet50", "vit_small_patch16_224"):
        default = architecture.check(arch, {})
        assert default["input_size"] == (3, 224, 224)
        assert all(each.is_meta for each in architecture._build(arch, {}).parameters())


def test_channels_last_is_for_convolutions():
    assert is_convolutional(build(*CNN, classes=10, image_size=32, seed=0))
    assert not is_convolutional(build(*VIT, classes=10, image_size=32, seed=0))


@pytest.mark.parametrize(
    "need", ["torch.compile(torch.sin)(torch.zeros(1))", "import torch._dynamo.config", "torch._dynamo.reset()"]
)
def test_the_compiler_is_left_out_until_it_is_needed(need):
    """What torch itself asks of the stand-in is answered by it; anything else finds the true compiler."""
    script = f"""
import sys, torch
from study.engine.exactness import pin
from study.models.build import build
torch.cuda.is_available = lambda: False
pin(torch.device("cpu"), "fp32")
model = build("resnet10t", {{"stem_width": 8, "channels": [8, 8, 8, 16]}}, classes=3, image_size=32, seed=0)
adam = torch.optim.Adam(model.parameters(), fused=True)
model(torch.zeros(2, 3, 32, 32)).sum().backward()
adam.step()
adam.zero_grad()
print([name for name in sys.modules if name.startswith(("torch._dynamo", "torch._inductor"))])
{need}
print(type(sys.modules["torch._dynamo"]).__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['torch._dynamo', 'torch._dynamo.utils']", "module"]
