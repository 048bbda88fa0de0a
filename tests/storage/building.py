"""What the tests of storage put into it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy import text as sql_text

from complaints.case import Case, ClockRun
from complaints.commands import Hear
from complaints.conversation import Conversation, Customer
from complaints.events import Event
from complaints.messages import Address, IncomingMessage, OutgoingMessage
from complaints.ports import Changes, Letter, Priority
from storage import Again, Loaded, Store, Want

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_numbers = count(1)


def chat(name: str) -> Address:
    return Address(channel="telegram", chat=name)


def hear(name: str, key: str, words: str = "it broke") -> Hear:
    return Hear(message=IncomingMessage(key=key, kind="text", address=chat(name), sender=name, sent_at=NOW, text=words))


def letter(store: Store, name: str, words: str = "good day", **changed: Any) -> Letter:
    values: dict[str, Any] = {"priority": Priority.ANSWER, "due_at": NOW} | changed
    return Letter(id=store.ids.next(), address=chat(name), body=OutgoingMessage(text=words), **values)


def event(case: Case, name: str = "said", words: str = "it broke", **facts: Any) -> Event:
    return Event(case_id=case.id, name=name, at=NOW, actor="customer", facts=facts, words={"text": words})


def new_case(store: Store, conversation: Conversation, customer_id: int, **changed: Any) -> Case:
    values: dict[str, Any] = {"policy": "v1", "channel": "telegram", "opened_at": NOW, "state": "registered"} | changed
    case = Case(
        id=store.ids.next(),
        number=f"T26-{next(_numbers):05}",
        conversation_id=conversation.id,
        customer_id=customer_id,
        **values,
    )
    case.facts.clocks["reply"] = ClockRun(started_at=NOW, due_at=NOW + HOUR)
    return case


def complain(store: Store, name: str, text: str = "it broke", **changed: Any) -> Case:
    """Let somebody complain for the first time; return the case."""
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat(name))])
        conversation = loaded.by_address(chat(name))
        customers = []
        if conversation.customer_id is None:
            customer_id = store.ids.next()
            customers.append(Customer(id=customer_id, key=store.ids.data_key(customer_id)))
            conversation.customer_id = customer_id
        assert conversation.customer_id is not None
        case = new_case(store, conversation, conversation.customer_id, **changed)
        conversation.case_id = case.id
        conversation.words.kept = text
        case.words.answers.setdefault("what", text)
        unit.flush(
            Changes(
                customers=customers,
                conversations=[conversation],
                cases=[case],
                events=[event(case, "opened", text), event(case, "said", text, length=len(text))],
            )
        )
    return case


def load(store: Store, *wants: Want) -> Loaded:
    with store.unit(NOW) as unit:
        return unit.load(wants)


def post(store: Store, *letters: Letter, now: datetime = NOW) -> list[Letter]:
    with store.unit(now) as unit:
        return unit.flush(Changes(letters=list(letters)))


def again(work: Any) -> Any:
    """Do a piece of work again as long as storage asks for it."""
    while True:
        try:
            return work()
        except Again:
            continue


def execute(url: str, sql: str, **values: Any) -> list[Any]:
    """Do behind the store's back what an intruder or an administrator would do."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(sql_text(sql), values)
            return list(result) if result.returns_rows else []
    finally:
        engine.dispose()


def words_of(message: Letter) -> str:
    assert isinstance(message.body, OutgoingMessage)
    return message.body.text
