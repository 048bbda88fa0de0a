"""Every sentence the desk says is there, in every language, with what fills it; and none that nobody says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from bot.wiring import _COMMANDS
from complaints.case import REMEDIES
from complaints.clauses.lifecycle import Result
from complaints.messages import AttachmentKind
from complaints.policy import WEEKDAYS, Policy
from handlers import rights
from handlers.cards import ORDER_COLUMNS
from nlp.lexicon import load as lexicon
from policies.loader import load
from policies.phrasebook import LANGUAGES, placeholders, read_wording
from tests.house import tree

HOME = tree.ROOT / "policies"
WORDING = {language: read_wording(HOME / "wording" / f"{language}.yaml") for language in LANGUAGES}
ENGLISH = WORDING["en"]
ROOTS = "|".join(sorted({key.partition(".")[0] for key in ENGLISH}))
KEY = re.compile(rf"(?:{ROOTS})(?:\.[a-z0-9_]+)+")
SPEAKING = ("bot", "complaints", "handlers", "policies")

#: Keys that are put together: how the f-string begins, and everything that can follow.
DYNAMIC: dict[str, set[str]] = {
    "command.": set(_COMMANDS),
    "consent.place.": {"telegram", "wechat", "wecom", "desk"},
    "decision.remedy.": {*REMEDIES},
    "decision.result.": {*get_args(Result)},
    "order.": {*ORDER_COLUMNS},
    "evidence.kind.": set(get_args(AttachmentKind)),
    "form.": {"back", "skip", "human"},
    "hear.": {"greeting", "thanks"},
    "link.channel.": {"telegram", "wechat", "wecom"},
    "menu.": {"new", "status", "help", "human"},
    "staff.act.": {*rights.ACTS},
    "staff.ask.": {act for act, each in rights.ACTS.items() if each.written},
    "staff.which.": {act for act, each in rights.ACTS.items() if each.options},
    "staff.file.": {"announced", "kept", "lost"},
    "time.": {f"{unit}.{number}" for unit in ("day", "hour", "minute") for number in ("one", "many")},
    "time.month.": {str(month) for month in range(1, 13)},
    "time.weekday.": {*WEEKDAYS},
    "time.zone.": {*lexicon().regions.zones},
}
#: What fills the sentences of a policy: those to staff about a case, those to the customer, those before a move.
ABOUT = {"number", "type", "state"}
TO_STAFF = {*ABOUT, "owner", "flags", "grades", "promised"}
TO_CUSTOMERS = {*ABOUT, "date"}


def policies() -> list[Policy]:
    return [load(path, HOME) for path in sorted((HOME / "companies").glob("*.yaml"))]


def of_policies() -> set[str]:
    found = set()
    for policy in policies():
        found |= {notice.say for notice in policy.notices}
        found |= {key for move in policy.lifecycle.moves for key in (move.asks, move.tells) if key}
    return found


def literal() -> dict[str, str]:
    """Every key that stands whole in the code, and where."""
    return {
        node.value: f"{path}:{node.lineno}"
        for path in tree.code(*SPEAKING)
        for node in ast.walk(tree.tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value)
    }


def beginnings() -> dict[str, str]:
    """How every key that is put together begins, and where."""
    found = {}
    for path in tree.code(*SPEAKING):
        for node in ast.walk(tree.tree(path)):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                first = str(node.values[0].value)
                if re.fullmatch(rf"(?:{ROOTS})\.(?:[a-z]+\.)*", first):
                    found[first] = f"{path}:{node.lineno}"
    return found


def test_every_language_has_the_same_sentences_with_the_same_placeholders() -> None:
    for sentences in WORDING.values():
        assert sentences.keys() == ENGLISH.keys()
        for key, sentence in sentences.items():
            assert placeholders(sentence) == placeholders(ENGLISH[key]), key


def test_every_sentence_that_is_asked_for_exists() -> None:
    assert {key: place for key, place in literal().items() if key not in ENGLISH} == {}
    assert of_policies() - ENGLISH.keys() == set()


def test_every_key_that_is_put_together_is_known_here_and_exists() -> None:
    assert beginnings().keys() == DYNAMIC.keys()
    assert {start + end for start, ends in DYNAMIC.items() for end in ends} - ENGLISH.keys() == set()


def test_no_sentence_is_left_that_nobody_says() -> None:
    said = {*literal(), *of_policies(), *(start + end for start, ends in DYNAMIC.items() for end in ends)}

    assert ENGLISH.keys() - said == set()


def test_every_act_has_a_button_and_every_written_act_a_question() -> None:
    assert {f"staff.act.{act}" for act in rights.ACTS} <= ENGLISH.keys()
    assert {f"staff.ask.{act}" for act, each in rights.ACTS.items() if each.written} <= ENGLISH.keys()
    assert {f"staff.which.{act}" for act, each in rights.ACTS.items() if each.options} <= ENGLISH.keys()


def saying() -> Iterator[tuple[str, ast.Call, str]]:
    """Every `say(language, "key", …)` whose fills all stand there by name."""
    for path in tree.code(*SPEAKING):
        for call in tree.calls(path):
            if tree.called(call) == "say" and len(call.args) == 2 and all(each.arg for each in call.keywords):
                key = call.args[1]
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in ENGLISH:
                    yield key.value, call, f"{path}:{call.lineno}"


def test_every_sentence_gets_what_fills_it() -> None:
    found = list(saying())
    wrong = [
        f"{place}: {key} lacks {sorted(lacking)}"
        for key, call, place in found
        if (lacking := placeholders(ENGLISH[key]) - {each.arg for each in call.keywords})
    ]

    assert len(found) > 60
    assert wrong == []


def test_every_sentence_gets_nothing_that_it_does_not_say() -> None:
    wrong = [
        f"{place}: {key} does not say {sorted(more)}"
        for key, call, place in saying()
        if (more := {str(each.arg) for each in call.keywords} - placeholders(ENGLISH[key]))
    ]

    assert wrong == []


def test_the_sentences_of_a_policy_ask_only_for_what_fills_them() -> None:
    for policy in policies():
        for notice in policy.notices:
            to_customer, to_staff = "customer" in notice.to, set(notice.to) != {"customer"}
            fills = TO_CUSTOMERS & TO_STAFF if to_customer and to_staff else TO_CUSTOMERS if to_customer else TO_STAFF
            written = {"text"} if set(notice.on) <= {move.id for move in policy.lifecycle.moves if move.asks} else set()
            assert placeholders(ENGLISH[notice.say]) <= fills | written, notice.say
        for move in policy.lifecycle.moves:
            assert not move.asks or placeholders(ENGLISH[move.asks]) <= {"number"}, move.id
            assert not move.tells or placeholders(ENGLISH[move.tells]) <= {*TO_CUSTOMERS, "text"}, move.id


def test_a_missing_or_unused_key_would_be_noticed() -> None:
    assert KEY.fullmatch("error.nobody_wrote_this")
    assert not KEY.fullmatch("bot.wiring")
    assert "error.nobody_wrote_this" not in ENGLISH


def test_no_test_reads_a_sentence_from_a_file_that_is_gone() -> None:
    assert {path.stem for path in (HOME / "wording").glob("*.yaml")} == set(LANGUAGES)
    assert Path(HOME / "wording").is_dir()
