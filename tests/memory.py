"""A desk whose database is memory: the real use cases, rules and reader, for thousands of lives in little time."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from complaints.commands import Command, Fire, Hear
from complaints.conversation import Conversation
from complaints.messages import Address, Attachment, IncomingMessage
from handlers import routing
from handlers.turn import Batch, Book, Turn
from storage.unit import Loaded

BEGIN = datetime(2025, 3, 3, 2, 15, tzinfo=UTC)
CUSTOMER = Address(channel="telegram", chat="5000001")


class Ids:
    """Ids that count."""

    def __init__(self) -> None:
        self._last = self._number = 0

    def next(self) -> int:
        self._last += 1
        return self._last

    def number(self, year: int) -> int:
        self._number += 1
        return self._number

    def data_key(self, customer_id: int) -> bytes:
        return b"key"

    def code(self) -> str:
        return f"{self.next():08}"


@dataclass
class Memory:
    """One customer and their desk: what is loaded, what was written, and every timer with its conversation."""

    book: Book
    now: datetime = BEGIN
    scene: Loaded = field(default_factory=Loaded)
    timers: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    letters: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.book = replace(self.book, ids=Ids())
        self.conversation = Conversation(id=self.book.ids.next(), channel=CUSTOMER.channel)
        self.conversation.words.chat = CUSTOMER.chat
        self.take(self.conversation, CUSTOMER)

    def take(self, conversation: Conversation, address: Address) -> None:
        """Take a conversation in."""
        self.scene.conversations[conversation.id] = conversation
        self.scene.addresses[address.channel, address.chat] = conversation.id

    # the ledger

    def cases_of(self, conversation_id, limit):
        return sorted(self.scene.cases.values(), key=lambda case: -case.id)[:limit]

    def open_cases(self, departments, limit):
        return [case for case in self.scene.cases.values() if case.open][:limit]

    def case_by_number(self, number):
        return next((case for case in self.scene.cases.values() if case.number == number), None)

    def evidence_of(self, case_id):
        return []

    def evidence(self, evidence_id):
        return None

    def cards_of(self, case_id):
        return []

    def owned(self, staff_id):
        return [case for case in self.scene.cases.values() if case.open and case.owner_id == staff_id]

    def open_duties(self):
        return [run for run in self.runs if run.state == "open"]

    def duty(self, duty_id):
        return next((run for run in self.runs if run.id == duty_id), None)

    def last_duties(self):
        return {run.duty: run.began_at for run in self.runs}

    def opened_between(self, since, until):
        return [case for case in self.scene.cases.values() if since <= case.opened_at < until]

    def handled_by(self, staff_id, case_ids):
        return frozenset(each.case_id for each in self.events if each.actor == f"staff:{staff_id}")

    # what happens

    def serve(self, command: Command) -> Turn:
        """Serve a command, and keep what it changed. A refusal is raised."""
        batch = Batch()
        turn = Turn(self.book, self.scene, self, batch, self.now)
        routing.serve(command, turn)
        self.scene.absorb(batch.changes)
        for timer in batch.changes.timers:
            if timer.due_at is None:
                self.timers.pop((timer.subject, timer.name), None)
            else:
                self.timers[timer.subject, timer.name] = timer.due_at, timer.conversation_id
        self.events += batch.changes.events
        self.letters = batch.changes.letters
        return turn

    def hear(
        self,
        words: str = "",
        *,
        address: Address = CUSTOMER,
        kind: str = "text",
        press: str = "",
        files: tuple[Attachment, ...] = (),
        album: str = "",
        ref: str = "",
    ) -> Turn:
        """Let somebody write, press, or send something."""
        self.count += 1
        command, _, argument = words[1:].partition(" ") if words.startswith("/") else ("", "", "")
        return self.serve(
            Hear(
                message=IncomingMessage(
                    key=str(self.count),
                    kind="press" if press else kind,
                    address=address,
                    sender=address.chat,
                    sent_at=self.now,
                    language="zh-hans",
                    text=words,
                    command=command if command.isidentifier() else "",
                    argument=argument,
                    press=press,
                    press_ref="p" if press else "",
                    ref=ref or str(self.count),
                    album=album,
                    attachments=files,
                )
            )
        )

    def fire(self, until: datetime | None = None) -> bool:
        """Let the nearest timer fall due, if there is one by then."""
        if not self.timers:
            return False
        (subject, name), (due_at, conversation_id) = min(self.timers.items(), key=lambda timer: timer[1][0])
        if until is not None and due_at > until:
            return False
        self.now = max(self.now, due_at)
        self.scene.timers = {(subject, name): due_at}
        del self.timers[subject, name]
        self.serve(Fire(subject=subject, name=name, due_at=due_at, conversation_id=conversation_id))
        self.scene.timers = {}
        return True
