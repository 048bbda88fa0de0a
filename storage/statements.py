"""Statements that run thousands of times a second, compiled once per database.

SQLAlchemy builds the SQL from the tables in every case. What is saved is the work per row: turning a dictionary of
parameters into the driver's tuple costs it 15 microseconds for a row of twelve columns, four times what SQLite needs to
write it. Values must be what the drivers take as they are: int, str, bytes, bool, None.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, bindparam
from sqlalchemy import insert as plain_insert
from sqlalchemy import update as plain_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import BindParameter, Executable

Values = tuple[Any, ...]  # a row on its way to the driver
AnyRow = Row[*tuple[Any, ...]]  # what a row holds, `storage.rows` knows
AnySelect = Select[*tuple[Any, ...]]
Insert = sqlite.Insert | postgresql.Insert

_FORMAT: Final = {"sqlite": "qmark", "postgresql": "format"}


def _compiled(
    connection: Connection, statement: Executable, names: Sequence[str]
) -> tuple[str, Callable[[Values], Values] | None]:
    """Return the SQL, and what brings values in the order of `names` into the order of the statement, if need be."""
    make: Any = connection.dialect.__class__  # Any: the interface does not tell what the dialects take
    dialect = make(paramstyle=_FORMAT[connection.dialect.name])
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined] # it has
    constants = {name: compiled.params[name] for name in compiled.positiontup if name not in names}
    if None in constants.values():
        raise ValueError(f"no value for one of {list(constants)}")
    all_names = [*names, *constants]
    order = [all_names.index(name) for name in compiled.positiontup]
    if order == list(range(len(names))):
        return str(compiled), None
    pick, more = itemgetter(*order), tuple(constants.values())
    return str(compiled), lambda values: pick((*values, *more))


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
        sql, arrange = self._compiled.get(connection.dialect.name) or self._compile(connection)
        connection.exec_driver_sql(sql, rows if arrange is None else [arrange(row) for row in rows])

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Values], Values] | None]:
        dialect = connection.dialect.name
        statement = self._build(sqlite.insert if dialect == "sqlite" else postgresql.insert)
        self._compiled[dialect] = found = _compiled(connection, statement, self._names)
        return found


class Returning:
    """An INSERT of several rows in one statement that returns something of those it wrote.

    Compiled once, for one row; for more the row's group of values is repeated, 64 times at most. Compiling each number
    of rows took a tenth of a busy desk's time, and SQLAlchemy's own batching costs as much again as the insert.
    """

    __slots__ = ("_build", "_compiled", "_names")
    _MOST: Final = 64
    _ROW: Final = re.compile(r"(?<= VALUES )\([^()]*\)")

    def __init__(
        self, names: Sequence[str], build: Callable[[Callable[[Table], Any], list[dict[str, Any]]], Executable]
    ) -> None:
        self._names = tuple(names)
        self._build = build
        self._compiled: dict[str, tuple[str, str, str]] = {}

    def run(self, connection: Connection, rows: list[Values]) -> list[AnyRow]:
        """Write the rows, tuples in the order of `names`, and return what the statement returns."""
        found: list[AnyRow] = []
        for start in range(0, len(rows), self._MOST):
            portion = rows[start : start + self._MOST]
            head, row, tail = self._compiled.get(connection.dialect.name) or self._compile(connection)
            sql = f"{head}{', '.join([row] * len(portion))}{tail}"
            values = tuple(chain.from_iterable(portion))
            found += connection.exec_driver_sql(sql, values).fetchall()
        return found

    def _compile(self, connection: Connection) -> tuple[str, str, str]:
        dialect = connection.dialect.name
        values: list[dict[str, Any]] = [{name: bindparam(f"{name}_0") for name in self._names}]
        statement = self._build(sqlite.insert if dialect == "sqlite" else postgresql.insert, values)
        sql, arrange = _compiled(connection, statement, [f"{name}_0" for name in self._names])
        row = self._ROW.search(sql)
        if arrange is not None or row is None or len(self._ROW.findall(sql)) != 1:
            raise ValueError("the names must come in the order of the table's columns, in one group of values")
        self._compiled[dialect] = found = sql[: row.start()], row[0], sql[row.end() :]
        return found


def insert_into(table: Table) -> Write:
    """Return the INSERT of whole rows."""
    return Write(table.c.keys(), lambda _: plain_insert(table))


def update_by_id(table: Table, *names: str) -> Write:
    """Return the UPDATE of these columns of one row; the row's id comes last."""
    values: dict[Any, BindParameter[Any]] = {table.c[name]: bindparam(name) for name in names}
    return Write(
        (*names, "row_id"), lambda _: plain_update(table).where(table.c.id == bindparam("row_id")).values(values)
    )


class Many:
    """A SELECT over lists of values, e.g. the ids of a batch; rows come as the driver gives them (SQLite has no bool).

    Each list is padded to the next power of two by repeating its last value, so that a few statements serve all
    lengths. SQLAlchemy's own expanding lists and typed results cost three times as much per batch of 20, and PostgreSQL
    would plan every length anew. `build` gets the lists as bound parameters, then `others` in the order of their names.
    """

    __slots__ = ("_build", "_compiled", "_others")

    def __init__(self, build: Callable[..., AnySelect], *others: str) -> None:
        self._build = build
        self._others = others
        self._compiled: dict[tuple[Any, ...], tuple[str, Callable[[Values], Values] | None]] = {}

    def rows(self, connection: Connection, *lists: Sequence[Any], **others: object) -> Sequence[AnyRow]:
        """Return the rows for these lists, none of which may be empty. `others` are the statement's other values."""
        values: list[Any] = []
        shape: list[Any] = [connection.dialect.name]
        for each in lists:
            size = 1 << (len(each) - 1).bit_length()
            shape.append(size)
            values += each
            values += [each[-1]] * (size - len(each))
        values += [others[name] for name in self._others]
        key = tuple(shape)
        sql, arrange = self._compiled.get(key) or self._compile(connection, key)
        arranged = tuple(values) if arrange is None else arrange(tuple(values))
        return connection.exec_driver_sql(sql, arranged).fetchall()

    def _compile(self, connection: Connection, key: tuple[Any, ...]) -> tuple[str, Callable[[Values], Values] | None]:
        lists = [[f"list{place}_{n}" for n in range(size)] for place, size in enumerate(key[1:])]
        names = [*chain.from_iterable(lists), *self._others]
        statement = self._build(*([bindparam(name) for name in each] for each in lists))
        self._compiled[key] = found = _compiled(connection, statement, names)
        return found


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
