"""``loraproofs experiment NAME``: the paper's experiments on a real language model, with a word for every sentence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from proofs_checks.commands.options import add_run, whole_number
from proofs_checks.experiment import evidence
from proofs_checks.experiment.experiments import EXPERIMENTS
from proofs_checks.experiment.items import Items
from proofs_checks.experiment.language_model import LanguageModel
from proofs_checks.experiment.packages import require
from proofs_checks.experiment.result import Result, in_interval
from proofs_checks.experiment.session import Session
from proofs_checks.experiment.smollm2 import NAME, default_model
from proofs_checks.output import console, document, emit_json
from proofs_checks.pictures import save_figure

LEGEND = "v: the adapters stand on v_proj, as LoRA's; ov: ΔV acts on what attention adds to the residual stream"
PROFILES = {"quick": (1, 40), "full": (3, 150)}
"""Profile → seeds, steps of a training run."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "experiment", help="the paper's experiments on a real language model", description=__doc__
    )
    parser.add_argument("name", choices=tuple(EXPERIMENTS), help="which experiment")
    parser.add_argument(
        "--model", type=Path, metavar="MODEL",
        help=f"a local directory of the Llama family (default {NAME}, converted once into the user's cache)",
    )  # fmt: skip
    parser.add_argument("--seeds", type=whole_number, metavar="N", help="seeds, from --seed on (default 1; full: 3)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="items, evidence and figures (default STORE/experiments)"
    )
    add_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, then the verdicts; always 0 for well-formed input, whatever is found."""
    store = args.store / evidence.FOLDER
    out = store if args.out is None else args.out
    session = opened(args.model, out, args.profile, args.seed, args.seeds, args.resume)
    terminal = console(args.json)
    results = [compute(session) for compute in EXPERIMENTS[args.name]]
    files = []
    for result in results:
        files += [evidence.write(result, folder) for folder in dict.fromkeys((out, store))]
        for name, draw in result.figures.items():
            files += save_figure(draw(), out / "figures" / name)
        _print(terminal, result)
    for path in files:
        terminal.print(str(path), markup=False, soft_wrap=True)
    emit_json(
        document("experiment", args.seed, name=args.name, profile=args.profile,
                 experiments=[evidence.fields(r) for r in results], files=[str(f) for f in files]), args.json,
    )  # fmt: skip
    return 0


def opened(model: Path | None, out: Path, profile: str, seed: int, seeds: int | None, resume: bool) -> Session:
    """The session of these options; loads the model."""
    require("transformers", "accelerate", "peft")
    many, steps = PROFILES[profile]
    loaded = LanguageModel(default_model() if model is None else model)
    items = Items(out, loaded.digest, resume, _progress())
    return Session(loaded, items, range(seed, seed + (seeds or many)), steps)


def _progress() -> Any:
    """Counts the items that were computed, on stderr where it is a terminal."""
    done = 0

    def computed() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done} items measured", end="", file=sys.stderr, flush=True)

    return computed


def _print(terminal: Console, result: Result) -> None:
    terminal.print(f"{result.claim}, {result.model}, {result.seeds} seed(s); {result.regime}", markup=False)
    terminal.print(LEGEND, markup=False)
    table = Table(title_justify="left")
    for column in ("sentence", "verdict", "true of", "numbers"):
        table.add_column(column, overflow="fold")
    for s in result.sentences:
        says = s.says + (" (ours)" if s.ours else "")
        table.add_row(says, s.word or "open: too few seeds", f"{s.found[0]} of {s.found[1]}", s.why)
    terminal.print(table)
    numbers = Table(title=f"over the seeds: mean ({in_interval(range(result.seeds))})", title_justify="left")
    for column in result.table[0]:
        numbers.add_column(column, overflow="fold")
    for row in result.table:
        numbers.add_row(*(str(x) for x in row.values()))
    terminal.print(numbers)
