"""Exact ties for d = 2, decided a second time by z3 from the definitions alone."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import z3

from proofs_checks.instance_file import Instance

SECONDS = 3
NAMES = (
    "dominant-gap",
    "criterion-quoted",
    "criterion-sharp",
    "delta",
    "cone",
    "drift-sharp",
    "levels",
    "levels-quoted",
)


def _number(value: Fraction) -> Any:
    return z3.RealVal(f"{value.numerator}/{value.denominator}")


class _Plane:
    """A 2×2 instance as polynomial equations: eigenvalues, the unit eigenvector u = (x, y), and z = (-y, x)."""

    def __init__(self, instance: Instance) -> None:
        self.solver = z3.Solver()
        self.solver.set("timeout", SECONDS * 1000)
        self.V = [[_number(Fraction(x)) for x in row] for row in instance.V]
        self.D = [[_number(Fraction(x)) for x in row] for row in instance.dV]
        self.W = [[v + d for v, d in zip(r, s, strict=True)] for r, s in zip(self.V, self.D, strict=True)]
        self.l1, self.l2, self.u = self._pair(self.V, "v")
        self.z = (-self.u[1], self.u[0])

    def _pair(self, m: Any, name: str) -> tuple[Any, Any, tuple[Any, Any]]:
        symbols: Any = z3.Reals(f"{name}_high {name}_low {name}_x {name}_y")
        high, low, x, y = symbols
        self.solver.add(high >= low, high + low == m[0][0] + m[1][1])
        self.solver.add(high * low == m[0][0] * m[1][1] - m[0][1] * m[1][0], x * x + y * y == 1)
        self.solver.add(m[0][0] * x + m[0][1] * y == high * x, m[1][0] * x + m[1][1] * y == high * y)
        return high, low, (x, y)

    def form(self, left: Any, m: Any, right: Any) -> Any:
        terms: list[Any] = [left[i] * m[i][k] * right[k] for i in range(2) for k in range(2)]
        return z3.Sum(terms)

    def size(self, value: Any, name: str) -> Any:
        found: Any = z3.Real(name)
        self.solver.add(found >= 0, found * found == value * value)
        return found

    def margin(self, name: str) -> Any:
        """A polynomial that vanishes where the margin of the statement does."""
        u, z = self.u, self.z
        gap, along = self.l1 - self.l2, self.form(u, self.D, u)
        if name == "dominant-gap":
            return self.l1 - self.size(self.l2, "other")
        if name in ("levels", "levels-quoted"):
            return self.l1 + (along if name == "levels" else 0) - self.form(z, self.W, z)
        if name == "cone":
            separation = self.form(u, self.W, u) - self.size(self.form(z, self.W, z), "kappa")
            right, left = self.form(z, self.W, u), self.form(u, self.W, z)
            return separation * separation - 4 * self.size(right * left, "product")
        b, e = self.size(self.form(z, self.D, u), "b"), self.size(self.form(z, self.D, z), "e")
        if name == "criterion-sharp":
            return self.l1 - self.size(self.l2, "other") + along - e
        delta = gap + along - e
        if name == "delta":
            return delta
        if name == "criterion-quoted":
            return delta - 2 * b
        # u and b span the plane, so that the angle is θ_b where b = 0 or the level of z is λ2 + |E|
        return b * (self.form(z, self.W, z) - self.l2 - e)


def confirmed_by_z3(instance: Instance, name: str) -> bool | None:
    """Whether z3 agrees that the margin of a 2×2 instance is zero; None where it is not asked or finds no answer."""
    if instance.d != 2 or name not in NAMES:
        return None
    plane = _Plane(instance)
    plane.solver.add(plane.margin(name) != 0)
    found = plane.solver.check()
    return None if found == z3.unknown else bool(found == z3.unsat)
