"""The monitor against the audit of the same factors, on stand-ins for a model in memory that need torch alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import (
    Factors,
    Layer,
    Sizes,
    config,
    four_heads,
    head_product,
    orthogonal,
    output_module,
    random_factors,
    random_layers,
    tensors,
    value_module,
    write,
    write_adapter,
)
from torch import Tensor, nn

from proofs_checks.audit.run import audit
from proofs_checks.errors import InputError
from proofs_checks.monitor.monitor import Monitor
from proofs_checks.monitor.thresholds import Threshold

D, R, LAYERS = 32, 3, 3


class _Weight(nn.Module):
    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


class _Lora(nn.Module):
    """What PEFT puts in the place of a linear layer, as far as it is looked at."""

    def __init__(self, base: nn.Module, factors: dict[str, tuple[Tensor, Tensor]], scale: float) -> None:
        super().__init__()
        self.base_layer = base
        self.lora_A = nn.ModuleDict({name: _Weight(right) for name, (_, right) in factors.items()})
        self.lora_B = nn.ModuleDict({name: _Weight(left) for name, (left, _) in factors.items()})
        self.scaling = dict.fromkeys(factors, scale)
        self.active_adapters = list(factors)[:1]
        self.use_dora: dict[str, bool] = {}
        self.lora_variant: dict[str, Any] = {}
        self.lora_bias: dict[str, bool] = {}
        self.merged = False


class _Tree(nn.Module):
    """Nested modules that give their parameters the names of a checkpoint."""

    def put(self, name: str, leaf: nn.Module) -> None:
        first, _, rest = name.partition(".")
        if not rest:
            self.add_module(first, leaf)
            return
        if first not in self._modules:
            self.add_module(first, _Tree())
        child = self.get_submodule(first)
        assert isinstance(child, _Tree)
        child.put(rest, leaf)


class _Model(_Tree):
    config: dict[str, Any]


def _factors(kind: str, sides: str = "vo", layers: int = LAYERS, size: float = 0.05) -> Factors:
    return random_factors(kind, four_heads(kind, D), layers, R, sides, size)


def _live(kind: str, sizes: Sizes, layers: list[Layer], factors: Factors, scale: float = 1.0) -> _Model:
    """As PEFT names it: ``base_model.model.`` in front of everything."""
    model = _Model()
    model.config = config(kind, sizes, len(layers))
    for name, x in tensors(kind, sizes, layers).items():
        module = name.removesuffix(".weight")
        leaf: nn.Module = _Weight(x)
        if module in factors:
            leaf = _Lora(leaf, {"default": factors[module]}, scale)
        model.put(f"base_model.model.{module}", leaf)
    return model


@pytest.mark.parametrize("sides", ["vo", "v", "o"])
@pytest.mark.parametrize("kind", ["llama", "phi3", "gpt2", "gpt_neox", "bert"])
def test_numbers_are_those_of_the_audit(kind: str, sides: str, tmp_path: Path) -> None:
    """Norms are the audit's; the margin is below the audit's, and the dense value shows what is bounded."""
    sizes, factors = four_heads(kind, D), _factors(kind, sides)
    layers = random_layers(sizes, LAYERS)
    model = _live(kind, sizes, layers, factors, 2.0)
    found = Monitor(model).step(model, 7)
    report = audit(
        write(tmp_path / "m", kind, sizes, layers), [write_adapter(tmp_path / "a", factors, lora_alpha=2 * R)]
    )
    rows = report.of_kind("ov")
    assert found["step"] == 7
    assert found["finite"]
    assert [(h["layer"], h["head"]) for h in found["heads"]] == [(r.matrix.layer, r.matrix.head) for r in rows]
    for head, row in zip(found["heads"], rows, strict=True):
        (update,) = row.updates
        assert head["norm"] == pytest.approx(update.norm, rel=1e-6)
        assert head["norm_over_sqrt_layers"] == pytest.approx(update.norm_over_sqrt_layers, rel=1e-6)
        assert head["cone_margin"] <= update.cone_margin + 1e-9
        assert head["cone_margin"] == pytest.approx(_dense_margin(kind, layers, factors, head), rel=1e-6, abs=1e-6)
    assert found["largest_norm_over_sqrt_layers"] == max(h["norm_over_sqrt_layers"] for h in found["heads"])
    assert found["smallest_cone_margin"] == min(x["cone_margin"] for x in found["layers"])
    assert len(found["layers"]) == LAYERS


def _dense_margin(kind: str, layers: list[Layer], factors: Factors, head: dict[str, Any]) -> float:
    """``w - (||P⊥VP⊥|| + ||P⊥ΔVP⊥||) - 2√(|b||c|)`` about the better of the two leading vectors of V, all dense."""
    base, sizes = layers[head["layer"]], four_heads(kind, D)

    def update(module: str) -> Tensor:
        left, right = factors.get(module, (torch.zeros(1, 1).double(), torch.zeros(1, 1).double()))
        return 2 * left @ right

    value = update(value_module(kind, head["layer"]))
    if value.shape[0] > 1:
        value = {
            "phi3": lambda x: x[48:], "gpt2": lambda x: x[64:],
            "gpt_neox": lambda x: torch.cat([x[24 * h + 16 : 24 * h + 24] for h in range(4)]),
        }.get(kind, lambda x: x)(value)  # fmt: skip
    moved = Layer(base.value + value, base.output + update(output_module(kind, head["layer"])), base.gain)
    V, new = (head_product(kind, sizes, x, head["head"]).numpy() for x in (base, moved))

    def margin(u: np.ndarray, matrix: np.ndarray, change: np.ndarray) -> float:
        P = np.eye(D) - np.outer(u, u)
        kappa = np.linalg.norm(P @ matrix @ P, 2) + np.linalg.norm(P @ change @ P, 2)
        total = matrix + change
        b, c = np.linalg.norm(P @ total @ u), np.linalg.norm(P @ total.T @ u)
        return float(u @ total @ u - kappa - 2 * math.sqrt(b * c))

    vectors = [np.linalg.eigh((V + V.T) / 2)[1][:, -1]]
    values, right = np.linalg.eig(V)
    lead = int(np.real(values).argmax())
    if abs(np.imag(values[lead])) < 1e-9:
        vectors.append(np.real(right[:, lead]))
    best = max(vectors, key=lambda u: margin(u, V, np.zeros_like(V)))
    return margin(best, V, new - V)


def _planted(dV: Tensor) -> tuple[_Model, tuple[Sizes, list[Layer]]]:
    """``V = Q diag(2, 1, .5, ...) Qᵀ`` and ``ΔV = Q dV Qᵀ`` by the value projection."""
    levels = torch.tensor([2.0, 1.0, 0.5, 0.25, 0.1, 0.05], dtype=torch.float64)
    Q, gain = orthogonal(6, 3), torch.linspace(0.7, 1.4, 6, dtype=torch.float64)
    layers = [Layer(torch.diag(levels) @ Q.mT / gain, Q, gain)]
    left, singular, right = torch.linalg.svd(dV)
    factors = {value_module("llama", 0): (left * singular, right @ Q.mT / gain)}
    return _live("llama", Sizes(1, 1, 6, 6), layers, factors), (Sizes(1, 1, 6, 6), layers)


def test_margin_and_bound_of_a_planted_update() -> None:
    """b = 0.1, c = 0.2, E = 0.3: S >= 2 - 1 - 0.3, and t- is the smaller root of b - St + ct²."""
    dV = torch.zeros(6, 6, dtype=torch.float64)
    dV[1, 0], dV[0, 2], dV[3, 4] = 0.1, 0.2, 0.3
    model, _ = _planted(dV)
    (head,) = Monitor(model).step(model, 1)["heads"]
    assert head["cone_margin"] == pytest.approx(0.7 - 2 * math.sqrt(0.02), abs=1e-7)
    root = min(np.roots([0.2, -0.7, 0.1]).real)
    assert head["drift_bound"] == pytest.approx(math.atan(root), abs=1e-6)
    turned = np.linalg.eig(np.diag([2.0, 1, 0.5, 0.25, 0.1, 0.05]) + dV.numpy())
    vector = np.real(turned[1][:, int(np.real(turned[0]).argmax())])
    assert math.acos(abs(vector[0])) <= head["drift_bound"]  # what it bounds


@pytest.mark.parametrize("b", [0.0, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("c", [0.0, 1e-6, 0.1])
def test_bounds_stay_bounds_where_squares_cancel(b: float, c: float) -> None:
    """ΔVu along u but for b, by both projections in float32: dense margin about u and angle in double precision."""
    d = 48
    levels = torch.linspace(2, 1, d, dtype=torch.float64) - 0.5 * (torch.arange(d) > 0)
    Q = orthogonal(d, 3).float().double()
    layer = Layer((torch.diag(levels) @ Q.mT).float().double(), Q, torch.ones(d).double())
    mix = orthogonal(3, 5)  # L has rank 1 or 2 of 6, in no column alone
    value = torch.zeros(d, d, dtype=torch.float64)
    value[0, 0], value[1, 0], value[0, 2] = 0.4, b, c
    left, size, right = torch.linalg.svd(value)
    left, right = left[:, :3] * size[:3], right[:3] @ Q.mT
    out, into = torch.zeros(d, 3, dtype=torch.float64), torch.zeros(3, d, dtype=torch.float64)
    out[:, 0], into[0, 0] = 0.2 * Q[:, 0], 1
    factors = {
        value_module("llama", 0): ((left @ mix).float(), (mix.mT @ right).float()),
        output_module("llama", 0): ((out @ mix).float(), (mix.mT @ into).float()),
    }
    (head,) = Monitor(model := _live("llama", Sizes(1, 1, d, d), [layer], factors)).step(model, 1)["heads"]
    W, O = layer.value.numpy(), layer.output.numpy()  # noqa: E741
    dW, dO = (y.double().numpy() @ x.double().numpy() for y, x in factors.values())
    V, new = O @ W, (O + dO) @ (W + dW)
    u = np.linalg.eigh((V + V.T) / 2)[1][:, -1]
    P = np.eye(d) - np.outer(u, u)
    true_b, true_c = np.linalg.norm(P @ new @ u), np.linalg.norm(P @ new.T @ u)
    margin = u @ new @ u - np.linalg.norm(P @ new @ P, 2) - 2 * math.sqrt(true_b * true_c)
    values, vectors = np.linalg.eig(new)
    turned = np.real(vectors[:, int(np.real(values).argmax())])
    angle = math.asin(min(1.0, float(np.linalg.norm(P @ turned))))
    assert head["norm"] >= np.linalg.norm(new - V, 2) * (1 - 1e-14)
    assert head["norm"] == pytest.approx(np.linalg.norm(new - V, 2), rel=1e-6)
    assert head["cone_margin"] <= margin + 1e-13
    assert head["cone_margin"] == pytest.approx(margin, abs=2e-3)
    assert head["drift_bound"] >= angle * (1 - 1e-12) - 1e-15


def test_a_fresh_adapter_has_done_nothing() -> None:
    sizes, layers = four_heads("llama", D), random_layers(four_heads("llama", D), LAYERS)
    factors = {name: (0 * left, right) for name, (left, right) in _factors("llama").items()}
    model = _live("llama", sizes, layers, factors)
    found = Monitor(model).step(model, 0)
    assert max(h["norm"] for h in found["heads"]) < 1e-100


def test_it_follows_the_factors_and_changes_nothing() -> None:
    sizes, layers = four_heads("llama", D), random_layers(four_heads("llama", D), LAYERS)
    model = _live("llama", sizes, layers, _factors("llama", "v"))
    monitor, before = Monitor(model), {k: x.clone() for k, x in model.state_dict().items()}
    state = torch.get_rng_state()
    first = monitor.step(model, 1)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(x, before[k]) for k, x in model.state_dict().items())
    with torch.no_grad():
        for name, x in model.named_parameters():
            if "lora_B" in name:
                x.mul_(3)
    second = monitor.step(model, 2)
    for a, b in zip(first["heads"], second["heads"], strict=True):
        assert b["norm"] == pytest.approx(3 * a["norm"], rel=1e-9)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_live_projection_leaves_no_b(kind: str) -> None:
    sizes, layers = four_heads(kind, D), random_layers(four_heads(kind, D), LAYERS)
    factors = _factors(kind)
    model = _live(kind, sizes, layers, factors)
    monitor = Monitor(model)
    before = _b_norms(kind, layers, model)
    monitor.project(model)
    after = _b_norms(kind, layers, model)
    assert min(before) > 0.1
    assert max(after) < 1e-10
    monitor.project(model)  # what is computed once is used again
    assert max(_b_norms(kind, layers, model)) < 1e-10


def _b_norms(kind: str, layers: list[Layer], model: _Model) -> list[float]:
    found = []
    for k, base in enumerate(layers):
        changes = []
        for module in (value_module(kind, k), output_module(kind, k)):
            layer: Any = model.get_submodule(f"base_model.model.{module}")
            changes.append((layer.lora_B["default"].weight @ layer.lora_A["default"].weight).detach())
        value = changes[0][64:] if kind == "gpt2" else changes[0]
        moved = Layer(base.value + value, base.output + changes[1], base.gain)
        for head in range(4):
            V, new = (head_product(kind, four_heads(kind, D), x, head).numpy() for x in (base, moved))
            u1 = np.linalg.eigh((V + V.T) / 2)[1][:, -1]
            found.append(float(np.linalg.norm((new - V) @ u1)))
    return found


def test_factors_that_are_not_finite_are_said() -> None:
    sizes, layers = four_heads("llama", D), random_layers(four_heads("llama", D), LAYERS)
    model = _live("llama", sizes, layers, _factors("llama"))
    monitor = Monitor(model)
    with torch.no_grad():
        next(x for name, x in model.named_parameters() if "lora_A" in name)[0, 0] = math.nan
    found = monitor.step(model, 3)
    assert not found["finite"]
    assert found["heads"] == []
    json.dumps(found, allow_nan=False)
    threshold = Threshold("norm_over_sqrt_layers", 1e9, "stop")
    assert threshold.crossed(found)
    assert "not finite" in threshold.words(found)


def test_thresholds() -> None:
    found = {
        "step": 4, "finite": True, "largest_norm_over_sqrt_layers": 0.5, "smallest_cone_margin": 0.1,
        "largest_drift_bound": None,
    }  # fmt: skip
    assert Threshold("norm_over_sqrt_layers", 0.4).crossed(found)
    assert not Threshold("norm_over_sqrt_layers", 0.5).crossed(found)
    assert Threshold("cone_margin", 0.2).crossed(found)
    assert not Threshold("cone_margin", 0.0).crossed(found)
    assert not Threshold("drift_bound", 0.0).crossed(found)
    assert "smallest_cone_margin is 0.1, below 0.2" in Threshold("cone_margin", 0.2).words(found)
    with pytest.raises(InputError, match="unknown quantity 'loss'"):
        Threshold("loss", 1)
    with pytest.raises(InputError, match="unknown action 'panic'"):
        Threshold("cone_margin", 1, "panic")


def _broken(**changes: Any) -> _Model:
    sizes, layers = four_heads("llama", D), random_layers(four_heads("llama", D), LAYERS)
    model = _live("llama", sizes, layers, _factors("llama", "v"))
    for name, x in changes.items():
        for layer in model.modules():
            if isinstance(layer, _Lora):
                setattr(layer, name, x)
    return model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": {"default": True}}, "DoRA and other variants"),
        ({"lora_variant": {"default": object()}}, "DoRA and other variants"),
        ({"lora_bias": {"default": True}}, "lora_bias"),
        ({"merged": True}, "merged into the weight"),
        ({"active_adapters": []}, "one adapter is watched"),
    ],
)
def test_what_is_not_measured_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        Monitor(_broken(**changes))
    assert "\n" not in str(error.value)


def test_models_that_are_not_known_are_refused() -> None:
    with pytest.raises(InputError, match="no adapter 'other'"):
        Monitor(_broken(), "other")
    model = _broken()
    model.config = {"model_type": "mamba"}
    with pytest.raises(InputError, match="unknown model_type 'mamba'"):
        Monitor(model)
    with pytest.raises(InputError, match="has no config"):
        Monitor(nn.Linear(2, 2))
    layers = random_layers(four_heads("llama", D), 1)
    with pytest.raises(InputError, match="nothing to watch"):
        Monitor(_live("llama", four_heads("llama", D), layers, {}))
    empty = {value_module("llama", 0): (torch.zeros(0, R), torch.zeros(R, D))}
    with pytest.raises(InputError, match="sharded or empty"):
        Monitor(_live("llama", four_heads("llama", D), layers, empty))
