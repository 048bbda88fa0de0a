"""The web server: where platforms post what was said, and where one looks whether all is well."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from bot.channel import Channel, Delivery
from bot.desk import Desk, Served
from bot.metrics import Metrics
from complaints.commands import Hear
from complaints.errors import Malformed, NotGenuine, Unavailable
from complaints.messages import Address
from complaints.ports import Letter, Priority

log = structlog.get_logger("bot.web")

_LARGEST_BODY: Final = 2 * 1024 * 1024
#: A platform waits so many seconds at most; then it is told to come again.
_PATIENCE: Final = 20.0
_AGAIN: Final = {"Retry-After": "5"}

Ready = Callable[[], Awaitable[dict[str, bool]]]


def build(
    *, desk: Desk, channels: dict[str, Channel], metrics: Metrics, ready: Ready, routes: Sequence[web.RouteDef] = ()
) -> web.Application:
    """Build the application. `channels` maps a path to the channel whose platform posts there; `routes` come on top."""
    application = web.Application(client_max_size=_LARGEST_BODY)
    for path, channel in channels.items():
        application.router.add_post(path, _webhook(desk, channel, metrics))
    application.router.add_get("/healthz", _healthz)
    application.router.add_get("/readyz", _readyz(ready))
    application.router.add_get("/metrics", _metrics(metrics.registry))
    application.router.add_routes(routes)
    return application


def _webhook(desk: Desk, channel: Channel, metrics: Metrics) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def post(request: web.Request) -> web.StreamResponse:
        """Prove, understand, serve, and only after the commit say OK."""
        try:
            delivery = Delivery(headers=request.headers, query=request.query, body=await request.read())
            messages = channel.understand(delivery)
        except NotGenuine:
            metrics.refused.labels("not_genuine").inc()
            return web.Response(status=403)
        except Malformed as error:
            metrics.refused.labels("malformed").inc()
            log.warning("malformed", channel=channel.name, detail=str(error))
            return web.Response(status=400)
        try:
            async with asyncio.timeout(_PATIENCE):
                served = [await desk.submit(Hear(message=message)) for message in messages]
        except (Unavailable, TimeoutError):
            metrics.refused.labels("unavailable").inc()
            return web.Response(status=503, headers=_AGAIN)
        metrics.heard.inc(len(messages))
        letters = press_letters(desk, channel.name, served)
        reply = channel.passive(delivery, letters) if letters else None
        if reply is None:
            return web.Response()
        return web.Response(body=reply.body, content_type=reply.content_type)

    return post


def press_letters(desk: Desk, channel: str, served: list[Served]) -> list[Letter]:
    """Return the answers to presses as letters: they are worth nothing later, so the outbox never sees them."""
    ids = desk.book.ids
    return [
        Letter(
            id=ids.next(),
            address=Address(channel=channel, chat=each.press.ref),
            body=each.press,
            priority=Priority.ANSWER,
            due_at=desk.now(),
        )
        for each in served
        if each.press is not None
    ]


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


def _readyz(ready: Ready) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        checks = await ready()
        return web.json_response(checks, status=200 if checks.get("database") else 503)

    return answer


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
