"""A desk whose database is memory: the real use cases, rules and reader, for many lives in little time."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from complaints.case import Case
from complaints.commands import Act, Command, Fire, Hear
from complaints.conversation import Conversation, Staff
from complaints.errors import PlaintError
from complaints.messages import Address, IncomingMessage, OutgoingMessage
from handlers import rights, routing
from handlers.turn import Batch, Book, Turn
from storage.unit import Loaded

BEGIN = datetime(2026, 9, 28, 2, 15, tzinfo=UTC)
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
class Desk:
    """One customer, one member of the staff for each role, and every timer."""

    book: Book
    now: datetime = BEGIN
    scene: Loaded = field(default_factory=Loaded)
    timers: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    letters: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    buttons: dict = field(default_factory=dict)
    refused: int = 0
    acted: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.book = replace(self.book, ids=Ids())
        self.conversation = Conversation(id=self.book.ids.next(), channel=CUSTOMER.channel)
        self.conversation.words.chat = CUSTOMER.chat
        self._take(self.conversation, CUSTOMER)
        self.members: dict[str, Staff] = {}
        for number, role in enumerate(self.book.current.routing.roles):
            chat = Conversation(id=self.book.ids.next(), channel="telegram")
            member = Staff(id=self.book.ids.next(), name=role.id, roles=[role.id], conversation_id=chat.id,
                           chat=str(6000001 + number), channel="telegram")  # fmt: skip
            chat.staff_id, chat.words.chat = member.id, member.chat
            self.members[role.id] = self.scene.staff[member.id] = member
            self._take(chat, Address(channel="telegram", chat=member.chat))

    def _take(self, conversation: Conversation, address: Address) -> None:
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

    def serve(self, command: Command) -> PlaintError | None:
        """Serve a command; return why it was refused, if it was, and see that nothing was changed then."""
        batch = Batch()
        turn = Turn(self.book, self.scene, self, batch, self.now)
        before = [] if isinstance(command, Fire) else self.dump()  # a timer is never refused: see pass_time
        refused: PlaintError | None = None
        try:
            routing.serve(command, turn)
        except PlaintError as error:
            refused = error
        if refused is not None:
            assert self.dump() == before, f"{command} was refused ({refused.key}) and changed something"
            self.refused += 1
            return refused
        self.scene.absorb(batch.changes)
        for timer in batch.changes.timers:
            if timer.due_at is None:
                self.timers.pop((timer.subject, timer.name), None)
            else:
                self.timers[timer.subject, timer.name] = timer.due_at, timer.conversation_id
        for case in batch.changes.cases:
            assert case.id in self.scene.cases
        self.events += batch.changes.events
        self.letters = batch.changes.letters
        for letter in self.letters:
            if isinstance(letter.body, OutgoingMessage) and letter.body.choices:
                self.buttons[letter.address.chat] = [each for row in letter.body.choices for each in row]
        return None

    def dump(self) -> list[str]:
        """Return everything about all cases, to compare."""
        return [
            f"{case.id} {case.state} {case.type} {case.department} {case.owner_id} {case.open} {case.active} {case.cycle}"
            f"{case.facts.model_dump_json()}{case.words.model_dump_json()}"
            for case in self.scene.cases.values()
        ]

    def say(self, address: Address, words: str = "", *, press: str = "") -> PlaintError | None:
        """Let somebody write, or press a button."""
        self.count += 1
        return self.serve(
            Hear(
                message=IncomingMessage(
                    key=str(self.count),
                    kind="press" if press else "text",
                    address=address,
                    sender=address.chat,
                    sent_at=self.now,
                    language="zh-hans",
                    text=words,
                    press=press,
                    press_ref="p" if press else "",
                    ref=str(self.count),
                )
            )
        )

    def press(self, chat: str, place: int) -> None:
        """Press one of the buttons that somebody saw last."""
        if shown := [each for each in self.buttons.get(chat, []) if each.token]:
            self.say(Address(channel="telegram", chat=chat), press=shown[place % len(shown)].token)

    def act(self, role: str, place: int, words: str, detail: int) -> None:
        """Let the member of the staff with a role do one of the things that are open to them now."""
        case, member = self.case, self.members[role]
        if case is None:
            return
        turn = Turn(self.book, self.scene, self, Batch(), self.now)
        offered = [(act, chosen) for act, chosen, _ in rights.offered(turn, case, member)]
        if not offered:
            return
        act, chosen = offered[place % len(offered)]
        own = rights.ACTS.get(act)
        options = [each for each, _ in own.options(turn, case, member)] if own and own.options else []
        values = {"text": words, "detail": chosen or (options[detail % len(options)] if options else "")}
        if self.serve(Act(staff_id=member.id, case_id=case.id, act=act, values=values)) is None:
            self.acted += 1

    def pass_time(self, gap: timedelta) -> None:
        """Let time pass; whatever falls due on the way happens at its moment."""
        until = self.now + gap
        for _ in range(2000):
            (subject, name), (due_at, conversation_id) = min(
                self.timers.items(), key=lambda timer: timer[1][0], default=((None, None), (until, None))
            )
            if subject is None or due_at > until:
                break
            self.now = max(self.now, due_at)
            self.scene.timers = {(subject, name): due_at}
            del self.timers[subject, name]
            refused = self.serve(Fire(subject=subject, name=name, due_at=due_at, conversation_id=conversation_id))
            assert refused is None, f"the timer {name} was refused: {refused}"
            self.scene.timers = {}
        else:
            raise AssertionError(f"timers without end: {sorted(self.timers)}")
        self.now = until

    @property
    def case(self) -> Case | None:
        """The case that was opened last and is open, else the last one."""
        cases = list(self.scene.cases.values())
        return next((case for case in reversed(cases) if case.open), cases[-1] if cases else None)
