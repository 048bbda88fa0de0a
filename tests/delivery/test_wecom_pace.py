"""WeCom drops in silence what is too much: what comes too fast is folded, and nothing is lost."""

import asyncio
from datetime import UTC, datetime

from bot import clock
from bot.channels.wecom import WeCom
from bot.delivery import LocalGates, Postman
from complaints.messages import Address, Choice, OutgoingMessage
from complaints.ports import Letter, Priority
from sandbox.app import running


class Shelf:
    """One process needs no database for its token."""

    def __init__(self) -> None:
        self._token = ""

    async def token(self, name, fetch, *, stale=""):
        if not self._token or self._token == stale:
            self._token, _ = await fetch()
        return self._token


def alert(number: int, chat: str, *, group: bool) -> Letter:
    rows = ((Choice(label="我来处理", token=f"s.{number}.1.claim"),),)
    return Letter(
        id=number,
        address=Address(channel="wecom", chat=chat, group=group),
        body=OutgoingMessage(text=f"新投诉 第{number}号", choices=() if group else rows),
        priority=Priority.ALERT,
        due_at=datetime(2025, 3, 3, tzinfo=UTC),
        unasked=True,
    )


async def test_forty_alerts_at_once_to_a_member_and_thirty_to_a_robot_are_all_said_and_none_is_dropped():
    async with running() as sandbox:
        member = await sandbox.client.add_wecom_member("周敏")
        await sandbox.client.set_callback("http://127.0.0.1:9/", platform="wecom", verify=False)
        app = sandbox.wecom.settings
        wecom = WeCom(
            corp_id=app.corp_id, agent_id=str(app.agent_id), secret=app.secret, token=app.token, aes_key=app.aes_key,
            api_url=sandbox.wecom_url, robot_url=f"{sandbox.wecom_url}/cgi-bin/webhook/send?key=sandbox-robot",
            clock=clock.now, shelf=Shelf(), files=None,
        )  # fmt: skip
        letters = [alert(number, member.userid, group=False) for number in range(1, 41)]
        letters += [alert(number, "robot", group=True) for number in range(41, 71)]
        settled = []
        done = asyncio.Event()

        def claim(channel, most):
            taken, letters[:] = letters[:most], letters[most:]
            return taken

        async def settle(outcomes):
            settled.extend(outcomes)
            if len(settled) == 70:
                done.set()

        postman = Postman(
            {"wecom": wecom}, claim=claim, settle=settle, fetch=None, gate=LocalGates(), jitter=lambda: 0.5
        )
        await wecom.start()
        await postman.start()
        await asyncio.wait_for(done.wait(), 60)
        await postman.stop()
        await wecom.stop()
        private = str(await member.transcript())
        group = str(await member.in_group().transcript())
        counters = await sandbox.client.counters("wecom")
    for number in range(1, 71):
        said = private if number <= 40 else group
        assert said.count(f"第{number}号") == 1, number
    assert not any(counters["dropped"].values()), counters
    assert {type(outcome).__name__ for _, outcome in settled} == {"Sent"}
