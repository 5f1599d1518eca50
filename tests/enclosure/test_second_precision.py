"""The margins of the corpus again: at twice the precision, and by mpmath, which shares nothing with the balls."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from mpmath import mp, mpf

from numerics.enclosure.balls import bounds, precision
from numerics.enclosure.decision import Decision
from proofs_checks.certify.corpus import instance_of, load
from proofs_checks.certify.ladder import FIRST_BITS, MOST_BITS, Finding, decide
from proofs_checks.certify.quantities import Quantities
from proofs_checks.certify.statements import BY_NAME

SPECTRAL = [n for n, s in BY_NAME.items() if "tokens" not in s.about]
ENTRIES = load()
QUICK = [e for e in ENTRIES[::29] if len(e["instance"]["V"]) <= 8]
Values = dict[str, Any]


def findings(found: dict[str, Any]) -> dict[str, Finding]:
    return decide(instance_of(found), SPECTRAL)


def at_twice_the_precision(found: dict[str, Any]) -> list[str]:
    """Statements whose margin at twice the bits leaves the stated ball, or has another sign.

    Where the ball at twice the bits is the wider one (eigenvalues of large matrices are then enclosed in another way),
    it must meet the stated one, and a narrower one at four times the bits is asked.
    """
    instance, wrong = instance_of(found), []
    for name, finding in findings(found).items():
        if finding.method != "balls" or finding.lower is None or finding.upper is None:
            continue
        for more in (2, 4):
            with precision(more * finding.bits):
                low, high = bounds(BY_NAME[name].margin(Quantities(instance)))
            if high - low <= finding.upper - finding.lower or low > finding.upper or high < finding.lower:
                break
        inside = finding.lower <= low and high <= finding.upper
        sign = Decision.PROVED_TRUE if low > 0 else Decision.PROVED_FALSE if high < 0 else Decision.UNDECIDED
        if not inside or sign is not finding.decision:
            wrong.append(name)
    return wrong


def digits_for(found: dict[str, Any]) -> int:
    """Twice the digits of the smallest number written, and 60 more."""
    numbers = [Fraction(x) for m in ("V", "dV") for row in found["instance"][m] for x in row]
    return 60 + 2 * max(len(str(x.denominator)) for x in numbers)


def matrix(rows: list[list[str]]) -> Any:
    return mp.matrix([[mpf(Fraction(x).numerator) / Fraction(x).denominator for x in row] for row in rows])


def by_mpmath(found: dict[str, Any]) -> Values | None:
    """The margins of a symmetric pair from mpmath's eigenvectors alone; None for other pairs."""
    V, dV = (matrix(found["instance"][m]) for m in ("V", "dV"))
    if V != V.T or dV != dV.T:
        return None
    d = V.rows
    values, vectors = mp.eigsy(V)
    u = vectors[:, d - 1]
    project = mp.eye(d) - u * u.T
    a = (u.T * dV * u)[0]
    b = mp.norm(project * dV * u)
    E = max(abs(x) for x in mp.eigsy(project * dV * project)[0])
    gap = values[d - 1] - values[d - 2]
    dominant = values[d - 1] - max(abs(values[k]) for k in range(d - 1))
    block = project * (V + dV) * project - (1 + 2 * mp.norm(V + dV)) * u * u.T
    top = max(mp.eigsy(block)[0])
    separation = values[d - 1] + a - max(abs(x) for x in mp.eigsy(project * (V + dV) * project)[0])
    moved = mp.eigsy(V + dV)[1][:, d - 1]
    cosine = abs((u.T * moved)[0])
    return {
        "dominant-gap": dominant,
        "delta": gap + a - E,
        "criterion-quoted": gap + a - 2 * b - E,
        "criterion-sharp": dominant + a - E,
        "cone": separation - 2 * b,
        "levels": values[d - 1] + a - top,
        "levels-quoted": values[d - 1] - top,
        "drift-sharp": 2 * mp.sin(mp.atan2(2 * b, gap + a - E) / 4) - mp.sqrt(max(2 - 2 * cosine, 0)),
        "drift-quoted": (2 * b + E) / (2 * (gap + a)) - mp.sqrt(max(2 - 2 * cosine, 0)) if gap + a else mp.nan,
    }


def against_mpmath(found: dict[str, Any], shift: Any = 0) -> tuple[int, list[str]]:
    """How many margins were compared, and those whose ball does not hold mpmath's value (moved by ``shift``)."""
    with mp.workdps(digits_for(found)):
        values = by_mpmath(found)
        if values is None:
            return 0, []
        wrong, compared = [], 0
        noise = mpf(10) ** (20 - mp.dps // 2)
        for name, finding in findings(found).items():
            if name not in values or finding.lower is None or finding.upper is None:
                continue
            low, high = (mpf(x.numerator) / x.denominator for x in (finding.lower, finding.upper))
            compared += 1
            if not low - noise <= values[name] + shift <= high + noise:
                wrong.append(name)
    return compared, wrong


def test_twice_the_precision_agrees() -> None:
    assert {e["id"]: wrong for e in QUICK if (wrong := at_twice_the_precision(e))} == {}
    assert FIRST_BITS * 2 < MOST_BITS


def test_mpmath_agrees() -> None:
    results = {e["id"]: against_mpmath(e) for e in QUICK}
    assert {name: wrong for name, (_, wrong) in results.items() if wrong} == {}
    assert sum(compared for compared, _ in results.values()) >= 100


def test_the_comparison_with_mpmath_can_fail() -> None:
    entry = next(e for e in QUICK if against_mpmath(e)[0] >= 5)
    compared, wrong = against_mpmath(entry, shift=mpf("1e-6"))
    assert len(wrong) == compared


@pytest.mark.slow
def test_all_of_the_corpus_at_twice_the_precision() -> None:
    assert {e["id"]: wrong for e in ENTRIES if (wrong := at_twice_the_precision(e))} == {}


@pytest.mark.slow
def test_all_of_the_corpus_against_mpmath() -> None:
    results = {e["id"]: against_mpmath(e) for e in ENTRIES if len(e["instance"]["V"]) <= 8}
    assert {name: wrong for name, (_, wrong) in results.items() if wrong} == {}
    assert sum(compared for compared, _ in results.values()) >= 3_000
