"""The errand behind a customer's file: bring it home, hash it, seal it, and tell the desk what became of it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bot.channel import Carrier, Outcome, Refused, Retry, Sent, Unreachable
from bot.desk import Desk
from bot.page.uploads import Uploads, is_upload
from complaints.commands import Keep
from complaints.errors import Unavailable
from complaints.messages import Fetch
from complaints.ports import Letter
from storage import Store, Unreadable

log = structlog.get_logger("bot.evidence")


def keep_paper(store: Store, folder: Path, number: int, content: bytes) -> None:
    """Keep a paper of the company's own under its number, sealed. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / f"{number}.sealed").write_bytes(store.sealed_paper(number, content))


def errand(
    *, store: Store, desk: Desk, folder: Path, papers: Path, uploads: Uploads | None = None
) -> Callable[[Carrier, Letter], Awaitable[Outcome]]:
    """Return the function that does a `Fetch`; sealed files lie in `folder`, named by their id, proofs in `papers`.

    A file that came by the customer's page is among `uploads`, and at no platform.
    A file is held in memory on its way (a platform's limit is some 20 MB, and few errands run at once), so that it is
    on disk only sealed.
    """

    def end(ref: str, *, kept: bool = False) -> None:
        if uploads is not None:
            uploads.end(ref, kept=kept)

    async def fetch(channel: Carrier, letter: Letter) -> Outcome:
        body = letter.body
        if not isinstance(body, Fetch) or letter.conversation_id is None:
            return Refused(error="not an errand for a file")
        pieces: list[bytes] = []

        async def sink(piece: bytes) -> None:
            pieces.append(piece)

        if uploads is not None and is_upload(body.ref):
            outcome = await uploads.fetch(body.ref, sink, attempts=letter.attempts)
        else:
            outcome = await channel.fetch(body.ref, sink)
        key = f"keep:{body.evidence_id}"
        try:
            if isinstance(outcome, Sent) and body.duty:
                content = b"".join(pieces)
                await asyncio.to_thread(keep_paper, store, papers, body.duty, content)
                await desk.submit(
                    Keep(
                        evidence_id=body.evidence_id,
                        duty=body.duty,
                        conversation_id=letter.conversation_id,
                        sha256=hashlib.sha256(content).hexdigest(),
                        size=len(content),
                        key=key,
                    )
                )
            elif isinstance(outcome, Sent):
                path = folder / f"{body.evidence_id}.sealed"
                kept = await asyncio.to_thread(store.seal_file, body.evidence_id, path, pieces)
                await desk.submit(
                    Keep(
                        evidence_id=body.evidence_id,
                        conversation_id=letter.conversation_id,
                        path=path.name,
                        sha256=kept.sha256,
                        size=kept.size,
                        key=key,
                    )
                )
                end(body.ref, kept=True)
            elif isinstance(outcome, Refused | Unreachable):
                problem = outcome.error if isinstance(outcome, Refused) else outcome.reason
                await desk.submit(
                    Keep(
                        evidence_id=body.evidence_id,
                        duty=body.duty,
                        conversation_id=letter.conversation_id,
                        problem=problem,
                        key=key,
                    )
                )
                end(body.ref)
                return Sent()  # the errand is done: that the file is lost is written down
        except Unreadable:
            end(body.ref)
            return Refused(error="the customer was erased meanwhile")
        except (OSError, Unavailable) as error:
            log.warning("evidence_not_kept", evidence=body.evidence_id, reason=str(error))
            return Retry(reason="the file could not be written", after=5.0)
        return outcome

    return fetch
