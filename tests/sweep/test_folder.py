"""What is written, and what is refused: other results are never mixed or overwritten, nothing is half there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proofs_checks.errors import InputError
from proofs_checks.sweep import folder as module
from proofs_checks.sweep.families import Clouds, Escapes, Passages, Sweep
from proofs_checks.sweep.folder import Folder, opened
from proofs_checks.sweep.items import compute, fingerprint, items_of
from proofs_checks.sweep.run import run

SMALL = Clouds("small", etas=(0.5, 2.0), depths=(4, 8), seeds=5, block=3, tokens=3, levels=(1.0, 0.5, 0.0))
SWEEP = Sweep("norm", (SMALL, Passages("jump", epsilons=(0.1,)), Escapes("out", (0.5,), h=0.1, seeds=4, block=4)), 1)


@pytest.fixture
def finished(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "run")
    folder.begin(SWEEP, "cpu", resume=False)
    assert run(items_of(SWEEP), folder) == 6
    return folder


def test_rows_carry_their_point_and_replica_and_the_last_block_is_cut(finished: Folder) -> None:
    table = finished.tables(SWEEP, "cpu")["small"]
    assert len(table["w2"]) == 2 * 5 * 2
    assert table["depth"].tolist() == [4] * 10 + [8] * 10
    assert table["replica"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] * 2
    assert set(finished.tables(SWEEP, "cpu")) == {"small", "jump", "out"}


def test_a_sweep_on_disk_is_read_as_it_was(finished: Folder) -> None:
    folder, sweep, device = opened(finished.root)
    assert (sweep, device) == (SWEEP, "cpu")
    assert folder.tables(sweep, device)["jump"]["time"].shape == (1,)


def test_nothing_is_computed_twice(finished: Folder) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.root.rglob("*.parquet")}
    assert run(items_of(SWEEP), finished) == 0
    assert {p: p.stat().st_mtime_ns for p in finished.root.rglob("*.parquet")} == before


def test_an_item_that_is_damaged_is_computed_again(finished: Folder) -> None:
    path = sorted((finished.root / "items").iterdir())[0]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert run(items_of(SWEEP), finished) == 1
    assert path.read_bytes() == content


def test_an_item_that_is_damaged_in_the_middle_is_computed_again(finished: Folder) -> None:
    path = sorted((finished.root / "items").iterdir())[0]
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(64) + content[68:])  # the footer is whole
    assert run(items_of(SWEEP), finished) == 1
    assert path.read_bytes() == content


def test_a_flipped_bit_is_seen_or_does_no_harm(finished: Folder) -> None:
    item = items_of(SWEEP)[0]
    path = finished.root / "items" / f"{item.key}.parquet"
    content, right = path.read_bytes(), finished.tables(SWEEP, "cpu")["small"]["w2"]
    seen = 0
    for place in np.random.default_rng(5).integers(0, len(content), 80):
        broken = bytearray(content)
        broken[place] ^= 16
        path.write_bytes(bytes(broken))
        try:
            assert np.array_equal(finished.tables(SWEEP, "cpu")["small"]["w2"], right)
        except InputError:
            seen += 1
    assert seen > 40


def test_a_missing_item_is_named(finished: Folder) -> None:
    next((finished.root / "items").iterdir()).unlink()
    with pytest.raises(InputError, match="--resume"):
        finished.tables(SWEEP, "cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "0" * 64}, "another version"),
        ({"seed": 7}, "another seed"),
        ({"device": "cuda"}, "another device"),
        ({"kind": "rank"}, "another sweep"),
    ],
)
def test_results_of_something_else_are_left_alone(finished: Folder, change: dict, words: str) -> None:
    path = finished.root / "sweep.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = {p: p.read_bytes() for p in finished.root.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match=words):
        finished.begin(SWEEP, "cpu", resume=True)
    assert {p: p.read_bytes() for p in finished.root.rglob("*") if p.is_file()} == before


def test_the_same_sweep_goes_on_only_when_asked(finished: Folder) -> None:
    with pytest.raises(InputError, match="--resume"):
        finished.begin(SWEEP, "cpu", resume=False)
    finished.begin(SWEEP, "cpu", resume=True)


def test_folders_with_other_things_files_and_unreadable_manifests_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="empty folder"):
        Folder(tmp_path).begin(SWEEP, "cpu", resume=False)
    with pytest.raises(InputError, match="is a file"):
        Folder(tmp_path / "notes.txt").begin(SWEEP, "cpu", resume=False)
    with pytest.raises(InputError, match="holds no sweep"):
        opened(tmp_path)
    for text in ("{", "[]", '{"schema": "other"}'):
        (tmp_path / "sweep.json").write_text(text)
        with pytest.raises(InputError, match=r"sweep\.json"):
            opened(tmp_path)


def test_a_full_disk_stops_it_and_what_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, written = Folder(tmp_path / "run"), []

    def write(path: Path, content: bytes) -> None:
        if len(written) == 2:
            raise InputError(f"cannot write {path}: No space left on device; choose another place or free some room")
        written.append(path)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    folder.begin(SWEEP, "cpu", resume=False)
    monkeypatch.setattr(module, "write_bytes", write)
    with pytest.raises(InputError, match="No space left"):
        run(items_of(SWEEP), folder)
    monkeypatch.undo()
    assert run(items_of(SWEEP), folder) == 4


def test_keys_depend_on_everything_that_the_numbers_depend_on() -> None:
    item = items_of(SWEEP)[0]
    others = [
        replace(item, seed=2), replace(item, number=1), replace(item, device="cuda"),
        replace(item, point=(("depth", 8),)), replace(item, family=replace(SMALL, amount=3.0)),
    ]  # fmt: skip
    assert len({item.key, *(x.key for x in others)}) == 6
    assert replace(item).key == item.key


def test_bytes_are_those_of_the_item_alone() -> None:
    """Neither the order, nor what ran before, nor the state of the global generator makes a difference."""
    items = items_of(SWEEP)
    forward = {i.key: compute(i, fingerprint()) for i in items}
    np.random.default_rng().random()
    backward = {i.key: compute(i, fingerprint()) for i in reversed(items)}
    assert forward == backward
    assert len(set(forward.values())) == len(items)


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(RuntimeError, match="another version"):
        compute(items_of(SWEEP)[0], "0" * 64)


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (replace(SMALL, seeds=0), "seeds"),
        (replace(SMALL, adapters="ar1"), "correlation"),
        (replace(SMALL, threshold=1.5), "threshold"),
        (replace(SMALL, levels=(1.0, -30.0), depths=(2,)), "step smaller"),
        (replace(SMALL, tokens=65_536, block=10_000, levels=(1.0,) * 64), "GiB"),
        (Passages("p", epsilons=(0.9,)), "ε"),
        (Passages("p", epsilons=(0.1,), gap=2.0), "gap"),
        (Passages("p", epsilons=(0.1,), d=2, tokens=4), "room"),
        (Escapes("e", (20.0,)), "at most 8"),
    ],
)
def test_families_without_sense_are_refused(family, words: str) -> None:
    from proofs_checks.sweep.families import checked

    with pytest.raises(InputError, match=words):
        checked(family)
