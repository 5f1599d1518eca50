"""What the tokens of one instance do: limits and rates, proved from a validated integration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from flint import arb, arb_mat

from numerics.enclosure.balls import NotANumber, Vector, bounds, dot, exact_matrix, precision, rational, sign
from numerics.enclosure.decision import Decision
from numerics.enclosure.field import Field
from numerics.enclosure.limits import Target, limit_signs, target
from numerics.enclosure.segments import NotEnclosed, State, integrate, start
from numerics.enclosure.spectrum import NotSeparated
from proofs_checks.certify.lowering import evaluate
from proofs_checks.certify.quantities import Quantities, tangent
from proofs_checks.instance_file import Instance
from theory import prop_3_3
from theory.formula import Formula

MOST_TOKENS, MOST_DIMENSIONS, HORIZON = 4, 3, Fraction(20)
LIMIT_BITS = (64, 128, 256, 512)
RATES: dict[str, Formula] = {
    "rate-dominant": prop_3_3.TAN_ANGLE_BOUND,
    "rate-gap": prop_3_3.TAN_ANGLE_BOUND_GAP_ONLY,
}
"""Statements ``ϑ(T) <= bound`` about the base flow at the instance's time T."""


@dataclass(frozen=True)
class Motion:
    """What was found about one flow.

    ``flow``: ``base`` or ``perturbed``. ``signs``: the limit of each token, 1 for u and -1 for -u (u: u1, or ũ1 on the
    side of u1), None where unsettled. ``states``: the enclosures that show it. ``lower``, ``upper``: of the margin of a
    rate.
    """

    name: str
    flow: str
    decision: Decision
    bits: int = 0
    signs: tuple[int, ...] | None = None
    states: tuple[State, ...] = ()
    lower: Fraction | None = None
    upper: Fraction | None = None
    reason: str = ""


@dataclass
class Mover:
    """Limits and rates of one instance; what is computed once serves all claims."""

    instance: Instance
    _found: dict[str, Motion] = field(default_factory=dict)

    def motion(self, name: str) -> Motion:
        """``limit-base``, ``limit-perturbed`` (do all tokens go to +u1, to +ũ1), or a name of :data:`RATES`."""
        if name not in self._found:
            compute = self._rate if name in RATES else self._limit
            self._found[name] = compute(name)
        return self._found[name]

    def _small(self) -> str:
        n, d = len(self.instance.X0 or ()), self.instance.d
        if n > MOST_TOKENS or d > MOST_DIMENSIONS:
            return f"n = {n}, d = {d}: tokens are integrated for n <= {MOST_TOKENS} and d <= {MOST_DIMENSIONS} only"
        return ""

    def _limit(self, name: str) -> Motion:
        flow = name.removeprefix("limit-")
        reason = ""
        for bits in LIMIT_BITS:
            with precision(bits):
                try:
                    return self._limit_at(name, flow, bits)
                except (NotSeparated, NotANumber, NotEnclosed) as error:
                    reason = str(error)
        return Motion(name, flow, Decision.UNDECIDED, LIMIT_BITS[-1], reason=reason)

    def _limit_at(self, name: str, flow: str, bits: int) -> Motion:
        quantities = Quantities(self.instance)
        spectrum = quantities.base if flow == "base" else quantities.perturbed
        if spectrum.leading_kind != "simple":
            return Motion(
                name, flow, Decision.DEGENERATE, bits, reason=f"the leading eigenvalue is {spectrum.leading_kind}"
            )
        aim = target(spectrum, quantities.u)
        attention = exact_matrix(self._attention(flow))
        begin = start(quantities.tokens)
        signs = limit_signs(aim, begin.balls(), arb_mat(attention))
        states = [begin]
        if signs is None:
            small = self._small()
            if small:
                return Motion(name, flow, Decision.UNDECIDED, bits, reason=small)
            states, signs = self._follow(aim, Field(attention, spectrum.matrix), begin, bits)
        if signs is None:
            raise NotEnclosed(f"the tokens are not settled at time {states[-1].time}")
        decision = Decision.PROVED_TRUE if all(s == 1 for s in signs) else Decision.PROVED_FALSE
        return Motion(name, flow, decision, bits, tuple(signs), tuple(states))

    def _follow(self, aim: Target, flow: Field, begin: State, bits: int) -> tuple[list[State], list[int] | None]:
        def settled(state: State) -> bool:
            return limit_signs(aim, state.balls(), arb_mat(flow.A)) is not None

        states = integrate(flow, begin, self.instance.T or HORIZON, settled, bits)
        return states, limit_signs(aim, states[-1].balls(), arb_mat(flow.A))

    def _rate(self, name: str) -> Motion:
        if self.instance.T is None:
            return Motion(name, "base", Decision.UNDECIDED, reason="the instance has no T")
        small = self._small()
        if small:
            return Motion(name, "base", Decision.UNDECIDED, reason=small)
        reason = ""
        for bits in LIMIT_BITS:
            with precision(bits):
                try:
                    quantities = Quantities(self.instance)
                    flow = Field(exact_matrix(self._attention("base")), quantities.V)
                    states = integrate(flow, start(quantities.tokens), self.instance.T, bits=bits)
                    margin = rate_margin(name, quantities, states[-1])
                    found = sign(margin)
                except (NotSeparated, NotANumber, NotEnclosed) as error:
                    reason = str(error)
                    continue
                if found:
                    decision = Decision.PROVED_TRUE if found == 1 else Decision.PROVED_FALSE
                    return Motion(name, "base", decision, bits, None, tuple(states), *bounds(margin))
                reason = "the margin's ball holds zero (the bound may be attained)"
        return Motion(name, "base", Decision.UNDECIDED, LIMIT_BITS[-1], reason=reason)

    def _attention(self, flow: str) -> Sequence[Sequence[Fraction]]:
        if flow == "perturbed":
            return self.instance.perturbed_attention()
        return self.instance.V if self.instance.A is None else self.instance.A


def rate_margin(name: str, quantities: Quantities, state: State) -> arb:
    """``bound - ϑ`` at the time of the state, about u1. A token outside the open hemisphere has ϑ = ∞, margin -1."""
    tokens: list[Vector] = state.balls()
    overlaps = [dot(x, quantities.u) for x in tokens]
    if any(p < 0 for p in overlaps):
        return arb(-1)
    values = quantities.values | {"t": arb(rational(state.time)), "tan_max_angle_0": quantities.tan_max_angle}
    return evaluate(RATES[name], values) - tangent(tokens, quantities.u)
