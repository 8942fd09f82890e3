"""How good news is: scorers behind one function, and many scored texts made one score as of a moment."""

from trading.core.sentiment.combining import combine, decay, distinct, known
from trading.core.sentiment.duplicates import alike, likeness, shingles, text_hash
from trading.core.sentiment.linear import Model
from trading.core.sentiment.scored import EDGE, LABELS, NEUTRAL, Item, Scored, Scorer
from trading.core.sentiment.scorers import RULES, TRAINED, score, scorer, scorers

__all__ = [
    "EDGE", "LABELS", "NEUTRAL", "RULES", "TRAINED", "Item", "Model", "Scored", "Scorer", "alike", "combine", "decay",
    "distinct", "known", "likeness", "score", "scorer", "scorers", "shingles", "text_hash",
]  # fmt: skip
