"""Builds ``kernel.cpp`` with the system's C++ compiler, once for each source, compiler and processor, and loads it.

The library lies in ``$XDG_CACHE_HOME/loraproofs`` (else ``~/.cache/loraproofs``). It is written to a name of its own
and then renamed, so that two processes may build at the same time. Environment: ``LORAPROOFS_KERNEL=off`` turns it off;
``CXX`` names the compiler (default: ``c++``, ``g++``, ``clang++``, the first that is there).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SWITCH = "LORAPROOFS_KERNEL"
SOURCE = Path(__file__).with_name("kernel.cpp")
_FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-pthread")
_NATIVE = "-march=native"
_SECONDS = 300


class BuildError(RuntimeError):
    """The kernel cannot be built or loaded; the message is one line."""


@dataclass(frozen=True)
class Library:
    """The loaded kernel and what its bits depend on: source, compiler and processor."""

    functions: ctypes.CDLL
    identity: str


@cache
def library() -> Library | None:
    """The kernel, or None where it is turned off or cannot be built: then one line on stderr says so, once."""
    setting = os.environ.get(SWITCH, "on").lower()
    if setting in ("off", "0", "no", "false"):
        return None
    try:
        return load()
    except (BuildError, OSError) as error:
        print(f"loraproofs: no compiled kernel ({_one_line(str(error))}): slower, in pure torch", file=sys.stderr)
        return None


def identity() -> str:
    """Source, compiler and processor of the kernel in use; empty for pure torch. Results with equal ones are equal."""
    found = library()
    return "" if found is None else found.identity


def load() -> Library:
    """Build the kernel where it is not in the cache yet, and load it. Raises :class:`BuildError` or OSError."""
    command = compiler()
    parts = (SOURCE.read_text(encoding="utf-8"), *_FLAGS, _NATIVE, _version(command), processor())
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    path = cache_folder() / f"kernel-{name}.so"
    if not path.exists():
        _build(command, path)
    try:
        return Library(_declared(ctypes.CDLL(str(path))), name)
    except (OSError, AttributeError):  # a torn file, of a full disk or another system: once more
        path.unlink(missing_ok=True)
        _build(command, path)
        return Library(_declared(ctypes.CDLL(str(path))), name)


def compiler() -> str:
    """The compiler's path. Raises :class:`BuildError` where there is none."""
    wanted = os.environ.get("CXX")
    for name in [wanted] if wanted else ["c++", "g++", "clang++"]:
        found = shutil.which(name)
        if found:
            return found
    raise BuildError(f"no C++ compiler {wanted} is found" if wanted else "no C++ compiler is found")


def cache_folder() -> Path:
    """Where libraries are kept, in the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "loraproofs"


@cache
def processor() -> str:
    """What ``-march=native`` may look at: architecture, model and instructions of the processor."""
    lines = {platform.machine(), platform.system(), platform.processor()}
    info = Path("/proc/cpuinfo")
    if info.exists():
        wanted = ("model name", "cpu family", "model", "stepping", "flags", "Features", "CPU part")
        text = info.read_text(encoding="utf-8", errors="replace").splitlines()
        lines |= {line.strip() for line in text if line.partition(":")[0].strip() in wanted}
    return "\n".join(sorted(lines))


def _version(command: str) -> str:
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise BuildError(f"{command} --version fails: {done.stderr}")
    return done.stdout


def _build(command: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    os.close(handle)
    try:
        for native in ([_NATIVE], []):  # a compiler that does not know its processor
            call = [command, *_FLAGS, *native, str(SOURCE), "-o", name]
            done = subprocess.run(call, capture_output=True, text=True, timeout=_SECONDS, check=False)
            if not done.returncode:
                os.replace(name, path)
                return
        raise BuildError(f"{command} does not compile {SOURCE.name}: {done.stderr}")
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{command} takes longer than {_SECONDS} s") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _declared(functions: ctypes.CDLL) -> ctypes.CDLL:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    functions.loraproofs_flow.argtypes = [pointer, pointer]
    functions.loraproofs_layer.argtypes = [pointer]
    functions.loraproofs_take_records.argtypes = [count, count, *[pointer] * 6]
    functions.loraproofs_take_records.restype = None
    functions.loraproofs_exponential.argtypes = [count, pointer, pointer]
    functions.loraproofs_exponential.restype = None
    return functions


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) < 200 else f"{line[:200]} ..."
