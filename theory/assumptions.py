"""The assumptions of the paper and of our statements, by name; each may be dropped one at a time."""

from __future__ import annotations

ASSUMPTIONS: dict[str, str] = {
    "tied-weights": r"the same $V$, $A$ at every layer (or time)",
    "a-equals-v": r"$A = V$",
    "psd": r"$V \succeq 0$",
    "symmetric-base": r"$V = V^\top$",
    "symmetric-update": r"$\Delta V = \Delta V^\top$",
    "hemisphere": r"$\langle x_i(0), u_1\rangle \ge \gamma > 0$ for all $i$",
    "spectral-gap": r"$\lambda_1 > \lambda_2$",
    "dominant-gap": r"$\lambda_1 > |\lambda_j|$ for $j \ge 2$",
    "single-head": "one attention head",
    "full-attention": "every token attends to every token (no causal mask)",
    "post-ln": "tokens on the sphere (normalisation after each step)",
    "attention-only": "no MLP block",
    "gaussian-adapters": "adapter factors with Gaussian entries",
    "independent-adapters": "adapters independent over layers",
    "zero-mean-adapters": "adapters with mean zero",
    "common-start": r"base and perturbed flow start from the same tokens",
    "collapsed-base": r"the tokens of the base flow start collapsed at one point",
}
"""Name → what it says (LaTeX in ``$...$``)."""
