"""Soundness mutants: each lemma of the enclosures broken on purpose, and a test aimed at that lemma at low order.

``python tests/enclosure/test_soundness.py`` writes the table of the docs. A mutant is one change of the source of one
module; the module so changed must fail the check that the module as it is passes.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import lemma_checks_algebra as algebra
import lemma_checks_flow as flow
import pytest

TABLE = Path(__file__).resolve().parents[2] / "docs" / "generated" / "tables" / "soundness_mutants.md"


@dataclass(frozen=True)
class Mutant:
    """One change of the source of a module, and the check of the lemma that it breaks."""

    name: str
    module: str
    old: str
    new: str
    check: Callable[[Any], None]


_B, _N, _S = "numerics.enclosure.balls", "numerics.enclosure.norms", "numerics.enclosure.spectrum"
_G, _L, _F = "numerics.enclosure.segments", "numerics.enclosure.limits", "numerics.enclosure.field"
_R, _P, _D = "numerics.enclosure.radicals", "numerics.enclosure.plane", "numerics.enclosure.decision"
_FR = "numerics.enclosure.frame"
MUTANTS = (
    Mutant("NaN let through", _B, "if not value.is_finite():", "if False:", algebra.nan_has_no_sign),
    Mutant("a ball about zero read as zero", _B, "return 0 if value.is_zero() else None", "return 0",
           algebra.a_ball_about_zero_has_no_sign),
    Mutant("a ball read by its centre", _B, "    if value > 0:", "    if value.mid() > 0:",
           algebra.a_ball_about_zero_has_no_sign),
    Mutant("the ends of a ball are its centre", _B, "return _dyadic(value.lower()), _dyadic(value.upper())",
           "return _dyadic(value.mid()), _dyadic(value.mid())", algebra.the_ends_of_a_ball_are_outside_it),
    Mutant("undecided read as true", _D,
           'raise TypeError(f"{self.value!r} has no truth value: compare it with a Decision")', "return True",
           algebra.no_word_is_true),
    Mutant("undecided ignored among others", _D,
           "(Decision.PROVED_FALSE, Decision.DEGENERATE, Decision.UNDECIDED)",
           "(Decision.PROVED_FALSE, Decision.DEGENERATE)", algebra.one_undecided_spoils_all),
    Mutant("a pivot need not be certified", _N, "        if not pivot > 0:", "        if pivot < 0:",
           algebra.cholesky_stops_at_a_pivot_that_may_vanish),
    Mutant("Cholesky without its corrections", _N, "pivot = matrix[k, k] - sum(", "pivot = matrix[k, k] + 0 * sum(",
           algebra.cholesky_stops_at_a_pivot_that_may_vanish),
    Mutant("the upper bound is the Rayleigh quotient", _N,
           "return quotient.lower().union(_upper(symmetric, quotient.mid()))", "return quotient.mid()",
           algebra.the_largest_eigenvalue_is_within),
    Mutant("the upper bound without factorisation", _N, "if positive_definite(shifted):", "if True:",
           algebra.an_upper_bound_is_one_from_any_start),
    Mutant("a norm of the symmetric part", _N, "largest_eigenvalue(matrix.transpose() * matrix)",
           "largest_eigenvalue(matrix * matrix)", algebra.norms_are_of_the_whole_matrix),
    Mutant("float sorting", _S, "return sign(one.ball.real - other.ball.real) == 1",
           "return bool(one.ball.real.mid() > other.ball.real.mid())",
           algebra.overlapping_balls_are_not_sorted_by_their_centres),
    Mutant("exact multiplicity not looked for", _S, "if all(power == 1 for _, power in factors):", "if True:",
           algebra.a_double_eigenvalue_is_seen),
    Mutant("multiplicity lost", _S, "return Eigenvalue(root, bool(root.imag.is_zero()), power, factor)",
           "return Eigenvalue(root, bool(root.imag.is_zero()), 1, factor)", algebra.a_double_eigenvalue_is_seen),
    Mutant("a complex pair read as real", _S, "if not leading.real:", "if False:", algebra.a_complex_pair_is_seen),
    Mutant("only real parts of the others", _S, "rest = [abs(e.ball) for e in self.eigenvalues[1:]]",
           "rest = [e.ball.real for e in self.eigenvalues[1:]]", algebra.all_other_moduli_count),
    Mutant("the eigenvector of the transpose", _S, "rows = [[arb(matrix[i, k])", "rows = [[arb(matrix[k, i])",
           algebra.the_eigenvector_is_within),
    Mutant("different roots in one class", _R, "if ratio is not None:",
           "if True:\n            ratio = ratio or Fraction(1)",
           algebra.roots_of_one_class_cancel_and_others_do_not),
    Mutant("the inverse without its conjugate", _R, "p: -s / square", "p: s / square", algebra.the_inverse_is_one),
    Mutant("c taken for b", _FR, "return norm(self._across(self.matrix.transpose()))",
           "return norm(self._across(self.matrix))", algebra.blocks_of_a_known_matrix),
    Mutant("u not sunk below the block", _FR, "self.block[i, k] - depth * self.vector[i]",
           "self.block[i, k] - 0 * depth * self.vector[i]", algebra.blocks_of_a_known_matrix),
    Mutant("resolvent of the wrong sign", _FR, "(value if i == k else 0) - self.block[i, k]",
           "(value if i == k else 0) + self.block[i, k]", algebra.the_resolvent_of_a_known_matrix),
    Mutant("no projection on the sphere", _F, "result.append([p - radial * c", "result.append([p - 0 * radial * c",
           flow.the_field_of_one_token_is_the_projected_linear_one),
    Mutant("attention of the transpose", _F, "(_inner(query, key) - own).exp() if k != i",
           "(_inner(looking[k], tokens[i]) - own).exp() if k != i", flow.weights_are_those_of_the_softmax),
    Mutant("other tokens left out of the logarithmic norm", _F, "total = total + operator_norm(tangent * moved)",
           "total = total", flow.other_tokens_count_in_the_logarithmic_norm),
    Mutant("the radial part left out of the logarithmic norm", _F, "(radial if k == c else 0)", "(0 if k == c else 0)",
           flow.the_logarithmic_norm_is_above_difference_quotients),
    Mutant("radius halved", _G, "return State(state.time + step, moved.centre, midpoint(radius))",
           "return State(state.time + step, moved.centre, midpoint(radius) / 2)", flow.the_true_end_is_within),
    Mutant("no growth of the error", _G, "later = (error * growth + defect", "later = (error + defect",
           flow.the_error_grows_as_the_field_expands),
    Mutant("the tube not checked", _G, "if not (error * worst + defect * tau * worst) < tube:", "if False:",
           flow.the_tube_is_left_where_the_field_expands_too_fast),
    Mutant("defect dropped", _G, "return (_largest(bounds) + tail).upper()", "return tail.upper()",
           flow.the_defect_of_a_wrong_polynomial_is_found),
    Mutant("defect at the centre of the step alone", _G, "power = power * tau\n        bounds",
           "power = power * 0\n        bounds", flow.the_defect_of_a_wrong_polynomial_is_found),
    Mutant("tail dropped", _G, "    return (largest * power / (1 - arb(1) / ratio)).upper()", "    return arb(0)",
           flow.the_tail_is_cauchys),
    Mutant("one power too many in the tail", _G, "for _ in range(order + 1):\n        power = power / ratio",
           "for _ in range(order + 2):\n        power = power / ratio", flow.the_tail_is_cauchys),
    Mutant("half of the arcs left out", _G, "for k in range(ARCS // 2 + 1):", "for k in range(2):",
           flow.the_circle_is_covered),
    Mutant("disc-pole check dropped", _G, "if not all(acb(total).real > 0 for total in totals):", "if False:",
           flow.a_pole_in_the_disc_is_found),
    Mutant("an infinite bound let through", _G, "if not size.is_finite():", "if False:",
           flow.an_unbounded_field_is_found),
    Mutant("the box at the middle of the step alone", _G, "p(middle + span) + around", "p(middle) + around",
           flow.the_box_holds_the_whole_segment),
    Mutant("the tube left out of the box", _G, "p(middle + span) + around", "p(middle + span)",
           flow.the_box_holds_the_whole_segment),
    Mutant("the width of the start left out", _G,
           "return State(Fraction(0), centre, midpoint(_largest(away).upper()))",
           "return State(Fraction(0), centre, Fraction(0))", flow.the_start_holds_its_tokens),
    Mutant("short series padded by zeros", _G, "    if series.prec < length:", "    if False:",
           flow.series_are_read_as_far_as_they_go),
    Mutant("half space by the right eigenvector", _L, "sign(dot(self.left, x))", "sign(dot(self.right, x))",
           flow.one_token_beyond_the_hyperplane_is_no_half_space),
    Mutant("an untold side taken for the others'", _L, "if len(sides) != len(found):", "if not sides:",
           flow.a_token_on_the_hyperplane_is_not_told),
    Mutant("a split for any matrix", _L, "return sides if aim.symmetric and", "return sides if",
           flow.only_symmetric_matrices_split),
    Mutant("a split without the pull of the others", _L, "        if not gain > loss:", "        if not gain > 0:",
           flow.two_clusters_need_attention_to_their_own),
    Mutant("the size of a cluster left out", _L, "mass = arb(mine) / (mine + (len(sides) - mine) * cross)",
           "mass = 1 / (1 + cross)", flow.a_small_cluster_has_less_weight),
    Mutant("tokens taken to be at the poles", _L, "+ 4 * operator_norm(attention) * apart", "",
           flow.tokens_off_the_poles_weaken_a_split),
    Mutant("a target that is not dominant", _L, "or not spectrum.leading > spectrum.largest_other_modulus", "",
           flow.a_target_must_be_dominant),
    Mutant("the mean and the gap confused", _P, "drawn = -self.mean * (own - other).sin() - self.half_gap",
           "drawn = -self.half_gap * (own - other).sin() - self.mean",
           flow.the_angles_of_two_tokens_move_as_the_tokens_do),
    Mutant("weights kept fixed in the Jacobian", _P, "spread = weight * rows[i][i] / totals[i]", "spread = 0 * weight",
           flow.the_logarithmic_norm_of_angles_is_that_of_difference_quotients),
    Mutant("the coupling left out of the Jacobian", _P, "rate = rate + abs(coupling)", "rate = rate",
           flow.the_logarithmic_norm_of_angles_is_that_of_difference_quotients),
    Mutant("every tie counts as satisfied", "proofs_checks.certify.ladder",
           "decision = Decision.PROVED_FALSE if statement.strict else Decision.PROVED_TRUE",
           "decision = Decision.PROVED_TRUE", flow.a_margin_that_may_be_zero_is_undecided),
)  # fmt: skip


def source(module: str) -> str:
    return Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8")


def changed(mutant: Mutant) -> ModuleType:
    """The module with the change, under a name of its own."""
    text = source(mutant.module)
    assert text.count(mutant.old) == 1, f"{mutant.old!r} occurs {text.count(mutant.old)} times in {mutant.module}"
    name = f"{mutant.module}_changed"
    module = ModuleType(name)
    module.__file__ = str(importlib.import_module(mutant.module).__file__)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        exec(compile(text.replace(mutant.old, mutant.new), name, "exec"), module.__dict__)
    finally:
        del sys.modules[name]
    return module


def killed(mutant: Mutant) -> bool:
    """Whether the check fails on the changed module, by an assertion of its own."""
    try:
        mutant.check(changed(mutant))
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_aimed_check_kills_it(mutant: Mutant) -> None:
    mutant.check(importlib.import_module(mutant.module))
    assert killed(mutant)


def test_the_list_has_what_it_must() -> None:
    assert len(MUTANTS) >= 40
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert {m.module.rsplit(".", 1)[1] for m in MUTANTS} == {
        "balls", "decision", "norms", "spectrum", "radicals", "frame", "field", "segments", "limits", "plane", "ladder",
    }  # fmt: skip


def test_a_pair_that_is_too_close_has_no_order() -> None:
    """Of all checks the one without a mutant: the isolation of the roots refuses before any order is asked."""
    algebra.a_pair_that_is_too_close_has_no_order(importlib.import_module(_S))


def test_no_other_check_is_without_a_mutant() -> None:
    checks = {
        check
        for module in (algebra, flow)
        for name, check in vars(module).items()
        if inspect.isfunction(check) and check.__module__ == module.__name__ and not name.startswith("_")
    }
    assert checks - {m.check for m in MUTANTS} == {algebra.a_pair_that_is_too_close_has_no_order}


def markdown() -> str:
    lines = ["| what is changed | module | check that fails | |", "| --- | --- | --- | --- |"]
    for mutant in MUTANTS:
        fate = "killed" if killed(mutant) else "**survived**"
        check = mutant.check.__name__.replace("_", " ")
        lines.append(f"| {mutant.name} | `{mutant.module.rsplit('.', 1)[1]}` | {check} | {fate} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_the_docs_is_this() -> None:
    assert TABLE.read_text(encoding="utf-8") == markdown(), "run `python tests/enclosure/test_soundness.py`"


if __name__ == "__main__":
    TABLE.write_text(markdown(), encoding="utf-8")
