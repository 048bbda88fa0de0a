"""One start of one target: the generator's own process, which plays each number of users in turn."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.customers import Customers, Figures, Usage
from benchmarks.postgres import fresh_database
from benchmarks.processes import FailedToStartError, log_tail, running, until_ready, usage
from benchmarks.targets import MAKE, SECRET, Place, Target, free_port, inherited
from benchmarks.webhook import Webhook

_PREPARE_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What to measure."""

    target: str
    users: tuple[int, ...]
    warm_up_s: float
    seconds: float
    delay_s: float = 0.0
    """How long the Bot API takes to answer a call, seconds."""
    postgres_url: str = ""
    """The server on which a target that needs one gets a fresh database."""
    profiles: Path | None = None
    """A folder for flame graphs by py-spy, or None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What came of it: figures by number of users, and the end of the target's log."""

    figures: dict[int, Figures]
    log: str


def measure(job: Job) -> Measured:
    """Start the target, play each number of users, stop it. Takes this process for its event loop meanwhile."""
    return asyncio.run(_measure(job))


async def _measure(job: Job) -> Measured:
    target = MAKE[job.target]()
    customers = Customers(script=target.script, delay_s=job.delay_s)
    await customers.api.start()
    folder = Path(tempfile.mkdtemp(prefix="plaint-bench-"))
    try:
        place = Place(
            folder=folder,
            api_url=f"http://127.0.0.1:{customers.api.port}",
            port=free_port(),
            postgres_url=fresh_database(job.postgres_url) if target.postgres else "",
        )
        figures = await _play(job, target, customers, place)
        return Measured(figures=figures, log=log_tail(folder))
    except OSError as error:  # no such program, or it ended between two plays
        raise FailedToStartError(f"{error}\n{log_tail(folder)}") from error
    finally:
        await customers.api.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _play(job: Job, target: Target, customers: Customers, place: Place) -> dict[int, Figures]:
    environment = inherited() | target.environment(place)
    if target.prepare is not None:
        await _prepare(target.prepare, environment, place.folder)
    figures = {}
    with running(target.command, environment=environment, folder=place.folder) as process:

        def now() -> Usage:
            return usage(process.pid)

        await until_ready(process, port=place.port, path=target.ready, folder=place.folder)
        for users in job.users:
            webhook = Webhook(port=place.port, path=target.webhook, secret=SECRET)
            with _profiled(job, users, process.pid):
                figures[users] = await customers.play(
                    webhook=webhook, users=users, warm_up_s=job.warm_up_s, seconds=job.seconds, usage=now
                )
    return figures


async def _prepare(command: list[str], environment: dict[str, str], folder: Path) -> None:
    with running(command, environment=environment, folder=folder) as process:
        code = await asyncio.to_thread(process.wait, _PREPARE_S)
    if code:
        raise FailedToStartError(f"{' '.join(command)} ended with code {code}\n{log_tail(folder)}")


@contextmanager
def _profiled(job: Job, users: int, pid: int) -> Iterator[None]:
    """Let py-spy draw what the target does meanwhile, if that is wanted."""
    spy = shutil.which("py-spy") if job.profiles is not None else None
    if spy is None or job.profiles is None:
        yield
        return
    graph = job.profiles / f"{job.target}-{users}.svg"
    seconds = max(1, int(job.warm_up_s + job.seconds))
    command = [spy, "record", "--pid", str(pid), "--duration", str(seconds), "--threads", "--output", str(graph)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield
