"""prop-3.3/criterion: the gap of the perturbed matrix."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, u1
from theory.derivations.prop_3_3_drift import DRIFT
from theory.derivations.prop_3_3_model import E, V_new, theta, u_new
from theory.derivations.prop_3_3_rayleigh import AT_U1, LARGEST, RAYLEIGH, SYMMETRIC, TOP_VALUE, UNIT
from theory.derivations.thm_4_6_model import MATRIX
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import Largest
from theory.kernel.step import Step

radius = scalar("other_radius", r"\max_{j\ge2}|\lambda_j|", nonnegative=True)
z = vector("p33_z", r"\tilde u_j")
mu = scalar("p33_mu", r"\tilde\lambda_j")
zeta = scalar("p33_zeta", r"\zeta")
y, v, w = vector("p33_y", "y"), vector("p33_v", "v"), vector("p33_w", "w")
cosine = scalar("p33_cosine", "C")
rest = vector("p33_rest", "e")
RAYLEIGH_HOMOGENEOUS = Theorem(
    "largest Rayleigh quotient, of any vector",
    at_most(Dot(UNIT, MATRIX * UNIT), TOP_VALUE * Dot(UNIT, UNIT)),
    RAYLEIGH.source,
    (equal(MATRIX.T, MATRIX), Largest(TOP_VALUE, MATRIX)),
)
"""M symmetric, ``p33_top`` its largest eigenvalue."""
LEVEL = s.lambda_1 + s.a
_BLOCK = radius + s.E_norm
_CS = "lemma/cauchy-schwarz"


def _across(name: str, point: sp.Basic, sign: int, orthogonal: str, why: str) -> tuple[Step, ...]:
    """``±<y, Ṽy> <= (max|λ_j| + ||E||) |y|²`` for y across u1, in five steps."""
    image = V * point
    signed = sign * image
    return (
        Step(
            f"{name}-base-norm",
            at_most(Norm(image), radius * Norm(point)),
            ("symmetric-base", "eigenpair-equation", orthogonal, "others"),
            Textbook(
                textbook.SPECTRAL_RADIUS_ACROSS,
                {
                    textbook.M: V,
                    textbook.U: u1,
                    textbook.X: point,
                    textbook.EIGENVALUE: s.lambda_1,
                    textbook.RADIUS: radius,
                },
            ),
            why,
        ),
        Step(
            f"{name}-base",
            at_most(Dot(point, signed), Norm(point) * Norm(signed)),
            (),
            Apply(_CS, {textbook.X: point, textbook.Y: signed}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            f"{name}-E-norm",
            at_most(Norm(E * point), Norm(E) * Norm(point)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: E, textbook.X: point}),
            r"What the operator norm is.",
        ),
        Step(
            f"{name}-E",
            at_most(Dot(point, sign * E * point), Norm(point) * Norm(sign * E * point)),
            (),
            Apply(_CS, {textbook.X: point, textbook.Y: sign * E * point}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            f"{name}-form",
            equal(Dot(point, V_new * point), Dot(point, V * point) + Dot(point, E * point)),
            ("update", "E", orthogonal),
            Identity(),
            r"Across $u_1$ the update is $E$.",
        ),
        Step(
            f"{name}-block",
            at_most(sign * Dot(point, V_new * point), _BLOCK * Dot(point, point)),
            (f"{name}-base-norm", f"{name}-base", f"{name}-E-norm", f"{name}-E", f"{name}-form", "E-norm"),
            Entails(degree=2),
            r"Together.",
        ),
    )


NEW_GAP = (
    SYMMETRIC,
    Step("overlap", equal(cosine, Dot(u1, u_new)), (), Definition(), r"How far $\tilde u_1$ is along $u_1$."),
    Step(
        "overlap-positive",
        below(0, sp.cos(theta)),
        (*(k for k in DRIFT.setting if k not in ("separated",)), "separated", "symmetric-base", "symmetric-update"),
        Apply("prop-3.3/drift#cosine-positive"),
        r"The drift is not $\pi/2$.",
    ),
    AT_U1,
    LARGEST,
    Step(
        "level",
        at_most(LEVEL, s.perturbed_lambda_1),
        ("largest", "at-u1"),
        Entails(degree=1),
        r"$\tilde\lambda_1\ge\lambda_1+a$.",
    ),
    Step("other-overlap", equal(zeta, Dot(u1, z)), (), Definition(), r"How far another eigenvector is along $u_1$."),
    Step(
        "combined",
        equal(v, zeta * u_new - cosine * z),
        (),
        Definition(),
        r"The combination of both that is across $u_1$.",
    ),
    Step(
        "combined-orthogonal",
        equal(Dot(u1, v), 0),
        ("combined", "overlap", "other-overlap"),
        Identity(),
        r"By construction.",
    ),
    *_across("combined", v, 1, "combined-orthogonal", r"On $u_1^\perp$ the norm of $V$ is $\max_{j\ge2}|\lambda_j|$."),
    Step(
        "combined-value",
        equal(Dot(v, V_new * v), zeta**2 * s.perturbed_lambda_1 + cosine**2 * mu),
        ("combined", "perturbed-eigenvector", "perturbed-unit", "other", "other-unit", "other-orthogonal"),
        Identity(),
        r"Both are eigenvectors, orthogonal to each other.",
    ),
    Step(
        "combined-length",
        equal(Dot(v, v), zeta**2 + cosine**2),
        ("combined", "perturbed-unit", "other-unit", "other-orthogonal"),
        Identity(),
        r"Pythagoras.",
    ),
    Step(
        "below-top",
        below(mu, s.perturbed_lambda_1),
        (
            "combined-block",
            "combined-value",
            "combined-length",
            "level",
            "criterion",
            "dominant-gap-is",
            "overlap-positive",
            "overlap",
            "angle",
        ),
        Entails(degree=3, squares=(zeta, cosine)),
        r"So $\tilde\lambda_j\le\max_{k\ge2}|\lambda_k|+\|E\|<\lambda_1+a\le\tilde\lambda_1$.",
    ),
    Step("other-across", equal(y, z - zeta * u1), (), Definition(), r"What the other one has across $u_1$,"),
    Step(
        "partner",
        equal(w, zeta * y - (1 - zeta**2) * u1),
        (),
        Definition(),
        r"and its partner in the plane of both.",
    ),
    Step(
        "across-orthogonal",
        equal(Dot(u1, y), 0),
        ("other-across", "other-overlap", "eigenpair"),
        Identity(),
        r"By construction.",
    ),
    *_across("across", y, -1, "across-orthogonal", r"The same norm, from below."),
    Step(
        "across-length",
        equal(Dot(y, y), 1 - zeta**2),
        ("other-across", "other-overlap", "eigenpair", "other-unit"),
        Identity(),
        r"Pythagoras.",
    ),
    Step(
        "partner-length",
        equal(Dot(w, w), 1 - zeta**2),
        ("partner", "across-orthogonal", "across-length", "eigenpair"),
        Identity(),
        r"Pythagoras.",
    ),
    Step(
        "partner-top",
        at_most(Dot(w, V_new * w), s.perturbed_lambda_1 * Dot(w, w)),
        ("symmetric", "top"),
        Textbook(RAYLEIGH_HOMOGENEOUS, {MATRIX: V_new, UNIT: w, TOP_VALUE: s.perturbed_lambda_1}),
        r"No Rayleigh quotient is larger than $\tilde\lambda_1$.",
    ),
    Step(
        "trace",
        equal(
            Dot(w, V_new * w) + (1 - zeta**2) * Dot(z, V_new * z),
            (1 - zeta**2) * Dot(u1, V_new * u1) + Dot(y, V_new * y),
        ),
        ("partner", "other-across"),
        Identity(),
        r"The trace of $\tilde V$ in that plane, written twice.",
    ),
    Step(
        "other-value",
        equal(Dot(z, V_new * z), mu),
        ("other", "other-unit"),
        Identity(),
        r"The Rayleigh quotient of an eigenvector.",
    ),
    Step("rest", equal(rest, u1 - cosine * u_new - zeta * z), (), Definition(), r"What $u_1$ has beyond both."),
    Step(
        "rest-length",
        equal(1 - zeta**2 - cosine**2, Dot(rest, rest)),
        ("rest", "overlap", "other-overlap", "eigenpair", "perturbed-unit", "other-unit", "other-orthogonal"),
        Identity(),
        r"Pythagoras.",
    ),
    Step(
        "bessel",
        at_most(zeta**2 + cosine**2, 1),
        ("rest-length",),
        Entails(degree=1),
        r"Bessel's inequality.",
    ),
    Step(
        "above-minus-top",
        below(-mu, s.perturbed_lambda_1),
        (
            "across-block",
            "across-length",
            "partner-top",
            "partner-length",
            "trace",
            "other-value",
            "at-u1",
            "bessel",
            "criterion",
            "dominant-gap-is",
            "overlap-positive",
            "overlap",
            "angle",
        ),
        Entails(degree=3, squares=(cosine,)),
        r"So $\tilde\lambda_j>-\tilde\lambda_1$ too.",
    ),
    Step(
        "perturbed-gap",
        below(0, s.perturbed_dominant_gap),
        ("below-top", "above-minus-top", "other-radius", "perturbed-gap-is"),
        Entails(degree=2),
        r"$\widetilde{\mathrm{gap}}^*>0$.",
    ),
)
"""The largest eigenvalue of the perturbed matrix is dominant."""
