#   say.py - what a Python program of bench/compare says, as
#   bench/compare.d/steps.py explains

import ctypes
import json
import os
import sys
import time
from statistics import median

WORKERS = int(os.environ.get("COMPARE_WORKERS", "2"))
TURNS = float(os.environ.get("COMPARE_TURNS", "1000"))

#   Row, microseconds of work in a task.
GRAINS = [("grain_1ms", 1000), ("grain_100us", 100), ("grain_10us", 10), ("grain_1us", 1)]


def wanted(row):
    return row in os.environ.get("COMPARE_ROWS", row).split(",")


def say(**fields):
    print(json.dumps(fields), flush=True)


def skip(why, *rows):
    for row in rows:
        say(skip=row, why=why)


def ask(**fields):
    say(**fields)
    if not sys.stdin.readline():
        sys.exit(1)


def latency(row, operation, count, **more):
    """Says the median time of an operation, after some to warm up."""
    if not wanted(row):
        return
    for _ in range(count // 10 + 1):
        operation()
    samples = []
    for _ in range(count):
        start = time.monotonic()
        operation()
        samples.append((time.monotonic() - start) * 1e6)
    say(row=row, value=median(samples), **more)


def times(row, operation, count, **more):
    """The same of an operation that returns how many seconds counted."""
    if wanted(row):
        operation()
        say(row=row, value=median(operation() for _ in range(count)) * 1e6, **more)


def rate(row, operation, count, repeats=1, **more):
    """Says how many a second are made by an operation, which is told how many
    to make; a tenth of them warm it up."""
    if not wanted(row):
        return
    operation(count // 10)
    for _ in range(repeats):
        start = time.monotonic()
        operation(count)
        say(row=row, value=count / (time.monotonic() - start), **more)


_work = None


def work(turns):
    """The same loop as everywhere, in C."""
    global _work
    if _work is None:
        _work = ctypes.CDLL(os.environ["COMPARE_WORK"])
        _work.work.argtypes = [ctypes.c_uint64]
    _work.work(turns)


def slices(path, count):
    """Cuts a text between words."""
    size = os.path.getsize(path)
    cuts = [0]
    with open(path, "rb") as file:
        for number in range(1, count):
            file.seek(size * number // count)
            rest = file.read(4096)
            cuts.append(size * number // count + len(rest.split(None, 1)[0]))
    cuts.append(size)
    return list(zip(cuts, cuts[1:]))


def count_words(path, begin, end):
    from collections import Counter

    with open(path, "rb") as file:
        file.seek(begin)
        return Counter(file.read(end - begin).split())
