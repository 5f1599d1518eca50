"""thm-4.6/lower: the Dini inequality of the largest angle, and the time to deviate."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory import thm_4_6 as claims
from theory.derivations import textbook
from theory.derivations.model import MEAN, m, x, x_j, x_rate
from theory.derivations.thm_4_6_model import SPHERE, V_new, tan_rate
from theory.kernel.notation import Dot, Norm, at_most, below, equal, identity, matrix, scalar, vector
from theory.kernel.rules import (
    Apply,
    Convex,
    Definition,
    Differentiate,
    Entails,
    Envelope,
    Identity,
    Textbook,
)
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.calculus import WALTER
from theory.kernel.rules.cases import Cases, Squeeze
from theory.kernel.step import Derivation, Step

u = vector("p46_u", "u")
b, c = vector("p46_b", "b"), vector("p46_c", "c")
block = matrix("p46_block", r"P^\perp\tilde VP^\perp")
e, n = vector("p46_e", "e"), vector("p46_n", r"m_i^\perp")
p, p_rate = scalar("p46_p", "p_i"), scalar("p46_p_rate", r"\dot p_i")
q = scalar("p46_q", "q_i")
k = scalar("p46_k", "k")
tan_i_rate = scalar("p46_tan_rate", r"\dot\vartheta_i")
along, beside = scalar("p46_along", "A"), scalar("p46_beside", "B")
reached, deviation_time = scalar("p46_reached", r"\vartheta(T)"), scalar("p46_T_dev", r"T_{\mathrm{dev}}")

_theta, _z = s.tan_max_angle, s.radial_pull
SPEED = sp.Piecewise(
    (claims.PLAIN_SPEED.closed, sp.Ge(claims.PLAIN_CONDITION.closed, 0, evaluate=False)),
    (claims.INNER_SPEED.closed, True),
    evaluate=False,
)
"""G of the statement, as a function of ϑ."""

_y, _y_rate, _g = scalar("p46_y_any", "y"), scalar("p46_y_any_rate", "D^+y"), scalar("p46_g_any", "G(y)")
_y0, _y1, _end = scalar("p46_y_start", "y_0"), scalar("p46_y_level", "y_1"), scalar("p46_y_end", "y(T)")
_time = scalar("p46_time_any", "T")
PASSAGE = Theorem(
    "time of passage at bounded speed",
    at_most(sp.Integral(1 / _g, (_y, _y0, _y1)), _time),
    WALTER,
    (at_most(_y_rate, _g), below(0, _g), at_most(_y0, _y1), at_most(_y1, _end)),
)
"""y is continuous, starts at ``y_0`` and has ``D⁺y <= G(y)`` with G continuous and positive on ``[y_0, y_1]``."""

_DIRECTIONS = (
    Step(
        "field",
        equal(x_rate, V_new * m - Dot(x, V_new * m) * x),
        ("single-head", "post-ln", "attention-only"),
        Identity(),
        r"The flow on the sphere.",
    ),
    Step("height", equal(p, Dot(x, u)), (), Definition(), r"How far the widest token is along $u$."),
    Step("height-of-mean", equal(q, Dot(m, u)), (), Definition(), r"The same of its mean."),
    Step("across", equal(e, (x - p * u) / (_theta * p)), (), Definition(), r"$x_i=p_i(u+\vartheta e)$."),
    Step("mean-across", equal(n, m - q * u), (), Definition(), r"$m_i=q_iu+m_i^\perp$."),
    Step(
        "width",
        equal(_theta**2 * p**2, 1 - p**2),
        ("boundary", "height", "unit", "post-ln"),
        Identity(),
        r"Pythagoras, for the unit vector $x_i$.",
    ),
    Step(
        "rate",
        equal(p_rate, Dot(u, V_new * m) - p * Dot(x, V_new * m)),
        ("height", "field"),
        Differentiate({x: x_rate, p: p_rate}),
        r"Differentiate $p_i$ along the flow.",
    ),
    Step(
        "split",
        equal(Dot(x, V_new * m), p * Dot(u, V_new * m) + _theta * p * Dot(e, V_new * m)),
        ("across",),
        Identity(),
        r"$x_i$ along $u$ and $e$.",
    ),
    Step(
        "tangent-rate",
        equal(tan_i_rate, -p_rate * (1 + _theta**2) / (_theta * p)),
        ("width", "height", "hemisphere", "spread"),
        Differentiate({_theta: tan_i_rate, p: p_rate}),
        r"Differentiate $\vartheta^2p_i^2=1-p_i^2$.",
    ),
    Step(
        "tangent",
        equal(p * tan_i_rate, Dot(e, V_new * m) - _theta * Dot(u, V_new * m)),
        ("tangent-rate", "rate", "split", "width", "spread"),
        Identity(),
        r"Put together, with $(1+\vartheta^2)p_i^2=1$.",
    ),
    Step(
        "mean-beside",
        equal(Dot(e, V_new * m), q * Dot(e, b) + Dot(e, block * n)),
        ("unit", "b", "block", "across", "mean-across", "height", "height-of-mean", "spread", "hemisphere"),
        Identity(),
        r"$b=P^\perp\tilde Vu$, and $e$ and $m_i^\perp$ are orthogonal to $u$.",
    ),
    Step(
        "mean-along",
        equal(Dot(u, V_new * m), s.w * q + Dot(c, n)),
        ("unit", "c", "w", "mean-across", "height-of-mean"),
        Identity(),
        r"$w=\langle u,\tilde Vu\rangle$, $c=P^\perp\tilde V^\top u$.",
    ),
    Step(
        "unit-across",
        equal(Dot(e, e), 1),
        ("across", "height", "width", "unit", "post-ln", "spread", "hemisphere"),
        Identity(),
        r"$e$ is a unit vector.",
    ),
    Step(
        "cauchy-schwarz-b",
        at_most(Dot(e, b), Norm(e) * Norm(b)),
        (),
        Apply("lemma/cauchy-schwarz", {textbook.X: e, textbook.Y: b}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "cauchy-schwarz-block",
        at_most(Dot(e, block * n), Norm(e) * Norm(block * n)),
        (),
        Apply("lemma/cauchy-schwarz", {textbook.X: e, textbook.Y: block * n}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "cauchy-schwarz-c",
        at_most(-Dot(c, n), Norm(c) * Norm(n)),
        (),
        Apply("lemma/cauchy-schwarz", {textbook.X: -c, textbook.Y: n}),
        r"Cauchy-Schwarz.",
    ),
    Step(
        "block-norm",
        at_most(Norm(block * n), Norm(block) * Norm(n)),
        (),
        Textbook(textbook.OPERATOR_NORM, {textbook.M: block, textbook.X: n}),
        r"What the operator norm is.",
    ),
    Step("unit-norm", equal(Norm(e), 1), ("unit-across",), Squeeze(degree=2), r"The norm of $e$."),
    Step(
        "from-b",
        at_most(Dot(e, b), s.b_norm),
        ("cauchy-schwarz-b", "unit-norm", "b-norm"),
        Entails(degree=2),
        r"What $b$ turns, at most.",
    ),
    Step(
        "from-block",
        at_most(Dot(e, block * n), s.kappa * Norm(n)),
        ("cauchy-schwarz-block", "unit-norm", "block-norm", "kappa"),
        Entails(degree=2),
        r"What the block turns, at most.",
    ),
)

_MEAN = (
    Step(
        "mean-in-cone",
        at_most(Norm(m - Dot(m, u) * u), _theta * Dot(m, u)),
        ("every-token-in-cone", "weights"),
        Convex(),
        r"The cone of opening $\vartheta$ about $u$ is convex.",
    ),
    Step(
        "token-in-ball",
        at_most(Norm(x_j), 1),
        ("unit-tokens",),
        Entails(degree=2),
        r"Tokens are unit vectors.",
    ),
    Step("mean-in-ball", at_most(Norm(m), 1), ("token-in-ball", "weights"), Convex(), r"So is the unit ball."),
    Step(
        "token-square",
        at_most(1, (1 + _theta**2) * Dot(x_j, u) ** 2),
        ("every-token-in-cone", "unit-tokens", "unit"),
        Entails(degree=2),
        r"A token in the cone is no lower than its boundary.",
    ),
    Step(
        "token-not-negative",
        at_most(0, Dot(x_j, u)),
        ("every-token-in-cone", "spread"),
        Entails(degree=2),
        r"And not below $u^\perp$.",
    ),
    Step(
        "lowest",
        at_most(Dot(x, u), Dot(x_j, u)),
        ("token-square", "token-not-negative", "width", "height"),
        Entails(degree=3, squares=(_theta,)),
        r"The widest token is the lowest.",
    ),
    Step("mean-is-high", at_most(Dot(x, u), Dot(m, u)), ("lowest", "weights"), Convex(), r"$p_i\le q_i$."),
    Step(
        "mean-width",
        at_most(Norm(n), _theta * q),
        ("mean-in-cone", "mean-across", "height-of-mean"),
        Entails(degree=1),
        r"The cone, in the split of $m_i$.",
    ),
    Step(
        "mean-length",
        at_most(q**2 + Norm(n) ** 2, 1),
        ("mean-in-ball", "mean-across", "height-of-mean", "unit"),
        Entails(degree=2),
        r"The ball, in the split of $m_i$.",
    ),
)

_SPEED = (
    Step("radial-pull", equal(_z, claims.RADIAL_PULL.expr), (), Definition(), r"What $q_i$ contributes."),
    Step(
        "sideways", equal(k, s.kappa + s.c_norm * _theta), (), Definition(), r"What $|m_i^\perp|$ contributes, at most."
    ),
    Step(
        "push",
        at_most(p * tan_i_rate, q * _z + Norm(n) * k),
        (
            "tangent",
            "mean-beside",
            "mean-along",
            "from-b",
            "from-block",
            "cauchy-schwarz-c",
            "c-norm",
            "mean-is-high",
            "height-of-mean",
            "hemisphere",
            "radial-pull",
            "sideways",
        ),
        Entails(degree=2),
        r"The rate of the tangent is linear in the coordinates of $m_i$.",
    ),
    Step(
        "rotated",
        equal(along, p * (q + _theta * Norm(n))),
        (),
        Definition(),
        r"Coordinates of $m_i$ along the boundary of the cone,",
    ),
    Step(
        "rotated-beside",
        equal(beside, p * (_theta * q - Norm(n))),
        (),
        Definition(),
        r"and perpendicular to it, inwards.",
    ),
    Step(
        "push-rotated",
        at_most(tan_i_rate, (_z + _theta * k) * along - (k - _theta * _z) * beside),
        ("push", "rotated", "rotated-beside", "width", "height", "hemisphere"),
        Entails(degree=2),
        r"In these coordinates, divided by $p_i$.",
    ),
    Step(
        "inside",
        at_most(0, beside),
        ("rotated-beside", "mean-width", "height", "hemisphere"),
        Entails(degree=2),
        r"$m_i$ lies in the cone.",
    ),
    Step(
        "rotated-length",
        at_most(along**2 + beside**2, 1),
        ("rotated", "rotated-beside", "mean-length", "width"),
        Entails(degree=1),
        r"And in the unit ball.",
    ),
    Step("chord", at_most(along, 1), ("rotated-length",), Entails(degree=2, squares=(beside,)), r"So $A\le1$."),
    Step(
        "reach",
        at_most(1, along + _theta * beside),
        ("rotated", "rotated-beside", "mean-is-high", "height", "height-of-mean", "width", "hemisphere"),
        Entails(degree=3),
        r"$A+\vartheta B=q_i/p_i$.",
    ),
    Step(
        "plain",
        at_most(tan_i_rate, claims.PLAIN_SPEED.expr),
        (
            "push-rotated",
            "inside",
            "chord",
            "reach",
            "first-branch",
            "sideways",
            "radial-pull",
            "separation",
        ),
        Cases((_z + _theta * k,), degree=3, squares=(_theta,)),
        r"Where $k\ge\vartheta z$, the best $m_i$ is on the boundary ($B=0$), at $A=1$.",
    ),
    Step(
        "plane",
        at_most((_z + _theta * k) * along - (k - _theta * _z) * beside, sp.sqrt(1 + _theta**2) * sp.sqrt(_z**2 + k**2)),
        ("rotated-length",),
        Entails(
            degree=3,
            squares=(
                sp.sqrt(1 + _theta**2) * sp.sqrt(_z**2 + k**2),
                (_z + _theta * k) * beside + (k - _theta * _z) * along,
            ),
        ),
        r"Cauchy-Schwarz in the plane, as $A^2+B^2\le1$.",
    ),
    Step(
        "inner",
        at_most(tan_i_rate, claims.INNER_SPEED.expr),
        ("push-rotated", "plane", "sideways"),
        Entails(degree=1),
        r"In any case $m_i$ is at most a unit vector.",
    ),
    Step(
        "condition",
        equal(k - _theta * _z, claims.PLAIN_CONDITION.expr),
        ("sideways",),
        Identity(),
        r"The sign that tells the branches apart.",
    ),
    Step(
        "speed",
        at_most(tan_i_rate, SPEED),
        ("push-rotated", "inside", "chord", "reach", "inner", "sideways", "radial-pull", "separation"),
        Cases((_z + _theta * k,), degree=3, squares=(_theta,)),
        r"Both branches.",
    ),
    Step(
        "envelope",
        at_most(tan_rate, SPEED),
        ("speed",),
        Envelope({tan_i_rate: tan_rate}),
        r"Token $i$ is any of the widest ones: $D^+\vartheta\le G(\vartheta)$.",
    ),
    Step(
        "passage",
        at_most(sp.Integral(1 / SPEED, (_theta, s.tan_max_angle_0, s.deviation)), deviation_time),
        ("envelope", "positive-on-the-way", "ahead", "reached"),
        Textbook(
            PASSAGE,
            {
                _y: _theta,
                _y_rate: tan_rate,
                _g: SPEED,
                _y0: s.tan_max_angle_0,
                _y1: s.deviation,
                _end: reached,
                _time: deviation_time,
            },
        ),
        r"$\frac{d}{dt}\int_{\vartheta_0}^{\vartheta}d\vartheta/G\le1$.",
    ),
    Step(
        "deviation",
        at_most(claims.DEVIATION_TIME.expr, deviation_time),
        ("passage", "integral"),
        Entails(degree=1),
        r"It takes at least this time to deviate to the tangent $r$.",
    ),
)

LOWER = Derivation(
    claim="thm-4.6/lower",
    setting={
        "unit": equal(Dot(u, u), 1),
        "w": equal(s.w, Dot(u, V_new * u)),
        "b": equal(b, V_new * u - s.w * u),
        "b-norm": equal(s.b_norm, Norm(b)),
        "c": equal(c, V_new.T * u - s.w * u),
        "c-norm": equal(s.c_norm, Norm(c)),
        "block": equal(block, (identity - u * u.T) * V_new * (identity - u * u.T)),
        "kappa": equal(s.kappa, Norm(block)),
        "separation": equal(s.cone_separation, s.w - s.kappa),
        "weights": MEAN,
        "unit-tokens": equal(Dot(x_j, x_j), 1),
        "every-token-in-cone": at_most(Norm(x_j - Dot(x_j, u) * u), _theta * Dot(x_j, u)),
        "boundary": equal(Norm(x - Dot(x, u) * u), _theta * Dot(x, u)),
        "spread": below(0, _theta),
        "first-branch": at_most(0, claims.PLAIN_CONDITION.closed),
        "positive-on-the-way": below(0, SPEED),
        "integral": equal(s.slowness_integral, sp.Integral(1 / SPEED, (_theta, s.tan_max_angle_0, s.deviation))),
        "ahead": at_most(s.tan_max_angle_0, s.deviation),
        "reached": at_most(s.deviation, reached),
    },
    assumptions={**SPHERE, "hemisphere": below(0, Dot(x, u))},
    remark=(
        r"At moments with $\vartheta>0$; time spent at $\vartheta=0$ only adds to $T_{\mathrm{dev}}$. Only the step "
        r"about the first branch supposes $k\ge\vartheta z$. That $\vartheta$ does not pass a level with $G\le0$ is "
        r"not derived; near a root of $G$ the integral grows without bound."
    ),
    steps=(*_DIRECTIONS, *_MEAN, *_SPEED),
)

DERIVATIONS: tuple[Derivation, ...] = (LOWER,)
