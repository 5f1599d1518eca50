"""prop-3.3/criterion-quoted and -nonsymmetric: one token that goes to the far side, solved exactly."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import V, m, u1, x, x_rate
from theory.derivations.prop_3_3_model import FRAME, SPHERE, V_new, dV, second
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Differentiate, Entails, Evaluate, Identity, Increasing, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.order import Injective
from theory.kernel.step import Derivation, Step

attention_map = matrix("p33_A", "A")
e1, e2, f1, f2 = (vector(f"p33_{name}", name[0] + "_" + name[1]) for name in ("e1", "e2", "f1", "f2"))
any_vector = vector("p33_any", "v")
v1, v2 = scalar("p33_v1", "v_1"), scalar("p33_v2", "v_2")
c1, c2 = scalar("p33_c1", "c_1"), scalar("p33_c2", "c_2")
c1_rate, c2_rate = scalar("p33_c1_rate", r"\dot c_1"), scalar("p33_c2_rate", r"\dot c_2")
z, z_rate = vector("p33_path", "z"), vector("p33_path_rate", r"\dot z")
length, length_rate = scalar("p33_length", "|z|"), scalar("p33_length_rate", r"|z|^{\cdot}")
path, path_rate = vector("p33_token_path", r"\hat x"), vector("p33_token_path_rate", r"\dot{\hat x}")
base_start, new_start = vector("p33_base_start", "x(0)"), vector("p33_new_start", r"\tilde x(0)")
angle = scalar("p33_far_angle", r"\angle(\tilde x,\tilde u_1)", nonnegative=True)
number = scalar("p33_exponent", "v", nonnegative=True)

_M, _x, _y = matrix("M", "M"), vector("x", "x"), vector("y", "y")
_x_rate, _y_rate = vector("p33_any_rate", r"\dot x"), vector("p33_other_rate", r"\dot y")
_x0, _y0 = vector("p33_any_start", "x(0)"), vector("p33_other_start", "y(0)")
UNIQUE = Theorem(
    "uniqueness of the flow",
    equal(_x, _y),
    "P. Hartman, Ordinary Differential Equations, 2nd ed., SIAM 2002, Thm. II.1.1 (Picard-Lindelöf)",
    (
        equal(_x_rate, _M * _x - Dot(_x, _M * _x) * _x),
        equal(_y_rate, _M * _y - Dot(_y, _M * _y) * _y),
        equal(_x0, _y0),
    ),
)
"""Two curves that obey the flow of one token and start at the same point are the same."""


def _column(a: Any, b: Any) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix([a, b])


_BASE = sp.ImmutableMatrix([[sp.Rational(3, 2), 0], [0, sp.Rational(1, 2)]])


def _setting(update: Any, first: Any, other: Any, start: Any, margin: Any) -> dict[str, sp.Basic]:
    return {
        "V": equal(V, _BASE),
        "dV": equal(dV, update),
        "perturbed": equal(V_new, sp.ImmutableMatrix(_BASE + update)),
        "A": equal(attention_map, _BASE),
        "e1": equal(e1, _column(1, 0)),
        "e2": equal(e2, _column(0, 1)),
        "u1": equal(u1, _column(1, 0)),
        "f1": equal(f1, first),
        "f2": equal(f2, other),
        "x0": equal(base_start, start),
        "lambda-1": equal(s.lambda_1, sp.Rational(3, 2)),
        "lambda-2": equal(second, sp.Rational(1, 2)),
        "gap": equal(s.gap, s.lambda_1 - second),
        **{key: FRAME[key] for key in ("a", "b", "b-norm", "E", "E-norm")},
        "theta-bound": equal(s.theta_bound, claims.THETA_BOUND.expr),
        "any-vector": equal(any_vector, v1 * e1 + v2 * e2),
        "angle": equal(sp.cos(angle) * Norm(f1), Dot(x, f1)),
        "angle-range": at_most(angle, sp.pi),
        **margin,
    }


_ASSUMPTIONS = {**SPHERE, "full-attention": equal(m, x), "common-start": equal(new_start, base_start)}
_VALUES = ("dV", "u1", "a", "b", "b-norm", "E", "E-norm", "lambda-1", "lambda-2", "gap")


def _hypotheses(symmetric: bool) -> tuple[Step, ...]:
    """The instance meets what the quoted proposition asks for."""
    update = (
        (
            Step(
                "symmetric-update-holds",
                equal(dV.T, dV),
                ("dV",),
                Evaluate(),
                r"The update is symmetric.",
            ),
        )
        if symmetric
        else ()
    )
    return (
        Step("symmetric-holds", equal(V.T, V), ("V",), Evaluate(), r"$V$ is symmetric,"),
        *update,
        Step("a-equals-v-holds", equal(attention_map, V), ("A", "V"), Evaluate(), r"$A=V$,"),
        Step(
            "base-action",
            both(equal(V * e1, sp.Rational(3, 2) * e1), equal(V * e2, sp.Rational(1, 2) * e2)),
            ("V", "e1", "e2"),
            Evaluate(),
            r"with the eigenvalues $3/2$ and $1/2$,",
        ),
        Step(
            "base-frame",
            both(equal(Dot(e1, e1), 1), equal(Dot(e2, e2), 1), equal(Dot(e1, e2), 0)),
            ("e1", "e2"),
            Evaluate(),
            r"in an orthonormal frame,",
        ),
        Step(
            "form",
            equal(sp.Rational(3, 2) * v1**2 + sp.Rational(1, 2) * v2**2, Dot(any_vector, V * any_vector)),
            ("any-vector", "base-action", "base-frame"),
            Identity(),
            r"whose quadratic form",
        ),
        Step(
            "psd-holds", at_most(0, Dot(any_vector, V * any_vector)), ("form",), Entails(squares=(v1, v2)), r"is psd,"
        ),
        Step("gap-holds", below(0, s.gap), ("gap", "lambda-1", "lambda-2"), Evaluate(), r"with a gap."),
        Step(
            "criterion-holds",
            below(0, claims.CRITERION_MARGIN.expr),
            _VALUES,
            Evaluate(),
            r"The quoted criterion holds,",
        ),
    )


def _path(first: Any, second_rate: Any, a1: Any, a2: Any, inner: tuple[Any, Any, Any]) -> tuple[Step, ...]:
    """The token in closed form, ``(c1 f1 + c2 f2)`` normalised."""
    return (
        Step(
            "action",
            both(equal(V_new * f1, first * f1), equal(V_new * f2, second_rate * f2)),
            ("perturbed", "f1", "f2"),
            Evaluate(),
            r"Eigenvectors of $\tilde V$.",
        ),
        Step(
            "inner",
            both(equal(Dot(f1, f1), inner[0]), equal(Dot(f1, f2), inner[1]), equal(Dot(f2, f2), inner[2])),
            ("f1", "f2"),
            Evaluate(),
            r"Their inner products.",
        ),
        Step("c1", equal(c1, a1 * sp.exp(first * s.t)), (), Definition(), r"One coefficient of the linear flow,"),
        Step("c2", equal(c2, a2 * sp.exp(second_rate * s.t)), (), Definition(), r"and the other;"),
        Step(
            "c1-rate",
            equal(c1_rate, first * c1),
            ("c1",),
            Differentiate({s.t: sp.Integer(1), c1: c1_rate}),
            r"they grow at the rates",
        ),
        Step(
            "c2-rate",
            equal(c2_rate, second_rate * c2),
            ("c2",),
            Differentiate({s.t: sp.Integer(1), c2: c2_rate}),
            r"of their eigenvalues.",
        ),
        Step("z", equal(z, c1 * f1 + c2 * f2), (), Definition(), r"The linear flow"),
        Step("z-rate", equal(z_rate, c1_rate * f1 + c2_rate * f2), (), Definition(), r"and its rate,"),
        Step(
            "linear",
            equal(z_rate, V_new * z),
            ("z", "z-rate", "c1-rate", "c2-rate", "action"),
            Identity(),
            r"which obeys $\dot z=\tilde Vz$.",
        ),
        Step("length", equal(length, Norm(z)), (), Definition(), r"Its length"),
        Step("c1-negative", below(c1, 0), ("c1",), Entails(degree=4), r"(where $c_1<0$)"),
        Step(
            "length-square",
            equal(length**2, inner[0] * c1**2 + 2 * inner[1] * c1 * c2 + inner[2] * c2**2),
            ("length", "z", "inner"),
            Identity(),
            r"squared",
        ),
        Step(
            "length-positive",
            below(0, length),
            ("length", "length-square", "c1-negative"),
            Entails(degree=2, squares=(c1, inner[1] * c1 + inner[2] * c2)),
            r"is not zero,",
        ),
        Step(
            "length-rate",
            equal(length_rate, Dot(z, z_rate) / length),
            ("length", "length-positive"),
            Differentiate({z: z_rate, length: length_rate}),
            r"and changes at this rate.",
        ),
        Step("path", equal(path, z / length), (), Definition(), r"Normalised, it is a curve on the sphere"),
        Step(
            "path-rate",
            equal(path_rate, z_rate / length - length_rate / length**2 * z),
            (),
            Definition(),
            r"with this rate (quotient rule),",
        ),
        Step(
            "path-flow",
            equal(path_rate, V_new * path - Dot(path, V_new * path) * path),
            ("path", "path-rate", "linear", "length-rate", "length-positive"),
            Identity(),
            r"which obeys the flow.",
        ),
        Step(
            "field",
            equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
            ("single-head", "post-ln", "attention-only", "full-attention"),
            Identity(),
            r"So does the token: attention of one token is the token itself.",
        ),
        Step(
            "start-value",
            equal(base_start, a1 * f1 + a2 * f2),
            ("x0", "f1", "f2"),
            Evaluate(),
            r"Both start",
        ),
        Step(
            "start",
            equal(new_start, a1 * f1 + a2 * f2),
            ("start-value", "common-start"),
            Identity(),
            r"at the same point, of length 1.",
        ),
        Step(
            "token",
            equal(x, path),
            ("field", "path-flow", "start"),
            Textbook(
                UNIQUE,
                {
                    _M: V_new,
                    _x: x,
                    _y: path,
                    _x_rate: x_rate,
                    _y_rate: path_rate,
                    _x0: new_start,
                    _y0: a1 * f1 + a2 * f2,
                },
            ),
            r"So the token is that curve.",
        ),
        Step(
            "overlap",
            equal(Dot(x, f1) * length, inner[0] * c1 + inner[1] * c2),
            ("token", "path", "z", "inner"),
            Identity(),
            r"Its overlap with $\tilde u_1\propto f_1$",
        ),
    )


def _far(overlap_premises: tuple[str, ...]) -> tuple[Step, ...]:
    return (
        Step(
            "beyond",
            below(Dot(x, f1), 0),
            ("overlap", "length-positive", *overlap_premises),
            Entails(degree=3),
            r"is negative:",
        ),
        Step(
            "cosine",
            below(sp.cos(angle), 0),
            ("angle", "beyond"),
            Entails(degree=2),
            r"the cosine of the angle is,",
        ),
        Step(
            "far",
            below(claims.FAR_SIDE.expr, angle),
            ("cosine", "angle-range"),
            Injective(sp.cos),
            r"so that the angle from $\tilde u_1$ is beyond $\pi/2$: the token does not go to $\tilde u_1$.",
        ),
    )


_MEETS = {
    "symmetric-base": "symmetric-holds",
    "a-equals-v": "a-equals-v-holds",
    "psd": "psd-holds",
    "spectral-gap": "gap-holds",
    "hemisphere": "hemisphere-holds",
}
_beta = sp.Rational(5, 24)

CRITERION_QUOTED = Derivation(
    claim="prop-3.3/criterion-quoted",
    setting=_setting(
        sp.ImmutableMatrix([[0, _beta], [_beta, 0]]),
        _column(5, 1),
        _column(-1, 5),
        _column(sp.Rational(11, 61), -sp.Rational(60, 61)),
        {},
    ),
    assumptions=_ASSUMPTIONS,
    meets={**_MEETS, "symmetric-update": "symmetric-update-holds"},
    remark=(
        r"An instance with rational eigenvectors beside the stored one: $\Delta V$ has $5/24$ off its diagonal, "
        r"$\gamma=11/61<\sin\theta_b=1/\sqrt{26}$. At every time the token is beyond $\pi/2$ from $\tilde u_1$."
    ),
    steps=(
        *_hypotheses(symmetric=True),
        Step(
            "hemisphere-holds",
            below(0, Dot(base_start, u1)),
            ("x0", "u1"),
            Evaluate(),
            r"the token starts in the hemisphere of $u_1$,",
        ),
        Step(
            "not-high-enough",
            below(Dot(base_start, u1), claims.HEMISPHERE_NEEDED.expr),
            ("x0", "theta-bound", *_VALUES),
            Evaluate(),
            r"but lower than $\sin\theta_b$.",
        ),
        *_path(
            sp.Rational(37, 24),
            sp.Rational(11, 24),
            -sp.Rational(5, 1586),
            -sp.Rational(311, 1586),
            (sp.Integer(26), sp.Integer(0), sp.Integer(26)),
        ),
        *_far(("c1-negative",)),
    ),
)

EXPONENTIAL = Derivation(
    claim="lemma/exponential",
    title="the exponential is above its tangent",
    states=at_most(1 + number, sp.exp(number)),
    steps=(
        Step("positive", at_most(0, sp.exp(number)), (), Entails(degree=2), r"The exponential is positive."),
        Step("one", at_most(1, sp.exp(number)), ("positive",), Increasing(number), r"So it increases from 1."),
        Step("tangent", at_most(1 + number, sp.exp(number)), ("one",), Increasing(number), r"And once more."),
    ),
)

NONSYMMETRIC_QUOTED = Derivation(
    claim="prop-3.3/criterion-quoted-nonsymmetric",
    setting=_setting(
        sp.ImmutableMatrix([[0, 2], [0, 0]]),
        _column(1, 0),
        _column(-2, 1),
        _column(sp.Rational(3, 5), -sp.Rational(4, 5)),
        {"late": at_most(1, s.t)},
    ),
    assumptions=_ASSUMPTIONS,
    meets=_MEETS,
    remark=(
        r"A start with rational coordinates beside the stored one: $x=(3/5,-4/5)$, though $b=0$ and $\theta_b=0$. From "
        r"time 1 on the token is beyond $\pi/2$ from $\tilde u_1=u_1$."
    ),
    steps=(
        *_hypotheses(symmetric=False),
        Step(
            "hemisphere-holds",
            below(claims.HEMISPHERE_NEEDED.expr, Dot(base_start, u1)),
            ("x0", "theta-bound", "dV", "u1", "a", "b", "b-norm"),
            Evaluate(),
            r"the token starts higher than $\sin\theta_b=0$.",
        ),
        *_path(
            sp.Rational(3, 2),
            sp.Rational(1, 2),
            sp.Integer(-1),
            -sp.Rational(4, 5),
            (sp.Integer(1), sp.Integer(-2), sp.Integer(5)),
        ),
        Step(
            "growth",
            at_most(1 + s.t, sp.exp(s.t)),
            (),
            Apply("lemma/exponential", {number: s.t}),
            r"The first coefficient outgrows the second:",
        ),
        Step(
            "balance",
            below(c1 - 2 * c2, 0),
            ("c1", "c2", "growth", "late"),
            Entails(degree=3),
            r"from time 1 on.",
        ),
        *_far(("balance",)),
    ),
)

LEMMAS: tuple[Derivation, ...] = (EXPONENTIAL,)
DERIVATIONS: tuple[Derivation, ...] = (CRITERION_QUOTED, NONSYMMETRIC_QUOTED)
