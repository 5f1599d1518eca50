"""Checks of the lemmas on the flow: the field, its segments, limits, angles in the plane, ties of the ladder.

Each takes the module, as it is or changed on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

from ball_expectations import holds, raises
from flint import acb, arb, arb_mat, arb_poly, fmpq, fmpq_mat

from numerics.enclosure import balls
from numerics.enclosure.balls import precision
from numerics.enclosure.decision import Decision
from numerics.enclosure.field import Field
from numerics.enclosure.segments import State, series_length


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


def _advanced(m: Any, field: Any, radius: F, step: F, bits: int = 24) -> Any:
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
