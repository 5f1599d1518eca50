"""The integral behind thm-4.6/lower: the least time in which ``ϑ' <= G(ϑ)`` lets ϑ grow from ϑ0 to r.

G has two branches that meet where ``plain_condition`` (a quadratic in ϑ) changes sign; the integral is split there.
In the angle arctan ϑ, Gauss-Legendre in torch, mpmath's quadrature for one instance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from mpmath import mp

from theory import thm_4_6 as theory
from theory.formula import Formula
from theory.lowering import to_mpmath, to_torch

_NODES = 64
_FEWER = 48
_MARGIN = 1e-12


@dataclass(frozen=True)
class Speeds:
    """The formulas of the two branches of G; without ``inner`` the first one stands for all ϑ (plain Riccati)."""

    plain: Formula = theory.PLAIN_SPEED
    inner: Formula | None = theory.INNER_SPEED

    @staticmethod
    def with_formula(formula: Formula) -> Speeds:
        """Both branches, with ``formula`` in the place of the one that has its name, if any has."""
        plain = formula if formula.name == theory.PLAIN_SPEED.name else theory.PLAIN_SPEED
        return Speeds(plain, formula if formula.name == theory.INNER_SPEED.name else theory.INNER_SPEED)


@cache
def _rule(nodes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Nodes and weights of Gauss-Legendre on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return torch.from_numpy((x + 1) / 2), torch.from_numpy(w / 2)


def _switches(values: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """The two roots (B,) of κ + (||c|| - ||b||)ϑ + wϑ², NaN where there are none: where the branch may change."""
    w, middle, kappa = values["w"], values["c_norm"] - values["b_norm"], values["kappa"]
    root = (middle**2 - 4 * w * kappa).sqrt()
    q = -(middle + torch.where(middle < 0, -root, root)) / 2
    return [q / w, kappa / q]


def deviation_integral(
    values: Mapping[str, torch.Tensor], start: torch.Tensor, end: torch.Tensor, speeds: Speeds | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """∫dϑ/G from ``start`` to ``end`` (B,), infinite where G <= 0 on the way, and the error of the quadrature (B,).

    ``values``: ``w``, ``kappa``, ``cone_separation``, ``b_norm``, ``c_norm``, each (B,).
    """
    chosen = speeds or Speeds()
    low, high = torch.atan(start), torch.atan(end)
    # G is continuous where it changes its branch, so that the integral has no derivative by the cuts.
    cuts = [torch.atan(x).nan_to_num(nan=0.0).detach() for x in _switches(values)] if chosen.inner else []
    inside = torch.stack([torch.minimum(torch.maximum(c, low), high) for c in cuts], 1) if cuts else low[:, None][:, :0]
    ends = torch.cat([low[:, None], inside.sort(dim=1).values, high[:, None]], dim=1)
    fine, coarse = (_integrate(values, ends, chosen, nodes) for nodes in (_NODES, _FEWER))
    # G <= 0 happens on the first branch alone, a parabola: look at its lowest point and at the ends.
    vertex = (values["cone_separation"] / (2 * values["c_norm"])).nan_to_num(nan=torch.inf)
    points = torch.stack([start, end, torch.minimum(torch.maximum(vertex, start), end)], dim=1)
    stopped = (_evaluate(chosen.plain, values, points) <= 0).any(dim=1)
    time = torch.where(stopped, torch.inf, fine)
    return time, (fine - coarse).abs() + _MARGIN * fine.abs()


def _evaluate(formula: Formula, values: Mapping[str, torch.Tensor], tangent: torch.Tensor) -> torch.Tensor:
    given = {name: values[name].unsqueeze(-1) for name in formula.arguments if name != "tan_max_angle"}
    return to_torch(formula, tan_max_angle=tangent, **given).expand_as(tangent)


def _integrate(values: Mapping[str, torch.Tensor], ends: torch.Tensor, speeds: Speeds, nodes: int) -> torch.Tensor:
    x, weight = _rule(nodes)
    total = torch.zeros_like(ends[:, 0])
    for k in range(ends.shape[1] - 1):
        length = ends[:, k + 1] - ends[:, k]
        tangent = torch.tan(ends[:, k, None] + length[:, None] * x)
        middle = torch.tan(ends[:, k] + length / 2)[:, None]
        speed = _evaluate(speeds.plain, values, tangent)
        if speeds.inner is not None:
            plain = _evaluate(theory.PLAIN_CONDITION, values, middle) >= 0
            speed = torch.where(plain, speed, _evaluate(speeds.inner, values, tangent))
        total = total + torch.where(length > 0, length * (((1 + tangent**2) / speed) @ weight), 0.0)
    return total


def exact_deviation_integral(values: Mapping[str, Any], start: Any, end: Any, speeds: Speeds | None = None) -> Any:
    """The same for one instance at the current mpmath precision; ``mp.inf`` where G <= 0 on the way."""
    chosen = speeds or Speeds()
    points = [start, *_exact_switches(values, start, end), end]

    def at(formula: Formula, tangent: Any) -> Any:
        given = {name: values[name] for name in formula.arguments if name != "tan_max_angle"}
        return to_mpmath(formula, tan_max_angle=tangent, **given)

    vertex = values["cone_separation"] / (2 * values["c_norm"]) if values["c_norm"] else end
    if any(at(chosen.plain, x) <= 0 for x in (start, end, min(max(vertex, start), end))):
        return mp.inf
    total = mp.zero
    for low, high in pairwise(points):
        outside = chosen.inner is None or at(theory.PLAIN_CONDITION, (low + high) / 2) >= 0
        formula = chosen.plain if outside or chosen.inner is None else chosen.inner
        total += mp.quad(_pace(at, formula), [mp.atan(low), mp.atan(high)])
    return total


def _pace(at: Callable[[Formula, Any], Any], formula: Formula) -> Callable[[Any], Any]:
    return lambda angle: mp.sec(angle) ** 2 / at(formula, mp.tan(angle))


def _exact_switches(values: Mapping[str, Any], start: Any, end: Any) -> list[Any]:
    """Where the branch changes strictly between ``start`` and ``end``, increasing."""
    w, middle, kappa = values["w"], values["c_norm"] - values["b_norm"], values["kappa"]
    square = middle**2 - 4 * w * kappa
    if square < 0:
        return []
    q = -(middle + (mp.sqrt(square) if middle >= 0 else -mp.sqrt(square))) / 2
    roots = [x / y for x, y in ((q, w), (kappa, q)) if y]
    return sorted({x for x in roots if start < x < end})
