"""What processes share: access tokens, fetched once for all, and the credits of platforms that count."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.purse import StorePurse
from bot.shelf import StoreShelf
from complaints.errors import Unavailable
from complaints.messages import Address, Credit
from complaints.ports import Changes
from storage import KeyRing, Store

WANG = Address(channel="wechat", chat="wang")


@dataclass
class Platform:
    """Gives out tokens that hold for a while; slowly, and it counts."""

    holds: float = 7200.0
    slow: float = 0.05
    given: int = 0
    away: bool = False

    async def __call__(self) -> tuple[str, float]:
        await asyncio.sleep(self.slow)
        if self.away:
            raise ConnectionError("away")
        self.given += 1
        return f"token {self.given}", self.holds


@dataclass
class Two:
    """Two processes with one database, and their clock."""

    stores: list[Store]
    moment: datetime = field(default=datetime(2025, 3, 3, 2, 15, tzinfo=UTC))

    def now(self) -> datetime:
        return self.moment

    def shelf(self, number: int = 0) -> StoreShelf:
        return StoreShelf(self.stores[number], self.now)


@pytest.fixture
def two(new_database: Callable[[str], str], keys: str) -> Iterator[Two]:
    """Two processes that share a database."""
    url, ring = new_database("sqlite"), KeyRing.from_setting(keys)
    stores = [Store.open(url, ring=ring, node=node) for node in ("one", "two")]
    yield Two(stores)
    for store in stores:
        store.close()


# --- tokens ---


async def test_a_token_is_fetched_once_for_everyone_in_all_processes(two: Two) -> None:
    fetch, here, there = Platform(), two.shelf(), two.shelf(1)

    tokens = await asyncio.gather(*(shelf.token("wechat", fetch) for shelf in (here, there) * 10))

    assert set(tokens) == {"token 1"}
    assert fetch.given == 1
    assert await two.shelf(1).token("wechat", fetch) == "token 1"
    assert await here.token("wecom", fetch) == "token 2"


async def test_a_token_that_the_platform_does_not_take_is_fetched_anew_once(two: Two) -> None:
    fetch, here, there = Platform(), two.shelf(), two.shelf(1)
    await asyncio.gather(here.token("wechat", fetch), there.token("wechat", fetch))

    tokens = await asyncio.gather(*(shelf.token("wechat", fetch, stale="token 1") for shelf in (here, there) * 5))

    assert set(tokens) == {"token 2"}
    assert fetch.given == 2
    assert await here.token("wechat", fetch, stale="token 1") == "token 2"
    assert fetch.given == 2


async def test_a_token_is_renewed_a_little_before_it_ends_and_nobody_waits_for_that(two: Two) -> None:
    fetch, shelf = Platform(), two.shelf()
    await shelf.token("wechat", fetch)

    two.moment += timedelta(seconds=6800)
    assert await shelf.token("wechat", fetch) == "token 1"
    await asyncio.sleep(0.15)
    assert fetch.given == 1
    two.moment += timedelta(seconds=150)
    assert await shelf.token("wechat", fetch) == "token 1"
    await asyncio.sleep(0.3)

    assert await shelf.token("wechat", fetch) == "token 2"
    assert await two.shelf(1).token("wechat", fetch) == "token 2"
    assert fetch.given == 2


async def test_a_renewal_that_fails_leaves_the_old_token_until_its_end(two: Two) -> None:
    fetch, shelf = Platform(), two.shelf()
    await shelf.token("wechat", fetch)
    fetch.away = True

    two.moment += timedelta(seconds=7000)
    assert await shelf.token("wechat", fetch) == "token 1"
    await asyncio.sleep(0.3)
    two.moment += timedelta(seconds=200)
    with pytest.raises(ConnectionError):
        await shelf.token("wechat", fetch)


async def test_what_a_fetch_raises_is_raised_to_all_who_wait_and_not_to_the_next(two: Two) -> None:
    fetch, shelf = Platform(away=True), two.shelf()

    raised = await asyncio.gather(*(shelf.token("wechat", fetch) for _ in range(5)), return_exceptions=True)
    fetch.away = False

    assert [type(each) for each in raised] == [ConnectionError] * 5
    assert await shelf.token("wechat", fetch) == "token 1"


async def test_a_process_that_died_while_it_fetched_holds_nobody_up_for_long(two: Two) -> None:
    two.stores[1].take_lease("token:wechat", "two", two.now(), 10.0)
    asked = asyncio.create_task(two.shelf().token("wechat", Platform()))
    await asyncio.sleep(0.3)
    assert not asked.done()

    two.moment += timedelta(seconds=10.1)

    assert await asyncio.wait_for(asked, 3.0) == "token 1"


# --- credits ---


def grant(store: Store, now: datetime, *credits_: Credit) -> None:
    with store.unit(now) as unit:
        unit.load([])
        unit.flush(Changes(credits=[(WANG, credit) for credit in credits_]))


async def test_a_credit_is_spent_once_in_all_processes_and_the_last_can_be_kept(two: Two) -> None:
    grant(two.stores[0], two.now(), Credit(name="reply", count=3, seconds=3600))
    here, there = (StorePurse(store, two.now) for store in two.stores)

    spent = await asyncio.gather(*(purse.spend(WANG, ["reply"], keep=1) for purse in (here, there) * 3))

    assert sorted(spent) == [False] * 4 + [True] * 2
    assert await there.spend(WANG, ["reply"])
    assert not await here.spend(WANG, ["reply"])


async def test_a_credit_ends_by_the_clock_of_the_desk_or_because_the_platform_says_so(two: Two) -> None:
    grant(two.stores[0], two.now(), Credit(name="a", count=3, seconds=60), Credit(name="b", count=3, seconds=3600))
    purse = StorePurse(two.stores[0], two.now)
    two.moment += timedelta(seconds=61)

    assert not await purse.spend(WANG, ["a"])
    assert await purse.spend(WANG, ["a", "b"])
    await purse.close(WANG, ["a", "b"])
    assert not await purse.spend(WANG, ["a", "b"])


async def test_a_database_that_is_away_is_not_the_same_as_no_credit(two: Two) -> None:
    grant(two.stores[0], two.now(), Credit(name="a", count=3, seconds=60))
    purse = StorePurse(two.stores[0], two.now)
    with two.stores[1].unit(two.now()), pytest.raises(Unavailable):  # after five seconds
        await purse.spend(WANG, ["a"])

    assert await purse.spend(WANG, ["a"])
