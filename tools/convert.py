"""Make a .safetensors file of the weights in a .pth, .pt or .bin file, without running the code that such a file can hold.

    python -m tools.convert resnet50.pth          # writes resnet50.safetensors beside it

Weights are found under state_dict, model and the like, averaged ones (state_dict_ema, ema) first. Prefixes that wrappers put
before names (module., model.) are taken off, and tensors beside those (criterion.weight) left out. What was done is said.
"""

from pathlib import Path

from study.base import atomic
from study.base.console import parser, run, say
from study.base.errors import StudyError, listed
from study.base.sums import sha256
from study.models import pickled


def main() -> None:
    """Command line: python -m tools.convert FILE."""
    arguments = parser(__doc__, "convert", "tools")
    arguments.add_argument("file", type=Path, help="as torch.save wrote it")
    arguments.add_argument(
        "--take", metavar="KEY", help="the key that has the weights (ema, or ema.shadow), in the place of the first"
    )
    given = arguments.parse_args()
    convert(given.file, given.take)


def convert(file: Path, take: str | None = None) -> Path:
    """Write ``file`` with the ending .safetensors and say what it took. Raises StudyError."""
    from safetensors.torch import save  # after study.base, which says in one sentence that memory is too little for torch

    if not file.name:
        raise StudyError(f"{file} is a folder; name the .pth, .pt or .bin file in it.")
    target = file.with_suffix(".safetensors")
    if target == file:
        raise StudyError(f"{file} is a .safetensors file already.")
    if target.exists():
        raise StudyError(f"{target} is there already; move it away, or name another file.")
    found = pickled.read(file, take)
    atomic.write(target, save(dict(found.tensors), metadata={"format": "pt"}))
    where = f"under {' → '.join(found.within)}" if found.within else "at the top"
    averaged = " (averaged weights, EMA)" if set(found.within) & set(pickled.AVERAGED) else ""
    say(f"{file}: {len(found.tensors):,} tensors {where}{averaged}")
    if found.others:
        say(f"it also has {', '.join(found.others)}; --take takes one of these instead")
    if found.prefixes:
        say(f"taken off every name: {' then '.join(found.prefixes)}")
    if found.beside:
        say(f"left out, being no part of that model: {listed(found.beside, 8)}")
    if found.left_out:
        say(f"left out, being no weights: {', '.join(found.left_out[:8])}{', …' if len(found.left_out) > 8 else ''}")
    say(f"{target}: put a config.json with the weights' mean, std and interpolation beside it (docs/own_data.md); then")
    say("    weights:")
    say(f"      source: {target}")
    say(f"      sha256: {sha256(target)}")
    return target


if __name__ == "__main__":
    run(main)
