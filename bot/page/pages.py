"""Serves the page behind a signed link.

Everything said on it goes to the desk as if it had been said in the customer's own chat; what the desk answers is shown
on the page instead of being sent. Nothing here needs a login, so nothing here is done on the word of a browser alone:
see `link` for the token, `_Limits` for how much one may ask, `_headers` for what a browser is told.
"""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import BodyPartReader, MultipartReader, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from yarl import URL

from bot.channel import Pace, Reply
from bot.delivery import Postman, passage
from bot.desk import Desk, Served
from bot.page import link
from bot.page.uploads import LARGEST, Uploads, is_upload
from bot.text import clean
from bot.web import Answer, Answers
from complaints.case import Case
from complaints.commands import Hear
from complaints.conversation import Conversation
from complaints.errors import Unavailable
from complaints.messages import Address, Attachment, AttachmentKind, IncomingMessage, OutgoingMessage
from complaints.ports import Letter
from complaints.reading import Language
from storage import Store

log = structlog.get_logger("bot.page")

#: Every sentence of the page that does not change.
_SENTENCES: Final = (
    "page.title",
    "page.talk",
    "page.earlier",
    "page.say",
    "page.send",
    "page.attach",
    "page.remove",
    "page.saving",
    "page.saved",
    "page.unsaved",
    "page.unsent",
    "page.retry",
    "page.busy",
    "page.in_chat",
    "page.gone_title",
    "page.gone",
    "page.script",
    "page.you",
    "page.desk",
    "status.none",
)
_HERE: Final = Path(__file__).parent
_PATIENCE: Final = 20.0
#: Seconds in which a file must be sealed: less than the lease of the letters that wait with it.
_SEALING: Final = 20.0
_READING: Final = 180.0
#: Seconds for which an answer is kept: a phone that lost the line tries again by itself.
_KEPT: Final = 120.0
_PACE: Final = Pace(every=1.5, burst=20)
_READERS: Final = 6
_MANY: Final = 10_000
_LONGEST_TEXT: Final = 4000
_LONGEST_NAME: Final = 120
_LONGEST_TOKEN: Final = 64
_LARGEST_SAYING: Final = 64 * 1024
_MOST_FILES: Final = 6
_TOGETHER: Final = 2 * LARGEST
_PIECE: Final = 64 * 1024
_MEGABYTE: Final = 1024 * 1024
_LISTED: Final = 20
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DOMAIN_CODE: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_PROOF: Final = "X-Plaint-Page"
_KINDS: Final[dict[str, AttachmentKind]] = {"image": "photo", "audio": "audio", "video": "video"}
_STATIC: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the page posted: words, a press or just the wish to begin, and files."""

    nonce: str
    text: str
    press: str
    opens: bool
    files: Sequence[_File]


class _Refused(Exception):
    """A post that is not taken, and the status that tells the page's script why."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Pages:
    """Serves customers their own pages, under `public_url`.

    `domain_code` is the code in the name of the file by which WeChat sees that the domain is ours
    (https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html).
    """

    def __init__(
        self, *, store: Store, desk: Desk, postman: Postman, uploads: Uploads, public_url: str, domain_code: str = ""
    ) -> None:
        self._store = store
        self._desk = desk
        self._postman = postman
        self._uploads = uploads
        self._url = public_url.rstrip("/")
        self._origin = str(URL(self._url).origin()) if self._url else ""
        self._domain_code = domain_code
        self._answers = Answers(postman, seconds=_KEPT)
        self._limits = _Limits()
        # S701 asks for autoescape, which is on; the loader reads our own files only
        self._jinja = Environment(autoescape=True, loader=FileSystemLoader(_HERE), undefined=StrictUndefined)
        self._style = (_HERE / "style.css").read_text("utf-8")
        self._script = (_HERE / "script.js").read_text("utf-8")

    def link(self, conversation_id: int) -> str:
        """Return a fresh address of a conversation's page; from any thread."""
        return link.address(self._url, conversation_id, self._desk.now(), self._store.sign)

    def routes(self) -> list[web.RouteDef]:
        """Return what to serve."""
        routes = [web.get("/p/{token}", self._get), web.post("/p/{token}", self._post)]
        if _DOMAIN_CODE.fullmatch(self._domain_code):
            routes.append(web.get(f"/MP_verify_{self._domain_code}.txt", self._domain))
        return routes

    async def stop(self) -> None:
        """Give up what is being served."""
        await self._answers.close()

    # --- the page ---

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """Show the page; nothing is changed by looking, since messengers look at every address that is sent."""
        known = await self._look(request)
        if known is None:
            return self._gone()
        conversation, cases, until = known
        if not self._limits.passed(conversation.id):
            return self._text(429, "page.busy")
        language = conversation.words.language
        words = self._words(language)
        words["too_big"] = self._say(
            language, "page.too_big", megabytes=LARGEST // _MEGABYTE, all=_TOGETHER // _MEGABYTE
        )
        words["personal"] = self._say(language, "page.personal", date=self._desk.book.moment(language, until))
        return self._html(
            200,
            "document.html",
            language=language,
            company=self._desk.book.current.title[language],
            words=words,
            files={"each": LARGEST, "together": _TOGETHER, "most": _MOST_FILES},
            **self._cases(language, cases),
        )

    def _gone(self) -> web.Response:
        return self._text(404, "page.gone_title", "page.gone")

    def _text(self, status: int, *keys: str) -> web.Response:
        """Say something to whoever it is, in every language of the company."""
        languages = self._desk.book.current.languages
        said = {language: [self._say(language, key) for key in keys] for language in languages}
        return self._html(status, "plain.html", said=said, language=languages[0])

    def _html(self, status: int, template: str, **values: Any) -> web.Response:  # Any: what a template shows
        nonce = secrets.token_urlsafe(16)
        page = self._jinja.get_template(template).render(nonce=nonce, style=self._style, script=self._script, **values)
        return web.Response(
            status=status, text=page, content_type="text/html", charset="utf-8", headers=_headers(nonce)
        )

    async def _domain(self, _: web.Request) -> web.Response:
        return web.Response(text=self._domain_code)

    # --- what is said on it ---

    async def _post(self, request: web.Request) -> web.StreamResponse:
        """Take what was said on the page to the desk, and show what the desk answers."""
        known = await self._look(request)
        if known is None:
            return _problem(404)
        conversation = known[0]
        try:
            self._check(request)
            if not self._limits.passed(conversation.id):
                return _problem(429)
            async with asyncio.timeout(_READING):
                said = await self._read(request, conversation.id)
        except TimeoutError:
            return _problem(408)
        except _Refused as refused:
            return _problem(refused.status)
        key = f"page:{conversation.id}:{said.nonce}"
        return await self._answers.give(request, key, lambda: self._serve(conversation, said, key), _STATIC)

    def _check(self, request: web.Request) -> None:
        """See that it is our page that posts: another could send neither this header nor this origin."""
        origin = request.headers.get("Origin", self._origin)
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.headers.get(_PROOF) != "1" or site != "same-origin" or origin != self._origin:
            raise _Refused(403)

    async def _read(self, request: web.Request, conversation_id: int) -> _Said:
        """Read a form whose first part is what was said, in JSON, and whose others are files."""
        if not request.content_type == "multipart/form-data":
            raise _Refused(415)
        try:
            reader = await request.multipart()
            first = await reader.next()
            if not isinstance(first, BodyPartReader):
                raise _Refused(400)
            said = json.loads(await _content(first, _LARGEST_SAYING))
            return _said(said, await self._files(reader, conversation_id))
        except (ValueError, RecursionError, web.HTTPException) as error:  # whatever is no form, or no JSON
            raise _Refused(400) from error

    async def _files(self, reader: MultipartReader, conversation_id: int) -> list[_File]:
        files: list[_File] = []
        with ExitStack() as place:
            room = 0
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise _Refused(400)
                if not files:  # only now: other posts of this customer may have filled it meanwhile
                    place.enter_context(self._limits.reading(conversation_id))
                    room = min(_TOGETHER, self._uploads.room(conversation_id))
                if len(files) == _MOST_FILES:
                    raise _Refused(413)
                kind = clean(part.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
                content = await _content(part, min(LARGEST, room))
                room -= len(content)
                files.append(_File(clean(part.filename or "")[:_LONGEST_NAME], kind[:_LONGEST_NAME], content))
        return [file for file in files if file.content]

    async def _serve(self, conversation: Conversation, said: _Said, key: str) -> Answer:
        refs = [self._uploads.hold(conversation.id, file.content) for file in said.files]
        message = _message(conversation, said, refs, key, self._desk.now())
        future = self._desk.submit(Hear(message=message), carry=True)
        try:
            await asyncio.wait([future], timeout=_PATIENCE)
        finally:
            late = future.cancel()
        if late:  # it may still be served, and then needs its files
            return _busy()
        error = future.exception()
        if isinstance(error, Unavailable):
            self._uploads.drop(refs)
            return _busy()
        served = future.result()
        if served.lost:
            self._uploads.drop(refs)
            return _busy()
        if served.repeated:
            self._uploads.drop(refs)
        return await self._answer(conversation, said, served)

    async def _answer(self, conversation: Conversation, said: _Said, served: Served) -> Answer:
        told = [(letter, letter.body) for letter in served.letters if isinstance(letter.body, OutgoingMessage)]
        carried = tuple(letter for letter, _ in told)
        shown = {letter.id for letter in carried}
        self._postman.post([letter for letter in served.letters if letter.id not in shown])
        sent_home = [ref for ref in served.fetches if is_upload(ref)]
        sealed = await self._uploads.sealed(sent_home, _SEALING)
        news: dict[str, object] = {
            "files": "" if not sent_home else "saved" if sealed else "unsaved",
            "cases": await self._list(conversation.id),
        }
        letters = [self._shown(body) for _, body in told]
        return Answer(
            reply=_reply({**news, "letters": letters, "elsewhere": not letters and not said.opens}, carried),
            blank=_reply({**news, "letters": [], "elsewhere": not said.opens}),
        )

    def _shown(self, body: OutgoingMessage) -> dict[str, object]:
        """Return a letter as the page's script shows it: choices are buttons, so how to answer without is left out.

        So is the way to this very page.
        """
        here = f"{self._url}/p/"
        rows = ([each for each in row if not each.url.startswith(here)] for row in body.choices)
        return {
            "text": body.text,
            "choices": [
                [{"label": each.label, "token": each.token, "url": each.url} for each in row] for row in rows if row
            ],
        }

    async def _list(self, conversation_id: int) -> str:
        """Return the customer's cases as they stand now, as the page shows them; nothing where that is not known."""
        try:
            known = await asyncio.to_thread(self._known, conversation_id)
        except Unavailable:  # what was said is recorded: the old list is no reason to say that it failed
            return ""
        if known is None:
            return ""
        language = known[0].words.language
        return self._jinja.get_template("cases.html").render(
            words=self._words(language), **self._cases(language, known[1])
        )

    # --- what is known ---

    async def _look(self, request: web.Request) -> tuple[Conversation, list[Case], datetime] | None:
        """Return whose page it is, with their cases and until when the address works; None for anything wrong."""
        found = link.read(request.match_info["token"], self._desk.now(), self._store.sign)
        if found is None:
            return None
        try:
            known = await asyncio.to_thread(self._known, found[0])
        except Unavailable as error:
            raise web.HTTPServiceUnavailable(headers=_STATIC) from error
        return None if known is None else (*known, found[1])

    def _known(self, conversation_id: int) -> tuple[Conversation, list[Case]] | None:
        with self._store.read() as ledger:
            conversation = ledger.conversation(conversation_id)
            if conversation is None or conversation.staff_id is not None or not conversation.words.chat:
                return None  # nobody's, a member's of the staff, or erased
            return conversation, ledger.cases_of(conversation_id, _LISTED)

    def _cases(self, language: Language, cases: Sequence[Case]) -> dict[str, list[dict[str, object]]]:
        """Return the customer's cases as the page shows them: those that go on, and those that are over."""
        shown = [self._case(language, case) for case in cases]
        return {
            "going_on": [case for case in shown if not case["over"]],
            "earlier": [case for case in shown if case["over"]],
        }

    def _case(self, language: Language, case: Case) -> dict[str, object]:
        policy = self._desk.book.policies[case.policy]
        untyped = self._say(language, "case.untyped")
        kind = policy.taxonomy.type(case.type).title[language] if case.type else untyped
        promised, now = case.promised_at, self._desk.now()
        unfinished = case.open and not case.facts.complete
        if case.facts.asked:
            coming = self._say(language, "status.asked", question=case.words.question)
        elif unfinished:
            coming = self._say(language, "status.form")
        elif promised is not None and promised > now:
            coming = self._say(language, "status.date", date=self._desk.book.promise(language, promised, case, now))
        elif case.open and case.facts.resolved_at is None:
            coming = self._say(language, "status.working")
        else:
            coming = ""
        return {
            "number": case.number,
            "type": kind,
            "state": policy.lifecycle.state(case.state).title[language],
            "next": coming,
            "asks": case.facts.asked or unfinished,
            "over": not case.open,
        }

    def _say(self, language: Language, key: str, **values: object) -> str:
        return self._desk.book.wording.say(language, key, **values)

    def _words(self, language: Language) -> dict[str, str]:
        return {key.partition(".")[2]: self._say(language, key) for key in _SENTENCES}


class _Limits:
    """How much one may ask for: so many posts in a while, one at a time, and a few at once from all together."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._reading: set[int] = set()

    def passed(self, conversation_id: int) -> bool:
        """Count one more request, and tell whether it may pass."""
        now = asyncio.get_running_loop().time()
        if len(self._due) > _MANY:
            self._due = {key: due for key, due in self._due.items() if due > now}
        at, due = passage(self._due.get(conversation_id, now), now, _PACE)
        if at > now:
            return False
        self._due[conversation_id] = due
        return True

    @contextmanager
    def reading(self, conversation_id: int) -> Iterator[None]:
        """Take a place among those whose posts are read into memory."""
        if conversation_id in self._reading or len(self._reading) >= _READERS:
            raise _Refused(429)
        self._reading.add(conversation_id)
        try:
            yield
        finally:
            self._reading.remove(conversation_id)


def _headers(nonce: str) -> dict[str, str]:
    """Return what a browser is told: keep nothing, tell nobody, and run or load nothing that is not ours."""
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {**_STATIC, "Content-Security-Policy": policy}


def _problem(status: int) -> web.Response:
    return web.json_response({}, status=status, headers=_STATIC)


def _busy() -> Answer:
    empty = Reply(body=b"{}", content_type="application/json")
    return Answer(reply=empty, blank=empty, status=503, last=False)


def _reply(told: dict[str, object], carried: tuple[Letter, ...] = ()) -> Reply:
    return Reply(body=json.dumps(told).encode(), content_type="application/json", carried=carried)


async def _content(part: BodyPartReader, most: int) -> bytes:
    content = bytearray()
    while piece := await part.read_chunk(_PIECE):
        content += piece
        if len(content) > most:
            raise _Refused(413)
    return bytes(content)


def _said(given: object, files: Sequence[_File]) -> _Said:
    """Return what was posted, checked: everything from outside is hostile."""
    if not isinstance(given, dict):
        raise _Refused(400)
    nonce, text, press = (given.get(name, "") for name in ("nonce", "text", "press"))
    if not all(isinstance(each, str) for each in (nonce, text, press)) or not _NONCE.fullmatch(nonce):
        raise _Refused(400)
    text, opens = clean(text).strip(), given.get("open") is True
    if len(text) > _LONGEST_TEXT or len(press.encode("utf-8", "replace")) > _LONGEST_TOKEN:
        raise _Refused(413)
    if sum([bool(text or files), bool(press), opens]) != 1:
        raise _Refused(400)
    return _Said(nonce=nonce, text=text, press=clean(press), opens=opens, files=files)


def _message(conversation: Conversation, said: _Said, refs: Sequence[str], key: str, now: datetime) -> IncomingMessage:
    """Return what was said as if it had been said in the conversation's own chat."""
    chat = conversation.words.chat
    return IncomingMessage(
        key=key,
        kind="press" if said.press else "text",
        address=Address(channel=conversation.channel, chat=chat),
        sender=chat,
        sent_at=now,
        text=said.text,
        press=said.press,
        command="resume" if said.opens else "",
        attachments=tuple(
            Attachment(
                kind=_KINDS.get(file.kind.partition("/")[0], "document"),
                ref=ref,
                size=len(file.content),
                mime=file.kind or None,
                name=file.name or None,
            )
            for ref, file in zip(refs, said.files, strict=True)
        ),
    )
