"""Hypothesis strategies for instances of the theorems: public, built (not filtered), and shrinking to readable cases.

Every strategy draws an :class:`~proofs_checks.spec.InstanceSpec` from a family of :mod:`proofs_checks.spec`; the
same families feed the batched sampler. Shrinking goes to n = 1, d = 2, diagonal V, axis-aligned ΔV and tokens in
the plane of u1 and u2, with numbers on a coarse grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_checks.sampler import Batch, realise_one
from proofs_checks.spec import FAMILIES, Choice, Family, Grid, InstanceSpec


def _field(domain: Choice | Grid) -> st.SearchStrategy[Any]:
    if isinstance(domain, Choice):
        return st.sampled_from(domain.values)
    return st.integers(domain.low, domain.high).map(lambda k: k / domain.steps)


def _family(family: Family | str) -> Family:
    return FAMILIES[family] if isinstance(family, str) else family


def specs(family: Family | str, **fixed: Any) -> st.SearchStrategy[InstanceSpec]:
    """Specifications of a family; keyword arguments fix fields (``n=1``) or replace their strategies."""
    domain = {name: _field(choice) for name, choice in _family(family).domain.items()}
    unknown = set(fixed) - set(domain)
    if unknown:
        raise ValueError(f"no such field of InstanceSpec: {', '.join(sorted(unknown))}")
    given = {k: v if isinstance(v, st.SearchStrategy) else st.just(v) for k, v in fixed.items()}
    return st.builds(InstanceSpec, **(domain | given))


def instances(family: Family | str, **fixed: Any) -> st.SearchStrategy[Batch]:
    """Instances of a family, each as a batch of one (planted answers beside dense matrices and tokens)."""
    return specs(family, **fixed).map(lambda spec: realise_one(family, spec))


def orthogonal_matrices(d: int) -> st.SearchStrategy[np.ndarray]:
    """Orthogonal d×d matrices: the identity first, then Haar-random ones."""

    def build(seed: int) -> np.ndarray:
        if seed == 0:
            return np.eye(d)
        q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
        return q * np.sign(np.diag(r))

    return st.integers(0, 2**16).map(build)


def spectra(d: int, *, psd: bool = True) -> st.SearchStrategy[np.ndarray]:
    """Decreasing eigenvalues with λ1 = 1 > λ2, weight on ties, multiplicities and collapsing gaps."""
    low = 0 if psd else -15
    gaps = st.one_of(st.integers(1, 16).map(lambda k: k / 16), st.integers(2, 15).map(lambda k: 10.0**-k))
    ratios = st.lists(st.integers(low, 16), min_size=d - 2, max_size=d - 2)

    def build(gap: float, rest: list[int]) -> np.ndarray:
        second = 1 - gap
        others = sorted((second * k / 16 for k in rest), reverse=True)
        return np.asarray([1.0, second, *others])

    return st.builds(build, gaps, ratios)


def value_matrices(d: int, *, psd: bool = True) -> st.SearchStrategy[np.ndarray]:
    """Symmetric V = Q diag(λ) Qᵀ with λ from :func:`spectra`; shrinks to a diagonal matrix."""

    def build(q: np.ndarray, values: np.ndarray) -> np.ndarray:
        v = (q * values) @ q.T
        return (v + v.T) / 2

    return st.builds(build, orthogonal_matrices(d), spectra(d, psd=psd))


def tokens(n: int, d: int, *, max_angle: float = 1.5) -> st.SearchStrategy[np.ndarray]:
    """n unit tokens (n, d) within ``max_angle`` of the first axis; shrinks to tokens in the first plane."""

    def build(fractions: list[int], seed: int) -> np.ndarray:
        directions = np.zeros((n, d - 1))
        directions[:, 0] = 1.0
        if seed:
            g = np.random.default_rng(seed).standard_normal((n, d - 1))
            directions = g / np.linalg.norm(g, axis=1, keepdims=True)
        angle = max_angle * np.asarray(fractions) / 16
        return np.concatenate([np.cos(angle)[:, None], np.sin(angle)[:, None] * directions], axis=1)

    return st.builds(build, st.lists(st.integers(0, 16), min_size=n, max_size=n), st.integers(0, 2**16))
