"""Tensors of a local directory of safetensors files, one at a time; the files stay closed in between.

A file is mapped only while one tensor is read, so that the memory does not grow with the number of layers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from proofs_checks.errors import InputError
from proofs_checks.json_file import read_object

_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


class Checkpoint:
    """Named tensors in one safetensors file or several with an index.

    Raises :class:`InputError` where ``folder`` is no directory, holds pickles alone, misses a shard, or where
    safetensors is not installed.
    """

    def __init__(self, folder: Path, stem: str = "model") -> None:
        self.folder = folder
        self._open, self._error = _reader()
        self._files = self._find(stem)

    def names(self) -> list[str]:
        """Names of all tensors."""
        return list(self._files)

    def read(self, name: str) -> Tensor:
        """One tensor as float64."""
        return self.read_part(name, lambda stored: stored[:])

    def stored(self, name: str) -> Tensor:
        """One tensor as it is stored, unchecked."""
        return self._with(name, lambda stored: stored[:])

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor, from the header alone."""
        return self._with(name, lambda stored: tuple(stored.get_shape()))

    def read_part(self, name: str, part: Callable[[Any], Tensor]) -> Tensor:
        """A slice of one tensor as float64; raises InputError for NaN, infinities and quantised numbers."""

        def load(stored: Any) -> Tensor:
            tensor = part(stored)
            if tensor.dtype not in _FLOATS:
                raise InputError(
                    f"{self._files[name]}: {name} is stored as {str(tensor.dtype).removeprefix('torch.')}: quantised "
                    "weights are not audited, save the model in a floating-point format first"
                )
            return tensor.to(torch.float64, copy=True)

        found = self._with(name, load)
        if not bool(found.isfinite().all()):
            raise InputError(f"{self._files[name]}: {name} holds NaN or infinite weights")
        return found

    def _with(self, name: str, read: Callable[[Any], Any]) -> Any:
        if name not in self._files:
            raise InputError(f"{self.folder} has no tensor {name}")
        path = self._files[name]
        try:
            with self._open(path, framework="pt") as stored:
                return read(stored.get_slice(name))
        except (self._error, OSError) as error:
            raise InputError(f"cannot read {name} from {path}, truncated or malformed ({_line(error)})") from error

    def _find(self, stem: str) -> dict[str, Path]:
        if not self.folder.is_dir():
            raise InputError(f"{self.folder} is not a directory: the audit reads local directories")
        index = self.folder / f"{stem}.safetensors.index.json"
        single = self.folder / f"{stem}.safetensors"
        if single.is_file():
            return dict.fromkeys(self._keys(single), single)
        if not index.is_file():
            raise InputError(self._absent(stem))
        shards = read_object(index, f"{index} does not exist").get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(x, str) for x in shards.values()):
            raise InputError(f"{index} has no weight_map of names and files")
        found = {name: self.folder / Path(file).name for name, file in shards.items()}
        present: dict[Path, set[str]] = {}
        for path in dict.fromkeys(found.values()):
            if not path.is_file():
                raise InputError(f"{self.folder} lacks the shard {path.name} that {index.name} names")
            present[path] = set(self._keys(path))
        missing = next((name for name, path in found.items() if name not in present[path]), None)
        if missing is not None:
            raise InputError(f"{found[missing]} has no tensor {missing}, which {index.name} says it has")
        return found

    def _keys(self, path: Path) -> list[str]:
        try:
            with self._open(path, framework="pt") as stored:
                return list(stored.keys())
        except (self._error, OSError) as error:
            raise InputError(f"cannot read {path}, truncated or malformed ({_line(error)})") from error

    def _absent(self, stem: str) -> str:
        pickles = sorted(x.name for x in self.folder.iterdir() if x.suffix in _PICKLES)
        if pickles:
            return (
                f"{self.folder} has {pickles[0]} but no {stem}.safetensors: pickle files can run code and are "
                "refused, save it again with safe_serialization=True"
            )
        return f"{self.folder} has neither {stem}.safetensors nor {stem}.safetensors.index.json"


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _reader() -> tuple[Any, type[Exception]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise InputError("the audit needs safetensors: pip install 'loraproofs[models]'") from error
    return safe_open, SafetensorError
