"""Writes a message with buttons as template cards, each within what WeCom shows of one.

WeCom counts in characters of its own script, which are twice as wide as Latin letters: so does `columns`.
Source: https://developer.work.weixin.qq.com/document/path/90236 (template card, button_interaction)
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from bot.text import clean, split
from complaints.messages import Choice

Json = dict[str, Any]  # a card as the API wants it


def cards(text: str, choices: Sequence[Choice], task: str) -> tuple[str, list[Json]]:
    """Return what must be said before the cards because it does not fit on one, and the cards.

    The first line is the title, and the rest stands below it. More than `BUTTONS` choices take several cards, of which
    the later ones say that they go on. `task` is an id that no other message has: with it WeCom knows a card that is
    sent twice.
    """
    head, rest = _parted(text.strip())
    fits = columns(rest) <= BODY
    title = head if fits else cut(text.strip().partition("\n")[0], TITLE)
    starts = range(0, len(choices), BUTTONS)
    written: list[Json] = [
        {
            "card_type": "button_interaction",
            "task_id": f"{task}_{number}",
            "main_title": {"title": _going_on(title, number + 1, len(starts)) if number else title},
            "button_list": [_button(choice) for choice in choices[at : at + BUTTONS]],
        }
        for number, at in enumerate(starts)
    ]
    if fits and rest:
        written[0]["sub_title_text"] = rest
    return "" if fits else text, written


def columns(text: str) -> int:
    """Return the width of a text in Latin letters; a Chinese character, or a picture, has two."""
    return sum(2 if unicodedata.east_asian_width(character) in _WIDE else 1 for character in text)


def cut(text: str, most: int) -> str:
    """Return the text in one line of at most so many columns, with an ellipsis where something is missing."""
    line = " ".join(clean(text).split())
    if columns(line) <= most:
        return line
    return split(line, most - columns(ELLIPSIS), columns)[0].rstrip() + ELLIPSIS


def _parted(text: str) -> tuple[str, str]:
    """Return the first line, or as much of it as a title may have, and the rest."""
    line = text.partition("\n")[0]
    head = split(line, TITLE, columns)[0]
    return head.strip(), text[len(head) :].strip()


def _going_on(title: str, number: int, count: int) -> str:
    mark = f" ({number}/{count})"
    return cut(title, TITLE - len(mark)) + mark


def _button(choice: Choice) -> Json:
    label = cut(choice.label, LABEL)
    return {"type": 1, "text": label, "url": choice.url} if choice.url else {"text": label, "key": choice.token}


TITLE: Final = 2 * 36
BODY: Final = 2 * 160
LABEL: Final = 2 * 10
BUTTONS: Final = 6
ELLIPSIS: Final = "\u2026"
_WIDE: Final = frozenset("WFA")
