"""A case: one complaint, from the first complaining message to the last word about it.

What may be counted stands open (`Case` and `CaseFacts`); what a person said or is stands in `CaseWords`, which storage
seals with the customer's data key.
"""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, Field


class ClockRun(BaseModel):
    """One clock of a case, running or stopped; moments are UTC.

    `told` is the last percent whose rung was told; `held` counts the updates that moved the promised date. `graded` is
    the position of its limit among those of its clock (-1 is the one for all cases), `agreed_at` the moment that was
    agreed upon, `extended` the units by which people moved its date. `nudged`: the customer was reminded in this pause.
    """

    started_at: datetime
    due_at: datetime
    told: int = 0
    paused_at: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = Field(default_factory=list)
    stopped_at: datetime | None = None
    promised_at: datetime | None = None
    held: int = 0
    graded: int = -1
    agreed_at: datetime | None = None
    extended: list[int] = Field(default_factory=list)
    nudged: bool = False

    @property
    def running(self) -> bool:
        """Tell whether the clock can still run out (a paused one can, later)."""
        return self.stopped_at is None


class SurveyRun(BaseModel):
    """One survey on one resolution: when it was sent, how often reminded, the scores so far (question id -> score)."""

    id: str
    cycle: int
    due_at: datetime
    expires_at: datetime
    sent_at: datetime | None = None
    reminders: int = 0
    scores: dict[str, int] = Field(default_factory=dict)
    done: bool = False


class CaseFacts(BaseModel):
    """What may be counted about a case and needs no column of its own."""

    flags: list[str] = Field(default_factory=list)
    grades: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    clocks: dict[str, ClockRun] = Field(default_factory=dict)
    surveys: list[SurveyRun] = Field(default_factory=list)
    rejections: int = 0
    reopenings: int = 0
    chasers: int = 0
    files: int = 0
    complete: bool = False
    nudged: bool = False
    human: bool = False
    asked: bool = False
    listen: bool = False
    call: bool = False
    resolved_at: datetime | None = None
    lexicon: str = ""


class Said(BaseModel):
    """One thing the customer said about the case. `ref` is the platform's id of the message, for later edits."""

    at: datetime
    text: str
    ref: str = ""


class CaseWords(BaseModel):
    """What a person said or is: sealed. `call` is what the customer is to be told by telephone."""

    said: list[Said] = Field(default_factory=list)
    answers: dict[str, str] = Field(default_factory=dict)
    decided_by: list[str] = Field(default_factory=list)
    question: str = ""
    proposal: str = ""
    result: str = ""
    call: str = ""


@dataclass(slots=True, kw_only=True)
class Case:
    """One complaint. `cycle` counts resolutions; `seq` and `head` are the end of its journal chain.

    An `active` case still belongs to the chat: it is open, or may be reopened or surveyed. `open` is false from the
    final state on.
    """

    id: int
    number: str
    conversation_id: int
    customer_id: int
    policy: str
    channel: str
    opened_at: datetime
    state: str
    type: str = ""
    department: str = ""
    owner_id: int | None = None
    urgent: bool = False
    cycle: int = 1
    active: bool = True
    open: bool = True
    seq: int = 0
    head: bytes = b""
    facts: CaseFacts = field(default_factory=CaseFacts)
    words: CaseWords = field(default_factory=CaseWords)

    @property
    def round(self) -> int:
        """The stamp of a customer's buttons: those of an earlier proposal or resolution are stale."""
        return self.cycle * 100 + self.facts.rejections

    @property
    def due_at(self) -> datetime | None:
        """The nearest deadline that runs."""
        return min((run.due_at for run in self.facts.clocks.values() if run.running), default=None)

    @property
    def promised_at(self) -> datetime | None:
        """The nearest date the customer was promised, while its clock runs."""
        dates = (run.promised_at for run in self.facts.clocks.values() if run.running and run.promised_at is not None)
        return min(dates, default=None)
