"""A training step on CUDA without its launch costs: compiled, and recorded once as a CUDA graph.

A step of 64 images is bound by the launches of its thousand kernels, not by their arithmetic. The graph replays a full
batch in one launch; the last, partial batch of an epoch has another shape and runs step by step.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from study.engine.training import Trainer

Step = Callable[[Tensor, Tensor | None], None]
WARM_UPS = 3  # steps before the recording: what libraries set up at first use must not be in it


def captured(trainer: "Trainer") -> Step:
    """The trainer's step for full batches as a replay of a recorded graph; its plain step where no batch is full.

    Compiles the step, which takes a minute for a large model, and leaves the trainer's state as it was.
    """
    # torch remarks on the first step that is not recorded; warm-ups and the last batch of an epoch never are.
    warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
    size = trainer.recipe.batch_size
    if all(stop - start != size for start, stop in trainer.steps):
        return trainer.step
    indices = torch.zeros(size, dtype=torch.int64, device=trainer.device)
    movements = None
    if trainer.recipe.augmentation != "none":
        movements = torch.zeros(size, 3, dtype=torch.int64, device=trainer.device)
    trainer.inputs(indices, movements)  # what is made at the first use is made before the compiler looks
    compiled = torch.compile(trainer.loss, dynamic=False)

    before = {name: tensor.detach().clone() for name, tensor in trainer.tensors().items()}
    trainer.model.train(trainer.probe is None)
    side = torch.cuda.Stream(trainer.device)  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream(trainer.device))
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            trainer.step_number.zero_()
            trainer.step(indices, movements, compiled)
    torch.cuda.current_stream(trainer.device).wait_stream(side)
    trainer.step_number.zero_()
    graph = torch.cuda.CUDAGraph()
    trainer.optimizer.zero_grad(set_to_none=True)  # frees the warm-ups' gradients: the graph has memory of its own
    with torch.cuda.graph(graph, stream=side):  # of its own choice it would record on the first device, and record nothing
        trainer.step(indices, movements, compiled)
    trainer.restore(before)

    def replay(batch: Tensor, moved: Tensor | None) -> None:
        indices.copy_(batch)
        if movements is not None and moved is not None:
            movements.copy_(moved)
        graph.replay()

    return replay
