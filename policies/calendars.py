"""Public holidays and make-up workdays of a country, and from them a company's calendar."""

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays
from holidays.registry import EntityLoader
from pydantic import BaseModel, ConfigDict, Field

from complaints.calendar import WorkCalendar, YearDates
from complaints.policy import WEEKDAYS, Hours
from policies.yaml12 import read

#: The years for which the `holidays` package is asked; any other is counted by weekday and called unpublished.
YEARS: Final = range(2020, 2036)


class YearFile(BaseModel):
    """One file `calendars/<CC>-<year>.yaml`: a year as its government announced it, instead of the package's guess."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    published: bool = Field(description="false while the announcement is still to come")
    holidays: list[date] = Field(description="every day off that is not merely a weekend")
    workdays: list[date] = Field(default_factory=list, description="weekend days that are worked")
    source: str = Field(default="", description="where the announcement can be read")

    def dates(self) -> YearDates:
        """Return what the file says, as the calendar wants it."""
        worked = dict.fromkeys(self.holidays, False) | dict.fromkeys(self.workdays, True)
        return YearDates(worked=worked, published=self.published)


def work_calendar(hours: Hours, overrides_dir: Path) -> WorkCalendar:
    """Return the calendar of a company: its hours, its country's holidays, and the override files over them.

    ValueError for a zone or a country that nobody knows.
    """
    try:
        zone = ZoneInfo(hours.zone)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"There is no time zone {hours.zone!r}.") from error
    if hours.holidays not in countries():
        raise ValueError(f"There is no calendar of holidays for the country {hours.holidays!r}.")
    files = {
        int(path.stem.rpartition("-")[2]): read_year(path) for path in overrides_dir.glob(f"{hours.holidays}-????.yaml")
    }
    return WorkCalendar(
        zone=zone,
        week={WEEKDAYS.index(name): windows for name, windows in hours.week.items()},
        makeup=hours.makeup,
        year=_with_own_days(hours, _years(hours.holidays, files)),
    )


def _with_own_days(hours: Hours, year: Callable[[int], YearDates]) -> Callable[[int], YearDates]:
    """Return the years with the days on which these people do otherwise than their country."""
    worked = dict.fromkeys((day for days in hours.worked for day in days), True)
    own = worked | dict.fromkeys((day for days in hours.closed for day in days), False)

    def with_own(number: int) -> YearDates:
        known = year(number)
        mine = {day: works for day, works in own.items() if day.year == number}
        return YearDates(worked={**known.worked, **mine}, published=known.published)

    return with_own if own else year


@cache
def countries() -> frozenset[str]:
    """Return the codes of the countries whose holidays are known, their other names as well. Loads none of them."""
    return frozenset(EntityLoader.get_country_codes(include_aliases=True))


def read_year(path: Path) -> YearFile:
    """Read one override file; Misconfigured if it is not YAML, pydantic's ValidationError if it is wrong."""
    return YearFile.model_validate(read(path))


def _years(country: str, files: dict[int, YearFile]) -> Callable[[int], YearDates]:
    def year(number: int) -> YearDates:
        if number in files:
            return files[number].dates()
        if number not in YEARS:
            return YearDates(worked={}, published=False)
        return _package(country, number)

    return year


@cache
def _package(country: str, number: int) -> YearDates:
    """Ask the package for one year.

    Where weekends are swapped for workdays by decree, the package knows the days off that the law fixes for any year,
    but the decree only for the years it lists. The others are provisional.
    """
    known: Any = holidays.country_holidays(country, years=number)  # Any: its attributes vary from country to country
    decreed = max(known.special_public_holidays or {}, default=0) if known.has_substituted_holidays else number
    worked = dict.fromkeys(known, False) | {day: True for day in known.weekend_workdays if day.year == number}
    return YearDates(worked=worked, published=number <= decreed)
