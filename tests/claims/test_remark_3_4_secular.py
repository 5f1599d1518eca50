"""remark-3.4/secular: the leading eigenpair from the secular equation, exactly."""

import numpy as np
import pytest
import torch
from claim_properties import holds_on, refuted_controls, sharp_constants

from proofs_checks.secular import secular_root

pytestmark = pytest.mark.claim("remark-3.4/secular")
ID = "remark-3.4/secular"


def _planted(lambda_1: float, a: float, mu: list[float], alpha: list[float]) -> dict[str, torch.Tensor]:
    def tensor(x: object) -> torch.Tensor:
        return torch.tensor([x], dtype=torch.float64)

    return {"lambda_1": tensor(lambda_1), "a": tensor(a), "mu": tensor(mu), "alpha": tensor(alpha)}


def test_holds() -> None:
    assert holds_on(ID, "spectral", examples=80) >= 0.5


def test_holds_on_converged_tokens() -> None:
    assert holds_on(ID, "converged", examples=15, n=4, d=3) >= 0.5


def test_one_percent_off_is_refuted() -> None:
    assert refuted_controls(ID, "spectral", collapse=0, update="blocks") == sharp_constants(ID)


def test_root_of_an_arrow_matrix() -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        mu, alpha, corner = rng.normal(size=4), rng.normal(size=4), rng.normal()
        arrow = np.diag([corner, *mu])
        arrow[0, 1:] = arrow[1:, 0] = alpha
        planted = _planted(corner - 0.3, 0.3, mu.tolist(), alpha.tolist())
        root = float(secular_root(planted)) + mu.max()
        assert root == pytest.approx(np.linalg.eigvalsh(arrow)[-1], rel=1e-12)


def test_no_root_where_the_perturbed_direction_is_orthogonal() -> None:
    # alpha vanishes on the largest mu = 3 > λ1 + a = 1 and the other term does not lift it: ũ1 ⊥ u1.
    assert bool(secular_root(_planted(1.0, 0.0, [3.0, 0.5], [0.0, 0.2])).isnan().all())
    # With a large enough coupling elsewhere, 1 + 9/(3 - 0.5) > 3, the root exists again.
    assert bool((secular_root(_planted(1.0, 0.0, [3.0, 0.5], [0.0, 3.0])) > 0).all())
