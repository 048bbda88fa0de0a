"""HTTP/1.1 cut by hand: the messages here are tiny and known, and a library would cost as much as a bot."""

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_CHUNKED = b"\r\ntransfer-encoding: chunked"


class HttpReader:
    """Cuts a stream into messages of head and body (Content-Length or chunked); bodies up to a close are not known."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Take bytes as they came; return the (head, body) pairs that are now complete."""
        rest = self._rest + data if self._rest else data
        messages = []
        while (end := rest.find(_END)) >= 0:
            head = rest[:end]
            found = _body(rest, end + len(_END), head.lower())
            if found is None:
                break
            body, stop = found
            messages.append((head, body))
            rest = rest[stop:]
        self._rest = rest
        return messages


def _body(data: bytes, start: int, head: bytes) -> tuple[bytes, int] | None:
    """Return the body at `start` and the offset behind it, or None while bytes are missing."""
    at = head.find(_LENGTH)
    if at < 0:
        return _chunks(data, start) if _CHUNKED in head else (b"", start)
    at += len(_LENGTH)
    line_end = head.find(b"\r", at)
    stop = start + int(head[at:] if line_end < 0 else head[at:line_end])
    return (data[start:stop], stop) if len(data) >= stop else None


def _chunks(data: bytes, start: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := data.find(b"\r\n", start)) >= 0:
        size = int(data[start:line_end].partition(b";")[0], 16)
        start = line_end + 2 + size + 2
        if len(data) < start:
            return None
        if size == 0:
            return body, start
        body += data[line_end + 2 : start - 2]
    return None
