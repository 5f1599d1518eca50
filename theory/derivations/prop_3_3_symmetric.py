"""The quoted inequality as the symmetric case of the cone theorem: its hypotheses derived from V ⪰ 0 and ΔV = ΔVᵀ."""

from __future__ import annotations

from theory import prop_3_3 as claims
from theory import symbols as s
from theory.derivations import textbook
from theory.derivations.model import SYMMETRIC_BASE, V, u1
from theory.derivations.prop_3_3_cone import SYMMETRIC_CASE
from theory.derivations.prop_3_3_model import ACROSS, FRAME, SYMMETRIC_UPDATE, E, V_new, second
from theory.derivations.prop_3_3_rayleigh import SYMMETRIC
from theory.derivations.thm_4_6_lower import b, block, c
from theory.derivations.thm_4_6_model import EIGENVALUE, EIGENVECTOR, MATRIX, POINT, RAYLEIGH_ACROSS, SECOND
from theory.kernel.notation import Dot, Norm, at_most, below, both, equal, matrix, scalar, vector, whenever
from theory.kernel.rules import Apply, Definition, Entails, Identity, Textbook
from theory.kernel.rules.apply import Theorem
from theory.kernel.rules.frames import LargestBeside
from theory.kernel.rules.hypothetical import Hypothetical, Instance
from theory.kernel.step import Derivation, Step

y, across = textbook.Y, vector("p33_y_across", r"P^\perp y")
u2 = vector("p33_u2", "u_2")
base_block = matrix("p33_block", r"P^\perp VP^\perp")

_bound = scalar("p33_form_bound", r"\rho", nonnegative=True)
_lambda_2 = next(symbol for symbol in SYMMETRIC_CASE.setting["gap"].free_symbols if str(symbol) == "p33_lambda_2")

NORM_BY_FORM = Theorem(
    "norm of a symmetric matrix by its quadratic form",
    at_most(Norm(MATRIX), _bound),
    "R. A. Horn, C. R. Johnson, Matrix Analysis, 2nd ed., Cambridge 2013, Thm. 4.2.2 (Rayleigh-Ritz) and Example "
    "5.6.6 (the spectral norm of a symmetric matrix is its largest |eigenvalue|)",
    (
        equal(MATRIX.T, MATRIX),
        whenever(
            (y,),
            (),
            both(
                at_most(-_bound * Dot(y, y), Dot(y, MATRIX * y)),
                at_most(Dot(y, MATRIX * y), _bound * Dot(y, y)),
            ),
        ),
    ),
)
"""M symmetric, with ``|<y, My>| <= rho |y|²`` for every vector y."""

_BASE = {
    "eigenpair-equation": FRAME["eigenpair-equation"],
    "eigenpair": FRAME["eigenpair"],
    "second": LargestBeside(second, V, u1),
    "second-eigenvector": both(equal(V * u2, second * u2), equal(Dot(u2, u2), 1)),
    "psd": whenever((textbook.X,), (), at_most(0, Dot(textbook.X, V * textbook.X))),
    "symmetric-base": SYMMETRIC_BASE,
}
_BLOCK = equal(base_block, ACROSS * V * ACROSS)
_FORM = both(
    at_most(-second * Dot(y, y), Dot(y, base_block * y)),
    at_most(Dot(y, base_block * y), second * Dot(y, y)),
)
FORM_ACROSS = Derivation(
    claim="lemma/form-across",
    title="the quadratic form of a psd V across u1 lies between 0 and λ2",
    states=_FORM,
    setting={**_BASE, "base-block": _BLOCK},
    remark=r"$\lambda_2$ is the largest eigenvalue of $V$ on $u_1^\perp$ and $u_2$ a unit eigenvector of it.",
    steps=(
        Step("across", equal(across, y - Dot(u1, y) * u1), (), Definition(), r"What is left of $y$ across $u_1$."),
        Step("orthogonal", equal(Dot(u1, across), 0), ("across", "eigenpair"), Identity(), r"By construction."),
        Step(
            "form",
            equal(Dot(y, base_block * y), Dot(across, V * across)),
            ("base-block", "across"),
            Identity(),
            r"$P^\perp$ on both sides.",
        ),
        Step(
            "not-negative",
            at_most(0, Dot(across, V * across)),
            ("psd",),
            Instance({textbook.X: across}),
            r"$V\succeq0$,",
        ),
        Step("at-u2", at_most(0, Dot(u2, V * u2)), ("psd",), Instance({textbook.X: u2}), r"at $u_2$ too,"),
        Step(
            "second-sign",
            at_most(0, second),
            ("at-u2", "second-eigenvector"),
            Entails(degree=1),
            r"so that $\lambda_2\ge0$.",
        ),
        Step(
            "rayleigh",
            at_most(Dot(across, V * across), second * Dot(across, across)),
            ("symmetric-base", "eigenpair-equation", "orthogonal", "second"),
            Textbook(
                RAYLEIGH_ACROSS,
                {MATRIX: V, EIGENVECTOR: u1, POINT: across, EIGENVALUE: s.lambda_1, SECOND: second},
            ),
            r"The Rayleigh quotient on $u_1^\perp$.",
        ),
        Step(
            "length",
            equal(Dot(across, across), Dot(y, y) - Dot(u1, y) ** 2),
            ("across", "eigenpair"),
            Identity(),
            r"Pythagoras.",
        ),
        Step(
            "bounds",
            _FORM,
            ("form", "not-negative", "second-sign", "rayleigh", "length"),
            Entails(degree=2, squares=(Dot(u1, y),)),
            r"Put together.",
        ),
    ),
)

FROM_SYMMETRY = Derivation(
    claim="lemma/quoted-implies-the-cone",
    title="under V ⪰ 0 and a symmetric update the quoted inequality implies the condition of the cone theorem",
    states=below(0, claims.CONE_MARGIN.expr),
    setting={
        **_BASE,
        **{key: FRAME[key] for key in ("update", "a", "E", "E-norm")},
        "symmetric-update": SYMMETRIC_UPDATE,
        "gap": equal(s.gap, s.lambda_1 - second),
        "w": equal(s.w, Dot(u1, V_new * u1)),
        "b": equal(b, V_new * u1 - s.w * u1),
        "b-norm": equal(s.b_norm, Norm(b)),
        "c": equal(c, V_new.T * u1 - s.w * u1),
        "c-norm": equal(s.c_norm, Norm(c)),
        "block": equal(block, ACROSS * V_new * ACROSS),
        "kappa": equal(s.kappa, Norm(block)),
        "separation": equal(s.cone_separation, s.w - s.kappa),
        "quoted": below(0, claims.CRITERION_MARGIN.expr),
    },
    remark=(
        r"A named result: the quoted inequality is at least as much as the cone theorem asks for where $V\succeq0$ and "
        r"$\Delta V$ is symmetric. The converse does not hold ($\kappa$ may be below $\lambda_2+\|E\|$)."
    ),
    steps=(
        Step("base-block", _BLOCK, (), Definition(), r"$V$ across $u_1$."),
        Step(
            "symmetric-block",
            equal(base_block.T, base_block),
            ("base-block", "symmetric-base"),
            Identity(),
            r"It is symmetric,",
        ),
        Step(
            "form",
            whenever((y,), (), _FORM),
            (*_BASE, "base-block"),
            Hypothetical("lemma/form-across"),
            r"with a quadratic form between $0$ and $\lambda_2$,",
        ),
        Step(
            "at-u2",
            at_most(0, Dot(u2, V * u2)),
            ("psd",),
            Instance({textbook.X: u2}),
            r"where",
        ),
        Step(
            "second-sign",
            at_most(0, second),
            ("at-u2", "second-eigenvector"),
            Entails(degree=1),
            r"$\lambda_2\ge0$.",
        ),
        Step(
            "base-norm",
            at_most(Norm(base_block), second),
            ("symmetric-block", "form", "second-sign"),
            Textbook(NORM_BY_FORM, {MATRIX: base_block, _bound: second}),
            r"So $\|P^\perp VP^\perp\|\le\lambda_2$.",
        ),
        Step(
            "split",
            equal(block, base_block + E),
            ("block", "base-block", "update", "E"),
            Identity(),
            r"$P^\perp\tilde VP^\perp=P^\perp VP^\perp+E$.",
        ),
        Step(
            "triangle",
            at_most(Norm(base_block + E), Norm(base_block) + Norm(E)),
            (),
            Textbook(textbook.TRIANGLE_MATRICES, {textbook.M: base_block, textbook.N: E}),
            r"The operator norm is a norm.",
        ),
        Step("same-norm", equal(Norm(block), Norm(base_block + E)), ("split",), Identity(), r"Of the whole block,"),
        Step(
            "kappa-bound",
            at_most(s.kappa, second + s.E_norm),
            ("kappa", "same-norm", "triangle", "base-norm", "E-norm"),
            Entails(degree=1),
            r"the norm is at most $\lambda_2+\|E\|$.",
        ),
        Step(
            "along",
            equal(s.w, s.lambda_1 + s.a),
            ("w", "update", "eigenpair-equation", "eigenpair", "a"),
            Identity(),
            r"$w=\lambda_1+a$.",
        ),
        SYMMETRIC,
        Step("both-ways", equal(c, b), ("b", "c", "symmetric"), Identity(), r"So $c=b$."),
        Step(
            "norms",
            equal(s.c_norm, s.b_norm),
            ("c-norm", "b-norm", "both-ways"),
            Identity(),
            r"With the same norm.",
        ),
        Step(
            "margin",
            below(0, claims.CONE_MARGIN.expr),
            ("norms", "along", "kappa-bound", "separation", "gap", "quoted"),
            Apply("lemma/quoted-is-the-symmetric-case", {_lambda_2: second}),
            r"The quoted inequality is now the condition $S>2\sqrt{\|b\|\|c\|}$.",
        ),
    ),
)

LEMMAS: tuple[Derivation, ...] = (FORM_ACROSS, FROM_SYMMETRY)
DERIVATIONS: tuple[Derivation, ...] = ()
