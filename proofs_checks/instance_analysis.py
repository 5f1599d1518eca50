"""The answer of ``instance``: is (V, ΔV) in the safe zone, by which theorem, and what is measured.

``safe`` needs a theorem; ``diverges`` needs the limits of both token flows, from an exact criterion or from a simulated
state that has entered the cone of an eigenvector; neither is ever concluded from a tie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mpmath import mp

from numerics import double_precision
from numerics.high_precision import Settled, settle
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Instance
from proofs_checks.instance_limits import token_limits
from proofs_checks.instance_measure import GUARDS, MARGINS, Decisions, Level, Values, decide, decide_float64, measure

MP_DIMENSION = 24
"""Above this dimension float64 is used unless digits are asked for."""
FLOAT64_DIGITS = 12
DEFAULT_DIGITS = 15

KEYS = (
    "gap",
    "a",
    "b_norm",
    "c_norm",
    "E_norm",
    "criterion_margin",
    "cone_margin",
    "theta_bound",
    "drift_bound_sharp",
    "drift_bound_quoted",
    "drift",
    "tan_squared",
    "remark34_quoted",
    "remark34_corrected",
)
"""The measured and predicted numbers of the document, in its order."""
MORE_KEYS = (
    "dominant_gap",
    "sharp_criterion_margin",
    "hemisphere_needed",
    "cone_inner",
    "cone_outer",
    "safe_angle",
    "angle",
    "perturbed_gap",
    "perturbed_dominant_gap",
    "gamma",
)
_NOT_SIMPLE = {
    "multiple": "the largest eigenvalue of {} is multiple, so its leading eigenvector is not defined",
    "complex": "the eigenvalues of largest real part of {} are a complex pair (or tie with one)",
    "unresolved": "the leading eigenvalues of {} could not be separated at the highest precision tried",
}


@dataclass(frozen=True)
class Analysis:
    """The answer for one instance.

    Attributes
    ----------
    verdict: ``safe``, ``not_guaranteed``, ``diverges`` or ``degenerate``. reasons: why, in sentences.
    values: name → mpf or None, for :data:`KEYS` and :data:`MORE_KEYS`. notes: name → why it is None.
    theorems: ids of the claims that make it safe. limits: signs of the limits of base and LoRA tokens, where known.
    digits: correct digits asked for. agreement: name → digits on which two precisions agree.
    level: the measurements behind it (None where V is degenerate). decisions: what was decided exactly.
    """

    verdict: str
    reasons: list[str]
    values: Values
    notes: dict[str, str]
    digits: int
    working_digits: int
    decisions: Decisions
    level: Level | None = None
    theorems: tuple[str, ...] = ()
    limits: tuple[int | None, int | None] | None = None
    agreement: dict[str, float] = field(default_factory=dict)


def analyse(instance: Instance, digits: int | None = None) -> Analysis:
    """Analyse one instance to ``digits`` correct significant digits (default: ``options.digits``, else 15).

    Raises :class:`InputError` where digits are out of range (1 to 1,000).
    """
    asked = digits if digits is not None else instance.options.get("digits")
    wanted = DEFAULT_DIGITS if asked is None else asked
    if not 1 <= wanted <= 1_000:
        raise InputError(f"--digits {wanted}: give between 1 and 1000 digits")
    in_float64 = instance.d > MP_DIMENSION and asked is None
    decisions = decide_float64(instance) if in_float64 else decide(instance)
    if decisions.base != "simple":
        return _degenerate_base(decisions, wanted)
    if in_float64:
        wanted, level = FLOAT64_DIGITS, measure(instance, decisions, double_precision)
        settled = _float64_settled(level)
    else:
        settled, level = _settle(instance, decisions, wanted)
    with mp.workdps(settled.working_digits):
        analysis = _answer(instance, decisions, level, _cleaned(settled), settled, wanted)
    if in_float64:
        note = (
            f"computed in float64 since d = {instance.d} > {MP_DIMENSION}: about 12 digits, multiplicity by a tolerance"
        )
        analysis.reasons.append(note + "; ask for --digits to compute exactly")
    return analysis


def _settle(instance: Instance, decisions: Decisions, digits: int) -> tuple[Settled, Level]:
    last: list[Level] = []

    def compute() -> Values:
        last[:] = [measure(instance, decisions)]
        return last[0].values

    limit = {2: 12_000, 3: 12_000, 4: 12_000}.get(instance.d, 4_000 if instance.d <= 8 else 1_500)
    settled = settle(compute, digits, nonzero=decisions.nonzero, margins=MARGINS, guards=GUARDS, limit=limit)
    return settled, last[0]


def _float64_settled(level: Level) -> Settled:
    floor = level.values["scale"] * mp.mpf("1e-10")
    ties = {k for k in MARGINS if level.values.get(k) is not None and abs(level.values[k]) <= floor}
    digits = dict.fromkeys(level.values, float(FLOAT64_DIGITS))
    return Settled(level.values, digits, frozenset(ties), frozenset(), 15)


def _cleaned(settled: Settled) -> Values:
    """The values with ties set to zero, and what a tie or a failed agreement makes meaningless set to None."""
    doubtful = settled.ties | settled.unsettled
    values = {k: (mp.zero if k in settled.ties else v) for k, v in settled.values.items()}
    values |= dict.fromkeys(settled.unsettled)
    return values | {k: None for k, guards in GUARDS.items() if not doubtful.isdisjoint(guards)}


def _degenerate_base(decisions: Decisions, digits: int) -> Analysis:
    reason = _NOT_SIMPLE[decisions.base].format("V")
    values: Values = dict.fromkeys((*KEYS, *MORE_KEYS))
    if decisions.base == "multiple":
        values["gap"] = mp.zero
    notes = {key: reason for key, value in values.items() if value is None}
    return Analysis("degenerate", [reason], values, notes, digits, 0, decisions)


def _answer(
    instance: Instance, decisions: Decisions, level: Level, values: Values, settled: Settled, digits: int
) -> Analysis:
    values["cone_outer"] = None
    if values["cone_outer_inverse"]:
        values["cone_outer"] = 1 / values["cone_outer_inverse"]
    theorems, angles = applicable_theorems(values, level)
    values["safe_angle"] = max(angles) if angles else None
    notes = _notes(values, decisions, settled, level)
    limits = None
    if decisions.perturbed != "simple":
        verdict, reasons = "degenerate", [_NOT_SIMPLE[decisions.perturbed].format("V + ΔV")]
    elif theorems:
        verdict, reasons = "safe", _safe_words(theorems, values, level)
    else:
        limits = token_limits(instance, level) if level.tokens else None
        verdict, reasons = _unsafe(values, decisions, level, limits, settled)
    return Analysis(
        verdict,
        reasons,
        {k: values[k] for k in (*KEYS, *MORE_KEYS)},
        {k: v for k, v in notes.items() if values.get(k) is None},
        digits,
        settled.working_digits,
        decisions,
        level,
        tuple(theorems),
        limits,
        settled.digits,
    )


def _positive(value: Any) -> bool:
    return value is not None and value > 0


def applicable_theorems(values: Values, level: Level) -> tuple[list[str], list[Any]]:
    """The claims that make the instance safe, and the angles about u1 up to which they do so."""
    base_angle = _base_angle(values, level)
    if base_angle is None:
        return [], []
    tokens = level.position is not None
    if tokens and not (_positive(values["gamma"]) and _positive(values["base_token_margin"])):
        return [], []
    found, angles = [], []
    if (
        _positive(values["sharp_criterion_margin"])
        and values["theta_bound"] is not None
        and (not tokens or _positive(values["hemisphere_margin"]))
    ):
        found.append("prop-3.3/criterion")
        angles.append(min(base_angle, mp.pi / 2 - values["theta_bound"]))
    if (
        _positive(values["cone_margin"])
        and values["cone_outer_inverse"] is not None
        and (not tokens or _positive(values["cone_token_margin"]))
    ):
        found.append("prop-3.3/nonsymmetric")
        angles.append(min(base_angle, mp.atan2(1, values["cone_outer_inverse"])))
    return found, angles


def _base_angle(values: Values, level: Level) -> Any:
    """The angle about u1 within which the base tokens converge to u1 (cone of V about u1); None where unknown."""
    if not _positive(values["base_separation"]):
        return None
    return mp.atan2(values["base_separation"], level.base_basin.c_norm)


def show(value: Any) -> str:
    """A number to six significant digits."""
    return str(mp.nstr(mp.mpf(value), 6))


def _safe_words(theorems: list[str], values: Values, level: Level) -> list[str]:
    words = []
    if "prop-3.3/criterion" in theorems:
        margin = show(values["sharp_criterion_margin"])
        words.append(f"prop-3.3/criterion applies: gap* + a - |E| = {margin} > 0 for symmetric V, ΔV")
    if "prop-3.3/nonsymmetric" in theorems:
        words.append(f"prop-3.3/nonsymmetric applies: S - 2 sqrt(|b||c|) = {show(values['cone_margin'])} > 0")
    angle = show(values["safe_angle"])
    if level.position is None:
        words.append(f"this holds for every start within {angle} rad of u1 (or of -u1), whatever the attention matrix")
    else:
        side = "u1" if level.position.sign > 0 else "-u1"
        words.append(f"all tokens of X0 lie about {side} (the side with more of them), within {angle} rad of it")
    return words


def _unsafe(
    values: Values,
    decisions: Decisions,
    level: Level,
    limits: tuple[int | None, int | None] | None,
    settled: Settled,
) -> tuple[str, list[str]]:
    failed = _failures(values, decisions, level, settled)
    exactly = decisions.orthogonal or ("b" in decisions.zeros and decisions.symmetric)
    crossed = decisions.exact and exactly and values["cosine"] == 0 and _positive(values["base_separation"])
    if crossed and (limits is None or None not in limits):
        where = "a lone token goes to ±ũ1 from almost every start" if limits is None else "the tokens of X0 go to ±ũ1"
        words = "ũ1 is exactly orthogonal to u1: the leading eigenvalue has crossed, the drift is sqrt(2), and "
        return "diverges", [words + where, *failed]
    if limits is None:
        return "not_guaranteed", failed
    base, perturbed = limits
    if base is not None and perturbed == -base:
        return "diverges", [
            "shown on X0: the base tokens converge to one of ±u1 and the LoRA tokens to the opposite one of ±ũ1",
            *failed,
        ]
    if base is not None and perturbed == base:
        failed.append("measured on X0 all the same: both flows converge to the same side, u1 and ũ1 (no guarantee)")
    return "not_guaranteed", failed


def _failures(values: Values, decisions: Decisions, level: Level, settled: Settled) -> list[str]:
    """What fails, and by how much."""

    def shortfall(name: str, label: str) -> str:
        if values[name] is None or name in settled.ties:
            return f"{label} is not separated from 0, and a tie is not safe"
        return f"{label} = {show(values[name])}, not > 0"

    words = []
    if not _positive(values["base_separation"]):
        label = "gap* = λ1 - max|λj| of V" if decisions.symmetric_base else "S of V alone about u1"
        words.append("the base itself need not converge to u1: " + shortfall("base_separation", label))
    if decisions.symmetric:
        if not _positive(values["sharp_criterion_margin"]):
            words.append("prop-3.3/criterion fails: " + shortfall("sharp_criterion_margin", "gap* + a - |E|"))
        elif level.position is not None and not _positive(values["hemisphere_margin"]):
            words.append("prop-3.3/criterion fails on X0: " + shortfall("hemisphere_margin", "min <x,u1> - sin θ_b"))
    if not _positive(values["cone_margin"]):
        words.append("prop-3.3/nonsymmetric fails: " + shortfall("cone_margin", "S - 2 sqrt(|b||c|)"))
    elif level.position is not None:
        if not _positive(values["gamma"]):
            words.append("tokens leave the hemisphere: " + shortfall("gamma", "min <x,±u1>"))
        elif not _positive(values["cone_token_margin"]):
            words.append("prop-3.3/nonsymmetric fails on X0: " + shortfall("cone_token_margin", "1 - ϑ/t+"))
    if level.position is not None and _positive(values["gamma"]) and not _positive(values["base_token_margin"]):
        words.append("the base tokens lie outside the cone of V: " + shortfall("base_token_margin", "S - |c|ϑ"))
    return words


def _notes(values: Values, decisions: Decisions, settled: Settled, level: Level) -> dict[str, str]:
    """Name → why it has no value (for names that have one the entry is dropped later)."""
    unequal = "needs symmetric V and ΔV"
    tie = "is not separated from 0 at four times the digits"
    bound = "gap + a - |E| is not > 0"
    notes: dict[str, str] = dict.fromkeys(
        ("theta_bound", "drift_bound_sharp", "hemisphere_needed"), bound if decisions.symmetric else unequal
    )
    notes["sharp_criterion_margin"] = unequal
    notes["drift_bound_quoted"] = "gap + a is not > 0"
    notes["remark34_quoted"] = "λ1 equals one of λj + ej: the quoted form diverges" if decisions.symmetric else unequal
    notes["remark34_corrected"] = "λ1 + a is not above all λj + ej" if decisions.symmetric else unequal
    for key in ("cone_inner", "cone_outer"):
        notes[key] = "the cone margin is not > 0"
    if values["cone_outer_inverse"] == 0:
        notes["cone_outer"] = "infinite: c = 0"
    notes["tan_squared"] = "infinite: ũ1 is orthogonal to u1"
    notes["safe_angle"] = "no theorem applies"
    notes["gamma"] = "the file has no X0"
    if decisions.perturbed != "simple":
        reason = _NOT_SIMPLE[decisions.perturbed].format("V + ΔV")
        notes |= dict.fromkeys(("drift", "tan_squared", "angle", "perturbed_gap", "perturbed_dominant_gap"), reason)
    for key in settled.unsettled:
        notes[key] = f"did not settle at {settled.working_digits} working digits"
    if level.position is not None and "gamma" in settled.ties:
        notes["gamma"] = tie
    return notes
