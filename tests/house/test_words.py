"""One word per thing: the glossary is the list, and the code keeps to it."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from policies.phrasebook import read_wording
from tests.house import diagrams, tree

GLOSSARY = Path("docs/glossary.md")
SPEAKERS = ("complaints", "handlers", "nlp", "policies", "storage", "bot", "benchmarks")
CHINESE = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff]|[\U00020000-\U0003ffff]")
#: A Chinese character in disguise. A backslash before the backslash means that it is text about an escape.
ESCAPED = re.compile(
    r"(?<!\\)\\u(?:[3-9][4-9a-f]|[4-9])[0-9a-f]{2,3}|\\U0002|\\N\{CJK|chr\(0x[4-9][0-9a-f]{3}\)", re.IGNORECASE
)


class Exemption(NamedTuple):
    word: str
    files: str
    line: re.Pattern[str]


def banned() -> dict[str, str]:
    """Each synonym that is not ours, and the word that is."""
    found: dict[str, str] = {}
    for word, _, _, synonyms in tree.rows(GLOSSARY, "words"):
        for synonym in filter(None, (each.strip() for each in synonyms.split(","))):
            assert synonym not in found, f"{synonym} stands twice"
            found[synonym] = word
    return found


def exemptions() -> list[Exemption]:
    found = []
    for word, files, line, _ in tree.rows(GLOSSARY, "exceptions"):
        found.append(Exemption(word, files.strip("`"), re.compile(line.strip("`").replace("¦", "|"))))
    return found


def pattern(words: list[str]) -> re.Pattern[str]:
    """Finds any of these words, in one or in many, in a line that `tree.spoken` took apart."""
    many = [
        f"{re.escape(word[:-1])}(?:y|ies)" if word.endswith("y") else f"{re.escape(word)}(?:s|es)?"
        for word in sorted(words, key=len, reverse=True)
        if word.isascii()
    ]
    foreign = [re.escape(word) for word in words if not word.isascii()]
    return re.compile("|".join([rf"\b(?:{'|'.join(many)})\b", *foreign]))


def singular(found: str, words: dict[str, str]) -> str:
    forms = (found, found[:-1], found[:-2], found[:-3] + "y")
    return next(form for form in forms if form in words)


def test_no_chinese_stands_in_code() -> None:
    guilty = [
        f"{path}:{number}"
        for path in tree.files()
        if path.suffix == ".py" and path.parts[0] != "tests"
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if CHINESE.search(line) or ESCAPED.search(line)
    ]

    assert guilty == [], "\n" + "\n".join(guilty)


@pytest.mark.parametrize(
    "line", ['say("退款")', r'say("\u9000\u6b3e")', r'"\N{CJK UNIFIED IDEOGRAPH-9000}"', "chr(0x9000)"]
)
def test_chinese_in_code_is_noticed(line: str) -> None:
    assert CHINESE.search(line) or ESCAPED.search(line)


@pytest.mark.parametrize("line", [r'"\ufffd"', r'"\u2026"', r'r"\\u[3-9f]"', "range(0x4E00, 0xA000)"])
def test_signs_and_ranges_are_not_taken_for_chinese(line: str) -> None:
    assert not CHINESE.search(line)
    assert not ESCAPED.search(line)


def test_every_concept_has_two_words_and_one_sentence() -> None:
    rows = tree.rows(GLOSSARY, "words")

    assert len({row[0] for row in rows}) == len(rows) > 40
    for word, chinese, meaning, _ in rows:
        assert word
        assert CHINESE.search(chinese), word
        assert meaning.endswith("."), word


def test_no_word_of_ours_is_banned_in_another_row() -> None:
    ours = {row[0].lower() for row in tree.rows(GLOSSARY, "words")}

    assert ours & set(banned()) == set()


def test_no_synonym_stands_in_code() -> None:
    words, exempt = banned(), exemptions()
    finder = pattern(list(words))
    guilty = []
    for path in tree.code(*SPEAKERS):
        mine = [each for each in exempt if fnmatch(path.as_posix(), each.files)]
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for found in finder.finditer(tree.spoken(line)):
                word = singular(found[0], words)
                if not any(each.word == word and each.line.search(line) for each in mine):
                    guilty.append(f"{path}:{number}: {found[0]} (say {words[word]})")

    assert guilty == [], "\n" + "\n".join(guilty)


def test_no_exception_has_outlived_its_reason() -> None:
    unused = [
        each
        for each in exemptions()
        if not any(
            pattern([each.word]).search(tree.spoken(line)) and each.line.search(line)
            for path in tree.code(*SPEAKERS)
            if fnmatch(path.as_posix(), each.files)
            for line in tree.text(path).splitlines()
        )
    ]

    assert unused == []


@pytest.mark.parametrize(
    "line", ["def assignTicket():", "user_id = 1", "# the operators know", "class IssueTracker:", "sla_hours"]
)
def test_a_synonym_is_noticed_in_identifiers_and_comments(line: str) -> None:
    assert pattern(list(banned())).search(tree.spoken(line))


def test_what_the_desk_says_keeps_to_the_words_too() -> None:
    words = banned()
    finder = pattern(list(words))
    said = {
        f"{language}: {key}": sentence
        for language in ("en", "zh-Hans", "zh-Hant")
        for key, sentence in read_wording(tree.ROOT / f"policies/wording/{language}.yaml").items()
    }

    assert [key for key, sentence in said.items() if finder.search(tree.spoken(sentence))] == []


def test_the_pages_keep_to_the_words_too() -> None:
    words = banned()
    finder = pattern(list(words))
    guilty = []
    for path in (each for each in tree.files() if each.suffix == ".md" and each not in {GLOSSARY, *diagrams.PAGES}):
        prose = re.sub(
            r"```.*?```|`[^`]*`|\]\([^)]*\)",
            lambda code: re.sub(r"[^\n]", " ", code[0]),
            tree.text(path),
            flags=re.DOTALL,
        )
        guilty += [
            f"{path}:{number}: {found[0]} (say {words[singular(found[0], words)]})"
            for number, line in enumerate(prose.splitlines(), 1)
            if (found := finder.search(tree.spoken(line)))
        ]

    assert guilty == [], "\n" + "\n".join(guilty)
