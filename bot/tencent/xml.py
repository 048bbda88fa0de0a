"""Reads and writes the XML of WeChat and WeCom: one element for each field, words in CDATA.

Everything a customer writes travels in that XML, and the platform does not always escape it. So no text may become an
element here, in either direction.
Source: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from complaints.errors import Malformed

Fields = dict[str, Any]
"""What stands in an XML: texts, further fields, or lists of either. Every reader checks the type it needs."""


def read(body: bytes) -> Fields:
    """Return the fields of a body; raise `Malformed` for everything that is not XML as the platform writes it.

    Texts are stripped; an empty element is an empty text. Elements that the platform repeats are always lists.
    """
    if len(body) > LARGEST:
        raise Malformed(f"{len(body)} bytes of XML")
    text = _FORBIDDEN.sub("", body.decode("utf-8-sig", "replace"))
    try:
        root = fromstring(_mended(text), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as problem:  # their texts may hold what a person wrote
        raise Malformed(f"not XML: {type(problem).__name__}") from None
    fields = _value(root, 0)
    if root.tag != "xml" or not isinstance(fields, dict):
        raise Malformed("XML without fields")
    return fields


def write(fields: Mapping[str, Any]) -> bytes:
    """Return the XML of these fields: texts in CDATA, numbers bare, lists as repeated elements."""
    return f"<xml>{_elements(fields)}</xml>".encode()


def _mended(text: str) -> str:
    """Return the XML with a `]]>` inside somebody's words escaped, where the platform forgot to.

    What a person wrote begins where the first element of that name opens, and ends where the last one closes: in
    between, whatever looks like an element was typed.
    """
    parts: list[str] = []
    place = 0
    while opening := _WORDS.search(text, place):
        start, end = opening.end(), -1
        for closing in re.finditer(rf"\]\]>\s*</{opening[1]}>", text[start:]):
            end = start + closing.start()
        if end < 0:
            break
        said = text[start:end]
        if "]]>" in said.replace(_ESCAPED, ""):
            said = said.replace("]]>", _ESCAPED)
        parts += [text[place:start], said]
        place = end
    return "".join([*parts, text[place:]])


def _value(element: Element, depth: int) -> Fields | str:
    if not len(element):
        return (element.text or "").strip()
    if depth >= _DEEPEST:
        raise Malformed("XML nested too deep")
    fields: Fields = {}
    for child in element:
        value = _value(child, depth + 1)
        if child.tag in _REPEATED:
            fields.setdefault(child.tag, []).append(value)
        elif child.tag in fields:
            raise Malformed("an element stands twice in the XML")
        else:
            fields[child.tag] = value
    return fields


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_content(each)}</{name}>"
        for name, value in fields.items()
        for each in (value if isinstance(value, Sequence) and not isinstance(value, str) else (value,))
    )


def _content(value: object) -> str:
    if isinstance(value, Mapping):
        return _elements(value)
    if isinstance(value, int):
        return str(value)
    words = _FORBIDDEN.sub("", str(value)).replace("]]>", _ESCAPED)
    return f"<![CDATA[{words}]]>"


LARGEST: Final = 256 * 1024
"""The most bytes that are read. A message of either platform has a few kilobytes."""
_DEEPEST: Final = 12
_ESCAPED: Final = "]]]]><![CDATA[>"
_WORDS: Final = re.compile(r"<(Content|Title|Description|Url|Label|Poiname|Recognition|ScanResult)>\s*<!\[CDATA\[")
_REPEATED: Final = frozenset(
    {"item", "Item", "List", "AroundBeacon", "SelectedItem", "OptionId", "ApprovalNode", "NotifyNode"}
)
# what XML 1.0 has no place for: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
