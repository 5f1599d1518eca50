"""thm-4.6/lower: tokens need at least ∫dϑ/G to deviate from any u, for any V + ΔV and weights."""

import numpy as np
import pytest
import torch
from claim_properties import sharp_constants
from passage_properties import holds_on_batches, readings, refuted_controls

from proofs_checks.deviation import Speeds, deviation_integral, exact_deviation_integral
from proofs_checks.families import SOURCES
from proofs_checks.families_first_passage import draw_deviation

pytestmark = pytest.mark.claim("thm-4.6/lower")
ID, FAMILY = "thm-4.6/lower", "deviation"


def test_holds() -> None:
    assert holds_on_batches(ID, FAMILY) >= 0.6


def test_one_percent_stronger_is_refuted() -> None:
    assert refuted_controls(ID, FAMILY, n=2, d=2) == sharp_constants(ID)


def test_attained_by_equal_tokens_and_nearly_so_on_the_second_branch() -> None:
    batch = draw_deviation(80, 2, 3, 1)
    reading = readings(ID, FAMILY, batch)[0]
    for kind, least in (("aligned", 1 - 1e-9), ("branch", 0.999)):
        ratio = reading.ratio[torch.from_numpy(batch.columns["kind"] == kind) & reading.nonvacuous]
        assert float(ratio.max()) > least


def test_where_the_bound_is_infinite_tokens_stay_below_the_root() -> None:
    batch = draw_deviation(200, 2, 2, 3)
    barrier = readings(ID, FAMILY, batch)[1]
    assert int(barrier.nonvacuous.sum()) >= 4
    assert float(barrier.ratio[barrier.nonvacuous].max()) <= 1 + 1e-9


def test_dropping_the_second_branch_is_seen() -> None:
    # The same integral with the first branch alone is later than what the tokens do.
    batch = draw_deviation(40, 2, 2, 1)
    p = batch.planted
    wrong, _ = deviation_integral(p, p["tan_max_angle_0"], p["tan_passage"], Speeds(inner=None))
    passage = SOURCES[FAMILY].measure(batch).departure
    assert bool((passage.time + 10 * passage.error < wrong).any())


def test_quadrature_in_torch_and_in_mpmath_agree() -> None:
    batch = draw_deviation(30, 2, 3, 2)
    p = batch.planted
    found, error = deviation_integral(p, p["tan_max_angle_0"], p["tan_passage"])
    for row in range(len(batch)):
        values = {name: float(x[row]) for name, x in p.items()}
        exact = float(exact_deviation_integral(values, values["tan_max_angle_0"], values["tan_passage"]))
        assert float(found[row]) == pytest.approx(exact, rel=1e-9, abs=float(error[row]) * 10)


@pytest.mark.parametrize(("S", "b", "c", "r"), [(-0.5, 0.3, 0.0, 2.0), (0.4, 1.0, 0.2, 1.5), (-1.0, 0.2, 0.7, 3.0)])
def test_riccati_integral_in_closed_form(S: float, b: float, c: float, r: float) -> None:
    # κ is large enough for the first branch: ∫dϑ/(b - Sϑ + cϑ²) by partial fractions (here numpy's roots).
    start = 0.2
    names = {"w": 2.0 + S, "kappa": 2.0, "cone_separation": S, "b_norm": b, "c_norm": c}
    values = {name: torch.tensor([x], dtype=torch.float64) for name, x in names.items()}
    low, high = (torch.tensor([x], dtype=torch.float64) for x in (start, r))
    found, _ = deviation_integral(values, low, high)
    if c == 0:
        expected = np.log((b - S * r) / (b - S * start)) / -S
    else:
        p, q = np.roots([c, -S, b]).astype(complex)
        expected = ((np.log(r - p) - np.log(start - p) - np.log(r - q) + np.log(start - q)) / (c * (p - q))).real
    assert float(found) == pytest.approx(expected, rel=1e-12)
