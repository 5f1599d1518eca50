"""Remark 3.4: the perturbation series to any order, its error, its radius, and the order at which a enters."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations.model import EIGENPAIR, V, u1
from theory.derivations.remark_3_4_model import SYMMETRIC, total, update
from theory.derivations.remark_3_4_recursion import eps
from theory.kernel.notation import Dot, LimitOf, Norm, at_most, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import Definition, Entails, Identity, PowerSeries, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.coefficients import Analytic, Geometric
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Derivation, Step

direction = matrix("r34_B", "B")

# ---- two levels: the radius of convergence, and the order at which a enters

real_part = scalar("r34_real_part", r"\operatorname{Re}\varepsilon")
imaginary_part = scalar("r34_imaginary_part", r"\operatorname{Im}\varepsilon")
size = scalar("r34_coupling_size", r"|\alpha|", positive=True)
second = scalar("r34_second", r"\lambda_2")
distance = scalar("r34_distance", r"(\tilde\lambda_1-\mu)")
open_gap = scalar("r34_open_gap", r"\mathrm{gap}", positive=True)
curvature = scalar("r34_curvature", r"N", positive=True)
product = scalar("r34_product", r"p", positive=True)
_c0, _c1, _c2 = open_gap**2, 2 * open_gap * (s.a - s.e), (s.a - s.e) ** 2 + 4 * size**2
_trace = s.lambda_1 + eps * s.a + second + eps * s.e
_determinant = (s.lambda_1 + eps * s.a) * (second + eps * s.e) - eps**2 * size**2
_discriminant = equal(_trace**2 - 4 * _determinant, _c0 + _c1 * eps + curvature * eps**2)
_modulus = equal(real_part**2 + imaginary_part**2, (open_gap / sp.sqrt(curvature)) ** 2)

RADIUS = Derivation(
    claim="lemma/two-level-radius",
    title="The radius of convergence for two levels",
    states=both(_discriminant, _modulus),
    setting={
        "gap": equal(open_gap, s.lambda_1 - second),
        "curvature": equal(_c2, curvature),
        "product": equal(open_gap * size, product),
        "real": equal(_c0 + _c1 * real_part + curvature * (real_part**2 - imaginary_part**2), 0),
        "imaginary": equal(imaginary_part * (_c1 + 2 * curvature * real_part), 0),
    },
    steps=(
        Step(
            "discriminant",
            _discriminant,
            ("gap", "curvature"),
            Identity(),
            r"The discriminant of the characteristic polynomial of two levels.",
        ),
        Step(
            "branch",
            equal(
                curvature**2 * imaginary_part**2,
                (curvature * real_part + open_gap * (s.a - s.e)) ** 2 + 4 * product**2,
            ),
            ("real", "curvature", "product"),
            Identity(),
            r"The real part, times $N$: a sum of two squares, of which the second is not zero.",
        ),
        Step(
            "vertex",
            equal(real_part, -open_gap * (s.a - s.e) / curvature),
            ("branch", "imaginary"),
            Squeeze(degree=3, squares=(curvature * real_part + open_gap * (s.a - s.e),)),
            r"So $\varepsilon$ is not real, and the other factor of the imaginary part is zero.",
        ),
        Step(
            "modulus",
            _modulus,
            ("real", "vertex"),
            Identity(),
            r"Put into the real part; $N=(a-e)^2+4\alpha^2$.",
        ),
        Step(
            "both",
            both(_discriminant, _modulus),
            ("discriminant", "modulus"),
            Together(),
            r"Both zeros have this modulus.",
        ),
    ),
    remark=(
        "The setting says that the discriminant vanishes at a complex ε. Within the modulus of its zeros the square "
        "root of the discriminant, and with it the eigenvalue, is analytic, and at the zeros it branches: the modulus "
        "is the radius of convergence."
    ),
)

_delta = open_gap + eps * (s.a - s.e)
_tan2 = (eps * size / distance) ** 2
_corrected = (eps * size / _delta) ** 2
_quoted = (eps * size / (open_gap - eps * s.e)) ** 2
_LIMIT_CORRECTED = equal(LimitOf((_tan2 / _corrected - 1) / eps**2, eps), -2 * size**2 / open_gap**2)
_LIMIT_QUOTED = equal(LimitOf((_tan2 / _quoted - 1) / eps, eps), -2 * s.a / open_gap)
_quadratic = equal(distance**2, _delta * distance + eps**2 * size**2)

ORDERS = Derivation(
    claim="lemma/two-level-orders",
    title="Relative errors for two levels: of second order with a, of first order without",
    states=both(_quadratic, _LIMIT_CORRECTED, _LIMIT_QUOTED),
    setting={
        "distance": equal(distance, (_delta + sp.sqrt(_delta**2 + 4 * eps**2 * size**2)) / 2),
    },
    steps=(
        Step(
            "secular",
            _quadratic,
            ("distance",),
            Identity(),
            r"This is the larger root of the secular equation of two levels.",
        ),
        Step(
            "corrected",
            _LIMIT_CORRECTED,
            ("distance",),
            PowerSeries(4),
            r"The first term that $D_a$ misses.",
        ),
        Step(
            "quoted",
            _LIMIT_QUOTED,
            ("distance",),
            PowerSeries(4),
            r"The first term that the quoted form misses: $a$.",
        ),
        Step(
            "both",
            both(_quadratic, _LIMIT_CORRECTED, _LIMIT_QUOTED),
            ("secular", "corrected", "quoted"),
            Together(),
            r"Taken together.",
        ),
    ),
)

# ---- the error bound

coefficient = family("r34_coefficient", r"\lambda^{(\cdot)}")
any_vector = vector("r34_w", "w")
radius = scalar("r34_radius", r"\rho", positive=True)
largest = scalar("r34_largest", "M", nonnegative=True)
point = scalar("r34_point", "z")
function = scalar("r34_function", "f")
constant = scalar("r34_constant", "f_0")
_index = scalar("r34_index", "i", integer=True, positive=True)
_c: Any = coefficient[_index]
_k = s.order
_q = s.radius_share
_far = Dot(any_vector, V * any_vector)


def _sum_to_order(term: Any) -> Any:
    return sp.Sum(term, (_index, 1, _k))


def _tail(term: Any) -> Any:
    return sp.Sum(term, (_index, _k + 1, sp.oo))


def _whole(term: Any) -> Any:
    return sp.Sum(term, (_index, 1, sp.oo))


_HALF_GAP = equal(Dot(u1, any_vector), 0), at_most(_far, (s.lambda_1 - s.gap) * Dot(any_vector, any_vector))

KATO = Theorem(
    "analytic perturbation of an isolated eigenvalue",
    both(
        equal(s.perturbed_lambda_1, s.lambda_1 + _whole(_c * eps**_index)),
        Analytic(_c, _index, s.gap / (2 * Norm(direction)), s.gap / 2),
    ),
    "T. Kato, Perturbation Theory for Linear Operators, 2nd ed., Springer 1976, ch. II §3.5 and Thm. 3.9 (normal V: "
    "the eigenvalue in the disc of half the isolation distance is simple, and analytic where ||zB|| is below half "
    "that distance); R. Bhatia, Matrix Analysis, Springer 1997, Cor. III.2.6 (Weyl: for real ε it is the largest one)",
    (
        equal(V.T, V),
        equal(update.T, update),
        equal(V * u1, s.lambda_1 * u1),
        equal(Dot(u1, u1), 1),
        *_HALF_GAP,
        below(0, s.gap),
        equal(total, V + update),
        equal(update, eps * direction),
        Largest(s.perturbed_lambda_1, total),
        below(0, Norm(direction)),
        below(2 * sp.Abs(eps) * Norm(direction), s.gap),
    ),
)
CAUCHY = Theorem(
    "Cauchy's estimate of the coefficients",
    at_most(sp.Abs(_c) * sp.Abs(point) ** _index, largest * (sp.Abs(point) / radius) ** _index),
    "L. V. Ahlfors, Complex Analysis, 3rd ed., McGraw-Hill 1979, ch. 4 §2.3",
    (Analytic(_c, _index, radius, largest),),
)
ABSOLUTE = Theorem(
    "tail of an absolutely convergent series",
    at_most(
        sp.Abs(function - constant - _sum_to_order(_c * point**_index)),
        _tail(sp.Abs(_c) * sp.Abs(point) ** _index),
    ),
    "W. Rudin, Principles of Mathematical Analysis, 3rd ed., McGraw-Hill 1976, Thm. 3.45",
    (equal(function, constant + _whole(_c * point**_index)),),
)
_ERROR = sp.Abs(s.perturbed_lambda_1 - s.lambda_1 - _sum_to_order(_c * eps**_index))
_radius = s.gap / (2 * Norm(direction))

EXPANSION = Derivation(
    claim="remark-3.4/expansion",
    setting={
        "base-eigenpair": EIGENPAIR,
        "other-eigenvalues": both(*_HALF_GAP),
        "total": equal(total, V + update),
        "update": equal(update, eps * direction),
        "norm": equal(s.dV_norm, sp.Abs(eps) * Norm(direction)),
        "largest": Largest(s.perturbed_lambda_1, total),
        "not-zero": below(0, Norm(direction)),
        "inside": below(2 * sp.Abs(eps) * Norm(direction), s.gap),
    },
    assumptions={**SYMMETRIC, "spectral-gap": below(0, s.gap)},
    steps=(
        Step(
            "analytic",
            KATO.statement,
            (
                *SYMMETRIC,
                "base-eigenpair",
                "other-eigenvalues",
                "spectral-gap",
                "total",
                "update",
                "largest",
                "not-zero",
                "inside",
            ),
            Textbook(KATO),
            r"$\tilde\lambda_1$ is analytic in the disc $|z|\,\|B\|<\mathrm{gap}/2$ and stays within"
            r" $\mathrm{gap}/2$ of $\lambda_1$.",
        ),
        Step(
            "radius",
            below(0, _radius),
            ("spectral-gap", "not-zero"),
            Entails(degree=1),
            r"The radius of the disc is positive.",
        ),
        Step("half", at_most(0, s.gap / 2), ("spectral-gap",), Entails(degree=1), r"So is the bound in it."),
        Step(
            "cauchy",
            at_most(sp.Abs(_c) * sp.Abs(eps) ** _index, s.gap / 2 * (sp.Abs(eps) / _radius) ** _index),
            ("analytic", "radius", "half"),
            Textbook(CAUCHY, {radius: _radius, largest: s.gap / 2, point: eps}),
            r"Cauchy's estimate of each coefficient.",
        ),
        Step(
            "q",
            equal(_q, claims.RADIUS_SHARE.expr),
            (),
            Definition(),
            r"The share of the radius.",
        ),
        Step(
            "term",
            at_most(sp.Abs(_c) * sp.Abs(eps) ** _index, s.gap / 2 * _q**_index),
            ("cauchy", "q", "norm"),
            Entails(degree=1),
            r"In terms of $q$.",
        ),
        Step(
            "terms",
            at_most(_tail(sp.Abs(_c) * sp.Abs(eps) ** _index), _tail(s.gap / 2 * _q**_index)),
            ("term",),
            Termwise(),
            r"All terms beyond order $k$.",
        ),
        Step(
            "share",
            below(_q, 1),
            ("q", "norm", "inside", "spectral-gap"),
            Entails(degree=1),
            r"$q<1$ inside the disc.",
        ),
        Step(
            "geometric",
            equal(_tail(s.gap / 2 * _q**_index), claims.EXPANSION_ERROR.expr),
            ("share",),
            Geometric(_q),
            r"A geometric series.",
        ),
        Step(
            "remainder",
            at_most(_ERROR, _tail(sp.Abs(_c) * sp.Abs(eps) ** _index)),
            ("analytic",),
            Textbook(ABSOLUTE, {function: s.perturbed_lambda_1, constant: s.lambda_1, point: eps}),
            r"The error after order $k$ is at most the sum of the moduli beyond it.",
        ),
        Step(
            "bound",
            at_most(_ERROR, claims.EXPANSION_ERROR.expr),
            ("remainder", "terms", "geometric", "share"),
            Entails(degree=2),
            r"Put together.",
        ),
    ),
    remark=(
        "The coefficients themselves, of the eigenvalue and of the vector, to all orders and for non-symmetric B as "
        "well, are the lemmas perturbation-recursion, -first-order and -second-order; the radius for two levels is "
        "two-level-radius, and the order at which a enters two-level-orders. For B = 0 there is nothing to show. The "
        "bound for the eigenvector (q < 1/2) is not derived. A symmetric update serves to say which eigenvalue is the "
        "leading one; the disc does not need it. "
        r"Analyticity in the disc and the bound $\mathrm{gap}/2$ there are cited; that the coefficients are "
        r"those of the recursion is the uniqueness of the series."
    ),
)
LEMMAS: tuple[Derivation, ...] = (RADIUS, ORDERS)
DERIVATIONS: tuple[Derivation, ...] = (EXPANSION,)
