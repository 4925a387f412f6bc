"""Settings under which the same training gives the same bytes: run after run on one machine and, in fp32 on a CPU, on
every x86-64 processor that has AVX2.
"""

import os

import torch

from study.engine import kernels
from study.runtime import devices

# One and two threads sum in different orders and give different bytes, so their number is fixed, on every machine. One,
# because two gain little at the small study's sizes and lose tenfold where other processes want the cores: a thread that
# the system has put aside is waited for in every operation.
THREADS = 1

# Each library picks its kernels by the processor's maker and instruction set, and each kernel sums in an order of its own.
# These hold all of them to what every x86-64 processor of the last ten years has. MKL knows but one setting that Intel's
# and AMD's share, at less than half the speed of its matrix products. Initial weights come from the CPU for a GPU too.
# bf16 on the CPU is left to the libraries' own choice: oneDNN, so held, has no kernels for it and takes ten times as long,
# and torch's attention, held to AVX2, stops where the processor has AMX.
PORTABLE = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def pin(device: torch.device, precision: str) -> str:
    """Set them, in torch and in the environment, for this whole process; before its first computation.

    ``precision`` is the recipe's: bf16 or fp32. Returns what the kernels are called in a cell's provenance: "portable fp32",
    or the device that the result belongs to.
    """
    torch.set_num_threads(THREADS)
    # Libraries read these when they start, which is later than torch's import.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    portable = torch.cpu._is_avx2_supported() and (device.type != "cpu" or precision == "fp32")
    if portable:
        os.environ |= PORTABLE
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
    if portable and device.type == "cpu":
        kernels.install()
        return "portable fp32"
    return f"{precision} on {devices.describe(device)}"
