"""Where items are computed: in this process, in a pool of processes, or on an existing Dask cluster.

All three are executors of ``concurrent.futures``, so that there is one path through the code.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from proofs_checks.errors import InputError

TIMEOUT = 10
"""Seconds that a scheduler has to answer."""


class Inline(Executor):
    """Computes at once, in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Engine:
    """An executor, and how many items may be under way at once."""

    executor: Executor
    width: int


@contextmanager
def engine(jobs: int = 1, scheduler: str | None = None) -> Iterator[Engine]:
    """The engine asked for; raises InputError where the cluster does not answer or its package is not there."""
    if scheduler is not None:
        with _cluster(scheduler) as found:
            yield found
    elif jobs > 1:
        with _pool(jobs) as found:
            yield found
    else:
        yield Engine(Inline(), 1)


@contextmanager
def _pool(jobs: int) -> Iterator[Engine]:
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_quiet)
    try:
        yield Engine(pool, jobs + 1)  # one waits, so that no worker does
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def _quiet() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone answers Ctrl-C
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Engine]:
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise InputError("--scheduler needs the extra `cluster`: pip install 'loraproofs[cluster]'") from error
    try:
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"no Dask scheduler answers at {address} ({words})") from error
    try:
        threads: Any = client.nthreads()
        workers = sum(threads.values())
        if not workers:
            raise InputError(f"the Dask cluster at {address} has no workers yet: start some, then run again")
        executor = client.get_executor(pure=False)
        try:
            yield Engine(executor, 2 * workers)
        finally:
            executor.shutdown(wait=False)
    finally:
        client.close()
