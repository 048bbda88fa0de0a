"""Learning a table of weights from labelled texts: jieba cuts them, chi² chooses the words, a linear model weighs them.

scikit-learn does the arithmetic and is only needed here: `pip install plaint[learn]`. What is learned is a table that
people can read and edit (`complaints.weights.Weights`), and the reader sums it up by itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from complaints.clauses.taxonomy import Taxonomy
from complaints.weights import Weights, Word
from nlp import lexicon
from nlp.matcher import Finder
from nlp.normalize import normalize
from nlp.segment import Segmenter

#: A word must stand in so many texts.
_LEAST: Final = 2
#: Words of up to so many pieces that jieba cuts are tried: "not", "not open", "will not open".
_PIECES: Final = 3
#: Beside what jieba cuts, every run of so many characters is tried: typos, dialect, names that no dictionary has.
_GRAM: Final = 3
#: So many of the best words are kept for each type; which, is tried out on texts that were not learned from. Where
#: several labels may be right, more are: a single phrase in a long story must be heard.
_EACH: Final = (300, 1000, 3000)
_EACH_SEVERAL: Final = (1000, 3000, 6000, 15000)
#: What margins may be stretched by, where one label is right.
_FACTORS: Final = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
#: A keyword that a person chose teaches less than a text that a customer wrote.
_KEYWORD: Final = 0.3
#: So many of the words that say most are written down, or so many for each type; more where several may be right.
_TABLE, _TABLE_EACH = 8000, 400
_TABLE_SEVERAL, _TABLE_EACH_SEVERAL = 6000, 1500
#: A weight below this, as a share of the largest of its word, is noise in the file; or below this at all.
_NOISE: Final = 0.15
_NOTHING: Final = 0.05
#: On so many parts what was learned from the others is tried out; more where several labels may be right, because where
#: each begins must not hang on how the texts were parted.
_FOLDS, _FOLDS_SEVERAL = 3, 5
#: A Latin word is cut to its stem from this length on.
_STEM: Final = 5
_STEM_LEAST: Final = 4
_LATIN: Final = re.compile(r"[a-z][a-z']*|\d+|[$!?]")
_ENDING: Final = re.compile(r"(?:ations?|ings?|ment|ions?|ed|es|er|ly|s)$")
_HAN: Final = re.compile(f"[{lexicon.load().characters.han}]+")
_WORD: Final = re.compile(r"\w[\w']*|[!?$]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text and what people say it is: one type, or any number of dangers. One of less `weight` teaches less.

    Of `doubtful` labels, on which two careful people may differ, it teaches nothing, where there may be several.
    """

    text: str
    labels: frozenset[str]
    doubtful: frozenset[str] = frozenset()
    weight: float = 1.0


def learn(
    examples: Sequence[Example],
    segmenter: Segmenter,
    *,
    known: Taxonomy | None = None,
    several: bool = False,
    beside: Sequence[Example] = (),
) -> Weights:
    """Return the weights that the examples teach. Takes seconds for thousands of texts.

    The keywords of `known` teach too, each as if it were a short text of its own. Texts `beside` say what words weigh
    and bring none: no name that somebody wrote there gets into the table. Of labels that exclude each other the
    one with the most evidence is right; of `several` that do not, each whose evidence is positive, and it is better to
    have one too many than to miss one.

    Raises:
        ValueError: there is nothing to tell apart, or no word stands in two texts.
        ModuleNotFoundError: scikit-learn is not installed.

    """
    labels = sorted({label for each in examples for label in each.labels})
    if len(labels) < (1 if several else 2):
        raise ValueError("all texts have the same label")
    said, others = ([replace(each, text=normalize(each.text).folded) for each in some] for some in (examples, beside))
    listed = [
        Example(text=normalize(keyword.word).folded, labels=frozenset({kind.id}), weight=_KEYWORD * keyword.weight)
        for kind in (known.types if known is not None else ())
        for keyword in kind.keywords
        if kind.id in labels
    ]
    counts = Counter(word for each in (*said, *listed) for word in candidates(each.text, segmenter))
    words = sorted(word for word, count in counts.items() if count >= _LEAST)
    if not words:
        raise ValueError("no word stands in two of the texts")
    return _fit(_Texts.of(words, labels, [*said, *others], listed, several=several).told_apart())


def candidates(folded: str, segmenter: Segmenter) -> set[str]:
    """Return the words, short phrases and runs of characters that a text could be known by."""
    found: set[str] = set()
    for run in _runs(folded, segmenter):
        for start in range(len(run)):
            for end in range(start + 1, min(start + _PIECES, len(run)) + 1):
                found.add(_joined(run[start:end]))
    for word in _LATIN.findall(folded):
        if len(word) >= _STEM:
            stem = _ENDING.sub("", word)
            found.add(f"{stem if len(stem) >= _STEM_LEAST else word}*")
    for written in _HAN.findall(folded):
        for size in range(1, _GRAM + 1):
            found.update(written[at : at + size] for at in range(len(written) - size + 1))
    return found


def _runs(folded: str, segmenter: Segmenter) -> Iterator[list[str]]:
    """Yield the pieces between punctuation marks."""
    pieces = _LATIN.findall(folded) if folded.isascii() else segmenter.cut(folded)
    run: list[str] = []
    for piece in map(str.strip, pieces):
        if _WORD.fullmatch(piece):
            run.append(piece)
        elif piece:
            yield run
            run = []
    yield run


def _joined(pieces: Sequence[str]) -> str:
    """Write the pieces as they stand in a text: with a space between Latin ones."""
    text = pieces[0]
    for piece in pieces[1:]:
        text += f" {piece}" if text[-1].isascii() and piece[0].isascii() else piece
    return text


def _plain(word: str) -> tuple[bool, bool, int, str]:
    """Return how well a word can be read: the least is best."""
    return word.endswith("*"), len(word) == 1, len(word), word


# Any: the arrays of numpy, and the models of scikit-learn
@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """Texts as the model sees them: which words each holds. The first `said` of them are what customers wrote."""

    words: Sequence[str]
    labels: Sequence[str]
    matrix: Any
    truth: Any
    trust: Any
    doubtful: Any
    said: int
    several: bool

    @classmethod
    def of(
        cls,
        words: Sequence[str],
        labels: Sequence[str],
        said: Sequence[Example],
        listed: Sequence[Example],
        *,
        several: bool,
    ) -> "_Texts":
        import numpy as np  # noqa: PLC0415 # half a second and 100 MB, and only learning needs them
        from scipy.sparse import csr_matrix  # noqa: PLC0415

        finder = Finder(words)
        texts = [*said, *listed]
        cells = [(row, place) for row, each in enumerate(texts) for place in sorted(finder.find(each.text)[0])]
        at = ([row for row, _ in cells], [place for _, place in cells])
        return cls(
            words=words,
            labels=labels,
            matrix=csr_matrix((np.ones(len(cells)), at), shape=(len(texts), len(words))),
            truth=np.array([[label in each.labels for label in labels] for each in texts]),
            trust=np.array([each.weight for each in texts]),
            doubtful=np.array([[several and label in each.doubtful for label in labels] for each in texts]),
            said=len(said),
            several=several,
        )

    def told_apart(self) -> "_Texts":
        """Leave one of the words that the same texts hold: the shortest that is a word, and no beginning of words."""
        by_texts: dict[bytes, int] = {}
        columns = self.matrix.tocsc()
        for place in sorted(range(len(self.words)), key=lambda each: _plain(self.words[each])):
            held = columns.indices[columns.indptr[place] : columns.indptr[place + 1]]
            by_texts.setdefault(held.tobytes(), place)
        kept = sorted(by_texts.values())
        return replace(self, words=[self.words[place] for place in kept], matrix=self.matrix[:, kept])

    def folds(self) -> list[tuple[Any, Any]]:
        """Return which texts to learn from and which to try it out on, several times over; keywords only teach."""
        import numpy as np  # noqa: PLC0415
        from sklearn.model_selection import KFold, StratifiedKFold  # noqa: PLC0415

        said = self.truth[: self.said]
        first = np.where(said.any(axis=1), said.argmax(axis=1), len(self.labels))
        parts = _FOLDS_SEVERAL if self.several else _FOLDS
        rare = min(Counter(first.tolist()).values()) < parts
        split = (KFold if rare else StratifiedKFold)(parts, shuffle=True, random_state=0)
        listed = np.arange(self.said, len(self.truth))
        return [(np.concatenate([train, listed]), test) for train, test in split.split(np.zeros(self.said), first)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """What was learned from some of the texts: the places of the words that count, their rarity, a line for each label.

    `seen` says how many of the texts that customers wrote hold each word.
    """

    places: Any
    seen: Any
    rare: Any
    lines: Any
    starts: Any

    @classmethod
    def of(cls, texts: _Texts, rows: Any, each: int) -> "_Model":
        """Weigh the best words of each label; then those that say most once more, as the table holds no others."""
        import numpy as np  # noqa: PLC0415
        from sklearn.feature_selection import chi2  # noqa: PLC0415

        matrix, truth, sure = texts.matrix[rows], texts.truth[rows], ~texts.doubtful[rows]
        scores = [np.nan_to_num(chi2(matrix[so], is_[so])[0]) for is_, so in zip(truth.T, sure.T, strict=True)]
        best = {int(place) for score in scores for place in np.argsort(-score, kind="stable")[:each] if score[place]}
        model = cls._weighed(texts, rows, np.array(sorted(best), dtype=int))
        table, table_each = (_TABLE_SEVERAL, _TABLE_EACH_SEVERAL) if texts.several else (_TABLE, _TABLE_EACH)
        most = max(table, table_each * len(texts.labels))
        if len(best) <= most:
            return model
        says = np.abs(model.lines).max(axis=0) * model.rare * np.sqrt(model.seen + 1)
        return cls._weighed(texts, rows, model.places[np.sort(np.argsort(-says, kind="stable")[:most])])

    @classmethod
    def _weighed(cls, texts: _Texts, rows: Any, places: Any) -> "_Model":
        import numpy as np  # noqa: PLC0415
        from sklearn.svm import LinearSVC  # noqa: PLC0415

        said = rows[rows < texts.said]
        seen = np.asarray(texts.matrix[said][:, places].sum(axis=0)).ravel()
        rare = 1 + np.log((1 + len(said)) / (1 + seen))
        ready, trust = _ready(texts, rows, places, rare), texts.trust[rows]
        models = [
            LinearSVC(random_state=0).fit(ready[so], is_[so], sample_weight=trust[so])
            for is_, so in zip(texts.truth[rows].T, ~texts.doubtful[rows].T, strict=True)
        ]
        return cls(
            places=places,
            seen=seen,
            rare=rare,
            lines=np.vstack([model.coef_[0] for model in models]),
            starts=np.array([model.intercept_[0] for model in models]),
        )

    def margins(self, texts: _Texts, rows: Any) -> Any:
        """Return how far on its own side of its line each text is for each label."""
        return _ready(texts, rows, self.places, self.rare) @ self.lines.T + self.starts


def _ready(texts: _Texts, rows: Any, places: Any, rare: Any) -> Any:
    """Return texts as the reader sees them: words by rarity, each text of length one."""
    from sklearn.preprocessing import normalize as to_length_one  # noqa: PLC0415

    return to_length_one(texts.matrix[rows][:, places].multiply(rare).tocsr())


def _fit(texts: _Texts) -> Weights:
    import numpy as np  # noqa: PLC0415

    tried = _tried(texts)
    model = _Model.of(texts, np.arange(len(texts.truth)), tried.each)
    lines, starts = model.lines * tried.factor[:, None], (model.starts + tried.shift) * tried.factor
    strength = np.abs(lines).max(axis=0)
    table: dict[str, Word] = {}
    for at, place in enumerate(model.places):
        enough = max(_NOISE * strength[at], _NOTHING)
        says = {label: round(float(line[at]), 2) for label, line in zip(texts.labels, lines, strict=True)}
        if says := {label: weight for label, weight in says.items() if abs(weight) >= enough}:
            table[texts.words[place]] = Word(texts=int(model.seen[at]), says=says)
    return Weights(
        texts=texts.said,
        start={label: round(float(start), 2) for label, start in zip(texts.labels, starts, strict=True)},
        words=table,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What reads best: how many words for each label, and for each what is added to margins and stretches them."""

    each: int
    shift: Any
    factor: Any


def _tried(texts: _Texts) -> _Tried:
    """Try out on texts that were not learned from how many words to take, and how to make evidence of margins.

    The evidence is right where the scores that come of it surprise least (log loss): then a score is the share of such
    readings that are right. Where several labels may be right, that of each begins where it is missed least.
    """
    import numpy as np  # noqa: PLC0415

    tried = _EACH_SEVERAL if texts.several else _EACH
    sizes = [each for each in tried if each < len(texts.words)] or [len(texts.words)]
    folds = texts.folds()
    truth, sure = (np.vstack([one[test] for _, test in folds]) for one in (texts.truth, ~texts.doubtful))
    best, size, margin, begins = -1.0, sizes[0], np.empty(0), list[tuple[float, float, float]]()
    for each in sizes:
        read = np.vstack([_Model.of(texts, train, each).margins(texts, test) for train, test in folds])
        found = []
        if texts.several:
            found = [_least_missed(one[so], is_[so]) for one, is_, so in zip(read.T, truth.T, sure.T, strict=True)]
            right = float(np.mean([f2 for f2, _, _ in found]))
        else:
            right = float((read.argmax(axis=1) == truth.argmax(axis=1)).mean())
        if right > best:
            best, size, margin, begins = right, each, read, found
    if texts.several:
        shift, factor = (np.array([each[at] for each in begins]) for at in (1, 2))
        return _Tried(each=size, shift=-shift, factor=factor)

    def surprise(factor: float) -> float:
        stretched = margin * factor
        highest = stretched.max(axis=1, keepdims=True)
        total = np.log(np.exp(stretched - highest).sum(axis=1)) + highest.ravel()
        return float((total - stretched[truth]).mean())

    labels = len(texts.labels)
    return _Tried(each=size, shift=np.zeros(labels), factor=np.full(labels, min(_FACTORS, key=surprise)))


def _least_missed(margin: Any, truth: Any) -> tuple[float, float, float]:
    """Return the best F2 of a label, a missed one weighing twice a false one, and what makes evidence of its margins.

    That is the margin from which it is so, and what log odds grow by with each of them. Both are read off the odds that
    a logistic curve gives to all margins (Platt's): the single best place among them would be chance.
    """
    import numpy as np  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    curve = LogisticRegression(C=1.0).fit(margin[:, None], truth)
    likely = np.sort(curve.predict_proba(margin[:, None])[:, 1])[::-1]
    f2 = 5 * likely.cumsum() / (4 * likely.sum() + np.arange(1, len(likely) + 1))
    best = int(f2.argmax())
    return float(f2[best]), float(np.sort(margin)[::-1][best]), max(float(curve.coef_[0, 0]), 0.0)
