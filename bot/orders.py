"""The company's orders in a CSV file: read at the start, and again whenever the file changes."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import structlog

from complaints.errors import Misconfigured
from complaints.ports import Order
from nlp import answers

log = structlog.get_logger("bot.orders")

#: The columns that mean something to the desk; others are shown to the staff as they are.
COLUMNS: Final = (
    "order_no", "organisation", "product", "model", "amount", "region", "vip", "account_manager", "contacts",
)  # fmt: skip
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_AMOUNT: Final = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_SHOWN: Final = 50


class OrderFile:
    """Orders from a CSV file with a line of column names; `columns` are the company's names for ours.

    UTF-8 (with a byte order mark or without), UTF-16 and GBK are read, with commas, semicolons or tabs. Several
    contacts stand in one field, parted by semicolons. A file with mistakes is not taken: at the start Misconfigured
    names every line, later the log does and what was read before still counts.
    """

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._columns = {column: ours for ours, column in (columns or {}).items()}
        self._seen: tuple[int, int] | None = self._stamp()
        self._orders = self._read()

    def find(self, number: str) -> Order | None:
        """Return the order of this number, however it is spaced or spelt; None if there is none."""
        self._refresh()
        return self._orders.get(_key(number))

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._orders = self._read()
        except Misconfigured as error:
            log.warning("orders_not_taken", problems=list(error.problems))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _read(self) -> dict[str, Order]:
        try:
            text = _decoded(self._path.read_bytes())
        except OSError as error:
            raise Misconfigured(f"ORDERS: {self._path}: {error.strerror}. It is a CSV file of orders.") from error
        except UnicodeDecodeError:
            raise Misconfigured(f"ORDERS: {self._path}: neither UTF-8 nor GBK. Save it as CSV UTF-8.") from None
        orders: dict[str, Order] = {}
        problems: list[str] = []
        try:
            for line, row in self._rows(text):
                found = list(_wrong(row, orders))
                problems += [f"ORDERS: {self._path.name}, line {line}, {each}" for each in found]
                if not found:
                    orders[_key(row["order_no"])] = _order(row)
        except csv.Error as error:
            problems.append(f"ORDERS: {self._path.name}: {error}. Save it as CSV UTF-8 once more.")
        if problems:
            more = [f"… and {len(problems) - _SHOWN} more."] if len(problems) > _SHOWN else []
            raise Misconfigured(*problems[:_SHOWN], *more)
        return orders

    def _rows(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each line of the file that is not empty: its number, and its values by our names of the columns."""
        head = text.partition("\n")[0]
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
        names = [self._columns.get(each.strip(), each.strip()) for each in next(lines, [])]
        if "order_no" not in names:
            shown = ", ".join(filter(None, names)) or "nothing"
            cure = "Name the column order_no, or say its name: PLAINT_ORDERS_COLUMNS=order_no=NAME."
            raise Misconfigured(f"ORDERS: {self._path.name}, line 1: no column order_no; there is {shown}. {cure}")
        if len(set(filter(None, names))) < len([each for each in names if each]):
            raise Misconfigured(f"ORDERS: {self._path.name}, line 1: two columns have the same name. Rename one.")
        for values in lines:
            if any(each.strip() for each in values):
                row = dict(zip(names, (each.strip() for each in values), strict=False))
                row["\0"] = "" if len(values) <= len(names) else "more"
                yield lines.line_num, row


def _decoded(content: bytes) -> str:
    if content.startswith(_UTF16):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _key(number: str) -> str:
    """Return a number as it is compared: letters and digits alone, in one spelling."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", number).casefold()))


def _wrong(row: Mapping[str, str], known: Mapping[str, Order]) -> Iterator[str]:
    """Yield what is wrong with a line: the column, and the cure. Values stay out of it: they are customers' own."""
    number = _key(row["order_no"]) if row.get("order_no") else ""
    if row["\0"]:
        yield "has more fields than the first line has names. Put quotes around a field that holds a comma."
    if not number:
        yield "column order_no: empty. Write the number of the order."
    elif number in known:
        yield "column order_no: this number stands in an earlier line too. Keep one of them."
    if row.get("amount") and not _AMOUNT.fullmatch(_plain(row["amount"])):
        yield "column amount: no number. Write it like 32000 or 32000.50, without a currency."
    if _truth(row.get("vip", "")) is None:
        yield "column vip: neither yes nor no. Write yes, or leave it empty."


def _plain(amount: str) -> str:
    return amount.replace(",", "")


def _truth(said: str) -> bool | None:
    """Return what a yes or no says, in any of our languages or as a number; None for what is neither."""
    if said in ("", "0", "1"):
        return said == "1"
    return {"yes": True, "no": False}.get(answers.intent(said) or "")


def _order(row: Mapping[str, str]) -> Order:
    return Order(
        number=row["order_no"],
        organisation=row.get("organisation", ""),
        product=row.get("product", ""),
        model=row.get("model", ""),
        amount=Decimal(_plain(row["amount"])) if row.get("amount") else None,
        region=row.get("region", ""),
        vip=bool(_truth(row.get("vip", ""))),
        manager=row.get("account_manager", ""),
        contacts=tuple(each.strip() for each in re.split(r"[;\uff1b]", row.get("contacts", "")) if each.strip()),
        more={name: value for name, value in row.items() if name and name != "\0" and name not in COLUMNS},
    )
