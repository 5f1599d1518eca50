"""A validated integrator of the token flow, for small systems: an enclosure of every token at every time.

On a segment of length τ the approximate solution is a Taylor polynomial p with exact dyadic coefficients. Its defect
``p' - F(p)`` is bounded in balls up to the order N of p; the rest of F(p) by Cauchy's estimate on the circle |s| = R,
where F(p(s)) is analytic since the softmax denominators have no zero in the disc: the real part of
``Σ_k exp(l_ik - l_ii)`` is harmonic and positive on the circle. With ℓ an upper bound of the logarithmic norm of F in a
tube about p, the distance of the true tokens from p grows at most as ``e' = ℓe + δ``: a scalar error, so that nothing
wraps. (Hairer, Nørsett, Wanner, Solving ODEs I, §I.10, for the logarithmic norm.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from flint import acb, arb, arb_poly, arb_series, ctx

from numerics.enclosure.balls import Vector, midpoint, norm, precision, rational

ARCS = 16
"""Boxes that would cover the circle of Cauchy's estimate; those of its upper half do, the rest are their conjugates."""
_TUBE = 2.0**-12
_HALVINGS = 6
_SLACK = 1 + 2.0**-6
"""Room in every stated radius, for the check by another method."""


class Field(Protocol):
    """A field that can be integrated: n tokens of d numbers each, in balls, complex balls and power series alike."""

    def weights(self, tokens: Any) -> tuple[list[list[Any]], list[Any]]:
        """``exp(l_ik - l_ii)`` (n×n) and their row sums (n), the denominators, which must not vanish."""
        ...

    def velocity(self, tokens: Any) -> list[list[Any]]:
        """The velocities (n×d)."""
        ...

    def velocity_from(self, tokens: Any, rows: list[list[Any]], totals: list[Any]) -> list[list[Any]]:
        """The same from the weights."""
        ...

    def logarithmic_norm(self, tokens: Any) -> arb:
        """An upper bound over a box of tokens, in the largest Euclidean norm of a token."""
        ...


class NotEnclosed(ArithmeticError):
    """No enclosure at this precision and step: raise the precision."""


@dataclass(frozen=True)
class State:
    """All tokens at one time: ``|x_i(time) - centre_i| <= radius`` for each i; centres and radius are exact dyadics."""

    time: Fraction
    centre: tuple[tuple[Fraction, ...], ...]
    radius: Fraction

    def balls(self) -> list[Vector]:
        """The tokens as balls of the current precision (n×d)."""
        around = arb(0, _upward(self.radius))
        return [[arb(rational(x)) + around for x in row] for row in self.centre]


def _upward(value: Fraction) -> arb:
    return arb(rational(value)).upper()


def start(tokens: Sequence[Vector]) -> State:
    """The state at time 0 from enclosures of the tokens (n×d)."""
    centre = tuple(tuple(midpoint(x) for x in row) for row in tokens)
    away = [
        norm([x - rational(c) for x, c in zip(row, mid, strict=True)]) for row, mid in zip(tokens, centre, strict=True)
    ]
    return State(Fraction(0), centre, midpoint(_largest(away).upper()))


def integrate(
    field: Field,
    begin: State,
    horizon: Fraction,
    finished: Callable[[State], bool] = lambda _: False,
    bits: int = 64,
    step: Fraction | None = None,
) -> list[State]:
    """Enclosures at 0, τ, 2τ, ... until ``finished`` or the horizon; τ is halved (from the start) where it is too long.

    Raises :class:`NotEnclosed` where the error outgrows the tube, or no step is short enough.
    """
    with precision(bits), series_length(_order(bits) + 1):
        length = step or Fraction(1, 4)
        for _ in range(_HALVINGS):
            try:
                return _run(field, begin, horizon, finished, length)
            except _TooLong:
                length /= 2
    raise NotEnclosed(f"no step down to {float(length)} is short enough: scale the time")


class _TooLong(ArithmeticError):
    pass


def _order(bits: int) -> int:
    """(τ/R)^N = 4^-N is then about the rounding error."""
    return max(6, bits // 2)


@contextmanager
def series_length(length: int) -> Iterator[None]:
    """Power series keep ``length`` coefficients (FLINT's own cap is 10, beyond which they read as zero)."""
    before = ctx.cap
    ctx.cap = length
    try:
        yield
    finally:
        ctx.cap = before


def _run(
    field: Field, begin: State, horizon: Fraction, finished: Callable[[State], bool], step: Fraction
) -> list[State]:
    states = [begin]
    while not finished(states[-1]) and states[-1].time < horizon:
        states.append(advance(field, states[-1], min(step, horizon - states[-1].time)))
    return states


def advance(field: Field, state: State, step: Fraction) -> State:
    """The state one segment later. Raises an ArithmeticError for too long a step or too few bits."""
    tau = arb(rational(step))
    order = _order(ctx.prec)
    polynomials = taylor(field, state.centre, order)
    defect = _defect(field, polynomials, order, tau)
    error = _upward(state.radius)
    tube = (4 * (error + defect * tau)).max(arb(_TUBE)).upper()
    rate = field.logarithmic_norm(_range(polynomials, tau, tube))
    growth = (rate * tau).exp()
    worst = growth.max(arb(1)).upper()
    if not (error * worst + defect * tau * worst) < tube:
        raise NotEnclosed("the error outgrows its tube: raise the precision")
    later = (error * growth + defect * tau * worst).upper()
    ends = [[p(tau) for p in row] for row in polynomials]
    moved = start(ends)
    radius = ((later + _upward(moved.radius)) * _SLACK).upper()
    return State(state.time + step, moved.centre, midpoint(radius))


def taylor(field: Field, centre: Sequence[Sequence[Fraction]], order: int) -> list[list[arb_poly]]:
    """Taylor polynomials (n×d) of the solution through the centre; their coefficients are made exact, not enclosed."""
    points = [[arb(rational(x)) for x in row] for row in centre]
    current = [[arb_series([x], prec=1) for x in row] for row in points]
    for k in range(1, order + 1):
        speeds = field.velocity(current)
        current = [
            [arb_series(_integral(x, _padded(v, k)), prec=k + 1) for x, v in zip(row, speed, strict=True)]
            for row, speed in zip(points, speeds, strict=True)
        ]
    return [[arb_poly([c.mid() for c in _padded(x, order + 1)]) for x in row] for row in current]


def _integral(begin: arb, slopes: list[arb]) -> list[arb]:
    return [begin, *(c.mid() / (k + 1) for k, c in enumerate(slopes))]


def _padded(series: arb_series, length: int) -> list[arb]:
    if series.prec < length:
        raise ValueError(f"a series of {series.prec} coefficients is read to {length}: widen series_length")
    return [series[k] for k in range(length)]


def _defect(field: Field, polynomials: list[list[arb_poly]], order: int, tau: arb) -> arb:
    """An upper bound of ``max_i sup_{0<=s<=τ} |p_i'(s) - F_i(p(s))|``."""
    series = [[arb_series(p.coeffs(), prec=order + 1) for p in row] for row in polynomials]
    speeds = field.velocity(series)
    tail = _tail(field, polynomials, order, tau)
    bounds = []
    for row, speed in zip(polynomials, [[_padded(f, order + 1) for f in row] for row in speeds], strict=True):
        slopes = [p.derivative() for p in row]
        bound, power = arb(0), arb(1)
        for k in range(order + 1):
            bound = bound + power * norm([slope[k] - f[k] for slope, f in zip(slopes, speed, strict=True)])
            power = power * tau
        bounds.append(bound)
    return (_largest(bounds) + tail).upper()


def _tail(field: Field, polynomials: list[list[arb_poly]], order: int, tau: arb) -> arb:
    """``M (τ/R)^{N+1}/(1 - τ/R)`` with R = 4τ, M the largest ``|F_i(p(s))|`` on the circle |s| = R."""
    ratio = 4
    half = arb.pi() / ARCS
    largest = arb(0)
    for k in range(ARCS // 2 + 1):
        # the arc of angles within π/ARCS of the k-th lies in a square about its middle
        angle = 2 * half * k
        centre = acb(angle.cos(), angle.sin()) * (ratio * tau)
        reach = (2 * (half / 2).sin() * ratio * tau).upper()
        box = centre + acb(arb(0, reach), arb(0, reach))
        tokens = [[p(box) for p in row] for row in polynomials]
        rows, totals = field.weights(tokens)
        if not all(acb(total).real > 0 for total in totals):
            raise _TooLong("a softmax denominator may vanish in the disc")
        speeds = field.velocity_from(tokens, rows, totals)
        for speed in speeds:
            size = norm([abs(acb(x)) for x in speed])
            if not size.is_finite():
                raise _TooLong("the field is not bounded on the circle")
            largest = largest.max(size)
    power = arb(1)
    for _ in range(order + 1):
        power = power / ratio
    return (largest * power / (1 - arb(1) / ratio)).upper()


def _range(polynomials: list[list[arb_poly]], tau: arb, tube: arb) -> list[Vector]:
    """A box that holds the tube of radius ``tube`` about the polynomials on [0, τ]."""
    middle = tau / 2
    span = arb(0, middle.upper())
    around = arb(0, tube)
    return [[p(middle + span) + around for p in row] for row in polynomials]


def _largest(values: Sequence[arb]) -> arb:
    largest = arb(0)
    for value in values:
        largest = largest.max(value)
    return largest
