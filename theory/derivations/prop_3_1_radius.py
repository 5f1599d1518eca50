"""Lemma of Proposition 3.1 without normalisation: how far tokens go."""

from __future__ import annotations

import sympy as sp

from theory import symbols as s
from theory.derivations.prop_3_1_lemmas import A, M, bilinear_step, x
from theory.kernel.notation import Dot, Norm, at_most, both, equal, scalar, vector
from theory.kernel.rules import Comparison, Differentiate, Entails, Envelope, Identity
from theory.kernel.rules.averages import AttentionMean, Averaged, J
from theory.kernel.step import Derivation, Step

clock = scalar("p31_clock", "t", nonnegative=True)
longest, longest_z = vector("p31_longest", "x_k"), vector("p31_longest_z", r"\tilde x_k")
longest_rate, longest_z_rate = (
    vector("p31_longest_rate", r"\dot x_k"),
    vector("p31_longest_z_rate", r"\dot{\tilde x}_k"),
)
longest_mean, longest_z_mean = vector("p31_longest_mean", "m_k"), vector("p31_longest_z_mean", r"\tilde m_k")
length = scalar("p31_length", "|x_k|", positive=True)
length_z = scalar("p31_length_z", r"|\tilde x_k|", positive=True)
length_rate = scalar("p31_length_rate", r"\frac{d}{dt}|x_k|")
size = scalar("p31_size", r"\max_j|x_j|", nonnegative=True)
size_z = scalar("p31_size_z", r"\max_j|\tilde x_j|", nonnegative=True)
size_rate = scalar("p31_size_rate", r"D^+\max_j|x_j|")
first_size = scalar("p31_first_size", r"\max_j|x_j(0)|", nonnegative=True)
first_size_z = scalar("p31_first_size_z", r"\max_j|\tilde x_j(0)|", nonnegative=True)
growth = s.radius_growth

GROWTH = Derivation(
    claim="lemma/radius-growth",
    title="How far tokens go without normalisation",
    states=at_most(size, first_size * sp.exp(growth * clock)),
    setting={
        "flow": equal(longest_rate, M * longest_mean),
        "mean": AttentionMean(longest_mean, x, Dot(A * longest, x), J),
        "longest": both(at_most(Dot(x, x), length**2), equal(Dot(longest, longest), length**2)),
        "growth": at_most(Norm(M), growth),
    },
    steps=(
        bilinear_step("values", x, M, longest, r"Cauchy-Schwarz for the values."),
        Step(
            "values-bounded",
            at_most(Dot(M * x, longest), Norm(M) * length**2),
            ("values", "longest"),
            Entails(degree=4, squares=(Norm(M) * length,)),
            r"No token is longer than token $k$.",
        ),
        Step(
            "push",
            at_most(Dot(M * longest_mean, longest), Norm(M) * length**2),
            ("values-bounded", "mean"),
            Averaged(Dot(A * longest, x)),
            r"Averaged with the weights of token $k$.",
        ),
        Step(
            "length-squared",
            equal(length**2, Dot(longest, longest)),
            ("longest",),
            Identity(),
            r"The length of token $k$.",
        ),
        Step(
            "rate",
            equal(2 * length * length_rate, 2 * Dot(M * longest_mean, longest)),
            ("length-squared", "flow"),
            Differentiate({length: length_rate, longest: longest_rate}),
            r"Differentiate its square.",
        ),
        Step(
            "rate-bound",
            at_most(length_rate, growth * length),
            ("rate", "push", "growth"),
            Entails(degree=3),
            r"Divide by $2|x_k|$.",
        ),
        Step(
            "envelope",
            at_most(size_rate, growth * size),
            ("rate-bound",),
            Envelope({length: size, length_rate: size_rate}),
            r"Token $k$ is any of the longest ones.",
        ),
        Step(
            "bound",
            at_most(size, first_size * sp.exp(growth * clock)),
            ("envelope",),
            Comparison(size, size_rate, clock, first_size),
            r"$\dot y=\max(\|V\|,\|\tilde V\|)y$.",
        ),
    ),
)

LEMMAS = (GROWTH,)
