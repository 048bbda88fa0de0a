"""The outbox: in order to each recipient, to one sender at a time, no faster than allowed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from complaints.messages import Address, Credit, LateNews
from complaints.ports import Card, Changes, Letter, Priority
from storage import Pace, Settled, Store, Want
from tests.storage.building import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    again,
    chat,
    complain,
    execute,
    letter,
    load,
    post,
    words_of,
)


def settle(store: Store, *outcomes: Settled, now: datetime = NOW) -> None:
    with store.unit(now) as unit:
        unit.settle(outcomes)


def sent(store: Store, *letters: Letter) -> None:
    settle(store, *(Settled(letter=each, outcome="sent") for each in letters))


def claim(store: Store, now: datetime = NOW, limit: int = 10, **how: object) -> list[str]:
    return [words_of(each) for each in store.claim("telegram", now, limit, **how)]  # type: ignore[arg-type] # as given


# --- at once ---


def test_an_answer_may_go_at_once_and_is_leased_meanwhile(store: Store) -> None:
    direct = post(store, letter(store, "1", "a"), letter(store, "2", "b"))

    assert [words_of(each) for each in direct] == ["a", "b"]
    assert store.holds(direct[0], NOW + 29 * SECOND)
    assert claim(store, NOW + 29 * SECOND) == []
    assert not store.holds(direct[0], NOW + 30 * SECOND)
    assert claim(store, NOW + 31 * SECOND) == ["a", "b"]


def test_letters_nobody_asked_for_or_for_later_wait_for_the_claim(store: Store) -> None:
    assert post(store, letter(store, "1", "a", unasked=True), letter(store, "2", "b", due_at=NOW + 30 * SECOND)) == []

    assert claim(store) == ["a"]
    assert claim(store, NOW + 30 * SECOND) == ["b"]


def test_a_process_that_does_not_send_leaves_letters_to_others(store: Store) -> None:
    with store.unit(NOW) as unit:
        assert unit.flush(Changes(letters=[letter(store, "1", "a")]), sends=False) == []

    assert claim(store) == ["a"]


def test_the_next_answer_is_handed_over_behind_one_in_flight(store: Store) -> None:
    first, second = post(store, letter(store, "1", "a")), post(store, letter(store, "1", "b"))

    assert [words_of(each) for each in (*first, *second)] == ["a", "b"]


def test_an_answer_waits_behind_one_that_another_node_holds(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    first = post(one, letter(one, "1", "a"))

    assert post(other, letter(other, "1", "b")) == []
    assert claim(other, NOW + SECOND) == []
    sent(one, *first)
    assert claim(other, NOW + SECOND) == ["b"]


def test_an_answer_waits_behind_one_that_failed(store: Store) -> None:
    first = post(store, letter(store, "1", "a"))
    settle(store, Settled(letter=first[0], outcome="retry", due_at=NOW + MINUTE, error="no network"))

    assert post(store, letter(store, "1", "b")) == []
    assert claim(store, NOW + 30 * SECOND) == []
    assert claim(store, NOW + MINUTE) == ["a"]


def test_an_answer_of_another_priority_does_not_wait(store: Store) -> None:
    post(store, letter(store, "1", "a", priority=Priority.PROGRESS, unasked=True))

    assert len(post(store, letter(store, "1", "b"))) == 1


def test_a_letter_for_tomorrow_does_not_hold_up_one_for_now(store: Store) -> None:
    post(store, letter(store, "1", "tomorrow", priority=Priority.PROGRESS, due_at=NOW + 24 * HOUR))

    assert len(post(store, letter(store, "1", "now", priority=Priority.PROGRESS))) == 1


def test_nothing_is_handed_over_when_the_unit_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        unit.flush(Changes(letters=[letter(store, "1", "a")]))
        raise ZeroDivisionError

    assert len(post(store, letter(store, "1", "b"))) == 1
    assert store._in_flight.held((store._vault.fingerprint("telegram", "1"), 1), NOW_MS) == 1


NOW_MS = int(NOW.timestamp() * 1000)


# --- order ---


def test_letters_to_one_recipient_go_in_order_within_a_priority(store: Store) -> None:
    later = {"due_at": NOW + SECOND}
    post(
        store,
        letter(store, "1", "a1", **later),
        letter(store, "1", "a2", **later),
        letter(store, "1", "alert", priority=Priority.ALERT, **later),
        letter(store, "2", "b1", **later),
    )

    first = store.claim("telegram", NOW + SECOND, 10)
    assert [words_of(each) for each in first] == ["a1", "b1", "alert"]
    assert claim(store, NOW + SECOND) == []
    sent(store, *first)
    assert claim(store, NOW + SECOND) == ["a2"]


def test_letters_of_another_channel_are_left_alone(store: Store) -> None:
    post(store, letter(store, "1", "a", unasked=True))

    assert store.claim("wechat", NOW, 10) == []


def test_the_first_in_line_blocks_until_it_is_dead(store: Store) -> None:
    post(store, *(letter(store, "1", words, unasked=True) for words in "ab"))
    (first,) = store.claim("telegram", NOW, 10)
    settle(store, Settled(letter=first, outcome="retry", due_at=NOW + MINUTE, error="timeout"))
    assert claim(store, NOW + SECOND) == []
    (first,) = store.claim("telegram", NOW + MINUTE, 10)
    assert first.attempts == 2

    settle(store, Settled(letter=first, outcome="dead", error="blocked"))

    assert claim(store, NOW + MINUTE) == ["b"]
    with store.read() as ledger:
        (dead,) = ledger.dead_letters(5)
        assert (words_of(dead.letter), dead.error, dead.letter.attempts) == ("a", "blocked", 2)
        assert (ledger.trays().outbox_dead, ledger.trays().outbox_waiting) == (1, 1)


def test_a_dead_letter_can_be_revived(store: Store) -> None:
    (first,) = post(store, letter(store, "1", "a"))
    settle(store, Settled(letter=first, outcome="dead", error="blocked"))

    assert store.revive_letter(first.id, NOW)
    assert not store.revive_letter(first.id, NOW)
    assert claim(store) == ["a"]


def test_a_letter_by_a_node_whose_clock_is_behind_goes_after_those_already_there(
    url: str, open_store: Callable[..., Store]
) -> None:
    ahead, behind = open_store(url), open_store(url)
    with ahead.unit(NOW + HOUR) as unit:
        unit.flush(Changes(letters=[letter(ahead, "1", "first", unasked=True)]))
    post(behind, letter(behind, "1", "second", unasked=True))

    (first,) = behind.claim("telegram", NOW, 10)
    sent(behind, first)

    assert (words_of(first), claim(behind)) == ("first", ["second"])


def test_a_keyed_letter_is_written_once(store: Store) -> None:
    first = post(store, letter(store, "1", "a", key="survey:1"), letter(store, "1", "b", key="survey:1"))
    second = post(store, letter(store, "1", "c", key="survey:1"))

    assert ([words_of(each) for each in first], second) == (["a"], [])
    assert first[0].key == "survey:1"


# --- parked ---


def park(store: Store, *letters: Letter) -> None:
    settle(store, *(Settled(letter=each, outcome="parked", error="window") for each in letters))


def waiting_for(store: Store, *wants: Want) -> list[list[str]]:
    loaded = load(store, *wants)
    return [[words_of(each) for each in loaded.parked(id_)] for id_ in loaded.conversations]


def test_a_parked_letter_leaves_the_order(url: str, store: Store) -> None:
    first, second = post(store, letter(store, "1", "a", key="once"), letter(store, "1", "b"))
    settle(store, Settled(letter=second, outcome="retry", due_at=NOW))
    assert claim(store) == []

    park(store, first)

    assert claim(store) == ["b"]
    assert claim(store, NOW + 24 * HOUR) == ["b"]
    assert not store.holds(first, NOW)
    assert not store.revive_letter(first.id, NOW)
    assert execute(url, "SELECT state, lease_until, error FROM outbox WHERE id = :id", id=first.id) == [
        ("parked", 0, "window")
    ]
    with store.read() as ledger:
        trays = ledger.trays()
        assert (trays.outbox_waiting, trays.outbox_dead, trays.outbox_parked) == (1, 0, 1)
        assert ledger.dead_letters(5) == []


def test_the_next_answer_goes_at_once_past_a_parked_letter(store: Store) -> None:
    park(store, *post(store, letter(store, "1", "a")))

    assert [words_of(each) for each in post(store, letter(store, "1", "b"))] == ["b"]


def test_who_lost_the_lease_parks_nothing(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    (mine,) = post(one, letter(one, "1", "a"))
    other.claim("telegram", NOW + MINUTE, 10)

    park(one, mine)

    assert execute(url, "SELECT state FROM outbox") == [("waiting",)]


def test_what_is_parked_is_found_with_the_conversation_where_it_is_wanted(store: Store) -> None:
    mine = load(store, Want(address=chat("1"))).by_address(chat("1")).id
    others = load(store, Want(address=chat("2"))).by_address(chat("2")).id
    letters = [letter(store, "1", words, conversation_id=mine) for words in "abc"]
    letters += [letter(store, "1", "waits", conversation_id=mine), letter(store, "2", "d", conversation_id=others)]
    post(store, *letters)
    park(store, *letters[2::-1], letters[4])

    assert waiting_for(store, Want(address=chat("1"), parked=True)) == [["a", "b", "c"]]
    assert waiting_for(store, Want(conversation_id=mine, parked=True)) == [["a", "b", "c"]]
    assert waiting_for(store, Want(address=chat("1"))) == [[]]
    both = load(store, Want(address=chat("1")), Want(address=chat("2"), parked=True))
    assert (both.parked(mine), [words_of(each) for each in both.parked(others)]) == ([], ["d"])
    found = load(store, Want(conversation_id=mine, parked=True)).parked(mine)
    assert [each.id for each in found] == [each.id for each in letters[:3]]
    assert found[0].address == chat("1")


def test_parked_letters_that_were_told_otherwise_are_gone_and_others_stay(url: str, store: Store) -> None:
    mine = load(store, Want(address=chat("1"))).by_address(chat("1")).id
    letters = post(store, *(letter(store, "1", words, conversation_id=mine) for words in "abc"))
    park(store, *letters[:2])
    with store.unit(NOW) as unit:
        unit.load([Want(address=chat("1"), parked=True)])
        unit.flush(Changes(told=[letters[0].id, letters[0].id, letters[2].id]))

    assert waiting_for(store, Want(address=chat("1"), parked=True)) == [["b"]]
    assert execute(url, "SELECT state FROM outbox WHERE id = :id", id=letters[2].id) == [("waiting",)]


def test_a_keyed_letter_may_be_said_again_once_it_was_told(store: Store) -> None:
    park(store, *(parked := post(store, letter(store, "1", "a", key="survey:1"))))
    with store.unit(NOW) as unit:
        again = unit.flush(Changes(told=[parked[0].id], letters=[letter(store, "1", "b", key="survey:1")]))

    assert [words_of(each) for each in again] == ["b"]


def test_a_parked_letter_that_does_not_open_is_dead_and_the_others_are_found(url: str, store: Store) -> None:
    mine = load(store, Want(address=chat("1"))).by_address(chat("1")).id
    letters = post(store, *(letter(store, "1", words, conversation_id=mine) for words in "ab"))
    park(store, *letters)
    execute(url, "UPDATE outbox SET sealed = :bad WHERE id = :id", bad=b"\x01nonsense", id=letters[0].id)

    assert waiting_for(store, Want(address=chat("1"), parked=True)) == [["b"]]
    assert execute(url, "SELECT state FROM outbox ORDER BY id") == [("dead",), ("parked",)]


# --- cards ---


def test_where_a_card_lies_is_remembered_until_its_buttons_are_gone(store: Store) -> None:
    case = complain(store, "1")
    letters = [
        letter(store, "staff", "card", card=True, case_id=case.id),
        letter(store, "staff", "no card", case_id=case.id),
        letter(store, "staff", "not sent", card=True, case_id=case.id),
        letter(store, "other", "card", card=True, case_id=case.id),
        letter(store, "other", "of no case", card=True),
    ]
    letters[3].address = Address(channel="telegram", chat="room", group=True)
    card, plain, lost, room, no_case = post(store, *letters)
    settle(
        store,
        *(Settled(letter=each, outcome="sent", ref=f"ref of {each.address.chat}") for each in (card, plain, no_case)),
        Settled(letter=lost, outcome="dead", ref="x"),
    )
    settle(store, Settled(letter=room, outcome="sent", ref="ref of room"))

    with store.read() as ledger:
        first, second = ledger.cards_of(case.id)
        assert first == Card(id=first.id, case_id=case.id, address=chat("staff"), ref="ref of staff")
        assert (second.address, second.ref) == (letters[3].address, "ref of room")
        assert ledger.cards_of(1) == []
    with store.unit(NOW) as unit:
        assert [each.id for each in unit.ledger.cards_of(case.id)] == [first.id, second.id]
        unit.flush(Changes(retired=[first.id, first.id]))
    with store.read() as ledger:
        assert ledger.cards_of(case.id) == [second]


def test_a_card_without_a_ref_cannot_be_changed_and_is_not_remembered(url: str, store: Store) -> None:
    sent(store, *post(store, letter(store, "staff", card=True, case_id=5)))

    assert execute(url, "SELECT count(*) FROM card") == [(0,)]


def test_a_claimed_letter_still_knows_that_it_is_a_card(store: Store) -> None:
    post(store, letter(store, "1", card=True, case_id=5, unasked=True), letter(store, "2", case_id=5, unasked=True))

    assert [each.card for each in store.claim("telegram", NOW, 5)] == [True, False]


def test_a_card_that_two_processes_sent_lies_there_twice(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    (mine,) = post(one, letter(one, "staff", card=True, case_id=5))
    (theirs,) = other.claim("telegram", NOW + MINUTE, 10)
    settle(one, Settled(letter=mine, outcome="sent", ref="1"))
    settle(other, Settled(letter=theirs, outcome="sent", ref="2"))

    with one.read() as ledger:
        assert [each.ref for each in ledger.cards_of(5)] == ["1", "2"]


def test_cards_are_forgotten_after_72_hours(store: Store) -> None:
    (card,) = post(store, letter(store, "staff", card=True, case_id=5))
    settle(store, Settled(letter=card, outcome="sent", ref="1"))
    for hours, left in ((72, 1), (73, 0)):
        store.purge(NOW + hours * HOUR)
        with store.read() as ledger:
            assert len(ledger.cards_of(5)) == left


# --- folded ---


def fold(store: Store, now: datetime = NOW, limit: int = 10, **how: object) -> list[str]:
    return claim(store, now, limit, fold=True, **how)


def test_a_folding_claim_brings_whole_lanes_in_order(store: Store) -> None:
    later = {"due_at": NOW + SECOND}
    post(
        store,
        *(letter(store, "1", words, **later) for words in ("a1", "a2", "a3")),
        *(letter(store, "2", words, **later) for words in ("b1", "b2")),
        letter(store, "1", "alert1", priority=Priority.ALERT, unasked=True, **later),
        letter(store, "1", "alert2", priority=Priority.ALERT, **later),
        letter(store, "3", "c1", **later),
    )

    taken = store.claim("telegram", NOW + SECOND, 10, fold=True)

    assert [words_of(each) for each in taken] == ["a1", "a2", "a3", "b1", "b2", "c1", "alert1", "alert2"]
    assert [each.attempts for each in taken] == [1] * 8
    assert all(store.holds(each, NOW + 60 * SECOND) for each in taken)
    assert fold(store, NOW + 60 * SECOND) == []
    sent(store, *taken)
    with store.read() as ledger:
        assert ledger.trays().outbox_waiting == 0


def test_without_folding_one_letter_of_a_lane_is_claimed(store: Store) -> None:
    post(store, *(letter(store, "1", words, unasked=True) for words in "ab"))

    assert claim(store) == ["a"]


def test_a_folded_lane_ends_at_the_limit_and_is_never_returned_with_a_hole(store: Store) -> None:
    post(store, *(letter(store, name, f"{name}{n}", due_at=NOW + SECOND) for n in range(4) for name in "xyz"))

    taken = store.claim("telegram", NOW + SECOND, 7, fold=True)

    assert len(taken) == 7
    for name in "xyz":
        mine = [words_of(each) for each in taken if each.address.chat == name]
        assert mine == [f"{name}{n}" for n in range(len(mine))]
        assert mine
    assert fold(store, NOW + SECOND) == []
    sent(store, *taken)
    assert len(fold(store, NOW + SECOND)) == 5


def test_a_folded_lane_ends_before_a_letter_that_waits_for_its_next_try(store: Store) -> None:
    letters = post(store, *(letter(store, "1", words) for words in "abcd"))
    settle(
        store,
        *(Settled(letter=letters[n], outcome="retry", due_at=NOW + SECOND) for n in (0, 1, 3)),
        Settled(letter=letters[2], outcome="retry", due_at=NOW + MINUTE),
    )

    assert fold(store, NOW + SECOND) == ["a", "b"]


def test_a_folded_lane_ends_before_a_letter_that_another_process_holds(
    url: str, open_store: Callable[..., Store]
) -> None:
    one, other = open_store(url), open_store(url)
    letters = post(one, *(letter(one, "1", words) for words in "abcd"))
    settle(one, *(Settled(letter=letters[n], outcome="retry", due_at=NOW) for n in (0, 1, 3)))

    assert fold(other) == ["a", "b"]


def test_a_letter_for_tomorrow_is_left_out_of_a_folded_lane(store: Store) -> None:
    post(
        store,
        letter(store, "1", "a", unasked=True),
        letter(store, "1", "tomorrow", due_at=NOW + 24 * HOUR),
        letter(store, "1", "b", unasked=True),
    )

    assert fold(store) == ["a", "b"]


def test_what_is_folded_counts_once_for_the_pace(store: Store) -> None:
    post(store, *(letter(store, str(n % 3), f"{n % 3}.{n // 3}", unasked=True) for n in range(9)))
    pace = Pace(per_second=1, burst=2)

    assert sorted(fold(store, pace=pace)) == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]
    assert fold(store, NOW + SECOND / 2, pace=pace) == []
    assert fold(store, NOW + SECOND, pace=pace) == ["2.0", "2.1", "2.2"]


def test_many_senders_fold_each_letter_once_and_in_order(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url), open_store(url)]
    post(stores[0], *(letter(stores[0], str(n % 5), str(n), due_at=NOW + SECOND) for n in range(60)))
    delivered: list[tuple[str, int]] = []
    lock = threading.Lock()

    def work(store: Store) -> None:
        while letters := store.claim("telegram", NOW + SECOND, 7, fold=True) or (len(delivered) < 60 and [None]):
            taken = [each for each in letters if each is not None]
            with lock:
                delivered.extend((each.address.chat, int(words_of(each))) for each in taken)
            sent(store, *taken)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, stores))

    assert sorted(number for _, number in delivered) == list(range(60))
    for name in "01234":
        mine = [number for chat_, number in delivered if chat_ == name]
        assert mine == sorted(mine)


# --- leases ---


def test_a_claim_takes_exactly_its_limit(store: Store) -> None:
    """PostgreSQL took 60 of a limit of 5 where the sub-select could be run again."""
    post(store, *(letter(store, str(n), unasked=n % 2 == 0, due_at=NOW + SECOND) for n in range(200)))

    assert len(store.claim("telegram", NOW + SECOND, 5)) == 5
    with ThreadPoolExecutor(4) as pool:
        taken = [
            each.id for got in pool.map(lambda _: store.claim("telegram", NOW + SECOND, 5), range(8)) for each in got
        ]
    assert len(taken) == len(set(taken)) == 40


def test_who_lost_the_lease_changes_nothing(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    (mine,) = post(one, letter(one, "1", "a"))
    (theirs,) = other.claim("telegram", NOW + MINUTE, 10)

    sent(one, mine)
    settle(one, Settled(letter=mine, outcome="dead"), Settled(letter=mine, outcome="retry", due_at=NOW))

    assert execute(url, "SELECT state, attempts, due_at FROM outbox") == [("waiting", 2, NOW_MS)]
    assert other.holds(theirs, NOW + MINUTE)
    sent(other, theirs)
    assert execute(url, "SELECT count(*) FROM outbox") == [(0,)]


def test_leases_are_released_when_the_only_process_starts_again(
    sqlite_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(sqlite_url, exclusive=True)
    post(store, letter(store, "1", "a"))
    store.close()

    assert claim(open_store(sqlite_url, exclusive=True)) == ["a"]


def test_a_settled_letter_is_forgotten_and_the_lease_of_another_kept(store: Store) -> None:
    first, second = post(store, letter(store, "1", "a"), letter(store, "1", "b"))
    lane = store._vault.fingerprint("telegram", "1"), 1
    sent(store, first)

    assert not store.holds(first, NOW)
    assert store.holds(second, NOW)
    assert store._in_flight.held(lane, NOW_MS) == 1
    assert store._in_flight.held(lane, NOW_MS + 30_000) == 0
    assert not store._in_flight._letters


def test_a_retry_needs_a_due_date(store: Store) -> None:
    (first,) = post(store, letter(store, "1", "a"))

    with pytest.raises(ValueError, match="due date"):
        settle(store, Settled(letter=first, outcome="retry"))


def test_one_holder_has_a_lease_until_it_runs_out(store: Store) -> None:
    assert store.take_lease("polling", "a", NOW, 10)
    assert not store.take_lease("polling", "b", NOW + 9 * SECOND, 10)
    assert store.take_lease("polling", "a", NOW + 9 * SECOND, 10)
    assert not store.take_lease("polling", "b", NOW + 18 * SECOND, 10)
    assert store.take_lease("polling", "b", NOW + 19 * SECOND, 10)
    store.release_lease("polling", "a")
    assert not store.take_lease("polling", "a", NOW + 19 * SECOND, 10)
    store.release_lease("polling", "b")
    assert store.take_lease("polling", "a", NOW + 19 * SECOND, 10)


# --- gates ---


def test_unasked_letters_keep_the_pace_of_the_channel_over_all_nodes(
    url: str, open_store: Callable[..., Store]
) -> None:
    one, other = open_store(url), open_store(url)
    post(one, *(letter(one, str(n), unasked=True) for n in range(100)))
    pace = Pace(per_second=30, burst=5)

    assert len(claim(one, NOW, 50, pace=pace)) == 5
    assert claim(other, NOW, 50, pace=pace) == []
    assert len(claim(other, NOW + SECOND / 10, 50, pace=pace)) == 3
    taken = [len(claim([one, other][n % 2], NOW + SECOND + n * SECOND / 10, 50, pace=pace)) for n in range(11)]
    assert taken[0] == 5  # rested
    assert 29 <= sum(taken[1:]) <= 31


def test_answers_are_not_paced(store: Store) -> None:
    post(store, *(letter(store, str(n), due_at=NOW + SECOND) for n in range(50)))

    assert len(claim(store, NOW + SECOND, 50, pace=Pace(per_second=1))) == 50


def test_answers_go_before_what_nobody_asked_for(store: Store) -> None:
    post(store, *(letter(store, f"u{n}", "unasked", unasked=True, priority=Priority.ALERT) for n in range(5)))
    post(store, *(letter(store, f"a{n}", "asked", due_at=NOW + SECOND) for n in range(5)))

    assert sorted(claim(store, NOW + SECOND, 7)) == ["asked"] * 5 + ["unasked"] * 2


def test_one_recipient_gets_unasked_letters_with_a_gap(store: Store) -> None:
    post(
        store,
        letter(store, "1", "a", unasked=True, priority=Priority.PROGRESS),
        letter(store, "1", "b", unasked=True, priority=Priority.SURVEY),
        letter(store, "1", "c", unasked=True, priority=Priority.ALERT),
    )

    def next_one(now: datetime) -> list[str]:
        letters = store.claim("telegram", now, 10, gap=SECOND)
        sent(store, *letters)
        return [words_of(each) for each in letters]

    assert next_one(NOW) == ["c"]
    assert next_one(NOW + SECOND / 2) == []
    assert next_one(NOW + SECOND) == ["a"]
    assert next_one(NOW + 2 * SECOND) == ["b"]


def test_too_many_pauses_the_chat_for_all_nodes_and_does_not_count_as_a_try(
    url: str, open_store: Callable[..., Store]
) -> None:
    one, other = open_store(url), open_store(url)
    (first,) = post(one, letter(one, "1", "a"))
    settle(one, Settled(letter=first, outcome="retry", due_at=NOW + 20 * SECOND, error="429", pause="chat"))

    assert post(one, letter(one, "1", "alert", priority=Priority.ALERT)) == []
    assert len(post(one, letter(one, "2", "b"))) == 1
    assert claim(other, NOW + 19 * SECOND) == []
    taken = other.claim("telegram", NOW + 20 * SECOND, 10)
    assert [words_of(each) for each in taken] == ["a", "alert"]
    assert taken[0].attempts == 1


def test_too_many_may_pause_the_whole_channel(url: str, open_store: Callable[..., Store]) -> None:
    one, other = open_store(url), open_store(url)
    (first,) = post(one, letter(one, "1", "a"))
    settle(one, Settled(letter=first, outcome="retry", due_at=NOW + 20 * SECOND, pause="channel"))

    assert post(one, letter(one, "2", "b")) == []
    assert claim(other, NOW + SECOND) == []
    assert post(other, letter(other, "3", "c")) == []  # it has learnt of the pause
    assert sorted(claim(other, NOW + 20 * SECOND)) == ["a", "b", "c"]


def test_a_shorter_pause_does_not_shorten_a_longer_one(store: Store) -> None:
    letters = post(store, letter(store, "1", "a"), letter(store, "2", "b"))
    for each, seconds in zip(letters, (20, 5), strict=True):
        settle(store, Settled(letter=each, outcome="retry", due_at=NOW + seconds * SECOND, pause="channel"))

    assert claim(store, NOW + 10 * SECOND) == []


def test_gates_that_are_open_anyway_are_forgotten(url: str, store: Store) -> None:
    post(store, letter(store, "1", "a", unasked=True))
    claim(store, pace=Pace(per_second=1), gap=SECOND)
    assert execute(url, "SELECT count(*) FROM gate") == [(2,)]

    store.purge(NOW + MINUTE)

    assert execute(url, "SELECT count(*) FROM gate") == [(0,)]


def test_many_senders_send_each_letter_once_and_in_order(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url), open_store(url)]
    post(
        stores[0], *(letter(stores[0], str(n % 7), str(n), unasked=n % 3 == 0, due_at=NOW + SECOND) for n in range(70))
    )
    delivered: list[tuple[str, bool, int]] = []
    lock = threading.Lock()

    def work(store: Store) -> None:
        while letters := store.claim("telegram", NOW + SECOND, 4) or (len(delivered) < 70 and [None]):
            for each in filter(None, letters):
                with lock:
                    delivered.append((each.address.chat, each.unasked, int(words_of(each))))
                sent(store, each)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, stores))

    assert sorted(each[2] for each in delivered) == list(range(70))
    for recipient in range(7):
        mine = [number for name, _, number in delivered if name == str(recipient)]
        assert mine == sorted(mine)


# --- late news ---


def news(store: Store, name: str, *lines: str, now: datetime = NOW) -> Letter:
    """Let somebody learn something late, as the desk does: what is held grows, else it begins."""
    with store.unit(now) as unit:
        held = unit.load([Want(late=True)]).late_news(chat(name))
        before = held.body.lines if held is not None and isinstance(held.body, LateNews) else ()
        body = LateNews(text="\n".join([*before, *lines]), lines=(*before, *lines))
        if held is None:
            held = letter(store, name, unasked=True, priority=Priority.ALERT)
            held.body, held.due_at = body, now + MINUTE
            unit.flush(Changes(letters=[held]))
        else:
            held.body, held.due_at = body, now + MINUTE
            unit.flush(Changes(grown=[held]))
    return held


def test_late_news_is_one_letter_that_grows_and_is_held_until_nothing_is_late_any_more(store: Store) -> None:
    news(store, "1", "a")
    news(store, "2", "other")
    news(store, "1", "b", now=NOW + SECOND)
    assert claim(store, NOW + 2 * SECOND) == []

    store.free_news(NOW + 2 * SECOND)

    assert sorted(claim(store, NOW + 2 * SECOND)) == ["a\nb", "other"]


def test_late_news_goes_a_minute_after_it_grew_last_though_nobody_frees_it(store: Store) -> None:
    news(store, "1", "a")
    news(store, "1", "b", now=NOW + 30 * SECOND)

    assert claim(store, NOW + 89 * SECOND) == []
    assert claim(store, NOW + 90 * SECOND) == ["a\nb"]


def test_late_news_holds_up_nothing_else_for_its_reader(store: Store) -> None:
    news(store, "1", "late")
    post(store, letter(store, "1", "now", unasked=True, priority=Priority.ALERT))

    assert claim(store) == ["now"]


def test_late_news_that_is_on_its_way_grows_no_more_and_what_comes_then_is_another_letter(store: Store) -> None:
    news(store, "1", "a")
    store.free_news(NOW)
    assert claim(store) == ["a"]

    news(store, "1", "b", now=NOW + SECOND)
    news(store, "1", "c", now=NOW + SECOND)
    store.free_news(NOW + SECOND)

    assert claim(store, NOW + HOUR) == ["a"], "it is tried again, and the other waits behind it"
    assert claim(store, NOW + HOUR) == []


def test_late_news_that_nobody_could_deliver_stands_in_no_ones_way(store: Store) -> None:
    news(store, "1", "a")
    store.free_news(NOW)
    settle(store, *(Settled(letter=each, outcome="dead", error="gone") for each in store.claim("telegram", NOW, 10)))

    news(store, "1", "b")
    store.free_news(NOW)

    assert claim(store) == ["b"]


def test_two_nodes_that_begin_late_news_at_once_write_one_letter(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url), open_store(url)]
    for round_ in range(10):
        barrier = threading.Barrier(2)

        def learn(place: int, barrier: threading.Barrier = barrier, round_: int = round_) -> None:
            barrier.wait()
            for name in "12":
                again(lambda: news(stores[place], name, f"{round_}.{place}"))  # noqa: B023 # called at once

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(learn, range(2)))
    stores[0].free_news(NOW)

    told = [sorted(each.split("\n")) for each in claim(stores[0])]
    assert told == [sorted(f"{round_}.{place}" for round_ in range(10) for place in range(2))] * 2


# --- parked, while its reader wrote ---


def test_a_letter_is_not_parked_if_its_reader_wrote_since_it_was_tried(url: str, store: Store) -> None:
    letters = post(store, *(letter(store, "1", words, priority=Priority.DECISION) for words in "ab"))
    waits = [Settled(letter=each, outcome="parked", error="window", counters=("message",)) for each in letters]
    settle(store, waits[0])
    with store.unit(NOW) as unit:  # they write: what is parked by now is told at once
        unit.load([Want(address=chat("1"), parked=True)])
        unit.flush(Changes(credits=[(chat("1"), Credit(name="message", count=5, seconds=60))]))

    settle(store, waits[1])

    assert execute(url, "SELECT id, state FROM outbox ORDER BY id") == [
        (letters[0].id, "parked"),
        (letters[1].id, "waiting"),
    ]
    assert claim(store) == ["b"]


def test_a_letter_is_parked_where_the_last_credit_is_kept_for_others(url: str, store: Store) -> None:
    [mine] = post(store, letter(store, "1", "a"))
    with store.unit(NOW) as unit:
        unit.load([Want(address=chat("1"))])
        unit.flush(Changes(credits=[(chat("1"), Credit(name="message", count=1, seconds=60))]))

    settle(store, Settled(letter=mine, outcome="parked", error="window", counters=("message",), keep=1))

    assert execute(url, "SELECT state FROM outbox") == [("parked",)]
