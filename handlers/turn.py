"""Turn: everything within reach while one command is served, and everything it changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from complaints.calendar import WorkCalendar
from complaints.case import Case
from complaints.clauses.form import FormField
from complaints.clauses.model import Predicate
from complaints.conversation import DESK, Conversation, Customer, EvidenceFile, Staff
from complaints.duties import DutyRun
from complaints.events import EVENTS, Event
from complaints.messages import (
    Address,
    CallOut,
    Choice,
    Enclosure,
    Fetch,
    IncomingMessage,
    LateNews,
    OutgoingMessage,
    PressAnswer,
    Revision,
)
from complaints.policy import Policy
from complaints.ports import (
    Card,
    Changes,
    Code,
    Ids,
    Join,
    Ledger,
    Letter,
    Orders,
    Priority,
    Reader,
    Scene,
    Timer,
    Wording,
)
from complaints.reading import Language
from complaints.tokens import SHOW, Token, parse
from handlers import choices

Rows = Sequence[Sequence[Choice]]
#: The most lines, and buttons of cases, in one letter about what happened while the service was away.
_GATHERED: Final = 40
_SHOWN: Final = 10
#: How long such a letter waits for more of it, should nobody let it go before.
_HELD: Final = timedelta(seconds=60)
SYSTEM: Final = "system"
CUSTOMER: Final = "customer"


@dataclass(slots=True, kw_only=True)
class Book:
    """What stays the same from command to command: the rules, the words, the reader.

    `current` is the policy of new cases; `policies` holds every version that a case is pinned to. `rooms` are the
    staff's group chats, `alarm` is where alarms are called out to, if anywhere, `bot_link` the address under which
    the bot is found (`https://t.me/name`; empty until known). `buttons` tells by channel how many buttons a message
    may have, `shared` the channels on which another system listens too. `calendars` are those of people who work at
    other times than the company. `page` returns the address of a conversation's own page, where there is one. `orders`
    are what customers bought, where the company has that on file; amounts are in its `currency`.
    """

    current: Policy
    policies: dict[str, Policy]
    calendar: WorkCalendar
    reader: Reader
    wording: Wording
    ids: Ids
    rooms: list[Address] = field(default_factory=list)
    alarm: Address | None = None
    bot_link: str = ""
    buttons: Mapping[str, int] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    page: Callable[[int], str] | None = None
    calendars: Mapping[str, WorkCalendar] = field(default_factory=dict)
    orders: Orders | None = None
    currency: str = "CNY"

    def moment(self, language: Language, at: datetime, case: Case | None = None) -> str:
        """Return a moment as people say it, by the company's clocks, and by those of the customer of a `case`."""
        abroad = self._abroad(case) if case is not None else None
        return self.wording.moment(language, at, self.current.hours.zone, abroad)

    def promise(self, language: Language, at: datetime, case: Case, now: datetime) -> str:
        """Return a promised moment; where a year on the way is not published yet, with a word that it may move."""
        date = self.moment(language, at, case)
        if self.calendar.published_between(now, at):
            return date
        return self.wording.say(language, "case.provisional", date=date)

    def _abroad(self, case: Case) -> str | None:
        """Return by which clocks a customer lives: as their place tells, their number, or else their first words."""
        fields, answers = self.policies[case.policy].form.fields, case.words.answers
        own = (answers.get(field.id, "") for slot in ("region", "phone") for field in fields if slot in field.slots)
        told = next(filter(None, (self.reader.zone(text, own=True) for text in own if text)), None)
        if told or not case.words.said:
            return told
        return self.reader.zone(case.words.said[0].text, own=False)


@dataclass(slots=True)
class _Telling:
    """What one conversation is told in one turn: parts that go out as one message."""

    address: Address
    conversation_id: int | None
    parts: list[str]
    rows: Rows
    priority: Priority
    unasked: bool
    case_id: int | None
    key: str
    tail: Callable[[], str] | None = None
    conversation: Conversation | None = None
    before: Rows = ()


def answered(field: FormField, value: str | None) -> str | Decimal | None:
    """Return what a customer answered as a fact: the id of a choice, or an amount; None for what is neither."""
    if value is None or field.kind != "amount":
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _joined(before: Rows, rows: Rows) -> Rows:
    """Return all rows of choices, those that stand in both once."""
    asked = {choice.token for row in rows for choice in row}
    return [*(row for row in before if asked.isdisjoint(choice.token for choice in row)), *rows]


def _spent(rows: Rows) -> bool:
    """Tell whether a choice may be spent one day: all but that of opening a case."""
    tokens = (parse(choice.token) for row in rows for choice in row)
    return any(token is None or token.value != SHOW for token in tokens)


class _Asked(Mapping[str, Any]):
    """The facts of a case, each found out when it is asked for: a condition asks for two or three of thirty."""

    __slots__ = ("_case", "_turn")

    def __init__(self, turn: "Turn", case: Case) -> None:
        self._turn, self._case = turn, case

    def __getitem__(self, name: str) -> Any:  # Any: a fact of any kind
        return self._turn.fact(self._case, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._turn.facts(self._case))

    def __len__(self) -> int:
        return len(self._turn.facts(self._case))


class Batch:
    """The changes of a whole batch of commands, each object once."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.late: dict[tuple[str, str], Letter] = {}  # what is told late, by channel and chat
        self._seen: set[int] = set()

    def add(self, kind: list[Any], thing: object) -> None:  # Any: one of the lists of Changes
        """Note that this object was changed."""
        if id(thing) not in self._seen:
            self._seen.add(id(thing))
            kind.append(thing)


class Turn:
    """One command's turn at the desk."""

    def __init__(self, book: Book, scene: Scene, ledger: Ledger, batch: Batch, now: datetime) -> None:
        self.book = book
        self.scene = scene
        self.ledger = ledger
        self.now = now
        self.press_answer: PressAnswer | None = None
        self.speaker: int | None = None  # the conversation whose own message is being answered
        self.said_at: datetime | None = None  # when that was said, by the platform's clock
        self.opening: list[str] | None = None  # what happens to a case that is being opened, until it is there
        self.late = False  # what falls due now should have happened while the service was away
        self.unclaimed = False  # nothing here was meant for the desk: another system may have it
        self.touched: dict[int, Case] = {}  # the cases that changed
        self.unreached: list[tuple[Case, str, Priority]] = []  # what could not even be written to its customer
        self._batch = batch
        self._telling: dict[tuple[str, str, str], _Telling] = {}
        self._opened: dict[int, list[Case]] = {}
        self._masked: dict[str, str] = {}
        self._customers: dict[int, Customer] = {}
        self._conversations: dict[int, Conversation] = {}
        self._said = Changes()  # what the next command of the batch must not find as it was

    # what is known

    def policy(self, case: Case | None = None) -> Policy:
        """Return the policy a case is pinned to, or the current one."""
        return self.book.policies[case.policy] if case is not None else self.book.current

    def conversation_of(self, case: Case) -> Conversation:
        """Return the conversation in which the case's customer is spoken to."""
        return self._conversations.get(case.conversation_id) or self.scene.conversations[case.conversation_id]

    def cases_of(self, conversation: Conversation) -> list[Case]:
        """Return the active cases of a conversation, oldest first, with those opened in this turn."""
        known = [case for case in self.scene.cases_of(conversation.id) if case.active]
        return known + [case for case in self._opened.get(conversation.id, ()) if case.active and case not in known]

    def case(self, case_id: int | None) -> Case | None:
        """Return a loaded case by id."""
        if case_id is None:
            return None
        for cases in self._opened.values():
            for case in cases:
                if case.id == case_id:
                    return case
        return self.scene.cases.get(case_id)

    def customer(self, conversation: Conversation) -> Customer | None:
        """Return the customer of a conversation, if it has one yet."""
        if conversation.customer_id is None:
            return None
        return self._customers.get(conversation.customer_id) or self.scene.customers.get(conversation.customer_id)

    def owner(self, case: Case) -> Staff | None:
        """Return the member of the staff who owns the case."""
        return None if case.owner_id is None else self.scene.staff.get(case.owner_id)

    def facts(self, case: Case) -> Mapping[str, Any]:
        """Return the facts that a policy's conditions may ask for."""
        policy, known = self.policy(case), case.facts
        return {
            **{id_: each.is_ for id_, each in policy.readings.items()},
            **known.order,
            **{id_: self.answer(case, policy.form.field(id_)) for id_ in policy.form.counted},
            **known.grades,
            **{name: found(self, case) for name, found in FACTS.items()},
        }

    def fact(self, case: Case, name: str) -> Any:  # Any: a fact of any kind
        """Return one of the facts, None for one that the case does not have."""
        if (found := FACTS.get(name)) is not None:
            return found(self, case)
        policy, known = self.policy(case), case.facts
        if name in known.grades:
            return known.grades[name]
        if name in policy.form.counted:
            return self.answer(case, policy.form.field(name))
        if name in known.order:
            return known.order[name]
        return policy.readings[name].is_ if name in policy.readings else None

    def amount(self, case: Case) -> Decimal | None:
        """Return the amount that a case is about, in the company's currency: its field, else what is to be paid."""
        form = self.policy(case).form
        stated = self.answer(case, form.field(form.amount)) if form.amount else None
        if isinstance(stated, Decimal):
            return stated
        return case.facts.decision.amount if case.facts.decision is not None else None

    def region(self, case: Case) -> str | None:
        """Return where a case belongs: what the order on file says, else what the customer answered."""
        if stated := case.facts.order.get("region"):
            return str(stated)
        fields = [each for each in self.policy(case).form.fields if "region" in (each.id, *each.slots)]
        return next((case.words.answers[each.id] for each in fields if case.words.answers.get(each.id)), None)

    def answer(self, case: Case, field: FormField) -> str | Decimal | None:
        """Return what is known for a field as a fact: what the customer said, else what is on file."""
        return answered(field, case.words.answers.get(field.id) or self.on_file(case, field) or None)

    def on_file(self, case: Case, field: FormField) -> str:
        """Return what is on file for a field of the form; never to be shown to a customer, who may be anybody."""
        order, form = case.words.order, self.policy(case).form
        if field.personal or field.kind in ("files", "contact", "order_no") or not order:
            return ""
        names = [field.id, *(["amount"] if field.id == form.amount else []), *({"model", "region"} & {*field.slots})]
        value = next((order[name] for name in names if order.get(name)), "")
        return value if field.kind != "choice" or value in {choice.id for choice in field.choices} else ""

    def holds(self, condition: Predicate, case: Case) -> bool:
        """Tell whether a policy's condition holds for the case."""
        return condition.always or condition.holds(_Asked(self, case))

    def say(self, language: Language, key: str, **values: object) -> str:
        """Return a sentence."""
        return self.book.wording.say(language, key, **values)

    def mask(self, text: str) -> str:
        """Return a text with starred personal data, as far as the reader finds it; many are told the same."""
        if text not in self._masked:
            self._masked[text] = self.book.reader.mask(text, self.book.reader.read(text))
        return self._masked[text]

    def heard_here(self, said_at: datetime | None = None) -> datetime:
        """Return when what is being read was said, by the company's clocks."""
        return self.book.calendar.local(said_at or self.said_at or self.now)

    def moment(self, language: Language, at: datetime, case: Case | None = None) -> str:
        """Return a moment as people say it: see `Book.moment`."""
        return self.book.moment(language, at, case)

    @property
    def new(self) -> Changes | None:
        """What this turn brought into being, or took off the table, for the next command of the batch to see."""
        said = self._said
        if not (self._opened or self._customers or said.told or said.codes or said.joins):
            return None
        return Changes(
            told=said.told,
            codes=said.codes,
            joins=said.joins,
            customers=list(self._customers.values()),
            conversations=list(self._conversations.values()),
            cases=[each for cases in self._opened.values() for each in cases],
        )

    def promise(self, language: Language, at: datetime, case: Case) -> str:
        """Return a promised moment: see `Book.promise`."""
        return self.book.promise(language, at, case, self.now)

    # what is changed

    def touch(self, thing: Conversation | Customer | Case | Staff | EvidenceFile) -> None:
        """Note that this object is to be saved."""
        if isinstance(thing, Case):
            self.touched[thing.id] = thing
        changes = self._batch.changes
        kind: list[Any] = (
            changes.conversations
            if isinstance(thing, Conversation)
            else changes.cases
            if isinstance(thing, Case)
            else changes.customers
            if isinstance(thing, Customer)
            else changes.staff
            if isinstance(thing, Staff)
            else changes.evidence
        )
        self._batch.add(kind, thing)

    def opened(self, case: Case) -> None:
        """Take a new case in."""
        self._opened.setdefault(case.conversation_id, []).append(case)
        self.touch(case)

    def welcomed(self, customer: Customer) -> None:
        """Take a new customer in."""
        self._customers[customer.id] = customer
        self.touch(customer)

    def met(self, conversation: Conversation) -> None:
        """Take in a new conversation with somebody who did not write to us."""
        self._conversations[conversation.id] = conversation
        self.touch(conversation)

    def credit(self, message: IncomingMessage) -> None:
        """Note what the platform lets us send after this message."""
        address = Address(channel=message.address.channel, chat=message.sender)
        self._batch.changes.credits.extend((address, each) for each in message.credits)

    def told(self, *letter_ids: int) -> None:
        """Note that the words of parked letters were said in another way."""
        told = [each for each in letter_ids if each]
        self._said.told += told
        self._batch.changes.told += told

    def codes(self, code: Code) -> None:
        """Give out a one-time code."""
        self._said.codes.append(code)
        self._batch.changes.codes.append(code)

    def joins(self, join: Join) -> None:
        """Make two conversations one."""
        self._said.joins.append(join)
        self._batch.changes.joins.append(join)

    def retire(self, case: Case, why: Callable[[Language], str]) -> None:
        """Take the buttons off every card of the case that lies in a chat of the staff, and say why."""
        cards: Sequence[Card] = self.ledger.cards_of(case.id)
        languages = {(each.channel, each.chat): each.language for each in self.scene.staff.values()}
        for card in cards:
            language = languages.get((card.address.channel, card.address.chat), self.policy(case).languages[0])
            self._letter(card.address, Revision(ref=card.ref, text=why(language)), Priority.ALERT, conversation_id=None,
                         case_id=case.id, unasked=True, key="", due_at=self.now)  # fmt: skip
            self._batch.changes.retired.append(card.id)

    def record(
        self,
        case: Case,
        name: str,
        actor: str,
        *,
        clause: str = "",
        facts: dict[str, Any] | None = None,
        words: dict[str, Any] | None = None,
    ) -> None:
        """Write an event into the case's journal."""
        if name not in EVENTS:
            raise ValueError(name)
        self._batch.changes.events.append(
            Event(
                case_id=case.id,
                name=name,
                at=self.now,
                actor=actor,
                clause=clause,
                facts=facts or {},
                words=words or {},
            )
        )
        self.touch(case)

    def keep_duty(self, run: DutyRun) -> None:
        """Note that a duty is to be saved."""
        self._batch.add(self._batch.changes.duties, run)

    def timer(self, timer: Timer) -> None:
        """Set, move or (without a date) cancel a timer of something else than a case."""
        self._batch.changes.timers.append(timer)

    def calendar(self, name: str) -> WorkCalendar:
        """Return the calendar of that name; the company's where it has none, or none any more."""
        return self.book.calendars.get(name, self.book.calendar)

    def set_timer(self, case: Case, name: str, due_at: datetime | None) -> None:
        """Set, move or (None) cancel a timer of a case."""
        self._batch.changes.timers.append(
            Timer(subject=f"case:{case.id}", name=name, conversation_id=case.conversation_id, due_at=due_at)
        )

    def tell(
        self,
        conversation: Conversation,
        text: str,
        rows: Rows = (),
        *,
        priority: Priority = Priority.ANSWER,
        unasked: bool = False,
        case: Case | None = None,
        key: str = "",
        at: Address | None = None,
        first: bool = False,
    ) -> None:
        """Say something to a person in their own chat. What is said in one turn goes out as one message.

        `at` is another chat of theirs than the usual one. What is said `first` keeps its choices, whatever is asked
        after it.
        """
        if not conversation.reachable or not conversation.words.chat:
            if case is not None:
                reason = "telephone" if conversation.channel == DESK else "blocked"
                self.record(case, "undelivered", SYSTEM, facts={"reason": reason})
                self.unreached.append((case, text, priority))
            return
        if conversation.id == self.speaker:
            priority, unasked = Priority.ANSWER, False
        self._put(at or self._place(conversation), conversation.id, text, rows, priority=priority, unasked=unasked,
                  case_id=case.id if case else None, key=key, conversation=conversation, first=first)  # fmt: skip

    def _place(self, conversation: Conversation) -> Address:
        """Return where the person is written to: where they speak now, else on the channel they prefer."""
        words = conversation.words
        if conversation.id != self.speaker and words.preferred:
            for place in words.places:
                if place.channel == words.preferred:
                    return Address(channel=place.channel, chat=place.chat)
        return Address(channel=conversation.channel, chat=words.chat)

    def page_link(self, conversation: Conversation) -> list[list[Choice]]:
        """Return the way to the person's own page, where there are no buttons in the chat; else nothing."""
        if self.book.page is None or not self.buttonless(conversation.channel):
            return []
        return [[Choice(label=self.say(conversation.words.language, "page.open"), url=self.book.page(conversation.id))]]

    def stands(self, token: Token) -> bool:
        """Tell whether a customer's choice about a case can still be made: a move, or an answer to a survey."""
        case = self.case(token.case_id)
        if case is None:
            return False
        if token.scope == "v":
            return token.stamp == case.cycle and any(
                run.cycle == case.cycle
                and not run.done
                and token.value not in run.scores
                and self.now <= run.expires_at
                for run in case.facts.surveys
            )
        moves = self.policy(case).lifecycle.moves_from(case.state)
        return token.stamp == case.round and any(move.id == token.value and CUSTOMER in move.by for move in moves)

    def buttonless(self, channel: str) -> bool:
        """Tell whether messages on this channel have no buttons."""
        return not self.book.buttons.get(channel, 1)

    def tell_staff(
        self,
        member: Staff,
        text: str,
        rows: Rows = (),
        *,
        tail: Callable[[], str] | None = None,
        case: Case | None = None,
        first: bool = False,
    ) -> None:
        """Say something to a member of the staff in their own chat.

        What `tail` returns when all has happened stands once, at the end of it all. Rows that come `first` stand before
        those of the card that follows, without what they share.
        """
        if member.chat:
            answering = member.conversation_id is not None and member.conversation_id == self.speaker
            self._put(Address(channel=member.channel, chat=member.chat), member.conversation_id, text, rows,
                      priority=Priority.ANSWER if answering else Priority.ALERT, unasked=not answering,
                      case_id=case.id if case else None, key="", tail=tail, first=first)  # fmt: skip

    def tell_room(
        self, text: str, rows: Rows = (), *, tail: Callable[[], str] | None = None, case: Case | None = None
    ) -> bool:
        """Say something in the staff's group chat, where many read along; False if there is none."""
        for room in self.book.rooms:
            self._put(room, None, text, rows, priority=Priority.ALERT, unasked=True,
                      case_id=case.id if case else None, key="", tail=tail)  # fmt: skip
        return bool(self.book.rooms)

    def tell_place(self, address: Address, text: str) -> None:
        """Say something where it was asked, e.g. in a group that is not the staff's."""
        self._put(address, None, text, (), priority=Priority.ANSWER, unasked=False, case_id=None, key="")

    def fetch(self, file: EvidenceFile, address: Address, ref: str) -> None:
        """Let the outbox bring a file home."""
        body = Fetch(evidence_id=file.id, ref=ref)
        self._letter(address, body, Priority.ERRAND, conversation_id=file.conversation_id, case_id=file.case_id,
                     unasked=False, key="", due_at=self.now)  # fmt: skip

    def fetch_proof(self, conversation: Conversation, duty_id: int, address: Address, ref: str) -> None:
        """Let the outbox bring the proof of a duty home, which a member of the staff sent."""
        body = Fetch(evidence_id=self.book.ids.next(), ref=ref, duty=duty_id)
        self._letter(address, body, Priority.ERRAND, conversation_id=conversation.id, case_id=None,
                     unasked=False, key="", due_at=self.now)  # fmt: skip

    def enclose(self, member: Staff, case: Case, file: Enclosure) -> None:
        """Send a file of a case on to a member of the staff."""
        address = Address(channel=member.channel, chat=member.chat)
        self._letter(address, file, Priority.ALERT, conversation_id=member.conversation_id, case_id=case.id,
                     unasked=True, key="", due_at=self.now)  # fmt: skip

    def call_out(self, case: Case, call: CallOut) -> None:
        """Have a call made, where there is a way to."""
        if self.book.alarm is not None:
            self._letter(self.book.alarm, call, Priority.ALERT, conversation_id=None, case_id=case.id,
                         unasked=False, key="", due_at=self.now)  # fmt: skip

    def _put(
        self,
        address: Address,
        conversation_id: int | None,
        text: str,
        rows: Rows,
        *,
        priority: Priority,
        unasked: bool,
        case_id: int | None,
        key: str,
        tail: Callable[[], str] | None = None,
        conversation: Conversation | None = None,
        first: bool = False,
    ) -> None:
        which = "" if priority == Priority.ANSWER else f"{case_id}"
        place = (address.channel, address.chat, which)
        told = self._telling.get(place)
        if told is None:
            told = _Telling(address, conversation_id, [], (), priority, unasked, case_id, key, None, conversation)
            self._telling[place] = told
        told.conversation = conversation or told.conversation
        if text and text not in told.parts:
            told.parts.append(text)
        if rows and first:
            told.before = rows
        elif rows:
            told.rows = rows
        told.tail = tail or told.tail
        told.priority = min(told.priority, priority)
        told.unasked = told.unasked and unasked

    def finish(self) -> None:
        """Write what is to be said into the outbox: one message for each person."""
        for told in self._telling.values():
            rows, hint = _joined(told.before, told.rows), ""
            if told.conversation is not None and self.buttonless(told.address.channel):
                rows, hint = self._numbered(told.conversation, rows)
            case = self.case(told.case_id)
            tail = told.tail() if told.tail is not None else ""
            body = OutgoingMessage(
                text="\n\n".join(told.parts) + (f"\n{tail}" if tail else ""),
                choices=tuple(tuple(row) for row in rows),
                hint=hint,
                about=case.number if case is not None else "",
            )
            due_at = self.now
            if told.unasked and told.priority not in (Priority.ANSWER, Priority.ALERT):
                due_at = self.book.calendar.after_quiet(self.now, self.policy().hours.quiet)
            card = told.conversation is None and case is not None and _spent(rows)
            if self.late and told.priority == Priority.ALERT and told.conversation is None:
                self._gather(told, body, case, card=card)
                continue
            self._letter(told.address, body, told.priority, conversation_id=told.conversation_id, case_id=told.case_id,
                         unasked=told.unasked, key=told.key, due_at=due_at, card=card)  # fmt: skip

    def _gather(self, told: _Telling, body: OutgoingMessage, case: Case | None, *, card: bool) -> None:
        """Add what is told late to the one letter that this person gets for all of it; it goes when all is served."""
        place = told.address.channel, told.address.chat
        letter = self._batch.late.get(place) or self.scene.late_news(told.address)
        if letter is None:
            none = LateNews(text=body.text, choices=body.choices, about=body.about)
            self._letter(told.address, self._learned(none, told, case), told.priority,
                         conversation_id=told.conversation_id, case_id=told.case_id, unasked=told.unasked, key="",
                         due_at=self.now + _HELD, card=card)  # fmt: skip
            self._batch.late[place] = self._batch.changes.letters[-1]
            return
        if place not in self._batch.late:
            self._batch.late[place] = letter
            self._batch.changes.grown.append(letter)
        if not isinstance(letter.body, LateNews):
            raise TypeError(letter.id)
        news, language = self._learned(letter.body, told, case), self._language(told.address)
        more = [self.say(language, "staff.digest.more", count=news.more)] if news.more else []
        pairs = tuple(news.shown[at : at + 2] for at in range(0, len(news.shown), 2))
        letter.body = replace(
            news,
            text="\n".join([self.say(language, "staff.digest.head", count=len(news.cases)), *news.lines, *more]),
            choices=(*news.rows, *pairs),
            about="",
        )
        letter.case_id, letter.card, letter.due_at = None, False, self.now + _HELD

    def _learned(self, news: LateNews, told: _Telling, case: Case | None) -> LateNews:
        """Return late news with what else is told; as far as they reach, lines and buttons of the cases."""
        lines, cases, shown, rows = (*news.lines, *told.parts), news.cases, news.shown, news.rows
        if case is None:
            rows = (*rows, *(tuple(row) for row in told.rows))
        elif case.id not in cases:
            cases = (*cases, case.id)
            if len(shown) < _SHOWN:
                shown = (*shown, self.button(case.number, Token(scope="s", case_id=case.id, value=SHOW)))
        more = news.more + max(0, len(lines) - _GATHERED)
        return replace(news, lines=lines[:_GATHERED], more=more, cases=cases, shown=shown, rows=rows)

    def _language(self, address: Address) -> Language:
        """Return the language of whoever of the staff reads at that address."""
        for each in self.scene.staff.values():
            if (each.channel, each.chat) == (address.channel, address.chat):
                return each.language
        return self.policy().languages[0]

    def _numbered(self, conversation: Conversation, rows: Rows) -> tuple[Rows, str]:
        """Return the choices with the numbers to type, and the sentence that says how."""
        rows, words = choices.number(conversation, rows, self.stands)
        self.touch(conversation)
        language = conversation.words.language
        joint = self.say(language, "choices.joint")
        counted = any(choice.number for row in rows for choice in row)
        if words:
            key = "choices.both" if counted else "choices.words"
            return rows, self.say(language, key, words=joint.join(words))
        return rows, self.say(language, "choices.numbers") if counted else ""

    def _letter(
        self,
        address: Address,
        body: OutgoingMessage | Enclosure | Fetch | CallOut | Revision,
        priority: Priority,
        *,
        conversation_id: int | None,
        case_id: int | None,
        unasked: bool,
        key: str,
        due_at: datetime,
        card: bool = False,
    ) -> None:
        self._batch.changes.letters.append(
            Letter(
                id=self.book.ids.next(),
                address=address,
                body=body,
                priority=priority,
                due_at=due_at,
                conversation_id=conversation_id,
                case_id=case_id,
                unasked=unasked,
                key=key,
                card=card,
            )
        )

    # buttons

    def button(self, label: str, token: Token) -> Choice:
        """Make a button."""
        return Choice(label=label, token=str(token))

    def question_button(self, conversation: Conversation, label: str, value: str) -> Choice:
        """Make a button that answers the question on the table, and is stale once another one lies there."""
        return Choice(label=label, token=str(Token(scope="q", value=value, stamp=conversation.turn)))


def _departments(turn: Turn, case: Case) -> int:
    taxonomy = turn.policy(case).taxonomy
    near = [id_ for id_, score in case.facts.scores.items() if score >= taxonomy.second]
    return len({taxonomy.type(id_).department for id_ in near}) or 1


#: The facts that every case has, beside its grades, its answers, what is on file, and the policy's readings.
FACTS: Final[dict[str, Callable[[Turn, Case], Any]]] = {  # Any: facts of any kind
    "type": lambda _, case: case.type,
    "state": lambda _, case: case.state,
    "flags": lambda _, case: case.facts.flags,
    "department": lambda _, case: case.department,
    "channel": lambda _, case: case.channel,
    "complete": lambda _, case: case.facts.complete,
    "owned": lambda _, case: case.owner_id is not None,
    "cycle": lambda _, case: case.cycle,
    "departments": _departments,
    "rejections": lambda _, case: case.facts.rejections,
    "reopenings": lambda _, case: case.facts.reopenings,
    "chasers": lambda _, case: case.facts.chasers,
    "human": lambda _, case: case.facts.human,
    "done": lambda _, case: [*case.facts.done],
    "expedited": lambda _, case: any(it.step is not None and it.step.expedited for it in case.facts.approvals),
    "external": lambda _, case: case.facts.external.kind if case.facts.external is not None else "",
    "result": lambda _, case: (case.facts.decision.result or "") if case.facts.decision is not None else "",
    "remedies": lambda _, case: [it.kind for it in case.facts.decision.remedies] if case.facts.decision else [],
    "remedy_amount": lambda _, case: case.facts.decision.amount if case.facts.decision is not None else None,
    "amount": lambda turn, case: turn.amount(case),
    "region": lambda turn, case: turn.region(case),
}
