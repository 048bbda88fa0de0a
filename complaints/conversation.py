"""A conversation: one chat of one person, and the question that lies on its table."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field
from transitions import Machine

from complaints.messages import Attachment
from complaints.reading import Language

#: The channel of customers who can only be reached by telephone: a member of the staff entered what they said.
DESK: Final = "desk"
_FORM: Final = ["consenting", "choosing_type", "filling", "reviewing", "editing", "cancelling"]
_CUSTOMER: Final = ["idle", *_FORM, "picking", "replying", "explaining", "surveying", "commenting"]

#: trigger, the states it may come from, the state it leads to. The diagram in the docs is drawn from this table.
MOVES: Final[tuple[tuple[str, list[str], str], ...]] = (
    ("rest", [*_CUSTOMER, "composing"], "idle"),
    ("ask_consent", _CUSTOMER, "consenting"),
    ("ask_type", _CUSTOMER, "choosing_type"),
    ("ask_field", _CUSTOMER, "filling"),
    ("ask_review", _CUSTOMER, "reviewing"),
    ("ask_edit", ["reviewing", "filling", "choosing_type", "editing"], "editing"),
    ("ask_cancel", [*_FORM, "idle"], "cancelling"),
    ("ask_which", [*_CUSTOMER], "picking"),
    ("ask_reply", ["idle", "picking", "replying", "surveying", "commenting"], "replying"),
    ("ask_reason", _CUSTOMER, "explaining"),
    ("ask_score", ["idle", "surveying"], "surveying"),
    ("ask_comment", ["idle", "surveying"], "commenting"),
    ("ask_staff", ["idle", "composing"], "composing"),
)
STATES: Final = (*_CUSTOMER, "composing")

_MACHINE: Final = Machine(
    model=None, states=list(STATES), initial=None, auto_transitions=False, model_attribute="state"
)
for _trigger, _sources, _target in MOVES:
    _MACHINE.add_transition(_trigger, [*_sources], _target)


class Consent(BaseModel):
    """A customer's yes to the notice on personal data: which version, in which language, when, and its text's hash.

    `by` is the member of the staff (`staff:ID`) who took it by word of mouth, if one did.
    """

    version: str
    language: Language
    at: datetime
    text_sha256: str
    by: str = ""


class Profile(BaseModel):
    """What is known of a customer and need not be asked again (field id -> value): sealed.

    `order` is the number of their order that was last found on file: it tells whose customer they are.
    """

    answers: dict[str, str] = Field(default_factory=dict)
    order: str = ""


@dataclass(slots=True, kw_only=True)
class Customer:
    """A person who complains. `key` is the wrapped data key; without it their words are unreadable for good."""

    id: int
    key: bytes
    consent: Consent | None = None
    profile: Profile = field(default_factory=Profile)
    erased: bool = False


class Shown(BaseModel):
    """A choice that was shown where there are no buttons: the number to type, or 0 for the label alone."""

    number: int
    label: str
    token: str


class Place(BaseModel):
    """One of several chats in which the same person is reached."""

    channel: str
    chat: str


class Dialogue(BaseModel):
    """Where the conversation stands: sealed with the customer's data key.

    `field` is asked for, `tries` counts wrong answers to it, `trail` the fields answered before it (for going back).
    The fields in `put_off` are asked last, since the customer has to look for the answer; of those in `explained` they
    were told why they are needed, and may leave them empty now.
    `kept` and `kept_files` wait for the customer to say what they belong to. `act` is what an agent is writing for.
    `shown` are the choices that may be typed, `known` values (field id -> value) that came with a scanned code, for the
    next complaint. `places` are all chats of a person who has joined several, `preferred` the channel they want to be
    written to (empty: where they spoke last). `sure` is the code that they were asked to send once more, `agreed` the
    version of the notice on personal data that they have agreed to once and must agree to again.
    """

    chat: str = ""
    name: str = ""
    language: Language = "zh-Hans"
    field: str = ""
    tries: int = 0
    trail: list[str] = Field(default_factory=list)
    ahead: list[str] = Field(default_factory=list)
    skipped: list[str] = Field(default_factory=list)
    put_off: list[str] = Field(default_factory=list)
    explained: list[str] = Field(default_factory=list)
    options: list[str] = Field(default_factory=list)
    returning: bool = False
    kept: str = ""
    kept_ref: str = ""
    kept_at: datetime | None = None
    kept_files: list[Attachment] = Field(default_factory=list)
    act: str = ""
    question: str = ""
    album: str = ""
    recent: list[int] = Field(default_factory=list)
    shown: list[Shown] = Field(default_factory=list)
    known: dict[str, str] = Field(default_factory=dict)
    places: list[Place] = Field(default_factory=list)
    preferred: str = ""
    guesses: list[int] = Field(default_factory=list)
    sure: str = ""
    agreed: str = ""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """One chat with one person: a customer, or a member of the staff (`staff_id`).

    A person may have joined several chats to one conversation; `channel` and `words.chat` say where they are told.
    `turn` counts the questions asked: a button carries the turn it was shown in, an older one is stale. `case_id` is
    the case that the question on the table is about. `reachable` is false once the person has blocked the bot.
    """

    id: int
    channel: str
    state: str = "idle"
    turn: int = 0
    customer_id: int | None = None
    staff_id: int | None = None
    case_id: int | None = None
    reachable: bool = True
    heard_at: datetime | None = None
    words: Dialogue = field(default_factory=Dialogue)

    def make(self, trigger: str) -> None:
        """Put another question on the table: every button of the one before becomes stale."""
        _MACHINE.events[trigger].trigger(self)
        self.turn += 1
        self.words.field, self.words.tries, self.words.act = "", 0, ""


class Loan(BaseModel):
    """A right to sign that was lent: to whom, for which roles, from when until when, and the hash of the signed paper.

    `paper` is the number under which the paper is kept. One that was `ended` counts no more.
    """

    to: int
    roles: list[str]
    starts_at: datetime
    ends_at: datetime
    paper: int = 0
    paper_sha256: str = ""
    ended: bool = False

    def counts(self, now: datetime) -> bool:
        """Tell whether the right is lent at this moment."""
        return not self.ended and self.starts_at <= now < self.ends_at


class Shift(BaseModel):
    """A stretch of time in which a member of the staff is on call for these roles, or, without roles, away."""

    starts_at: datetime
    ends_at: datetime
    roles: list[str] = Field(default_factory=list)


class StaffFacts(BaseModel):
    """What is kept of a member of the staff beside their roles: what they lent, and when they are on call or away."""

    loans: list[Loan] = Field(default_factory=list)
    roster: list[Shift] = Field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Staff:
    """A member of the staff: their roles, and the conversation in which the desk writes to them (once bound).

    Two accounts with the same `person` are one person: what the one may not do the other may not. It is a staff number,
    or `staff:ID` of the first account where they had the same chat and no number.
    """

    id: int
    name: str
    roles: list[str]
    language: Language = "zh-Hans"
    conversation_id: int | None = None
    chat: str = ""
    channel: str = ""
    code_hash: str = ""
    code_until: datetime | None = None
    active: bool = True
    person: str = ""
    facts: StaffFacts = field(default_factory=StaffFacts)

    @property
    def who(self) -> str:
        """Who this account belongs to: equal for two accounts of one person."""
        return self.person or f"staff:{self.id}"


@dataclass(slots=True, kw_only=True)
class EvidenceFile:
    """A file a customer sent: `announced`, then `kept` (sealed under `path`, hashed) or `lost`. Sizes in bytes."""

    id: int
    case_id: int
    conversation_id: int
    kind: str
    at: datetime
    state: str = "announced"
    size: int = 0
    mime: str = ""
    sha256: str = ""
    path: str = ""
    words: dict[str, Any] = field(default_factory=dict)  # JSON: name, ref, caption
