"""LaTeX as MathML, which browsers show without a script and without a network."""

from __future__ import annotations

import re
from functools import cache
from html import escape

from proofs_checks.errors import InputError


@cache
def formula(text: str, display: bool = False) -> str:
    """One formula; where it cannot be converted, its LaTeX as code."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise InputError("reports need more packages: pip install 'loraproofs[report]'") from None
    try:
        return convert(text, display="block" if display else "inline")
    except Exception:  # the package's own exceptions have no common base but this one
        return f"<code>{escape(text)}</code>"


def words(text: str) -> str:
    """Words with ``$...$`` in them as HTML."""
    pieces = re.split(r"\$([^$]*)\$", text)
    return "".join(formula(p) if k % 2 else escape(p) for k, p in enumerate(pieces))
