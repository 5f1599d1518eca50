"""The report: whole, self-contained, and usable in a browser."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from proofs_checks import cli, matrix
from proofs_checks.report.maths import formula, words
from theory.claims import CLAIMS
from theory.derivations import DERIVATIONS
from theory.typeset import lines

GRID = ("--depths", "16,32,64", "--eta", "0.1:10:8", "--tokens", "3", "--dim", "3", "--seeds", "12")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    root = tmp_path_factory.mktemp("report")
    cli.main(["sweep", "norm", *GRID, "--out", str(root / "norm")])
    cli.main(["sweep", "depth", "--epsilon", "1e-2,1e-4", "--out", str(root / "depth")])
    target = root / "out.json"
    runs = [str(root / "norm"), str(root / "depth")]
    assert cli.main(["report", *runs, "--out", str(root / "page"), "--json", str(target)]) == 0
    return root / "page" / "report.html", json.loads(target.read_text())


class Page(HTMLParser):
    """Ids, inner links, and everything that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and given.get("href", "").startswith("#"):
            self.links.append(given["href"][1:])
        outside = given.get("src", "") or (given.get("href", "") if tag in ("link", "use", "image") else "")
        if outside and not outside.startswith(("data:", "#")):
            self.fetched.append(outside)


def parsed(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_nothing_is_fetched_and_no_link_is_dead(written: tuple[Path, dict]) -> None:
    page = parsed(written[0])
    assert page.fetched == []
    assert len(page.links) > 300
    assert set(page.links) - page.ids == set()


def test_every_claim_cell_and_derivation_is_there(written: tuple[Path, dict]) -> None:
    page = parsed(written[0])
    text = written[0].read_text(encoding="utf-8")
    assert {x.replace("/", "_") for x in [*CLAIMS, *DERIVATIONS]} <= page.ids
    shown = [c for c in matrix.matrix() if c["state"] == "needed"]
    assert text.count('<td class="needed"') == len(shown)
    steps = sum(len(lines(s.says)) for d in DERIVATIONS.values() for s in d.steps)
    assert text.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') >= steps
    assert text.count("check-certificate") >= 5


def test_its_figures_are_vector_files_with_embedded_fonts(written: tuple[Path, dict]) -> None:
    files = [Path(x) for x in written[1]["figures"]]
    assert len(files) == 6
    assert all(x.stat().st_size > 3_000 for x in files)
    for pdf in (x for x in files if x.suffix == ".pdf"):
        content = pdf.read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/FontFile2" in content  # TrueType, embedded
        assert b"/Type3" not in content


def test_the_same_runs_make_the_same_page(written: tuple[Path, dict], tmp_path: Path) -> None:
    root = written[0].parents[1]
    cli.main(["report", str(root / "norm"), str(root / "depth"), "--out", str(tmp_path)])
    assert (tmp_path / "report.html").read_bytes() == written[0].read_bytes()


def test_every_formula_of_the_derivations_is_mathml() -> None:
    for claim in CLAIMS.values():
        assert "<code>" not in words(claim.statement), claim.id
        assert all("<math" in formula(f.latex, True) for f in claim.formulas)


def test_a_formula_that_cannot_be_converted_is_shown_as_it_is() -> None:
    assert formula(r"\left( a") == r"<code>\left( a</code>"


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [(["{}/none"], "holds no sweep"), (["{}"], "holds no sweep"), (["--out", "{}/file"], "is a file")],
)
def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words_: str) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["report", *(a.format(tmp_path) for a in arguments)]) == 2
    assert words_ in capsys.readouterr().err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.filterwarnings("ignore")
def test_a_reader_clicks_through_it(written: tuple[Path, dict]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("request", lambda r: faults.append(r.url) if r.url.startswith("http") else None)
        page.goto(written[0].as_uri())
        assert page.locator("section").count() == 8
        # from the table of verdicts to the derivation, which opens
        page.locator("#verdicts a", has_text=re.compile("^prop-3.3/drift$")).click()
        claim = page.locator("details[id='prop-3.3_drift']")
        assert claim.evaluate("e => e.open")
        formula_ = claim.locator("math").first
        box = formula_.bounding_box()
        assert box is not None
        assert box["height"] > 8
        # from a step to the lemma that it applies
        claim.locator("p.how a").first.click()
        target = page.evaluate("decodeURIComponent(location.hash.slice(1))")
        assert page.evaluate("id => document.getElementById(id).open", target)
        # a diagram shows what is under the pointer, and zooms
        diagram = page.locator(".diagram .plotly").first
        diagram.scroll_into_view_if_needed()
        plot = diagram.locator(".nsewdrag").first.bounding_box()
        assert plot is not None
        x, y = plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2
        page.mouse.move(x, y)
        page.wait_for_selector(".hoverlayer .hovertext", timeout=10_000)
        before = page.evaluate("document.querySelector('.js-plotly-plot').layout.xaxis.range.slice()")
        page.mouse.down()
        page.mouse.move(x + 80, y + 60, steps=4)
        page.mouse.up()
        page.wait_for_timeout(500)
        after = page.evaluate("document.querySelector('.js-plotly-plot').layout.xaxis.range.slice()")
        assert after[1] - after[0] < before[1] - before[0]
        # a cell of the matrix says what stands behind it
        assert "counterexample" in (page.locator("td.needed").first.get_attribute("title") or "")
        assert page.locator("#certificates a[download]").count() >= 5
        assert faults == []
        browser.close()
