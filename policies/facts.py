"""What conditions may ask of a case: every fact of a policy, and the values it can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from complaints.case import REMEDIES
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.clauses.lifecycle import Result
from complaints.clauses.routing import LEAD
from complaints.events import HAPPENINGS

#: A value of a fact; None is "nothing known".
Value = str | bool | Decimal | None
#: The facts that are yes or no, those that are counted, and those in the company's currency.
TRUTHS: Final = frozenset({"complete", "expedited", "human", "owned"})
COUNTS: Final = {"chasers": 0, "cycle": 1, "departments": 1, "rejections": 0, "reopenings": 0}
AMOUNTS: Final = frozenset({"amount", "remedy_amount"})
#: What may be on file about an order: yes or no, or any words.
ORDER_FACTS: Final[dict[str, tuple[bool, ...] | None]] = {
    "organisation": (True, False), "vip": (True, False), "product": None,
}  # fmt: skip
#: A part that a case has by its order, without a route.
ACCOUNT_MANAGER: Final = "account_manager"
#: What may become true while a case stays where it is, so that nothing is stuck for the want of it.
CHANGING: Final = frozenset(
    {*TRUTHS, "chasers", "departments", "done", "external", "remedies", "remedy_amount", "result"}
)
#: What happens to an approval, after its id and a dot.
ENDS: Final = ("opened", "decided", "granted", "refused", "recalled")
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact: it has `one` of some values, `some` of them at the same time, or is a `number`.

    `values` are all there are, None where anybody may write another. A number is a multiple of `step`, from `least`.
    `missing`: it may be unknown.
    """

    kind: Literal["one", "some", "number"] = "one"
    values: tuple[str | bool, ...] | None = None
    step: Decimal = _CENT
    least: Decimal = Decimal(0)
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Everything that has a name in a policy file, also where its clause is broken and was left out.

    `answers` are the fields whose answers are facts: the ids of the choices, None for an amount; `optional` are those
    that may stay unanswered.
    """

    roles: list[str]
    types: list[str]
    flags: list[str]
    grades: dict[str, list[str]]
    fields: dict[str, str]
    slots: list[str]
    states: list[str]
    moves: list[str]
    clocks: list[str]
    parts: list[str]
    approvals: list[str]
    readings: dict[str, list[str]]
    answers: dict[str, list[str] | None]
    optional: frozenset[str]
    calendars: list[str]
    external: list[str]

    @property
    def happenings(self) -> list[str]:
        """Everything that can happen to a case."""
        named = [
            *(f"flagged.{each}" for each in self.flags),
            *(f"breached.{each}" for each in self.clocks),
            *(f"extension_asked.{each}" for each in self.clocks),
            *([f"breached.{EXTERNAL_REPLY}"] if self.external else []),
            *(f"{each}.{how}" for each in self.approvals for how in ENDS),
        ]
        return [*self.states, *self.moves, *sorted(HAPPENINGS), *named]


def facts(names: Names, *, typed: bool = False) -> dict[str, Fact]:
    """Return every fact that the conditions of a policy may ask for; of a case that is `typed` its type is known."""
    return {
        **{name: Fact(values=values, missing=True) for name, values in ORDER_FACTS.items()},
        "region": Fact(missing=True),
        **{name: Fact(values=tuple(values)) for name, values in names.readings.items()},
        **{
            name: Fact(kind="number", missing=True)
            if values is None
            else Fact(values=tuple(values), missing=name in names.optional)
            for name, values in names.answers.items()
        },
        **{name: Fact(values=tuple(values)) for name, values in names.grades.items()},
        "type": Fact(values=(*names.types, *([] if typed else [""]))),
        "state": Fact(values=tuple(names.states)),
        "flags": Fact(kind="some", values=tuple(names.flags)),
        "department": Fact(values=tuple(names.roles)),
        "channel": Fact(),
        **{name: Fact(values=(True, False)) for name in TRUTHS},
        **{name: Fact(kind="number", step=Decimal(1), least=Decimal(least)) for name, least in COUNTS.items()},
        **{name: Fact(kind="number", missing=True) for name in AMOUNTS},
        "done": Fact(kind="some", values=tuple(names.moves)),
        "external": Fact(values=(*names.external, "")),
        "result": Fact(values=(*get_args(Result), "")),
        "remedies": Fact(kind="some", values=REMEDIES),
    }


def at_first(case: Mapping[str, object]) -> dict[str, object]:
    """Return the facts of a case of which only these are said; the others are those of a case that just began."""
    return {
        "type": "", "flags": [], "done": [], "remedies": [], "external": "", "result": "",
        **dict.fromkeys(TRUTHS, False), **COUNTS, **case,
    }  # fmt: skip


def names(data: Mapping[str, Any]) -> Names:  # Any: whatever the file holds
    """Collect the names of a policy file, whatever else may be wrong with it."""
    grades, readings = _mapping(data, "taxonomy", "grades"), _mapping(data, "readings")
    fields = [each for each in _listed(data, "form", "fields") if isinstance(each.get("id"), str)]
    counted = [each for each in fields if each.get("kind") in ("choice", "amount")]
    return Names(
        roles=_ids(data, "routing", "roles"),
        types=_ids(data, "taxonomy", "types"),
        flags=_ids(data, "taxonomy", "flags"),
        grades={str(name): _ids(grades, name) for name in grades},
        fields={each["id"]: str(each.get("kind", "text")) for each in fields},
        slots=[str(name) for name in _mapping(data, "taxonomy", "slots")],
        states=_ids(data, "lifecycle", "states"),
        moves=_ids(data, "lifecycle", "moves"),
        clocks=_ids(data, "clocks"),
        parts=list(
            dict.fromkeys(
                [LEAD, ACCOUNT_MANAGER, *(str(each.get("part", LEAD)) for each in _listed(data, "routing", "routes"))]
            )
        ),
        approvals=_ids(data, "approvals"),
        readings={str(name): _texts(readings, name, "of") for name in readings},
        answers={each["id"]: None if each["kind"] == "amount" else _ids(each, "choices") for each in counted},
        optional=frozenset(
            each["id"] for each in counted if each.get("required") is False or each.get("own_words") or each.get("when")
        ),
        calendars=[str(name) for name in _mapping(data, "calendars")],
        external=_ids(data, "external", "kinds"),
    )


def _at(data: Any, *path: str) -> Any:  # Any: whatever the file holds
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def _mapping(data: Any, *path: str) -> Mapping[str, Any]:  # Any: whatever the file holds
    found = _at(data, *path)
    return found if isinstance(found, Mapping) else {}


def _texts(data: Any, *path: str) -> list[str]:  # Any: whatever the file holds
    found = _at(data, *path)
    return [str(each) for each in found] if isinstance(found, list) else []


def _listed(data: Any, *path: str) -> list[Mapping[str, Any]]:  # Any: whatever the file holds
    found = _at(data, *path)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _ids(data: Any, *path: str) -> list[str]:  # Any: whatever the file holds
    return [each["id"] for each in _listed(data, *path) if isinstance(each.get("id"), str)]
