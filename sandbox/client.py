"""Plays people on the sandbox from a test or a demo: a client that knows nothing but HTTP.

```python
async with SandboxClient("http://127.0.0.1:8081") as sandbox:
    li = await sandbox.add_person("Li Na")
    await li.start()
    await li.say("My parcel leaks")
    answer = await li.wait_for(lambda message: "case" in message.text)
    await li.press(answer.buttons[0].text)
```
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

Json = dict[str, Any]  # one object of the control routes


class SandboxError(Exception):
    """The sandbox did not understand what it was told to do."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Button:
    """A button under a message."""

    text: str
    data: str | None
    url: str | None


@dataclass(kw_only=True, slots=True, frozen=True)
class Message:
    """A message as a phone shows it."""

    id: int
    chat: str
    text: str
    from_bot: bool
    sender_id: int
    sender: str
    date: int
    rows: tuple[tuple[Button, ...], ...]
    reply_to: int | None
    edited: bool
    deleted: bool
    delivered: bool
    changed: int
    """The version of the chat in which the message last changed."""
    raw: Json
    """Everything the control route tells about it."""

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, row after row."""
        return tuple(button for row in self.rows for button in row)


@dataclass(kw_only=True, slots=True, frozen=True)
class Answer:
    """A press of a button and what the bot answered."""

    query_id: str
    person_id: int
    message_id: int
    data: str
    answered: bool
    text: str
    alert: bool
    url: str


@dataclass(kw_only=True, slots=True, frozen=True)
class Transcript:
    """Everything that happened in a chat, in order."""

    version: int
    messages: tuple[Message, ...]
    answers: tuple[Answer, ...]
    chat: Json

    @property
    def last(self) -> Message:
        """The newest message that was not deleted."""
        return next(message for message in reversed(self.messages) if not message.deleted)

    def __str__(self) -> str:
        """Write it down for a person to read."""
        return "\n".join(_line(message) for message in self.messages) or "(nothing said)"


@dataclass(kw_only=True, slots=True, frozen=True)
class Attachment:
    """A file to send: `data`, or bytes of a given `size` that the sandbox makes up."""

    kind: str = "photo"
    """`photo`, `document`, `voice` or `video`."""
    data: bytes | None = None
    size: int | None = None
    name: str = ""
    mime: str = ""


class SandboxClient:
    """Pulls the strings of a sandbox."""

    def __init__(self, url: str) -> None:
        """Speak to the sandbox at this address."""
        self.url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Json | aiohttp.FormData | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """Call any control route of the fake Telegram; `path` is what follows `/sandbox/telegram`."""
        if self._session is None:
            message = "use the client as a context: async with SandboxClient(url) as sandbox"
            raise RuntimeError(message)
        form = body if isinstance(body, aiohttp.FormData) else None
        async with self._session.request(
            method,
            f"{self.url}/sandbox/telegram{path}",
            json=None if form else body,
            data=form,
            params=query,
        ) as answer:
            told: Json = await answer.json()
        if answer.status != _OK:
            raise SandboxError(f"{method} {path}: {told.get('error')}")
        return told

    # --- people and groups ---

    async def add_person(
        self, name: str, *, username: str | None = None, language: str = "zh-hans", phone: str = ""
    ) -> "Phone":
        """Give somebody a phone."""
        about = {"name": name, "username": username, "language": language, "phone": phone}
        return Phone(self, await self.ask("POST", "/people", about))

    async def people(self) -> list["Phone"]:
        """List the phones of all people."""
        return [Phone(self, person) for person in (await self.ask("GET", "/people"))["people"]]

    async def chats(self) -> list[Json]:
        """List all chats."""
        return list((await self.ask("GET", "/chats"))["chats"])

    async def bots(self) -> list[Json]:
        """List the bots with their commands and webhooks."""
        return list((await self.ask("GET", "/bots"))["bots"])

    async def add_group(
        self,
        title: str,
        members: Sequence["Phone"],
        *,
        kind: str = "supergroup",
        status: str | None = "member",
        bot: str | None = None,
    ) -> "Group":
        """Found a group with a bot in it; one that is no `administrator` hears only what is meant for it."""
        numbers = [member.id for member in members]
        about = {"title": title, "members": numbers, "type": kind, "status": status, "bot": bot}
        return Group(self, await self.ask("POST", "/groups", about))

    async def transcript(self, chat: str | int, *, after: int = -1, wait: float = 0) -> Transcript:
        """Read a chat; with `wait`, as soon as it has changed beyond version `after`."""
        told = await self.ask("GET", f"/chats/{chat}", query={"after": str(after), "wait": str(wait)})
        return Transcript(
            version=told["version"],
            messages=tuple(_message(told["key"], message) for message in told["messages"]),
            answers=tuple(Answer(**answer) for answer in told["answers"]),
            chat=told["chat"],
        )

    # --- what goes wrong ---

    async def add_fault(
        self,
        kind: str,
        *,
        times: int = 1,
        method: str | None = None,
        chat: str | int | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Spoil the next calls: `drop` cuts the connection unserved, `drop_after` serves first (`sandbox.faults`)."""
        fault = {"kind": kind, "times": times, "method": method, "chat": chat, "seconds": seconds}
        await self.ask("POST", "/faults", fault)

    async def set_outage(self, outage: str) -> None:
        """Make every call `refuse` (connections are cut) or `hang`, and no update flow, until it is `none`."""
        await self.ask("PUT", "/faults", {"outage": outage})

    async def set_limits(self, **limits: float) -> None:
        """Switch sending limits on; what is not named is as published (1/s a chat, 20/min a group, 30/s overall)."""
        await self.ask("PUT", "/faults", {"limits": limits or True})

    async def clear_faults(self) -> None:
        """Make the platform work again, without limits."""
        await self.ask("DELETE", "/faults")

    async def updates(self) -> list[Json]:
        """List the latest updates with their attempts and whether the bot confirmed them."""
        return list((await self.ask("GET", "/updates"))["updates"])

    async def inject(self, update: Json) -> int:
        """Send a bot an update as it is and return its id."""
        return int((await self.ask("POST", "/updates", update))["update_id"])

    async def replay(self, update_id: int, times: int = 1) -> list[int]:
        """Deliver an update again, several times at once; returns the statuses the webhook answered with."""
        return list((await self.ask("POST", f"/updates/{update_id}/replay", {"times": times}))["statuses"])

    async def counters(self) -> Json:
        """Read the figures: calls, statuses, sends by chat, duplicates, updates."""
        return await self.ask("GET", "/counters")

    async def calls(self, method: str = "") -> list[Json]:
        """List the latest calls of bots with their parameters and statuses."""
        return list((await self.ask("GET", "/calls", query={"method": method}))["calls"])


class Group:
    """A group as its founder sees it."""

    def __init__(self, client: SandboxClient, about: Json) -> None:
        """Remember what the sandbox told."""
        self._client = client
        self.id: int = about["id"]
        self.key: str = about["key"]
        self.title: str = about["title"]

    async def add_member(self, member: "Phone") -> None:
        """Add a person."""
        await self._client.ask("POST", f"/groups/{self.key}/members", {"person": member.id})

    async def remove_member(self, member: "Phone") -> None:
        """Take a person out."""
        await self._client.ask("DELETE", f"/groups/{self.key}/members/{member.id}")

    async def set_bot(self, status: str, bot: str | None = None) -> None:
        """Make the bot a `member` or an `administrator`, or let it be `kicked` or have `left`."""
        await self._client.ask("POST", f"/groups/{self.key}/bot", {"status": status, "bot": bot})

    async def migrate(self) -> "Group":
        """Turn the group into a supergroup with another id."""
        told = await self._client.ask("POST", f"/groups/{self.key}/migrate")
        chats = await self._client.chats()
        return Group(self._client, next(chat for chat in chats if chat["key"] == told["key"]))

    async def transcript(self) -> Transcript:
        """Read the group."""
        return await self._client.transcript(self.key)


class Phone:
    """The phone of one person, showing one chat: with the default bot unless `in_chat` says otherwise."""

    def __init__(self, client: SandboxClient, about: Json, chat: str = "", mark: int = 0) -> None:
        """Remember whose it is."""
        self._client = client
        self._about = about
        self._mark = mark
        self.id: int = about["id"]
        self.name: str = about["name"]
        self.chat = chat or str(self.id)

    def in_group(self, group: Group) -> "Phone":
        """Show a group on this phone."""
        return Phone(self._client, self._about, group.key)

    def with_bot(self, username: str) -> "Phone":
        """Show the chat with another bot on this phone."""
        return Phone(self._client, self._about, f"{self.id}@{username}")

    # --- doing ---

    async def start(self, payload: str = "") -> Message:
        """Press start, or follow a deep link with its payload."""
        return await self.say(f"/start {payload}".strip())

    async def say(self, text: str, *, reply_to: Message | int | None = None) -> Message:
        """Write a text or a command."""
        return (await self._say({"text": text, "reply_to": _number(reply_to)}))[0]

    async def send(self, *files: Attachment, caption: str = "", reply_to: Message | int | None = None) -> list[Message]:
        """Send files; two or more are an album with the caption on its first."""
        given = {"chat": self.chat, "caption": caption, "reply_to": _number(reply_to)}
        if all(file.data is None for file in files):
            media = [{"kind": file.kind, "size": file.size, "name": file.name, "mime": file.mime} for file in files]
            return await self._say({**given, "media": media})
        form = aiohttp.FormData({key: str(value) for key, value in given.items() if value})
        for file in files:
            kind = file.mime or _MIMES.get(file.kind, "application/octet-stream")
            form.add_field(
                file.kind, file.data or bytes(file.size or 1), filename=file.name or file.kind, content_type=kind
            )
        return self._noted(await self._client.ask("POST", f"/people/{self.id}/say", form))

    async def send_photo(self, data: bytes | None = None, *, size: int | None = None, caption: str = "") -> Message:
        """Send a picture."""
        return (await self.send(Attachment(kind="photo", data=data, size=size), caption=caption))[0]

    async def send_document(
        self, name: str, data: bytes | None = None, *, size: int | None = None, mime: str = "", caption: str = ""
    ) -> Message:
        """Send a file."""
        file = Attachment(kind="document", data=data, size=size, name=name, mime=mime)
        return (await self.send(file, caption=caption))[0]

    async def send_voice(self, data: bytes | None = None, *, size: int | None = 12_000) -> Message:
        """Speak."""
        return (await self.send(Attachment(kind="voice", data=data, size=size)))[0]

    async def send_album(self, count: int = 3, *, caption: str = "") -> list[Message]:
        """Send several pictures at once."""
        return await self.send(*[Attachment()] * count, caption=caption)

    async def share_contact(self) -> Message:
        """Share one's own telephone number."""
        return (await self._say({"contact": True}))[0]

    async def send_location(self, latitude: float, longitude: float) -> Message:
        """Share a place."""
        return (await self._say({"location": {"latitude": latitude, "longitude": longitude}}))[0]

    async def send_sticker(self, emoji: str) -> Message:
        """Send a sticker."""
        return (await self._say({"sticker": emoji}))[0]

    async def press(self, label: str, *, message: Message | int | None = None) -> str:
        """Press the newest button with this label or data, or that of `message`, and return the query id.

        With the number of a message the label is its data, whether or not there is such a button.
        """
        if isinstance(message, int):
            number, data = message, label
        else:
            number, data = self._find_button(label, [message] if message else (await self.transcript()).messages)
        given = {"chat": self.chat, "message_id": number, "data": data}
        told = await self._client.ask("POST", f"/people/{self.id}/press", given)
        self._mark = int(told["version"])
        return str(told["answer"]["query_id"])

    async def edit(self, message: Message | int, text: str) -> Message:
        """Correct an own message."""
        given = {"chat": self.chat, "message_id": _number(message), "text": text}
        return self._noted(await self._client.ask("POST", f"/people/{self.id}/edit", given))[0]

    async def delete(self, message: Message | int) -> None:
        """Take an own message away; bots are never told."""
        given = {"chat": self.chat, "message_id": _number(message)}
        await self._client.ask("POST", f"/people/{self.id}/delete", given)

    async def block(self) -> None:
        """Block the bot."""
        await self._client.ask("POST", f"/people/{self.id}/block", {"bot": self._bot})

    async def unblock(self) -> None:
        """Let the bot write again."""
        await self._client.ask("POST", f"/people/{self.id}/unblock", {"bot": self._bot})

    async def delete_chat(self) -> None:
        """Empty the chat on this phone."""
        await self._client.ask("DELETE", f"/chats/{self.chat}")

    async def delete_account(self) -> None:
        """Leave the platform."""
        await self._client.ask("DELETE", f"/people/{self.id}")

    # --- reading ---

    async def transcript(self) -> Transcript:
        """Read the chat."""
        return await self._client.transcript(self.chat)

    async def wait_for(
        self,
        predicate: Callable[[Message], bool] = lambda _: True,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 part of the error is what was said until then
        since: int | None = None,
    ) -> Message:
        """Wait for a message of a bot, new or edited since this phone's last act, that the predicate accepts."""
        mark, after = self._mark if since is None else since, -1
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            said = await self._client.transcript(self.chat, after=after, wait=max(0.0, min(end - loop.time(), 10.0)))
            for message in said.messages:
                if message.from_bot and not message.deleted and message.changed > mark and predicate(message):
                    return message
            if loop.time() >= end:
                raise TimeoutError(f"{self.name} waited {timeout:g} s in vain; the chat so far:\n{said}")
            after = said.version

    async def wait_for_answer(self, query_id: str, *, timeout: float = 5.0) -> Answer:  # noqa: ASYNC109 as above
        """Wait until the bot has answered a press of a button."""
        after, loop = -1, asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            said = await self._client.transcript(self.chat, after=after, wait=max(0.0, min(end - loop.time(), 10.0)))
            answer = next((answer for answer in said.answers if answer.query_id == query_id), None)
            if answer and answer.answered:
                return answer
            if loop.time() >= end:
                raise TimeoutError(f"the press {query_id} was not answered in {timeout:g} s")
            after = said.version

    # --- inside ---

    @property
    def _bot(self) -> str:
        return self.chat.partition("@")[2]

    async def _say(self, given: Json) -> list[Message]:
        return self._noted(await self._client.ask("POST", f"/people/{self.id}/say", {"chat": self.chat, **given}))

    def _noted(self, told: Json) -> list[Message]:
        self._mark = int(told["version"])
        return [_message(told["key"], message) for message in told["messages"]]

    @staticmethod
    def _find_button(label: str, messages: Sequence[Message]) -> tuple[int, str]:
        for message in reversed(messages):
            for button in message.buttons:
                if label in {button.text, button.data} and button.data and not message.deleted:
                    return message.id, button.data
        raise SandboxError(f"no button {json.dumps(label, ensure_ascii=False)} to press")


def _message(chat: str, told: Json) -> Message:
    return Message(
        id=told["id"],
        chat=chat,
        text=told["text"],
        from_bot=told["sender"]["is_bot"],
        sender_id=told["sender"]["id"],
        sender=told["sender"]["name"],
        date=told["date"],
        rows=tuple(
            tuple(
                Button(text=button["text"], data=button.get("callback_data"), url=button.get("url")) for button in row
            )
            for row in told["keyboard"]
        ),
        reply_to=told["reply_to"],
        edited=bool(told["edited"]),
        deleted=told["deleted"],
        delivered=told["delivered"],
        changed=told["changed"],
        raw=told,
    )


def _line(message: Message) -> str:
    marks = " (deleted)" if message.deleted else " (edited)" if message.edited else ""
    others = (kind for kind in ("contact", "location", "service") if message.raw[kind])
    media = (message.raw["media"] or {}).get("kind") or next(others, "")
    buttons = " ".join(f"[{button.text}]" for button in message.buttons)
    words = " ".join(part for part in (f"<{media}>" if media else "", message.text, buttons) if part)
    return f"{message.id:>4} {message.sender}: {words}{marks}"


def _number(message: Message | int | None) -> int | None:
    return message.id if isinstance(message, Message) else message


_OK: Final = 200
_MIMES: Final = {"photo": "image/jpeg", "voice": "audio/ogg", "video": "video/mp4"}
