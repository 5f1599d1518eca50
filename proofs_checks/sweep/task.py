"""What is sent to a worker. Light: a scheduler that looks at it imports nothing else of the project."""

from __future__ import annotations

import pickle
from typing import Any


def packed(item: Any, code: str) -> bytes:
    """An item and the fingerprint of who asks."""
    return pickle.dumps((item, code))


def work(task: bytes) -> bytes:
    """The Parquet file of a packed item; see :func:`proofs_checks.sweep.items.compute`."""
    from proofs_checks.sweep.items import compute

    item, code = pickle.loads(task)
    return compute(item, code)
