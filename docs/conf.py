"""Configuration of the documentation, and reference pages of every module that is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import sphinx.events
from docutils import nodes
from sphinx import addnodes

DOCS = Path(__file__).parent
ROOT = DOCS.parent
LONGEST_VALUE = 100
_SHORTENED = re.compile(r"\b(Derivation|Step)\(")
PACKAGES = ("theory", "numerics", "proofs_checks")

project = "loraproofs"
author = "The loraproofs developers"
copyright = "The loraproofs developers"
release = version = "0.1.0"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
]
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "generated"]

html_theme = "furo"
html_title = "loraproofs"

toc_object_entries = (
    False  # modules are headings; every function in the navigation of every page is a third of the build
)
autodoc_member_order = "bysource"
autodoc_mock_imports = ["transformers", "peft"]  # of the monitor's callback: not needed to build the docs
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_ivar = True

_FIELD_SECTION = re.compile(r"^(Attributes|Parameters|Returns|Raises)$")
_FIELD = re.compile(r"^(\w[\w.*, ]*): (\S.*)$")


def numpy_fields(lines: list[str]) -> list[str]:
    """The lists ``name: description`` of our docstrings in the layout that numpydoc asks for.

    Within a section of fields, ``name: description`` becomes ``name`` and the description below it, indented.
    """
    result: list[str] = []
    inside = False
    for position, line in enumerate(lines):
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if re.fullmatch(r"-{3,}", following.strip()):
            inside = bool(_FIELD_SECTION.match(line))
        field = _FIELD.match(line) if inside else None
        if field:
            result += [field[1], f"    {field[2]}"]
            continue
        if inside and result and not result[-1].strip() and line.strip() and not line.startswith(" "):
            inside = bool(_FIELD_SECTION.match(line))
            if not inside:  # a paragraph after the fields, which must not be read as one of them
                result += ["Notes", "-----"]
        result.append(line)
    return result


def literal_bars(lines: list[str]) -> list[str]:
    """Bars of norms outside of code are bars, not the substitutions of reStructuredText."""
    pieces = re.split(r"(``.*?``)", "\n".join(lines), flags=re.DOTALL)
    return "".join(x if x.startswith("``") else x.replace("|", r"\|") for x in pieces).split("\n")


def _process_docstring(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = literal_bars(numpy_fields(lines))


def modules_of(package: str) -> list[str]:
    """Importable names of all modules of a package, the package itself first."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / package).rglob("*.py")))
    return [".".join(p for p in path.parts if p != "__init__") for path in paths if path.name != "__main__"]


def write_if_changed(page: Path, text: str) -> None:
    """Write a page; an unchanged one keeps its time stamp, so that it is not built again."""
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def write_reference_pages(_app: Any = None) -> None:
    """Write ``docs/api/<package>.md``, a page with every module of each package."""
    for package in PACKAGES:
        parts = [f"# `{package}`\n"]
        for module in modules_of(package):
            heading = "" if module == package else f"## `{module}`\n\n"
            parts.append(
                f"{heading}```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :ignore-module-all:\n```\n"
            )
        page, text = DOCS / "api" / f"{package}.md", "\n".join(parts)
        page.parent.mkdir(exist_ok=True)
        write_if_changed(page, text)


def write_claim_pages(_app: Any = None) -> None:
    """Write ``docs/claim/<id>.md``, a page for every claim and lemma, and their index."""
    from proofs_checks.pages import index_page, pages

    folder = DOCS / "claim"
    folder.mkdir(exist_ok=True)
    texts = {**pages(), "index": index_page()}
    for old in folder.glob("*.md"):
        if old.stem not in texts:
            old.unlink()
    for name, text in texts.items():
        write_if_changed(folder / f"{name}.md", text)


def short_words() -> None:
    """What is printed and then left out: the arguments of every event, and derivations in full.

    Sphinx prints the arguments of an event for its log of debugging, each time anew; half of the time of a build went
    into derivations printed there, and into those that :func:`drop_long_values` leaves out.
    """
    from theory.kernel.step import Derivation, Step

    vars(sphinx.events)["repr"] = lambda arguments: ", ".join(type(a).__name__ for a in arguments)
    for kind, name in ((Derivation, "claim"), (Step, "id")):
        kind.__repr__ = lambda self, name=name: f"{type(self).__name__}({getattr(self, name)})"


def drop_long_values(_app: Any, doctree: nodes.document) -> None:
    """Leave out values of constants that would fill pages (tableaus, the ledger)."""
    for annotation in list(doctree.findall(addnodes.desc_annotation)):
        text = annotation.astext()
        if text.lstrip().startswith("=") and (len(text) > LONGEST_VALUE or _SHORTENED.search(text)):
            annotation.parent.remove(annotation)


def setup(app: Any) -> None:
    short_words()
    # before napoleon's own handler, which has the default priority 500
    app.connect("autodoc-process-docstring", _process_docstring, priority=400)
    app.connect("builder-inited", write_reference_pages)
    app.connect("builder-inited", write_claim_pages)
    app.connect("doctree-read", drop_long_values)
