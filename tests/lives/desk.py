"""A desk with a member of the staff for each role, who do whatever they are offered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from complaints.case import Case
from complaints.commands import Act
from complaints.conversation import Conversation, Staff
from complaints.errors import PlaintError
from complaints.messages import Address, OutgoingMessage
from handlers import rights
from handlers.turn import Batch, Turn
from tests.memory import Memory


@dataclass
class Desk(Memory):
    """One customer, one member of the staff for each role, and the buttons that everybody saw last."""

    now: datetime = datetime(2026, 9, 28, 2, 15, tzinfo=UTC)
    buttons: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.members: dict[str, Staff] = {}
        for number, role in enumerate(self.book.current.routing.roles):
            chat = Conversation(id=self.book.ids.next(), channel="telegram")
            member = Staff(id=self.book.ids.next(), name=role.id, roles=[role.id], conversation_id=chat.id,
                           chat=str(6000001 + number), channel="telegram")  # fmt: skip
            chat.staff_id, chat.words.chat = member.id, member.chat
            self.members[role.id] = self.scene.staff[member.id] = member
            self.take(chat, Address(channel="telegram", chat=member.chat))

    def serve(self, command) -> Turn:
        turn = super().serve(command)
        for letter in self.letters:
            if isinstance(letter.body, OutgoingMessage) and letter.body.choices:
                self.buttons[letter.address.chat] = [each for row in letter.body.choices for each in row]
        return turn

    def tried(self, what: Callable[[], object]) -> None:
        """Let somebody try something: where it is refused, nothing may have been changed."""
        before, refused = self.dump(), None
        try:
            what()
        except PlaintError as error:
            refused = error
        assert refused is None or self.dump() == before, f"refused ({refused.key}), and something was changed"

    def dump(self) -> list[str]:
        """Return everything about all cases, to compare."""
        return [
            f"{case.id} {case.state} {case.type} {case.department} {case.owner_id} {case.open} {case.active} {case.cycle}"
            f"{case.facts.model_dump_json()}{case.words.model_dump_json()}"
            for case in self.scene.cases.values()
        ]

    def say(self, words: str) -> None:
        """Let the customer write."""
        self.tried(lambda: self.hear(words))

    def press(self, chat: str, place: int) -> None:
        """Press one of the buttons that somebody saw last."""
        if shown := [each for each in self.buttons.get(chat, []) if each.token]:
            token = shown[place % len(shown)].token
            self.tried(lambda: self.hear(address=Address(channel="telegram", chat=chat), press=token))

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
        self.tried(lambda: self.serve(Act(staff_id=member.id, case_id=case.id, act=act, values=values)))

    def pass_time(self, gap: timedelta) -> None:
        """Let time pass; whatever falls due on the way happens at its moment, and is never refused."""
        until = self.now + gap
        for _ in range(2000):
            if not self.fire(until):
                break
        else:
            raise AssertionError(f"timers without end: {sorted(self.timers)}")
        self.now = until

    @property
    def case(self) -> Case | None:
        """The case that was opened last and is open, else the last one."""
        cases = list(self.scene.cases.values())
        return next((case for case in reversed(cases) if case.open), cases[-1] if cases else None)
