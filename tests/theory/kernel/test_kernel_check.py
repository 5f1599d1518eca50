"""Whole derivations: the chain from what is given to the formula, and what breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from kernel_tools import Granted, a, b, c, p, u, x

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula
from theory.kernel.check import Outcome, chain_faults, check, check_step, with_applied
from theory.kernel.notation import Dot, MeanOf, at_most, below, equal, scalar, vector
from theory.kernel.rules import Apply, Comparison, Definition, Differentiate, Entails, Envelope, Identity
from theory.kernel.step import Derivation, Step

FORMULA = Formula(name="kt_formula", expr=s.a + s.b_norm, lhs="y", source="a test")
CLAIM = Claim("kt/claim", "a test", "", "", ("psd",), (FORMULA,), "holds", required=1)
VALUE = scalar("kt_whole", "y")
GOOD = Derivation(
    "kt/claim",
    setting={"size": at_most(VALUE, s.a)},
    assumptions={"psd": at_most(0, s.a)},
    steps=(
        Step("double", at_most(VALUE, 2 * s.a), ("size", "psd"), Entails(), ""),
        Step("bound", at_most(2 * VALUE, 2 * FORMULA.expr + s.a), ("double", "size", "psd"), Entails(), ""),
        Step("last", at_most(VALUE, FORMULA.expr), ("size",), Entails(), ""),
    ),
)
GOOD = replace(GOOD, steps=(GOOD.steps[0], replace(GOOD.steps[2], premises=("size", "double"))))


def faults(derivation: Derivation, claim: Claim | None = CLAIM) -> str:
    return " | ".join(chain_faults(derivation, claim))


def with_steps(*steps: Step, **changes: Any) -> Derivation:
    return replace(GOOD, steps=steps, **changes)


def test_a_whole_derivation() -> None:
    found = check(GOOD, CLAIM, {GOOD.claim: GOOD})
    assert found.ok, found.first_failure
    assert found.modulo == ()


def test_a_false_step_is_the_first_failure() -> None:
    wrong = GOOD.with_statement("double", at_most(VALUE, s.a / 2))
    found = check(wrong, CLAIM, {})
    assert not found.ok
    assert found.first_failure is not None
    assert found.first_failure.startswith("step double")


def test_forward_references_and_unknown_premises() -> None:
    forward = with_steps(replace(GOOD.steps[0], premises=("size", "last")), GOOD.steps[1])
    assert "neither given nor an earlier step" in check_step(forward, 0, {}).error
    itself = with_steps(replace(GOOD.steps[0], premises=("double",)), GOOD.steps[1])
    assert "neither given nor an earlier step" in check_step(itself, 0, {}).error


def test_chain_faults() -> None:
    first, last = GOOD.steps
    assert faults(GOOD) == ""
    assert "two steps have the id" in faults(with_steps(first, first, last))
    assert "names a step and something given" in faults(with_steps(replace(first, id="size"), last))
    assert "is not used" in faults(with_steps(first, replace(last, premises=("size",))))
    assert "given and not used" in faults(replace(GOOD, setting={**GOOD.setting, "more": at_most(a, b)}))
    assert "declared and not used" in faults(
        replace(GOOD, assumptions={}, setting={**GOOD.setting, "psd2": at_most(0, s.a)})
    )
    assert "used and not declared" in faults(replace(GOOD, assumptions={**GOOD.assumptions, "post-ln": at_most(a, b)}))
    assert "does not state the formula" in faults(
        with_steps(first, replace(last, says=at_most(VALUE, s.a + 2 * s.b_norm)))
    )
    assert "shown by no step" in faults(replace(GOOD, meets={"psd": "nowhere"}))
    assert faults(with_steps()) == "it has no steps"


def test_lemmas_state_their_last_step() -> None:
    statement = GOOD.steps[-1].says
    assert faults(replace(GOOD, states=statement), None) == ""
    assert "statement of the lemma" in faults(replace(GOOD, states=at_most(a, b)), None)
    assert "statement of the lemma" in faults(GOOD, None)


def test_symbols_of_the_formulas_are_not_defined_away() -> None:
    first, last = GOOD.steps
    chosen = Step("choice", equal(s.b_norm, 0), (), Definition(), "")
    used = replace(last, premises=("size", "double", "choice"))
    assert "speaks of" in faults(with_steps(chosen, first, used))
    tied = replace(chosen, says=equal(s.b_norm, s.a**2))
    assert "speaks of" in faults(with_steps(tied, first, used))
    free = replace(chosen, says=equal(s.b_norm, sp.Abs(Dot(x, u))))
    assert faults(with_steps(free, first, used)) == ""


def test_two_symbols_of_one_name() -> None:
    other = sp.Symbol(VALUE.name, positive=True)
    assert "two symbols have the name" in faults(
        replace(GOOD, setting={"size": at_most(VALUE, s.a + 0 * a), "o": below(0, other)})
    )


@pytest.mark.parametrize(
    "odd", [sp.Tuple(), sp.true, sp.false, sp.Symbol("t"), sp.Tuple(sp.Tuple()), sp.Or(a > 0, b > 0)]
)
@pytest.mark.parametrize("rule", [Definition(), Entails(), Identity(), Differentiate({a: b}), Envelope({})])
def test_malformed_statements_are_rejected(odd: sp.Basic, rule: Any) -> None:
    assert check_step(Derivation("kt", (Step("only", odd, (), rule, ""),)), 0, {}).error


def test_whatever_a_rule_stumbles_over_is_a_rejection() -> None:
    class Broken(Granted):
        def check(self, says: Any, premises: Any, context: Any) -> str:
            raise KeyError("nothing here")

    assert "KeyError" in check_step(Derivation("kt", (Step("only", at_most(a, b), (), Broken(), ""),)), 0, {}).error


# ---- what is applied


def chained(first: sp.Basic) -> dict[str, Outcome]:
    """``top`` applies ``middle``, which applies ``lemma/first``, whose only step says ``first``."""
    statement = at_most(0, a**2)
    found = {
        "lemma/first": Derivation("lemma/first", (Step("one", first, (), Entails(squares=(a,)), ""),), states=first),
        "middle": Derivation("middle", (Step("use", first, (), Apply("lemma/first"), ""),), states=first),
        "top": Derivation("top", (Step("use", first, (), Apply("middle"), ""),), states=first),
        "apart": Derivation("apart", (Step("one", statement, (), Entails(squares=(a,)), ""),), states=statement),
    }
    return {name: check(derivation, None, found) for name, derivation in found.items()}


def test_an_outcome_says_what_it_rests_on() -> None:
    assert {name: o.applies for name, o in chained(at_most(0, a**2)).items()} == {
        "lemma/first": (), "middle": ("lemma/first",), "top": ("middle",), "apart": (),
    }  # fmt: skip
    assert all(o.ok for o in with_applied(chained(at_most(0, a**2))).values())


def test_what_rests_on_a_failure_fails_too() -> None:
    alone = chained(at_most(1, a**2))
    assert [name for name, o in alone.items() if not o.ok] == ["lemma/first"]
    found = with_applied(alone)
    assert [name for name, o in found.items() if not o.ok] == ["lemma/first", "middle", "top"]
    assert found["top"].first_failure is not None
    assert found["top"].first_failure.startswith("it rests on lemma/first, which fails: step one")


@pytest.mark.parametrize("missing", ["lemma/first", "middle"])
def test_what_rests_on_something_unchecked_fails(missing: str) -> None:
    alone = {name: o for name, o in chained(at_most(0, a**2)).items() if name != missing}
    found = with_applied(alone)
    assert not found["top"].ok
    assert found["top"].first_failure == f"it rests on {missing}, which was not checked"
    assert found["apart"].ok


# ---- what moves

a_rate, b_rate, x_rate = scalar("kt_a_rate", "a'"), scalar("kt_b_rate", "b'"), vector("kt_x_rate", "x'")
t, start, other_start = scalar("kt_t", "t", nonnegative=True), scalar("kt_start", "y_0"), scalar("kt_start2", "y_1")


def broken(*steps: Step, **given: sp.Basic) -> str:
    derivation = Derivation("kt", steps, setting=given, states=steps[-1].says)
    return " | ".join(check(derivation, None, {}).broken)


def rate_step(name: str, rates: dict[Any, Any], says: sp.Basic, premise: str) -> Step:
    return Step(name, says, (premise,), Differentiate(rates), "")


HEIGHT = Step("height", equal(a, Dot(x, u)), (), Definition(), "")
RATE = rate_step("rate", {a: a_rate, x: x_rate}, equal(a_rate, Dot(x_rate, u)), "height")


def test_one_rate_a_symbol_and_one_symbol_a_rate() -> None:
    assert "rate" not in broken(HEIGHT, RATE)
    twice = Step("twice", equal(b, 2 * Dot(x, u)), (), Definition(), "")
    stolen = rate_step("stolen", {b: a_rate, x: x_rate}, equal(a_rate, 2 * Dot(x_rate, u)), "twice")
    assert "is the rate of" in broken(HEIGHT, RATE, twice, stolen)
    again = rate_step("again", {a: b_rate, x: x_rate}, equal(b_rate, Dot(x_rate, u)), "height")
    assert "the rate of" in broken(HEIGHT, RATE, again)
    assert "for granted" in broken(
        HEIGHT, rate_step("r", {a: a_rate, x: 2 * x}, equal(a_rate, 2 * Dot(x, u)), "height")
    )


def test_what_moves_is_not_constant_elsewhere() -> None:
    still = rate_step("still", {x: x_rate}, equal(0, Dot(x_rate, u)), "height")
    assert "it moves" in broken(HEIGHT, RATE, still)
    square = Step("square", equal(b, a**2), (), Definition(), "")
    triple = Step("triple", equal(c, 3 * b), (), Definition(), "")
    c_rate = scalar("kt_c_rate", "c'")
    assert "it moves" in broken(HEIGHT, RATE, square, triple, rate_step("r", {c: c_rate}, equal(c_rate, 0), "triple"))
    mean = vector("kt_mean", "m")
    level = Step("level", equal(b, Dot(mean, u)), (), Definition(), "")
    frozen = rate_step("frozen", {b: b_rate}, equal(b_rate, 0), "level")
    assert "it moves" in broken(HEIGHT, RATE, level, frozen, weights=MeanOf(mean, x))


def test_comparison_with_something_that_moves() -> None:
    growth = Step("growth", at_most(b_rate, a * b), (), Granted(), "")
    bound = Step("bound", at_most(b, start * sp.exp(a * t)), ("growth",), Comparison(b, b_rate, t, start), "")
    assert "it moves" not in broken(growth, bound)
    assert "it moves" in broken(HEIGHT, RATE, growth, bound)


def test_one_start_a_quantity() -> None:
    growth = Step("growth", at_most(b_rate, p * b), (), Granted(), "")
    one = Step("one", at_most(b, start * sp.exp(p * t)), ("growth",), Comparison(b, b_rate, t, start), "")
    two = Step("two", at_most(b, other_start * sp.exp(p * t)), ("growth",), Comparison(b, b_rate, t, other_start), "")
    assert "the start of" in broken(growth, one, two)
    stolen = Step("s", at_most(c, start * sp.exp(p * t)), ("growth",), Comparison(c, b_rate, t, start), "")
    assert "is the rate of" in broken(growth, one, stolen)
