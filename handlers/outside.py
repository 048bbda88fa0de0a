"""Outside: cases that somebody passed on to the company, and who may speak for an organisation."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Final

from complaints.calendar import due
from complaints.case import Case, ExternalRun
from complaints.clauses.escalation import EXTERNAL_REPLY, External
from complaints.conversation import Staff
from complaints.errors import BadInput, NotAllowed
from handlers import cases, clocks, notices, rights
from handlers.turn import Turn

#: A date, with a time or without one, among the words of an act.
_DEADLINE: Final = re.compile(
    r"(?<![\w-])(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2})[:\uff1a](\d{2}))?(?![\w-])", re.ASCII
)
_END_OF_DAY: Final = time(23, 59, 59)
_LONGEST: Final = 200


def external(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Mark a case as passed on by somebody outside: who, the number it has there, and the deadline they named.

    Where they named none, the policy's limit counts. While their reply is owed, this sets the number and the deadline
    right, each that is given: a slip of the pen, or more time that they granted.
    """
    rule = turn.policy(case).external
    if rule is None:
        raise NotAllowed(key="error.act", number=case.number)
    text = given.get("text", "")
    named = _DEADLINE.search(given.get("due") or text)
    number = given.get("number") or " ".join(_DEADLINE.sub(" ", text).split())
    owed = case.facts.external if rights.replies(case) else None
    missing = not number and (owed is None or named is None)
    if missing or len(number) > _LONGEST or (given.get("due") and named is None):
        raise BadInput(key="error.external_number")
    if owed is not None:
        _correct(turn, case, owed, member, number, owed.due_at if named is None else _moment(turn, named))
        return
    due_at = due(rule.limit, turn.now, turn.book.calendar) if named is None else _moment(turn, named)
    actor = f"staff:{member.id}"
    case.facts.external = ExternalRun(kind=given["detail"], opened_at=turn.now, due_at=due_at)
    case.words.external_number = number
    turn.record(case, "external_opened", actor, clause=rule.clause, words={"number": number},
                facts={"kind": given["detail"], "due_at": due_at.isoformat(), "named": named is not None})  # fmt: skip
    cases.regrade(turn, case)
    clocks.open_external(turn, case, due_at)
    _alert(turn, case, rule, case.facts.external)
    cases.happen(turn, case, "external_opened", actor)


def _correct(turn: Turn, case: Case, run: ExternalRun, member: Staff, number: str, due_at: datetime) -> None:
    """Set right what whoever passed the case on named: their clock goes by it from now on."""
    before, words = run.due_at, {"before": case.words.external_number, "number": number or case.words.external_number}
    run.due_at, case.words.external_number = due_at, words["number"]
    turn.record(case, "external_corrected", f"staff:{member.id}", words=words,
                facts={"kind": run.kind, "before": before.isoformat(), "due_at": due_at.isoformat()})  # fmt: skip
    clocks.move_external(turn, case, due_at)
    rule = turn.policy(case).external
    if rule is not None and due_at != before:
        _alert(turn, case, rule, run)


def _alert(turn: Turn, case: Case, rule: External, run: ExternalRun) -> None:
    """Tell whom it concerns who expects a reply by when, and what to gather for it."""
    kind = next(each.title for each in rule.kinds if each.id == run.kind)
    key = "staff.external_evidence" if rule.evidence else "staff.external"
    notices.alert(turn, case, rule.to, key, kind=kind, due=run.due_at, evidence=rule.evidence or [kind])


def reply_outside(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Record the reply to whoever passed the case on; what waited for it is done now."""
    run = case.facts.external
    if run is None:
        raise NotAllowed(key="error.act", number=case.number)
    actor = f"staff:{member.id}"
    run.replied_at = turn.now
    turn.record(case, "external_replied", actor, facts={"kind": run.kind, "late": turn.now > run.due_at},
                words={"text": given["text"]})  # fmt: skip
    clocks.stop(turn, case, EXTERNAL_REPLY)
    cases.happen(turn, case, "external_replied", actor)
    cases.catch_up(turn, case)


def authorise(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Confirm, after calling back, that the customer is a contact who may accept for their organisation."""
    case.facts.authorised = True
    turn.record(case, "authorised", f"staff:{member.id}", words={"text": given["text"]})
    notices.tell_customer(turn, case, "case.authorised")


def _moment(turn: Turn, named: re.Match[str]) -> datetime:
    """Return the deadline that was named, by the company's clocks; BadInput if there is no such time, or it is over."""
    zone = turn.book.calendar.zone
    try:
        clock = time(int(named[4]), int(named[5])) if named[4] else _END_OF_DAY
        moment = datetime(int(named[1]), int(named[2]), int(named[3]), tzinfo=zone).replace(
            hour=clock.hour, minute=clock.minute, second=clock.second
        )
    except ValueError:  # the 31st of a month that has 30
        moment = None
    if moment is None or moment <= turn.now:
        raise BadInput(key="error.moment", now=f"{turn.now.astimezone(zone):%Y-%m-%d %H:%M}")
    return moment.astimezone(UTC)
