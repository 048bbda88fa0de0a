"""Why a case was read as it was: agents may ask, and are told the scores, the words that decided, and the lexicon."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import policies
from bot import wiring
from complaints.commands import Act
from complaints.conversation import Staff
from complaints.errors import NotAllowed
from complaints.messages import OutgoingMessage
from handlers.turn import Book
from nlp.reader import KeywordReader
from policies.loader import read
from policies.phrasebook import LANGUAGES, Phrasebook
from tests.memory import Ids, Memory

HOME = Path(policies.__file__).parent
BURNT = "充电器起火，人被烫伤送医院，质量太差，用两天就坏了"


class Desk(Memory):
    """A desk with one customer and one member of the staff."""

    def staffed(self, *roles, language="zh-Hans"):
        """Let somebody work here, and return the desk."""
        self.scene.staff[7] = Staff(
            id=7, name="周敏", roles=list(roles), language=language, channel="telegram", chat="7"
        )
        return self

    @property
    def case(self):
        return next(iter(self.scene.cases.values()))

    def why(self):
        """Let the member of the staff ask why, and return what they are told."""
        self.serve(Act(staff_id=7, case_id=self.case.id, act="why", values={}))
        return "\n".join(
            each.body.text
            for each in self.letters
            if each.address.chat == "7" and isinstance(each.body, OutgoingMessage)
        )


@pytest.fixture(scope="module")
def book():
    policy = wiring.parse(read("trade_003", HOME), "trade_003")
    return Book(
        current=policy,
        policies={policy.version: policy},
        calendar=wiring.work_calendar(policy.hours, HOME / "calendars"),
        reader=wiring.open_reader(policy, HOME),
        wording=Phrasebook.load(HOME / "wording"),
        ids=Ids(),
    )


def _told(desk, *words):
    for each in words:
        desk.hear(each)
    return desk


def test_an_agent_is_told_the_scores_the_words_the_flags_and_the_lexicon(book):
    desk = _told(Desk(book).staffed("reception"), BURNT, "同意")
    reading = book.reader.read(BURNT)
    told = desk.why()
    best, *near = reading.types[:3]
    titles = {each.id: each.title["zh-Hans"] for each in book.current.taxonomy.types}
    assert f"读出的类型：{titles[best.id]}（{round(100 * round(best.score, 3))} 分）" in told
    for hit in sorted(best.words, key=lambda hit: -hit.weight)[:5]:
        assert f"{hit.word}（{hit.weight:.2f}）" in told
    for each in near:
        assert titles[each.id] in told
    assert re.search(r"人身安全.*：.*起火", told)
    assert f"词库版本：{reading.lexicon}" in told


def test_at_most_five_words_are_told_the_heaviest_first(book):
    desk = _told(Desk(book).staffed("reception"), BURNT, "同意")
    desk.case.words.weights = {"一": 0.1, "二": 0.9, "三": 0.3, "四": 0.4, "五": 0.5, "六": 0.6, "七": 0.7}
    assert "二（0.90）、七（0.70）、六（0.60）、五（0.50）、四（0.40）\n" in desk.why()


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_in_the_agents_language(book, language):
    desk = _told(Desk(book).staffed("reception", language=language), BURNT, "同意")
    title = book.current.taxonomy.type(desk.case.type).title[language]
    assert title in desk.why()
    assert book.wording.say(language, "staff.why.lexicon", version=desk.case.facts.lexicon) in desk.why()


def test_a_type_that_a_person_chose_is_told_beside_what_was_read(book):
    desk = _told(Desk(book).staffed("reception"), BURNT, "同意")
    assert "现在的类型" not in desk.why()
    desk.serve(Act(staff_id=7, case_id=desk.case.id, act="retype", values={"detail": "logistics_delay"}))
    told = desk.why()
    assert "现在的类型：物流延误问题" in told
    assert "读出的类型：产品质量问题" in told


def test_the_words_of_a_customer_who_has_not_consented_are_not_told(book):
    desk = _told(Desk(book).staffed("reception"), BURNT)
    told = desk.why()
    assert "读出的类型" in told
    assert "起火" not in told
    assert "依据的词" not in told


def test_who_does_not_work_on_the_case_is_not_told(book):
    desk = _told(Desk(book).staffed("purchasing"), BURNT, "同意")
    with pytest.raises(NotAllowed):
        desk.why()


def test_asking_why_does_nothing_with_the_case_but_is_written_down_as_a_look_at_it(book):
    desk = _told(Desk(book).staffed("reception"), BURNT, "同意")
    before = len(desk.events), dict(desk.timers), desk.case.owner_id
    desk.why()
    assert [event.name for event in desk.events[before[0] :]] == ["viewed"]
    assert (dict(desk.timers), desk.case.owner_id) == before[1:]


def test_what_was_read_lies_open_as_numbers_and_sealed_as_words(book):
    desk = _told(Desk(book), BURNT)
    [typed] = [event for event in desk.events if event.name == "typed"]
    assert typed.facts["scores"][desk.case.type] > 0
    assert typed.facts["lexicon"] == book.reader.version
    assert typed.words["weights"] == desk.case.words.weights
    assert typed.words["by"]
    known = set(typed.words["by"]) | set(desk.case.words.flagged_by["safety"])
    for event in desk.events:
        assert not any(word in str(event.facts) for word in known), event.name


def test_words_that_came_near_to_a_type_are_kept_though_the_customer_chose(book):
    unlearned = replace(book, reader=KeywordReader(book.current.taxonomy))
    desk = _told(Desk(unlearned).staffed("reception"), "我对你们很不满意，要投诉，客服、快递、价格都有意见")
    assert desk.case.type == ""
    assert desk.case.facts.scores
    assert desk.case.words.weights


def test_the_customer_reads_which_kind_was_understood(book):
    desk = _told(Desk(book), BURNT, "同意", "王岚", "13812345678", "马德里", "没有", "没有", "退款", "没有")
    assert "类型：产品质量问题" in desk.letters[-1].body.text
    unlearned = replace(book, reader=KeywordReader(book.current.taxonomy))
    desk = _told(Desk(unlearned), "我对你们很不满意，要投诉，客服、快递、价格都有意见", "同意")
    body = desk.letters[-1].body
    assert "下面哪一个最接近您的情况" in body.text
    assert 2 <= len([choice for row in body.choices for choice in row]) <= 4
