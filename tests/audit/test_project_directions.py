"""Directions that ``project`` keeps off, against dense double-precision matrices of the files that it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from projected import (
    adapter_factors,
    dense_heads,
    model_folder,
    projected,
    stored_update,
)
from tiny_models import (
    ARCHITECTURES,
    Layer,
    Sizes,
    normal,
    orthogonal,
    output_module,
    value_module,
    write,
    write_adapter,
)

from proofs_checks.project import run as project_run
from proofs_checks.project.run import Options, project


@pytest.mark.parametrize("sides", ["vo", "v", "o"])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_b_is_zero_in_every_head(kind: str, sides: str, tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", adapter_factors(kind, sides), lora_alpha=6)
    report, out = projected(tmp_path, kind, source, keep_off="top-m")
    assert report.written
    for (V, dV), (_, before) in zip(dense_heads(kind, out), dense_heads(kind, source), strict=True):
        u1 = np.linalg.eigh((V + V.T) / 2)[1][:, -1]
        assert np.linalg.norm(dV @ u1) < 1e-10  # a and b at once
        assert np.linalg.norm(before @ u1) > 0.1  # negative control: the update as it was
        assert np.linalg.norm(dV) > 0.3 * np.linalg.norm(before)  # most of it is left
        values, vectors = np.linalg.eig(V)
        lead = int(np.real(values).argmax())
        if abs(np.imag(values[lead])) < 1e-9:  # the right eigenvector stays one, with its eigenvalue
            v = np.real(vectors[:, lead])
            np.testing.assert_allclose((V + dV) @ v, np.real(values[lead]) * v, atol=1e-10)


def test_the_m_leading_directions(tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", adapter_factors("llama"))
    _, out = projected(tmp_path, "llama", source, keep_off="top-m", m=2)
    for V, dV in dense_heads("llama", out):
        top = np.linalg.eigh((V + V.T) / 2)[1][:, -3:]
        assert np.linalg.norm(dV @ top[:, 1:]) < 1e-10
        assert np.linalg.norm(dV @ top[:, 0]) > 1e-2  # the third is not asked for


@pytest.mark.parametrize("sides", ["vo", "v", "o"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox", "bert"])
def test_nothing_is_pushed_into_small_gaps(kind: str, sides: str, tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", adapter_factors(kind, sides))
    report, out = projected(tmp_path, kind, source, keep_off="small-gap")
    assert report.written
    pushed = []
    for (V, dV), (_, before) in zip(dense_heads(kind, out), dense_heads(kind, source), strict=True):
        values, vectors = np.linalg.eigh((V + V.T) / 2)
        near = values[-1] - values <= 0.1 * (values[-1] - values[0])
        near[-1] = False
        assert np.linalg.norm(vectors[:, near].T @ dV) < 1e-10
        pushed.append(np.linalg.norm(vectors[:, near].T @ before))
    assert max(pushed) > 0.1  # negative control; some heads have no such direction


def test_zero_as_a_small_gap(tmp_path: Path) -> None:
    """λ1 = 0.05 and λ_d = -2: every direction outside the span of the head is of small gap as well."""
    sizes = Sizes(1, 1, 3, 12)
    Q = orthogonal(12, 5)
    layer = Layer(
        torch.diag(torch.tensor([0.05, -1.0, -2.0]).double()) @ Q[:, :3].mT, Q[:, :3], torch.ones(12).double()
    )
    model = write(tmp_path / "model", "llama", sizes, [layer])
    factors = {
        value_module("llama", 0): (normal(3, 2, seed=1), normal(2, 12, seed=2)),
        output_module("llama", 0): (normal(12, 2, seed=3), normal(2, 3, seed=4)),
    }
    source = write_adapter(tmp_path / "a", factors)
    assert project(source, model, tmp_path / "out", Options(keep_off="small-gap")).written
    change = stored_update(tmp_path / "out", output_module("llama", 0))
    torch.testing.assert_close(Q[:, 3:].mT @ change, torch.zeros(9, 3).double(), rtol=0, atol=1e-12)
    assert float(change.norm()) > 0.1


def _narrow(tmp_path: Path, levels: list[float]) -> tuple[Path, Path]:
    """One head ``Q diag(levels) Qᵀ`` in 24 dimensions, and an adapter of both its projections."""
    count = len(levels)
    Q = orthogonal(24, 0)[:, :count]
    layer = Layer(torch.diag(torch.tensor(levels).double()) @ Q.mT, Q, torch.ones(24).double())
    factors = {
        value_module("llama", 0): (normal(count, 2, seed=1), normal(2, 24, seed=2)),
        output_module("llama", 0): (normal(24, 2, seed=3), normal(2, count, seed=4)),
    }
    return write(tmp_path / "model", "llama", Sizes(1, 1, count, 24), [layer]), write_adapter(tmp_path / "a", factors)


def test_small_gaps_where_the_largest_eigenvalue_is_double(tmp_path: Path) -> None:
    """u1 is any vector of a plane there, so nothing is pushed into any of the plane: else two audits would differ."""
    model, source = _narrow(tmp_path, [1.0, 1.0, 0.5, -2.0])
    report = project(source, model, tmp_path / "out", Options(keep_off="small-gap"))
    assert report.written
    plane = orthogonal(24, 0)[:, :2]
    change = stored_update(tmp_path / "out", output_module("llama", 0))
    assert float((plane.mT @ change).norm()) < 1e-12
    assert float((plane.mT @ stored_update(source, output_module("llama", 0))).norm()) > 0.1


@pytest.mark.parametrize("options", [Options("top-m", 3), Options("small-gap")], ids=str)
def test_directions_that_are_left_out_are_noticed(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """b about u1 and the mass of E are 0 here all the same: what is promised is measured itself."""
    real = project_run.leading
    monkeypatch.setattr(project_run, "leading", lambda weights, head, _: real(weights, head, 1)[:, :1])
    monkeypatch.setattr(project_run, "small_gap", lambda weights, _: torch.zeros(weights.shape.width, 0).double())
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    report = project(source, model, tmp_path / "out", options)
    assert not report.written
    promises = [p for head in report.heads for p in head.promises]
    assert not any(p.kept for p in promises if p.quantity == "leading_norm")
    assert all(p.kept for p in promises if p.quantity == "b_norm")


def test_sixteen_bits_do_not_loosen_the_promise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The factor that is rewritten is float32, whatever the other one is: its rounding is the limit."""
    half = {k: (x.bfloat16(), y.bfloat16()) for k, (x, y) in adapter_factors("llama").items()}
    source, model = write_adapter(tmp_path / "a", half), model_folder(tmp_path, "llama")
    assert project(source, model, tmp_path / "out", Options("small-gap")).written
    monkeypatch.setattr(project_run, "off_writing_of_heads", lambda w, rows, value, output, U: (value, output))
    report = project(source, model, tmp_path / "none", Options("small-gap"))
    assert not report.written
    assert max(p.limit for head in report.heads for p in head.promises) < 1e-2


def test_a_tiny_update_keeps_its_promises(tmp_path: Path) -> None:
    """ΔV is a difference from V, so V's rounding is in what is found."""
    tiny = {k: (1e-9 * x, y) for k, (x, y) in adapter_factors("llama").items()}
    report, _ = projected(tmp_path, "llama", write_adapter(tmp_path / "a", tiny), keep_off="top-m")
    assert report.written
