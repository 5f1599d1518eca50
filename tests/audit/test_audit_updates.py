"""a, b, c, E, criteria, bounds and scales of planted updates, where each is known without the formula under test."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import Layer, Sizes, normal, orthogonal, random_layers, value_module, write, write_adapter
from torch import Tensor

from proofs_checks.audit.hypotheses import finding, hypotheses
from proofs_checks.audit.reference import THRESHOLD, reference
from proofs_checks.audit.run import AuditReport, audit
from proofs_checks.audit.updates import UpdateAudit

D = 6
LEVELS = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.1, 0.05], dtype=torch.float64)


def _report(tmp_path: Path, dV: Tensor, levels: Tensor = LEVELS, seed: int = 3, copies: int = 1) -> AuditReport:
    """One head ``V = Q diag(levels) Qᵀ``, ``ΔV = Q dV Qᵀ`` of any rank, by an adapter on v_proj."""
    d = len(levels)
    Q, gain = orthogonal(d, seed), torch.linspace(0.7, 1.4, d, dtype=torch.float64)
    layer = Layer(torch.diag(levels) @ Q.mT / gain, Q, gain)
    folder = write(tmp_path / "model", "llama", Sizes(1, 1, d, d), [layer])
    left, singular, right = torch.linalg.svd(dV)
    factors = {value_module("llama", 0): (left * singular, right @ Q.mT / gain)}
    adapters = [write_adapter(tmp_path / f"adapter-{k}", factors) for k in range(copies)]
    return audit(folder, adapters)


def _update(report: AuditReport, adapter: str = "adapter-0", head: int | None = 0) -> UpdateAudit:
    row = next(row for row in report.rows if row.matrix.head == head)
    return next(u for u in row.updates if u.adapter == adapter)


def _symmetric_update(a: float, b: list[float], E: list[float]) -> Tensor:
    dV = torch.diag(torch.tensor([a, *E], dtype=torch.float64))
    dV[0, 1:] = dV[1:, 0] = torch.tensor(b, dtype=torch.float64)
    return dV


def test_blocks_and_criterion_of_a_symmetric_update(tmp_path: Path) -> None:
    dV = _symmetric_update(0.1, [0.06, 0.08, 0, 0, 0], [0.2, -0.3, 0, 0, 0])
    u = _update(_report(tmp_path, dV))
    assert (u.a, u.b_norm, u.c_norm, u.E_norm) == pytest.approx((0.1, 0.1, 0.1, 0.3), abs=1e-12)
    assert u.criterion_margin == pytest.approx(1 + 0.1 - 0.2 - 0.3, abs=1e-12)
    assert u.sharp_criterion_margin == pytest.approx(1 + 0.1 - 0.3, abs=1e-12)
    assert (u.symmetric, u.criterion_applies, u.sharp_applies) == (True, True, True)
    assert set(u.theorems) == {"prop-3.3/drift-quoted", "prop-3.3/criterion", "prop-3.3/nonsymmetric"}
    assert u.norm == pytest.approx(float(np.linalg.norm(dV.numpy(), 2)), rel=1e-12)
    assert u.frobenius == pytest.approx(float(np.linalg.norm(dV.numpy())), rel=1e-12)
    assert u.relative_norm == pytest.approx(u.norm / 2, rel=1e-12)
    assert u.norm_over_sqrt_layers == pytest.approx(u.norm, rel=1e-12)  # one layer
    # largest scale: gap + s a = 2 s |b| + s |E| at 1/(0.2 + 0.3 - 0.1)
    assert u.criterion_scale == pytest.approx(2.5, rel=1e-12)


def test_drift_is_measured_and_stays_below_its_bounds(tmp_path: Path) -> None:
    dV = _symmetric_update(0.1, [0.06, 0.08, 0, 0, 0], [0.2, -0.3, 0, 0, 0])
    u = _update(_report(tmp_path, dV))
    vectors = np.linalg.eigh(np.diag(LEVELS.numpy()) + dV.numpy())[1]
    angle = math.acos(abs(vectors[0, -1]))
    assert u.drift == pytest.approx(2 * math.sin(angle / 2), rel=1e-9)
    assert u.theta_bound is not None
    assert u.drift_bound_sharp is not None
    assert u.drift_bound_quoted is not None
    assert u.drift is not None
    assert angle <= u.theta_bound == pytest.approx(math.atan2(0.2, 0.8) / 2, rel=1e-12)
    assert u.drift <= u.drift_bound_sharp <= u.drift_bound_quoted == pytest.approx(0.5 / 1.1, rel=1e-12)
    assert u.cone_angle is not None
    assert angle <= u.cone_angle


def test_sharp_bound_is_attained_in_the_plane(tmp_path: Path) -> None:
    """d = 2, E >= 0: ∠(u1, ũ1) = θ_b exactly, so a bound 1 % smaller would be broken."""
    dV = torch.tensor([[0.0, 0.2], [0.2, 0.1]], dtype=torch.float64)
    u = _update(_report(tmp_path, dV, torch.tensor([1.5, 0.5], dtype=torch.float64)))
    assert u.drift == pytest.approx(u.drift_bound_sharp, rel=1e-9)


def test_nonsymmetric_update_has_no_criterion_but_a_cone(tmp_path: Path) -> None:
    dV = torch.zeros(D, D, dtype=torch.float64)
    dV[1, 0], dV[0, 2], dV[3, 4] = 0.02, 0.3, 0.4  # b along u2, c along u3, E of norm 0.4
    u = _update(_report(tmp_path, dV))
    assert (u.a, u.b_norm, u.c_norm, u.E_norm) == pytest.approx((0, 0.02, 0.3, 0.4), abs=1e-12)
    assert (u.symmetric, u.criterion_applies, u.sharp_applies) == (False, False, False)
    assert (u.theta_bound, u.drift_bound_sharp, u.drift_bound_quoted) == (None, None, None)
    assert u.theorems == ("prop-3.3/nonsymmetric",)
    about_u1 = 2 - 1 - 2 * math.sqrt(0.02 * 0.3)
    assert u.cone_margin >= about_u1 - 1e-12
    # the angle about u1 itself: t- = 2|b|/(S + ω)
    omega = math.sqrt(1 - 4 * 0.02 * 0.3)
    assert u.cone_angle == pytest.approx(math.atan(0.04 / (1 + omega)), rel=1e-9)
    values, vectors = np.linalg.eig(np.diag(LEVELS.numpy()) + dV.numpy())
    lead = np.real(vectors[:, np.real(values).argmax()])
    angle = math.acos(abs(lead[0]) / float(np.linalg.norm(lead)))
    assert u.cone_angle is not None
    assert angle <= u.cone_angle
    assert u.drift == pytest.approx(2 * math.sin(angle / 2), rel=1e-8)


def test_orthogonal_update_does_not_move_u1(tmp_path: Path) -> None:
    u = _update(_report(tmp_path, _symmetric_update(-0.2, [0] * 5, [0.1, 0.2, 0, 0, 0])))
    assert (u.b_norm, u.c_norm) == pytest.approx((0, 0), abs=1e-12)
    assert u.drift == pytest.approx(0, abs=1e-12)
    assert u.criterion_scale == pytest.approx(1 / (0.2 + 0.2), rel=1e-12)


def test_scales_are_the_edges_of_what_they_keep(tmp_path: Path) -> None:
    """ΔV times a factor just below the scale keeps the margin, just above it does not."""
    dV = _symmetric_update(0.0, [0.3, 0, 0, 0, 0], [0.5, 0, 0, 0, 0])
    u = _update(_report(tmp_path / "one", dV))
    for factor, safe in ((0.999, True), (1.001, False)):
        at = _update(_report(tmp_path / f"quoted-{factor}", dV * u.criterion_scale * factor))
        assert (at.criterion_margin > 0) == safe
    # about u1 (fixed): 1 - 0.5 s - 2·0.3 s = 0, since E has the largest eigenvalue 1 + 0.5 s
    assert u.cone_scale == pytest.approx(1 / 1.1, rel=1e-9)


def test_no_scale_breaks_an_update_that_only_helps(tmp_path: Path) -> None:
    u = _update(_report(tmp_path, _symmetric_update(0.5, [0] * 5, [0] * 5)))
    assert (u.criterion_scale, u.cone_scale) == (math.inf, math.inf)


def test_indefinite_v_has_no_quoted_criterion(tmp_path: Path) -> None:
    """V = Vᵀ with gap > 0 but gap* < 0: neither form of the criterion applies, whatever its margin says."""
    levels = torch.tensor([1.0, 0.2, 0.1, 0.0, -0.1, -2.0], dtype=torch.float64)
    u = _update(_report(tmp_path, _symmetric_update(0, [0.01, 0, 0, 0, 0], [0] * 5), levels))
    assert u.criterion_margin > 0
    assert (u.criterion_applies, u.sharp_applies, u.theorems) == (False, False, ())


def test_small_gap_mass(tmp_path: Path) -> None:
    levels = torch.tensor([2.0, 1.95, 0.5, 0.25, 0.1, 0.0], dtype=torch.float64)  # u2 alone has a gap below 10 %
    dV = torch.zeros(D, D, dtype=torch.float64)
    dV[1, 0], dV[1, 1], dV[2, 0], dV[4, 5] = 0.3, 0.4, 1.0, 2.0
    u = _update(_report(tmp_path, dV, levels))
    assert u.small_gap_directions == 1
    assert u.small_gap_mass == pytest.approx((0.09 + 0.16) / (0.25 + 1 + 4), rel=1e-10)


def test_sum_of_two_adapters_is_twice_one(tmp_path: Path) -> None:
    dV = _symmetric_update(0.1, [0.06, 0.08, 0, 0, 0], [0.2, -0.3, 0, 0, 0])
    report = _report(tmp_path, dV, copies=2)
    assert report.adapters == ("adapter-0", "adapter-1", "sum")
    one, total = _update(report), _update(report, "sum")
    for name in ("a", "b_norm", "c_norm", "E_norm", "norm", "frobenius"):
        assert getattr(total, name) == pytest.approx(2 * getattr(one, name), rel=1e-10)
    assert total.criterion_margin == pytest.approx(1 + 2 * (0.1 - 0.2 - 0.3), abs=1e-10)
    facts = hypotheses(report)
    assert (facts["symmetric-update"].holds, facts["prop-3.3/criterion"].holds) == (1, 1)


def test_update_of_a_low_rank_head_against_dense_matrices(tmp_path: Path) -> None:
    """Two adapted factors of a head of rank 4 in 32 dimensions: blocks about u1 of the symmetric part, all dense."""
    sizes = Sizes(heads=4, kv_heads=2, size=4, d=32)
    layer = replace(random_layers(sizes, 1)[0], gain=torch.ones(32, dtype=torch.float64))
    folder = write(tmp_path / "model", "llama", sizes, [layer])
    left_v, right_v, left_o, right_o = (normal(*s, seed=k) for k, s in enumerate([(8, 2), (2, 32), (32, 2), (2, 16)]))
    place = "model.layers.0.self_attn."
    adapter = write_adapter(
        tmp_path / "adapter", {place + "v_proj": (left_v, right_v), place + "o_proj": (left_o, right_o)}
    )
    report = audit(folder, [adapter])
    value, output = layer.value + left_v @ right_v, layer.output + left_o @ right_o
    for head in range(4):
        rows, columns = slice(4 * (head // 2), 4 * (head // 2) + 4), slice(4 * head, 4 * head + 4)
        V = (layer.output[:, columns] @ layer.value[rows]).numpy()
        moved = (output[:, columns] @ value[rows]).numpy()
        change, u1 = moved - V, np.linalg.eigh((V + V.T) / 2)[1][:, -1]
        P = np.eye(32) - np.outer(u1, u1)
        found = _update(report, "adapter", head)
        assert found.a == pytest.approx(u1 @ change @ u1, rel=1e-9)
        assert found.b_norm == pytest.approx(np.linalg.norm(P @ change @ u1), rel=1e-9)
        assert found.c_norm == pytest.approx(np.linalg.norm(P @ change.T @ u1), rel=1e-9)
        assert found.E_norm == pytest.approx(np.linalg.norm(P @ change @ P, 2), rel=1e-9)
        assert found.norm == pytest.approx(np.linalg.norm(change, 2), rel=1e-9)
        margin = (
            u1 @ moved @ u1
            - np.linalg.norm(P @ moved @ P, 2)
            - 2 * math.sqrt(np.linalg.norm(P @ moved @ u1) * np.linalg.norm(P @ moved.T @ u1))
        )
        assert found.cone_margin >= margin - 1e-9
        assert (found.criterion_applies, found.sharp_applies) == (False, False)


def test_words_never_go_beyond_the_theorems(tmp_path: Path) -> None:
    """V ⪰ 0 false everywhere: the summary says first that the criterion does not apply, and calls nothing safe."""
    sizes = Sizes(heads=2, kv_heads=1, size=4, d=8)
    folder = write(tmp_path / "model", "llama", sizes, random_layers(sizes, 2))
    factors = {value_module("llama", k): (normal(4, 2, seed=k), normal(2, 8, seed=9 + k)) for k in range(2)}
    lines = finding(audit(folder, [write_adapter(tmp_path / "adapter", factors)]))
    assert "0 of 4 heads" in lines[0]
    assert "does not apply" in lines[0]
    text = " ".join(lines)
    assert "sufficient and conservative" in text
    assert not {"safe", "will forget", "proved"} & set(text.lower().replace(".", " ").split())


# --- reference curves ---------------------------------------------------------------------------------


def test_reference_curves_against_a_simulation() -> None:
    """V = 0, collapsed, h = 1: the random curve is the mean over adapters, the tied one the square of L times one."""
    d, depth, norm, draws = 8, 64, 0.3, 4000
    generator = torch.Generator().manual_seed(1)
    x = torch.zeros(draws, d, dtype=torch.float64)
    x[:, 0] = 1
    start = x.clone()
    for _ in range(depth):
        u, v = (torch.randn(draws, d, generator=generator, dtype=torch.float64) / math.sqrt(d) for _ in range(2))
        x = torch.nn.functional.normalize(x + norm * u * (v * x).sum(-1, keepdim=True), dim=-1)
    measured = float((x - start).square().sum(-1).mean() / 2)
    assert reference(norm, depth, d).random == pytest.approx(measured, rel=0.12)
    assert reference(norm * math.sqrt(2), depth, d).random > 1.3 * measured  # another norm is told apart


def test_tied_reference_is_the_coherent_sum() -> None:
    """Small tied updates: tan² after L layers is L² times that of one, averaged over draws."""
    d, depth, norm, draws = 8, 16, 1e-3, 20000
    generator = torch.Generator().manual_seed(2)
    u, v = (torch.randn(draws, d, generator=generator, dtype=torch.float64) / math.sqrt(d) for _ in range(2))
    x = torch.zeros(draws, d, dtype=torch.float64)
    x[:, 0] = 1
    start = x.clone()
    for _ in range(depth):
        x = torch.nn.functional.normalize(x + norm * u * (v * x).sum(-1, keepdim=True), dim=-1)
    measured = float((x - start).square().sum(-1).mean() / 2)
    assert reference(norm, depth, d).tied == pytest.approx(measured, rel=0.05)


def test_critical_norms_reach_the_threshold_and_fall_with_depth() -> None:
    for depth in (4, 16, 64):
        at = reference(0.1, depth, 32)
        assert reference(at.critical_random, depth, 32).random == pytest.approx(THRESHOLD, rel=1e-12)
        assert reference(at.critical_tied, depth, 32).tied == pytest.approx(THRESHOLD, rel=1e-12)
    shallow, deep = reference(0.1, 4, 32), reference(0.1, 64, 32)
    assert shallow.critical_random / deep.critical_random == pytest.approx(4, rel=1e-12)
    assert shallow.critical_tied / deep.critical_tied == pytest.approx(16, rel=1e-12)
    assert reference(1e3, 64, 32).tied == 1.0
