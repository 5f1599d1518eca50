"""``loraproofs instance FILE``: is this (V, ΔV) in the safe zone, and why."""

from __future__ import annotations

import argparse
from typing import Any

from mpmath import mp
from rich.console import Console
from rich.table import Table

from proofs_checks.instance_analysis import DEFAULT_DIGITS, KEYS, MORE_KEYS, Analysis, analyse, show
from proofs_checks.instance_file import load_instance
from proofs_checks.instance_fix import Fix, fix
from proofs_checks.instance_time import KEYS as TIME_KEYS
from proofs_checks.instance_time import FiniteTime, finite_time
from proofs_checks.output import console, document, emit_json

_FLOAT_LOW, _FLOAT_HIGH = mp.mpf("2.3e-308"), mp.mpf("1.7e308")

MEANING = {
    "gap": "λ1 - λ2 of V",
    "dominant_gap": "gap* = λ1 - max|λj| of V",
    "a": "ΔV along u1",
    "b_norm": "|b|, what ΔV moves u1 by",
    "c_norm": "|c|, the same for ΔVᵀ",
    "E_norm": "|E|, ΔV on the rest of the space",
    "criterion_margin": "quoted criterion gap + a - 2|b| - |E| (> 0 wanted)",
    "sharp_criterion_margin": "sharp criterion gap* + a - |E| (> 0 wanted)",
    "cone_margin": "cone criterion S - 2 sqrt(|b||c|) (> 0 wanted, any ΔV)",
    "theta_bound": "bound on the angle of u1 and ũ1 (rad)",
    "drift_bound_sharp": "bound on the drift, sharp",
    "drift_bound_quoted": "bound on the drift, quoted (without its hidden constant)",
    "drift": "measured drift |u1 - ũ1|",
    "tan_squared": "measured tan² of that angle",
    "remark34_quoted": "Remark 3.4 as quoted",
    "remark34_corrected": "Remark 3.4 with a (an upper bound of tan²)",
    "safe_angle": "tokens this close to u1 are safe (rad)",
}
TIME_MEANING = {
    "K": "rate K* at which the flows may separate (Prop. 3.1)",
    "delta": "largest difference of their velocities",
    "bound": "bound on the angle between a token and its LoRA twin at T (rad)",
    "observed_angle": "the largest such angle, simulated (rad)",
    "observed_w2": "W2 between both clouds at T, simulated",
    "T_dev_lower": "earliest time at which a LoRA token may be {angle} rad from u1 (Thm. 4.6)",
    "T_dev_upper": "latest time by which one must be",
    "T_dev": "the time at which one is, simulated up to T",
    "T_plus": "latest time after which all LoRA tokens are within {angle} rad of ũ1",
    "T_plus_observed": "the time after which they are, simulated up to T",
}
_HEADLINES = {
    "safe": "[green]In the safe zone[/]: base and LoRA tokens converge to u1 and to ũ1.",
    "not_guaranteed": "[yellow]Not guaranteed[/]: no sufficient criterion applies; the tokens may or may not follow.",
    "diverges": "[red]Diverges[/]: the LoRA tokens do not follow the base.",
    "degenerate": "[magenta]Degenerate[/]: the question has no answer for this pair.",
}
_ADVICE = {
    "safe": "What to do: nothing. The drift of the cluster is at most the sharp bound where one is given.",
    "not_guaranteed": "What to do: --fix shows the largest safe scale of ΔV and the nearest ΔV without drift.",
    "diverges": "What to do: --fix shows the largest safe scale of ΔV and the nearest ΔV without drift.",
    "degenerate": "What to do: move V (or ΔV) off the tie; any small change of its top eigenvalues does.",
}


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "instance", help="is one (V, ΔV) in the safe zone, and why", description=__doc__
    )
    parser.add_argument("file", metavar="FILE", help="instance, JSON or NPZ (docs: instance file)")
    parser.add_argument("--digits", type=int, metavar="N", help="N correct significant digits (default 15)")
    parser.add_argument("--fix", action="store_true", help="largest safe scale and nearest ΔV without drift")
    parser.add_argument("--json", metavar="FILE|-", help="write the document; - is stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Analyse the file; always 0 for well-formed input, degenerate included."""
    instance = load_instance(args.file)
    analysis = analyse(instance, args.digits)
    mended = fix(instance, analysis) if args.fix else None
    times = finite_time(instance, analysis.level, analysis.digits, analysis.working_digits)
    terminal = console(args.json)
    _print(terminal, args.file, analysis, mended)
    if instance.X0 is not None:
        _print_times(terminal, times)
    emit_json(to_document(args.file, analysis, times, mended), args.json)
    return 0


def json_number(value: Any, digits: int = DEFAULT_DIGITS) -> float | str | None:
    """A number for JSON: up to 15 digits a float (a string beyond its range), above a string of ``digits`` digits."""
    if value is None:
        return None
    if not isinstance(value, mp.mpf):
        value = mp.mpf(float(value))  # an mpf is left alone: converting it would round it to the current precision
    if digits > DEFAULT_DIGITS:
        return mp.nstr(value, digits, strip_zeros=False) if value != 0 else "0"
    if value == 0 or _FLOAT_LOW <= abs(value) <= _FLOAT_HIGH:
        return float(value)
    return mp.nstr(value, DEFAULT_DIGITS)


def to_document(file: str, analysis: Analysis, times: FiniteTime, mended: Fix | None = None) -> dict[str, Any]:
    """The JSON document of one analysis, keys as the reference has them."""
    digits = analysis.digits
    numbers = {key: json_number(analysis.values[key], digits) for key in (*KEYS, *MORE_KEYS)}
    fields: dict[str, Any] = {"file": file, "digits": digits, **numbers, "verdict": analysis.verdict}
    fields |= {key: json_number(times.values[key], _time_digits(key, digits)) for key in TIME_KEYS}
    fields |= {"T": times.T, "passage_angle": times.angle, "bound_trivial": times.trivial}
    notes = analysis.notes | times.notes
    fields |= {"reasons": analysis.reasons, "theorems": list(analysis.theorems), "notes": notes}
    if analysis.limits is not None:
        fields["limits"] = {"base": analysis.limits[0], "perturbed": analysis.limits[1]}
    fields["working_digits"] = analysis.working_digits
    fields["exact_decisions"] = analysis.decisions.exact
    agreement = {k: analysis.agreement.get(k) for k in numbers if analysis.values[k] is not None}
    fields["agreement_digits"] = {k: round(float(v), 1) for k, v in agreement.items() if v is not None and v < mp.inf}
    if mended is not None:
        fields["fix"] = _fix_document(mended, digits)
    return document("instance", None, **fields)


def _time_digits(key: str, digits: int) -> int:
    """Digits of a finite-time number: those asked for where it is predicted, a float's where it is simulated."""
    return DEFAULT_DIGITS if "observed" in key or key == "T_dev" else digits


def _fix_document(mended: Fix, digits: int) -> dict[str, Any]:
    matrix = mended.projected_dV
    return {
        "scale": json_number(mended.scale),
        "projected_dV": None if matrix is None else [[json_number(x, digits) for x in row] for row in matrix],
        "projected_margin": json_number(mended.projected_margin),
        "projected_safe": mended.projected_safe,
        "projected_scale": json_number(mended.projected_scale),
        "reason": mended.reason,
    }


def _print(terminal: Console, file: str, analysis: Analysis, mended: Fix | None) -> None:
    table = Table(title=f"{file}: {analysis.verdict}", title_justify="left")
    for column in ("quantity", "value", "what it is"):
        table.add_column(column, overflow="fold")
    for key, meaning in MEANING.items():
        value = analysis.values[key]
        words = meaning if value is not None else f"{meaning}: {analysis.notes.get(key, 'none')}"
        table.add_row(key, show(value) if value is not None else "none", words)
    terminal.print(table)
    terminal.print(_HEADLINES[analysis.verdict])
    for reason in analysis.reasons:
        terminal.print(f"  - {reason}", markup=False)
    _print_comparison(terminal, analysis)
    if mended is None:
        terminal.print(_ADVICE[analysis.verdict], markup=False)
    else:
        for line in _fix_words(mended):
            terminal.print(line, markup=False)


def _print_times(terminal: Console, times: FiniteTime) -> None:
    until = "no T in the file" if times.T is None else f"T = {times.T:.6g}"
    table = Table(title=f"These tokens ({until})", title_justify="left")
    for column in ("quantity", "value", "what it is"):
        table.add_column(column, overflow="fold")
    for key, meaning in TIME_MEANING.items():
        value, words = times.values[key], meaning.format(angle=f"{times.angle:.4g}")
        if value is None:
            words = f"{words}: {times.notes.get(key, 'none')}"
        elif key == "bound" and times.trivial:
            words = f"{words}: not below π, so it says nothing"
        table.add_row(key, show(value) if value is not None else "none", words)
    terminal.print(table)


def _print_comparison(terminal: Console, analysis: Analysis) -> None:
    quoted, sharp = analysis.values["criterion_margin"], analysis.values["sharp_criterion_margin"]
    if quoted is None or sharp is None:
        return
    says = {True: "holds", False: "fails"}
    terminal.print(
        f"Quoted criterion {says[quoted > 0]} ({show(quoted)}), sharp criterion {says[sharp > 0]} ({show(sharp)}): "
        "the sharp one needs no 2|b|, but tokens within π/2 - theta_bound of u1.",
        markup=False,
    )


def _fix_words(mended: Fix) -> list[str]:
    if mended.projected_dV is None:
        return [f"Fix: {mended.reason}."]
    if mended.scale is None:
        words = ["Fix: every scale of ΔV is safe."]
    elif mended.scale == 0:
        words = [f"Fix: {mended.reason}."]
    else:
        words = [f"Fix: ΔV times any factor below {mp.nstr(mended.scale, 12)} is safe."]
    margin = f"margin {show(mended.projected_margin)}"
    if mended.projected_safe:
        return [*words, f"Fix: ΔV with b and c projected out is safe and has no drift ({margin}); see --json."]
    if mended.projected_scale:
        factor = mp.nstr(mended.projected_scale, 12)
        return [*words, f"Fix: ΔV with b and c projected out is safe below the factor {factor} ({margin})."]
    return [*words, f"Fix: projecting b and c out is not enough ({margin})."]
