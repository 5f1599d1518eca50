"""The flow on the sphere as other solvers integrate it: each as its documentation says, for the speed comparison.

Every peer solves ``x_i' = P_{x_i} V m_i`` for a batch and returns the tokens ``(B, K, n, d)`` at K equidistant times.
The right-hand side is the one that a user writes first: matrix products and a softmax. float64, one thread.
The packages are imported where they are used: they live in an environment of their own (``make bench``).
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics.field import normalised
from numerics.flow import simulate
from numerics.kernel import flow as kernel
from numerics.kernel.library import library


@dataclass(frozen=True)
class Problem:
    """B clouds of n tokens in R^d with A = V, integrated to T, asked for at ``outputs`` times."""

    tokens: Tensor
    value: Tensor
    T: float
    outputs: int

    @property
    def times(self) -> Tensor:
        """The times (K,)."""
        return torch.linspace(0, self.T, self.outputs + 1, dtype=torch.float64)[1:]


class Missing(RuntimeError):
    """A peer cannot solve a problem; the message says why."""


def problem(batch: int, n: int, d: int, T: float, outputs: int) -> Problem:
    """Random tokens on the sphere; V symmetric, its spectrum random in [0, 1]."""
    g = torch.Generator().manual_seed(0)
    tokens = normalised(torch.randn(batch, n, d, generator=g, dtype=torch.float64))
    q = torch.linalg.qr(torch.randn(batch, d, d, generator=g, dtype=torch.float64))[0]
    spectrum = torch.rand(batch, 1, d, generator=g, dtype=torch.float64)
    return Problem(tokens, (q * spectrum) @ q.mT, T, outputs)


def velocity(x: Tensor, value: Tensor) -> Tensor:
    """The field (B, n, d) in plain torch."""
    mean = torch.softmax(x @ value.mT @ x.mT, dim=-1) @ x
    image = mean @ value.mT
    return image - (image * x).sum(dim=-1, keepdim=True) * x


def this_project(p: Problem, tolerance: float) -> Tensor:
    """This project with its compiled kernel."""
    if library() is None or p.tokens.shape[1] > kernel.LARGEST:
        raise Missing(f"the kernel is for up to {kernel.LARGEST} tokens" if library() else "no compiler here")
    return simulate(
        p.tokens, p.value, p.value, p.times.expand(len(p.tokens), -1), rtol=tolerance, atol=tolerance
    ).states


def this_project_in_torch(p: Problem, tolerance: float) -> Tensor:
    """This project in pure torch."""
    chosen, kernel.applies = kernel.applies, lambda *_: False
    try:
        times = p.times.expand(len(p.tokens), -1)
        return simulate(p.tokens, p.value, p.value, times, rtol=tolerance, atol=tolerance).states
    finally:
        kernel.applies = chosen


def torchdiffeq_dopri5(p: Problem, tolerance: float) -> Tensor:
    """torchdiffeq: one step length for the whole batch."""
    from torchdiffeq import odeint

    times = torch.cat([torch.zeros(1, dtype=torch.float64), p.times])
    found = odeint(lambda _, x: velocity(x, p.value), p.tokens, times, method="dopri5", rtol=tolerance, atol=tolerance)
    return found[1:].transpose(0, 1)  # type: ignore[index]


def torchode_dopri5(p: Problem, tolerance: float) -> Tensor:
    """torchode: a step length for each instance."""
    import torchode as to

    batch, n, d = p.tokens.shape
    term = to.ODETerm(lambda _, y: velocity(y.view(-1, n, d), p.value).reshape(len(y), -1))  # type: ignore[arg-type]
    controller = to.IntegralController(atol=tolerance, rtol=tolerance, term=term)
    solver = to.AutoDiffAdjoint(to.Dopri5(term=term), controller)
    start = p.tokens.reshape(batch, -1)
    zero = torch.zeros(batch, dtype=torch.float64)
    asked = to.InitialValueProblem(
        y0=start, t_start=zero, t_end=zero + p.T, t_eval=p.times.expand(batch, -1).contiguous()
    )
    return solver.solve(asked).ys.reshape(batch, -1, n, d)


_COMPILED: dict[tuple[int, ...], Callable[..., object]] = {}


def diffrax_tsit5(p: Problem, tolerance: float) -> Tensor:
    """diffrax, compiled by XLA: ``vmap`` over the instances, a step length for each."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    key = (*p.tokens.shape, p.outputs)
    if key not in _COMPILED:

        def field(_t: object, x: jax.Array, value: jax.Array) -> jax.Array:
            image = jax.nn.softmax(x @ value.T @ x.T, axis=-1) @ x @ value.T
            return image - (image * x).sum(axis=-1, keepdims=True) * x

        def one(x: jax.Array, value: jax.Array, times: jax.Array, tolerance: jax.Array) -> jax.Array:
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(field), diffrax.Tsit5(), t0=0.0, t1=times[-1], dt0=None, y0=x, args=value,
                saveat=diffrax.SaveAt(ts=times), max_steps=100_000,
                stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
                adjoint=diffrax.ForwardMode(),
            )  # fmt: skip
            assert found.ys is not None
            return found.ys

        _COMPILED[key] = jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)))
    tokens, value, times = (jnp.asarray(x.numpy()) for x in (p.tokens, p.value, p.times))
    return torch.from_numpy(np.array(_COMPILED[key](tokens, value, times, tolerance)))


def _numpy_velocity(x: np.ndarray, value: np.ndarray) -> np.ndarray:
    logits = x @ value.swapaxes(-1, -2) @ x.swapaxes(-1, -2)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    image = (weights / weights.sum(axis=-1, keepdims=True)) @ x @ value.swapaxes(-1, -2)
    return image - (image * x).sum(axis=-1, keepdims=True) * x


def scipy_dop853(p: Problem, tolerance: float) -> Tensor:
    """scipy's DOP853 on the whole batch as one system."""
    from scipy.integrate import solve_ivp

    value, shape = p.value.numpy(), p.tokens.shape

    def field(_: float, y: np.ndarray) -> np.ndarray:
        return _numpy_velocity(y.reshape(shape), value).ravel()

    done = solve_ivp(field, (0, p.T), p.tokens.numpy().ravel(), method="DOP853", t_eval=p.times.numpy(),
                     rtol=tolerance, atol=tolerance)  # fmt: skip
    return torch.from_numpy(done.y.T.copy()).reshape(p.outputs, *shape).transpose(0, 1)


def scipy_lsoda(p: Problem, tolerance: float) -> Tensor:
    """scipy's LSODA, instance by instance: its working memory grows with the square of the unknowns."""
    from scipy.integrate import solve_ivp

    batch, n, d = p.tokens.shape
    if batch * n * d > 20_000:
        raise Missing("a Python loop over the instances: minutes a call")
    found = []
    for b in range(batch):
        value = p.value[b].numpy()
        done = solve_ivp(lambda _, y, value=value: _numpy_velocity(y.reshape(n, d), value).ravel(), (0, p.T),
                         p.tokens[b].numpy().ravel(), method="LSODA", t_eval=p.times.numpy(), rtol=tolerance,
                         atol=tolerance)  # fmt: skip
        found.append(torch.from_numpy(done.y.T.copy()).reshape(p.outputs, n, d))
    return torch.stack(found)


def euler(p: Problem, tolerance: float) -> Tensor:
    """Euler steps with normalisation, vectorised; the step is the fourth root of ``tolerance``."""
    steps = max(1, round(p.T / p.outputs / tolerance**0.25))
    h, x, found = p.T / p.outputs / steps, p.tokens, []
    for _ in range(p.outputs):
        for _ in range(steps):
            x = normalised(x + h * velocity(x, p.value))
        found.append(x)
    return torch.stack(found, dim=1)


PEERS: dict[str, Callable[[Problem, float], Tensor]] = {
    "loraproofs, kernel": this_project,
    "loraproofs, torch": this_project_in_torch,
    "torchdiffeq dopri5": torchdiffeq_dopri5,
    "torchode dopri5": torchode_dopri5,
    "diffrax Tsit5": diffrax_tsit5,
    "scipy DOP853": scipy_dop853,
    "scipy LSODA": scipy_lsoda,
    "Euler": euler,
}
"""Name → solver ``(problem, tolerance) -> tokens (B, K, n, d)``."""


def peer_versions() -> dict[str, str]:
    """Versions of the packages compared."""
    names = ("torch", "torchdiffeq", "torchode", "diffrax", "jax", "jaxlib", "scipy", "numpy")
    return {name: importlib.metadata.version(name) for name in names}
