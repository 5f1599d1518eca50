"""The lowest token is pulled up while it is in the hemisphere, so that the tokens stay there."""

from __future__ import annotations

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import MEAN, SPHERE, SYMMETRIC_BASE, V, m, u1, x, x_j, x_rate
from theory.kernel.notation import Dot, Norm, at_most, below, equal, scalar, vector, whenever
from theory.kernel.rules import Apply, Convex, Definition, Differentiate, Entails, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import LargestModulusBeside
from theory.kernel.rules.hypothetical import Hypothetical
from theory.kernel.step import Derivation, Step

p, p_rate = scalar("p", "p_i"), scalar("p_rate", r"\dot p_i")
p_start = scalar("p_start", r"\min_ip_i(0)")
q = scalar("q", "q_i")
across, mean_across = vector("x_across", r"x_i^\perp"), vector("m_across", r"m_i^\perp")
radius = scalar("other_radius", r"\max_{j\ge2}|\lambda_j|", nonnegative=True)

_value, _value_rate = scalar("p33_kept", "y"), scalar("p33_kept_rate", r"\dot y")
_value_start = scalar("p33_kept_start", "y(0)")
FIRST_EXIT = Theorem(
    "what rises while it is positive stays positive",
    at_most(_value_start, _value),
    "W. Walter, Ordinary Differential Equations, Springer 1998, §9 and App. B (a continuous function with a Dini "
    "derivative that is not negative increases; up to its first zero)",
    (whenever((), (below(0, _value),), at_most(0, _value_rate)), below(0, _value_start)),
)
"""y is the smallest of finitely many differentiable functions, ``p33_kept_rate`` the rate of any that is smallest."""

HIGH = below(0, Dot(x, u1))
FRAME = {
    "eigenpair-equation": equal(V * u1, s.lambda_1 * u1),
    "eigenpair": equal(Dot(u1, u1), 1),
    "others": LargestModulusBeside(radius, V, u1),
    "weights": MEAN,
    "unit-tokens": equal(Dot(x_j, x_j), 1),
    "lowest": at_most(Dot(x, u1), Dot(x_j, u1)),
}
"""V and its eigenvector u1, and the tokens, of which ``x_i`` is the lowest along u1."""
PULL = Dot(V * m, u1) - Dot(x, u1) * Dot(x, V * m)
"""What one head contributes to the rate of ``<x_i, u1>``."""
PULL_BOUND = (s.lambda_1 - radius) * Dot(x, u1) * (1 - Dot(x, u1) ** 2)

PULLED_UP = Derivation(
    claim="lemma/lowest-token-is-pulled-up",
    title="one head pulls the lowest token up at least at the rate gap* p (1 - p²)",
    states=at_most(PULL_BOUND, PULL),
    setting={
        **FRAME,
        "symmetric-base": SYMMETRIC_BASE,
        "gap": below(radius, s.lambda_1),
        "unit": equal(Dot(x, x), 1),
        "high": HIGH,
    },
    steps=(
        Step("height", equal(p, Dot(x, u1)), (), Definition(), r"How far token $i$ is along $u_1$."),
        Step("height-of-mean", equal(q, Dot(m, u1)), (), Definition(), r"The same of its mean $m_i$."),
        Step("across", equal(across, x - p * u1), (), Definition(), r"What is left of $x_i$ across $u_1$."),
        Step("mean-across", equal(mean_across, m - q * u1), (), Definition(), r"And of $m_i$."),
        Step(
            "along",
            equal(Dot(V * m, u1), s.lambda_1 * q),
            ("height-of-mean", "symmetric-base", "eigenpair-equation"),
            Identity(),
            r"$\langle Vm_i,u_1\rangle=\lambda_1q_i$ as $V$ is symmetric.",
        ),
        Step(
            "split",
            equal(Dot(x, V * m), s.lambda_1 * p * q + Dot(across, V * mean_across)),
            ("height", "height-of-mean", "across", "mean-across", "symmetric-base", "eigenpair-equation", "eigenpair"),
            Identity(),
            r"$V$ maps $u_1$ to its own line and $u_1^\perp$ into itself.",
        ),
        Step(
            "orthogonal",
            equal(Dot(u1, mean_across), 0),
            ("height-of-mean", "mean-across", "eigenpair"),
            Identity(),
            r"By construction.",
        ),
        Step(
            "cauchy-schwarz",
            at_most(Dot(across, V * mean_across), Norm(across) * Norm(V * mean_across)),
            (),
            Apply("lemma/cauchy-schwarz", {textbook.X: across, textbook.Y: V * mean_across}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "spectrum",
            at_most(Norm(V * mean_across), radius * Norm(mean_across)),
            ("symmetric-base", "eigenpair-equation", "orthogonal", "others"),
            Textbook(
                textbook.SPECTRAL_RADIUS_ACROSS,
                {
                    textbook.M: V,
                    textbook.U: u1,
                    textbook.X: mean_across,
                    textbook.EIGENVALUE: s.lambda_1,
                    textbook.RADIUS: radius,
                },
            ),
            r"On $u_1^\perp$ the norm of $V$ is $\max_{j\ge2}|\lambda_j|$.",
        ),
        Step("token-in-ball", at_most(Norm(x_j), 1), ("unit-tokens",), Entails(), r"Tokens are unit vectors,"),
        Step(
            "mean-in-ball",
            at_most(Norm(m), 1),
            ("token-in-ball", "weights"),
            Convex(),
            r"so that means are in the ball,",
        ),
        Step(
            "mean-is-high",
            at_most(Dot(x, u1), Dot(m, u1)),
            ("lowest", "weights"),
            Convex(),
            r"and no lower than the lowest token: $p_i\le q_i$.",
        ),
        Step(
            "mean-length",
            equal(Dot(m, m), q**2 + Dot(mean_across, mean_across)),
            ("height-of-mean", "mean-across", "eigenpair"),
            Identity(),
            r"Pythagoras, for the mean",
        ),
        Step(
            "token-length",
            equal(Dot(across, across), 1 - p**2),
            ("height", "across", "eigenpair", "unit"),
            Identity(),
            r"and for the unit vector $x_i$.",
        ),
        Step(
            "mean-square",
            at_most(Dot(mean_across, mean_across), Dot(across, across)),
            (
                "mean-length",
                "token-length",
                "mean-in-ball",
                "mean-is-high",
                "height",
                "height-of-mean",
                "high",
            ),
            Entails(degree=2),
            r"As it is higher and no longer,",
        ),
        Step(
            "mean-is-narrow",
            at_most(Norm(mean_across), Norm(across)),
            ("mean-square",),
            Entails(degree=2),
            r"the mean is narrower than the token.",
        ),
        Step(
            "pull",
            at_most(Dot(across, V * mean_across), radius * (1 - p**2)),
            ("cauchy-schwarz", "spectrum", "mean-is-narrow", "token-length"),
            Entails(degree=3),
            r"The pull of the other eigenvalues, at most.",
        ),
        Step(
            "below-one",
            at_most(0, 1 - p**2),
            ("token-length",),
            Entails(squares=(Norm(across),)),
            r"Heights are at most 1.",
        ),
        Step(
            "rise",
            at_most(PULL_BOUND, PULL),
            ("along", "split", "pull", "mean-is-high", "height", "height-of-mean", "below-one", "gap", "high"),
            Entails(degree=3),
            r"Put together, with $q_i\ge p_i>0$.",
        ),
    ),
)

MODEL = {**SPHERE, "symmetric-base": SYMMETRIC_BASE}
"""One head, tokens on the sphere, V symmetric."""
GAP = {
    "gap": equal(s.dominant_gap, s.lambda_1 - radius),
    "dominant-gap": below(0, s.dominant_gap),
}
RISE = at_most(s.dominant_gap * p * (1 - p**2), p_rate)
HEIGHT = Step("height", equal(p, Dot(x, u1)), (), Definition(), r"How far the lowest token is along $u_1$.")

RISES = Derivation(
    claim="lemma/lowest-token-rises",
    title="the lowest token rises at least at the rate gap* p (1 - p²) while it is in the hemisphere",
    states=RISE,
    setting={**FRAME, **MODEL, **GAP, "high": HIGH},
    steps=(
        HEIGHT,
        Step(
            "field",
            equal(x_rate, V * m - Dot(x, V * m) * x),
            ("single-head", "post-ln", "attention-only"),
            Identity(),
            r"The flow on the sphere.",
        ),
        Step(
            "rate",
            equal(p_rate, PULL),
            ("height", "field"),
            Differentiate({x: x_rate, p: p_rate}),
            r"Differentiate $p_i$ along the flow.",
        ),
        Step("gap-order", below(radius, s.lambda_1), ("gap", "dominant-gap"), Entails(), r"$\mathrm{gap}^*>0$."),
        Step("unit", equal(Dot(x, x), 1), ("post-ln",), Identity(), r"On the sphere."),
        Step(
            "pulled",
            at_most(PULL_BOUND, PULL),
            (*FRAME, "symmetric-base", "gap-order", "unit", "high"),
            Apply("lemma/lowest-token-is-pulled-up"),
            r"What the head contributes",
        ),
        Step("rise", RISE, ("rate", "pulled", "gap", "height"), Entails(degree=1), r"is all of the rate."),
    ),
)

LENGTH = Step(
    "length",
    equal(Norm(x - p * u1) ** 2, 1 - p**2),
    ("height", "post-ln", "eigenpair"),
    Identity(),
    r"where $p_i\le1$,",
)

NOT_FALLING = Derivation(
    claim="lemma/lowest-token-does-not-fall",
    title="the lowest token does not fall while it is in the hemisphere",
    states=at_most(0, p_rate),
    setting={**FRAME, **MODEL, **GAP, "high": HIGH},
    steps=(
        HEIGHT,
        Step(
            "rise",
            RISE,
            (*FRAME, *MODEL, *GAP, "high", "height"),
            Apply("lemma/lowest-token-rises"),
            r"It rises at least at this rate,",
        ),
        LENGTH,
        Step(
            "sign",
            at_most(0, p_rate),
            ("rise", "length", "high", "height", "dominant-gap"),
            Entails(degree=3, squares=(Norm(x - p * u1),)),
            r"which is not negative.",
        ),
    ),
)


def persistence(premises: tuple[str, ...], lemma: str) -> tuple[Step, ...]:
    """From ``hemisphere``, which is about the start, to ``high``; the lemma: the lowest token does not fall."""
    return (
        Step(
            "while-high",
            whenever((), (HIGH,), at_most(0, p_rate)),
            premises,
            Hypothetical(lemma),
            r"The lowest token does not fall while it is in the hemisphere,",
        ),
        Step(
            "kept",
            at_most(p_start, Dot(x, u1)),
            ("while-high", "hemisphere"),
            Textbook(FIRST_EXIT, {_value: Dot(x, u1), _value_rate: p_rate, _value_start: p_start}),
            r"where all tokens start: so it never falls below its start,",
        ),
        Step("high", HIGH, ("kept", "hemisphere"), Entails(degree=1), r"and all tokens stay in the hemisphere."),
    )


LEMMAS: tuple[Derivation, ...] = (PULLED_UP, RISES, NOT_FALLING)
DERIVATIONS: tuple[Derivation, ...] = ()
