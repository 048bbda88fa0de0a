"""Template cards: what the platform demands of one, what a phone shows of it, and the codes that update it.

Sources: https://developer.work.weixin.qq.com/document/path/90236 (sending), …/94888 (updating) and …/90241
(in answers).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sandbox.tencent.envelope import Json
from sandbox.tencent.gateway import Refusal
from sandbox.tencent.phones import Message

KINDS: Final = frozenset(
    {"text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction"}
)


@dataclass(kw_only=True, slots=True)
class Card:
    """A card that was sent, with the copy of each member."""

    task: str
    body: Json
    copies: dict[int, Message] = field(default_factory=dict)

    @property
    def answerable(self) -> bool:
        """Whether somebody can press something on it, so that it can be updated."""
        return bool(rows_of(self.body)) or "action_menu" in self.body


@dataclass(slots=True)
class _Code:
    card: Card
    until: datetime
    used: bool = False


class Codes:
    """The codes that update a card, once each and for 72 hours."""

    def __init__(self, *, clock: Callable[[], datetime], make: Callable[[str], str]) -> None:
        """Begin with none; `make` turns a name into something that looks like a code."""
        self._clock = clock
        self._make = make
        self._codes: dict[str, _Code] = {}

    def give(self, card: Card) -> str:
        """Make a code for a card."""
        code = self._make(f"code {len(self._codes)}")
        self._codes[code] = _Code(card, self._clock() + _LIFE)
        return code

    def spend(self, code: str) -> Card:
        """Use a code up and return its card."""
        known = self._codes.get(code)
        if known is None or self._clock() >= known.until:
            raise Refusal(40029, "invalid code")
        if known.used:
            raise Refusal(42022, "code has been used")
        known.used = True
        return known.card


def checked(body: Json, *, callback: bool, known: Callable[[str], bool]) -> Json:
    """Return a card to be sent as it is, or refuse it. `known` tells whether a task id was used before."""
    if str(body.get("card_type")) not in KINDS:
        raise Refusal(40035, "invalid template_card.card_type")
    if not isinstance(body.get("main_title"), dict) and not body.get("sub_title_text"):
        raise Refusal(40035, "template_card.main_title and sub_title_text are both missing")
    rows = rows_of(body)
    task = body.get("task_id")
    if rows or "action_menu" in body:
        if not callback:
            raise Refusal(43012, "need callback url")
        if not isinstance(task, str) or not _TASK.fullmatch(task):
            raise Refusal(42014, "invalid task_id")
    elif body["card_type"] not in {"text_notice", "news_notice"}:
        raise Refusal(42019, "missing button")
    if isinstance(task, str) and known(task):
        raise Refusal(42014, "task_id is duplicated")
    keys = [button["callback_data"] for row in rows for button in row]
    if len(keys) > _BUTTONS or len(set(keys)) < len(keys):
        raise Refusal(42018, "invalid button key")
    return body


def rows_of(body: Json) -> list[list[Json]]:
    """Read the buttons of a card, one a row; a card with a replacement text has one that is dead."""
    if body.get("replace_text"):
        return [[{"text": str(body["replace_text"]), "callback_data": "", "dead": True}]]
    buttons = body.get("button_list") or ([body["submit_button"]] if "submit_button" in body else [])
    if not isinstance(buttons, list):
        raise Refusal(40035, "invalid template_card.button_list")
    return [[_button(button)] for button in buttons]


def words_of(body: Json) -> str:
    """Write a card down in lines, as somebody reads it who sees no layout."""
    lines = []
    for part in (body.get("main_title"), body.get("emphasis_content")):
        if isinstance(part, dict):
            lines += [part.get("title"), part.get("desc")]
    quote = body.get("quote_area")
    lines += [quote.get("quote_text") if isinstance(quote, dict) else None, body.get("sub_title_text")]
    pairs = body.get("horizontal_content_list") or []
    lines += [f"{pair.get('keyname')}: {pair.get('value') or ''}" for pair in pairs if isinstance(pair, dict)]
    return "\n".join(str(line) for line in lines if line)


def from_xml(given: Json) -> Json:
    """Read a card out of a passive answer, whose fields are written in capitals and whose lists are repetitions."""
    return {_snake(name): _from_xml(_snake(name), value) for name, value in given.items()}


def _from_xml(name: str, value: object) -> object:
    if isinstance(value, dict):
        value = from_xml(value)
        return [value] if name in _LISTS else value
    if isinstance(value, list):
        return [_from_xml("", item) for item in value]
    return value


def _snake(name: str) -> str:
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return {"key_name": "keyname"}.get(snake, snake)


def _button(button: object) -> Json:
    if not isinstance(button, dict):
        raise Refusal(40035, "invalid template_card.button_list")
    if not button.get("text"):
        raise Refusal(42020, "missing button name")
    if button.get("type") == 1:
        return {"text": str(button["text"]), "callback_data": "", "url": str(button.get("url") or "")}
    key = button.get("key")
    if not key:
        raise Refusal(42019, "missing button key")
    if len(str(key).encode()) > _KEY:
        raise Refusal(42018, "invalid button key")
    return {"text": str(button["text"]), "callback_data": str(key), "dead": False, "style": button.get("style", 1)}


_LIFE: Final = timedelta(hours=72)
_TASK: Final = re.compile(r"[0-9A-Za-z_@-]{1,128}")
_BUTTONS: Final = 6
_KEY: Final = 1024
_LISTS: Final = frozenset(
    {"button_list", "horizontal_content_list", "jump_list", "vertical_content_list", "action_list", "select_list"}
)
