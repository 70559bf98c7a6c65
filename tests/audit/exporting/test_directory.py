"""Exports, checked by the program that is in them, run as an auditor runs it."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.audit.writing import BY, record, record_many, seal, seal_all, signed
from trueup.audit import service as audit
from trueup.audit.exporting import directory, files
from trueup.audit.exporting.values import Chosen
from trueup.audit.retention import erasing
from trueup.kernel.errors import Broken, Conflict, Refused, Unavailable
from trueup.runtime import database

pytestmark = pytest.mark.usefixtures("db", "home")
START = datetime(2026, 11, 1, tzinfo=UTC)
TOOL = [sys.executable, "-I", "-S"]


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def export(folder: Path, **given: Any) -> directory.Exported:
    """Export the live log."""
    fields: dict[str, Any] = {"livemode": True, "by": BY, "tell": quiet}
    return directory.export(folder, **(fields | given))


def verified(folder: Path) -> dict[str, Any]:
    """What the program in the export says of it."""
    ended = subprocess.run(
        [*TOOL, str(folder / "verify.py"), "--json"], capture_output=True, text=True, check=False, timeout=60
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == (0 if told["verified"] else 2 if "unreadable" in told else 1), ended.stderr
    return told


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of an export."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture
def log() -> int:
    """A log of some six hundred entries that tell of two customers; gives its size."""
    for number in range(3):
        record_many(200, why="Ada asked.", at=START + timedelta(days=number), subject="customer:cus_1")
        seal()
    record(why="Grace asked.", after={"name": "Grace"}, at=START + timedelta(days=3), subject="customer:cus_2")
    seal_all()
    return signed().size


def test_an_export_verifies_and_says_what_is_in_it(log: int, tmp_path: Path) -> None:
    done = export(tmp_path / "export")

    told = verified(tmp_path / "export")
    assert told["problems"] == []
    assert (told["verified"], told["size"], told["entries"], told["minimum"]) == (True, log, log, 0)
    assert (done.size, done.entries, done.values, told["disclosures"]) == (log, log, 0, 0)
    assert (done.root, done.origin) == (told["root"], told["origin"])
    assert stat.S_IMODE((tmp_path / "export").stat().st_mode) == 0o700
    found = contents(tmp_path / "export")
    said = json.loads(found.pop("manifest.json"))
    assert {name: one["sha256"] for name, one in said["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in found.items()
    }
    assert b"asked." not in b"".join(found.values())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".export")] == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("tile/entries/001", "entry 256 does not hash to its leaf"),
        ("tile/0/001", "entry 256 does not hash to its leaf"),
        ("tile/1/000.p/2", "tile 1/0 hash 0 is not the hash of tile 0/0"),
    ],
)
def test_a_flipped_byte_is_found_and_its_place_named(log: int, tmp_path: Path, path: str, problem: str) -> None:
    export(tmp_path / "export")
    file = tmp_path / "export" / path
    body = bytearray(file.read_bytes())
    body[10] ^= 1
    file.write_bytes(body)

    told = verified(tmp_path / "export")

    assert not told["verified"]
    assert told["problems"][0] == problem


def test_only_what_was_chosen_is_disclosed(log: int, tmp_path: Path) -> None:
    cases: dict[str, tuple[Chosen, int]] = {
        "all": (Chosen(everything=True), 602),
        "whom": (Chosen(subjects=("customer:cus_2",)), 2),
        "fields": (Chosen(fields=("after.name",)), 1),
        "both": (Chosen(subjects=("customer:cus_2",), fields=("why",)), 1),
        "nobody": (Chosen(subjects=("customer:cus_9",)), 0),
    }

    for name, (chosen, count) in cases.items():
        done = export(tmp_path / name, chosen=chosen)
        told = verified(tmp_path / name)
        assert (name, done.values, told["disclosures"], told["problems"]) == (name, count, count, [])

    assert (tmp_path / "both" / "disclosures.jsonl").read_bytes().count(b"\n") == 1
    assert not (tmp_path / "nobody" / "disclosures.jsonl").exists()


def test_what_was_erased_is_in_no_later_export(log: int, tmp_path: Path) -> None:
    erasing.erase(subjects=["customer:cus_1"], why="Article 17.", by=BY)
    seal_all()

    done = export(tmp_path / "export", chosen=Chosen(everything=True))

    assert verified(tmp_path / "export")["verified"]
    assert (done.values, done.values_lost) == (3, 0), "what is told of cus_2, and why the other was erased"


def test_that_it_is_made_is_on_record_before_and_after(log: int, tmp_path: Path) -> None:
    export(tmp_path / "export", chosen=Chosen(subjects=("customer:cus_2",)), why="The audit of 2026.")

    after, before = audit.entries(database.connection(), action="audit.export.made", opened=True)
    chosen = {"everything": False, "subjects": ["customer:cus_2"], "fields": []}
    assert (before.phase.value, before.why) == ("intent", "The audit of 2026.")
    assert before.after == {"size": log, "minimum": 0, "chosen": chosen}
    assert (after.phase.value, after.intent) == ("succeeded", before.id)
    assert after.after == {"size": log, "minimum": 0, "chosen": chosen, "values": 2}


def test_two_exports_of_the_same_log_are_the_same_and_so_are_their_archives(log: int, tmp_path: Path) -> None:
    span: dict[str, Any] = {"until": START + timedelta(days=4), "chosen": Chosen(everything=True)}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        export(tmp_path / name / "export", **span)

    first, second = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert first == second
    archives = [files.archive(tmp_path / name / "export", quiet) for name in ("one", "two")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert stat.S_IMODE(archives[0].stat().st_mode) == 0o600
    with zipfile.ZipFile(archives[0]) as packed:
        packed.extractall(tmp_path / "unpacked")
    assert contents(tmp_path / "unpacked") == first


def test_a_span_begins_with_its_first_entry_and_ends_with_the_checkpoint_that_has_its_last(
    log: int, tmp_path: Path
) -> None:
    done = export(tmp_path / "export", since=START + timedelta(days=1), until=START + timedelta(days=2))

    told = verified(tmp_path / "export")
    assert told["problems"] == []
    # The log's own key was announced by its entry 200, in the present.
    assert (told["minimum"], told["size"]) == (200, 401)
    assert (done.minimum, done.size, done.entries) == (200, 401, 201)
    assert (tmp_path / "export" / "minimum").read_text(encoding="ascii") == "200\n"


def test_an_older_checkpoint_that_an_auditor_kept_is_verified_against_it(log: int, tmp_path: Path) -> None:
    export(tmp_path / "then", until=START + timedelta(days=2))
    export(tmp_path / "now")
    (tmp_path / "now" / "checkpoints").mkdir(exist_ok=True)
    kept = (tmp_path / "then" / "checkpoint").read_bytes()
    (tmp_path / "now" / "checkpoints" / "401").write_bytes(kept)

    told = verified(tmp_path / "now")

    assert told["problems"] == []
    assert told["older_checkpoints"] >= 1


def test_anchors_come_with_the_checkpoints_they_speak_of(log: int, tmp_path: Path) -> None:
    add = (
        "insert into audit_anchor (livemode, size, kind, destination, evidence)"
        " values (true, 401, 'timestamp', 'tsa.example', 'token'), (false, 401, 'timestamp', 'other.example', 'token')"
    )
    database.execute(add)

    done = export(tmp_path / "export")

    assert done.anchors == 1
    (anchor,) = (tmp_path / "export" / "anchors").iterdir()
    assert (anchor.name.partition("-")[0], anchor.suffix, anchor.read_bytes()) == ("401", ".tsr", b"token")
    note = database.execute("select note from audit_checkpoint where livemode and size = 401").fetchone()
    assert note is not None
    assert (tmp_path / "export" / "checkpoints" / "401").read_bytes() == note[0].encode()
    page = (tmp_path / "export" / "README.html").read_text(encoding="utf-8")
    assert f"openssl ts -verify -in anchors/{anchor.name} -data checkpoints/401" in page
    assert verified(tmp_path / "export")["problems"] == []


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.outside: list[str] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [str(value) for name, value in attrs if name in {"src", "href", "style"} or name[:2] == "on"]
        if tag != "meta":
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_tells_what_was_left_out(log: int, tmp_path: Path) -> None:
    export(tmp_path / "none")
    export(tmp_path / "some", chosen=Chosen(subjects=("customer:<b>",)), since=START + timedelta(days=1))

    none = (tmp_path / "none" / "README.html").read_text(encoding="utf-8")
    some = (tmp_path / "some" / "README.html").read_text(encoding="utf-8")
    for text in (none, some):
        page = Page(text)
        assert (page.open, page.outside) == ([], [])
        assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
        assert "http" not in text.replace("https://tsa", "")
        assert "$" not in text
        assert "@media print" in text
        assert "prefers-color-scheme: dark" in text
    assert "No personal value is disclosed in this export." in none
    assert "It holds every entry from the very first one on." in none
    assert "Personal values of <code>customer:&lt;b&gt;</code> were chosen for this export: 0 are in" in some
    assert "It begins with entry 200; those before it were left out of this export." in some
    verifier = hashlib.sha256((tmp_path / "none" / "verify.py").read_bytes()).hexdigest()
    assert verifier in none


def test_a_folder_that_holds_something_is_left_alone(log: int, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    export(tmp_path / "export")

    before = contents(tmp_path / "export")
    with pytest.raises(Conflict, match="is not empty"):
        export(tmp_path / "export")
    assert contents(tmp_path / "export") == before
    assert len(audit.entries(database.connection(), action="audit.export.made")) == 2


def test_an_export_that_cannot_be_written_leaves_nothing_and_is_on_record(log: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(Unavailable, match="could not be written"):
        export(tmp_path / "file" / "export")

    def stop(what: str, _done: int, _total: int) -> None:
        if what == "Entries":
            raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="No space left"):
        export(tmp_path / "export", tell=stop)

    assert {path.name for path in tmp_path.iterdir()} == {"home", "file"}
    after, before = audit.entries(database.connection(), action="audit.export.made")
    assert (before.phase.value, after.phase.value) == ("intent", "failed")


def test_an_entry_that_is_missing_is_named(log: int, tmp_path: Path) -> None:
    database.execute("set session_replication_role = replica")
    database.execute("delete from audit_logentry where id = (select entry_id from audit_leaf where leaf_index = 300)")
    database.execute("reset session_replication_role")

    with pytest.raises(Broken, match="Entry 300 is missing"):
        export(tmp_path / "export")


def test_nothing_is_exported_before_something_is_signed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no signed checkpoint"):
        export(tmp_path / "export")


def test_a_span_without_entries_is_refused(log: int, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no entries in that span"):
        export(tmp_path / "export", since=datetime(2100, 1, 1, tzinfo=UTC))
    assert not (tmp_path / "export").exists()
