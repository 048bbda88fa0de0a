"""The inbox: what failed is tried again, and in the end shown to a person."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage import Store
from tests.storage.building import HOUR, MINUTE, NOW, SECOND, execute, hear


def fail(store: Store, key: str, now: object = NOW, error: str = "its handler failed") -> bool:
    with store.unit(now) as unit:  # type: ignore[arg-type] # a moment
        unit.record([key])
        return unit.fail(hear("1", key), error)


def test_a_failed_message_comes_again_after_a_pause(store: Store) -> None:
    assert fail(store, "telegram:1")

    assert store.unserved(NOW + 4 * SECOND, 10) == []
    assert store.unserved(NOW + 5 * SECOND, 10) == [hear("1", "telegram:1")]
    assert store.unserved(NOW + 6 * SECOND, 10) == []  # leased
    assert store.unserved(NOW + 66 * SECOND, 10) == [hear("1", "telegram:1")]


def test_a_message_served_at_last_is_served_once(url: str, store: Store) -> None:
    fail(store, "telegram:1")
    store.unserved(NOW + 5 * SECOND, 10)

    with store.unit(NOW + 6 * SECOND) as unit:
        assert unit.record(["telegram:1"]) == {"telegram:1"}
    with store.unit(NOW + 7 * SECOND) as unit:
        assert unit.record(["telegram:1"]) == set()
    assert store.unserved(NOW + HOUR, 10) == []
    assert execute(url, "SELECT state, sealed, chat FROM inbox") == [("served", None, None)]


def test_a_platforms_repetition_may_serve_a_waiting_message(store: Store) -> None:
    fail(store, "telegram:1")

    with store.unit(NOW + SECOND) as unit:
        assert unit.record(["telegram:1"]) == {"telegram:1"}


def test_after_the_last_try_a_message_is_dead_and_shown(store: Store) -> None:
    now, alive = NOW, fail(store, "telegram:1")
    for pause in (5, 10, 20, 40, 80, 160, 320):
        assert alive
        assert store.unserved(now + (pause - 1) * SECOND, 10) == []
        now += pause * SECOND
        assert store.unserved(now, 10) == [hear("1", "telegram:1")]
        alive = fail(store, "telegram:1", now, "it fails " * 100)

    assert store.unserved(now + 24 * HOUR, 10) == []
    assert not alive
    with store.read() as ledger:
        (dead,) = ledger.dead_hears(5)
        assert (dead.key, dead.message, len(dead.error)) == ("telegram:1", hear("1", "telegram:1").message, 500)
        assert (ledger.trays().inbox_dead, ledger.trays().inbox_waiting) == (1, 0)
    with store.unit(now) as unit:
        assert unit.record(["telegram:1"]) == set()

    assert store.revive_hear("telegram:1", now)
    assert not store.revive_hear("telegram:1", now)
    assert store.unserved(now, 10) == [hear("1", "telegram:1")]


def test_a_message_that_ends_the_process_each_time_is_dead_at_last(store: Store) -> None:
    fail(store, "telegram:1")
    served = 0
    for n in range(20):
        served += len(store.unserved(NOW + (n + 1) * 2 * MINUTE, 10))

    assert served == 7
    with store.read() as ledger:
        assert [each.error for each in ledger.dead_hears(5)] == ["every try ended without a result"]


def test_waiting_messages_come_in_the_order_they_came_and_to_one_process(
    url: str, open_store: Callable[..., Store]
) -> None:
    stores = [open_store(url), open_store(url)]
    for n in range(20):
        fail(stores[0], f"telegram:{n:02}", NOW + n * SECOND / 10)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda store: store.unserved(NOW + MINUTE, 15), stores))

    keys = [[each.key for each in got] for got in found]
    assert all(got == sorted(got) for got in keys)
    assert max(map(len, keys)) <= 15
    assert len({key for got in keys for key in got}) == sum(map(len, keys))


def test_a_message_may_be_kept_without_having_been_recorded(store: Store) -> None:
    with store.unit(NOW) as unit:
        unit.fail(hear("1", "telegram:1"), "the desk is closed")

    assert store.unserved(NOW + 5 * SECOND, 10) == [hear("1", "telegram:1")]


def test_a_broken_seal_does_not_hold_up_the_inbox(url: str, store: Store) -> None:
    fail(store, "telegram:1")
    fail(store, "telegram:2")
    execute(url, "UPDATE inbox SET sealed = :bad WHERE key = 'telegram:1'", bad=b"\x01nonsense")

    assert [each.key for each in store.unserved(NOW + MINUTE, 10)] == ["telegram:2"]
    with store.read() as ledger:
        (dead,) = ledger.dead_hears(5)
        assert (dead.key, dead.message) == ("telegram:1", None)


def test_old_deliveries_are_forgotten_but_never_what_was_not_served(url: str, store: Store) -> None:
    with store.unit(NOW - timedelta(days=8)) as unit:
        unit.record([f"old:{n}" for n in range(70)])
    fail(store, "old:failed", NOW - timedelta(days=8))
    with store.unit(NOW - timedelta(days=6)) as unit:
        unit.record(["new"])

    assert store.purge(NOW) == 70
    assert sorted(execute(url, "SELECT key FROM inbox")) == [("new",), ("old:failed",)]
