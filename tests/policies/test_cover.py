"""Which cases fall under which condition: as exact as asking every single case."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.clauses.model import Predicate
from policies.cover import Space, TooMany, cover, told
from policies.facts import Fact

KNOWN = {
    "amount": Fact(kind="number", missing=True),
    "tries": Fact(kind="number", step=Decimal(1)),
    "risk": Fact(values=("low", "high")),
    "flags": Fact(kind="some", values=("fire", "press")),
}
BOUNDS = (0, 10, 20, Decimal("20.01"))
_leaf = st.one_of(
    st.sampled_from([{"risk": "low"}, {"risk": ["low", "high"]}, {"flags": "fire"}, {"flags": ["fire", "press"]}]),
    st.builds(
        lambda key, to: {"amount": {key: to}}, st.sampled_from(["gt", "ge", "lt", "le"]), st.sampled_from(BOUNDS)
    ),
    st.builds(
        lambda key, to: {"tries": {key: to}}, st.sampled_from(["gt", "ge", "lt", "le"]), st.sampled_from([0, 1, 3])
    ),
    st.sampled_from([{"tries": 2}, {"tries": [0, 1]}]),
)
_whens = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.builds(lambda a, b: {"any": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"all": [a, b]}, inner, inner),
        st.builds(lambda a: {"not": a}, inner),
    ),
    max_leaves=4,
)
#: One case for every way in which those conditions can tell cases apart.
CASES = [
    {"amount": amount, "tries": tries, "risk": risk, "flags": flags}
    for amount, tries, risk, flags in product(
        [Decimal(each) for each in ("0", "0.01", "9.99", "10", "10.01", "19.99", "20", "20.01", "20.02", "99")],
        [Decimal(each) for each in range(6)],
        ["low", "high"],
        [[], ["fire"], ["press"], ["fire", "press"]],
    )
]


def of(*whens: dict) -> list[Predicate]:
    return [Predicate.model_validate(when) for when in whens]


def holding(cell, case) -> bool:
    """Tell whether a case is one of a cell, found with bounds that the cell's own numbers begin at."""
    for (name, part), values in cell.items():
        value = (part in case[name]) if part else case[name]
        if name in ("amount", "tries"):
            value = max(each for each in STARTS[name] if each <= value)
        if value not in values:
            return False
    return True


STARTS: dict[str, list[Decimal]] = {}


@settings(max_examples=100, deadline=None)
@given(st.lists(_whens, min_size=1, max_size=4))
def test_gaps_and_rows_that_are_reached_are_those_of_all_single_cases(whens: list[dict]) -> None:
    rows = of(*whens)
    space = Space(KNOWN, rows)
    STARTS.update({name: list(space.atoms.get((name, ""), (Decimal(0),))) for name in ("amount", "tries")})

    found = cover(space, rows)

    first = [next((n for n, row in enumerate(rows) if row.holds(case)), None) for case in CASES]
    assert found.reached == {each for each in first if each is not None}
    for case, row in zip(CASES, first, strict=True):
        assert any(holding(gap, case) for gap in found.gaps) == (row is None), (case, found.gaps)


@pytest.mark.parametrize(
    ("whens", "gaps"),
    [
        ([{"amount": {"le": 50}}, {"amount": {"gt": 50}}], []),
        ([{"amount": {"lt": 50}}, {"amount": {"gt": 50}}], ["amounts of exactly 50"]),
        ([{"amount": {"le": 50000}}, {"amount": {"gt": 500000}}], ["amounts from 50,000.01 to 500,000"]),
        (
            [{"amount": {"le": 50000}}, {"amount": {"gt": 50000}, "risk": "low"}],
            ["amounts from 50,000.01 on when risk is 'high'"],
        ),
        ([{"amount": {"gt": 10}}], ["amounts up to 10"]),
        ([{"flags": "fire"}, {"risk": "low"}], ["when flags do not have 'fire' and risk is 'high'"]),
        ([{"tries": {"ge": 2}}], ["when tries is up to 1"]),
    ],
)
def test_a_gap_is_told_in_words(whens: list[dict], gaps: list[str]) -> None:
    space = Space(KNOWN, of(*whens))

    assert [told(space, gap) for gap in cover(space, of(*whens)).gaps] == gaps


def test_what_is_left_open_may_hold() -> None:
    rows = of({"risk": "low", "flags": "fire"})

    assert [told(Space(KNOWN, rows), gap) for gap in cover(Space(KNOWN, rows, left_open={"flags"}), rows).gaps] == [
        "when risk is 'high'"
    ]


def test_more_than_anybody_can_look_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policies.cover._MOST", 500)
    known = {f"f{n}": Fact(values=tuple(map(str, range(10)))) for n in range(6)}
    rows = of({"any": [{name: ["1", "2"]} for name in known]}, {"all": [{name: ["3", "4"]} for name in known]})
    apart = of(*({"any": [{name: str(n)} for name in known]} for n in range(0, 10, 2)))

    with pytest.raises(TooMany):
        cover(Space(known, [*rows, *apart]), apart)
