"""The peers: programs in JavaScript around what others wrote for WeChat and WeCom."""

import os
from collections.abc import Iterator

import pytest

from tests.peers.node import Peer, missing


@pytest.fixture(scope="session", autouse=True)
def _peers_are_there() -> None:
    """Without the peers their tests are skipped, and say why; in CI that is a failure."""
    if reason := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def crypto() -> Iterator[Peer]:
    """Seals and opens, by `wechat-crypto` and `@wecom/crypto`."""
    with Peer("crypto.js") as peer:
        yield peer


@pytest.fixture(scope="session")
def parser() -> Iterator[Peer]:
    """Reads XML, by the parser of `co-wechat`."""
    with Peer("xml.js") as peer:
        yield peer
