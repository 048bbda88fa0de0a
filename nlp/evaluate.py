"""How well a reader reads: its readings beside the labels of people."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from complaints.reading import Reading
from nlp.reader import KeywordReader

#: The label of a text without any flag.
NONE = "none"
_OWN_FLAGS = frozenset({"fury", "human"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text and its label; `also` are labels that are acceptable too."""

    text: str
    label: str
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReport:
    """How one label fared: shares in 0..1, and how many texts have it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a reader fared on labelled texts: shares in 0..1, and the confusion table `confusion[label][read as]`.

    `lenient` counts acceptable readings as right. `macro_f1` is the mean over the labels that occur.
    """

    total: int
    accuracy: float
    lenient: float
    macro_f1: float
    labels: tuple[LabelReport, ...]
    confusion: dict[str, dict[str, int]]


def load_rows(path: Path) -> list[Row]:
    """Read labelled texts from a file with a header line and the columns `text` and `label`.

    A `.csv` has commas and quotes, anything else tabs and no quoting. `also_acceptable` may list further labels.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        comma = path.suffix.lower() == ".csv"
        lines = csv.DictReader(file) if comma else csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = {"text", "label"} - set(lines.fieldnames or ())
        if missing:
            raise ValueError(f"{path.name}: no column {', '.join(sorted(missing))}")
        return [
            Row(
                text=line["text"] or "",
                label=line["label"] or "",
                also=frozenset((line.get("also_acceptable") or "").replace(",", " ").split()),
            )
            for line in lines
        ]


def evaluate(reader: KeywordReader, rows: Iterable[Row], *, by: Literal["type", "flag"] = "type") -> Report:
    """Read every text and compare with its label: its best type, else the fallback; its first flag, else `none`."""
    confusion: dict[str, Counter[str]] = {}
    lenient = 0
    for row in rows:
        read = _flag(reader.read(row.text)) if by == "flag" else _type(reader.read(row.text), reader.fallback)
        confusion.setdefault(row.label, Counter())[read] += 1
        lenient += read == row.label or read in row.also
    total = sum(counts.total() for counts in confusion.values())
    labels = tuple(_label(label, confusion) for label in sorted(confusion))
    right = sum(counts[label] for label, counts in confusion.items())
    return Report(
        total=total,
        accuracy=_share(right, total),
        lenient=_share(lenient, total),
        macro_f1=_share(sum(each.f1 for each in labels), len(labels)),
        labels=labels,
        confusion={label: dict(counts) for label, counts in confusion.items()},
    )


def _type(reading: Reading, fallback: str) -> str:
    return reading.types[0].id if reading.types else fallback


def _flag(reading: Reading) -> str:
    return next((flag.id for flag in reading.flags if flag.id not in _OWN_FLAGS), NONE)


def _label(label: str, confusion: dict[str, Counter[str]]) -> LabelReport:
    right = confusion[label][label]
    support = confusion[label].total()
    precision = _share(right, sum(counts[label] for counts in confusion.values()))
    recall = _share(right, support)
    f1 = _share(2 * precision * recall, precision + recall)
    return LabelReport(label=label, precision=precision, recall=recall, f1=f1, support=support)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
