"""One formula, several evaluators: torch, mpmath at two precisions, and LaTeX agree with each other."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from formula_domain import VECTORS, Points, all_formulas, draw_points

from theory import symbols as s
from theory.claims import CLAIMS
from theory.formula import Formula, Tightening, WrongForm
from theory.lowering import LoweringError, to_mpmath, to_torch

FORMULAS = all_formulas()
SIZE = 12
POINTS = draw_points(seed=20240215, size=SIZE)
LOWER_BOUNDS = ("crossing_margin", "deviation_time", "cutoff_lower")
EITHER_SIGN = ("critical_norm", "log_tan_drift")
"""Exact formulas of which a constant may have either sign: nearer to zero is wrong, not smaller."""
TIGHTENINGS = [(c.id, t) for c in CLAIMS.values() for t in c.tightenings]


def torch_values(formula: Formula, points: Points, shape: tuple[int, ...] = (SIZE,)) -> np.ndarray:
    """The formula on float64 batches of the given shape; a constant has its one value everywhere."""
    tensors = {name: torch.as_tensor(value).reshape(*shape, *value.shape[1:]) for name, value in points.items()}
    value = to_torch(formula, **tensors)
    if not formula.arguments:
        return np.full(shape, float(value))
    assert value.dtype == torch.float64
    assert value.shape == shape
    return value.numpy()


def mpmath_values(formula: Formula, points: Points, digits: int) -> list[Any]:
    """The formula point by point at ``digits`` digits; the floats of the points are taken as exact."""
    with mpmath.workdps(digits):
        return [to_mpmath(formula, **point(points, k)) for k in range(SIZE)]


def point(points: Points, k: int) -> dict[str, object]:
    return {
        name: [mpmath.mpf(float(x)) for x in value[k]] if name in VECTORS else mpmath.mpf(float(value[k]))
        for name, value in points.items()
    }


@pytest.mark.parametrize("name", FORMULAS)
def test_torch_agrees_with_mpmath(name: str) -> None:
    exact = np.array([float(v) for v in mpmath_values(FORMULAS[name], POINTS, 30)])
    assert np.isfinite(exact).all()
    np.testing.assert_allclose(torch_values(FORMULAS[name], POINTS), exact, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", FORMULAS)
def test_two_precisions_agree(name: str) -> None:
    low, high = (mpmath_values(FORMULAS[name], POINTS, digits) for digits in (30, 60))
    with mpmath.workdps(60):
        assert all(abs(x - y) <= abs(y) * mpmath.mpf(10) ** -26 for x, y in zip(low, high, strict=True))


@pytest.mark.parametrize("name", FORMULAS)
def test_batch_shape_does_not_change_the_values(name: str) -> None:
    flat = torch_values(FORMULAS[name], POINTS)
    np.testing.assert_array_equal(torch_values(FORMULAS[name], POINTS, (3, 4)), flat.reshape(3, 4))


@pytest.mark.parametrize("name", FORMULAS)
def test_latex(name: str) -> None:
    formula = FORMULAS[name]
    left, _, right = formula.latex.partition(" = ")
    assert left.strip()
    assert right.strip()
    assert balanced(formula.latex)
    unknown = {str(x) for x in formula.expr.atoms(sp.Symbol)} - set(s.LATEX)
    assert not unknown, f"symbols without a LaTeX form: {unknown}"


def balanced(text: str) -> bool:
    """Whether braces close in order and ``\\left`` pairs with ``\\right``; escaped braces do not count."""
    depth, bare = 0, text.replace(r"\{", "").replace(r"\}", "")
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and bare.count(r"\left") == bare.count(r"\right")


@pytest.mark.parametrize(("text", "good"), [(r"\frac{a}{b}", True), ("}{", False), (r"{\left(a}", False)])
def test_balanced_sees_what_is_not(text: str, good: bool) -> None:
    assert balanced(text) is good


def test_every_claim_statement_is_balanced() -> None:
    for claim in CLAIMS.values():
        assert claim.statement, claim.id
        assert balanced(claim.statement), claim.id
        assert claim.statement.count("$") % 2 == 0, claim.id


def test_sum_over_directions_against_a_loop() -> None:
    term = s.a * s.alpha[s.j] ** 2 / (s.lambda_1 - s.mu[s.j])
    formula = Formula("total", s.t + s.over_directions(term), "x", "test")
    rng = np.random.default_rng(1)
    scalars = {"t": rng.normal(size=3), "a": rng.normal(size=3), "lambda_1": rng.uniform(2, 3, 3)}
    alpha, mu = rng.normal(size=(3, 5)), rng.uniform(0, 1, (3, 5))
    expected = []
    for k in range(3):
        total = scalars["t"][k]
        for column in range(5):
            total += scalars["a"][k] * alpha[k, column] ** 2 / (scalars["lambda_1"][k] - mu[k, column])
        expected.append(total)
    tensors = {name: torch.as_tensor(v) for name, v in {**scalars, "alpha": alpha, "mu": mu}.items()}
    np.testing.assert_allclose(to_torch(formula, **tensors).numpy(), expected, rtol=1e-13)
    for k in range(3):
        values = {name: float(v[k]) for name, v in scalars.items()}
        vectors = {"alpha": alpha[k].tolist(), "mu": mu[k].tolist()}
        assert float(to_mpmath(formula, **values, **vectors)) == pytest.approx(expected[k], rel=1e-13)


@pytest.mark.parametrize(("claim_id", "t"), TIGHTENINGS, ids=lambda x: getattr(x, "name", x))
def test_tightening_makes_the_bound_smaller(claim_id: str, t: Tightening | WrongForm) -> None:
    """1 % stronger is smaller for an upper bound; in any case the constant moves in the stated direction."""
    before, after = torch_values(t.formula, POINTS), torch_values(t.apply(0.01), POINTS)
    assert (np.abs(after - before) > 1e-6 * np.abs(before)).mean() > 0.5
    if isinstance(t, WrongForm):
        return
    if t.formula.name not in (*LOWER_BOUNDS, *EITHER_SIGN):
        assert (after <= before).all()
    factor = 1 + t.direction * 0.01
    if t.symbol is None:
        np.testing.assert_allclose(after, factor * before, rtol=1e-12)  # 1 - exp(-x) cancels
    elif str(t.symbol) in t.formula.arguments:
        moved = POINTS | {str(t.symbol): factor * POINTS[str(t.symbol)]}
        np.testing.assert_allclose(after, torch_values(t.formula, moved), rtol=1e-12)


def test_maximum_with_a_constant_on_either_side() -> None:
    x = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    for expr in (sp.Max(0, s.a), sp.Max(s.a, s.e, 0)):
        formula = Formula("maximum", expr, "x", "test")
        values = {name: x if name == "a" else x - 1 for name in formula.arguments}
        assert to_torch(formula, **values).tolist() == [0.0, 2.0]


def test_half_integer_and_negative_powers() -> None:
    formula = Formula("power", s.b_norm ** sp.Rational(-3, 2), "x", "test")
    assert float(to_mpmath(formula, b_norm=mpmath.mpf(4))) == 0.125
    assert to_torch(formula, b_norm=torch.tensor(4.0)).item() == 0.125


def test_exact_rationals_are_not_rounded_in_mpmath() -> None:
    formula = Formula("third", s.a / 3, "x", "test")
    with mpmath.workdps(50):
        assert abs(3 * to_mpmath(formula, a=mpmath.mpf(1)) - 1) < mpmath.mpf(10) ** -49


def test_a_constant_has_no_arguments() -> None:
    formula = Formula("half_turn", sp.pi, "x", "test")
    assert formula.arguments == ()
    assert float(to_torch(formula)) == math.pi


@pytest.mark.parametrize("lower", [to_torch, to_mpmath])
def test_missing_symbol_is_named(lower) -> None:
    with pytest.raises(LoweringError, match=r"bare needs a value for e$"):
        lower(Formula("bare", s.a + s.e, "x", "test"), a=torch.tensor(1.0))


@pytest.mark.parametrize("lower", [to_torch, to_mpmath])
@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sp.gamma(s.a), "no operation for gamma"),
        (s.a ** sp.Rational(1, 3), "half-integer"),
        (s.a**sp.pi, "half-integer"),
    ],
)
def test_unknown_operation_is_refused(lower, expr: sp.Expr, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        lower(Formula("odd", expr, "x", "test"), a=torch.tensor(1.5))


def test_vectors_of_different_lengths_are_refused() -> None:
    formula = Formula("total", s.over_directions(s.alpha[s.j] * s.mu[s.j]), "x", "test")
    with pytest.raises(LoweringError, match="different lengths"):
        to_mpmath(formula, alpha=[1, 2], mu=[1, 2, 3])


def test_numbers_alone_are_taken_as_float64() -> None:
    drift = CLAIMS["prop-3.3/drift"].formulas[0]
    value = to_torch(drift, gap=1.0, a=0.0, b_norm=0.45, E_norm=0.0)
    assert value.dtype == torch.float64
    assert float(value) == pytest.approx(2 * math.sin(math.atan(0.9) / 4), rel=1e-15)
