"""The clause *lifecycle*: the states of a case, the moves between them, and who may make them.

One shared `transitions` machine per policy version serves every case; cases are passed to it and never registered.
"""

from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BeforeValidator, Field
from transitions import Machine

from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several, listed

#: Written for `from`: every state that is not final.
ANYWHERE: Final = "*"
#: What becomes of a complaint (ISO 10002, 8.8).
Result = Literal["upheld", "partly_upheld", "not_upheld", "withdrawn", "out_of_scope"]


class State(Clause):
    """One state of a case: `title` is what customers are told, `resolved` means done, `final` ends the case."""

    id: Id
    title: Sentence
    final: bool = False
    resolved: bool = False


class Move(Clause):
    """One way from a state to another, or, without `to`, something that is done while the case stays where it is.

    `from: "*"` means every state that is not final. What was done in this cycle is the fact `done`: guards ask for it
    (`{done: on_site}`), clocks start and stop with it; without `to` it is done once in a cycle, unless `often`.
    `by` lists who may make it: `customer`, `system`, `agent` (any agent who may see the case), `owner`, `department`
    (whoever is in the case's), a part of the case (see routing), or a role.
    A move by `system` alone is made by the desk itself: as soon as its state is reached and `when` holds, or, with
    `on`, when one of these things happens. Moves by others with `on` are made along with that act: a claim starts the
    work. `asks` is the wording key of what the person is asked to write before the move; `tells` the key of what the
    customer is told afterwards; `button` the label; `counts` what is counted with it. A move that `decides` carries the
    result and the remedies that the customer is promised, as they are read from its words; `decides: not_upheld`, or
    any other result, is that result, whoever makes it. One that `fulfils` says that all of it was given. `retypes` maps
    complaint types to those that a case of them has from then on. What is written with a move whose `solution` is
    `drafted` is the solution, told to the customer by a later one whose `solution` is `told`.
    """

    id: Id
    source: Annotated[list[str], BeforeValidator(listed)] = Field(alias="from")
    to: Id | Literal[""] = ""
    by: Several
    when: Predicate = Predicate()
    asks: str = ""
    tells: str = ""
    button: Sentence | None = None
    on: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    counts: Literal["", "rejection", "reopening"] = ""
    often: bool = False
    rare: bool = Field(default=False, description="its button stands behind `more` on a full card")
    decides: bool | Result = False
    fulfils: bool = False
    retypes: dict[Id, Id] = Field(default_factory=dict)
    solution: Literal["", "drafted", "told"] = ""

    @property
    def automatic(self) -> bool:
        """Tell whether the desk makes this move by itself as soon as its state is reached."""
        return self.by == ["system"] and not self.on


class Moving(Protocol):
    """Whatever has a state: the machine writes it."""

    state: str


class Lifecycle(Clause):
    """States and moves. The first state is where a case begins; the first move whose guard holds wins.

    Another move of the staff from the first state to where `submit` leads ends the form as well: it may be guarded, and
    followed, otherwise.
    """

    states: list[State] = Field(min_length=2)
    moves: list[Move]
    submit: Id = Field(description="the move a customer makes by sending the form")
    withdraw: Id = Field(description="the move a customer makes by taking the complaint back")
    reopen_within: int = Field(default=7, ge=0, description="calendar days after completion")
    archive_after: int = Field(
        default=30, ge=1, description="calendar days after which a finished case leaves the chat"
    )

    def model_post_init(self, context: Any, /) -> None:  # Any: pydantic's signature
        """Build the shared machine and the look-ups."""
        machine = Machine(
            model=None,
            states=[state.id for state in self.states],
            initial=None,
            auto_transitions=False,
            model_attribute="state",
        )
        for move in self.moves:  # a move without a target is an internal one
            machine.add_transition(move.id, [*self.sources(move)], move.to or None)
        self.__dict__["_machine"] = machine
        self.__dict__["_moves"] = {
            state.id: tuple(move for move in self.moves if state.id in self.sources(move)) for state in self.states
        }
        self.__dict__["_states"] = {state.id: state for state in self.states}

    @property
    def first(self) -> str:
        """The state in which a case begins."""
        return self.states[0].id

    def sources(self, move: Move) -> list[str]:
        """Return the states that a move leaves, or is made in."""
        return [state.id for state in self.states if not state.final] if move.source == [ANYWHERE] else move.source

    def state(self, id: str) -> State:  # noqa: A002 # the word of the policy
        """Return the state with this id; KeyError if there is none."""
        found: State = self.__dict__["_states"][id]
        return found

    def moves_from(self, state: str) -> tuple[Move, ...]:
        """Return the moves that leave this state, in the order of the policy."""
        moves: tuple[Move, ...] = self.__dict__["_moves"][state]
        return moves

    def submits(self, move: Move) -> bool:
        """Tell whether a move ends the form: the customer's own, or another one from the first state to the same."""
        own = next((each for each in self.moves if each.id == self.submit), None)
        return move is own or (own is not None and self.first in self.sources(move) and move.to == own.to)

    def make(self, move: Move, case: Moving) -> None:
        """Let the machine carry the case over; `transitions.MachineError` if the move does not leave its state."""
        self.__dict__["_machine"].events[move.id].trigger(case)
