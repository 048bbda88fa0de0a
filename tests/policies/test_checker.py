"""Every mistake at once, each with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

import policies
from complaints.policy import Policy
from complaints.reading import Flag, Hit, Reading, TypeScore
from policies.checker import Problem, check
from policies.mending import STAND_IN

POLICIES = Path(policies.__file__).parent

BASE = """\
schema: 1
id: small
title: &t {zh-Hans: a, zh-Hant: b, en: c}
languages: [zh-Hans, en]
number: {prefix: SM}
hours:
  zone: Asia/Shanghai
  week: {mon: ["09:00-12:00", "13:00-18:00"], tue: ["09:00-18:00"]}
  makeup: ["09:00-18:00"]
  quiet: "22:00-08:00"
routing:
  reception: front
  roles:
    - {id: front, title: *t, grants: [handle, read]}
    - {id: works, title: *t}
  routes:
    - {when: {flags: fire}, to: works}
form:
  consent: 2026-1
  fields:
    - id: name
      title: *t
      ask: *t
      hint: *t
      slots: [name, serial]
      pattern: '[A-Z]+'
taxonomy:
  fallback: other
  types:
    - {id: broken, title: *t, department: works, keywords: [broken, {word: cracked, weight: 2}]}
    - {id: other, title: *t, department: front}
  flags:
    - {id: fire, title: *t, keywords: [fire], unless: [fire sale]}
  grades:
    urgency:
      - {id: normal, title: *t}
      - {id: urgent, title: *t, when: {flags: fire}}
  slots:
    serial: ['SN\\d+']
lifecycle:
  submit: send
  withdraw: leave
  states:
    - {id: received, title: *t}
    - {id: working, title: *t}
    - {id: finished, title: *t, final: true, resolved: true}
    - {id: gone, title: *t, final: true}
  moves:
    - {id: send, from: received, to: working, by: customer}
    - {id: finish, from: working, to: finished, by: [owner, works], asks: ask.result, tells: tell.result}
    - {id: leave, from: [received, working], to: gone, by: customer}
clocks:
  - id: answer
    title: *t
    start: received
    stop: human_reply
    limit: {amount: 1, unit: hour}
  - id: solve
    title: *t
    start: send
    stop: finished
    limit: {amount: 3, unit: workday}
    when: {urgency: urgent}
  - {id: unwatched, title: *t, start: unwatched, stop: watched, limit: {amount: 2, unit: hour}}
escalation:
  - {clocks: [answer], rungs: [{percent: 100, to: works}]}
  - {rungs: [{percent: 80, to: [owner, department]}]}
notices:
  - {on: [working, flagged], to: [customer, front], say: notice.working, when: {any: [{type: broken}, {rejections: {ge: 2}}]}}
surveys:
  - id: after
    start: finished
    not_before: {amount: 1, unit: workday}
    expires: {amount: 5, unit: workday}
    remind_after: {amount: 1, unit: workday}
    bad: 2
    questions: [{id: score, ask: *t}]
examples:
  - {text: it is broken, type: broken, flags: []}
  - {clock: answer, start: "2025-03-03 11:30", due: "2025-03-03 13:30"}
"""
WORDING = """\
ask: {result: "write {number}"}
tell: {result: done}
notice:
  working: "{number} is worked on"
"""


def read(policy: Policy, _: Path) -> Callable[[str], Reading]:
    """Read a text by the first keyword that it holds."""

    def of(text: str) -> Reading:
        hits = {
            each.id: Hit(word=keyword.word, start=0, end=1, weight=1)
            for each in (*policy.taxonomy.types, *policy.taxonomy.flags)
            for keyword in each.keywords
            if keyword.word in text
        }
        flags = {flag.id for flag in policy.taxonomy.flags}
        return Reading(
            language="en",
            kind="complaint",
            types=tuple(TypeScore(id=name, score=1, words=(hit,)) for name, hit in hits.items() if name not in flags),
            flags=tuple(Flag(id=name, words=(hit,)) for name, hit in hits.items() if name in flags),
        )

    return of


class Files:
    """A folder of policies, as an operator keeps them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for language in ("zh-Hans", "zh-Hant", "en"):
            self.write(f"wording/{language}.yaml", WORDING)
        self.write("companies/small.yaml", BASE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text, "utf-8")

    def replace(self, before: str, after: str) -> int:
        """Change the policy in one place, and return the line of the change."""
        path = self.folder / "companies" / "small.yaml"
        text = path.read_text("utf-8")
        assert text.count(before) == 1, before
        self.write("companies/small.yaml", text.replace(before, after))
        return text[: text.index(before)].count("\n") + 1

    def check(self) -> list[Problem]:
        return check([self.folder], read=read)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_policies_that_come_with_plaint_have_no_mistakes() -> None:
    assert [str(problem) for problem in check([POLICIES])] == []


def test_a_policy_without_mistakes_has_no_problems(files: Files) -> None:
    assert files.check() == []


def test_what_stands_in_for_a_broken_section_is_a_policy() -> None:
    assert Policy.model_validate(STAND_IN).id == "stand_in"


@pytest.mark.parametrize(
    ("before", "after", "message", "cure"),
    [
        # YAML
        ("number: {prefix: SM}", "number: {prefix: SM", "This is not YAML", "bracket"),
        ("schema: 1", "schema: 1\nschema: 1", "'schema' stands here a second time", "line 1"),
        ("schema: 1", "schema: 9", "schema of this file is 9", "schema: 1"),
        # keys and types
        ("department: front}", "departmant: front}", "the key 'departmant' is not known", "'department'"),
        ("submit: send", "submti: send", "the key 'submti' is not known", "'submit'"),
        ("languages: [zh-Hans, en]", "languages: [zh-Hans, fr]", "'fr' is not possible", "zh-Hant"),
        ("prefix: SM", "prefix: sm", "'sm' is not possible", "A-Z"),
        ("amount: 3, unit", "amount: three, unit", "'three' stands where a whole number should be", "whole number"),
        ("id: finish,", "id: Finish!,", "'Finish!' is not possible as a name", "small letters"),
        ("final: true, resolved", "final: maybe, resolved", "true or false should be", "true or false"),
        ("{id: gone, title: *t", "{id: gone, title: {zh-Hans: a, en: c}", "gone.title: the key 'zh-Hant' is missing", "zh-Hant"),
        ("when: {flags: fire}, to", "when: fire, to", "a mapping", "mapping"),
        ("{rejections: {ge: 2}}", "{rejections: {more: 2}}", "this condition cannot be read", "bounds"),
        ('"09:00-12:00", ', '"9 to 12", ', "'9 to 12' stands where a mapping", "mapping"),
        ('"09:00-12:00", ', '"09:00-25:00", ', "'25:00' stands where a time", "09:00"),
        # hours
        ('"09:00-12:00", ', '"12:00-09:00", ', "12:00-09:00 ends before it starts", "midnight"),
        ('"09:00-12:00", ', '"09:00-13:30", ', "from 13:00 overlaps the one from 09:00", "before the second"),
        ("zone: Asia/Shanghai", "zone: Asia/Shangai", "no time zone 'Asia/Shangai'", "'Asia/Shanghai'"),
        ("zone: Asia/Shanghai", "zone: Asia/Shanghai\n  holidays: XQ", "no country 'XQ'", ""),
        ("mon: [", "mo: [", "no weekday 'mo'", "'mon'"),
        # names
        ("reception: front", "reception: frnt", "no role 'frnt'", "'front'"),
        ("grants: [handle, read]", "grants: [handel, read]", "no grant 'handel'", "'handle'"),
        ("to: works}\nform", "to: work}\nform", "no role 'work'", "'works'"),
        ("department: works, keywords", "department: wrks, keywords", "no role 'wrks'", "'works'"),
        ("fallback: other", "fallback: others", "no complaint type 'others'", "'other'"),
        ("slots: [name, serial]", "slots: [nam, serial]", "no slot 'nam'", "'name'"),
        ("pattern: '[A-Z]+'", "pattern: '[A-Z+'", "is no regular expression", "quotes"),
        (r"['SN\d+']", "['SN(']", "is no regular expression", "quotes"),
        ("keywords: [broken, ", "keywords: [cracked, ", "keyword 'cracked' stands here a second time", "one"),
        ("pattern: '[A-Z]+'", "kind: choice", "a choice and has no choices", "kind: choice"),
        ("{id: normal, ", "{id: urgent, ", "grade 'urgent' stands here a second time", ""),
        ("when: {flags: fire}}\n  slots", "clause: x}\n  slots", "'urgent' always holds", "when"),
        ("{id: works, title", "{id: front, title", "role 'front' stands here a second time", ""),
        # lifecycle
        ("to: working, by", "to: workin, by", "no state 'workin'", "'working'"),
        ("from: working, to", "from: workin, to", "no state 'workin'", "'working'"),
        ("by: [owner, works]", "by: [owner, boss]", "no role 'boss'", "There are"),
        ("submit: send", "submit: sent", "no move 'sent'", "'send'"),
        ("{id: gone, title: *t, final: true}", "{id: gone, title: *t}", "'gone' can never leave", "final: true"),
        ("    - {id: gone, ", "    - {id: lost, final: true, title: *t}\n    - {id: gone, ", "No case ever reaches the state 'lost'", "move"),
        ("id: send, from: received, to: working, by: customer", "id: send, from: received, to: working, by: customer}\n    - {id: auto, from: received, to: gone, by: system}\n    - {id: later, from: received, to: gone, by: system", "'later' is never made from 'received'", "condition"),
        ("asks: ask.result", "asks: ask.reslt", "no sentence 'ask.reslt'", "'ask.result'"),
        ("{id: leave, from", "{id: claimed, from", "two things", "a name of its own"),
        # clocks
        ("start: received\n    stop: human_reply", "start: recieved\n    stop: human_reply", "no state, move or act 'recieved'", "'received'"),
        ("start: send\n    stop: finished", "start: finish\n    stop: working", "never stops", "after its start"),
        ("unit: workday}\n    when", "unit: workday}\n    holding: {before: {amount: 1, unit: hour}, extend: {amount: 1, unit: day}}\n    when", "a date that nobody was promised", "promised: true"),
        ("{amount: 1, unit: hour}", "{amount: 1, unit: hour, basis: calendar}", "hour has no calendar", "elapsed"),
        ("{amount: 3, unit: workday}", "{amount: 3, unit: workday, basis: elapsed}", "workday is not counted as elapsed", "hours"),
        ("{amount: 1, unit: hour}", "{amount: 1, unit: hour, ends: closing}", "`ends` means nothing for a limit in 'hour'", "takes amount, basis"),
        ("{amount: 1, unit: hour}", "{amount: 8, unit: month_day, start_counts: true}", "`start_counts` means nothing", "tolerance"),
        ("{amount: 1, unit: hour}", "{amount: 1, unit: month_end}", "`amount` means nothing for a limit in 'month_end'", "ends, month"),
        ("{amount: 1, unit: hour}", "{amount: 1, unit: month, basis: working}", "`basis` means nothing for a limit in 'month'", "Leave it out"),
        ("{amount: 1, unit: hour}", "{unit: hour}", "A limit in 'hour' needs an amount", "amount"),
        ("{amount: 1, unit: hour}", "{amount: 0, unit: month_day}", "A limit in 'month_day' begins with 1", "same day"),
        ("{amount: 1, unit: hour}", "{amount: 0, unit: day, start_counts: true}", "'day' whose first day counts begins with 1", "same day"),
        ("{amount: 1, unit: hour}", "{amount: 32, unit: month_day}", "No month has 32 days", "month_end"),
        ("{amount: 1, unit: hour}", "{amount: 1, unit: day, ends: noon}", "'noon'", ""),
        ("{amount: 1, unit: hour}", "{unit: appointment}", "has no date until one is agreed upon", "start: appointed"),
        ("{amount: 1, unit: hour}", "{unit: appointment}", "The date of 'answer' is agreed upon", "Remove the example"),
        ("{amount: 1, unit: hour}", "{unit: appointment}\n    pauses: [customer]", "neither pauses nor depends", "of its own"),
        ("{amount: 3, unit: workday}\n    when", "{amount: 3, unit: workday}\n    promised: true\n    holding: {before: {amount: 8, unit: month_day}, extend: {amount: 1, unit: day}}\n    when", "no length of time, but a date", "working days"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    limits: [{amount: 1, unit: hour, when: {urgency: urgnt}}]\n", "no value of 'urgency' 'urgnt'", "'urgent'"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    limits: [{amount: 1, unit: hour, ends: closing, when: {urgency: urgent}}]\n", "`ends` means nothing", "Leave it out"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    pause: {nudge: {amount: 1, unit: workday}, most: {amount: 2, unit: workday}}\n", "'solve' never pauses", "pauses: [customer]"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    pauses: [customer]\n    pause: {nudge: {amount: 3, unit: day}, most: {amount: 2, unit: day}}\n", "reminded when the pause is over", "shorter"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    extension: {by: bos, step: {amount: 2, unit: workday}}\n", "no role 'bos'", "There are"),
        ("{amount: 3, unit: workday}\n", "{amount: 3, unit: workday}\n    extension: {by: works, step: {unit: month_end}}\n", "no length of time, but a date", "working days"),
        ("clocks: [answer]", "clocks: [anwser]", "no clock 'anwser'", "'answer'"),
        ("percent: 100, to: works", "percent: 100, to: everybody", "no role 'everybody'", ""),
        ("escalation:", "escalation:\n  - {clocks: [answer], rungs: [{percent: 50, to: front}]}", "never climbed", "one ladder"),
        # notices, surveys, conditions
        ("on: [working, flagged]", "on: [working, flaged]", "no state, move or act 'flaged'", "'flagged'"),
        ("say: notice.working", "say: notice.workin", "no sentence 'notice.workin'", "'notice.working'"),
        ("bad: 2", "bad: 5", "Every score is a bad one", "Lower"),
        ("{type: broken}", "{tpye: broken}", "no fact 'tpye'", "'type'"),
        ("{type: broken}", "{type: borken}", "no value of 'type' 'borken'", "'broken'"),
        ("when: {urgency: urgent}", "when: {urgency: urgnt}", "no value of 'urgency' 'urgnt'", "'urgent'"),
        ("when: {urgency: urgent}", "when: {urgency: {gt: 1}}", "'urgency' is no number", "list"),
        ("when: {urgency: urgent}", "when: {not: {owned: nobody}}", "no value of 'owned' 'nobody'", "There are"),
        # examples
        ("it is broken, type: broken", "it is cracked, type: other", "is read as 'broken' because of cracked", "keyword"),
        ("{text: it is broken", "{text: nothing here", "is read as nothing, not as 'broken'", "keyword"),
        ("{text: it is broken", "{text: broken by fire", "raises the flag 'fire' because of fire", "unless"),
        ("flags: []}", "flags: [fire]}", "does not raise the flag 'fire'", "keyword"),
        ("flags: []}", "flags: [fier]}", "no flag 'fier'", "'fire'"),
        ('due: "2025-03-03 13:30"', 'due: "2025-03-03 12:30"', "'answer' is due 2025-03-03 13:30, not 2025-03-03 12:30", "limit"),
        ('due: "2025-03-03 13:30"', "due: tomorrow", "local times", "21:30"),
        ("{clock: answer, start", "{clock: anser, start", "no clock 'anser'", "'answer'"),
        ("{text: it is broken, type: broken, flags: []}", "{type: broken}", "either a text", "clock"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_plain_words_with_a_cure(
    files: Files, before: str, after: str, message: str, cure: str
) -> None:
    line = files.replace(before, after)

    problems = files.check()

    told = [problem for problem in problems if message in problem.message and cure in problem.cure]
    assert told, [str(problem) for problem in problems]
    last = line + before.count("\n") + after.count("\n")
    elsewhere = (
        "a second time",
        "never climbed",
        "has no choices",
        "not YAML",
        "'answer' is agreed upon",
    )  # told where the other half stands
    assert line <= told[0].line <= last or any(each in told[0].message for each in elsewhere), (line, str(told[0]))
    assert "Traceback" not in str(told[0])


@pytest.mark.parametrize(
    "limit",
    [
        "{amount: 90, unit: second, basis: elapsed}",
        "{amount: 0, unit: day}",
        "{amount: 3, unit: day, basis: calendar, ends: closing}",
        "{amount: 3, unit: workday, start_counts: true, ends: '17:00'}",
        "{amount: 6, unit: month, ends: closing}",
        "{amount: 8, unit: month_day, month: next, strictly_before: true}",
        "{amount: 24, unit: month_day, tolerance: 2}",
        "{unit: month_end, month: next}",
    ],
)
def test_every_limit_that_means_something_is_taken(files: Files, limit: str) -> None:
    files.replace("limit: {amount: 3, unit: workday}", f"limit: {limit}")

    assert files.check() == []


def test_a_clock_may_pause_for_a_while_be_extended_and_depend_on_the_case(files: Files) -> None:
    files.replace(
        "limit: {amount: 3, unit: workday}",
        "limit: {amount: 3, unit: workday}\n    limits: [{amount: 1, unit: workday, when: {type: broken}}]\n"
        "    pauses: [customer]\n    pause: {nudge: {amount: 2, unit: workday}, most: {amount: 5, unit: workday}}\n"
        "    extension: {by: [owner, works], step: {amount: 5, unit: workday}, most: 2}",
    )

    assert files.check() == []


def test_a_problem_names_its_file_and_its_exact_line(files: Files) -> None:
    line = files.replace("      slots: [name, serial]", "      slots: [nam, serial]")

    assert [(each.path.name, each.line) for each in files.check()] == [("small.yaml", line)]


def test_every_mistake_of_a_file_is_told_at_once(files: Files) -> None:
    for before, after in (
        ("prefix: SM", "prefix: sm"),
        ("consent: 2026-1", "consnt: 2026-1"),
        ("to: working, by", "to: workin, by"),
        ("{id: works, title: *t}", "{id: works, titel: *t}"),
        ("clocks: [answer]", "clocks: [anwser]"),
        ("id: other, ", "id: Other, "),
    ):
        files.replace(before, after)

    told = "\n".join(map(str, files.check()))

    for word in ("'sm'", "'consnt'", "'workin'", "'titel'", "'anwser'", "'Other'"):
        assert word in told
    assert "'front' stands" not in told
    assert "no role 'works'" not in told, "a role that is broken still has its name"


def test_a_key_that_is_mistyped_is_not_missing_too(files: Files) -> None:
    files.replace("department: front}", "departmant: front}")

    assert len(files.check()) == 1


def test_lines_stay_right_after_something_was_left_out(files: Files) -> None:
    files.replace("    - {id: send, from: received,", "    - {id: send, frm: received,")
    line = files.replace("by: [owner, works]", "by: [owner, boss]")

    assert line in [problem.line for problem in files.check() if "'boss'" in problem.message]


def test_a_file_that_is_empty_or_no_mapping_is_told(files: Files) -> None:
    for text in ("", "- 1\n", "just words\n"):
        files.write("companies/small.yaml", text)
        assert [problem.message for problem in files.check()] == ["The file holds no keys with values."]


def test_a_file_that_is_no_text_is_told(files: Files) -> None:
    (files.folder / "companies" / "small.yaml").write_bytes(b"\xff\xfe\x00")

    assert "cannot be read" in files.check()[0].message


def test_a_file_that_holds_next_to_nothing_is_told_what_it_lacks(files: Files) -> None:
    files.write("companies/small.yaml", "id: small\n")

    told = [problem.message for problem in files.check()]

    assert "The file: the key 'lifecycle' is missing." in told
    assert len(told) == 8


class TestWording:
    def test_a_key_that_a_language_lacks_is_told(self, files: Files) -> None:
        files.write("wording/en.yaml", WORDING.replace("tell: {result: done}\n", "tell: {}\n"))

        assert [(each.path.name, each.line, each.message) for each in files.check()] == [
            ("en.yaml", 2, "The sentence 'tell.result' is missing.")
        ]

    def test_other_placeholders_than_in_the_first_language_are_told(self, files: Files) -> None:
        files.write("wording/en.yaml", WORDING.replace("{number} is", "{numbr} is"))

        assert [(each.path.name, each.line) for each in files.check()] == [("en.yaml", 4)]

    @pytest.mark.parametrize("sentence", ["{", "{}", "{language}", "{a.b}"])
    def test_braces_that_cannot_be_filled_are_told(self, files: Files, sentence: str) -> None:
        for language in ("zh-Hans", "zh-Hant", "en"):
            files.write(f"wording/{language}.yaml", WORDING.replace("done", f'"{sentence}"'))

        assert {(each.path.name, each.line) for each in files.check()} == {
            ("zh-Hans.yaml", 2), ("zh-Hant.yaml", 2), ("en.yaml", 2),
        }  # fmt: skip

    def test_a_file_of_no_language_is_told(self, files: Files) -> None:
        files.write("wording/zh-hans.yaml", WORDING)

        assert [each.cure for each in files.check()] == ["Did you mean 'zh-Hans'?"]


class TestYears:
    @pytest.mark.parametrize(
        ("name", "text", "line", "message"),
        [
            ("CN-2027", "published: true\nholidays: [2028-01-01]\n", 2, "another year"),
            ("CN-2027", "published: true\nholidays: [2027-01-01, 2027-01-01]\n", 2, "a second time"),
            ("CN-2027", "published: true\nholidays: []\nworkdays:\n  - 2027-01-04\n", 4, "is a Monday"),
            ("CN-2027", "published: true\nholidays: [soon]\n", 2, "a date"),
            ("CN-2027", "published: true\nholiday: []\n", 2, "'holiday' is not known"),
            ("china", "published: true\nholidays: []\n", 1, "no country and year"),
            ("XQ-2027", "published: true\nholidays: []\n", 1, "no country and year"),
        ],
    )
    def test_a_mistake_in_a_year_is_told(self, files: Files, name: str, text: str, line: int, message: str) -> None:
        files.write(f"calendars/{name}.yaml", text)

        told = [problem for problem in files.check() if problem.path.stem == name]

        assert any(problem.line == line and message in problem.message for problem in told), told

    def test_a_right_year_has_no_problems(self, files: Files) -> None:
        files.write("calendars/CN-2027.yaml", "published: true\nholidays: [2027-01-01]\nworkdays: [2027-01-03]\n")

        assert files.check() == []
