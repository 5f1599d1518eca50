"""Pre-LN and AR(1) adapters as models without an assumption: what they break, and what gives the claim back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.relax.draw import Draw
from proofs_checks.relax.model import networks, satisfied, start
from proofs_checks.relax.readings import BOTH
from proofs_checks.relax.search import ALL, confirm
from theory.claims import CLAIMS

ONE, ZERO, HALF = Fraction(1), Fraction(0), Fraction(1, 2)
STILL = ((ZERO, ZERO), (ZERO, ZERO))


def with_model(instance: Instance, **model: Any) -> Instance:
    return replace(instance, meta={"model": model})


LAYERS = Instance(((ONE, ZERO), (ZERO, ZERO)), STILL, STILL, STILL, ((ONE, ZERO),))
WELL = {"h": "1/4", "depth": 4}


def violated(claim: str, instance: Instance) -> bool:
    reading = ALL[claim](instance, BOTH)
    assert reading is not None
    return reading.confirmation().violated


@pytest.mark.parametrize("claim", ["thm-4.2/critical", "thm-4.6/random"])
def test_correlated_adapters_break_the_variance_and_independent_ones_do_not(claim: str) -> None:
    assert violated(claim, with_model(LAYERS, **WELL, adapters="ar1", correlation="1/2"))
    assert not violated(claim, with_model(LAYERS, **WELL, adapters="ar1", correlation="0"))
    result = confirm(claim, "independent-adapters", with_model(LAYERS, **WELL, adapters="ar1", correlation="1/2"))
    assert result is not None
    assert result.violated


def test_the_variance_grows_from_independent_to_tied() -> None:
    laws = [{"adapters": "ar1", "correlation": x} for x in ("0", "1/2", "0.999999")] + [{"adapters": "tied"}]
    found = []
    for law in laws:
        reading = ALL["thm-4.2/critical"](with_model(LAYERS, **WELL, **law), BOTH)
        assert reading is not None
        assert reading.measured[0] == pytest.approx(reading.measured[1], rel=1e-6)
        found.append(reading.measured[0])
    assert found[0] < found[1] < found[2] < found[3]
    assert found[2] == pytest.approx(found[3], rel=1e-5)


def test_what_the_model_satisfies() -> None:
    assert not satisfied(with_model(LAYERS, adapters="ar1", correlation="1/4"))["independent-adapters"]
    assert satisfied(with_model(LAYERS, adapters="ar1", correlation="0"))["independent-adapters"]
    assert satisfied(with_model(LAYERS, adapters="ar1", correlation="1/4"))["gaussian-adapters"]
    assert not satisfied(with_model(LAYERS, pre_ln=True))["post-ln"]
    assert satisfied(with_model(LAYERS, pre_ln=False))["post-ln"]
    with pytest.raises(InputError, match="below 1"):
        satisfied(with_model(LAYERS, adapters="ar1", correlation="1"))


@pytest.mark.parametrize("claim", ["thm-4.2/collapse", "thm-4.2/fixed-step"])
def test_a_slope_is_not_read_of_correlated_adapters(claim: str) -> None:
    """At a finite depth it is off, at great depth it is that of independent ones: that would be no counterexample."""
    instance = with_model(replace(LAYERS, V=STILL), h="1/2", depth=2, adapters="ar1", correlation="3/4")
    with pytest.raises(ValueError, match="great depth"):
        ALL[claim](instance, BOTH)
    assert confirm(claim, "independent-adapters", instance) is None


TOKEN = Instance(((ONE, ZERO), (ZERO, ZERO)), STILL, None, None, ((Fraction(3, 5), Fraction(4, 5)),), ONE)


@pytest.mark.parametrize("claim", ["prop-3.3/convergence", "thm-4.6/upper"])
def test_a_long_token_before_the_block_is_slower_than_the_rate(claim: str) -> None:
    assert violated(claim, with_model(TOKEN, pre_ln=True, lengths=["4"]))


def test_a_short_token_before_the_block_leaves_its_twin_sooner() -> None:
    turned = replace(TOKEN, V=STILL, dV=((ZERO, -HALF), (HALF, ZERO)))
    assert violated("prop-3.1/sphere", with_model(turned, pre_ln=True, lengths=["1/4"]))
    assert not violated("prop-3.1/sphere", with_model(turned, pre_ln=True, lengths=["1"]))


def test_the_network_and_its_start_are_what_the_file_says() -> None:
    instance = with_model(TOKEN, pre_ln=True, lengths=["1/2"])
    first, _ = networks(instance, perturbed=True)
    assert first.pre_norm
    assert not first.sphere
    assert np.linalg.norm(start(instance, perturbed=True)) == pytest.approx(0.5)


def test_both_are_drawn() -> None:
    rng = np.random.default_rng(0)
    without = Draw(CLAIMS["prop-3.1/sphere"], "post-ln", rng)
    kinds = {str(sorted(without.instance().meta["model"])) for _ in range(40)}
    assert kinds == {"['lengths', 'normalised']", "['lengths', 'pre_ln']"}
    correlated = Draw(CLAIMS["thm-4.2/critical"], "independent-adapters", rng)
    assert {correlated.instance().meta["model"]["adapters"] for _ in range(40)} == {"tied", "ar1"}
    slopes = Draw(CLAIMS["thm-4.2/collapse"], "independent-adapters", rng)
    assert {slopes.instance().meta["model"]["adapters"] for _ in range(40)} == {"tied"}
