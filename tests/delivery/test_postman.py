"""The delivery loop, over the real channel to the sandbox's Telegram."""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.channel import Channel, Deferred, Moved, Outcome, Pace, Refused, Retry, Sent, Unreachable
from bot.channels.telegram import Telegram
from bot.delivery import LocalGates, Postman, Toll, passage
from complaints.messages import Address, Enclosure, Fetch, PressAnswer
from complaints.ports import Letter, Priority
from sandbox import Phone, Sandbox

Hire = Callable[..., Awaitable[Postman]]
Letters = Callable[..., Letter]


@pytest.fixture
async def people(sandbox: Sandbox) -> list[Phone]:
    """Eight people who have started the bot."""
    phones = [await sandbox.client.add_person(f"Person {number}") for number in range(8)]
    for phone in phones:
        await phone.start()
    return phones


async def texts(phone: Phone) -> list[str]:
    return [message.text for message in (await phone.transcript()).messages if message.from_bot]


async def test_letters_handed_over_go_out_in_order_to_each_recipient(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    postman = await hire()

    postman.post([letter(phone.id, str(number)) for number in range(20) for phone in people])
    await outbox.until(lambda: len(outbox.of()) == 160)

    for phone in people:
        assert await texts(phone) == [str(number) for number in range(20)]


async def test_order_is_kept_over_faults_of_the_platform(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("500", times=2, method="sendMessage", chat=people[0].id)
    await sandbox.client.add_fault("drop", times=1, method="sendMessage", chat=people[1].id)
    postman = await hire()

    postman.post([letter(phone.id, str(number)) for number in range(5) for phone in people])
    await outbox.until(lambda: len(outbox.of()) == 40)

    for phone in people:
        assert await texts(phone) == [str(number) for number in range(5)]


async def test_a_letter_that_two_commits_hand_over_in_the_wrong_order_is_put_right(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    first, second, third = (letter(people[0].id, text) for text in ("1", "2", "3"))
    postman = await hire()

    postman.post([third])
    postman.post([second])
    postman.post([first])
    await outbox.until(lambda: len(outbox.of()) == 3)

    assert await texts(people[0]) == ["1", "2", "3"]


async def test_what_became_of_a_letter_is_handed_in_while_other_outcomes_wait_to_be_written(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    written = asyncio.Event()

    async def settle(batch: list[tuple[Letter, Outcome]]) -> None:
        if any(told.address.chat == str(people[0].id) for told, _ in batch):
            await written.wait()
        await outbox.settle(batch)

    postman = await hire(settle=settle)

    postman.post([letter(people[0].id)])
    await people[0].wait_for(lambda message: message.text == "hello")
    postman.post([letter(people[1].id)])
    await outbox.until(lambda: len(outbox.of()) == 1)
    written.set()
    await outbox.until(lambda: len(outbox.of()) == 2)


async def test_a_higher_priority_goes_first(hire: Hire, outbox: Any, letter: Letters, people: list[Phone]) -> None:
    postman = await hire()

    postman.post(
        [
            letter(people[0].id, "survey", priority=Priority.SURVEY),
            letter(people[0].id, "progress", priority=Priority.PROGRESS),
            letter(people[0].id, "answer"),
        ]
    )
    await outbox.until(lambda: len(outbox.of()) == 3)

    assert await texts(people[0]) == ["answer", "progress", "survey"]


async def test_a_letter_in_hand_is_not_taken_twice(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    postman, told = await hire(), letter(people[0].id)

    postman.post([told, told])
    postman.post([told])
    await outbox.until(outbox.of)
    await asyncio.sleep(0.1)

    assert await texts(people[0]) == ["hello"]


async def test_what_lies_in_the_outbox_is_found(hire: Hire, outbox: Any, letter: Letters, people: list[Phone]) -> None:
    outbox.put(*[letter(phone.id, str(number)) for number in range(3) for phone in people])

    await hire()
    await outbox.until(lambda: len(outbox.of()) == 24)

    assert await texts(people[3]) == ["0", "1", "2"]
    assert not outbox.waiting


async def test_an_empty_outbox_is_asked_once_a_second_and_at_once_when_nudged(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    postman = await hire()
    await asyncio.sleep(1.6)
    assert outbox.claims <= 4

    outbox.put(letter(people[0].id))
    threading.Thread(target=postman.nudge, args=("telegram",)).start()

    await outbox.until(outbox.of, within=0.5)


async def test_an_outbox_that_is_away_stops_nothing_that_is_handed_over(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    outbox.broken = True
    postman, told = await hire(), letter(people[0].id)

    postman.post([told])
    await people[0].wait_for()
    postman.post([told])  # sent, but nobody could write it down yet
    outbox.broken = False
    await outbox.until(outbox.of)

    assert outbox.of() == [told]
    assert await texts(people[0]) == ["hello"]


# --- what the platform says ---


async def test_who_cannot_be_reached_is_told_and_stops_nobody_else(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    stranger = await sandbox.client.add_person("Stranger")
    await people[0].block()
    await people[1].delete_account()
    postman = await hire()

    postman.post([letter(phone.id) for phone in (*people[:3], stranger)] + [letter(999)])
    await outbox.until(lambda: len(outbox.settled) == 5)

    told = {letter.address.chat: outcome for letter, outcome, _ in outbox.settled}
    assert told[str(people[0].id)] == Unreachable(reason="blocked")
    assert told[str(people[1].id)] == Unreachable(reason="deactivated")
    assert isinstance(told[str(people[2].id)], Sent)
    assert isinstance(told[str(stranger.id)], Unreachable)
    assert told["999"] == Unreachable(reason="not_found")


async def test_a_group_that_moved_is_told_with_its_new_place(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    group = await sandbox.client.add_group("Desk", people[:2], kind="group")
    moved = await group.migrate()
    postman = await hire()

    postman.post([letter(group.id)])
    await outbox.until(lambda: outbox.settled)

    assert outbox.settled[0][1] == Moved(new_chat=str(moved.id))


async def test_a_throttled_chat_rests_alone(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    slow, quick = people[0], people[1]
    await sandbox.client.add_fault("429", method="sendMessage", chat=slow.id, seconds=1)
    postman = await hire()
    begun = outbox.now()

    postman.post([letter(phone.id, str(number)) for number in range(2) for phone in (slow, quick)])
    await outbox.until(lambda: len(outbox.of()) == 2)
    assert outbox.now() - begun < 0.9
    await outbox.until(lambda: len(outbox.of()) == 4)

    assert [told.address.chat for told in outbox.of()] == [str(quick.id)] * 2 + [str(slow.id)] * 2
    assert await texts(slow) == ["0", "1"]
    # what was throttled once is paced for a while: a message a second
    times = [at for told, _, at in outbox.settled if told.address.chat == str(slow.id)]
    assert times[0] - begun >= 1.0
    assert times[1] - times[0] >= 0.9


async def test_a_throttled_bot_rests_in_all_chats(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("429", times=3, method="sendMessage", seconds=1)
    postman = await hire()
    begun = outbox.now()

    postman.post([letter(phone.id) for phone in people[:3]])
    await asyncio.sleep(0.3)
    postman.post([letter(people[5].id, "late")])
    await outbox.until(lambda: len(outbox.of()) == 4)

    assert min(at for _, _, at in outbox.settled) - begun >= 1.0


async def test_a_long_pause_gives_everything_back_in_order(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("429", method="sendMessage", chat=people[0].id, seconds=30)
    postman = await hire()
    first = [letter(people[0].id, str(number)) for number in range(3)]

    postman.post(first)
    await outbox.until(lambda: len(outbox.settled) == 3)
    postman.post([letter(people[0].id, "after"), letter(people[1].id, "other")])
    await outbox.until(lambda: len(outbox.settled) == 5)

    waits = [outcome.after for _, outcome, _ in outbox.settled if isinstance(outcome, Deferred)]
    assert [told.id for told in outbox.of(Deferred)] == [1, 2, 3, 4]
    assert [outcome.pause for _, outcome, _ in outbox.settled[:3]] == ["chat", None, None]
    assert all(29 < wait <= 30 for wait in waits)
    assert [told.address.chat for told in outbox.of()] == [str(people[1].id)]


async def test_a_younger_letter_does_not_overtake_one_that_went_back(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    class Slow:
        """The first passage is far away, all others are at once."""

        def __init__(self) -> None:
            self.asked = 0

        async def __call__(self, tolls: Any) -> float:
            self.asked += 1
            return 0.4 if self.asked == 1 else 0.0

    postman = await hire(gate=Slow(), lease=1.0)  # after a quarter of its lease a letter is given back
    outbox.put(old := letter(people[0].id, "old", unasked=True))
    outbox.taken.add(old.id)
    postman.post([old])
    await outbox.until(lambda: outbox.settled)

    outbox.put(young := letter(people[0].id, "young", unasked=True))
    outbox.taken.add(young.id)
    postman.post([young])
    await outbox.until(lambda: len(outbox.of()) == 2)

    assert await texts(people[0]) == ["old", "young"]


async def test_a_cut_connection_is_tried_again(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("drop", method="sendMessage")
    postman = await hire()

    postman.post([letter(people[0].id)])
    await outbox.until(outbox.of)

    assert await texts(people[0]) == ["hello"]
    assert not outbox.of(Retry)


async def test_a_letter_that_never_works_is_given_up(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("500", times=99, method="sendMessage", chat=people[0].id)
    postman = await hire(tries=2)

    postman.post([letter(people[0].id), letter(people[1].id)])
    await outbox.until(lambda: len(outbox.settled) == 2)

    assert outbox.of(Refused)[0].address.chat == str(people[0].id)
    assert outbox.of()[0].address.chat == str(people[1].id)


async def test_a_long_backoff_goes_back_to_the_outbox_with_all_behind_it(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("500", times=1, method="sendMessage", chat=people[0].id)
    postman = await hire(jitter=lambda: 46.5)

    postman.post([letter(people[0].id), letter(people[0].id, "next")])
    await outbox.until(lambda: len(outbox.settled) == 2)

    (_, retried, _), (_, deferred, _) = outbox.settled
    assert retried == Retry(reason="HTTP 500", after=24.0)
    assert deferred == Deferred(after=24.0)


async def test_after_an_outage_everything_arrives_in_order_and_no_attempt_is_lost(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.set_outage("refuse")
    postman = await hire()
    letters = [letter(phone.id, str(number)) for number in range(10) for phone in people]

    postman.post(letters)
    await asyncio.sleep(0.5)
    assert not outbox.of()
    await sandbox.client.set_outage("none")
    await outbox.until(lambda: len(outbox.of()) == 80)

    for phone in people:
        assert await texts(phone) == [str(number) for number in range(10)]
    assert not outbox.of(Retry)


async def test_the_outage_of_one_channel_is_no_matter_to_another(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], telegram: Telegram
) -> None:
    away = Telegram(token="9:away", api_url="http://127.0.0.1:9", clock=lambda: letter(1).due_at)
    await away.start()
    postman = await hire(channels={"telegram": telegram, "other": away})
    lost = [letter(number, address=Address(channel="other", chat=str(number))) for number in range(200)]

    postman.post(lost + [letter(phone.id) for phone in people])
    await outbox.until(lambda: len(outbox.of()) == 8, within=2.0)

    assert not outbox.of(Refused)
    await away.stop()


async def test_a_wrong_token_rests_the_channel_and_costs_no_letter_an_attempt(
    hire: Hire, outbox: Any, letter: Letters, sandbox: Sandbox
) -> None:
    wrong = Telegram(token="100001:wrong", api_url=sandbox.url, clock=lambda: letter(1).due_at)
    await wrong.start()
    postman = await hire(channels={"telegram": wrong})
    letters = [letter(number) for number in range(100)]

    postman.post(letters)
    await outbox.until(lambda: len(outbox.of(Deferred)) == 100)

    await wrong.stop()


# --- presses, files, and what nobody asked for ---


async def test_a_press_ends_also_while_its_chat_must_rest(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    postman = await hire()
    await sandbox.client.add_fault("429", method="sendMessage", chat=people[0].id, seconds=3)
    postman.post([letter(people[0].id)])
    await asyncio.sleep(0.2)

    postman.post([letter(people[0].id, body=PressAnswer(ref="stale"))])
    await outbox.until(outbox.of, within=1.0)

    assert isinstance(outbox.of()[0].body, PressAnswer)


async def test_a_file_that_the_platform_holds_is_sent_on(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    photo = await people[0].send_photo()
    postman = await hire()
    ref = photo.raw["files"][0]["file_id"] if "files" in photo.raw else "missing"

    postman.post([letter(people[1].id, body=Enclosure(kind="photo", ref=ref, caption="见图"))])
    await outbox.until(lambda: outbox.settled)

    assert isinstance(outbox.settled[0][1], Sent if ref != "missing" else Refused)


async def test_files_are_fetched_a_few_at_a_time_while_messages_go_on(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    running = most = 0
    fails: set[int] = set()
    go = asyncio.Event()

    async def fetch(channel: Channel, told: Letter) -> Outcome:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        if told.id in fails:
            fails.clear()
            raise OSError("no space left")
        return Sent(ref="kept")

    postman = await hire(fetch=fetch)
    errands = [letter(7, body=Fetch(evidence_id=number, ref="x"), priority=Priority.ERRAND) for number in range(4)]
    errands += [letter(8 + number, body=Fetch(evidence_id=9, ref="x"), priority=Priority.ERRAND) for number in range(6)]

    postman.post([*errands, letter(people[0].id)])
    await outbox.until(lambda: len(outbox.of()) == 1)
    assert most == 4
    fails.add(errands[3].id)
    go.set()
    await outbox.until(lambda: len(outbox.of()) == 11)

    assert not fails


async def test_what_nobody_asked_for_is_paced_and_answers_are_not(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    postman = await hire()
    begun = outbox.now()

    postman.post([letter(people[0].id, f"news {number}", unasked=True) for number in range(3)])
    postman.post([letter(people[1].id, str(number)) for number in range(20)])
    await outbox.until(lambda: len(outbox.of()) == 23)

    answers = [at for told, _, at in outbox.settled if not told.unasked]
    news = [at for told, _, at in outbox.settled if told.unasked]
    assert max(answers) - begun < 1.0
    assert news[1] - news[0] >= 0.9
    assert news[2] - news[1] >= 0.9


async def test_news_for_many_keep_the_overall_pace(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    postman = await hire()
    begun = outbox.now()

    postman.post([letter(phone.id, unasked=True) for phone in people])
    postman.post([letter(10_000 + number, unasked=True) for number in range(40)])
    await outbox.until(lambda: len(outbox.settled) == 48)

    # a burst of 5, then 30 a second
    assert 43 / 30 - 0.1 <= outbox.now() - begun <= 43 / 30 + 1.0


async def test_a_gate_that_cannot_be_asked_delays_only_what_nobody_asked_for(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    asked = 0

    async def gate(tolls: Any) -> float:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError("no database")
        return 0.0

    postman = await hire(gate=gate)

    postman.post([letter(people[0].id, "news", unasked=True), letter(people[1].id)])
    await outbox.until(lambda: len(outbox.of()) == 2)

    assert [told.unasked for told in outbox.of()] == [False, True]


async def test_gates_of_a_group_and_of_all_are_passed_in_their_own_pace() -> None:
    gates = LocalGates()
    tolls = [Toll(key="c:-1", pace=Pace(every=3.0)), Toll(key="c", pace=Pace(every=0.1, burst=3))]

    waits = [await gates(tolls) for _ in range(3)]

    assert waits == pytest.approx([0.0, 3.0, 6.0], abs=0.05)
    assert passage(0.0, 100.0, Pace(every=2.0, burst=2)) == (100.0, 102.0)
    assert passage(104.0, 100.0, Pace(every=2.0, burst=2)) == (102.0, 106.0)


# --- stopping ---


async def test_stopping_finishes_what_is_under_way_and_gives_back_the_rest(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("hang", method="sendMessage", seconds=0.3)
    postman = await hire()
    letters = [letter(people[0].id, str(number)) for number in range(3)]

    postman.post(letters)
    await asyncio.sleep(0.1)
    await postman.stop()
    postman.post([letter(people[1].id)])

    assert outbox.of() == letters[:1]
    assert outbox.of(Deferred) == letters[1:]


async def test_stopping_does_not_wait_for_ever(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("hang", method="sendMessage", seconds=9)
    postman = await hire()
    postman.post([letter(people[0].id)])
    await asyncio.sleep(0.1)
    begun = outbox.now()

    await postman.stop(within=0.3)

    assert outbox.now() - begun < 1.5
    assert isinstance(outbox.settled[0][1], Retry)


async def test_a_letter_for_a_channel_that_is_not_there_is_refused(hire: Hire, outbox: Any, letter: Letters) -> None:
    postman = await hire()

    postman.post([letter(1, address=Address(channel="pigeon", chat="1"))])
    await outbox.until(lambda: outbox.settled)

    assert outbox.settled[0][1] == Refused(error="there is no channel pigeon")


@pytest.mark.parametrize("seed", [1])
async def test_whatever_goes_wrong_every_letter_arrives_once_and_in_order(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox, seed: int
) -> None:
    chance = random.Random(seed)
    postman = await hire(lease=6.0, jitter=chance.random)  # after 1.5 s a letter is given back
    for kind in ("500", "502", "drop", "drop", "429"):
        await sandbox.client.add_fault(kind, method="sendMessage", chat=chance.choice(people).id)
    written: dict[str, list[str]] = {str(phone.id): [] for phone in people}

    for number in range(40):
        told = letter(chance.choice(people).id, str(number))
        written[told.address.chat].append(str(number))
        outbox.put(told)
        if chance.random() < 0.9 or 10 < number <= 25:  # else it is left to the claim, as after a crash
            outbox.taken.add(told.id)
            postman.post([told])
        else:
            await outbox.until(lambda told=told: told in outbox.of(), within=20)
        if number == 10:
            await sandbox.client.set_outage("refuse")
        if number == 25:
            await sandbox.client.set_outage("none")
        await asyncio.sleep(chance.random() * 0.01)
    await outbox.until(lambda: len(outbox.of()) == 40, within=30)

    for phone in people:
        assert await texts(phone) == written[str(phone.id)]


async def test_the_count_by_which_the_outbox_knows_a_letter_is_left_alone(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone], sandbox: Sandbox
) -> None:
    await sandbox.client.add_fault("500", method="sendMessage")
    postman, told = await hire(), letter(people[0].id, attempts=7)

    postman.post([told])
    await outbox.until(outbox.of)

    assert told.attempts == 7


async def test_a_letter_whose_lease_ran_out_unsettled_is_settled_under_the_new_one(
    hire: Hire, outbox: Any, letter: Letters, people: list[Phone]
) -> None:
    outbox.unwritable = True
    postman, told = await hire(), letter(people[0].id, attempts=1)
    postman.post([told])
    await people[0].wait_for()

    outbox.put(letter(people[0].id, id=told.id, attempts=2))
    while told.id not in outbox.taken:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # the claim hands over what it took
    outbox.unwritable = False
    await outbox.until(outbox.of)
    await asyncio.sleep(0.3)

    assert await texts(people[0]) == ["hello"]
