"""Weights in torch's own formats (.pth, .pt, .bin), read without running code, and freed of what was put around them.

Such a file is a pickle, which can run whatever code it names. torch reads it with ``weights_only``: tensors, numbers, texts and
containers alone. What else it names stops the reading.
"""

import argparse
import pickle
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from study.base.errors import UNREADABLE, StudyError, one_line, told

# What trainers keep a model's tensors under, in the order in which they are taken: averaged weights (EMA) first, as in timm.
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "ema")
WRAPPERS = (*AVERAGED, "state_dict", "model_state_dict", "model", "module")
# What wrappers put before names: averages of weights, DataParallel, Lightning and the like, torch.compile. Three of timm's own
# models have names that begin with encoder., so that is for --take.
AVERAGED_PREFIXES = ("ema.", "ema_model.", "model_ema.")
PREFIXES = (
    *AVERAGED_PREFIXES,
    *("module.", "model.", "state_dict.", "_orig_mod.", "backbone.", "net.", "student."),
)
COUNTER = "n_averaged"  # of torch's AveragedModel
NAMED = 3
MOST = 4  # times the file's own size may its tensors have: some names are those of one tensor
DEEPEST = 8  # of WRAPPERS inside each other
OURS = "__metadata__"  # what .safetensors keeps no tensor under


@attrs.frozen
class Unwrapped:
    """A model's tensors by name; ``within`` are the keys they were found under, ``prefixes`` what was taken off their names,
    ``others`` the averaged or plain weights that the file has too, ``left_out`` the keys of what is no tensor, and ``beside``
    the names of tensors that are no part of the model.
    """

    tensors: Mapping[str, Tensor]
    within: tuple[str, ...]
    prefixes: tuple[str, ...]
    others: tuple[str, ...]
    left_out: tuple[str, ...]
    beside: tuple[str, ...]


def read(file: Path, take: str | None = None) -> Unwrapped:
    """The tensors in ``file``; of those that it keeps under ``take``, where that is given. Raises StudyError."""
    found = top = _loaded(file)
    within, others = [], []
    if take is not None:
        found = _under(found, take)
        if not isinstance(found, Mapping):
            raise StudyError(f"{file} has no weights under {told(take)}; its keys are {_some(top)}.")
        within = [take]
    while isinstance(found, Mapping) and len(within) < DEEPEST:
        keys = [key for key in WRAPPERS if isinstance(found.get(key), Mapping) and found[key]]
        if not keys:
            break
        if not within:  # --take names a key of the top alone
            others = keys[1:]
        within.append(keys[0])
        found = found[keys[0]]
    if len(within) == DEEPEST:
        raise StudyError(f"{file} has {' → '.join(within)} inside each other, which has no end; save model.state_dict() alone.")
    if not isinstance(found, Mapping):
        raise StudyError(f"{file} holds {type(found).__name__} and no tensors by name; save model.state_dict() in its place.")
    odd = [name for name, value in found.items() if isinstance(value, Tensor) and (type(name) is not str or name == OURS)]
    if odd:
        raise StudyError(
            f"{file} has a tensor called {told(repr(odd[0]))}, a name that .safetensors has no room for; give it another."
        )
    tensors = {name: value.detach() for name, value in found.items() if isinstance(value, Tensor)}
    tensors.pop(COUNTER, None)
    if not tensors:
        where = f"under {' → '.join(within)}" if within else "in a place that is known"
        raise StudyError(
            f"{file} has no tensors {where}; its keys are {_some(top)}: name one by --take, or save model.state_dict() alone."
        )
    left_out = tuple(sorted(str(name) for name in found if str(name) not in {*tensors, COUNTER}))
    prefixes: list[str] = []
    beside: list[str] = []
    while prefix := _prefix(tensors):
        so_far = "".join(prefixes)
        beside += [f"{so_far}{name}" for name in tensors if not name.startswith(prefix)]
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        prefixes.append(prefix)
    strange = [
        name
        for name, tensor in tensors.items()
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_meta
    ]
    if strange:
        raise StudyError(
            f"{file} has sparse, quantized, complex or empty (meta) tensors ({strange[0]}), which no timm model takes; save "
            "plain ones."
        )
    if false := [
        name for name, tensor in tensors.items() if tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes()
    ]:
        raise StudyError(
            f"{file} has a tensor {told(false[0])} that claims more values than are in the file; save a copy of it."
        )
    needed = sum(tensor.numel() * tensor.itemsize for tensor in tensors.values())
    if needed > MOST * file.stat().st_size:
        raise StudyError(
            f"{file} gives the same values many names ({needed:,} bytes of {file.stat().st_size:,}); save a plain copy of it."
        )
    return Unwrapped(_own_memory(tensors), tuple(within), tuple(prefixes), tuple(others), left_out, tuple(beside))


def _loaded(file: Path) -> Any:
    if file.exists() and not file.is_file() and not file.is_dir():  # a pipe would be waited for
        raise StudyError(f"{file} is no file; name a .pth, .pt or .bin file.")
    try:
        if _packed(file):
            raise StudyError(f"{file} is packed, which torch.save never does; unpack it, and have it saved anew by torch.save.")
        # A Namespace is a list of settings, as argparse makes it; trainers save theirs beside the weights.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise StudyError(f"{file} is not here; name a .pth, .pt or .bin file.") from None
    except IsADirectoryError:
        raise StudyError(f"{file} is a folder; name the .pth, .pt or .bin file in it.") from None
    except pickle.UnpicklingError:
        raise StudyError(
            f"{file} is damaged, or holds more than weights{_named(file)}, which could run code and is not read; "
            "have it saved anew as torch.save(model.state_dict(), …)."
        ) from None
    except UNREADABLE as error:
        raise StudyError(
            f"{file} is no file of torch.save that is whole ({one_line(error)[:120]}); fetch it again, "
            "or have it saved anew as torch.save(model.state_dict(), …)."
        ) from None


def _packed(file: Path) -> bool:
    """Whether tensors in ``file`` are compressed, and may unpack to a thousand times its size."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as opened:
        tensors = [each for each in opened.infolist() if each.filename.split("/")[1:2] in (["data"], ["data.pkl"])]
    return any(each.compress_type != zipfile.ZIP_STORED for each in tensors)


def _named(file: Path) -> str:
    """What it would take to read ``file``, where torch can tell."""
    try:
        needed = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    except (pickle.UnpicklingError, *UNREADABLE):
        return ""
    return f" ({', '.join(sorted(needed)[:NAMED])})" if needed else ""


def _prefix(names: Collection[str]) -> str | None:
    """What a wrapper put before the names of the model: that of the most, or of averaged weights, if these are as many.

    None where more names have nothing of the kind before them: they are the model then.
    """
    counts = Counter(each for name in names for each in PREFIXES if name.startswith(each) and name != each)
    if not counts:
        return None
    prefix, most = counts.most_common(1)[0]
    averaged = next((each for each in AVERAGED_PREFIXES if 2 * counts[each] > most), None)  # buffers may not be averaged
    return (averaged or prefix) if most >= len(names) - counts.total() else None


def _under(found: object, take: str) -> Any:
    """What ``found`` has under ``take``: a key, keys inside each other as in ema.shadow, or names that begin so."""
    if not isinstance(found, Mapping):
        return None
    if isinstance(found.get(take), Mapping):
        return found[take]
    inside = (_under(found[key], take.removeprefix(f"{key}.")) for key in found if take.startswith(f"{key}."))
    named = {name.removeprefix(f"{take}."): found[name] for name in found if str(name).startswith(f"{take}.")}
    return next((each for each in inside if each is not None), named or None)


def _own_memory(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each tensor in memory of its own, as .safetensors wants it."""
    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _some(found: object) -> str:
    keys = sorted(each for key, value in found.items() for each in _paths(key, value)) if isinstance(found, Mapping) else []
    return told(", ".join(keys[:8])) if keys else "none"


def _paths(key: object, value: object) -> list[str]:
    """``key``, or in its place what ``--take`` can name in it: ema.shadow."""
    below = [f"{key}.{each}" for each in value if isinstance(value[each], Mapping)] if isinstance(value, Mapping) else []
    return below or [str(key)]
