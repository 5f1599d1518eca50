"""thm-4.2/collapse: at fixed time one curve for all depths, in the norm over the root of the depth or in the norm."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import drive, u1, x
from theory.derivations.thm_4_2_growth import AR_GROWTH, copy, rho, variance
from theory.derivations.thm_4_2_linearised import LAYER, after, length
from theory.derivations.thm_4_2_model import GAUSS, dV
from theory.derivations.thm_4_2_slopes import KINDS, eta_ar, eta_random, eta_tied, family_of, level, prefactor_tied
from theory.derivations.thm_4_2_variance import VARIANCE
from theory.kernel.notation import Dot, LimitOf, at_most, below, both, equal, identity, scalar
from theory.kernel.rules import Apply, Entails, Identity, Monotone, PowerSeries
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.limits import Sandwich
from theory.kernel.step import Derivation, Step, parts

inverse_depth = scalar("t42_inverse_depth", r"L^{-1}", positive=True)
shift = scalar("t42_ar_shift", r"\lim\eta_c^{\mathrm{AR}(1)}/\eta_c", positive=True)
_SETTING, _ASSUMED, _GROWTH = family_of(("random", "tied", "ar"))
_O = copy("orth", "o")
_P = identity - u1 * u1.T
_ORTHOGONAL = {name: given.xreplace(_O) for name, given in LAYER.items()}
_ONE = s.d * sp.sqrt(level) / (s.T * s.s_norm)
_TIED = claims.CRITICAL_NORM.expr.xreplace({s.exponent: sp.Integer(0), s.critical_norm_1: prefactor_tied})
_PER_LAYER = (AR_GROWTH / s.L).xreplace({s.L: 1 / inverse_depth})
_LIMIT = (1 + rho) / (1 - rho)
_LEAST = _LIMIT - 2 * rho * inverse_depth / (1 - rho) ** 2
_STAYS = sp.exp(sp.log(rho) / inverse_depth)
_TAU_EXPONENT = -(s.noise_scale**2) * s.T * s.s_norm**2 * (s.d - 1) / (2 * s.d**2)
_NORM_EXPONENT = -((eta_random / sp.sqrt(s.L)) ** 2) * s.T**2 * s.s_norm**2 * (s.d - 1) / (2 * s.d**2)
_CURVE = 1 - sp.exp(_NORM_EXPONENT)
_EXACT = next(step.says for step in VARIANCE.steps if step.id == "power-limit")
_OVERLAP = Dot(_O[after], u1)
_SQUARES = both(
    equal(eta_random**2, s.critical_norm_1**2 * s.L),
    equal(eta_tied**2, prefactor_tied**2),
    equal(eta_ar**2 * AR_GROWTH, s.critical_norm_1**2 * s.L**2),
)
_RATIO = equal((eta_ar / eta_random) ** 2 * AR_GROWTH / s.L, 1)

COLLAPSE = Derivation(
    claim="thm-4.2/collapse",
    setting={
        **_SETTING,
        **{name: VARIANCE.setting[name] for name in ("start", "regular-plus")},
        "no-values": equal(s.lambda_1, 0),
        "fixed-time": equal(s.h, s.T / s.L),
        "tau": equal(s.noise_scale, sp.sqrt(s.h) * eta_random),
        "level": both(
            *(equal(variance.xreplace(at)[s.L], level) for _, at in (KINDS[k] for k in ("random", "tied", "ar")))
        ),
        "one-layer": both(equal(s.critical_norm_1, _ONE), equal(prefactor_tied, _ONE)),
        "exponent": equal(s.exponent, sp.Rational(1, 2)),
        "nonzero": both(below(0, s.T), below(0, s.s_norm)),
        "shift": equal(shift**2 * LimitOf(_PER_LAYER, inverse_depth), 1),
        "orthogonal": both(equal(_O[x], u1), _ORTHOGONAL["collapsed-base"], equal(_O[dV], s.eta * _P * GAUSS * _P)),
    },
    assumptions={
        name: both(*given.args, *parts(_ORTHOGONAL[name])) if name in _ORTHOGONAL else given
        for name, given in _ASSUMED.items()
    },
    steps=(
        *_GROWTH,
        Step(
            "exact-curve",
            _EXACT,
            ("weights", "start", "regular-plus"),
            Apply("thm-4.2/variance#power-limit"),
            r"Independent adapters, $V=0$: the drift itself has a limit as $L\to\infty$ at fixed $\tau$ and $T$,",
        ),
        Step(
            "curve-exponent",
            equal(_TAU_EXPONENT, _NORM_EXPONENT),
            ("tau", "fixed-time"),
            Identity(),
            r"with an exponent",
        ),
        Step(
            "curve-power",
            equal(sp.exp(_TAU_EXPONENT), sp.exp(_NORM_EXPONENT)),
            ("curve-exponent",),
            Monotone(sp.exp),
            r"and so a value",
        ),
        Step(
            "curve",
            equal(claims.COLLAPSED_DRIFT.expr, _CURVE),
            ("curve-power",),
            Identity(),
            r"which depends on $\eta$ and $L$ through $\eta/\sqrt L$ only: $\tau^2T=T^2\eta^2/L$.",
        ),
        Step(
            "squares",
            _SQUARES,
            (
                "growth-random",
                "growth-tied",
                "growth-ar",
                "level",
                "one-layer",
                "no-values",
                "fixed-time",
                "nonzero",
                "correlated-ar",
            ),
            Identity(),
            r"Where the linearised models reach the level.",
        ),
        Step("tied", equal(eta_tied, _TIED), ("squares",), Squeeze(degree=3), r"Tied adapters: the slope is 0."),
        Step(
            "random",
            equal(eta_random, claims.CRITICAL_NORM.expr),
            ("squares", "exponent"),
            Squeeze(degree=4),
            r"Independent adapters: the slope is $\frac12$.",
        ),
        Step(
            "ar-ratio",
            _RATIO,
            ("squares", "correlated-ar"),
            Identity(),
            r"AR(1) adapters against independent ones, at every depth.",
        ),
        Step("log-negative", below(sp.log(rho), 0), ("correlated-ar",), Monotone(sp.log), r"$\log\rho<0$,"),
        Step(
            "deep-exponent",
            at_most(sp.log(rho) / inverse_depth, 0),
            ("log-negative",),
            Entails(degree=2),
            r"at every depth,",
        ),
        Step("stays", at_most(_STAYS, 1), ("deep-exponent",), Monotone(sp.exp), r"so that $\rho^L\le1$."),
        Step(
            "per-layer-low",
            at_most(_LEAST, _PER_LAYER),
            ("correlated-ar",),
            Entails(degree=5),
            r"The variance per layer from below,",
        ),
        Step(
            "per-layer-high",
            at_most(_PER_LAYER, _LIMIT),
            ("stays", "correlated-ar"),
            Entails(degree=3),
            r"and from above.",
        ),
        Step(
            "bounds-limit",
            both(equal(LimitOf(_LEAST, inverse_depth), _LIMIT), equal(LimitOf(_LIMIT, inverse_depth), _LIMIT)),
            (),
            PowerSeries(order=3),
            r"Both go to $(1+\rho)/(1-\rho)$ in depth,",
        ),
        Step(
            "long-run",
            equal(LimitOf(_PER_LAYER, inverse_depth), _LIMIT),
            ("per-layer-low", "per-layer-high", "bounds-limit"),
            Sandwich(),
            r"the long-run variance.",
        ),
        Step(
            "shift-square",
            equal(shift**2 * _LIMIT, 1),
            ("shift", "long-run", "correlated-ar"),
            Identity(),
            r"It fixes the ratio of the norms at great depth.",
        ),
        Step("root", below(0, sp.sqrt(1 + rho)), (), Entails(degree=2), r"The root exists."),
        Step(
            "ar-shift",
            equal(shift, claims.AR1_SHIFT.expr),
            ("shift-square", "root"),
            Squeeze(degree=4),
            r"The root.",
        ),
        Step(
            "drive",
            equal(_O[drive], s.lambda_1 * u1),
            ("single-head", "attention-only", "orthogonal", "eigenpair"),
            Identity(),
            r"Adapters with both factors off $u_1$ do nothing to tokens at $u_1$:",
        ),
        Step(
            "length",
            equal(_O[length], 1 + s.h * s.lambda_1),
            ("post-ln", "drive", "orthogonal", "eigenpair", "step-positive"),
            Squeeze(degree=2),
            r"by this factor,",
        ),
        Step(
            "stays-there",
            equal(_O[after], u1),
            ("post-ln", "length", "drive", "orthogonal"),
            Identity(),
            r"and the normalisation takes it off.",
        ),
        Step(
            "no-drift",
            equal(Dot(_O[after] - u1, _O[after] - u1) / 2, 0),
            ("stays-there",),
            Identity(),
            r"and $D=0$.",
        ),
        Step(
            "law",
            both(
                _EXACT,
                equal(claims.COLLAPSED_DRIFT.expr, _CURVE),
                equal(eta_random, claims.CRITICAL_NORM.expr),
                equal(eta_tied, _TIED),
                _RATIO,
                equal(shift, claims.AR1_SHIFT.expr),
                equal(Dot(_O[after] - u1, _O[after] - u1) / 2, 0),
            ),
            ("exact-curve", "curve", "random", "tied", "ar-ratio", "ar-shift", "no-drift"),
            Together(),
            r"The curves and their slopes, the shift, and orthogonal adapters.",
        ),
    ),
    conditional=(
        r"For $V\ne0$, for the full $D$ of tied or AR(1) adapters, and relative to a plateau, the fall on "
        r"one curve is not derived; the AR(1) shift is that of the long-run variances."
    ),
    remark=(
        r"The curve of independent adapters is exact for $V=0$. Slopes and shift are those of the "
        r"linearised model without a "
        r"well ($V$ vanishes on the two directions, $h=T/L$), where they hold at every depth; for "
        r"tied adapters the curve of "
        r"large drift is not derived. $\eta_c^{\mathrm{AR}(1)}/\eta_c$ at great depth is what the "
        r"long-run variances allow."
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (COLLAPSE,)
