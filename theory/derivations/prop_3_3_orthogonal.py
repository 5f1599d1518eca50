"""prop-3.3/orthogonal: no drift until the crossing."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations.model import SYMMETRIC_BASE, u1
from theory.derivations.prop_3_3_model import FRAME, SYMMETRIC_UPDATE, V_new, dV, theta, u_new
from theory.derivations.prop_3_3_new_gap import LEVEL
from theory.derivations.prop_3_3_rayleigh import LARGEST, RAYLEIGH, SYMMETRIC, TOP_VALUE, UNIT
from theory.derivations.thm_4_6_model import EIGENVALUE, EIGENVECTOR, MATRIX, POINT, RAYLEIGH_ACROSS, SECOND
from theory.kernel.notation import Dot, at_most, both, equal, vector
from theory.kernel.rules import Definition, Entails, Identity, Textbook
from theory.kernel.rules.frames import Largest, LargestBeside
from theory.kernel.step import Derivation, Step

_MARGIN = claims.CROSSING_MARGIN.expr
_C, _S = sp.cos(theta), sp.sin(theta)
r = vector("p33_r", "r")
r_length = sp.sin(theta)
top = vector("p33_top_vector", "z")

ORTHOGONAL = Derivation(
    claim="prop-3.3/orthogonal",
    setting={
        "update": FRAME["update"],
        "eigenpair-equation": FRAME["eigenpair-equation"],
        "eigenpair": FRAME["eigenpair"],
        "b-vanishes": equal(dV * u1, s.a * u1),
        "perturbed-eigenvector": equal(V_new * u_new, s.perturbed_lambda_1 * u_new),
        "perturbed-unit": equal(Dot(u_new, u_new), 1),
        "angle": equal(_C, Dot(u1, u_new)),
        "top": Largest(s.perturbed_lambda_1, V_new),
        "block": LargestBeside(s.perturbed_mu_max, V_new, u1),
        "block-top": equal(V_new * top, s.perturbed_mu_max * top),
        "block-top-unit": equal(Dot(top, top), 1),
    },
    assumptions={"symmetric-base": SYMMETRIC_BASE, "symmetric-update": SYMMETRIC_UPDATE},
    remark=(
        r"With $m$ the margin, $m\le m\cos^2\theta$ and $0\le m\cos^2\theta$: before the crossing ($m>0$) "
        r"$\cos^2\theta=1$, no drift; beyond it ($m<0$) $\cos\theta=0$. $z$ is a top eigenvector of the block across "
        r"$u_1$, which is one of $\tilde V$ as $b=c=0$."
    ),
    steps=(
        SYMMETRIC,
        Step(
            "stays",
            equal(V_new * u1, LEVEL * u1),
            ("update", "eigenpair-equation", "b-vanishes"),
            Identity(),
            r"$u_1$ is an eigenvector of $\tilde V$, for $\lambda_1+a$.",
        ),
        Step("across", equal(r, u_new - _C * u1), (), Definition(), r"What is left of $\tilde u_1$ across $u_1$."),
        Step("orthogonal", equal(Dot(u1, r), 0), ("across", "angle", "eigenpair"), Identity(), r"By construction."),
        Step(
            "length",
            equal(Dot(r, r), 1 - _C**2),
            ("across", "angle", "eigenpair", "perturbed-unit"),
            Identity(),
            r"Pythagoras.",
        ),
        Step(
            "projection",
            equal(s.perturbed_lambda_1 * _C, Dot(u1, V_new * u_new)),
            ("perturbed-eigenvector", "angle"),
            Identity(),
            r"The eigenvalue equation of $\tilde u_1$, projected on $u_1$,",
        ),
        Step(
            "projected",
            equal(s.perturbed_lambda_1 * _C, LEVEL * _C),
            ("projection", "symmetric", "stays", "angle"),
            Identity(),
            r"where $\tilde V$ has the eigenvalue $\lambda_1+a$,",
        ),
        Step(
            "projected-across",
            equal(s.perturbed_lambda_1 * (1 - _C**2), Dot(r, V_new * u_new)),
            ("perturbed-eigenvector", "angle", "across", "perturbed-unit"),
            Identity(),
            r"and on the rest,",
        ),
        Step(
            "form",
            equal(s.perturbed_lambda_1 * (1 - _C**2), Dot(r, V_new * r)),
            ("projected-across", "across", "stays", "angle", "eigenpair"),
            Identity(),
            r"which the block across $u_1$ maps into itself.",
        ),
        Step(
            "rayleigh",
            at_most(Dot(r, V_new * r), s.perturbed_mu_max * Dot(r, r)),
            ("symmetric", "stays", "orthogonal", "block"),
            Textbook(
                RAYLEIGH_ACROSS,
                {MATRIX: V_new, EIGENVECTOR: u1, POINT: r, EIGENVALUE: LEVEL, SECOND: s.perturbed_mu_max},
            ),
            r"No Rayleigh quotient across $u_1$ is larger than $\lambda_{\max}(P^\perp\tilde VP^\perp)$.",
        ),
        LARGEST,
        Step(
            "at-top",
            at_most(Dot(top, V_new * top), s.perturbed_lambda_1),
            ("symmetric", "block-top-unit", "top"),
            Textbook(RAYLEIGH, {MATRIX: V_new, UNIT: top, TOP_VALUE: s.perturbed_lambda_1}),
            r"It is at least that of the block, too.",
        ),
        Step(
            "at-u1",
            equal(Dot(u1, V_new * u1), LEVEL),
            ("stays", "eigenpair"),
            Identity(),
            r"The one Rayleigh quotient,",
        ),
        Step(
            "at-top-value",
            equal(Dot(top, V_new * top), s.perturbed_mu_max),
            ("block-top", "block-top-unit"),
            Identity(),
            r"and the other.",
        ),
        Step(
            "crossing",
            both(at_most(_MARGIN, _MARGIN * _C**2), at_most(0, _MARGIN * _C**2)),
            ("projected", "form", "rayleigh", "length", "largest", "at-top", "at-u1", "at-top-value"),
            Entails(degree=2, squares=(_C, r_length)),
            r"$\cos\theta$ is $\pm1$ before the crossing and 0 beyond it.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (ORTHOGONAL,)
