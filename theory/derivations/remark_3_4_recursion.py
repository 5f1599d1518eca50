"""Remark 3.4: the coefficients of the perturbation series, order by order."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.kernel.notation import both, equal, family, scalar
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Identity, Termwise
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.coefficients import Coefficients, Ends
from theory.kernel.step import Derivation, Step

eps = scalar("r34_eps", r"\varepsilon")
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

LEMMAS: tuple[Derivation, ...] = (RECURSION, FIRST_ORDER, SECOND_ORDER)
DERIVATIONS: tuple[Derivation, ...] = ()
