"""Joining: one person's chats are one conversation from then on, whoever writes, fires or erases meanwhile."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from complaints.case import Case
from complaints.conversation import Conversation, Customer, EvidenceFile, Place
from complaints.messages import Address
from complaints.ports import Changes, Code, Join, Priority, Timer
from storage import Again, Loaded, Settled, Store, Want
from tests.storage.building import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    again,
    chat,
    complain,
    event,
    execute,
    hear,
    letter,
    load,
    new_case,
    post,
    words_of,
)

OLD, NEW = chat("old"), Address(channel="wechat", chat="new")


def issue(store: Store, address: Address = OLD, code: str = "12345678", minutes: int = 10) -> int:
    with store.unit(NOW) as unit:
        id_ = unit.load([Want(address=address)]).by_address(address).id
        unit.flush(Changes(codes=[Code(code=code, conversation_id=id_, until=NOW + timedelta(minutes=minutes))]))
    return id_


def complain_at(store: Store, address: Address) -> Case:
    """Let somebody complain for the first time, or once more."""
    with store.unit(NOW) as unit:
        conversation = unit.load([Want(address=address)]).by_address(address)
        customers = []
        if conversation.customer_id is None:
            id_ = conversation.customer_id = store.ids.next()
            customers = [Customer(id=id_, key=store.ids.data_key(id_))]
        case = new_case(store, conversation, conversation.customer_id)
        case.words.question = "secret"
        unit.flush(
            Changes(customers=customers, conversations=[conversation], cases=[case], events=[event(case, "opened")])
        )
    return case


def join(store: Store, code: str = "12345678", address: Address = NEW) -> tuple[int, int]:
    """Join the chat at this address to the one that issued the code; return source and target."""
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=address, code=code)])
        newer, older = loaded.by_address(address), loaded.by_code(code)
        assert older is not None
        places = older.words.places or [Place(channel=older.channel, chat=older.words.chat)]
        older.words.places = [*places, Place(channel=address.channel, chat=address.chat)]
        older.channel, older.words.chat = address.channel, address.chat  # they are told where they speak
        unit.flush(Changes(conversations=[older, newer], joins=[Join(source=newer.id, target=older.id, code=code)]))
    return newer.id, older.id


def at(store: Store, address: Address) -> Conversation:
    return load(store, Want(address=address)).by_address(address)


# --- codes ---


def test_a_code_leads_to_the_conversation_that_issued_it_and_locks_it_too(store: Store) -> None:
    case = complain_at(store, OLD)
    id_ = issue(store)

    loaded = load(store, Want(address=NEW, code="12345678"), Want(address=chat("other"), code="00000000"))

    older = loaded.by_code("12345678")
    assert older is not None
    assert older.id == id_
    assert loaded.conversations[id_] is older
    assert loaded.cases[case.id] == case
    assert loaded.by_code("00000000") is None
    assert load(store, Want(address=NEW)).by_code("12345678") is None  # it was not wanted


def test_a_code_holds_until_its_moment(store: Store) -> None:
    issue(store, minutes=10)

    for now, holds in ((NOW + 10 * MINUTE - SECOND, True), (NOW + 10 * MINUTE, False)):
        with store.unit(now) as unit:
            found = unit.load([Want(address=NEW, code="12345678")]).by_code("12345678")
            assert (found is not None) is holds


def test_a_conversation_has_one_code_at_a_time(url: str, store: Store) -> None:
    issue(store, code="11111111")
    issue(store, code="22222222")
    issue(store, chat("other"), code="33333333")

    loaded = load(store, *(Want(address=NEW, code=each * 8) for each in "123"))

    assert [loaded.by_code(each * 8) is not None for each in "123"] == [False, True, True]
    assert execute(url, "SELECT count(*) FROM code") == [(2,)]


def test_a_code_is_used_once(store: Store) -> None:
    issue(store)
    join(store)

    third = chat("third")
    assert load(store, Want(address=third, code="12345678")).by_code("12345678") is None


def test_a_code_used_while_another_one_waits_with_it_is_nobody_s_then(store: Store) -> None:
    issue(store)
    load(store, Want(address=NEW), Want(address=chat("third")))
    waiting, found = threading.Event(), []

    def second() -> None:
        waiting.wait()
        loaded = again(lambda: load(store, Want(address=chat("third"), code="12345678")))
        found.append(loaded.by_code("12345678"))

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=NEW, code="12345678")])
        waiting.set()
        thread.join(0.3)
        older = loaded.by_code("12345678")
        assert older is not None
        unit.flush(Changes(joins=[Join(source=loaded.by_address(NEW).id, target=older.id, code="12345678")]))
    thread.join()

    assert found == [None]


def test_the_database_does_not_hold_a_code(url: str, store: Store) -> None:
    issue(store)

    ((digest,),) = execute(url, "SELECT digest FROM code")
    assert "12345678" not in digest
    assert digest == store._vault.digest("12345678")
    assert len(digest) == 32


def test_codes_have_eight_digits_and_differ(store: Store) -> None:
    codes = {store.ids.code() for _ in range(100)}

    assert len(codes) > 95
    assert all(len(each) == 8 and each.isascii() and each.isdigit() for each in codes)


def test_codes_that_ran_out_are_purged(url: str, store: Store) -> None:
    issue(store, minutes=10)
    issue(store, chat("other"), code="22222222", minutes=11)

    store.purge(NOW + 10 * MINUTE)

    assert execute(url, "SELECT digest FROM code") == [(store._vault.digest("22222222"),)]


# --- joining ---


def test_a_join_moves_everything_and_both_addresses_lead_to_one_conversation(url: str, store: Store) -> None:
    old_case, new_case_ = complain_at(store, OLD), complain_at(store, NEW)
    closed = complain_at(store, NEW)
    source = new_case_.conversation_id
    file = EvidenceFile(id=store.ids.next(), case_id=closed.id, conversation_id=source, kind="photo", at=NOW)
    letters = [
        letter(store, "new", state, conversation_id=source, case_id=new_case_.id, due_at=NOW + HOUR)
        for state in ("waiting", "parked", "dead")
    ]
    timer = Timer(subject=f"case:{new_case_.id}", name="reply", conversation_id=source, due_at=NOW + HOUR)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=closed.id)])
        loaded.cases[closed.id].active = loaded.cases[closed.id].open = False
        unit.flush(Changes(cases=[loaded.cases[closed.id]], evidence=[file], letters=letters, timers=[timer]))
        unit.settle([Settled(letter=each, outcome=words_of(each)) for each in letters[1:]])  # type: ignore[arg-type] # its words say so
    issue(store)

    assert join(store) == (source, old_case.conversation_id)

    loaded = load(store, Want(address=OLD), Want(address=NEW, parked=True))
    assert loaded.by_address(OLD) is loaded.by_address(NEW)
    target = loaded.by_address(NEW).id
    assert target == old_case.conversation_id
    assert [each.id for each in loaded.cases_of(target)] == [old_case.id, new_case_.id]
    assert [each.words.question for each in loaded.cases_of(target)] == ["secret", "secret"]
    assert loaded.cases[new_case_.id].conversation_id == target
    assert loaded.customers.keys() == {old_case.customer_id, new_case_.customer_id}
    assert [words_of(each) for each in loaded.parked(target)] == ["parked"]
    with store.read() as ledger:
        assert [each.id for each in ledger.cases_of(target, 9)] == [closed.id, new_case_.id, old_case.id]
        assert ledger.cases_of(source, 9) == []
        assert [each.conversation_id for each in ledger.evidence_of(closed.id)] == [target]
        through = ledger.conversation(source)
        assert through is not None
        assert through.id == target
    for table in ("complaint_case", "timer", "outbox", "evidence"):
        assert execute(url, f"SELECT DISTINCT conversation_id FROM {table}") == [(target,)]
    assert [each.conversation_id for each in store.due_timers(NOW + HOUR, 9)] == [target]
    assert not store.verify_journal().broken


def test_what_one_says_in_either_chat_is_one_dialogue(url: str, store: Store) -> None:
    complain_at(store, OLD)
    issue(store)
    _, target = join(store)
    for address in (OLD, NEW, OLD, OLD, NEW):
        with store.unit(NOW) as unit:
            conversation = unit.load([Want(address=address)]).by_address(address)
            conversation.make("ask_field")
            conversation.channel, conversation.words.chat = address.channel, address.chat
            unit.flush(Changes(conversations=[conversation]))
        with store.unit(NOW) as unit:  # and from outside a chat
            conversation = unit.load([Want(conversation_id=target)]).conversations[target]
            conversation.make("ask_field")
            unit.flush(Changes(conversations=[conversation]))
        assert (conversation.channel, conversation.words.chat) == (address.channel, address.chat)

    assert at(store, OLD) == at(store, NEW) == conversation
    assert conversation.turn == 10
    assert execute(url, "SELECT count(*) FROM conversation") == [(2,)]


def test_a_person_whose_words_were_erased_is_told_in_the_chat_they_write_from(store: Store) -> None:
    complain_at(store, OLD)
    issue(store)
    join(store)
    for address in (NEW, OLD):
        with store.unit(NOW) as unit:
            conversation = unit.load([Want(address=address)]).by_address(address)
            conversation.words = type(conversation.words)()
            unit.flush(Changes(conversations=[conversation]))

        with store.unit(NOW) as unit:
            conversation = unit.load([Want(address=address)]).by_address(address)
            assert (conversation.channel, conversation.words.chat) == (address.channel, address.chat)
            unit.flush(Changes(conversations=[conversation]))
        with store.unit(NOW) as unit:
            conversation = unit.load([Want(conversation_id=conversation.id)]).conversations[conversation.id]
            conversation.make("ask_field")
            unit.flush(Changes(conversations=[conversation]))

    assert at(store, OLD).id == at(store, NEW).id


def test_what_is_still_under_way_for_the_old_id_finds_the_person(store: Store) -> None:
    issue(store)
    case = complain_at(store, NEW)
    source, target = join(store)

    loaded = load(store, Want(conversation_id=source, parked=True), Want(conversation_id=source, case_id=case.id))

    assert loaded.conversations[source] is loaded.conversations[target]
    assert loaded.conversations[source].id == target
    assert loaded.parked(target) == []


def test_a_third_chat_joins_the_same_person_in_either_direction(store: Store) -> None:
    third, fourth = chat("third"), chat("fourth")
    issue(store)
    _, target = join(store)
    issue(store, NEW, code="22222222")  # shown in the chat that was joined
    assert join(store, "22222222", third)[1] == target
    older = issue(store, fourth, code="33333333")
    assert join(store, "33333333", OLD) == (target, older)

    assert {at(store, each).id for each in (OLD, NEW, third, fourth)} == {older}
    assert at(store, third).words.chat == "old"


def test_joins_of_one_batch_follow_one_another_also_in_a_circle(store: Store) -> None:
    addresses = [chat(name) for name in "abc"]
    cases = [complain_at(store, each) for each in addresses]
    a, b, c = (each.conversation_id for each in cases)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=each) for each in addresses])
        joins = [
            Join(source=a, target=b, code="1"),
            Join(source=a, target=b, code="1"),
            Join(source=b, target=c, code="2"),
            Join(source=c, target=a, code="3"),
        ]
        unit.flush(Changes(conversations=list(loaded.conversations.values()), joins=joins))

    assert {at(store, each).id for each in addresses} == {c}
    assert [each.id for each in load(store, Want(address=addresses[0])).cases_of(c)] == [each.id for each in cases]


def test_a_join_in_a_later_flush_of_the_unit_follows_an_earlier_one(url: str, store: Store) -> None:
    addresses = [chat(name) for name in "abc"]
    a, b, c = (complain_at(store, each).conversation_id for each in addresses)
    with store.unit(NOW) as unit:
        unit.load([Want(address=each) for each in addresses])
        unit.flush(Changes(joins=[Join(source=a, target=b, code="1")]))
        unit.flush(Changes(joins=[Join(source=c, target=a, code="2")]))

    assert {at(store, each).id for each in addresses} == {b}
    assert execute(url, "SELECT DISTINCT alias_of FROM conversation WHERE alias_of IS NOT NULL") == [(b,)]


def test_what_the_joined_chat_said_in_the_same_batch_belongs_to_the_person(store: Store) -> None:
    target = issue(store)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=NEW, code="12345678")])
        newer = loaded.by_address(NEW)
        id_ = newer.customer_id = store.ids.next()
        case = new_case(store, newer, id_)
        unit.flush(
            Changes(
                customers=[Customer(id=id_, key=store.ids.data_key(id_))],
                conversations=[newer],
                cases=[case],
                letters=[letter(store, "new", conversation_id=newer.id, unasked=True)],
                joins=[Join(source=newer.id, target=target, code="12345678")],
            )
        )

    assert [each.id for each in load(store, Want(address=NEW)).cases_of(target)] == [case.id]
    assert [each.conversation_id for each in store.claim("telegram", NOW, 5)] == [target]


def test_the_next_command_of_the_batch_sees_the_join(store: Store) -> None:
    old_case, moved = complain_at(store, OLD), complain_at(store, NEW)
    parked = letter(store, "new", "waited", conversation_id=moved.conversation_id)
    post(store, parked)
    with store.unit(NOW) as unit:
        unit.settle([Settled(letter=parked, outcome="parked", error="window")])
    target = issue(store)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=NEW, code="12345678", parked=True), Want(address=OLD, parked=True)])
        newer, older = loaded.by_address(NEW), loaded.by_address(OLD)
        changes = Changes(conversations=[newer, older], joins=[Join(source=newer.id, target=older.id, code="12345678")])
        for _ in range(2):  # a batch may be taken in more than once
            loaded.absorb(changes)

        assert loaded.by_address(NEW) is older
        assert loaded.by_code("12345678") is None
        assert [each.id for each in loaded.cases_of(target)] == [old_case.id, moved.id]
        assert loaded.cases_of(newer.id) == []
        assert [each.id for each in loaded.parked(target)] == [parked.id]
        changes.told.append(parked.id)
        loaded.absorb(changes)
        assert loaded.parked(target) == []
        unit.flush(changes)

    assert [each.id for each in load(store, Want(address=NEW)).cases_of(target)] == [old_case.id, moved.id]


def test_conversations_that_are_not_locked_cannot_be_joined(url: str, store: Store) -> None:
    target = issue(store)
    with pytest.raises(LookupError), store.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        source = unit.load([Want(address=NEW)]).by_address(NEW).id
        unit.flush(Changes(joins=[Join(source=source, target=target, code="12345678")]))

    assert execute(url, "SELECT count(*) FROM conversation WHERE alias_of IS NOT NULL") == [(0,)]


def test_an_address_that_is_no_alias_costs_no_statement_more(sqlite_url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(sqlite_url)
    case = complain(store, "1")
    load(store, Want(address=chat("1")))
    statements: list[str] = []
    with store.unit(NOW) as unit:
        raw = unit._connection.connection.driver_connection
        raw.set_trace_callback(statements.append)
        loaded = unit.load([Want(address=chat("1"))])
        conversation, mine = loaded.by_address(chat("1")), loaded.cases[case.id]
        conversation.make("ask_field")
        mine.words.question = "what?"
        unit.flush(
            Changes(conversations=[conversation], cases=[mine], events=[event(mine)], letters=[letter(store, "1")])
        )
        raw.set_trace_callback(None)

    begins = [each.partition("\n")[0].split("(")[0].split(" SET ")[0].strip() for each in statements]
    assert [each if each.startswith(("INSERT", "UPDATE")) else "SELECT" for each in begins] == [
        "SELECT", "SELECT", "UPDATE conversation", "INSERT INTO journal", "UPDATE complaint_case", "SELECT",
        "INSERT INTO outbox",
    ]  # fmt: skip


# --- races ---


def race(store: Store, first: Callable[[Loaded, Changes], None], *wants: Want) -> Case:
    """Let a message come from the newer chat while a unit that changes something holds the conversations."""
    waiting, cases = threading.Event(), []

    def second() -> None:
        waiting.wait()
        cases.append(again(lambda: complain_at(store, NEW)))

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with store.unit(NOW) as unit:
        loaded, changes = unit.load(wants), Changes()
        first(loaded, changes)
        waiting.set()
        thread.join(0.3)
        unit.flush(changes)
    thread.join()
    (case,) = cases
    return case


def test_a_message_that_races_with_the_join_reaches_the_person(store: Store) -> None:
    target = issue(store)
    complain_at(store, NEW)

    def joining(loaded: Loaded, changes: Changes) -> None:
        changes.joins.append(Join(source=loaded.by_address(NEW).id, target=target, code="12345678"))

    case = race(store, joining, Want(address=NEW, code="12345678"))

    assert case.conversation_id == target
    assert at(store, NEW).id == target
    assert len(load(store, Want(address=OLD)).cases_of(target)) == 2


def test_a_message_of_an_alias_that_races_with_another_join_reaches_the_person(store: Store) -> None:
    issue(store)
    _, middle = join(store)
    last = issue(store, chat("last"), code="22222222")

    def joining(loaded: Loaded, changes: Changes) -> None:
        changes.joins.append(Join(source=loaded.by_address(OLD).id, target=last, code="22222222"))

    case = race(store, joining, Want(address=OLD, code="22222222"))

    assert case.conversation_id == last != middle


def test_who_found_an_address_before_it_was_joined_is_told_again(
    postgres_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(postgres_url)
    target = issue(store)
    source = at(store, NEW).id
    waiting, outcome = threading.Event(), []

    def second() -> None:
        waiting.wait()
        for want in (Want(address=NEW), Want(conversation_id=source)):
            try:
                load(store, want)
            except Again:
                outcome.append("again")
            outcome.append(again(lambda want=want: load(store, want)).conversations[source].id)

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with store.unit(NOW) as unit:
        unit.load([Want(address=NEW, code="12345678")])
        waiting.set()
        thread.join(0.3)
        unit.flush(Changes(joins=[Join(source=source, target=target, code="12345678")]))
    thread.join()

    assert outcome == ["again", target, target]


def test_a_join_waits_for_a_message_and_takes_what_it_left(store: Store) -> None:
    target = issue(store)
    source = at(store, NEW).id
    waiting = threading.Event()

    def second() -> None:
        waiting.wait()
        again(lambda: join(store))

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with store.unit(NOW) as unit:
        conversation = unit.load([Want(address=NEW)]).by_address(NEW)
        waiting.set()
        thread.join(0.3)
        id_ = conversation.customer_id = store.ids.next()
        customer = Customer(id=id_, key=store.ids.data_key(id_))
        case = new_case(store, conversation, id_)
        unit.flush(Changes(customers=[customer], conversations=[conversation], cases=[case]))
    thread.join()

    assert [each.id for each in load(store, Want(address=OLD)).cases_of(target)] == [case.id]
    assert source != target


# --- erasing ---


def test_to_erase_a_person_is_to_erase_what_they_said_in_all_their_chats(url: str, store: Store) -> None:
    old_case, new_case_, closed = complain_at(store, OLD), complain_at(store, NEW), complain_at(store, chat("third"))
    with store.unit(NOW) as unit:
        case = unit.load([Want(case_id=closed.id)]).cases[closed.id]
        case.active = case.open = False
        unit.flush(Changes(cases=[case]))
    issue(store)
    target = join(store)[1]
    issue(store, code="22222222")
    join(store, "22222222", chat("third"))
    parked = letter(store, "staff", "parked", case_id=new_case_.id, conversation_id=77)
    letters = [letter(store, "old"), letter(store, "third"), parked, letter(store, "stranger", unasked=True)]
    with store.unit(NOW) as unit:
        unit.flush(Changes(letters=letters))
        unit.settle([Settled(letter=parked, outcome="parked")])
        unit.fail(hear("third", "telegram:1", "secret"), "it failed")
    shown = letter(store, "staff", case_id=new_case_.id, card=True)
    post(store, shown)
    with store.unit(NOW) as unit:
        unit.settle([Settled(letter=shown, outcome="sent", ref="5")])

    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=NEW)])
        customer = loaded.customers[old_case.customer_id]
        customer.erased = True
        mine = loaded.cases_of(target)
        unit.flush(Changes(customers=[customer], cases=mine, events=[event(each, "erased") for each in mine]))

    loaded = load(store, Want(address=OLD), Want(case_id=closed.id))
    assert loaded.cases.keys() == {old_case.id, new_case_.id, closed.id}
    assert [each.words.question for each in loaded.cases.values()] == ["", "", ""]
    assert all(each.erased for each in loaded.customers.values())
    assert execute(url, "SELECT count(*) FROM customer WHERE data_key IS NOT NULL OR sealed IS NOT NULL") == [(0,)]
    with store.read() as ledger:
        for case in (old_case, new_case_, closed):
            assert all(each.words == {} for each in ledger.journal(case.id))
        assert ledger.cards_of(new_case_.id) == []
    assert store.unserved(NOW + HOUR, 5) == []
    assert [each.address.chat for each in store.claim("telegram", NOW + HOUR, 9)] == ["stranger"]
    assert execute(url, "SELECT count(*) FROM outbox") == [(1,)]
    assert not store.verify_journal().broken


def test_another_person_s_words_stay_when_one_is_erased(store: Store) -> None:
    complain_at(store, OLD)
    other = complain_at(store, NEW)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=OLD)])
        (customer,) = loaded.customers.values()
        customer.erased = True
        unit.flush(Changes(customers=[customer]))

    assert load(store, Want(address=NEW)).cases[other.id].words.question == "secret"


# --- the ledger ---


def test_the_ledger_knows_what_a_member_of_the_staff_owns(store: Store) -> None:
    first, second, closed = (complain(store, name, owner_id=5) for name in "abc")
    complain(store, "d", owner_id=6)
    with store.unit(NOW) as unit:
        case = unit.load([Want(case_id=closed.id)]).cases[closed.id]
        case.open = False
        unit.flush(Changes(cases=[case]))

    with store.read() as ledger:
        assert [each.id for each in ledger.owned(5)] == [first.id, second.id]
        assert ledger.owned(7) == []


def test_the_priorities_of_letters_to_a_joined_chat_stay(store: Store) -> None:
    issue(store)
    source = at(store, NEW).id
    post(store, letter(store, "new", conversation_id=source, priority=Priority.SURVEY, unasked=True))
    join(store)

    assert [each.priority for each in store.claim("telegram", NOW, 5)] == [Priority.SURVEY]
