"""Random small exact instances of a claim without one assumption: halves, quarters and Pythagorean tokens.

Every assumption of the claim that is not dropped holds by construction; it is checked again, exactly, by
:func:`proofs_checks.relax.model.satisfied`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_checks.instance_file import Instance
from proofs_checks.instance_numbers import Matrix, matrix_json, number_text
from theory.claim import Claim
from theory.models import SPEAKS_OF, assumed, parts

_POINTS = (
    (3, 4, 5),
    (4, 3, 5),
    (5, 12, 13),
    (12, 5, 13),
    (8, 15, 17),
    (15, 8, 17),
    (1, 0, 1),
    (7, 24, 25),
    (24, 7, 25),
)
_STATIC = (
    "prop-3.3/drift", "prop-3.3/drift-quoted", "prop-3.3/orthogonal", "remark-3.4/secular", "remark-3.4/expansion",
    "remark-3.4/drift", "remark-3.4/collapse",
)  # fmt: skip

_NOT_AR1 = ("thm-4.2/variance", "thm-4.2/supercritical", "thm-4.2/collapse", "thm-4.2/fixed-step")
"""Read by quadrature over one adapter, or by a slope that AR(1) adapters share at great depth."""


class Draw:
    """One source of random instances; ``rng`` is its only state."""

    def __init__(self, claim: Claim, dropped: str, rng: np.random.Generator) -> None:
        self.claim, self.dropped, self.rng = claim, dropped, rng
        self.kept = set(assumed(claim)) - {dropped}

    def pick(self, *values: Any) -> Any:
        """One of the values."""
        return values[int(self.rng.integers(len(values)))]

    def part(self, size: int = 8, unit: int = 4) -> Fraction:
        """A multiple of 1/unit of absolute value at most size/unit."""
        return Fraction(int(self.rng.integers(-size, size + 1)), unit)

    def value(self) -> Matrix:
        """V: u1 = e1, and rational eigenvalues."""
        top = self.pick(Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(2))
        if self.claim.id.startswith("prop-3.1") and self.pick(True, False):
            top = Fraction(0)
        if self.claim.id == "thm-4.6/degenerate":
            top = other = Fraction(1)
        elif self.dropped == "dominant-gap":
            other = -top * self.pick(1, 2, 4)
        elif self.dropped == "spectral-gap":
            other = top
        elif "psd" in self.kept or self.pick(True, False):
            other = top * self.pick(Fraction(0), Fraction(1, 4), Fraction(1, 2))
        elif self.claim.id.startswith("prop-3.1"):  # norms alone matter
            other = -top
        else:
            other = -top / 2
        corner = self.part(16, 2) if self.dropped == "symmetric-base" else Fraction(0)
        if self.claim.id == "remark-3.4/expansion" and self.dropped == "spectral-gap":
            return ((top, Fraction(0), Fraction(0)), (Fraction(0), top, Fraction(0)), (Fraction(0),) * 3)
        if self.claim.id == "prop-3.3/orthogonal":
            rows = ((top, corner, self.part(4)), (Fraction(0), other, Fraction(0)), (Fraction(0), Fraction(0), -other))
            return rows if self.dropped == "symmetric-base" else ((top, *rows[1][:1], Fraction(0)), *rows[1:])
        return ((top, corner), (Fraction(0), other))

    def update(self, d: int) -> Matrix:
        """ΔV, symmetric unless that is dropped (or the claim never asks)."""
        if self.claim.id == "thm-4.6/degenerate":
            eps = -self.pick(Fraction(1, 4), Fraction(1, 2))
            corners = [Fraction(0), self.part()] if self.dropped == "symmetric-update" else [Fraction(0)] * 2
            return ((Fraction(0), corners[0]), (corners[1], eps))
        scale = self.pick(4, 8, 16)
        rows = [[self.part(4, scale) for _ in range(d)] for _ in range(d)]
        if self.dropped != "symmetric-update":
            rows = [[rows[min(i, k)][max(i, k)] for k in range(d)] for i in range(d)]
        if self.claim.id == "prop-3.3/orthogonal":
            rows = [[x if (i == 0) == (k == 0) else Fraction(0) for k, x in enumerate(r)] for i, r in enumerate(rows)]
        return tuple(tuple(r) for r in rows)

    def token(self, anywhere: bool) -> tuple[Fraction, Fraction]:
        """A rational point of the circle, with <x, e1> > 0 unless anywhere."""
        p, q, r = self.pick(*_POINTS)
        return Fraction(p, r) * (self.pick(1, -1) if anywhere else 1), Fraction(q, r) * self.pick(1, -1)

    def tokens(self) -> Matrix:
        """One or two tokens."""
        anywhere = "hemisphere" not in self.kept
        collapsed = "collapsed-base" in self.kept
        n = 2 if self.dropped in ("full-attention", "collapsed-base") else self.pick(1, 2, 2)
        if self.dropped == "post-ln" and self.claim.id != "prop-3.1/discrete":
            n = 2
        rows = [self.token(anywhere) for _ in range(n)]
        return tuple([rows[0]] * n if collapsed else rows)

    def length(self) -> Any:
        """Of a token where nothing normalises it."""
        return number_text(self.pick(*(Fraction(k, 4) for k in (1, 2, 4, 8, 12, 16))))

    def extra(self, tokens: Matrix) -> dict[str, Any]:
        """What stands in ``meta["model"]``."""
        given: dict[str, Any] = {}
        if self.dropped == "tied-weights":
            given["later"] = self.square()
        if self.dropped == "single-head":
            given["heads"] = [{"A": matrix_json(((Fraction(0),) * 2,) * 2), "V": self.square()}]
        if self.claim.id == "prop-3.3/heads":
            given["heads"] = [{"A": self.square(), "V": matrix_json(self.value())}]
        if self.dropped == "full-attention":
            given["causal"] = True
        if self.dropped == "post-ln":
            kind = self.pick("normalised", "pre_ln")
            given |= {kind: kind == "pre_ln", "lengths": [self.length() for _ in tokens]}
        if self.dropped == "attention-only":
            given["mlp"] = {
                "W1": matrix_json(((self.part(2, 1), self.part(2, 1)),)),
                "W2": matrix_json(((self.part(3, 1),), (self.part(3, 1),))),
            }
        if self.dropped == "common-start" or self.claim.id in ("prop-3.1/initial", "prop-3.1/discrete"):
            if self.dropped == "full-attention":
                given["other_tokens"] = matrix_json(tuple(reversed(tokens)))
            else:
                others = [self.token(True) for _ in tokens]
                same = "collapsed-base" in self.kept
                given["other_tokens"] = matrix_json(tuple(others[:1] * len(others) if same else others))
        if self.claim.id in ("prop-3.3/layered", "prop-3.1/discrete"):
            given |= {"h": self.pick("1/4", "1/2"), "depth": self.pick(1, 2, 8)}
        return given

    def random(self) -> Instance:
        """A model with random adapters: V = 0 where the claim is about that, one or two tokens, A = 0."""
        name, zero = self.claim.id, Fraction(0)
        still = name in ("thm-4.2/variance", "thm-4.2/supercritical", "thm-4.2/collapse", "thm-4.2/fixed-step")
        V: Matrix = ((zero, zero), (zero, zero))
        if not still and not (name == "thm-4.2/subcritical" and self.pick(True, False)):
            V = self.value()
        if self.dropped == "symmetric-base" and name != "thm-4.2/two-level":
            top = zero if still else Fraction(self.pick(1, 2))  # nilpotent where the claim is about V = 0
            V = ((top, zero, zero), (zero, top / 2, self.part(16, 2)), (zero, zero, top / 4))
        d = len(V)
        first = (Fraction(1), *[zero] * (d - 1))
        free = name in ("thm-4.2/variance", "thm-4.2/supercritical", "thm-4.2/subcritical", "thm-4.2/two-level")
        own = self.token(True) if (free or self.dropped == "hemisphere") and d == 2 else first
        two = self.dropped in ("collapsed-base", "post-ln", "full-attention") or (self.pick(True, False) and d == 2)
        spread = self.dropped == "collapsed-base" or name == "thm-4.2/subcritical"
        rows = (own, self.token(True) if spread else own) if two else (own,)
        given = self.extra(rows)
        given |= {"h": self.pick("1/4", "1/2"), "depth": self.pick(2, 4, 8)}
        if name in ("thm-4.2/variance", "thm-4.2/supercritical"):
            given["depth"] = 2 if self.dropped == "independent-adapters" else 1
        if name == "thm-4.2/two-level":
            given["h"] = "1/10000"
        if self.dropped == "independent-adapters":
            given["adapters"] = "tied" if name in _NOT_AR1 else self.pick("tied", "ar1")
            if given["adapters"] == "ar1":
                given["correlation"] = self.pick("1/4", "1/2", "3/4")
        if self.dropped == "gaussian-adapters":
            given["adapters"] = self.pick("signs", "rare")
        if self.dropped == "zero-mean-adapters":
            given["mean"] = matrix_json(tuple(tuple(self.part(3, 1) for _ in range(d)) for _ in range(d)))
        nothing = ((zero,) * d,) * d
        return Instance(V, nothing, nothing, nothing, rows, meta={"model": given})

    def square(self) -> Any:
        """Any small matrix, as JSON."""
        return matrix_json(tuple(tuple(self.part(3, 1) for _ in range(2)) for _ in range(2)))

    def instance(self) -> Instance:
        """The next instance."""
        if SPEAKS_OF["gaussian-adapters"] in parts(self.claim):
            return self.random()
        V = self.value()
        d = len(V)
        if self.claim.id in _STATIC:
            return Instance(V, self.update(d))
        tokens = self.tokens()
        zero = ((Fraction(0),) * 2,) * 2
        moves = "update" in parts(self.claim)
        A = (
            None
            if "a-equals-v" in self.kept
            else self.pick(None, zero, ((self.part(), Fraction(0)), (Fraction(0), self.part())))
        )
        return Instance(
            V,
            self.update(2) if moves else zero,
            A,
            None if A is None else zero,
            tokens,
            self.pick(Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)),
            meta={"model": self.extra(tokens)},
        )
