"""The purse over the database: what platforms that count still let us send, one truth for all processes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from complaints.messages import Address
from storage import Store


class StorePurse:
    """Spends credits in the database; a `Purse` of `bot.channel`.

    Where the database is away it raises `Unavailable` and does not say "no credit": that would park a letter which may
    well be sent. The postman tries again later, at no cost to the letter.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Take the database, and the desk's clock: credits were granted by it."""
        self._store = store
        self._clock = clock

    async def spend(self, address: Address, names: Sequence[str], *, keep: int = 0) -> bool:
        """Take one from each of these counters that still holds; False if none has more than `keep` left."""
        return await asyncio.to_thread(self._store.spend, address, names, self._clock(), keep)

    async def close(self, address: Address, names: Sequence[str]) -> None:
        """Set these counters to nothing: the platform knows better than we do."""
        await asyncio.to_thread(self._store.close_credits, address, names)
