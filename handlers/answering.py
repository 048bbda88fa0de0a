"""Answering: what a typed answer gives to a field of the form, and which earlier answer a correction changes."""

import re
from collections.abc import Sequence
from typing import Final

from complaints import moments
from complaints.case import Case
from complaints.clauses.form import FormField
from complaints.ports import Option
from complaints.reading import Correction, Language, Reading
from handlers import cards, cases
from handlers.turn import CUSTOMER, Turn

#: A text of up to so many characters may be a name that happens to read like a danger.
_A_NAME: Final = 6
#: A field that is changed and what it is from now on; None: the new value is not one that the field can hold.
Change = tuple[FormField, str | None]


def labels(sentence: object) -> tuple[str, ...]:
    """Return a sentence in all languages, as labels of a choice."""
    languages: tuple[Language, ...] = ("zh-Hans", "zh-Hant", "en")
    return tuple(sentence[language] for language in languages)  # type: ignore[index] # a Sentence


def chosen(turn: Turn, each: FormField, value: str, text: str) -> str | None:
    """Return the choice of a field that a button's `value` or a text means; None if it means none, or has none."""
    if re.fullmatch(r"o\d{1,2}", value) and int(value[1:]) < len(each.choices):
        return each.choices[int(value[1:])].id
    if not text or not each.choices:
        return None
    return turn.book.reader.choose(text, _options(each, [choice.id for choice in each.choices]))


def names_choice(turn: Turn, each: FormField, text: str) -> bool:
    """Tell whether a text names one of the field's choices by label or place, whatever else may be read in it."""
    return (
        turn.book.reader.choose(text, _options(each, [f"o{place}" for place in range(len(each.choices))])) is not None
    )


def _options(each: FormField, ids: Sequence[str]) -> list[Option]:
    return [
        Option(id=id_, labels=(*labels(choice.title), *choice.also))
        for id_, choice in zip(ids, each.choices, strict=True)
    ]


def own_part(turn: Turn, case: Case, each: FormField, text: str, reading: Reading) -> str:
    """Return the part of an answer that may be this field's: the first that neither holds nor names another's value.

    Who goes on to speak of a danger answers no question for a name or a model with the rest; a few letters are a name.
    """
    form, own = turn.policy(case).form, turn.book.currency
    foreign = {name for other in form.fields if other.id != each.id for name in other.slots} - set(each.slots)
    spans = sorted((slot.start, slot.end) for slot in reading.slots if slot.name in foreign)
    if each.kind != "text" or cases.value_of(each, reading, text, own) is not None:
        return text
    if each.slots and reading.flags and len(text) > _A_NAME:
        return ""
    if not spans:
        return text
    rest, end = "", 0
    for start, stop in spans:
        rest, end = rest + text[end:start] + "\n", stop
    parts = (_bare(turn, part.strip()) for part in re.split(r"[^\w\s&'-]+|\n", rest + text[end:]))
    return next((part for part in parts if re.search(r"\w", part) and not turn.book.reader.about(part)), "")


def _bare(turn: Turn, part: str) -> str:
    """Return a part without the word at its end that announced the value which stood behind it."""
    rest, _, last = part.rpartition(" ")
    return rest.rstrip() if rest and turn.book.reader.about(last) else part


def typed(each: FormField, text: str, reading: Reading, own: str) -> str | None:
    """Return the value a typed answer gives to a field, or None if it does not fit; amounts in our `own` currency."""
    if each.kind == "files":
        return None
    value = cases.value_of(each, reading, text, own)
    if each.kind == "choice":
        said = text.strip()[: each.max_length] if each.own_words and re.search(r"[^\W\d]{2}", text) else None
        return value or said
    if value is not None:
        return value
    if each.kind in ("contact", "moment"):
        return None
    if each.kind == "amount":
        plain = text.strip().replace(",", "")
        return plain if re.fullmatch(r"\d{1,12}(?:\.\d{1,2})?", plain, re.ASCII) else None
    if each.kind == "order_no":
        found = re.search(r"[0-9A-Za-z][0-9A-Za-z_/-]{3,39}", text)
        return found[0] if found and re.search(r"\d", found[0]) else None
    text = text.strip()
    if (
        not re.search(r"\w", text)
        or len(text) > each.max_length
        or (each.pattern and not re.fullmatch(each.pattern, text))
    ):
        return None
    return text


def said_before(turn: Turn, case: Case, each: FormField) -> str | None:
    """Return what the customer has said already for a field: in another field, or in what they told.

    A required account of what happened, which nothing can be read from, is their first words as a whole.
    """
    form, read, own = turn.policy(case).form, turn.book.reader.read, turn.book.currency
    answers = [case.words.answers[other.id] for other in form.fields if other.id in case.words.answers]
    for text in (*answers, *(said.text for said in reversed(case.words.said))):
        value = cases.value_of(each, cases.own(turn, case, read(text), text), text, own)
        if value is not None:
            return value
    told = each.required and each.kind == "text" and not each.slots and not each.personal and not each.pattern
    return case.words.said[0].text[: each.max_length] if told and case.words.said else None


def fitting(turn: Turn, each: FormField, text: str) -> str | None:
    """Return the value that a text gives to a field if it is all about this field; None if it gives none."""
    choice = chosen(turn, each, "", text)
    value = choice if choice is not None else typed(each, text, turn.book.reader.read(text), turn.book.currency)
    if each.kind == "moment" and value is not None:
        return moments.fixed(value, turn.said_at or turn.now, turn.book.calendar.zone)
    return value


def right(turn: Turn, case: Case, found: Correction, recent: Sequence[str]) -> list[Change]:
    """Return what a correction changes; nothing if it corrects nothing that was asked or answered.

    `recent` are the fields asked last, the latest first: what names no field, and has no value of a kind of its own,
    corrects the latest answer.
    """
    policy, answers = turn.policy(case), case.words.answers
    asked = [each for each in policy.form.fields if each.kind != "files" and turn.holds(each.when, case)]
    order = [*recent, *reversed(answers)]
    known = sorted((each for each in asked if each.id in answers), key=lambda each: order.index(each.id))
    target = _target(turn, case, found, asked, known, [each for each in recent if each])
    if target is None:
        return []
    before, value = answers.get(target.id), fitting(turn, target, found.value)
    if value is None and not found.named:
        return []
    same = [
        each for each in known if each is not target and answers[each.id] == before and {*each.slots} & {*target.slots}
    ]
    changes: list[Change] = [(target, value), *((each, value) for each in same)]
    reading = turn.book.reader.read(found.value)
    for each in known if found.named else ():  # said in the same breath
        if each.kind != "choice" and all(
            each is not other and {*each.slots}.isdisjoint(other.slots) for other, _ in changes
        ):
            said = cases.value_of(each, reading, found.value, turn.book.currency)
            changes += [(each, said)] if said is not None and said != answers[each.id] else []
    return changes


def _target(
    turn: Turn, case: Case, found: Correction, asked: list[FormField], known: list[FormField], recent: list[str]
) -> FormField | None:
    reader, answers = turn.book.reader, case.words.answers
    if found.named:
        titles = [Option(id=each.id, labels=labels(each.title)) for each in asked]
        title = reader.choose(found.named, titles)
        named = [each for each in asked if each.id == title or found.slots & {*each.slots, each.kind}]
        return next((each for each in known if each in named), next(iter(named), None))
    if found.instead:
        values = [(each, cards.answer_text(turn, case, each.id, language), answers[each.id])
                  for each in known for language in turn.policy(case).languages]  # fmt: skip
        return next((each for each, *said in values if reader.choose(found.instead, [Option(id="", labels=tuple(said))])
                     is not None), None)  # fmt: skip
    reading = reader.read(found.value)
    open_ = next((each for each in asked if found.weak and each.id in recent[:1] and each not in known), None)
    if open_ is not None and cases.value_of(open_, reading, found.value, turn.book.currency) is not None:
        return None  # it answers the question on the table
    for each in known:
        value = cases.value_of(each, reading, found.value, turn.book.currency)
        if value is not None and (not each.choices or value in {choice.id for choice in each.choices}):
            return each
    latest = next((each for each in known if each.id in recent[:2]), None)
    return latest if found.sure and latest is not None and latest.id == next(
        (id_ for id_ in recent if id_ in answers), "") else None  # fmt: skip


def type_named(turn: Turn, case: Case, found: Correction) -> str:
    """Return the complaint type that a correction names instead of the one of the case; "" if it names none."""
    types = turn.policy(case).taxonomy.types
    titles = [Option(id=f"{place}", labels=labels(each.title)) for place, each in enumerate(types)]  # by name only
    said = turn.book.reader.choose(found.value, titles)
    return types[int(said)].id if said is not None and types[int(said)].id != case.type else ""


def correct(turn: Turn, case: Case, changes: Sequence[Change]) -> str:
    """Change the answers, and return the sentence that confirms it; "" if there is nothing to change."""
    language, lines = turn.conversation_of(case).words.language, []
    customer = turn.customer(turn.conversation_of(case))
    for each, value in changes:
        if value is None:
            continue
        cases.answer(turn, case, each.id, value, CUSTOMER)
        if each.personal and customer is not None and each.id in customer.profile.answers:
            customer.profile.answers[each.id] = value
            turn.touch(customer)
        shown = cards.answer_text(turn, case, each.id, language)
        lines.append(turn.say(language, "review.line", title=each.title[language], value=shown))
    joint = turn.say(language, "form.corrected_joint")
    return turn.say(language, "form.corrected", changes=joint.join(lines)) if lines else ""


def corrected(turn: Turn, case: Case, text: str) -> str:
    """Take a correction that comes outside of the form, and return the sentence that confirms it; "" if it is none.

    The order of an organisation stays what it was: who accepts for it must be confirmed.
    """
    found = turn.book.reader.correction(text)
    changes = right(turn, case, found, ()) if found is not None else []
    bound = case.facts.order.get("organisation") is True
    return correct(turn, case, [change for change in changes if not (bound and change[0].kind == "order_no")])
