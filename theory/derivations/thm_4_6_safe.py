"""thm-4.6/random-safe: the full model leaves the well of u1, by symmetry and Doeblin's condition."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations.model import ATTENTION_ONLY, V, attention, drive, m, u1, x
from theory.derivations.thm_4_6_model import dV
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Definition, Entails, Evaluate, Identity, Monotone, Textbook, Wick
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.expectation import Linearity
from theory.kernel.step import Derivation, Step

after = vector("p46_x_next", "x^{l+1}")
mirror, mirror_after = vector("p46_mirror", r"\bar x"), vector("p46_mirror_next", r"\bar x^{l+1}")
start, base_start = vector("p46_x_start", "x^0"), vector("p46_base_start", r"x^0_{\mathrm{base}}")
left, right = vector("p46_a", "a"), vector("p46_b_factor", "b")
given = vector("p46_b_value", r"\beta")
point, centre = vector("p46_point", "y"), vector("p46_centre", r"\mu")
length = scalar("p46_length", "|y|", positive=True)
spread = scalar("p46_spread", "v", positive=True)
norm = scalar("p46_norm", r"(\pi v)^{-1}", positive=True)
density, density_past = scalar("p46_density", "f"), scalar("p46_density_past", r"f_{\mathrm{past}}")
wide = scalar("p46_wide", "f_0")
share, event, rate = scalar("p46_share", "c"), scalar("p46_event", "P"), scalar("p46_rate", "q")
overlap, mirror_overlap = scalar("p46_overlap", r"o"), scalar("p46_mirror_overlap", r"\bar o")
chord = scalar("p46_chord_square", r"|x^L-u_1|^2")
drift = scalar("p46_chord", r"\mathbb E|x^L-u_1|^2")

_Z, _share = scalar("p46_Z", "Z"), scalar("p46_share_any", r"\theta")
PALEY_ZYGMUND = Theorem(
    "Paley-Zygmund inequality",
    at_most((1 - _share) ** 2 * Expect(_Z) ** 2, event * Expect(_Z**2)),
    "R. E. A. C. Paley, A. Zygmund, Proc. Cambridge Philos. Soc. 28 (1932) 190-205, Lemma 19",
    (at_most(0, _Z),),
)
"""``0 <= θ <= 1``, and ``p46_event`` is the probability of ``Z >= θ E Z``."""

_chance = scalar("p46_chance_any", "p")
_o1, _o2 = scalar("p46_o1", "o_1"), scalar("p46_o2", "o_2")
_x1, _y1 = vector("p46_state1", "x_1"), vector("p46_state1_next", r"x_1^{+}")
_x2, _y2 = vector("p46_state2", "x_2"), vector("p46_state2_next", r"x_2^{+}")
_POWER = sp.exp(s.L * sp.log(rate))


def _layer(state: sp.Expr, following: sp.Expr) -> sp.Equality:
    return equal(following, (state + s.h * (V + dV) * state) / length)


DOEBLIN = Theorem(
    "Doeblin's condition",
    at_most(sp.Abs(Expect(_o1) - Expect(_o2)), 2 * _POWER),
    "S. Meyn, R. L. Tweedie, Markov Chains and Stochastic Stability, 2nd ed., Cambridge 2009, Thm. 16.2.4; "
    "R. L. Dobrushin, Theory Probab. Appl. 1 (1956) 65-80",
    (
        _layer(_x1, _y1),
        _layer(_x2, _y2),
        at_most(share * wide, density_past),
        at_most(_chance, event),
        equal(rate, 1 - _chance * share),
        below(rate, 1),
        below(0, rate),
        equal(_o1, Dot(_x1, u1)),
        equal(_o2, Dot(_x2, u1)),
    ),
)
"""Two chains with the same transition law, on unit vectors, after L layers. Given the past, on an event of probability
``p46_event``, at least ``p46_chance_any`` from every state, the density of the next vector before its normalisation is
at least ``share`` times that of a centred isotropic Gaussian vector, whose direction is uniform."""

_vector, _mean, _size = vector("p46_vector_any", "z"), vector("p46_mean_any", "m"), scalar("p46_size_any", "c")
GAUSSIAN_DENSITY = Theorem(
    "density of an isotropic Gaussian vector in the plane",
    equal(density, norm * sp.exp(-Dot(point - _mean, point - _mean) / spread)),
    "T. W. Anderson, An Introduction to Multivariate Statistical Analysis, 3rd ed., Wiley 2003, §2.3",
    (equal(_vector, _mean + _size * left), equal(spread, _size**2)),
)
"""``left`` is ``N(0, I/2)``, ``p46_norm`` is ``1/(πv)``; the density at the point y, where v > 0."""

_WICK = {right: 1 / s.d}
_SQUARE = Dot(right, x) ** 2
_TOP = sp.Rational(121, 100)
_FLOOR = sp.Rational(1, 20)
_LOWER = -2 * _TOP / _FLOOR - 2 * Dot(point, point) / spread
_UPPER = -Dot(point - centre, point - centre) / spread

_MEETS = (
    Step(
        "symmetric-base-met",
        equal(V.T, V),
        ("matrix",),
        Evaluate(),
        r"$V=\operatorname{diag}(1,0)$ is symmetric.",
    ),
    Step(
        "gap-met",
        below(s.lambda_2, s.lambda_1),
        ("spectrum",),
        Evaluate(),
        r"Its gap is $1$.",
    ),
    Step(
        "start-met",
        equal(start, base_start),
        ("start",),
        Identity(),
        r"Both models start at $u_1$.",
    ),
    Step(
        "projector",
        equal(V, u1 * u1.T),
        ("matrix", "axis"),
        Evaluate(),
        r"$V$ is the projector on $u_1$.",
    ),
    Step("axis-unit", equal(Dot(u1, u1), 1), ("axis",), Evaluate(), r"$u_1$ is a unit vector."),
)

_CHAIN = (
    Step(
        "layer",
        _layer(x, after),
        ("single-head", "post-ln", "attention-only", "collapsed-base"),
        Identity(),
        r"One layer.",
    ),
    Step("mirror", equal(mirror, -x), (), Definition(), r"The mirror image of the token,"),
    Step("mirror-after", equal(mirror_after, -after), (), Definition(), r"and after the layer."),
    Step(
        "mirror-layer",
        _layer(mirror, mirror_after),
        ("mirror", "mirror-after", "layer"),
        Identity(),
        r"It is a token of the same model, with the same adapters, started at $-u_1$.",
    ),
)

_DENSITY = (
    Step(
        "jump",
        equal(x + s.h * (V + dV) * x, centre + s.h * s.eta * s.s_norm * Dot(given, x) * left),
        ("zero-mean-adapters", "gaussian-adapters"),
        Identity(),
        r"Before its normalisation the next token is Gaussian about $\mu=x+hVx$, given $b=\beta$.",
    ),
    Step(
        "gaussian",
        equal(density, norm * sp.exp(_UPPER)),
        ("jump", "spread"),
        Textbook(
            GAUSSIAN_DENSITY,
            {_vector: x + s.h * (V + dV) * x, _mean: centre, _size: s.h * s.eta * s.s_norm * Dot(given, x)},
        ),
        r"Its density.",
    ),
    Step(
        "component",
        at_most(Dot(x, u1) ** 2, 1),
        ("unit", "axis-unit"),
        Entails(degree=1, squares=(Norm(x - Dot(x, u1) * u1),)),
        r"Both are unit vectors.",
    ),
    Step(
        "centre-bound",
        at_most(Dot(centre, centre), _TOP),
        ("zero-mean-adapters", "projector", "component", "unit", "axis-unit", "step"),
        Entails(degree=1),
        r"$|\mu|\le1+h$.",
    ),
    Step(
        "distance",
        at_most(Dot(point - centre, point - centre), 2 * Dot(point, point) + 2 * Dot(centre, centre)),
        (),
        Entails(degree=1, squares=(Norm(point + centre),)),
        r"The difference is $|y+\mu|^2$.",
    ),
    Step(
        "spread-floor",
        at_most(_FLOOR, spread),
        ("spread", "on-event", "unit", "step", "dimension", "size"),
        Entails(degree=2),
        r"On the event $\langle\beta,x\rangle^2\ge\tfrac14$ the noise is not small.",
    ),
    Step(
        "exponent",
        at_most(_LOWER, _UPPER),
        ("distance", "centre-bound", "spread-floor"),
        Entails(degree=3),
        r"Compare exponents.",
    ),
    Step("exponential", at_most(sp.exp(_LOWER), sp.exp(_UPPER)), ("exponent",), Monotone(sp.exp), r"Exponentials."),
    Step(
        "minor",
        at_most(share * wide, density_past),
        ("exponential", "share", "wide", "gaussian", "independent-adapters"),
        Entails(degree=2),
        r"Whatever the past, the density is at least $c$ times that of a centred Gaussian vector.",
    ),
)

_EVENT = (
    Step(
        "second-moment",
        equal(Expect(_SQUARE), Dot(x, x) / s.d),
        (),
        Wick(_WICK),
        r"Given $x$, $\langle b,x\rangle$ is a Gaussian number.",
    ),
    Step(
        "fourth-moment",
        equal(Expect(_SQUARE**2), 3 * Dot(x, x) ** 2 / s.d**2),
        (),
        Wick(_WICK),
        r"Its fourth moment.",
    ),
    Step(
        "paley-zygmund",
        at_most((1 - sp.Rational(1, 2)) ** 2 * Expect(_SQUARE) ** 2, event * Expect(_SQUARE**2)),
        (),
        Textbook(PALEY_ZYGMUND, {_Z: _SQUARE, _share: sp.Rational(1, 2)}),
        r"A number with such moments is not always small.",
    ),
    Step(
        "event",
        at_most(sp.Rational(1, 12), event),
        ("paley-zygmund", "second-moment", "fourth-moment", "unit", "dimension"),
        Entails(degree=2),
        r"$P\ge\tfrac1{12}$, from whatever $x$.",
    ),
    Step("share-positive", below(0, share), ("share",), Entails(degree=3), r"$c>0$."),
    Step(
        "rate-below-one",
        below(rate, 1),
        ("rate", "share-positive"),
        Entails(degree=1),
        r"So there is a contraction.",
    ),
)
_DEPTH = (
    Step("exponent-negative", at_most(-2 * _TOP / _FLOOR, 0), (), Evaluate(), r"A negative exponent."),
    Step(
        "share-bound",
        at_most(sp.exp(-2 * _TOP / _FLOOR), 1),
        ("exponent-negative",),
        Monotone(sp.exp),
        r"The exponential is at most $1$.",
    ),
    Step(
        "share-half",
        at_most(share, sp.Rational(1, 2)),
        ("share", "share-bound"),
        Entails(degree=1),
        r"$c\le\tfrac12$.",
    ),
    Step(
        "rate-positive",
        below(0, rate),
        ("rate", "share-half"),
        Entails(degree=1),
        r"And it is no projection.",
    ),
    Step("log-negative", below(sp.log(rate), 0), ("rate-below-one", "rate-positive"), Monotone(sp.log), r"$q<1$."),
    Step(
        "deep-exponent",
        at_most(s.L * sp.log(rate), sp.log(sp.Rational(1, 2))),
        ("deep", "log-negative"),
        Entails(degree=2),
        r"Deep enough.",
    ),
    Step("deep-power", at_most(_POWER, sp.Rational(1, 2)), ("deep-exponent",), Monotone(sp.exp), r"$q^L\le\tfrac12$."),
)

_DRIFT = (
    Step("overlap", equal(overlap, Dot(x, u1)), (), Definition(), r"The overlap of the token with $u_1$,"),
    Step("mirror-overlap", equal(mirror_overlap, Dot(mirror, u1)), (), Definition(), r"and of its mirror image."),
    Step(
        "odd",
        equal(mirror_overlap, -overlap),
        ("overlap", "mirror-overlap", "mirror"),
        Identity(),
        r"They are opposite,",
    ),
    Step(
        "odd-mean",
        equal(Expect(mirror_overlap), -Expect(overlap)),
        ("odd",),
        Linearity((overlap,)),
        r"and so are their means.",
    ),
    Step(
        "coupling",
        at_most(sp.Abs(Expect(overlap) - Expect(mirror_overlap)), 2 * _POWER),
        (
            "layer",
            "mirror-layer",
            "minor",
            "event",
            "rate",
            "rate-below-one",
            "rate-positive",
            "overlap",
            "mirror-overlap",
        ),
        Textbook(
            DOEBLIN,
            {
                _o1: overlap,
                _o2: mirror_overlap,
                _x1: x,
                _y1: after,
                _x2: mirror,
                _y2: mirror_after,
                _chance: sp.Rational(1, 12),
            },
        ),
        r"But the model forgets where it started.",
    ),
    Step(
        "mean-bound",
        at_most(Expect(overlap), sp.Rational(1, 2)),
        ("coupling", "odd-mean", "deep-power"),
        Entails(degree=1),
        r"Half of the way to the mean $0$.",
    ),
    Step("chord-square", equal(chord, Dot(x - u1, x - u1)), (), Definition(), r"The drift of the token,"),
    Step(
        "chord",
        equal(chord, 2 - 2 * overlap),
        ("chord-square", "unit", "axis-unit", "overlap"),
        Identity(),
        r"in terms of the overlap,",
    ),
    Step("drift", equal(drift, Expect(chord)), (), Definition(), r"and its mean square."),
    Step(
        "mean-drift",
        equal(drift, 2 - 2 * Expect(overlap)),
        ("drift", "chord"),
        Linearity((overlap,)),
        r"So the mean square drift is $2-2\,\mathbb E\langle x,u_1\rangle$.",
    ),
    Step(
        "stationary",
        equal(claims.STATIONARY_DRIFT_SQUARED.expr, sp.Rational(5, 21)),
        ("spectrum", "step", "size", "dimension", "sigma"),
        Evaluate(),
        r"The linearised drift stays below $r^2=5/21$ at every depth.",
    ),
    Step(
        "exceeds",
        below(claims.STATIONARY_DRIFT_SQUARED.expr, drift),
        ("stationary", "mean-drift", "mean-bound"),
        Entails(degree=1),
        r"The drift of the full model is at least $1$.",
    ),
)

RANDOM_SAFE = Derivation(
    claim="thm-4.6/random-safe",
    setting={
        "matrix": equal(V, sp.ImmutableMatrix([[1, 0], [0, 0]])),
        "axis": equal(u1, sp.ImmutableMatrix([1, 0])),
        "spectrum": both(equal(s.lambda_1, 1), equal(s.lambda_2, 0), equal(s.other_eigenvalues[s.j], 0)),
        "dimension": equal(s.d, 2),
        "step": equal(s.h, sp.Rational(1, 10)),
        "size": both(equal(s.eta, 2 * sp.sqrt(5)), equal(s.s_norm, 1)),
        "sigma": equal(s.sigma, sp.sqrt(s.h) * s.eta * s.s_norm / s.d),
        "start": both(equal(start, u1), equal(base_start, u1)),
        "unit": equal(Dot(x, x), 1),
        "spread": equal(spread, (s.h * s.eta * s.s_norm * Dot(given, x)) ** 2),
        "on-event": at_most(Dot(x, x) / (2 * s.d), Dot(given, x) ** 2),
        "wide": equal(wide, 2 * norm * sp.exp(-2 * Dot(point, point) / spread)),
        "share": equal(share, sp.exp(-2 * _TOP / _FLOOR) / 2),
        "rate": equal(rate, 1 - share / 12),
        "deep": at_most(sp.log(sp.Rational(1, 2)) / sp.log(rate), s.L),
    },
    assumptions={
        "single-head": equal(attention, (V + dV) * m),
        "attention-only": ATTENTION_ONLY,
        "post-ln": both(equal(after, (x + s.h * drive) / length), equal(Norm(x + s.h * drive), length)),
        "collapsed-base": equal(m, x),
        "gaussian-adapters": equal(dV, s.eta * s.s_norm * left * given.T),
        "zero-mean-adapters": equal(centre, x + s.h * V * x),
        "independent-adapters": equal(density_past, density),
    },
    meets={
        "symmetric-base": "symmetric-base-met",
        "spectral-gap": "gap-met",
        "common-start": "start-met",
    },
    remark=(
        r"Shown for $d=2$, $V=\operatorname{diag}(1,0)$, $h=\tfrac1{10}$, $\sigma^2=\tfrac12$, adapters of rank one: "
        r"$\mathbb E|x^L-u_1|^2\ge1>\tfrac5{21}$ at every depth $L\ge\log\tfrac12/\log q$, an astronomical number; "
        r"the rate of the escape is not derived. $a$, $b$ are $N(0,I/2)$, $\beta$ is the value of $b$; $P$ is the "
        r"probability of $\langle b,x\rangle^2\ge\tfrac14$, the same from every $x$. "
        r"Doeblin's condition is cited for this chain; the drift is measured by $\mathbb "
        r"E|x-u_1|^2\le\mathbb E\tan^2$."
    ),
    steps=(*_MEETS, *_CHAIN, *_DENSITY, *_EVENT, *_DEPTH, *_DRIFT),
)

DERIVATIONS: tuple[Derivation, ...] = (RANDOM_SAFE,)
