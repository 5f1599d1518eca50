"""What would make an instance safe: the largest safe scale of ΔV, and the nearest ΔV without drift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mpmath import mp

from numerics.high_precision import Blocks, Vector, gap_digits, inner
from proofs_checks.instance_analysis import Analysis, applicable_theorems
from proofs_checks.instance_file import Instance
from proofs_checks.instance_measure import Level, prop_values, token_values

SCALE_DIGITS = 12
_UNLIMITED = 10**15  # multiples of ||V||/||ΔV||: safe there counts as safe at every scale


@dataclass(frozen=True)
class Fix:
    """How to make one instance safe.

    Attributes
    ----------
    scale: largest s such that ``s' ΔV`` is safe for all s' < s, rounded down to 12 digits; None where unlimited (or
        where ``reason`` says that V is degenerate); 0 where no scale is safe.
    projected_dV: the nearest matrix (d×d) to ΔV in Frobenius norm with ``b = c = 0``; symmetric where ΔV is.
    projected_safe: whether it is safe as it is. projected_scale: its own largest safe scale, as ``scale``.
    projected_margin: its cone margin, ``S`` itself since b = 0.
    reason: in words, where a number is missing or 0.
    """

    scale: Any
    projected_dV: list[Vector] | None
    projected_margin: Any
    projected_safe: bool | None
    projected_scale: Any
    reason: str = ""


def fix(instance: Instance, analysis: Analysis) -> Fix:
    """The largest safe scale and the projected update of an analysed instance."""
    level = analysis.level
    if level is None:
        return Fix(None, None, None, None, None, f"nothing to scale or project: {analysis.reasons[0]}")
    symmetric = analysis.decisions.symmetric
    with mp.workdps(_working_digits(level)):
        scale = largest_safe_scale(level, symmetric)
        rest = [mp.zero] * len(level.blocks.b)
        without = replace(level, blocks=replace(level.blocks, b=rest, c=rest))
        margin = prop_values(without.blocks, level.pair, symmetric)["cone_margin"]
        safe = is_safe(without, symmetric, mp.one)
        projected_scale = largest_safe_scale(without, symmetric)
    with mp.workdps(analysis.working_digits):
        projected = projected_update(instance, level.pair.vector)
    reason = "" if scale is None or scale > 0 else "no scale is safe: " + _base_reason(level)
    return Fix(scale, projected, margin, safe, projected_scale, reason)


def _working_digits(level: Level) -> int:
    """Enough for 12 digits of a scale that the smallest gap or block decides."""
    return 2 * SCALE_DIGITS + 10 + int(1.2 * gap_digits(level.values["smallest"], level.values["scale"]))


def _base_reason(level: Level) -> str:
    if level.position is not None and level.values["base_separation"] > 0:
        return "the tokens of X0 already lie outside the region in which the base converges to u1"
    return "the base itself need not converge to u1"


def is_safe(level: Level, symmetric: bool, scale: Any) -> bool:
    """Whether a theorem applies to ``V + scale ΔV`` (with the tokens of the level, where it has some)."""
    values = prop_values(level.blocks, level.pair, symmetric, scale)
    values |= token_values(values, level.base_basin, level.position)
    return bool(applicable_theorems(values, level)[0])


def largest_safe_scale(level: Level, symmetric: bool) -> Any:
    """The largest s such that every smaller scale is safe, rounded down to 12 digits; None where unlimited.

    For symmetric V the safe scales are an interval from 0: the conditions of prop-3.3/criterion are linear in s, and
    for a fixed t the condition ``|b| - S t + |c| t² < 0`` of the cone is convex in s and holds at s = 0. So bisection
    finds its end. For non-symmetric V an unsafe stretch may lie between: it is searched in steps of 10 %.
    """
    if not is_safe(level, symmetric, mp.zero):
        return mp.zero
    size = _update_size(level.blocks)
    if size == 0:
        return None
    unit = level.values["scale"] / size
    interval = not any(level.blocks.c_base)
    if interval and is_safe(level, symmetric, unit * _UNLIMITED):
        return None
    high = level.values["gap"] / size / (1 if interval else 100)
    low = high / 2
    while not is_safe(level, symmetric, low):
        low, high = low / 2, low
    while is_safe(level, symmetric, high):
        if high > unit * _UNLIMITED:
            return None
        # beyond 100 units ΔV outweighs V and only the sign of its own margin counts
        low, high = high, high * (2 if interval or high > 100 * unit else mp.mpf("1.1"))
    while high - low > high * mp.mpf(10) ** (-SCALE_DIGITS - 1):
        middle = (low + high) / 2
        if is_safe(level, symmetric, middle):
            low = middle
        else:
            high = middle
    step = mp.mpf(10) ** (mp.floor(mp.log10(low)) - SCALE_DIGITS + 1)
    return mp.floor(low / step) * step


def _update_size(blocks: Blocks) -> Any:
    return abs(blocks.a) + blocks.E_norm + mp.fsum(abs(x) for x in (*blocks.b, *blocks.c))


def projected_update(instance: Instance, u: Vector) -> list[Vector]:
    """``ΔV - P⊥ΔVu1u1ᵀ - u1u1ᵀΔVP⊥`` (d×d): the orthogonal projection of ΔV onto the matrices with b = c = 0."""
    rows = [[mp.mpf(x.numerator) / x.denominator for x in row] for row in instance.dV]
    size = range(len(u))
    image = [inner(row, u) for row in rows]
    preimage = [inner([rows[i][k] for i in size], u) for k in size]
    a = inner(image, u)
    b = [x - a * y for x, y in zip(image, u, strict=True)]
    c = [x - a * y for x, y in zip(preimage, u, strict=True)]
    noise = max((abs(x) for row in rows for x in row), default=mp.zero) * mp.mpf(10) ** (-mp.dps // 2)
    projected = [[rows[i][k] - b[i] * u[k] - u[i] * c[k] for k in size] for i in size]
    return [[x if abs(x) > noise else mp.zero for x in row] for row in projected]
