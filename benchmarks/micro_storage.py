"""What one command costs in storage: `python -m benchmarks.micro_storage [URL] [--profile]`.

Twenty conversations speak in turn. Each command changes its conversation and its case, writes one or two lines of the
journal with words, posts a letter and settles the one before; every tenth opens a new conversation with customer and
case, every fifth sets a timer. Printed per command: CPU of this process and wall time, in microseconds.
"""

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from complaints.case import Case, ClockRun, Said
from complaints.conversation import Customer
from complaints.events import Event
from complaints.messages import Address, Choice, OutgoingMessage
from complaints.ports import Changes, Letter, Priority, Timer
from storage import KeyRing, Loaded, Settled, Store, Unit, Want
from storage.migrations import migrate

_START = datetime(2026, 11, 21, 9, tzinfo=UTC)
_TEXT = "The mattress sags on the left side after three weeks, and nobody has answered my letters since the tenth."
_CHATS = 20


class Desk:
    """Plays commands against a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = _START
        self.count = 0
        self.handling = 0.0  # CPU seconds of the commands themselves, which are not storage
        self._sent: list[Settled] = []

    def batch(self, size: int) -> None:
        """Serve one batch of commands in one commit."""
        self.now += timedelta(milliseconds=20)
        numbers = range(self.count, self.count + size)
        self.count += size
        chats = [f"new{n}" if n % 10 == 9 else f"chat{n % _CHATS}" for n in numbers]
        addresses = [Address(channel="telegram", chat=chat) for chat in chats]
        with self.store.unit(self.now) as unit:
            unit.record([f"telegram:{n}" for n in numbers])
            loaded = unit.load([Want(address=address) for address in addresses])
            changes = Changes()
            began = time.thread_time()
            for n, address in zip(numbers, addresses, strict=True):
                self._command(n, address, loaded, unit, changes)
            self.handling += time.thread_time() - began
            direct = unit.flush(changes)
            unit.settle(self._sent)
        self._sent = [Settled(letter=letter, outcome="sent") for letter in direct]

    def _command(self, n: int, address: Address, loaded: Loaded, unit: Unit, changes: Changes) -> None:
        conversation = loaded.by_address(address)
        cases = loaded.cases_of(conversation.id)
        if cases:
            case = cases[0]
        else:
            case = self._opened(conversation.id, changes)
            loaded.add_case(case)
            conversation.customer_id, conversation.case_id = case.customer_id, case.id
        conversation.make("ask_field")
        conversation.words.field, conversation.words.trail = "order_no", ["product", "bought_on"]
        conversation.heard_at = self.now
        case.words.answers["order_no"] = f"A-{n}"
        case.words.said = [*case.words.said, Said(at=self.now, text=_TEXT, ref=str(n))][-5:]
        changes.conversations.append(conversation)
        changes.cases.append(case)
        said = {"text": _TEXT, "ref": str(n)}
        changes.events.append(Event(case_id=case.id, name="said", at=self.now, actor="customer", words=said))
        if n % 2:
            answer = {"field": "order_no", "value": f"A-{n}"}
            changes.events.append(
                Event(
                    case_id=case.id,
                    name="answered",
                    at=self.now,
                    actor="customer",
                    clause="form.order_no",
                    words=answer,
                )
            )
        if n % 5 == 0:
            due_at = self.now + timedelta(hours=1)
            timer = Timer(subject=f"case:{case.id}", name="nudge", conversation_id=conversation.id, due_at=due_at)
            changes.timers.append(timer)
        body = OutgoingMessage(text=_TEXT, choices=((Choice(label="Back", token="back:7"),),))  # a button's
        changes.letters.append(
            Letter(
                id=self.store.ids.next(),
                address=address,
                body=body,
                priority=Priority.ANSWER,
                due_at=self.now,
                conversation_id=conversation.id,
                case_id=case.id,
            )
        )

    def _opened(self, conversation_id: int, changes: Changes) -> Case:
        ids = self.store.ids
        customer_id = ids.next()
        customer = Customer(id=customer_id, key=ids.data_key(customer_id))
        customer.profile.answers = {"name": "Somebody", "phone": "13800000000"}
        case = Case(
            id=ids.next(),
            number=f"B26-{ids.number(2026):06}",
            conversation_id=conversation_id,
            customer_id=customer_id,
            policy="3f2a",
            channel="telegram",
            opened_at=self.now,
            state="registered",
            type="quality",
            department="after_sales",
        )
        for place, clock in enumerate(("first_reply", "solution", "closing"), start=1):
            due_at = self.now + timedelta(hours=4 * place)
            case.facts.clocks[clock] = ClockRun(started_at=self.now, due_at=due_at)
        changes.customers.append(customer)
        return case


def measure(desk: Desk, size: int, seconds: float) -> Iterator[tuple[float, float, int]]:
    """Yield (CPU, wall, commands) of rounds of half a second, times in microseconds per command."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        count, wall = desk.count, time.perf_counter()
        cpu = time.thread_time() - desk.handling
        while time.perf_counter() < wall + 0.5:
            desk.batch(size)
        done = desk.count - count
        yield (time.thread_time() - desk.handling - cpu) / done * 1e6, (time.perf_counter() - wall) / done * 1e6, done


def main(url: str, *, profile: bool) -> None:
    """Measure batches of 20 and of one; print the best round, the median, and how many commands it was."""
    migrate(url)
    store = Store.open(url, ring=KeyRing.generate(), node="bench", exclusive=True)
    desk = Desk(store)
    for _ in range(30):
        desk.batch(20)
    for size in (20, 1):
        rounds = sorted(measure(desk, size, 3.0))
        middle = rounds[len(rounds) // 2]
        print(
            f"batch of {size:2}: CPU {rounds[0][0]:6.0f} best, {middle[0]:6.0f} median;"
            f" wall {min(each[1] for each in rounds):6.0f} best; {sum(each[2] for each in rounds)} commands"
        )
    if profile:
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(200):
            desk.batch(20)
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    store.close()


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--profile"]
    with tempfile.TemporaryDirectory() as folder:
        default = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        main(arguments[0] if arguments else default, profile="--profile" in sys.argv)
