"""Concerning: whom of the staff a complaint is about, as whoever complains says; it is kept from them."""

import re
from collections.abc import Iterator

from complaints.case import Case
from complaints.conversation import Staff
from handlers import rights
from handlers.turn import SYSTEM, Turn

#: A name has so many characters at least.
_A_NAME = 2


def keep_from(turn: Turn, case: Case, member_id: int) -> bool:
    """Keep the case from a member of the staff whom it concerns; False, and nothing, if nobody could handle it then."""
    case.facts.concerned.append(member_id)
    there = turn.scene.staff.values()
    if any(rights.sees(turn, case, each) and rights.handles(turn, case, each) for each in there):
        return True
    case.facts.concerned.remove(member_id)
    return False


def find(turn: Turn, case: Case) -> None:
    """Keep the case from those whom the complaint names, where its form asks for them, before anybody is told of it.

    The answer may name people, or a role by its title; the other words people, or the role that would handle the case.
    """
    asked = [each for each in turn.policy(case).form.fields if each.concerns and turn.holds(each.when, case)]
    if not asked or not case.open:
        return
    named = "\n".join(case.words.answers.get(each.id, "") for each in asked)
    said = "\n".join([*(each.text for each in case.words.said), *case.words.answers.values()])
    department = turn.policy(case).taxonomy.type(case.type).department if case.type else ""
    roles = {*_roles(turn, case, named), *({department} & {*_roles(turn, case, said)})}
    for member in turn.scene.staff.values():
        meant = _named(member, said) or not roles.isdisjoint(member.roles)
        if meant and member.active and member.id not in case.facts.concerned and keep_from(turn, case, member.id):
            turn.record(case, "concerns", SYSTEM, facts={"member": member.id})


def _named(member: Staff, text: str) -> bool:
    return len(member.name) >= _A_NAME and _stands(member.name, text)


def _roles(turn: Turn, case: Case, text: str) -> Iterator[str]:
    """Yield the roles whose title or id stands in a text; one that is a part of a longer title does not count there."""
    titles = [
        (re.split(r"[(\uff08]", title)[0].strip(), role.id)
        for role in turn.policy(case).routing.roles
        for title in (role.id, role.title.zh_hans, role.title.zh_hant, role.title.en)
    ]
    for title, role_id in sorted(titles, key=lambda each: -len(each[0])):
        if title and _stands(title, text):
            yield role_id
            if title != role_id:
                text = text.replace(title, "\n")


def _stands(word: str, text: str) -> bool:
    """Tell whether a word stands in a text; one in Latin letters as a word of its own."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", text, re.IGNORECASE) is not None
