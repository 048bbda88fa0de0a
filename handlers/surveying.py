"""Surveying: ask the customer how it went, remind politely, take the answers, and act on a bad one."""

from datetime import datetime, timedelta
from typing import Final

from complaints.calendar import due
from complaints.case import Case, SurveyRun
from complaints.clauses.survey import Question, Survey
from complaints.conversation import Conversation
from complaints.ports import Priority
from complaints.tokens import Token
from handlers import cases, notices
from handlers.intake import FORM_STATES
from handlers.turn import CUSTOMER, SYSTEM, Turn

#: How long a survey waits before it looks again whether the form has been finished.
_PATIENCE: Final = timedelta(minutes=30)


def running(turn: Turn, case: Case, cycle: int | None = None) -> tuple[Survey, SurveyRun] | None:
    """Return the survey of a case that is under way (of that cycle), with its clause."""
    for run in case.facts.surveys:
        if not run.done and run.sent_at is not None and cycle in (None, run.cycle) and turn.now <= run.expires_at:
            return _clause(turn, case, run), run
    return None


def _clause(turn: Turn, case: Case, run: SurveyRun) -> Survey:
    return next(each for each in turn.policy(case).surveys if each.id == run.id)


def fire(turn: Turn, case: Case, survey_id: str) -> None:
    """Send the survey, a reminder, or nothing any more; wait while a form is open or the night is quiet."""
    run = next((each for each in case.facts.surveys if each.id == survey_id and each.cycle == case.cycle), None)
    if run is None or run.done:
        return
    survey = _clause(turn, case, run)
    turn.touch(case)
    if turn.now >= run.expires_at:
        run.done = True
        turn.record(
            case, "survey_expired", SYSTEM, clause=survey.clause, facts={"survey": survey.id, "cycle": run.cycle}
        )
        return
    conversation = turn.conversation_of(case)
    allowed = turn.book.calendar.after_quiet(turn.now, turn.policy().hours.quiet)
    if conversation.state in FORM_STATES or conversation.state in ("replying", "explaining"):
        _again(turn, case, run, turn.book.calendar.after_quiet(turn.now + _PATIENCE, turn.policy().hours.quiet))
        return
    if allowed > turn.now:
        _again(turn, case, run, allowed)
        return
    if run.sent_at is None:
        run.sent_at = turn.now
        turn.record(case, "survey_sent", SYSTEM, clause=survey.clause, facts={"survey": survey.id, "cycle": run.cycle})
        intro = "survey.intro"
    else:
        run.reminders += 1
        turn.record(
            case, "survey_reminded", SYSTEM, clause=survey.clause, facts={"survey": survey.id, "n": run.reminders}
        )
        intro = "survey.reminder"
    language = conversation.words.language
    turn.tell(
        conversation, turn.say(language, intro, number=case.number), priority=Priority.SURVEY, unasked=True, case=case
    )
    _ask(turn, conversation, case, survey, run)
    if run.reminders < survey.reminders:
        _again(turn, case, run, due(survey.remind_after, turn.now, turn.book.calendar))
    else:
        turn.set_timer(case, f"survey:{run.id}", run.expires_at)


def _again(turn: Turn, case: Case, run: SurveyRun, at: datetime) -> None:
    turn.set_timer(case, f"survey:{run.id}", min(at, run.expires_at))


def _next(survey: Survey, run: SurveyRun) -> Question | None:
    return next((each for each in survey.questions if each.id not in run.scores), None)


def _ask(turn: Turn, conversation: Conversation, case: Case, survey: Survey, run: SurveyRun) -> None:
    question = _next(survey, run)
    if question is None:
        return
    if conversation.state in ("idle", "surveying", "commenting"):
        if conversation.state == "commenting":
            conversation.make("rest")
        conversation.make("ask_score" if question.scale else "ask_comment")
        conversation.case_id = case.id
        turn.touch(conversation)
    language = conversation.words.language

    def token(value: str) -> Token:
        return Token(scope="v", case_id=case.id, stamp=run.cycle, value=question.id, detail=value)

    rows = (
        [[turn.button(str(score), token(str(score))) for score in range(1, question.scale + 1)]]
        if question.scale
        else []
    )
    if not question.scale:
        rows.append([turn.button(turn.say(language, "survey.no_comment"), token("0"))])
    turn.tell(conversation, question.ask[language], rows, priority=Priority.SURVEY, unasked=True, case=case)


def answer(turn: Turn, conversation: Conversation, case: Case, question_id: str, score: int, text: str = "") -> bool:
    """Take the answer to one question; False if it does not fit or its time is over."""
    found = running(turn, case)
    if found is None:
        return False
    survey, run = found
    question = next((each for each in survey.questions if each.id == question_id), None)
    if (
        question is None
        or question.id in run.scores
        or not (score == 0 if not question.scale else 1 <= score <= question.scale)
    ):
        return False
    run.scores[question.id] = score
    turn.record(case, "survey_answered", CUSTOMER, clause=survey.clause,
                facts={"survey": survey.id, "cycle": run.cycle, "question": question.id, "score": score,
                       "owner": case.owner_id}, words={"text": text} if text else None)  # fmt: skip
    if text:
        cases.danger(turn, case, turn.book.reader.read(text, hint=conversation.words.language))
    if _next(survey, run) is not None:
        _ask(turn, conversation, case, survey, run)
        return True
    _finish(turn, conversation, case, survey, run)
    return True


def ask_again(turn: Turn, conversation: Conversation, case: Case) -> bool:
    """Ask the question that is still open once more; False if the survey is over."""
    found = running(turn, case)
    if found is None:
        return False
    _ask(turn, conversation, case, *found)
    return True


def asked(turn: Turn, case: Case) -> Question | None:
    """Return the question of the survey that lies on the table."""
    found = running(turn, case)
    return None if found is None else _next(*found)


def _finish(turn: Turn, conversation: Conversation, case: Case, survey: Survey, run: SurveyRun) -> None:
    run.done = True
    turn.set_timer(case, f"survey:{run.id}", None)
    if conversation.state in ("surveying", "commenting"):
        conversation.make("rest")
        conversation.case_id = None
    scores = [run.scores[each.id] for each in survey.questions if each.scale and each.id in run.scores]
    bad = bool(scores) and min(scores) <= survey.bad
    language = conversation.words.language
    if not bad:
        turn.tell(conversation, turn.say(language, "survey.thanks"), case=case)
        cases.happen(turn, case, "survey_good", CUSTOMER)
        return
    turn.tell(conversation, turn.say(language, "survey.sorry", number=case.number), case=case)
    cases.happen(turn, case, "survey_bad", SYSTEM)
    notices.alert(turn, case, ["owner", "department"], "staff.bad_score", score=min(scores))
