"""``loraproofs falsify``: what it finds, what it does not, what it refuses."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from proofs_checks import cli
from proofs_checks.checks.confirmation import Confirmation
from proofs_checks.errors import InputError
from proofs_checks.falsify.expression import parse
from proofs_checks.falsify.search import search
from proofs_checks.falsify.shrink import shrink
from proofs_checks.falsify.targets import target
from proofs_checks.instance_file import Instance
from proofs_checks.registry import CHECKS
from theory.claims import CLAIMS

STRONGER = ("prop-3.3/drift", "remark-3.4/drift", "thm-4.6/upper")
FALSE_AS_STATED = ("remark-3.4/drift-quoted", "thm-4.6/plain-riccati")
SLOW_STRONGER = ("prop-3.1/sphere", "prop-3.3/convergence", "thm-4.6/lower")


def falsify(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    out = tmp_path / "found.json"
    code = cli.main(["falsify", *arguments, "--store", str(tmp_path), "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8"))


def assert_small_and_broken(found: dict[str, Any], claim: str) -> None:
    assert found["found"]
    assert found["claim"] == claim
    assert found["ratio"] > 1
    assert found["confirmation"]["violated"]
    assert found["confirmed_by"]
    instance = found["instance"]
    assert len(instance["V"]) <= 3
    assert len(instance.get("X0", [])) <= 3


@pytest.mark.parametrize("claim", STRONGER)
def test_one_percent_stronger_is_broken_by_a_small_instance(claim: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, claim, "--tighten", "0.01", "--budget", "20")
    assert code == 0
    assert_small_and_broken(found, claim)
    assert Path(found["file"]).exists()
    assert found["certificate"] is None
    assert "as it stands" in found["certificate_note"]
    assert cli.main(["replay", found["file"]]) == 0  # it breaks the stronger claim, which the file names
    stored = json.loads(Path(found["file"]).read_text(encoding="utf-8"))
    del stored["meta"]["form"]
    (tmp_path / "as-stated.json").write_text(json.dumps(stored))
    assert cli.main(["replay", str(tmp_path / "as-stated.json")]) == 1
    stored["meta"]["form"] = {"tighten": 0.01}
    (tmp_path / "wrong.json").write_text(json.dumps(stored))
    assert cli.main(["replay", str(tmp_path / "wrong.json")]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("claim", SLOW_STRONGER)
def test_one_percent_stronger_is_broken_with_simulated_tokens(claim: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, claim, "--tighten", "0.01", "--budget", "60")
    assert code == 0
    assert_small_and_broken(found, claim)


@pytest.mark.parametrize("claim", FALSE_AS_STATED)
def test_quoted_forms_are_broken_as_they_stand(claim: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, claim, "--budget", "20")
    assert code == 0
    assert_small_and_broken(found, claim)
    proof = found["certificate"]
    assert proof == {"file": proof["file"], "verdict": "proved_false", "checked": True, "shows": True}
    assert proof["file"] == found["file"].replace(".json", ".certificate.json")
    assert cli.main(["check-certificate", proof["file"]]) == 0


@pytest.mark.parametrize("assumption", ["hemisphere", "symmetric-update"])
def test_the_criterion_needs_its_assumptions(assumption: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, "prop-3.3/criterion", "--drop", assumption, "--budget", "20")
    assert code == 0
    assert_small_and_broken(found, "prop-3.3/criterion")
    update = found["instance"]["dV"]
    symmetric = all(update[i][k] == update[k][i] for i in range(len(update)) for k in range(i))
    assert symmetric == (assumption == "hemisphere")  # the assumption that is not dropped holds exactly
    assert cli.main(["replay", found["file"]]) == 0


@pytest.mark.slow
def test_one_curve_in_eta_over_root_l_needs_independent_adapters(tmp_path: Path) -> None:
    code, found = falsify(tmp_path, "thm-4.2/collapse", "--drop", "independent-adapters", "--budget", "60")
    assert code == 0
    assert found["confirmation"]["observed"] == pytest.approx(0.0, abs=1e-6)  # slope 0, as the claim says of tied ones


@pytest.mark.parametrize("claim", ["prop-3.3/drift", "remark-3.4/drift"])
def test_a_claim_that_holds_is_not_broken(claim: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, claim, "--budget", "2")
    assert code == 3
    assert not found["found"]
    assert found["tried"] > 500
    assert 0.99 < found["best_ratio"] <= 1 + 1e-6  # in double precision


@pytest.mark.slow
@pytest.mark.parametrize("claim", [c for c in CHECKS if CLAIMS[c].expected == "holds"])
def test_no_claim_that_holds_is_broken(claim: str, tmp_path: Path) -> None:
    code, found = falsify(tmp_path, claim, "--budget", "20")
    assert code == 3, found["instance"]
    assert found["tried"] > 0


def test_another_formula_is_broken_or_not(tmp_path: Path) -> None:
    code, found = falsify(tmp_path, "prop-3.3/drift", "--replace", "b_norm/(gap + a + E_norm)", "--budget", "20")
    assert code == 0
    assert_small_and_broken(found, "prop-3.3/drift")
    code, found = falsify(tmp_path, "prop-3.3/drift", "--replace", "2*b_norm/(gap + a - E_norm)", "--budget", "2")
    assert code == 3


def test_mutation_climbs() -> None:
    """With the best of earlier batches as parents the search comes closer than with fresh draws alone."""
    chosen = target("prop-3.3/drift", None, None, None)
    seen: list[float] = []
    search(chosen, 2.0, 7, lambda _s, _n, best: seen.append(best or 0.0))
    assert seen == sorted(seen)
    assert seen[-1] > 0.9999


def test_the_same_seed_finds_the_same() -> None:
    chosen = target("remark-3.4/drift-quoted", None, None, None)
    first, second = (search(chosen, 20.0, 3, lambda *_: None) for _ in range(2))
    assert first.instance is not None
    assert first.instance == second.instance


def test_shrinking_keeps_what_it_is_about() -> None:
    """The largest entry of V must stay above 1.23: three digits are the fewest that do."""
    entry = Fraction(12371, 10_000)
    instance = Instance(
        ((entry, Fraction(1, 7)), (Fraction(1, 9), Fraction(0))),
        ((Fraction(1, 3), Fraction(0)), (Fraction(0), Fraction(1, 3))),
        X0=((Fraction(3, 5), Fraction(4, 5)), (Fraction(1), Fraction(0))),
    )

    def confirm(candidate: Instance) -> Confirmation:
        broken = max(x for row in candidate.V for x in row) > Fraction(123, 100)
        return Confirmation(1.0, 0.5, 0.0, True, broken, ("by hand",))

    small, confirmation = shrink(instance, confirm(instance), confirm, 10.0)
    assert confirmation.violated
    assert small.V[0][0] == Fraction(124, 100)
    assert len(small.X0 or ()) <= 1


NAMES = {"gap": sp.Symbol("gap"), "b_norm": sp.Symbol("b_norm")}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2*b_norm/gap", 2 * NAMES["b_norm"] / NAMES["gap"]),
        ("-gap**2 + 0.1", -(NAMES["gap"] ** 2) + sp.Rational(1, 10)),
        ("gap^2", NAMES["gap"] ** 2),
        ("max(gap, sqrt(2))", sp.Max(NAMES["gap"], sp.sqrt(2))),
        ("sin(pi/6)*1e-3", sp.Rational(1, 2000)),
    ],
)
def test_expressions_are_read_exactly(text: str, meant: sp.Expr) -> None:
    assert parse(text, NAMES) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "gap +", "__import__('os').system('true')", "gap.__class__", "lambda: 0", "[gap]", "gap if gap else 0",
        "other", "exec('1')", "sin(gap, gap)", "max(gap)", "gap**gap", "9**9**9**9", "(10**60)**64", "gap**1000", "1/0",
        "0x10", "1_000", "1e9999", "'gap'", "gap < 1", "x := 1", "gap" + "+gap" * 400, "(" * 300 + "gap" + ")" * 300,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text, NAMES)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prop-3.3/drfit"], "prop-3.3/drift"),
        (["thm-4.2/variance"], "not checked on random instances"),
        (["prop-3.3/drift", "--tighten", "x"], "--tighten"),
        (["prop-3.3/drift", "--tighten", "2"], "between 0 and 1"),
        (["prop-3.3/drift", "--tighten", "0.01", "--constant", "none"], "it has"),
        (["prop-3.3/drift", "--constant", "angle θ_b"], "give both"),
        (["prop-3.3/drift", "--drop", "hemisphere"], "drop one of what it assumes: symmetric-base"),
        (["exp-norm", "--drop", "symmetric-base"], "nothing that can be dropped"),
        (["prop-3.3/criterion", "--drop", "hemisphere", "--tighten", "0.01"], "stands alone"),
        (["prop-3.3/drift", "--replace", "open('x')"], "not allowed"),
        (["prop-3.3/drift", "--replace", "gap", "--tighten", "0.01"], "not both"),
        (["prop-3.3/drift", "--seed", "-1"], "--seed"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: Any) -> None:
    assert cli.main(["falsify", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
