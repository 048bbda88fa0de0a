"""The benchmark's own promises: a right bot is called right, a wrong one is noticed."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from benchmarks import filing
from benchmarks.bot_api import FakeBotApi, Spoken
from benchmarks.customers import Customers, Figures, Usage
from benchmarks.measuring import Job, measure
from benchmarks.webhook import Webhook
from benchmarks.wire import HttpReader

ONE_QUESTION = """
steps:
  - say: /start
    before: [^welcome$]
    expect: ^choose$
  - press: ^ship
    expect: ^done {n}$
"""
MULTIPART = (
    b'--XX\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n7\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="text"\r\n\r\na b\r\n--XX--\r\n'
)


def test_the_floor_answers_every_customer_rightly() -> None:
    figures = measure(Job(target="floor-sqlite", users=(5,), warm_up_s=0.2, seconds=0.8)).figures[5]

    assert figures.not_ok == 0, figures.samples
    assert figures.updates_per_s > 0
    assert figures.rss_mb > 1


@pytest.mark.parametrize(
    ("replies", "complaint"),
    [
        ((["welcome", "choose"], ["done"]), None),
        ((["choose", "choose"], ["done"]), "surplus message 'choose'"),
        ((["choose"], ["sorry"]), "wrong message 'sorry'"),
        ((["choose"], []), "no answer"),
        (([], ["done"]), "no answer"),
    ],
)
async def test_a_reply_counts_only_if_it_is_the_expected_one(
    replies: tuple[list[str], list[str]], complaint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.customers._DRAIN_S", 0.2)
    script = filing.parse("two", ONE_QUESTION.replace(" {n}", ""))

    figures = await _play(script, replies)

    assert (figures.not_ok > 0) == (complaint is not None)
    assert complaint is None or complaint in "".join(figures.samples)


async def test_a_button_that_is_not_there_cannot_be_pressed() -> None:
    script = filing.parse("two", ONE_QUESTION.replace("^ship", "^refund"))

    figures = await _play(script, (["choose"], ["done"]))

    assert "no button to press among [('shipping', 's')]" in figures.samples[0]


async def test_updates_are_numbered_upwards_and_each_complaint_has_a_chat_of_its_own() -> None:
    seen: list[dict[str, Any]] = []
    script = filing.parse("two", ONE_QUESTION.replace(" {n}", ""))

    await _play(script, (["choose"], ["done"]), seen=seen)

    numbers = [update["update_id"] for update in seen]
    starts = [update["message"]["chat"]["id"] for update in seen if "message" in update]
    assert numbers == sorted(set(numbers))
    assert len(starts) == len(set(starts)) > 1


def test_messages_are_cut_wherever_the_bytes_break() -> None:
    stream = (
        b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
        b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
        b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    for cut in range(len(stream)):
        reader = HttpReader()

        messages = reader.feed(stream[:cut]) + reader.feed(stream[cut:])

        assert [body for _, body in messages] == [b"abc", b"def", b""]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"chat_id": 7, "text": "a b", "reply_markup": {}}'),
        ("application/x-www-form-urlencoded", b"chat_id=7&text=a+b&reply_markup=%7B%7D"),
        (
            "multipart/form-data; boundary=XX",
            MULTIPART,
        ),
    ],
)
async def test_the_bot_api_reads_every_encoding_that_telegram_takes(content_type: str, body: bytes) -> None:
    heard: list[Spoken] = []
    api = FakeBotApi(listener=heard.append)
    await api.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    head = f"POST /bot1:x/sendMessage HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)

    answer = HttpReader().feed(await reader.read(10_000))[0][1]

    assert json.loads(answer)["result"]["chat"]["id"] == 7
    assert [(spoken.chat, spoken.text) for spoken in heard] == [(7, "a b")]
    writer.close()
    await writer.wait_closed()
    await api.stop()


@pytest.mark.parametrize(
    "wrong", ["stepz: []", "steps: [{say: a}]", "steps: [{expect: a}]", "steps: [{say: a, expct: b}]"]
)
def test_a_script_with_a_mistake_is_refused(wrong: str) -> None:
    with pytest.raises(filing.ScriptError):
        filing.parse("wrong", wrong)


@pytest.mark.parametrize("name", ["peers", "plaint"])
def test_every_complaint_takes_ten_updates(name: str) -> None:
    assert len(filing.load(name).steps) == 10


async def _play(
    script: filing.Script,
    replies: tuple[list[str], ...],
    *,
    seen: list[dict[str, Any]] | None = None,
) -> Figures:
    """Play one customer against a bot that answers text with the first list and a pressed button with the second."""
    customers = Customers(script=script)
    await customers.api.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = HttpReader()
        while data := await reader.read(10_000):
            for _, body in cut.feed(data):
                update = json.loads(body)
                if seen is not None:
                    seen.append(update)
                pressed = update.get("callback_query")
                chat = (pressed or update)["message"]["chat"]["id"]
                for text in replies[1 if pressed else 0]:
                    keyboard = {"inline_keyboard": [[{"text": "shipping", "callback_data": "s"}]]}
                    customers.api.call("sendMessage", {"chat_id": chat, "text": text, "reply_markup": keyboard})
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    ticks = itertools.count()
    figures = await customers.play(
        webhook=Webhook(port=server.sockets[0].getsockname()[1], path="/", secret=""),
        users=1,
        warm_up_s=0.05,
        seconds=0.2,
        usage=lambda: Usage(cpu_s=next(ticks), rss_mb=1, rss_peak_mb=1),
    )
    server.close()
    await server.wait_closed()
    await customers.api.stop()
    await asyncio.sleep(0.05)
    return figures
