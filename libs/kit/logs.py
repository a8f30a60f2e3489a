"""Structured logs: one line an event, with the request id and the trace of whatever caused it."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from libs.kit import context

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(service: str, level: str, form: str) -> None:
    """Send logs to stderr as JSON lines (or readable text)."""

    def whence(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        if context.request_id():
            event["request_id"] = context.request_id()
            event["trace_id"] = context.trace_id()
        return event

    renderer: Any = structlog.dev.ConsoleRenderer() if form == "text" else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            whence,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
