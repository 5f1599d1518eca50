"""Theorem 4.6, transition in depth: formulas and claims.

``ϑ`` is the tangent of the largest angle between a token and ``u``; ``w = uᵀṼu``, ``b = P⊥Ṽu``,
``c = P⊥Ṽᵀu``, ``κ = ||P⊥ṼP⊥||``, ``S = w - κ``. Angles in radians.
"""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula, Tightening

QUOTED = (
    "at fixed magnitude there is a critical T*: tokens follow the base for t < T*, and jump to a new cluster "
    "for t > T*."
)

# --- formulas -------------------------------------------------------------------------------------

_SIDEWAYS = s.kappa + s.c_norm * s.tan_max_angle

RADIAL_PULL = Formula(
    name="radial_pull",
    expr=s.b_norm - s.w * s.tan_max_angle,
    lhs="z",
    source="what the u-component of m_i adds to the tangent",
)
PLAIN_SPEED = Formula(
    name="plain_speed",
    expr=s.b_norm - s.cone_separation * s.tan_max_angle + s.c_norm * s.tan_max_angle**2,
    lhs="G(\\vartheta)",
    source="m_i on the boundary of the cone",
    domain="an upper bound of D⁺ϑ where plain_condition >= 0",
)
PLAIN_CONDITION = Formula(
    name="plain_condition",
    expr=_SIDEWAYS - s.tan_max_angle * s.radial_pull,
    lhs=r"\kappa+\|c\|\vartheta-\vartheta z",
    source="the best m_i is on the boundary of the cone where this is >= 0, inside it otherwise",
    where=(RADIAL_PULL,),
)
INNER_SPEED = Formula(
    name="inner_speed",
    expr=sp.sqrt(1 + s.tan_max_angle**2) * sp.sqrt(s.radial_pull**2 + _SIDEWAYS**2),
    lhs="G(\\vartheta)",
    source="m_i a unit vector inside the cone, by Cauchy-Schwarz",
    domain="an upper bound of D⁺ϑ always, the better one where plain_condition < 0",
    where=(RADIAL_PULL,),
)
DEVIATION_TIME = Formula(
    name="deviation_time",
    expr=s.slowness_integral,
    lhs=r"T_{\mathrm{dev}}(r)",
    source="the scalar inequality D⁺ϑ <= G(ϑ), integrated; G is plain_speed or inner_speed, by plain_condition",
    domain="infinite where G <= 0 between ϑ0 and r: that is where plain_speed has a root there",
)
ARRIVAL_TIME = Formula(
    name="arrival_time",
    expr=sp.Max(
        0,
        sp.log(sp.sqrt(1 - s.overlap**2) / (s.overlap * sp.tan(s.target_angle))) / s.perturbed_dominant_gap,
    ),
    lhs=r"T_{\mathrm{arrive}}(\rho)",
    source="prop-3.3/convergence about ũ1 from the token farthest from it",
    domain="gap~* > 0, 0 < ε < 1, 0 < ρ < π/2",
)
CUTOFF_LOWER = Formula(
    name="cutoff_lower",
    expr=sp.log(s.overlap_2 / s.overlap) / s.perturbed_gap,
    lhs=r"T^*_{\min}",
    source="the component along ũ2 alone",
    domain="λ̃1 > λ̃2, ε > 0, c2 ≠ 0",
)
CUTOFF_UPPER = Formula(
    name="cutoff_upper",
    expr=sp.log(sp.sqrt(1 - s.overlap**2) / s.overlap) / s.perturbed_gap,
    lhs=r"T^*_{\max}",
    source="all the rest along ũ2",
    domain="λ̃1 > λ̃2, 0 < ε < 1",
)
CUTOFF_PROFILE = Formula(
    name="cutoff_profile",
    expr=sp.exp(s.scaled_time) / sp.sqrt(1 + sp.exp(2 * s.scaled_time)),
    lhs=r"\langle x(t),\tilde u_1\rangle",
    source="two components, s = (λ̃1 - λ̃2)(t - T*)",
)
CUTOFF_WINDOW = Formula(
    name="cutoff_window",
    expr=sp.log(s.overlap_high * sp.sqrt(1 - s.overlap_low**2) / (s.overlap_low * sp.sqrt(1 - s.overlap_high**2)))
    / s.perturbed_gap,
    lhs=r"T_{p_+}-T_{p_-}",
    source="cutoff_profile solved for two overlaps p- < p+",
    domain="the rest along ũ2, ε < p- < p+ < 1; it does not depend on ε, so that window/T* -> 0",
)
CROSSING_OVERLAP = Formula(
    name="crossing_overlap",
    expr=s.alpha_abs / sp.Abs(s.gap + s.a - s.e),
    lhs=r"\varepsilon_{\max}",
    source="first order of the two-level system past the crossing; sin(arctan(2x)/2) <= x, with relative error 3x²/2",
    domain="λ1 + a < λ2 + e, exact as |α| becomes much smaller than their distance",
)
DEGENERATE_TIME = Formula(
    name="degenerate_time",
    expr=sp.log(sp.tan(s.angle_0) / sp.tan(s.angle_0 - s.deviation)) / s.weakening,
    lhs="T^*(r)",
    source="tan of the angle to e1 decays at rate ε, while the base stays at θ0",
    domain="0 < r < θ0 < π/2",
)
_RATIO = (1 + s.h * s.other_eigenvalues[s.j]) / (1 + s.h * s.lambda_1)
_STATIONARY = s.sigma**2 / (
    (s.lambda_1 - s.other_eigenvalues[s.j]) * (2 + s.h * (s.lambda_1 + s.other_eigenvalues[s.j]))
)
STATIONARY_DRIFT_SQUARED = Formula(
    name="stationary_drift_squared",
    expr=s.over_directions(_STATIONARY),
    lhs=r"\lim_L\mathbb E\tan^2",
    source="thm-4.2/critical summed over the directions, L -> ∞",
    domain="λ_j < λ1 and h(λ1 + λ_j) > -2 for all j",
)
RMS_DRIFT_SQUARED = Formula(
    name="rms_drift_squared",
    expr=s.over_directions(_STATIONARY * (1 - sp.exp(s.L * sp.log(_RATIO**2)))),
    lhs=r"\mathbb E\tan^2",
    source="thm-4.2/critical summed over the directions",
    domain="λ_j ≠ λ1, |1 + hλ_j| > 0 and 1 + hλ1 > 0 for all j",
)

# --- claims ---------------------------------------------------------------------------------------

_SPHERE = ("single-head", "post-ln", "attention-only")

CLAIMS = (
    Claim(
        id="thm-4.6/lower",
        title="time to deviate from u: a lower bound for any V + ΔV, u and weights",
        quoted=QUOTED,
        statement=(
            r"Any $\tilde V$, unit $u$, weights; $z=\|b\|-w\vartheta$: $D^+\vartheta\le G(\vartheta)$ with"
            r" $G=\|b\|-S\vartheta+\|c\|\vartheta^2$ if $\kappa+\|c\|\vartheta\ge\vartheta z$, else"
            r" $G=\sqrt{1+\vartheta^2}\sqrt{z^2+(\kappa+\|c\|\vartheta)^2}$;"
            r" $T_{\mathrm{dev}}(r)\ge\int_{\vartheta_0}^rd\vartheta/G$ ($\infty$ if $G\le0$ on the way)."
        ),
        assumptions=("hemisphere", *_SPHERE),
        formulas=(DEVIATION_TIME, PLAIN_SPEED, INNER_SPEED, PLAIN_CONDITION, RADIAL_PULL),
        expected="holds",
        tightenings=(
            Tightening("time", DEVIATION_TIME, +1),
            Tightening("||b|| in the first branch", PLAIN_SPEED, -1, s.b_norm),
            Tightening("S in the first branch", PLAIN_SPEED, +1, s.cone_separation),
            Tightening("||c|| in the first branch", PLAIN_SPEED, -1, s.c_norm),
            Tightening("the second branch", INNER_SPEED, -1),
        ),
        required=10_000,
        note=(
            "hemisphere: of u, whatever u is. The first branch is attained along the whole way by one token in the "
            "plane of u and b where c and κ act in it too (and by any number of equal tokens), the second at one "
            "moment by a second token inside the cone. Checked with ϑ beyond r; where the bound is infinite, with "
            "ϑ below the root of G."
        ),
    ),
    Claim(
        id="thm-4.6/plain-riccati",
        title="the Riccati inequality without its second branch",
        quoted="",
        statement=(
            r"Any $\tilde V$, unit $u$, weights: $D^+\vartheta\le\|b\|-S\vartheta+\|c\|\vartheta^2$ for all"
            r" $\vartheta$."
        ),
        assumptions=("hemisphere", *_SPHERE),
        formulas=(PLAIN_SPEED, PLAIN_CONDITION),
        expected="refuted",
        statement_depends=("thm-4.6/lower",),
        required=1,
        note=(
            "False for n >= 2. Counterexample: Ṽ = [[0,0],[1,0]], n = 2, x = (0.6,0.8), (1,0), A = diag(10,-10): "
            "ϑ starts at speed 1.667 where the right-hand side is 1. It holds when w >= 0 and (||c|| >= ||b|| or "
            "(||b||-||c||)² <= 4wκ), so for every symmetric ΔV with w >= 0."
        ),
    ),
    Claim(
        id="thm-4.6/upper",
        title="time to arrive at ũ1: an upper bound",
        quoted=QUOTED,
        statement=(
            r"$\tilde V$ symmetric, $\widetilde{\mathrm{gap}}^*>0$, $\varepsilon=\min_i\langle\tilde"
            r" x_i(0),\tilde u_1\rangle>0$, $0<\rho<\pi/2$: all tokens are within $\rho$ of $\tilde u_1$"
            r" after"
            r" $\max\big(0,\log(\sqrt{1-\varepsilon^2}/(\varepsilon\tan\rho))"
            r"/\widetilde{\mathrm{gap}}^*\big)$."
        ),
        assumptions=("symmetric-base", "symmetric-update", "dominant-gap", "hemisphere", *_SPHERE),
        formulas=(ARRIVAL_TIME,),
        expected="holds",
        proof_depends=("prop-3.3/convergence",),
        tightenings=(
            Tightening("time", ARRIVAL_TIME, -1),
            Tightening("rate gap~*", ARRIVAL_TIME, +1, s.perturbed_dominant_gap),
        ),
        required=10_000,
        note="dominant-gap and hemisphere: those of Ṽ and ũ1.",
    ),
    Claim(
        id="thm-4.6/cutoff",
        title="collapsed tokens: the time of the jump, and its profile",
        quoted=QUOTED,
        statement=(
            r"$\tilde V$ symmetric, collapsed tokens with overlaps $\varepsilon>0$ with $\tilde u_1$ and"
            r" $c_2\ne0$ with $\tilde u_2$, $T^*$ the time at $45^\circ$ from $\tilde u_1$:"
            r" $\log(|c_2|/\varepsilon)\le(\tilde\lambda_1-\tilde\lambda_2)T^*"
            r"\le\log(\sqrt{1-\varepsilon^2}/\varepsilon)$;"
            r" equality and the profile $e^s/\sqrt{1+e^{2s}}$, $s=(\tilde\lambda_1-\tilde\lambda_2)(t-T^*)$,"
            r" when the rest lies along $\tilde u_2$; window$/T^*\to0$ as $\varepsilon\to0$."
        ),
        assumptions=("symmetric-base", "symmetric-update", "collapsed-base", *_SPHERE),
        formulas=(CUTOFF_UPPER, CUTOFF_LOWER, CUTOFF_PROFILE, CUTOFF_WINDOW, CROSSING_OVERLAP),
        expected="holds",
        tightenings=(
            Tightening("latest time", CUTOFF_UPPER, -1),
            Tightening("earliest time", CUTOFF_LOWER, +1),
            Tightening("profile", CUTOFF_PROFILE, -1),
            Tightening("window", CUTOFF_WINDOW, -1),
            Tightening("overlap past a crossing", CROSSING_OVERLAP, -1),
        ),
        required=500,
        note=(
            "The sharp transition; ε < 1/√2, or the tokens start within 45°. Near a crossing (λ1 + a < λ2 + e): "
            "ε ≈ |α_2|/|gap + a - e|, from below."
        ),
    ),
    Claim(
        id="thm-4.6/degenerate",
        title="V = I: the transition of the first version's experiment is not sharp",
        quoted="",
        statement=(
            r"$V=I$, $\tilde V=\operatorname{diag}(1,1-\varepsilon)$ in a plane (any $d$), collapsed there at"
            r" angle $\theta_0$ from $e_1$: $T^*(r)=(1/\varepsilon)\log(\tan\theta_0/\tan(\theta_0-r))$,"
            r" slope $-1$ in log-log; spread tokens: slope $\to-1$."
        ),
        assumptions=("symmetric-base", "symmetric-update", "common-start", *_SPHERE),
        formulas=(DEGENERATE_TIME,),
        expected="holds",
        tightenings=(
            Tightening("time", DEGENERATE_TIME, -1),
            Tightening("weakening ε", DEGENERATE_TIME, +1, s.weakening),
        ),
        required=500,
        note=(
            "10-90 % window / T* = 2.56 at θ0 = 0.9, T* the time of half the deviation: it does not depend on ε, so "
            "there is no sharp transition as ε -> 0."
        ),
    ),
    Claim(
        id="thm-4.6/random",
        title="random adapters at fixed step: depth at which the linearised drift reaches r",
        quoted=QUOTED,
        statement=(
            r"Layered, $h$ fixed, linearised about $u_1$: the RMS drift stays below $r$ at every depth iff"
            r" $\sum_j\sigma^2/(g_j(2+h(\lambda_1+\lambda_j)))\le r^2$, all $g_j=\lambda_1-\lambda_j>0$;"
            r" otherwise $T^*(r)$ is where the closed form of the variance reaches $r^2$."
        ),
        assumptions=(
            "symmetric-base",
            "spectral-gap",
            "collapsed-base",
            "common-start",
            "gaussian-adapters",
            "independent-adapters",
            "zero-mean-adapters",
            *_SPHERE,
        ),
        formulas=(STATIONARY_DRIFT_SQUARED, RMS_DRIFT_SQUARED),
        expected="holds",
        tightenings=(
            Tightening("drift (5 %)", RMS_DRIFT_SQUARED, -1),
            Tightening("stationary drift (5 %)", STATIONARY_DRIFT_SQUARED, -1),
        ),
        required=6,
        statement_depends=("thm-4.2/critical",),
        proof_depends=("thm-4.2/critical",),
        note=(
            "The full model is metastable: escape time exponential in gap/σ² (d = 2: first passage through "
            "the perpendicular at rate (2g/π)e^{-g/σ²})."
        ),
    ),
    Claim(
        id="thm-4.6/random-safe",
        title="the full model is safe at every depth where the linearised one is",
        quoted=QUOTED,
        statement=(
            r"$\sum_j\sigma^2/(g_j(2+h(\lambda_1+\lambda_j)))\le r^2$: the RMS drift of the full layered"
            r" model stays below $r$ at every depth."
        ),
        assumptions=(
            "symmetric-base",
            "spectral-gap",
            "collapsed-base",
            "common-start",
            "gaussian-adapters",
            "independent-adapters",
            "zero-mean-adapters",
            *_SPHERE,
        ),
        formulas=(STATIONARY_DRIFT_SQUARED,),
        expected="refuted",
        required=1,
        statement_depends=("thm-4.6/random",),
        note=(
            "False. Counterexample: any d >= 2 at a depth far beyond e^{gap/σ²}: the noise carries the "
            "token out of the well of u1, and by symmetry it ends at u1 and -u1 with equal probability."
        ),
    ),
)
