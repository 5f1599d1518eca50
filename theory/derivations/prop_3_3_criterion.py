"""prop-3.3/criterion and prop-3.3/orthogonal: where ũ1 is, and that all tokens go there."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import MEAN, SYMMETRIC_BASE, V, u1, x, x_j
from theory.derivations.prop_3_3_drift import DRIFT, RAYLEIGH
from theory.derivations.prop_3_3_drift import _top as TOP_VALUE
from theory.derivations.prop_3_3_drift import _unit as UNIT
from theory.derivations.prop_3_3_model import FRAME, SPHERE, SYMMETRIC_UPDATE, E, V_new, dV, second, theta, u_new
from theory.derivations.thm_4_6_model import EIGENVALUE, EIGENVECTOR, MATRIX, POINT, RAYLEIGH_ACROSS, SECOND
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import Largest, LargestBeside, LargestModulusBeside
from theory.kernel.step import Derivation, Step

tan_i = scalar("tan_i", r"\vartheta_i", positive=True)
radius = scalar("other_radius", r"\max_{j\ge2}|\lambda_j|", nonnegative=True)
new_radius = scalar("p33_new_radius", r"\max_{j\ge2}|\tilde\lambda_j|", nonnegative=True)
z = vector("p33_z", r"\tilde u_j")
mu = scalar("p33_mu", r"\tilde\lambda_j")
zeta = scalar("p33_zeta", r"\zeta")
y, v, w = vector("p33_y", "y"), vector("p33_v", "v"), vector("p33_w", "w")
cosine = scalar("p33_cosine", "C")
height = scalar("p33_height", "p")
rest = vector("p33_rest", "e")
start = vector("p33_start", "x_i(0)")
side, turned = vector("p33_side", r"x^\perp"), vector("p33_turned", r"\tilde u_1^\perp")
RAYLEIGH_HOMOGENEOUS = Theorem(
    "largest Rayleigh quotient, of any vector",
    at_most(Dot(UNIT, MATRIX * UNIT), TOP_VALUE * Dot(UNIT, UNIT)),
    RAYLEIGH.source,
    (equal(MATRIX.T, MATRIX), Largest(TOP_VALUE, MATRIX)),
)
"""M symmetric, ``p33_top`` its largest eigenvalue."""
_LEVEL = s.lambda_1 + s.a
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


CRITERION = Derivation(
    claim="prop-3.3/criterion",
    setting={
        **{k: q for k, q in DRIFT.setting.items() if k != "separated"},
        "dominant-gap-is": equal(s.dominant_gap, s.lambda_1 - radius),
        "others": LargestModulusBeside(radius, V, u1),
        "new-others": LargestModulusBeside(new_radius, V_new, u_new),
        "second-in-modulus": at_most(second, radius),
        "criterion": below(0, claims.SHARP_CRITERION_MARGIN.expr),
        "theta-bound": equal(s.theta_bound, claims.THETA_BOUND.expr),
        "other": equal(V_new * z, mu * z),
        "other-unit": equal(Dot(z, z), 1),
        "other-orthogonal": equal(Dot(u_new, z), 0),
        "other-radius": equal(new_radius, sp.Abs(mu)),
        "perturbed-gap-is": equal(s.perturbed_dominant_gap, s.perturbed_lambda_1 - new_radius),
        "weights": MEAN,
        "every-token-in-cone": at_most(Norm(x_j - Dot(x_j, u_new) * u_new), tan_i * Dot(x_j, u_new)),
        "lowest": at_most(Dot(x, u_new), Dot(x_j, u_new)),
        "boundary": equal(Norm(x - Dot(x, u_new) * u_new), tan_i * Dot(x, u_new)),
    },
    assumptions={
        **SPHERE,
        "symmetric-base": SYMMETRIC_BASE,
        "symmetric-update": SYMMETRIC_UPDATE,
        "common-start": equal(x, start),
        "hemisphere": below(claims.HEMISPHERE_NEEDED.expr, Dot(start, u1)),
    },
    remark=(
        r"The hemisphere of $\tilde u_1$ is shown at the start; it is kept since the smallest $\langle\tilde "
        r"x_i,\tilde u_1\rangle$ rises while it is positive (prop-3.3/convergence, step rise). $u_1$, "
        r"$\tilde u_1$ and the eigenvalues are as in prop-3.3/drift, $\tilde\lambda_j$ any other eigenvalue "
        r"of $\tilde V$."
    ),
    steps=(
        Step(
            "separated",
            below(0, s.gap + s.a - s.E_norm),
            ("criterion", "gap", "dominant-gap-is", "second-in-modulus"),
            Entails(degree=1),
            r"$\mathrm{gap}\ge\mathrm{gap}^*$.",
        ),
        Step(
            "half-angle",
            at_most(theta / 2, s.theta_bound / 2),
            (
                *(k for k in DRIFT.setting if k != "separated"),
                "separated",
                "symmetric-base",
                "symmetric-update",
                "theta-bound",
            ),
            Apply("prop-3.3/drift#half"),
            r"The sharp drift bound.",
        ),
        Step(
            "symmetric",
            equal(V_new.T, V_new),
            ("update", "symmetric-base", "symmetric-update"),
            Identity(),
            r"$\tilde V$ is symmetric.",
        ),
        Step("overlap", equal(cosine, Dot(u1, u_new)), (), Definition(), r"How far $\tilde u_1$ is along $u_1$."),
        Step(
            "overlap-positive",
            below(0, sp.cos(theta)),
            (*(k for k in DRIFT.setting if k not in ("separated",)), "separated", "symmetric-base", "symmetric-update"),
            Apply("prop-3.3/drift#cosine-positive"),
            r"The drift is not $\pi/2$.",
        ),
        Step(
            "at-u1",
            equal(Dot(u1, V_new * u1), _LEVEL),
            ("update", "eigenpair-equation", "eigenpair", "a"),
            Identity(),
            r"The Rayleigh quotient of $\tilde V$ at $u_1$",
        ),
        Step(
            "largest",
            at_most(Dot(u1, V_new * u1), s.perturbed_lambda_1),
            ("symmetric", "eigenpair", "top"),
            Textbook(RAYLEIGH, {MATRIX: V_new, UNIT: u1, TOP_VALUE: s.perturbed_lambda_1}),
            r"is at most the largest eigenvalue:",
        ),
        Step(
            "level",
            at_most(_LEVEL, s.perturbed_lambda_1),
            ("largest", "at-u1"),
            Entails(degree=1),
            r"$\tilde\lambda_1\ge\lambda_1+a$.",
        ),
        Step(
            "other-overlap", equal(zeta, Dot(u1, z)), (), Definition(), r"How far another eigenvector is along $u_1$."
        ),
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
        *_across(
            "combined", v, 1, "combined-orthogonal", r"On $u_1^\perp$ the norm of $V$ is $\max_{j\ge2}|\lambda_j|$."
        ),
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
        Step(
            "angle-bound",
            at_most(theta, s.theta_bound),
            ("half-angle",),
            Entails(degree=1),
            r"Now the tokens. $\theta\le\theta_b$,",
        ),
        Step(
            "angle-range",
            both(at_most(0, s.theta_bound), at_most(s.theta_bound, sp.pi / 2)),
            ("angle-bound", "theta-bound"),
            Entails(degree=1),
            r"both where the sine increases,",
        ),
        Step(
            "sines",
            at_most(sp.sin(theta), sp.sin(s.theta_bound)),
            ("angle-bound", "angle-range", "acute"),
            Monotone(sp.sin),
            r"so that $\sin\theta\le\sin\theta_b$.",
        ),
        Step("angle-order", at_most(0, theta), (), Entails(degree=1), r"Angles are not negative,"),
        Step(
            "sine",
            at_most(0, sp.sin(theta)),
            ("angle-order", "acute"),
            Monotone(sp.sin),
            r"nor are their sines up to $\pi/2$.",
        ),
        Step("height", equal(height, Dot(x, u1)), (), Definition(), r"How far the token is along $u_1$ at the start,"),
        Step("side", equal(side, x - height * u1), (), Definition(), r"and what it has across,"),
        Step("turned", equal(turned, u_new - sp.cos(theta) * u1), (), Definition(), r"the same of $\tilde u_1$."),
        Step(
            "high-enough",
            below(sp.sin(theta), height),
            ("sines", "hemisphere", "common-start", "height"),
            Entails(degree=1),
            r"The token is higher than $\sin\theta$.",
        ),
        Step(
            "overlap-split",
            equal(Dot(x, u_new), height * sp.cos(theta) + Dot(side, turned)),
            ("height", "side", "turned", "angle", "eigenpair"),
            Identity(),
            r"The overlap with $\tilde u_1$.",
        ),
        Step(
            "side-length",
            equal(Dot(side, side), 1 - height**2),
            ("height", "side", "eigenpair", "post-ln"),
            Identity(),
            r"Pythagoras,",
        ),
        Step(
            "turned-length",
            equal(Dot(turned, turned), sp.sin(theta) ** 2),
            ("turned", "angle", "eigenpair", "perturbed-unit"),
            Identity(),
            r"twice.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(-Dot(side, turned), Norm(side) * Norm(turned)),
            (),
            Apply(_CS, {textbook.X: -side, textbook.Y: turned}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "new-hemisphere",
            below(0, Dot(x, u_new)),
            (
                "overlap-split",
                "cauchy-schwarz",
                "side-length",
                "turned-length",
                "high-enough",
                "sine",
                "overlap-positive",
            ),
            Entails(degree=3),
            r"The token is in the open hemisphere of $\tilde u_1$.",
        ),
        Step(
            "bound",
            at_most(s.tan_max_angle, claims.PERTURBED_TAN_ANGLE_BOUND.expr),
            (
                "single-head",
                "post-ln",
                "attention-only",
                "symmetric",
                "perturbed-gap",
                "new-hemisphere",
                "perturbed-eigenvector",
                "perturbed-unit",
                "perturbed-gap-is",
                "new-others",
                "weights",
                "every-token-in-cone",
                "lowest",
                "boundary",
            ),
            Apply(
                "prop-3.3/convergence",
                {
                    V: V_new,
                    u1: u_new,
                    s.lambda_1: s.perturbed_lambda_1,
                    s.dominant_gap: s.perturbed_dominant_gap,
                    radius: new_radius,
                },
            ),
            r"The convergence of Proposition 3.3, for $\tilde V$ about $\tilde u_1$.",
        ),
    ),
)

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
        Step(
            "symmetric",
            equal(V_new.T, V_new),
            ("update", "symmetric-base", "symmetric-update"),
            Identity(),
            r"$\tilde V$ is symmetric.",
        ),
        Step(
            "stays",
            equal(V_new * u1, _LEVEL * u1),
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
            equal(s.perturbed_lambda_1 * _C, _LEVEL * _C),
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
                {MATRIX: V_new, EIGENVECTOR: u1, POINT: r, EIGENVALUE: _LEVEL, SECOND: s.perturbed_mu_max},
            ),
            r"No Rayleigh quotient across $u_1$ is larger than $\lambda_{\max}(P^\perp\tilde VP^\perp)$.",
        ),
        Step(
            "at-u1",
            at_most(Dot(u1, V_new * u1), s.perturbed_lambda_1),
            ("symmetric", "eigenpair", "top"),
            Textbook(RAYLEIGH, {MATRIX: V_new, UNIT: u1, TOP_VALUE: s.perturbed_lambda_1}),
            r"$\tilde\lambda_1$ is the largest eigenvalue: at least $\lambda_1+a$,",
        ),
        Step(
            "at-top",
            at_most(Dot(top, V_new * top), s.perturbed_lambda_1),
            ("symmetric", "block-top-unit", "top"),
            Textbook(RAYLEIGH, {MATRIX: V_new, UNIT: top, TOP_VALUE: s.perturbed_lambda_1}),
            r"and at least that of the block.",
        ),
        Step(
            "at-u1-value",
            equal(Dot(u1, V_new * u1), _LEVEL),
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
            ("projected", "form", "rayleigh", "length", "at-u1", "at-top", "at-u1-value", "at-top-value"),
            Entails(degree=2, squares=(_C, r_length)),
            r"$\cos\theta$ is $\pm1$ before the crossing and 0 beyond it.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (CRITERION, ORTHOGONAL)
