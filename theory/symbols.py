"""The symbols of the theorems: one sympy symbol, one name in code, one LaTeX form each.

Scalars are sympy symbols; quantities with one entry per direction of ``u1⊥`` (``alpha``, ``mu``, ...) are
:class:`sympy.IndexedBase` objects, used under ``Sum(..., (j, 2, d))``.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

LATEX: dict[str, str] = {}
"""Name in code → LaTeX form, for every symbol made below."""
SYMBOL_ASSUMPTIONS: dict[str, dict[str, bool]] = {}
"""Name in code → sympy assumptions of the scalar, so that it can be made again from its name."""


def _scalar(name: str, latex: str, **assumptions: bool) -> sp.Symbol:
    LATEX[name] = latex
    SYMBOL_ASSUMPTIONS[name] = {"real": True, **assumptions}
    return sp.Symbol(name, **SYMBOL_ASSUMPTIONS[name])


def _vector(name: str, latex: str) -> Any:
    LATEX[name] = latex
    return sp.IndexedBase(sp.Symbol(name, real=True))


# Sizes and times
j = sp.Symbol("j", integer=True)
d = sp.Symbol("d", integer=True, positive=True)
LATEX |= {"j": "j", "d": "d"}
t = _scalar("t", "t", nonnegative=True)

# The spectrum of V and the blocks of ΔV in the frame of u1
gap = _scalar("gap", r"\mathrm{gap}")
dominant_gap = _scalar("dominant_gap", r"\mathrm{gap}^*")
perturbed_dominant_gap = _scalar("perturbed_dominant_gap", r"\widetilde{\mathrm{gap}}^*")
dominant_gap_sum = _scalar("dominant_gap_sum", r"\sum_h\mathrm{gap}^*_h")
lambda_1 = _scalar("lambda_1", r"\lambda_1")
a = _scalar("a", "a")
b_norm = _scalar("b_norm", r"\|b\|", nonnegative=True)
c_norm = _scalar("c_norm", r"\|c\|", nonnegative=True)
E_norm = _scalar("E_norm", r"\|E\|", nonnegative=True)

gaps = _vector("gaps", "g")
perturbed_mu_max = _scalar("perturbed_mu_max", r"\lambda_{\max}(P^\perp\tilde VP^\perp)")
order = _scalar("order", "k", nonnegative=True)
radius_share = _scalar("radius_share", "q", nonnegative=True)

# The cone about u
w = _scalar("w", "w")
kappa = _scalar("kappa", r"\kappa", nonnegative=True)
cone_separation = _scalar("cone_separation", "S")
cone_rate = _scalar("cone_rate", r"\omega")
cone_inner = _scalar("cone_inner", "t_-")
cone_outer_inverse = _scalar("cone_outer_inverse", "q_+")
theta_bound = _scalar("theta_bound", r"\theta_b")
tan_max_angle_0 = _scalar("tan_max_angle_0", r"\vartheta_0", nonnegative=True)
tan_max_angle = _scalar("tan_max_angle", r"\vartheta", nonnegative=True)

# Remark 3.4: components of b in the eigenvectors of P⊥ṼP⊥ on u1⊥, and its eigenvalues λ_j + e_j
alpha = _vector("alpha", r"\alpha")
mu = _vector("mu", r"\mu")
perturbed_lambda_1 = _scalar("perturbed_lambda_1", r"\tilde\lambda_1")
alpha_abs = _scalar("alpha_abs", r"|\alpha|", nonnegative=True)
e = _scalar("e", "e")

# Proposition 3.1: operator norms, rates and radii
V_norm = _scalar("V_norm", r"\|V\|", nonnegative=True)
A_norm = _scalar("A_norm", r"\|A\|", nonnegative=True)
perturbed_V_norm = _scalar("perturbed_V_norm", r"\|\tilde V\|", nonnegative=True)
perturbed_A_norm = _scalar("perturbed_A_norm", r"\|\tilde A\|", nonnegative=True)
dV_norm = _scalar("dV_norm", r"\|\Delta V\|", nonnegative=True)
dA_norm = _scalar("dA_norm", r"\|\Delta A\|", nonnegative=True)
K = _scalar("K", "K^*", nonnegative=True)
K_one_flow = _scalar("K_one_flow", "K", nonnegative=True)
K_2 = _scalar("K_2", "K_2", nonnegative=True)
delta = _scalar("delta", r"\delta^*", nonnegative=True)
initial_angle = _scalar("initial_angle", r"\theta(0)", nonnegative=True)
radius_0 = _scalar("radius_0", "R_0", positive=True)
radius_growth = _scalar("radius_growth", r"\max(\|V\|,\|\tilde V\|)", nonnegative=True)
earlier_time = _scalar("earlier_time", "s", nonnegative=True)

# Theorem 4.2: the layered model and random adapters
h = _scalar("h", "h", positive=True)
L = _scalar("L", "L", positive=True)
T = _scalar("T", "T", nonnegative=True)
eta = _scalar("eta", r"\eta", nonnegative=True)
s_norm = _scalar("s_norm", r"\|s\|", nonnegative=True)
m_norm = _scalar("m_norm", "|m_i|", nonnegative=True)
noise_scale = _scalar("noise_scale", r"\tau", nonnegative=True)
sigma = _scalar("sigma", r"\sigma", nonnegative=True)
lambda_2 = _scalar("lambda_2", r"\lambda_2")
lambda_j = _scalar("lambda_j", r"\lambda_j")
K_2_layered = _scalar("K_2_layered", "K_2'", nonnegative=True)
layer_ratio = _scalar("layer_ratio", r"\rho_j", positive=True)
layer_noise = _scalar("layer_noise", r"v_1", nonnegative=True)
critical_norm_1 = _scalar("critical_norm_1", r"\eta_c(1)", positive=True)
exponent = _scalar("exponent", r"\gamma")
mean_overlap = _scalar("mean_overlap", r"\mathbb E\langle x,\tilde x\rangle")
correlation = _scalar("correlation", r"\rho", positive=True)

# Theorem 4.6: deviation from u and arrival at ũ1
other_eigenvalues = _vector("other_eigenvalues", r"\lambda")
radial_pull = _scalar("radial_pull", "z")
slowness_integral = _scalar(
    "slowness_integral", r"\int_{\vartheta_0}^{r}\frac{d\vartheta}{G(\vartheta)}", nonnegative=True
)
overlap = _scalar("overlap", r"\varepsilon", positive=True)
overlap_low = _scalar("overlap_low", "p_-", positive=True)
overlap_high = _scalar("overlap_high", "p_+", positive=True)
overlap_2 = _scalar("overlap_2", "|c_2|", positive=True)
perturbed_gap = _scalar("perturbed_gap", r"(\tilde\lambda_1-\tilde\lambda_2)", positive=True)
scaled_time = _scalar("scaled_time", "s")
target_angle = _scalar("target_angle", r"\rho", positive=True)
angle_0 = _scalar("angle_0", r"\theta_0", positive=True)
weakening = _scalar("weakening", r"\varepsilon", positive=True)
deviation = _scalar("deviation", "r", nonnegative=True)


def over_directions(term: sp.Expr) -> Any:
    """The sum of ``term`` over the d - 1 directions of ``u1⊥`` (j = 2, ..., d)."""
    return sp.Sum(term, (j, 2, d))
