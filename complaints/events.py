"""Everything that can have happened to a case. An event is never refused and never changed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

#: The events of the journal, each with what it records.
EVENTS: Final = {
    "opened": "a complaining message opened the case",
    "said": "the customer said something about the case",
    "edited": "the customer changed a message",
    "answered": "a field of the form got its value",
    "consented_once": "the customer agreed to the notice on personal data, for the first of two times",
    "consented": "the customer agreed to the notice on personal data",
    "consent_refused": "the customer did not agree; their words were erased",
    "typed": "the case got a complaint type, or another one",
    "flagged": "a danger was read in the customer's words",
    "graded": "urgency, complexity or gravity was set",
    "regraded": "a person set a grade, with the reason",
    "did": "something was done while the case stayed where it is",
    "moved": "the case went to another state",
    "claimed": "an agent took the case",
    "released": "the case lost its owner",
    "assigned": "the case went to a department",
    "asked": "an agent asked the customer something",
    "replied": "an agent wrote to the customer",
    "noted": "an agent wrote a note that customers never see",
    "proposed": "an agent proposed a solution",
    "accepted": "the customer accepted the solution",
    "refused": "the customer refused the solution",
    "human_called": "the customer, or a danger word, called for a human",
    "nudged": "the customer was reminded of an unfinished form",
    "abandoned": "the form was left unfinished; reception finishes it",
    "completed_form": "the form is complete",
    "clock_started": "a clock began to run",
    "clock_stopped": "a clock was stopped in time, or late",
    "clock_paused": "a clock pauses while the desk waits for the customer",
    "reminded": "the customer was reminded of the question for which a clock pauses",
    "clock_resumed": "a clock runs again, with the time it had left",
    "appointed": "an agent agreed upon a moment with the customer",
    "clock_extended": "a person moved a clock's date, with a reason",
    "clock_redated": "a clock got another date: with the type or a grade of the case, or with the days of a new year",
    "clock_dropped": "a clock ended because the case is no longer of its kind",
    "clock_warned": "a share of a clock's time is gone",
    "clock_breached": "a deadline passed",
    "escalated": "a rung of the ladder was told",
    "held": "the customer was told that the date moves, before it passed",
    "evidence_announced": "the customer sent a file",
    "evidence_kept": "a file was brought home, hashed and sealed",
    "evidence_lost": "a file could not be brought home",
    "survey_sent": "the customer was asked how it went",
    "survey_reminded": "the customer was reminded of the survey",
    "survey_answered": "the customer answered a question of the survey",
    "survey_expired": "the survey ended without an answer",
    "parted": "roles got a part in the case, or lost it",
    "handed_over": "another department took the case from its owner",
    "lease_ended": "an owner who did nothing lost the case",
    "alarmed": "people were told of something that they must acknowledge",
    "acknowledged": "somebody said that they have seen an alarm",
    "approval_asked": "others were asked to agree, or nobody could be",
    "approval_signed": "somebody agreed, or refused",
    "approval_added": "another member of the staff was asked to sign too",
    "approval_handed_on": "a signature was handed on to somebody else",
    "approval_passed_up": "a step that ran out of time went up to the next one",
    "approval_paper": "the paper that an approval needs was handed in",
    "approval_changed": "the steps of an approval followed the case",
    "approval_closed": "an approval was granted, refused or taken back",
    "decided": "the company decided about the complaint",
    "remedied": "what was promised was given",
    "external_opened": "somebody outside passed the complaint on, with a deadline of their own",
    "external_corrected": "the number or the deadline of the outside was set right",
    "external_replied": "the reply to the outside is recorded",
    "concerns": "a member of the staff is whom the complaint is about",
    "ordered": "the order was found on file",
    "authorised": "somebody was confirmed as a contact who may accept for their organisation",
    "deferred": "a move waits until nothing stands in its way",
    "viewed": "a member of the staff looked at personal data",
    "reopened": "the handling began again",
    "undelivered": "a message could not be delivered",
    "blocked": "the customer blocked the bot",
    "called": "the customer was told by telephone",
    "caught_up": "the customer was told what had waited for them",
    "linked": "the customer joined another of their chats",
    "registered": "a member of the staff entered the complaint on the customer's behalf",
    "erased": "the customer's words and data were made unreadable",
}


#: What can happen to a case beside its states and moves: clocks, notices, surveys and moves wait for these names.
HAPPENINGS: Final = {
    "abandoned": "the form was left unfinished",
    "appointed": "an agent agreed upon a moment with the customer",
    "approval_decided": "a step of an approval is over: signed, refused, taken back or passed up",
    "approval_opened": "a step of an approval waits for a signature",
    "archive_due": "a finished case leaves the chat",
    "asked": "an agent asked the customer something",
    "claimed": "an agent took the case",
    "clock_breached": "a deadline passed",
    "clock_warned": "a share of a clock's time is gone",
    "customer_wrote": "the customer wrote about an open case",
    "department_named": "an agent sent the case to a department",
    "external_opened": "somebody outside passed the complaint on",
    "external_replied": "the reply to the outside is recorded",
    "flagged": "a danger was read",
    "lease_ended": "an owner who did nothing lost the case",
    "handover_asked": "a case waits for another department to take it from its owner",
    "human_called": "a person was called for",
    "human_reply": "a person wrote to the customer: a reply, a question, a proposal, a result",
    "noted": "an agent wrote a note",
    "number_told": "the desk told the customer the number of the case, by itself",
    "regraded": "a person set a grade",
    "released": "the case lost its owner before it was resolved",
    "remedied": "what was promised was given",
    "replied": "an agent wrote to the customer outside the moves of the lifecycle",
    "retyped": "an agent corrected the complaint type",
    "survey_bad": "a survey got a bad score",
    "survey_good": "a survey was answered, and no score was bad",
    "unwatched": "nobody owns the case any more, and no date of it runs",
    "watched": "somebody owns the case again, or a date of it runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a case's journal.

    `facts` stay open for arithmetic (states, types, dates, amounts); `words` are sealed with the customer's data key
    (free text, personal data). `actor` is `customer`, `system` or `staff:ID`; `clause` is the id in the policy.
    """

    case_id: int
    name: str
    at: datetime
    actor: str
    clause: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # JSON values
    words: dict[str, Any] = field(default_factory=dict)  # JSON values
