"""Rights to sign are lent on the command line: on paper, for a time, and by whoever has them."""

import hashlib

import pytest

from complaints.conversation import Loan
from policies import yaml12
from tests.cli.test_commands import asked  # noqa: F401 # the fixture
from tests.stories.people import TRADE, role, title

REVIEW = {"id": "review", "title": title("终审"), "on": "investigating", "matrix": [{"steps": ["gm"]}]}


@pytest.fixture
async def town(found, tmp_path):
    policy = yaml12.load(TRADE.read_text("utf-8"))
    policy["routing"]["roles"].append(role("gm", "read"))
    policy.setdefault("approvals", []).append(REVIEW)
    path = tmp_path / "lending.yaml"
    path.write_text(yaml12.write(policy), "utf-8")
    return await found("2025-03-03 09:00", company=str(path))


def loans(town, who) -> list[Loan]:
    with town.store.read() as ledger:
        return next(each for each in ledger.staff() if each.id == who.member.id).facts.loans


async def test_a_right_is_lent_on_paper_and_the_paper_is_kept_sealed(town, asked, tmp_path):  # noqa: F811
    gm, lin = await town.agent("高总", "gm"), await town.agent("林工", "qc")
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"signed")
    ids = str(gm.member.id), str(lin.member.id)

    code, told = await asked("staff", "lend", *ids, "--role", "gm", "--until", "2025-09-03", "--paper", str(letter))
    assert (code, told.strip()) == (0, "林工 may sign for 高总 as gm until 2025-09-03.")
    await town.settle()

    assert "高总授权您以gm的身份审批" in await lin.heard()
    [loan] = loans(town, gm)
    assert (loan.to, loan.roles, loan.paper_sha256) == (lin.member.id, ["gm"], hashlib.sha256(b"signed").hexdigest())
    assert town.clock.show(loan.ends_at) == "2025-09-04 00:00"
    kept = tmp_path / "papers" / f"{loan.paper}.sealed"
    assert b"signed" not in kept.read_bytes()
    assert "gm to 林工 until 2025-09-03" in (await asked("staff", "list"))[1]

    assert (await asked("staff", "unlend", *ids))[0] == 0
    assert [each.ended for each in loans(town, gm)] == [True]
    assert "until 2025-09-03" not in (await asked("staff", "list"))[1]
    code, told = await asked("staff", "unlend", *ids)
    assert (code, "高总 has lent nothing to 林工" in told) == (2, True)


@pytest.mark.parametrize(
    ("lender", "words", "why"),
    [
        ("高总", ("--role", "gm", "--until", "2025-09-04"), "until"),
        ("高总", ("--role", "gm", "--until", "2025-03-02"), "not into the past"),
        ("高总", ("--role", "gm", "--until", "2025-04-01"), "signed letter"),
        ("林工", ("--role", "gm", "--until", "2025-04-01"), "cannot lend the role gm"),
        ("林工", ("--role", "qc", "--until", "2025-04-01"), "Nothing is signed in the role qc"),
    ],
)
async def test_what_may_not_be_lent_is_refused_and_nothing_is_kept(town, asked, tmp_path, lender, words, why):  # noqa: F811
    people = {"高总": await town.agent("高总", "gm"), "林工": await town.agent("林工", "qc")}
    one, other = (people[lender], *(each for name, each in people.items() if name != lender))
    paper = () if "signed letter" in why else ("--paper", str(tmp_path / "lending.yaml"))

    code, told = await asked("staff", "lend", str(one.member.id), str(other.member.id), *words, *paper)
    assert (code, why in told) == (2, True), told
    assert loans(town, one) == []
    assert not (tmp_path / "papers").exists()


async def test_nobody_lends_to_a_second_account_of_their_own(town, asked, tmp_path):  # noqa: F811
    for name in ("高总", "高总（小号）"):
        assert (await asked("staff", "add", name, "--role", "gm", "--person", "E-1"))[0] == 0
    with town.store.read() as ledger:
        one, other = (str(each.id) for each in ledger.staff())
    code, told = await asked("staff", "lend", one, other, "--role", "gm", "--until", "2025-04-01")
    assert (code, "themselves" in told) == (2, True)


async def test_a_decision_that_an_outside_system_enters_twice_counts_once(town, asked):  # noqa: F811
    zhou, gm = await town.agent("周敏", "logistics"), await town.agent("高总", "gm")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    words = ("act", number, "approve", "--by", str(gm.member.id), "--with", "step=1-0", "--key", "OA-123")

    assert (await asked(*words))[1].strip() == f"{number}: done."
    assert (await asked(*words))[1].strip() == f"{number}: this was done before."
    assert len(town.events("approval_signed")) == 1
    code, told = await asked("act", number, "approve", "--by", str(zhou.member.id))
    assert (code, "nothing waits for a signature" in told) == (2, True)
