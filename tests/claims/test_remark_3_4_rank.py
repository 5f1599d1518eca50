"""remark-3.4/rank: the mean drift of random adapters depends on rank only through ||s||²."""

import pytest
import torch

from proofs_checks import rank
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("remark-3.4/rank")
CLAIM = CLAIMS["remark-3.4/rank"]


def test_holds_and_five_percent_off_is_refuted(tmp_path) -> None:
    row = rank.rank_row(CLAIM, Run(Store(tmp_path), seed=3))
    assert row["verdict"] == "supported", row
    assert row["controls"] == {"mean (5 %)": True}


def test_a_wrong_power_of_d_is_seen() -> None:
    chosen = rank.CONFIGURATIONS[0]
    drifts = rank.measured_drifts(chosen, 20_000, seed=1)
    wrong = rank.predicted_mean(chosen, CLAIM.formulas[0]) * len(chosen.levels)
    assert abs(float(drifts.mean()) - wrong) > rank.Z * float(drifts.std() / len(drifts) ** 0.5)


def test_measured_drift_is_the_leading_term_for_small_adapters() -> None:
    # b = η Σ_k s_k (v_k)_1 (u_k)_⊥ by hand, from the same random numbers.
    chosen, draws = rank.CONFIGURATIONS[1], 200
    d, r = len(chosen.levels), len(chosen.weights)
    generator = torch.Generator().manual_seed(9)
    left, right = torch.randn(2, draws, r, d, generator=generator, dtype=torch.float64) / d**0.5
    s = torch.tensor(chosen.weights, dtype=torch.float64)
    b = (s[:, None] * right[:, :, :1] * left).sum(dim=1)[:, 1:]
    levels = torch.tensor(chosen.levels, dtype=torch.float64)
    expected = ((b / (levels[0] - levels[1:])) ** 2).sum(dim=1)
    assert torch.allclose(rank.measured_drifts(chosen, draws, seed=9), expected, rtol=1e-3)
