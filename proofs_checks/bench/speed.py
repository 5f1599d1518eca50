"""``make bench``: work-precision of this project and its peers, CPU time at equal measured error, side by side.

Writes ``tables/bench.json``, ``tables/bench.md`` and ``figures/bench.*`` below ``--out``. Times are process CPU seconds
of one thread; the peers take turns within each round, so that a disturbance meets all of them. The error is the largest
chordal distance of a token from this project's own integrator in pure torch at tolerance 1e-13, at any output; the
scipy peer is an independent check of that reference. A first call, in which XLA compiles, is not counted.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from proofs_checks.bench.peers import PEERS, Missing, Problem, peer_versions, problem, this_project_in_torch
from proofs_checks.output import document, dumps, write_text
from proofs_checks.pictures import new_figure, save_figure

SIZES: dict[str, tuple[int, int, int, float]] = {
    "(256, 32, 16)": (256, 32, 16, 10.0),
    "(64, 64, 64)": (64, 64, 64, 10.0),
    "(16, 256, 64)": (16, 256, 64, 10.0),
    "(1, 8192, 64)": (1, 8_192, 64, 10.0),
}
"""Name → clouds, tokens, dimension, T."""
TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)
BEST = ("loraproofs, kernel", "loraproofs, torch")
_MORE = (1e-1, 1e-2, 1e-12)
"""Further tolerances for this project, so that its curve covers the errors of all peers."""
_REFERENCE = 1e-13
_CALL_LIMIT = 60.0
"""CPU seconds: a peer that took longer is asked for no tighter tolerance."""

Point = dict[str, Any]


def measure(
    p: Problem, peers: list[str], tolerances: tuple[float, ...], rounds: int
) -> tuple[list[Point], dict[str, str]]:
    """A point for each peer and tolerance with the CPU seconds of all rounds; and why some peers are missing."""
    reference = this_project_in_torch(p, _REFERENCE)
    points: dict[tuple[str, float], Point] = {}
    missing: dict[str, str] = {}
    for number in range(rounds + 1):
        for tolerance in sorted({*tolerances, *_MORE}, reverse=True):
            for name in peers if tolerance in tolerances else [x for x in peers if x in BEST]:
                if name in missing or points.get((name, tolerance), {}).get("skip"):
                    continue
                begin = time.process_time()
                try:
                    found = PEERS[name](p, tolerance)
                except (Missing, ImportError) as reason:
                    missing[name] = str(reason)
                    continue
                seconds = time.process_time() - begin
                point = points.setdefault((name, tolerance), {"peer": name, "tolerance": tolerance, "times": []})
                if number == 0:  # compiles, and tells the error
                    point["error"] = float((found - reference).norm(dim=-1).max())
                    for tighter in (t for t in tolerances if t < tolerance and seconds > _CALL_LIMIT):
                        points[name, tighter] = {"skip": True}
                else:
                    point["times"].append(seconds)
    return [x for x in points.values() if x.get("times")], missing


def at_error(points: list[Point], error: float, number: int) -> float:
    """CPU seconds of a round at an error, interpolated in log-log; NaN outside the errors that were reached."""
    curve = sorted((math.log(x["error"]), math.log(x["times"][number])) for x in points if x["error"] > 0)
    wanted = math.log(error)
    for (e0, t0), (e1, t1) in pairwise(curve):
        if e0 <= wanted <= e1:
            return math.exp(t0 + (t1 - t0) * (wanted - e0) / (e1 - e0) if e1 > e0 else t0)
    return math.nan


def rows_of(size: str, outputs: int, points: list[Point]) -> list[dict[str, Any]]:
    """Rows of ``bench.json``; ``ratio`` is the CPU time over that of this project at the same error."""
    names = {x["peer"] for x in points}
    own_name = next(name for name in BEST if name in names)
    own = [x for x in points if x["peer"] == own_name]
    rows = []
    for x in points:
        each = [t / at_error(own, x["error"], k) for k, t in enumerate(x["times"])] if x["error"] > 0 else [math.nan]
        rows.append({
            "peer": x["peer"], "size": size, "outputs": outputs, "tolerance": x["tolerance"], "error": x["error"],
            "cpu_s": statistics.median(x["times"]), "ratio": statistics.median(each), "low": min(each),
            "high": max(each), "against": own_name,
        })  # fmt: skip
    return rows


def markdown(rows: list[dict[str, Any]], missing: dict[str, dict[str, str]]) -> str:
    """The table of the docs: for each size and peer the point of the smallest error that can be compared."""
    lines = [
        "| size (B, n, d) | outputs | peer | error | CPU s | times ours at that error | spread |",
        "| --- " * 7 + "|",
    ]
    shown: dict[tuple[str, int, str], dict[str, Any]] = {}
    for r in sorted(rows, key=lambda r: -r["error"]):
        if math.isfinite(r["ratio"]) or (r["size"], r["outputs"], r["peer"]) not in shown:
            shown[r["size"], r["outputs"], r["peer"]] = r
    for (size, outputs, peer), r in sorted(shown.items(), key=lambda x: (list(SIZES).index(x[0][0]), x[0][1])):
        ratio, spread = f"{r['ratio']:.2f}", f"{r['low']:.2f} ... {r['high']:.2f}"
        if not math.isfinite(r["ratio"]):
            ratio, spread = "not reached by ours", ""
        lines.append(f"| {size} | {outputs} | {peer} | {r['error']:.1e} | {r['cpu_s']:.3g} | {ratio} | {spread} |")
    for size, reasons in missing.items():
        lines += [f"| {size} | | {peer} | | | {reason} | |" for peer, reason in reasons.items()]
    return "\n".join(lines) + "\n"


def figure(rows: list[dict[str, Any]], path: Path) -> list[Path]:
    """Work-precision curves, one panel a size, final output."""
    sizes = [s for s in SIZES if any(r["size"] == s for r in rows)]
    drawing = new_figure(4.0 * len(sizes), 3.6)
    colours = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
    for k, size in enumerate(sizes):
        axes = drawing.add_subplot(1, len(sizes), k + 1)
        for name, colour, marker in zip(PEERS, colours, "osD^vP*x", strict=True):
            curve = sorted(
                (r["error"], r["cpu_s"]) for r in rows if (r["size"], r["peer"], r["outputs"]) == (size, name, 1)
            )
            if curve:
                axes.loglog(
                    *zip(*curve, strict=True), color=colour, marker=marker, markersize=4, linewidth=1, label=name
                )
        axes.set_title(f"(B, n, d) = {size}")
        axes.set_xlabel("largest error of a token")
        axes.set_ylabel("CPU seconds" if k == 0 else "")
        axes.legend(fontsize=6)
    return save_figure(drawing, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.bench.speed", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/generated"), metavar="DIR", help="where results go")
    parser.add_argument("--size", action="append", choices=list(SIZES), help="only this size (may be repeated)")
    parser.add_argument("--outputs", type=int, nargs="+", default=[1, 64], metavar="K", help="numbers of outputs")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that are timed")
    parser.add_argument("--tolerances", type=float, nargs="+", default=TOLERANCES, metavar="X")
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="only this peer (may be repeated)")
    parser.add_argument("--T", type=float, help="another end time")
    args = parser.parse_args()
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    torch.set_num_threads(1)
    path = args.out / "tables" / "bench.json"
    rows, missing = [], {}
    with torch.no_grad():
        for size in args.size or SIZES:
            batch, n, d, T = SIZES[size]
            for outputs in args.outputs:
                print(f"{size}, {outputs} outputs", file=sys.stderr)
                chosen = problem(batch, n, d, args.T or T, outputs)
                points, absent = measure(chosen, args.peer or list(PEERS), tuple(args.tolerances), args.rounds)
                rows += rows_of(size, outputs, points)
                if absent:
                    missing[size] = absent
                found = document("bench", 0, rounds=args.rounds, peers=peer_versions(), rows=rows, missing=missing)
                write_text(path, dumps(found))
    print(json.dumps(missing), file=sys.stderr)
    print(markdown(rows, missing))
    write_text(path.with_suffix(".md"), markdown(rows, missing))
    figure(rows, args.out / "figures" / "bench")


if __name__ == "__main__":
    main()
