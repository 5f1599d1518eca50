"""Tables and figures of finished sweeps for the documentation.

``make sweeps`` runs the sweeps of the full profile and this: ``python -m proofs_checks.sweep.published RUN... --out
docs/generated``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from proofs_checks.output import write_text
from proofs_checks.pictures import save_figure
from proofs_checks.sweep.folder import opened
from proofs_checks.sweep.law_words import DIFFERS, HEADS, cells
from proofs_checks.sweep.laws import Law, laws
from proofs_checks.sweep.pictures import figures


def markdown(found: list[Law]) -> str:
    """The laws as a Markdown table."""
    lines = [f"| {' | '.join(HEADS)} |", "| --- " * len(HEADS) + "|"]
    for law in found:
        *words, last = (x.replace("|", r"\|") for x in cells(law))
        lines.append("| " + " | ".join([*words, f"**{last}**" if last == DIFFERS else last]) + " |")
    return "\n".join(lines) + "\n"


def write(root: Path, out: Path) -> list[Path]:
    """Write ``tables/laws_KIND.md`` and ``figures/sweep_KIND_NAME.svg`` of one sweep below ``out``."""
    folder, sweep, device = opened(root)
    tables = folder.tables(sweep, device)
    table = out / "tables" / f"laws_{sweep.kind}.md"
    write_text(table, markdown(laws(sweep, tables)))
    written = [table]
    for name, draw in figures(sweep, tables).items():
        stem = "".join(x if x.isalnum() and x.isascii() else "_" for x in name)
        written += save_figure(draw(), out / "figures" / f"sweep_{sweep.kind}_{stem}")
    return written


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m proofs_checks.sweep.published", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of finished sweeps")
    parser.add_argument("--out", type=Path, default=Path("docs") / "generated", metavar="DIR", help="where to")
    args = parser.parse_args()
    for root in args.runs:
        for path in write(root, args.out):
            print(path)


if __name__ == "__main__":
    main()
