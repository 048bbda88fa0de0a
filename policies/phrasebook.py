"""Every sentence the desk says, by key and language, from `wording/*.yaml`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Final, Self, get_args
from zoneinfo import ZoneInfo

from complaints.errors import Misconfigured
from complaints.reading import Language
from policies.yaml12 import read

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))


class Phrasebook:
    """The sentences of all languages, prepared once: a sentence costs about a microsecond.

    A key is the path through the nested mappings of a file, joined by dots. `{name}` is a placeholder; what fills it is
    data and is never looked into, so braces in a customer's words stay braces.
    """

    def __init__(self, wording: Mapping[Language, Mapping[str, str]]) -> None:
        self._templates: Final = {
            language: {key: _template(sentence) for key, sentence in sentences.items()}
            for language, sentences in wording.items()
        }

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `<language>.yaml` of every language from a folder; OSError where one is missing."""
        return cls({language: read_wording(directory / f"{language}.yaml") for language in LANGUAGES})

    def keys(self, language: Language) -> frozenset[str]:
        """Return every key that has a sentence in that language."""
        return frozenset(self._templates[language])

    def say(self, language: Language, key: str, **values: object) -> str:
        """Return the sentence with its placeholders filled; KeyError for an unknown key or a value that is missing."""
        return self._templates[language][key] % values

    def moment(self, language: Language, at: datetime, zone: str, abroad: str | None = None) -> str:
        """Return a moment as people say it, by the clocks of `zone`, and by those of `abroad` where they differ."""
        here = at.astimezone(_zone(zone))
        there = at.astimezone(_zone(abroad or zone))
        told = self._local(language, here)
        if here.utcoffset() == there.utcoffset():
            return told
        theirs = f"{there:%H:%M}" if here.date() == there.date() else self._local(language, there)
        return self.say(
            language, "time.abroad", here=told, there=theirs, zone=self.say(language, f"time.zone.{abroad}")
        )

    def _local(self, language: Language, at: datetime) -> str:
        return self.say(
            language,
            "time.moment",
            month=self.say(language, f"time.month.{at.month}"),
            day=at.day,
            weekday=self.say(language, f"time.weekday.{_WEEKDAYS[at.weekday()]}"),
            clock=f"{at:%H:%M}",
        )

    def duration(self, language: Language, span: timedelta) -> str:
        """Return a span as people say it, in its two largest units from days to minutes; its sign does not matter."""
        left = int(abs(span).total_seconds())
        parts = []
        for unit, seconds in _UNITS:
            number, left = divmod(left, seconds)
            if number:
                parts.append(self.say(language, f"time.{unit}.{'one' if number == 1 else 'many'}", number=number))
        if not parts:
            return self.say(language, "time.moments")
        return self.say(language, "time.joint").join(parts[:2])


def read_wording(path: Path) -> dict[str, str]:
    """Return the sentences of one file by dotted key. Misconfigured says what is wrong with it; OSError if missing."""
    nested = read(path)
    if not isinstance(nested, Mapping):
        raise Misconfigured(f"{path}:1: The file holds no keys with values.")
    return flattened(nested)


def flattened(nested: Mapping[Any, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as one, its keys joined by dots."""
    flat: dict[str, str] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def placeholders(sentence: str) -> frozenset[str]:
    """Return the names of the placeholders of a sentence; ValueError where its braces do not match."""
    names = set()
    for _, name, form, conversion in Formatter().parse(sentence):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"{{{name}}} is not a placeholder: only plain names may stand in braces.")
        names.add(name)
    return frozenset(names)


def _template(sentence: str) -> str:
    # `%` fills a template three times faster than `str.format`, and looks into nothing.
    placeholders(sentence)
    return "".join(
        literal.replace("%", "%%") + (f"%({name})s" if name is not None else "")
        for literal, name, _, _ in Formatter().parse(sentence)
    )


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
