"""The corpus: exact instances with planted blocks, and what is true of each by rational arithmetic on the plant alone.

V = Q diag(λ) Qᵀ and ΔV = Q [[a, cᵀ], [b, diag(e)]] Qᵀ with a rational orthogonal Q (Householder reflections of small
integer vectors), so that every norm of the frame of u1 is a rational or the root of one, and each statement is decided
on paper. ``python -m proofs_checks.certify.corpus`` writes the files of ``proofs_checks/evidence/corpus``.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from proofs_checks.instance_file import Instance
from proofs_checks.output import write_text

FOLDER = Path(__file__).resolve().parents[1] / "evidence" / "corpus"
SEED = 2402
TINY = Fraction(1, 10**30)
_STRICT = ("dominant-gap", "criterion-quoted", "criterion-sharp", "delta", "cone", "levels", "levels-quoted")


@dataclass(frozen=True)
class Plant:
    """The instance in its own frame: eigenvalues λ (d), the blocks a, b (d-1), c (d-1), e (d-1, a diagonal)."""

    eigenvalues: tuple[Fraction, ...]
    a: Fraction
    b: tuple[Fraction, ...]
    c: tuple[Fraction, ...]
    e: tuple[Fraction, ...]
    seed: int = 0

    @property
    def d(self) -> int:
        """Dimension."""
        return len(self.eigenvalues)

    def matrices(self) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
        """V and ΔV, dense."""
        d = self.d
        spectrum = [[self.eigenvalues[i] if i == k else Fraction(0) for k in range(d)] for i in range(d)]
        blocks = [[self.a, *self.c]]
        blocks += [[self.b[i], *(self.e[i] if i == k else Fraction(0) for k in range(d - 1))] for i in range(d - 1)]
        turn = orthogonal(d, self.seed)
        return turned(turn, spectrum), turned(turn, blocks)

    def signs(self) -> dict[str, int]:
        """The sign of the margin of every statement, on paper; 0 for a tie. Only what is defined is there."""
        top, *rest = self.eigenvalues
        gap, dominant = top - max(rest), top - max(abs(x) for x in rest)
        b2 = sum((x * x for x in self.b), Fraction(0))
        c2 = sum((x * x for x in self.c), Fraction(0))
        size = max(abs(x) for x in self.e)
        levels = [x + y for x, y in zip(rest, self.e, strict=True)]
        separation = top + self.a - max(abs(x) for x in levels)
        found = {
            "dominant-gap": _sign(dominant),
            "criterion-quoted": _sign_minus_root(gap + self.a - size, 4 * b2),
            "criterion-sharp": _sign(dominant + self.a - size),
            "delta": _sign(gap + self.a - size),
            "cone": _sign(separation) if b2 * c2 == 0 else _sign_minus_root(_square(separation), 16 * b2 * c2),
        }
        if self.b != self.c:
            return found
        found["levels"] = _sign(top + self.a - max(levels))
        found["levels-quoted"] = _sign(top - max(levels))
        if found["levels"] > 0 and found["levels-quoted"] > 0:
            # the sheet's criterion: without a, tan² is under-estimated iff a + Σ b_j²/(λ1 - λ_j - e_j) < 0
            excess = self.a + sum((x * x / (top - y) for x, y in zip(self.b, levels, strict=True)), Fraction(0))
            found["remark-quoted"] = _sign(excess) if b2 else 0
        return found

    def verdicts(self) -> dict[str, str]:
        """The words for the statements: the strict ones fail at a tie, ``remark-quoted`` (>=) does not."""
        if self.eigenvalues[0] == self.eigenvalues[1]:
            return dict.fromkeys(_STRICT[: 5 if self.b != self.c else 7], "degenerate")
        return {
            name: "proved_true" if sign > 0 or (sign == 0 and name not in _STRICT) else "proved_false"
            for name, sign in self.signs().items()
        }


def _sign(value: Fraction | int) -> int:
    return (value > 0) - (value < 0)


def _square(value: Fraction) -> Fraction:
    return value * value if value > 0 else -value * value


def _sign_minus_root(value: Fraction, square: Fraction) -> int:
    """The sign of ``value - √square``."""
    return -1 if value < 0 else _sign(value * value - square)


def orthogonal(d: int, seed: int) -> list[list[Fraction]]:
    """A rational orthogonal matrix: the product of two Householder reflections of small integer vectors."""
    draw = random.Random(f"{d} {seed}")
    result = [[Fraction(int(i == k)) for k in range(d)] for i in range(d)]
    for _ in range(2):
        v = [draw.choice((-2, -1, 0, 1, 2)) for _ in range(d)]
        square = sum(x * x for x in v)
        if square == 0:
            continue
        mirror = [[Fraction(int(i == k)) - Fraction(2 * v[i] * v[k], square) for k in range(d)] for i in range(d)]
        result = product(result, mirror)
    return result


def product(first: list[list[Fraction]], second: list[list[Fraction]]) -> list[list[Fraction]]:
    """The matrix product."""
    columns = list(zip(*second, strict=True))
    return [[sum((x * y for x, y in zip(r, c, strict=True)), Fraction(0)) for c in columns] for r in first]


def turned(turn: list[list[Fraction]], matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """``Q M Qᵀ``."""
    return product(product(turn, matrix), [list(row) for row in zip(*turn, strict=True)])


# --- families ---------------------------------------------------------------------------------------


@dataclass
class Draw:
    """Small random rationals from one seed."""

    seed: int
    source: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.source = random.Random(f"corpus {SEED} {self.seed}")

    def rational(self, low: int, high: int, denominator: int = 12) -> Fraction:
        """Between ``low`` and ``high``."""
        return Fraction(self.source.randint(low * denominator, high * denominator), denominator)

    def several(self, count: int, low: int, high: int) -> tuple[Fraction, ...]:
        """So many of them."""
        return tuple(self.rational(low, high) for _ in range(count))

    def spectrum(self, d: int, gap: Fraction) -> tuple[Fraction, ...]:
        """``1, 1 - gap`` and d - 2 eigenvalues below (half of them with a negative one)."""
        second = 1 - gap
        rest = sorted((second - self.rational(0, 1) - Fraction(1, 12) for _ in range(d - 2)), reverse=True)
        return (Fraction(1), second, *rest)


def _generic(index: int) -> Plant:
    draw, d = Draw(index), (2, 3, 4, 8, 16)[index % 5] if index % 10 else 3
    b = draw.several(d - 1, -1, 1)
    return Plant(
        draw.spectrum(d, draw.rational(0, 1) + Fraction(1, 24)),
        draw.rational(-1, 1), b, b, draw.several(d - 1, -1, 1), index,
    )  # fmt: skip


def _nonsymmetric(index: int) -> Plant:
    plant, draw = _generic(index), Draw(10_000 + index)
    scale = Fraction(1, draw.source.choice((1, 4, 16)))
    b, c = (tuple(scale * x for x in draw.several(plant.d - 1, -1, 1)) for _ in range(2))
    if index % 6 == 0:
        b = tuple(Fraction(0) for _ in b)
    return Plant(plant.eigenvalues, plant.a, b, c, plant.e, index)


def _collapse(index: int) -> Plant:
    """Gaps from 1e-1 to 1e-300, the update of the size of the gap."""
    power = 1 + (index * 299) // 199
    d = (16 if power == 300 else 8) if index % 50 == 49 else (2, 3, 4)[index % 3]
    draw, gap = Draw(20_000 + index), Fraction(1, 10**power)
    b = tuple(gap * x / 2 for x in draw.several(d - 1, -1, 1))
    e = tuple(gap * x for x in draw.several(d - 1, -1, 1))
    return Plant(draw.spectrum(d, gap), gap * draw.rational(-1, 1), b, b, e, index)


def _boundary(index: int) -> Plant:
    """A tie of one statement (index % 3 == 0), and 1e-30 to either side of it."""
    draw, shift = Draw(30_000 + index // 3), (Fraction(0), TINY, -TINY)[index % 3]
    d, kind = (2, 3, 4, 8)[(index // 3) % 4], (index // 12) % 6
    top, *rest = draw.spectrum(d, draw.rational(0, 1) + Fraction(1, 3))
    gap, dominant = top - rest[0], top - max(abs(x) for x in rest)
    b = (Fraction(1, 4), *(Fraction(0) for _ in rest[1:]))
    c = b
    e = draw.several(d - 1, -1, 1)
    size = max(abs(x) for x in e)
    levels = [x + y for x, y in zip(rest, e, strict=True)]
    if kind == 0:
        a = size + 2 * b[0] - gap
    elif kind == 1:
        a = size - dominant
    elif kind == 2:
        a = size - gap
    elif kind == 3:
        c = (4 * b[0], *(Fraction(0) for _ in rest[1:]))  # √(|b||c|) = 2|b|
        a = max(abs(x) for x in levels) + 4 * b[0] - top
    elif kind == 4:
        a = max(levels) - top
    else:
        e = tuple(Fraction(0) for _ in e)
        levels = rest
        a = -sum((x * x / (top - y) for x, y in zip(b, levels, strict=True)), Fraction(0))
    return Plant((top, *rest), a + shift, b, c, e, index)


def _multiple(index: int) -> Plant:
    """The largest eigenvalue twice (degenerate), or multiplicities below it (harmless)."""
    draw, d = Draw(40_000 + index), (3, 4, 8, 16)[index % 4]
    b = draw.several(d - 1, -1, 1)
    if index % 2:
        spectrum = (Fraction(1), Fraction(1), *(draw.rational(-1, 0) for _ in range(d - 2)))
    else:
        spectrum = (Fraction(1), *[Fraction(1, 3)] * (d - 2), Fraction(-1, 3))
    return Plant(spectrum, draw.rational(-1, 1), b, b, draw.several(d - 1, -1, 1), index)


def _blocks(index: int) -> Plant:
    """Some blocks exactly zero, λ1 = -λ_d among them."""
    plant, d = _generic(50_000 + index), 0
    d = plant.d
    none = tuple(Fraction(0) for _ in range(d - 1))
    a = plant.a if index % 2 else Fraction(0)
    b = plant.b if index % 3 else none
    e = plant.e if index % 5 else none
    spectrum = plant.eigenvalues if index % 4 else (*plant.eigenvalues[:-1], -plant.eigenvalues[0])
    return Plant(spectrum, a, b, b, e, index)


FAMILIES = {
    "generic": (_generic, 300),
    "nonsymmetric": (_nonsymmetric, 180),
    "collapse": (_collapse, 200),
    "boundary": (_boundary, 216),
    "multiple": (_multiple, 60),
    "blocks": (_blocks, 100),
}


def planted() -> Iterator[tuple[str, Plant]]:
    """(id, plant) of all spectral entries."""
    for family, (make, count) in FAMILIES.items():
        for index in range(count):
            yield f"{family}-{index:03d}", make(index)


def entry(name: str, plant: Plant) -> dict[str, Any]:
    """One line of the corpus."""
    v, dv = plant.matrices()
    return {
        "id": name,
        "instance": {"V": _text(v), "dV": _text(dv)},
        "statements": plant.verdicts(),
    }


def limits() -> Iterator[dict[str, Any]]:
    """Limit theorems in the plane, V = diag(gap + 1/2, 1/2), tokens (s, -1): their fate is a rational inequality.

    Symmetric ΔV = b off the diagonal: ``tan ∠(u1, ũ1)`` is the root t > 0 of ``bt² + gap t - b``, and a token goes to
    -ũ1 where s < t, to ũ1 where s > t. ΔV = c above the diagonal: ũ1 = u1, the left eigenvector is (1, c/gap), and a
    token goes to -u1 where s < c/gap, to u1 where s > c/gap, which is ϑ < t+ of the cone theorem.
    """
    for index in range(80):
        draw, kind, n = Draw(60_000 + index), index % 4, (1, 3)[index // 4 % 2]
        gap = draw.rational(0, 1) + Fraction(1, 6)
        off = gap * Fraction(draw.source.randint(20, 45), 100)
        symmetric = kind < 2
        if symmetric:
            edge = next(x for x in (Fraction(k, 1000) for k in range(999, -1, -1)) if off * x * x + gap * x - off < 0)
        else:
            off *= 8
            edge = off / gap
        # below the edge the token turns away; above it the claims apply (sin θ_b = t/√(1+t²) needs s > t as well)
        share = Fraction(9, 10) if kind % 2 == 0 else Fraction(11, 10)
        tokens = [[edge * share * (1 - Fraction(k, 40) * (1 if kind % 2 == 0 else -1)), Fraction(-1)] for k in range(n)]
        update = [[Fraction(0), off], [off if symmetric else Fraction(0), Fraction(0)]]
        claim = (
            ("prop-3.3/criterion-quoted", "prop-3.3/criterion")[kind]
            if symmetric
            else ("prop-3.3/criterion-quoted-nonsymmetric", "prop-3.3/nonsymmetric")[kind - 2]
        )
        yield {
            "id": f"limits-{index:03d}",
            "claim": claim,
            "verdict": "proved_false" if kind % 2 == 0 else "proved_true",
            "signs": [-1 if kind % 2 == 0 else 1] * n,
            "instance": {
                "V": _text([[gap + Fraction(1, 2), Fraction(0)], [Fraction(0), Fraction(1, 2)]]),
                "dV": _text(update),
                "X0": _text(tokens),
            },
        }


def moving() -> Iterator[dict[str, Any]]:
    """Limit theorems that take an integration: at time 0 one token is not on the side of the hyperplane of the rest.

    As in :func:`limits`, in d = 2 and 3 with n = 2, 3, 4; the odd token is 3 to 10 % beyond the edge and is drawn over
    by the others, which are far from it (tests simulate them).
    """
    for index in range(48):
        draw = Draw(70_000 + index)
        below, n, d, symmetric = index % 3 < 2, 2 + index // 4 % 3, 2 + index // 2 % 2, index % 2 == 0
        gap = Fraction(draw.source.randint(40, 120), 100)
        off = gap * Fraction(draw.source.randint(20, 45), 100) * (1 if symmetric else 3)
        edge = off / gap
        if symmetric:
            edge = next(x for x in (Fraction(k, 1000) for k in range(999, -1, -1)) if off * x * x + gap * x - off < 0)
        odd = Fraction(draw.source.randint(103, 110), 100)
        shares = [Fraction(draw.source.randint(10, 40), 100) for _ in range(n - 1)] + [odd]
        tokens = [[edge * (share if below else 2 - share), Fraction(-1)] for share in shares]
        spectrum = [gap + Fraction(1, 2), Fraction(1, 2), Fraction(1, 4)][:d]
        V = [[spectrum[i] * int(i == k) for k in range(d)] for i in range(d)]
        update = [[off * int((i, k) == (0, 1) or (symmetric and (i, k) == (1, 0))) for k in range(d)] for i in range(d)]
        if d == 3:
            tokens = [[*t, Fraction(draw.source.randint(-10, 10), 100)] for t in tokens]
        yield {
            "id": f"moving-{index:03d}",
            "claim": "prop-3.3/criterion-quoted" if symmetric else "prop-3.3/criterion-quoted-nonsymmetric",
            "verdict": "proved_false" if below else "proved_true",
            "signs": [-1 if below else 1] * n,
            "instance": {"V": _text(V), "dV": _text(update), "X0": _text(tokens)},
        }


def _text(rows: list[list[Fraction]]) -> list[list[str]]:
    return [[str(x) for x in row] for row in rows]


def load(family: str | None = None) -> list[dict[str, Any]]:
    """The committed entries of one family, or of all that are planted."""
    files = [FOLDER / f"{name}.jsonl" for name in (sorted(FAMILIES) if family is None else [family])]
    return [json.loads(line) for f in files for line in f.read_text(encoding="utf-8").splitlines()]


def instance_of(found: dict[str, Any]) -> Instance:
    """The instance of an entry."""
    data = found["instance"]

    def exact(rows: list[list[str]]) -> tuple[tuple[Fraction, ...], ...]:
        return tuple(tuple(Fraction(x) for x in row) for row in rows)

    matrices: dict[str, Any] = {k: exact(data[k]) for k in ("A", "dA", "X0") if k in data}
    time = Fraction(data["T"]) if "T" in data else None
    options = {"normalize": True} if "X0" in data else {}
    return Instance(exact(data["V"]), exact(data["dV"]), T=time, options=options, claim=found.get("claim"), **matrices)


def main() -> None:
    """Write the planted families and the limit theorems."""
    for name, theorems in (("limits", limits()), ("moving", moving())):
        lines = [json.dumps(found, separators=(",", ":")) for found in theorems]
        write_text(FOLDER / f"{name}.jsonl", "\n".join(lines) + "\n")
    for family in FAMILIES:
        lines = [
            json.dumps(entry(name, plant), separators=(",", ":"))
            for name, plant in planted()
            if name.startswith(f"{family}-")
        ]
        write_text(FOLDER / f"{family}.jsonl", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
