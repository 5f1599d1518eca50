"""``project`` against PEFT itself, and against dense projectors of what it read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from proofs_checks.project.run import Options, project


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
