"""Judging: every expectation of a story beside what was seen, and what must hold at the end of every story."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.stories import checking
from bot.stories.script import Deadline, Expected, Push, Script, Survey
from bot.stories.theatre import CALL_OUT, Theatre
from bot.stories.world import Run, World, alike, said
from complaints.case import Case
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.policy import Policy
from policies.checker import Problem

#: What may follow a survey's id in the name of a deadline: when it is sent at the earliest, and when it ends.
_WINDOW: Final = {"": 0, "_not_before": 0, "_latest": 1}
#: Names of deadlines that need no clock: the desk's own first answer, and the window of whatever survey there is.
_AUTO_REPLY: Final = "auto_reply"
_CALLBACK: Final = "callback"
#: Written for a survey that must not be; what follows it is for readers.
_NO_SURVEY: Final = "none"
#: The part of a way that is no messenger: somebody outside is asked to telephone.
_BY_TELEPHONE: Final = "phone_call_task"
_SPAN: Final = re.compile(r"(?:(\d+)\s*-\s*)?(\d+)\s*([a-z]+?)s?")
#: The sentence with which the desk feels with whoever complains.
_SORRY: Final = "notice.sorry"
#: Written before an approval that was not asked for in the story.
_WOULD: Final = "would be "
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One expectation, and what was seen. `ok` is None for what is not checked yet."""

    key: str
    expected: str
    seen: str = ""
    ok: bool | None = None


def judge(script: Script, theatre: Theatre) -> list[Finding]:
    """Return every expectation of a story with what was seen, and what must hold at the end of any."""
    expect, story = script.story.expect, script.story
    later = [*_later("later", story.later), *_later("later", expect.later)]
    if not theatre.seen.cases:
        return [Finding(key="case", expected="a case is opened", seen="none was", ok=False), *later]
    world = World(theatre, theatre.aware(min([each.at for each in story.messages] + [each.at for each in story.staff])))
    findings = [each for judged in _JUDGES for each in judged(world, expect)]
    return [*findings, *_always(world), *later]


def mistakes(script: Script, policy: Policy) -> Iterator[Problem]:
    """Return the checks of `outcome` and `must_not` that cannot be judged as they are written."""
    for key, checks in (("outcome", script.story.expect.outcome), ("must_not", script.story.expect.must_not)):
        for index, check in enumerate(checks):
            for name, value in check.items():
                message, cure = checking.wrong(policy, name, value)
                if message:
                    yield script.problem(script.document.known(("expect", key, index, name)), message, cure)


def _later(key: str, what: Any) -> Iterator[Finding]:  # Any: whatever the author put there
    if isinstance(what, dict):
        for name, value in what.items():
            yield Finding(key=f"{key} {name}", expected=said(value))
    elif isinstance(what, list):
        for value in what:
            yield Finding(key=key, expected=said(value))
    elif what is not None:
        yield Finding(key=key, expected=said(what))


def _found(key: str, expected: object, seen: object, *, ok: bool | None = None) -> Finding:
    return Finding(key=key, expected=said(expected), seen=said(seen), ok=expected == seen if ok is None else ok)


# the keys of `expect`


def _type(world: World, expect: Expected) -> Iterator[Finding]:
    if expect.type is not None:
        right = [expect.type, *expect.accept_also]
        yield _found("type", " or ".join(right), world.case.type, ok=world.case.type in right)
    if expect.second_case is not None:
        wanted, others = expect.second_case, world.cases[1:]
        ok = any(_is(world, case, wanted.type, wanted.at) for case in others)
        yield _found("second_case", wanted.type or "another case", _opened(world, others), ok=ok)
    scored = world.theatre.seen.candidates[world.case.id]
    for key, wanted_types in (
        ("candidates", expect.candidates),
        ("candidates_before_check", expect.candidates_before_check),
    ):
        if wanted_types is not None:
            yield _found(key, wanted_types, scored, ok={*wanted_types} <= {*scored})


def _is(world: World, case: Case, type_: str, at: datetime | None) -> bool:
    return type_ in ("", case.type) and (at is None or world.same(case.opened_at, at))


def _opened(world: World, cases: Sequence[Case]) -> list[str]:
    return [f"{case.type} at {world.shown(case.opened_at)}" for case in cases]


def _flags(world: World, expect: Expected) -> Iterator[Finding]:
    if expect.flags is not None:
        yield _found("flags", set(expect.flags), set(world.case.facts.flags))


def _grading(world: World, expect: Expected) -> Iterator[Finding]:
    if isinstance(expect.grading, str):
        known = world.case.facts.grades
        ok = any(expect.grading in world.called(name) for name in known)
        yield _found("grading", expect.grading, known, ok=ok)
        return
    for name, value in (expect.grading or {}).items():
        seen = world.fact(name)
        yield _found(f"grading {name}", value, seen, ok=alike(value, seen) or value in world.called(name))


def _asking(world: World, expect: Expected) -> Iterator[Finding]:
    seen, case = world.theatre.seen, world.case.id
    asked, lacking = seen.asked.get(case, {}), seen.lacking.get(case, set())
    if expect.bot_asks is not None and not expect.bot_asks:
        needed = seen.needed.get(case, set())
        yield _found("bot_asks", "nothing that is required", needed, ok=not needed)
    for name in expect.bot_asks or ():
        where = "asked" if name in asked else "still to be asked" if name in lacking else _elsewhere(world, name)
        yield _found(f"bot_asks {name}", "asked", where or f"not asked; asked: {said(list(asked))}", ok=bool(where))
    for name in expect.must_not_ask or ():
        yield _found(f"must_not_ask {name}", "not asked", "asked" if name in asked else "not asked")
    if expect.reply_language is not None:
        yield _found("reply_language", expect.reply_language, world.language)
    if expect.empathy_reply is not None:
        sorry = _sympathy(world)
        yield _found("empathy_reply", expect.empathy_reply, sorry, ok=bool(sorry) is expect.empathy_reply)


def _sympathy(world: World) -> str:
    """Return when the desk felt with whoever opened the case, if it did so with its first answer."""
    words, at = world.theatre.book.wording.say(world.language, _SORRY), world.case.opened_at
    first = [each for each in world.told if each.case_id == world.case.id and world.shown(each.at) == world.shown(at)]
    return world.shown(at) if any(words in each.text for each in first if each.to not in _roles(world)) else ""


def _elsewhere(world: World, name: str) -> str:
    """Return where something is asked that is no field of the form: in a survey."""
    sent = {planned.run.id for planned in world.theatre.seen.surveys}
    asking = [each.id for each in world.policy.surveys if any(question.id == name for question in each.questions)]
    return f"asked in the survey {asking[0]}" if sent.intersection(asking) else ""


def _route(world: World, expect: Expected) -> Iterator[Finding]:
    for part, roles in expect.route.items():
        held = [each[part] for each in world.parts if part in each]
        if part in ("owner", "lead") and not held:
            seen = world.departments
            yield _found(f"route {part}", roles, seen, ok=len(roles) == 1 and roles[0] in seen)
        else:
            yield _found(f"route {part}", roles, held[0] if held else [], ok=any({*each} == {*roles} for each in held))


def _deadlines(world: World, expect: Expected) -> Iterator[Finding]:
    for each in expect.deadlines:
        key, wanted = f"deadline {each.clock}", f"{each.start:%Y-%m-%d %H:%M} → {each.at:%Y-%m-%d %H:%M}"
        known = _clock_ids(world.policy, each.clock)
        if each.clock == _AUTO_REPLY and not known:
            yield _auto_reply(world, each, key, wanted)
            continue
        runs = _runs_of(world, each.clock, known)
        seen = [f"{world.shown(run.start)} → {', then '.join(map(world.shown, run.dues))}" for run in runs]
        ok = any(
            world.same(run.start, each.start) and any(world.same(due, each.at) for due in run.dues) for run in runs
        )
        missing = "it did not run" if known else "the policy has none of that name"
        yield _found(key, wanted, seen or missing, ok=ok)


def _auto_reply(world: World, each: Deadline, key: str, wanted: str) -> Finding:
    """Judge the desk's own first answer to whoever opened the case."""
    told = [letter.at for letter in world.told if letter.case_id == world.case.id and letter.to not in _roles(world)]
    ok = bool(told) and world.same(told[0], each.at)
    return _found(key, wanted, world.shown(told[0]) if told else "no answer", ok=ok)


def _roles(world: World) -> set[str]:
    return {role.id for role in world.policy.routing.roles}


def _clock_ids(policy: Policy, name: str) -> set[str]:
    """Return the clock, survey or duty that the name of a deadline means: the one of that id, or of its beginning."""
    ids = {each.id for each in policy.clocks} | {each.id for each in policy.surveys}
    ids |= {each.id for each in policy.duties} | ({EXTERNAL_REPLY} if policy.external is not None else set())
    if policy.surveys:
        ids.add(_CALLBACK)
    if name in ids:
        return {name}
    begins = [each for each in ids if name.startswith(f"{each}_")]
    return {max(begins, key=len)} if begins else set()


def _runs_of(world: World, name: str, known: set[str]) -> list[Run]:
    found = [run for run in [*world.runs, *world.duties] if run.name in known]
    for planned in world.theatre.seen.surveys:
        dates = (planned.run.due_at, planned.run.expires_at)
        found += [
            Run(name=name, start=planned.at, dues=[dates[which]])
            for suffix, which in _WINDOW.items()
            if name in (f"{planned.run.id}{suffix}", f"{_CALLBACK}{suffix}")
        ]
    return found


def _approvals(world: World, expect: Expected) -> Iterator[Finding]:
    if expect.approvals is None:
        return
    if not expect.approvals:
        yield _found("approvals", "none", _chains(world.asked), ok=not world.asked)
    for each in expect.approvals:
        wanted = [("|" if each.mode == "either" else "+").join(each.steps)] if each.mode else each.steps
        asked = world.asked if not each.reading or _counts(world.policy, each.reading) else []
        would = [(f"{_WOULD}{name}", steps) for name, steps in world.due_to_be_asked(each.reading)]
        key = " ".join(filter(None, ("approval", each.reading, each.what)))
        right = [name.removeprefix(_WOULD) for name, steps in [*asked, *would] if _same(steps, wanted)]
        yield _found(key, " → ".join(wanted), _chains([*asked, *would]), ok=bool(right))
        if each.last_expedited is not None:
            last = any(world.expedited(name, each.reading) for name in right)
            yield _found(f"{key} last_expedited", each.last_expedited, last)
        if each.then_publish:
            granted = [at for name in right for at in world.happened(f"{name}.granted")]
            told = [letter.at for letter in world.letters(each.then_publish) if granted and letter.at >= granted[0]]
            seen = [world.shown(at) for at in told[:_SHOWN]]
            yield _found(f"{key} then_publish", each.then_publish, seen, ok=bool(told))
        if each.skips_review is not None:
            others = [name for name, _ in world.asked if name not in right]
            yield _found(f"{key} skips_review", each.skips_review, not others)


def _counts(policy: Policy, reading: str) -> bool:
    """Tell whether the policy reads its rule book like that."""
    return any(each.is_ == reading for each in policy.readings.values())


def _chains(found: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    return list(dict.fromkeys(f"{name}: {' → '.join(steps)}" for name, steps in found))


def _same(seen: Sequence[str], wanted: Sequence[str]) -> bool:
    def parts(step: str) -> tuple[bool, list[str]]:
        return "|" in step, sorted(re.split(r"[+|]", step))

    return [parts(each) for each in seen] == [parts(each) for each in wanted]


def _pushes(world: World, expect: Expected) -> Iterator[Finding]:
    for each in expect.pushes:
        yield _pushed(world, each)
    if expect.materials:
        lists = [letter.at for letter in world.told if all(each in letter.text for each in expect.materials)]
        seen = [world.shown(at) for at in lists[:_SHOWN]]
        yield _found("materials", expect.materials, seen or "no message has them all", ok=bool(lists))


def _pushed(world: World, each: Push) -> Finding:
    letters = world.letters(each.to)
    right = [
        told
        for told in letters
        if all(word in told.text for word in each.says) and (each.at is None or world.same(told.at, each.at))
    ]
    at = f" at {each.at:%Y-%m-%d %H:%M}" if each.at is not None else ""
    shown = right or letters
    seen = [world.shown(told.at) for told in shown[:_SHOWN]]
    called = _BY_TELEPHONE in each.via.split("+")
    rung = any(right and letter.at >= right[0].at for letter in world.letters(CALL_OUT))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    wanted = f"{', '.join(each.says) or each.what}{at}{' and by telephone' if called else ''}"
    return _found(f"push {each.to}", wanted, f"{said(seen)}{more}", ok=bool(right) and (not called or rung))


def _survey(world: World, expect: Expected) -> Iterator[Finding]:
    wanted = expect.survey
    planned = [each.run for each in world.theatre.seen.surveys if each.case_id == world.case.id]
    if isinstance(wanted, str):
        none = wanted == _NO_SURVEY or wanted.startswith(f"{_NO_SURVEY}_")
        ok = not planned if none else any(run.id == wanted for run in planned)
        yield _found("survey", wanted, [run.id for run in planned], ok=ok)
        return
    if wanted is None:
        return
    ids = {each.id for each in world.policy.surveys} | {each.id for each in world.policy.clocks}
    there = wanted.id in ids
    reached = any(run.id == wanted.id for run in planned) or any(run.name == wanted.id for run in world.runs)
    seen = "planned" if reached else "in the policy, not reached in this story" if there else "not in the policy"
    yield _found("survey", wanted.id, seen, ok=there)
    yield from _window(world, wanted)
    for key, value in (("target_pct", wanted.target_pct), ("with", wanted.with_)):
        if value:
            yield Finding(key=f"later survey {key}", expected=value)
    for question, score in wanted.scores.items():
        answered = (run.scores for run in world.case.facts.surveys if question in run.scores)  # as it is at the end
        given = next((scores[question] for scores in answered), None)
        yield _found(f"survey score {question}", score, given)


def _window(world: World, wanted: Survey) -> Iterator[Finding]:
    clause = next((each for each in world.policy.surveys if each.id == wanted.id), None)
    for key, text in (("window", wanted.window), ("within", wanted.within)):
        if not text:
            continue
        found = _SPAN.fullmatch(text.strip())
        if found is None or clause is None:
            seen = "the policy has no survey of that id" if found else "not a span such as 3-7 workday"
            yield _found(f"survey {key}", text, seen, ok=False)
            continue
        first, last = clause.not_before, clause.expires
        ok = (last.amount, last.unit) == (int(found[2]), found[3])
        ok = ok and (found[1] is None or (first.amount, first.unit) == (int(found[1]), found[3]))
        yield _found(f"survey {key}", text, f"{first.amount} {first.unit} to {last.amount} {last.unit}", ok=ok)


def _checks(world: World, expect: Expected) -> Iterator[Finding]:
    for key, checks, wanted in (("outcome", expect.outcome, True), ("must_not", expect.must_not, False)):
        for name, value in ((name, value) for check in checks for name, value in check.items()):
            holds, seen = checking.CHECKS[name].holds(world, checking.read(name, value))
            yield Finding(key=f"{key} {name}", expected=said(value), seen=seen, ok=holds is wanted)


def _attempts(world: World, expect: Expected) -> Iterator[Finding]:  # noqa: ARG001 # one signature for all
    for what, refused in world.theatre.seen.attempts:
        yield Finding(key="refused", expected=what, seen=refused or "it was done", ok=bool(refused))


_JUDGES: Final[tuple[Callable[[World, Expected], Iterator[Finding]], ...]] = (
    _type,
    _flags,
    _grading,
    _asking,
    _route,
    _deadlines,
    _approvals,
    _pushes,
    _survey,
    _checks,
    _attempts,
)


def _always(world: World) -> Iterator[Finding]:
    """Return what must hold at the end of every story."""
    for case in world.cases:
        running = [name for name, run in case.facts.clocks.items() if run.running]
        if not case.open:
            yield _found(f"closed {case.number}", "no clock runs", running, ok=not running)
            continue
        waits = [
            *(["the form"] if not case.facts.complete else []),
            *(["an answer of the customer"] if case.facts.asked else []),
            *(["an approval"] if any(run.outcome == "open" for run in case.facts.approvals) else []),
            *(["whether the customer is content"] if case.facts.resolved_at is not None else []),
        ]
        seen = f"{case.department or 'nobody'}: {said(running or waits)}"
        ok = bool(case.department) and bool(running or waits)
        yield _found(f"open {case.number}", "somebody has it, and a clock runs or something is waited for", seen, ok=ok)
    broken = world.theatre.broken()
    yield _found("journal", "verifies", broken or "verifies", ok=not broken)
