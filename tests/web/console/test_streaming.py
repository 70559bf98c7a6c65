"""Files leave while they are read: piece by piece, in the order they were made, and no further than somebody reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import get_user_model
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from tests import instance
from tests.web.console import ledger, world
from trueup.accounts.types import Account
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Looks
from trueup.customer.listing import service as listing
from trueup.customer.money import service as money
from trueup.operators.types import Person
from trueup.web import streaming


@pytest.fixture
def browser(person: Person) -> AsyncClient:
    """A browser somebody signed in with, answered as under ASGI."""
    client = AsyncClient()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


@pytest.mark.parametrize(
    ("module", "address"), [(listing, "/customers/export"), (money, "/money/payments/export")], ids=["list", "money"]
)
def test_the_first_piece_leaves_before_the_next_rows_are_read(
    browser: AsyncClient, account: Account, monkeypatch: pytest.MonkeyPatch, module: Any, address: str
) -> None:
    world.many(account, 5)
    made = [ledger.charge(f"ch_{n}", f"cus_00{n}", amount=1000, at=world.START + n) for n in range(5)]
    world.told(account, *(world.event("charge.updated", one, at=world.START) for one in made))
    monkeypatch.setattr(module, "CHUNK", 2)

    # What asks the database does so in this thread, in the test's transaction.
    async def looked() -> int:
        # Whom a chunk shows is on record before any of it leaves.
        return len((await sync_to_async(access_log.looks)(Looks())).data)

    @async_to_sync
    async def taken() -> bytes:
        answer = cast("StreamingHttpResponse", await browser.post(address))
        pieces = aiter(answer)
        head = await anext(pieces)
        assert head.startswith(b"id,")
        assert await looked() == 0
        first = await anext(pieces)
        assert (first.count(b"\r\n"), await looked()) == (2, 2)
        rest = [piece async for piece in pieces]
        assert ([piece.count(b"\r\n") for piece in rest], await looked()) == ([2, 1], 5)
        return first + b"".join(rest)

    assert taken().count(b"\r\n") == 5


def test_whoever_goes_away_ends_what_was_read_for_them() -> None:
    closed: list[str] = []

    async def left() -> None:
        pieces = cast("AsyncGenerator[bytes]", aiter(streaming.Pieces(_endless(closed))))
        assert await anext(pieces) == b"1"
        assert closed == []
        await pieces.aclose()

    asyncio.run(left())

    assert closed == ["closed"]


def test_whoever_goes_away_while_a_piece_is_read_ends_it_after_that_piece() -> None:
    closed: list[str] = []
    reading, go_on = threading.Event(), threading.Event()

    async def left() -> None:
        async def read() -> None:
            async for _piece in streaming.Pieces(_endless(closed, reading, go_on)):
                pass

        task = asyncio.ensure_future(read())
        await asyncio.to_thread(reading.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert closed == []
        go_on.set()

    asyncio.run(left())

    instance.eventually(lambda: closed == ["closed"], "the generator is closed")


def _endless(
    closed: list[str], reading: threading.Event | None = None, go_on: threading.Event | None = None
) -> Generator[bytes]:
    try:
        while True:
            if reading is not None and go_on is not None:
                reading.set()
                go_on.wait(10)
            yield b"1"
    finally:
        closed.append("closed")


def test_a_file_on_disk_is_read_by_blocks_and_closed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1" * streaming.BLOCK + b"2" * streaming.BLOCK + b"3")

    read = (tmp_path / "a").open("rb")
    assert list(streaming.stored(read)) == [b"1" * streaming.BLOCK, b"2" * streaming.BLOCK, b"3"]
    assert read.closed

    never = (tmp_path / "a").open("rb")
    streaming.Pieces(streaming.stored(never)).close()
    assert never.closed
