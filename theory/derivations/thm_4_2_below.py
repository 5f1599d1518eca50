"""thm-4.2/subcritical: the mean square drift below the transition."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_1
from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import textbook
from theory.derivations.model import V, m, x
from theory.derivations.thm_4_2_fixed import ABOVE
from theory.derivations.thm_4_2_model import ADAPTERS, GAUSS, LAYER, RANDOM, VARIANCES, WEIGHTS, after, dV, length
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, both, equal, family, identity, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

image, base, base_next = vector("t42_image", r"\Phi(\tilde x)"), vector("t42_base_token", "x"), vector("t42_base_next", r"x'")
size = scalar("t42_image_length", r"|\tilde x+hV\tilde m|", positive=True)
mean_square = family("t42_mean_square", r"\mathbb E\,\mathrm{RMS}^2")
added = scalar("t42_added", "a", nonnegative=True)
growth = scalar("t42_growth", "q", positive=True)
_kick = s.h * s.eta * GAUSS * m
_moved = size * image + _kick
RHO = Expect(Dot(_moved, image) / length(_moved))
_CHORD = Dot(after - base_next, after - base_next)
_BASE = Dot(image - base_next, image - base_next)
_NOISE = s.h * s.noise_scale**2 * s.s_norm**2 / s.d / (1 - s.h * s.V_norm) ** 2
_MIRROR = 2 * image * image.T - identity


def _overlap(v: sp.MatrixExpr) -> sp.Expr:
    return Dot(_moved, v) / length(_moved)


_TOKEN = (
    Step(
        "layer",
        equal(Dot(after, base_next), _overlap(base_next)),
        ("single-head", "attention-only", "post-ln", "gaussian-adapters", "zero-mean-adapters", "image", "regular"),
        Identity(),
        r"One layer: from $\tilde x+hV\tilde m$, the adapter adds $h\Delta V\tilde m$.",
    ),
    Step(
        "mirror",
        equal(
            Expect(_overlap(base_next)),
            Expect((2 * Dot(_moved, image) * Dot(image, base_next) - Dot(_moved, base_next)) / length(_moved)),
        ),
        ("units",),
        Rotated(RANDOM, _MIRROR),
        r"Isotropy: a reflection that keeps $\Phi(\tilde x)$,",
    ),
    Step(
        "linear",
        equal(
            Expect((2 * Dot(_moved, image) * Dot(image, base_next) - Dot(_moved, base_next)) / length(_moved)),
            2 * Dot(image, base_next) * RHO - Expect(_overlap(base_next)),
        ),
        (),
        Mean(RANDOM, pointwise=False),
        r"and linearity.",
    ),
    Step(
        "layer-mean",
        equal(Expect(Dot(after, base_next)), Expect(_overlap(base_next))),
        ("layer",),
        Mean((*RANDOM, after)),
        r"The mean over this adapter.",
    ),
    Step(
        "conditional",
        equal(Expect(Dot(after, base_next)), RHO * Dot(image, base_next)),
        ("layer-mean", "mirror", "linear"),
        Identity(),
        r"The mean token lies along $\Phi(\tilde x)$.",
    ),
    Step(
        "after-unit",
        equal(Dot(after, after), 1),
        ("single-head", "attention-only", "post-ln", "gaussian-adapters", "zero-mean-adapters", "image", "regular"),
        Identity(),
        r"Tokens are unit vectors.",
    ),
    Step("chord", equal(_CHORD, 2 - 2 * Dot(after, base_next)), ("after-unit", "units"), Identity(), r"The chord."),
    Step(
        "chord-mean",
        equal(Expect(_CHORD), 2 - 2 * Expect(Dot(after, base_next))),
        ("chord",),
        Mean((*RANDOM, after)),
        r"In the mean.",
    ),
    Step(
        "split",
        equal(Expect(_CHORD), 2 * (1 - RHO) + RHO * _BASE),
        ("chord-mean", "conditional", "units"),
        Identity(),
        r"$2(1-\rho)+\rho|\Phi(\tilde X)-\Phi(X)|^2$.",
    ),
    Step(
        "cauchy",
        at_most(Dot(_moved, image) ** 2, Dot(_moved, _moved) * Dot(image, image)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: _moved, textbook.Y: image}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "overlap-below-one",
        at_most(_overlap(image), 1),
        ("cauchy", "units", "regular"),
        Entails(degree=3),
        r"An overlap is at most 1,",
    ),
    Step("rho-below-one", at_most(RHO, 1), ("overlap-below-one",), Mean(RANDOM), r"and so is its mean."),
    Step(
        "kick",
        equal(Expect(Dot(_kick, _kick)), s.h**2 * s.eta**2 * s.s_norm**2 * Dot(m, m) / s.d),
        ("weights",),
        MatrixWick(VARIANCES),
        r"The mean square of what the adapter adds.",
    ),
    Step(
        "operator",
        at_most(Norm(V * m), Norm(V) * Norm(m)),
        (),
        Textbook(textbook.OPERATOR_NORM, {textbook.M: V, textbook.X: m}),
        r"The operator norm.",
    ),
    Step(
        "cauchy-image",
        at_most(Dot(image, V * m) ** 2, Dot(image, image) * Dot(V * m, V * m)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: image, textbook.Y: V * m}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "mean-length",
        at_most(Norm(m), 1),
        ("mean-in-ball",),
        Entails(degree=2),
        r"A mean of unit vectors.",
    ),
    Step(
        "value-length",
        at_most(Norm(V * m), s.V_norm),
        ("operator", "mean-length", "norm"),
        Entails(degree=2),
        r"So $|V\tilde m|\le\|V\|$,",
    ),
    Step(
        "along",
        at_most(-Norm(V * m), Dot(image, V * m)),
        ("cauchy-image", "units"),
        Entails(degree=3),
        r"along any direction.",
    ),
    Step(
        "token-square",
        equal(Dot(x, x), size**2 - 2 * size * s.h * Dot(image, V * m) + s.h**2 * Dot(V * m, V * m)),
        ("image", "units-image"),
        Identity(),
        r"$\tilde x=|\tilde x+hV\tilde m|\Phi(\tilde x)-hV\tilde m$.",
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
SUBCRITICAL = Derivation(
    claim="thm-4.2/subcritical",
    setting={
        "weights": WEIGHTS,
        "image": equal(x, size * image - s.h * V * m),
        "units": both(equal(Dot(image, image), 1), equal(Dot(base_next, base_next), 1)),
        "units-image": equal(Dot(image, image), 1),
        "regular": below(0, length(_moved)),
        "mean-in-ball": at_most(Dot(m, m), 1),
        "norm": equal(s.V_norm, Norm(V)),
        "step": below(s.h * s.V_norm, 1),
    },
    assumptions={**LAYER, **ADAPTERS},
    steps=_TOKEN,
)
DERIVATIONS: tuple[Derivation, ...] = (SUBCRITICAL,)
