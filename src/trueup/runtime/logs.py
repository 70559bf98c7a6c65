"""Structured logs: a constant event name with ids as fields.

Objects, bodies, names, addresses and secrets never go in.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, cast

import structlog


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


def configure(*, level: str = "info", form: str = "auto") -> None:
    """Send our logs and those of libraries to standard error.

    JSON lines, or text when a person looks (``auto`` asks the terminal).
    """
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for quiet in ("procrastinate", "uvicorn.access", "django.request", "stripe"):
        logging.getLogger(quiet).setLevel(max(logging.WARNING, root.level))
    # It warns of an application made in the main module; ours is made by Django and only run from there.
    logging.getLogger("procrastinate.blueprints").setLevel(logging.ERROR)
