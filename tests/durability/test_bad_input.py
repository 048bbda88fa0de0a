"""Bad input has a clear answer, and costs nobody anything."""

import asyncio
import io
import json

import aiohttp


async def _post(town, body, secret="only-for-tests", **headers):
    async with aiohttp.ClientSession() as session:
        if secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode())
        async with session.post(f"http://127.0.0.1:{town.port}/telegram/webhook", data=data, headers=headers) as answer:
            return answer.status


def _message(town, person, number, **content):
    return {
        "update_id": number,
        "message": {
            "message_id": number % 100_000,
            "date": int(town.clock().timestamp()),
            "chat": {"id": person, "type": "private", "first_name": "王岚"},
            "from": {"id": person, "is_bot": False, "first_name": "王岚", "language_code": "zh-hans"},
            **content,
        },
    }


async def _started(town):
    """Return somebody to whom the bot may write."""
    wang = await town.customer()
    await wang.say("/start")
    return wang


async def test_a_forged_or_missing_secret_is_forbidden_and_leaves_nothing(town):
    person = (await town.customer()).phone.id
    for number, secret in enumerate(("wrong", "", None, "Only-For-Tests", "x" * 5000), 700):
        assert await _post(town, _message(town, person, number, text="灯坏了"), secret=secret) == 403
    assert town.cases() == []
    assert town._oldest()[2] is None


async def test_malformed_bodies_are_400(town):
    town.tolerated.add("malformed")
    bodies = [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"17",
        b'"text"',
        b"{}",
        b'{"update_id": "7"}',
        b'{"update_id": 1.5}',
    ]
    bodies += [b'{"update_id": NaN}', b"[" * 100_000, b'{"update_id": ' + b"9" * 5000 + b"}"]
    for body in bodies:
        assert await _post(town, body) == 400, body[:40]
    assert town.cases() == []


async def test_a_megabyte_of_text_is_taken_and_three_are_refused(town):
    wang = await _started(town)
    number = 800
    assert await _post(town, _message(town, wang.phone.id, number, text="灯坏了，质量太差。" * 40_000)) == 200
    await town.settle()
    heard = await wang.heard()
    assert town.case().number in heard
    assert len(town.case().words.said[0].text) <= 8192
    assert await _post(town, b"x" * (3 * 1024 * 1024)) in (400, 413)
    assert "怎么称呼您" in await wang.press("同意")


async def test_odd_words_are_answered(town):
    odd = ["😡😡😡", "👍", "…", "？？？", "\u200b", "۱۲۳", "\u200b\u202egnirts", "a\u0000b", "💥" * 3000]
    for number, words in enumerate(odd, 810):
        person = await _started(town)
        assert await _post(town, _message(town, person.phone.id, number, text=words)) == 200
        await town.settle()
        assert await person.heard(), f"whoever writes {words[:9]!r} is answered"


async def test_two_hundred_updates_in_a_second_are_all_kept_and_not_answered_one_by_one(town):
    wang = await _started(town)
    texts = [f"第{number}句：你们的灯坏了，质量太差" for number in range(200)]
    posts = [_post(town, _message(town, wang.phone.id, 1000 + n, text=text)) for n, text in enumerate(texts)]
    began = asyncio.get_running_loop().time()
    statuses = await asyncio.gather(*posts)
    assert set(statuses) == {200}
    assert asyncio.get_running_loop().time() - began < 20
    await town.settle()
    heard = await wang.heard()
    assert heard.many <= 25, "nobody is flooded back"
    assert "都记下了" in heard
    assert len(town.cases()) == 1
    kept = str([event.words for event in town.journal()])
    assert [text for text in texts if text not in kept] == []
    town.clock.push(seconds=30)
    assert "同意" in (await wang.say("还在吗")).labels


async def test_kinds_of_updates_that_nobody_knows_are_acknowledged_and_change_nothing(town):
    person = (await _started(town)).phone.id
    who = {"id": person, "is_bot": False, "first_name": "王岚"}
    contents = [
        {"inline_query": {"id": "1", "from": who, "query": "x", "offset": ""}},
        {"poll": {"id": "1", "question": "?", "options": []}},
        {"channel_post": {"message_id": 1, "date": 1, "chat": {"id": -1001, "type": "channel"}, "text": "x"}},
        {"message_reaction": {"chat": {"id": person, "type": "private"}, "message_id": 1, "date": 1, "user": who}},
        {"something_of_tomorrow": {"deep": [{"er": None}]}},
        {"something_else": 17},
        {},
        {"message": {"message_id": 5}},
        {"message": "text"},
        {"callback_query": {"id": "1"}},
        {"callback_query": {"id": "1", "from": who, "data": "q.0.0.yes"}},
        {"my_chat_member": {"chat": {"id": person, "type": "private"}, "from": who}},
        {
            "edited_message": {
                "message_id": 1,
                "chat": {"id": person, "type": "private"},
                "from": who,
                "date": 1,
                "text": "x",
            }
        },
        {
            "message": {
                "message_id": 6,
                "chat": {"id": person, "type": "private"},
                "from": who,
                "date": 1,
                "dice": {"value": 3},
            }
        },
        {"message": {"message_id": 7, "chat": {"id": 2**70, "type": "private"}, "from": who, "date": -5, "text": "x"}},
    ]
    for number, content in enumerate(contents, 900):
        assert await _post(town, {"update_id": number, **content}) == 200, content
    await town.settle()
    assert town.cases() == []


async def test_health_and_readiness_tell_the_truth(town):
    async with aiohttp.ClientSession() as session:
        for path, status in (
            ("/healthz", 200),
            ("/readyz", 200),
            ("/metrics", 200),
            ("/telegram/webhook", 403),
            ("/nothing", 404),
        ):
            async with session.get(f"http://127.0.0.1:{town.port}{path}") as answer:
                assert answer.status == status, path
                body = await answer.text()
                assert town.sandbox.token not in body
