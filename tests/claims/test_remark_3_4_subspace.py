"""remark-3.4/subspace (open): what removing the small-gap directions buys, on average and not always."""

import pytest
import torch

from proofs_checks import subspace
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("remark-3.4/subspace")
CLAIM = CLAIMS["remark-3.4/subspace"]


def test_mean_drift_left_is_that_of_the_leading_term() -> None:
    # b is isotropic, so each direction contributes in proportion to 1/g_j², and a removed one nothing.
    gaps = subspace.LEVELS[0] - torch.tensor(subspace.LEVELS[1:], dtype=torch.float64)
    weight = gaps**-2
    small = float(weight[subspace.REMOVED :].sum() / weight.sum())
    rest = weight[subspace.REMOVED :]
    others = 1 - float(subspace.REMOVED / len(rest) * rest.sum() / weight.sum())
    found = subspace.measured_drifts(20_000, seed=4)
    assert found.left == pytest.approx((small, others), rel=0.1)
    assert found.share > 0.9


def test_not_for_every_update() -> None:
    # ΔV couples u1 to a direction of large gap alone: the small-gap directions have no part in the drift.
    d = len(subspace.LEVELS)
    update = torch.zeros(1, d, d, dtype=torch.float64)
    update[0, 0, 5] = update[0, 5, 0] = 0.01
    small, other = torch.zeros(2, 1, d, dtype=torch.bool)
    small[0, 1:3] = True
    other[0, 5] = True
    value = torch.diag(torch.tensor(subspace.LEVELS, dtype=torch.float64))
    whole, without_small, without_other = (
        float(subspace._drift(value, x))
        for x in (update, subspace._projected(update, small), subspace._projected(update, other))
    )
    assert without_small == pytest.approx(whole, rel=1e-12)
    assert without_other < 1e-20


def test_the_row_is_open_and_says_what_was_found(tmp_path) -> None:
    row = subspace.subspace_row(CLAIM, Run(Store(tmp_path)))
    assert row["verdict"] == "open"
    assert row["met"]
    assert "Not for every" in row["finding"]
