"""Tests of the tests: break something on purpose, and a named test must fail.

The table in the documentation is made from this list (``make figures``) and compared here.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import Phase, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT.parent / "docs" / "generated" / "tables" / "mutants.md"
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Mutant:
    """What is broken, how, and the test (file under tests/, function) that must notice."""

    broken: str
    apply: Callable[[Patch], None]
    file: str
    test: str
    arguments: tuple[Any, ...] = ()


def _flat_strategy(patch: Patch) -> None:
    from proofs_checks import strategies

    def first(domain: Any) -> st.SearchStrategy[Any]:
        values = getattr(domain, "values", None)
        return st.just(values[0] if values else domain.low / domain.steps)

    patch.setattr(strategies, "_field", first)


def _identity_rotations(patch: Patch) -> None:
    from proofs_checks import planting

    patch.setattr(planting, "orthogonal", lambda rng, size, d, random: torch.eye(d).expand(size, d, d).double().numpy())


def _wrong_sign(patch: Patch) -> None:
    from numerics.field import AttentionField
    from numerics.kernel import flow

    right = AttentionField.__call__
    patch.setattr(AttentionField, "__call__", lambda self, t, x: -right(self, t, x))
    patch.setattr(flow, "library", lambda: None)  # the compiled kernel does not call the field


def _wrong_kernel(patch: Patch) -> None:
    from numerics.kernel import flow

    if flow.library() is None:
        _wrong_sign(patch)
        return
    right = flow.integrate

    def wrong(heads: flow.Heads, *arguments: Any, **more: Any) -> flow.Found:
        return right(dataclasses.replace(heads, value=tuple(-x for x in heads.value)), *arguments, **more)

    patch.setattr(flow, "integrate", wrong)


def _transposed_attention(patch: Patch) -> None:
    from numerics.linear_map import LinearMap

    patch.setattr(LinearMap, "apply", lambda self, x: x @ self.to_dense())


def _no_projection(patch: Patch) -> None:
    from numerics.field import AttentionField

    def raw(self: AttentionField, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        weights = torch.softmax(torch.bmm(self.attention.apply(x), x.mT), dim=-1)
        return self.value.apply(torch.bmm(weights, x))

    patch.setattr(AttentionField, "__call__", raw)


def _formula(claim_id: str, change: Callable[[Any], Any]) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        from theory.claims import CLAIMS

        claim = CLAIMS[claim_id]
        first = dataclasses.replace(claim.formulas[0], expr=change(claim.formulas[0].expr))
        patch.setitem(CLAIMS, claim_id, dataclasses.replace(claim, formulas=(first, *claim.formulas[1:])))

    return apply


def _idle_control(patch: Patch) -> None:
    from theory.formula import Tightening

    patch.setattr(Tightening, "apply", lambda self, _amount: self.formula)


def _identity_coupling(patch: Patch) -> None:
    from numerics import transport

    patch.setattr(transport, "exact_w2_batch", transport.identity_coupling)


def _wrong_tableau(patch: Patch) -> None:
    from numerics import dop853

    rows = list(dop853.STAGE_WEIGHTS)
    solution = rows[dop853.STAGES]
    rows[dop853.STAGES] = {**solution, 0: solution[0] * (1 + 1e-9)}
    patch.setattr(dop853, "STAGE_WEIGHTS", tuple(rows))


def _loose_tolerance(patch: Patch) -> None:
    from proofs_checks.checks import comparison

    patch.setattr(comparison, "TOLERANCE_FACTOR", 1e12)


def _never_confirms(patch: Patch) -> None:
    from proofs_checks.checks import confirmation

    original = confirmation.Confirmation

    def blind(*args: Any) -> Any:
        return dataclasses.replace(original(*args), violated=False)

    patch.setattr(confirmation, "Confirmation", blind)


def _base_for_perturbed(patch: Patch) -> None:
    from proofs_checks import measurement

    def same(tokens: Any, A: Any, V: Any, _pA: Any, _pV: Any, times: Any, **options: Any) -> Any:
        from numerics.flow import simulate

        solution = simulate(tokens, A, V, times, **options)
        return solution, solution

    patch.setattr(measurement, "simulate_pair", same)


def _controls_ignored(patch: Patch) -> None:
    from proofs_checks import verdicts

    original = verdicts.shortcomings
    patch.setattr(verdicts, "shortcomings", lambda c, e: [r for r in original(c, e) if not r.startswith("control")])


CLAIMS_DIR = "claims"
MUTANTS = (
    Mutant("a strategy that always draws the same instance", _flat_strategy, "test_strategies.py",
           "test_strategy_is_not_flat"),
    Mutant("a sampler whose frames are always the identity", _identity_rotations, "meta/test_mutants.py",
           "frames_are_not_all_the_identity"),
    Mutant("the field with a wrong sign", _wrong_sign, "claims/test_prop_3_3_convergence.py",
           "test_rate_is_attained_by_one_token_in_the_plane_of_u1_and_u2"),
    Mutant("the compiled kernel with a wrong sign (the field, without a compiler)", _wrong_kernel,
           "claims/test_prop_3_3_convergence.py", "test_rate_is_attained_by_one_token_in_the_plane_of_u1_and_u2"),
    Mutant("V and A transposed in the field", _transposed_attention, "numerics/test_field.py",
           "test_field_is_its_definition", (None,)),
    Mutant("the field without its projection", _no_projection, "numerics/test_field.py",
           "test_velocity_keeps_the_length_also_off_the_sphere"),
    Mutant("the drift bound without its factor 2", _formula("prop-3.3/drift", lambda e: e / 2),
           "claims/test_prop_3_3_drift.py", "test_holds_on_eigenvectors"),
    Mutant("a negative control that changes nothing", _idle_control,
           "claims/test_prop_3_3_drift.py", "test_one_percent_smaller_is_refuted"),
    Mutant("tan² of the secular equation 0.01 % off", _formula("remark-3.4/secular", lambda e: e * 1.0001),
           "claims/test_remark_3_4_secular.py", "test_holds"),
    Mutant("the rate of convergence 1 % too fast",
           _formula("prop-3.3/convergence", lambda e: e.subs(_symbol("t"), _symbol("t") * 1.01)),
           "claims/test_prop_3_3_convergence.py", "test_holds_with_symmetric_updates"),
    Mutant("W2 replaced by the identity coupling", _identity_coupling, "numerics/test_transport.py",
           "test_w2_is_strictly_below_the_identity_coupling_where_labels_are_swapped"),
    Mutant("a weight of the tableau off in its ninth digit", _wrong_tableau, "numerics/test_dop853.py",
           "test_solution_has_order_8_and_not_9"),
    Mutant("a comparison that tolerates anything", _loose_tolerance, "test_verdicts.py",
           "test_candidates_exceed_ten_errors"),
    Mutant("a confirmation that never sees a violation", _never_confirms,
           "claims/test_remark_3_4_drift_quoted.py", "test_shipped_counterexample"),
    Mutant("the base flow measured in place of the perturbed one", _base_for_perturbed,
           "claims/test_prop_3_3_drift.py", "test_tokens_and_eigenvectors_tell_the_same_drift"),
    Mutant("a verdict that ignores negative controls", _controls_ignored, "test_verdicts.py",
           "test_each_shortcoming_is_inconclusive", ({"controls": {"x": False}}, "control not refuted: x")),
)  # fmt: skip


def _symbol(name: str) -> Any:
    from theory import symbols

    return getattr(symbols, name)


def frames_are_not_all_the_identity() -> None:
    """Dense instances of the batched sampler are rotated."""
    from proofs_checks.sampler import draw
    from proofs_checks.spec import FAMILIES

    V = draw(FAMILIES["criterion"], 32, 2, 3, seed=0).V
    diagonal = torch.diag_embed(torch.diagonal(V, dim1=1, dim2=2))
    assert float(((V - diagonal).flatten(1).norm(dim=1) > 1e-3).double().mean()) > 0.5


def load(file: str) -> ModuleType:
    """A fresh copy of a test module, its own helper modules found beside it."""
    path = ROOT / file
    sys.path.insert(0, str(path.parent))
    for name in ("claim_properties", "fake_cuda"):
        sys.modules.pop(name, None)
    try:
        spec = importlib.util.spec_from_file_location(f"mutated_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(path.parent))


def run(mutant: Mutant) -> None:
    """Run the test that the mutant names."""
    if mutant.file == "meta/test_mutants.py":
        frames_are_not_all_the_identity()
    else:
        getattr(load(mutant.file), mutant.test)(*mutant.arguments)


@pytest.fixture
def first_failure() -> Iterator[None]:
    """Hypothesis stops at the first failure: nobody reads the smallest one of a mutant."""
    before = settings.get_current_profile_name()
    settings.register_profile("first failure", settings(phases=[Phase.explicit, Phase.generate]))
    settings.load_profile("first failure")
    yield
    settings.load_profile(before)


@pytest.mark.usefixtures("first_failure")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.broken)
def test_mutant_is_caught(mutant: Mutant) -> None:
    run(mutant)  # unbroken, the test passes
    with pytest.MonkeyPatch.context() as patch:
        mutant.apply(patch)
        with pytest.raises(Exception) as caught:  # noqa: PT011
            run(mutant)
    assert not isinstance(caught.value, (AttributeError, TypeError, ImportError, NameError)), (
        f"the mutant crashed instead of being caught: {caught.value!r}"
    )


def markdown() -> str:
    """The table of the documentation."""
    rows = [f"| {m.broken} | `tests/{m.file}` | `{m.test}` |" for m in MUTANTS]
    return "\n".join(["| broken on purpose | caught in | by |", "| --- | --- | --- |", *rows]) + "\n"


def test_documentation_lists_the_mutants() -> None:
    assert TABLE.read_text(encoding="utf-8") == markdown(), "run `make figures` to write the table again"


def test_no_mutant_is_listed_twice() -> None:
    assert len({m.broken for m in MUTANTS}) == len(MUTANTS)


if __name__ == "__main__":
    TABLE.write_text(markdown(), encoding="utf-8")
