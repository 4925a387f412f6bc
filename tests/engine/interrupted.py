"""A training in this process that is broken off and goes on."""

import pytest
from tiny import CNN

from study.engine.inputs import Inputs
from study.engine.run import Training

EPOCHS = 6


def here(stop_after=None) -> None:
    """Train in this process; ``stop_after`` that many saved epochs, the way a power loss does."""
    training = Training(Inputs.read(CNN))
    if stop_after is not None:
        save, left = training.store.save, [stop_after]

        def counted(state):
            save(state)
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt

        training.store.save = counted
        with pytest.raises(KeyboardInterrupt):
            training.run(None)
    else:
        training.run(None)
