"""The symbols of the theorems: one sympy symbol, one name in code, one LaTeX form each.

Scalars are sympy symbols; quantities with one entry per direction of ``u1⊥`` (``alpha``, ``mu``, ...) are
:class:`sympy.IndexedBase` objects, used under ``Sum(..., (j, 2, d))``.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

LATEX: dict[str, str] = {}
"""Name in code → LaTeX form, for every symbol made below."""
SYMBOL_ASSUMPTIONS: dict[str, dict[str, bool]] = {}
"""Name in code → sympy assumptions of the scalar, so that it can be made again from its name."""


def _scalar(name: str, latex: str, **assumptions: bool) -> sp.Symbol:
    LATEX[name] = latex
    SYMBOL_ASSUMPTIONS[name] = {"real": True, **assumptions}
    return sp.Symbol(name, **SYMBOL_ASSUMPTIONS[name])


def _vector(name: str, latex: str) -> Any:
    LATEX[name] = latex
    return sp.IndexedBase(sp.Symbol(name, real=True))


# Sizes and times
j = sp.Symbol("j", integer=True)
d = sp.Symbol("d", integer=True, positive=True)
LATEX |= {"j": "j", "d": "d"}
t = _scalar("t", "t", nonnegative=True)

# The spectrum of V and the blocks of ΔV in the frame of u1
gap = _scalar("gap", r"\mathrm{gap}")
dominant_gap = _scalar("dominant_gap", r"\mathrm{gap}^*")
perturbed_dominant_gap = _scalar("perturbed_dominant_gap", r"\widetilde{\mathrm{gap}}^*")
lambda_1 = _scalar("lambda_1", r"\lambda_1")
a = _scalar("a", "a")
b_norm = _scalar("b_norm", r"\|b\|", nonnegative=True)
c_norm = _scalar("c_norm", r"\|c\|", nonnegative=True)
E_norm = _scalar("E_norm", r"\|E\|", nonnegative=True)

# The cone about u
w = _scalar("w", "w")
kappa = _scalar("kappa", r"\kappa", nonnegative=True)
cone_separation = _scalar("cone_separation", "S")
cone_rate = _scalar("cone_rate", r"\omega")
cone_inner = _scalar("cone_inner", "t_-")
cone_outer_inverse = _scalar("cone_outer_inverse", "q_+")
theta_bound = _scalar("theta_bound", r"\theta_b")
tan_max_angle_0 = _scalar("tan_max_angle_0", r"\vartheta_0", nonnegative=True)
tan_max_angle = _scalar("tan_max_angle", r"\vartheta", nonnegative=True)

# Remark 3.4: components of b in the eigenvectors of P⊥ṼP⊥ on u1⊥, and its eigenvalues λ_j + e_j
alpha = _vector("alpha", r"\alpha")
mu = _vector("mu", r"\mu")
perturbed_lambda_1 = _scalar("perturbed_lambda_1", r"\tilde\lambda_1")
alpha_abs = _scalar("alpha_abs", r"|\alpha|", nonnegative=True)
e = _scalar("e", "e")


def over_directions(term: sp.Expr) -> Any:
    """The sum of ``term`` over the d - 1 directions of ``u1⊥`` (j = 2, ..., d)."""
    return sp.Sum(term, (j, 2, d))
