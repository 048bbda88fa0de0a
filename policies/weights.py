"""The files of learned weights, `weights/COMPANY.yaml` beside the companies: read, checked, and written line by line.

They have thousands of lines, so they are written in the form of YAML that is JSON but for its remarks, lines that begin
with `#`: that is read ten times as fast. A person may leave that form and write any YAML.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from complaints.errors import Misconfigured
from complaints.weights import Weights
from policies import yaml12

FOLDER: Final = "weights"
_REMARK: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
#: What follows a key, as `write` writes it.
_KEY: Final = '": '
_HEAD: Final = """\
# Learned from {texts} labelled texts by `plaint classify --train`, which writes this file anew but keeps `added`.
# A line is a word, how many of the texts hold it, and what it says for and against types; edit what reads wrong.
"""


def path(policies_dir: Path, company: str) -> Path:
    """Return where the weights of a company lie, whether there are any or not."""
    return policies_dir / FOLDER / f"{company}.yaml"


def load(policies_dir: Path, company: str, types: Collection[str] | None = None) -> Weights | None:
    """Return the weights of a company, None where nothing was learned. Misconfigured says what is wrong with the file.

    `types` are those that the company has; a weight for any other is a mistake.
    """
    file = path(policies_dir, company)
    if not file.is_file():
        return None
    return read(file, types)


def read(file: Path, types: Collection[str] | None = None) -> Weights:
    """Return the weights in a file. Misconfigured says what is wrong with it, and where."""
    try:
        weights = _read(file, file.stat().st_mtime_ns)
    except ValidationError as error:
        places = (f"{file}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        raise Misconfigured(*places) from error
    except (OSError, UnicodeDecodeError, yaml12.NotYaml) as error:
        raise Misconfigured(f"{file}: The file cannot be read: {error}.") from error
    if types is not None:
        said = {*weights.start, *(type_ for word in weights.words.values() for type_ in word.says)}
        said |= {type_ for added in weights.added.values() for type_ in added}
        if strange := sorted(said - {*types}):
            raise Misconfigured(f"{file}: The policy has no type {', '.join(strange)}. Learn anew, or rename it.")
    return weights


@lru_cache(maxsize=32)
def _read(file: Path, _changed_at: int) -> Weights:
    text = file.read_text("utf-8")
    plain = _REMARK.sub("", text)
    # What is as it was written is read in half the time; the careful way tells what is wrong with anything else.
    with suppress(ValidationError):
        weights = Weights.model_validate_json(plain)
        if plain.count(_KEY) == _keys(weights):
            return weights
    try:
        content = json.loads(plain, object_pairs_hook=_once_each)
    except (json.JSONDecodeError, RecursionError):
        content = yaml12.load(text)
    return Weights.model_validate(content)


def _keys(weights: Weights) -> int:
    """Return how many keys a file of these weights has if each stands in its place once."""
    says = sum(len(each.says) for each in weights.words.values()) + sum(map(len, weights.added.values()))
    return len(weights.model_fields_set) + len(weights.start) + len(weights.added) + 3 * len(weights.words) + says


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: whatever JSON holds
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1})
        raise Misconfigured(f"{', '.join(twice[:5])}: stands twice in one place. Keep one line of each.")
    return found


def write(weights: Weights, file: Path) -> None:
    """Write the weights, a line for each word, those of a type together, so that people can read and compare them."""
    ordered = sorted(weights.words.items(), key=lambda each: (_strongest(each[1].says), each[0]))
    words: list[str] = []
    last = ""
    for word, each in ordered:
        remark = "" if (type_ := _strongest(each.says)) == last else f"  # {type_}\n"
        last = type_
        says = dict(sorted(each.says.items(), key=lambda pair: -pair[1]))
        words.append(f'{remark}  {_json(word)}: {{"texts": {each.texts}, "says": {_json(says)}}}')
    added = [f"  {_json(word)}: {_json(says)}" for word, says in sorted(weights.added.items())]
    lines = [
        _HEAD.format(texts=weights.texts),
        f'{{\n"schema": 1,\n"texts": {weights.texts},\n"start": {_json(weights.start)},\n',
        f'"added": {{\n{_lines(added)}}},\n',
        f'"words": {{\n{_lines(words)}}}\n}}\n',
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text("".join(lines), "utf-8")
    beside.replace(file)


def _strongest(says: Mapping[str, float]) -> str:
    return max(says, key=lambda type_: says[type_])


def _lines(each: Sequence[str]) -> str:
    return ",\n".join(each) + "\n" if each else ""


def _json(value: str | Mapping[str, float]) -> str:
    return json.dumps(value, ensure_ascii=False)
