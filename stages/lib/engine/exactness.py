"""Settings under which the same training gives the same bytes, run after run, on one machine."""

import os

import torch

# One and two threads sum in different orders and give different bytes, so their number is fixed, on every machine. One,
# because two gain little at the small study's sizes and lose tenfold where other processes want the cores: a thread that
# the system has put aside is waited for in every operation.
THREADS = 1


def pin(device: torch.device) -> None:
    """Set them for this process; before the first computation on ``device``."""
    torch.set_num_threads(THREADS)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS reads it when it starts
    if device.type == "cuda":
        torch.cuda.set_device(device.index or 0)  # torch seeds the generator, and makes streams, of the current device
        torch.use_deterministic_algorithms(True)  # sets the compiler's mode too, and so imports the compiler
    else:
        # MPS lacks deterministic versions of some operations: there it warns instead of stopping.
        torch.set_deterministic_debug_mode("warn" if device.type == "mps" else "error")
    # Filling new memory guards against a mistake that we do not make, and costs a kernel each time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
