"""Two chains with one transition law."""

from __future__ import annotations

import pytest
import sympy as sp
from kernel_tools import A, B, M, a, holds, u, why_not, x, y, z

from theory.kernel.notation import Norm, at_most, equal, vector
from theory.kernel.rules.chains import OneLaw, SameLaw

x_next, y_next = vector("kt_x_next", "x^+"), vector("kt_y_next", "y^+")
SAYS = SameLaw(x, x_next, y, y_next)
ONE, OTHER = equal(x_next, a * A * x / Norm(x)), equal(y_next, a * A * y / Norm(y))


def test_one_law() -> None:
    assert holds(OneLaw(), SAYS, ONE, OTHER)
    assert holds(OneLaw(), SAYS, ONE, OTHER, given=[equal(y, -x)])


@pytest.mark.parametrize(
    ("says", "premises"),
    [
        (SAYS, (ONE, equal(y_next, -a * A * y / Norm(y)))),
        (SAYS, (ONE, equal(y_next, 2 * a * A * y / Norm(y)))),
        (SAYS, (ONE, equal(y_next, a * B * y / Norm(y)))),
        (SAYS, (ONE, equal(y_next, a * A * y / Norm(x)))),
        (SAYS, (ONE, equal(y_next, a * A * x / Norm(x)))),
        (SAYS, (ONE, equal(y, a * A * y_next / Norm(y_next)))),
        (SAYS, (OTHER, ONE)),
        (SAYS, (ONE,)),
        (SAYS, (equal(x_next, A * x + y), equal(y_next, A * y + y))),
        (SameLaw(x, x_next, x, x_next), (ONE, ONE)),
        (SameLaw(x, x_next, z, y_next), (ONE, OTHER)),
        (equal(x_next, y_next), (ONE, OTHER)),
        (SAYS, (at_most(Norm(x_next), a), at_most(Norm(y_next), a))),
    ],
)
def test_two_laws(says: sp.Basic, premises: tuple[sp.Basic, ...]) -> None:
    assert why_not(OneLaw(), says, *premises)


@pytest.mark.parametrize("tie", [equal(a, Norm(x)), equal(A, x * u.T), equal(a, Norm(M * y_next))])
def test_the_law_does_not_hide_the_state(tie: sp.Basic) -> None:
    assert "depends on the state" in why_not(OneLaw(), SAYS, ONE, OTHER, given=[tie])
