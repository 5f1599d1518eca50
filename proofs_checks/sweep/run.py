"""Runs the items of a sweep that are not there yet, and keeps each at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from proofs_checks.errors import InputError
from proofs_checks.sweep.engines import Engine, engine
from proofs_checks.sweep.folder import Folder
from proofs_checks.sweep.items import Item, fingerprint
from proofs_checks.sweep.task import packed, work

RESTARTS = 3
"""Times that a pool is built anew after one of its processes was killed."""
Advance = Callable[[Item], None]


def run(items: list[Item], folder: Folder, jobs: int = 1, scheduler: str | None = None) -> int:
    """Compute what is missing; returns how many items were. Raises InputError where workers keep dying."""
    missing = [item for item in items if not folder.done(item)]
    # The longest first: then the workers finish together.
    missing.sort(key=lambda item: -item.cost)
    left = missing
    with _Bar(len(items), missing) as advance:
        for attempt in range(RESTARTS + 1):
            try:
                if left:
                    with engine(jobs, scheduler) as found:
                        _drain(left, folder, found, advance)
                break
            except BrokenExecutor as error:
                left = [item for item in left if not folder.done(item)]
                if attempt == RESTARTS:
                    raise InputError(
                        f"a worker was killed {RESTARTS + 1} times (too little memory?); what is computed is kept: "
                        "continue with --resume and fewer --jobs"
                    ) from error
    return len(missing)


def _drain(items: list[Item], folder: Folder, found: Engine, advance: Advance) -> None:
    """Submit a few at a time, so that a grid of any size is no load on the scheduler."""
    waiting = iter(items)
    under_way: dict[Future[bytes], Item] = {}
    while True:
        while len(under_way) < found.width:
            item = next(waiting, None)
            if item is None:
                break
            under_way[found.executor.submit(work, packed(item, fingerprint()))] = item
        if not under_way:
            return
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            item = under_way.pop(future)
            try:
                content = future.result()
            except (BrokenExecutor, InputError):
                raise
            except Exception as error:
                raise InputError(f"an item of {item.family.name} at {dict(item.point)} failed: {error}") from error
            folder.keep(item, content)
            advance(item)


class _Bar:
    """The bar on stderr where it is a terminal. Time left: what is left of the work, at the speed so far."""

    def __init__(self, total: int, missing: list[Item]) -> None:
        columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
        self.bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
        self.task = self.bar.add_task("", total=total, completed=total - len(missing), left="")
        self.work = sum(item.cost for item in missing)
        self.done = 0.0
        self.started = time.monotonic()

    def __enter__(self) -> Advance:
        self.bar.start()
        return self.advance

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, item: Item) -> None:
        """One item is done."""
        self.done += item.cost
        left = (time.monotonic() - self.started) * (self.work - self.done) / self.done
        self.bar.update(self.task, advance=1, left=words(left))


def words(seconds: float) -> str:
    """A remaining time as people say it."""
    if seconds < 90:
        return f"about {max(seconds, 0):.0f} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 5_400 else f"about {seconds / 3_600:.1f} h left"
