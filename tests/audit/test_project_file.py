"""The adapter that ``project`` writes: ranks, types, what is copied, and what is not written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from projected import (
    GAIN,
    R,
    adapter_factors,
    audited,
    blocks,
    dense_heads,
    model_folder,
    planted,
    projected,
    stored_update,
)
from safetensors.torch import load_file
from tiny_models import (
    normal,
    orthogonal,
    value_module,
    write_adapter,
)

from proofs_checks.cli import main
from proofs_checks.project import run as project_run
from proofs_checks.project.run import Options, project


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"alpha_pattern": {"v_proj": 9.0}}])
def test_a_lower_rank_keeps_the_update(settings: dict[str, Any], tmp_path: Path) -> None:
    """Two of the three rows of A read u1 alone: rank 1 is left, and the update is the dense projection."""
    model, _ = planted(tmp_path, blocks(0, 0, 0, 0))
    met = GAIN * orthogonal(6, 3)[:, 0]
    left, right = normal(6, 3, seed=1), torch.stack([met, -2 * met, normal(6, seed=2)])
    module = value_module("llama", 0)
    source = write_adapter(tmp_path / "b", {module: (left, right)}, lora_alpha=4.5, **settings)
    alpha = 9.0 if "alpha_pattern" in settings else 4.5
    full = alpha / (math.sqrt(3) if "use_rslora" in settings else 3) * left @ right
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m"))
    assert (report.changes[0].rank_before, report.changes[0].rank_after) == (3, 1)
    projector = torch.eye(6).double() - torch.outer(met, met) / met.dot(met)
    torch.testing.assert_close(stored_update(tmp_path / "out", module), full @ projector, rtol=0, atol=1e-12)
    assert report.changes[0].kept == pytest.approx(float((full @ projector).norm() / full.norm()) ** 2, rel=1e-9)


def test_nothing_left_is_an_adapter_of_rank_one_that_is_zero(tmp_path: Path) -> None:
    model, _ = planted(tmp_path, blocks(0, 0, 0, 0))
    met = GAIN * orthogonal(6, 3)[:, 0]
    source = write_adapter(tmp_path / "b", {value_module("llama", 0): (normal(6, 1, seed=1), met.unsqueeze(0))})
    assert audited(model, source).norm > 0.1
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m"))
    assert report.changes[0].rank_after == 1
    assert audited(model, tmp_path / "out").norm == 0


def test_what_was_written_is_projected_again(tmp_path: Path) -> None:
    """Ranks and alphas of the first time stand in the patterns and give way to those of the second."""
    model, source = planted(tmp_path, blocks(0.1, 0.6, 0.6, 0.9))
    first = project(source, model, tmp_path / "once", Options(scale="cone")).changes[0].scale
    report = project(tmp_path / "once", model, tmp_path / "twice", Options("top-m", 1, "quoted"))
    assert report.written
    assert first < 1
    assert report.changes[0].rank_after < report.changes[0].rank_before
    third = project(tmp_path / "twice", model, tmp_path / "thrice", Options(scale="quoted"))
    assert (third.written, third.changes[0].scale) == (True, 1)


def test_modules_outside_the_value_side_are_copied(tmp_path: Path) -> None:
    factors = adapter_factors("llama") | {
        "model.layers.0.self_attn.q_proj": (normal(32, R, seed=1), normal(R, 32, seed=2))
    }
    source = write_adapter(tmp_path / "a", factors)
    report, out = projected(tmp_path, "llama", source, keep_off="top-m")
    assert report.elsewhere == 1
    old, new = (load_file(x / "adapter_model.safetensors") for x in (source, out))
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    assert set(old) == set(new)
    assert torch.equal(old[key], new[key])
    assert not torch.equal(old[key.replace("q_proj", "v_proj")], new[key.replace("q_proj", "v_proj")])


@pytest.mark.parametrize(("dtype", "written"), [(torch.float32, torch.float32), (torch.bfloat16, torch.float32)])
def test_rounding_of_the_file_is_in_the_promise(dtype: torch.dtype, written: torch.dtype, tmp_path: Path) -> None:
    source = write_adapter(
        tmp_path / "a", {k: (x.to(dtype), y.to(dtype)) for k, (x, y) in adapter_factors("llama").items()}
    )
    report, out = projected(tmp_path, "llama", source, keep_off="top-m")
    assert report.written
    stored = load_file(out / "adapter_model.safetensors")
    assert {x.dtype for x in stored.values()} == {written, dtype}  # B is untouched
    for V, dV in dense_heads("llama", out):
        u1 = np.linalg.eigh((V + V.T) / 2)[1][:, -1]
        assert np.linalg.norm(dV @ u1) < 1e-5 * np.linalg.norm(dV)
    assert all(p.limit < 1e-4 * h.before.frobenius for h in report.heads for p in h.promises)


def test_a_promise_that_is_not_kept_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the whole: with the projection left out the audit refuses the same adapter."""
    source, model = write_adapter(tmp_path / "a", adapter_factors("llama")), model_folder(tmp_path, "llama")
    monkeypatch.setattr(project_run, "off_reading_of_heads", lambda read, value, output: (value, output))
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--keep-off", "top-m"]
    assert main(words) == 1
    assert "0 of 16 promises" in capsys.readouterr().out
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]
