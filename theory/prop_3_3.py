"""Proposition 3.3, long-time stability: formulas and claims.

Frame of ``u1``: ``a = u1ᵀΔVu1``, ``b = P⊥ΔVu1``, ``c = P⊥ΔVᵀu1``, ``E = P⊥ΔVP⊥``. Angles in radians.
"""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula, Tightening

QUOTED_CRITERION = (
    "Let A = V be positive semi-definite and <x_i(0), u1> >= gamma > 0. If gap + a > 2||b|| + ||E||, then "
    "X(t) -> (u1, ..., u1) and X~(t) -> (u1~, ..., u1~)."
)
QUOTED_DRIFT = "||u1 - u1~|| <~ (2||b|| + ||E||) / (gap + a)."

# --- formulas -------------------------------------------------------------------------------------

TAN_ANGLE_BOUND = Formula(
    name="tan_angle_bound",
    expr=s.tan_max_angle_0 * sp.exp(-s.dominant_gap * s.t),
    lhs=r"\vartheta(t)",
    source="smallest p_i = <x_i,u1> obeys p_i' >= gap* p_i (1 - p_i^2)",
    domain="gap* > 0 and all tokens in the open hemisphere of u1",
)
TAN_ANGLE_BOUND_GAP_ONLY = Formula(
    name="tan_angle_bound_gap_only",
    expr=s.tan_max_angle_0 * sp.exp(-s.gap * s.t),
    lhs=r"\vartheta(t)",
    source="prop-3.3/convergence with gap in place of gap*",
    domain="false where V has an eigenvalue below -λ2",
)
PERTURBED_TAN_ANGLE_BOUND = Formula(
    name="perturbed_tan_angle_bound",
    expr=s.tan_max_angle_0 * sp.exp(-s.perturbed_dominant_gap * s.t),
    lhs=r"\tilde\vartheta(t)",
    source="prop-3.3/convergence for V + ΔV about ũ1",
    domain="gap* + a > ||E|| and gamma > sin(theta_b)",
)
CRITERION_MARGIN = Formula(
    name="criterion_margin",
    expr=s.gap + s.a - 2 * s.b_norm - s.E_norm,
    lhs=r"\mathrm{gap}+a-2\|b\|-\|E\|",
    source="the quoted spectral criterion, as a margin",
)
SHARP_CRITERION_MARGIN = Formula(
    name="sharp_criterion_margin",
    expr=s.dominant_gap + s.a - s.E_norm,
    lhs=r"\mathrm{gap}^*+a-\|E\|",
    source="prop-3.3/criterion: no 2||b|| is needed",
)
THETA_BOUND = Formula(
    name="theta_bound",
    expr=sp.atan(2 * s.b_norm / (s.gap + s.a - s.E_norm)) / 2,
    lhs=r"\theta_b",
    source="Davis-Kahan tan 2θ theorem in the frame of u1",
    domain="gap + a > ||E||",
)
DRIFT_BOUND_SHARP = Formula(
    name="drift_bound_sharp",
    expr=2 * sp.sin(s.theta_bound / 2),
    lhs=r"\|u_1-\tilde u_1\|_{\max}",
    source="chord of the angle θ_b",
    domain="gap + a > ||E||",
    where=(THETA_BOUND,),
)
DRIFT_BOUND_QUOTED = Formula(
    name="drift_bound_quoted",
    expr=(2 * s.b_norm + s.E_norm) / (s.gap + s.a),
    lhs=r"\frac{2\|b\|+\|E\|}{\mathrm{gap}+a}",
    source="Prop. 3.3 as quoted, without its hidden constant",
    domain="gap + a > 0",
)
DRIFT_BOUND_HALF = Formula(
    name="drift_bound_half",
    expr=DRIFT_BOUND_QUOTED.expr / 2,
    lhs=r"\tfrac12\,\frac{2\|b\|+\|E\|}{\mathrm{gap}+a}",
    source="the quoted bound with its best constant 1/2",
    domain="gap + a > 2||b|| + ||E||",
)
FAR_SIDE = Formula(
    name="far_side",
    expr=sp.pi / 2,
    lhs=r"\pi/2",
    source="once all tokens are beyond π/2 from ũ1 they converge to -ũ1 (prop-3.3/convergence about -ũ1)",
    domain="dominant gap of V + ΔV positive, V + ΔV symmetric or in a cone about -ũ1",
)
CROSSING_MARGIN = Formula(
    name="crossing_margin",
    expr=s.lambda_1 + s.a - s.perturbed_mu_max,
    lhs=r"\lambda_1+a-\lambda_{\max}(P^\perp\tilde VP^\perp)",
    source="with b = c = 0, V + ΔV is block diagonal in the frame of u1",
    domain="b = c = 0",
)
HEADS_BOUND = Formula(
    name="heads_bound",
    expr=s.tan_max_angle_0 * sp.exp(-s.dominant_gap_sum * s.t),
    lhs=r"\vartheta(t)",
    source="the inequalities of prop-3.3/convergence add up over the heads",
    domain="common u1, λ1 >= 0 and gap* > 0 in every head",
)
HEMISPHERE_NEEDED = Formula(
    name="hemisphere_needed",
    expr=sp.sin(s.theta_bound),
    lhs=r"\gamma_{\min}",
    source="gamma above this keeps every token in the open hemisphere of ũ1",
    domain="gap + a > ||E||",
    where=(THETA_BOUND,),
)
CONE_SEPARATION = Formula(
    name="cone_separation",
    expr=s.w - s.kappa,
    lhs="S",
    source="w = uᵀṼu, κ = ||P⊥ṼP⊥||",
)
CONE_MARGIN = Formula(
    name="cone_margin",
    expr=s.cone_separation - 2 * sp.sqrt(s.b_norm * s.c_norm),
    lhs=r"S-2\sqrt{\|b\|\|c\|}",
    source="discriminant of ||b|| - Sϑ + ||c||ϑ² (two real roots)",
)
CONE_RATE = Formula(
    name="cone_rate",
    expr=sp.sqrt(s.cone_separation**2 - 4 * s.b_norm * s.c_norm),
    lhs=r"\omega",
    source="distance of the roots of ||b|| - Sϑ + ||c||ϑ², times ||c||",
    domain="S > 2 sqrt(||b|| ||c||)",
)
CONE_INNER = Formula(
    name="cone_inner",
    expr=2 * s.b_norm / (s.cone_separation + s.cone_rate),
    lhs="t_-",
    source="smaller root of ||b|| - Sϑ + ||c||ϑ²",
    domain="S > 2 sqrt(||b|| ||c||)",
    where=(CONE_RATE,),
)
CONE_OUTER_INVERSE = Formula(
    name="cone_outer_inverse",
    expr=2 * s.c_norm / (s.cone_separation + s.cone_rate),
    lhs="q_+ = 1/t_+",
    source="inverse of the larger root; 0 where c = 0",
    domain="S > 2 sqrt(||b|| ||c||)",
    where=(CONE_RATE,),
)


def _cone_bound() -> sp.Expr:
    inner, outer_inverse = s.cone_inner, s.cone_outer_inverse
    start = (s.tan_max_angle_0 - inner) / (1 - outer_inverse * s.tan_max_angle_0)
    now = start * sp.exp(-s.cone_rate * s.t)
    return sp.Max(inner, (inner + now) / (1 + outer_inverse * now))


CONE_ANGLE_BOUND = Formula(
    name="cone_angle_bound",
    expr=_cone_bound(),
    lhs=r"\vartheta(t)",
    source=r"ϑ' <= ||b|| - Sϑ + ||c||ϑ² solved in closed form; t- where the start is inside it",
    domain="S > 2 sqrt(||b|| ||c||) and ϑ(0) < t+; with c = 0 the factor 1/t+ vanishes",
    where=(CONE_RATE, CONE_INNER, CONE_OUTER_INVERSE),
)
LAYER_CONTRACTION = Formula(
    name="layer_contraction",
    expr=(1 + s.h * s.kappa) / (1 + s.h * s.lambda_1),
    lhs=r"\vartheta^{l+1}/\vartheta^l",
    source="the part across u1 grows by at most 1 + hκ, that along u1 by just 1 + hλ1; both are convex in m",
    domain="h > 0, λ1 >= 0; κ the norm of V on u1⊥",
)

# --- claims ---------------------------------------------------------------------------------------

_SPHERE = ("single-head", "post-ln", "attention-only")
_QUOTED = ("a-equals-v", "psd", "spectral-gap", "hemisphere", "full-attention", "common-start", *_SPHERE)

CLAIMS = (
    Claim(
        id="prop-3.3/convergence",
        title="tokens in the hemisphere of u1 converge to u1 at rate gap*",
        quoted=QUOTED_CRITERION,
        statement=(
            r"$V=V^\top$, $\mathrm{gap}^*=\lambda_1-\max_{j\ge2}|\lambda_j|>0$, $\langle x_i(0),u_1\rangle>0$ for all"
            r" $i$, any measurable row-stochastic weights: $\vartheta(t)\le\vartheta(0)\,e^{-\mathrm{gap}^*t}$."
        ),
        assumptions=("symmetric-base", "dominant-gap", "hemisphere", *_SPHERE),
        formulas=(TAN_ANGLE_BOUND,),
        expected="holds",
        tightenings=(Tightening("rate gap*", TAN_ANGLE_BOUND, +1, s.dominant_gap),),
        required=10_000,
        note=(
            "A = V is not needed: A, masks and time dependence only change the weights. Equality for one token in "
            "span(u1, u2) when λ2 = max_{j>=2}|λ_j|."
        ),
    ),
    Claim(
        id="prop-3.3/convergence-gap-only",
        title="the same with gap > 0 in place of gap* > 0",
        quoted=QUOTED_CRITERION,
        statement=(
            r"$A=V=V^\top$ (indefinite allowed), $\lambda_1>\lambda_2$, $\langle x_i(0),u_1\rangle>0$ for all $i$:"
            r" $\vartheta(t)\le\vartheta(0)\,e^{-\mathrm{gap}\,t}$, so every $x_i(t)\to u_1$."
        ),
        assumptions=(
            "a-equals-v",
            "symmetric-base",
            "spectral-gap",
            "hemisphere",
            "full-attention",
            *_SPHERE,
        ),
        formulas=(TAN_ANGLE_BOUND_GAP_ONLY,),
        expected="refuted",
        required=1,
        note="V = diag(1, -2), x = (sqrt(1-q²), ±q) with q² = 0.98: the tokens go to ±u2.",
    ),
    Claim(
        id="prop-3.3/drift",
        title="angle between u1 and ũ1, sharp",
        quoted=QUOTED_DRIFT,
        statement=(
            r"$V$, $\Delta V$ symmetric, $\langle u_1,\tilde u_1\rangle\ge0$, $\delta=\mathrm{gap}+a-\|E\|>0$:"
            r" $\angle(u_1,\tilde u_1)\le\theta_b=\tfrac12\arctan(2\|b\|/\delta)$ and"
            r" $\|u_1-\tilde u_1\|\le2\sin(\theta_b/2)$."
        ),
        assumptions=("symmetric-base", "symmetric-update"),
        formulas=(DRIFT_BOUND_SHARP, THETA_BOUND),
        expected="holds",
        tightenings=(
            Tightening("drift bound", DRIFT_BOUND_SHARP, -1),
            Tightening("angle θ_b", DRIFT_BOUND_SHARP, -1, s.theta_bound),
        ),
        required=10_000,
        note="Attained for d = 2, E >= 0 (and in the plane of u1 and b whenever E acts there as +||E||).",
    ),
    Claim(
        id="prop-3.3/drift-quoted",
        title="the quoted drift bound with its best constant 1/2",
        quoted=QUOTED_DRIFT,
        statement=(
            r"$V$, $\Delta V$ symmetric, $\mathrm{gap}+a>2\|b\|+\|E\|$:"
            r" $\|u_1-\tilde u_1\|\le\tfrac12\,(2\|b\|+\|E\|)/(\mathrm{gap}+a)$."
        ),
        assumptions=("symmetric-base", "symmetric-update"),
        formulas=(DRIFT_BOUND_HALF, CRITERION_MARGIN),
        expected="holds",
        proof_depends=("prop-3.3/drift",),
        tightenings=(Tightening("constant 1/2", DRIFT_BOUND_HALF, -1),),
        required=5_000,
        note="1/2 is the best constant: take E = 0 and b -> 0.",
    ),
    Claim(
        id="prop-3.3/criterion",
        title="all LoRA tokens converge to ũ1: gap* + a > ||E|| and gamma > sin θ_b",
        quoted=QUOTED_CRITERION,
        statement=(
            r"$V$, $\Delta V$ symmetric, $\mathrm{gap}^*+a>\|E\|$, $\langle x_i(0),u_1\rangle\ge\gamma>\sin\theta_b$:"
            r" $\widetilde{\mathrm{gap}}^*>0$ and"
            r" $\tilde\vartheta(t)\le\tilde\vartheta(0)\,e^{-\widetilde{\mathrm{gap}}^*t}$ about $\tilde u_1$."
        ),
        assumptions=(
            "symmetric-base",
            "symmetric-update",
            "hemisphere",
            "common-start",
            *_SPHERE,
        ),
        formulas=(PERTURBED_TAN_ANGLE_BOUND, HEMISPHERE_NEEDED, SHARP_CRITERION_MARGIN),
        expected="holds",
        statement_depends=("prop-3.3/drift",),
        proof_depends=("prop-3.3/convergence", "prop-3.3/drift"),
        tightenings=(Tightening("rate gap~*", PERTURBED_TAN_ANGLE_BOUND, +1, s.perturbed_dominant_gap),),
        required=10_000,
        note=(
            "Sharper than quoted (no 2||b||), but gamma > 0 alone is not enough. θ_b < π/4 always, so gamma >= 1/√2 "
            "suffices; under the quoted inequality θ_b < π/8, so gamma >= 0.3827 does."
        ),
    ),
    Claim(
        id="prop-3.3/criterion-quoted",
        title="the criterion as quoted, with gamma > 0 alone",
        quoted=QUOTED_CRITERION,
        statement=(
            r"$A=V\succeq0$, $\Delta V$ symmetric, $\langle x_i(0),u_1\rangle\ge\gamma>0$,"
            r" $\mathrm{gap}+a>2\|b\|+\|E\|$: every $\tilde x_i(t)\to\tilde u_1$."
        ),
        assumptions=("symmetric-base", "symmetric-update", *_QUOTED),
        formulas=(FAR_SIDE, CRITERION_MARGIN, HEMISPHERE_NEEDED),
        expected="refuted",
        statement_depends=("prop-3.3/criterion",),
        required=1,
        note="d = 2, n = 1, V = diag(1.5, 0.5), ΔV = 0.45 off-diagonal, gamma = 0.338 < sin θ_b = 0.3583: goes to -ũ1.",
    ),
    Claim(
        id="prop-3.3/criterion-quoted-nonsymmetric",
        title="the criterion as quoted, with a non-symmetric ΔV",
        quoted=QUOTED_CRITERION,
        statement=(
            r"$A=V\succeq0$, any $\Delta V$, $\langle x_i(0),u_1\rangle>\sin\theta_b$,"
            r" $\mathrm{gap}+a>2\|b\|+\|E\|$: every $\tilde x_i(t)\to\tilde u_1$."
        ),
        assumptions=("symmetric-base", *_QUOTED),
        formulas=(FAR_SIDE, CRITERION_MARGIN, HEMISPHERE_NEEDED),
        expected="refuted",
        statement_depends=("prop-3.3/criterion",),
        required=1,
        note="V = diag(1.5, 0.5), ΔV = [[0,2],[0,0]], x = (0.4, -0.9165): goes to -u1 although b = 0 and θ_b = 0.",
    ),
    Claim(
        id="prop-3.3/nonsymmetric",
        title="cone theorem for any V + ΔV and any u",
        quoted="",
        statement=(
            r"Any $\tilde V$, any unit $u$, $w=u^\top\tilde Vu$, $b=P^\perp\tilde Vu$, $c=P^\perp\tilde V^\top u$,"
            r" $S=w-\|P^\perp\tilde VP^\perp\|>2\sqrt{\|b\|\|c\|}$, $\vartheta(0)<t_+$, any weights: all tokens"
            r" converge to $\tilde u_1$, and"
            r" $\frac{\vartheta-t_-}{t_+-\vartheta}\le\frac{\vartheta_0-t_-}{t_+-\vartheta_0}e^{-\omega t}$"
            r" until $\vartheta\le t_-$."
        ),
        assumptions=_SPHERE,
        formulas=(CONE_ANGLE_BOUND, CONE_MARGIN, CONE_RATE, CONE_INNER, CONE_OUTER_INVERSE, CONE_SEPARATION),
        expected="holds",
        tightenings=(
            Tightening("rate ω", CONE_ANGLE_BOUND, +1, s.cone_rate),
            Tightening("inner cone t-", CONE_ANGLE_BOUND, -1, s.cone_inner),
        ),
        required=10_000,
        proof_depends=("thm-4.6/lower",),
        note=(
            "With ||c|| = ||b|| and V ⪰ 0 the condition is implied by the quoted inequality. Sharp: for d = 2, "
            "bc < 0 and 0 < S < 2√|bc| the eigenvalues are complex and a token turns for ever."
        ),
    ),
    Claim(
        id="prop-3.3/orthogonal",
        title="b = c = 0: no drift until the crossing",
        quoted="",
        statement=(
            r"$V$, $\Delta V$ symmetric, $b=c=0$: $\tilde u_1=u_1$ where"
            r" $\lambda_{\max}(P^\perp\tilde VP^\perp)<\lambda_1+a$; beyond that crossing $\tilde u_1\perp u_1$."
        ),
        assumptions=("symmetric-base", "symmetric-update"),
        formulas=(CROSSING_MARGIN,),
        expected="holds",
        tightenings=(Tightening("crossing at λ1 + a", CROSSING_MARGIN, +1, s.lambda_1),),
        required=2_000,
        note="|<u1, ũ1>| = 1 before the crossing, ∠ = π/2 beyond it; a crossing made 1 % later is refuted.",
        proof_depends=("prop-3.3/drift",),
    ),
    Claim(
        id="prop-3.3/layered",
        title="contraction of the layered model at any step",
        quoted="",
        statement=(
            r"Layered model, any $h>0$, untied $V^l$ that share $u_1$ with $\lambda_1^l\ge0$, any masks:"
            r" $\vartheta^L\le\vartheta^0\prod_l\frac{1+h_l\kappa_l}{1+h_l\lambda_1^l}$; a cone with one $t$ in all"
            r" $(t_-^l,t_+^l)$ is invariant."
        ),
        assumptions=("hemisphere", *_SPHERE),
        formulas=(LAYER_CONTRACTION,),
        expected="holds",
        tightenings=(
            Tightening("contraction of a layer", LAYER_CONTRACTION, -1),
            Tightening("κ", LAYER_CONTRACTION, -1, s.kappa),
        ),
        required=2_000,
        proof_depends=("prop-3.3/nonsymmetric",),
    ),
    Claim(
        id="prop-3.3/heads",
        title="several heads with a common u1 add their rates",
        quoted="",
        statement=(
            r"Symmetric heads with a common $u_1$, $\lambda_{1,h}\ge0$, $\mathrm{gap}^*_h>0$:"
            r" $\vartheta(t)\le\vartheta(0)\exp(-t\sum_h\mathrm{gap}^*_h)$."
        ),
        assumptions=("symmetric-base", "dominant-gap", "hemisphere", "post-ln", "attention-only"),
        formulas=(HEADS_BOUND,),
        expected="holds",
        tightenings=(Tightening("sum of the rates", HEADS_BOUND, +1, s.dominant_gap_sum),),
        required=2_000,
        proof_depends=("prop-3.3/convergence",),
    ),
)
