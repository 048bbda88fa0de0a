"""Short answers: which choice was meant, and what a whole message wants of the conversation."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from complaints.ports import Option
from nlp import lexicon
from nlp.normalize import key, normalize

#: A longer text is no answer to a choice and no wish about the conversation, in characters.
_SHORT = 60
#: How often politeness is taken off around one answer.
_LAYERS = 4
#: So many of the tests of an answer are made without its politeness too.
_WHOLE = 3
#: Words after an agreement that are no longer than this add nothing to it, in characters ("the way it is", "thanks").
_ADDS_NOTHING = 6
#: A label found inside an answer must make up at least this share of it.
_SHARE = 0.4


def choose(text: str, options: Sequence[Option]) -> str | None:
    """Return the id of the option that a short answer means; None when it means none, or several.

    Tried in this order: the label itself, a number or an ordinal, the beginning of a label, a part of one, a label
    inside the answer. Where the labels are numbers themselves ("5 points"), a number means the label and not the place
    in the list.
    """
    said = _said(text)
    if not said or not options:
        return None
    labels = [_names(option.labels) for option in options]
    spoken = list(_layers(said))
    numbered = any(label[0].isdigit() for names in labels for label in names)
    place = None if numbered else _place(spoken, len(options))
    for number, test in enumerate(_tests(said)):
        for each in spoken if number < _WHOLE else (said,):
            fits = {
                option.id for option, names in zip(options, labels, strict=True) if any(test(n, each) for n in names)
            }
            if len(fits) == 1:
                return fits.pop()
        if number == 0 and place is not None:
            return options[place].id
    return None


@lru_cache(maxsize=2048)
def _names(labels: tuple[str, ...]) -> frozenset[str]:
    """Return the labels as they are compared; they come from policies and wording, so there are few."""
    return frozenset(label for label in map(key, labels) if label)


def _tests(said: str) -> list[Callable[[str, str], bool]]:
    """Return the ways in which an answer may name a label, the plainest first; a denial must be the plainest."""
    plain: list[Callable[[str, str], bool]] = [str.__eq__, _begins]
    if _answers().negated.search(said):
        return plain
    return [*plain, lambda label, each: len(each) > 1 and _inside(each, label, share=0), _inside]


def intent(text: str) -> str | None:
    """Return what a whole short message wants of the conversation (`back`, `skip`, `yes` …), None for anything else.

    The message must be one of the known ones, with nothing but politeness around it.
    """
    if len(text) > _SHORT:
        return None
    answers = _answers()
    said = key(text)
    if not said:
        return answers.marks.get(text.strip().rstrip("\ufe0f\u200d")[:1])
    layers = list(_layers(said))
    exact = next((answers.intents[each] for each in layers if each in answers.intents), None)
    if exact is not None:
        return exact
    return next((name for each in layers for name, made in answers.patterns.items() if made.fullmatch(each)), None)


def consent(text: str) -> bool | None:
    """Tell whether an answer to a proposal agrees or refuses; None where it does neither, or sets a condition.

    A refusal counts wherever a clause of it stands: what follows is its reason. An agreement must be the last clause,
    or have nothing after it but a few words that add nothing ("that's it", "thanks").
    """
    clauses = [each for each in _answers().clause_end.split(normalize(text[-_SHORT:]).folded) if key(each)]
    meant = [intent(each) for each in clauses]
    if "no" in meant:
        return False
    if "yes" not in meant:
        return None
    after = clauses[len(meant) - meant[::-1].index("yes") :]
    return (
        True if all(len(key(each)) <= _ADDS_NOTHING and not _answers().negated.search(each) for each in after) else None
    )


def small_talk(text: str) -> Literal["greeting", "thanks"] | None:
    """Return `greeting` or `thanks` for a short message that holds nothing else."""
    if len(text) > _SHORT:
        return None
    said = key(text)
    answers = _answers()
    if not said or not answers.talk.fullmatch(said):
        return None
    words = {each.group() for each in answers.talk_word.finditer(said)}
    if words & answers.thanks:
        return "thanks"
    return "greeting" if words & answers.greetings else None


def _said(text: str) -> str:
    return key(text) if len(text) <= _SHORT else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """The lists of the lexicon in the form in which whole messages are compared."""

    intents: dict[str, str]
    patterns: dict[str, re.Pattern[str]]
    marks: dict[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    places: dict[str, int]
    place: re.Pattern[str]
    named: dict[str, int]
    middle: frozenset[str]
    of_two: dict[str, int]
    negated: re.Pattern[str]
    greetings: frozenset[str]
    thanks: frozenset[str]
    talk: re.Pattern[str]
    talk_word: re.Pattern[str]
    clause_end: re.Pattern[str]


@cache
def _answers() -> _Answers:
    pages = lexicon.load()
    ordinals, talk = pages.ordinals, pages.small_talk
    places = {key(word): place for place, words in enumerate(ordinals.numbers) for word in words}
    before, after = _alternatives(ordinals.before), _alternatives(ordinals.after)
    greetings, thanks = frozenset(map(key, talk.greetings)), frozenset(map(key, talk.thanks))
    words = _alternatives([*greetings, *thanks, *talk.fillers])
    return _Answers(
        intents={key(word): name for name, words in pages.intents.intents.items() for word in words},
        patterns={
            name: re.compile("|".join(_made(each, pages.intents.parts) for each in made))
            for name, made in pages.intents.patterns.items()
        },
        marks={mark: name for name, marks in pages.intents.marks.items() for mark in marks},
        before=tuple(sorted(map(key, pages.politeness.before), key=len, reverse=True)),
        after=tuple(sorted(map(key, pages.politeness.after), key=len, reverse=True)),
        places=places,
        place=re.compile(rf"(?:(?:{before}) ?){{0,3}}(\d{{1,2}}|{_alternatives(places)})(?: ?(?:{after})){{0,2}}"),
        named={key(word): place for place, words in ordinals.named.items() for word in words},
        middle=frozenset(map(key, ordinals.middle)),
        of_two={key(word): place for place, words in ordinals.of_two.items() for word in words},
        negated=re.compile(
            "|".join(_alternatives([word]) for word in (*pages.negations.deny, *pages.negations.refuse))
        ),
        greetings=greetings,
        thanks=thanks,
        talk=re.compile(rf"(?:(?:{words}) ?){{1,12}}"),
        talk_word=re.compile(words),
        clause_end=re.compile(rf"[{re.escape(pages.characters.ends)}.]+|(?<=[{pages.characters.han}])\s+"),
    )


def _alternatives(words: Iterable[str]) -> str:
    """Return the words as alternatives of a pattern, longest first, Latin ones whole."""
    keys = sorted({key(word) for word in words} - {""}, key=len, reverse=True)
    return "|".join(rf"\b{re.escape(each)}\b" if each.isascii() else re.escape(each) for each in keys)


def _made(pattern: str, parts: Mapping[str, Sequence[str]]) -> str:
    """Return the regular expression of a message made of parts, over the form in which messages are compared."""
    made = ""
    for name, may_lack in re.findall(r"\{(\w+)(\??)\}", pattern):
        made += rf"(?:(?:{_alternatives(parts[name])}) ?){may_lack}"
    return made


def _layers(said: str) -> Iterable[str]:
    """Return the message as it is, then with less and less politeness around it."""
    answers = _answers()
    seen = {said}
    layer = [said]
    for _ in range(_LAYERS):
        yield from layer
        peeled = [rest for each in layer for rest in _peeled(each, answers) if rest and rest not in seen]
        layer = list(dict.fromkeys(peeled))
        seen.update(layer)
    yield from layer


def _peeled(said: str, answers: _Answers) -> Iterable[str]:
    for word in answers.before:
        if said.startswith(word) and not _continues(word, said[len(word) :]):
            yield said[len(word) :].strip()
    for word in answers.after:
        if said.endswith(word) and not _continues(said[: -len(word)], word):
            yield said[: -len(word)].strip()


def _continues(left: str, right: str) -> bool:
    """Tell whether a Latin word would be cut in two."""
    return bool(left and right) and _is_latin(left[-1]) and _is_latin(right[0])


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _place(spoken: Sequence[str], count: int) -> int | None:
    """Return the place, from 0, that an ordinal points at; None when there is no such place."""
    answers = _answers()
    for said in spoken:
        if (place := _named(said, count)) is not None:
            return place
        if match := answers.place.fullmatch(said):
            word = match.group(1)
            place = int(word) - 1 if word.isdigit() else answers.places[word]
            return place if 0 <= place < count else None
    return None


def _named(said: str, count: int) -> int | None:
    """Return the place, from 0, that has a name of its own ("the last one"), if there is such a place."""
    answers = _answers()
    if said in answers.middle:
        return count // 2 if count % 2 else None
    place = answers.named.get(said, answers.of_two.get(said, 0) if count == 2 else 0)  # noqa: PLR2004 # the upper one
    at = place - 1 if place > 0 else count + place
    return at if place and 0 <= at < count else None


def _begins(label: str, said: str) -> bool:
    """Tell whether an answer is the beginning of a label: whole Latin words, and more than a letter."""
    if not label.startswith(said) or _continues(said, label[len(said) :]):
        return False
    return len(said) > 1 or unicodedata.category(said) in {"Lo", "Nd"}


def _inside(label: str, said: str, *, share: float = _SHARE) -> bool:
    """Tell whether a text holds a label, in whole Latin words, that makes up at least that share of it."""
    at = said.find(label)
    if at < 0 or len(label) < share * len(said):
        return False
    end = at + len(label)
    return not _continues(said[:at], label) and not _continues(label, said[end:])
