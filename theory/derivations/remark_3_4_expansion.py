"""Remark 3.4: the perturbation series to any order, its error, its radius, and the order at which a enters."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations.model import EIGENPAIR, V, u1
from theory.derivations.remark_3_4_model import SYMMETRIC, total, update
from theory.kernel.notation import Dot, LimitOf, Norm, at_most, below, both, equal, family, matrix, scalar, vector
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Definition, Entails, Identity, PowerSeries, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.coefficients import Analytic, Coefficients, Ends, Geometric
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Derivation, Step

eps = scalar("r34_eps", r"\varepsilon")
direction = matrix("r34_B", "B")
i = scalar("r34_i", "i", integer=True, nonnegative=True)
n = scalar("r34_n", "n", integer=True, positive=True)
row = scalar("r34_row", "m", integer=True)
column = scalar("r34_col", "l", integer=True)
value = family("r34_value", r"\lambda^{\!\bullet}")
entry = family("r34_entry", r"x^{\!\bullet}")
coupling = family("r34_coupling", "B")
level = family("r34_level", r"\lambda")


def series(term: Any) -> Any:
    """The power series in ε with the given term."""
    return sp.Sum(eps**i * term, (i, 0, sp.oo))


def over_all(term: Any) -> Any:
    """The sum over all directions, u1 among them."""
    return sp.Sum(term, (column, 1, d))


_image = coupling[row, column] * entry[n - 1, column]
_image_1 = coupling[1, column] * entry[n - 1, column]
_known = sp.Sum(value[i] * entry[n - i, row], (i, 1, n - 1))
RECURSION_VALUE = equal(value[n], over_all(_image_1))
RECURSION_ENTRY = equal(entry[n, row], (over_all(_image) - _known) / (level[1] - level[row]))
_EIGEN = {
    "row": equal(
        level[row] * series(entry[i, row]) + eps * over_all(coupling[row, column] * series(entry[i, column])),
        series(value[i]) * series(entry[i, row]),
    ),
    "row-1": equal(level[1] + eps * over_all(coupling[1, column] * series(entry[i, column])), series(value[i])),
    "start": both(equal(value[0], level[1]), equal(entry[0, row], 0)),
    "apart": sp.Ne(level[1], level[row], evaluate=False),
}
"""``(diag(levels) + ε B) x = λ x`` row by row, all in power series; the first entry of x is 1; rows m >= 2."""

RECURSION = Derivation(
    claim="lemma/perturbation-recursion",
    title="The coefficients of the perturbation series, one from the other (Rayleigh-Schrödinger)",
    states=both(RECURSION_VALUE, RECURSION_ENTRY),
    setting=_EIGEN,
    steps=(
        Step(
            "coefficient-1",
            equal(over_all(_image_1), value[n]),
            ("row-1",),
            Coefficients(eps, n),
            r"The coefficient of $\varepsilon^n$, $n\ge1$, in the first row.",
        ),
        Step("value", RECURSION_VALUE, ("coefficient-1",), Identity(), r"The coefficient of the eigenvalue."),
        Step(
            "coefficient",
            equal(
                level[row] * entry[n, row] + over_all(_image),
                sp.Sum(value[i] * entry[n - i, row], (i, 0, n)),
            ),
            ("row",),
            Coefficients(eps, n),
            r"The coefficient of $\varepsilon^n$ in another row, with Cauchy's product on the right.",
        ),
        Step(
            "ends",
            equal(
                sp.Sum(value[i] * entry[n - i, row], (i, 0, n)),
                value[0] * entry[n, row] + _known + value[n] * entry[0, row],
            ),
            (),
            Ends(first=True, last=True),
            r"The first and the last term of that product.",
        ),
        Step(
            "entry",
            RECURSION_ENTRY,
            ("coefficient", "ends", "start", "apart"),
            Identity(),
            r"Solved for what is new; it takes $\lambda_m\ne\lambda_1$.",
        ),
        Step(
            "both",
            both(RECURSION_VALUE, RECURSION_ENTRY),
            ("value", "entry"),
            Together(),
            r"One after the other they give all orders.",
        ),
    ),
    remark=(
        "B need not be symmetric: for a diagonalisable V it is the update in the eigenbasis of V (theory.expansion "
        "computes both). The exceptional set is λ_m = λ_1 for some m >= 2."
    ),
)


def across(term: Any, index: Any = column) -> Any:
    """The sum over the directions across u1."""
    return sp.Sum(term, (index, 2, d))


FIRST_ORDER = Derivation(
    claim="lemma/perturbation-first-order",
    title="The first-order vector",
    states=equal(entry[1, row], coupling[row, 1] / (level[1] - level[row])),
    setting={
        "row": _EIGEN["row"],
        "start": both(equal(value[0], level[1]), equal(entry[0, 1], 1)),
        "start-across": equal(entry[0, column], 0),
        "start-row": equal(entry[0, row], 0),
        "apart": _EIGEN["apart"],
    },
    steps=(
        Step(
            "coefficient",
            equal(
                level[row] * entry[1, row] + over_all(coupling[row, column] * entry[0, column]),
                sp.Sum(value[i] * entry[1 - i, row], (i, 0, 1)),
            ),
            ("row",),
            Coefficients(eps, sp.Integer(1)),
            r"The coefficient of $\varepsilon$.",
        ),
        Step(
            "product",
            equal(
                sp.Sum(value[i] * entry[1 - i, row], (i, 0, 1)),
                value[0] * entry[1, row] + value[1] * entry[0, row],
            ),
            (),
            Ends(first=True, last=True),
            r"Both terms of the product.",
        ),
        Step(
            "u1-taken-off",
            equal(
                over_all(coupling[row, column] * entry[0, column]),
                coupling[row, 1] * entry[0, 1] + across(coupling[row, column] * entry[0, column]),
            ),
            (),
            Ends(),
            r"The direction of $u_1$ taken off.",
        ),
        Step(
            "nothing-across",
            equal(coupling[row, column] * entry[0, column], 0),
            ("start-across",),
            Identity(),
            r"$u_1$ has no other entry.",
        ),
        Step(
            "sum-across",
            equal(across(coupling[row, column] * entry[0, column]), 0),
            ("nothing-across",),
            Termwise(),
            r"Nor has the sum.",
        ),
        Step(
            "entry",
            equal(entry[1, row], coupling[row, 1] / (level[1] - level[row])),
            ("coefficient", "product", "u1-taken-off", "sum-across", "start", "start-row", "apart"),
            Identity(),
            r"Solved.",
        ),
    ),
)
_product = coupling[1, row] * entry[1, row]
_second = coupling[1, row] * coupling[row, 1] / (level[1] - level[row])

SECOND_ORDER = Derivation(
    claim="lemma/perturbation-second-order",
    title="The eigenvalue to second order",
    states=equal(value[2], across(_second, row)),
    setting={
        "row-1": equal(
            level[1] + eps * sp.Sum(coupling[1, row] * series(entry[i, row]), (row, 1, d)), series(value[i])
        ),
        "first-order": equal(entry[1, row], coupling[row, 1] / (level[1] - level[row])),
        "normalised": equal(entry[1, 1], 0),
        "apart": _EIGEN["apart"],
    },
    steps=(
        Step(
            "coefficient",
            equal(sp.Sum(_product, (row, 1, d)), value[2]),
            ("row-1",),
            Coefficients(eps, sp.Integer(2)),
            r"The coefficient of $\varepsilon^2$ in the first row.",
        ),
        Step(
            "u1-taken-off",
            equal(sp.Sum(_product, (row, 1, d)), coupling[1, 1] * entry[1, 1] + across(_product, row)),
            (),
            Ends(),
            r"The direction of $u_1$ taken off.",
        ),
        Step(
            "term",
            equal(_product, _second),
            ("first-order", "apart"),
            Identity(),
            r"The first-order vector put in.",
        ),
        Step("terms", equal(across(_product, row), across(_second, row)), ("term",), Termwise(), r"In all directions."),
        Step(
            "value",
            equal(value[2], across(_second, row)),
            ("coefficient", "u1-taken-off", "terms", "normalised"),
            Identity(),
            r"The second-order coefficient; for symmetric B the products are squares.",
        ),
    ),
)

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
LEMMAS: tuple[Derivation, ...] = (RECURSION, FIRST_ORDER, SECOND_ORDER, RADIUS, ORDERS)
DERIVATIONS: tuple[Derivation, ...] = (EXPANSION,)
