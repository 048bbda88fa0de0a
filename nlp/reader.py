"""The keyword reader: what a message says, and the words it says it with."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from complaints.clauses.taxonomy import Taxonomy
from complaints.ports import Option
from complaints.reading import Flag, Hit, Kind, Language, Reading, Slot, TypeScore
from nlp import answers, lexicon
from nlp.matcher import Entry, Match, Matcher, longest
from nlp.negation import Negation
from nlp.normalize import Normal, language, normalize
from nlp.scoring import scores
from nlp.slots import SlotFinder, cue_entries, mask

#: What a word counts for a type when it only names the remedy that is asked for and another type has words of its own.
_REMEDY_SHARE = 0.5
#: How near, in characters, a phrase of `unless` must stand to take a word's meaning away.
_NEAR = 2
#: The weight from which a flag is raised.
_RAISED = 1.0
_MILD = 0.5
#: A question may hold this much evidence of a complaint and stay a question.
_ASIDE = 1.0


class KeywordReader:
    """Reads messages by the keywords of one company. Built once, shared by all threads, never changed.

    A type's evidence is the sum of the weights of its different words that the text does not take back; `nlp.scoring`
    turns evidence into scores. Words of the fallback type count only where no other type has any. A flag is raised when
    the weights of its different words reach 1; a word inside or next to an `unless` phrase of its flag means nothing.
    """

    def __init__(self, taxonomy: Taxonomy, *, default: Language = "zh-Hans", currency: str = "CNY") -> None:
        """Build the automaton. `default` is the language of texts without letters, `currency` that of a bare sum."""
        self.fallback = taxonomy.fallback
        self._default = default
        self._negation = Negation()
        self._slots = SlotFinder(taxonomy.slots, currency=currency)
        self._order = [each.id for each in taxonomy.types]
        self._flag_order = [*(each.id for each in taxonomy.flags), "fury", "human"]
        self._matcher = Matcher(_entries(taxonomy))
        self.version = _version(taxonomy)

    def read(self, text: str, *, hint: Language | None = None) -> Reading:
        """Return everything a message says. Takes time linear in its length, of which 8,000 characters are read.

        `hint` is the language of the conversation so far, for a text whose characters leave it open.
        """
        normal = normalize(text)
        found = self._matcher.find(normal.folded)
        denied = self._negation.denied(normal.folded, found)
        slots = self._slots.find(normal, found, denied)
        types = self._types(found, denied, slots)
        flags = self._flags(normal, found, denied)
        return Reading(
            language=language(normal, hint=hint, default=self._default),
            kind=self._kind(normal, found, denied, types, flags),
            types=types,
            flags=flags,
            slots=slots,
            lexicon=self.version,
        )

    def choose(self, text: str, options: Sequence[Option]) -> str | None:
        """Return the id of the option that an answer means: by number, label, or the words of the type it names."""
        if (found := answers.choose(text, options)) is not None:
            return found
        ids = {option.id for option in options}
        if not ids & {*self._order, *lexicon.load().remedies.remedies}:
            return None
        reading = self.read(text)
        named = {each.id for each in reading.types} | {each.value for each in reading.slots if each.name == "remedy"}
        return (named & ids).pop() if len(named & ids) == 1 else None

    def intent(self, text: str) -> str | None:
        """Return what a whole short message wants of the conversation: see `nlp.answers.intent`."""
        return answers.intent(text)

    def consent(self, text: str) -> bool | None:
        """Tell whether an answer agrees or refuses: see `nlp.answers.consent`."""
        return answers.consent(text)

    def mask(self, text: str, reading: Reading) -> str:
        """Return the text with everything starred that tells who somebody is: see `nlp.slots.mask`."""
        return mask(text, reading)

    def _types(
        self, found: Mapping[str, list[Match]], denied: set[Match], slots: Iterable[Slot]
    ) -> tuple[TypeScore, ...]:
        words = _by_owner(match for match in found.get("type", ()) if match not in denied)
        specific = words.keys() - {self.fallback}
        if specific:
            words.pop(self.fallback, None)
        wished = [slot for slot in slots if slot.name == "remedy"] if len(specific) > 1 else []
        hits = {owner: _hits(matches, wished) for owner, matches in words.items()}
        result = scores({owner: sum(hit.weight for hit in each) for owner, each in hits.items()})
        ranked = sorted(result.items(), key=lambda each: (-each[1], self._order.index(each[0])))
        return tuple(TypeScore(id=owner, score=score, words=hits[owner]) for owner, score in ranked)

    def _flags(self, normal: Normal, found: Mapping[str, list[Match]], denied: set[Match]) -> tuple[Flag, ...]:
        words = {"fury": [], **_by_owner(match for match in found.get("flag", ()) if match not in denied)}
        unless = found.get("unless", ())
        raised: dict[str, tuple[Hit, ...]] = {}
        for owner, matches in words.items():
            contexts = [each for each in unless if each.entry.owner == owner]
            hits = _hits([each for each in matches if not _near(normal.folded, each, contexts)])
            if owner == "fury":
                hits = (*hits, *_loud(normal))
            if sum(hit.weight for hit in hits) >= _RAISED:
                raised[owner] = hits
        return tuple(Flag(id=owner, words=raised[owner]) for owner in self._flag_order if owner in raised)

    def _kind(
        self,
        normal: Normal,
        found: Mapping[str, list[Match]],
        denied: set[Match],
        types: Sequence[TypeScore],
        flags: Sequence[Flag],
    ) -> Kind:
        complaining = any(match not in denied for match in found.get("complaint", ()))
        if types or complaining or any(flag.id != "human" for flag in flags):
            evidence = max((sum(hit.weight for hit in each.words) for each in types), default=0.0)
            asks = "question" in found and not complaining and not flags and evidence <= _ASIDE
            return "question" if asks and not _negative(found) else "complaint"
        if (talk := answers.small_talk(normal.written)) is not None:
            return talk
        return "question" if "question" in found else "other"


def _by_owner(matches: Iterable[Match]) -> dict[str, list[Match]]:
    """Return the matches of each owner, the longer of two that overlap winning."""
    owners: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        owners[match.entry.owner].append(match)
    return {owner: longest(each) if len(each) > 1 else each for owner, each in owners.items()}


def _hits(matches: Iterable[Match], wished: Sequence[Slot] = ()) -> tuple[Hit, ...]:
    """Return one hit for each different word: saying it ten times does not make it ten reasons."""
    first: dict[str, Hit] = {}
    for match in matches:
        asked = any(slot.start < match.end and match.start < slot.end for slot in wished)
        weight = match.entry.weight * (_REMEDY_SHARE if asked else 1)
        known = first.get(match.entry.word)
        if known is None or known.weight < weight:
            first[match.entry.word] = Hit(word=match.entry.word, start=match.start, end=match.end, weight=weight)
    return tuple(sorted(first.values(), key=lambda hit: hit.start))


def _near(folded: str, match: Match, contexts: Sequence[Match]) -> bool:
    """Tell whether a word lies inside one of the contexts, overlaps it, or stands next to it in the same clause."""
    ends = lexicon.load().characters.ends
    for each in contexts:
        gap = folded[min(match.end, each.end) : max(match.start, each.start)]
        if len(gap) <= _NEAR and not any(character in ends for character in gap):
            return True
    return False


def _negative(found: Mapping[str, list[Match]]) -> bool:
    """Tell whether anything in the text is said to be wrong or missing."""
    pseudo = found.get("pseudo", ())
    return any(
        not any(each.start <= match.start and match.end <= each.end for each in pseudo)
        for match in found.get("negative", ())
    )


_MARKS = re.compile(r"!{3,}")
_LETTERS = re.compile(r"[A-Za-z]")
_CAPITALS = re.compile(r"[A-Z]")


def _loud(normal: Normal) -> Iterator[Hit]:
    """Find what shouts without words: runs of exclamation marks, and Latin text in capitals."""
    flags = lexicon.load().flags
    run = max(_MARKS.finditer(normal.plain), key=lambda each: each.end() - each.start(), default=None)
    if run is not None:
        weight = max(weight for marks, weight in flags.insistence if marks <= run.end() - run.start())
        yield Hit(word="!!!", start=run.start(), end=run.end(), weight=weight)
    shouting = flags.shouting
    letters = len(_LETTERS.findall(normal.plain)) if normal.plain.isascii() else 0
    if letters >= shouting.letters and len(_CAPITALS.findall(normal.plain)) >= shouting.share * letters:
        yield Hit(word="ABC", start=0, end=len(normal.written), weight=shouting.weight)


def _entries(taxonomy: Taxonomy) -> Iterator[Entry]:
    """List every word the reader looks for: the company's own, then those of the lexicon."""
    for kind in taxonomy.types:
        for keyword in kind.keywords:
            yield Entry(role="type", owner=kind.id, word=keyword.word, weight=keyword.weight)
    for flag in taxonomy.flags:
        for keyword in flag.keywords:
            yield Entry(role="flag", owner=flag.id, word=keyword.word, weight=keyword.weight)
        yield from (Entry(role="unless", owner=flag.id, word=word) for word in flag.unless)
    yield from _flag_entries()
    pages = lexicon.load()
    for role in ("deny", "absent", "refuse", "after", "pseudo", "negative"):
        yield from (Entry(role=role, owner=role, word=word) for word in getattr(pages.negations, role))
    yield from (Entry(role="complaint", owner="", word=word) for word in pages.small_talk.complaints)
    yield from (Entry(role="question", owner="", word=word) for word in pages.small_talk.questions)
    yield from cue_entries()


def _flag_entries() -> Iterator[Entry]:
    flags = lexicon.load().flags
    for weight, words in ((1.0, flags.fury.strong), (_MILD, flags.fury.mild)):
        yield from (Entry(role="flag", owner="fury", word=word, weight=weight) for word in words)
    for pattern in flags.human.words:
        yield from (Entry(role="flag", owner="human", word=word) for word in _written_out(pattern, flags.parts))
    yield from (Entry(role="unless", owner="fury", word=word) for word in flags.fury.unless)
    yield from (Entry(role="unless", owner="human", word=word) for word in flags.human.unless)


def _written_out(pattern: str, parts: Mapping[str, list[str]]) -> Iterator[str]:
    """Return every word that a pattern like `{call}{boss}` stands for."""
    names = re.findall(r"\{(\w+)\}", pattern)
    for chosen in product(*(parts[name] for name in names)):
        yield pattern.format_map(dict(zip(names, chosen, strict=True)))


def _version(taxonomy: Taxonomy) -> str:
    """Return a short digest of everything that decides a reading."""
    content = taxonomy.model_dump_json() + lexicon.load().model_dump_json()
    return hashlib.sha256(content.encode()).hexdigest()[:12]
