"""Logs: one line of data for each unit of work, without a secret in any of them."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog


def set_up(*, secrets: Iterable[str], lines: bool = False) -> None:
    """Send logs to standard error: JSON lines, or lines for people. Every value of `secrets` is struck out.

    The libraries' own logs go the same way, so that a token in some URL is struck out there as well.
    """
    hidden = tuple(secret for secret in secrets if len(secret) >= 4)  # noqa: PLR2004 # shorter strings occur by chance

    def strike(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            if isinstance(value, str):
                for secret in hidden:
                    value = value.replace(secret, "***")  # noqa: PLW2901 # each secret in turn
                event[key] = value
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        strike,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if lines else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, strike, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("bot").setLevel(logging.INFO)
