"""The terms of the SDE limit: one layer at a general token, to the first orders of the root of the step."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations.model import V
from theory.derivations.thm_4_2_model import GAUSS, VARIANCES, WEIGHTS, length
from theory.derivations.thm_4_2_variance import root_h
from theory.kernel.notation import Dot, Expect, LimitOf, below, both, equal, scalar, vector
from theory.kernel.rules import Identity, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.random_matrices import MatrixWick
from theory.kernel.step import Derivation, Step

token, token_other = vector("t42_token", "x_i"), vector("t42_token_other", "x_j")
mean, mean_other = vector("t42_mean", "m_i"), vector("t42_mean_other", "m_j")
test, test_other = vector("t42_test", "e"), vector("t42_test_other", "e'")
half, half_other = scalar("t42_half", r"n_i"), scalar("t42_half_other", r"n_j")
full = scalar("t42_full", r"f_i")


def _moved(x: Any, m: Any) -> Any:
    return x + root_h**2 * V * m + root_h * s.noise_scale * GAUSS * m


def _overlap(x: Any, m: Any, e: Any) -> Any:
    """``<N(x + h(V + ΔV)m), e>`` with ``h = root_h²`` and ``hη = root_h τ``."""
    return Dot(_moved(x, m), e) / length(_moved(x, m))


def _explicit(x: Any, m: Any, e: Any) -> Any:
    kick, pull, tau = GAUSS * m, V * m, s.noise_scale
    along = Dot(x, e) + root_h * tau * Dot(kick, e) + root_h**2 * Dot(pull, e)
    square = (
        1
        + 2 * root_h * tau * Dot(kick, x)
        + root_h**2 * (2 * Dot(pull, x) + tau**2 * Dot(kick, kick))
        + 2 * root_h**3 * tau * Dot(kick, pull)
        + root_h**4 * Dot(pull, pull)
    )
    return along / sp.sqrt(square)


def _half(x: Any, m: Any, e: Any) -> Any:
    return s.noise_scale * (Dot(GAUSS * m, e) - Dot(GAUSS * m, x) * Dot(x, e))


def _full(x: Any, m: Any, e: Any) -> Any:
    """``<P_x V m, e>``, and what the curvature of the sphere adds."""
    return (
        Dot(V * m, e)
        - Dot(V * m, x) * Dot(x, e)
        + s.noise_scale**2
        * (
            -Dot(GAUSS * m, x) * Dot(GAUSS * m, e)
            - Dot(GAUSS * m, GAUSS * m) * Dot(x, e) / 2
            + sp.Rational(3, 2) * Dot(GAUSS * m, x) ** 2 * Dot(x, e)
        )
    )


_first = _overlap(token, mean, test)
_other = _overlap(token_other, mean_other, test_other)
SETTING: dict[str, Any] = {
    "tokens": both(equal(Dot(token, token), 1), equal(Dot(token_other, token_other), 1)),
    "regular": both(below(0, length(_moved(token, mean))), below(0, length(_moved(token_other, mean_other)))),
    "weights": WEIGHTS,
    "sigma": equal(s.sigma, s.noise_scale * s.s_norm / s.d),
    "orders": both(
        equal(half, LimitOf((_explicit(token, mean, test) - Dot(token, test)) / root_h, root_h)),
        equal(
            half_other,
            LimitOf((_explicit(token_other, mean_other, test_other) - Dot(token_other, test_other)) / root_h, root_h),
        ),
        equal(
            full,
            LimitOf(
                (_explicit(token, mean, test) - Dot(token, test) - root_h * _half(token, mean, test)) / root_h**2,
                root_h,
            ),
        ),
    ),
}
TERMS = both(
    equal(_first, _explicit(token, mean, test)),
    equal(_other, _explicit(token_other, mean_other, test_other)),
    equal(Expect(half), 0),
    equal(
        Expect(half * half_other),
        s.sigma**2
        * Dot(mean, mean_other)
        * Dot(test - Dot(token, test) * token, test_other - Dot(token_other, test_other) * token_other),
    ),
    equal(
        Expect(full),
        Dot(V * mean, test)
        - Dot(V * mean, token) * Dot(token, test)
        - s.sigma**2 * (s.d - 1) * Dot(mean, mean) * Dot(token, test) / 2,
    ),
)

ITO = Derivation(
    claim="lemma/ito-terms",
    title="Drift and covariance of one layer, to the order of the step",
    states=TERMS,
    setting=SETTING,
    steps=(
        Step(
            "layer",
            both(*TERMS.args[:2]),
            ("tokens", "regular"),
            Identity(),
            r"One layer in powers of $\sqrt h$, tested with any vector $e$.",
        ),
        Step(
            "series",
            both(
                equal(SETTING["orders"].args[0].args[1], _half(token, mean, test)),
                equal(SETTING["orders"].args[1].args[1], _half(token_other, mean_other, test_other)),
                equal(SETTING["orders"].args[2].args[1], _full(token, mean, test)),
            ),
            (),
            PowerSeries(order=5),
            r"The first two orders.",
        ),
        Step(
            "first-orders",
            both(
                equal(half, _half(token, mean, test)),
                equal(half_other, _half(token_other, mean_other, test_other)),
                equal(full, _full(token, mean, test)),
            ),
            ("orders", "series"),
            Identity(),
            r"By name.",
        ),
        Step("centred", TERMS.args[2], ("first-orders",), MatrixWick(VARIANCES), r"Order $\sqrt h$: no drift,"),
        Step(
            "covariance",
            TERMS.args[3],
            ("first-orders", "weights", "sigma"),
            MatrixWick(VARIANCES),
            r"and for any two tokens the covariance of $\sigma P_{x_i}dB\,m_i$ with one common matrix $B$.",
        ),
        Step(
            "drift",
            TERMS.args[4],
            ("first-orders", "weights", "sigma", "tokens"),
            MatrixWick(VARIANCES),
            r"Order $h$: $P_{x_i}Vm_i-\tfrac12\sigma^2(d-1)|m_i|^2x_i$.",
        ),
        Step("terms", TERMS, ("layer", "centred", "covariance", "drift"), Together(), r"Put together."),
    ),
)
LEMMAS: tuple[Derivation, ...] = (ITO,)
DERIVATIONS: tuple[Derivation, ...] = ()
