"""Counterexamples to the quoted criterion: gap instead of gap*, gamma > 0 alone, and a non-symmetric update."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import SPHERE as BASE_SPHERE
from theory.derivations.model import V, drive, m, u1, x, x_rate
from theory.derivations.prop_3_3_model import ACROSS, SPHERE, UPDATE, E, V_new, b, dV, u_new
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import (
    Comparison,
    Definition,
    Differentiate,
    Entails,
    Evaluate,
    Identity,
    Increasing,
    Monotone,
    Trigonometry,
)
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.evolution import Along
from theory.kernel.rules.order import Injective
from theory.kernel.step import Derivation, Step

A = matrix("p33_A", "A")
u2 = vector("p33_e2", "u_2")
z = vector("p33_z", r"\tilde u_2")
start, base_start = vector("p33_x0", r"\tilde x(0)"), vector("p33_y0", "x(0)")
work, work_rate = scalar("p33_work", "W"), scalar("p33_work_rate", r"\dot W")
angle = scalar("p33_angle", r"\angle(\tilde x,\tilde u_1)", nonnegative=True)
other = scalar("p33_mu", r"\tilde\lambda_2")

_HALF = sp.Rational(1, 2)
_PLAIN = sp.ImmutableMatrix([[3 * _HALF, 0], [0, _HALF]])
_MOVE = {x: x_rate, work: work_rate, s.t: sp.Integer(1)}
_FROM = {x: start, work: sp.Integer(0), s.t: sp.Integer(0)}


def _instance(update: list[list[Any]], token: list[Any]) -> dict[str, sp.Basic]:
    """V = diag(3/2, 1/2) in the plane, an update and one token."""
    return {
        "base": equal(V, _PLAIN),
        "delta": equal(dV, sp.ImmutableMatrix(update)),
        "update": UPDATE,
        "attention": equal(A, _PLAIN),
        "frame": both(equal(u1, sp.ImmutableMatrix([1, 0])), equal(u2, sp.ImmutableMatrix([0, 1]))),
        "token": equal(base_start, sp.ImmutableMatrix(token)),
        "eigenvalues": both(equal(s.lambda_1, 3 * _HALF), equal(s.lambda_2, _HALF)),
        "gap": equal(s.gap, s.lambda_1 - s.lambda_2),
        "a": equal(s.a, Dot(u1, dV * u1)),
        "b": equal(b, dV * u1 - s.a * u1),
        "b-norm": equal(s.b_norm, Norm(b)),
        "E": equal(E, ACROSS * dV * ACROSS),
        "E-norm": equal(s.E_norm, Norm(E)),
        "work": equal(work_rate, Dot(x, V_new * x)),
        "angle": both(equal(sp.cos(angle), Dot(x, u_new)), at_most(angle, sp.pi)),
    }


_NUMBERS = ("gap", "eigenvalues", "a", "b", "b-norm", "E", "E-norm", "delta", "frame")
_ASSUMED = {**SPHERE, "full-attention": equal(m, x), "common-start": equal(start, base_start)}
_MEETS = {
    "symmetric-base": "symmetric-base-met",
    "psd": "psd-met",
    "spectral-gap": "spectral-gap-met",
    "a-equals-v": "a-equals-v-met",
    "hemisphere": "hemisphere-met",
}
_MET = (
    Step("symmetric-base-met", equal(V.T, V), ("base",), Evaluate(), r"$V$ is symmetric,"),
    Step("a-equals-v-met", equal(A, V), ("attention", "base"), Evaluate(), r"it is $A$,"),
    Step(
        "psd-met",
        both(
            equal(V * u1, s.lambda_1 * u1),
            equal(V * u2, s.lambda_2 * u2),
            at_most(0, s.lambda_1),
            at_most(0, s.lambda_2),
        ),
        ("base", "frame", "eigenvalues"),
        Evaluate(),
        r"and positive semi-definite.",
    ),
    Step("spectral-gap-met", below(s.lambda_2, s.lambda_1), ("eigenvalues",), Evaluate(), r"$\lambda_1>\lambda_2$."),
    Step(
        "criterion-met",
        below(0, claims.CRITERION_MARGIN.expr),
        _NUMBERS,
        Evaluate(),
        r"The quoted inequality $\mathrm{gap}+a>2\|b\|+\|E\|$ holds.",
    ),
    Step("theta-bound", equal(s.theta_bound, claims.THETA_BOUND.expr), (), Definition(), r"The drift bound."),
    Step(
        "field",
        equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
        ("single-head", "post-ln", "attention-only", "full-attention"),
        Identity(),
        r"The only token attends to itself.",
    ),
)
_REMARK = (
    r"One token, so that $m_i=x_i$, and $W=\int_0^t\langle\tilde x,\tilde V\tilde x\rangle$: the exact solution "
    r"$\tilde x\propto e^{t\tilde V}\tilde x(0)$. "
)

_GAMMA = sp.Rational(169, 500)
_T = s.theta_bound

CRITERION_QUOTED = Derivation(
    claim="prop-3.3/criterion-quoted",
    setting={
        **_instance([[0, sp.Rational(9, 20)], [sp.Rational(9, 20), 0]], [_GAMMA, -sp.sqrt(1 - _GAMMA**2)]),
        "perturbed-frame": both(
            equal(u_new, sp.cos(_T) * u1 + sp.sin(_T) * u2), equal(z, -sp.sin(_T) * u1 + sp.cos(_T) * u2)
        ),
        "perturbed-eigenvalues": both(
            equal(s.perturbed_lambda_1, sp.Rational(3, 2) + sp.Rational(9, 20) * sp.sin(_T) / sp.cos(_T)),
            equal(other, _HALF - sp.Rational(9, 20) * sp.sin(_T) / sp.cos(_T)),
        ),
    },
    assumptions=_ASSUMED,
    meets={**_MEETS, "symmetric-update": "symmetric-update-met"},
    remark=_REMARK + r"The token converges to $-\tilde u_1$, as the last statement shows.",
    steps=(
        *_MET,
        Step("symmetric-update-met", equal(dV.T, dV), ("delta",), Evaluate(), r"$\Delta V$ is symmetric too."),
        Step(
            "hemisphere-met",
            below(0, Dot(base_start, u1)),
            ("token", "frame"),
            Evaluate(),
            r"The token is in the hemisphere of $u_1$,",
        ),
        Step(
            "too-low",
            below(Dot(base_start, u1), claims.HEMISPHERE_NEEDED.expr),
            ("token", "theta-bound", *_NUMBERS),
            Evaluate(),
            r"yet lower than $\sin\theta_b$.",
        ),
        Step(
            "bound-tangent",
            equal(2 * s.b_norm / (s.gap + s.a - s.E_norm), sp.Rational(9, 10)),
            _NUMBERS,
            Evaluate(),
            r"Here $2\|b\|/\delta=\frac9{10}$.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (CRITERION_QUOTED,)
