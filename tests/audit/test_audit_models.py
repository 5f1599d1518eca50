"""Value matrices and OV products of every architecture, against dense products of what the files were made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import ARCHITECTURES, Layer, Sizes, four_heads, head_product, normal, orthogonal, random_layers, write
from torch import Tensor

from proofs_checks.audit.hypotheses import hypotheses
from proofs_checks.audit.model import Model
from proofs_checks.audit.run import Row, audit

D = 24


def _product(model: Model, layer: int, head: int) -> Tensor:
    left, right = model.layer(layer).head_factors(head)
    return left @ right


def _distance(first: Tensor, second: Tensor) -> float:
    """Hausdorff distance of two sets of complex numbers."""
    apart = (first[:, None] - second[None]).abs()
    return float(torch.maximum(apart.amin(0).max(), apart.amin(1).max()))


def _row(rows: tuple[Row, ...], layer: int, head: int | None) -> Row:
    return next(row for row in rows if (row.matrix.layer, row.matrix.head) == (layer, head))


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_head_is_the_planted_product(kind: str, shards: int, tmp_path: Path) -> None:
    sizes = four_heads(kind, D)
    layers = random_layers(sizes, 2, seed=ARCHITECTURES.index(kind))
    model = Model(write(tmp_path, kind, sizes, layers, shards))
    assert (model.shape.layers, model.shape.heads, model.shape.kv_heads) == (2, 4, sizes.kv_heads)
    for k, layer in enumerate(layers):
        for head in range(4):
            planted = head_product(kind, sizes, layer, head)
            torch.testing.assert_close(_product(model, k, head), planted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_it_is_stored(dtype: torch.dtype, tmp_path: Path) -> None:
    sizes = four_heads("gpt2", D)
    layer = Layer(*(x.to(dtype).double() for x in vars(random_layers(sizes, 1)[0]).values()))
    folder = write(tmp_path, "gpt2", sizes, [layer])
    stored = load_file(folder / "model.safetensors")
    save_file({name: x.to(dtype) for name, x in stored.items()}, folder / "model.safetensors")
    found = _product(Model(folder), 0, 3)
    torch.testing.assert_close(found, head_product("gpt2", sizes, layer, 3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox"])
def test_another_head_layer_or_gain_is_told_apart(kind: str, tmp_path: Path) -> None:
    """Negative control: with the wrong head, the wrong layer, or the gain left out the comparison fails."""
    sizes = four_heads(kind, D)
    layers = random_layers(sizes, 2)
    model = Model(write(tmp_path, kind, sizes, layers))
    found = _product(model, 0, 1)
    plain = replace(layers[0], gain=torch.ones(sizes.d, dtype=torch.float64))
    wrong = (head_product(kind, sizes, layers[0], 2), head_product(kind, sizes, layers[1], 1),
             head_product(kind, sizes, plain, 1))  # fmt: skip
    assert min(float((found - x).norm() / found.norm()) for x in wrong) > 0.1


def test_stacked_rows_are_not_interleaved_ones(tmp_path: Path) -> None:
    """Negative control: a fused projection in another layout has other heads."""
    sizes = four_heads("gpt_neox", D)
    layer = random_layers(sizes, 1)[0]
    query, key = normal(24, 24, seed=7000), normal(24, 24, seed=8000)
    folder = write(tmp_path, "gpt_neox", sizes, [layer])
    stored = load_file(folder / "model.safetensors")
    stored["gpt_neox.layers.0.attention.query_key_value.weight"] = torch.cat([query, key, layer.value])
    save_file(stored, folder / "model.safetensors")
    planted = head_product("gpt_neox", sizes, layer, 0)
    assert float((_product(Model(folder), 0, 0) - planted).norm() / planted.norm()) > 0.5


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_spectra_against_dense_solvers(kind: str, tmp_path: Path) -> None:
    sizes = four_heads(kind, 48)
    layers = random_layers(sizes, 2, seed=5)
    report = audit(write(tmp_path, kind, sizes, layers))
    for k, layer in enumerate(layers):
        for head in range(4):
            dense, row = head_product(kind, sizes, layer, head), _row(report.rows, k, head)
            values = torch.linalg.eigvals(dense)
            values = values[values.abs().argsort(descending=True)][: sizes.size]
            scale = float(torch.linalg.matrix_norm(dense, ord=2))
            assert _distance(values, torch.tensor(row.spectrum, dtype=values.dtype)) < 1e-8 * scale
            assert len(row.spectrum) + row.zeros == sizes.d
            symmetric = torch.linalg.eigvalsh((dense + dense.mT) / 2)
            found = row.matrix
            assert found.norm == pytest.approx(scale, rel=1e-10)
            assert found.symmetric_min == pytest.approx(float(symmetric[0]), rel=1e-9)
            assert found.symmetric_max == pytest.approx(float(symmetric[-1]), rel=1e-9)
            assert found.gap == pytest.approx(float(symmetric[-1] - symmetric[-2]), rel=1e-8)
            assert found.asymmetry == pytest.approx(float((dense - dense.mT).norm() / (2 * dense.norm())), rel=1e-9)
            leader = values[values.real.argmax()]
            if float(leader.real) > 0:
                assert found.top_re == pytest.approx(float(leader.real), rel=1e-8)
                assert found.top_real == (abs(float(leader.imag)) < 1e-8)


@pytest.mark.parametrize("kind", ["mistral", "bert"])
def test_whole_value_matrix_repeats_grouped_heads(kind: str, tmp_path: Path) -> None:
    sizes = four_heads(kind, D)
    layer = random_layers(sizes, 1, seed=2)[0]
    report = audit(write(tmp_path, kind, sizes, [layer]))
    blocks = layer.value.reshape(sizes.kv_heads, sizes.size, sizes.d)
    dense = torch.cat([blocks[h * sizes.kv_heads // sizes.heads] for h in range(sizes.heads)])
    dense = dense if kind == "bert" else dense * layer.gain
    row = _row(report.rows, 0, None)
    assert row.matrix.kind == "value"
    assert row.zeros == sizes.d - sizes.kv_heads * sizes.size
    assert row.matrix.norm == pytest.approx(float(torch.linalg.matrix_norm(dense, ord=2)), rel=1e-10)
    values = torch.linalg.eigvals(dense)
    found = torch.tensor(row.spectrum, dtype=values.dtype)
    if row.zeros:
        found = torch.cat([found, found.new_zeros(1)])
    assert _distance(values, found) < 1e-7  # the dense solver blurs the multiple eigenvalue 0


def test_no_whole_matrix_where_it_is_not_square(tmp_path: Path) -> None:
    sizes = Sizes(heads=2, kv_heads=1, size=4, d=24)
    report = audit(write(tmp_path, "llama", sizes, random_layers(sizes, 2)))
    assert [row.matrix.kind for row in report.rows] == ["ov"] * 4


# --- planted spectra and the hypotheses ---------------------------------------------------------------


def _planted(d: int, levels: Tensor, seed: int, turn: Tensor | None = None) -> Layer:
    """One head with ``V = Q diag(levels) Qᵀ`` (or ``Q turn Qᵀ``), a gain that is folded in and so cancels here."""
    Q, gain = orthogonal(d, seed), 1 + 0.5 * torch.rand(d, generator=torch.Generator().manual_seed(seed)).double()
    middle = torch.diag(levels) if turn is None else turn
    return Layer(middle @ Q.mT / gain, Q, gain)


LEVELS = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.1, 0.0], dtype=torch.float64)


def test_hypotheses_of_planted_heads_are_counted(tmp_path: Path) -> None:
    """One layer each: V ⪰ 0 with a gap, without a gap, indefinite, a turning leading pair."""
    turning = torch.diag(torch.tensor([1.0, 1.0, 0.5, 0.2, 0.1, 0.1], dtype=torch.float64))
    turning[0, 1], turning[1, 0] = -2.0, 2.0
    layers = [
        _planted(6, LEVELS, 1),
        _planted(6, torch.tensor([2.0, 2.0, 0.5, 0.25, 0.1, 0.0], dtype=torch.float64), 2),
        _planted(6, torch.tensor([1.0, 0.5, 0.2, 0.1, 0.0, -2.0], dtype=torch.float64), 3),
        _planted(6, LEVELS, 4, turning),
    ]
    report = audit(write(tmp_path, "llama", Sizes(1, 1, 6, 6), layers))
    facts = {name: fact.holds for name, fact in hypotheses(report).items()}
    assert facts["symmetric-base"] == 3
    assert facts["psd"] == 3  # the symmetric part of the turning one is PSD
    assert facts["spectral-gap"] == 2
    assert facts["prop-3.3 (V)"] == 1
    assert facts["top-real"] == 3
    assert facts["dominant-gap"] == 1
    assert facts["cone (V)"] == 1
    assert facts["tied-weights"] == 1
    assert facts["single-head"] == 1
    assert (facts["post-ln"], facts["full-attention"], facts["attention-only"]) == (0, 0, 0)
    assert facts["hemisphere"] is None
    row = _row(report.rows, 0, 0)
    assert [z.real for z in row.spectrum] == pytest.approx(LEVELS.tolist(), abs=1e-12)
    assert (row.matrix.gap, row.matrix.dominant_gap) == pytest.approx((1.0, 1.0), rel=1e-10)


def test_tied_layers_are_counted_and_bert_is_post_ln(tmp_path: Path) -> None:
    sizes = four_heads("bert", D)
    layer, other = random_layers(sizes, 2)
    facts = hypotheses(audit(write(tmp_path, "bert", sizes, [layer, other, layer])))
    assert (facts["tied-weights"].holds, facts["tied-weights"].of) == (2, 3)
    assert (facts["post-ln"].count, facts["full-attention"].count, facts["single-head"].count) == ("yes", "yes", "no")
