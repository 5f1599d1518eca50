"""What every claim's property test does: draw instances, compare, confirm, and count those that say something."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, find, given, settings

from proofs_checks.checks.comparison import Comparison
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.instance_file import Instance
from proofs_checks.ledger import shipped_counterexample
from proofs_checks.measurement import Measured
from proofs_checks.registry import CHECKS
from proofs_checks.sampler import Batch, realise_one
from proofs_checks.sources import instance_of
from proofs_checks.spec import Family, InstanceSpec
from proofs_checks.strategies import instances, specs
from theory.claims import CLAIMS
from theory.formula import Formula

SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


def compare(claim_id: str, batch: Batch, formula: Formula | None = None) -> tuple[Comparison, ...]:
    """The readings of a claim on a batch, with its own formula or another."""
    chosen = formula or CLAIMS[claim_id].formulas[0]
    return tuple(c.flattened() for c in CHECKS[claim_id].compare(batch, Measured(batch), chosen))


def confirm(claim_id: str, instance: Instance, formula: Formula | None = None) -> Confirmation:
    """The second look at one instance."""
    return CHECKS[claim_id].confirm(instance, formula or CLAIMS[claim_id].formulas[0])


def holds_on(claim_id: str, family: str | Family, *, examples: int = 40, **fixed: Any) -> float:
    """The share of the family's instances that say something, none of which violates the claim (AssertionError)."""
    seen = {"drawn": 0, "nonvacuous": 0}

    @settings(SETTINGS, max_examples=examples)
    @given(instances(family, **fixed))
    def property_of_claim(batch: Batch) -> None:
        readings = compare(claim_id, batch)
        seen["drawn"] += 1
        seen["nonvacuous"] += int(readings[0].nonvacuous.sum())
        for reading in readings:
            if bool(reading.candidate.any()):
                again = confirm(claim_id, instance_of(batch, 0, claim_id, "counterexample"))
                assert not again.violated, f"{reading.reading}: ratio {float(reading.ratio)}, confirmed {again}"

    property_of_claim()
    return seen["nonvacuous"] / seen["drawn"]


def smallest_refutation(claim_id: str, family: str | Family, **fixed: Any) -> tuple[InstanceSpec, Confirmation]:
    """The smallest instance of the family that hypothesis finds against the claim."""
    return _refutation(claim_id, family, None, settings(SETTINGS, max_examples=200), fixed)


def _refutation(
    claim_id: str, family: str | Family, formula: Formula | None, how: settings, fixed: dict[str, Any]
) -> tuple[InstanceSpec, Confirmation]:
    def refutes(spec: InstanceSpec) -> bool:
        return bool(compare(claim_id, realise_one(family, spec), formula)[0].candidate.any())

    spec = find(specs(family, **fixed), refutes, settings=how)
    instance = instance_of(realise_one(family, spec), 0, claim_id, "counterexample")
    return spec, confirm(claim_id, instance, formula)


def sharp_constants(claim_id: str, only: str = "") -> set[str]:
    """The names of the claim's sharp constants (those with ``only`` in them): each must be refuted 1 % stronger."""
    found = {t.name for t in CLAIMS[claim_id].tightenings if only in t.name}
    assert found, f"{claim_id} names no sharp constant {only}"
    return found


def refuted_controls(claim_id: str, family: str | Family, **fixed: Any) -> set[str]:
    """The sharp constants that, made 1 % stronger, an instance of the family refutes, and the second look agrees.

    The first instance that is found will do; to look for a smaller one takes a hundred times as long.
    """
    first = settings(SETTINGS, max_examples=200, phases=[Phase.generate])
    return {
        t.name
        for t in CLAIMS[claim_id].tightenings
        if _refutation(claim_id, family, t.apply(0.01), first, fixed)[1].violated
    }


def shipped(claim_id: str) -> tuple[Instance, Confirmation]:
    """The counterexample that the package ships, and the second look at it, which refutes the claim."""
    instance = shipped_counterexample(claim_id)
    assert instance is not None, f"no counterexample is shipped for {claim_id}"
    result = confirm(claim_id, instance)
    assert result.violated, f"the shipped counterexample no longer refutes {claim_id}: {result}"
    return instance, result
