"""The command as a user meets it: grids of one's own, bad input, the JSON document, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proofs_checks import cli
from proofs_checks.sweep.run import words

SMALL = ("--depths", "4,8", "--eta", "0.5,2", "--tokens", "3", "--dim", "3", "--seeds", "6")


def swept(tmp_path: Path, *more: str) -> tuple[int, dict]:
    target = tmp_path / "out.json"
    code = cli.main(["sweep", *more, "--out", str(tmp_path / "run"), "--json", str(target)])
    return code, json.loads(target.read_text()) if target.exists() else {}


def test_a_grid_of_ones_own_is_the_product_of_its_lists(tmp_path: Path) -> None:
    code, found = swept(tmp_path, "norm", *SMALL[:-4], "--dim", "3,4", "--rank", "1,2", "--adapters", "tied,ar1:0.3",
                        "--seeds", "6", "--collapsed")  # fmt: skip
    assert code in (0, 1)
    names = {row["family"] for row in found["critical"]}
    assert len(names) == 8
    assert "ar1:0.3, n = 3, d = 4, r = 2, gap 0.5" in names
    assert found["items"] == 8 * 2 == found["computed"]
    assert {"schema", "command", "versions", "seed", "laws", "memory"} <= set(found)


def test_depth_gap_and_spectrum(tmp_path: Path) -> None:
    code, found = swept(tmp_path / "a", "depth", "--epsilon", "1e-3,1e-5", "--gap", "0.2")
    assert code == 0
    assert all(x["agrees"] for x in found["laws"])
    code, found = swept(tmp_path / "b", "gap", "--barrier", "0.5,1", "--seeds", "50")
    assert [x["predicted"] > 1 for x in found["laws"]] == [True, True]
    code, found = swept(tmp_path / "c", "norm", "--depths", "4", "--eta", "1", "--seeds", "2", "--step", "0.1",
                        "--spectrum", "1,0.5,-0.5", "--tokens", "2")  # fmt: skip
    assert found["critical"][0]["family"].startswith("random, n = 2, d = 3")


@pytest.mark.parametrize(
    ("options", "words_"),
    [
        (["norm", "--eta", "0,1"], "--eta 0,1: 0 is not a positive number"),
        (["norm", "--eta", "1:2"], "FIRST:LAST:COUNT"),
        (["norm", "--eta", "nan"], "not a positive number"),
        (["norm", "--eta", "1:2:0"], "1 to 1000 values"),
        (["norm", "--eta", "0:2:5"], "both ends must be positive"),
        (["norm", "--depths", "2.5"], "not a whole number"),
        (["norm", "--depths", "0"], "not a positive number"),
        (["norm", "--tokens", "100000"], "whole number from 1 to 65,536"),
        (["norm", "--dim", "1"], "d must be 2 or more"),
        (["norm", "--adapters", "orthogonal"], "known are random, tied"),
        (["norm", "--adapters", "random:0.5"], "known are random, tied"),
        (["norm", "--adapters", "ar1:1.5"], "must be in (0, 1)"),
        (["norm", "--time", "1", "--step", "0.1"], "not both"),
        (["norm", "--time", "1,2"], "one value"),
        (["norm", "--spectrum", "0.5,1"], "the largest first"),
        (["norm", "--spectrum", "1,x"], "give numbers"),
        (["norm", "--spectrum", "1,0", "--gap", "0.5"], "leave out"),
        (["norm", "--epsilon", "0.1"], "means nothing to sweep norm"),
        (["depth", "--eta", "1"], "means nothing to sweep depth"),
        (["depth", "--epsilon", "0.9"], "ε = 0.9"),
        (["gap", "--barrier", "50"], "at most 8"),
        (["norm", "--threshold", "3"], "threshold"),
        (["norm", "--device", "nowhere"], "--device nowhere"),
        (["norm", "--adapters", "random,random"], "given twice"),
        (["norm", "--gap", "0.5,0.5000001"], "too near to tell apart"),
        (["gap", "--barrier", "1", "--gap", "1,1.0000001"], "too near to tell apart"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words_: str
) -> None:
    assert cli.main(["sweep", *options, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert words_ in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [["--seeds", "0"], ["--jobs", "0"], ["--seeds", "x"]])
def test_usage_errors(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", "norm", *options, "--out", str(tmp_path)])
    assert stop.value.code == 2


def test_it_does_not_write_over_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert swept(tmp_path, "norm", *SMALL)[0] in (0, 1)
    assert swept(tmp_path, "norm", *SMALL)[0] == 2
    assert "--resume" in capsys.readouterr().err
    assert swept(tmp_path, "norm", *SMALL, "--resume", "--seed", "3")[0] == 2
    assert "another seed" in capsys.readouterr().err
    code, found = swept(tmp_path, "norm", *SMALL, "--resume")
    assert (code in (0, 1), found["computed"]) == (True, 0)


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["sweep", "norm", *SMALL, "--out", str(tmp_path / "file" / "run")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_report_of_short_runs_and_of_runs_of_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = ("--step", "0.1", "--depths", "4,8,16", "--eta", "1:100:4", "--tokens", "2", "--seeds", "6")
    for place in ("a", "b"):
        assert cli.main(["sweep", "norm", *grid, "--out", str(tmp_path / place / "my run")]) == 0
    runs = [str(tmp_path / place / "my run") for place in ("a", "b")]
    assert cli.main(["report", runs[0], "--out", str(tmp_path / "report")]) == 0
    assert "loraproofs report &#x27;my run&#x27;" in (tmp_path / "report" / "report.html").read_text()
    capsys.readouterr()
    assert cli.main(["report", *runs, "--out", str(tmp_path / "both")]) == 2
    assert "two runs are named my run" in capsys.readouterr().err
    manifest = tmp_path / "a" / "my run" / "sweep.json"
    manifest.write_text(manifest.read_text().replace('"kind": "norm"', '"kind": "other"'))
    assert cli.main(["report", runs[0], "--out", str(tmp_path / "both")]) == 2
    assert "no sweep of this version" in capsys.readouterr().err


def test_ctrl_c_keeps_what_is_there(tmp_path: Path) -> None:
    grid = ("--depths", "512", "--eta", "0.1:10:12", "--seeds", "60", "--block", "4")
    command = [sys.executable, "-m", "proofs_checks.cli", "sweep", "norm", *grid, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=_interruptible)
    end = time.monotonic() + 120
    while len(list(tmp_path.rglob("*.parquet"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"--resume" in errors
    assert 2 <= len(list(tmp_path.rglob("*.parquet"))) < 15
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(".")]


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)


def test_remaining_times_in_words() -> None:
    assert [words(x) for x in (-1, 5.4, 600, 7_200)] == [
        "about 0 s left", "about 5 s left", "about 10 min left", "about 2.0 h left",
    ]  # fmt: skip
