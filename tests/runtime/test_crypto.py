"""The installation's key, and what it seals."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trueup.runtime.crypto import KeyInvalid, Sealer, Unsealable, decode_key, load_key

KEY = bytes(range(32))
ENCODED = base64.b64encode(KEY).decode()


@given(st.binary(max_size=400), st.text(max_size=40))
def test_what_was_sealed_opens_for_its_purpose(plain: bytes, purpose: str) -> None:
    assert Sealer(KEY).open(Sealer(KEY).seal(plain, purpose=purpose), purpose=purpose) == plain


@given(st.binary(min_size=8, max_size=100), st.data())
def test_a_single_changed_bit_does_not_open(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(Sealer(KEY).seal(plain, purpose="a.b"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(Unsealable):
        Sealer(KEY).open(bytes(sealed), purpose="a.b")


@given(st.binary(max_size=60), st.data())
def test_a_sealed_value_cut_short_does_not_open(plain: bytes, data: st.DataObject) -> None:
    sealed = Sealer(KEY).seal(plain, purpose="a.b")

    with pytest.raises(Unsealable):
        Sealer(KEY).open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], purpose="a.b")


@given(st.binary(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_value_moved_into_another_column_does_not_open(plain: bytes, one: str, other: str) -> None:
    assume(one != other)

    with pytest.raises(Unsealable):
        Sealer(KEY).open(Sealer(KEY).seal(plain, purpose=one), purpose=other)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_another_key_does_not_open_and_the_remedy_is_named(one: bytes, other: bytes) -> None:
    assume(one != other)

    with pytest.raises(Unsealable) as refused:
        Sealer(other).open(Sealer(one).seal(b"plain", purpose="a.b"), purpose="a.b")
    assert "TRUEUP_SECRET_KEY" in refused.value.hint


def test_the_same_value_sealed_twice_looks_different_and_never_shows_through() -> None:
    sealer = Sealer(KEY)
    sealed = {sealer.seal(b"whsec_plain_and_simple", purpose="a.b") for _ in range(50)}

    assert len(sealed) == 50
    assert not any(b"whsec" in value for value in sealed)


def test_a_format_of_a_newer_version_is_told_apart() -> None:
    with pytest.raises(Unsealable, match="unknown format") as refused:
        Sealer(KEY).open(b"\x02" + bytes(40), purpose="a.b")
    assert "newer version" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "short", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), "ü" * 44, ENCODED[:-1]],
)
def test_a_key_that_is_not_32_bytes_in_base64_names_its_source_and_is_not_quoted(text: str) -> None:
    with pytest.raises(KeyInvalid) as refused:
        decode_key(text, source="TRUEUP_SECRET_KEY")
    assert refused.value.message == "TRUEUP_SECRET_KEY must be 32 bytes in base64."
    assert refused.value.hint == "Make one with: openssl rand -base64 32"


def test_a_key_is_taken_with_the_line_end_that_openssl_adds() -> None:
    assert decode_key(ENCODED + "\n", source="x") == KEY


def test_a_sealer_takes_a_whole_key_only() -> None:
    with pytest.raises(KeyInvalid, match="has 16 bytes; it must have 32"):
        Sealer(bytes(16))


def test_the_variable_wins_and_no_file_is_made(tmp_path: Path) -> None:
    assert load_key(text=ENCODED, path=tmp_path / "secret.key") == KEY
    assert list(tmp_path.iterdir()) == []


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"

    made = load_key(text="", path=path)

    assert len(made) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(text="", path=path) == made
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trueup.runtime.crypto import load_key\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.readline()\n"
        "sys.stdout.write(load_key(text='', path=Path(sys.argv[1])).hex())"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "secret.key")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True) for _ in range(6)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0] for process in running}

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    path.write_text(ENCODED, encoding="ascii")
    path.chmod(mode)

    with pytest.raises(KeyInvalid, match="can be read by others") as refused:
        load_key(text="", path=path)
    assert refused.value.hint == f"Run: chmod 600 {path}"


def test_a_key_file_with_something_else_in_it_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"\xff\xfe not a key")
    path.chmod(0o600)

    with pytest.raises(KeyInvalid, match=r"secret\.key must be 32 bytes in base64"):
        load_key(text="", path=path)


def test_a_place_where_no_key_file_can_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder", encoding="ascii")

    with pytest.raises(KeyInvalid, match="cannot be used") as refused:
        load_key(text="", path=tmp_path / "home" / "secret.key")
    assert "TRUEUP_SECRET_KEY_FILE" in refused.value.hint
