"""Draws the pages of `docs/reference/` from the code and the policies: `python -m tests.house.diagrams`."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import SecretStr

from bot.settings import Settings
from complaints.clauses.lifecycle import Lifecycle, Move
from complaints.clauses.model import Predicate, Test
from complaints.conversation import MOVES, STATES
from complaints.policy import Policy
from handlers.intake import FORM_STATES
from handlers.rights import ACTS
from policies.loader import load
from policies.phrasebook import read_wording

ROOT = Path(__file__).parents[2]
_DRAWN = "<!-- drawn by `python -m tests.house.diagrams`: do not edit -->"
_CUSTOMERS = frozenset(STATES) - {"composing"}

#: What lies on the table in each state of a conversation.
STANDING = {
    "idle": "Nothing is asked. What is said opens a case, or belongs to one.",
    "consenting": "The customer is asked to agree to the notice on personal data.",
    "choosing_type": "The customer is asked which complaint type fits.",
    "filling": "The customer is asked for one field of the form.",
    "reviewing": "The customer is shown everything and asked to send it.",
    "editing": "The customer is asked which field to change.",
    "cancelling": "The customer is asked whether to take the complaint back.",
    "picking": "The customer is asked which case the words belong to.",
    "replying": "An agent has asked the customer something about a case.",
    "explaining": "The customer is asked for the reason of a move, e.g. why a proposal is refused.",
    "surveying": "The customer is asked for a score.",
    "commenting": "The customer is asked for free words at the end of a survey.",
    "composing": "A member of the staff writes the text of an act.",
}


def dialogue() -> str:
    """Return `docs/reference/dialogue.md`: the states of a conversation, and what leads from one to another."""
    lines = [
        "# The dialogue",
        "",
        _DRAWN,
        "",
        "A conversation is always in one of these states: it names the question that lies on the table. The machine is",
        "`MOVES` in `complaints/conversation.py`; every move puts another question on the table, and with it every button",
        "of the question before becomes stale.",
        "",
        "In the picture *any question* stands for every state of a customer's conversation, and *form* for the six in",
        "which a form is open.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    direction LR",
        '    state "any question" as any_question',
        "    [*] --> idle",
    ]
    for trigger, sources, target in MOVES:
        lines += [f"    {source} --> {target} : {trigger}" for source in _grouped(sources)]
    lines += ["```", "", "| state | what lies on the table |", "|---|---|"]
    lines += [f"| `{state}` | {STANDING[state]} |" for state in STATES]
    lines += ["", "| move | from | to |", "|---|---|---|"]
    for trigger, sources, target in MOVES:
        lines.append(f"| `{trigger}` | {', '.join(f'`{each}`' for each in sources)} | `{target}` |")
    return "\n".join(lines) + "\n"


def _grouped(sources: Iterable[str]) -> list[str]:
    left = dict.fromkeys(sources)
    drawn = []
    for name, group in (("any_question", _CUSTOMERS), ("form", FORM_STATES)):
        if group <= left.keys():
            drawn.append(name)
            left = {each: None for each in left if each not in group}
    return [*drawn, *left]


def lifecycle() -> str:
    """Return `docs/reference/lifecycle.md`: for each company the states of a case, and the moves between them."""
    lines = [
        "# The lifecycle of a case",
        "",
        _DRAWN,
        "",
        "Each company's policy says which states a case goes through and who may make which move",
        "([how to write one](../how-to/write-a-policy.md)). These are the lifecycles that come with Plaint. A move by",
        "*system* is made by the desk itself, as soon as its state is reached or when what stands after *on* happens.",
    ]
    for path in sorted((ROOT / "policies" / "companies").glob("*.yaml")):
        lines += ["", *_company(load(path, ROOT / "policies"))]
    return "\n".join(lines) + "\n"


def _company(policy: Policy) -> list[str]:
    machine = policy.lifecycle
    lines = [f"## {policy.id}", "", f"{policy.title['zh-Hans']}: {policy.title['en']}.", ""]
    lines += ["```mermaid", "stateDiagram-v2", f"    [*] --> {machine.first}"]
    for move in machine.moves:
        if move.id != machine.withdraw:
            lines += [f"    {source} --> {move.to} : {move.id}" for source in move.source]
    lines += [f"    {state.id} --> [*]" for state in machine.states if state.final and _drawn(machine, state.id)]
    lines += ["```", "", f"Not drawn: `{machine.withdraw}`, by which the customer takes the complaint back.", ""]
    lines += ["| state | for customers | in English | |", "|---|---|---|---|"]
    for state in machine.states:
        mark = "final" if state.final else "resolved" if state.resolved else ""
        lines.append(f"| `{state.id}` | {state.title['zh-Hans']} | {state.title['en']} | {mark} |")
    lines += ["", "| move | from | to | by | when | clause |", "|---|---|---|---|---|---|"]
    for move in machine.moves:
        sources = ", ".join(f"`{each}`" for each in move.source)
        lines.append(
            f"| `{move.id}` | {sources} | `{move.to}` | {', '.join(move.by)} | {_when(move)} | {move.clause} |"
        )
    return lines


def _drawn(machine: Lifecycle, state: str) -> bool:
    return any(move.to == state and move.id != machine.withdraw for move in machine.moves)


def _when(move: Move) -> str:
    waits = [f"on {', '.join(move.on)}"] if move.on else []
    return "; ".join([*waits, *_condition(move.when)])


def _condition(predicate: Predicate) -> list[str]:
    said = []
    for fact, wanted in predicate.facts.items():
        if isinstance(wanted, Test):
            bounds = wanted.model_dump(exclude_none=True, exclude_defaults=True)
            said.append(f"{fact} {', '.join(f'{name} {bound}' for name, bound in bounds.items())}")
        else:
            said.append(f"{fact} is {' or '.join(map(str, wanted))}")
    if predicate.any:
        said.append("(" + " or ".join(", ".join(_condition(each)) for each in predicate.any) + ")")
    return said + [f"not ({', '.join(_condition(each))})" for each in predicate.none]


def settings() -> str:
    """Return `docs/reference/settings.md`: every setting, its default and what it means."""
    lines = [
        "# Settings",
        "",
        _DRAWN,
        "",
        "Settings come from the environment, or from a file `.env` in the folder where `plaint` is started (copy",
        "`.env.example`); the environment wins. All are checked at the start, and everything that is wrong or missing is",
        "said at once, with its cure. Secret values are struck out of every log.",
        "",
        "| setting | default | what it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        hidden = isinstance(field.default, SecretStr)
        default = "" if field.default is None or hidden else str(field.default)
        what = f"{field.description}{' (secret)' if hidden else ''}".replace("|", "\\|")
        lines.append(f"| `PLAINT_{name.upper()}` | {f'`{default}`' if default else '–'} | {what} |")
    return "\n".join(lines) + "\n"


def acts() -> str:
    """Return `docs/reference/acts.md`: what a member of the staff may do with a case, and what each act takes."""
    lines = [
        "# Acts",
        "",
        _DRAWN,
        "",
        "What a member of the staff does with a case is one of these acts, or a move of the policy's lifecycle",
        "([lifecycle](lifecycle.md)). They are buttons in the messenger, `plaint act NUMBER ACT --by ID --text … --detail …`",
        "on the command line, and `do: ACT, with: {text: …, detail: …}` in a [story](../how-to/write-a-story.md). A move that",
        "asks for words takes `text` too. `detail` is the id of what is chosen (a role, a complaint type, `GRADE=VALUE`); in a",
        "story its label will do, and a member of the staff is called by their role. `decide` takes `result`, `remedy` and",
        "`amount` too, `external` takes `due`.",
        "",
        "| act | button | `text` | `detail` |",
        "|---|---|---|---|",
    ]
    english, chinese = (read_wording(ROOT / "policies" / "wording" / f"{each}.yaml") for each in ("en", "zh-Hans"))
    for name, act in ACTS.items():
        button = " · ".join(each[f"staff.act.{name}"] for each in (chinese, english))
        text = english[f"staff.ask.{name}"] if act.written else "–"
        if act.instead:
            text += f" Or `{act.instead}`."
        which = (
            english[f"staff.which.{name}"] if act.options else "which one, if there are several" if act.each else "–"
        )
        cells = (
            re.sub(r"\{(\w+)\}:? ?", "", each).replace("\n", " ").replace("|", "\\|") for each in (button, text, which)
        )
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    lines += [
        "",
        "In a story there are two more: `register` (`text`, and `customer`, a name for whoever complained) enters a",
    ]
    lines += ["complaint for somebody who has no chat, and `wait` lets time pass."]
    return "\n".join(lines) + "\n"


#: Every page that is drawn, and what draws it.
PAGES: dict[Path, Callable[[], str]] = {
    Path("docs/reference/acts.md"): acts,
    Path("docs/reference/dialogue.md"): dialogue,
    Path("docs/reference/lifecycle.md"): lifecycle,
    Path("docs/reference/settings.md"): settings,
}


def main() -> None:
    """Draw every page anew, and `.env.example` with them."""
    from bot.settings import example

    for page, draw in PAGES.items():
        (ROOT / page).write_text(draw(), "utf-8")
    (ROOT / ".env.example").write_text(example(), "utf-8")


if __name__ == "__main__":
    main()
