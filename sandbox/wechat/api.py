"""The fake API of an Official Account: one method of this class for one path.

Source: https://developers.weixin.qq.com/doc/service/api/
"""

import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from aiohttp import web
from yarl import URL

from sandbox import media
from sandbox.faults import Switchboard
from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Json
from sandbox.tencent.gateway import Answer, Call, Endpoint, Gateway, Refusal, Upload, attachment, trace
from sandbox.tencent.phones import File, Person, Phones
from sandbox.tencent.record import Record
from sandbox.wechat.account import TEXT_LIMIT, Account, Code
from sandbox.wechat.templates import Template
from sandbox.wechat.tokens import Tokens


@dataclass(kw_only=True, slots=True)
class Restrictions:
    """What the platform lets an account do today, which tests may change."""

    allowed_ips: list[str] | None = None
    """From where tokens may be fetched; None for everywhere."""
    quotas: dict[str, int] = field(default_factory=dict)
    """Calls a day by path, in place of what is published."""
    broken_templates: bool = False
    """Whether template messages fail on the platform's side."""


class Api(Gateway):
    """Serves the calls of the account."""

    def __init__(
        self,
        *,
        app_id: str,
        secret: str,
        account: Account,
        phones: Phones,
        courier: Courier,
        switchboard: Switchboard,
        record: Record,
        clock: Callable[[], datetime],
    ) -> None:
        """Serve one account."""
        super().__init__(switchboard=switchboard, record=record)
        self.restrictions = Restrictions()
        self.tokens = Tokens(clock=clock, make=lambda name: f"{80 + len(name) % 9}_{phones.seal(app_id + name, 86)}")
        self._app_id = app_id
        self._secret = secret
        self._account = account
        self._phones = phones
        self._courier = courier
        self._clock = clock
        self._used: Counter[tuple[str, str]] = Counter()
        self._cleared: Counter[str] = Counter()
        self._jobs: dict[tuple[str, str], tuple[datetime, int]] = {}
        self.endpoints |= {
            "cgi-bin/token": Endpoint(run=self._token, verb="GET", token=False),
            "cgi-bin/stable_token": Endpoint(run=self._stable_token, token=False),
            "cgi-bin/clear_quota": Endpoint(run=self._clear_quota),
            "cgi-bin/openapi/quota/get": Endpoint(run=self._get_quota),
            "cgi-bin/getcallbackip": Endpoint(run=self._addresses, verb="GET"),
            "cgi-bin/get_api_domain_ip": Endpoint(run=self._addresses, verb="GET"),
            "cgi-bin/callback/check": Endpoint(run=self._check_callback),
            "cgi-bin/message/custom/send": Endpoint(run=self._send),
            "cgi-bin/message/custom/typing": Endpoint(run=self._type),
            "cgi-bin/message/template/send": Endpoint(run=self._send_template),
            "cgi-bin/template/get_all_private_template": Endpoint(run=self._templates, verb="GET"),
            "cgi-bin/message/subscribe/bizsend": Endpoint(run=self._send_notice),
            "wxaapi/newtmpl/gettemplate": Endpoint(run=self._subscriptions, verb="GET"),
            "cgi-bin/media/upload": Endpoint(run=self._upload),
            "cgi-bin/media/get": Endpoint(run=self._download, verb="GET"),
            "cgi-bin/menu/create": Endpoint(run=self._create_menu),
            "cgi-bin/menu/get": Endpoint(run=self._get_menu, verb="GET"),
            "cgi-bin/menu/delete": Endpoint(run=self._delete_menu, verb="GET"),
            "cgi-bin/get_current_selfmenu_info": Endpoint(run=self._menu_info, verb="GET"),
            "cgi-bin/qrcode/create": Endpoint(run=self._create_code),
            "cgi-bin/showqrcode": Endpoint(run=self._show_code, verb="GET", token=False),
            "cgi-bin/user/info": Endpoint(run=self._person_info, verb="GET"),
            "cgi-bin/user/get": Endpoint(run=self._followers, verb="GET"),
        }

    # --- what every call passes ---

    def check_token(self, call: Call) -> None:
        """Refuse a wrong token, and a call over the day's quota."""
        self.tokens.check(call.query.get("access_token", ""))
        self._count(call.path)

    def worded(self, refusal: Refusal, call: Call) -> str:
        """Write the text with the id of the request behind it."""
        return f"{refusal.message} rid: {trace(self._phones.now())}"

    def _count(self, path: str) -> None:
        limit = self.restrictions.quotas.get(path.removeprefix("cgi-bin/"), _QUOTAS.get(path, _USUAL))
        key = (self._today(), path)
        if self._used[key] >= limit:
            raise Refusal(45009, "reach max api daily quota limit")
        self._used[key] += 1

    def _today(self) -> str:
        return f"{self._clock().astimezone(_BEIJING):%Y-%m-%d}"

    def _person(self, call: Call) -> Person:
        person = self._phones.known(call.text("touser"))
        if person is None:
            raise Refusal(40003, "invalid openid")
        return person

    # --- tokens and quotas ---

    async def _token(self, call: Call) -> Answer:
        self._identify(call, **{name: call.query.get(name, "") for name in ("grant_type", "appid", "secret")})
        self._count(call.path)
        text, seconds = self.tokens.classic()
        self.record.tokens["classic"] += 1
        return {"access_token": text, "expires_in": seconds}

    async def _stable_token(self, call: Call) -> Answer:
        self._identify(call, **{name: call.text(name) for name in ("grant_type", "appid", "secret")})
        self._count(call.path)
        force = call.body.get("force_refresh") is True
        text, seconds = self.tokens.stable(force=force)
        self.record.tokens["forced" if force else "stable"] += 1
        return {"access_token": text, "expires_in": seconds}

    def _identify(self, call: Call, *, grant_type: str, appid: str, secret: str) -> None:
        if grant_type != "client_credential":
            raise Refusal(40002, "invalid grant_type")
        if not appid:
            raise Refusal(41002, "appid missing")
        if not secret:
            raise Refusal(41004, "appsecret missing")
        if appid != self._app_id:
            raise Refusal(40013, "invalid appid")
        if secret != self._secret:
            raise Refusal(40125, "invalid appsecret")
        allowed = self.restrictions.allowed_ips
        if allowed is not None and call.remote not in allowed:
            raise Refusal(40164, f"invalid ip {call.remote} ipv6 ::ffff:{call.remote}, not in whitelist")

    async def _clear_quota(self, call: Call) -> Answer:
        if call.text("appid") != self._app_id:
            raise Refusal(40013, "invalid appid")
        month = self._today()[:7]
        if self._cleared[month] >= _CLEARINGS:
            raise Refusal(48006, "forbid to clear quota because of reaching the limit")
        self._cleared[month] += 1
        self._used.clear()
        return dict(_OK)

    async def _get_quota(self, call: Call) -> Answer:
        path = call.text("cgi_path").removeprefix("/")
        if path not in self.endpoints:
            raise Refusal(76021, "cgi_path not found, please check")
        limit = self.restrictions.quotas.get(path.removeprefix("cgi-bin/"), _QUOTAS.get(path, _USUAL))
        used = self._used[self._today(), path]
        return _OK | {"quota": {"daily_limit": limit, "used": used, "remain": limit - used}}

    async def _addresses(self, _: Call) -> Answer:
        return {"ip_list": ["127.0.0.1"]}

    async def _check_callback(self, call: Call) -> Answer:
        action, carrier = call.text("action"), call.text("check_operator")
        if action not in {"dns", "ping", "all"}:
            raise Refusal(40202, "invalid action")
        if carrier not in {"CHINANET", "UNICOM", "CAP", "DEFAULT"}:
            raise Refusal(40203, "invalid check_operator")
        host = URL(self._courier.url).host if self._courier.url else None
        if not host:
            raise Refusal(40201, "invalid url")
        address = host if host.replace(".", "").isdigit() else socket.gethostbyname("localhost")
        source = "CAP" if carrier == "DEFAULT" else carrier
        told: Json = {}
        if action != "ping":
            told["dns"] = [{"ip": address, "real_operator": source}]
        if action != "dns":
            told["ping"] = [{"ip": address, "from_operator": source, "package_loss": "0%", "time": "0.079ms"}]
        return told

    # --- customer service messages ---

    async def _send(self, call: Call) -> Answer:
        _demand_plain(call)
        person, kind = self._person(call), call.text("msgtype")
        read = {
            "text": self._read_text,
            "image": self._read_file,
            "voice": self._read_file,
            "video": self._read_file,
            "news": self._read_news,
            "msgmenu": self._read_menu,
        }.get(kind)
        if read is None:
            raise Refusal(40008, "invalid message type")
        self._account.show(person, kind, **read(kind, call.object(kind)))
        return dict(_OK)

    def _read_text(self, _: str, about: Json) -> Json:
        return {"text": _sized(about.get("content"))}

    def _read_file(self, kind: str, about: Json) -> Json:
        return {"file": self._file(about.get("media_id"), kind), "text": str(about.get("title") or "")}

    def _read_news(self, _: str, about: Json) -> Json:
        articles = about.get("articles")
        if not isinstance(articles, list) or not articles or not isinstance(articles[0], dict):
            raise Refusal(44003, "empty news data")
        if len(articles) > 1:
            raise Refusal(45008, "article size out of limit")
        told = {name: str(articles[0].get(name) or "") for name in ("title", "description", "url", "picurl")}
        return {"text": told["title"], "link": told}

    def _read_menu(self, _: str, about: Json) -> Json:
        if self._account.kind != "service":
            raise Refusal(40200, "invalid account type")
        items = about.get("list")
        if not isinstance(items, list) or not items:
            raise Refusal(40035, "invalid parameter")
        rows = []
        for item in items:
            number, label = (item.get("id"), item.get("content")) if isinstance(item, dict) else (None, None)
            if not isinstance(number, str | int) or not isinstance(label, str) or not label:
                raise Refusal(40035, "invalid parameter")
            rows.append([{"text": label, "callback_data": str(number)}])
        head, tail = (str(about.get(name) or "") for name in ("head_content", "tail_content"))
        _sized("\n".join([head, *(row[0]["text"] for row in rows), tail]))
        return {"text": head, "rows": rows, "tail": tail}

    async def _type(self, call: Call) -> Answer:
        if call.text("command") not in {"Typing", "CancelTyping"}:
            raise Refusal(45072, "invalid command")
        if self._account.kind != "service":
            raise Refusal(40200, "invalid account type")
        self._account.type(self._person(call), on=call.text("command") == "Typing")
        return dict(_OK)

    # --- notices ---

    async def _send_template(self, call: Call) -> Answer:
        if self._account.kind == "subscription":
            raise Refusal(48001, "api unauthorized")
        person = self._person(call)
        template = _template(self._account.templates, call)
        key, now = (person.account, call.text("client_msg_id")), self._clock()
        if key[1] and key in self._jobs and now - self._jobs[key][0] < _JOB_KEPT:
            return _OK | {"msgid": self._jobs[key][1]}
        number = self._account.send_template(
            person, template, call.object("data"), url=call.text("url"), broken=self.restrictions.broken_templates
        )
        self._jobs[key] = (now, number)
        return _OK | {"msgid": number}

    async def _templates(self, _: Call) -> Answer:
        return {
            "template_list": [
                {
                    "template_id": template.id,
                    "title": template.title,
                    "primary_industry": "",
                    "deputy_industry": "",
                    "content": template.body(),
                    "example": "",
                }
                for template in self._account.templates.values()
            ]
        }

    async def _send_notice(self, call: Call) -> Answer:
        person = self._person(call)
        template = _template(self._account.subscriptions, call)
        self._account.send_notice(person, template, call.object("data"), page=call.text("page"))
        return dict(_OK)

    async def _subscriptions(self, _: Call) -> Answer:
        listed = [
            {"priTmplId": template.id, "title": template.title, "content": template.body(), "example": "", "type": 2}
            for template in self._account.subscriptions.values()
        ]
        return _OK | {"data": listed}

    # --- files ---

    async def _upload(self, call: Call) -> Answer:
        kind = call.query.get("type", "")
        if kind not in _FILES:
            raise Refusal(40004, "invalid media type")
        upload = _file_in(call)
        code, limit, endings = _FILES[kind]
        if upload.name.rpartition(".")[2].lower() not in endings:
            raise Refusal(40005, "invalid file type")
        if len(upload.data) > limit:
            raise Refusal(code, f"invalid {kind} size")
        file = self._phones.store(kind, upload.data, name=upload.name, mime=upload.mime)
        number = "thumb_media_id" if kind == "thumb" else "media_id"
        return {"type": kind, number: file.id, "created_at": self._phones.now(), "item": []}

    async def _download(self, call: Call) -> Answer:
        file = self._file(call.query.get("media_id"))
        if file.kind == "video":
            return {"video_url": f"{call.origin}/sandbox/wechat/files/{file.id}"}
        return attachment(file)

    def _file(self, number: object, kind: str = "") -> File:
        if not number:
            raise Refusal(41006, "media_id missing")
        file = self._phones.file(str(number))
        if file is None or (kind and file.kind != kind):
            raise Refusal(40007, "invalid media_id")
        return file

    # --- menu ---

    async def _create_menu(self, call: Call) -> Answer:
        _demand_plain(call)
        buttons = call.body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= _BUTTONS:
            raise Refusal(40016, "invalid button size")
        for button in buttons:
            inside = button.get("sub_button") if isinstance(button, dict) else None
            if inside:
                _demand_name(button, _NAME)
                if not isinstance(inside, list) or len(inside) > _SUB_BUTTONS:
                    raise Refusal(40023, "invalid sub button size")
            for entry in inside or [button]:
                _demand_entry(entry, _SUB_NAME if inside else _NAME)
        self._account.set_menu(buttons)
        return dict(_OK)

    async def _get_menu(self, _: Call) -> Answer:
        if self._account.menu is None:
            raise Refusal(46003, "menu no exist")
        return {"menu": {"button": [{"sub_button": [], **button} for button in self._account.menu]}}

    async def _delete_menu(self, _: Call) -> Answer:
        self._account.set_menu(None)
        return dict(_OK)

    async def _menu_info(self, _: Call) -> Answer:
        shown = [
            {"name": button["name"], "sub_button": {"list": button["sub_button"]}}
            if button.get("sub_button")
            else button
            for button in self._account.menu or []
        ]
        return {"is_menu_open": int(self._account.menu is not None), "selfmenu_info": {"button": shown}}

    # --- QR codes and people ---

    async def _create_code(self, call: Call) -> Answer:
        action, scene = call.text("action_name"), call.object("action_info").get("scene")
        if action not in {"QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"}:
            raise Refusal(40052, "invalid action name")
        number = (scene if isinstance(scene, dict) else {}).get("scene_str" if "STR" in action else "scene_id")
        if not isinstance(number, str if "STR" in action else int) or not 1 <= len(str(number)) <= _SCENE:
            raise Refusal(40053, "invalid action info")
        seconds = min(call.number("expire_seconds") or 60, _CODE_LIFE)
        lasting = "LIMIT" in action
        ticket = self._phones.seal(f"code {scene} {self._phones.now()}", 86)
        until = None if lasting else self._clock() + timedelta(seconds=seconds)
        self._account.codes[ticket] = Code(ticket=ticket, scene=str(number), until=until)
        told = {"ticket": ticket, "url": f"http://weixin.qq.com/q/{ticket[:24]}"}
        return told if lasting else told | {"expire_seconds": seconds}

    async def _show_code(self, call: Call) -> Answer:
        if call.query.get("ticket") not in self._account.codes:
            return web.Response(status=404)
        return web.Response(body=media.picture(200, 200), content_type="image/png")

    async def _person_info(self, call: Call) -> Answer:
        person = self._phones.known(call.query.get("openid", ""))
        if person is None:
            raise Refusal(40003, "invalid openid")
        if not person.present:
            return {"subscribe": 0, "openid": person.account, "tagid_list": []}
        known = self._account.follower(person)
        number = int(known.scene) if known.scene.isascii() and known.scene.isdigit() else 0
        return {
            "subscribe": 1,
            "openid": person.account,
            "nickname": "",
            "sex": 0,
            "language": person.language,
            "city": "",
            "province": "",
            "country": "",
            "headimgurl": "",
            "subscribe_time": int(known.followed.timestamp()) if known.followed else 0,
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_QR_CODE" if known.scene else "ADD_SCENE_SEARCH",
            "qr_scene": number,
            "qr_scene_str": "" if number else known.scene,
        }

    async def _followers(self, _: Call) -> Answer:
        accounts = [person.account for person in self._phones.people.values() if person.present]
        listed = {"data": {"openid": accounts}} if accounts else {}
        return {
            "total": len(accounts),
            "count": len(accounts),
            **listed,
            "next_openid": accounts[-1] if accounts else "",
        }


def _sized(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise Refusal(44004, "empty content")
    if len(text.encode()) > TEXT_LIMIT:
        raise Refusal(45002, "content size out of limit")
    return text


def _template(known: dict[str, Template], call: Call) -> Template:
    template = known.get(call.text("template_id"))
    if template is None:
        raise Refusal(40037, "invalid template_id")
    return template


def _file_in(call: Call) -> Upload:
    """Read the file of an upload, which goes by the name `media`."""
    if call.upload is None or call.upload.field != "media":
        raise Refusal(41005, "media data missing")
    if not call.upload.data:
        raise Refusal(44001, "empty media data")
    return call.upload


def _demand_plain(call: Call) -> None:
    """Refuse a body that escapes what is not ASCII; people would see the escapes."""
    if call.escaped:
        raise Refusal(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!")


def _demand_name(entry: Json, longest: int) -> None:
    name = entry.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= longest:
        raise Refusal(40018 if longest == _NAME else 40025, "invalid button name size")


def _demand_entry(entry: object, longest: int) -> None:
    if not isinstance(entry, dict):
        raise Refusal(40017, "invalid button type")
    _demand_name(entry, longest)
    kind = str(entry.get("type"))
    if kind not in _ENTRIES:
        raise Refusal(40017, "invalid button type")
    field_name, most, code = _ENTRIES[kind]
    value = entry.get(field_name)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
        raise Refusal(code, f"invalid button {field_name} size")


_OK: Final = {"errcode": 0, "errmsg": "ok"}
_BEIJING: Final = timezone(timedelta(hours=8))
_JOB_KEPT: Final = timedelta(minutes=10)
_CLEARINGS: Final = 10
_BUTTONS: Final = 3
_SUB_BUTTONS: Final = 5
_NAME: Final = 16
_SUB_NAME: Final = 60
_SCENE: Final = 64
_CODE_LIFE: Final = 2_592_000
_KEY: Final = ("key", 128, 40019)
_ENTRIES: Final = {
    "view": ("url", 1024, 40020),
    "miniprogram": ("url", 1024, 40020),
    **dict.fromkeys(("click", "scancode_push", "scancode_waitmsg", "location_select"), _KEY),
    **dict.fromkeys(("pic_sysphoto", "pic_photo_or_album", "pic_weixin"), _KEY),
}
_FILES: Final = {
    "image": (40009, 10 << 20, {"bmp", "png", "jpeg", "jpg", "gif"}),
    "voice": (40010, 2 << 20, {"amr", "mp3"}),
    "video": (40011, 10 << 20, {"mp4"}),
    "thumb": (40012, 64 << 10, {"jpg", "jpeg"}),
}
_USUAL: Final = 10_000_000
_QUOTAS: Final = {
    "cgi-bin/token": 2000,
    "cgi-bin/stable_token": 500_000,
    "cgi-bin/message/custom/send": 500_000,
    "cgi-bin/media/upload": 100_000,
    "cgi-bin/media/get": 200_000,
    "cgi-bin/menu/create": 1000,
    "cgi-bin/menu/get": 10_000,
    "cgi-bin/menu/delete": 1000,
    "cgi-bin/qrcode/create": 100_000,
    "cgi-bin/user/info": 5_000_000,
    "cgi-bin/user/get": 500,
    "cgi-bin/message/template/send": 100_000,
    "cgi-bin/clear_quota": 1_000,
}
