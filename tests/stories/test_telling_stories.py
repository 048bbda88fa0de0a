"""What the player of stories promises to whoever writes one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import policies
from bot import stories
from bot.cli import app
from bot.stories.checking import CHECKS
from policies import yaml12

FOLDER = Path(policies.__file__).parent
LATE = """
id: late
regime: trade_003
channel: telegram
messages:
  - {at: "2025-03-03 10:15", text: "订单YX20250118-3 物流没更新都半个月了 我叫王岚 微信就行 人在马德里"}
staff:
  - {at: "2025-03-03 11:30", who: logistics, do: propose, with: {text: 空运补发}}
expect:
  type: logistics_delay
  deadlines: [{clock: first_response, start: "2025-03-03 10:15", at: "2025-03-03 11:15"}]
  outcome: [{breached: first_response}, {state: proposed}]
"""


def played(tmp_path: Path, text: str) -> stories.Outcome:
    path = tmp_path / "story.yaml"
    path.write_text(text, "utf-8")
    scripts, problems = stories.read(path)
    assert problems == []
    return stories.play(scripts[0], FOLDER)


def wrong(tmp_path: Path, text: str) -> str:
    """What is said about a story that cannot be played, in one text."""
    path = tmp_path / "story.yaml"
    path.write_text(text, "utf-8")
    scripts, problems = stories.read(path)
    found = [*problems, *(each for script in scripts for each in stories.play(script, FOLDER).problems)]
    return "\n".join(str(each) for each in found)


def changed(old: str, new: str) -> str:
    assert old in LATE
    return LATE.replace(old, new)


def failed(outcome: stories.Outcome) -> list[str]:
    return [each.key for each in outcome.findings if each.ok is False]


def test_what_falls_due_in_between_happens_at_its_own_moment(tmp_path):
    outcome = played(tmp_path, LATE)

    assert outcome.well
    breach = next(line for line in outcome.lines if "超时" in line.what)
    assert f"{breach.at:%H:%M}" == "03:15", "11:15 in Shanghai, though nobody did anything then"
    assert breach.heard


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("type: logistics_delay", "type: refund_payment", "type"),
        ('at: "2025-03-03 11:15"}]', 'at: "2025-03-03 11:16"}]', "deadline first_response"),
        ('start: "2025-03-03 10:15", at', 'start: "2025-03-03 10:16", at', "deadline first_response"),
        ("{state: proposed}", "{state: closed}", "outcome state"),
        ("outcome: [", "must_not: [", "must_not state"),
        ("type: logistics_delay", "flags: [media]", "flags"),
        ("type: logistics_delay", "grading: {urgency: urgent}", "grading urgency"),
        ("type: logistics_delay", "bot_asks: [region]", "bot_asks region"),
        ("type: logistics_delay", "must_not_ask: [model]", "must_not_ask model"),
        ("type: logistics_delay", "reply_language: en", "reply_language"),
        ("type: logistics_delay", "route: {owner: qc}", "route owner"),
        ("type: logistics_delay", "approvals: [{steps: [leading_group, management]}]", "approval"),
        ("type: logistics_delay", "pushes: [{to: management}]", "push management"),
        ("type: logistics_delay", "survey: {id: another}", "survey"),
        ("type: logistics_delay", "second_case: wrong_goods", "second_case"),
        ("type: logistics_delay", "candidates: [wrong_goods]", "candidates"),
    ],
)
def test_an_expectation_that_is_not_met_is_named(tmp_path, old, new, key):
    outcome = played(tmp_path, changed(old, new))

    assert key in failed(outcome)
    assert not outcome.well


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "expect:",
            "expect:\n  fine_cny: 50",
            "story.yaml:10: The key 'fine_cny' is not known here. Known here are: type",
        ),
        ("do: propose", "do: promise", "story.yaml:8: There is no act and no move 'promise'. Acts: "),
        ("who: logistics", "who: nobody", "story.yaml:8: Nobody is 'nobody' here. Roles: leading_group"),
        ("{state: proposed}", "{stage: proposed}", "There is no check 'stage'. Did you mean 'state'?"),
        ("{state: proposed}", "{state: proposal}", "state: there is no 'proposal'. There are, for example: proposed"),
        ("{state: proposed}", "{rounds: many}", "rounds wants a number"),
        ("regime: trade_003", "regime: nothing_004", "story.yaml:3: "),
        ("channel: telegram", "channel: pigeon", "story.yaml:4: There is no channel 'pigeon'. There are: telegram"),
        ("do: propose, with: {text: 空运补发}", "do: propose", "story.yaml:8: logistics cannot do 'propose'"),
        ("do: propose", "do: done", "logistics may: "),
        ("staff:", "answers: {age: 5}\nstaff:", "The form has no field 'age'. It has: type, name"),
        (
            "who: logistics, do: propose",
            "who: customer, do: propose",
            "A customer cannot do 'propose'. Customers can: say",
        ),
        ('at: "2025-03-03 11:30"', 'at: "half past"', "story.yaml:8: staff.0.at: "),
        ("id: late", 'id: "late', "This is not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_cure(tmp_path, old, new, said):
    assert said in wrong(tmp_path, changed(old, new))


def test_what_the_player_adds_is_marked_and_nothing_else_is(tmp_path):
    outcome = played(tmp_path, LATE)

    added = [line.what for line in outcome.lines if line.made_up]
    assert "agrees to the notice on personal data" in added
    assert "skips model" in added
    assert "reads it over and sends it" in added
    assert "▸ claim" in added, "what nobody has taken up cannot be proposed for"
    assert not any("空运补发" in what for what in added)


def test_an_answer_of_the_story_goes_before_one_of_the_player(tmp_path):
    outcome = played(tmp_path, changed("staff:", "answers: {model: LX-9}\nstaff:"))

    assert "LX-9" in [line.what for line in outcome.lines if line.made_up]
    assert "skips model" not in [line.what for line in outcome.lines]


def test_a_customer_who_only_consents_leaves_the_form_open(tmp_path):
    text = changed("staff:", "form: consent\nstaff:").replace(
        "who: logistics, do: propose, with", "who: reception, do: reply, with"
    )
    outcome = played(tmp_path, text.replace("{breached: first_response}, {state: proposed}", "{state: received}"))

    assert outcome.well, failed(outcome)
    assert not any(line.what.startswith("skips") for line in outcome.lines)
    assert [line.what for line in outcome.lines if line.made_up and line.who == "reception"] == ["▸ claim"]


def test_time_goes_on_after_the_last_act_when_the_story_says_so(tmp_path):
    text = changed("expect:", 'until: "2025-03-10 18:00"\nexpect:').replace("{state: proposed}", "{breached: answer}")

    assert played(tmp_path, text).well
    assert "outcome breached" in failed(played(tmp_path, text.replace('until: "2025-03-10 18:00"\n', "")))


def test_a_holiday_of_the_story_moves_the_dates(tmp_path):
    text = changed("expect:", 'calendar: {holidays: ["2025-03-03"]}\nexpect:')
    text = text.replace('at: "2025-03-03 11:15"}', 'at: "2025-03-04 10:00"}').replace(
        "{breached: first_response}, ", ""
    )

    assert played(tmp_path, text).well


def test_an_act_that_must_be_refused_is_tried(tmp_path):
    tried = '  - {at: "2025-03-03 11:40", who: management, do: done, with: {text: 好了}, refused: true}\nexpect:'
    outcome = played(tmp_path, changed("expect:", tried))
    assert outcome.well
    assert any("is refused" in line.what for line in outcome.lines)

    done = '  - {at: "2025-03-03 11:40", who: logistics, do: note, with: {text: 好了}, refused: true}\nexpect:'
    assert failed(played(tmp_path, changed("expect:", done))) == ["refused"]


def test_what_a_customer_may_not_do_is_tried_too(tmp_path):
    early = '  - {at: "2025-03-03 11:00", who: customer, do: customer_accepts, refused: true}\nexpect:'
    outcome = played(tmp_path, changed("expect:", early))
    assert outcome.well
    assert any(line.who == "customer" and "is refused" in line.what for line in outcome.lines)

    late = '  - {at: "2025-03-03 11:40", who: customer, do: customer_accepts, refused: true}\nexpect:'
    assert "refused" in failed(played(tmp_path, changed("expect:", late)))


def test_a_mistake_of_the_story_is_no_refusal(tmp_path):
    for deed in ("do: customer_accepts, case: 7", "do: press, with: {label: Nothing}"):
        entry = f'  - {{at: "2025-03-03 11:40", who: customer, {deed}, refused: true}}\nexpect:'
        assert wrong(tmp_path, changed("expect:", entry))


def test_a_complaint_by_telephone_is_entered_by_reception(tmp_path):
    outcome = played(tmp_path, changed("channel: telegram", "channel: phone"))

    assert outcome.well, failed(outcome)
    assert any(line.who == "reception" and "register" in line.what for line in outcome.lines)
    assert not any(line.heard and line.who == "customer" for line in outcome.lines), "there is no chat to write to"


def test_two_customers_have_a_case_each(tmp_path):
    second = '  - {at: "2025-03-03 10:20", from: 李娜, text: "你们客服态度恶劣，已读不回，还挂我电话"}\nstaff:'
    act = '  - {at: "2025-03-03 11:45", who: reception, do: note, case: 李娜, with: {text: 已了解}}\nexpect:'
    outcome = played(tmp_path, changed("staff:", second).replace("expect:", act))

    assert outcome.well
    assert [each.key for each in outcome.findings if each.key.startswith("open ")] == [
        "open TR25-00001-4",
        "open TR25-00002-3",
    ]


def test_what_is_for_later_is_counted_and_never_passes(tmp_path):
    outcome = played(tmp_path, LATE + "  later: {fine_cny: 50, report: monthly}\n")

    assert outcome.later == 2
    assert [each.ok for each in outcome.findings if each.key.startswith("later")] == [None, None]
    assert outcome.well


def test_one_file_holds_several_stories_and_markdown_holds_them_in_fences(tmp_path):
    both = tmp_path / "both.yaml"
    both.write_text(LATE + "---\n" + changed("id: late", "id: later"), "utf-8")
    page = tmp_path / "page.md"
    page.write_text(f"# Stories\n\nThe first:\n```yaml\n{LATE}```\nand\n```yaml\nid: broken\nnames: x\n```\n", "utf-8")

    assert [script.story.id for script in stories.read(both)[0]] == ["late", "later"]
    scripts, problems = stories.read(page)
    assert [script.story.id for script in scripts] == ["late"]
    line = page.read_text("utf-8").splitlines().index("names: x") + 1
    assert [each.line for each in problems] == [line]


def test_the_command_says_what_failed_and_ends_with_one(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(LATE, "utf-8")
    bad.write_text(changed("type: logistics_delay", "type: refund_payment"), "utf-8")
    run = CliRunner().invoke

    assert run(app, ["story", str(good)]).exit_code == 0
    refused = run(app, ["story", str(good), str(bad), "--show"])
    assert refused.exit_code == 1
    assert "refund_payment" in refused.output
    assert "2025-03-03 Mon" in refused.output
    told = json.loads(run(app, ["story", str(bad), "--json"]).stdout)
    assert told["stories"][0]["well"] is False
    assert {"what": "type", "expected": "refund_payment", "seen": "logistics_delay", "ok": False} in told["stories"][0][
        "findings"
    ]


def test_the_example_of_the_page_goes_as_it_should():
    scripts, problems = stories.read(Path(__file__).parents[2] / "docs/how-to/write-a-story.md")

    assert problems == []
    assert scripts
    assert all(stories.play(script, FOLDER).well for script in scripts)


def test_the_page_has_every_check():
    page = (Path(__file__).parents[2] / "docs/how-to/write-a-story.md").read_text("utf-8")
    rows = [f"| `{name}` | {check.wants} | {check.means} |" for name, check in CHECKS.items()]

    assert "\n".join(rows) in page


def test_what_customers_answer_by_themselves_fits_every_kind_of_field():
    answers = yaml12.load(Path(stories.__file__).with_name("answers.yaml").read_text("utf-8"))

    assert set(answers) == {"zh-Hans", "zh-Hant", "en"}
    assert all({"text", "contact", "order_no", "amount", "date", "moment"} == set(each) for each in answers.values())


MANY = """
id: many
regime: trade_003
channel: telegram
messages:
  - {at: "2025-03-03 10:00", from: late*3, text: "订单YX20250118-3 物流没更新都半个月了"}
  - {at: "2025-03-03 10:05", from: broken*2, text: "灯坏了，质量太差", answers: {model: LX-7}}
staff:
  - {at: "2025-03-03 11:00", who: logistics, do: propose, case: late*3, with: {text: 空运补发}}
  - {at: "2025-03-03 12:00", who: late*2, do: customer_accepts}
expect:
  outcome:
    - counted: {what: proposed, cases: 3}
    - counted: {what: executing, cases: 2}
"""


def test_several_customers_may_say_and_do_the_same(tmp_path):
    outcome = played(tmp_path, MANY)

    assert outcome.well
    said = [line.who for line in outcome.lines if "物流没更新" in line.what and not line.heard]
    assert said == ["late1", "late2", "late3"]
    assert sum(line.what == "LX-7" for line in outcome.lines) == 2, "what they answer is their own"
    assert failed(played(tmp_path, MANY.replace("proposed, cases: 3", "proposed, cases: 5"))) == ["outcome counted"]


def test_nobody_beyond_those_who_spoke_does_anything(tmp_path):
    assert "Nobody is 'late*4' here." in wrong(tmp_path, MANY.replace("who: late*2", "who: late*4"))


@pytest.mark.parametrize(
    ("expected", "key"),
    [
        ("grading: {urgency: 紧急}", "grading urgency"),
        ("empathy_reply: true", "empathy_reply"),
        ("materials: [录音]", "materials"),
        ("pushes: [{to: logistics, via: wecom+phone_call_task}]", "push logistics"),
        ("approvals: [{steps: [leading_group], last_expedited: true}]", "approval last_expedited"),
        ("approvals: [{steps: [leading_group], then_publish: sales}]", "approval then_publish"),
        ("bot_asks: [consent_step2]", "bot_asks consent_step2"),
    ],
)
def test_what_did_not_happen_is_not_found(tmp_path, expected, key):
    assert key in failed(played(tmp_path, changed("type: logistics_delay", expected)))


def test_a_grade_may_be_written_by_its_title(tmp_path):
    assert played(tmp_path, changed("type: logistics_delay", "grading: {urgency: 一般}")).well
