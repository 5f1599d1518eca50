"""The ledger and the assumptions as Markdown tables, for the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable

from theory.assumptions import ASSUMPTIONS, RELAXATIONS
from theory.claims import CLAIMS

_HEAD = ("Claim", "What it says", "Expected", "Assumptions", "Instances required")


def markdown_table() -> str:
    """All claims: id, title, expected verdict, assumptions, non-vacuous instances required (– where open)."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    for item in CLAIMS.values():
        assumptions = ", ".join(f"`{name}`" for name in item.assumptions) or "–"
        required = f"{item.required:,}" if item.required else "–"
        rows.append((f"`{item.id}`", escape(item.title), item.expected, assumptions, required))
    return _table(rows)


def relaxations_table() -> str:
    """The class of models in which each assumption is dropped, as a Markdown table."""
    rows = []
    for name, text in RELAXATIONS.items():
        pieces = re.split(r"(\$[^$]*\$)", text)
        cell = "".join(p.replace("|", r"\vert ") if p.startswith("$") else escape(p) for p in pieces)
        rows.append(f"| `{name}` | {cell} |")
    return "\n".join(["| without | the model has |", "| --- | --- |", *rows]) + "\n"


def assumptions_table() -> str:
    """All assumptions: name, what it says, and how many claims make it."""
    rows = [("Assumption", "What it says", "Claims"), ("---",) * 3]
    for name, meaning in ASSUMPTIONS.items():
        count = sum(name in item.assumptions for item in CLAIMS.values())
        # a bar would end the cell, also within a formula
        rows.append((f"`{name}`", meaning.replace("|", r"\vert "), str(count)))
    return _table(rows)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def escape(text: str, keep_math: bool = False) -> str:
    """Text in which Markdown sees no cell border, no emphasis and no tag; ``keep_math`` leaves ``$...$`` as it is."""
    pieces = re.split(r"(\$[^$]*\$)", text) if keep_math else [text]
    return "".join(p if keep_math and p.startswith("$") else _escaped(p) for p in pieces)


def _escaped(text: str) -> str:
    for sign in ("|", "*", "_", "<", ">"):
        text = text.replace(sign, "\\" + sign)
    return text
