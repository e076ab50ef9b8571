#   processes.py - the processes that a step started: found, measured, ended

import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt():
    """Makes orphans of a step our children, so that they are found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _parents():
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            parents[int(name)] = int(fields[1])
    return parents


def family():
    """The living descendants of this process."""
    parents = _parents()
    found = []
    known = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in known} - known
        if not more:
            return found
        known |= more
        found += sorted(more)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end_all():
    """Ends every descendant: asks, waits two seconds, then kills."""
    for number, seconds in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        for pid in family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        limit = time.monotonic() + seconds
        while family() and time.monotonic() < limit:
            reap()
            time.sleep(0.01)
        reap()
        if not family():
            return
    raise RuntimeError(f"processes {family()} do not end")


def _proportional(pid):
    """The proportional set size in bytes, 0 if the process has gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def memory(pids=None):
    """The memory of the processes, of all that a step started by default,
    once it has not changed by more than a percent for half a second."""
    last, unchanged, limit = 0, 0, time.monotonic() + 8
    while unchanged < 5 and time.monotonic() < limit:
        now = sum(_proportional(pid) for pid in (pids or family()))
        unchanged = unchanged + 1 if abs(now - last) <= now / 100 else 0
        last = now
        time.sleep(0.1)
    return last
