"""What is done with an account from the command line: its menu, codes to scan, and the questions of the doctor.

Sources: https://developers.weixin.qq.com/doc/service/api/custommenu/api_getcurrentselfmenuinfo,
https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode,
https://developers.weixin.qq.com/doc/service/api/base/api_callbackcheck
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from bot.channel import Finding
from bot.channels.wechat import notices
from bot.channels.wechat.notices import Template
from bot.tencent.api import Answer, Api


class Unanswered(Exception):
    """The platform did not do what it was asked. The text names its error, for a person to read."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.trouble or f"{answer.code} {answer.text}")
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of the menu: it sends a `key`, opens a `url`, or holds `more` buttons.

    `foreign` is what a button does that this desk has no name for: somebody made it on the account's page.
    """

    label: str
    key: str = ""
    url: str = ""
    more: tuple["Button", ...] = ()
    foreign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code to scan: what it says, and the address of its picture."""

    url: str
    picture: str


async def menu(api: Api) -> tuple[Button, ...]:
    """Return the menu as it is now, no matter who made it; raise `Unanswered`."""
    answer = _asked(await api.call("/cgi-bin/get_current_selfmenu_info"))
    return _buttons(_object(answer.get("selfmenu_info")).get("button"))


async def install(
    api: Api, buttons: Sequence[Button], *, replace: bool = False
) -> Literal["installed", "unchanged", "kept"]:
    """Make this the menu; another one that is there is `kept`, unless it shall be replaced. Raise `Unanswered`."""
    present = await menu(api)
    if present == tuple(buttons):
        return "unchanged"
    if present and not replace:
        return "kept"
    _asked(await api.call("/cgi-bin/menu/create", {"button": [_written(button) for button in buttons]}))
    return "installed"


async def qrcode(api: Api, scene: str) -> Code:
    """Return a code that holds for ever; who scans it is heard with this scene. Raise `Unanswered`.

    A scene has 1 to 64 characters. An account has 100,000 such codes.
    """
    body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
    answer = _asked(await api.call("/cgi-bin/qrcode/create", body))
    return Code(url=str(answer.get("url", "")), picture=_PICTURE + quote(str(answer.get("ticket", "")), safe=""))


async def diagnose(api: Api, *, kind: str, templates: Mapping[str, Template], callback: str) -> list[Finding]:
    """Ask the platform about everything that can be wrong with an account, and return what was found.

    `callback` is the address that must stand in the account's server settings. Without an access token nothing else can
    be asked, so that finding is the only one then.
    """
    answer = await api.call("/cgi-bin/getcallbackip")
    if not answer.ok:
        return [_without_token(answer)]
    found = [
        Finding(name="token", ok=True, detail="WeChat gives access tokens, and this machine's address is on its list")
    ]
    check = await api.call("/cgi-bin/callback/check", {"action": "dns", "check_operator": "DEFAULT"})
    if check.ok and not _objects(_object(check.result).get("dns")):
        found.append(Finding(name="callback", ok=False, detail=f"no server address is set; enter {callback}"))
    else:
        found.append(_result("callback", check, f"a server address is set; it should be {callback}"))
    for name, template in templates.items():
        found.append(await _template(api, name, template))
    if kind == "service":
        answer = await api.call("/cgi-bin/get_current_selfmenu_info")
        found.append(_result("menu", answer, "the menu can be read; see: plaint wechat menu"))
    elif not templates:
        detail = f"a {kind} account without templates is mute once the window has closed: customers must be called"
        found.append(Finding(name="kind", ok=False, detail=detail))
    return found


def _without_token(answer: Answer) -> Finding:
    cure = _CURES.get(answer.code, "no answer from the platform" if answer.trouble else "look the code up")
    return Finding(name="token", ok=False, detail=f"{_error(answer)}: {cure}")


async def _template(api: Api, name: str, template: Template) -> Finding:
    path = "/wxaapi/newtmpl/gettemplate" if name == "subscribe" else "/cgi-bin/template/get_all_private_template"
    answer = await api.call(path)
    if not answer.ok:
        return _result(f"template {name}", answer, "")
    if template.id in notices.listed(answer.result):
        return Finding(name=f"template {name}", ok=True, detail="the account has it")
    detail = f"the account does not list {template.id}" + (
        ", but its fields are set" if template.fields else "; set its fields too: PLAINT_WECHAT_TEMPLATES"
    )
    return Finding(name=f"template {name}", ok=bool(template.fields), detail=detail)


def _result(name: str, answer: Answer, well: str) -> Finding:
    if answer.ok:
        return Finding(name=name, ok=True, detail=well)
    cure = "this kind of account may not do that (is it verified?)" if answer.code in _NOT_ALLOWED else "try again"
    return Finding(name=name, ok=False, detail=f"{_error(answer)}: {cure}")


def _error(answer: Answer) -> str:
    return answer.trouble or f"{answer.code} {answer.text}"


def _asked(answer: Answer) -> Mapping[str, Any]:
    if not answer.ok:
        raise Unanswered(answer)
    return _object(answer.result)


def _buttons(given: Any) -> tuple[Button, ...]:
    return tuple(_button(each) for each in _objects(given))


def _button(given: Mapping[str, Any]) -> Button:
    label, form = str(given.get("name", "")), given.get("type")
    if form == "click":
        return Button(label=label, key=str(given.get("key", "")))
    if form == "view":
        return Button(label=label, url=str(given.get("url", "")))
    below = given.get("sub_button")
    more = _buttons(_object(below).get("list") if isinstance(below, dict) else below)
    return Button(label=label, more=more) if more and form is None else Button(label=label, foreign=str(form))


def _written(button: Button) -> dict[str, Any]:
    if button.more:
        return {"name": button.label, "sub_button": [_written(each) for each in button.more]}
    if button.url:
        return {"type": "view", "name": button.label, "url": button.url}
    return {"type": "click", "name": button.label, "key": button.key}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_PICTURE: Final = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket="
_NOT_ALLOWED: Final = frozenset({48001, 40200})
_CURES: Final = {
    40164: "put this machine's address on the account's IP list",
    40013: "look at PLAINT_WECHAT_APP_ID",
    41002: "look at PLAINT_WECHAT_APP_ID",
    40125: "look at PLAINT_WECHAT_SECRET",
    40243: "the AppSecret is frozen; thaw it on the account's page",
    48001: "this kind of account may not do that (is it verified?)",
    50002: "the account is restricted; its page says why",
}
