"""The command line, as whoever runs the desk meets it: beside a desk that runs, and where something is wrong."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot import cli
from bot.settings import Settings
from storage import KeyRing
from tests.conftest import Clock, Found

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def town(found: Found) -> Any:
    return await found(channels=("wechat", "wecom"))


@pytest.fixture
def asked(town: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that calls a command beside the running desk, with its settings and its clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.console, "width", 400)
    monkeypatch.setattr(cli.clock, "now", town.clock)
    monkeypatch.setattr(cli.logs, "set_up", lambda **_: None)  # the logs of the tests are looked at
    for name in Settings.model_fields:
        value = getattr(town.settings(), name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)
        monkeypatch.setenv(f"PLAINT_{name.upper()}", text)

    async def call(*words: str) -> tuple[int, str]:
        told = await asyncio.to_thread(CliRunner().invoke, cli.app, list(words))
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        return told.exit_code, told.output

    return call


async def test_a_proposal_by_command_can_be_answered_with_a_number(town: Any, asked: Any) -> None:
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    number, by = town.case().number, str(zhou.member.id)

    assert (await asked("act", number, "claim", "--by", by))[0] == 0
    code, told = await asked("act", number, "propose", "--by", by, "--text", "免费补发一件")
    assert (code, told.strip()) == (0, f"{number}: done.")
    await town.settle()

    heard = await wang.heard()
    assert "免费补发一件" in heard
    assert len(heard.labels) == 2
    assert "落实" in await wang.say("1")


async def test_an_act_that_is_refused_says_why_and_what_may_be_done(town: Any, asked: Any) -> None:
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    number, by = town.case().number, str(zhou.member.id)

    code, told = await asked("act", number, "reply", "--by", by, "--text", "x")
    assert code == 2
    assert number in told
    assert "周敏 may now: claim" in told

    code, told = await asked("act", number, "claim", "--by", "99")
    assert (code, "plaint staff list" in told) == (2, True)
    assert town.case().owner_id is None


@pytest.mark.parametrize("kind", [(), ("--type", "nonsense")])
async def test_a_case_gets_no_complaint_type_that_there_is_not(town: Any, asked: Any, kind: tuple[str, ...]) -> None:
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    before = town.case().type

    code, told = await asked("act", town.case().number, "retype", "--by", str(zhou.member.id), *kind)

    assert code == 2
    assert "--type" in told
    assert "product_quality" in told
    assert town.case().type == before


async def test_the_doctor_says_that_an_account_has_no_notices(town: Any, asked: Any) -> None:
    code, told = await asked("doctor")

    assert code == 1
    assert "PLAINT_WECHAT_TEMPLATES is empty" in told


async def served(folder: Path, **given: str) -> str:
    """Start the service where it cannot run, and return what it says before it ends."""
    folder.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLAINT_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "PLAINT_KEYS": KeyRing.generate().to_setting(),
        "PLAINT_TELEGRAM_TOKEN": "1:abc",
        "PLAINT_TELEGRAM_API_URL": "http://127.0.0.1:9",
        **given,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", cwd=folder, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        told, _ = await process.communicate()
    assert process.returncode == 2
    assert b"Traceback" not in told
    return told.decode()


async def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = await served(tmp_path / "house", PLAINT_PORT=str(port))

    assert "PLAINT_PORT" in told
    assert str(port) in told


async def test_a_folder_that_cannot_be_written_is_said_before_the_first_file_comes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")

    told = await served(tmp_path / "house", PLAINT_DATA_DIR=str(tmp_path / "file" / "data"))

    assert "PLAINT_DATA_DIR" in told


def test_a_setting_that_is_no_number_is_said_in_a_sentence_by_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAINT_PORT", "many")

    for command in (["check"], ["classify", "灯坏了"], ["tray"]):
        told = CliRunner().invoke(cli.app, command)
        assert told.exit_code == 2
        assert "PLAINT_PORT" in told.output


def _roster(town: Any, who: Any) -> list[tuple[str, str, list[str]]]:
    with town.store.read() as ledger:
        [member] = [each for each in ledger.staff() if each.id == who.member.id]
    return [(Clock.show(each.starts_at), Clock.show(each.ends_at), each.roles) for each in member.facts.roster]


async def test_a_roster_is_taken_from_a_file_and_the_next_one_replaces_its_time(
    town: Any, asked: Any, tmp_path: Path
) -> None:
    zhou, lin = await town.wecom_agent("周敏", "reception", "logistics"), await town.wecom_agent("林物流", "logistics")
    file = tmp_path / "roster.csv"
    file.write_text(
        "staff,roles,from,until\n"
        f"{zhou.member.id},reception logistics,2025-03-03 18:00,2025-03-04 09:00\n"
        "林物流,logistics,2025/3/4 9:00,2025/3/4 18:00\n"
        "林物流,,2025-03-10 00:00,2025-03-12 00:00\n",
        encoding="utf-8-sig",
    )

    assert (await asked("staff", "roster", str(file)))[0] == 0
    assert _roster(town, zhou) == [("2025-03-03 18:00", "2025-03-04 09:00", ["reception", "logistics"])]
    away = ("2025-03-10 00:00", "2025-03-12 00:00", [])
    assert _roster(town, lin) == [("2025-03-04 09:00", "2025-03-04 18:00", ["logistics"]), away]

    file.write_text("staff,roles,from,until\n林物流,logistics,2025-03-03 18:00,2025-03-04 18:00\n", encoding="utf-8")
    assert (await asked("staff", "roster", str(file)))[0] == 0
    assert _roster(town, zhou) == [], "another has these hours now"
    assert _roster(town, lin) == [("2025-03-03 18:00", "2025-03-04 18:00", ["logistics"]), away]


async def test_every_mistake_in_a_roster_is_named_with_its_place_and_nothing_is_done(
    town: Any, asked: Any, tmp_path: Path
) -> None:
    zhou = await town.wecom_agent("周敏", "reception")
    await town.wecom_agent("林物流", "logistics")
    file = tmp_path / "roster.csv"
    file.write_text(
        "staff,roles,from,until\n"
        "周敏,reception,2025-03-03 18:00,2025-03-04 09:00\n"
        "周敏,night_watch,2025-03-03 18:00,tomorrow\n"
        "周,reception,2025-03-03 18:00,2025-03-03 09:00\n"
        "林物流,reception,2025-02-30 18:00,2025-03-04 09:00\n"
        "林物流,logistics,sales,2025-03-03 18:00,2025-03-04 09:00\n",
        encoding="utf-8",
    )

    code, told = await asked("staff", "roster", str(file))

    assert code == 2
    for place in (":3: roles: night_watch", ":3: until: tomorrow", ":4: staff: 周", ":4: until: 2025-03-03 09:00",
                  ":5: roles: 林物流 is not reception", ":5: from: 2025-02-30", ":6: more cells"):  # fmt: skip
        assert f"roster.csv{place}" in told, place
    assert "Write e.g. 2025-03-03 18:00" in told
    assert "plaint staff list" in told
    assert _roster(town, zhou) == []


@pytest.mark.parametrize(
    ("content", "cure"),
    [(b"who,when\n", "staff,roles,from,until"), ("staff,roles,from,until\n周敏".encode("gbk"), "CSV UTF-8")],
)
async def test_a_file_that_is_no_roster_says_what_one_looks_like(
    town: Any, asked: Any, tmp_path: Path, content: bytes, cure: str
) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(content)

    code, told = await asked("staff", "roster", str(file))

    assert (code, cure in told) == (2, True)
    assert (await asked("staff", "roster", str(tmp_path / "gone.csv")))[0] == 2


async def test_who_is_away_is_told_nothing_until_they_are_back(town: Any, asked: Any) -> None:
    zhou, lin = await town.wecom_agent("周敏", "reception"), await town.wecom_agent("林物流", "logistics")
    by = str(lin.member.id)
    code, told = await asked("staff", "away", by, "--from", "2025-03-03 09:00", "--until", "2025-03-03 12:00")
    assert (code, "林物流 is away" in told) == (0, True)

    await town.restart()
    await (await town.wechat_customer()).file()
    number = town.case().number
    assert number in await zhou.heard()
    assert number not in await lin.heard()

    code, told = await asked("staff", "away", by, "--from", "noon", "--until", "2025-03-03 08:00")
    assert (code, "--from: noon" in told) == (2, True)
    assert (await asked("staff", "away", "99", "--from", "2025-03-03 09:00", "--until", "2025-03-03 12:00"))[0] == 2


async def test_whose_account_it_is_can_be_said_afterwards(town: Any, asked: Any) -> None:
    zhou, lin = await town.wecom_agent("周敏", "reception"), await town.wecom_agent("林物流", "logistics")
    ids = [str(each.member.id) for each in (zhou, lin)]

    assert "a person of their own" in (await asked("staff", "person", ids[0], "E-7"))[1]
    code, told = await asked("staff", "person", ids[1], "E-7")
    assert (code, told.strip()) == (0, f"林物流 ({ids[1]}) is one person with 周敏 ({ids[0]}).")
    with town.store.read() as ledger:
        assert {each.who for each in ledger.staff()} == {"E-7"}

    assert "a person of their own" in (await asked("staff", "person", ids[1], ""))[1]
    assert (await asked("staff", "person", "99", "E-7"))[0] == 2
