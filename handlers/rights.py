"""Rights: who may make which move, and what a member of the staff may do with a case now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from complaints.case import Case, Decision
from complaints.clauses.clock import Clock
from complaints.clauses.lifecycle import Move, Result
from complaints.clauses.routing import Hidden
from complaints.conversation import DESK, Staff
from complaints.errors import NotAllowed
from complaints.reading import Language
from handlers import signers
from handlers.turn import CUSTOMER, Turn

#: Before a grade that the case has already.
_STANDS: Final = "\u2713 "


def may(turn: Turn, case: Case, move: Move, member: Staff) -> bool:
    """Tell whether this member of the staff, who sees the case, may make the move."""
    if meant(turn, case, member, move.by):
        return True
    agents = "agent" in move.by or (of_customer(move) and case.channel == DESK)
    if agents and case.owner_id in (None, member.id) and handles(turn, case, member):
        return True
    return last_word(turn, case, move) and turn.policy(case).routing.granted(member.roles, "lead")


def of_customer(move: Move) -> bool:
    """Tell whether the move is the customer's alone: who can only be called makes it through whoever calls them."""
    return tuple(move.by) == (CUSTOMER,)


def moves(turn: Turn, case: Case, *, member: Staff | None = None) -> list[Move]:
    """Return the moves that may be made now by the customer, or by this member of the staff."""
    if member is not None and not sees(turn, case, member):
        return []
    return [
        move
        for move in turn.policy(case).lifecycle.moves_from(case.state)
        if turn.holds(move.when, case)
        and (move.to or move.often or move.id not in case.facts.done)
        and (
            CUSTOMER in move.by and not last_word(turn, case, move) if member is None else may(turn, case, move, member)
        )
    ]


def decides(turn: Turn, case: Case) -> bool:
    """Tell whether it is the customer's turn: a proposal waits for their yes or no."""
    return any(move.counts == "rejection" for move in moves(turn, case))


def last_word(turn: Turn, case: Case, move: Move | None = None) -> bool:
    """Tell whether the customer has refused as often as the policy lets them: only a person decides then.

    With a `move`: whether that is one that the customer would have made.
    """
    policy = turn.policy(case)
    most, lifecycle = policy.acceptance.most, policy.lifecycle
    if most is None or case.facts.rejections < most:
        return False
    if move is not None and (not of_customer(move) or move.id == lifecycle.withdraw):
        return False
    return any(each.counts == "rejection" for each in lifecycle.moves_from(case.state))


def unconfirmed(turn: Turn, case: Case, move: Move) -> bool:
    """Tell whether the move accepts a solution for an organisation, and nobody has confirmed that this person may."""
    policy = turn.policy(case)
    if not policy.acceptance.authorised or case.facts.order.get("organisation") is not True or case.facts.authorised:
        return False
    if not of_customer(move) or move.counts or move.id == policy.lifecycle.withdraw or last_word(turn, case):
        return False
    return any(each.counts == "rejection" for each in policy.lifecycle.moves_from(case.state))


def obstacle(turn: Turn, case: Case, move: Move, *, decision: Decision | None = None) -> str:
    """Return the wording key of why a case may not go where the move leads; "" if nothing stands in its way.

    Nothing is closed before whoever passed it on was answered, nor done before what was promised was given: by the
    `decision` that is taken with the move, else by that of the case. What is refused is not owed. Nothing is asked for
    again that was decided for good.
    """
    lifecycle = turn.policy(case).lifecycle
    if signers.barred(turn, case, move):
        return "error.approval_final"
    if not move.to or move.id == lifecycle.withdraw:
        return ""
    state, known = lifecycle.state(move.to), case.facts
    promised = decision or known.decision
    if state.final and replies(case):
        return "error.external_open"
    given = move.fulfils or move.counts == "rejection" or promised is None or not promised.owed
    return "error.remedy_open" if (state.resolved or state.final) and not given else ""


def meant(turn: Turn, case: Case, member: Staff, names: Sequence[str]) -> bool:
    """Tell whether these names mean this member of the staff: `owner`, `department`, parts of the case, or roles."""
    if "owner" in names and case.owner_id == member.id:
        return True
    held = {*turn.policy(case).routing.held(member.roles), f"staff:{member.id}"}
    return not held.isdisjoint(case.roles_of(names))


def hiding(turn: Turn, case: Case) -> list[Hidden]:
    """Return the rules that hide the case now."""
    return [rule for rule in turn.policy(case).routing.hidden if turn.holds(rule.when, case)]


def secluded(turn: Turn, case: Case) -> bool:
    """Tell whether the case is kept from somebody, so that nothing of it may be said where all read along."""
    return bool(case.facts.concerned or hiding(turn, case))


def kept_from(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether the case is kept from this member of the staff, whatever else they may read.

    It concerns them, by this account or another one of theirs, or it is hidden from them.
    """
    staff = turn.scene.staff
    if member.who in {staff[each].who for each in case.facts.concerned if each in staff}:
        return True
    return any(not meant(turn, case, member, rule.only) for rule in hiding(turn, case))


def sees(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member of the staff may see the case.

    That is who reads or leads everything, reception, and who has to do with it: its owner, its department, its parts,
    for whom it is hidden from others, whoever must sign, make a move or keep a date now, and whoever was alarmed.
    """
    if not member.active or kept_from(turn, case, member):
        return False
    policy = turn.policy(case)
    if policy.routing.granted(member.roles, "lead", "read", "audit"):
        return True
    known = case.facts
    names = ["owner", *_working_on(turn, case)]
    names += [role for alarm in known.alarms.values() for role in alarm.roles]
    names += [
        name for move in policy.lifecycle.moves_from(case.state) if turn.holds(move.when, case) for name in move.by
    ]
    names += [name for clock in policy.clocks for name in clock.who if clock.id in known.clocks
              and known.clocks[clock.id].running]  # fmt: skip
    return meant(turn, case, member, names) or signers.involved(turn, case, member)


def handles(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member, who sees the case, may work on it: who leads, its owner, or whose role handles it.

    That is a role which grants *handle*, and is its department, has a part in it, or is reception, or one for which the
    case is hidden from others.
    """
    routing = turn.policy(case).routing
    if routing.granted(member.roles, "lead"):
        return True
    if case.owner_id == member.id:
        return routing.granted(member.roles, "handle")
    handling = routing.granting(member.roles, "handle")
    return bool(handling) and not handling.isdisjoint(case.roles_of(_working_on(turn, case)))


def _working_on(turn: Turn, case: Case) -> list[str]:
    hidden_for = [name for rule in hiding(turn, case) for name in rule.only]
    return ["department", turn.policy(case).routing.reception, *case.facts.parts, *hidden_for]


def everywhere(turn: Turn, member: Staff) -> bool:
    """Tell whether there may be cases for this member to see anywhere, and not where their roles are written down."""
    policy = turn.policy()
    names = {policy.routing.reception, *(name for rule in policy.routing.hidden for name in rule.only)}
    names |= {name for move in policy.lifecycle.moves for name in move.by}
    names |= {name for clock in policy.clocks for name in clock.who}
    granted = policy.routing.granted(member.roles, "lead", "read", "audit")
    return granted or not names.isdisjoint(policy.routing.held(member.roles))


def works(turn: Turn, member: Staff) -> bool:
    """Tell whether this member of the staff may work on new cases, and so enter one."""
    return member.active and turn.policy().routing.granted(member.roles, "handle")


def may_act(turn: Turn, case: Case, member: Staff, act: str) -> bool:
    """Tell whether one of the desk's own acts is open to this member of the staff now."""
    return sees(turn, case, member) and ACTS[act].may(turn, case, member)


def alarmed(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether an alarm sounds that this member may acknowledge: they were told, or work on the case."""
    ringing = [each for each in case.facts.alarms.values() if each.seen_at is None] if case.open else []
    return any(member.id in each.told or meant(turn, case, member, each.roles) for each in ringing) or (
        bool(ringing) and handles(turn, case, member)
    )


def _working(turn: Turn, case: Case, member: Staff) -> bool:
    return case.open and handles(turn, case, member)


def _owning(turn: Turn, case: Case, member: Staff) -> bool:
    return _working(turn, case, member) and case.owner_id == member.id


def _claimable(turn: Turn, case: Case, member: Staff) -> bool:
    owner = turn.owner(case)
    return _working(turn, case, member) and (
        case.owner_id is None
        or (case.facts.held_for in turn.policy(case).routing.held(member.roles) and case.owner_id != member.id)
        or (owner is not None and not sees(turn, case, owner))
    )


def _holding(turn: Turn, case: Case, member: Staff) -> bool:
    return _owning(turn, case, member) and _pausable(turn, case)


def _filed(turn: Turn, case: Case, member: Staff) -> bool:
    return case.facts.files > 0 and sees(turn, case, member)


def _was_read(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether the reader found anything in the customer's words, and this member may work on the case."""
    return bool(case.facts.scores or case.words.flagged_by) and handles(turn, case, member)


def _appointing(turn: Turn, case: Case, member: Staff) -> bool:
    agreed = any(clock.limit.unit == "appointment" for clock in turn.policy(case).clocks)
    return agreed and _owning(turn, case, member)


def extensible(turn: Turn, case: Case, member: Staff) -> Clock | None:
    """Return the clock whose date this member of the staff may move now; of several the one that runs out first."""
    if not member.active or not case.open:
        return None
    found: dict[datetime, Clock] = {}
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if clock.extension is None or run is None or not run.running or run.paused_at is not None:
            continue
        if (
            turn.now < run.due_at
            and len(run.extended) < clock.extension.most
            and meant(turn, case, member, clock.extension.by)
            and _askable(turn, case, clock.extension.approval)
        ):
            found.setdefault(run.due_at, clock)
    return found[min(found)] if found else None


def _askable(turn: Turn, case: Case, approval: str) -> bool:
    """Tell whether this approval, if any, can be asked for now: it would open, and is not under way."""
    if not approval:
        return True
    wanted = turn.policy(case).approval(approval)
    ends = {run.outcome for run in case.facts.approvals if run.id == approval}
    over = wanted.final and not ends.isdisjoint(("granted", "refused"))
    return "open" not in ends and not over and turn.holds(wanted.when, case)


def offered(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str, str]]:
    """Return what this member of the staff may do now: acts and moves, each with its detail and its label."""
    if not sees(turn, case, member):
        return []
    open_ = [act for act, each in ACTS.items() if each.may(turn, case, member)]
    found = [each for act in open_ for each in _buttons(turn, case, member, act)]
    found += [
        (move.id, "", _label(turn, case, move, member.language))
        for move in moves(turn, case, member=member)
        if move.button is not None and not move.automatic and not ("claimed" in move.on and case.owner_id is None)
    ]
    return found


def _buttons(turn: Turn, case: Case, member: Staff, act: str) -> list[tuple[str, str, str]]:
    label, each = turn.say(member.language, f"staff.act.{act}"), ACTS[act].each
    pairs = each(turn, case, member) if each is not None else [("", "")]
    if len(pairs) == 1:
        return [(act, pairs[0][0], label)]
    language = member.language
    return [(act, detail, turn.say(language, "staff.act.one_of", act=label, what=what)) for detail, what in pairs]


def check(turn: Turn, case: Case, member: Staff, act: str) -> Move | None:
    """Return the move of that name, None for one of the desk's own acts; NotAllowed if it is not open to them now."""
    if act in ACTS:
        if act == "claim" and case.owner_id is not None and not may_act(turn, case, member, act):
            owner = turn.owner(case)
            key = "error.claimed_by_you" if case.owner_id == member.id else "error.claimed"
            raise NotAllowed(key=key, owner=owner.name if owner else "", number=case.number)
        if not may_act(turn, case, member, act):
            refusal = ACTS[act].refusal
            if refusal is not None and not kept_from(turn, case, member):
                raise refusal(turn, case, member)
            raise NotAllowed(key="error.act", number=case.number)
        return None
    for move in moves(turn, case, member=member):
        if move.id == act:
            return move
    raise NotAllowed(key="error.act", number=case.number)


def _types(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    types = turn.policy(case).taxonomy.types
    return [(each.id, each.title[member.language]) for each in types if each.id != case.type]


def _grades(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return every grade, those that stand marked: whoever sets one of these confirms it."""
    grades, known, language = turn.policy(case).taxonomy.grades, case.facts.grades, member.language
    return [
        (
            f"{name}={each.id}",
            f"{_STANDS}{each.title[language]}" if known.get(name) == each.id else each.title[language],
        )
        for name, values in grades.items()
        for each in values
    ]


def _departments(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    routing = turn.policy(case).routing
    return [(role.id, role.title[member.language]) for role in routing.roles if "handle" in role.grants]


def _colleagues(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:  # noqa: ARG001 # one signature
    there = (each for each in turn.scene.staff.values() if each.active and each.id not in case.facts.concerned)
    return [(str(each.id), each.name) for each in there]


def _any(found: Callable[[Turn, Case, Staff], list[tuple[str, str]]]) -> Callable[[Turn, Case, Staff], bool]:
    return lambda turn, case, member: bool(found(turn, case, member))


def _correcting(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether the decision can be set right: where others agree to it, or have, another one is put to them."""
    policy = turn.policy(case)
    deciding = {name for move in policy.lifecycle.moves if move.decides for name in (move.id, move.to)}
    asked = {run.id for run in case.facts.approvals}
    agreed = any(
        deciding.intersection(each.on) and (each.id in asked or turn.holds(each.when, case))
        for each in policy.approvals
    )
    return case.facts.decision is not None and not agreed and _owning(turn, case, member)


def _results(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:  # noqa: ARG001 # one signature
    return [(each, turn.say(member.language, f"decision.result.{each}")) for each in get_args(Result)]


def _owing(turn: Turn, case: Case, member: Staff) -> bool:
    decision = case.facts.decision
    return decision is not None and bool(decision.owed) and _working(turn, case, member)


def _owed(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    owed = case.facts.decision.owed if case.facts.decision is not None else []
    found = [(each.kind, turn.say(member.language, f"decision.remedy.{each.kind}")) for each in owed]
    return [*dict.fromkeys(found), *([("all", turn.say(member.language, "staff.all"))] if len(found) > 1 else [])]


def replies(case: Case) -> bool:
    """Tell whether a reply is owed to whoever passed the case on."""
    return case.facts.external is not None and case.facts.external.replied_at is None


def _from_outside(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member may enter who passed the case on, or set right what these named."""
    if turn.policy(case).external is None:
        return False
    return _working(turn, case, member) or (replies(case) and handles(turn, case, member))


def _outsiders(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return who may have passed the case on: while a reply is owed to somebody, only they."""
    rule, known = turn.policy(case).external, case.facts.external
    kinds = [each for each in rule.kinds if not replies(case) or known is None or each.id == known.kind] if rule else []
    return [(each.id, each.title[member.language]) for each in kinds]


def _replying(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether a reply to the outside is owed, and theirs to record; it is owed for a withdrawn case too."""
    rule = turn.policy(case).external
    if rule is None or not replies(case):
        return False
    return meant(turn, case, member, rule.replied_by) if rule.replied_by else handles(turn, case, member)


def _confirming(turn: Turn, case: Case, member: Staff) -> bool:
    asked = turn.policy(case).acceptance.authorised and case.facts.order.get("organisation") is True
    return asked and not case.facts.authorised and _working(turn, case, member)


def _pausable(turn: Turn, case: Case) -> bool:
    pausing = [case.facts.clocks.get(clock.id) for clock in turn.policy(case).clocks if "desk" in clock.pauses]
    return any(run is not None and run.running and "desk" not in run.paused_for for run in pausing)


def _paused(case: Case) -> bool:
    return any(run.running and "desk" in run.paused_for for run in case.facts.clocks.values())


@dataclass(frozen=True, slots=True)
class Act:
    """One of the desk's own acts: who may do it now, whether words are asked for, and what is chosen before that.

    Each has the wording key `staff.act.NAME`; where words are asked for `staff.ask.NAME`, where something is chosen
    `staff.which.NAME`. The `options` are pairs of what the act gets as its detail, and a label. An act with `each` has
    a button for each of these pairs, so that a button is stale once its pair is gone; a `rare` one stands behind "more"
    on a full card. `refusal` says why somebody may not do it, where that is more than "not now". From outside a
    messenger `instead` may be given in the place of words. One that only `reads` does nothing with the case.
    """

    may: Callable[[Turn, Case, Staff], bool]
    written: bool = False
    rare: bool = False
    options: Callable[[Turn, Case, Staff], list[tuple[str, str]]] | None = None
    each: Callable[[Turn, Case, Staff], list[tuple[str, str]]] | None = None
    refusal: Callable[[Turn, Case, Staff], NotAllowed] | None = None
    instead: str = ""
    reads: bool = False


#: In the order of their buttons.
ACTS: Final[dict[str, Act]] = {
    "acknowledge": Act(alarmed),
    "approve": Act(_any(signers.signable), each=signers.signable, refusal=signers.refusal),
    "refuse": Act(_any(signers.signable), written=True, each=signers.signable, refusal=signers.refusal),
    "countersign": Act(_any(signers.addable), options=signers.addable, refusal=signers.refusal, rare=True),
    "hand_on": Act(_any(signers.receiving), options=signers.receiving, refusal=signers.refusal, rare=True),
    "recall": Act(_any(signers.recallable), each=signers.recallable),
    "hand_in": Act(_any(signers.papers), written=True, each=signers.papers),
    "claim": Act(_claimable),
    "ask": Act(_owning, written=True),
    "reply": Act(_owning, written=True),
    "note": Act(_working, written=True),
    "appoint": Act(_appointing, written=True, rare=True),
    "extend": Act(lambda turn, case, member: extensible(turn, case, member) is not None, written=True),
    "listen": Act(lambda turn, case, member: case.facts.listen and _working(turn, case, member), written=True),
    "called": Act(lambda turn, case, member: case.facts.call and _working(turn, case, member), written=True),
    "retype": Act(_working, options=_types, rare=True),
    "grade": Act(_working, written=True, options=_grades, rare=True),
    "assign": Act(_working, options=_departments, rare=True),
    "release": Act(_owning, rare=True),
    "concerns": Act(_working, options=_colleagues, rare=True),
    "decide": Act(_correcting, written=True, options=_results, rare=True),
    "remedied": Act(_owing, options=_owed),
    "external": Act(_from_outside, written=True, instead="number", options=_outsiders, rare=True),
    "reply_outside": Act(_replying, written=True),
    "authorise": Act(_confirming, written=True),
    "pause": Act(
        lambda turn, case, member: _owning(turn, case, member) and _pausable(turn, case), written=True, rare=True
    ),
    "resume": Act(lambda turn, case, member: _working(turn, case, member) and _paused(case)),
    "files": Act(_filed),
    "why": Act(_was_read, rare=True, reads=True),
}


def _label(turn: Turn, case: Case, move: Move, language: Language) -> str:
    label = move.button[language] if move.button is not None else move.id
    if last_word(turn, case, move):
        return turn.say(language, "staff.act.last_word", act=label)
    return turn.say(language, "staff.act.for_customer", act=label) if of_customer(move) else label
