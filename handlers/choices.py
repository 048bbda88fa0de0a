"""Choices where there are no buttons: they are numbered when they are told, and a typed number is a press."""

import re
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
_SCORE: Final = re.compile(r"[0-9]{1,2}")


def number(conversation: Conversation, rows: Rows, stands: Stands) -> tuple[Rows, list[str]]:
    """Give each choice the number to type, and remember it; return the rows and the words that may be typed instead.

    Choices of earlier messages that still hold keep their numbers, so that one number never means two things.
    """
    fresh = {choice.token for row in rows for choice in row}
    scores = {int(choice.label) for row in rows for choice in row if _SCORE.fullmatch(choice.label)}
    # a menu is over with the next message, and scores must not lie beside the choices of a question
    over = ("m.", "v.") if any(token.startswith("q.") for token in fresh) else ("m.",)
    alive = [
        each
        for each in conversation.words.shown
        if each.token not in fresh
        and each.number not in scores
        and not each.token.startswith(over)
        and holds(conversation, each, stands)
    ]
    shown: list[Shown] = []
    words: list[str] = []
    free = max((*scores, *(each.number for each in alive)), default=0) + 1
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
            elif _SCORE.fullmatch(choice.label):
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


def stands_still(conversation: Conversation, choice: Choice, stands: Stands) -> bool:
    """Tell whether a choice of a message that could not be sent at once can still be made."""
    return holds(conversation, Shown(number=0, label="", token=choice.token), stands)


def typed(conversation: Conversation, text: str, stands: Stands, reader: Reader) -> str:
    """Return the token of the choice that a typed text names by its number or its label, or "" if it names none.

    Where the choices of a question do not begin at 1, only a bare number is one: "the second" is left to the question.
    """
    alive = [each for each in conversation.words.shown if holds(conversation, each, stands)]
    if not alive:
        return ""
    said = text.strip().casefold()
    bare = re.sub(r"\W", "", said).isdecimal()
    labelled = [each.token for each in alive if each.label.casefold() == said and not bare]
    if len(labelled) == 1:
        return labelled[0]
    own = [each.number for each in alive if each.number and each.token.startswith("q.")]
    if (min(own) > 1 and not bare) if own else conversation.state not in _FREE:
        return ""
    tokens = {each.number: each.token for each in alive if each.number}
    places = [Option(id=str(place), labels=()) for place in range(1, max(tokens, default=0) + 1)]
    return tokens.get(int(reader.choose(text, places) or 0), "")
