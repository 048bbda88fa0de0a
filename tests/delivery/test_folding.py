"""Channels that count: letters that wait for one reader go out as one, some are parked, some travel in another way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.channel import Delivery, Limits, Outcome, Pace, Parked, Refused, Reply, Retry, Sent, Sink
from bot.delivery import Postman
from complaints.errors import Unavailable
from complaints.messages import Choice, Enclosure, IncomingMessage, OutgoingMessage
from complaints.ports import Letter, Priority

Hire = Callable[..., Awaitable[Postman]]
Letters = Callable[..., Letter]
RULE = "\n\n──────────\n\n"


@dataclass
class Raven:
    """A messenger that counts. It says to each letter what `answers` says next, and takes it where that says nothing."""

    limits: Limits
    answers: list[Outcome | Exception] = field(default_factory=list)
    said: list[Letter] = field(default_factory=list)
    wait: float = 0.0
    name: str = "telegram"

    async def send(self, letter: Letter) -> Outcome:
        self.said.append(letter)
        await asyncio.sleep(self.wait)
        answer = self.answers.pop(0) if self.answers else Sent(ref=f"m{letter.id}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def verify(self, delivery: Delivery) -> Reply:
        return Reply()

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        return []

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        return Reply()

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        return Sent()

    async def ping(self) -> Outcome:
        return Sent()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def raven(*, buttons: int = 0, text: int = 2048, folds: bool = True, pace: float = 0.001, **given: Any) -> Raven:
    quick = Pace(every=pace, burst=1 if pace > 0.1 else 100)
    limits = Limits(text=text, token=64, file=1, overall=quick, chat=quick, group=quick, buttons=buttons, folds=folds)
    return Raven(limits, **given)


def choosing(text: str, *labels: str, first: int = 1, **more: Any) -> OutgoingMessage:
    rows = tuple((Choice(label=label, token=label, number=at),) for at, label in enumerate(labels, first))
    return OutgoingMessage(text=text, choices=rows, **more)


def texts(channel: Raven) -> list[str]:
    return [letter.body.plain for letter in channel.said if isinstance(letter.body, OutgoingMessage)]


async def test_letters_in_hand_for_one_reader_go_out_as_one_message_and_each_is_settled(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven()
    postman = await hire(channels={"telegram": channel})
    letters = [letter("a", "1"), letter("b", "other"), letter("a", "2"), letter("a", "3")]

    postman.post(letters)
    await outbox.until(lambda: len(outbox.of()) == 4)

    assert sorted(texts(channel)) == sorted([f"1{RULE}2{RULE}3", "other"])
    assert sorted(each.id for each in outbox.of()) == [1, 2, 3, 4]


async def test_a_channel_that_does_not_fold_says_each_by_itself(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(folds=False)
    postman = await hire(channels={"telegram": channel})

    postman.post([letter("a", "1"), letter("a", "2")])
    await outbox.until(lambda: len(outbox.of()) == 2)

    assert texts(channel) == ["1", "2"]


async def test_priorities_are_not_mixed_and_a_file_stays_in_its_place(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven()
    postman = await hire(channels={"telegram": channel})
    first, file = letter("a", "1"), letter("a", body=Enclosure(kind="photo", ref="x"))
    survey = letter("a", "s", priority=Priority.SURVEY)

    postman.post([first, file, letter("a", "2"), letter("a", "3"), survey])
    await outbox.until(lambda: len(outbox.of()) == 5)

    assert texts(channel) == ["1", f"2{RULE}3", "s"]
    assert channel.said[1] is file


async def test_what_does_not_fit_goes_next(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(text=200)
    postman = await hire(channels={"telegram": channel})

    postman.post([letter("a", "字" * 30), letter("a", "字" * 12), letter("a", "字" * 60)])  # three bytes each
    await outbox.until(lambda: len(outbox.of()) == 3)

    assert [len(text.encode()) <= 200 for text in texts(channel)] == [True, True]
    assert texts(channel) == ["字" * 30 + RULE + "字" * 12, "字" * 60]


async def test_choices_that_are_typed_stay_below_the_words_they_belong_to(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven()
    postman = await hire(channels={"telegram": channel})
    page = OutgoingMessage(text="Here", choices=((Choice(label="Page", url="https://p.example"),),), about="A-1")

    postman.post(
        [
            letter("a", body=choosing("Which?", "left", "right", hint="(reply)", about="A-1")),
            letter("a", body=page),
            letter("a", body=choosing("Sure?", "yes", "no", first=3, hint="(reply)", about="A-1")),
        ]
    )
    await outbox.until(lambda: len(outbox.of()) == 3)

    (said,) = channel.said
    assert isinstance(said.body, OutgoingMessage)
    assert texts(channel) == [f"Which?\n1. left\n2. right\n(reply){RULE}Here{RULE}Sure?\n3. yes\n4. no\n(reply)"]
    assert [choice.label for row in said.body.choices for choice in row] == ["Page", "yes", "no"]
    assert said.body.about == "A-1"


async def test_where_there_are_buttons_only_what_had_to_wait_goes_together(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven(buttons=10, pace=0.3)
    postman = await hire(channels={"telegram": channel})

    postman.post([letter("a", str(number), unasked=True) for number in range(3)])
    postman.post([letter("b", "x"), letter("b", "y")])
    await outbox.until(lambda: len(outbox.of()) == 5)

    assert [text for each, text in zip(channel.said, texts(channel), strict=True) if each.address.chat == "b"] == [
        "x",
        "y",
    ]
    assert [text for each, text in zip(channel.said, texts(channel), strict=True) if each.address.chat == "a"] == [
        "0",
        f"1{RULE}2",
    ]


@pytest.mark.parametrize(("second", "kept"), [(False, ["take"]), (True, [])])
async def test_buttons_stay_where_it_is_plain_what_they_belong_to(
    hire: Hire, outbox: Any, letter: Letters, second: bool, kept: list[str]
) -> None:
    channel = raven(buttons=10, pace=0.3)
    postman = await hire(channels={"telegram": channel})
    take = OutgoingMessage(text="new case", choices=((Choice(label="take", token="t"),),))

    postman.post(
        [
            letter("a", "first", unasked=True),
            letter("a", body=take, unasked=True, card=True),
            letter("a", "note", **({"body": take} if second else {}), unasked=True),
        ]
    )
    await outbox.until(lambda: len(outbox.of()) == 3)

    body = channel.said[-1].body
    assert isinstance(body, OutgoingMessage)
    assert [choice.label for row in body.choices for choice in row] == kept


async def test_a_card_keeps_its_ref_only_where_it_stands_alone(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven()
    postman = await hire(channels={"telegram": channel})
    alone, one, two = letter("a", card=True), letter("b", card=True), letter("b")

    postman.post([alone, one, two])
    await outbox.until(lambda: len(outbox.of()) == 3)

    refs = {told.id: outcome.ref for told, outcome, _ in outbox.settled}
    assert refs == {alone.id: f"m{alone.id}", one.id: "", two.id: ""}


async def test_a_parked_letter_leaves_the_line_and_is_no_failure(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(folds=False, answers=[Parked(reason="window", noticed=True)] * 5)
    postman = await hire(channels={"telegram": channel})

    postman.post([letter("a", str(number)) for number in range(6)])
    await outbox.until(lambda: len(outbox.settled) == 6)

    assert [type(outcome) for _, outcome, _ in outbox.settled] == [Parked] * 5 + [Sent]
    assert texts(channel) == ["0", "1", "2", "3", "4", "5"]


async def test_letters_that_go_together_are_parked_together(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(answers=[Parked(reason="window")])
    postman = await hire(channels={"telegram": channel})
    letters = [letter("a", "1"), letter("a", "2")]

    postman.post(letters)
    await outbox.until(lambda: len(outbox.settled) == 2)

    assert [(told, outcome) for told, outcome, _ in outbox.settled] == [
        (each, Parked(reason="window")) for each in letters
    ]


async def test_what_failed_together_is_tried_again_with_what_came_meanwhile_in_order(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven(answers=[Retry(reason="busy", after=0.2)], wait=0.05)
    postman = await hire(channels={"telegram": channel})

    postman.post([letter("a", "1"), letter("a", "2")])
    await asyncio.sleep(0.1)
    postman.post([letter("a", "3")])
    await outbox.until(lambda: len(outbox.of()) == 3)

    assert texts(channel) == [f"1{RULE}2", f"1{RULE}2{RULE}3"]
    assert not outbox.of(Retry)


async def test_only_the_first_of_those_that_fail_together_is_given_up(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(answers=[Retry(reason="busy", after=0.05), Retry(reason="busy", after=0.05)])
    postman = await hire(channels={"telegram": channel}, tries=2)
    letters = [letter("a", "1"), letter("a", "2")]

    postman.post(letters)
    await outbox.until(lambda: len(outbox.settled) == 2)

    assert outbox.of(Refused) == letters[:1]
    assert outbox.of() == letters[1:]


async def test_stopping_gives_back_what_failed_together(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(answers=[Retry(reason="busy", after=0.2)], wait=0.3)
    postman = await hire(channels={"telegram": channel})
    letters = [letter("a", "1"), letter("a", "2")]

    postman.post(letters)
    await asyncio.sleep(0.1)
    await postman.stop()

    assert sorted(told.id for told, _, _ in outbox.settled) == [each.id for each in letters]
    assert not outbox.of()


async def test_a_database_that_is_away_costs_a_letter_nothing(hire: Hire, outbox: Any, letter: Letters) -> None:
    channel = raven(answers=[Unavailable()])
    postman = await hire(channels={"telegram": channel}, tries=1)

    postman.post([letter("a")])
    await outbox.until(outbox.of)

    assert texts(channel) == ["hello", "hello"]
    assert not outbox.of(Refused)


# --- what goes another way, and what lies in the outbox ---


async def test_what_reached_its_reader_another_way_is_settled_as_sent_and_not_taken_again(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven()
    outbox.broken = True
    postman, told = await hire(channels={"telegram": channel}), letter("a")

    postman.carried([told])
    postman.post([told])
    await asyncio.sleep(0.1)
    outbox.broken = False
    await outbox.until(outbox.of)

    assert outbox.of() == [told]
    assert channel.said == []


async def test_what_a_commit_left_in_the_outbox_is_found_soon_and_not_at_every_commit(
    hire: Hire, outbox: Any, letter: Letters
) -> None:
    channel = raven(folds=False)
    postman = await hire(channels={"telegram": channel})
    await asyncio.sleep(1.3)  # the outbox is empty, and looked into once a second
    before = outbox.claims

    outbox.put(letter("a"))
    postman.expect("telegram")
    await outbox.until(outbox.of, within=0.3)
    for _ in range(50):
        postman.expect("telegram")
        await asyncio.sleep(0.01)

    assert outbox.claims - before <= 6
    postman.expect("pigeon")
