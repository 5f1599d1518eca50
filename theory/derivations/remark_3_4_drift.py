"""Remark 3.4: the drift per eigenvalue, from the secular equation."""

from __future__ import annotations

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import u1
from theory.derivations.remark_3_4_model import (
    BLOCKS,
    FRAME,
    PERTURBED,
    SYMMETRIC,
    angle,
    leading,
    total,
)
from theory.derivations.remark_3_4_secular import (
    BLOCK_STEPS,
    RAYLEIGH,
    TAN_SQUARE,
    alpha_j,
    bound_term,
    first_level,
    mu_j,
    root,
    tan_square,
    term,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Entails, Identity, Increasing, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Derivation, Step

_x = scalar("r34_x", "x", nonnegative=True)

CHORD = Derivation(
    claim="lemma/chord-and-angle",
    title="The chord is at most the angle",
    states=at_most(2 - 2 * sp.cos(_x), _x**2),
    steps=(
        Step(
            "cosine",
            at_most(sp.cos(_x), 1),
            (),
            Entails(degree=2, squares=(sp.sin(_x),)),
            r"$\cos^2=1-\sin^2$.",
        ),
        Step(
            "sine",
            at_most(sp.sin(_x), _x),
            ("cosine",),
            Increasing(_x),
            r"Both sides are 0 at 0, and the derivatives are those of the last step.",
        ),
        Step("twice", at_most(2 * sp.sin(_x), 2 * _x), ("sine",), Entails(degree=1), r"Twice that."),
        Step(
            "chord",
            at_most(2 - 2 * sp.cos(_x), _x**2),
            ("twice",),
            Increasing(_x),
            r"The same once more.",
        ),
    ),
)
ARCTANGENT = Derivation(
    claim="lemma/angle-and-tangent",
    title="An acute angle is at most its tangent",
    states=at_most(sp.atan(_x), _x),
    steps=(
        Step(
            "slopes",
            at_most(1 / (1 + _x**2), 1),
            (),
            Entails(degree=1, squares=(_x,)),
            r"The derivative of the arctangent is at most 1.",
        ),
        Step(
            "bound",
            at_most(sp.atan(_x), _x),
            ("slopes",),
            Increasing(_x),
            r"Both sides are 0 at 0.",
        ),
    ),
)

tangent = scalar("r34_tangent", r"\tan\angle(u_1,\tilde u_1)", nonnegative=True)
nearest = scalar("r34_nearest", r"\delta", positive=True)
_DA = claims.DRIFT_CORRECTED.expr
_shift = s.over_directions(alpha_j**2 / (first_level - mu_j))

DRIFT = Derivation(
    claim="remark-3.4/drift",
    setting={
        **FRAME,
        **BLOCKS,
        **PERTURBED,
        "acute": equal(angle, sp.atan(tangent)),
        "largest": Largest(s.perturbed_lambda_1, total),
        "apart": below(mu_j, first_level),
        "nearest": at_most(nearest, first_level - mu_j),
    },
    assumptions=SYMMETRIC,
    steps=(
        *BLOCK_STEPS,
        Step(
            "rayleigh",
            at_most(Dot(u1, total * u1), root * Dot(u1, u1)),
            ("symmetric", "largest"),
            Textbook(RAYLEIGH, {textbook.M: total, textbook.X: u1, textbook.EIGENVALUE: root}),
            r"The largest eigenvalue is the maximum of the Rayleigh quotient.",
        ),
        Step(
            "rise",
            at_most(first_level, root),
            ("rayleigh", "image-of-u1", "b", "a", "orthonormal"),
            Entails(degree=1),
            r"At $u_1$ the quotient is $\lambda_1+a$.",
        ),
        Step(
            "above",
            below(mu_j, root),
            ("rise", "apart"),
            Entails(degree=1),
            r"So $\tilde\lambda_1$ lies above all $\mu_j$.",
        ),
        Step(
            "secular",
            equal(tan_square, TAN_SQUARE),
            (*FRAME, *(k for k in BLOCKS if k != "a"), *PERTURBED, *SYMMETRIC, "above"),
            Apply("remark-3.4/secular"),
            r"The secular equation applies.",
        ),
        Step(
            "term",
            at_most(term**2, bound_term**2),
            ("rise", "apart", "above"),
            Entails(degree=3, squares=(alpha_j,)),
            r"Each denominator is at least as large with $\tilde\lambda_1$ as with $\lambda_1+a$.",
        ),
        Step(
            "sum",
            at_most(TAN_SQUARE, _DA),
            ("term",),
            Termwise(),
            r"The sum over the directions.",
        ),
        Step(
            "bound",
            at_most(tan_square, _DA),
            ("secular", "sum", "acute"),
            Entails(degree=1),
            r"The upper bound of the tangent.",
        ),
        Step(
            "residual",
            equal(claims.SECULAR_RESIDUAL.expr, 0),
            (*FRAME, *BLOCKS, *(k for k in PERTURBED if k != "direction"), *SYMMETRIC, "above"),
            Apply("remark-3.4/secular#root"),
            r"How far $\tilde\lambda_1$ lies above $\lambda_1+a$, by the secular equation.",
        ),
        Step(
            "shift-term",
            at_most(alpha_j**2 / (root - mu_j), alpha_j**2 / (first_level - mu_j)),
            ("rise", "apart", "above"),
            Entails(degree=2, squares=(alpha_j,)),
            r"One term of it, at most.",
        ),
        Step(
            "shift",
            at_most(s.over_directions(alpha_j**2 / (root - mu_j)), _shift),
            ("shift-term",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "shift-bound",
            at_most(root - first_level, _shift),
            ("residual", "shift"),
            Entails(degree=1),
            r"It is of the second order in $\Delta V$.",
        ),
        Step(
            "ratio",
            at_most(1 - 2 * (root - first_level) / nearest, ((first_level - mu_j) / (root - mu_j)) ** 2),
            ("rise", "above", "nearest"),
            Entails(degree=3),
            r"$(1+x)^{-2}\ge1-2x$ with $x=(\tilde\lambda_1-\lambda_1-a)/(\lambda_1+a-\mu_j)$.",
        ),
        Step(
            "term-below",
            at_most(bound_term**2, term**2 + 2 * (root - first_level) / nearest * bound_term**2),
            ("ratio", "apart", "above"),
            Entails(degree=2, squares=(alpha_j,)),
            r"So no term falls by more than that share.",
        ),
        Step(
            "sum-below",
            at_most(_DA, TAN_SQUARE + 2 * (root - first_level) / nearest * _DA),
            ("term-below",),
            Termwise(),
            r"The sum over the directions.",
        ),
        Step(
            "squares-sign",
            at_most(0, bound_term**2),
            ("apart",),
            Entails(degree=1, squares=(alpha_j,)),
            r"Squares are not negative.",
        ),
        Step("bound-sign", at_most(0, _DA), ("squares-sign",), Termwise(), r"Nor are sums of squares."),
        Step(
            "second-order",
            at_most(_DA, tan_square + 2 * _shift / nearest * _DA),
            ("sum-below", "shift-bound", "secular", "acute", "bound-sign"),
            Entails(degree=2),
            r"The relative error of $D_a$ is at most $\frac2\delta\sum_j\alpha_j^2/(\lambda_1+a-\mu_j)$:"
            r" of the second order in $\Delta V$.",
        ),
        Step(
            "chord",
            equal(Norm(leading - u1) ** 2, 2 - 2 * sp.cos(angle)),
            ("perturbed-unit", "orthonormal", "angle"),
            Identity(),
            r"Both vectors have length 1.",
        ),
        Step(
            "chord-and-angle",
            at_most(2 - 2 * sp.cos(angle), angle**2),
            (),
            Apply("lemma/chord-and-angle", {_x: angle}),
            r"The chord is at most the angle.",
        ),
        Step(
            "angle-and-tangent",
            at_most(sp.atan(tangent), tangent),
            (),
            Apply("lemma/angle-and-tangent", {_x: tangent}),
            r"The angle is at most its tangent.",
        ),
        Step(
            "arctangent",
            equal(sp.atan(tangent), angle),
            ("acute",),
            Identity(),
            r"That is the angle.",
        ),
        Step(
            "angle-squared",
            at_most(angle**2, tangent**2),
            ("angle-and-tangent", "arctangent"),
            Entails(degree=2),
            r"The square of that: neither side is negative.",
        ),
        Step(
            "tangent-squared",
            at_most(angle**2, tan_square),
            ("angle-squared", "acute"),
            Entails(degree=1),
            r"In terms of the angle alone.",
        ),
        Step(
            "chord-squared",
            at_most(Norm(leading - u1) ** 2, angle**2),
            ("chord", "chord-and-angle"),
            Entails(degree=1),
            r"The square of the chord.",
        ),
        Step(
            "chain",
            both(
                at_most(_DA, tan_square + 2 * _shift / nearest * _DA),
                at_most(Norm(leading - u1) ** 2, angle**2),
                at_most(angle**2, tan_square),
                at_most(tan_square, _DA),
            ),
            ("second-order", "chord-squared", "tangent-squared", "bound"),
            Together(),
            r"The relative error, and the chain of the claim.",
        ),
    ),
    remark=(
        "That the sum over alpha is of the second order is read off its form. The relative error is at most twice that "
        "sum over any delta below all lambda_1 + a - mu_j (step second-order)."
    ),
)

LEMMAS: tuple[Derivation, ...] = (CHORD, ARCTANGENT)
DERIVATIONS: tuple[Derivation, ...] = (DRIFT,)
