"""Counts what arrived and what was shown, so that a test can ask what really happened."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sandbox.tencent.envelope import Json


@dataclass(kw_only=True, slots=True, frozen=True)
class Served:
    """A call as the record keeps it; `code` is the platform's error code, 0 if it was content."""

    method: str
    person: str | None
    parameters: Json
    code: int
    status: int = 200


class Record:
    """Counts calls, messages, callbacks and tokens of one platform."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.calls: Counter[str] = Counter()
        self.errors: Counter[int] = Counter()
        self.sent: Counter[tuple[str, str]] = Counter()
        """Messages shown on phones, by the way they came and their kind."""
        self.dropped: Counter[str] = Counter()
        """Messages that the platform took and did not show as they were, by reason."""
        self.tokens: Counter[str] = Counter()
        self.callbacks: Counter[str] = Counter()
        self.unavailable = 0
        """How often people were told that the account is out of order."""
        self.said: Counter[tuple[str, str]] = Counter()
        self.recent: deque[Served] = deque(maxlen=1000)

    def note(self, served: Served) -> None:
        """Count a call."""
        self.calls[served.method] += 1
        self.errors[served.code] += 1
        self.recent.append(served)

    def note_message(self, *, chat: str, way: str, kind: str, text: str) -> None:
        """Count a message that a phone shows; the same words in the same chat count as a duplicate."""
        self.sent[way, kind] += 1
        self.said[chat, text] += 1

    def latest(self, method: str) -> list[Json]:
        """List the latest calls, of one method or of all."""
        return [asdict(served) for served in self.recent if method in {"", served.method}]

    def told(self) -> Json:
        """Write the counts."""
        sent: dict[str, dict[str, int]] = {}
        for (way, kind), times in self.sent.items():
            sent.setdefault(way, {})[kind] = times
        duplicates = [
            {"chat": chat, "text": text, "times": times} for (chat, text), times in self.said.items() if times > 1
        ]
        return {
            "calls": dict(self.calls),
            "errors": _keyed(self.errors),
            "sent": sent,
            "dropped": dict(self.dropped),
            "tokens": dict(self.tokens),
            "callbacks": dict(self.callbacks),
            "unavailable": self.unavailable,
            "duplicates": duplicates,
        }


def _keyed(counted: Mapping[int, int]) -> dict[str, int]:
    return {str(code): times for code, times in counted.items() if code}
