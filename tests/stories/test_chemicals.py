"""What the rule book of the maker of chemicals says beside its stories: a right that is lent, a sentence read otherwise."""

import pytest

from complaints.commands import Act
from complaints.errors import BadInput
from handlers import lending, routing
from handlers.turn import Batch, Turn
from storage import Want
from tests.conftest import Found, Person, Town


@pytest.fixture
async def town(found: Found) -> Town:
    return await found("2025-03-03 09:00", company="chem_000", readings="service_centre_time=own_step")


def lend(town: Town, lender: Person, borrower: Person, role: str, until: str, *, paper: str = "a" * 64) -> None:
    with town.store.unit(town.clock()) as unit:
        scene, batch = unit.load([]), Batch()
        turn = Turn(town.service.book, scene, unit.ledger, batch, town.clock())
        one, other = scene.staff[lender.member.id], scene.staff[borrower.member.id]
        lending.lend(turn, one, other, [role], town.clock.of(until), paper_sha256=paper)
        unit.flush(batch.changes, sends=False)


def act(town: Town, who: Person, what: str, **values: str) -> None:
    case_id = town.case().id
    with town.store.unit(town.clock()) as unit:
        scene, batch = unit.load([Want(case_id=case_id)]), Batch()
        turn = Turn(town.service.book, scene, unit.ledger, batch, town.clock())
        routing.serve(Act(staff_id=who.member.id, case_id=case_id, act=what, values=values), turn)
        unit.flush(batch.changes, sends=False)
    town.clock.push(seconds=1)


async def test_a_right_to_sign_is_lent_by_letter_for_six_months_at_most(town: Town) -> None:
    """S0-5.3a, S0-5.3b, S0-5.3c."""
    head, engineer = await town.agent("何主管", "dept_head"), await town.agent("林工", "engineer")
    desk = await town.agent("周敏", "service_center")

    for until, paper, why in (("2025-09-04 00:00", "a" * 64, "loan_long"), ("2025-06-03 00:00", "", "loan_paper")):
        with pytest.raises(BadInput) as caught:
            lend(town, head, engineer, "dept_head", until, paper=paper)
        assert caught.value.key == f"error.{why}"
    lend(town, head, engineer, "dept_head", "2025-09-03 23:59")

    await desk.say("登记 标签贴错了 合同金额1.5万")
    act(town, desk, "propose", text="补寄标签")
    act(town, engineer, "approve")

    assert town.case().state == "executing"
    signed = town.events("approval_signed")[0]
    assert (signed.facts["lender"], signed.facts["paper_sha256"]) == (head.member.id, "a" * 64)


async def test_in_the_other_reading_the_service_centre_has_four_hours_for_its_own_step(town: Town) -> None:
    """S0-2.3.2c."""
    wang = await town.customer("王岚")
    await wang.say("标签贴错了，批号也看不清")

    assert town.due("service_center_step_normal") == "2025-03-03 13:00"
