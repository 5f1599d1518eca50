"""What the tests of the kernel share: symbols, a context without derivations, accepting and rejecting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.kernel.check import StepResult, check_step
from theory.kernel.notation import matrix, scalar, vector
from theory.kernel.step import Context, Derivation, Rule, Step

a, b, c = (scalar(f"kt_{n}", n) for n in "abc")
p, q, r = (scalar(f"kt_{n}", n, positive=True) for n in "pqr")
n = scalar("kt_n", "n", nonnegative=True)
x, y, z, u, g, w = (vector(f"kt_v{k}", k) for k in "xyzugw")
A, B, M = (matrix(f"kt_m{k}", k) for k in "ABM")


@dataclass(frozen=True)
class Granted:
    """Any statement, taken as shown before."""

    kind: str = "granted"
    cited: str | None = None

    def check(self, says: sp.Basic, premises: Sequence[sp.Basic], context: Context) -> str:
        return "granted"


def result(rule: Rule, says: sp.Basic, premises: Sequence[sp.Basic] = (), given: Sequence[sp.Basic] = ()) -> StepResult:
    """The check of one step after its premises; ``given`` are statements of the setting that are no premises of it."""
    before = tuple(Step(f"premise {k}", premise, (), Granted(), "") for k, premise in enumerate(premises))
    setting = {f"given {k}": statement for k, statement in enumerate(given)}
    step = Step("step", says, tuple(s.id for s in before), rule, "")
    return check_step(Derivation("test", (*before, step), setting=setting), len(before), {})


def holds(rule: Rule, says: sp.Basic, *premises: sp.Basic, given: Sequence[sp.Basic] = ()) -> bool:
    """Whether the rule accepts the step."""
    found = result(rule, says, premises, given)
    return found.ok


def why_not(rule: Rule, says: sp.Basic, *premises: sp.Basic, given: Sequence[sp.Basic] = ()) -> str:
    """The reason for which the rule rejects the step; empty where it accepts it."""
    return result(rule, says, premises, given).error


def rational_matrix(seed: int, rows: int = 3, columns: int = 3) -> Any:
    """An exact matrix of small rationals, from a linear congruential generator."""
    values, state = [], seed * 7919 + 17
    for _ in range(rows * columns):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(sp.Rational(state // 65536 % 15 - 7, state // 7 % 4 + 1))
    return sp.ImmutableMatrix(rows, columns, values)
