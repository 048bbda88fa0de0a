"""The pages say what is there: what can be drawn or listed is, and every name of a file is one."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import settings
from bot.cli import app
from tests.house import diagrams, tree

PAGES = [path for path in tree.files() if path.suffix == ".md"]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:[a-z_.-]+/)+[A-Za-z0-9_.{}*,-]*|[A-Za-z0-9_-]+\.(?:md|py|toml|yaml|lock)|Makefile)`")
#: What is made while Plaint runs, or by whoever runs it, and is no part of the repository.
MADE = (
    "data/",
    "benchmarks/out/",
    ".venv/",
    "policies/calendars/",
    "calendars/",
    "companies/",
    "wording/",
    "/etc/",
    "my_company.yaml",
)


def headings(page: Path) -> set[str]:
    lines = re.sub(r"```.*?```", "", tree.text(page), flags=re.DOTALL).splitlines()
    titles = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for target in LINK.findall(re.sub(r"```.*?```", "", tree.text(page), flags=re.DOTALL)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there = (tree.ROOT / page.parent / name).resolve() if name else tree.ROOT / page
        if not there.exists() or (anchor and anchor not in headings(there.relative_to(tree.ROOT))):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    known = {path.name for path in tree.files()}
    missing = []
    for name in NAMED.findall(re.sub(r"```.*?```", "", tree.text(page), flags=re.DOTALL)):
        if name.startswith(MADE) or (tree.ROOT / name).exists() or any(tree.ROOT.glob(re.sub(r"\{[^}]*\}", "*", name))):
            continue
        if (tree.ROOT / page.parent / name).exists() or ("/" not in name and name in known):
            continue
        missing.append(name)

    assert missing == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    assert [target for target in LINK.findall("see [it](nowhere.md)") if not (tree.ROOT / target).exists()]
    assert NAMED.findall("read `handlers/nothing.py` and `nothing.md`") == ["handlers/nothing.py", "nothing.md"]


def test_the_readme_is_short() -> None:
    assert len(tree.text(Path("README.md")).splitlines()) < 200


def test_the_readme_keeps_a_place_for_the_figures() -> None:
    assert re.search(r"<!-- bench -->.*<!-- /bench -->", tree.text(Path("README.md")), re.DOTALL)


@pytest.mark.parametrize("page", diagrams.PAGES, ids=str)
def test_what_can_be_drawn_is_drawn_from_the_code(page: Path) -> None:
    assert tree.text(page) == diagrams.PAGES[page](), "run: python -m tests.house.diagrams"


def test_every_state_of_a_conversation_is_explained() -> None:
    assert set(diagrams.STANDING) == set(diagrams.STATES)


def test_the_example_settings_are_those_there_are() -> None:
    assert tree.text(Path(".env.example")) == settings.example()


def test_the_example_as_it_stands_changes_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"PLAINT_{name.upper()}", raising=False)
    copied = settings.Settings(_env_file=tree.ROOT / ".env.example")

    assert copied == settings.Settings(_env_file=None)


def test_no_example_holds_a_secret() -> None:
    fields = settings.Settings.model_fields

    assert all(
        not field.default.get_secret_value() for field in fields.values() if isinstance(field.default, SecretStr)
    )


def test_every_command_that_a_page_names_exists() -> None:
    known = {command.name or command.callback.__name__.rstrip("_") for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    for page in PAGES:
        named = set(
            re.findall(
                r"(?:^|[`/ ])plaint ([a-z][a-z-]+)",
                "\n".join(re.findall(r"`[^`]+`|```.*?```", tree.text(page), re.DOTALL)),
            )
        )
        assert named <= known, page


def test_every_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", tree.text(Path("Makefile")), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z-]+)", tree.text(page))) <= targets, page


def test_the_changelog_has_this_version() -> None:
    changelog, version = tree.text(Path("CHANGELOG.md")), tree.pyproject()["project"]["version"]

    assert f"## [{version}]" in changelog


def test_every_decision_says_context_decision_and_consequences() -> None:
    decisions = sorted(path for path in PAGES if path.parent.name == "decisions")
    numbers = [path.name[:4] for path in decisions]

    assert numbers == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        assert headings(path) >= {"context", "decision", "consequences"}, path
        assert len(tree.text(path).splitlines()) <= 60, path


def test_mermaid_is_closed_and_names_its_kind() -> None:
    for page in PAGES:
        for diagram in re.findall(r"```mermaid\n(.*?)```", tree.text(page), re.DOTALL):
            assert re.match(r"(stateDiagram-v2|flowchart (LR|TD)|sequenceDiagram)\n", diagram), page
            assert not diagram.startswith("sequenceDiagram") or ";" not in diagram, (
                f"{page}: a semicolon ends a line there"
            )
