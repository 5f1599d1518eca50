"""Averages over tokens: linear, positive, with softmax weights; their rates."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import a, b, c, holds, u, why_not, x

from theory.kernel.notation import Dot, at_most, below, equal, scalar, vector
from theory.kernel.rules.averages import (
    AttentionMean,
    Average,
    Averaged,
    AverageIdentity,
    AverageRate,
    I,
    J,
    Reweighted,
    Rise,
    token_scalar,
    token_vector,
)

f, g, logit = (token_scalar(f"kt_{n}_j", n) for n in ("f", "g", "l"))
f_i, logit_i = token_scalar("kt_f_i", "f"), token_scalar("kt_l_i", "l")
t_j = token_vector("kt_t_j", "t")
f_rate, l_rate = token_scalar("kt_fr_j", "f'"), token_scalar("kt_lr_j", "l'")
a_rate = scalar("kt_a_rate", "a'")
mean = vector("kt_mean_of_t", "m")
s = scalar("kt_path", "s", nonnegative=True)


def of(inside: object, weight: object = logit) -> sp.Expr:
    return Average(inside, weight, J)


def test_an_inequality_for_every_token_is_one_of_the_means() -> None:
    assert holds(Averaged(logit), at_most(of(f), of(g)), at_most(f, g))
    assert holds(Averaged(logit), at_most(a * of(f) + 1, b), at_most(a * f + 1, b))
    assert holds(Averaged(0), equal(of(f, 0), 2 * of(g, 0)), equal(f, 2 * g))


@pytest.mark.parametrize(
    ("says", "premise"),
    [
        (at_most(of(g), of(f)), at_most(f, g)),
        (at_most(2 * of(f), of(g)), at_most(f, g)),
        (at_most(of(f), -of(g)), at_most(f, g)),
        (at_most(of(f, 0), of(g, 0)), at_most(f, g)),
        (at_most(of(f), of(g, 0)), at_most(f, g)),
        (at_most(of(f) ** 2, of(g)), at_most(f**2, g)),
        (at_most(of(f * g), a), at_most(f, a)),
        (at_most(of(f), of(g) + 1), at_most(f, g)),
        (at_most(Average(f_i, logit_i, I), Average(g, logit, J)), at_most(f, g)),
        (below(of(f), of(g)), below(f, g)),
        (equal(of(f), of(g)), at_most(f, g)),
        (at_most(a * of(f), of(g)), at_most(f, g)),
        (at_most(of(f * f_i), of(g)), at_most(f, g)),
    ],
)
def test_no_other_one(says: sp.Basic, premise: sp.Basic) -> None:
    assert why_not(Averaged(logit), says, premise)


def test_what_is_another_one_for_every_token_is_no_constant() -> None:
    says, premise = at_most(a, of(f)), at_most(a, f)
    assert holds(Averaged(logit), says, premise)
    assert "every token" in why_not(Averaged(logit), says, premise, given=[equal(a, Dot(t_j, u))])
    assert "every token" in why_not(AverageIdentity(), equal(of(a * f), a * of(f)), given=[equal(g + 0 * a, a)])


def test_identities_of_averages() -> None:
    assert holds(AverageIdentity(), equal(of(f + 2 * g), of(f) + 2 * of(g)))
    assert holds(AverageIdentity(), equal(of(a), a))
    assert holds(AverageIdentity(), equal(of(a * f), a * of(f)))
    assert holds(AverageIdentity(), equal(of(Dot(t_j, u)), Dot(mean, u)), AttentionMean(mean, t_j, logit, J))
    assert holds(AverageIdentity(), equal(of(of(f) * g), of(f) * of(g)))


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (equal(of(f * g), of(f) * of(g)), []),
        (equal(of(f**2), of(f) ** 2), []),
        (equal(of(1 / f), 1 / of(f)), []),
        (equal(of(a), 2 * a), []),
        (equal(of(f), Average(f, 2 * logit, J)), []),
        (equal(of(f), of(f, 0)), []),
        (equal(of(f), of(g)), []),
        (equal(of(f * f_i), f * of(f_i)), []),
        (equal(of(Dot(t_j, u)), Dot(mean, u)), []),
        (equal(of(Dot(t_j, u)), Dot(mean, x)), [AttentionMean(mean, t_j, logit, J)]),
        (equal(of(Dot(t_j, u), 0), Dot(mean, u)), [AttentionMean(mean, t_j, logit, J)]),
        (equal(of(Dot(t_j, t_j)), Dot(mean, mean)), [AttentionMean(mean, t_j, logit, J)]),
        (at_most(of(f), of(f)), []),
    ],
)
def test_no_identities(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(AverageIdentity(), says, *premises)


REWEIGHTED = equal(of(f) * of(sp.exp(logit), 0), of(sp.exp(logit) * f, 0))


def test_softmax_weights() -> None:
    assert holds(Reweighted(), REWEIGHTED)


@pytest.mark.parametrize(
    "says",
    [
        equal(of(f), of(sp.exp(logit) * f, 0)),
        equal(of(f) * of(sp.exp(-logit), 0), of(sp.exp(-logit) * f, 0)),
        equal(of(f) * of(sp.exp(2 * logit), 0), of(sp.exp(2 * logit) * f, 0)),
        equal(of(f) * of(sp.exp(logit), 0), of(sp.exp(logit) * g, 0)),
        equal(of(f) * of(sp.exp(logit)), of(sp.exp(logit) * f)),
        equal(2 * of(f) * of(sp.exp(logit), 0), of(sp.exp(logit) * f, 0)),
        equal(of(f) * of(sp.exp(logit), 0), of(sp.exp(logit) * f**2, 0)),
        equal(of(f) * of(g) * of(sp.exp(logit), 0), of(sp.exp(logit) * f * g, 0)),
        at_most(of(f) * of(sp.exp(logit), 0), of(sp.exp(logit) * f, 0)),
    ],
)
def test_no_other_weights(says: sp.Basic) -> None:
    assert why_not(Reweighted(), says)


RATES = {a: a_rate, f: f_rate, logit: l_rate}
SLOPE = of(f_rate) + of(f * l_rate) - of(f) * of(l_rate)


def test_the_rate_of_a_softmax_mean() -> None:
    assert holds(AverageRate(RATES), equal(a_rate, SLOPE), equal(a, of(f)))
    assert holds(AverageRate({a: a_rate, f: f_rate}), equal(2 * a * a_rate, of(f_rate, 0)), equal(a**2, of(f, 0)))


@pytest.mark.parametrize(
    "says",
    [
        equal(a_rate, of(f_rate)),
        equal(a_rate, -SLOPE),
        equal(a_rate, 2 * SLOPE),
        equal(a_rate, of(f_rate) + of(f * l_rate)),
        equal(a_rate, of(f_rate) - of(f * l_rate) + of(f) * of(l_rate)),
        equal(a_rate, of(f_rate) + of(f * l_rate) - of(f) ** 2 * of(l_rate)),
        equal(a, SLOPE),
        at_most(a_rate, SLOPE),
    ],
)
def test_no_other_rate(says: sp.Basic) -> None:
    assert why_not(AverageRate(RATES), says, equal(a, of(f)))


def test_tokens_of_another_index_move_too() -> None:
    premise = equal(a, f_i * of(f, 0))
    assert "moves too" in why_not(AverageRate({a: a_rate, f: f_rate}), equal(a_rate, f_i * of(f_rate, 0)), premise)
    assert "every token" in why_not(
        AverageRate({a: a_rate, f: f_rate}), equal(a_rate, of(f_rate, 0)), equal(a, of(f, 0)), given=[equal(a, 2 * g)]
    )


RISE = Rise(Average(logit, 0, J), s, {logit: g})
PATH = equal(logit, f + s * g)


def test_the_rise_along_a_path() -> None:
    assert holds(RISE, at_most(of(f + g, 0) - of(f, 0), b), at_most(of(g, 0), b), PATH)


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (at_most(of(f, 0) - of(f + g, 0), b), [at_most(of(g, 0), b), PATH]),
        (at_most(of(f + g, 0) - of(f, 0), 2 * b), [at_most(of(g, 0), b), PATH]),
        (at_most(of(f + g, 0), b), [at_most(of(g, 0), b), PATH]),
        (at_most(of(f + g, 0) - of(f, 0), b), [at_most(of(f, 0), b), PATH]),
        (at_most(of(f + g, 0) - of(f, 0), b), [at_most(of(g, 0), b)]),
        (at_most(of(f + g, 0) - of(f, 0), b), [at_most(of(g, 0), b), equal(logit, f + s**2 * g)]),
        (at_most(of(f + 2 * g, 0) - of(f, 0), b), [at_most(of(g, 0), b), equal(logit, f + 2 * s * g)]),
        (at_most(of(f + g, 0) - of(f, 0), b + s), [at_most(of(g, 0), b + s), PATH]),
        (equal(of(f + g, 0) - of(f, 0), b), [equal(of(g, 0), b), PATH]),
    ],
)
def test_no_other_rise(says: sp.Basic, premises: list[sp.Basic]) -> None:
    assert why_not(RISE, says, *premises)


def test_a_bound_that_moves_with_the_path_is_none() -> None:
    says = at_most(of(f + g, 0) - of(f, 0), b)
    assert "moves" in why_not(RISE, says, at_most(of(g, 0), b), PATH, given=[equal(b, c * s)])
