"""One token of a given 2x2 model in closed form, and on which side of ũ1 it is: steps that counterexamples share."""

from __future__ import annotations

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import V, m, u1, x, x_rate
from theory.derivations.prop_3_3_model import FRAME, SPHERE, TOP, V_new, second, u_new
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, identity, matrix, scalar, vector
from theory.kernel.rules import Apply, Definition, Differentiate, Entails, Evaluate, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.cases import Squeeze
from theory.kernel.rules.frames import Combine, Largest
from theory.kernel.rules.instants import AtStart
from theory.kernel.rules.order import Injective
from theory.kernel.step import Step

attention_map = matrix("p33_A", "A")
e2 = vector("p33_e2", "e_2")
f1, f2, g1, g2 = (vector(f"p33_{name}", name[0] + "_" + name[1]) for name in ("f1", "f2", "g1", "g2"))
any_vector = vector("p33_plane_vector", "v")
v1, v2 = scalar("p33_v1", "v_1"), scalar("p33_v2", "v_2")
top, low = scalar("p33_mu_1", r"\mu_1"), scalar("p33_mu_2", r"\mu_2")
share = scalar("p33_share_of_f1", r"\langle g_1,\tilde u_1\rangle")
c1_start, c2_start = scalar("p33_c1_start", "c_1(0)"), scalar("p33_c2_start", "c_2(0)")
c1, c2 = scalar("p33_c1", "c_1"), scalar("p33_c2", "c_2")
c1_rate, c2_rate = scalar("p33_c1_rate", r"\dot c_1"), scalar("p33_c2_rate", r"\dot c_2")
z, z_rate = vector("p33_path", "z"), vector("p33_path_rate", r"\dot z")
length, length_rate = scalar("p33_length", "|z|"), scalar("p33_length_rate", r"|z|^{\cdot}")
path, path_rate = vector("p33_token_path", r"\hat x"), vector("p33_token_path_rate", r"\dot{\hat x}")
path_start = vector("p33_token_path_start", r"\hat x(0)")
base_start, new_start = vector("p33_base_start", "x(0)"), vector("p33_new_start", r"\tilde x(0)")
_START = c1_start * f1 + c2_start * f2
angle = scalar("p33_far_angle", r"\angle(\tilde x,\tilde u_1)", nonnegative=True)

_M, _x, _y = textbook.M, textbook.X, textbook.Y
_x_rate, _y_rate = vector("p33_any_rate", r"\dot x"), vector("p33_other_rate", r"\dot y")
_x0, _y0 = vector("p33_any_start", "x(0)"), vector("p33_other_start", "y(0)")
_value = scalar("p33_other_value", r"\mu")
UNIQUE = Theorem(
    "uniqueness of the flow",
    equal(_x, _y),
    "P. Hartman, Ordinary Differential Equations, 2nd ed., SIAM 2002, Thm. II.1.1 (Picard-Lindelöf)",
    (
        equal(_x_rate, _M * _x - Dot(_x, _M * _x) * _x),
        equal(_y_rate, _M * _y - Dot(_y, _M * _y) * _y),
        equal(_x0, _y0),
    ),
)
"""Two curves that obey the flow of one token and start at the same point are the same."""
LARGEST = Theorem(
    "largest eigenvalue",
    at_most(_value, textbook.EIGENVALUE),
    None,
    (Largest(textbook.EIGENVALUE, _M), equal(_M * _x, _value * _x), below(0, Dot(_x, _x))),
)
"""The largest eigenvalue is at least any other: what it is."""

SETTING: dict[str, sp.Basic] = {
    "update": FRAME["update"],
    "lambda-1": equal(s.lambda_1, sp.Rational(3, 2)),
    "lambda-2": equal(second, sp.Rational(1, 2)),
    "V": equal(V, sp.ImmutableMatrix([[sp.Rational(3, 2), 0], [0, sp.Rational(1, 2)]])),
    "A": equal(attention_map, sp.ImmutableMatrix([[sp.Rational(3, 2), 0], [0, sp.Rational(1, 2)]])),
    "u1": equal(u1, sp.ImmutableMatrix([1, 0])),
    "e2": equal(e2, sp.ImmutableMatrix([0, 1])),
    "gap": equal(s.gap, s.lambda_1 - second),
    **{key: FRAME[key] for key in ("a", "b", "b-norm", "E", "E-norm")},
    "theta-bound": equal(s.theta_bound, claims.THETA_BOUND.expr),
    "any-vector": equal(any_vector, v1 * u1 + v2 * e2),
    "new-eigenpair": TOP,
    "new-largest": Largest(s.perturbed_lambda_1, V_new),
    "new-sign": at_most(0, Dot(u1, u_new)),
    "angle": equal(sp.cos(angle), Dot(x, u_new)),
    "angle-range": at_most(angle, sp.pi),
}
"""V = A = diag(3/2, 1/2), its frame, and what ũ1 and the angle from it are."""
ASSUMPTIONS = {**SPHERE, "full-attention": equal(m, x), "common-start": equal(new_start, base_start)}
MEETS = {
    "symmetric-base": "symmetric-holds",
    "a-equals-v": "a-equals-v-holds",
    "psd": "psd-holds",
    "spectral-gap": "gap-holds",
    "hemisphere": "hemisphere-holds",
}
VALUES = ("dV", "u1", "a", "b", "b-norm", "E", "E-norm", "lambda-1", "lambda-2", "gap")
_NEW = ("update", "V", "dV")

HYPOTHESES = (
    Step("symmetric-holds", equal(V.T, V), ("V",), Evaluate(), r"$V$ is symmetric,"),
    Step("a-equals-v-holds", equal(attention_map, V), ("A", "V"), Evaluate(), r"$A=V$,"),
    Step(
        "base-action",
        both(equal(V * u1, s.lambda_1 * u1), equal(V * e2, second * e2)),
        ("V", "u1", "e2", "lambda-1", "lambda-2"),
        Evaluate(),
        r"with the eigenvalues $\lambda_1=3/2$ and $\lambda_2=1/2$,",
    ),
    Step(
        "base-frame",
        both(equal(Dot(u1, u1), 1), equal(Dot(e2, e2), 1), equal(Dot(u1, e2), 0)),
        ("u1", "e2"),
        Evaluate(),
        r"in an orthonormal frame,",
    ),
    Step(
        "form",
        equal(s.lambda_1 * v1**2 + second * v2**2, Dot(any_vector, V * any_vector)),
        ("any-vector", "base-action", "base-frame"),
        Identity(),
        r"whose quadratic form",
    ),
    Step(
        "psd-holds",
        at_most(0, Dot(any_vector, V * any_vector)),
        ("form", "lambda-1", "lambda-2"),
        Entails(squares=(v1, v2)),
        r"is psd,",
    ),
    Step("gap-holds", below(0, s.gap), ("gap", "lambda-1", "lambda-2"), Evaluate(), r"with a gap."),
    Step("criterion-holds", below(0, claims.CRITERION_MARGIN.expr), VALUES, Evaluate(), r"The quoted criterion holds,"),
)
"""The instance meets what the quoted proposition asks for."""

LEADING = (
    Step(
        "action",
        both(equal(V_new * f1, top * f1), equal(V_new * f2, low * f2)),
        (*_NEW, "f1", "f2", "top", "low"),
        Evaluate(),
        r"Eigenvectors of $\tilde V=V+\Delta V$,",
    ),
    Step(
        "left-action",
        equal(V_new.T * g2, low * g2),
        (*_NEW, "g2", "low"),
        Evaluate(),
        r"one of $\tilde V^\top$,",
    ),
    Step(
        "resolution",
        equal(f1 * g1.T, identity - f2 * g2.T),
        ("f1", "f2", "g1", "g2"),
        Evaluate(),
        r"and the dual basis: $f_1g_1^\top+f_2g_2^\top=I$.",
    ),
    Step("order", below(low, top), ("top", "low"), Evaluate(), r"$\mu_1$ is the larger eigenvalue,"),
    Step("f1-positive", below(0, Dot(f1, f1)), ("f1",), Evaluate(), r"as $f_1\ne0$."),
    Step(
        "largest",
        at_most(top, s.perturbed_lambda_1),
        ("new-largest", "action", "f1-positive"),
        Textbook(LARGEST, {_M: V_new, textbook.EIGENVALUE: s.perturbed_lambda_1, _x: f1, _value: top}),
        r"The largest eigenvalue $\tilde\lambda_1$ is no smaller.",
    ),
    Step(
        "from-the-right",
        equal(Dot(g2, V_new * u_new), s.perturbed_lambda_1 * Dot(g2, u_new)),
        ("new-eigenpair",),
        Identity(),
        r"In two ways,",
    ),
    Step(
        "from-the-left",
        equal(Dot(g2, V_new * u_new), low * Dot(g2, u_new)),
        ("left-action",),
        Identity(),
        r"with different eigenvalues:",
    ),
    Step(
        "no-low-part",
        equal(Dot(g2, u_new), 0),
        ("from-the-right", "from-the-left", "largest", "order"),
        Squeeze(degree=2),
        r"$\tilde u_1$ has no part along $f_2$,",
    ),
    Step(
        "expansion",
        equal(f1 * g1.T * u_new, u_new),
        ("resolution", "no-low-part"),
        Identity(),
        r"so that it is its part along $f_1$:",
    ),
    Step("share", equal(share, Dot(g1, u_new)), (), Definition(), r"with this coefficient"),
    Step(
        "leading",
        equal(u_new, share * f1),
        ("expansion", "share"),
        Combine((sp.Integer(-1),)),
        r"$\tilde u_1$ is a multiple of $f_1$,",
    ),
    Step(
        "leading-size",
        equal(Dot(u_new, u_new), share**2 * Dot(f1, f1)),
        ("leading",),
        Identity(),
        r"not zero,",
    ),
    Step("f1-ahead", below(0, Dot(u1, f1)), ("u1", "f1"), Evaluate(), r"and as $f_1$ lies in the hemisphere of $u_1$"),
    Step(
        "leading-side",
        equal(Dot(u1, u_new), share * Dot(u1, f1)),
        ("leading",),
        Identity(),
        r"like $\tilde u_1$,",
    ),
    Step(
        "share-not-negative",
        at_most(0, share),
        ("leading-side", "f1-ahead", "new-sign"),
        Entails(degree=2),
        r"not a negative one,",
    ),
    Step(
        "share-positive",
        below(0, share),
        ("leading-size", "share-not-negative", "new-eigenpair"),
        Entails(degree=3),
        r"so a positive one.",
    ),
)
"""ũ1 is the direction of f1: derived from what the largest eigenvalue is."""

LINEAR_FLOW = (
    Step("c1", equal(c1, c1_start * sp.exp(top * s.t)), (), Definition(), r"One coefficient of the linear flow,"),
    Step("c2", equal(c2, c2_start * sp.exp(low * s.t)), (), Definition(), r"and the other;"),
    Step(
        "c1-rate",
        equal(c1_rate, top * c1),
        ("c1",),
        Differentiate({s.t: sp.Integer(1), c1: c1_rate}),
        r"they grow at the rates",
    ),
    Step(
        "c2-rate",
        equal(c2_rate, low * c2),
        ("c2",),
        Differentiate({s.t: sp.Integer(1), c2: c2_rate}),
        r"of their eigenvalues.",
    ),
    Step("z", equal(z, c1 * f1 + c2 * f2), (), Definition(), r"The linear flow"),
    Step("z-rate", equal(z_rate, c1_rate * f1 + c2_rate * f2), (), Definition(), r"and its rate,"),
    Step(
        "linear",
        equal(z_rate, V_new * z),
        ("z", "z-rate", "c1-rate", "c2-rate", "action"),
        Identity(),
        r"which obeys $\dot z=\tilde Vz$.",
    ),
)
"""The flow without normalisation."""

LENGTH = (
    Step("length", equal(length, Norm(z)), (), Definition(), r"Its length"),
    Step("c1-start-negative", below(c1_start, 0), ("c1-start",), Evaluate(), r"(where $c_1$ starts below 0,"),
    Step("c1-negative", below(c1, 0), ("c1", "c1-start-negative"), Entails(degree=3), r"and stays there)"),
    Step(
        "dual",
        both(equal(Dot(g1, f1), 1), equal(Dot(g1, f2), 0)),
        ("g1", "f1", "f2"),
        Evaluate(),
        r"is not zero, as the dual basis",
    ),
    Step("part", equal(Dot(-g1, z), -c1), ("z", "dual"), Identity(), r"gives the coefficient back:"),
    Step(
        "cauchy-schwarz",
        at_most(Dot(-g1, z), Norm(-g1) * Norm(z)),
        (),
        Apply("lemma/cauchy-schwarz", {_x: -g1, _y: z}),
        r"by Cauchy-Schwarz",
    ),
    Step(
        "length-positive",
        below(0, length),
        ("length", "part", "cauchy-schwarz", "c1-negative"),
        Entails(degree=2),
        r"$0<-c_1\le|g_1||z|$.",
    ),
    Step(
        "length-rate",
        equal(length_rate, Dot(z, z_rate) / length),
        ("length", "length-positive"),
        Differentiate({z: z_rate, length: length_rate}),
        r"The length changes at this rate.",
    ),
)
"""It never vanishes."""

TOKEN = (
    Step("path", equal(path, z / length), (), Definition(), r"Normalised, it is a curve on the sphere"),
    Step(
        "path-rate",
        equal(path_rate, z_rate / length - length_rate / length**2 * z),
        (),
        Definition(),
        r"with this rate (quotient rule),",
    ),
    Step(
        "path-flow",
        equal(path_rate, V_new * path - Dot(path, V_new * path) * path),
        ("path", "path-rate", "linear", "length-rate", "length-positive"),
        Identity(),
        r"which obeys the flow.",
    ),
    Step(
        "field",
        equal(x_rate, V_new * x - Dot(x, V_new * x) * x),
        ("single-head", "post-ln", "attention-only", "full-attention"),
        Identity(),
        r"So does the token: attention of one token is the token itself.",
    ),
    Step(
        "start-value",
        equal(base_start, _START),
        ("x0", "f1", "f2", "c1-start", "c2-start"),
        Evaluate(),
        r"Both start",
    ),
    Step("start-square", equal(Dot(base_start, base_start), 1), ("x0",), Evaluate(), r"at the same point,"),
    Step("start-length", equal(Norm(base_start), 1), ("start-square",), Squeeze(degree=2), r"of length 1"),
    Step("start-positive", below(0, Norm(base_start)), ("start-length",), Entails(degree=1), r"(not 0):"),
    Step(
        "path-start",
        equal(path_start, _START / Norm(_START)),
        ("path", "length", "z", "c1", "c2"),
        AtStart(path, s.t),
        r"where the curve is at time 0,",
    ),
    Step(
        "start",
        equal(new_start, path_start),
        ("path-start", "start-value", "start-length", "start-positive", "common-start"),
        Identity(),
        r"there the token starts.",
    ),
    Step(
        "token",
        equal(x, path),
        ("field", "path-flow", "start"),
        Textbook(
            UNIQUE,
            {
                _M: V_new,
                _x: x,
                _y: path,
                _x_rate: x_rate,
                _y_rate: path_rate,
                _x0: new_start,
                _y0: path_start,
            },
        ),
        r"So the token is that curve.",
    ),
)
"""The token is the linear flow, normalised."""

OVERLAP = Step(
    "overlap",
    equal(Dot(x, u_new) * length, share * (Dot(f1, f1) * c1 + Dot(f1, f2) * c2)),
    ("token", "path", "z", "leading"),
    Identity(),
    r"Its overlap with $\tilde u_1$",
)

FAR = (
    Step(
        "beyond",
        below(Dot(x, u_new), 0),
        ("overlap", "length-positive", "share-positive", "balance"),
        Entails(degree=3),
        r"is negative:",
    ),
    Step("cosine", below(sp.cos(angle), 0), ("angle", "beyond"), Entails(degree=1), r"the cosine of the angle is,"),
    Step(
        "far",
        below(claims.FAR_SIDE.expr, angle),
        ("cosine", "angle-range"),
        Injective(sp.cos),
        r"so that the angle from $\tilde u_1$ is beyond $\pi/2$: the token does not go to $\tilde u_1$.",
    ),
)
"""Where ``<f1, z>`` is negative (step balance) the token is on the far side of ũ1."""
