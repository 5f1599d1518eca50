"""LoRA runs with peft on a tiny random Llama."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytest.importorskip("peft")

from proofs_checks.experiment.language_model import LanguageModel
from proofs_checks.experiment.points import Bench
from proofs_checks.experiment.training import Training, applied, off, shape


@pytest.fixture(scope="module")
def model(tiny: Path) -> LanguageModel:
    return LanguageModel(tiny)


@pytest.fixture(scope="module")
def run(model: LanguageModel) -> dict[str, Any]:
    return Training(0, ("v_proj",), "plain", 5e-3, 10).measure(Bench(model))


def test_a_run_learns_and_its_update_grows(run: dict[str, Any]) -> None:
    path = run["path"]
    assert [row["step"] for row in path] == [0, 1, 2, 5, 10]
    assert path[0]["forgetting"] == pytest.approx(0, abs=1e-6)
    assert path[0]["relative_norm"] == 0
    assert path[-1]["task"] < path[0]["task"]
    assert all(x["relative_norm"] < y["relative_norm"] for x, y in pairwise(path))


def test_plain_at_full_scale_is_the_end_of_the_path(run: dict[str, Any]) -> None:
    rows = {(r["treatment"], r["scale"]): r for r in run["treated"]}
    assert rows["plain", 1.0]["task"] == pytest.approx(run["path"][-1]["task"], rel=1e-6)
    assert rows["plain", 0.25]["task"] > rows["plain", 1.0]["task"]
    assert {name for name, _ in rows} == {"plain", "intruders", "off-u1", "off-top", "gaussian"}


def test_a_run_leaves_the_model_as_it_was(model: LanguageModel, run: dict[str, Any]) -> None:
    again = LanguageModel(model.folder)
    assert again.digest == model.digest
    assert not any(p.requires_grad for p in model.module.parameters())


@pytest.mark.parametrize(("targets", "start"), [(("q_proj", "v_proj"), "plain"), (("v_proj",), "orthogonal")])
def test_other_targets_and_starts(model: LanguageModel, targets: tuple[str, ...], start: str) -> None:
    path = Training(1, targets, start, 5e-3, 2).measure(Bench(model))["path"]
    assert path[0]["forgetting"] == pytest.approx(0, abs=1e-5)
    assert path[-1]["relative_norm"] > 0


def test_the_same_seed_gives_the_same_run(model: LanguageModel, run: dict[str, Any]) -> None:
    again = Training(0, ("v_proj",), "plain", 5e-3, 10).measure(Bench(model))
    assert again["path"] == run["path"]


def test_applied_is_undone(model: LanguageModel) -> None:
    weight = model.layers[1].self_attn.v_proj.weight
    before = weight.data.clone()
    with applied(model, {(1, "v_proj"): torch.ones_like(weight)}):
        assert torch.equal(weight.data, before + 1)
    assert torch.equal(weight.data, before)
    with pytest.raises(ZeroDivisionError), applied(model, {(1, "v_proj"): torch.ones_like(weight)}):
        raise ZeroDivisionError
    assert torch.equal(weight.data, before)


def test_projected_update_does_not_touch_the_leading_eigenvector(model: LanguageModel) -> None:
    side = model.sides[2]
    V = side.output @ side.value
    values, vectors = torch.linalg.eigh((V + V.mT) / 2)
    u1 = vectors[:, values.argmax()]
    delta = off(model, 2, torch.randn(side.value.shape, generator=torch.Generator().manual_seed(0)), 1).double()
    moved = side.output @ delta
    assert float((moved @ u1).norm()) < 1e-5 * float(moved.norm())
    assert float((u1 @ moved).norm()) < 1e-5 * float(moved.norm())


def test_shape_of_known_updates(model: LanguageModel) -> None:
    """The same rank-one matrix in every layer: stable rank 1, cosine between layers 1."""
    one = torch.ones_like(model.layers[0].self_attn.v_proj.weight)
    found = shape(model, {(k, "v_proj"): one for k in range(model.depth)}, 0)["trained"]
    assert found["stable_rank"] == pytest.approx(1, rel=1e-6)
    assert found["between_layers"] == pytest.approx(1, rel=1e-6)
