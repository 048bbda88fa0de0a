"""What we tell WeChat, what it costs, and what comes of it: against an API over real HTTP, with the real purse and shelf."""

import asyncio
import base64
import json
import logging
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import structlog
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import deserialize_reply

from bot.channel import Delivery, Outcome, Parked, Refused, Retry, Sent, Unreachable
from bot.channels.wechat import WeChat, account, incoming, notices, outgoing
from bot.channels.wechat.account import Button, Unanswered
from bot.purse import StorePurse
from bot.shelf import StoreShelf
from bot.tencent import xml
from bot.tencent.envelope import Envelope
from complaints.errors import Malformed, Misconfigured, NotGenuine
from complaints.messages import Address, Choice, Credit, Enclosure, Fetch, OutgoingMessage
from complaints.ports import Changes, Letter, Priority
from storage import KeyRing, Store

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
APP, SECRET, TOKEN = "wx0123456789abcdef", "5ecret5ecret", "callbacktoken"
KEY = base64.b64encode(bytes(range(32))).decode()[:43]
SAY, TEMPLATE, SUBSCRIBED = (
    "/cgi-bin/message/custom/send",
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend",
)
LIST, NEWTMPL, MEDIA = "/cgi-bin/template/get_all_private_template", "/wxaapi/newtmpl/gettemplate", "/cgi-bin/media/get"
RING = KeyRing.generate()
HERE = Address(channel="wechat", chat="o_1")
RID = "rid: 64006c09-5c520bc0-6fa3dadf"


@dataclass
class Platform:
    """What was called, and what shall be answered: JSON, an error's number, bytes, a (status, text) pair, or "drop"."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Any] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    steady: bool = True

    def next(self, path: str, *answers: Any) -> None:
        self.answers[path].extend(answers)

    def called(self, path: str) -> list[dict[str, Any]]:
        return [body for name, body, _ in self.calls if name == path]

    def texts(self) -> list[str]:
        return [body["text"]["content"] for body in self.called(SAY) if body["msgtype"] == "text"]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else {}
        self.calls.append((request.path, body, dict(request.query)))
        if request.path == "/cgi-bin/stable_token":
            return self.token(body)
        answer = self.answers[request.path].popleft() if self.answers[request.path] else self.always.get(request.path)
        if answer is None and request.query.get("access_token") != self.tokens[-1]:
            answer = 40001
        if answer == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="image/jpeg", headers={"Content-Disposition": "attachment"})
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text=answer[1])
        if isinstance(answer, int):
            told = f"refused {request.query['access_token']} {RID}"
            return web.json_response({"errcode": answer, "errmsg": told})
        return web.json_response({"errcode": 0, "errmsg": "ok"} if answer is None else answer)

    def token(self, body: dict[str, Any]) -> web.Response:
        assert body["force_refresh"] is False
        if self.answers["token"]:
            return web.json_response({"errcode": self.answers["token"].popleft(), "errmsg": f"no, {body['secret']}"})
        if body != {"grant_type": "client_credential", "appid": APP, "secret": SECRET, "force_refresh": False}:
            return web.json_response({"errcode": 40125, "errmsg": "invalid appsecret"})
        if not self.tokens or not self.steady:
            self.tokens.append(f"TOKEN{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "expires_in": 7200})


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    platform = Platform()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", platform.serve)
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield platform
    await runner.cleanup()


@pytest.fixture
def store(new_database: Callable[[str], str]) -> Iterator[Store]:
    store = Store.open(new_database("sqlite"), ring=RING, node="test")
    yield store
    store.close()


Opener = Callable[..., Any]
Grant = Callable[..., None]


@pytest.fixture
async def open_wechat(platform: Platform, store: Store) -> AsyncIterator[Opener]:
    opened: list[WeChat] = []

    async def open_it(**settings: Any) -> WeChat:
        given = {
            "app_id": APP,
            "secret": SECRET,
            "token": TOKEN,
            "clock": lambda: NOW,
            "purse": StorePurse(store, lambda: NOW),
            "shelf": StoreShelf(store, lambda: NOW),
            "api_url": platform.url,
            "page": lambda number: f"https://desk.example/p/{number}",
        }
        wechat = WeChat(**given | settings)
        await wechat.start()
        opened.append(wechat)
        return wechat

    yield open_it
    for wechat in opened:
        await wechat.stop()


@pytest.fixture
async def wechat(open_wechat: Opener, grant: Grant) -> WeChat:
    """A service account to which somebody has just written."""
    grant(*incoming.MESSAGE)
    opened: WeChat = await open_wechat()
    return opened


@pytest.fixture
def grant(store: Store) -> Grant:
    def give(*credits_: Credit, chat: str = "o_1") -> None:
        with store.unit(NOW) as unit:
            unit.flush(Changes(credits=[(Address(channel="wechat", chat=chat), each) for each in credits_]))

    return give


@pytest.fixture
def left(store: Store) -> Callable[[str], int]:
    """Count what a counter still holds, by spending all of it."""

    def count(name: str) -> int:
        spent = 0
        while store.spend(HERE, [name], NOW, 0):
            spent += 1
        return spent

    return count


def letter(
    body: Any = "hello",
    *,
    number: int = 1,
    priority: Priority = Priority.ANSWER,
    chat: str = "o_1",
    channel: str = "wechat",
) -> Letter:
    return Letter(
        id=number,
        address=Address(channel=channel, chat=chat),
        body=OutgoingMessage(text=body) if isinstance(body, str) else body,
        priority=priority,
        due_at=NOW,
        conversation_id=42,
    )


def choices(*labels: str, **more: Any) -> tuple[tuple[Choice, ...], ...]:
    return tuple(
        (Choice(label=label, token=f"q.1.{number}", number=number, **more),) for number, label in enumerate(labels, 1)
    )


# saying


async def test_a_message_is_a_text_with_numbered_choices_and_its_hint(
    wechat: WeChat, platform: Platform, open_wechat: Opener
) -> None:
    rows = ((Choice(label="看 <进度>", url='https://x.example/?a=1&b="2"<'),),)

    outcome = await wechat.send(letter(OutgoingMessage(text="<b>门</b>\x00\x07", choices=rows, hint="回复数字")))

    assert outcome == Sent()
    link = '<a href="https://x.example/?a=1&b=%222%22%3C">看 ‹进度›</a>'
    assert platform.called(SAY) == [
        {"touser": "o_1", "msgtype": "text", "text": {"content": f"<b>门</b>\n回复数字\n{link}"}}
    ]


async def test_words_travel_as_they_are_and_not_as_escapes(wechat: WeChat, platform: Platform) -> None:
    sent: list[bytes] = []
    serve = platform.serve

    async def listen(request: web.Request) -> web.StreamResponse:
        sent.append(await request.read())
        return await serve(request)

    assert json.dumps("门") != '"门"'
    runner = web.AppRunner(app := web.Application(), access_log=None)
    app.router.add_route("*", "/{path:.*}", listen)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    wechat.api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    await wechat.send(letter("门坏了 😀"))
    await runner.cleanup()

    assert "门坏了 😀".encode() in sent[-1]


async def test_a_long_text_comes_in_parts_of_at_most_2048_bytes(wechat: WeChat, platform: Platform) -> None:
    text = "\n\n".join(["段落。" * 60] * 8)

    assert await wechat.send(letter(text)) == Sent()

    parts = platform.texts()
    assert "".join(parts) == text
    assert 1 < len(parts) <= 4
    assert all(len(part.encode()) <= 2048 for part in parts)


async def test_each_part_costs_a_credit_and_the_last_is_kept_for_a_decision(
    wechat: WeChat, platform: Platform, grant: Grant
) -> None:
    for number in range(6):
        await wechat.send(letter(f"answer {number}", number=number + 1))
    assert platform.texts() == [f"answer {number}" for number in range(4)]

    assert await wechat.send(letter("decide", number=9, priority=Priority.DECISION)) == Sent()
    assert await wechat.send(letter("decide", number=10, priority=Priority.DECISION)) == Parked(reason="window")


async def test_what_nobody_asked_for_leaves_two_credits(wechat: WeChat, platform: Platform) -> None:
    outcomes = [await wechat.send(letter(number=number, priority=Priority.PROGRESS)) for number in range(1, 6)]

    assert outcomes == [Sent(), Sent(), Sent(), Parked(reason="window"), Parked(reason="window")]


async def test_without_a_credit_nothing_is_said(open_wechat: Opener, platform: Platform) -> None:
    wechat = await open_wechat()

    assert await wechat.send(letter()) == Parked(reason="window")
    assert platform.calls == []


async def test_a_letter_goes_on_where_it_was_cut_off_and_pays_each_part_once(
    wechat: WeChat, platform: Platform, left: Callable[[str], int]
) -> None:
    told = letter("a" * 2048 + "b" * 10)
    platform.next(SAY, {"errcode": 0}, -1, "drop", (502, "Bad Gateway"))

    outcomes = [await wechat.send(told) for _ in range(4)]

    assert outcomes[0] == Retry(reason="busy")
    assert all(isinstance(each, Retry) for each in outcomes[1:3])
    assert outcomes[3] == Sent()
    assert [text[0] for text in platform.texts()] == ["a", "b", "b", "b", "b"]
    assert left("message") == 3


async def test_a_letter_that_others_have_joined_is_said_from_its_beginning(wechat: WeChat, platform: Platform) -> None:
    platform.next(SAY, {"errcode": 0}, -1)
    await wechat.send(letter("a" * 2048 + "b" * 10))

    assert await wechat.send(letter("other words")) == Sent()
    assert platform.texts()[-1] == "other words"


@pytest.mark.parametrize("text", ["", " \n", "\x00"])
async def test_a_message_without_a_word_is_refused_here(wechat: WeChat, platform: Platform, text: str) -> None:
    assert isinstance(await wechat.send(letter(text)), Refused)
    assert platform.called(SAY) == []


@pytest.mark.parametrize("body", [Enclosure(kind="photo", ref="x"), Fetch(evidence_id=1, ref="x")])
async def test_customers_are_sent_no_files(wechat: WeChat, platform: Platform, body: Any) -> None:
    assert isinstance(await wechat.send(letter(body)), Refused)
    assert platform.calls == []


async def test_a_part_that_is_too_long_for_the_platform_is_said_in_shorter_ones(
    wechat: WeChat, platform: Platform
) -> None:
    text = "一句话。" * 150
    platform.next(SAY, 45002, 45002)

    assert await wechat.send(letter(text)) == Sent()
    said = platform.texts()[2:]
    assert "".join(said) == text
    assert len(said) >= 3


async def test_a_platform_to_which_everything_is_too_long_is_not_asked_for_ever(
    wechat: WeChat, platform: Platform
) -> None:
    platform.always[SAY] = 45002

    assert isinstance(await wechat.send(letter("长" * 600)), Refused)
    assert len(platform.called(SAY)) < 8


# choices to tap


MENU = OutgoingMessage(text="哪一类？", choices=choices("质量", "物流"), hint="回复数字")


async def test_a_service_account_offers_choices_to_tap_at_the_cost_of_one_message(
    wechat: WeChat, platform: Platform, left: Callable[[str], int]
) -> None:
    assert await wechat.send(letter(MENU)) == Sent()

    assert platform.called(SAY) == [
        {
            "touser": "o_1",
            "msgtype": "msgmenu",
            "msgmenu": {
                "head_content": "哪一类？",
                "list": [{"id": "q.1.1", "content": "1. 质量"}, {"id": "q.1.2", "content": "2. 物流"}],
                "tail_content": "回复数字",
            },
        }
    ]
    assert left("message") == 4


async def test_an_account_that_may_not_is_asked_once_and_pays_once(
    wechat: WeChat, platform: Platform, left: Callable[[str], int]
) -> None:
    platform.next(SAY, 40200)

    assert await wechat.send(letter(MENU)) == Sent()
    assert await wechat.send(letter(MENU, number=2)) == Sent()

    assert [body["msgtype"] for body in platform.called(SAY)] == ["msgmenu", "text", "text"]
    assert platform.texts()[0] == "哪一类？\n1. 质量\n2. 物流\n回复数字"
    assert left("message") == 3


@pytest.mark.parametrize(
    "message",
    [
        OutgoingMessage(text="?", choices=choices("一个")),
        OutgoingMessage(text="?", choices=choices(*"一二三四五六七八九十多")),
        OutgoingMessage(text="长" * 700, choices=choices("是", "否")),
        OutgoingMessage(text="?", choices=((Choice(label="是", token="x"), Choice(label="否", token="y")),)),
        OutgoingMessage(text="?", choices=choices("是", "否", url="https://x.example")),
        OutgoingMessage(
            text="?", choices=((Choice(label="是", token="x" * 65, number=1), Choice(label="否", token="y", number=2)),)
        ),
    ],
)
def test_choices_that_do_not_fit_are_only_numbered(message: OutgoingMessage) -> None:
    assert outgoing.choosing("o_1", message) is None


@pytest.mark.parametrize("kind", ["subscription", "test"])
async def test_other_accounts_never_try(open_wechat: Opener, platform: Platform, grant: Grant, kind: str) -> None:
    grant(*incoming.MESSAGE)

    assert await (await open_wechat(kind=kind)).send(letter(MENU)) == Sent()
    assert [body["msgtype"] for body in platform.called(SAY)] == ["text"]


# errors


MISCONFIGURED = (40013, 40125, 40164, 41002, 48001, 50002)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-1, Retry(reason="busy")),
        (40003, Refused(error="nobody of that id follows the account")),
        (40007, Refused(error="gone")),
        (46001, Refused(error="gone")),
        (40200, Refused(error="not for this kind of account")),
        (43004, Unreachable(reason="blocked")),
        (43019, Unreachable(reason="blocked")),
        (43101, Unreachable(reason="forbidden")),
        (45009, Retry(reason="the quota of the day is used up", after=3600.0, pause="channel")),
        (45011, Retry(reason="throttled", after=60.0, pause="channel")),
        (45015, Parked(reason="window")),
        (45047, Parked(reason="window")),
    ],
)
async def test_every_error_is_an_outcome_with_a_name(
    wechat: WeChat, platform: Platform, code: int, expected: Outcome
) -> None:
    platform.next(SAY, code)

    assert await wechat.send(letter()) == expected
    assert len(platform.called(SAY)) == 1


@pytest.mark.parametrize("code", MISCONFIGURED)
async def test_what_is_set_up_wrongly_rests_the_channel(wechat: WeChat, platform: Platform, code: int) -> None:
    platform.next(SAY, code)

    outcome = await wechat.send(letter())

    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith(f"misconfigured: {code}")
    assert (outcome.after, outcome.pause) == (60.0, "channel")


@pytest.mark.parametrize("code", [47001, 47003, 99999])
async def test_what_the_platform_cannot_read_is_refused_with_its_words(
    wechat: WeChat, platform: Platform, code: int
) -> None:
    platform.next(SAY, code)

    outcome = await wechat.send(letter())

    assert isinstance(outcome, Refused)
    assert str(code) in outcome.error
    assert RID in outcome.error


@pytest.mark.parametrize(
    "answer", ["drop", (502, "<html>Bad Gateway</html>"), (200, "[]"), {"errcode": "x"}, (200, "x" * 2_000_000)]
)
async def test_trouble_on_the_way_is_tried_again(wechat: WeChat, platform: Platform, answer: Any) -> None:
    platform.next(SAY, answer)

    assert isinstance(await wechat.send(letter()), Retry)


async def test_a_closed_channel_answers_without_a_crash(open_wechat: Opener, grant: Grant) -> None:
    grant(*incoming.MESSAGE)
    wechat = await open_wechat()
    await wechat.stop()

    assert await wechat.send(letter()) == Retry(reason="closed")


async def test_a_window_that_the_platform_says_is_closed_is_closed_here_too(
    wechat: WeChat, platform: Platform, left: Callable[[str], int]
) -> None:
    platform.next(SAY, 45047)

    assert await wechat.send(letter()) == Parked(reason="window")
    assert left("message") == 0


# the access token


async def test_all_callers_share_one_token(wechat: WeChat, platform: Platform, grant: Grant) -> None:
    grant(*incoming.MESSAGE)

    await asyncio.gather(*(wechat.ping() for _ in range(20)))

    assert len(platform.called("/cgi-bin/stable_token")) == 1
    assert {query["access_token"] for path, _, query in platform.calls if path != "/cgi-bin/stable_token"} == {"TOKEN0"}


async def test_a_token_that_is_no_longer_taken_is_renewed_once(wechat: WeChat, platform: Platform) -> None:
    assert await wechat.ping() == Sent()
    platform.tokens.append("TOKEN1")

    outcomes = await asyncio.gather(*(wechat.ping() for _ in range(5)))

    assert outcomes == [Sent()] * 5
    assert len(platform.called("/cgi-bin/stable_token")) == 2


@pytest.mark.parametrize("steady", [True, False])
@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_platform_that_takes_no_token_is_asked_twice_and_no_more(
    wechat: WeChat, platform: Platform, code: int, steady: bool
) -> None:
    platform.always[SAY] = code
    platform.steady = steady

    outcome = await asyncio.wait_for(wechat.send(letter()), 5)

    assert outcome == Retry(reason="misconfigured: no access token is taken", after=60.0, pause="channel")
    assert len(platform.called(SAY)) == (1 if steady else 2)
    assert len(platform.called("/cgi-bin/stable_token")) == 2


async def test_a_wrong_secret_is_told_once_in_a_while_and_never_shown(
    open_wechat: Opener, platform: Platform, grant: Grant, caplog: pytest.LogCaptureFixture
) -> None:
    grant(*incoming.MESSAGE)
    wechat = await open_wechat()
    platform.next("token", 40125, 40125, 40164)
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        outcomes = [await wechat.send(letter()) for _ in range(3)]

    assert all(isinstance(each, Retry) and each.pause == "channel" for each in outcomes)
    assert [log["event"] for log in logs] == ["no_access_token", "wechat_channel_rests"]
    assert SECRET not in f"{outcomes}{logs}{caplog.text}{wechat!r}{wechat.api!r}"


async def test_an_error_never_shows_the_token_but_the_call_that_support_asks_for(
    wechat: WeChat, platform: Platform
) -> None:
    platform.next(SAY, 99999)
    with structlog.testing.capture_logs() as logs:
        outcome = await wechat.send(letter())

    assert "TOKEN0" not in f"{outcome}{logs}"
    assert logs[0]["rid"] == "64006c09-5c520bc0-6fa3dadf"


@pytest.mark.parametrize(
    "answer", [{"expires_in": 7200}, {"access_token": "", "expires_in": 1}, {"access_token": "x", "expires_in": "y"}]
)
async def test_an_answer_without_a_token_is_trouble(open_wechat: Opener, platform: Platform, answer: Any) -> None:
    async def token(body: dict[str, Any]) -> web.Response:
        return web.json_response(answer)

    platform.token = lambda body: web.json_response(answer)  # type: ignore[method-assign]
    assert await (await open_wechat()).ping() == Retry(reason="no token in the answer")


# notices


TEMPLATES = {
    "template_list": [
        {
            "template_id": "progress1",
            "title": "进度",
            "content": "编号:{{character_string1.DATA}}\n说明:{{thing2.DATA}}\n时间:{{time3.DATA}}\n",
        }
    ]
}
NOTICES = {
    "errcode": 0,
    "data": [{"priTmplId": "subscribe1", "content": "状态:{{phrase1.DATA}}\n备注:{{thing4.DATA}}", "type": 2}],
}
ABOUT = OutgoingMessage(text="您的投诉有了新的进展，请在这里查看全部内容：\n已处理", about="T26-00001-7")


async def test_a_closed_window_is_told_by_a_template_message_once(
    open_wechat: Opener, platform: Platform, grant: Grant
) -> None:
    grant(incoming.NOTICE)
    platform.always[LIST] = TEMPLATES
    wechat = await open_wechat(templates={"progress": "progress1"})

    outcomes = [await wechat.send(letter(ABOUT, number=number, priority=Priority.PROGRESS)) for number in (7, 8)]

    assert outcomes == [Parked(reason="window", noticed=True)] * 2, "the first notice holds for both"
    assert platform.called(TEMPLATE) == [
        {
            "touser": "o_1",
            "template_id": "progress1",
            "data": {
                "character_string1": {"value": "T26-00001-7"},
                "thing2": {"value": "您的投诉有了新的进展，请在这里查看全部…"},
                "time3": {"value": "2026-03-06 14:30"},
            },
            "client_msg_id": "7",
            "url": "https://desk.example/p/42",
        }
    ]
    assert len(platform.called(LIST)) == 1


async def test_a_decision_is_told_even_so(open_wechat: Opener, platform: Platform, grant: Grant) -> None:
    platform.always[LIST] = TEMPLATES
    wechat = await open_wechat(templates={"progress": "progress1"})

    for number in (1, 2):
        outcome = await wechat.send(letter(ABOUT, number=number, priority=Priority.DECISION))
        assert outcome == Parked(reason="window", noticed=True)
    assert await wechat.send(letter(ABOUT, number=3)) == Parked(reason="window", noticed=True)
    assert len(platform.called(TEMPLATE)) == 2


async def test_a_notice_that_could_not_be_sent_is_tried_again_at_no_further_cost(
    open_wechat: Opener, platform: Platform, grant: Grant
) -> None:
    grant(incoming.NOTICE)
    platform.next(TEMPLATE, -1, "drop")
    wechat = await open_wechat(templates={"progress": "progress1:thing1+character_string2"})

    outcomes = [await wechat.send(letter(ABOUT)) for _ in range(3)]

    assert [type(each) for each in outcomes] == [Retry, Retry, Parked]
    assert outcomes[-1] == Parked(reason="window", noticed=True)
    assert {body["client_msg_id"] for body in platform.called(TEMPLATE)} == {"1"}
    assert platform.called(LIST) == []


async def test_where_no_template_message_goes_a_subscription_notice_does_if_the_person_said_yes(
    open_wechat: Opener, platform: Platform, grant: Grant
) -> None:
    grant(incoming.NOTICE, Credit(name="template:subscribe1", count=1, seconds=60, adds=True))
    platform.always[NEWTMPL] = NOTICES
    wechat = await open_wechat(kind="subscription", templates={"subscribe": "subscribe1"})

    assert await wechat.send(letter(ABOUT)) == Parked(reason="window", noticed=True)
    assert await wechat.send(letter(ABOUT, number=2, priority=Priority.DECISION)) == Parked(reason="window")
    assert platform.called(SUBSCRIBED) == [
        {
            "touser": "o_1",
            "template_id": "subscribe1",
            "data": {
                "phrase1": {"value": "您的投诉有"},
                "thing4": {"value": "您的投诉有了新的进展，请在这里查看全部…"},
            },
            "page": "https://desk.example/p/42",
        }
    ]


@pytest.mark.parametrize("code", [40037, 47003])
async def test_a_template_message_that_is_refused_leaves_the_other_way(
    open_wechat: Opener, platform: Platform, grant: Grant, code: int
) -> None:
    grant(incoming.NOTICE, Credit(name="template:subscribe1", count=1, seconds=60, adds=True))
    platform.always |= {LIST: TEMPLATES, NEWTMPL: NOTICES, TEMPLATE: code}
    wechat = await open_wechat(templates={"progress": "progress1", "subscribe": "subscribe1"})

    assert await wechat.send(letter(ABOUT)) == Parked(reason="window", noticed=True)
    assert len(platform.called(SUBSCRIBED)) == 1


async def test_a_yes_that_was_taken_back_is_forgotten(
    open_wechat: Opener, platform: Platform, grant: Grant, left: Callable[[str], int]
) -> None:
    grant(Credit(name="template:subscribe1", count=3, seconds=60))
    platform.always |= {NEWTMPL: NOTICES, SUBSCRIBED: 43101}
    wechat = await open_wechat(templates={"subscribe": "subscribe1"})

    assert await wechat.send(letter(ABOUT, priority=Priority.DECISION)) == Parked(reason="window")
    assert left("template:subscribe1") == 0


@pytest.mark.parametrize("path", [LIST, TEMPLATE])
@pytest.mark.parametrize("code", [45009, 48001])
async def test_an_account_that_may_not_notify_still_speaks(
    open_wechat: Opener, platform: Platform, grant: Grant, path: str, code: int
) -> None:
    platform.always |= {LIST: TEMPLATES, path: code}
    wechat = await open_wechat(templates={"progress": "progress1"})

    assert await wechat.send(letter(ABOUT, priority=Priority.DECISION)) == Parked(reason="window")


async def test_a_yes_is_spent_once_however_often_the_notice_is_tried(
    open_wechat: Opener, platform: Platform, grant: Grant, left: Callable[[str], int]
) -> None:
    grant(incoming.NOTICE, Credit(name="template:subscribe1", count=2, seconds=60))
    platform.next(SUBSCRIBED, -1, "drop")
    wechat = await open_wechat(templates={"subscribe": "subscribe1:thing1"})

    outcomes = [await wechat.send(letter(ABOUT)) for _ in range(3)]

    assert [type(each) for each in outcomes] == [Retry, Retry, Parked]
    assert left("template:subscribe1") == 1


async def test_a_parked_letter_that_is_parked_again_is_told_by_a_new_notice_only_at_its_price(
    open_wechat: Opener, platform: Platform, grant: Grant
) -> None:
    grant(incoming.NOTICE)
    wechat = await open_wechat(templates={"progress": "progress1:thing1"})

    outcomes = [await wechat.send(letter(ABOUT)) for _ in range(2)]

    assert outcomes == [Parked(reason="window", noticed=True)] * 2
    assert len(platform.called(TEMPLATE)) == 1


async def test_who_does_not_follow_any_more_is_unreachable(
    open_wechat: Opener, platform: Platform, grant: Grant
) -> None:
    grant(incoming.NOTICE)
    platform.always |= {LIST: TEMPLATES, TEMPLATE: 43004}
    wechat = await open_wechat(templates={"progress": "progress1"})

    assert await wechat.send(letter(ABOUT)) == Unreachable(reason="blocked")


@pytest.mark.parametrize(
    "answer",
    [
        {"template_list": []},
        {"template_list": "x"},
        {},
        {"template_list": [{"template_id": "progress1", "content": "no fields"}]},
    ],
)
async def test_a_template_that_is_not_listed_is_an_error_in_the_log_and_no_more(
    open_wechat: Opener, platform: Platform, grant: Grant, answer: Any
) -> None:
    grant(incoming.NOTICE)
    platform.always[LIST] = answer
    wechat = await open_wechat(templates={"progress": "progress1"})

    with structlog.testing.capture_logs() as logs:
        assert await wechat.send(letter(ABOUT)) == Parked(reason="window")
    assert [log["event"] for log in logs] == ["wechat_template_unknown"]


def test_every_field_holds_what_its_type_allows() -> None:
    names = [
        "first",
        "keyword1",
        "thing2",
        "thing3",
        "thing10",
        "character_string4",
        "number5",
        "time6",
        "date7",
        "phrase8",
        "remark",
    ]
    template = notices.declared("t:" + "+".join(names))

    data = notices.fill(
        template,
        text="😀" * 30 + "\r\n\n第二行\t有空格\n退款处理中了",
        about="T26-00001-7",
        at=NOW + timedelta(hours=12),
    )

    assert data is not None
    values = {name: each["value"] for name, each in data.items()}
    assert list(values) == names
    assert all(0 < len(value.encode("utf-16-le")) // 2 <= 20 for name, value in values.items())
    assert not any("\n" in value for value in values.values())
    assert (values["character_string4"], values["number5"]) == ("T26-00001-7", "26000017")
    assert (values["time6"], values["date7"]) == ("2026-03-07 02:30", "2026-03-07")
    assert values["phrase8"] == "第二行有空"


@pytest.mark.parametrize("names", ["amount1", "phone_number2+thing1", "const3", "name1", "enum_string2", "", "1"])
def test_a_field_for_which_we_have_nothing_makes_no_notice(names: str) -> None:
    assert notices.fill(notices.declared(f"t:{names}"), text="进展", about="", at=NOW) is None


def test_a_field_with_given_values_takes_the_first_of_them() -> None:
    listed = {
        "data": [
            {
                "priTmplId": "t",
                "content": "x:{{enum_string2.DATA}}",
                "keywordEnumValueList": [{"keywordCode": "enum_string2.DATA", "enumValueList": ["客厅", "餐厅"]}],
            }
        ]
    }

    assert notices.fill(notices.listed(listed)["t"], text="x", about="", at=NOW) == {"enum_string2": {"value": "客厅"}}


def test_nothing_to_say_is_a_dash_and_not_an_empty_field() -> None:
    data = notices.fill(notices.declared("t:thing1+thing2+character_string3"), text="", about="", at=NOW)

    assert data == {"thing1": {"value": "-"}, "thing2": {"value": "-"}, "character_string3": {"value": "-"}}


# in the answer to the post


def posted(*, aes: bool = False, sender: str = "o_1", at: datetime = NOW, **fields: Any) -> Delivery:
    stamp = str(int(at.timestamp()))
    body = xml.write(
        {
            "ToUserName": "gh_1",
            "FromUserName": sender,
            "CreateTime": int(stamp),
            "MsgType": "text",
            "Content": "在吗",
            "MsgId": 5,
        }
        | fields
    )
    envelope = Envelope(token=TOKEN, aes_key=KEY, receiver=APP, clock=lambda: NOW)
    query = {"timestamp": stamp, "nonce": "n", "signature": envelope._signature(stamp, "n"), "openid": sender}
    if aes:
        sealed = xml.read(envelope.seal(body, stamp, "n"))
        query |= {"encrypt_type": "aes", "msg_signature": sealed["MsgSignature"]}
        body = xml.write({"ToUserName": "gh_1", "Encrypt": sealed["Encrypt"]})
    return Delivery(headers={}, query=query, body=body)


async def test_the_address_is_proved_by_its_echo(wechat: WeChat) -> None:
    query = {**posted().query, "echostr": "4711"}

    assert wechat.verify(Delivery(headers={}, query=query, body=b"")).body == b"4711"
    with pytest.raises(NotGenuine):
        wechat.verify(Delivery(headers={}, query=query | {"signature": "0"}, body=b""))


@pytest.mark.parametrize("aes", [True, False])
async def test_posts_are_understood_in_either_mode(open_wechat: Opener, aes: bool) -> None:
    wechat = await open_wechat(aes_key=KEY if aes else "")

    (heard,) = wechat.understand(posted(aes=aes))

    assert (heard.text, heard.sender, heard.key) == ("在吗", "o_1", "wechat:5")


async def test_forged_and_broken_posts_are_told_apart(open_wechat: Opener) -> None:
    wechat = await open_wechat(aes_key=KEY)
    good = posted(aes=True)

    for forged in (
        posted(),
        Delivery(headers={}, query={}, body=good.body),
        posted(aes=True, at=NOW - timedelta(hours=1)),
    ):
        with pytest.raises(NotGenuine):
            wechat.understand(forged)
    for broken in (b"", b"{}", b"<xml/>", b"<html></html>"):
        with pytest.raises(Malformed):
            wechat.understand(Delivery(headers={}, query=good.query, body=broken))


async def test_answers_go_together_in_the_answer_to_the_post(wechat: WeChat) -> None:
    letters = [
        letter("一"),
        letter(MENU, number=2),
        letter("else", number=3, chat="o_2"),
        letter("room", number=4, channel="telegram"),
    ]

    reply = wechat.passive(posted(), letters)

    assert reply.carried == tuple(letters[:2])
    theirs = deserialize_reply(reply.body.decode())
    assert (theirs.type, theirs.source, theirs.target) == ("text", "gh_1", "o_1")
    assert theirs.content == "一\n\n哪一类？\n1. 质量\n2. 物流\n回复数字"
    assert str(theirs.time) == STAMP
    assert reply.content_type == "text/xml"


async def test_only_our_own_links_are_links(wechat: WeChat, platform: Platform) -> None:
    words = 'Pay <a href="https://evil.example">here</a> or < A\nhref=x>there</A>, 1 <abc 2'
    rows = ((Choice(label=words, url="https://desk.example/p/1"),),)

    reply = wechat.passive(posted(), [letter(OutgoingMessage(text=words, choices=rows))])
    await wechat.send(letter(OutgoingMessage(text=words, choices=choices(words, "b"), hint=words), number=2))

    [menu] = [body["msgmenu"] for body in platform.called(SAY)]
    theirs = xml.read(reply.body)["Content"]
    assert theirs.lower().count("<a") == 2  # ours, and what is no link
    assert "<abc 2" in theirs
    shown = menu["head_content"] + menu["tail_content"] + "".join(each["content"] for each in menu["list"])
    assert not re.search(r"</?\s*a\b", shown, re.IGNORECASE)


async def test_an_encrypted_post_gets_an_encrypted_answer(open_wechat: Opener) -> None:
    wechat = await open_wechat(aes_key=KEY)

    reply = wechat.passive(posted(aes=True), [letter("一 ]]> <b>")])

    envelope = xml.read(reply.body)
    opened = WeChatCrypto(TOKEN, KEY, APP).decrypt_message(
        reply.body.decode(), envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
    )
    assert deserialize_reply(opened).content == "一 ]]> <b>"


ATTACK = "x]]></Content><MsgType><![CDATA[news]]></MsgType><Content><![CDATA["


async def test_a_customers_words_in_an_answer_stay_words(wechat: WeChat) -> None:
    reply = wechat.passive(posted(), [letter(f"您说：{ATTACK}")])

    theirs = deserialize_reply(reply.body.decode())
    assert (theirs.type, theirs.content) == ("text", f"您说：{ATTACK}")


@pytest.mark.parametrize(
    "letters", [[], [letter("")], [letter("x", chat="o_2")], [letter(Fetch(evidence_id=1, ref="x"))]]
)
async def test_where_nothing_is_said_the_platform_hears_success(wechat: WeChat, letters: list[Letter]) -> None:
    reply = wechat.passive(posted(), letters)

    assert (reply.body, reply.carried, reply.content_type) == (b"success", (), "text/plain")


async def test_what_has_no_place_in_the_answer_is_left_to_be_sent(wechat: WeChat) -> None:
    letters = [letter("a" * 1000), letter("b" * 1000, number=2), letter("c" * 100, number=3), letter("d", number=4)]

    reply = wechat.passive(posted(), letters)

    assert reply.carried == tuple(letters[:2])
    assert len(xml.read(reply.body)["Content"].encode()) <= 2048


async def test_an_answer_that_is_too_long_is_said_whole_also_if_nobody_took_the_answer_to_the_post(
    wechat: WeChat, platform: Platform
) -> None:
    long = letter("a" * 2000 + "\n\n" + "b" * 2000)

    reply = wechat.passive(posted(), [long, letter("c", number=2)])  # which the platform did not wait for
    outcome = await wechat.send(long)

    assert (reply.body, reply.carried) == (b"success", ())
    assert "".join(platform.texts()).replace("\n", "") == "a" * 2000 + "b" * 2000
    assert outcome == Sent()


async def test_a_proof_that_has_run_out_meanwhile_costs_no_letter(open_wechat: Opener) -> None:
    moments = iter([NOW, NOW + timedelta(minutes=16)])
    wechat = await open_wechat(clock=lambda: next(moments))
    delivery = posted(MsgType="text", CreateTime=int(STAMP))
    wechat.understand(delivery)

    reply = wechat.passive(delivery, [letter("一")])

    assert (reply.body, reply.carried) == (b"success", ())


# files


class Pieces(bytearray):
    async def sink(self, piece: bytes) -> None:
        self.extend(piece)


async def test_a_file_comes_home(wechat: WeChat, platform: Platform) -> None:
    content, got = bytes(range(256)) * 1000, Pieces()
    platform.next(MEDIA, 42001, content)
    platform.steady = False

    assert await wechat.fetch("m-1", got.sink) == Sent()
    assert bytes(got) == content
    assert platform.calls[-1][2]["media_id"] == "m-1"


async def test_a_film_is_fetched_from_where_the_platform_says(wechat: WeChat, platform: Platform) -> None:
    got = Pieces()
    platform.next(MEDIA, {"video_url": f"{platform.url}/film?x=1"})
    platform.next("/film", b"film")

    assert await wechat.fetch("m", got.sink) == Sent()
    assert bytes(got) == b"film"
    assert "access_token" not in platform.calls[-1][2]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://example.com/film",
        "https://qq.com.example.com/film",
        "https://u:p@v.qq.com/film",
        "https://v.qq.com:8443/film",
        "file:///etc/passwd",
        "ftp://v.qq.com/film",
        "https://v.qq.com:x/",
        "https://[::1/film",
        "",
        None,
        7,
    ],
)
async def test_a_film_that_lies_elsewhere_is_not_fetched(wechat: WeChat, platform: Platform, url: Any) -> None:
    platform.next(MEDIA, {"video_url": url})

    assert isinstance(await wechat.fetch("m", Pieces().sink), Refused)


@pytest.mark.parametrize(
    "url", ["http://mpvideo.qpic.cn/a?b=c", "https://vweixinp.tc.qq.com/a?b=c", "http://api.weixin.qq.com:80/a?b=c"]
)
async def test_films_at_the_platform_are_fetched_encrypted(wechat: WeChat, url: str) -> None:
    host = url.split("/")[2].partition(":")[0]

    assert wechat._trusted(url) == f"https://{host}/a?b=c"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (40007, Refused(error="gone")),
        (-1, Retry(reason="busy")),
        ((503, "busy"), Retry(reason="HTTP 503")),
        (45009, Retry(reason="the quota of the day is used up", after=3600.0)),
        ({"nothing": "here"}, Refused(error="the platform names no file that can be fetched")),
        (b"x" * (20 * 1024 * 1024 + 1), Refused(error="the file is too big to be fetched")),
    ],
)
async def test_a_file_that_does_not_come_has_an_outcome(
    wechat: WeChat, platform: Platform, answer: Any, expected: Outcome
) -> None:
    platform.next(MEDIA, answer)

    assert await wechat.fetch("m", Pieces().sink) == expected


async def test_a_file_that_breaks_off_is_fetched_again_and_a_full_disk_is_told(
    wechat: WeChat, platform: Platform
) -> None:
    async def full(piece: bytes) -> None:
        raise OSError(28, "no space left")

    platform.next(MEDIA, "drop", "drop", b"content")  # the second: the connection pool tries a GET again by itself

    assert isinstance(await wechat.fetch("m", full), Retry)
    with pytest.raises(OSError, match="no space"):
        await wechat.fetch("m", full)


# settings


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"app_id": "gh_1"}, "APP_ID"),
        ({"secret": "hush hush"}, "SECRET"),
        ({"token": "a-b"}, "TOKEN"),
        ({"aes_key": "short"}, "AES_KEY"),
        ({"kind": "personal"}, "KIND"),
        ({"api_url": "ftp://x"}, "API_URL"),
        ({"api_url": "https://x.example/path"}, "API_URL"),
        ({"templates": {"other": "abcdefgh"}}, "TEMPLATES"),
        ({"templates": {"progress": "a b"}}, "TEMPLATES"),
        ({"templates": {"progress": "abcdefgh"}, "kind": "subscription"}, "TEMPLATES"),
    ],
)
async def test_a_setting_that_cannot_work_is_named_and_not_shown(
    open_wechat: Opener, wrong: dict[str, Any], named: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        await open_wechat(**wrong)

    assert [problem.split(" ")[0].split(":")[0] for problem in caught.value.problems] == [f"PLAINT_WECHAT_{named}"]
    assert "hush" not in str(caught.value)


# the account


BUTTONS = (
    Button(
        label="投诉", more=(Button(label="我要投诉", key="NEW_CASE"), Button(label="我的投诉", url="https://x.example"))
    ),
    Button(label="人工", key="HUMAN"),
)
INFO, CREATE = "/cgi-bin/get_current_selfmenu_info", "/cgi-bin/menu/create"
PRESENT = {
    "is_menu_open": 1,
    "selfmenu_info": {
        "button": [
            {
                "name": "投诉",
                "sub_button": {
                    "list": [
                        {"type": "click", "name": "我要投诉", "key": "NEW_CASE"},
                        {"type": "view", "name": "我的投诉", "url": "https://x.example"},
                    ]
                },
            },
            {"type": "click", "name": "人工", "key": "HUMAN"},
        ]
    },
}
THEIRS = {
    "is_menu_open": 1,
    "selfmenu_info": {"button": [{"type": "news", "name": "新闻", "value": "x", "news_info": {"list": []}}]},
}


async def test_a_menu_is_installed_where_there_is_none(wechat: WeChat, platform: Platform) -> None:
    platform.next(INFO, {"is_menu_open": 0})

    assert await account.install(wechat.api, BUTTONS) == "installed"
    assert platform.called(CREATE) == [
        {
            "button": [
                {
                    "name": "投诉",
                    "sub_button": [
                        {"type": "click", "name": "我要投诉", "key": "NEW_CASE"},
                        {"type": "view", "name": "我的投诉", "url": "https://x.example"},
                    ],
                },
                {"type": "click", "name": "人工", "key": "HUMAN"},
            ]
        }
    ]


async def test_the_same_menu_is_not_installed_again(wechat: WeChat, platform: Platform) -> None:
    platform.always[INFO] = PRESENT

    assert await account.menu(wechat.api) == BUTTONS
    assert await account.install(wechat.api, BUTTONS, replace=True) == "unchanged"
    assert platform.called(CREATE) == []


async def test_somebody_elses_menu_is_only_replaced_if_that_is_wanted(wechat: WeChat, platform: Platform) -> None:
    platform.always[INFO] = THEIRS

    assert await account.install(wechat.api, BUTTONS) == "kept"
    assert platform.called(CREATE) == []
    assert await account.install(wechat.api, BUTTONS, replace=True) == "installed"


async def test_a_menu_that_could_not_be_read_is_not_replaced(wechat: WeChat, platform: Platform) -> None:
    platform.next(INFO, 48001)

    with pytest.raises(Unanswered, match="48001"):
        await account.install(wechat.api, BUTTONS, replace=True)
    assert platform.called(CREATE) == []


async def test_a_code_to_scan_holds_for_ever(wechat: WeChat, platform: Platform) -> None:
    platform.next("/cgi-bin/qrcode/create", {"ticket": "gQ+/=", "url": "http://weixin.qq.com/q/1"})

    code = await account.qrcode(wechat.api, "order-1")

    assert code.url == "http://weixin.qq.com/q/1"
    assert unquote(code.picture.partition("ticket=")[2]) == "gQ+/="
    (body,) = platform.called("/cgi-bin/qrcode/create")
    assert body == {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "order-1"}}}


async def diagnosed(wechat: WeChat) -> dict[str, tuple[bool, str]]:
    found = await account.diagnose(
        wechat.api, kind=wechat.kind, templates=wechat.templates, callback="https://desk.example/wechat/callback"
    )
    return {each.name: (each.ok, each.detail) for each in found}


async def test_the_doctor_finds_a_healthy_account(open_wechat: Opener, platform: Platform) -> None:
    platform.always |= {
        LIST: TEMPLATES,
        NEWTMPL: NOTICES,
        INFO: PRESENT,
        "/cgi-bin/callback/check": {"dns": [{"ip": "1.2.3.4", "real_operator": "UNICOM"}]},
    }
    wechat = await open_wechat(templates={"progress": "progress1", "subscribe": "subscribe1"})

    found = await diagnosed(wechat)

    assert list(found) == ["token", "callback", "template progress", "template subscribe", "menu"]
    assert all(ok for ok, _ in found.values())


async def test_the_doctor_names_what_is_wrong(open_wechat: Opener, platform: Platform) -> None:
    platform.always |= {NEWTMPL: 48001, INFO: 48001, "/cgi-bin/callback/check": {"dns": []}, LIST: TEMPLATES}
    wechat = await open_wechat(templates={"progress": "otherone", "subscribe": "subscribe1"})

    found = await diagnosed(wechat)

    assert [name for name, (ok, _) in found.items() if ok] == ["token"]
    assert "https://desk.example/wechat/callback" in found["callback"][1]
    assert "otherone" in found["template progress"][1]
    assert "verified" in found["template subscribe"][1]
    assert "verified" in found["menu"][1]


async def test_a_template_whose_fields_are_named_need_not_be_listed(open_wechat: Opener, platform: Platform) -> None:
    platform.always |= {LIST: TEMPLATES, "/cgi-bin/callback/check": {"dns": []}}
    wechat = await open_wechat(templates={"progress": "otherone:thing1"})

    well, told = (await diagnosed(wechat))["template progress"]
    assert well
    assert "its fields are set" in told


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (40164, "IP list"),
        (40125, "PLAINT_WECHAT_SECRET"),
        (40013, "PLAINT_WECHAT_APP_ID"),
        (40243, "frozen"),
        (12345, "12345"),
    ],
)
async def test_without_a_token_the_doctor_says_why_and_stops(
    open_wechat: Opener, platform: Platform, code: int, detail: str
) -> None:
    wechat = await open_wechat(templates={"progress": "progress1"})
    platform.next("token", code)

    found = await diagnosed(wechat)

    assert list(found) == ["token"]
    assert not found["token"][0]
    assert detail in found["token"][1]
    assert len(platform.calls) == 1


async def test_the_doctor_tells_the_address_to_be_listed(open_wechat: Opener, platform: Platform) -> None:
    platform.token = lambda body: web.json_response(
        {"errcode": 40164, "errmsg": "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist"}
    )  # type: ignore[method-assign]

    (finding,) = await account.diagnose((await open_wechat()).api, kind="service", templates={}, callback="")

    assert "203.0.113.9" in finding.detail


async def test_an_account_that_can_send_no_notices_is_told_so(open_wechat: Opener, platform: Platform) -> None:
    platform.always["/cgi-bin/callback/check"] = {"dns": [{"ip": "1.2.3.4"}]}

    assert "mute" in (await diagnosed(await open_wechat(kind="test")))["kind"][1]
