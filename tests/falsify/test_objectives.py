"""What ascent climbs on is what the claim's check measures, by other spectra, integrators and an instance file."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from proofs_checks.falsify.gradient import OBJECTIVES, as_instance, start
from proofs_checks.falsify.targets import target
from proofs_checks.families_stability import FRACTIONS

ROWS = 10
AT = {"prop-3.1/sphere": FRACTIONS, "prop-3.1/euclidean": FRACTIONS} | {
    claim: (1 / 3, 1.0)
    for claim in ("convergence", "convergence-gap-only", "criterion", "nonsymmetric")
    for claim in (f"prop-3.3/{claim}",)
}
"""Shares of T at which a check looks; the nearest to the bound counts. The others look at T alone."""
PASSAGES = ("thm-4.6/lower", "thm-4.6/plain-riccati", "thm-4.6/upper")


@pytest.mark.parametrize("claim", OBJECTIVES)
def test_the_objective_is_what_the_check_measures(claim: str) -> None:
    chosen = target(claim, None, None, None)
    point = start(claim, 2, 3, torch.Generator().manual_seed(11))
    point = replace(point, T=0.4 * point.T)
    moments = [replace(point, T=share * point.T) for share in AT.get(claim, (1.0,))]
    ratios = torch.stack([OBJECTIVES[claim].ratio(p, chosen.formula) for p in moments])
    rows = torch.nonzero(ratios.isfinite().all(dim=0)).flatten().tolist()[:ROWS]
    assert len(rows) >= 5
    equal = 0
    for row in rows:
        result = chosen.confirm(as_instance(point, row, claim, digits=15), chosen.formula)
        assert result.applies
        found = float(ratios[:, row].max())
        assert result.ratio >= found * (1 - 1e-4)  # an angle may be passed more than once
        equal += abs(result.ratio - found) < 1e-4 * found
    assert equal >= (5 if claim in PASSAGES else len(rows))


@pytest.mark.parametrize("claim", OBJECTIVES)
def test_the_objective_has_a_gradient(claim: str) -> None:
    """Along it the ratio grows to the first order, as differences say."""
    objective, formula = OBJECTIVES[claim], target(claim, None, None, None).formula
    point = start(claim, 2, 3, torch.Generator().manual_seed(12))
    free = replace(point, V=point.V.clone().requires_grad_())
    ratio = objective.ratio(free, formula)
    known = ratio.isfinite()
    torch.where(known, ratio, 0.0).sum().backward()
    assert free.V.grad is not None
    slope = free.V.grad.nan_to_num(0.0)
    if objective.symmetric:
        slope = (slope + slope.mT) / 2
    size = slope.square().sum(dim=(1, 2)).sqrt()
    usable = known & (size > 1e-3)
    assert int(usable.sum()) >= 5
    step = 1e-6 * slope / size.clamp(min=1e-9)[:, None, None]
    moved = [objective.ratio(replace(point, V=point.V + sign * step), formula) for sign in (1, -1)]
    differences = (moved[0] - moved[1]) / 2e-6
    close = (differences - size).abs() <= 1e-3 * size
    assert float(close[usable].double().mean()) >= 0.9  # but for kinks: another token is the farthest
