"""All tokens of the cone converge to the dominant eigenvector, in the norm in which the other eigenvalues contract."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import x_j
from theory.derivations.prop_3_3_model import u_new
from theory.derivations.prop_3_3_perron import (
    DUAL,
    REACH,
    any_vector,
    in_cone,
    kappa,
    left,
    level,
    metric,
    metric_inverse,
    slant,
    token,
)
from theory.derivations.thm_4_6_lower import u
from theory.derivations.thm_4_6_model import V_new
from theory.kernel.notation import Dot, MeanOf, Norm, at_most, below, both, equal, identity, scalar, vector, whenever
from theory.kernel.rules import (
    Apply,
    Comparison,
    Convex,
    Definition,
    Differentiate,
    Entails,
    Envelope,
    Identity,
    Textbook,
)
from theory.kernel.rules.hypothetical import Instance
from theory.kernel.step import Derivation, Step

_CS = "lemma/cauchy-schwarz"
x_k, x_k_rate, m_k = vector("p33_x_k", "x_k"), vector("p33_x_k_rate", r"\dot x_k"), vector("p33_m_k", "m_k")
drive_k, attention_k = vector("p33_drive_k", "g_k"), vector("p33_attention_k", "o_k")
worst, worst_rate = scalar("p33_worst_k", r"\rho_k^2", nonnegative=True), scalar("p33_worst_k_rate", r"\dot{\rho_k^2}")
spread, spread_rate = scalar("p33_spread", "R^2", nonnegative=True), scalar("p33_spread_rate", "D^+R^2")
spread_0 = scalar("p33_spread_0", "R_0^2", nonnegative=True)
p, q = scalar("p33_p_k", "p_k"), scalar("p33_q_k", "q_k")
off, mean_off = vector("p33_off", "y_k"), vector("p33_mean_off", r"\bar y_k")
token_off = vector("p33_token_off", "y_j")
token_p = scalar("p33_token_p", "p_j")
reach = scalar("p33_reach", r"p_-")
rate = scalar("p33_rate_to_top", r"r")


def off_axis(vector_: Any) -> Any:
    """What a vector has beside ũ1, in the kernel of w̃."""
    return vector_ - Dot(left, vector_) * u_new


def spread_at_most(vector_: Any, square: Any) -> Any:
    """The vector's ``N(y)/p`` is at most the root of ``square``."""
    return at_most(Norm(metric * off_axis(vector_)), sp.sqrt(square) * Dot(left, vector_))


CONTRACTED = whenever(
    (any_vector,),
    (equal(Dot(left, any_vector), 0),),
    at_most(Norm(metric * V_new * any_vector), kappa * Norm(metric * any_vector)),
)
RATE = (s.perturbed_lambda_1 - kappa) * REACH / Norm(left)
DISTANCE = 2 * Norm(metric_inverse) * Norm(left) * sp.sqrt(spread_0) * sp.exp(-RATE * s.t)
TOKENS = {
    "token-unit": equal(Dot(x_j, x_j), 1),
    "token-upright": below(0, Dot(x_j, u)),
    "worst-upright": below(0, Dot(x_k, u)),
    "worst-weights": MeanOf(m_k, x_j),
    "worst-ratio": equal(worst * Dot(left, x_k) ** 2, Dot(metric * off_axis(x_k), metric * off_axis(x_k))),
    "token-not-worse": spread_at_most(x_j, worst),
    "token-spread": spread_at_most(x_j, spread),
}
"""Any token ``x_j``; ``x_k`` is the one with the largest ``ρ_k = N(y_k)/p_k``, and R that largest value."""
FLOW_K = {
    "single-head": equal(attention_k, V_new * m_k),
    "post-ln": both(equal(x_k_rate, drive_k - Dot(x_k, drive_k) * x_k), equal(Dot(x_k, x_k), 1)),
    "attention-only": equal(drive_k, attention_k),
}
"""The flow of the token ``x_k``."""

_OVERLAP = ("unit", "dual", "slant")
CONTRACTION = Derivation(
    claim="lemma/tokens-to-the-dominant-eigenvector",
    title="tokens in the cone converge to the dominant eigenvector",
    states=both(below(0, RATE), at_most(Norm(x_j - u_new), DISTANCE)),
    setting={
        "unit": equal(Dot(u, u), 1),
        "slant": equal(slant**2, 1 + level**2),
        "dual": DUAL,
        "eigenvector": equal(V_new * u_new, s.perturbed_lambda_1 * u_new),
        "left-eigenvector": equal(V_new.T * left, s.perturbed_lambda_1 * left),
        "scaled": equal(Dot(left, u_new), 1),
        "eigenvector-unit": equal(Dot(u_new, u_new), 1),
        "gap": below(kappa, s.perturbed_lambda_1),
        "inverse": equal(metric_inverse * metric, identity),
        "contracted": CONTRACTED,
        "token-in-cone": in_cone(x_j, u, level),
        "worst-in-cone": in_cone(x_k, u, level),
        **TOKENS,
        **FLOW_K,
    },
    remark=(
        r"$\rho_j=N(y_j)/p_j$ with $x_j=p_j\tilde u_1+y_j$, $N(y)=|By|$; $\rho_k=R$ is the largest of them. The rate "
        r"is explicit in $\tilde w$, $\tilde\kappa$ and the opening of the cone."
    ),
    steps=(
        Step(
            "field",
            equal(x_k_rate, V_new * m_k - Dot(x_k, V_new * m_k) * x_k),
            ("single-head", "post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere.",
        ),
        Step("height", equal(p, Dot(left, x_k)), (), Definition(), r"$x_k=p_k\tilde u_1+y_k$,"),
        Step("off", equal(off, x_k - p * u_new), (), Definition(), r"with $\langle\tilde w,y_k\rangle=0$,"),
        Step("mean-height", equal(q, Dot(left, m_k)), (), Definition(), r"and the mean of token $k$"),
        Step("mean-off", equal(mean_off, m_k - q * u_new), (), Definition(), r"in the same way."),
        Step(
            "ratio-rate",
            equal(
                worst_rate * p**2 + 2 * s.perturbed_lambda_1 * worst * p * q,
                2 * Dot(metric * off, metric * V_new * mean_off),
            ),
            (
                "worst-ratio",
                "field",
                "height",
                "off",
                "mean-height",
                "mean-off",
                "eigenvector",
                "left-eigenvector",
            ),
            Differentiate({worst: worst_rate, x_k: x_k_rate}),
            r"Differentiate $\rho_k^2p_k^2=N(y_k)^2$, where $\dot p_k=\tilde\lambda_1q_k-\alpha p_k$ and "
            r"$\dot y_k=\tilde V\bar y_k-\alpha y_k$; what normalising takes away, $\alpha$, drops out.",
        ),
        Step(
            "mean-orthogonal",
            equal(Dot(left, mean_off), 0),
            ("mean-height", "mean-off", "scaled"),
            Identity(),
            r"$\bar y_k$ is in the kernel of $\tilde w$,",
        ),
        Step(
            "mean-contracted",
            at_most(Norm(metric * V_new * mean_off), kappa * Norm(metric * mean_off)),
            ("contracted", "mean-orthogonal"),
            Instance({any_vector: mean_off}),
            r"where $\tilde V$ contracts the norm $N$ relative to $\tilde\lambda_1$.",
        ),
        Step(
            "mean-not-worse",
            spread_at_most(m_k, worst),
            ("token-not-worse", "worst-weights"),
            Convex(),
            r"$N(y)\le\rho_kp$ is a convex cone: it contains the mean with all tokens.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(Dot(metric * off, metric * V_new * mean_off), Norm(metric * off) * Norm(metric * V_new * mean_off)),
            (),
            Apply(_CS, {textbook.X: metric * off, textbook.Y: metric * V_new * mean_off}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "worst-overlap",
            at_most(REACH, Dot(left, x_k)),
            (*_OVERLAP, "worst-in-cone", "worst-upright", "post-ln"),
            Apply("lemma/overlap-with-the-dual-cone", {token: x_k}),
            r"Tokens of the cone have $p_k>0$, bounded below,",
        ),
        Step(
            "token-overlap",
            at_most(REACH, Dot(left, x_j)),
            (*_OVERLAP, "token-in-cone", "token-upright", "token-unit"),
            Apply("lemma/overlap-with-the-dual-cone", {token: x_j}),
            r"all of them,",
        ),
        Step(
            "mean-overlap",
            at_most(REACH, Dot(left, m_k)),
            ("token-overlap", "worst-weights"),
            Convex(),
            r"and so their means.",
        ),
        Step("reach", equal(reach, REACH), (), Definition(), r"The bound."),
        Step(
            "reach-positive",
            below(0, reach),
            ("reach", "dual"),
            Entails(degree=2),
            r"It is positive, as $\tilde w$ is inside the dual cone.",
        ),
        Step(
            "contraction",
            at_most(worst_rate * p, -2 * (s.perturbed_lambda_1 - kappa) * worst * q),
            (
                "ratio-rate",
                "mean-contracted",
                "mean-not-worse",
                "cauchy-schwarz",
                "worst-ratio",
                "worst-overlap",
                "reach",
                "reach-positive",
                "height",
                "off",
                "mean-height",
                "mean-off",
            ),
            Entails(degree=3),
            r"The largest ratio falls.",
        ),
        Step(
            "slow",
            at_most(worst_rate * p, -2 * (s.perturbed_lambda_1 - kappa) * reach * worst),
            ("contraction", "mean-overlap", "mean-height", "reach", "gap"),
            Entails(degree=3),
            r"At least at this pace, since $q_k\ge p_-$.",
        ),
        Step(
            "worst-length",
            at_most(Dot(left, x_k), Norm(left) * Norm(x_k)),
            (),
            Apply(_CS, {textbook.X: left, textbook.Y: x_k}),
            r"Cauchy-Schwarz: $p_k\le|\tilde w|$,",
        ),
        Step(
            "left-length",
            below(0, Norm(left)),
            ("worst-length", "worst-overlap", "reach", "reach-positive", "post-ln"),
            Entails(degree=2),
            r"so that $\tilde w\ne0$.",
        ),
        Step("rate", equal(rate, (s.perturbed_lambda_1 - kappa) * reach / Norm(left)), (), Definition(), r"The rate"),
        Step(
            "rate-scaled",
            equal(rate * Norm(left), (s.perturbed_lambda_1 - kappa) * reach),
            ("rate", "left-length"),
            Identity(),
            r"is the bound of the pace over $|\tilde w|$,",
        ),
        Step(
            "rate-positive",
            below(0, rate),
            ("rate-scaled", "left-length", "gap", "reach-positive"),
            Entails(degree=2),
            r"positive.",
        ),
        Step(
            "fall",
            at_most(worst_rate, -2 * rate * worst),
            (
                "slow",
                "rate-scaled",
                "rate-positive",
                "worst-length",
                "worst-overlap",
                "reach",
                "reach-positive",
                "height",
                "post-ln",
            ),
            Entails(degree=3),
            r"$0<p_k\le|\tilde w|$.",
        ),
        Step(
            "envelope",
            at_most(spread_rate, -2 * rate * spread),
            ("fall",),
            Envelope({worst: spread, worst_rate: spread_rate}),
            r"Token $k$ is any of those with the largest ratio.",
        ),
        Step(
            "decay",
            at_most(spread, spread_0 * sp.exp(-2 * rate * s.t)),
            ("envelope",),
            Comparison(spread, spread_rate, s.t, spread_0),
            r"$\dot y=-2ry$ in closed form.",
        ),
        Step(
            "roots",
            at_most(sp.sqrt(spread), sp.sqrt(spread_0) * sp.exp(-rate * s.t)),
            ("decay",),
            Entails(degree=2),
            r"Roots.",
        ),
        Step("token-height", equal(token_p, Dot(left, x_j)), (), Definition(), r"Any token $x_j=p_j\tilde u_1+y_j$,"),
        Step("token-off", equal(token_off, x_j - token_p * u_new), (), Definition(), r"in the same way."),
        Step(
            "token-length",
            at_most(Dot(left, x_j), Norm(left) * Norm(x_j)),
            (),
            Apply(_CS, {textbook.X: left, textbook.Y: x_j}),
            r"Cauchy-Schwarz: $p_j\le|\tilde w|$.",
        ),
        Step(
            "back",
            at_most(Norm(metric_inverse * (metric * token_off)), Norm(metric_inverse) * Norm(metric * token_off)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: metric_inverse, textbook.X: metric * token_off}),
            r"What the operator norm is.",
        ),
        Step(
            "token-norm",
            at_most(Norm(metric * token_off), sp.sqrt(spread) * Norm(left)),
            ("token-spread", "token-length", "token-unit", "token-height", "token-off"),
            Entails(degree=2),
            r"$N(y_j)\le Rp_j\le R|\tilde w|$,",
        ),
        Step(
            "token-small",
            at_most(Norm(token_off), Norm(metric_inverse) * Norm(left) * sp.sqrt(spread)),
            ("back", "inverse", "token-norm"),
            Entails(degree=2),
            r"and so in the Euclidean norm.",
        ),
        Step(
            "token-decays",
            at_most(Norm(token_off), Norm(metric_inverse) * Norm(left) * sp.sqrt(spread_0) * sp.exp(-rate * s.t)),
            ("token-small", "roots"),
            Entails(degree=3),
            r"It decays.",
        ),
        Step(
            "side",
            at_most(Dot(u_new, token_off), Norm(u_new) * Norm(token_off)),
            (),
            Apply(_CS, {textbook.X: u_new, textbook.Y: token_off}),
            r"Cauchy-Schwarz,",
        ),
        Step(
            "other-side",
            at_most(Dot(-u_new, token_off), Norm(-u_new) * Norm(token_off)),
            (),
            Apply(_CS, {textbook.X: -u_new, textbook.Y: token_off}),
            r"twice:",
        ),
        Step(
            "cosines",
            both(at_most(Dot(u_new, token_off), Norm(token_off)), at_most(-Dot(u_new, token_off), Norm(token_off))),
            ("side", "other-side", "eigenvector-unit"),
            Entails(degree=2),
            r"$|\langle\tilde u_1,y_j\rangle|\le|y_j|$.",
        ),
        Step(
            "unit-split",
            equal(token_p**2 + 2 * token_p * Dot(u_new, token_off) + Norm(token_off) ** 2, 1),
            ("token-height", "token-off", "token-unit", "eigenvector-unit"),
            Identity(),
            r"$x_j$ is a unit vector,",
        ),
        Step(
            "token-positive",
            below(0, token_p),
            ("token-overlap", "token-height", "reach", "reach-positive"),
            Entails(degree=1),
            r"with $p_j>0$,",
        ),
        Step(
            "near-one",
            both(at_most(token_p - 1, Norm(token_off)), at_most(1 - token_p, Norm(token_off))),
            ("unit-split", "cosines", "token-positive"),
            Entails(degree=2),
            r"so that $|p_j-1|\le|y_j|$.",
        ),
        Step(
            "distance-split",
            equal(
                Norm(x_j - u_new) ** 2,
                Norm(token_off) ** 2 + 2 * (token_p - 1) * Dot(u_new, token_off) + (token_p - 1) ** 2,
            ),
            ("token-height", "token-off", "eigenvector-unit"),
            Identity(),
            r"$x_j-\tilde u_1=y_j+(p_j-1)\tilde u_1$.",
        ),
        Step(
            "near",
            at_most(Norm(x_j - u_new), 2 * Norm(token_off)),
            ("distance-split", "cosines", "near-one"),
            Entails(degree=2),
            r"Both parts are at most $|y_j|$.",
        ),
        Step(
            "converges",
            both(below(0, RATE), at_most(Norm(x_j - u_new), DISTANCE)),
            ("rate-positive", "rate", "reach", "near", "token-decays"),
            Entails(degree=2),
            r"All tokens go to $\tilde u_1$, at an exponential rate.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (CONTRACTION,)
DERIVATIONS: tuple[Derivation, ...] = ()
