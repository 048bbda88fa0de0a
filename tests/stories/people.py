"""What the stories about people share: companies with other rules, and rosters."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import policies
from complaints.conversation import Shift
from complaints.ports import Changes
from policies.checker import check
from tests.conftest import Found, Person, Town

TRADE = Path(policies.__file__).parent / "companies" / "trade_003.yaml"


def title(text: str) -> dict[str, str]:
    """Return a sentence that is the same in all languages."""
    return {"zh-Hans": text, "zh-Hant": text, "en": text}


def role(id_: str, *grants: str, **more: Any) -> dict[str, Any]:
    """Return a role of the policy."""
    return {"id": id_, "title": title(id_), "grants": list(grants), **more}


@pytest.fixture
def ruled(found: Found, tmp_path: Path) -> Any:
    """Return a function that founds a town whose policy has other routing, and more roles, moves, clocks and notices."""

    async def town(
        *roles: dict[str, Any],
        routing: dict[str, Any] | None = None,
        moves: tuple[dict[str, Any], ...] = (),
        clocks: tuple[dict[str, Any], ...] = (),
        notices: tuple[dict[str, Any], ...] = (),
        **given: Any,
    ) -> Town:
        yaml = YAML(typ="safe", pure=True)
        policy = yaml.load(TRADE.read_text("utf-8"))
        policy["routing"]["roles"] += roles
        policy["routing"].update(routing or {})
        policy["lifecycle"]["moves"] += moves
        policy["clocks"] += clocks
        policy["notices"] += notices
        path = tmp_path / "ruled.yaml"
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(policy, file)
        assert [str(problem) for problem in check([path])] == []
        return await found(company=str(path), **given)

    return town


def shift(town: Town, who: Person, since: str, until: str, *roles: str) -> None:
    """Put somebody on call for these roles, or, without any, let them be away."""
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[who.member.id]
        member.facts.roster.append(
            Shift(starts_at=town.clock.of(since), ends_at=town.clock.of(until), roles=list(roles))
        )
        unit.flush(Changes(staff=[member]))


async def shown(agent: Person, number: str) -> Any:
    """Open a case in an agent's own chat."""
    await agent.say(number)
    return await agent.press(number)
