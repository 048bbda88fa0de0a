"""Reads text as Telegram does: length in UTF-16 code units, entities, HTML.

Source: https://core.telegram.org/bots/api#formatting-options and https://core.telegram.org/api/entities#entity-length
"""

import html
import re
from typing import Any, Final

Json = dict[str, Any]  # one object of the wire, whose shape the platform defines


class TextError(Exception):
    """The text cannot be read under the given parse mode."""


def units(text: str) -> int:
    """Count the UTF-16 code units of a text, which is how Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def entities(text: str) -> list[Json]:
    """Find what Telegram itself marks in a plain text: commands, mentions, addresses."""
    return [
        {"type": str(found.lastgroup), "offset": units(text[: found.start()]), "length": units(found.group())}
        for found in _PLAIN.finditer(text)
    ]


def read_html(marked: str) -> tuple[str, list[Json]]:
    """Split HTML into the text a person sees and its entities; whatever is not HTML is refused as Telegram does."""
    text, spans = "", list[Json]()
    opened: list[tuple[str, Json]] = []
    for token in _TOKEN.finditer(marked):
        closing, tag, attributes, words = token.groups()
        at = len(marked[: token.start()].encode())
        tag = (tag or "").lower()
        if words is not None:
            text += html.unescape(words)
        elif closing:
            if not opened or opened[-1][0] != tag:
                message = f"can't parse entities: Unexpected end tag at byte offset {at}"
                raise TextError(message)
            span = opened.pop()[1]
            span["length"] = units(text) - span["offset"]
            if span["length"]:
                spans.append(span)
        elif tag in _TAGS:
            span = {"type": _TAGS[tag], "offset": units(text), "length": 0}
            link = _LINK.search(attributes or "")
            opened.append((tag, span | {"url": html.unescape(link[1])} if link and tag == "a" else span))
        else:
            message = f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {at}'
            raise TextError(message)
    if opened:
        at = len(marked.encode())
        message = f"can't parse entities: Can't find end tag corresponding to start tag \"{opened[-1][0]}\""
        raise TextError(message)
    return text, sorted(spans, key=lambda span: (span["offset"], -span["length"]))


_PLAIN: Final = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?P<url>(?:https?://|t\.me/)[^\s<>\"\u3000-\u303f\uff00-\uffef]*[^\s<>\".,;:!?)\u3000-\u303f\uff00-\uffef])"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{3,31})"
)
_TOKEN: Final = re.compile(r"<(/?)([^\s<>/]*)([^<>]*)>|<|([^<]+)")
_LINK: Final = re.compile(r"""href\s*=\s*["']([^"']*)""")
_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}
