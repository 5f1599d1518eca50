"""prop-3.3/drift-quoted: the quoted drift bound with its best constant 1/2."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import V, u1
from theory.derivations.prop_3_3_drift import DRIFT
from theory.derivations.prop_3_3_model import E, V_new, b, dV, second, u_new
from theory.kernel.notation import AtSomeInstance, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone, Trigonometry
from theory.kernel.rules.witness import Witness
from theory.kernel.step import Derivation, Step

_half = s.theta_bound / 2
_c, _s = sp.cos(_half), sp.sin(_half)
_TWICE = 2 * s.theta_bound
X = scalar("p33_tan_double", r"\tan2\theta_b")
_GIVEN = {k: v for k, v in DRIFT.setting.items() if k != "separated"}

# sin and cos of θ are rational in m = tan(θ/2); ΔV has b = tan(2θ)/2 and a = E = 0, V = diag(1, 0)
_m = sp.Rational(1, 10_000)
_SIN, _COS = 2 * _m / (1 + _m**2), (1 - _m**2) / (1 + _m**2)
_BETA = _SIN * _COS / (_COS**2 - _SIN**2)
_TOP = _COS**2 / (_COS**2 - _SIN**2)
_ZERO = sp.ImmutableMatrix([[0, 0], [0, 0]])
_UPDATE = sp.ImmutableMatrix([[0, _BETA], [_BETA, 0]])
_BASE = sp.ImmutableMatrix([[1, 0], [0, 0]])
INSTANCE = {
    V: _BASE,
    dV: _UPDATE,
    V_new: sp.ImmutableMatrix(_BASE + _UPDATE),
    u1: sp.ImmutableMatrix([1, 0]),
    u_new: sp.ImmutableMatrix([_COS, _SIN]),
    b: sp.ImmutableMatrix([0, _BETA]),
    E: _ZERO,
    s.lambda_1: sp.Integer(1),
    s.perturbed_lambda_1: _TOP,
    second: sp.Integer(0),
    s.gap: sp.Integer(1),
    s.a: sp.Integer(0),
    s.b_norm: _BETA,
    s.E_norm: sp.Integer(0),
}
_SMALLER = sp.Rational(1, 2) - sp.Rational(1, 10**7)
_WITNESSED = [k for k in _GIVEN if k not in ("angle", "acute", "second", "top")]

QUOTED = Derivation(
    claim="prop-3.3/drift-quoted",
    setting={**_GIVEN, "criterion": below(0, claims.CRITERION_MARGIN.expr)},
    assumptions=DRIFT.assumptions,
    sharpness="witness",
    remark=(
        r"The constant is best: at the instance of step witness ($d=2$, $E=0$, $b\approx2\cdot10^{-4}$) the bound with "
        r"$1/2-10^{-7}$ is exceeded."
    ),
    steps=(
        Step(
            "separated",
            below(0, s.gap + s.a - s.E_norm),
            ("criterion",),
            Entails(degree=1),
            r"The quoted inequality is more than what the sharp bound needs.",
        ),
        Step(
            "positive",
            below(0, s.gap + s.a),
            ("criterion",),
            Entails(degree=1),
            r"And the denominator of the quoted bound is positive.",
        ),
        Step("theta-bound", equal(s.theta_bound, claims.THETA_BOUND.expr), (), Definition(), r"The sharp angle."),
        Step(
            "drift",
            at_most(Norm(u1 - u_new), claims.DRIFT_BOUND_SHARP.expr),
            (*_GIVEN, "separated", "symmetric-base", "symmetric-update", "theta-bound"),
            Apply("prop-3.3/drift"),
            r"The sharp bound.",
        ),
        Step(
            "ratio",
            equal(X, 2 * s.b_norm / (s.gap + s.a - s.E_norm)),
            (),
            Definition(),
            r"The tangent of $2\theta_b$.",
        ),
        Step(
            "ratio-range",
            at_most(0, X),
            ("ratio", "separated"),
            Entails(degree=2),
            r"Not negative.",
        ),
        Step(
            "tangent",
            equal(sp.tan(_TWICE), X),
            ("theta-bound", "ratio", "separated"),
            Identity(),
            r"By the choice of $\theta_b$.",
        ),
        Step(
            "arctangent",
            at_most(sp.atan(0), sp.atan(X)),
            ("ratio-range",),
            Monotone(sp.atan),
            r"The arctangent increases.",
        ),
        Step(
            "not-negative",
            at_most(0, _half),
            ("arctangent", "theta-bound", "ratio"),
            Entails(degree=1),
            r"$\theta_b\ge0$,",
        ),
        Step(
            "at-most-quarter",
            at_most(_half, sp.pi / 4),
            ("theta-bound",),
            Entails(degree=1),
            r"and $\theta_b<\pi/4$.",
        ),
        Step(
            "complement",
            below(0, sp.pi / 2 - _TWICE),
            ("theta-bound",),
            Entails(degree=1),
            r"Also $2\theta_b<\pi/2$.",
        ),
        Step(
            "half-range", at_most(_half, sp.pi / 2), ("theta-bound",), Entails(degree=1), r"where the sine increases."
        ),
        Step(
            "sine",
            at_most(0, _s),
            ("not-negative", "half-range"),
            Monotone(sp.sin),
            r"Its half has a sine that is not negative,",
        ),
        Step(
            "sine-bound",
            at_most(_s, sp.sin(sp.pi / 4)),
            ("at-most-quarter", "not-negative", "half-range"),
            Monotone(sp.sin),
            r"and at most $\sqrt{1/2}$,",
        ),
        Step(
            "co-range",
            both(at_most(0, sp.pi / 2 - _half), at_most(sp.pi / 2 - _half, sp.pi / 2)),
            ("at-most-quarter", "not-negative"),
            Entails(degree=1),
            r"and as $\pi/2-\theta_b/2$ lies where the sine increases,",
        ),
        Step(
            "co-order",
            at_most(0, sp.pi / 2 - _half),
            ("at-most-quarter",),
            Entails(degree=1),
            r"above zero,",
        ),
        Step(
            "cosine",
            at_most(0, _c),
            ("co-order", "co-range"),
            Monotone(sp.sin),
            r"the cosine is not negative.",
        ),
        Step(
            "complement-range",
            at_most(sp.pi / 2 - _TWICE, sp.pi / 2),
            ("not-negative",),
            Entails(degree=1),
            r"So does $\pi/2-2\theta_b$:",
        ),
        Step(
            "double-cosine",
            below(0, sp.cos(_TWICE)),
            ("complement", "complement-range"),
            Monotone(sp.sin),
            r"$\cos2\theta_b>0$.",
        ),
        Step(
            "fourfold",
            both(
                equal(sp.sin(_TWICE), 4 * _s * _c * (2 * _c**2 - 1)),
                equal(sp.cos(_TWICE), 2 * (2 * _c**2 - 1) ** 2 - 1),
            ),
            (),
            Trigonometry(),
            r"In the angle $\theta_b/2$, that is by its half $\tan(\theta_b/4)$.",
        ),
        Step(
            "cosines",
            at_most(sp.cos(_TWICE), _c * (2 * _c**2 - 1)),
            ("fourfold", "cosine", "sine", "sine-bound"),
            Entails(degree=4, squares=(_c, _s)),
            r"$\cos4\varphi\le\cos\varphi\cos2\varphi$ for $0\le\varphi\le\pi/4$, a polynomial inequality.",
        ),
        Step(
            "four-sines",
            at_most(4 * _s, X),
            ("tangent", "fourfold", "cosines", "double-cosine", "sine"),
            Entails(degree=2),
            r"$4\sin\varphi\le\tan4\varphi$.",
        ),
        Step(
            "half",
            at_most(claims.DRIFT_BOUND_SHARP.expr, claims.DRIFT_BOUND_HALF.expr),
            ("four-sines", "ratio", "separated", "criterion", "positive"),
            Entails(degree=3),
            r"With $\tan2\theta_b=2\|b\|/(\mathrm{gap}+a-\|E\|)$ and the quoted inequality.",
        ),
        Step(
            "witness",
            AtSomeInstance(below(2 * _SMALLER * claims.DRIFT_BOUND_HALF.expr, Norm(u1 - u_new))),
            ("criterion", "symmetric-base", "symmetric-update", *_WITNESSED),
            Witness(INSTANCE),
            r"No smaller constant will do: here is an instance beyond $1/2-10^{-7}$.",
        ),
        Step(
            "bound",
            at_most(Norm(u1 - u_new), claims.DRIFT_BOUND_HALF.expr),
            ("drift", "half", "positive"),
            Entails(degree=2),
            r"The quoted bound with the constant $1/2$.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (QUOTED,)
