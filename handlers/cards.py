"""Cards: how a case looks to those who work on it, and the buttons of what they may do."""

from datetime import datetime
from typing import Any, Final

from complaints.case import Case
from complaints.clauses.model import Sentence
from complaints.conversation import Staff
from complaints.messages import Choice
from complaints.reading import Language
from complaints.tokens import Token
from handlers import rights
from handlers.turn import Turn

_SHOWN: Final = 3
_EXCERPT: Final = 80


def values(
    turn: Turn, case: Case, language: Language, fills: dict[str, Any]
) -> dict[str, str]:  # Any: fills of a sentence
    """Return what a sentence about a case is filled with."""
    told = {name: shown(turn, language, value) for name, value in fills.items()}
    owner = turn.owner(case)
    return {
        "number": case.number,
        "owner": owner.name if owner else turn.say(language, "staff.nobody"),
        "type": type_title(turn, case, language),
        "state": turn.policy(case).lifecycle.state(case.state).title[language],
        "flags": flags_title(turn, case, language),
        **told,
    }


def flags_title(turn: Turn, case: Case, language: Language) -> str:
    """Return the dangers read in the customer's words, as people read them."""
    found = [flag.title[language] for flag in turn.policy(case).taxonomy.flags if flag.id in case.facts.flags]
    return turn.say(language, "staff.card.joint").join(found)


def shown(turn: Turn, language: Language, value: object) -> str:
    """Return a value as people read it: a sentence in their language, a moment in the company's zone."""
    if isinstance(value, Sentence):
        return value[language]
    if isinstance(value, datetime):
        return turn.moment(language, value)
    return str(value)


def type_title(turn: Turn, case: Case, language: Language) -> str:
    """Return the name of the case's complaint type, or a word for "not yet known"."""
    return (
        turn.policy(case).taxonomy.type(case.type).title[language] if case.type else turn.say(language, "case.untyped")
    )


def answer_text(turn: Turn, case: Case, field_id: str, language: Language) -> str:
    """Return a field's value as people read it: a choice by its label."""
    value = case.words.answers.get(field_id, "")
    for choice in turn.policy(case).form.field(field_id).choices:
        if choice.id == value:
            return choice.title[language]
    return value


def card(turn: Turn, case: Case, language: Language, *, masked: bool = False, alert: bool = False) -> str:
    """Return a case as staff see it. `masked`: for a room, without names, contacts or the customer's own words.

    `alert`: below a sentence that has told the number.
    """
    policy = turn.policy(case)
    due = case.due_at
    owner = turn.owner(case)
    flags = flags_title(turn, case, language)
    joint = turn.say(language, "staff.card.joint")
    lines = [
        turn.say(language, "staff.card.alert" if alert else "staff.card.head", number=case.number,
                 type=type_title(turn, case, language), state=policy.lifecycle.state(case.state).title[language]),
        turn.say(language, "staff.card.flags", flags=flags) if flags else "",
        turn.say(language, "staff.card.due", date=turn.moment(language, due)) if due else "",
        turn.say(language, "staff.card.owner", owner=owner.name) if owner else turn.say(language, "staff.card.nobody"),
        turn.say(language, "staff.card.incomplete") if not case.facts.complete and case.open else "",
        turn.say(language, "staff.card.listen") if case.facts.listen else "",
        turn.say(language, "staff.card.call") if case.facts.call else "",
    ]  # fmt: skip
    consented = _consented(turn, case)
    if masked or not consented:
        excerpt = _masked_excerpt(turn, case) if consented else ""
        lines.append(turn.say(language, "staff.card.words", words=excerpt) if excerpt else "")
    else:
        lines.extend(turn.say(language, "staff.card.words", words=said.text) for said in case.words.said[-_SHOWN:])
        lines.extend(
            turn.say(language, "review.line", title=each.title[language], value=value)
            for each in policy.form.fields
            if (value := answer_text(turn, case, each.id, language))
        )
        if case.facts.files:
            lines.append(turn.say(language, "staff.card.files", count=case.facts.files))
        if case.words.decided_by:
            lines.append(turn.say(language, "staff.card.why", words=joint.join(case.words.decided_by)))
        if case.words.proposal:
            lines.append(turn.say(language, "staff.card.proposal", words=case.words.proposal))
        if case.facts.call:
            lines.append(turn.say(language, "staff.card.tell", words=case.words.call))
    return "\n".join(line for line in lines if line)


def _consented(turn: Turn, case: Case) -> bool:
    customer = turn.customer(turn.conversation_of(case))
    return customer is not None and customer.consent is not None


def _masked_excerpt(turn: Turn, case: Case) -> str:
    if not case.words.said:
        return ""
    text = case.words.said[0].text
    masked = turn.book.reader.mask(text, turn.book.reader.read(text))
    for value in (case.words.answers.get(each.id) for each in turn.policy(case).form.fields if each.personal):
        if value:
            masked = masked.replace(value, "*" * min(len(value), 3))
    return masked if len(masked) <= _EXCERPT else masked[:_EXCERPT] + "…"


def buttons(turn: Turn, case: Case, member: Staff) -> list[list[Choice]]:
    """Return the buttons of what this member of the staff may do with the case now, two in a row."""
    choices = [
        turn.button(label, Token(scope="s", case_id=case.id, stamp=case.cycle, value=act))
        for act, label in rights.offered(turn, case, member)
    ]
    return [choices[i : i + 2] for i in range(0, len(choices), 2)]


def room_buttons(turn: Turn, case: Case, language: Language) -> list[list[Choice]]:
    """Return the buttons of a case in the group: to claim it, and to open it in one's own chat."""
    if not case.open:
        return []
    rows = []
    if case.owner_id is None:
        token = Token(scope="s", case_id=case.id, stamp=case.cycle, value="claim")
        rows.append([turn.button(turn.say(language, "staff.act.claim"), token)])
    token = Token(scope="s", case_id=case.id, stamp=case.cycle, value="show")
    rows.append([turn.button(turn.say(language, "staff.act.show"), token)])
    return rows


def customer_buttons(turn: Turn, case: Case, language: Language) -> list[list[Choice]]:
    """Return the buttons of the moves that are the customer's to make now."""
    return [
        [turn.button(move.button[language], Token(scope="c", case_id=case.id, stamp=case.round, value=move.id))]
        for move in rights.moves(turn, case)
        if move.button is not None
    ]
