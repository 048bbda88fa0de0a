"""Playing: what people say and do, in the order of time, with everything that falls due in between."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bot.stories import judging
from bot.stories.judging import Finding
from bot.stories.script import CUSTOMER, WAIT, Deed, Message, Script, Story, people
from bot.stories.theatre import Line, Refused, Stopped, Theatre
from bot.stories.world import case_id
from complaints.calendar import WorkCalendar
from complaints.case import Case
from complaints.conversation import DESK
from complaints.errors import Misconfigured
from complaints.policy import Days, Policy
from handlers import rights
from policies.calendars import work_calendar
from policies.checker import Problem
from policies.loader import load

log = structlog.get_logger("bot.stories")

#: The messengers of a story, and the channel of ours that each is.
_MESSENGERS: Final = {"telegram": "telegram", "wechat": "wechat", "wecom": "wecom", "bot": "telegram"}
#: Where a complaint comes from that a member of the staff enters.
_ENTERED: Final = ("desk", "phone", "letter", "counter")
#: The same, where somebody outside passes it on: `miit_forwarded` for the kind `miit` of the policy's `external`.
_FORWARDED: Final = "_forwarded"
#: What customers do beside the moves that are theirs.
_CUSTOMERS: Final = ("say", "press", "submit", WAIT)
_REGISTER: Final = "register"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a story: the finding of each expectation, the transcript, and what is wrong with the story."""

    id: str
    path: Path
    company: str = ""
    zone: str = "UTC"
    findings: list[Finding] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """How many expectations held."""
        return sum(each.ok is True for each in self.findings)

    @property
    def failed(self) -> int:
        """How many expectations failed."""
        return sum(each.ok is False for each in self.findings)

    @property
    def later(self) -> int:
        """How many expectations were not checked."""
        return sum(each.ok is None for each in self.findings)

    @property
    def well(self) -> bool:
        """Tell whether everything that could be checked held."""
        return not self.failed and not self.problems


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Entry:
    """One thing that happens in a story; at one moment messages come first, in the order in which they are written."""

    at: datetime
    deed: bool
    index: int

    @property
    def place(self) -> tuple[str | int, ...]:
        return ("staff" if self.deed else "messages", self.index)


def play(script: Script, folder: Path) -> Outcome:
    """Play a story at a desk with the policies of that folder, and judge it; the outcome says what is wrong."""
    story = script.story
    outcome = Outcome(id=story.id, path=script.path, company=story.rules)
    try:
        policy = _policy(script, folder)
    except Misconfigured as error:
        place = ("policy",) if story.policy else ("regime",)
        outcome.problems = [script.problem(place, each) for each in error.problems]
        return outcome
    outcome.company, outcome.zone = policy.id, policy.hours.zone
    outcome.problems = [*_mistakes(script, policy), *judging.mistakes(script, policy)]
    if outcome.problems:
        return outcome
    entries = _entries(story)
    begins = min([each.at for each in entries] + ([story.start] if story.start is not None else []))
    now = begins.replace(tzinfo=ZoneInfo(policy.hours.zone)).astimezone(UTC)
    with Theatre.opened(policy, _calendars(story, policy, folder), folder / "wording", now) as theatre:
        _Player(script, theatre).play(entries, outcome)
        outcome.lines = theatre.seen.lines
        if not outcome.problems:
            outcome.findings = judging.judge(script, theatre)
    return outcome


def _policy(script: Script, folder: Path) -> Policy:
    name = script.story.rules
    if not name:
        raise Misconfigured("The story names no policy: write `regime: ID`, or `policy:` with the path of a file.")
    beside = script.path.parent / name
    return load(beside if beside.suffix in (".yaml", ".yml") and beside.is_file() else name, folder)


def _calendars(story: Story, policy: Policy, folder: Path) -> dict[str, WorkCalendar]:
    """Return the calendar of the company, without a name, and those of its people, with the days of the story."""
    free = [Days(first=each, last=each) for each in story.calendar.holidays]
    worked = [Days(first=each, last=each) for each in story.calendar.worked]
    return {
        name: work_calendar(
            hours.model_copy(update={"closed": [*hours.closed, *free], "worked": [*hours.worked, *worked]}),
            folder / "calendars",
        )
        for name, hours in {"": policy.hours, **policy.calendars}.items()
    }


def _entries(story: Story) -> list[_Entry]:
    said = [_Entry(at=each.at, deed=False, index=index) for index, each in enumerate(story.messages)]
    done = [_Entry(at=each.at, deed=True, index=index) for index, each in enumerate(story.staff)]
    return sorted([*said, *done])


def _people(story: Story, policy: Policy) -> set[str]:
    """Return the names of the customers: whoever writes and is no role."""
    names = {CUSTOMER, *(name for each in story.messages for name in people(each.from_))}
    return names - {role.id for role in policy.routing.roles}


def _mistakes(script: Script, policy: Policy) -> Iterator[Problem]:
    """Return what the story asks for and the policy does not have."""
    story = script.story
    if not story.messages and not story.staff:
        yield script.problem((), "Nothing happens in this story.", "Write what is said under `messages`.")
    channels = [*_MESSENGERS, *_ENTERED]
    if policy.external is not None:
        channels += [name for each in policy.external.kinds for name in (each.id, f"{each.id}{_FORWARDED}")]
    if story.channel not in channels:
        yield script.problem(("channel",), f"There is no channel {story.channel!r}.", f"There are: {_all(channels)}.")
    given: list[tuple[tuple[str | int, ...], str]] = [(("answers", name), name) for name in story.answers]
    for index, message in enumerate(story.messages):
        given += [(("messages", index, "answers", name), name) for name in message.answers]
    for place, name in given:
        if name != "type" and not policy.form.has(name):
            known = _all(["type", *(each.id for each in policy.form.fields)])
            yield script.problem(place, f"The form has no field {name!r}.", f"It has: {known}.")
    roles = [role.id for role in policy.routing.roles]
    customers = sorted(_people(story, policy))
    moves = [each.id for each in policy.lifecycle.moves]
    theirs = [*_CUSTOMERS, *(each.id for each in policy.lifecycle.moves if CUSTOMER in each.by)]
    for index, each in enumerate(story.staff):
        who, do = ("staff", index, "who"), ("staff", index, "do")
        if each.do == WAIT:
            continue
        if each.who not in roles and not {*people(each.who)} <= {*customers}:
            yield script.problem(
                who, f"Nobody is {each.who!r} here.", f"Roles: {_all(roles)}. Customers: {_all(customers)}."
            )
        elif each.who not in roles and each.do not in theirs:
            yield script.problem(do, f"A customer cannot do {each.do!r}.", f"Customers can: {_all(theirs)}.")
        elif each.who in roles and each.do not in (*moves, *rights.ACTS, _REGISTER):
            known = f"Acts: {_all(list(dict.fromkeys([*rights.ACTS, _REGISTER, WAIT])))}. Moves: {_all(moves)}."
            yield script.problem(do, f"There is no act and no move {each.do!r}.", known)


def _all(names: list[str]) -> str:
    return ", ".join(names) or "none"


class _Player:
    """Plays the entries of one story."""

    def __init__(self, script: Script, theatre: Theatre) -> None:
        self._script, self._story, self._theatre = script, script.story, theatre
        self._people = _people(script.story, theatre.policy)
        self._answers: dict[str, dict[str, str]] = {}
        self._channel = _MESSENGERS.get(script.story.channel, DESK)

    def play(self, entries: list[_Entry], outcome: Outcome) -> None:
        """Play everything, and let time go on until the story ends."""
        place: tuple[str | int, ...] = ()
        try:
            for number, entry in enumerate(entries):
                place = entry.place
                self._theatre.until(self._theatre.aware(entry.at), with_it=False)
                if entry.deed:
                    self._deeds(self._story.staff[entry.index])
                else:
                    self._message(self._story.messages[entry.index], entries[number + 1 :])
            place = ("until",)
            self._theatre.until(
                self._theatre.now if self._story.until is None else self._theatre.aware(self._story.until)
            )
        except Stopped as error:
            outcome.problems.append(self._script.problem(place, error.message, error.cure))
        except Exception as error:  # other stories must still be played
            log.exception("story_failed", story=self._story.id)
            message = f"The desk failed: {type(error).__name__}: {error}."
            cure = "This is a mistake of Plaint, not of the story: the log holds it."
            outcome.problems.append(self._script.problem(place, message, cure))

    def _message(self, message: Message, coming: list[_Entry]) -> None:
        for who in people(message.from_):
            self._answers[who] = {**self._story.answers, **self._answers.get(who, {}), **message.answers}
            self._say(who, message.text, message.files, message.press)
            if who in self._people and self._channel != DESK:
                self._settle(who, coming)

    def _say(self, who: str, text: str, files: list[str], press: str) -> None:
        if who in self._people and self._channel == DESK:
            self._enter(who, text)
        elif press:
            self._theatre.press(who, self._channel, press)
        else:
            self._theatre.say(who, self._channel, text, files=files)

    def _enter(self, who: str, text: str) -> None:
        """Let reception write down what a customer says who has no chat."""
        theatre, reception = self._theatre, self._theatre.policy.routing.reception
        if who in theatre.entered:
            theatre.act(reception, theatre.case(theatre.entered[who]), "note", {"text": text})
            return
        theatre.register(reception, text, who, made_up=True)
        external, channel = theatre.policy.external, self._story.channel
        kinds = [each.id for each in external.kinds] if external is not None else []
        if channel in kinds or channel.endswith(_FORWARDED):
            kind = channel if channel in kinds else channel.removesuffix(_FORWARDED)
            theatre.act(reception, theatre.case(theatre.entered[who]), "external", {"detail": kind, "text": text})

    def _settle(self, who: str, coming: list[_Entry]) -> None:
        """Let a customer do what the story leaves open: agree, and, once they have had their say, complete the form."""
        theatre, story = self._theatre, self._story
        if story.form == "none":
            return
        following = story.messages[coming[0].index] if coming and not coming[0].deed else None
        more = following if following is not None and who in people(following.from_) else None
        if more is None or not (more.press or theatre.answers_notice(who, more.text)):
            theatre.consent(who, self._channel)
        if more is not None or story.form == "consent":
            return
        deeds = [story.staff[each.index] for each in coming if each.deed]
        submits = any(who in people(each.who) and each.do == "submit" for each in deeds)
        if submits and story.form != "review":
            return
        theatre.fill(who, self._channel, self._answers[who], send=story.form == "complete")

    def _deeds(self, deed: Deed) -> None:
        """Let everybody do it who is meant, with every case that is."""
        for who in people(deed.who):
            for case in people(deed.case):
                self._deed(deed.model_copy(update={"who": who, "case": case}))

    def _deed(self, deed: Deed) -> None:
        if deed.do == WAIT:
            self._theatre.note(deed.who or "—", "▸ wait")
        elif deed.do == _REGISTER:
            self._theatre.register(deed.who, deed.with_.get("text", ""), deed.with_.get("customer", CUSTOMER))
        else:
            self._try(deed)

    def _try(self, deed: Deed) -> None:
        """Let somebody do something; what the story says is refused must be, and is noted."""
        reason = ""
        try:
            if deed.who in self._people:
                self._customer(deed)
            else:
                self._theatre.act(deed.who, self._case(deed.case), deed.do, deed.with_)
        except Refused as error:
            if not deed.refused:
                raise
            reason = error.message
            self._theatre.note(deed.who, f"is refused: {reason}")
        if deed.refused:
            self._theatre.seen.attempts.append((f"{deed.who} {deed.do}", reason))

    def _customer(self, deed: Deed) -> None:
        theatre, who, values = self._theatre, deed.who, deed.with_
        if deed.do == "say":
            self._say(who, values.get("text", ""), [each for each in values.get("files", "").split(",") if each], "")
        elif deed.do == "press":
            self._say(who, "", [], values.get("label", ""))
        elif deed.do == "submit":
            if not theatre.speaks(who):
                raise Stopped(f"{who} has not said anything yet.", "Let them complain first, under `messages`.")
            theatre.fill(who, self._channel, self._answers.get(who, self._story.answers), send=True)
        elif who in theatre.entered:
            case = self._case(deed.case or who)
            theatre.act(self._caller(case), case, deed.do, values)
        else:
            theatre.move(who, self._channel, self._case(deed.case) if deed.case else self._latest(who), deed.do,
                       values.get("text", ""))  # fmt: skip

    def _caller(self, case: Case) -> str:
        """Return who writes down what a customer decides who has no chat: the owner, else reception."""
        with self._theatre.turn(case.id) as turn:
            owner = turn.owner(turn.scene.cases[case.id])
        return owner.name if owner is not None else self._theatre.policy.routing.reception

    def _latest(self, who: str) -> Case:
        cases = self._theatre.cases_of(who) if self._theatre.speaks(who) else []
        if not cases:
            raise Stopped(f"{who} has no case.", "Let them complain first, under `messages`.")
        return next((each for each in reversed(cases) if each.active), cases[-1])

    def _case(self, named: str) -> Case:
        try:
            return self._theatre.case(case_id(self._theatre, named))
        except LookupError as error:
            raise Stopped(str(error.args[0]), "`case` is a number, or the name of a customer.") from error
