"""A formula from the command line, by a whitelist of names and operators: nothing is ever evaluated as Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import sympy as sp

from proofs_checks.errors import InputError

FUNCTIONS = {
    "sqrt": sp.sqrt, "exp": sp.exp, "log": sp.log, "sin": sp.sin, "cos": sp.cos, "tan": sp.tan, "asin": sp.asin,
    "acos": sp.acos, "atan": sp.atan, "tanh": sp.tanh, "max": sp.Max, "min": sp.Min,
}  # fmt: skip
_OPERATORS = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.Pow: lambda x, y: x**y,
}
LONGEST, LARGEST_POWER, LARGEST_BITS = 1_000, 64, 10_000
_NUMBER = re.compile(r"\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,3})?")


def parse(text: str, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """The expression in these names, ``pi``, numbers, ``+ - * / **`` and :data:`FUNCTIONS`; decimals are exact.

    Raises :class:`InputError` for anything else, naming it and what is allowed.
    """
    if len(text) > LONGEST:
        raise InputError(f"the expression has {len(text)} characters: at most {LONGEST} are read")
    text = text.replace("^", "**").strip()
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f"{text!r} is no expression: write it as Python would, e.g. 2*b_norm/(gap + a)") from None
    found = _read(tree.body, text, names)
    if found.has(sp.zoo, sp.nan, sp.oo, -sp.oo):
        raise InputError(f"{text!r} divides by zero")
    return found


def _read(node: ast.AST, text: str, names: Mapping[str, sp.Expr]) -> sp.Expr:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        written = ast.get_source_segment(text, node) or ""
        if not _NUMBER.fullmatch(written):
            raise InputError(f"{written!r} is not allowed in an expression: write numbers as 12, 0.5 or 1e-6")
        return sp.Rational(written)
    if isinstance(node, ast.Name) and node.id == "pi":
        return sp.pi
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _read(node.operand, text, names)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _read(node.left, text, names), _read(node.right, text, names)
        if isinstance(node.op, ast.Pow):
            _check_power(left, right, text)
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        if len(node.args) != (2 if node.func.id in ("max", "min") else 1) or node.keywords:
            raise InputError(f"{ast.unparse(node)!r} has the wrong number of arguments")
        return FUNCTIONS[node.func.id](*(_read(x, text, names) for x in node.args))
    shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    allowed = f"names {', '.join(sorted(names))}, pi; functions {', '.join(FUNCTIONS)}; + - * / **"
    raise InputError(f"{shown!r} is not allowed in an expression; allowed are {allowed}")


def _check_power(base: sp.Expr, exponent: sp.Expr, text: str) -> None:
    if not exponent.is_number or not exponent.is_real or bool(abs(exponent) > LARGEST_POWER):
        raise InputError(f"an exponent in {text!r} is not a number up to {LARGEST_POWER}: use exp(...)")
    if isinstance(base, sp.Rational) and max(base.p.bit_length(), base.q.bit_length()) * abs(exponent) > LARGEST_BITS:
        raise InputError(f"a power in {text!r} is too large")
