"""Matrix products in fp32 on a CPU through oneDNN, which exactness.pin holds to AVX2.

MKL has but one setting under which Intel's and AMD's processors sum alike, at well under half its speed. oneDNN, held to
AVX2, gives the same bytes on all of them at full speed; torch uses it for convolutions, but not for products of matrices.
"""

import torch
from torch import Tensor

_installed: list[torch.library.Library] = []  # a Library takes its kernels back when it is deleted


def install() -> bool:
    """Send aten's mm and addmm, and so nn.Linear forward and backward, to oneDNN: for fp32 on the CPU, in this process.

    Models, their names and autograd stay as they are, for this is below all of them; other types go where they went, and
    so does bmm, for which torch has no such operator. Returns whether it was done: torch's own kernels stay where its
    build lacks oneDNN (ARM, macOS). A second call does nothing.
    """
    if _installed:
        return True
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not available or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    linear = torch.ops.mkldnn._linear_pointwise.default
    own_mm = torch.library.get_kernel("aten::mm", "CPU")
    own_addmm = torch.library.get_kernel("aten::addmm", "CPU")

    def product(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
        """``a`` (M, K) times ``b`` (K, N), plus ``bias`` (N,)."""
        if bias is None and not a.is_contiguous() and b.numel() < a.numel():
            # oneDNN takes any strides on the right, but on the left torch makes a copy: let it be the smaller one's.
            return linear(b.t(), a, None, "none", [], "").t().contiguous()  # type: ignore[no-any-return]
        return linear(a, b.t(), bias, "none", [], "")  # type: ignore[no-any-return]

    def fits(a: Tensor, b: Tensor) -> bool:
        """Whether the product is oneDNN's. The rest is torch's, empty ones and its errors for shapes too."""
        right = a.dtype is b.dtype is torch.float32 and a.dim() == b.dim() == 2 and a.shape[1] == b.shape[0]
        return right and a.numel() > 0 and b.numel() > 0

    def mm(keys: torch.DispatchKeySet, a: Tensor, b: Tensor) -> Tensor:
        if fits(a, b):
            return product(a, b, None)
        return own_mm.call_boxed(keys, a, b)  # type: ignore[no-any-return]

    def addmm(keys: torch.DispatchKeySet, bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
        if bias.dtype is torch.float32 and beta == alpha == 1 and bias.shape == b.shape[1:] and fits(a, b):
            return product(a, b, bias)
        return own_addmm.call_boxed(keys, bias, a, b, beta=beta, alpha=alpha)  # type: ignore[no-any-return]

    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    library.impl("mm", mm, "CPU", with_keyset=True)  # type: ignore[no-untyped-call]
    library.impl("addmm", addmm, "CPU", with_keyset=True)  # type: ignore[no-untyped-call]
    _installed.append(library)
    return True
