"""Processes that train as they are told: nothing of one way of training reaches another, and they can take turns."""

import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.cases import Case

CONTEXT = multiprocessing.get_context("spawn")  # a fresh Python each, whose start is part of what is measured


class LateError(Exception):
    """The time is up."""


class FailedError(Exception):
    """What went wrong in a worker, in one line."""


class Worker:
    """One way of training one case, in a process of its own."""

    def __init__(self, way: str, case: Case):
        self._connection, there = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(there, way, case, time.time()))
        self._process.start()
        there.close()

    def tell(self, order: str, value: float) -> None:
        """Begin ``order``: a method of ``Steps``."""
        try:
            self._connection.send((order, value))
        except OSError:
            raise FailedError("the process is gone") from None

    def answer(self, deadline: float) -> Any:
        """What the order told last gave. Raises LateError after ``deadline`` (of time.time), FailedError if it failed."""
        if not self._connection.poll(max(0.0, deadline - time.time())):
            raise LateError
        try:
            fine, value = self._connection.recv()
        except (EOFError, OSError):
            raise FailedError("the process is gone (out of memory, perhaps)") from None
        if not fine:
            raise FailedError(value)
        return value

    def ask(self, order: str, value: float, deadline: float) -> Any:
        self.tell(order, value)
        return self.answer(deadline)

    def close(self) -> None:
        """End the process, kindly if it listens."""
        self._connection.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class Steps:
    """The orders that a worker takes. torch is imported here, in the worker alone."""

    def __init__(self, way: str, case: Case, started: float):
        from benchmarks import ways
        from study.engine import exactness
        from study.runtime import devices

        self._ways, self._way, self._case, self._started = ways, way, case, started
        self._device = devices.choose()
        self._wait = ways.synchronise(self._device)
        self._run: Iterator[None] | None = None
        if self._device.type == "cpu":  # every way with the stage's threads: more of them measure the other processes here
            import torch

            torch.set_num_threads(exactness.THREADS)

    def machine(self, value: float) -> tuple[str, str, float]:
        """Kind and name of the device, and its measured rate of matrix products in FLOP/s."""
        from study.runtime import devices

        return self._device.type, devices.describe(self._device), self._ways.matrix_rate(self._device)

    def flops(self, value: float) -> int:
        """FLOPs of a training step per image."""
        return self._ways.flops(self._case)

    def batch(self, batch: float) -> float:
        """Get ready for steps of ``batch`` images; the seconds from the start of the process to the end of the first one."""
        self._forget()
        self._batch = int(batch)
        self._run = self._ways.steps(self._way, self._case, self._batch, self._device)
        self._steps(1)
        first = time.time() - self._started
        self._steps(3)
        self._seconds = self._steps(2) / 2
        return first

    def block(self, seconds: float) -> float:
        """Images per second in a block of steps of about ``seconds``; what a loader has in stock is used up before."""
        self._steps(self._ways.queued(self._way, self._device))
        count = max(1, round(seconds / self._seconds))
        taken = self._steps(count)
        self._seconds = taken / count
        return count * self._batch / taken

    def images(self, seconds: float) -> float:
        """Images trained on within ``seconds``, as exactly as the steps allow, per second."""
        count, begun = 0, time.perf_counter()
        while (taken := time.perf_counter() - begun) < seconds:
            several = max(1, round(min(0.25, seconds - taken) / self._seconds))
            self._steps(several)
            count += several
        return count * self._batch / taken

    def memory(self, value: float) -> int:
        """Peak memory in bytes: of torch on the device, of the process on a CPU."""
        if self._device.type == "cuda":
            import torch

            return torch.cuda.max_memory_allocated(self._device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def _steps(self, count: int) -> float:
        """Do ``count`` steps, wait for the device; the seconds that it took."""
        assert self._run is not None
        begun = time.perf_counter()
        for _ in range(count):
            next(self._run)
        self._wait()
        return time.perf_counter() - begun

    def _forget(self) -> None:
        """Give back the memory of what was set up before."""
        import torch

        self._run = None
        if "torch._dynamo" in sys.modules:
            torch._dynamo.reset()
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)


def machine(deadline: float) -> tuple[str, str, float]:
    """What ``Steps.machine`` says, asked of a process that ends with its answer; exits with a sentence where none comes."""
    worker = Worker("", Case("", "", {}, 0, ""))
    try:
        kind, name, rate = worker.ask("machine", 0, deadline)
    except LateError:
        sys.exit("error: the time was up before the device had answered; give more --minutes.")
    except FailedError as error:
        sys.exit(f"error: the device does not answer: {error}.")
    finally:
        worker.close()
    return ("cuda" if kind == "cuda" else "cpu"), name, rate


def _serve(connection: "Connection[Any, Any]", way: str, case: Case, started: float) -> None:
    steps: Steps | None = None
    while True:
        try:
            order, value = connection.recv()
        except (EOFError, OSError):
            return  # nobody is there any more
        try:
            steps = steps or Steps(way, case, started)
            answer = (True, getattr(steps, order)(value))
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {(str(error).strip() or '-').splitlines()[0]}")
        with suppress(OSError):  # nobody waited for it
            connection.send(answer)
