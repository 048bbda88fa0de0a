"""Bare numbers that are sums because they reckon up with the sums of their text: 3999, now 3599, so 400 too much."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final

#: Among more numbers than these, some reckon up by chance.
_MOST: Final = 8
#: Round numbers below this are so common that they reckon up by chance.
_ROUND: Final = 100


def reckoned(known: Sequence[Decimal], bare: Sequence[tuple[Decimal, bool]], *, half: bool) -> Iterator[int]:
    """Yield the places of the bare numbers that follow from the known sums, or two of them from one.

    Each is told with whether it is called what is left over, as round ones must be to be taken.
    `half` tells that the text speaks of a half or of twice as much, so that one of two numbers may be that of the
    other; halves with cents need no word for it.
    """
    if not known or len(known) + len(bare) > _MOST:
        return
    found: set[int] = set()
    odd = [over or (worth % _ROUND != 0 and worth >= _ROUND) for worth, over in bare]
    for at, (worth, _) in enumerate(bare):
        follows = {abs(one - other) for one, other in combinations(known, 2)}
        follows |= {one + other for one, other in combinations(known, 2)} | {*known}
        halves = {each * 2 for each in known} | {each / 2 for each in known}
        if (worth in follows and odd[at]) or (worth in halves and (half or worth != int(worth))):
            found.add(at)
    for (one, (worth, _)), (other, (less, _)) in combinations(enumerate(bare), 2):
        pair = (abs(worth - less) in known and min(worth, less) >= _ROUND) or worth + less in known
        if pair and (odd[one] or odd[other]) and {one, other}.isdisjoint(found):
            found |= {one, other}
    yield from sorted(found)
