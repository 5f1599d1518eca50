"""Power series with a general index: coefficients, tails, ends."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import a, b, holds, q, why_not

from theory.kernel.notation import at_most, below, equal, family
from theory.kernel.rules.coefficients import Coefficients, Ends, Geometric, OnlyTerm

i, j = (sp.Symbol(f"kt_{n}", integer=True, nonnegative=True) for n in "ij")
n = sp.Symbol("kt_degree", integer=True, positive=True)
x = sp.Symbol("kt_x", real=True)
f, g, h = (family(f"kt_c{k}", k) for k in "fgh")
oo = sp.oo


def series(term: object) -> Any:
    return sp.Sum(x**i * term, (i, 0, oo))


RULE = Coefficients(x, n)
PRODUCT = equal(series(f[i]) * series(g[i]), series(h[i]))
CAUCHY = equal(sp.Sum(f[i] * g[n - i], (i, 0, n)), h[n])


def test_coefficients() -> None:
    assert holds(RULE, equal(f[n], 2 * g[n]), equal(series(f[i]), 2 * series(g[i])))
    assert holds(RULE, CAUCHY, PRODUCT)
    assert holds(RULE, equal(f[n - 1], g[n]), equal(x * series(f[i]), series(g[i])))
    assert holds(RULE, equal(f[n], 0), equal(series(f[i]), a))


@pytest.mark.parametrize(
    ("says", "premise"),
    [
        (equal(f[n], g[n]), equal(series(f[i]), 2 * series(g[i]))),
        (equal(f[n], -2 * g[n]), equal(series(f[i]), 2 * series(g[i]))),
        (equal(f[n], 2 * g[n + 1]), equal(series(f[i]), 2 * series(g[i]))),
        (equal(f[n], g[n]), equal(x * series(f[i]), series(g[i]))),
        (equal(f[n - 2], g[n]), equal(x * series(f[i]), series(g[i]))),
        (equal(f[n], a), equal(series(f[i]), a)),
        (equal(f[n] * g[n], h[n]), PRODUCT),
        (equal(sp.Sum(f[i] * g[n - i], (i, 1, n)), h[n]), PRODUCT),
        (equal(sp.Sum(f[i] * g[n - i], (i, 0, n - 1)), h[n]), PRODUCT),
        (equal(sp.Sum(f[i] * g[i], (i, 0, n)), h[n]), PRODUCT),
        (equal(f[n], g[n]), equal(series(f[i]) ** 2, series(g[i]) ** 2)),
        (equal(f[n], g[n]), equal(sp.Sum(x**i * f[i], (i, 1, oo)), series(g[i]))),
        (equal(f[n], x * g[n]), equal(series(f[i]), x * series(g[i]))),
        (at_most(f[n], g[n]), at_most(series(f[i]), series(g[i]))),
        (equal(f[n], g[n]), equal(series(f[i]) / x, series(g[i]) / x)),
    ],
)
def test_no_other_coefficients(says: sp.Basic, premise: sp.Basic) -> None:
    assert why_not(RULE, says, premise)


def test_what_changes_with_the_variable_is_no_coefficient() -> None:
    says, premise = equal(f[n], a * g[n]), equal(series(f[i]), a * series(g[i]))
    assert holds(RULE, says, premise)
    assert "may change" in why_not(RULE, says, premise, given=[equal(a, x**2)])
    assert why_not(Coefficients(x, n - 2), equal(f[n - 2], g[n - 2]), equal(series(f[i]), series(g[i])))
    assert why_not(Coefficients(x, i), equal(f[i], g[i]), equal(series(f[i]), series(g[i])))


TAIL = sp.Sum(a * q**i, (i, n + 1, oo))
SMALL = below(q, 1)


def test_geometric_tails() -> None:
    assert holds(Geometric(q), equal(TAIL, a * q ** (n + 1) / (1 - q)), SMALL)
    assert holds(Geometric(sp.Rational(1, 2)), equal(sp.Sum(sp.Rational(1, 2) ** i, (i, 0, oo)), 2))


@pytest.mark.parametrize(
    ("ratio", "says", "premises"),
    [
        (q, equal(TAIL, a * q ** (n + 1) / (1 - q)), []),
        (q, equal(TAIL, a * q**n / (1 - q)), [SMALL]),
        (q, equal(TAIL, a * q ** (n + 1) / (1 + q)), [SMALL]),
        (q, equal(TAIL, a * q ** (n + 1)), [SMALL]),
        (q, equal(TAIL, 2 * a * q ** (n + 1) / (1 - q)), [SMALL]),
        (q, equal(TAIL, -a * q ** (n + 1) / (1 - q)), [SMALL]),
        (q**2, equal(TAIL, a * q ** (n + 1) / (1 - q**2)), [SMALL]),
        (b, equal(sp.Sum(b**i, (i, 0, oo)), 1 / (1 - b)), [below(b, 1)]),
        (q, equal(sp.Sum(i * q**i, (i, 1, oo)), q / (1 - q)), [SMALL]),
        (q, equal(sp.Sum(q**i, (i, 0, n)), 1 / (1 - q)), [SMALL]),
        (q, equal(TAIL, a * q**i / (1 - q)), [SMALL]),
        (q, equal(TAIL, a * q ** (n + 1) / (1 - q)), [at_most(q, 1)]),
        (q, at_most(TAIL, a * q ** (n + 1) / (1 - q)), [SMALL]),
    ],
)
def test_no_other_tails(ratio: sp.Expr, says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(Geometric(ratio), says, *premises)


WHOLE = sp.Sum(f[i] * a**i, (i, 0, n))


def test_ends_of_sums() -> None:
    assert holds(Ends(), equal(WHOLE, f[0] + sp.Sum(f[i] * a**i, (i, 1, n))))
    assert holds(Ends(first=False, last=True), equal(WHOLE, f[n] * a**n + sp.Sum(f[i] * a**i, (i, 0, n - 1))))
    both_ends = equal(WHOLE, f[0] + f[n] * a**n + sp.Sum(f[i] * a**i, (i, 1, n - 1)))
    assert holds(Ends(last=True), both_ends)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Ends(), equal(WHOLE, sp.Sum(f[i] * a**i, (i, 1, n)))),
        (Ends(), equal(WHOLE, f[1] * a + sp.Sum(f[i] * a**i, (i, 1, n)))),
        (Ends(), equal(WHOLE, f[0] + sp.Sum(f[i] * a**i, (i, 2, n)))),
        (Ends(), equal(WHOLE, f[0] + sp.Sum(f[i] * a**i, (i, 0, n)))),
        (Ends(), equal(WHOLE, -f[0] + sp.Sum(f[i] * a**i, (i, 1, n)))),
        (Ends(), equal(WHOLE, f[n] * a**n + sp.Sum(f[i] * a**i, (i, 0, n - 1)))),
        (Ends(last=True), equal(WHOLE, f[0] + sp.Sum(f[i] * a**i, (i, 1, n)))),
        (Ends(), equal(sp.Sum(f[i], (i, 3, n)), f[3] + sp.Sum(f[i], (i, 4, n)))),
        (Ends(first=False), equal(WHOLE, WHOLE)),
        (Ends(), at_most(WHOLE, f[0] + sp.Sum(f[i] * a**i, (i, 1, n)))),
        (Ends(), equal(sp.Sum(sp.Sum(f[i], (i, 0, n)), (i, 0, n)), a)),
    ],
)
def test_no_other_ends(rule: Ends, says: sp.Basic) -> None:
    assert why_not(rule, says)


def test_only_term() -> None:
    assert holds(OnlyTerm(), equal(sp.Sum(f[i] ** 2, (i, 2, 2)), f[2] ** 2))
    assert holds(OnlyTerm(), equal(sp.Sum(f[i], (i, 2, n)), f[2]), equal(n, 2))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(sp.Sum(f[i], (i, 2, n)), f[2]), []),
        (equal(sp.Sum(f[i], (i, 2, n)), f[2]), [equal(n, 3)]),
        (equal(sp.Sum(f[i], (i, 2, n)), f[3]), [equal(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, n)), 2 * f[2]), [equal(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, n)), -f[2]), [equal(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, n)), f[2] ** 2), [equal(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, n)), g[2]), [equal(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, n)), f[2]), [at_most(n, 2)]),
        (equal(sp.Sum(f[i], (i, 2, 3)), f[2]), []),
        (at_most(sp.Sum(f[i], (i, 2, 2)), f[2]), []),
    ],
)
def test_no_more_terms(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(OnlyTerm(), says, *premises)
