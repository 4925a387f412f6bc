"""Pre-train the small study's CNN and ViT on printed glyphs, and write data/pretrained/<model>/.

Made once and committed; this is the command that makes them again, by hand: python -m tools.glyphs

The images are the digits and Latin letters (62 classes) of the text fonts that matplotlib ships, each drawn at random
place, size, slant and sharpness: printed characters, as the small study's images are handwritten ones. The folders are
laid out like a repository of the Hugging Face hub, so that the stage `weights` reads both in the same way.
"""

import json
import string
from pathlib import Path

import matplotlib
import numpy as np
import timm
import torch
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import save_file
from torch.nn import functional as F

from study.base.console import parser, progress, run, say
from study.settings.params import Params

CHARACTERS = string.digits + string.ascii_letters
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic")),
    *("cmr10", "cmss10", "cmtt10", "cmb10"),
)
MODELS = ("cnn_glyphs", "vit_glyphs")
BANK_SIZE, IMAGE_SIZE = 64, 32
STEPS, BATCH_SIZE, LEARNING_RATE = 4000, 64, 0.001
MEAN = STD = 0.5


def bank() -> torch.Tensor:
    """Every character of every font, white on black, centred: float32 (fonts, characters, 64, 64) in [0, 1]."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    images = np.zeros((len(FONTS), len(CHARACTERS), BANK_SIZE, BANK_SIZE), np.float32)
    for i, name in enumerate(FONTS):
        font = ImageFont.truetype(str(fonts / f"{name}.ttf"), 52, layout_engine=ImageFont.Layout.BASIC)
        for j, character in enumerate(CHARACTERS):
            canvas = Image.new("L", (BANK_SIZE, BANK_SIZE))
            ImageDraw.Draw(canvas).text((BANK_SIZE / 2, BANK_SIZE / 2), character, fill=255, font=font, anchor="mm")
            images[i, j] = np.asarray(canvas, np.float32) / 255
    return torch.from_numpy(images)


def batch(glyphs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Random glyphs as images float32 (64, 3, 32, 32), normalised, and their characters int64 (64,)."""
    fonts = torch.randint(len(FONTS), (BATCH_SIZE,))
    labels = torch.randint(len(CHARACTERS), (BATCH_SIZE,))
    height = torch.empty(BATCH_SIZE).uniform_(0.7, 1.7)  # of the image, most of which the font leaves free
    width = height * torch.empty(BATCH_SIZE).uniform_(0.55, 1.0)
    angle = torch.empty(BATCH_SIZE).uniform_(-0.25, 0.25)  # radians
    slant = torch.empty(BATCH_SIZE).uniform_(-0.3, 0.3)
    # affine_grid wants the way from a pixel of the output to one of the input: rotation and slant, then 1 / size.
    across = torch.stack([angle.cos() / width, (slant - angle.sin()) / width], 1)
    down = torch.stack([angle.sin() / height, angle.cos() / height], 1)
    centre = torch.empty(BATCH_SIZE, 2, 1).uniform_(-0.3, 0.3)
    turn = torch.stack([across, down], 1)
    theta = torch.cat([turn, -turn @ centre], 2)
    grid = F.affine_grid(theta, [BATCH_SIZE, 1, IMAGE_SIZE, IMAGE_SIZE], align_corners=False)
    images = F.grid_sample(glyphs[fonts, labels].unsqueeze(1), grid, align_corners=False)
    # Handwritten digits come at 8x8 pixels, enlarged: most of these go through about as few.
    for size, chosen in ((8, height > 1.2), (16, height <= 1.2)):
        coarse = F.interpolate(F.adaptive_avg_pool2d(images, size), IMAGE_SIZE, mode="bilinear", align_corners=False)
        chosen &= torch.rand(BATCH_SIZE) < 0.7
        images = torch.where(chosen.view(-1, 1, 1, 1), coarse, images)
    images = (images * torch.empty(BATCH_SIZE, 1, 1, 1).uniform_(0.7, 1.6)).clamp(0, 1)
    return ((images - MEAN) / STD).expand(-1, 3, -1, -1), labels


def pretrain(name: str) -> None:
    """Train the arch of model ``name`` on glyphs and write its folder."""
    model_params = Params.load().model(name)
    assert model_params.weights is not None
    torch.manual_seed(0)
    fixed = {"img_size": IMAGE_SIZE} if timm.get_pretrained_cfg(model_params.arch).fixed_input_size else {}
    model = timm.create_model(model_params.arch, num_classes=len(CHARACTERS), **fixed, **model_params.arch_options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    glyphs = bank()
    correct = torch.zeros(STEPS)
    for step in progress(iterable=range(STEPS), desc=name, unit="step"):
        images, labels = batch(glyphs)
        logits = model(images)
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(logits, labels))
        optimizer.step()
        schedule.step()
        correct[step] = (logits.argmax(1) == labels).float().mean()

    folder = Path(model_params.weights.source)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {
        "architecture": model_params.arch,
        "model_args": dict(model_params.arch_options),
        "num_classes": len(CHARACTERS),
        "label_names": list(CHARACTERS),
        "pretrained_cfg": {
            "input_size": [3, IMAGE_SIZE, IMAGE_SIZE],
            "mean": [MEAN] * 3,
            "std": [STD] * 3,
            "interpolation": "bilinear",
            "num_classes": len(CHARACTERS),
        },
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    say(f"{folder}: accuracy over the last 200 batches of glyphs {correct[-200:].mean():.3f}")


def main() -> None:
    parser(__doc__, "glyphs", "tools").parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    for name in MODELS:
        pretrain(name)


if __name__ == "__main__":
    run(main)
