"""Plays people on the sandbox from a test or a demo: a client that knows nothing but HTTP.

```python
async with SandboxClient("http://127.0.0.1:8081") as sandbox:
    li = await sandbox.add_person("Li Na")
    await li.start()
    await li.say("My parcel leaks")
    answer = await li.wait_for(lambda message: "case" in message.text)
    await li.press(answer.buttons[0].text)

    wang = await sandbox.add_wechat_person("Wang Wei")    # a customer of the Official Account
    await wang.follow()
    chen = await sandbox.add_wecom_member("Chen Jie")     # a member of the company on WeCom
```
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Literal, Self

import aiohttp

Json = dict[str, Any]  # one object of the control routes
Platform = Literal["telegram", "wechat", "wecom"]
Relative = Literal["wechat", "wecom"]
"""The platforms that tell a callback and listen to its answer."""


class SandboxError(Exception):
    """The sandbox did not understand what it was told to do."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Button:
    """A button under a message."""

    text: str
    data: str | None
    url: str | None
    dead: bool = False
    """Whether it is shown and can't be pressed, like those of a WeCom card that waits for its update."""


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
        *,
        platform: str = "telegram",
    ) -> Json:
        """Call any control route; `path` is what follows `/sandbox/` and the name of the platform."""
        if self._session is None:
            message = "use the client as a context: async with SandboxClient(url) as sandbox"
            raise RuntimeError(message)
        form = body if isinstance(body, aiohttp.FormData) else None
        async with self._session.request(
            method,
            f"{self.url}/sandbox/{platform}{path}",
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

    async def add_wechat_person(
        self, name: str, *, account: str = "", follows: bool = False, language: str = "zh_CN", phone: str = ""
    ) -> "WeChatPhone":
        """Give a customer of the Official Account a phone; their OpenID is made up unless `account` names it."""
        about = {"name": name, "account": account, "follows": follows, "language": language, "phone": phone}
        return WeChatPhone(self, await self.ask("POST", "/people", about, platform="wechat"))

    async def add_wecom_member(
        self, name: str, *, account: str = "", departments: Sequence[int] = (1,), phone: str = ""
    ) -> "WeComPhone":
        """Give a member of the company a phone; their UserID is made up unless `account` names it."""
        about = {"name": name, "account": account, "departments": list(departments), "phone": phone}
        return WeComPhone(self, await self.ask("POST", "/people", about, platform="wecom"))

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

    async def transcript(
        self, chat: str | int, *, after: int = -1, wait: float = 0, platform: Platform = "telegram"
    ) -> Transcript:
        """Read a chat; with `wait`, as soon as it has changed beyond version `after`."""
        query = {"after": str(after), "wait": str(wait)}
        told = await self.ask("GET", f"/chats/{chat}", query=query, platform=platform)
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
        code: int = -1,
        platform: Platform = "telegram",
    ) -> None:
        """Spoil the next calls: `drop` cuts the connection unserved, `drop_after` serves first (`sandbox.faults`).

        With the method `callback` it is what WeChat and WeCom tell that gets lost, or with `drop_after` the answer.
        """
        fault = {"kind": kind, "times": times, "method": method, "chat": chat, "seconds": seconds, "code": code}
        await self.ask("POST", "/faults", fault, platform=platform)

    async def set_outage(self, outage: str, *, platform: Platform = "telegram", callbacks: bool = False) -> None:
        """Make every call `refuse` (connections are cut), `hang` or `fail`, and no update flow, until it is `none`.

        With `callbacks` WeChat and WeCom go on telling what happens.
        """
        await self.ask("PUT", "/faults", {"outage": outage, "callbacks": callbacks}, platform=platform)

    async def set_delay(self, seconds: float, *, platform: Relative) -> None:
        """Make every call take so much longer."""
        await self.ask("PUT", "/faults", {"delay": seconds}, platform=platform)

    async def set_limits(self, **limits: float) -> None:
        """Switch sending limits on; what is not named is as published (1/s a chat, 20/min a group, 30/s overall)."""
        await self.ask("PUT", "/faults", {"limits": limits or True})

    async def clear_faults(self, platform: Platform = "telegram") -> None:
        """Make the platform work again, without limits."""
        await self.ask("DELETE", "/faults", platform=platform)

    async def forward(self, **gap: float) -> None:
        """Let time pass for all platforms, as in `forward(hours=49)`."""
        await self.ask("POST", "", {"forward": timedelta(**gap).total_seconds()}, platform="clock")

    # --- accounts and callbacks of WeChat and WeCom ---

    async def set_callback(self, url: str, *, platform: Relative, verify: bool = True) -> None:
        """Set where a platform posts to, after it asked there for its echo; without a `url` it posts nothing."""
        await self.ask("PUT", "/callback", {"url": url, "verify": verify}, platform=platform)

    async def set_account(self, platform: Relative = "wechat", **changes: object) -> None:
        """Change what an account may: `kind`, `recognition`, `allowed_ips`, `quotas`, `broken_templates`."""
        await self.ask("PUT", "/account", changes, platform=platform)

    async def expire_tokens(self, platform: Relative = "wechat", *, replaced: bool = False) -> None:
        """End all access tokens: as too old, or with `replaced` as no longer good."""
        await self.ask("POST", "/tokens/expire", {"replaced": replaced}, platform=platform)

    async def callbacks(self, platform: Relative = "wechat") -> list[Json]:
        """List what was told lately, with attempts, answers and outcomes."""
        return list((await self.ask("GET", "/callbacks", platform=platform))["callbacks"])

    async def inject_callback(
        self, person: "Handset", xml: str | Mapping[str, object], *, platform: Relative = "wechat"
    ) -> int:
        """Tell XML as it is, or fields, as the doing of a person; returns the number of the callback."""
        told = {"xml": xml} if isinstance(xml, str) else {"fields": dict(xml)}
        return int((await self.ask("POST", "/callbacks", {"person": person.id, **told}, platform=platform))["id"])

    async def replay_callback(self, number: int, times: int = 1, *, platform: Relative = "wechat") -> list[int]:
        """Tell something again, several times at once; returns the statuses of the answers."""
        told = await self.ask("POST", f"/callbacks/{number}/replay", {"times": times}, platform=platform)
        return list(told["statuses"])

    async def settled(self, platform: Relative = "wechat", *, timeout: float = 5.0) -> None:  # noqa: ASYNC109 as below
        """Wait until everything that happened was told, or given up."""
        async with asyncio.timeout(timeout):
            while (await self.counters(platform))["callbacks"]["pending"]:  # noqa: ASYNC110 it may be another process's
                await asyncio.sleep(_MOMENT)  # what changes may be in another process

    # --- what happened ---

    async def updates(self) -> list[Json]:
        """List the latest updates with their attempts and whether the bot confirmed them."""
        return list((await self.ask("GET", "/updates"))["updates"])

    async def inject(self, update: Json) -> int:
        """Send a bot an update as it is and return its id."""
        return int((await self.ask("POST", "/updates", update))["update_id"])

    async def replay(self, update_id: int, times: int = 1) -> list[int]:
        """Deliver an update again, several times at once; returns the statuses the webhook answered with."""
        return list((await self.ask("POST", f"/updates/{update_id}/replay", {"times": times}))["statuses"])

    async def counters(self, platform: Platform = "telegram") -> Json:
        """Read the figures: calls, statuses, sends by chat, duplicates, updates.

        With WeChat and WeCom: calls, errors, messages sent by way and kind, dropped ones by reason, tokens, callbacks,
        duplicates, and how often people saw that the account is `unavailable`.
        """
        return await self.ask("GET", "/counters", platform=platform)

    async def calls(self, method: str = "", *, platform: Platform = "telegram") -> list[Json]:
        """List the latest calls of bots with their parameters and statuses; a method is a path with WeChat and WeCom.

        Such a path has no slash in front: `cgi-bin/message/custom/send`.
        """
        return list((await self.ask("GET", "/calls", query={"method": method}, platform=platform))["calls"])


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


class Handset:
    """The phone of one person on one platform, showing one chat."""

    platform: Platform

    def __init__(self, client: SandboxClient, about: Json, chat: str = "", mark: int = 0) -> None:
        """Remember whose it is."""
        self._client = client
        self._about = about
        self._mark = mark
        self.id: int = about["id"]
        self.name: str = about["name"]
        self.chat = chat or str(self.id)

    # --- doing ---

    async def say(self, text: str) -> Message:
        """Write a text."""
        return (await self._say({"text": text}))[0]

    async def send(self, *files: Attachment, caption: str = "", reply_to: Message | int | None = None) -> list[Message]:
        """Send files. With Telegram two or more are an album with the caption on its first.

        WeChat and WeCom have neither: every file is a message, and the caption is one after them.
        """
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
        return self._noted(await self._ask("POST", f"/people/{self.id}/say", form))

    async def send_photo(self, data: bytes | None = None, *, size: int | None = None, caption: str = "") -> Message:
        """Send a picture."""
        return (await self.send(Attachment(kind="photo", data=data, size=size), caption=caption))[0]

    async def send_voice(self, data: bytes | None = None, *, size: int | None = 12_000) -> Message:
        """Speak."""
        return (await self.send(Attachment(kind="voice", data=data, size=size)))[0]

    async def send_video(self, data: bytes | None = None, *, size: int | None = 40_000) -> Message:
        """Send a video."""
        return (await self.send(Attachment(kind="video", data=data, size=size)))[0]

    async def send_location(self, latitude: float, longitude: float) -> Message:
        """Share a place."""
        return (await self._say({"location": {"latitude": latitude, "longitude": longitude}}))[0]

    async def press(self, label: str, *, message: Message | int | None = None) -> str:
        """Press the newest button with this label or data, or that of `message`, and return the query id.

        With the number of a message the label is its data; Telegram takes one of a button that is not there, too. A
        button is an item of a menu message with WeChat (the id is that of the message it writes), and one of a card
        with WeCom (the id is the code that updates the card).
        """
        number, data = await self._aimed(label, message)
        return await self._press({"chat": self.chat, "message_id": number, "data": data})

    async def delete_chat(self) -> None:
        """Empty the chat on this phone."""
        await self._ask("DELETE", f"/chats/{self.chat}")

    # --- reading ---

    async def transcript(self) -> Transcript:
        """Read the chat."""
        return await self._client.transcript(self.chat, platform=self.platform)

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
            said = await self._next(after, end - loop.time())
            for message in said.messages:
                if message.from_bot and not message.deleted and message.changed > mark and predicate(message):
                    return message
            if loop.time() >= end:
                raise TimeoutError(f"{self.name} waited {timeout:g} s in vain; the chat so far:\n{said}")
            after = said.version

    # --- inside ---

    async def _ask(self, method: str, path: str, body: Json | aiohttp.FormData | None = None) -> Json:
        return await self._client.ask(method, path, body, platform=self.platform)

    async def _next(self, after: int, left: float) -> Transcript:
        wait = max(0.0, min(left, 10.0))
        return await self._client.transcript(self.chat, after=after, wait=wait, platform=self.platform)

    async def _say(self, given: Json) -> list[Message]:
        return self._noted(await self._ask("POST", f"/people/{self.id}/say", {"chat": self.chat, **given}))

    async def _act(self, verb: str, given: Json | None = None) -> Json:
        """Do something that is no message."""
        told = await self._ask("POST", f"/people/{self.id}/{verb}", given or {})
        self._mark = int(told["version"])
        return told

    async def _aimed(self, label: str, message: Message | int | None) -> tuple[int, str]:
        if isinstance(message, int):
            return message, label
        return self._find_button(label, [message] if message else (await self.transcript()).messages)

    async def _press(self, given: Json) -> str:
        return str((await self._act("press", given))["answer"]["query_id"])

    def _noted(self, told: Json) -> list[Message]:
        self._mark = int(told["version"])
        return [_message(told["key"], message) for message in told["messages"]]

    @staticmethod
    def _find_button(label: str, messages: Sequence[Message]) -> tuple[int, str]:
        for message in reversed(messages):
            for button in message.buttons:
                alive = button.data and not button.dead and not message.deleted
                if label in {button.text, button.data} and alive:
                    return message.id, str(button.data)
        raise SandboxError(f"no button {json.dumps(label, ensure_ascii=False)} to press")


class Phone(Handset):
    """A phone with Telegram: the chat with the default bot unless `in_group` or `with_bot` says otherwise."""

    platform: Platform = "telegram"

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

    async def send_document(
        self, name: str, data: bytes | None = None, *, size: int | None = None, mime: str = "", caption: str = ""
    ) -> Message:
        """Send a file."""
        file = Attachment(kind="document", data=data, size=size, name=name, mime=mime)
        return (await self.send(file, caption=caption))[0]

    async def send_album(self, count: int = 3, *, caption: str = "") -> list[Message]:
        """Send several pictures at once."""
        return await self.send(*[Attachment()] * count, caption=caption)

    async def share_contact(self) -> Message:
        """Share one's own telephone number."""
        return (await self._say({"contact": True}))[0]

    async def send_sticker(self, emoji: str) -> Message:
        """Send a sticker."""
        return (await self._say({"sticker": emoji}))[0]

    async def edit(self, message: Message | int, text: str) -> Message:
        """Correct an own message."""
        given = {"chat": self.chat, "message_id": _number(message), "text": text}
        return self._noted(await self._ask("POST", f"/people/{self.id}/edit", given))[0]

    async def delete(self, message: Message | int) -> None:
        """Take an own message away; bots are never told."""
        given = {"chat": self.chat, "message_id": _number(message)}
        await self._ask("POST", f"/people/{self.id}/delete", given)

    async def block(self) -> None:
        """Block the bot."""
        await self._ask("POST", f"/people/{self.id}/block", {"bot": self._bot})

    async def unblock(self) -> None:
        """Let the bot write again."""
        await self._ask("POST", f"/people/{self.id}/unblock", {"bot": self._bot})

    async def delete_account(self) -> None:
        """Leave the platform."""
        await self._ask("DELETE", f"/people/{self.id}")

    # --- reading ---

    async def wait_for_answer(self, query_id: str, *, timeout: float = 5.0) -> Answer:  # noqa: ASYNC109 as above
        """Wait until the bot has answered a press of a button."""
        after, loop = -1, asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            said = await self._next(after, end - loop.time())
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


class WeChatPhone(Handset):
    """A phone with WeChat: the chat of a customer with the Official Account."""

    platform: Platform = "wechat"

    @property
    def openid(self) -> str:
        """What the account knows the person by."""
        return str(self._about["account"])

    async def follow(self) -> None:
        """Follow the account; before that nothing can be said."""
        await self._act("follow")

    async def start(self) -> None:
        """Follow the account, in the word of the other platforms."""
        await self.follow()

    async def unfollow(self) -> None:
        """Turn away from the account."""
        await self._act("unfollow")

    async def scan(self, scene: str | int) -> None:
        """Scan a QR code that the account made with this scene; a stranger follows by that."""
        await self._act("scan", {"scene": str(scene)})

    async def click(self, key: str) -> str:
        """Tap an entry of the menu by key or label; returns the address that it opens, if it does."""
        return str((await self._act("click", {"key": key}))["url"])

    async def open(self, label: str) -> str:
        """Return the address of the newest link with this label or title; the platform tells nobody of it."""
        for message in reversed((await self.transcript()).messages):
            links = [*message.raw["links"], *filter(None, [message.raw["link"]])]
            for link in links:
                if label in {link.get("text"), link.get("title")} and not message.deleted:
                    return str(link["url"])
        raise SandboxError(f"no link {json.dumps(label, ensure_ascii=False)} to open")

    async def consent(self, template: str, *, accept: bool = True, scene: int = 1) -> None:
        """Answer whether one more notice of a template is welcome; the scene is 1 on a page and 2 in an article."""
        await self._act("consent", {"template_id": template, "accept": accept, "scene": scene})

    async def withdraw_consent(self, template: str) -> None:
        """Refuse all further notices of a template."""
        await self._act("consent", {"template_id": template, "all": True})

    async def block_templates(self, *, blocked: bool = True) -> None:
        """Refuse template messages, of which the account hears only when it sends one."""
        await self._act("templates", {"blocked": blocked})

    async def send_voice(
        self, data: bytes | None = None, *, size: int | None = 12_000, recognition: str = ""
    ) -> Message:
        """Speak; `recognition` is what the platform understands."""
        if data is not None:
            return (await self.send(Attachment(kind="voice", data=data)))[0]
        return (await self._say({"media": [{"kind": "voice", "size": size, "recognition": recognition}]}))[0]

    async def send_link(self, title: str, url: str, *, description: str = "") -> Message:
        """Share a link."""
        return (await self._say({"link": {"title": title, "description": description, "url": url}}))[0]


class WeComPhone(Handset):
    """A phone with WeCom: the chat of a member with the app, or the group of a robot."""

    platform: Platform = "wecom"

    @property
    def userid(self) -> str:
        """What the company knows the member by."""
        return str(self._about["account"])

    def in_group(self, number: int = 1) -> "WeComPhone":
        """Show the group of a robot on this phone, by the order of the robots."""
        return WeComPhone(self._client, self._about, f"group-{number}")

    async def enter(self) -> None:
        """Open the app."""
        await self._act("enter")

    async def start(self) -> None:
        """Open the app, in the word of the other platforms."""
        await self.enter()

    async def press(
        self,
        label: str,
        *,
        message: Message | int | None = None,
        selected: Mapping[str, Sequence[str]] | None = None,
    ) -> str:
        """Press a living button of a card by label or key, with what was selected; all its buttons are dead then."""
        number, data = await self._aimed(label, message)
        chosen = {question: list(options) for question, options in (selected or {}).items()}
        return await self._press({"message_id": number, "data": data, "selected": chosen})

    async def leave(self) -> None:
        """Leave the company, of which the app hears from the directory."""
        await self._ask("DELETE", f"/people/{self.id}")


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
                Button(
                    text=button["text"],
                    data=button.get("callback_data"),
                    url=button.get("url"),
                    dead=bool(button.get("dead")),
                )
                for button in row
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
_MOMENT: Final = 0.005
_MIMES: Final = {"photo": "image/jpeg", "voice": "audio/ogg", "video": "video/mp4"}
