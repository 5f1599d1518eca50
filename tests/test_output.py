"""Writing results: whole files, and places that are no regular files."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from proofs_checks.errors import InputError
from proofs_checks.output import write_text


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    write_text(pipe, "{}\n")
    reader.join(timeout=10)
    assert read == ["{}\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "far" / "real.json")
    write_text(link, "first")  # the target need not exist yet
    write_text(link, "second")
    assert link.is_symlink()
    assert (tmp_path / "far" / "real.json").read_text(encoding="utf-8") == "second"


@pytest.mark.parametrize("name", ["folder", "loop"])
def test_what_cannot_be_written_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot write"):
        write_text(tmp_path / name, "{}")
    assert (tmp_path / "folder").is_dir()
    assert (tmp_path / "loop").is_symlink()


def test_a_full_device_is_refused_and_stays_a_device() -> None:
    full = Path("/dev/full")
    if not full.is_char_device() or (os.geteuid() == 0 and os.access("/dev", os.W_OK)):
        pytest.skip("needs /dev/full, and no right to replace it")
    with pytest.raises(InputError, match="No space left"):
        write_text(full, "{}")


@pytest.mark.parametrize("command", [["matrix"], ["matrix", "--json", "-"], ["show", "prop-3.3/drift"]])
def test_a_reader_that_leaves_early_is_no_error(command: list[str]) -> None:
    """As `loraproofs matrix | true`: no traceback, and the code that a shell gives to other programs."""
    words = [sys.executable, "-m", "proofs_checks.cli", *command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert "Traceback" not in errors
    assert "Error" not in errors
