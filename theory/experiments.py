"""The experiments of the paper's empirical part: statements to be measured on real models, without a formula.

Their outcome is ``confirmed``, ``not_confirmed`` or ``differs``; no theorem stands behind them.
"""

from __future__ import annotations

from theory.claim import Claim


def _experiment(name: str, title: str, statement: str, depends: tuple[str, ...], note: str = "") -> Claim:
    return Claim(
        id=f"exp-{name}",
        title=title,
        quoted="",
        statement=statement,
        assumptions=(),
        formulas=(),
        expected="open",
        statement_depends=depends,
        note=note,
    )


CLAIMS = (
    _experiment(
        "norm",
        "perplexity against ||ΔV||/√L, random and tied adapters",
        r"On a real model the perplexity as a function of $\|\Delta V\|/\sqrt L$ has a transition, at"
        r" another place for tied than for random adapters.",
        ("thm-4.2/collapse", "thm-4.2/fixed-step"),
    ),
    _experiment(
        "depth",
        "hidden states along the layers",
        r"On a real model the hidden states with an adapter follow those of the base up to a layer, and"
        r" leave them beyond it.",
        ("thm-4.6/cutoff", "thm-4.6/random"),
    ),
    _experiment(
        "spectrum",
        "are real value matrices positive semi-definite with a gap",
        r"Of real value matrices and OV products: $V\succeq0$ and $\lambda_1>\lambda_2$.",
        ("prop-3.3/criterion",),
        "For a matrix that is not symmetric, its own eigenvalues and those of its symmetric part are apart.",
    ),
    _experiment(
        "ablation",
        "tied, random and orthogonal adapters at equal norm",
        r"At equal norm tied adapters damage a real model more than random ones, and orthogonal ones damage"
        r" it least.",
        ("thm-4.2/collapse",),
    ),
    _experiment(
        "correlation",
        "geometric drift against perplexity",
        r"Over adapters on a real model the geometric drift and the perplexity are positively correlated.",
        ("remark-3.4/drift",),
    ),
    _experiment(
        "collapse",
        "mean pairwise cosine by layer",
        r"On a real model the mean pairwise cosine of the tokens grows with the layer.",
        ("prop-3.3/convergence",),
    ),
    _experiment(
        "indicator",
        "||ΔV||/√L and the cone margin as early warning, and what projecting buys",
        r"On a real model $\|\Delta V\|/\sqrt L$ and the cone margin rank adapters by damage before it is"
        r" measured; projecting $\Delta V$ lowers the damage.",
        ("prop-3.3/nonsymmetric", "thm-4.2/fixed-step", "remark-3.4/subspace"),
    ),
    _experiment(
        "rank",
        "high against low rank",
        r"At equal $\|s\|$ adapters of high and of low rank do the same mean damage to a real model.",
        ("remark-3.4/rank",),
    ),
)
