"""The way to a database, to break and mend."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Self

import psycopg
from psycopg.conninfo import make_conninfo


class Line:
    """The way to a database: a relay that can be cut, frozen and mended while both ends live on."""

    def __init__(self, address: str) -> None:
        given = psycopg.conninfo.conninfo_to_dict(address)
        host, number = str(given["host"]), str(given.get("port") or 5432)
        self._target: Any = f"{host}/.s.PGSQL.{number}" if host.startswith("/") else (host, int(number))
        self._family = socket.AF_UNIX if host.startswith("/") else socket.AF_INET
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self._cut = False
        self._closed = False
        self.conninfo = make_conninfo(
            address, host="127.0.0.1", port=self._listener.getsockname()[1], sslmode="disable", gssencmode="disable"
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._closed = True
        self.cut()
        self._flows.set()
        self._listener.close()

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        self._cut = True
        self._break()

    def freeze(self) -> None:
        """Go silent: connections stand, nothing comes through."""
        self._flows.clear()

    def mend(self) -> None:
        """Work again. What was on its way while frozen is gone with its connection."""
        self._break()
        self._cut = False
        self._flows.set()

    def _break(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut:
                near.close()
                continue
            far = socket.socket(self._family, socket.SOCK_STREAM)
            far.connect(self._target)
            self._ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=(source, target), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()
