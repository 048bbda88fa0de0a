"""The spool: what was acknowledged is on disk, sealed, until it was served, and nothing is ever dropped silently."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.errors import Misconfigured
from complaints.messages import Address, Attachment, Credit, IncomingMessage
from storage import KeyRing, Store
from storage.spool import Spool, SpoolCount

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def message(number: int = 1, text: str = "灯坏了", **more: Any) -> IncomingMessage:
    sent_at = AT + timedelta(seconds=number)
    here = Address(channel="wechat", chat="o-wang")
    return IncomingMessage(
        key=f"wechat:{number}", kind="text", address=here, sender="o-wang", sent_at=sent_at, text=text, **more
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool"


@pytest.fixture
def spool(sqlite_url: str, open_store: Callable[..., Store], folder: Path) -> Spool:
    return open_store(sqlite_url).spool(folder)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_message_comes_back_as_it_was_said_until_it_is_dropped(spool: Spool) -> None:
    said = message(
        attachments=(Attachment(kind="photo", ref="r", size=3),), credits=(Credit(name="replies", count=5, seconds=9),)
    )
    assert spool.take() == ([], [])
    assert spool.count() == SpoolCount(waiting=0, aside=0)

    spool.put(said)

    assert spool.count() == SpoolCount(waiting=1, aside=0)
    assert spool.take() == ([said], [])
    assert spool.take() == ([said], []), "reading takes nothing away"
    spool.drop([said, message(2)])
    assert spool.take() == ([], [])


def test_messages_come_in_the_order_they_were_said(spool: Spool) -> None:
    for number in (5, 2, 9, 1):
        spool.put(message(number))
    at_once = [replace(message(7, f"{number}"), key=f"wechat:at once {number}") for number in range(8)]
    for each in at_once:
        spool.put(each)
        time.sleep(0.005)  # a file's time is as fine as the system's ticks

    expected = [message(1), message(2), message(5), *at_once, message(9)]
    assert spool.take() == (expected, [])


def test_a_message_that_comes_again_lies_there_once(spool: Spool, folder: Path) -> None:
    spool.put(message())
    before = files(folder)
    spool.put(message())

    assert files(folder) == before
    assert len(before) == 1


def test_neither_key_nor_words_can_be_read_and_nobody_else_may_look(spool: Spool, folder: Path) -> None:
    spool.put(message(4711))

    [path] = folder.iterdir()
    assert "4711" not in path.name
    content = path.read_bytes()
    assert not [words for words in ("4711", "灯坏了", "o-wang") if words.encode() in content]
    assert path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_message_is_on_disk_before_it_has_its_name_and_its_name_before_anybody_is_told(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put(message(1))  # the folder is there
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append("folder" if os.path.samestat(os.fstat(handle), folder.stat()) else "file")
        fsync(handle)

    def named(self: Path, target: Path) -> Path:
        done.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    spool.put(message(2))

    assert done == ["file", "name", "folder"]


def test_a_new_folder_is_on_disk_too(spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    fsync = os.fsync

    def remembered(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", remembered)
    spool.put(message())

    assert {folder, folder.parent, folder.parent.parent} <= set(synced)


def test_a_full_disk_is_told_and_leaves_nothing_half_written(spool: Spool, folder: Path) -> None:
    spool.put(message(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        for number in (1, 2):
            with pytest.raises(OSError, match="too large"):
                spool.put(message(number))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert len(files(folder)) == 1
    assert spool.take() == ([message(1)], [])


def test_what_a_kill_left_half_written_was_promised_to_nobody_and_goes(spool: Spool, folder: Path) -> None:
    spool.put(message())
    (folder / "tmpabc.part").write_bytes(b"\x01half")

    assert spool.take() == ([message()], [])
    assert len(files(folder)) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.data())
def test_a_damaged_file_is_kept_aside_and_told_at_every_start(
    spool: Spool, folder: Path, damage: st.DataObject
) -> None:
    spool.put(message(1))
    [path] = folder.iterdir()
    good = path.read_bytes()
    place = damage.draw(st.integers(0, len(good) - 1))
    bad = damage.draw(st.sampled_from([good[:place], good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]]))
    path.write_bytes(bad)
    spool.put(message(2))

    messages, aside = spool.take()
    assert messages == [message(2)], "one damaged file stops nobody else"
    assert len(aside) == 1
    assert spool.count() == SpoolCount(waiting=1, aside=1)
    assert (folder / aside[0]).read_bytes() == bad
    assert spool.take() == ([message(2)], aside)

    spool.put(message(1))
    assert spool.take() == ([message(1), message(2)], aside), "the same message may come again meanwhile"
    spool.drop([message(1), message(2)])
    (folder / aside[0]).unlink()
    assert files(folder) == []


def test_a_file_does_not_open_under_another_name(spool: Spool, folder: Path) -> None:
    spool.put(message(1))
    [path] = folder.iterdir()
    path.rename(folder / f"{'0' * 64}.sealed")

    assert spool.take()[0] == []
    assert spool.count() == SpoolCount(waiting=0, aside=1)


def test_a_message_of_another_desk_is_kept_until_its_own_desk_comes(
    spool: Spool, folder: Path, sqlite_template: Path, tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    other = tmp_path / "other.sqlite3"
    other.write_bytes(sqlite_template.read_bytes())
    foreign = open_store(f"sqlite:///{other}", ring=KeyRing.generate()).spool(folder)
    spool.put(message())

    assert foreign.take()[0] == []
    assert spool.count() == SpoolCount(waiting=0, aside=1)
    assert spool.take() == ([message()], [])
    assert spool.count() == SpoolCount(waiting=1, aside=0)
    spool.drop([message()])
    assert files(folder) == []


def test_a_folder_that_cannot_be_used_is_said_plainly(spool: Spool, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("in the way")

    for act in (spool.take, spool.count):
        with pytest.raises(Misconfigured, match="DATA_DIR"):
            act()
    with pytest.raises(OSError):
        spool.put(message())


def test_another_process_that_starts_meanwhile_takes_nothing_half_written_away(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk, started = os.fsync, []

    def fsync(handle: int) -> None:
        if not started:
            started.append(handle)
            assert spool.take() == ([], [])  # as another process does when it starts
        on_disk(handle)

    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", fsync)
    spool.put(message())

    assert started
    assert spool.take() == ([message()], [])


def test_what_is_set_aside_waits_for_the_next_start(spool: Spool, folder: Path) -> None:
    spool.put(message())
    spool.set_aside(message())
    spool.set_aside(message())

    assert spool.count() == SpoolCount(waiting=0, aside=1)
    assert spool.take() == ([message()], [])
    assert spool.count() == SpoolCount(waiting=1, aside=0)
