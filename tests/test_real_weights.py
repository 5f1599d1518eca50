"""The audit of real weights on planted models, where its answer is known, and on the real one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from numerics.weights import ModelNotInstalled, find_model, read_attention
from proofs_checks.real_weights import (
    RealWeightsReport,
    audit_real_weights,
    cone_is_impossible,
    figure,
    markdown,
    spectrum_of_product,
)

WIDTH, HEADS = 8, 2


def _audit(folder: Path, layers: list[tuple[Tensor, Tensor]]) -> RealWeightsReport:
    tensors = {}
    for layer, (value, output) in enumerate(layers):
        place = f"encoder.layer.{layer}.attention"
        tensors |= {f"{place}.self.value.weight": value.float(), f"{place}.output.dense.weight": output.float()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
    config = {"num_hidden_layers": len(layers), "num_attention_heads": HEADS, "hidden_size": WIDTH}
    (folder / "config.json").write_text(json.dumps(config))
    return audit_real_weights(folder)


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _psd(seed: int) -> tuple[Tensor, Tensor]:
    """W_V = W_O symmetric with eigenvalues 2, 1, ..., so that each OV product W_V[h, :]ᵀ W_V[h, :] is PSD too."""
    Q, _ = torch.linalg.qr(_normal(WIDTH, WIDTH, seed=seed))
    V = (Q * torch.tensor([2.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4], dtype=torch.float64)) @ Q.mT
    return (V + V.mT) / 2, (V + V.mT) / 2


def _random(seed: int) -> tuple[Tensor, Tensor]:
    return _normal(WIDTH, WIDTH, seed=seed), _normal(WIDTH, WIDTH, seed=seed + 1)


# --- the experiment's word --------------------------------------------------------------------------


def test_planted_psd_model_confirms_the_hypothesis(tmp_path: Path) -> None:
    report = _audit(tmp_path, [_psd(1), _psd(2)])
    assert report.experiment == "confirmed"
    value, ov = report.summary["value"], report.summary["ov"]
    assert (value["matrices"], ov["matrices"]) == (2, 4)
    for key in ("symmetric", "psd", "hypothesis", "top_real", "top_simple", "dominant", "in_cone"):
        assert (value[key], ov[key]) == (2, 4), key
    assert (value["cone_excluded"], ov["cone_excluded"]) == (0, 0)
    for row in report.of_kind("value"):
        assert (row.symmetric_max, row.symmetric_min) == pytest.approx((2.0, 0.4), rel=1e-6)
        # about u1 of a symmetric V, b = c = 0 and the margin is λ1 - max|λ_j| = gap*
        assert (row.gap, row.dominant_gap, row.cone_margin_symmetric, row.cone_margin_right) == pytest.approx(
            (1.0, 1.0, 1.0, 1.0), rel=1e-5
        )


def test_random_model_does_not_confirm_it(tmp_path: Path) -> None:
    report = _audit(tmp_path, [_random(1), _random(3)])
    assert report.experiment == "not_confirmed"
    assert report.summary["ov"]["psd"] == 0
    assert "0 of 2 value matrices and 0 of 4 OV products" in report.finding


def test_half_planted_model_differs(tmp_path: Path) -> None:
    report = _audit(tmp_path, [_psd(1), _random(1)])
    assert report.experiment == "differs"
    assert (report.summary["value"]["hypothesis"], report.summary["ov"]["hypothesis"]) == (1, 2)


@pytest.mark.parametrize(
    ("spectrum", "psd", "hypothesis"),
    [
        ([2.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0], True, True),  # semi-definite is enough
        ([2.0, 2.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1], True, False),  # no gap
        ([2.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, -0.01], False, False),
    ],
)
def test_gap_and_sign_decide(tmp_path: Path, spectrum: list[float], psd: bool, hypothesis: bool) -> None:
    Q, _ = torch.linalg.qr(_normal(WIDTH, WIDTH, seed=5))
    V = (Q * torch.tensor(spectrum, dtype=torch.float64)) @ Q.mT
    row = _audit(tmp_path, [((V + V.mT) / 2, torch.eye(WIDTH))]).of_kind("value")[0]
    assert (row.symmetric, row.psd, row.hypothesis) == (True, psd, hypothesis)


# --- single statements ------------------------------------------------------------------------------


def test_cone_theorem_reaches_a_matrix_that_is_not_symmetric(tmp_path: Path) -> None:
    """V = diag(3, 1, .5, ...) + 0.75 e1 e2ᵀ: about e1, b = 0, κ = 1, so the margin is S = 2; ΔV = 0 is safe."""
    V = torch.diag(torch.tensor([3.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]))
    V[0, 1] = 0.75
    row = _audit(tmp_path, [(V, torch.eye(WIDTH))]).of_kind("value")[0]
    assert row.cone_margin_right == pytest.approx(2.0, rel=1e-12)
    assert (row.symmetric, row.psd, row.hypothesis) == (False, True, False)
    assert (row.top_real, row.top_simple, row.in_cone, row.cone_excluded) == (True, True, True, False)
    assert row.asymmetry == pytest.approx(0.75 / math.sqrt(2) / math.sqrt(9 + 1 + 6 * 0.25 + 0.75**2), rel=1e-12)
    assert row.norm == pytest.approx(float(torch.linalg.svdvals(V.double())[0]), rel=1e-12)


def test_complex_leader_is_reported(tmp_path: Path) -> None:
    V = 0.1 * torch.eye(WIDTH)
    V[:2, :2] = torch.tensor([[1.0, -2.0], [2.0, 1.0]])
    row = _audit(tmp_path, [(V, torch.eye(WIDTH))]).of_kind("value")[0]
    assert (row.top_re, row.top_im) == pytest.approx((1.0, 2.0), rel=1e-6)
    assert (row.top_real, row.top_simple, row.cone_margin_right) == (False, False, None)
    assert row.dominant_gap == pytest.approx(1 - math.sqrt(5), rel=1e-6)
    assert (row.in_cone, row.psd) == (False, True)


@pytest.mark.parametrize("seed", range(6))
def test_small_product_has_the_spectrum_of_the_dense_one(seed: int) -> None:
    left, right = _normal(10, 4, seed=seed), _normal(4, 10, seed=100 + seed)
    spectrum, vector = spectrum_of_product(left, right)
    dense = torch.linalg.eigvals(left @ right)
    order = dense.abs().argsort(descending=True)
    assert spectrum.shape == (10,)
    assert spectrum.count_nonzero() == 4
    assert float(dense[order][4:].abs().max()) < 1e-6
    distances = (dense[order][:4, None] - spectrum[None, :4]).abs()
    assert float(distances.amin(0).max()) < 1e-10
    assert float(distances.amin(1).max()) < 1e-10
    leader = dense[dense.real.argmax()]
    assert (vector is not None) == (float(leader.real) > 1e-6 and abs(float(leader.imag)) < 1e-10)
    if vector is not None:
        residual = vector[0] @ (left @ right).mT - float(leader.real) * vector[0]
        assert float(residual.norm()) < 1e-12 * 100


def test_zeros_lead_where_all_other_eigenvalues_are_negative() -> None:
    factor = _normal(6, 2, seed=1)
    spectrum, vector = spectrum_of_product(-factor, factor.mT)
    assert float(spectrum.real.max()) == 0.0
    assert vector is None


# --- no unit vector at all --------------------------------------------------------------------------


TURNING = torch.tensor([[1.01, 5.0, 0.0], [-5.0, -1.0, 0.0], [0.0, 0.0, -1.0]], dtype=torch.float64)
"""Largest eigenvalue 1.01 of the symmetric part above σ_3 = 1, and a large rotation."""


def _directions(count: int) -> Tensor:
    """Points spread evenly over the half sphere (Fibonacci lattice)."""
    k = torch.arange(count, dtype=torch.float64) + 0.5
    z, phi = k / count, k * math.pi * (1 + math.sqrt(5))
    return torch.stack([torch.sqrt(1 - z * z) * torch.cos(phi), torch.sqrt(1 - z * z) * torch.sin(phi), z], dim=-1)


def _margins(V: Tensor, u: Tensor) -> Tensor:
    """The cone margin at every direction, written out with projections."""
    P = torch.eye(3, dtype=torch.float64) - u.unsqueeze(-1) * u.unsqueeze(-2)
    w = torch.einsum("bi,ij,bj->b", u, V, u)
    b = torch.einsum("bij,jk,bk->bi", P, V, u).norm(dim=-1)
    c = torch.einsum("bij,kj,bk->bi", P, V, u).norm(dim=-1)
    return w - torch.linalg.svdvals(P @ V @ P)[:, 0] - 2 * torch.sqrt(b * c)


def test_excluded_matrices_have_no_cone_about_any_direction() -> None:
    directions = _directions(2000)
    lead = torch.diag(torch.tensor([1.0, 0, 0], dtype=torch.float64))
    excluded = possible = 0
    for seed in range(150):
        N = _normal(3, 3, seed=seed)
        # mostly inside the cone theorem, mostly outside by singular values, mostly outside by |b| and |c|
        V = (N + 4 * lead, N - 1.5 * torch.eye(3), TURNING + 0.05 * N)[seed % 3]
        best = float(_margins(V, directions).max())
        if cone_is_impossible(V):
            excluded += 1
            assert best <= 0, seed
        elif best > 0:
            possible += 1
    assert excluded >= 20
    assert possible >= 20


def test_exclusion_uses_b_and_c_where_the_singular_values_do_not_suffice() -> None:
    """μ1 = 1.01 exceeds σ_3 = 1, but u must stay near e1, where a large rotation makes b and c large."""
    assert float(torch.linalg.eigvalsh((TURNING + TURNING.mT) / 2)[-1]) == pytest.approx(1.01)
    assert float(torch.linalg.svdvals(TURNING)[2]) == pytest.approx(1.0)
    assert cone_is_impossible(TURNING)
    still = torch.diag(TURNING.diagonal())
    assert not cone_is_impossible(still)
    assert not cone_is_impossible(still + 1e-4 * (TURNING - still))


# --- what is written --------------------------------------------------------------------------------


def test_table_holds_the_counts_and_every_row_has_its_columns(tmp_path: Path) -> None:
    text = markdown(_audit(tmp_path, [_psd(1), _random(1)]))
    assert "**`differs`**" in text
    assert "| V ⪰ 0 with a gap (Prop. 3.3) | 1 of 2 | 2 of 4 |" in text
    for block in text.split("\n\n"):
        columns = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(columns) <= 1
    assert text.count("|---:") == 2 + 6 + 6
    assert "nan" not in text


def test_figure_is_the_same_every_time_and_in_both_formats(tmp_path: Path) -> None:
    report = _audit(tmp_path, [_psd(1), _random(1)])
    for name in ("first", "second"):
        figure(report, tmp_path / "made" / name)
    for suffix in (".svg", ".png"):
        first, second = ((tmp_path / "made" / name).with_suffix(suffix).read_bytes() for name in ("first", "second"))
        assert first == second
        assert len(first) > 5_000
    drawn = (tmp_path / "made" / "first.svg").read_text()
    assert str(tmp_path) not in drawn
    assert "dc:date" not in drawn
    other = _audit(tmp_path, [_psd(1), _random(7)])
    figure(other, tmp_path / "made" / "other")
    assert (tmp_path / "made" / "other.svg").read_text() != drawn


# --- the real model ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_report() -> RealWeightsReport:
    return audit_real_weights()


@pytest.mark.models
def test_real_model_has_no_psd_value_matrix(real_report: RealWeightsReport) -> None:
    counts = {kind: (row["matrices"], row["psd"]) for kind, row in real_report.summary.items()}
    assert counts == {"value": (6, 0), "ov": (72, 0)}
    assert real_report.experiment == "not_confirmed"


@pytest.mark.models
def test_real_ov_spectrum_against_the_dense_solver() -> None:
    layer = next(read_attention())
    for head in (0, 1):
        spectrum, _ = spectrum_of_product(*layer.ov_factors(head))
        dense = torch.linalg.eigvals(layer.ov_product(head))
        dense = dense[dense.abs().argsort(descending=True)]
        distances = (dense[:32, None] - spectrum[None, :32]).abs()
        assert float(distances.amin(0).max()) < 1e-9
        assert float(distances.amin(1).max()) < 1e-9


@pytest.mark.models
def test_committed_table_is_the_one_the_model_gives(real_report: RealWeightsReport) -> None:
    committed = Path(__file__).parent.parent / "docs" / "generated" / "tables" / "real_weights.md"
    assert committed.read_text(encoding="utf-8") == markdown(real_report)


def test_absent_model_is_said_to_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelNotInstalled, match="make models"):
        find_model()
    with pytest.raises(ModelNotInstalled, match="make models"):
        audit_real_weights()
