"""What a search tries to break: a claim as stated, made stronger, or with another formula."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from proofs_checks.checks.check import Check, Compare, Confirm
from proofs_checks.errors import InputError
from proofs_checks.falsify.expression import parse
from proofs_checks.registry import CHECKS
from theory.claims import CLAIMS
from theory.formula import Formula, Tightening
from theory.symbols import SYMBOL_ASSUMPTIONS


@dataclass(frozen=True)
class Target:
    """One form of a claim that is searched for a violation.

    ``families``: sources of instances that meet its assumptions. ``compare``, ``confirm``: as in
    a check.
    """

    claim: str
    form: str
    formula: Formula
    families: tuple[str, ...]
    compare: Compare
    confirm: Confirm


def target(claim_id: str, tighten: str | None, constant: str | None, expression: str | None) -> Target:
    """The form of the claim that is asked for. Raises :class:`InputError` for what is not built or makes no sense."""
    claim = CLAIMS[claim_id]
    if claim_id not in CHECKS:
        raise InputError(f"{claim_id} is not checked on random instances, so that there is nothing to search through")
    check: Check = CHECKS[claim_id]
    formula, form = claim.formulas[0], "as stated"
    if tighten is not None and expression is not None:
        raise InputError("give --tighten or --replace, not both")
    if constant is not None and tighten is None:
        raise InputError("--constant names what --tighten makes stronger: give both")
    if tighten is not None:
        formula, form = _tightened(claim_id, tighten, constant)
    if expression is not None:
        known = {*formula.arguments, *_inner(formula)}
        names = {name: sp.Symbol(name, **SYMBOL_ASSUMPTIONS[name]) for name in sorted(known)}
        formula = replace(formula, expr=parse(expression, names))
        form = f"{formula.name} replaced by {expression}"
    return Target(claim_id, form, formula, check.families, check.compare, check.confirm)


def _inner(formula: Formula) -> set[str]:
    """Names of the quantities that a formula is written in, at every level."""
    return {name for f in formula.where for name in (f.name, *_inner(f))}


def _tightened(claim_id: str, amount: str, constant: str | None) -> tuple[Formula, str]:
    known = [t for t in CLAIMS[claim_id].tightenings if isinstance(t, Tightening)]
    if not known:
        raise InputError(f"{claim_id} names no sharp constant: use --replace")
    try:
        share = Fraction(amount)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"--tighten {amount}: give a number such as 0.01") from None
    if not 0 < share < 1:
        raise InputError(f"--tighten {amount}: give a number between 0 and 1 (0.01 is one per cent)")
    chosen = next((t for t in known if t.name == constant), None) if constant else known[0]
    if chosen is None:
        raise InputError(f"{claim_id} has no constant {constant!r}; it has {', '.join(repr(t.name) for t in known)}")
    return chosen.apply(sp.Integer(share.numerator) / share.denominator), f"{chosen.name} stronger by {amount}"
