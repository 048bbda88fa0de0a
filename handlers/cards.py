"""Cards: how a case looks to those who work on it, and the buttons of what they may do."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from complaints.case import Case, Decision
from complaints.clauses.form import FormField
from complaints.clauses.model import Sentence
from complaints.conversation import Staff
from complaints.messages import Choice
from complaints.reading import Language
from complaints.tokens import SHOW, Token
from handlers import rights, signers
from handlers.turn import Turn

#: The button behind which stands what is done rarely.
MORE: Final = "more"
#: As many buttons as a card has room for on every platform.
_FULL: Final = 6
_SHOWN: Final = 3
_EXCERPT: Final = 80
#: As many of the words that decided are told, those first that weigh most.
_HEAVIEST: Final = 5
#: What the desk itself knows of an order on file; other columns are the company's own.
ORDER_COLUMNS: Final = ("organisation", "product", "model", "amount", "region", "account_manager", "contacts")


def values(
    turn: Turn, case: Case, language: Language, fills: dict[str, Any]
) -> dict[str, str]:  # Any: fills of a sentence
    """Return what a sentence about a case is filled with."""
    told = {name: shown(turn, language, value) for name, value in fills.items()}
    owner, promised = turn.owner(case), case.promised_at
    return {
        "number": case.number,
        "owner": owner.name if owner else turn.say(language, "staff.nobody"),
        "type": type_title(turn, case, language),
        "state": turn.policy(case).lifecycle.state(case.state).title[language],
        "flags": flags_title(turn, case, language),
        "grades": grades_title(turn, case, language),
        "promised": turn.moment(language, promised) if promised else turn.say(language, "case.soon"),
        **told,
    }


def flags_title(turn: Turn, case: Case, language: Language) -> str:
    """Return the dangers read in the customer's words, as people read them."""
    found = [flag.title[language] for flag in turn.policy(case).taxonomy.flags if flag.id in case.facts.flags]
    return turn.say(language, "staff.card.joint").join(found)


def grades_title(turn: Turn, case: Case, language: Language) -> str:
    """Return the grades of the case, as people read them."""
    known, taxonomy = case.facts.grades, turn.policy(case).taxonomy
    found = [
        each.title[language]
        for name, grades in taxonomy.grades.items()
        for each in grades
        if each.id == known.get(name)
    ]
    return turn.say(language, "staff.card.joint").join(found)


def shown(turn: Turn, language: Language, value: object, case: Case | None = None) -> str:
    """Return a value as people read it: a sentence in their language, a moment by the clocks of `Turn.moment`."""
    if isinstance(value, Sentence):
        return value[language]
    if isinstance(value, datetime):
        return turn.moment(language, value, case)
    if isinstance(value, list):
        return turn.say(language, "staff.card.joint").join(shown(turn, language, each, case) for each in value)
    return str(value)


def decision(turn: Turn, decided: Decision, language: Language) -> str:
    """Return a decision as people read it: the result, and what is promised."""
    result = turn.say(language, f"decision.result.{decided.result}" if decided.result else "decision.open")
    promised = [
        turn.say(language, "decision.promised", remedy=turn.say(language, f"decision.remedy.{each.kind}"),
                 amount="" if each.amount is None else f" {each.amount:,.2f} {turn.book.currency}",
                 given=turn.say(language, "decision.given") if each.given_at is not None else "")
        for each in decided.remedies
    ]  # fmt: skip
    return turn.say(language, "staff.card.joint").join([result, *promised])


def _background(turn: Turn, case: Case, language: Language) -> list[str]:
    """Return what else those must know who work on the case: who passed it on, and what is on file about the order."""
    lines, rule, external = [], turn.policy(case).external, case.facts.external
    if rule is not None and external is not None:
        kind = next((each.title[language] for each in rule.kinds if each.id == external.kind), external.kind)
        key = "staff.card.external" if external.replied_at is None else "staff.card.external_replied"
        lines.append(turn.say(language, key, kind=kind, external=case.words.external_number))
    if case.facts.decision is not None:
        lines.append(turn.say(language, "staff.card.decision", decision=decision(turn, case.facts.decision, language)))
    if case.facts.order.get("vip"):
        lines.append(turn.say(language, "staff.card.vip"))
    for name, value in case.words.order.items():
        title = turn.say(language, f"order.{name}") if name in ORDER_COLUMNS else name
        lines.append(turn.say(language, "staff.card.order", title=title, value=value) if value else "")
    return lines


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


def lacking(turn: Turn, case: Case) -> list[Sentence]:
    """Return the titles of the required fields that are empty, for whoever asks the customer for the rest."""
    return [
        each.title
        for each in turn.policy(case).form.fields
        if each.required
        and each.kind != "files"
        and each.id not in case.words.answers
        and not turn.on_file(case, each)
        and turn.holds(each.when, case)
    ]


def card(turn: Turn, case: Case, language: Language, *, masked: bool = False, alert: bool = False) -> str:
    """Return a case as staff see it. `masked`: for a room, without names, contacts or the customer's own words.

    `alert`: what is pushed unasked, below a sentence that has told the number: personal data is starred until somebody
    opens the case, and of a data leak the customer's words are left out.
    """
    policy = turn.policy(case)

    def told(text: str) -> str:
        return starred(turn, case, text) if alert else text

    def answered(field: FormField) -> str:
        value = answer_text(turn, case, field.id, language)
        if alert and field.personal:
            return _stars(value)
        return told(value) if field.kind == "text" or field.own_words else value  # of others nothing is to be starred

    due = case.due_at
    owner = turn.owner(case)
    flags = flags_title(turn, case, language)
    empty = lacking(turn, case) if case.facts.complete and case.open else []
    joint = turn.say(language, "staff.card.joint")
    lines = [
        turn.say(language, "staff.card.alert" if alert else "staff.card.head", number=case.number,
                 type=type_title(turn, case, language), state=policy.lifecycle.state(case.state).title[language]),
        turn.say(language, "staff.card.flags", flags=flags) if flags else "",
        turn.say(language, "staff.card.due", date=turn.moment(language, due)) if due else "",
        turn.say(language, "staff.card.owner", owner=owner.name) if owner else turn.say(language, "staff.card.nobody"),
        turn.say(language, "staff.card.incomplete") if not case.facts.complete and case.open else "",
        turn.say(language, "staff.card.lacking", fields=shown(turn, language, empty)) if empty else "",
        turn.say(language, "staff.card.listen") if case.facts.listen else "",
        turn.say(language, "staff.card.call") if case.facts.call else "",
        *_approvals(turn, case, language),
    ]  # fmt: skip
    consented, leaked = _consented(turn, case), alert and leaking(turn, case)
    if masked or not consented:
        excerpt = _masked_excerpt(turn, case) if consented and not leaked else ""
        lines.append(turn.say(language, "staff.card.words", words=excerpt) if excerpt else "")
    else:
        said = [each.text for each in case.words.said[-_SHOWN:] if not leaked]
        lines.extend(turn.say(language, "staff.card.words", words=told(text)) for text in said)
        lines.extend(
            turn.say(language, "review.line", title=each.title[language], value=value)
            for each in policy.form.fields
            if (value := answered(each))
        )
        if case.facts.files:
            lines.append(turn.say(language, "staff.card.files", count=case.facts.files))
        if case.words.decided_by:
            lines.append(turn.say(language, "staff.card.why", words=joint.join(case.words.decided_by)))
        if case.words.proposal:
            lines.append(turn.say(language, "staff.card.proposal", words=told(case.words.proposal)))
        if case.facts.call:
            lines.append(turn.say(language, "staff.card.tell", words=told(case.words.call)))
    if not masked:
        kept = [turn.scene.staff[each].name for each in case.facts.concerned if each in turn.scene.staff]
        lines.append(turn.say(language, "staff.card.concerned", names=joint.join(kept)) if kept else "")
        lines.extend(told(line) for line in _background(turn, case, language))
        lines.extend(turn.say(language, "staff.card.plan", words=told(words)) for words in _put(case))
    return "\n".join(line for line in lines if line)


def why(turn: Turn, case: Case, language: Language) -> str:
    """Return why the reader read the customer's words so: scores, words and weights, flags, version of the lexicon."""
    taxonomy, known, consented = turn.policy(case).taxonomy, case.facts, _consented(turn, case)
    joint = turn.say(language, "staff.card.joint")
    scored = [turn.say(language, "staff.why.scored", what=taxonomy.type(id_).title[language], score=round(100 * score))
              for id_, score in known.scores.items() if any(each.id == id_ for each in taxonomy.types)]  # fmt: skip
    heaviest = sorted(case.words.weights.items(), key=lambda each: -each[1])[:_HEAVIEST] if consented else []
    words = [turn.say(language, "staff.why.weighed", word=word, weight=f"{weight:.2f}") for word, weight in heaviest]
    raised = case.words.flagged_by if consented else {}
    flags = [
        turn.say(language, "staff.why.flag", flag=each.title[language], words=joint.join(raised[each.id]))
        if each.id in raised
        else each.title[language]
        for each in taxonomy.flags
        if each.id in known.flags
    ]
    read = next(iter(known.scores), "")
    lines = [
        turn.say(language, "staff.why.head", number=case.number),
        turn.say(language, "staff.why.type", type=scored[0] if scored else turn.say(language, "case.untyped")),
        turn.say(language, "staff.why.words", words=joint.join(words)) if words else "",
        turn.say(language, "staff.why.near", types=joint.join(scored[1:])) if scored[1:] else "",
        turn.say(language, "staff.why.now", type=type_title(turn, case, language)) if case.type != read else "",
        *(turn.say(language, "staff.card.flags", flags=flag) for flag in flags),
        turn.say(language, "staff.why.lexicon", version=known.lexicon),
    ]
    return "\n".join(line for line in lines if line)


def proposed(turn: Turn, case: Case) -> str:
    """Return the solution that the customer was told; "" for one that is only drafted, or waits for an approval."""
    made = {"drafted": case.opened_at, "told": case.opened_at}
    for move in turn.policy(case).lifecycle.moves:
        if move.solution and move.id in case.facts.done:
            made[move.solution] = max(made[move.solution], case.facts.done[move.id])
    return case.words.proposal if made["told"] >= made["drafted"] else ""


def _put(case: Case) -> list[str]:
    """Return what was put to those who sign now, in the words of those who asked: plans, and the papers with them."""
    words = case.words
    numbers = [str(run.number) for run in case.facts.approvals if run.outcome == "open" and case.open]
    found = [kept[number] for number in numbers for kept in (words.plans, words.papers) if number in kept]
    return [each for each in found if each != words.proposal]


def _approvals(turn: Turn, case: Case, language: Language) -> list[str]:
    """Return a line for each approval that is under way: how far it is, and for whom it waits."""
    lines = []
    for run in case.facts.approvals if case.open else ():
        step = run.step
        if step is not None:
            key = "staff.card.approval" if step.opened_at is not None else "staff.card.unasked"
            lines.append(turn.say(language, key, approval=turn.policy(case).approval(run.id).title[language],
                                  step=signers.step_title(turn, case, step)[language]))  # fmt: skip
    return lines


def _consented(turn: Turn, case: Case) -> bool:
    customer = turn.customer(turn.conversation_of(case))
    return customer is not None and customer.consent is not None


def leaking(turn: Turn, case: Case) -> bool:
    """Tell whether the case is about a data leak: what the customer writes may tell who other people are."""
    flags = turn.policy(case).taxonomy.flags
    return any("leak" in flag.risks for flag in flags if flag.id in case.facts.flags)


def starred(turn: Turn, case: Case, text: str) -> str:
    """Return a text about the case with starred personal data: what the reader finds, and the customer's answers."""
    masked = turn.mask(text)
    for value in (case.words.answers.get(each.id) for each in turn.policy(case).form.fields if each.personal):
        if value:
            masked = masked.replace(value, _stars(value))
    return masked


def _stars(value: str) -> str:
    return "*" * min(len(value), 3)


def _masked_excerpt(turn: Turn, case: Case) -> str:
    if not case.words.said:
        return ""
    masked = starred(turn, case, case.words.said[0].text)
    return masked if len(masked) <= _EXCERPT else masked[:_EXCERPT] + "…"


def buttons(turn: Turn, case: Case, member: Staff, *, alert: bool = False) -> list[list[Choice]]:
    """Return the buttons of what this member of the staff may do with the case now, two in a row.

    Of more than a card holds everywhere, what is done rarely stands behind one button. An `alert` has one more, which
    opens the case.
    """
    offered = rights.offered(turn, case, member)
    opens = alert and rights.sees(turn, case, member)
    rare = [each for each in offered if _rare(turn, case, each[0])] if len(offered) + opens > _FULL else []
    shown = [choice(turn, case, *each) for each in offered if each not in rare]
    if opens:
        shown.append(choice(turn, case, SHOW, "", turn.say(member.language, "staff.act.open")))
    if rare:
        shown.append(choice(turn, case, MORE, "", turn.say(member.language, "staff.act.more")))
    return _paired(shown)


def more_buttons(turn: Turn, case: Case, member: Staff) -> list[list[Choice]]:
    """Return the buttons of what is done rarely, if this member of the staff may do it now."""
    return _paired(
        choice(turn, case, *each) for each in rights.offered(turn, case, member) if _rare(turn, case, each[0])
    )


def _rare(turn: Turn, case: Case, act: str) -> bool:
    if act in rights.ACTS:
        return rights.ACTS[act].rare
    return any(move.id == act and move.rare for move in turn.policy(case).lifecycle.moves_from(case.state))


def choice(turn: Turn, case: Case, act: str, detail: str, label: str) -> Choice:
    """Return the button with which a member of the staff does this with the case."""
    return turn.button(label, Token(scope="s", case_id=case.id, stamp=case.cycle, value=act, detail=detail))


def _paired(choices: Iterable[Choice]) -> list[list[Choice]]:
    each = list(choices)
    return [each[at : at + 2] for at in range(0, len(each), 2)]


def room_buttons(turn: Turn, case: Case, language: Language) -> list[list[Choice]]:
    """Return the buttons of a case in the group: to claim it, and to open it in one's own chat."""
    if not case.open:
        return []
    rows = []
    if any(alarm.seen_at is None for alarm in case.facts.alarms.values()):
        token = Token(scope="s", case_id=case.id, stamp=case.cycle, value="acknowledge")
        rows.append([turn.button(turn.say(language, "staff.act.acknowledge"), token)])
    if case.owner_id is None:
        token = Token(scope="s", case_id=case.id, stamp=case.cycle, value="claim")
        rows.append([turn.button(turn.say(language, "staff.act.claim"), token)])
    token = Token(scope="s", case_id=case.id, stamp=case.cycle, value=SHOW)
    rows.append([turn.button(turn.say(language, "staff.act.show"), token)])
    return rows


def customer_buttons(turn: Turn, case: Case, language: Language) -> list[list[Choice]]:
    """Return the buttons of the moves that are the customer's to make now."""
    return [
        [turn.button(move.button[language], Token(scope="c", case_id=case.id, stamp=case.round, value=move.id))]
        for move in rights.moves(turn, case)
        if move.button is not None
    ]
