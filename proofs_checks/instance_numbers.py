"""Exact numbers in files: decimal text to fractions and back, with errors that name the entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from proofs_checks.errors import InputError

Matrix = tuple[tuple[Fraction, ...], ...]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_FRACTION = re.compile(r"[+-]?\d+\s*/\s*\d+")
_MAX_LENGTH, _MAX_EXPONENT = 4_000, 2_000


class Literal(str):
    """The text of a JSON number, kept as it stands in the file."""

    __slots__ = ()


def parse_number(value: Any, where: str) -> Fraction:
    """The exact value of a JSON number or of a string with a decimal or a fraction; ``where`` names it in errors."""
    if isinstance(value, bool):
        raise InputError(f"{where} is {str(value).lower()}, not a number: write 0 or 1")
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str):
        shown = "null" if value is None else type(value).__name__
        raise InputError(f'{where} is no number but {shown}: write a number or a string such as "1/3"')
    text = value.strip()
    if len(text) > _MAX_LENGTH:
        raise InputError(f"{where} has {len(text)} characters: write a number with at most {_MAX_LENGTH}")
    if _FRACTION.fullmatch(text):
        numerator, denominator = (int(part) for part in text.split("/"))
        if denominator == 0:
            raise InputError(f"{where} is {text!r}, a division by zero: write a fraction with a nonzero denominator")
        return Fraction(numerator, denominator)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InputError(
            f'{where} is {text[:40]!r}, which is no number: write a decimal ("1e-300") or a fraction ("1/3")'
        )
    if match[3] and (len(match[3]) > 8 or abs(int(match[3][1:])) > _MAX_EXPONENT):
        raise InputError(f"{where} is {text[:40]!r}: exponents may not go beyond ±{_MAX_EXPONENT}")
    return Fraction(text)


def number_text(value: Fraction) -> int | str:
    """The shortest exact JSON form: a small integer as it is, else a decimal string, else ``"p/q"``."""
    if value.denominator == 1 and abs(value) < 10**15:
        return int(value)
    places, rest = 0, value.denominator
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        places = max(places, power)
    if rest != 1:
        return f"{_digits(value.numerator)}/{_digits(value.denominator)}"
    digits = int(value * 10**places)
    if places <= 20 and abs(value) < 10**30:
        sign, body = "-" * (digits < 0), str(abs(digits)).rjust(places + 1, "0")
        return f"{sign}{body[:-places]}.{body[-places:]}" if places else f"{sign}{body}"
    while digits and digits % 10 == 0:
        digits, places = digits // 10, places - 1
    return f"{_digits(digits)}e{-places}"


def _digits(value: int) -> str:
    """Decimal digits in pieces: Python refuses to print integers beyond 4,300 digits at once."""
    if abs(value) < 10**4_000:
        return str(value)
    upper, lower = divmod(abs(value), 10**4_000)
    return "-" * (value < 0) + _digits(upper) + str(lower).rjust(4_000, "0")


def parse_matrix(value: Any, name: str, *, square: bool = False) -> Matrix:
    """A non-empty rectangular matrix of exact numbers; ``name`` is the key in the file."""
    if not isinstance(value, (list, tuple)) or not value:
        raise InputError(f"{name} must be a matrix, a non-empty list of rows such as [[1, 0], [0, 1]]")
    width = None
    rows = []
    for i, row in enumerate(value):
        if not isinstance(row, (list, tuple)) or not row:
            raise InputError(f"{name}[{i}] must be a row, a non-empty list of numbers")
        width = len(row) if width is None else width
        if len(row) != width:
            raise InputError(
                f"{name} is ragged: row {i} has {len(row)} entries and row 0 has {width}; give all rows one length"
            )
        rows.append(tuple(parse_number(x, f"{name}[{i}][{k}]") for k, x in enumerate(row)))
    if square and len(rows) != width:
        raise InputError(f"{name} is {len(rows)}×{width}: it must be square")
    return tuple(rows)


def matrix_json(matrix: Matrix) -> list[list[int | str]]:
    """The matrix as JSON, exact and without floats."""
    return [[number_text(x) for x in row] for row in matrix]


def matrix_product(first: Matrix, second: Matrix, scale: Fraction) -> Matrix:
    """``scale * first @ second``, exact."""
    columns = list(zip(*second, strict=True))
    return tuple(
        tuple(scale * sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in columns)
        for row in first
    )


def plain(value: Any) -> Any:
    """JSON data without number texts: integers where written so, floats otherwise."""
    if isinstance(value, Literal):
        return float(value) if any(k in value for k in ".eE") else int(value)
    if isinstance(value, Mapping):
        return {key: plain(x) for key, x in value.items()}
    if isinstance(value, list):
        return [plain(x) for x in value]
    return value
