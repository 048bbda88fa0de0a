"""The theatre: the real desk on a database that is thrown away, with its staff, its customers, and a clock of its own.

Nothing is sent anywhere: every letter counts as delivered in the moment in which it may go, and is noted.
"""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

from bot.callout import PLACE
from bot.channels.telegram import outgoing as telegram
from bot.channels.wechat import outgoing as wechat
from bot.channels.wecom import outgoing as wecom
from bot.desk import wanted
from bot.reading import open_reader
from complaints.calendar import WorkCalendar
from complaints.case import Case, SurveyRun
from complaints.commands import Act, Command, Hear, Keep
from complaints.conversation import DESK, Conversation, Staff
from complaints.duties import DutyRun
from complaints.errors import NotAllowed, PlaintError
from complaints.events import Event
from complaints.messages import (
    Address,
    Attachment,
    AttachmentKind,
    CallOut,
    Choice,
    Fetch,
    IncomingMessage,
    OutgoingMessage,
)
from complaints.policy import Policy
from complaints.ports import Letter, Timer
from complaints.tokens import Token
from handlers import duties, intake, rights, routing
from handlers.turn import Batch, Book, Turn
from nlp.reader import KeywordReader
from policies import yaml12
from policies.phrasebook import Phrasebook
from storage import KeyRing, Settled, Store, Want
from storage.migrations import migrate

#: Where the staff sit: a channel with buttons.
_STAFF: Final = "telegram"
#: Who is called out by telephone, in the transcript.
CALL_OUT: Final = "call-out"
_BUTTONS: Final = {
    "telegram": telegram.LIMITS.buttons,
    "wechat": wechat.LIMITS.buttons,
    "wecom": wecom.LIMITS.buttons,
    DESK: telegram.LIMITS.buttons,
}
_KINDS: Final[dict[str, AttachmentKind]] = {
    ".jpg": "photo", ".jpeg": "photo", ".png": "photo", ".gif": "photo", ".mp4": "video", ".mov": "video",
    ".ogg": "voice", ".amr": "voice", ".mp3": "audio", ".pdf": "document",
}  # fmt: skip
_FILE_SIZE: Final = 1000
_MOST_DUTIES: Final = 500
_MOST_TIMERS: Final = 200
_MOST_LETTERS: Final = 1000
#: More rounds than this without the clock moving mean that something brings itself about.
_ENDLESS: Final = 50
#: More often than this one and the same timer falls due in no story that was meant.
_MOST_TIMES: Final = 400
_MOST_QUESTIONS: Final = 80
_ANSWER: Final = "Give one that fits, under `answers`."


class Stopped(Exception):
    """The story cannot go on: why, and what to write instead."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message, self.cure = message, cure


class Refused(Stopped):
    """The desk does not let somebody do something: a story may say that this must be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that somebody was told: who (a role, or a customer's name), when, about which case, in which words."""

    at: datetime
    to: str
    text: str
    case_id: int | None = None
    rows: tuple[tuple[Choice, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the transcript. `made_up`: the story did not say so, the player did. `heard`: it was told to them."""

    at: datetime
    who: str
    what: str
    made_up: bool = False
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A survey with the moment in which it was planned."""

    case_id: int
    at: datetime
    run: SurveyRun


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen while the story was played, beside what the database holds at its end.

    `asked` are the fields that lay on the table, and when first, `lacking` those that the form still had to ask for,
    `needed` the required ones that nobody had given when the form was completed, `candidates` the types that came
    closest when the case was opened; all by case. `attempts` are the acts that should have been refused, with the
    reason if they were.
    """

    lines: list[Line] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)
    surveys: list[Planned] = field(default_factory=list)
    asked: dict[int, dict[str, datetime]] = field(default_factory=dict)
    lacking: dict[int, set[str]] = field(default_factory=dict)
    needed: dict[int, set[str]] = field(default_factory=dict)
    candidates: dict[int, list[str]] = field(default_factory=dict)
    attempts: list[tuple[str, str]] = field(default_factory=list)


class Theatre:
    """A desk to play one story at. Moments are aware and UTC."""

    def __init__(self, *, policy: Policy, store: Store, book: Book, now: datetime) -> None:
        self.policy, self.book, self.now = policy, book, now
        self.seen = Seen()
        #: The cases that were entered for customers who have no chat, by name.
        self.entered: dict[str, int] = {}
        self._store = store
        self._staff: dict[str, Staff] = {}
        self._names: dict[tuple[str, str], str] = {(PLACE.channel, PLACE.chat): CALL_OUT}
        self._conversations: dict[str, int] = {}
        self._fired: Counter[tuple[str, str]] = Counter()

    @classmethod
    @contextmanager
    def opened(
        cls, policy: Policy, calendars: Mapping[str, WorkCalendar], wording: Path, now: datetime
    ) -> Iterator[Self]:
        """Open a desk with one member of the staff for each role. The calendar without a name is the company's."""
        with tempfile.TemporaryDirectory(prefix="plaint-story-") as folder:
            file = Path(folder) / "story.sqlite3"
            shutil.copy(_empty(), file)
            store = Store.open(f"sqlite:///{file}", ring=KeyRing.generate(), node="story")
            try:
                book = Book(
                    current=policy,
                    policies={policy.version: policy},
                    calendar=calendars[""],
                    calendars={name: each for name, each in calendars.items() if name},
                    reader=_reader(policy, wording.parent),
                    wording=_wording(wording),
                    ids=store.ids,
                    buttons=_BUTTONS,
                    alarm=PLACE,
                )
                theatre = cls(policy=policy, store=store, book=book, now=now)
                theatre._enlist()
                yield theatre
            finally:
                store.close()

    # time

    def until(self, moment: datetime, *, with_it: bool = True) -> None:
        """Let time pass until then; what falls due on the way happens at its own moment (at the end too `with_it`)."""
        rounds = 0
        while (due := self._next()) is not None and (due < moment or (with_it and due == moment)):
            rounds = 0 if due > self.now else rounds + 1
            if rounds > _ENDLESS:
                raise Stopped(f"At {self.shown(self.now)} something falls due again and again.")
            self.now = max(self.now, due)
            for fire in self._store.due_timers(self.now, _MOST_TIMERS):
                self._fired[fire.subject, fire.name] += 1
                if self._fired[fire.subject, fire.name] > _MOST_TIMES:
                    told = f"{fire.name} has fallen due {_MOST_TIMES} times since, last at {self.shown(self.now)}."
                    raise Stopped(told, "An alarm goes on until somebody does `acknowledge`.")
                self.serve(fire)
            self._deliver()
        self.now = max(self.now, moment)

    def shown(self, moment: datetime) -> str:
        """Return the moment as a story writes it, by the company's clocks."""
        return f"{self.book.calendar.local(moment):%Y-%m-%d %H:%M}"

    def aware(self, moment: datetime) -> datetime:
        """Return the moment that a story means, in UTC."""
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=self.book.calendar.zone)
        return zoned.astimezone(UTC)

    # people

    def note(self, who: str, what: str, *, made_up: bool = False) -> None:
        """Write a line into the transcript."""
        self.seen.lines.append(Line(at=self.now, who=who, what=what, made_up=made_up))

    def say(self, who: str, channel: str, text: str, *, files: list[str] | None = None, made_up: bool = False) -> None:
        """Let a customer, or a member of the staff in their own chat, write or send something."""
        self.note(who, " ".join([*filter(None, [text]), *(f"[{name}]" for name in files or ())]), made_up=made_up)
        attachments = tuple(
            Attachment(
                kind=_KINDS.get(Path(name).suffix.lower(), "other"), ref=f"story:{name}", size=_FILE_SIZE, name=name
            )
            for name in files or ()
        )
        self._hear(who, channel, text=text, attachments=attachments)

    def press(self, who: str, channel: str, label: str) -> None:
        """Let somebody press a button by its label, of the last message that had it."""
        mine = [told for told in self.seen.told if told.to == who]
        offered = [choice for told in reversed(mine) for row in told.rows for choice in row]
        choice = next((each for each in offered if label in (each.label, str(each.number))), None)
        if choice is None:
            labels = dict.fromkeys(each.label for each in offered)
            raise Stopped(f"{who} has no button {label!r}.", f"There were: {', '.join(labels) or 'none'}.")
        self.note(who, f"▸ {label}")
        self._hear(who, channel, press=choice.token)

    def move(self, who: str, channel: str, case: Case, move: str, text: str) -> None:
        """Let a customer make one of their moves on a case, with the words that are asked for."""
        with self.turn(case.id) as turn:
            open_to = [each.id for each in rights.moves(turn, turn.scene.cases[case.id])]
        if move not in open_to:
            raise Refused(f"{who} cannot do {move!r} now.", f"The case is {case.state}; open are: {_or(open_to)}.")
        self.note(who, f"▸ {move}")
        self._hear(who, channel, press=str(Token(scope="c", case_id=case.id, stamp=case.round, value=move)))
        if self.conversation(who).state == "explaining":
            if not text:
                raise Stopped(f"{move!r} asks the customer why.", "Write it: `with: {text: …}`.")
            self.say(who, channel, text)

    def register(self, role: str, text: str, who: str, *, made_up: bool = False) -> None:
        """Let a member of the staff enter a complaint for a customer who has no chat."""
        known = set(self.seen.cases)
        self.note(role, f"▸ register: {text}", made_up=made_up)
        member = self._staff[role]
        self._hear_from(Address(channel=member.channel, chat=member.chat), command="register", argument=text)
        fresh = [each for each in self.seen.cases if each not in known]
        if not fresh:
            raise Stopped(f"{role} may not enter a complaint.", "Only a role that grants `handle` may.")
        self.entered[who] = fresh[0]

    def act(self, role: str, case: Case, act: str, values: dict[str, str]) -> None:
        """Let the member of the staff with that role do something; where that takes its owner, they claim it first."""
        member = self._staff[role]
        with self.turn(case.id) as turn:
            here = turn.scene.cases[case.id]
            claims = not _allowed(turn, here, member, act) and rights.may_act(turn, here, member, "claim")
            values = _chosen(turn, here, member, act, values)
        if claims:
            self.note(role, "▸ claim", made_up=True)
            self._act(member, case, "claim", {})
        told = ", ".join(f"{name}: {value}" for name, value in values.items())
        self.note(role, f"▸ {act}" + (f" ({told})" if told else ""))
        self._act(member, case, act, values)

    def _act(self, member: Staff, case: Case, act: str, values: dict[str, str]) -> None:
        try:
            self.serve(Act(staff_id=member.id, case_id=case.id, act=act, values=values))
        except PlaintError as error:
            with self.turn(case.id) as turn:
                here = turn.scene.cases[case.id]
                open_to, owner = _open_to(turn, here, member), turn.owner(here)
            whose = f", it belongs to {owner.name}" if owner is not None and owner.id != member.id else ""
            raise Refused(
                f"{member.name} cannot do {act!r}: {self.book.wording.say('en', error.key, **error.values)}",
                f"The case is {here.state}{whose}; {member.name} may: {_or(open_to)}.",
            ) from error

    def sees(self, role: str, case_id: int) -> bool:
        """Tell whether the member of the staff with that role may see a case."""
        with self.turn(case_id) as turn:
            return rights.sees(turn, turn.scene.cases[case_id], self._staff[role])

    def open_to(self, role: str, case_id: int) -> list[str]:
        """Return the acts and moves that are open now to the member of the staff with that role."""
        with self.turn(case_id) as turn:
            return _open_to(turn, turn.scene.cases[case_id], self._staff[role])

    # the form

    def consent(self, who: str, channel: str) -> None:
        """Let a customer agree to the notice on personal data, as often as it lies on the table."""
        while (conversation := self.conversation(who)).state == "consenting":
            self._answer(who, channel, conversation, "yes", "agrees to the notice on personal data")

    def fill(self, who: str, channel: str, answers: dict[str, str], *, send: bool) -> None:
        """Let a customer answer whatever the form still asks, and send it; or, without `send`, only read it over."""
        before = ""
        for _ in range(_MOST_QUESTIONS):
            conversation = self.conversation(who)
            match conversation.state:
                case "consenting":
                    self.consent(who, channel)
                case "choosing_type":
                    self._choose_type(who, channel, conversation, answers)
                case "filling":
                    wrong = conversation.words.field
                    if conversation.words.tries and before == wrong:
                        raise Stopped(f"The form does not take the answer to {wrong!r}.", _ANSWER)
                    before = wrong
                    self._fill(who, channel, conversation, answers)
                case "reviewing" if send:
                    self._answer(who, channel, conversation, "submit", "reads it over and sends it")
                case _:
                    return
        raise Stopped("The form asks on and on.")

    def _choose_type(self, who: str, channel: str, conversation: Conversation, answers: dict[str, str]) -> None:
        options, wish = conversation.words.options, answers.get("type", "")
        index = options.index(wish) if wish in options else len(options) - 1
        self._answer(who, channel, conversation, f"t{index}", f"chooses the complaint type {options[index]}")

    def _fill(self, who: str, channel: str, conversation: Conversation, answers: dict[str, str]) -> None:
        each = self.policy.form.field(conversation.words.field)
        if each.id in answers:
            self.say(who, channel, answers[each.id], made_up=True)
            return
        if not each.required or each.kind == "files":
            self._answer(who, channel, conversation, "skip", f"skips {each.id}")
            return
        self.seen.needed.setdefault(conversation.case_id or 0, set()).add(each.id)
        if each.choices:
            self._answer(who, channel, conversation, "o0", f"chooses {each.choices[0].id} for {each.id}")
        else:
            self.say(who, channel, _answers()[conversation.words.language][each.kind], made_up=True)

    def _answer(self, who: str, channel: str, conversation: Conversation, value: str, what: str) -> None:
        self.note(who, what, made_up=True)
        self._hear(who, channel, press=str(Token(scope="q", value=value, stamp=conversation.turn)))

    def answers_notice(self, who: str, text: str) -> bool:
        """Tell whether a text agrees, or does not agree, to the notice on personal data, if that lies on the table."""
        conversation = self.conversation(who)
        with self.turn(conversation.case_id or 0) as turn:
            return conversation.state == "consenting" and intake.consent_in(turn, text)[0] in ("yes", "no")

    # what is known

    def speaks(self, who: str) -> bool:
        """Tell whether somebody has spoken yet."""
        return who in self._conversations

    def conversation(self, who: str) -> Conversation:
        """Return the conversation of somebody who has spoken."""
        with self._store.read() as ledger:
            found = ledger.conversation(self._conversations[who])
        if found is None:
            raise LookupError(who)
        return found

    def case(self, case_id: int) -> Case:
        """Return a case as it stands now."""
        with self._store.read() as ledger:
            found = ledger.case(case_id)
        if found is None:
            raise LookupError(str(case_id))
        return found

    def cases_of(self, who: str) -> list[Case]:
        """Return the cases of a customer, the oldest first."""
        mine = self._conversations.get(who)
        return [case for case in map(self.case, self.seen.cases) if case.conversation_id == mine]

    def journal(self, case_id: int) -> list[Event]:
        """Return what happened to a case."""
        with self._store.read() as ledger:
            return ledger.journal(case_id)

    def duties(self) -> list[DutyRun]:
        """Return the duties that are to be done, and those that were missed."""
        with self._store.read() as ledger:
            return [*ledger.open_duties(), *ledger.duties.missed(_MOST_DUTIES)]

    def broken(self) -> list[str]:
        """Return what does not hold in the journal."""
        return [f"{each.number}, event {each.seq}: {each.problem}" for each in self._store.verify_journal().broken]

    @contextmanager
    def turn(self, case_id: int) -> Iterator[Turn]:
        """Look at a case as a handler would; nothing is changed."""
        with self._store.unit(self.now) as unit:
            yield Turn(self.book, unit.load([Want(case_id=case_id)]), unit.ledger, Batch(), self.now)

    # the desk

    def serve(self, command: Command) -> None:
        """Serve a command as the desk does, in one commit, and deliver what it wrote."""
        with self._store.unit(self.now) as unit:
            scene = unit.load([wanted(command, self.now)])
            batch = Batch()
            turn = Turn(self.book, scene, unit.ledger, batch, self.now)
            routing.serve(command, turn)
            letters = unit.flush(batch.changes)
            if isinstance(command, Hear):
                address = command.message.address
                self._conversations.setdefault(self._names[_place(address)], scene.by_address(address).id)
            changes = batch.changes
        self._look(changes.cases, changes.conversations)
        self._sent(letters)

    def _look(self, cases: list[Case], conversations: list[Conversation]) -> None:
        """Note what a command has changed."""
        planned = {(each.case_id, each.run.id, each.run.cycle) for each in self.seen.surveys}
        for case in cases:
            if case.id not in self.seen.cases:
                self.seen.cases.append(case.id)
                self.seen.candidates[case.id] = list(case.facts.scores)
            self.seen.surveys += [
                Planned(case_id=case.id, at=self.now, run=run)
                for run in case.facts.surveys
                if (case.id, run.id, run.cycle) not in planned
            ]
        named = {*self._conversations.values()} - {each.conversation_id for each in self._staff.values()}
        for conversation in conversations:
            if conversation.id in named and conversation.case_id is not None:
                self._look_at_form(conversation, conversation.case_id)
        for case in cases:
            if case.open and (not case.facts.complete or case.conversation_id not in named):  # not: entered at the desk
                self._look_at_answers(case.id)

    def _look_at_form(self, conversation: Conversation, case_id: int) -> None:
        """Note what lies on the table."""
        asked = self.seen.asked.setdefault(case_id, {})
        if conversation.state == "consenting":
            asked.setdefault("consent", self.now)
            asked.setdefault("consent_step2" if conversation.words.agreed else "consent_step1", self.now)
        if conversation.state == "filling":
            asked.setdefault(conversation.words.field, self.now)

    def _look_at_answers(self, case_id: int) -> None:
        """Note what the form has still to ask for."""
        with self.turn(case_id) as turn:
            case = turn.scene.cases[case_id]
            self.seen.lacking.setdefault(case_id, set()).update(
                each.id
                for each in self.policy.form.fields
                if each.id not in case.words.answers and turn.holds(each.when, case)
            )

    def _sent(self, letters: list[Letter]) -> None:
        """Take letters as delivered, and a file as brought home."""
        if not letters:
            return
        with self._store.unit(self.now) as unit:
            unit.load([])
            unit.settle([Settled(letter=each, outcome="sent", ref=f"story:{each.id}") for each in letters])
        for each in letters:
            if isinstance(each.body, OutgoingMessage | CallOut):
                text = (
                    each.body.plain
                    if isinstance(each.body, OutgoingMessage)
                    else f"{each.body.number}: {each.body.title}"
                )
                rows = each.body.choices if isinstance(each.body, OutgoingMessage) else ()
                to = self._names.get(_place(each.address), each.address.chat)
                self.seen.told.append(Told(at=self.now, to=to, text=text, case_id=each.case_id, rows=rows))
                self.seen.lines.append(Line(at=self.now, who=to, what=text, heard=True))
            elif isinstance(each.body, Fetch) and each.conversation_id is not None:
                self.serve(
                    Keep(
                        evidence_id=each.body.evidence_id,
                        conversation_id=each.conversation_id,
                        path=each.body.ref,
                        sha256=hashlib.sha256(each.body.ref.encode()).hexdigest(),
                        size=_FILE_SIZE,
                    )
                )

    def _deliver(self) -> None:
        for channel in (*_BUTTONS, PLACE.channel):
            while letters := self._store.claim(channel, self.now, _MOST_LETTERS):
                self._sent(letters)

    def _next(self) -> datetime | None:
        with self._store.read() as ledger:
            trays = ledger.trays()
        return min((at for at in (trays.next_timer_at, trays.outbox_oldest_at) if at is not None), default=None)

    def _hear(self, who: str, channel: str, **said: Any) -> None:  # Any: fields of a message
        if who in self._staff:
            self._hear_from(Address(channel=_STAFF, chat=self._staff[who].chat), **said)
            return
        address = Address(channel=channel, chat=f"chat:{who}")
        self._names[_place(address)] = who
        self._hear_from(address, **said)

    def _hear_from(self, address: Address, **said: Any) -> None:  # Any: fields of a message
        message = IncomingMessage(
            key="",
            kind="press" if said.get("press") else "text",
            address=address,
            sender=address.chat,
            sent_at=self.now,
            ref=f"story:{self.book.ids.next()}",
            **said,
        )
        self.serve(Hear(message=message))

    def _enlist(self) -> None:
        """Make one member of the staff for each role, each with a chat of their own, and look after the duties."""
        places = {role.id: Address(channel=_STAFF, chat=f"staff:{role.id}") for role in self.policy.routing.roles}
        own = Address(channel=DESK, chat="duties")
        with self._store.unit(self.now) as unit:
            scene = unit.load([Want(address=each) for each in (*places.values(), own)])
            batch = Batch()
            turn = Turn(self.book, scene, unit.ledger, batch, self.now)
            for role, address in places.items():
                conversation = scene.by_address(address)
                member = Staff(
                    id=self.book.ids.next(),
                    name=role,
                    roles=[role],
                    language=self.policy.languages[0],
                    conversation_id=conversation.id,
                    chat=address.chat,
                    channel=address.channel,
                )
                conversation.staff_id = member.id
                turn.touch(conversation)
                turn.touch(member)
                self._staff[role] = member
                self._names[_place(address)] = role
            if self.policy.duties:
                turn.touch(scene.by_address(own))
                look = Timer(subject=duties.SUBJECT, name=duties.LOOK, conversation_id=scene.by_address(own).id,
                             due_at=self.now)  # fmt: skip
                turn.timer(look)
            unit.flush(batch.changes)


def _allowed(turn: Turn, case: Case, member: Staff, act: str) -> bool:
    try:
        rights.check(turn, case, member, act)
    except NotAllowed:
        return False
    return True


def _chosen(turn: Turn, case: Case, member: Staff, act: str, values: dict[str, str]) -> dict[str, str]:
    """Return the values of an act with the id of what was chosen by its label: a story knows people by their roles."""
    own = rights.ACTS.get(act)
    options = (own.options or own.each) if own is not None else None
    named = {label: id_ for id_, label in options(turn, case, member)} if options is not None else {}
    wish = values.get("detail", "")
    return values | {"detail": named[wish]} if wish in named else values


def _open_to(turn: Turn, case: Case, member: Staff) -> list[str]:
    own = [each for each in rights.ACTS if rights.may_act(turn, case, member, each)]
    return own + [each.id for each in rights.moves(turn, case, member=member)]


def _or(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _place(address: Address) -> tuple[str, str]:
    return address.channel, address.chat


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="plaint-empty-")


@cache
def _empty() -> Path:
    """Return an empty database of the newest schema, made once for the life of the process."""
    path = Path(_folder().name) / "empty.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@cache
def _wording(folder: Path) -> Phrasebook:
    return Phrasebook.load(folder)


_READERS: Final[dict[str, KeywordReader]] = {}


def _reader(policy: Policy, policies_dir: Path) -> KeywordReader:
    if policy.version not in _READERS:
        _READERS[policy.version] = open_reader(policy, policies_dir)
    return _READERS[policy.version]


@cache
def _answers() -> dict[str, dict[str, str]]:
    text = resources.files("bot.stories").joinpath("answers.yaml").read_text("utf-8")
    found: dict[str, dict[str, str]] = yaml12.load(text)
    return found
