"""True error against bound: every enclosure of a run beside an independent solution at 30 digits and more.

``python tests/enclosure/test_true_errors.py`` writes the table of the docs. The independent run takes mpmath's
numbers at 40 digits and Gragg's extrapolation on the tokens' own equation; it shares nothing with the enclosures.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flint import arb, fmpq_mat
from mpmath import mp, mpf

from numerics.enclosure.balls import Vector, exact_matrix, precision, rational, unit
from numerics.enclosure.field import Field
from numerics.enclosure.norms import operator_norm
from numerics.enclosure.plane import PlaneField
from numerics.enclosure.segments import State, integrate, start
from numerics.enclosure.spectrum import spectrum

TABLE = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables" / "true_errors.md"
DIGITS, COLUMNS, BITS = 40, 12, 64
LARGEST_RATIO = 1e6
"""A bound that is further from the truth than this would be of no use."""
F = Fraction
Rows = list[list[Fraction]]


@dataclass(frozen=True)
class Flow:
    """One flow to be enclosed: A, V and the tokens before they are made unit vectors."""

    name: str
    A: Rows
    V: Rows
    tokens: Rows
    horizon: Fraction


def rows(*values: str) -> Rows:
    return [[F(x) for x in value.split()] for value in values]


FLOWS = (
    Flow("one token, d = 2", rows("1 0", "0 1"), rows("1 0", "0 1/2"), rows("1 3"), F(4)),
    Flow("two tokens, symmetric, A = V", rows("3/2 9/20", "9/20 1/2"), rows("3/2 9/20", "9/20 1/2"),
         rows("1 2", "1 -1"), F(2)),
    Flow("two tokens, non-symmetric, A ≠ V", rows("1/2 1", "-1 0"), rows("1 2", "0 1/2"), rows("1 1", "2 -1"), F(2)),
    Flow("three tokens, d = 3", rows("1 0 0", "0 1/2 0", "1/3 0 1/4"), rows("1 1/5 0", "1/5 1/2 0", "0 0 -1/4"),
         rows("1 2 1", "1 0 -1", "2 1 0"), F(1)),
    Flow("four tokens, d = 2", rows("2 0", "0 1"), rows("1 -1/2", "1/2 1/2"),
         rows("1 0", "1 2", "0 1", "-1 3"), F(1)),
)  # fmt: skip


def number(value: Fraction) -> Any:
    return mpf(value.numerator) / value.denominator


def solution(flow: Flow) -> Callable[[Any], list[list[Any]]]:
    """``t → tokens``, at 30 digits and more."""
    n, d = len(flow.tokens), len(flow.V)
    V, A = ([[number(x) for x in row] for row in matrix] for matrix in (flow.V, flow.A))
    tokens = [[number(x) for x in row] for row in flow.tokens]
    tokens = [[x / mp.sqrt(sum(y * y for y in row)) for x in row] for row in tokens]

    def speed(_: Any, flat: Any) -> list[Any]:
        x = [flat[i * d : (i + 1) * d] for i in range(n)]
        result = []
        for i in range(n):
            query = [sum(A[k][c] * x[i][c] for c in range(d)) for k in range(d)]
            weights = [mp.exp(sum(q * y for q, y in zip(query, other, strict=True))) for other in x]
            mean = [sum(w * other[k] for w, other in zip(weights, x, strict=True)) / sum(weights) for k in range(d)]
            pulled = [sum(V[k][c] * mean[c] for c in range(d)) for k in range(d)]
            along = sum(p * y for p, y in zip(pulled, x[i], strict=True))
            result += [p - along * y for p, y in zip(pulled, x[i], strict=True)]
        return result

    return extrapolated(speed, [x for row in tokens for x in row], d)


def extrapolated(speed: Callable[[Any, Any], list[Any]], begin: list[Any], d: int) -> Callable[[Any], list[list[Any]]]:
    """Gragg's extrapolated midpoint rule: steps of 1/16, 12 columns, so order 24. Times must be asked for in order.

    (Hairer, Nørsett, Wanner, Solving ODEs I, §II.9.)
    """
    now: list[Any] = [mpf(0), begin]

    def midpoint(y: list[Any], length: Any, count: int) -> list[Any]:
        h = length / count
        before, here = y, [a + h * b for a, b in zip(y, speed(0, y), strict=True)]
        for _ in range(count - 1):
            before, here = here, [a + 2 * h * b for a, b in zip(before, speed(0, here), strict=True)]
        last = speed(0, here)
        return [(a + b + h * c) / 2 for a, b, c in zip(before, here, last, strict=True)]

    def step(y: list[Any], length: Any) -> list[Any]:
        table: list[list[Any]] = []
        for k in range(1, COLUMNS + 1):
            row = [midpoint(y, length, 2 * k)]
            for m in range(1, k):
                factor = (mpf(k) / (k - m)) ** 2 - 1
                row.append([a + (a - b) / factor for a, b in zip(row[-1], table[-1][m - 1], strict=True)])
            table.append(row)
        return table[-1][-1]

    def at(time: Any) -> list[list[Any]]:
        while now[0] < time:
            length = min(mpf(1) / 16, time - now[0])
            now[0], now[1] = now[0] + length, step(now[1], length)
        return [now[1][i : i + d] for i in range(0, len(begin), d)]

    return at


def enclosed(flow: Flow) -> list[State]:
    with precision(BITS):
        tokens: list[Vector] = [unit([arb(rational(x)) for x in row]) for row in flow.tokens]
        return integrate(Field(exact_matrix(flow.A), exact_matrix(flow.V)), start(tokens), flow.horizon, bits=BITS)


@cache
def errors(name: str) -> list[tuple[float, float]]:
    """(true error, bound) of every state of a flow."""
    flow = next(f for f in FLOWS if f.name == name)
    with mp.workdps(DIGITS):
        true = solution(flow)
        result = []
        for state in enclosed(flow):
            here = true(number(state.time))
            away = max(
                mp.sqrt(sum((x - number(c)) ** 2 for x, c in zip(row, centre, strict=True)))
                for row, centre in zip(here, state.centre, strict=True)
            )
            result.append((float(away), float(state.radius)))
        return result


@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_every_state_holds_the_true_tokens(flow: Flow) -> None:
    found = errors(flow.name)
    assert len(found) >= 4
    assert all(true <= bound for true, bound in found)
    assert found[-1][1] <= LARGEST_RATIO * max(found[-1][0], 2.0**-BITS)


def test_a_smaller_radius_would_not_hold_them() -> None:
    """The comparison can fail: a bound a million times smaller does not hold the true tokens."""
    found = errors(FLOWS[1].name)
    assert any(true > bound / LARGEST_RATIO for true, bound in found)


def test_the_independent_run_is_good_to_30_digits() -> None:
    flow = FLOWS[0]
    with mp.workdps(DIGITS):
        true = solution(flow)
        for time in (mpf(1) / 4, mpf(1), mpf(2)):
            ((x, y),) = true(time)
            assert abs(y / x - 3 * mp.exp(-time / 2)) < mpf("1e-30")


def test_the_exact_solution_of_one_token() -> None:
    """``tan φ(t) = tan φ(0) e^{-gap t}``: the enclosures against the formula, no integrator at all."""
    flow = FLOWS[0]
    with mp.workdps(50):
        for state in enclosed(flow):
            slope = 3 * mp.exp(-number(state.time) / 2)
            true = [1 / mp.sqrt(1 + slope**2), slope / mp.sqrt(1 + slope**2)]
            away = mp.sqrt(sum((x - number(c)) ** 2 for x, c in zip(true, state.centre[0], strict=True)))
            assert away <= number(state.radius)


def test_angles_in_the_plane_hold_the_true_tokens() -> None:
    """``PlaneField`` from boxes of angles: the fate of their corners and centres, by the formula-free solution."""
    with precision(BITS):
        field = PlaneField(arb(3) / 4, arb(1) / 4)
        begin = start([[arb("0.7", "0.001")], [arb("2.0", "0.001")]])
        states = integrate(field, begin, F(2), bits=BITS)
    value = rows("1 0", "0 1/2")
    with mp.workdps(DIGITS):
        for first, second in ((0, 0), (1, 1), (-1, 1)):
            angles = [mpf("0.7") + first * mpf("0.00099"), mpf("2.0") + second * mpf("0.00099")]
            tokens = [[F(str(mp.nstr(f(a), 30))) for f in (mp.cos, mp.sin)] for a in angles]
            true = solution(Flow("", value, value, tokens, F(2)))
            for state in states[1::4]:
                for (x, y), (centre,) in zip(true(number(state.time)), state.centre, strict=True):
                    assert abs(mp.atan2(y, x) - number(centre)) <= number(state.radius)


def drawn(seed: int, d: int, symmetric: bool) -> Rows:
    source = random.Random(seed)
    matrix = [[F(source.randint(-30, 30), source.randint(1, 9)) for _ in range(d)] for _ in range(d)]
    return [[matrix[min(i, k)][max(i, k)] for k in range(d)] for i in range(d)] if symmetric else matrix


def middle(ball: arb) -> Any:
    return mpf(ball.mid().str(60, radius=False))


def within(ball: arb, value: Any) -> bool:
    """Whether mpmath's value, good to 50 digits, lies in the ball."""
    return bool(abs(middle(ball) - value) <= mpf(ball.rad().str(10, radius=False)) * (1 + mpf("1e-9")) + mpf("1e-45"))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("d", [2, 3, 5, 8])
def test_eigenvalues_and_norms_hold_those_of_mpmath(d: int, symmetric: bool) -> None:
    for seed in range(4):
        exact = drawn(100 * d + seed, d, symmetric)
        with mp.workdps(60):
            matrix = mp.matrix([[number(x) for x in row] for row in exact])
            found = mp.eigsy(matrix, eigvals_only=True) if symmetric else mp.eig(matrix, left=False, right=False)
            true = [mp.mpc(x) for x in found]
            norm = mp.sqrt(max(mp.eigsy(matrix.T * matrix, eigvals_only=True)))
            with precision(BITS):
                balls = spectrum(exact_matrix(exact)).eigenvalues
                for eigenvalue in balls:  # each holds one of them, and each is held by one
                    ball = eigenvalue.ball
                    held = [x for x in true if within(ball.real, x.real) and within(ball.imag, x.imag)]
                    assert len(held) == 1
                    true.remove(held[0])
                assert true == []
                assert within(operator_norm(_balls(exact)), norm)


def _balls(exact: Rows) -> Any:
    from flint import arb_mat

    return arb_mat(fmpq_mat([[rational(x) for x in row] for row in exact]))


def markdown() -> str:
    lines = ["| flow | segments | largest true error | its bound at the end | bound / true error at the end |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for flow in FLOWS:
        found = errors(flow.name)
        true, bound = found[-1]
        lines.append(
            f"| {flow.name} | {len(found) - 1} | {max(t for t, _ in found):.0e} | {bound:.0e} | {bound / true:.0e} |"
        )
    return "\n".join(lines) + "\n"


def test_the_table_of_the_docs_is_this() -> None:
    assert TABLE.read_text(encoding="utf-8") == markdown(), "run `python tests/enclosure/test_true_errors.py`"


if __name__ == "__main__":
    TABLE.write_text(markdown(), encoding="utf-8")
