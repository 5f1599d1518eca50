"""The texts of the experiments: real text that an installed package ships, the same for everybody.

Base text: the English prose in the documentation of mpmath 1.3.0 (``mpmath/function_docs.py``), paragraphs without
formulas and examples. Narrow text, to fine-tune on: the Python source ``mpmath/functions/hypergeometric.py`` of the
same package. mpmath is a dependency of the core; the checksums say whether it is this version.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

from proofs_checks.errors import InputError

BASE = "function_docs.py"
NARROW = "functions/hypergeometric.py"
SHA256 = {
    BASE: "8383cff27e882d798770bc80e74b312ba4e6a7f678fe944dfb00c4ad4f03d62e",
    NARROW: "67438c00c0b8ca52b8da7fd29da9b21559d4c7acc72f208b0a8243499d49ac76",
}
SHORTEST = 120
"""Characters that a paragraph must have to count as prose."""


def base_text() -> str:
    """English prose, paragraphs separated by an empty line."""
    return "\n\n".join(prose(_read(BASE)))


def narrow_text() -> str:
    """Source code in Python."""
    return _read(NARROW)


def prose(source: str) -> list[str]:
    """The paragraphs of documentation strings that are sentences: no examples, no formulas, no lists of parameters."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", source))
    return [p for p in paragraphs if len(p) >= SHORTEST and p[0].isupper() and p.endswith(".")
            and not any(mark in p for mark in (">>>", "::", '"""', "\\", "``", "math:"))]  # fmt: skip


def _read(name: str) -> str:
    found = importlib.util.find_spec("mpmath")
    if found is None or found.origin is None:
        raise InputError("the experiments read their text from mpmath 1.3.0: pip install mpmath==1.3.0")
    content = (Path(found.origin).parent / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise InputError(f"mpmath/{name} is not that of mpmath 1.3.0: pip install mpmath==1.3.0, the experiments' text")
    return content.decode("utf-8")
