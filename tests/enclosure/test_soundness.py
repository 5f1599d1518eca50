"""Soundness mutants: each lemma of the enclosures broken on purpose, and a test aimed at that lemma at low order.

``python tests/enclosure/test_soundness.py`` writes the table of the docs. A mutant is one change of the source of one
module; the module so changed must fail the check that the module as it is passes.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flint import acb, arb, arb_mat, arb_poly, fmpq, fmpq_mat

from numerics.enclosure import balls
from numerics.enclosure.balls import precision
from numerics.enclosure.decision import Decision
from numerics.enclosure.field import Field
from numerics.enclosure.segments import State, series_length

TABLE = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables" / "soundness_mutants.md"
F = Fraction
SWING = Field(fmpq_mat([[1, 0], [0, -1]]), fmpq_mat([[1, 0], [0, -1]]))
"""One token in the plane: its angle φ to e1 obeys φ' = -sin 2φ."""


@dataclass
class Decay:
    """``x' = -rate x`` for one token in one dimension, as a field: everything about it is known in closed form."""

    rate: Any = 1
    norm: Any = None

    def weights(self, tokens: Any) -> tuple[list[list[Any]], list[Any]]:
        return [[arb(1)]], [acb(1)]

    def velocity(self, tokens: Any) -> list[list[Any]]:
        return [[-self.rate * x for x in row] for row in tokens]

    def velocity_from(self, tokens: Any, rows: Any, totals: Any) -> list[list[Any]]:
        return self.velocity(tokens)

    def logarithmic_norm(self, tokens: Any) -> arb:
        return arb(-self.rate) if self.norm is None else arb(self.norm)


@dataclass
class Wall(Decay):
    """The same, with a denominator ``2 - x`` that vanishes at x = 2."""

    def weights(self, tokens: Any) -> tuple[list[list[Any]], list[Any]]:
        return [[arb(1)]], [2 - acb(tokens[0][0])]


def holds(ball: arb, value: Any) -> bool:
    return bool(ball.contains(arb(value) if not isinstance(value, arb) else value))


def raises(error: str, call: Callable[[], Any]) -> bool:
    try:
        call()
    except ArithmeticError as found:
        return type(found).__name__ == error
    return False


# --- checks: each takes the module, changed or not --------------------------------------------------


def nan_has_no_sign(m: Any) -> None:
    assert raises("NotANumber", lambda: m.sign(arb("nan")))
    assert raises("NotANumber", lambda: m.sign(arb(1) / arb(0, 1)))


def a_ball_about_zero_has_no_sign(m: Any) -> None:
    assert m.sign(arb(0, 1)) is None
    assert m.sign(arb("0.5", 1)) is None
    assert m.sign(arb("-0.5", 1)) is None
    assert m.sign(arb(0)) == 0
    assert m.sign(arb(2, 1)) == 1
    assert m.sign(arb(-2, 1)) == -1


def the_ends_of_a_ball_are_outside_it(m: Any) -> None:
    low, high = m.bounds(arb(1, "0.25"))
    assert low <= F(3, 4)
    assert high >= F(5, 4)


def no_word_is_true(m: Any) -> None:
    for word in m.Decision:
        try:
            bool(word)
        except TypeError:
            continue
        raise AssertionError(f"{word} has a truth value")


def one_undecided_spoils_all(m: Any) -> None:
    d = m.Decision
    assert m.every([d.PROVED_TRUE, d.UNDECIDED]) is d.UNDECIDED
    assert m.every([d.UNDECIDED, d.PROVED_FALSE]) is d.PROVED_FALSE
    assert m.every([d.PROVED_TRUE, d.DEGENERATE]) is d.DEGENERATE


def cholesky_stops_at_a_pivot_that_may_vanish(m: Any) -> None:
    assert m.positive_definite(arb_mat([[2, 1], [1, 2]]))
    assert not m.positive_definite(arb_mat([[1, 1], [1, 1]]))
    assert not m.positive_definite(arb_mat([[1, 2], [2, 1]]))
    assert not m.positive_definite(arb_mat([[1, arb(0, 2)], [arb(0, 2), 1]]))


def the_largest_eigenvalue_is_within(m: Any) -> None:
    with precision(64):
        for matrix, value in (([[0, 1], [1, 0]], 1), ([[2, 1], [1, 2]], 3), ([[-3, 0], [0, -1]], -1)):
            found = m.largest_eigenvalue(arb_mat(matrix))
            assert holds(found, value)
            assert found.rad() < arb("1e-12")
        wide = m.largest_eigenvalue(arb_mat([[arb(0, "0.5"), 0], [0, arb(1, "0.5")]]))
        assert wide.lower() <= arb("0.5")
        assert wide.upper() >= arb("1.5")


def an_upper_bound_is_one_from_any_start(m: Any) -> None:
    with precision(64):
        assert m._upper(arb_mat([[0, 0], [0, 1]]), arb(0)) >= 1
        assert m._upper(arb_mat([[0, 0], [0, 1]]), arb(1)) < arb("1.001")


def norms_are_of_the_whole_matrix(m: Any) -> None:
    with precision(64):
        assert holds(m.operator_norm(arb_mat([[0, 3], [0, 0]])), 3)
        assert holds(m.operator_norm(arb_mat([[0, 0], [-5, 0]])), 5)
    assert raises("NotANumber", lambda: m.operator_norm(arb_mat([[arb("nan"), 0], [0, 1]])))


def a_pair_that_is_too_close_has_no_order(m: Any) -> None:
    close = fmpq_mat([[1, 0], [0, 1 + fmpq(1, 10**30)]])
    with precision(64):
        assert raises("NotSeparated", lambda: m.spectrum(close))
    with precision(256):
        assert m.spectrum(close).leading > 1


def overlapping_balls_are_not_sorted_by_their_centres(m: Any) -> None:
    one = m.Eigenvalue(acb(arb(1, "0.1")), True, 1, None)
    other = m.Eigenvalue(acb(arb("1.05", "0.1")), True, 1, None)
    assert raises("NotSeparated", lambda: m._ordered([one, other]))


def a_double_eigenvalue_is_seen(m: Any) -> None:
    with precision(64):
        matrix = fmpq_mat([[2, 0, 0], [0, 2, 0], [0, 0, 1]])
        assert not raises("NotSeparated", lambda: m.spectrum(matrix))
        assert m.spectrum(matrix).leading_kind == "multiple"


def a_complex_pair_is_seen(m: Any) -> None:
    with precision(64):
        assert m.spectrum(fmpq_mat([[1, -1], [1, 1]])).leading_kind == "complex"
        assert m.spectrum(fmpq_mat([[1, -1], [0, 2]])).leading_kind == "simple"


def all_other_moduli_count(m: Any) -> None:
    with precision(64):
        assert holds(m.spectrum(fmpq_mat([[1, 0, 0], [0, 0, 0], [0, 0, -3]])).largest_other_modulus, 3)


def the_eigenvector_is_within(m: Any) -> None:
    with precision(64):
        found = m.spectrum(fmpq_mat([[3, 1], [0, 1]])).eigenvector
        assert holds(abs(found[0]), 1)
        assert holds(found[1], 0)
        tilted = m.spectrum(fmpq_mat([[2, 0], [1, 1]])).eigenvector  # along (1, 1)
        assert holds(tilted[0] - tilted[1], 0)
        assert holds(tilted[0] * tilted[0], F(1, 2).numerator / arb(2))


def roots_of_one_class_cancel_and_others_do_not(m: Any) -> None:
    root = m.Radical.root
    assert (root(8) - root(2) * 2).is_zero
    assert not (root(3) - root(2)).is_zero
    assert not (root(2) + root(3) - root(5)).is_zero
    assert (root(F(1, 2)) * 2 - root(2)).is_zero


def the_inverse_is_one(m: Any) -> None:
    number = m.Radical.root(2) * 3 + m.Radical.of(5)
    assert (number.inverse() * number - 1).is_zero


def blocks_of_a_known_matrix(m: Any) -> None:
    with precision(64):
        frame = m.Frame(arb_mat([[2, 3, 0], [4, 5, 0], [0, 0, -7]]), [arb(1), arb(0), arb(0)])
        assert holds(frame.right_norm, 4)
        assert holds(frame.left_norm, 3)
        assert holds(frame.block_norm, 7)
        assert holds(frame.block_top, 5)
        low = m.Frame(arb_mat([[2, 0], [0, -7]]), [arb(1), arb(0)])
        assert holds(low.block_top, -7)  # not the 0 of u itself


def the_resolvent_of_a_known_matrix(m: Any) -> None:
    with precision(64):
        frame = m.Frame(arb_mat([[2, 3], [3, 1]]), [arb(1), arb(0)])
        assert holds(frame.resolvent_square(arb(3)), arb(9) / 4)


def the_field_of_one_token_is_the_projected_linear_one(m: Any) -> None:
    field = m.Field(fmpq_mat([[1, 0], [0, 1]]), fmpq_mat([[2, 0], [0, 1]]))
    with precision(64):
        x = [arb(3) / 5, arb(4) / 5]
        (v,) = field.velocity([x])
        # Vx - <x, Vx> x with <x, Vx> = 34/25
        assert holds(v[0], arb(48) / 125)
        assert holds(v[1], arb(-36) / 125)


def weights_are_those_of_the_softmax(m: Any) -> None:
    field = m.Field(fmpq_mat([[0, 2], [0, 0]]), fmpq_mat([[1, 0], [0, 1]]))
    with precision(64):
        rows, totals = field.weights([[arb(1), arb(0)], [arb(0), arb(1)]])
        # <A x_2, x_1> = 2, all other logits vanish
        assert holds(rows[0][1], 1)
        assert holds(rows[1][0], arb(2).exp())
        assert holds(totals[1], 1 + arb(2).exp())


def the_logarithmic_norm_is_above_difference_quotients(m: Any) -> None:
    field = m.Field(fmpq_mat([[3, 0], [1, -2]]), fmpq_mat([[1, 2], [-1, 1]]))
    with precision(128):
        tokens = [[arb(3) / 5, arb(4) / 5], [arb(-5) / 13, arb(12) / 13]]
        bound = field.logarithmic_norm(tokens)
        for i in range(2):
            for k in range(2):
                for j, c in ((0, 0), (0, 1), (1, 0), (1, 1)):
                    step = arb("1e-20")
                    moved = [
                        [x + (step if (p, q) == (j, c) else 0) for q, x in enumerate(row)]
                        for p, row in enumerate(tokens)
                    ]
                    slope = (field.velocity(moved)[i][k] - field.velocity(tokens)[i][k]) / step
                    assert (i, k) != (j, c) or slope.mid() <= bound + arb("1e-9")
        # the exact value by hand: one token, V = diag(1, -1), at (1, 0): J = diag(-2, -2) on δx
        alone = m.Field(fmpq_mat([[1, 0], [0, -1]]), fmpq_mat([[1, 0], [0, -1]]))
        assert holds(alone.logarithmic_norm([[arb(1), arb(0)]]) + arb(0, "1e-20"), -2)
        # and at (0, 1), where it is repelled at rate 2 along the circle and radially
        assert holds(alone.logarithmic_norm([[arb(0), arb(1)]]) + arb(0, "1e-20"), 2)


def other_tokens_count_in_the_logarithmic_norm(m: Any) -> None:
    # A = 0, V = 1: each token is drawn to the mean; J_ij = P/2 at x_1 = e1, x_2 = e2, J_ii = P/2 - 1/2 - x mᵀ
    field = m.Field(fmpq_mat([[0, 0], [0, 0]]), fmpq_mat([[1, 0], [0, 1]]))
    with precision(64):
        bound = field.logarithmic_norm([[arb(1), arb(0)], [arb(0), arb(1)]])
        # sym J_11 = [[-1, -1/4], [-1/4, 0]]: largest eigenvalue (-1 + √(5/4))/2, and ||J_12|| = 1/2
        assert holds(bound + arb(0, "1e-15"), ((arb(5) / 4).sqrt() - 1) / 2 + arb(1) / 2)


def _advanced(m: Any, field: Any, radius: Fraction, step: Fraction, bits: int = 24) -> Any:
    state = State(F(0), ((F(1),),), radius)
    with precision(bits), series_length(m._order(bits) + 1):
        return m.advance(field, state, step)


def the_true_end_is_within(m: Any) -> None:
    """``x' = -x`` from 1 ± r: the ends of the interval at time 1/4 are (1 ± r) e^{-1/4}."""
    radius = F(1, 1024)
    end = _advanced(m, Decay(), radius, F(1, 4))
    with precision(128):
        for sign in (1, -1):
            true = (1 + sign * arb(balls.rational(radius))) * (-arb(1) / 4).exp()
            assert abs(true - balls.rational(end.centre[0][0])) <= arb(balls.rational(end.radius))


def the_error_grows_as_the_field_expands(m: Any) -> None:
    """``x' = 2x``: an error grows e^{1/2}-fold in a quarter."""
    radius = F(1, 1024)
    end = _advanced(m, Decay(rate=-2, norm=2), radius, F(1, 4))
    with precision(64):
        assert end.radius >= F(1, 1024) * F(1648, 1000)


def the_tube_is_left_where_the_field_expands_too_fast(m: Any) -> None:
    assert raises("NotEnclosed", lambda: _advanced(m, Decay(norm=100), F(1, 1024), F(1, 4)))


def the_defect_of_a_wrong_polynomial_is_found(m: Any) -> None:
    """p = 1 - s solves x' = -x up to a defect of s, τ at most, by order 1 alone."""
    with precision(64), series_length(3):
        found = m._defect(Decay(), [[arb_poly([1, -1])]], 1, arb("0.25"))
        assert found >= arb("0.25")
        constant = m._defect(Decay(), [[arb_poly([1])]], 1, arb("0.25"))
        assert constant >= 1


def the_tail_is_cauchys(m: Any) -> None:
    """F(p) = -p with p = 1: |F| = 1 on the circle, and the tail beyond order N is 4^{-N-1}/(3/4) at ratio 1/4."""
    with precision(64):
        for order in (2, 5):
            found = m._tail(Decay(), [[arb_poly([1])]], order, arb("0.25"))
            assert found * (1 + arb("1e-12")) > arb(4) / 3 / arb(4) ** (order + 1)
        # p = s: on |s| = 1 it is 1 in modulus, everywhere on the circle, not at s = 1 alone
        turning = m._tail(Decay(), [[arb_poly([0, 1])]], 2, arb("0.25"))
        assert turning * (1 + arb("1e-12")) > arb(4) / 3 / 64


def the_circle_is_covered(m: Any) -> None:
    """|exp(-i s)| is largest on |s| = 1 at s = i: the bound must see it, and s = -i by symmetry."""

    class Turn(Decay):
        def velocity(self, tokens: Any) -> list[list[Any]]:
            return [[(acb(0, -1) * x).exp() for x in row] for row in tokens]

    with precision(64):
        found = m._tail(Turn(), [[arb_poly([0, 1])]], 0, arb("0.25"))
        assert found * 3 >= arb(1).exp()


def a_pole_in_the_disc_is_found(m: Any) -> None:
    """The denominator 2 - x along x = 3s vanishes at s = 2/3, within the disc of radius 1."""
    with precision(64):
        assert raises("_TooLong", lambda: m._tail(Wall(), [[arb_poly([0, 3])]], 4, arb("0.25")))
        assert m._tail(Wall(), [[arb_poly([0, 1])]], 4, arb("0.25")) > 0


def an_unbounded_field_is_found(m: Any) -> None:
    class Blow(Decay):
        def velocity(self, tokens: Any) -> list[list[Any]]:
            return [[1 / acb(x) for x in row] for row in tokens]

    with precision(64):
        assert (
            raises("_TooLong", lambda: m._tail(Blow(), [[arb_poly([0, 1])]], 4, arb("0.25")))
            or m._tail(Blow(), [[arb_poly([0, 1])]], 4, arb("0.25")) >= arb(4) ** -5
        )
        assert raises("_TooLong", lambda: m._tail(Blow(), [[arb_poly([0])]], 4, arb("0.25")))


def the_box_holds_the_whole_segment(m: Any) -> None:
    with precision(64):
        ((box,),) = m._range([[arb_poly([1, 2])]], arb("0.5"), arb("0.125"))
        assert box.lower() <= arb("0.875")
        assert box.upper() >= arb("2.125")


def the_start_holds_its_tokens(m: Any) -> None:
    with precision(64):
        state = m.start([[arb("0.6", "0.01"), arb("0.8", "0.01")]])
        reach = state.radius * state.radius
        assert reach >= F(2, 10_000)
        ((x, y),) = state.balls()
        assert x.contains(arb("0.6"))
        assert y.contains(arb("0.81"))


def series_are_read_as_far_as_they_go(m: Any) -> None:
    from flint import arb_series

    short = arb_series([1, 2], prec=2)
    try:
        m._padded(short, 3)
    except ValueError:
        return
    raise AssertionError("a short series is padded by zeros")


def _aim(m: Any, symmetric: bool = True, other: Any = "0.5") -> Any:
    axis = [arb(1), arb(0)]
    return m.Target(arb(1), arb(other), axis, axis if symmetric else [arb(1), arb(1)], symmetric)


def one_token_beyond_the_hyperplane_is_no_half_space(m: Any) -> None:
    aim, zero = _aim(m, symmetric=False), arb_mat([[0, 0], [0, 0]])
    assert m.limit_signs(aim, [[arb("0.8"), arb("0.6")], [arb("-0.6"), arb("0.5")]], zero) is None
    assert m.limit_signs(aim, [[arb("0.8"), arb("0.6")], [arb("-0.5"), arb("0.6")]], zero) == [1, 1]
    # by the left eigenvector, not by the right one
    assert m.limit_signs(aim, [[arb("0.6"), arb("-0.8")]], zero) == [-1]


def a_token_on_the_hyperplane_is_not_told(m: Any) -> None:
    zero = arb_mat([[0, 0], [0, 0]])
    assert m.limit_signs(_aim(m), [[arb(0, "0.1"), arb(1)]], zero) is None
    assert m.limit_signs(_aim(m), [[arb(0, "0.1"), arb(1)], [arb(1), arb(0)]], zero) is None


def two_clusters_need_attention_to_their_own(m: Any) -> None:
    """At the poles with equal weights the mean of two clusters is 0: no split without attention, one with enough."""
    tokens = [[arb(1), arb(0)], [arb(-1), arb(0)]]
    assert not m.split_holds(_aim(m), tokens, [1, -1], arb_mat([[0, 0], [0, 0]]))
    assert m.split_holds(_aim(m), tokens, [1, -1], arb_mat([[2, 0], [0, 0]]))
    # q/(1 - q) = e^{2a} must exceed (1 + 1/2)/(1 - 1/2) = 3: a > 0.5493
    assert not m.split_holds(_aim(m), tokens, [1, -1], arb_mat([["0.54", 0], [0, 0]]))
    assert m.split_holds(_aim(m), tokens, [1, -1], arb_mat([["0.56", 0], [0, 0]]))


def a_small_cluster_has_less_weight(m: Any) -> None:
    """Three against one: for the one, q/(1 - q) = e^{2a}/3 must exceed 3."""
    tokens = [[arb(1), arb(0)]] * 3 + [[arb(-1), arb(0)]]
    assert not m.split_holds(_aim(m), tokens, [1, 1, 1, -1], arb_mat([["1.08", 0], [0, 0]]))
    assert m.split_holds(_aim(m), tokens, [1, 1, 1, -1], arb_mat([["1.12", 0], [0, 0]]))


def tokens_off_the_poles_weaken_a_split(m: Any) -> None:
    """At overlap 0.6 the logits of the own cluster are known up to 4||A||√0.8 only."""
    tokens = [[arb("0.6"), arb("0.8")], [arb("-0.6"), arb("0.8")]]
    assert not m.split_holds(_aim(m), tokens, [1, -1], arb_mat([["0.9", 0], [0, 0]]))


def only_symmetric_matrices_split(m: Any) -> None:
    tokens = [[arb(1), arb(0)], [arb(-1), arb(0)]]
    aim = m.Target(arb(1), arb("0.5"), [arb(1), arb(0)], [arb(1), arb(0)], symmetric=False)
    assert m.limit_signs(aim, tokens, arb_mat([[5, 0], [0, 0]])) is None


def a_target_must_be_dominant(m: Any) -> None:
    from numerics.enclosure.spectrum import spectrum

    with precision(64):
        assert raises("NotSeparated", lambda: m.target(spectrum(fmpq_mat([[1, 0], [0, -2]]))))
        assert m.target(spectrum(fmpq_mat([[3, 0], [0, -2]]))).value > 2


def the_angles_of_two_tokens_move_as_the_tokens_do(m: Any) -> None:
    first, second = arb("0.7"), arb("2.6")
    with precision(64):
        field = m.PlaneField(arb(3) / 4, arb(1) / 4)  # λ = 1, 1/2
        value = fmpq_mat([[1, 0], [0, fmpq(1, 2)]])
        tokens = [[x.cos(), x.sin()] for x in (first, second)]
        moved = Field(value, value).velocity(tokens)
        for (rate,), v, x in zip(field.velocity([[first], [second]]), moved, tokens, strict=True):
            assert holds(rate - (x[0] * v[1] - x[1] * v[0]), 0)


def the_logarithmic_norm_of_angles_is_that_of_difference_quotients(m: Any) -> None:
    with precision(200):
        field = m.PlaneField(arb(3) / 4, arb(1) / 4)
        at, step = [arb("0.7"), arb("2.6")], arb("1e-30")
        here = field.velocity([[x] for x in at])
        quotients = []
        for j in (0, 1):
            there = field.velocity([[x + (step if k == j else 0)] for k, x in enumerate(at)])
            quotients.append([(there[i][0] - here[i][0]) / step for i in (0, 1)])
        true = (quotients[0][0] + abs(quotients[1][0])).max(quotients[1][1] + abs(quotients[0][1]))
        assert abs(field.logarithmic_norm([[x] for x in at]) - true) < arb("1e-20")


def a_margin_that_may_be_zero_is_undecided(m: Any) -> None:
    from proofs_checks.certify.corpus import instance_of, load

    tie = next(e for e in load("boundary") if e["statements"].get("criterion-quoted") == "proved_false")
    found = m.decide(instance_of(tie), ["criterion-quoted"])["criterion-quoted"]
    assert found.decision is Decision.PROVED_FALSE


@dataclass(frozen=True)
class Mutant:
    """One change of the source of a module, and the check of the lemma that it breaks."""

    name: str
    module: str
    old: str
    new: str
    check: Callable[[Any], None]


_B, _N, _S = "numerics.enclosure.balls", "numerics.enclosure.norms", "numerics.enclosure.spectrum"
_G, _L, _F = "numerics.enclosure.segments", "numerics.enclosure.limits", "numerics.enclosure.field"
_R, _P, _D = "numerics.enclosure.radicals", "numerics.enclosure.plane", "numerics.enclosure.decision"
_FR = "numerics.enclosure.frame"
MUTANTS = (
    Mutant("NaN let through", _B, "if not value.is_finite():", "if False:", nan_has_no_sign),
    Mutant("a ball about zero read as zero", _B, "return 0 if value.is_zero() else None", "return 0",
           a_ball_about_zero_has_no_sign),
    Mutant("a ball read by its centre", _B, "    if value > 0:", "    if value.mid() > 0:",
           a_ball_about_zero_has_no_sign),
    Mutant("the ends of a ball are its centre", _B, "return _dyadic(value.lower()), _dyadic(value.upper())",
           "return _dyadic(value.mid()), _dyadic(value.mid())", the_ends_of_a_ball_are_outside_it),
    Mutant("undecided read as true", _D,
           'raise TypeError(f"{self.value!r} has no truth value: compare it with a Decision")', "return True",
           no_word_is_true),
    Mutant("undecided ignored among others", _D,
           "(Decision.PROVED_FALSE, Decision.DEGENERATE, Decision.UNDECIDED)",
           "(Decision.PROVED_FALSE, Decision.DEGENERATE)", one_undecided_spoils_all),
    Mutant("a pivot need not be certified", _N, "        if not pivot > 0:", "        if pivot < 0:",
           cholesky_stops_at_a_pivot_that_may_vanish),
    Mutant("Cholesky without its corrections", _N, "pivot = matrix[k, k] - sum(", "pivot = matrix[k, k] + 0 * sum(",
           cholesky_stops_at_a_pivot_that_may_vanish),
    Mutant("the upper bound is the Rayleigh quotient", _N,
           "return quotient.lower().union(_upper(symmetric, quotient.mid()))", "return quotient.mid()",
           the_largest_eigenvalue_is_within),
    Mutant("the upper bound without factorisation", _N, "if positive_definite(shifted):", "if True:",
           an_upper_bound_is_one_from_any_start),
    Mutant("a norm of the symmetric part", _N, "largest_eigenvalue(matrix.transpose() * matrix)",
           "largest_eigenvalue(matrix * matrix)", norms_are_of_the_whole_matrix),
    Mutant("float sorting", _S, "return sign(one.ball.real - other.ball.real) == 1",
           "return bool(one.ball.real.mid() > other.ball.real.mid())",
           overlapping_balls_are_not_sorted_by_their_centres),
    Mutant("exact multiplicity not looked for", _S, "if all(power == 1 for _, power in factors):", "if True:",
           a_double_eigenvalue_is_seen),
    Mutant("multiplicity lost", _S, "return Eigenvalue(root, bool(root.imag.is_zero()), power, factor)",
           "return Eigenvalue(root, bool(root.imag.is_zero()), 1, factor)", a_double_eigenvalue_is_seen),
    Mutant("a complex pair read as real", _S, "if not leading.real:", "if False:", a_complex_pair_is_seen),
    Mutant("only real parts of the others", _S, "rest = [abs(e.ball) for e in self.eigenvalues[1:]]",
           "rest = [e.ball.real for e in self.eigenvalues[1:]]", all_other_moduli_count),
    Mutant("the eigenvector of the transpose", _S, "rows = [[arb(matrix[i, k])", "rows = [[arb(matrix[k, i])",
           the_eigenvector_is_within),
    Mutant("different roots in one class", _R, "if ratio is not None:",
           "if True:\n            ratio = ratio or Fraction(1)",
           roots_of_one_class_cancel_and_others_do_not),
    Mutant("the inverse without its conjugate", _R, "p: -s / square", "p: s / square", the_inverse_is_one),
    Mutant("c taken for b", _FR, "return norm(self._across(self.matrix.transpose()))",
           "return norm(self._across(self.matrix))", blocks_of_a_known_matrix),
    Mutant("u not sunk below the block", _FR, "self.block[i, k] - depth * self.vector[i]",
           "self.block[i, k] - 0 * depth * self.vector[i]", blocks_of_a_known_matrix),
    Mutant("resolvent of the wrong sign", _FR, "(value if i == k else 0) - self.block[i, k]",
           "(value if i == k else 0) + self.block[i, k]", the_resolvent_of_a_known_matrix),
    Mutant("no projection on the sphere", _F, "result.append([p - radial * c", "result.append([p - 0 * radial * c",
           the_field_of_one_token_is_the_projected_linear_one),
    Mutant("attention of the transpose", _F, "(_inner(query, key) - own).exp() if k != i",
           "(_inner(looking[k], tokens[i]) - own).exp() if k != i", weights_are_those_of_the_softmax),
    Mutant("other tokens left out of the logarithmic norm", _F, "total = total + operator_norm(tangent * moved)",
           "total = total", other_tokens_count_in_the_logarithmic_norm),
    Mutant("the radial part left out of the logarithmic norm", _F, "(radial if k == c else 0)", "(0 if k == c else 0)",
           the_logarithmic_norm_is_above_difference_quotients),
    Mutant("radius halved", _G, "return State(state.time + step, moved.centre, midpoint(radius))",
           "return State(state.time + step, moved.centre, midpoint(radius) / 2)", the_true_end_is_within),
    Mutant("no growth of the error", _G, "later = (error * growth + defect", "later = (error + defect",
           the_error_grows_as_the_field_expands),
    Mutant("the tube not checked", _G, "if not (error * worst + defect * tau * worst) < tube:", "if False:",
           the_tube_is_left_where_the_field_expands_too_fast),
    Mutant("defect dropped", _G, "return (_largest(bounds) + tail).upper()", "return tail.upper()",
           the_defect_of_a_wrong_polynomial_is_found),
    Mutant("defect at the centre of the step alone", _G, "power = power * tau\n        bounds",
           "power = power * 0\n        bounds", the_defect_of_a_wrong_polynomial_is_found),
    Mutant("tail dropped", _G, "    return (largest * power / (1 - arb(1) / ratio)).upper()", "    return arb(0)",
           the_tail_is_cauchys),
    Mutant("one power too many in the tail", _G, "for _ in range(order + 1):\n        power = power / ratio",
           "for _ in range(order + 2):\n        power = power / ratio", the_tail_is_cauchys),
    Mutant("half of the arcs left out", _G, "for k in range(ARCS // 2 + 1):", "for k in range(2):",
           the_circle_is_covered),
    Mutant("disc-pole check dropped", _G, "if not all(acb(total).real > 0 for total in totals):", "if False:",
           a_pole_in_the_disc_is_found),
    Mutant("an infinite bound let through", _G, "if not size.is_finite():", "if False:", an_unbounded_field_is_found),
    Mutant("the box at the middle of the step alone", _G, "p(middle + span) + around", "p(middle) + around",
           the_box_holds_the_whole_segment),
    Mutant("the tube left out of the box", _G, "p(middle + span) + around", "p(middle + span)",
           the_box_holds_the_whole_segment),
    Mutant("the width of the start left out", _G,
           "return State(Fraction(0), centre, midpoint(_largest(away).upper()))",
           "return State(Fraction(0), centre, Fraction(0))", the_start_holds_its_tokens),
    Mutant("short series padded by zeros", _G, "    if series.prec < length:", "    if False:",
           series_are_read_as_far_as_they_go),
    Mutant("half space by the right eigenvector", _L, "sign(dot(self.left, x))", "sign(dot(self.right, x))",
           one_token_beyond_the_hyperplane_is_no_half_space),
    Mutant("an untold side taken for the others'", _L, "if len(sides) != len(found):", "if not sides:",
           a_token_on_the_hyperplane_is_not_told),
    Mutant("a split for any matrix", _L, "return sides if aim.symmetric and", "return sides if",
           only_symmetric_matrices_split),
    Mutant("a split without the pull of the others", _L, "        if not gain > loss:", "        if not gain > 0:",
           two_clusters_need_attention_to_their_own),
    Mutant("the size of a cluster left out", _L, "mass = arb(mine) / (mine + (len(sides) - mine) * cross)",
           "mass = 1 / (1 + cross)", a_small_cluster_has_less_weight),
    Mutant("tokens taken to be at the poles", _L, "+ 4 * operator_norm(attention) * apart", "",
           tokens_off_the_poles_weaken_a_split),
    Mutant("a target that is not dominant", _L, "or not spectrum.leading > spectrum.largest_other_modulus", "",
           a_target_must_be_dominant),
    Mutant("the mean and the gap confused", _P, "drawn = -self.mean * (own - other).sin() - self.half_gap",
           "drawn = -self.half_gap * (own - other).sin() - self.mean",
           the_angles_of_two_tokens_move_as_the_tokens_do),
    Mutant("weights kept fixed in the Jacobian", _P, "spread = weight * rows[i][i] / totals[i]", "spread = 0 * weight",
           the_logarithmic_norm_of_angles_is_that_of_difference_quotients),
    Mutant("the coupling left out of the Jacobian", _P, "rate = rate + abs(coupling)", "rate = rate",
           the_logarithmic_norm_of_angles_is_that_of_difference_quotients),
    Mutant("every tie counts as satisfied", "proofs_checks.certify.ladder",
           "decision = Decision.PROVED_FALSE if statement.strict else Decision.PROVED_TRUE",
           "decision = Decision.PROVED_TRUE", a_margin_that_may_be_zero_is_undecided),
)  # fmt: skip


def source(module: str) -> str:
    return Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8")


def changed(mutant: Mutant) -> ModuleType:
    """The module with the change, under a name of its own."""
    text = source(mutant.module)
    assert text.count(mutant.old) == 1, f"{mutant.old!r} occurs {text.count(mutant.old)} times in {mutant.module}"
    name = f"{mutant.module}_changed"
    module = ModuleType(name)
    module.__file__ = str(importlib.import_module(mutant.module).__file__)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        exec(compile(text.replace(mutant.old, mutant.new), name, "exec"), module.__dict__)
    finally:
        del sys.modules[name]
    return module


def killed(mutant: Mutant) -> bool:
    """Whether the check fails on the changed module, by an assertion of its own."""
    try:
        mutant.check(changed(mutant))
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_aimed_check_kills_it(mutant: Mutant) -> None:
    mutant.check(importlib.import_module(mutant.module))
    assert killed(mutant)


def test_the_list_has_what_it_must() -> None:
    assert len(MUTANTS) >= 40
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert {m.module.rsplit(".", 1)[1] for m in MUTANTS} == {
        "balls", "decision", "norms", "spectrum", "radicals", "frame", "field", "segments", "limits", "plane", "ladder",
    }  # fmt: skip


def markdown() -> str:
    lines = ["| what is changed | module | check that fails | |", "| --- | --- | --- | --- |"]
    for mutant in MUTANTS:
        fate = "killed" if killed(mutant) else "**survived**"
        check = mutant.check.__name__.replace("_", " ")
        lines.append(f"| {mutant.name} | `{mutant.module.rsplit('.', 1)[1]}` | {check} | {fate} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_the_docs_is_this() -> None:
    assert TABLE.read_text(encoding="utf-8") == markdown(), "run `python tests/enclosure/test_soundness.py`"


if __name__ == "__main__":
    TABLE.write_text(markdown(), encoding="utf-8")
