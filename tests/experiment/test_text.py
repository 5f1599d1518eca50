"""The texts of the experiments."""

from __future__ import annotations

import pytest

from proofs_checks.errors import InputError
from proofs_checks.experiment import text


def test_only_prose_is_taken() -> None:
    sentence = (
        "This sentence is long enough to be taken as prose, since it goes on and on, and then on again, to its end."
    )
    twice = f"{sentence} {sentence}"
    parts = ['"""Title', twice, f"    >>> {twice}", "short one.", f"{twice} ::", '"""']
    assert text.prose("\n\n".join(parts)) == [twice]


def test_base_text_is_long_enough_for_the_seeds() -> None:
    assert len(text.base_text()) > 7_000
    assert ">>>" not in text.base_text()
    assert "def hyper" in text.narrow_text()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "SHA256", dict.fromkeys(text.SHA256, "0" * 64))
    with pytest.raises(InputError, match=r"mpmath==1\.3\.0"):
        text.base_text()
