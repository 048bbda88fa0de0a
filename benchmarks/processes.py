"""The measured program as a process: start it, see what it uses, stop it."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.customers import Usage

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_START_S = 30.0
_STOP_S = 5.0
_LOG_LINES = 30


class FailedToStartError(RuntimeError):
    """The program ended, or did not answer in time; the text has the tail of its log."""


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends, in whatever way."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in `folder`, its output in `folder`/log; it is gone when the block or this process ends."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one thread, and libc is loaded before the fork
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def until_ready(process: subprocess.Popen[bytes], *, port: int, path: str, folder: Path) -> None:
    """Wait until GET `path` is answered below 500 (404 is fine), or raise FailedToStartError."""
    deadline = asyncio.get_running_loop().time() + _START_S
    while True:
        if process.poll() is not None:
            raise FailedToStartError(f"ended with code {process.returncode}\n{log_tail(folder)}")
        if asyncio.get_running_loop().time() > deadline:
            raise FailedToStartError(f"not ready after {_START_S:.0f} s\n{log_tail(folder)}")
        if await _answers(port, path):
            return
        await asyncio.sleep(0.05)


async def _answers(port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 5)
        return line[9:10] in b"234" and bool(line)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def log_tail(folder: Path) -> str:
    """Return the last lines of the program's log."""
    log = folder / "log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_LOG_LINES:])


def usage(pid: int) -> Usage:
    """Add up what a process and all its descendants have used, from /proc."""
    cpu_s = rss_kb = peak_kb = 0.0
    for each in _tree(pid):
        try:
            stat = Path(f"/proc/{each}/stat").read_text()
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:  # it ended meanwhile
            continue
        fields = stat.rpartition(")")[
            2
        ].split()  # behind the name, which may hold blanks; utime and stime are 14 and 15
        cpu_s += (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
        memory = dict(line.split(":", 1) for line in status.splitlines() if line.startswith("Vm"))
        rss_kb += float(memory.get("VmRSS", "0").split()[0])
        peak_kb += float(memory.get("VmHWM", "0").split()[0])
    return Usage(cpu_s=cpu_s, rss_mb=rss_kb / 1024, rss_peak_mb=peak_kb / 1024)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except OSError:  # the thread ended meanwhile
            continue
        for child in pids:
            yield from _tree(int(child))


def python(module: str) -> list[str]:
    """Return the command that runs a module with this very interpreter."""
    return [sys.executable, "-m", module]
