"""Deciding: a person sets a decision right, or says that what was promised was given."""

from collections.abc import Mapping

from complaints.case import Case
from complaints.conversation import Staff
from complaints.messages import Choice
from handlers import cards, cases, decisions, rights
from handlers.turn import Turn

#: What stands for everything that is owed.
ALL = "all"


def decide(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Put another decision in the place of the one that was noted: its result, and what is promised."""
    named = {"result": given["detail"], **given}
    actor = f"staff:{member.id}"
    decision = decisions.weigh(turn, case, actor, named)
    decision.told = case.facts.decision is not None and case.facts.decision.told
    decisions.decide(turn, case, decision, actor, given["text"])
    cases.regrade(turn, case)
    show(turn, case, member)


def remedied(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Say that something that was promised was given: one remedy, or all that are owed."""
    actor = f"staff:{member.id}"
    kinds = () if given["detail"] == ALL else (given["detail"],)
    decisions.give(turn, case, actor, *kinds)
    cases.happen(turn, case, "remedied", actor)
    cases.catch_up(turn, case)


def show(turn: Turn, case: Case, member: Staff) -> None:
    """Show what was noted as the decision to whoever wrote it, so that what was misread can be set right."""
    language = member.language
    decision = case.facts.decision
    if decision is None:
        return
    told = turn.say(language, "staff.decided", number=case.number, decision=cards.decision(turn, decision, language))
    rows: list[list[Choice]] = []
    if rights.may_act(turn, case, member, "decide"):
        label = turn.say(language, "staff.act.decide")
        told += "\n" + turn.say(language, "staff.decided_wrong", act=label)
        # Of a full card this button stands behind "more"; it must stand where the sentence says "press".
        rows = [[cards.choice(turn, case, "decide", "", label)]]
    turn.tell_staff(member, told, rows, case=case, first=True)
