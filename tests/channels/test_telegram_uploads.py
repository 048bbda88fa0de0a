"""Files that came by another platform, shown in Telegram."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.channel import Refused, Retry, Sent, Unreachable
from bot.channels.telegram import Telegram
from complaints.errors import PlaintError, Unavailable
from complaints.messages import AttachmentKind, Enclosure

Letters = Callable[..., Any]
TOKEN = "123:SECRET-token_x"
KEPT = {5: b"\xff\xd8 picture", 7: b"%PDF- paper"}


async def files(evidence: int) -> bytes:
    if evidence == 404:
        raise PlaintError("erased")
    if evidence == 503:
        raise Unavailable
    return KEPT[evidence]


@dataclass
class Uploads:
    """A Bot API that takes forms."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: deque[tuple[int, str]] = field(default_factory=deque)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: with the next error, or with a message."""
        form = await request.post() if request.content_type == "multipart/form-data" else await request.json()
        told = {
            name: (value.filename, value.content_type, value.file.read()) if isinstance(value, web.FileField) else value
            for name, value in form.items()
        }
        self.calls.append((request.match_info["method"], told))
        if self.answers:
            code, description = self.answers.popleft()
            answer = {"ok": False, "error_code": code, "description": description}
            return web.json_response(answer, status=code)
        return web.json_response({"ok": True, "result": {"message_id": len(self.calls), "username": "plaint_bot"}})


@pytest.fixture
async def uploads() -> AsyncIterator[Uploads]:
    """A fake Bot API on a free port."""
    uploads = Uploads()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", uploads.serve)
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    uploads.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield uploads
    await runner.cleanup()


@pytest.fixture
async def telegram(open_telegram: Any, uploads: Uploads) -> Telegram:
    """A channel that is open, introduced, and knows where files are kept."""
    telegram: Telegram = await open_telegram(api_url=uploads.url, files=files)
    await telegram.introduced()
    uploads.calls.clear()
    return telegram


@pytest.mark.parametrize(
    ("kind", "mime", "method", "shown"),
    [
        ("photo", "", "sendPhoto", ("photo", "5.jpg", "image/jpeg")),
        ("photo", "image/png", "sendPhoto", ("photo", "5.png", "image/png")),
        ("photo", "image/bmp", "sendDocument", ("document", "5.bmp", "image/bmp")),
        ("voice", "audio/x-wav", "sendDocument", ("document", "5.wav", "audio/x-wav")),
        ("voice", "audio/mpeg", "sendVoice", ("voice", "5.mp3", "audio/mpeg")),
        ("audio", "audio/mpeg", "sendAudio", ("audio", "5.mp3", "audio/mpeg")),
        ("video", "video/mp4", "sendVideo", ("video", "5.mp4", "video/mp4")),
        ("document", "application/pdf", "sendDocument", ("document", "5.pdf", "application/pdf")),
        ("other", "", "sendDocument", ("document", "5.bin", "application/octet-stream")),
    ],
)
async def test_a_file_is_uploaded_as_what_telegram_can_show(
    telegram: Telegram,
    uploads: Uploads,
    letter: Letters,
    kind: AttachmentKind,
    mime: str,
    method: str,
    shown: tuple[str, str, str],
) -> None:
    enclosure = Enclosure(kind=kind, ref="", caption="见 C-2026-1", evidence_id=5, mime=mime)

    assert await telegram.send(letter(enclosure)) == Sent(ref="1")

    name, filename, content_type = shown
    assert uploads.calls == [
        (method, {"chat_id": "5001", "caption": "见 C-2026-1", name: (filename, content_type, KEPT[5])})
    ]


async def test_what_telegram_refuses_as_a_photo_is_a_document(
    telegram: Telegram, uploads: Uploads, letter: Letters
) -> None:
    uploads.answers.append((400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))

    outcome = await telegram.send(letter(Enclosure(kind="photo", ref="", caption="x", evidence_id=5)))

    assert outcome == Sent(ref="2")
    assert [method for method, _ in uploads.calls] == ["sendPhoto", "sendDocument"]
    assert uploads.calls[1][1]["document"][2] == KEPT[5]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((403, "Forbidden: bot was blocked by the user"), Unreachable),
        ((429, "Too Many Requests: retry after 7"), Retry),
        ((500, "Internal Server Error"), Retry),
    ],
)
async def test_what_concerns_the_chat_is_tried_once(
    telegram: Telegram, uploads: Uploads, letter: Letters, answer: tuple[int, str], kind: type
) -> None:
    uploads.answers.append(answer)

    assert isinstance(await telegram.send(letter(Enclosure(kind="photo", ref="", evidence_id=5))), kind)
    assert len(uploads.calls) == 1


async def test_a_long_caption_goes_on_below_and_a_retry_does_not_show_the_file_twice(
    telegram: Telegram, uploads: Uploads, letter: Letters
) -> None:
    caption = "很长的说明。" * 300
    told = letter(Enclosure(kind="document", ref="", caption=caption, evidence_id=7))

    class Last(deque[tuple[int, str]]):
        """Refuses the second call only."""

        def __bool__(self) -> bool:
            return len(uploads.calls) == 2

    uploads.answers = Last([(500, "Internal Server Error")])
    first = await telegram.send(told)
    second = await telegram.send(told)

    assert isinstance(first, Retry)
    assert isinstance(second, Sent)
    assert [method for method, _ in uploads.calls] == ["sendDocument", "sendMessage", "sendMessage"]
    assert uploads.calls[0][1]["caption"] + uploads.calls[2][1]["text"] == caption


@pytest.mark.parametrize(("evidence", "kind"), [(404, Refused), (503, Retry)])
async def test_a_file_that_cannot_be_had_is_refused_or_tried_again(
    telegram: Telegram, uploads: Uploads, letter: Letters, evidence: int, kind: type
) -> None:
    assert isinstance(await telegram.send(letter(Enclosure(kind="photo", ref="", evidence_id=evidence))), kind)
    assert uploads.calls == []


async def test_without_a_place_for_files_nothing_can_be_uploaded(
    open_telegram: Any, uploads: Uploads, letter: Letters
) -> None:
    telegram = await open_telegram(api_url=uploads.url)

    assert isinstance(await telegram.send(letter(Enclosure(kind="photo", ref="", evidence_id=5))), Refused)
