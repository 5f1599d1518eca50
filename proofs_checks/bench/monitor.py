"""What the monitor costs: one measurement against one training step, side by side in one process, one thread.

``python -m proofs_checks.bench.monitor --out docs/generated`` measures (some minutes) and writes ``tables/monitor.md``
and ``tables/monitor.json``. The model has SmolLM2-135M's sizes and random weights, and PEFT's LoRA of rank 8; steps
(forward, backward, AdamW) and measurements alternate. Needs transformers and peft.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from proofs_checks.errors import InputError
from proofs_checks.monitor.monitor import Monitor
from proofs_checks.output import write_text

REPEATS = 7
EVERY = 10
"""The callback's default."""


@dataclass(frozen=True)
class Case:
    """Adapted projections, and the tokens of one step."""

    targets: tuple[str, ...]
    batch: int
    tokens: int


CASES = (Case(("v_proj",), 1, 128), Case(("q_proj", "v_proj", "o_proj"), 1, 128), Case(("q_proj", "v_proj"), 4, 256))


def measured(case: Case) -> dict[str, Any]:
    """Seconds of a step and of a measurement, medians, and the ratio of each pair: median, least, largest."""
    try:
        import peft  # pyright: ignore[reportMissingImports]
        import transformers  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise InputError("this measurement needs transformers and peft: pip install transformers peft") from error
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=576, num_attention_heads=9, num_key_value_heads=3, num_hidden_layers=30, intermediate_size=1536,
        vocab_size=49152, tie_word_embeddings=True,
    )  # fmt: skip
    base = transformers.LlamaForCausalLM(config)
    settings = peft.LoraConfig(r=8, lora_alpha=16, target_modules=list(case.targets), init_lora_weights=False)
    model = peft.get_peft_model(base, settings)
    begin = time.process_time()
    monitor = Monitor(model)
    once = time.process_time() - begin
    optimiser = torch.optim.AdamW([x for x in model.parameters() if x.requires_grad], lr=1e-4)
    ids = torch.randint(0, config.vocab_size, (case.batch, case.tokens))
    steps, measurements = [], []
    for k in range(REPEATS + 1):
        begin = time.process_time()
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        middle = time.process_time()
        monitor.step(model, k)
        if k:  # the first pair warms up
            steps.append(middle - begin)
            measurements.append(time.process_time() - middle)
    each = [b / a for a, b in zip(steps, measurements, strict=True)]
    return {
        **asdict(case), "once_s": once, "step_s": statistics.median(steps),
        "measurement_s": statistics.median(measurements), "ratio": statistics.median(each), "low": min(each),
        "high": max(each),
    }  # fmt: skip


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table of the docs."""
    lines = [
        "| adapted | tokens a step | once, s | step, s | measurement, ms | share of a step | with every = 10 |",
        "| --- " * 7 + "|",
    ]
    for r in rows:
        share = f"{100 * r['ratio']:.2f} % ({100 * r['low']:.2f} ... {100 * r['high']:.2f})"
        cells = [
            ", ".join(r["targets"]), f"{r['batch'] * r['tokens']:,}", f"{r['once_s']:.1f}", f"{r['step_s']:.2f}",
            f"{1e3 * r['measurement_s']:.0f}", share, f"{100 * r['ratio'] / EVERY:.2f} %",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.bench.monitor", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write tables/monitor.md and .json below DIR")
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        rows = [measured(case) for case in CASES]
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print(markdown(rows))
    if args.out is not None:
        write_text(args.out / "tables" / "monitor.md", markdown(rows))
        write_text(args.out / "tables" / "monitor.json", json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
