"""The second program: re-checks a certificate, and shares nothing with what wrote it beyond python-flint.

Eigenvalues are roots of the characteristic polynomial, eigenvectors columns of the adjugate, norms Gershgorin discs,
ties exact numbers ``Σ r √q``; tokens are followed by another method. Every enclosure that the certificate states must
hold the narrower one that is found here at twice the precision, and every verdict must follow again.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from itertools import pairwise
from typing import Any

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from proofs_checks.certify.checker.exact import Exact, TooWide, exact, root
from proofs_checks.certify.checker.flow import advance, around, field, horner, limits, norm, turned
from proofs_checks.certify.checker.matrices import Eigen, Frame, dot, kernel, largest, times

BOTH = "symmetric-base symmetric-update"
QUOTED = "a-equals-v psd criterion-quoted"
CLAIMS = {
    "prop-3.3/convergence": "symmetric-base dominant-gap hemisphere limit-base",
    "prop-3.3/convergence-gap-only": "a-equals-v symmetric-base spectral-gap hemisphere rate-gap",
    "prop-3.3/drift": f"{BOTH} delta drift-sharp",
    "prop-3.3/drift-quoted": f"{BOTH} criterion-quoted drift-quoted",
    "prop-3.3/criterion": f"{BOTH} criterion-sharp hemisphere-sharp limit-perturbed",
    "prop-3.3/criterion-quoted": f"{BOTH} {QUOTED} hemisphere limit-perturbed",
    "prop-3.3/criterion-quoted-nonsymmetric": f"symmetric-base {QUOTED} hemisphere-sharp limit-perturbed",
    "prop-3.3/nonsymmetric": "cone cone-tokens limit-perturbed",
    "remark-3.4/drift": f"{BOTH} levels remark-corrected",
    "remark-3.4/drift-quoted": f"{BOTH} levels levels-quoted remark-quoted",
    "thm-4.6/plain-riccati": "hemisphere riccati",
}
WEAK = ("drift-sharp", "drift-quoted", "remark-corrected", "remark-quoted", "riccati")
ABOUT_DRIFT = WEAK[:4]
MOST_BITS = 1 << 16


class Rejected(Exception):
    """The certificate is not valid; the first reason found."""


def need(condition: Any, reason: str) -> None:
    """Raise :class:`Rejected` unless the condition is exactly True."""
    if condition is not True:
        raise Rejected(reason)


def check(document: dict[str, Any]) -> int:
    """Check a certificate and return the number of verdicts that were found again. Raises :class:`Rejected`."""
    try:
        body = {k: v for k, v in document.items() if k != "sha256"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        need(hashlib.sha256(text.encode()).hexdigest() == document["sha256"], "sha256 does not fit the content")
        need(body["schema"] == "loraproofs/1" and body["command"] == "certify", "this is no certificate")
        found = {x["statement"]: _statement(x, body["instance"]) for x in body["statements"]}
        found |= {x["statement"]: _motion(x, body["instance"]) for x in body["motions"]}
        for x in body["claims"]:
            _claim(x, found)
        return len(found) + len(body["claims"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as error:
        raise Rejected(f"the certificate is malformed: {type(error).__name__} {error}") from error


def _number(text: Any) -> fmpq:
    need(isinstance(text, str), f"{text!r} is no exact number")
    p, _, q = text.partition("/")
    return fmpq(int(p), int(q or 1))


def _matrix(rows: Any) -> fmpq_mat:
    return fmpq_mat([[_number(x) for x in row] for row in rows])


class Data:
    """The quantities of the instance, in balls of the current precision or (``tie``) as exact numbers."""

    def __init__(self, instance: dict[str, Any], tie: bool = False) -> None:
        self.raw, self.tie = instance, tie
        self.V, self.dV = _matrix(instance["V"]), _matrix(instance["dV"])
        self.W = self.V + self.dV
        self.A = _matrix(instance["A"]) if "A" in instance else self.V
        none = self.dV if "A" not in instance else self.dV * 0
        self.B = self.A + (_matrix(instance["dA"]) if "dA" in instance else none)
        self.base = Eigen(self.V)
        if self.base.degenerate:
            return
        lead = self.base.exact(0) if tie else self.base.real[0]
        self.l1, self.u = lead, kernel(self.V, lead)
        if not tie:
            self.u = [x / norm(self.u) for x in self.u]
            self.u = turned(self.u, self.rows[0]) if self.rows else self.u
        self.update, self.whole = Frame(self.dV, self.u), Frame(self.W, self.u)

    @cached_property
    def new(self) -> Eigen:
        """The spectrum of Ṽ."""
        return Eigen(self.W)

    @cached_property
    def rows(self) -> list:
        """The tokens as written."""
        number = exact if self.tie else arb
        return [[number(_number(x)) for x in row] for row in self.raw.get("X0", [])]

    @cached_property
    def tokens(self) -> list:
        """The unit tokens."""
        return [[x / norm(row) for x in row] for row in self.rows]

    def eigenvalue(self, k: int) -> Any:
        """The k-th eigenvalue of V."""
        return self.base.exact(k % len(self.base.real)) if self.tie else self.base.real[k]

    def gap(self) -> Any:
        """λ1 - λ2."""
        return self.l1 - self.eigenvalue(1)

    def dominant(self) -> Any:
        """gap*."""
        other, low = self.eigenvalue(1), self.eigenvalue(-1)
        if not self.tie:
            return self.l1 - self.base.other()
        size, low = abs(other), abs(low)
        return self.l1 - (low if abs(low - size).terms == (low - size).terms else size)

    def values(self) -> tuple:
        """gap + a, |b|, |E| of ΔV."""
        f = self.update
        return self.gap() + f.along, f.length(f.right), f.norm()

    def cone(self) -> tuple:
        """S, |b|, |c| of Ṽ."""
        f = self.whole
        return f.along - f.norm(), f.length(f.right), f.length(f.left)

    def cosine(self) -> arb:
        """``|<u1, ũ1>|``."""
        return abs(dot(self.u, self.new.vector))

    def remark(self, level: Any) -> Any:
        """``Σ_j (α_j/(level - μ_j))²`` as the square of a resolvent."""
        f, d = self.whole, len(self.u)
        lift = 1 + abs(level)
        rows = [
            [level * int(i == k) - f.block[i][k] + lift * self.u[i] * self.u[k] for k in range(d)] for i in range(d)
        ]
        y = arb_mat(rows).solve(arb_mat([[x] for x in f.right]))
        return dot(y.entries(), y.entries())

    def theta(self) -> arb:
        """θ_b."""
        total, b, e = self.values()
        return (2 * b / (total - e)).atan() / 2

    def overlap(self) -> Any:
        """γ; of exact tokens the product of all overlaps, which is zero where one is."""
        found = [dot(x, self.u) for x in (self.rows if self.tie else self.tokens)]
        if not self.tie:
            return -largest([-x for x in found])
        total = exact(1)
        for x in found:
            total = total * x
        return total

    def tangents(self, tokens: list) -> list:
        """``tan ∠(x_i, u1)``."""
        return [norm([a - dot(x, self.u) * b for a, b in zip(x, self.u, strict=True)]) / dot(x, self.u) for x in tokens]


def margin(name: str, q: Data) -> Any:
    """The margin of a statement in balls; of a tie, an exact number that vanishes with it."""
    if name == "dominant-gap":
        return q.dominant()
    if name == "hemisphere":
        return q.overlap()
    if name in ("criterion-quoted", "criterion-sharp", "delta", "drift-sharp", "drift-quoted", "hemisphere-sharp"):
        total, b, e = q.values()
        if name == "criterion-sharp":
            return total - q.gap() + q.dominant() - e
        if name == "delta":
            return total - e
        if name == "criterion-quoted":
            return total - b * 2 - e
        if q.tie and name == "drift-sharp":
            f = q.whole  # zero: u1 and b span an invariant plane in which the angle is θ_b
            rest = [m - (f.along - total + e) * x for m, x in zip(times(f.block, f.right), f.right, strict=True)]
            return dot(rest, rest)
        if q.tie:
            return (root(_cosine_square(q)) * -2 + 2) * total * total * 4 - (b * 2 + e) * (b * 2 + e)
        if name == "hemisphere-sharp":
            return q.overlap() - q.theta().sin()
        drift = root(2 - 2 * q.cosine())
        return (2 * (q.theta() / 2).sin() if name == "drift-sharp" else (2 * b + e) / (2 * total)) - drift
    if name in ("levels", "levels-quoted", "remark-corrected", "remark-quoted"):
        level = q.l1 + (q.update.along if name in ("levels", "remark-corrected") else 0)
        if name.startswith("levels"):
            return level - q.whole.top()
        if q.tie:  # both sides agree where b = 0 or, for the quoted form, λ1 = λ̃1
            b = q.whole.length(q.whole.right)
            return b if name == "remark-corrected" else b * horner(q.W.charpoly().coeffs(), q.l1)
        square = q.cosine() * q.cosine()
        return q.remark(level) - (1 - square) / square
    s, b, c = q.cone()
    if name == "cone":
        return s * s - b * c * 4 if q.tie else s - 2 * root(b * c)
    tangents = q.tangents(q.tokens)
    if name == "cone-tokens":
        return 1 - 2 * c / (s + root(s * s - 4 * b * c)) * largest(tangents)
    if name == "riccati":
        k = [t.mid() for t in tangents].index(largest([t.mid() for t in tangents]))
        need(all(i == k or tangents[k] > t for i, t in enumerate(tangents)) or None, "tied tokens")
        x, v, top = q.tokens[k], field(q.B, q.W, q.tokens)[k], tangents[k]
        p, pv = dot(x, q.u), dot(v, q.u)
        # tan² = 1/p² - 1 for unit tokens, so tan' = -p'/(p³ tan)
        return b - s * top + c * top * top + pv / (p * p * p * top)
    raise Rejected(f"unknown statement {name!r}")


def _cosine_square(q: Data) -> Exact:
    new = kernel(q.W, q.new.exact(0))
    inner = dot(q.u, new)
    return inner * inner / dot(q.u, q.u) / dot(new, new)


def _within(value: arb, x: dict[str, Any]) -> bool:
    low, high = arb(_number(x["lower"])), arb(_number(x["upper"]))
    return bool(value >= low and value <= high)


def _by_definition(name: str, q: Data) -> bool:
    signs = [(-1) ** k * c >= 0 for k, c in enumerate(reversed(q.V.charpoly().coeffs()))]
    symmetric = q.V.transpose() == q.V
    return {
        "symmetric-base": symmetric,
        "symmetric-update": q.dV == q.dV.transpose(),
        "a-equals-v": q.A == q.V and q.B == q.W,
        "psd": symmetric and all(signs),
        "spectral-gap": not q.base.degenerate,
    }[name]


def _statement(x: dict[str, Any], instance: dict[str, Any]) -> str:
    """The verdict, found again. The precision starts at twice the stated one and is doubled as needed."""
    name, verdict, bits = x["statement"], x["verdict"], 128
    while bits < 2 * x["bits"]:
        bits *= 2
    last = 4 * bits if verdict != "undecided" else bits
    while bits <= min(max(last, 1024), MOST_BITS):
        ctx.prec = bits
        try:
            found = _decide(name, x, instance)
            need(found == verdict, f"{name}: {verdict} is stated, {found} is found")
            return verdict
        except TooWide:
            bits *= 2
    need(verdict == "undecided", f"{name}: not confirmed at {bits} bits")
    return verdict


def _decide(name: str, x: dict[str, Any], instance: dict[str, Any]) -> str:
    q = Data(instance)
    if x["method"] == "definition":
        need(x["lower"] is None and x["upper"] is None, f"{name} has no margin")
        return "proved_true" if _by_definition(name, q) else "proved_false"
    if q.base.degenerate or (name in ABOUT_DRIFT and q.new.degenerate):
        return "degenerate"
    value = margin(name, q)
    if x["method"] == "exact":
        need(value.contains(0) and x["lower"] == x["upper"] == "0", f"{name}: no tie")
        need(not margin(name, Data(instance, tie=True)).terms, f"{name}: the margin is not exactly zero")
        return "proved_true" if name in WEAK else "proved_false"
    if not (value > 0 or value < 0):
        raise TooWide(name)
    if x["lower"] is not None and not _within(value, x):
        if value < arb(_number(x["lower"])) or value > arb(_number(x["upper"])) or value.rad() * 8 < _width(x):
            raise Rejected(f"{name}: the margin does not lie where it is stated")
        raise TooWide(name)
    return "proved_true" if value > 0 else "proved_false"


def _width(x: dict[str, Any]) -> arb:
    return arb(_number(x["upper"]) - _number(x["lower"]))


def _motion(x: dict[str, Any], instance: dict[str, Any]) -> str:
    """A statement about tokens: every segment, then what its end (or its only state) shows."""
    name, verdict = x["statement"], x["verdict"]
    ctx.prec = max(128, 2 * x["bits"])
    q = Data(instance)
    flow = "perturbed" if name == "limit-perturbed" else "base"
    spectrum, (A, V) = (q.new, (q.B, q.W)) if flow == "perturbed" else (q.base, (q.A, q.V))
    need(x["flow"] == flow, f"{name}: the wrong flow")
    if verdict in ("degenerate", "undecided"):
        need(verdict == "undecided" or spectrum.degenerate or q.base.degenerate, f"{name}: not degenerate")
        need(not x["states"] and x["signs"] is None and x["lower"] is None, f"{name}: {verdict} with evidence")
        return verdict
    try:
        end, time = _segments(name, x["states"], A, V, q)
        if name == "rate-gap":
            need(time == _number(instance["T"]), f"{name}: does not end at T")
            inside, outside = all(dot(t, q.u) > 0 for t in end), any(dot(t, q.u) < 0 for t in end)
            need(inside or outside, f"{name}: the side of a token is not told")
            start = largest(q.tangents(q.tokens)) * (-q.gap() * arb(time)).exp()
            value = start - largest(q.tangents(end)) if inside else arb(-1)
            held = value.overlaps(arb(_number(x["lower"])).union(arb(_number(x["upper"]))))
            need(bool(value > 0 or value < 0) and held, f"{name}: the margin does not lie where it is stated")
            found = "proved_true" if value > 0 else "proved_false"
        else:
            signs = limits(A, V, q.u, end)
            need(signs is not None and signs == x["signs"], f"{name}: the limits do not follow")
            found = "proved_true" if signs == [1] * len(end) else "proved_false"
    except TooWide as error:
        raise Rejected(f"{name}: {error}") from error
    need(found == verdict, f"{name}: {verdict} is stated, {found} is found")
    return verdict


def _segments(name: str, states: list, A: fmpq_mat, V: fmpq_mat, q: Data) -> tuple[list, fmpq]:
    times = [_number(s["time"]) for s in states]
    steps = [b - a for a, b in pairwise(times)]
    need(times[0] == 0 and all(s > 0 for s in steps), f"{name}: the times do not rise from 0")
    need(all(s == steps[0] for s in steps[:-1]) and all(s <= steps[0] for s in steps), f"{name}: a segment is missing")
    here: list = q.tokens
    radius = arb(0)
    for k, state in enumerate(states):
        centre, bound = [[arb(_number(c)) for c in row] for row in state["centre"]], arb(_number(state["radius"]))
        found = advance(A, V, here, radius, steps[k - 1]) if k else iter([(here, radius)])
        need(any(_inside(*ends, centre, bound) for ends in found), f"{name}: state {k} does not hold the tokens")
        here, radius = centre, bound
    return around(here, radius), times[-1]


def _inside(ends: list, radius: arb, centre: list, bound: arb) -> bool:
    away = largest([norm([a - b for a, b in zip(r, s, strict=True)]) for r, s in zip(ends, centre, strict=True)])
    return bool(away + radius <= bound)


def _claim(x: dict[str, Any], found: dict[str, str]) -> None:
    *hypotheses, conclusion = CLAIMS[x["claim"]].split()
    need(x["hypotheses"] == hypotheses and x["conclusion"] == conclusion, f"{x['claim']}: not its hypotheses")
    words = [found[h] for h in hypotheses]
    need("proved_false" not in words, f"{x['claim']}: a hypothesis fails")
    worst = next((w for w in ("degenerate", "undecided") if w in words), None)
    need(x["verdict"] == (worst or found[conclusion]), f"{x['claim']}: the verdict does not follow")
