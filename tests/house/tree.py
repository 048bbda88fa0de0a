"""The tree as the house tests see it: which files are ours, and what stands in them."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: Packages that stay in the checkout: what runs in production is all the others.
WORKSHOP = frozenset({"benchmarks", "tests"})


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked or about to be, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted(path for name in listed.split("\0") if name and (ROOT / (path := Path(name))).is_file()))


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text("utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def packages() -> set[str]:
    """The top-level packages that make up the house."""
    return {path.parts[0] for path in files() if len(path.parts) == 2 and path.name == "__init__.py"} - WORKSHOP


def code(*under: str) -> list[Path]:
    """Every Python file under these packages."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in under]


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads(text(Path("pyproject.toml")))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last name of what is called: `record` of `turn.record(…)`."""
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def written(node: ast.AST) -> set[str]:
    """Every string constant inside a node, but not the pieces of f-strings, nor what something is compared with."""
    if isinstance(node, ast.JoinedStr | ast.Compare):
        return set()
    own = {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
    return own.union(*(written(child) for child in ast.iter_child_nodes(node)))


def spoken(line: str) -> str:
    """A line with its identifiers taken apart, in small letters: `ClientSession.user_id` is "client session user id"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", line)
    return re.sub(r"[^a-z\u3400-\u9fff]+", " ", apart.lower())


def rows(page: Path, name: str) -> list[list[str]]:
    """The rows of the table between `<!-- name -->` and `<!-- /name -->`, without its head."""
    block = text(page).partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
