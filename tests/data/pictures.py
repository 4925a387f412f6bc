"""Small images made on the fly, and folders of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from study.data import folder

ANNOTATIONS = ["val_1.JPEG\tn1\t0\t32\t44\t62\n", "val_10.JPEG\tn2\t0\t0\t1\t1\n", "val_0.JPEG\tn2\t0\t0\t1\t1\n"]
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


def load(root, draft=None, **options):
    """The dataset in ``root`` as format folder reads it."""
    options = {**OPTIONS, **options}
    draft = draft or root.parent / "draft"
    draft.mkdir(exist_ok=True)
    return folder.read(root, options).assembled(options, draft)


def tiny_imagenet(root, *more):
    """Two classes as Tiny ImageNet is unpacked; its file of annotations has ``more`` lines."""
    lay(root, "train/n2/images/a.JPEG", "train/n1/images/b.JPEG", *(f"val/images/val_{n}.JPEG" for n in (0, 1, 10)))
    (root / "train/n1/n1_boxes.txt").write_text("b.JPEG\t0\t0\t1\t1\n")
    (root / "val/val_annotations.txt").write_text("".join([*ANNOTATIONS, *more]))
    return root
