"""Gradient ascent and hypothesis' target: both climb, break what is too strong, and leave what holds alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch

from numerics.differentiable import flow
from numerics.flow import simulate
from proofs_checks import cli
from proofs_checks.falsify.gradient import OBJECTIVES, ascend, start
from proofs_checks.falsify.guided import guided
from proofs_checks.falsify.targets import target
from proofs_checks.instance_file import Instance
from proofs_checks.relax.readings import BOTH, sphere
from theory.claims import CLAIMS


def quiet(*_: object) -> None:
    """No progress."""


def test_the_differentiable_flow_is_the_flow_to_order_four() -> None:
    point = start("prop-3.1/sphere", 3, 3, torch.Generator().manual_seed(0))
    exact = simulate(point.X, point.A, point.V, point.T[:, None], rtol=1e-12, atol=1e-14).states[:, 0]
    errors = [float((flow(point.A, point.V, point.X, point.T, steps) - exact).abs().max()) for steps in (16, 32)]
    assert errors[1] < 1e-5
    assert 10 < errors[0] / errors[1] < 25


def test_off_the_sphere_one_token_follows_the_exponential() -> None:
    point = start("prop-3.1/euclidean", 1, 3, torch.Generator().manual_seed(0))
    exact = point.X @ torch.linalg.matrix_exp(point.T[:, None, None] * point.V).mT
    errors = [float((flow(point.A, point.V, point.X, point.T, k, sphere=False) - exact).abs().max()) for k in (16, 32)]
    assert errors[1] < 1e-5
    assert 10 < errors[0] / errors[1] < 25


LONG = ("prop-3.3/convergence-gap-only", "thm-4.6/plain-riccati", "thm-4.6/upper", "prop-3.1/euclidean")


@pytest.mark.parametrize("claim", [pytest.param(c, marks=pytest.mark.slow) if c in LONG else c for c in OBJECTIVES])
def test_ascent_climbs_and_breaks_one_percent(claim: str) -> None:
    """What is false is broken as it stands, what holds where its first sharp constant is 1 % off."""
    formula = CLAIMS[claim].formulas[0]
    n, d = (1, 2) if CLAIMS[claim].expected == "holds" else (2, 3)
    begin = start(claim, n, d, torch.Generator().manual_seed(5))
    before = OBJECTIVES[claim].ratio(begin, formula)
    stronger = "0.01" if CLAIMS[claim].expected == "holds" else None
    outcome = ascend(target(claim, stronger, None, None), 300.0 if claim in LONG else 60.0, 5, quiet)
    assert outcome.instance is not None
    assert outcome.confirmation is not None
    assert outcome.confirmation.violated
    assert (outcome.best_ratio or 0.0) > float(before[before.isfinite()].median())


@pytest.mark.parametrize("claim", ["prop-3.3/drift"])
def test_what_holds_is_not_broken_by_either(claim: str) -> None:
    for method in (ascend, guided):
        outcome = method(target(claim, None, None, None), 4.0, 1, quiet)
        assert outcome.instance is None
        assert outcome.tried >= 20
        assert 0.9 < (outcome.best_ratio or 0.0) < 1 + 1e-5


@pytest.mark.parametrize("claim", ["prop-3.3/drift-quoted", "remark-3.4/drift"])
def test_what_holds_is_not_broken_by_ascent(claim: str) -> None:
    outcome = ascend(target(claim, None, None, None), 3.0, 1, quiet)
    assert outcome.instance is None
    assert 0.99 < (outcome.best_ratio or 0.0) < 1 + 1e-5


@pytest.mark.parametrize("claim", ["prop-3.3/drift", "remark-3.4/drift", "prop-3.3/convergence"])
def test_hypothesis_breaks_one_percent(claim: str) -> None:
    outcome = guided(target(claim, "0.01", None, None), 40.0, 0, quiet)
    assert outcome.confirmation is not None
    assert outcome.confirmation.violated


@pytest.mark.parametrize("time", [1, 3])
def test_any_tightening_of_the_sphere_bound_is_refuted_at_norms_one(time: int) -> None:
    """V turns the plane, V + ΔV hardly: the angle is (1 - ε)t, known without integration."""
    zero, one, rest = Fraction(0), Fraction(1), Fraction(1, 10**7)
    V = ((zero, -one), (one, zero))
    dV = tuple(tuple(-(1 - rest) * x for x in row) for row in V)
    instance = Instance(V, dV, ((one, zero), (zero, one)), ((zero, zero), (zero, zero)), ((one, zero),), Fraction(time))
    reading = sphere(instance, BOTH)
    assert min(reading.measured) == pytest.approx(float((1 - rest) * time), rel=1e-10)
    assert not reading.confirmation().violated
    stronger = CLAIMS["prop-3.1/sphere"].tightenings[0].apply(5e-6)
    assert stronger.expr != CLAIMS["prop-3.1/sphere"].formulas[0].expr  # δ* smaller, and the bound with it
    assert min(reading.measured) > reading.bound * (1 - 5e-6) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["remark-3.4/secular", "--method", "gradient"], "leave it out"),
        (["thm-4.6/cutoff", "--method", "hypothesis"], "no strategy"),
    ],
)
def test_a_method_that_cannot_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["falsify", *arguments, "--store", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert len(said.splitlines()) == 1
