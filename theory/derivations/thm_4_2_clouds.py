"""Two clouds of tokens and one layer of the base from each: how long the images are, and what a token sees."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V
from theory.derivations.prop_3_1_lemmas import (
    A,
    R,
    bilinear_step,
    e,
    e_i,
    f,
    logit,
    mean,
    path_time,
    top,
    x,
    x_i,
    y,
    y_i,
    z,
    z_i,
)
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, scalar, vector
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.averages import (
    AttentionMean,
    Average,
    Averaged,
    I,
    J,
    token_scalar,
    token_vector,
)
from theory.kernel.step import Derivation, Step

X, Y = textbook.X, textbook.Y

every_x, every_z = token_vector("t42_x_i", "x_i"), token_vector("t42_z_i", r"\tilde x_i")
every_e, every_y = token_vector("t42_e_i", "e_i"), token_vector("t42_y_i", "y_i")
every_m, every_m_z = token_vector("t42_m_i", "m_i"), token_vector("t42_mz_i", r"\tilde m_i")
image, image_z = token_vector("t42_image_i", r"\Phi_i(X)"), token_vector("t42_imagez_i", r"\Phi_i(\tilde X)")
length, length_z = (
    token_scalar("t42_length_i", r"|x_i+hVm_i|", positive=True),
    token_scalar("t42_lengthz_i", r"|\tilde x_i+hV\tilde m_i|", positive=True),
)
direction = token_vector("t42_direction_i", "u_i")
chord, apart = (
    token_scalar("t42_chord_i", r"|\tilde x_i-x_i|", nonnegative=True),
    token_scalar("t42_apart_i", r"|\tilde x_i+hV\tilde m_i-x_i-hVm_i|", nonnegative=True),
)
rms = scalar("t42_rms", r"\mathrm{RMS}", nonnegative=True)
"""Every token of two clouds, and what one layer of the base makes of it."""

m, moved_to = vector("t42_m", "m_i"), vector("t42_moved_to", r"\Phi_i(X)")
size = scalar("t42_size", r"|x_i+hVm_i|", positive=True)

CLOUDS = {
    "norms": both(equal(s.V_norm, Norm(V)), equal(s.A_norm, Norm(A))),
    "step": below(s.h * s.V_norm, 1),
    "unit-tokens": both(
        equal(Dot(x, x), 1), equal(Dot(z, z), 1), equal(Dot(every_x, every_x), 1), equal(Dot(every_z, every_z), 1)
    ),
    "displacements": both(equal(z, x + e), equal(every_z, every_x + every_e)),
    "means": both(
        AttentionMean(every_m, x, Dot(A * every_x, x), J), AttentionMean(every_m_z, z, Dot(A * every_z, z), J)
    ),
    "images": both(
        equal(every_x, length * image - s.h * V * every_m),
        equal(every_z, length_z * image_z - s.h * V * every_m_z),
        equal(Dot(image, image), 1),
        equal(Dot(image_z, image_z), 1),
    ),
    "between": both(at_most(0, path_time), at_most(path_time, 1)),
    "direction": both(
        equal(Dot(direction, direction), 1),
        equal(Dot(length_z * image_z - length * image, direction), apart),
        equal(Dot(length_z * image_z - length * image, length_z * image_z - length * image), apart**2),
    ),
    "mean-square": equal(rms**2, Average(Dot(every_e, every_e), 0, I)),
}
"""The two clouds, and one layer of the base from each."""
FULL_ATTENTION = equal(Average(Dot(e, e), 0, J), Average(Dot(every_e, every_e), 0, I))
"""``full-attention``: the tokens that a token attends to are all tokens."""

LENGTH = Derivation(
    claim="lemma/image-length",
    title="One layer of the base leaves the ball of radius 1 - h||V|| before it normalises",
    states=at_most(1 - s.h * s.V_norm, size),
    setting={
        "norm": equal(s.V_norm, Norm(V)),
        "unit-tokens": equal(Dot(x, x), 1),
        "unit-token": equal(Dot(x_i, x_i), 1),
        "mean": AttentionMean(m, x, Dot(A * x_i, x), J),
        "image": equal(x_i, size * moved_to - s.h * V * m),
        "unit-image": equal(Dot(moved_to, moved_to), 1),
    },
    steps=(
        Step(
            "cauchy-mean",
            at_most(Dot(x, m), Norm(x) * Norm(m)),
            (),
            Apply("lemma/cauchy-schwarz", {X: x, Y: m}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "token-along-mean",
            at_most(Dot(x, m), Norm(m)),
            ("cauchy-mean", "unit-tokens"),
            Entails(degree=3),
            r"Tokens are unit vectors.",
        ),
        Step(
            "mean-square",
            at_most(Dot(m, m), Norm(m)),
            ("token-along-mean", "mean"),
            Averaged(Dot(A * x_i, x)),
            r"Averaged over the tokens,",
        ),
        Step("mean-length", at_most(Norm(m), 1), ("mean-square",), Entails(degree=3), r"so that $|m_i|\le1$."),
        Step(
            "operator",
            at_most(Norm(V * m), Norm(V) * Norm(m)),
            (),
            Textbook(textbook.OPERATOR_NORM, {textbook.M: V, textbook.X: m}),
            r"The operator norm.",
        ),
        Step(
            "value-length",
            at_most(Norm(V * m), s.V_norm),
            ("operator", "mean-length", "norm"),
            Entails(degree=2),
            r"So $|Vm_i|\le\|V\|$,",
        ),
        Step(
            "cauchy-image",
            at_most(Dot(moved_to, V * m) ** 2, Dot(moved_to, moved_to) * Dot(V * m, V * m)),
            (),
            Apply("lemma/cauchy-schwarz#squares", {X: moved_to, Y: V * m}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "along",
            at_most(-Norm(V * m), Dot(moved_to, V * m)),
            ("cauchy-image", "unit-image"),
            Entails(degree=3),
            r"along any direction.",
        ),
        Step(
            "token-square",
            equal(size**2 - 2 * size * s.h * Dot(moved_to, V * m) + s.h**2 * Dot(V * m, V * m), Dot(x_i, x_i)),
            ("image", "unit-image"),
            Identity(),
            r"$x_i=|x_i+hVm_i|\Phi_i(X)-hVm_i$.",
        ),
        Step(
            "root",
            at_most(1, size + s.h * Norm(V * m)),
            ("token-square", "unit-token", "along"),
            Entails(degree=4),
            r"So that $1\le(|x_i+hVm_i|+h|Vm_i|)^2$,",
        ),
        Step(
            "bound",
            at_most(1 - s.h * s.V_norm, size),
            ("root", "value-length"),
            Entails(degree=2),
            r"and the image is not short.",
        ),
    ),
)

LOGIT = Dot(A * every_y, y)
AT = {x_i: every_x, z_i: every_z, e_i: every_e, y_i: every_y, R: sp.Integer(1)}
SPREAD_ROOT = sp.exp(Norm(A)) * rms

SPREAD = Derivation(
    claim="lemma/attended-spread",
    title="The mean square displacement that one token sees",
    states=at_most(mean(Dot(e, e), LOGIT), SPREAD_ROOT**2),
    setting={
        "unit-tokens": CLOUDS["unit-tokens"],
        "displacements": CLOUDS["displacements"],
        "between": CLOUDS["between"],
        "mean-square": CLOUDS["mean-square"],
        "full-attention": FULL_ATTENTION,
    },
    steps=(
        Step(
            "path",
            both(equal(y, x + path_time * e), equal(every_y, every_x + path_time * every_e)),
            (),
            Definition(),
            r"The segments between the tokens.",
        ),
        Step(
            "tokens-in-ball",
            both(at_most(Dot(x, x), 1), at_most(Dot(z, z), 1)),
            ("unit-tokens",),
            Entails(),
            r"All tokens are unit vectors,",
        ),
        Step(
            "own-in-ball",
            both(at_most(Dot(every_x, every_x), 1), at_most(Dot(every_z, every_z), 1)),
            ("unit-tokens",),
            Entails(),
            r"token $i$ too.",
        ),
        Step(
            "in-ball",
            at_most(Dot(y, y), 1),
            ("displacements", "path", "between", "tokens-in-ball"),
            Apply("lemma/segment#in-ball", AT),
            r"The ball is convex.",
        ),
        Step(
            "i-in-ball",
            at_most(Dot(every_y, every_y), 1),
            ("displacements", "path", "between", "own-in-ball"),
            Apply("lemma/segment#i-in-ball", AT),
            r"The same of token $i$.",
        ),
        bilinear_step("logit", every_y, A, y, r"Cauchy-Schwarz for the logits."),
        Step(
            "logit-below",
            at_most(LOGIT, Norm(A)),
            ("logit", "in-ball", "i-in-ball"),
            Entails(degree=4),
            r"They are at most $\|A\|$,",
        ),
        Step(
            "logit-above",
            at_most(-Norm(A), LOGIT),
            ("logit", "in-ball", "i-in-ball"),
            Entails(degree=4),
            r"in modulus.",
        ),
        Step("positive", at_most(0, Dot(e, e)), (), Entails(), r"A square is not negative."),
        Step(
            "density",
            at_most(mean(Dot(e, e), LOGIT), sp.exp(2 * Norm(A)) * mean(Dot(e, e), sp.Integer(0))),
            ("positive", "logit-below", "logit-above"),
            Apply("lemma/softmax-density", {f: Dot(e, e), logit: LOGIT, top: Norm(A)}),
            r"No weight exceeds $e^{2\|A\|}/n$.",
        ),
        Step(
            "bound",
            at_most(mean(Dot(e, e), LOGIT), SPREAD_ROOT**2),
            ("density", "full-attention", "mean-square"),
            Entails(degree=4),
            r"Token $i$ attends to all: a column of weights sums up to $e^{2\|A\|}$ at most.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (LENGTH, SPREAD)
