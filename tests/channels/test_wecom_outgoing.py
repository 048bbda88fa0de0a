"""What we tell WeCom, and what comes of it."""

import base64
import logging
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel import Outcome, Pace, Refused, Retry, Sent, Unreachable
from bot.channels.wecom import WeCom, cards, outgoing
from bot.channels.wecom.meter import Meter
from bot.delivery import passage
from bot.text import octets
from complaints.errors import PlaintError, Unavailable
from complaints.messages import Address, Choice, Enclosure, Fetch, OutgoingMessage, PressAnswer, Revision
from complaints.ports import Letter, Priority

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)
SECRET, KEY = "app-SECRET", "robot-SECRET"
TWO = ((Choice(label="认领", token="s.7.1.claim"), Choice(label="查看", token="s.7.1.show")),)


@dataclass
class Corporation:
    """WeCom, as a test wants it: what was called, and what shall be answered."""

    url: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    files: dict[str, bytes] = field(default_factory=dict)
    token: int = 0

    def next(self, path: str, *answers: Any) -> None:
        """Answer the next calls of a path so: a number is an error code."""
        self.answers[path].extend(answers)

    def called(self, path: str) -> list[Any]:
        """Return what was posted to a path."""
        return [body for name, body in self.calls if name == path]

    @property
    def sent(self) -> list[Any]:
        """Return every message."""
        return self.called("message/send")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        path = request.match_info["path"]
        if request.content_type == "multipart/form-data":
            form = await request.post()
            media: Any = form["media"]
            body: Any = {
                **request.query,
                "name": media.filename,
                "mime": media.content_type,
                "content": media.file.read(),
            }
        elif request.method == "POST":
            body = await request.json()
        else:
            body = dict(request.query)
        self.calls.append((path, body))
        answer = self.answers[path].popleft() if self.answers[path] else {}
        if answer == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer, int):
            answer = {"errcode": answer, "errmsg": f"error {answer}, from ip: 10.0.0.1"}
        if path == "gettoken" and "errcode" not in answer:
            self.token += 1
            return web.json_response({"errcode": 0, "access_token": f"T-SECRET-{self.token}", "expires_in": 7200})
        token = request.query.get("access_token", "")
        if "errmsg" in answer:
            answer["errmsg"] = answer["errmsg"].replace("TOKEN", token)
        if path not in ("gettoken", "webhook/send") and token != f"T-SECRET-{self.token}":
            answer = {"errcode": 40014, "errmsg": f"invalid access_token {token}"}
        if path == "media/get" and "errcode" not in answer:
            headers = {"Content-Disposition": 'attachment; filename="a"'}
            return web.Response(body=self.files[body["media_id"]], content_type="image/jpeg", headers=headers)
        usual = {"message/send": {"msgid": "1"}, "media/upload": {"media_id": f"M-{len(self.calls)}"}}
        return web.json_response({"errcode": 0, "errmsg": "ok", **usual.get(path, {}), **answer})


class OneShelf:
    """Keeps tokens, for one process."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def token(self, name: str, fetch: Callable[[], Awaitable[tuple[str, float]]], *, stale: str = "") -> str:
        """Return the token, and fetch one where there is none."""
        if self.kept.get(name, stale) == stale:
            self.kept[name] = (await fetch())[0]
        return self.kept[name]


@pytest.fixture
async def corporation() -> AsyncIterator[Corporation]:
    """A fake WeCom on a free port."""
    corporation = Corporation()
    app = web.Application(client_max_size=30 * 1024 * 1024)
    app.router.add_route("*", "/cgi-bin/{path:.+}", corporation.serve)
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    corporation.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield corporation
    await runner.cleanup()


Opener = Callable[..., Awaitable[WeCom]]
KEPT: dict[int, bytes] = {5: b"\xff\xd8 picture", 6: b"#!AMR voice", 7: b"%PDF- paper", 8: bytes(21 * 1024 * 1024)}


async def files(evidence: int) -> bytes:
    if evidence == 404:
        raise PlaintError("erased")
    if evidence == 503:
        raise Unavailable
    return KEPT[evidence]


@pytest.fixture
async def open_wecom(corporation: Corporation) -> AsyncIterator[Opener]:
    """Open a channel to the fake WeCom; it is closed after the test."""
    opened: list[WeCom] = []

    async def open_it(**given: Any) -> WeCom:
        known: dict[str, Any] = {
            "corp_id": "ww1234567890abcdef",
            "agent_id": "1000002",
            "secret": SECRET,
            "token": "QDG6eK",
            "aes_key": base64.b64encode(bytes(range(32))).decode().rstrip("="),
            "api_url": corporation.url,
            "robot_url": f"{corporation.url}/cgi-bin/webhook/send?key={KEY}",
            "clock": lambda: NOW,
            "shelf": OneShelf(),
            "files": files,
        }
        wecom = WeCom(**known | given)
        await wecom.start()
        opened.append(wecom)
        return wecom

    yield open_it
    for wecom in opened:
        await wecom.stop()


@pytest.fixture
async def wecom(open_wecom: Opener) -> WeCom:
    """A channel that is open."""
    return await open_wecom()


def letter(body: Any = None, *, chat: str = "zhangsan", number: int = 100, group: bool = False, **rest: Any) -> Letter:
    """Build a letter; an answer to a member unless told otherwise."""
    return Letter(
        id=number,
        address=Address(channel="wecom", chat=chat, group=group),
        body=OutgoingMessage(text="hello") if body is None else body,
        priority=Priority.ANSWER,
        due_at=NOW,
        **rest,
    )


def choices(count: int, *, numbered: bool) -> tuple[tuple[Choice, ...], ...]:
    return tuple(
        (Choice(label=f"选项{place}", token=f"q.{place}", number=place if numbered else 0),)
        for place in range(1, count + 1)
    )


# --- words ---


async def test_words_without_choices_are_a_text(wecom: WeCom, corporation: Corporation) -> None:
    assert await wecom.send(letter(OutgoingMessage(text="已\0退款"))) == Sent()

    assert corporation.sent == [
        {"touser": "zhangsan", "agentid": 1000002, "msgtype": "text", "text": {"content": "已退款"}}
    ]
    assert corporation.called("gettoken") == [{"corpid": "ww1234567890abcdef", "corpsecret": SECRET}]


async def test_what_nobody_asked_for_does_not_come_twice_but_an_answer_may(
    wecom: WeCom, corporation: Corporation
) -> None:
    await wecom.send(letter(unasked=True))
    await wecom.send(letter())

    first, second = corporation.sent
    assert (first["enable_duplicate_check"], first["duplicate_check_interval"]) == (1, 1800)
    assert "enable_duplicate_check" not in second


async def test_a_long_text_comes_in_parts_of_2048_bytes(wecom: WeCom, corporation: Corporation) -> None:
    text = "\n\n".join(["这是很长的一段话。" * 60] * 4)

    assert await wecom.send(letter(OutgoingMessage(text=text))) == Sent()

    parts = [message["text"]["content"] for message in corporation.sent]
    assert "".join(parts) == text
    assert len(parts) > 2
    assert all(octets(part) <= 2048 for part in parts)


async def test_nobody_can_write_a_link_in_disguise(wecom: WeCom, corporation: Corporation) -> None:
    await wecom.send(letter(OutgoingMessage(text='<a href="https://evil.example">退款</a> <A HREF=x> 1<2 <abc>')))

    text = corporation.sent[0]["text"]["content"]
    assert not re.search(r"<\s*/?a\b", text, re.IGNORECASE)
    assert "1<2 <abc>" in text


@pytest.mark.parametrize("body", [OutgoingMessage(text=" \n"), OutgoingMessage(text="\0", choices=TWO)])
async def test_a_message_without_a_word_is_refused_here(wecom: WeCom, corporation: Corporation, body: Any) -> None:
    assert isinstance(await wecom.send(letter(body)), Refused)
    assert corporation.sent == []


@pytest.mark.parametrize("chat", ["@all", "@ALL", "a|b", "", "a b", "a" * 65])
async def test_a_letter_goes_to_one_member_only(wecom: WeCom, corporation: Corporation, chat: str) -> None:
    assert isinstance(await wecom.send(letter(chat=chat)), Refused)
    assert corporation.calls == []


# --- cards ---


async def test_choices_are_the_buttons_of_a_card(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("message/send", {"response_code": "RC-1"})
    page = (Choice(label="打开", url="https://desk.example/1"),)
    message = OutgoingMessage(text="新投诉 C-2026-1\n质量 · 高\n两小时内", choices=(*TWO, page), hint="回复数字")

    assert await wecom.send(letter(message)) == Sent(ref="RC-1")

    assert corporation.sent == [
        {
            "touser": "zhangsan",
            "agentid": 1000002,
            "msgtype": "template_card",
            "template_card": {
                "card_type": "button_interaction",
                "task_id": "2s_0",
                "main_title": {"title": "新投诉 C-2026-1"},
                "sub_title_text": "质量 · 高\n两小时内",
                "button_list": [
                    {"text": "认领", "key": "s.7.1.claim"},
                    {"text": "查看", "key": "s.7.1.show"},
                    {"type": 1, "text": "打开", "url": "https://desk.example/1"},
                ],
            },
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
    ]


async def test_what_does_not_fit_on_a_card_is_said_before_it(wecom: WeCom, corporation: Corporation) -> None:
    text = "投诉 C-2026-1\n" + "客户的话。" * 100

    await wecom.send(letter(OutgoingMessage(text=text, choices=TWO)))

    before, card = corporation.sent
    assert before["text"]["content"] == text
    assert card["template_card"]["main_title"] == {"title": "投诉 C-2026-1"}
    assert "sub_title_text" not in card["template_card"]


async def test_more_choices_than_buttons_are_numbers_to_type(wecom: WeCom, corporation: Corporation) -> None:
    await wecom.send(letter(OutgoingMessage(text="哪一类？", choices=choices(7, numbered=True), hint="回复数字即可")))

    (message,) = corporation.sent
    lines = message["text"]["content"].split("\n")
    assert lines == ["哪一类？", *(f"{place}. 选项{place}" for place in range(1, 8)), "回复数字即可"]


async def test_as_many_choices_as_buttons_are_buttons_also_where_they_bear_numbers(
    wecom: WeCom, corporation: Corporation
) -> None:
    await wecom.send(letter(OutgoingMessage(text="哪一类？", choices=choices(6, numbered=True), hint="回复数字即可")))

    (message,) = corporation.sent
    assert len(message["template_card"]["button_list"]) == 6


async def test_more_choices_than_buttons_without_numbers_take_several_cards(
    wecom: WeCom, corporation: Corporation
) -> None:
    corporation.next("message/send", {"response_code": "A"}, {"response_code": "B"})

    outcome = await wecom.send(letter(OutgoingMessage(text="哪一类？", choices=choices(8, numbered=False))))

    assert outcome == Sent(ref="A B")
    buttons = [len(message["template_card"]["button_list"]) for message in corporation.sent]
    assert buttons == [6, 2]
    titles = [message["template_card"]["main_title"]["title"] for message in corporation.sent]
    assert titles == ["哪一类？", "哪一类？ (2/2)"], "the later card goes on, and is not said twice"
    assert [message["template_card"]["task_id"] for message in corporation.sent] == ["2s_0", "2s_1"]


async def test_pages_alone_are_links_in_a_text(wecom: WeCom, corporation: Corporation) -> None:
    page = ((Choice(label="上传", url="https://desk.example/u/1"),),)

    await wecom.send(letter(OutgoingMessage(text="请补充材料", choices=page)))

    assert corporation.sent[0]["text"]["content"] == "请补充材料\n上传: https://desk.example/u/1"


@pytest.mark.parametrize(("token", "fits"), [("a" * 64, True), ("门" * 21, True), ("a" * 65, False), ("", False)])
async def test_a_token_may_have_64_bytes(wecom: WeCom, corporation: Corporation, token: str, fits: bool) -> None:
    outcome = await wecom.send(letter(OutgoingMessage(text="?", choices=((Choice(label="x", token=token),),))))

    assert isinstance(outcome, Sent if fits else Refused)
    assert len(corporation.sent) == fits


WORDS = st.text(st.sampled_from("投诉退款，。！\n\n 1aé…👍🏽\u200d"), min_size=1, max_size=600).filter(str.strip)


@settings(max_examples=200, deadline=None)
@given(text=WORDS, labels=st.lists(WORDS, min_size=1, max_size=14))
def test_a_card_keeps_within_its_fields_and_every_word_reaches_the_reader(text: str, labels: list[str]) -> None:
    offered = [Choice(label=label, token=f"t{place}") for place, label in enumerate(labels)]

    before, written = cards.cards(text, offered, "z")

    for card in written:
        title, body = card["main_title"]["title"], card.get("sub_title_text", "")
        assert title.strip()
        assert "\n" not in title
        assert cards.columns(title) <= 72
        assert cards.columns(body) <= 320
        assert 1 <= len(card["button_list"]) <= 6
        assert all(button["text"] and cards.columns(button["text"]) <= 20 for button in card["button_list"])
    shown = before or written[0]["main_title"]["title"] + written[0].get("sub_title_text", "")
    assert "".join(shown.split()) == "".join(text.split())
    assert [button["key"] for card in written for button in card["button_list"]] == [each.token for each in offered]


@settings(max_examples=100, deadline=None)
@given(numbers=st.lists(st.integers(1, 2**63 - 1), min_size=2, max_size=20, unique=True))
def test_the_id_of_a_card_is_its_own_for_ever(numbers: list[int]) -> None:
    ids = []
    for number in numbers:
        said = outgoing.said(number, OutgoingMessage(text="?", choices=choices(8, numbered=False)), unasked=False)
        assert not isinstance(said, Refused)
        ids += [message["template_card"]["task_id"] for message in said]

    assert len(set(ids)) == len(numbers) * 2
    assert all(re.fullmatch(r"[0-9A-Za-z_@-]{1,128}", each) for each in ids)


async def test_a_card_that_was_sent_and_only_its_answer_lost_counts_as_sent(
    wecom: WeCom, corporation: Corporation
) -> None:
    corporation.next("message/send", "drop", 42014)
    told = letter(OutgoingMessage(text="?", choices=TWO))

    first, second = await wecom.send(told), await wecom.send(told)

    assert isinstance(first, Retry)
    assert second == Sent()
    assert corporation.sent[0] == corporation.sent[1]


async def test_a_retry_does_not_say_again_what_was_said(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("message/send", {}, -1, {"response_code": "RC-9"})
    told = letter(OutgoingMessage(text="投诉\n" + "客户的话。" * 100, choices=TWO))

    first, second = await wecom.send(told), await wecom.send(told)

    assert isinstance(first, Retry)
    assert second == Sent(ref="RC-9")
    assert [message["msgtype"] for message in corporation.sent] == ["text", "template_card", "template_card"]


# --- what comes of it ---


@pytest.mark.parametrize(
    ("answer", "reason"),
    [({"invaliduser": "zhangsan"}, "not_found"), ({"unlicenseduser": "zhangsan"}, "unlicensed"), (81013, "not_found")],
)
async def test_a_message_that_was_taken_for_nobody_is_noticed(
    wecom: WeCom, corporation: Corporation, answer: Any, reason: str
) -> None:
    corporation.next("message/send", answer)

    assert await wecom.send(letter()) == Unreachable(reason=reason)


MISSET = Retry(reason="misconfigured", after=60.0, pause="channel")
ERRORS: list[tuple[Any, Outcome]] = [
    (-1, Retry(reason="")),
    (6000, Retry(reason="")),
    ("drop", Retry(reason="")),
    (45009, Retry(reason="throttled", after=60.0, pause="channel")),
    (45033, Retry(reason="throttled", after=5.0, pause="channel")),
    (60020, MISSET),
    (301002, MISSET),
    (40013, MISSET),
    (40056, MISSET),
    (43012, MISSET),
    (48002, MISSET),
    (50003, MISSET),
    (60111, Unreachable(reason="not_found")),
    (50002, Unreachable(reason="forbidden")),
    (45002, Refused(error="45002 error 45002, from ip: 10.0.0.1")),
    (40058, Refused(error="40058 error 40058, from ip: 10.0.0.1")),
]


@pytest.mark.parametrize(("answer", "outcome"), ERRORS, ids=lambda value: str(value)[:30])
async def test_every_error_says_what_to_do_next(
    wecom: WeCom, corporation: Corporation, answer: Any, outcome: Outcome
) -> None:
    corporation.next("message/send", answer)

    told = await wecom.send(letter())

    if isinstance(outcome, Retry):
        assert isinstance(told, Retry)
        assert (told.after, told.pause) == (outcome.after, outcome.pause)
        assert told.reason.startswith(outcome.reason)
    else:
        assert told == outcome


async def test_a_token_that_is_refused_is_renewed_once(wecom: WeCom, corporation: Corporation) -> None:
    await wecom.send(letter())
    corporation.token += 1  # somebody else has asked for one

    assert await wecom.send(letter()) == Sent()
    assert len(corporation.called("gettoken")) == 2

    corporation.next("message/send", 40014, 40014)
    told = await wecom.send(letter())
    assert isinstance(told, Retry)
    assert told.pause == "channel"
    assert len(corporation.called("gettoken")) == 3


async def test_a_wrong_secret_rests_the_channel(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("gettoken", 40001)

    told = await wecom.send(letter())

    assert isinstance(told, Retry)
    assert (told.after, told.pause) == (60.0, "channel")
    assert corporation.sent == []


async def test_start_does_not_wait_for_a_platform_that_is_away(open_wecom: Opener) -> None:
    wecom = await open_wecom(api_url="http://127.0.0.1:9")

    assert isinstance(await wecom.send(letter()), Retry)
    assert isinstance(await wecom.ping(), Retry)


async def test_a_ping_asks_for_the_app(wecom: WeCom, corporation: Corporation) -> None:
    assert isinstance(await wecom.ping(), Sent)
    assert [call["agentid"] for call in corporation.called("agent/get")] == ["1000002"]


# --- presses and changes ---


@pytest.mark.parametrize(
    "change", [Revision(ref="RC-1", text="张三 已认领"), PressAnswer(ref="RC-1", text="张三 已认领")]
)
async def test_the_buttons_of_a_card_make_room_for_a_text(wecom: WeCom, corporation: Corporation, change: Any) -> None:
    assert await wecom.send(letter(change)) == Sent()

    assert corporation.called("message/update_template_card") == [
        {"atall": 1, "agentid": 1000002, "response_code": "RC-1", "button": {"replace_name": "张三 已认领"}}
    ]


async def test_all_cards_of_a_message_are_changed(wecom: WeCom, corporation: Corporation) -> None:
    assert await wecom.send(letter(Revision(ref="A B", text="x"))) == Sent()
    assert await wecom.send(letter(Revision(ref="", text="x"))) == Sent()

    codes = [body["response_code"] for body in corporation.called("message/update_template_card")]
    assert codes == ["A", "B"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (42022, Sent),
        (42016, Sent),
        ({"errcode": 40058, "errmsg": "invalid response_code, hint: [1]"}, Sent),
        ({"errcode": 49999, "errmsg": "Response code expired"}, Sent),
        (-1, Retry),
        (60020, Retry),
        (40058, Refused),
    ],
)
async def test_a_code_that_has_served_leaves_nothing_to_do(
    wecom: WeCom, corporation: Corporation, answer: Any, kind: type
) -> None:
    corporation.next("message/update_template_card", answer)

    assert isinstance(await wecom.send(letter(Revision(ref="RC-1", text="x"))), kind)


# --- files ---


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("photo", "image"),
        ("voice", "voice"),
        ("video", "video"),
        ("document", "file"),
        ("audio", "file"),
        ("other", "file"),
    ],
)
async def test_a_file_of_wecom_is_sent_on_by_its_id(
    wecom: WeCom, corporation: Corporation, kind: Any, form: str
) -> None:
    assert isinstance(await wecom.send(letter(Enclosure(kind=kind, ref="M-1", caption="见 C-2026-1"))), Sent)

    file, caption = corporation.sent
    assert (file["msgtype"], file[form]) == (form, {"media_id": "M-1"})
    assert caption["text"]["content"] == "见 C-2026-1"


@pytest.mark.parametrize(
    ("enclosure", "form", "name"),
    [
        (Enclosure(kind="photo", ref="", evidence_id=5), "image", "5.jpg"),
        (Enclosure(kind="photo", ref="", evidence_id=5, mime="image/gif"), "file", "5.gif"),
        (Enclosure(kind="voice", ref="", evidence_id=6, mime="audio/amr"), "voice", "6.amr"),
        (Enclosure(kind="voice", ref="", evidence_id=6, mime="audio/ogg"), "file", "6.ogg"),
        (Enclosure(kind="document", ref="", evidence_id=7, mime="application/pdf"), "file", "7.pdf"),
    ],
)
async def test_a_file_of_another_platform_is_uploaded_as_what_wecom_can_show(
    wecom: WeCom, corporation: Corporation, enclosure: Enclosure, form: str, name: str
) -> None:
    assert isinstance(await wecom.send(letter(enclosure)), Sent)

    (upload,) = corporation.called("media/upload")
    assert (upload["type"], upload["name"], upload["content"]) == (form, name, KEPT[enclosure.evidence_id])
    (message,) = corporation.sent
    assert message["msgtype"] == form
    assert message[form]["media_id"].startswith("M-")


async def test_what_is_not_what_it_seemed_is_shown_as_a_file(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("media/upload", 40009)

    assert isinstance(await wecom.send(letter(Enclosure(kind="photo", ref="", evidence_id=5))), Sent)

    assert [upload["type"] for upload in corporation.called("media/upload")] == ["image", "file"]


async def test_a_file_that_wecom_has_forgotten_is_uploaded_again(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("message/send", 40007)

    assert isinstance(await wecom.send(letter(Enclosure(kind="photo", ref="OLD", evidence_id=5))), Sent)

    assert len(corporation.called("media/upload")) == 1
    assert corporation.sent[-1]["image"]["media_id"] != "OLD"


@pytest.mark.parametrize(("evidence", "kind"), [(404, Refused), (503, Retry), (8, Refused)])
async def test_a_file_that_cannot_be_had_is_refused_or_tried_again(
    wecom: WeCom, corporation: Corporation, evidence: int, kind: type
) -> None:
    assert isinstance(await wecom.send(letter(Enclosure(kind="document", ref="", evidence_id=evidence))), kind)
    assert corporation.called("media/upload") == []


async def test_a_retry_does_not_show_a_file_twice(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("message/send", {}, -1)
    told = letter(Enclosure(kind="photo", ref="", evidence_id=5, caption="x"))

    assert isinstance(await wecom.send(told), Retry)
    assert isinstance(await wecom.send(told), Sent)

    assert [message["msgtype"] for message in corporation.sent] == ["image", "text", "text"]


class Store:
    """Keeps what came."""

    def __init__(self) -> None:
        self.content = b""

    async def __call__(self, piece: bytes) -> None:
        self.content += piece


async def test_a_file_comes_piece_by_piece(wecom: WeCom, corporation: Corporation) -> None:
    corporation.files["M-1"] = content = bytes(range(256)) * 1000
    store = Store()

    assert await wecom.fetch("M-1", store) == Sent(ref="M-1")
    assert store.content == content


async def test_a_file_that_cannot_come_is_refused_or_tried_again(wecom: WeCom, corporation: Corporation) -> None:
    corporation.files["big"] = bytes(21 * 1024 * 1024)
    corporation.next("media/get", 40007, -1)

    outcomes = [await wecom.fetch(ref, Store()) for ref in ("gone", "later", "big")]

    assert [type(outcome) for outcome in outcomes] == [Refused, Retry, Refused]


async def test_a_fetch_is_no_letter_to_send(wecom: WeCom) -> None:
    assert isinstance(await wecom.send(letter(Fetch(evidence_id=1, ref="M"))), Refused)


# --- the robot ---


async def test_the_robot_speaks_to_the_group(wecom: WeCom, corporation: Corporation) -> None:
    page = (Choice(label="打开", url="https://desk.example/1"),)
    message = OutgoingMessage(text="新投诉 C-2026-1", choices=(*TWO, page), hint="回复数字")

    assert await wecom.send(letter(message, chat="robot", group=True)) == Sent()

    assert corporation.calls == [
        ("webhook/send", {"msgtype": "text", "text": {"content": "新投诉 C-2026-1\n打开: https://desk.example/1"}})
    ]


async def test_what_the_robot_says_has_2048_bytes_at_most(wecom: WeCom, corporation: Corporation) -> None:
    text = "很长的一段话。" * 200

    await wecom.send(letter(OutgoingMessage(text=text), chat="robot", group=True))

    parts = [body["text"]["content"] for body in corporation.called("webhook/send")]
    assert "".join(parts) == text
    assert all(octets(part) <= 2048 for part in parts)


@pytest.mark.parametrize("code", [45009, 45033, 93000])
async def test_a_robot_that_may_not_speak_rests_alone(wecom: WeCom, corporation: Corporation, code: int) -> None:
    corporation.next("webhook/send", {"errcode": code, "errmsg": f"no, {KEY}"})

    told = await wecom.send(letter(chat="robot", group=True))

    assert isinstance(told, Retry)
    assert (told.after, told.pause) == (60.0, "chat")
    assert KEY not in told.reason


async def test_a_robot_shows_no_file_and_has_no_buttons_to_change(wecom: WeCom, corporation: Corporation) -> None:
    enclosure = Enclosure(kind="photo", ref="M-1", caption="见 C-2026-1")

    assert await wecom.send(letter(enclosure, chat="robot", group=True)) == Sent()
    assert await wecom.send(letter(Revision(ref="x", text="y"), chat="robot", group=True)) == Sent()

    assert [body["text"]["content"] for body in corporation.called("webhook/send")] == ["见 C-2026-1"]


async def test_without_a_robot_nothing_goes_to_the_group(open_wecom: Opener, corporation: Corporation) -> None:
    wecom = await open_wecom(robot_url="")

    assert isinstance(await wecom.send(letter(chat="robot", group=True)), Refused)
    assert corporation.calls == []


# --- how much ---


@settings(max_examples=100, deadline=None)
@given(
    waits=st.lists(st.floats(0, 20), min_size=1, max_size=200),
    limit=st.sampled_from(
        [(outgoing.LIMITS.chat, 30, 60), (outgoing.LIMITS.chat, 1000, 3600), (outgoing.LIMITS.group, 20, 60)]
    ),
)
def test_what_nobody_asked_for_goes_out_no_faster_than_wecom_takes_it(
    waits: list[float], limit: tuple[Pace, int, float]
) -> None:
    pace, most, seconds = limit
    due = now = 0.0
    passed = []
    for wait in waits:
        now += wait if wait < 10 else 0.0
        at, due = passage(due, now, pace)
        passed.append(at)

    assert all(later - first > seconds for first, later in zip(passed, passed[most:], strict=False))
    assert pace.burst + seconds / pace.every <= most


@settings(max_examples=50, deadline=None)
@given(waits=st.lists(st.floats(0, 5), min_size=31, max_size=200))
def test_no_member_ever_gets_more_than_30_messages_a_minute(waits: list[float]) -> None:
    meter = Meter()
    now = 0.0
    went = []
    for wait in waits:
        now += wait
        now += meter.wait("zhangsan", now)
        meter.count("zhangsan", now)
        went.append(now)

    assert all(later - first > 60 for first, later in zip(went, went[30:], strict=False))
    assert meter.wait("lisi", now) == 0


def test_no_member_ever_gets_more_than_1000_messages_an_hour() -> None:
    meter = Meter()
    for second in range(0, 3000, 3):
        assert meter.wait("zhangsan", second) == 0
        meter.count("zhangsan", second)

    assert 600 < meter.wait("zhangsan", 3000) < 605


async def test_what_wecom_would_drop_in_silence_waits(wecom: WeCom, corporation: Corporation) -> None:
    outcomes = [await wecom.send(letter(number=number)) for number in range(31)]

    assert outcomes[:30] == [Sent()] * 30
    last = outcomes[30]
    assert isinstance(last, Retry)
    assert last.pause == "chat"
    assert last.after is not None
    assert 50 < last.after <= 62
    assert len(corporation.sent) == 30
    assert await wecom.send(letter(chat="lisi")) == Sent()


# --- the doctor ---


@pytest.mark.parametrize(
    ("path", "answer", "bad"),
    [
        ("agent/get", {"name": "投诉台", "close": 0}, []),
        ("agent/get", {"name": "投诉台", "close": 1}, ["agent"]),
        ("agent/get", 60020, ["address"]),
        ("agent/get", 301002, ["agent"]),
        ("gettoken", 40001, ["token"]),
        ("gettoken", 40013, ["token"]),
    ],
)
async def test_the_doctor_names_what_is_wrong(
    wecom: WeCom, corporation: Corporation, path: str, answer: Any, bad: list[str]
) -> None:
    corporation.next(path, answer)

    findings = await wecom.diagnose("https://desk.example/wecom/callback")

    assert [finding.name for finding in findings if not finding.ok] == bad
    assert all(finding.detail for finding in findings)
    assert any("https://desk.example/wecom/callback" in finding.detail for finding in findings)
    assert SECRET not in str(findings)


async def test_the_doctor_says_that_nobody_answers_and_that_nobody_can_reach_us(open_wecom: Opener) -> None:
    wecom = await open_wecom(api_url="http://127.0.0.1:9")

    findings = await wecom.diagnose("/wecom/callback")

    assert [finding.name for finding in findings if not finding.ok] == ["api", "callback"]


# --- secrets ---


async def test_no_secret_is_in_any_log_text_or_error(
    open_wecom: Opener,
    corporation: Corporation,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []
    with structlog.testing.capture_logs() as logs:
        wecom, away = await open_wecom(), await open_wecom(api_url="http://127.0.0.1:9")
        corporation.next("gettoken", {"errcode": 40001, "errmsg": f"invalid {SECRET}"})
        for answer in ("drop", {"errcode": 40014, "errmsg": "bad TOKEN"}, {"errcode": 60020, "errmsg": "bad TOKEN"}):
            corporation.next("message/send", answer)
        told += [await wecom.send(letter()) for _ in range(5)]
        told += [await away.send(letter()), await away.ping(), await away.fetch("x", Store())]
        corporation.next("webhook/send", "drop", {"errcode": 93000, "errmsg": f"key {KEY}"})
        told += [await wecom.send(letter(chat="robot", group=True)) for _ in range(2)]
        told += [repr(wecom), str(wecom), repr(wecom._api), repr(wecom._robot), repr(wecom._envelope)]
    everything = f"{told} {logs} {caplog.text} {capsys.readouterr()}"

    assert "SECRET" not in everything
    assert any(log["event"] == "wecom_misconfigured" for log in logs)


async def test_a_robots_key_is_not_told_in_part_either(wecom: WeCom, corporation: Corporation) -> None:
    corporation.next("webhook/send", {"errcode": 93000, "errmsg": "x" * 290 + KEY})

    outcome = await wecom.send(letter(chat="robot", group=True))

    assert isinstance(outcome, Retry)
    assert KEY[:5] not in outcome.reason


def test_a_media_type_that_is_none_is_not_told_on() -> None:
    for mime in ("image/png\r\nX-Evil: 1", "image/\udcff", "image", "a/b; c=d", "\u56fe/png"):
        shown = Enclosure(kind="document", ref="", evidence_id=5, mime=mime)
        assert outgoing.named(shown) == ("5.bin", "application/octet-stream")
