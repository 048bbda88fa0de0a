"""The company of the page `add-a-company`: one short file, read from the page, and a whole complaint played in it."""

import re
from pathlib import Path

import pytest

import policies
from bot.reading import open_reader
from policies import yaml12
from policies.checker import check
from policies.extending import Extended
from policies.loader import load
from policies.places import Document
from tests.conftest import Found
from tests.house import tree

POLICIES = Path(policies.__file__).parent
PAGE = tree.text(Path("docs/how-to/add-a-company.md"))


@pytest.fixture
def hotel(tmp_path: Path) -> Path:
    """The very file that the page shows, where the page says that it lies."""
    (text,) = re.findall(r"<!-- hotel -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "mine" / "companies" / "hotel.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def test_the_file_of_the_page_is_short_right_and_a_whole_policy(hotel: Path) -> None:
    policy = load(hotel, POLICIES)

    assert check([hotel], read=lambda policy, folder: open_reader(policy, folder).read) == []
    assert hotel.read_text("utf-8").count("\n") < 60
    assert [each.id for each in policy.form.fields] == ["name", "contact", "room", "expected_solution", "evidence"]
    assert {*policy.hours.week} == {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert policy.clock("propose").holding is not None


async def test_a_whole_complaint_is_played_in_the_tenth_company(found: Found, hotel: Path) -> None:
    town = await found("2025-03-08 17:40", company=str(hotel))  # a Saturday, and the hotel is open
    chen = await town.agent("陈静", "housekeeping")
    manager = await town.agent("罗经理", "manager")
    guest = await town.customer("林安")

    await guest.say("房间根本没打扫，床单上还有头发")
    assert "HT25-" in await guest.everything()
    await guest.finish(await guest.all("!同意", "林安", "13812345678", "1203"))
    case = town.case()
    assert (case.type, case.department, case.state) == ("room_state", "housekeeping", "accepted")
    assert case.words.answers["room"] == "1203"
    assert town.due("first_response") == "2025-03-09 09:10"  # 20 minutes on Saturday, 10 on Sunday
    assert town.due("propose") == "2025-03-09 18:00"

    await town.until("2025-03-09 08:59")
    assert "50%" not in await manager.heard()
    await town.until("2025-03-09 09:11")
    assert "首次人工回复" in await manager.heard()  # nobody answered within the half hour

    await chen.heard()
    await chen.all(case.number, "!我来处理", "!提出方案", "今天内换到同楼层新房间，并免一晚房费。")
    assert town.case().state == "proposed"
    assert "免一晚房费" in await guest.heard()
    await guest.press("同意这个方案")
    assert town.case().state == "executing"
    await chen.all(case.number, "!已办完", "已换到 1215 房，房费已退。")
    assert "已换到 1215 房" in await guest.heard()
    assert town.case().state == "completed"
    await town.until("2025-04-30 12:00")
    assert town.case().state == "closed"


def test_every_piece_of_the_page_about_policies_is_right(hotel: Path) -> None:
    first, *pieces = re.findall(r"```yaml\n(.*?)```", tree.text(Path("docs/how-to/write-a-policy.md")), re.DOTALL)
    hotel.with_name("bakery.yaml").write_text(first, "utf-8")
    whole = Document(hotel.read_text("utf-8")).data
    for piece in pieces:
        examples = [*whole.get("examples", []), *Document(piece).data.get("examples", [])]
        whole = Extended(Document(piece).data, whole).data | {"examples": examples}
    hotel.write_text(yaml12.write({**whole, "extends": "standard"}), "utf-8")

    problems = check([hotel.parent], read=lambda policy, folder: open_reader(policy, folder).read)

    assert [str(each) for each in problems] == []
    assert first.count("\n") <= 11
    assert {"approvals", "duties", "external", "readings", "notices", "clocks"} <= whole.keys()
