"""From words to scores: how strongly a text speaks for each type."""

from collections.abc import Mapping

#: The evidence (sum of weights) at which a type that stands alone scores one half.
HALF = 0.5


def scores(evidence: Mapping[str, float]) -> dict[str, float]:
    """Return a score in 0..1 for each type: how much evidence there is, times its share against the other types.

    With `e` the evidence of a type (the sum of the weights of its different words),

        score(t) = e(t) / (e(t) + HALF)  *  e(t)² / Σ e(u)²

    The first factor saturates: one word of weight 1 gives 0.67, two 0.80, three 0.86. The second is the share among all
    types, sharpened by the square: alone 1, two against one 0.80, a tie 0.50. So a single clear word passes a threshold
    of 0.5, two against one does (0.64), and a tie (0.33) is asked about.
    """
    positive = {name: weight for name, weight in evidence.items() if weight > 0}
    total = sum(weight * weight for weight in positive.values())
    return {name: weight / (weight + HALF) * (weight * weight / total) for name, weight in positive.items()}
