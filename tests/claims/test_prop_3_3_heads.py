"""prop-3.3/heads: several heads with a common u1 contract at the sum of their rates."""

import numpy as np
import pytest
import torch

from numerics.field import AttentionField
from numerics.heads import MultiHeadField
from numerics.linear_map import LinearMap
from proofs_checks.heads import compare, confirm, sample
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("prop-3.3/heads")
CLAIM = CLAIMS["prop-3.3/heads"]


@pytest.mark.parametrize(("n", "d", "heads"), [(1, 2, 3), (2, 3, 2), (8, 4, 4)])
def test_holds(n: int, d: int, heads: int) -> None:
    found = compare(sample(n, d, heads, 40, seed=5), CLAIM.formulas[0])
    assert int(found.nonvacuous.sum()) == 40
    assert not bool(found.candidate.any())


def test_one_percent_faster_is_refuted() -> None:
    batch = sample(1, 3, 3, 40, seed=5)
    found = compare(batch, CLAIM.tightenings[0].apply(0.01))
    rows = torch.nonzero(found.candidate).flatten().tolist()
    assert confirm(batch, rows[0], float(found.bound[rows[0]]))
    assert not confirm(batch, rows[0], float(compare(batch, CLAIM.formulas[0]).bound[rows[0]]))


def test_two_equal_heads_are_one_of_twice_the_value() -> None:
    generator = torch.Generator().manual_seed(0)
    a, v = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    x = torch.nn.functional.normalize(torch.randn(3, 5, 4, generator=generator, dtype=torch.float64), dim=-1)
    one = AttentionField(LinearMap(a), LinearMap(v))
    twice = AttentionField(LinearMap(a), LinearMap(2 * v))
    t = torch.zeros(3, dtype=torch.float64)
    np.testing.assert_allclose(MultiHeadField((one, one))(t, x).numpy(), twice(t, x).numpy(), atol=1e-14)
    chosen = MultiHeadField((one, one)).select(torch.tensor([2]))
    np.testing.assert_allclose(chosen(t[:1], x[2:]).numpy(), twice(t, x)[2:].numpy(), atol=1e-14)


def test_no_heads_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        MultiHeadField(())
