"""One call after the other to WeChat or WeCom, with the access token of the account, over one connection pool.

Sources: https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html,
https://developer.work.weixin.qq.com/document/path/91039
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    TCPConnector,
)

from bot.channel import Shelf, Sink

Json = dict[str, Any]  # an object of the platform's; every reader checks the type it needs
FetchToken = Callable[[], Awaitable[tuple[str, float]]]
SessionFactory = Callable[[], ClientSession]


def open_session() -> ClientSession:
    """Return a session for one account: a hundred kept connections, no cookies, no proxy from the environment."""
    return ClientSession(
        connector=TCPConnector(limit=100, keepalive_timeout=30, ttl_dns_cache=300),
        cookie_jar=DummyCookieJar(),
        trust_env=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a result, an error of the platform (`code`), or `trouble` on the way (then `code` is 0).

    `text` is what the platform says of an error, `rid` the id of the call that its support asks for.
    """

    result: Any = None  # differs by call; every reader checks the type it needs
    code: int = 0
    text: str = ""
    rid: str = ""
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Whether the platform did what it was asked."""
        return not (self.code or self.trouble)


class NoToken(Exception):
    """The platform gave no access token. `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"no access token: {answer.trouble or answer.code}")
        self.answer = answer


class Api:
    """The API of one account. Never raises for the network, and never tells a token.

    `fetch_token` asks the platform for a token with `ask`, and raises `NoToken`; the `shelf` keeps what it brings under
    `name`, and lets one process ask for all.
    """

    def __init__(
        self, *, url: str, name: str, shelf: Shelf, fetch_token: FetchToken, session: SessionFactory = open_session
    ) -> None:
        """Take the address without a path."""
        self.url = url.rstrip("/")
        self._name = name
        self._shelf = shelf
        self._fetch_token = fetch_token
        self._session_factory = session
        self._session: ClientSession | None = None
        self._complain_at = 0.0

    def __repr__(self) -> str:
        """Name the account and no token."""
        return f"<Api of {self._name}>"

    async def open(self) -> None:
        """Open the connection pool."""
        if self._session is None:
            self._session = self._session_factory()

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self, path: str, body: Json | None = None, query: Mapping[str, str] | None = None, within: float = 20.0
    ) -> Answer:
        """Call a path with the access token: a POST of `body`, or a GET without one.

        A timeout leaves open what was done. A token that the platform does not take is renewed once, and the call is
        made once more.
        """
        return await self._with_token(lambda token: self.ask(path, body, {**token, **(query or {})}, within))

    async def ask(
        self, path: str, body: Json | None = None, query: Mapping[str, str] | None = None, within: float = 20.0
    ) -> Answer:
        """Call a path without the access token."""
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self._request(
            "GET" if body is None else "POST",
            path,
            query or {},
            _timeout(within),
            _told,
            data=data,
            hidden=[str(value) for name, value in {**(query or {}), **(body or {})}.items() if name in _SECRET],
        )

    async def upload(
        self,
        path: str,
        field: str,
        filename: str,
        mime: str,
        content: bytes,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a file as the one field of a form."""

        async def send(token: Mapping[str, str]) -> Answer:
            form = FormData(quote_fields=False)  # the platforms do not undo the quoting of other alphabets
            form.add_field(field, content, filename=_UNSPEAKABLE.sub("_", filename) or "file", content_type=mime)
            return await self._request(
                "POST", path, {**token, **(query or {})}, _FILES, _told, data=form, hidden=[*token.values()]
            )

        return await self._with_token(send)

    async def download(self, path: str, query: Mapping[str, str], sink: Sink, most: int) -> Answer:
        """Hand a file to `sink`, piece by piece; what the sink raises is raised.

        The result is how many bytes came, or the platform's JSON where it sent that in place of a file. A count of more
        than `most` says that the file is longer, and was given up.
        """

        async def receive(token: Mapping[str, str]) -> Answer:
            read = _receiver(sink, most)
            return await self._request("GET", path, {**token, **query}, _FILES, read, hidden=[*token.values()])

        return await self._with_token(receive)

    async def download_from(self, url: str, sink: Sink, most: int) -> Answer:
        """Hand a file from another address to `sink`, as `download` does, without the access token."""
        return await self._request("GET", url, {}, _FILES, _receiver(sink, most), elsewhere=True)

    async def _with_token(self, send: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Answer:
        try:
            token = await self._shelf.token(self._name, self._fetch_token)
            answer = await send({"access_token": token})
            if answer.code in TOKEN_CODES:
                fetch = partial(self._fetch_another, token, answer)
                answer = await send({"access_token": await self._shelf.token(self._name, fetch, stale=token)})
                if answer.code in TOKEN_CODES:
                    self._complain(answer)
        except NoToken as problem:
            self._complain(problem.answer)
            return problem.answer
        return answer

    async def _fetch_another(self, stale: str, answer: Answer) -> tuple[str, float]:
        """Fetch a token that is not the stale one. Where the platform tells the same again, asking more is no use."""
        token, seconds = await self._fetch_token()
        if token == stale:
            raise NoToken(answer)
        return token, seconds

    def _complain(self, answer: Answer) -> None:
        """Write one line in thirty seconds: without a token everything fails."""
        now = asyncio.get_running_loop().time()
        if now >= self._complain_at:
            self._complain_at = now + _COMPLAIN_EVERY
            structlog.get_logger().error(
                "no_access_token",
                api=self._name,
                error=answer.trouble or f"{answer.code} {answer.text}",
                rid=answer.rid,
            )

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, which knows of connecting and reading
        read: Callable[[ClientResponse], Awaitable[Answer]],
        *,
        data: bytes | FormData | None = None,
        hidden: list[str] | None = None,
        elsewhere: bool = False,
    ) -> Answer:
        if self._session is None:
            return Answer(trouble="closed")
        url = path if elsewhere else f"{self.url}{path}"
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else None
        try:
            async with self._session.request(
                method, url, params=query, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await read(response)
        except (ClientError, TimeoutError) as problem:  # their texts hold the address, and so the token
            return Answer(trouble=type(problem).__name__)
        text = answer.text
        for secret in filter(None, hidden or ()):
            text = text.replace(secret, "\u2026")
        return replace(answer, text=text[:_LONGEST])


async def _told(response: ClientResponse) -> Answer:
    """Read a JSON answer. The platform says what is wrong in it, mostly with HTTP 200."""
    body = b""
    async for piece in response.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > _LARGEST:
            return Answer(trouble="an answer without end")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or (response.status != _OK and "errcode" not in answer):
        return Answer(trouble=f"HTTP {response.status}")  # a gateway or proxy spoke, not the platform
    code, text = answer.get("errcode", 0), str(answer.get("errmsg") or "")
    if type(code) is not int:
        return Answer(trouble="an errcode that is no number")
    rid = _RID.search(text)
    return Answer(result=answer, code=code, text=text if code else "", rid=rid[1] if rid else "")


def _receiver(sink: Sink, most: int) -> Callable[[ClientResponse], Awaitable[Answer]]:
    async def receive(response: ClientResponse) -> Answer:
        spoken = response.content_type in ("application/json", "text/plain")
        if response.status != _OK or (spoken and "Content-Disposition" not in response.headers):
            return await _told(response)
        if (response.content_length or 0) > most:
            return Answer(result=response.content_length)
        count = 0
        async for piece in response.content.iter_chunked(_PIECE):
            count += len(piece)
            if count > most:
                break
            await sink(piece)
        return Answer(result=count)

    return receive


def _timeout(within: float) -> ClientTimeout:
    return ClientTimeout(total=within, connect=min(within, 10.0))


TOKEN_CODES: Final = frozenset({40001, 40014, 42001})
"""The platform does not take the access token."""
_OK: Final = 200
_LARGEST: Final = 1024 * 1024
_LONGEST: Final = 300
_PIECE: Final = 64 * 1024
_COMPLAIN_EVERY: Final = 30.0
_SECRET: Final = frozenset({"access_token", "secret", "corpsecret", "key"})  # key: of a robot
_RID: Final = re.compile(r"rid:\s*([0-9a-f-]{8,64})")
_UNSPEAKABLE: Final = re.compile(r'[\x00-\x1f\x7f"\\/\ud800-\udfff]')
_FILES: Final = ClientTimeout(total=300.0, connect=10.0, sock_read=30.0)
