"""What the stories about people share: companies with other rules, and rosters."""

from pathlib import Path
from typing import Any

import pytest

import policies
from complaints.conversation import Shift
from complaints.ports import Changes
from policies import yaml12
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
    """Return a function that founds a town whose policy has other routing, and more roles, routes, moves, clocks and notices."""

    async def town(
        *roles: dict[str, Any],
        routing: dict[str, Any] | None = None,
        moves: tuple[dict[str, Any], ...] = (),
        clocks: tuple[dict[str, Any], ...] = (),
        notices: tuple[dict[str, Any], ...] = (),
        **given: Any,
    ) -> Town:
        policy = yaml12.load(TRADE.read_text("utf-8"))
        policy["routing"]["roles"] += roles
        there = policy["routing"]["routes"]
        policy["routing"].update(routing or {})
        policy["routing"]["routes"] = [*(routing or {}).get("routes", []), *there]
        policy["lifecycle"]["moves"] += moves
        policy["clocks"] += clocks
        policy["notices"] += notices
        policy["examples"] = [each for each in policy["examples"] if "case" not in each]  # of the company's own routes
        path = tmp_path / "ruled.yaml"
        path.write_text(yaml12.write(policy), "utf-8")
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
