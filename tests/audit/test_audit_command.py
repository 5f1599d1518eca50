"""``loraproofs audit``: document, terminal, page, memory, and the real model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import Sizes, normal, orthogonal, random_layers, value_module, write, write_adapter

from numerics.weights import find_model
from proofs_checks.audit.run import audit
from proofs_checks.cli import main
from proofs_checks.real_weights import audit_real_weights

SIZES = Sizes(heads=4, kv_heads=2, size=4, d=16)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write(tmp_path / "tiny", "llama", SIZES, random_layers(SIZES, 3))


def _adapter(folder: Path, layers: tuple[int, ...] = (0, 2), seed: int = 0) -> Path:
    factors = {
        value_module("llama", k): (normal(8, 2, seed=seed + k), 0.1 * normal(2, 16, seed=seed + 9 + k)) for k in layers
    }
    return write_adapter(folder, factors, layers_to_transform=list(layers))


def _document(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert "Hypotheses" in captured.err  # with - all else goes to stderr
    return json.loads(captured.out)


def test_document(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = _adapter(tmp_path / "one"), _adapter(tmp_path / "two", (0,), seed=40)
    found = _document(["audit", str(model), "--adapter", str(one), "--adapter", str(two)], capsys)
    assert list(found)[:4] == ["schema", "command", "versions", "seed"]
    assert (found["command"], found["seed"]) == ("audit", None)
    assert found["model"] == {"name": "tiny", "architecture": "llama", "layers": 3, "heads": 4, "kv_heads": 2,
                              "width": 16, "head_dim": 4, "tied_layers": 1}  # fmt: skip
    assert [x["name"] for x in found["adapters"]] == ["one", "two", "sum"]
    places = [(row["layer"], row["head"], row["kind"]) for row in found["heads"]]
    assert places == [(k, h, "value" if h is None else "ov") for k in range(3) for h in (None, 0, 1, 2, 3)]
    for row in found["heads"]:
        assert {"psd", "gap", "top_real", "symmetric", "spectrum"} <= set(row)
        assert len(row["spectrum"]) + row["zero_eigenvalues"] == 16
        expected = {0: ["one", "two", "sum"], 1: [], 2: ["one", "sum"]}[row["layer"]]
        assert [u["adapter"] for u in row["updates"]] == expected
        for update in row["updates"]:
            assert (update["intruders"] is None) == (row["head"] is not None)
            assert update["norm_over_sqrt_layers"] == pytest.approx(update["norm"] / 3**0.5, rel=1e-12)
    psd = found["hypotheses"]["psd"]
    assert (psd["holds"], psd["of"]) == (sum(r["psd"] for r in found["heads"] if r["head"] is not None), 12)
    assert found["hypotheses"]["hemisphere"]["holds"] is None


def test_json_file_and_page(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", str(model), "--adapter", str(_adapter(tmp_path / "a<b>"))]
    assert main([*words, "--json", str(tmp_path / "x.json"), "--html", str(tmp_path / "x.html")]) == 0
    printed = capsys.readouterr().out
    assert "prop-3.3 (V)" in printed
    assert "tiny, heads by layer" in printed
    assert json.loads((tmp_path / "x.json").read_text())["command"] == "audit"
    page = (tmp_path / "x.html").read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert "a<b>" not in page
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 3  # asymmetry, cone margin, one adapter
    for figure in figures:
        assert len(ET.fromstring(figure).findall("rect")) == 12
    assert page.count("<title>layer") == 12 + 12 + 8  # the layer without an update has empty cells
    assert "layer 2, head 3: " in page
    assert str(tmp_path) not in page


def test_an_adapter_beside_the_value_side_is_said_to_change_nothing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    factors = {f"model.layers.{k}.self_attn.q_proj": (normal(16, 2, seed=k), normal(2, 16, seed=k)) for k in range(3)}
    found = _document(["audit", str(model), "--adapter", str(write_adapter(tmp_path / "q", factors))], capsys)
    assert found["adapters"] == [{"name": "q", "other_modules": 3}]
    assert all(not row["updates"] for row in found["heads"])
    assert any("changes no value matrix" in line and "3 modules" in line for line in found["summary"])


def test_heads_only(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", str(model), "--adapter", str(_adapter(tmp_path / "a"))]
    whole, heads = _document(words, capsys), _document([*words, "--heads-only"], capsys)
    assert heads["heads"] == [row for row in whole["heads"] if row["head"] is not None]
    assert "intruder" not in " ".join(heads["summary"])


def test_zero_weights_are_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = [replace(x, value=0 * x.value, output=0 * x.output) for x in random_layers(SIZES, 1)]
    folder = write(tmp_path / "zero", "llama", SIZES, layers)
    found = _document(["audit", str(folder), "--adapter", str(_adapter(tmp_path / "a", (0,)))], capsys)
    row = found["heads"][1]
    assert (row["norm"], row["hypothesis"], row["updates"][0]["relative_norm"]) == (0.0, False, None)


def test_intruders_of_a_planted_update(tmp_path: Path) -> None:
    """A direction spread evenly over all singular vectors of W_V, added large: one intruder; tiny: none."""
    sizes = Sizes(heads=4, kv_heads=4, size=8, d=32)
    layer = random_layers(sizes, 1)[0]
    own = orthogonal(32, 1)
    levels = torch.linspace(1, 2, 32, dtype=torch.float64)
    planted = replace(layer, value=own * levels @ orthogonal(32, 2))
    folder = write(tmp_path / "m", "llama", sizes, [planted])
    spread = own.sum(1, keepdim=True) / 32**0.5  # cosine 1/√32 = 0.18 with every singular vector
    for size, count in ((100.0, 1), (0.001, 0)):
        factors = {value_module("llama", 0): (size * spread, normal(1, 32, seed=5) / 32**0.5)}
        report = audit(folder, [write_adapter(tmp_path / f"a{size}", factors)])
        assert report.rows[0].updates[0].intruders == {"value": count, "output": 0}


PEAK = """
import resource, sys
from pathlib import Path
from proofs_checks.audit.run import audit
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
audit(Path(sys.argv[1]))
before = peak()
audit(Path(sys.argv[2]))
print(peak() - before)
"""


@pytest.mark.parametrize("layers", [4, 16])
def test_peak_memory_does_not_grow_with_depth(layers: int, tmp_path: Path) -> None:
    """At most 4 times the largest layer (12 MiB here), in one shard for two layers."""
    small = write(tmp_path / "small", "llama", Sizes(1, 1, 8, 64), random_layers(Sizes(1, 1, 8, 64), 1))
    folder, d = tmp_path / "large", 512
    folder.mkdir()
    config = {"model_type": "llama", "num_hidden_layers": layers, "num_attention_heads": 8, "num_key_value_heads": 2,
              "hidden_size": d, "head_dim": 32}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    where: dict[str, str] = {}
    for first in range(0, layers, 2):
        part: dict[str, torch.Tensor] = {}
        for k in (first, first + 1):
            place = f"model.layers.{k}."
            part |= {
                place + "self_attn.v_proj.weight": normal(64, d, seed=k).float(),
                place + "self_attn.o_proj.weight": normal(d, 256, seed=k).float(),
                place + "input_layernorm.weight": torch.ones(d),
                place + "mlp.up_proj.weight": torch.zeros(11 * d, d),
            }
        file = f"model-{first}.safetensors"
        save_file(part, folder / file)
        where |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(small), str(folder)], capture_output=True, text=True, check=True
    )
    layer_kib = (64 * d + 256 * d + d + 11 * d * d) * 4 / 1024
    assert int(done.stdout) < 4 * layer_kib


@pytest.mark.models
def test_real_model_says_what_the_dense_audit_says() -> None:
    folder = find_model()
    report, dense = audit(folder), audit_real_weights(folder)
    assert (report.architecture.name, report.shape.layers, report.shape.heads) == ("bert", 6, 12)
    assert len(report.rows) == len(dense.matrices) == 78
    for row, other in zip(report.rows, dense.matrices, strict=True):
        assert (row.matrix.layer, row.matrix.head, row.matrix.psd) == (other.layer, other.head, other.psd)
        assert (row.matrix.top_real, row.matrix.in_cone) == (other.top_real, other.in_cone)
        for name in ("norm", "symmetric_min", "symmetric_max", "top_re"):
            assert getattr(row.matrix, name) == pytest.approx(getattr(other, name), rel=1e-8, abs=1e-10)
    assert not any(row.matrix.psd for row in report.rows)


@pytest.mark.models
def test_real_spectra_against_the_dense_solver() -> None:
    from numerics.weights import read_attention

    report, layers = audit(find_model()), list(read_attention())
    for row in report.of_kind("ov")[::12]:
        assert row.matrix.head is not None
        values = torch.linalg.eigvals(layers[row.matrix.layer].ov_product(row.matrix.head))
        values = values[values.abs().argsort(descending=True)][: len(row.spectrum)]
        apart = (values[:, None] - torch.tensor(row.spectrum, dtype=values.dtype)[None]).abs()
        assert float(torch.maximum(apart.amin(0).max(), apart.amin(1).max())) < 1e-8 * row.matrix.norm
