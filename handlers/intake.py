"""Intake: from a customer's first words to a complete case, one question at a time.

What was understood is never asked again; from every question one can go back, skip, edit, cancel, ask for help or for a
human. The form is data (`clauses/form.py`): nothing here knows a field by its name.
"""

import hashlib
import re
from typing import Final

from complaints import moments
from complaints.case import Case
from complaints.clauses.form import FormField
from complaints.clauses.lifecycle import Move
from complaints.conversation import Consent, Conversation, Dialogue
from complaints.messages import Choice, IncomingMessage
from complaints.ports import Option
from complaints.reading import Reading
from complaints.tokens import Token
from handlers import answering, cards, cases
from handlers.turn import CUSTOMER, SYSTEM, Rows, Turn

#: States of a conversation in which a form is open.
FORM_STATES: Final = frozenset({"consenting", "choosing_type", "filling", "reviewing", "editing", "cancelling"})
_TOP: Final = 3
_OTHER: Final = "other_type"
_KEEP: Final = "keep"
#: The buttons of a question that are no answers of a field: value and wording key.
_BUTTONS: Final = {
    "consenting": (("yes", "consent.yes"), ("yes", "consent.yes_again"), ("no", "consent.no")),
    "filling": ((_KEEP, "form.keep"), ("skip", "form.done")),
    "reviewing": (("submit", "review.submit"), ("edit", "review.edit"), ("cancel", "review.cancel")),
    "cancelling": (("yes", "cancel.yes"), ("no", "cancel.no")),
}


def case_in_form(turn: Turn, conversation: Conversation) -> Case | None:
    """Return the case whose form is open in this conversation."""
    if conversation.state not in FORM_STATES:
        return None
    case = turn.case(conversation.case_id)
    return case if case is not None and case.conversation_id == conversation.id and case.open else None


def begin(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str, reading: Reading) -> Case:
    """Open a case for what was said, tell its number and the next step, and ask the first question."""
    words = conversation.words
    _begin_form(words)
    case = cases.open_case(turn, conversation, message, text, reading)
    conversation.case_id = case.id
    language = words.language
    key = "intake.opened_urgent" if case.urgent or case.facts.human else "intake.opened"
    turn.tell(conversation, turn.say(language, key, number=case.number), case=case)
    if not turn.book.calendar.is_working(turn.now):
        opening = turn.book.calendar.next_opening(turn.now)
        turn.tell(
            conversation,
            turn.say(language, "intake.off_hours", opening=turn.moment(language, opening, case)),
            case=case,
        )
    cases.happen(turn, case, "number_told", SYSTEM)
    proceed(turn, conversation, case)
    return case


def _begin_form(words: Dialogue) -> None:
    words.trail, words.ahead, words.skipped, words.options, words.returning = [], [], [], [], False
    words.put_off, words.explained = [], []


def proceed(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Put the next question on the table: consent, the type, the next empty field, or the review."""
    policy = turn.policy(case)
    customer = turn.customer(conversation)
    words = conversation.words
    if customer is None or customer.consent is None or customer.consent.version != policy.form.consent:
        ask_consent(turn, conversation, case)
    elif not case.type:
        ask_type(turn, conversation, case)
    elif words.returning:
        words.returning = False
        ask_review(turn, conversation, case)
    elif words.ahead:
        ask_field(turn, conversation, case, words.ahead.pop(0))
    else:
        gap = next(iter(missing(turn, case, words)), None)
        if gap is None:
            ask_review(turn, conversation, case)
        else:
            note = turn.say(words.language, "form.put_off") if gap.id in words.put_off else ""
            ask_field(turn, conversation, case, gap.id, note=note)


def missing(turn: Turn, case: Case, words: Dialogue) -> list[FormField]:
    """Return the fields that the form has still to ask for, in their order; those last that were put off."""
    found = [
        each
        for each in turn.policy(case).form.fields
        if each.id not in case.words.answers
        and each.id not in words.skipped
        and not turn.on_file(case, each)
        and turn.holds(each.when, case)
    ]
    return sorted(found, key=lambda each: each.id in words.put_off)


# the questions


def ask_again(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Put the question on the table once more."""
    again = {
        "consenting": ask_consent,
        "choosing_type": ask_type,
        "reviewing": ask_review,
        "editing": ask_edit,
        "cancelling": ask_cancel,
    }.get(conversation.state)
    if again is not None:
        again(turn, conversation, case)
    elif conversation.state == "filling":
        ask_field(turn, conversation, case, conversation.words.field, tries=conversation.words.tries)


def ask_consent(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Ask for consent before the first personal field, with the notice and its version."""
    conversation.make("ask_consent")
    language, again = conversation.words.language, _agreed_once(turn, conversation, case)
    notice = turn.say(language, "consent.again") if again else consent_notice(turn, conversation, case)
    yes = turn.say(language, "consent.yes_again" if again else "consent.yes")
    rows = [
        [turn.question_button(conversation, yes, "yes")],
        [turn.question_button(conversation, turn.say(language, "consent.no"), "no")],
    ]
    turn.tell(conversation, notice, rows, case=case)


def _agreed_once(turn: Turn, conversation: Conversation, case: Case) -> bool:
    """Tell whether the customer has agreed for the first of two times, to the notice as it is now."""
    form = turn.policy(case).form
    return form.consent_steps > 1 and conversation.words.agreed == form.consent


def consent_in(turn: Turn, text: str) -> tuple[str, str]:
    """Return the answer to the notice that a text gives, `yes`, `no` or "", and what else it says.

    What begins with the words of the button and goes on after a space is that answer, and more.
    """
    if said := turn.book.reader.intent(text) or "":
        return said, ""
    words, _, more = text.strip().partition(" ")
    for value, key in _BUTTONS["consenting"]:
        if words in {turn.say(language, key) for language in turn.policy().languages}:
            return (value, more) if turn.book.reader.consent(more) is not False else ("", "")
    return "", ""


def consent_notice(turn: Turn, conversation: Conversation, case: Case) -> str:
    """Return the notice on personal data: it names the platform over which the words travel."""
    language = conversation.words.language
    policy = turn.policy(case)
    return turn.say(language, "consent.notice", company=policy.title[language], version=policy.form.consent,
                    place=turn.say(language, f"consent.place.{conversation.channel}"))  # fmt: skip


def ask_type(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Let the customer choose from the types that came closest, and "other"."""
    taxonomy = turn.policy(case).taxonomy
    near = [id_ for id_ in case.facts.scores if id_ != taxonomy.fallback]
    others = [each.id for each in taxonomy.types if each.id not in near and each.id != taxonomy.fallback]
    wide = conversation.words.options == [_OTHER] or not near
    offered = (near + others) if wide else near[:_TOP]
    conversation.make("ask_type")
    language = conversation.words.language
    conversation.words.options = [*offered, taxonomy.fallback if wide else _OTHER]
    rows = [
        [turn.question_button(conversation, taxonomy.type(id_).title[language], f"t{index}")]
        for index, id_ in enumerate(offered)
    ]
    rows.append([turn.question_button(conversation, turn.say(language, "type.other"), f"t{len(offered)}")])
    turn.tell(conversation, turn.say(language, "type.ask"), rows, case=case)


def ask_field(
    turn: Turn, conversation: Conversation, case: Case, field_id: str, *, tries: int = 0, note: str = ""
) -> None:
    """Ask for one field of the form; `note` stands before the question, e.g. what was wrong with the last answer."""
    policy = turn.policy(case)
    each = policy.form.field(field_id)
    conversation.make("ask_field")
    words = conversation.words
    words.field, words.tries = field_id, tries
    language = words.language
    rows: list[list[Choice]] = [
        [turn.question_button(conversation, choice.title[language], f"o{index}")]
        for index, choice in enumerate(each.choices)
    ]
    if len(rows) > 3:  # noqa: PLR2004 # more than three buttons stand two in a row
        flat = [row[0] for row in rows]
        rows = [flat[i : i + 2] for i in range(0, len(flat), 2)]
    present = case.words.answers.get(field_id)
    if present is not None:
        rows.append([turn.question_button(conversation, turn.say(language, "form.keep"), _KEEP)])
    elif each.kind == "files" and case.facts.files:
        rows.append([turn.question_button(conversation, turn.say(language, "form.done"), "skip")])
    rows.append(
        [
            turn.question_button(conversation, turn.say(language, f"form.{name}"), name)
            for name, offered in (
                ("back", bool(words.trail)),
                ("skip", not each.required and present is None and not (each.kind == "files" and case.facts.files)),
                ("human", tries >= policy.form.wrong_answers),
            )
            if offered
        ]
    )
    text = each.ask[language]
    if each.kind == "files" and case.facts.files:
        text = turn.say(language, "evidence.more")
    elif each.kind == "files":
        text += "\n" + turn.say(language, "evidence.limits", files=policy.form.evidence.max_files,
                                megabytes=policy.form.evidence.max_megabytes)  # fmt: skip
    if present is not None:
        text += "\n" + turn.say(language, "form.present", value=cards.answer_text(turn, case, field_id, language))
    if note:
        turn.tell(conversation, note, case=case)
    if each.kind == "files":
        rows += turn.page_link(conversation)
    turn.tell(conversation, text, [row for row in rows if row], case=case)


def ask_review(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Read the record back for confirmation (the review card)."""
    conversation.make("ask_review")
    language = conversation.words.language
    lines = [
        turn.say(language, "review.head", number=case.number),
        turn.say(language, "review.type", type=cards.type_title(turn, case, language)),
    ]
    for each in turn.policy(case).form.fields:
        if not turn.holds(each.when, case):
            continue
        if each.kind == "files":
            value = turn.say(language, "review.files", count=case.facts.files) if case.facts.files else ""
        else:
            value = cards.answer_text(turn, case, each.id, language)
            if not value and turn.on_file(case, each):  # and not what: whoever named the order may be anybody
                value = turn.say(language, "review.on_file")
        lines.append(turn.say(language, "review.line", title=each.title[language], value=value or "—"))
    lines.extend(turn.say(language, "review.words", words=said.text) for said in case.words.said if said.text)
    lines.append(turn.say(language, "review.truthful"))
    rows = [
        [turn.question_button(conversation, turn.say(language, "review.submit"), "submit")],
        [
            turn.question_button(conversation, turn.say(language, "review.edit"), "edit"),
            turn.question_button(conversation, turn.say(language, "review.cancel"), "cancel"),
        ],
    ]
    turn.tell(conversation, "\n".join(lines), rows, case=case)


def ask_edit(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Ask which field to change."""
    conversation.make("ask_edit")
    language = conversation.words.language
    fields = [each for each in turn.policy(case).form.fields if turn.holds(each.when, case)]
    conversation.words.options = ["type", *(each.id for each in fields)]
    choices = [turn.question_button(conversation, turn.say(language, "review.type_label"), "f0")]
    choices += [
        turn.question_button(conversation, each.title[language], f"f{index}") for index, each in enumerate(fields, 1)
    ]
    rows = [choices[i : i + 2] for i in range(0, len(choices), 2)]
    rows.append([turn.question_button(conversation, turn.say(language, "form.back"), "back")])
    turn.tell(conversation, turn.say(language, "review.which"), rows, case=case)


def ask_cancel(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Ask whether the customer really wants to take the complaint back."""
    conversation.make("ask_cancel")
    language = conversation.words.language
    rows = [
        [turn.question_button(conversation, turn.say(language, "cancel.yes"), "yes")],
        [turn.question_button(conversation, turn.say(language, "cancel.no"), "no")],
    ]
    turn.tell(conversation, turn.say(language, "cancel.ask", number=case.number), rows, case=case)


# the answers


def answer(
    turn: Turn,
    conversation: Conversation,
    case: Case,
    message: IncomingMessage,
    value: str,
    text: str,
    *,
    wish: str = "",
) -> None:
    """Take the answer to the question on the table: a button's `value`, or what was typed and the wish read in it."""
    if not value and text:
        value = _button(turn, conversation, text)
    wish = value if value in ("back", "skip", "submit", "edit", "cancel") else _wish(conversation, wish)
    if text and not value and not wish and _corrected(turn, conversation, case, message, text):
        return
    if wish == "back":
        go_back(turn, conversation, case)
    elif wish == "cancel":
        ask_cancel(turn, conversation, case)
    elif wish == "edit" and conversation.state in ("filling", "reviewing", "choosing_type"):
        ask_edit(turn, conversation, case)
    elif wish == "later" and conversation.state != "filling":
        wait(turn, conversation, case)
    elif conversation.state == "consenting":
        _consented(turn, conversation, case, message, value, text)
    elif conversation.state == "choosing_type":
        _type_chosen(turn, conversation, case, message, value, text)
    elif conversation.state == "filling":
        _filled(turn, conversation, case, message, value, text, wish)
    elif conversation.state == "reviewing":
        _reviewed(turn, conversation, case, message, wish or value, text)
    elif conversation.state == "editing":
        _edit_chosen(turn, conversation, case, value, text)
    elif conversation.state == "cancelling":
        _cancelled(turn, conversation, case, value, text)


def _button(turn: Turn, conversation: Conversation, text: str) -> str:
    """Return the value of the button whose label was typed, in any language."""
    options = [
        Option(id=value, labels=tuple(turn.say(language, key) for language in turn.policy().languages))
        for value, key in _BUTTONS.get(conversation.state, ())
    ]
    if conversation.state == "filling":  # where a number or a part of a label is an answer to the question itself
        return next((option.id for option in options if text.strip() in option.labels), "")
    return turn.book.reader.choose(text, options) or ""


def wish_in(turn: Turn, conversation: Conversation, case: Case, text: str) -> str:
    """Return what a reply wants of the form, "" where it is a button, a choice, a correction, or an answer to edit.

    Whether to withdraw, and which answer to change, is said in known words only.
    """
    reader, words = turn.book.reader, conversation.words
    if conversation.state in ("cancelling", "editing") or _button(turn, conversation, text):
        return ""
    each = turn.policy(case).form.field(words.field) if conversation.state == "filling" else None
    if each is not None and answering.names_choice(turn, each, text):
        return ""
    corrected = reader.correction(text)
    return "" if corrected is not None and corrected.value else reader.wish(text) or ""


def _wish(conversation: Conversation, wish: str) -> str:
    if wish in ("back", "cancel", "edit", "later"):
        return wish
    if conversation.state == "filling" and wish in ("skip", "no", "unknown_value"):
        return "skip"
    if conversation.state == "filling" and wish in ("refuses", "said"):
        return wish
    if conversation.state == "reviewing" and wish in ("submit", "yes"):
        return "submit"
    if conversation.state == "reviewing" and wish == "no":
        return "edit"
    return ""


def _said_more(turn: Turn, case: Case, message: IncomingMessage, text: str) -> Reading:
    language = turn.conversation_of(case).words.language
    reading = turn.book.reader.read(text, hint=language, at=turn.heard_here())
    cases.hear(turn, case, message, text, reading)
    return reading


def _consented(
    turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, value: str, text: str
) -> None:
    said, more = (value, "") if value else consent_in(turn, text)
    language, form = conversation.words.language, turn.policy(case).form
    if said == "yes":
        customer = turn.customer(conversation)
        if customer is None:
            return
        notice = consent_notice(turn, conversation, case)
        consent = Consent(version=form.consent, language=language, at=turn.now,
                          text_sha256=hashlib.sha256(notice.encode()).hexdigest())  # fmt: skip
        last = form.consent_steps == 1 or _agreed_once(turn, conversation, case)
        conversation.words.agreed = "" if last else form.consent
        turn.record(case, "consented" if last else "consented_once", CUSTOMER, facts=consent.model_dump(mode="json"))
        if last:
            customer.consent = consent
            turn.touch(customer)
        if more:
            _said_more(turn, case, message, more)
        proceed(turn, conversation, case)
    elif said == "no":
        refuse_consent(turn, conversation, case)
    else:
        if text:
            _said_more(turn, case, message, text)
            turn.tell(conversation, turn.say(language, "consent.noted"), case=case)
        ask_consent(turn, conversation, case)


def refuse_consent(turn: Turn, conversation: Conversation, case: Case) -> None:
    """End the case without a readable word left, and offer another way."""
    conversation.words.agreed = ""
    policy = turn.policy(case)
    language = conversation.words.language
    ways = "\n".join(
        turn.say(language, "review.line", title=each.title[language], value=each.value) for each in policy.contacts
    )
    turn.tell(conversation, turn.say(language, "consent.refused", number=case.number, ways=ways), case=case)
    customer = turn.customer(conversation)
    turn.record(case, "consent_refused", CUSTOMER)
    for each in turn.cases_of(conversation):
        each.words = type(each.words)()
        if each.open:
            withdraw(turn, each)
        each.active = False
        turn.record(each, "erased", SYSTEM)
    if customer is not None:
        customer.erased, customer.profile = True, type(customer.profile)()
        turn.touch(customer)
    conversation.make("rest")
    conversation.customer_id = conversation.case_id = None
    words = conversation.words
    conversation.words = Dialogue(
        language=language, places=words.places, preferred=words.preferred, recent=words.recent, guesses=words.guesses
    )


def withdrawal(turn: Turn, case: Case) -> Move | None:
    """Return the move by which a customer takes a complaint back, if it still can be."""
    lifecycle = turn.policy(case).lifecycle
    return next((each for each in lifecycle.moves_from(case.state) if each.id == lifecycle.withdraw), None)


def withdraw(turn: Turn, case: Case) -> None:
    """Take a complaint back."""
    move = withdrawal(turn, case)
    if move is not None:
        cases.make(turn, case, move, CUSTOMER)


def _type_chosen(
    turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, value: str, text: str
) -> None:
    options = conversation.words.options
    taxonomy = turn.policy(case).taxonomy
    chosen = ""
    if re.fullmatch(r"t\d{1,2}", value) and int(value[1:]) < len(options):
        chosen = options[int(value[1:])]
    elif text:
        none = tuple(turn.say(each, "type.other") for each in turn.policy(case).languages)
        titles = {id_: () if id_ == _OTHER else answering.labels(taxonomy.type(id_).title) for id_ in options}
        labels = [Option(id=id_, labels=titles[id_] + (none if id_ == options[-1] else ())) for id_ in options]
        chosen = turn.book.reader.choose(text, labels) or ""
    if not chosen and text:
        _said_more(turn, case, message, text)
        if case.type:
            proceed(turn, conversation, case)
            return
    if chosen == _OTHER:
        conversation.words.options = [_OTHER]
    elif chosen:
        cases.set_type(turn, case, chosen, CUSTOMER)
        proceed(turn, conversation, case)
        return
    ask_type(turn, conversation, case)


def _filled(
    turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, value: str, text: str, wish: str
) -> None:
    words = conversation.words
    each = turn.policy(case).form.field(words.field)
    if value == _KEEP or (wish and each.id in case.words.answers):
        _leave(turn, conversation, case)
        return
    chosen, filled = answering.chosen(turn, each, value, text), []
    if chosen is None and wish == "said":
        chosen = answering.said_before(turn, case, each)
        if chosen is None and each.required:
            _wrong(turn, conversation, case, each, "form.not_found")
            return
        if chosen is None:
            _leave_empty(turn, conversation, case, each, wish)
            return
    elif chosen is None and wish == "later":
        _put_off(turn, conversation, case, each)
        return
    elif chosen is None and wish:
        _leave_empty(turn, conversation, case, each, wish)
        return
    if chosen is None and text:
        reading = turn.book.reader.read(text, hint=words.language, at=turn.heard_here())
        cases.danger(turn, case, reading)
        own = turn.book.currency
        chosen = answering.typed(each, answering.own_part(turn, case, each, text, reading), reading, own)
        if _found_now(turn, case, words, reading, text) and cases.value_of(each, reading, text, own) is None:
            chosen = None  # here it is at last, and no answer to the question on the table
        if each.kind == "moment" and chosen is not None:
            chosen = moments.fixed(chosen, turn.said_at or turn.now, turn.book.calendar.zone)
        if chosen is not None:
            cases.answer(turn, case, each.id, chosen, CUSTOMER)
        filled = cases.fill_from(turn, case, reading, text)
        if chosen is None and reading.kind == "complaint":  # who goes on telling is not asked to say it again
            cases.hear(turn, case, message, text, reading)
    elif chosen is not None:
        cases.answer(turn, case, each.id, chosen, CUSTOMER)
    if chosen is not None:
        _leave(turn, conversation, case)
    elif filled:  # the answer to another question
        note = turn.say(words.language, "consent.noted")
        ask_field(turn, conversation, case, each.id, tries=words.tries, note=note)
    else:
        _wrong(turn, conversation, case, each)


def _leave_empty(turn: Turn, conversation: Conversation, case: Case, each: FormField, wish: str) -> None:
    """Go on without an answer; what is required is explained once, and then left for a colleague to ask for."""
    words = conversation.words
    if each.required and each.kind != "files" and each.id not in words.explained:
        words.explained.append(each.id)
        refused = wish == "refuses" and each.personal
        _wrong(turn, conversation, case, each, "form.private" if refused else "form.required")
        return
    words.skipped.append(each.id)
    if each.id in words.explained:
        turn.tell(conversation, turn.say(words.language, "form.left_empty"), case=case)
    _leave(turn, conversation, case)


def _found_now(turn: Turn, case: Case, words: Dialogue, reading: Reading, text: str) -> bool:
    """Tell whether a text brings an answer for which the customer had to look."""
    form, own = turn.policy(case).form, turn.book.currency
    left = [form.field(id_) for id_ in words.put_off if id_ != words.field and id_ not in case.words.answers]
    return any(cases.value_of(each, reading, text, own) is not None for each in left)


def _put_off(turn: Turn, conversation: Conversation, case: Case, each: FormField) -> None:
    """Ask other questions first; where nothing else is left to ask, this one stays on the table and is not repeated."""
    words = conversation.words
    if each.id not in words.put_off:
        words.put_off.append(each.id)
    others = {*words.ahead, *(gap.id for gap in missing(turn, case, words))} - {*words.put_off}
    if others:
        turn.tell(conversation, turn.say(words.language, "form.later"), case=case)
        _leave(turn, conversation, case)
    else:
        wait(turn, conversation, case)


def wait(turn: Turn, conversation: Conversation, case: Case | None = None) -> None:
    """Give the customer time: the question stays on the table, and is not asked again."""
    turn.tell(conversation, turn.say(conversation.words.language, "form.waiting"), case=case)


def _corrected(turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, text: str) -> bool:
    """Take a correction of an earlier answer in the midst of a form; False if it is none, or of something else."""
    words, state = conversation.words, conversation.state
    found = turn.book.reader.correction(text) if state != "cancelling" else None
    if found is None:
        return False
    if state == "reviewing" and not found.named and (type_ := answering.type_named(turn, case, found)):
        cases.set_type(turn, case, type_, CUSTOMER)
        changed_to = turn.say(words.language, "review.type", type=cards.type_title(turn, case, words.language))
        turn.tell(conversation, turn.say(words.language, "form.corrected", changes=changed_to), case=case)
        ask_review(turn, conversation, case)
        return True
    asked = words.field if state == "filling" else ""
    changed = answering.right(turn, case, found, [asked, *reversed(words.trail)])
    misfit = any(value is None for _, value in changed)
    if not changed or (misfit and state in ("consenting", "choosing_type")):  # where no field can be asked for yet
        return False
    reading = turn.book.reader.read(text, hint=words.language)
    cases.danger(turn, case, reading)
    for each, value in changed:
        if value is None:  # it is not what the field can hold
            if state == "filling" and words.field != each.id:
                words.ahead.insert(0, words.field)
            words.returning = state in ("reviewing", "editing")
            ask_field(turn, conversation, case, each.id, note=each.hint[words.language])
            return True
    turn.tell(conversation, answering.correct(turn, case, changed), case=case)
    said = {*cases.fill_from(turn, case, reading, text), *(each.id for each, _ in changed)}
    if found.rest.strip() and state == "filling":
        _filled(turn, conversation, case, message, "", found.rest, "")
    elif state == "filling" and words.field in said:
        _leave(turn, conversation, case)
    elif state == "editing":
        _go_on(turn, conversation, case)
    else:
        ask_again(turn, conversation, case)
    return True


def _wrong(turn: Turn, conversation: Conversation, case: Case, each: FormField, key: str = "") -> None:
    words = conversation.words
    language = words.language
    tries = words.tries + 1
    note = turn.say(language, key) if key else each.hint[language]
    if tries >= turn.policy(case).form.wrong_answers:
        note += "\n" + turn.say(language, "form.offer_human")
    ask_field(turn, conversation, case, each.id, tries=tries, note=note)


def _leave(turn: Turn, conversation: Conversation, case: Case) -> None:
    words = conversation.words
    if words.field in words.trail:
        words.trail.remove(words.field)
    words.trail.append(words.field)
    proceed(turn, conversation, case)


def go_back(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Go back to the question before this one; the answers given stay until they are changed."""
    words = conversation.words
    if conversation.state in ("editing", "cancelling"):
        words.returning = False
        _go_on(turn, conversation, case)
        return
    if not words.trail:
        turn.tell(conversation, turn.say(words.language, "form.first"), case=case)
        ask_again(turn, conversation, case)
        return
    if conversation.state == "filling":
        words.ahead.insert(0, words.field)
    words.returning = False
    before = words.trail.pop()
    if before in words.skipped:
        words.skipped.remove(before)
    ask_field(turn, conversation, case, before)


def _reviewed(
    turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, wish: str, text: str
) -> None:
    if wish == "submit":
        submit(turn, conversation, case)
    elif text:
        _said_more(turn, case, message, text)
        turn.tell(conversation, turn.say(conversation.words.language, "review.added"), case=case)
        ask_review(turn, conversation, case)
    else:
        ask_review(turn, conversation, case)


def _edit_chosen(turn: Turn, conversation: Conversation, case: Case, value: str, text: str) -> None:
    options = conversation.words.options
    chosen = ""
    if re.fullmatch(r"f\d{1,2}", value) and int(value[1:]) < len(options):
        chosen = options[int(value[1:])]
    elif text:
        form = turn.policy(case).form
        labels = [Option(id=id_, labels=answering.labels(form.field(id_).title)) for id_ in options if form.has(id_)]
        chosen = turn.book.reader.choose(text, labels) or ""
    conversation.words.returning = bool(chosen)
    if chosen == "type" and not turn.policy(case).form.has("type"):
        ask_type(turn, conversation, case)
    elif chosen:
        ask_field(turn, conversation, case, chosen)
    else:
        ask_edit(turn, conversation, case)


def _cancelled(turn: Turn, conversation: Conversation, case: Case, value: str, text: str) -> None:
    said = value or turn.book.reader.intent(text) or ""
    if said in ("yes", "submit"):
        turn.tell(conversation, turn.say(conversation.words.language, "cancel.done", number=case.number), case=case)
        conversation.make("rest")
        conversation.case_id = None
        withdraw(turn, case)
    elif said == "no":
        _go_on(turn, conversation, case)
    else:
        ask_cancel(turn, conversation, case)


def _go_on(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Go on where the customer was before they asked to cancel or to edit."""
    if case.state == turn.policy(case).lifecycle.first:
        proceed(turn, conversation, case)
        return
    conversation.make("rest")
    conversation.case_id = None
    turn.tell(conversation, turn.say(conversation.words.language, "menu.nothing_open"), menu(turn, conversation))


def submit(turn: Turn, conversation: Conversation, case: Case) -> None:
    """Take the confirmed form: the case is accepted, and what the customer told is remembered for the next time."""
    policy = turn.policy(case)
    case.facts.complete = True
    turn.record(case, "completed_form", CUSTOMER, facts={"fields": sorted(case.words.answers)})
    customer = turn.customer(conversation)
    if customer is not None:
        personal = {each.id for each in policy.form.fields if each.personal}
        customer.profile.answers.update({k: v for k, v in case.words.answers.items() if k in personal})
        turn.touch(customer)
    conversation.make("rest")
    conversation.case_id = None
    late = case.state != policy.lifecycle.first  # reception has begun without it
    if cards.lacking(turn, case) and not late:
        cases.happen(turn, case, "abandoned", CUSTOMER)
    accept(turn, case, CUSTOMER)
    if late:
        cases.happen(turn, case, "customer_wrote", CUSTOMER)
        language = conversation.words.language
        turn.tell(conversation, turn.say(language, "hear.added", number=case.number), case=case)
    go_on(turn, conversation)


def go_on(turn: Turn, conversation: Conversation) -> None:
    """Ask on for a complaint whose form was put aside for another question, if there is one."""
    left = [
        case
        for case in turn.cases_of(conversation)
        if case.open and not case.facts.complete and case.state == turn.policy(case).lifecycle.first
    ]
    if left and conversation.state == "idle":
        words = conversation.words
        _begin_form(words)
        conversation.case_id = left[0].id
        turn.tell(conversation, turn.say(words.language, "menu.finish_first", number=left[0].number), case=left[0])
        proceed(turn, conversation, left[0])


def submit_for(turn: Turn, case: Case, actor: str, move: Move) -> None:
    """Let a member of the staff end the form with this move, as it stands: nothing more is asked of the customer."""
    conversation = turn.conversation_of(case)
    if case_in_form(turn, conversation) is case:
        conversation.make("rest")
        conversation.case_id = None
        turn.touch(conversation)
    case.facts.complete = True
    turn.record(case, "completed_form", actor, facts={"fields": sorted(case.words.answers)})
    accept(turn, case, actor, move)


def accept(turn: Turn, case: Case, actor: str, by: Move | None = None) -> None:
    """Make the move that a complete (or abandoned) form makes, or this one, and stop waiting for the customer."""
    lifecycle = turn.policy(case).lifecycle
    for name in ("nudge", "abandon"):
        turn.set_timer(case, name, None)
    cases.route(turn, case)
    move = by or next((each for each in lifecycle.moves_from(case.state) if each.id == lifecycle.submit), None)
    if move is not None:
        cases.make(turn, case, move, actor)


def menu(turn: Turn, conversation: Conversation) -> Rows:
    """Return the buttons of what a customer can do with the desk."""
    language = conversation.words.language
    return [
        [turn.button(turn.say(language, f"menu.{name}"), Token(scope="m", value=name)) for name in row]
        for row in (("new", "status"), ("help",))
    ]
