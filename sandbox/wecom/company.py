"""A company on WeCom: its members, the app that writes to them, its robot groups, and what members do.

Sources: https://developer.work.weixin.qq.com/document/path/90236, …/90239 (messages), …/90240 (events) and …/91770
(robots).
"""

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Envelope, EnvelopeError, Json, signature, write
from sandbox.tencent.gateway import Refusal
from sandbox.tencent.phones import Chat, File, Message, Person, Phones
from sandbox.tencent.record import Record
from sandbox.wecom.cards import KINDS, Card, Codes, from_xml, rows_of, words_of


class Sealed(Envelope):
    """Wraps as WeCom does: always sealed, and the echo of a new callback too."""

    def __init__(self, *, token: str, aes_key: str, identity: str, agent_id: int) -> None:
        """Sign with the token of an app, and seal with its key for a CorpID."""
        super().__init__(token=token, aes_key=aes_key, identity=identity, mode="aes")
        self._agent_id = str(agent_id)

    def wrap(self, xml: str, *, to: str, sender: str, now: int) -> tuple[dict[str, str], str]:
        """Return the query and the body that carry these fields."""
        stamp, nonce, sealed = str(now), self.nonce(), self.crypt.encrypt(xml.encode())
        query = {"msg_signature": signature(self.token, stamp, nonce, sealed), "timestamp": stamp, "nonce": nonce}
        return query, write({"ToUserName": to, "AgentID": self._agent_id, "Encrypt": sealed})

    def challenge(self, now: int) -> tuple[dict[str, str], str]:
        """Return the query that verifies a new callback, and what must be answered."""
        stamp, nonce, echo = str(now), self.nonce(), self.nonce()
        sealed = self.crypt.encrypt(echo.encode())
        asked = {"msg_signature": signature(self.token, stamp, nonce, sealed), "timestamp": stamp, "nonce": nonce}
        return asked | {"echostr": sealed}, echo


@dataclass(kw_only=True, slots=True)
class Sending:
    """A message that was sent to members."""

    number: str
    copies: list[Message] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Robot:
    """A robot of a group, known by its key."""

    chat: Chat
    sent: deque[datetime] = field(default_factory=deque)


class Company:
    """Everything one company is and has."""

    def __init__(
        self,
        *,
        corp_id: str,
        agent_id: int,
        robots: Mapping[str, str],
        departments: Mapping[int, str],
        phones: Phones,
        courier: Courier,
        record: Record,
        clock: Callable[[], datetime],
    ) -> None:
        """Found a company that nobody belongs to yet."""
        self.corp_id = corp_id
        self.agent_id = agent_id
        self.departments = dict(departments)
        self.cards: dict[str, Card] = {}
        self.codes = Codes(clock=clock, make=lambda name: phones.seal(f"{corp_id} {name}", 43))
        self.sendings: dict[str, Sending] = {}
        self.robots: dict[str, Robot] = {}
        self._phones = phones
        self._courier = courier
        self._record = record
        self._clock = clock
        self._message_ids = itertools.count(6_945_000_000_000_000_001)
        self._sent: dict[int, deque[datetime]] = {}
        self._repeats: dict[tuple[int, str], datetime] = {}
        for number, (key, title) in enumerate(robots.items(), 1):
            chat = Chat(id=-number, key=f"group-{number}", type="group", title=title, people=[])
            phones.chats[chat.key] = chat
            self.robots[key] = Robot(chat=chat)

    # --- members ---

    def members(self) -> list[Person]:
        """List who belongs to the company."""
        return [person for person in self._phones.people.values() if person.present]

    def join(self, person: Person, departments: Sequence[int]) -> None:
        """Let a person belong to the company, and to the groups of its robots."""
        person.present, person.departments = True, list(departments)
        for robot in self.robots.values():
            robot.chat.people.append(person)
            self._phones.told_of(robot.chat)
        self._phones.publish("person", person=self._phones.told_person(person))

    def leave(self, person: Person) -> None:
        """Delete a member, as the directory does."""
        person.present = False
        for robot in self.robots.values():
            robot.chat.people.remove(person)
            self._phones.told_of(robot.chat)
        fields = {"ChangeType": "delete_user", "UserID": person.account}
        self._tell(self._head("sys", "event") | {"Event": "change_contact"} | fields, person="sys")
        self._phones.publish("person", person=self._phones.told_person(person))

    def enter(self, person: Person) -> None:
        """Let a member open the app."""
        self._event(person, "enter_agent", {"EventKey": ""})

    def say(self, person: Person, text: str) -> Message:
        """Let a member write a text."""
        return self._said(person, "text", {"Content": text}, text=text)

    def send(self, person: Person, file: File) -> Message:
        """Let a member send a picture, a voice message or a video."""
        match file.kind:
            case "image":
                about: Json = {"PicUrl": f"https://wework.qpic.cn/wwpic/{file.id}/0", "MediaId": file.id}
            case "voice":
                about = {"MediaId": file.id, "Format": "amr"}
            case "video":
                about = {"MediaId": file.id, "ThumbMediaId": self._phones.store("image", b"\xff\xd8\xff").id}
            case _:
                raise ValueError(f"nobody can send a {file.kind} to an app")
        return self._said(person, file.kind, about, file=file)

    def send_location(self, person: Person, latitude: float, longitude: float, label: str) -> Message:
        """Let a member share a place."""
        about = {"Location_X": f"{latitude:.6f}", "Location_Y": f"{longitude:.6f}", "Scale": 15, "Label": label}
        place = {"latitude": latitude, "longitude": longitude, "label": label}
        return self._said(person, "location", about | {"AppType": "wxwork"}, location=place)

    def send_link(self, person: Person, *, title: str, description: str, url: str) -> Message:
        """Let a member share a link."""
        about = {"Title": title, "Description": description, "Url": url, "PicUrl": ""}
        return self._said(person, "link", about, link={"title": title, "description": description, "url": url})

    def press(self, person: Person, message: Message, key: str, selected: Mapping[str, Sequence[str]]) -> str:
        """Let a member press a button of a card, which is dead until the card is updated; returns the new code."""
        self._demand(person)
        card = next((card for card in self.cards.values() if card.copies.get(person.id) is message), None)
        buttons = [button for row in message.rows for button in row]
        alive = [button for button in buttons if button["callback_data"] == key and not button.get("dead")]
        if card is None or not alive:
            raise ValueError(f"no button {key} that can be pressed")
        message.rows = [[{**button, "dead": True} for button in row] for row in message.rows]
        self._phones.changed(message)
        code = self.codes.give(card)
        about: Json = {"EventKey": key, "TaskId": card.task, "CardType": card.body["card_type"], "ResponseCode": code}
        if selected:
            items = [
                {"QuestionKey": question, "OptionIds": {"OptionId": list(options)}}
                for question, options in selected.items()
            ]
            about["SelectedItems"] = {"SelectedItem": items}
        self._event(person, "template_card_event", about, message=message)
        return code

    # --- what the app says ---

    def show(
        self,
        people: Sequence[Person],
        kind: str,
        content: Json,
        *,
        card: Card | None = None,
        repeat: tuple[str, timedelta] | None = None,
    ) -> str:
        """Show a message to members, but for those who got too many or the same just now; returns its number."""
        sending = Sending(number=self._phones.seal(f"msgid {len(self.sendings)}", 64))
        self.sendings[sending.number] = sending
        for person in people:
            if self._is_too_much(person):
                self._record.dropped["rate"] += 1
            elif repeat and self._is_repeat(person, *repeat):
                self._record.dropped["repeat"] += 1
            else:
                message = self._phones.put(self._phones.private(person), None, kind, way="app", **content)
                sending.copies.append(message)
                if card:
                    card.copies[person.id] = message
        if card:
            self.cards[card.task or sending.number] = card
        return sending.number

    def update(
        self, card: Card, people: Sequence[Person] | None, *, button: str = "", body: Json | None = None
    ) -> None:
        """Replace the buttons of a card by one dead one, or the card by another, for some members or for all."""
        for number, message in card.copies.items():
            if people is None or number in {person.id for person in people}:
                self._redraw(message, button=button, body=body)

    def _redraw(self, message: Message, *, button: str, body: Json | None) -> None:
        if body is not None:
            rows = rows_of(body)
            message.more["card"] = body
            self._phones.edit(message, text=words_of(body), rows=rows)
            return
        message.more["card"] = {**message.more["card"], "replace_text": button}
        self._phones.edit(message, text=message.text, rows=[[{"text": button, "callback_data": "", "dead": True}]])

    def recall(self, number: str) -> None:
        """Take a message back from all phones."""
        if number not in self.sendings:
            raise Refusal(40058, "invalid msgid")
        for message in self.sendings[number].copies:
            message.deleted = True
            self._phones.changed(message)

    def announce(self, robot: Robot, kind: str, content: Json) -> None:
        """Show what a robot says in its group, at most 20 times a minute."""
        now = self._clock()
        _forget(robot.sent, now - timedelta(minutes=1))
        if len(robot.sent) >= _ROBOT_A_MINUTE:
            raise Refusal(45009, "api freq out of limit")
        robot.sent.append(now)
        self._phones.put(robot.chat, None, kind, way="robot", **content)

    # --- inside ---

    def _is_too_much(self, person: Person) -> bool:
        """Tell whether a member has had 30 messages in a minute or 1000 in an hour; what is not dropped is counted."""
        now, sent = self._clock(), self._sent.setdefault(person.id, deque())
        _forget(sent, now - timedelta(hours=1))
        minute = sum(moment > now - timedelta(minutes=1) for moment in sent)
        if minute >= _A_MINUTE or len(sent) >= _AN_HOUR:
            return True
        sent.append(now)
        return False

    def _is_repeat(self, person: Person, content: str, interval: timedelta) -> bool:
        now, key = self._clock(), (person.id, content)
        last = self._repeats.get(key)
        if last and now - last < interval:
            return True
        self._repeats[key] = now
        return False

    def _said(self, person: Person, kind: str, about: Json, **shown: object) -> Message:
        self._demand(person)
        number = next(self._message_ids)
        message = self._phones.put(self._phones.private(person), person, kind, msg_id=str(number), **shown)  # type: ignore[arg-type] # the fields of a message
        fields = self._head(person.account, kind) | about | {"MsgId": number, "AgentID": self.agent_id}
        self._tell(fields, person=person.account, message=message)
        return message

    def _event(self, person: Person, event: str, about: Json, *, message: Message | None = None) -> None:
        self._demand(person)
        fields = self._head(person.account, "event") | {"Event": event} | about | {"AgentID": self.agent_id}
        self._tell(fields, person=person.account, message=message)

    def _head(self, sender: str, kind: str) -> Json:
        return {
            "ToUserName": self.corp_id,
            "FromUserName": sender,
            "CreateTime": self._phones.now(),
            "MsgType": kind,
        }

    def _tell(self, fields: Json, *, person: str, message: Message | None = None) -> None:
        def heard(reply: Json | None) -> None:
            if reply:
                self._hear(reply, person, message)
            if message:
                self._phones.delivered(message)

        self._courier.put(fields, person=person, to=self.corp_id, heard=heard)

    def _hear(self, reply: Json, account: str, message: Message | None) -> None:
        """Show a passive reply; what updates a card updates the copy of the member who pressed."""
        person = self._phones.known(account)
        if person is None or (reply.get("ToUserName"), reply.get("FromUserName")) != (account, self.corp_id):
            raise EnvelopeError("the answer is for somebody else")
        match reply.get("MsgType"):
            case "text":
                text = reply.get("Content")
                if not isinstance(text, str) or not text:
                    raise EnvelopeError("the answer has no text")
                self._phones.put(self._phones.private(person), None, "text", text=shortened(text), way="passive")
            case "update_button":
                about = reply.get("Button")
                name = about.get("ReplaceName") if isinstance(about, dict) else None
                if not isinstance(name, str) or not name:
                    raise EnvelopeError("the answer names no button")
                self._redraw(_pressed(message), button=name, body=None)
            case "update_template_card":
                about = reply.get("TemplateCard")
                body = from_xml(about) if isinstance(about, dict) else {}
                if str(body.get("card_type")) not in KINDS:
                    raise EnvelopeError("the answer has no card")
                try:
                    self._redraw(_pressed(message), button="", body=body)
                except Refusal as refusal:
                    raise EnvelopeError(refusal.message) from refusal
            case other:
                raise EnvelopeError(f"the sandbox knows no answers of type {other}")

    def _demand(self, person: Person) -> None:
        if not person.present:
            raise ValueError(f"{person.name} does not belong to the company")


def shortened(text: str) -> str:
    """Cut a text where the platform does, after 2048 bytes, whatever is lost."""
    return text.encode()[:TEXT_LIMIT].decode(errors="ignore")


def _pressed(message: Message | None) -> Message:
    if message is None or "card" not in message.more:
        raise EnvelopeError("there is no card to update")
    return message


def _forget(moments: deque[datetime], before: datetime) -> None:
    while moments and moments[0] <= before:
        moments.popleft()


TEXT_LIMIT: Final = 2048
_A_MINUTE: Final = 30
_AN_HOUR: Final = 1000
_ROBOT_A_MINUTE: Final = 20
