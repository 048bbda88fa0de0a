"""Pausing: a person lets the clocks wait that may wait, with a reason, and lets them run again."""

from collections.abc import Mapping

from complaints.case import Case
from complaints.conversation import Staff
from complaints.errors import NotAllowed
from handlers import clocks
from handlers.turn import Turn


def pause(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:  # noqa: ARG001 # one signature
    """Pause the clocks that a person may pause; NotAllowed where nothing is left of what their pauses may last."""
    if not clocks.pause(turn, case, "desk", reason=given["text"]):
        raise NotAllowed(key="error.pause_over")


def resume(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:  # noqa: ARG001
    """Let the clocks run again that a person had paused, with the time they had left."""
    clocks.unpause(turn, case, "desk")
