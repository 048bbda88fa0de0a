"""Dates that reach into a year whose holidays nobody knows yet, and people who work at other times than the company."""

import shutil
from pathlib import Path

from tests.stories.test_decisions import act

HOME = Path(__file__).parents[2] / "policies"
COMPLAINT = "订单YX20250118-3 物流没更新都半个月了"


def rules(folder: Path, *changes: tuple[str, str]) -> Path:
    """Return a copy of all rules in a folder, with a policy that was changed."""
    shutil.copytree(HOME, folder / "policies", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "policies/companies/trade_003.yaml"
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    return folder / "policies"


async def test_a_date_in_a_year_that_is_not_announced_is_shown_as_provisional_and_moves_once_it_is(found, tmp_path):
    folder = rules(tmp_path)
    town = await found("2026-12-29 10:00", policies_dir=folder)
    wang = await town.customer()
    accepted = await wang.file(COMPLAINT)
    assert "暂定" in accepted
    assert town.due("propose") == "2027-01-04 18:00"
    (folder / "calendars").mkdir(exist_ok=True)
    (folder / "calendars/CN-2027.yaml").write_text(
        "published: true\nholidays: [2027-01-01, 2027-01-02, 2027-01-03, 2027-01-04]\nworkdays: []\n"
    )
    await town.restart()
    await town.until("2026-12-30 12:00")
    assert town.due("propose") == "2027-01-05 18:00"
    heard = await wang.heard()
    assert "1月5日" in heard
    assert "暂定" not in heard
    assert len(town.events("clock_redated")) == 1


async def test_nothing_is_told_where_the_announcement_changes_no_date(found, tmp_path):
    folder = rules(tmp_path)
    town = await found("2026-12-29 10:00", policies_dir=folder)
    wang = await town.customer()
    await wang.file(COMPLAINT)
    (folder / "calendars").mkdir(exist_ok=True)
    (folder / "calendars/CN-2027.yaml").write_text("published: true\nholidays: [2027-01-01]\nworkdays: []\n")
    await town.restart()
    await town.until("2026-12-30 12:00")
    assert town.events("clock_redated") == []
    assert "1月" not in await wang.heard()


async def test_a_department_abroad_counts_its_own_days_and_a_shutdown_is_no_working_time(found, tmp_path):
    folder = rules(
        tmp_path,
        (
            "\nrouting:",
            (
                "\ncalendars:\n  branch:\n    zone: Europe/Berlin\n    holidays: DE\n    week: {mon: ['09:00-17:00'], "
                "tue: ['09:00-17:00'], wed: ['09:00-17:00'], thu: ['09:00-17:00'], fri: ['09:00-17:00']}\n"
                "    makeup: ['09:00-17:00']\n    quiet: '22:00-08:00'\n    closed: [2025-03-05..2025-03-06]\n\nrouting:"
            ),
        ),
        ("- id: logistics\n", "- id: logistics\n      calendar: branch\n"),
        ("\n  - {id: propose, ", "\n  - {id: propose, calendar: department, "),
    )
    town = await found("2025-03-03 10:15", policies_dir=folder)
    wang = await town.customer()
    await wang.file(COMPLAINT)
    assert town.case().department == "logistics"
    assert town.due("propose") == "2025-03-11 00:00", "three working days in Berlin, two of them later, at 17:00 there"
    await wang.heard()
    zhou = await town.agent("周敏", "reception", "logistics")
    act(town, zhou.member, "assign", detail="qc")
    assert town.due("propose") == "2025-03-06 18:00", "the case moves to people who work at home"
    await town.pass_time(minutes=1)
    told = await wang.heard()
    assert "之前答应您在3月11日" in told
    assert "改为最迟3月6日（周四）18:00" in told
    act(town, zhou.member, "assign", detail="logistics")
    assert town.due("propose") == "2025-03-11 00:00"
    await town.pass_time(minutes=1)
    assert "改为最迟3月11日" in await wang.heard()
