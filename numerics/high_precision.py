"""The leading eigenpairs of V and V + ΔV and the blocks of ΔV, measured in mpmath from exact rational matrices.

Every function works at the current working precision (``mpmath.mp``); :func:`settle` raises it until two levels
agree. Nothing here uses a formula of the theory. Notation: ``u1`` leading unit eigenvector of V, ``P⊥ = I - u1u1ᵀ``,
``a = u1ᵀΔVu1``, ``b = P⊥ΔVu1``, ``c = P⊥ΔVᵀu1``, ``E = P⊥ΔVP⊥``, all in an orthonormal frame of ``u1`` and ``u1⊥``.

Do not trust a measurement at one precision: near a gap collapse an eigenvector loses as many digits as the gap has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from mpmath import mp

Rows = Sequence[Sequence[Fraction]]
Vector = list[Any]


class NoRealLeadingEigenvalue(ValueError):
    """The eigenvalue of largest real part is not real at the working precision."""


def to_matrix(rows: Rows) -> Any:
    """The exact rational matrix rounded to the working precision."""
    return mp.matrix([[mp.mpf(x.numerator) / x.denominator for x in row] for row in rows])


def add(first: Rows, second: Rows) -> tuple[tuple[Fraction, ...], ...]:
    """The exact sum of two rational matrices of one shape."""
    return tuple(tuple(x + y for x, y in zip(p, q, strict=True)) for p, q in zip(first, second, strict=True))


def is_symmetric(rows: Rows) -> bool:
    """Exactly symmetric; decided on the rationals."""
    return all(rows[i][j] == rows[j][i] for i in range(len(rows)) for j in range(i))


def norm(vector: Sequence[Any]) -> Any:
    """Euclidean norm."""
    return mp.sqrt(mp.fsum(x * x for x in vector))


def inner(first: Sequence[Any], second: Sequence[Any]) -> Any:
    """Euclidean inner product."""
    return mp.fsum(x * y for x, y in zip(first, second, strict=True))


def operator_norm(matrix: Any) -> Any:
    """Largest singular value, from the largest eigenvalue of MᵀM (relative accuracy kept)."""
    if matrix.rows == 1:
        return abs(matrix[0, 0])
    return mp.sqrt(max(mp.eigsy(matrix.T * matrix, eigvals_only=True), default=mp.zero))


@dataclass(frozen=True)
class Eigenpair:
    """The leading eigenpair of one matrix.

    Attributes
    ----------
    values: all eigenvalues, by real part, largest first (complex ones only for non-symmetric matrices).
    value: the leading one; real.
    vector: its right unit eigenvector. left: its left eigenvector, ``<left, vector> > 0``.
    gap: distance to the next eigenvalue by real part. dominant_gap: ``value - max |others|``.
    """

    values: Vector
    value: Any
    vector: Vector
    left: Vector
    gap: Any
    dominant_gap: Any


def leading_eigenpair(matrix: Any, symmetric: bool) -> Eigenpair:
    """The eigenpair of largest real part.

    Raises :class:`NoRealLeadingEigenvalue` where that eigenvalue is not real. A multiple leading eigenvalue is not
    seen here (its vector is then arbitrary): decide that on the exact matrix first.
    """
    if symmetric:
        values, vectors = mp.eigsy(matrix)
        left_vectors = vectors.T
    else:
        values, left_vectors, vectors = mp.eig(matrix, left=True, right=True)
    order = sorted(range(len(values)), key=lambda k: mp.re(values[k]), reverse=True)
    first, others = order[0], [values[k] for k in order[1:]]
    scale = max(abs(x) for x in values)
    if abs(mp.im(values[first])) > scale * mp.mpf(10) ** (-mp.dps // 3):
        raise NoRealLeadingEigenvalue(f"leading eigenvalue {mp.nstr(values[first], 8)}")
    vector = _real_unit([vectors[i, first] for i in range(matrix.rows)])
    left = _real_unit([left_vectors[first, i] for i in range(matrix.rows)])
    if inner(left, vector) < 0:
        left = [-x for x in left]
    value = mp.re(values[first])
    gap = value - max(mp.re(x) for x in others)
    dominant_gap = value - max(abs(x) for x in others)
    return Eigenpair([values[k] for k in order], value, vector, left, gap, dominant_gap)


def _real_unit(vector: Vector) -> Vector:
    pivot = max(vector, key=abs)
    real = [mp.re(x / pivot) for x in vector]
    size = norm(real)
    return [x / size for x in real]


def frame(u: Vector) -> Any:
    """An orthogonal matrix (d×d) whose first column is the unit vector ``u`` (a Householder reflection)."""
    sign = -1 if u[0] > 0 else 1  # the reflection away from u avoids cancellation in u - e1
    v = [x - (sign if k == 0 else 0) for k, x in enumerate(u)]
    size = inner(v, v)
    columns = mp.eye(len(u)) - 2 * mp.matrix(v) * mp.matrix(v).T / size
    for k in range(len(u)):
        columns[k, 0] = u[k]
    return columns


@dataclass(frozen=True)
class Blocks:
    """V and ΔV in the frame of ``u1``; the perturbation ``s ΔV`` has the blocks s times these.

    ``a`` scalar; ``b``, ``c`` (d-1,); ``E``, ``V_perp = P⊥VP⊥`` (d-1)×(d-1); ``c_base = P⊥Vᵀu1`` (zero for
    symmetric V). ``norm_of`` is the operator norm in the arithmetic of the matrices.
    """

    lambda_1: Any
    a: Any
    b: Vector
    c: Vector
    E: Any
    V_perp: Any
    c_base: Vector
    norm_of: Callable[[Any], Any] = operator_norm

    @cached_property
    def E_norm(self) -> Any:
        """``||E||``."""
        return self.norm_of(self.E)

    def kappa(self, scale: Any = 1) -> Any:
        """``||P⊥(V + s ΔV)P⊥||``."""
        return self.norm_of(self.V_perp + scale * self.E)

    def cone_norms(self, scale: Any = 1) -> tuple[Any, Any]:
        """``||P⊥Ṽu1||`` and ``||P⊥Ṽᵀu1||`` for ``Ṽ = V + s ΔV``."""
        total = [x + scale * y for x, y in zip(self.c_base, self.c, strict=True)]
        return scale * norm(self.b), norm(total)


def split(value_matrix: Any, update: Any, pair: Eigenpair, symmetric_base: bool) -> Blocks:
    """The blocks of V and ΔV (d×d) in the frame of the leading eigenvector of V."""
    q = frame(pair.vector)
    base, delta = q.T * value_matrix * q, q.T * update * q
    rest = range(1, value_matrix.rows)
    return Blocks(
        lambda_1=pair.value,
        a=delta[0, 0],
        b=[delta[i, 0] for i in rest],
        c=[delta[0, i] for i in rest],
        E=delta[1:, 1:],
        V_perp=base[1:, 1:],
        c_base=[mp.zero if symmetric_base else base[0, i] for i in rest],
    )


@dataclass(frozen=True)
class Basin:
    """The cone about an eigenvector ``u`` of M: ``separation = uᵀMu - ||P⊥MP⊥||``, ``c_norm = ||P⊥Mᵀu||``."""

    separation: Any
    c_norm: Any


def basin(matrix: Any, pair: Eigenpair, symmetric: bool) -> Basin:
    """The quantities of the cone about the leading eigenvector of ``matrix`` (d×d)."""
    if symmetric:
        return Basin(pair.dominant_gap, mp.zero)
    q = frame(pair.vector)
    own = q.T * matrix * q
    across = norm([own[0, i] for i in range(1, own.rows)])
    return Basin(pair.value - operator_norm(own[1:, 1:]), across)


@dataclass(frozen=True)
class Drift:
    """How far the leading eigenvector moves; ``cosine >= 0`` by the choice of the sign of ũ1.

    ``angle`` in radians; ``chord = |u1 - ũ1| = 2 sin(angle/2)``, from the perpendicular part, so that no digits cancel.
    ``tan_squared`` is None where the cosine is zero.
    """

    cosine: Any
    sine: Any
    angle: Any
    chord: Any
    tan_squared: Any


def drift(u: Vector, perturbed: Vector) -> Drift:
    """The drift between two unit vectors, up to the sign of the second."""
    q = frame(u)
    cosine = abs(inner(u, perturbed))
    sine = norm([inner([q[i, k] for i in range(len(u))], perturbed) for k in range(1, len(u))])
    angle = mp.atan2(sine, cosine)
    tan_squared = (sine / cosine) ** 2 if cosine != 0 else None
    return Drift(cosine, sine, angle, 2 * mp.sin(angle / 2), tan_squared)


def perpendicular_spectrum(blocks: Blocks) -> tuple[Vector, Vector]:
    """Eigenvalues ``mu_j`` of ``P⊥(V + ΔV)P⊥`` on ``u1⊥`` and the components ``alpha_j`` of b in its eigenvectors.

    Symmetric V and ΔV only. Within a multiple ``mu_j`` only the sum of ``alpha_j²`` is defined.
    """
    values, vectors = mp.eigsy(blocks.V_perp + blocks.E)
    size = len(blocks.b)
    alpha = [inner([vectors[i, k] for i in range(size)], blocks.b) for k in range(size)]
    return list(values), alpha


@dataclass(frozen=True)
class Settled:
    """Values on which two precisions agree.

    ``values``: name → value at the higher precision (None where it does not exist); ``digits``: name → decimal digits
    on which the two levels agree; ``ties``: names of margins that could not be separated from zero; ``unsettled``:
    names that did not settle; ``working_digits``: the higher precision.
    """

    values: dict[str, Any]
    digits: dict[str, float]
    ties: frozenset[str]
    unsettled: frozenset[str]
    working_digits: int


def agreement(first: Any, second: Any) -> float:
    """Decimal digits on which two numbers agree, relative to the larger; infinite where they are equal."""
    if first is None or second is None:
        return mp.inf if first is second else 0.0
    if first == second:
        return mp.inf
    return float(-mp.log10(abs(first - second) / max(abs(first), abs(second))))


def gap_digits(gap: Any, scale: Any) -> int:
    """Decimal digits that an eigenvalue gap takes away at the given scale of the matrix; at least 0."""
    if gap == 0 or scale == 0:
        return 0
    return max(0, int(mp.ceil(-mp.log10(abs(gap) / scale))))


def settle(
    compute: Callable[[], dict[str, Any]],
    digits: int,
    *,
    nonzero: Sequence[str] = (),
    margins: Sequence[str] = (),
    guards: dict[str, tuple[str, ...]] | None = None,
    start: int | None = None,
    limit: int = 12_000,
) -> Settled:
    """Evaluate ``compute`` at growing precision until two levels agree to ``digits`` for every name.

    ``compute`` returns name → mpf or None, with the entries ``scale`` (of the matrices) and ``smallest`` (the least of
    the gaps and the blocks that is not zero): the precision follows them, about 2.2 times their digits plus ``digits``.

    Names in ``nonzero`` are known not to vanish: a level that cannot tell them from zero is not used at all. A name in
    ``margins`` whose value stays below ``scale * 10^(-4 (digits + lost))`` is a tie; a name in ``guards`` need not
    agree where a margin that guards it is a tie. ``limit`` bounds the working digits spent on what is left.
    """
    guards = guards or {}
    level, low = _first_level(compute, start or digits + 30, digits, nonzero)
    while True:
        with mp.workdps(2 * level):
            high = compute()
            lost = gap_digits(high["smallest"], high["scale"])
            floor = high["scale"] * mp.mpf(10) ** (-4 * (digits + lost))
            common = {name: agreement(low.get(name), value) for name, value in high.items()}
            ties = {n for n in margins if high.get(n) is not None and abs(high[n]) <= floor}
        open_names = {
            name
            for name, found in common.items()
            if found < digits + 2 and name not in ties and ties.isdisjoint(guards.get(name, ()))
        }
        if not open_names or 4 * level > limit:
            return Settled(high, common, frozenset(ties), frozenset(open_names), 2 * level)
        level, low = 2 * level, high


def _first_level(
    compute: Callable[[], dict[str, Any]], level: int, digits: int, nonzero: Sequence[str]
) -> tuple[int, dict[str, Any]]:
    """The working digits at which ``nonzero`` stands well above the noise (2.2 times theirs or more); the values."""
    while True:
        with mp.workdps(level):
            try:
                values = compute()
            except NoRealLeadingEigenvalue:  # close real eigenvalues look like a pair at too low a precision
                level *= 2
                continue
            noise = values["scale"] * mp.mpf(10) ** (-level // 2)
            if all(abs(values[name]) > noise for name in nonzero if values[name] is not None):
                wanted = digits + 20 + int(2.2 * gap_digits(values["smallest"], values["scale"]))
                if wanted <= level:
                    return level, values
                level = wanted
                continue
        level *= 2
