"""The only place that knows what time it is."""

from datetime import UTC, datetime
from time import monotonic


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Return seconds of a clock that never goes back, for measuring spans."""
    return monotonic()
