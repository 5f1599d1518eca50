"""A pytest plugin for projects that test claims: the marker ``claim(id)``, the strategies, and the comparison.

Loaded by pytest through its entry point; imports nothing heavy before a test uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

Relation = Literal["<=", ">=", "=="]
_LOADED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--claims FILE``: a Python file with a list CLAIMS."""
    group = parser.getgroup("loraproofs")
    group.addoption("--claims", metavar="FILE", default=None, help="a Python file whose list CLAIMS joins the ledger")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "claim(id): a test of the claim with this id (loraproofs)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a marker that names no claim, with the nearest ids."""
    marked = [(item, mark) for item in items for mark in item.iter_markers("claim")]
    if not marked:
        return
    claims = _ledger(config)
    for item, mark in marked:
        name = mark.args[0] if mark.args else None
        if name not in claims:
            from difflib import get_close_matches

            near = " or ".join(get_close_matches(str(name), claims, n=2))
            hint = f"; did you mean {near}?" if near else ""
            raise pytest.UsageError(f"{item.nodeid} is marked claim({name!r}), which is no claim{hint}")


def _ledger(config: pytest.Config) -> dict[str, Any]:
    from proofs_checks import others
    from proofs_checks.errors import InputError
    from theory.claims import CLAIMS

    if config.stash.get(_LOADED, False):
        return CLAIMS
    config.stash[_LOADED] = True
    try:
        others.add(others.installed())
        file: str | None = config.getoption("--claims")
        if file:
            others.add(others.from_file(Path(file)))
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    return CLAIMS


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> Any:
    """The claim (:class:`theory.claim.Claim`) that the test is marked with."""
    mark = request.node.get_closest_marker("claim")
    if mark is None:
        raise pytest.UsageError(f"{request.node.nodeid} asks for its claim and has no marker claim(id)")
    return _ledger(request.config)[mark.args[0]]


@pytest.fixture
def compare() -> Callable[..., None]:
    """``compare(observed, bound, error, relation="<=")``: fails where the contract calls it a violation.

    That is: beyond the bound by more than ten times the error of what was measured.
    """

    def check(observed: float, bound: float, error: float, relation: Relation = "<=") -> None:
        from proofs_checks.checks.comparison import TOLERANCE_FACTOR

        excess = {"<=": observed - bound, ">=": bound - observed, "==": abs(observed - bound)}[relation]
        if not excess <= TOLERANCE_FACTOR * error:  # also for NaN
            pytest.fail(f"observed {observed:.12g} {relation} {bound:.12g} fails by {excess:.3g} (error {error:.2g})")

    return check


@pytest.fixture(scope="session")
def instances() -> Any:
    """The hypothesis strategies (:mod:`proofs_checks.strategies`)."""
    from proofs_checks import strategies

    return strategies
