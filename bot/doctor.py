"""The doctor: asks every platform what is wrong with its account, and says how to cure it."""

from collections.abc import Mapping
from typing import Final

from bot.channel import Channel, Finding, Sent
from bot.channels.wechat import WeChat, account
from bot.channels.wecom import WeCom
from bot.settings import Settings

_MUTE: Final = (
    "PLAINT_WECHAT_TEMPLATES is empty: two days after a customer's last message nothing reaches them but a call"
)


async def examine(channels: Mapping[str, Channel], settings: Settings) -> dict[str, list[Finding]]:
    """Return what is found at each platform, by the path that it posts to; the channels must be open."""
    found = {}
    public = settings.public_url.rstrip("/")
    for path, channel in channels.items():
        if isinstance(channel, WeChat):
            findings = await account.diagnose(
                channel.api, kind=channel.kind, templates=channel.templates, callback=public + path
            )
            if channel.kind == "service" and not channel.templates:
                findings.append(Finding(name="templates", ok=False, detail=_MUTE))
            findings += [_address(public), _domain(settings)]
        elif isinstance(channel, WeCom):
            findings = await channel.diagnose(public + path)
        else:
            outcome = await channel.ping()
            well = isinstance(outcome, Sent)
            findings = [Finding(name="api", ok=well, detail="the platform answers" if well else str(outcome))]
        found[channel.name] = findings
    return found


def _address(public: str) -> Finding:
    well = public.startswith("https://")
    detail = "customers' own pages lie under it" if well else "PLAINT_PUBLIC_URL does not begin with https://"
    return Finding(name="address", ok=well, detail=detail)


def _domain(settings: Settings) -> Finding:
    if settings.wechat_domain_code:
        return Finding(name="domain file", ok=True, detail=f"served as /MP_verify_{settings.wechat_domain_code}.txt")
    detail = "PLAINT_WECHAT_DOMAIN_CODE is empty: WeChat warns its customers before it opens their own page"
    return Finding(name="domain file", ok=False, detail=detail)
