"""How much one layer of the base stretches the root mean square distance of two clouds of tokens."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_1, thm_4_2
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V
from theory.derivations.prop_3_1_discrete import one_length, other_length, radius
from theory.derivations.prop_3_1_lemmas import (
    A,
    F,
    M,
    e,
    f,
    logit,
    mean,
    path_time,
    r,
    rho,
    u,
    x,
    x_i,
    y,
    z,
)
from theory.derivations.thm_4_2_clouds import (
    AT,
    CLOUDS,
    FULL_ATTENTION,
    LOGIT,
    SPREAD_ROOT,
    apart,
    chord,
    direction,
    every_e,
    every_m,
    every_m_z,
    every_x,
    every_y,
    every_z,
    image,
    image_z,
    length,
    length_z,
    m,
    moved_to,
    rms,
    size,
)
from theory.kernel.notation import Dot, Norm, at_most, both, equal, scalar
from theory.kernel.rules import Apply, Definition, Entails, Identity
from theory.kernel.rules.averages import (
    Average,
    Averaged,
    AverageIdentity,
    I,
    J,
)
from theory.kernel.step import Derivation, Step

X, Y = textbook.X, textbook.Y
_SEGMENT = mean(Dot(V * z, direction), Dot(A * every_z, z)) - mean(Dot(V * x, direction), Dot(A * every_x, x))
_OWN = 1 + s.h * s.V_norm * s.A_norm
_SHARED = s.h * s.V_norm * (1 + s.A_norm) * sp.exp(s.A_norm)
own, shared = scalar("t42_own", "p"), scalar("t42_shared", "q")
_GAP = Norm(image_z - image)
K_2 = equal(s.K_2, prop_3_1.K_2.expr)
"""The rate of Prop. 3.1."""
STRETCH = (1 + s.h * thm_4_2.K_2_LAYERED.expr) ** 2
"""The square of what one layer stretches by."""


def _image_length(which: str, cloud: Any, token: Any, mean_: Any, to: Any, how_long: Any) -> Step:
    return Step(
        f"length{which}",
        at_most(1 - s.h * s.V_norm, how_long),
        ("norms", "unit-tokens", "means", "images"),
        Apply("lemma/image-length", {x: cloud, x_i: token, m: mean_, moved_to: to, size: how_long}),
        r"The step leaves the ball of radius $1-h\|V\|$ free,",
    )


LAYER_STRETCH = Derivation(
    claim="lemma/layer-stretch",
    title="One layer of the base and the root mean square distance of two clouds",
    states=at_most(Average(_GAP**2, 0, I), STRETCH * rms**2),
    setting={**CLOUDS, "full-attention": FULL_ATTENTION, "K_2": K_2},
    steps=(
        Step(
            "path",
            both(equal(y, x + path_time * e), equal(every_y, every_x + path_time * every_e)),
            (),
            Definition(),
            r"The segments between the tokens.",
        ),
        Step(
            "spread",
            at_most(mean(Dot(e, e), LOGIT), SPREAD_ROOT**2),
            ("unit-tokens", "displacements", "between", "mean-square", "full-attention", "path"),
            Apply("lemma/attended-spread"),
            r"So much is the mean square displacement that token $i$ sees.",
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
            r"token $i$ too,",
        ),
        Step("direction-in-ball", at_most(Dot(direction, direction), 1), ("direction",), Entails(), r"and $u_i$."),
        Step("chord", equal(chord, Norm(every_e)), (), Definition(), r"The chord of token $i$."),
        Step("own-square", at_most(Dot(every_e, every_e), chord**2), ("chord",), Entails(), r"Its square."),
        Step(
            "attention",
            at_most(_SEGMENT, Norm(V) * (SPREAD_ROOT + Norm(A) * (chord + SPREAD_ROOT))),
            (
                "displacements",
                "path",
                "between",
                "tokens-in-ball",
                "own-in-ball",
                "direction-in-ball",
                "own-square",
                "spread",
            ),
            Apply("lemma/segment", {**AT, M: V, u: direction, r: chord, rho: SPREAD_ROOT}),
            r"How far attention moves between the two clouds, which need not be near each other.",
        ),
        Step(
            "outputs",
            equal(Dot(V * every_m_z, direction) - Dot(V * every_m, direction), _SEGMENT),
            ("means",),
            AverageIdentity(),
            r"The means are averages of the tokens.",
        ),
        Step(
            "displaced",
            at_most(Dot(every_e, direction), Norm(every_e) * Norm(direction)),
            (),
            Apply("lemma/cauchy-schwarz", {X: every_e, Y: direction}),
            r"Cauchy-Schwarz.",
        ),
        Step(
            "own-move",
            at_most(Dot(every_e, direction), chord),
            ("displaced", "chord", "direction"),
            Entails(degree=3),
            r"Token $i$ itself.",
        ),
        Step(
            "displaced-along",
            equal(Dot(every_z, direction) - Dot(every_x, direction), Dot(every_e, direction)),
            ("displacements",),
            Identity(),
            r"Along $u_i$: the tokens,",
        ),
        Step(
            "images-along",
            equal(
                Dot(length_z * image_z - length * image, direction),
                Dot(every_z, direction)
                - Dot(every_x, direction)
                + s.h * (Dot(V * every_m_z, direction) - Dot(V * every_m, direction)),
            ),
            ("images",),
            Identity(),
            r"and the two steps before they are normalised.",
        ),
        Step(
            "separation",
            equal(apart, Dot(every_e, direction) + s.h * (Dot(V * every_m_z, direction) - Dot(V * every_m, direction))),
            ("direction", "images-along", "displaced-along"),
            Identity(),
            r"How far apart they end,",
        ),
        Step(
            "shares",
            both(equal(own, _OWN), equal(shared, _SHARED)),
            (),
            Definition(),
            r"By names for two factors,",
        ),
        Step(
            "separation-bound",
            at_most(apart, own * chord + shared * rms),
            ("separation", "own-move", "outputs", "attention", "norms", "shares"),
            Entails(degree=2),
            r"at most.",
        ),
        _image_length("", x, every_x, every_m, image, length),
        _image_length("-copy", z, every_z, every_m_z, image_z, length_z),
        Step(
            "squares",
            both(
                equal(Dot(length * image, length * image), length**2),
                equal(Dot(length_z * image_z, length_z * image_z), length_z**2),
            ),
            ("images",),
            Identity(),
            r"both lengths,",
        ),
        Step(
            "normalised",
            at_most((1 - s.h * s.V_norm) * _GAP, Norm(length_z * image_z - length * image)),
            ("squares", "length", "length-copy", "step"),
            Apply(
                "lemma/normalising",
                {
                    X: length * image,
                    Y: length_z * image_z,
                    one_length: length,
                    other_length: length_z,
                    radius: 1 - s.h * s.V_norm,
                },
            ),
            r"outside of which normalising is Lipschitz.",
        ),
        Step(
            "before",
            at_most(Norm(length_z * image_z - length * image), apart),
            ("direction",),
            Entails(),
            r"$u_i$ points from one to the other.",
        ),
        Step(
            "token-bound",
            at_most((1 - s.h * s.V_norm) * _GAP, own * chord + shared * rms),
            ("normalised", "before", "separation-bound"),
            Entails(degree=1),
            r"So far for one token.",
        ),
        Step(
            "token-square",
            at_most(
                (1 - s.h * s.V_norm) ** 2 * _GAP**2,
                own**2 * chord**2 + 2 * own * shared * rms * chord + shared**2 * rms**2,
            ),
            ("token-bound", "step"),
            Entails(degree=3),
            r"Its square.",
        ),
        Step(
            "averaged",
            at_most(
                (1 - s.h * s.V_norm) ** 2 * Average(_GAP**2, 0, I),
                own**2 * Average(chord**2, 0, I) + 2 * own * shared * rms * Average(chord, 0, I) + shared**2 * rms**2,
            ),
            ("token-square",),
            Averaged(sp.Integer(0), I),
            r"The mean over all tokens.",
        ),
        Step(
            "chord-square",
            equal(chord**2, Dot(every_e, every_e)),
            ("chord",),
            Identity(),
            r"The chords",
        ),
        Step(
            "chord-squares",
            equal(Average(chord**2, 0, I), Average(Dot(every_e, every_e), 0, I)),
            ("chord-square",),
            Averaged(sp.Integer(0), I),
            r"on average",
        ),
        Step(
            "mean-square-chord",
            at_most(Average(chord**2, 0, I), rms**2),
            ("chord-squares", "mean-square"),
            Entails(),
            r"have this mean square,",
        ),
        Step(
            "mean-chord",
            at_most(Average(chord, 0, I), rms),
            ("mean-square-chord",),
            Apply("lemma/root-mean-square", {f: chord, logit: sp.Integer(0), F: rms, J: I}),
            r"and a mean that is at most its root.",
        ),
        Step(
            "shares-sign",
            both(at_most(0, own), at_most(0, shared)),
            ("shares",),
            Entails(degree=5),
            r"Both factors are not negative.",
        ),
        Step(
            "mean-bound",
            at_most((1 - s.h * s.V_norm) ** 2 * Average(_GAP**2, 0, I), (own + shared) ** 2 * rms**2),
            ("averaged", "mean-square-chord", "mean-chord", "shares-sign"),
            Entails(degree=4),
            r"Put together (Minkowski).",
        ),
        Step(
            "factor",
            equal((1 - s.h * s.V_norm) ** 2 * STRETCH, (own + shared) ** 2),
            ("shares", "K_2"),
            Identity(),
            r"$1-h\|V\|+hK_2=1+h\|V\|(\|A\|+(1+\|A\|)e^{\|A\|})$: this is $1+hK_2'$.",
        ),
        Step(
            "bound",
            at_most(Average(_GAP**2, 0, I), STRETCH * rms**2),
            ("mean-bound", "factor", "step"),
            Entails(degree=4),
            r"Divide.",
        ),
    ),
)
LEMMAS: tuple[Derivation, ...] = (LAYER_STRETCH,)
