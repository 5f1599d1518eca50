"""thm-4.2/subcritical: the mean square drift below the transition."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import textbook
from theory.derivations.model import V, m, x
from theory.derivations.thm_4_2_fixed import _z as Z
from theory.derivations.thm_4_2_loss import ell
from theory.derivations.thm_4_2_model import ADAPTERS, GAUSS, LAYER, RANDOM, VARIANCES, WEIGHTS, U, after, e, length
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, both, equal, family, identity, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

image, base, base_next = (
    vector("t42_image", r"\Phi(\tilde x)"),
    vector("t42_base_token", "x"),
    vector("t42_base_next", r"x'"),
)
size = scalar("t42_image_length", r"|\tilde x+hV\tilde m|", positive=True)
mean_square = family("t42_mean_square", r"\mathbb E\,\mathrm{RMS}^2")
_kick = s.h * s.eta * GAUSS * m
_moved = size * image + _kick
RHO = Expect(Dot(_moved, image) / length(_moved))
_CHORD = Dot(after - base_next, after - base_next)
_BASE = Norm(image - base_next) ** 2
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
        Rotated((U,), _MIRROR),
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
        ("post-ln",),
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
        ("image", "units"),
        Identity(),
        r"$\tilde x=|\tilde x+hV\tilde m|\Phi(\tilde x)-hV\tilde m$.",
    ),
)
_K = s.K_2_layered
_EXACT_K = claims.K_2_LAYERED.expr
added = scalar("t42_added", "a", nonnegative=True)
_RISE = sp.exp(2 * s.h * _K)

_ONE_LAYER = (
    Step(
        "unit-square",
        equal(size**2 - 2 * size * s.h * Dot(image, V * m) + s.h**2 * Dot(V * m, V * m), 1),
        ("token-square", "token-unit"),
        Identity(),
        r"The token is a unit vector.",
    ),
    Step(
        "root",
        at_most(1, size + s.h * Norm(V * m)),
        ("unit-square", "along"),
        Entails(degree=4),
        r"So that $1\le(|\tilde x+hV\tilde m|+h|V\tilde m|)^2$,",
    ),
    Step(
        "size-low",
        at_most(1 - s.h * s.V_norm, size),
        ("root", "value-length"),
        Entails(degree=2),
        r"and the image is not short.",
    ),
    Step(
        "size-square",
        at_most((1 - s.h * s.V_norm) ** 2, size**2),
        ("size-low", "step"),
        Entails(degree=2),
        r"Squares.",
    ),
    Step("noise", equal(added, _NOISE), (), Definition(), r"What a layer adds, at most."),
    Step(
        "noise-square",
        equal(added * (1 - s.h * s.V_norm) ** 2, s.h**2 * s.eta**2 * s.s_norm**2 / s.d),
        ("noise", "tau"),
        Identity(),
        r"In it, $\tau^2=h\eta^2$.",
    ),
    Step(
        "kick-square",
        at_most(s.h**2 * s.eta**2 * s.s_norm**2 * Dot(m, m) / s.d, s.h**2 * s.eta**2 * s.s_norm**2 / s.d),
        ("mean-in-ball",),
        Entails(degree=2, squares=(s.h * s.eta * s.s_norm,)),
        r"The attention mean is no longer than 1.",
    ),
    Step(
        "kick-bound",
        at_most(s.h**2 * s.eta**2 * s.s_norm**2 * Dot(m, m) / s.d, added * size**2),
        ("size-square", "noise-square", "kick-square"),
        Entails(degree=3),
        r"So much does an adapter add.",
    ),
    Step(
        "one-layer",
        at_most(2 * (1 - RHO) * size**2, Expect(Dot(_kick, _kick))),
        ("units", "dimension"),
        Apply("lemma/one-layer-loss", {e: image, ell: size}),
        r"What an adapter turns a token away is at most half the mean square of what it adds.",
    ),
    Step(
        "loss-scaled",
        at_most(2 * (1 - RHO) * size**2, added * size**2),
        ("one-layer", "kick", "kick-bound"),
        Entails(degree=2),
        r"What the adapter turns the token away,",
    ),
    Step(
        "loss-bound",
        at_most(2 * (1 - RHO), added),
        ("loss-scaled",),
        Entails(degree=3),
        r"over $|\tilde x+hV\tilde m|^2$.",
    ),
    Step(
        "base-share",
        at_most(RHO * _BASE, _BASE),
        ("rho-below-one",),
        Entails(degree=2, squares=(Norm(image - base_next),)),
        r"The base layer counts once at most.",
    ),
    Step(
        "token-bound",
        at_most(Expect(_CHORD), added + _BASE),
        ("split", "loss-bound", "base-share"),
        Entails(degree=1),
        r"The mean square chord after the layer.",
    ),
    Step(
        "past",
        at_most(Past(Expect(_CHORD)), added + Past(_BASE)),
        ("token-bound",),
        Mean((image, base_next, after), Past),
        r"The mean over tokens and over the layers before.",
    ),
    Step(
        "lipschitz",
        at_most(Past(_BASE), (1 + s.h * _K) ** 2 * mean_square[s.L]),
        ("full-attention", "K", "step"),
        Entails(degree=1),
        r"One base layer, from the two clouds of tokens.",
    ),
    Step(
        "layer-bound",
        at_most(mean_square[s.L + 1], added + (1 + s.h * _K) ** 2 * mean_square[s.L]),
        ("past", "independent-adapters", "lipschitz"),
        Entails(degree=2),
        r"The layers before are independent of this adapter.",
    ),
    Step(
        "tangent",
        at_most(1 + s.h * _K, sp.exp(s.h * _K)),
        (),
        Apply("lemma/exponential-growth", {Z: s.h * _K}),
        r"$1+z\le e^z$,",
    ),
    Step(
        "tangent-twice",
        at_most(1 + 2 * s.h * _K, _RISE),
        (),
        Apply("lemma/exponential-growth", {Z: 2 * s.h * _K}),
        r"twice.",
    ),
    Step(
        "tangent-square",
        at_most((1 + s.h * _K) ** 2, _RISE),
        ("tangent",),
        Entails(degree=3),
        r"Its square.",
    ),
    Step(
        "recursion",
        at_most(mean_square[s.L + 1], _RISE * mean_square[s.L] + added),
        ("layer-bound", "tangent-square", "square-sign"),
        Entails(degree=2),
        r"A linear recursion,",
    ),
    Step(
        "closed",
        at_most(mean_square[s.L], added * (sp.exp(2 * s.h * _K * s.L) - 1) / (2 * s.h * _K)),
        ("recursion", "common-start", "tangent-twice", "rate-positive"),
        Recursion(mean_square[s.L], s.L, degree=4),
        r"whose solution is bounded by induction over layers.",
    ),
    Step(
        "bound",
        at_most(mean_square[s.L], claims.SUBCRITICAL_BOUND.expr),
        ("closed", "noise", "depth", "rate-positive", "step"),
        Entails(degree=2),
        r"With $T=hL$.",
    ),
)
LEMMAS: tuple[Derivation, ...] = ()
SUBCRITICAL = Derivation(
    claim="thm-4.2/subcritical",
    setting={
        "weights": WEIGHTS,
        "image": equal(x, size * image - s.h * V * m),
        "units": both(equal(Dot(image, image), 1), equal(Dot(base_next, base_next), 1)),
        "token-unit": equal(Dot(x, x), 1),
        "regular": below(0, length(_moved)),
        "mean-in-ball": at_most(Dot(m, m), 1),
        "norm": equal(s.V_norm, Norm(V)),
        "step": below(s.h * s.V_norm, 1),
        "tau": equal(s.noise_scale, sp.sqrt(s.h) * s.eta),
        "dimension": at_most(2, s.d),
        "K": equal(_K, _EXACT_K),
        "square-sign": at_most(0, mean_square[s.L]),
        "rate-positive": below(0, _K),
        "depth": equal(s.T, s.h * s.L),
    },
    assumptions={
        **LAYER,
        **ADAPTERS,
        "full-attention": at_most(Past(_BASE), (1 + s.h * _EXACT_K) ** 2 * mean_square[s.L]),
        "independent-adapters": equal(mean_square[s.L + 1], Past(Expect(_CHORD))),
        "common-start": equal(mean_square[0], 0),
    },
    steps=(*_TOKEN, *_ONE_LAYER),
    conditional=(
        r"That one layer of the base stretches the root mean square chord of two clouds by at most $1+hK_2'$ "
        r"is taken as given under the name of full attention; it is the layered form of Prop. 3.1 and is not "
        r"derived."
    ),
    remark=(
        r"Under the name of full attention it is taken as given, too, that one base layer stretches the root mean "
        r"square "
        r"chord by $1+hK_2'$ at most, $K_2$ as in Proposition 3.1. The bound grows with the depth, so that it "
        r"holds for the "
        r"maximum over all layers up to $L$."
    ),
)
DERIVATIONS: tuple[Derivation, ...] = (SUBCRITICAL,)
