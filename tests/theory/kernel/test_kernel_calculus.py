"""Derivatives, integrals, functions that grow, and differential inequalities."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, B, a, b, c, holds, n, p, q, why_not, x, y, z

from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import Antiderivative, Comparison, Differentiate, Increasing
from theory.kernel.rules.calculus import derivative

t = scalar("kt_t", "t", nonnegative=True)
a_rate, b_rate, y_rate = scalar("kt_a_rate", "a'"), scalar("kt_b_rate", "b'"), scalar("kt_y_rate", "y'")
x_rate, z_rate = vector("kt_x_rate", "x'"), vector("kt_z_rate", "z'")
value, start = scalar("kt_value", "y"), scalar("kt_start", "y_0")


@pytest.mark.parametrize(
    "expr", [a**3 * b, a / (1 + b**2), sp.exp(a * b), sp.sin(a) * sp.log(p + a**2), sp.sqrt(1 + a**2), sp.atan(a * b)]
)
def test_derivatives_agree_with_sympy_along_a_curve(expr: sp.Expr) -> None:
    s = sp.Symbol("s", real=True)
    curve = {a: s**2 + 1, b: sp.cos(s)}
    mine = derivative(expr, {a: a_rate, b: b_rate}).xreplace({a_rate: 2 * s, b_rate: -sp.sin(s)}).xreplace(curve)
    assert sp.simplify(mine - sp.diff(expr.xreplace(curve), s)) == 0


def test_differentiate() -> None:
    rule = Differentiate({x: x_rate, a: a_rate})
    assert holds(rule, equal(a_rate, Dot(x_rate, y)), equal(a, Dot(x, y)))
    assert holds(rule, equal(a_rate, 2 * Dot(x, x_rate)), equal(a, Dot(x, x)))
    assert not holds(rule, equal(a_rate, Dot(x, x_rate)), equal(a, Dot(x, x)))
    assert holds(rule, equal(a_rate, Dot(x, (A + A.T) * x_rate)), equal(a, Dot(x, A * x)))
    assert not holds(rule, equal(a_rate, 2 * Dot(x, A * x_rate)), equal(a, Dot(x, A * x)))
    assert holds(rule, equal(a_rate, 2 * Dot(x, A * x_rate)), equal(a, Dot(x, A * x)), equal(A.T, A))


def test_norms_are_not_differentiated_at_zero() -> None:
    rule = Differentiate({x: x_rate, a: a_rate})
    assert why_not(rule, equal(a_rate, Dot(x, x_rate) / Norm(x)), equal(a, Norm(x)))
    assert holds(rule, equal(a_rate, Dot(x, x_rate) / Norm(x)), equal(a, Norm(x)), below(0, Norm(x)))
    assert "matrix that moves" in why_not(Differentiate({a: a_rate}), equal(a_rate, 1), equal(a, Norm(a * A + B)))


@pytest.mark.parametrize("odd", [(), (at_most(a, b),), (sp.true,), (equal(x, y),)])
def test_differentiate_needs_a_scalar_equation(odd: tuple[sp.Basic, ...]) -> None:
    assert why_not(Differentiate({a: a_rate}), equal(a_rate, 0), *odd)
    assert why_not(Differentiate({a: a_rate}), at_most(a_rate, 0), equal(a, 1))


def test_antiderivative() -> None:
    square = sp.Integral(t**2, (t, 0, p))
    assert holds(Antiderivative(t**3 / 3), equal(square, p**3 / 3))
    assert holds(Antiderivative(t**3 / 3 + 7), equal(square, p**3 / 3))
    assert not holds(Antiderivative(t**3), equal(square, p**3))
    assert not holds(Antiderivative(t**3 / 3), equal(square, p**2 / 3))
    assert not holds(Antiderivative(t**3 / 3), at_most(square, p**3 / 3))
    assert not holds(Antiderivative(t**3 / 3), equal(sp.Integral(t**2, (t, 0, p), (b, 0, 1)), p**3 / 3))
    assert not holds(Antiderivative(t**3 / 3), equal(sp.Integral(t**2, t), p**3 / 3))
    assert not holds(Antiderivative(-sp.exp(-t)), equal(sp.Integral(sp.exp(-t), (t, 0, sp.oo)), 1))


def test_primitives_with_poles_in_the_interval_are_rejected() -> None:
    v = scalar("kt_run", "v")
    assert why_not(Antiderivative(-1 / v), equal(sp.Integral(1 / v**2, (v, -1, 1)), -2))
    assert why_not(Antiderivative(sp.log(v)), equal(sp.Integral(1 / v, (v, a, b)), sp.log(b) - sp.log(a)))
    assert why_not(Antiderivative(sp.log(v)), equal(sp.Integral(1 / v, (v, p, q)), sp.log(q) - sp.log(p)))
    assert holds(Antiderivative(sp.log(v)), equal(sp.Integral(1 / v, (v, p, q)), sp.log(q) - sp.log(p)), at_most(p, q))
    assert holds(Antiderivative(sp.atan(v)), equal(sp.Integral(1 / (1 + v**2), (v, a, b)), sp.atan(b) - sp.atan(a)))
    assert why_not(
        Antiderivative(sp.tan(v)), equal(sp.Integral(1 + sp.tan(v) ** 2, (v, 0, p)), sp.tan(p) - sp.tan(sp.Integer(0)))
    )


def test_the_variable_of_an_integral_is_bound() -> None:
    v = scalar("kt_run", "v")
    says = equal(sp.Integral(a, (v, 0, 1)), a)
    assert holds(Antiderivative(a * v), says)
    assert not holds(Antiderivative(a * v), says, given=[equal(a, v)])
    assert not holds(Antiderivative(v), equal(sp.Integral(v, (v, 0, 1)), 1), equal(v, 1))


def test_increasing() -> None:
    slope = at_most(0, sp.exp(t) - 1)
    assert holds(Increasing(t), at_most(1 + t, sp.exp(t)), slope)
    assert not holds(Increasing(t), at_most(2 + t, sp.exp(t)), slope)
    assert not holds(Increasing(t), below(1 + t, sp.exp(t)), slope)
    assert not holds(Increasing(t), at_most(1 + 2 * t, sp.exp(t)), slope)
    assert not holds(Increasing(t), at_most(1 + t, sp.exp(t)))
    assert not holds(Increasing(t), equal(1 + t, sp.exp(t)), slope)


def test_increasing_holds_from_the_start_on_only() -> None:
    free = scalar("kt_free", "s")
    slope = at_most(0, 2 * free)
    assert not holds(Increasing(free), at_most(0, free**2 - 0), at_most(0, sp.exp(free)))
    assert "premises" in why_not(Increasing(free), at_most(0, free**3), at_most(0, 3 * free**2))
    assert holds(Increasing(free), at_most(0, free**3), at_most(0, 3 * free**2), at_most(0, free))
    assert "premises" in why_not(Increasing(t, sp.Integer(1)), at_most(0, t - 1), at_most(0, sp.Integer(1)))
    assert why_not(Increasing(t, sp.Integer(-1)), at_most(0, t + 1), at_most(0, sp.Integer(1)))
    assert why_not(Increasing(free), at_most(0, free**2), slope, given=[equal(free, -1)])


def test_increasing_needs_a_premise_from_the_start_on_and_a_smooth_function() -> None:
    # f = -1/(t - 1) has f' >= 0 and f(0) > 0, but a pole at 1
    slope = at_most(0, 1 / (t - 1) ** 2)
    assert why_not(Increasing(t), at_most(0, -1 / (t - 1)), slope)
    assert why_not(Increasing(t), at_most(0, -1 / (t - 1)), slope, given=[below(1, t)])
    assert why_not(Increasing(t), at_most(0, sp.tan(t) - t), at_most(0, sp.tan(t) ** 2))
    # the derivative is known at one point only
    assert "known of" in why_not(
        Increasing(t), at_most(0, t**3 - 3 * t), at_most(0, 3 * t**2 - 3), given=[equal(t**2, 1)]
    )
    # a symbol that moves with t is no constant: c = t
    says = at_most(0, t**3 / 3 - t**2 * c / 2)
    assert why_not(Increasing(t), says, at_most(0, t**2 - t * c), given=[equal(c, t)])
    assert holds(Increasing(t), at_most(0, t * p), at_most(0, p), given=[at_most(t, q)])


def test_comparison() -> None:
    rule = Comparison(value, y_rate, t, start)
    growth = at_most(y_rate, a * value)
    assert holds(rule, at_most(value, start * sp.exp(a * t)), growth)
    assert not holds(rule, at_most(value, start * sp.exp(2 * a * t)), growth)
    assert not holds(rule, at_most(value, 2 * start * sp.exp(a * t)), growth)
    assert not holds(rule, sp.Ge(value, start * sp.exp(a * t), evaluate=False), growth)
    assert not holds(rule, below(value, start * sp.exp(a * t)), growth)
    assert not holds(rule, at_most(value, start * sp.exp(a * t)))
    assert not holds(rule, at_most(y_rate, start * sp.exp(a * t)), growth)
    assert holds(rule, at_most(value, start + p * t), at_most(y_rate, p))


def test_comparison_wants_a_start_that_is_a_symbol_and_a_premise_for_its_value() -> None:
    growth = at_most(y_rate, a * value)
    assert why_not(Comparison(value, y_rate, t, sp.Integer(0)), at_most(value, 0), growth)
    assert holds(Comparison(value, y_rate, t, start), at_most(value, 0), growth, equal(start, 0))
    assert why_not(Comparison(value, y_rate, t, value), at_most(value, value * sp.exp(a * t)), growth)


def test_comparison_needs_constants_that_do_not_move() -> None:
    rule, growth = Comparison(value, y_rate, t, start), at_most(y_rate, a * value)
    says = at_most(value, start * sp.exp(a * t))
    assert why_not(rule, says, growth, given=[equal(a, t**2)])
    assert why_not(rule, says, growth, given=[equal(a, value)])
    assert why_not(rule, says, growth, given=[equal(b, t), equal(a, b)])
    assert why_not(rule, says, growth, equal(a, t))


def test_solutions_that_blow_up_and_fields_that_are_not_lipschitz() -> None:
    rule = Comparison(value, y_rate, t, start)
    assert why_not(rule, at_most(value, start / (1 - start * t)), at_most(y_rate, value**2))
    # y' <= 2 √y has y = 0 and y = t² from 0
    assert why_not(rule, at_most(value, 0), at_most(y_rate, 2 * sp.sqrt(value)), equal(start, 0))
    assert why_not(rule, at_most(value, start), at_most(y_rate, sp.Abs(value) * 0 + value - value + 1 / t))
    stays = Comparison(n, y_rate, t, p)
    assert holds(stays, at_most(n, p / (1 + p * t)), at_most(y_rate, -(n**2)))
    assert not holds(stays, at_most(n, p / (1 + 2 * p * t)), at_most(y_rate, -(n**2)))


def test_vectors_that_move_are_no_scalars() -> None:
    assert why_not(Differentiate({z: z_rate}), equal(Dot(z_rate, x), 0), equal(z, x))
