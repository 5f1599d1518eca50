"""Many flows in one batch are the flows one by one, and a screened reading is the reading."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from numerics.relaxed import Network, flow
from numerics.relaxed_batch import flow_again, flows_roughly
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.relax.draw import Draw
from proofs_checks.relax.readings import READINGS, ROUGH
from proofs_checks.relax.screening import screened
from proofs_checks.relax.search import TWINS, confirm
from theory.claims import CLAIMS
from theory.models import assumed

RNG = np.random.default_rng(8)


def network(heads: int, **kind: bool) -> Network:
    mlp = (RNG.normal(size=(3, 2)), RNG.normal(size=(2, 3))) if kind.pop("mlp", False) else None
    return Network(tuple((RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2))) for _ in range(heads)), mlp, **kind)


def test_a_batch_of_every_kind_is_the_flows_one_by_one() -> None:
    kinds = [
        {}, {"mlp": True}, {"causal": True}, {"sphere": False}, {"sphere": False, "pre_norm": True},
        {"mlp": True, "causal": True, "sphere": False, "pre_norm": True},
    ]  # fmt: skip
    requests = []
    for kind in kinds * 3:
        tokens = RNG.normal(size=(int(RNG.integers(1, 4)), 2))
        tokens *= (1 if kind.get("sphere", True) else 4) / np.linalg.norm(tokens, axis=1, keepdims=True)
        phases = [(network(heads, **kind), float(RNG.uniform(0.1, 0.6))) for heads in (1, 2)]
        requests.append((phases, tokens))
    found = flows_roughly(requests)
    for (phases, tokens), end in zip(requests, found, strict=True):
        assert end is not None
        assert np.abs(end - flow(phases, tokens)).max() < 1e-4 * max(1, np.abs(end).max())


def test_one_that_cannot_be_followed_leaves_the_others_alone() -> None:
    """x' = 1000 x off the sphere overflows."""
    away = Network(((np.zeros((2, 2)), 1000 * np.eye(2)),), sphere=False)
    still = Network(((np.zeros((2, 2)), np.zeros((2, 2))),), sphere=False)
    tokens = np.array([[1.0, 0.0]])
    ends = flows_roughly([([(away, 5.0)], tokens), ([(still, 5.0)], tokens)])
    assert ends[0] is None
    assert ends[1] == pytest.approx(tokens)


@pytest.mark.parametrize("run", [flow, flow_again])
def test_a_stream_that_reaches_zero_is_an_error(run) -> None:
    """x' = -x/|x|."""
    inwards = Network(((np.zeros((2, 2)), -np.eye(2)),), sphere=False, pre_norm=True)
    with pytest.raises(RuntimeError):
        run([(inwards, 1.0)], np.array([[0.5, 0.0]]))
    assert run([(inwards, 0.25)], np.array([[0.5, 0.0]])) == pytest.approx(np.array([[0.25, 0.0]]))
    assert flows_roughly([([(inwards, 1.0)], np.array([[0.5, 0.0]]))]) == [None]


def same(one: Confirmation | None, many: Confirmation | None) -> bool:
    if one is None or many is None:
        return one is many
    return one.bound == many.bound and abs(one.observed - many.observed) < 1e-4 * (1 + abs(one.observed))


@pytest.mark.parametrize("claim", READINGS)
def test_a_screened_reading_is_the_reading(claim: str) -> None:
    spoken = 0
    for dropped in ("post-ln", "single-head", "common-start", "tied-weights"):
        if dropped not in assumed(CLAIMS[claim]):
            continue
        draw = Draw(CLAIMS[claim], dropped, np.random.default_rng(1))
        instances = [draw.instance() for _ in range(8)]
        look = partial(confirm, claim, dropped)
        one = [look(instance, ROUGH) for instance in instances]
        many = screened(look, instances, 2 if claim in TWINS else 1)
        spoken += sum(x is not None for x in one)
        assert sum(same(*pair) for pair in zip(one, many, strict=True)) >= len(instances) - 1  # one may be on an edge
    assert spoken >= 3
