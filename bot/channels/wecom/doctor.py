"""Looks whether the app is set up at WeCom as the settings here say."""

from typing import Final

from bot.channel import Finding
from bot.channels.wecom.outgoing import Json
from bot.tencent.api import TOKEN_CODES, Answer, Api


async def diagnose(api: Api, *, agent: int, callback: str, robot: bool) -> list[Finding]:
    """Return what is found, with one call that disturbs nobody.

    `callback` is the address that must stand in the app's settings at WeCom, where nobody can ask for it; `robot` says
    whether a group robot is set. Source: https://developer.work.weixin.qq.com/document/path/90227
    """
    answer = await api.call(AGENT, query={"agentid": str(agent)})
    if answer.trouble:
        return [
            Finding(name="api", ok=False, detail=f"{api.url} does not answer: {answer.trouble}"),
            _callback(callback),
        ]
    token = answer.code in TOKEN_CODES or answer.code in _CREDENTIALS
    findings = [
        Finding(
            name="token", ok=not token, detail=_told(answer, _CURE_SECRET) if token else "WeCom gives access tokens"
        )
    ]
    if not token:
        foreign = answer.code == _ADDRESS
        detail = _told(answer, _CURE_ADDRESS) if foreign else "WeCom takes calls from this machine"
        findings.append(Finding(name="address", ok=not foreign, detail=detail))
        if not foreign:
            findings.append(_app(answer, agent))
    told = "set" if robot else "PLAINT_WECOM_ROBOT_URL is empty: alerts go to nobody's group"
    return [*findings, _callback(callback), Finding(name="robot", ok=True, detail=told)]


def _app(answer: Answer, agent: int) -> Finding:
    if answer.code:
        return Finding(name="agent", ok=False, detail=_told(answer, _CURE_AGENT))
    app: Json = answer.result if isinstance(answer.result, dict) else {}
    if app.get("close"):
        return Finding(name="agent", ok=False, detail=f"app {agent} is switched off in WeCom's admin console")
    return Finding(name="agent", ok=True, detail=f"app {agent} is called {str(app.get('name', ''))[:64]}")


def _callback(url: str) -> Finding:
    if not url.startswith("https://"):
        return Finding(name="callback", ok=False, detail="PLAINT_PUBLIC_URL is no https address: WeCom cannot reach us")
    detail = f"enter {url} in the app's settings for receiving messages, with its Token and EncodingAESKey"
    return Finding(name="callback", ok=True, detail=detail)


def _told(answer: Answer, cure: str) -> str:
    return f"{answer.code} {answer.text}: {cure}"


AGENT: Final = "/cgi-bin/agent/get"
_ADDRESS: Final = 60020
_CREDENTIALS: Final = frozenset({40013, 40091, 41002, 41004})
_CURE_SECRET: Final = "look at PLAINT_WECOM_CORP_ID and PLAINT_WECOM_SECRET"  # noqa: S105 - advice
_CURE_ADDRESS: Final = "add this machine's address to the trusted IP addresses of the app in WeCom's admin console"
_CURE_AGENT: Final = "look at PLAINT_WECOM_AGENT_ID; the secret must be that of the same app"
