"""Checks of the lemmas on numbers and matrices: balls, decisions, norms, spectra, radicals, frames.

Each takes the module, as it is or changed on purpose.
"""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from ball_expectations import holds, raises
from flint import acb, arb, arb_mat, fmpq, fmpq_mat

from numerics.enclosure.balls import precision


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
