"""Moments in columns: whole milliseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Return a moment for its column; what is finer than a millisecond is cut off."""
    return (at - _EPOCH) // _MILLISECOND


def to_ms_or_none(at: datetime | None) -> int | None:
    """Return a moment for a column that may be NULL."""
    return None if at is None else (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the moment a column holds."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_ms_or_none(ms: int | None) -> datetime | None:
    """Return the moment a column holds, if any."""
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)
