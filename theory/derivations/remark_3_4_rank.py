"""Remark 3.4: the mean of the leading term for random adapters."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations.model import EIGENPAIR, SYMMETRIC_BASE, V, u1
from theory.derivations.remark_3_4_model import b, update
from theory.kernel.notation import Dot, Expect, below, both, equal, family, scalar
from theory.kernel.notation import dimension as d
from theory.kernel.rules import Identity, Termwise, Wick
from theory.kernel.rules.averages import token_vector
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.independent import MeanOfSum, Uncorrelated
from theory.kernel.step import Derivation, Step

k = scalar("r34_k", "k", integer=True)
other = scalar("r34_l", "l", integer=True)
rank = scalar("r34_rank", "r", integer=True, positive=True)
u = token_vector("r34_u_j", "u_j")
p, p_other = token_vector("r34_p_k", "p_k"), token_vector("r34_p_l", "p_l")
q, q_other = token_vector("r34_q_k", "q_k"), token_vector("r34_q_l", "q_l")
weights = family("r34_s", "s")
passing = family("r34_passing", "X")
component = family("r34_component", "b")
_j = s.j
_level: Any = s.other_eigenvalues[_j]
_gap: Any = s.gaps[_j]
_X: Any = passing[_j, k]
_Y: Any = passing[_j, other]
_b: Any = component[_j]
_RANDOM = (p, q, p_other, q_other)
_VARIANCES = dict.fromkeys(_RANDOM, 1 / d)


def over_ranks(term: Any) -> Any:
    """The sum over the rank-one parts of an adapter."""
    return sp.Sum(term, (k, 1, rank))


_difference = s.lambda_1 - _level
_DRIFT = Expect(s.over_directions((_b / _difference) ** 2))

RANK = Derivation(
    claim="remark-3.4/rank",
    setting={
        "base-eigenpair": EIGENPAIR,
        "eigenvectors": both(equal(V * u, _level * u), equal(Dot(u, u), 1)),
        "gaps": equal(_gap, s.lambda_1 - _level),
        "b": equal(b, update * u1 - s.a * u1),
        "components": equal(_b, Dot(u, b)),
        "rank-one-parts": both(equal(_X, Dot(u, p) * Dot(q, u1)), equal(_Y, Dot(u, p_other) * Dot(q_other, u1))),
        "norm-of-s": equal(s.s_norm**2, over_ranks(weights[k] ** 2)),
    },
    assumptions={
        "symmetric-base": SYMMETRIC_BASE,
        "spectral-gap": below(_level, s.lambda_1),
        "gaussian-adapters": equal(Dot(u, update * u1), s.eta * over_ranks(weights[k] * _X)),
    },
    steps=(
        Step(
            "u1-side",
            equal(Dot(u, V * u1), s.lambda_1 * Dot(u, u1)),
            ("base-eigenpair",),
            Identity(),
            r"$u_1$ is an eigenvector of $V$.",
        ),
        Step(
            "uj-side",
            equal(Dot(u, V * u1), _level * Dot(u, u1)),
            ("symmetric-base", "eigenvectors"),
            Identity(),
            r"So is $u_j$, and $V$ is symmetric.",
        ),
        Step(
            "along-uj",
            equal(Dot(u, b), Dot(u, update * u1)),
            ("b", "u1-side", "uj-side", "spectral-gap"),
            Squeeze(),
            r"Hence $(\lambda_1-\lambda_j)\langle u_j,u_1\rangle=0$: $b$ along $u_j$ is $\Delta Vu_1$ along $u_j$.",
        ),
        Step(
            "component",
            equal(_b, s.eta * over_ranks(weights[k] * _X)),
            ("components", "along-uj", "gaussian-adapters"),
            Identity(),
            r"Its sum over the rank-one parts.",
        ),
        Step(
            "pairing",
            equal(Expect(_X**2), Dot(u, u) * Dot(u1, u1) / d**2),
            ("rank-one-parts",),
            Wick(_VARIANCES),
            r"$p_k$ and $q_k$ are independent, with entries of variance $1/d$.",
        ),
        Step(
            "square",
            equal(Expect(_X**2), 1 / d**2),
            ("pairing", "base-eigenpair", "eigenvectors"),
            Identity(),
            r"$u_j$ and $u_1$ are of unit length.",
        ),
        Step(
            "cross",
            equal(Expect(_X * _Y), 0),
            ("rank-one-parts",),
            Wick(_VARIANCES),
            r"Different rank-one parts are independent, with mean zero.",
        ),
        Step(
            "variance",
            equal(Expect(_b**2), s.eta**2 * over_ranks(weights[k] ** 2 / d**2)),
            ("square", "cross", "component"),
            Uncorrelated(k, other, _RANDOM),
            r"So the squares add up.",
        ),
        Step(
            "variance-by-norm",
            equal(Expect(_b**2), s.eta**2 * s.s_norm**2 / d**2),
            ("variance", "norm-of-s"),
            Identity(),
            r"Only $\|s\|^2$ is left of the rank.",
        ),
        Step(
            "sum",
            equal(_DRIFT, s.over_directions(s.eta**2 * s.s_norm**2 / d**2 / _difference**2)),
            ("variance-by-norm",),
            MeanOfSum(_RANDOM),
            r"The expectation of the sum over the directions.",
        ),
        Step(
            "gap",
            equal(1 / _difference**2, 1 / _gap**2),
            ("gaps", "spectral-gap"),
            Identity(),
            r"The denominators are the gaps.",
        ),
        Step(
            "over-gaps",
            equal(s.over_directions(1 / _difference**2), s.over_directions(1 / _gap**2)),
            ("gap",),
            Termwise(),
            r"In all directions.",
        ),
        Step(
            "mean",
            equal(_DRIFT, claims.MEAN_DRIFT.expr),
            ("sum", "over-gaps"),
            Identity(),
            r"Constants in front.",
        ),
    ),
    remark=(
        "The leading term is the square of the first-order vector, with components b_j/g_j (lemma "
        "perturbation-first-order); b is taken along the eigenvectors of V, to which the z_j tend."
    ),
)
DERIVATIONS: tuple[Derivation, ...] = (RANK,)
LEMMAS: tuple[Derivation, ...] = ()
