"""The fake Bot API: one method of this class for one method of Telegram, one way to answer and one to refuse.

Source: https://core.telegram.org/bots/api
"""

import json
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sandbox.faults import Fault, FaultKind, Outage, Switchboard
from sandbox.telegram.text import Json, TextError, read_html, units
from sandbox.telegram.updates import ConflictError, Webhook
from sandbox.telegram.world import PRESENT, Bot, Chat, File, Message, MissingError, World, marked

DOWNLOAD_LIMIT: Final = 20 << 20
UPLOAD_LIMIT: Final = 50 << 20
PHOTO_LIMIT: Final = 10 << 20


class ApiError(Exception):
    """The platform says no, in its own words."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        """Say no with a status, a text and what the caller may do about it."""
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(kw_only=True, slots=True, frozen=True)
class Upload:
    """A file that came with a request."""

    name: str
    mime: str
    data: bytes


@dataclass(kw_only=True, slots=True, frozen=True)
class Call:
    """One request to the Bot API, whether it came as JSON, as a form or in the address."""

    method: str
    given: Json
    uploads: dict[str, Upload]

    def text(self, name: str) -> str:
        """Read a parameter as text; a missing one is empty."""
        value = self.given.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """Read a whole number."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise _bad(f"invalid {name} specified") from None

    def flag(self, name: str) -> bool:
        """Read a yes or no."""
        return self.text(name).lower() in {"true", "1", "yes"}

    def parsed(self, name: str) -> object:
        """Read a parameter that is an object or a list, which a form carries as JSON text."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise _bad(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def object(self, name: str) -> Json:
        """Read an object; a missing one is empty."""
        value = self.parsed(name)
        return value if isinstance(value, dict) else {}

    def objects(self, name: str) -> list[Json]:
        """Read a list of objects; a missing one is empty."""
        value = self.parsed(name)
        return value if isinstance(value, list) else []


@dataclass(kw_only=True, slots=True, frozen=True)
class Served:
    """A call as the record keeps it."""

    bot: str
    method: str
    chat: str | None
    parameters: Json
    status: int


Method = Callable[[Bot, Call], Awaitable[object]]


class Record:
    """Counts calls, so that a test can ask what really arrived."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.sends: Counter[str] = Counter()
        self.said: Counter[tuple[str, str]] = Counter()
        self.recent: deque[Served] = deque(maxlen=1000)

    def note(self, served: Served) -> None:
        """Count a call."""
        self.calls[served.method] += 1
        self.statuses[served.status] += 1
        self.recent.append(served)

    def note_message(self, message: Message) -> None:
        """Count a message of a bot; the same words in the same chat count as a duplicate."""
        self.sends[message.chat.key] += 1
        self.said[message.chat.key, message.text] += 1

    def told(self) -> Json:
        """Write the counts."""
        duplicates = [
            {"chat": chat, "text": text, "times": times} for (chat, text), times in self.said.items() if times > 1
        ]
        return {
            "calls": dict(self.calls),
            "statuses": {str(status): times for status, times in self.statuses.items()},
            "sends": dict(self.sends),
            "duplicates": duplicates,
        }


class BotApi:
    """Serves the calls of bots."""

    def __init__(self, *, world: World, switchboard: Switchboard, query_lifetime: float) -> None:
        """Serve a world; a pressed button may be answered for `query_lifetime` seconds."""
        self._world = world
        self._switchboard = switchboard
        self._query_lifetime = query_lifetime
        self._albums = 0
        self.record = Record()
        self._methods: dict[str, Method] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "sendmessage": self._send_message,
            "sendphoto": self._send_file,
            "senddocument": self._send_file,
            "sendvoice": self._send_file,
            "sendvideo": self._send_file,
            "sendmediagroup": self._send_media_group,
            "sendlocation": self._send_location,
            "sendcontact": self._send_contact,
            "copymessage": self._copy_message,
            "forwardmessage": self._forward_message,
            "editmessagetext": self._edit_message_text,
            "editmessagecaption": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "deletemessages": self._delete_messages,
            "answercallbackquery": self._answer_callback_query,
            "sendchataction": self._send_chat_action,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getchatmember": self._get_chat_member,
            "getchatadministrators": self._get_chat_administrators,
            "getchatmembercount": self._get_chat_member_count,
            "leavechat": self._leave_chat,
            "setmycommands": self._set_my_commands,
            "deletemycommands": self._set_my_commands,
            "getmycommands": self._get_my_commands,
            **dict.fromkeys(("setmyname", "setmydescription", "setmyshortdescription"), self._set_profile),
            **dict.fromkeys(("getmyname", "getmydescription", "getmyshortdescription"), self._get_profile),
            **dict.fromkeys(_ACCEPTED, self._accept),
        }

    # --- the one path of every call ---

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve `/bot<token>/<method>`."""
        if await self._is_down():
            return _cut(request)
        bot = self._bot(request.match_info["token"])
        if bot is None:
            return _answer(ApiError(401, "Unauthorized"))
        try:
            call = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            return _answer(ApiError(413, "Request Entity Too Large"))
        except ValueError:
            return _answer(_bad("can't parse JSON object"))
        fault = self._switchboard.take(call.method, call.text("chat_id") or None)
        if fault and fault.kind is FaultKind.DROP:
            return _cut(request)
        answer = await self._spoiled(bot, call, fault)
        self.record.note(
            Served(
                bot=bot.username,
                method=call.method,
                chat=call.text("chat_id") or None,
                parameters=call.given,
                status=answer.status,
            )
        )
        lost = fault is not None and fault.kind is FaultKind.DROP_AFTER
        polled = call.method.lower() == "getupdates"  # a long poll may end in an outage that began after it
        return _cut(request) if lost or (polled and await self._is_down()) else answer

    async def obey(self, bot: Bot, order: Json) -> None:
        """Run the method that a webhook named in its answer; nobody hears what came of it."""
        call = Call(method=str(order.pop("method")), given=order, uploads={})
        answer = await self._run(bot, call)
        self.record.note(
            Served(
                bot=bot.username, method=call.method, chat=call.text("chat_id"), parameters=order, status=answer.status
            )
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve `/file/bot<token>/<path>`."""
        if await self._is_down():
            return _cut(request)
        if self._bot(request.match_info["token"]) is None:
            return _answer(ApiError(401, "Unauthorized"))
        try:
            return await stream(request, self._world.file_at(request.match_info["path"]))
        except MissingError:
            return _answer(ApiError(404, "Not Found"))

    async def _spoiled(self, bot: Bot, call: Call, fault: Fault | None) -> web.Response:
        if fault and fault.kind is FaultKind.HANG:
            await self._switchboard.hold(fault.seconds)
        if fault and fault.kind is FaultKind.THROTTLED:
            return _answer(_throttled(max(1, round(fault.seconds))))
        if fault and fault.kind is FaultKind.FAILED:
            return _answer(ApiError(500, "Internal Server Error"))
        if fault and fault.kind is FaultKind.BAD_GATEWAY:
            return web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html")
        return await self._run(bot, call)

    async def _run(self, bot: Bot, call: Call) -> web.Response:
        """Run a method and answer, whatever comes of it."""
        method = self._methods.get(call.method.lower())
        if method is None:
            # Telegram says 404 here, which python-telegram-bot takes for a wrong token.
            return _answer(ApiError(501, f"Not Implemented: the sandbox has no method {call.method}"))
        try:
            return web.json_response({"ok": True, "result": await method(bot, call)})
        except ApiError as refusal:
            return _answer(refusal)
        except ConflictError as conflict:
            return _answer(ApiError(409, f"Conflict: {conflict}"))
        except TextError as problem:
            return _answer(_bad(str(problem)))

    def _bot(self, token: str) -> Bot | None:
        return next((bot for bot in self._world.bots.values() if bot.token == token), None)

    async def _is_down(self) -> bool:
        """Tell whether the platform is down, after hanging for as long as it is to hang."""
        outage = self._switchboard.outage
        if outage is Outage.HANG:
            await self._switchboard.hold()
        return outage is not Outage.NONE

    # --- updates ---

    async def _get_me(self, bot: Bot, _: Call) -> Json:
        able = {"can_join_groups": True, "supports_inline_queries": False, "can_connect_to_business": False}
        return bot.wire() | able | {"can_read_all_group_messages": not bot.privacy, "has_main_web_app": False}

    async def _get_updates(self, bot: Bot, call: Call) -> list[Json]:
        self._allow(bot, call)
        limit = min(max(call.number("limit", 100), 1), 100)
        return await bot.updates.poll(
            offset=call.number("offset"), limit=limit, patience=min(max(call.number("timeout"), 0), 50)
        )

    async def _set_webhook(self, bot: Bot, call: Call) -> bool:
        url, secret = call.text("url"), call.text("secret_token")
        if not url:
            return await self._delete_webhook(bot, call)
        if not re.match(r"https?://[^/\s]+", url):
            raise _bad("bad webhook: invalid webhook URL specified")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise _bad("secret token contains unallowed characters")
        self._allow(bot, call)
        most = min(max(call.number("max_connections", 40), 1), 100)
        bot.updates.set_webhook(
            Webhook(url=url, secret=secret, max_connections=most), drop_pending=call.flag("drop_pending_updates")
        )
        return True

    async def _delete_webhook(self, bot: Bot, call: Call) -> bool:
        bot.updates.delete_webhook(drop_pending=call.flag("drop_pending_updates"))
        return True

    async def _get_webhook_info(self, bot: Bot, _: Call) -> Json:
        return webhook_info(bot)

    @staticmethod
    def _allow(bot: Bot, call: Call) -> None:
        if "allowed_updates" in call.given:
            bot.updates.allowed = [str(kind) for kind in call.objects("allowed_updates")]

    # --- sending ---

    async def _send_message(self, bot: Bot, call: Call) -> Json:
        content = _words(call, "text")
        if call.object("link_preview_options"):
            content["link_preview_options"] = call.object("link_preview_options")
        return self._send(bot, call, content).wire()

    async def _send_file(self, bot: Bot, call: Call) -> Json:
        kind = call.method.lower().removeprefix("send")
        content = self._world.describe(self._file(call, kind, call.given.get(kind)))
        return self._send(bot, call, content | _words(call, "caption")).wire()

    async def _send_media_group(self, bot: Bot, call: Call) -> list[Json]:
        items = call.objects("media")
        if not _ALBUM[0] <= len(items) <= _ALBUM[1]:
            raise _bad("invalid number of media in the album; must be 2-10")
        self._albums += 1
        sent = []
        for item in items:
            part = Call(method=call.method, given=call.given | item, uploads=call.uploads)
            content = self._world.describe(self._file(part, str(item.get("type")), item.get("media")))
            album = {"media_group_id": f"77{self._albums:08d}"}
            sent.append(self._send(bot, part, content | album | _words(part, "caption")).wire())
        return sent

    async def _send_location(self, bot: Bot, call: Call) -> Json:
        place = {"latitude": float(call.text("latitude") or 0), "longitude": float(call.text("longitude") or 0)}
        return self._send(bot, call, {"location": place}).wire()

    async def _send_contact(self, bot: Bot, call: Call) -> Json:
        contact = {"phone_number": call.text("phone_number"), "first_name": call.text("first_name")}
        return self._send(bot, call, {"contact": contact}).wire()

    async def _copy_message(self, bot: Bot, call: Call) -> Json:
        content = {key: value for key, value in self._source(bot, call).content.items() if key != "media_group_id"}
        return {"message_id": self._send(bot, call, content).id}

    async def _forward_message(self, bot: Bot, call: Call) -> Json:
        source = self._source(bot, call)
        told = source.sender.wire()
        origin = {"type": "user", "date": source.date, "sender_user": told}
        return self._send(bot, call, source.content | {"forward_origin": origin}).wire()

    def _send(self, bot: Bot, call: Call, content: Json) -> Message:
        chat = self._open_chat(bot, call)
        markup = _markup(call)
        reply = call.object("reply_parameters")
        original = int(reply.get("message_id") or call.number("reply_to_message_id"))
        if original and (original not in chat.messages or chat.messages[original].deleted):
            if not (reply.get("allow_sending_without_reply") or call.flag("allow_sending_without_reply")):
                raise _bad("message to be replied not found")
            original = 0
        self._pace(bot, chat)
        if call.flag("protect_content"):
            content["has_protected_content"] = True
        if call.number("message_thread_id"):
            content |= {"message_thread_id": call.number("message_thread_id"), "is_topic_message": True}
        message = self._world.put(chat, bot, content, reply_to=original or None, markup=markup)
        self.record.note_message(message)
        return message

    def _file(self, call: Call, kind: str, given: object) -> File:
        """Find the file a parameter means: a part of the request, an id, or an address that cannot be reached."""
        name = str(given or kind)
        upload = call.uploads.get(name.removeprefix("attach://"))
        if upload is None:
            if name in self._world.files:
                return self._world.files[name]
            if re.match(r"https?://", name):
                raise _bad("failed to get HTTP URL content")
            raise _bad("wrong file identifier/HTTP URL specified" if given else f"there is no {kind} in the request")
        if not upload.data:
            raise _bad("file must be non-empty")
        if len(upload.data) > UPLOAD_LIMIT:
            raise ApiError(413, "Request Entity Too Large")
        if kind == "photo" and len(upload.data) > PHOTO_LIMIT:
            raise _bad(
                f"file of size {len(upload.data)} bytes is too big for a photo; the maximum size is {PHOTO_LIMIT}"
            )
        return self._world.store(kind, upload.data, name=upload.name, mime=upload.mime)

    # --- editing ---

    async def _edit_message_text(self, bot: Bot, call: Call) -> Json:
        message = self._own_message(bot, call)
        word = "text" if call.method.lower() == "editmessagetext" else "caption"
        if (word == "text") is not ("text" in message.content):
            raise _bad(f"there is no {word} in the message to edit")
        kept = {key: value for key, value in message.content.items() if key not in {word, *_MARKS}}
        return self._edit(bot, message, kept | _words(call, word), _markup(call))

    async def _edit_message_reply_markup(self, bot: Bot, call: Call) -> Json:
        message = self._own_message(bot, call)
        return self._edit(bot, message, message.content, _markup(call))

    def _edit(self, bot: Bot, message: Message, content: Json, markup: Json | None) -> Json:
        if content == message.content and (markup or {}).get("inline_keyboard", []) == message.keyboard:
            raise _bad(_NOT_MODIFIED)
        self._pace(bot, message.chat)
        self._world.edit(message, content, markup)
        return message.wire()

    async def _delete_message(self, bot: Bot, call: Call) -> bool:
        message = self._any_message(bot, call, "delete")
        age = self._world.now() - message.date
        if age > _DELETABLE or (
            message.sender is not bot and not message.chat.private and not _leads(bot, message.chat)
        ):
            raise _bad("message can't be deleted for everyone" if age > _DELETABLE else "message can't be deleted")
        self._world.delete(message)
        return True

    async def _delete_messages(self, bot: Bot, call: Call) -> bool:
        for number in call.objects("message_ids"):
            given = call.given | {"message_id": number}
            await self._delete_message(bot, Call(method=call.method, given=given, uploads={}))
        return True

    async def _answer_callback_query(self, _: Bot, call: Call) -> bool:
        text = call.text("text")
        if units(text) > _TOAST:
            raise _bad("MESSAGE_TOO_LONG")
        press = self._world.presses.get(call.text("callback_query_id"))
        age = (self._world.clock() - press.at).total_seconds() if press else 0
        if press is None or press.answered or age > self._query_lifetime:
            raise _bad("query is too old and response timeout expired or query ID is invalid")
        self._world.answer(press, text=text, alert=call.flag("show_alert"), url=call.text("url"))
        return True

    async def _send_chat_action(self, bot: Bot, call: Call) -> bool:
        chat = self._open_chat(bot, call)
        if call.text("action") not in _ACTIONS:
            raise _bad("wrong parameter action in request")
        self._world.publish("typing", chat_key=chat.key, bot=bot.name, action=call.text("action"))
        return True

    # --- looking up ---

    async def _get_file(self, _: Bot, call: Call) -> Json:
        file = self._world.files.get(call.text("file_id"))
        if file is None:
            raise _bad("invalid file_id")
        if file.size > DOWNLOAD_LIMIT:
            raise _bad("file is too big")
        return file.wire() | {"file_path": file.path}

    async def _get_chat(self, bot: Bot, call: Call) -> Json:
        chat = self._chat(bot, call.text("chat_id"))
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        full = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(gifts, False)}
        return chat.wire() | full

    async def _get_chat_member(self, bot: Bot, call: Call) -> Json:
        chat, number = self._chat(bot, call.text("chat_id")), call.number("user_id")
        if number not in self._world.people:
            raise _bad("user not found" if number != bot.id else "member list is inaccessible")
        status = "member" if number in chat.people else "left"
        return {"status": status, "user": self._world.people[number].wire()}

    async def _get_chat_administrators(self, bot: Bot, call: Call) -> list[Json]:
        chat = self._chat(bot, call.text("chat_id"))
        if chat.private:
            raise _bad("there are no administrators in the private chat")
        return [{"status": "creator", "user": chat.person.wire(), "is_anonymous": False}]

    async def _get_chat_member_count(self, bot: Bot, call: Call) -> int:
        chat = self._chat(bot, call.text("chat_id"))
        return len(chat.people) + sum(status in PRESENT for status in chat.bots.values())

    async def _leave_chat(self, bot: Bot, call: Call) -> bool:
        chat = self._open_chat(bot, call)
        if chat.private:
            raise _bad("chat member status can't be changed in private chats")
        self._world.set_status(chat, bot, chat.person, "left")
        return True

    # --- what the bot says about itself ---

    async def _set_my_commands(self, bot: Bot, call: Call) -> bool:
        for command in call.objects("commands"):
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
                raise _bad("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description") or "")) <= _DESCRIPTION:
                raise _bad("BOT_COMMAND_DESCRIPTION_INVALID")
        bot.profile[_scope(call)] = {"commands": call.objects("commands")}
        self._world.publish("commands", bot=bot.username)
        return True

    async def _get_my_commands(self, bot: Bot, call: Call) -> list[Json]:
        commands: list[Json] = bot.profile.get(_scope(call), {}).get("commands", [])
        return commands

    async def _set_profile(self, bot: Bot, call: Call) -> bool:
        word = _profile_word(call)
        bot.profile[f"{word} {call.text('language_code')}"] = {word: call.text(word)}
        return True

    async def _get_profile(self, bot: Bot, call: Call) -> Json:
        word = _profile_word(call)
        usual = bot.profile.get(f"{word} ", {word: bot.name if word == "name" else ""})
        return bot.profile.get(f"{word} {call.text('language_code')}", usual)

    async def _accept(self, _: Bot, __: Call) -> bool:
        return True

    # --- who may ---

    def _chat(self, bot: Bot, number: str) -> Chat:
        """Find a chat that the bot has ever seen."""
        if not number:
            raise _bad("chat_id is empty")
        chat = self._world.chat_of(bot, int(number)) if number.lstrip("-").isdigit() else None
        if chat is None:
            raise _bad("chat not found")
        if chat.migrated_to:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.migrated_to.id,
            )
        return chat

    def _open_chat(self, bot: Bot, call: Call) -> Chat:
        """Find a chat that the bot may write to."""
        chat = self._chat(bot, call.text("chat_id"))
        status = chat.bots[bot.id]
        if chat.private and chat.person.gone:
            raise _forbidden("user is deactivated")
        if chat.private and status == "kicked":
            raise _forbidden("bot was blocked by the user")
        if not chat.started:
            raise _forbidden("bot can't initiate conversation with a user")
        if status == "kicked":
            raise _forbidden(f"bot was kicked from the {chat.type} chat")
        if status == "left":
            raise _forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def _any_message(self, bot: Bot, call: Call, purpose: str) -> Message:
        message = self._open_chat(bot, call).messages.get(call.number("message_id"))
        if message is None or message.deleted:
            raise _bad(f"message to {purpose} not found")
        return message

    def _own_message(self, bot: Bot, call: Call) -> Message:
        message = self._any_message(bot, call, "edit")
        if message.sender is not bot:
            raise _bad("message can't be edited")
        return message

    def _source(self, bot: Bot, call: Call) -> Message:
        message = self._chat(bot, call.text("from_chat_id")).messages.get(call.number("message_id"))
        if message is None or message.deleted:
            raise _bad(f"message to {call.method.lower().removesuffix('message')} not found")
        return message

    def _pace(self, bot: Bot, chat: Chat) -> None:
        seconds = self._switchboard.wait_for_send(bot=bot.username, chat=chat.key, group=not chat.private)
        if seconds:
            raise _throttled(seconds)


async def stream(request: web.Request, file: File) -> web.StreamResponse:
    """Send a file."""
    response = web.StreamResponse(headers={"Content-Type": file.mime, "Content-Length": str(file.size)})
    await response.prepare(request)
    for block in file.content():
        await response.write(block)
    return response


def webhook_info(bot: Bot) -> Json:
    """Write where a bot's updates go and how that goes."""
    webhook = bot.updates.webhook
    told: Json = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": bot.updates.pending_count,
    }
    if webhook:
        told |= {"max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
        if webhook.last_error:
            told |= {"last_error_date": webhook.last_error[0], "last_error_message": webhook.last_error[1]}
    if bot.updates.allowed:
        told["allowed_updates"] = bot.updates.allowed
    return told


async def _read(request: web.Request) -> Call:
    given: Json = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        body = await request.json() if request.can_read_body else {}
        given |= body if isinstance(body, dict) else {}
    elif request.method == "POST":
        for name, part in (await request.post()).items():
            if isinstance(part, web.FileField):
                uploads[name] = Upload(name=part.filename, mime=part.content_type, data=part.file.read())
            else:
                given[name] = part if isinstance(part, str) else bytes(part).decode()
    return Call(method=request.match_info["method"], given=given, uploads=uploads)


def _answer(refusal: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    headers = {"Retry-After": str(refusal.parameters["retry_after"])} if "retry_after" in refusal.parameters else None
    return web.json_response(body, status=refusal.code, headers=headers)


def _cut(request: web.Request) -> web.Response:
    """Cut the connection, so that the client gets no answer at all."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _bad(text: str) -> ApiError:
    return ApiError(400, f"Bad Request: {text}")


def _forbidden(text: str) -> ApiError:
    return ApiError(403, f"Forbidden: {text}")


def _throttled(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _words(call: Call, word: str) -> Json:
    """Read the text of a message or a caption, with its entities, within its length."""
    text, mode = call.text(word), call.text("parse_mode").lower()
    marks = "entities" if word == "text" else "caption_entities"
    spans = call.objects(marks)
    if mode == "html":
        text, spans = read_html(text)
    elif mode:
        raise ApiError(501, f"Not Implemented: the sandbox reads HTML but not {call.text('parse_mode')}")
    if not text.strip():
        if word == "text":
            raise _bad("message text is empty")
        return {}
    text = text.rstrip() if spans else text.strip()
    if units(text) > _LONGEST[word]:
        raise _bad("message is too long" if word == "text" else "message caption is too long")
    found = marked(text, word).get(marks, []) if mode or not spans else []
    free = [span for span in found if not any(_overlap(span, other) for other in spans)]
    spans = sorted([*spans, *free], key=lambda span: int(span["offset"]))
    return {word: text} | ({marks: spans} if spans else {})


def _overlap(one: Json, other: Json) -> bool:
    first, second = sorted((one, other), key=lambda span: int(span["offset"]))
    return bool(first["offset"] + first["length"] > second["offset"])


def _markup(call: Call) -> Json | None:
    """Read and check a keyboard."""
    markup = call.object("reply_markup")
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _bad('can\'t parse inline keyboard: Field "inline_keyboard" must be of type Array of Arrays')
    for button in (button for row in rows for button in row):
        if not isinstance(button, dict) or not button.get("text"):
            raise _bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
        if not button.keys() & _BUTTON_ACTIONS:
            raise _bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= _CALLBACK_DATA:
            raise _bad("BUTTON_DATA_INVALID")
        if "url" in button and not re.match(r"(https?|tg)://\S+$", str(button["url"])):
            raise _bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return markup or None


def _leads(bot: Bot, chat: Chat) -> bool:
    return chat.bots.get(bot.id) == "administrator"


def _scope(call: Call) -> str:
    scope = json.dumps(call.object("scope") or {"type": "default"}, sort_keys=True)
    return f"commands {scope} {call.text('language_code')}"


def _profile_word(call: Call) -> str:
    return {"name": "name", "description": "description"}.get(call.method.lower()[5:], "short_description")


_BAD_GATEWAY: Final = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502 Bad Gateway</body>\r\n</html>"
_NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
_LONGEST: Final = {"text": 4096, "caption": 1024}
_TOAST: Final = 200
_DESCRIPTION: Final = 256
_CALLBACK_DATA: Final = 64
_ALBUM: Final = (2, 10)
_DELETABLE: Final = 48 * 3600
_MARKS: Final = frozenset({"entities", "caption_entities"})
_BUTTON_ACTIONS: Final = frozenset(
    {
        "callback_data",
        "url",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)
_ACTIONS: Final = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_ACCEPTED: Final = (
    "logout",
    "close",
    "setchatmenubutton",
    "setmydefaultadministratorrights",
    "setmessagereaction",
    "pinchatmessage",
    "unpinchatmessage",
    "unpinallchatmessages",
    "setchattitle",
    "setchatdescription",
)
