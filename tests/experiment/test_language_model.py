"""Language model, adapters and points on a tiny random Llama; every expected value is computed another way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from proofs_checks.errors import InputError
from proofs_checks.experiment.adapters import KINDS, PLACES, TOP, Adapters, added, draw
from proofs_checks.experiment.language_model import LanguageModel
from proofs_checks.experiment.points import Bench, Point, deviation, mean_cosine
from proofs_checks.experiment.text import base_text


@pytest.fixture(scope="module")
def model(tiny: Path) -> LanguageModel:
    return LanguageModel(tiny)


@pytest.fixture(scope="module")
def bench(model: LanguageModel) -> Bench:
    return Bench(model)


def test_loss_is_the_models_own(model: LanguageModel) -> None:
    tokens = model.passages(base_text(), 0, 2)
    with torch.no_grad():
        own = float(model.module(input_ids=tokens, labels=tokens).loss)
    assert model.run(tokens).loss == pytest.approx(own, rel=1e-5)


def test_states_are_the_models_own(model: LanguageModel) -> None:
    tokens = model.passages(base_text(), 0, 1)
    with torch.no_grad():
        own = model.module(input_ids=tokens, output_hidden_states=True).hidden_states
    found = model.run(tokens).states
    assert found.shape[0] == model.depth
    for k in range(model.depth - 1):  # the last of the model's own is after the final normalisation
        assert torch.allclose(found[k], torch.nn.functional.normalize(own[k + 1], dim=-1), atol=1e-5)


def test_passages_of_seeds_do_not_overlap(model: LanguageModel) -> None:
    rows = torch.cat([model.passages(base_text(), seed, 2) for seed in range(3)])
    assert len({tuple(row.tolist()) for row in rows}) == 6


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_norm_is_planted(model: LanguageModel, kind: str, place: str) -> None:
    adapters = Adapters(kind, place, 0.7, rank=2)
    for layer, found in draw(model, adapters).items():
        side = model.sides[layer]
        delta = (found.B @ found.A).double()
        matrix = side.value if place == "v" else side.output @ side.value
        ratio = float(torch.linalg.svdvals(delta)[0] / torch.linalg.svdvals(matrix)[0])
        assert ratio == pytest.approx(0.7, rel=1e-5)
        assert found.frobenius == pytest.approx(float(delta.norm() / torch.linalg.svdvals(matrix)[0]), rel=1e-5)


def test_tied_is_one_matrix_and_random_is_not(model: LanguageModel) -> None:
    def cosine(kind: str) -> float:
        found = [(x.B @ x.A).flatten() for x in draw(model, Adapters(kind, "ov", 1.0, rank=2)).values()]
        return float(torch.nn.functional.cosine_similarity(found[0], found[1], dim=0))

    assert cosine("tied") == pytest.approx(1, abs=1e-5)
    assert abs(cosine("random")) < 0.5


def test_the_factors_are_those_of_the_seed(model: LanguageModel) -> None:
    first, again, other = (draw(model, Adapters("random", "ov", 1.0, seed=k))[0] for k in (0, 0, 1))
    assert torch.equal(first.A, again.A)
    assert torch.equal(first.B, again.B)
    assert float(torch.nn.functional.cosine_similarity(first.A.flatten(), other.A.flatten(), dim=0).abs()) < 0.5


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("kind", "count"), [("off-u1", 1), ("off-top", TOP)])
def test_projected_off_the_eigenvectors(model: LanguageModel, kind: str, count: int, place: str) -> None:
    for layer, found in draw(model, Adapters(kind, place, 1.0, rank=2)).items():
        side = model.sides[layer]
        V = side.output @ side.value
        values, vectors = torch.linalg.eigh((V + V.mT) / 2)
        U = vectors[:, values.argsort(descending=True)[:count]]
        if place == "v" and count >= side.value.shape[0]:
            continue  # nothing of a value space this small is left
        reached = (side.output if place == "v" else torch.eye(len(V), dtype=V.dtype)) @ found.B.double()
        assert float((U.mT @ reached).abs().max()) < 1e-4 * float(reached.abs().max())
        assert float((found.A.double() @ U).abs().max()) < 1e-4 * float(found.A.abs().max())


@pytest.mark.parametrize("place", PLACES)
def test_off_rows_reads_nothing_that_the_values_read(model: LanguageModel, place: str) -> None:
    for layer, found in draw(model, Adapters("off-rows", place, 1.0, rank=2)).items():
        value = model.sides[layer].value
        assert float((found.A.double() @ value.mT).abs().max()) < 1e-4 * float(value.norm())


def test_on_v_proj_is_what_changed_weights_do(model: LanguageModel) -> None:
    tokens = model.passages(base_text(), 1, 1)
    adapters = Adapters("random", "v", 1.0, rank=2, seed=5)
    with added(model, adapters) as factors:
        hooked = model.run(tokens).loss
    weights = [layer.self_attn.v_proj.weight for layer in model.layers]
    kept = [w.data for w in weights]
    try:
        for layer, found in factors.items():
            weights[layer].data = kept[layer] + found.B @ found.A
        changed = model.run(tokens).loss
    finally:
        for weight, data in zip(weights, kept, strict=True):
            weight.data = data
    assert hooked == pytest.approx(changed, rel=1e-5)
    assert abs(hooked - model.run(tokens).loss) > 1e-3


def test_in_the_residual_stream_equals_v_where_the_heads_attend_alike(model: LanguageModel) -> None:
    """Without queries all heads attend alike, and ΔV = M ΔW_V moves the same as ΔW_V on v_proj."""
    tokens = model.passages(base_text(), 1, 1)
    kept = [layer.self_attn.q_proj.weight.data for layer in model.layers]
    try:
        for layer in model.layers:
            layer.self_attn.q_proj.weight.data = torch.zeros_like(layer.self_attn.q_proj.weight)
        with added(model, Adapters("random", "v", 1.0, rank=2)) as factors:
            on_values = model.run(tokens).states
        from proofs_checks.experiment import adapters as module

        handles = [
            model.layers[k].self_attn.register_forward_hook(
                module._on_attention(module.Factors((model.sides[k].output @ x.B.double()).float(), x.A, x.frobenius)),
                with_kwargs=True,
            )
            for k, x in factors.items()
        ]
        try:
            beside = model.run(tokens).states
        finally:
            for handle in handles:
                handle.remove()
    finally:
        for layer, weight in zip(model.layers, kept, strict=True):
            layer.self_attn.q_proj.weight.data = weight
    assert torch.allclose(on_values, beside, atol=1e-4)


def test_hooks_are_gone_after_the_block(model: LanguageModel) -> None:
    tokens = model.passages(base_text(), 0, 1)
    before = model.run(tokens).loss
    with pytest.raises(KeyboardInterrupt), added(model, Adapters("random", "ov", 1.0)):
        raise KeyboardInterrupt
    assert model.run(tokens).loss == before


def test_deviation_and_cosine_of_known_states() -> None:
    base = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 1, 0]]).expand(2, 1, 3, 3)
    moved = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]).expand(2, 1, 3, 3)
    assert deviation(base, moved) == [0.5, 0.5]  # the first token is left out: (0 + 1)/2
    assert mean_cosine(base) == [0.0, 0.0]
    assert mean_cosine(base[:, :, :1].expand(2, 1, 3, 3)) == pytest.approx([1.0, 1.0])


def test_point_of_a_vanishing_adapter_is_the_bare_model(bench: Bench) -> None:
    bare = bench.measure(Point(0))
    found = bench.measure(Point(0, Adapters("random", "v", 1e-7)))
    assert found["forgetting"] == pytest.approx(0, abs=1e-4)
    assert found["cosine"] == pytest.approx(bare["cosine"], abs=1e-4)
    assert max(found["deviation"]) < 1e-4


def test_layers_without_an_adapter_do_not_move(bench: Bench) -> None:
    found = bench.measure(Point(0, Adapters("random", "ov", 1.0, layers=(2,))))["deviation"]
    assert max(found[:2]) < 1e-6 < 1e-3 < found[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "gpt2"}'), "model_type llama"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be loaded"),
    ],
)
def test_what_is_no_model_is_refused(tiny: Path, tmp_path: Path, change: object, words: str) -> None:
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    change(folder)  # type: ignore[operator]
    with pytest.raises(InputError, match=words) as error:
        LanguageModel(folder)
    assert "\n" not in str(error.value)
