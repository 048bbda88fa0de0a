"""What people do with WeChat on their phones, and what the account is allowed, as JSON under `/sandbox/wechat`.

The table of routes is in the docstring of the package `sandbox`.
"""

from collections.abc import Callable

from aiohttp import web

from sandbox.faults import Switchboard
from sandbox.tencent.courier import Courier
from sandbox.tencent.envelope import Json
from sandbox.tencent.phones import Message, Person, Phones
from sandbox.tencent.record import Record
from sandbox.tencent.strings import Strings, answering, read
from sandbox.wechat.account import Account
from sandbox.wechat.api import Api


class Control(Strings):
    """Serves the control routes of the fake Official Account platform."""

    def __init__(
        self,
        *,
        account: Account,
        api: Api,
        phones: Phones,
        courier: Courier,
        switchboard: Switchboard,
        record: Record,
    ) -> None:
        """Pull the strings of this account."""
        super().__init__(phones=phones, courier=courier, switchboard=switchboard, record=record)
        self._account = account
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        root = self.root
        return [
            *super().routes(),
            web.post(f"{root}/people", answering(self._add_person)),
            web.post(root + "/people/{person}/press", answering(self._press)),
            web.post(root + "/people/{person}/click", answering(self._click)),
            web.post(root + "/people/{person}/follow", answering(self._follow)),
            web.post(root + "/people/{person}/unfollow", answering(self._unfollow)),
            web.post(root + "/people/{person}/scan", answering(self._scan)),
            web.post(root + "/people/{person}/consent", answering(self._consent)),
            web.post(root + "/people/{person}/templates", answering(self._block_templates)),
            web.post(f"{root}/tokens/expire", answering(self._expire)),
            web.get(f"{root}/account", answering(self._tell_account)),
            web.put(f"{root}/account", answering(self._set_account)),
        ]

    def told_account(self) -> Json:
        """Write the account as a bot, which it is to the phone page."""
        return {
            "id": 0,
            "username": self._account.original_id,
            "name": self.phones.name,
            "commands": [],
            "webhook": {"url": self.courier.url, "pending_update_count": self.courier.pending},
            "kind": self._account.kind,
        }

    async def say(self, person: Person, given: Json, uploads: list[Json]) -> list[Message]:
        """Let a person say something: files, a place, a link or a text."""
        files = self.files(given, uploads)
        said = [
            self._account.send(person, file, recognition=str(spec.get("recognition") or given.get("recognition") or ""))
            for file, spec in files
        ]
        if given.get("location"):
            place = given["location"]
            said.append(
                self._account.send_location(
                    person, float(place["latitude"]), float(place["longitude"]), str(place.get("label") or "")
                )
            )
        if given.get("link"):
            link = {name: str(given["link"].get(name) or "") for name in ("title", "description", "url")}
            said.append(self._account.send_link(person, **link))
        words = str(given.get("text") or given.get("caption") or "")
        if words:  # WeChat has no captions: what is written under a picture is a message after it
            said.append(self._account.say(person, words))
        if not said:
            raise web.HTTPBadRequest(text="nothing to say")
        return said

    async def _add_person(self, request: web.Request) -> Json:
        given = await read(request)
        person = self.phones.add(
            str(given["name"]),
            account=str(given.get("account") or ""),
            language=str(given.get("language") or "zh_CN"),
            phone=str(given.get("phone") or ""),
        )
        if given.get("follows"):
            self._account.follow(person)
        return self.phones.told_person(person)

    async def _press(self, request: web.Request) -> Json:
        """Let a person tap an item of a menu message; it stays, and can be tapped again."""
        person, given = self.person(request), await read(request)
        chat = self.phones.private(person)
        message = self.phones.message(chat, int(given["message_id"]))
        items = [button for row in message.rows for button in row if button.get("callback_data") == str(given["data"])]
        if not items:
            raise web.HTTPBadRequest(text=f"no item {given['data']}")
        version = chat.version
        said = self._account.tap(person, str(given["data"]), items[0]["text"])
        return {"version": version, "answer": {"query_id": said.more["msg_id"]}}

    async def _click(self, request: web.Request) -> Json:
        """Let a person tap an entry of the menu under the chat."""
        person, given = self.person(request), await read(request)
        version = self.phones.private(person).version
        return {"version": version, "url": self._account.click(person, str(given["key"]))}

    async def _follow(self, request: web.Request) -> Json:
        return await self._changed(request, self._account.follow)

    async def _unfollow(self, request: web.Request) -> Json:
        return await self._changed(request, self._account.unfollow)

    async def _scan(self, request: web.Request) -> Json:
        scene = str((await read(request))["scene"])
        return await self._changed(request, lambda person: self._account.scan(person, scene))

    async def _consent(self, request: web.Request) -> Json:
        """Let a person accept or reject one more notice, or with `all` reject them for good."""
        given = await read(request)
        template = str(given["template_id"])

        def answer(person: Person) -> None:
            if given.get("all"):
                self._account.withdraw(person, template)
            else:
                scene = str(given.get("scene") or "1")
                self._account.consent(person, template, accept=bool(given.get("accept", True)), scene=scene)

        return await self._changed(request, answer)

    async def _block_templates(self, request: web.Request) -> Json:
        given = await read(request)

        def block(person: Person) -> None:
            self._account.follower(person).blocks_templates = bool(given.get("blocked", True))

        return await self._changed(request, block)

    async def _changed(self, request: web.Request, act: Callable[[Person], None]) -> Json:
        person = self.person(request)
        version = self.phones.private(person).version
        act(person)
        return {"version": version, "person": self.phones.told_person(person)}

    # --- the account ---

    async def _expire(self, request: web.Request) -> Json:
        """End all tokens: as expired (42001), or with `replaced` as no longer the latest (40001)."""
        self._api.tokens.spoil(replaced=bool((await read(request)).get("replaced")))
        return {}

    async def _tell_account(self, _: web.Request) -> Json:
        limits = self._api.restrictions
        return {
            "kind": self._account.kind,
            "recognition": self._account.recognition,
            "allowed_ips": limits.allowed_ips,
            "quotas": limits.quotas,
            "broken_templates": limits.broken_templates,
            "templates": list(self._account.templates),
            "subscriptions": list(self._account.subscriptions),
            "scenes": [code.scene for code in self._account.codes.values()],
        }

    async def _set_account(self, request: web.Request) -> Json:
        """Change what the platform lets the account do; what is not named stays as it is."""
        given = await read(request)
        limits = self._api.restrictions
        if "kind" in given:
            if given["kind"] not in {"service", "subscription", "test"}:
                raise web.HTTPBadRequest(text=f"no such kind: {given['kind']}")
            self._account.kind = given["kind"]
        if "recognition" in given:
            self._account.recognition = bool(given["recognition"])
        if "allowed_ips" in given:
            allowed = given["allowed_ips"]
            limits.allowed_ips = None if allowed is None else [str(address) for address in allowed]
        if "quotas" in given:
            limits.quotas = {str(path): int(calls) for path, calls in dict(given["quotas"] or {}).items()}
        if "broken_templates" in given:
            limits.broken_templates = bool(given["broken_templates"])
        return await self._tell_account(request)
