"""An account of WeChat or WeCom for tests: it calls the platform, and has a callback that answers what it is told to.

What is sealed here is sealed by other code than the sandbox's, so that both must be right.
"""

import asyncio
import base64
import hashlib
import io
import struct
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Json = dict[str, Any]


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(text: str, key: str, identity: str) -> str:
    raw = base64.b64decode(key + "=")
    whole = b"0123456789abcdef" + struct.pack(">I", len(text.encode())) + text.encode() + identity.encode()
    whole += bytes([32 - len(whole) % 32]) * (32 - len(whole) % 32)
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(encryptor.update(whole) + encryptor.finalize()).decode()


def unseal(sealed: str, key: str) -> tuple[str, str]:
    raw = base64.b64decode(key + "=")
    decryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
    whole = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
    whole = whole[: -whole[-1]]
    size = struct.unpack(">I", whole[16:20])[0]
    return whole[20 : 20 + size].decode(), whole[20 + size :].decode()


def parsed(xml: str) -> Json:
    def value(element: ET.Element) -> Any:
        return {child.tag: value(child) for child in element} if len(element) else element.text or ""

    told = value(ET.fromstring(xml))
    assert isinstance(told, dict)
    return told


class Listener:
    """The callback of an account. `answers` are used up one by one; then there is only an empty body."""

    def __init__(self, *, token: str, key: str, identity: str) -> None:
        self.token, self.key, self.identity = token, key, identity
        self.url = ""
        self.queries: list[Json] = []
        self.bodies: list[str] = []
        self.told: list[Json] = []
        self.answers: list[str | int | Callable[[Json], str]] = []
        self.slow: asyncio.Event | None = None
        self.delays: list[float] = []
        self.echo = True

    async def serve(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        if request.method == "GET":
            return web.Response(text=self._echo(query) if self.echo else "hello")
        body = await request.text()
        self.queries.append(query)
        self.bodies.append(body)
        self.told.append(self._read(query, body))
        answer = self.answers.pop(0) if self.answers else ""
        if self.slow:
            await self.slow.wait()
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=answer(self.told[-1]) if callable(answer) else answer, content_type="application/xml")

    def _echo(self, query: Json) -> str:
        stamp, nonce, echo = query["timestamp"], query["nonce"], query["echostr"]
        if "msg_signature" in query:
            assert query["msg_signature"] == sha1(self.token, stamp, nonce, echo)
            return unseal(echo, self.key)[0]
        assert query["signature"] == sha1(self.token, stamp, nonce)
        return str(echo)

    def _read(self, query: Json, body: str) -> Json:
        if "signature" in query:
            assert query["signature"] == sha1(self.token, query["timestamp"], query["nonce"])
        if "msg_signature" not in query:
            return parsed(body)
        outer = parsed(body)
        assert query["msg_signature"] == sha1(self.token, query["timestamp"], query["nonce"], outer["Encrypt"])
        text, identity = unseal(outer["Encrypt"], self.key)
        assert identity == self.identity
        return parsed(text)

    # --- answers ---

    def sealed(self, xml: str) -> str:
        encrypted = seal(xml, self.key, self.identity)
        signed = sha1(self.token, "1700000000", "99", encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            "<TimeStamp>1700000000</TimeStamp><Nonce><![CDATA[99]]></Nonce></xml>"
        )

    def reply(self, inside: str) -> Callable[[Json], str]:
        """Answer whoever asked, sealed."""
        return lambda told: self.sealed(plain(inside)(told))

    def says(self, text: str) -> Callable[[Json], str]:
        return self.reply(f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>")


def plain(inside: str) -> Callable[[Json], str]:
    """Answer whoever asked, in the clear."""
    return lambda told: (
        f"<xml><ToUserName><![CDATA[{told['FromUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{told['ToUserName']}]]></FromUserName><CreateTime>1700000000</CreateTime>{inside}</xml>"
    )


def saying(text: str) -> Callable[[Json], str]:
    return plain(f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>")


class Caller:
    """A client of a platform that fetches a token when it has none, and gives errors back as they are."""

    def __init__(self, url: str, http: aiohttp.ClientSession, token: Callable[["Caller"], Any]) -> None:
        self.url, self.http, self._fetch = url, http, token
        self.token = ""

    async def get(self, path: str, **query: str) -> Json:
        return await self._call("GET", path, query)

    async def post(self, path: str, body: Any = None, **query: str) -> Json:
        return await self._call("POST", path, query, json=body)

    async def upload(self, path: str, name: str, data: bytes, *, field: str = "media", **query: str) -> Json:
        form = aiohttp.FormData()
        form.add_field(field, io.BytesIO(data), filename=name, content_type="application/octet-stream")
        return await self._call("POST", path, query, data=form)

    async def code(self, path: str, body: Any = None, **query: str) -> int:
        """Post and return only the error code."""
        return int((await self.post(path, body, **query)).get("errcode", 0))

    async def download(self, path: str, **query: str) -> tuple[str, bytes]:
        async with self.http.get(f"{self.url}/{path}", params=query | {"access_token": self.token}) as answer:
            return answer.content_type, await answer.read()

    async def _call(self, method: str, path: str, query: Json, **more: Any) -> Json:
        if not self.token and "token" not in path:
            self.token = (await self._fetch(self))["access_token"]
        query = {"access_token": self.token} | query
        async with self.http.request(method, f"{self.url}/{path}", params=query, **more) as answer:
            assert answer.status == 200
            return await answer.json()
