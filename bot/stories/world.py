"""The world of a story as it was seen: its cases, their journals and clocks, and what people were told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.stories.theatre import Theatre, Told
from complaints.approvals import chain
from complaints.case import Case
from complaints.events import Event

_YES: Final = {True: "yes", False: "no"}
#: The last minute of a day, as stories write its end.
_LAST: Final = "23:59"
_MINUTE: Final = timedelta(minutes=1)
_DATED: Final = ("clock_started", "clock_redated", "clock_extended", "clock_resumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a clock: when it started, and the dates it has had, the last one last."""

    name: str
    start: datetime
    dues: list[datetime] = field(default_factory=list)


class World:
    """What was seen in a story, as expectations ask for it. Its case is the first that was opened."""

    def __init__(self, theatre: Theatre, start: datetime) -> None:
        self.theatre, self.policy, self.start = theatre, theatre.policy, start
        self.told: list[Told] = theatre.seen.told
        self.cases: list[Case] = [theatre.case(each) for each in theatre.seen.cases]
        self.case = self.cases[0]
        self.journal: list[Event] = theatre.journal(self.case.id)
        with theatre.turn(self.case.id) as turn:
            case = turn.scene.cases[self.case.id]
            self.facts: dict[str, Any] = dict(turn.facts(case))  # Any: facts of all kinds
            self.language = turn.conversation_of(case).words.language
        self.runs = [run for case in self.cases for run in _runs(theatre.journal(case.id))]

    def shown(self, moment: datetime) -> str:
        """Return a moment as the story writes it."""
        return self.theatre.shown(moment)

    def same(self, moment: datetime, expected: datetime) -> bool:
        """Tell whether a moment is the one that a story means, to the minute; a day ends at 23:59 as at 24:00."""
        meant = f"{expected:%Y-%m-%d %H:%M}"
        return self.shown(moment) == meant or (
            meant.endswith(_LAST) and self.shown(moment) == f"{expected + _MINUTE:%Y-%m-%d %H:%M}"
        )

    def happened(self, name: str) -> list[datetime]:
        """Return when a state was entered, a move made, or something of the journal happened.

        Where a state has the name of an event, it is the state that is meant.
        """
        return self.happened_to(self.case, name)

    def happened_to(self, case: Case, name: str) -> list[datetime]:
        """The same of another case of the story."""
        lifecycle = self.policy.lifecycle
        own = {*(each.id for each in lifecycle.states), *(each.id for each in lifecycle.moves)}
        journal = self.journal if case is self.case else self.theatre.journal(case.id)
        found = [case.opened_at] if name == lifecycle.first else []
        return found + [event.at for event in journal if name in _names(event)[name in own :]]

    def people(self, name: str) -> list[str]:
        """Return whom a name means: a customer, a role, the roles of a part, or the department."""
        if name in ("department", "owner"):
            return self.departments
        return [name, *(role for parts in self.parts for role in parts.get(name, ()))]

    def letters(self, to: str) -> list[Told]:
        """Return what somebody was told since the story began."""
        people = self.people(to)
        return [each for each in self.told if each.to in people and each.at >= self.start]

    @property
    def duties(self) -> list[Run]:
        """The duties of the time of the story, as runs of clocks; each begins with its period."""
        return [Run(name=each.duty, start=each.began_at, dues=[each.due_at]) for each in self.theatre.duties()]

    @property
    def parts(self) -> list[dict[str, list[str]]]:
        """Who had which part in the case: now, and after each change."""
        return [self.case.facts.parts, *(event.facts["parts"] for event in self.journal if event.name == "parted")]

    @property
    def departments(self) -> list[str]:
        """The departments that the case was sent to; where it was sent nowhere, the one that has it."""
        assigned = [event.facts["department"] for event in self.journal if event.name == "assigned"]
        return assigned or [self.case.department]

    @property
    def asked(self) -> list[tuple[str, list[str]]]:
        """The approvals that were asked for in the story, each with its steps as they were at any time."""
        events = [event for event in self.journal if event.name in ("approval_asked", "approval_changed")]
        return [(event.facts["approval"], event.facts["steps"]) for event in events]

    def due_to_be_asked(self, reading: str = "") -> list[tuple[str, list[str]]]:
        """Return the approvals that the case would need, with their steps, under a reading of the rule book."""
        readings = {name: reading for name, each in self.policy.readings.items() if reading in each.of}
        facts = self.facts | readings
        chains = [(each, chain(each, facts)) for each in self.policy.approvals if each.when.holds(facts)]
        return [(each.id, [str(step) for step in steps]) for each, steps in chains if steps]

    @property
    def signing(self) -> list[tuple[str, set[str]]]:
        """The approvals that were asked for, or would be, each with everyone who has to sign it."""
        found = [*self.asked, *self.due_to_be_asked()]
        return [(name, {role for step in steps for role in re.split(r"[+|]", step)}) for name, steps in found]

    def called(self, name: str) -> set[str]:
        """Return what a grade of the case is called: its id, in small letters and large ones, and its titles."""
        grades = self.policy.taxonomy.grades.get(name, [])
        now = next((each for each in grades if each.id == self.case.facts.grades.get(name)), None)
        if now is None:
            return set()
        return {now.id, now.id.upper(), *(now.title[language] for language in self.policy.languages)}

    def expedited(self, approval: str, reading: str = "") -> bool:
        """Tell whether the last step of an approval is expedited, for the case as it is."""
        facts = self.facts | {name: reading for name, each in self.policy.readings.items() if reading in each.of}
        steps = chain(self.policy.approval(approval), facts)
        return steps is not None and bool(steps) and steps[-1].expedited

    def fact(self, name: str) -> object:
        """Return a grade, or another fact of the case; `amount_…` is its amount, a flag whether the case has it."""
        if name in self.case.facts.grades:
            return self.case.facts.grades[name]
        if any(flag.id == name for flag in self.policy.taxonomy.flags):
            return name in self.case.facts.flags
        if name in self.facts:
            return self.facts[name]
        return self.facts["amount"] if name.startswith("amount_") else None


def _names(event: Event) -> list[str]:
    """Return every name under which a line of the journal happened."""
    facts, named = event.facts, [event.name]
    if event.name in ("moved", "did"):
        named.append(facts["move"])
    if event.name == "moved":
        named.append(facts["to"])
    elif event.name == "clock_breached":
        named.append(f"breached.{facts['clock']}")
    elif event.name == "flagged":
        named.append(f"flagged.{facts['flag']}")
    elif event.name == "approval_closed":
        named.append(f"{facts['approval']}.{facts['outcome']}")
    return named


def _runs(journal: Sequence[Event]) -> list[Run]:
    found: dict[str, list[Run]] = {}
    for event in journal:
        name, due = event.facts.get("clock", ""), event.facts.get("due_at")
        if event.name == "clock_started":
            run = Run(name=name, start=datetime.fromisoformat(event.facts["started_at"]))
            found.setdefault(name, []).append(run)
        if name in found and due and event.name in _DATED:
            found[name][-1].dues.append(datetime.fromisoformat(due))
    return [run for runs in found.values() for run in runs]


def case_id(theatre: Theatre, named: str) -> int:
    """Return the case of that number (1 is the first that was opened) or customer; none named: the first.

    LookupError if there is none.
    """
    if not named or named.isdigit():
        number = int(named or 1)
        if not 0 < number <= len(theatre.seen.cases):
            raise LookupError(f"There is no case {number}: {len(theatre.seen.cases)} were opened.")
        return theatre.seen.cases[number - 1]
    if named in theatre.entered:
        return theatre.entered[named]
    cases = theatre.cases_of(named) if theatre.speaks(named) else []
    if not cases:
        raise LookupError(f"{named} has no case.")
    return cases[-1].id


def said(value: object) -> str:
    """Return a value as a story would write it."""
    if isinstance(value, bool):
        return _YES[value]
    if isinstance(value, dict):
        return ", ".join(f"{name}: {said(each)}" for name, each in value.items())
    if isinstance(value, set):
        return ", ".join(sorted(map(said, value))) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(said, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def alike(expected: str, seen: object) -> bool:
    """Tell whether a fact is what a story says: a number in any spelling, `yes` or `no` for a truth."""
    if isinstance(seen, list):
        return expected in seen
    if isinstance(seen, bool):
        return expected in (_YES[seen], str(seen).lower())
    if isinstance(seen, str) or seen is None:
        return expected == (seen or "")
    try:
        return float(expected) == float(str(seen))
    except ValueError:
        return False
