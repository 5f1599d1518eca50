"""The compiled kernel: its exponential, agreement with torch, independence of instances, and how it is built."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from mpmath import mp
from torch import Tensor

from numerics.adapters import AdapterLaw, Kind
from numerics.euclidean import simulate_euclidean
from numerics.field import AttentionField, normalised
from numerics.flow import simulate
from numerics.heads import MultiHeadField
from numerics.integrator import Solution, Status, integrate
from numerics.kernel import flow, layers
from numerics.kernel.library import SWITCH, library
from numerics.layered import cloud_states, collapsed_states, layered_states
from numerics.linear_map import LinearMap

ROOT = Path(__file__).parents[2]
needs_kernel = pytest.mark.skipif(library() is None, reason="no compiled kernel here")


def exponential(x: Tensor) -> Tensor:
    found, out = library(), torch.empty_like(x)
    assert found is not None
    found.functions.loraproofs_exponential(len(x), x.data_ptr(), out.data_ptr())
    return out


@needs_kernel
def test_exponential_is_within_two_units_in_the_last_place() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.cat([
        torch.rand(4_000, generator=g, dtype=torch.float64) * 1_417 - 708, torch.linspace(-1, 1, 2_001).double(),
        torch.arange(-1_021, 1_023).double() * 0.6931471805599453, torch.tensor([-708.0, 709.0, -0.0, 1e-300]).double(),
    ])  # fmt: skip
    found = exponential(x)
    with mp.workdps(40):
        for value, result in zip(x.tolist(), found.tolist(), strict=True):
            exact = mp.exp(mp.mpf(value))
            unit = mp.mpf(2) ** (mp.floor(mp.log(exact, 2)) - 52)
            assert abs(mp.mpf(result) - exact) < 2 * unit, value


@needs_kernel
def test_exponential_beyond_its_range() -> None:
    found = exponential(torch.tensor([710.0, torch.inf, torch.nan, -800.0, -torch.inf], dtype=torch.float64))
    assert found[:2].isinf().all()
    assert found[2].isnan()
    assert ((found[3:] >= 0) & (found[3:] < 1e-300)).all()


def both(run: Callable[[], Solution], monkeypatch: pytest.MonkeyPatch) -> tuple[Solution, Solution]:
    """By the kernel and by torch."""
    compiled = run()
    with monkeypatch.context() as m:
        m.setattr(flow, "library", lambda: None)
        return compiled, run()


def cloud(batch: int, n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens, A, V and two times an instance."""
    g = torch.Generator().manual_seed(seed)
    tokens = normalised(torch.randn(batch, n, d, generator=g, dtype=torch.float64))
    attention, value = torch.randn(2, batch, d, d, generator=g, dtype=torch.float64) / d**0.5
    end = 1 + 2 * torch.rand(batch, 1, generator=g, dtype=torch.float64)
    return tokens, attention, value, end * torch.tensor([0.3, 1.0], dtype=torch.float64)


SIZES = [(9, 1, 2), (9, 2, 3), (7, 3, 16), (5, 4, 4), (5, 16, 5), (3, 33, 8), (2, 100, 7), (2, 70, 64)]


@needs_kernel
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("batch", "n", "d"), SIZES)
def test_agrees_with_torch(batch: int, n: int, d: int, causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, attention, value, times = cloud(batch, n, d)
    a, b = both(lambda: simulate(tokens, attention, value, times, dense=n < 50, causal=causal), monkeypatch)
    assert a.converged.all()
    assert (a.states - b.states).abs().max() < 1e-12
    assert ((a.error - b.error).abs() <= 1e-2 * b.error).all()
    for name in ("status", "steps", "rejected", "evaluations"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name
    if a.dense is not None and b.dense is not None:
        at = torch.linspace(-0.1, 1.1, 13, dtype=torch.float64) * times[:, 1:]
        x, y = a.dense.at(at), b.dense.at(at)
        assert torch.equal(x.isnan(), y.isnan())
        assert (x - y).nan_to_num().abs().max() < 1e-12


@needs_kernel
def test_agrees_with_torch_without_a_sphere_with_heads_and_with_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, attention, value, times = cloud(6, 7, 5)
    g = torch.Generator().manual_seed(1)
    thin = LinearMap(value, *(torch.randn(6, *s, generator=g, dtype=torch.float64) for s in ((5, 1), (1, 5))))
    shared = LinearMap.shared(attention[0], 6)
    heads = MultiHeadField((AttentionField(LinearMap(attention), thin), AttentionField(shared, LinearMap(value.mT))))
    runs: list[Callable[[], Solution]] = [
        lambda: simulate_euclidean(1.3 * tokens, attention, value, times / 4),
        lambda: simulate(tokens, shared, thin, times),
        lambda: integrate(heads, tokens, times, project=normalised),
        lambda: integrate(heads, tokens, times),
    ]
    for run in runs:
        a, b = both(run, monkeypatch)
        assert a.converged.all()
        assert torch.equal(a.steps, b.steps)
        assert (a.states - b.states).abs().max() < 1e-12


@needs_kernel
def test_failures_have_the_same_status(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, attention, value, times = cloud(4, 3, 3)
    hard = value * torch.tensor([1.0, 1e7, 1.0, 1e7], dtype=torch.float64)[:, None, None]
    a, b = both(lambda: simulate(tokens, attention, hard, times, max_steps=50), monkeypatch)
    assert a.status.tolist() == b.status.tolist() == [Status.CONVERGED, Status.MAX_STEPS] * 2
    assert torch.equal(a.states.isnan(), b.states.isnan())
    assert torch.equal(a.steps + a.rejected, b.steps + b.rejected)

    def blown_up() -> Solution:
        return integrate(AttentionField(LinearMap(attention), LinearMap(1e308 * value)), tokens, times)

    a, b = both(blown_up, monkeypatch)
    assert a.status.tolist() == b.status.tolist()
    assert Status.CONVERGED not in a.status.tolist()


@needs_kernel
def test_large_logits_need_the_shift_of_the_visible_tokens_alone() -> None:
    """A causal token 0 sees itself alone, however large the logits of the others: without V it would not move."""
    tokens, _, value, times = cloud(3, 5, 3)
    attention = 3_000 * torch.einsum("bi,bj->bij", tokens[:, 4], tokens[:, 0])
    found = simulate(tokens, attention, value, times / 1e3, causal=True, max_steps=2_000)
    alone = simulate(tokens[:, :1], attention, value, times / 1e3)
    assert (found.states[:, 0, :1] - alone.states[:, 0]).abs().max() < 1e-9


@needs_kernel
def test_an_instance_feels_neither_the_others_nor_the_threads() -> None:
    tokens, attention, value, times = cloud(11, 6, 4)
    together = simulate(tokens, attention, value, times, dense=True)
    alone = simulate(tokens[7:8], attention[7:8], value[7:8], times[7:8])
    assert torch.equal(alone.states[0], together.states[7])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        threads = simulate(tokens, attention, value, times, dense=True)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(threads.states, together.states)
    assert threads.dense is not None
    assert together.dense is not None
    assert torch.equal(threads.dense.coefficients, together.dense.coefficients)


@needs_kernel
def test_many_instances_are_done_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, attention, value, times = cloud(10, 3, 3)
    whole = simulate(tokens, attention, value, times, dense=True)
    monkeypatch.setattr(flow, "_AT_ONCE", 4)
    parts = simulate(tokens, attention, value, times, dense=True)
    assert torch.equal(parts.states, whole.states)
    assert parts.dense is not None
    assert whole.dense is not None
    assert torch.equal(parts.dense.coefficients, whole.dense.coefficients)


@needs_kernel
@pytest.mark.parametrize("kind", ["random", "tied", "ar1"])
@pytest.mark.parametrize(("n", "d", "rank"), [(1, 3, 1), (3, 2, 2), (6, 9, 3), (40, 5, 1)])
def test_layers_agree_with_torch(n: int, d: int, rank: int, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, attention, value, _ = cloud(7, n, d)
    scales = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    mean = 0.1 * torch.eye(d, dtype=torch.float64)
    law = AdapterLaw(kind, (1.0,) * rank, 2.0, 0.5 if kind == "ar1" else 0.0, mean=mean)

    def adapters(batch: int = 7):
        return law.layers(batch, d, torch.Generator().manual_seed(1))

    def runs() -> list[Tensor]:
        more = {"h": 0.1, "depth": 3}
        found = [
            layered_states(tokens, attention, value, adapters=adapters(), causal=True, **more),
            layered_states(tokens, 500 * attention, [value] * 3, adapters=adapters(), **more),
            layered_states(tokens, attention[0], value[0], **more),
            layered_states(tokens, attention[0].diagonal(), value[0], adapters=adapters(), **more),
            collapsed_states(tokens, value[0], torch.linspace(0, 2, n).double(), adapters=adapters(), **more),
            cloud_states(tokens, attention[0], value[0], scales, adapters=adapters(), **more),
        ]
        return [torch.stack(list(states)) for states in found]

    compiled = runs()
    with monkeypatch.context() as m:
        m.setattr(layers, "library", lambda: None)
        plain = runs()
    for a, b in zip(compiled, plain, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() < 1e-11  # logits of 500 amplify rounding
    assert not torch.equal(compiled[0], compiled[2])


@needs_kernel
def test_sizes_are_checked() -> None:
    tokens, attention, value, times = cloud(4, 3, 3)
    heads = flow.Heads((attention[:, :2],), (value,), False, False, True)
    rest = {"rtol": 1e-8, "atol": 1e-8, "max_steps": 9, "project": True, "dense": False}
    with pytest.raises(ValueError, match="matrices must be"):
        flow.integrate(heads, tokens, times, **rest)
    with pytest.raises(ValueError, match="states, times"):
        flow.integrate(flow.Heads((attention,), (value,), False, False, True), tokens, times[:3], **rest)
    one = torch.ones(1, 3, dtype=torch.float64)
    wrong = [
        (attention[:2], value, None),
        (attention, value[:, :2], None),
        (attention, value, layers.Update(None, None, None, one[:, :2])),
        (attention, value, layers.Update(None, None, None, one.expand(3, 3))),
        (attention, value, layers.Update(value[:, :, :1], value[:, :2], None, one)),
        (attention, value, layers.Update(None, None, value[:2], one)),
    ]
    for a, v, update in wrong:
        with pytest.raises(ValueError, match="fit"):
            layers.layer(tokens, a, v, update, shift=True, causal=False)


def test_what_the_kernel_cannot_read_is_left_to_torch() -> None:
    tokens, attention, value, times = cloud(2, 3, 3)
    heads = flow.Heads((attention,), (value,), False, False, True)
    assert flow.applies(heads, tokens, times) == (library() is not None)
    assert not flow.applies(heads, tokens.float(), times)
    assert not flow.applies(heads, tokens.clone().requires_grad_(), times)
    assert not flow.applies(heads, tokens.to("meta"), times)
    assert not flow.applies(heads, tokens.expand(2, 3, 3).repeat(1, 400, 1), times)
    found = simulate(tokens.float(), attention.float(), value.float(), times.float())
    assert (found.states - simulate(tokens, attention, value, times).states).abs().max() < 1e-3


# --- building ---------------------------------------------------------------------------------------

COMPILER = """#!/bin/sh
# What the real compiler has built, written in two halves.
[ "$1" = --version ] && echo "slow copy 1.0" && exit
for last; do :; done
head -c 1000 "$BUILT" > "$last" && sleep 0.3 && cat "$BUILT" > "$last"
"""
PROGRAM = "from numerics.kernel.library import library; found = library(); print(found and found.identity)"


def started(tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if k not in (SWITCH, "CXX")}
    settings = clean | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)} | environment
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@needs_kernel
def test_two_processes_build_at_once_and_a_torn_file_is_built_again(tmp_path: Path) -> None:
    script, found = tmp_path / "slow-copy", library()
    script.write_text(COMPILER)
    script.chmod(0o755)
    assert found is not None
    compiler = {"CXX": str(script), "BUILT": found.functions._name}
    outputs = [p.communicate(timeout=100) for p in [started(tmp_path, **compiler), started(tmp_path, **compiler)]]
    assert outputs[0] == outputs[1]
    assert outputs[0][1] == ""
    assert outputs[0][0].strip() not in ("None", found.identity)  # another compiler, another name
    (built,) = (tmp_path / "cache" / "loraproofs").iterdir()
    built.write_bytes(b"torn")
    assert started(tmp_path, **compiler).communicate(timeout=100) == outputs[0]
    assert built.read_bytes() == Path(found.functions._name).read_bytes()


@pytest.mark.parametrize(
    ("name", "value", "notice"),
    [
        ("CXX", "no-such-compiler", "no C++ compiler no-such-compiler is found"),
        ("CXX", "false", "--version fails"),
        ("PATH", "/nowhere", "no C++ compiler is found"),
        ("XDG_CACHE_HOME", "/dev/null", "/dev/null"),
        (SWITCH, "off", ""),
    ],
)
def test_without_a_kernel_torch_does_the_work(
    name: str, value: str, notice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "XDG_CACHE_HOME" and library() is None:
        pytest.skip("no compiled kernel here")
    monkeypatch.setenv(name, value)
    again = cache(library.__wrapped__)
    for module in (flow, layers):
        monkeypatch.setattr(module, "library", again)
    tokens, attention, new, times = cloud(2, 3, 3)
    for _ in range(2):
        assert simulate(tokens, attention, new, times).converged.all()
    assert again() is None
    err = capsys.readouterr().err
    assert len(err.splitlines()) == (1 if notice else 0)
    assert notice in err
