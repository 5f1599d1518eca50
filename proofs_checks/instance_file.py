"""The instance file: one (V, ΔV) with optional A, ΔA, tokens and time, read exactly, from JSON or NPZ."""

from __future__ import annotations

import difflib
import io
import json
import math
import zipfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proofs_checks.errors import InputError
from proofs_checks.instance_numbers import (
    Literal,
    Matrix,
    matrix_json,
    matrix_product,
    number_text,
    parse_matrix,
    parse_number,
    plain,
)
from proofs_checks.output import dumps, write_text

KEYS = ("V", "dV", "A", "dA", "X0", "T", "options", "claim", "kind", "note", "meta")
NPZ_KEYS = ("V", "dV", "dV_B", "dV_A", "dV_scale", "A", "dA", "X0", "T", "options")
OPTIONS = {"normalize": bool, "digits": int, "angle": float}
_WANTED = {bool: "true or false", int: "an integer", float: "a number"}
UNIT_TOLERANCE = Fraction(1, 10**6)


@dataclass(frozen=True)
class Factors:
    """``ΔV = scale * B @ A`` with B of shape (d, r) and A of shape (r, d)."""

    B: Matrix
    A: Matrix
    scale: Fraction = Fraction(1)


@dataclass(frozen=True)
class Instance:
    """One instance, exact. Tokens are kept as written; :meth:`arrays` gives them with norm one.

    Attributes
    ----------
    V, dV: value matrix and its update (d×d), d >= 2; symmetry is not required.
    A, dA: attention matrix and its update (d×d). X0: tokens (n×d). T: time > 0.
    options: ``normalize`` (rescale tokens of any norm), ``digits``, ``angle`` (radians, for the times of Thm. 4.6).
    factors: the factors that dV was given by, if it was.
    claim, kind, note, meta: what a stored instance is kept for; free.
    """

    V: Matrix
    dV: Matrix
    A: Matrix | None = None
    dA: Matrix | None = None
    X0: Matrix | None = None
    T: Fraction | None = None
    options: dict[str, Any] = field(default_factory=dict)
    factors: Factors | None = None
    claim: str | None = None
    kind: str | None = None
    note: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        d = len(self.V)
        if d < 2:
            raise InputError("V is 1×1: an instance needs d >= 2")
        for name, matrix in (("V", self.V), ("dV", self.dV), ("A", self.A), ("dA", self.dA)):
            if matrix is not None and (len(matrix), len(matrix[0])) != (d, d):
                raise InputError(f"{name} is {len(matrix)}×{len(matrix[0])}: it must be {d}×{d}, like V")
        if self.T is not None and self.T <= 0:
            raise InputError(f"T is {number_text(self.T)}: it must be a time > 0")
        _check_options(self.options)
        if self.X0 is not None:
            _check_tokens(self.X0, d, bool(self.options.get("normalize", False)))

    @property
    def d(self) -> int:
        """Dimension of the tokens."""
        return len(self.V)

    @classmethod
    def from_arrays(
        cls, V: Any, dV: Any, A: Any = None, dA: Any = None, X0: Any = None, T: Any = None, **fields: Any
    ) -> Instance:
        """From arrays of numbers: a float stands for its shortest decimal text, so that JSON gives it back exactly.

        Matrices (d×d), X0 (n×d), T a number; ``fields`` are the other attributes. Raises
        :class:`InputError` as files do.
        """

        def exact(value: Any, name: str, square: bool = True) -> Matrix | None:
            if value is None:
                return None
            rows = value.tolist() if hasattr(value, "tolist") else value
            return parse_matrix(_float_texts(rows), name, square=square)

        v, dv = exact(V, "V"), exact(dV, "dV")
        if v is None or dv is None:
            raise InputError("an instance needs V and dV")
        time = None if T is None else parse_number(_float_texts(T), "T")
        return cls(v, dv, exact(A, "A"), exact(dA, "dA"), exact(X0, "X0", False), time, **fields)

    def to_dict(self) -> dict[str, Any]:
        """The instance as JSON data, exact: integers and strings, no floats."""
        result: dict[str, Any] = {"V": matrix_json(self.V), "dV": matrix_json(self.dV)}
        if self.factors is not None:
            B, A, scale = self.factors.B, self.factors.A, self.factors.scale
            result["dV"] = {"B": matrix_json(B), "A": matrix_json(A), "scale": number_text(scale)}
        for name, matrix in (("A", self.A), ("dA", self.dA), ("X0", self.X0)):
            if matrix is not None:
                result[name] = matrix_json(matrix)
        if self.T is not None:
            result["T"] = number_text(self.T)
        extra = {"options": self.options, "claim": self.claim, "kind": self.kind, "note": self.note}
        return result | {name: value for name, value in (extra | {"meta": self.meta}).items() if value}

    def save(self, path: str | Path) -> None:
        """Write the instance as JSON."""
        write_text(Path(path), dumps(self.to_dict()))

    def arrays(self) -> dict[str, np.ndarray]:
        """float64 arrays ``V``, ``dV`` and, where given, ``A``, ``dA`` (d×d), ``X0`` (n×d, unit rows), ``T`` (0-d).

        Raises :class:`InputError` where an entry is beyond double precision.
        """
        result = {}
        for name in ("V", "dV", "A", "dA", "X0"):
            matrix = getattr(self, name)
            if matrix is not None:
                result[name] = np.array(
                    [[_as_float(x, f"{name}[{i}][{k}]") for k, x in enumerate(row)] for i, row in enumerate(matrix)]
                )
        if "X0" in result:
            largest = np.abs(result["X0"]).max(axis=1, keepdims=True)  # so that tiny or huge entries do not overflow
            scaled = result["X0"] / largest
            result["X0"] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
        if self.T is not None:
            result["T"] = np.array(_as_float(self.T, "T"))
        return result

    def perturbed_attention(self) -> Matrix:
        """A + ΔA, exact. Without A it is V, and without A and dA the update of A is that of V."""
        base = self.V if self.A is None else self.A
        update = self.dV if self.A is None and self.dA is None else self.dA
        if update is None:
            return base
        return tuple(tuple(x + y for x, y in zip(r, c, strict=True)) for r, c in zip(base, update, strict=True))

    def flow_matrices(self, perturbed: bool) -> tuple[np.ndarray, np.ndarray]:
        """Attention and value matrix (d×d, float64) of the base or of the perturbed flow."""
        arrays = self.arrays()
        attention = arrays.get("A", arrays["V"])
        if not perturbed:
            return attention, arrays["V"]
        none = np.zeros_like(attention) if "A" in arrays else arrays["dV"]
        return attention + arrays.get("dA", none), arrays["V"] + arrays["dV"]


def _as_float(value: Fraction, where: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{where} is beyond double precision: scale the matrices down") from None


def _float_texts(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_float_texts(x) for x in value]
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return int(value) if isinstance(value, np.integer) else value


def _check_options(options: Any) -> None:
    if not isinstance(options, dict):
        raise InputError('options must be an object such as {"normalize": true}')
    for name, value in options.items():
        if name not in OPTIONS:
            raise InputError(f"options: unknown option {name!r}{_near(name, tuple(OPTIONS))}")
        accepted = (int, float) if OPTIONS[name] is float else OPTIONS[name]
        if not isinstance(value, accepted) or (OPTIONS[name] is not bool and isinstance(value, bool)):
            raise InputError(f"options.{name} is {value!r}: it must be {_WANTED[OPTIONS[name]]}")
    if not 1 <= options.get("digits", 15) <= 1_000:
        raise InputError(f"options.digits is {options['digits']}: it must be between 1 and 1000")
    if not 0 < options.get("angle", 0.5) < math.pi / 2:
        raise InputError(f"options.angle is {options['angle']}: it must be between 0 and π/2 radians")


def _check_tokens(tokens: Matrix, d: int, normalize: bool) -> None:
    for i, token in enumerate(tokens):
        if len(token) != d:
            raise InputError(f"X0[{i}] has {len(token)} entries: a token needs d = {d}, like V")
        square = sum(x * x for x in token)
        if square == 0:
            raise InputError(f"X0[{i}] is the zero vector: a token must have norm 1")
        if not normalize and not (1 - UNIT_TOLERANCE) ** 2 <= square <= (1 + UNIT_TOLERANCE) ** 2:
            shown = "far from 1" if not 1e-300 < square < 1e300 else f"{float(square) ** 0.5:.8g}"
            raise InputError(
                f'X0[{i}] has norm {shown}: tokens must have norm 1 within 1e-6; set "options": {{"normalize": true}}'
                " to rescale them"
            )


def _near(name: str, known: tuple[str, ...]) -> str:
    by_case = [k for k in known if k.lower() == name.lower()]
    close = by_case or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}?" if close else f": known are {', '.join(known)}"


def load_instance(path: str | Path) -> Instance:
    """Read an instance file, JSON or (suffix ``.npz``) NPZ. Raises :class:`InputError`, one line, on any defect."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory: name an instance file in it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        if path.suffix.lower() == ".npz" or content[:4] == b"PK\x03\x04":
            return _from_data(_read_npz(content), NPZ_KEYS)
        return _from_data(_read_json(content), KEYS)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _refuse_constant(token: str) -> Any:
    raise InputError(f"{token} is no number here: every entry must be finite")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise InputError(f"the key {key!r} stands twice: keep one")
        result[key] = value
    return result


def _read_json(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_float=Literal,
            parse_int=Literal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_no_duplicates,
        )
    except UnicodeDecodeError:
        raise InputError("is neither JSON text nor NPZ: give an instance in one of the two") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; mend it there"
        ) from None
    except RecursionError:
        raise InputError("is nested too deeply for an instance") from None


def _read_npz(content: bytes) -> dict[str, Any]:
    data: dict[str, Any] = {}
    try:
        if content[:2] != b"PK":
            raise InputError("is no NPZ archive: save it with numpy.savez(V=..., dV=...)")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            for name in archive.files:
                data[name] = _npz_entry(name, archive[name])
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        reason = "it holds Python objects" if "allow_pickle" in str(error) else "it is damaged"
        raise InputError(f"is no usable NPZ file ({reason}): save plain number arrays with numpy.savez") from None
    if any(name.startswith("dV_") for name in data):
        if "dV" in data:
            raise InputError("has both dV and dV_B, dV_A: give one of them")
        data["dV"] = {k: data.pop(f"dV_{k}") for k in ("B", "A", "scale") if f"dV_{k}" in data}
    return data


def _npz_entry(name: str, array: np.ndarray) -> Any:
    if name == "options" and array.ndim == 0 and array.dtype.kind == "U":
        return _read_json(str(array).encode())
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} has dtype {array.dtype}: use floats or integers")
    if not np.isfinite(array).all():
        position = "".join(f"[{k}]" for k in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name}{position} is not finite: every entry must be a number")
    wanted = 0 if name in ("T", "dV_scale") else 2
    if array.ndim != wanted:
        raise InputError(f"{name} has {array.ndim} axes: it must have {wanted}")
    exact = np.vectorize(_binary_fraction, otypes=[object])(array) if array.size else array
    return exact.item() if wanted == 0 else exact.tolist()


def _binary_fraction(value: Any) -> Fraction:
    return Fraction(*value.as_integer_ratio()) if hasattr(value, "as_integer_ratio") else Fraction(int(value))


def _from_data(data: Any, known: tuple[str, ...]) -> Instance:
    if not isinstance(data, dict):
        raise InputError('is no instance: write an object {"V": [[...]], "dV": [[...]]}')
    for key in data:
        if key not in KEYS:
            hint = _near(key, known)
            raise InputError(f'unknown key {key!r}{hint} (fields of your own go into "meta")')
    for key in ("V", "dV"):
        if key not in data:
            raise InputError(f"has no {key}: an instance needs V and dV")
    optional = {k: parse_matrix(data[k], k, square=k != "X0") for k in ("A", "dA", "X0") if k in data}
    dV, factors = _update(data["dV"])
    texts = {}
    for key in ("claim", "kind", "note"):
        if key in data and (not isinstance(data[key], str) or isinstance(data[key], Literal)):
            raise InputError(f"{key} must be a text")
        texts[key] = data.get(key)
    meta = plain(data.get("meta", {}))
    if not isinstance(meta, dict):
        raise InputError("meta must be an object")
    return Instance(
        V=parse_matrix(data["V"], "V", square=True),
        dV=dV,
        T=parse_number(data["T"], "T") if "T" in data else None,
        options=plain(data.get("options", {})),
        factors=factors,
        meta=meta,
        **optional,
        **texts,
    )


def _update(value: Any) -> tuple[Matrix, Factors | None]:
    if not isinstance(value, dict):
        return parse_matrix(value, "dV", square=True), None
    for key in value:
        if key not in ("B", "A", "scale"):
            raise InputError(f"dV: unknown key {key!r}{_near(key, ('B', 'A', 'scale'))}")
    for key in ("B", "A"):
        if key not in value:
            raise InputError(f"dV has no {key}: give B (d×r), A (r×d) and, if not 1, scale")
    B, A = parse_matrix(value["B"], "dV.B"), parse_matrix(value["A"], "dV.A")
    if len(B[0]) != len(A):
        raise InputError(
            f"dV: B is {len(B)}×{len(B[0])} and A is {len(A)}×{len(A[0])}: the columns of B must match the rows of A"
        )
    scale = parse_number(value.get("scale", 1), "dV.scale")
    return matrix_product(B, A, scale), Factors(B, A, scale)
