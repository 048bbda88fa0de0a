"""Stories: a whole complaint as it should go, played at the real desk on a clock of its own, and judged.

A compliance officer writes what customers say, what the staff does and what must come of it; `script` reads that,
`playing` plays it on the `theatre`, a desk whose database is thrown away, `judging` compares it with what was seen, and
`showing` prints. No network, no sleeping.
"""

from bot.stories.playing import Outcome, play
from bot.stories.script import Script, read
from bot.stories.showing import as_json, show

__all__ = ["Outcome", "Script", "as_json", "play", "read", "show"]
