"""Small images made on the fly, and folders of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

OPTIONS = {"side": 8, "fit": "crop", "unreadable": "stop", "md5": None, "test": None}


def content(seed=0, size=(10, 8), mode="RGB", kind="PNG", **options):
    """An image of random blocks as a file's bytes; another ``seed`` gives another image."""
    pixels = np.random.RandomState(seed).randint(0, 256, (2, 2, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def lay(root, *paths, start=0):
    """A different image at each of ``paths`` below ``root``."""
    for number, path in enumerate(paths, start):
        file = Path(root, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(number))
    return Path(root)


def halves(root, classes=("ant", "bee"), train=2, test=1):
    """train/ and test/ with a folder per class."""
    names = [f"train/{name}/{n}.png" for name in classes for n in range(train)]
    return lay(root, *names, *(f"test/{name}/{n}.png" for name in classes for n in range(test)))
