"""A fake WeChat Official Account platform: its API below `/cgi-bin`, its callbacks, and people who follow it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Final

from aiohttp import web

from sandbox.faults import Switchboard
from sandbox.live import Live
from sandbox.tencent.courier import CallbackTiming, Courier
from sandbox.tencent.envelope import Envelope, Mode
from sandbox.tencent.phones import Phones
from sandbox.tencent.record import Record
from sandbox.wechat.account import Account, Kind
from sandbox.wechat.api import Api
from sandbox.wechat.control import Control
from sandbox.wechat.templates import Template

__all__ = ["CallbackTiming", "Template", "WeChat", "WeChatSettings"]


@dataclass(kw_only=True, slots=True, frozen=True)
class WeChatSettings:
    """Says which account exists, how it is told things and how patient the fake WeChat is."""

    callback: str = ""
    """Where messages and events are posted to; it can be set later, and is then verified."""
    token: str = "sandboxtoken"  # noqa: S105 it opens nothing but the sandbox
    aes_key: str = "sandboxsandboxsandboxsandboxsandboxsandbox0"
    app_id: str = "wx0000000000sandbox"
    secret: str = "sandbox00000000000000000000secret"  # noqa: S105 as above
    original_id: str = "gh_0000sandbox"
    """What the account is called in XML."""
    kind: Kind = "service"
    mode: Mode = "aes"
    """Whether callbacks are in the clear, sealed, or both at once."""
    recognition: bool = True
    """Whether voice messages come with what was understood."""
    templates: Sequence[Template] | None = None
    """Templates of template messages; None for two that fit complaints."""
    subscriptions: Sequence[Template] | None = None
    """Templates of subscription notices; None for one that fits complaints."""
    timing: CallbackTiming = field(default_factory=CallbackTiming)


class WeChat:
    """The fake Official Account platform as a platform of the sandbox."""

    name: Final = "wechat"

    def __init__(self, settings: WeChatSettings, *, clock: Callable[[], datetime], live: Live) -> None:
        """Open the platform with its account and nobody else."""
        labels = json.loads((resources.files("sandbox.wechat") / "account.json").read_text("utf-8"))
        self.settings = settings
        self.record = Record()
        self.switchboard = Switchboard(lambda: clock().timestamp())
        self.phones = Phones(
            platform=self.name, first=6_000_001, name=labels["name"], clock=clock, live=live, record=self.record
        )
        self.courier = Courier(
            envelope=Envelope(
                token=settings.token, aes_key=settings.aes_key, identity=settings.app_id, mode=settings.mode
            ),
            url=settings.callback,
            timing=settings.timing,
            clock=clock,
            switchboard=self.switchboard,
            record=self.record,
        )
        self.account = Account(
            original_id=settings.original_id,
            kind=settings.kind,
            recognition=settings.recognition,
            unavailable=labels["unavailable"],
            templates=_templates(settings.templates, labels["templates"]),
            subscriptions=_templates(settings.subscriptions, labels["subscriptions"]),
            phones=self.phones,
            courier=self.courier,
            record=self.record,
            clock=clock,
        )
        self.api = Api(
            app_id=settings.app_id,
            secret=settings.secret,
            account=self.account,
            phones=self.phones,
            courier=self.courier,
            switchboard=self.switchboard,
            record=self.record,
            clock=clock,
        )
        self._control = Control(
            account=self.account,
            api=self.api,
            phones=self.phones,
            courier=self.courier,
            switchboard=self.switchboard,
            record=self.record,
        )

    def routes(self) -> list[web.RouteDef]:
        """List the routes of the API and the control routes."""
        return [web.route("*", "/{path:(?:cgi-bin|wxaapi)/.+}", self.api.serve), *self._control.routes()]

    async def close(self) -> None:
        """Let everyone who waits go."""
        self.switchboard.clear()
        await self.courier.close()


def _templates(given: Sequence[Template] | None, usual: list[dict[str, object]]) -> list[Template]:
    return list(given) if given is not None else [Template(**about) for about in usual]  # type: ignore[arg-type] # read from our own file
