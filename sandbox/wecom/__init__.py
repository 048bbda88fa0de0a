"""A fake WeCom: its API below `/wecom/cgi-bin`, the callbacks of an app, and members who carry phones."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Final

from aiohttp import web

from sandbox.faults import Switchboard
from sandbox.live import Live
from sandbox.tencent.courier import CallbackTiming, Courier
from sandbox.tencent.phones import Phones
from sandbox.tencent.record import Record
from sandbox.wecom.api import Api
from sandbox.wecom.company import Company, Sealed
from sandbox.wecom.control import Control

__all__ = ["WeCom", "WeComSettings"]


@dataclass(kw_only=True, slots=True, frozen=True)
class WeComSettings:
    """Says which company and app exist, how the app is told things and how patient the fake WeCom is."""

    callback: str = ""
    """Where messages and events are posted to; it can be set later, and is then verified."""
    token: str = "sandboxtoken"  # noqa: S105 it opens nothing but the sandbox
    aes_key: str = "sandboxsandboxsandboxsandboxsandboxsandbox0"
    corp_id: str = "ww0000000000sandbox"
    agent_id: int = 1_000_002
    secret: str = "sandbox-wecom-app-secret"  # noqa: S105 as above
    robots: Mapping[str, str] | None = None
    """Keys of robots with the titles of their groups; None for one, `sandbox-robot`."""
    timing: CallbackTiming = field(default_factory=CallbackTiming)


class WeCom:
    """The fake WeCom as a platform of the sandbox."""

    name: Final = "wecom"

    def __init__(self, settings: WeComSettings, *, clock: Callable[[], datetime], live: Live) -> None:
        """Open the platform with a company that nobody belongs to yet."""
        labels = json.loads((resources.files("sandbox.wecom") / "company.json").read_text("utf-8"))
        self.settings = settings
        self.record = Record()
        self.switchboard = Switchboard(lambda: clock().timestamp())
        self.phones = Phones(
            platform=self.name, first=7_000_001, name=labels["name"], clock=clock, live=live, record=self.record
        )
        self.courier = Courier(
            envelope=Sealed(
                token=settings.token, aes_key=settings.aes_key, identity=settings.corp_id, agent_id=settings.agent_id
            ),
            url=settings.callback,
            timing=settings.timing,
            clock=clock,
            switchboard=self.switchboard,
            record=self.record,
        )
        self.company = Company(
            corp_id=settings.corp_id,
            agent_id=settings.agent_id,
            robots=settings.robots if settings.robots is not None else {"sandbox-robot": labels["group"]},
            departments={int(number): title for number, title in labels["departments"].items()},
            phones=self.phones,
            courier=self.courier,
            record=self.record,
            clock=clock,
        )
        self.api = Api(
            secret=settings.secret,
            name=labels["name"],
            company=self.company,
            phones=self.phones,
            courier=self.courier,
            switchboard=self.switchboard,
            record=self.record,
            clock=clock,
        )
        self._control = Control(
            company=self.company,
            api=self.api,
            phones=self.phones,
            courier=self.courier,
            switchboard=self.switchboard,
            record=self.record,
        )

    def routes(self) -> list[web.RouteDef]:
        """List the routes of the API and the control routes."""
        return [web.route("*", "/wecom/{path:cgi-bin/.+}", self.api.serve), *self._control.routes()]

    async def close(self) -> None:
        """Let everyone who waits go."""
        self.switchboard.clear()
        await self.courier.close()
