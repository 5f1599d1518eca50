"""thm-4.6/cutoff: how collapsed tokens move, and their profile in time."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import x, x_rate
from theory.derivations.thm_4_6_model import (
    EIGENVALUE,
    EIGENVECTOR,
    MATRIX,
    POINT,
    RAYLEIGH_ACROSS,
    SECOND,
    V_new,
)
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import Definition, Entails, Identity, Monotone, Textbook
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.evolution import Along
from theory.kernel.step import Derivation, Step

u, u2 = vector("p46_u1", r"\tilde u_1"), vector("p46_u2", r"\tilde u_2")
start = vector("p46_x0", r"\tilde x(0)")
across = vector("p46_across", r"\tilde x^\perp")
z, z_across = vector("p46_z", "z"), vector("p46_z_across", r"z^\perp")
lambda_2 = scalar("p46_lambda_2", r"\tilde\lambda_2")
work, work_rate = scalar("p46_work", "W"), scalar("p46_work_rate", r"\dot W")
jump = scalar("p46_T_star", "T^*")
level = scalar("p46_level", "p")

height, height_2 = Dot(x, u), Dot(x, u2)
GROWTH = sp.exp(s.perturbed_gap * s.t)
ODDS = sp.sqrt(1 - s.overlap**2) / s.overlap
_MOVE = {x: x_rate, work: work_rate, s.t: sp.Integer(1)}
_FROM = {x: start, work: sp.Integer(0), s.t: sp.Integer(0)}


def profile(scaled: Any) -> Any:
    """The overlap at a time from the jump, in units of the gap."""
    return claims.CUTOFF_PROFILE.expr.xreplace({s.scaled_time: scaled})


PROFILE_INVERSE = Derivation(
    claim="lemma/cutoff-profile-inverse",
    title="the time at which the profile has a given value",
    states=equal(sp.exp(s.scaled_time), level / sp.sqrt(1 - level**2)),
    setting={"profile": equal(level, claims.CUTOFF_PROFILE.expr)},
    steps=(
        Step(
            "root",
            below(0, sp.sqrt(1 + sp.exp(2 * s.scaled_time))),
            (),
            Entails(degree=2, squares=(sp.exp(s.scaled_time),)),
            r"A root of more than $1$.",
        ),
        Step(
            "positive",
            below(0, level),
            ("profile", "root"),
            Entails(degree=3),
            r"The profile is positive.",
        ),
        Step(
            "square",
            equal((1 - level**2) * sp.exp(2 * s.scaled_time), level**2),
            ("profile", "root"),
            Identity(),
            r"Squared.",
        ),
        Step(
            "below-one",
            below(level**2, 1),
            ("square",),
            Entails(degree=3, squares=(sp.exp(s.scaled_time),)),
            r"So $p<1$.",
        ),
        Step(
            "open",
            below(0, sp.sqrt(1 - level**2)),
            ("below-one",),
            Entails(degree=2),
            r"Its sine is positive.",
        ),
        Step(
            "inverse",
            equal(sp.exp(s.scaled_time), level / sp.sqrt(1 - level**2)),
            ("square", "open", "positive"),
            Squeeze(degree=4),
            r"The positive root.",
        ),
    ),
)

MOTION = (
    Step(
        "symmetric",
        equal(V_new.T, V_new),
        ("update", "symmetric-base", "symmetric-update"),
        Identity(),
        r"$\tilde V$ is symmetric.",
    ),
    Step(
        "field",
        equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
        ("single-head", "post-ln", "attention-only", "collapsed-base"),
        Identity(),
        r"The flow of one token.",
    ),
    Step(
        "along-top",
        equal(height * sp.exp(work - s.perturbed_lambda_1 * s.t), s.overlap),
        ("field", "symmetric", "top", "work", "start"),
        Along(_MOVE, _FROM),
        r"$\frac d{dt}\langle\tilde x,\tilde u_1\rangle=(\tilde\lambda_1-\dot W)\langle\tilde x,\tilde u_1\rangle$.",
    ),
    Step(
        "along-second",
        equal(height_2 * sp.exp(work - lambda_2 * s.t), s.overlap_2),
        ("field", "symmetric", "second", "work", "start"),
        Along(_MOVE, _FROM),
        r"$\frac d{dt}\langle\tilde x,\tilde u_2\rangle=(\tilde\lambda_2-\dot W)\langle\tilde x,\tilde u_2\rangle$.",
    ),
    Step("across", equal(across, x - height * u), (), Definition(), r"What is left across $\tilde u_1$."),
    Step("orthogonal", equal(Dot(u, across), 0), ("across", "top-unit"), Identity(), r"By construction."),
    Step(
        "rayleigh",
        at_most(Dot(across, V_new * across), lambda_2 * Dot(across, across)),
        ("symmetric", "top", "orthogonal", "largest-across"),
        Textbook(
            RAYLEIGH_ACROSS,
            {MATRIX: V_new, EIGENVECTOR: u, POINT: across, EIGENVALUE: s.perturbed_lambda_1, SECOND: lambda_2},
        ),
        r"$\tilde\lambda_2$ is the largest eigenvalue across $\tilde u_1$.",
    ),
    Step(
        "pull",
        at_most(Dot(x, V_new * x) - s.perturbed_lambda_1 * height**2, lambda_2 * (1 - height**2)),
        ("rayleigh", "across", "symmetric", "top", "top-unit", "post-ln"),
        Entails(degree=1),
        r"The same in terms of $\tilde x$.",
    ),
    Step(
        "shrink",
        at_most((1 - height**2) * sp.exp(2 * work - 2 * lambda_2 * s.t), 1 - s.overlap**2),
        ("field", "pull", "symmetric", "top", "work", "start"),
        Along(_MOVE, _FROM, squares=(sp.exp(work),)),
        r"What lies across $\tilde u_1$ grows at most like the second component.",
    ),
    Step(
        "height",
        equal(height, s.overlap * sp.exp(s.perturbed_lambda_1 * s.t - work)),
        ("along-top",),
        Identity(),
        r"Solved for the overlap.",
    ),
    Step(
        "width",
        equal(height_2, s.overlap_2 * sp.exp(lambda_2 * s.t - work)),
        ("along-second",),
        Identity(),
        r"And for the second component.",
    ),
    Step(
        "gap-value",
        equal(s.perturbed_gap, s.perturbed_lambda_1 - lambda_2),
        ("gap",),
        Identity(),
        r"Solved for the gap.",
    ),
    Step("height-positive", below(0, height), ("height",), Entails(degree=3), r"The overlap stays positive."),
    Step(
        "bessel",
        at_most(height**2 + height_2**2, 1),
        ("post-ln", "top-unit", "second-unit", "second-orthogonal"),
        Entails(degree=1, squares=(Norm(x - height * u - height_2 * u2),)),
        r"Bessel's inequality.",
    ),
    Step(
        "ratio",
        equal(height_2 * s.overlap * GROWTH, height * s.overlap_2),
        ("height", "width", "gap-value"),
        Identity(),
        r"The ratio of the two components decays at rate $\tilde\lambda_1-\tilde\lambda_2$, exactly.",
    ),
)

PROFILE = (
    Step(
        "planar",
        equal(height**2 + height_2**2, 1),
        ("bessel", "shrink", "along-second", "aligned"),
        Squeeze(degree=5),
        r"With the rest along $\tilde u_2$ the token stays in the plane of both.",
    ),
    Step(
        "tangent",
        equal(s.overlap**2 * (1 - height**2) * GROWTH**2, (1 - s.overlap**2) * height**2),
        ("ratio", "planar", "aligned"),
        Identity(),
        r"Squared, in terms of the overlap alone.",
    ),
    Step(
        "jump-exponent",
        equal(s.perturbed_gap * jump, sp.log(ODDS)),
        ("jump-time",),
        Identity(),
        r"Times the gap.",
    ),
    Step(
        "jump-growth",
        equal(sp.exp(s.perturbed_gap * jump), ODDS),
        ("jump-exponent",),
        Monotone(sp.exp),
        r"At $T^*$ the growth makes up for the overlap.",
    ),
    Step(
        "jump-square",
        equal(s.overlap**2 * sp.exp(2 * s.perturbed_gap * jump), 1 - s.overlap**2),
        ("jump-growth",),
        Identity(),
        r"Squared.",
    ),
    Step(
        "scaled",
        equal(s.scaled_time, s.perturbed_gap * (s.t - jump)),
        (),
        Definition(),
        r"Time from $T^*$ on, in units of the gap.",
    ),
    Step(
        "profile-square",
        equal((1 - height**2) * sp.exp(2 * s.scaled_time), height**2),
        ("tangent", "jump-square", "scaled"),
        Squeeze(degree=3),
        r"In the scaled time.",
    ),
    Step(
        "root",
        below(0, sp.sqrt(1 + sp.exp(2 * s.scaled_time))),
        (),
        Entails(degree=2, squares=(sp.exp(s.scaled_time),)),
        r"A root of more than $1$.",
    ),
    Step(
        "profile",
        equal(height, claims.CUTOFF_PROFILE.expr),
        ("profile-square", "root", "height-positive"),
        Squeeze(degree=4),
        r"The profile, the same for every $\varepsilon$.",
    ),
)

LEMMAS: tuple[Derivation, ...] = (PROFILE_INVERSE,)
