"""Real sentences with their dangers: `python -m benchmarks.sentences` prints what the table of dangers learns from.

They are citizens' and buyers' and may not be shipped: policies/texts/sentences.tsv holds their labels under a hash, and
PLAINT_TEST_DATA names the folder that holds the texts (`nlp/dev/*.tsv`). The table is made of what was written for it,
and weighed on them; they bring no words, so that nothing but numbers comes of them:

    python -m benchmarks.sentences > real.tsv
    plaint classify --several --train policies/texts/risks.tsv --beside real.tsv --out policies/weights/risks.yaml

A part of them is never learned from: `python -m benchmarks.reading` measures with it.
"""

import csv
import hashlib
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from nlp.evaluate import Row, load_rows

ROOT: Final = Path(__file__).parent.parent
LABELS: Final = ROOT / "policies/texts/sentences.tsv"
#: The sets whose texts are taken whole, and those that are letters, whose sentences are taken.
WHOLE: Final = ("zh_shop_sentiment", "zh_waimai_sentiment", "gold_zh_complaint_type", "zh_car_topic")
LETTERS: Final = ("zh_gov_messages_raw",)
#: A real sentence teaches as much as so many that were written: there are few of them.
WEIGHT: Final = 3.0
_ENDS: Final = re.compile(r"(?<=[。！？!?])|\s{2,}")  # noqa: RUF001 # as people write


def labelled(data: Path, part: Literal["learn", "test"]) -> list[Row]:
    """Return the real sentences of this part with their dangers, and none of which the text is not there."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = {row["sentence"]: row for row in csv.DictReader(file, delimiter="\t") if row["part"] == part}
    texts = {key: text for key, text in _texts(data) if key in rows}
    return [
        Row(text=texts[key], label=row["label"], also=frozenset(row["also_acceptable"].split()), weight=WEIGHT)
        for key, row in rows.items()
        if key in texts
    ]


def _texts(data: Path) -> Iterator[tuple[str, str]]:
    for name in (*WHOLE, *LETTERS):
        path = data / f"{name}.tsv"
        for row in load_rows(path) if path.exists() else ():
            for text in map(str.strip, _ENDS.split(row.text) if name in LETTERS else [row.text]):
                yield key_of(text), text


def key_of(text: str) -> str:
    """Return the hash of what a text says: 16 hex digits over its letters and digits, half-width and lower case."""
    said = re.sub(r"\W", "", unicodedata.normalize("NFKC", text).lower())
    return hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()[:16]


def main() -> None:
    """Print the sentences that are learned from, as labelled texts."""
    data = os.environ.get("PLAINT_TEST_DATA")
    real = labelled(Path(data) / "nlp/dev", "learn") if data else []
    if not real:
        sys.exit("PLAINT_TEST_DATA names no folder with the real sentences.")
    print("text\tlabel\talso_acceptable\tweight")  # a command's output
    for row in real:
        print(row.text, row.label, " ".join(sorted(row.also)), row.weight, sep="\t")


if __name__ == "__main__":
    main()
