"""prop-3.3/drift: the angle between u1 and ũ1, by the tan 2θ argument in the frame of u1."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import SYMMETRIC_BASE, V, u1
from theory.derivations.prop_3_3_model import (
    FRAME,
    SYMMETRIC_UPDATE,
    E,
    V_new,
    b,
    delta,
    second,
    theta,
    u_new,
)
from theory.derivations.prop_3_3_rayleigh import AT_U1, LARGEST, SYMMETRIC
from theory.derivations.thm_4_6_model import EIGENVALUE, EIGENVECTOR, MATRIX, POINT, RAYLEIGH_ACROSS, SECOND
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Monotone, Textbook, Trigonometry
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.frames import Largest, LargestBeside
from theory.kernel.rules.order import Injective
from theory.kernel.step import Derivation, Step

r = vector("p33_r", "r")
_C, _S = sp.cos(theta), sp.sin(theta)
_CS = "lemma/cauchy-schwarz"
_SPLIT = ("symmetric-base", "symmetric-update", "eigenpair-equation", "eigenpair", "a", "b", "angle", "across")

DRIFT = Derivation(
    claim="prop-3.3/drift",
    setting={
        **FRAME,
        "gap": equal(s.gap, s.lambda_1 - second),
        "second": LargestBeside(second, V, u1),
        "top": Largest(s.perturbed_lambda_1, V_new),
        "perturbed-eigenvector": equal(V_new * u_new, s.perturbed_lambda_1 * u_new),
        "perturbed-unit": equal(Dot(u_new, u_new), 1),
        "angle": equal(sp.cos(theta), Dot(u1, u_new)),
        "acute": at_most(theta, sp.pi / 2),
        "separated": below(0, s.gap + s.a - s.E_norm),
    },
    assumptions={"symmetric-base": SYMMETRIC_BASE, "symmetric-update": SYMMETRIC_UPDATE},
    remark=(
        r"$\lambda_2$ stands for the largest eigenvalue of $V$ on $u_1^\perp$, $\tilde\lambda_1$ for the largest one "
        r"of $\tilde V$; $0\le\theta\le\pi/2$ is the sign convention $\langle u_1,\tilde u_1\rangle\ge0$."
    ),
    steps=(
        Step("delta", equal(delta, s.gap + s.a - s.E_norm), (), Definition(), r"What separates the blocks."),
        Step("across", equal(r, u_new - _C * u1), (), Definition(), r"What is left of $\tilde u_1$ across $u_1$."),
        Step(
            "orthogonal",
            equal(Dot(u1, r), 0),
            ("across", "angle", "eigenpair"),
            Identity(),
            r"By construction.",
        ),
        Step(
            "length",
            equal(Dot(r, r), _S**2),
            ("across", "angle", "eigenpair", "perturbed-unit"),
            Identity(),
            r"Pythagoras.",
        ),
        SYMMETRIC,
        AT_U1,
        LARGEST,
        Step(
            "projected",
            equal(s.perturbed_lambda_1 * _C, Dot(u1, V_new * u_new)),
            ("perturbed-eigenvector", "angle"),
            Identity(),
            r"The eigenvalue equation, projected on $u_1$,",
        ),
        Step(
            "projected-across",
            equal(s.perturbed_lambda_1 * _S**2, Dot(r, V_new * u_new)),
            ("perturbed-eigenvector", "angle", "across", "perturbed-unit"),
            Identity(),
            r"and on $r$.",
        ),
        Step(
            "along-u1",
            equal(s.perturbed_lambda_1 * _C, (s.lambda_1 + s.a) * _C + Dot(b, r)),
            ("projected", "update", *_SPLIT),
            Identity(),
            r"In the frame of $u_1$: the first projection,",
        ),
        Step(
            "along-r",
            equal(s.perturbed_lambda_1 * _S**2, _C * Dot(b, r) + Dot(r, V * r) + Dot(r, E * r)),
            ("projected-across", "update", "E", "eigenpair-equation", "eigenpair", "b", "angle", "across"),
            Identity(),
            r"and the second.",
        ),
        Step(
            "rayleigh",
            at_most(Dot(r, V * r), second * Dot(r, r)),
            ("symmetric-base", "eigenpair-equation", "orthogonal", "second"),
            Textbook(RAYLEIGH_ACROSS, {MATRIX: V, EIGENVECTOR: u1, POINT: r, EIGENVALUE: s.lambda_1, SECOND: second}),
            r"$r\perp u_1$, where no eigenvalue of $V$ is larger than $\lambda_2$.",
        ),
        Step(
            "cauchy-schwarz-E",
            at_most(Dot(r, E * r), Norm(r) * Norm(E * r)),
            (),
            Apply(_CS, {textbook.X: r, textbook.Y: E * r}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "norm-E",
            at_most(Norm(E * r), Norm(E) * Norm(r)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: E, textbook.X: r}),
            r"What the operator norm is.",
        ),
        Step(
            "from-E",
            at_most(Dot(r, E * r), s.E_norm * Dot(r, r)),
            ("cauchy-schwarz-E", "norm-E", "E-norm"),
            Entails(degree=2),
            r"So $E$ adds at most its norm.",
        ),
        Step(
            "cauchy-schwarz-b",
            at_most(Dot(b, r), Norm(b) * Norm(r)),
            (),
            Apply(_CS, {textbook.X: b, textbook.Y: r}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "complement",
            both(at_most(0, sp.pi / 2 - theta), at_most(sp.pi / 2 - theta, sp.pi / 2)),
            ("acute",),
            Entails(degree=1),
            r"$\pi/2-\theta$ lies where the sine increases.",
        ),
        Step(
            "complement-first",
            at_most(0, sp.pi / 2 - theta),
            ("acute",),
            Entails(degree=1),
            r"In particular,",
        ),
        Step(
            "cosine",
            at_most(0, _C),
            ("complement-first", "complement"),
            Monotone(sp.sin),
            r"so that $\cos\theta\ge0$.",
        ),
        Step(
            "pull",
            at_most(delta * _S**2, _C * Dot(b, r)),
            ("along-r", "rayleigh", "from-E", "length", "largest", "at-u1", "gap", "delta"),
            Entails(degree=2, squares=(_S,)),
            r"Since $\tilde\lambda_1\ge\lambda_1+a$.",
        ),
        Step(
            "balance",
            at_most(delta * _C * _S**2, (_C**2 - _S**2) * Dot(b, r)),
            ("along-u1", "along-r", "rayleigh", "from-E", "length", "gap", "delta", "cosine"),
            Entails(degree=2),
            r"$\tilde\lambda_1$ eliminated from both projections.",
        ),
        Step(
            "sine-order",
            at_most(0, theta),
            (),
            Entails(degree=1),
            r"Angles are not negative.",
        ),
        Step(
            "sine",
            at_most(0, _S),
            ("sine-order", "acute"),
            Monotone(sp.sin),
            r"$0\le\theta\le\pi/2$.",
        ),
        Step(
            "pull-of-b",
            at_most(Dot(b, r), s.b_norm * _S),
            ("cauchy-schwarz-b", "b-norm", "length", "sine"),
            Entails(degree=3),
            r"$|r|=\sin\theta$.",
        ),
        Step(
            "cosine-positive",
            below(0, _C),
            ("pull", "pull-of-b", "cosine", "sine", "separated", "delta"),
            Entails(degree=3),
            r"$\cos\theta=0$ would make $\delta\sin^2\theta=\delta$ vanish: $\tilde u_1$ is not orthogonal to $u_1$.",
        ),
        Step(
            "double-cosine",
            below(0, _C**2 - _S**2),
            ("pull", "balance", "cosine-positive", "separated", "delta"),
            Entails(degree=4, squares=(_S,)),
            r"So $\theta<\pi/4$.",
        ),
        Step(
            "tangent-form",
            at_most(delta * _C * _S, s.b_norm * (_C**2 - _S**2)),
            ("balance", "pull-of-b", "double-cosine", "cosine-positive", "sine", "separated", "delta"),
            Entails(degree=3),
            r"Divide by $\sin\theta$; where it vanishes nothing is to be shown.",
        ),
        Step(
            "double-angle",
            both(equal(sp.sin(2 * theta), 2 * _S * _C), equal(sp.cos(2 * theta), _C**2 - _S**2)),
            (),
            Trigonometry(),
            r"The doubled angle.",
        ),
        Step(
            "acute-double",
            below(0, sp.cos(2 * theta)),
            ("double-angle", "double-cosine"),
            Entails(degree=1),
            r"Its cosine is positive,",
        ),
        Step(
            "range-double",
            at_most(2 * theta, sp.pi),
            ("acute",),
            Entails(degree=1),
            r"and as $0\le2\theta\le\pi$",
        ),
        Step(
            "below-quarter",
            below(2 * theta, sp.pi / 2),
            ("acute-double", "range-double"),
            Injective(sp.cos),
            r"it is below $\pi/2$.",
        ),
        Step(
            "tangent",
            at_most(sp.tan(2 * theta), 2 * s.b_norm / (s.gap + s.a - s.E_norm)),
            ("tangent-form", "double-angle", "acute-double", "separated", "delta"),
            Entails(degree=2),
            r"$\tan2\theta$, divided out.",
        ),
        Step(
            "doubled",
            at_most(2 * theta, sp.atan(2 * s.b_norm / (s.gap + s.a - s.E_norm))),
            ("tangent", "below-quarter"),
            Monotone(sp.atan),
            r"The arctangent increases.",
        ),
        Step(
            "theta-bound", equal(s.theta_bound, claims.THETA_BOUND.expr), (), Definition(), r"The bound of the angle."
        ),
        Step(
            "half",
            at_most(theta / 2, s.theta_bound / 2),
            ("doubled", "theta-bound"),
            Entails(degree=1),
            r"$\theta\le\theta_b$.",
        ),
        Step(
            "half-range",
            both(at_most(s.theta_bound / 2, sp.pi / 2), at_most(theta / 2, sp.pi / 2), at_most(0, s.theta_bound / 2)),
            ("theta-bound", "half"),
            Entails(degree=1),
            r"Halves of acute angles lie where the sine increases.",
        ),
        Step(
            "sines",
            at_most(sp.sin(theta / 2), sp.sin(s.theta_bound / 2)),
            ("half", "half-range"),
            Monotone(sp.sin),
            r"The sine increases.",
        ),
        Step("half-order", at_most(0, theta / 2), (), Entails(degree=1), r"Angles are not negative,"),
        Step(
            "half-range-theta",
            at_most(theta / 2, sp.pi / 2),
            ("acute",),
            Entails(degree=1),
            r"nor is half of one beyond $\pi/2$.",
        ),
        Step(
            "half-sine",
            at_most(0, sp.sin(theta / 2)),
            ("half-order", "half-range-theta"),
            Monotone(sp.sin),
            r"The sine of $\theta/2$ is not negative.",
        ),
        Step(
            "half-angle",
            equal(_C, 1 - 2 * sp.sin(theta / 2) ** 2),
            (),
            Trigonometry(),
            r"The halved angle.",
        ),
        Step(
            "chord",
            equal(Norm(u1 - u_new), 2 * sp.sin(theta / 2)),
            ("half-angle", "half-sine", "angle", "eigenpair", "perturbed-unit"),
            Squeeze(degree=2),
            r"$|u_1-\tilde u_1|^2=2-2\cos\theta$.",
        ),
        Step(
            "bound",
            at_most(Norm(u1 - u_new), claims.DRIFT_BOUND_SHARP.expr),
            ("chord", "sines"),
            Entails(degree=1),
            r"The chord of $\theta$ is at most that of $\theta_b$.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
DERIVATIONS: tuple[Derivation, ...] = (DRIFT,)
