"""Outside: cases that somebody passed on to the company, and who may speak for an organisation."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Final

from complaints.calendar import due
from complaints.case import Case, ExternalRun
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.conversation import Staff
from complaints.errors import BadInput, NotAllowed
from handlers import cases, clocks, notices
from handlers.turn import Turn

#: A date, with a time or without one, among the words of an act.
_DEADLINE: Final = re.compile(
    r"(?<![\w-])(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2})[:\uff1a](\d{2}))?(?![\w-])", re.ASCII
)
_END_OF_DAY: Final = time(23, 59, 59)
_LONGEST: Final = 200


def external(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Mark a case as passed on by somebody outside: who, the number it has there, and the deadline they named.

    Where they named none, the policy's limit counts.
    """
    rule = turn.policy(case).external
    if rule is None:
        raise NotAllowed(key="error.act", number=case.number)
    text = given.get("text", "")
    named = _DEADLINE.search(given.get("due") or text)
    number = given.get("number") or " ".join(_DEADLINE.sub(" ", text).split())
    if not number or len(number) > _LONGEST or (given.get("due") and named is None):
        raise BadInput(key="error.external_number")
    due_at = due(rule.limit, turn.now, turn.book.calendar) if named is None else _moment(turn, named)
    actor = f"staff:{member.id}"
    case.facts.external = ExternalRun(kind=given["detail"], opened_at=turn.now, due_at=due_at)
    case.words.external_number = number
    turn.record(case, "external_opened", actor, clause=rule.clause, words={"number": number},
                facts={"kind": given["detail"], "due_at": due_at.isoformat(), "named": named is not None})  # fmt: skip
    cases.regrade(turn, case)
    clocks.open_external(turn, case, due_at)
    kind = next(each.title for each in rule.kinds if each.id == given["detail"])
    evidence = rule.evidence or [kind]
    key = "staff.external_evidence" if rule.evidence else "staff.external"
    notices.alert(turn, case, rule.to, key, kind=kind, due=due_at, evidence=evidence)
    cases.happen(turn, case, "external_opened", actor)


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
