"""The people, chats, messages and files of a small Telegram, and everything that can happen to them.

Every change of a message goes through `World.changed`, which tells browsers, and `World.tell`, which tells bots.
Message ids count per chat, so that nobody mistakes them for unique ones.
"""

import asyncio
import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeVar

from sandbox import media
from sandbox.live import Live
from sandbox.telegram.text import Json, entities
from sandbox.telegram.updates import Updates

ChatType = Literal["private", "group", "supergroup"]
Status = Literal["member", "administrator", "kicked", "left"]
T = TypeVar("T")
PRESENT: Final = frozenset({"member", "administrator"})


class MissingError(Exception):
    """No such person, chat, message or file."""


@dataclass(kw_only=True, slots=True)
class Person:
    """Somebody with a phone: a customer or an agent, which only the bot knows."""

    id: int
    name: str
    username: str | None
    language: str
    phone: str
    gone: bool = False
    """Whether the account was deleted."""

    def wire(self) -> Json:
        """Write the person as a Telegram `User`."""
        given, _, family = self.name.partition(" ")
        told = {"id": self.id, "is_bot": False, "first_name": given, "language_code": self.language}
        return told | ({"last_name": family} if family else {}) | ({"username": self.username} if self.username else {})


@dataclass(kw_only=True, slots=True)
class Bot:
    """A bot account, with what it has told the platform about itself."""

    id: int
    token: str
    username: str
    name: str
    updates: Updates
    privacy: bool = True
    """Whether it hears in groups only what is meant for it: https://core.telegram.org/bots/features#privacy-mode"""
    profile: dict[str, Json] = field(default_factory=dict)

    def wire(self) -> Json:
        """Write the bot as a Telegram `User`."""
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}


@dataclass(kw_only=True, slots=True)
class File:
    """A stored file; a generated one has a beginning and a size, and zeros after that."""

    id: str
    kind: str
    name: str
    mime: str
    size: int
    start: bytes
    path: str

    @property
    def unique_id(self) -> str:
        """What stays the same between bots, which the id does not."""
        return self.id[-16:]

    def content(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        return media.filled(self.start, self.size)

    def wire(self) -> Json:
        """Write what every kind of file has in common."""
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}


@dataclass(kw_only=True, slots=True)
class Version:
    """What a message said before it was edited."""

    text: str
    until: int


@dataclass(kw_only=True, slots=True)
class Message:
    """One message of a chat; `content` holds the fields of the wire that depend on its kind."""

    id: int
    chat: "Chat"
    sender: Person | Bot
    date: int
    content: Json
    reply_to: int | None = None
    markup: Json | None = None
    edited: int | None = None
    deleted: bool = False
    delivered: bool = False
    """Whether the bot has taken the update that tells of it."""
    changed: int = 0
    """The version of the chat in which the message last changed."""
    versions: list[Version] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The words of the message, or under its picture."""
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def keyboard(self) -> list[list[Json]]:
        """The buttons under the message."""
        rows: list[list[Json]] = (self.markup or {}).get("inline_keyboard", [])
        return rows

    def wire(self, *, nested: bool = False) -> Json:
        """Write the message as Telegram would."""
        told: Json = {"message_id": self.id, "date": self.date, "chat": self.chat.wire(), "from": self.sender.wire()}
        told |= self.content
        if self.edited:
            told["edit_date"] = self.edited
        if self.keyboard:
            told["reply_markup"] = self.markup
        original = self.chat.messages.get(self.reply_to or 0)
        if original and not original.deleted and not nested:
            told["reply_to_message"] = original.wire(nested=True)
        return told


@dataclass(kw_only=True, slots=True)
class Answer:
    """A press of a button and what the bot answered to it."""

    id: str
    chat: "Chat"
    person: Person
    message_id: int
    data: str
    at: datetime
    answered: bool = False
    text: str = ""
    alert: bool = False
    url: str = ""

    def told(self) -> Json:
        """Write the press for the phone page and tests."""
        return {
            "query_id": self.id,
            "person_id": self.person.id,
            "message_id": self.message_id,
            "data": self.data,
            "answered": self.answered,
            "text": self.text,
            "alert": self.alert,
            "url": self.url,
        }


@dataclass(kw_only=True, slots=True)
class Chat:
    """A private chat of one person with one bot, or a group."""

    id: int
    key: str
    """Names the chat in the control routes: its id, with `@bot` behind it where the id alone is not enough."""
    type: ChatType
    title: str
    people: dict[int, Person]
    bots: dict[int, Status]
    started: bool = False
    """Whether the person has ever written to the bot; before that a bot must keep silent."""
    migrated_to: "Chat | None" = None
    messages: dict[int, Message] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    version: int = 0
    tick: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def private(self) -> bool:
        """Whether the chat is between one person and one bot."""
        return self.type == "private"

    @property
    def person(self) -> Person:
        """The person of a private chat."""
        return next(iter(self.people.values()))

    def wire(self) -> Json:
        """Write the chat as a Telegram `Chat`."""
        if not self.private:
            return {"id": self.id, "type": self.type, "title": self.title}
        named = {
            key: text for key, text in self.person.wire().items() if key in {"first_name", "last_name", "username"}
        }
        return {"id": self.id, "type": self.type, **named}


class World:
    """Everything that exists on the fake platform, in memory, with ids that start anew in every process."""

    def __init__(self, *, clock: Callable[[], datetime], live: Live) -> None:
        """Begin empty."""
        self.clock = clock
        self._live = live
        self.bots: dict[int, Bot] = {}
        self.people: dict[int, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.files: dict[str, File] = {}
        self.presses: dict[str, Answer] = {}
        self._paths: dict[str, File] = {}
        self._ids = itertools.count(5_000_001)
        self._groups = itertools.count(4_000_001)
        self._numbers = itertools.count(1)

    # --- looking up ---

    @property
    def default_bot(self) -> Bot:
        """The bot that is meant where none is named."""
        return next(iter(self.bots.values()))

    def bot(self, username: str | None) -> Bot:
        """Find a bot by its username."""
        found = (bot for bot in self.bots.values() if username in {None, "", bot.username})
        return _found(next(found, None), f"bot {username}")

    def find_person(self, number: int) -> Person:
        """Find a person by id."""
        return _found(self.people.get(number), f"person {number}")

    def find_chat(self, key: str) -> Chat:
        """Find a chat by its key; the private chat of a person exists from the first look."""
        number, _, username = key.partition("@")
        if number.isdigit() and int(number) in self.people:
            return self.private_chat(self.people[int(number)], self.bot(username))
        return _found(self.chats.get(key), f"chat {key}")

    def private_chat(self, person: Person, bot: Bot) -> Chat:
        """Find the chat of a person with a bot, or begin one."""
        key = str(person.id) if bot is self.default_bot else f"{person.id}@{bot.username}"
        if key not in self.chats:
            self.chats[key] = Chat(
                id=person.id,
                key=key,
                type="private",
                title=person.name,
                people={person.id: person},
                bots={bot.id: "member"},
            )
        return self.chats[key]

    def chat_of(self, bot: Bot, number: int) -> Chat | None:
        """Find the chat a bot means by an id."""
        if number in self.people:
            return self.private_chat(self.people[number], bot)
        chat = self.chats.get(str(number))
        return chat if chat and bot.id in chat.bots else None

    def message(self, chat: Chat, number: int) -> Message:
        """Find a message that was not deleted."""
        found = chat.messages.get(number)
        return _found(found if found and not found.deleted else None, f"message {number}")

    def file_at(self, path: str) -> File:
        """Find a file by the path that a bot was given."""
        return _found(self._paths.get(path), f"file {path}")

    # --- people and groups ---

    def add_person(
        self, name: str, *, username: str | None = None, language: str = "zh-hans", phone: str = ""
    ) -> Person:
        """Give somebody a phone."""
        number = next(self._ids)
        person = Person(
            id=number, name=name, username=username, language=language, phone=phone or f"+8613{number % 10**9:09d}"
        )
        self.people[number] = person
        self.publish("person", person=self.told_person(person))
        return person

    def remove_person(self, person: Person) -> None:
        """Delete the account of a person."""
        person.gone = True
        self.publish("person", person=self.told_person(person))

    def add_group(self, title: str, people: list[Person], kind: ChatType = "supergroup") -> Chat:
        """Found a group without a bot."""
        number = next(self._groups)
        number = -(1_000_000_000_000 + number) if kind == "supergroup" else -number
        chat = Chat(
            id=number,
            key=str(number),
            type=kind,
            title=title,
            people={person.id: person for person in people},
            bots={},
            started=True,
        )
        self.chats[chat.key] = chat
        self.publish("chat", chat=self.told_chat(chat))
        return chat

    def add_member(self, chat: Chat, person: Person) -> None:
        """Add a person to a group."""
        chat.people[person.id] = person
        self.say(chat, person, {"new_chat_members": [person.wire()]}, service=True)

    def remove_member(self, chat: Chat, person: Person) -> None:
        """Take a person out of a group."""
        self.say(chat, person, {"left_chat_member": person.wire()}, service=True)
        del chat.people[person.id]
        self.publish("chat", chat=self.told_chat(chat))

    def set_status(self, chat: Chat, bot: Bot, person: Person, status: Status) -> None:
        """Let a person add, promote or remove a bot, or block and unblock it in their private chat."""
        before = chat.bots.get(bot.id, "left")
        if before == status:
            return
        if not chat.private and before in PRESENT and status not in PRESENT:
            self.say(chat, person, {"left_chat_member": bot.wire()}, service=True)
        chat.bots[bot.id] = status
        change = {"chat": chat.wire(), "from": person.wire(), "date": self.now()}
        change |= {"old_chat_member": _member(bot, before), "new_chat_member": _member(bot, status)}
        bot.updates.put("my_chat_member", change)
        if not chat.private and before not in PRESENT and status in PRESENT:
            self.say(chat, person, {"new_chat_members": [bot.wire()]}, service=True)
        self.publish("chat", chat=self.told_chat(chat))

    def migrate(self, chat: Chat) -> Chat:
        """Turn a group into a supergroup, which gets a new id."""
        person = chat.person
        new = self.add_group(chat.title, list(chat.people.values()))
        new.bots = dict(chat.bots)
        self.say(chat, person, {"migrate_to_chat_id": new.id}, service=True)
        self.say(new, person, {"migrate_from_chat_id": chat.id}, service=True)
        chat.migrated_to = new
        self.publish("chat", chat=self.told_chat(chat))
        return new

    # --- messages ---

    def say(
        self, chat: Chat, sender: Person | Bot, content: Json, *, reply_to: int | None = None, service: bool = False
    ) -> Message:
        """Put a message of a person into a chat and tell the bots that may hear it."""
        if isinstance(sender, Person) and chat.private and not service:
            chat.started = True
        message = self.put(chat, sender, content, reply_to=reply_to)
        self.tell(message, "message", service=service)
        return message

    def put(
        self,
        chat: Chat,
        sender: Person | Bot,
        content: Json,
        *,
        reply_to: int | None = None,
        markup: Json | None = None,
    ) -> Message:
        """Put a message into a chat and tell no bot."""
        number = len(chat.messages) + 1
        message = Message(
            id=number,
            chat=chat,
            sender=sender,
            date=self.now(),
            content=content,
            reply_to=reply_to,
            markup=markup,
        )
        chat.messages[number] = message
        self.changed(message)
        return message

    def edit(self, message: Message, content: Json, markup: Json | None) -> None:
        """Let a message say something else; a new keyboard alone does not count as an edit on the phone."""
        before = message.text
        message.content, message.markup = content, markup
        if message.text != before:
            message.versions.append(Version(text=before, until=self.now()))
            message.edited = self.now()
        self.changed(message)

    def edit_own(self, message: Message, text: str) -> None:
        """Let a person correct what they wrote and tell the bots."""
        word = "text" if "text" in message.content else "caption"
        kept = {key: value for key, value in message.content.items() if key not in {"entities", "caption_entities"}}
        self.edit(message, kept | {word: text} | marked(text, word), message.markup)
        message.delivered = False
        self.tell(message, "edited_message")

    def delete(self, message: Message) -> None:
        """Take a message away; no bot is ever told."""
        message.deleted = True
        self.changed(message)

    def press(self, chat: Chat, person: Person, number: int, data: str) -> Answer:
        """Let a person press a button, also one of a message that is gone."""
        message = chat.messages.get(number)
        inside = [self.bots[number] for number, status in chat.bots.items() if status in PRESENT]
        sender = message.sender if message and isinstance(message.sender, Bot) else None
        bot = _found(sender or next(iter(inside), None), f"bot in chat {chat.key}")
        query = str(int(hashlib.sha256(f"query {next(self._numbers)}".encode()).hexdigest()[:15], 16))
        press = Answer(id=query, chat=chat, person=person, message_id=number, data=data, at=self.clock())
        self.presses[query] = press
        chat.answers.append(press)
        shown = message.wire() if message and not message.deleted else None
        self.publish("press", chat_key=chat.key, answer=press.told())
        bot.updates.put(
            "callback_query",
            {
                "id": query,
                "from": person.wire(),
                "message": shown or {"chat": chat.wire(), "message_id": number, "date": 0},
                "chat_instance": hashlib.sha256(chat.key.encode()).hexdigest()[:18],
                "data": data,
            },
        )
        return press

    def answer(self, press: Answer, *, text: str, alert: bool, url: str) -> None:
        """Show the bot's answer to a press on the phone of the person."""
        press.answered, press.text, press.alert, press.url = True, text, alert, url
        self._touch(press.chat)
        self.publish("answer", chat_key=press.chat.key, version=press.chat.version, answer=press.told())

    def clear(self, chat: Chat) -> None:
        """Empty a chat, as a person does who deletes it; the bot is not told."""
        for message in chat.messages.values():
            message.deleted = True
        self._touch(chat)
        self.publish("chat", chat=self.told_chat(chat))

    # --- files ---

    def store(self, kind: str, start: bytes, *, name: str = "", mime: str = "", size: int | None = None) -> File:
        """Keep a file and give it an id and a relative path."""
        number = next(self._numbers)
        seal = base64.urlsafe_b64encode(hashlib.sha256(f"file {number}".encode()).digest()).decode().rstrip("=")
        folder, prefix, ending, usual = _KINDS.get(kind, _KINDS["document"])
        ending = name.rpartition(".")[2] if "." in name else ending
        file = File(
            id=prefix + seal,
            kind=kind,
            name=name or f"{kind}_{number}.{ending}",
            mime=mime or usual,
            size=len(start) if size is None else size,
            start=start,
            path=f"{folder}/file_{number}.{ending}",
        )
        self.files[file.id] = file
        self._paths[file.path] = file
        return file

    def describe(self, file: File) -> Json:
        """Write a file as the content of a message."""
        about = file.wire()
        match file.kind:
            case "photo":
                return {"photo": self._sizes(file)}
            case "voice":
                return {"voice": about | {"duration": max(1, file.size // 4000), "mime_type": file.mime}}
            case "video":
                shape = {"width": 1280, "height": 720, "duration": max(1, file.size // 200_000)}
                return {"video": about | shape | {"mime_type": file.mime, "file_name": file.name}}
            case "sticker":
                kind = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
                return {"sticker": about | kind}
            case _:
                return {"document": about | {"file_name": file.name, "mime_type": file.mime}}

    def _sizes(self, file: File) -> list[Json]:
        """List a photo in the sizes Telegram keeps, the largest last; all of them hold the same bytes."""
        width, height = media.dimensions(file.start)
        longest = max(width, height)
        edges = [*(edge for edge in _EDGES if edge < longest), min(longest, _EDGES[-1])]
        sizes = []
        for edge in dict.fromkeys(edges):
            whole = edge == edges[-1]
            size = file if whole else self.store("photo", file.start, size=file.size)
            shape = {"width": max(1, width * edge // longest), "height": max(1, height * edge // longest)}
            sizes.append(size.wire() | shape)
        return sizes

    # --- telling ---

    def now(self) -> int:
        """Return the time as Telegram writes it."""
        return int(self.clock().timestamp())

    def tell(self, message: Message, kind: str, *, service: bool = False) -> None:
        """Queue an update for every bot that may hear the message."""
        for number, status in message.chat.bots.items():
            bot = self.bots[number]
            if status in PRESENT and (service or message.chat.private or self._hears(bot, status, message)):
                bot.updates.put(kind, message.wire(), lambda: self._delivered(message))

    def _hears(self, bot: Bot, status: Status, message: Message) -> bool:
        if not bot.privacy or status == "administrator":
            return True
        original = message.chat.messages.get(message.reply_to or 0)
        command, _, addressee = (
            message.text.split(maxsplit=1)[0].partition("@") if message.text.strip() else ("", "", "")
        )
        meant = command.startswith("/") and addressee in {"", bot.username}
        return meant or f"@{bot.username}" in message.text or bool(original and original.sender is bot)

    def _delivered(self, message: Message) -> None:
        if not message.delivered:
            message.delivered = True
            self.publish("delivered", chat_key=message.chat.key, message_id=message.id)

    def changed(self, message: Message) -> None:
        """Note that a message is new or different."""
        self._touch(message.chat)
        message.changed = message.chat.version
        self.publish(
            "message", chat_key=message.chat.key, version=message.chat.version, message=self.told_message(message)
        )

    @staticmethod
    def _touch(chat: Chat) -> None:
        chat.version += 1
        chat.tick.set()
        chat.tick = asyncio.Event()

    def publish(self, kind: str, **fields: object) -> None:
        """Tell the browsers."""
        self._live.publish({"platform": "telegram", "kind": kind, **fields})

    # --- what the phone page and tests read ---

    @staticmethod
    def told_person(person: Person) -> Json:
        """Write a person for the phone page and tests."""
        return {
            "id": person.id,
            "name": person.name,
            "username": person.username,
            "language": person.language,
            "phone": person.phone,
            "gone": person.gone,
        }

    def told_chat(self, chat: Chat) -> Json:
        """Write a chat without its messages for the phone page and tests."""
        return {
            "id": chat.id,
            "key": chat.key,
            "type": chat.type,
            "title": chat.title,
            "people": list(chat.people),
            "bots": {self.bots[number].username: status for number, status in chat.bots.items()},
            "started": chat.started,
            "migrated_to": chat.migrated_to.key if chat.migrated_to else None,
            "version": chat.version,
        }

    def told_message(self, message: Message) -> Json:
        """Write a message for the phone page and tests."""
        content = message.content
        return {
            "id": message.id,
            "date": message.date,
            "sender": {
                "id": message.sender.id,
                "name": message.sender.name,
                "is_bot": isinstance(message.sender, Bot),
            },
            "text": message.text,
            "entities": content.get("entities") or content.get("caption_entities") or [],
            "keyboard": message.keyboard,
            "markup": message.markup,
            "reply_to": message.reply_to,
            "thread": content.get("message_thread_id"),
            "media": self._told_media(content),
            "album": content.get("media_group_id"),
            "contact": content.get("contact"),
            "location": content.get("location"),
            "service": _service(content),
            "protected": bool(content.get("has_protected_content")),
            "edited": message.edited,
            "versions": [{"text": version.text, "until": version.until} for version in message.versions],
            "deleted": message.deleted,
            "delivered": message.delivered,
            "changed": message.changed,
        }

    def _told_media(self, content: Json) -> Json | None:
        for kind in _KINDS:
            if kind in content:
                about = content[kind][-1] if kind == "photo" else content[kind]
                file = self.files[about["file_id"]]
                told = {"kind": kind, "file_id": file.id, "name": file.name, "mime": file.mime, "size": file.size}
                shape = {key: about[key] for key in ("width", "height", "duration", "emoji") if key in about}
                return told | shape | {"url": f"/sandbox/telegram/files/{file.id}"}
        return None


def marked(text: str, word: str = "text") -> Json:
    """Return the entities Telegram itself finds in a text, under the field they go by."""
    found = entities(text)
    return {"entities" if word == "text" else "caption_entities": found} if found else {}


def _found(thing: T | None, name: str) -> T:
    if thing is None:
        raise MissingError(name)
    return thing


def _member(bot: Bot, status: Status) -> Json:
    told: Json = {"user": bot.wire(), "status": status}
    if status == "kicked":
        told["until_date"] = 0
    if status == "administrator":
        told |= dict.fromkeys(_RIGHTS, False) | {"can_manage_chat": True}
    return told


def _service(content: Json) -> str | None:
    for kind in ("new_chat_members", "left_chat_member", "migrate_to_chat_id", "migrate_from_chat_id"):
        if kind in content:
            about = content[kind]
            names = about if isinstance(about, list) else [about]
            return " ".join([kind, *(str(name["first_name"] if isinstance(name, dict) else name) for name in names)])
    return None


_EDGES: Final = (90, 320, 800, 1280)
_KINDS: Final = {
    "photo": ("photos", "AgACAgIAAxkBAAI", "jpg", "image/jpeg"),
    "voice": ("voice", "AwACAgIAAxkBAAI", "oga", "audio/ogg"),
    "video": ("videos", "BAACAgIAAxkBAAI", "mp4", "video/mp4"),
    "sticker": ("stickers", "CAACAgIAAxkBAAI", "webp", "image/webp"),
    "document": ("documents", "BQACAgIAAxkBAAI", "bin", "application/octet-stream"),
}
_RIGHTS: Final = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
