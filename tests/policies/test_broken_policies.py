"""A sound policy of an invented airline, broken in forty ways: each mistake is told with its line and its cure."""

from pathlib import Path

import pytest

import policies
from bot.reading import open_reader
from policies.checker import Problem, check
from policies.loader import load

POLICIES = Path(policies.__file__).parent

SOUND = """\
schema: 1
extends: standard
id: airline
title: &t {zh-Hans: 航空, zh-Hant: 航空, en: an airline}
number: {prefix: AL}
routing:
  lease: {amount: 8, unit: hour}
  handover: true
  alarm: {then: [duty_chief]}
  roles:
    - {id: ground, title: *t}
    - {id: cabin, title: *t}
    - {id: service, title: *t, members: [ground, cabin]}
    - {id: finance, title: *t}
    - {id: duty_chief, title: *t, grants: [handle, lead]}
    - {id: director, title: *t, grants: [read, lead]}
    - {id: auditor, title: *t, grants: [audit]}
  routes:
    - {part: support, to: finance, when: {type: refund}}
    - {part: support, to: cabin, when: {risk: high}}
    - {to: duty_chief, when: {flags: safety}}
  hidden:
    - {when: {type: crew}, only: [duty_chief, owner]}
form:
  amount: loss
  fields:
    - {id: loss, kind: amount, required: false, title: *t, ask: *t, hint: *t}
    - {id: call_at, kind: moment, required: false, title: *t, ask: *t, hint: *t}
    - {id: ticket_class, kind: choice, title: *t, ask: *t, hint: *t, choices: [{id: economy, title: *t}, {id: business, title: *t}]}
taxonomy:
  types:
    - {id: luggage, department: ground, title: *t, keywords: [行李, luggage]}
    - {id: refund, department: finance, title: *t, keywords: [{word: 退票, weight: 2}, refund]}
    - {id: crew, department: service, title: *t, keywords: [乘务员, crew]}
  flags:
    - {id: expensive, title: *t, quiet: true, when: {amount: {gt: 100000}}}
  grades:
    risk:
      - {id: low, title: *t}
      - {id: high, title: *t, when: {any: [{flags: [safety, expensive]}, {ticket_class: business, amount: {gt: 20000}}]}}
lifecycle:
  states:
    - {id: received}
    - {id: accepted}
    - {id: investigating}
    - {id: approving, title: *t}
  moves:
    - {id: submit_plan, from: investigating, to: approving, by: owner, when: {amount: {gt: 1000}}, button: *t}
    - {id: plan_granted, from: approving, to: proposed, by: system, on: plan.granted}
    - {id: plan_refused, from: approving, to: investigating, by: system, on: plan.refused}
    - {id: on_site, from: "*", by: [owner, support], button: *t}
    - {id: propose, when: {any: [{type: [refund, other]}, {done: on_site}]}}
clocks:
  - {id: first_response, who: [department, support], limits: [{amount: 1, unit: hour, when: {risk: high}}, {amount: 2, unit: hour, when: {reading_a: R1}}]}
  - {id: call_back, title: *t, start: accepted, stop: human_reply, limit: {amount: 1, unit: workday}, wish: call_at}
  - {id: sign, title: *t, start: plan.opened, stop: plan.decided, limit: {amount: 4, unit: hour}, who: approvers}
escalation:
  - {id: signing, clocks: [sign], rungs: [{percent: 80, to: approvers}, {percent: 100, to: director}]}
approvals:
  - id: plan
    title: *t
    on: approving
    matrix:
      - {when: {amount: {le: 50000}}, steps: [duty_chief]}
      - {when: {amount: {gt: 50000, le: 500000}, risk: low}, steps: [duty_chief, finance]}
      - {when: {amount: {gt: 50000, le: 500000}, risk: high}, steps: [finance, {all: [director, duty_chief]}]}
      - {when: {amount: {gt: 500000}}, steps: [{any: [director, duty_chief]}]}
    after:
      - {when: {flags: legal}, steps: [director]}
acceptance: {most: 3}
external: {limit: {amount: 3, unit: workday}, replied_by: [owner, duty_chief]}
duties:
  - {id: monthly_check, title: *t, to: auditor, every: month, due: {amount: 8, unit: month_day}, sample: {percent: 10, of: {type: refund}}, missed: director}
  - {id: spring_report, title: *t, to: finance, every: quarter, months: [4], due: {amount: 15, unit: workday}, missed: director}
readings:
  reading_a: {is: R1, of: [R1, R2]}
notices:
  - {id: unsafe, on: flagged.safety, to: duty_chief, say: notice.flagged, alarm: true}
  - {id: late_signature, on: breached.sign, to: director, say: notice.flagged}
examples:
  - {text: 我的行李不见了, type: luggage, flags: []}
  - {clock: call_back, start: "2025-03-03 10:00", due: "2025-03-04 18:00"}
  - {case: {type: refund, amount: 50000}, approval: plan, steps: [duty_chief]}
  - {case: {amount: 50000.01}, approval: plan, steps: [duty_chief, finance]}
  - {case: {amount: 100000.01}, grades: {risk: high}, approval: plan, steps: [finance, director+duty_chief]}
  - {case: {type: luggage, amount: 600000, flags: [legal]}, approval: plan, steps: [director]}
  - {case: {type: refund, flags: [safety]}, parts: {lead: [duty_chief], support: [finance]}}
"""
_LEADERS = """\
    - {id: duty_chief, title: *t, grants: [handle, lead]}
    - {id: director, title: *t, grants: [read, lead]}
"""


def checked(path: Path) -> list[Problem]:
    return check([path], read=lambda policy, folder: open_reader(policy, folder).read)


@pytest.fixture
def airline(tmp_path: Path) -> Path:
    path = tmp_path / "airline.yaml"
    path.write_text(SOUND, "utf-8")
    return path


def test_the_sound_policy_has_no_mistakes_and_loads(airline: Path) -> None:
    assert [str(each) for each in checked(airline)] == []
    assert load(airline, POLICIES).approval("plan").matrix


@pytest.mark.parametrize(
    ("before", "after", "message", "cure"),
    [
        # roles and parts
        ("members: [ground, cabin]", "members: [ground, cabn]", "There is no role 'cabn'.", "'cabin'"),
        ("{id: ground, title: *t}", "{id: ground, title: *t, members: [service]}", "'ground' is a member of itself", "smaller"),
        ("{part: support, to: finance,", "{part: cabin, to: finance,", "part 'cabin' has the name of something else", "that no role has"),
        ("to: cabin, when: {risk: high}", "to: cabn, when: {risk: high}", "There is no role 'cabn'.", "'cabin'"),
        ("to: cabin, when: {risk: high}", "to: cabin, when: {type: refund, risk: high}", "This route of 'support' never has its turn: number 1", "before"),
        ("only: [duty_chief, owner]", "only: [duty_chef, owner]", "no role or part 'duty_chef'", "'duty_chief'"),
        ("when: {type: crew}, only", "when: {tpye: crew}, only", "no fact 'tpye'", "'type'"),
        ("alarm: {then: [duty_chief]}", "alarm: {then: [chief]}", "There is no role 'chief'.", "'duty_chief'"),
        ("lease: {amount: 8, unit: hour}", "lease: {amount: 8, unit: month_day}", "no length of time, but a date", "hours"),
        ("only: [duty_chief, owner]", "only: []", "hidden from everybody", "owner"),
        # numbers
        ("acceptance: {most: 3}", "acceptance: {most: 0}", "acceptance.most: It should be greater than or equal to 1", "a number of 1 at least"),
        ("sample: {percent: 10,", "sample: {percent: 101,", "It should be less than or equal to 100", "a number of 100 at most"),
        # the form
        ("  amount: loss\n", "  amount: lost\n", "There is no field 'lost'.", "'loss'"),
        ("  amount: loss\n", "  amount: ticket_class\n", "The field 'ticket_class' asks for no amount", "kind: amount"),
        # facts
        ("amount: {gt: 100000}}}", "amount: {gt: many}}}", "this condition cannot be read", "bounds"),
        ("{id: expensive, title: *t, quiet: true, when: {amount: {gt: 100000}}}", "{id: expensive, title: *t, quiet: true}", "Nothing ever raises the flag 'expensive'", "keywords"),
        ("ticket_class: business, amount", "ticket_class: first, amount", "no value of 'ticket_class' 'first'", "business, economy"),
        ("    risk:\n", "    department:\n", "'department' is the name of two facts", "another name"),
        ("reading_a: {is: R1, of", "reading_a: {is: R3, of", "no reading 'R3'", "R1, R2"),
        ("when: {reading_a: R1}", "when: {reading_a: R4}", "no value of 'reading_a' 'R4'", "R1, R2"),
        ("amount: {le: 50000}}, steps", "amount: {le: 50000, gt: 60000}}, steps", "This condition never holds", "contradict"),
        # lifecycle
        ('from: "*", by: [owner, support]', 'from: ["*", accepted], by: [owner, support]', "others stand beside it", "alone"),
        ('from: "*", by: [owner, support]', 'from: "*", often: true, by: system', "do 'on_site' for ever", "on"),
        ('from: "*", by: [owner, support]', 'from: "*", by: [owner, suport]', "no role 'suport'", "'support'"),
        ("by: owner, when: {amount: {gt: 1000}}", "often: true, by: owner, when: {amount: {gt: 1000}}", "`often` is for what is done where a case stays", "Remove"),
        ("    - {id: plan_granted, from: approving,", "    - {id: customer_confirms, by: reception}\n    - {id: plan_granted, from: approving,", "(submit) and may not", "customer"),
        ("- {id: propose, when: {any: [{type: [refund, other]}, {done: on_site}]}}", "- {id: propose, when: {type: [refund, luggage]}}", "'investigating' can never leave it when type is 'crew' or 'other' and amount is up to 1,000", "propose"),
        ("on: plan.granted}", "on: [plan.recalled]}", "Nothing waits for 'plan.granted': once all have signed", "on: plan.granted"),
        ("    - {id: plan_refused, from: approving, to: investigating, by: system, on: plan.refused}\n", "", "Nothing waits for 'plan.refused': once somebody has refused", "on: plan.refused"),
        ("by: owner, when: {amount: {gt: 1000}}", "decides: true, fulfils: true, by: owner, when: {amount: {gt: 1000}}", "everything counts as given in the moment in which it is promised", "a later one fulfil"),
        ("to: proposed, by: system, on: plan.granted", "to: approving, by: system, on: plan.granted", "'plan_granted' leads back to 'approving'", "another state"),
        # clocks
        ("{percent: 100, to: director}", "{percent: 80, to: director}", "another rung at 80 percent", "one rung"),
        ("who: [department, support]", "who: [department, suport]", "There is no role 'suport'.", "'support'"),
        ("unit: workday}, wish: call_at", "unit: workday}, wish: call_at, pauses: [customer]", "The clock 'call_back' may pause for ever.", "how long"),
        ("wish: call_at", "extension: {by: owner, step: {amount: 1, unit: workday}, approval: plam}", "There is no approval 'plam'.", "'plan'"),
        ("wish: call_at", "extension: {by: owner, step: {amount: 1, unit: workday}, approval: plan}", "'plan' does not open when an extension of 'call_back'", "on: extension_asked.call_back"),
        ("wish: call_at", "wish: call_it", "There is no field 'call_it'.", "'call_at'"),
        ("wish: call_at", "wish: loss", "The field 'loss' asks for no moment.", "kind: moment"),
        ("when: {reading_a: R1}}]", "when: {risk: high, flags: safety}}]", "This limit of 'first_response' never has its turn: number 1", "before"),
        ("start: plan.opened, stop", "start: plan.begun, stop", "no state, move or act 'plan.begun'", "'plan."),
        ("clocks: [sign]", "clocks: [sing]", "There is no clock 'sing'.", "'sign'"),
        ("  - {id: call_back, title", "  - {id: external_reply, title", "'external_reply' is the clock of cases that were passed on from outside", "another name"),
        ("escalation:\n", "escalation:\n  - {id: general, drop: true}\n", "The clock 'call_back' climbs no ladder: nobody hears", "without `clocks`"),
        ("escalation:\n", "escalation:\n  - {id: general, when: {risk: high}}\n", "The clock 'call_back' climbs no ladder when risk is 'low'", "without `clocks`"),
        ("escalation:\n", "escalation:\n  - {id: general, drop: true}\n", "The clock 'external_reply' climbs no ladder", "without `clocks`"),
        ("rungs: [{percent: 80, to: approvers}", "rungs: [{percent: 80, to: approvers}, {before: {amount: 1, unit: day}, to: approvers}", "in `percent` or in `before`, not in both", ""),
        ("rungs: [{percent: 80, to: approvers}", "rungs: [{before: {unit: month_end}, to: approvers}", "no length of time, but a date", "working days"),
        # acceptance
        (_LEADERS, _LEADERS.replace("lead]", "read]"), "After so many refusals whoever leads decides, and no role grants `lead`.", "a role"),
        # approvals
        ("{amount: {le: 50000}}, steps: [duty_chief]}", "{amount: {le: 50000}}, steps: [duty_chef]}", "There is no role 'duty_chef'.", "'duty_chief'"),
        ("on: approving\n", "on: aproving\n", "no state, move or act 'aproving'", "'approving'"),
        ("on: approving\n", "on: plan.granted\n", "The approval 'plan' waits for plan.granted, and that never happens.", "lead to it"),
        ("{amount: {gt: 50000, le: 500000}, risk: high}", "{amount: {gt: 50000, le: 500000}, risk: low}", "Nobody approves amounts from 50,000.01 to 500,000 when risk is 'high'", "Add a row"),
        ("{amount: {gt: 500000}}", "{amount: {gt: 600000}}", "Nobody approves amounts from 500,000.01 to 600,000 ('plan')", "widen"),
        ("{amount: {gt: 500000}}", "{amount: {ge: 1000000}}", "Nobody approves amounts from 500,000.01 to 999,999.99 ('plan')", "widen"),
        ("{amount: {le: 50000}}", "{amount: {le: 80000}}", "Number 1 and number 2 of 'plan' both own amount from 50,000 to 80,000", "one end where the other begins"),
        ("{amount: {gt: 500000}}", "{amount: {ge: 500000}}", "Number 2 and number 4 of 'plan' both own amount 500,000", "one end where the other begins"),
        ("{amount: {le: 50000}}", "{amount: {le: 500000}}", "This row of 'plan' never has its turn: number 1", "narrow"),
        ("start: plan.opened, stop: plan.decided, limit: {amount: 4, unit: hour}, who: approvers}", "start: accepted, stop: plan.granted, limit: {amount: 4, unit: hour}, who: approvers}\nsigning: null", "Nobody counts the time of 'plan'", "start: plan.opened"),
        ("acceptance: {most: 3}", "signing: {rungs: [{percent: 100, to: directr}]}\nacceptance: {most: 3}", "There is no role 'directr'.", "'director'"),
        ("    after:\n", "    keeps:\n", "stay where one of `instead` holds, and there is none", "before"),
        ("steps: [{any: [director, duty_chief]}]", "steps: [{any: [director], all: [duty_chief]}]", "A step names a role", ""),
        # outside and duties
        ("replied_by: [owner, duty_chief]", "replied_by: [owner, chief]", "There is no role 'chief'.", "'duty_chief'"),
        ("months: [4], due", "months: [5], due", "No quarter begins in month 5", "1, 4, 7, 10"),
        ("due: {amount: 8, unit: month_day}", "due: {unit: appointment}", "Nobody agrees upon the date of a duty.", "date"),
        ("to: auditor, every", "to: audit, every", "There is no role 'audit'.", "'auditor'"),
        ("sample: {percent: 10, of: {type: refund}}", "sample: {percent: 10, of: {type: refnd}}", "no value of 'type' 'refnd'", "'refund'"),
        ("on: flagged.safety, to: duty_chief", "on: flagged.safety, to: [duty_chief, customer]", "An alarm is for people who must acknowledge it", "of its own"),
        ("on: breached.sign", "on: breached.sing", "no state, move or act 'breached.sing'", "'breached.sign'"),
        # examples
        ("approval: plan, steps: [duty_chief]}", "approval: plan, steps: [director]}", "For this case duty_chief sign, not director.", "rows of 'plan'"),
        ("grades: {risk: high}, approval", "grades: {risk: low}, approval", "For this case risk is 'high', not 'low'.", "conditions of 'risk'"),
        ("support: [finance]}}", "support: [cabin]}}", "For this case support is finance, not cabin.", "routes"),
        ("{case: {amount: 50000.01}, approval: plan, steps", "{case: {amount: 50000.01}, steps", "`approval` and `steps` belong together.", "both"),
        ("{case: {type: refund, amount: 50000}", "{case: {typ: refund, amount: 50000}", "no fact 'typ'", "'type'"),
        ("{case: {type: refund, flags: [safety]}", "{case: {type: refund, flags: safety}", "'flags' has a list.", "a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_in_plain_words_with_a_cure(
    airline: Path, before: str, after: str, message: str, cure: str
) -> None:
    assert SOUND.count(before) == 1, before
    airline.write_text(SOUND.replace(before, after), "utf-8")
    first = SOUND[: SOUND.index(before)].count("\n") + 1
    elsewhere = {  # told where the other half stands
        "'investigating' can never leave it": "    - {id: investigating}",
        "Nothing waits for 'plan.": "  - id: plan",
        "Nobody approves": "    matrix:",
        "Nobody counts the time of 'plan'": "  - id: plan",
        "After so many refusals": "acceptance:",
        "Number 1 and number 2": "      - {when: {amount: {gt: 50000, le: 500000}, risk: low}",
        "'call_back' climbs no ladder": "  - {id: call_back, title",
        "'external_reply' climbs no ladder": "external: {",
        "This row of 'plan' never has its turn": "      - {when: {amount: {gt: 50000, le: 500000}, risk: low}",
    }

    problems = checked(airline)

    found = [each for each in problems if message in each.message and cure in each.cure]
    assert found, [str(each) for each in problems]
    text = airline.read_text("utf-8")
    other = next((text[: text.index(line)].count("\n") + 1 for said, line in elsewhere.items() if said in message), 0)
    lines = {other} if other else {*range(first, first + after.count("\n") + before.count("\n") + 1)}
    assert {each.line for each in found} & lines, ([str(each) for each in found], lines)
    assert not any("Traceback" in str(each) or "pydantic" in str(each) for each in problems)
