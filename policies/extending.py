"""A policy that extends another file: what it does not say comes from there.

Mappings merge deeply. A list of things with an `id` merges by it, in the order of the file's own list, then what it did
not name: `{id: x}` alone takes the inherited one at that place, `{id: x, drop: true}` leaves it out, and with
`{id: "*", drop: true}` everything that is not named. A condition, a limit, and every other list are replaced. Examples
are nobody's but the file's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, Final

from policies.places import Path

#: The key with which a policy names what it extends.
EXTENDS: Final = "extends"
#: Written for an `id` that is dropped: everything that the list does not name.
EVERYTHING: Final = "*"
#: They try the file they stand in, with everything in it.
_EXAMPLES: Final = "examples"
_HERE: Final = File(__file__).parent
#: Conditions: half of one and half of another would mean something that nobody wrote.
_CONDITIONS: Final = frozenset({"when", "of"})
#: What only a limit has: half of one with half of another would be no limit.
_UNIT: Final = "unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Something in the extending file that has nothing to hold on to in the other one: where, what, and the cure."""

    path: Path
    message: str
    cure: str


def base_of(data: object) -> str:
    """Return the name of what a policy extends; "" if it stands alone. ValueError for what is no name."""
    name = data.get(EXTENDS, "") if isinstance(data, Mapping) else ""
    if not isinstance(name, str) or (name and not name.isidentifier()):
        raise ValueError(f"`{EXTENDS}` names a file without its ending, such as `{EXTENDS}: standard`.")
    return name


def find_base(name: str, file: File, policies_dir: File) -> File | None:
    """Return where the file lies that `file` extends, or None if there is none.

    It lies beside the file, beside the folder of the file, in `policies_dir`, or comes with Plaint.
    """
    places = (folder / f"{name}.yaml" for folder in (file.parent, file.parent.parent, policies_dir, _HERE))
    return next((each for each in places if each.is_file() and each.resolve() != file.resolve()), None)


class Extended:
    """The data of a policy together with what it inherits. `misfits` are dropped things that do not exist."""

    def __init__(self, own: Mapping[str, Any], base: Mapping[str, Any]) -> None:  # Any: whatever the files hold
        self.misfits: Final[list[Misfit]] = []
        self._origins: Final[dict[Path, tuple[bool, Path]]] = {(): (True, ())}
        said = {key: value for key, value in own.items() if key != EXTENDS}
        given = {key: value for key, value in base.items() if key != _EXAMPLES}
        self.data: Final[dict[str, Any]] = self._mapping(said, given, (), (), ())

    def origin(self, path: Path) -> tuple[bool, Path]:
        """Return whether a place of the merged data lies in the extending file itself, and where in its file it is."""
        for length in range(len(path), -1, -1):
            found = self._origins.get(path[:length])
            if found is not None:
                return found[0], (*found[1], *path[length:])
        raise AssertionError("The whole has an origin.")

    def _mapping(
        self, own: Mapping[str, Any], base: Mapping[str, Any], at: Path, own_at: Path, base_at: Path
    ) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key in [*own, *(each for each in base if each not in own)]:
            here, ours, theirs = (*at, key), (*own_at, key), (*base_at, key)
            self._origins[here] = (True, ours) if key in own else (False, theirs)
            if key in own and key in base and key not in _CONDITIONS:
                merged[key] = self._value(own[key], base[key], here, ours, theirs)
            else:
                merged[key] = own[key] if key in own else base[key]
        return merged

    def _value(self, own: Any, base: Any, at: Path, own_at: Path, base_at: Path) -> Any:
        if isinstance(own, Mapping) and isinstance(base, Mapping) and _UNIT not in {*own, *base}:
            return self._mapping(own, base, at, own_at, base_at)
        if isinstance(own, list) and isinstance(base, list) and _by_id(own, base):
            return self._list(own, base, at, own_at, base_at)
        return own

    def _list(self, own: list[Any], base: list[Any], at: Path, own_at: Path, base_at: Path) -> list[Any]:
        inherited = {each["id"]: position for position, each in enumerate(base)}
        left = dict(inherited)
        merged: list[Any] = []
        for position, each in enumerate(own):
            name, ours = _id(each), (*own_at, position)
            here: Path = (*at, len(merged))
            theirs = inherited.get(name)
            if name and each.get("drop") is True:
                self._drop(each, ours, left)
                continue
            self._origins[here] = (True, ours)
            if theirs is None:
                merged.append(each)
            else:
                left.pop(name, None)
                merged.append(self._mapping(each, base[theirs], here, ours, (*base_at, theirs)))
        for position in left.values():
            self._origins[(*at, len(merged))] = (False, (*base_at, position))
            merged.append(base[position])
        return merged

    def _drop(self, dropped: Mapping[str, Any], ours: Path, left: dict[str, int]) -> None:
        name = dropped["id"]
        if set(dropped) != {"id", "drop"}:
            self.misfits.append(
                Misfit(
                    path=ours,
                    message=f"{name!r} is dropped and described at the same time.",
                    cure="Write `{id: " + str(name) + ", drop: true}` alone, or leave `drop` out.",
                )
            )
        elif name == EVERYTHING:
            left.clear()
        elif left.pop(name, None) is None:
            there = ", ".join(map(str, left)) or "nothing"
            self.misfits.append(
                Misfit(
                    path=ours,
                    message=f"{name!r} is dropped and is not inherited.",
                    cure=f"Remove it. Still inherited: {there}.",
                )
            )


def _id(element: object) -> str:
    name = element.get("id") if isinstance(element, Mapping) else None
    return name if isinstance(name, str) else ""


def _by_id(own: Iterable[object], base: Iterable[object]) -> bool:
    """Tell whether two lists merge by id: every inherited element has one, and one of the file's own at least."""
    named = [bool(_id(each)) for each in base]
    return bool(named) and all(named) and any(map(_id, own))
