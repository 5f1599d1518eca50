"""Formulas against values found without them: eigenvalues, ODE solvers, explicit sums, quadrature."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from theory import prop_3_1, prop_3_3, remark_3_4, thm_4_2, thm_4_6
from theory.formula import Formula
from theory.lowering import to_torch


def value(formula: Formula, **values) -> float:
    return to_torch(formula, **{k: torch.as_tensor(v, dtype=torch.float64) for k, v in values.items()}).item()


def solve(field, start: float, end: float) -> float:
    return solve_ivp(field, (0, end), [start], method="DOP853", rtol=1e-12, atol=1e-14).y[0, -1]


def first_time(function: Callable[[float], float]) -> float:
    """Where a monotone function of time crosses zero, found between 0 and 10,000."""
    root = brentq(function, 0, 1e4, xtol=1e-13)
    assert isinstance(root, float)
    return root


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


# --- Proposition 3.1


def test_finite_time_bounds_solve_their_ode() -> None:
    norms = {"V_norm": 0.9, "perturbed_V_norm": 0.7, "A_norm": 1.1, "perturbed_A_norm": 2.0}
    small = {"dV_norm": 0.2, "dA_norm": 0.3}
    delta, rate = 0.2 + 0.7 * 0.3, 2 * min(0.9 * 2.1, 0.7 * 3.0)
    end = solve(lambda t, y: delta + rate * y, 0.0, 0.8)
    assert value(prop_3_1.BOUND, **norms, **small, t=0.8) == pytest.approx(end, rel=1e-10)
    end = solve(lambda t, y: delta + rate * y, 0.05, 0.8)
    found = value(prop_3_1.INITIAL_BOUND, **norms, **small, t=0.8, initial_angle=0.05)
    assert found == pytest.approx(end, rel=1e-10)


def test_euclidean_integrand_integrates_to_the_solution_of_its_ode() -> None:
    v, v2, a, dv, da, r0, end = 0.6, 0.8, 0.5, 0.1, 0.2, 0.9, 0.7

    def field(t, y):
        radius = r0 * np.exp(max(v, v2) * t)
        return dv * radius + v * da * radius**3 + v * (1 + 2 * a * radius**2) * y

    names = {"V_norm": v, "perturbed_V_norm": v2, "A_norm": a, "dV_norm": dv, "dA_norm": da, "radius_0": r0}
    formula = prop_3_1.EUCLIDEAN_INTEGRAND
    total, _ = quad(lambda s: value(formula, **names, t=end, earlier_time=s), 0, end, epsrel=1e-11)
    assert total == pytest.approx(solve(field, 0.0, end), rel=1e-9)


def test_growth_of_w2_solves_its_ode() -> None:
    v, a, t = 0.6, 0.8, 0.7
    for formula, rate in (
        (prop_3_1.W2_GROWTH, 0.6 * 1.8 * (1 + np.exp(0.8))),
        (prop_3_1.W2_GROWTH_K_STAR, 2 * 0.6 * 1.8),
    ):
        end = solve(lambda _, y, k=rate: k * y, 1.0, t)
        assert value(formula, V_norm=v, A_norm=a, t=t) == pytest.approx(end, rel=1e-10)
    same = {"V_norm": v, "perturbed_V_norm": v, "A_norm": a, "perturbed_A_norm": a}
    assert value(prop_3_1.K_ONE_FLOW, V_norm=v, A_norm=a) == pytest.approx(value(prop_3_1.K, **same), rel=1e-14)


def attention_step(tokens: np.ndarray, v: np.ndarray, a: np.ndarray, h: float) -> np.ndarray:
    logits = tokens @ a.T @ tokens.T
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    moved = tokens + h * (weights / weights.sum(axis=1, keepdims=True)) @ tokens @ v.T
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def test_one_step_stretches_chords_by_at_most_the_lipschitz_constant() -> None:
    rng = np.random.default_rng(3)
    worst = 0.0
    for _ in range(400):
        d, n = int(rng.integers(2, 4)), int(rng.integers(1, 4))
        v, a = rng.normal(size=(d, d)), rng.uniform(0, 2) * rng.normal(size=(d, d))
        h = float(rng.uniform(0.05, 0.95) / np.linalg.norm(v, 2))
        x = rng.normal(size=(n, d))
        y = x + rng.choice([1e-4, 0.3]) * rng.normal(size=(n, d))
        x, y = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))
        apart = [np.linalg.norm(p - q, axis=1).max() for p, q in ((x, y), [attention_step(z, v, a, h) for z in (x, y)])]
        bound = value(
            prop_3_1.STEP_LIPSCHITZ, h=h, V_norm=float(np.linalg.norm(v, 2)), A_norm=float(np.linalg.norm(a, 2))
        )
        worst = max(worst, apart[1] / apart[0] / bound)
    assert 0.5 < worst <= 1
    assert value(prop_3_1.STEP_LIPSCHITZ, h=0.5, V_norm=1.0, A_norm=0.5) == 1 + 0.5 * 3 / 0.5


# --- Proposition 3.3 and Remark 3.4


def test_theta_bound_is_the_angle_of_a_planted_two_by_two_matrix() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        lam1, lam2, a, b = rng.uniform(1, 2), rng.uniform(-1, 0.5), rng.uniform(-0.2, 0.2), rng.normal()
        e = rng.uniform(0, lam1 - lam2 + a)
        vectors = np.linalg.eigh(np.array([[lam1 + a, b], [b, lam2 + e]]))[1]
        angle = np.arccos(abs(vectors[0, -1]))
        frame = {"gap": lam1 - lam2, "a": a, "b_norm": abs(b), "E_norm": e}
        assert value(prop_3_3.THETA_BOUND, **frame) == pytest.approx(angle, abs=1e-8)
        chord = np.linalg.norm(vectors[:, -1] * np.sign(vectors[0, -1]) - [1, 0])
        assert value(prop_3_3.DRIFT_BOUND_SHARP, **frame) == pytest.approx(chord, rel=1e-10)
        two = {"gap": lam1 - lam2, "a": a, "alpha_abs": abs(b), "e": e}
        assert value(remark_3_4.TWO_LEVEL_ANGLE, **two) == pytest.approx(angle, abs=1e-8)


def test_two_level_angle_past_the_crossing() -> None:
    vectors = np.linalg.eigh(np.array([[1.0, 0.1], [0.1, 1.5]]))[1]
    found = value(remark_3_4.TWO_LEVEL_ANGLE, gap=1.0, a=0.0, e=1.5, alpha_abs=0.1)
    assert found == pytest.approx(np.arccos(abs(vectors[0, -1])), rel=1e-12)
    assert found > np.pi / 4


def test_half_of_the_quoted_bound_dominates_the_sharp_one() -> None:
    norms = np.linspace(0, 1, 8)
    grid = itertools.product(np.linspace(0.5, 2, 6), np.linspace(-0.4, 1, 6), norms, norms)
    points = torch.tensor([p for p in grid if p[0] + p[1] > 2 * p[2] + p[3]], dtype=torch.float64)
    frame = dict(zip(("gap", "a", "b_norm", "E_norm"), points.T, strict=True))
    half, sharp = to_torch(prop_3_3.DRIFT_BOUND_HALF, **frame), to_torch(prop_3_3.DRIFT_BOUND_SHARP, **frame)
    assert len(points) > 300
    assert (half >= sharp).all()
    one_percent_less = value(prop_3_3.DRIFT_BOUND_HALF, gap=1, a=0, b_norm=1e-3, E_norm=0) * 0.99
    assert one_percent_less < value(prop_3_3.DRIFT_BOUND_SHARP, gap=1, a=0, b_norm=1e-3, E_norm=0)


def test_secular_equation_at_the_eigenvalue_of_an_arrow_matrix() -> None:
    rng = np.random.default_rng(5)
    for d in (2, 3, 8, 16):
        alpha, mu, lam1, a = rng.normal(size=d - 1), rng.uniform(-1, 0.8, d - 1), 1.0, 0.1
        arrow = np.diag([lam1 + a, *mu])
        arrow[0, 1:] = arrow[1:, 0] = alpha
        q = rotation(rng, d)
        top, vectors = np.linalg.eigh(q @ arrow @ q.T)
        cosine = abs(q[:, 0] @ vectors[:, -1])
        names = {"alpha": alpha, "mu": mu, "perturbed_lambda_1": top[-1]}
        assert abs(value(remark_3_4.SECULAR_RESIDUAL, **names, lambda_1=lam1, a=a)) < 1e-11
        tan_squared = 1 / cosine**2 - 1
        assert value(remark_3_4.TAN_SQUARED_SECULAR, **names) == pytest.approx(tan_squared, rel=1e-9)
        drift = {"alpha": alpha, "mu": mu, "lambda_1": lam1, "a": a}
        assert value(remark_3_4.DRIFT_CORRECTED, **drift) >= tan_squared


@pytest.mark.parametrize(("b", "c", "start"), [(0.3, 0.4, 1.2), (0.3, 0.0, 2.0), (0.0, 0.5, 0.7), (0.3, 0.4, 0.05)])
def test_cone_bound_solves_the_riccati_equation(b: float, c: float, start: float) -> None:
    separation = 1.3
    for t in (0.1, 1.0, 4.0):
        end = solve(lambda _, y: b - separation * y + c * y**2, start, t)
        inner = value(prop_3_3.CONE_INNER, cone_separation=separation, b_norm=b, c_norm=c)
        found = value(
            prop_3_3.CONE_ANGLE_BOUND, cone_separation=separation, b_norm=b, c_norm=c, tan_max_angle_0=start, t=t
        )
        assert found == pytest.approx(max(inner, end), rel=1e-9)


def test_cone_edges_are_the_roots_of_the_quadratic() -> None:
    roots = np.sort(np.roots([0.4, -1.3, 0.3]))
    frame = {"cone_separation": 1.3, "b_norm": 0.3, "c_norm": 0.4}
    assert value(prop_3_3.CONE_INNER, **frame) == pytest.approx(roots[0], rel=1e-12)
    assert 1 / value(prop_3_3.CONE_OUTER_INVERSE, **frame) == pytest.approx(roots[1], rel=1e-12)
    assert value(prop_3_3.CONE_RATE, **frame) == pytest.approx(0.4 * (roots[1] - roots[0]), rel=1e-12)


def test_drift_per_eigenvalue_by_hand() -> None:
    frame = {"alpha": [0.3, 0.2], "mu": [0.5, -1.0], "lambda_1": 1.0}
    corrected = (0.3 / 0.75) ** 2 + (0.2 / 2.25) ** 2
    assert value(remark_3_4.DRIFT_QUOTED, **frame) == pytest.approx(0.6**2 + 0.1**2, rel=1e-14)
    assert value(remark_3_4.DRIFT_CORRECTED, **frame, a=0.25) == pytest.approx(corrected, rel=1e-14)
    residual = 2 - 1 - 0.25 - 0.09 / 1.5 - 0.04 / 3
    found = value(remark_3_4.SECULAR_RESIDUAL, **frame, a=0.25, perturbed_lambda_1=2.0)
    assert found == pytest.approx(residual, rel=1e-14)


def test_margins_by_hand() -> None:
    frame = {"gap": 1.0, "dominant_gap": 0.875, "a": 0.25, "b_norm": 0.125, "E_norm": 0.5}
    assert value(prop_3_3.CRITERION_MARGIN, **frame) == 0.5
    assert value(prop_3_3.SHARP_CRITERION_MARGIN, **frame) == 0.625
    assert value(prop_3_3.CONE_SEPARATION, w=1.0, kappa=0.25) == 0.75
    assert value(prop_3_3.CONE_MARGIN, cone_separation=1.5, b_norm=0.25, c_norm=0.25) == 1.0
    edge = {"w": 2.0, "kappa": 0.5, "b_norm": 4.0, "c_norm": 0.25, "tan_max_angle": 0.5}
    assert value(thm_4_6.PLAIN_CONDITION, **edge) == 0.5 + 0.125 - 0.5 * 3.0


def test_hemisphere_needed_is_the_sine_of_the_planted_angle() -> None:
    vectors = np.linalg.eigh(np.array([[1.5, 0.45], [0.45, 0.5]]))[1]
    found = value(prop_3_3.HEMISPHERE_NEEDED, gap=1.0, a=0.0, b_norm=0.45, E_norm=0.0)
    assert found == pytest.approx(abs(vectors[1, -1]), rel=1e-12)


@pytest.mark.parametrize("formula", [prop_3_3.TAN_ANGLE_BOUND, prop_3_3.PERTURBED_TAN_ANGLE_BOUND])
def test_tangent_of_one_token_decays_at_the_rate_of_the_gap(formula: Formula) -> None:
    """One token in the plane of u1 and u2 attains the bound: its direction is that of e^{tV} x0."""
    spectrum, start = np.array([1.5, 0.9]), np.array([0.6, 0.8])
    rates = {"dominant_gap": 0.6, "perturbed_dominant_gap": 0.6}
    found = value(formula, **rates, tan_max_angle_0=start[1] / start[0], t=1.3)
    assert found == pytest.approx(np.tan(angle_to_first(spectrum, start, 1.3)), rel=1e-12)


# --- Theorem 4.2

LAYER = {"h": 0.1, "eta": 0.3, "s_norm": 1.2, "d": 5.0}


def linear_variance(lam1: float, lam_j: float, depth: int) -> float:
    """Variance of the linearised model, layer by layer."""
    h, noise = LAYER["h"], LAYER["h"] * LAYER["eta"] * LAYER["s_norm"] / LAYER["d"]
    variance = 0.0
    for _ in range(depth):
        variance = ((1 + h * lam_j) ** 2 * variance + noise**2) / (1 + h * lam1) ** 2
    return variance


def test_critical_variance_is_that_of_the_recursion() -> None:
    found = value(thm_4_2.CRITICAL_VARIANCE, **LAYER, L=37, lambda_1=1.0, lambda_j=-0.3)
    assert found == pytest.approx(linear_variance(1.0, -0.3, 37), rel=1e-11)


def test_critical_variance_tends_to_its_limit() -> None:
    time, depth, sigma = 1.5, 10**6, 0.4
    eta_h = sigma * 5.0 / 1.2 / np.sqrt(time / depth)  # σ² = hη²||s||²/d²
    layered = {"h": time / depth, "eta": eta_h, "s_norm": 1.2, "d": 5.0, "L": depth}
    found = value(thm_4_2.CRITICAL_VARIANCE, **layered, lambda_1=1.0, lambda_j=0.2)
    limit = value(thm_4_2.CRITICAL_VARIANCE_LIMIT, T=time, sigma=sigma, lambda_1=1.0, lambda_j=0.2)
    assert found == pytest.approx(limit, rel=1e-5)


@pytest.mark.parametrize("correlation", [0.2, 0.9, 0.999])
def test_ar1_variance_is_the_double_sum(correlation: float) -> None:
    lam1, lam_j, depth = 1.0, 0.25, 23
    ratio = (1 + 0.1 * lam_j) / (1 + 0.1 * lam1)
    k = np.arange(depth)
    total = (ratio ** (k[:, None] + k) * correlation ** abs(k[:, None] - k)).sum()
    noise = (0.1 * 0.3 * 1.2 / 5 / (1 + 0.1 * lam1)) ** 2
    found = value(thm_4_2.AR1_VARIANCE, **LAYER, L=depth, lambda_1=lam1, lambda_j=lam_j, correlation=correlation)
    assert found == pytest.approx(noise * total, rel=1e-10)


def test_ar1_shift_is_that_of_the_long_run_variance() -> None:
    k, rho = np.arange(1500), 0.7
    long_run = (rho ** abs(k[:, None] - k)).sum() / len(k)
    assert value(thm_4_2.AR1_SHIFT, correlation=rho) == pytest.approx(long_run**-0.5, rel=2e-3)


def gauss_hermite(points: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, weights / weights.sum()


def test_collapsed_drift_is_the_limit_of_the_layered_model() -> None:
    """E<N(e + hΔVe), e> by quadrature over <v,e> and u for d = 2, r = 1; then the power L."""
    tau, time, depth = 1.3, 2.0, 20_000
    h = time / depth
    x, p = gauss_hermite(40)
    move = h * tau / np.sqrt(h) / 2 * x[:, None, None]  # hη <v,e> times the scale of u: both N(0, 1/d)
    along, across = 1 + move * x[None, :, None], move * x[None, None, :]
    weights = p[:, None, None] * p[None, :, None] * p[None, None, :]
    lost = (weights * (1 - along / np.hypot(along, across))).sum()
    drift = -np.expm1(depth * np.log1p(-lost))
    assert value(thm_4_2.COLLAPSED_DRIFT, noise_scale=tau, T=time, s_norm=1.0, d=2.0) == pytest.approx(drift, rel=1e-3)


def test_tangential_move_of_a_sampled_adapter() -> None:
    rng, d, h, eta = np.random.default_rng(8), 4, 0.1, 0.7
    scales, m, x = np.array([0.5, 1.5]), np.array([0.3, 0.1, -0.2, 0.4]), np.array([0.0, 0.6, 0.8, 0.0])
    u, v = rng.normal(size=(2, 200_000, 2, d)) / np.sqrt(d)
    update = eta * np.einsum("k,nki,nkj,j->ni", scales, u, v, m)
    tangential = h * (update - np.outer(update @ x, x))
    rms = np.sqrt((tangential**2).sum(axis=1).mean())
    names = {"h": h, "eta": eta, "s_norm": np.linalg.norm(scales), "m_norm": np.linalg.norm(m), "d": d}
    assert value(thm_4_2.TANGENTIAL_MOVE, **names) == pytest.approx(rms, rel=0.01)


def test_subcritical_bound_solves_its_recursion() -> None:
    """The bound is what u' = (τ²||s||²/d)(1 - h||V||)^-2 + 2 K_2' u reaches from 0 in time T."""
    v, a, h, tau, s_norm, d, time = 0.5, 0.4, 0.2, 0.3, 1.1, 6.0, 0.9
    rate = 0.5 * 1.4 * (1 + np.exp(0.4)) / (1 - 0.1)
    source = (tau * s_norm) ** 2 / d / (1 - h * v) ** 2
    end = solve(lambda _, y: source + 2 * rate * y, 0.0, time)
    names = {"V_norm": v, "A_norm": a, "h": h, "noise_scale": tau, "s_norm": s_norm, "d": d, "T": time}
    assert value(thm_4_2.SUBCRITICAL_BOUND, **names) == pytest.approx(end, rel=1e-10)


def test_log_tan_drift_of_orthogonal_adapters() -> None:
    """One layer for d = 3: E log|(1+hλ2)e + hηGe| - log(1+hλ1) per time, by quadrature; from any angle."""
    lam1, lam2, sigma, h = 1.0, 0.4, 0.8, 1e-4
    x, p = gauss_hermite(60)
    step = np.sqrt(h) * sigma * x
    length = np.hypot((1 + h * lam2) + step[:, None], step[None, :])
    drift = ((p[:, None] * p) * np.log(length)).sum() / h - np.log1p(h * lam1) / h
    found = value(thm_4_2.LOG_TAN_DRIFT, lambda_1=lam1, lambda_2=lam2, sigma=sigma, d=3.0)
    assert found == pytest.approx(drift, rel=1e-3)
    wider = value(thm_4_2.LOG_TAN_DRIFT, lambda_1=lam1, lambda_2=lam2, sigma=sigma, d=4.0)
    third = np.sqrt(length[:, :, None] ** 2 + step**2)
    drift = (p[:, None, None] * p[:, None] * p * np.log(third)).sum() / h - np.log1p(h * lam1) / h
    assert wider == pytest.approx(drift, rel=1e-3)


# --- Theorem 4.6


def tan_speed(v: np.ndarray, x: np.ndarray, m: np.ndarray) -> float:
    """d/dt tan∠(x, e1) where ẋ = P_x V m; the projection does not change a ratio of components."""
    z, across = v @ m, np.linalg.norm(x[1:])
    return z[1:] @ x[1:] / across / x[0] - across * z[0] / x[0] ** 2


def best_speed(v: np.ndarray, angle: float, grid: int = 2001) -> float:
    """Largest speed for d = 2 over all unit m within ``angle`` of e1, token on the boundary of the cone."""
    x = np.array([np.cos(angle), np.sin(angle)])
    angles = np.linspace(-angle, angle, grid)
    return max(tan_speed(v, x, np.array([np.cos(y), np.sin(y)])) for y in angles)


@pytest.mark.parametrize(
    ("v", "plain"),
    [([[0.0, 0.0], [1.0, 0.0]], False), ([[1.0, 0.2], [0.3, 0.4]], True), ([[0.2, 0.1], [2.0, 0.05]], False)],
)
def test_speed_of_the_tangent_is_attained_in_two_dimensions(v: list[list[float]], plain: bool) -> None:
    matrix, angle = np.array(v), 0.9
    # for d = 2 the bound is attained when c and P⊥ṼP⊥ push the same way as b: c -> -|c|, κ -> +|κ|
    pushed = np.array([[matrix[0, 0], -abs(matrix[0, 1])], [abs(matrix[1, 0]), abs(matrix[1, 1])]])
    names = {
        "w": matrix[0, 0],
        "kappa": abs(matrix[1, 1]),
        "b_norm": abs(matrix[1, 0]),
        "c_norm": abs(matrix[0, 1]),
        "tan_max_angle": np.tan(angle),
    }
    condition = value(thm_4_6.PLAIN_CONDITION, **names)
    assert (condition >= 0) is plain
    riccati = value(thm_4_6.PLAIN_SPEED, **names, cone_separation=names["w"] - names["kappa"])
    bound = riccati if plain else value(thm_4_6.INNER_SPEED, **names)
    assert best_speed(pushed, angle) == pytest.approx(bound, rel=1e-6)
    assert best_speed(matrix, angle) <= bound * (1 + 1e-12)
    assert value(thm_4_6.INNER_SPEED, **names) >= riccati - 1e-12


def angle_to_first(spectrum: np.ndarray, start: np.ndarray, t: float) -> float:
    """Angle to e1 of one token under V = diag(spectrum): the direction of e^{tV} x0."""
    x = np.exp(t * (spectrum - spectrum[0])) * start
    return np.arctan2(np.linalg.norm(x[1:]), x[0])


def test_arrival_time_is_attained_by_one_token_in_the_slow_plane() -> None:
    spectrum, overlap, target = np.array([1.5, 0.9, -0.2]), 0.1, 0.05
    start = np.array([overlap, np.sqrt(1 - overlap**2), 0.0])
    names = {"overlap": overlap, "target_angle": target, "perturbed_dominant_gap": 0.6}
    found = value(thm_4_6.ARRIVAL_TIME, **names)
    arrived = first_time(lambda t: angle_to_first(spectrum, start, t) - target)
    assert found == pytest.approx(arrived, rel=1e-10)
    assert value(thm_4_6.ARRIVAL_TIME, overlap=0.999, target_angle=0.5, perturbed_dominant_gap=0.6) == 0


def test_cutoff_bounds_enclose_the_time_of_the_jump() -> None:
    spectrum, start = np.array([1.5, 1.2, 0.7]), np.array([0.01, 0.6, 0.8])
    start = start / np.linalg.norm(start)
    jump = first_time(lambda t: angle_to_first(spectrum, start, t) - np.pi / 4)
    names = {"overlap": start[0], "perturbed_gap": 0.3}
    low, high = value(thm_4_6.CUTOFF_LOWER, **names, overlap_2=start[1]), value(thm_4_6.CUTOFF_UPPER, **names)
    assert low < jump < high
    flat = np.array([0.01, np.sqrt(1 - 1e-4), 0.0])
    jump = first_time(lambda t: angle_to_first(spectrum, flat, t) - np.pi / 4)
    assert value(thm_4_6.CUTOFF_UPPER, overlap=0.01, perturbed_gap=0.3) == pytest.approx(jump, rel=1e-10)
    assert value(thm_4_6.CUTOFF_LOWER, overlap=0.01, overlap_2=flat[1], perturbed_gap=0.3) == pytest.approx(jump)
    later = angle_to_first(spectrum, flat, jump + 2.0)
    assert value(thm_4_6.CUTOFF_PROFILE, scaled_time=0.6) == pytest.approx(np.cos(later), rel=1e-10)


def test_overlap_past_a_crossing() -> None:
    """Collapsed at u1 past the crossing: ε = <u1,ũ1> of the two-level system, to first order in α."""
    vectors = np.linalg.eigh(np.array([[1.0, 1e-4], [1e-4, 1.5]]))[1]
    found = value(thm_4_6.CROSSING_OVERLAP, gap=1.0, a=0.0, e=1.5, alpha_abs=1e-4)
    assert found == pytest.approx(abs(vectors[0, -1]), rel=1e-6)


def test_degenerate_time_is_that_of_the_linear_flow() -> None:
    start_angle, eps, r = 0.9, 0.05, 0.3
    start = np.array([np.cos(start_angle), np.sin(start_angle)])
    left = first_time(lambda t: start_angle - angle_to_first(np.array([1.0, 1 - eps]), start, t) - r)
    times = [value(thm_4_6.DEGENERATE_TIME, angle_0=0.9, weakening=eps, deviation=x) for x in (r, 0.09, 0.45, 0.81)]
    assert times[0] == pytest.approx(left, rel=1e-10)
    assert (times[3] - times[1]) / times[2] == pytest.approx(2.56, abs=0.01)


def test_drift_of_random_adapters_by_the_recursion() -> None:
    """Sum over directions of the layer-by-layer variance, at one depth and at a depth where it has settled."""
    spectrum, sigma = [0.6, -0.2, 0.1], np.sqrt(LAYER["h"]) * 0.3 * 1.2 / 5
    names = {"h": 0.1, "sigma": sigma, "lambda_1": 1.0, "other_eigenvalues": spectrum}
    found = value(thm_4_6.RMS_DRIFT_SQUARED, **names, L=15)
    assert found == pytest.approx(sum(linear_variance(1.0, x, 15) for x in spectrum), rel=1e-11)
    settled = sum(linear_variance(1.0, x, 2000) for x in spectrum)
    assert value(thm_4_6.STATIONARY_DRIFT_SQUARED, **names) == pytest.approx(settled, rel=1e-11)
