"""``trueup audit witness``: remember for others how large their logs are. It needs no database."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
import uvicorn

from trueup.audit.notes.keys import ED25519, VerifierKey, parse_key
from trueup.audit.witnesses import serving
from trueup.audit.witnesses.state import Witness
from trueup.kernel.errors import Refused, Unavailable
from trueup.ops import output

PORT: Final = 8090


def witness(
    folder: Annotated[Path, typer.Option("--dir", help="Its key, and what it remembers; made where it is missing.")],
    log: Annotated[
        list[str],
        typer.Option("--log", help="A log's verifier key, as `trueup audit keys list` prints it; again for each."),
    ],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = PORT,
    name: Annotated[str, typer.Option(help="The name of its key; without one it is made of the key.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Cosign checkpoints of these logs until Ctrl-C, and nothing that does not continue what was seen.

    Run it on a host whose administrators are not the log's, and name its key and address there in
    TRUEUP_AUDIT_WITNESSES. When a log's key is rotated, name the new key here too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logs = [_log(line) for line in log]
    made = Witness(folder.expanduser(), name=name)
    try:
        with _listening(host, port) as listener:
            url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
            if as_json:
                output.emit({"key": str(made.key), "url": url, "logs": [key.name for key in logs]})
                sys.stdout.flush()
            else:
                output.say(f"{made.key}={url}")
                output.say("Set that as TRUEUP_AUDIT_WITNESSES where the log is. Ctrl-C stops it.")
            uvicorn.Server(serving.configured(made, logs)).run(sockets=[listener])
    except KeyboardInterrupt:
        output.err.print("\nStopped.")


def _log(line: str) -> VerifierKey:
    key = parse_key(line)
    if key.kind != ED25519:
        raise Refused(f"{key.name} is the key of a witness and not of a log.", code="key_invalid")
    return key


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise Unavailable(
            f"Nothing can listen on {host} port {port}: {error.strerror}.",
            code="port_taken",
            hint="Name another with --port, or 0 for one that is free.",
        ) from None


def register(app: typer.Typer) -> None:
    """Add this command to those of the audit log."""
    app.command("witness")(witness)
