"""A PEFT adapter written whole or not at all: a directory is filled beside its place and then renamed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from proofs_checks.errors import InputError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def check_place(out: Path, overwrite: bool, inputs: tuple[Path, ...]) -> None:
    """Raise :class:`InputError` where writing to ``out`` would destroy something that was not asked for."""
    if any(out.resolve() == x.resolve() or out.resolve() in x.resolve().parents for x in inputs):
        raise InputError(f"--out {out} is or contains what is read: choose another directory")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"--out {out} is a file or a link: choose a directory")
    if not out.exists() or not any(out.iterdir()):
        return
    if not overwrite:
        raise InputError(f"--out {out} is not empty: choose another directory, or add --overwrite")
    others = sorted(x.name for x in out.iterdir() if x.name not in (CONFIG, WEIGHTS))
    if others:
        raise InputError(
            f"--out {out} holds {others[0]} beside an adapter, which --overwrite would lose: choose another"
        )


@contextmanager
def filled(out: Path, overwrite: bool) -> Iterator[Path]:
    """A directory beside ``out`` to fill; it takes the place of ``out`` at the end, and is removed on any error.

    What another run has put there in the meantime is replaced with ``overwrite`` alone, and what was there before comes
    back where the exchange is broken off.
    """
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out.resolve().parent, prefix=f".{out.name}."))
    try:
        new = beside / out.resolve().name
        with _writing(out):
            new.mkdir()
        yield new
        with _writing(out):
            check_place(out, overwrite, ())
            _exchange(new, out.resolve(), beside / ".replaced" if overwrite else None)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _exchange(new: Path, out: Path, aside: Path | None) -> None:
    """``new`` in the place of ``out``, which goes ``aside``, or must be empty or absent where that is None."""
    try:
        if aside is not None and out.exists():
            os.rename(out, aside)
        os.rename(new, out)
    except BaseException:
        if aside is not None and aside.exists() and not out.exists():
            os.rename(aside, out)
        raise


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}; choose another place") from error


def write_adapter(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """The two files of an adapter."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: x.contiguous() for name, x in tensors.items()}, folder / WEIGHTS, metadata={"format": "pt"})
    except SafetensorError as error:
        raise InputError(f"cannot write {WEIGHTS}: {error}; free some room") from error
    with _writing(Path(CONFIG)):
        (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
