"""One connection to the database that runs prepared statements, driven by the loop without psycopg's cursors.

A cursor is made to run any statement: for each it adapts values, keeps a cache of what is prepared, waits in generators
and builds Python values of each row. The intake has two statements, ready-made values and an answer that is nearly
always a number of rows, so it talks to libpq itself: for a batch that costs a fifth.
Source: https://www.postgresql.org/docs/current/libpq-async.html
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import psycopg
from psycopg import pq

from trueup.runtime.listening import KEEPALIVE

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 15.0
"""Longer than this and the connection is taken for dead: the callers get 503 and the next batch a new connection."""

Result = pq.abc.PGresult

_NAMED: Final = re.compile(rb"%\((\w+)\)b")


class Statement:
    """A statement under a name of its own in each connection; ``text`` names its values as ``%(name)b``.

    ``names`` says in which order the values are given.
    """

    def __init__(self, name: str, text: bytes) -> None:
        self.name = name.encode()
        self.names = tuple(dict.fromkeys(found.decode() for found in _NAMED.findall(text)))
        numbers = {value.encode(): b"$%d" % number for number, value in enumerate(self.names, 1)}
        self.text = _NAMED.sub(lambda found: numbers[found[1]], text)
        self._binary = [pq.Format.BINARY] * len(self.names)

    def send(self, connection: pq.abc.PGconn, values: Mapping[str, bytes]) -> None:
        """Begin to run it with values in the server's binary format; answers come in that format too."""
        given = [values[name] for name in self.names]
        connection.send_query_prepared(self.name, given, self._binary, pq.Format.BINARY)


class Connection:
    """An open connection; one statement runs at a time, each committed by itself."""

    def __init__(self, owner: psycopg.AsyncConnection[Any]) -> None:
        self._owner = owner  # Closes and complains as psycopg does.
        self._wire = owner.pgconn
        # libpq closes its own descriptor when the other side goes away, before we hear of it, and the next connection
        # may get the same number. What the loop watches has to be ours until we say so.
        self._socket = os.dup(owner.pgconn.socket)
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[Result] | None = None
        self._result: Result | None = None
        self._writing = False
        self._closed = False
        self._loop.add_reader(self._socket, self._readable)

    @classmethod
    async def open(cls, conninfo: str, statements: Sequence[Statement]) -> Self:
        """Connect and prepare the statements, within ``CONNECT_SECONDS``.

        Raises ``psycopg.Error``, ``OSError`` or ``TimeoutError``.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            owner = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, **KEEPALIVE)
            connection = cls(owner)
            try:
                for statement in statements:
                    connection._wire.send_prepare(statement.name, statement.text)
                    await connection._answer()
            except BaseException:
                connection.close()
                raise
        return connection

    @property
    def closed(self) -> bool:
        """Whether it can be used no more."""
        return self._closed or self._owner.closed

    async def run(self, statement: Statement, values: Mapping[str, bytes]) -> Result:
        """Run a prepared statement and wait for its commit; the rows, in binary.

        Raises the ``psycopg.Error`` that the server answered, ``psycopg.OperationalError`` when the connection broke,
        and ``TimeoutError`` after ``STATEMENT_SECONDS``; it is closed then, because a cancelled statement waits for the
        server to agree, and a server that went silent never does. What had been sent is either committed, a duplicate
        when it comes again, or not.
        """
        statement.send(self._wire, values)
        return await self._answer()

    def close(self) -> None:
        """Close it; what runs fails as if the connection broke."""
        self._fail(psycopg.OperationalError("the connection was closed"))

    async def _answer(self) -> Result:
        self._result = None
        self._waiting = waiting = self._loop.create_future()
        self._flush()
        timer = self._loop.call_later(STATEMENT_SECONDS, self._silent)
        try:
            result: Result = await waiting
        finally:
            timer.cancel()
            self._waiting = None
        if self._wire.status == pq.ConnStatus.BAD:
            # What libpq says of it then has no SQLSTATE, so psycopg would name it wrongly.
            self.close()
            raise psycopg.OperationalError("the connection broke")
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
        return result

    def _silent(self) -> None:
        self._fail(TimeoutError())

    def _flush(self) -> None:
        """Send what libpq holds, as far as the socket takes it, and the rest when it takes more."""
        try:
            full = bool(self._wire.flush())
        except psycopg.Error as error:
            self._fail(error)
            return
        if full != self._writing:
            self._writing = full
            if full:
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        wire = self._wire
        try:
            wire.consume_input()
            if self._writing:
                self._flush()
            while not self._closed and not wire.is_busy():
                result = wire.get_result()
                if result is None:
                    self._done()
                    return
                self._result = result
        except psycopg.Error as error:
            self._fail(error)

    def _done(self) -> None:
        if self._waiting is not None and self._result is not None and not self._waiting.done():
            self._waiting.set_result(self._result)

    def _fail(self, error: Exception) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            os.close(self._socket)
            self._wire.finish()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
