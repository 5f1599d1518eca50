"""The Runge-Kutta method DOP853: its table as data, one batched step, its error and its interpolant.

Twelve stages of order 8, an error estimate from embedded formulas of orders 5 and 3, and an interpolant of order 7
for three more stages. Source: E. Hairer, S. P. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I*
(2nd ed., 1993), II.5 and II.6, and their program dop853.f, from which the constants are.

Everything here is free of data-dependent control flow. Layout: time ``(B,)``, state ``(B, n, d)``; the rows of a state
(tokens) have Euclidean norms, an instance has the maximum over its rows. Nothing here therefore depends on the basis
of R^d or on the order of the rows, except for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Field = Callable[[Tensor, Tensor], Tensor]
"""Right-hand side ``(t (B,), y (B, n, d)) -> (B, n, d)``."""

ORDER = 8
STAGES = 12
"""Evaluations per step: eleven inside, one at the new point (the first of the next step)."""
INTERPOLANT_STAGES = 3
"""Further evaluations per step for the interpolant."""

NODES: tuple[float, ...] = (
    0.0,
    0.05260015195876773,
    0.0789002279381516,
    0.1183503419072274,
    0.2816496580927726,
    0.3333333333333333,
    0.25,
    0.3076923076923077,
    0.6512820512820513,
    0.6,
    0.8571428571428571,
    1.0,
    1.0,
    0.1,
    0.2,
    0.7777777777777778,
)
"""Times of the stages as fractions of the step: 12 stages, the new point (12), three more for the interpolant."""

STAGE_WEIGHTS: tuple[dict[int, float], ...] = (
    {},
    {0: 0.05260015195876773},
    {0: 0.0197250569845379, 1: 0.0591751709536137},
    {0: 0.02958758547680685, 2: 0.08876275643042054},
    {0: 0.2413651341592667, 2: -0.8845494793282861, 3: 0.924834003261792},
    {0: 0.037037037037037035, 3: 0.17082860872947386, 4: 0.12546768756682242},
    {0: 0.037109375, 3: 0.17025221101954405, 4: 0.06021653898045596, 5: -0.017578125},
    {
        0: 0.03709200011850479,
        3: 0.17038392571223998,
        4: 0.10726203044637328,
        5: -0.015319437748624402,
        6: 0.008273789163814023,
    },
    {
        0: 0.6241109587160757,
        3: -3.3608926294469414,
        4: -0.868219346841726,
        5: 27.59209969944671,
        6: 20.154067550477894,
        7: -43.48988418106996,
    },
    {
        0: 0.47766253643826434,
        3: -2.4881146199716677,
        4: -0.590290826836843,
        5: 21.230051448181193,
        6: 15.279233632882423,
        7: -33.28821096898486,
        8: -0.020331201708508627,
    },
    {
        0: -0.9371424300859873,
        3: 5.186372428844064,
        4: 1.0914373489967295,
        5: -8.149787010746927,
        6: -18.52006565999696,
        7: 22.739487099350505,
        8: 2.4936055526796523,
        9: -3.0467644718982196,
    },
    {
        0: 2.273310147516538,
        3: -10.53449546673725,
        4: -2.0008720582248625,
        5: -17.9589318631188,
        6: 27.94888452941996,
        7: -2.8589982771350235,
        8: -8.87285693353063,
        9: 12.360567175794303,
        10: 0.6433927460157636,
    },
    {
        0: 0.054293734116568765,
        5: 4.450312892752409,
        6: 1.8915178993145003,
        7: -5.801203960010585,
        8: 0.3111643669578199,
        9: -0.1521609496625161,
        10: 0.20136540080403034,
        11: 0.04471061572777259,
    },
    {
        0: 0.056167502283047954,
        6: 0.25350021021662483,
        7: -0.2462390374708025,
        8: -0.12419142326381637,
        9: 0.15329179827876568,
        10: 0.00820105229563469,
        11: 0.007567897660545699,
        12: -0.008298,
    },
    {
        0: 0.03183464816350214,
        5: 0.028300909672366776,
        6: 0.053541988307438566,
        7: -0.05492374857139099,
        10: -0.00010834732869724932,
        11: 0.0003825710908356584,
        12: -0.00034046500868740456,
        13: 0.1413124436746325,
    },
    {
        0: -0.42889630158379194,
        5: -4.697621415361164,
        6: 7.683421196062599,
        7: 4.06898981839711,
        8: 0.3567271874552811,
        12: -0.0013990241651590145,
        13: 2.9475147891527724,
        14: -9.15095847217987,
    },
)
"""Weight of each earlier stage in the argument of a stage; row 12 is the solution of order 8."""

ERROR_5: dict[int, float] = {
    0: 0.01312004499419488,
    5: -1.2251564463762044,
    6: -0.4957589496572502,
    7: 1.6643771824549864,
    8: -0.35032884874997366,
    9: 0.3341791187130175,
    10: 0.08192320648511571,
    11: -0.022355307863886294,
}
"""Solution of order 8 minus the embedded one of order 5."""

ERROR_3: dict[int, float] = {
    0: -0.18980075407240762,
    5: 4.450312892752409,
    6: 1.8915178993145003,
    7: -5.801203960010585,
    8: -0.4226823213237919,
    9: -0.1521609496625161,
    10: 0.20136540080403034,
    11: 0.02265179219836082,
}
"""Solution of order 8 minus the embedded one of order 3."""

INTERPOLANT: tuple[dict[int, float], ...] = (
    {
        0: -8.428938276109013,
        5: 0.5667149535193777,
        6: -3.0689499459498917,
        7: 2.38466765651207,
        8: 2.117034582445028,
        9: -0.871391583777973,
        10: 2.2404374302607883,
        11: 0.6315787787694688,
        12: -0.08899033645133331,
        13: 18.148505520854727,
        14: -9.194632392478356,
        15: -4.436036387594894,
    },
    {
        0: 10.427508642579134,
        5: 242.28349177525817,
        6: 165.20045171727028,
        7: -374.5467547226902,
        8: -22.113666853125306,
        9: 7.733432668472264,
        10: -30.674084731089398,
        11: -9.332130526430229,
        12: 15.697238121770845,
        13: -31.139403219565178,
        14: -9.35292435884448,
        15: 35.81684148639408,
    },
    {
        0: 19.985053242002433,
        5: -387.0373087493518,
        6: -189.17813819516758,
        7: 527.8081592054236,
        8: -11.57390253995963,
        9: 6.8812326946963,
        10: -1.0006050966910838,
        11: 0.7777137798053443,
        12: -2.778205752353508,
        13: -60.19669523126412,
        14: 84.32040550667716,
        15: 11.99229113618279,
    },
    {
        0: -25.69393346270375,
        5: -154.18974869023643,
        6: -231.5293791760455,
        7: 357.6391179106141,
        8: 93.40532418362432,
        9: -37.45832313645163,
        10: 104.0996495089623,
        11: 29.8402934266605,
        12: -43.53345659001114,
        13: 96.32455395918828,
        14: -39.17726167561544,
        15: -149.72683625798564,
    },
)
"""The upper four coefficients of the interpolant in the 16 stages."""

_SLOTS = (2, 1, 0, *range(3, 16))
"""Place of each stage in memory: in this order every row of the table above uses stages that lie side by side."""
_FIRST, _NEW = 2, 12


@dataclass(frozen=True)
class Weights:
    """Weights of ``coefficients.shape[-1]`` stages that lie side by side in memory from ``start`` on."""

    start: int
    coefficients: Tensor

    def total(self, stages: Tensor) -> Tensor:
        """Weighted sum ``(..., B, n, d)`` of the stages ``(16, B, n, d)``, one for each row of the coefficients."""
        used = stages.narrow(0, self.start, self.coefficients.shape[-1])
        flat = torch.matmul(self.coefficients, used.view(used.shape[0], -1))
        return flat.view(*self.coefficients.shape[:-1], *used.shape[1:])


@dataclass(frozen=True)
class Tableau:
    """The table as tensors of one device and floating-point type.

    ``stages[s]`` are the weights for stage s (stage 0 and the new point need none); ``solution`` has three rows: the
    step of order 8 and its differences from those of orders 5 and 3.
    """

    stages: dict[int, Weights]
    solution: Weights
    interpolant: Weights


def tableau(dtype: torch.dtype, device: torch.device) -> Tableau:
    """The table of DOP853 for states of this type on this device."""

    def weights(*rows: dict[int, float]) -> Weights:
        slots = [_SLOTS[stage] for row in rows for stage in row]
        start, stop = min(slots), max(slots) + 1
        stage_at = [_SLOTS.index(slot) for slot in range(start, stop)]
        dense = [[row.get(stage, 0.0) for stage in stage_at] for row in rows]
        return Weights(start, torch.tensor(dense, dtype=dtype, device=device))

    return Tableau(
        stages={s: weights(row) for s, row in enumerate(STAGE_WEIGHTS) if s not in (0, _NEW)},
        solution=weights(STAGE_WEIGHTS[_NEW], ERROR_5, ERROR_3),
        interpolant=weights(*INTERPOLANT),
    )


def per_instance(x: Tensor, ndim: int = 3) -> Tensor:
    """``x (B,)`` as ``(B, 1, ..., 1)``, to scale states."""
    return x.view(-1, *(1,) * (ndim - 1))


def max_norm(rows: Tensor) -> Tensor:
    """Largest Euclidean norm ``(B,)`` among the rows of each instance."""
    return torch.linalg.vector_norm(rows, dim=2).amax(dim=1)


def trial_step(
    field: Field, t: Tensor, y: Tensor, slope: Tensor, h: Tensor, stages: Tensor, table: Tableau
) -> tuple[Tensor, Tensor, Tensor]:
    """One step of length ``h (B,)`` from ``y (B, n, d)`` at times ``t (B,)``, with ``slope = field(t, y)``.

    Returns the new state and its differences from the embedded solutions of orders 5 and 3, all ``(B, n, d)``.
    ``stages (16, B, n, d)`` is working memory and holds the 12 stages afterwards.
    """
    step = per_instance(h)
    stages[_FIRST] = slope
    for s in range(1, _NEW):
        _fill(s, field, t, y, h, step, stages, table)
    increment, error_5, error_3 = table.solution.total(stages).mul_(step).unbind(0)
    return y + increment, error_5, error_3


def _fill(s: int, field: Field, t: Tensor, y: Tensor, h: Tensor, step: Tensor, stages: Tensor, table: Tableau) -> None:
    """Compute stage s into its slot."""
    argument = torch.addcmul(y, step, table.stages[s].total(stages).squeeze(0))
    stages[_SLOTS[s]] = field(torch.add(t, h, alpha=NODES[s]), argument)


def error_norm(
    y: Tensor, y_new: Tensor, error_5: Tensor, error_3: Tensor, rtol: float, atol: float
) -> tuple[Tensor, Tensor]:
    """The local error ``(B,)`` of a step, in units of the tolerance and in those of the state.

    ``E5²/√(E5² + E3²/100)`` as in dop853.f, where E5 and E3 are the largest row norms, in the first result each
    divided by ``atol + rtol max(|y_i|, |y_new,i|)``. Not finite where the step is not.
    """
    length = torch.maximum(torch.linalg.vector_norm(y, dim=2), torch.linalg.vector_norm(y_new, dim=2))
    scale = length.mul_(rtol).add_(atol)
    norm_5, norm_3 = torch.linalg.vector_norm(error_5, dim=2), torch.linalg.vector_norm(error_3, dim=2)
    scaled = _combined((norm_5 / scale).amax(dim=1), (norm_3 / scale).amax(dim=1))
    absolute = _combined(norm_5.amax(dim=1), norm_3.amax(dim=1))
    # An overflowed state has an infinite scale, so a scaled error of zero: inf * 0 turns it into NaN.
    return scaled + scale.amax(dim=1) * 0.0, absolute


def _combined(norm_5: Tensor, norm_3: Tensor) -> Tensor:
    denominator = torch.hypot(norm_5, 0.1 * norm_3)
    # Both vanish at rest. Dividing before multiplying cannot overflow.
    return norm_5 * torch.where(denominator > 0, norm_5 / denominator, norm_5)


def interpolant(
    field: Field, t: Tensor, y: Tensor, y_new: Tensor, slope_new: Tensor, h: Tensor, stages: Tensor, table: Tableau
) -> Tensor:
    """Coefficients ``(B, 7, n, d)`` of the interpolant of order 7 over a step that :func:`trial_step` has just done.

    ``y_new`` is the new state (projected or not) and ``slope_new`` the field there. Three more evaluations.
    """
    step = per_instance(h)
    slope = stages.select(0, _FIRST)
    stages[_NEW] = slope_new
    for s in range(_NEW + 1, len(NODES)):
        _fill(s, field, t, y, h, step, stages, table)
    change = y_new - y
    at_start = step * slope - change
    at_end = change - step * slope_new - at_start
    upper = table.interpolant.total(stages).mul_(step)
    return torch.stack([change, at_start, at_end, *upper.unbind(0)], dim=1)


def interpolate(y: Tensor, coefficients: Tensor, theta: Tensor) -> Tensor:
    """The interpolant at the fraction ``theta (...)`` of the step, from ``y (..., n, d)`` and its coefficients."""
    theta = theta.unsqueeze(-1).unsqueeze(-1)
    value = torch.zeros_like(y)
    for k, coefficient in enumerate(reversed(coefficients.unbind(-3))):
        value.add_(coefficient).mul_(theta if k % 2 == 0 else 1 - theta)
    return value.add_(y)


def starting_step(field: Field, t: Tensor, y: Tensor, slope: Tensor, rtol: float, atol: float) -> Tensor:
    """A first step length ``(B,)`` by Hairer's heuristic (II.4 there): one more evaluation of the field."""
    scale = torch.linalg.vector_norm(y, dim=2, keepdim=True).mul_(rtol).add_(atol)
    size, speed = max_norm(y / scale), max_norm(slope / scale)
    small = (size < 1e-5) | (speed < 1e-5)
    euler = torch.where(small, torch.full_like(size, 1e-6), 0.01 * size / speed)
    moved = field(t + euler, torch.addcmul(y, per_instance(euler), slope))
    bend = max_norm((moved - slope) / scale) / euler
    steepest = torch.maximum(speed, bend)
    flat = steepest <= 1e-15
    length = torch.where(flat, (1e-3 * euler).clamp(min=1e-6), (0.01 / steepest) ** (1 / ORDER))
    return torch.minimum(100 * euler, length)
