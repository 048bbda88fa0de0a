"""The phones of the people of WeChat and WeCom: who they are, what their chats show, the files in them.

What the phone page and tests read has the same fields as with Telegram, and a few more. Message ids count per chat.
"""

import asyncio
import base64
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from sandbox import media
from sandbox.live import Live
from sandbox.tencent.envelope import Json
from sandbox.tencent.record import Record

ChatType = Literal["private", "group"]


class MissingError(Exception):
    """No such person, chat, message or file."""


@dataclass(kw_only=True, slots=True)
class Person:
    """Somebody with a phone. `account` is what the platform calls them: an OpenID or a UserID."""

    id: int
    account: str
    name: str
    language: str
    phone: str
    present: bool = False
    """Whether they follow the account, or belong to the company."""
    departments: list[int] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class File:
    """A stored file; a generated one has a beginning and a size, and zeros after that."""

    id: str
    kind: str
    name: str
    mime: str
    size: int
    start: bytes
    stored: datetime

    def content(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        return media.filled(self.start, self.size)


@dataclass(kw_only=True, slots=True)
class Message:
    """One message of a chat. `sender` is None for the account, the app or the robot."""

    id: int
    chat: "Chat"
    sender: Person | None
    date: int
    kind: str
    text: str = ""
    rows: list[list[Json]] = field(default_factory=list)
    """Buttons: `text` with `callback_data` or `url`, and `dead` if it can't be pressed."""
    more: Json = field(default_factory=dict)
    """What else a phone shows: `link`, `card`, `location`, `service`, and the `way` on which it came."""
    file: File | None = None
    edited: int | None = None
    deleted: bool = False
    delivered: bool = False
    """Whether the callback that tells of it was answered."""
    changed: int = 0
    versions: list[Json] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Chat:
    """The chat of one person with the account, or a group with a robot."""

    id: int
    key: str
    type: ChatType
    title: str
    people: list[Person]
    messages: dict[int, Message] = field(default_factory=dict)
    version: int = 0
    tick: asyncio.Event = field(default_factory=asyncio.Event)
    more: Json = field(default_factory=dict)


class Phones:
    """Everybody and everything that is on the phones of one platform, in memory."""

    def __init__(
        self, *, platform: str, first: int, name: str, clock: Callable[[], datetime], live: Live, record: Record
    ) -> None:
        """Begin with nobody; people are numbered from `first`, and `name` is what they see as the account's."""
        self.platform = platform
        self.name = name
        self.clock = clock
        self.people: dict[int, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.files: dict[str, File] = {}
        self.menu: list[Json] = []
        """The bar under every private chat, as the platform keeps it."""
        self._record = record
        self._live = live
        self._ids = itertools.count(first)
        self._numbers = itertools.count(1)

    # --- looking up ---

    def person(self, known_as: str) -> Person:
        """Find a person by number or by account."""
        found = next((one for one in self.people.values() if known_as in {str(one.id), one.account}), None)
        if found is None:
            raise MissingError(f"person {known_as}")
        return found

    def known(self, account: str) -> Person | None:
        """Find a person as the platform's own calls do."""
        return next((one for one in self.people.values() if one.account == account), None)

    def chat(self, key: str) -> Chat:
        """Find a chat by its key; that of a person is their number, or their account."""
        if key in self.chats:
            return self.chats[key]
        return self.private(self.person(key))

    def private(self, person: Person) -> Chat:
        """Find the chat of a person with the account, which is there from the first look."""
        key = str(person.id)
        if key not in self.chats:
            self.chats[key] = Chat(id=person.id, key=key, type="private", title=person.name, people=[person])
        return self.chats[key]

    def message(self, chat: Chat, number: int) -> Message:
        """Find a message that was not deleted."""
        found = chat.messages.get(number)
        if found is None or found.deleted:
            raise MissingError(f"message {number}")
        return found

    def file(self, number: str) -> File | None:
        """Find a file that is not older than the three days for which the platform keeps it."""
        found = self.files.get(number)
        return found if found and (self.clock() - found.stored).total_seconds() < _KEPT else None

    # --- making ---

    def add(self, name: str, *, account: str = "", language: str = "zh_CN", phone: str = "") -> Person:
        """Give somebody a phone."""
        number = next(self._ids)
        if account and self.known(account):
            raise ValueError(f"{account} is taken")
        person = Person(
            id=number,
            account=account or "o" + self.seal(f"{self.platform} person {number}", 27),
            name=name,
            language=language,
            phone=phone or f"13{number % 10**9:09d}",
        )
        self.people[number] = person
        self.publish("person", person=self.told_person(person))
        return person

    def put(
        self,
        chat: Chat,
        sender: Person | None,
        kind: str,
        *,
        text: str = "",
        rows: list[list[Json]] | None = None,
        file: File | None = None,
        way: str = "",
        **more: object,
    ) -> Message:
        """Show a message on the phones of a chat."""
        number = len(chat.messages) + 1
        message = Message(
            id=number,
            chat=chat,
            sender=sender,
            date=self.now(),
            kind=kind,
            text=text,
            rows=rows or [],
            file=file,
            more={**more, "way": way},
        )
        chat.messages[number] = message
        if sender is None:
            self._record.note_message(chat=chat.key, way=way, kind=kind, text=text)
        self.changed(message)
        return message

    def edit(self, message: Message, *, text: str, rows: list[list[Json]]) -> None:
        """Let a message say something else; new buttons alone do not count as an edit on the phone."""
        before, message.text, message.rows = message.text, text, rows
        if before != text:
            message.versions.append({"text": before, "until": self.now()})
            message.edited = self.now()
        self.changed(message)

    def clear(self, chat: Chat) -> None:
        """Empty a chat, as a person does; nobody is told."""
        for message in chat.messages.values():
            message.deleted = True
        self.told_of(chat)

    def store(self, kind: str, start: bytes, *, name: str = "", mime: str = "", size: int | None = None) -> File:
        """Keep a file under a media id."""
        number = next(self._numbers)
        ending, usual = _KINDS.get(kind, _KINDS["file"])
        file = File(
            id=self.seal(f"{self.platform} file {number}", 64),
            kind=kind,
            name=name or f"{kind}_{number}.{ending}",
            mime=mime or usual,
            size=len(start) if size is None else size,
            start=start,
            stored=self.clock(),
        )
        self.files[file.id] = file
        return file

    @staticmethod
    def seal(text: str, length: int) -> str:
        """Make up something that looks like a secret and is always the same."""
        return base64.urlsafe_b64encode(hashlib.sha512(text.encode()).digest()).decode()[:length]

    # --- telling ---

    def now(self) -> int:
        """Return the time as the platforms write it."""
        return int(self.clock().timestamp())

    def delivered(self, message: Message) -> None:
        """Note that a person's message arrived."""
        if not message.delivered:
            message.delivered = True
            self.publish("delivered", chat_key=message.chat.key, message_id=message.id)

    def changed(self, message: Message) -> None:
        """Note that a message is new or different."""
        chat = message.chat
        self._touch(chat)
        message.changed = chat.version
        self.publish("message", chat_key=chat.key, version=chat.version, message=self.told_message(message))

    def told_of(self, chat: Chat) -> None:
        """Note that a chat is different."""
        self._touch(chat)
        self.publish("chat", chat=self.told_chat(chat))

    @staticmethod
    def _touch(chat: Chat) -> None:
        chat.version += 1
        chat.tick.set()
        chat.tick = asyncio.Event()

    def publish(self, kind: str, **fields: object) -> None:
        """Tell the browsers."""
        self._live.publish({"platform": self.platform, "kind": kind, **fields})

    # --- what the phone page and tests read ---

    def told_person(self, person: Person) -> Json:
        """Write a person for the phone page and tests."""
        return {
            "id": person.id,
            "platform": self.platform,
            "account": person.account,
            "name": person.name,
            "username": None,
            "language": person.language,
            "phone": person.phone,
            "present": person.present,
            "gone": self.platform == "wecom" and not person.present,
        }

    def told_chat(self, chat: Chat) -> Json:
        """Write a chat without its messages for the phone page and tests."""
        present = chat.people[0].present if chat.type == "private" and chat.people else True
        return {
            "id": chat.id,
            "platform": self.platform,
            "key": chat.key,
            "type": chat.type,
            "title": chat.title,
            "people": [person.id for person in chat.people],
            "bots": {self.platform: "member" if present else "left"},
            "started": present,
            "migrated_to": None,
            "version": chat.version,
            "menu": self.menu if chat.type == "private" else [],
            **chat.more,
        }

    def told_message(self, message: Message) -> Json:
        """Write a message for the phone page and tests."""
        sender, more = message.sender, message.more
        return {
            "id": message.id,
            "date": message.date,
            "sender": {
                "id": sender.id if sender else 0,
                "name": sender.name if sender else self.name,
                "is_bot": sender is None,
            },
            "kind": message.kind,
            "text": message.text,
            "entities": [],
            "links": [{"url": url, "text": text} for url, text in _LINKS.findall(message.text)],
            "keyboard": message.rows,
            "markup": None,
            "reply_to": None,
            "thread": None,
            "media": self._told_file(message.file),
            "album": None,
            "contact": None,
            "location": more.get("location"),
            "link": more.get("link"),
            "card": more.get("card"),
            "service": more.get("service"),
            "way": more["way"],
            "msg_id": more.get("msg_id"),
            "mentions": more.get("mentions") or [],
            "recognition": more.get("recognition"),
            "tail": more.get("tail") or "",
            "protected": False,
            "edited": message.edited,
            "versions": message.versions,
            "deleted": message.deleted,
            "delivered": message.delivered,
            "changed": message.changed,
        }

    def _told_file(self, file: File | None) -> Json | None:
        if file is None:
            return None
        told = {"kind": _SHOWN.get(file.kind, file.kind), "file_id": file.id, "name": file.name, "mime": file.mime}
        shape = (
            dict(zip(("width", "height"), media.dimensions(file.start), strict=True)) if file.kind == "image" else {}
        )
        return told | shape | {"size": file.size, "url": f"/sandbox/{self.platform}/files/{file.id}"}


_KEPT: Final = 3 * 24 * 3600
_LINKS: Final = re.compile(r"""<a\s[^>]*?href=["']([^"']+)["'][^>]*>(.*?)</a>""", re.IGNORECASE | re.DOTALL)
_SHOWN: Final = {"image": "photo", "thumb": "photo", "file": "document"}
_KINDS: Final = {
    "image": ("jpg", "image/jpeg"),
    "thumb": ("jpg", "image/jpeg"),
    "voice": ("amr", "audio/amr"),
    "video": ("mp4", "video/mp4"),
    "file": ("bin", "application/octet-stream"),
}
