"""prop-3.3/criterion-quoted and -nonsymmetric: one token that goes to the far side, solved exactly."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import prop_3_3_single as single
from theory.derivations.model import u1
from theory.derivations.prop_3_3_model import dV
from theory.derivations.prop_3_3_single import base_start, c1, c1_start, c2, c2_start, f1, f2, g1, g2, low, top
from theory.kernel.notation import Dot, at_most, below, both, equal, scalar
from theory.kernel.rules import Apply, Entails, Evaluate, Increasing
from theory.kernel.step import Derivation, Step

number = scalar("p33_exponent", "v", nonnegative=True)


def _spectrum(values: tuple[Any, Any], vectors: tuple[Any, Any], duals: tuple[Any, Any]) -> dict[str, sp.Basic]:
    """Eigenvalues of Ṽ, its eigenvectors and their dual basis."""
    names = ("top", "low", "f1", "f2", "g1", "g2")
    return {
        name: equal(symbol, value)
        for name, symbol, value in zip(names, (top, low, f1, f2, g1, g2), (*values, *vectors, *duals), strict=True)
    }


def _start(point: Any, coefficients: tuple[Any, Any]) -> dict[str, sp.Basic]:
    """Where the token starts, and its coefficients in the eigenvectors."""
    return {
        "x0": equal(base_start, point),
        "c1-start": equal(c1_start, coefficients[0]),
        "c2-start": equal(c2_start, coefficients[1]),
    }


_column = lambda a, b: sp.ImmutableMatrix([a, b])  # noqa: E731

# the stored counterexample: ΔV has 9/20 off its diagonal, x = (0.338, -0.941) normalised; Ṽ has 1 ± √181/20
_root, _scale = sp.sqrt(181), 1 / sp.sqrt(338**2 + 941**2)
_side = _root - 10
_square = sp.expand(81 + _side**2)
_beta = sp.Rational(9, 20)

CRITERION_QUOTED = Derivation(
    claim="prop-3.3/criterion-quoted",
    setting={
        **single.SETTING,
        "dV": equal(dV, sp.ImmutableMatrix([[0, _beta], [_beta, 0]])),
        **_spectrum(
            (1 + _root / 20, 1 - _root / 20),
            (_column(9, _side), _column(-_side, 9)),
            (_column(9 / _square, _side / _square), _column(-_side / _square, 9 / _square)),
        ),
        **_start(
            _column(338 * _scale, -941 * _scale),
            (
                _scale * (338 * 9 - 941 * _side) / _square,
                _scale * (-338 * _side - 941 * 9) / _square,
            ),
        ),
    },
    assumptions=single.ASSUMPTIONS,
    meets={**single.MEETS, "symmetric-update": "symmetric-update-holds"},
    remark=(
        r"The stored counterexample, $\gamma=0.33805<\sin\theta_b=0.3584$. At every time the token is beyond $\pi/2$ "
        r"from $\tilde u_1$."
    ),
    steps=(
        *single.HYPOTHESES,
        Step("symmetric-update-holds", equal(dV.T, dV), ("dV",), Evaluate(), r"the update is symmetric,"),
        Step(
            "hemisphere-holds",
            below(0, Dot(base_start, u1)),
            ("x0", "u1"),
            Evaluate(),
            r"the token starts in the hemisphere of $u_1$,",
        ),
        Step(
            "not-high-enough",
            below(Dot(base_start, u1), claims.HEMISPHERE_NEEDED.expr),
            ("x0", "theta-bound", *single.VALUES),
            Evaluate(),
            r"but lower than $\sin\theta_b$.",
        ),
        *single.LEADING,
        *single.LINEAR_FLOW,
        *single.LENGTH,
        *single.TOKEN,
        Step("orthogonal", equal(Dot(f1, f2), 0), ("f1", "f2"), Evaluate(), r"The eigenvectors are orthogonal,"),
        Step(
            "balance",
            below(Dot(f1, f1) * c1 + Dot(f1, f2) * c2, 0),
            ("orthogonal", "f1-positive", "c1-negative"),
            Entails(degree=2),
            r"so that the part along $f_1$ decides.",
        ),
        single.OVERLAP,
        *single.FAR,
    ),
)

EXPONENTIAL = Derivation(
    claim="lemma/exponential",
    title="the exponential is above its tangent",
    states=at_most(1 + number, sp.exp(number)),
    steps=(
        Step("positive", at_most(0, sp.exp(number)), (), Entails(degree=2), r"The exponential is positive."),
        Step("one", at_most(1, sp.exp(number)), ("positive",), Increasing(number), r"So it increases from 1."),
        Step("tangent", at_most(1 + number, sp.exp(number)), ("one",), Increasing(number), r"And once more."),
    ),
)

# the stored counterexample: ΔV = [[0, 2], [0, 0]], x = (0.4, -0.917) normalised
_unit = 1 / sp.sqrt(400**2 + 917**2)

NONSYMMETRIC_QUOTED = Derivation(
    claim="prop-3.3/criterion-quoted-nonsymmetric",
    setting={
        **single.SETTING,
        "dV": equal(dV, sp.ImmutableMatrix([[0, 2], [0, 0]])),
        **_spectrum(
            (sp.Rational(3, 2), sp.Rational(1, 2)),
            (_column(1, 0), _column(-2, 1)),
            (_column(1, 2), _column(0, 1)),
        ),
        **_start(_column(400 * _unit, -917 * _unit), (-1434 * _unit, -917 * _unit)),
        "late": at_most(1, s.t),
    },
    assumptions=single.ASSUMPTIONS,
    meets=single.MEETS,
    remark=(
        r"The stored counterexample: $b=0$ and $\theta_b=0$. From time 1 on the token is beyond $\pi/2$ from "
        r"$\tilde u_1=u_1$."
    ),
    steps=(
        *single.HYPOTHESES,
        Step(
            "hemisphere-holds",
            below(claims.HEMISPHERE_NEEDED.expr, Dot(base_start, u1)),
            ("x0", "theta-bound", "dV", "u1", "a", "b", "b-norm"),
            Evaluate(),
            r"the token starts higher than $\sin\theta_b=0$.",
        ),
        *single.LEADING,
        *single.LINEAR_FLOW,
        *single.LENGTH,
        *single.TOKEN,
        Step(
            "growth",
            at_most(1 + s.t, sp.exp(s.t)),
            (),
            Apply("lemma/exponential", {number: s.t}),
            r"The first coefficient outgrows the second,",
        ),
        Step(
            "inner",
            both(equal(Dot(f1, f1), 1), equal(Dot(f1, f2), -2)),
            ("f1", "f2"),
            Evaluate(),
            r"with these inner products,",
        ),
        Step(
            "starts",
            equal(917 * c1_start, 1434 * c2_start),
            ("c1-start", "c2-start"),
            Evaluate(),
            r"from these starts:",
        ),
        Step(
            "balance",
            below(Dot(f1, f1) * c1 + Dot(f1, f2) * c2, 0),
            ("inner", "c1", "c2", "c1-start-negative", "starts", "top", "low", "growth", "late"),
            Entails(degree=3),
            r"$c_1<2c_2$ from time 1 on.",
        ),
        single.OVERLAP,
        *single.FAR,
    ),
)

LEMMAS: tuple[Derivation, ...] = (EXPONENTIAL,)
DERIVATIONS: tuple[Derivation, ...] = (CRITERION_QUOTED, NONSYMMETRIC_QUOTED)
