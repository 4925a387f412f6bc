"""One image file to an RGB square of bytes: what every reader of image files (folder, csv, parquet) does with a file.

The same file gives the same bytes wherever the same Pillow is installed: its libjpeg-turbo decodes with whole numbers,
and so does its resizing. Another Pillow may round otherwise, which is why requirements.txt pins it.
"""

import io
import warnings
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from study.base.errors import one_line

ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")  # of image files
MOST_PIXELS = 2 * 89_478_485  # of one image; Pillow itself refuses more, as a small file may ask for all of the memory

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")  # Pillow's names; none of them runs a program
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N")  # Pillow's modes of 16-bit grey
_BITS, _PHOTOMETRIC = 258, 262  # tags of TIFF: bits of a value; 0 where the lowest value is white


class UnreadableError(Exception):
    """A file that gives no image; the text is the reason."""


def square(content: bytes | NDArray[np.uint8], side: int, fit: str) -> NDArray[np.uint8]:
    """The image ``content``, a file's bytes or pixels (H, W) or (H, W, 3), as RGB: uint8 (side, side, 3).

    ``fit`` is what happens to an image that is not square: "crop" keeps the largest square in its middle, "squash"
    scales both sides to ``side``, "pad" scales the longer side and puts the image on black. Raises UnreadableError.
    """
    if isinstance(content, np.ndarray):
        return np.asarray(_fitted(Image.fromarray(content).convert("RGB"), side, fit))
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise UnreadableError(f"{width:,} x {height:,} pixels, more than {MOST_PIXELS:,}")
            return np.asarray(_fitted(_rgb(image), side, fit))
    except (UnreadableError, MemoryError):  # want of memory says nothing of the file
        raise
    except Exception as error:  # Pillow's decoders raise nearly every kind of exception at damaged bytes
        raise UnreadableError(_reason(error)) from None


def _reason(error: Exception) -> str:
    return "no image that Pillow knows" if isinstance(error, UnidentifiedImageError) else one_line(error)


def _rgb(image: Image.Image) -> Image.Image:
    """``image`` upright (EXIF), in RGB, its transparent parts on white; an animation's first frame.

    White, since what is cut out (products, logos, drawings) is made to be seen on paper. Twelve or sixteen bits become
    eight by dropping the lower ones, which is what Pillow does where it opens colours of sixteen bits. Colour profiles are
    not applied, nor is CMYK converted by one.
    """
    kind, tags = image.format, getattr(image, "tag_v2", {})  # gone after a transposition
    image.load()  # first, so that what is truncated is found here and not passed over as broken EXIF
    with suppress(Exception):  # broken EXIF is no reason to do without the image
        image = ImageOps.exif_transpose(image)
    if image.mode in _WIDE or (image.mode == "I" and kind in ("PNG", "PPM")):
        # Of a TIFF, Pillow gives the numbers as they stand: of 12 bits, or with the lowest for white.
        grey = (np.asarray(image) >> tags.get(_BITS, (16,))[0] - 8).astype(np.uint8)
        return Image.fromarray(255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey).convert("RGB")
    if image.mode in ("I", "F"):
        raise UnreadableError("pixels of 32 bits, of which nobody knows which value is white: convert it to 8 or 16 bits")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    return image.convert("RGB")


def _fitted(image: Image.Image, side: int, fit: str) -> Image.Image:
    """``image`` as a square of ``side`` pixels, by Pillow's bicubic filter.

    Bicubic because the one filter serves both ways: its support grows with the reduction, so that nothing aliases, and
    enlarging stays smooth, where a box would give blocks.
    """
    width, height = image.size
    if fit == "crop":
        short = min(width, height)
        left, top = (width - short) // 2, (height - short) // 2
        return image.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + short, top + short))
    if fit == "squash":
        return image.resize((side, side), Image.Resampling.BICUBIC)
    longer = max(width, height)
    inner = (max(1, round(width * side / longer)), max(1, round(height * side / longer)))
    ground = Image.new("RGB", (side, side))
    ground.paste(image.resize(inner, Image.Resampling.BICUBIC), ((side - inner[0]) // 2, (side - inner[1]) // 2))
    return ground
