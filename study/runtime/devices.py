"""Which device a stage computes on, and its name for people. Never a dependency of a stage."""

import os

import torch

from study.base.errors import StudyError, counted
from study.base.machine import processor_name

VARIABLE = "STUDY_DEVICE"


def choose() -> torch.device:
    """CUDA, else MPS, else the CPU; or what the environment variable STUDY_DEVICE names (cpu, mps, cuda, cuda:1).

    Raises StudyError where that is no device, or none of this machine.
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise StudyError(f"{VARIABLE} is {wanted!r}; it must be cpu, mps, cuda or cuda:<number>.") from None
    present = {"cpu": 1, "mps": int(torch.backends.mps.is_available()), "cuda": torch.cuda.device_count()}
    if (device.index or 0) >= present.get(device.type, 0):
        raise StudyError(f"{VARIABLE} is {wanted!r}, but this machine has no such device; unset it, or set it to cpu.")
    return device


def describe(device: torch.device) -> str:
    """The device's name: ``NVIDIA H200``, ``CPU (AMD EPYC, 2 threads)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"MPS ({processor_name()})"
    threads = torch.get_num_threads()
    return f"CPU ({processor_name()}, {counted(threads, 'thread')})"
