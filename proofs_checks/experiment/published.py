"""Tables, figures and evidence of finished experiments for the documentation and the package.

``make models-full`` runs all of them and then this: ``python -m proofs_checks.experiment.published RUN``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from proofs_checks.commands.experiment import PROFILES, opened
from proofs_checks.experiment import evidence
from proofs_checks.experiment.experiments import EXPERIMENTS
from proofs_checks.experiment.result import Result, in_interval
from proofs_checks.output import write_text
from proofs_checks.pictures import save_figure

SHIPPED = Path(__file__).parents[1] / "evidence" / evidence.FOLDER


def markdown(result: Result, command: str) -> str:
    """Verdicts and numbers as Markdown, with the command that makes them."""
    seeds = (
        (f"{result.seeds} seed" + ("s" if result.seeds > 1 else ""))
        if result.regime.startswith("fixed")
        else "no seed: nothing is random"
    )
    lines = [f"`{result.claim}`: **`{result.word or 'open'}`** ({result.model}, {seeds}). Regime: {result.regime}.", "",
             "| sentence | verdict | true of | numbers |", "| --- | --- | ---: | --- |"]  # fmt: skip
    for s in result.sentences:
        says = f"{s.says} *(ours)*" if s.ours else s.says
        row = (
            f"{says}<br>*counted where: {s.criterion}*",
            f"`{s.word or 'open'}`",
            f"{s.found[0]} of {s.found[1]}",
            s.why,
        )
        lines.append(_line(row))
    lines += ["", f"Numbers: mean over the seeds ({in_interval(range(result.seeds))}). `{command}`", ""]
    heads = list(result.table[0])
    lines += [_line(heads), "| " + " | ".join("---" for _ in heads) + " |"]
    lines += [_line([str(row.get(h, "")) for h in heads]) for row in result.table]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(x.replace("|", "\\|") for x in cells) + " |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.experiment.published", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the --out folder of finished experiments")
    parser.add_argument("--profile", choices=tuple(PROFILES), default="full")
    parser.add_argument("--seeds", type=int, help="seeds, from 0 on (default that of the profile)")
    parser.add_argument("--only", nargs="+", choices=tuple(EXPERIMENTS), default=tuple(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("docs") / "generated", metavar="DIR", help="where to")
    args = parser.parse_args()
    session = opened(None, args.run, args.profile, 0, args.seeds, resume=True)
    given = "" if args.seeds is None else f" --seeds {args.seeds}"
    for name in args.only:
        for compute in EXPERIMENTS[name]:
            result = compute(session)
            command = f"loraproofs experiment {name} --profile {args.profile}{given}"
            table = args.out / "tables" / f"experiment_{result.claim.removeprefix('exp-')}.md"
            write_text(table, markdown(result, command))
            written = [table, evidence.write(result, SHIPPED)]
            for figure, draw in result.figures.items():
                written += save_figure(draw(), args.out / "figures" / figure)
            for path in written:
                print(path)


if __name__ == "__main__":
    main()
