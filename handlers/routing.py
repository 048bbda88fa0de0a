"""Which function answers which command. Read this first."""

from datetime import datetime, timedelta
from typing import Final

from complaints.commands import Act, Command, Fire, Hear, Keep, Miss
from complaints.errors import NotAllowed
from handlers import acts, cases, duties, evidence, hearing, reaching, timers
from handlers.turn import Turn

#: What falls due so much later than it should has waited for the service.
_LATE: Final = timedelta(minutes=30)


def late(command: Fire, now: datetime) -> bool:
    """Tell whether the service was away when this should have happened."""
    return now - command.due_at > _LATE


def serve(command: Command, turn: Turn) -> None:
    """Serve one command; its effects are in the turn's changes, or an error says why there are none."""
    match command:
        case Hear():
            hearing.hear(command, turn)
        case Fire():
            turn.late = late(command, turn.now)
            timers.fire(command, turn)
        case Act():
            _act(command, turn)
        case Keep() if command.duty:
            duties.proven(turn, command)
        case Keep():
            evidence.keep(command, turn)
        case Miss():
            reaching.missed(command, turn)
    reaching.see_to(turn)
    cases.watch(turn)
    turn.finish()


def _act(command: Act, turn: Turn) -> None:
    member = turn.scene.staff.get(command.staff_id)
    case = turn.case(command.case_id)
    if member is None or case is None:
        raise NotAllowed(key="error.not_allowed")
    acts.perform(turn, case, member, command.act, command.values)
