"""One file to one square: every kind of image that people have, upright, whole, and never clipped."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from pictures import content, saved
from PIL import Image

from study.data import image as module
from study.data.image import UnreadableError, square

RED = Image.new("RGB", (8, 8), (200, 10, 10))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_kinds_of_files(kind):
    pixels = square(saved(RED, kind), 8, "squash")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (8, 8, 3)
    assert np.abs(pixels.astype(int) - (200, 10, 10)).max() <= 6


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("1", "PNG", (255, 255, 255)),
        ("L", "PNG", (180, 180, 180)),
        ("LA", "PNG", (180, 180, 180)),
        ("P", "PNG", (180, 180, 180)),
        ("P", "GIF", (180, 180, 180)),
        ("RGBA", "PNG", (180, 180, 180)),
        ("CMYK", "JPEG", (180, 180, 180)),
        ("CMYK", "TIFF", (180, 180, 180)),
        ("YCbCr", "TIFF", (180, 180, 180)),
    ],
)
def test_modes(mode, kind, expected):
    grey = Image.new("RGB", (8, 8), (180, 180, 180))
    image = grey.quantize(4) if mode == "P" else grey.convert(mode, dither=Image.Dither.NONE)
    assert np.abs(square(saved(image, kind), 8, "squash").astype(int) - expected).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    wide = (np.arange(64, dtype=np.uint32).reshape(8, 8) * 1040).astype(np.uint16)
    np.testing.assert_array_equal(square(saved(Image.fromarray(wide), kind), 8, "squash")[..., 1], wide >> 8)


def tiff(bits, photometric, content):
    """A grey TIFF of 4 x 4 pixels."""
    tags = [(256, 4), (257, 4), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 4), (279, len(content))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_grey_of_twelve_bits_and_grey_with_the_lowest_for_white():
    assert set(square(tiff(12, 1, b"\xff" * 24), 4, "crop").ravel()) == {255}
    assert set(square(tiff(16, 0, b"\x00\x10" * 16), 4, "crop").ravel()) == {255 - 16}


def test_sixteen_bits_of_the_other_byte_order():
    wide = (np.arange(64, dtype=np.uint32).reshape(8, 8) * 1040).astype(np.uint16)
    big = Image.frombytes("I;16B", (8, 8), wide.astype(">u2").tobytes())
    np.testing.assert_array_equal(square(saved(big, "TIFF"), 8, "squash")[..., 0], wide >> 8)


def test_colours_of_sixteen_bits_become_what_grey_ones_become():
    value, side = 40_000, 8
    rows = b"".join(b"\0" + struct.pack(">3H", value, value, value) * side for _ in range(side))

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert set(square(png, side, "squash").ravel()) == {value >> 8}


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_pixels_without_a_known_white_are_refused(kind):
    with pytest.raises(UnreadableError, match="32 bits, of which nobody knows which value is white"):
        square(saved(Image.new("F", (8, 8), 0.5), kind), 8, "crop")


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("RGBA", "WEBP"), ("LA", "PNG"), ("PA", "TIFF")])
def test_transparent_becomes_white(mode, kind):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)
    assert square(saved(image, kind, **({"lossless": True} if kind == "WEBP" else {})), 8, "crop").min() == 255


def test_transparent_colour_of_a_palette_and_half_transparent():
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    assert square(saved(palette, "PNG", transparency=0), 8, "crop").min() == 255
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert set(square(saved(half), 8, "crop").ravel()) == {127}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("wide", [False, True])
def test_exif_rotation(orientation, wide):
    """A picture that was turned for storing, and says so, is as it was before."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: np.rot90(pixels),
        7: np.rot90(pixels, 2).T,
        8: np.rot90(pixels, -1),
    }[orientation]
    image = Image.fromarray(stored.astype(np.uint16) << 8 if wide else np.ascontiguousarray(stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(square(saved(image, exif=exif), 8, "squash")[..., 0], pixels)


def test_broken_exif_is_no_reason_to_do_without_the_image():
    file = saved(RED, "JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff\x01\x12\0\x03")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert square(file, 8, "squash").shape == (8, 8, 3)
    assert not said


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_its_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white")]
    options = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    with Image.open(io.BytesIO(file)) as image:
        assert image.n_frames == 2
    assert square(file, 8, "squash").max() == 0


def stripes(width, height):
    """Red on the left or top third, green in the middle, blue last."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for third in range(3):
        if width > height:
            pixels[:, third * width // 3 : (third + 1) * width // 3, third] = 255
        else:
            pixels[third * height // 3 : (third + 1) * height // 3, :, third] = 255
    return saved(Image.fromarray(pixels))


@pytest.mark.parametrize("shape", [(24, 8), (8, 24)])
def test_ways_to_fit(shape):
    file = stripes(*shape)
    turn = (lambda pixels: pixels) if shape[0] > shape[1] else (lambda pixels: pixels.transpose(1, 0, 2))
    cropped = square(file, 8, "crop")
    assert cropped[..., 1].min() == 255
    assert cropped[..., (0, 2)].max() == 0
    squashed = turn(square(file, 9, "squash"))
    np.testing.assert_array_equal(squashed[4, [0, 4, 8]], np.eye(3) * 255)
    padded = turn(square(file, 24, "pad"))
    np.testing.assert_array_equal(padded[12, [2, 12, 22]], np.eye(3) * 255)
    assert padded[:8].max() == padded[16:].max() == 0
    assert padded[8:16].max(axis=(0, 2)).min() == 255


def test_an_image_of_the_right_size_is_not_touched_and_a_line_fits_too():
    pixels = np.random.RandomState(0).randint(0, 256, (8, 8, 3)).astype(np.uint8)
    for fit in ("crop", "squash", "pad"):
        np.testing.assert_array_equal(square(saved(Image.fromarray(pixels)), 8, fit), pixels)
        np.testing.assert_array_equal(square(pixels, 8, fit), pixels)
        assert square(saved(Image.new("RGB", (1000, 1))), 8, fit).shape == (8, 8, 3)


def test_reducing_does_not_alias():
    """A fine checkerboard becomes its mean, not one of its colours."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    inside = square(saved(Image.fromarray(board.astype(np.uint8))), 8, "squash")[1:-1, 1:-1]
    assert np.abs(inside.astype(int) - 127.5).max() < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated(kind, share):
    noisy = saved(Image.fromarray(np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype(np.uint8)), kind)
    with pytest.raises(UnreadableError):
        square(noisy[: int(len(noisy) * share)], 8, "crop")


@pytest.mark.parametrize("file", [b"", b"<html>not found</html>", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_no_image(file):
    with pytest.raises(UnreadableError, match=r"^no image that Pillow knows$"):
        square(file, 8, "crop")


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableError, match=r"exceeds limit|more than"):
        square(bomb, 8, "crop")
    monkeypatch.setattr(module, "MOST_PIXELS", 79)
    with pytest.raises(UnreadableError, match="10 x 8 pixels, more than 79"):
        square(content(size=(10, 8)), 8, "crop")


def test_want_of_memory_is_no_damage(monkeypatch):
    """With unreadable: skip, good images would be left out."""

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(module, "_rgb", full)
    with pytest.raises(MemoryError):
        square(saved(RED), 8, "squash")
