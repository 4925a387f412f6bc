"""Get a model's pre-trained weights, check them and write them to data/weights/<model>/, with a card that describes them.

A model from scratch gets the card alone. HF_ENDPOINT, HF_HOME, HF_TOKEN and HF_HUB_OFFLINE work as everywhere.
"""

from pathlib import Path

from study.base import folders
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.design import cells
from study.models import architecture, pretrained
from study.models.card import WEIGHTS, Card, Normalisation
from study.runtime import code, edits
from study.settings.params import Model, Params


def main() -> None:
    """Command line: python -m stages.weights MODEL."""
    arguments = parser(__doc__, "weights")
    arguments.add_argument("model", metavar="MODEL", help="a key of models in params.yaml, such as resnet50_im1k")
    params = Params.load()
    model = params.model(arguments.parse_args().model)
    target = cells.weights(model.name)

    def inputs() -> object:
        return code.digest("stages.weights"), Params.load().model(model.name)

    with folders.replaced(target) as draft, edits.refused(str(target), inputs):
        card = prepare(model, draft, _sizes(params, model.name))
    what = f"weights of {card.source}, sha256 {card.sha256}" if card.source else "from scratch, no weights"
    say(f"{target}: {card.arch}, {what}")
    if model.weights is not None and model.weights.sha256 is None:
        say(f"to pin these weights, write in params.yaml under models.{model.name}.weights:\n      sha256: {card.sha256}")


def prepare(model: Model, folder: Path, sizes: tuple[int, ...] = ()) -> Card:
    """Write the card of ``model`` and its weights, if it has any, into ``folder``.

    ``sizes`` are the sides in pixels of the images that it will see: whether it runs at them is tried before anything is
    fetched. Raises StudyError where it does not, and where the weights do not fit.
    """
    default = architecture.check(model.arch, model.arch_options, sizes)
    source = revision = sha256 = None
    if model.weights is None:
        images = Normalisation.parse(default, f"timm's configuration of {model.arch}")
    else:
        source = model.weights.source
        found = pretrained.fetch(model.weights, folder / WEIGHTS)
        architecture.check_file(folder / WEIGHTS, model.arch, model.arch_options, found.config, source, sizes)
        images = Normalisation.parse(found.config.get("pretrained_cfg", found.config), f"config.json of {source}")
        revision, sha256 = found.revision, found.sha256
        if max(images.mean) > 1:
            raise StudyError(
                f"config.json of {source} has a mean of pixels from 0 to 255; divide its mean and its std by 255: pixels go "
                "from 0 to 1 here."
            )
    card = Card(model.arch, model.arch_options, source, revision, sha256, images.mean, images.std, images.interpolation)
    card.write(folder)
    return card


def _sizes(params: Params, model: str) -> tuple[int, ...]:
    """The sides at which ``model`` sees the study's datasets; none where params.yaml has no study, or a wrong one.

    They can refuse a model and change nothing of its card, so that DVC need not know them. Raises StudyError for a wrong
    recipe: without it the sizes are not known.
    """
    try:
        datasets = params.study().datasets
    except StudyError:
        return ()
    return tuple(sorted({params.recipe(dataset, model).image_size for dataset in datasets}))


if __name__ == "__main__":
    run(main)
