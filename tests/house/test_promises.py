"""Habits that no type checker sees: what is recorded, what happens, who reads the clock, what a log may hold."""

import ast
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings
from complaints.events import EVENTS, HAPPENINGS
from tests.house import tree

HANDLERS = tree.code("handlers")
CLOCK = re.compile(
    r"datetime\.(now|utcnow|today)\b|date\.today\b|\btime\.(time|monotonic|perf_counter|localtime|gmtime|process_time)(_ns)?\b"
    r"|from time import|func\.(now|current_timestamp)\b|CURRENT_TIMESTAMP|datetime\('now'|\bnow\(\)\s*at time zone",
    re.IGNORECASE,
)
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "log", "bind"}
#: What never stands in a line of the log, neither as a name nor as the last part of a value.
PRIVATE = re.compile(
    r"(token|secret|secrets|password|keys|ring|data_key|code|chat|phone|address|sender|text|words|answers|profile|body|headers"
    r"|url|database_url|message|get_secret_value)"
)


def named(path: Path, position: int, *functions: str) -> set[str]:
    """Every name that these functions get at this position: as it stands there, or through a variable."""
    found: set[str] = set()
    for function in ast.walk(tree.tree(path)):
        if not isinstance(function, ast.FunctionDef):
            continue
        assigned: dict[str, set[str]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, set()).update(tree.written(node.value))
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if tree.called(call) in functions and len(call.args) > position:
                found |= tree.written(call.args[position])
                for name in (node for node in ast.walk(call.args[position]) if isinstance(node, ast.Name)):
                    found |= assigned.get(name.id, set())
    return found


def recorded() -> set[str]:
    """Every event that the handlers write into a journal."""
    return set().union(*(named(path, 1, "record") for path in HANDLERS))


def happening() -> set[str]:
    """Every name that the handlers let happen, said at the call or put into a variable called `name` before it."""
    found = set().union(*(named(path, 2, "happen") for path in HANDLERS))
    for node in (node for path in HANDLERS for node in ast.walk(tree.tree(path))):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "name" for to in node.targets):
            found.update(str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant))
    return found


def test_every_event_is_recorded_somewhere() -> None:
    assert set(EVENTS) - recorded() == set()


def test_no_event_is_recorded_that_is_not_in_the_list() -> None:
    assert recorded() - set(EVENTS) == set()


def test_whatever_a_policy_may_wait_for_does_happen() -> None:
    assert set(HAPPENINGS) - happening() == set()


def test_a_happening_that_nobody_lets_happen_would_be_noticed() -> None:
    assert "the_moon_rose" not in happening()
    assert "claimed" in happening()


def test_only_the_clock_reads_the_clock() -> None:
    guilty = [
        f"{path}:{number}"
        for path in tree.code(*tree.packages() - {"sandbox"})
        if path != Path("bot/clock.py")
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if CLOCK.search(line)
    ]

    assert guilty == [], "\n" + "\n".join(guilty)


@pytest.mark.parametrize(
    "line", ["datetime.now(UTC)", "date.today()", "from time import monotonic", "func.now()", "time.time_ns()"]
)
def test_a_look_at_the_clock_is_noticed(line: str) -> None:
    assert CLOCK.search(line)


def told(call: ast.Call) -> set[str]:
    """The names under which a line of the log holds something, and every part of the way to each value."""
    names = {str(each.arg) for each in call.keywords}
    for value in (*call.args, *(each.value for each in call.keywords)):
        inner: ast.AST = value
        while True:
            if isinstance(inner, ast.Attribute):
                names.add(inner.attr)
                inner = inner.value
            elif isinstance(inner, ast.Call) and tree.called(inner) in ("str", "repr") and inner.args:
                inner = inner.args[0]
            elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                inner = inner.func
            elif isinstance(inner, ast.Name) and inner is value:
                names.add(inner.id)
                break
            else:
                break
    return names


def logged(source: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOGGING
        and re.search(r"\blog\b|get_logger|logging", ast.unparse(node.func.value))
    ]


def test_no_line_of_the_log_holds_a_secret_or_what_a_person_said() -> None:
    guilty = []
    for path in tree.code("bot", "storage", "nlp", "policies", "handlers", "complaints"):
        for call in logged(tree.tree(path)):
            private = {name for name in told(call) if PRIVATE.fullmatch(name)}
            if private:
                guilty.append(f"{path}:{call.lineno}: {sorted(private)}")

    assert guilty == [], "\n" + "\n".join(guilty)


@pytest.mark.parametrize(
    "line",
    [
        'log.info("x", token=a)',
        'log.error("x", what=settings.keys)',
        'log.info("x", who=conversation.words.name)',
        'log.info("x", e=s.get_secret_value())',
        "log.info(str(message.text))",
    ],
)
def test_a_secret_in_the_log_is_noticed(line: str) -> None:
    call = logged(ast.parse(line))[0]

    assert any(PRIVATE.fullmatch(name) for name in told(call))


def test_every_secret_setting_is_struck_out_of_the_log() -> None:
    hidden = {
        name: f"1:{name}-hidden"
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, SecretStr)
    }
    settings = Settings(_env_file=None, database_url="postgresql+psycopg://plaint:pass-hidden@host/plaint", **hidden)

    assert len(hidden) >= 3
    assert {*hidden.values(), "pass-hidden"} <= set(settings.secrets)
    assert not any(value in repr(settings) for value in hidden.values())
