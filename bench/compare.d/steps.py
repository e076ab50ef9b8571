#   steps.py - one step of one side: its program is run, what it prints is
#   understood, and all that it started is ended
#
#   A program says, one JSON object a line:
#       {"row": R, "value": V}          a result; of several, the median counts
#           "count": N                  of fewer operations than the row says
#           "note": TEXT                how the side does it
#       {"skip": R, "why": TEXT}        the side has no such thing
#       {"answered": R}                 the time since its start is the result
#       {"measure": R}                  the memory of all its processes
#           "pids": [...]               of these, on average
#           "since": R, "count": N      what came since then, each of N
#   A measure is answered by a line on its standard input.

import json
import os
import re
import select
import signal
import shutil
import socket
import subprocess
import tempfile
import time
from statistics import median

import processes
from rows import BY_KEY, ROWS


FRAME = re.compile(r"\[0x[0-9a-f]+\]|^\*\*\*")
RAISED = re.compile(r"[\w.]*(Error|Exception): ")


class StepError(Exception):
    pass


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Step:
    def __init__(self, command, environment, log, timeout):
        self.values = {}
        self.counts = {}
        self.notes = {}
        self.skips = {}
        self.marks = {}
        self.log = log
        self.deadline = time.monotonic() + timeout
        self.timeout = timeout
        self.command = command
        self.environment = environment

    def run(self):
        """Runs the program to its end. What it said so far stands, even if it
        fails: then StepError is raised."""
        workers = int(self.environment["COMPARE_WORKERS"])
        ports = free_ports(2 * workers + 2)
        #   A short name, as there will be sockets in it.
        folder = tempfile.mkdtemp(prefix="cmp", dir="/tmp")
        environment = dict(self.environment, COMPARE_FOLDER=folder, COMPARE_PORT=str(ports[0]),
                           COMPARE_FAR_PORT=str(ports[1]),
                           COMPARE_PORTS=" ".join(map(str, ports[2:2 + workers])),
                           COMPARE_FAR_PORTS=" ".join(map(str, ports[2 + workers:])))
        with open(self.log, "ab") as log:
            self.said_from = log.seek(0, os.SEEK_END)
            self.began = time.monotonic()
            process = subprocess.Popen(self.command, env=environment, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=log, bufsize=0,
                                       start_new_session=True)
            try:
                self._listen(process)
            finally:
                self._end(process)
                shutil.rmtree(folder, ignore_errors=True)

    def _listen(self, process):
        waiting = b""
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                raise StepError(f"took longer than {self.timeout} s")
            some = os.read(process.stdout.fileno(), 65536)
            now = time.monotonic()
            if not some:
                break
            waiting += some
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                self._hear(line.decode("utf-8", "replace"), now, process)
        try:
            status = process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise StepError(f"took longer than {self.timeout} s") from None
        if status:
            raise StepError(f"status {status}: {self._last_words()}")

    def _hear(self, line, now, process):
        if not line.startswith("{"):
            return
        said = json.loads(line)
        if "row" in said:
            self._value(said["row"], float(said["value"]), said)
        elif "skip" in said:
            self.skips[said["skip"]] = said["why"]
        elif "answered" in said:
            self._value(said["answered"], (now - self.began) * 1e6, said)
        elif "measure" in said:
            self._measure(said)
            process.stdin.write(b"done\n")

    def _value(self, row, value, said):
        self.values.setdefault(row, []).append(value)
        if "count" in said:
            self.counts[row] = said["count"]
        if "note" in said:
            self.notes[row] = said["note"]

    def _measure(self, said):
        row = said["measure"]
        size = processes.memory(said.get("pids"))
        self.marks[row] = size
        if "pids" in said:
            size /= len(said["pids"])
        if "since" in said:
            size = (size - self.marks[said["since"]]) / said["count"]
        if size <= 0:
            self.skips[row] = "did not grow: memory that it had before was enough"
        elif row in BY_KEY:
            self._value(row, size, said if said.get("count") != 1000 else {})

    def _last_words(self):
        """Of this run: what Python raised last, else the last line; but no frames
        of a stack."""
        with open(self.log, "rb") as file:
            file.seek(self.said_from)
            text = file.read().decode("utf-8", "replace")
        lines = [line.strip() for line in text.split("\n")]
        lines = [line for line in lines if line and not FRAME.search(line)]
        raised = [line for line in lines if RAISED.match(line)]
        return (raised or lines or ["it said nothing"])[-1][:200]

    def _end(self, process):
        process.stdin.close()
        process.stdout.close()
        processes.end_all()
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def result(self, row):
        return median(self.values[row]) if row in self.values else None


def rows_of(step, wanted):
    return [row.key for row in ROWS if row.step == step and row.key in wanted]
