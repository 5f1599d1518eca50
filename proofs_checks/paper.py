"""Put LaTeX files in their place, all or none, and build the book with latexmk."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from proofs_checks.errors import InputError
from theory.tex import BOOK_FILE

GET_LATEXMK = "apt-get install latexmk texlive-latex-extra texlive-fonts-recommended lmodern"


def require_latexmk() -> None:
    """Raise :class:`InputError` with what to install where latexmk or pdflatex is missing."""
    if not (shutil.which("latexmk") and shutil.which("pdflatex")):
        raise InputError(f"the PDF is built by latexmk, which is not here; on Debian: {GET_LATEXMK}")


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write all files below ``folder``: first beside their places, so that a full disk leaves nothing half-written.

    Raises :class:`InputError` where the folder cannot be made or written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder} is a file; name a directory")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as place:
            for name, text in texts.items():
                (Path(place) / name).write_text(text, encoding="utf-8")
            for name in texts:
                (Path(place) / name).replace(folder / name)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}; choose another place or free some room") from error
    return [folder / name for name in texts]


def build_pdf(folder: Path) -> Path:
    """Build ``book.pdf`` from the files in ``folder``; nothing else is left there.

    Raises :class:`InputError` with the first line of LaTeX's complaint where it fails.
    """
    require_latexmk()
    with tempfile.TemporaryDirectory() as place:
        command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", f"-outdir={place}", BOOK_FILE]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        built = Path(place) / BOOK_FILE.replace(".tex", ".pdf")
        log = built.with_suffix(".log")
        if done.returncode != 0 or not built.exists():
            text = log.read_text(errors="replace") if log.exists() else done.stdout
            complaint = next((line for line in text.splitlines() if line.startswith("!")), "latexmk failed")
            raise InputError(f"the PDF was not built: {complaint}")
        target = folder / built.name
        try:
            shutil.copyfile(built, target)
            shutil.copyfile(log, target.with_suffix(".log"))
        except OSError as error:
            raise InputError(f"cannot write {target}: {error.strerror}") from error
    return target
