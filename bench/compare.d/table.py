#   table.py - the results as a Markdown table with notes

from rows import BY_KEY, NAMES


def _digits(value):
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}".rstrip("0").rstrip(".")
    return f"{value:.2g}" if value < 1 else f"{value:.2f}".rstrip("0").rstrip(".")


def _scaled(value, units):
    for size, name in units:
        if value >= size:
            return f"{_digits(value / size)} {name}"
    size, name = units[-1]
    return f"{_digits(value / size)} {name}"


def show(value, unit):
    if unit == "us":
        return _scaled(value, [(1e6, "s"), (1e3, "ms"), (1, "µs")])
    if unit == "bytes":
        return _scaled(value, [(1e6, "MB"), (1e3, "kB"), (1, "B")])
    if unit == "/s":
        return _scaled(value, [(1e6, "M/s"), (1e3, "k/s"), (1, "/s")])
    return f"{_digits(value)} %"


def times(ratio):
    return f"{_digits(ratio)} ×"


class Notes:
    """Numbered notes under the table; the same text has one number."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"<sup>{self.texts.index(text) + 1}</sup>"


def _marks(results, notes, side, row):
    marks = ""
    count = results.counts.get(side, {}).get(row)
    if count:
        marks += notes.mark(f"with {count:,}")
    note = results.notes.get(side, {}).get(row)
    if note:
        marks += notes.mark(f"{NAMES[side]}: {note}")
    return marks


def _cell(results, notes, side, row):
    value = results.median(side, row)
    if value is None:
        why = results.skips.get(side, {}).get(row)
        if why:
            return "—" + notes.mark(f"{NAMES[side]}: {why}")
        failure = results.failures.get(side, {}).get(row)
        if failure:
            return "failed" + notes.mark(f"{NAMES[side]}, {row}: {failure}")
        return "missing" if side in results.missing else ""
    text = show(value, BY_KEY[row].unit) + _marks(results, notes, side, row)
    if side == "troupe":
        return text
    ratio = results.ratio(side, row)
    if ratio is None:
        return text
    shown = times(ratio)
    return f"{text}<br>{shown if ratio >= 1 or side == 'raw' else f'**{shown}**'}"


def render(results):
    notes = Notes()
    sides = results.sides()
    lines = [f"Measured on {results.machine}; {results.workers} workers; rounds: "
             f"{results.rounds}, medians. Under each figure: how many times better Troupe is, in "
             "the median of the rounds; in bold where it is worse.", ""]
    lines.append("| | " + " | ".join(NAMES[side] for side in sides) + " |")
    lines.append("|---|" + "---:|" * len(sides))
    for row in results.rows():
        cells = [_cell(results, notes, side, row.key) for side in sides]
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    lines.append("")
    lines.append("Versions: " + "; ".join(results.versions[side] for side in sides
                                          if side in results.versions) + ".")
    for side, why in results.missing.items():
        lines += ["", f"Missing: {NAMES[side]}: {why}"]
    if notes.texts:
        lines.append("")
    lines += [f"{number}. {text}" for number, text in enumerate(notes.texts, 1)]
    return "\n".join(lines) + "\n"
