"""Customers in a closed loop: each sends the next update once the last was answered with 200 and its reply seen."""

import asyncio
import gc
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from benchmarks.bot_api import FakeBotApi, Spoken
from benchmarks.filing import Script, Step
from benchmarks.webhook import Webhook

_OK = 200
_FIRST_CHAT = 700_000_000
_PAUSE_S = 0.05  # after a wrong reply, so that a target that refuses everything is not flooded
_DRAIN_S = 5.0  # how long the last replies may take
_SAMPLES = 5
_FROM = b'{"id":%d,"is_bot":false,"first_name":"Customer","language_code":"zh-hans"}'
_CHAT = b'{"id":%d,"first_name":"Customer","type":"private"}'
_TEXT = (
    b'{"update_id":%d,"message":{"message_id":%d,"from":' + _FROM + b',"chat":' + _CHAT + b',"date":%d,"text":%b%b}}'
)
_PRESS = (
    b'{"update_id":%d,"callback_query":{"id":"%d","from":' + _FROM + b',"chat_instance":"%d","data":%b,'
    b'"message":{"message_id":%d,"chat":' + _CHAT + b',"date":%d,"text":%b,'
    b'"from":{"id":4242,"is_bot":true,"first_name":"Desk","username":"benchmark_bot"}}}}'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a process tree has used: CPU seconds since its start, MB of memory now and at its highest."""

    cpu_s: float
    rss_mb: float
    rss_peak_mb: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What one play measured."""

    updates_per_s: float
    """Updates that were answered with 200 and got the right reply, per second of the window."""
    p50_ms: float
    """Milliseconds from posting an update to seeing its reply, median."""
    p99_ms: float
    """The same, 99th percentile."""
    cpu_us: float
    """CPU microseconds of the target's process tree per update."""
    rss_mb: float
    """Resident memory of the target's process tree at the end of the window, MB."""
    rss_peak_mb: float
    """The same at its highest, MB."""
    generator_cpu: float
    """Cores that the generator used, 1.0 being one whole core: near 1 it is the bottleneck."""
    not_ok: int
    """Updates without 200, wrong replies, surplus messages and missing answers, warm-up included."""
    samples: tuple[str, ...]
    """The first few of these, in words."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Filing:
    """One complaint on its way."""

    chat: int
    number: int
    steps: tuple[Step, ...]
    at: int = 0
    posted_at: float = 0.0
    latency_s: float = 0.0
    answered: bool = True
    seen: bool = True
    keyboard: Spoken | None = None

    @property
    def step(self) -> Step:
        return self.steps[self.at]

    @property
    def waits(self) -> bool:
        return not (self.answered and self.seen)


@dataclass(kw_only=True, slots=True)
class _Tally:
    latencies_s: list[float] = field(default_factory=list)
    not_ok: int = 0
    samples: list[str] = field(default_factory=list)


class Customers:
    """Any number of customers who play one script against one target, over as many plays as wanted."""

    def __init__(self, *, script: Script, delay_s: float = 0.0) -> None:
        self.api = FakeBotApi(listener=self._hear, delay_s=delay_s)
        self._script = script
        self._tally = _Tally()
        self._recording = False
        self._stopping = True
        self._open: dict[int, _Filing] = {}
        self._number = 0
        self._update_id = 1_000_000
        self._webhook: Webhook

    async def play(
        self, *, webhook: Webhook, users: int, warm_up_s: float, seconds: float, usage: Callable[[], Usage]
    ) -> Figures:
        """Let `users` customers file complaints over `webhook`, and measure `seconds` of it after the warm-up."""
        self._webhook = webhook
        self._tally = _Tally()
        self._stopping = False
        await webhook.open(users)
        gc.collect()
        gc.disable()
        for _ in range(users):
            self._begin()
        await asyncio.sleep(warm_up_s)
        self._recording = True
        before, own, start = usage(), time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        self._recording = False
        took, own, after = time.perf_counter() - start, time.process_time() - own, usage()
        await self._drain()
        gc.enable()
        webhook.close()
        latencies = self._tally.latencies_s
        percentiles = quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
        return Figures(
            updates_per_s=len(latencies) / took,
            p50_ms=percentiles[49] * 1e3,
            p99_ms=percentiles[98] * 1e3,
            cpu_us=(after.cpu_s - before.cpu_s) / max(len(latencies), 1) * 1e6,
            rss_mb=after.rss_mb,
            rss_peak_mb=after.rss_peak_mb,
            generator_cpu=own / took,
            not_ok=self._tally.not_ok,
            samples=tuple(self._tally.samples),
        )

    async def _drain(self) -> None:
        """Send nothing more; what is not answered in time is not ok, and so is what comes to a chat that is over."""
        self._stopping = True
        deadline = time.perf_counter() + _DRAIN_S
        while any(filing.waits for filing in self._open.values()) and time.perf_counter() < deadline:  # noqa: ASYNC110 - once a play
            await asyncio.sleep(0.02)
        for filing in [filing for filing in self._open.values() if filing.waits]:
            self._wrong(filing, f"no answer in {_DRAIN_S:.0f} s (200: {filing.answered}, reply: {filing.seen})")
        self._open.clear()

    def _begin(self) -> None:
        if self._stopping:
            return
        self._number += 1
        filing = _Filing(chat=_FIRST_CHAT + self._number, number=self._number, steps=self._script.steps)
        self._open[filing.chat] = filing
        self._post(filing)

    def _post(self, filing: _Filing) -> None:
        update = self._update(filing)
        if update is None:
            return
        filing.answered = filing.seen = False
        filing.posted_at = time.perf_counter()
        self._webhook.post(update, lambda status, body: self._answered(filing, status, body))

    def _update(self, filing: _Filing) -> bytes | None:
        """Write the step as Telegram does; None if there is no such button to press."""
        self._update_id += 1
        step, chat, now = filing.step, filing.chat, int(time.time())
        text = step.say.format(n=filing.number)
        if step.press is not None:
            buttons = _buttons(filing.keyboard)
            found = _find(step.press, buttons)
            if found is None:
                self._wrong(filing, f"no button to press among {buttons}")
                return None
            text, data = found
            if data is not None and filing.keyboard is not None:
                shown = (filing.keyboard.message_id, chat, now, _json(filing.keyboard.text))
                return _PRESS % (self._update_id, self._update_id, chat, chat, _json(data), *shown)
        command = b',"entities":[{"type":"bot_command","offset":0,"length":%d}]' % len(text.split()[0])
        message_id = next(self.api.message_ids)
        entities = command if text.startswith("/") else b""
        return _TEXT % (self._update_id, message_id, chat, chat, now, _json(text), entities)

    def _answered(self, filing: _Filing, status: int, body: bytes) -> None:
        if self._open.get(filing.chat) is not filing:
            return
        if status != _OK:
            self._wrong(filing, f"the webhook was answered {status or 'by a broken connection'} {body[:200]!r}")
            return
        if body.startswith(b"{") and b'"method"' in body:  # Telegram takes a call in the answer, too
            call = json.loads(body)
            self.api.call(call.pop("method"), call)
        if self._open.get(filing.chat) is filing:
            filing.answered = True
            self._advance(filing)

    def _hear(self, spoken: Spoken) -> None:
        filing = self._open.get(spoken.chat)
        if filing is None:
            if _FIRST_CHAT < spoken.chat <= _FIRST_CHAT + self._number and not _any(self._script.also, spoken.text):
                self._not_ok(f"chat {spoken.chat} is over, but got {spoken.text!r}")
            return
        if spoken.markup:
            filing.keyboard = spoken
        if filing.seen or not filing.step.expect.search(spoken.text):
            expected = () if filing.seen else filing.step.before
            if not _any((*expected, *self._script.also), spoken.text):
                self._wrong(filing, f"{'surplus' if filing.seen else 'wrong'} message {spoken.text!r}")
            return
        filing.seen = True
        filing.latency_s = time.perf_counter() - filing.posted_at
        self._advance(filing)

    def _advance(self, filing: _Filing) -> None:
        if filing.waits:
            return
        if self._recording:
            self._tally.latencies_s.append(filing.latency_s)
        filing.at += 1
        if filing.at == len(filing.steps):
            del self._open[filing.chat]
            self._begin()
        elif not self._stopping:
            self._post(filing)

    def _wrong(self, filing: _Filing, what: str) -> None:
        """Count it, leave this complaint and let the customer begin another a little later."""
        step = filing.step
        does = f"presses /{step.press.pattern}/" if step.press else f"says {step.say!r}"
        self._not_ok(f"step {filing.at + 1}: customer {does}, expects /{step.expect.pattern}/: {what}")
        self._open.pop(filing.chat, None)
        asyncio.get_running_loop().call_later(_PAUSE_S, self._begin)

    def _not_ok(self, what: str) -> None:
        self._tally.not_ok += 1
        if len(self._tally.samples) < _SAMPLES:
            self._tally.samples.append(what)


def _json(text: str) -> bytes:
    return json.dumps(text).encode()


def _any(patterns: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _buttons(keyboard: Spoken | None) -> list[tuple[str, str | None]]:
    """Return (label, callback data) of what can be pressed; a button of a reply keyboard has no data."""
    if keyboard is None:
        return []
    markup: dict[str, Any] = json.loads(keyboard.markup) if isinstance(keyboard.markup, str) else keyboard.markup
    inline = [button for row in markup.get("inline_keyboard", ()) for button in row if "callback_data" in button]
    plain = [
        button if isinstance(button, str) else button["text"] for row in markup.get("keyboard", ()) for button in row
    ]
    return [(button["text"], button["callback_data"]) for button in inline] + [(label, None) for label in plain]


def _find(wanted: re.Pattern[str], buttons: list[tuple[str, str | None]]) -> tuple[str, str | None] | None:
    return next(((label, data) for label, data in buttons if wanted.search(label) or wanted.search(data or "")), None)
