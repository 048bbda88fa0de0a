"""The only place that knows what time it is."""

from datetime import UTC, datetime
from time import monotonic


def now() -> datetime:
    """Return the present moment, aware, in UTC, to the millisecond: what is kept and what is known stay equal."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def elapsed() -> float:
    """Return seconds of a clock that never goes back, for measuring spans."""
    return monotonic()
