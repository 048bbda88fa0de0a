"""What the use cases need from the outside, named for the need. Adapters live in nlp, policies, storage and bot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Protocol

from complaints.case import Case
from complaints.conversation import Conversation, Customer, EvidenceFile, Staff
from complaints.duties import DutyRun
from complaints.events import Event
from complaints.messages import Address, CallOut, Credit, Enclosure, Fetch, OutgoingMessage, PressAnswer, Revision
from complaints.reading import Correction, Language, Reading


class Priority(IntEnum):
    """What goes first to one recipient when both wait; order holds within one priority.

    A `DECISION` asks the customer to decide, or ends the case: where a platform counts, the last credit is kept for it.
    """

    ANSWER = 1
    DECISION = 2
    ALERT = 3
    PROGRESS = 4
    SURVEY = 5
    ERRAND = 6


@dataclass(slots=True, kw_only=True)
class Letter:
    """Something to send, as it lies in the outbox. `unasked` letters are paced and wait out quiet hours (`due_at`).

    `key` makes a letter unique where a repeated command could write it twice; empty means the letter's id. Where a
    `card` lies is remembered, so that its buttons can be taken away once somebody has pressed one.
    """

    id: int
    address: Address
    body: OutgoingMessage | Enclosure | Fetch | CallOut | PressAnswer | Revision
    priority: Priority
    due_at: datetime
    conversation_id: int | None = None
    case_id: int | None = None
    unasked: bool = False
    key: str = ""
    card: bool = False
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message with buttons that lies in somebody's chat. `ref` is what the platform wants back to change it."""

    id: int
    case_id: int
    address: Address
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time code that joins another chat of the same person to this conversation until `until`."""

    code: str
    conversation_id: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One person's two conversations become one: what `source` has, and its address, belongs to `target` then."""

    source: int
    target: int
    code: str


@dataclass(slots=True, kw_only=True)
class Timer:
    """Something to look at again: unique by subject and name. `due_at` None cancels it."""

    subject: str
    name: str
    conversation_id: int
    due_at: datetime | None


@dataclass(slots=True, kw_only=True)
class Changes:
    """Everything one command changed, to be written in one commit. Objects are the loaded ones, changed in place."""

    customers: list[Customer] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    staff: list[Staff] = field(default_factory=list)
    evidence: list[EvidenceFile] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    grown: list[Letter] = field(default_factory=list)
    """Late news that lay in the outbox already, and has more to tell now."""
    credits: list[tuple[Address, Credit]] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """Parked letters whose words were said in another way."""
    retired: list[int] = field(default_factory=list)
    """Cards that have no buttons any more."""
    codes: list[Code] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    duties: list[DutyRun] = field(default_factory=list)


class Ids(Protocol):
    """Makes ids: 63-bit, rising with time, unique over all nodes."""

    def next(self) -> int:
        """Return a fresh id."""
        ...

    def number(self, year: int) -> int:
        """Return the next running number of a case in that year; gaps are allowed, repeats are not."""
        ...

    def data_key(self, customer_id: int) -> bytes:
        """Return a fresh data key for a customer, wrapped by the key ring."""
        ...

    def code(self) -> str:
        """Return a fresh one-time code of eight digits that nobody can guess."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of several answers: its id, and every way to say it."""

    id: str
    labels: tuple[str, ...]


class Reader(Protocol):
    """Reads what people write."""

    def read(self, text: str, *, hint: Language | None = None, at: datetime | None = None) -> Reading:
        """Return what was understood of the text; `at` is when it was said, by the clocks where it was said."""
        ...

    def choose(self, text: str, options: Sequence[Option]) -> str | None:
        """Return the id of the option meant ("2", "the second one", its label), or None if that is not clear."""
        ...

    def intent(self, text: str) -> str | None:
        """Return what a short utterance wants of the dialogue (back, skip, help, human, yes …), or None."""
        ...

    def wish(self, text: str) -> str | None:
        """Return what a short utterance wants of the dialogue in other than the known words, or None.

        It never agrees, refuses, or files anew.
        """
        ...

    def consent(self, text: str) -> bool | None:
        """Tell whether an answer to a proposal agrees or refuses; None where it does neither."""
        ...

    def correction(self, text: str) -> Correction | None:
        """Return which earlier answer a message corrects, and how; None if it corrects none."""
        ...

    def about(self, text: str) -> frozenset[str]:
        """Return the slots that a few words name and give no value for ("my phone number")."""
        ...

    def announces(self, text: str) -> bool:
        """Tell whether a text ends in words that announce a value of the speaker's own ("my number is")."""
        ...

    def zone(self, text: str, *, own: bool) -> str | None:
        """Return the zone (an IANA name) of a place or telephone number; `own` if it is the answer where one is."""
        ...

    def mask(self, text: str, reading: Reading) -> str:
        """Return the text with personal data starred out, for rooms where many read along."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a company has on file about an order or a contract; `amount` in the company's currency.

    `organisation` is empty for a private customer, `manager` an account manager: the id or the name of a member of the
    staff, or a role. `contacts` may accept for the organisation: telephone numbers, mail addresses, names. `more` are
    the company's own columns. Only staff see any of it.
    """

    number: str
    organisation: str = ""
    product: str = ""
    model: str = ""
    amount: Decimal | None = None
    region: str = ""
    vip: bool = False
    manager: str = ""
    contacts: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)


class Orders(Protocol):
    """What customers have bought, as the company has it on file."""

    def find(self, number: str) -> Order | None:
        """Return the order of this number, however it is spaced or spelt; None if there is none."""
        ...


class Wording(Protocol):
    """Every sentence the desk says."""

    def say(self, language: Language, key: str, **values: object) -> str:
        """Return the sentence with its placeholders filled."""
        ...

    def moment(self, language: Language, at: datetime, zone: str, abroad: str | None = None) -> str:
        """Return a moment as people say it, in that zone, and by the clocks of the zone `abroad` where they differ."""
        ...


class Scene(Protocol):
    """What a batch of commands loaded and locked: the conversations at hand, and all that belongs to them."""

    @property
    def conversations(self) -> Mapping[int, Conversation]:
        """The locked conversations by id."""
        ...

    @property
    def customers(self) -> Mapping[int, Customer]:
        """Their customers by id."""
        ...

    @property
    def cases(self) -> Mapping[int, Case]:
        """Their active cases, and the cases asked for, by id."""
        ...

    @property
    def staff(self) -> Mapping[int, Staff]:
        """Every member of the staff by id."""
        ...

    @property
    def timers(self) -> Mapping[tuple[str, str], datetime]:
        """The timers asked for that still stand, by subject and name."""
        ...

    def by_address(self, address: Address) -> Conversation:
        """Return the conversation at this address; that of a person with several chats answers at each of them."""
        ...

    def parked(self, conversation_id: int) -> Sequence[Letter]:
        """Return what waits for this person to write, oldest first.

        Known only where their message brings a credit, and where something could not be delivered.
        """
        ...

    def late_news(self, address: Address) -> Letter | None:
        """Return the late news that is held for this address, if any. Known only where a late timer is served."""
        ...

    def by_code(self, code: str) -> Conversation | None:
        """Return the conversation that issued the one-time code of this command, if it still holds."""
        ...

    def cases_of(self, conversation_id: int) -> Sequence[Case]:
        """Return the active cases of a conversation, oldest first."""
        ...


class Ledger(Protocol):
    """Read-only questions that reach beyond the conversation at hand, asked inside the command's transaction."""

    def cases_of(self, conversation_id: int, limit: int) -> Sequence[Case]:
        """Return the latest cases of a conversation, finished ones too, newest first."""
        ...

    def open_cases(self, roles: Sequence[str] | None, limit: int, *, member: int = 0) -> Sequence[Case]:
        """Return open cases, urgent ones before others, the nearest deadline first.

        All, or those where these roles or this member may be named; whether they have to do with it is for the caller
        to see.
        """
        ...

    def case_by_number(self, number: str) -> Case | None:
        """Return the case with this number."""
        ...

    def evidence_of(self, case_id: int) -> Sequence[EvidenceFile]:
        """Return the files of a case in the order they came."""
        ...

    def evidence(self, evidence_id: int) -> EvidenceFile | None:
        """Return one file's record."""
        ...

    def owned(self, staff_id: int) -> Sequence[Case]:
        """Return the open cases that this member of the staff owns."""
        ...

    def cards_of(self, case_id: int) -> Sequence[Card]:
        """Return where cards of a case lie with buttons on them."""
        ...

    def open_duties(self) -> Sequence[DutyRun]:
        """Return the duties that are to be done, the nearest date first."""
        ...

    def duty(self, duty_id: int) -> DutyRun | None:
        """Return one duty in one period."""
        ...

    def last_duties(self) -> Mapping[str, datetime]:
        """Return when the latest period of each duty began, by the id in the policy."""
        ...

    def opened_between(self, since: datetime, until: datetime) -> Sequence[Case]:
        """Return the cases that were opened from that moment on and before the other one."""
        ...

    def handled_by(self, staff_id: int, case_ids: Sequence[int]) -> frozenset[int]:
        """Return those of the cases with which this member of the staff has done something, beside looking."""
        ...
