"""Theorem 4.2, transition in the norm of random adapters: formulas and claims.

Layered model with step ``h``, depth ``L``, ``T = hL``; adapters ``ΔV^l = η Σ_{k<=r} s_k u_k v_kᵀ``,
``u, v ~ N(0, I_d/d)``; ``τ² = hη²``, ``σ² = τ²||s||²/d²``; ``D(η, L) = ½E W2²``.
"""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula, Tightening
from theory.prop_3_1 import K_2

QUOTED = "η_L ≪ √L: almost no difference; η_L ≫ √L: drift dominates; cumulative drift ~ √(L Var ΔV)/L."

# --- formulas -------------------------------------------------------------------------------------

TANGENTIAL_MOVE = Formula(
    name="tangential_move",
    expr=s.h * s.eta * s.s_norm * sp.sqrt(s.d - 1) / s.d * s.m_norm,
    lhs=r"\sqrt{\mathbb E|h\,P_x\Delta V m_i|^2}",
    source="ΔVm has i.i.d. directions of variance η²||s||²|m|²/d², d - 1 of them tangential",
)
COLLAPSED_DRIFT = Formula(
    name="collapsed_drift",
    expr=1 - sp.exp(-(s.noise_scale**2) * s.T * s.s_norm**2 * (s.d - 1) / (2 * s.d**2)),
    lhs=r"\lim_L\tfrac12\mathbb E|x^L-x^0|^2",
    source="E<x^L,x^0> = ρ^L for V = 0, and 1 - ρ ~ ½τ²h||s||²(d-1)/d²",
    domain="V = 0, collapsed tokens, L -> ∞ at fixed T and τ",
)
K_2_LAYERED = Formula(
    name="K_2_layered",
    expr=s.K_2 / (1 - s.h * s.V_norm),
    lhs="K_2'",
    source="K_2 of prop-3.1/initial for one normalised step",
    domain="h||V|| < 1",
    where=(K_2,),
)
SUBCRITICAL_BOUND = Formula(
    name="subcritical_bound",
    expr=s.noise_scale**2
    * s.s_norm**2
    / s.d
    / (1 - s.h * s.V_norm) ** 2
    * (sp.exp(2 * s.K_2_layered * s.T) - 1)
    / (2 * s.K_2_layered),
    lhs=r"\max_l\mathbb E\,\mathrm{RMS}_l^2",
    source="E[|x̃' - x'|² | past] = 2(1 - ρ) + ρ|Φ(X̃) - Φ(X)|², summed over the layers",
    domain="h||V|| < 1, ||V|| > 0",
    where=(K_2_LAYERED,),
)
LAYER_RATIO = Formula(
    name="layer_ratio",
    expr=(1 + s.h * s.lambda_j) / (1 + s.h * s.lambda_1),
    lhs=r"\rho_j",
    source="one layer of the linearised model in direction j, relative to u1",
    domain="1 + hλ1 > 0; the formulas below take it positive",
)
LAYER_NOISE = Formula(
    name="layer_noise",
    expr=(s.h * s.eta * s.s_norm / (s.d * (1 + s.h * s.lambda_1))) ** 2,
    lhs="v_1",
    source="variance that one layer adds in each direction",
    domain="1 + hλ1 > 0",
)
CRITICAL_VARIANCE = Formula(
    name="critical_variance",
    expr=s.layer_noise * (1 - sp.exp(2 * s.L * sp.log(s.layer_ratio))) / (1 - s.layer_ratio**2),
    lhs=r"\mathbb E\,y_j^2",
    source="geometric sum of ρ_j^{2k}, k < L",
    domain="1 + hλ_j > 0, λ_j ≠ λ1 (its limit L v_1 at λ_j = λ1)",
    where=(LAYER_NOISE, LAYER_RATIO),
)
CRITICAL_VARIANCE_LIMIT = Formula(
    name="critical_variance_limit",
    expr=s.sigma**2 * (1 - sp.exp(-2 * (s.lambda_1 - s.lambda_j) * s.T)) / (2 * (s.lambda_1 - s.lambda_j)),
    lhs=r"\lim_L\mathbb E\,y_j^2",
    source="variance of the Ornstein-Uhlenbeck process of rate g_j = λ1 - λ_j",
    domain="λ_j ≠ λ1 (its limit Tσ² there)",
)


def _geometric(ratio: sp.Expr) -> sp.Expr:
    """Σ_{k=1}^{L-1} ratio^k, for a positive ratio other than 1."""
    return (ratio - sp.exp(s.L * sp.log(ratio))) / (1 - ratio)


def _ar1_sum() -> sp.Expr:
    ratio, rho = s.layer_ratio, s.correlation
    end = sp.exp(2 * s.L * sp.log(ratio))
    pairs = _geometric(ratio * rho) - end * _geometric(rho / ratio)
    return (1 - end + 2 * pairs) / (1 - ratio**2)


AR1_VARIANCE = Formula(
    name="ar1_variance",
    expr=s.layer_noise * _ar1_sum(),
    lhs=r"\mathbb E\,y_j^2",
    source="Σ_{k,k'<L} ρ_j^{k+k'} ρ^{|k-k'|}, summed along k - k' first",
    domain="ρ, ρ_j > 0; ρ_j ≠ 1, ρ_j ρ ≠ 1, ρ ≠ ρ_j (limits exist there)",
    where=(LAYER_NOISE, LAYER_RATIO),
)
AR1_SHIFT = Formula(
    name="ar1_shift",
    expr=sp.sqrt((1 - s.correlation) / (1 + s.correlation)),
    lhs=r"\eta_c^{\mathrm{AR}(1)}/\eta_c",
    source="long-run variance of an AR(1) sequence is (1+ρ)/(1-ρ) times its variance",
    domain="0 <= ρ < 1, no well",
)
CRITICAL_NORM = Formula(
    name="critical_norm",
    expr=s.critical_norm_1 * s.L**s.exponent,
    lhs=r"\eta_c(L)",
    source="what one layer adds, over L layers: with √L for independent adapters, with L for tied ones",
    domain="exponent 1/2 or 0 at fixed T (random, tied), -1/2 or -1 at fixed h, 0 on its plateau",
)
LOG_TAN_DRIFT = Formula(
    name="log_tan_drift",
    expr=-(s.lambda_1 - s.lambda_2) + s.sigma**2 * (s.d - 3) / 2,
    lhs=r"\frac{d}{dt}\mathbb E\log\tan\angle(x,u_1)",
    source="log of the norm of a geometric Brownian motion in the d - 1 directions of u1⊥",
    domain="d >= 2, adapters with both factors off u1",
)
LOG_TAN_VARIANCE = Formula(
    name="log_tan_variance",
    expr=s.sigma**2,
    lhs=r"\frac{d}{dt}\operatorname{Var}\log\tan\angle(x,u_1)",
    source="one normal direction of the common Brownian motion drives the length of P⊥x",
    domain="adapters with both factors off u1",
)
SUPERCRITICAL_LEVEL = Formula(
    name="supercritical_level",
    expr=1 - s.mean_overlap,
    lhs=r"\tfrac12\mathbb E|x-\tilde x|^2",
    source="both tokens are unit vectors; the mean overlap is 0 where the direction of x̃ is uniform",
)
UNIFORM_SECOND_MOMENT = Formula(
    name="uniform_second_moment",
    expr=1 / s.d,
    lhs=r"\mathbb E\langle\tilde x,u\rangle^2",
    source="uniform directions: the d squares have equal means and sum to 1",
)

# --- claims ---------------------------------------------------------------------------------------

_LAYERED = ("single-head", "post-ln", "attention-only")
_TIED_RANDOM = ("gaussian-adapters", "zero-mean-adapters", "common-start", *_LAYERED)
_RANDOM = ("independent-adapters", *_TIED_RANDOM)

CLAIMS = (
    Claim(
        id="thm-4.2/variance",
        title="one layer of a random adapter, and the exact drift for V = 0",
        quoted=QUOTED,
        statement=(
            r"$\operatorname{Cov}((\Delta Vm)_k,(\Delta Vm')_{k'})=\eta^2\|s\|^2\langle"
            r" m,m'\rangle\delta_{kk'}/d^2$; tangential move of one layer, RMS:"
            r" $h\eta\|s\|\sqrt{d-1}/d\cdot|m_i|$. $V=0$, collapsed, any $\eta$, $L$, $r$: $\mathbb E\langle"
            r" x^L,x^0\rangle=\rho^L$, $\rho=\mathbb E\langle N(e+h\Delta Ve),e\rangle$, and"
            r" $\tfrac12\mathbb E|x^L-x^0|^2=1-\rho^L\to1-\exp(-\tfrac12\tau^2T\|s\|^2(d-1)/d^2)$."
        ),
        assumptions=_RANDOM,
        formulas=(COLLAPSED_DRIFT, TANGENTIAL_MOVE),
        expected="holds",
        tightenings=(
            Tightening("limit (5 %)", COLLAPSED_DRIFT, -1),
            Tightening("tangential move (5 %)", TANGENTIAL_MOVE, -1),
        ),
        required=9,
        note="In log η the limit has its inflection at the height 1 - 1/e.",
    ),
    Claim(
        id="thm-4.2/subcritical",
        title="below the transition: the mean square drift is at most of order τ²",
        quoted=QUOTED,
        statement=(
            r"Full attention, $h\|V\|<1$, $K_2'=K_2/(1-h\|V\|)$: $\max_l\mathbb"
            r" E\,\mathrm{RMS}_l^2\le(\tau^2\|s\|^2/d)(1-h\|V\|)^{-2}(e^{2K_2'T}-1)/(2K_2')$,"
            r" $\mathrm{RMS}_l$ the root mean square of the chords $|\tilde x_i^l-x_i^l|$ under the identity"
            r" coupling."
        ),
        assumptions=("full-attention", *_RANDOM),
        formulas=(SUBCRITICAL_BOUND, K_2_LAYERED),
        expected="holds",
        tightenings=(Tightening("bound (5 %)", SUBCRITICAL_BOUND, -1),),
        required=5,
        statement_depends=("prop-3.1/initial",),
        proof_depends=("prop-3.1/initial", "thm-4.2/variance"),
        note=(
            "ΔVm is isotropic, so E[|x̃' - x'|² | past] = 2(1 - ρ) + ρ|Φ(X̃) - Φ(X)|² with Φ one base "
            "layer, and 1 - ρ <= ½E|hΔVm|² (lemma/one-layer-loss: it needs the normal law; for pairs of opposite "
            "kicks it is false). The maximum is outside the mean; inside it needs a supermartingale inequality. "
            "Very loose."
        ),
    ),
    Claim(
        id="thm-4.2/critical",
        title="at the transition: variance per direction, and the limit as an SDE",
        quoted=QUOTED,
        statement=(
            r"Collapsed at $u_1$, $V$ symmetric, $1+h\lambda_1>0$, linearised: $\mathbb"
            r" E\,y_j^2=h^2\eta^2\|s\|^2/d^2/(1+h\lambda_1)^2\sum_{k<L}\rho_j^{2k}$,"
            r" $\rho_j=(1+h\lambda_j)/(1+h\lambda_1)$, $\to\sigma^2(1-e^{-2g_jT})/(2g_j)$,"
            r" $g_j=\lambda_1-\lambda_j$ ($T\sigma^2$ if $g_j=0$). The limit $L\to\infty$ is"
            r" $dx_i=P_{x_i}Vm_i\,dt+\sigma P_{x_i}dB\,m_i-\tfrac12\sigma^2(d-1)|m_i|^2x_i\,dt$ (Itô) with"
            r" one common matrix Brownian motion $B$. AR(1) adapters:"
            r" $\sum_{k,k'}\rho_j^{k+k'}\rho^{|k-k'|}$ in place of $\sum_k\rho_j^{2k}$."
        ),
        assumptions=("symmetric-base", "collapsed-base", *_RANDOM),
        formulas=(CRITICAL_VARIANCE, CRITICAL_VARIANCE_LIMIT, AR1_VARIANCE, LAYER_RATIO, LAYER_NOISE),
        expected="holds",
        tightenings=(
            Tightening("variance (5 %)", CRITICAL_VARIANCE, -1),
            Tightening("limit (5 %)", CRITICAL_VARIANCE_LIMIT, -1),
            Tightening("AR(1) variance (5 %)", AR1_VARIANCE, -1),
        ),
        required=20,
        proof_depends=("thm-4.2/variance",),
        note=(
            "y_j = <x,u_j>/<x,u1>. The layered model linearised about u1; for small drift only. Of the SDE the checks "
            "see the variances here, the law of log tan (thm-4.2/two-level) and the breakdown of the linearisation "
            "(docs: limits), not the law of paths."
        ),
    ),
    Claim(
        id="thm-4.2/supercritical",
        title="above the transition: directions become uniform",
        quoted=QUOTED,
        statement=(
            r"Adapters independent over layers, any $r\ge1$, $m_i\ne0$, $\eta\to\infty$: the direction of"
            r" each $\tilde x_i$ becomes uniform, $\tfrac12\mathbb E|x_i-\tilde x_i|^2\to1$, and"
            r" $\tfrac12\mathbb E\,W_2^2\to1$ if the base is collapsed."
        ),
        assumptions=("collapsed-base", *(name for name in _RANDOM if name != "common-start")),
        formulas=(SUPERCRITICAL_LEVEL, UNIFORM_SECOND_MOMENT),
        expected="holds",
        tightenings=(
            Tightening("level (5 %)", SUPERCRITICAL_LEVEL, -1),
            Tightening("moment (5 %)", UNIFORM_SECOND_MOMENT, -1),
        ),
        required=20,
        note="The tokens are not independent of each other. From a spread base W2 has a lower plateau.",
    ),
    Claim(
        id="thm-4.2/supercritical-tied",
        title="the same with tied adapters",
        quoted=QUOTED,
        statement=(
            r"One adapter for all layers, any $r\ge1$, collapsed base, $\eta\to\infty$:"
            r" $\tfrac12\mathbb E|x_i-\tilde x_i|^2\to1$."
        ),
        assumptions=("tied-weights", "collapsed-base", *_TIED_RANDOM),
        formulas=(SUPERCRITICAL_LEVEL,),
        expected="refuted",
        required=1,
        statement_depends=("thm-4.2/supercritical",),
        note=(
            "False. Counterexample: r = 1, L even, collapsed at u1: x̃ = ±u with the sign of <v,u1><v,u>, "
            "so E<x̃,u1> -> (2/π)E[z arcsin z], z = <u,u1>, which is 4/π² = 0.405 for d = 2."
        ),
    ),
    Claim(
        id="thm-4.2/collapse",
        title="T fixed: one curve in η/√L (random adapters) or in η (tied)",
        quoted=QUOTED,
        statement=(
            r"$T=hL$ fixed; base collapsed, or $D$ relative to its plateau: $D(\eta,L)=\tfrac12\mathbb"
            r" E\,W_2^2$ falls for many $L$ on one curve in $\eta/\sqrt L$ (random) or in $\eta$ (tied), so"
            r" $\eta_c(L)$ has slope $\tfrac12$ or $0$ in log-log. AR(1) at fixed $\rho$: slope $\tfrac12$,"
            r" shifted by $\sqrt{(1-\rho)/(1+\rho)}$ (no well). Orthogonal adapters: $D=0$ from a start"
            r" collapsed at $u_1$."
        ),
        assumptions=_TIED_RANDOM,
        formulas=(AR1_SHIFT, CRITICAL_NORM),
        expected="holds",
        tightenings=(
            Tightening("slope, random (5 %)", CRITICAL_NORM, -1, s.exponent),
            Tightening("slope, tied (5 %)", CRITICAL_NORM, -1, s.exponent),
            Tightening("AR(1) shift (5 %)", AR1_SHIFT, -1),
        ),
        required=6,
        proof_depends=("thm-4.2/variance", "thm-4.2/critical"),
        note=(
            "Checked from collapsed starts, at the level D = 0.35 (tied: 0.2). The crossover of AR(1) adapters at "
            "L(1-ρ) ~ 1 is not. From a spread start orthogonal adapters give a shift that is measured. Seen with 16 "
            "tokens in the hemisphere, d = 8, T = 4, L = 64..1024: D = 0.13 at η/√L = 0.5, 0.71 at 1."
        ),
    ),
    Claim(
        id="thm-4.2/fixed-step",
        title="h fixed, as in real networks: the critical norm falls with depth",
        quoted="",
        statement=(
            r"$h$ fixed: $\eta_c\sim L^{-1/2}$ (random) and $\sim L^{-1}$ (tied) while $g\,hL\ll1$, a"
            r" plateau beyond."
        ),
        assumptions=_TIED_RANDOM,
        formulas=(CRITICAL_NORM,),
        expected="holds",
        tightenings=(
            Tightening("slope, random (5 %)", CRITICAL_NORM, -1, s.exponent),
            Tightening("slope, tied (5 %)", CRITICAL_NORM, -1, s.exponent),
            Tightening("slope, plateau", CRITICAL_NORM, -1, s.exponent),
        ),
        required=3,
        statement_depends=("thm-4.2/collapse",),
        proof_depends=("thm-4.2/critical",),
    ),
    Claim(
        id="thm-4.2/norm-quoted-fixed-step",
        title="the quoted transition at √L read at fixed step",
        quoted=QUOTED,
        statement=(
            r"$h$ fixed, random adapters: $\eta_L/\sqrt L\to0$ as $L\to\infty$ implies"
            r" $D(\eta_L,L)\to0$."
        ),
        assumptions=_RANDOM,
        formulas=(COLLAPSED_DRIFT,),
        expected="refuted",
        required=1,
        statement_depends=("thm-4.2/fixed-step",),
        note=(
            "False. Counterexample: V = 0, collapsed, η constant, so that η/√L -> 0: D = 1 - ρ^L -> 1, "
            "since ρ < 1 does not depend on L."
        ),
    ),
    Claim(
        id="thm-4.2/two-level",
        title="two eigenvalues, orthogonal adapters: log tan of the angle is a random walk",
        quoted="",
        statement=(
            r"$V=\lambda_1u_1u_1^\top+\lambda_2P^\perp$, collapsed, both adapter factors projected off"
            r" $u_1$: $\log\tan\angle(x^l,u_1)$ is a random walk with i.i.d. increments; in the SDE limit"
            r" its drift is $-(\lambda_1-\lambda_2)+\sigma^2(d-3)/2$ and its variance $\sigma^2$ per time."
        ),
        assumptions=("symmetric-base", *_RANDOM),
        formulas=(LOG_TAN_DRIFT, LOG_TAN_VARIANCE),
        expected="holds",
        tightenings=(
            Tightening("drift (5 %)", LOG_TAN_DRIFT, -1),
            Tightening("variance (5 %)", LOG_TAN_VARIANCE, -1),
        ),
        required=10,
        note=(
            "Needs the projection: unprojected adapters add terms in 1/sin² and 1/cos² of the angle "
            "(variance σ²/(sin² cos²) per time), and the increments depend on where the token is."
        ),
    ),
)
