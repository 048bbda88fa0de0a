"""The journal's chain shows whatever was done to it behind the desk's back."""

import pytest

from complaints.case import Case
from complaints.ports import Changes
from storage import Break, Store, Want
from tests.storage.building import HOUR, NOW, SECOND, complain, event, execute


@pytest.fixture
def cases(store: Store) -> list[Case]:
    """Three cases with five events each."""
    cases = [complain(store, str(n)) for n in range(3)]
    with store.unit(NOW) as unit:
        loaded = unit.load([Want(case_id=each.id) for each in cases])
        unit.flush(Changes(events=[event(loaded.cases[each.id], n=n) for n in range(3) for each in cases]))
    assert not store.verify_journal().broken
    return cases


def broken(store: Store) -> list[tuple[int, int, str]]:
    return [(each.case_id, each.seq, each.problem) for each in store.verify_journal().broken]


def test_a_sound_journal_verifies_and_tells_how_much_it_looked_at(store: Store, cases: list[Case]) -> None:
    told: list[tuple[int, int]] = []

    report = store.verify_journal(lambda events, breaks: told.append((events, breaks)))

    assert (report.cases, report.events, report.broken) == (3, 15, ())
    assert told == [(15, 0)]


@pytest.mark.parametrize(
    "change",
    ["facts = '{}'", "name = 'noted'", "actor = 'staff:1'", "clause = 'x'", "at = at + 1", "mac = :other"],
)
def test_an_edited_row_is_found(url: str, store: Store, cases: list[Case], change: str) -> None:
    values = {"other": b"x" * 32} if ":other" in change else {}
    execute(url, f"UPDATE journal SET {change} WHERE case_id = :id AND seq = 3", id=cases[1].id, **values)

    assert broken(store)[0] == (cases[1].id, 3, "edited")
    assert store.verify_journal().broken[0] == Break(
        case_id=cases[1].id, number=cases[1].number, seq=3, problem="edited"
    )


def test_edited_words_are_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "UPDATE journal SET sealed = :bad WHERE case_id = :id AND seq = 3", id=cases[1].id, bad=b"\x01other")

    assert broken(store) == [(cases[1].id, 3, "words edited")]


def test_words_and_digest_edited_together_are_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(
        url,
        "UPDATE journal SET sealed = j.sealed, digest = j.digest FROM (SELECT sealed, digest FROM journal"
        " WHERE case_id = :id AND seq = 2) AS j WHERE case_id = :id AND seq = 3",
        id=cases[1].id,
    )

    assert broken(store) == [(cases[1].id, 3, "edited")]


def test_words_that_were_thrown_away_do_not_break_the_chain(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "UPDATE journal SET sealed = NULL WHERE case_id = :id", id=cases[1].id)

    assert broken(store) == []


def test_a_missing_row_is_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "DELETE FROM journal WHERE case_id = :id AND seq IN (1, 3)", id=cases[2].id)

    assert broken(store) == [(cases[2].id, 1, "missing"), (cases[2].id, 3, "missing")]


def test_a_cut_off_end_is_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "DELETE FROM journal WHERE case_id = :id AND seq >= 4", id=cases[0].id)

    assert broken(store) == [(cases[0].id, 4, "truncated"), (cases[0].id, 5, "truncated")]


def test_a_whole_journal_gone_is_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "DELETE FROM journal")

    assert {each[2] for each in broken(store)} == {"truncated"}
    assert len(broken(store)) == 15


def test_swapped_rows_are_found(url: str, store: Store, cases: list[Case]) -> None:
    for old, new in ((2, -1), (3, 2), (-1, 3)):
        execute(
            url, "UPDATE journal SET seq = :new WHERE case_id = :id AND seq = :old", id=cases[1].id, old=old, new=new
        )

    assert {(each[1], each[2]) for each in broken(store)} >= {(2, "edited"), (3, "edited")}


def test_rows_of_another_case_are_found(url: str, store: Store, cases: list[Case]) -> None:
    insert = (
        "INSERT INTO journal SELECT :case, :seq, at, name, actor, clause, facts, sealed, digest, mac FROM journal"
        " WHERE case_id = :id AND seq = 2"
    )
    execute(url, insert, case=cases[1].id, seq=6, id=cases[0].id)
    execute(url, insert, case=cases[2].id + 1, seq=1, id=cases[0].id)
    execute(url, insert, case=1, seq=1, id=cases[0].id)

    assert sorted(broken(store)) == sorted(
        [(cases[1].id, 6, "foreign"), (cases[2].id + 1, 1, "foreign"), (1, 1, "foreign")]
    )


def test_a_chain_of_one_case_put_in_the_place_of_another_is_found(url: str, store: Store, cases: list[Case]) -> None:
    one, other = cases[0].id, cases[1].id
    execute(url, "DELETE FROM journal WHERE case_id = :other", other=other)
    execute(url, "UPDATE journal SET case_id = :other WHERE case_id = :one", one=one, other=other)

    problems = broken(store)

    assert (other, 1, "edited") in problems
    assert (one, 1, "truncated") in problems


def test_a_changed_end_of_the_chain_in_the_case_is_found(url: str, store: Store, cases: list[Case]) -> None:
    execute(url, "UPDATE complaint_case SET seq = 4 WHERE id = :id", id=cases[0].id)
    execute(url, "UPDATE complaint_case SET head = :bad WHERE id = :id", id=cases[1].id, bad=b"x" * 32)

    assert sorted(broken(store)) == sorted(
        [(cases[0].id, 5, "foreign"), (cases[0].id, 4, "edited"), (cases[1].id, 5, "edited")]
    )


def test_many_cases_are_verified_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch, cases: list[Case]) -> None:
    monkeypatch.setattr("storage.journal._CHUNK", 2)
    told: list[int] = []

    report = store.verify_journal(lambda events, _: told.append(events))

    assert (report.cases, report.events, told) == (3, 15, [10, 15])


def test_the_heads_to_be_sealed_outside_are_those_that_changed(store: Store, cases: list[Case]) -> None:
    with store.unit(NOW + HOUR) as unit:
        case = unit.load([Want(case_id=cases[1].id)]).cases[cases[1].id]
        late = event(case)
        object.__setattr__(late, "at", NOW + HOUR)
        unit.flush(Changes(events=[late]))

    with store.read() as ledger:
        heads = ledger.heads(NOW + SECOND, NOW + 2 * HOUR)
        assert [(each.case_id, each.seq, each.head) for each in heads] == [(case.id, 6, case.head)]
        assert len(ledger.heads(NOW, NOW + SECOND)) == 3
