"""Lemmas to Remark 3.4: the root of the secular equation above all mu_j, and where there is none."""

from __future__ import annotations

from typing import Any

from theory import remark_3_4 as claims
from theory import symbols as s
from theory.derivations.model import u1
from theory.derivations.remark_3_4_model import FRAME, b, leading, part, total, z
from theory.kernel.notation import Dot, at_most, below, equal, family, scalar, vector
from theory.kernel.rules import Entails, Identity, Termwise
from theory.kernel.rules.frames import Parseval
from theory.kernel.step import Derivation, Step

_j = s.j
_alpha: Any = s.alpha[_j]
_mu: Any = s.mu[_j]
_root = s.perturbed_lambda_1
_first = s.lambda_1 + s.a
_RESIDUAL = claims.SECULAR_RESIDUAL.expr

any_vector = vector("r34_w", "w")
along = scalar("r34_along", r"\langle u_1,w\rangle")
any_part = family("r34_any_part", "w")
image_part = family("r34_image_part", r"(\tilde Vw)")
slope = family("r34_slope", r"\gamma")
_w: Any = any_part[_j]
_image: Any = image_part[_j]
_slope: Any = slope[_j]
_y: Any = part[_j]

ARROW = {
    "symmetric": equal(total.T, total),
    "image-of-u1": equal(total * u1, _first * u1 + b),
    "b-across": equal(Dot(u1, b), 0),
    "alpha": equal(_alpha, Dot(z, b)),
    "image-of-z": equal(total * z, _alpha * u1 + _mu * z),
}
"""What V + ΔV does in the frame of u1 and the z_j (shown in remark-3.4/secular)."""
_WEIGHTED = s.over_directions(_alpha * _slope)

LARGEST = Derivation(
    claim="lemma/secular-largest",
    title="Where the secular function is not negative, it bounds all eigenvalues",
    states=at_most(Dot(any_vector, total * any_vector), _root * Dot(any_vector, any_vector)),
    setting={
        "frame": FRAME["frame"],
        **ARROW,
        "along": equal(Dot(u1, any_vector), along),
        "parts": equal(_w, Dot(z, any_vector)),
        "image-parts": equal(_image, Dot(z, total * any_vector)),
        "above": at_most(_mu, _root),
        "slope": equal(_alpha, (_root - _mu) * _slope),
        "sign": at_most(0, _root - _first - _WEIGHTED),
    },
    steps=(
        Step(
            "image-part",
            equal(_image, _alpha * along + _mu * _w),
            ("image-parts", "symmetric", "image-of-z", "along", "parts"),
            Identity(),
            r"$\tilde Vw$ along $z_j$.",
        ),
        Step(
            "image-along",
            equal(Dot(u1, total * any_vector), _first * along + Dot(b, any_vector)),
            ("symmetric", "image-of-u1", "along"),
            Identity(),
            r"And along $u_1$.",
        ),
        Step(
            "b-in-frame",
            equal(Dot(b, any_vector), Dot(u1, b) * Dot(u1, any_vector) + s.over_directions(_alpha * _w)),
            ("frame", "alpha", "parts"),
            Parseval(),
            r"Parseval's identity.",
        ),
        Step(
            "form-in-frame",
            equal(
                Dot(any_vector, total * any_vector),
                Dot(u1, any_vector) * Dot(u1, total * any_vector) + s.over_directions(_w * _image),
            ),
            ("frame", "parts", "image-parts"),
            Parseval(),
            r"The quadratic form, by the same identity.",
        ),
        Step(
            "term",
            equal(_w * _image, _alpha * along * _w + _mu * _w**2),
            ("image-part",),
            Identity(),
            r"One term.",
        ),
        Step(
            "terms",
            equal(
                s.over_directions(_w * _image),
                along * s.over_directions(_alpha * _w) + s.over_directions(_mu * _w**2),
            ),
            ("term",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "length-in-frame",
            equal(
                Dot(any_vector, any_vector),
                Dot(u1, any_vector) * Dot(u1, any_vector) + s.over_directions(_w**2),
            ),
            ("frame", "parts"),
            Parseval(),
            r"The length of $w$.",
        ),
        Step(
            "square",
            at_most(0, _root * _w**2 - _mu * _w**2 - 2 * along * _alpha * _w + along**2 * _alpha * _slope),
            ("above", "slope"),
            Entails(degree=2, squares=(_w - along * _slope,)),
            r"This is $(\tilde\lambda_1-\mu_j)(w_j-\langle u_1,w\rangle\gamma_j)^2$.",
        ),
        Step(
            "squares",
            at_most(
                0,
                _root * s.over_directions(_w**2)
                - s.over_directions(_mu * _w**2)
                - 2 * along * s.over_directions(_alpha * _w)
                + along**2 * _WEIGHTED,
            ),
            ("square",),
            Termwise(),
            r"The sum of the squares.",
        ),
        Step(
            "largest",
            at_most(Dot(any_vector, total * any_vector), _root * Dot(any_vector, any_vector)),
            (
                "form-in-frame",
                "terms",
                "length-in-frame",
                "image-along",
                "b-in-frame",
                "b-across",
                "along",
                "squares",
                "sign",
            ),
            Entails(degree=2, squares=(along,)),
            r"$\tilde\lambda_1|w|^2-\langle w,\tilde Vw\rangle$ is that sum plus"
            r" $\langle u_1,w\rangle^2(\tilde\lambda_1-\lambda_1-a-\sum_j\alpha_j\gamma_j)$.",
        ),
    ),
    remark=(
        "At the root above all mu_j, gamma_j = alpha_j/(root - mu_j): the root is the largest eigenvalue. At mu_max "
        "itself, where alpha vanishes on its eigenspace and lambda_1 + a + Σ' is at most mu_max: mu_max is the largest "
        "eigenvalue, with an eigenvector across u1, and there is no root."
    ),
)

larger = scalar("r34_larger", r"\lambda'")

UNIQUE = Derivation(
    claim="lemma/secular-unique",
    title="The secular function grows at least as fast as its argument above all mu_j",
    states=at_most(larger - _root, _RESIDUAL.xreplace({_root: larger}) - _RESIDUAL),
    setting={"above": below(_mu, _root), "larger": at_most(_root, larger)},
    steps=(
        Step(
            "above-too",
            below(_mu, larger),
            ("above", "larger"),
            Entails(degree=1),
            r"The larger argument lies above all $\mu_j$, too.",
        ),
        Step(
            "term",
            at_most(_alpha**2 / (larger - _mu), _alpha**2 / (_root - _mu)),
            ("above", "larger", "above-too"),
            Entails(degree=2, squares=(_alpha,)),
            r"Each term falls.",
        ),
        Step(
            "sum",
            at_most(s.over_directions(_alpha**2 / (larger - _mu)), s.over_directions(_alpha**2 / (_root - _mu))),
            ("term",),
            Termwise(),
            r"So does the sum.",
        ),
        Step(
            "growth",
            at_most(larger - _root, _RESIDUAL.xreplace({_root: larger}) - _RESIDUAL),
            ("sum",),
            Entails(degree=1),
            r"Two roots would contradict it.",
        ),
    ),
)

_shortfall = total * leading - _root * leading

EIGENVECTOR = Derivation(
    claim="lemma/secular-eigenvector",
    title="A root above all mu_j is an eigenvalue, with the vector of the claim",
    states=equal(Dot(_shortfall, _shortfall), 0),
    setting={
        "frame": FRAME["frame"],
        **ARROW,
        "height": equal(Dot(u1, leading), 1),
        "parts": equal(_y, Dot(z, leading)),
        "above": below(_mu, _root),
        "components": equal(Dot(z, leading), _alpha / (_root - _mu)),
        "root": equal(_RESIDUAL, 0),
    },
    steps=(
        Step(
            "part",
            equal(_y, _alpha / (_root - _mu)),
            ("parts", "components", "above"),
            Identity(),
            r"The components of the vector.",
        ),
        Step(
            "along-z",
            equal(Dot(z, _shortfall), 0),
            ("symmetric", "image-of-z", "height", "components"),
            Identity(),
            r"$\alpha_j+\mu_jy_j=\tilde\lambda_1y_j$.",
        ),
        Step(
            "b-in-frame",
            equal(Dot(b, leading), Dot(u1, b) * Dot(u1, leading) + s.over_directions(_alpha * _y)),
            ("frame", "alpha", "parts"),
            Parseval(),
            r"Parseval's identity.",
        ),
        Step(
            "product",
            equal(_alpha * _y, _alpha**2 / (_root - _mu)),
            ("part", "above"),
            Identity(),
            r"One term.",
        ),
        Step(
            "products",
            equal(s.over_directions(_alpha * _y), s.over_directions(_alpha**2 / (_root - _mu))),
            ("product",),
            Termwise(),
            r"All of them.",
        ),
        Step(
            "along-u1",
            equal(Dot(u1, total * leading), _root),
            ("symmetric", "image-of-u1", "height", "b-in-frame", "b-across", "products", "root"),
            Identity(),
            r"Along $u_1$ this is the secular equation.",
        ),
        Step(
            "in-frame",
            equal(Dot(_shortfall, _shortfall), Dot(u1, _shortfall) * Dot(u1, _shortfall)),
            ("frame", "along-z"),
            Parseval(),
            r"Parseval's identity for $\tilde Vx-\tilde\lambda_1x$, which has no component along any $z_j$.",
        ),
        Step(
            "eigenvector",
            equal(Dot(_shortfall, _shortfall), 0),
            ("in-frame", "along-u1", "height"),
            Identity(),
            r"Nor along $u_1$: it is zero.",
        ),
    ),
)

top = scalar("r34_top", r"\mu_{\max}")

EXISTS = Derivation(
    claim="lemma/secular-exists",
    title="Where alpha vanishes on the top eigenspace, a root above it needs the condition of the claim",
    states=below(top, _first + _WEIGHTED),
    setting={
        "top": at_most(_mu, top),
        "root-above": below(top, _root),
        "slope": equal(_alpha, (top - _mu) * _slope),
        "root": equal(_RESIDUAL, 0),
    },
    steps=(
        Step(
            "above",
            below(_mu, _root),
            ("top", "root-above"),
            Entails(degree=1),
            r"The root lies above all $\mu_j$.",
        ),
        Step(
            "term",
            at_most(_alpha**2 / (_root - _mu), _alpha * _slope),
            ("top", "root-above", "slope", "above"),
            Entails(degree=3, squares=(_slope,)),
            r"$\alpha_j^2/(\tilde\lambda_1-\mu_j)\le\alpha_j^2/(\mu_{\max}-\mu_j)$, and both are 0 if $\alpha_j$ is.",
        ),
        Step(
            "sum",
            at_most(s.over_directions(_alpha**2 / (_root - _mu)), _WEIGHTED),
            ("term",),
            Termwise(),
            r"All terms.",
        ),
        Step(
            "condition",
            below(top, _first + _WEIGHTED),
            ("root", "sum", "root-above"),
            Entails(degree=1),
            r"$\mu_{\max}<\tilde\lambda_1=\lambda_1+a+\sum_j\alpha_j^2/(\tilde\lambda_1-\mu_j)$.",
        ),
    ),
    remark=(
        "gamma_j = alpha_j/(mu_max - mu_j), and 0 where mu_j = mu_max: the sum is the one without the top eigenspace. "
        "The converse, from the condition to a root, is the intermediate value theorem."
    ),
)
LEMMAS: tuple[Derivation, ...] = (LARGEST, UNIQUE, EIGENVECTOR, EXISTS)
DERIVATIONS: tuple[Derivation, ...] = ()
