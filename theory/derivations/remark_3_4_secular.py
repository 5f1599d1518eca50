"""Remark 3.4: the secular equation, the drift per eigenvalue, and what the quoted form misses."""

from __future__ import annotations

from typing import Any

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
    b,
    leading,
    mixing,
    part,
    total,
    z,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Entails, Identity, Increasing, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import Largest, Parseval
from theory.kernel.step import Derivation, Step

_j = s.j
_alpha: Any = s.alpha[_j]
_mu: Any = s.mu[_j]
_y: Any = part[_j]
_cos = sp.cos(angle)
_tan2 = sp.tan(angle) ** 2
_root = s.perturbed_lambda_1
_first = s.lambda_1 + s.a
_TAN = claims.TAN_SQUARED_SECULAR.expr
_term = _alpha / (_root - _mu)
_bound_term = _alpha / (_first - _mu)

RAYLEIGH = Theorem(
    "Rayleigh quotient",
    at_most(Dot(textbook.X, textbook.M * textbook.X), textbook.EIGENVALUE * Dot(textbook.X, textbook.X)),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Thm. 4.2.2",
    (equal(textbook.M.T, textbook.M), Largest(textbook.EIGENVALUE, textbook.M)),
)

_BLOCK_STEPS = (
    Step(
        "symmetric",
        equal(total.T, total),
        ("total", "symmetric-base", "symmetric-update"),
        Identity(),
        r"$\tilde V$ is symmetric with both of its parts.",
    ),
    Step(
        "image-of-u1",
        equal(total * u1, _first * u1 + b),
        ("total", "base-eigenvector", "b"),
        Identity(),
        r"$\tilde Vu_1=\lambda_1u_1+\Delta Vu_1$, and $\Delta Vu_1=au_1+b$.",
    ),
)
_COUPLING_STEPS = (
    Step(
        "coupling",
        equal(Dot(u1, total * z), _alpha),
        ("symmetric", "image-of-u1", "alpha", "orthonormal"),
        Identity(),
        r"$\langle u_1,\tilde Vz_j\rangle=\langle\tilde Vu_1,z_j\rangle=\langle b,z_j\rangle$.",
    ),
    Step(
        "image-along-u1",
        equal(Dot(u1, total * z), mixing[_j]),
        ("compression", "orthonormal"),
        Identity(),
        r"What $\tilde Vz_j$ has along $u_1$.",
    ),
    Step(
        "mixing",
        equal(mixing[_j], _alpha),
        ("coupling", "image-along-u1"),
        Identity(),
        r"It is both.",
    ),
    Step(
        "image-of-z",
        equal(total * z, _alpha * u1 + _mu * z),
        ("compression", "mixing"),
        Identity(),
        r"In the frame $\tilde V$ is an arrow: $\lambda_1+a$ and the $\mu_j$ on the diagonal, $\alpha$ beside it.",
    ),
)

SECULAR = Derivation(
    claim="remark-3.4/secular",
    setting={**FRAME, **BLOCKS, **PERTURBED, "above": below(_mu, _root)},
    assumptions=SYMMETRIC,
    steps=(
        *_BLOCK_STEPS,
        *_COUPLING_STEPS,
        Step(
            "z-of-image",
            equal(Dot(z, total * leading), _root * _y),
            ("perturbed-eigenvector", "parts"),
            Identity(),
            r"The eigenvalue equation along $z_j$.",
        ),
        Step(
            "image-on-z",
            equal(Dot(z, total * leading), _alpha * _cos + _mu * _y),
            ("symmetric", "image-of-z", "angle", "parts"),
            Identity(),
            r"The same product, with $\tilde V$ on the other side.",
        ),
        Step(
            "component",
            equal(_y, _cos * _term),
            ("z-of-image", "image-on-z", "above"),
            Identity(),
            r"$(\tilde\lambda_1-\mu_j)y_j=\alpha_j\cos\angle$, and $\tilde\lambda_1>\mu_j$.",
        ),
        Step(
            "u1-of-image",
            equal(Dot(u1, total * leading), _root * _cos),
            ("perturbed-eigenvector", "angle"),
            Identity(),
            r"The eigenvalue equation along $u_1$.",
        ),
        Step(
            "image-on-u1",
            equal(Dot(u1, total * leading), _first * _cos + Dot(b, leading)),
            ("symmetric", "image-of-u1", "angle"),
            Identity(),
            r"The same product, with $\tilde V$ on the other side.",
        ),
        Step(
            "b-in-frame",
            equal(Dot(b, leading), Dot(u1, b) * Dot(u1, leading) + s.over_directions(_alpha * _y)),
            ("frame", "alpha", "parts"),
            Parseval(),
            r"Parseval's identity in the basis of $u_1$ and the $z_j$.",
        ),
        Step(
            "product",
            equal(_alpha * _y, _cos * _alpha**2 / (_root - _mu)),
            ("component", "above"),
            Identity(),
            r"One term of that sum.",
        ),
        Step(
            "products",
            equal(s.over_directions(_alpha * _y), s.over_directions(_cos * _alpha**2 / (_root - _mu))),
            ("product",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "root-or-orthogonal",
            equal(_root * _cos, (_first + s.over_directions(_alpha**2 / (_root - _mu))) * _cos),
            ("u1-of-image", "image-on-u1", "b-in-frame", "b", "a", "orthonormal", "products"),
            Identity(),
            r"The two forms of $\langle u_1,\tilde V\tilde u_1\rangle$ are equal; $b$ has no part along $u_1$.",
        ),
        Step(
            "length-in-frame",
            equal(Dot(leading, leading), Dot(u1, leading) * Dot(u1, leading) + s.over_directions(_y**2)),
            ("frame", "parts"),
            Parseval(),
            r"Parseval's identity for $\tilde u_1$ itself.",
        ),
        Step(
            "square",
            equal(_y**2, _cos**2 * _term**2),
            ("component", "above"),
            Identity(),
            r"One term of that sum.",
        ),
        Step(
            "squares",
            equal(s.over_directions(_y**2), s.over_directions(_cos**2 * _term**2)),
            ("square",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "pythagoras",
            equal(1, _cos**2 * (1 + _TAN)),
            ("length-in-frame", "squares", "perturbed-unit", "angle"),
            Identity(),
            r"$\tilde u_1$ has length 1.",
        ),
        Step(
            "root",
            equal(claims.SECULAR_RESIDUAL.expr, 0),
            ("root-or-orthogonal", "pythagoras"),
            Identity(),
            r"By the last step the cosine is not zero, so that the other factor is.",
        ),
        Step(
            "term-sign",
            at_most(0, _term**2),
            ("above",),
            Entails(degree=1, squares=(_alpha,)),
            r"Squares are not negative.",
        ),
        Step(
            "sum-sign",
            at_most(0, _TAN),
            ("term-sign",),
            Termwise(),
            r"Nor are sums of squares.",
        ),
        Step(
            "not-orthogonal",
            below(0, _cos),
            ("pythagoras", "sum-sign", "direction"),
            Entails(degree=3),
            r"An eigenvector with an eigenvalue above all $\mu_j$ is not orthogonal to $u_1$.",
        ),
        Step(
            "tangent",
            equal(_tan2, _TAN),
            ("pythagoras", "not-orthogonal"),
            Identity(),
            r"$\tan^2=\cos^{-2}-1$.",
        ),
    ),
    remark=(
        "The eigenvalue is taken to lie above all mu_j. That it is then the largest one, and the only root there, are "
        "the lemmas secular-largest and secular-unique; that a root there is an eigenvalue, and when there is none, "
        "secular-eigenvector and secular-exists. The step from a change of sign to a root is the intermediate value "
        "theorem."
    ),
)

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
_shift = s.over_directions(_alpha**2 / (_first - _mu))

DRIFT = Derivation(
    claim="remark-3.4/drift",
    setting={
        **FRAME,
        **BLOCKS,
        **PERTURBED,
        "acute": equal(angle, sp.atan(tangent)),
        "largest": Largest(s.perturbed_lambda_1, total),
        "apart": below(_mu, _first),
        "nearest": at_most(nearest, _first - _mu),
    },
    assumptions=SYMMETRIC,
    steps=(
        *_BLOCK_STEPS,
        Step(
            "rayleigh",
            at_most(Dot(u1, total * u1), _root * Dot(u1, u1)),
            ("symmetric", "largest"),
            Textbook(RAYLEIGH, {textbook.M: total, textbook.X: u1, textbook.EIGENVALUE: _root}),
            r"The largest eigenvalue is the maximum of the Rayleigh quotient.",
        ),
        Step(
            "rise",
            at_most(_first, _root),
            ("rayleigh", "image-of-u1", "b", "a", "orthonormal"),
            Entails(degree=1),
            r"At $u_1$ the quotient is $\lambda_1+a$.",
        ),
        Step(
            "above",
            below(_mu, _root),
            ("rise", "apart"),
            Entails(degree=1),
            r"So $\tilde\lambda_1$ lies above all $\mu_j$.",
        ),
        Step(
            "secular",
            equal(_tan2, _TAN),
            (*FRAME, *(k for k in BLOCKS if k != "a"), *PERTURBED, *SYMMETRIC, "above"),
            Apply("remark-3.4/secular"),
            r"The secular equation applies.",
        ),
        Step(
            "term",
            at_most(_term**2, _bound_term**2),
            ("rise", "apart", "above"),
            Entails(degree=3, squares=(_alpha,)),
            r"Each denominator is at least as large with $\tilde\lambda_1$ as with $\lambda_1+a$.",
        ),
        Step(
            "sum",
            at_most(_TAN, _DA),
            ("term",),
            Termwise(),
            r"The sum over the directions.",
        ),
        Step(
            "bound",
            at_most(_tan2, _DA),
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
            at_most(_alpha**2 / (_root - _mu), _alpha**2 / (_first - _mu)),
            ("rise", "apart", "above"),
            Entails(degree=2, squares=(_alpha,)),
            r"One term of it, at most.",
        ),
        Step(
            "shift",
            at_most(s.over_directions(_alpha**2 / (_root - _mu)), _shift),
            ("shift-term",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "shift-bound",
            at_most(_root - _first, _shift),
            ("residual", "shift"),
            Entails(degree=1),
            r"It is of the second order in $\Delta V$.",
        ),
        Step(
            "ratio",
            at_most(1 - 2 * (_root - _first) / nearest, ((_first - _mu) / (_root - _mu)) ** 2),
            ("rise", "above", "nearest"),
            Entails(degree=3),
            r"$(1+x)^{-2}\ge1-2x$ with $x=(\tilde\lambda_1-\lambda_1-a)/(\lambda_1+a-\mu_j)$.",
        ),
        Step(
            "term-below",
            at_most(_bound_term**2, _term**2 + 2 * (_root - _first) / nearest * _bound_term**2),
            ("ratio", "apart", "above"),
            Entails(degree=2, squares=(_alpha,)),
            r"So no term falls by more than that share.",
        ),
        Step(
            "sum-below",
            at_most(_DA, _TAN + 2 * (_root - _first) / nearest * _DA),
            ("term-below",),
            Termwise(),
            r"The sum over the directions.",
        ),
        Step(
            "squares-sign",
            at_most(0, _bound_term**2),
            ("apart",),
            Entails(degree=1, squares=(_alpha,)),
            r"Squares are not negative.",
        ),
        Step("bound-sign", at_most(0, _DA), ("squares-sign",), Termwise(), r"Nor are sums of squares."),
        Step(
            "second-order",
            at_most(_DA, _tan2 + 2 * _shift / nearest * _DA),
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
            at_most(angle**2, _tan2),
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
                at_most(_DA, _tan2 + 2 * _shift / nearest * _DA),
                at_most(Norm(leading - u1) ** 2, angle**2),
                at_most(angle**2, _tan2),
                at_most(_tan2, _DA),
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
DERIVATIONS = (SECULAR, DRIFT)
LEMMAS: tuple[Derivation, ...] = (CHORD, ARCTANGENT)
