"""Evidence: the files a customer sends are announced, brought home by the outbox, hashed and sealed."""

from complaints.case import Case
from complaints.commands import Keep
from complaints.conversation import Conversation, EvidenceFile
from complaints.messages import IncomingMessage
from handlers import notices
from handlers.turn import CUSTOMER, SYSTEM, Turn

_MEGABYTE = 1024 * 1024


def take(turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage) -> None:
    """Take the files of a message into the case, within the limits the customer was told; say what became of them."""
    limits = turn.policy(case).form.evidence
    words = conversation.words
    language = words.language
    first = not message.album or message.album != words.album
    words.album = message.album
    for each in (each for each in message.attachments if each.ref):
        if case.facts.files >= limits.max_files:
            turn.tell(conversation, turn.say(language, "evidence.too_many", files=limits.max_files), case=case)
            continue
        if each.size is not None and each.size > limits.max_megabytes * _MEGABYTE:
            turn.tell(conversation, turn.say(language, "evidence.too_big", megabytes=limits.max_megabytes), case=case)
            continue
        case.facts.files += 1
        file = EvidenceFile(
            id=turn.book.ids.next(),
            case_id=case.id,
            conversation_id=conversation.id,
            kind=each.kind,
            at=message.sent_at,
            size=each.size or 0,
            mime=each.mime or "",
            words={
                "ref": each.ref,
                "channel": message.address.channel,
                "name": each.name or "",
                "caption": message.text,
            },
        )
        turn.touch(file)
        turn.record(case, "evidence_announced", CUSTOMER, facts={"file": file.id, "kind": each.kind, "size": file.size})
        turn.fetch(file, message.address, each.ref)
        to_hear = each.kind in ("voice", "audio") and not message.text  # a recognised voice has been read already
        if to_hear and not case.facts.listen:
            case.facts.listen = True
            notices.alert(turn, case, ["owner", "agents"], "staff.listen")
        if first:
            key = "evidence.voice" if to_hear else "evidence.taken"
            turn.tell(conversation, turn.say(language, key, number=case.number), case=case)
            first = False


def keep(command: Keep, turn: Turn) -> None:
    """Record that a file came home, or was lost: then the customer and the owner hear of it."""
    file = turn.ledger.evidence(command.evidence_id)
    case = turn.case(file.case_id) if file is not None else None
    if file is None or case is None or file.state == "kept":
        return
    file.state = "lost" if command.problem else "kept"
    file.path, file.sha256, file.mime = command.path, command.sha256, command.mime or file.mime
    file.size = command.size or file.size
    turn.touch(file)
    if not command.problem:
        turn.record(case, "evidence_kept", SYSTEM, facts={"file": file.id, "sha256": file.sha256, "size": file.size})
        return
    turn.record(case, "evidence_lost", SYSTEM, facts={"file": file.id, "problem": command.problem})
    notices.tell_customer(turn, case, "evidence.lost")
    notices.alert(turn, case, ["owner", "department"], "staff.evidence_lost")
