"""Statements that run thousands of times a second, compiled once per database.

SQLAlchemy builds the SQL from the tables in every case. What is saved is the work per row: turning a dictionary of
parameters into the driver's tuple costs it 15 microseconds for a row of twelve columns, four times what SQLite needs to
write it. Values must be what the drivers take as they are: int, str, bytes, bool, None.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, bindparam
from sqlalchemy import insert as plain_insert
from sqlalchemy import update as plain_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import BindParameter, Executable

Values = tuple[Any, ...]  # a row on its way to the driver
Insert = sqlite.Insert | postgresql.Insert

_FORMAT: Final = {"sqlite": "qmark", "postgresql": "format"}


class Write:
    """An INSERT, UPDATE or DELETE that takes rows as tuples, in the order of `names`.

    `build` gets the dialect's own `insert`, which knows ON CONFLICT.
    """

    __slots__ = ("_build", "_compiled", "_names")

    def __init__(self, names: Sequence[str], build: Callable[[Callable[[Table], Insert]], Executable]) -> None:
        self._names = tuple(names)
        self._build = build
        self._compiled: dict[str, tuple[str, Callable[[Values], Values] | None]] = {}

    def run(self, connection: Connection, rows: list[Values]) -> None:
        """Write all rows with the driver's executemany."""
        if not rows:
            return
        dialect = connection.dialect
        sql, arrange = self._compiled.get(dialect.name) or self._compile(connection)
        connection.exec_driver_sql(sql, rows if arrange is None else [arrange(row) for row in rows])

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Values], Values] | None]:
        dialect = connection.dialect
        own = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        compiled: Any = self._build(own).compile(  # Any: SQLCompiler, which the stubs do not promise here
            dialect=dialect.__class__(paramstyle=_FORMAT[dialect.name]), column_keys=list(self._names)
        )
        order = [self._names.index(name) for name in compiled.positiontup]
        arrange = None if order == list(range(len(self._names))) else itemgetter(*order)
        self._compiled[dialect.name] = str(compiled), arrange
        return self._compiled[dialect.name]


def insert_into(table: Table) -> Write:
    """Return the INSERT of whole rows."""
    return Write(table.c.keys(), lambda _: plain_insert(table))


def update_by_id(table: Table, *names: str) -> Write:
    """Return the UPDATE of these columns of one row; the row's id comes last."""
    values = {table.c[name]: bindparam(name) for name in names}
    return Write(
        (*names, "row_id"), lambda _: plain_update(table).where(table.c.id == bindparam("row_id")).values(values)
    )


class Many:
    """A SELECT over lists of values, e.g. the ids of a batch.

    Each list is padded to the next power of two by repeating its last value, so that a few statements serve all lengths:
    SQLAlchemy's own expanding lists cost twice as much per call, and PostgreSQL would plan every length anew.
    """

    __slots__ = ("_build", "_statements")

    def __init__(self, build: Callable[..., Select[Any]]) -> None:
        self._build = build
        self._statements: dict[tuple[int, ...], tuple[Select[Any], tuple[tuple[str, ...], ...]]] = {}

    def rows(self, connection: Connection, *lists: Sequence[Any], **others: object) -> Sequence[Row[Any]]:
        """Return the rows for these lists, none of which may be empty. `others` are the statement's other values."""
        sizes = tuple(1 << (len(each) - 1).bit_length() for each in lists)
        known = self._statements.get(sizes)
        if known is None:
            names = tuple(tuple(f"l{place}_{n}" for n in range(size)) for place, size in enumerate(sizes))
            binds: list[list[BindParameter[Any]]] = [[bindparam(name) for name in each] for each in names]
            known = self._statements[sizes] = self._build(*binds), names
        statement, names = known
        for each_names, each, size in zip(names, lists, sizes, strict=True):
            others.update(zip(each_names, [*each, *[each[-1]] * (size - len(each))], strict=True))
        return connection.execute(statement, others).fetchall()


class Upsert:
    """INSERT … ON CONFLICT, which SQLAlchemy spells per database. `build` gets the dialect's `insert`.

    Any: the two classes have the same methods and no common ancestor that has them.
    """

    __slots__ = ("_by_dialect",)

    def __init__(self, build: Callable[[Callable[[Table], Any]], Any]) -> None:
        self._by_dialect = {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}

    def on(self, connection: Connection) -> Any:
        """Return the statement for this connection's database."""
        return self._by_dialect[connection.dialect.name]
