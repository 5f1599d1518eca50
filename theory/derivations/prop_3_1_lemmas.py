"""Lemmas of Proposition 3.1: covariances of attention, and how far a field moves along a path of the tokens."""

from __future__ import annotations

import sympy as sp

from theory.derivations import textbook
from theory.kernel.notation import Dot, Norm, at_most, both, equal, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Monotone, Textbook
from theory.kernel.rules.averages import Average, Averaged, J, Reweighted, Rise, token_scalar, token_vector
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


def mean(inside: sp.Expr, weight: sp.Expr) -> sp.Expr:
    """The average over tokens j with softmax weights."""
    return Average(inside, weight, J)


def covariance(one: sp.Expr, other: sp.Expr, weight: sp.Expr) -> sp.Expr:
    """The covariance over tokens j with softmax weights."""
    return mean(one * other, weight) - mean(one, weight) * mean(other, weight)


def bilinear(one: sp.Expr, matrix_: sp.Expr, other: sp.Expr) -> sp.Basic:
    """``<M x, y>² <= ||M||² |x|² |y|²``."""
    return at_most(Dot(matrix_ * one, other) ** 2, Norm(matrix_) ** 2 * Dot(one, one) * Dot(other, other))


def bilinear_step(name: str, one: sp.Expr, matrix_: sp.Expr, other: sp.Expr, why: str) -> Step:
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

_MOMENTS = {
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


def _form(name: str, one: sp.Expr, other: sp.Expr, why: str) -> Step:
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

_TILTED = Dot(A * x_i, x) + path_time * Dot(shift * x_i, x)

ATTENTION_SHIFT = Derivation(
    claim="lemma/attention-shift",
    title="The same tokens under two attention matrices",
    states=at_most(
        mean(Dot(M * x, u), Dot(B * x_i, x)) - mean(Dot(M * x, u), Dot(A * x_i, x)), Norm(M) * Norm(shift) * R**3
    ),
    setting={
        "update": equal(B, A + shift),
        "tokens": at_most(Dot(x, x), R**2),
        "token-i": at_most(Dot(x_i, x_i), R**2),
        "direction": at_most(Dot(u, u), 1),
    },
    steps=(
        bilinear_step("values", x, M, u, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(Dot(M * x, u) ** 2, (Norm(M) * R) ** 2),
            ("values", "tokens", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"Tokens have norm at most $R$.",
        ),
        bilinear_step("tilt", x_i, shift, x, r"Cauchy-Schwarz for the change of the logits."),
        Step(
            "tilt-bounded",
            at_most(Dot(shift * x_i, x) ** 2, (Norm(shift) * R**2) ** 2),
            ("tilt", "tokens", "token-i"),
            Entails(degree=4, squares=(Norm(shift), R)),
            r"The same for both tokens.",
        ),
        Step(
            "mean-square-values",
            at_most(mean(Dot(M * x, u) ** 2, _TILTED), (Norm(M) * R) ** 2),
            ("values-bounded",),
            Averaged(_TILTED),
            r"Averaged with the weights at $A+s\Delta$.",
        ),
        Step(
            "mean-square-tilt",
            at_most(mean(Dot(shift * x_i, x) ** 2, _TILTED), (Norm(shift) * R**2) ** 2),
            ("tilt-bounded",),
            Averaged(_TILTED),
            r"Averaged with the same weights.",
        ),
        Step(
            "covariance",
            at_most(covariance(Dot(M * x, u), Dot(shift * x_i, x), _TILTED), Norm(M) * R * (Norm(shift) * R**2)),
            ("mean-square-values", "mean-square-tilt"),
            Apply(
                "lemma/covariance",
                {f: Dot(M * x, u), g: Dot(shift * x_i, x), logit: _TILTED, F: Norm(M) * R, G: Norm(shift) * R**2},
            ),
            r"The covariance of the two.",
        ),
        Step(
            "bound",
            at_most(
                mean(Dot(M * x, u), Dot(B * x_i, x)) - mean(Dot(M * x, u), Dot(A * x_i, x)),
                Norm(M) * Norm(shift) * R**3,
            ),
            ("covariance", "update"),
            Rise(mean(Dot(M * x, u), _TILTED), path_time),
            r"That covariance is the rate of the average as $A+s\Delta$ goes from $A$ to $B$: a softmax has"
            r" $\frac{d}{ds}\mathbb E f=\operatorname{Cov}(f,\dot\ell)$.",
        ),
    ),
)

_L = Dot(A * y_i, y)
_OWN, _OTHERS = Dot(A * e_i, y), Dot(A * y_i, e)
_VALUES = Dot(M * y, u)
_SEGMENT_BOUND = Norm(M) * (rho + Norm(A) * R**2 * (r + rho))
_SEGMENT_RISE = mean(Dot(M * z, u), Dot(A * z_i, z)) - mean(Dot(M * x, u), Dot(A * x_i, x))

SEGMENT = Derivation(
    claim="lemma/segment",
    title="Attention at two configurations of tokens, in chords",
    states=at_most(_SEGMENT_RISE, _SEGMENT_BOUND),
    setting={
        "displacements": both(equal(z, x + e), equal(z_i, x_i + e_i)),
        "path": both(equal(y, x + path_time * e), equal(y_i, x_i + path_time * e_i)),
        "between": both(at_most(0, path_time), at_most(path_time, 1)),
        "tokens": both(at_most(Dot(x, x), R**2), at_most(Dot(z, z), R**2)),
        "token-i": both(at_most(Dot(x_i, x_i), R**2), at_most(Dot(z_i, z_i), R**2)),
        "direction": at_most(Dot(u, u), 1),
        "own-displacement": at_most(Dot(e_i, e_i), r**2),
        "spread": at_most(mean(Dot(e, e), _L), rho**2),
    },
    steps=(
        Step(
            "in-ball",
            at_most(Dot(y, y), R**2),
            ("displacements", "path", "between", "tokens"),
            Entails(degree=3),
            r"Balls are convex: $|y_j|^2=(1-s)|x_j|^2+s|\tilde x_j|^2-s(1-s)|e_j|^2$.",
        ),
        Step(
            "i-in-ball",
            at_most(Dot(y_i, y_i), R**2),
            ("displacements", "path", "between", "token-i"),
            Entails(degree=3),
            r"So is token $i$.",
        ),
        bilinear_step("velocity", e, M, u, r"Cauchy-Schwarz for the values that move."),
        Step(
            "velocity-bounded",
            at_most(Dot(M * e, u) ** 2, Norm(M) ** 2 * Dot(e, e)),
            ("velocity", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"The direction is of norm at most $1$.",
        ),
        Step(
            "mean-square-velocity",
            at_most(mean(Dot(M * e, u) ** 2, _L), Norm(M) ** 2 * mean(Dot(e, e), _L)),
            ("velocity-bounded",),
            Averaged(_L),
            r"Averaged with the weights at $y(s)$.",
        ),
        Step(
            "velocity-spread",
            at_most(mean(Dot(M * e, u) ** 2, _L), (Norm(M) * rho) ** 2),
            ("mean-square-velocity", "spread"),
            Entails(degree=2, squares=(Norm(M),)),
            r"The mean square displacement is at most $\rho^2$.",
        ),
        Step(
            "mean-velocity",
            at_most(mean(Dot(M * e, u), _L), Norm(M) * rho),
            ("velocity-spread",),
            Apply("lemma/root-mean-square", {f: Dot(M * e, u), logit: _L, F: Norm(M) * rho}),
            r"A mean is at most the root of the mean square.",
        ),
        bilinear_step("values", y, M, u, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(_VALUES**2, (Norm(M) * R) ** 2),
            ("values", "in-ball", "direction"),
            Entails(degree=4, squares=(Norm(M),)),
            r"In the ball, and with the direction of norm at most $1$.",
        ),
        Step(
            "mean-square-values",
            at_most(mean(_VALUES**2, _L), (Norm(M) * R) ** 2),
            ("values-bounded",),
            Averaged(_L),
            r"Averaged.",
        ),
        bilinear_step("own-tilt", e_i, A, y, r"The logits change with token $i$ itself,"),
        Step(
            "own-tilt-bounded",
            at_most(_OWN**2, (Norm(A) * r * R) ** 2),
            ("own-tilt", "own-displacement", "in-ball"),
            Entails(degree=4, squares=(Norm(A), R)),
            r"at most by this,",
        ),
        Step(
            "mean-square-own-tilt",
            at_most(mean(_OWN**2, _L), (Norm(A) * r * R) ** 2),
            ("own-tilt-bounded",),
            Averaged(_L),
            r"on average too.",
        ),
        bilinear_step("tilt", y_i, A, e, r"They change with the other tokens,"),
        Step(
            "tilt-bounded",
            at_most(_OTHERS**2, Norm(A) ** 2 * R**2 * Dot(e, e)),
            ("tilt", "i-in-ball"),
            Entails(degree=4, squares=(Norm(A),)),
            r"at most by this,",
        ),
        Step(
            "averaged-tilt",
            at_most(mean(_OTHERS**2, _L), Norm(A) ** 2 * R**2 * mean(Dot(e, e), _L)),
            ("tilt-bounded",),
            Averaged(_L),
            r"averaged,",
        ),
        Step(
            "mean-square-tilt",
            at_most(mean(_OTHERS**2, _L), (Norm(A) * R * rho) ** 2),
            ("averaged-tilt", "spread"),
            Entails(degree=2, squares=(Norm(A) * R,)),
            r"with the mean square displacement.",
        ),
        Step(
            "own-covariance",
            at_most(covariance(_VALUES, _OWN, _L), Norm(M) * R * (Norm(A) * r * R)),
            ("mean-square-values", "mean-square-own-tilt"),
            Apply("lemma/covariance", {f: _VALUES, g: _OWN, logit: _L, F: Norm(M) * R, G: Norm(A) * r * R}),
            r"Covariance with the first change.",
        ),
        Step(
            "covariance",
            at_most(covariance(_VALUES, _OTHERS, _L), Norm(M) * R * (Norm(A) * R * rho)),
            ("mean-square-values", "mean-square-tilt"),
            Apply("lemma/covariance", {f: _VALUES, g: _OTHERS, logit: _L, F: Norm(M) * R, G: Norm(A) * R * rho}),
            r"Covariance with the second.",
        ),
        Step(
            "rate",
            at_most(
                mean(Dot(M * e, u), _L) + covariance(_VALUES, _OWN, _L) + covariance(_VALUES, _OTHERS, _L),
                _SEGMENT_BOUND,
            ),
            ("mean-velocity", "own-covariance", "covariance"),
            Entails(degree=1),
            r"The three together.",
        ),
        Step(
            "bound",
            at_most(_SEGMENT_RISE, _SEGMENT_BOUND),
            ("rate", "path", "displacements"),
            Rise(mean(_VALUES, _L), path_time, {y: e, y_i: e_i}),
            r"They are the rate of $\langle Mm_i,u\rangle$ along the segments: values move, and the softmax adds"
            r" $\operatorname{Cov}(\cdot,\dot\ell)$.",
        ),
    ),
)

DENSITY = Derivation(
    claim="lemma/softmax-density",
    title="Softmax weights against equal weights",
    states=at_most(mean(f, logit), sp.exp(2 * top) * mean(f, sp.Integer(0))),
    setting={
        "positive": at_most(0, f),
        "logits-below": at_most(logit, top),
        "logits-above": at_most(-top, logit),
    },
    steps=(
        Step(
            "largest",
            at_most(sp.exp(logit), sp.exp(top)),
            ("logits-below",),
            Monotone(sp.exp),
            r"No token weighs more than this before normalisation,",
        ),
        Step(
            "smallest",
            at_most(sp.exp(-top), sp.exp(logit)),
            ("logits-above",),
            Monotone(sp.exp),
            r"and none less than this.",
        ),
        Step(
            "weighted",
            at_most(sp.exp(logit) * f, sp.exp(top) * f),
            ("largest", "positive"),
            Entails(),
            r"The quantity is not negative.",
        ),
        Step(
            "numerator",
            at_most(mean(sp.exp(logit) * f, sp.Integer(0)), sp.exp(top) * mean(f, sp.Integer(0))),
            ("weighted",),
            Averaged(sp.Integer(0)),
            r"The mean over tokens with equal weights.",
        ),
        Step(
            "denominator",
            at_most(sp.exp(-top), mean(sp.exp(logit), sp.Integer(0))),
            ("smallest",),
            Averaged(sp.Integer(0)),
            r"The same of the normalisation.",
        ),
        Step("average", at_most(0, mean(f, logit)), ("positive",), Averaged(logit), r"An average is positive."),
        Step(
            "softmax",
            equal(mean(f, logit) * mean(sp.exp(logit), sp.Integer(0)), mean(sp.exp(logit) * f, sp.Integer(0))),
            (),
            Reweighted(),
            r"What the softmax weights are.",
        ),
        Step(
            "bound",
            at_most(mean(f, logit), sp.exp(2 * top) * mean(f, sp.Integer(0))),
            ("softmax", "numerator", "denominator", "average"),
            Entails(degree=3),
            r"Put together: no weight exceeds $e^{2c}/n$.",
        ),
    ),
)
LEMMAS = (BILINEAR, ROOT_MEAN_SQUARE, QUADRATIC_FORM, COVARIANCE, ATTENTION_SHIFT, SEGMENT, DENSITY)
