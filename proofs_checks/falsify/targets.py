"""What a search tries to break: a claim as stated, made stronger, with another formula, or without an assumption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp

from proofs_checks.checks import prop_3_3 as checks_3_3
from proofs_checks.checks.check import Check, Compare, Confirm
from proofs_checks.errors import InputError
from proofs_checks.falsify.expression import parse
from proofs_checks.registry import CHECKS
from theory import prop_3_3
from theory.claims import CLAIMS
from theory.formula import Formula, Tightening
from theory.symbols import SYMBOL_ASSUMPTIONS


@dataclass(frozen=True)
class Target:
    """One form of a claim that is searched for a violation.

    ``families``: sources of instances that meet every assumption that is not dropped. ``compare``, ``confirm``: as in
    a check.
    """

    claim: str
    form: str
    formula: Formula
    families: tuple[str, ...]
    compare: Compare
    confirm: Confirm


@dataclass(frozen=True)
class Relaxation:
    """A claim without one assumption: where such instances come from and how they are read.

    The other hypotheses are the claim's own.
    """

    families: tuple[str, ...]
    formula: Formula
    compare: Compare
    confirm: Confirm


def _criterion_without(hemisphere: bool, symmetric: bool) -> Relaxation:
    """Convergence to ũ1 where one of the two is dropped: broken where every token ends on the far side of ũ1."""

    def enough(v: dict[str, Any], gamma: float) -> bool:
        return gamma > checks_3_3.needed_overlap(v) if hemisphere else True

    def compare(batch: Any, measured: Any, formula: Formula) -> Any:
        applies = (checks_3_3.predict(prop_3_3.SHARP_CRITERION_MARGIN, batch) > 0) & batch.symmetric_base
        applies = applies & (batch.planted["dominant_gap"] > 0)
        if symmetric:
            applies = applies & batch.symmetric_update
        if hemisphere:
            needed = checks_3_3.predict(prop_3_3.HEMISPHERE_NEEDED, batch)
            applies = applies & (checks_3_3.cos_outer(batch) > needed)
        return checks_3_3.far_side(batch, measured, formula, applies)

    def confirm(instance: Any, formula: Formula) -> Any:
        def applies(v: dict[str, Any]) -> bool:
            kinds = v["symmetric"] if symmetric else v["symmetric_base"]
            if not kinds or not v["dominant_gap"] > 0 or not v["dominant_gap"] + v["a"] > v["E_norm"]:
                return False
            return enough(v, checks_3_3.smallest_overlap(instance, v))

        return checks_3_3.confirm_far_side(instance, formula, applies)

    families = ("quoted",) if symmetric else ("quoted-nonsymmetric",)
    return Relaxation(families, prop_3_3.FAR_SIDE, compare, confirm)


RELAXATIONS: dict[tuple[str, str], Callable[[], Relaxation]] = {
    ("prop-3.3/criterion", "hemisphere"): lambda: _criterion_without(hemisphere=False, symmetric=True),
    ("prop-3.3/criterion", "symmetric-update"): lambda: _criterion_without(hemisphere=True, symmetric=False),
}
"""(claim, dropped assumption) → the model without it."""


def target(claim_id: str, drop: list[str], tighten: str | None, constant: str | None, expression: str | None) -> Target:
    """The form of the claim that is asked for. Raises :class:`InputError` for what is not built or makes no sense."""
    claim = CLAIMS[claim_id]
    if claim_id not in CHECKS:
        raise InputError(f"{claim_id} is not checked on random instances, so that there is nothing to search through")
    check: Check = CHECKS[claim_id]
    if drop:
        if tighten or expression:
            raise InputError("--drop stands alone: leave out --tighten and --replace")
        return _without(claim_id, drop)
    formula, form = claim.formulas[0], "as stated"
    if tighten is not None and expression is not None:
        raise InputError("give --tighten or --replace, not both")
    if constant is not None and tighten is None:
        raise InputError("--constant names what --tighten makes stronger: give both")
    if tighten is not None:
        formula, form = _tightened(claim_id, tighten, constant)
    if expression is not None:
        names = {name: sp.Symbol(name, **SYMBOL_ASSUMPTIONS[name]) for name in formula.arguments}
        formula = replace(formula, expr=parse(expression, names), where=())
        form = f"{formula.name} replaced by {expression}"
    return Target(claim_id, form, formula, check.families, check.compare, check.confirm)


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


def _without(claim_id: str, drop: list[str]) -> Target:
    claim = CLAIMS[claim_id]
    for name in drop:
        if name not in claim.assumptions:
            raise InputError(f"{claim_id} does not assume {name!r}; it assumes {', '.join(claim.assumptions)}")
    known = [a for c, a in RELAXATIONS if c == claim_id]
    if len(drop) != 1 or drop[0] not in known:
        built = f"built are {', '.join(known)}, one at a time" if known else "none is built for this claim"
        raise InputError(f"{claim_id} without {' and '.join(drop)}: this model is not built; {built}")
    found = RELAXATIONS[claim_id, drop[0]]()
    return Target(claim_id, f"without {drop[0]}", found.formula, found.families, found.compare, found.confirm)
