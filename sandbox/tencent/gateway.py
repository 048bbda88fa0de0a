"""The one path of every call to the fake platforms: faults, token, verb and body, and errors in the platform's words.

Errors come with HTTP 200 and an `errcode`: https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

from sandbox.faults import Fault, FaultKind, Outage, Switchboard
from sandbox.tencent.envelope import Json
from sandbox.tencent.phones import File
from sandbox.tencent.record import Record, Served


class Refusal(Exception):
    """The platform says no, in its own words."""

    def __init__(self, code: int, message: str) -> None:
        """Say no with a number and a text."""
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(kw_only=True, slots=True, frozen=True)
class Upload:
    """A file that came with a request."""

    field: str
    name: str
    mime: str
    data: bytes


@dataclass(kw_only=True, slots=True, frozen=True)
class Call:
    """One request to a platform."""

    path: str
    verb: str
    query: Mapping[str, str]
    body: Json
    upload: Upload | None
    remote: str
    origin: str
    """Where the platform was reached, for addresses in answers."""
    escaped: bool
    """Whether the body writes characters outside ASCII as escapes."""

    def text(self, name: str) -> str:
        """Read a field of the body as text; a missing one, or one that is no text, is empty."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def object(self, name: str) -> Json:
        """Read an object of the body; a missing one is empty."""
        value = self.body.get(name)
        return value if isinstance(value, dict) else {}

    def number(self, name: str) -> int | None:
        """Read a whole number of the body, which may be written as text."""
        value = self.body.get(name)
        return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else None

    def words(self, name: str) -> list[str]:
        """Read a list of texts of the body; a missing one is empty."""
        value = self.body.get(name)
        return [str(each) for each in value] if isinstance(value, list) else []


Answer = Json | web.StreamResponse


@dataclass(kw_only=True, slots=True, frozen=True)
class Endpoint:
    """What serves a path."""

    run: Callable[[Call], Awaitable[Answer]]
    verb: Literal["GET", "POST"] = "POST"
    token: bool = True
    """Whether it takes an access token."""


class Gateway:
    """Serves the calls to one platform. What differs between platforms is in `check_token` and `worded`."""

    def __init__(self, *, switchboard: Switchboard, record: Record) -> None:
        """Begin without endpoints."""
        self.switchboard = switchboard
        self.record = record
        self.endpoints: dict[str, Endpoint] = {}

    def check_token(self, call: Call) -> None:
        """Refuse a call with a wrong access token, or one call too many."""
        raise NotImplementedError

    def worded(self, refusal: Refusal, call: Call) -> str:
        """Write the text of an error as the platform does."""
        raise NotImplementedError

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one call."""
        if self.switchboard.outage is Outage.HANG:
            await self.switchboard.hold()
            return cut(request)
        if self.switchboard.outage is Outage.REFUSE:
            return cut(request)
        path = request.match_info["path"]
        call = await _read(request, path)
        person = _meant(call) if isinstance(call, Call) else None
        fault = self.switchboard.take(path, person)
        if fault and fault.kind is FaultKind.DROP:
            return cut(request)
        if self.switchboard.delay:
            await self.switchboard.hold(self.switchboard.delay)
        answer, code = await self._spoiled(call, fault)
        given = call.body if isinstance(call, Call) else {}
        self.record.note(Served(method=path, person=person, parameters=given, code=code, status=answer.status))
        return cut(request) if fault and fault.kind is FaultKind.DROP_AFTER else answer

    async def _spoiled(self, call: "Call | Refusal", fault: Fault | None) -> tuple[web.StreamResponse, int]:
        if fault and fault.kind is FaultKind.HANG:
            await self.switchboard.hold(fault.seconds)
        if self.switchboard.outage is Outage.FAIL or (fault and fault.kind is FaultKind.FAILED):
            return web.Response(status=500, text="Internal Server Error"), 0
        if fault and fault.kind is FaultKind.BAD_GATEWAY:
            return web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html"), 0
        try:
            if fault and fault.kind is FaultKind.THROTTLED:
                raise Refusal(45011, "api minute-quota reach limit, must slower, retry next minute")  # noqa: TRY301
            if fault and fault.kind is FaultKind.ERROR:
                raise Refusal(fault.code, "system error")  # noqa: TRY301
            answer = await self._run(call)
        except Refusal as refusal:
            asked = call if isinstance(call, Call) else _EMPTY
            return web.json_response({"errcode": refusal.code, "errmsg": self.worded(refusal, asked)}), refusal.code
        return (answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)), 0

    async def _run(self, call: "Call | Refusal") -> Answer:
        if isinstance(call, Refusal):
            raise call
        endpoint = self.endpoints.get(call.path)
        if endpoint is None:
            raise Refusal(40066, "invalid url")
        if endpoint.verb != call.verb:
            raise Refusal(43001 if endpoint.verb == "GET" else 43002, f"require {endpoint.verb} method")
        if endpoint.token:
            self.check_token(call)
        return await endpoint.run(call)


def attachment(file: File) -> web.Response:
    """Answer with a file, as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return web.Response(body=b"".join(file.content()), content_type=file.mime, headers=headers)


def cut(request: web.Request) -> web.Response:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=503)


def trace(now: int) -> str:
    """Make up the id by which the platform finds a call again."""
    return f"{now:08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


async def _read(request: web.Request, path: str) -> "Call | Refusal":
    """Read a call; what can't be read is refused after the faults, as everything is."""
    upload: Upload | None = None
    body: Json = {}
    raw = b""
    if request.content_type.startswith("multipart/"):
        for name, part in (await request.post()).items():
            if isinstance(part, web.FileField):
                upload = Upload(field=name, name=part.filename, mime=part.content_type, data=part.file.read())
    elif request.method == "POST":
        raw = await request.read()
        try:
            body = json.loads(raw) if raw.strip() else {}
        except ValueError:
            return Refusal(47001, "data format error")
        if not isinstance(body, dict):
            return Refusal(47001, "data format error")
    return Call(
        path=path,
        verb=request.method,
        query=request.query,
        body=body,
        upload=upload,
        remote=request.remote or "",
        origin=f"{request.scheme}://{request.host}",
        escaped=any(part[:2] not in {b"00", b""} for part in raw.replace(b"\\\\", b"").split(b"\\u")[1:]),
    )


def _meant(call: Call) -> str | None:
    """Tell whom a call is about, for faults that are meant for one person."""
    return call.text("touser") or call.query.get("openid") or None


_EMPTY: Final = Call(path="", verb="", query={}, body={}, upload=None, remote="127.0.0.1", origin="", escaped=False)
_BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
