"""Access tokens of an Official Account end, and say so, as the real ones do."""

from typing import Any

import pytest

from sandbox import Sandbox
from tests.sandbox.conftest import Clock
from tests.sandbox.tencent import Caller

STABLE, CLASSIC, ANY = "cgi-bin/stable_token", "cgi-bin/token", "cgi-bin/menu/delete"


@pytest.fixture
def known(sandbox: Sandbox) -> dict[str, str]:
    about = sandbox.wechat.settings
    return {"grant_type": "client_credential", "appid": about.app_id, "secret": about.secret}


async def use(official: Caller, token: str) -> int:
    return int((await official.get(ANY, access_token=token))["errcode"])


async def test_a_stable_token_stays_the_same(official: Caller, known: dict[str, str], clock: Clock) -> None:
    first = await official.post(STABLE, known)
    clock.move(minutes=60)
    again = await official.post(STABLE, known)

    assert (first["expires_in"], again["expires_in"]) == (7200, 3600)
    assert first["access_token"] == again["access_token"]


async def test_two_stable_tokens_are_good_for_five_minutes(
    official: Caller, known: dict[str, str], clock: Clock
) -> None:
    old = (await official.post(STABLE, known))["access_token"]
    clock.move(minutes=116)
    new = (await official.post(STABLE, known))["access_token"]

    assert new != old
    assert [await use(official, token) for token in (old, new)] == [0, 0]
    clock.move(minutes=4)
    assert [await use(official, token) for token in (old, new)] == [42001, 0]


async def test_a_forced_refresh_ends_the_token_before(official: Caller, known: dict[str, str]) -> None:
    old = (await official.post(STABLE, known))["access_token"]
    new = (await official.post(STABLE, {**known, "force_refresh": True}))["access_token"]

    assert [await use(official, token) for token in (old, new)] == [40001, 0]


async def test_forced_refreshes_lie_thirty_seconds_apart_and_are_twenty_a_day(
    official: Caller, known: dict[str, str], clock: Clock
) -> None:
    forced: dict[str, Any] = {**known, "force_refresh": True}
    first = await official.post(STABLE, forced)
    clock.move(seconds=29)
    assert (await official.post(STABLE, forced))["access_token"] == first["access_token"]
    for _ in range(19):
        clock.move(seconds=30)
        assert "access_token" in await official.post(STABLE, forced)

    clock.move(seconds=30)
    assert (await official.post(STABLE, forced))["errcode"] == 45009
    clock.move(days=1)
    assert "access_token" in await official.post(STABLE, forced)


async def test_a_classic_token_ends_the_one_before_and_no_stable_one(official: Caller, known: dict[str, str]) -> None:
    stable = (await official.post(STABLE, known))["access_token"]
    old = (await official.get(CLASSIC, **known))["access_token"]
    new = (await official.get(CLASSIC, **known))["access_token"]

    assert [await use(official, token) for token in (stable, old, new)] == [0, 40001, 0]


@pytest.mark.parametrize(("replaced", "code"), [(False, 42001), (True, 40001)])
async def test_tokens_end_on_demand(
    official: Caller, sandbox: Sandbox, known: dict[str, str], replaced: bool, code: int
) -> None:
    old = (await official.post(STABLE, known))["access_token"]
    await sandbox.client.expire_tokens("wechat", replaced=replaced)

    assert await use(official, old) == code
    assert await use(official, (await official.post(STABLE, known))["access_token"]) == 0


async def test_the_quota_of_classic_tokens_ends_and_begins_anew_at_midnight_in_beijing(
    official: Caller, sandbox: Sandbox, known: dict[str, str], clock: Clock
) -> None:
    await sandbox.client.set_account(quotas={"token": 2})
    codes = [(await official.get(CLASSIC, **known)).get("errcode", 0) for _ in range(3)]
    clock.move(hours=7)  # from 17:00 to midnight there

    assert codes == [0, 0, 45009]
    assert "access_token" in await official.get(CLASSIC, **known)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"grant_type": ""}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wx1"}, 40013),
        ({"secret": "guess"}, 40125),
    ],
)
@pytest.mark.parametrize("classic", [False, True])
async def test_who_is_nobody_gets_no_token(
    official: Caller, known: dict[str, str], wrong: dict[str, str], code: int, classic: bool
) -> None:
    asked = known | wrong
    answer = await (official.get(CLASSIC, **asked) if classic else official.post(STABLE, asked))

    assert answer["errcode"] == code
    assert "rid: " in answer["errmsg"]


async def test_an_address_that_is_not_listed_gets_no_token(
    official: Caller, sandbox: Sandbox, known: dict[str, str]
) -> None:
    await sandbox.client.set_account(allowed_ips=["10.0.0.1"])
    refused = await official.post(STABLE, known)
    await sandbox.client.set_account(allowed_ips=["127.0.0.1"])

    assert refused["errcode"] == 40164
    assert "invalid ip 127.0.0.1" in refused["errmsg"]
    assert "access_token" in await official.post(STABLE, known)


async def test_a_call_needs_a_token(official: Caller) -> None:
    assert await use(official, "") == 41001
    assert await use(official, "made up") == 40001


async def test_fetched_tokens_are_counted(official: Caller, sandbox: Sandbox, known: dict[str, str]) -> None:
    for _ in range(2):
        await official.get(CLASSIC, **known)
    await official.post(STABLE, {**known, "force_refresh": True})

    assert (await sandbox.client.counters("wechat"))["tokens"] == {"classic": 2, "forced": 1}
