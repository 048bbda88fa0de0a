"""What processes share and count together: credits of platforms that count, access tokens, signatures."""

import hashlib
import hmac
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import create_engine

from complaints.messages import Address, Credit
from complaints.ports import Changes
from storage import KeyRing, Store, Unreadable, purse
from tests.storage.building import HOUR, MINUTE, NOW, SECOND, execute

WANG = Address(channel="wechat", chat="openid-of-wang")


def grant(store: Store, *granted: Credit, address: Address = WANG, now: datetime = NOW) -> None:
    with store.unit(now) as unit:
        unit.flush(Changes(credits=[(address, each) for each in granted]))


def message(count: int = 5, seconds: int = 48 * 3600, *, name: str = "message", adds: bool = False) -> Credit:
    return Credit(name=name, count=count, seconds=seconds, adds=adds)


def spent(store: Store, *names: str, now: datetime = NOW, keep: int = 0) -> int:
    """Spend until nothing is left; return how often that worked."""
    count = 0
    while store.spend(WANG, names, now, keep):
        count += 1
    return count


# --- credits ---


def test_a_message_lets_as_many_be_sent_as_the_platform_says(store: Store) -> None:
    assert not store.spend(WANG, ["message"], NOW)
    grant(store, message(5))

    assert spent(store, "message") == 5


def test_a_credit_is_for_one_address_and_one_counter(store: Store) -> None:
    grant(store, message(1))

    assert not store.spend(Address(channel="wecom", chat=WANG.chat), ["message"], NOW)
    assert not store.spend(Address(channel="wechat", chat="another"), ["message"], NOW)
    assert not store.spend(WANG, ["menu"], NOW)
    assert not store.spend(WANG, [], NOW)
    assert store.spend(WANG, ["message"], NOW)


def test_a_credit_runs_out_at_its_moment(store: Store) -> None:
    grant(store, message(2, seconds=60))

    assert store.spend(WANG, ["message"], NOW + 59 * SECOND)
    assert not store.spend(WANG, ["message"], NOW + 60 * SECOND)


def test_a_new_credit_takes_the_place_of_the_old_one(store: Store) -> None:
    grant(store, message(5))
    store.spend(WANG, ["message"], NOW)
    grant(store, message(5), now=NOW + HOUR)

    assert spent(store, "message", now=NOW + 48 * HOUR) == 5


def test_a_credit_that_adds_counts_what_is_left_but_not_what_ran_out(store: Store) -> None:
    grant(store, message(3, 60, name="menu", adds=True))
    grant(store, message(3, 60, name="menu", adds=True), now=NOW + 30 * SECOND)
    assert spent(store, "menu", now=NOW + 30 * SECOND) == 6

    grant(store, message(3, 60, name="menu", adds=True))
    grant(store, message(3, 60, name="menu", adds=True), now=NOW + 60 * SECOND)
    assert spent(store, "menu", now=NOW + 60 * SECOND) == 3


def test_credits_of_one_batch_count_in_their_order(store: Store) -> None:
    grant(store, message(9), message(1), message(1, adds=True), message(1, name="menu"))

    assert spent(store, "message") == 2
    assert spent(store, "menu") == 1


def test_some_credits_are_kept_for_what_matters(store: Store) -> None:
    grant(store, message(3))

    assert spent(store, "message", keep=1) == 2
    assert spent(store, "message") == 1


def test_one_is_taken_from_every_counter_that_still_holds(store: Store) -> None:
    grant(store, message(2), message(1, name="menu"), message(5, 1, name="follow"))

    assert store.spend(WANG, ["message", "menu", "follow"], NOW + SECOND, 1)
    assert (spent(store, "menu"), spent(store, "follow"), spent(store, "message")) == (0, 5, 1)


def test_the_fullest_counter_decides_what_is_kept(store: Store) -> None:
    grant(store, message(1), message(3, name="menu"))

    assert spent(store, "message", "menu", keep=1) == 2
    assert (spent(store, "message"), spent(store, "menu")) == (0, 1)


def test_counters_that_the_platform_says_are_empty_are_closed(store: Store) -> None:
    grant(store, message(5), message(5, name="menu"))

    store.close_credits(WANG, ["message", "never heard of", "message"])

    assert (spent(store, "message"), spent(store, "menu")) == (0, 5)


@pytest.mark.parametrize(("left", "keep"), [(1, 0), (2, 1)])
def test_the_last_credit_is_spent_once(url: str, open_store: Callable[..., Store], left: int, keep: int) -> None:
    stores = [open_store(url), open_store(url)]
    for _ in range(15):
        grant(stores[0], message(left), message(left, name="menu"))
        barrier = threading.Barrier(2)

        def spend(store: Store, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return store.spend(WANG, ["menu", "message"], NOW, keep)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(spend, stores)) == [False, True]
    assert execute(url, 'SELECT sum("left") FROM credit') == [(2 * keep,)]


@pytest.mark.parametrize(("left", "keep"), [(1, 0), (2, 1)])
def test_who_waits_for_another_one_s_spending_counts_what_is_left_after_it(
    url: str, open_store: Callable[..., Store], left: int, keep: int
) -> None:
    one, other = open_store(url), open_store(url)
    grant(one, message(left))
    with ThreadPoolExecutor(1) as pool:
        with one.unit(NOW) as unit:
            recipient = one._vault.fingerprint(WANG.channel, WANG.chat)
            assert purse.spend(unit._connection, recipient, ["message"], int(NOW.timestamp() * 1000), keep)
            waiting = pool.submit(other.spend, WANG, ["message"], NOW, keep)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(10) is False
    assert spent(one, "message") == keep


def test_a_message_and_a_letter_may_count_at_the_same_time(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url), open_store(url)]
    names = ["a", "b", "c"]

    def work(n: int) -> int:
        if n % 2:
            return sum(stores[1].spend(WANG, reversed(names), NOW) for _ in range(30))  # type: ignore[arg-type] # any order
        for _ in range(10):
            grant(stores[0], *(message(2, name=name, adds=True) for name in reversed(names)))
        return 0

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(work, range(2)))

    assert taken + spent(stores[0], *names) == 20


def test_credits_that_ran_out_are_purged(url: str, store: Store) -> None:
    grant(store, message(5, 60), message(5, 61, name="menu"))

    store.purge(NOW + MINUTE)

    assert execute(url, "SELECT name FROM credit") == [("menu",)]


# --- what is shared ---


def test_what_one_process_shares_another_one_finds_until_it_runs_out(
    url: str, open_store: Callable[..., Store]
) -> None:
    one, other = open_store(url), open_store(url)
    assert other.shared("wechat:token", NOW) is None

    one.share("wechat:token", "first", NOW, 7200)
    one.share("wechat:token", "T" * 1024, NOW, 7200)

    assert other.shared("wechat:token", NOW + 7199 * SECOND) == "T" * 1024
    assert other.shared("wecom:token", NOW) is None
    assert other.shared("wechat:token", NOW + 7200 * SECOND) is None


def test_a_token_cannot_be_read_in_the_database_nor_moved_to_another_name(url: str, store: Store) -> None:
    store.share("wechat:token", "the secret token", NOW, 60)
    store.share("wecom:token", "another", NOW, 60)

    engine = create_engine(url)
    with engine.connect() as connection:
        dump = repr([tuple(map(bytes, row)) for row in connection.exec_driver_sql("SELECT sealed FROM shared")])
    engine.dispose()
    assert "secret token" not in dump
    execute(
        url,
        "UPDATE shared SET sealed = (SELECT sealed FROM shared WHERE name = 'wechat:token') WHERE name = 'wecom:token'",
    )
    with pytest.raises(Unreadable):
        store.shared("wecom:token", NOW)


def test_what_ran_out_is_purged(url: str, store: Store) -> None:
    store.share("a", "x", NOW, 60)
    store.share("b", "x", NOW, 61)

    store.purge(NOW + MINUTE)

    assert execute(url, "SELECT name FROM shared") == [("b",)]


# --- signatures ---


def test_a_signature_is_the_same_in_all_processes_and_differs_by_place_and_content(
    url: str, open_store: Callable[..., Store]
) -> None:
    one, other = open_store(url), open_store(url)

    assert one.sign("page", b"content") == other.sign("page", b"content")
    assert len({one.sign(*each) for each in (("page", b"content"), ("page", b"other"), ("other", b"content"))}) == 3
    assert len(one.sign("page", b"")) == 32


def test_another_database_signs_otherwise_and_a_rotated_ring_as_before(
    sqlite_url: str, postgres_url: str, open_store: Callable[..., Store]
) -> None:
    old = KeyRing.generate()
    signed = open_store(sqlite_url, ring=old).sign("page", b"x")
    assert open_store(postgres_url, ring=old).sign("page", b"x") != signed
    both = KeyRing.from_setting(f"{KeyRing.generate().to_setting().replace('k1:', 'k2:')},{old.to_setting()}")

    rotated = open_store(sqlite_url, ring=both)
    rotated.rewrap()

    assert rotated.sign("page", b"x") == signed


def test_a_signature_is_no_hash_that_anybody_could_make(store: Store) -> None:
    assert store.sign("page", b"x") not in {
        hashlib.sha256(b"x").digest(),
        *(hmac.digest(key, b"x", "sha256") for key in (b"", b"page", bytes(32))),
    }
