"""Keep a cell's weights in git, as a source for other models: data/pretrained/<cell>/, with a config.json as timm writes it.

    python -m tools.export tiny_imagenet-cnn32_scratch-1.0-0

A model starts from them with `weights: {cell: tiny_imagenet-cnn32_scratch-1.0-0, sha256: …}` in params.yaml.
"""

from study.base.console import parser, run, say
from study.base.sums import sha256
from study.design import cells
from study.design.cells import Cell
from study.models import from_cell
from study.runtime import origin


def main() -> None:
    """Command line: python -m tools.export CELL."""
    arguments = parser(__doc__, "export", "tools")
    arguments.add_argument("cell", help="dataset-model-fraction-seed, a cell that is trained here")
    cell = Cell.parse(arguments.parse_args().cell)
    checkpoint = cells.runs(cell) / from_cell.CHECKPOINT
    if checkpoint.is_file():  # one that is absent is named by what reads it
        origin.checked(cell, checkpoint)
    folder = from_cell.export(cell)
    say(f"{folder}: commit it; in params.yaml, under the weights of a model:")
    say(f"      cell: {cell}")
    say(f"      sha256: {sha256(folder / from_cell.WEIGHTS)}")


if __name__ == "__main__":
    run(main)
