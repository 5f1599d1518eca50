"""The layered model with a random adapter in symbols, and the lemmas that the derivations of Theorem 4.2 share."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import ATTENTION_ONLY, V, attention, drive, m, x
from theory.kernel.notation import Dot, Expect, Trace, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity
from theory.kernel.rules.random_matrices import MatrixWick
from theory.kernel.step import Derivation, Step


def shaped(name: str, latex: str, rows: Any, columns: Any) -> Any:
    """A matrix of a given shape."""
    scalar(name, latex)
    return sp.MatrixSymbol(name, rows, columns)


rank = scalar("p42_rank", r"\mathrm{rk}", integer=True, positive=True)
U, W = shaped("p42_U", "A", s.d, rank), shaped("p42_W", "B", s.d, rank)
S = shaped("p42_S", r"\operatorname{diag}(s)", rank, rank)
dV, mean_dV = matrix("p42_dV", r"\Delta V^l"), matrix("p42_mean_dV", "M")
after = vector("p42_after", r"x_i^{l+1}")
e, e_other = vector("p42_e", "e"), vector("p42_e_other", "e'")
m_other = vector("p42_m_other", "m'")
z = vector("p42_z", "z")

GAUSS = U * S * W.T
"""The unit adapter ``Σ_k s_k u_k v_kᵀ``, the ``u_k``, ``v_k`` as columns of two matrices."""
VARIANCES = {U: 1 / s.d, W: 1 / s.d}
"""Of the entries, all independent."""
RANDOM = (U, W)
WEIGHTS = equal(Trace(S * S.T), s.s_norm**2)
GAUSSIAN = equal(dV, s.eta * (mean_dV + GAUSS))
ZERO_MEAN = equal(mean_dV, sp.ZeroMatrix(s.d, s.d))
ADAPTERS = {"gaussian-adapters": GAUSSIAN, "zero-mean-adapters": ZERO_MEAN}


def unit(v: Any) -> Any:
    """The direction of a vector."""
    return v / length(v)


def length(v: Any) -> Any:
    """The length of a vector, as a root."""
    return sp.sqrt(Dot(v, v))


LAYER = {
    "single-head": equal(attention, (V + dV) * m),
    "attention-only": ATTENTION_ONLY,
    "post-ln": equal(after, unit(x + s.h * drive)),
}
"""One layer of the perturbed model, for token i."""

COVARIANCE = Derivation(
    claim="lemma/adapter-covariance",
    title="Covariance of what an adapter adds",
    states=equal(
        Expect(Dot(dV * m, e) * Dot(dV * m_other, e_other)),
        s.eta**2 * s.s_norm**2 * Dot(m, m_other) * Dot(e, e_other) / s.d**2,
    ),
    setting={"weights": WEIGHTS},
    assumptions=ADAPTERS,
    steps=(
        Step(
            "bound",
            equal(
                Expect(Dot(dV * m, e) * Dot(dV * m_other, e_other)),
                s.eta**2 * s.s_norm**2 * Dot(m, m_other) * Dot(e, e_other) / s.d**2,
            ),
            ("gaussian-adapters", "zero-mean-adapters", "weights"),
            MatrixWick(VARIANCES),
            r"Pair $B$ with $B$ and $A$ with $A$: $\langle m,m'\rangle\langle "
            r"e,e'\rangle\operatorname{tr}(SS^\top)/d^2$.",
        ),
    ),
)

_n, _p, _w = scalar("p42_n", "n"), scalar("p42_p", "p"), scalar("p42_w", "w")
_q = scalar("p42_q", "q")
_g = (_n - 1) ** 2 * (2 * _n + 1) + _w * _n**2 * (sp.Rational(3, 2) - 3 * _n) + _w**2 * _n**3
_R = (_n - 1) ** 2 + 2 * _n * _w
_ACROSS = Dot(z, z) - Dot(z, e) ** 2
_SECOND_ORDER = 1 - _ACROSS / 2 + Dot(z, e) * _ACROSS
_OVERLAP = Dot(e + z, e) / length(e + z)

EXPANSION = Derivation(
    claim="lemma/overlap-expansion",
    title="The overlap with e of the direction of e + z, to the third order in z",
    states=both(
        at_most(_SECOND_ORDER - 4 * Dot(z, z) ** 2, _OVERLAP), at_most(_OVERLAP, _SECOND_ORDER + 4 * Dot(z, z) ** 2)
    ),
    setting={"unit": equal(Dot(e, e), 1), "regular": below(0, length(e + z))},
    steps=(
        Step("length", equal(_n, length(e + z)), (), Definition(), r"The length of $e+z$."),
        Step("along", equal(_p, Dot(z, e)), (), Definition(), r"The part of $z$ along $e$."),
        Step("deficit", equal(_w, 1 - (1 + _p) / _n), (), Definition(), r"One minus the overlap."),
        Step(
            "overlap",
            equal(_OVERLAP, 1 - _w),
            ("length", "along", "deficit", "unit", "regular"),
            Identity(),
            r"$\langle e+z,e\rangle=1+p$.",
        ),
        Step(
            "lagrange",
            at_most(Dot(z, e) ** 2, Dot(z, z) * Dot(e, e)),
            (),
            Apply("lemma/cauchy-schwarz#squares", {textbook.X: z, textbook.Y: e}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "between",
            both(at_most(0, _w), at_most(_w, 2)),
            ("lagrange", "length", "along", "deficit", "unit", "regular"),
            Entails(degree=3),
            r"So that $|1+p|\le n$.",
        ),
        Step(
            "positive",
            below(0, _n),
            ("length", "regular"),
            Entails(degree=1),
            r"Almost surely.",
        ),
        Step("rest", equal(_q, _SECOND_ORDER - 1 + _w), (), Definition(), r"What the first orders leave."),
        Step(
            "rest-in-two",
            equal(_q, _w * _g),
            ("rest", "along", "deficit", "length", "unit", "regular"),
            Identity(),
            r"It is a polynomial in $n$ and $w$.",
        ),
        Step(
            "remainder",
            both(at_most(-4 * _R**2, _w * _g), at_most(_w * _g, 4 * _R**2)),
            ("between", "positive"),
            Entails(degree=5, squares=(_n - 1,)),
            r"A polynomial inequality in two variables.",
        ),
        Step(
            "square",
            equal(_R, Dot(z, z)),
            ("length", "along", "deficit", "unit"),
            Identity(),
            r"$|z|^2=n^2-1-2p$ and $1+p=n(1-w)$.",
        ),
        Step(
            "remainder-bound",
            both(at_most(-4 * Dot(z, z) ** 2, _q), at_most(_q, 4 * Dot(z, z) ** 2)),
            ("rest-in-two", "remainder", "square"),
            Entails(degree=1),
            r"At most $4|z|^4$ in modulus.",
        ),
        Step(
            "bound",
            both(
                at_most(_SECOND_ORDER - 4 * Dot(z, z) ** 2, _OVERLAP),
                at_most(_OVERLAP, _SECOND_ORDER + 4 * Dot(z, z) ** 2),
            ),
            ("overlap", "rest", "remainder-bound", "regular"),
            Entails(degree=2),
            r"Put together.",
        ),
    ),
)

LEMMAS = (COVARIANCE, EXPANSION)
