"""The same bytes in this process, in a pool, on a cluster that loses a worker, and after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proofs_checks import cli
from proofs_checks.errors import InputError
from proofs_checks.sweep import run as module
from proofs_checks.sweep.engines import Engine, Inline, engine

GRID = ("sweep", "norm", "--depths", "64,128", "--eta", "0.3,1,3", "--tokens", "4", "--dim", "3", "--seeds", "48",
        "--block", "4", "--seed", "5")  # fmt: skip
ITEMS = 24


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def swept(folder: Path, *more: str) -> int:
    return cli.main([*GRID, "--out", str(folder), "--json", str(folder.with_suffix(".json")), *more])


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sweep") / "inline"
    assert swept(folder) in (0, 1)
    found = files(folder)
    assert len(found) == ITEMS + 1
    return found


def test_a_pool_writes_the_same_bytes(tmp_path: Path, inline: dict[str, bytes]) -> None:
    swept(tmp_path / "pool", "--jobs", "2")
    assert files(tmp_path / "pool") == inline


def test_another_seed_writes_others(tmp_path: Path, inline: dict[str, bytes]) -> None:
    cli.main([*GRID[:-1], "6", "--out", str(tmp_path / "other")])
    other = files(tmp_path / "other")
    assert not set(other) & set(inline) - {"sweep.json"}
    assert not set(other.values()) & set(inline.values())  # not the names alone


def _children(process: int) -> list[Path]:
    """The folders of the children in /proc, which go when they end."""
    found = Path(f"/proc/{process}/task/{process}/children")
    return [Path(f"/proc/{x}") for x in found.read_text().split()] if found.exists() else []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, inline: dict[str, bytes], jobs: str) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "proofs_checks.cli", *GRID, "--out", str(folder), "--jobs", jobs]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: len(files(folder)) >= 5 if folder.exists() else False)
    finally:
        workers = _children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (len(workers) >= 2) == (jobs == "2")
    _wait(lambda: not any(w.exists() for w in workers))
    there = files(folder)
    assert len(there) < ITEMS + 1, "it was done before it was killed: make the grid larger"
    assert all(inline[name] == content for name, content in there.items() if not Path(name).name.startswith("."))
    swept(folder, "--resume")
    assert {k: v for k, v in files(folder).items() if not Path(k).name.startswith(".")} == inline
    computed = json.loads((tmp_path / "killed.json").read_text())["computed"]
    assert computed == ITEMS + 1 - len([k for k in there if not Path(k).name.startswith(".")])


def test_a_pool_that_loses_its_processes_starts_again(
    tmp_path: Path, inline: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    @contextmanager
    def fragile(jobs: int, scheduler: str | None) -> Iterator[Engine]:
        with engine(jobs, scheduler) as found:
            started.append(found)
            if len(started) == 1:
                found.executor.submit(os._exit, 1)
            yield found

    monkeypatch.setattr(module, "engine", fragile)
    swept(tmp_path / "pool", "--jobs", "2")
    assert len(started) == 2
    assert files(tmp_path / "pool") == inline


@contextmanager
def cluster(directory: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers of one thread on loopback, each a process of its own."""
    pytest.importorskip("distributed")
    log = directory / "scheduler.log"
    common = ["--no-dashboard"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as stream:
            scheduler = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common],
                stdout=stream, stderr=stream,
            )  # fmt: skip
        processes.append(scheduler)
        _wait(lambda: b"Scheduler at" in log.read_bytes())
        address = re.findall(rb"Scheduler at:\s+(tcp://[\d.]+:\d+)", log.read_bytes())[0].decode()
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", *common,
                 "--local-directory", str(directory)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]  # fmt: skip
        processes += workers
        _wait(lambda: log.read_bytes().count(b"Register worker") + log.read_bytes().count(b"Starting worker") >= 2)
        yield address, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait(ready, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_loses_a_worker_writes_the_same_bytes(tmp_path: Path, inline: dict[str, bytes]) -> None:
    folder = tmp_path / "cluster"
    with cluster(tmp_path) as (address, workers):
        command = [sys.executable, "-m", "proofs_checks.cli", *GRID, "--out", str(folder), "--scheduler", address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _wait(lambda: len(files(folder)) >= 3 if folder.exists() else False)
        assert len(files(folder)) < ITEMS + 1
        workers[0].kill()
        _, errors = process.communicate(timeout=120)
        assert process.returncode in (0, 1), errors.decode()
    assert files(folder) == inline


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    assert swept(tmp_path / "none", "--scheduler", "tcp://127.0.0.1:9") == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_an_item_that_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    future = Inline().submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        future.result()
    grid = ("--depths", "4", "--eta", "1e300,1e305", "--tokens", "2", "--seeds", "2")
    assert cli.main(["sweep", "norm", *grid, "--out", str(tmp_path / "run")]) == 2
    assert "an item of random, n = 2, d = 8, r = 4, gap 0.5 at {'depth': 4} failed" in capsys.readouterr().err


def test_a_missing_extra_prints_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(InputError, match=r"loraproofs\[cluster\]"), engine(1, "tcp://127.0.0.1:9"):
        pass
