"""Loading and writing: what was kept comes back, once, and nobody works on what another is changing."""

import random
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.case import Case, CaseFacts, CaseWords, ClockRun, Said, SurveyRun
from complaints.conversation import Consent, Conversation, Customer, EvidenceFile, Staff
from complaints.messages import (
    Address,
    Choice,
    Credit,
    Enclosure,
    Fetch,
    OutgoingMessage,
    PressAnswer,
    Revision,
)
from complaints.ports import Changes, Code, Priority, Timer
from storage import Again, Store, Want, purse
from tests.storage.building import HOUR, NOW, SECOND, again, chat, complain, event, execute, letter, load, new_case

# --- once ---


def test_a_key_recorded_three_times_in_parallel_is_fresh_once(store: Store) -> None:
    def record(_: int) -> set[str]:
        with store.unit(NOW) as unit:
            return unit.record(["telegram:1", "telegram:2"])

    with ThreadPoolExecutor(3) as pool:
        fresh = list(pool.map(record, range(3)))

    assert sorted(len(each) for each in fresh) == [0, 0, 2]


def test_a_key_is_not_served_when_its_unit_was_given_up(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        unit.record(["telegram:1"])
        raise ZeroDivisionError

    with store.unit(NOW) as unit:
        assert unit.record(["telegram:1", "", "telegram:1"]) == {"telegram:1"}


def test_more_keys_than_fit_one_statement_are_recorded(store: Store) -> None:
    keys = [f"telegram:{n}" for n in range(150)]

    with store.unit(NOW) as unit:
        assert unit.record(keys) == set(keys)
        assert unit.record(keys) == set()


# --- round trips ---

_fresh = count()
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
clocks = st.builds(
    ClockRun, started_at=moments, due_at=moments, told=st.integers(0, 300), paused_at=st.none() | moments,
    stopped_at=st.none() | moments,
)  # fmt: skip
facts = st.builds(
    CaseFacts,
    flags=st.lists(texts, max_size=3),
    grades=st.dictionaries(texts, texts, max_size=2),
    scores=st.dictionaries(texts, st.floats(0, 1), max_size=2),
    clocks=st.dictionaries(texts, clocks, max_size=3),
    surveys=st.lists(
        st.builds(SurveyRun, id=texts, cycle=st.integers(1, 9), due_at=moments, expires_at=moments), max_size=2
    ),
    rejections=st.integers(0, 9),
    complete=st.booleans(),
    resolved_at=st.none() | moments,
)
words = st.builds(
    CaseWords,
    said=st.lists(st.builds(Said, at=moments, text=texts, ref=texts), max_size=3),
    answers=st.dictionaries(texts, texts, max_size=3),
    decided_by=st.lists(texts, max_size=3),
    question=texts,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_case_comes_back_as_it_was_kept(store: Store, data: st.DataObject) -> None:
    name = f"{data.draw(texts)}{next(_fresh)}"
    case = complain(
        store,
        name,
        state=data.draw(plain),
        type=data.draw(plain),
        department=data.draw(plain),
        owner_id=data.draw(st.none() | st.integers(1, 2**62)),
        urgent=data.draw(st.booleans()),
        opened_at=data.draw(moments),
        facts=data.draw(facts),
        words=data.draw(words),
    )

    loaded = load(store, Want(address=chat(name)))

    assert loaded.cases[case.id] == case
    assert loaded.cases_of(case.conversation_id) == [case]
    assert isinstance(loaded.cases[case.id].urgent, bool)
    assert isinstance(loaded.by_address(chat(name)).reachable, bool)


def test_a_changed_conversation_and_customer_come_back_as_they_were_kept(store: Store) -> None:
    complain(store, "1")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat("1"))])
        conversation = loaded.by_address(chat("1"))
        assert conversation.customer_id is not None
        customer = loaded.customers[conversation.customer_id]
        conversation.make("ask_field")
        conversation.heard_at, conversation.reachable = NOW, False
        conversation.words.trail, conversation.words.recent = ["a", "b"], [1, 2]
        customer.profile.answers["phone"] = "13800000000"
        customer.consent = Consent(version="1", language="en", at=NOW, text_sha256="ab")
        unit.flush(Changes(conversations=[conversation], customers=[customer]))

    again_loaded = load(store, Want(conversation_id=conversation.id))

    assert again_loaded.conversations == {conversation.id: conversation}
    assert again_loaded.customers == {customer.id: customer}


def test_a_unit_may_be_flushed_twice(store: Store) -> None:
    case = complain(store, "1")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case.id)])
        mine = loaded.cases[case.id]
        for text in ("first", "second"):
            mine.words.question = text
            unit.flush(Changes(cases=[mine], events=[event(mine, "asked", text)]))

    assert load(store, Want(case_id=case.id)).cases[case.id] == mine
    assert not store.verify_journal().broken
    with store.read() as ledger:
        assert [each.words["text"] for each in ledger.journal(case.id)][-2:] == ["first", "second"]


def test_an_unknown_address_gets_a_conversation_at_its_first_word(store: Store) -> None:
    group = Address(channel="telegram", chat="-100", group=True)

    first = load(store, Want(address=chat("new")), Want(address=group), Want(address=chat("new")))
    second = load(store, Want(address=chat("new")))

    assert first.by_address(chat("new")) == second.by_address(chat("new"))
    assert first.by_address(chat("new")).words.chat == "new"
    assert first.by_address(group).channel == "telegram"
    assert len(first.conversations) == 2


def test_a_conversation_without_a_chat_can_be_kept(store: Store) -> None:
    phone = [Conversation(id=store.ids.next(), channel="phone") for _ in range(2)]
    with store.unit(NOW) as unit:
        unit.load([])
        unit.flush(Changes(conversations=phone))

    assert load(store, Want(conversation_id=phone[0].id)).conversations == {phone[0].id: phone[0]}


def test_a_moved_chat_is_found_at_its_new_place(store: Store) -> None:
    case = complain(store, "old")
    with store.unit(NOW) as unit:
        conversation = unit.load([Want(address=chat("old"))]).by_address(chat("old"))
        conversation.words.chat = "new"
        unit.flush(Changes(conversations=[conversation]))

    assert load(store, Want(address=chat("new"))).by_address(chat("new")).id == case.conversation_id
    assert load(store, Want(address=chat("old"))).by_address(chat("old")).id != case.conversation_id


def test_only_active_cases_are_loaded_and_any_wanted_one(store: Store) -> None:
    first, second = complain(store, "1"), complain(store, "1")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat("1"))])
        assert [each.id for each in loaded.cases_of(first.conversation_id)] == [first.id, second.id]
        loaded.cases[first.id].active = loaded.cases[first.id].open = False
        unit.flush(Changes(cases=[loaded.cases[first.id]]))

    assert load(store, Want(address=chat("1"))).cases.keys() == {second.id}
    wanted = load(store, Want(case_id=first.id))
    assert wanted.cases.keys() == {first.id, second.id}
    assert wanted.conversations.keys() == {first.conversation_id}
    assert [each.id for each in wanted.cases_of(first.conversation_id)] == [second.id]


def test_what_one_command_changed_is_seen_by_the_next_of_the_batch(store: Store) -> None:
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat("1"))])
        conversation = loaded.by_address(chat("1"))
        customer_id = store.ids.next()
        customer = Customer(id=customer_id, key=store.ids.data_key(customer_id))
        case = new_case(store, conversation, customer_id)
        loaded.absorb(Changes(customers=[customer], cases=[case]))

        assert loaded.cases_of(conversation.id) == [case]
        assert loaded.customers[customer_id] is customer


def test_a_member_of_the_staff_brings_the_chat_they_write_from(store: Store) -> None:
    with store.unit(NOW) as unit:
        conversation = unit.load([Want(address=chat("agent"))]).by_address(chat("agent"))
        member = Staff(id=store.ids.next(), name="Li", roles=["agent", "head"], conversation_id=conversation.id)
        conversation.staff_id = member.id
        unit.flush(Changes(staff=[member], conversations=[conversation]))

    found = load(store).staff[member.id]

    assert (found.channel, found.chat, found.roles) == ("telegram", "agent", ["agent", "head"])


def test_a_staff_conversation_brings_the_customer_whose_case_it_is_about(store: Store) -> None:
    case = complain(store, "customer")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat("agent"))])
        loaded.by_address(chat("agent")).case_id = case.id
        unit.flush(Changes(conversations=[loaded.by_address(chat("agent"))]))

    loaded = load(store, Want(address=chat("agent")))

    assert loaded.conversations.keys() == {loaded.by_address(chat("agent")).id, case.conversation_id}
    assert loaded.cases[case.id] == case


def test_two_chats_cannot_bind_to_one_member_of_the_staff(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    member = Staff(id=one.ids.next(), name="Li", roles=["agent"], code_hash="abc")
    with one.unit(NOW) as unit:
        unit.load([])
        unit.flush(Changes(staff=[member]))
    stale = load(other).staff[member.id]
    with one.unit(NOW) as unit:
        mine = unit.load([]).staff[member.id]
        mine.code_hash, mine.conversation_id = "", 1
        unit.flush(Changes(staff=[mine]))

    with pytest.raises(Again), other.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        loaded = unit.load([])
        assert loaded.staff[member.id] == stale  # within two seconds, for who is no stranger
        loaded.staff[member.id].conversation_id = 2
        unit.flush(Changes(staff=[loaded.staff[member.id]]))
    assert load(other).staff[member.id].conversation_id == 1


def test_timers_are_set_moved_and_cancelled_and_gone_when_looked_at_again(store: Store) -> None:
    def change(*timers: Timer) -> None:
        with store.unit(NOW) as unit:
            unit.load([])
            unit.flush(Changes(timers=list(timers)))

    def timer(name: str, due_at: datetime | None) -> Timer:
        return Timer(subject="case:1", name=name, conversation_id=1, due_at=due_at)

    change(timer("a", NOW + HOUR), timer("b", NOW), timer("b", NOW + SECOND), timer("c", NOW))
    change(timer("a", NOW + 2 * HOUR), timer("c", None), timer("never", None))

    assert store.next_timer_at() == NOW + SECOND
    assert store.due_timers(NOW, 10) == []
    assert [(each.name, each.due_at) for each in store.due_timers(NOW + 3 * HOUR, 10)] == [
        ("b", NOW + SECOND), ("a", NOW + 2 * HOUR),
    ]  # fmt: skip
    assert len(store.due_timers(NOW + 3 * HOUR, 1)) == 1
    assert load(store, Want(timer=("case:1", "a")), Want(timer=("case:1", "c"))).timers == {
        ("case:1", "a"): NOW + 2 * HOUR
    }


def test_evidence_is_kept_and_changed_also_when_its_case_is_closed(store: Store) -> None:
    case = complain(store, "1")
    file = EvidenceFile(
        id=store.ids.next(), case_id=case.id, conversation_id=case.conversation_id, kind="photo", at=NOW,
        words={"name": "leak.jpg"},
    )  # fmt: skip
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case.id)])
        loaded.cases[case.id].active = False
        unit.flush(Changes(evidence=[file], cases=[loaded.cases[case.id]]))
    with store.unit(NOW) as unit:
        unit.load([Want(conversation_id=case.conversation_id)])
        mine = unit.ledger.evidence(file.id)
        assert mine == file
        mine.state, mine.sha256, mine.size, mine.path = "kept", "ab", 7, "x"
        unit.flush(Changes(evidence=[mine]))

    with store.read() as ledger:
        assert ledger.evidence_of(case.id) == [mine]
        assert ledger.evidence(1) is None


def test_letters_come_back_with_any_body(store: Store) -> None:
    bodies = [
        Fetch(evidence_id=3, ref="r"),
        PressAnswer(ref="p", text="done", alert=True),
        Revision(ref="m", text="somebody did it"),
        Enclosure(kind="voice", ref="", caption="c", evidence_id=2**62, mime="audio/amr"),
        OutgoingMessage(
            text="which?",
            choices=((Choice(label="this", token="q:1", number=1), Choice(label="page", url="https://x.example")),),
            reply_to="7",
            hint="type its number",
            about="T26-00001",
        ),
    ]
    letters = [
        letter(store, str(n), priority=Priority.ERRAND, conversation_id=5, case_id=6, card=n % 2 == 0)
        for n in range(len(bodies))
    ]
    for each, body in zip(letters, bodies, strict=True):
        each.body = body
    with store.unit(NOW) as unit:
        assert unit.flush(Changes(letters=letters)) == letters

    claimed = store.claim("telegram", NOW + 40 * SECOND, 10)

    assert [each.body for each in claimed] == bodies
    for each, sent in zip(claimed, letters, strict=True):
        assert (each.address, each.case_id, each.card) == (sent.address, 6, sent.card)


def test_an_event_of_a_case_that_was_not_loaded_is_a_mistake(store: Store) -> None:
    case = complain(store, "1")

    with pytest.raises(LookupError), store.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        unit.load([])
        unit.flush(Changes(events=[event(case)]))


# --- the ledger ---


def test_the_ledger_finds_cases(store: Store) -> None:
    late, soon = complain(store, "1", department="sales"), complain(store, "2", department="quality")
    closed, third = complain(store, "1", department="sales"), complain(store, "1")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=each.id) for each in (late, soon, closed)])
        loaded.cases[late.id].facts.clocks["reply"].due_at = NOW + 5 * HOUR
        loaded.cases[closed.id].open = False
        loaded.cases[soon.id].facts.clocks["reply"].due_at = NOW
        unit.flush(Changes(cases=list(loaded.cases.values())))

    with store.read() as ledger:
        assert [each.id for each in ledger.open_cases(None, 10)] == [soon.id, third.id, late.id]
        assert [each.id for each in ledger.open_cases(None, 1)] == [soon.id]
        assert [each.id for each in ledger.open_cases(["sales"], 10)] == [late.id]
        assert [each.id for each in ledger.open_cases(["x", "quality", "sales"], 10)] == [soon.id, late.id]
        assert ledger.open_cases([], 10) == []
        assert [each.id for each in ledger.cases_of(late.conversation_id, 2)] == [third.id, closed.id]
        found = ledger.case_by_number(soon.number)
        assert found is not None
        assert found.id == soon.id
        assert ledger.case_by_number("nothing") is None
        assert ledger.case(1) is None
        assert ledger.conversation(1) is None
        assert ledger.customer(soon.customer_id) is not None
        conversation = ledger.conversation(soon.conversation_id)
        assert conversation is not None
        assert conversation.words.kept == "it broke"


def test_a_case_without_a_running_clock_comes_last(store: Store) -> None:
    idle, running = complain(store, "1"), complain(store, "2")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=idle.id)])
        loaded.cases[idle.id].facts.clocks["reply"].paused_at = NOW
        unit.flush(Changes(cases=[loaded.cases[idle.id]]))

    with store.read() as ledger:
        assert [each.id for each in ledger.open_cases(None, 10)] == [running.id, idle.id]


def test_in_a_unit_the_ledger_gives_the_loaded_case(store: Store) -> None:
    case = complain(store, "1")
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case.id)])
        loaded.cases[case.id].state = "changed"

        assert unit.ledger.case_by_number(case.number) is loaded.cases[case.id]


# --- locks ---


def test_who_comes_second_sees_what_the_first_wrote(store: Store) -> None:
    case = complain(store, "1")
    first_has_it, finished = threading.Event(), []

    def first() -> None:
        with store.unit(NOW) as unit:
            mine = unit.load([Want(address=chat("1"))]).cases[case.id]
            first_has_it.set()
            second_thread.join(0.3)
            mine.state = "first"
            finished.append("first")
            unit.flush(Changes(cases=[mine], events=[event(mine, "moved")]))

    def second() -> None:
        first_has_it.wait()
        with store.unit(NOW) as unit:
            seen = unit.load([Want(case_id=case.id)])
            finished.append(seen.cases[case.id].state)

    second_thread = threading.Thread(target=second)
    first_thread = threading.Thread(target=first)
    second_thread.start()
    first_thread.start()
    first_thread.join()
    second_thread.join()

    assert finished == ["first", "first"]


def test_a_customer_made_by_the_first_is_complete_for_the_second(store: Store) -> None:
    """On PostgreSQL a join of the locking statement would show the customer as it was before the wait."""
    load(store, Want(address=chat("1")))
    first_has_it, seen = threading.Event(), []

    def second() -> None:
        first_has_it.wait()
        loaded = load(store, Want(address=chat("1")))
        seen.append(
            (loaded.by_address(chat("1")).customer_id, [each.profile.answers for each in loaded.customers.values()])
        )

    thread = threading.Thread(target=second)
    thread.start()
    with store.unit(NOW) as unit:
        conversation = unit.load([Want(address=chat("1"))]).by_address(chat("1"))
        first_has_it.set()
        thread.join(0.3)
        customer_id = conversation.customer_id = store.ids.next()
        customer = Customer(id=customer_id, key=store.ids.data_key(customer_id))
        customer.profile.answers["name"] = "Wang"
        unit.flush(Changes(customers=[customer], conversations=[conversation]))
    thread.join()

    assert seen == [(customer_id, [{"name": "Wang"}])]


def test_crossing_batches_neither_deadlock_nor_lose_a_change(store: Store) -> None:
    cases = [complain(store, f"c{n}") for n in range(8)]
    done = [0, 0]

    def work(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(200):
            chosen = choose.sample(cases, choose.randint(1, 5))
            addresses = [chat(f"c{cases.index(each)}") for each in chosen] + [chat(f"new{choose.randint(0, 40)}")]
            choose.shuffle(addresses)

            def unit_of_work(addresses: list[Address] = addresses, chosen: list[Case] = chosen) -> None:
                with store.unit(NOW) as unit:
                    loaded = unit.load([Want(address=each) for each in addresses])
                    mine = [loaded.cases[each.id] for each in chosen]
                    for each in mine:
                        each.facts.chasers += 1
                    unit.flush(Changes(cases=mine, events=[event(each) for each in mine]))

            again(unit_of_work)
            done[seed] += len(chosen)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    loaded = load(store, *(Want(case_id=each.id) for each in cases))
    assert sum(each.facts.chasers for each in loaded.cases.values()) == sum(done)
    assert sum(each.seq for each in loaded.cases.values()) == sum(done) + 2 * len(cases)
    assert not store.verify_journal().broken


def test_a_conversation_that_turned_to_another_case_is_loaded_anew(
    postgres_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(postgres_url)
    case, other = complain(store, "a"), complain(store, "b")
    agent = load(store, Want(address=chat("agent"))).by_address(chat("agent"))
    execute(postgres_url, "UPDATE conversation SET case_id = :case WHERE id = :id", case=case.id, id=agent.id)
    waiting, outcome = threading.Event(), []

    def second() -> None:
        waiting.wait()
        try:
            load(store, Want(address=chat("agent")))
        except Again:
            outcome.append("again")
        outcome.append(again(lambda: load(store, Want(address=chat("agent")))).cases.keys())

    thread = threading.Thread(target=second)
    thread.start()
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat("agent"))])
        waiting.set()
        thread.join(0.4)
        loaded.by_address(chat("agent")).case_id = other.id
        unit.flush(Changes(conversations=[loaded.by_address(chat("agent"))]))
    thread.join()

    assert outcome == ["again", {other.id}]


def test_on_sqlite_a_reader_sees_the_old_state_while_another_writes(
    sqlite_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(sqlite_url)
    case = complain(store, "1")
    with store.unit(NOW) as unit:
        mine = unit.load([Want(case_id=case.id)]).cases[case.id]
        mine.state = "new"
        unit.flush(Changes(cases=[mine]))
        with store.read() as ledger:
            seen = ledger.case(case.id)
            assert seen is not None
            assert seen.state == "registered"

    with store.read() as ledger:
        seen = ledger.case(case.id)
        assert seen is not None
        assert seen.state == "new"


def test_every_statement_of_the_hot_path_uses_an_index(sqlite_url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(sqlite_url)
    statements: list[str] = []
    path = sqlite_url.removeprefix("sqlite:///")
    case = complain(store, "1")
    driver = sqlite3.connect(path)
    with store.unit(NOW) as unit:
        raw = unit._connection.connection.driver_connection
        raw.set_trace_callback(statements.append)
        unit.record(["a", "b"])
        unit.load(
            [
                Want(address=chat("1"), case_id=case.id, timer=("case:1", "x"), parked=True, code="12345678"),
                Want(conversation_id=case.conversation_id),
                Want(case_id=1),
            ]
        )
        unit.flush(
            Changes(
                letters=[letter(store, "1")],
                events=[event(case)],
                credits=[(chat("1"), Credit(name="message", count=5, seconds=60, adds=True))],
                codes=[Code(code="12345678", conversation_id=case.conversation_id, until=NOW)],
                told=[1],
                retired=[1],
            )
        )
        purse.spend(unit._connection, "someone", ["message", "menu"], 1, 0)
        unit.ledger.open_cases(None, 5)
        unit.ledger.open_cases(["sales", "quality"], 5)
        unit.ledger.cases_of(case.conversation_id, 5)
        unit.ledger.evidence_of(case.id)
        unit.ledger.cards_of(case.id)
        unit.ledger.owned(5)
        raw.set_trace_callback(None)
    with store._read.connect() as connection:
        raw = connection.connection.driver_connection
        raw.set_trace_callback(statements.append)
    store.due_timers(NOW, 5)
    store.next_timer_at()
    with store._write.connect() as connection:
        connection.connection.driver_connection.set_trace_callback(statements.append)
    store.claim("telegram", NOW + timedelta(minutes=2), 5, fold=True)
    store.shared("token", NOW)
    store.unserved(NOW, 5)

    asked = [each for each in statements if each.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
    plans = {each: [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {each}")] for each in asked}
    driver.close()

    assert len(plans) > 10
    scans = {
        each: plan
        for each, plan in plans.items()
        if any(
            step.startswith("SCAN") and "INDEX" not in step and step not in ("SCAN due", "SCAN live") for step in plan
        )
    }
    assert {each for each in scans if "FROM staff" not in each and "SCAN CONSTANT ROW" not in str(scans[each])} == set()
