"""Names of people: announced ("my name is"), or standing in a list of answers."""

import re

from nlp import lexicon
from nlp.draft import Draft
from nlp.matcher import Match, longest

_LATIN = r"[A-Z][A-Za-z'\-]{1,20}"
_FULL = re.compile(rf"{_LATIN}(?: {_LATIN}){{1,2}}")
_SOME = re.compile(rf"{_LATIN}(?: {_LATIN}){{0,2}}")
_LOWER = re.compile(r"[a-z][a-z'\-]{1,20}(?: [a-z][a-z'\-]{1,20})?(?=$|[,.;!?\n]| and )")
_GAP = re.compile(r"[\s:=]{0,3}")
#: A Chinese name has two or three characters, one more with a double surname.
_GIVEN = (1, 2)
#: So much of the text after an announcement is looked at, in characters.
_RUN = 8
#: A name stands at the front of a list of answers: among its first parts.
_FRONT = 2
#: Roles whose words are never part of a name.
_NOT_NAMES = ("type", "flag", "complaint", "remedy", "wish", "cue", "channel", "region", "question", "own")


class NameFinder:
    """Finds names; a common word that only looks like one is none."""

    def __init__(self) -> None:
        """Compile the patterns of Chinese names."""
        words = lexicon.load().names
        han = lexicon.load().characters.han
        self._han = re.compile(f"[{han}]{{1,{_RUN}}}")
        self._surnames = frozenset(words.surnames)
        self._common = frozenset(words.common)
        self._compound = frozenset(words.compound)
        self._titles = tuple(words.titles)
        self._stops = frozenset(words.stops)
        self._not_names = frozenset(words.not_names)
        self._english_stops = frozenset(words.english_stops)
        self._asserting = tuple(words.asserting)
        follows = "|".join(map(re.escape, words.follows))
        self._done = re.compile(rf"$|[,.;:!?)\n]|\s+(?:{follows})\b|\s*[-(]", re.IGNORECASE)

    def find_announced(self, draft: Draft) -> None:
        """Read the name after a word that announces one."""
        cues = [*draft.found.get("say", ()), *draft.found.get("be", ())]
        if not cues:
            return
        barriers = {match.start for role in _NOT_NAMES for match in draft.found.get(role, ())}
        for cue in longest(cues):
            gap = _GAP.match(draft.normal.plain, cue.end)
            start = gap.end() if gap else cue.end
            if cue.entry.word.isascii():
                self._latin(draft, cue, start)
            else:
                self._chinese(draft, cue, start, barriers)

    def find_listed(self, draft: Draft, *, alone: bool) -> None:
        """Read the part of a list of answers that looks like a name; `alone` when the text is that part only."""
        if any(slot.name == "name" for slot in draft.slots):
            return
        words = [match for role in _NOT_NAMES for match in draft.found.get(role, ())]
        for start, end in draft.parts[:_FRONT]:
            if not draft.free(start, end):
                continue
            part = draft.normal.plain[start:end]
            if any(match.start < end and start < match.end for match in words):
                continue
            if self._looks_chinese(draft.normal.folded[start:end]) or (
                _FULL.fullmatch(part) and not self._stopped(part)
            ):
                draft.take("name", part, start, end, 0.5 if alone else 0.8)
                return

    def _chinese(self, draft: Draft, cue: Match, start: int, barriers: set[int]) -> None:
        run = self._han.match(draft.normal.plain, start)
        asserts = cue.entry.role == "be" or cue.entry.word.endswith(self._asserting) or start > cue.end
        if run is None or not asserts:
            return
        folded = draft.normal.folded
        end = run.end()
        limit = next((at for at in range(start + 1, end) if folded[at] in self._stops or at in barriers), end)
        surname = self._surname(folded[start:limit], common=cue.entry.role == "be")
        if not surname:
            return
        rest = folded[start + len(surname) : limit]
        title = next((each for each in self._titles if rest.startswith(each)), "")
        if title:
            limit = start + len(surname) + len(title)
        elif cue.entry.role == "be" and len(rest) > _GIVEN[1]:
            return
        else:
            limit = min(limit, start + len(surname) + _GIVEN[1])
        if (
            folded[start:limit] in self._not_names
            or folded[start : start + 2] in self._not_names
            or not draft.free(start, limit)
        ):
            return
        alone = limit - start == len(surname)
        if alone and cue.entry.role != "be":
            return
        draft.take("name", draft.normal.plain[start:limit], start, limit, 0.5 if alone else 0.9)

    def _latin(self, draft: Draft, cue: Match, start: int) -> None:
        plain = draft.normal.plain
        asserts = cue.entry.word.endswith(self._asserting)
        if cue.entry.role == "say" and not asserts and ":" not in plain[cue.end : start]:
            return
        match = _SOME.match(plain, start)
        if match is None and cue.entry.role == "say":
            match = _LOWER.match(plain, start)
        if match is None or self._stopped(match.group()) or not draft.free(*match.span()):
            return
        several = " " in match.group()
        if match.group().isupper() and not several:
            return
        if cue.entry.role == "be" and (not self._done.match(plain, match.end()) or _needs_two(cue, several=several)):
            return
        value = match.group() if not match.group().islower() else match.group().title()
        draft.take("name", value, *match.span(), 0.9 if several or cue.entry.role == "say" else 0.6)

    def _surname(self, run: str, *, common: bool) -> str:
        if run[:2] in self._compound:
            return run[:2]
        return run[:1] if run[:1] in (self._common if common else self._surnames) else ""

    def _looks_chinese(self, part: str) -> bool:
        surname = self._surname(part, common=True)
        if not surname or not self._han.fullmatch(part) or part in self._not_names:
            return False
        given = part[len(surname) :]
        return given in self._titles or (
            _GIVEN[0] <= len(given) <= _GIVEN[1]
            and not self._stops.intersection(given)
            and part[:2] not in self._not_names
        )

    def _stopped(self, name: str) -> bool:
        words = name.lower().split()
        return any(word in self._english_stops for word in words)


def _needs_two(cue: Match, *, several: bool) -> bool:
    """Tell whether one word is too little for a name: "this is Max Hill", but "this is Urgent"."""
    return cue.entry.word.startswith("this") and not several
