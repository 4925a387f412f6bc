"""timm's architectures without their weights: whether a name and its options build, and whether a file fits.

Models are built on torch's meta device, which has shapes but no memory and takes a tenth of a second.
"""

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from study.base.errors import UNREADABLE, StudyError, one_line
from study.models import lean_timm
from study.models.build import check_options

timm = lean_timm.load()


def check(arch: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """timm's default configuration of ``arch``; StudyError where timm has no such arch or does not take its options."""
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
    return config


def check_file(path: Path, arch: str, options: Mapping[str, Any], config: Mapping[str, Any], source: str) -> None:
    """Raise StudyError unless the safetensors file at ``path`` is whole and holds exactly the tensors of ``arch``.

    The classifier may have any number of classes, or be absent. ``config`` is the hub's config.json of the weights:
    a ViT is built at the input size that it gives, because position embeddings depend on it. ``source`` names the
    weights in messages, of which the first mismatch is a part.
    """
    settings = config.get("pretrained_cfg", config)
    model = _build(arch, options, settings.get("input_size"))
    found = _without_old_buffers(_shapes(path, source), model)
    heads = model.pretrained_cfg.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    another = f"{source} is of another architecture than {arch}{_told(options)}"
    for name, shape in wanted.items():
        in_head = name.rpartition(".")[0] in heads
        if name not in found:
            if in_head or name.endswith(".num_batches_tracked"):  # a counter that torch sets to 0 where it is absent
                continue
            raise StudyError(f"{another}: it has no tensor {name}.")
        if found[name] != shape and not (in_head and found[name][1:] == shape[1:]):
            raise StudyError(f"{another}: its {name} has the shape {found[name]} instead of {shape}.")
    for name in found:
        if name not in wanted:
            raise StudyError(f"{another}, which has no tensor {name}.")
    named = str(config.get("architecture", arch)).partition(".")[0]
    if named != arch.partition(".")[0]:
        raise StudyError(f"{another}: the shapes agree, but its config.json names {named}.")


def _shapes(path: Path, source: str) -> dict[str, tuple[int, ...]]:
    """Shape by tensor name; reading the header also checks that the file has all the bytes that it announces."""
    try:
        with safe_open(path, framework="np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, *UNREADABLE) as error:
        raise StudyError(f"{source} is damaged or no safetensors file ({error}); fetch it again.") from None


def _without_old_buffers(shapes: dict[str, tuple[int, ...]], model: Any) -> dict[str, tuple[int, ...]]:
    """``shapes`` without timm's old buffers: the tensors that the arch's own checkpoint filter leaves out."""
    own = model.state_dict().keys()
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if adapt is None or shapes.keys() <= own:
        return shapes
    try:
        with torch.device("meta"):
            kept = adapt({name: torch.empty(shape) for name, shape in shapes.items()}, model).keys()
    except Exception:  # a filter trusts that the file is one of its own: then the names tell what it is not
        return shapes
    return {name: shape for name, shape in shapes.items() if name in own or name in kept}


def _build(arch: str, options: Mapping[str, Any], input_size: Any = None) -> Any:
    """The model on the meta device, for images of ``input_size`` (3, H, W) where its arch is bound to one."""
    check_options(arch, options)
    default = timm.get_pretrained_cfg(arch)
    try:
        fixed = {"img_size": tuple(input_size)[-2:]} if input_size and default.fixed_input_size else {}
        with torch.device("meta"):
            return timm.create_model(arch, pretrained=False, checkpoint_path="", **fixed, **options)
    # Options go to whatever the arch is made of, and a wrong one makes it raise whatever it likes.
    except Exception as error:
        raise StudyError(f"timm {timm.__version__} cannot build {arch}{_told(options)}: {one_line(error)}.") from None


def _told(options: Mapping[str, Any]) -> str:
    return f" with {dict(options)}" if options else ""
