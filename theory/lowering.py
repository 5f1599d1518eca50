"""Evaluate one sympy formula in several arithmetics: batched torch, mpmath, and others that are added as data.

The expression tree is walked directly (no generated source, no ``eval``). An :class:`Arithmetic` is a table of
operations; a sum over directions is the only node that needs to know the layout of vectors:

* torch: scalars have shape ``(...)``, vectors ``(..., d-1)``; the sum reduces the last axis;
* mpmath: scalars are ``mpf``, vectors are sequences of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import mpmath
import sympy as sp
import torch

from theory.formula import Formula


class LoweringError(ValueError):
    """The formula has a node for which the arithmetic has no operation, or an argument is missing."""


@dataclass(frozen=True)
class Arithmetic:
    """The operations that a formula is lowered to.

    Attributes
    ----------
    number: turns an exact rational (numerator, denominator) into a number.
    pi: π at the current precision.
    functions: sympy function class → operation.
    total: ``(body, environment, vector_names) -> value``: the sum over directions of ``body(environment)``.
    """

    number: Callable[[int, int], Any]
    pi: Callable[[], Any]
    functions: Mapping[Any, Callable[..., Any]]
    total: Callable[[Callable[[Mapping[str, Any]], Any], Mapping[str, Any], set[str]], Any]


def evaluate(expr: sp.Basic, environment: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    """The value of ``expr`` where each symbol has the value that ``environment`` gives to its name.

    Raises :class:`LoweringError` for a symbol without a value or a node without an operation.
    """
    memo: dict[sp.Basic, Any] = {}

    def walk(node: sp.Basic) -> Any:
        if node not in memo:
            memo[node] = _node(node, walk, environment, arithmetic)
        return memo[node]

    return walk(expr)


def _node(node: Any, walk: Callable[[Any], Any], environment: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    if isinstance(node, sp.Rational):
        return arithmetic.number(node.p, node.q)
    if node is sp.pi:
        return arithmetic.pi()
    if isinstance(node, (sp.Symbol, sp.Indexed)):
        name = str(node.base) if isinstance(node, sp.Indexed) else str(node)
        if name not in environment:
            raise LoweringError(f"no value given for {name!r}")
        return environment[name]
    if isinstance(node, sp.Add):
        return reduce(lambda x, y: x + y, map(walk, node.args))
    if isinstance(node, sp.Mul):
        return reduce(lambda x, y: x * y, map(walk, node.args))
    if isinstance(node, sp.Pow):
        return _power(node, walk, arithmetic)
    if isinstance(node, sp.Sum):
        vectors = {str(v.base) for v in node.function.atoms(sp.Indexed)}

        def body(values: Mapping[str, Any]) -> Any:
            return evaluate(node.function, values, arithmetic)

        return arithmetic.total(body, environment, vectors)
    operation = arithmetic.functions.get(node.func)
    if operation is None:
        raise LoweringError(f"no operation for {node.func} in {node}")
    return operation(*map(walk, node.args))


def _power(node: sp.Pow, walk: Callable[[Any], Any], arithmetic: Arithmetic) -> Any:
    base, exponent = walk(node.base), node.exp
    if exponent.is_Integer:
        value = base ** abs(int(exponent))
    elif isinstance(exponent, sp.Rational) and exponent.q == 2:
        value = arithmetic.functions[sp.sqrt](base) ** abs(exponent.p)
    elif not exponent.is_number:
        return base ** walk(exponent)
    else:
        raise LoweringError(f"only integer, half-integer and symbolic powers are lowered, not {node}")
    return 1 / value if exponent.is_negative else value


def _torch_total(
    body: Callable[[Mapping[str, Any]], Any], environment: Mapping[str, Any], vectors: set[str]
) -> torch.Tensor:
    lifted = {
        name: value if name in vectors or not isinstance(value, torch.Tensor) else value.unsqueeze(-1)
        for name, value in environment.items()
    }
    return body(lifted).sum(dim=-1)


def _sequence_total(body: Callable[[Mapping[str, Any]], Any], environment: Mapping[str, Any], vectors: set[str]) -> Any:
    lengths = {len(environment[name]) for name in vectors}
    if len(lengths) != 1:
        raise LoweringError(f"vectors of different lengths {sorted(lengths)}: {sorted(vectors)}")
    entries = range(lengths.pop())
    terms = [body({**environment, **{name: environment[name][k] for name in vectors}}) for k in entries]
    return reduce(lambda x, y: x + y, terms)


TORCH = Arithmetic(
    number=lambda p, q: p / q,
    pi=lambda: math.pi,
    functions={
        sp.sqrt: torch.sqrt,
        sp.exp: torch.exp,
        sp.log: torch.log,
        sp.sin: torch.sin,
        sp.cos: torch.cos,
        sp.tan: torch.tan,
        sp.atan: torch.atan,
        sp.atan2: torch.atan2,
        sp.Abs: torch.abs,
        sp.Max: lambda *xs: reduce(_torch_max, xs),
        sp.Min: lambda *xs: -reduce(_torch_max, [-x for x in xs]),
    },
    total=_torch_total,
)

MPMATH = Arithmetic(
    number=lambda p, q: mpmath.mpf(p) / q,
    pi=lambda: +mpmath.pi,
    functions={
        sp.sqrt: mpmath.sqrt,
        sp.exp: mpmath.exp,
        sp.log: mpmath.log,
        sp.sin: mpmath.sin,
        sp.cos: mpmath.cos,
        sp.tan: mpmath.tan,
        sp.atan: mpmath.atan,
        sp.atan2: mpmath.atan2,
        sp.Abs: abs,
        sp.Max: max,
        sp.Min: min,
    },
    total=_sequence_total,
)


def _torch_max(x: Any, y: Any) -> torch.Tensor:
    if not isinstance(x, torch.Tensor):
        return torch.clamp(y, min=x)
    if not isinstance(y, torch.Tensor):
        return torch.clamp(x, min=y)
    return torch.maximum(x, y)


def _check(formula: Formula, values: Mapping[str, Any]) -> None:
    missing = [name for name in formula.arguments if name not in values]
    if missing:
        raise LoweringError(f"{formula.name} needs a value for {', '.join(missing)}")


def to_torch(formula: Formula, **values: torch.Tensor | float) -> torch.Tensor:
    """The formula on a batch: tensors of one shape ``(...)`` (vectors ``(..., d-1)``), on their device.

    Numbers alone are taken as float64.
    """
    _check(formula, values)
    if not any(isinstance(x, torch.Tensor) for x in values.values()):
        values = {name: torch.as_tensor(x, dtype=torch.float64) for name, x in values.items()}
    value = evaluate(formula.closed, values, TORCH)
    return value if isinstance(value, torch.Tensor) else torch.as_tensor(value, dtype=torch.float64)


def to_mpmath(formula: Formula, **values: Any | Sequence[Any]) -> Any:
    """The formula in mpmath at the current working precision; vectors are sequences of ``mpf``."""
    _check(formula, values)
    return evaluate(formula.closed, values, MPMATH)
