"""A case: one complaint, from the first complaining message to the last word about it.

What may be counted stands open (`Case` and `CaseFacts`); what a person said or is stands in `CaseWords`, which storage
seals with the customer's data key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, Field

from complaints.clauses.lifecycle import Result
from complaints.clauses.model import Sentence


class ClockRun(BaseModel):
    """One clock of a case, running or stopped; moments are UTC.

    `told` is the last percent whose rung was told; `held` counts the updates that moved the promised date. `graded` is
    the position of its limit among those of its clock (-1 is the one for all cases), `agreed_at` the moment that was
    agreed upon, `extended` the units by which people moved its date. `nudged`: the customer was reminded in this pause.
    `paused_for` is whom it waits for (`customer`, `desk`); it runs again when none of them is left.
    A `dropped` one ended because the case is no longer of its kind. `calendar` names whose working time counts, where
    it is not the company's. `passed` holds what was told of dates that the clock has not any more: one that comes back
    is not told again.
    """

    started_at: datetime
    due_at: datetime
    told: int = 0
    passed: dict[datetime, int] = Field(default_factory=dict)
    paused_at: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = Field(default_factory=list)
    stopped_at: datetime | None = None
    promised_at: datetime | None = None
    held: int = 0
    graded: int = -1
    agreed_at: datetime | None = None
    extended: list[int] = Field(default_factory=list)
    nudged: bool = False
    dropped: bool = False
    calendar: str = ""
    paused_for: list[str] = Field(default_factory=list)

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


class Signature(BaseModel):
    """What one member of the staff decided on a step: `by` signed, in the `role`, on behalf of `lender` if lent to."""

    by: int
    role: str
    at: datetime
    agrees: bool
    lender: int | None = None


class StepRun(BaseModel):
    """One step of an approval under way: every role of `all` signs, or one of `any`.

    `added` are members of the staff who were asked to sign too, `instead` maps a role to the member it was handed to.
    A `level` of authority that ran out of time may have been `passed` up. A step opens once the paper `form`, if any,
    is handed in; one that was closed with signatures missing belongs to the case no more. `clause` is the sentence that
    asks for it, `written` the whole step where a role of it has signed, or will sign, in another one.
    """

    all: list[str] = Field(default_factory=list)
    any: list[str] = Field(default_factory=list)
    title: Sentence | None = None
    form: Sentence | None = None
    clause: str = ""
    written: str = ""
    expedited: bool = False
    level: bool = False
    opened_at: datetime | None = None
    signatures: list[Signature] = Field(default_factory=list)
    added: list[int] = Field(default_factory=list)
    instead: dict[str, int] = Field(default_factory=dict)
    passed: bool = False
    closed_at: datetime | None = None

    @property
    def waits_for(self) -> list[str]:
        """The roles whose signature is still missing."""
        signed = {each.role for each in self.signatures if each.agrees}
        return [] if signed.intersection(self.any) else [role for role in [*self.all, *self.any] if role not in signed]

    @property
    def settled(self) -> list[str]:
        """The roles that need not be asked again: those that signed, or were passed over when their time was up."""
        return [*self.all, *self.any] if self.passed else [each.role for each in self.signatures if each.agrees]

    def __str__(self) -> str:
        """Return the step as the rule book has it: `a`, `a+b` (both), `a|b` (either)."""
        return self.written or "+".join(self.all) or "|".join(self.any)


class ApprovalRun(BaseModel):
    """One approval of a case: its steps, who asked for it, and how it ended. `at` is the step that is open.

    `number` counts the approvals of a case from 1. `papers` are the names of the forms that were handed in.
    """

    id: str
    number: int
    asked_at: datetime
    asked_by: int | None = None
    steps: list[StepRun] = Field(default_factory=list)
    papers: list[str] = Field(default_factory=list)
    at: int = 0
    outcome: Literal["open", "granted", "refused", "recalled"] = "open"
    closed_at: datetime | None = None

    @property
    def step(self) -> StepRun | None:
        """The step that waits for a signature, or for its paper."""
        return self.steps[self.at] if self.outcome == "open" and self.at < len(self.steps) else None


#: What a customer may be given (ISO 10002, 7.9 and its annex on remedies).
REMEDIES: Final = (
    "refund", "replacement", "repair", "rework", "resend", "technical_help", "information", "referral",
    "financial_help", "other_help", "compensation", "discount", "apology", "goodwill", "improvement",
)  # fmt: skip


class Remedy(BaseModel):
    """Something promised to the customer: one of `REMEDIES`, with an amount in the company's currency where it has one.

    It was given at `given_at`, if it was.
    """

    kind: str
    amount: Decimal | None = None
    given_at: datetime | None = None


class Decision(BaseModel):
    """What the company decided about a complaint, and what the customer is promised. Its reason lies in the words.

    `result` is None as long as nobody has said it. The customer was `told`, once it has gone out to them.
    """

    at: datetime
    by: str
    result: Result | None = None
    remedies: list[Remedy] = Field(default_factory=list)
    told: bool = False

    @property
    def amount(self) -> Decimal | None:
        """What is to be paid, all remedies together."""
        amounts = [each.amount for each in self.remedies if each.amount is not None]
        return sum(amounts, Decimal()) if amounts else None

    @property
    def owed(self) -> list[Remedy]:
        """What was promised and not given yet."""
        return [each for each in self.remedies if each.given_at is None]


class ExternalRun(BaseModel):
    """A complaint that came through somebody outside: who that is, since when, and when they were answered."""

    kind: str
    opened_at: datetime
    due_at: datetime
    replied_at: datetime | None = None


class AlarmRun(BaseModel):
    """An alarm until somebody acknowledges it: what it says, who was told so far, and how many rounds that took.

    `roles` are whom it was raised for, as the notice names them, and those to whom it has gone on since.
    """

    say: str
    roles: list[str]
    told: list[int] = Field(default_factory=list)
    rounds: int = 0
    repeats: int = 0
    raised_at: datetime
    seen_by: int | None = None
    seen_at: datetime | None = None


class CaseFacts(BaseModel):
    """What may be counted about a case and needs no column of its own.

    `happened` holds when the names that clocks wait for happened last in this cycle, `done` the moves made in it and
    when. `set_grades` are grades that a person set, `parts` the roles that have a part in the case, `concerned` the
    members of the staff whom it is about, `held_for` the department that an owner holds the case for until it is taken.
    `order` is what was found on file about the order: facts for conditions. `viewed` are the members of the staff who
    looked at the case on its last day of that. `authorised`: the customer was confirmed as a contact who may accept
    for their organisation, `asked_to_confirm` the round in which the staff was asked to do that. `waiting` are
    moves that are made as soon as nothing stands in their way, and who made them. `chasers` counts how often the
    customer has come after the case, `chased_at` is when they did last.
    """

    flags: list[str] = Field(default_factory=list)
    grades: dict[str, str] = Field(default_factory=dict)
    set_grades: dict[str, str] = Field(default_factory=dict)
    happened: dict[str, datetime] = Field(default_factory=dict)
    done: dict[str, datetime] = Field(default_factory=dict)
    parts: dict[str, list[str]] = Field(default_factory=dict)
    approvals: list[ApprovalRun] = Field(default_factory=list)
    decision: Decision | None = None
    external: ExternalRun | None = None
    alarms: dict[str, AlarmRun] = Field(default_factory=dict)
    concerned: list[int] = Field(default_factory=list)
    held_for: str = ""
    viewed: dict[int, date] = Field(default_factory=dict)
    order: dict[str, str | bool] = Field(default_factory=dict)
    authorised: bool = False
    asked_to_confirm: int = -1
    waiting: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    clocks: dict[str, ClockRun] = Field(default_factory=dict)
    surveys: list[SurveyRun] = Field(default_factory=list)
    rejections: int = 0
    reopenings: int = 0
    chasers: int = 0
    chased_at: datetime | None = None
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
    """What a person said or is: sealed. `call` is what the customer is to be told by telephone.

    `decided_by` are the words by which the type was read, `weights` what each word said for the type that came out
    best, `flagged_by` the words that raised a flag.

    `reason` is why the complaint was decided so, `external_number` what somebody outside calls the case, `order` what
    is on file about the order (column -> value; only staff see it). `plans` hold
    what was put to approval, by the approval's number, and `papers` what was handed in for it.
    """

    said: list[Said] = Field(default_factory=list)
    answers: dict[str, str] = Field(default_factory=dict)
    decided_by: list[str] = Field(default_factory=list)
    weights: dict[str, float] = Field(default_factory=dict)
    flagged_by: dict[str, list[str]] = Field(default_factory=dict)
    question: str = ""
    proposal: str = ""
    result: str = ""
    reason: str = ""
    external_number: str = ""
    order: dict[str, str] = Field(default_factory=dict)
    plans: dict[str, str] = Field(default_factory=dict)
    papers: dict[str, str] = Field(default_factory=dict)
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

    def roles_of(self, names: Sequence[str]) -> list[str]:
        """Return the roles that these names mean: `department`, the parts of the case, or roles themselves."""
        found: dict[str, None] = {}
        for name in names:
            if name == "department":
                found[self.department] = None
            elif name in self.facts.parts:
                for role in self.facts.parts[name]:
                    found[role] = None
            else:
                found[name] = None
        return list(found)

    @property
    def due_at(self) -> datetime | None:
        """The nearest deadline that runs."""
        return min((run.due_at for run in self.facts.clocks.values() if run.running), default=None)

    @property
    def promised_at(self) -> datetime | None:
        """The nearest date the customer was promised, while its clock runs."""
        dates = (run.promised_at for run in self.facts.clocks.values() if run.running and run.promised_at is not None)
        return min(dates, default=None)
