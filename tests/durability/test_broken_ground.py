"""A full disk, a database that is away, a sentence that is missing: the platform is told to come again, or a person is told."""

import asyncio
import shutil
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

import policies
from bot import cli, trays


async def _post(town, person, number, words):
    body = {
        "update_id": number,
        "message": {
            "message_id": number % 100_000,
            "date": int(town.clock().timestamp()),
            "chat": {"id": person, "type": "private", "first_name": "王岚"},
            "from": {"id": person, "is_bot": False, "first_name": "王岚", "language_code": "zh-hans"},
            "text": words,
        },
    }
    headers = {"X-Telegram-Bot-Api-Secret-Token": "only-for-tests"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{town.port}/telegram/webhook", json=body, headers=headers) as answer,
    ):
        return answer.status


async def _until(condition, seconds=30.0):
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it does not happen"
        await asyncio.sleep(0.02)


async def test_a_full_disk_is_a_503_and_then_it_goes_on(town):
    wang = await town.customer()
    await wang.file()
    with town.store._write.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count={pages}")
    statuses = []
    for number in range(3000, 3060):
        statuses.append(await _post(town, wang.phone.id, number, "而且外面的箱子也是烂的，" * 300))
        if statuses[-1] == 503:
            break
    assert statuses[-1] == 503, "nothing is acknowledged that is not on disk"
    assert set(statuses) <= {200, 503}
    with town.store._write.connect() as connection:
        connection.exec_driver_sql("pragma max_page_count=1000000")
    await _until(lambda: not town.service.postman._desk.held)
    assert await _post(town, wang.phone.id, 3000 + len(statuses) - 1, "而且外面的箱子也是烂的，" * 300) == 200
    await town.settle()
    assert "哪一件" in await wang.everything()
    town.tolerated |= {"claim_failed", "settle_failed"}


async def test_a_database_that_goes_away_is_a_503_and_then_it_goes_on(found, postgres):
    town = await found(database="postgres")
    town.tolerated |= {"claim_failed", "settle_failed"}
    wang = await town.customer()
    await wang.all("灯坏了，用两天就坏，质量太差", "!同意")
    postgres.stop()
    try:
        assert await _post(town, wang.phone.id, 4000, "王岚") == 503
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{town.port}/readyz") as ready,
            session.get(f"http://127.0.0.1:{town.port}/healthz") as health,
        ):
            assert ready.status == 503
            assert health.status == 200
    finally:
        postgres.start()
    assert await _post(town, wang.phone.id, 4000, "王岚") == 200
    await town.settle()
    assert "怎么联系您" in await wang.heard()
    assert town.case().words.answers["name"] == "王岚"


async def test_what_the_platform_could_not_deliver_comes_by_itself(found, postgres):
    town = await found(database="postgres")
    town.tolerated |= {"claim_failed", "settle_failed"}
    wang = await town.customer()
    await wang.all("灯坏了，用两天就坏，质量太差", "!同意")
    postgres.stop()
    try:
        await wang.phone.say("王岚")
        await asyncio.sleep(0.3)
    finally:
        postgres.start()
    await town.settle()
    assert "怎么联系您" in await wang.heard()


async def test_a_message_whose_handling_fails_is_kept_retried_and_in_the_end_shown(
    found, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trays, "_INBOX_EVERY", 0.02)
    town = await found()
    town.tolerated |= {"dead", "command_failed"}
    wang = await town.customer()
    await wang.file(submit=False)
    broken = tmp_path / "policies"
    shutil.copytree(Path(policies.__file__).parent, broken, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for wording in (broken / "wording").glob("*.yaml"):
        lines = wording.read_text().splitlines(keepends=True)
        at = lines.index("notice: # 发生某件事时告诉有关的人\n") if "zh-Hans" in wording.name else None
        at = at if at is not None else next(n for n, line in enumerate(lines) if line.startswith("notice:"))
        del lines[next(n for n in range(at, len(lines)) if lines[n].strip().startswith("accepted:"))]
        wording.write_text("".join(lines))
    whole = town.settings
    town.settings = lambda: whole().model_copy(update={"policies_dir": broken})
    await town.restart()

    await wang.phone.say("没问题，提交")
    await _until(lambda: town.trays().inbox_waiting == 1)
    assert town.case().state == "received", "nothing is half done"
    other = await town.customer("李娜")
    assert "同意" in (await _heard(town, other, "灯坏了，质量太差")).labels, "one message stops nobody else"
    for _ in range(12):
        town.clock.push(hours=1, minutes=5)
        await asyncio.sleep(0.15)
        if town.trays().inbox_dead:
            break
    assert town.trays().inbox_dead == 1
    shown = _tray(town, monkeypatch)
    assert "inbox" in shown
    assert "telegram:100001:" in shown

    await town.stop()
    _tray(town, monkeypatch, "--again")
    town.settings = whole
    await town.start(quiet=False)
    await _until(lambda: town.case(0).state == "handed_over")
    await town.settle()
    assert "已受理" in await wang.everything(), "what was said in the end is served"


async def _heard(town, person, words):
    await person.phone.say(words)
    message = await person.phone.wait_for(lambda message: bool(message.buttons))
    return type(await person.heard())([message])


def _tray(town, monkeypatch, *options):
    given = town.settings()
    monkeypatch.setattr(cli.clock, "now", town.clock)
    for name, value in {
        "DATABASE_URL": given.database_url,
        "KEYS": town.keys,
        "TELEGRAM_TOKEN": town.sandbox.token,
    }.items():
        monkeypatch.setenv(f"PLAINT_{name}", value)
    told = CliRunner().invoke(cli.app, ["tray", *options])
    assert told.exit_code == 0, told.output
    return told.output
