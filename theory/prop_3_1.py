"""Proposition 3.1, finite-time stability: formulas and claims.

Base and perturbed tokens ``x_i``, ``x̃_i``; operator norms of V, A, Ṽ = V + ΔV, Ã = A + ΔA. Angles in
radians. No constant depends on the number of tokens.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula, Tightening

QUOTED = "W2(μ_t,ν_t)² <= L_t(ΔA,ΔV) exp(2 C_t e^{3 D_t}); if max(||ΔV||,||ΔA||) <= ε: W2 <= c ε e^{c e^{ct}}."


# --- formulas -------------------------------------------------------------------------------------

DELTA = Formula(
    name="delta",
    expr=s.dV_norm + sp.Min(s.V_norm, s.perturbed_V_norm) * s.dA_norm,
    lhs=r"\delta^*",
    source="largest difference of the two velocity fields on the sphere",
)
K = Formula(
    name="K",
    expr=2 * sp.Min(s.V_norm * (1 + s.A_norm), s.perturbed_V_norm * (1 + s.perturbed_A_norm)),
    lhs="K^*",
    source="first variation along the geodesics x_i -> x̃_i; the better of the two fields",
)
BOUND = Formula(
    name="bound",
    expr=s.delta * (sp.exp(s.K * s.t) - 1) / s.K,
    lhs=r"\max_i\angle(x_i,\tilde x_i)",
    source="Grönwall for θ' <= δ* + K* θ",
    domain="K* > 0 (its limit δ* t at K* = 0); trivial from π on (as a chord, from 2 on)",
    where=(DELTA, K),
)
INITIAL_BOUND = Formula(
    name="initial_bound",
    expr=s.initial_angle * sp.exp(s.K * s.t) + s.delta * (sp.exp(s.K * s.t) - 1) / s.K,
    lhs=r"\max_i\angle(x_i,\tilde x_i)",
    source="Grönwall for θ' <= δ* + K* θ from the angle of the initial tokens",
    domain="K* > 0; trivial from π on",
    where=(DELTA, K),
)
K_ONE_FLOW = Formula(
    name="K_one_flow",
    expr=2 * s.V_norm * (1 + s.A_norm),
    lhs="K",
    source="K* of one flow against itself",
)
K_2 = Formula(
    name="K_2",
    expr=s.V_norm * (1 + s.A_norm) * (1 + sp.exp(s.A_norm)),
    lhs="K_2",
    source="rows of s sum to 1, columns to at most e^{2||A||}, so its spectral norm is at most e^{||A||}",
)
W2_GROWTH = Formula(
    name="w2_growth",
    expr=sp.exp(s.K_2 * s.t),
    lhs=r"W_2(\mu_t,\nu_t)/W_2(\mu_0,\nu_0)",
    source="Grönwall for root mean squares at rate K_2",
    where=(K_2,),
)
W2_GROWTH_K_STAR = Formula(
    name="w2_growth_k_star",
    expr=sp.exp(s.K_one_flow * s.t),
    lhs=r"W_2(\mu_t,\nu_t)/W_2(\mu_0,\nu_0)",
    source="the rate of W_∞ carried over to W2, which is false",
    where=(K_ONE_FLOW,),
)
RADIUS_GROWTH = Formula(
    name="radius_growth",
    expr=sp.Max(s.V_norm, s.perturbed_V_norm),
    lhs=r"D_t/t",
    source="|x_i|' <= ||V|| max_j |x_j|, for either flow",
)
_RADIUS = s.radius_0 * sp.exp(s.radius_growth * s.earlier_time)
_GROWN = sp.exp(2 * s.radius_growth * s.t) - sp.exp(2 * s.radius_growth * s.earlier_time)
_K_INTEGRAL = s.V_norm * (s.t - s.earlier_time + s.A_norm * s.radius_0**2 * _GROWN / s.radius_growth)
EUCLIDEAN_INTEGRAND = Formula(
    name="euclidean_integrand",
    expr=(s.dV_norm * _RADIUS + s.V_norm * s.dA_norm * _RADIUS**3) * sp.exp(_K_INTEGRAL),
    lhs=r"\delta(s)\,e^{\int_s^tK}",
    source="Grönwall with δ(s) and K(s) of tokens of radius R(s) = R_0 e^{max(||V||,||Ṽ||)s}",
    domain="0 <= s <= t and max(||V||, ||Ṽ||) > 0",
    where=(RADIUS_GROWTH,),
)
STEP_LIPSCHITZ = Formula(
    name="step_lipschitz",
    expr=1 + s.h * s.K_one_flow / (1 - s.h * s.V_norm),
    lhs=r"\mathrm{Lip}",
    source="|x + hVm| >= 1 - h||V||, and normalising is 1/r-Lipschitz outside the ball of radius r",
    domain="h||V|| < 1",
    where=(K_ONE_FLOW,),
)

_BOUND_IN_NORMS = replace(BOUND, expr=BOUND.closed, where=())

# --- claims ---------------------------------------------------------------------------------------

_SPHERE = ("single-head", "post-ln", "attention-only")

CLAIMS = (
    Claim(
        id="prop-3.1/sphere",
        title="finite-time stability on the sphere: one exponential",
        quoted=QUOTED,
        statement=(
            r"Same initial tokens, $\delta^*=\|\Delta V\|+\min(\|V\|,\|\tilde V\|)\|\Delta A\|$,"
            r" $K^*=2\min(\|V\|(1+\|A\|),\|\tilde V\|(1+\|\tilde A\|))$: $W_2(\mu_t,\nu_t)\le"
            r" W_\infty(\mu_t,\nu_t)\le\max_i\angle(x_i,\tilde x_i)\le\delta^*(e^{K^*t}-1)/K^*$ ($\delta^*t$"
            r" if $K^*=0$)."
        ),
        assumptions=("common-start", *_SPHERE),
        formulas=(BOUND, DELTA, K),
        expected="holds",
        tightenings=(
            Tightening("δ*", BOUND, -1, s.delta),
            Tightening("||ΔA|| in δ*", _BOUND_IN_NORMS, -1, s.dA_norm),
            Tightening("K*", BOUND, -1, s.K),
        ),
        required=10_000,
        note=(
            "Also with a causal mask, the same in both flows. The radial half of DP_x drops, and m_i moves "
            "by at most max_j θ_j + ||A||(θ_i + max_j θ_j), since a softmax covariance is at most 1. Sharp "
            "as t -> 0 (n = 1, rotation)."
        ),
    ),
    Claim(
        id="prop-3.1/euclidean",
        title="finite-time stability without normalisation: the quoted double exponential, explicit",
        quoted=QUOTED,
        statement=(
            r"Same initial tokens, $R(s)=\max_i|x_i(0)|\,e^{\max(\|V\|,\|\tilde V\|)s}$,"
            r" $\delta=\|\Delta V\|R+\|V\|\|\Delta A\|R^3$, $K=\|V\|(1+2\|A\|R^2)$:"
            r" $\max_i|x_i-\tilde x_i|\le\int_0^t\delta(s)\exp\big(\int_s^tK\big)\,ds$."
        ),
        assumptions=("common-start", "single-head", "attention-only"),
        formulas=(EUCLIDEAN_INTEGRAND, RADIUS_GROWTH),
        expected="holds",
        tightenings=(
            Tightening("δ", EUCLIDEAN_INTEGRAND, -1),
            Tightening("||ΔA|| in δ", EUCLIDEAN_INTEGRAND, -1, s.dA_norm),
            Tightening("growth of the radius", EUCLIDEAN_INTEGRAND, -1, s.radius_growth),
        ),
        required=10_000,
        note="A double exponential with D_t = max(||V||, ||Ṽ||) t. The formula is the integrand over s.",
    ),
    Claim(
        id="prop-3.1/initial",
        title="stability in the initial tokens too, in W_∞ and in W2",
        quoted="",
        statement=(
            r"Labelled tokens: $\max_i\angle(x_i,\tilde x_i)\le e^{K^*t}\max_i\angle(x_i(0),\tilde"
            r" x_i(0))+\delta^*(e^{K^*t}-1)/K^*$; measures, full attention: $W_\infty(\mu_t,\nu_t)\le"
            r" e^{K^*t}W_\infty(\mu_0,\nu_0)+\delta^*(e^{K^*t}-1)/K^*$; same $V$, $A$: $W_2(\mu_t,\nu_t)\le"
            r" e^{K_2t}W_2(\mu_0,\nu_0)$, $K_2=\|V\|(1+\|A\|)(1+e^{\|A\|})$."
        ),
        assumptions=("full-attention", *_SPHERE),
        formulas=(INITIAL_BOUND, W2_GROWTH, K_2),
        expected="holds",
        tightenings=(
            Tightening("initial angle", INITIAL_BOUND, -1, s.initial_angle),
            Tightening("δ*", INITIAL_BOUND, -1, s.delta),
            Tightening("K*", INITIAL_BOUND, -1, s.K),
        ),
        required=10_000,
        statement_depends=("prop-3.1/sphere",),
        note="The labelled form needs no full attention; the measures do, as a mask breaks the symmetry.",
    ),
    Claim(
        id="prop-3.1/initial-w2-kstar",
        title="W2 to W2 with the rate K* of W_∞",
        quoted="",
        statement=(
            r"Same $V$, $A$, full attention: $W_2(\mu_t,\nu_t)\le e^{K^*t}W_2(\mu_0,\nu_0)$,"
            r" $K^*=2\|V\|(1+\|A\|)$."
        ),
        assumptions=("full-attention", *_SPHERE),
        formulas=(W2_GROWTH_K_STAR, K_ONE_FLOW),
        expected="refuted",
        required=1,
        statement_depends=("prop-3.1/initial",),
        note=(
            "False. Counterexample: strong anti-attention, where few tokens draw the attention of all: V = I, "
            "A = -4.5 I, one of 1,001 tokens opposite to the others, moved by 1e-4: W2 grows 2.7-fold where "
            "e^{K*t} = 2.46 (9-fold and more with more tokens). Of this kind, none with 700 tokens or fewer was found."
        ),
    ),
    Claim(
        id="prop-3.1/discrete",
        title="Lipschitz constant of one layer",
        quoted="",
        statement=(
            r"Layered model, untied $V$, $h\|V\|<1$: one step is Lipschitz in the chord, in the maximum over"
            r" tokens, with constant $1+hK/(1-h\|V\|)$, $K=2\|V\|(1+\|A\|)$."
        ),
        assumptions=_SPHERE,
        formulas=(STEP_LIPSCHITZ, K_ONE_FLOW),
        expected="holds",
        tightenings=(Tightening("K", STEP_LIPSCHITZ, -1, s.K_one_flow),),
        required=10_000,
        statement_depends=("prop-3.1/sphere",),
        note="Steps with different V multiply their constants.",
    ),
)
