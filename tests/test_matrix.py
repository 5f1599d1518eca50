"""The assumption matrix: no empty cell, computed states, evidence that is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from proofs_checks import cli, generated, graph, matrix
from proofs_checks.lock import PATH as LOCK
from proofs_checks.pages import committed_verdicts
from proofs_checks.relax.stored import path
from theory.assumptions import ASSUMPTIONS, RELAXATIONS
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.models import SPEAKS_OF, assumed, occurs

EVIDENCE = LOCK.parent
CELLS = matrix.matrix()
BY_PLACE = {(c["claim"], c["assumption"]): c for c in CELLS}


def test_there_is_a_cell_for_every_claim_and_assumption() -> None:
    assert set(BY_PLACE) == {(c, a) for c in CLAIMS for a in ASSUMPTIONS}
    assert all(c["state"] in matrix.STATES and c["evidence"] for c in CELLS)


def test_at_most_three_in_ten_are_open() -> None:
    holding = [c for c in CELLS if CLAIMS[c["claim"]].expected == "holds"]
    assert matrix.open_share(CELLS) <= 0.3
    assert matrix.open_share(holding) <= 0.3  # without the rows that are needed by being false


def test_needed_has_a_counterexample_and_not_needed_a_derivation() -> None:
    for c in CELLS:
        if c["state"] == "needed":
            assert (EVIDENCE / c["evidence"]["counterexample"]).exists()
        if c["state"] == "not_needed":
            assert c["evidence"]["derivation"] in DERIVATIONS
            assert c["assumption"] not in CLAIMS[c["claim"]].assumptions
            assert not DERIVATIONS[c["evidence"]["derivation"]].conditional
        if c["state"] == "open":
            assert c["evidence"]["tried"]


def test_only_what_the_model_does_not_have_is_left_out() -> None:
    for c in CELLS:
        assert (c["state"] == "na") == (not occurs(CLAIMS[c["claim"]], c["assumption"]))
        if c["assumption"] in CLAIMS[c["claim"]].assumptions:
            assert c["state"] != "na"


def test_what_was_known_by_hand() -> None:
    """From the paper's own discussion and the counterexamples of this project."""
    assert BY_PLACE["prop-3.3/convergence", "dominant-gap"]["state"] == "needed"
    assert BY_PLACE["prop-3.3/convergence", "a-equals-v"]["state"] == "not_needed"
    assert BY_PLACE["prop-3.3/criterion", "hemisphere"]["state"] == "needed"
    assert BY_PLACE["prop-3.3/drift", "hemisphere"]["state"] == "na"
    assert BY_PLACE["prop-3.1/sphere", "full-attention"]["state"] == "not_needed"
    assert BY_PLACE["thm-4.2/critical", "independent-adapters"]["state"] == "needed"
    assert BY_PLACE["remark-3.4/subspace", "symmetric-base"]["state"] == "open"


GIVES = {r"Eq\(V\.T, V\)|Eq\(V\.T\*u1,": "symmetric-base", r"Eq\(m_i\w*, x_i\w*\)": "collapsed-base"}
"""What a setting says → the assumption that it is."""


def test_what_a_derivation_is_given_is_assumed() -> None:
    """A derivation may be given an assumption in its setting, undeclared: then the claim does need it there."""
    seen = 0
    for name, derivation in DERIVATIONS.items():
        claim = CLAIMS.get(name)
        if claim is None or claim.expected != "holds":
            continue
        for statement in map(str, derivation.setting.values()):
            for pattern, assumption in GIVES.items():
                if re.search(pattern, statement):
                    seen += 1
                    assert assumption in assumed(claim), (name, statement)
    assert seen >= 10


def test_a_claim_whose_derivation_is_not_known_leaves_its_cells_open() -> None:
    """The negative control of ``not_needed``."""
    claim = CLAIMS["prop-3.1/sphere"]
    assert matrix.cell(claim, "psd", {claim.id: "derived"})["state"] == "not_needed"
    assert matrix.cell(claim, "psd", {claim.id: "supported"})["state"] == "open"
    assert matrix.cell(claim, "psd", {})["state"] == "open"


def test_every_assumption_states_its_relaxation() -> None:
    assert set(RELAXATIONS) == set(ASSUMPTIONS) == set(SPEAKS_OF)
    for claim in CLAIMS.values():
        assert set(claim.assumptions) <= set(assumed(claim)) | {a for a in ASSUMPTIONS if not occurs(claim, a)}


def test_formats_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, table, data = (tmp_path / name for name in ("m.html", "m.tex", "m.json"))
    arguments = ["matrix", "prop-3.3", "--html", str(page), "--latex", str(table), "--json", str(data)]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    cells = json.loads(data.read_text())["cells"]
    needed = sum(c["state"] == "needed" for c in cells)
    assert printed.count("●") == needed + 1  # and the legend
    assert page.read_text().count('class="needed"') == needed
    assert table.read_text().count(r"$\bullet$") == needed + 1
    assert path("prop-3.3/criterion", "hemisphere").name in page.read_text()
    assert "http" not in page.read_text().replace("http-equiv", "")


@pytest.mark.parametrize("group", graph.GROUPS)
def test_graph_shows_no_more_than_the_weakest_ancestor(group: str) -> None:
    verdicts = committed_verdicts()
    found = graph.build(group, verdicts)
    assert {i for i in CLAIMS if i.startswith(group + "/")} <= set(found.nodes)
    strength = {"open": 0, "inconclusive": 0, "stale": 0, "supported": 1, "derived": 2}
    for source, target, kind in found.edges:
        below, above = found.nodes[source], found.nodes[target]
        if kind == "proof" and above.state in strength and below.state in strength:
            assert strength[above.state] <= strength[below.state], (source, target)
    levels = {name: k for k, row in enumerate(graph.layers(found)) for name in row}
    assert all(levels[source] < levels[target] for source, target, _ in found.edges)
    tree = ElementTree.fromstring(graph.svg(found))
    assert len(tree.findall(".//{http://www.w3.org/2000/svg}title")) == len(found.nodes)


def test_the_committed_graphs_are_up_to_date_and_on_the_page(tmp_path: Path) -> None:
    generated.graphs(tmp_path)
    docs = Path(__file__).resolve().parents[1] / "docs"
    page = (docs / "matrix.md").read_text(encoding="utf-8")
    committed = {p.name: p for p in (docs / "generated" / "figures").glob("graph*")}
    assert set(committed) == {p.name for p in tmp_path.iterdir()}
    for name, picture in committed.items():
        text = picture.read_text(encoding="utf-8")
        assert text == (tmp_path / name).read_text(encoding="utf-8"), "run `make figures`"
        assert f":file: generated/figures/{name}" in page


def test_a_weak_ancestor_weakens_what_rests_on_it() -> None:
    """The negative control of the graph: ``effective`` is what is drawn."""
    verdicts = committed_verdicts()
    weaker = verdicts | {"prop-3.3/criterion": {"verdict": "derived", "effective": "supported"}}
    assert graph.build("prop-3.3", weaker).nodes["prop-3.3/criterion"].state == "supported"
