"""Errors that a user can mend."""

from __future__ import annotations


class InputError(Exception):
    """Malformed input, a missing file or extra: one line that says what is wrong and how to mend it; exit code 2."""
