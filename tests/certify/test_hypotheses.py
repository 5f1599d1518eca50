"""What a certificate makes of hypotheses: those read off the matrices, and what fails or is open."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from numerics.enclosure.decision import Decision
from numerics.enclosure.radicals import Radical
from proofs_checks.certify import certificate
from proofs_checks.certify.certificate import EXACT, QUESTIONS, certify, exact_statement
from proofs_checks.certify.ladder import Finding
from proofs_checks.certify.quantities import Exact, Quantities
from proofs_checks.certify.statements import BY_NAME
from proofs_checks.instance_file import Instance

ZERO = [[0, 0], [0, 0]]
TINY = str(Fraction(1, 10**40))


def instance(**matrices: Any) -> Instance:
    return Instance.from_arrays(**({"V": [[1, 0], [0, 0]], "dV": ZERO} | matrices))


CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("psd", {}, True),  # an eigenvalue 0 is allowed
    ("psd", {"V": ZERO}, True),
    ("psd", {"V": [[1, 1], [1, 1]]}, True),
    ("psd", {"V": [[1, 0], [0, "-" + TINY]]}, False),
    ("psd", {"V": [[1, 1], [0, 1]]}, False),  # not symmetric
    ("symmetric-base", {}, True),
    ("symmetric-base", {"V": [[1, TINY], [0, 0]]}, False),
    ("symmetric-update", {}, True),
    ("symmetric-update", {"dV": [[0, TINY], [0, 0]]}, False),
    ("a-equals-v", {"dV": [[1, 0], [0, 0]]}, True),  # A follows V where neither A nor its update is given
    ("a-equals-v", {"A": [[1, 0], [0, 0]]}, True),
    ("a-equals-v", {"A": [[1, 0], [0, TINY]]}, False),
    ("a-equals-v", {"A": [[1, 0], [0, 0]], "dV": [[0, 1], [1, 0]]}, False),  # A stays, V does not
    ("a-equals-v", {"A": [[1, 0], [0, 0]], "dV": [[0, 1], [1, 0]], "dA": [[0, 1], [1, 0]]}, True),
    ("a-equals-v", {"dV": [[0, 1], [1, 0]], "dA": [[0, 1], [1, TINY]]}, False),
    ("spectral-gap", {}, True),
    ("spectral-gap", {"V": [[1, 0], [0, 1]]}, False),
]


@pytest.mark.parametrize(("name", "matrices", "holds"), CASES)
def test_exact_hypotheses(name: str, matrices: dict[str, Any], holds: bool) -> None:
    found = exact_statement(name, instance(**matrices))
    assert found.decision is (Decision.PROVED_TRUE if holds else Decision.PROVED_FALSE)


def test_all_exact_hypotheses_are_tested() -> None:
    assert {(name, holds) for name, _, holds in CASES} == {(n, h) for n in EXACT for h in (True, False)}


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (Decision.PROVED_TRUE, Decision.PROVED_FALSE),
        (Decision.UNDECIDED, Decision.UNDECIDED),
        (Decision.PROVED_FALSE, None),
        (Decision.DEGENERATE, Decision.DEGENERATE),
    ],
)
def test_a_claim_is_answered_where_its_hypotheses_are_proved(first: Decision, answer: Decision | None) -> None:
    claim = "prop-3.3/drift"
    question = QUESTIONS[claim]
    for name in question.hypotheses:
        findings = {n: Finding(n, Decision.PROVED_TRUE, "here") for n in question.hypotheses}
        findings[name] = Finding(name, first, "here")
        findings[question.conclusion] = Finding(question.conclusion, Decision.PROVED_FALSE, "here")
        found = certificate._answer(claim, instance(), findings, {}, certificate.Mover(instance()))
        assert found.decision is answer


def test_the_cone_theorem_asks_for_the_cone_and_for_its_tokens() -> None:
    """b = 0, c = 1/2, κ = 0, S = 2: the cone about e1 ends at the tangent t+ = S/c = 4."""
    claim = "prop-3.3/nonsymmetric"
    inside, outside = [["7/25", "24/25"]], [["9/41", "40/41"]]  # tangents 24/7 and 40/9

    def answer(tokens: list[list[str]], update: list[list[Any]]) -> Decision | None:
        made = instance(V=[[2, 0], [0, 0]], dV=update, X0=tokens, T=1)
        return next(a for a in certify(made, [claim]).answers if a.claim == claim).decision

    assert answer(inside, [[0, "1/2"], [0, 0]]) is Decision.PROVED_TRUE
    assert answer(outside, [[0, "1/2"], [0, 0]]) is None
    assert answer(inside, [[0, -2], [2, 0]]) is None  # no cone: S = 2 < 2 √(2·2)


@pytest.mark.parametrize(
    ("claim", "matrices", "lacks"),
    [
        ("prop-3.3/convergence", {}, "hemisphere speaks of tokens, and the instance has none (X0)"),
        ("remark-3.4/drift", {"dV": [[0, 1], [0, 0]]}, "levels wants a symmetric dV"),
        ("prop-3.3/criterion", {"dV": [[-2, 0], [0, 0]], "X0": [[1, 0]], "T": 1}, "rests on delta"),
    ],
)
def test_what_an_instance_lacks_is_named(claim: str, matrices: dict[str, Any], lacks: str) -> None:
    (answer,) = certify(instance(**matrices), [claim]).answers
    assert answer.decision is None
    assert lacks in answer.reason


@pytest.mark.parametrize(("update", "tie"), [
    ([[0, "1/2"], ["1/2", 0]], True),  # S = 1 = 2√(|b||c|)
    ([[2, "1/2"], ["1/2", 0]], False),  # S = -1: S² = 4|b||c| all the same
    ([[0, "1/3"], ["1/2", 0]], False),
])  # fmt: skip
def test_a_cone_margin_is_zero_where_s_is_the_positive_root(update: Any, tie: bool) -> None:
    found = instance(V=[[0, 0], [0, 1]], dV=update)
    zero = BY_NAME["cone"].zero
    assert zero is not None
    assert zero(Exact(Quantities(found))).is_zero is tie


@pytest.mark.parametrize(("terms", "sign"), [
    ({2: 1, 1: "-14142135623730950488/10000000000000000000"}, 1),  # √2 = 1.41421356237309504880168...
    ({2: 1, 1: "-14142135623730950489/10000000000000000000"}, -1),
    ({2: 3, 8: "-3/2"}, 0),
    ({"1/2": -1}, -1),
])  # fmt: skip
def test_the_sign_of_a_sum_of_roots(terms: dict[Any, Any], sign: int) -> None:
    assert Radical({Fraction(q): Fraction(r) for q, r in terms.items()}).sign == sign
