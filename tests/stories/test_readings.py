"""A sentence of the rule book that can be read in two ways: a setting chooses, and a case keeps what counted."""

from pathlib import Path

import pytest

import policies
from bot.settings import named
from complaints.errors import Misconfigured
from policies import yaml12
from tests.conftest import Found

COMPANIES = Path(policies.__file__).parent / "companies"
READINGS = {"logistics_goes_to": {"is": "logistics", "of": ["logistics", "everybody"]}}
NOTICE = {"id": "read", "on": "received", "to": "leading_group", "say": "notice.handed_over"}


@pytest.fixture
def read(found: Found, tmp_path: Path):
    """Return a function that founds a town whose rule book can be read in two ways."""

    async def town(**settings: str):
        policy = yaml12.load((COMPANIES / "trade_003.yaml").read_text("utf-8"))
        policy["readings"] = READINGS
        policy.setdefault("notices", []).append(NOTICE | {"when": {"logistics_goes_to": "everybody"}})
        path = tmp_path / "read.yaml"
        path.write_text(yaml12.write(policy), "utf-8")
        return await found(company=str(path), **settings)

    return town


async def test_another_reading_is_a_setting_and_a_case_keeps_the_one_it_was_opened_under(read) -> None:
    """What is put into use counts for the cases that are opened from then on (S2.2-33)."""
    town = await read()
    boss = await town.agent("李总", "leading_group")
    await (await town.customer("王岚")).file()
    assert not await boss.heard()
    town.more["readings"] = "logistics_goes_to=everybody"
    await town.restart()
    await (await town.customer("林夕")).file()
    before, after = town.cases()
    assert after.number in await boss.heard()
    assert before.policy != after.policy
    kept = town.service.book.policies
    assert [kept[case.policy].readings["logistics_goes_to"].is_ for case in (before, after)] == [
        "logistics",
        "everybody",
    ]
    del town.more["readings"]
    await town.restart()
    assert town.service.book.current.version == before.policy, "the file's own reading is the version it was"


async def test_a_desk_does_not_start_with_a_reading_that_its_policy_does_not_know(read) -> None:
    town = await read()
    await town.stop()
    town.more["readings"] = "logistics_goes_to=nobody"
    with pytest.raises(Misconfigured) as caught:
        await town.start()
    assert [named(each) for each in caught.value.problems] == [
        "PLAINT_READINGS: logistics_goes_to cannot be 'nobody'. It can be: logistics, everybody."
    ]
