"""``loraproofs sweep norm|depth|gap|rank``: measure the transitions over a grid, and hold the laws against theory."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from proofs_checks.commands.options import add_run, whole_number
from proofs_checks.errors import InputError
from proofs_checks.output import console, document, emit_json
from proofs_checks.sweep import presets
from proofs_checks.sweep.families import POWERS, Clouds, Escapes, Family, Passages, Sweep, checked, summed, well
from proofs_checks.sweep.folder import Folder
from proofs_checks.sweep.grid import integers, numbers
from proofs_checks.sweep.items import items_of
from proofs_checks.sweep.law_words import HEADS, cells
from proofs_checks.sweep.laws import Curves, Law, drawn, laws
from proofs_checks.sweep.run import run as run_items

LARGEST_DEPTH, LARGEST_TOKENS, LARGEST_DIMENSION = 2**20, 2**16, 1_024
GRIDS = ("eta", "depths", "time", "step", "adapters", "tokens", "dim", "rank", "gap", "spectrum", "epsilon", "barrier",
         "seeds", "block", "threshold", "collapsed")  # fmt: skip
"""Options that replace the preset by a grid of the user's own."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "sweep", help="measure the transitions over a grid: norm, depth, gap, rank",
        description="Without grid options: the grids of the profile (docs/sweeps.md). A grid is 0.1,1,10 or "
        "FIRST:LAST:COUNT, evenly spaced in the logarithm.",
    )  # fmt: skip
    parser.add_argument("kind", choices=tuple(presets.KINDS), help="what is varied")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the results (default STORE/sweep-KIND)")
    grid = parser.add_argument_group("grid (any of them replaces the profile's own grid)")
    grid.add_argument("--eta", metavar="GRID", help="x of η = x L^p, p = 1/2, 0 (tied), -1/2, -1 as the theorems say")
    grid.add_argument("--depths", metavar="GRID", help="L")
    grid.add_argument("--time", metavar="T", help="T = hL fixed (default 4)")
    grid.add_argument("--step", metavar="H", help="h fixed instead")
    grid.add_argument("--adapters", metavar="LIST", help="random, tied, ar1:RHO, also off-u1, small-gap, large-gap")
    grid.add_argument("--tokens", metavar="GRID", help="n (norm, gap, rank: default 16; depth: 1)")
    grid.add_argument("--dim", metavar="GRID", help="d (default 8; depth: 3)")
    grid.add_argument("--rank", metavar="GRID", help="r, at Σ s_k² = 4 (default 4)")
    grid.add_argument("--gap", metavar="GRID", help="λ1 - λ2, λ1 = 1 (default 0.5; depth: 0.1)")
    grid.add_argument("--spectrum", metavar="LIST", help="eigenvalues of V instead of --dim and --gap, λ1 first")
    grid.add_argument("--epsilon", metavar="GRID", help="depth: overlaps ε with ũ1")
    grid.add_argument("--barrier", metavar="GRID", help="gap: gap/σ² of the well that a token escapes from")
    grid.add_argument("--seeds", type=whole_number, metavar="N", help="replicas (default 200)")
    grid.add_argument("--block", type=whole_number, metavar="N", help="replicas in one item of work (default 25)")
    grid.add_argument("--threshold", type=float, metavar="D", help="D at which η_c is read (default 0.25)")
    grid.add_argument("--collapsed", action="store_true", help="start with all tokens at u1")
    engine = parser.add_argument_group("where it is computed (the results are the same to the byte)")
    engine.add_argument("--jobs", type=whole_number, default=1, metavar="N", help="processes (default 1)")
    engine.add_argument("--scheduler", metavar="ADDRESS", help="an existing Dask cluster, tcp://HOST:PORT")
    engine.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu or cuda (its own bytes; default cpu)")
    add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate what is missing, then the table of laws: 0 none is broken, 1 one is."""
    device = usable(args.device)
    sweep = chosen(args)
    folder = Folder(args.out if args.out is not None else args.store / f"sweep-{args.kind}")
    folder.begin(sweep, device, args.resume)
    items = items_of(sweep, device)
    count, memory = summed(sweep.families)
    out = console(args.json)
    out.print(f"{count:,} items in {folder.root}, about {memory / 2**20:,.0f} MiB each at most", markup=False)
    computed = run_items(items, folder, args.jobs, args.scheduler)
    tables = folder.tables(sweep, device)
    found = laws(sweep, tables)
    curves = drawn(sweep, tables)
    print_laws(out, found)
    rows = [law_dict(x) for x in found]
    critical = [row for c in curves.values() for row in critical_rows(c)]
    broken = [x for x in found if x.agrees is False]
    emit_json(
        document("sweep", args.seed, kind=args.kind, folder=str(folder.root), items=count, computed=computed,
                 memory=memory, laws=rows, critical=critical), args.json,
    )  # fmt: skip
    return 1 if broken else 0


def usable(device: str) -> str:
    """The device itself; raises InputError where torch has none of the name."""
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {device}: {str(error).splitlines()[0]}") from error
    return device


def chosen(args: argparse.Namespace) -> Sweep:
    """The preset of the profile, or the user's own grid."""
    given = [name for name in GRIDS if getattr(args, name) not in (None, False)]
    if not given:
        return presets.sweep(args.kind, args.profile, args.seed)
    families = {"depth": _passages, "gap": _wells}.get(args.kind, _clouds)(args)
    names = [family.name for family in families]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{twice}: given twice, or two values too near to tell apart in six digits")
    return Sweep(args.kind, tuple(checked(f) for f in families), args.seed)


def _refuse(args: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(args, name) not in (None, False):
            raise InputError(f"--{name} means nothing to sweep {args.kind}")


def _wells(args: argparse.Namespace) -> list[Family]:
    if args.barrier is None:
        return _clouds(args)
    _refuse(args, *(x for x in GRIDS if x not in ("barrier", "gap", "step", "seeds", "block")))
    barriers = numbers(args.barrier, "--barrier")
    step = one(numbers(args.step, "--step"), "--step") if args.step else 0.01
    gaps = numbers(args.gap, "--gap") if args.gap else (1.0,)
    return [Escapes(f"escape, gap {g:g}", barriers, g, step, args.seeds or 400, args.block or 200) for g in gaps]


def _passages(args: argparse.Namespace) -> list[Family]:
    known = ("epsilon", "gap", "tokens", "dim", "seeds", "block")
    _refuse(args, *(x for x in GRIDS if x not in known))
    epsilons = numbers(args.epsilon, "--epsilon") if args.epsilon else (1e-4, 1e-2)
    gaps = numbers(args.gap, "--gap") if args.gap else (0.1,)
    found: list[Family] = []
    for n, d, gap in product(_tokens(args, (1,)), _dims(args, (3,)), gaps):
        seeds = args.seeds or (1 if n == 1 else 10)
        spread = 0.0 if n == 1 else 0.5
        found.append(Passages(f"cutoff, n = {n}, d = {d}, gap {gap:g}", "cutoff", epsilons, gap, d, n, spread,
                              seeds=seeds, block=args.block or seeds))  # fmt: skip
    return found


def _clouds(args: argparse.Namespace) -> list[Family]:
    _refuse(args, "epsilon", *(() if args.kind == "gap" else ("barrier",)))
    if args.time and args.step:
        raise InputError("give --time or --step, not both")
    fixed = "h" if args.step else "T"
    amount = one(numbers(args.step or args.time or "4", f"--{'step' if args.step else 'time'}"), "--time")
    if args.spectrum and (args.dim or args.gap):
        raise InputError("--spectrum already says d and the gap: leave out --dim and --gap")
    ranks = integers(args.rank, "--rank", LARGEST_DIMENSION) if args.rank else (4,)
    base = Clouds("", etas=numbers(args.eta, "--eta") if args.eta else presets.spaced(0.1, 10, 12),
                  depths=integers(args.depths, "--depths", LARGEST_DEPTH) if args.depths else (64, 128, 256),
                  fixed=fixed, amount=amount, seeds=args.seeds or 200, block=args.block or 25,
                  threshold=0.25 if args.threshold is None else args.threshold, collapsed=args.collapsed)  # fmt: skip
    found: list[Family] = []
    for (label, law), n, levels, r in product(_laws(args, fixed), _tokens(args, (16,)), _spectra(args), ranks):
        name = f"{label}, n = {n}, d = {len(levels)}, r = {r}, gap {levels[0] - levels[1]:g}"
        found.append(replace(base, name=name, tokens=n, levels=levels, rank=r, **law))
    return found


def _laws(args: argparse.Namespace, fixed: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for text in (args.adapters or "random").split(","):
        kind, _, rho = text.partition(":")
        law: dict[str, Any] = {"adapters": kind}
        if kind in ("off-u1", "small-gap", "large-gap"):
            law = {"adapters": "random", "directions": kind}
        elif kind == "ar1":
            law["correlation"] = one(numbers(rho or "0.5", "--adapters ar1"), "--adapters ar1")
        elif kind not in ("random", "tied") or rho:
            raise InputError(f"--adapters {text}: known are random, tied, ar1:RHO, off-u1, small-gap, large-gap")
        found.append((text, law | {"power": POWERS[law["adapters"], fixed]}))
    return found


def _tokens(args: argparse.Namespace, default: tuple[int, ...]) -> tuple[int, ...]:
    return integers(args.tokens, "--tokens", LARGEST_TOKENS) if args.tokens else default


def _dims(args: argparse.Namespace, default: tuple[int, ...]) -> tuple[int, ...]:
    return integers(args.dim, "--dim", LARGEST_DIMENSION) if args.dim else default


def _spectra(args: argparse.Namespace) -> list[tuple[float, ...]]:
    if args.spectrum:
        try:
            levels = tuple(float(x) for x in args.spectrum.split(","))
        except ValueError as error:
            raise InputError(f"--spectrum {args.spectrum}: give numbers as 1,0.5,0") from error
        if len(levels) < 2 or not all(abs(x) < 1e6 for x in levels) or levels[0] < max(levels):
            raise InputError(f"--spectrum {args.spectrum}: two or more finite eigenvalues, the largest first")
        return [levels]
    dims = _dims(args, (8,))
    if min(dims) < 2:
        raise InputError("--dim: d must be 2 or more")
    return [well(d, g) for d, g in product(dims, numbers(args.gap, "--gap") if args.gap else (0.5,))]


def one(values: tuple[float, ...], name: str) -> float:
    """The only value; raises InputError where there are several."""
    if len(values) != 1:
        raise InputError(f"{name}: one value, not {len(values)}")
    return values[0]


def law_dict(law: Law) -> dict[str, Any]:
    """Plain JSON values of a row."""
    return asdict(law) | {"agrees": law.agrees}


def critical_rows(c: Curves) -> list[dict[str, Any]]:
    """η_c at every depth with its interval."""
    rows = []
    for k, depth in enumerate(c.family.depths):
        found = c.critical_eta(k)
        rows.append({"family": c.family.name, "depth": depth, **asdict(found)})
    return rows


def print_laws(out: Console, found: list[Law]) -> None:
    """The table of laws."""
    table = Table(title="Laws", title_justify="left")
    for column in HEADS:
        table.add_column(column, justify="right" if column in ("measured", "theory") else "left", overflow="fold")
    for law in found:
        table.add_row(*cells(law))
    out.print(table)
