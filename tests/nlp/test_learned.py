"""What is learned from labelled texts: the table, how it is read, and what becomes of it."""

import pytest

from bot.classify import reader_of_labels, trained
from complaints.errors import Misconfigured
from complaints.weights import Weights, Word
from nlp.evaluate import Row
from nlp.learning import Example, learn
from nlp.matcher import Finder
from nlp.normalize import normalize
from nlp.segment import Segmenter
from nlp.table import Tables, without
from policies import weights as files

THINGS = ["水壶", "灯", "门", "地毯", "床垫", "椅子", "杯子", "沙发", "镜子", "音箱"]
BROKEN = ["裂了", "掉漆", "漏水", "变形", "坏了"]
LATE = ["还没到", "迟迟不发", "卡在路上", "没收到", "一直没送"]
TEXTS = [
    *[Row(text=f"{thing}{what}，第{n}次了", label="quality") for n, thing in enumerate(THINGS) for what in BROKEN],
    *[Row(text=f"{thing}{what}，等{n}天了", label="delivery") for n, thing in enumerate(THINGS) for what in LATE],
]


def said(weights, text, taken_back=()):
    """Return what a table says of a text: the evidence for each of its types."""
    tables = Tables({"table": weights})
    words, _ = Finder(tables.words).find(text)
    return tables.read(without(words, taken_back)).evidence("table")


@pytest.fixture(scope="module")
def learned():
    return trained(TEXTS, None)


def test_what_was_learned_reads_other_texts(learned):
    reader = reader_of_labels(learned)
    first = reader.read("柜子没收到").types[0]

    assert first.id == "delivery"
    assert "没收到" in {hit.word for hit in first.words} or any("没" in hit.word for hit in first.words)
    assert reader.read("柜子裂了，退货").types[0].id == "quality"


def test_the_same_texts_teach_the_same(learned):
    assert trained(TEXTS, None) == learned


def test_a_table_is_written_so_that_reading_it_gives_the_same(learned, tmp_path):
    file = tmp_path / "weights" / "x.yaml"
    learned = learned.model_copy(update={"added": {"no": {"quality": 1.0}, "a: b": {"delivery": 0.5}}})
    files.write(learned, file)

    assert files.read(file) == learned
    assert "  # delivery\n" in file.read_text("utf-8")


def test_a_type_that_the_policy_does_not_have_is_named(learned, tmp_path):
    file = tmp_path / "x.yaml"
    files.write(learned, file)

    with pytest.raises(Misconfigured, match="no type delivery"):
        files.read(file, {"quality"})


LINE = '{"schema": 1, "texts": 5, "start": {"a": 1}, "words": '
SAYS = '{"texts": 1, "says": {"a": 1}}'


@pytest.mark.parametrize(("broken", "told"), [
    ("schema: 1\ntexts: 0\nstart: {}\n", "texts"),
    ("schema: 1\ntexts: 5\nstart: {a: many}\n", "start.a"),
    ("schema: 1\ntexts: 5\nstart: {a: 1}\nwords: {x: {texts: 1, say: {a: 1}}}\n", "words.x.say"),
    ("start: [", "cannot be read"),
    ("schema: 1\ntexts: 5\nstart: {a: 1}\nwords: {x: {texts: 1, says: {a: -3.0e+6}}}\n", "words.x.says.a"),
    ("schema: 1\ntexts: 5\nstart: {a: .nan}\n", "start.a"),
    ('{"schema": 1, "texts": 5, "start": {"a": 1}, "added": {"x": {"a": 1}, "x": {"a": 2}}}', "x: stands twice"),
    (f'{LINE}{{"x": {SAYS}, "y": {SAYS}, "x": {SAYS}}}}}', "x: stands twice"),
    (f'{LINE}{{"x": {{"texts": 1, "says": {{"a": 1, "a": 2}}}}}}}}', "a: stands twice"),
    ('{"start": ' + "[" * 5000 + "]" * 5000 + "}", "cannot be read"),
])  # fmt: skip
def test_a_broken_file_of_weights_says_where(tmp_path, broken, told):
    file = tmp_path / "x.yaml"
    file.write_text(broken, "utf-8")

    with pytest.raises(Misconfigured, match=told):
        files.read(file)


def test_several_labels_of_one_text_are_read_together():
    texts = [
        *[Example(text=f"{thing}冒烟了", labels=frozenset({"fire"})) for thing in THINGS],
        *[Example(text=f"{thing}割伤了手", labels=frozenset({"hurt"})) for thing in THINGS],
        *[Example(text=f"{thing}冒烟了，还割伤了手", labels=frozenset({"fire", "hurt"})) for thing in THINGS],
        *[Example(text=f"{thing}送晚了", labels=frozenset()) for thing in THINGS],
    ]
    weights = learn(texts, Segmenter(), several=True)

    def read(text):
        return {label for label, evidence in said(weights, text).items() if evidence > 0}

    assert read("台灯冒烟了，割伤了手") == {"fire", "hurt"}
    assert read("台灯冒烟了") == {"fire"}
    assert read("台灯送晚了") == set()


SMOKE = [
    *[Row(text=f"{thing}冒烟了", label="fire") for thing in THINGS],
    *[Row(text=f"{thing}送晚了", label="none") for thing in THINGS],
]


def test_a_label_of_which_people_may_differ_teaches_nothing():
    doubtful = [
        *[Row(text=f"{thing}发烫", label="none", also=frozenset({"fire"})) for thing in THINGS],
        *[Row(text=f"{thing}发烫得很", label="fire", also=frozenset({"none"})) for thing in THINGS],
    ]
    learned = trained([*SMOKE, *doubtful], None, several=True)

    assert "发烫" not in learned.words
    assert said(learned, "台灯冒烟了")["fire"] > 0
    sure = [Row(text=f"{thing}发烫", label="fire", also=frozenset({"fire"})) for thing in THINGS]
    assert said(trained([*SMOKE, *sure], None, several=True), "台灯发烫")["fire"] > 0


def test_texts_beside_weigh_words_and_bring_none():
    written = [*SMOKE, Row(text="灯闪，张三来修", label="none"), Row(text="门闪，李四来修", label="none")]
    beside = [Row(text=f"王大麻子说{thing}闪个不停", label="fire") for thing in THINGS]
    learned = trained(written, None, several=True, beside=beside)

    assert said(learned, "台灯闪个不停")["fire"] > said(trained(written, None, several=True), "台灯闪个不停")["fire"]
    assert not any("麻" in word for word in learned.words), "no name that somebody wrote there is in the table"


@pytest.mark.parametrize("texts", [[], [Row(text="灯坏了", label="quality"), Row(text="门坏了", label="quality")]])
def test_nothing_to_tell_apart_is_said_so(texts):
    with pytest.raises(Misconfigured, match="Nothing can be learned"):
        trained(texts, None)


def test_the_beginning_of_words_is_found_and_nothing_inside_a_word():
    finder = Finder(["refund*", "fund", "灯"])

    assert finder.find("refunded the 台灯")[0] == {0: (0, 6), 2: (14, 15)}
    assert finder.find("a fund")[0] == {1: (2, 6)}


def test_words_in_what_is_taken_back_say_nothing():
    weights = Weights(texts=10, start={"a": -1.0, "b": -1.0},
                      words={"漏水": Word(texts=1, says={"a": 3.0}), "没到": Word(texts=1, says={"b": 3.0})})  # fmt: skip

    assert said(weights, "漏水，没到", [(0, 2)]) == pytest.approx({"a": -1.0, "b": 2.0})
    assert said(weights, "漏水", [(0, 2)]) == {}


def test_tables_over_the_same_words_are_summed_up_apart_and_exactly_however_long_the_text():
    words = [chr(0x4E00 + at) for at in range(500)]
    one = Weights(texts=9, start={"a": 0.5}, words={word: Word(texts=9, says={"a": -9.75}) for word in words})
    other = Weights(texts=9, start={"a": 0.0}, words={words[0]: Word(texts=9, says={"a": 0.01})})
    tables = Tables({"one": one, "other": other})
    read = tables.read(Finder(tables.words).find(normalize("".join(words)).folded)[0])

    assert read.evidence("one") == pytest.approx({"a": 0.5 - 9.75 * 500**0.5})
    assert read.evidence("other") == pytest.approx({"a": 0.01}, abs=1e-6)
    assert (read.words("one"), read.words("other"), read.words("none")) == (500, 1, 0)
    assert [(hit.word, hit.start) for hit in read.told("other", "a", 5)] == [(words[0], 0)]
    assert read.told("one", "a", 5) == ()


def test_the_words_that_are_told_are_whole_and_say_something():
    words = {"质": 1.0, "量问": 1.0, "质量问题": 2.0, "餐椅": 1.9, "的": 1.5, "当地": 0.1}
    weights = Weights(texts=9, start={"a": 0.0}, words={word: Word(texts=9, says={"a": weight}) for word, weight in words.items()})  # fmt: skip
    tables = Tables({"one": weights})
    text = normalize("餐椅的质量问题，当地").folded
    read = tables.read(Finder(tables.words).find(text)[0])

    assert [hit.word for hit in read.told("one", "a", 9)] == ["质量问题", "餐椅"]
    assert [hit.word for hit in read.told("one", "a", 1)] == ["质量问题"]
