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
from theory.kernel.notation import Dot, at_most, below, equal
from theory.kernel.rules import Entails, Identity, Termwise
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import Largest, Parseval
from theory.kernel.step import Derivation, Step

_j = s.j
alpha_j: Any = s.alpha[_j]
mu_j: Any = s.mu[_j]
_y: Any = part[_j]
_cos = sp.cos(angle)
tan_square = sp.tan(angle) ** 2
root = s.perturbed_lambda_1
first_level = s.lambda_1 + s.a
TAN_SQUARE = claims.TAN_SQUARED_SECULAR.expr
term = alpha_j / (root - mu_j)
bound_term = alpha_j / (first_level - mu_j)

RAYLEIGH = Theorem(
    "Rayleigh quotient",
    at_most(Dot(textbook.X, textbook.M * textbook.X), textbook.EIGENVALUE * Dot(textbook.X, textbook.X)),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Thm. 4.2.2",
    (equal(textbook.M.T, textbook.M), Largest(textbook.EIGENVALUE, textbook.M)),
)

BLOCK_STEPS = (
    Step(
        "symmetric",
        equal(total.T, total),
        ("total", "symmetric-base", "symmetric-update"),
        Identity(),
        r"$\tilde V$ is symmetric with both of its parts.",
    ),
    Step(
        "image-of-u1",
        equal(total * u1, first_level * u1 + b),
        ("total", "base-eigenvector", "b"),
        Identity(),
        r"$\tilde Vu_1=\lambda_1u_1+\Delta Vu_1$, and $\Delta Vu_1=au_1+b$.",
    ),
)
_COUPLING_STEPS = (
    Step(
        "coupling",
        equal(Dot(u1, total * z), alpha_j),
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
        equal(mixing[_j], alpha_j),
        ("coupling", "image-along-u1"),
        Identity(),
        r"It is both.",
    ),
    Step(
        "image-of-z",
        equal(total * z, alpha_j * u1 + mu_j * z),
        ("compression", "mixing"),
        Identity(),
        r"In the frame $\tilde V$ is an arrow: $\lambda_1+a$ and the $\mu_j$ on the diagonal, $\alpha$ beside it.",
    ),
)

SECULAR = Derivation(
    claim="remark-3.4/secular",
    setting={**FRAME, **BLOCKS, **PERTURBED, "above": below(mu_j, root)},
    assumptions=SYMMETRIC,
    steps=(
        *BLOCK_STEPS,
        *_COUPLING_STEPS,
        Step(
            "z-of-image",
            equal(Dot(z, total * leading), root * _y),
            ("perturbed-eigenvector", "parts"),
            Identity(),
            r"The eigenvalue equation along $z_j$.",
        ),
        Step(
            "image-on-z",
            equal(Dot(z, total * leading), alpha_j * _cos + mu_j * _y),
            ("symmetric", "image-of-z", "angle", "parts"),
            Identity(),
            r"The same product, with $\tilde V$ on the other side.",
        ),
        Step(
            "component",
            equal(_y, _cos * term),
            ("z-of-image", "image-on-z", "above"),
            Identity(),
            r"$(\tilde\lambda_1-\mu_j)y_j=\alpha_j\cos\angle$, and $\tilde\lambda_1>\mu_j$.",
        ),
        Step(
            "u1-of-image",
            equal(Dot(u1, total * leading), root * _cos),
            ("perturbed-eigenvector", "angle"),
            Identity(),
            r"The eigenvalue equation along $u_1$.",
        ),
        Step(
            "image-on-u1",
            equal(Dot(u1, total * leading), first_level * _cos + Dot(b, leading)),
            ("symmetric", "image-of-u1", "angle"),
            Identity(),
            r"The same product, with $\tilde V$ on the other side.",
        ),
        Step(
            "b-in-frame",
            equal(Dot(b, leading), Dot(u1, b) * Dot(u1, leading) + s.over_directions(alpha_j * _y)),
            ("frame", "alpha", "parts"),
            Parseval(),
            r"Parseval's identity in the basis of $u_1$ and the $z_j$.",
        ),
        Step(
            "product",
            equal(alpha_j * _y, _cos * alpha_j**2 / (root - mu_j)),
            ("component", "above"),
            Identity(),
            r"One term of that sum.",
        ),
        Step(
            "products",
            equal(s.over_directions(alpha_j * _y), s.over_directions(_cos * alpha_j**2 / (root - mu_j))),
            ("product",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "root-or-orthogonal",
            equal(root * _cos, (first_level + s.over_directions(alpha_j**2 / (root - mu_j))) * _cos),
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
            equal(_y**2, _cos**2 * term**2),
            ("component", "above"),
            Identity(),
            r"One term of that sum.",
        ),
        Step(
            "squares",
            equal(s.over_directions(_y**2), s.over_directions(_cos**2 * term**2)),
            ("square",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "pythagoras",
            equal(1, _cos**2 * (1 + TAN_SQUARE)),
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
            at_most(0, term**2),
            ("above",),
            Entails(degree=1, squares=(alpha_j,)),
            r"Squares are not negative.",
        ),
        Step(
            "sum-sign",
            at_most(0, TAN_SQUARE),
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
            equal(tan_square, TAN_SQUARE),
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
DERIVATIONS: tuple[Derivation, ...] = (SECULAR,)
LEMMAS: tuple[Derivation, ...] = ()
