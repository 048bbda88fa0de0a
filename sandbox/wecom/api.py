"""The fake API of WeCom: one method of this class for one path below `/wecom/cgi-bin`.

Source: https://developer.work.weixin.qq.com/document/path/90664, errors …/90313.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.faults import Switchboard
from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Json
from sandbox.tencent.gateway import Answer, Call, Endpoint, Gateway, Refusal, attachment
from sandbox.tencent.phones import File, Person, Phones
from sandbox.tencent.record import Record
from sandbox.wecom.cards import Card, checked, rows_of, words_of
from sandbox.wecom.company import TEXT_LIMIT, Company, Robot, shortened


@dataclass(kw_only=True, slots=True, frozen=True)
class Addressees:
    """Who a message is for, and who was named in vain."""

    people: list[Person]
    invalid_people: list[str]
    invalid_departments: list[str]
    invalid_tags: list[str]


class Api(Gateway):
    """Serves the calls of the app and of robots."""

    def __init__(
        self,
        *,
        secret: str,
        name: str,
        company: Company,
        phones: Phones,
        courier: Courier,
        switchboard: Switchboard,
        record: Record,
        clock: Callable[[], datetime],
    ) -> None:
        """Serve one company with one app."""
        super().__init__(switchboard=switchboard, record=record)
        self.allowed_ips: list[str] | None = None
        """From where the app may call; None for everywhere."""
        self._secret = secret
        self._name = name
        self._company = company
        self._phones = phones
        self._courier = courier
        self._clock = clock
        self._tokens: dict[str, datetime] = {}
        self.endpoints |= {
            "cgi-bin/gettoken": Endpoint(run=self._token, verb="GET", token=False),
            "cgi-bin/message/send": Endpoint(run=self._send),
            "cgi-bin/message/update_template_card": Endpoint(run=self._update_card),
            "cgi-bin/message/recall": Endpoint(run=self._recall),
            "cgi-bin/media/upload": Endpoint(run=self._upload),
            "cgi-bin/media/get": Endpoint(run=self._download, verb="GET"),
            "cgi-bin/agent/get": Endpoint(run=self._agent, verb="GET"),
            "cgi-bin/user/get": Endpoint(run=self._member, verb="GET"),
            "cgi-bin/webhook/send": Endpoint(run=self._announce, token=False),
            "cgi-bin/webhook/upload_media": Endpoint(run=self._upload_for_robot, token=False),
        }

    # --- what every call passes ---

    def check_token(self, call: Call) -> None:
        """Refuse a wrong token, and an address from which nobody may call."""
        text = call.query.get("access_token", "")
        if not text:
            raise Refusal(41001, "access_token missing")
        until = self._tokens.get(text)
        if until is None:
            raise Refusal(40014, "invalid access_token")
        if self._clock() >= until:
            raise Refusal(42001, "access_token expired")
        if self.allowed_ips is not None and call.remote not in self.allowed_ips:
            raise Refusal(60020, "not allow to access from your ip")

    def worded(self, refusal: Refusal, call: Call) -> str:
        """Write the text with the hint, the address and the page of help behind it."""
        now = self._phones.now()
        hint = f"hint: [{now}_{self._phones.seal(f'hint {now}', 32)}], from ip: {call.remote}"
        return f"{refusal.message}, {hint}, more info at https://open.work.weixin.qq.com/devtool/query?e={refusal.code}"

    def expire_tokens(self, *, forget: bool) -> None:
        """End all tokens: as expired, or as if they had never been."""
        if forget:
            self._tokens.clear()
        self._tokens = dict.fromkeys(self._tokens, self._clock())

    async def _token(self, call: Call) -> Answer:
        given = {name: call.query.get(name, "") for name in ("corpid", "corpsecret")}
        for (name, text), code in zip(given.items(), (41002, 41004), strict=True):
            if not text:
                raise Refusal(code, f"{name} missing")
        if given["corpid"] != self._company.corp_id:
            raise Refusal(40013, "invalid corpid")
        if given["corpsecret"] != self._secret:
            raise Refusal(40001, "invalid credential")
        now = self._clock()
        self.record.tokens["app"] += 1
        text = next((text for text, until in self._tokens.items() if now < until), "")
        if not text:
            text = self._phones.seal(f"{self._secret} token {len(self._tokens)} {now}", 86)
            self._tokens[text] = now + _LIFE
        return _OK | {"access_token": text, "expires_in": int((self._tokens[text] - now).total_seconds())}

    # --- messages ---

    async def _send(self, call: Call) -> Answer:
        self._demand_agent(call.number("agentid"))
        meant = self._addressees(call)
        kind = call.text("msgtype")
        content, card = self._content(kind, call.object(kind))
        number = self._company.show(meant.people, kind, content, card=card, repeat=_repeat(call, kind))
        told = _OK | {
            "invaliduser": "|".join(meant.invalid_people),
            "invalidparty": "|".join(meant.invalid_departments),
            "invalidtag": "|".join(meant.invalid_tags),
            "unlicenseduser": "",
            "msgid": number,
        }
        return told | ({"response_code": self._company.codes.give(card)} if card and card.answerable else {})

    def _content(self, kind: str, about: Json) -> tuple[Json, Card | None]:
        """Read what a phone shall show."""
        match kind:
            case "text":
                text = _filled(about.get("content"))
                if shortened(text) != text:
                    self.record.dropped["cut"] += 1
                return {"text": shortened(text)}, None
            case "markdown" | "markdown_v2":
                return {"text": _sized(about.get("content"), TEXT_LIMIT)}, None
            case "image" | "voice" | "video" | "file":
                return {"file": self._file(about.get("media_id"), kind), "text": str(about.get("title") or "")}, None
            case "textcard":
                told = {name: _filled(about.get(name)) for name in ("title", "description", "url")}
                return {"text": f"{told['title']}\n{told['description']}", "link": told}, None
            case "template_card":
                body = checked(about, callback=bool(self._courier.url), known=self._company.cards.__contains__)
                card = Card(task=str(body.get("task_id") or ""), body=body)
                return {"text": words_of(body), "rows": rows_of(body), "card": body}, card
            case _:
                raise Refusal(40008, "invalid message type")

    def _addressees(self, call: Call) -> Addressees:
        to, parties, tags = (
            [each for each in str(call.body.get(name) or "").split("|") if each]
            for name in ("touser", "toparty", "totag")
        )
        if not to and not parties and not tags:
            raise Refusal(82001, "touser, toparty and totag are all empty")
        if len(to) > _MOST_PEOPLE:
            raise Refusal(40032, "invalid userid list size")
        meant = self._chosen(to, parties, tags)
        if not meant.people:
            raise Refusal(81013, "user & party & tag all invalid")
        return meant

    def _chosen(self, accounts: list[str], parties: list[str], tags: list[str]) -> Addressees:
        members = self._company.members()
        known = {person.account: person for person in members}
        chosen = members if "@all" in accounts else [known[account] for account in accounts if account in known]
        departments = {str(number) for number in self._company.departments}
        inside = [person for person in members if {str(number) for number in person.departments} & set(parties)]
        return Addressees(
            people=list({person.id: person for person in [*chosen, *inside]}.values()),
            invalid_people=[account for account in accounts if account != "@all" and account not in known],
            invalid_departments=[number for number in parties if number not in departments],
            invalid_tags=tags,
        )

    async def _update_card(self, call: Call) -> Answer:
        self._demand_agent(call.number("agentid"))
        button, body = call.object("button"), call.object("template_card")
        name = button.get("replace_name")
        if not body and (not isinstance(name, str) or not name):
            raise Refusal(40035, "button and template_card are both missing")
        if body:
            checked({"task_id": "kept", **body}, callback=True, known=lambda _: False)
        accounts = call.words("userids")
        meant = self._chosen(accounts, call.words("partyids"), call.words("tagids"))
        everyone = call.number("atall") == 1
        if not meant.people and not everyone:
            raise Refusal(81013, "user & party & tag all invalid")
        card = self._company.codes.spend(call.text("response_code"))
        reached = [person for person in meant.people if person.id in card.copies]
        self._company.update(card, None if everyone else reached, button=str(name or ""), body=body or None)
        missed = [person.account for person in meant.people if person.id not in card.copies]
        return _OK | {"invaliduser": [*meant.invalid_people, *missed]}

    async def _recall(self, call: Call) -> Answer:
        self._company.recall(call.text("msgid"))
        return dict(_OK)

    def _demand_agent(self, agent: int | None) -> None:
        if agent is None:
            raise Refusal(41011, "missing agentid")
        if agent != self._company.agent_id:
            raise Refusal(301002, "not allow operate another agent with this accesstoken")

    # --- robots ---

    async def _announce(self, call: Call) -> Answer:
        robot, kind = self._robot(call), call.text("msgtype")
        self._company.announce(robot, kind, self._announced(kind, call.object(kind)))
        return dict(_OK)

    def _announced(self, kind: str, about: Json) -> Json:
        match kind:
            case "text":
                mentions = [*(about.get("mentioned_list") or []), *(about.get("mentioned_mobile_list") or [])]
                return {"text": _fitting(about.get("content"), TEXT_LIMIT, kind), "mentions": mentions}
            case "markdown" | "markdown_v2":
                return {"text": _fitting(about.get("content"), _MARKDOWN, kind)}
            case "image":
                return {"file": self._picture(about)}
            case "file":
                return {"file": self._file(about.get("media_id"), kind)}
            case "template_card":
                if str(about.get("card_type")) not in {"text_notice", "news_notice"}:  # a robot hears nothing
                    raise Refusal(40058, "invalid Request Parameter")
                return {"text": words_of(about), "card": about}
            case _:
                raise Refusal(40008, "invalid message type")

    def _picture(self, about: Json) -> File:
        try:
            data = base64.b64decode(str(about.get("base64") or ""), validate=True)
        except binascii.Error:
            raise Refusal(40058, "image.base64 invalid Request Parameter") from None
        if not data or len(data) > _ROBOT_PICTURE:
            raise Refusal(40009, "invalid image size")
        if hashlib.md5(data).hexdigest() != about.get("md5"):  # noqa: S324 the platform's choice
            raise Refusal(301019, "media md5 not match")
        return self._phones.store("image", data)

    async def _upload_for_robot(self, call: Call) -> Answer:
        self._robot(call)
        return await self._upload(call)

    def _robot(self, call: Call) -> Robot:
        robot = self._company.robots.get(call.query.get("key", ""))
        if robot is None:
            raise Refusal(93000, "invalid webhook url")
        return robot

    # --- files and the directory ---

    async def _upload(self, call: Call) -> Answer:
        kind, upload = call.query.get("type", ""), call.upload
        if kind not in _FILES:
            raise Refusal(40004, "invalid media type")
        limit, endings = _FILES[kind]
        if upload is None or upload.field != "media":
            raise Refusal(44001, "empty media data")
        if not _SMALLEST < len(upload.data) <= limit:
            raise Refusal(40006 if len(upload.data) <= _SMALLEST else 45001, "invalid media size")
        if endings and upload.name.rpartition(".")[2].lower() not in endings:
            raise Refusal(40005, "invalid file type")
        file = self._phones.store(kind, upload.data, name=upload.name, mime=upload.mime)
        return {
            "errcode": 0,
            "errmsg": "",
            "type": kind,
            "media_id": file.id,
            "created_at": str(self._phones.now()),
        }

    async def _download(self, call: Call) -> Answer:
        return attachment(self._file(call.query.get("media_id")))

    def _file(self, number: object, kind: str = "") -> File:
        if not number:
            raise Refusal(41006, "missing media_id")
        file = self._phones.file(str(number))
        if file is None or (kind and file.kind != kind):
            raise Refusal(40007, "invalid media_id")
        return file

    async def _agent(self, call: Call) -> Answer:
        agent = call.query.get("agentid", "")
        self._demand_agent(int(agent) if agent.isascii() and agent.isdigit() else None)
        return _OK | {
            "agentid": self._company.agent_id,
            "name": self._name,
            "square_logo_url": "",
            "description": "",
            "allow_userinfos": {"user": [{"userid": person.account} for person in self._company.members()]},
            "allow_partys": {"partyid": list(self._company.departments)},
            "allow_tags": {"tagid": []},
            "close": 0,
            "redirect_domain": "",
            "report_location_flag": 0,
            "isreportenter": 1,
            "home_url": "",
        }

    async def _member(self, call: Call) -> Answer:
        person = self._phones.known(call.query.get("userid", ""))
        if person is None or not person.present:
            raise Refusal(60111, "userid not found")
        about = {"userid": person.account, "name": person.name, "department": person.departments}
        return _OK | about | {"status": 1, "enable": 1, "isleader": 0}


def _repeat(call: Call, kind: str) -> tuple[str, timedelta] | None:
    if call.number("enable_duplicate_check") != 1:
        return None
    seconds = min(call.number("duplicate_check_interval") or 1800, 4 * 3600)
    return json.dumps(call.body.get(kind), sort_keys=True), timedelta(seconds=seconds)


def _filled(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise Refusal(44004, "empty content")
    return text


def _sized(text: object, limit: int) -> str:
    if len(_filled(text).encode()) > limit:
        raise Refusal(45002, "content size out of limit")
    return str(text)


def _fitting(text: object, limit: int, kind: str) -> str:
    """Return what a robot says, which is refused in other words than what the app says."""
    if len(_filled(text).encode()) > limit:
        raise Refusal(40058, f"{kind}.content exceed max length {limit}. invalid Request Parameter")
    return str(text)


_OK: Final = {"errcode": 0, "errmsg": "ok"}
_LIFE: Final = timedelta(seconds=7200)
_MOST_PEOPLE: Final = 1000
_MARKDOWN: Final = 4096
_ROBOT_PICTURE: Final = 2 << 20
_SMALLEST: Final = 5
_FILES: Final = {
    "image": (10 << 20, frozenset({"jpg", "jpeg", "png"})),
    "voice": (2 << 20, frozenset({"amr"})),
    "video": (10 << 20, frozenset({"mp4"})),
    "file": (20 << 20, frozenset[str]()),
}
