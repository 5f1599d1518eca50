"""thm-4.6/random-safe: the density of the next token, and the share that all its laws have in common."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.derivations.model import V, u1, x
from theory.derivations.thm_4_6_model import dV
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import Entails, Identity, Monotone, Textbook, Wick
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.chains import Minorised
from theory.kernel.step import Step

after = vector("p46_x_next", "x^{l+1}")
left, right = vector("p46_a", "a"), vector("p46_b_factor", "b")
given = vector("p46_b_value", r"\beta")
point, centre = vector("p46_point", "y"), vector("p46_centre", r"\mu")
spread = scalar("p46_spread", "v", positive=True)
norm = scalar("p46_norm", r"(\pi v)^{-1}", positive=True)
density, density_past = scalar("p46_density", "f"), scalar("p46_density_past", r"f_{\mathrm{past}}")
wide = scalar("p46_wide", "f_0")
share, event, rate = scalar("p46_share", "c"), scalar("p46_event", "P"), scalar("p46_rate", "q")

_Z, _share = scalar("p46_Z", "Z"), scalar("p46_share_any", r"\theta")
PALEY_ZYGMUND = Theorem(
    "Paley-Zygmund inequality",
    at_most((1 - _share) ** 2 * Expect(_Z) ** 2, event * Expect(_Z**2)),
    "R. E. A. C. Paley, A. Zygmund, Proc. Cambridge Philos. Soc. 28 (1932) 190-205, Lemma 19",
    (at_most(0, _Z),),
)
"""``0 <= θ <= 1``, and ``p46_event`` is the probability of ``Z >= θ E Z``."""

_chance, _factor = scalar("p46_chance_any", "p"), scalar("p46_factor_any", "c")
_raw = vector("p46_raw_any", "z")
_density, _reference = scalar("p46_density_any", "f"), scalar("p46_reference_any", "g")
_height, _width = scalar("p46_height_any", "k", positive=True), scalar("p46_width_any", "w", positive=True)


def jump(state: Any) -> Any:
    """A token after a layer, before its normalisation."""
    return state + s.h * (V + dV) * state


_state, _following = vector("p46_state_any", "x"), vector("p46_state_any_next", "x^{+}")
MINORISATION = Theorem(
    "common part of laws with a density",
    Minorised(_state, _following, _chance * _factor),
    "S. Meyn, R. L. Tweedie, Markov Chains and Stochastic Stability, 2nd ed., Cambridge 2009, §5.2 and §16.2 (small "
    "sets from densities)",
    (
        equal(_following, _raw / Norm(_raw)),
        equal(_reference, _height * sp.exp(-Dot(point, point) / _width)),
        at_most(_factor * _reference, _density),
        at_most(_chance, event),
    ),
)
"""From every state, on an event of probability ``p46_event``, the vector z has the density f (at any point), and g is a
density of directions that are uniform. So the direction of z has at least the share p c of the uniform law."""

_vector, _mean, _size = vector("p46_vector_any", "z"), vector("p46_mean_any", "m"), scalar("p46_size_any", "c")
GAUSSIAN_DENSITY = Theorem(
    "density of an isotropic Gaussian vector in the plane",
    equal(density, norm * sp.exp(-Dot(point - _mean, point - _mean) / spread)),
    "T. W. Anderson, An Introduction to Multivariate Statistical Analysis, 3rd ed., Wiley 2003, §2.3",
    (equal(_vector, _mean + _size * left), equal(spread, _size**2)),
)
"""``left`` is ``N(0, I/2)``, ``p46_norm`` is ``1/(πv)``; the density at the point y, where v > 0."""

_WICK = {right: 1 / s.d}
_SQUARE = Dot(right, x) ** 2
TOP = sp.Rational(121, 100)
FLOOR = sp.Rational(1, 20)
_LOWER = -2 * TOP / FLOOR - 2 * Dot(point, point) / spread
_UPPER = -Dot(point - centre, point - centre) / spread

DENSITY = (
    Step(
        "jump",
        equal(x + s.h * (V + dV) * x, centre + s.h * s.eta * s.s_norm * Dot(given, x) * left),
        ("zero-mean-adapters", "gaussian-adapters"),
        Identity(),
        r"Before its normalisation the next token is Gaussian about $\mu=x+hVx$, given $b=\beta$.",
    ),
    Step(
        "gaussian",
        equal(density, norm * sp.exp(_UPPER)),
        ("jump", "spread"),
        Textbook(
            GAUSSIAN_DENSITY,
            {_vector: x + s.h * (V + dV) * x, _mean: centre, _size: s.h * s.eta * s.s_norm * Dot(given, x)},
        ),
        r"Its density.",
    ),
    Step(
        "component",
        at_most(Dot(x, u1) ** 2, 1),
        ("unit", "axis-unit"),
        Entails(degree=1, squares=(Norm(x - Dot(x, u1) * u1),)),
        r"Both are unit vectors.",
    ),
    Step(
        "centre-bound",
        at_most(Dot(centre, centre), TOP),
        ("zero-mean-adapters", "projector", "component", "unit", "axis-unit", "step"),
        Entails(degree=1),
        r"$|\mu|\le1+h$.",
    ),
    Step(
        "distance",
        at_most(Dot(point - centre, point - centre), 2 * Dot(point, point) + 2 * Dot(centre, centre)),
        (),
        Entails(degree=1, squares=(Norm(point + centre),)),
        r"The difference is $|y+\mu|^2$.",
    ),
    Step(
        "spread-floor",
        at_most(FLOOR, spread),
        ("spread", "on-event", "unit", "step", "dimension", "size"),
        Entails(degree=2),
        r"On the event $\langle\beta,x\rangle^2\ge\tfrac14$ the noise is not small.",
    ),
    Step(
        "exponent",
        at_most(_LOWER, _UPPER),
        ("distance", "centre-bound", "spread-floor"),
        Entails(degree=3),
        r"Compare exponents.",
    ),
    Step("exponential", at_most(sp.exp(_LOWER), sp.exp(_UPPER)), ("exponent",), Monotone(sp.exp), r"Exponentials."),
    Step(
        "minor",
        at_most(share * wide, density_past),
        ("exponential", "share", "wide", "gaussian", "independent-adapters"),
        Entails(degree=2),
        r"Whatever the past, the density is at least $c$ times that of a centred Gaussian vector.",
    ),
)

EVENT = (
    Step(
        "second-moment",
        equal(Expect(_SQUARE), Dot(x, x) / s.d),
        (),
        Wick(_WICK),
        r"Given $x$, $\langle b,x\rangle$ is a Gaussian number.",
    ),
    Step(
        "fourth-moment",
        equal(Expect(_SQUARE**2), 3 * Dot(x, x) ** 2 / s.d**2),
        (),
        Wick(_WICK),
        r"Its fourth moment.",
    ),
    Step(
        "paley-zygmund",
        at_most((1 - sp.Rational(1, 2)) ** 2 * Expect(_SQUARE) ** 2, event * Expect(_SQUARE**2)),
        (),
        Textbook(PALEY_ZYGMUND, {_Z: _SQUARE, _share: sp.Rational(1, 2)}),
        r"A number with such moments is not always small.",
    ),
    Step(
        "event",
        at_most(sp.Rational(1, 12), event),
        ("paley-zygmund", "second-moment", "fourth-moment", "unit", "dimension"),
        Entails(degree=2),
        r"$P\ge\tfrac1{12}$, from whatever $x$.",
    ),
    Step(
        "minorised",
        Minorised(x, after, share / 12),
        ("layer", "wide", "minor", "event"),
        Textbook(
            MINORISATION,
            {
                _state: x,
                _following: after,
                _raw: jump(x),
                _reference: wide,
                _height: 2 * norm,
                _width: spread / 2,
                _factor: share,
                _density: density_past,
                _chance: sp.Rational(1, 12),
            },
        ),
        r"So the direction of the next token has the share $c/12$ of the uniform law.",
    ),
    Step("share-positive", below(0, share), ("share",), Entails(degree=3), r"$c>0$."),
    Step(
        "rate-below-one",
        below(rate, 1),
        ("rate", "share-positive"),
        Entails(degree=1),
        r"So there is a contraction.",
    ),
)
