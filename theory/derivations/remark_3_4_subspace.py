"""Remark 3.4: what removing a direction buys, for one update and in the mean."""

from __future__ import annotations

import sympy as sp

from theory.derivations.model import V, u1
from theory.derivations.remark_3_4_levels import column, square
from theory.derivations.remark_3_4_model import leading, update
from theory.kernel.notation import Dot, at_most, both, equal, matrix, scalar, vector
from theory.kernel.rules import Entails, Evaluate
from theory.kernel.rules.accumulate import Together
from theory.kernel.step import Derivation, Step

kept_small, kept_other = matrix("r34_kept_small", "P_{\\text{small}}"), matrix("r34_kept_other", "P_{\\text{other}}")
complement = matrix("r34_complement", r"P^\perp")
nothing = matrix("r34_nothing", "0")
small, large = vector("r34_small", "u_2"), vector("r34_large", "u_3")
last = vector("r34_last", r"\tilde u_3")
_third = sp.Rational(1, 3)
_drop_small = kept_small * update * kept_small
_drop_other = kept_other * update * kept_other

SUBSPACE_STATEMENT = both(
    equal(V.T, V),
    equal(update.T, update),
    equal(V * u1, u1),
    equal(V * small, sp.Rational(9, 10) * small),
    equal(V * large, nothing * large),
    equal(complement * update * complement, nothing),
    equal((V + update) * leading, sp.Rational(4, 3) * leading),
    equal(V * leading + _drop_small * leading, sp.Rational(4, 3) * leading),
    equal(V * last + _drop_small * last, -_third * last),
    equal(V * small + _drop_small * small, sp.Rational(9, 10) * small),
    equal(V * u1 + _drop_other * u1, u1),
    equal(_drop_other, nothing),
    equal((Dot(leading, leading) - Dot(u1, leading) ** 2) / Dot(u1, leading) ** 2, sp.Rational(1, 4)),
)
_EXAMPLE: dict[str, sp.Basic] = {
    "V": equal(V, sp.ImmutableMatrix.diag(1, sp.Rational(9, 10), 0)),
    "dV": equal(update, sp.Rational(2, 3) * square([0, 0, 1], [0, 0, 0], [1, 0, 0])),
    "u1": equal(u1, column(1, 0, 0)),
    "u2": equal(small, column(0, 1, 0)),
    "u3": equal(large, column(0, 0, 1)),
    "nothing": equal(nothing, sp.ImmutableMatrix.zeros(3)),
    "without-u1": equal(complement, sp.ImmutableMatrix.diag(0, 1, 1)),
    "without-u2": equal(kept_small, sp.ImmutableMatrix.diag(1, 0, 1)),
    "without-u3": equal(kept_other, sp.ImmutableMatrix.diag(1, 1, 0)),
    "leading": equal(leading, column(2, 0, 1)),
    "last": equal(last, column(1, 0, -2)),
}
_PIECES = SUBSPACE_STATEMENT.args

SUBSPACE = Derivation(
    claim="remark-3.4/subspace",
    states=SUBSPACE_STATEMENT,
    setting=_EXAMPLE,
    meets={"symmetric-base": "base", "symmetric-update": "update"},
    steps=(
        Step("base", _PIECES[0], ("V",), Evaluate(), r"$V=\operatorname{diag}(1,0.9,0)$ is symmetric."),
        Step("update", _PIECES[1], ("dV",), Evaluate(), r"So is $\Delta V$, which couples $u_1$ to $u_3$ alone."),
        Step(
            "eigenvectors",
            both(*_PIECES[2:5]),
            ("V", "nothing", "u1", "u2", "u3"),
            Evaluate(),
            r"$u_2$ is the direction of the small gap $0.1$; that of $u_3$ is 1.",
        ),
        Step("block", _PIECES[5], ("dV", "nothing", "without-u1"), Evaluate(), r"$E=0$."),
        Step("perturbed", _PIECES[6], ("V", "dV", "leading"), Evaluate(), r"$\tilde u_1\propto(2,0,1)$."),
        Step(
            "without-small",
            both(*_PIECES[7:10]),
            ("V", "dV", "u2", "without-u2", "leading", "last"),
            Evaluate(),
            r"With $\Delta V$ projected off $u_2$ the eigenvalues are $4/3>0.9>-1/3$: $\tilde u_1$ is the same.",
        ),
        Step(
            "without-other",
            both(*_PIECES[10:12]),
            ("V", "dV", "nothing", "u1", "without-u3"),
            Evaluate(),
            r"Projected off $u_3$ nothing is left of $\Delta V$: no drift.",
        ),
        Step(
            "drift",
            _PIECES[12],
            ("u1", "leading"),
            Evaluate(),
            r"The drift that removing $u_2$ leaves: $\tan^2=1/4$, all that there was.",
        ),
        Step(
            "summary",
            SUBSPACE_STATEMENT,
            ("base", "update", "eigenvectors", "block", "perturbed", "without-small", "without-other", "drift"),
            Together(),
            r"Removing the direction of the small gap buys nothing here, removing the other one everything.",
        ),
    ),
    remark=(
        "False if read for each single update: the steps show one for which it fails. What holds is a statement of the "
        "mean: "
        "for random adapters removing a direction lowers the leading term by η²||s||²/(d²g_j²), more where g_j is "
        "small (remark-3.4/rank, lemma subspace-mean). For the mean of the exact drift it is open."
    ),
)

_small_gap, _other_gap = scalar("r34_small_gap", "g", positive=True), scalar("r34_other_gap", "g'", positive=True)
_share = scalar("r34_share", "c", nonnegative=True)
_before = scalar("r34_before", "D")

SUBSPACE_MEAN = Derivation(
    claim="lemma/subspace-mean",
    title="In the mean of the leading term, removing a direction of smaller gap buys at least as much",
    states=at_most(_before - _share / _small_gap**2, _before - _share / _other_gap**2),
    setting={"smaller": at_most(_small_gap, _other_gap)},
    steps=(
        Step(
            "squares",
            at_most(_small_gap**2, _other_gap**2),
            ("smaller",),
            Entails(degree=2),
            r"Both are positive.",
        ),
        Step(
            "removed",
            at_most(_before - _share / _small_gap**2, _before - _share / _other_gap**2),
            ("squares",),
            Entails(degree=2),
            r"$c=\eta^2\|s\|^2/d^2$ and $D=\sum_jc/g_j^2$, by remark-3.4/rank.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (SUBSPACE_MEAN,)
DERIVATIONS: tuple[Derivation, ...] = (SUBSPACE,)
