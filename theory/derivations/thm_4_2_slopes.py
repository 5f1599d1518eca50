"""thm-4.2/collapse, thm-4.2/fixed-step: how the critical norm scales with depth, in the linearised model."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import thm_4_2_growth as growth
from theory.derivations.thm_4_2_growth import GEOMETRY, STEP, copy, variance
from theory.kernel.notation import at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Entails, Identity, Monotone
from theory.kernel.rules.accumulate import Together
from theory.kernel.rules.cases import Squeeze
from theory.kernel.step import Derivation, Step, parts

level = scalar("t42_level", r"r^2", positive=True)
eta_random, eta_tied = (
    scalar("t42_eta_random", r"\eta_c(L)", positive=True),
    scalar("t42_eta_tied", r"\eta_c^{\mathrm{tied}}(L)", positive=True),
)
eta_ar = scalar("t42_eta_ar", r"\eta_c^{\mathrm{AR}(1)}(L)", positive=True)
eta_well, plateau = (
    scalar("t42_eta_well", r"\eta_c^{\mathrm{well}}(L)", positive=True),
    scalar("t42_plateau", r"\eta_\infty", positive=True),
)
share = scalar("t42_share", r"\epsilon", positive=True)
WELL_AT: dict[Any, Any] = {growth.u_j: vector("t42_u_k", "u_k"), s.lambda_j: scalar("t42_lambda_k", r"\lambda_k")}

KINDS: dict[str, tuple[Derivation, dict[Any, Any]]] = {
    "random": (growth.RANDOM, {**copy("random", "random"), s.eta: eta_random}),
    "tied": (growth.TIED, {**copy("tied", "tied"), s.eta: eta_tied}),
    "well": (growth.WELL, {**copy("well", "w"), **WELL_AT, s.eta: eta_well}),
    "ar": (growth.CORRELATED, {**copy("ar1", "AR"), s.eta: eta_ar}),
}


def family_of(kinds: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any], tuple[Step, ...]]:
    """Setting, assumptions and the steps about the growth of the variance, for some kinds of adapters."""
    setting, assumed, steps = dict(GEOMETRY), {}, []
    for kind in kinds:
        lemma, at = KINDS[kind]
        shared = (
            GEOMETRY
            if kind != "well"
            else {n: g for n, g in GEOMETRY.items() if n in lemma.setting and lemma.setting[n].xreplace(at) == g}
        )
        own = {name: given for name, given in lemma.setting.items() if name not in shared}
        own["collapsed"] = lemma.assumptions["collapsed-base"]
        renamed = {f"{name}-{kind}": given.xreplace(at) for name, given in own.items()}
        setting |= renamed
        for name, given in lemma.assumptions.items():
            if name != "collapsed-base":
                known = assumed.get(name, ())
                assumed[name] = (*known, *(p for p in parts(given.xreplace(at)) if p not in known))
        steps.append(
            Step(
                f"growth-{kind}",
                lemma.states.xreplace(at),  # type: ignore[union-attr]
                (*shared, *renamed, *(name for name in lemma.assumptions if name != "collapsed-base")),
                Apply(lemma.claim, at),
                _WHY[kind],
            )
        )
    return setting, {name: both(*given) for name, given in assumed.items()}, tuple(steps)


_WHY = {
    "well": r"Independent adapters and a direction with $\lambda_k<\lambda_1$: the variance has a limit in depth.",
    "random": r"Independent adapters: the variance of $y_j$ grows like $L$.",
    "tied": r"Tied adapters: like $L^2$.",
    "ar": r"AR(1) adapters: like $L(1+\rho)/(1-\rho)$ in the end.",
}
_LEVEL = both(*(equal(variance.xreplace(KINDS[kind][1])[s.L], level) for kind in ("random", "tied", "well")))
_SETTING, _ASSUMED, _GROWTH = family_of(("random", "tied", "well"))
prefactor_tied = scalar("t42_prefactor_tied", r"\eta_c^{\mathrm{tied}}(1)", positive=True)
_TIED = claims.CRITICAL_NORM.expr.xreplace({s.exponent: sp.Integer(-1), s.critical_norm_1: prefactor_tied})
_ONE = s.d * sp.sqrt(level) / (STEP * s.s_norm)
_PLATEAU = claims.CRITICAL_NORM.expr.xreplace({s.exponent: sp.Integer(0), s.critical_norm_1: plateau})

FIXED = Derivation(
    claim="thm-4.2/fixed-step",
    setting={
        **_SETTING,
        "level": _LEVEL,
        "one-layer": both(equal(s.critical_norm_1, _ONE), equal(prefactor_tied, _ONE)),
        "exponent": equal(s.exponent, -sp.Rational(1, 2)),
        "weights-nonzero": below(0, s.s_norm),
        "plateau": equal(plateau, _ONE * sp.sqrt(1 - s.layer_ratio**2)),
        "deep": at_most(2 * s.L * sp.log(s.layer_ratio), sp.log(share)),
    },
    assumptions=_ASSUMED,
    steps=(
        *_GROWTH,
        Step(
            "squares",
            both(equal(eta_random**2 * s.L, s.critical_norm_1**2), equal(eta_tied**2 * s.L**2, prefactor_tied**2)),
            ("growth-random", "growth-tied", "level", "one-layer", "weights-nonzero"),
            Identity(),
            r"The level is reached at these norms.",
        ),
        Step(
            "tied",
            equal(eta_tied, _TIED),
            ("squares",),
            Squeeze(degree=3),
            r"Tied adapters: the slope is $-1$.",
        ),
        Step(
            "well-square",
            equal(eta_well**2 * (1 - growth.STAYS), plateau**2),
            ("growth-well", "level", "plateau", "weights-nonzero"),
            Identity(),
            r"There the level is reached at this norm.",
        ),
        Step(
            "well-deep",
            at_most(growth.STAYS, share),
            ("deep",),
            Monotone(sp.exp),
            r"At depth $L\ge\log\epsilon/(2\log\rho_k)$",
        ),
        Step(
            "well-low",
            at_most(_PLATEAU, eta_well),
            ("well-square",),
            Entails(degree=4, squares=(eta_well * sp.exp(s.L * sp.log(s.layer_ratio)),)),
            r"it is above its plateau,",
        ),
        Step(
            "well-high",
            at_most(eta_well**2 * (1 - share), plateau**2),
            ("well-square", "well-deep"),
            Entails(degree=3),
            r"and below it times $(1-\epsilon)^{-1/2}$: the slope is 0.",
        ),
        Step("root", below(0, sp.sqrt(s.L)), (), Entails(degree=2), r"The root of the depth."),
        Step(
            "random",
            equal(eta_random, claims.CRITICAL_NORM.expr),
            ("squares", "exponent", "root"),
            Squeeze(degree=3),
            r"Independent adapters: the slope is $-\frac12$.",
        ),
        Step(
            "slopes",
            both(
                equal(eta_random, claims.CRITICAL_NORM.expr),
                equal(eta_tied, _TIED),
                at_most(_PLATEAU, eta_well),
                at_most(eta_well**2 * (1 - share), plateau**2),
            ),
            ("random", "tied", "well-low", "well-high"),
            Together(),
            r"The slopes $-\frac12$, $-1$, and 0 on the plateau.",
        ),
    ),
    remark=(
        r"In the linearised model, at a level of $\mathbb E\,y_j^2$. The slopes $-\frac12$ and $-1$ are exact where no "
        r"eigenvalue pulls ($g=0$); the corrections for small $ghL$ are not derived. The plateau is that of "
        r"independent adapters, in a direction $u_k$ with $\lambda_k<\lambda_1$ ($\log\rho_k<0$: all "
        r"large depths are deep). "
        r"Tied adapters have no plateau here."
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (FIXED,)
