"""The one home of every change to a case: it is opened, graded, moved on, and whatever follows from that happens.

`happen` is the mechanism that serves most clauses of a policy: something has a name (a state entered, a move made, an
act of a person), and clocks, notices, surveys and further moves wait for names.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from transitions import MachineError

from complaints import moments, numbers
from complaints.calendar import due
from complaints.case import Case, Said
from complaints.clauses.form import FormField
from complaints.clauses.lifecycle import Move
from complaints.clauses.routing import LEAD
from complaints.conversation import Conversation, Customer
from complaints.errors import NotAllowed
from complaints.messages import IncomingMessage
from complaints.reading import Reading
from handlers import alarms, approvals, cards, clocks, concerning, decisions, notices, orders, rights, surveys
from handlers.turn import CUSTOMER, SYSTEM, Turn

#: A complaint counts from the platform's time of its first message, unless that is older than this.
OLDEST_START: Final = timedelta(hours=72)


def clear(turn: Turn, reading: Reading, *, least: float = 0.0) -> bool:
    """Tell whether a text speaks clearly for one type, and not for the one of whatever fits no other.

    Its score is the policy's threshold at least, or `least`, whichever is more.
    """
    taxonomy, best = turn.policy().taxonomy, reading.types[0] if reading.types else None
    return best is not None and best.score >= max(taxonomy.threshold, least) and best.id != taxonomy.fallback


def open_case(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str, reading: Reading) -> Case:
    """Open a numbered case for a complaining message; its clocks run from that message."""
    policy = turn.policy()
    customer = turn.customer(conversation) or _welcome(turn, conversation)
    case_id = turn.book.ids.next()
    opened_at = message.sent_at if timedelta(0) <= turn.now - message.sent_at < OLDEST_START else turn.now
    running = turn.book.ids.number(opened_at.year)
    case = Case(
        id=case_id,
        number=numbers.make(policy.number.prefix, opened_at.year, running),
        conversation_id=conversation.id,
        customer_id=customer.id,
        policy=policy.version,
        channel=conversation.channel,
        opened_at=opened_at,
        state=policy.lifecycle.first,
        department=policy.routing.reception,
    )
    case.facts.lexicon = reading.lexicon
    case.words.answers.update(
        {name: value for name, value in customer.profile.answers.items() if policy.form.has(name)}
    )
    turn.opened(case)
    turn.record(case, "opened", CUSTOMER, facts={"number": case.number, "policy": policy.version, "state": case.state,
                                                 "opened_at": opened_at.isoformat()})  # fmt: skip
    turn.opening = []  # what the first message names follows once the case is there: its clocks run before all else
    hear(turn, case, message, text, reading)
    fill_known(turn, conversation, case)
    known = orders.of_customer(turn, case)
    regrade(turn, case)
    if known:
        orders.tell(turn, case)
    follows, turn.opening = turn.opening, None
    happen(turn, case, case.state, SYSTEM, at=opened_at)
    for each in follows:
        happen(turn, case, each, SYSTEM)
    turn.set_timer(case, "nudge", turn.now + timedelta(hours=policy.form.nudge_after))
    turn.set_timer(case, "abandon", turn.now + timedelta(hours=policy.form.abandon_after))
    return case


def fill_known(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Fill in what came with a scanned code; the customer's own words go before it."""
    known, conversation.words.known = conversation.words.known, {}
    for name, value in known.items():
        if name == "type" and not case.type:
            set_type(turn, case, value, SYSTEM, words=[])
        elif name != "type" and name not in case.words.answers:
            answer(turn, case, name, value, SYSTEM, read=True)


def _welcome(turn: Turn, conversation: Conversation) -> Customer:
    customer_id = turn.book.ids.next()
    customer = Customer(id=customer_id, key=turn.book.ids.data_key(customer_id))
    conversation.customer_id = customer_id
    turn.welcomed(customer)
    return customer


def hear(turn: Turn, case: Case, message: IncomingMessage, text: str, reading: Reading) -> None:
    """Add what the customer said to the case: its words, dangers and values, and its type if not yet known."""
    if text:
        case.words.said.append(Said(at=message.sent_at, text=text, ref=message.ref))
        turn.record(case, "said", CUSTOMER, words={"text": text})
    danger(turn, case, reading)
    if not case.type:
        weigh(case, reading)
        best, taxonomy = (reading.types[0] if reading.types else None), turn.policy(case).taxonomy
        # That a complaint fits no type is for the customer to say.
        if best is not None and best.score >= taxonomy.threshold and best.id != taxonomy.fallback:
            set_type(turn, case, best.id, SYSTEM, words=[hit.word for hit in best.words])
    fill_from(turn, case, reading, text)
    concerning.find(turn, case)


def weigh(case: Case, reading: Reading) -> None:
    """Keep why a text was read as it was: the scores of the nearest types, the weights of the words, the lexicon."""
    best = reading.types[0].words if reading.types else ()
    case.facts.scores = {each.id: round(each.score, 3) for each in reading.types[:3]}
    case.facts.lexicon = reading.lexicon
    case.words.weights = {hit.word: round(hit.weight, 2) for hit in best}


def danger(turn: Turn, case: Case, reading: Reading) -> None:
    """Note the dangers that a text names, and call a human for each new one before anything else is asked."""
    known = {flag.id for flag in turn.policy(case).taxonomy.flags}
    new = [flag for flag in reading.flags if flag.id not in case.facts.flags]
    raised = [flag for flag in new if flag.id in known]
    for flag in raised:
        case.facts.flags.append(flag.id)
        case.words.flagged_by[flag.id] = [hit.word for hit in flag.words]
        turn.record(case, "flagged", SYSTEM, facts={"flag": flag.id}, words={"by": case.words.flagged_by[flag.id]})
    if raised:
        regrade(turn, case, flags=[flag.id for flag in raised])
    elif new and not case.facts.human:
        call_human(turn, case, SYSTEM)


def regrade(turn: Turn, case: Case, *, flags: Sequence[str] = ()) -> None:
    """Grade the case anew, and let happen what follows from new `flags`, and from those that its facts raise."""
    fresh = [*flags, *_grade(turn, case)]
    taxonomy = turn.policy(case).taxonomy
    dangers = [each.id for each in taxonomy.flags if each.id in fresh and not each.quiet]
    names = [*(f"flagged.{each}" for each in fresh), *(["flagged"] if dangers else [])]
    for each in names:
        clocks.note(turn, case, each, turn.now)
    _follow(turn, case)
    for each in approvals.follow(turn, case):
        happen(turn, case, each, SYSTEM)
    if turn.opening is not None:  # it waits until the first state has happened
        turn.opening += [each for each in names if each not in turn.opening]
        return
    for each in fresh:
        happen(turn, case, f"flagged.{each}", SYSTEM)
    if dangers:
        happen(turn, case, "flagged", SYSTEM)


def call_human(turn: Turn, case: Case, actor: str) -> None:
    """Call for a person, once per case and cycle."""
    case.facts.human = True
    turn.record(case, "human_called", actor)
    happen(turn, case, "human_called", actor)


def value_of(each: FormField, reading: Reading, text: str, own: str) -> str | None:
    """Return the value that a text holds for a field; "WeChat is fine" is a contact too, in the customer's words.

    An amount counts in our `own` currency only, and a choice is found by whatever it is called, in any language.
    """
    slots = each.slots or (["moment"] if each.kind == "moment" else [])
    slot = reading.slot(*slots) if slots else None
    if slot is None:
        return None
    if each.kind == "amount":
        value, _, currency = slot.value.partition(" ")
        return value if slot.name == "amount" and currency == own else None
    if each.kind == "choice":
        said = slot.value.casefold()
        called = {
            name.casefold(): choice.id
            for choice in each.choices
            for name in (choice.id, choice.title.zh_hans, choice.title.zh_hant, choice.title.en, *choice.also)
        }
        return called.get(said)
    return text[slot.start : slot.end] if slot.name == "channel" else slot.value


def own(turn: Turn, case: Case, reading: Reading, text: str) -> Reading:
    """Return what was read without contacts that may be somebody else's.

    Who writes of a data leak names other people's: theirs is only what they announce as such ("my number is …").
    """
    if not cards.leaking(turn, case):
        return reading
    fields = [each for each in turn.policy(case).form.fields if each.kind == "contact"]
    contacts = {name for each in fields for name in each.slots if name != "channel"}
    announces = turn.book.reader.announces
    kept = (slot for slot in reading.slots if slot.name not in contacts or announces(text[: slot.start]))
    return replace(reading, slots=tuple(kept))


def fill_from(turn: Turn, case: Case, reading: Reading, text: str) -> list[str]:
    """Fill the empty fields of the form with the values a text holds; return the ids of the fields filled."""
    filled, reading = [], own(turn, case, reading, text)
    for each in turn.policy(case).form.fields:
        if each.id in case.words.answers and each.kind != "moment":
            continue
        value = value_of(each, reading, text, turn.book.currency)
        if value is None:
            continue
        if answer(turn, case, each.id, value, CUSTOMER, read=True):
            filled.append(each.id)
    return filled


def answer(turn: Turn, case: Case, field_id: str, value: str, actor: str, *, read: bool = False) -> bool:
    """Give a field of the form its value; `read`: taken from free text, not asked for.

    Return whether it can be one: a moment that has passed can not.
    """
    field = turn.policy(case).form.field(field_id)
    kind = field.kind
    if kind == "moment":  # "tomorrow" is the day after it was said
        value = moments.fixed(value, turn.said_at or turn.now, turn.book.calendar.zone) or ""
    if not value or case.words.answers.get(field_id) == value:
        return bool(value)
    case.words.answers[field_id] = value
    turn.record(case, "answered", actor, facts={"field": field_id, "read": read}, words={"value": value})
    found = kind == "order_no" and orders.look_up(turn, case, value)
    counts = kind in ("choice", "amount", "moment") or "region" in (field_id, *field.slots)
    if found or counts or field.concerns:
        regrade(turn, case)
    if found:
        orders.tell(turn, case)
    return True


def set_type(turn: Turn, case: Case, type_id: str, actor: str, *, words: list[str] | None = None) -> None:
    """Give the case its complaint type, or correct it, and with it its department. Every correction is kept."""
    policy = turn.policy(case)
    chosen = policy.taxonomy.type(type_id)
    before, case.type = case.type, chosen.id
    if words is not None:
        case.words.decided_by = words
    turn.record(case, "typed", actor, facts={"type": chosen.id, "before": before, "scores": case.facts.scores,
                                             "lexicon": case.facts.lexicon},
                words={"by": words or [], "weights": case.words.weights})  # fmt: skip
    regrade(turn, case)
    if case.facts.complete:
        route(turn, case)


def set_grade(turn: Turn, case: Case, name: str, value: str, actor: str, reason: str) -> None:
    """Let a person set a grade, with the reason; it stays until a person sets another one."""
    before, case.facts.set_grades[name] = case.facts.grades.get(name, ""), value
    turn.record(case, "regraded", actor, facts={"grade": name, "value": value, "before": before},
                words={"reason": reason})  # fmt: skip
    clocks.note(turn, case, "regraded", turn.now)
    regrade(turn, case)
    if case.facts.complete:
        route(turn, case)
    happen(turn, case, "regraded", actor)


def _grade(turn: Turn, case: Case) -> list[str]:
    """Give the case its grades, and the flags that follow from its facts; return the ids of new ones."""
    taxonomy, fresh = turn.policy(case).taxonomy, []
    for _ in range(2):  # flags follow from grades, and grades from flags
        for flag in taxonomy.flags:
            if flag.when is not None and flag.id not in case.facts.flags and turn.holds(flag.when, case):
                case.facts.flags.append(flag.id)
                fresh.append(flag.id)
                turn.record(case, "flagged", SYSTEM, clause=flag.clause, facts={"flag": flag.id})
        for name, grades in taxonomy.grades.items():
            holding = [grade for grade in grades if not grade.by_hand and turn.holds(grade.when, case)]
            value = case.facts.set_grades.get(name) or (holding[-1].id if holding else grades[0].id)
            if case.facts.grades.get(name) != value:
                if name in case.facts.grades:
                    turn.record(case, "graded", SYSTEM, facts={"grade": name, "value": value})
                case.facts.grades[name] = value
    case.urgent = any(not flag.quiet for flag in taxonomy.flags if flag.id in case.facts.flags)
    return fresh


def _follow(turn: Turn, case: Case) -> None:
    """Let the clocks and the parts of a case follow its type, flags and grades."""
    clocks.regrade(turn, case)
    parts: dict[str, list[str]] = {}
    for route_ in turn.policy(case).routing.routes:
        if route_.part != LEAD and route_.part not in parts and turn.holds(route_.when, case):
            parts[route_.part] = route_.to
    if manager := case.facts.order.get(orders.MANAGER):
        parts.setdefault(orders.MANAGER, [str(manager)])
    if parts != case.facts.parts:
        case.facts.parts = parts
        turn.record(case, "parted", SYSTEM, facts={"parts": parts})
    concerning.find(turn, case)
    shut_out(turn, case)


def route(turn: Turn, case: Case) -> None:
    """Send the case to the department its policy names; a change of department frees it from its owner."""
    policy = turn.policy(case)
    routes = (each for each in policy.routing.routes if each.part == LEAD and turn.holds(each.when, case))
    found = next(routes, None)
    assign(turn, case, found.to[0] if found else policy.taxonomy.type(case.type).department, SYSTEM)


def assign(turn: Turn, case: Case, department: str, actor: str) -> None:
    """Send the case to a department; its owner loses it, or keeps it until somebody there takes it (see routing)."""
    if department == case.department:
        return
    routing = turn.policy(case).routing
    case.department, case.facts.held_for = department, ""
    turn.record(case, "assigned", actor, facts={"department": department})
    clocks.regrade(turn, case)
    owner = turn.owner(case)
    if owner is not None and department not in routing.held(owner.roles):
        if routing.handover:
            hold(turn, case, actor)
        else:
            release(turn, case, SYSTEM)
    shut_out(turn, case)


def hold(turn: Turn, case: Case, actor: str) -> None:
    """Let an owner who is not of the case's department keep it until somebody there takes it, who is told once."""
    owner = turn.owner(case)
    if owner is None or case.facts.held_for or case.department in turn.policy(case).routing.held(owner.roles):
        return
    case.facts.held_for = case.department
    notices.alert(turn, case, ["department"], "staff.handover", by=owner.name)
    happen(turn, case, "handover_asked", actor)


def release(turn: Turn, case: Case, actor: str) -> None:
    """Free the case from its owner, and let that be known while there is still something to do."""
    case.owner_id, case.facts.held_for = None, ""
    turn.record(case, "released", actor)
    renew(turn, case)
    if case.open and case.facts.resolved_at is None:
        happen(turn, case, "released", actor)


def renew(turn: Turn, case: Case) -> None:
    """Let the time begin anew in which the owner must do something; nobody's time runs for a case without an owner."""
    lease = turn.policy(case).routing.lease
    if lease is not None:
        held = case.owner_id is not None and case.open
        turn.set_timer(case, "lease", due(lease, turn.now, turn.book.calendar) if held else None)


def end_lease(turn: Turn, case: Case) -> None:
    """Give a case back to its department whose owner has done nothing for too long."""
    owner = turn.owner(case)
    if owner is None or not case.open or case.facts.resolved_at is not None:
        return
    release(turn, case, SYSTEM)
    turn.record(case, "lease_ended", SYSTEM, clause=turn.policy(case).routing.clause, facts={"owner": owner.id})
    turn.retire(case, lambda language: turn.say(language, "staff.retired.released"))
    notices.alert(turn, case, ["department", "agents"], "staff.lease_ended", by=owner.name)
    happen(turn, case, "lease_ended", SYSTEM)


def shut_out(turn: Turn, case: Case) -> None:
    """Free the case from an owner from whom it is kept: it concerns them, or is hidden from them."""
    owner = turn.owner(case)
    if owner is not None and rights.kept_from(turn, case, owner):
        release(turn, case, SYSTEM)
        notices.alert(turn, case, ["department", "agents"], "staff.unowned")


def make(turn: Turn, case: Case, move: Move, actor: str, *, text: str = "") -> None:
    """Make a move, and let happen what follows: clocks, notices, surveys, the moves the desk makes by itself."""
    policy = turn.policy(case)
    before = case.state
    if move.solution == "told":
        text = text or case.words.proposal
    if obstacle := rights.obstacle(turn, case, move):
        raise NotAllowed(key=obstacle, number=case.number)
    try:
        policy.lifecycle.make(move, case)
    except MachineError as error:
        raise NotAllowed(key="error.state") from error
    case.facts.done[move.id] = turn.now
    fulfilled = move.fulfils and decisions.give(turn, case, actor)
    turn.record(case, "moved" if move.to else "did", actor, clause=move.clause,
                facts={"move": move.id, "from": before, "to": case.state},
                words={"text": text} if text else None)  # fmt: skip
    if isinstance(move.decides, str):
        decisions.conclude(turn, case, move.decides, actor, text, clause=move.clause)
    if case.type in move.retypes:
        set_type(turn, case, move.retypes[case.type], actor)
    if not move.to:
        regrade(turn, case)
        happen(turn, case, move.id, actor, text=text)
        if move.tells:
            notices.tell_customer(turn, case, move.tells, text=text)
        if fulfilled:
            happen(turn, case, "remedied", actor)
        return
    case.facts.waiting = {}
    if move.counts == "rejection":
        case.facts.rejections += 1
        case.facts.decision = None  # what was refused is not owed; the journal keeps it
    elif move.counts == "reopening":
        _reopen(turn, case, actor)
    state = policy.lifecycle.state(case.state)
    if state.resolved and case.facts.resolved_at is None:
        case.facts.resolved_at = turn.now
        turn.set_timer(case, "archive", turn.now + _archived_after(turn, case))
    if state.final:
        case.open = False
        if case.facts.resolved_at is None or turn.now >= case.facts.resolved_at + _archived_after(turn, case):
            case.active = False
    regrade(turn, case)
    happen(turn, case, move.id, actor, text=text)
    happen(turn, case, move.to, actor, text=text)
    if move.tells:
        notices.tell_customer(turn, case, move.tells, text=text)
        decisions.recourse(turn, case)
    if fulfilled:
        happen(turn, case, "remedied", actor)
    if state.final:
        clocks.stop_all(turn, case)
        alarms.silence(turn, case)
        for name in ("nudge", "abandon", "lease"):
            turn.set_timer(case, name, None)


def _archived_after(turn: Turn, case: Case) -> timedelta:
    return timedelta(days=turn.policy(case).lifecycle.archive_after)


def defer(turn: Turn, case: Case, move: Move, actor: str) -> None:
    """Remember a move that something stands in the way of: it is made as soon as that is gone."""
    if move.id not in case.facts.waiting:
        case.facts.waiting[move.id] = actor
        turn.record(case, "deferred", actor, clause=move.clause, facts={"move": move.id})


def catch_up(turn: Turn, case: Case) -> None:
    """Make the move that waited, if nothing stands in its way any more."""
    for move in turn.policy(case).lifecycle.moves_from(case.state):
        actor = case.facts.waiting.get(move.id)
        if actor is not None and turn.holds(move.when, case) and not rights.obstacle(turn, case, move):
            make(turn, case, move, actor)
            return


def decided(turn: Turn, case: Case, move: Move, actor: str) -> None:
    """Write down what the customer decided, or somebody for them on the telephone."""
    if move.counts != "reopening":
        turn.record(case, "refused" if move.counts == "rejection" else "accepted", actor, facts={"move": move.id})


def answered(turn: Turn, case: Case, actor: str) -> None:
    """Take note that the customer has answered what they were asked: the clocks run again."""
    case.facts.asked = False
    case.words.question = ""
    clocks.unpause(turn, case)
    happen(turn, case, "customer_wrote", actor)


def _reopen(turn: Turn, case: Case, actor: str) -> None:
    case.cycle += 1
    case.facts.reopenings += 1
    case.facts.resolved_at = None
    case.facts.asked = False
    case.facts.done, case.facts.happened, case.facts.decision = {}, {}, None
    case.words.proposal = case.words.result = case.words.reason = ""
    surveys.drop(turn, case)
    turn.record(case, "reopened", actor, facts={"cycle": case.cycle})
    renew(turn, case)


def watch(turn: Turn) -> None:
    """Let it be known of each case that changed when nobody and no date watches over it, and when that is over.

    The clock that starts on *unwatched* sees to it that no open case is forgotten, whatever was done with it.
    """
    for case in list(turn.touched.values()):
        if not case.open or case.facts.resolved_at is not None:
            continue
        running = {name for name, run in case.facts.clocks.items() if run.running}
        guards = {clock.id for clock in turn.policy(case).waiting("unwatched").starts}
        watched = case.owner_id is not None or bool(running - guards)
        if watched and running & guards:
            happen(turn, case, "watched", SYSTEM)
        elif not watched and not running:
            happen(turn, case, "unwatched", SYSTEM)


def happen(
    turn: Turn, case: Case, name: str, actor: str, *, at: datetime | None = None, text: str = "", **values: Any
) -> None:  # Any: fills of a sentence
    """Let everything follow that waits for this name.

    `at` is when it happened, if not now; `text` is what was written with it.
    """
    clocks.on(turn, case, name, at or turn.now)
    notices.on(turn, case, name, actor, text=text, **values)
    alarms.on(turn, case, name)
    surveys.on(turn, case, name)
    for each in approvals.on(turn, case, name, actor, text):
        happen(turn, case, each, SYSTEM)
    for move in turn.policy(case).lifecycle.moves_from(case.state):
        waits = name in move.on or (move.automatic and name == case.state)
        if waits and turn.holds(move.when, case):
            mover = SYSTEM if "system" in move.by else actor
            if rights.obstacle(turn, case, move):
                defer(turn, case, move, mover)
            else:
                make(turn, case, move, mover)
            return
