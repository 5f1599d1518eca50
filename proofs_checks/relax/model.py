"""An instance of a model without one assumption, in the one instance format.

What the theorems leave out stands in ``meta["model"]``: ``heads`` ([{A, V}]), ``mlp`` ({W1, W2}), ``causal``,
``normalised`` (false: no LayerNorm), ``pre_ln`` (true: LayerNorm before the block alone), ``lengths`` (of the tokens,
then), ``later`` (V after half of the time), ``other_tokens`` (where the perturbed model starts), ``h`` and ``depth``
(layers), ``adapters`` (independent, tied, ar1, signs, rare), their ``correlation`` (of ar1) and their ``mean``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from numerics.high_precision import add
from numerics.relaxed import Array, Network
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix, parse_matrix, parse_number

NOT_GAUSSIAN = ("signs", "rare")
"""Laws of an adapter's entries: signs; zero half of the time."""


def extras(instance: Instance) -> dict[str, Any]:
    """``meta["model"]``. Raises :class:`InputError` where it is no object."""
    found = instance.meta.get("model", {})
    if not isinstance(found, dict):
        raise InputError('meta.model must be an object, such as {"causal": true}')
    return found


def before_the_block(instance: Instance) -> bool:
    """Whether the model is Pre-LN."""
    return bool(extras(instance).get("pre_ln", False))


def shown(instance: Instance, tokens: Array) -> Array:
    """What a claim reads of tokens ``(..., d)``: in a Pre-LN model their directions, as its last LayerNorm does."""
    return tokens / np.linalg.norm(tokens, axis=-1, keepdims=True) if before_the_block(instance) else tokens


def correlation(instance: Instance) -> float:
    """ρ of the adapters of successive layers: 1 where they are tied, 0 where they are independent."""
    given = extras(instance)
    if given.get("adapters") == "ar1":
        found = parse_number(given.get("correlation", 0), "meta.model.correlation")
        if not 0 <= found < 1:
            raise InputError("meta.model.correlation must be at least 0 and below 1")
        return float(found)
    return float(given.get("adapters") == "tied")


def matrix(value: Any, name: str) -> Matrix:
    """A matrix of ``meta["model"]``, exact."""
    return parse_matrix(value, f"meta.model.{name}", square=False)


def _array(rows: Matrix) -> Array:
    return np.array([[float(x) for x in row] for row in rows])


def networks(instance: Instance, perturbed: bool) -> tuple[Network, Network]:
    """The network of the first and of the second half of the time."""
    given = extras(instance)
    attention = instance.perturbed_attention() if perturbed else (instance.A or instance.V)
    heads = [(_array(matrix(h["A"], "heads.A")), _array(matrix(h["V"], "heads.V"))) for h in given.get("heads", [])]
    mlp = given.get("mlp")
    inside, pre = bool(given.get("normalised", True)), before_the_block(instance)
    block = None if mlp is None else (_array(matrix(mlp["W1"], "mlp.W1")), _array(matrix(mlp["W2"], "mlp.W2")))
    found = []
    for value in (instance.V, matrix(given["later"], "later") if "later" in given else instance.V):
        moved = add(value, instance.dV) if perturbed else value
        found.append(
            Network(
                ((_array(attention), _array(moved)), *heads),
                block,
                bool(given.get("causal", False)),
                inside and not pre,
                pre,
            )
        )
    return found[0], found[1]


def start(instance: Instance, perturbed: bool) -> Array:
    """The tokens that a model starts from (n×d)."""
    given = extras(instance)
    rows = instance.X0 or ()
    if perturbed and "other_tokens" in given:
        rows = matrix(given["other_tokens"], "other_tokens")
    tokens = _array(rows)
    tokens = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    lengths = [float(parse_number(x, "meta.model.lengths")) for x in given.get("lengths", [1] * len(rows))]
    return tokens * np.array(lengths)[:, None]


def satisfied(instance: Instance) -> dict[str, bool]:
    """Which of the assumptions about matrices, tokens and architecture hold, exactly.

    V must be upper triangular with its largest diagonal entry first, so that its eigenvalues and u1 = e1 are rational.
    Raises :class:`InputError` otherwise.
    """
    V, given = instance.V, extras(instance)
    d = instance.d
    levels = [V[k][k] for k in range(d)]
    if any(V[i][k] for i in range(d) for k in range(i)) or max(levels) != levels[0]:
        raise InputError("V must be upper triangular with its largest diagonal entry first")
    symmetric = tuple(zip(*V, strict=True)) == V
    tokens = instance.X0 or ()
    heads = [matrix(h["V"], "heads.V") for h in given.get("heads", [])]
    return {
        "tied-weights": "later" not in given,
        "a-equals-v": instance.A is None or instance.A == V,
        "psd": symmetric and min(levels) >= 0,
        "symmetric-base": symmetric and all(h == tuple(zip(*h, strict=True)) for h in heads),
        "symmetric-update": instance.dV == tuple(zip(*instance.dV, strict=True)),
        "hemisphere": all(row[0] > 0 for row in tokens),
        "spectral-gap": levels[0] > max(levels[1:]),
        "dominant-gap": _dominant(V) and all(_dominant(h) for h in heads),
        "single-head": not heads,
        "full-attention": not given.get("causal", False),
        "post-ln": bool(given.get("normalised", True)) and not before_the_block(instance),
        "attention-only": "mlp" not in given,
        "gaussian-adapters": given.get("adapters") not in NOT_GAUSSIAN,
        "independent-adapters": not correlation(instance),
        "zero-mean-adapters": "mean" not in given,
        "common-start": "other_tokens" not in given or matrix(given["other_tokens"], "other_tokens") == tokens,
        "collapsed-base": len(set(tokens)) <= 1,
    }


def _dominant(rows: Matrix) -> bool:
    levels: list[Fraction] = [rows[k][k] for k in range(len(rows))]
    return levels[0] > max(abs(x) for x in levels[1:])
