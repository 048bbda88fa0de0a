"""What people do with their phones, and what goes wrong, as JSON under `/sandbox/telegram`.

The table of routes is in the docstring of the package.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Final, cast, get_args

from aiohttp import web

from sandbox import media
from sandbox.faults import Fault, FaultKind, Limits, Outage, Switchboard
from sandbox.telegram.api import Record, stream, webhook_info
from sandbox.telegram.text import Json
from sandbox.telegram.world import Bot, Chat, ChatType, Message, MissingError, Person, Status, World, marked

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Serves the control routes of the fake Telegram."""

    def __init__(self, *, world: World, switchboard: Switchboard, record: Record) -> None:
        """Pull the strings of this world."""
        self._world = world
        self._switchboard = switchboard
        self._record = record
        self._albums = 0

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.get(_ROOT + "/bots", _json(self._bots)),
            web.get(_ROOT + "/people", _json(self._people)),
            web.post(_ROOT + "/people", _json(self._add_person)),
            web.delete(_ROOT + "/people/{person}", _json(self._remove_person)),
            web.post(_ROOT + "/people/{person}/say", _json(self._say)),
            web.post(_ROOT + "/people/{person}/press", _json(self._press)),
            web.post(_ROOT + "/people/{person}/edit", _json(self._edit)),
            web.post(_ROOT + "/people/{person}/delete", _json(self._delete)),
            web.post(_ROOT + "/people/{person}/block", _json(self._block)),
            web.post(_ROOT + "/people/{person}/unblock", _json(self._unblock)),
            web.get(_ROOT + "/chats", _json(self._chats)),
            web.get(_ROOT + "/chats/{chat}", _json(self._transcript)),
            web.delete(_ROOT + "/chats/{chat}", _json(self._clear_chat)),
            web.post(_ROOT + "/groups", _json(self._add_group)),
            web.post(_ROOT + "/groups/{chat}/members", _json(self._add_member)),
            web.delete(_ROOT + "/groups/{chat}/members/{person}", _json(self._remove_member)),
            web.post(_ROOT + "/groups/{chat}/bot", _json(self._set_bot)),
            web.post(_ROOT + "/groups/{chat}/migrate", _json(self._migrate)),
            web.get(_ROOT + "/files/{file}", self._file),
            web.get(_ROOT + "/faults", _json(self._faults)),
            web.post(_ROOT + "/faults", _json(self._add_fault)),
            web.put(_ROOT + "/faults", _json(self._set_faults)),
            web.delete(_ROOT + "/faults", _json(self._clear_faults)),
            web.get(_ROOT + "/updates", _json(self._updates)),
            web.post(_ROOT + "/updates", _json(self._inject)),
            web.post(_ROOT + "/updates/{update}/replay", _json(self._replay)),
            web.get(_ROOT + "/counters", _json(self._counters)),
            web.get(_ROOT + "/calls", _json(self._calls)),
        ]

    # --- people ---

    async def _bots(self, _: web.Request) -> Json:
        return {"bots": [self._told_bot(bot) for bot in self._world.bots.values()]}

    async def _people(self, _: web.Request) -> Json:
        return {"people": [self._world.told_person(person) for person in self._world.people.values()]}

    async def _add_person(self, request: web.Request) -> Json:
        given = await _given(request)
        person = self._world.add_person(
            str(given["name"]),
            username=given.get("username"),
            language=str(given.get("language") or "zh-hans"),
            phone=str(given.get("phone") or ""),
        )
        return self._world.told_person(person)

    async def _remove_person(self, request: web.Request) -> Json:
        self._world.remove_person(self._person(request))
        return {}

    async def _say(self, request: web.Request) -> Json:
        """Let a person send text, files, a contact, a place or a sticker; several files make an album."""
        person = self._person(request)
        given, uploads = await _said(request)
        chat = self._chat(person, given)
        reply_to = int(given.get("reply_to") or 0) or None
        words = str(given.get("text") or given.get("caption") or "")
        contents = self._contents(person, given, uploads)
        if contents and words:
            contents[0] |= {"caption": words} | marked(words, "caption")
        if not contents:
            contents = [{"text": words} | marked(words)]
        if not any(contents[0].values()):
            raise web.HTTPBadRequest(text="nothing to say")
        said = [self._world.say(chat, person, content, reply_to=reply_to) for content in contents]
        return self._told(chat, said)

    async def _press(self, request: web.Request) -> Json:
        person, given = self._person(request), await _given(request)
        chat = self._chat(person, given)
        version = chat.version
        press = self._world.press(chat, person, int(given["message_id"]), str(given["data"]))
        return {"version": version, "answer": press.told()}

    async def _edit(self, request: web.Request) -> Json:
        person, given = self._person(request), await _given(request)
        message = self._own(person, given)
        self._world.edit_own(message, str(given["text"]))
        return self._told(message.chat, [message])

    async def _delete(self, request: web.Request) -> Json:
        person, given = self._person(request), await _given(request)
        message = self._own(person, given)
        self._world.delete(message)
        return self._told(message.chat, [message])

    async def _block(self, request: web.Request) -> Json:
        return await self._set_blocked(request, blocked=True)

    async def _unblock(self, request: web.Request) -> Json:
        return await self._set_blocked(request, blocked=False)

    async def _set_blocked(self, request: web.Request, *, blocked: bool) -> Json:
        person, given = self._person(request), await _given(request)
        bot = self._world.bot(given.get("bot"))
        chat = self._world.private_chat(person, bot)
        self._world.set_status(chat, bot, person, "kicked" if blocked else "member")
        return self._world.told_chat(chat)

    # --- chats and groups ---

    async def _chats(self, _: web.Request) -> Json:
        return {"chats": [self._world.told_chat(chat) for chat in self._world.chats.values()]}

    async def _transcript(self, request: web.Request) -> Json:
        """Tell everything said in a chat; with `after` and `wait`, as soon as it has changed beyond that version."""
        chat = self._world.find_chat(request.match_info["chat"])
        after, wait = int(request.query.get("after", -1)), float(request.query.get("wait", 0))
        if wait and chat.version <= after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(chat.tick.wait(), min(wait, _LONGEST_WAIT))
        return {
            **self._told(chat, list(chat.messages.values())),
            "chat": self._world.told_chat(chat),
            "answers": [answer.told() for answer in chat.answers],
        }

    async def _clear_chat(self, request: web.Request) -> Json:
        self._world.clear(self._world.find_chat(request.match_info["chat"]))
        return {}

    async def _add_group(self, request: web.Request) -> Json:
        given = await _given(request)
        people = [self._world.find_person(int(number)) for number in given["members"]]
        if not people:
            raise web.HTTPBadRequest(text="a group needs a member")
        kind: ChatType = "group" if given.get("type") == "group" else "supergroup"
        chat = self._world.add_group(str(given["title"]), people, kind)
        if status := given.get("status", "member"):
            self._world.set_status(chat, self._world.bot(given.get("bot")), people[0], _status(status))
        return self._world.told_chat(chat)

    async def _add_member(self, request: web.Request) -> Json:
        chat, given = self._group(request), await _given(request)
        self._world.add_member(chat, self._world.find_person(int(given["person"])))
        return self._world.told_chat(chat)

    async def _remove_member(self, request: web.Request) -> Json:
        chat, person = self._group(request), self._person(request)
        if person.id in chat.people:
            self._world.remove_member(chat, person)
        return self._world.told_chat(chat)

    async def _set_bot(self, request: web.Request) -> Json:
        chat, given = self._group(request), await _given(request)
        status = _status(given.get("status", "member"))
        self._world.set_status(chat, self._world.bot(given.get("bot")), chat.person, status)
        return self._world.told_chat(chat)

    async def _migrate(self, request: web.Request) -> Json:
        return self._world.told_chat(self._world.migrate(self._group(request)))

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._world.files.get(request.match_info["file"])
        return await stream(request, file) if file else web.json_response({"error": "file"}, status=404)

    # --- what goes wrong ---

    async def _faults(self, _: web.Request) -> Json:
        board = self._switchboard
        return {
            "faults": [asdict(fault) for fault in board.faults],
            "outage": board.outage,
            "limits": asdict(board.limits) if board.limits else None,
        }

    async def _add_fault(self, request: web.Request) -> Json:
        given = await _given(request)
        if given.get("chat") is not None:
            given["chat"] = str(given["chat"])
        self._switchboard.add(Fault(**{**given, "kind": FaultKind(str(given["kind"]))}))
        return await self._faults(request)

    async def _set_faults(self, request: web.Request) -> Json:
        """Set the outage or the sending limits; what is not named stays as it is."""
        given = await _given(request)
        if "outage" in given:
            self._set_outage(Outage(given["outage"]))
        if "limits" in given:
            limits = given["limits"]
            self._switchboard.set_limits(Limits(**(limits if isinstance(limits, dict) else {})) if limits else None)
        return await self._faults(request)

    async def _clear_faults(self, request: web.Request) -> Json:
        self._switchboard.clear()
        self._set_outage(Outage.NONE)
        return await self._faults(request)

    def _set_outage(self, outage: Outage) -> None:
        self._switchboard.set_outage(outage)
        for bot in self._world.bots.values():
            bot.updates.stop_flow(stopped=outage is not Outage.NONE)

    # --- updates and figures ---

    async def _updates(self, request: web.Request) -> Json:
        return {"updates": self._world.bot(request.query.get("bot")).updates.recent()}

    async def _inject(self, request: web.Request) -> Json:
        bot = self._world.bot(request.query.get("bot"))
        return {"update_id": bot.updates.inject(await _given(request))}

    async def _replay(self, request: web.Request) -> Json:
        given = await _given(request)
        bot, number = self._world.bot(given.get("bot")), int(request.match_info["update"])
        return {"statuses": await bot.updates.replay(number, int(given.get("times", 1)))}

    async def _counters(self, _: web.Request) -> Json:
        updates = {
            bot.username: {
                "made": bot.updates.made,
                "confirmed": bot.updates.delivered,
                "attempts": bot.updates.attempts,
                "pending": bot.updates.pending_count,
            }
            for bot in self._world.bots.values()
        }
        return self._record.told() | {"updates": updates}

    async def _calls(self, request: web.Request) -> Json:
        method = request.query.get("method", "").lower()
        recent = (served for served in self._record.recent if method in {"", served.method.lower()})
        return {"calls": [asdict(served) for served in recent]}

    # --- reading requests, writing answers ---

    def _person(self, request: web.Request) -> Person:
        return self._world.find_person(int(request.match_info["person"]))

    def _group(self, request: web.Request) -> Chat:
        chat = self._world.find_chat(request.match_info["chat"])
        if chat.private:
            raise web.HTTPBadRequest(text="a private chat is not a group")
        return chat

    def _chat(self, person: Person, given: Json) -> Chat:
        chat = self._world.find_chat(str(given.get("chat") or person.id))
        chat = chat.migrated_to or chat
        if person.id not in chat.people or person.gone:
            raise web.HTTPBadRequest(text=f"{person.name} is not in this chat")
        return chat

    def _own(self, person: Person, given: Json) -> Message:
        message = self._world.message(self._chat(person, given), int(given["message_id"]))
        if message.sender is not person:
            raise web.HTTPBadRequest(text="only an own message can be changed")
        return message

    def _contents(self, person: Person, given: Json, uploads: list[Json]) -> list[Json]:
        """Turn files, contact, place and sticker into the contents of messages."""
        contents = []
        for spec in [*uploads, *given.get("media", [])]:
            kind, size = str(spec.get("kind") or "document"), spec.get("size")
            count = len(self._world.files)
            start = spec.get("data") or (media.picture(hue=count) if kind in _DRAWN else b"%%sandbox %d\n" % count)
            size = max(int(size), 1) if size is not None else None
            file = self._world.store(kind, start, name=spec.get("name") or "", mime=spec.get("mime") or "", size=size)
            contents.append(self._world.describe(file))
        if len(contents) > 1:
            self._albums += 1
            contents = [content | {"media_group_id": f"13{self._albums:08d}"} for content in contents]
        if given.get("contact"):
            about = given["contact"] if isinstance(given["contact"], dict) else {}
            own = {"phone_number": person.phone, "first_name": person.name, "user_id": person.id}
            contents.append({"contact": about or own})
        if given.get("location"):
            contents.append({"location": given["location"]})
        if given.get("sticker"):
            file = self._world.store("sticker", media.picture(128, 128, hue=7))
            content = self._world.describe(file)
            content["sticker"]["emoji"] = str(given["sticker"])
            contents.append(content)
        return contents

    def _told(self, chat: Chat, messages: list[Message]) -> Json:
        return {
            "key": chat.key,
            "version": chat.version,
            "messages": [self._world.told_message(message) for message in messages],
        }

    def _told_bot(self, bot: Bot) -> Json:
        commands = [about["commands"] for scope, about in bot.profile.items() if scope.startswith("commands ")]
        return {
            "id": bot.id,
            "username": bot.username,
            "name": bot.name,
            "commands": commands[-1] if commands else [],
            "webhook": webhook_info(bot),
        }


def _json(handler: Callable[[web.Request], Awaitable[Json]]) -> Handler:
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


def _status(given: object) -> Status:
    for status in get_args(Status):
        if status == given:
            return cast("Status", status)
    raise web.HTTPBadRequest(text=f"no such status: {given}")


async def _given(request: web.Request) -> Json:
    body = await request.json() if request.can_read_body else {}
    if not isinstance(body, dict):
        message = "expected an object"
        raise TypeError(message)
    return body


async def _said(request: web.Request) -> tuple[Json, list[Json]]:
    """Read what is said as JSON, or as a form whose files are named for their kind."""
    if not request.content_type.startswith("multipart/"):
        return await _given(request), []
    given: Json = {}
    uploads: list[Json] = []
    for name, part in (await request.post()).items():
        if isinstance(part, web.FileField):
            about = {"kind": name, "name": part.filename, "mime": part.content_type}
            uploads.append(about | {"data": part.file.read()})
        else:
            given[name] = part
    return given, uploads


_ROOT: Final = "/sandbox/telegram"
_DRAWN: Final = frozenset({"photo", "sticker"})
_LONGEST_WAIT: Final = 30.0
