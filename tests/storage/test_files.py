"""Sealed files: whole or not at all, and readable with the customer's key alone."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from complaints.conversation import EvidenceFile
from complaints.ports import Changes
from storage import Store, Unreadable, Want, files
from tests.storage.building import NOW, complain

KEY = b"k" * 32


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_file_comes_back_as_it_was_sealed(tmp_path: Path, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    path = tmp_path / "folder" / "file"

    sealed = files.seal(path, [content[:100], b"", content[100:]], key=KEY, name=7)

    assert sealed == files.SealedFile(sha256=hashlib.sha256(content).hexdigest(), size=size)
    assert b"".join(files.opened(path, key=KEY, name=7)) == content
    assert path.stat().st_mode & 0o077 == 0
    assert size < 100 or content[:50] not in path.read_bytes()


def test_a_changed_shortened_or_exchanged_file_does_not_open(tmp_path: Path) -> None:
    path, chunk = tmp_path / "file", 64 * 1024 + 16
    files.seal(path, [b"x" * 200_000], key=KEY, name=7)
    good = path.read_bytes()
    head, first, second = good[:35], good[35 : 35 + chunk], good[35 + chunk : 35 + 2 * chunk]
    rest = good[35 + 2 * chunk :]

    for bad in (
        good[:-1],
        good[: 35 + chunk],
        good[: 35 + 2 * chunk],
        good[:35],
        good[:3],
        b"",
        good + b"x",
        head + second + first + rest,
        head + first + first + rest,
        good[:100] + bytes([good[100] ^ 1]) + good[101:],
    ):
        path.write_bytes(bad)
        with pytest.raises(Unreadable):
            list(files.opened(path, key=KEY, name=7))
    path.write_bytes(good)
    for key, name in ((b"K" * 32, 7), (KEY, 8)):
        with pytest.raises(Unreadable):
            list(files.opened(path, key=key, name=name))


def test_a_broken_download_leaves_no_file(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        files.seal(tmp_path / "file", chunks(), key=KEY, name=7)

    assert list(tmp_path.iterdir()) == []


def test_a_customers_file_opens_until_the_customer_is_erased(
    url: str, open_store: Callable[..., Store], tmp_path: Path
) -> None:
    store = open_store(url)
    case, path = complain(store, "1"), tmp_path / "file"
    file = EvidenceFile(
        id=store.ids.next(), case_id=case.id, conversation_id=case.conversation_id, kind="photo", at=NOW
    )
    with store.unit(NOW) as unit:
        unit.load([Want(case_id=case.id)])
        unit.flush(Changes(evidence=[file]))
    store.seal_file(file.id, path, [b"content"])
    assert list(store.open_file(file.id, path)) == [b"content"]

    with store.unit(NOW) as unit:
        customer = unit.load([Want(case_id=case.id)]).customers[case.customer_id]
        customer.erased = True
        unit.flush(Changes(customers=[customer]))

    with pytest.raises(Unreadable):
        list(store.open_file(file.id, path))
    with pytest.raises(Unreadable):
        store.seal_file(file.id, path, [b"content"])
    with pytest.raises(Unreadable):
        list(store.open_file(1, path))
