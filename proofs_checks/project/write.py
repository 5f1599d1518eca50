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
def filled(out: Path) -> Iterator[Path]:
    """A directory beside ``out`` to fill; it takes the place of ``out`` at the end, and is removed on any error."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out.resolve().parent, prefix=f".{out.name}."))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}; choose another place") from error
    try:
        new = beside / out.resolve().name
        new.mkdir()
        yield new
        if out.exists():
            os.rename(out, beside / ".replaced")
        os.rename(new, out)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror or error}; choose another place") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_adapter(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """The two files of an adapter."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: x.contiguous() for name, x in tensors.items()}, folder / WEIGHTS, metadata={"format": "pt"})
    except SafetensorError as error:
        raise InputError(f"cannot write {folder / WEIGHTS}: {error}; free some room") from error
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
