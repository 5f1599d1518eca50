"""The derivations of refuted claims are about the counterexamples that are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from theory.derivations import DERIVATIONS

STORED = Path(__file__).resolve().parents[2] / "proofs_checks" / "evidence" / "counterexamples"


def stored(claim_id: str) -> dict[str, Any]:
    return json.loads((STORED / f"{claim_id.replace('/', '_')}.json").read_text(encoding="utf-8"))


def exact(rows: list[list[Any]]) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix([[sp.Rational(str(value)) for value in row] for row in rows])


def given(claim_id: str, key: str) -> list[sp.ImmutableMatrix]:
    statement = DERIVATIONS[claim_id].setting[key]
    equations: Any = statement.args if isinstance(statement, sp.Tuple) else (statement,)
    return [equation.args[1] for equation in equations]


@pytest.mark.parametrize(
    ("claim_id", "start"),
    [
        ("prop-3.3/criterion-quoted", "x0"),
        ("prop-3.3/criterion-quoted-nonsymmetric", "x0"),
        ("prop-3.3/convergence-gap-only", "starts"),
    ],
)
def test_the_instance_is_the_stored_one(claim_id: str, start: str) -> None:
    instance = stored(claim_id)
    assert given(claim_id, "V") == [exact(instance["V"])]
    if "dV" in DERIVATIONS[claim_id].setting:
        assert given(claim_id, "dV") == [exact(instance["dV"])]
    else:
        assert exact(instance["dV"]).is_zero_matrix
    tokens = [exact([row]).T for row in instance["X0"]]
    normalised = [token / sp.sqrt((token.T * token)[0, 0]) for token in tokens]
    found = given(claim_id, start)
    assert len(found) == len(normalised)
    for mine, other in zip(found, normalised, strict=True):
        assert (mine - other).applyfunc(sp.radsimp).is_zero_matrix
