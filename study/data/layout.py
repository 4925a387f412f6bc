"""Which folders hold the train and test images of a dataset, by their names."""

from collections.abc import Sequence
from pathlib import Path

from study.base.errors import StudyError, listed

TRAINS = ("train", "training")
TESTS = ("test", "testing", "val", "valid", "validation")  # the first of these that can be used is the test set


def parts(root: Path) -> tuple[Path | None, list[Path]]:
    """The folder of train images in ``root``, None where its folders are classes, and those that may be the test set.

    Names in lower case come before others, and then the better ones. A folder such as Train needs a test folder beside it,
    else it may be a class (cars, trains). Raises StudyError where two folders hold train images.
    """
    folders = [each for each in root.iterdir() if each.is_dir()]
    trains, tests = _called(TRAINS, folders), _called(TESTS, folders)
    if not trains or (trains[0].name != "train" and not tests):
        return None, []
    if len(trains) > 1:
        named = listed([each.name for each in trains])
        raise StudyError(f"{root} has two folders of train images or more: {named}; rename or remove all but one.")
    return trains[0], tests


def _called(names: Sequence[str], folders: list[Path]) -> list[Path]:
    found = [each for each in folders if each.name.lower() in names]
    return sorted(found, key=lambda each: (not each.name.islower(), names.index(each.name.lower()), each.name))
