"""The corpus: what is planted is found, certificates pass the checker, and changed ones do not."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from numerics.enclosure.decision import Decision
from proofs_checks import cli
from proofs_checks.certify.certificate import certify, seal
from proofs_checks.certify.checker import Rejected, check
from proofs_checks.certify.corpus import FAMILIES, entry, instance_of, limits, load, moving, planted
from proofs_checks.certify.ladder import decide
from proofs_checks.certify.statements import BY_NAME
from proofs_checks.instance_file import load_instance

SPECTRAL = [n for n, s in BY_NAME.items() if "tokens" not in s.about]
ALWAYS_TRUE = {"drift-sharp", "drift-quoted", "remark-corrected"}
STORED = Path(__file__).parents[2] / "proofs_checks" / "evidence" / "counterexamples"
ENTRIES = load()


def disagreements(found: dict[str, Any]) -> list[str]:
    """Statements of an entry that are undecided or not what the plant says."""
    findings = decide(instance_of(found), SPECTRAL)
    wrong = [n for n, f in findings.items() if f.decision is Decision.UNDECIDED]
    wrong += [n for n in ALWAYS_TRUE & set(findings) if findings[n].decision is Decision.PROVED_FALSE]
    return wrong + [n for n, word in found["statements"].items() if findings[n].decision.value != word]


def certificate(found: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(certify(instance_of(found)).document()))


def test_it_is_large_and_holds_what_the_generator_makes() -> None:
    assert len(ENTRIES) == sum(count for _, count in FAMILIES.values()) >= 1_000
    plants = dict(planted())
    assert {e["id"] for e in ENTRIES} == set(plants)
    assert all(e == entry(e["id"], plants[e["id"]]) for e in ENTRIES[::50])
    assert {len(e["instance"]["V"]) for e in ENTRIES} == {2, 3, 4, 8, 16}


def test_planted_statements_of_both_signs() -> None:
    for name in ("criterion-quoted", "criterion-sharp", "delta", "cone", "levels", "remark-quoted"):
        words = [e["statements"].get(name) for e in ENTRIES]
        assert min(words.count("proved_true"), words.count("proved_false")) > 20, name


@pytest.mark.parametrize("found", ENTRIES[::21], ids=lambda e: e["id"])
def test_what_is_planted_is_found(found: dict[str, Any]) -> None:
    assert not disagreements(found)


@pytest.mark.slow
def test_all_that_is_planted_is_found() -> None:
    assert not {e["id"]: wrong for e in ENTRIES if (wrong := disagreements(e))}


def test_a_wrong_plant_is_noticed() -> None:
    found = copy.deepcopy(next(e for e in ENTRIES if e["statements"].get("delta") == "proved_true"))
    found["statements"]["delta"] = "proved_false"
    assert disagreements(found) == ["delta"]


@pytest.mark.parametrize("found", [e for e in ENTRIES if e["id"] != "collapse-199"][::21], ids=lambda e: e["id"])
def test_certificate_passes_the_checker(found: dict[str, Any]) -> None:
    assert check(certificate(found)) > 0


@pytest.mark.slow
def test_every_certificate_passes_the_checker() -> None:
    assert all(check(certificate(found)) > 0 for found in ENTRIES)


def resealed(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"sha256": seal(document)}


def sample() -> dict[str, Any]:
    return json.loads(json.dumps(certify(load_instance(STORED / "prop-3.3_criterion-quoted.json")).document()))


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        return [p for k, v in node.items() for p in leaves(v, (*path, k))]
    if isinstance(node, list):
        return [p for k, v in enumerate(node) for p in leaves(v, (*path, k))]
    return [path]


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    node = result
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return result


def test_any_raw_change_is_rejected() -> None:
    good = sample()
    assert check(good) > 20
    for path in leaves(good):
        with pytest.raises(Rejected):
            check(changed(good, path, "changed"))


def test_flipped_verdicts_are_rejected_under_a_new_seal() -> None:
    good = sample()
    for part in ("statements", "motions", "claims"):
        for k, row in enumerate(good[part]):
            for word in {"proved_true", "proved_false", "undecided", "degenerate"} - {row["verdict"]}:
                with pytest.raises(Rejected):
                    check(resealed(changed(good, (part, k, "verdict"), word)))


def test_moved_margins_are_rejected_under_a_new_seal() -> None:
    good = sample()
    moved = 0
    for k, row in enumerate(good["statements"]):
        if row["method"] != "balls":
            continue
        low, high = Fraction(row["lower"]), Fraction(row["upper"])
        for shift in (high - low + Fraction(1, 10**30), -(high - low) - Fraction(1, 10**30)):
            bad = changed(good, ("statements", k, "lower"), str(low + shift))
            bad = changed(bad, ("statements", k, "upper"), str(high + shift))
            with pytest.raises(Rejected):
                check(resealed(bad))
            moved += 1
    assert moved > 10


def followed() -> dict[str, Any]:
    """One token that is integrated to T, and stays off the bound."""
    instance = load_instance(STORED / "prop-3.3_convergence-gap-only.json")
    document = certify(instance, ["prop-3.3/convergence-gap-only"]).document()
    return json.loads(json.dumps(document))


def test_changed_segments_are_rejected_under_a_new_seal() -> None:
    good = followed()
    states = good["motions"][0]["states"]
    assert len(states) > 4
    radius = Fraction(states[3]["radius"])
    centre = Fraction(states[3]["centre"][0][0])
    for bad in (
        changed(good, ("motions", 0, "states", 3, "centre", 0, 0), str(centre + 2 * radius)),
        changed(good, ("motions", 0, "states", 3, "radius"), str(radius / 1000)),
        changed(good, ("motions", 0, "states"), states[:3] + states[4:]),
        changed(good, ("motions", 0, "states"), states[:-1]),
    ):
        with pytest.raises(Rejected):
            check(resealed(bad))


@pytest.mark.slow
def test_the_integrated_certificate_passes() -> None:
    assert check(followed()) > 5


def test_limits_that_refute_and_that_hold() -> None:
    words = {
        "prop-3.3_criterion-quoted": ("prop-3.3/criterion-quoted", "proved_false"),
        "prop-3.3_criterion-quoted-nonsymmetric": ("prop-3.3/criterion-quoted-nonsymmetric", "proved_false"),
        "remark-3.4_drift-quoted": ("remark-3.4/drift-quoted", "proved_false"),
        "thm-4.6_plain-riccati": ("thm-4.6/plain-riccati", "proved_false"),
        "prop-3.3_convergence-gap-only": ("prop-3.3/convergence-gap-only", "proved_false"),
    }
    for name, (claim, word) in words.items():
        answers = {a.claim: a.decision for a in certify(load_instance(STORED / f"{name}.json"), [claim]).answers}
        decision = answers[claim]
        assert decision is not None
        assert decision.value == word


def test_limit_theorems_are_certified_and_checked() -> None:
    """What each token does is known from one rational inequality (see the generator)."""
    stored = load("limits")
    assert stored == list(limits())
    assert len(stored) >= 50
    for found in stored:
        document = json.loads(json.dumps(certify(instance_of(found), [found["claim"]]).document()))
        (row,) = document["claims"]
        assert (row["claim"], row["verdict"]) == (found["claim"], found["verdict"]), found["id"]
        assert document["motions"][0]["signs"] == found["signs"]
        assert check(document) > 2
    assert {f["claim"] for f in stored if f["verdict"] == "proved_false" and len(f["signs"]) == 3} == {
        "prop-3.3/criterion-quoted",
        "prop-3.3/criterion-quoted-nonsymmetric",
    }


def disagreeing_limits(found: dict[str, Any]) -> list[str]:
    """What of a limit theorem's certificate is not what the generator says."""
    document = json.loads(json.dumps(certify(instance_of(found), [found["claim"]]).document()))
    (row,) = document["claims"]
    (motion,) = document["motions"]
    faults = [] if (row["claim"], row["verdict"]) == (found["claim"], found["verdict"]) else ["verdict"]
    faults += [] if motion["signs"] == found["signs"] else ["signs"]
    faults += [] if len(motion["states"]) > 1 else ["not integrated"]
    return faults + ([] if check(document) > 2 else ["checker"])


def test_limit_theorems_through_an_integration() -> None:
    stored = load("moving")
    assert stored == list(moving())
    assert {(len(f["signs"]), len(f["instance"]["V"])) for f in stored} == {(n, d) for n in (2, 3, 4) for d in (2, 3)}
    assert {f["id"]: wrong for f in stored[::7] if (wrong := disagreeing_limits(f))} == {}


@pytest.mark.slow
def test_all_limit_theorems_through_an_integration() -> None:
    assert {f["id"]: wrong for f in load("moving") if (wrong := disagreeing_limits(f))} == {}


def simulated_signs(found: dict[str, Any]) -> list[int]:
    """Where an ordinary integrator ends: the sign of each token on the leading eigenvector of V + ΔV."""
    data = {k: np.array([[float(Fraction(x)) for x in row] for row in v]) for k, v in found["instance"].items()}
    matrix, tokens = data["V"] + data["dV"], data["X0"] / np.linalg.norm(data["X0"], axis=1, keepdims=True)
    values, vectors = np.linalg.eig(matrix)
    leading = np.real(vectors[:, np.real(values).argmax()])
    leading = leading * np.sign(leading[0])

    def speed(_: float, flat: np.ndarray) -> np.ndarray:
        x = flat.reshape(tokens.shape)
        weights = np.exp(x @ matrix.T @ x.T)
        pulled = (weights / weights.sum(1, keepdims=True)) @ x @ matrix.T
        return (pulled - (pulled * x).sum(1, keepdims=True) * x).ravel()

    end = solve_ivp(speed, (0, 200), tokens.ravel(), method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    overlaps = end.reshape(tokens.shape) @ leading
    return [int(c) for c in np.where(abs(overlaps) > 0.999, np.sign(overlaps), 0)]


def test_the_generator_of_moving_tokens_is_right() -> None:
    """The limits that it states, against a simulation that knows nothing of balls."""
    assert [simulated_signs(f) for f in moving()] == [f["signs"] for f in moving()]


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.json"
    assert cli.main(["certify", str(STORED / "prop-3.3_criterion-quoted.json"), "--json", str(file)]) == 0
    assert "token 1 to -ũ1" in capsys.readouterr().out
    assert cli.main(["check-certificate", str(file)]) == 0
    file.write_text(file.read_text().replace("proved_false", "proved_true"))
    assert cli.main(["check-certificate", str(file)]) == 1
    assert "NOT valid" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"command": "verify"}', "\x00"])
def test_what_is_no_certificate_is_one_line(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.json"
    file.write_text(content)
    assert cli.main(["check-certificate", str(file)]) == 2
    assert cli.main(["check-certificate", str(tmp_path / "none.json")]) == 2
    assert cli.main(["certify", str(STORED / "prop-3.3_criterion-quoted.json"), "--claim", "thm-4.2/variance"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 3
