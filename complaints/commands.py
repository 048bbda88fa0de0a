"""Everything the desk can be asked to do. A command may be refused; `key`, where set, is served once only."""

from dataclasses import dataclass, field
from datetime import datetime

from complaints.messages import IncomingMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Hear:
    """Hear what a person says: a customer, an agent, or a stranger."""

    message: IncomingMessage

    @property
    def key(self) -> str:
        """The platform's delivery, served once."""
        return self.message.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """See whether a timer that fell due still matters. `subject` is `case:ID` or `conversation:ID`."""

    subject: str
    name: str
    due_at: datetime
    conversation_id: int
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Let a member of the staff do something with a case, from outside a messenger."""

    staff_id: int
    case_id: int
    act: str
    values: dict[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Record what became of a file: brought home (`path`, `sha256`, `size` in bytes), or lost (`problem`).

    With a `duty` it is the proof of that one, and no evidence of a case.
    """

    evidence_id: int
    duty: int = 0
    conversation_id: int
    path: str = ""
    sha256: str = ""
    size: int = 0
    mime: str = ""
    problem: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """Record that a message could not be delivered (`reason`: blocked, refused, …).

    With the reason `window` it is parked until the person writes; `noticed` tells that the platform lets them know that
    something waits. `channel` and `priority` are those of the letter.
    """

    conversation_id: int
    case_id: int | None
    reason: str
    text: str = ""
    channel: str = ""
    priority: int = 0
    noticed: bool = False
    letter_id: int = 0
    key: str = ""


Command = Hear | Fire | Act | Keep | Miss
