"""Derivation of thm-4.2/subcritical: one layer, the recursion of the mean square drift, and its sum."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import prop_3_1_discrete, textbook
from theory.derivations.model import ATTENTION_ONLY, V, attention, drive, m, x
from theory.derivations.thm_4_2_model import (
    ADAPTERS, RANDOM, VARIANCES, WEIGHTS, S, U, W, after, dV, e, length, shaped, z,
)  # fmt: skip
from theory.derivations.thm_4_2_supercritical import step_length
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, both, equal, family, identity, scalar, vector
from theory.kernel.rules import Apply, Entails, Identity, Increasing, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

x_base, m_base, e_base = vector("p42_x_base", "x_i"), vector("p42_m_base", "m_i"), vector("p42_e_base", r"\Phi_i(X)")
c, c_base = vector("p42_c", "c_i"), vector("p42_c_base", r"c_i'")
c_length, c_base_length = scalar("p42_c_length", "|c_i|", positive=True), scalar("p42_c_base_length", "|c_i'|", positive=True)
radius = scalar("p42_radius", r"r_0", positive=True)
reach = scalar("p42_reach", r"\ell", positive=True)
apart = family("p42_apart", r"\mathbb E\,\mathrm{RMS}_{\cdot}^2")
per_layer = scalar("p42_per_layer", r"c_\tau", nonnegative=True)
Z = shaped("p42_Z", "Z", 1, 1)
b = shaped("p42_beta", r"\beta", U.shape[1], 1)
t, power, slope = scalar("p42_t", "t"), scalar("p42_power", "p"), scalar("p42_slope", "c")
exponent = scalar("p42_exponent", "x", nonnegative=True)

_v, _r = s.V_norm, radius
_FAR = vector("p42_far", "y")
_spread = sp.Max(0, 1 - Dot(b, b) * Dot(Z, Z) / s.d)
_MEAN_POWER = _spread ** ((s.d - 1) / 2)

PROJECTED = Theorem(
    "mean resultant length of the projected normal law",
    equal(Expect(Dot(e + z, e) / length(e + z)), Expect(_MEAN_POWER)),
    "B. Presnell, P. Rumcheva, Statist. Probab. Lett. 78 (2008) 557-563, with NIST DLMF 13.4.1 (Kummer's function)",
    (equal(z, U * b), equal(Dot(e, e), 1), at_most(2, s.d)),
)
"""A has independent N(0, 1/d) entries, β is independent of it, and Z an independent standard normal number."""
BERNOULLI = Theorem(
    "Bernoulli's inequality",
    at_most(1 + slope * (t - 1), t**power),
    "G. H. Hardy, J. E. Littlewood, G. Polya, Inequalities, Cambridge 1934, Thm. 42",
    (at_most(0, t), at_most(t, 1), at_most(1, slope), at_most(power, slope), below(0, power)),
)
"""``t^p >= t^c >= 1 + c(t - 1)`` for 0 <= t <= 1 and 0 < p <= c, c >= 1."""

TANGENT = Derivation(
    claim="lemma/exponential-tangent",
    title="The exponential function lies above its tangent at 0",
    states=at_most(1 + exponent, sp.exp(exponent)),
    steps=(
        Step(
            "slope-of-slope", at_most(0, sp.exp(exponent)), (), Entails(degree=1), r"The second derivative is positive,"
        ),
        Step(
            "slope", at_most(1, sp.exp(exponent)), ("slope-of-slope",), Increasing(exponent), r"so the first is at least 1,"
        ),
        Step("bound", at_most(1 + exponent, sp.exp(exponent)), ("slope",), Increasing(exponent), r"and this follows."),
    ),
)
_MIRROR = 2 * e * e.T - identity
_ONWARD = Dot(e + z, e_base) / length(e + z)
_KEPT = Dot(e + z, e) / length(e + z)
_MIRRORED = (2 * Dot(e + z, e) * Dot(e, e_base) - Dot(e + z, e_base)) / length(e + z)
_CHORD, _BASE_CHORD, _START = Norm(after - e_base) ** 2, Norm(e - e_base) ** 2, Norm(x - x_base) ** 2
_SHIFT = Norm(m - m_base) ** 2
_NOISE = s.h**2 * s.eta**2 * s.s_norm**2 / (s.d * radius**2)
_STEP = 1 + s.h * s.K_2_layered


def _length_steps(mark: str, token: sp.MatrixExpr, mean: sp.MatrixExpr, total: sp.Symbol) -> tuple[Step, ...]:
    return (
        Step(
            f"operator{mark}",
            at_most(Norm(V * mean), Norm(V) * Norm(mean)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: V, textbook.X: mean}),
            r"What the operator norm is.",
        ),
        Step(
            f"pull{mark}",
            at_most(Dot(-token, V * mean), Norm(-token) * Norm(V * mean)),
            (),
            Apply("lemma/cauchy-schwarz", {textbook.X: -token, textbook.Y: V * mean}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            f"far{mark}",
            at_most(radius, total),
            (f"operator{mark}", f"pull{mark}", f"lengths{mark}", f"tokens{mark}", f"means{mark}", "norm", "radius"),
            Entails(degree=3),
            r"Before it is normalised the token is no shorter than $1-h\|V\|$.",
        ),
    )


BASE = (
    *_length_steps("", x, m, c_length),
    *_length_steps("-base", x_base, m_base, c_base_length),
)
LEMMAS = (TANGENT,)

SUBCRITICAL = Derivation(
    claim="thm-4.2/subcritical",
    setting={
        "norm": equal(Norm(V), s.V_norm),
        "radius": equal(radius, 1 - s.h * s.V_norm),
        "tokens": equal(Dot(x, x), 1),
        "tokens-base": equal(Dot(x_base, x_base), 1),
        "means": at_most(Norm(m), 1),
        "means-base": at_most(Norm(m_base), 1),
        "lengths": equal(c_length**2, Dot(x + s.h * V * m, x + s.h * V * m)),
        "lengths-base": equal(c_base_length**2, Dot(x_base + s.h * V * m_base, x_base + s.h * V * m_base)),
    },
    assumptions={},
    steps=(*BASE,),
)
DERIVATIONS = (SUBCRITICAL,)
