"""The layered model: limits to the flow, homogenisation, masks, collapsed clouds, reproducibility."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
import torch

from numerics.adapters import AdapterLaw, Kind
from numerics.field import normalised, unshifted_limit
from numerics.flow import simulate
from numerics.layered import attention_means, collapsed_states, layered_states, recorded


def setting(batch: int, n: int, d: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tokens = normalised(torch.randn(batch, n, d, generator=generator, dtype=torch.float64))
    matrices = 0.5 * torch.randn(2, d, d, generator=generator, dtype=torch.float64)
    return tokens, matrices[0], matrices[1]


def final(tokens, attention, value, *, h, depth, **more) -> torch.Tensor:
    return recorded(layered_states(tokens, attention, value, h=h, depth=depth, **more), [depth])[:, 0]


def slope(x, y) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def flow(tokens, attention, value, time: float) -> torch.Tensor:
    batch, shape = tokens.shape[0], (tokens.shape[0], *attention.shape)
    times = torch.full((batch, 1), time, dtype=torch.float64)
    solution = simulate(tokens, attention.expand(shape), value.expand(shape), times)
    assert bool(solution.converged.all())
    return solution.states[:, 0]


def test_deep_model_tends_to_the_flow_at_first_order_in_the_step() -> None:
    tokens, attention, value = setting(3, 5, 4)
    limit, depths = flow(tokens, attention, value, 1.5), (32, 64, 128, 256)
    errors = [float((final(tokens, attention, value, h=1.5 / k, depth=k) - limit).norm(dim=2).max()) for k in depths]
    assert slope(depths, errors) == pytest.approx(-1, abs=0.05)


def test_random_adapters_homogenise_to_the_flow_with_their_mean() -> None:
    tokens, attention, value = setting(1, 4, 4, seed=3)
    mean = torch.tensor([[0.3, 0.2, 0, 0], [-0.1, 0, 0.4, 0], [0, 0, 0, 0.2], [0.5, 0, 0, -0.3]], dtype=torch.float64)
    limit, seeds, depths = flow(tokens, attention, value + mean, 1.0), 400, (64, 256, 1024)
    batch, errors = tokens.expand(seeds, -1, -1), []
    for k in depths:
        law = AdapterLaw(mean=mean, scale=2.0)
        stream = law.layers(seeds, 4, torch.Generator().manual_seed(k))
        off = final(batch, attention, value, h=1 / k, depth=k, adapters=stream) - limit
        errors.append(math.sqrt(float(off.square().sum(dim=2).mean())))
    assert slope(depths, errors) == pytest.approx(-0.5, abs=0.08)
    tied = AdapterLaw("tied", mean=mean, scale=2.0).layers(seeds, 4, torch.Generator().manual_seed(5))
    off = final(batch, attention, value, h=1 / 256, depth=256, adapters=tied) - limit
    assert math.sqrt(float(off.square().sum(dim=2).mean())) > 3 * errors[1]


def test_one_layer_by_hand_with_and_without_a_mask() -> None:
    tokens, attention, value = setting(2, 3, 3, seed=1)
    for causal in (False, True):
        (found,) = layered_states(tokens, attention, value, h=0.3, depth=1, causal=causal)
        for b in range(2):
            x = tokens[b].numpy()
            for i in range(3):
                seen = x[: i + 1] if causal else x
                weights = np.exp(seen @ (attention.numpy() @ x[i]))
                y = x[i] + 0.3 * value.numpy() @ (weights @ seen / weights.sum())
                np.testing.assert_allclose(found[b, i].numpy(), y / np.linalg.norm(y), atol=1e-14)


def test_with_a_causal_mask_later_tokens_do_not_matter() -> None:
    tokens, attention, value = setting(2, 4, 3, seed=4)
    whole = final(tokens, attention, value, h=0.2, depth=10, causal=True)
    part = final(tokens[:, :2], attention, value, h=0.2, depth=10, causal=True)
    assert torch.allclose(whole[:, :2], part, atol=1e-14)


def test_untied_values_are_used_in_order() -> None:
    tokens, attention, value = setting(2, 3, 3, seed=6)
    first = final(tokens, attention, value, h=0.2, depth=1)
    second = final(first, attention, -value, h=0.2, depth=1)
    assert torch.equal(final(tokens, attention, [value, -value], h=0.2, depth=2), second)
    with pytest.raises(ValueError, match="3 layers need as many"):
        final(tokens, attention, [value, -value], h=0.2, depth=3)


def test_collapsed_clouds_are_the_full_model_of_equal_tokens() -> None:
    tokens, attention, value = setting(6, 1, 4, seed=7)
    scales = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    for kind in ("random", "tied", "ar1"):
        rho = 0.5 if kind == "ar1" else 0.0
        stream = AdapterLaw(kind, correlation=rho).layers(6, 4, torch.Generator().manual_seed(1))
        moved = collapsed_states(tokens.expand(-1, 3, -1), value, scales, h=0.1, depth=20, adapters=stream)
        found = recorded(moved, [20])[:, 0]
        for e, scale in enumerate(scales.tolist()):
            law = AdapterLaw(kind, correlation=rho, scale=scale)
            stream = law.layers(6, 4, torch.Generator().manual_seed(1))
            full = final(tokens.expand(-1, 5, -1), attention, value, h=0.1, depth=20, adapters=stream)
            assert torch.allclose(full, found[:, e : e + 1].expand(-1, 5, -1), atol=1e-12)


def test_tokens_stay_on_the_sphere_and_equal_seeds_give_equal_runs() -> None:
    tokens, attention, value = setting(4, 3, 3, seed=8)
    streams = [AdapterLaw(scale=5.0).layers(4, 3, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    first, again, other = (final(tokens, attention, value, h=0.1, depth=30, adapters=s) for s in streams)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.allclose(first.norm(dim=2), torch.ones(4, 3, dtype=torch.float64), atol=1e-14)


def test_layers_that_were_not_simulated_are_missed() -> None:
    tokens, attention, value = setting(1, 2, 3)
    with pytest.raises(ValueError, match="only 1 of them were simulated"):
        recorded(islice(layered_states(tokens, attention, value, h=0.1, depth=5), 3), [2, 4])


def test_one_token_is_its_own_mean() -> None:
    tokens, attention, _ = setting(3, 1, 3)
    assert attention_means(tokens, attention) is tokens


@pytest.mark.parametrize("n", [3, 9])
@pytest.mark.parametrize("kind", ["random", "tied", "ar1"])
def test_layers_are_those_of_a_plain_loop(n: int, kind: Kind) -> None:
    """Fewer tokens than dimensions, and more: both ways to apply V + ΔV; also A given by its diagonal."""
    tokens, _, value = setting(4, n, 5, seed=8)
    levels = torch.linspace(1.5, -0.5, 5, dtype=torch.float64)
    law = AdapterLaw(kind, weights=(1.0, 0.5), scale=2.0, correlation=0.6 if kind == "ar1" else 0.0)

    def drawn():
        return law.layers(4, 5, torch.Generator().manual_seed(3))

    x = tokens
    for _, adapter in zip(range(6), drawn(), strict=False):
        mean = torch.softmax(x @ torch.diag(levels) @ x.mT, dim=2) @ x
        y = x + 0.2 * mean @ (value + adapter.to_dense(4, 5)).mT
        x = y / y.norm(dim=2, keepdim=True)
    for attention in (torch.diag(levels), levels):
        assert (final(tokens, attention, value, h=0.2, depth=6, adapters=drawn()) - x).abs().max() < 1e-13


def test_dense_adapters_are_their_factors_multiplied_out() -> None:
    law = AdapterLaw(weights=(1.0, 0.5), mean=torch.arange(9.0, dtype=torch.float64).reshape(3, 3))
    adapter = next(law.layers(2, 3, torch.Generator().manual_seed(1)))
    assert adapter.left is not None
    assert adapter.right is not None
    assert law.mean is not None
    expected = torch.einsum("bik,bkj->bij", adapter.left, adapter.right) + law.mean
    assert (adapter.to_dense(2, 3) - expected).abs().max() < 1e-15


@pytest.mark.parametrize("strength", [3.0, 8.0])
def test_logits_beyond_every_float_leave_each_token_its_own_mean(strength: float) -> None:
    tokens, _, value = setting(4, 5, 3)
    sharp = strength * unshifted_limit(torch.float64) * torch.eye(3, dtype=torch.float64)  # exp of it overflows
    assert torch.allclose(attention_means(tokens, sharp), tokens)
    moved = final(tokens, sharp, value, h=0.1, depth=1)
    assert torch.allclose(moved, normalised(tokens + 0.1 * tokens @ value.mT))
