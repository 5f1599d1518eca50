"""Settings of the whole test suite."""

from __future__ import annotations

import pytest
import torch

# Many tiny batches: threads cost more than they give, and pytest runs one worker per core.
torch.set_num_threads(1)

LONGEST = (
    "tests/test_verify.py",
    "tests/theory/test_step_mutants.py",
    "tests/theory/test_derivations.py",
)
"""Files that take longest, in this order: started last, one of them would leave all workers but one idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first (with ``--no-loadscope-reorder``: xdist would start those with the most tests)."""
    rank = {name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.location[0].replace("\\", "/"), len(rank)))
