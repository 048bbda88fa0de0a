"""The rows of duties: written once for each period, whatever runs beside it, and changed only as they were read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from complaints.duties import DutyFacts, DutyRun
from storage import tables
from storage.engines import Again
from storage.moments import from_ms, to_ms
from storage.rows import place
from storage.sealing import Vault
from storage.statements import AnyRow

_D: Final = tables.duty.c
_FACTS: Final = TypeAdapter(DutyFacts)
_ALL: Final = select(tables.duty)
_OPEN: Final = _ALL.where(_D.state == "open").order_by(_D.due_at, _D.id)
_LATE: Final = _ALL.where(_D.state == "missed").order_by(_D.due_at, _D.id).limit(bindparam("limit"))
_ONE: Final = _ALL.where(_D.id == bindparam("id"))
_LAST: Final = select(_D.duty, func.max(_D.began_at)).group_by(_D.duty)


class Duties:
    """Reads and writes duties in one transaction; each is one object, however often it is asked for."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self._known: dict[int, DutyRun] = {}
        self._was: dict[int, tuple[str, str]] = {}

    def open(self) -> list[DutyRun]:
        """Return the duties that are to be done, the nearest date first."""
        return [self._run(row) for row in self._connection.execute(_OPEN)]

    def missed(self, limit: int) -> list[DutyRun]:
        """Return duties that were missed and not done since."""
        return [self._run(row) for row in self._connection.execute(_LATE, {"limit": limit})]

    def one(self, duty_id: int) -> DutyRun | None:
        """Return one duty."""
        row = self._connection.execute(_ONE, {"id": duty_id}).first()
        return None if row is None else self._run(row)

    def last(self) -> Mapping[str, Any]:
        """Return when the latest period of each duty began."""
        return {duty: from_ms(at) for duty, at in self._connection.execute(_LAST)}

    def write(self, runs: Sequence[DutyRun]) -> None:
        """Write duties. Raises `Again` where another node has begun the period, or has changed one, meanwhile."""
        for run in {each.id: each for each in runs}.values():
            values = self._values(run)
            was = self._was.get(run.id)
            if was is None:
                try:
                    self._connection.execute(insert(tables.duty).values(values))
                except IntegrityError as error:
                    raise Again("another node has begun this period") from error
            else:
                unchanged = (_D.id == run.id, _D.state == was[0], _D.facts == was[1])
                if not self._connection.execute(update(tables.duty).where(*unchanged).values(values)).rowcount:
                    raise Again("a duty was changed meanwhile")
            self._known[run.id], self._was[run.id] = run, (values["state"], values["facts"])

    def _values(self, run: DutyRun) -> dict[str, Any]:
        note = run.note.encode()
        return {
            "id": run.id,
            "duty": run.duty,
            "period": run.period,
            "policy": run.policy,
            "began_at": to_ms(run.began_at),
            "due_at": to_ms(run.due_at),
            "next_at": tables.NEVER if run.next_at is None else to_ms(run.next_at),
            "state": run.state,
            "facts": _FACTS.serializer.to_json(run.facts, exclude_defaults=True).decode(),
            "sealed": self._vault.desk.seal(note, place("duty", run.id)) if note else None,
        }

    def _run(self, row: AnyRow) -> DutyRun:
        id_, duty, period, policy, began_at, due_at, next_at, state, facts, sealed = row
        if id_ not in self._known:
            self._known[id_] = DutyRun(
                id=id_,
                duty=duty,
                period=period,
                policy=policy,
                began_at=from_ms(began_at),
                due_at=from_ms(due_at),
                next_at=None if next_at == tables.NEVER else from_ms(next_at),
                state=state,
                facts=_FACTS.validator.validate_json(facts),
                note="" if sealed is None else self._vault.desk.open(sealed, place("duty", id_)).decode(),
            )
            self._was[id_] = state, facts
        return self._known[id_]
