"""timm's architectures: whether a name and its options build, at which sizes, and whether a file of weights fits.

What is asked of names and options alone is built on torch's meta device, which has shapes but no memory. Sizes and files are
tried as a training would, so that what is let through here is not refused there.
"""

import difflib
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from study.base.errors import UNREADABLE, StudyError, one_line, told
from study.models import lean_timm, patches
from study.models.build import build, check_options, fitted

timm = lean_timm.load()
LARGEST = 4096  # pixels: a configuration can claim anything
CLASSES = 2  # of a model that is only tried


def check(arch: str, options: Mapping[str, Any], sizes: Iterable[int] = ()) -> Mapping[str, Any]:
    """timm's default configuration of ``arch``.

    Raises StudyError where timm has no such arch, does not take its options, or does not run at one of ``sizes``, the sides
    of the images in pixels.
    """
    renamed = timm.models.get_deprecated_models()
    if arch in renamed:
        now = f"has {arch!r} by another name now; write {renamed[arch]}" if renamed[arch] else f"has no {arch!r} any more"
        raise StudyError(f"params.yaml: timm {timm.__version__} {now}.")
    if not timm.is_model(arch):
        close = difflib.get_close_matches(arch, timm.list_models(), n=3)
        hint = f"close names are {', '.join(close)}" if close else "timm.list_models() has all names"
        raise StudyError(f"params.yaml: {arch!r} is not an architecture of timm {timm.__version__}; {hint}.")
    name, _, tag = arch.partition(".")
    tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{name}.*")]
    if tag and tag not in tags:
        raise StudyError(
            f"params.yaml: timm {timm.__version__} knows {name}, but no weights {tag!r} of it; write {name}, or one of "
            f"{', '.join(tags[:5]) or 'none'}."
        )
    config: Mapping[str, Any] = _build(arch, options).pretrained_cfg
    for size in sizes:
        patches.check(build(arch, options, CLASSES, size, seed=0), arch, size)
    return config


def check_file(
    path: Path, arch: str, options: Mapping[str, Any], config: Mapping[str, Any], source: str, sizes: Iterable[int] = ()
) -> None:
    """Raise StudyError unless the safetensors file at ``path`` is whole and a training of ``arch`` would take it.

    So the arch's own filter in timm comes first: it resamples a ViT's patches and position embeddings, and drops buffers of
    old. The classifier may be any, or absent. ``config`` is the hub's config.json of the weights; ``sizes`` are the sides of
    the images in pixels, by default the one that it gives. ``source`` names the weights in messages, of which the first
    mismatch is a part.
    """
    _check_whole(path, source)
    another = f"{source} is of another architecture than {arch}{_told(options)}"
    for size in tuple(sizes) or (_own_size(config, arch, source),):
        model = build(arch, options, CLASSES, size, seed=0)
        try:
            with warnings.catch_warnings():  # of torch, about how timm resamples tables: nothing that users could change
                warnings.filterwarnings("ignore", category=UserWarning, module=r"timm\.layers\.interpolate")
                taken = fitted(model, load_file(path))
        except Exception as error:  # timm's filter, of a file that is not one of its own
            raise StudyError(f"{another}: timm's filter of its weights fails ({one_line(error)}).") from None
        own = model.state_dict()
        found, wanted = ({name: tuple(each.shape) for name, each in tensors.items()} for tensors in (taken, own))
        for name, shape in wanted.items():
            if name not in found:
                longer = [each for each in found if each.endswith(f".{name}")]
                hint = f", but {longer[0]}; rename its tensors as timm has them" if longer else ""
                raise StudyError(f"{another}: it has no tensor {name}{hint}.")
            if found[name] != shape:
                raise StudyError(f"{another}: its {name} has the shape {found[name]} instead of {shape}, at {size} pixels.")
        for name in found:
            if name not in wanted:
                raise StudyError(f"{another}, which has no tensor {name}.")
        _check_values(taken, own, source)
    named = str(config.get("architecture", arch)).partition(".")[0]
    if named != arch.partition(".")[0]:
        raise StudyError(f"{another}: the shapes agree, but its config.json names {named}.")


def _check_values(taken: Mapping[str, Tensor], own: Mapping[str, Tensor], source: str) -> None:
    """Raise StudyError where tensors of ``source`` cannot be weights: whole numbers, or values that are not finite."""
    for name, tensor in taken.items():
        if own[name].is_floating_point():
            if not tensor.is_floating_point():
                raise StudyError(
                    f"{source}: its {name} has whole numbers ({tensor.dtype}), most likely quantized; take floats."
                )
            if not tensor.float().isfinite().all() and own[name].isfinite().all():
                raise StudyError(f"{source}: its {name} has values that are not finite; take weights in float32 or bfloat16.")


def _own_size(config: Mapping[str, Any], arch: str, source: str) -> int:
    """The height in pixels that ``config`` gives for images, or timm's own for ``arch`` where it gives none."""
    settings = config.get("pretrained_cfg", config)
    size = settings.get("input_size") or timm.get_pretrained_cfg(arch).input_size
    if (
        not isinstance(size, list | tuple)
        or len(size) != 3
        or not all(type(side) is int and 0 < side <= LARGEST for side in size)
    ):
        raise StudyError(
            f"config.json of {source}: input_size is {told(str(size))}; it must be three numbers, as in [3, 224, 224]."
        )
    return int(size[1])


def _check_whole(path: Path, source: str) -> None:
    """Read the header, which announces how many bytes the file has. Raises StudyError."""
    try:
        with safe_open(path, framework="np") as file:
            file.keys()
    except (SafetensorError, *UNREADABLE) as error:
        raise StudyError(f"{source} is damaged or no safetensors file ({error}); fetch it again.") from None


def _build(arch: str, options: Mapping[str, Any]) -> Any:
    """The model on the meta device."""
    check_options(arch, options)
    try:
        with torch.device("meta"):
            return timm.create_model(arch, pretrained=False, checkpoint_path="", **options)
    # Options go to whatever the arch is made of, and a wrong one makes it raise whatever it likes.
    except Exception as error:
        raise StudyError(f"timm {timm.__version__} cannot build {arch}{_told(options)}: {one_line(error)}.") from None


def _told(options: Mapping[str, Any]) -> str:
    return f" with {dict(options)}" if options else ""
