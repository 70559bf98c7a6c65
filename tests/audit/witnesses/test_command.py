"""`trueup audit witness`: a process of its own, with no database and no installation."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.notes.keyring import FIRST, LOG
from tests.audit.witnesses.logs import Tree
from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.keys import parse_key
from trueup.audit.notes.signed import parse_note
from trueup.audit.notes.witnessing import parse_cosignatures, render_add_checkpoint
from trueup.kernel.errors import Refused, Unavailable
from trueup.ops.commands.audit_witness import witness
from trueup.runtime import outgoing


def test_it_cosigns_until_it_is_interrupted_and_goes_on_where_it_was(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TRUEUP_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "trueup.ops.main", "audit", "witness", "--json", "--port", "0"]
    keys = set()
    for old_size, size in ((0, 3), (3, 300)):
        process = subprocess.Popen(
            [*command, "--dir", str(tmp_path / "witness"), "--log", str(LOG.key)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        request = Tree().request(old_size, size)

        answer = outgoing.post(f"{told['url']}/add-checkpoint", render_add_checkpoint(request), headers={})

        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, answer.status) == (0, 200), errors
        key = parse_key(told["key"])
        cosigned_at(parse_note(request.checkpoint).text, key, parse_cosignatures(answer.body)[0])
        keys.add(key)

    assert len(keys) == 1
    assert not (tmp_path / "home").exists()


def test_the_key_of_a_witness_is_no_logs(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is the key of a witness"):
        witness(folder=tmp_path, log=[str(FIRST.key)])


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Unavailable, match="Nothing can listen"):
        witness(folder=tmp_path, log=[str(LOG.key)], port=server.getsockname()[1])
