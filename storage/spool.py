"""The spool: messages that a platform was told OK for before they were served lie in a folder until they are.

One sealed file for each message, named by a keyed hash of its key and bound to that name. A file is there whole and on
disk, or not at all, so that neither a kill nor a power cut can take back what was acknowledged.
"""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from pydantic import TypeAdapter

from complaints.errors import Misconfigured
from complaints.messages import IncomingMessage
from storage.files import sync_folder
from storage.rows import place
from storage.sealing import Unreadable, Vault

_MESSAGE: Final = TypeAdapter(IncomingMessage)
_WAITING: Final = ".sealed"
_ASIDE: Final = ".aside"
_PART: Final = ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolCount:
    """How many files lie in a spool: those that wait to be served, and those kept aside because they do not open."""

    waiting: int
    aside: int


class Spool:
    """A folder of sealed messages. Safe to use from several threads, and from several processes."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        """Touch nothing yet: the folder is made for the first message."""
        self._folder = folder
        self._vault = vault

    def put(self, message: IncomingMessage) -> None:
        """Write a message down, once however often it comes: on disk when this returns.

        Raises OSError where the disk refuses; what lay there of the same message before lies there still.
        """
        _make(self._folder)
        name = self._name(message.key)
        sealed = self._vault.desk.seal(_MESSAGE.dump_json(message, exclude_defaults=True), _place(name))
        try:
            self._write(sealed, name)
        except FileNotFoundError:  # another process has just started, and took what was half written away
            self._write(sealed, name)
        sync_folder(self._folder)

    def _write(self, sealed: bytes, name: str) -> None:
        handle, written = tempfile.mkstemp(suffix=_PART, dir=self._folder)  # for the owner's eyes only
        part = Path(written)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._folder / f"{name}{_WAITING}")
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def drop(self, messages: Iterable[IncomingMessage]) -> None:
        """Take away messages that were served. Raises OSError.

        A power cut may bring one back: then it is handed in again, and its key tells that it was served.
        """
        for message in messages:
            (self._folder / f"{self._name(message.key)}{_WAITING}").unlink(missing_ok=True)

    def set_aside(self, message: IncomingMessage) -> None:
        """Keep a message aside that cannot be served: the next start tries it again. Raises OSError."""
        name = self._name(message.key)
        with suppress(FileNotFoundError):  # another process has done it
            (self._folder / f"{name}{_WAITING}").rename(self._folder / f"{name}.{token_hex(4)}{_ASIDE}")
            sync_folder(self._folder)

    def take(self) -> tuple[list[IncomingMessage], list[str]]:
        """Return the messages that lie here, in the order they were said, and the names of files that do not open.

        Those are kept aside and tried again at the next start, which may have the right keys. To be called before
        anything is put here; raises `Misconfigured` where the folder cannot be used.
        """
        found, aside = [], []
        try:
            files = self._files()
            for part in files[_PART]:
                part.unlink(missing_ok=True)  # nobody was told OK for it
            for path in files[_WAITING] + files[_ASIDE]:
                name = path.name.partition(".")[0]
                try:
                    found.append((path.stat().st_mtime_ns, self._opened(path, name)))
                except FileNotFoundError:
                    continue  # another process has served it just now
                except (Unreadable, ValueError, OSError):  # ValueError: cut short, or no message of ours
                    kept = path if path.suffix == _ASIDE else path.with_name(f"{name}.{token_hex(4)}{_ASIDE}")
                    aside.append(path.rename(kept).name)
                else:
                    if path.suffix == _ASIDE:
                        path.replace(path.with_name(f"{name}{_WAITING}"))
        except OSError as error:
            raise _unusable(self._folder, error) from None
        return [message for _, message in sorted(found, key=lambda each: (each[1].sent_at, each[0]))], aside

    def count(self) -> SpoolCount:
        """Return how many files lie here. Raises `Misconfigured` where the folder cannot be used."""
        try:
            files = self._files()
        except OSError as error:
            raise _unusable(self._folder, error) from None
        return SpoolCount(waiting=len(files[_WAITING]), aside=len(files[_ASIDE]))

    def _files(self) -> dict[str, list[Path]]:
        """Return what lies here, by what it is."""
        files: dict[str, list[Path]] = {_WAITING: [], _ASIDE: [], _PART: []}
        try:
            for path in self._folder.iterdir():
                files.get(path.suffix, []).append(path)
        except FileNotFoundError:
            pass  # no message was ever late
        return files

    def _opened(self, path: Path, name: str) -> IncomingMessage:
        message: IncomingMessage = _MESSAGE.validate_json(self._vault.desk.open(path.read_bytes(), _place(name)))
        return message

    def _name(self, key: str) -> str:
        """Return what stands for a key in the folder: keyed, because a platform's numbers can be guessed."""
        return self._vault.sign("spool", key.encode()).hex()


def _place(name: str) -> bytes:
    return place("spool", name, "message")


def _make(folder: Path) -> None:
    """Make a folder, and those that it lies in, on disk too."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def _unusable(folder: Path, error: OSError) -> Misconfigured:
    return Misconfigured(f"DATA_DIR: {folder} cannot be used: {error.strerror}")
