"""Checks: what `outcome` says must be at the end of a story, and `must_not` says must not.

Each check has a name and says what it wants; both keys know the same ones. `docs/how-to/write-a-story.md` lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.stories.script import Plain
from bot.stories.world import World, alike, said
from complaints.case import REMEDIES
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.clauses.model import Several
from complaints.events import EVENTS
from complaints.policy import Policy

#: Whether it holds, and what was seen.
Seen = tuple[bool, str]
_SHOWN: Final = 3


class _Ask(BaseModel):
    """What stands after a check. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Happening(_Ask):
    """Something that happened: a state, a move or an event, and when; before or after the first time of another."""

    what: str
    at: datetime | None = None
    before: str = ""
    after: str = ""


class Count(_Ask):
    """Something that happened, and to how many cases."""

    what: str
    cases: int


class Letter(_Ask):
    """A message to somebody, with these words in it; before or after something happened."""

    to: str
    says: Several = []
    at: datetime | None = None
    before: str = ""
    after: str = ""


class Date(_Ask):
    """A clock that is due then."""

    clock: str
    at: datetime


class Other(_Ask):
    """Another complaint of the same customer."""

    type: str = ""
    at: datetime | None = None


class Asked(_Ask):
    """A field that was asked for; before or after something happened."""

    field: str
    before: str = ""
    after: str = ""


class Able(_Ask):
    """Somebody who may do something when the story ends."""

    who: str
    do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what is written after its name, what that means, how it is judged, and which names it may hold."""

    wants: str
    means: str
    shape: Any  # Any: a type that pydantic can read
    holds: Callable[[World, Any], Seen]  # Any: a value of that shape
    named: Mapping[str, Callable[[Policy], Sequence[str]]] = field(default_factory=dict)


def _states(policy: Policy) -> list[str]:
    return [each.id for each in policy.lifecycle.states]


def _clocks(policy: Policy) -> list[str]:
    return [*(each.id for each in policy.clocks), *([EXTERNAL_REPLY] if policy.external is not None else [])]


def _roles(policy: Policy) -> list[str]:
    return [each.id for each in policy.routing.roles]


def _flags(policy: Policy) -> list[str]:
    return [each.id for each in policy.taxonomy.flags]


def _types(policy: Policy) -> list[str]:
    return ["", *(each.id for each in policy.taxonomy.types)]


def _fields(policy: Policy) -> list[str]:
    return [each.id for each in policy.form.fields]


def _approvals(policy: Policy) -> list[str]:
    return [each.id for each in policy.approvals]


def _surveys(policy: Policy) -> list[str]:
    return [each.id for each in policy.surveys]


def _happenings(policy: Policy) -> list[str]:
    moves = [each.id for each in policy.lifecycle.moves]
    breaches = [f"breached.{each}" for each in _clocks(policy)]
    flags = [f"flagged.{each}" for each in _flags(policy)]
    closed = [f"{each}.{how}" for each in _approvals(policy) for how in ("granted", "refused", "recalled")]
    return ["", *_states(policy), *moves, *EVENTS, *breaches, *flags, *closed]


def _remedies(policy: Policy) -> Sequence[str]:  # noqa: ARG001 # one signature for all
    return REMEDIES


def _times(moments: list[datetime], world: World) -> str:
    return said([world.shown(each) for each in moments[:_SHOWN]]) if moments else "never"


def _inside(world: World, at: datetime, before: str, after: str) -> bool:
    """Tell whether a moment lies before the first time of the one thing, and not before the first time of the other."""
    ends, begins = world.happened(before) if before else [], world.happened(after) if after else []
    return (not ends or at < ends[0]) and (not after or (bool(begins) and at >= begins[0]))


def _state(world: World, value: list[str]) -> Seen:
    return world.case.state in value, world.case.state


def _closed(world: World, value: bool) -> Seen:
    return world.case.open is not value, "closed" if not world.case.open else f"open: {world.case.state}"


def _happened(world: World, value: Happening | str) -> Seen:
    asked = Happening(what=value) if isinstance(value, str) else value
    found = world.happened(asked.what)
    right = [at for at in found if asked.at is None or world.same(at, asked.at)]
    return any(_inside(world, at, asked.before, asked.after) for at in right), _times(found, world)


def _in_cases(world: World, value: Count) -> Seen:
    seen = sum(bool(world.happened_to(case, value.what)) for case in world.cases)
    return seen == value.cases, str(seen)


def _counted(name: str) -> Callable[[World, int], Seen]:
    def count(world: World, value: int) -> Seen:
        seen: int = getattr(world.case.facts, name)
        return seen == value, str(seen)

    return count


def _rounds(world: World, value: int) -> Seen:
    seen = sum(event.name == "proposed" for event in world.journal)
    return seen == value, str(seen)


def _pushed(world: World, value: Letter | str) -> Seen:
    asked = Letter(to=value) if isinstance(value, str) else value
    found = [
        each.at
        for each in world.letters(asked.to)
        if all(word in each.text for word in asked.says)
        and (asked.at is None or world.same(each.at, asked.at))
        and _inside(world, each.at, asked.before, asked.after)
    ]
    return bool(found), _times(found, world)


def _clock(world: World, value: str) -> Seen:
    found = [run.start for run in world.runs if run.name == value]
    return bool(found), _times(found, world)


def _deadline(world: World, value: Date) -> Seen:
    dues = [due for run in world.runs if run.name == value.clock for due in run.dues]
    return any(world.same(due, value.at) for due in dues), _times(dues, world)


def _breached(world: World, value: str) -> Seen:
    found = world.happened(f"breached.{value}")
    return bool(found), _times(found, world)


def _in_time(world: World, value: str) -> Seen:
    found = [event for event in world.journal if event.name == "clock_stopped" and event.facts["clock"] == value]
    late = any(event.facts["late"] for event in found)
    return bool(found) and not late, "late" if late else _times([event.at for event in found], world)


def _approver(world: World, value: str) -> Seen:
    found = [name for name, roles in world.signing if value in roles]
    return bool(found), said(list(dict.fromkeys(found)))


def _approval(world: World, value: str) -> Seen:
    asked = [name for name, _ in world.asked]
    return value in asked, said(asked)


def _closing(outcome: str) -> Callable[[World, str], Seen]:
    def closed(world: World, value: str) -> Seen:
        seen: list[str] = [run.outcome for run in world.case.facts.approvals if run.id == value]
        return outcome in seen, said(seen)

    return closed


def _linked(world: World, value: Other) -> Seen:
    others = [case for case in world.cases if case is not world.case and case.customer_id == world.case.customer_id]
    right = [case for case in others if value.type in ("", case.type)]
    ok = any(value.at is None or world.same(case.opened_at, value.at) for case in right)
    return ok, said([f"{case.type} at {world.shown(case.opened_at)}" for case in others])


def _flag(world: World, value: str) -> Seen:
    return value in world.case.facts.flags, said(world.case.facts.flags)


def _department(world: World, value: str) -> Seen:
    return value in world.departments, said(world.departments)


def _survey(world: World, value: str) -> Seen:
    found = [each.at for each in world.theatre.seen.surveys if each.run.id == value]
    return bool(found), _times(found, world)


def _asked(world: World, value: Asked | str) -> Seen:
    asked = Asked(field=value) if isinstance(value, str) else value
    at = world.theatre.seen.asked.get(world.case.id, {}).get(asked.field)
    return at is not None and _inside(world, at, asked.before, asked.after), _times([at] if at else [], world)


def _fact(world: World, value: Mapping[str, str]) -> Seen:
    seen = {name: world.fact(name) for name in value}
    return all(alike(wanted, seen[name]) for name, wanted in value.items()), said(seen)


def _answer(world: World, value: Mapping[str, str]) -> Seen:
    seen = {name: world.case.words.answers.get(name, "") for name in value}
    return seen == value, said(seen)


def _remedy(world: World, value: str) -> Seen:
    decision = world.case.facts.decision
    seen = [each.kind for each in decision.remedies] if decision is not None else []
    return value in seen, said(seen)


def _visible(world: World, value: str) -> Seen:
    sees = world.theatre.sees(value, world.case.id)
    return sees, "they see it" if sees else "they do not see it"


def _able(world: World, value: Able) -> Seen:
    open_to = world.theatre.open_to(value.who, world.case.id)
    return value.do in open_to, said(open_to)


_ROLE: Final = {"": _roles}
_WHEN: Final = {"before": _happenings, "after": _happenings}

#: Every check by its name, in the order of the documentation.
CHECKS: Final[dict[str, Check]] = {
    "state": Check(
        wants="`STATE`, or a list of them", means="The case is in that state, or in one of these.",
        shape=Several, holds=_state, named={"": _states},
    ),
    "closed": Check(wants="`true`", means="The case is closed.", shape=bool, holds=_closed),
    "happened": Check(
        wants="`NAME`, or `{what: NAME, at: …, before: NAME, after: NAME}`",
        means="A state was entered, a move made, or an event recorded (`breached.CLOCK`, `flagged.FLAG`, "
        "`APPROVAL.granted` too); before, or not before, the first time of another.",
        shape=Happening | str, holds=_happened, named={"": _happenings, "what": _happenings, **_WHEN},
    ),
    "counted": Check(
        wants="`{what: NAME, cases: N}`", means="That happened to so many of the cases of the story.",
        shape=Count, holds=_in_cases, named={"what": _happenings},
    ),
    "rounds": Check(
        wants="a number", means="So many solutions were proposed to the customer.", shape=int, holds=_rounds
    ),
    "rejections": Check(
        wants="a number", means="The customer refused so many solutions.", shape=int, holds=_counted("rejections")
    ),
    "reopenings": Check(
        wants="a number", means="The handling began again so often.", shape=int, holds=_counted("reopenings")
    ),
    "push_to": Check(
        wants="`WHO`, or `{to: WHO, says: […], at: …, before: NAME, after: NAME}`",
        means="A role, a part or a customer was told something, in a message that holds these words.",
        shape=Letter | str, holds=_pushed, named=_WHEN,
    ),
    "clock": Check(wants="`CLOCK`", means="That clock ran.", shape=str, holds=_clock, named={"": _clocks}),
    "deadline": Check(
        wants="`{clock: CLOCK, at: …}`", means="That clock had this date.",
        shape=Date, holds=_deadline, named={"clock": _clocks},
    ),
    "breached": Check(
        wants="`CLOCK`", means="That clock passed its date.", shape=str, holds=_breached, named={"": _clocks}
    ),
    "in_time": Check(
        wants="`CLOCK`", means="That clock was stopped, each time before its date.",
        shape=str, holds=_in_time, named={"": _clocks},
    ),
    "approver": Check(
        wants="`ROLE`", means="That role has to sign: in an approval that was asked for, or that the case would need.",
        shape=str, holds=_approver, named=_ROLE,
    ),
    "approval": Check(
        wants="`APPROVAL`", means="That approval was asked for.", shape=str, holds=_approval, named={"": _approvals}
    ),
    "granted": Check(
        wants="`APPROVAL`", means="It was granted.", shape=str, holds=_closing("granted"), named={"": _approvals}
    ),
    "refused": Check(
        wants="`APPROVAL`", means="It was refused.", shape=str, holds=_closing("refused"), named={"": _approvals}
    ),
    "linked_case": Check(
        wants="`{type: TYPE, at: …}`", means="The same customer has another case, of that type, opened then.",
        shape=Other, holds=_linked, named={"type": _types},
    ),
    "flag": Check(wants="`FLAG`", means="The case has that flag.", shape=str, holds=_flag, named={"": _flags}),
    "department": Check(
        wants="`ROLE`", means="The case was sent to that department.", shape=str, holds=_department, named=_ROLE
    ),
    "survey": Check(
        wants="`SURVEY`", means="That survey was planned.", shape=str, holds=_survey, named={"": _surveys}
    ),
    "asked": Check(
        wants="`FIELD`, or `{field: FIELD, before: NAME, after: NAME}`",
        means="The customer was asked for that field of the form.",
        shape=Asked | str, holds=_asked, named={"": _fields, "field": _fields, **_WHEN},
    ),
    "fact": Check(
        wants="`{NAME: value}`", means="Facts of the case, as conditions of the policy ask for them.",
        shape=dict[str, Plain], holds=_fact,
    ),
    "answer": Check(
        wants="`{FIELD: value}`", means="What stands in the form.", shape=dict[str, Plain], holds=_answer
    ),
    "remedy": Check(
        wants="`REMEDY`", means="The customer was promised that.", shape=str, holds=_remedy, named={"": _remedies}
    ),
    "visible_to": Check(
        wants="`ROLE`", means="Somebody in that role may see the case.", shape=str, holds=_visible, named=_ROLE
    ),
    "able": Check(
        wants="`{who: ROLE, do: ACT}`", means="Somebody in that role may do that when the story ends.",
        shape=Able, holds=_able, named={"who": _roles},
    ),
}  # fmt: skip


def read(name: str, value: object) -> Any:  # Any: a value of the shape of the check
    """Return what stands after a check, as it is judged. ValueError with a sentence if it does not fit."""
    try:
        return TypeAdapter(CHECKS[name].shape).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"][-1] if first["loc"] else ""
        raise ValueError(f"{name} wants {CHECKS[name].wants} ({where}: {first['msg']}).") from error


def wrong(policy: Policy, name: str, value: object) -> tuple[str, str]:
    """Return what is wrong with a check, and its cure; two empty strings if nothing is."""
    if name not in CHECKS:
        close = get_close_matches(name, CHECKS, n=1)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        cure = f"{meant}Known are: {', '.join(CHECKS)}. What cannot be checked yet stands under `later`."
        return f"There is no check {name!r}.", cure
    try:
        asked = read(name, value)
    except ValueError as error:
        return str(error), ""
    given: dict[str, Any] = asked.model_dump() if isinstance(asked, BaseModel) else {"": asked}  # Any: of all kinds
    for where, known in CHECKS[name].named.items():
        names = given[where] if isinstance(given.get(where), list) else [given.get(where, "")]
        for each in names:
            there = list(filter(None, known(policy)))
            if each and each not in there:
                close = get_close_matches(str(each), there, n=5, cutoff=0.3) or there
                return f"{name}: there is no {each!r}.", f"There are, for example: {', '.join(close)}."
    return "", ""
