"""prop-3.3/nonsymmetric: the cone theorem, from the Dini inequality of Theorem 4.6 and a Riccati equation."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory import thm_4_6
from theory.derivations.model import m
from theory.derivations.thm_4_6_lower import LOWER, tan_i_rate
from theory.derivations.thm_4_6_model import tan_rate
from theory.kernel.notation import at_most, below, equal, scalar
from theory.kernel.rules import Apply, Comparison, Definition, Entails, Envelope, Identity
from theory.kernel.step import Derivation, Step

_theta = s.tan_max_angle
_inner, _outer = s.cone_inner, s.cone_outer_inverse
_start = (s.tan_max_angle_0 - _inner) / (1 - _outer * s.tan_max_angle_0)
now = scalar("p33_now", r"\mu(t)")
begin = scalar("p33_begin", r"\mu(0)")
_BOUND = (_inner + now) / (1 + _outer * now)
_RESTS = ("unit", "w", "b", "b-norm", "c", "c-norm", "block", "kappa", "separation", "weights", "unit-tokens",
          "every-token-in-cone", "boundary", "spread")  # fmt: skip

NONSYMMETRIC = Derivation(
    claim="prop-3.3/nonsymmetric",
    setting={
        **{k: LOWER.setting[k] for k in _RESTS},
        "hemisphere": LOWER.assumptions["hemisphere"],
        "cone": below(0, claims.CONE_MARGIN.expr),
        "not-arrived": below(_inner, _theta),
        "inside": below(_outer * s.tan_max_angle_0, 1),
        "still-inside": below(_outer * _theta, 1),
        "start-outside": below(_inner, s.tan_max_angle_0),
    },
    assumptions={k: LOWER.assumptions[k] for k in ("single-head", "post-ln", "attention-only")},
    steps=(
        Step("rate", equal(s.cone_rate, claims.CONE_RATE.expr), (), Definition(), r"The distance of the roots."),
        Step("inner", equal(_inner, claims.CONE_INNER.expr), (), Definition(), r"The smaller root,"),
        Step("outer", equal(_outer, claims.CONE_OUTER_INVERSE.expr), (), Definition(), r"the inverse of the larger one."),
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (NONSYMMETRIC,)
_ = thm_4_6, m, tan_i_rate, tan_rate, at_most, Apply, Comparison, Entails, Envelope, Identity, sp, _start, begin, _BOUND
