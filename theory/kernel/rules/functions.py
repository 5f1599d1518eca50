"""Increasing functions applied to inequalities, and identities of sines and cosines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.notation import at_most, below
from theory.kernel.rules.apply import same
from theory.kernel.step import Context, Rejected, parts

# function → (lower end, is it included, upper end, is it included) of an interval on which it increases
INTERVALS: dict[Any, tuple[Any, bool, Any, bool]] = {
    sp.exp: (None, False, None, False),
    sp.atan: (None, False, None, False),
    sp.log: (0, False, None, False),
    sp.sqrt: (0, True, None, False),
    sp.sin: (-sp.pi / 2, True, sp.pi / 2, True),
    sp.tan: (-sp.pi / 2, False, sp.pi / 2, False),
}
INVERSES: dict[Any, Any] = {sp.atan: sp.tan, sp.tan: sp.atan, sp.exp: sp.log, sp.log: sp.exp}


@dataclass(frozen=True)
class Monotone:
    """An increasing function applied to both sides of the first premise.

    Further premises say that both sides are where the function increases (``0 < side``, ``side < π/2``), as far as
    that is not known from the symbols. The inverse function is seen: ``atan`` of ``tan y`` is ``y`` where the
    premises have ``-π/2 < y < π/2`` (or ``0 <= y``), ``log`` of ``exp y`` and ``exp`` of ``log y`` are ``y``.
    """

    function: Any
    kind: str = "monotone"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        ordered = (sp.LessThan, sp.StrictLessThan, sp.GreaterThan, sp.StrictGreaterThan, sp.Equality)
        if not premises or not isinstance(premises[0], ordered):
            raise Rejected("needs an inequality, or an equation")
        known = [p for premise in premises[1:] for p in parts(premise)]
        sides = premises[0].args
        wanted = type(premises[0])(*[self._image(side) for side in sides], evaluate=False)
        if not same(wanted, says):
            raise Rejected(f"the function gives {wanted}")
        used = [k for k in known if any(same(k, need) for side in sides for need in self._needs(side, known)[1])]
        if len(used) != len(known):
            raise Rejected("a premise says nothing about where the function increases")
        for side in sides:
            missing = self._needs(side, [*known, premises[0]])[0]
            if missing:
                raise Rejected(f"not among the premises: {missing[0]}")
        return f"{self.function.__name__} increases"

    def _image(self, side: Any) -> Any:
        if INVERSES.get(self.function) is not None and side.func == INVERSES[self.function]:
            return side.args[0]
        return self.function(side)

    def _needs(self, side: Any, known: list[Any]) -> tuple[list[Any], list[Any]]:
        """What is still needed, and what may be used, for the function to increase at ``side``."""
        low, low_in, high, high_in = INTERVALS[self.function]
        if self.function == sp.atan and isinstance(side, sp.tan):
            side, (low, low_in, high, high_in) = side.args[0], INTERVALS[sp.tan]
        if self.function == sp.log and isinstance(side, sp.exp):
            return [], []
        if self.function == sp.exp and isinstance(side, sp.log):
            return [], [below(0, side.args[0])]
        missing, usable = [], []
        for bound, included, is_low in ((low, low_in, True), (high, high_in, False)):
            if bound is None:
                continue
            forms = self._forms(side, sp.sympify(bound), included, is_low)
            usable += forms
            if self._obvious(side, bound, included, is_low) or any(same(k, f) for k in known for f in forms):
                continue
            missing.append(forms[0])
        return missing, usable

    def _forms(self, side: Any, bound: Any, included: bool, is_low: bool) -> list[Any]:
        def order(x: Any, y: Any, strict: bool) -> Any:
            return below(x, y) if strict else at_most(x, y)

        ends = [bound] if not (is_low and bound != 0) else [bound, sp.Integer(0)]
        found = []
        for end in ends:
            stricts = (True, False) if included or end != bound else (True,)
            for strict in stricts:
                found.append(order(end, side, strict) if is_low else order(side, end, strict))
        return found

    def _obvious(self, side: Any, bound: Any, included: bool, is_low: bool) -> bool:
        if side.is_number:
            return bool(side > bound) if is_low else bool(side < bound)
        if is_low and bound == 0:
            return bool(side.is_positive) or (included and bool(side.is_nonnegative))
        if is_low:
            return bool(side.is_nonnegative)
        return isinstance(side, sp.atan) or (isinstance(side, sp.Mul) and 0 <= side.as_coeff_Mul()[0] <= 1
                                             and isinstance(side.as_coeff_Mul()[1], sp.atan))  # fmt: skip


@dataclass(frozen=True)
class Trigonometry:
    """An identity between sines, cosines and tangents of multiples of angles, by the tangent of the common part.

    Every angle is a whole multiple of θ/divisor; with ``x = tan(θ/(2·divisor))`` its sine and cosine are rational in
    x, and the identity is one of rational functions. ``divisor`` 2 serves for θ/2, θ, 2θ, ...
    """

    divisor: int = 2
    kind: str = "identity"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        """See :class:`theory.kernel.step.Rule`."""
        if premises:
            raise Rejected("an identity of angles has no premises")
        for part in parts(says):
            if not isinstance(part, sp.Equality):
                raise Rejected("says no equation")
            difference = self._rational(part.args[0] - part.args[1])  # type: ignore[operator]
            if sp.cancel(sp.together(difference)) != 0:
                raise Rejected("the identity fails as one of rational functions of the half-angle tangent")
        return "tangent of the part of the angle"

    def _rational(self, expr: Any) -> Any:
        points: dict[Any, Any] = {}

        def point(argument: Any) -> tuple[Any, Any]:
            """cos and sin of the argument, from those of its parts."""
            total = (sp.Integer(1), sp.Integer(0))
            for term in sp.Add.make_args(sp.expand(argument)):
                number, angle = term.as_coeff_Mul()
                count = number * self.divisor
                if not count.is_Integer:
                    raise Rejected(f"{argument} is no multiple of the angle by 1/{self.divisor}")
                x = points.setdefault(angle, sp.Dummy(real=True))
                # (1 + i x)² / (1 + x²) is cos + i sin of twice the angle with tangent x
                unit = ((1 - x**2) / (1 + x**2), 2 * x / (1 + x**2))
                step = unit if count > 0 else (unit[0], -unit[1])
                for _ in range(abs(int(count))):
                    total = (
                        sp.cancel(total[0] * step[0] - total[1] * step[1]),
                        sp.cancel(total[0] * step[1] + total[1] * step[0]),
                    )
            return total

        return expr.replace(
            lambda e: isinstance(e, (sp.sin, sp.cos, sp.tan)),
            lambda e: {sp.cos: lambda c, _s: c, sp.sin: lambda _c, s: s, sp.tan: lambda c, s: s / c}[e.func](
                *point(e.args[0])
            ),
        )
