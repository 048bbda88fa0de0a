"""What members do with WeCom on their phones, as JSON under `/sandbox/wecom`.

The table of routes is in the docstring of the package `sandbox`.
"""

from aiohttp import web

from sandbox.faults import Switchboard
from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Json
from sandbox.tencent.phones import Message, Person, Phones
from sandbox.tencent.record import Record
from sandbox.tencent.strings import Strings, answering, read
from sandbox.wecom.api import Api
from sandbox.wecom.company import Company


class Control(Strings):
    """Serves the control routes of the fake WeCom."""

    def __init__(
        self,
        *,
        company: Company,
        api: Api,
        phones: Phones,
        courier: Courier,
        switchboard: Switchboard,
        record: Record,
    ) -> None:
        """Pull the strings of this company."""
        super().__init__(phones=phones, courier=courier, switchboard=switchboard, record=record)
        self._company = company
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        root = self.root
        return [
            *super().routes(),
            web.post(f"{root}/people", answering(self._add_person)),
            web.delete(root + "/people/{person}", answering(self._remove_person)),
            web.post(root + "/people/{person}/press", answering(self._press)),
            web.post(root + "/people/{person}/enter", answering(self._enter)),
            web.post(f"{root}/tokens/expire", answering(self._expire)),
            web.put(f"{root}/account", answering(self._set_account)),
        ]

    def told_account(self) -> Json:
        """Write the app as a bot, which it is to the phone page."""
        return {
            "id": self._company.agent_id,
            "username": self._company.corp_id,
            "name": self.phones.name,
            "commands": [],
            "webhook": {"url": self.courier.url, "pending_update_count": self.courier.pending},
            "kind": "app",
        }

    async def say(self, person: Person, given: Json, uploads: list[Json]) -> list[Message]:
        """Let a member say something: files, a place, a link or a text."""
        said = [self._company.send(person, file) for file, _ in self.files(given, uploads)]
        if given.get("location"):
            place = given["location"]
            said.append(
                self._company.send_location(
                    person, float(place["latitude"]), float(place["longitude"]), str(place.get("label") or "")
                )
            )
        if given.get("link"):
            link = {name: str(given["link"].get(name) or "") for name in ("title", "description", "url")}
            said.append(self._company.send_link(person, **link))
        words = str(given.get("text") or given.get("caption") or "")
        if words:  # WeCom has no captions either
            said.append(self._company.say(person, words))
        if not said:
            raise web.HTTPBadRequest(text="nothing to say")
        return said

    async def _add_person(self, request: web.Request) -> Json:
        given = await read(request)
        account = str(given.get("account") or f"member{len(self.phones.people) + 1}")
        person = self.phones.add(str(given["name"]), account=account, phone=str(given.get("phone") or ""))
        self._company.join(person, [int(number) for number in given.get("departments") or [1]])
        return self.phones.told_person(person)

    async def _remove_person(self, request: web.Request) -> Json:
        self._company.leave(self.person(request))
        return {}

    async def _press(self, request: web.Request) -> Json:
        """Let a member press a button of a card, with what they selected on it."""
        person, given = self.person(request), await read(request)
        chat = self.phones.private(person)
        message = self.phones.message(chat, int(given["message_id"]))
        version = chat.version
        code = self._company.press(person, message, str(given["data"]), dict(given.get("selected") or {}))
        return {"version": version, "answer": {"query_id": code}}

    async def _enter(self, request: web.Request) -> Json:
        person = self.person(request)
        version = self.phones.private(person).version
        self._company.enter(person)
        return {"version": version}

    async def _expire(self, request: web.Request) -> Json:
        """End all tokens: as expired (42001), or with `replaced` as unknown (40014)."""
        self._api.expire_tokens(forget=bool((await read(request)).get("replaced")))
        return {}

    async def _set_account(self, request: web.Request) -> Json:
        """Change from where the app may call."""
        allowed = (await read(request))["allowed_ips"]
        self._api.allowed_ips = None if allowed is None else [str(address) for address in allowed]
        return {"allowed_ips": self._api.allowed_ips}
