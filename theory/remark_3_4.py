"""Remark 3.4, drift per eigenvalue: formulas and claims.

V and ΔV symmetric. ``mu_j = λ_j + e_j`` are the eigenvalues of ``P⊥(V+ΔV)P⊥`` on ``u1⊥``, ``alpha_j`` the
components of ``b`` in **its** eigenvectors.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory import symbols as s
from theory.claim import Claim
from theory.formula import Formula, Tightening, WrongForm

QUOTED = "||X - X~||^2 ~= sum_j (alpha_j / (lambda_1 - lambda_j - e_j))^2."

_alpha: Any = s.alpha[s.j]
_mu: Any = s.mu[s.j]

SECULAR_RESIDUAL = Formula(
    name="secular_residual",
    expr=s.perturbed_lambda_1 - s.lambda_1 - s.a - s.over_directions(_alpha**2 / (s.perturbed_lambda_1 - _mu)),
    lhs=r"f(\tilde\lambda_1)",
    source="Schur complement of V + ΔV in the frame of u1",
    domain="increasing in λ̃1 above max mu_j; its root there is the leading eigenvalue",
)
TAN_SQUARED_SECULAR = Formula(
    name="tan_squared",
    expr=s.over_directions((_alpha / (s.perturbed_lambda_1 - _mu)) ** 2),
    lhs=r"\tan^2\angle(u_1,\tilde u_1)",
    source="ũ1 ∝ u1 + Σ_j alpha_j/(λ̃1 - mu_j) z_j",
    domain="λ̃1 > max mu_j",
)
DRIFT_CORRECTED = Formula(
    name="remark34_corrected",
    expr=s.over_directions((_alpha / (s.lambda_1 + s.a - _mu)) ** 2),
    lhs=r"D_a",
    source="λ̃1 >= λ1 + a in the secular eigenvector",
    domain="λ1 + a > mu_j for all j",
)
DRIFT_QUOTED = Formula(
    name="remark34_quoted",
    expr=s.over_directions((_alpha / (s.lambda_1 - _mu)) ** 2),
    lhs=r"D_{\mathrm{quoted}}",
    source="Remark 3.4 as quoted: the corrected form without a",
    domain="λ1 ≠ mu_j for all j",
)
TWO_LEVEL_ANGLE = Formula(
    name="two_level_angle",
    expr=sp.atan2(2 * s.alpha_abs, s.gap + s.a - s.e) / 2,
    lhs=r"\tfrac12\operatorname{arctan2}(2|\alpha|,\mathrm{gap}+a-e)",
    source="leading eigenvector of [[λ1 + a, α], [α, λ2 + e]]",
    domain="α ≠ 0 or gap + a ≠ e",
)

RADIUS_SHARE = Formula(
    name="radius_share",
    expr=2 * s.dV_norm / s.gap,
    lhs="q",
    source="the series converges at least for ||ΔV|| < gap/2",
    domain="gap > 0",
)
EXPANSION_ERROR = Formula(
    name="expansion_error",
    expr=s.gap / 2 * s.radius_share ** (s.order + 1) / (1 - s.radius_share),
    lhs=r"|\tilde\lambda_1-\textstyle\sum_{i\le k}\varepsilon^i\lambda^{(i)}|_{\max}",
    source="Cauchy's estimate on the disc ||ΔV|| < gap/2, where λ̃1 stays within gap/2 of λ1",
    domain="q < 1; not sharp",
    where=(RADIUS_SHARE,),
)
MEAN_DRIFT = Formula(
    name="mean_drift",
    expr=s.eta**2 * s.s_norm**2 / s.d**2 * s.over_directions(1 / s.gaps[s.j] ** 2),
    lhs=r"\mathbb{E}\sum_j(b_j/g_j)^2",
    source="E b_j² = η²||s||²/d² for b = P⊥ΔVu1 and Gaussian factors",
    domain="all g_j = λ1 - λ_j > 0",
)

_SYMMETRIC = ("symmetric-base", "symmetric-update")

CLAIMS = (
    Claim(
        id="remark-3.4/secular",
        title="leading eigenpair from the secular equation, exact",
        quoted="",
        statement=(
            r"$\tilde\lambda_1=\lambda_1+a+\sum_j\alpha_j^2/(\tilde\lambda_1-\lambda_j-e_j)$, the unique root above"
            r" $\mu_{\max}$; $\tan^2\angle(u_1,\tilde u_1)=\sum_j(\alpha_j/(\tilde\lambda_1-\lambda_j-e_j))^2$."
            r" It exists iff $\alpha\ne0$ on the $\mu_{\max}$ eigenspace or"
            r" $\lambda_1+a+\sum'_j\alpha_j^2/(\mu_{\max}-\lambda_j-e_j)>\mu_{\max}$; otherwise $\tilde u_1\perp u_1$."
        ),
        assumptions=_SYMMETRIC,
        formulas=(TAN_SQUARED_SECULAR, SECULAR_RESIDUAL),
        expected="holds",
        tightenings=(Tightening("tan²", TAN_SQUARED_SECULAR, -1),),
        required=10_000,
        note="An equality: the ratio measured / predicted is 1 to the accuracy of the measurement.",
    ),
    Claim(
        id="remark-3.4/expansion",
        title="perturbation series of the leading eigenpair",
        quoted="",
        statement=(
            r"$\Delta V=\varepsilon B$, $q=2|\varepsilon|\|B\|/\mathrm{gap}<1$: the error of $\tilde\lambda_1$ after"
            r" order $k$ is at most $(\mathrm{gap}/2)\,q^{k+1}/(1-q)$."
        ),
        assumptions=("symmetric-base", "symmetric-update", "spectral-gap"),
        formulas=(EXPANSION_ERROR, RADIUS_SHARE),
        expected="holds",
        tightenings=(
            WrongForm(
                "exponent k + 2 in place of k + 1",
                EXPANSION_ERROR,
                s.gap / 2 * s.radius_share ** (s.order + 2) / (1 - s.radius_share),
            ),
        ),
        required=2_000,
        note="Not sharp: the constant may be 1 % smaller, the exponent may not be larger.",
    ),
    Claim(
        id="remark-3.4/drift",
        title="drift per eigenvalue, with a: an upper bound",
        quoted=QUOTED,
        statement=(
            r"$\lambda_1+a>\lambda_j+e_j$ for all $j$:"
            r" $\|u_1-\tilde u_1\|^2\le\angle^2\le\tan^2\angle(u_1,\tilde u_1)\le"
            r" D_a=\sum_j\big(\alpha_j/(\lambda_1+a-\lambda_j-e_j)\big)^2$, relative error $O(\varepsilon^2)$."
        ),
        assumptions=_SYMMETRIC,
        formulas=(DRIFT_CORRECTED,),
        expected="holds",
        proof_depends=("remark-3.4/secular",),
        tightenings=(Tightening("bound D_a", DRIFT_CORRECTED, -1),),
        required=10_000,
        note="λ̃1 >= λ1 + a since the sum in the secular equation is positive.",
    ),
    Claim(
        id="remark-3.4/drift-quoted",
        title="drift per eigenvalue as quoted, without a",
        quoted=QUOTED,
        statement=(
            r"$\lambda_1>\lambda_j+e_j$ and $\lambda_1+a>\lambda_j+e_j$ for all $j$:"
            r" $\tan^2\angle(u_1,\tilde u_1)\le\sum_j\big(\alpha_j/(\lambda_1-\lambda_j-e_j)\big)^2$."
        ),
        assumptions=_SYMMETRIC,
        formulas=(DRIFT_QUOTED,),
        expected="refuted",
        statement_depends=("remark-3.4/drift",),
        required=1,
        note=(
            "Under-estimates tan² iff a + Σ α_j²/(λ1 - mu_j) < 0. No constant repairs it: with a -> -(gap - e) the "
            "ratio grows without bound. As an estimate its relative error is O(ε) (-2a/gap), not O(ε²)."
        ),
    ),
    Claim(
        id="remark-3.4/collapse",
        title="at gap collapse the true angle is that of the two-level system",
        quoted=QUOTED,
        statement=(
            r"$d=2$: $\angle(u_1,\tilde u_1)=\tfrac12\operatorname{arctan2}(2|\alpha|,\mathrm{gap}+a-e)$ exactly,"
            r" which stays bounded as $\mathrm{gap}\to e$, where the quoted form diverges."
        ),
        assumptions=_SYMMETRIC,
        formulas=(TWO_LEVEL_ANGLE, DRIFT_QUOTED),
        expected="holds",
        statement_depends=("remark-3.4/drift-quoted",),
        tightenings=(Tightening("two-level angle", TWO_LEVEL_ANGLE, -1),),
        required=60,
        note="Checked at gaps 1e-2 ... 1e-300 in a precision that follows the gap, confirmed at a second one.",
    ),
    Claim(
        id="remark-3.4/rank",
        title="random adapters: rank enters the mean drift only through ||s||²",
        quoted="",
        statement=(
            r"$\Delta V=\eta\sum_{k\le r}s_ku_kv_k^\top$, $u,v\sim N(0,I_d/d)$: the mean of the leading term is"
            r" $\sum_j\eta^2\|s\|^2/(d^2g_j^2)$, $g_j=\lambda_1-\lambda_j$."
        ),
        assumptions=("symmetric-base", "spectral-gap", "gaussian-adapters"),
        formulas=(MEAN_DRIFT,),
        expected="holds",
        tightenings=(Tightening("mean (5 %)", MEAN_DRIFT, -1),),
        required=4,
        note="A statistical claim: means over random adapters of rank 1, 2 and 4 at equal ||s||.",
        statement_depends=("remark-3.4/drift",),
    ),
    Claim(
        id="remark-3.4/subspace",
        title=(
            "removing the small-gap block buys more than the same rank elsewhere (false if read for each single update)"
        ),
        quoted="",
        statement=(
            r"At fixed $\|E\|$, projecting $\Delta V$ off the directions with the smallest $\lambda_1-\lambda_j$ lowers"
            r" the drift more than projecting off the same number of other directions."
        ),
        assumptions=_SYMMETRIC,
        formulas=(),
        expected="open",
        statement_depends=("remark-3.4/drift",),
    ),
)
