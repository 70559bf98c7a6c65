"""Structured logs: one JSON object a line where nobody watches, with the id of the request that caused it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from trueup.runtime import logs

Said = pytest.CaptureFixture[str]


@pytest.fixture
def said(capsys: Said) -> Iterator[Said]:
    """What goes to standard error, which is no terminal; logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("procrastinate", "uvicorn.access", "django.request")}
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def lines(said: Said) -> list[dict[str, Any]]:
    """The lines as JSON."""
    return [json.loads(line) for line in said.readouterr().err.splitlines()]


def test_a_line_is_json_with_its_level_its_module_and_its_moment(said: Said) -> None:
    logs.configure()

    logs.get("trueup.x").info("thing.done", thing=7)

    (line,) = lines(said)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "thing.done", "thing": 7, "level": "info", "logger": "trueup.x"}


def test_the_id_of_the_request_is_in_every_line_of_it(said: Said) -> None:
    logs.configure()

    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        logs.get("trueup.x").info("inside")
        logging.getLogger("some.library").warning("said %s", "that")
    logs.get("trueup.x").info("outside")

    assert [(line["event"], line.get("request_id")) for line in lines(said)] == [
        ("inside", "req_1"),
        ("said that", "req_1"),
        ("outside", None),
    ]


def test_lines_below_the_level_are_left_out_and_chatty_libraries_speak_of_trouble_only(said: Said) -> None:
    logs.configure(level="info")

    logs.get("trueup.x").debug("small")
    logging.getLogger("procrastinate.worker").info("polling")
    logging.getLogger("uvicorn.access").info("GET /customers?q=ada@acme.example")
    logging.getLogger("procrastinate.worker").error("failed")

    assert [line["event"] for line in lines(said)] == ["failed"]


def test_a_trace_stays_on_its_line(said: Said) -> None:
    logs.configure()
    mistake = ValueError("broken")

    logs.get("trueup.x").error("thing.failed", exc_info=mistake)

    (line,) = lines(said)
    assert "ValueError: broken" in line["exception"]


def test_configuring_twice_does_not_say_everything_twice(said: Said) -> None:
    logs.configure()
    logs.configure()

    logging.getLogger("trueup.y").warning("once")

    assert len(lines(said)) == 1


def test_text_is_for_a_person(said: Said) -> None:
    logs.configure(form="text")

    logs.get("trueup.z").info("thing.done", thing=7)

    shown = said.readouterr().err
    assert "thing.done" in shown
    assert not shown.startswith("{")
