"""Templates of messages, and what their fields may hold.

Source: https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.tencent.envelope import Json
from sandbox.tencent.gateway import Refusal


@dataclass(kw_only=True, slots=True, frozen=True)
class Template:
    """A template: what its fields are called on the wire and on the phone."""

    id: str
    title: str
    fields: Mapping[str, str]
    constants: Mapping[str, list[str]] = field(default_factory=dict)
    """What a `const` field may say."""

    def fill(self, data: Json) -> str:
        """Write what the phone shows, or refuse a value that is missing or not of its kind."""
        lines = [self.title]
        for name, label in self.fields.items():
            given = data.get(name)
            value = given.get("value") if isinstance(given, dict) else None
            text = str(value) if isinstance(value, str | int | float) else ""
            if not text.strip():
                raise Refusal(47003, f"argument invalid! data.{name}.value is empty")
            kind = name.rstrip("0123456789")
            allowed = self.constants.get(name)
            if (allowed and text not in allowed) or not _KINDS.get(kind, _ANY).fullmatch(text):
                raise Refusal(47003, f"argument invalid! data.{name}.value invalid")
            lines.append(f"{label}: {text}")
        return "\n".join(lines)

    def body(self) -> str:
        """Write the template as the platform lists it."""
        return "\n".join(f"{label}:{{{{{name}.DATA}}}}" for name, label in self.fields.items())


_ANY: Final = re.compile(r"[^\n]{1,20}")
_DAY: Final = r"\d{4}(-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|[^\d\s]\d{1,2}[^\d\s]\d{1,2}[^\d\s])"
_HOUR: Final = r"\d{1,2}:\d{2}(:\d{2})?"
_KINDS: Final = {
    "thing": re.compile(r"[^\n\r]{1,20}"),
    "short_thing": re.compile(r"[^\n\r]{1,10}"),
    "character_string": re.compile(r"[!-~ ]{1,32}"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "number": re.compile(r"\d{1,32}(\.\d+)?"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "phrase": re.compile(r"[^\x00-\x7f]{1,5}"),
    "name": re.compile(r"[^\n\r\d]{1,20}"),
    "amount": re.compile(r"[^\d\s]?\d{1,10}(\.\d+)?[^\d\s]?"),
    "phone_number": re.compile(r"[0-9+\-() ]{1,17}"),
    "date": re.compile(rf"{_DAY}( {_HOUR})?"),
    "time": re.compile(rf"({_DAY} )?{_HOUR}|{_DAY}"),
    "const": re.compile(r"[^\n\r]{1,20}"),
}
