"""Which symbols depend on which: through definitions, along a flow, and on random vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from theory.kernel.step import Derivation, Step, parts


def letters(*statements: Any) -> set[str]:
    """The names of the scalars, vectors and matrices in statements or expressions."""
    return {str(s) for statement in statements for s in sp.sympify(statement).atoms(sp.Symbol, MatrixSymbol)}


def name_of(symbol: Any) -> str:
    """The name of a symbol, of the family where it is a member of one."""
    return str(symbol.base if isinstance(symbol, sp.Indexed) else symbol)


def dependents(statements: Iterable[sp.Basic], names: set[str]) -> set[str]:
    """The symbols that equations ``symbol = expression`` among the statements make depend on ``names``."""
    ties = []
    for statement in statements:
        for part in parts(statement):
            if isinstance(part, sp.Equality):
                for one, other in (part.args, part.args[::-1]):
                    if isinstance(one, (sp.Symbol, sp.Indexed, MatrixSymbol)):
                        ties.append((name_of(one), letters(other)))
    found: set[str] = set()
    while True:
        new = {name for name, inside in ties if name not in names | found and inside & (names | found)}
        if not new:
            return found
        found |= new


def restrictions(statements: Iterable[sp.Basic], variable: sp.Symbol) -> list[sp.Basic]:
    """What is said of a variable beside that it is not negative, and beside names for what depends on it."""
    found = [part for statement in statements for part in parts(statement) if variable in part.free_symbols]
    return [part for part in found if not _names(part, variable) and not _not_negative(part, variable)]


def _names(part: sp.Basic, variable: sp.Symbol) -> bool:
    symbols = (sp.Symbol, sp.Indexed, MatrixSymbol)
    return isinstance(part, sp.Equality) and isinstance(part.args[0], symbols) and part.args[0] != variable


def _not_negative(part: sp.Basic, variable: sp.Symbol) -> bool:
    return isinstance(part, (sp.LessThan, sp.StrictLessThan)) and part.args == (0, variable)


@dataclass
class Motion:
    """What a derivation takes the symbols to mean: rates of what moves, values at the start, random vectors."""

    rates: dict[Any, Any] = field(default_factory=dict)
    starts: dict[Any, Any] = field(default_factory=dict)
    variances: dict[Any, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def rate(self, symbol: Any, rate: Any) -> None:
        """``rate`` is the derivative of ``symbol``: of nothing else, and it has no other."""
        owner = next((s for s, r in self.rates.items() if r == rate and s != symbol), None)
        if owner is not None and isinstance(rate, (sp.Symbol, MatrixSymbol)):
            self.faults.append(f"{rate} is the rate of {owner} and of {symbol}")
        self._note(self.rates, symbol, rate, "the rate of")

    def start(self, symbol: Any, value: Any) -> None:
        """``value`` is what ``symbol`` is at the start."""
        self._note(self.starts, symbol, value, "the start of")

    def variance(self, vector: Any, value: Any) -> None:
        """``vector`` is random, with this variance of an entry."""
        self._note(self.variances, vector, value, "the variance of")

    def _note(self, known: dict[Any, Any], symbol: Any, value: Any, what: str) -> None:
        if known.setdefault(symbol, value) != value:
            self.faults.append(f"{what} {symbol} is {known[symbol]} in one step and {value} in another")


def motion(derivation: Derivation, derivations: Mapping[str, Derivation], above: tuple[str, ...] = ()) -> Motion:
    """The meaning of the symbols in a derivation and in those that it applies; ``faults`` where it is not one."""
    found = Motion()
    for step in derivation.steps:
        rule: Any = step.rule
        kind = type(rule).__name__
        if kind in ("Differentiate", "AverageRate", "Along", "Accumulated"):
            for symbol, rate in rule.rates.items():
                if rate not in (0, 1):
                    found.rate(symbol, rate)
            for symbol, value in getattr(rule, "start", {}).items():
                found.start(symbol, value)
        elif kind == "Accumulated":
            for symbol, rate in rule.rates.items():
                found.rate(symbol, rate)
                found.start(symbol, rule.start.get(symbol))
        elif kind == "Comparison":
            found.rate(rule.value, rule.rate)
            found.start(rule.value, rule.start)
        elif kind == "AtStart":
            for symbol, value in {**rule.start, rule.symbol: step.says.args[0]}.items():
                found.start(symbol, value)
        elif kind in ("Wick", "MatrixWick"):
            for vector, variance in rule.variances.items():
                found.variance(vector, variance)
        elif kind == "Envelope":
            for symbol, rate in list(found.rates.items()):
                if symbol in rule.at and rate in rule.at:
                    found.rate(rule.at[symbol], rule.at[rate])
        elif kind in ("Apply", "Hypothetical") and rule.uses not in above:
            _applied(found, step, derivations, (*above, derivation.claim))
    return found


def _applied(found: Motion, step: Step, derivations: Mapping[str, Derivation], above: tuple[str, ...]) -> None:
    rule: Any = step.rule
    other = derivations.get(rule.uses)
    if other is None or rule.uses in above:
        return
    inner = motion(other, derivations, above)
    said = letters(step.says, *rule.at)
    for symbol, rate in inner.rates.items():
        if letters(rate) & said or letters(_put(rate, rule.at)) & said:
            found.rate(_put(symbol, rule.at), _put(rate, rule.at))
    for symbol, value in inner.starts.items():
        if _put(value, rule.at) != value or letters(value) & said:
            found.start(_put(symbol, rule.at), _put(value, rule.at))
    for vector, variance in inner.variances.items():
        if _put(vector, rule.at) != vector:
            found.faults.append(f"{vector} is random in {rule.uses}: step {step.id} cannot replace it")
        found.variance(vector, _put(variance, rule.at))


def _put(expr: Any, at: Mapping[Any, Any]) -> Any:
    return sp.sympify(expr).xreplace(dict(at))


def motion_faults(derivation: Derivation, derivations: Mapping[str, Derivation]) -> list[str]:
    """Symbols that have two meanings, or that move and are taken as constant."""
    found = motion(derivation, derivations)
    faults = list(found.faults)
    defined = [s.says for s in derivation.steps if s.rule.kind in ("definition", "choice")]
    origins = [*derivation.given().values(), *defined]
    names = {name_of(s) for s in found.rates}
    means = [p.args[0] for o in origins for p in parts(o) if type(p).__name__ in ("MeanOf", "AttentionMean")]
    moving = names | {name_of(m) for m in means} if names else set()
    moving |= dependents(origins, moving)
    known = {**derivation.given(), **{s.id: s.says for s in derivation.steps}}
    for step in derivation.steps:
        rule: Any = step.rule
        kind = type(rule).__name__
        if kind in ("Differentiate", "AverageRate") and 1 not in rule.rates.values() and step.premises:
            still = letters(known.get(step.premises[0], sp.true)) & moving - {name_of(s) for s in rule.rates}
            faults += [f"step {step.id} takes {name} as constant, and it moves" for name in sorted(still)]
            loose = [r for r in rule.rates.values() if r != 0 and not isinstance(r, (sp.Symbol, MatrixSymbol))]
            faults += [f"step {step.id} takes the rate {rate} for granted" for rate in loose]
        if kind == "Accumulated":
            own = {name_of(s) for s in (rule.variable, *rule.rates)}
            faults += [
                f"step {step.id} takes {name} as constant, and it moves"
                for name in sorted(letters(step.says, *rule.start.values(), *rule.end.values()) & moving - own)
            ]
        if kind == "AtStart":
            still = letters(*step.says.args[1:]) & moving
            faults += [f"step {step.id} takes {name} as constant, and it moves" for name in sorted(still)]
        if kind == "Comparison" and step.premises:
            sides = [*step.says.args[1:], *known.get(step.premises[0], sp.true).args[1:], rule.start]
            still = letters(*sides) & moving - {name_of(rule.value)}
            faults += [f"step {step.id} takes {name} as constant, and it moves" for name in sorted(still)]
    return faults
