"""Decisions: what was decided, what the customer is promised, and where they can turn if they do not agree."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, get_args

from complaints.case import REMEDIES, Case, Decision, Remedy
from complaints.clauses.lifecycle import Result
from complaints.errors import BadInput
from complaints.ports import Priority
from complaints.reading import Slot
from handlers import cards, rights
from handlers.turn import Turn

RESULTS: Final[tuple[Result, ...]] = get_args(Result)
#: Remedies that are paid: of several it is one of these that an amount belongs to.
PAID: Final = frozenset({"refund", "compensation", "discount", "financial_help", "goodwill"})
#: What the reader calls otherwise than we do.
_CALLED: Final = {"replace": "replacement", "return": "refund"}
#: Results with which nothing is promised, whatever remedies their reasons speak of.
_EMPTY: Final = frozenset({"not_upheld", "withdrawn", "out_of_scope"})
_AMOUNT: Final = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)


def weigh(turn: Turn, case: Case, actor: str, given: Mapping[str, str]) -> Decision:
    """Return the decision that is meant: what is given by name, the rest as it is read from the text.

    `result`; `remedy`: one or several, each with its amount where there is one (`refund:1800,apology`); `amount`: that
    of the only one that is paid. BadInput names what cannot be meant. What was given already stays so.
    """
    result = _result(given.get("result", ""))
    if given.get("remedy"):
        remedies = _listed(given["remedy"])
    else:
        remedies = [] if result in _EMPTY else _read(turn, given.get("text", ""))
    if given.get("amount"):
        _pay(remedies, amount(given["amount"]))
    for each in case.facts.decision.remedies if case.facts.decision is not None else ():
        same = next((new for new in remedies if (new.kind, new.amount) == (each.kind, each.amount)), None)
        if same is not None:
            same.given_at = each.given_at
    return Decision(at=turn.now, by=actor, result=result or ("upheld" if remedies else None), remedies=remedies)


def decide(turn: Turn, case: Case, decision: Decision, actor: str, reason: str, *, clause: str = "") -> None:
    """Put a decision in the place of the one before; the journal keeps both."""
    case.facts.decision, case.words.reason = decision, reason
    facts = {
        "result": decision.result,
        "remedies": [each.kind for each in decision.remedies],
        "amounts": [None if each.amount is None else str(each.amount) for each in decision.remedies],
    }
    turn.record(case, "decided", actor, clause=clause, facts=facts, words={"reason": reason})


def conclude(turn: Turn, case: Case, result: Result, actor: str, reason: str, *, clause: str = "") -> None:
    """Decide with the result that a move has by itself; what was promised stays promised where that is something."""
    before = case.facts.decision
    remedies = before.remedies if before is not None and result not in _EMPTY else []
    decide(turn, case, Decision(at=turn.now, by=actor, result=result, remedies=remedies), actor, reason, clause=clause)


def give(turn: Turn, case: Case, actor: str, *kinds: str) -> bool:
    """Write down that what was promised was given: these remedies, or all. False if nothing of it was owed."""
    decision = case.facts.decision
    given = [each for each in decision.owed if not kinds or each.kind in kinds] if decision is not None else []
    for each in given:
        each.given_at = turn.now
    if given:
        turn.record(case, "remedied", actor, facts={"remedies": [each.kind for each in given]})
    return bool(given)


def covers(case: Case, named: str) -> bool:
    """Tell whether the remedies that are named are all that is owed: nobody says of a part that it was everything."""
    kinds = {each.kind for each in _listed(named)}
    return case.facts.decision is None or all(each.kind in kinds for each in case.facts.decision.owed)


def recourse(turn: Turn, case: Case) -> None:
    """Tell the customer, once, with the decision where they can turn if they do not agree (ISO 10002, 8.8)."""
    decision = case.facts.decision
    state = turn.policy(case).lifecycle.state(case.state)
    conversation = turn.conversation_of(case)
    language = conversation.words.language
    asked = bool(cards.customer_buttons(turn, case, language)) or rights.last_word(turn, case)
    if decision is None or decision.told or not (asked or state.resolved or state.final):
        return
    if decision.result == "withdrawn":  # by the customer's own wish
        return
    decision.told = True
    ways = "\n".join(
        turn.say(language, "review.line", title=each.title[language], value=each.value)
        for each in turn.policy(case).contacts
    )
    parts = [turn.say(language, "decision.last", number=case.number)] if rights.last_word(turn, case) else []
    parts.append(turn.say(language, "decision.recourse", ways=ways) if ways else turn.say(language, "decision.again"))
    turn.tell(conversation, "\n".join(parts), priority=Priority.DECISION, unasked=True, case=case)


def amount(text: str) -> Decimal:
    """Return an amount in the company's currency; BadInput if it is none."""
    plain = text.replace(",", "").strip()
    if not _AMOUNT.fullmatch(plain):
        raise BadInput(key="error.amount", given=text)
    return Decimal(plain)


def _result(given: str) -> Result | None:
    found = next((each for each in RESULTS if each == given), None)
    if given and found is None:
        raise BadInput(key="error.choice", given=given, possible=", ".join(RESULTS))
    return found


def _listed(given: str) -> list[Remedy]:
    return [_named(each) for each in re.split(r"[\s,;]+", given) if each]


def _named(given: str) -> Remedy:
    kind, _, paid = given.partition(":")
    if kind not in REMEDIES:
        raise BadInput(key="error.choice", given=kind, possible=", ".join(REMEDIES))
    return Remedy(kind=kind, amount=amount(paid) if paid else None)


def _pay(remedies: list[Remedy], paid: Decimal) -> None:
    """Give the amount to the one remedy that it can belong to; BadInput if there is none, or several."""
    payable = [each for each in remedies if each.kind in PAID] or remedies
    if len(payable) != 1:
        raise BadInput(key="error.amount_of", given=str(paid))
    payable[0].amount = paid


def _read(turn: Turn, text: str) -> list[Remedy]:
    """Return the remedies that a text names, each with the amount that stands nearest to it."""
    slots = turn.book.reader.read(text).slots
    found: dict[str, tuple[Slot, Remedy]] = {}
    for slot in slots:
        kind = _CALLED.get(slot.value, slot.value)
        if slot.name == "remedy" and kind in REMEDIES and kind not in found:
            found[kind] = slot, Remedy(kind=kind)
    payable = [each for each in found.values() if each[1].kind in PAID] or list(found.values())
    for slot in slots:
        value, _, currency = slot.value.partition(" ")
        free = [(named, remedy) for named, remedy in payable if remedy.amount is None]
        if slot.name == "amount" and currency == turn.book.currency and free:
            min(free, key=lambda each: _gap(each[0], slot))[1].amount = Decimal(value)
    return [remedy for _, remedy in found.values()]


def _gap(one: Slot, other: Slot) -> int:
    return max(one.start - other.end, other.start - one.end, 0)
