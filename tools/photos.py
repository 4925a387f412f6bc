"""A small folder of images to try the study on: patches of the three photographs that scikit-learn and matplotlib ship.

    python -m tools.photos data/own/photos        # 808 patches, a folder for each photograph

The task is to tell from which photograph a patch is. docs/example.md goes from this folder to a report.
"""

from pathlib import Path

from study.base import folders
from study.base.console import parser, run, say
from study.base.errors import StudyError

SIDE = 32  # pixels of a patch; patches do not overlap


def main() -> None:
    """Command line: python -m tools.photos FOLDER."""
    arguments = parser(__doc__, "photos", "tools")
    arguments.add_argument("folder", type=Path, help="where the folders of classes go; it must not be there yet")
    folder = arguments.parse_args().folder
    if folder.exists():
        raise StudyError(f"{folder} is there already; name another folder.")
    with folders.replaced(folder) as draft:
        counts = {name: cut(photograph, draft / name) for name, photograph in photographs().items()}
    say(f"{folder}: " + ", ".join(f"{count} patches of {name}" for name, count in counts.items()))


def photographs() -> dict[str, Path]:
    """The photographs' files, by the names that their classes get."""
    from importlib.resources import files

    pictures, samples = files("sklearn.datasets.images"), files("matplotlib") / "mpl-data" / "sample_data"
    return {
        "flower": Path(str(pictures / "flower.jpg")),
        "hopper": Path(str(samples / "grace_hopper.jpg")),
        "palace": Path(str(pictures / "china.jpg")),
    }


def cut(photograph: Path, folder: Path) -> int:
    """Write all whole patches of ``photograph`` into ``folder`` as PNG, and return how many there are."""
    from PIL import Image

    folder.mkdir()
    with Image.open(photograph) as image:
        corners = [(x, y) for y in range(0, image.height - SIDE + 1, SIDE) for x in range(0, image.width - SIDE + 1, SIDE)]
        for x, y in corners:
            image.crop((x, y, x + SIDE, y + SIDE)).save(folder / f"{y:03d}_{x:03d}.png")
    return len(corners)


if __name__ == "__main__":
    run(main)
