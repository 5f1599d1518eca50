"""Words, curves and gains, on data whose answer is planted."""

from __future__ import annotations

import numpy as np
import pytest

from proofs_checks.experiment import ablation, correlation, depth, indicator, norm
from proofs_checks.experiment.curves import Curve, exponent, rank_correlation, reached, s_shaped, steepest, window
from proofs_checks.experiment.result import Result, Sentence, sentence, spread, word_of

NORMS = np.geomspace(0.01, 100, 60)
SMOOTH = 1 - np.exp(-(NORMS**2))


def curve(norms: np.ndarray, drift: np.ndarray, forgetting: np.ndarray, frobenius: np.ndarray | None = None) -> Curve:
    """Two equal seeds."""
    rows = [np.stack([x, x]) for x in (norms if frobenius is None else frobenius, forgetting, drift)]
    layers = np.repeat(rows[2][..., None], 3, axis=-1)
    return Curve(norms, rows[0], rows[1], rows[2], rows[2], layers, layers)


@pytest.mark.parametrize(
    ("found", "seeds", "word"),
    [
        ([True] * 3, 3, "confirmed"),
        ([False] * 3, 3, "not_confirmed"),
        ([True, True, False], 3, "differs"),
        ([True], 1, None),
        ([True] * 8, 2, None),  # several readings of two seeds are two seeds
        ([], 3, None),
    ],
)
def test_words(found: list[bool], seeds: int, word: str | None) -> None:
    assert word_of(found, seeds) == word


def test_the_word_of_a_result_is_that_of_what_the_ledger_states() -> None:
    def result(*words: str | None) -> Result:
        rows = [Sentence(str(k), "", w, (0, 0), "", ledger=k > 0) for k, w in enumerate(words)]  # type: ignore[arg-type]
        return Result("exp-norm", "m", 3, tuple(rows), ())

    assert result("not_confirmed", "confirmed", "confirmed").word == "confirmed"
    assert result("confirmed", "confirmed", "not_confirmed").word == "differs"
    assert result("confirmed", "confirmed", None).word is None
    assert result("confirmed").word is None


def test_a_finding_of_one_seed_says_so() -> None:
    one = Result("exp-norm", "m", 1, (sentence("s", "c", [True], 1, "w"),), ())
    assert "a first look: 3 seeds are needed" in one.finding
    assert "open (1 of 1)" in one.finding


def test_spread() -> None:
    assert spread([2.0]) == "2"
    assert spread([1.0, 2.0, 3.0]) == "2 (1 ... 3)"
    assert spread([1.0, float("nan")]) == "1, not reached by 1"
    assert spread([float("nan")]) == "not reached"
    low, high = (float(x) for x in spread(np.arange(20.0), 6)[5:-1].split(" ... "))
    assert 5 < low < 9.5 < high < 14  # the bootstrap interval of a mean is inside the range


def test_reached_and_window_of_a_known_curve() -> None:
    """1 - exp(-x²) is at 1/2 at x = √log 2, and goes from 10 to 90 % over √(log 10 / log(1/0.9)) = 4.67."""
    assert reached(NORMS, SMOOTH, 0.5) == pytest.approx(np.sqrt(np.log(2)), rel=0.01)
    assert window(NORMS, SMOOTH) == pytest.approx(np.sqrt(np.log(10) / -np.log(0.9)), rel=0.01)
    assert np.isnan(reached(NORMS, SMOOTH, 2.0))
    assert window(NORMS[NORMS < 1], SMOOTH[NORMS < 1]) == pytest.approx(1 / np.sqrt(-np.log(0.9)), rel=0.1)  # at least
    jump = np.where(NORMS < 1, 0.001, 0.999)
    assert window(NORMS, jump) < 1.3
    assert reached(NORMS, np.where(NORMS < 1, -0.1, 1.0), 0.5) == pytest.approx(1, rel=0.2)


def test_steepest_and_s_shape() -> None:
    """In log x the slope 2x² e^(-x²) is largest at x = 1."""
    assert steepest(NORMS, SMOOTH)[0] == pytest.approx(1, rel=0.1)
    assert s_shaped(NORMS, SMOOTH)
    assert not s_shaped(NORMS, NORMS**2)
    assert not s_shaped(NORMS, np.log(NORMS))


def test_exponent_and_rank_correlation() -> None:
    counts = np.array([1.0, 3, 10, 30])
    assert exponent(counts, 5 * counts**-0.5) == pytest.approx(-0.5)
    assert rank_correlation(NORMS, NORMS**3) == pytest.approx(1)
    assert rank_correlation(NORMS, -NORMS) == pytest.approx(-1)


def test_ratio_at_equal_norm() -> None:
    random = curve(NORMS, SMOOTH, SMOOTH)
    assert ablation.ratios(curve(NORMS, 1.5 * SMOOTH, SMOOTH), random) == pytest.approx([1.5, 1.5])
    assert np.isnan(ablation.ratios(random, curve(NORMS, 0 * SMOOTH, SMOOTH))).all()


def test_onset_of_a_known_curve() -> None:
    """x² reaches 0.1 at √0.1."""
    assert norm.onset(curve(NORMS, NORMS, NORMS**2)) == pytest.approx([0.1**0.5] * 2, rel=1e-6)
    assert norm.onset(curve(NORMS, NORMS, NORMS**2, 8 * NORMS), s=True) == pytest.approx([8 * 0.1**0.5] * 2)
    assert np.isnan(norm.onset(curve(NORMS, NORMS, 0 * NORMS))).all()


def test_concordance_of_drift_and_forgetting() -> None:
    more = curve(NORMS, 2 * SMOOTH, 2 * SMOOTH)
    alike = {("v", "random"): curve(NORMS, SMOOTH, SMOOTH), ("v", "tied"): more}
    against = {("v", "random"): curve(NORMS, SMOOTH, 3 * SMOOTH), ("v", "tied"): more}
    elsewhere = {("v", "random"): curve(NORMS, SMOOTH, SMOOTH), ("ov", "tied"): more}
    assert correlation.concordance(alike, 0) == 1
    assert correlation.concordance(against, 0) == 0
    assert np.isnan(correlation.concordance(elsewhere, 0))
    assert correlation.pooled(alike, 0) > 0.95


def test_where_a_profile_rises() -> None:
    sudden = np.array([0.0] * 25 + [1.0] * 5)
    gradual = np.arange(1.0, 31)
    assert depth.shallow(sudden) == 0
    assert depth.rise(sudden) == 0
    assert depth.shallow(gradual) == pytest.approx(1 / 3)
    assert depth.rise(gradual) == pytest.approx(24 / 30)


def test_what_rises_first() -> None:
    path = [{"step": s, "x": float(s), "y": float(s) ** 3, "z": -1.0} for s in (0, 1, 2, 5, 10)]
    assert indicator.risen(path, "x") == 2
    assert indicator.risen(path, "y") == 5
    assert np.isnan(indicator.risen(path, "z"))


def test_ranking_of_runs_at_one_step() -> None:
    def path(norm: float, harm: float) -> list[dict[str, float]]:
        return [{"norm_over_sqrt_layers": norm * s, "forgetting": harm * s} for s in range(4)]

    assert indicator.concordance([path(1, 1), path(2, 2), path(3, 3)]) == 1
    assert indicator.concordance([path(1, 3), path(2, 2), path(3, 1)]) == 0


def test_gain_is_taken_at_equal_task_loss() -> None:
    """Plain: forgetting falls linearly from 1 at task loss 2 to 0 at 4; the treated one has 0.2 at task loss 3."""
    treated = [{"treatment": "plain", "scale": s, "task": 4 - 2 * s, "forgetting": s} for s in (0.25, 0.5, 0.75, 1.0)]
    treated.append({"treatment": "off-u1", "scale": 1.0, "task": 3.0, "forgetting": 0.2})
    run = {"path": [{"task": 4.0}], "treated": treated}
    assert indicator.gain(run, "off-u1") == pytest.approx(0.5 - 0.2)
    treated[-1]["task"] = 1.0
    assert np.isnan(indicator.gain(run, "off-u1"))


def test_gain_of_runs() -> None:
    def path(*rows: tuple[float, float]) -> list[dict[str, float]]:
        return [{"task": t, "forgetting": f} for t, f in rows]

    plain, other = path((4, 0), (2, 1)), path((4, 0), (3, 0.1))
    assert indicator.gain_of_run(plain, other) == pytest.approx(0.5 - 0.1)
