"""Sealing: who has the database without the key has nothing, and an erased customer is erased."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from complaints.conversation import EvidenceFile
from complaints.errors import Misconfigured
from complaints.messages import IncomingMessage
from complaints.ports import Changes
from storage import KeyRing, Store, Unreadable, Want, tables
from storage.sealing import Key, Vault
from tests.storage.building import MINUTE, NOW, SECOND, chat, complain, event, execute, hear, letter, load, post

SECRET = "the secret sentence about 13800000000"


def keys(*names: str) -> dict[str, str]:
    return {name: base64.b64encode(name[-1:].encode() * 32).decode() for name in names}


def ring(*names: str) -> KeyRing:
    return KeyRing.from_setting(",".join(f"{name}:{key}" for name, key in keys(*names).items()))


# --- keys ---


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("", "entry 1 must be id:key"),
        ("nokey", "entry 1 must be id:key"),
        ("a b:" + "A" * 43 + "=", "entry 1 must be id:key"),
        ("k1:c2VjcmV0LXNlY3JldA==", "key of entry 1 must be 32 random bytes"),
        ("k1:§§§", "key of entry 1 must be 32 random bytes"),
        ("k1:" + "A" * 43 + "=,k1:" + "B" * 42 + "A=", "entry 2 has an id that another entry has"),
    ],
)
def test_a_wrong_setting_is_explained_without_showing_a_key(setting: str, problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem) as raised:
        KeyRing.from_setting(setting)

    assert "c2VjcmV0" not in str(raised.value)


def test_a_ring_does_not_show_its_keys() -> None:
    made = KeyRing.generate()

    assert KeyRing.from_setting(made.to_setting()).to_setting() == made.to_setting()
    assert repr(made) == "KeyRing(k1)"


def test_a_key_in_the_url_alphabet_is_understood() -> None:
    plain = bytes(range(224, 256))
    url = base64.urlsafe_b64encode(plain).decode()

    wrapped = KeyRing.from_setting(f"k1:{base64.b64encode(plain).decode()}").wrap(b"x", b"place")

    assert KeyRing.from_setting(f"k1:{url}").unwrap(wrapped, b"place") == b"x"


def test_words_open_only_where_they_were_sealed_and_with_their_key() -> None:
    key = Key(b"k" * 32)
    sealed = key.seal(b"words", b"journal:1:words")

    assert key.open(sealed, b"journal:1:words") == b"words"
    for other, place, text in [
        (key, b"journal:2:words", sealed),
        (Key(b"K" * 32), b"journal:1:words", sealed),
        (key, b"journal:1:words", sealed[:-1]),
        (key, b"journal:1:words", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key, b"journal:1:words", b"\x02" + sealed[1:]),
        (key, b"journal:1:words", b""),
    ]:
        with pytest.raises(Unreadable):
            other.open(text, place)


def test_the_key_of_one_customer_does_not_unwrap_for_another() -> None:
    vault = Vault(ring("k1"), b"r" * 32)
    wrapped = vault.new_data_key(1)

    assert vault.key_of(1, wrapped) is not None
    with pytest.raises(Unreadable):
        vault.key_of(2, wrapped)


def test_the_memory_for_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vault, "_CAPACITY", 3)
    vault = Vault(ring("k1"), b"r" * 32)
    wrapped = {n: vault.new_data_key(n) for n in range(10)}

    assert len(vault._opened) == 3
    assert all(vault.key_of(n, each) is not None for n, each in wrapped.items())


# --- in the database ---


def speak(store: Store) -> int:
    """Leave the secret sentence in every table that takes words; return the case."""
    case = complain(store, SECRET, SECRET)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case.id)])
        conversation = loaded.conversations[case.conversation_id]
        conversation.words.name = conversation.words.kept = SECRET
        customer = loaded.customers[case.customer_id]
        customer.profile.answers["name"] = SECRET
        mine = loaded.cases[case.id]
        mine.words.question = SECRET
        file = EvidenceFile(
            id=store.ids.next(), case_id=case.id, conversation_id=conversation.id, kind="photo", at=NOW,
            words={"name": SECRET},
        )  # fmt: skip
        letters = [letter(store, SECRET, SECRET), letter(store, SECRET, SECRET, key="k", due_at=NOW + MINUTE)]
        unit.flush(
            Changes(
                customers=[customer], conversations=[conversation], cases=[mine], evidence=[file], letters=letters,
                events=[event(mine, "said", SECRET)],
            )
        )  # fmt: skip
        unit.fail(hear(SECRET, "telegram:1", SECRET), "it failed")
    return case.id


def test_nothing_said_can_be_found_in_the_database(url: str, store: Store) -> None:
    speak(store)

    engine = create_engine(url)
    with engine.connect() as connection:
        dump = b""
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                dump += repr([bytes(each) if isinstance(each, memoryview) else each for each in row]).encode()
    engine.dispose()
    assert b"telegram" in dump
    assert b"secret sentence" not in dump
    assert b"13800000000" not in dump


def test_nothing_said_can_be_found_in_the_file(sqlite_url: str, open_store: Callable[..., Store]) -> None:
    speak(open_store(sqlite_url))

    path = Path(sqlite_url.removeprefix("sqlite:///"))
    content = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert b"registered" in content
    assert b"secret sentence" not in content
    assert b"13800000000" not in content


def test_words_moved_to_another_row_do_not_open(url: str, store: Store) -> None:
    one, other = complain(store, "1"), complain(store, "1")
    execute(
        url,
        "UPDATE complaint_case SET sealed = (SELECT sealed FROM complaint_case WHERE id = :one) WHERE id = :other",
        one=one.id,
        other=other.id,
    )

    with pytest.raises(Unreadable):
        load(store, Want(case_id=other.id))


def test_another_ring_does_not_open_the_database_and_is_told_which_it_needs(
    url: str, open_store: Callable[..., Store]
) -> None:
    open_store(url, ring=ring("first"))

    with pytest.raises(Misconfigured, match="'first'"):
        open_store(url, ring=ring("other"))


def test_after_rewrapping_the_old_key_can_leave_the_ring(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url, ring=ring("old"))
    case_id = speak(store)
    both = open_store(url, ring=ring("new", "old"))
    assert load(both, Want(case_id=case_id)).cases[case_id].words.question == SECRET
    told: list[int] = []

    assert both.rewrap(told.append) == 2

    new = open_store(url, ring=ring("new"))
    loaded = load(new, Want(address=chat(SECRET)))
    assert loaded.cases[case_id].words.question == SECRET
    assert loaded.by_address(chat(SECRET)).words.name == SECRET
    assert not new.verify_journal().broken
    assert [each.message.text for each in new.unserved(NOW + MINUTE, 5)] == [SECRET]
    assert len(new.claim("telegram", NOW + MINUTE, 5)) == 1
    assert told == [2]
    with pytest.raises(Misconfigured, match="'new'"):
        open_store(url, ring=ring("old"))


# --- erasing ---


def erase(store: Store, case_id: int) -> None:
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case_id)])
        case = loaded.cases[case_id]
        conversation, customer = loaded.conversations[case.conversation_id], loaded.customers[case.customer_id]
        customer.erased = True
        conversation.customer_id = None
        conversation.words = type(conversation.words)()
        case.words = type(case.words)()
        erased = event(case, "erased")
        unit.flush(Changes(customers=[customer], conversations=[conversation], cases=[case], events=[erased]))


def test_an_erased_customer_leaves_counts_and_proofs_but_no_words(url: str, store: Store) -> None:
    case_id = speak(store)

    erase(store, case_id)

    loaded = load(store, Want(address=chat(SECRET)), Want(case_id=case_id))
    assert loaded.by_address(chat(SECRET)).customer_id is None
    assert loaded.by_address(chat(SECRET)).words.name == ""
    assert loaded.by_address(chat(SECRET)).words.chat == SECRET  # they have just written from there
    assert loaded.cases[case_id].words.question == ""
    with store.read() as ledger:
        journal = ledger.journal(case_id)
        assert [each.name for each in journal] == ["opened", "said", "said", "erased"]
        assert journal[1].facts == {"length": len(SECRET)}
        assert all(each.words == {} for each in journal)
        assert ledger.evidence_of(case_id)[0].words == {}
        assert ledger.dead_hears(5) == []
    report = store.verify_journal()
    assert (report.events, report.broken) == (4, ())
    assert store.claim("telegram", NOW + MINUTE, 5) == []
    assert store.unserved(NOW + MINUTE, 5) == []
    assert execute(url, "SELECT count(*) FROM customer WHERE data_key IS NOT NULL") == [(0,)]


def test_an_erased_customer_whose_conversation_still_names_them_loads_without_words(store: Store) -> None:
    case_id = speak(store)
    with store.unit(NOW) as unit:
        customer = next(iter(unit.load([Want(case_id=case_id)]).customers.values()))
        customer.erased = True
        unit.flush(Changes(customers=[customer]))

    with store.unit(NOW) as unit:
        loaded = unit.load([Want(address=chat(SECRET))])
        assert loaded.customers[customer.id].erased
        conversation, case = loaded.by_address(chat(SECRET)), loaded.cases[case_id]
        assert (conversation.words.name, case.words.question) == ("", "")
        conversation.words.name = case.words.question = SECRET
        said = event(case, "said", SECRET)
        unit.flush(
            Changes(
                conversations=[conversation], cases=[case], events=[said], customers=[loaded.customers[customer.id]]
            )
        )

    loaded = load(store, Want(address=chat(SECRET)))
    assert loaded.by_address(chat(SECRET)).words.name == ""  # without a key, nothing new is kept either
    assert loaded.cases[case_id].words.question == ""
    assert not store.verify_journal().broken


def test_who_was_erased_can_complain_again_as_a_new_customer(store: Store) -> None:
    old = speak(store)
    erase(store, old)

    case = complain(store, SECRET, "new words")

    loaded = load(store, Want(address=chat(SECRET)))
    assert loaded.cases[case.id].words.answers == {"what": "new words"}
    assert loaded.cases[old].customer_id != case.customer_id


def test_letters_posted_with_the_erasure_are_sent(store: Store) -> None:
    case_id = speak(store)
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=case_id)])
        customer = loaded.customers[loaded.cases[case_id].customer_id]
        customer.erased = True
        goodbye = letter(store, SECRET, "erased")

        assert unit.flush(Changes(customers=[customer], letters=[goodbye])) == [goodbye]


def test_messages_of_any_kind_survive_the_inbox(store: Store) -> None:
    message = hear("1", "telegram:9").message
    assert isinstance(message, IncomingMessage)
    with store.unit(NOW) as unit:
        unit.fail(hear("1", "telegram:9"), "x")

    assert [each.message for each in store.unserved(NOW + 5 * SECOND, 1)] == [message]


def test_a_letter_that_does_not_open_is_dead_and_the_next_goes_out(url: str, store: Store) -> None:
    first, second = letter(store, "1", due_at=NOW + SECOND), letter(store, "2", due_at=NOW + SECOND)
    post(store, first, second)
    execute(url, "UPDATE outbox SET sealed = :bad WHERE id = :id", bad=b"\x01nonsense", id=first.id)

    assert [each.id for each in store.claim("telegram", NOW + MINUTE, 5)] == [second.id]
    assert execute(url, "SELECT state, error FROM outbox WHERE id = :id", id=first.id) == [
        ("dead", "the sealed letter cannot be opened")
    ]
