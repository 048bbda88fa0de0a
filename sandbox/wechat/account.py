"""An Official Account: who follows it, what its people do, and what it may say to them.

Events and messages as in https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html
and …/Receiving_event_pushes.html.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import EnvelopeError, Json
from sandbox.tencent.gateway import Refusal
from sandbox.tencent.phones import File, Message, Person, Phones
from sandbox.tencent.record import Record
from sandbox.wechat.ledger import Doing, Ledger
from sandbox.wechat.templates import Template

Kind = Literal["service", "subscription", "test"]


@dataclass(kw_only=True, slots=True)
class Follower:
    """What the platform keeps about a person and this account."""

    ledger: Ledger = field(default_factory=Ledger)
    consents: Counter[str] = field(default_factory=Counter)
    """How many subscription notices of a template may still be sent."""
    blocks_templates: bool = False
    followed: datetime | None = None
    """When they last began to follow; None if they never did."""
    scene: str = ""
    exchanged: datetime | None = None
    """When the last message went either way."""
    typing: datetime | None = None
    """Until when the phone shows that somebody is typing."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Code:
    """A QR code with a scene."""

    ticket: str
    scene: str
    until: datetime | None


class Account:
    """Everything one Official Account is and has."""

    def __init__(
        self,
        *,
        original_id: str,
        kind: Kind,
        recognition: bool,
        unavailable: str,
        templates: Sequence[Template],
        subscriptions: Sequence[Template],
        phones: Phones,
        courier: Courier,
        record: Record,
        clock: Callable[[], datetime],
    ) -> None:
        """Open an account nobody follows yet."""
        self.original_id = original_id
        self.kind = kind
        self.recognition = recognition
        """Whether voice messages come with what was understood."""
        self.templates = {template.id: template for template in templates}
        self.subscriptions = {template.id: template for template in subscriptions}
        self.menu: list[Json] | None = None
        self.codes: dict[str, Code] = {}
        self._unavailable = unavailable
        self._phones = phones
        self._courier = courier
        self._record = record
        self._clock = clock
        self._followers: dict[int, Follower] = {}
        self._message_ids = itertools.count(22_876_340_532_172_986)
        self._job_ids = itertools.count(200_228_332)

    # --- what people do ---

    def follower(self, person: Person) -> Follower:
        """Find what is known of a person."""
        return self._followers.setdefault(person.id, Follower())

    def follow(self, person: Person, code: Code | None = None) -> None:
        """Let a person follow, perhaps by a QR code."""
        known = self.follower(person)
        person.present, known.followed, known.scene = True, self._clock(), code.scene if code else ""
        known.ledger.grant(Doing.TOUCH, self._clock())
        ticket = {"Ticket": code.ticket} if code else {}
        self._event(person, "subscribe", {"EventKey": f"qrscene_{code.scene}" if code else "", **ticket}, asked=True)
        self._changed(person)

    def unfollow(self, person: Person) -> None:
        """Let a person turn away; nothing can be said to them any more."""
        person.present = False
        self.follower(person).ledger = Ledger()
        self._event(person, "unsubscribe", {"EventKey": ""})
        self._changed(person)

    def scan(self, person: Person, scene: str) -> None:
        """Let a person scan a QR code of the account; a stranger follows by it."""
        now = self._clock()
        found = (
            code for code in self.codes.values() if code.scene == scene and (code.until is None or now < code.until)
        )
        code = next(found, None)
        if code is None:
            raise ValueError(f"no QR code with the scene {scene}")
        if not person.present:
            self.follow(person, code)
            return
        self.follower(person).ledger.grant(Doing.TOUCH, now)
        self._event(person, "SCAN", {"EventKey": scene, "Ticket": code.ticket}, asked=True)

    def click(self, person: Person, key: str) -> str:
        """Let a person tap an entry of the menu, by key or label; returns the address that a VIEW entry opens."""
        self._demand(person)
        entry = next((entry for entry in self._entries() if key in {entry.get("key"), entry.get("name")}), None)
        if entry is None:
            raise ValueError(f"no menu entry {key}")
        if entry["type"] == "view":
            self._event(person, "VIEW", {"EventKey": entry["url"], "MenuId": 459_000_001})
            return str(entry["url"])
        if entry["type"] != "click":
            raise ValueError(f"the sandbox can't tap an entry of type {entry['type']}")
        self.follower(person).ledger.grant(Doing.TOUCH, self._clock())
        self._event(person, "CLICK", {"EventKey": entry["key"]}, asked=True)
        return ""

    def say(self, person: Person, text: str) -> Message:
        """Let a person write a text."""
        return self._said(person, "text", {"Content": text}, text=text)

    def tap(self, person: Person, item: str, label: str) -> Message:
        """Let a person tap an item of a menu message, which writes its label.

        That counts as a touch and not as a message: nothing published says otherwise.
        """
        return self._said(
            person, "text", {"Content": label}, text=label, doing=Doing.TOUCH, last={"bizmsgmenuid": item}
        )

    def send(self, person: Person, file: File, *, recognition: str = "") -> Message:
        """Let a person send a picture, a voice message or a video."""
        match file.kind:
            case "image":
                about: Json = {"PicUrl": f"http://mmbiz.qpic.cn/mmbiz_jpg/{file.id}/0", "MediaId": file.id}
            case "voice":
                about = {"MediaId": file.id, "Format": "amr"}
                if self.recognition:
                    about["Recognition"] = recognition
            case "video":
                about = {"MediaId": file.id, "ThumbMediaId": self._phones.store("thumb", b"\xff\xd8\xff").id}
            case _:
                raise ValueError(f"nobody can send a {file.kind} to an account")
        return self._said(person, file.kind, about, file=file, recognition=recognition)

    def send_location(self, person: Person, latitude: float, longitude: float, label: str) -> Message:
        """Let a person share a place."""
        about = {"Location_X": f"{latitude:.6f}", "Location_Y": f"{longitude:.6f}", "Scale": 15, "Label": label}
        place = {"latitude": latitude, "longitude": longitude, "label": label}
        return self._said(person, "location", about, location=place)

    def send_link(self, person: Person, *, title: str, description: str, url: str) -> Message:
        """Let a person share a link."""
        about = {"Title": title, "Description": description, "Url": url}
        return self._said(person, "link", about, link={"title": title, "description": description, "url": url})

    def consent(self, person: Person, template: str, *, accept: bool, scene: str) -> None:
        """Let a person answer whether they want one more notice of a template."""
        if template not in self.subscriptions:
            raise ValueError(f"no subscription template {template}")
        self.follower(person).consents[template] += accept
        answer = {"TemplateId": template, "SubscribeStatusString": "accept" if accept else "reject"}
        self._event(
            person, "subscribe_msg_popup_event", {"SubscribeMsgPopupEvent": {"List": {**answer, "PopupScene": scene}}}
        )

    def withdraw(self, person: Person, template: str) -> None:
        """Let a person refuse all further notices of a template."""
        del self.follower(person).consents[template]
        answer = {"TemplateId": template, "SubscribeStatusString": "reject"}
        self._event(person, "subscribe_msg_change_event", {"SubscribeMsgChangeEvent": {"List": answer}})

    # --- what the account says ---

    def show(self, person: Person, kind: str, **content: object) -> Message:
        """Show a customer service message, if the person's last doing still allows one."""
        known = self.follower(person)
        if known.followed is None:
            raise Refusal(43004, "require subscribe")
        known.ledger.spend(self._clock())
        self._exchange(known)
        return self._phones.put(self._phones.private(person), None, kind, way="custom", **content)  # type: ignore[arg-type] # the fields of a message

    def type(self, person: Person, *, on: bool) -> None:
        """Show that somebody is typing, for 15 seconds and after a word within the last 30."""
        known, now = self.follower(person), self._clock()
        if known.ledger.left(now) is None:
            raise Refusal(45015, "response out of time limit or subscription is canceled")
        if known.exchanged is None or now - known.exchanged > _FRESH:
            raise Refusal(45080, "need sending message to user, or recv msg from user in the past 30 seconds")
        if on and known.typing and now < known.typing:
            raise Refusal(45081, "typing status is already set to the user, no need to set again")
        known.typing = now + _TYPING if on else None
        self._phones.publish("typing", chat_key=str(person.id), action="typing" if on else "cancel")

    def send_template(self, person: Person, template: Template, data: Json, *, url: str, broken: bool = False) -> int:
        """Show a template message, tell the account afterwards whether it arrived, and return its number."""
        text = template.fill(data)
        if not person.present:
            raise Refusal(43004, "require subscribe")
        number = next(self._job_ids)
        status = "failed: system failed" if broken else "success"
        if self.follower(person).blocks_templates:
            status = "failed:user block"
        if status == "success":
            link = {"title": template.title, "description": "", "url": url} if url else None
            self._phones.put(self._phones.private(person), None, "template", text=text, way="template", link=link)
        self._event(person, "TEMPLATESENDJOBFINISH", {"MsgID": number, "Status": status})
        return number

    def send_notice(self, person: Person, template: Template, data: Json, *, page: str) -> None:
        """Show a subscription notice, which uses up a consent."""
        text = template.fill(data)
        known = self.follower(person)
        if not known.consents[template.id]:
            raise Refusal(43101, "user refuse to accept the msg")
        known.consents[template.id] -= 1
        link = {"title": template.title, "description": "", "url": page} if page else None
        self._phones.put(self._phones.private(person), None, "subscribe", text=text, way="subscribe", link=link)
        about = {"TemplateId": template.id, "MsgID": str(next(self._message_ids)), "ErrorCode": "0"}
        self._event(
            person, "subscribe_msg_sent_event", {"SubscribeMsgSentEvent": {"List": {**about, "ErrorStatus": "success"}}}
        )

    def set_menu(self, menu: list[Json] | None) -> None:
        """Show another bar under every chat, or none."""
        self.menu = menu
        self._phones.menu = menu or []
        for person in self._phones.people.values():
            self._changed(person)

    # --- inside ---

    def _said(
        self,
        person: Person,
        kind: str,
        about: Json,
        *,
        doing: Doing = Doing.MESSAGE,
        last: Json | None = None,
        **shown: object,
    ) -> Message:
        self._demand(person)
        number, known = next(self._message_ids), self.follower(person)
        known.ledger.grant(doing, self._clock())
        self._exchange(known)
        message = self._phones.put(self._phones.private(person), person, kind, msg_id=str(number), **shown)  # type: ignore[arg-type] # the fields of a message
        fields = self._head(person, kind) | about | {"MsgId": number, **(last or {})}
        self._tell(person, fields, asked=True, message=message)
        return message

    def _event(self, person: Person, event: str, about: Json, *, asked: bool = False) -> None:
        self._tell(person, self._head(person, "event") | {"Event": event} | about, asked=asked)

    def _head(self, person: Person, kind: str) -> Json:
        return {
            "ToUserName": self.original_id,
            "FromUserName": person.account,
            "CreateTime": self._phones.now(),
            "MsgType": kind,
        }

    def _tell(self, person: Person, fields: Json, *, asked: bool, message: Message | None = None) -> None:
        """Tell the account; `asked` is what a person waits for an answer to."""

        def heard(reply: Json | None) -> None:
            if reply:
                self._hear(person, reply)
            if message:
                self._phones.delivered(message)

        def failed() -> None:
            if asked and person.present:
                self._record.unavailable += 1
                chat = self._phones.private(person)
                self._phones.put(chat, None, "service", text=self._unavailable, way="platform", service="unavailable")

        self._courier.put(fields, person=person.account, to=self.original_id, heard=heard, failed=failed)

    def _hear(self, person: Person, reply: Json) -> None:
        """Show a passive reply."""
        stamp = str(reply.get("CreateTime", "")).strip()
        if (reply.get("ToUserName"), reply.get("FromUserName")) != (person.account, self.original_id):
            raise EnvelopeError("the answer is for somebody else")
        if not stamp.isascii() or not stamp.isdigit():
            raise EnvelopeError("the answer has no time")
        kind, content = self._read_reply(reply)
        if person.present and kind:
            self._exchange(self.follower(person))
            self._phones.put(self._phones.private(person), None, kind, way="passive", **content)

    def _read_reply(self, reply: Json) -> tuple[str, Json]:
        match str(reply.get("MsgType", "")).strip():
            case "text":
                text = reply.get("Content")
                if not isinstance(text, str) or not text:
                    raise EnvelopeError("the answer has no text")
                if len(text.encode()) > TEXT_LIMIT:
                    raise EnvelopeError("the answer is too long")
                return "text", {"text": text}
            case "image" | "voice" | "video" as kind:
                about = reply.get(kind.capitalize())
                number = about.get("MediaId") if isinstance(about, dict) else None
                file = self._phones.file(str(number))
                if file is None:
                    raise EnvelopeError("the answer has no such file")
                return kind, {"file": file}
            case "news":
                articles = reply.get("Articles")
                item = articles.get("item") if isinstance(articles, dict) else None
                first = item[0] if isinstance(item, list) else item
                if not isinstance(first, dict):
                    raise EnvelopeError("the answer has no article")
                told = {"title": first.get("Title", ""), "description": first.get("Description", "")}
                return "news", {"text": first.get("Title", ""), "link": told | {"url": first.get("Url", "")}}
            case "transfer_customer_service":
                return "", {}
            case other:
                raise EnvelopeError(f"nobody knows answers of type {other}")

    def _entries(self) -> list[Json]:
        entries: list[Json] = []
        for button in self.menu or []:
            entries.extend(button.get("sub_button") or [button])
        return entries

    def _demand(self, person: Person) -> None:
        if not person.present:
            raise ValueError(f"{person.name} does not follow the account")

    def _exchange(self, known: Follower) -> None:
        known.exchanged, known.typing = self._clock(), None

    def _changed(self, person: Person) -> None:
        self._phones.publish("person", person=self._phones.told_person(person))
        self._phones.told_of(self._phones.private(person))


TEXT_LIMIT: Final = 2048
_FRESH: Final = timedelta(seconds=30)
_TYPING: Final = timedelta(seconds=15)
