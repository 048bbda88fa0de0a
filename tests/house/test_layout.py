"""Is it still our house? Which packages there are, who may know whom, and what does not belong here."""

import importlib.metadata
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from complaints import commands
from tests.house import tree

NEVER = ("utils", "util", "common", "helpers", "helper", "base", "manager", "service", "misc")
STRANGERS = re.compile(
    r"(^|/)(node_modules|vendor|third_party|site-packages)/|\.min\.(js|css)$|\.(whl|so|dll|jar|woff2?|ttf|otf)$"
    r"|(^|/)(package-lock\.json|uv\.lock|poetry\.lock|Pipfile\.lock|(Docker|Container)file.*|docker-compose.*|compose\.ya?ml)$"
)
#: Put together from pieces, so that this file is not its own bad example.
HOSTS = re.compile(
    "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(com|org)", "docker" + r"\.io", "ghcr" + r"\.io"))
)
LOCATIONS = re.compile(r"://|^\s*-(-index-url|-extra-index-url|-find-links|i|f)\b", re.MULTILINE)


def contract(name: str) -> dict[str, list[str]]:
    return next(each for each in tree.pyproject()["tool"]["importlinter"]["contracts"] if each["id"] == name)


def test_every_package_is_in_the_wheel() -> None:
    assert set(tree.pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == tree.packages()


def test_every_package_is_typed_and_so_are_the_benchmarks() -> None:
    assert set(tree.pyproject()["tool"]["mypy"]["packages"]) == tree.packages() | {"benchmarks"}


def test_every_package_is_under_the_import_contracts() -> None:
    ours = tree.packages()
    star = [name.strip() for layer in contract("star")["layers"] for name in layer.split("|")]

    assert set(tree.pyproject()["tool"]["importlinter"]["root_packages"]) == ours
    assert set(contract("acyclic")["ancestors"]) == ours
    assert sorted(star) == sorted(ours - {"sandbox"})
    assert set(contract("sandbox-apart")["forbidden_modules"]) == ours - {"sandbox"}
    assert set(contract("sandbox-unknown")["source_modules"]) == ours - {"sandbox"}
    assert set(contract("one-home-jieba")["source_modules"]) == ours - {"nlp"}
    assert set(contract("one-home-sqlalchemy")["source_modules"]) == ours - {"storage"}


def test_the_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([lint, "--no-cache"], cwd=tree.ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]


def claimed(owners: typing.Mapping[str, list[str]]) -> dict[str, set[str]]:
    """Which of our names other distributions install as well: pip would overwrite our modules and say nothing."""
    others = {name: set(owners.get(name, ())) - {"plaint"} for name in tree.packages()}
    return {name: found for name, found in others.items() if found}


def test_no_other_distribution_claims_our_names() -> None:
    assert claimed(importlib.metadata.packages_distributions()) == {}


def test_a_distribution_that_claims_one_of_our_names_is_noticed() -> None:
    assert claimed({"nlp": ["plaint", "nlp"], "jieba": ["jieba"]}) == {"nlp": {"nlp"}}


def test_no_module_is_called_after_nothing() -> None:
    assert [str(path) for path in tree.code(*tree.packages()) if path.stem in NEVER or path.parent.name in NEVER] == []


def test_every_command_is_answered_and_where_is_read_in_routing() -> None:
    answered = set(re.findall(r"case (\w+)\(\)", tree.text(Path("handlers/routing.py"))))

    assert {each.__name__ for each in typing.get_args(commands.Command)} == answered


def test_every_package_says_what_lives_there() -> None:
    silent = [
        path
        for path in tree.code(*tree.packages())
        if path.name == "__init__.py" and not tree.text(path).startswith('"""')
    ]

    assert silent == []


def test_nothing_that_is_not_ours_is_in_the_repository() -> None:
    assert [str(path) for path in tree.files() if STRANGERS.search(path.as_posix())] == [
        "tests/peers/package-lock.json"  # by hash, without addresses; the packages come by npm
    ]


@pytest.mark.parametrize(
    "name", ["node_modules/htmx/htmx.js", "page/pico.min.css", "Dockerfile", "a/Dockerfile.dev", "uv.lock", "f.woff2"]
)
def test_a_stranger_is_recognized(name: str) -> None:
    assert STRANGERS.search(name)


def test_no_registry_is_named_anywhere() -> None:
    named = [
        f"{path}:{number}"
        for path in tree.files()
        if path.suffix in {".py", ".toml", ".md", ".yaml", ".yml", ".lock", ".txt", ".json", ".js", ".html", ".css", ""}
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if HOSTS.search(line)
    ]

    assert named == []


def test_the_lock_names_versions_and_hashes_and_no_place() -> None:
    lock = tree.text(Path("requirements.lock"))

    assert not LOCATIONS.search(lock)
    assert all("==" in line for line in lock.splitlines() if re.match(r"[a-z]", line))
    assert lock.count("--hash=sha256:") >= lock.count("==")


@pytest.mark.parametrize(
    "line", ["jieba @ https://example.org/jieba.whl", "--index-url https://example.org", "-i https://example.org"]
)
def test_a_lock_that_names_a_place_is_noticed(line: str) -> None:
    assert LOCATIONS.search(line)


def test_every_dependency_says_what_for() -> None:
    blocks = re.findall(
        r"^(?:dependencies|dev) = \[\n(.*?)^\]", tree.text(Path("pyproject.toml")), re.DOTALL | re.MULTILINE
    )
    silent = {line.strip() for block in blocks for line in block.splitlines() if "#" not in line}

    assert len(blocks) == 2
    assert silent <= {'"pytest",', '"pytest-asyncio",'}
