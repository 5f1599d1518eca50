"""``derive remark-3.4/expansion --instance FILE``: the perturbation series for a user's own V and ΔV."""

from __future__ import annotations

import argparse
from fractions import Fraction
from typing import Any

import sympy as sp
from mpmath import mp
from rich.table import Table

from numerics.high_precision import (
    NoRealLeadingEigenvalue,
    add,
    is_symmetric,
    leading_eigenpair,
    operator_norm,
    to_matrix,
)
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance, load_instance
from proofs_checks.output import console, document, emit_json
from proofs_checks.paper import write_files
from theory.claims import CLAIMS
from theory.expansion import IrrationalLeadingEigenvalue, leading_expansion, leading_expansion_mp
from theory.lowering import to_mpmath

CLAIM = "remark-3.4/expansion"
LARGEST_ORDER = 40
LARGEST_DIMENSION = 64
SHOWN = 20
TEX_FILE = "expansion.tex"


def run_instance(args: argparse.Namespace) -> int:
    """Compute the expansion and show it: exit 0, also for a degenerate V (an answer: there is no series)."""
    if args.claims not in ([], [CLAIM]):
        raise InputError(f"--instance goes with {CLAIM} alone")
    if args.pdf:
        raise InputError("--pdf is for the book of derivations; --instance writes expansion.tex to --out DIR")
    if not 1 <= args.order <= LARGEST_ORDER:
        raise InputError(f"--order {args.order}: give an order from 1 to {LARGEST_ORDER}")
    instance = load_instance(args.instance)
    if instance.d > LARGEST_DIMENSION:
        raise InputError(f"V is {instance.d}×{instance.d}: the expansion is written up to d = {LARGEST_DIMENSION}")
    answer = expansion_of(instance, args.order)
    emit_json(document("derive", args.seed, claim=CLAIM, order=args.order, **answer), args.json)
    out = console(args.json)
    if answer["degenerate"]:
        out.print(f"no expansion: {answer['degenerate']}", markup=False)
        return 0
    out.print(_table(answer))
    for name in ("measured", "sum", "error", "bound"):
        if answer[name] is not None:
            out.print(f"{_WORDS[name]}: {answer[name]}", markup=False)
    for note in answer["notes"]:
        out.print(note, markup=False)
    if args.out is not None:
        (path,) = write_files(args.out, {TEX_FILE: tex(answer)})
        out.print(f"wrote {path}", markup=False)
    return 0


_WORDS = {
    "measured": "leading eigenvalue of V + ΔV",
    "sum": "sum of the series at ε = 1",
    "error": "difference",
    "bound": "bound of the difference (remark-3.4/expansion)",
}


_NOISE = mp.mpf(10) ** (-1.5 * SHOWN)
_NONE = {"degenerate": None, "values": [], "vectors": [], "exact": None, "notes": []}


def expansion_of(instance: Instance, order: int) -> dict[str, Any]:
    """The series of the leading eigenpair of V + ε ΔV, its sum at ε = 1, and the error with its bound.

    Coefficients are exact fractions where the leading eigenvalue of V is rational, else decimal with 20 digits.
    """
    V, dV = ([list(row) for row in matrix] for matrix in (instance.V, instance.dV))
    notes: list[str] = []
    try:
        try:
            found, exact = leading_expansion(V, dV, order), True
        except IrrationalLeadingEigenvalue:
            notes.append("the leading eigenvalue of V is irrational: decimal coefficients, to 20 digits")
            found, exact = leading_expansion_mp(V, dV, order, 2 * SHOWN), False
            if abs(mp.im(found.values[0])) > _NOISE * abs(found.values[0]):
                return {**_NONE, "degenerate": "the leading eigenvalue of V is complex"}
    except (ZeroDivisionError, ValueError) as error:
        return {**_NONE, "degenerate": str(error)}
    with mp.workdps(2 * SHOWN):
        numbers = [_mp(x) for x in found.values]
        total = mp.fsum(numbers)
        bound, why = _bound(instance, order)
        total_matrix = add(instance.V, instance.dV)
        try:
            measured = leading_eigenpair(to_matrix(total_matrix), is_symmetric(total_matrix)).value
        except NoRealLeadingEigenvalue:
            measured = None
            notes.append("the leading eigenvalue of V + ΔV is complex: the series cannot converge to it")
        if why:
            notes.append(why)
        return {
            "degenerate": None,
            "exact": exact,
            "normalisation": "<l, x> = 1 with the left eigenvector l of V (for symmetric V: <x, u1> = <u1, u1>)",
            "values": [_text(x) for x in found.values],
            "vectors": [[_text(x) for x in vector] for vector in found.vectors],
            "left": [_text(x) for x in found.left],
            "sum": mp.nstr(total, SHOWN),
            "measured": None if measured is None else mp.nstr(measured, SHOWN),
            "error": None if measured is None else mp.nstr(abs(measured - total), 6),
            "bound": None if bound is None else mp.nstr(bound, 6),
            "notes": notes,
        }


def _bound(instance: Instance, order: int) -> tuple[Any, str]:
    """The error bound of the claim, and why it does not apply where it does not."""
    if not (is_symmetric(instance.V) and is_symmetric(instance.dV)):
        return None, "the error bound is stated for symmetric V and ΔV"
    levels = sorted(mp.eigsy(to_matrix(instance.V), eigvals_only=True), reverse=True)
    norm = operator_norm(to_matrix(instance.dV))
    gap = levels[0] - levels[1]
    share = 2 * norm / gap
    if share >= 1:
        return None, f"q = 2||ΔV||/gap = {mp.nstr(share, 6)} is not below 1: the series need not converge"
    return to_mpmath(CLAIMS[CLAIM].formulas[0], gap=gap, dV_norm=norm, order=mp.mpf(order)), ""


def _mp(value: Any) -> Any:
    if isinstance(value, Fraction):
        return mp.mpf(value.numerator) / value.denominator
    if isinstance(value, (sp.Rational, sp.Integer)):
        return mp.mpf(int(value.p)) / int(value.q)
    return mp.re(value)  # an eigensolver leaves imaginary parts of rounding


def _text(value: Any) -> str:
    if isinstance(value, (Fraction, int)):
        return str(value)
    if isinstance(value, sp.Rational):
        return str(value)
    return "0" if abs(value) < _NOISE else str(mp.nstr(mp.re(value), SHOWN))


def _table(answer: dict[str, Any]) -> Table:
    result = Table(box=None, pad_edge=False)
    result.add_column("k", justify="right")
    result.add_column("λ1^(k)", overflow="fold")
    result.add_column("x^(k)", overflow="fold")
    for k, (value, vector) in enumerate(zip(answer["values"], answer["vectors"], strict=True)):
        result.add_row(str(k), value, "(" + ", ".join(vector) + ")")
    return result


def tex(answer: dict[str, Any]) -> str:
    """The expansion as LaTeX."""
    rows = []
    for k, (value, vector) in enumerate(zip(answer["values"], answer["vectors"], strict=True)):
        entries = r",\ ".join(_number(x) for x in vector)
        rows.append(rf"\item $\lambda^{{({k})}}={_number(value)}$, $x^{{({k})}}=({entries})^\top$" + "\n")
    head = (
        "% written by `loraproofs derive remark-3.4/expansion --instance FILE --out DIR`\n"
        r"\paragraph{Leading eigenpair of $V+\varepsilon\,\Delta V$.} "
        r"$\tilde\lambda_1=\sum_k\varepsilon^k\lambda^{(k)}$, $\tilde u_1\propto\sum_k\varepsilon^kx^{(k)}$, "
        r"normalised by the left eigenvector $\ell$ of $V$: $\langle\ell,x\rangle=1$."
    )
    tail = f"% sum at 1: {answer['sum']}; measured: {answer['measured']}; bound of the error: {answer['bound']}\n"
    return head + "\n\\begin{itemize}\n" + "".join(rows) + "\\end{itemize}\n" + tail


def _number(text: str) -> str:
    if "/" in text:
        top, bottom = text.split("/")
        sign = "-" if top.startswith("-") else ""
        return rf"{sign}\tfrac{{{top.lstrip('-')}}}{{{bottom}}}"
    mantissa, _, power = text.partition("e")
    return rf"{mantissa}\cdot10^{{{int(power)}}}" if power else text
