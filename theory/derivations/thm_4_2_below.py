"""thm-4.2/subcritical: the mean square drift below the transition."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_2 as claims
from theory.derivations import textbook
from theory.derivations.model import attention, drive, m, x
from theory.derivations.prop_3_1_lemmas import x as x_j
from theory.derivations.prop_3_1_lemmas import x_i, z
from theory.derivations.thm_4_2_clouds import (
    CLOUDS,
    FULL_ATTENTION,
    every_m_z,
    every_z,
    image,
    image_z,
    length_z,
    moved_to,
    rms,
    size,
)
from theory.derivations.thm_4_2_clouds import m as mean
from theory.derivations.thm_4_2_fixed import _z as Z
from theory.derivations.thm_4_2_loss import ell
from theory.derivations.thm_4_2_model import ADAPTERS, GAUSS, LAYER, RANDOM, VARIANCES, WEIGHTS, U, after, e, length
from theory.derivations.thm_4_2_stretch import K_2, STRETCH
from theory.kernel.notation import Dot, Expect, Norm, at_most, below, equal, family, identity, scalar
from theory.kernel.rules import Apply, Definition, Entails, Identity
from theory.kernel.rules.averages import Average, Averaged, I, token_scalar, token_vector
from theory.kernel.rules.random_matrices import MatrixWick, Mean, Past, Rotated
from theory.kernel.rules.sequences import Recursion
from theory.kernel.step import Derivation, Step

mean_square = family("t42_mean_square", r"\mathbb E\,\mathrm{RMS}^2")
every_after = token_vector("t42_after_i", r"\tilde x_i^{l+1}")
strayed = token_scalar("t42_strayed_i", r"\mathbb E_l|\tilde x_i^{l+1}-x_i^{l+1}|^2")
EVERY = {
    x: every_z,
    m: every_m_z,
    after: every_after,
    attention: token_vector("t42_attention_i", "o_i"),
    drive: token_vector("t42_drive_i", "g_i"),
}
"""Token i of the perturbed model, as any of all tokens; every one of them has the same adapter."""

_kick = s.h * s.eta * GAUSS * every_m_z
_moved = length_z * image_z + _kick
RHO = Expect(Dot(_moved, image_z) / length(_moved))
_CHORD = Dot(every_after - image, every_after - image)
_BASE = Norm(image_z - image) ** 2
_NOISE = s.h * s.noise_scale**2 * s.s_norm**2 / s.d / (1 - s.h * s.V_norm) ** 2
_MIRROR = 2 * image_z * image_z.T - identity
_TOKEN_AT = {x_j: z, x_i: every_z, mean: every_m_z}


def _overlap(v: sp.MatrixExpr) -> sp.Expr:
    return Dot(_moved, v) / length(_moved)


_TOKEN = (
    Step(
        "layer",
        equal(Dot(every_after, image), _overlap(image)),
        ("single-head", "attention-only", "post-ln", "gaussian-adapters", "zero-mean-adapters", "images", "regular"),
        Identity(),
        r"One layer: from $\tilde x+hV\tilde m$, the adapter adds $h\Delta V\tilde m$.",
    ),
    Step(
        "mirror",
        equal(
            Expect(_overlap(image)),
            Expect((2 * Dot(_moved, image_z) * Dot(image_z, image) - Dot(_moved, image)) / length(_moved)),
        ),
        ("images",),
        Rotated((U,), _MIRROR),
        r"Isotropy: a reflection that keeps $\Phi(\tilde x)$,",
    ),
    Step(
        "linear",
        equal(
            Expect((2 * Dot(_moved, image_z) * Dot(image_z, image) - Dot(_moved, image)) / length(_moved)),
            2 * Dot(image_z, image) * RHO - Expect(_overlap(image)),
        ),
        (),
        Mean(RANDOM, pointwise=False),
        r"and linearity.",
    ),
    Step(
        "layer-mean",
        equal(Expect(Dot(every_after, image)), Expect(_overlap(image))),
        ("layer",),
        Mean((*RANDOM, every_after)),
        r"The mean over this adapter.",
    ),
    Step(
        "conditional",
        equal(Expect(Dot(every_after, image)), RHO * Dot(image_z, image)),
        ("layer-mean", "mirror", "linear"),
        Identity(),
        r"The mean token lies along $\Phi(\tilde x)$.",
    ),
    Step(
        "after-unit",
        equal(Dot(every_after, every_after), 1),
        ("post-ln",),
        Identity(),
        r"Tokens are unit vectors.",
    ),
    Step("chord", equal(_CHORD, 2 - 2 * Dot(every_after, image)), ("after-unit", "images"), Identity(), r"The chord."),
    Step(
        "chord-mean",
        equal(Expect(_CHORD), 2 - 2 * Expect(Dot(every_after, image))),
        ("chord",),
        Mean((*RANDOM, every_after)),
        r"In the mean.",
    ),
    Step(
        "split",
        equal(Expect(_CHORD), 2 * (1 - RHO) + RHO * _BASE),
        ("chord-mean", "conditional", "images"),
        Identity(),
        r"$2(1-\rho)+\rho|\Phi(\tilde X)-\Phi(X)|^2$.",
    ),
    Step(
        "cauchy",
        at_most(Dot(_moved, image_z) ** 2, Dot(_moved, _moved) * Dot(image_z, image_z)),
        (),
        Apply("lemma/cauchy-schwarz#squares", {textbook.X: _moved, textbook.Y: image_z}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "overlap-below-one",
        at_most(_overlap(image_z), 1),
        ("cauchy", "images", "regular"),
        Entails(degree=3),
        r"An overlap is at most 1,",
    ),
    Step("rho-below-one", at_most(RHO, 1), ("overlap-below-one",), Mean(RANDOM), r"and so is its mean."),
    Step(
        "kick",
        equal(Expect(Dot(_kick, _kick)), s.h**2 * s.eta**2 * s.s_norm**2 * Dot(every_m_z, every_m_z) / s.d),
        ("weights",),
        MatrixWick(VARIANCES),
        r"The mean square of what the adapter adds.",
    ),
    Step(
        "mean-length",
        at_most(Norm(every_m_z), 1),
        ("unit-tokens", "means"),
        Apply("lemma/image-length#mean-length", {**_TOKEN_AT}),
        r"A mean of unit vectors.",
    ),
    Step(
        "mean-in-ball",
        at_most(Dot(every_m_z, every_m_z), 1),
        ("mean-length",),
        Entails(degree=2),
        r"Its square.",
    ),
    Step(
        "length",
        at_most(1 - s.h * s.V_norm, length_z),
        ("norms", "unit-tokens", "means", "images"),
        Apply("lemma/image-length", {**_TOKEN_AT, moved_to: image_z, size: length_z}),
        r"The image is not short before it is normalised.",
    ),
    Step(
        "length-square",
        at_most((1 - s.h * s.V_norm) ** 2, length_z**2),
        ("length", "step"),
        Entails(degree=2),
        r"Squares.",
    ),
)
_K = s.K_2_layered
_EXACT_K = claims.K_2_LAYERED.expr
added = scalar("t42_added", "a", nonnegative=True)
_RISE = sp.exp(2 * s.h * _K)

_ONE_LAYER = (
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
        at_most(
            s.h**2 * s.eta**2 * s.s_norm**2 * Dot(every_m_z, every_m_z) / s.d, s.h**2 * s.eta**2 * s.s_norm**2 / s.d
        ),
        ("mean-in-ball",),
        Entails(degree=2, squares=(s.h * s.eta * s.s_norm,)),
        r"The attention mean is no longer than 1.",
    ),
    Step(
        "kick-bound",
        at_most(s.h**2 * s.eta**2 * s.s_norm**2 * Dot(every_m_z, every_m_z) / s.d, added * length_z**2),
        ("length-square", "noise-square", "kick-square"),
        Entails(degree=3),
        r"So much does an adapter add.",
    ),
    Step(
        "one-layer",
        at_most(2 * (1 - RHO) * length_z**2, Expect(Dot(_kick, _kick))),
        ("images", "dimension"),
        Apply("lemma/one-layer-loss", {e: image_z, ell: length_z, m: every_m_z}),
        r"What an adapter turns a token away is at most half the mean square of what it adds.",
    ),
    Step(
        "loss-scaled",
        at_most(2 * (1 - RHO) * length_z**2, added * length_z**2),
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
        Entails(degree=2, squares=(Norm(image_z - image),)),
        r"The base layer counts once at most.",
    ),
    Step(
        "token-bound",
        at_most(Expect(_CHORD), added + _BASE),
        ("split", "loss-bound", "base-share"),
        Entails(degree=1),
        r"The mean square chord after the layer.",
    ),
    Step("strayed-bound", at_most(strayed, added + _BASE), ("token-bound", "strayed"), Entails(), r"By name,"),
    Step(
        "averaged",
        at_most(Average(strayed, 0, I), added + Average(_BASE, 0, I)),
        ("strayed-bound",),
        Averaged(sp.Integer(0), I),
        r"averaged over all tokens,",
    ),
    Step(
        "past",
        at_most(Past(Average(strayed, 0, I)), added + Past(Average(_BASE, 0, I))),
        ("averaged",),
        Mean((image_z, image, strayed), Past),
        r"and over the layers before.",
    ),
    Step(
        "stretch",
        at_most(Average(_BASE, 0, I), STRETCH * rms**2),
        (*CLOUDS, "full-attention", "K_2"),
        Apply("lemma/layer-stretch"),
        r"One base layer, from the two clouds of tokens,",
    ),
    Step(
        "stretch-mean",
        at_most(Past(Average(_BASE, 0, I)), STRETCH * Past(rms**2)),
        ("stretch",),
        Mean((image_z, image, rms), Past),
        r"in the mean over the layers before.",
    ),
    Step(
        "lipschitz",
        at_most(Past(Average(_BASE, 0, I)), (1 + s.h * _K) ** 2 * mean_square[s.L]),
        ("stretch-mean", "drift", "K", "step"),
        Entails(degree=1),
        r"By names,",
    ),
    Step(
        "rms-sign",
        at_most(0, rms**2),
        (),
        Entails(degree=2),
        r"A mean square",
    ),
    Step("mean-sign", at_most(0, Past(rms**2)), ("rms-sign",), Mean((rms,), Past), r"is not negative on average."),
    Step("square-sign", at_most(0, mean_square[s.L]), ("mean-sign", "drift"), Entails(), r"By name."),
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
        **CLOUDS,
        "weights": WEIGHTS,
        "regular": below(0, length(_moved)),
        "tau": equal(s.noise_scale, sp.sqrt(s.h) * s.eta),
        "dimension": at_most(2, s.d),
        "K": equal(_K, _EXACT_K),
        "K_2": K_2,
        "strayed": equal(strayed, Expect(_CHORD)),
        "drift": equal(mean_square[s.L], Past(rms**2)),
        "rate-positive": below(0, _K),
        "depth": equal(s.T, s.h * s.L),
    },
    assumptions={
        **{name: statement.xreplace(EVERY) for name, statement in (LAYER | ADAPTERS).items()},
        "full-attention": FULL_ATTENTION,
        "independent-adapters": equal(mean_square[s.L + 1], Past(Average(strayed, 0, I))),
        "common-start": equal(mean_square[0], 0),
    },
    steps=(*_TOKEN, *_ONE_LAYER),
    remark=(
        r"The bound grows with the depth, so that it holds for the maximum over all layers up to $L$. $u_i$ is a unit "
        r"vector along the difference of the two images before they are normalised, and "
        r"$\tilde x_i+h(V+\Delta V)\tilde m_i\ne0$ almost surely. $\|V\|>0$ is taken; with $V=0$ the limit "
        r"$K_2'\to0$ of the bound holds."
    ),
)
DERIVATIONS: tuple[Derivation, ...] = (SUBCRITICAL,)
