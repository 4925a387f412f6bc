"""The card of a model's weights: where they come from, and the images that they expect."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.base.errors import UNREADABLE, StudyError, one_line
from study.design.recipe import is_number

FILE = "card.json"
WEIGHTS = "weights.safetensors"
INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class Normalisation:
    """What images must look like for a model: enlarged by ``interpolation``, then (x / 255 - mean) / std per channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str

    @classmethod
    def parse(cls, config: Mapping[str, Any], where: str) -> "Normalisation":
        """The keys mean, std and interpolation of ``config``; StudyError that names ``where`` if one is absent or wrong."""
        for key in ("mean", "std"):
            value = config.get(key)
            if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(is_number, value)):
                raise StudyError(f"{where}: {key} is {value!r}; it must be three numbers, and no other source can stand in.")
        if min(config["std"]) <= 0:
            raise StudyError(f"{where}: std is {config['std']!r}; it must be three numbers above 0.")
        if config.get("interpolation") not in INTERPOLATIONS:
            raise StudyError(
                f"{where}: interpolation is {config.get('interpolation')!r}; it must be {' or '.join(INTERPOLATIONS)}."
            )
        mean, std = ((float(red), float(green), float(blue)) for red, green, blue in (config["mean"], config["std"]))
        return cls(mean, std, config["interpolation"])


@dataclass(frozen=True)
class Card:
    """What data/weights/<model>/card.json says; source, revision and sha256 are None for a model from scratch.

    ``revision`` is the commit of a hub repository, None for other sources; ``sha256`` is that of weights.safetensors.
    """

    arch: str
    arch_options: Mapping[str, Any]
    source: str | None
    revision: str | None
    sha256: str | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str

    def write(self, folder: Path) -> None:
        """Write card.json into ``folder``, keys in the order of the fields."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """The card in ``folder``. Raises StudyError where it is absent or damaged."""
        path = folder / FILE
        again = f"dvc pull, or python -m stages.weights {folder.name}, brings it"
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StudyError(f"{path} is not here; {again}.") from None
        except UNREADABLE as error:
            raise StudyError(f"{path} is damaged ({one_line(error)}); {again} anew.") from None
        if not isinstance(card, dict) or set(card) != set(cls.__dataclass_fields__):
            raise StudyError(f"{path} is not a card with the keys {', '.join(cls.__dataclass_fields__)}; {again} anew.")
        texts = [card[key] for key in ("source", "revision", "sha256") if card[key] is not None]
        if not all(isinstance(each, str) for each in (card["arch"], *texts)) or not isinstance(card["arch_options"], dict):
            raise StudyError(f"{path} is damaged: arch, source, revision or sha256 is no text; {again} anew.")
        images = Normalisation.parse(card, str(path))
        return cls(**{**card, "mean": images.mean, "std": images.std})
