"""The strategies and the batched sampler, tested in their own right."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from proofs_checks import strategies
from proofs_checks.sampler import Batch, draw, realise_one
from proofs_checks.spec import FAMILIES, Choice, InstanceSpec
from theory import prop_3_3
from theory.lowering import to_torch

QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
MANY = settings(QUICK, max_examples=400)


def _margin(batch: Batch, formula: Any) -> torch.Tensor:
    return to_torch(formula, **{name: batch.planted[name] for name in formula.arguments})


def drawn_specs(family: str, examples: int = 400) -> list[InstanceSpec]:
    """What the hypothesis strategy draws."""
    specs: list[InstanceSpec] = []

    @settings(MANY, max_examples=examples)
    @given(strategies.specs(family))
    def collect(spec: InstanceSpec) -> None:
        specs.append(spec)

    collect()
    return specs


def monotony(specs: list[InstanceSpec]) -> list[str]:
    """Fields that (almost) never vary although their domain does: the sign of a strategy that has gone flat."""
    flat = []
    for name, domain in FAMILIES["criterion"].domain.items():
        varies = len(domain.values) > 1 if isinstance(domain, Choice) else domain.low < domain.high
        counts = Counter(getattr(spec, name) for spec in specs)
        if varies and counts.most_common(1)[0][1] > 0.9 * len(specs):
            flat.append(name)
    return flat


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_planted_values_are_those_of_the_dense_matrices(family: str) -> None:
    # eigvalsh and singular values of the dense matrices, which the planting never computes.
    choices = FAMILIES[family].domain
    n, d = choices["n"], choices["d"]
    assert isinstance(n, Choice)
    assert isinstance(d, Choice)
    batch = draw(FAMILIES[family], 40, n.values[-1], d.values[-1], seed=3)
    planted = {k: v.numpy() for k, v in batch.planted.items()}
    symmetric = batch.symmetric_base.numpy()
    levels = np.linalg.eigvalsh(batch.V.numpy())
    np.testing.assert_allclose(levels[symmetric, -1], planted["lambda_1"][symmetric], rtol=1e-12)
    gap = levels[:, -1] - levels[:, -2]
    np.testing.assert_allclose(gap[symmetric], planted["gap"][symmetric], atol=1e-13)
    u = batch.direction.numpy()
    total = (batch.V + batch.dV).numpy()
    w = np.einsum("bi,bij,bj->b", u, total, u)
    np.testing.assert_allclose(w, planted["w"], atol=1e-12)
    p = np.eye(u.shape[1]) - np.einsum("bi,bj->bij", u, u)
    np.testing.assert_allclose(np.linalg.norm(p @ total @ p, ord=2, axis=(1, 2)), planted["kappa"], atol=1e-12)
    np.testing.assert_allclose(
        np.linalg.norm(np.einsum("bij,bjk,bk->bi", p, total, u), axis=1), planted["b_norm"], atol=1e-12
    )
    np.testing.assert_allclose(
        np.linalg.norm(np.einsum("bij,bkj,bk->bi", p, total, u), axis=1), planted["c_norm"], atol=1e-12
    )
    overlap = np.einsum("bnd,bd->bn", batch.tokens.numpy(), u).min(axis=1)
    np.testing.assert_allclose(np.arctan(planted["tan_max_angle_0"]), np.arccos(overlap), atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(batch.tokens.numpy(), axis=-1), 1, atol=1e-12)


@pytest.mark.parametrize("family", ["criterion", "converged"])
def test_criterion_holds_by_construction(family: str) -> None:
    for n, d in ((4, 2), (4, 3), (16, 16)):
        batch = draw(FAMILIES[family], 200, n, d, seed=1)
        assert bool((_margin(batch, prop_3_3.SHARP_CRITERION_MARGIN) > 0).all())
        gamma = torch.cos(torch.atan(batch.planted["tan_max_angle_0"]))
        assert bool((gamma > _margin(batch, prop_3_3.HEMISPHERE_NEEDED)).all())


def test_cone_holds_by_construction() -> None:
    for n, d in ((1, 2), (4, 3), (16, 16)):
        batch = draw(FAMILIES["cone"], 200, n, d, seed=1)
        assert bool((_margin(batch, prop_3_3.CONE_MARGIN) > 0).all())
        inside = batch.planted["tan_max_angle_0"] * _margin(batch, prop_3_3.CONE_OUTER_INVERSE)
        assert bool((inside < 1).all())


def test_both_sides_of_the_quoted_boundary_are_drawn() -> None:
    batch = draw(FAMILIES["spectral"], 400, 4, 4, seed=0)
    margin = _margin(batch, prop_3_3.CRITERION_MARGIN)
    assert 0.1 < float((margin > 0).double().mean()) < 0.9
    sharp = _margin(batch, prop_3_3.SHARP_CRITERION_MARGIN)
    assert 0.5 < float((sharp > 0).double().mean()) < 0.95


def test_kinds_of_updates_are_what_they_are_called() -> None:
    rng = np.random.default_rng(0)
    for kind, family in (("blocks", "criterion"), ("gram", "criterion"), ("orthogonal", "criterion")):
        spec = _any_spec(family, update=kind, frame=int(rng.integers(1, 9)), n=2, d=4, rank=2)
        batch = realise_one(family, spec)
        assert bool(torch.equal(batch.dV, batch.dV.mT)), kind
        if kind == "orthogonal":
            assert float(batch.planted["b_norm"]) == 0
        if kind == "gram":
            assert int(torch.linalg.matrix_rank(batch.dV, rtol=1e-10)) == 2
    spec = _any_spec("cone", update="lowrank", rank=1, n=2, d=4, base="psd")
    batch = realise_one("cone", spec)
    assert int(torch.linalg.matrix_rank(batch.dV, rtol=1e-10)) == 1
    assert float((batch.dV - batch.dV.mT).norm()) > 0.1 * float(batch.dV.norm())
    spec = _any_spec("cone", update="aligned", directions=2, n=2, d=4, base="psd")
    batch = realise_one("cone", spec)
    assert float(batch.planted["b_norm"]) == 0
    assert float(batch.planted["c_norm"]) > 0


def _any_spec(family: str, **fixed: Any) -> InstanceSpec:
    return find(strategies.specs(family, **fixed), lambda _: True, settings=QUICK)


def test_strategy_covers_what_the_batched_sampler_covers() -> None:
    specs = drawn_specs("criterion")
    for name, domain in FAMILIES["criterion"].domain.items():
        if isinstance(domain, Choice):
            batched = set(domain.draw(np.random.default_rng(0), 2_000).tolist())
            assert {getattr(s, name) for s in specs} == batched, name
        else:
            found = [getattr(s, name) for s in specs]
            batched_numbers = domain.draw(np.random.default_rng(0), 2_000)
            width = (domain.high - domain.low) / domain.steps
            assert min(found) <= batched_numbers.min() + 0.1 * width, name
            assert max(found) >= batched_numbers.max() - 0.1 * width, name


def test_strategy_is_not_flat() -> None:
    assert monotony(drawn_specs("criterion", 200)) == []


def test_every_claimed_corner_is_found() -> None:
    # hypothesis.find raises NoSuchExample where the strategy cannot make one; the first will do, small or not.
    first = settings(MANY, max_examples=2_000, phases=[Phase.generate])
    for wanted in (
        lambda s: s.n == 16 and s.d == 16,
        lambda s: s.collapse == 6,
        lambda s: s.spectrum == "tie" and s.d > 2,
        lambda s: s.update == "gram" and s.rank == 4,
        lambda s: s.a < -0.5,
    ):
        assert wanted(find(strategies.specs("spectral"), wanted, settings=first))


def test_shrinks_to_a_small_readable_case() -> None:
    spec = _any_spec("criterion")
    assert (spec.n, spec.d, spec.frame, spec.directions, spec.placement) == (1, 2, 0, 0, 0)
    batch = realise_one("criterion", spec)
    V = batch.V[0].numpy()
    np.testing.assert_array_equal(V, np.diag(np.diag(V)))
    assert all(float(x) == round(float(x) * 256) / 256 for x in V.flatten())


def test_same_spec_same_instance() -> None:
    spec = _any_spec("cone", frame=3, directions=5, placement=7, n=4, d=4)
    first, second = realise_one("cone", spec), realise_one("cone", spec)
    assert torch.equal(first.V, second.V)
    assert torch.equal(first.tokens, second.tokens)
    assert asdict(spec)["n"] == 4


def test_same_seed_same_batch() -> None:
    first, second, other = (draw(FAMILIES["cone"], 8, 4, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(first.dV, second.dV)
    assert not torch.equal(first.dV, other.dV)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no such field of InstanceSpec: colour"):
        strategies.specs("criterion", colour=1)


@QUICK
@given(st.integers(2, 6).flatmap(strategies.orthogonal_matrices))
def test_orthogonal_matrices(q: np.ndarray) -> None:
    np.testing.assert_allclose(q @ q.T, np.eye(len(q)), atol=1e-12)


@QUICK
@given(st.integers(2, 6).flatmap(strategies.value_matrices))
def test_value_matrices_are_psd_with_a_gap(v: np.ndarray) -> None:
    levels = np.linalg.eigvalsh(v)
    np.testing.assert_array_equal(v, v.T)
    assert levels[0] > -1e-12
    assert levels[-1] == pytest.approx(1)


@QUICK
@given(st.integers(2, 6).flatmap(strategies.spectra))
def test_spectra_have_a_gap_however_small(values: np.ndarray) -> None:
    assert values[0] > values[1]
    assert np.all(np.diff(values) <= 0)


def test_spectra_put_weight_on_collapse_and_ties() -> None:
    drawn: list[np.ndarray] = []

    @MANY
    @given(strategies.spectra(4))
    def collect(values: np.ndarray) -> None:
        drawn.append(values)

    collect()
    gaps = np.array([v[0] - v[1] for v in drawn])
    ties = np.array([len(set(v[1:].tolist())) < 3 for v in drawn])
    assert np.mean(gaps < 1e-6) > 0.1
    assert np.mean(ties) > 0.1


@QUICK
@given(strategies.tokens(3, 4, max_angle=1.0))
def test_tokens_are_unit_and_inside_the_cone(x: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, atol=1e-12)
    assert np.all(x[:, 0] >= np.cos(1.0) - 1e-12)
