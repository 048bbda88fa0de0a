"""Orders: what is on file about an order. Only staff see it: whoever names a number may be anybody."""

from typing import Final

from complaints.case import Case
from complaints.ports import Order
from handlers import notices
from handlers.turn import SYSTEM, Turn

#: The part of a case that is the account manager of its order.
MANAGER: Final = "account_manager"
#: What an order tells of its customer, whatever they complain about.
_OF_CUSTOMER: Final = ("organisation", MANAGER, "contacts")


def look_up(turn: Turn, case: Case, number: str) -> bool:
    """Take note of what is on file about an order, in the place of what was known; True if that changed the facts."""
    order = turn.book.orders.find(number) if turn.book.orders is not None else None
    before, case.facts.authorised = case.facts.order, False
    mistaken = order is None and bool(case.words.order.keys() - {*_OF_CUSTOMER})
    case.words.order, case.facts.order = {}, {}
    customer = turn.customer(turn.conversation_of(case))
    if customer is not None and (order is not None or mistaken):
        customer.profile.order = number if order is not None else ""
        turn.touch(customer)
    if order is not None:
        case.words.order = _columns(order)
        _note(turn, case, order, {it: case.words.order[it] for it in ("region", "product") if case.words.order[it]})
    return case.facts.order != before


def of_customer(turn: Turn, case: Case) -> bool:
    """Take note of whose customer this is, where the case names no order itself; True if that is known."""
    customer = turn.customer(turn.conversation_of(case))
    named = any(each.kind == "order_no" and each.id in case.words.answers for each in turn.policy(case).form.fields)
    number = customer.profile.order if customer is not None and not named else ""
    order = turn.book.orders.find(number) if turn.book.orders is not None and number else None
    if order is None:
        return False
    case.words.order = {name: value for name, value in _columns(order).items() if name in _OF_CUSTOMER}
    _note(turn, case, order, {})
    return True


def _note(turn: Turn, case: Case, order: Order, named: dict[str, str | bool]) -> None:
    manager = _manager(turn, case, order.manager)
    case.facts.order = {"organisation": bool(order.organisation), "vip": order.vip, **named}
    case.facts.order |= {MANAGER: manager} if manager else {}
    turn.record(case, "ordered", SYSTEM, facts=dict(case.facts.order))


def tell(turn: Turn, case: Case) -> None:
    """Tell the account manager that one of their orders is complained about."""
    if MANAGER in case.facts.parts:
        notices.alert(turn, case, [MANAGER], "staff.ordered")


def ask_to_confirm(turn: Turn, case: Case) -> None:
    """Say who may accept for an organisation, and let the staff call back: once for each proposal."""
    conversation = turn.conversation_of(case)
    text = turn.say(conversation.words.language, "case.authorised_only", number=case.number)
    turn.tell(conversation, text, case=case)
    if case.facts.asked_to_confirm != case.round:
        case.facts.asked_to_confirm = case.round
        turn.touch(case)
        notices.alert(turn, case, ["owner"], "staff.unconfirmed")


def _columns(order: Order) -> dict[str, str]:
    return {
        "organisation": order.organisation,
        "product": order.product,
        "model": order.model,
        "amount": "" if order.amount is None else str(order.amount),
        "region": order.region,
        MANAGER: order.manager,
        "contacts": "; ".join(order.contacts),
        **order.more,
    }


def _manager(turn: Turn, case: Case, name: str) -> str:
    """Return who an account manager is: a role, or `staff:ID`; "" for somebody who is not known here."""
    if any(role.id == name for role in turn.policy(case).routing.roles):
        return name
    meant = [each for each in turn.scene.staff.values() if each.active and name and name in (str(each.id), each.name)]
    return f"staff:{meant[0].id}" if len(meant) == 1 else ""
