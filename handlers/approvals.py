"""Approvals: what must be agreed to, by whom, and which step waits now. What people decide is in `approving`."""

from complaints.case import Case
from handlers.turn import Turn


def on(turn: Turn, case: Case, name: str, actor: str) -> list[str]:
    """Open the approvals that wait for this name; return what happens by that."""
    return []
