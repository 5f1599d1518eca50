"""A certificate of a counterexample that a search found: made, checked by the second program, and judged.

Both run in a process of their own, which is ended when its time is over. A certificate states claims as they stand: it
has no statement of a form made stronger or replaced, of a model without an assumption, or of random adapters.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from proofs_checks.derivations import missing_checkers
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance

SECONDS = 60.0
"""For the certificate and its check together."""
AS_STATED = "as stated"


@dataclass(frozen=True)
class Certified:
    """What came of it.

    ``document``: the certificate, or None. ``verdict``: its word for the claim. ``checked``: whether the second program
    found every verdict again. ``note``: one line that says why there is none, or what it shows.
    """

    document: dict[str, Any] | None = None
    verdict: str | None = None
    checked: bool = False
    note: str = ""

    @property
    def shows(self) -> bool:
        """Whether the claim is disproved on the instance, and the second program agrees."""
        return self.verdict == "proved_false" and self.checked


def certified(claim: str, form: str, instance: Instance, seconds: float = SECONDS) -> Certified:
    """A certificate of the claim on the instance, within so many seconds; none where no statement can be made."""
    if form != AS_STATED:
        return Certified(note=f"a certificate states the claim as it stands; it has no statement of the form {form!r}")
    missing = missing_checkers()
    if missing:
        return Certified(note=f"certificates need {' and '.join(missing)}: pip install 'loraproofs[certify]'")
    from proofs_checks.certify.certificate import QUESTIONS  # ball arithmetic is an extra

    if claim not in QUESTIONS:
        return Certified(note=f"no statement of a certificate is about {claim}")
    found = _within(seconds, claim, instance)
    if isinstance(found, str):
        return Certified(note=found)
    document, rejected = found
    return judged(claim, document, rejected)


def judged(claim: str, document: dict[str, Any], rejected: str) -> Certified:
    """The certificate with its verdict on the claim; ``rejected``: why the second program refuses it, or empty."""
    verdict = next((row["verdict"] for row in document["claims"] if row["claim"] == claim), None)
    if verdict is None:
        return Certified(
            note=f"it says nothing of the claim here: {document['not_applicable'].get(claim, 'not asked')}"
        )
    if rejected:
        return Certified(document, verdict, False, f"rejected by the second program: {rejected}")
    if verdict != "proved_false":
        reason = next((row["reason"] for row in document["claims"] if row["claim"] == claim), "")
        return Certified(document, verdict, True, f"does not show the violation{': ' + reason if reason else ''}")
    return Certified(document, verdict, True, "disproved on this instance, found again by the second program")


def _within(seconds: float, claim: str, instance: Instance) -> tuple[dict[str, Any], str] | str:
    """The certificate and why it is rejected (or empty); or why there is none."""
    context = multiprocessing.get_context("spawn")  # threads of torch do not survive a fork
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_certify_and_check, args=(theirs, claim, instance), daemon=True)
    process.start()
    theirs.close()
    try:
        return mine.recv() if mine.poll(seconds) else f"not certified in {seconds:g} s"
    except EOFError:
        return "the program that certifies has stopped"
    finally:
        process.terminate()
        process.join()
        mine.close()


def _certify_and_check(answers: Connection, claim: str, instance: Instance) -> None:
    from proofs_checks.certify.certificate import certify
    from proofs_checks.certify.checker import Rejected, check

    try:
        document = certify(instance, [claim]).document()
    except (InputError, ArithmeticError, ValueError) as error:
        answers.send(f"not certified: {error}")
        return
    try:
        check(document)
    except Rejected as error:
        answers.send((document, str(error)))
        return
    answers.send((document, ""))
