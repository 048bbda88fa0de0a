"""Draws `docs/reference/coverage.md`: what meets each sentence of the rule books. `python -m tests.house.coverage`.

The sentences, in our words and with what is said about each, stand in `tests/house/requirements.yaml`. What meets one
is found: a line of a policy whose `clause` names it, and a check that does, without which it counts for nothing. Checks
are an example of the policy, a test whose docstring names the sentence, and a line of a story that would fail: what
somebody does, or what is expected, with the id beside it. A message that is expected counts with its words
alone, a survey with its dates or scores; neither does what stands under `later`, nor a remark on a line of its own.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from policies import yaml12
from tests.house.tree import ROOT, files, text

PAGE = ROOT / "docs/reference/coverage.md"
_HERE = Path("tests/house/requirements.yaml")
_ID = re.compile(r"(?<![\w-])S\d(?:\.\d)?-\d\w*(?:\.\w+)*")
_TOP, _KEY = re.compile(r"(\w+):"), re.compile(r"  (\w+):")
_REMARK = re.compile(r"""^((?:[^"'#]|"[^"]*"|'[^']*'|(?<!\s)#)*)(#.*)?$""")
#: What a line of a story must hold to be a check, where nearly anything would pass it otherwise.
_NEEDS = {"pushes": ("says:", "via:"), "survey": ("window:", "within:", "scores:", "none")}
_LATER = {
    "surveys": "with the surveys",
    "reports": "with the reports",
    "documents": "with the documents",
    "consequences": "with points, shares and penalties",
    "privacy": "with retention and erasure",
    "console": "with the console",
}


def _load(path: Path) -> Any:  # Any: whatever YAML holds
    return yaml12.load(text(path))


def requirements() -> dict[str, Any]:
    """Return the rule books with their sentences, by id."""
    found: dict[str, Any] = _load(_HERE)
    return found


def _clauses(value: Any, place: str) -> Iterator[tuple[str, str]]:  # Any: whatever YAML holds
    """Yield every id that a part of a policy names in `clause`, and where."""
    if isinstance(value, dict):
        here = f"{place} {value['id']}" if "id" in value else place
        for each in _ID.findall(str(value.get("clause", ""))):
            yield each, here
        for key, part in value.items():
            if key != "clause":
                yield from _clauses(part, here if isinstance(part, dict) and "id" in value else f"{here}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _clauses(part, place)


def met() -> dict[str, set[str]]:
    """Return what meets each sentence: lines of policies, stories, tests."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in files():
        if path.parent.name == "companies" and path.suffix == ".yaml":
            for id_, place in _clauses(_load(path), ""):
                found[id_].add(f"`{path.stem}: {place.strip(' .')}`")
        elif path.parts[0] == "tests" and path != _HERE and path.suffix in {".py", ".yaml"}:
            for id_ in checked(text(path)) if path.suffix == ".yaml" else _tested(text(path)):
                found[id_].add(f"[{path.stem}](../../{path})")
    return found


def named() -> set[str]:
    """Return every id that a policy or a test names, wherever it stands."""
    paths = (each for each in files() if each.suffix in {".py", ".yaml"} and each.parent != _HERE.parent)
    wanted = (each for each in paths if each.parts[0] == "tests" or each.parent.name == "companies")
    return {id_ for path in wanted for id_ in _ID.findall(text(path))}


def checked(story: str) -> Iterator[str]:
    """Yield the ids beside what is done and expected in a story, which would fail with it."""
    top = key = ""
    for line in story.splitlines():
        top, key = (found[1], "") if (found := _TOP.match(line)) else (top, key)
        key = found[1] if (found := _KEY.match(line)) else key
        code = found[1] if (found := _REMARK.match(line)) else line
        remark = line[len(code) :]
        if code.rstrip().endswith(":") or not code.strip(" -") or "later" in (top, key):
            continue
        if top == "staff" or (top == "expect" and any(word in code for word in _NEEDS.get(key, ("",)))):
            yield from _ID.findall(remark)
            yield from (id_ for each in re.findall(r"\bid: (\"[^\"]*\"|[^,}]*)", code) for id_ in _ID.findall(each))


def _tested(module: str) -> Iterator[str]:
    """Yield the ids in the docstrings of tests."""
    for each in ast.walk(ast.parse(module)):
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name.startswith("test_"):
            yield from _ID.findall(ast.get_docstring(each) or "")


def page() -> str:
    """Return the page."""
    found = met()
    lines = [
        "# What meets the rule books",
        "",
        "<!-- drawn by `python -m tests.house.coverage`: do not edit -->",
        "",
        "Every sentence of the rule books that our policies restate, and the line of the policy, the story or the test",
        "that meets it: none is met by a line of a policy alone, without a check that names it, which is an example of the",
        "policy, a test, or what somebody does and what is expected in a story. A sentence that nothing meets yet says why.",
        "What is *partly* ours is a record, a date or a gate for something that people do elsewhere.",
        "",
        "| rule book | sentences | met | partly ours, met | later | not ours |",
        "|---|---|---|---|---|---|",
    ]
    books = requirements()
    for name, book in books.items():
        rows = book["sentences"]
        counts = {
            "met": sum(row["scope"] == "in" and _state(id_, row, found) == "met" for id_, row in rows.items()),
            "partly": sum(row["scope"] == "partly" and _state(id_, row, found) == "met" for id_, row in rows.items()),
            "later": sum(_state(id_, row, found) == "later" for id_, row in rows.items()),
            "out": sum(row["scope"] == "out" for row in rows.values()),
        }
        lines.append(f"| {book['title']} ({name}) | {len(rows)} | " + " | ".join(map(str, counts.values())) + " |")
    for name, book in books.items():
        lines += ["", f"## {name}: {book['title']}", "", "| id | what | met by |", "|---|---|---|"]
        for id_, row in book["sentences"].items():
            lines.append(f"| {id_} | {row['what']} | {_told(id_, row, found)} |")
    return "\n".join(lines) + "\n"


def _state(id_: str, row: dict[str, str], found: dict[str, set[str]]) -> str:
    if row["scope"] == "out":
        return "out"
    if "later" in row:
        return "later"
    return "met" if _shown(found.get(id_, set())) else "open"


def _shown(places: set[str]) -> bool:
    """Tell whether a story, a test, or an example of a policy is among what meets a sentence: a clause alone is a claim."""
    return any(each.startswith("[") or ".examples" in each for each in places)


def _told(id_: str, row: dict[str, str], found: dict[str, set[str]]) -> str:
    state = _state(id_, row, found)
    if state == "met":
        return ", ".join(sorted(found[id_])[:4])
    if state == "later":
        return f"*{_LATER[row['later']]}*" + (f": {row['why']}" if "why" in row else "")
    return f"— {row['why']}" if "why" in row else "**nothing yet**"


def unmet() -> list[str]:
    """Return the sentences in scope that nothing meets and nobody has said anything about."""
    found = met()
    return [
        id_
        for book in requirements().values()
        for id_, row in book["sentences"].items()
        if row["scope"] == "in" and _state(id_, row, found) == "open" and "why" not in row
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
