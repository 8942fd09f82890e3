"""Headlines of companies that do not exist, labelled by how they were made."""

import csv
import gzip
import io
import random

COMPANIES = ("Acme Motors", "Bolt & Co.", "Zenith Cement", "Orchid Foods", "Kite Power", "Delta Labs", "Omega Steel")
GOOD = (
    "{} shares jump {}% on strong demand", "{} Q{} profit rises on better margins", "{} wins order worth Rs {} crore",
    "Brokers upgrade {} after a {}% beat", "{} hits a record high in trade {}", "Buy {} for a target of Rs {}",
)  # fmt: skip
BAD = (
    "{} shares slump {}% on weak demand", "{} Q{} loss widens as costs bite", "{} loses order worth Rs {} crore",
    "Brokers downgrade {} after a {}% miss", "{} falls to a year low in trade {}", "Avoid {}, stop at Rs {}",
)  # fmt: skip
PLAIN = (
    "{} to hold its annual meeting on day {}", "{} names a head of division {}", "{} shifts office to floor {}",
    "What {} told analysts in call {}", "{} board meets on item {}", "{} files paper {} with the exchange",
)  # fmt: skip
KINDS = {"positive": GOOD, "negative": BAD, "neutral": PLAIN}


def headlines(count=240, seed=1):
    """Return rows of (title, entity, sentiment); now and then a second company fares the other way."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = list(KINDS)[number % 3]
        company, other = chance.sample(COMPANIES, 2)
        title = chance.choice(KINDS[label]).format(company, number)
        if label != "neutral" and number % 4 == 0:
            turned = BAD if label == "positive" else GOOD
            title += "; " + chance.choice(turned[:2]).format(other, number)
        rows.append((title, company, label))
    return rows


def write(path, rows=None, columns=("title", "entity", "sentiment")):
    """Write rows to a CSV file, packed when its name says so, and return its path."""
    text = io.StringIO()
    csv.writer(text).writerows([columns, *(rows if rows is not None else headlines())])
    raw = text.getvalue().encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path
