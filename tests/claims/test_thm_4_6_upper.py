"""thm-4.6/upper: an upper bound of the time after which all tokens are within ρ of ũ1."""

import math

import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.checks.first_passage import confirm_upper
from proofs_checks.families_first_passage import draw_arrival
from proofs_checks.instance_file import Instance
from theory.thm_4_6 import ARRIVAL_TIME

pytestmark = pytest.mark.claim("thm-4.6/upper")
ID, FAMILY = "thm-4.6/upper", "arrival"


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.9


def test_one_percent_shorter_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=1, d=3) == sharp_constants(ID)


def test_one_token_in_the_plane_attains_it() -> None:
    batch = draw_arrival(60, 1, 4, 0)
    planar = torch.from_numpy(batch.columns["kind"] == "planar")
    ratio = readings(ID, FAMILY, batch)[0].ratio[planar]
    assert float((ratio - 1).abs().max()) < 1e-8


def test_bound_of_a_readable_case() -> None:
    # Ṽ = diag(2, 1/2), x = (0.6, 0.8), ρ = 0.1: log((4/3)/tan 0.1)/1.5.
    instance = Instance.from_arrays([[1, 0], [0, 0]], [[1, 0], [0, 0.5]], X0=[[0.6, 0.8]], T=4, meta={"angle": "0.1"})
    result = confirm_upper(instance, ARRIVAL_TIME)
    assert result.bound == pytest.approx(math.log(4 / 3 / math.tan(0.1)) / 1.5, rel=1e-12)
    assert result.observed == pytest.approx(result.bound, rel=1e-9)
    assert not result.violated
