"""What `source` of a dataset may be in params.yaml."""

import pytest

from study.base.errors import StudyError
from study.settings import sources
from study.settings.params import Source


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (Source("cifar11", {}), "source.format is 'cifar11'; it must be one of cifar10, cifar100, digits"),
        (Source("digits", {"size": 3}), "source.size is not a key of format digits; there are format"),
        (Source("cifar10", {"uri": "x"}), "source.uri is not a key of format cifar10; there are format, url"),
        (Source("cifar10", {}), "source.url is None; format cifar10 needs an http or https URL"),
        (Source("cifar100", {"url": 5}), "source.url is 5; format cifar100 needs an http or https URL"),
    ],
)
def test_sources_are_checked(source, sentence):
    with pytest.raises(StudyError, match=sentence):
        sources.check(source, "datasets.small.source")
