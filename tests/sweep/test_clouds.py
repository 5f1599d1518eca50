"""Clouds at many scales against a plain loop with dense adapters, and the observables against hand-made clouds."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from numerics.adapters import Adapter, AdapterLaw
from numerics.clusters import cluster_count, mean_cosine
from numerics.field import normalised
from numerics.layered import cloud_states, collapsed_states
from proofs_checks.sweep import clouds
from proofs_checks.sweep.families import Clouds
from proofs_checks.sweep.items import Item

sys.path.append(str(Path(__file__).parents[1] / "numerics"))
from fake_cuda import DEVICE_MISMATCH, fake_cuda

FAMILY = Clouds("test", etas=(0.2, 1.0, 5.0), depths=(12,), seeds=6, block=6, tokens=5, levels=(1.0, 0.4, 0.1, -0.3))


def plain(family: Clouds, depth: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Base and moved tokens ``(block, E, n, d)``: one cloud after another, dense matrices, no batching."""
    etas = torch.tensor(family.etas, dtype=torch.float64) * depth**family.power
    V, h = torch.diag(torch.tensor(family.levels, dtype=torch.float64)), family.step(depth)
    start = clouds.starts(family, generator)
    adapters = clouds.law(family).layers(family.block, family.d, generator)
    updates = [next(adapters).to_dense(family.block, family.d) for _ in range(depth)]
    ends = torch.empty(family.block, 1 + len(etas), *start.shape[1:], dtype=torch.float64)
    for s in range(family.block):
        for e, eta in enumerate([0.0, *etas.tolist()]):
            x = start[s]
            for update in updates:
                m = torch.softmax(x @ V.mT @ x.mT, dim=1) @ x
                y = x + h * m @ (V + eta * update[s]).mT
                x = y / y.norm(dim=1, keepdim=True)
            ends[s, e] = x
    return ends[:, :1].expand_as(ends[:, 1:]), ends[:, 1:]


@pytest.mark.parametrize("kind", ["random", "tied", "ar1"])
def test_an_item_is_what_a_plain_loop_finds(kind: str) -> None:
    family = replace(FAMILY, adapters=kind, correlation=0.7 if kind == "ar1" else 0.0)
    found = clouds.compute(family, 12, Item(family, (("depth", 12),), 0, 3).generator())
    base, moved = plain(family, 12, Item(family, (("depth", 12),), 0, 3).generator())
    base, moved = base.flatten(0, 1), moved.flatten(0, 1)
    w2 = []
    for x, y in zip(base, moved, strict=True):
        cost = ((x[:, None] - y[None]) ** 2).sum(dim=2).numpy()
        w2.append(math.sqrt(cost[linear_sum_assignment(cost)].mean()))
    assert np.abs(found["w2"] - np.array(w2)).max() < 1e-10
    assert np.abs(found["overlap_u1"] - moved[..., 0].mean(dim=1).numpy()).max() < 1e-10
    assert np.abs(found["base_overlap_u1"] - base[..., 0].mean(dim=1).numpy()).max() < 1e-10
    pairs = (moved @ moved.mT).sum(dim=(1, 2)) - family.tokens
    assert np.abs(found["mean_cosine"] - (pairs / 20).numpy()).max() < 1e-10
    assert found["eta"][:3] == pytest.approx(np.array(family.etas) * 12**0.5)
    assert np.isnan(found["overlap_perturbed_u1"]).all() == (kind != "tied")


def test_first_passages_are_where_the_distance_to_the_base_passes_the_radius() -> None:
    family = replace(FAMILY, radius=0.3)
    item = Item(family, (("depth", 12),), 0, 3)
    found = clouds.compute(family, 12, item.generator())["first_passage"]
    expected = np.full(found.shape, np.nan)
    for depth in range(12, 0, -1):  # shorter runs with the same step and the same adapters
        shorter = replace(family, fixed="h", amount=4.0 / 12, power=0.0, etas=tuple(x * 12**0.5 for x in family.etas))
        base, moved = plain(shorter, depth, item.generator())
        apart = (base - moved).square().sum(dim=3).mean(dim=2).sqrt().flatten().numpy()
        expected[apart > 0.3] = depth
    assert np.isfinite(found).sum() >= 6
    assert np.isnan(found).any()
    assert np.array_equal(found, expected, equal_nan=True)


def test_tied_tokens_go_to_the_new_leading_eigenvector() -> None:
    """Symmetric by hand: u = v, so that V + ΔV is symmetric and, with a gap, its leader attracts."""
    family = replace(FAMILY, adapters="tied", power=0.0, fixed="h", amount=0.1, depths=(400,), etas=(0.3,), rank=1)
    found = clouds.compute(family, 400, Item(family, (("depth", 400),), 0, 0).generator())
    there = found["overlap_perturbed_u1"]
    assert np.isfinite(there).sum() >= 4
    assert (np.abs(there[np.isfinite(there)]) > 0.999).sum() >= 4


def test_clouds_of_one_token_are_collapsed_clouds() -> None:
    start = normalised(torch.randn(7, 1, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    V, scales = (
        torch.diag(torch.tensor([1.0, 0.2, 0, -0.5], dtype=torch.float64)),
        torch.tensor([0.0, 1.0, 3.0]).double(),
    )

    def ends(states) -> Tensor:
        return list(states)[-1]

    def law():
        return AdapterLaw("ar1", correlation=0.5).layers(7, 4, torch.Generator().manual_seed(2))

    first = ends(cloud_states(start, V, V, scales, h=0.1, depth=20, adapters=law()))[:, :, 0]
    second = ends(collapsed_states(start.expand(7, 3, 4), V, scales, h=0.1, depth=20, adapters=law()))
    assert (first - second).abs().max() < 1e-13


@pytest.mark.parametrize("name", ["off-u1", "small-gap", "large-gap"])
def test_adapters_stay_in_their_directions(name: str) -> None:
    family = replace(FAMILY, levels=(1.0, 0.9, 0.5, 0.2, 0.0), directions=name)
    kept = {"off-u1": {1, 2, 3, 4}, "small-gap": {0, 1, 2}, "large-gap": {0, 3, 4}}[name]
    adapter = next(clouds.law(family).layers(50, 5, torch.Generator().manual_seed(0))).to_dense(50, 5)
    moved = adapter.abs().amax(dim=0) > 0
    expected = torch.tensor([[i in kept and k in kept for k in range(5)] for i in range(5)])
    assert torch.equal(moved, expected)


def test_clusters_of_clouds_made_by_hand() -> None:
    turns = torch.tensor([[0.0, 0.01, 0.5, 0.51, 0.75, 0.0], [0.0, 0.015, 0.03, 0.045, 0.06, 0.075]]).double()
    tokens = torch.stack([(2 * math.pi * turns).cos(), (2 * math.pi * turns).sin()], dim=2)
    assert cluster_count(tokens, 0.1).tolist() == [3, 1]  # a chain of six tokens is one cluster
    assert cluster_count(tokens, 0.05).tolist() == [5, 6]
    wide = torch.tensor([[0.0, 1.9, 3.8], [0.0, 2.1, 4.2]]).double()
    pairs = torch.stack([wide.cos(), wide.sin()], dim=2)
    assert cluster_count(pairs, 2.0).tolist() == [1, 3]  # 4.2 and 0 are 2.08 apart round the other side
    assert mean_cosine(tokens[:, :1]).tolist() == [1.0, 1.0]
    assert float(mean_cosine(torch.tensor([[1.0, 0], [0, 1], [-1, 0]]).double())) == pytest.approx(-1 / 3)
    with pytest.raises(ValueError, match="angle"):
        cluster_count(tokens, 0.0)


def test_large_attention_does_not_overflow() -> None:
    """With ||A|| = 800 the logits need the shift; the means stay finite and equal the softmax."""
    tokens = normalised(torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    A = 800 * torch.eye(3, dtype=torch.float64)
    law = AdapterLaw().layers(2, 3, torch.Generator().manual_seed(2))
    (moved,) = cloud_states(tokens, A, A / 800, torch.zeros(1).double(), h=0.1, depth=1, adapters=law)
    expected = normalised(tokens + 0.1 * torch.softmax(tokens @ A @ tokens.mT, dim=2) @ tokens)
    assert (moved[:, 0] - expected).abs().max() < 1e-14


def test_everything_stays_on_the_device() -> None:
    with fake_cuda():
        tokens, scales = torch.randn(3, 4, 5, device="cuda").double(), torch.ones(2, device="cuda").double()
        V = torch.randn(5, 5, device="cuda").double()
        law = AdapterLaw().layers(3, 5, torch.Generator("cpu"))
        left, right = torch.randn(3, 5, 2, device="cuda").double(), torch.randn(3, 2, 5, device="cuda").double()
        states = cloud_states(tokens, V, V, scales, h=0.1, depth=2, adapters=[Adapter(left, right)] * 2, shift=True)
        assert [x.device.type for x in states] == ["cuda", "cuda"]
        assert cluster_count(tokens, 0.1).device.type == "cuda"
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            list(cloud_states(tokens, V, V, scales, h=0.1, depth=1, adapters=law, shift=True))


def test_above_the_largest_exact_size_w2_lies_between_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    item = Item(FAMILY, (("depth", 12),), 0, 3)
    exact = clouds.compute(FAMILY, 12, item.generator())
    assert np.array_equal(exact["sliced_w2"], exact["w2"])
    monkeypatch.setattr(clouds, "EXACT", 4)
    bounds = clouds.compute(FAMILY, 12, item.generator())
    assert np.isnan(bounds["w2"]).all()
    assert (bounds["sliced_w2"] <= exact["w2"] * (1 + 1e-12)).all()
    assert (exact["w2"] <= bounds["identity_w2"] * (1 + 1e-12)).all()
    assert (bounds["sliced_w2"] > 0.5 * exact["w2"]).mean() > 0.9
