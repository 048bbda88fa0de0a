"""The files of learned weights, `weights/COMPANY.yaml` beside the companies: read, checked, and written line by line.

They have thousands of lines, so the C parser of PyYAML reads them; as plain strings, so that no word is taken for a
truth value.
"""

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from complaints.errors import Misconfigured
from complaints.weights import Weights

FOLDER: Final = "weights"
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
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured(f"{file}: The file cannot be read: {error}.") from error
    if types is not None:
        said = {*weights.start, *(type_ for word in weights.words.values() for type_ in word.says)}
        said |= {type_ for added in weights.added.values() for type_ in added}
        if strange := sorted(said - {*types}):
            raise Misconfigured(f"{file}: The policy has no type {', '.join(strange)}. Learn anew, or rename it.")
    return weights


@lru_cache(maxsize=32)
def _read(file: Path, _changed_at: int) -> Weights:
    return Weights.model_validate(yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader))  # noqa: S506


def write(weights: Weights, file: Path) -> None:
    """Write the weights, a line for each word, those of a type together, so that people can read and compare them."""
    lines = [_HEAD.format(texts=weights.texts), "schema: 1\n", f"texts: {weights.texts}\n"]
    lines += ["start:", *(f" {{{_pairs(weights.start)}}}\n",)]
    lines.append("added:" + (" {}\n" if not weights.added else "\n"))
    lines += [f"  {_quoted(word)}: {{{_pairs(says)}}}\n" for word, says in sorted(weights.added.items())]
    lines.append("words:" + (" {}\n" if not weights.words else "\n"))
    ordered = sorted(weights.words.items(), key=lambda each: (_strongest(each[1].says), each[0]))
    last = ""
    for word, each in ordered:
        if (type_ := _strongest(each.says)) != last:
            lines.append(f"  # {type_}\n")
            last = type_
        says = dict(sorted(each.says.items(), key=lambda pair: -pair[1]))
        lines.append(f"  {_quoted(word)}: {{texts: {each.texts}, says: {{{_pairs(says)}}}}}\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text("".join(lines), "utf-8")
    beside.replace(file)


def _strongest(says: Mapping[str, float]) -> str:
    return max(says, key=lambda type_: says[type_])


def _pairs(says: Mapping[str, float]) -> str:
    return ", ".join(f"{type_}: {weight:g}" for type_, weight in says.items())


def _quoted(word: str) -> str:
    """Return a word as a key of YAML: bare where nothing in it could mean anything else."""
    return word if word.isalpha() else json.dumps(word, ensure_ascii=False)
