"""The basin map: where two tokens in the plane go under V + ΔV, certified for whole cells of initial angles.

``python -m proofs_checks.certify.basin`` computes it (resumable); with ``--out docs/generated`` it writes the table and
the figure of the docs. A = V and the pair of the quoted criterion's counterexample: V = diag(3/2, 1/2), ΔV = 9/20 off
the diagonal, so that gap + a = 1 > 2||b|| + ||E|| = 9/10. A cell is a square of initial angles to u1, and its fate
holds for every pair of tokens in it. Cells that are not decided at once are cut into four, and those again; where that
does not settle them (near the boundary of two fates), the pair at the centre of the cell alone is certified.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from fractions import Fraction
from functools import cache
from pathlib import Path

from flint import arb, arb_mat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from numerics.enclosure.balls import Vector, exact_matrix, precision, rational
from numerics.enclosure.limits import Target, limit_signs
from numerics.enclosure.plane import PlaneField
from numerics.enclosure.segments import NotEnclosed, State, integrate, start
from numerics.enclosure.spectrum import spectrum
from proofs_checks.commands.options import add_json, add_store
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json, write_text
from proofs_checks.store import Run, Store

CELLS, DEPTH, BITS, CENTRE_BITS, CHUNK = 160, 4, 20, 40, 16
HORIZON, STEP = Fraction(8), Fraction(1, 8)
V = ((Fraction(3, 2), Fraction(0)), (Fraction(0), Fraction(1, 2)))
DV = ((Fraction(0), Fraction(9, 20)), (Fraction(9, 20), Fraction(0)))
FATES = {"++": "both to ũ1", "--": "both to -ũ1", "+-": "split", "-+": "split", "??": "undecided"}
"""Fate of the first and the second token: + is ũ1, - is -ũ1. A third letter c: of the centre of the cell only."""
LETTERS = {"++": "p", "--": "m", "+-": "s", "-+": "z", "??": "."}
_OPPOSITE = {"+": "-", "-": "+", "?": "?"}
Cell = tuple[int, int]


@cache
def _flow(bits: int) -> tuple[PlaneField, Target, arb_mat, arb]:
    """Field, target and A in the frame of ũ1, and the angle of ũ1 from u1 (turns)."""
    with precision(bits):
        total = exact_matrix([[x + y for x, y in zip(r, s, strict=True)] for r, s in zip(V, DV, strict=True)])
        found = spectrum(total)
        first, second = found.leading, found.second
        axis = [arb(1), arb(0)]
        aim = Target(first, abs(second), axis, axis, symmetric=True)
        moved_by = (found.eigenvector[1] / found.eigenvector[0]).atan() / (2 * arb.pi())
        field = PlaneField((first + second) / 2, (first - second) / 2)
        return field, aim, arb_mat([[first, 0], [0, second]]), moved_by


def angles(turn: Fraction, width: Fraction, moved_by: arb) -> Vector:
    """The angle (radians) from ũ1 of everything that is ``turn`` to ``turn + width`` turns from u1, in a ball."""
    middle, half = arb(rational(turn + width / 2)), arb(rational(width / 2)).upper()
    return [2 * arb.pi() * (middle + arb(0, half) - moved_by)]


def box_fate(first: Fraction, second: Fraction, width: Fraction, depth: int = DEPTH) -> str:
    """The fate of every pair of tokens at angles from ``first`` and ``second`` (turns), ``width`` wide.

    ``??`` where it is not settled, or differs within the box.
    """
    found = _at_once(first, second, width, BITS)
    if found != "??" or depth == 0:
        return found
    half = width / 2
    seen: set[str] = set()
    for x in (first, first + half):
        for y in (second, second + half):
            seen.add(box_fate(x, y, half, depth - 1))
            if len(seen) > 1 or "??" in seen:
                return "??"
    return seen.pop()


def centre_fate(first: Fraction, second: Fraction, width: Fraction) -> str:
    """The fate of the pair of tokens in the middle of the box, with a c behind it where it is settled."""
    found = _at_once(first + width / 2, second + width / 2, Fraction(0), CENTRE_BITS)
    return found if found == "??" else f"{found}c"


def _at_once(first: Fraction, second: Fraction, width: Fraction, bits: int) -> str:
    field, aim, attention, moved_by = _flow(bits)

    def signs(state: State) -> list[int] | None:
        tokens = [[angle.cos(), angle.sin()] for (angle,) in state.balls()]
        return limit_signs(aim, tokens, attention)

    with precision(bits):
        begin = start([angles(first, width, moved_by), angles(second, width, moved_by)])
        try:
            end = integrate(field, begin, HORIZON, lambda state: signs(state) is not None, bits, STEP)[-1]
        except NotEnclosed:
            return "??"
        found = signs(end)
    return "??" if found is None else "".join("+" if s == 1 else "-" for s in found)


def orbit(cell: Cell, cells: int) -> dict[Cell, str]:
    """The cells that symmetry makes equal to this one, and how: the tokens ``swap``ped, both made ``opposite``."""
    i, k = cell
    far_i, far_k = (i + cells // 2) % cells, (k + cells // 2) % cells
    return {(far_k, far_i): "both", (far_i, far_k): "opposite", (k, i): "swap", (i, k): "same"}


def moved(fate: str, how: str) -> str:
    """The fate of the cell that is reached so."""
    pair, rest = fate[:2], fate[2:]
    pair = pair[::-1] if how in ("swap", "both") else pair
    return ("".join(_OPPOSITE[x] for x in pair) if how in ("opposite", "both") else pair) + rest


def representatives(cells: int) -> list[Cell]:
    """One cell of each orbit, in a fixed order."""
    return [(i, k) for i in range(cells) for k in range(cells) if (i, k) == min(orbit((i, k), cells))]


def fates_of(chunk: list[Cell], cells: int) -> list[str]:
    """The certified fates of some cells of the ``cells``×``cells`` map; angles from -π."""
    width, found = Fraction(1, cells), []
    for i, k in chunk:
        box = (i * width - Fraction(1, 2), k * width - Fraction(1, 2), width)
        fate = box_fate(*box)
        found.append(centre_fate(*box) if fate == "??" else fate)
    return found


def _chunks(cells: int) -> list[list[Cell]]:
    """Cells far apart from each other in each chunk, so that all take about as long."""
    found = representatives(cells)
    count = -(-len(found) // CHUNK)
    return [found[k::count] for k in range(count)]


def _results(cells: int, run: Run) -> Iterator[tuple[list[Cell], list[str]]]:
    """Chunks with their fates: those that are kept first, the rest as they are computed."""
    waiting = []
    for number, chunk in enumerate(_chunks(cells)):
        known = run.known(_name(cells, number))
        if known is None:
            waiting.append((number, chunk))
        else:
            yield chunk, known["fates"]
    if not waiting:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(waiting)), context, initializer=_quiet) as pool:
        jobs = {pool.submit(fates_of, chunk, cells): (number, chunk) for number, chunk in waiting}
        try:
            for job in as_completed(jobs):
                number, chunk = jobs[job]
                run.keep(_name(cells, number), {"fates": job.result()})
                yield chunk, job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _quiet() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone answers Ctrl-C


def _name(cells: int, number: int) -> str:
    return f"basin {cells} {number} {DEPTH} {HORIZON} {BITS} {CENTRE_BITS} {V} {DV}"


def basin(cells: int, run: Run) -> list[list[str]]:
    """The whole map, ``[i][k]``: the fate of tokens in cell i and cell k."""
    grid = [["??"] * cells for _ in range(cells)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("certifying", total=len(_chunks(cells)))
        for chunk, fates in _results(cells, run):
            for cell, fate in zip(chunk, fates, strict=True):
                for (i, k), how in orbit(cell, cells).items():
                    grid[i][k] = moved(fate, how)
            progress.advance(task)
    return grid


def shares(grid: list[list[str]]) -> dict[str, dict[str, float]]:
    """Fate in words → share of the cells that have it as a whole (``whole``), or at least at their centre."""
    total = len(grid) ** 2
    whole = Counter(FATES[fate] for row in grid for fate in row if len(fate) == 2)
    centre = Counter(FATES[fate[:2]] for row in grid for fate in row)
    return {
        name: {"whole": whole[name] / total, "centre": centre[name] / total} for name in dict.fromkeys(FATES.values())
    }


def table_rows(grid: list[list[str]]) -> list[tuple[str, str, str, str, str]]:
    """Fate, cells with it at the centre and their share, cells with it as a whole and their share."""
    total = len(grid) ** 2
    found = shares(grid)
    undecided = 1 - sum(x["whole"] for name, x in found.items() if name != FATES["??"])
    result = []
    for name, share in found.items():
        whole = undecided if name == FATES["??"] else share["whole"]
        numbers = [f(x) for x in (share["centre"], whole) for f in (lambda x: f"{round(x * total):,}", _percent)]
        result.append((name, numbers[0], numbers[1], numbers[2], numbers[3]))
    return result


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def markdown(grid: list[list[str]]) -> str:
    """The table of the docs."""
    size = f"{len(grid)}×{len(grid)}"
    lines = [f"| fate ({size} cells) | of the centre | share | of all tokens of the cell | share |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [f"| {' | '.join(row)} |" for row in table_rows(grid)]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Command line: 0 computed, 2 bad input, 130 interrupted (finished chunks are kept)."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.certify.basin", description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS, metavar="N", help=f"cells a side, even (default {CELLS})")
    parser.add_argument("--resume", action="store_true", help="keep what an interrupted run has computed")
    parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="write table and figure below DIR")
    add_store(parser)
    add_json(parser)
    args = parser.parse_args(argv)
    try:
        if args.cells < 2 or args.cells % 2 or args.cells > 2_048:
            raise InputError(f"--cells {args.cells}: give an even number from 2 to 2048")
        grid = basin(args.cells, Run(Store(args.store), resume=args.resume))
        _print(console(args.json), grid)
        if args.out is not None:
            write_all(args.out, grid)
        emit_json(document("basin", None, cells=args.cells, shares=shares(grid), fates=_rows(grid)), args.json)
    except InputError as error:
        print(f"basin: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("basin: interrupted; finished chunks are kept, continue with --resume", file=sys.stderr)
        return 130
    return 0


def write_all(folder: Path, grid: list[list[str]]) -> None:
    """Write the map, its table and its figure below ``folder`` (``tables``, ``figures``)."""
    from proofs_checks.certify.basin_figure import draw  # matplotlib is an extra

    write_text(folder / "tables" / "basin.json", json.dumps(_rows(grid), indent=0) + "\n")
    write_text(folder / "tables" / "basin.md", markdown(grid))
    draw(grid, folder / "figures" / "basin.svg")


def _rows(grid: list[list[str]]) -> list[str]:
    """One string a row of the map, one character a cell: p both to ũ1, m both to -ũ1, s and z split, . undecided.

    Capital letters: certified for the centre of the cell only.
    """
    return ["".join(LETTERS[f[:2]].upper() if len(f) > 2 else LETTERS[f] for f in row) for row in grid]


def _print(out: Console, grid: list[list[str]]) -> None:
    table = Table(title=f"Certified fates of {len(grid) ** 2:,} cells", title_justify="left")
    for column in ("fate", "of the centre", "share", "of all tokens of the cell", "share"):
        table.add_column(column, justify="left" if column == "fate" else "right")
    for row in table_rows(grid):
        table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
