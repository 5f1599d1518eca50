"""Remark 3.4: two levels exactly; instances that exceed the quoted form, and where the small gap does not matter."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, u1
from theory.derivations.remark_3_4_model import SYMMETRIC, leading, total, update, z
from theory.derivations.remark_3_4_secular import RAYLEIGH
from theory.kernel.notation import Dot, at_most, below, both, equal, scalar, vector
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Definition, Entails, Evaluate, Identity, Textbook, Trigonometry
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.coefficients import OnlyTerm
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Derivation, Step

_j = s.j
_alpha: Any = s.alpha[_j]
_mu: Any = s.mu[_j]
_half = sp.Rational(1, 2)
_tenth = sp.Rational(1, 10)

_x, _y = scalar("r34_cosine_part", "x"), scalar("r34_sine_part", "y")
_r, _phi = scalar("r34_modulus", "r"), scalar("r34_argument", r"\varphi")
ARCTAN2 = Theorem(
    "polar angle",
    equal(sp.atan2(_y, _x), _phi),
    None,
    (
        equal(_r * sp.cos(_phi), _x),
        equal(_r * sp.sin(_phi), _y),
        below(0, _r),
        below(-sp.pi, _phi),
        at_most(_phi, sp.pi),
    ),
)
"""What ``arctan2`` is."""

across = vector("r34_z", "z")
other = vector("r34_other", r"\tilde u_2")
theta = scalar("r34_theta", r"\theta")
alpha = scalar("r34_alpha", r"\alpha")
side = scalar("r34_side", r"\sigma")
second = scalar("r34_second", r"\lambda_2")
bound = scalar("r34_any_bound", "M", positive=True)
_offset = s.gap + s.a - s.e
_sin, _cos = sp.sin(theta), sp.cos(theta)
_sin2, _cos2 = sp.sin(2 * theta), sp.cos(2 * theta)
_QUOTED = claims.DRIFT_QUOTED.expr

COLLAPSE = Derivation(
    claim="remark-3.4/collapse",
    setting={
        "plane": equal(d, 2),
        "base-eigenvectors": both(
            equal(V * u1, s.lambda_1 * u1),
            equal(V * across, second * across),
            equal(Dot(u1, u1), 1),
            equal(Dot(across, across), 1),
            equal(Dot(u1, across), 0),
        ),
        "gap": equal(s.gap, s.lambda_1 - second),
        "total": equal(total, V + update),
        "blocks": both(
            equal(s.a, Dot(u1, update * u1)),
            equal(alpha, Dot(u1, update * across)),
            equal(s.e, Dot(across, update * across)),
        ),
        "side": both(equal(side**2, 1), equal(side * alpha, s.alpha_abs)),
        "direction": equal(leading, _cos * u1 + side * _sin * across),
        "range": both(below(-sp.pi / 2, theta), at_most(theta, sp.pi / 2)),
        "eigenvector": equal(Dot(leading, total * leading), s.perturbed_lambda_1),
        "stationary": equal(Dot(-_sin * u1 + side * _cos * across, total * leading), 0),
        "largest": Largest(s.perturbed_lambda_1, total),
        "levels-differ": below(0, _offset**2 + 4 * s.alpha_abs**2),
        "direction-2": both(equal(s.alpha[2], alpha), equal(s.mu[2], second + s.e)),
        "before-collapse": sp.Ne(s.gap, s.e, evaluate=False),
        "close": below(bound * (s.gap - s.e) ** 2, s.alpha_abs**2),
    },
    assumptions=SYMMETRIC,
    steps=(
        Step(
            "one-direction",
            equal(_QUOTED, (s.alpha[2] / (s.lambda_1 - s.mu[2])) ** 2),
            ("plane",),
            OnlyTerm(),
            r"For $d=2$ the sum has one term.",
        ),
        Step(
            "quoted",
            equal(_QUOTED, s.alpha_abs**2 / (s.gap - s.e) ** 2),
            ("one-direction", "direction-2", "side", "gap", "before-collapse"),
            Identity(),
            r"It is $(\alpha/(\mathrm{gap}-e))^2$.",
        ),
        Step(
            "diverges",
            below(bound, _QUOTED),
            ("quoted", "close"),
            Entails(degree=2, squares=(s.gap - s.e,)),
            r"It exceeds any $M$ where $\mathrm{gap}$ is close enough to $e$.",
        ),
        Step(
            "symmetric",
            equal(total.T, total),
            ("total", "symmetric-base", "symmetric-update"),
            Identity(),
            r"$\tilde V$ is symmetric.",
        ),
        Step(
            "diagonal",
            both(
                equal(Dot(u1, total * u1), s.lambda_1 + s.a),
                equal(Dot(across, total * across), second + s.e),
            ),
            ("total", "base-eigenvectors", "blocks"),
            Identity(),
            r"The diagonal of $\tilde V$.",
        ),
        Step(
            "corner",
            equal(Dot(u1, total * across), alpha),
            ("total", "base-eigenvectors", "blocks"),
            Identity(),
            r"And what is beside it.",
        ),
        Step(
            "perpendicular",
            equal(other, -_sin * u1 + side * _cos * across),
            (),
            Definition(),
            r"The unit vector across $\tilde u_1$.",
        ),
        Step(
            "double",
            both(equal(_sin2, 2 * _sin * _cos), equal(_cos2, _cos**2 - _sin**2)),
            (),
            Trigonometry(),
            r"Double angles.",
        ),
        Step(
            "tangent",
            equal(2 * s.alpha_abs * _cos2, _offset * _sin2),
            ("stationary", "direction", "symmetric", "diagonal", "corner", "side", "double", "gap"),
            Identity(),
            r"$\tilde V\tilde u_1$ has no component across $\tilde u_1$.",
        ),
        Step(
            "rayleigh",
            at_most(Dot(other, total * other), s.perturbed_lambda_1 * Dot(other, other)),
            ("symmetric", "largest"),
            Textbook(RAYLEIGH, {textbook.M: total, textbook.X: other, textbook.EIGENVALUE: s.perturbed_lambda_1}),
            r"$\tilde\lambda_1$ is the largest eigenvalue.",
        ),
        Step(
            "unit",
            equal(Dot(other, other), 1),
            ("perpendicular", "base-eigenvectors", "side"),
            Identity(),
            r"Its length.",
        ),
        Step(
            "difference",
            equal(s.perturbed_lambda_1 - Dot(other, total * other), _offset * _cos2 + 2 * s.alpha_abs * _sin2),
            ("perpendicular", "direction", "eigenvector", "symmetric", "diagonal", "corner", "side", "double", "gap"),
            Identity(),
            r"The difference of the two eigenvalues.",
        ),
        Step(
            "modulus",
            equal(_r, _offset * _cos2 + 2 * s.alpha_abs * _sin2),
            (),
            Definition(),
            r"A name for it.",
        ),
        Step(
            "not-negative",
            at_most(0, _r),
            ("modulus", "difference", "rayleigh", "unit"),
            Entails(degree=1),
            r"It is not negative.",
        ),
        Step(
            "square",
            equal(_r**2, _offset**2 + 4 * s.alpha_abs**2),
            ("modulus", "tangent"),
            Identity(),
            r"Its square, as $2|\alpha|\cos2\theta=(\mathrm{gap}+a-e)\sin2\theta$.",
        ),
        Step(
            "positive",
            below(0, _r),
            ("square", "not-negative", "levels-differ"),
            Entails(degree=2),
            r"So it is positive.",
        ),
        Step(
            "along",
            equal(_r * _cos2, _offset),
            ("modulus", "tangent"),
            Identity(),
            r"The cosine of $2\theta$ is that of the polar angle,",
        ),
        Step(
            "beside",
            equal(_r * _sin2, 2 * s.alpha_abs),
            ("modulus", "tangent"),
            Identity(),
            r"and so is the sine.",
        ),
        Step(
            "half-turn",
            both(below(-sp.pi, 2 * theta), at_most(2 * theta, sp.pi)),
            ("range",),
            Entails(degree=1),
            r"$\tilde u_1$ is taken on the side of $u_1$.",
        ),
        Step(
            "polar",
            equal(sp.atan2(2 * s.alpha_abs, _offset), 2 * theta),
            ("along", "beside", "positive", "half-turn"),
            Textbook(ARCTAN2, {_y: 2 * s.alpha_abs, _x: _offset, _r: _r, _phi: 2 * theta}),
            r"What $\operatorname{arctan2}$ is.",
        ),
        Step(
            "angle",
            equal(theta, claims.TWO_LEVEL_ANGLE.expr),
            ("polar",),
            Identity(),
            r"Half of it.",
        ),
    ),
    remark=(
        "Any unit vector of the plane on the side of u1 is cos θ u1 + σ sin θ z with -π/2 < θ <= π/2 and σ the sign of "
        "α; by the result θ lies in [0, π/2], so that it is the angle. The angle is thus bounded at every gap, and at "
        "gap = e it is ½arctan2(2|α|, a)."
    ),
)

_GOLDEN = (sp.sqrt(5) - 1) / 2
_QUOTED_TAN = (Dot(leading, leading) - Dot(u1, leading) ** 2) / Dot(u1, leading) ** 2


def column(*entries: Any) -> Any:
    """A column of exact numbers."""
    return sp.ImmutableMatrix(entries)


def square(*rows: Any) -> Any:
    """A matrix of exact numbers."""
    return sp.ImmutableMatrix(rows)


_VECTORS = ("u1", "z", "u")
_REFUTED: dict[str, sp.Basic] = {
    "V": equal(V, square([1, 0], [0, 0])),
    "dV": equal(update, square([-9 * _tenth, _tenth], [_tenth, 0])),
    "u1": equal(u1, column(1, 0)),
    "z": equal(z, column(0, 1)),
    "u": equal(leading, column(1, _GOLDEN)),
    "values": both(
        equal(s.lambda_1, 1),
        equal(s.a, -9 * _tenth),
        equal(_alpha, _tenth),
        equal(_mu, 0),
        equal(s.perturbed_lambda_1, (1 + sp.sqrt(5)) / 20),
    ),
}

DRIFT_QUOTED = Derivation(
    claim="remark-3.4/drift-quoted",
    setting=_REFUTED,
    meets={"symmetric-base": "base", "symmetric-update": "update"},
    steps=(
        Step(
            "base",
            both(equal(V.T, V), equal(V * u1, s.lambda_1 * u1)),
            ("V", "u1", "values"),
            Evaluate(),
            r"$V$ is symmetric, and $u_1$ its leading eigenvector.",
        ),
        Step("update", equal(update.T, update), ("dV",), Evaluate(), r"$\Delta V$ is symmetric."),
        Step(
            "blocks",
            both(
                equal(Dot(u1, update * u1), s.a),
                equal(Dot(z, update * u1), _alpha),
                equal(Dot(z, (V + update) * z), _mu),
                equal(Dot(z, u1), 0),
                equal(Dot(z, z), 1),
            ),
            ("V", "dV", "u1", "z", "values"),
            Evaluate(),
            r"$a$, $\alpha$ and $\mu$ of the instance: $z$ is the only direction across $u_1$.",
        ),
        Step(
            "hypotheses",
            both(below(_mu, s.lambda_1), below(_mu, s.lambda_1 + s.a), below(_mu, s.perturbed_lambda_1)),
            ("values",),
            Evaluate(),
            r"The hypotheses; and $\tilde\lambda_1$ lies above $\mu$, so that it is the largest eigenvalue.",
        ),
        Step(
            "eigenvector",
            both(
                equal(Dot(u1, (V + update) * leading), s.perturbed_lambda_1 * Dot(u1, leading)),
                equal(Dot(z, (V + update) * leading), s.perturbed_lambda_1 * Dot(z, leading)),
            ),
            ("V", "dV", "u1", "z", "u", "values"),
            Evaluate(),
            r"$\tilde u_1\propto(1,(\sqrt5-1)/2)$ is its eigenvector.",
        ),
        Step(
            "exceeded",
            below(_QUOTED, _QUOTED_TAN),
            ("u1", "u", "values"),
            Evaluate(),
            r"The quoted sum is $0.01$, $\tan^2$ is $(3-\sqrt5)/2>0.38$.",
        ),
        Step(
            "summary",
            both(
                equal(V.T, V),
                equal(V * u1, s.lambda_1 * u1),
                equal(update.T, update),
                equal(Dot(u1, update * u1), s.a),
                equal(Dot(z, update * u1), _alpha),
                equal(Dot(z, (V + update) * z), _mu),
                equal(Dot(z, u1), 0),
                equal(Dot(z, z), 1),
                below(_mu, s.lambda_1),
                below(_mu, s.lambda_1 + s.a),
                below(_mu, s.perturbed_lambda_1),
                equal(Dot(u1, (V + update) * leading), s.perturbed_lambda_1 * Dot(u1, leading)),
                equal(Dot(z, (V + update) * leading), s.perturbed_lambda_1 * Dot(z, leading)),
                below(_QUOTED, _QUOTED_TAN),
            ),
            ("base", "update", "blocks", "hypotheses", "eigenvector", "exceeded"),
            Together(),
            r"All hypotheses of the quoted form hold, and it does not.",
        ),
    ),
    remark=(
        "An eigenvalue above mu is the largest one by lemma secular-largest. The limit of the ratio without bound is "
        "not part of the derivation."
    ),
)
DERIVATIONS: tuple[Derivation, ...] = (DRIFT_QUOTED, COLLAPSE)
LEMMAS: tuple[Derivation, ...] = ()
