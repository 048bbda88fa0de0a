"""Whatever the platform delivers twice, at once, or in another order, happens once."""

import asyncio
import random

import aiohttp
import pytest
from sqlalchemy import text as sql

ANSWERS = ["同意", "王岚", "13812345678", "马德里", "PO-88213", "LX-7", "退款", "跳过", "没问题，提交"]
WORDS = "灯坏了，用两天就坏，质量太差"


class Raw:
    """Somebody whose updates are posted by hand."""

    def __init__(self, town, session, person):
        self.town, self.session, self.person = town, session, person
        self.last = 900_000_000 + person * 1000

    def update(self, words, number=None):
        self.last += 1
        about = {"id": self.person, "is_bot": False, "first_name": "王岚", "language_code": "zh-hans"}
        return {
            "update_id": number or self.last,
            "message": {
                "message_id": self.last % 100_000,
                "date": int(self.town.clock().timestamp()),
                "chat": {"id": self.person, "type": "private", "first_name": "王岚"},
                "from": about,
                "text": words,
            },
        }

    async def post(self, update, secret="only-for-tests"):
        async with self.session.post(
            f"http://127.0.0.1:{self.town.port}/telegram/webhook",
            json=update if isinstance(update, dict) else None,
            data=None if isinstance(update, dict) else update,
            headers={"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {},
        ) as answer:
            await answer.read()
            return answer.status


async def raw(town, session, name):
    person = await town.customer(name)
    await person.say("/start")
    return Raw(town, session, person.phone.id)


def rows(town):
    """Return how many rows each table has, and everything open that was written about cases."""
    with town.store._read.connect() as connection:
        tables = ["inbox", "conversation", "customer", "complaint_case", "journal", "timer", "outbox", "evidence"]
        counts = {table: connection.execute(sql(f"select count(*) from {table}")).scalar() for table in tables}
        cases = connection.execute(sql("select id, state, type, seq, facts from complaint_case order by id")).fetchall()
        journal = connection.execute(
            sql("select case_id, seq, name, facts from journal order by case_id, seq")
        ).fetchall()
    return counts, [tuple(case) for case in cases], [tuple(event) for event in journal]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_every_update_three_times_in_parallel_gives_the_same_rows_and_one_reply(found, database):
    town = await found(database=database)
    async with aiohttp.ClientSession() as session:
        once = await raw(town, session, "一次")
        thrice = await raw(town, session, "三次")
        for words in [WORDS, *ANSWERS]:
            assert await once.post(once.update(words)) == 200
            await town.settle()
            update = thrice.update(words)
            assert await asyncio.gather(*(thrice.post(update) for _ in range(3))) == [200] * 3
            await town.settle()
            town.clock.push(seconds=1)
    one, three = town.cases()
    assert one.state == three.state == "handed_over"
    assert one.words.answers == three.words.answers
    assert one.facts.clocks.keys() == three.facts.clocks.keys()
    assert [(event.name, event.actor, event.words) for event in town.journal(one)] == [
        (event.name, event.actor, event.words) for event in town.journal(three)
    ]
    sent = (await town.sandbox.client.counters())["sends"]
    assert sent[str(once.person)] == sent[str(thrice.person)] == len(ANSWERS) + 2


async def test_a_whole_story_replayed_out_of_order_changes_nothing(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.all("!我来处理", "!提出方案", "免费补发")
    await wang.press("同意这个方案")
    await zhou.all("!已办完", "已送达")
    before = rows(town)
    said = len((await wang.phone.transcript()).messages), len((await zhou.phone.transcript()).messages)
    numbers = [each["update"]["update_id"] for each in await town.sandbox.client.updates()]
    random.shuffle(numbers)
    statuses = await asyncio.gather(*(town.sandbox.client.replay(number, 3) for number in numbers))
    assert {status for each in statuses for status in each} == {200}
    await town.settle()
    assert rows(town) == before
    assert said == (len((await wang.phone.transcript()).messages), len((await zhou.phone.transcript()).messages))


async def test_two_conversations_in_one_burst_do_not_touch_each_other(town):
    async with aiohttp.ClientSession() as session:
        people = [await raw(town, session, f"客户{n}") for n in range(12)]
        for words in [WORDS, *ANSWERS]:
            updates = [(person, person.update(words)) for person in people for _ in (1,)]
            posts = [person.post(update) for person, update in updates for _ in range(3)]
            random.shuffle(posts)
            assert set(await asyncio.gather(*posts)) == {200}
            town.clock.push(seconds=1)
        await town.settle()
    cases = town.cases()
    assert len(cases) == 12
    assert {case.state for case in cases} == {"handed_over"}
    assert len({case.number for case in cases}) == 12
    assert all(len(case.words.said) == 1 for case in cases)


async def test_updates_of_one_chat_in_another_order_lose_nothing(town):
    async with aiohttp.ClientSession() as session:
        wang = await raw(town, session, "王岚")
        updates = [wang.update(words) for words in (WORDS, "它还漏水", "客服也不回消息", "包装是烂的")]
        statuses = await asyncio.gather(*(wang.post(update) for update in reversed(updates)))
        assert set(statuses) == {200}
        await town.settle()
    assert len(town.cases()) == 1
    assert sorted(each.text for each in town.case().words.said) == sorted(
        [WORDS, "它还漏水", "客服也不回消息", "包装是烂的"]
    )
