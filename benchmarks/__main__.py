"""`python -m benchmarks`: measure Plaint beside aiogram and the floor; a table, and benchmarks/out/latest.json."""

import multiprocessing
import shutil
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.customers import Figures
from benchmarks.measuring import Job, Measured, measure
from benchmarks.postgres import temporary_postgres
from benchmarks.processes import FailedToStartError, die_with_parent
from benchmarks.targets import DEFAULT, MAKE

_FAILED = "failed to start"
OUT = Path(__file__).parent / "out"
console = Console(width=None if Console().is_terminal else 140)


def run(
    *,
    targets: Annotated[str, typer.Option(help=f"Some of {', '.join(MAKE)}, separated by commas.")] = ",".join(DEFAULT),
    users: Annotated[str, typer.Option(help="Numbers of customers at a time, separated by commas.")] = "50,200",
    seconds: Annotated[float, typer.Option(help="Seconds measured.")] = 5.0,
    warm_up: Annotated[float, typer.Option(help="Seconds before that.")] = 1.5,
    reps: Annotated[int, typer.Option(help="How often everything is measured, targets in turn.", min=1)] = 3,
    max_minutes: Annotated[float, typer.Option(help="No rep begins that would not end in this time.")] = 3.9,
    delay_ms: Annotated[float, typer.Option(help="Milliseconds the Bot API takes to answer a call.")] = 0.0,
    profile: Annotated[bool, typer.Option(help="Draw flame graphs with py-spy, if it is installed.")] = False,
    out: Annotated[Path, typer.Option(help="Where the figures go as JSON.")] = OUT / "latest.json",
) -> None:
    """Play complaints against each target and compare."""
    names = tuple(targets.split(","))
    if unknown := set(names) - set(MAKE):
        raise typer.BadParameter(f"no such target: {', '.join(sorted(unknown))}")
    if profile and shutil.which("py-spy") is None:
        console.print("py-spy is not installed, so nothing is profiled", style="yellow")
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_postgres() if any(MAKE[name]().postgres for name in names) else nullcontext("") as postgres_url:
        jobs = [
            Job(
                target=name,
                users=tuple(int(number) for number in users.split(",")),
                warm_up_s=warm_up,
                seconds=seconds,
                delay_s=delay_ms / 1e3,
                postgres_url=postgres_url,
                profiles=out.parent if profile else None,
            )
            for name in names
        ]
        figures, faults = _measure_all(jobs, reps=reps, deadline=time.monotonic() + 60 * max_minutes)
    results = {
        target: {number: report.Result.of(each) for number, each in by_users.items()}
        for target, by_users in figures.items()
    }
    report.write(results, out)
    console.print(report.table(results))
    for target, fault in faults.items():
        console.print(f"\n{target}:", style="bold red")
        console.print(fault, markup=False, highlight=False)
    raise typer.Exit(1 if faults else 0)


def _measure_all(
    jobs: list[Job], *, reps: int, deadline: float
) -> tuple[dict[str, dict[int, list[Figures]]], dict[str, str]]:
    """Measure the jobs in turn, `reps` times if that ends by the deadline (monotonic seconds), but at least once.

    Return the figures, and what went wrong by target.
    """
    figures: dict[str, dict[int, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    faults: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=reps * len(jobs))
        took = 0.0
        for rep in range(reps):
            began = time.monotonic()
            if began + took > deadline:
                console.print(f"no time for more than {rep} of {reps} reps", style="yellow")
                break
            for job in jobs:
                if faults.get(job.target, "").startswith(_FAILED):  # it would fail again
                    progress.advance(task)
                    continue
                progress.update(task, description=f"{job.target}, rep {rep + 1}")
                measured = _measure_apart(job, faults)
                for number, each in measured.figures.items() if measured else ():
                    figures[job.target][number].append(each)
                progress.advance(task)
            took = time.monotonic() - began
    return figures, faults


def _measure_apart(job: Job, faults: dict[str, str]) -> Measured | None:
    """Measure in a process of its own; note in `faults` what was not right."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=die_with_parent) as pool:
        try:
            measured = pool.submit(measure, job).result()
        except FailedToStartError as error:
            faults.setdefault(job.target, f"{_FAILED}: {error}")
            return None
    samples = [sample for figures in measured.figures.values() for sample in figures.samples]
    if samples:
        faults.setdefault(job.target, "\n".join(["not ok:", *samples, "its log ends:", measured.log]))
    return measured


if __name__ == "__main__":
    typer.run(run)
