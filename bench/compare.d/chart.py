#   chart.py - the results as an SVG chart: a line for each row, on it a mark
#   for each side, where its figure stands against Troupe's, on a log scale

import math
from xml.sax.saxutils import escape

from rows import BY_KEY, NAMES
from table import show, times

LEFT, RIGHT, TOP, BOTTOM = 330, 52, 118, 64
WIDTH, LINE = 1080, 30

#   Colours that keep apart for those who see few, on light and on dark; each
#   side has a shape of its own besides.
STYLES = {
    "raw": ("#7a7a7a", "#a5a5a5", "bar"),
    "ray": ("#0072b2", "#56b4e9", "circle"),
    "raycpp": ("#0072b2", "#56b4e9", "ring"),
    "dask": ("#d55e00", "#ff9248", "square"),
    "gearman": ("#a8780a", "#f0c24a", "diamond"),
    "erlang": ("#b0307a", "#f08bc0", "up"),
    "caf": ("#00805c", "#3dcf9f", "down"),
    "nats": ("#6a4fc0", "#b09cf5", "cross"),
}

GROUPS = [
    ("Tasks and calls", ["calls"]),
    ("Values", ["objects"]),
    ("Chains of dependent calls", ["chain", "far"]),
    ("Many, start and memory", ["queued", "actors", "start"]),
    ("Work", ["words", "grain"]),
]

STYLE = """
 .back { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
 .grid { stroke: #d8dee4 } .line { stroke: #eaeef2 } .troupe { stroke: #1f2328 }
 .worse { fill: #cf222e; fill-opacity: 0.06 }
 text { font-family: system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif }
"""
DARK = """
 .back { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9198a1 }
 .grid { stroke: #2d333b } .line { stroke: #1c2128 } .troupe { stroke: #e6edf3 }
 .worse { fill: #ff7b72; fill-opacity: 0.10 }
"""


def _styles():
    light, dark = STYLE, DARK
    for side, (on_light, on_dark, shape) in STYLES.items():
        hollow = shape in ("ring", "cross", "bar")
        for name, colour in (("light", on_light), ("dark", on_dark)):
            rule = (f" .{side} {{ stroke: {colour}; fill: "
                    f"{'none' if hollow else colour} }}\n")
            if name == "light":
                light += rule
            else:
                dark += rule
    return f"<style>{light}@media (prefers-color-scheme: dark) {{{dark}}}</style>"


def _mark(side, x, y, title=""):
    shape = STYLES[side][2]
    inside = f"<title>{escape(title)}</title>" if title else ""
    begin = f'class="{side}" stroke-width="2"'
    if shape in ("circle", "ring"):
        return f'<circle {begin} cx="{x:.1f}" cy="{y:.1f}" r="5">{inside}</circle>'
    paths = {
        "square": f"M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z",
        "diamond": f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z",
        "up": f"M{x:.1f} {y - 5.5:.1f}l5.5 10h-11z",
        "down": f"M{x:.1f} {y + 5.5:.1f}l5.5 -10h-11z",
        "cross": f"M{x - 4.5:.1f} {y - 4.5:.1f}l9 9m0 -9l-9 9",
        "bar": f"M{x:.1f} {y - 8:.1f}v16",
    }
    return f'<path {begin} d="{paths[shape]}">{inside}</path>'


def _text(x, y, text, kind="ink", size=13, anchor="start", weight="normal"):
    return (f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>')


def _tick(power):
    if power < 0:
        return f"1/{10 ** -power:,} ×"
    return "Troupe" if power == 0 else f"{10 ** power:,} ×"


class _Chart:
    def __init__(self, results):
        self.results = results
        self.sides = [side for side in results.sides() if side in STYLES]
        known = {row.key for row in results.rows()}
        self.groups = []
        for name, steps in GROUPS:
            keys = [key for key, row in BY_KEY.items() if row.step in steps and key in known]
            if keys:
                self.groups.append((name, keys))
        ratios = [results.ratio(side, key) for side in self.sides for key in known]
        ratios = [ratio for ratio in ratios if ratio] or [1]
        self.low = min(-1, math.floor(math.log10(min(ratios))))
        self.high = max(1, math.ceil(math.log10(max(ratios))))
        lines = sum(len(keys) + 1.3 for _, keys in self.groups)
        self.height = TOP + lines * LINE + BOTTOM

    def x(self, ratio):
        part = (math.log10(ratio) - self.low) / (self.high - self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def head(self):
        out = [_text(24, 36, "How many times better Troupe is", size=20, weight="bold"),
               _text(24, 58, f"{self.results.machine}; {self.results.workers} workers; rounds: "
                             f"{self.results.rounds}, median; logarithmic", "soft", 12)]
        x = 24
        for side in self.sides:
            out += [_mark(side, x + 8, 82), _text(x + 20, 86.5, NAMES[side])]
            x += 44 + 7.6 * len(NAMES[side])
        return out

    def grid(self):
        top, bottom = TOP - 4, self.height - BOTTOM + 6
        out = [f'<rect class="worse" x="{LEFT}" y="{top}" width="{self.x(1) - LEFT:.1f}" '
               f'height="{bottom - top:.1f}"/>']
        for power in range(self.low, self.high + 1):
            x = self.x(10 ** power)
            kind, width = ("troupe", 1.6) if power == 0 else ("grid", 1)
            out += [f'<line class="{kind}" stroke-width="{width}" x1="{x:.1f}" x2="{x:.1f}" '
                    f'y1="{top}" y2="{bottom:.1f}"/>',
                    _text(x, bottom + 18, _tick(power), "ink" if power == 0 else "soft", 12,
                          "middle", "bold" if power == 0 else "normal")]
        out += [_text(self.x(1) - 12, bottom + 40, "← the other is better", "soft", 12, "end"),
                _text(self.x(1) + 12, bottom + 40, "Troupe is better →", "soft", 12)]
        return out

    def row(self, key, y):
        row = BY_KEY[key]
        own = self.results.median("troupe", key)
        out = [f'<line class="line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>',
               f'<line class="troupe" stroke-width="1.6" x1="{self.x(1):.1f}" '
               f'x2="{self.x(1):.1f}" y1="{y - 3}" y2="{y + 3}"/>',
               _text(24, y + 4.5, row.label)]
        if own is not None:
            out.append(_text(LEFT - 10, y + 4.5, show(own, row.unit), "soft", 12, "end"))
        for side in self.sides:
            ratio = self.results.ratio(side, key)
            if ratio:
                value = show(self.results.median(side, key), row.unit)
                out.append(_mark(side, self.x(ratio), y, f"{NAMES[side]}: {value}, {times(ratio)}"))
        return out

    def render(self):
        body = self.head() + self.grid()
        y = TOP
        for name, keys in self.groups:
            body.append(_text(24, y + 16, name, "soft", 12, weight="bold"))
            y += LINE
            for key in keys:
                body += self.row(key, y + 2)
                y += LINE
            y += 0.3 * LINE
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:.0f}" '
                f'width="{WIDTH}" height="{self.height:.0f}" role="img" '
                f'aria-label="How many times better Troupe is than others">\n{_styles()}\n'
                f'<rect class="back" width="100%" height="100%"/>\n'
                + "\n".join(body) + "\n</svg>\n")


def render(results):
    return _Chart(results).render()
