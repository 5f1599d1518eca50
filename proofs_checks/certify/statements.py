"""The statements that a certificate decides: each is ``margin > 0`` (or ``>= 0``) about one instance.

A statement is *defined* only where those it needs are proved true (θ_b needs δ > 0, say). Its ties, where no ball ever
decides, are decided by an exact number that is zero exactly where the margin is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from numerics.enclosure.exact_frame import cosine_square, dot
from numerics.enclosure.radicals import Radical
from proofs_checks.certify.lowering import evaluate
from proofs_checks.certify.quantities import Exact, Quantities
from proofs_checks.certify.speed import tangent_speed
from theory import prop_3_3, remark_3_4, thm_4_6


@dataclass(frozen=True)
class Statement:
    """``margin > 0``, or ``margin >= 0`` where not ``strict``.

    ``zero``: an exact number that vanishes where the margin does, None where a tie is not decided. ``about``: what it
    speaks of: ``base`` (u1), ``perturbed`` (ũ1), ``tokens``. ``symmetric``: which matrices must be symmetric.
    """

    name: str
    text: str
    margin: Callable[[Quantities], arb]
    zero: Callable[[Exact], Radical] | None = None
    strict: bool = True
    needs: tuple[str, ...] = ()
    about: tuple[str, ...] = ("base",)
    symmetric: tuple[str, ...] = ("V",)


def _delta(q: Quantities) -> arb:
    v = q.values
    return v["gap"] + v["a"] - v["E_norm"]


def _exact_delta(x: Exact) -> Radical:
    return x.gap + x.update.along - x.update.block_norm()


def _criterion_zero(x: Exact) -> Radical:
    return _exact_delta(x) - x.update.right_norm() * 2


def _sharp_zero(x: Exact) -> Radical:
    return x.dominant_gap + x.update.along - x.update.block_norm()


def _cone_zero(x: Exact) -> Radical:
    """S² - 4|b||c|, which vanishes where S - 2√(|b||c|) does if S >= 0; S itself where it is below 0: no tie."""
    separation = x.whole.along - x.whole.block_norm()
    if separation.sign < 0:
        return separation
    return separation * separation - x.whole.right_norm() * x.whole.left_norm() * 4


def _drift_sharp_zero(x: Exact) -> Radical:
    """``|P⊥ṼP⊥ b - (λ2 + |E|) b|²``.

    Where it is zero, u1 and b span a plane that Ṽ maps to itself as [[λ1 + a, |b|], [|b|, λ2 + |E|]], and since no
    eigenvalue of P⊥ṼP⊥ exceeds λ2 + |E|, ũ1 lies in it at the angle ½ arctan(2|b|/δ) = θ_b.
    """
    across = x.whole.right
    level = x.pair.value + x.update.along - _exact_delta(x)
    rest = [p - level * q for p, q in zip(x.whole.block_image(across), across, strict=True)]
    return dot(rest, rest)


def _drift_quoted_zero(x: Exact) -> Radical:
    """|u1 - ũ1|² = 2 - 2 cos ∠ against the square of the bound."""
    cosine = cosine_square(x.pair.vector, x.perturbed_pair.vector).as_rational
    if cosine is None:
        raise ValueError("the cosine of the drift is no square root of a rational")
    bound = x.update.right_norm() * 2 + x.update.block_norm()
    scale = (x.gap + x.update.along) * 2
    return (Radical.root(cosine) * -2 + 2) * scale * scale - bound * bound


def _remark_quoted_zero(x: Exact) -> Radical:
    """``|b|² det(λ1 - Ṽ)``: with b ≠ 0 both sides agree where λ̃1 = λ1, the only eigenvalue that λ1 > μ_max can be."""
    return x.update.right_square * x.whole.characteristic(x.pair.value)


def _hemisphere_zero(x: Exact) -> Radical:
    """The overlap of the token with the smallest one; zero only if one of them is exactly zero."""
    product = Radical.of(1)
    for row in x.quantities.instance.X0 or ():
        product = product * dot([Radical.of(t) for t in row], x.pair.vector)
    return product


STATEMENTS = (
    Statement(
        "dominant-gap",
        "gap* = λ1 - max_{j>=2} |λ_j| > 0",
        lambda q: q.values["dominant_gap"],
        lambda x: x.dominant_gap,
    ),
    Statement(
        "criterion-quoted",
        "gap + a > 2|b| + |E|",
        lambda q: evaluate(prop_3_3.CRITERION_MARGIN, q.values),
        _criterion_zero,
    ),
    Statement(
        "criterion-sharp",
        "gap* + a > |E|",
        lambda q: evaluate(prop_3_3.SHARP_CRITERION_MARGIN, q.values),
        _sharp_zero,
    ),
    Statement("delta", "δ = gap + a - |E| > 0", _delta, _exact_delta),
    Statement(
        "cone",
        "S > 2 sqrt(|b||c|) about u1",
        lambda q: evaluate(prop_3_3.CONE_MARGIN, q.cone_values),
        _cone_zero,
        symmetric=(),
    ),
    Statement(
        "drift-sharp",
        "|u1 - ũ1| <= 2 sin(θ_b/2)",
        lambda q: evaluate(prop_3_3.DRIFT_BOUND_SHARP, q.values) - q.drift,
        _drift_sharp_zero,
        strict=False,
        needs=("delta",),
        about=("base", "perturbed"),
        symmetric=("V", "dV"),
    ),
    Statement(
        "drift-quoted",
        "|u1 - ũ1| <= (2|b| + |E|) / (2 (gap + a))",
        lambda q: evaluate(prop_3_3.DRIFT_BOUND_HALF, q.values) - q.drift,
        _drift_quoted_zero,
        strict=False,
        needs=("criterion-quoted",),
        about=("base", "perturbed"),
        symmetric=("V", "dV"),
    ),
    Statement(
        "levels",
        "λ1 + a > λ_j + e_j for all j",
        lambda q: q.base.leading + q.update.along - q.whole.block_top,
        lambda x: x.pair.value + x.update.along - x.whole.block_top(),
        symmetric=("V", "dV"),
    ),
    Statement(
        "levels-quoted",
        "λ1 > λ_j + e_j for all j",
        lambda q: q.base.leading - q.whole.block_top,
        lambda x: x.pair.value - x.whole.block_top(),
        symmetric=("V", "dV"),
    ),
    Statement(
        "remark-corrected",
        "tan²∠(u1, ũ1) <= Σ_j (α_j/(λ1 + a - λ_j - e_j))²",
        lambda q: evaluate(remark_3_4.DRIFT_CORRECTED, q.values, q.whole.resolvent_square) - q.tan_squared,
        lambda x: x.update.right_square,  # with b ≠ 0, λ̃1 exceeds λ1 + a
        strict=False,
        needs=("levels",),
        about=("base", "perturbed"),
        symmetric=("V", "dV"),
    ),
    Statement(
        "remark-quoted",
        "tan²∠(u1, ũ1) <= Σ_j (α_j/(λ1 - λ_j - e_j))²",
        lambda q: evaluate(remark_3_4.DRIFT_QUOTED, q.values, q.whole.resolvent_square) - q.tan_squared,
        _remark_quoted_zero,
        strict=False,
        needs=("levels", "levels-quoted"),
        about=("base", "perturbed"),
        symmetric=("V", "dV"),
    ),
    Statement(
        "hemisphere",
        "<x_i, u1> > 0 for all i",
        lambda q: q.smallest_overlap,
        _hemisphere_zero,
        about=("base", "tokens"),
        symmetric=(),
    ),
    Statement(
        "hemisphere-sharp",
        "<x_i, u1> > sin θ_b for all i",
        lambda q: q.smallest_overlap - evaluate(prop_3_3.HEMISPHERE_NEEDED, q.values),
        needs=("delta", "hemisphere"),
        about=("base", "tokens"),
    ),
    Statement(
        "cone-tokens",
        "ϑ(0) < t+ about u1",
        lambda q: 1 - evaluate(prop_3_3.CONE_OUTER_INVERSE, q.cone_values) * q.tan_max_angle,
        needs=("cone", "hemisphere"),
        about=("base", "tokens"),
        symmetric=(),
    ),
    Statement(
        "riccati",
        "D⁺ϑ <= |b| - Sϑ + |c|ϑ² at time 0",
        lambda q: evaluate(thm_4_6.PLAIN_SPEED, q.cone_values | {"tan_max_angle": q.tan_max_angle}) - tangent_speed(q),
        strict=False,
        needs=("hemisphere",),
        about=("base", "tokens"),
        symmetric=(),
    ),
)
BY_NAME = {s.name: s for s in STATEMENTS}
