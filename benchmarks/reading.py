"""How well the reader reads, measured: `python -m benchmarks.reading` writes docs/reference/reading.md.

The companies' sets (tests/nlp/said) were written by people who had not seen the lexicons. The public ones are not in
the repository: PLAINT_TEST_DATA names the folder that holds `nlp/dev/*.tsv`. They are split into five parts, always the
same; each part is read with what the other four teach, beside a linear SVM on characters and a plain list of words.
"""

import argparse
import gc
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean
from typing import Any

from opencc import OpenCC
from rich.console import Console
from rich.progress import Progress

from benchmarks.sentences import LABELS, labelled
from bot.classify import reader_of_labels, trained
from bot.reading import open_reader
from complaints.clauses.taxonomy import Taxonomy
from complaints.weights import Learned
from nlp import answers, lexicon
from nlp.evaluate import (
    NONE,
    RISKS,
    Row,
    evaluate,
    evaluate_risks,
    evaluate_slots,
    load_rows,
    load_said,
    risk_reader,
)
from nlp.learning import candidates
from nlp.matcher import Finder
from nlp.normalize import normalize
from nlp.reader import KeywordReader
from nlp.segment import Segmenter
from policies import weights
from policies.loader import load

ROOT = Path(__file__).parent.parent
SAID = ROOT / "tests/nlp/said"
PAGE = ROOT / "docs/reference/reading.md"
OUT = ROOT / "benchmarks/out/reading.json"
PUBLIC = [
    "zh_gov_messages_raw", "zh_car_topic", "zh_shop_sentiment", "zh_waimai_sentiment",
    "en_airline_reason", "en_banking77", "en_cfpb_product",
]  # fmt: skip
FOLDS = 5
LISTED = 30
INTRODUCTION = """\
# How messages are read

<!-- written by `python -m benchmarks.reading`: do not edit -->

The reader is a table of words and weights that a person can read and change; the same text and the same table always
give the same reading, and every reading names the words that decided.

1. A text is made half-width and simplified, character by character, so that places stay where they are.
2. One pass finds all words of all lists: keywords of the policy with their Taiwan and Hong Kong forms and English
   inflections, denials, questions, dangers with the contexts in which they mean nothing, and what announces a value.
3. What the text takes back ("not about the refund", "nobody was hurt") counts nothing.
4. A learned table (in `policies/weights`) says how much each word speaks for and against each type. Together
   with the keywords that is the evidence; the scores are shares of its exponentials. Whether anything is complained
   about at all is read from a table of its own (`talk.yaml`) beside all this, and so are dangers (`risks.yaml`).
5. Values (numbers, sums, dates, telephones, addresses) are read where words announce them. What is uncertain is left
   out. What a customer asks for is read from words that name a remedy and from a table of its own (`remedies.yaml`).
6. What a short reply wants of an open form (to skip, to go back, a human) is read from known words, else from a table
   (`wishes.yaml`); agreeing and refusing from known words only. So is who asks for a human, help or the status at any
   time.

The tables are learned from labelled texts (`policies/texts`, written for this) by
`plaint classify --company ID --train policies/texts/ID.tsv --out policies/weights/ID.yaml`: jieba cuts the texts, runs
of characters join what it does not know, chi² chooses the words, a linear model weighs them. That of the dangers is
weighed on real sentences, too, which are not in the repository (`benchmarks/sentences.py`). Corrections of
agents propose words (`plaint classify --propose`); a person accepts them (`--accept WORD=TYPE`). Every lexicon that was
read with is kept, and `plaint classify --compare OLD NEW` shows which of the last cases would be read otherwise.
"""
COMPANIES = """\
## Complaint types of the companies

Messages written without sight of the lexicons (`tests/nlp/said`), 200 for each company. *Best* is the share whose best
type is the labelled one (in brackets: or an acceptable one), *three* the share whose label is among the best three.
*Words alone*: with the keywords of the policy and nothing learned. The last two columns: points won or lost when the
same messages are turned into the writing of Taiwan and of Hong Kong.

| company | best | three | words alone | Taiwan | Hong Kong |
|---|---|---|---|---|---|"""
SETS = """\
## Public sets

Accuracy on texts that were not learned from; {folds} of five parts that are always the same. The SVM is a linear one on
TF-IDF of characters; the plain list holds the best 30 words of each label, one vote each. The texts are not in the
repository.

| set | texts | learned table | macro-F1 | SVM | table - SVM | plain list | table - list |
|---|---|---|---|---|---|---|---|"""
SPEED = """\
Beside `jieba.lcut` of the same {texts:.0f} messages of 40 to 60 characters, in one run, with the policy and the learned
table of the chemical maker. The reader does not segment: it finds all words in one pass (Aho-Corasick), and jieba is
loaded only where something is learned.
"""
#: The set of real sentences with dangerous words, and what its labels are called here.
REAL = "gold_zh_risk"
CALLED = {"legal_threat": "legal", "media_exposure": "media", "safety_injury": "safety"}
DANGERS = f"""\
## Dangers

Hard sentences that were written without sight of the lexicon, half of them with dangerous words that mean no danger
(`tests/nlp/said`). Sentences and figures of the first two sets were looked at while the reader was made; of
`risks_fresh` no sentence ever was, but its figures when constants and words were chosen. `{REAL}` are 84 real
sentences of citizens and buyers, public but not in the repository, drawn by dangerous words; they were looked at, too.
`{LABELS.stem}` are 896 more, labelled for this (`policies/texts/{LABELS.name}`), most of them drawn where a reader
before this one saw a danger or nearly one, so that they are harder than what comes in; the table learned from 5,722
others. What a careful person could leave out, by its label, is not missed.

| danger | set | texts | recall | precision |
|---|---|---|---|---|"""
TALK = """\
## What is no complaint

How many texts that complain of nothing are taken for a complaint, and how many complaints are missed. Half of the
former sound like one; in `talk_kept` they play with words, and half of the complaints there are short.

| set | no complaints | taken for one | complaints | missed |
|---|---|---|---|---|"""
WISHES = """\
## Replies inside a form

What short replies want of the form beside answering it (to go back, to skip, a human …), in words of people who had not
seen the lists (`tests/nlp/said/wishes.tsv`). *Known words*: the lists alone. Agreeing, refusing and a new complaint, a
fifth of them, are read from known words only. *Wrong*: another wish, or one where there is none.

| replies | understood | known words | wrong | answers and complaints | taken for a wish |
|---|---|---|---|---|---|"""
VALUES = """\
## Values

How many of all values in a text are found, and how many sums, dates and telephones are wrong. With the first set the
rules were tuned, and the table of remedies learned from it, too; the errors on the second were read, and rules and
texts to learn from were written after them; those on the third never were.

| set | texts | found | wrong sums | wrong dates | wrong telephones |
|---|---|---|---|---|---|"""
_HAN = re.compile(f"[{lexicon.load().characters.han}]")


def folds(rows: Sequence[Row], parts: int) -> list[tuple[list[Row], list[Row]]]:
    """Return what to learn from and what to read, for the first `parts` of five parts that are always the same."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 # only where something is learned

    split = StratifiedKFold(FOLDS, shuffle=True, random_state=5).split(rows, [row.label for row in rows])
    pairs = [([rows[place] for place in train], [rows[place] for place in test]) for train, test in split]
    return pairs[:parts]


def svm(train: Sequence[Row], test: Sequence[Row]) -> float:
    """Return the accuracy of a linear SVM on TF-IDF of characters: 1 to 3 of Chinese, 2 to 5 within English words."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    chinese = any(_HAN.search(row.text) for row in train[:50])
    words = TfidfVectorizer(
        analyzer="char" if chinese else "char_wb",
        ngram_range=(1, 3) if chinese else (2, 5),
        sublinear_tf=True,
        min_df=2,
    )
    matrix = words.fit_transform([normalize(row.text).folded for row in train])
    model = LinearSVC(C=1.0, random_state=0).fit(matrix, [row.label for row in train])
    read = model.predict(words.transform([normalize(row.text).folded for row in test]))
    return sum(bool(one == row.label) for one, row in zip(read, test, strict=True)) / len(test)


def plain_list(train: Sequence[Row], test: Sequence[Row]) -> float:
    """Return the accuracy of a plain list: the best 30 words of each label by chi², one vote each."""
    import numpy as np  # noqa: PLC0415
    from scipy.sparse import lil_matrix  # noqa: PLC0415
    from sklearn.feature_selection import chi2  # noqa: PLC0415

    segmenter = Segmenter()
    words = sorted({word for row in train for word in segmenter.cut(row.text) if word.strip()})
    finder = Finder(words)
    matrix = lil_matrix((len(train), len(words)))
    for at, row in enumerate(train):
        for place in finder.find(normalize(row.text).folded)[0]:
            matrix[at, place] = 1
    given = np.array([row.label for row in train])
    votes: dict[str, set[int]] = {}
    table = matrix.tocsr()
    for label in sorted(set(given.tolist())):
        inside, outside = table[given == label].mean(axis=0).A1, table[given != label].mean(axis=0).A1
        score = np.where(inside > outside, np.nan_to_num(chi2(table, given == label)[0]), 0)
        votes[label] = {int(place) for place in np.argsort(-score, kind="stable")[:LISTED]}
    common = max(votes, key=lambda label: int((given == label).sum()))
    right = 0
    for row in test:
        found = finder.find(normalize(row.text).folded)[0].keys()
        best = max(votes, key=lambda label: (len(votes[label] & found), label == common))
        right += best == row.label
    return right / len(test)


def public(data: Path, parts: int, progress: Progress) -> list[dict[str, Any]]:
    """Measure the public sets that are there."""
    found: list[dict[str, Any]] = []
    there = [name for name in PUBLIC if (data / f"{name}.tsv").exists()]
    task = progress.add_task("public sets", total=len(there) * parts)
    for name in there:
        rows = load_rows(data / f"{name}.tsv")
        scores: list[tuple[float, float, float, float]] = []
        for train, test in folds(rows, parts):
            report = evaluate(reader_of_labels(trained(train, None)), test)
            scores.append((report.accuracy, report.macro_f1, svm(train, test), plain_list(train, test)))
            progress.advance(task)
        learned, f1, linear, plain = (mean(each) for each in zip(*scores, strict=True))
        found.append(
            {"set": name, "texts": len(rows), "learned": learned, "macro_f1": f1, "svm": linear, "list": plain}
        )
    return found


def companies(progress: Progress) -> list[dict[str, Any]]:
    """Measure every company's reader on messages that were written without sight of its lexicon."""
    found: list[dict[str, Any]] = []
    variants = {"tw": OpenCC("s2twp").convert, "hk": OpenCC("s2hk").convert}
    paths = sorted(
        path for path in SAID.glob("*_*.tsv") if (ROOT / "policies/companies" / path.name).with_suffix(".yaml").exists()
    )
    for path in progress.track(paths, description="companies"):
        policy = load(path.stem, ROOT / "policies")
        reader = open_reader(policy, ROOT / "policies")
        rows = load_rows(path)
        report = evaluate(reader, rows)
        hand = evaluate(KeywordReader(policy.taxonomy), rows)
        chinese = [row for row in rows if _HAN.search(row.text)]
        plain = evaluate(reader, chinese).accuracy
        turned = {
            name: evaluate(
                reader, [Row(text=turn(row.text), label=row.label, also=row.also) for row in chinese]
            ).accuracy
            - plain
            for name, turn in variants.items()
        }
        found.append({
            "company": path.stem, "texts": report.total, "top1": report.accuracy, "lenient": report.lenient,
            "top3": report.top3, "by_hand": hand.accuracy, **turned,
        })  # fmt: skip
    return found


def dangers(data: Path | None) -> list[dict[str, Any]]:  # Any: what JSON holds
    """Measure how dangers are read in hard sentences: those written without sight of the lexicon, and real ones."""
    reader = risk_reader(Learned(risks=weights.load(ROOT / "policies", "risks", RISKS)))
    sets = {name: load_rows(SAID / f"{name}.tsv") for name in ("risks_unseen", "risks_kept", "risks_fresh")}
    if data is not None:
        sets |= real_dangers(data)
    return [
        {"set": name, "risk": risk, **asdict(each)}
        for name, rows in sets.items()
        for risk, each in evaluate_risks(reader, rows).items()
    ]


def real_dangers(data: Path) -> dict[str, list[Row]]:
    """Return the sets of real sentences that are there, each sentence with its dangers as they are called here."""
    path = data / f"{REAL}.tsv"
    drawn = [
        replace(
            row, label=CALLED.get(row.label, row.label), also=frozenset(CALLED.get(each, each) for each in row.also)
        )
        for row in (load_rows(path) if path.exists() else ())
    ]
    return {name: rows for name, rows in ((REAL, drawn), (LABELS.stem, labelled(data, "test"))) if rows}


def talk() -> list[dict[str, Any]]:  # Any: what JSON holds
    """Measure whether what complains is told from what does not."""
    reader = open_reader(load("trade_003", ROOT / "policies"), ROOT / "policies")
    found = []
    for name in ("talk", "talk_kept"):
        read = [(row.label, reader.read(row.text).kind == "complaint") for row in load_rows(SAID / f"{name}.tsv")]
        none, complaints = ([taken for each, taken in read if each == label] for label in ("none", "complaint"))
        missed = len(complaints) - sum(complaints)
        found.append(
            {"set": name, "none": len(none), "taken": sum(none), "complaints": len(complaints), "missed": missed}
        )
    return found


def wishes() -> list[dict[str, Any]]:  # Any: what JSON holds
    """Measure what is understood of replies that want something of the form."""
    reader = open_reader(load("trade_003", ROOT / "policies"), ROOT / "policies")
    read = [
        (row.label, answers.intent(row.text) or NONE, answers.intent(row.text) or reader.wish(row.text) or NONE)
        for row in load_rows(SAID / "wishes.tsv")
    ]
    wanted, others = ([each for each in read if (each[0] == NONE) == none] for none in (False, True))
    return [
        {
            "replies": len(wanted),
            "understood": sum(label == wish for label, _, wish in wanted),
            "known": sum(label == known for label, known, _ in wanted),
            "wrong": sum(wish not in (label, NONE) for label, _, wish in wanted),
            "others": len(others),
            "taken": sum(wish != NONE for _, _, wish in others),
        }
    ]


def values() -> list[dict[str, Any]]:  # Any: what JSON holds
    """Measure how many values are found and how many sums, dates and telephones are wrong."""
    reader = open_reader(load("trade_003", ROOT / "policies"), ROOT / "policies")
    found = []
    for name in ("slots_tuned", "slots_read", "slots_fresh"):
        report = evaluate_slots(reader, load_said(SAID / f"{name}.jsonl"))
        wrong = {kind: report.kind(kind).wrong for kind in ("amount", "date", "phone")}
        found.append({"set": name, "texts": report.texts, "recall": report.recall, **wrong})
    return found


def speed() -> dict[str, float]:
    """Measure the reader beside `jieba.lcut` of the same texts of 40 to 60 characters, each the best of 25 times."""
    import jieba  # noqa: PLC0415 # the measure itself

    jieba.setLogLevel(logging.WARNING)
    rows = [row.text for path in sorted(SAID.glob("*_*.tsv")) for row in load_rows(path)]
    texts = [text for text in rows if 40 <= len(text) <= 60 and _HAN.search(text)][:200]
    policy = load("chem_000", ROOT / "policies")
    reader = open_reader(policy, ROOT / "policies")
    few, many = (_reader_of(texts, count) for count in (100, 10_000))

    jieba.initialize()
    gc.freeze()  # as the service does: what lives as long as the process is not walked again by the collector
    base, flags, slots, hundred, thousands = _took(
        texts,
        jieba.lcut,
        lambda text: reader.read(text, slots=False),
        reader.read,
        lambda text: few.read(text, slots=False),
        lambda text: many.read(text, slots=False),
    )
    return {
        "types and flags": flags / base,
        "with slots": slots / base,
        "10,000 words beside 100": thousands / hundred,
        "start": _started(OPENED) / _started(JIEBA),
        "texts": float(len(texts)),
    }


def _took(texts: Sequence[str], *reads: Callable[[str], object]) -> list[float]:
    """Return how many seconds each takes for all texts, the best of 25 for each text, one after the other on each text.

    So all of them meet the same neighbours on a machine that is shared.
    """

    def once(read: Callable[[str], object], text: str) -> float:
        begun = time.perf_counter()
        read(text)
        return time.perf_counter() - begun

    took = [0.0] * len(reads)
    for text in texts:
        for at, read in enumerate(reads):
            took[at] += min(once(read, text) for _ in range(25))
    return took


#: What a process does that opens a reader for a policy that was read, with the imports of the reader.
OPENED = """
from pathlib import Path
from policies.loader import load
policy = load("chem_000", Path("policies"))
begun = time.process_time()
from bot.reading import open_reader
open_reader(policy, Path("policies"))
"""
#: What one does that loads the dictionary of jieba.
JIEBA = """
begun = time.process_time()
import jieba
jieba.setLogLevel(30)
jieba.initialize()
"""


def _started(what: str) -> float:
    """Return how many seconds of the processor something takes in a process of its own, the best of five."""
    code = f"import time{what}print(time.process_time() - begun)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout)
        for _ in range(5)
    )


def _reader_of(texts: Sequence[str], count: int) -> KeywordReader:
    """Return a reader of so many keywords of ten types, of which texts hold hardly any more where there are more."""
    segmenter = Segmenter()
    held = sorted({word for text in texts for word in candidates(normalize(text).folded, segmenter) if len(word) > 3})
    others = [
        f"{chr(0x4E00 + number % 20_000)}{chr(0x5000 + number // 7 % 15_000)}{chr(0x6000 + number % 9_000)}"
        for number in range(count)
    ]
    words = [*held[:50], *others][:count]
    title = {"zh-Hans": "x", "zh-Hant": "x", "en": "x"}
    types = [{"id": f"t{at}", "title": title, "department": "x", "keywords": words[at::10]} for at in range(10)]
    return KeywordReader(Taxonomy.model_validate({"types": types, "fallback": "t0"}))


def _danger(row: dict[str, Any]) -> str:  # Any: what JSON holds, here and below
    return f"| {row['risk']} | `{row['set']}` | {row['support']} | {row['recall']:.2f} | {row['precision']:.2f} |"


def _taken(row: dict[str, Any]) -> str:
    missed = f"{row['missed'] / row['complaints']:.0%}" if row["complaints"] else "-"
    return f"| `{row['set']}` | {row['none']} | {row['taken'] / row['none']:.0%} | {row['complaints']} | {missed} |"


def _wishes(row: dict[str, Any]) -> str:
    understood, known = (f"{row[each] / row['replies']:.0%}" for each in ("understood", "known"))
    return f"| {row['replies']} | {understood} | {known} | {row['wrong']} | {row['others']} | {row['taken']} |"


def _values(row: dict[str, Any]) -> str:
    wrong = f"{row['amount']} | {row['date']} | {row['phone']}"
    return f"| `{row['set']}` | {row['texts']} | {row['recall']:.1%} | {wrong} |"


def _public(row: dict[str, Any]) -> str:
    return (
        f"| {row['set']} | {row['texts']} | {row['learned']:.1%} | {row['macro_f1']:.1%} | {row['svm']:.1%} "
        f"| {100 * (row['learned'] - row['svm']):+.1f} | {row['list']:.1%} "
        f"| {100 * (row['learned'] - row['list']):+.1f} |"
    )


def page(kept: dict[str, Any]) -> str:  # Any: what JSON holds
    """Return the page of the docs: how the reader reads, and the figures that were measured."""
    lines = [INTRODUCTION]
    if rows := kept.get("companies"):
        lines.append(COMPANIES)
        lines += [
            f"| {row['company']} | {row['top1']:.1%} ({row['lenient']:.1%}) | {row['top3']:.1%} | {row['by_hand']:.1%} "
            f"| {100 * row['tw']:+.1f} | {100 * row['hk']:+.1f} |"
            for row in rows
        ]
        both = [mean(row[name] for row in rows) for name in ("top1", "lenient", "top3", "by_hand", "tw", "hk")]
        middle = f"{both[0]:.1%} ({both[1]:.1%}) | {both[2]:.1%} | {both[3]:.1%}"
        lines += [f"| **mean** | {middle} | {100 * both[4]:+.1f} | {100 * both[5]:+.1f} |", ""]
    sections: list[tuple[str, str, Callable[[dict[str, Any]], str]]] = [
        ("dangers", DANGERS, _danger), ("talk", TALK, _taken),
        ("wishes", WISHES, _wishes), ("values", VALUES, _values), ("public", SETS, _public),
    ]  # fmt: skip
    for name, head, line in sections:
        if rows := kept.get(name):
            lines += [head.format(folds=kept.get("folds")), *(line(row) for row in rows), ""]
    if measured := kept.get("speed"):
        lines += [
            "## Speed",
            "",
            SPEED.format(texts=measured["texts"]),
            "| what | times `jieba.lcut` |",
            "|---|---|",
            f"| types and flags | {measured['types and flags']:.2f} |",
            f"| with all slots | {measured['with slots']:.2f} |",
            "",
            f"Reading with 10,000 keywords takes {measured['10,000 words beside 100']:.2f} times as long as with 100.",
            f"A reader opens, for a policy that was read, in {measured['start']:.2f} times what importing jieba and",
            "loading its dictionary takes (seconds of the processor, each in a process of its own).",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure, print, and write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folds", type=int, default=FOLDS, help="how many of the five parts are read")
    options.add_argument("--only", choices=["public", "companies", "speed"], help="measure this anew, keep the rest")
    given = options.parse_args()
    data = os.environ.get("PLAINT_TEST_DATA")
    folder = Path(data) / "nlp/dev" if data else None
    kept = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        if given.only in (None, "companies"):
            kept["companies"] = companies(progress)
            kept["dangers"], kept["talk"], kept["wishes"], kept["values"] = dangers(folder), talk(), wishes(), values()
        if given.only in (None, "speed"):
            kept["speed"] = speed()
        if given.only in (None, "public") and folder is not None:
            kept["public"], kept["folds"] = public(folder, given.folds, progress), given.folds
    if folder is None:
        console.print("PLAINT_TEST_DATA is not set: the public sets were not measured.")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(kept, indent=1), "utf-8")
    PAGE.write_text(page(kept), "utf-8")
    print(json.dumps(kept, indent=1))  # a command's output


if __name__ == "__main__":
    main()
