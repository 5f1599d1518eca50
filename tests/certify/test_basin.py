"""The basin map: certified fates against simulations and exact reasons, symmetries, kill and resume, bad input."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from proofs_checks.certify import basin

TABLES = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables"
TOTAL = np.array([[1.5, 0.45], [0.45, 0.5]])
ROWS: list[str] = json.loads((TABLES / "basin.json").read_text(encoding="utf-8"))
FATE = {letter: fate for fate, letter in basin.LETTERS.items()}
FATE |= {letter.upper(): f"{fate}c" for fate, letter in basin.LETTERS.items() if letter != "."}


def simulated(first: float, second: float) -> str:
    """Where two tokens at these angles (radians from u1) end, by an ordinary integrator."""
    tokens = np.array([[np.cos(a), np.sin(a)] for a in (first, second)])
    axis = np.linalg.eigh(TOTAL)[1][:, 1]
    axis = axis * np.sign(axis[0])

    def speed(_: float, flat: np.ndarray) -> np.ndarray:
        x = flat.reshape(2, 2)
        weights = np.exp(x @ TOTAL @ x.T)
        pulled = (weights / weights.sum(1, keepdims=True)) @ x @ TOTAL
        return (pulled - (pulled * x).sum(1, keepdims=True) * x).ravel()

    end = solve_ivp(speed, (0, 200), tokens.ravel(), method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    overlaps = end.reshape(2, 2) @ axis
    assert np.all(abs(overlaps) > 0.999)
    return "".join("+" if x > 0 else "-" for x in overlaps)


def disagreements(rows: list[str], count: int, seed: int) -> tuple[int, list[tuple[int, int]]]:
    """How many points of random decided cells were simulated, and the cells whose fate is another.

    A random point where the whole cell is certified, else its centre.
    """
    source, cells = random.Random(seed), len(rows)
    compared, wrong = 0, []
    while compared < count:
        i, k = source.randrange(cells), source.randrange(cells)
        fate = FATE[rows[i][k]]
        if fate == "??":
            continue
        compared += 1
        inside = [0.5, 0.5] if fate.endswith("c") else [source.random(), source.random()]
        first, second = (2 * np.pi * ((x + y) / cells - 0.5) for x, y in zip((i, k), inside, strict=True))
        if simulated(first, second) != fate[:2]:
            wrong.append((i, k))
    return compared, wrong


def test_the_committed_map_is_large_and_decided() -> None:
    assert len(ROWS) ** 2 >= 10_000
    assert {len(row) for row in ROWS} == {len(ROWS)}
    letters = Counter(letter for row in ROWS for letter in row)
    assert letters["."] <= 0.05 * len(ROWS) ** 2  # of the points of the grid, the centres
    assert sum(letters[x] for x in "pmsz") >= 0.9 * len(ROWS) ** 2  # of whole cells
    assert all(letters[x] > 0.02 * len(ROWS) ** 2 for x in "pmsz")
    grid = [[FATE[x] for x in row] for row in ROWS]
    assert (TABLES / "basin.md").read_text(encoding="utf-8") == basin.markdown(grid)


def test_simulations_agree_with_the_committed_map() -> None:
    assert disagreements(ROWS, 60, seed=1) == (60, [])


@pytest.mark.slow
def test_many_simulations_agree_with_the_committed_map() -> None:
    assert disagreements(ROWS, 1_000, seed=2) == (1_000, [])


def test_a_wrong_map_is_noticed() -> None:
    flipped = [row.translate(str.maketrans("pmszPMSZ", "mpzsMPZS")) for row in ROWS]
    _, wrong = disagreements(flipped, 20, seed=3)
    assert len(wrong) == 20


def test_cells_of_the_committed_map_are_found_again() -> None:
    cells, source = len(ROWS), random.Random(4)
    chosen = [(source.randrange(cells), source.randrange(cells)) for _ in range(12)]
    # the deepest cuts are left out here: what is decided without them must be what the map says
    width = Fraction(1, cells)
    found = [basin.box_fate(i * width - Fraction(1, 2), k * width - Fraction(1, 2), width, depth=1) for i, k in chosen]
    settled = [(f, FATE[ROWS[i][k]]) for f, (i, k) in zip(found, chosen, strict=True) if f != "??"]
    assert len(settled) >= 6
    assert all(f == known for f, known in settled)


def test_tokens_on_one_side_of_the_hyperplane_go_to_that_side() -> None:
    """The half-space lemma: ũ1 is 20.99 degrees from u1, so that ±69 degrees and less are on its side."""
    degree = Fraction(1, 360)
    assert basin.box_fate(-60 * degree, 100 * degree, degree) == "++"
    assert basin.box_fate(125 * degree, -80 * degree, degree) == "--"
    # a box about the corner where both are on the hyperplane has pairs of both fates
    assert basin.box_fate(Fraction(-70, 360), Fraction(-70, 360), 2 * degree, depth=1) == "??"


def test_orbits_cover_the_map_once() -> None:
    cells = 12
    seen = [cell for one in basin.representatives(cells) for cell in basin.orbit(one, cells)]
    assert sorted(seen) == [(i, k) for i in range(cells) for k in range(cells)]


def test_the_symmetries_are_those_of_the_flow() -> None:
    for first, second in ((0.3, 2.9), (-1.9, 0.8), (2.2, -0.4)):
        fate = simulated(first, second)
        assert simulated(second, first) == basin.moved(fate, "swap")
        assert simulated(first + np.pi, second + np.pi) == basin.moved(fate, "opposite")
        assert simulated(second + np.pi, first + np.pi) == basin.moved(fate, "both")


def run(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "proofs_checks.certify.basin", "--cells", "12", *arguments]


def shares(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return {k: found[k] for k in ("schema", "command", "cells", "shares", "fates")}


@pytest.mark.slow
def test_killed_and_resumed_it_is_the_same(tmp_path: Path) -> None:
    whole, resumed, store = tmp_path / "whole.json", tmp_path / "resumed.json", tmp_path / "store"
    subprocess.run(run("--store", str(tmp_path / "other"), "--json", str(whole)), check=True, capture_output=True)
    process = subprocess.Popen(run("--store", str(store)), start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(store.glob("blocks/*.json")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = {p: p.stat().st_mtime_ns for p in store.glob("blocks/*.json")}
    assert kept
    subprocess.run(run("--store", str(store), "--resume", "--json", str(resumed)), check=True, capture_output=True)
    assert shares(whole) == shares(resumed)
    assert all(p.stat().st_mtime_ns == when for p, when in kept.items())


def test_interrupted_it_exits_with_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(basin, "basin", interrupted)
    assert basin.main(["--cells", "4", "--store", str(tmp_path)]) == 130
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize("cells", ["0", "3", "-2", "4096"])
def test_bad_sizes_are_one_line(cells: str, tmp_path: Path, capsys: Any) -> None:
    assert basin.main(["--cells", cells, "--store", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    (tmp_path / "file").write_text("")
    assert basin.main(["--cells", "4", "--store", str(tmp_path / "file")]) == 2
