"""What a simulation costs: CPU time and memory of layered clouds against n, d, L, r and the batch, one thread.

``python -m proofs_checks.bench.cost --out docs/generated`` measures (some minutes) and writes ``tables/cost.md`` and
``tables/cost.json``. Every measurement runs in a process of its own, so that its peak memory is its own; times are
CPU seconds, the median of three runs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from numerics.adapters import AdapterLaw
from numerics.field import AttentionField, normalised
from numerics.kernel import layers
from numerics.kernel.library import library
from numerics.layered import layered_states
from numerics.linear_map import LinearMap
from numerics.transport import exact_w2, identity_coupling, sliced_w2
from proofs_checks.output import write_text

REPEATS = 3
RATIO_REPEATS = 7


@dataclass(frozen=True)
class Size:
    """One layered simulation: B clouds of n tokens in R^d, L layers, adapters of rank r."""

    batch: int = 100
    tokens: int = 16
    d: int = 8
    depth: int = 64
    rank: int = 4


GRIDS: dict[str, tuple[int, ...]] = {
    "tokens": (16, 32, 64, 128, 256, 512, 1_024, 2_048),
    "d": (4, 8, 16, 32, 64, 128),
    "depth": (16, 64, 256, 1_024),
    "rank": (1, 4, 16, 64),
    "batch": (25, 50, 100, 400, 1_600),
}
BASES = {"tokens": Size(batch=4, depth=16), "d": Size(depth=32), "rank": Size(d=64, depth=32)}
ASYMPTOTIC = {"tokens": 256, "d": 32, "depth": 64, "rank": 4, "batch": 100}
"""From which value on the exponent is read."""


def start(size: Size, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Tokens and V = A."""
    generator = torch.Generator().manual_seed(0)
    tokens = normalised(torch.randn(size.batch, size.tokens, size.d, generator=generator, dtype=dtype))
    return tokens, torch.diag(torch.linspace(1, 0, size.d, dtype=dtype))


def layered(size: Size) -> None:
    """This project's layered simulation, with the adapters drawn along the way.

    The compiled kernel takes the clouds one by one, all in one call; torch gets blocks whose logits fit the cache.
    """
    tokens, V = start(size)
    compiled = size.tokens <= layers.LARGEST and library() is not None
    block = size.batch if compiled else max(1, min(size.batch, 25_600 // size.tokens**2))
    for k in range(0, size.batch, block):
        part = tokens[k : k + block]
        law = AdapterLaw(weights=(1.0,) * size.rank).layers(len(part), size.d, torch.Generator().manual_seed(k))
        for _ in layered_states(part, V.diagonal(), V, h=4.0 / size.depth, depth=size.depth, adapters=law):
            pass


def plain(size: Size) -> None:
    """The loop that one writes first: d×d adapters, softmax, all instances at once."""
    x, V = start(size)
    h, d = 4.0 / size.depth, size.d
    generator = torch.Generator().manual_seed(0)
    for _ in range(size.depth):
        u = torch.randn(size.batch, d, size.rank, generator=generator, dtype=torch.float64)
        v = torch.randn(size.batch, d, size.rank, generator=generator, dtype=torch.float64)
        update = u @ v.mT / d
        mean = torch.softmax(x @ V.mT @ x.mT, dim=-1) @ x
        x = x + h * (mean @ (V + update).mT)
        x = x / x.norm(dim=-1, keepdim=True)


def right_hand_side(tokens: int) -> None:
    """One evaluation of the vector field of one cloud, d = 8."""
    x, V = start(Size(batch=1, tokens=tokens))
    field = AttentionField(LinearMap(V.unsqueeze(0)), LinearMap(V.unsqueeze(0)))
    field(x.new_zeros(1), x)


def ten_layers(tokens: int) -> None:
    """Ten layers of one cloud, d = 8."""
    layered(Size(batch=1, tokens=tokens, depth=10))


def exact_distance(tokens: int) -> None:
    """W2 of two random clouds, exactly."""
    x, y = start(Size(batch=2, tokens=tokens))[0]
    exact_w2(x, y)


def bounded_distance(tokens: int) -> None:
    """The sliced lower bound (64 directions) and the identity coupling of two random clouds."""
    x, y = start(Size(batch=2, tokens=tokens))[0].unsqueeze(1)
    sliced_w2(x, y, normalised(torch.randn(64, 8, dtype=torch.float64)))
    identity_coupling(x, y)


def _measured(work: Callable[[Any], None], argument: Any, repeats: int, out: Any) -> None:
    torch.set_num_threads(1)
    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work(argument)
        times.append(time.process_time() - begin)
    out.put((statistics.median(times), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - baseline) / 1_024))


def measure(work: Callable[[Any], None], argument: Any, repeats: int = REPEATS) -> tuple[float, float]:
    """CPU seconds and added peak memory (MiB) of the work, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    process = context.Process(target=_measured, args=(work, argument, repeats, out))
    process.start()
    found = out.get()
    process.join()
    return found


def exponent(values: list[float], results: list[float]) -> float:
    """Slope in log-log."""
    return float(np.polyfit(np.log(values), np.log(results), 1)[0])


def table() -> dict[str, Any]:
    """Everything measured, as plain JSON values."""
    found: dict[str, Any] = {"rows": [], "exponents": {}, "large": {}}
    work = [(name, value) for name, grid in GRIDS.items() for value in grid]
    bar = Console(stderr=True)
    for name, value in track(work, "measuring", console=bar, disable=not sys.stderr.isatty()):
        size = replace(BASES.get(name, Size()), **{name: value})
        seconds, memory = measure(layered, size)
        found["rows"].append({"varied": name, **asdict(size), "cpu_s": seconds, "mib": memory})
    for name in GRIDS:
        rows = [r for r in found["rows"] if r["varied"] == name and r[name] >= ASYMPTOTIC[name]]
        found["exponents"][name] = exponent([r[name] for r in rows], [r["cpu_s"] for r in rows])
    for label, job, n in (
        ("one right-hand side, n = 65,536", right_hand_side, 65_536),
        ("ten layers, n = 65,536", ten_layers, 65_536),
        ("exact W2, n = 1,024", exact_distance, 1_024),
        ("exact W2, n = 4,096", exact_distance, 4_096),
        ("bounds of W2, n = 65,536", bounded_distance, 65_536),
    ):
        seconds, memory = measure(job, n, 1)
        found["large"][label] = {"cpu_s": seconds, "mib": memory}
    found["ratio"] = ratio()
    return found


def ratio(size: Size | None = None) -> dict[str, float]:
    """Token-layers per CPU second of :func:`layered` over those of :func:`plain`, alternating in one process."""
    torch.set_num_threads(1)
    size = size or Size(batch=1_000, depth=256)
    work = size.batch * size.tokens * size.depth
    rates: dict[str, list[float]] = {"layered": [], "plain": []}
    for _ in range(RATIO_REPEATS):
        for name, job in (("layered", layered), ("plain", plain)):
            begin = time.process_time()
            job(size)
            rates[name].append(work / (time.process_time() - begin))
    each = [a / b for a, b in zip(rates["layered"], rates["plain"], strict=True)]
    return {
        "layered": statistics.median(rates["layered"]), "plain": statistics.median(rates["plain"]),
        "ratio": statistics.median(each), "low": min(each), "high": max(each),
    }  # fmt: skip


def markdown(found: dict[str, Any]) -> str:
    """The tables of the docs."""
    lines = ["| varied | clouds | n | d | L | r | CPU s | MiB | ns per token-layer |", "| --- " * 9 + "|"]
    for r in found["rows"]:
        each = 1e9 * r["cpu_s"] / (r["batch"] * r["tokens"] * r["depth"])
        numbers = [r["batch"], r["tokens"], r["d"], r["depth"], r["rank"]]
        cells = [r["varied"], *(f"{x:,}" for x in numbers), f"{r['cpu_s']:.3g}", f"{r['mib']:.0f}", f"{each:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| grows with | exponent of the CPU time | from |", "| --- | --- | --- |"]
    lines += [f"| {k} | {x:.2f} | {ASYMPTOTIC[k]:,} |" for k, x in found["exponents"].items()]
    lines += ["", "| | CPU s | MiB |", "| --- | --- | --- |"]
    lines += [f"| {k} | {x['cpu_s']:.3g} | {x['mib']:.0f} |" for k, x in found["large"].items()]
    r = found["ratio"]
    lines += [
        "", "| (clouds, n, d, L, r) = (1,000, 16, 8, 256, 4) | token-layers per CPU second |", "| --- | --- |",
        f"| this project | {r['layered'] / 1e6:.2f} million |",
        f"| a plain loop over layers with d×d adapters | {r['plain'] / 1e6:.2f} million |",
        f"| ratio, side by side | {r['ratio']:.2f} ({r['low']:.2f} ... {r['high']:.2f}) |",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.bench.cost", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write tables/cost.md and tables/cost.json below DIR")
    parser.add_argument("--ratio", action="store_true", help="only the ratio to the plain loop")
    args = parser.parse_args()
    if args.ratio:
        print(json.dumps(ratio(), indent=1))
        return
    found = table()
    print(markdown(found))
    if args.out is not None:
        write_text(args.out / "tables" / "cost.md", markdown(found))
        write_text(args.out / "tables" / "cost.json", json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
