"""Scales of ``project``, to the edge of a criterion on planted V ⪰ 0."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from projected import (
    LAYERS,
    D,
    adapter_factors,
    audited,
    blocks,
    planted,
    projected,
    stored_update,
)
from safetensors.torch import load_file
from tiny_models import (
    Layer,
    four_heads,
    head_product,
    output_module,
    random_layers,
    value_module,
    write_adapter,
)

from proofs_checks.project import run as project_run
from proofs_checks.project.run import Options, project


def test_scaled_to_the_edge_of_the_quoted_criterion(tmp_path: Path) -> None:
    """gap = 1, cost 2·0.6 + 0.9 - 0.1 = 2: half the update is the edge, 0.1 % inside it is taken."""
    model, source = planted(tmp_path, blocks(0.1, 0.6, 0.6, 0.9))
    report = project(source, model, tmp_path / "out", Options(scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2, rel=1e-9)
    before, after = audited(model, source), audited(model, tmp_path / "out")
    assert before.criterion_margin == pytest.approx(-1, abs=1e-9)
    assert "prop-3.3/drift-quoted" not in before.theorems
    assert after.criterion_margin == pytest.approx(1e-3, abs=1e-9)
    assert "prop-3.3/drift-quoted" in after.theorems
    (promise,) = report.heads[0].promises
    assert promise.quantity == "criterion_margin"
    assert promise.found == pytest.approx(after.criterion_margin, abs=1e-12)


def test_scaled_to_the_edge_of_the_cone(tmp_path: Path) -> None:
    """b = 1.2 and c = -1.2 along u2: 2 - 1 > 2·1.2 s up to s = 1/2.4; at s = 1 the leading eigenvalue is complex."""
    model, source = planted(tmp_path, blocks(0, 1.2, -1.2, 0))
    report = project(source, model, tmp_path / "out", Options(scale="cone"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2.4, rel=1e-6)
    before, after = audited(model, source), audited(model, tmp_path / "out")
    assert (before.top_real, "prop-3.3/nonsymmetric" in before.theorems) == (False, False)
    assert (after.top_real, "prop-3.3/nonsymmetric" in after.theorems) == (True, True)
    assert after.cone_margin >= 0.999e-3


def test_what_is_safe_is_left_as_it_is(tmp_path: Path) -> None:
    model, source = planted(tmp_path, blocks(0.1, 0.1, 0.1, 0.2))
    report = project(source, model, tmp_path / "out", Options(scale="quoted"))
    assert report.changes[0].scale == 1
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        old, new = tmp_path / "a" / name, tmp_path / "out" / name
        if name.endswith("json"):
            assert json.loads(old.read_text()) == json.loads(new.read_text())
        else:
            assert all(torch.equal(x, load_file(new)[key]) for key, x in load_file(old).items())


def test_scaled_with_rslora(tmp_path: Path) -> None:
    """The scale is alpha/√r there, r = 6: the same edge as with alpha/r."""
    model, source = planted(tmp_path, blocks(0.1, 0.6, 0.6, 0.9))
    path = source / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"use_rslora": True, "lora_alpha": math.sqrt(6)}))
    report = project(source, model, tmp_path / "out", Options(scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2, rel=1e-9)
    assert audited(model, tmp_path / "out").criterion_margin == pytest.approx(1e-3, abs=1e-9)


@pytest.mark.parametrize("scale", ["quoted", "cone"])
def test_a_margin_that_is_not_reached_is_not_written(
    scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: with the scale left at 1 the audit finds both margins below 0."""
    model, source = planted(tmp_path, blocks(0, 1.2, -1.2, 0))
    monkeypatch.setattr(project_run, "layer_scale", lambda *_: 1.0)
    report = project(source, model, tmp_path / "out", Options(scale=scale))
    assert [p.kept for p in report.heads[0].promises] == [False]
    assert not report.written
    assert not (tmp_path / "out").exists()


def test_projected_then_scaled_by_what_is_left(tmp_path: Path) -> None:
    """Off u1 c and E = 1.6 are left (without a gain): gap/E = 0.625, where the whole update allows 1/2.7."""
    model, source = planted(tmp_path, blocks(0.1, 0.6, 0.6, 1.6), gain=torch.ones(6).double())
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m", scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 1.6, rel=1e-9)
    after = audited(model, tmp_path / "out")
    assert after.b_norm < 1e-10
    assert after.drift == pytest.approx(0, abs=1e-10)
    assert audited(model, source).drift > 0.1  # negative control
    assert [p.quantity for p in report.heads[0].promises] == ["b_norm", "leading_norm", "criterion_margin"]


def test_no_scale_helps_where_there_is_no_gap_and_no_cone(tmp_path: Path) -> None:
    model, source = planted(tmp_path, blocks(0.1, 0.6, 0.6, 0.9), torch.tensor([1.0, 1, 0, 0, 0, -2]).double())
    for scale in ("quoted", "cone"):
        report = project(source, model, tmp_path / f"out-{scale}", Options(scale=scale))
        assert report.changes[0].scale == 1
        assert report.heads[0].promises == ()
        assert len(report.heads[0].reasons) == 1


def test_scale_of_both_factors_is_the_edge_of_one_head(tmp_path: Path) -> None:
    """Dense margins of ``(O + s δO)(W + s δW)``: above 0 in all heads at the scale found, below in one 1 % above it."""
    source = write_adapter(tmp_path / "a", adapter_factors("llama"))
    report, out = projected(tmp_path, "llama", source, scale="quoted")
    assert report.written

    def margins(layer: int, times: float) -> list[float]:
        base = random_layers(four_heads("llama", D), LAYERS)[layer]
        value, output = (times * stored_update(out, f("llama", layer)) for f in (value_module, output_module))
        moved = Layer(base.value + value, base.output + output, base.gain)
        found = []
        for head in range(4):
            V, new = (head_product("llama", four_heads("llama", D), x, head).numpy() for x in (base, moved))
            values, vectors = np.linalg.eigh((V + V.T) / 2)
            u, dV = vectors[:, -1], new - V
            P = np.eye(D) - np.outer(u, u)
            blocks = u @ dV @ u - 2 * np.linalg.norm(P @ dV @ u) - np.linalg.norm(P @ dV @ P, 2)
            found.append(values[-1] - values[-2] + blocks)
        return found

    for layer in range(LAYERS):
        assert min(margins(layer, 1.0)) > 0
        assert min(margins(layer, 1.01)) < 0
