"""Oracles of the simulations hold with the compiled kernel and without it."""

from __future__ import annotations

import pytest

from numerics.kernel import flow, layers
from numerics.kernel.library import library

BOTH = {"test_integrator", "test_flow", "test_euclidean", "test_first_passage", "test_layered"}
"""Modules whose tests are run twice."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module is not None and metafunc.module.__name__ in BOTH:
        metafunc.fixturenames.append("engine")
        metafunc.parametrize("engine", ["kernel", "torch"], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """``kernel`` (skipped where it cannot be built) or ``torch``."""
    if request.param == "torch":
        for module in (flow, layers):
            monkeypatch.setattr(module, "library", lambda: None)
    elif library() is None:
        pytest.skip("no compiled kernel here")
    return request.param
