"""Remembering: one database, SQLite or PostgreSQL, behind units of work, trays and a ledger.

`Store` is the way in; `storage.migrations.migrate` makes the tables. Nothing here knows a use case or a channel.
"""

from storage.engines import Again
from storage.files import SealedFile
from storage.journal import Break, Report
from storage.ledger import DeadHear, DeadLetter, Head, SqlLedger, Trays
from storage.outbox import Pace, Settled
from storage.sealing import KeyRing, Unreadable
from storage.store import Store
from storage.unit import Loaded, Unit, Want

__all__ = [
    "Again",
    "Break",
    "DeadHear",
    "DeadLetter",
    "Head",
    "KeyRing",
    "Loaded",
    "Pace",
    "Report",
    "SealedFile",
    "Settled",
    "SqlLedger",
    "Store",
    "Trays",
    "Unit",
    "Unreadable",
    "Want",
]
