"""thm-4.2/subcritical, supercritical, supercritical-tied, norm-quoted-fixed-step."""

import json
import math

import pytest
import torch

from proofs_checks import cli, transition_ends
from proofs_checks.instance_file import load_instance
from proofs_checks.ledger import shipped_counterexample
from proofs_checks.store import Run, Store
from proofs_checks.transition_curves import constant_norm_drifts
from theory.claims import CLAIMS

SHIPPED = "proofs_checks/evidence/counterexamples/"


@pytest.mark.claim("thm-4.2/supercritical")
@pytest.mark.parametrize(("depth", "rank"), [(16, 1), (64, 2)])
def test_directions_become_uniform(depth, rank) -> None:
    found = transition_ends.uniform_estimates(depth, rank, 1, 40_000)
    assert not any(e.side for e in found)
    assert all(e.outside(wrong) for e in found for wrong in e.wrong.values())


@pytest.mark.claim("thm-4.2/supercritical")
def test_spread_tokens_too() -> None:
    assert not any(e.side for e in transition_ends.spread_estimates(1, 4_000))


@pytest.mark.claim("thm-4.2/supercritical-tied")
def test_tied_adapters_keep_a_memory_of_u1() -> None:
    (found,) = transition_ends.tied_estimates(16, 2, 40_000)
    assert found.side == -1
    assert abs(found.mean - (1 - 4 / math.pi**2)) < 5 * found.error


@pytest.mark.claim("thm-4.2/supercritical-tied")
def test_every_orbit_of_signs_is_at_most_one_and_the_shipped_one_below(tmp_path) -> None:
    instance = shipped_counterexample("thm-4.2/supercritical-tied")
    assert instance is not None
    result = transition_ends.confirm_tied(instance)
    assert result.violated
    assert result.observed == pytest.approx(0.4, abs=1e-6)  # 1 - |u_1|
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        u, v = torch.randn(2, 2, generator=generator).tolist()
        data = instance.to_dict() | {"dV": {"B": [[str(x)] for x in u], "A": [[str(x) for x in v]], "scale": 10**9}}
        (tmp_path / "other.json").write_text(json.dumps(data))
        other = transition_ends.sign_orbit_drift(load_instance(tmp_path / "other.json"))
        assert other is not None
        expected = 1 - abs(u[0]) / math.hypot(*u) if abs(u[0] * v[0]) > abs(u[1] * v[1]) else 1
        assert other[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.claim("thm-4.2/norm-quoted-fixed-step")
def test_constant_norm_ends_in_full_drift() -> None:
    first, last = constant_norm_drifts(0.5, 1.0, (16, 256), 1_000, 3)
    assert last[0] > 0.9 > first[0]


@pytest.mark.parametrize("claim_id", ["thm-4.2/supercritical-tied", "thm-4.2/norm-quoted-fixed-step"])
def test_replay_of_the_shipped_counterexamples(claim_id, capsys) -> None:
    assert cli.main(["replay", SHIPPED + claim_id.replace("/", "_") + ".json"]) == 0
    assert claim_id in capsys.readouterr().out


@pytest.mark.claim("thm-4.2/subcritical")
def test_bound_holds_and_is_nearly_attained_in_its_corner(tmp_path) -> None:
    assert not any(e.side for e in transition_ends.bounded_estimates(64, 1, 400))
    (tight,) = transition_ends.tight_estimates(64, 1, 4_000)
    assert tight.side == 0
    assert tight.outside(tight.wrong["bound (5 %)"]) == 1
    row = transition_ends.subcritical_row(CLAIMS["thm-4.2/subcritical"], Run(Store(tmp_path), seed=1))
    assert row["verdict"] == "supported", row["reasons"]
