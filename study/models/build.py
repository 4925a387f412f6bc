"""timm's models: built, given their initial weights from a seed, and fitted with pre-trained ones."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from study.base.errors import StudyError, one_line
from study.design.seeds import derive
from study.models import lean_timm

# Arguments of timm.create_model that name files, addresses or another kind of model: never taken from a card or a checkpoint.
CLOSED = frozenset(
    ("pretrained", "num_classes", "checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "features_only",
     "pretrained_strict", "model_name", "scriptable", "exportable", "no_jit")
)  # fmt: skip


def check_options(arch: str, options: Mapping[str, Any]) -> None:
    """StudyError where ``options`` of ``arch`` would reach for more than the architecture itself."""
    closed = sorted(CLOSED & options.keys())
    if closed:
        raise StudyError(f"{closed[0]} of {arch} is no option of an architecture; leave it out of params.yaml.")


def build(arch: str, options: Mapping[str, Any], classes: int, image_size: int, seed: int) -> nn.Module:
    """timm's ``arch`` with a head for ``classes``, on the CPU in float32, initialised from ``seed`` alone.

    ``image_size`` in pixels is passed on where the arch is made for one size (position embeddings), unless the arch is none
    of that size and takes images of it all the same: crossvit resizes them itself. Raises StudyError where timm has no such
    arch, or not with these options or this size.
    """
    timm = lean_timm.load()  # here, because it takes a second
    if not timm.is_model(arch):
        raise StudyError(f"timm {timm.__version__} has no model {arch!r}; timm.list_models('*') lists what it has.")
    check_options(arch, options)
    settings = dict(options)
    try:
        config = timm.get_pretrained_cfg(arch)
    except RuntimeError as error:
        raise StudyError(f"timm {timm.__version__} has no model {arch!r}: {one_line(error)}.") from None
    attempts = [settings]
    if config is not None and config.fixed_input_size and "img_size" not in settings:
        attempts.insert(0, settings | {"img_size": image_size})
    errors = []
    with torch.random.fork_rng(devices=[]):
        for attempt in attempts:
            torch.default_generator.manual_seed(derive("initial weights", seed))
            try:
                model = timm.create_model(arch, pretrained=False, num_classes=classes, **attempt)
                _try(model, image_size)
                break
            # Options go to whatever the arch is made of, and a wrong one makes it raise whatever it likes.
            except Exception as error:
                errors.append(one_line(error))
        else:
            raise StudyError(f"timm cannot build {arch} with {attempts[0]} for {image_size} pixels: {errors[0]}.")
    assert isinstance(model, nn.Module)
    return model


def load_pretrained(model: nn.Module, file: Path) -> None:
    """Give ``model`` the pre-trained weights in safetensors ``file``, all but the head, which keeps its initial values.

    Goes through the arch's own checkpoint filter in timm, which resamples a ViT's position embeddings to the model's
    image size. Raises StudyError where a tensor is missing, left over or of another shape; counters may be missing.
    """
    try:
        weights: dict[str, Tensor] = load_file(file)
    except (SafetensorError, FileNotFoundError) as error:
        raise StudyError(f"{file} is absent or damaged ({one_line(error)}); make it again with the stage weights.") from None
    load(model, fitted(model, weights), str(file))


def fitted(model: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` of a file as ``model`` would take them, with the model's own head; names and shapes are not compared.

    timm's filters trust that a file is one of their own, and raise whatever they like where it is not.
    """
    head = _head(model)
    found = {name: tensor for name, tensor in weights.items() if not name.startswith(head)}
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if adapt is not None:
        found = adapt(found, model)
    own = model.state_dict()
    # Files of old lack batch normalisation's counters, which count from 0 then, as torch has it.
    found = {name: tensor for name, tensor in own.items() if name.endswith(".num_batches_tracked")} | found
    return found | {name: tensor for name, tensor in own.items() if name.startswith(head)}


def load(model: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Copy ``weights`` into ``model``, one tensor for each of its own; StudyError, naming ``source``, where they differ."""
    own = model.state_dict()
    for name in own.keys() | weights.keys():
        found = "nothing" if name not in weights else f"shape {tuple(weights[name].shape)}"
        wanted = "nothing" if name not in own else f"shape {tuple(own[name].shape)}"
        if found != wanted:
            raise StudyError(
                f"{source} does not fit {type(model).__name__}: for {name} it holds {found} where the model has {wanted}; "
                f"it is of another architecture or image size, so make it again."
            )
    model.load_state_dict(weights)


def on_device(model: nn.Module, device: torch.device) -> tuple[nn.Module, bool]:
    """``model`` on ``device``, and whether it is in channels-last memory there: so its inputs must be too."""
    channels_last = is_convolutional(model) and safe_channels_last(model)
    layout = torch.channels_last if channels_last else torch.preserve_format
    return model.to(device).to(memory_format=layout), channels_last


def is_convolutional(model: nn.Module) -> bool:
    """Whether most of the model's weights are convolutions, so that channels-last memory suits it."""
    sizes = [(parameter.numel(), parameter.dim() == 4) for parameter in model.parameters()]
    return 2 * sum(size for size, convolution in sizes if convolution) > sum(size for size, _ in sizes)


def safe_channels_last(model: nn.Module) -> bool:
    """Whether ``model`` may train in channels-last memory.

    oneDNN (3.12) held to AVX2 writes past its memory in the weight gradient of a strided 1x1 convolution of 2 to 7
    channels there, and the process crashes or computes nonsense: repvgg_a0, mobileone_s0 and fastvit_t8 begin with one.
    """
    return not any(
        isinstance(module, nn.Conv2d)
        and set(module.kernel_size) == {1}
        and max(module.stride) > 1
        and 1 < module.in_channels < 8
        for module in model.modules()
    )


@torch.inference_mode()
def _try(model: nn.Module, image_size: int) -> None:
    """Look at one black image: some sizes do not suit an arch, and only a forward pass tells."""
    model.eval()(torch.zeros(1, 3, image_size, image_size))
    model.train()


def _head(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the classifier's tensors, as timm names them."""
    names = model.pretrained_cfg["classifier"]  # type: ignore[index]
    return tuple(f"{name}." for name in ([names] if isinstance(names, str) else names))
