"""Printed characters, on which the small study's models are pre-trained: digits and Latin letters of matplotlib's fonts.

Each image is one character of one font at random place, size, angle, slant and sharpness, as the small study's images are
handwritten ones. Every draw is numpy's RandomState, whose stream numpy has frozen; the pixels are Pillow's and FreeType's, the
same on every machine for one version of Pillow.
"""

import string
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from study.data.dataset import Dataset

CHARACTERS = string.digits + string.ascii_letters
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic")),
    *("cmr10", "cmss10", "cmtt10", "cmb10"),
)
DRAWN, SIDE = 64, 32  # pixels: of a character as it is drawn, and of an image
TRAIN_PER_CLASS, TEST_PER_CLASS = 320, 20
SEED = 0


def load() -> Dataset:
    """Images uint8 (N, 32, 32, 3) of 62 classes, 320 train and 20 test images of each."""
    drawn = _drawn()
    random = np.random.RandomState(SEED)
    parts = [_part(drawn, random, count) for count in (TRAIN_PER_CLASS, TEST_PER_CLASS)]
    return Dataset(*parts[0], *parts[1], tuple(CHARACTERS))


def _drawn() -> list[list[Image.Image]]:
    """Every character of every font, white on black, centred, by font."""
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = []
    for name in FONTS:
        font = ImageFont.truetype(str(fonts / f"{name}.ttf"), 52, layout_engine=ImageFont.Layout.BASIC)
        found.append([_character(character, font) for character in CHARACTERS])
    return found


def _character(character: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    canvas = Image.new("L", (DRAWN, DRAWN))
    ImageDraw.Draw(canvas).text((DRAWN / 2, DRAWN / 2), character, fill=255, font=font, anchor="mm")
    return canvas


def _part(
    drawn: list[list[Image.Image]], random: np.random.RandomState, per_class: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = np.repeat(np.arange(len(CHARACTERS), dtype=np.int64), per_class)
    grey = np.stack([_moved(drawn[random.randint(len(FONTS))][label], random) for label in labels])
    return np.repeat(grey[..., np.newaxis], 3, axis=-1), labels


def _moved(character: Image.Image, random: np.random.RandomState) -> NDArray[np.uint8]:
    """``character`` (64, 64) at a random place, size, angle, slant and sharpness: uint8 (32, 32)."""
    height = random.uniform(0.7, 1.7)  # of the image, most of which the font leaves free
    width = height * random.uniform(0.55, 1.0)
    angle, slant = random.uniform(-0.25, 0.25), random.uniform(-0.3, 0.3)  # radians; a share of the height
    place = random.uniform(-0.3, 0.3, 2)  # of half the image, from its middle
    # Pillow wants the way from a pixel of the output to one of the input: rotation and slant, then 1 / size.
    turn = np.array(
        [[np.cos(angle) / width, (slant - np.sin(angle)) / width], [np.sin(angle) / height, np.cos(angle) / height]]
    )
    scale = DRAWN / SIDE * turn
    start = DRAWN / 2 - scale @ (SIDE / 2 * (1 + place))
    affine = (scale[0, 0], scale[0, 1], start[0], scale[1, 0], scale[1, 1], start[1])
    image = character.transform((SIDE, SIDE), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    if random.uniform() < 0.7:  # handwritten digits come at 8x8 pixels, enlarged: most of these go through about as few
        coarse = 8 if height > 1.2 else 16
        image = image.resize((coarse, coarse), Image.Resampling.BOX).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    bright = np.asarray(image, np.float64) * random.uniform(0.7, 1.6)
    return np.minimum(bright, 255).round().astype(np.uint8)
