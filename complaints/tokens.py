"""The tokens on buttons: short (64 bytes at most), readable, and worth nothing without asking who presses them."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Scope = Literal["q", "c", "v", "s", "m", "d"]

#: What opens a case in the own chat of whoever presses it: it is never stale, and each look is written down.
SHOW: Final = "show"

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """Write a number, zero or more, in few characters."""
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a button stands for.

    Scope `q` answers the question of turn `stamp`; `c` is a customer's move on a case in its round `stamp`; `v` answers
    a survey of cycle `stamp`; `s` is an act of the staff on a case; `d` one on a duty, whose id stands for the case's;
    `m` is a menu entry. `case_id` is 0 where there is none.
    """

    scope: Scope
    value: str
    case_id: int = 0
    stamp: int = 0
    detail: str = ""

    def __str__(self) -> str:
        return ".".join((self.scope, base36(self.case_id), base36(self.stamp), self.value, self.detail)).rstrip(".")


def parse(text: str) -> Token | None:
    """Read a token back; None for anything that is not one (it came from outside)."""
    parts = text.split(".")
    if not 4 <= len(parts) <= 5 or parts[0] not in get_args(Scope) or len(text) > 64:  # noqa: PLR2004 # Telegram's limit
        return None
    try:
        case_id, stamp = int(parts[1], 36), int(parts[2], 36)
    except ValueError:
        return None
    if not 0 <= case_id < 1 << 63 or not 0 <= stamp < 1 << 31:
        return None
    scope: Scope = parts[0]  # type: ignore[assignment] # checked above
    return Token(scope=scope, value=parts[3], case_id=case_id, stamp=stamp, detail=parts[4] if len(parts) > 4 else "")  # noqa: PLR2004
