"""Remark 3.4: the perturbation series to any order, its error, its radius, and the order at which a enters."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import EIGENPAIR, V, u1
from theory.derivations.remark_3_4_model import SYMMETRIC, leading, total, update
from theory.kernel.notation import Dot, LimitOf, Norm, at_most, below, both, equal, family, matrix, scalar, vector
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Apply, Definition, Entails, Identity, PowerSeries, Termwise, Textbook
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.apply import Theorem
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

_others = lambda term: sp.Sum(term, (column, 2, d))  # noqa: E731
_second = coupling[1, column] * coupling[column, 1] / (level[1] - level[column])

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
                value[0] * entry[1, row] + value[1] * entry[0, row] + sp.Sum(value[i] * entry[1 - i, row], (i, 1, 0)),
            ),
            (),
            Ends(first=True, last=True),
            r"Both terms of the product.",
        ),
        Step(
            "u1-taken-off",
            equal(
                over_all(coupling[row, column] * entry[0, column]),
                coupling[row, 1] * entry[0, 1] + _others(coupling[row, column] * entry[0, column]),
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
            equal(_others(coupling[row, column] * entry[0, column]), 0),
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
LEMMAS: tuple[Derivation, ...] = (RECURSION, FIRST_ORDER)
DERIVATIONS: tuple[Derivation, ...] = ()
