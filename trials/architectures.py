"""Weights, train and evaluate for some 80 entries of `models` at 32 pixels: whatever timm builds and runs at that size works.

    python -m trials.architectures                  # an hour on two busy cores; one at a time
    python -m trials.architectures crossvit swin    # the entries whose names hold one of these
    python -m trials.architectures --step           # weights, then one step on eight images instead of train and evaluate

Each is `digits-<key>-0.1-0`, one epoch in fp32 on the CPU, in a process of its own. An entry of REFUSED must end in one
sentence of the stage weights, before anything is downloaded. Memory that is written past its end shows as an exit code.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

from study.base.console import parser, run, say
from study.settings.params import Params
from trials import study

_NAMES = """
mobilenetv3_small_100 efficientnet_b0 convnext_atto convnextv2_atto resnet18 resnet18d regnety_002 densenet121
vit_tiny_patch16_224 deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 swin_tiny_patch4_window7_224 swinv2_cr_tiny_224
mixer_s32_224 maxvit_nano_rw_256 levit_128s mobilevit_xxs tiny_vit_5m_224 xcit_nano_12_p16_224
coat_lite_tiny pvt_v2_b0 gmlp_ti16_224 test_resnet test_efficientnet test_vit test_convnext test_byobnet test_vit2 test_vit3
test_nfnet test_mambaout cait_xxs24_224 convit_tiny resmlp_12_224 hiera_tiny_224 edgenext_xx_small repvit_m0_9 starnet_s1
mambaout_femto poolformer_s12 nest_tiny volo_d1_224 coatnet_nano_rw_224 nf_regnet_b0 efficientvit_b0 efficientvit_m0 lcnet_050
ghostnet_100 mobilenetv4_conv_small mobilenet_edgetpu_100 tf_efficientnet_lite0 visformer_tiny pit_ti_224 gcvit_xxtiny
repvgg_a0 mobileone_s0 fastvit_t8 crossvit_tiny_240 vgg11_bn beit_base_patch16_224
"""
PLAIN = _NAMES.split()
OPTIONS: Mapping[str, Any] = {
    "resnet18_drop": {"name": "resnet18", "drop_rate": 0.1, "drop_path_rate": 0.1},
    "vit_patch4": {"name": "vit_tiny_patch16_224", "patch_size": 4},
    "vit_img_size": {"name": "vit_tiny_patch16_224", "img_size": 32},
    "vit_avg": {"name": "vit_tiny_patch16_224", "global_pool": "avg"},
    "vit_dynamic": {"name": "vit_tiny_patch16_224", "dynamic_img_size": True},
    "swin_small_parts": {"name": "swin_tiny_patch4_window7_224", "patch_size": 2, "window_size": 4},
}
SIZES = {"crossvit_48": ("crossvit_tiny_240", 48), "crossvit_224": ("crossvit_tiny_240", 224)}
REFUSED: Mapping[str, Any] = {
    "features_only": {"name": "test_resnet", "features_only": True},
    "scriptable": {"name": "resnet18", "scriptable": True},
    "misspelt_option": {"name": "resnet18", "drop_raet": 0.1},
    "efficientformer_l1": "efficientformer_l1",
    "ghostnetv3_100": "ghostnetv3_100",
    "inception_v3": "inception_v3",
    "hub_name": "hf-hub:timm/resnet18.a1_in1k",
    "torchvision_name": "torchvision/resnet18",
    "capital": "ResNet18",
    "mistyped_tag": "resnet18.a1_in1kk",
    "vit_patch5": {"name": "vit_tiny_patch16_224", "patch_size": 5},
    "eva02_tiny_patch14_224": "eva02_tiny_patch14_224",
    "deprecated_name": "vit_base_patch16_224_in21k",
}
# Refused before their weights are looked for, which are not there.
NOWHERE = "nowhere"
WITH_WEIGHTS = ("mistyped_tag", "deprecated_name", "efficientformer_l1")
LONGEST = 900  # seconds
STAGES = ("weights", "train", "evaluate")


def main() -> None:
    """Every entry, or those whose names hold a word of the command line."""
    verdict = study.Verdict()
    arguments = parser(__doc__, "architectures", "trials")
    arguments.add_argument("words", nargs="*", metavar="WORD")
    arguments.add_argument("--step", action="store_true")
    given = arguments.parse_args()
    step, words = given.step, given.words
    wanted = [key for key in _entries() if not words or any(word in key for word in words)]
    with tempfile.TemporaryDirectory(prefix="trial-architectures-") as name:
        _project(Path(name))
        os.environ["STUDY_DEVICE"] = "cpu"
        os.chdir(name)
        for stage in () if step else (["download", "digits"], ["split", "digits", "0.1", "0"]):
            _stage(*stage)
        # Imported once, here; what an entry breaks stays in the process that is forked for it.
        for module in ("stages.weights", "stages.train", "stages.evaluate", "study.engine.run", "study.engine.testing"):
            import_module(module)
        for key in wanted:
            started = time.monotonic()
            process = get_context("fork").Process(target=_all_stages, args=(key, step))
            process.start()
            process.join(LONGEST)
            if process.is_alive():
                process.kill()
                process.join()
            said = [line for line in Path("log").read_text(errors="replace").splitlines() if line]
            last = next((line for line in reversed(said) if line.startswith("stage ")), "")
            if key in REFUSED:
                after = said[said.index(last) + 1 :] if last else said
                sentence = len(after) == 1 and after[0].startswith("error: ") and NOWHERE not in after[0]
                fits = process.exitcode == 1 and last == "stage weights" and sentence
            else:
                fits = process.exitcode == 0
            took = f"{time.monotonic() - started:.0f} s, exit {process.exitcode}, {last}"
            verdict.check(fits, f"{key}: {took}" + ("" if process.exitcode == 0 else f": {said[-1][:400]}"))
    verdict.end()


def _all_stages(key: str, step: bool) -> None:
    """In a process of its own: the stages of the entry ``key``, or weights and a single step; what they say in the file log."""
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    cell = f"digits-{key}-0.1-0"
    for stage in STAGES[:1] if step else STAGES:
        say(f"stage {stage}")
        _stage(stage, key if stage == "weights" else cell)

    if step:
        say("stage step")
        _one_step(key)


def _one_step(key: str) -> None:
    """Build the entry as train does, and learn from eight images; then look at them as evaluate does."""
    import torch

    from study.engine import exactness
    from study.models import build

    device = torch.device("cpu")
    exactness.pin(device, "fp32")
    params = Params.load()
    model, side = params.model(key), params.recipe("digits", key).image_size
    made = build.build(model.arch, model.arch_options, 10, side, 0)
    built, channels_last = build.on_device(made, device)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.rand(8, 3, side, side).contiguous(memory_format=layout)
    optimizer = torch.optim.Adam(built.parameters())
    torch.nn.functional.cross_entropy(built(images), torch.arange(8)).backward()
    optimizer.step()
    with torch.inference_mode():
        if not torch.isfinite(built.eval()(images)).all():
            sys.exit("not finite after one step")


def _stage(stage: str, *arguments: str) -> None:
    sys.argv = [stage, *arguments]
    run(import_module(f"stages.{stage}").main)


def _entries() -> Iterator[str]:
    yield from (*SIZES, *REFUSED, *reversed(PLAIN), *OPTIONS)


def _project(folder: Path) -> None:
    """A params.yaml of all entries in ``folder``, beside the code."""
    for room in ("stages", "study"):
        (folder / room).symlink_to(study.ROOT / room)
    params = yaml.safe_load((study.ROOT / "params.yaml").read_text())
    archs = {**{key: key for key in PLAIN}, **OPTIONS, **{key: arch for key, (arch, _) in SIZES.items()}, **REFUSED}
    params["models"] = {
        key: {
            "family": "mixer" if "gmlp" in key else "hybrid" if "mobilevit" in key else "cnn",
            "arch": arch,
            "weights": {"source": f"{NOWHERE}/model.safetensors", "sha256": None} if key in WITH_WEIGHTS else None,
            "recipe": {"image_size": SIZES[key][1]} if key in SIZES else {},
            "scratch": None,
        }
        for key, arch in archs.items()
    }
    params["datasets"] = {"digits": params["datasets"]["digits"]}
    params["datasets"]["digits"]["recipe"] |= {"epochs": 1, "budget": "epochs", "image_size": 32}
    params["study"] = {"name": "trial", "datasets": ["digits"], "models": ["resnet18"], "seeds": [0]}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


if __name__ == "__main__":
    main()
