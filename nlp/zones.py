"""By which clocks customers live: the zone of the place that they name, or of their telephone number."""

from collections.abc import Iterator

import phonenumbers
from phonenumbers import timezone

from nlp import lexicon
from nlp.matcher import Entry, Finder, Match, longest
from nlp.normalize import language, normalize
from nlp.places import announced, spelt


class ZoneFinder:
    """Finds the zone where somebody is. Places of two countries, or a country of many zones alone, tell none."""

    def __init__(self) -> None:
        """Take the places of the lexicon, and the words that tell where something else is."""
        self._finder = Finder([], _entries())

    def find(self, text: str, *, own: bool) -> str | None:
        """Return the zone (an IANA name) that a text tells: an answer that tells the customer's `own`, or a complaint.

        In a complaint places are also those of parcels and goods. Of one in English, which comes from abroad, a place
        is taken for the customer's own all the same, unless words before it tell that something else is there.
        """
        if own and (number := _number(text)) is not None:
            return _zone_of_number(number)
        normal = normalize(text)
        if not own and language(normal, hint="en", default="en") != "en":
            return None
        _, found = self._finder.find(normal.folded)
        elsewhere = sorted(found.get("not_own", ()), key=lambda each: (each.end, each.start))
        ends = [each.end for each in elsewhere]
        places = [each for each in longest(found.get("place", [])) if spelt(each, normal.plain)]
        if not own and any(announced(elsewhere, ends, each.start, normal.plain) for each in places):
            return None
        return _one(places)


def _entries() -> Iterator[Entry]:
    """List every place by `country zone`, the zone empty where the place has several, and what goes before others."""
    words = lexicon.load().regions
    zones = {place: zone for zone, places in words.zones.items() for place in places}
    for country, places in words.places.items():
        for names in places:
            zone = zones.get(names[0]) or zones.get(country, "")
            yield from (Entry(role="place", owner=f"{country} {zone}", word=name) for name in names)
    yield from (Entry(role="not_own", owner="", word=word) for word in words.not_own)


def _one(places: list[Match]) -> str | None:
    told = {tuple(each.entry.owner.split(" ")) for each in places}
    zones = {zone for _, zone in told if zone}
    return zones.pop() if len(zones) == 1 == len({country for country, _ in told}) else None


def _number(text: str) -> phonenumbers.PhoneNumber | None:
    """Return the telephone number that a text is, written with its country code."""
    try:
        return phonenumbers.parse(text) if text.startswith("+") else None
    except phonenumbers.NumberParseException:
        return None


def _zone_of_number(number: phonenumbers.PhoneNumber) -> str | None:
    known = lexicon.load().regions.zones
    country = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    here = [zone for zone, places in known.items() if country in places]
    return next((zone for zone in here or timezone.time_zones_for_number(number)[:1] if zone in known), None)
