"""The chain of an approval follows from the facts of a case alone: each role once, and nobody's authority is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.approvals import chain, once, remaining
from complaints.case import Signature, StepRun
from complaints.clauses.approval import Approval
from tests.core.matrix import MATRIX

PLAN = Approval.model_validate(MATRIX)
ROLES = ["head", "director", "deputy", "office", "legal", "local_legal", "gm"]


def steps(**facts):
    found = chain(PLAN, {"amount": Decimal(1), "risk": "high", "urgency": "normal", "flags": [], **facts})
    return None if found is None else [str(each) for each in found]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.01", ["head"]),
        ("20000", ["head"]),
        ("20000.01", ["head", "director"]),
        ("500000", ["head", "director"]),
        ("500000.01", ["legal", "head", "director", "deputy"]),
        ("5000000", ["legal", "head", "director", "deputy"]),
        ("5000000.01", ["legal", "head", "director", "deputy", "office"]),
    ],
)
def test_the_first_row_that_holds_counts_to_the_cent(amount, expected):
    assert steps(amount=Decimal(amount)) == expected


def test_a_low_risk_lets_the_head_alone_decide_up_to_fifty_thousand():
    assert steps(amount=Decimal(50000), risk="low") == ["head"]
    assert steps(amount=Decimal("50000.01"), risk="low") == ["head", "director"]


def test_what_comes_before_and_after_surrounds_the_matrix_and_no_role_comes_twice():
    assert steps(amount=Decimal(620000), flags=["cross_border"]) == [
        "legal", "local_legal+legal", "head", "director", "deputy", "office"
    ]  # fmt: skip
    assert steps(amount=Decimal(100), flags=["cross_border"]) == ["local_legal+legal", "head", "office"]


def test_the_exceptional_channel_replaces_the_matrix_and_keeps_what_it_keeps():
    assert steps(amount=Decimal(9000000), flags=["lawsuit"]) == ["legal", "gm"]
    assert steps(amount=Decimal(9000000), flags=["lawsuit", "cross_border"]) == ["local_legal+legal", "gm", "office"]
    found = chain(PLAN, {"amount": Decimal(1), "flags": ["lawsuit"]})
    assert [step.form.en for step in found] == ["Application for an exception"] * 2
    assert {step.clause for step in found} == {"X-4"}


def test_where_no_row_holds_there_is_no_chain_and_where_a_row_is_empty_there_is_one_without_steps():
    assert steps(amount=None) is None
    assert steps(amount=Decimal(-1)) is None
    assert steps(amount=Decimal(0)) == []


def test_expedited_rows_make_expedited_steps():
    found = chain(PLAN, {"amount": Decimal(6000000), "flags": []})
    assert [step.expedited for step in found] == [False, True, True, True, True]


def test_a_step_for_one_of_several_goes_where_one_of_them_must_sign_anyway():
    either, one = StepRun(any=["a", "b"]), StepRun(all=["a"])
    assert [str(each) for each in once([either, one])] == ["a"]
    assert [str(each) for each in once([one, either])] == ["a"]
    assert [str(each) for each in once([either, StepRun(any=["b", "c"])])] == ["a|b", "c"]
    assert [str(each) for each in once([StepRun(all=["a", "a"]), StepRun(any=["c", "c"])])] == ["a", "c"]


def test_what_was_signed_or_passed_up_is_not_asked_again():
    signed = StepRun(all=["a", "b"])
    signed.signatures = [Signature(by=1, role="a", at="2025-03-03T00:00:00Z", agrees=True)]
    again = [StepRun(all=["a", "b"]), StepRun(any=["a", "c"]), StepRun(all=["d"])]
    assert [str(each) for each in remaining(again, [signed])] == ["a+b", "d"]
    assert [str(each) for each in remaining(again, [StepRun(all=["d"], passed=True)])] == ["a+b"]


facts = st.fixed_dictionaries(
    {
        "amount": st.one_of(st.none(), st.decimals(-10, 10**7, places=2), st.integers(0, 10**7)),
        "risk": st.sampled_from(["low", "high", ""]),
        "urgency": st.sampled_from(["normal", "urgent"]),
        "flags": st.lists(st.sampled_from(["cross_border", "lawsuit", "other"]), unique=True),
    }
)


@given(facts)
def test_for_any_case_no_role_stands_in_a_chain_twice_and_the_chain_is_always_the_same(case):
    found = chain(PLAN, case)
    assert found == chain(PLAN, dict(reversed(case.items())))
    if found is not None:
        roles = [role for step in found for role in (*step.all, *step.any)]
        assert len(roles) == len(set(roles))
        assert all(not step.signatures and step.opened_at is None for step in found)


@given(facts)
def test_for_any_case_the_exceptional_channel_wins(case):
    found = chain(PLAN, case)
    if "lawsuit" in case["flags"]:
        roles = [role for step in found for role in step.all]
        assert roles[0] in ("legal", "local_legal")
        assert "gm" in roles
        assert not {"head", "director", "deputy"}.intersection(roles)
    elif found is not None:
        assert "gm" not in [role for step in found for role in step.all]


step = st.one_of(
    st.lists(st.sampled_from(ROLES), min_size=1, max_size=3).map(lambda roles: StepRun(all=roles)),
    st.lists(st.sampled_from(ROLES), min_size=1, max_size=3).map(lambda roles: StepRun(any=roles)),
)


@given(st.lists(step, max_size=8))
def test_whoever_must_sign_signs_once_and_every_choice_is_still_made_by_one_of_its_roles(steps_):
    kept = once(steps_)
    roles = [role for each in kept for role in (*each.all, *each.any)]
    assert len(roles) == len(set(roles))
    assert {role for each in steps_ for role in each.all} == {role for each in kept for role in each.all}
    for each in steps_:
        assert not each.any or set(each.any).intersection(roles)
    assert once(kept) == kept
