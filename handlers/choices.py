"""Choices where there are no buttons: they are numbered when they are told, and a typed number is a press."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from complaints.conversation import Conversation, Shown
from complaints.messages import Choice
from complaints.ports import Option, Reader
from complaints.tokens import Token, parse

Rows = Sequence[Sequence[Choice]]
Stands = Callable[[Token], bool]
"""Tells whether a choice about a case can still be made: a move of the customer, or an answer to a survey."""

#: Answers that are understood as words in every question: they get no number, which the question may need itself.
_ASIDES: Final = frozenset({"back", "skip", "human", "keep"})
#: Where a number alone may mean a choice of an earlier message; elsewhere it answers the question on the table.
_FREE: Final = frozenset({"idle", "surveying"})
_ORNAMENT: Final = "\u25c0 "


def number(conversation: Conversation, rows: Rows, stands: Stands) -> tuple[Rows, list[str]]:
    """Give each choice the number to type, and remember it; return the rows and the words that may be typed instead.

    Choices of earlier messages that still hold keep their numbers, so that one number never means two things.
    """
    fresh = {choice.token for row in rows for choice in row}
    alive = [each for each in conversation.words.shown if each.token not in fresh and holds(conversation, each, stands)]
    alive = [each for each in alive if not each.token.startswith("m.")]
    labels_count = {choice.label for row in rows for choice in row if choice.label.isdigit()}
    alive = [each for each in alive if str(each.number) not in labels_count]
    shown: list[Shown] = []
    words: list[str] = []
    free = max((each.number for each in alive), default=0) + 1
    numbered: list[list[Choice]] = []
    for row in rows:
        numbered.append([])
        for choice in row:
            count = 0
            label = choice.label.strip(_ORNAMENT)
            if choice.url:
                numbered[-1].append(choice)
                continue
            if _aside(conversation, choice.token):
                words.append(label)
            elif choice.label.isdigit() and len(choice.label) <= 2:  # noqa: PLR2004 # a score
                count = int(choice.label)
            else:
                count, free = free, free + 1
            numbered[-1].append(replace(choice, number=count))
            shown.append(Shown(number=count, label=label, token=choice.token))
    conversation.words.shown = [*alive, *shown]
    return numbered, words


def _aside(conversation: Conversation, token: str) -> bool:
    parsed = parse(token)
    if parsed is None or parsed.scope != "q":
        return False
    return parsed.value in _ASIDES or (conversation.state == "filling" and not parsed.value.startswith("o"))


def holds(conversation: Conversation, shown: Shown, stands: Stands) -> bool:
    """Tell whether a choice that was shown can still be made."""
    token = parse(shown.token)
    if token is None or token.scope == "s":
        return False
    if token.scope == "q":
        return token.stamp == conversation.turn
    return token.scope == "m" or stands(token)


def typed(conversation: Conversation, text: str, stands: Stands, reader: Reader) -> str:
    """Return the token of the choice that a typed text names by its number or its label, or "" if it names none."""
    alive = [each for each in conversation.words.shown if holds(conversation, each, stands)]
    if not alive:
        return ""
    said = text.strip().casefold()
    labelled = [each.token for each in alive if each.label.casefold() == said]
    if len(labelled) == 1:
        return labelled[0]
    own = any(parsed is not None and parsed.scope == "q" and each.number for each, parsed in _parsed(alive))
    if not own and conversation.state not in _FREE:
        return ""
    tokens = {each.number: each.token for each in alive if each.number}
    places = [Option(id=str(place), labels=()) for place in range(1, max(tokens, default=0) + 1)]
    return tokens.get(int(reader.choose(text, places) or 0), "")


def _parsed(shown: Sequence[Shown]) -> list[tuple[Shown, Token | None]]:
    return [(each, parse(each.token)) for each in shown]
