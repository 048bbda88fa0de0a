"""The control routes that WeChat and WeCom share; the platforms add their own."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from sandbox import media
from sandbox.faults import Fault, FaultKind, Outage, Switchboard
from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Json
from sandbox.tencent.gateway import attachment
from sandbox.tencent.phones import Chat, File, Message, MissingError, Person, Phones
from sandbox.tencent.record import Record

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Served = Callable[[web.Request], Awaitable[Json]]


class Strings:
    """Serves what every platform of the family lets tests do."""

    def __init__(self, *, phones: Phones, courier: Courier, switchboard: Switchboard, record: Record) -> None:
        """Pull the strings of one platform."""
        self.phones = phones
        self.courier = courier
        self.switchboard = switchboard
        self.record = record
        self.root = f"/sandbox/{phones.platform}"

    def told_account(self) -> Json:
        """Write the account as a bot, which it is to the phone page."""
        raise NotImplementedError

    async def say(self, person: Person, given: Json, uploads: list[Json]) -> list[Message]:
        """Let a person say something."""
        raise NotImplementedError

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        root = self.root
        return [
            web.get(f"{root}/bots", answering(self._bots)),
            web.get(f"{root}/people", answering(self._people)),
            web.post(root + "/people/{person}/say", answering(self._say)),
            web.get(f"{root}/chats", answering(self._chats)),
            web.get(root + "/chats/{chat}", answering(self._transcript)),
            web.delete(root + "/chats/{chat}", answering(self._clear_chat)),
            web.get(root + "/files/{file}", self._file),
            web.put(f"{root}/callback", answering(self._set_callback)),
            web.get(f"{root}/callbacks", answering(self._callbacks)),
            web.post(f"{root}/callbacks", answering(self._inject)),
            web.post(root + "/callbacks/{callback}/replay", answering(self._replay)),
            web.get(f"{root}/faults", answering(self._faults)),
            web.post(f"{root}/faults", answering(self._add_fault)),
            web.put(f"{root}/faults", answering(self._set_faults)),
            web.delete(f"{root}/faults", answering(self._clear_faults)),
            web.get(f"{root}/counters", answering(self._counters)),
            web.get(f"{root}/calls", answering(self._calls)),
        ]

    # --- people and chats ---

    async def _bots(self, _: web.Request) -> Json:
        return {"bots": [self.told_account()]}

    async def _people(self, _: web.Request) -> Json:
        return {"people": [self.phones.told_person(person) for person in self.phones.people.values()]}

    async def _say(self, request: web.Request) -> Json:
        person = self.person(request)
        given, uploads = await _said(request)
        return self.told(self.phones.private(person), await self.say(person, given, uploads))

    async def _chats(self, _: web.Request) -> Json:
        for person in self.phones.people.values():
            self.phones.private(person)
        return {"chats": [self.phones.told_chat(chat) for chat in self.phones.chats.values()]}

    async def _transcript(self, request: web.Request) -> Json:
        """Tell everything said in a chat; with `after` and `wait`, as soon as it has changed beyond that version."""
        chat = self.phones.chat(request.match_info["chat"])
        after, wait = int(request.query.get("after", -1)), float(request.query.get("wait", 0))
        if wait and chat.version <= after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(chat.tick.wait(), min(wait, _LONGEST_WAIT))
        return self.told(chat, list(chat.messages.values())) | {"chat": self.phones.told_chat(chat), "answers": []}

    async def _clear_chat(self, request: web.Request) -> Json:
        self.phones.clear(self.phones.chat(request.match_info["chat"]))
        return {}

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self.phones.files.get(request.match_info["file"])
        return attachment(file) if file else web.json_response({"error": "file"}, status=404)

    # --- callbacks ---

    async def _set_callback(self, request: web.Request) -> Json:
        """Set the callback, once it has answered the platform's question; without a `url` nothing is told any more."""
        given = await read(request)
        url = str(given.get("url") or "")
        if url and given.get("verify", True) and (wrong := await self.courier.verify(url)):
            raise web.HTTPBadRequest(text=f"the callback was not accepted: {wrong}")
        self.courier.url = url
        return {"url": url}

    async def _callbacks(self, _: web.Request) -> Json:
        return {"callbacks": self.courier.recent()}

    async def _inject(self, request: web.Request) -> Json:
        """Tell something as it is: `xml`, or `fields` to write as XML."""
        given = await read(request)
        person = self.phones.person(str(given["person"]))
        told = str(given["xml"]) if "xml" in given else dict(given["fields"])
        number = self.courier.put(told, person=person.account, to=self.told_account()["username"], heard=lambda _: None)
        return {"id": number}

    async def _replay(self, request: web.Request) -> Json:
        given = await read(request)
        number = int(request.match_info["callback"])
        return {"statuses": await self.courier.replay(number, int(given.get("times", 1)))}

    # --- what goes wrong, and what happened ---

    async def _faults(self, _: web.Request) -> Json:
        board = self.switchboard
        faults = [asdict(fault) for fault in board.faults]
        return {"faults": faults, "outage": board.outage, "delay": board.delay, "limits": None}

    async def _add_fault(self, request: web.Request) -> Json:
        given = await read(request)
        if given.get("chat") is not None:
            given["chat"] = self.phones.person(str(given["chat"])).account
        self.switchboard.add(Fault(**{**given, "kind": FaultKind(str(given["kind"]))}))
        return await self._faults(request)

    async def _set_faults(self, request: web.Request) -> Json:
        """Set the outage or the delay; callbacks rest in an outage too, unless `callbacks` is true."""
        given = await read(request)
        if "outage" in given:
            self._set_outage(Outage(given["outage"]), callbacks=bool(given.get("callbacks")))
        if "delay" in given:
            self.switchboard.delay = float(given["delay"] or 0)
        return await self._faults(request)

    async def _clear_faults(self, request: web.Request) -> Json:
        self.switchboard.clear()
        self._set_outage(Outage.NONE, callbacks=True)
        return await self._faults(request)

    def _set_outage(self, outage: Outage, *, callbacks: bool) -> None:
        self.switchboard.set_outage(outage)
        self.courier.stop_flow(stopped=outage is not Outage.NONE and not callbacks)

    async def _counters(self, _: web.Request) -> Json:
        told = self.record.told()
        told["callbacks"] |= {"pending": self.courier.pending}
        return told

    async def _calls(self, request: web.Request) -> Json:
        return {"calls": self.record.latest(request.query.get("method", ""))}

    # --- reading requests, writing answers ---

    def person(self, request: web.Request) -> Person:
        """Find the person a route names."""
        return self.phones.person(request.match_info["person"])

    def told(self, chat: Chat, messages: list[Message]) -> Json:
        """Write messages of a chat."""
        told = [self.phones.told_message(message) for message in messages]
        return {"key": chat.key, "version": chat.version, "messages": told}

    def files(self, given: Json, uploads: list[Json]) -> list[tuple[File, Json]]:
        """Store what a person sends, with what was said of it; kinds may go by their Telegram names."""
        stored = []
        for spec in [*uploads, *given.get("media", [])]:
            kind, size = _KINDS.get(str(spec.get("kind")), str(spec.get("kind"))), spec.get("size")
            count = len(self.phones.files)
            start = spec.get("data") or (media.picture(hue=count) if kind == "image" else b"%%sandbox %d\n" % count)
            size = max(int(size), 1) if size is not None else None
            drawn = "image/png" if kind == "image" and not spec.get("data") else ""
            file = self.phones.store(
                kind, start, name=spec.get("name") or "", mime=spec.get("mime") or drawn, size=size
            )
            stored.append((file, spec))
        return stored


def answering(handler: Served) -> Handler:
    """Write what a handler returns, and turn what it could not find or read into 404 and 400."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except MissingError as unknown:
            return web.json_response({"error": f"no such {unknown}"}, status=404)
        except web.HTTPBadRequest as refusal:
            return web.json_response({"error": refusal.text}, status=400)
        except (KeyError, TypeError, ValueError) as mistake:
            return web.json_response({"error": f"{type(mistake).__name__}: {mistake}"}, status=400)

    return serve


async def read(request: web.Request) -> dict[str, Any]:  # JSON, of any shape
    """Read the object in the body of a request; a missing one is empty."""
    body = await request.json() if request.can_read_body else {}
    if not isinstance(body, dict):
        raise TypeError("expected an object")
    return body


async def _said(request: web.Request) -> tuple[Json, list[Json]]:
    """Read what is said as JSON, or as a form whose files are named for their kind."""
    if not request.content_type.startswith("multipart/"):
        return await read(request), []
    given: Json = {}
    uploads: list[Json] = []
    for name, part in (await request.post()).items():
        if isinstance(part, web.FileField):
            uploads.append({"kind": name, "name": part.filename, "mime": part.content_type, "data": part.file.read()})
        else:
            given[name] = part
    return given, uploads


_KINDS: Final = {"photo": "image", "document": "file"}
_LONGEST_WAIT: Final = 30.0
