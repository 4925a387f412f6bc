"""Which results are held to the kernels that every processor has."""

import os

import pytest
import torch

from study.engine import exactness


@pytest.mark.skipif(not torch.cpu._is_avx2_supported(), reason="needs a processor with AVX2")
@pytest.mark.parametrize(
    ("device", "precision", "held"), [("cpu", "fp32", True), ("cpu", "bf16", False), ("cuda", "bf16", True)]
)
def test_bf16_on_the_cpu_is_left_to_the_libraries(device, precision, held, monkeypatch):
    """torch's attention in bf16, held to AVX2, stops on a processor with AMX."""
    monkeypatch.setattr(torch.cuda, "set_device", lambda index: None)
    monkeypatch.setattr(exactness.devices, "describe", str)
    for name in exactness.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    exactness.pin(torch.device(device), precision)
    assert {name: os.environ.get(name) for name in exactness.PORTABLE} == (
        exactness.PORTABLE if held else dict.fromkeys(exactness.PORTABLE)
    )
