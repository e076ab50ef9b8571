#   results.py - the results of all rounds: kept, saved as JSON, read again,
#   and turned into medians and ratios

import json
from statistics import median

from rows import BY_KEY, NAMES, ROWS


class Results:
    """Values by side and row, one a round; why there is none; versions."""

    def __init__(self):
        self.machine = ""
        self.workers = 0
        self.rounds = 0
        self.versions = {}      # side: text
        self.missing = {}       # side: why it could not be set up
        self.values = {}        # side: row: round, as text: value; tasks a second
                                # where the row is an efficiency, also of "threads"
        self.counts = {}        # side: row: how many operations, if fewer
        self.notes = {}         # side: row: how the side does it
        self.skips = {}         # side: row: why the side has no such thing
        self.failures = {}      # side: row: what went wrong, the last time

    def add(self, side, row, number, value):
        self.values.setdefault(side, {}).setdefault(row, {})[str(number)] = value

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            content = dict(vars(self), summary=self.summary())
            json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
            file.write("\n")

    @classmethod
    def load(cls, path):
        self = cls()
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        for name in vars(self):
            if name not in content:
                raise ValueError(f'{path} has no "{name}"')
            setattr(self, name, content[name])
        return self

    def sides(self):
        """Those that ran or should have, in the order of the table."""
        return [side for side in NAMES if side in self.versions or side in self.missing]

    def rows(self):
        """Those of which anything is known."""
        known = [self.values, self.skips, self.failures]
        return [row for row in ROWS
                if any(row.key in rows for kind in known for rows in kind.values())]

    def all_of(self, side, row):
        """All rounds; efficiencies in percent of what plain threads did at best,
        for a machine that is busy otherwise never makes them faster."""
        values = list(self.values.get(side, {}).get(row, {}).values())
        if values and BY_KEY[row].unit == "%":
            best = max(self.values["threads"][row].values())
            return [value * 100 / best for value in values]
        return values

    def median(self, side, row):
        values = self.all_of(side, row)
        return median(values) if values else None

    def ratio(self, side, row):
        """How many times better Troupe is than this side: the median over the
        rounds in which both were measured."""
        ours = self.values.get("troupe", {}).get(row, {})
        theirs = self.values.get(side, {}).get(row, {})
        pairs = [(ours[number], theirs[number]) for number in ours if number in theirs]
        pairs = [(our, their) for our, their in pairs if our > 0 and their > 0]
        if not pairs:
            return None
        if BY_KEY[row].better == "low":
            return median(their / our for our, their in pairs)
        return median(our / their for our, their in pairs)

    def summary(self):
        """Median, least and greatest, for those who read the file alone."""
        return {side: {row: {"median": self.median(side, row),
                             "least": min(self.all_of(side, row)),
                             "greatest": max(self.all_of(side, row)),
                             "ratio": self.ratio(side, row)}
                       for row in rows}
                for side, rows in self.values.items() if side in NAMES}
