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

RELAXATIONS: dict[str, str] = {
    "tied-weights": r"another $V$ after half of the time (of the layers); the claim keeps the first",
    "a-equals-v": r"any attention matrix $A$",
    "psd": r"$V$ with negative eigenvalues",
    "symmetric-base": r"any real $V$ with a real simple leading eigenvalue; $u_1$ is its right eigenvector",
    "symmetric-update": r"any real $\Delta V$ that leaves a real simple leading eigenvalue",
    "hemisphere": r"some tokens start with $\langle x_i(0), u_1\rangle \le 0$",
    "spectral-gap": r"$\lambda_1 = \lambda_2$ (the gap is read as the distance to the next other eigenvalue)",
    "dominant-gap": r"$\lambda_1 > \lambda_2$ alone: some $|\lambda_j| \ge \lambda_1$",
    "single-head": r"a second head $(V', A')$, the same in both models; the claim keeps the first",
    "full-attention": r"a causal mask: token $i$ attends to the tokens $j \le i$ alone",
    "post-ln": (
        r"no normalisation: $\dot x_i = V m_i$, $x^{l+1} = x^l + h V m^l$, tokens of any length; or Pre-LN: $m_i$ and"
        r" the MLP block read $x/|x|$, the claim the directions"
    ),
    "attention-only": r"an MLP block $W_2\max(W_1x, 0)$ is added, the same in both models",
    "gaussian-adapters": r"independent entries of mean 0 and the same variance, of any law (signs, heavy tails)",
    "independent-adapters": (
        r"correlated over the layers: AR(1), $\Delta V^{l+1}=\rho\,\Delta V^l+\sqrt{1-\rho^2}\,\Delta V'$, or one"
        r" adapter for all (tied)"
    ),
    "zero-mean-adapters": r"a fixed matrix is added to every adapter",
    "common-start": r"the perturbed model starts from other tokens",
    "collapsed-base": r"the tokens of the base start at different points",
}
"""Name → the class of models in which the assumption is dropped (LaTeX in ``$...$``)."""
