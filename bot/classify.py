"""What `plaint classify` does beside reading a text: learning, measuring, comparing lexicons, and proposing words."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.reading import open_reader, read_with
from complaints.case import Case
from complaints.clauses.model import Sentence
from complaints.clauses.taxonomy import ComplaintType, Taxonomy
from complaints.errors import Misconfigured
from complaints.policy import Policy
from complaints.weights import Learned, Weights
from nlp.evaluate import NONE, Row, load_rows
from nlp.learning import Example, learn
from nlp.reader import KeywordReader
from nlp.segment import Proposal, Segmenter, propose
from policies import weights as files
from storage import Store

#: An example of the policy teaches as much as so many texts: it must hold.
_EXAMPLE: Final = 3.0
#: What a word that a person accepted weighs: it decides, unless much speaks against it.
_ADDED: Final = 3.0
#: A word is proposed if this share of the cases that hold it has the type.
_PRECISE: Final = 0.8
_ACCEPTED: Final = re.compile(r"(?P<word>.+)=(?P<type>[a-z][a-z0-9_]*)")


def rows(paths: Sequence[Path]) -> list[Row]:
    """Return the labelled texts of these files. Misconfigured names the file that has none, or lacks a column."""
    try:
        found = [row for path in paths for row in load_rows(path)]
    except (OSError, ValueError) as error:
        raise Misconfigured(str(error)) from error
    if not found:
        raise Misconfigured(f"{paths[0]}: The file holds no texts.")
    return found


def trained(
    texts: Sequence[Row],
    policy: Policy | None,
    before: Weights | None = None,
    *,
    several: bool = False,
    beside: Sequence[Row] = (),
) -> Weights:
    """Learn from labelled texts: for the types of a policy, or for whatever labels there are.

    Misconfigured says which labels the policy does not have. What people accepted `before` stays, and the policy's
    examples teach, too. Where a text may have `several` labels they are separated by spaces, and `none` is none. Texts
    `beside` weigh the words of the others and bring none.
    """
    if policy is not None:
        known = {each.id for each in policy.taxonomy.types}
        if strange := sorted({row.label for row in texts} - known):
            there = ", ".join(sorted(known))
            raise Misconfigured(f"The policy {policy.id} has no type {', '.join(strange)}. It has: {there}.")
    taxonomy = policy.taxonomy if policy is not None else None
    segmenter = Segmenter.of(taxonomy) if taxonomy is not None else Segmenter()
    examples, others = ([_example(row, several=several) for row in some] for some in (texts, beside))
    if policy is not None:
        examples += [
            Example(text=each.text, labels=frozenset({each.type}), weight=_EXAMPLE)
            for each in policy.examples
            if each.text and each.type
        ]
    try:
        learned = learn(examples, segmenter, known=taxonomy, several=several, beside=others)
    except ModuleNotFoundError as error:
        missing = f"Learning needs scikit-learn ({error.name} is missing): pip install plaint[learn]."
        raise Misconfigured(missing) from error
    except ValueError as error:
        raise Misconfigured(f"Nothing can be learned: {error}.") from error
    return learned.model_copy(update={"added": before.added}) if before is not None else learned


def _example(row: Row, *, several: bool) -> Example:
    if not several:
        return Example(text=row.text, labels=frozenset({row.label}), weight=row.weight)
    labels = frozenset(row.label.split()) - {NONE}
    doubtful = row.also | labels if NONE in row.also else row.also - labels
    return Example(text=row.text, labels=labels, doubtful=doubtful, weight=row.weight)


def reader_of_labels(learned: Weights) -> KeywordReader:
    """Return a reader for any labels, which need not be the ids that a policy asks for."""
    plain = dict.fromkeys(("zh-Hans", "zh-Hant", "en"), "?")
    types = [
        ComplaintType.model_construct(id=label, title=Sentence.model_validate(plain), department="", keywords=[])
        for label in learned.start
    ]
    first = max(learned.start, key=lambda label: learned.start[label])
    return KeywordReader(Taxonomy.model_construct(types=types, fallback=first), learned=Learned(types=learned))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A case that two lexicons read otherwise, and what its type is now."""

    number: str
    before: str
    after: str
    now: str


def compare(
    store: Store, policy: Policy, lexicons: tuple[KeywordReader, KeywordReader], last: int
) -> tuple[int, list[Difference]]:
    """Read the last cases with two lexicons; return how many there were, and those that are read otherwise."""
    old, new = lexicons
    found = []
    cases = _cases(store, last)
    for case in cases:
        before, after = _best(old, _said(case)), _best(new, _said(case))
        if before != after:
            found.append(
                Difference(number=case.number, before=before, after=after, now=case.type or policy.taxonomy.fallback)
            )
    return len(cases), found


def lexicon(name: str, store: Store, policy: Policy, policies_dir: Path) -> KeywordReader:
    """Return the reader with a version of the lexicon that is kept (or its beginning), or with a file of weights."""
    path = Path(name)
    types = {each.id for each in policy.taxonomy.types}
    if path.suffix in {".yaml", ".yml"}:
        return read_with(policy, files.read(path, types))
    if name == "now":
        return open_reader(policy, policies_dir)
    versions = [version for version, _ in store.lexicons(policy.id)]
    fits = [version for version in versions if version.startswith(name)]
    if len(fits) != 1:
        there = ", ".join(versions[:10]) or "none"
        raise Misconfigured(f"There is no one lexicon {name!r}. Kept are: {there}. Or name a file, or now.")
    return KeywordReader.of(store.lexicon(fits[0]) or "")


def proposals(store: Store, policy: Policy, weights: Weights | None, last: int) -> list[Proposal]:
    """Return the words that the corrections of agents propose as keywords; a person accepts them, or does not."""
    taxonomy = policy.taxonomy
    known = [keyword.word for kind in taxonomy.types for keyword in kind.keywords]
    known += weights.added if weights is not None else []
    cases = [case for case in _cases(store, last) if case.type]
    corrected = {case.type for case in cases if _corrected(store, case)}
    found = propose([(_said(case), case.type) for case in cases], Segmenter.of(taxonomy), known=known)
    return [each for each in found if each.type in corrected and each.precision >= _PRECISE]


def accept(wanted: Sequence[str], policy: Policy, policies_dir: Path) -> Path:
    """Add words to what was learned for a company; return the file. Misconfigured names what cannot be read."""
    types = {each.id for each in policy.taxonomy.types}
    weights = files.load(policies_dir, policy.id, types) or Weights(texts=1, start=dict.fromkeys(sorted(types), 0.0))
    added = {word: dict(says) for word, says in weights.added.items()}
    for each in wanted:
        match = _ACCEPTED.fullmatch(each)
        if match is None or match["type"] not in types:
            raise Misconfigured(f"{each!r} is no WORD=TYPE with one of the types {', '.join(sorted(types))}.")
        added.setdefault(match["word"], {})[match["type"]] = _ADDED
    file = files.path(policies_dir, policy.id)
    files.write(weights.model_copy(update={"added": added}), file)
    return file


def _cases(store: Store, last: int) -> list[Case]:
    with store.read() as ledger:
        return ledger.latest(last)


def _corrected(store: Store, case: Case) -> bool:
    """Tell whether a member of the staff corrected the type of a case."""
    with store.read() as ledger:
        return any(
            event.name == "typed" and event.actor.startswith("staff:") and event.facts.get("before")
            for event in ledger.journal(case.id)
        )


def _said(case: Case) -> str:
    return case.words.said[0].text if case.words.said else ""


def _best(reader: KeywordReader, text: str) -> str:
    types = reader.read(text).types
    return types[0].id if types else reader.fallback


def flattened(differences: Sequence[Difference]) -> Iterator[tuple[str, str, int]]:
    """Yield how many cases go from which type to which, the commonest first."""
    counts: Mapping[tuple[str, str], int] = Counter((each.before, each.after) for each in differences)
    for (before, after), count in sorted(counts.items(), key=lambda each: -each[1]):
        yield before, after, count
