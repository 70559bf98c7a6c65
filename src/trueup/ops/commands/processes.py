"""Commands that serve and work."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import sys
from typing import Annotated, Final

import typer
from rich.markup import escape

from trueup.kernel.errors import Refused
from trueup.operators.set_up import service as set_up
from trueup.ops import output, schema
from trueup.ops.supervisor import Child, Supervisor
from trueup.runtime import configuration, installation

MODULES: Final = {"web": "trueup.config.asgi", "intake": "trueup.config.intake", "worker": "trueup.config.worker"}

Host = Annotated[
    str | None, typer.Option(help="Address to listen on; loopback unless told otherwise.", envvar="TRUEUP_HOST")
]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", envvar="TRUEUP_PORT")]
Cert = Annotated[str | None, typer.Option(help="Certificate file, to serve TLS.", envvar="TRUEUP_TLS_CERT")]
Key = Annotated[str | None, typer.Option(help="Its private key.", envvar="TRUEUP_TLS_KEY")]
Proxies = Annotated[
    str | None,
    typer.Option(help="Addresses of the TLS proxies in front, separated by commas.", envvar="TRUEUP_TRUSTED_PROXIES"),
]


def child_environment() -> dict[str, str]:
    """What a child process has to know, resolved: every setting, wherever it was set."""
    settings = configuration.current()
    known = {name: getattr(settings, field) for field, name in configuration.VARIABLES.items()}
    return {
        **{name: "" if value is None else str(value) for name, value in known.items()},
        # The embedded server's address is in no setting.
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "PYTHONUNBUFFERED": "1",
        # Every thread would otherwise keep an arena of its own; these processes are small and stay so.
        "MALLOC_ARENA_MAX": "2",
    }


def require_port(host: str, port: int) -> None:
    """Refuse before anything starts when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Cannot listen on {host}:{port}: {error.strerror}.",
                code="port_unavailable",
                hint="Set TRUEUP_PORT to a free port, or stop what uses this one.",
            ) from None


def require_certificate(settings: configuration.Configuration) -> None:
    """Refuse before anything starts when the certificate and its key cannot be served with."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for variable, path in (("TRUEUP_TLS_CERT", settings.tls_cert), ("TRUEUP_TLS_KEY", settings.tls_key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise configuration.ConfigurationInvalid(
                f"{variable}: {path} cannot be read: {error.strerror}.",
                hint="Name a file in PEM format that this user may read.",
            ) from None
    try:
        # An encrypted key would ask the terminal for its password, in a process that has none.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=lambda: b""
        )
    except (ssl.SSLError, ValueError):
        raise configuration.ConfigurationInvalid(
            "TRUEUP_TLS_CERT and TRUEUP_TLS_KEY are no certificate and its own, unencrypted key.",
            hint="Both are files in PEM format; the certificate's comes first, then its chain.",
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def children(environment: dict[str, str]) -> list[Child]:
    """Everything a small installation runs: one web process with the intake mounted, one worker."""
    return [Child(kind, MODULES[kind], environment | named(kind)) for kind in ("web", "worker")]


def named(kind: str) -> dict[str, str]:
    """What tells a process, and whoever looks at the database's connections, what it is."""
    return {"TRUEUP_PROCESS": kind, "PGAPPNAME": f"trueup {kind}"}


def up(
    host: Host = None, port: Port = None, tls_cert: Cert = None, tls_key: Key = None, trusted_proxies: Proxies = None
) -> None:
    """Run everything: console, API, webhooks and worker on one port, with the database if none is given."""
    del (
        host,
        port,
        tls_cert,
        tls_key,
        trusted_proxies,
    )  # Adopted into the configuration before this module was imported.
    settings = configuration.current()
    require_port(settings.host, settings.port)
    require_certificate(settings)
    schema.prepare()
    supervisor = Supervisor(children(child_environment()), every_tick=installation.look_after)
    supervisor.stop_on_signals()
    supervisor.start()
    output.err.print(f"Trueup runs at [bold]{escape(settings.base_url)}[/]. Ctrl-C stops it.")
    if not _is_loopback(settings.host) and not (settings.tls_cert or settings.trusted_proxies):
        output.err.print(
            "[yellow]It listens beyond this host without TLS.[/] Sign-ins can be read on the way; see docs/deploy."
        )
    say_set_up()
    supervisor.run()


def say_set_up() -> None:
    """While nobody may sign in, say where the first person makes themselves owner, and with what code."""
    if set_up.is_open():
        address = escape(configuration.current().base_url)
        output.err.print(f"Nobody can sign in yet. Become the owner at [bold]{address}/set-up[/]")
        output.err.print(f"with the code [bold]{set_up.code()}[/]", highlight=False)


def web(
    host: Host = None, port: Port = None, tls_cert: Cert = None, tls_key: Key = None, trusted_proxies: Proxies = None
) -> None:
    """Run one web process: console, API and the mounted intake."""
    del host, port, tls_cert, tls_key, trusted_proxies
    _become("web")


def intake(
    host: Host = None, port: Port = None, tls_cert: Cert = None, tls_key: Key = None, trusted_proxies: Proxies = None
) -> None:
    """Run one intake process: webhooks only, small and fast."""
    del host, port, tls_cert, tls_key, trusted_proxies
    _become("intake")


def worker() -> None:
    """Run one worker process: drains and what goes by the clock."""
    _become("worker")


def _become(kind: str) -> None:
    """Prepare the database, then turn this process into the small one that serves.

    Its id stays, and so does its hold on the database.
    """
    settings = configuration.current()
    if kind != "worker":
        require_port(settings.host, settings.port)
        require_certificate(settings)
    schema.prepare()
    if kind == "web":
        say_set_up()
    installation.keep_across_exec()
    environment = {**os.environ, **child_environment(), **named(kind)}
    os.execve(sys.executable, [sys.executable, "-m", MODULES[kind]], environment)  # noqa: S606 - no shell


def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring the database up to date.

    Every command does it when it starts, so this is for deployments that want it apart.
    """
    schema.prepare()
    if as_json:
        output.emit({"up_to_date": True})
        return
    output.done("The database is up to date.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (up, web, intake, worker, migrate):
        app.command()(command)
