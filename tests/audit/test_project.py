"""``project``: what is promised, against dense double-precision matrices built from the files that it writes."""

from __future__ import annotations

import errno
import json
import math
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import (
    ARCHITECTURES,
    GROUPED,
    Layer,
    Sizes,
    head_product,
    normal,
    orthogonal,
    output_module,
    random_layers,
    tensors,
    value_module,
    write,
    write_adapter,
)
from torch import Tensor

from proofs_checks.audit.run import audit
from proofs_checks.cli import main
from proofs_checks.project import run as project_run
from proofs_checks.project import write as write_module
from proofs_checks.project.run import Options, ProjectReport, project

D, R, LAYERS = 32, 3, 2
Factors = dict[str, tuple[Tensor, Tensor]]


def _sizes(kind: str) -> Sizes:
    return Sizes(heads=4, kv_heads=2 if kind in GROUPED else 4, size=8, d=D)


def _factors(kind: str, sides: str = "vo", rank: int = R) -> Factors:
    stored = tensors(kind, _sizes(kind), random_layers(_sizes(kind), LAYERS))
    found = {}
    for k in range(LAYERS):
        for side, module in (("v", value_module(kind, k)), ("o", output_module(kind, k))):
            if side in sides:
                out, into = stored[f"{module}.weight"].shape[:: -1 if kind == "gpt2" else 1]
                seed = 10 * k + 5 * (side == "o")
                found[module] = (0.2 * normal(out, rank, seed=seed), normal(rank, into, seed=seed + 1))
    return found


def _model(tmp_path: Path, kind: str) -> Path:
    return write(tmp_path / f"model-{kind}", kind, _sizes(kind), random_layers(_sizes(kind), LAYERS))


def _update(folder: Path, module: str) -> Tensor:
    """ΔW as PEFT reads a directory, rewritten here for names that are patterns of themselves alone."""
    config = json.loads((folder / "adapter_config.json").read_text())
    stored = load_file(folder / "adapter_model.safetensors")
    key = f"base_model.model.{module}"
    if f"{key}.lora_A.weight" not in stored:
        return torch.zeros((), dtype=torch.float64)
    left, right = (stored[f"{key}.lora_{x}.weight"].double() for x in "BA")
    escaped = module.replace(".", r"\.")
    rank = (config.get("rank_pattern") or {}).get(escaped, config["r"])
    alpha = (config.get("alpha_pattern") or {}).get(escaped, config["lora_alpha"])
    assert right.shape[0] == left.shape[1] == rank
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank) * (left @ right)


def _value_part(kind: str, full: Tensor) -> Tensor:
    if full.dim() == 0:  # not adapted
        return full
    if kind == "phi3":
        return full[32 + 16 :]
    if kind == "gpt2":
        return full[64:]
    if kind == "gpt_neox":
        return torch.cat([full[24 * h + 16 : 24 * h + 24] for h in range(4)])
    return full


def _dense(kind: str, folder: Path, layer: int, head: int) -> tuple[np.ndarray, np.ndarray]:
    """V and ΔV of a head, both d×d."""
    base = random_layers(_sizes(kind), LAYERS)[layer]
    value = _value_part(kind, _update(folder, value_module(kind, layer)))
    moved = Layer(base.value + value, base.output + _update(folder, output_module(kind, layer)), base.gain)
    V, new = (head_product(kind, _sizes(kind), x, head).numpy() for x in (base, moved))
    return V, new - V


def _heads(kind: str, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    return [_dense(kind, folder, k, h) for k in range(LAYERS) for h in range(4)]


def _project(tmp_path: Path, kind: str, source: Path, **options: Any) -> tuple[ProjectReport, Path]:
    out = tmp_path / "out"
    return project(source, _model(tmp_path, kind), out, Options(**options)), out


# --- directions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", ["vo", "v", "o"])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_b_is_zero_in_every_head(kind: str, sides: str, tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", _factors(kind, sides), lora_alpha=6)
    report, out = _project(tmp_path, kind, source, keep_off="top-m")
    assert report.written
    for (V, dV), (_, before) in zip(_heads(kind, out), _heads(kind, source), strict=True):
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
    source = write_adapter(tmp_path / "a", _factors("llama"))
    _, out = _project(tmp_path, "llama", source, keep_off="top-m", m=2)
    for V, dV in _heads("llama", out):
        top = np.linalg.eigh((V + V.T) / 2)[1][:, -3:]
        assert np.linalg.norm(dV @ top[:, 1:]) < 1e-10
        assert np.linalg.norm(dV @ top[:, 0]) > 1e-2  # the third is not asked for


@pytest.mark.parametrize("sides", ["vo", "v", "o"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox", "bert"])
def test_nothing_is_pushed_into_small_gaps(kind: str, sides: str, tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", _factors(kind, sides))
    report, out = _project(tmp_path, kind, source, keep_off="small-gap")
    assert report.written
    pushed = []
    for (V, dV), (_, before) in zip(_heads(kind, out), _heads(kind, source), strict=True):
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
    change = _update(tmp_path / "out", output_module("llama", 0))
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
    change = _update(tmp_path / "out", output_module("llama", 0))
    assert float((plane.mT @ change).norm()) < 1e-12
    assert float((plane.mT @ _update(source, output_module("llama", 0))).norm()) > 0.1


@pytest.mark.parametrize("options", [Options("top-m", 3), Options("small-gap")], ids=str)
def test_directions_that_are_left_out_are_noticed(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """b about u1 and the mass of E are 0 here all the same: what is promised is measured itself."""
    real = project_run.leading
    monkeypatch.setattr(project_run, "leading", lambda weights, head, _: real(weights, head, 1)[:, :1])
    monkeypatch.setattr(project_run, "small_gap", lambda weights, _: torch.zeros(weights.shape.width, 0).double())
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    report = project(source, model, tmp_path / "out", options)
    assert not report.written
    promises = [p for head in report.heads for p in head.promises]
    assert not any(p.kept for p in promises if p.quantity == "leading_norm")
    assert all(p.kept for p in promises if p.quantity == "b_norm")


def test_sixteen_bits_do_not_loosen_the_promise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The factor that is rewritten is float32, whatever the other one is: its rounding is the limit."""
    half = {k: (x.bfloat16(), y.bfloat16()) for k, (x, y) in _factors("llama").items()}
    source, model = write_adapter(tmp_path / "a", half), _model(tmp_path, "llama")
    assert project(source, model, tmp_path / "out", Options("small-gap")).written
    monkeypatch.setattr(project_run, "off_writing_of_heads", lambda w, rows, value, output, U: (value, output))
    report = project(source, model, tmp_path / "none", Options("small-gap"))
    assert not report.written
    assert max(p.limit for head in report.heads for p in head.promises) < 1e-2


def test_a_tiny_update_keeps_its_promises(tmp_path: Path) -> None:
    """ΔV is a difference from V, so V's rounding is in what is found."""
    tiny = {k: (1e-9 * x, y) for k, (x, y) in _factors("llama").items()}
    report, _ = _project(tmp_path, "llama", write_adapter(tmp_path / "a", tiny), keep_off="top-m")
    assert report.written


# --- scales, on planted V ⪰ 0 ---------------------------------------------------------------------------

LEVELS = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.1, 0.05], dtype=torch.float64)


GAIN = torch.linspace(0.7, 1.4, 6, dtype=torch.float64)


def _planted(tmp_path: Path, dV: Tensor, levels: Tensor = LEVELS, gain: Tensor = GAIN) -> tuple[Path, Path]:
    """One head ``V = Q diag(levels) Qᵀ`` and the adapter of ``ΔV = Q dV Qᵀ``."""
    d = len(levels)
    Q = orthogonal(d, 3)
    layer = Layer(torch.diag(levels) @ Q.mT / gain, Q, gain)
    model = write(tmp_path / "model", "llama", Sizes(1, 1, d, d), [layer])
    left, singular, right = torch.linalg.svd(dV)
    return model, write_adapter(tmp_path / "a", {value_module("llama", 0): (left * singular, right @ Q.mT / gain)})


def _blocks(a: float, b: float, c: float, E: float) -> Tensor:
    dV = torch.zeros(6, 6, dtype=torch.float64)
    dV[0, 0], dV[1, 0], dV[0, 1], dV[2, 2] = a, b, c, E
    return dV


def _audited(model: Path, adapter: Path) -> Any:
    return next(row for row in audit(model, [adapter]).rows if row.matrix.head == 0).updates[0]


def test_scaled_to_the_edge_of_the_quoted_criterion(tmp_path: Path) -> None:
    """gap = 1, cost 2·0.6 + 0.9 - 0.1 = 2: half the update is the edge, 0.1 % inside it is taken."""
    model, source = _planted(tmp_path, _blocks(0.1, 0.6, 0.6, 0.9))
    report = project(source, model, tmp_path / "out", Options(scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2, rel=1e-9)
    before, after = _audited(model, source), _audited(model, tmp_path / "out")
    assert before.criterion_margin == pytest.approx(-1, abs=1e-9)
    assert "prop-3.3/drift-quoted" not in before.theorems
    assert after.criterion_margin == pytest.approx(1e-3, abs=1e-9)
    assert "prop-3.3/drift-quoted" in after.theorems
    (promise,) = report.heads[0].promises
    assert promise.quantity == "criterion_margin"
    assert promise.found == pytest.approx(after.criterion_margin, abs=1e-12)


def test_scaled_to_the_edge_of_the_cone(tmp_path: Path) -> None:
    """b = 1.2 and c = -1.2 along u2: 2 - 1 > 2·1.2 s up to s = 1/2.4; at s = 1 the leading eigenvalue is complex."""
    model, source = _planted(tmp_path, _blocks(0, 1.2, -1.2, 0))
    report = project(source, model, tmp_path / "out", Options(scale="cone"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2.4, rel=1e-6)
    before, after = _audited(model, source), _audited(model, tmp_path / "out")
    assert (before.top_real, "prop-3.3/nonsymmetric" in before.theorems) == (False, False)
    assert (after.top_real, "prop-3.3/nonsymmetric" in after.theorems) == (True, True)
    assert after.cone_margin >= 0.999e-3


def test_what_is_safe_is_left_as_it_is(tmp_path: Path) -> None:
    model, source = _planted(tmp_path, _blocks(0.1, 0.1, 0.1, 0.2))
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
    model, source = _planted(tmp_path, _blocks(0.1, 0.6, 0.6, 0.9))
    path = source / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"use_rslora": True, "lora_alpha": math.sqrt(6)}))
    report = project(source, model, tmp_path / "out", Options(scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 2, rel=1e-9)
    assert _audited(model, tmp_path / "out").criterion_margin == pytest.approx(1e-3, abs=1e-9)


@pytest.mark.parametrize("scale", ["quoted", "cone"])
def test_a_margin_that_is_not_reached_is_not_written(
    scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: with the scale left at 1 the audit finds both margins below 0."""
    model, source = _planted(tmp_path, _blocks(0, 1.2, -1.2, 0))
    monkeypatch.setattr(project_run, "layer_scale", lambda *_: 1.0)
    report = project(source, model, tmp_path / "out", Options(scale=scale))
    assert [p.kept for p in report.heads[0].promises] == [False]
    assert not report.written
    assert not (tmp_path / "out").exists()


def test_projected_then_scaled_by_what_is_left(tmp_path: Path) -> None:
    """Off u1 c and E = 1.6 are left (without a gain): gap/E = 0.625, where the whole update allows 1/2.7."""
    model, source = _planted(tmp_path, _blocks(0.1, 0.6, 0.6, 1.6), gain=torch.ones(6).double())
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m", scale="quoted"))
    assert report.changes[0].scale == pytest.approx(0.999 / 1.6, rel=1e-9)
    after = _audited(model, tmp_path / "out")
    assert after.b_norm < 1e-10
    assert after.drift == pytest.approx(0, abs=1e-10)
    assert _audited(model, source).drift > 0.1  # negative control
    assert [p.quantity for p in report.heads[0].promises] == ["b_norm", "leading_norm", "criterion_margin"]


def test_no_scale_helps_where_there_is_no_gap_and_no_cone(tmp_path: Path) -> None:
    model, source = _planted(tmp_path, _blocks(0.1, 0.6, 0.6, 0.9), torch.tensor([1.0, 1, 0, 0, 0, -2]).double())
    for scale in ("quoted", "cone"):
        report = project(source, model, tmp_path / f"out-{scale}", Options(scale=scale))
        assert report.changes[0].scale == 1
        assert report.heads[0].promises == ()
        assert len(report.heads[0].reasons) == 1


def test_scale_of_both_factors_is_the_edge_of_one_head(tmp_path: Path) -> None:
    """Dense margins of ``(O + s δO)(W + s δW)``: above 0 in all heads at the scale found, below in one 1 % above it."""
    source = write_adapter(tmp_path / "a", _factors("llama"))
    report, out = _project(tmp_path, "llama", source, scale="quoted")
    assert report.written

    def margins(layer: int, times: float) -> list[float]:
        base = random_layers(_sizes("llama"), LAYERS)[layer]
        value, output = (times * _update(out, f("llama", layer)) for f in (value_module, output_module))
        moved = Layer(base.value + value, base.output + output, base.gain)
        found = []
        for head in range(4):
            V, new = (head_product("llama", _sizes("llama"), x, head).numpy() for x in (base, moved))
            values, vectors = np.linalg.eigh((V + V.T) / 2)
            u, dV = vectors[:, -1], new - V
            P = np.eye(D) - np.outer(u, u)
            blocks = u @ dV @ u - 2 * np.linalg.norm(P @ dV @ u) - np.linalg.norm(P @ dV @ P, 2)
            found.append(values[-1] - values[-2] + blocks)
        return found

    for layer in range(LAYERS):
        assert min(margins(layer, 1.0)) > 0
        assert min(margins(layer, 1.01)) < 0


# --- the file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"alpha_pattern": {"v_proj": 9.0}}])
def test_a_lower_rank_keeps_the_update(settings: dict[str, Any], tmp_path: Path) -> None:
    """Two of the three rows of A read u1 alone: rank 1 is left, and the update is the dense projection."""
    model, _ = _planted(tmp_path, _blocks(0, 0, 0, 0))
    met = GAIN * orthogonal(6, 3)[:, 0]
    left, right = normal(6, 3, seed=1), torch.stack([met, -2 * met, normal(6, seed=2)])
    module = value_module("llama", 0)
    source = write_adapter(tmp_path / "b", {module: (left, right)}, lora_alpha=4.5, **settings)
    alpha = 9.0 if "alpha_pattern" in settings else 4.5
    full = alpha / (math.sqrt(3) if "use_rslora" in settings else 3) * left @ right
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m"))
    assert (report.changes[0].rank_before, report.changes[0].rank_after) == (3, 1)
    projector = torch.eye(6).double() - torch.outer(met, met) / met.dot(met)
    torch.testing.assert_close(_update(tmp_path / "out", module), full @ projector, rtol=0, atol=1e-12)
    assert report.changes[0].kept == pytest.approx(float((full @ projector).norm() / full.norm()) ** 2, rel=1e-9)


def test_nothing_left_is_an_adapter_of_rank_one_that_is_zero(tmp_path: Path) -> None:
    model, _ = _planted(tmp_path, _blocks(0, 0, 0, 0))
    met = GAIN * orthogonal(6, 3)[:, 0]
    source = write_adapter(tmp_path / "b", {value_module("llama", 0): (normal(6, 1, seed=1), met.unsqueeze(0))})
    assert _audited(model, source).norm > 0.1
    report = project(source, model, tmp_path / "out", Options(keep_off="top-m"))
    assert report.changes[0].rank_after == 1
    assert _audited(model, tmp_path / "out").norm == 0


def test_what_was_written_is_projected_again(tmp_path: Path) -> None:
    """Ranks and alphas of the first time stand in the patterns and give way to those of the second."""
    model, source = _planted(tmp_path, _blocks(0.1, 0.6, 0.6, 0.9))
    first = project(source, model, tmp_path / "once", Options(scale="cone")).changes[0].scale
    report = project(tmp_path / "once", model, tmp_path / "twice", Options("top-m", 1, "quoted"))
    assert report.written
    assert first < 1
    assert report.changes[0].rank_after < report.changes[0].rank_before
    third = project(tmp_path / "twice", model, tmp_path / "thrice", Options(scale="quoted"))
    assert (third.written, third.changes[0].scale) == (True, 1)


def test_modules_outside_the_value_side_are_copied(tmp_path: Path) -> None:
    factors = _factors("llama") | {"model.layers.0.self_attn.q_proj": (normal(32, R, seed=1), normal(R, 32, seed=2))}
    source = write_adapter(tmp_path / "a", factors)
    report, out = _project(tmp_path, "llama", source, keep_off="top-m")
    assert report.elsewhere == 1
    old, new = (load_file(x / "adapter_model.safetensors") for x in (source, out))
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    assert set(old) == set(new)
    assert torch.equal(old[key], new[key])
    assert not torch.equal(old[key.replace("q_proj", "v_proj")], new[key.replace("q_proj", "v_proj")])


@pytest.mark.parametrize(("dtype", "written"), [(torch.float32, torch.float32), (torch.bfloat16, torch.float32)])
def test_rounding_of_the_file_is_in_the_promise(dtype: torch.dtype, written: torch.dtype, tmp_path: Path) -> None:
    source = write_adapter(tmp_path / "a", {k: (x.to(dtype), y.to(dtype)) for k, (x, y) in _factors("llama").items()})
    report, out = _project(tmp_path, "llama", source, keep_off="top-m")
    assert report.written
    stored = load_file(out / "adapter_model.safetensors")
    assert {x.dtype for x in stored.values()} == {written, dtype}  # B is untouched
    for V, dV in _heads("llama", out):
        u1 = np.linalg.eigh((V + V.T) / 2)[1][:, -1]
        assert np.linalg.norm(dV @ u1) < 1e-5 * np.linalg.norm(dV)
    assert all(p.limit < 1e-4 * h.before.frobenius for h in report.heads for p in h.promises)


def test_a_promise_that_is_not_kept_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the whole: with the projection left out the audit refuses the same adapter."""
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    monkeypatch.setattr(project_run, "off_reading_of_heads", lambda read, value, output: (value, output))
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--keep-off", "top-m"]
    assert main(words) == 1
    assert "0 of 16 promises" in capsys.readouterr().out
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]


# --- the command ----------------------------------------------------------------------------------------


def test_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", _factors("gpt2")), _model(tmp_path, "gpt2")
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--json", "-"]
    assert main([*words, "--keep-off", "top-m", "--m", "2", "--scale", "cone"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["command"], found["keep_off"], found["m"], found["scale"]) == ("project", "top-m", 2, "cone")
    assert len(found["heads"]) == 8
    assert [c["side"] for c in found["modules"]] == ["value", "output"] * 2
    assert any("Queries and keys share A" in line for line in found["summary"])
    (line,) = [line for line in found["summary"] if "no scale helps" in line]
    assert "heads are left out of a promise" in line  # b = 0 is promised of them all the same
    assert all("b_norm" in [p["quantity"] for p in head["promises"]] for head in found["heads"])
    assert "not promised" in captured.err  # what is not guaranteed is said
    assert not {"safe", "proved"} & set(captured.err.lower().split())
    assert main(words) == 2  # not overwritten
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["keep_off"], found["scale"]) == (None, "quoted")  # what is done where nothing is asked for


def _change(name: str, folder: Path, model: Path) -> None:
    path = folder / "adapter_model.safetensors"
    stored = load_file(path)
    key = "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight"
    if name == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif name == "pickle":
        path.rename(folder / "adapter_model.bin")
    elif name == "NaN":
        save_file(stored | {key: stored[key] * math.nan}, path)
    elif name == "shape":
        save_file(stored | {key: torch.zeros(R, 5)}, path)
    elif name == "model NaN":
        weights = load_file(model / "model.safetensors")
        weights["model.layers.0.self_attn.v_proj.weight"][0] = math.nan
        save_file(weights, model / "model.safetensors")
    elif name == "model type":
        (model / "config.json").write_text(json.dumps({"model_type": "mamba"}))
    elif name == "missing shard":
        write(model, "llama", _sizes("llama"), random_layers(_sizes("llama"), LAYERS), shards=2)
        (model / "model.safetensors").unlink()
        (model / "model-00001-of-00002.safetensors").unlink()
    else:
        config = json.loads((folder / "adapter_config.json").read_text()) | json.loads(name)
        (folder / "adapter_config.json").write_text(json.dumps(config))


WRONG = {
    "truncated": "truncated or malformed",
    "pickle": "pickle files can run code and are refused",
    "NaN": "NaN or infinite",
    "shape": "model and configuration need",
    "model NaN": "NaN or infinite",
    "model type": "unknown model_type 'mamba'",
    "missing shard": "lacks the shard",
    '{"lora_alpha": NaN}': "must be a positive number",
    '{"lora_alpha": 1e400}': "must be a positive number",
    f'{{"lora_alpha": {10**400}}}': "must be a positive number",
    '{"lora_alpha": 9e59}': "too large to measure",
    '{"r": 0}': "must be a positive number",
    '{"use_dora": true}': "DoRA renormalises",
    '{"init_lora_weights": "pissa"}': "changes the base weights",
    '{"peft_type": "LOHA"}': "ΔW is not scale·B·A",
    '{"kasa_config": {"beta": 1}}': "KaSA",
    '{"bias": "all"}': "bias = 'all'",
    '{"modules_to_save": ["lm_head"]}': "modules_to_save",
    '{"lora_bias": true}': "lora_bias",
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_one_line_and_leave_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    _change(name, source, model)
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out"), "--keep-off", "top-m"]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert WRONG[name] in err
    assert err.count("\n") == 1
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]


def test_adapter_of_another_model_and_of_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", _factors("gpt2")), _model(tmp_path, "llama")
    words = ["--model", str(model), "--out", str(tmp_path / "out")]
    assert main(["project", str(source), *words]) == 2
    assert "of another model" in capsys.readouterr().err
    query = {"model.layers.0.self_attn.q_proj": (normal(32, R, seed=1), normal(R, 32, seed=2))}
    assert main(["project", str(write_adapter(tmp_path / "q", query)), *words]) == 2
    assert "nothing to project" in capsys.readouterr().err


def test_places_that_would_lose_something(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "in" / "a", _factors("llama")), _model(tmp_path, "llama")
    (tmp_path / "file").write_text("mine")
    other = write_adapter(tmp_path / "other", _factors("llama"))
    (other / "notes.txt").write_text("mine")
    for out, message in (
        (source, "is or contains what is read"),
        (tmp_path / "in", "is or contains what is read"),
        (tmp_path / "file", "is a file or a link"),
        (other, "holds notes.txt beside an adapter"),
    ):
        assert main(["project", str(source), "--model", str(model), "--out", str(out), "--overwrite"]) == 2
        assert message in capsys.readouterr().err
    assert (other / "notes.txt").read_text() == "mine"


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the middle of the writing, and between the two renames; the message names no option that is not there."""
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    out = write_adapter(tmp_path / "out", _factors("llama", "v"))
    before = (out / "adapter_model.safetensors").read_bytes()
    words = ["project", str(source), "--model", str(model), "--out", str(out), "--overwrite"]
    rename = os.rename

    def second(old: Path, new: Path) -> None:
        if old.parent != out.parent and new == out and old.name != ".replaced":
            raise KeyboardInterrupt
        rename(old, new)

    for place, name, stop in ((project_run, "write_adapter", _stop), (write_module.os, "rename", second)):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, stop)
            assert main(words) == 130
        assert capsys.readouterr().err.endswith("loraproofs: interrupted\n")
        assert (out / "adapter_model.safetensors").read_bytes() == before
        assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama", "out"]
    assert main(words) == 0
    assert (out / "adapter_model.safetensors").read_bytes() != before


@pytest.mark.parametrize("late", [False, True])
def test_of_two_runs_at_once_the_second_takes_nothing_away(
    late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    real = write_module.os.rename if late else project_run.write_adapter

    def other_first(*arguments: Any) -> None:
        write_adapter(tmp_path / "out", _factors("llama", "v"))
        real(*arguments)

    place, name = (write_module.os, "rename") if late else (project_run, "write_adapter")
    monkeypatch.setattr(place, name, other_first)
    assert main(["project", str(source), "--model", str(model), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot write" in err if late else "is not empty" in err
    assert len(load_file(tmp_path / "out" / "adapter_model.safetensors")) == 2 * LAYERS
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama", "out"]


@pytest.mark.parametrize("what", ["weights", "config"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the limit of a process on the size of its files; the configuration by a refusal in its place."""
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    words = ["project", str(source), "--model", str(model), "--out", str(tmp_path / "out")]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with monkeypatch.context() as patch:
        if what == "config":

            def full(*_: Any, **__: Any) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(Path, "write_text", full)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
        try:
            assert main(words) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot write adapter_" in err
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a", "model-llama"]


def test_a_link_as_out_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = write_adapter(tmp_path / "a", _factors("llama")), _model(tmp_path, "llama")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert main(["project", str(source), "--model", str(model), "--out", str(tmp_path / "link")]) == 2
    assert "is a file or a link" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--m", "0"], ["--m", "x"], ["--keep-off", "u1"], ["--scale", "big"]])
def test_usage(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["project", str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "o"), *words])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("words", [["--scale", "cone"], ["--keep-off", "small-gap"], []])
def test_m_without_top_m_is_refused(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path / "o")]
    assert main(["project", *places, "--m", "2", *words]) == 2
    assert "add that, or leave --m out" in capsys.readouterr().err


# --- PEFT itself ----------------------------------------------------------------------------------------


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")  # of other packages
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"rank_pattern": {"v_proj": 2, "c_attn": 2}}])
@pytest.mark.parametrize(
    "options", [Options("top-m", 1, "quoted"), Options("small-gap"), Options(None, 1, "quoted")], ids=str
)
def test_peft_loads_the_promised_update(kind: str, settings: dict[str, Any], options: Options, tmp_path: Path) -> None:
    """``get_delta_weight`` of what is written is that of what was read, projected densely and scaled."""
    peft = pytest.importorskip("peft")
    _write_with_peft(kind, settings, tmp_path)
    if options.keep_off == "top-m":
        _read_one_direction(kind, tmp_path)
    report = project(tmp_path / "a", tmp_path / "model", tmp_path / "out", options)
    assert report.written
    transformers = pytest.importorskip("transformers")
    old, new = (
        {
            name: (x.get_delta_weight("default").double().detach(), x.r["default"])
            for name, x in peft.PeftModel.from_pretrained(
                transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model"), tmp_path / folder
            ).named_modules()
            if hasattr(x, "get_delta_weight")
        }
        for folder in ("a", "out")
    )
    assert set(old) == set(new)
    changes = {c.module: c for c in report.changes}
    weights = load_file(tmp_path / "model" / "model.safetensors")
    seen = 0
    for name, (found, rank) in new.items():
        change = next((c for module, c in changes.items() if name.endswith(module)), None)
        was = old[name][0]
        if change is None:
            assert torch.equal(found, was)  # queries: as they were
            continue
        seen += 1
        assert rank == change.rank_after <= change.rank_before == old[name][1]
        turned = (lambda x: x.mT) if kind == "gpt2" else (lambda x: x)
        wanted = change.scale * _kept(kind, weights, change.layer, change.side, options.keep_off, turned(was))
        torch.testing.assert_close(turned(found), wanted, rtol=0, atol=2e-6 * float(was.abs().max()))
        if options != Options("small-gap"):
            assert float((found - was).norm()) > 1e-3 * float(was.norm())  # negative control
    assert seen == len(changes) == 4
    if options.keep_off == "top-m":
        assert changes[report.changes[0].module].rank_after == 1


def _write_with_peft(kind: str, settings: dict[str, Any], tmp_path: Path) -> None:
    """A random model with random gains in ``model`` and a random adapter in ``a``."""
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    torch.manual_seed(0)
    if kind == "gpt2":
        config = transformers.GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=50)
        targets = ["c_attn", "attn.c_proj"]
    else:
        config = transformers.LlamaConfig(
            hidden_size=32, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, intermediate_size=48,
            vocab_size=50,
        )  # fmt: skip
        targets = ["q_proj", "v_proj", "o_proj"]
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    for name, x in model.named_parameters():
        if name.endswith(("ln_1.weight", "input_layernorm.weight")):
            x.data += 0.3 * torch.randn_like(x)
    model.save_pretrained(tmp_path / "model")
    lora = peft.LoraConfig(r=4, lora_alpha=6, target_modules=targets, init_lora_weights=False, **settings)
    peft.get_peft_model(model, lora).save_pretrained(tmp_path / "a")


def _parts(kind: str, stored: dict[str, Tensor], layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """W_V, W_O and the gain of a layer, by PEFT's and transformers' names."""
    stored = {name.removeprefix("transformer.").removeprefix("model."): x.double() for name, x in stored.items()}
    if kind == "gpt2":
        place = f"h.{layer}."
        value, output = stored[place + "attn.c_attn.weight"].mT[64:], stored[place + "attn.c_proj.weight"].mT
        return value, output, stored[place + "ln_1.weight"]
    place = f"layers.{layer}."
    value, output = (stored[f"{place}self_attn.{x}_proj.weight"] for x in "vo")
    return value, output, stored[place + "input_layernorm.weight"]


def _products(kind: str, parts: tuple[Tensor, Tensor, Tensor]) -> list[tuple[slice, slice, Tensor]]:
    value, output, gain = parts
    found = []
    for head in range(4):
        group = head if kind == "gpt2" else head // 2
        rows, columns = slice(8 * group, 8 * group + 8), slice(8 * head, 8 * head + 8)
        found.append((rows, columns, output[:, columns] @ value[rows] * gain))
    return found


def _kept(kind: str, stored: dict[str, Tensor], layer: int, side: str, keep_off: str | None, change: Tensor) -> Tensor:
    """ΔW ``(out, in)`` without what the option takes away, by dense projectors."""
    value, output, gain = parts = _parts(kind, stored, layer)
    met: dict[tuple[int, int], list[Tensor]] = {}  # rows or columns of ΔW → directions that they are kept off
    everything = (0, change.shape[1] if keep_off == "top-m" else change.shape[0])
    first = 64 if kind == "gpt2" else 0
    for rows, columns, V in _products(kind, parts):
        levels, vectors = torch.linalg.eigh((V + V.mT) / 2)
        if keep_off == "top-m":
            U = vectors[:, -1:]
            general, right = torch.linalg.eig(V)
            lead = int(general.real.argmax())
            if abs(float(general[lead].imag)) < 1e-9:
                U = torch.cat([U, right[:, lead].real.unsqueeze(1)], dim=1)
            own, found = (everything, gain[:, None] * U) if side == "value" else (columns, gain * value[rows] @ U)
        else:
            near = levels[-1] - levels <= 0.1 * (levels[-1] - levels[0])
            near[-1] = False
            U = vectors[:, near]
            own, found = (rows, output[:, columns].mT @ U) if side == "value" else (everything, U)
        if isinstance(own, slice):
            shift = first if keep_off == "small-gap" else 0
            own = (own.start + shift, own.stop + shift)
        met.setdefault(own, []).append(found)
    if keep_off is None:
        return change
    change = change.clone()
    for (low, high), blocks in met.items():
        M = torch.cat(blocks, dim=1)
        P = torch.eye(M.shape[0]).double() - M @ torch.linalg.pinv(M)
        if keep_off == "top-m":
            change[:, low:high] = change[:, low:high] @ P
        else:
            change[low:high] = P @ change[low:high]
    return change


def _read_one_direction(kind: str, tmp_path: Path) -> None:
    """All rows of A of the first value module but one become multiples of what reads u1 of head 0: the rank falls."""
    path = tmp_path / "a" / "adapter_model.safetensors"
    found = load_file(path)
    place = next(
        x for x in found if ("h.0.attn.c_attn" if kind == "gpt2" else "layers.0.self_attn.v_proj") in x and "_A" in x
    )
    parts = _parts(kind, load_file(tmp_path / "model" / "model.safetensors"), 0)
    V = _products(kind, parts)[0][2]
    met = parts[2] * torch.linalg.eigh((V + V.mT) / 2).eigenvectors[:, -1]
    found[place][1:] = met.float() * torch.arange(1, len(found[place])).unsqueeze(1)
    save_file(found, path)
