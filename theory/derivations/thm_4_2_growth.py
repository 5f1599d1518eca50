"""How the variance of the linearised model grows with depth where no eigenvalue pulls: independent, tied, AR(1)."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations.model import SYMMETRIC_BASE, attention, drive, m, u1, x
from theory.derivations.thm_4_2_linearised import (
    LAYER,
    LINEARISED,
    NEAR,
    SPECTRUM,
    after,
    length,
    noise,
    scale,
    tan_next,
    tangent,
    u_j,
    unit_adapter,
    variance,
    y,
    y_next,
)
from theory.derivations.thm_4_2_model import GAUSS, VARIANCES, WEIGHTS, dV, mean_dV
from theory.kernel.notation import NOTATION, Dot, Expect, below, both, equal, family, matrix, scalar, vector
from theory.kernel.rules import Apply, Entails, Identity
from theory.kernel.rules.expectation import Linearity
from theory.kernel.rules.random_matrices import MatrixWick
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

STEP = s.h / (1 + s.h * s.lambda_1)
PER_LAYER = s.eta**2 * s.s_norm**2 / s.d**2
FLAT: dict[Any, Any] = {s.lambda_j: s.lambda_1}
rho = s.correlation
joint, joint_next = family("t42_joint", r"\mathbb E\,y_j\xi_j"), scalar("t42_noise_next", r"\xi_j^{l+1}")
noise_square = family("t42_noise_square", r"\mathbb E\,\xi_j^2")
adapter_next, fresh = matrix("t42_D_next", r"\Delta V^{l+1}/\delta"), matrix("t42_F", "F")
kick = scalar("t42_F_part", r"\langle u_j,Fu_1\rangle")
POWER = sp.exp(s.L * sp.log(rho))
AR_GROWTH = s.L * (1 + rho) / (1 - rho) - 2 * rho * (1 - POWER) / (1 - rho) ** 2

GEOMETRY: dict[str, Any] = {
    **{name: given.xreplace(FLAT) for name, given in SPECTRUM.items()},
    "symmetric": SYMMETRIC_BASE,
    "unit": equal(Dot(u_j, u_j), 1),
    "weights": WEIGHTS,
}
ZERO_MEAN = equal(mean_dV, sp.ZeroMatrix(s.d, s.d))
DRAWN = equal(unit_adapter, s.eta * (mean_dV + GAUSS))
MOMENTS = both(equal(variance[s.L], Expect(y**2)), equal(variance[s.L + 1], Expect(y_next**2)))
JOINT = both(*MOMENTS.args, equal(joint[s.L], Expect(y * noise)))


def copy(kind: str, text: str) -> dict[Any, Any]:
    """The objects of one layer under other names."""

    def written(old: Any) -> str:
        return rf"{{{NOTATION[str(old.name)]}}}_{{\mathrm{{{text}}}}}"

    found: dict[Any, Any] = {}
    for old in (x, m, drive, attention, after, tangent):
        found[old] = vector(f"{old.name}_{kind}", written(old))
    for old in (dV, unit_adapter, adapter_next, fresh):
        found[old] = matrix(f"{old.name}_{kind}", written(old))
    for old in (length, scale, tan_next, noise, y, y_next, joint_next, kick):
        signs = {"positive": True} if old.is_positive else {}
        found[old] = scalar(f"{old.name}_{kind}", written(old), **signs)
    for old in (variance, joint, noise_square):
        found[old] = family(f"{old}_{kind}", written(old.label))
    return found


_LAYER = (
    Step(
        "recursion",
        LINEARISED.steps[-1].says.xreplace(FLAT),
        (*SPECTRUM, "symmetric", *NEAR, *LAYER),
        Apply("lemma/linearised-layer", FLAT),
        r"One layer, linearised about $u_1$, in a direction with the eigenvalue $\lambda_1$,",
    ),
    Step(
        "walk",
        equal(y_next, y + STEP * noise),
        ("recursion", "step-positive"),
        Identity(),
        r"adds to $y_j$ and takes nothing off.",
    ),
)


def _noise_square(of: Any, given: str) -> Step:
    return Step(
        "noise-square",
        equal(Expect(of**2), PER_LAYER),
        (given, "gaussian-adapters", "zero-mean-adapters", "weights", "eigenpair", "unit"),
        MatrixWick(VARIANCES),
        r"The variance of what an adapter adds along $u_j$.",
    )


_SETTING: dict[str, Any] = {**GEOMETRY, **NEAR}
_MODEL: dict[str, Any] = {**LAYER, "gaussian-adapters": DRAWN, "zero-mean-adapters": ZERO_MEAN}

RANDOM = Derivation(
    claim="lemma/independent-growth",
    title="Independent adapters: the variance grows like the depth",
    states=equal(variance[s.L], s.L * STEP**2 * PER_LAYER),
    setting={**_SETTING, "moments": MOMENTS, "independent": equal(Expect(y * noise), Expect(y) * Expect(noise))},
    assumptions={**_MODEL, "common-start": equal(variance[0], 0)},
    steps=(
        *_LAYER,
        Step(
            "noise-mean",
            equal(Expect(noise), 0),
            ("noise", "gaussian-adapters", "zero-mean-adapters"),
            MatrixWick(VARIANCES),
            r"What an adapter adds has mean zero.",
        ),
        _noise_square(noise, "noise"),
        Step(
            "second-moment",
            equal(Expect(y_next**2), Expect(y**2) + STEP**2 * Expect(noise**2)),
            ("walk", "noise-mean", "independent", "step-positive"),
            Linearity((y, noise)),
            r"It is independent of the layers before.",
        ),
        Step(
            "variance-recursion",
            equal(variance[s.L + 1], variance[s.L] + STEP**2 * PER_LAYER),
            ("second-moment", "noise-square", "moments", "step-positive"),
            Identity(),
            r"Variances add up,",
        ),
        Step(
            "growth",
            equal(variance[s.L], s.L * STEP**2 * PER_LAYER),
            ("variance-recursion", "common-start", "step-positive"),
            Recursion(variance[s.L], s.L),
            r"over $L$ layers.",
        ),
    ),
)

_MIXED = (
    Step(
        "joint-start",
        equal(joint[0], 0),
        ("common-start",),
        Identity(),
        r"At the start $y_j=0$.",
    ),
    Step("start", equal(variance[0], 0), ("common-start",), Identity(), r"The same of the square."),
    Step(
        "second-moment",
        equal(Expect(y_next**2), Expect(y**2) + 2 * STEP * Expect(y * noise) + STEP**2 * Expect(noise**2)),
        ("walk", "step-positive"),
        Linearity((y, noise)),
        r"The square of $y_j$ after the layer.",
    ),
)
_BOTH_START = both(equal(variance[0], 0), equal(joint[0], 0))

TIED = Derivation(
    claim="lemma/tied-growth",
    title="Tied adapters: the variance grows like the square of the depth",
    states=equal(variance[s.L], s.L**2 * STEP**2 * PER_LAYER),
    setting={
        **_SETTING,
        "moments": both(*JOINT.args, equal(joint[s.L + 1], Expect(y_next * joint_next))),
        "tied": equal(joint_next, noise),
    },
    assumptions={**_MODEL, "common-start": _BOTH_START},
    steps=(
        *_LAYER,
        _noise_square(noise, "noise"),
        *_MIXED,
        Step(
            "mixed",
            equal(Expect(y_next * joint_next), Expect(y * noise) + STEP * Expect(noise**2)),
            ("walk", "tied", "step-positive"),
            Linearity((y, noise)),
            r"The adapter of the next layer is the same.",
        ),
        Step(
            "joint-recursion",
            equal(joint[s.L + 1], joint[s.L] + STEP * PER_LAYER),
            ("mixed", "noise-square", "moments", "step-positive"),
            Identity(),
            r"So $y_j$ and what is added are correlated,",
        ),
        Step(
            "joint",
            equal(joint[s.L], s.L * STEP * PER_LAYER),
            ("joint-recursion", "joint-start", "step-positive"),
            Recursion(joint[s.L], s.L),
            r"more and more.",
        ),
        Step(
            "variance-recursion",
            equal(variance[s.L + 1], variance[s.L] + (2 * s.L + 1) * STEP**2 * PER_LAYER),
            ("second-moment", "joint", "noise-square", "moments", "step-positive"),
            Identity(),
            r"The odd numbers add up",
        ),
        Step(
            "growth",
            equal(variance[s.L], s.L**2 * STEP**2 * PER_LAYER),
            ("variance-recursion", "start", "step-positive"),
            Recursion(variance[s.L], s.L),
            r"to the square.",
        ),
    ),
)

CORRELATED = Derivation(
    claim="lemma/correlated-growth",
    title="AR(1) adapters: the variance grows like the depth in the end",
    states=equal(variance[s.L], STEP**2 * PER_LAYER * AR_GROWTH),
    setting={
        **_SETTING,
        "moments": both(
            *JOINT.args,
            equal(joint[s.L + 1], Expect(y_next * joint_next)),
            equal(noise_square[s.L], Expect(noise**2)),
            equal(noise_square[s.L + 1], Expect(joint_next**2)),
        ),
        "ar1": both(
            equal(adapter_next, rho * unit_adapter + sp.sqrt(1 - rho**2) * fresh),
            equal(joint_next, Dot(u_j, adapter_next * u1)),
        ),
        "kick": equal(kick, Dot(u_j, fresh * u1)),
        "correlated": below(rho, 1),
        "stationary": equal(noise_square[0], PER_LAYER),
        "fresh": both(
            equal(Expect(y * kick), Expect(y) * Expect(kick)), equal(Expect(noise * kick), Expect(noise) * Expect(kick))
        ),
    },
    assumptions={
        **LAYER,
        "gaussian-adapters": equal(fresh, s.eta * (mean_dV + GAUSS)),
        "zero-mean-adapters": ZERO_MEAN,
        "common-start": _BOTH_START,
    },
    steps=(
        *_LAYER,
        Step(
            "noise-next",
            equal(joint_next, rho * noise + sp.sqrt(1 - rho**2) * kick),
            ("ar1", "noise", "kick"),
            Identity(),
            r"What the next layer adds.",
        ),
        Step(
            "kick-mean",
            equal(Expect(kick), 0),
            ("kick", "gaussian-adapters", "zero-mean-adapters"),
            MatrixWick(VARIANCES),
            r"The fresh part has mean zero.",
        ),
        _noise_square(kick, "kick"),
        Step(
            "noise-next-square",
            equal(Expect(joint_next**2), rho**2 * Expect(noise**2) + (1 - rho**2) * Expect(kick**2)),
            ("noise-next", "kick-mean", "fresh"),
            Linearity((noise, kick)),
            r"It is independent of the past.",
        ),
        Step(
            "noise-recursion",
            equal(noise_square[s.L + 1], rho**2 * noise_square[s.L] + (1 - rho**2) * PER_LAYER),
            ("noise-next-square", "noise-square", "moments"),
            Identity(),
            r"So that the variance",
        ),
        Step(
            "noise-variance",
            equal(noise_square[s.L], PER_LAYER),
            ("noise-recursion", "stationary"),
            Recursion(noise_square[s.L], s.L),
            r"is the same at every layer.",
        ),
        *_MIXED,
        Step(
            "mixed",
            equal(Expect(y_next * joint_next), rho * Expect(y * noise) + rho * STEP * Expect(noise**2)),
            ("walk", "noise-next", "kick-mean", "fresh", "step-positive"),
            Linearity((y, noise, kick)),
            r"The correlation with the next layer",
        ),
        Step(
            "joint-recursion",
            equal(joint[s.L + 1], rho * joint[s.L] + rho * STEP * PER_LAYER),
            ("mixed", "noise-variance", "moments", "step-positive"),
            Identity(),
            r"obeys a recursion of its own,",
        ),
        Step(
            "joint",
            equal(joint[s.L], rho * STEP * PER_LAYER * (1 - POWER) / (1 - rho)),
            ("joint-recursion", "joint-start", "step-positive", "correlated"),
            Recursion(joint[s.L], s.L),
            r"a geometric sum.",
        ),
        Step(
            "variance-recursion",
            equal(variance[s.L + 1], variance[s.L] + STEP**2 * PER_LAYER * (1 + 2 * rho * (1 - POWER) / (1 - rho))),
            ("second-moment", "joint", "noise-variance", "moments", "step-positive", "correlated"),
            Identity(),
            r"What one layer adds to the variance.",
        ),
        Step(
            "growth",
            equal(variance[s.L], STEP**2 * PER_LAYER * AR_GROWTH),
            ("variance-recursion", "start", "step-positive", "correlated"),
            Recursion(variance[s.L], s.L),
            r"$\sum_{k,k'<L}\rho^{|k-k'|}$, by induction over layers.",
        ),
    ),
)
_r = s.layer_ratio
STAYS = sp.exp(2 * s.L * sp.log(_r))
WELL_GEOMETRY: dict[str, Any] = {
    **SPECTRUM,
    "symmetric": SYMMETRIC_BASE,
    "unit": equal(Dot(u_j, u_j), 1),
    "weights": WEIGHTS,
    "ratio": both(equal(_r, claims.LAYER_RATIO.expr), below(0, 1 + s.h * s.lambda_j)),
    "gap": below(s.lambda_j, s.lambda_1),
}
WELL = Derivation(
    claim="lemma/well-growth",
    title="Independent adapters and a well: the variance has a limit in depth",
    states=equal(variance[s.L], STEP**2 * PER_LAYER * (1 - STAYS) / (1 - _r**2)),
    setting={
        **WELL_GEOMETRY,
        **NEAR,
        "moments": MOMENTS,
        "independent": equal(Expect(y * noise), Expect(y) * Expect(noise)),
    },
    assumptions={**_MODEL, "common-start": equal(variance[0], 0)},
    steps=(
        Step(
            "recursion",
            LINEARISED.steps[-1].says,
            (*SPECTRUM, "symmetric", *NEAR, *LAYER),
            Apply("lemma/linearised-layer"),
            r"One layer, linearised about $u_1$.",
        ),
        Step(
            "below-one",
            below(_r, 1),
            ("ratio", "gap", "step-positive"),
            Entails(degree=2),
            r"It pulls $y_j$ back.",
        ),
        *RANDOM.steps[2:4],
        Step(
            "second-moment",
            equal(Expect(y_next**2), _r**2 * Expect(y**2) + STEP**2 * Expect(noise**2)),
            ("recursion", "ratio", "noise-mean", "independent", "step-positive"),
            Linearity((y, noise)),
            r"The adapter is independent of the layers before.",
        ),
        Step(
            "variance-recursion",
            equal(variance[s.L + 1], _r**2 * variance[s.L] + STEP**2 * PER_LAYER),
            ("second-moment", "noise-square", "moments", "step-positive"),
            Identity(),
            r"What is there shrinks, and a variance is added,",
        ),
        Step(
            "growth",
            equal(variance[s.L], STEP**2 * PER_LAYER * (1 - STAYS) / (1 - _r**2)),
            ("variance-recursion", "common-start", "below-one", "step-positive"),
            Recursion(variance[s.L], s.L),
            r"over $L$ layers.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = (LINEARISED, RANDOM, TIED, CORRELATED, WELL)
DERIVATIONS: tuple[Derivation, ...] = ()
