"""What the commands print."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zarrfs.mounts import control, doctor, install, state, unmount
from zarrfs.mounts.doctor import Check
from zarrfs.mounts.state import MountInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[..., tuple[int, str, str]]

DATA = Path(__file__).parents[1] / "data" / "bcsd" / "bcsd_v3.zarr.zip"


def test_info_of_an_array(zarrfs: Program) -> None:
    code, output, _ = zarrfs("info", DATA / "bcsd_v3.zarr" / "tas")
    lines = {line[:20].strip(): line[20:] for line in output.splitlines()}
    assert code == 0
    assert lines["kind"] == "array"
    assert lines["shape"] == "[12, 33, 81]"
    assert lines["data type"] == "float32"
    assert lines["codecs"] == "bytes(endian=little)"
    assert "zstd(level=1, checksum=false)" in output
    assert lines["raw size"] == "125.3 KiB"
    assert lines["objects stored"] == "1"
    assert lines["views"] == "bin: yes"
    assert "units: C" in output


def test_info_as_json(zarrfs: Program) -> None:
    code, output, _ = zarrfs("info", DATA / "bcsd_v3.zarr" / "tas", "--json")
    info = json.loads(output)
    assert code == 0
    assert info["shape"] == [12, 33, 81]
    assert info["views"] == {"bin": None, "npy": None}


def test_names_and_attributes_are_shown_on_one_line(zarrfs: Program, tmp_path: Path) -> None:
    path = tmp_path / "d.zarr" / "a\nb\x1b[2J\udcff"
    arguments = ("--shape", "1", "--dtype", "u1", "--attributes", '{"k\\n": "v\\u001b"}')
    code, output, _ = zarrfs("create", path, *arguments)
    assert (code, output.count("\n")) == (0, 1)
    assert r"created array /a\nb\x1b[2J\udcff: uint8" in output
    assert r"children     a\nb\x1b[2J\udcff: array" in zarrfs("info", path.parent)[1]
    assert r"attributes          k\n: v\x1b" in zarrfs("info", path)[1]
    assert r"a\nb\x1b[2J\udcff uint8 (1,)" in zarrfs("tree", path.parent)[1]


def test_info_of_a_group(zarrfs: Program) -> None:
    code, output, _ = zarrfs("info", DATA / "bcsd_v3.zarr")
    assert code == 0
    assert "tas: array" in output


def test_info_says_why_a_view_is_missing(zarrfs: Program, tmp_path: Path) -> None:
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [2],
        "data_type": "string",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": "default",
        "fill_value": "",
        "codecs": ["vlen-utf8"],
    }
    (tmp_path / "zarr.json").write_text(json.dumps(document))
    code, output, _ = zarrfs("info", tmp_path)
    assert code == 0
    assert "bin: its elements (string) have no fixed size" in output
    assert re.search(r"^raw size +-$", output, re.MULTILINE)
    assert "dimension names" in output


@pytest.mark.parametrize("command", ["info", "tree"])
def test_no_node_is_a_failure(command: str, zarrfs: Program, tmp_path: Path) -> None:
    code, output, message = zarrfs(command, tmp_path / "none")
    assert (code, output) == (1, "")
    assert message.startswith("zarrfs: ")
    assert str(tmp_path / "none") in message


@pytest.mark.parametrize("command", ["info", "tree"])
def test_unknown_store_option_is_wrong_usage(command: str, zarrfs: Program) -> None:
    code, _, message = zarrfs(command, DATA, "-o", "colour=red")
    assert code == 2
    assert "colour" in message


def test_tree_of_a_store(zarrfs: Program) -> None:
    code, output, _ = zarrfs("tree", DATA)
    assert code == 0
    assert "── tas float32 (12, 33, 81)" in output


def test_tree_of_an_array(zarrfs: Program) -> None:
    code, output, _ = zarrfs("tree", DATA / "bcsd_v3.zarr" / "tas")
    assert code == 0
    assert "tas" in output
    assert "(12, 33, 81)" in output


MOUNTS = [
    MountInfo(
        store="s3://b/x", mountpoint="/m", pid=7, since="2026-01-01", mode="ro", state="busy"
    ),
    MountInfo(store="/y", mountpoint="/n", pid=None, since=None, mode="rw", state="dead"),
]


def test_list(zarrfs: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "list_mounts", lambda: MOUNTS)
    assert zarrfs("list")[1].splitlines() == [
        "STORE     MOUNTPOINT  PID  SINCE       MODE  STATE",
        "s3://b/x  /m          7    2026-01-01  ro    busy",
        "/y        /n          -    -           rw    dead",
    ]
    assert json.loads(zarrfs("list", "--json")[1])[1] == {
        "store": "/y",
        "mountpoint": "/n",
        "pid": None,
        "since": None,
        "mode": "rw",
        "state": "dead",
    }
    monkeypatch.setattr(state, "list_mounts", lambda: [])
    assert zarrfs("list") == (0, "", "")
    assert zarrfs("list", "--json") == (0, "[]\n", "")


def test_watching_redraws_until_interrupted(
    zarrfs: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[dict[str, Any]] = [{"n": 1}, {"n": 2}]

    def answer(mountpoint: str, command: str) -> dict[str, Any]:
        if not answers:
            raise KeyboardInterrupt
        return answers.pop(0)

    monkeypatch.setattr(control, "ask_mount", answer)
    monkeypatch.setattr("zarrfs.cli.stats.WATCH_SECONDS", 0)
    code, output, _ = zarrfs("stats", "/m", "--watch")
    assert code == 130
    assert [line.split() for line in output.splitlines()] == [["n", "1"], ["n", "2"]]


def test_detached_mount_that_is_still_used_is_told(
    zarrfs: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmount, "unmount", lambda path, lazy, timeout: False)
    code, _, message = zarrfs("umount", "/m", "--lazy")
    assert code == 0
    assert "its daemon ends when the last open file is closed" in message


def test_doctor_prints_faults_with_their_remedies(
    zarrfs: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [
        Check(name="a", ok=True, found="fine"),
        Check(name="long name", ok=False, found="broken", remedy="mend it"),
        Check(name="c", ok=None, found="so so", remedy="or not"),
    ]
    monkeypatch.setattr(doctor, "run_checks", lambda: checks)
    code, output, _ = zarrfs("doctor")
    assert code == 1
    assert output.splitlines() == [
        "ok     a          fine",
        "FAULT  long name  broken",
        "                  mend it",
        "note   c          so so",
        "                  or not",
    ]
    assert json.loads(zarrfs("doctor", "--json")[1])[1]["remedy"] == "mend it"
    monkeypatch.setattr(doctor, "run_checks", lambda: checks[:1])
    assert zarrfs("doctor")[0] == 0


def test_install_helper_tells_what_it_did(zarrfs: Program, tmp_path: Path) -> None:
    code, output, _ = zarrfs("install-helper", "--prefix", tmp_path)
    assert code == 0
    assert f"installed {tmp_path}/sbin/mount.zarrfs\n" in output
    assert zarrfs("install-helper", "--prefix", tmp_path) == (0, "", "")
    assert (
        f"removed {tmp_path}/bin/zarrfs\n"
        in zarrfs("install-helper", "--prefix", tmp_path, "--remove")[1]
    )


def test_install_helper_without_prefix_reminds_of_systemd(
    zarrfs: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "install", lambda places: [])
    output = zarrfs("install-helper")[1]
    assert ("systemctl daemon-reload" in output) == Path("/run/systemd/system").exists()
