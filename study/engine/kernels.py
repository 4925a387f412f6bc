"""Matrix products in fp32 on a CPU through oneDNN, which exactness.pin holds to AVX2.

MKL has but one setting under which Intel's and AMD's processors sum alike, at well under half its speed. oneDNN, held to
AVX2, gives the same bytes on all of them at full speed; torch uses it for convolutions, but not for products of matrices.
"""

import torch
from torch import Tensor, nn

_installed: list[torch.library.Library] = []  # a Library takes its kernels back when it is deleted


def install() -> bool:
    """Send aten's mm and addmm, and so nn.Linear forward and backward, to oneDNN: for fp32 on the CPU, in this process.

    Models, their names and autograd stay as they are, for this is below all of them; other types go where they went, and
    so does bmm, for which torch has no such operator. Returns whether it was done: torch's own kernels stay where its
    build lacks oneDNN (ARM, macOS). A second call does nothing.
    """
    if _installed:
        return True
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    linear = torch.ops.mkldnn._linear_pointwise.default
    own_mm = torch.library.get_kernel("aten::mm", "CPU")
    own_addmm = torch.library.get_kernel("aten::addmm", "CPU")

    def product(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
        """``a`` (M, K) times ``b`` (K, N), plus ``bias`` (N,)."""
        if bias is None and not a.is_contiguous() and b.numel() < a.numel():
            # oneDNN takes any strides on the right, but on the left torch makes a copy: let it be the smaller one's.
            return linear(b.t(), a, None, "none", [], "").t().contiguous()
        return linear(a, b.t(), bias, "none", [], "")

    def mm(keys: torch.DispatchKeySet, a: Tensor, b: Tensor) -> Tensor:
        if a.dtype is b.dtype is torch.float32 and a.numel() and b.numel() and a.shape[1] == b.shape[0]:
            return product(a, b, None)
        return own_mm.call_boxed(keys, a, b)

    def addmm(keys: torch.DispatchKeySet, bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
        if (
            a.dtype is b.dtype is bias.dtype is torch.float32
            and beta == alpha == 1
            and bias.shape == b.shape[1:]
            and a.numel()
            and b.numel()
            and a.shape[1] == b.shape[0]
        ):
            return product(a, b, bias)
        return own_addmm.call_boxed(keys, bias, a, b, beta=beta, alpha=alpha)

    library = torch.library.Library("aten", "IMPL")
    library.impl("mm", mm, "CPU", with_keyset=True)
    library.impl("addmm", addmm, "CPU", with_keyset=True)
    _installed.append(library)
    return True
