"""The words the reader knows about any company: one YAML file per subject, checked and loaded once."""

from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Page(BaseModel):
    """A file of the lexicon. A key that nobody reads is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Characters(_Page):
    """characters.yaml: what the reader must know of single characters."""

    han: str
    ends: str
    sentences: str
    fold: list[str]
    hong_kong: list[str]


class English(_Page):
    """english.yaml: irregular forms of English words."""

    negated: list[str]
    families: list[list[str]]


class Negations(_Page):
    """negations.yaml: words that take back what follows them, and what limits their reach."""

    deny: list[str]
    absent: list[str]
    fillers: list[str]
    refuse: list[str]
    after: list[str]
    pseudo: list[str]
    wanted: list[str]
    contrast: list[str]
    turn: list[str]
    given_up: str
    joins: list[str]
    rhetorical: list[str]
    negative: list[str]


class Politeness(_Page):
    """politeness.yaml: what stands around an answer and means nothing."""

    before: list[str]
    after: list[str]


class Corrections(_Page):
    """How people take back an answer they gave, and say what is right."""

    opens: list[str]
    weak: list[str]
    before: list[str]
    is_: list[str] = Field(alias="is")
    becomes: list[str]
    ought: list[str]
    told: list[str]
    not_: list[str] = Field(alias="not")
    but: list[str]
    change: list[str]
    to: list[str]
    tail: list[str]
    fields: dict[str, list[str]]


class Intents(_Page):
    """intents.yaml: whole messages addressed to the conversation itself, and corrections of earlier ones."""

    intents: dict[str, list[str]]
    marks: dict[str, list[str]]
    patterns: dict[str, list[str]]
    parts: dict[str, list[str]]
    corrections: Corrections


class SmallTalk(_Page):
    """small_talk.yaml: greetings, thanks, and the signs of a question or a complaint."""

    greetings: list[str]
    thanks: list[str]
    fillers: list[str]
    questions: list[str]
    complaints: list[str]


class Fury(_Page):
    """The words of a customer who is beside themself: a strong one is enough, mild ones count half."""

    strong: list[str]
    mild: list[str]
    unless: list[str]


class Human(_Page):
    """The words by which a longer message asks for a person."""

    words: list[str]
    unless: list[str]


class Shouting(_Page):
    """When Latin text in capitals is shouting, and what that weighs."""

    letters: int
    share: float
    weight: float


class Flags(_Page):
    """flags.yaml: flags every company has."""

    fury: Fury
    human: Human
    insistence: list[tuple[int, float]]
    shouting: Shouting
    parts: dict[str, list[str]]


class Risk(_Page):
    """The words of one danger by weight, the contexts in which they mean nothing, and what weak ones need beside."""

    words: dict[float, list[str]]
    unless: list[str] = Field(default_factory=list)
    beside: list[str] = Field(default_factory=list)


class Risks(_Page):
    """risks.yaml: dangers that any company has."""

    parts: dict[str, list[str]]
    unless: list[str]
    risks: dict[str, Risk]


class Ordinals(_Page):
    """ordinals.yaml: how people point at the n-th of several choices."""

    numbers: list[list[str]]
    before: list[str]
    after: list[str]
    named: dict[int, list[str]]
    middle: list[str]
    of_two: dict[int, list[str]]


class Remedies(_Page):
    """remedies.yaml: what customers ask for, and how they ask."""

    wishes: list[str]
    remedies: dict[str, list[str]]
    told_before: list[str]
    declined: list[str]
    told_after: list[str]


class Names(_Page):
    """names.yaml: how names are announced and what they look like."""

    say: list[str]
    be: list[str]
    asserting: list[str]
    follows: list[str]
    titles: list[str]
    stops: str
    surnames: str
    common: str
    compound: list[str]
    not_names: list[str]
    english_stops: list[str]


class EnglishNumbers(_Page):
    """The words of English numbers."""

    digits: dict[str, int]
    scales: dict[str, int]


class SlotWords(_Page):
    """slots.yaml: where values are found."""

    cues: dict[str, list[str]]
    weak: list[str]
    carriers: list[str]
    channel: dict[str, list[str]]
    units: dict[str, list[str]]
    signs: dict[str, list[str]]
    loose_units: list[str]
    dollars: dict[str, str]
    scales: dict[str, int]
    more_scales: dict[str, int]
    tens: dict[str, str]
    small: list[str]
    worths: dict[str, Decimal]
    digits: dict[str, int]
    english: EnglishNumbers
    paid_round: list[str]
    paid: list[str]
    paid_english: list[str]
    filler: list[str]
    filler_english: list[str]
    for_money: list[str]
    about: list[str]
    about_after: list[str]
    measures: list[str]
    moved: list[str]
    slabs: list[str]
    prices: str
    variants: dict[str, str]
    taken_back: dict[str, str]
    patterns: dict[str, str]


class Regions(_Page):
    """regions.yaml: places by country, how people tell theirs, and the clocks there."""

    loose: list[str]
    cues: list[str]
    suffixes: str
    not_own: list[str]
    places: dict[str, list[list[str]]]
    zones: dict[str, list[str]]


class Moments(_Page):
    """moments.yaml: times of day, days, and how people ask to be called at them."""

    parts: dict[str, list[str]]
    days: dict[str, int]
    weekdays: list[list[str]]
    next: list[str]
    digits: dict[str, int]
    quarters: dict[str, int]
    hour: list[str]
    minute: str
    date: list[str]
    noon: str
    asks: list[str]
    unless: list[str]
    before: list[str]
    until: list[str]
    range: list[str]
    fillers: list[str]


class Dates(_Page):
    """dates.yaml: days, weeks, months and years as people name them."""

    days: dict[str, int]
    weekdays: dict[str, int]
    months: dict[str, int]
    relative: dict[str, int]
    tens: dict[str, int]
    thirds: dict[str, int]
    feasts: dict[str, str]
    digital: dict[str, str]
    holidays: dict[str, int]
    british: dict[str, str]
    after: list[str]
    gates: dict[str, str]
    taiwan: dict[str, str]
    moons: dict[int, str]
    moonly: str
    past: list[str]
    future: list[str]
    no_tense: list[str]
    patterns: dict[str, str]


class Lexicon(_Page):
    """All pages of the lexicon, by the name of their file."""

    characters: Characters
    english: English
    negations: Negations
    politeness: Politeness
    intents: Intents
    small_talk: SmallTalk
    flags: Flags
    risks: Risks
    ordinals: Ordinals
    remedies: Remedies
    names: Names
    slots: SlotWords
    regions: Regions
    moments: Moments
    dates: Dates


@cache
def load() -> Lexicon:
    """Read and check every page. The result is shared and never changes."""
    folder = resources.files(__name__)
    # The C parser, and everything as plain strings, so that no word is taken for a truth value (half of the intents).
    pages: dict[str, Any] = {
        name: yaml.load((folder / f"{name}.yaml").read_bytes(), Loader=yaml.CBaseLoader)  # noqa: S506
        for name in Lexicon.model_fields
    }
    return Lexicon.model_validate(pages)
