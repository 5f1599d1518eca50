"""New names: fresh, explicit, and for what exists."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, a, b, c, holds, n, p, q, r, why_not, x, y

from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, family
from theory.kernel.rules import Definition

j, k = sp.Symbol("j", integer=True), sp.Symbol("k", integer=True)
alpha, beta = family("kt_alpha", "alpha"), family("kt_beta", "beta")


def test_fresh_symbols() -> None:
    assert holds(Definition(), equal(a, b + 1))
    assert holds(Definition(), equal(x, A * y))
    assert holds(Definition(), equal(alpha[j], beta[j] ** 2))
    assert holds(Definition(), both(equal(a, b + 1), equal(c, a**2)))
    assert holds(Definition(), equal(a, sp.Sum(alpha[j], (j, 2, 5))))


@pytest.mark.parametrize(
    "earlier", [at_most(a, 0), equal(c, a), equal(Dot(x, y), a), at_most(sp.Sum(a * alpha[j], (j, 2, 3)), 1)]
)
def test_symbols_that_occur_are_not_fresh(earlier: sp.Basic) -> None:
    assert "already" in why_not(Definition(), equal(a, b + 1), given=[earlier])


def test_families_are_fresh_as_a_whole_and_names_are_those_of_readers() -> None:
    assert "already" in why_not(Definition(), equal(alpha[j], beta[j]), given=[at_most(0, alpha[2])])
    assert "already" in why_not(Definition(), equal(alpha[j], 1), given=[at_most(0, alpha[k])])
    same_name = sp.Symbol("kt_a", positive=True)
    assert "already" in why_not(Definition(), equal(same_name, 1), given=[at_most(a, 0)])
    named_as_a_matrix = sp.Symbol("kt_mA", real=True)
    assert "already" in why_not(Definition(), equal(named_as_a_matrix, 1), given=[at_most(Norm(A), 1)])


@pytest.mark.parametrize(
    "statement",
    [
        equal(a, a + 1),
        equal(a, 2 * a),
        both(equal(a, b), equal(b, a)),
        both(equal(a, 1), equal(a, 2)),
        equal(a**2, 1),
        equal(a + 0, sp.sqrt(a)),
        equal(sp.Integer(1), sp.Integer(2)),
        equal(Dot(x, y), 1),
        equal(A * x, y),
        at_most(a, b),
        sp.true,
        sp.Tuple(),
    ],
)
def test_what_defines_nothing(statement: sp.Basic) -> None:
    assert why_not(Definition(), statement)


def test_definitions_have_no_premises() -> None:
    assert why_not(Definition(), equal(a, b), at_most(b, c))


def test_values_must_exist() -> None:
    assert "zero" in why_not(Definition(), equal(a, 1 / b))
    assert holds(Definition(), equal(a, 1 / p))
    assert holds(Definition(), equal(a, 1 / b), given=[below(0, b)])
    assert holds(Definition(), equal(a, 1 / b), given=[sp.Ne(b, 0)])
    assert why_not(Definition(), equal(a, 1 / b), given=[at_most(0, b)])
    assert "zero" in why_not(Definition(), equal(a, 1 / Norm(x)))
    assert "negative" in why_not(Definition(), equal(a, sp.sqrt(b)))
    assert holds(Definition(), equal(a, sp.sqrt(n)))
    assert holds(Definition(), equal(a, sp.sqrt(b)), given=[at_most(0, b)])
    assert "positive" in why_not(Definition(), equal(a, sp.log(n)))
    assert holds(Definition(), equal(a, sp.log(p / q)))


def test_a_symbol_without_index_has_one_value() -> None:
    assert "index" in why_not(Definition(), equal(a, alpha[j]))
    assert "index" in why_not(Definition(), equal(beta[k], alpha[j]))
    assert holds(Definition(), equal(a, alpha[2]))


positive_family = family("kt_weights", "s", positive=True)


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (equal(p, q + r), []),
        (equal(p, q * sp.exp(a)), []),
        (equal(p, b), [below(0, b)]),
        (equal(p, 1 - b), [below(b, 1)]),
        (equal(p, q / (1 - b) ** 2), [below(b, 1)]),
        (equal(p, sp.Rational(1, 3)), []),
        (equal(n, a**2), []),
        (equal(n, Norm(x)), []),
        (equal(n, b), [at_most(0, b)]),
        (equal(n, sp.Integer(0)), []),
        (equal(positive_family[j], 1 + alpha[j] ** 2), []),
    ],
)
def test_a_positive_symbol_names_what_is_positive(statement: sp.Basic, given: list[sp.Basic]) -> None:
    assert holds(Definition(), statement, given=given)


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (equal(p, b), []),
        (equal(p, -q), []),
        (equal(p, q - r), []),
        (equal(p, b), [at_most(0, b)]),
        (equal(p, Norm(x)), []),
        (equal(p, a**2), []),
        (equal(p, sp.Integer(0)), []),
        (equal(p, 1 - b), [below(1, b)]),
        (equal(n, b), [below(b, 0)]),
        (equal(n, -1 - q), []),
        (equal(n, sp.Integral(a, (a, 0, 1))), []),
        (equal(n, sp.Integral(a, (a, -1, 0))), [below(0, a)]),
        (equal(positive_family[j], alpha[j]), []),
        (equal(sp.Symbol("kt_count", integer=True), sp.Rational(1, 2)), []),
        (equal(sp.Symbol("kt_less", negative=True), -1 - q), []),
        (equal(a, x), []),
        (equal(x, A), []),
    ],
)
def test_a_symbol_names_nothing_that_it_cannot_be(statement: sp.Basic, given: list[sp.Basic]) -> None:
    assert why_not(Definition(), statement, given=given)
