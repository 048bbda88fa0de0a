"""Words on their way in and out, without the dialect of a platform."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

MessageKind = Literal["text", "press", "edit", "blocked", "unblocked", "moved", "left", "unknown"]
AttachmentKind = Literal["photo", "document", "voice", "audio", "video", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a conversation takes place: a chat of a channel. `group` is true where several people read along."""

    channel: str
    chat: str
    group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, still at the platform. `size` in bytes where the platform tells it."""

    kind: AttachmentKind
    ref: str
    size: int | None = None
    mime: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What a message lets us send afterwards, where the platform counts: `count` messages within so many seconds.

    `name` is the counter; a new credit takes the place of the old one, or `adds` to it.
    """

    name: str
    count: int
    seconds: int
    adds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """One thing said to the desk.

    `key` is the platform's own id of the delivery and the key of deduplication; `sent_at` the platform's time (UTC).
    `press` is the token of a button, `press_ref` what the platform wants back to end the press. `command` and
    `argument` are set when the text is a command (`/start CODE`), without the slash. `ref` is the platform's id of the
    message itself and `reply_to` that of the one it answers. `album` groups the parts of an album. For `moved`,
    `argument` is the new chat; `left` says that this member has left the company. `credits` are what the platform
    lets us send after it.
    """

    key: str
    kind: MessageKind
    address: Address
    sender: str
    sent_at: datetime
    name: str = ""
    language: str = ""
    text: str = ""
    command: str = ""
    argument: str = ""
    press: str = ""
    press_ref: str = ""
    ref: str = ""
    reply_to: str = ""
    album: str = ""
    phone: str = ""
    attachments: tuple[Attachment, ...] = ()
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button: what it says, and the token it sends back (64 bytes at most) or the page it opens.

    `number` is what to type instead where there are no buttons; 0: the label.
    """

    label: str
    token: str = ""
    url: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """Something to say: plain text and rows of buttons. `reply_to` is a platform message id, where there is one.

    `hint` tells how to answer without buttons, and stands below the numbered choices. `about` is the case number.
    """

    text: str
    choices: tuple[tuple[Choice, ...], ...] = field(default=())
    reply_to: str = ""
    hint: str = ""
    about: str = ""

    @property
    def plain(self) -> str:
        """The message where there are no buttons: below the text its numbered choices, and the hint."""
        numbered = [choice for row in self.choices for choice in row if choice.number]
        if all(choice.label == str(choice.number) for choice in numbered):
            numbered = []  # "1", "2" …: the text has told what they mean
        lines = [f"{choice.number}. {choice.label}" for choice in numbered]
        return "\n".join(part for part in (self.text, *lines, self.hint) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateNews(OutgoingMessage):
    """What a member of the staff, or a room, learns late: one message that grows in the outbox until all is served.

    It can be sent at any time as it is. `lines` are the first of the news, `more` counts the others; `cases` are all
    cases that the news are about, by id, `shown` opens the first of them. `rows` are the choices of other news.
    """

    lines: tuple[str, ...] = ()
    more: int = 0
    cases: tuple[int, ...] = ()
    shown: tuple[Choice, ...] = ()
    rows: tuple[tuple[Choice, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A file to bring home from the platform: the outbox carries this errand too. `duty` is whose proof it is."""

    evidence_id: int
    ref: str
    duty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A customer's file, sent on to somebody. `ref` is empty where it came by another platform: then it is uploaded."""

    kind: AttachmentKind
    ref: str
    caption: str = ""
    evidence_id: int = 0
    mime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """A call to be made by whoever telephones for the company: an alarm that nobody acknowledged in a round.

    Its `title` holds nothing personal. From `until` on the next round calls out itself, and this call is not made.
    """

    number: str
    company: str
    round: int
    title: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PressAnswer:
    """What ends a press on the platform: a short text shown over the chat, or nothing. 200 characters at most."""

    ref: str
    text: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A change of a message that lies in a chat already: its buttons make room for a short text."""

    ref: str
    text: str
