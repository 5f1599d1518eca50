"""prop-3.3/layered: untied layers that share u1 contract at any step; a common cone is invariant."""

import pytest
import torch

from proofs_checks.untied import compare, confirm, sample
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("prop-3.3/layered")
CLAIM = CLAIMS["prop-3.3/layered"]


@pytest.mark.parametrize(("n", "d", "seed"), [(1, 2, 0), (4, 3, 1), (8, 8, 2)])
def test_holds_and_the_common_cone_is_invariant(n, d, seed) -> None:
    tokens, cone = compare(sample(n, d, 60, seed), CLAIM.formulas[0])
    assert int(tokens.nonvacuous.sum()) == 40
    assert int(cone.nonvacuous.sum()) == 20
    assert not bool(tokens.candidate.any())
    assert not bool(cone.candidate.any())


def test_attained_in_a_plane_and_one_percent_stronger_is_refuted() -> None:
    batch = sample(2, 3, 60, 4)
    stated, _ = compare(batch, CLAIM.formulas[0])
    assert float(stated.ratio[0]) == pytest.approx(1, abs=1e-12)
    for tightening in CLAIM.tightenings:
        found, _ = compare(batch, tightening.apply(0.01))
        rows = torch.nonzero(found.candidate).flatten().tolist()
        assert rows, tightening.name
        assert confirm(batch, rows[0], float(found.bound[rows[0]]))
        assert not confirm(batch, rows[0], float(stated.bound[rows[0]]))


def test_one_layer_by_hand() -> None:
    # V = diag(λ1, κ): tan is multiplied by (1 + hκ)/(1 + hλ1), whatever h.
    batch = sample(1, 2, 6, 0)
    by_hand = batch["tan_0"]
    for k in range(len(batch["h"])):
        by_hand = by_hand * (1 + batch["h"][k] * batch["kappa"][k]) / (1 + batch["h"][k] * batch["lambda_1"][k])
    observed = compare(batch, CLAIM.formulas[0])[0].observed
    assert observed[0] == pytest.approx(float(by_hand[0]), rel=1e-12)
