"""What the reps add up to: a table for people, a JSON file for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks.customers import Figures
from benchmarks.targets import FLOOR, PEER


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One target with one number of users over all reps. The figures are those of the best rep, not_ok of all."""

    best: Figures
    median_updates_per_s: float
    not_ok: int
    reps: int

    @classmethod
    def of(cls, reps: Sequence[Figures]) -> "Result":
        """Add up the reps (at least one)."""
        return cls(
            best=max(reps, key=lambda figures: figures.updates_per_s),
            median_updates_per_s=median(figures.updates_per_s for figures in reps),
            not_ok=sum(figures.not_ok for figures in reps),
            reps=len(reps),
        )

    def as_json(self) -> dict[str, float]:
        """Return the figures under the names that other programs read."""
        return {
            "updates_per_s": round(self.best.updates_per_s, 1),
            "median_updates_per_s": round(self.median_updates_per_s, 1),
            "p50_ms": round(self.best.p50_ms, 2),
            "p99_ms": round(self.best.p99_ms, 2),
            "cpu_us": round(self.best.cpu_us, 1),
            "rss_mb": round(self.best.rss_mb, 1),
            "rss_peak_mb": round(self.best.rss_peak_mb, 1),
            "generator_cpu": round(self.best.generator_cpu, 2),
            "not_ok": self.not_ok,
            "reps": self.reps,
        }


Results = Mapping[str, Mapping[int, Result]]


def write(results: Results, path: Path) -> None:
    """Write the results by target and number of users."""
    content = {
        target: {str(users): result.as_json() for users, result in by_users.items()}
        for target, by_users in results.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def table(results: Results) -> Table:
    """Draw the results; ratios compare best with best at the same number of users."""
    drawn = Table(title="Filing a complaint over Telegram, ten updates each (best of reps)")
    drawn.add_column("target", no_wrap=True)
    columns = ("users", "updates/s", "median", "x aiogram", "of floor", "p50 ms", "p99 ms", "CPU us", "RSS MB", "peak")
    for column in (*columns, "generator", "not ok"):
        drawn.add_column(column, justify="right")
    for users in sorted({users for by_users in results.values() for users in by_users}):
        for target, by_users in results.items():
            if users in by_users:
                _add(drawn, results, target, users)
        drawn.add_section()
    return drawn


def _add(drawn: Table, results: Results, target: str, users: int) -> None:
    result = results[target][users]
    best = result.best
    peer, floor = _ratio(results, PEER, users, best), _ratio(results, FLOOR, users, best)
    drawn.add_row(
        target,
        str(users),
        f"{best.updates_per_s:,.0f}",
        f"{result.median_updates_per_s:,.0f}",
        "" if peer is None else f"{peer:.2f}",
        "" if floor is None else f"{floor:.0%}",
        f"{best.p50_ms:.1f}",
        f"{best.p99_ms:.1f}",
        f"{best.cpu_us:,.0f}",
        f"{best.rss_mb:.0f}",
        f"{best.rss_peak_mb:.0f}",
        f"{best.generator_cpu:.2f}",
        f"[bold red]{result.not_ok}[/]" if result.not_ok else "0",
    )


def _ratio(results: Results, against: str, users: int, best: Figures) -> float | None:
    other = results.get(against, {}).get(users)
    return best.updates_per_s / other.best.updates_per_s if other and other.best.updates_per_s else None
