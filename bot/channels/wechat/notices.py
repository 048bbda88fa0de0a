"""Fills the fields of a notice: all that may be sent once the window has closed, in forms that WeChat has approved.

A field's name tells its type and so its limits. Pure: no network, no clock.
Sources: https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage,
https://developers.weixin.qq.com/doc/service/api/notify/notify/api_sendsubscribemessage
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from bot import text as writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A notice of the account: its id, its fields, and the values of those that take only some."""

    id: str
    fields: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def declared(setting: str) -> Template:
    """Read a template from the settings: its id, alone or with its fields, as in `ID:thing1+character_string2`.

    The fields must stand there where the platform does not list the template: it lists those of the old library only.
    """
    name, _, fields = setting.partition(":")
    return Template(id=name, fields=tuple(fields.split("+")) if fields else ())


def listed(answer: Any) -> dict[str, Template]:
    """Read the templates by id out of the platform's list: of template messages, or of subscription notices."""
    given = answer if isinstance(answer, dict) else {}
    templates = {}
    for each in (*_objects(given.get("template_list")), *_objects(given.get("data"))):
        name, content = each.get("template_id") or each.get("priTmplId"), each.get("content")
        if isinstance(name, str) and isinstance(content, str):
            templates[name] = Template(
                id=name, fields=tuple(dict.fromkeys(_FIELD.findall(content))), choices=_choices(each)
            )
    return templates


def fill(template: Template, *, text: str, about: str, at: datetime) -> dict[str, dict[str, str]] | None:
    """Return the value of every field, or None if one of them can hold nothing that we have to say.

    `about` is the case number; `at` stands in fields of time, in Chinese time.
    """
    told = text.partition(about)[2].lstrip(_BETWEEN) if about else ""  # the number has a field, or stands alone
    lines = [" ".join(line.split()) for line in writing.clean(told or text).splitlines() if line.strip()]
    elsewhere = any(name.startswith("character_string") for name in template.fields)
    things = iter([*lines[:1], *([about] if about and not elsewhere else []), *lines[1:]])
    data = {}
    for name in template.fields:
        value = _value(name, template, things=things, text=text, about=about, at=at.astimezone(_CHINA))
        if not value:
            return None
        data[name] = {"value": value}
    return data or None


def _value(name: str, template: Template, *, things: Any, text: str, about: str, at: datetime) -> str:
    match name.rstrip("0123456789"):
        case "thing" | "keyword" | "first" | "remark":
            return _clip(next(things, "-"), _THING)
        case "character_string":
            return re.sub(r"[^\x21-\x7e]", "", about)[:_STRING] or "-"
        case "number":
            return re.sub(r"[^0-9]", "", about)[:_STRING] or "1"
        case "time":
            return f"{at:%Y-%m-%d %H:%M}"
        case "date":
            return f"{at:%Y-%m-%d}"
        case "phrase":
            return "".join(sign for sign in text if _FIRST_SIGN <= ord(sign) <= _LAST_SIGN)[:_PHRASE]
        case _:
            return next(iter(template.choices.get(name, ())), "")


def _clip(line: str, most: int) -> str:
    if writing.units(line) <= most:
        return line
    return writing.split(line, most - 1, writing.units)[0].rstrip() + "\u2026"


def _choices(template: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {}
    for each in _objects(template.get("keywordEnumValueList")):
        name, values = each.get("keywordCode"), each.get("enumValueList")
        if isinstance(name, str) and isinstance(values, list):
            found[name.removesuffix(".DATA")] = tuple(value for value in values if isinstance(value, str))
    return found


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_FIELD: Final = re.compile(r"\{\s*\{\s*([A-Za-z_][A-Za-z0-9_]*)\.DATA\s*\}\s*\}")
_CHINA: Final = timezone(timedelta(hours=8))
_BETWEEN: Final = " \t\n,.:;)\uff0c\u3002\uff1a\uff1b\uff09"
_THING: Final = 20
_STRING: Final = 32
_PHRASE: Final = 5
_FIRST_SIGN: Final = 0x4E00
_LAST_SIGN: Final = 0x9FFF
