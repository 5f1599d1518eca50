"""How tight prop-3.1/sphere is in time: the largest ratio found at fixed t with ||V|| = 1, ||A|| = 1, by local search.

``python -m proofs_checks.tightness`` prints the table of the docs. Small ΔV and ΔA, so that the response is linear and
the ratio does not depend on their size. What is found is a lower bound of the best constant, no more.
"""

from __future__ import annotations

import torch
from torch import Tensor

from numerics.flow import simulate_pair
from numerics.transport import labelled_angle
from theory import prop_3_1 as theory
from theory.lowering import to_torch

TIMES = (0.1, 0.3, 1.0, 3.0)
SIZES = ((1, 2), (2, 2), (4, 3))
_SMALL = 1e-4
_STARTS, _ROUNDS = 256, 60
Point = dict[str, Tensor]


def _normalised(point: Point) -> Point:
    """Norms: V and A 1, ΔV and ΔA together small; tokens on the sphere."""
    found = dict(point)
    for name in ("V", "A"):
        found[name] = point[name] / torch.linalg.matrix_norm(point[name], ord=2)[:, None, None]
    size = sum(torch.linalg.matrix_norm(point[k], ord=2) for k in ("dV", "dA"))
    for name in ("dV", "dA"):
        found[name] = _SMALL * point[name] / torch.as_tensor(size)[:, None, None]
    found["tokens"] = torch.nn.functional.normalize(point["tokens"], dim=-1)
    return found


def ratios(point: Point, t: float) -> Tensor:
    """Largest angle between twins at t over the bound (B,)."""
    norms = {name: torch.linalg.matrix_norm(point[m], ord=2) for name, m in (("V_norm", "V"), ("A_norm", "A"))}
    norms |= {"dV_norm": torch.linalg.matrix_norm(point["dV"], ord=2)}
    norms |= {"dA_norm": torch.linalg.matrix_norm(point["dA"], ord=2)}
    moved = {name: point[name] + point[f"d{name}"] for name in ("V", "A")}
    norms |= {f"perturbed_{k}_norm": torch.linalg.matrix_norm(x, ord=2) for k, x in moved.items()}
    times = torch.full((len(point["V"]), 1), t, dtype=torch.float64)
    base, other = simulate_pair(
        point["tokens"], point["A"], point["V"], moved["A"], moved["V"], times, rtol=1e-9, atol=1e-11
    )
    bound = to_torch(theory.BOUND, t=times[:, 0], **norms)
    return (labelled_angle(base.states, other.states)[:, 0] / bound).nan_to_num(nan=0.0)


def _unstable(point: Point) -> Point:
    """A tenth of the starts at the unstable eigenvector, turned by ΔV."""
    some, d = slice(0, len(point["V"]) // 10), point["V"].shape[-1]
    turn = torch.zeros(d, d, dtype=torch.float64)
    turn[0, 1], turn[1, 0] = -1.0, 1.0
    for name, matrix in (("V", torch.diag(torch.tensor([1.0, -1.0, *[0.0] * (d - 2)]).double())), ("dV", turn)):
        point[name][some] = matrix
    point["dA"][some] *= 1e-3
    point["tokens"][some] = torch.eye(d, dtype=torch.float64)[1]
    return point


def best_ratio(t: float, n: int, d: int, seed: int = 0) -> float:
    """The largest ratio at time t that random starts and local search find for n tokens in dimension d."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    point: Point = {name: noise(_STARTS, d, d) for name in ("V", "A", "dV", "dA")} | {"tokens": noise(_STARTS, n, d)}
    point = _normalised(_unstable(point))
    value = ratios(point, t)
    for number in range(_ROUNDS):
        width = 0.5 * 0.92**number
        trial = _normalised({
            k: x + width * (_SMALL if k in ("dV", "dA") else 1.0) * noise(*x.shape) for k, x in point.items()
        })  # fmt: skip
        found = ratios(trial, t)
        better = found > value
        value = torch.where(better, found, value)
        point = {k: torch.where(better[:, None, None], trial[k], x) for k, x in point.items()}
    return float(value.max())


def markdown() -> str:
    """The table of the docs."""
    lines = ["| t | " + " | ".join(f"n = {n}, d = {d}" for n, d in SIZES) + " |", "| --- |" + " --- |" * len(SIZES)]
    lines += [f"| {t:g} | " + " | ".join(f"{best_ratio(t, n, d):.3g}" for n, d in SIZES) + " |" for t in TIMES]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown())
