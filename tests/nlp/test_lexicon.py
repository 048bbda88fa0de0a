"""The lexicon is data, and data only."""

import re
from pathlib import Path

import nlp
from nlp import lexicon
from nlp.matcher import Entry, Finder, forms, longest
from nlp.normalize import spellings

HOME = Path(nlp.__file__).parent
CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|\\u[3-9f][0-9a-fA-F]{3}(?!\\)")


def test_no_chinese_stands_in_code():
    guilty = [
        f"{path.relative_to(HOME)}:{number}"
        for path in HOME.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if CHINESE.search(line.replace("\\ufffd", "").replace("\\ufe0f", ""))
    ]

    assert guilty == []


def test_every_page_says_what_it_is():
    assert all(path.read_text(encoding="utf-8").startswith("# ") for path in (HOME / "lexicon").glob("*.yaml"))


def test_no_message_has_two_intents():
    from nlp.normalize import key

    seen = {}
    for name, words in lexicon.load().intents.intents.items():
        for word in words:
            assert seen.setdefault(key(word), name) == name, word


def test_the_lexicon_is_loaded_once():
    assert lexicon.load() is lexicon.load()


def test_words_are_found_in_the_spelling_of_taiwan():
    assert {"软件", "软体"} <= spellings(["软件"])[0]


def test_english_words_are_found_in_their_forms():
    assert {"delay", "delays", "delayed", "delaying"} <= forms("delay")
    assert {"hasn't arrived", "hasnt arrived", "never arrived", "didn't arrive"} <= forms("not arrived")
    assert {"fire", "fires"} == forms("fire", inflect="nouns")
    assert forms("order", inflect="none") == {"order"}


def test_the_longer_match_wins_and_equals_keep_the_first():
    entries = [Entry(role="type", owner="a", word=word) for word in ("发错", "发错货", "错货单")]
    found = Finder([], entries).find("发错货单")[1]["type"]

    assert [match.entry.word for match in longest(found)] == ["发错货"]


def test_a_word_may_be_written_over_two_lines():
    assert spellings(["bad\nlamp\n"]) == [{"bad lamp"}]
