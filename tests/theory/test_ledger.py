"""The ledger: every id of the theorem sheet, sound dependencies, hashes that follow what evidence speaks of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from theory.assumptions import ASSUMPTIONS
from theory.claim import Claim
from theory.claims import CLAIMS, UnknownClaimError, ancestors, claim, descendants, ledger
from theory.formula import Tightening

SHEET = [
    "prop-3.1/sphere",
    "prop-3.1/euclidean",
    "prop-3.1/initial",
    "prop-3.1/discrete",
    "prop-3.3/convergence",
    "prop-3.3/drift",
    "prop-3.3/criterion",
    "prop-3.3/nonsymmetric",
    "prop-3.3/orthogonal",
    "prop-3.3/layered",
    "prop-3.3/heads",
    "remark-3.4/secular",
    "remark-3.4/expansion",
    "remark-3.4/drift",
    "remark-3.4/collapse",
    "remark-3.4/rank",
    "remark-3.4/subspace",
    "thm-4.2/variance",
    "thm-4.2/subcritical",
    "thm-4.2/critical",
    "thm-4.2/supercritical",
    "thm-4.2/collapse",
    "thm-4.2/fixed-step",
    "thm-4.2/two-level",
    "thm-4.6/lower",
    "thm-4.6/plain-riccati",
    "thm-4.6/upper",
    "thm-4.6/cutoff",
    "thm-4.6/degenerate",
    "thm-4.6/random",
    "thm-4.6/random-safe",
    "exp-norm",
    "exp-depth",
    "exp-spectrum",
    "exp-ablation",
    "exp-correlation",
    "exp-collapse",
    "exp-indicator",
    "exp-rank",
]
"""Written down by hand from the statements, in their order."""
FALSE_FORMS = [
    "prop-3.1/initial-w2-kstar",
    "prop-3.3/convergence-gap-only",
    "prop-3.3/criterion-quoted",
    "prop-3.3/criterion-quoted-nonsymmetric",
    "remark-3.4/drift-quoted",
    "thm-4.2/supercritical-tied",
    "thm-4.2/norm-quoted-fixed-step",
    "thm-4.6/plain-riccati",
    "thm-4.6/random-safe",
]


def made_up(name: str, **fields) -> Claim:
    values = {"title": name, "quoted": "", "statement": "s", "assumptions": (), "formulas": (), "expected": "open"}
    return Claim(id=name, **{**values, **fields})


def test_every_id_is_there_in_order() -> None:
    assert [name for name in CLAIMS if name in SHEET] == SHEET


def test_quoted_forms_that_are_false_are_claims_of_their_own() -> None:
    assert set(FALSE_FORMS) <= set(CLAIMS)
    for name in FALSE_FORMS:
        assert CLAIMS[name].expected in ("refuted", "open")
        assert CLAIMS[name].note, f"{name} must say what breaks it"


def test_ids_are_those_of_the_claims() -> None:
    assert all(name == item.id for name, item in CLAIMS.items())


def test_claims_with_a_check_require_instances_and_have_a_negative_control() -> None:
    for item in CLAIMS.values():
        if item.expected != "open":
            assert item.required > 0, item.id
            assert item.formulas, item.id
        if item.expected == "holds":
            assert item.tightenings, item.id
        constants = [t for t in item.tightenings if isinstance(t, Tightening)]
        assert all(t.direction in (-1, 1) for t in constants), item.id


def test_a_claim_that_requires_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must require instances"):
        made_up("x", expected="holds")
    with pytest.raises(ValueError, match=r"unknown assumptions \['psdd'\]"):
        made_up("x", assumptions=("psdd",))


def test_every_assumption_has_a_meaning_and_a_use() -> None:
    used = {name for item in CLAIMS.values() for name in item.assumptions}
    assert used == set(ASSUMPTIONS)
    assert all(ASSUMPTIONS.values())
    assert all(len(set(item.assumptions)) == len(item.assumptions) for item in CLAIMS.values())


def test_symbols_are_those_of_the_formulas() -> None:
    assert CLAIMS["prop-3.3/drift"].symbols == {
        "E_norm": r"\|E\|",
        "a": "a",
        "b_norm": r"\|b\|",
        "gap": r"\mathrm{gap}",
    }


def test_near_ids_are_named() -> None:
    assert claim("prop-3.3/drift").id == "prop-3.3/drift"
    with pytest.raises(UnknownClaimError, match=r"no claim 'prop-3.3/drfit'; did you mean prop-3.3/drift or"):
        claim("prop-3.3/drfit")
    with pytest.raises(ValueError, match=r"^no claim 'zzz'$"):
        claim("zzz")


def test_ancestors_and_descendants() -> None:
    assert ancestors("prop-3.3/criterion") == ("prop-3.3/convergence", "prop-3.3/drift")
    assert ancestors("prop-3.3/criterion", "statement") == ("prop-3.3/drift",)
    assert ancestors("prop-3.3/convergence") == ()
    assert ancestors("thm-4.6/random-safe") == ("thm-4.2/variance", "thm-4.2/critical", "thm-4.6/random")
    assert "thm-4.6/random-safe" in descendants("thm-4.2/variance")
    assert descendants("thm-4.2/variance", "statement") == ()
    with pytest.raises(UnknownClaimError):
        descendants("prop-9")


def test_ancestors_and_descendants_are_inverse() -> None:
    for name in CLAIMS:
        assert all(name in ancestors(below) for below in descendants(name))
        assert all(name in descendants(above) for above in ancestors(name))
        assert name not in ancestors(name)


def test_statement_and_proof_edges_on_a_made_up_ledger() -> None:
    claims = ledger(
        [
            made_up("a"),
            made_up("b", statement_depends=("a",)),
            made_up("c", proof_depends=("b",)),
            made_up("d", statement_depends=("b",), proof_depends=("c",)),
        ]
    )
    assert ancestors("d", "all", claims) == ("a", "b", "c")
    assert ancestors("d", "statement", claims) == ("a", "b")
    assert ancestors("d", "proof", claims) == ("b", "c")
    assert descendants("a", "statement", claims) == ("b", "d")
    assert descendants("a", "proof", claims) == ()


def test_ledgers_that_are_not_sound_are_refused() -> None:
    with pytest.raises(ValueError, match="two claims have the id a"):
        ledger([made_up("a"), made_up("a")])
    with pytest.raises(ValueError, match="a depends on b, which is no claim"):
        ledger([made_up("a", proof_depends=("b",))])
    with pytest.raises(ValueError, match="in a circle"):
        ledger([made_up("a", statement_depends=("b",)), made_up("b", proof_depends=("a",))])
    with pytest.raises(ValueError, match="in a circle"):
        ledger([made_up("a", statement_depends=("a",))])


def test_hash_follows_what_evidence_speaks_of() -> None:
    base = CLAIMS["prop-3.3/drift"]
    formula = base.formulas[0]
    changed = [
        replace(base, statement=base.statement + " "),
        replace(base, assumptions=(*base.assumptions, "psd")),
        replace(base, formulas=(replace(formula, expr=2 * formula.expr), *base.formulas[1:])),
        replace(base, tightenings=base.tightenings[:1]),
        replace(base, required=base.required + 1),
        replace(base, arxiv="2402.15415v1"),
    ]
    assert len({base.statement_hash, *(item.statement_hash for item in changed)}) == len(changed) + 1


def test_hash_follows_a_formula_that_another_one_uses() -> None:
    base = CLAIMS["prop-3.3/drift"]
    bound = base.formulas[0]
    inner = replace(bound.where[0], expr=bound.where[0].expr / 2)
    other = replace(base, formulas=(replace(bound, where=(inner,)), *base.formulas[1:]))
    assert other.statement_hash != base.statement_hash


def test_hash_does_not_follow_words() -> None:
    base = CLAIMS["prop-3.3/drift"]
    reordered = tuple(reversed(base.assumptions))
    same = replace(base, note="other words", title="other title", assumptions=reordered)
    assert same.statement_hash == base.statement_hash
    assert len({item.statement_hash for item in CLAIMS.values()}) == len(CLAIMS)
