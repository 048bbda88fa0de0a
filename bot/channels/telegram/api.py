"""One call to the Bot API after the other, over one connection pool. The token lives here and leaves only in URLs.

Source: https://core.telegram.org/bots/api#making-requests
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from yarl import URL

Json = dict[str, Any]  # an object of the Bot API


def open_session() -> ClientSession:
    """Return a session for one bot: a hundred kept connections, no cookies, no proxy from the environment."""
    return ClientSession(
        connector=TCPConnector(limit=100, keepalive_timeout=30, ttl_dns_cache=300),
        cookie_jar=DummyCookieJar(),
        trust_env=False,
    )


SessionFactory = Callable[[], ClientSession]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a result, an error of the Bot API (`code`), or `trouble` on the way (then `code` is 0)."""

    result: Any = None  # differs by method; every reader checks the type it needs
    code: int = 0
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Whether the platform did what it was asked."""
        return not (self.code or self.trouble)

    def number(self, name: str) -> int | None:
        """Return a parameter of an error, such as `retry_after` (seconds) or `migrate_to_chat_id`."""
        value = self.parameters.get(name)
        return value if type(value) is int else None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to upload."""

    name: str
    mime: str
    content: bytes = field(repr=False)


class Api:
    """The Bot API at one address. Never raises for the network, and never tells the token."""

    def __init__(self, *, token: str, url: str, proxy: str, session: SessionFactory) -> None:
        """Take the address without a slash at its end, and the URL of an HTTP proxy or nothing."""
        self._token = token
        self._base = url.rstrip("/")
        self._proxy = URL(proxy) if proxy else None
        self._session_factory = session
        self._session: ClientSession | None = None
        self._urls: dict[str, URL] = {}

    def __repr__(self) -> str:
        """Name the address and not the token."""
        return f"<Api of bot {self._token.partition(':')[0]} at {URL(self._base).host}>"

    async def open(self) -> None:
        """Open the connection pool."""
        if self._session is None:
            self._session = self._session_factory()

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, method: str, arguments: Json, *, within: float = 20.0) -> Answer:
        """Call a method and wait so many seconds at most. A timeout leaves open whether it was done."""
        body = _ENCODER.encode(arguments).encode()
        return await self._post(method, body, _TIMEOUTS.get(within) or _timeout(within), headers=_JSON)

    async def upload(self, method: str, arguments: Json, field: str, file: File) -> Answer:
        """Call a method with a file as one of its fields; the arguments are texts and numbers.

        Source: https://core.telegram.org/bots/api#sending-files
        """
        form = FormData({name: str(value) for name, value in arguments.items()})
        form.add_field(field, file.content, filename=file.name, content_type=file.mime)
        return await self._post(method, form, _FILE)

    async def _post(
        self,
        method: str,
        body: bytes | FormData,
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's own, which knows of connecting
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if self._session is None:
            return Answer(trouble="closed")
        url = self._urls.get(method)
        if url is None:
            url = self._urls[method] = URL(f"{self._base}/bot{self._token}/{method}", encoded=True)
        try:
            async with self._session.post(
                url, data=body, headers=headers, proxy=self._proxy, timeout=timeout, allow_redirects=False
            ) as response:
                return self._read(response.status, await response.read())
        except (ClientError, TimeoutError, OSError, ValueError) as problem:  # texts of these may hold the URL
            return Answer(trouble=type(problem).__name__)

    async def download(self, path: str, sink: "Callable[[ClientResponse], Any]") -> Answer:
        """Open a file of the platform and let `sink` read the response."""
        if self._session is None:
            return Answer(trouble="closed")
        url = URL(f"{self._base}/file/bot{self._token}/") / path
        try:
            async with self._session.get(url, proxy=self._proxy, timeout=_DOWNLOAD, allow_redirects=False) as response:
                if response.status != _OK:
                    return Answer(trouble=f"HTTP {response.status}")
                return Answer(result=await sink(response))
        except (ClientError, TimeoutError) as problem:
            return Answer(trouble=type(problem).__name__)

    def _read(self, status: int, body: bytes) -> Answer:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or "ok" not in answer:  # a gateway or proxy spoke, not Telegram
            return Answer(trouble=f"HTTP {status}")
        if answer["ok"] is True:
            return Answer(result=answer.get("result"))
        code, description, parameters = (answer.get(name) for name in ("error_code", "description", "parameters"))
        return Answer(
            code=code if type(code) is int and code else status,
            description=str(description or "")[:300].replace(self._token, "…"),
            parameters=parameters if isinstance(parameters, dict) else {},
        )


def _timeout(within: float) -> ClientTimeout:
    return ClientTimeout(total=within, connect=min(within, 10.0))


_OK: Final = 200
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_TIMEOUTS: Final = {20.0: _timeout(20.0)}
_JSON: Final = {"Content-Type": "application/json"}
_FILE: Final = _timeout(60.0)
_DOWNLOAD: Final = ClientTimeout(total=300.0, connect=10.0, sock_read=30.0)
