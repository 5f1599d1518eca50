"""Spectral measurements against planted spectra, mpmath at 50 digits, and exact angles."""

from __future__ import annotations

import math
from dataclasses import fields

import mpmath
import pytest
import torch
from fake_cuda import DEVICE_MISMATCH, fake_cuda
from mpmath import mp
from torch import Tensor

from numerics import spectral
from numerics.spectral import (
    cluster_radius,
    drift,
    drift_from_tokens,
    leading_eigenvector_general,
    leading_eigenvector_symmetric,
    max_angle,
    orthonormal_complement,
    split_about,
    split_symmetric,
    tan_max_angle,
)


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _orthogonal(batch: int, d: int, seed: int) -> Tensor:
    return torch.linalg.qr(_normal(batch, d, d, seed=seed))[0]


def _planted(spectrum: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Exactly symmetric matrices with these eigenvalues (largest first) and their eigenvectors as columns."""
    Q = _orthogonal(*spectrum.shape, seed=seed)
    V = Q @ torch.diag_embed(spectrum) @ Q.mT
    return (V + V.mT) / 2, Q


def _true_error(matrix: Tensor, vector: Tensor, symmetric: bool) -> float:
    """Distance of ``vector`` from the leading eigenvector of exactly this floating-point matrix (50 digits)."""
    with mp.workdps(50):
        exact = mpmath.matrix(matrix.tolist())
        values, vectors = mp.eigsy(exact) if symmetric else mp.eig(exact)
        leader = max(range(len(values)), key=lambda i: mp.re(values[i]))
        true = mpmath.matrix([mp.re(z) for z in vectors[:, leader]])
        true /= mp.norm(true)
        measured = mpmath.matrix(vector.tolist())
        return float(min(mp.norm(true - measured), mp.norm(true + measured)))


# --- the split ------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 8])
def test_split_recovers_planted_blocks(d: int) -> None:
    batch = 20
    spectrum = torch.sort(_normal(batch, d, seed=d), descending=True).values
    spectrum[:, 0] = spectrum[:, 1] + 0.5
    V, Q = _planted(spectrum, seed=d + 1)
    frame = _normal(batch, d, d, seed=d + 2)
    split = split_symmetric(V, Q @ frame @ Q.mT)
    a, b, c, E = frame[:, 0, 0], frame[:, 1:, 0], frame[:, 0, 1:], frame[:, 1:, 1:]
    rest = torch.diag_embed(spectrum[:, 1:]) + E
    expected = {
        "lambda_1": spectrum[:, 0],
        "gap": torch.full((batch,), 0.5, dtype=torch.float64),
        "dominant_gap": spectrum[:, 0] - spectrum[:, 1:].abs().amax(-1),
        "a": a,
        "b_norm": b.norm(dim=-1),
        "c_norm": c.norm(dim=-1),
        "E_norm": (E.mT @ E).diagonal(dim1=-2, dim2=-1).sum(-1).sqrt()
        if d == 2
        else torch.linalg.eigvalsh(E.mT @ E)[:, -1].sqrt(),
        "w": spectrum[:, 0] + a,
        "kappa": torch.linalg.eigvalsh(rest.mT @ rest)[:, -1].sqrt(),
        "eigenvalues": spectrum,
    }
    for name, value in expected.items():
        torch.testing.assert_close(
            getattr(split, name), value, rtol=1e-12, atol=1e-12, msg=lambda m, n=name: f"{n}: {m}"
        )
    torch.testing.assert_close((split.u1 * Q[..., 0]).sum(-1).abs(), torch.ones(batch, dtype=torch.float64))
    frame_again = torch.cat([split.u1.unsqueeze(-1), split.basis], dim=-1)
    torch.testing.assert_close(frame_again.mT @ frame_again, torch.eye(d, dtype=torch.float64).expand(batch, d, d))


def test_split_blocks_rebuild_the_update_and_tell_b_from_c() -> None:
    V = torch.diag(torch.tensor([3.0, 1.0, -2.0], dtype=torch.float64))[None]
    dV = torch.tensor([[[0.5, 7.0, 0.0], [4.0, 0.0, 0.0], [0.0, 0.0, 0.25]]], dtype=torch.float64)
    split = split_symmetric(V, dV)
    names = ("a", "b_norm", "c_norm", "E_norm", "w", "kappa", "gap", "dominant_gap")
    read = tuple(float(getattr(split, name)[0]) for name in names)
    # b is the first column of ΔV below u1 (ΔV u1), c its first row.
    assert read == (0.5, 4.0, 7.0, 0.25, 3.5, 1.75, 2.0, 1.0)
    column = split.u1.unsqueeze(-1)
    rebuilt = (
        split.a[:, None, None] * column @ column.mT
        + split.basis @ split.b.unsqueeze(-1) @ column.mT
        + column @ split.c.unsqueeze(-2) @ split.basis.mT
        + split.basis @ split.E @ split.basis.mT
    )
    torch.testing.assert_close(rebuilt, dV, rtol=0, atol=1e-14)


def test_orthogonal_update_has_no_b_and_no_c() -> None:
    V, Q = _planted(torch.tensor([[2.0, 1.0, 0.5, 0.0]], dtype=torch.float64), seed=1)
    frame = torch.zeros(1, 4, 4, dtype=torch.float64)
    frame[:, 1:, 1:] = _normal(1, 3, 3, seed=2)
    split = split_symmetric(V, Q @ frame @ Q.mT)
    assert max(split.a.abs().item(), split.b_norm.item(), split.c_norm.item()) < 1e-14
    assert split.E_norm.item() > 0.5


def test_collapsed_gap_is_measured_and_its_error_is_told() -> None:
    V, Q = _planted(torch.tensor([[1.0, 1.0 - 1e-8, 0.2], [1.0, 1.0, 0.2]], dtype=torch.float64), seed=3)
    split = split_symmetric(V, torch.zeros_like(V))
    assert split.gap[0].item() == pytest.approx(1e-8, rel=1e-6, abs=0)
    true_angle = drift(Q[:1, :, 0], split.u1[:1]).angle.item()
    assert true_angle <= split.vector_error[0].item() < 1e-5
    assert split.vector_error[1].item() > 0.1
    exact = leading_eigenvector_symmetric(torch.eye(3, dtype=torch.float64)[None])
    assert (exact.gap.item(), exact.vector_error.item()) == (0.0, math.inf)
    assert leading_eigenvector_symmetric(torch.zeros(1, 3, 3)).vector_error.item() == math.inf


def test_matrix_that_is_not_symmetric_shows_in_the_error() -> None:
    V = torch.tensor([[[2.0, 0.5], [0.0, 1.0]]], dtype=torch.float64)
    assert split_symmetric(V, torch.zeros_like(V)).vector_error.item() > 0.1


def test_shapes_are_checked() -> None:
    square = torch.zeros(1, 3, 3)
    with pytest.raises(ValueError, match="d >= 2"):
        leading_eigenvector_symmetric(torch.zeros(1, 1, 1))
    with pytest.raises(ValueError, match="shape"):
        leading_eigenvector_general(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="differ"):
        split_symmetric(square, torch.zeros(1, 2, 2))
    with pytest.raises(ValueError, match="directions"):
        max_angle(torch.zeros(2, 5, 3), torch.zeros(1, 3))


# --- leading eigenvectors -------------------------------------------------------------------------


def test_symmetric_error_estimate_covers_the_true_error() -> None:
    ratios = []
    for k in range(240):
        d, gap = (2, 3, 4, 6)[k % 4], 10.0 ** -(k % 11)
        spectrum = 0.9 - gap - torch.rand(1, d, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
        spectrum[:, 0], spectrum[:, 1] = 1.0, 1.0 - gap
        V, _ = _planted(spectrum, seed=1000 + k)
        pair = leading_eigenvector_symmetric(V)
        ratios.append(pair.vector_error.item() / max(_true_error(V[0], pair.vector[0], symmetric=True), 1e-300))
    assert min(ratios) >= 1.0
    assert sorted(ratios)[len(ratios) // 2] <= 1e4


def test_general_error_estimate_covers_the_true_error() -> None:
    """Planted real leading eigenvalue, by a similarity that is not orthogonal."""
    ratios, decided = [], 0
    for k in range(240):
        d, gap = (2, 3, 4)[k % 3], 10.0 ** -(k % 7)
        spectrum = 0.4 - torch.rand(d, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
        spectrum[0], spectrum[1] = 1.5, 1.5 - gap
        basis = _normal(d, d, seed=2000 + k)
        M = (basis * spectrum) @ torch.linalg.inv(basis)
        pair = leading_eigenvector_general(M[None])
        decided += bool(pair.real_simple[0])
        assert pair.value.item() == pytest.approx(1.5, abs=1e-7)
        ratios.append(pair.vector_error.item() / max(_true_error(M, pair.vector[0], symmetric=False), 1e-300))
    assert decided >= 235
    assert min(ratios) >= 1.0
    assert sorted(ratios)[len(ratios) // 2] <= 1e4


def test_general_agrees_with_symmetric_on_symmetric_matrices() -> None:
    spectrum = torch.sort(_normal(50, 5, seed=8), descending=True).values
    spectrum[:, 0] += 0.1
    V, _ = _planted(spectrum, seed=9)
    general, symmetric = leading_eigenvector_general(V), leading_eigenvector_symmetric(V)
    assert bool(general.real_simple.all())
    torch.testing.assert_close(general.value, symmetric.value)
    torch.testing.assert_close(general.real_gap, symmetric.gap, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(general.separation, symmetric.gap, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(general.dominant_gap, symmetric.dominant_gap, rtol=1e-10, atol=1e-12)
    assert float(drift(general.vector, symmetric.vector).angle.max()) < 1e-12


def _block_matrix(top: list[list[float]], rest: float, seed: int) -> Tensor:
    M = torch.zeros(3, 3, dtype=torch.float64)
    M[:2, :2] = torch.tensor(top, dtype=torch.float64)
    M[2, 2] = rest
    basis = _normal(3, 3, seed=seed)
    return basis @ M @ torch.linalg.inv(basis)


@pytest.mark.parametrize(
    ("top", "rest", "real_simple"),
    [
        ([[1.0, -2.0], [2.0, 1.0]], 0.5, False),  # complex pair in the lead
        ([[1.0, -2.0], [2.0, 1.0]], 1.5, True),  # complex pair behind, of larger modulus
        ([[1.0, 1.0], [0.0, 1.0]], 0.5, False),  # Jordan block: double, not diagonalisable
        ([[1.0, 0.0], [0.0, 1.0]], 0.5, False),  # double
        ([[1.0, -2.0], [2.0, 1.0]], 1.0, False),  # real, but a complex pair has the same real part
        ([[1.0, 1.0], [0.0, 0.9]], 0.5, True),
    ],
)
def test_complex_and_multiple_leaders_are_flagged(top: list[list[float]], rest: float, real_simple: bool) -> None:
    matrices = torch.stack([_block_matrix(top, rest, seed) for seed in range(20)])
    pair = leading_eigenvector_general(matrices)
    assert pair.real_simple.tolist() == [real_simple] * 20
    assert bool((pair.vector_error.isinf() == ~pair.real_simple).all())
    assert bool(torch.isfinite(pair.vector).all())


def test_dominant_gap_compares_moduli() -> None:
    M = _block_matrix([[1.0, -2.0], [2.0, 1.0]], 1.5, seed=1)
    pair = leading_eigenvector_general(M[None])
    assert pair.value.item() == pytest.approx(1.5, rel=1e-12)
    assert pair.real_gap.item() == pytest.approx(0.5, rel=1e-11)
    assert pair.dominant_gap.item() == pytest.approx(1.5 - math.sqrt(5), rel=1e-11)


def test_frame_of_any_vector() -> None:
    u = torch.cat([_normal(30, 5, seed=4), torch.eye(5, dtype=torch.float64), -torch.eye(5, dtype=torch.float64)])
    u = u / u.norm(dim=-1, keepdim=True)
    basis = orthonormal_complement(u)
    frame = torch.cat([u.unsqueeze(-1), basis], dim=-1)
    torch.testing.assert_close(frame.mT @ frame, torch.eye(5, dtype=torch.float64).expand(40, 5, 5), atol=1e-14, rtol=0)
    M = _normal(40, 5, 5, seed=5)
    cone = split_about(M, u)
    P = torch.eye(5, dtype=torch.float64) - u.unsqueeze(-1) * u.unsqueeze(-2)
    torch.testing.assert_close(cone.w, torch.einsum("bi,bij,bj->b", u, M, u))
    torch.testing.assert_close(cone.b_norm, torch.einsum("bij,bjk,bk->bi", P, M, u).norm(dim=-1))
    torch.testing.assert_close(cone.c_norm, torch.einsum("bij,bkj,bk->bi", P, M, u).norm(dim=-1))
    torch.testing.assert_close(cone.kappa, torch.linalg.svdvals(P @ M @ P)[:, 0])


# --- angles ---------------------------------------------------------------------------------------

ANGLES = [0.0, 1e-140, 1e-13, 1e-9, 1e-3, 0.5, math.pi / 2 - 1e-9, math.pi / 2, 2.0, math.pi - 1e-9, math.pi]


def _at_angle(angle: float) -> tuple[Tensor, Tensor]:
    u = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    with mp.workdps(50):
        v = [float(mp.cos(angle)), float(mp.sin(angle) * mpmath.mpf("0.6")), float(mp.sin(angle) * mpmath.mpf("0.8"))]
    return u, torch.tensor([v], dtype=torch.float64)


@pytest.mark.parametrize("angle", ANGLES)
def test_planted_angles_from_zero_to_pi(angle: float) -> None:
    u, v = _at_angle(angle)
    tokens = torch.stack([u, v], dim=1)
    assert max_angle(tokens, u).item() == pytest.approx(angle, rel=1e-14, abs=0)
    expected = math.inf if angle >= math.pi / 2 else math.tan(angle)
    if abs(angle - math.pi / 2) > 1e-12:  # at π/2 itself the rounded cosine decides
        assert tan_max_angle(tokens, u).item() == pytest.approx(expected, rel=1e-7, abs=0)
    acute = min(angle, math.pi - angle)
    found = drift(u, v)
    assert found.angle.item() == pytest.approx(acute, rel=1e-7, abs=1e-15)
    assert found.chord.item() == pytest.approx(2 * math.sin(acute / 2), rel=1e-7, abs=1e-15)
    signed = drift_from_tokens(u.unsqueeze(1).repeat(1, 4, 1), 3 * v.unsqueeze(1).repeat(1, 2, 1))
    assert signed.angle.item() == pytest.approx(angle, rel=1e-14, abs=0)
    assert signed.radius.item() < 1e-15


def test_tiny_drift_keeps_its_digits_and_ignores_signs() -> None:
    u, v = _at_angle(1e-10)
    for sign in (1, -1):
        found = drift(u, sign * v)
        assert found.chord.item() == pytest.approx(1e-10, rel=1e-14, abs=0)
        assert found.tan_squared.item() == pytest.approx(1e-20, rel=1e-13, abs=0)
    orthogonal = drift(u, torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64))
    assert orthogonal.angle.item() == pytest.approx(math.pi / 2)
    assert orthogonal.tan_squared.item() == math.inf
    a = drift(_normal(50, 4, seed=1), _normal(50, 4, seed=2)).angle
    assert bool((a <= math.pi / 2).all())


def test_max_angle_takes_the_worst_token_over_time() -> None:
    """Tokens (B, times, n, d): against arccos, a second formula, where that one is accurate."""
    tokens = _normal(3, 4, 5, 6, seed=7)
    tokens = tokens / tokens.norm(dim=-1, keepdim=True)
    u = tokens[:, 0, 0]
    expected = torch.arccos(torch.einsum("btnd,bd->btn", tokens, u).clamp(-1, 1)).amax(-1)
    torch.testing.assert_close(max_angle(tokens, u), expected, rtol=1e-7, atol=1e-7)
    assert max_angle(tokens, u).shape == (3, 4)
    assert bool(tan_max_angle(tokens, u).isinf().equal(expected >= math.pi / 2))


def test_drift_from_clusters_reads_the_means_and_their_radius() -> None:
    u, v = _at_angle(0.3)
    around = torch.tensor([[0.0, 0.01, 0.0], [0.0, -0.01, 0.0]], dtype=torch.float64)
    found = drift_from_tokens((u + around)[None], v.unsqueeze(1).repeat(1, 2, 1))
    assert found.angle.item() == pytest.approx(0.3, rel=1e-14, abs=0)
    assert found.radius.item() == pytest.approx(math.atan(0.01), rel=1e-13, abs=0)
    assert cluster_radius((u + around)[None]).item() == found.radius.item()


def test_opposite_tokens_are_no_cluster() -> None:
    """Their mean is 0: the radius says that nothing has converged, and nothing is NaN."""
    tokens = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], dtype=torch.float64)
    assert cluster_radius(tokens).item() == pytest.approx(math.pi / 2)
    found = drift_from_tokens(tokens, tokens)
    assert found.radius.item() == pytest.approx(math.pi / 2)
    assert not math.isnan(found.angle.item())


# --- devices --------------------------------------------------------------------------------------


def test_everything_runs_on_a_device_of_its_own() -> None:
    with fake_cuda():
        M, N = torch.randn(2, 3, 5, 5, device="cuda", dtype=torch.float64)
        tokens, other = torch.randn(2, 3, 7, 5, device="cuda", dtype=torch.float64)
        u, v = tokens[:, 0], other[:, 0]
        results = [
            split_symmetric(M, N),
            split_about(M, u),
            leading_eigenvector_symmetric(M),
            leading_eigenvector_general(M),
            drift(u, v),
            drift_from_tokens(tokens, other),
        ]
        tensors = [getattr(result, field.name) for result in results for field in fields(result)]
        tensors += [max_angle(tokens, u), tan_max_angle(tokens, u), cluster_radius(tokens), orthonormal_complement(u)]
        assert {t.device.type for t in tensors} == {"cuda"}
        assert {t.dtype for t in tensors} == {torch.float64, torch.bool}
        assert all(t.shape[0] == 3 for t in tensors)


@pytest.mark.parametrize("name", ["split_symmetric", "split_about", "drift", "drift_from_tokens", "max_angle"])
def test_a_stray_cpu_tensor_fails(name: str) -> None:
    shapes = {
        "split_symmetric": ((3, 5, 5), (3, 5, 5)),
        "split_about": ((3, 5, 5), (3, 5)),
        "drift": ((3, 5), (3, 5)),
        "drift_from_tokens": ((3, 7, 5), (3, 7, 5)),
        "max_angle": ((3, 7, 5), (3, 5)),
    }
    first, second = shapes[name]
    with fake_cuda():
        device = torch.randn(first, device="cuda", dtype=torch.float64)
        stray = torch.randn(second, dtype=torch.float64)
        with pytest.raises(RuntimeError, match=DEVICE_MISMATCH):
            getattr(spectral, name)(device, stray)
