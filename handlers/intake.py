"""Intake: from a customer's first words to a complete case, one question at a time.

What was understood is never asked again; from every question one can go back, skip, edit, cancel, ask for help or for a
human. The form is data (`clauses/form.py`): nothing here knows a field by its name.
"""

import hashlib
import re
from typing import Final

from complaints import moments
from complaints.case import Case
from complaints.clauses.form import Form, FormField
from complaints.clauses.lifecycle import Move
from complaints.conversation import Consent, Conversation, Dialogue
from complaints.messages import Choice, IncomingMessage
from complaints.ports import Option
from complaints.reading import Language, Reading
from complaints.tokens import Token
from handlers import cards, cases
from handlers.turn import CUSTOMER, SYSTEM, Rows, Turn

#: States of a conversation in which a form is open.
FORM_STATES: Final = frozenset({"consenting", "choosing_type", "filling", "reviewing", "editing", "cancelling"})
_TOP: Final = 3
_OTHER: Final = "other_type"
_KEEP: Final = "keep"
#: The buttons of a question that are no answers of a field: value and wording key.
_BUTTONS: Final = {
    "consenting": (("yes", "consent.yes"), ("no", "consent.no")),
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
    words.trail, words.ahead, words.skipped, words.options, words.returning = [], [], [], [], False
    case = cases.open_case(turn, conversation, message, text, reading)
    conversation.case_id = case.id
    language = words.language
    key = "intake.opened_urgent" if case.urgent or case.facts.human else "intake.opened"
    turn.tell(conversation, turn.say(language, key, number=case.number), case=case)
    if not turn.book.calendar.is_working(turn.now):
        opening = turn.book.calendar.next_opening(turn.now)
        turn.tell(
            conversation, turn.say(language, "intake.off_hours", opening=turn.moment(language, opening)), case=case
        )
    proceed(turn, conversation, case)
    return case


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
        missing = next(iter(_missing(turn, case, words)), None)
        if missing is None:
            ask_review(turn, conversation, case)
        else:
            ask_field(turn, conversation, case, missing.id)


def _missing(turn: Turn, case: Case, words: Dialogue) -> list[FormField]:
    return [
        each
        for each in turn.policy(case).form.fields
        if each.id not in case.words.answers
        and each.id not in words.skipped
        and not turn.on_file(case, each)
        and turn.holds(each.when, case)
    ]


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
    language = conversation.words.language
    notice = consent_notice(turn, conversation, case)
    rows = [
        [turn.question_button(conversation, turn.say(language, "consent.yes"), "yes")],
        [turn.question_button(conversation, turn.say(language, "consent.no"), "no")],
    ]
    turn.tell(conversation, notice, rows, case=case)


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
    if wish == "back":
        go_back(turn, conversation, case)
    elif wish == "cancel":
        ask_cancel(turn, conversation, case)
    elif wish == "edit" and conversation.state in ("filling", "reviewing", "choosing_type"):
        ask_edit(turn, conversation, case)
    elif conversation.state == "consenting":
        _consented(turn, conversation, case, message, value, text)
    elif conversation.state == "choosing_type":
        _type_chosen(turn, conversation, case, message, value, text)
    elif conversation.state == "filling":
        _filled(turn, conversation, case, value, text, skip=wish == "skip")
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


def _wish(conversation: Conversation, wish: str) -> str:
    if wish in ("back", "cancel", "edit"):
        return wish
    if conversation.state == "filling" and wish in ("skip", "no", "unknown_value", "later"):
        return "skip"
    if conversation.state == "reviewing" and wish in ("submit", "yes"):
        return "submit"
    if conversation.state == "reviewing" and wish == "no":
        return "edit"
    return ""


def _said_more(turn: Turn, case: Case, message: IncomingMessage, text: str) -> Reading:
    reading = turn.book.reader.read(text, hint=turn.conversation_of(case).words.language)
    cases.hear(turn, case, message, text, reading)
    return reading


def _consented(
    turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, value: str, text: str
) -> None:
    said = value or turn.book.reader.intent(text) or ""
    language = conversation.words.language
    if said == "yes":
        customer = turn.customer(conversation)
        if customer is None:
            return
        version = turn.policy(case).form.consent
        notice = consent_notice(turn, conversation, case)
        customer.consent = Consent(version=version, language=language, at=turn.now,
                                   text_sha256=hashlib.sha256(notice.encode()).hexdigest())  # fmt: skip
        turn.touch(customer)
        turn.record(case, "consented", CUSTOMER, facts=customer.consent.model_dump(mode="json"))
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
        titles = {id_: () if id_ == _OTHER else _labels(taxonomy.type(id_).title) for id_ in options}
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


def _labels(sentence: object) -> tuple[str, ...]:
    languages: tuple[Language, ...] = ("zh-Hans", "zh-Hant", "en")
    return tuple(sentence[language] for language in languages)  # type: ignore[index] # a Sentence


def _filled(turn: Turn, conversation: Conversation, case: Case, value: str, text: str, *, skip: bool) -> None:
    words = conversation.words
    each = turn.policy(case).form.field(words.field)
    if value == _KEEP or (skip and each.id in case.words.answers):
        _leave(turn, conversation, case)
        return
    chosen = _choice(turn, each, value, text)
    if skip and chosen is None:
        if not each.required or each.kind == "files":
            words.skipped.append(each.id)
            _leave(turn, conversation, case)
        else:
            _wrong(turn, conversation, case, each, "form.required")
        return
    if chosen is None and text:
        reading = turn.book.reader.read(text, hint=words.language)
        cases.danger(turn, case, reading)
        own = turn.book.currency
        chosen = _typed(each, _own_part(turn.policy(case).form, each, text, reading, own), reading, own)
        if each.kind == "moment" and chosen is not None:
            chosen = moments.fixed(chosen, turn.said_at or turn.now, turn.book.calendar.zone)
        if chosen is not None:
            cases.answer(turn, case, each.id, chosen, CUSTOMER)
        cases.fill_from(turn, case, reading, text)
    elif chosen is not None:
        cases.answer(turn, case, each.id, chosen, CUSTOMER)
    if chosen is None:
        _wrong(turn, conversation, case, each)
    else:
        _leave(turn, conversation, case)


def _choice(turn: Turn, each: FormField, value: str, text: str) -> str | None:
    if re.fullmatch(r"o\d{1,2}", value) and int(value[1:]) < len(each.choices):
        return each.choices[int(value[1:])].id
    if not text or not each.choices:
        return None
    options = [Option(id=choice.id, labels=(*_labels(choice.title), *choice.also)) for choice in each.choices]
    return turn.book.reader.choose(text, options)


def _own_part(form: Form, each: FormField, text: str, reading: Reading, own: str) -> str:
    """Return the part of an answer that may be this field's: the first that holds no value of another field."""
    foreign = {name for other in form.fields if other.id != each.id for name in other.slots} - set(each.slots)
    spans = sorted((slot.start, slot.end) for slot in reading.slots if slot.name in foreign)
    if not spans or each.kind != "text" or cases.value_of(each, reading, text, own) is not None:
        return text
    rest, end = "", 0
    for start, stop in spans:
        rest, end = rest + text[end:start] + "\n", stop
    parts = (part.strip() for part in re.split(r"[^\w\s&'-]+|\n", rest + text[end:]))
    return next((part for part in parts if re.search(r"\w", part)), "")


def _typed(each: FormField, text: str, reading: Reading, own: str) -> str | None:
    """Return the value a typed answer gives to a field, or None if it does not fit; amounts in our `own` currency."""
    if each.kind == "files":
        return None
    value = cases.value_of(each, reading, text, own)
    if each.kind == "choice":
        known = value in {choice.id for choice in each.choices}
        said = text.strip()[: each.max_length] if each.own_words and re.search(r"[^\W\d]{2}", text) else None
        return value if known else said
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
        labels = [Option(id=id_, labels=_labels(form.field(id_).title)) for id_ in options if form.has(id_)]
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
        words.trail, words.ahead, words.skipped, words.options, words.returning = [], [], [], [], False
        conversation.case_id = left[0].id
        turn.tell(conversation, turn.say(words.language, "menu.finish_first", number=left[0].number), case=left[0])
        proceed(turn, conversation, left[0])


def submit_for(turn: Turn, case: Case, actor: str) -> None:
    """Let a member of the staff send the form for the customer, as it stands: nothing more is asked."""
    conversation = turn.conversation_of(case)
    if case_in_form(turn, conversation) is case:
        conversation.make("rest")
        conversation.case_id = None
        turn.touch(conversation)
    case.facts.complete = True
    turn.record(case, "completed_form", actor, facts={"fields": sorted(case.words.answers)})
    accept(turn, case, actor)


def accept(turn: Turn, case: Case, actor: str) -> None:
    """Make the move that a complete (or abandoned) form makes, and stop waiting for the customer."""
    lifecycle = turn.policy(case).lifecycle
    for name in ("nudge", "abandon"):
        turn.set_timer(case, name, None)
    cases.route(turn, case)
    move = next((each for each in lifecycle.moves_from(case.state) if each.id == lifecycle.submit), None)
    if move is not None:
        cases.make(turn, case, move, actor)


def menu(turn: Turn, conversation: Conversation) -> Rows:
    """Return the buttons of what a customer can do with the desk."""
    language = conversation.words.language
    return [
        [turn.button(turn.say(language, f"menu.{name}"), Token(scope="m", value=name)) for name in row]
        for row in (("new", "status"), ("help",))
    ]
