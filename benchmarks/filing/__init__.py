"""The conversations customers play: what they send, and what a right reply looks like.

A script is a YAML file beside this module. `plaint.yaml` is for Plaint (adjust it when the company's wording or form
changes), `peers.yaml` for the floor and for aiogram.

    also: [REGEX, ...]        # messages that may come at any time and answer nothing (optional)
    steps:
      - say: TEXT             # the customer writes this; {n} is the complaint's own number, {n:08d} the same padded
        press: REGEX          # instead of `say`: presses the button whose label or callback data matches
        before: [REGEX, ...]  # messages that may come before the reply's last one (optional)
        expect: REGEX         # the LAST message of the reply; any other message makes the step "not ok"
        reply: TEXT           # peers only: what the bot is to answer; {summary} and {number} are filled in by the bot
        buttons: [LABEL, ...] # peers only: the reply keyboard under that answer
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from policies import yaml12

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One update of the customer and the reply it must get."""

    expect: re.Pattern[str]
    say: str = ""
    press: re.Pattern[str] | None = None
    before: tuple[re.Pattern[str], ...] = ()
    reply: str = ""
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A whole complaint, step by step."""

    name: str
    steps: tuple[Step, ...]
    also: tuple[re.Pattern[str], ...] = ()

    def replies(self) -> list[dict[str, object]]:
        """Return what a peer bot is to answer, as data for its environment."""
        return [{"text": step.reply, "buttons": step.buttons} for step in self.steps]


class ScriptError(ValueError):
    """A script cannot be played as written."""


def load(name: str) -> Script:
    """Read the script `name`.yaml of this folder."""
    return parse(name, (HERE / f"{name}.yaml").read_text("utf-8"))


def parse(name: str, text: str) -> Script:
    """Read a script; every doubt is a ScriptError that names the step."""
    content = yaml12.load(text)
    if unknown := content.keys() - {"also", "steps"}:
        raise ScriptError(f"{name}: unknown keys {sorted(unknown)}")
    steps = tuple(_step(raw, where=f"{name}, step {number}") for number, raw in enumerate(content["steps"], start=1))
    return Script(name=name, steps=steps, also=_patterns(content.get("also", ())))


def _step(raw: Mapping[str, Any], *, where: str) -> Step:  # Any: a mapping fresh from YAML
    if unknown := raw.keys() - set(Step.__dataclass_fields__):
        raise ScriptError(f"{where}: unknown keys {sorted(unknown)}")
    if ("say" in raw) == ("press" in raw) or "expect" not in raw:
        raise ScriptError(f"{where}: needs `expect` and either `say` or `press`")
    return Step(
        expect=re.compile(raw["expect"], re.DOTALL),
        say=raw.get("say", ""),
        press=re.compile(raw["press"]) if "press" in raw else None,
        before=_patterns(raw.get("before", ())),
        reply=raw.get("reply", ""),
        buttons=tuple(cast("Sequence[str]", raw.get("buttons", ()))),
    )


def _patterns(raw: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.DOTALL) for pattern in raw)
