"""From the text of a policy file to a `Policy`: YAML 1.2, an older schema lifted to ours, and the hash as version."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from complaints.errors import Misconfigured
from complaints.policy import SCHEMA, Policy

#: How a file of schema n becomes one of schema n + 1. A new schema adds its line here, so that old files always load.
UPGRADERS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}  # Any: what YAML holds


def load(path_or_id: Path | str, policies_dir: Path) -> Policy:
    """Return the policy with that id in `policies_dir`, or that of a file. Misconfigured says what is wrong with it."""
    return parse(read(path_or_id, policies_dir), str(path_or_id))


def read(path_or_id: Path | str, policies_dir: Path) -> str:
    """Return the text of a policy, as it is hashed, parsed, and kept for good. Misconfigured if there is none."""
    path = find(path_or_id, policies_dir)
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
    """Return the policy that the text holds; its `version` is the hash of the text. `name` is used in complaints."""
    try:
        data = YAML(typ="safe", pure=True).load(text)  # pure: the C parser reads YAML 1.1, where `on` is a truth value
        policy = Policy.model_validate(upgraded(data))
    except YAMLError as error:
        raise Misconfigured(f"{name}: {error}") from error
    except ValidationError as error:
        raise Misconfigured(
            *(f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        ) from error
    except ValueError as error:
        raise Misconfigured(f"{name}: {error}") from error
    return policy.model_copy(update={"version": version(text)})


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
