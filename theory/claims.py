"""The ledger: every claim by its id, and what depends on what. Checked when it is imported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from theory import experiments, prop_3_1, prop_3_3, remark_3_4, thm_4_2, thm_4_6
from theory.claim import Claim

Edges = Literal["statement", "proof", "all"]
Ledger = Mapping[str, Claim]
_MODULES = (prop_3_1, prop_3_3, remark_3_4, thm_4_2, thm_4_6, experiments)


class UnknownClaimError(ValueError):
    """No claim has this id; the message names near ones."""


def ledger(claims: Iterable[Claim]) -> dict[str, Claim]:
    """Claims by id, in the order given.

    Raises ``ValueError`` for an id that is there twice, a dependency that is no claim, or a cycle.
    """
    found: dict[str, Claim] = {}
    for item in claims:
        if item.id in found:
            raise ValueError(f"two claims have the id {item.id}")
        found[item.id] = item
    for item in found.values():
        missing = [name for name in _direct(item, "all") if name not in found]
        if missing:
            raise ValueError(f"{item.id} depends on {', '.join(missing)}, which is no claim")
    try:
        TopologicalSorter({item.id: _direct(item, "all") for item in found.values()}).prepare()
    except CycleError as error:
        raise ValueError(f"claims depend on each other in a circle: {' -> '.join(error.args[1])}") from error
    return found


def _direct(item: Claim, edges: Edges) -> tuple[str, ...]:
    if edges == "statement":
        return item.statement_depends
    if edges == "proof":
        return item.proof_depends
    return tuple(dict.fromkeys(item.statement_depends + item.proof_depends))


CLAIMS: dict[str, Claim] = ledger(item for module in _MODULES for item in module.CLAIMS)
"""Id → claim, in the order of the paper; within a result, quoted forms after the form that is stated here."""


def claim(claim_id: str) -> Claim:
    """The claim with this id. Raises :class:`UnknownClaimError`, with near matches, where there is none."""
    _check_id(claim_id, CLAIMS)
    return CLAIMS[claim_id]


def _check_id(claim_id: str, claims: Ledger) -> None:
    if claim_id not in claims:
        near = difflib.get_close_matches(claim_id, claims, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UnknownClaimError(f"no claim {claim_id!r}{hint}")


def ancestors(claim_id: str, edges: Edges = "all", claims: Ledger | None = None) -> tuple[str, ...]:
    """Ids of the claims that this one rests on, directly or not, in the order of the ledger.

    ``edges`` follows what statements use (``statement``), what proofs use (``proof``), or both (``all``).
    Raises :class:`UnknownClaimError`.
    """
    claims = CLAIMS if claims is None else claims
    _check_id(claim_id, claims)
    seen: set[str] = set()
    waiting = list(_direct(claims[claim_id], edges))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _direct(claims[name], edges)
    return tuple(name for name in claims if name in seen)


def descendants(claim_id: str, edges: Edges = "all", claims: Ledger | None = None) -> tuple[str, ...]:
    """Ids of the claims that rest on this one, directly or not, in the order of the ledger.

    ``edges`` as for :func:`ancestors`. Raises :class:`UnknownClaimError`.
    """
    claims = CLAIMS if claims is None else claims
    _check_id(claim_id, claims)
    return tuple(name for name in claims if claim_id in ancestors(name, edges, claims))
