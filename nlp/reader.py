"""The keyword reader: what a message says, and the words it says it with."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Self

from complaints.clauses.model import Clause
from complaints.clauses.taxonomy import Taxonomy
from complaints.ports import Option
from complaints.reading import Correction, Flag, Hit, Kind, Language, Reading, TypeScore
from complaints.weights import NOTHING_LEARNED, Learned, Weights
from nlp import answers, corrections, lexicon
from nlp.evidence import apart, by_owner, hits, near, written_out
from nlp.matcher import Entry, Finder, Match, Span
from nlp.negation import Negation
from nlp.normalize import Normal, language, normalize
from nlp.risks import TABLE as RISKS
from nlp.risks import Risks, only, risk_entries, with_beside
from nlp.scoring import scores
from nlp.slots import SlotFinder, cue_entries, mask
from nlp.table import Said, Tables, without
from nlp.wishes import Wishes
from nlp.zones import ZoneFinder

#: So many words of the learned table are told for the likeliest type.
_TOLD = 5
#: What a type scores at least, to be told where no keyword of it was said.
_LEAST = 0.01
#: The names of the tables of a company's types, and of how people talk.
_TYPES = "types"
_TALK = "talk"
#: The label of what was learned from texts that are complaints and texts that are none.
COMPLAINT = "complaint"
#: What speaks for a complaint beside what was learned of how people talk: keywords of types, by their weight, and words
#: of dissatisfaction, each up to so much; the most that was learned for one type; against it, a question.
_WORD, _DISSATISFIED, _TYPED, _ASKED = 0.3, 1.5, 0.3, -0.3
_MUCH = 2.0
#: With more evidence than this it is a complaint: of complaints some five in a hundred have less. With more than the
#: other it may be one: then types are read, too. All of these were fitted to texts that the tables had not seen.
_COMPLAINT = 0.3
_POSSIBLY = -1.6
#: The weight from which a flag is raised.
_RAISED = 1.0
_MILD = 0.5
#: A keyword of this weight names a type clearly.
_CLEAR = 1.0


class _Content(Clause):
    """The words of a company that a reader reads with."""

    taxonomy: Taxonomy
    learned: Learned


class KeywordReader:
    """Reads messages by the keywords of one company. Built once, shared by all threads, never changed.

    A type's evidence is the sum of the weights of its different words that the text does not take back; `nlp.scoring`
    turns evidence into scores. Words of the fallback type count only where no other type has any. A flag is raised when
    the weights of its different words reach 1, or when one of its risks is read (see `nlp.risks`); a word inside or
    next to an `unless` phrase of its flag means nothing.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        *,
        learned: Learned = NOTHING_LEARNED,
        default: Language = "zh-Hans",
        currency: str = "CNY",
        wishes: Wishes | None = None,
    ) -> None:
        """Build the automaton. `default` is the language of texts without letters, `currency` that of a bare sum.

        `wishes` find what a reply wants of an open form beside the known ones; they decide nothing of a reading.
        """
        self.fallback = taxonomy.fallback
        self._dangers = {each.id: each.risks for each in taxonomy.flags if each.risks}
        wanted = with_beside({risk for risks in self._dangers.values() for risk in risks})
        tables = {_TYPES: learned.types, _TALK: learned.talk, RISKS: only(learned.risks, wanted)}
        self._tables = Tables({name: weights for name, weights in tables.items() if weights is not None})
        self._default = default
        self._negation = Negation()
        self._slots = SlotFinder(taxonomy.slots, currency=currency, remedies=learned.remedies)
        self._order = {each.id: place for place, each in enumerate(taxonomy.types)}
        self._flag_order = [*(each.id for each in taxonomy.flags), "fury", "human"]
        self._risks = Risks(self._tables, wanted)
        self._zones = ZoneFinder()
        self._wishes = wishes
        self._finder = Finder(self._tables.words, [*_entries(taxonomy), *_added(learned.types)])
        self._content = _Content(taxonomy=taxonomy, learned=learned)
        self.version = _version(self._content)

    @cached_property
    def content(self) -> str:
        """The words of the company and all that was learned, as `of` takes them."""
        return self._content.model_dump_json(by_alias=True)

    @classmethod
    def of(cls, content: str) -> Self:
        """Return the reader with the words that an earlier one had as its `content`."""
        kept = _Content.model_validate_json(content)
        return cls(kept.taxonomy, learned=kept.learned)

    def read(
        self, text: str, *, hint: Language | None = None, at: datetime | None = None, slots: bool = True
    ) -> Reading:
        """Return everything a message says. Takes time linear in its length, of which 8,000 characters are read.

        `hint` is the language of the conversation so far, for a text whose characters leave it open. `at` is when it
        was said, by the clocks where it was said: without it no date is read that does not name its year. Who needs
        no `slots` gets the same types and flags sooner.
        """
        normal = normalize(text)
        words, found = self._finder.find(normal.folded)
        denied = self._negation.denied(normal.folded, found)
        spoken = language(normal, hint=hint, default=self._default)
        values = self._slots.find(normal, found, denied, language=spoken, at=at) if slots else ()
        said = self._tables.read(without(words, [(match.start, match.end) for match in denied]))
        flags = self._flags(normal, words, found, denied, said)
        evidence = self._complaint(found, denied, said)
        danger = any(flag.id != "human" for flag in flags)
        types = self._types(found, denied, said, learned=danger or evidence > _POSSIBLY)
        return Reading(
            language=spoken,
            kind="complaint" if danger or evidence > _COMPLAINT else _talk(normal, found),
            types=types,
            flags=flags,
            slots=values,
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
        named = {each.id for each in reading.types if any(hit.weight >= _CLEAR for hit in each.words)}
        named |= {each.value for each in reading.slots if each.name == "remedy"}
        return (named & ids).pop() if len(named & ids) == 1 else None

    def intent(self, text: str) -> str | None:
        """Return what a whole short message wants of the conversation: see `nlp.answers.intent`."""
        return answers.intent(text)

    def wish(self, text: str) -> str | None:
        """Return what a short reply, which is none of the known ones, wants of an open form: see `nlp.wishes`.

        Who speaks of a danger wants more than that.
        """
        wish = self._wishes.find(text) if self._wishes is not None else None
        if wish is None or any(flag.id in self._dangers for flag in self.read(text, slots=False).flags):
            return None
        return wish

    def consent(self, text: str) -> bool | None:
        """Tell whether an answer agrees or refuses: see `nlp.answers.consent`."""
        return answers.consent(text)

    def correction(self, text: str) -> Correction | None:
        """Return which earlier answer a message corrects, and how: see `nlp.corrections.correction`."""
        return corrections.correction(text)

    def about(self, text: str) -> frozenset[str]:
        """Return the slots that a few words name: see `nlp.corrections.about`."""
        return corrections.about(text)

    def announces(self, text: str) -> bool:
        """Tell whether a text ends in words that announce a value of the speaker's own: see `nlp.corrections`."""
        return corrections.announces(text)

    def zone(self, text: str, *, own: bool) -> str | None:
        """Return by which clocks a customer lives who gives this answer or says this: see `nlp.zones`."""
        return self._zones.find(text, own=own)

    def mask(self, text: str, reading: Reading) -> str:
        """Return the text with everything starred that tells who somebody is: see `nlp.slots.mask`."""
        return mask(text, reading)

    def _complaint(self, found: Mapping[str, list[Match]], denied: set[Match], said: Said) -> float:
        """Return what speaks for a complaint: words, and all that was learned of how people talk."""
        words = {each.entry.word: each.entry.weight for each in found.get("type", ()) if each not in denied}
        dissatisfied = {each.entry.word for each in found.get("complaint", ()) if each not in denied}
        types = [each for type_, each in said.evidence(_TYPES).items() if type_ != self.fallback]
        return (
            (said.evidence(_TALK).get(COMPLAINT, 0.0) if _TALK in self._tables else _COMPLAINT)
            + _WORD * min(sum(words.values()), _MUCH)
            + _DISSATISFIED * min(len(dissatisfied), _MUCH)
            + _TYPED * max(types, default=0.0)
            + (_ASKED if "question" in found else 0.0)
        )

    def _types(
        self, found: Mapping[str, list[Match]], denied: set[Match], said: Said, *, learned: bool
    ) -> tuple[TypeScore, ...]:
        words = by_owner(match for match in found.get("type", ()) if match not in denied)
        specific = words.keys() - {self.fallback}
        if specific:
            words.pop(self.fallback, None)
        remedies = found.get("remedy", ()) if len(specific) > 1 else ()
        wished = [match for match in remedies if match not in denied]
        named = {owner: hits(matches, wished) for owner, matches in words.items()}
        # What was learned tells complaints apart; of a text that is none it would say something, too.
        evidence = said.evidence(_TYPES) if words or learned or _TALK not in self._tables else {}
        result = scores({owner: sum(hit.weight for hit in each) for owner, each in named.items()}, evidence)
        order = self._order
        ranked = sorted(
            [(-score, order[type_], type_) for type_, score in result.items() if score >= _LEAST or type_ in named]
        )
        if ranked and (best := ranked[0][-1]) in evidence:
            words_named = named.get(best, ())
            named[best] = (*words_named, *said.told(_TYPES, best, _TOLD, beside=words_named))
        return tuple([TypeScore(id=type_, score=-score, words=named.get(type_, ())) for score, _, type_ in ranked])

    def _flags(
        self,
        normal: Normal,
        learned: dict[int, Span],
        found: Mapping[str, list[Match]],
        denied: set[Match],
        weighed: Said,
    ) -> tuple[Flag, ...]:
        words = by_owner(match for match in found.get("flag", ()) if match not in denied)
        likely = self._risks.read(normal.folded, learned, found, denied, weighed) if self._dangers else {}
        loud = tuple(_loud(normal))
        if not (words or likely or loud):
            return ()
        unless = found.get("unless", ())
        raised: list[Flag] = []
        for owner in self._flag_order:
            dangers = [likely[risk] for risk in self._dangers.get(owner, ()) if risk in likely] if likely else []
            if not dangers and owner not in words and not (loud and owner == "fury"):
                continue
            contexts = [each for each in unless if each.entry.owner == owner]
            said = hits([each for each in words.get(owner, ()) if not near(normal.folded, each, contexts)])
            if owner == "fury":
                said = (*said, *loud)
            enough = sum(hit.weight for hit in said) >= _RAISED
            for danger in dangers:
                named = [each for each in danger.matches if not near(normal.folded, each, contexts)]
                taken_back = danger.matches and not named
                if not taken_back and danger.evidence(named) > 0:
                    said, enough = (*said, *hits(named), *danger.told()), True
            if enough:
                raised.append(Flag(id=owner, words=apart(said)))
        return tuple(raised)


def _talk(normal: Normal, found: Mapping[str, list[Match]]) -> Kind:
    """Return what a text is that complains of nothing."""
    return answers.small_talk(normal.written) or ("question" if "question" in found else "other")


_MARKS = re.compile(r"!{3,}")
_LETTERS = re.compile(r"[A-Za-z]")
_CAPITALS = re.compile(r"[A-Z]")


def _loud(normal: Normal) -> Iterator[Hit]:
    """Find what shouts without words: runs of exclamation marks, and Latin text in capitals."""
    flags = lexicon.load().flags
    if "!!!" in normal.plain:
        run = max(_MARKS.finditer(normal.plain), key=lambda each: each.end() - each.start())
        weight = max(weight for marks, weight in flags.insistence if marks <= run.end() - run.start())
        yield Hit(word="!!!", start=run.start(), end=run.end(), weight=weight)
    if normal.plain.isascii():
        letters, capitals = len(_LETTERS.findall(normal.plain)), len(_CAPITALS.findall(normal.plain))
        if letters >= flags.shouting.letters and capitals >= flags.shouting.share * letters:
            yield Hit(word="ABC", start=0, end=len(normal.written), weight=flags.shouting.weight)


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
    if any(flag.risks for flag in taxonomy.flags):
        yield from risk_entries()
    pages = lexicon.load()
    for role in ("deny", "absent", "refuse", "after", "pseudo", "negative"):
        yield from (Entry(role=role, owner=role, word=word) for word in getattr(pages.negations, role))
    yield from (Entry(role="complaint", owner="", word=word) for word in pages.small_talk.complaints)
    yield from (Entry(role="question", owner="", word=word) for word in pages.small_talk.questions)
    yield from cue_entries()


def _added(weights: Weights | None) -> Iterator[Entry]:
    """List the keywords that people accepted."""
    for word, says in weights.added.items() if weights is not None else ():
        yield from (Entry(role="type", owner=type_, word=word, weight=weight) for type_, weight in says.items())


def _flag_entries() -> Iterator[Entry]:
    flags = lexicon.load().flags
    for weight, words in ((1.0, flags.fury.strong), (_MILD, flags.fury.mild)):
        yield from (Entry(role="flag", owner="fury", word=word, weight=weight) for word in words)
    for pattern in flags.human.words:
        yield from (Entry(role="flag", owner="human", word=word) for word in written_out(pattern, flags.parts))
    yield from (Entry(role="unless", owner="fury", word=word) for word in flags.fury.unless)
    yield from (Entry(role="unless", owner="human", word=word) for word in flags.human.unless)


def _version(content: _Content) -> str:
    """Return a short digest of everything that decides a reading."""
    learned = content.learned
    tables = (learned.types, learned.talk, learned.risks, learned.remedies)
    digests = [each.digest if each is not None else "" for each in tables]
    told = [content.taxonomy.model_dump_json(), *digests, _pages()]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


@cache
def _pages() -> str:
    return lexicon.load().model_dump_json()
