"""Lemmas of Proposition 3.1: bilinear forms, means and covariances of attention; the symbols of all its lemmas."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.derivations import textbook
from theory.kernel.notation import Dot, Norm, at_most, both, equal, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Textbook
from theory.kernel.rules.averages import Average, Averaged, J, token_scalar, token_vector
from theory.kernel.step import Derivation, Step

f, g = token_scalar("p31_f_j", "f_j"), token_scalar("p31_g_j", "g_j")
logit = token_scalar("p31_l_j", r"\ell_j")
F = scalar("p31_F", "F", nonnegative=True)
G = scalar("p31_G", "G", nonnegative=True)
top = scalar("p31_top", "c", nonnegative=True)
p, q = scalar("p31_p", "p"), scalar("p31_q", "q")
mean_f, mean_g = scalar("p31_mean_f", r"\bar f"), scalar("p31_mean_g", r"\bar g")

path_time = scalar("p31_s", "s")
M, shift = matrix("p31_M", "M"), matrix("p31_shift", r"\Delta")
A, B = matrix("p31_A", "A"), matrix("p31_B", "B")
u = vector("p31_u", "u")
x, x_i = token_vector("p31_x_j", "x_j"), vector("p31_x_fixed", "x_i")
z, z_i = token_vector("p31_z_j", r"\tilde x_j"), vector("p31_z_fixed", r"\tilde x_i")
y, y_i = token_vector("p31_y_j", "y_j"), vector("p31_y_fixed", "y_i")
e, e_i = token_vector("p31_e_j", "e_j"), vector("p31_e_fixed", "e_i")
R = scalar("p31_R", "R", nonnegative=True)
r = scalar("p31_r", "r_i", nonnegative=True)
rho = scalar("p31_rho", r"\rho", nonnegative=True)


def mean(inside: Any, weight: Any) -> Any:
    """The average over tokens j with softmax weights."""
    return Average(inside, weight, J)


def covariance(one: Any, other: Any, weight: Any) -> Any:
    """The covariance over tokens j with softmax weights."""
    return mean(one * other, weight) - mean(one, weight) * mean(other, weight)


def bilinear(one: Any, matrix_: Any, other: Any) -> sp.Basic:
    """``<M x, y>² <= ||M||² |x|² |y|²``."""
    return at_most(Dot(matrix_ * one, other) ** 2, Norm(matrix_) ** 2 * Dot(one, one) * Dot(other, other))


def bilinear_step(name: str, one: Any, matrix_: Any, other: Any, why: str) -> Step:
    """The bound of a bilinear form as a step."""
    at = {textbook.M: matrix_, textbook.X: one, textbook.Y: other}
    return Step(name, bilinear(one, matrix_, other), (), Apply("lemma/bilinear", at), why)


BILINEAR = Derivation(
    claim="lemma/bilinear",
    title="Bilinear forms and the operator norm",
    states=bilinear(textbook.X, textbook.M, textbook.Y),
    steps=(
        Step(
            "above",
            at_most(Dot(textbook.M * textbook.X, textbook.Y), Norm(textbook.M * textbook.X) * Norm(textbook.Y)),
            (),
            Apply("lemma/cauchy-schwarz", {textbook.X: textbook.M * textbook.X}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "below",
            at_most(Dot(textbook.M * textbook.X, -textbook.Y), Norm(textbook.M * textbook.X) * Norm(textbook.Y)),
            (),
            Apply("lemma/cauchy-schwarz", {textbook.X: textbook.M * textbook.X, textbook.Y: -textbook.Y}),
            r"The same with $-y$.",
        ),
        Step(
            "norm",
            at_most(Norm(textbook.M * textbook.X), Norm(textbook.M) * Norm(textbook.X)),
            (),
            Textbook(textbook.OPERATOR_NORM),
            r"What $\|M\|$ is.",
        ),
        Step(
            "modulus",
            at_most(
                Dot(textbook.M * textbook.X, textbook.Y) ** 2,
                Norm(textbook.M * textbook.X) ** 2 * Norm(textbook.Y) ** 2,
            ),
            ("above", "below"),
            Entails(),
            r"Both signs.",
        ),
        Step(
            "bound",
            bilinear(textbook.X, textbook.M, textbook.Y),
            ("modulus", "norm"),
            Entails(degree=4),
            r"Squares, with $|x|^2=\langle x,x\rangle$.",
        ),
    ),
)

ROOT_MEAN_SQUARE = Derivation(
    claim="lemma/root-mean-square",
    title="A mean is at most the root of the mean square",
    states=at_most(mean(f, logit), F),
    setting={"mean-square": at_most(mean(f**2, logit), F**2)},
    steps=(
        Step("mean", equal(mean_f, mean(f, logit)), (), Definition(), r"The mean."),
        Step(
            "square",
            at_most(0, (f - mean_f) ** 2),
            (),
            Entails(squares=(f - mean_f,)),
            r"A square is not negative, whatever the token.",
        ),
        Step(
            "averaged",
            at_most(0, mean(f**2, logit) - mean_f**2),
            ("square", "mean"),
            Averaged(logit),
            r"Averaged; an average is linear and positive, and $1$ of $1$.",
        ),
        Step(
            "bound",
            at_most(mean(f, logit), F),
            ("averaged", "mean-square", "mean"),
            Entails(),
            r"Hence $\bar f^2\le F^2$.",
        ),
    ),
)

_MOMENTS: dict[str, sp.Basic] = {
    "mean-square-f": at_most(mean(f**2, logit), F**2),
    "mean-square-g": at_most(mean(g**2, logit), G**2),
}

QUADRATIC_FORM = Derivation(
    claim="lemma/covariance-form",
    title="Variances and covariance form a positive quadratic form",
    states=at_most(0, p**2 * F**2 + 2 * p * q * covariance(f, g, logit) + q**2 * G**2),
    setting=_MOMENTS,
    steps=(
        Step(
            "means",
            both(equal(mean_f, mean(f, logit)), equal(mean_g, mean(g, logit))),
            (),
            Definition(),
            r"The means.",
        ),
        Step(
            "square",
            at_most(0, (p * (f - mean_f) + q * (g - mean_g)) ** 2),
            (),
            Entails(squares=(p * (f - mean_f) + q * (g - mean_g),)),
            r"A square is not negative, whatever the token.",
        ),
        Step(
            "averaged",
            at_most(
                0,
                p**2 * (mean(f**2, logit) - mean_f**2)
                + 2 * p * q * covariance(f, g, logit)
                + q**2 * (mean(g**2, logit) - mean_g**2),
            ),
            ("square", "means"),
            Averaged(logit),
            r"Averaged; an average is linear and positive, and $1$ of $1$.",
        ),
        Step(
            "bound",
            at_most(0, p**2 * F**2 + 2 * p * q * covariance(f, g, logit) + q**2 * G**2),
            ("averaged", "mean-square-f", "mean-square-g"),
            Entails(degree=3, squares=(p, q, p * mean_f, q * mean_g)),
            r"A variance is at most the mean square.",
        ),
    ),
)

_C = covariance(f, g, logit)


def _form(name: str, one: Any, other: Any, why: str) -> Step:
    return Step(
        name,
        at_most(0, one**2 * F**2 + 2 * one * other * _C + other**2 * G**2),
        ("mean-square-f", "mean-square-g"),
        Apply("lemma/covariance-form", {p: one, q: other}),
        why,
    )


COVARIANCE = Derivation(
    claim="lemma/covariance",
    title="Covariance of a weighted mean",
    states=at_most(_C, F * G),
    setting=_MOMENTS,
    steps=(
        _form("first", _C, -(F**2), r"The form at $p=C$, $q=-F^2$: $F^2(F^2G^2-C^2)\ge0$ for the covariance $C$."),
        _form("second", G**2, -_C, r"At $p=G^2$, $q=-C$: $G^2(F^2G^2-C^2)\ge0$."),
        _form("third", sp.Integer(1), sp.Integer(-1), r"At $p=1$, $q=-1$: $2C\le F^2+G^2$."),
        _form("fourth", sp.Integer(1), sp.Integer(1), r"At $p=q=1$: $-2C\le F^2+G^2$."),
        Step(
            "square",
            at_most(_C**2, F**2 * G**2),
            ("first", "second", "third", "fourth"),
            Entails(degree=3),
            r"If $F$ or $G$ is positive, by the first two; if both vanish, $C=0$ by the others.",
        ),
        Step("bound", at_most(_C, F * G), ("square",), Entails(degree=3), r"The root."),
    ),
)

LEMMAS = (BILINEAR, ROOT_MEAN_SQUARE, QUADRATIC_FORM, COVARIANCE)
