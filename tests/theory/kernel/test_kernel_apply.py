"""Instances of theorems: hypotheses, signs of what is put in, bound variables, and theorems that rest on themselves."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from kernel_tools import A, Granted, a, b, c, g, holds, n, p, q, u, why_not, x, y

from theory.kernel.check import StepResult, check_step
from theory.kernel.notation import Dot, Expect, LimitOf, Norm, at_most, below, equal, family, scalar, vector
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Apply, Definition, Differentiate, Entails, Identity, Textbook, Wick
from theory.kernel.rules.apply import Theorem
from theory.kernel.step import Derivation, Step

j, k = sp.Symbol("j", integer=True), sp.Symbol("k", integer=True)
alpha, beta = family("kt_alpha", "alpha"), family("kt_beta", "beta")
MONOTONE = Theorem("monotone", at_most(a * p, b * p), None, (at_most(a, b),))


def textbook(theorem: Theorem, **at: Any) -> Textbook:
    names = {"a": a, "b": b, "p": p, "n": n, "x": x, "A": A, "alpha": alpha, "j": j, "d": d}
    return Textbook(theorem, {names[name]: value for name, value in at.items()})


def test_hypotheses_must_be_premises() -> None:
    assert holds(textbook(MONOTONE), at_most(a * p, b * p), at_most(a, b))
    assert holds(textbook(MONOTONE, a=c, p=q), at_most(c * q, b * q), at_most(c, b))
    assert why_not(textbook(MONOTONE), at_most(a * p, b * p))
    assert why_not(textbook(MONOTONE), at_most(a * p, b * p), at_most(b, a))
    assert why_not(textbook(MONOTONE, a=c), at_most(a * p, b * p), at_most(a, b))
    assert why_not(textbook(MONOTONE), at_most(a * p, b * p), at_most(a, b), at_most(a, c))
    assert why_not(textbook(MONOTONE), at_most(b * p, a * p), at_most(a, b))


def test_replacements_are_simultaneous() -> None:
    assert holds(textbook(MONOTONE, a=b, b=a), at_most(b * p, a * p), at_most(b, a))
    assert not holds(textbook(MONOTONE, a=b, b=a), at_most(a * p, a * p), at_most(b, a))


def test_what_replaces_a_positive_symbol_must_be_positive() -> None:
    says = at_most(a * c, b * c)
    assert "may not be" in why_not(textbook(MONOTONE, p=c), says, at_most(a, b))
    assert holds(textbook(MONOTONE, p=c), says, at_most(a, b), below(0, c))
    assert why_not(textbook(MONOTONE, p=c), says, at_most(a, b), at_most(0, c))
    assert holds(textbook(MONOTONE, p=c), says, at_most(a, b), below(1, c + 1))
    assert why_not(textbook(MONOTONE, p=n), at_most(a * n, b * n), at_most(a, b))
    assert holds(textbook(MONOTONE, p=q + c**2), at_most(a * (q + c**2), b * (q + c**2)), at_most(a, b))
    assert why_not(textbook(MONOTONE, p=sp.Integer(-1)), at_most(-a, -b), at_most(a, b))
    weak = Theorem("weak", at_most(a * n, b * n), None, (at_most(a, b),))
    assert holds(textbook(weak, n=Norm(x)), at_most(a * Norm(x), b * Norm(x)), at_most(a, b))
    assert why_not(textbook(weak, n=Dot(x, y)), at_most(a * Dot(x, y), b * Dot(x, y)), at_most(a, b))


def test_sorts() -> None:
    norm = Theorem("norm", at_most(Norm(A * x), Norm(A) * Norm(x)), None)
    assert holds(textbook(norm, x=y + u), at_most(Norm(A * (y + u)), Norm(A) * Norm(y + u)))
    assert why_not(textbook(norm, x=A), at_most(Norm(A * A), Norm(A) * Norm(A)))
    assert why_not(textbook(norm, x=a), at_most(Norm(a * A), Norm(A) * a))
    assert why_not(textbook(Theorem("d", at_most(1, d), None), d=sp.Rational(1, 2)), at_most(1, sp.Rational(1, 2)))
    odd = Textbook(MONOTONE, {a + b: c})
    assert why_not(odd, at_most(a * p, b * p), at_most(a, b))


def test_bound_variables_are_not_captured() -> None:
    total = Theorem("sum", equal(sp.Sum(a * alpha[j], (j, 2, d)), a * sp.Sum(alpha[j], (j, 2, d))), None)
    other = equal(sp.Sum(alpha[j] ** 2, (j, 2, d)), alpha[j] * sp.Sum(alpha[j], (j, 2, d)))
    assert "bound" in why_not(textbook(total, a=alpha[j]), other)
    assert holds(
        textbook(total, a=alpha[k]),
        equal(sp.Sum(alpha[k] * alpha[j], (j, 2, d)), alpha[k] * sp.Sum(alpha[j], (j, 2, d))),
    )
    assert why_not(textbook(total, j=sp.Integer(2)), equal(a * alpha[2], a * alpha[2]))
    limit = Theorem("limit", equal(LimitOf(a, p), a), None)
    assert "bound" in why_not(textbook(limit, a=p), equal(LimitOf(p, p), p))
    assert "bound" in why_not(textbook(limit, p=2 * q), equal(LimitOf(a, 2 * q), a))
    integral = Theorem("integral", equal(sp.Integral(a, (p, 0, 1)), a), None)
    assert "bound" in why_not(textbook(integral, a=p), equal(sp.Integral(p, (p, 0, 1)), p))


def test_families_are_replaced_as_a_whole() -> None:
    two = Theorem("two", at_most(alpha[2], alpha[j]), None)
    assert "family" in why_not(Textbook(two, {alpha[j]: a}), at_most(alpha[2], a))
    assert holds(textbook(two, alpha=beta), at_most(beta[2], beta[j]))


def lemma(*steps: Step, name: str = "lemma", **given: sp.Basic) -> Derivation:
    return Derivation(name, steps, setting=given, states=steps[-1].says)


def applied(rule: Apply, says: sp.Basic, *others: Derivation, premises: tuple[sp.Basic, ...] = ()) -> StepResult:
    before = tuple(Step(f"premise {i}", premise, (), Granted(), "") for i, premise in enumerate(premises))
    step = Step("step", says, tuple(s.id for s in before), rule, "")
    mine = Derivation("mine", (*before, step))
    return check_step(mine, len(before), {"mine": mine, **{other.claim: other for other in others}})


def test_all_that_a_theorem_rests_on_is_a_hypothesis() -> None:
    square = lemma(
        Step("name", equal(b, a + 1), (), Definition(), ""),
        Step("bound", at_most(0, b), ("name", "sign"), Entails(), ""),
        sign=at_most(0, a),
    )
    assert applied(Apply("lemma"), at_most(0, b), square, premises=(at_most(0, a), equal(b, a + 1))).ok
    assert not applied(Apply("lemma"), at_most(0, b), square, premises=(at_most(0, a),)).ok
    assert not applied(Apply("lemma"), at_most(0, b), square, premises=(equal(b, a + 1),)).ok
    assert not applied(Apply("lemma", {b: c}), at_most(0, c), square, premises=(at_most(0, a), equal(b, a + 1))).ok
    assert not applied(Apply("lemma", {a: sp.Integer(-5)}), at_most(0, b), square).ok


def test_a_definition_is_no_theorem() -> None:
    named = lemma(
        Step("name", equal(b, a + 1), (), Definition(), ""), Step("last", equal(b - a, 1), ("name",), Identity(), "")
    )
    assert "name" in applied(Apply("lemma#name"), equal(b, a + 1), named).error
    assert not applied(Apply("lemma#name", {b: c}), equal(c, a + 1), named).ok


def test_unknown_theorems() -> None:
    assert applied(Apply("nothing"), at_most(0, a)).error
    known = lemma(Step("last", equal(a, a + 0), (), Identity(), ""))
    assert applied(Apply("lemma#nothing"), at_most(0, a), known).error


@pytest.mark.parametrize("name", ["mine", "mine#step", "circle"])
def test_a_derivation_does_not_rest_on_itself(name: str) -> None:
    circle = lemma(Step("last", at_most(0, a), (), Apply("mine"), ""), name="circle")
    assert "itself" in applied(Apply(name), at_most(0, a), circle).error


def test_random_vectors_of_a_theorem_stay_random() -> None:
    from theory.kernel.check import check

    moment = lemma(Step("last", equal(Expect(Dot(g, g)), d), (), Wick({g: sp.Integer(1)}), ""))

    def faults(says: sp.Basic, at: dict[Any, Any], *more: Step) -> tuple[str, ...]:
        step = Step("step", says, (), Apply("lemma", at), "")
        mine = Derivation("mine", (*more, step), states=says)
        return check(mine, None, {"mine": mine, "lemma": moment}).broken

    assert not faults(equal(Expect(Dot(g, g)), d), {})
    assert faults(equal(Expect(Dot(x, x)), d), {g: x})
    other = Step("other", equal(Expect(Dot(g, g)), 2 * d), (), Wick({g: sp.Integer(2)}), "")
    assert any("variance" in fault for fault in faults(equal(Expect(Dot(g, g)), d), {}, other))


def test_rates_of_a_theorem_stay_rates() -> None:
    from theory.kernel.check import check

    a_rate, c_rate, x_rate = scalar("kt_a_rate", "a'"), scalar("kt_c_rate", "c'"), vector("kt_x_rate", "x'")
    height = lemma(
        Step("name", equal(a, Dot(x, u)), (), Definition(), ""),
        Step("last", equal(a_rate, Dot(x_rate, u)), ("name",), Differentiate({a: a_rate, x: x_rate}), ""),
    )

    def faults(at: dict[Any, Any]) -> tuple[str, ...]:
        says = equal(a_rate, Dot(x_rate, u)).xreplace(at)
        name = Step("name", equal(c, Dot(x, u)), (), Definition(), "")
        mine_rate = Step("rate", equal(c_rate, Dot(x_rate, u)), ("name",), Differentiate({c: c_rate, x: x_rate}), "")
        step = Step("step", says, (), Apply("lemma", at), "")
        mine = Derivation("mine", (name, mine_rate, step), states=says)
        found = check(mine, None, {"mine": mine, "lemma": height}).broken
        return tuple(fault for fault in found if "rate of" in fault)

    assert not faults({a: c, a_rate: c_rate})
    assert faults({a: c, a_rate: sp.Integer(7)})
    assert faults({x_rate: u})
