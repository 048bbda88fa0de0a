"""Which function answers which command. Read this first."""

from complaints.commands import Act, Command, Fire, Hear, Keep, Miss
from complaints.errors import NotAllowed
from handlers import acts, evidence, hearing, notices, timers
from handlers.turn import SYSTEM, Turn


def serve(command: Command, turn: Turn) -> None:
    """Serve one command; its effects are in the turn's changes, or an error says why there are none."""
    match command:
        case Hear():
            hearing.hear(command, turn)
        case Fire():
            timers.fire(command, turn)
        case Act():
            _act(command, turn)
        case Keep():
            evidence.keep(command, turn)
        case Miss():
            _miss(command, turn)
    turn.finish()


def _act(command: Act, turn: Turn) -> None:
    member = turn.scene.staff.get(command.staff_id)
    case = turn.case(command.case_id)
    if member is None or case is None:
        raise NotAllowed(key="error.not_allowed")
    acts.perform(turn, case, member, command.act, command.values.get("text", ""), command.values.get("type", ""))


def _miss(command: Miss, turn: Turn) -> None:
    """Note what could not be delivered; where the person has blocked the bot, somebody must call them."""
    conversation = turn.scene.conversations.get(command.conversation_id)
    if conversation is None:
        return
    if command.reason in ("blocked", "deactivated"):
        conversation.reachable = False
        turn.touch(conversation)
    case = turn.case(command.case_id)
    if case is None:
        return
    turn.record(case, "undelivered", SYSTEM, facts={"reason": command.reason}, words={"text": command.text})
    if conversation.staff_id is None and case.open:
        notices.alert(turn, case, ["owner", "department"], "staff.undelivered")
