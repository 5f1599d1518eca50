"""The shipped counterexamples: each breaks its claim without one assumption, and satisfies all the others exactly."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from proofs_checks import cli
from proofs_checks.instance_file import Instance, load_instance
from proofs_checks.relax.model import extras, satisfied
from proofs_checks.relax.readings import BOTH as RUNS
from proofs_checks.relax.search import ALL, confirm, faults
from proofs_checks.relax.stored import FOLDER, cells, path, stored, tried
from theory.claims import CLAIMS
from theory.models import assumed

FILES = sorted(FOLDER.glob("*--*.json"))
SLOW = ("thm-4.2_collapse", "thm-4.2_fixed-step")  # whose slopes take many layers


def test_every_cell_has_a_counterexample_or_what_was_tried() -> None:
    assert {path(*c) for c in cells() if stored(*c)} == set(FILES)
    without = {f"{c} {a}" for c, a in cells() if stored(c, a) is None}
    assert without == set(tried())
    assert len(FILES) >= 130


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_it_breaks_the_claim_and_satisfies_the_other_assumptions(file: Path) -> None:
    instance = load_instance(str(file))
    dropped = instance.meta["dropped"]
    assert instance.claim is not None
    assert path(instance.claim, dropped) == file
    assert faults(instance.claim, dropped, instance) == []
    if file.stem.startswith(SLOW):
        return
    result = confirm(instance.claim, dropped, instance)
    assert result is not None
    assert result.violated


@pytest.mark.slow
@pytest.mark.parametrize("file", [f for f in FILES if f.stem.startswith(SLOW)], ids=lambda f: f.stem)
def test_slopes_break_the_claim(file: Path) -> None:
    instance = load_instance(str(file))
    result = confirm(str(instance.claim), instance.meta["dropped"], instance)
    assert result is not None
    assert result.violated


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_it_is_small(file: Path) -> None:
    instance = load_instance(str(file))
    assert len(instance.X0 or ()) <= 3
    assert instance.d <= 3
    for rows in (instance.V, instance.dV, instance.A or (), instance.X0 or ()):
        for x in (x for row in rows for x in row):
            assert abs(x.numerator) < 1000 or len(str(float(x)).replace(".", "").strip("-0")) <= 4


def test_with_the_assumption_the_claim_holds_again() -> None:
    """The negative control: the second head, the mask, the MLP block taken away, nothing is broken any more."""
    mended = 0
    for file in FILES:
        instance = load_instance(str(file))
        claim, dropped = str(instance.claim), instance.meta["dropped"]
        key = {"single-head": "heads", "attention-only": "mlp", "tied-weights": "later", "common-start": "other_tokens"}
        if dropped not in key or file.stem.startswith(SLOW) or claim == "prop-3.3/heads":
            continue
        if claim in ("prop-3.1/initial", "prop-3.1/discrete") and dropped == "common-start":
            continue
        less = {k: v for k, v in extras(instance).items() if k != key[dropped]}
        plain = replace(instance, meta=instance.meta | {"model": less})
        assert satisfied(plain)[dropped]
        reading = ALL[claim](plain, RUNS)
        if reading is None:
            continue
        mended += 1
        assert not reading.confirmation().violated, file.name
    assert mended >= 40


def test_assumptions_are_read_exactly() -> None:
    one, zero, tiny = Fraction(1), Fraction(0), Fraction(1, 10**40)
    plain = Instance(((one, zero), (zero, zero)), ((zero, zero), (zero, zero)), X0=((one, zero),))
    holds = satisfied(plain)
    assert all(holds.values())
    assert not satisfied(replace(plain, V=((one, tiny), (zero, zero))))["symmetric-base"]
    assert not satisfied(replace(plain, dV=((zero, tiny), (zero, zero))))["symmetric-update"]
    assert not satisfied(replace(plain, V=((one, zero), (zero, -one))))["dominant-gap"]
    assert satisfied(replace(plain, V=((one, zero), (zero, tiny - one))))["dominant-gap"]
    assert not satisfied(replace(plain, V=((one, zero), (zero, one))))["spectral-gap"]
    assert not satisfied(replace(plain, V=((one, zero), (zero, -tiny))))["psd"]
    assert not satisfied(replace(plain, X0=((zero, one),)))["hemisphere"]
    assert not satisfied(replace(plain, A=((one, tiny), (zero, zero))))["a-equals-v"]


def test_a_changed_counterexample_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = load_instance(str(FOLDER / "prop-3.3_drift--symmetric-update.json"))
    dV = instance.dV
    symmetric = tuple(tuple(max(dV[i][k], dV[k][i]) for k in range(len(dV))) for i in range(len(dV)))
    file = tmp_path / "changed.json"
    replace(instance, dV=symmetric).save(file)
    assert cli.main(["replay", str(file)]) == 1
    assert "another assumption fails: symmetric-update holds too" in capsys.readouterr().out


def test_every_claim_that_is_read_is_expected_to_hold() -> None:
    assert all(CLAIMS[i].expected == "holds" for i in ALL)
    assert {i for i, c in CLAIMS.items() if c.expected == "holds" and assumed(c)} == set(ALL)
