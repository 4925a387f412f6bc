"""Several labels in one are refused; names with the same signs in them are not."""

import pytest

from study.base.errors import StudyError
from study.data.several_labels import refuse_several

ANOTHER = ": several labels for an image are another task; give each image one, or write names without "


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", "b", "a|b"], "the label 'a|b' besides a and b" + ANOTHER + "'|' in them."),
        (["a", "b", "a; b", "b;a;"], "the label 'a; b' besides a and b, and so 'b;a;'" + ANOTHER),
        (["a|b", "b|c", "c|a", "a|c"], "labels of one another's parts: 'a|b', 'a|c', 'b|c', 'c|a'" + ANOTHER),
        (["cat,dog", "dog, owl", "cat, owl", "emu"], "labels of one another's parts: 'cat, owl', 'cat,dog', 'dog, owl'"),
        (["a|c", "a|b|c", "b"], "labels of one another's parts: 'a|b|c', 'a|c'"),
        (["a", "b", "c", "a b", "b c"], "the label 'a b' besides a and b, and so 'b c'" + ANOTHER + "spaces in them."),
        (["0", "1", "2", "0 1", "1 2"], "the label '0 1' besides 0 and 1"),
    ],
)
def test_several_in_one(labels, said):
    with pytest.raises(StudyError) as error:
        refuse_several("x.csv", labels)
    assert str(error.value).startswith(f"x.csv has {said}")


@pytest.mark.parametrize(
    "labels",
    [
        ["golden retriever", "labrador retriever", "retriever", "poodle"],
        ["black|white", "red|green", "blue"],
        ["red", "wine", "red wine"],
        ["crane, bird", "crane"],
        ["a|b", "a|c", "a|d"],
        ["red|square", "red|circle", "blue|square", "blue|circle"],
        ["Portland, ME", "Portland, OR", "Augusta, ME", "Salem, OR"],
        ["ski", "mask", "ski mask", "tank", "suit", "tank suit", "gas pump", "oil filter", "sea lion"],
        ["New York, New York", "New York"],
        ["|", "a|", "a"],
    ],
)
def test_names(labels):
    refuse_several("x.csv", labels)


def test_the_names_of_imagenet():
    pytest.importorskip("torchvision")
    from torchvision.models import ResNet18_Weights

    refuse_several("x.csv", ResNet18_Weights.DEFAULT.meta["categories"])
