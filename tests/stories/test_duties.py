"""Recurring work: it begins, is reminded of, is done with its proof, or is missed and told upwards."""

import hashlib
from pathlib import Path

import pytest

from complaints.ports import Changes
from policies import yaml12
from sandbox import Attachment

HOME = Path(__file__).parents[2] / "policies"
DUTIES = """
- id: weekly_sample
  title: {zh-Hans: 每周抽查, zh-Hant: 每週抽查, en: Weekly sample}
  to: supervision
  every: week
  due: {amount: 5, unit: week_day}
  sample: {percent: 50}
  missed: leading_group
- id: monthly_meeting
  title: {zh-Hans: 月度例会, zh-Hant: 月度例會, en: Monthly meeting}
  to: reception
  every: month
  due: {amount: 5, unit: month_day}
  proof: none
  missed: leading_group
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A company with these duties and no others."""
    policy = yaml12.load((HOME / "companies/trade_003.yaml").read_text("utf-8"))
    policy["duties"] = yaml12.load(DUTIES)
    path = tmp_path / "duties.yaml"
    path.write_text(yaml12.write(policy), "utf-8")
    return path


async def test_a_weekly_sample_is_drawn_reminded_of_and_done_with_a_note(found, company):
    town = await found("2025-03-05 09:30", company=str(company))
    inspector = await town.agent("孙监督", "supervision")
    zhou = await town.agent("周敏", "reception", "logistics")
    await town.until("2025-03-05 10:35")
    begun = await inspector.heard()
    assert "每周抽查" in begun, "it is said again until somebody is there to hear it"
    assert "2025-W10" in begun
    wang = await town.customer("王岚")
    await wang.file()
    number = town.case().number
    await zhou.heard()
    await town.until("2025-03-10 08:59")
    assert (await inspector.heard()).many == 2, "two reminders, and nobody is woken on Friday night"
    await town.until("2025-03-10 09:01")
    heard = await inspector.heard()
    assert heard.many == 1
    assert "逾期未完成：每周抽查（2025-W10）" in heard
    assert "2025-W11" in heard
    assert number in heard, "the only case of the week is half of all"
    asked = await inspector.press(heard.labels[-1])
    assert "查出什么" in asked
    assert await inspector.say("记录完整，回复及时") == "好了。"
    with town.store.read() as ledger:
        assert ledger.open_duties() == []
    await town.until("2025-03-14 12:00")
    assert "每周抽查" not in await inspector.heard(), "who has done it is left alone"
    assert "已经完成" in (await inspector.press(heard.labels[-1])).toast


@pytest.mark.parametrize("number", ["", "E-7"])
async def test_nobody_checks_what_they_have_handled_by_another_account(found, company, number):
    town = await found("2025-03-05 09:30", company=str(company))
    inspector, zhou = await town.agent("孙监督", "supervision"), await town.agent("孙客服", "reception", "logistics")
    with town.store.unit(town.clock()) as unit:
        staff = unit.load([]).staff
        for each in (inspector, zhou):
            staff[each.member.id].person = number
        unit.flush(Changes(staff=[*staff.values()]))
    await (await town.customer("王岚")).file()
    case = town.case().number
    await zhou.all(case, f"!{case}", "!我来处理")
    await town.until("2025-03-10 09:01")
    heard = await inspector.heard()
    assert "2025-W11" in heard
    assert (case in heard) is (number == ""), "for somebody else it is half of all"


async def test_a_missed_duty_is_told_upwards_once_also_after_the_service_was_away(found, company):
    town = await found("2025-03-03 09:30", company=str(company))
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    await town.until("2025-03-03 10:35")
    assert "月度例会" in await zhou.heard()
    await town.stop()
    town.clock.set("2025-04-08 10:00")
    await town.start()
    told = await boss.heard()
    assert told.many == 1, "one message, whatever was missed"
    assert "2025-03" in told
    assert "2025-04" in told
    assert "逾期" in told
    heard = await zhou.heard()
    assert heard.many == 1
    await town.until("2025-04-09 10:00")
    assert not await boss.heard()


async def test_a_duty_whose_date_passed_before_it_was_there_begins_with_the_next_period(found, company):
    town = await found("2025-03-10 09:30", company=str(company))
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    await town.until("2025-03-31 17:00")
    assert "月度例会" not in await boss.heard()
    assert "月度例会" not in await zhou.heard()
    await town.until("2025-04-01 09:05")
    assert "月度例会（2025-04）" in await zhou.heard()


async def test_a_duty_is_closed_to_those_whose_it_is_not(found, company):
    town = await found("2025-03-03 09:30", company=str(company))
    inspector = await town.agent("孙监督", "supervision")
    zhou = await town.agent("周敏", "reception")
    await town.until("2025-03-03 10:35")
    heard = await inspector.heard()
    with town.service.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[inspector.member.id]
        member.roles = ["reception"]
        unit.flush(Changes(staff=[member]))
    assert "没有这个权限" in (await inspector.press(heard.labels[0])).toast
    assert "每周抽查" not in await zhou.heard()


async def test_the_file_that_proves_a_duty_is_sent_in_the_chat_hashed_and_kept_sealed(found, tmp_path):
    policy = yaml12.load((HOME / "companies/trade_003.yaml").read_text("utf-8"))
    policy["duties"] = [{**each, "proof": "file"} for each in yaml12.load(DUTIES)[1:]]
    path = tmp_path / "proved.yaml"
    path.write_text(yaml12.write(policy), "utf-8")
    town = await found("2025-03-03 09:30", company=str(path))
    zhou = await town.agent("周敏", "reception")
    await town.until("2025-03-03 10:35")
    begun = await zhou.heard()
    assert "证明文件" in await zhou.press(begun.labels[-1])
    assert "证明文件" in await zhou.say("开过会了"), "words alone prove nothing, and are not lost on the way"
    minutes = b"%PDF-1.4 " + "会议纪要".encode() * 40
    told = await zhou.send(Attachment(kind="document", data=minutes, name="纪要.pdf"), caption="三月例会")
    assert "好了。" in told
    with town.store.read() as ledger:
        assert ledger.open_duties() == []
        [run] = [ledger.duty(id_) for id_ in _ids(town)]
    assert (run.state, run.note) == ("done", "三月例会")
    assert run.facts.paper_sha256 == hashlib.sha256(minutes).hexdigest()
    [kept] = (town.folder / "papers").iterdir()
    assert kept.name == f"{run.id}.sealed"
    assert minutes not in kept.read_bytes()
    assert "已经完成" in (await zhou.press(begun.labels[-1])).toast


def _ids(town):
    return [int(path.stem) for path in (town.folder / "papers").glob("*.sealed")]
