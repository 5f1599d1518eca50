"""The ledger as a Markdown table, for the documentation."""

from __future__ import annotations

from theory.claims import CLAIMS

_HEAD = ("Claim", "What it says", "Expected", "Assumptions", "Instances required")


def markdown_table() -> str:
    """All claims: id, title, expected verdict, assumptions, non-vacuous instances required (– where open)."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    for item in CLAIMS.values():
        assumptions = ", ".join(f"`{name}`" for name in item.assumptions) or "–"
        required = f"{item.required:,}" if item.required else "–"
        rows.append((f"`{item.id}`", _escape(item.title), item.expected, assumptions, required))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _escape(text: str) -> str:
    """Text in which Markdown sees no cell border and no emphasis."""
    return text.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")
