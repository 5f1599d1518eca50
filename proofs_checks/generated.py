"""The committed tables and figures of the documentation: ``make figures`` (``python -m proofs_checks.generated``)."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from mpmath import mp

from proofs_checks import (
    claims_table,
    cli,
    graph,
    limits,
    matrix,
    near,
    pages,
    pictures,
    pictures_transition,
    real_weights,
    step_mutants,
    tightness,
)
from proofs_checks.collapse import CollapseRow, figure, run_collapse
from proofs_checks.output import write_text
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.tex import files

SEED = 0
SHOWN = "three levels, a > 0"


def collapse_table(rows: list[CollapseRow]) -> str:
    """One family as its gap closes, as a Markdown table."""
    lines = [
        "| gap | measured angle (rad) | sharp bound θ_b | Remark 3.4 as quoted | with a | digits that agree |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for r in (r for r in rows if r.family == SHOWN):
        numbers = (r.observed_angle, r.theta_bound, r.remark34_quoted, r.remark34_corrected)
        cells = ["-" if x is None else str(mp.nstr(x, 8)) for x in numbers]
        lines.append(f"| 1e-{r.gap_exponent} | {' | '.join(cells)} | {int(min(r.agreement_digits, 999))} |")
    return "\n".join(lines) + "\n"


def verified() -> dict[str, str]:
    """What ``loraproofs verify`` finds with seed 0, as two files: the verdicts (no numbers), and what came nearest."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "verify.json"
        cli.main(["verify", "--seed", str(SEED), "--store", place, "--json", str(out)])
        return of_rows(json.loads(out.read_text(encoding="utf-8"))["claims"])


def of_rows(rows: list[dict[str, Any]]) -> dict[str, str]:
    """``verdicts.json`` (id → verdict, effective verdict, sources) and ``near.json`` from the rows of ``verify``."""
    words = {r["id"]: {key: r.get(key) for key in ("verdict", "effective", "modulo", "scope")} for r in rows}
    return {
        "verdicts.json": json.dumps(words, indent=1, ensure_ascii=False) + "\n",
        "near.json": json.dumps(near.nearest(rows), indent=1, ensure_ascii=False) + "\n",
    }


def graphs(folder: Path) -> None:
    """The dependency graphs, from the verdicts written last."""
    for group in graph.GROUPS:
        write_text(folder / f"graph_{group}.svg", graph.svg(graph.build(group, pages.committed_verdicts())))


def write_all(folder: Path) -> list[Path]:
    """Write everything below ``folder`` (``tables/``, ``figures/``) and return the files."""
    tables, figures = folder / "tables", folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    rows = run_collapse(seed=SEED)
    report = real_weights.audit_real_weights()
    texts = {
        "claims.md": claims_table.markdown_table(),
        "assumptions.md": claims_table.assumptions_table(),
        "collapse.md": collapse_table(rows),
        "real_weights.md": real_weights.markdown(report),
        "limits.md": limits.markdown(),
        "tightness.md": tightness.markdown(),
        **verified(),
        "matrix.html": matrix.fragment(matrix.matrix(), "claim/{}.html"),
        "relaxations.md": claims_table.relaxations_table(),
        "matrix_open.md": matrix.open_cells(matrix.matrix()),
        "derivations.md": pages.derivations_table(),
        "step_mutants.md": step_mutants.markdown(step_mutants.run(step_mutants.sample(step_mutants.TABLE_STRIDE))),
    }
    for name, text in texts.items():
        write_text(tables / name, text)
    for name, text in files(DERIVATIONS, CLAIMS).items():
        write_text(folder / "tex" / name, text)
    graphs(figures)
    figure(rows, figures / "collapse.svg")
    pictures.sphere(figures / "sphere.svg")
    pictures.cutoff(figures / "cutoff.svg")
    pictures_transition.transition(figures / "transition.svg")
    real_weights.figure(report, figures / "real_weights.svg")
    return sorted([*(tables / name for name in texts), *figures.glob("*.svg"), *figures.glob("*.png")])


def main() -> None:
    """Command line: where to write (default: docs/generated beside the package)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs" / "generated")
    for path in write_all(parser.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
