"""How well a reader reads: its readings beside the labels of people."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

from complaints.clauses.taxonomy import Risk, Taxonomy
from complaints.reading import Reading, Slot
from complaints.weights import Learned
from nlp.reader import KeywordReader

#: The label of a text without any flag.
NONE = "none"
_OWN_FLAGS = frozenset({"fury", "human"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text and its label; `also` are labels that are acceptable too. One of less `weight` teaches less."""

    text: str
    label: str
    also: frozenset[str] = frozenset()
    weight: float = 1.0


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

    `lenient` counts acceptable readings as right, `top3` those whose label is among the best three.
    `macro_f1` is the mean over the labels that occur.
    """

    total: int
    accuracy: float
    lenient: float
    top3: float
    macro_f1: float
    labels: tuple[LabelReport, ...]
    confusion: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """How one risk fared: shares in 0..1, and how many texts speak of it."""

    recall: float
    precision: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value that people found in a text: its kind, the words it stands in, its normal form.

    One that is `unsure` may be left out, or read in another way: even a careful person could not say.
    """

    name: str
    span: str
    value: str
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidRow:
    """A text, when it was said by the clocks where it was said, and all values it holds."""

    text: str
    at: datetime
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReport:
    """How one kind of value fared: how many there are, how many were found, how many were read that are not there."""

    name: str
    total: int
    found: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReport:
    """How a reader fared on texts with all their values known; `recall` in 0..1 over all kinds."""

    texts: int
    recall: float
    kinds: tuple[KindReport, ...]

    def kind(self, name: str) -> KindReport:
        """Return how one kind fared; zeros for one that nowhere occurs."""
        none = KindReport(name=name, total=0, found=0, wrong=0)
        return next((each for each in self.kinds if each.name == name), none)


#: The kinds of values that labelled texts name; what else a reader finds (names, places) is not judged.
KINDS = (
    "amount", "date", "phone", "order_no", "tracking_no", "contract_no", "model", "batch", "email", "wechat", "plate",
    "id_card", "quantity", "remedy", "address",
)  # fmt: skip


def load_said(path: Path) -> list[SaidRow]:
    """Read texts and their values from a file with one JSON object a line: `text`, `sent_at`, `slots`."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        values = tuple(
            Value(name=each["name"], span=each["span"], value=each["value"], unsure=each.get("unsure", False))
            for each in row["slots"]
        )
        rows.append(SaidRow(text=row["text"], at=datetime.fromisoformat(row["sent_at"]), values=values))
    return rows


def evaluate_slots(reader: KeywordReader, rows: Iterable[SaidRow]) -> SlotReport:
    """Read every text and compare its values with those that people found."""
    total, found, wrong = Counter[str](), Counter[str](), Counter[str]()
    texts = 0
    for row in rows:
        texts += 1
        slots = [each for each in reader.read(row.text, at=row.at).slots if each.name in KINDS]
        read = {(each.name, each.value) for each in slots}
        for value in row.values:
            hit = (value.name, value.value) in read
            if hit or not value.unsure:
                total[value.name] += 1
                found[value.name] += hit
        wrong.update(each.name for each in slots if not _said(row, each))
    return SlotReport(
        texts=texts,
        recall=_share(found.total(), total.total()),
        kinds=tuple(
            KindReport(name=name, total=total[name], found=found[name], wrong=wrong[name])
            for name in KINDS
            if total[name] or wrong[name]
        ),
    )


def _said(row: SaidRow, slot: Slot) -> bool:
    """Tell whether a text holds this value, or one there that nobody is sure of."""
    for value in row.values:
        if value.name == slot.name:
            start = row.text.find(value.span)
            unsure = value.unsure and start < slot.end and slot.start < start + len(value.span)
            if unsure or value.value == slot.value:
                return True
    return False


RISKS: Final[tuple[Risk, ...]] = get_args(Risk)
#: An injury is a danger to somebody's safety, in every policy.
MEANT: Final[dict[Risk, list[Risk]]] = {risk: ["safety", "injury"] if risk == "safety" else [risk] for risk in RISKS}


def risk_reader(learned: Learned) -> KeywordReader:
    """Return a reader that raises a flag for each risk, and knows no types."""
    title = {"zh-Hans": "-", "zh-Hant": "-", "en": "-"}
    return KeywordReader(
        Taxonomy.model_validate(
            {
                "types": [{"id": "other", "title": title, "department": "any"}],
                "fallback": "other",
                "flags": [{"id": risk, "title": title, "risks": meant} for risk, meant in MEANT.items()],
            }
        ),
        learned=learned,
    )


def evaluate_risks(reader: KeywordReader, rows: Iterable[Row]) -> dict[str, RiskReport]:
    """Read the risks of every text and compare with its labels: any number of them, parted by spaces, or `none`.

    A reading that is acceptable, too, is no false one; a danger that may be left out, because none is acceptable, too,
    is not missed.
    """
    said, read, right = Counter[str](), Counter[str](), Counter[str]()
    judged = Counter[str]()
    for row in rows:
        labels = {*row.label.split()} - {NONE}
        if strange := (labels | row.also) - {*RISKS, NONE}:
            raise ValueError(f"{', '.join(sorted(strange))}: no risk is called so")
        flags = {flag.id for flag in reader.read(row.text, slots=False).flags}
        raised = {risk for risk in RISKS if risk in flags}
        meant = labels & raised if NONE in row.also else labels
        said.update(meant)
        read.update(meant & raised)
        judged.update(raised)
        right.update(risk for risk in raised if {*MEANT[risk]} & (labels | row.also))
    return {
        risk: RiskReport(
            recall=_share(read[risk], said[risk]), precision=_share(right[risk], judged[risk]), support=said[risk]
        )
        for risk in RISKS
        if said[risk]
    }


def load_rows(path: Path) -> list[Row]:
    """Read labelled texts from a file with a header line and the columns `text` and `label`.

    A `.csv` has commas and quotes, anything else tabs and no quoting. `also_acceptable` may list further labels,
    `weight` say how much a text teaches.
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
                weight=float(line.get("weight") or 1),
            )
            for line in lines
        ]


def evaluate(reader: KeywordReader, rows: Iterable[Row], *, by: Literal["type", "flag"] = "type") -> Report:
    """Read every text and compare with its label: its best type, else the fallback; its first flag, else `none`."""
    confusion: dict[str, Counter[str]] = {}
    lenient = near = 0
    for row in rows:
        reading = reader.read(row.text)
        best = _types(reading, reader.fallback) if by == "type" else [_flag(reading)]
        confusion.setdefault(row.label, Counter())[best[0]] += 1
        lenient += best[0] == row.label or best[0] in row.also
        near += row.label in best[:3]
    total = sum(counts.total() for counts in confusion.values())
    labels = tuple(_label(label, confusion) for label in sorted(confusion))
    right = sum(counts[label] for label, counts in confusion.items())
    return Report(
        total=total,
        accuracy=_share(right, total),
        lenient=_share(lenient, total),
        top3=_share(near, total),
        macro_f1=_share(sum(each.f1 for each in labels), len(labels)),
        labels=labels,
        confusion={label: dict(counts) for label, counts in confusion.items()},
    )


def _types(reading: Reading, fallback: str) -> list[str]:
    """Return the types a text speaks for, the best first; last the one that a complaint has that fits no other."""
    found = [each.id for each in reading.types]
    return found if fallback in found else [*found, fallback]


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
