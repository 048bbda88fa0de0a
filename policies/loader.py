"""From a policy file to a `Policy`: what it extends, YAML 1.2, an older schema lifted to ours, the hash as version."""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from complaints.errors import Misconfigured
from complaints.policy import SCHEMA, Policy
from policies.extending import EXTENDS, Extended, base_of, find_base
from policies.places import Document
from policies.places import document as parsed
from policies.yaml12 import NotYaml, write
from policies.yaml12 import load as loaded

#: How a file of schema n becomes one of schema n + 1. A new schema adds its line here, so that old files always load.
UPGRADERS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}  # Any: what YAML holds


def load(path_or_id: Path | str, policies_dir: Path) -> Policy:
    """Return the policy with that id in `policies_dir`, or that of a file. Misconfigured says what is wrong with it."""
    return parse(read(path_or_id, policies_dir), str(path_or_id))


def read(path_or_id: Path | str, policies_dir: Path) -> str:
    """Return the text of a policy, as it is hashed, parsed, and kept for good: with everything that it inherits.

    So a kept version never changes when the file that it extends does. Misconfigured if there is none, or if it
    extends what is not there, with the file and the line.
    """
    path = find(path_or_id, policies_dir)
    text = _text(path)
    document = parsed(text)
    here = f"{path}:{document.line([EXTENDS])}"
    try:
        name = base_of(document.data)
    except ValueError as error:
        raise Misconfigured(f"{here}: {error}") from error
    if not name:
        return text
    base = find_base(name, path, policies_dir)
    if base is None:
        raise Misconfigured(f"{here}: There is no file {name}.yaml to extend, beside the policy or with Plaint.")
    return _resolved(path, text, base, _text(base))


@lru_cache(maxsize=16)
def _resolved(path: Path, text: str, base_path: Path, base_text: str) -> str:
    own, base = _mapping(path, text), _mapping(base_path, base_text)
    if EXTENDS in base.data:
        raise Misconfigured(f"{base_path}:{base.line([EXTENDS])}: A file that others extend extends no other.")
    try:
        extended = Extended(upgraded(own.data), upgraded(base.data))
        text = write(extended.data)
    except ValueError as error:
        raise Misconfigured(f"{path}: {error}") from error
    if extended.misfits:
        raise Misconfigured(*(f"{path}:{own.line(each.path)}: {each.message} {each.cure}" for each in extended.misfits))
    return text


def _mapping(path: Path, text: str) -> Document:
    document = parsed(text)
    if document.stumbles:
        raise Misconfigured(*(f"{path}:{each.line}: {each.message} {each.cure}" for each in document.stumbles))
    if not isinstance(document.data, dict):
        raise Misconfigured(f"{path}:1: The file holds no keys with values.")
    return document


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: The file cannot be read ({error}).") from error


def find(path_or_id: Path | str, policies_dir: Path) -> Path:
    """Return where a policy lies: the path as given, or the file of that id. Misconfigured names the ids there are."""
    path = Path(path_or_id)
    if path.suffix in {".yaml", ".yml"}:
        return path
    companies = policies_dir / "companies"
    found = companies / f"{path_or_id}.yaml"
    if not found.is_file():
        there = ", ".join(sorted(each.stem for each in companies.glob("*.yaml"))) or "none"
        raise Misconfigured(f"{companies}: There is no policy {str(path_or_id)!r}. There are: {there}.")
    return found


def parse(text: str, name: str = "policy") -> Policy:
    """Return the policy that the text holds, as `read` gives it; its `version` is the hash of the text.

    `name` is used in complaints.
    """
    try:
        return _parsed(text)
    except NotYaml as error:
        raise Misconfigured(f"{name}:{error.line}: {error.message} {error.cure}") from error
    except ValidationError as error:
        raise Misconfigured(
            *(f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        ) from error
    except ValueError as error:
        raise Misconfigured(f"{name}: {error}") from error


@lru_cache(maxsize=16)
def _parsed(text: str) -> Policy:
    return Policy.model_validate(upgraded(loaded(text))).model_copy(update={"version": version(text)})


def chosen(text: str, readings: Mapping[str, str]) -> str:
    """Return the text of a policy, as `read` gives it, with other readings of its rule book: to be hashed and kept.

    Where they count already it is the same text, and the same version. Misconfigured names the reading that the policy
    does not have, and those it has.
    """
    policy = parse(text)
    problems = [
        f"READINGS: the policy {policy.id} has no reading {name!r}. It has: {', '.join(policy.readings) or 'none'}."
        for name in readings
        if name not in policy.readings
    ]
    problems += [
        f"READINGS: {name} cannot be {value!r}. It can be: {', '.join(policy.readings[name].of)}."
        for name, value in readings.items()
        if name in policy.readings and value not in policy.readings[name].of
    ]
    if problems:
        raise Misconfigured(*problems)
    if all(policy.readings[name].is_ == value for name, value in readings.items()):
        return text
    data = upgraded(loaded(text))
    for name, value in readings.items():
        data["readings"][name]["is"] = value
    return write(data)


def version(text: str) -> str:
    """Return the version of a policy with that text: its SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def upgraded(data: Any) -> Any:  # Any: whatever the file holds; pydantic judges it
    """Return the data of a policy in today's schema. ValueError for a schema that is not known."""
    if not isinstance(data, dict):
        return data
    schema = data.get("schema", SCHEMA)
    while isinstance(schema, int) and schema in UPGRADERS:
        data = UPGRADERS[schema](data)
        schema += 1
        data["schema"] = schema
    if schema != SCHEMA:
        raise ValueError(f"The schema of this file is {schema!r}; this Plaint reads schemas up to {SCHEMA}.")
    return data
