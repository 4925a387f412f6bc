"""Get a dataset, check it and write it to data/raw/<dataset>/: images, labels, class names.

Files that lie under the folder named by the environment variable DATASETS_DIR are used instead of the network.
"""

from pathlib import Path

from study.base import folders
from study.base.console import parser, run, say
from study.base.errors import listed
from study.data import formats
from study.data.transfer import downloads
from study.data.watched import OWN
from study.design import cells
from study.runtime import code, edits
from study.settings.params import Params


def main() -> None:
    """Command line: python -m stages.download DATASET."""
    arguments = parser(__doc__, "download")
    arguments.add_argument("dataset", metavar="DATASET", help="a key of datasets in params.yaml, such as cifar10")
    download(arguments.parse_args().dataset)


def download(dataset: str) -> Path:
    """Write ``data/raw/<dataset>/`` and return its path; what was there before stays until the new one is whole."""
    source = Params.load().source(dataset)
    target = cells.raw(dataset)

    def inputs() -> object:
        return code.digest("stages.download"), Params.load().source(dataset), edits.listing(OWN / dataset)

    with folders.replaced(target) as draft, edits.refused(str(target), inputs):
        data = formats.load(source, downloads(), draft, dataset)
        data.write(draft)
    counts = f"{len(data.train_labels):,} train and {len(data.test_labels):,} test images, {len(data.classes):,} classes"
    say(f"{target}: {counts}: {listed(data.classes)}")
    return target


if __name__ == "__main__":
    run(main)
