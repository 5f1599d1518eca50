"""exp-spectrum: the row of the ledger, with and without the model; the audit itself is in test_real_weights.py."""

import pytest

from proofs_checks import special
from proofs_checks.real_weights import WeightsError
from proofs_checks.store import Run, Store
from theory.claims import CLAIMS

pytestmark = pytest.mark.claim("exp-spectrum")
CLAIM = CLAIMS["exp-spectrum"]


def test_without_the_model_it_is_inconclusive_and_says_what_to_do(tmp_path, monkeypatch) -> None:
    def absent() -> None:
        raise WeightsError("the model is not installed: make models")

    monkeypatch.setattr(special, "audit_real_weights", absent)
    row = special.spectrum_row(CLAIM, Run(Store(tmp_path)))
    assert row["verdict"] == "inconclusive"
    assert row["reasons"] == ["the model is not installed: make models"]
    assert row["experiment"] is None


@pytest.mark.models
def test_on_the_real_model(tmp_path) -> None:
    row = special.spectrum_row(CLAIM, Run(Store(tmp_path)))
    assert row["verdict"] == "open"
    assert row["instances"] == 6 + 72
    assert row["experiment"] in ("confirmed", "not_confirmed", "differs")
