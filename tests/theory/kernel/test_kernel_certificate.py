"""Certificates are exact: the identity is expanded again here, and false inequalities have none."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
import sympy as sp
from kernel_tools import a, b, c

from theory.kernel import certificate
from theory.kernel.certificate import certify, refute_with_z3
from theory.kernel.signs import Fact
from theory.kernel.step import Rejected

TRUE = [
    (Fact(a + b), [Fact(a), Fact(b)], [], 1, ()),
    (Fact(a * b), [Fact(a), Fact(b)], [], 2, ()),
    (Fact(a * b, strict=True), [Fact(a, strict=True), Fact(b, strict=True)], [], 3, ()),
    (Fact(a**2 - 2 * a * b + b**2), [], [], 1, (a - b,)),
    (Fact(1 - c), [Fact(1 - a)], [a - c], 1, ()),
    (Fact(a - b), [Fact(a), Fact(b), Fact(a**2 - b**2, strict=True)], [], 2, ()),
    (Fact(1 - a), [], [a**2 + b**2 - 1], 2, (b, a - 1)),
]
FALSE = [
    (Fact(a - b), [Fact(a), Fact(b)], [], 2, ()),
    (Fact(a, strict=True), [Fact(a)], [], 2, ()),
    (Fact(a * b, strict=True), [Fact(a), Fact(b, strict=True)], [], 3, ()),
    (Fact(a * b - sp.Rational(1, 10**9)), [Fact(a), Fact(b)], [], 3, ()),
    (Fact(1 - a - sp.Rational(1, 10**12)), [Fact(1 - a)], [], 2, ()),
    (Fact(a), [], [a**2 - 1], 3, ()),
    (Fact(a**2, strict=True), [], [], 2, (a,)),
    (Fact(sp.Integer(-1)), [], [], 1, ()),
    (Fact(sp.Integer(0), strict=True), [Fact(a)], [], 2, ()),
]


@pytest.mark.parametrize(("target", "facts", "equalities", "degree", "squares"), TRUE)
def test_true_inequalities_have_certificates_and_z3_agrees(target, facts, equalities, degree, squares) -> None:
    found = certify(target, facts, equalities, degree, squares)
    assert found.terms >= 1
    assert found.degree <= degree
    refute_with_z3(target, found.facts, found.equalities)


@pytest.mark.parametrize(("target", "facts", "equalities", "degree", "squares"), FALSE)
def test_false_inequalities_have_none_and_z3_finds_a_counterexample(target, facts, equalities, degree, squares) -> None:
    with pytest.raises(Rejected, match="no certificate"):
        certify(target, facts, equalities, degree, squares)
    with pytest.raises(Rejected, match="z3 says sat"):
        refute_with_z3(target, facts, equalities)


@pytest.mark.parametrize(("target", "facts", "equalities", "degree", "squares"), TRUE)
def test_the_identity_vanishes_when_expanded_by_sympy(target, facts, equalities, degree, squares, monkeypatch) -> None:
    seen: list[tuple[list, int, np.ndarray, list]] = []
    original = certificate._solve

    def spy(columns, nonnegative, strict):
        values = original(columns, nonnegative, strict)
        if values is not None:
            seen.append((columns, nonnegative, strict, values))
        return values

    monkeypatch.setattr(certificate, "_solve", spy)
    certify(target, facts, equalities, degree, squares)
    columns, nonnegative, strict, values = seen[-1]
    exact = [sp.Rational(int(v.numerator), int(v.denominator)) for v in values]
    assert sp.expand(sum(v * column.as_expr() for v, column in zip(exact, columns, strict=True))) == 0
    assert all(v >= 0 for v in exact[:nonnegative])
    assert any(v > 0 and strict[k] for k, v in enumerate(exact[:nonnegative]))
    # every column is a product of what is known, or a multiple of an equation
    base = [-target.expr, *(f.expr for f in facts), *(q**2 for q in squares)]
    products = {sp.Integer(1)} | {
        sp.expand(sp.Mul(*chosen))
        for size in range(1, degree + 1)
        for chosen in combinations_with_replacement(base, size)
    }
    for v, column in zip(exact[:nonnegative], columns[:nonnegative], strict=True):
        assert v == 0 or sp.expand(column.as_expr()) in products
    for v, column in zip(exact[nonnegative:], columns[nonnegative:], strict=True):
        assert v == 0 or any(sp.rem(column.as_expr(), e) == 0 for e in equalities)


def test_a_wrong_solution_of_the_search_is_not_taken(monkeypatch) -> None:
    def wrong(columns, nonnegative, strict):
        return [certificate.QQ(1)] * len(columns)

    monkeypatch.setattr(certificate, "_solve", wrong)
    with pytest.raises(Rejected):
        certify(Fact(a - b), [Fact(a)], [], 2)


def test_what_is_no_polynomial_is_rejected() -> None:
    with pytest.raises(Rejected):
        certify(Fact(sp.sqrt(a)), [Fact(a)], [], 2)
    many = [Fact(sp.Symbol(f"kt_s{k}", real=True) + a) for k in range(120)]
    with pytest.raises(Rejected, match="products"):
        certify(Fact(a), many, [], 2)
