"""Towns with a rule book of their own."""

from pathlib import Path

import pytest

import policies
from policies import yaml12
from policies.checker import check
from tests.conftest import Found

TRADE = Path(policies.__file__).parent / "companies" / "trade_003.yaml"


def title(word: str) -> dict[str, str]:
    return {"zh-Hans": word, "zh-Hant": word, "en": word}


@pytest.fixture
def shaped(found: Found, tmp_path: Path):
    """Return a function that founds a town with the trader's policy, changed: sections; moves, clocks and the like by their id."""

    async def town(
        *,
        moves=None,
        clocks=None,
        fields=None,
        approvals=None,
        grades=None,
        at="2025-03-03 10:15",
        more=None,
        **sections,
    ):
        policy = yaml12.load(TRADE.read_text("utf-8"))
        changes = (
            (policy["lifecycle"]["moves"], moves),
            (policy["clocks"], clocks),
            (policy["form"]["fields"], fields),
            (policy["approvals"], approvals),
        )
        for listed, changed in changes:
            for id_, what in (changed or {}).items():
                known = next((each for each in listed if each["id"] == id_), None)
                if known is None:
                    listed.append(known := {"id": id_})
                known.update(what)
        policy["taxonomy"]["grades"].update(grades or {})
        for name, what in sections.items():
            policy[name] = {**policy[name], **what} if isinstance(what, dict) and name in policy else what
        path = tmp_path / "shaped.yaml"
        path.write_text(yaml12.write(policy), "utf-8")
        assert [str(problem) for problem in check([path])] == []
        return await found(at, company=str(path), **(more or {}))

    return town
