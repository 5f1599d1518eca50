"""Laws of the adapters: covariances, projections, correlation over layers, means, reproducibility."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from numerics.adapters import Adapter, AdapterLaw

B, D = 40_000, 3


def drawn(law: AdapterLaw, layers: int, batch: int = B, d: int = D, seed: int = 0) -> list[torch.Tensor]:
    stream = law.layers(batch, d, torch.Generator().manual_seed(seed))
    return [a.to_dense(batch, d) for a in islice(stream, layers)]


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 1.5, -0.3)])
def test_entries_are_uncorrelated_with_the_stated_variance(weights: tuple[float, ...]) -> None:
    (update,) = drawn(AdapterLaw(weights=weights, scale=0.7), 1)
    flat = update.reshape(B, -1)
    variance = 0.7**2 * sum(w * w for w in weights) / D**2
    covariance = flat.mT @ flat / B
    assert torch.allclose(covariance, variance * torch.eye(D * D, dtype=torch.float64), atol=8 * variance * 3 / B**0.5)
    assert float(flat.mean(dim=0).abs().max()) < 6 * (variance / B) ** 0.5


def test_random_layers_are_independent_and_tied_layers_are_one() -> None:
    first, second = drawn(AdapterLaw(), 2)
    assert abs(float((first * second).mean())) < 6 / D**2 / B**0.5
    first, second, third = drawn(AdapterLaw("tied"), 3)
    assert torch.equal(first, second)
    assert torch.equal(first, third)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
def test_ar1_is_stationary_with_geometric_correlation(rho: float) -> None:
    layers = drawn(AdapterLaw("ar1", correlation=rho), 4)
    for lag in range(4):
        found = float((layers[0] * layers[lag]).mean()) * D**2
        assert found == pytest.approx(rho**lag, abs=0.02)
    assert float(layers[3].square().mean()) * D**2 == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("kind", ["random", "tied", "ar1"])
@pytest.mark.parametrize("m", [1, 2])
def test_projected_factors_vanish_on_the_frame_exactly(kind, m: int) -> None:
    frame = torch.linalg.qr(torch.randn(4, m, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    law = AdapterLaw(kind, (1.0, 0.5), off=frame, correlation=0.5 if kind == "ar1" else 0.0)
    for update in drawn(law, 2, batch=50, d=4):
        assert float((update @ frame).abs().max()) < 1e-14
        assert float((frame.mT @ update).abs().max()) < 1e-14
        assert float(update.abs().amax(dim=(1, 2)).min()) > 1e-6


@pytest.mark.parametrize("kind", ["random", "tied", "ar1"])
def test_mean_is_added_once_and_unscaled(kind) -> None:
    mean = torch.arange(9.0, dtype=torch.float64).reshape(3, 3)
    plain, moved = (drawn(AdapterLaw(kind, scale=1e-3, mean=m), 3, batch=20) for m in (None, mean))
    for one, other in zip(plain, moved, strict=True):
        assert torch.allclose(other - one, mean.expand(20, 3, 3), atol=1e-14)


def test_equal_seeds_equal_adapters_and_other_seeds_others() -> None:
    first, again, other = (drawn(AdapterLaw(), 3, batch=5, seed=s) for s in (1, 1, 2))
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(first, other, strict=True))


def test_apply_is_the_dense_product() -> None:
    (update,) = drawn(AdapterLaw(weights=(1.0, 2.0)), 1, batch=6)
    stream = AdapterLaw(weights=(1.0, 2.0)).layers(6, D, torch.Generator().manual_seed(0))
    m = torch.randn(6, 5, D, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    assert torch.allclose(next(stream).apply(m), m @ update.mT, atol=1e-15)
    assert torch.equal(Adapter().apply(m), torch.zeros_like(m))


@pytest.mark.parametrize("fields", [{"weights": ()}, {"kind": "ar1", "correlation": 1.0}, {"correlation": 0.5}])
def test_laws_that_make_no_sense_are_refused(fields: dict) -> None:
    with pytest.raises(ValueError, match=r"at least one weight|the correlation must be"):
        AdapterLaw(**fields)
