"""Learning from corrected cases: which words speak for which type. The only place where jieba is used."""

import logging
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from complaints.clauses.taxonomy import Taxonomy
from nlp.normalize import normalize

#: Shorter words decide nothing, in characters: Chinese ones, Latin ones.
_LEAST = 2
_LEAST_LATIN = 3

_Cut = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A word that corrected cases propose as a keyword of a type.

    `score` is chi² of word and type over the cases; `inside` and `outside` count the cases of the type, and of all
    others, that hold the word.
    """

    type: str
    word: str
    score: float
    inside: int
    outside: int

    @property
    def precision(self) -> float:
        """The share of the cases with the word that have the type."""
        return self.inside / (self.inside + self.outside)


class Segmenter:
    """Cuts Chinese into words with one jieba tokenizer of its own, which knows the company's keywords too.

    jieba takes most of a second to load; so it loads at first use, or in the background after `preload`.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        """Remember the words to add to the dictionary; nothing is loaded yet."""
        self._words = tuple(words)
        self._lock = threading.Lock()
        self._cut: _Cut | None = None

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> "Segmenter":
        """Return a segmenter that knows the keywords of a company."""
        lists = [*(kind.keywords for kind in taxonomy.types), *(flag.keywords for flag in taxonomy.flags)]
        return cls(keyword.word for keywords in lists for keyword in keywords)

    def preload(self) -> threading.Thread:
        """Load the dictionary in the background; return the thread, for who wants to wait."""
        thread = threading.Thread(target=self._loaded, name="jieba", daemon=True)
        thread.start()
        return thread

    def cut(self, text: str) -> list[str]:
        """Return the words of a text, folded."""
        return list(self._loaded()(normalize(text).folded))

    def _loaded(self) -> _Cut:
        with self._lock:
            if self._cut is None:
                self._cut = _load(self._words)
            return self._cut


def _load(words: Iterable[str]) -> _Cut:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba's own escapes and its use of pkg_resources
        import jieba  # noqa: PLC0415 # 0.8 s and 70 MB, and only learning needs it
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # What `initialize` does, without its cache: that is a file of a guessable name in the shared temporary folder.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    for word in words:
        folded = normalize(word).folded
        if not folded.isascii():
            tokenizer.add_word(folded)
    cut: _Cut = tokenizer.cut
    return cut


def propose(
    cases: Iterable[tuple[str, str]],
    segmenter: Segmenter,
    *,
    known: Collection[str] = (),
    each: int = 10,
    least: int = 3,
) -> list[Proposal]:
    """Return the words that speak for a type in corrected cases, the strongest first, at most `each` per type.

    `cases` are pairs of a text and its corrected type. A word that is `known` already, stands in fewer than `least`
    cases of the type, or is commoner outside of it, is not proposed.
    """
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for text, kind in cases:
        words = {word for word in segmenter.cut(text) if _is_word(word)}
        sizes[kind] += 1
        inside[kind].update(words)
        everywhere.update(words)
    taken = {normalize(word).folded for word in known}
    total = sizes.total()
    found: list[Proposal] = []
    for kind, counts in inside.items():
        proposals = [
            Proposal(
                type=kind,
                word=word,
                score=_chi2(count, everywhere[word] - count, sizes[kind], total),
                inside=count,
                outside=everywhere[word] - count,
            )
            for word, count in counts.items()
            if count >= least and word not in taken and count * total > everywhere[word] * sizes[kind]
        ]
        proposals.sort(key=lambda proposal: (-proposal.score, proposal.word))
        found += proposals[:each]
    return sorted(found, key=lambda proposal: (-proposal.score, proposal.type, proposal.word))


def _is_word(word: str) -> bool:
    least = _LEAST_LATIN if word.isascii() else _LEAST
    return len(word) >= least and word.isalpha()


def _chi2(inside: int, outside: int, size: int, total: int) -> float:
    """Return chi² of the table word/no word by type/other types, 0 where a row or a column is empty."""
    without, others = size - inside, total - size - outside
    margins = (inside + outside) * (without + others) * size * (total - size)
    if not margins:
        return 0.0
    return float(total * (inside * others - outside * without) ** 2 / margins)
