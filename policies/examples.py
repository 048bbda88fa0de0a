"""The worked examples of a policy, tried: what a text means, when a clock runs out, what follows from facts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from complaints.approvals import chain
from complaints.calendar import due
from complaints.clauses.routing import LEAD
from complaints.policy import Example, Policy
from policies.facts import Fact, at_first, facts
from policies.findings import Finding, Subject, unknown
from policies.places import Path

_MINUTE: Final = "%Y-%m-%d %H:%M"


def examples(subject: Subject) -> Iterator[Finding]:
    """Yield every example of a policy that does not come true."""
    for index, example in enumerate(subject.policy.examples):
        path = ("examples", index)
        if sum(map(bool, (example.text, example.clock, example.case))) != 1:
            yield Finding(
                path=path,
                message="An example is either a text with what it means, or a clock with a start and a due time, or a "
                "case with what follows from it.",
                cure="Write `text` and `type`, or `clock`, `start` and `due`, or `case` and `steps` or `grades`.",
            )
        elif example.text:
            yield from _of_reading(subject, path, example)
        elif example.clock:
            yield from _of_clock(subject, path, example)
        else:
            yield from _of_case(subject, path, example)


def _of_reading(subject: Subject, path: Path, example: Example) -> Iterator[Finding]:
    known = subject.names
    if example.type and example.type not in known.types:
        yield unknown((*path, "type"), "complaint type", example.type, known.types)
        return
    strange = [flag for flag in example.flags or [] if flag not in known.flags]
    for flag in strange:
        yield unknown((*path, "flags"), "flag", flag, known.flags)
    if strange or subject.read is None or "taxonomy" in subject.broken:
        return
    reading = subject.read(example.text)
    best = reading.types[0] if reading.types else None
    if example.type and (best is None or best.id != example.type):
        said = f"{best.id!r} because of {', '.join(hit.word for hit in best.words)}" if best else "nothing"
        yield Finding(
            path=path,
            message=f"The example is read as {said}, not as {example.type!r}.",
            cure=f"Add a keyword to {example.type!r}, or change the weights.",
        )
    raised = {flag.id: flag for flag in reading.flags if flag.id in known.flags}
    for flag in sorted(raised.keys() - {*example.flags} if example.flags is not None else ()):
        words = ", ".join(hit.word for hit in raised[flag].words)
        yield Finding(
            path=(*path, "flags"),
            message=f"The example raises the flag {flag!r} because of {words}.",
            cure="Add the words around it to `unless` of that flag.",
        )
    for flag in sorted({*(example.flags or [])} - raised.keys()):
        yield Finding(
            path=(*path, "flags"),
            message=f"The example does not raise the flag {flag!r}.",
            cure="Add a keyword to that flag.",
        )


def _of_clock(subject: Subject, path: Path, example: Example) -> Iterator[Finding]:
    known, calendar = subject.names.clocks, subject.calendar
    if example.clock not in known:
        yield unknown((*path, "clock"), "clock", example.clock, known)
        return
    try:
        start, expected = (datetime.strptime(each, _MINUTE) for each in (example.start, example.due))  # noqa: DTZ007 # local
    except ValueError:
        yield Finding(
            path=path, message="`start` and `due` are local times.", cure='Write them like "2025-03-14 21:30".'
        )
        return
    clock = next((each for each in subject.policy.clocks if each.id == example.clock), None)
    if calendar is None or clock is None:
        return
    if clock.limit.unit == "appointment":
        yield Finding(path=path, message=f"The date of {clock.id!r} is agreed upon.", cure="Remove the example.")
        return
    found = calendar.local(due(clock.limit, start.replace(tzinfo=calendar.zone), calendar))
    if f"{found:{_MINUTE}}" != f"{expected:{_MINUTE}}":
        yield Finding(
            path=path,
            message=f"By its limit the clock {clock.id!r} is due {found:{_MINUTE}}, not {example.due}.",
            cure="Correct the limit of the clock, or the example.",
        )


def _of_case(subject: Subject, path: Path, example: Example) -> Iterator[Finding]:
    known, policy = subject.names, subject.policy
    wrong = [*_facts(path, example.case, facts(known))]
    yield from wrong
    if example.approval and example.approval not in known.approvals:
        yield unknown((*path, "approval"), "approval", example.approval, known.approvals)
        return
    if bool(example.approval) != (example.steps is not None):
        yield Finding(
            path=path, message="`approval` and `steps` belong together.", cure="Write both, or neither of them."
        )
    elif not (example.approval or example.grades or example.parts):
        yield Finding(path=path, message="Nothing is said to follow from this case.", cure="Write `steps` or `grades`.")
    if wrong or subject.broken:
        return
    case = followed(policy, example.case)
    for name, value in example.grades.items():
        if name not in known.grades:
            yield unknown((*path, "grades", name), "grade", name, known.grades)
        elif case[name] != value:
            yield Finding(
                path=(*path, "grades", name),
                message=f"For this case {name} is {case[name]!r}, not {value!r}.",
                cure=f"Correct the conditions of {name!r}, or the example.",
            )
    parts = _parts(policy, case)
    for name, roles in example.parts.items():
        if name not in known.parts:
            yield unknown((*path, "parts", name), "part", name, known.parts)
        elif parts.get(name, []) != roles:
            yield Finding(
                path=(*path, "parts", name),
                message=f"For this case {name} is {_listed(parts.get(name, []))}, not {_listed(roles)}.",
                cure="Correct the routes, or the example.",
            )
    if example.approval and example.steps is not None:
        yield from _steps(policy, path, example, case)


def followed(policy: Policy, said: Mapping[str, object]) -> dict[str, Any]:  # Any: facts of any kind
    """Return the facts of a case with the grades and the flags that follow from those that are said."""
    case: dict[str, Any] = at_first({**{name: each.is_ for name, each in policy.readings.items()}, **said})
    case["flags"] = [*case["flags"]]
    for _ in range(2):  # flags follow from grades, and grades from flags
        for flag in policy.taxonomy.flags:
            if flag.when is not None and flag.id not in case["flags"] and flag.when.holds(case):
                case["flags"].append(flag.id)
        for name, grades in policy.taxonomy.grades.items():
            holding = [each.id for each in grades if not each.by_hand and each.when.holds(case)]
            case[name] = said.get(name) or (holding[-1] if holding else grades[0].id)
    return case


def _steps(policy: Policy, path: Path, example: Example, case: Mapping[str, Any]) -> Iterator[Finding]:
    approval = policy.approval(example.approval)
    found = chain(approval, case) if approval.when.holds(case) else []
    if found is None:
        yield Finding(
            path=(*path, "steps"),
            message=f"No row of {approval.id!r} holds for this case: nobody approves it.",
            cure="Add a row to `matrix`, or correct the example.",
        )
    elif [str(step) for step in found] != example.steps:
        yield Finding(
            path=(*path, "steps"),
            message=f"For this case {_listed(map(str, found))} sign, not {_listed(example.steps or [])}.",
            cure=f"Correct the rows of {approval.id!r}, or the example.",
        )


def _parts(policy: Policy, case: Mapping[str, Any]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for route in policy.routing.routes:
        if route.part not in parts and route.when.holds(case):
            parts[route.part] = route.to
    parts.setdefault(LEAD, [policy.taxonomy.type(case["type"]).department])
    return parts


def _facts(path: Path, case: Mapping[str, object], known: Mapping[str, Fact]) -> Iterator[Finding]:
    for name, value in case.items():
        here = (*path, "case", name)
        if name not in known:
            yield unknown(here, "fact", name, known)
            continue
        values = known[name].values
        for each in value if isinstance(value, list) else [value]:
            if values is not None and each not in values:
                yield unknown(here, f"value of {name!r}", str(each), map(str, values))
        if (known[name].kind == "some") != isinstance(value, list):
            shape = "a list" if known[name].kind == "some" else "one value"
            yield Finding(path=here, message=f"{name!r} has {shape}.", cure=f"Write {shape}.")


def _listed(found: Iterable[str]) -> str:
    return ", ".join(found) or "nobody"
