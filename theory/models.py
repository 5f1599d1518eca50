"""What each claim speaks of: the parts of its model, and the assumptions that are built into it without being declared.

An assumption about a part that a claim's model does not have *does not occur* in it.
"""

from __future__ import annotations

from theory.assumptions import ASSUMPTIONS
from theory.claim import Claim

SPEAKS_OF: dict[str, str] = {
    "tied-weights": "tokens",
    "a-equals-v": "tokens",
    "psd": "value",
    "symmetric-base": "value",
    "symmetric-update": "update",
    "hemisphere": "tokens",
    "spectral-gap": "value",
    "dominant-gap": "value",
    "single-head": "tokens",
    "full-attention": "tokens",
    "post-ln": "sphere",
    "attention-only": "tokens",
    "gaussian-adapters": "adapters",
    "independent-adapters": "layers",
    "zero-mean-adapters": "adapters",
    "common-start": "pair",
    "collapsed-base": "tokens",
}
"""Assumption → the part of a model that it is about."""

_MATRICES = ("value", "update")
_ONE_FLOW = ("value", "tokens", "sphere")
_FLOW = ("value", "update", "tokens", "sphere")
_PAIR = (*_FLOW, "pair")
_RANDOM = ("value", "tokens", "sphere", "pair", "adapters", "layers")
_AUTONOMOUS = ("tied-weights",)
_NEAR_U1 = (*_AUTONOMOUS, "symmetric-base", "hemisphere", "collapsed-base")
"""The linearised model: V symmetric, tokens collapsed near u1."""

_MODELS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "prop-3.1/sphere": (_PAIR, _AUTONOMOUS),
    "prop-3.1/euclidean": (("value", "update", "tokens", "pair"), _AUTONOMOUS),
    "prop-3.1/initial": (("value", "update", "tokens", "sphere"), _AUTONOMOUS),
    "prop-3.1/initial-w2-kstar": (_ONE_FLOW, _AUTONOMOUS),
    "prop-3.1/discrete": (_ONE_FLOW, ()),
    "prop-3.3/convergence": (_ONE_FLOW, _AUTONOMOUS),
    "prop-3.3/convergence-gap-only": (_ONE_FLOW, _AUTONOMOUS),
    "prop-3.3/drift": (_MATRICES, ()),
    "prop-3.3/drift-quoted": (_MATRICES, ()),
    "prop-3.3/criterion": (_PAIR, _AUTONOMOUS),
    "prop-3.3/criterion-quoted": (_PAIR, _AUTONOMOUS),
    "prop-3.3/criterion-quoted-nonsymmetric": (_PAIR, _AUTONOMOUS),
    "prop-3.3/nonsymmetric": (_FLOW, (*_AUTONOMOUS, "hemisphere")),
    "prop-3.3/orthogonal": (_MATRICES, ()),
    "prop-3.3/layered": (_ONE_FLOW, ("symmetric-base",)),
    "prop-3.3/heads": (_ONE_FLOW, _AUTONOMOUS),
    "remark-3.4/secular": (_MATRICES, ()),
    "remark-3.4/expansion": (_MATRICES, ()),
    "remark-3.4/drift": (_MATRICES, ()),
    "remark-3.4/drift-quoted": (_MATRICES, ()),
    "remark-3.4/collapse": (_MATRICES, ()),
    "remark-3.4/rank": (("value", "adapters"), ("zero-mean-adapters",)),
    "remark-3.4/subspace": (_MATRICES, ()),
    "thm-4.2/variance": (_RANDOM, ("collapsed-base",)),
    "thm-4.2/subcritical": (_RANDOM, _AUTONOMOUS),
    "thm-4.2/critical": (_RANDOM, (*_AUTONOMOUS, "hemisphere")),
    "thm-4.2/supercritical": (_RANDOM, _AUTONOMOUS),
    "thm-4.2/supercritical-tied": (_RANDOM, ()),
    "thm-4.2/collapse": (_RANDOM, (*_NEAR_U1, "independent-adapters")),
    "thm-4.2/fixed-step": (_RANDOM, (*_NEAR_U1, "independent-adapters")),
    "thm-4.2/norm-quoted-fixed-step": (_RANDOM, _AUTONOMOUS),
    "thm-4.2/two-level": (_RANDOM, (*_AUTONOMOUS, "collapsed-base")),
    "thm-4.6/lower": (_FLOW, _AUTONOMOUS),
    "thm-4.6/plain-riccati": (_FLOW, _AUTONOMOUS),
    "thm-4.6/upper": (_FLOW, _AUTONOMOUS),
    "thm-4.6/cutoff": (_FLOW, (*_AUTONOMOUS, "hemisphere")),
    "thm-4.6/degenerate": (_PAIR, (*_AUTONOMOUS, "collapsed-base", "hemisphere")),
    "thm-4.6/random": (_RANDOM, (*_AUTONOMOUS, "hemisphere")),
    "thm-4.6/random-safe": (_RANDOM, _AUTONOMOUS),
}


def parts(claim: Claim) -> tuple[str, ...]:
    """The parts of the claim's model: ``value``, ``update``, ``tokens``, ``sphere``, ``pair``, ``adapters``,
    ``layers``.
    """
    return _MODELS.get(claim.id, ((), ()))[0]


def occurs(claim: Claim, assumption: str) -> bool:
    """Whether the assumption is about a part of the claim's model. Experiments run on real networks: none occurs."""
    return SPEAKS_OF[assumption] in parts(claim) or assumption in claim.assumptions


def assumed(claim: Claim) -> tuple[str, ...]:
    """The assumptions that the claim declares, and those that its model has built in."""
    _, built_in = _MODELS.get(claim.id, ((), ()))
    return tuple(name for name in ASSUMPTIONS if name in claim.assumptions or name in built_in)


def implied(claim: Claim, assumption: str) -> str | None:
    """The assumption of the claim that implies this one, or None."""
    others = [stronger for stronger, weaker in IMPLICATIONS if weaker == assumption]
    return next((name for name in others if name in assumed(claim)), None)


IMPLICATIONS = (("dominant-gap", "spectral-gap"),)
"""(stronger, weaker)."""
