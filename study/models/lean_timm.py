"""timm without two things that it would import in vain: wandb, and torch's compiler, which takes as long as torch itself.

Where there is no CUDA, nothing is compiled. torchvision still asks for the compiler when it is imported, an optimizer at its
first step; both only ask it to keep off them, and a stand-in can answer that.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

from study.base.imports import lasting

COMPILER = "torch._dynamo"


def load() -> Any:
    """timm, imported."""
    if not torch.cuda.is_available():
        _leave_compiler_out()
    hidden = "wandb" not in sys.modules
    if hidden:
        sys.modules["wandb"] = None  # type: ignore[assignment]  # Python's own way to say: not there
    try:
        with lasting():
            import timm
    finally:
        if hidden:
            del sys.modules["wandb"]
    return timm


class _StandIn(ModuleType):
    """Takes the place of a module of the compiler; the true one is imported when anything else is asked of it."""

    def __getattr__(self, name: str) -> Any:
        # Python's own questions get no answer, but for the one with which it goes on to import a submodule.
        if name.startswith("__") and (name, self.__name__) != ("__path__", COMPILER):
            raise AttributeError(name)
        _make_way()
        return getattr(import_module(self.__name__), name)


def _leave_compiler_out() -> None:
    if COMPILER in sys.modules:
        return
    package, helpers = _StandIn(COMPILER), _StandIn(f"{COMPILER}.utils")
    package.utils = helpers  # type: ignore[attr-defined]
    package.disable = _as_it_is  # type: ignore[attr-defined]
    package.graph_break = lambda: None  # type: ignore[attr-defined]
    helpers.is_compile_supported = lambda device: False  # type: ignore[attr-defined]
    sys.modules |= {module.__name__: module for module in (package, helpers)}


def _make_way() -> None:
    for name in (COMPILER, f"{COMPILER}.utils"):
        if isinstance(sys.modules.get(name), _StandIn):
            del sys.modules[name]


def _as_it_is(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
    return function
