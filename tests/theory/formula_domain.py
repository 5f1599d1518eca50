"""Points at which every formula of the ledger is defined, made valid by construction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from theory.claims import CLAIMS
from theory.formula import Formula

VECTORS = ("alpha", "mu", "other_eigenvalues", "gaps")
Points = dict[str, np.ndarray]


def all_formulas() -> dict[str, Formula]:
    """Every formula of every claim, and those that they use, by name."""
    found: dict[str, Formula] = {}
    for formula in _nested(f for claim in CLAIMS.values() for f in claim.formulas):
        assert found.setdefault(formula.name, formula) == formula, f"two formulas are called {formula.name}"
    return found


def _nested(formulas: Iterable[Formula]) -> Iterator[Formula]:
    for formula in formulas:
        yield formula
        yield from _nested(formula.where)


def draw_points(seed: int, size: int, directions: int = 4) -> Points:
    """Values of all symbols, scalars of shape (size,) and vectors (size, directions), jointly valid."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, size)

    def vector(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (size, directions))

    free = {
        "positive": "E_norm b_norm c_norm kappa V_norm A_norm perturbed_V_norm perturbed_A_norm dV_norm dA_norm "
        "initial_angle radius_0 t T eta s_norm m_norm noise_scale sigma perturbed_dominant_gap perturbed_gap "
        "alpha_abs tan_max_angle weakening correlation slowness_integral",
    }
    points = {name: between(0.2, 0.9) for name in free["positive"].split()}
    a, b, c, E = between(-0.3, 0.3), points["b_norm"], points["c_norm"], points["E_norm"]
    lambda_1, angle_0 = between(1.0, 2.0), between(0.5, 1.4)
    separation = 2 * np.sqrt(b * c) + between(0.2, 2.0)
    gap = E + 2 * b - a + 2 * points["dV_norm"] + between(0.2, 2.0)
    return points | {
        "a": a,
        "gap": gap,
        "dominant_gap": E - a + between(0.3, 2.0),
        "e": gap + a + between(0.2, 1.0),
        "cone_separation": separation,
        "w": points["kappa"] + separation,
        # sqrt(t- t+) = sqrt(b/c) lies between the roots of b - Sϑ + cϑ²
        "tan_max_angle_0": np.sqrt(b / c),
        "lambda_1": lambda_1,
        "lambda_2": between(0.0, 0.7),
        "lambda_j": between(-0.1, 0.7),
        "perturbed_lambda_1": lambda_1 + a + between(0.5, 1.0),
        "alpha": vector(-0.3, 0.3),
        "mu": (lambda_1 + np.minimum(a, 0))[:, None] - vector(0.3, 2.0),
        "other_eigenvalues": vector(-0.1, 0.7),
        "earlier_time": points["t"] * between(0.0, 1.0),
        "gaps": vector(0.2, 2.0),
        "dominant_gap_sum": between(0.2, 2.0),
        "critical_norm_1": between(0.2, 2.0),
        "exponent": between(-1.0, 1.0),
        "mean_overlap": between(-0.5, 0.5),
        "perturbed_mu_max": lambda_1 + a - between(0.1, 0.5),
        "order": rng.integers(1, 6, size).astype(float),
        "h": between(0.1, 0.8) / points["V_norm"],
        "L": rng.integers(2, 50, size).astype(float),
        "d": rng.integers(2, 17, size).astype(float),
        "overlap": between(0.05, 0.6),
        "overlap_low": between(0.05, 0.3),
        "overlap_high": between(0.6, 0.95),
        "overlap_2": between(0.65, 0.7),
        "scaled_time": between(-3.0, 3.0),
        "target_angle": between(0.1, 1.4),
        "angle_0": angle_0,
        "deviation": angle_0 * between(0.1, 0.9),
    }
