"""What LaTeX and HTML of a derivation share: lines of mathematics, plain words as LaTeX, numbers of premises."""

from __future__ import annotations

import re
import unicodedata

import sympy as sp

from theory.kernel.notation import latex
from theory.kernel.step import Derivation, parts

LONG = 95
_RELATIONS = {
    sp.Equality: "=",
    sp.LessThan: r"\le",
    sp.StrictLessThan: "<",
    sp.GreaterThan: r"\ge",
    sp.StrictGreaterThan: ">",
    sp.Unequality: r"\ne",
}
_MATH = {
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "→": r"\to", "⪰": r"\succeq", "⊥": r"\perp", "∠": r"\angle", "√": r"\surd",
    "∞": r"\infty", "≪": r"\ll", "≫": r"\gg", "·": r"\cdot", "×": r"\times", "∝": r"\propto", "≈": r"\approx",
    "Σ": r"\Sigma", "Π": r"\Pi", "Δ": r"\Delta", "Φ": r"\Phi", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma",
    "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta", "θ": r"\theta", "ϑ": r"\vartheta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi",
    "ω": r"\omega", "²": "^2", "³": "^3", "½": r"\tfrac12", "<": "<", ">": ">", "|": "|", "±": r"\pm", "−": "-",
    "~": r"\sim", "…": r"\dots", "∫": r"\int", "≲": r"\lesssim", "≃": r"\simeq", "ᵀ": r"^\top", "₁": "_1",
}  # fmt: skip
_TEXT = {"\\": r"\textbackslash{}", "_": r"\_", "^": r"\^{}", "%": r"\%", "&": r"\&", "#": r"\#", "{": r"\{",
         "}": r"\}",
         "’": "'", "–": "--", "—": "---", "§": r"\S{}", "ö": r"\"o", "ä": r"\"a", "ü": r"\"u", "é": r"\'e", "É": r"\'E",
         "ô": r"\^o", "è": r"\`e", "ß": r"\ss{}", "á": r"\'a", "í": r"\'i", "ø": r"\o{}", "ê": r"\^e", "å": r"\aa{}",
         "ó": r"\'o", "ç": r"\c c", "ł": r"\l{}"}  # fmt: skip
_BEFORE = ("ᵀ", "²", "³", "₁")


def lines(statement: sp.Basic) -> list[str]:
    """The statement as lines of display mathematics, one a relation; long ones are broken at the relation."""
    return [_line(part) for part in parts(statement)]


def _line(part: sp.Basic) -> str:
    text = latex(part)
    sign = _RELATIONS.get(type(part))
    if sign is None or len(re.sub(r"\\[a-z]+|[{}\s]", "", text)) <= LONG:
        return text
    left, right = (latex(side) for side in part.args)
    return rf"\begin{{aligned}}&{left}\\&\quad{sign} {right}\end{{aligned}}"


def premise_labels(derivation: Derivation) -> dict[str, str]:
    """How premises are referred to: ``S1`` for the setting, ``1`` for a step, the name of an assumption by itself."""
    labels = {name: f"S{k}" for k, name in enumerate(derivation.setting, 1)}
    labels |= {name: name for name in derivation.assumptions}
    return labels | {step.id: str(k) for k, step in enumerate(derivation.steps, 1)}


def tex_words(text: str) -> str:
    """Words with ``$...$`` in them as LaTeX in plain ASCII; signs of mathematics outside of ``$`` are set as such."""
    pieces = re.split(r"(\$[^$]*\$)", text)
    return "".join(piece if piece.startswith("$") else _outside(piece) for piece in pieces)


def _outside(text: str) -> str:
    text = text.replace("||", "‖").replace("<=", "≤").replace(">=", "≥").replace("->", "→").replace("~=", "≃")
    result: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        base, _, mark = unicodedata.normalize("NFD", character).partition("\u0303")
        if mark or ("\u0303" in unicodedata.normalize("NFD", character)):
            result.append(rf"$\tilde {base}$" if base else "")
        elif character == "\u0303":
            previous = result.pop() if result else ""
            result.append(rf"$\tilde {previous.strip('$')}$")
        elif character == "‖":
            result.append(r"$\|$")
        elif character in _MATH:
            result.append(f"${{}}{_MATH[character]}$" if character in _BEFORE else f"${_MATH[character]}$")
        elif character in _TEXT:
            result.append(_TEXT[character])
        else:
            result.append(character)
    return "".join(result).replace("$$", "")
