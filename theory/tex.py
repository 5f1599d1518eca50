"""Derivations as LaTeX: one file a claim, fit for a paper's appendix, one macro file, and a book of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from theory.assumptions import ASSUMPTIONS
from theory.claim import Claim
from theory.kernel.step import Derivation, Step
from theory.typeset import lines, premise_labels, tex_words

MACROS_FILE = "loraproofs.sty"
BOOK_FILE = "book.tex"
_HEAD = "% written by `loraproofs derive --out DIR`; changes are lost\n"

MACROS = (
    _HEAD
    + r"""\NeedsTeXFormat{LaTeX2e}
\ProvidesPackage{loraproofs}[derivations of loraproofs]
\RequirePackage{amsmath,amssymb,amsthm,adjustbox,enumitem}
\newtheorem{lpclaim}{Claim}
\newtheorem{lplemma}{Lemma}
% the paper's own words, what is assumed, and what the symbols are
\newcommand{\lpquote}[1]{\par\noindent\textbf{The paper says:} #1\par}
\newcommand{\lpexpected}[1]{\par\noindent\textbf{Expected:} #1.\par}
\newcommand{\lpremark}[1]{\par\noindent\textbf{Remark.} #1\par}
\newcommand{\lpconditional}[1]{\par\noindent\textbf{Conditional.} #1\par}
\newcommand{\lpscope}[1]{\par\noindent\textbf{Scope.} #1\par}
\newcommand{\lpname}[1]{\textsf{#1}}
\newlist{lpassumptions}{itemize}{1}
\setlist[lpassumptions]{label=--,leftmargin=1.5em,nosep}
\newlist{lpsetting}{enumerate}{1}
\setlist[lpsetting]{label=(S\arabic*),leftmargin=3em,nosep,itemsep=2pt}
\newlist{lpsteps}{enumerate}{1}
\setlist[lpsteps]{label=(\arabic*),leftmargin=3em,itemsep=3pt}
% a displayed formula, shrunk where it is wider than the line
\newcommand{\lpmath}[1]{\par\smallskip\noindent\hspace*{1em}%
  \adjustbox{max width=0.94\linewidth}{$\displaystyle #1$}\par}
% how a step is checked, and from what
\newcommand{\lpby}[2]{\par\noindent{\footnotesize\textit{#1}#2}}
\newlist{lpreferences}{itemize}{1}
\setlist[lpreferences]{label=--,leftmargin=1.5em,nosep}
"""
)

_KINDS = {
    "identity": "exact identity",
    "inequality": "exact certificate, and z3",
    "derivative": "differentiation",
    "evaluation": "exact or ball arithmetic",
    "limit": "exact power series",
    "expectation": "Gaussian moments, all pairings",
    "convexity": "convexity",
    "definition": "definition",
}


def file_name(claim_id: str) -> str:
    """The file of a claim: ``prop-3.3/drift`` → ``prop-3.3_drift.tex``."""
    return claim_id.replace("/", "_") + ".tex"


def label(claim_id: str) -> str:
    """The LaTeX label of a claim or lemma."""
    return f"lp:{claim_id}"


def claim_tex(derivation: Derivation, claim: Claim | None) -> str:
    """The fragment of one claim (or of a lemma where ``claim`` is None)."""
    parts = [_HEAD, _statement(derivation, claim)]
    if claim is not None:
        if claim.quoted:
            parts.append(rf"\lpquote{{{tex_words(claim.quoted)}}}" + "\n")
        parts.append(rf"\lpexpected{{{claim.expected}}}" + "\n")
        parts.append(_assumptions(derivation, claim))
    parts.append(_setting(derivation))
    if derivation.scope:
        parts.append(rf"\lpscope{{{tex_words(derivation.scope)}}}" + "\n")
    if derivation.conditional:
        parts.append(rf"\lpconditional{{{tex_words(derivation.conditional)}}}" + "\n")
    if derivation.remark:
        parts.append(rf"\lpremark{{{tex_words(derivation.remark)}}}" + "\n")
    parts += [r"\begin{proof}[Derivation]\leavevmode", "\n", r"\begin{lpsteps}", "\n"]
    labels = premise_labels(derivation)
    parts += [_step(step, labels) for step in derivation.steps]
    parts += [r"\end{lpsteps}", "\n", r"\end{proof}", "\n", _references(derivation)]
    return "".join(parts)


def _statement(derivation: Derivation, claim: Claim | None) -> str:
    name = derivation.claim
    if claim is None:
        body = "".join(rf"\lpmath{{{line}}}" + "\n" for line in lines(derivation.steps[-1].says))
        head = f"\\begin{{lplemma}}[{{{tex_words(derivation.title)}}}]\\label{{{label(name)}}}\\leavevmode\n"
        return f"{head}{body}\\end{{lplemma}}\n"
    return (
        f"\\begin{{lpclaim}}[{{\\lpname{{{tex_words(name)}}}: {tex_words(claim.title)}}}]\\label{{{label(name)}}}\n"
        f"{tex_words(claim.statement)}\n\\end{{lpclaim}}\n"
    )


def _assumptions(derivation: Derivation, claim: Claim) -> str:
    if not claim.assumptions:
        return ""
    rows = []
    for name in claim.assumptions:
        given = derivation.assumptions.get(name)
        if given is not None:
            symbols = "".join(rf"\lpmath{{{line}}}" for line in lines(given))
        else:
            number = premise_labels(derivation).get(derivation.meets.get(name, ""), "")
            symbols = rf" (shown of the instance in step {number})" if number else ""
        rows.append(rf"\item \lpname{{{name}}}: {tex_words(ASSUMPTIONS[name])}{symbols}" + "\n")
    items = "".join(rows)
    return r"\par\noindent\textbf{Assumptions.}" + "\n\\begin{lpassumptions}\n" + items + "\\end{lpassumptions}\n"


def _setting(derivation: Derivation) -> str:
    if not derivation.setting:
        return ""
    rows = []
    for name, statement in derivation.setting.items():
        maths = "".join(rf"\lpmath{{{line}}}" for line in lines(statement))
        rows.append(rf"\item {tex_words(name.replace('-', ' '))}:{maths}" + "\n")
    return r"\par\noindent\textbf{Setting.}" + "\n\\begin{lpsetting}\n" + "".join(rows) + "\\end{lpsetting}\n"


def _step(step: Step, labels: Mapping[str, str]) -> str:
    maths = "".join(rf"\lpmath{{{line}}}" + "\n" for line in lines(step.says))
    how = _KINDS.get(step.rule.kind, step.rule.kind)
    used = getattr(step.rule, "uses", None)
    if used:
        how = rf"application of \lpname{{{tex_words(used)}}}"
    if step.rule.cited:
        how += ", cited: " + tex_words(step.rule.cited)
    sources = ", ".join(_source(name, labels) for name in step.premises)
    return (
        rf"\item {tex_words(step.why)}" + "\n" + maths
        + rf"\lpby{{{how}}}{{{'; from ' + sources if sources else ''}}}" + "\n"
    )  # fmt: skip


def _source(name: str, labels: Mapping[str, str]) -> str:
    number = labels.get(name, name)
    return rf"\lpname{{{tex_words(name)}}}" if number == name else f"({number})"


def _references(derivation: Derivation) -> str:
    cited = list(dict.fromkeys(step.rule.cited for step in derivation.steps if step.rule.cited))
    if not cited:
        return ""
    items = "".join(rf"\item {tex_words(source)}" + "\n" for source in cited)
    return "\\par\\noindent\\textbf{References.}\n\\begin{lpreferences}\n" + items + "\\end{lpreferences}\n"


def book_tex(ids: Iterable[str], groups: Mapping[str, str]) -> str:
    """The book: every file in a section of its result. ``groups`` maps a prefix of ids to the title of its section."""
    head = (
        _HEAD
        + r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern,microtype}
\usepackage[margin=2.4cm]{geometry}
\usepackage{loraproofs}
\usepackage[hidelinks]{hyperref}
\setlength{\emergencystretch}{3em}
\title{Derivations of the theorems on LoRA and forgetting in mean-field attention}
\author{loraproofs}
\date{}
\begin{document}
\maketitle
\noindent Claims of H. Koubbi, L. Hernandez, M. Boussard, \emph{Understanding Catastrophic Forgetting in LoRA via
Mean-Field Attention Dynamics}, arXiv 2402.15415v2, as quoted and as stated here. Every step is checked by the rule
that stands below it; what a step takes from the literature is cited there. The last step of each derivation is the
formula that the suite evaluates.
\tableofcontents
"""
    )
    names = list(ids)
    body = []
    for prefix, title in groups.items():
        chosen = [i for i in names if i.startswith(prefix)]
        if chosen:
            body.append(rf"\section{{{title}}}" + "\n")
            for name in chosen:
                body.append(rf"\subsection{{{tex_words(name)}}}" + "\n" + rf"\input{{{file_name(name)}}}" + "\n")
    return head + "".join(body) + "\\end{document}\n"


GROUPS = {
    "lemma/": "Lemmas",
    "prop-3.1": "Proposition 3.1: finite-time stability",
    "prop-3.3": "Proposition 3.3: long-time stability",
    "remark-3.4": "Remark 3.4: drift per eigenvalue",
    "thm-4.2": "Theorem 4.2: transition in the norm",
    "thm-4.6": "Theorem 4.6: transition in depth",
}
"""Prefix of ids → section of the book."""


def files(derivations: Mapping[str, Derivation], claims: Mapping[str, Claim]) -> dict[str, str]:
    """Name → text of every file: the claims, the macros, the book."""
    texts = {file_name(i): claim_tex(d, claims.get(i)) for i, d in derivations.items()}
    texts[MACROS_FILE] = MACROS
    texts[BOOK_FILE] = book_tex(derivations, GROUPS)
    return texts
