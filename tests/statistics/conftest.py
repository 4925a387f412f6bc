"""What is found in the study whose errors are known."""

import pytest
from known_errors import asked, rate
from simulated import Grid, exactly

from study.statistics.hypotheses import Finding


@pytest.fixture(scope="session")
def found() -> dict[str, Finding]:
    return asked(exactly(Grid().arms(), rate))
