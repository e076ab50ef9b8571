#   peer.py - Ray's side of bench/compare: peer.py STEP

import glob
import os
import subprocess
import sys
import time

import numpy
import ray
import say
from say import WORKERS

#   Reports of tasks to the dashboard, which is not there.
os.environ["RAY_task_events_report_interval_ms"] = "0"

TASKS = 10_000
EACH = 2_500
QUEUED = 5_000
ACTORS = 10
SMALL = 1_000
LARGE = 100_000_000


@ray.remote
def noop():
    return b"ok"


@ray.remote
def process_id():
    time.sleep(0.02)
    return os.getpid()


@ray.remote
def make(size):
    return bytes(size) if size == SMALL else numpy.full(size, 5, dtype=numpy.uint8)


@ray.remote
def work(turns):
    say.work(turns)


@ray.remote
def gate(path):
    while not os.path.exists(path):
        time.sleep(0.001)


@ray.remote
def count_words(path, begin, end):
    return say.count_words(path, begin, end)


@ray.remote(num_cpus=0)
class Idler:
    def noop(self):
        return b"ok"

    def next(self, number):
        return number + 1


@ray.remote(num_cpus=0)
class Caller:
    def __init__(self, idlers):
        self.idlers = idlers

    def run(self, count):
        ray.get([self.idlers[i % len(self.idlers)].noop.remote() for i in range(count)])


def connect():
    ray.init(num_cpus=WORKERS, include_dashboard=False, logging_level="ERROR",
             _node_ip_address="127.0.0.1", object_store_memory=1_000_000_000)


def warm_up():
    """All workers are there: each has said who it is."""
    pids = set()
    for _ in range(100):
        pids |= set(ray.get([process_id.remote() for _ in range(2 * WORKERS)]))
        if len(pids) >= WORKERS:
            return list(pids)
    sys.exit(f"only {len(pids)} of {WORKERS} workers answer")


def start():
    ray.get(noop.remote())
    say.say(answered="startup")
    pids = warm_up()
    say.ask(measure="memory_idle")
    say.ask(measure="memory_worker", pids=pids)


def calls():
    warm_up()
    say.latency("task_latency", lambda: ray.get(noop.remote()), 500)
    say.rate("task_rate", lambda count: ray.get([noop.remote() for _ in range(count)]), TASKS)
    idlers = [Idler.remote() for _ in range(WORKERS)]
    one = idlers[0]
    say.latency("call_latency", lambda: ray.get(one.noop.remote()), 500)
    say.rate("call_rate", lambda count: ray.get([one.noop.remote() for _ in range(count)]), TASKS)
    if say.wanted("call_nn"):
        callers = [Caller.remote(idlers) for _ in range(WORKERS)]
        say.rate("call_nn", lambda count: ray.get([caller.run.remote(count // WORKERS)
                                                   for caller in callers]), EACH * WORKERS)


def get(size):
    value = make.remote(size)
    ray.wait([value], fetch_local=False)
    begin = time.monotonic()
    data = ray.get(value)
    if size == LARGE:
        assert int(data[::4096].sum()) == 5 * len(data[::4096])
    return time.monotonic() - begin


def objects():
    warm_up()
    small = bytes(SMALL)
    large = numpy.full(LARGE, 7, dtype=numpy.uint8)
    say.latency("put_1k", lambda: ray.put(small), 1000)
    say.times("get_1k", lambda: get(SMALL), 50)
    say.latency("put_100m", lambda: ray.put(large), 5)
    say.times("get_100m", lambda: get(LARGE), 5)


def chain(pair, length):
    value = 0
    for step in range(length):
        value = pair[step % 2].next.remote(value)
    assert ray.get(value) == length


def chains(rows, count, **more):
    pair = [Idler.remote(), Idler.remote()]
    say.latency(rows[0], lambda: chain(pair, 10), count, **more)
    say.latency(rows[1], lambda: chain(pair, 50), count // 2, **more)


def queued():
    warm_up()
    path = os.environ["COMPARE_FOLDER"] + "/gate"
    gates = [gate.remote(path) for _ in range(WORKERS)]
    tasks = [noop.remote() for _ in range(QUEUED)]
    begin = time.monotonic()
    with open(path, "w"):
        pass
    ray.get(tasks)
    say.say(row="queued", value=QUEUED / (time.monotonic() - begin), count=QUEUED)
    ray.get(gates)


def actors():
    warm_up()
    say.ask(measure="before")
    begin = time.monotonic()
    members = [Idler.remote() for _ in range(ACTORS)]
    ray.get([member.noop.remote() for member in members])
    say.say(row="spawn", value=ACTORS / (time.monotonic() - begin), count=ACTORS)
    say.ask(measure="memory_actor", since="before", count=ACTORS)


def words():
    warm_up()
    path = os.environ["COMPARE_TEXT"]
    begin = time.monotonic()
    parts = ray.get([count_words.remote(path, *cut) for cut in say.slices(path, WORKERS)])
    for part in parts[1:]:
        parts[0].update(part)
    parts[0].most_common(1)
    say.say(row="words", value=(time.monotonic() - begin) * 1e6)


def grain():
    warm_up()
    for row, work_us in say.GRAINS:
        turns = int(work_us * say.TURNS)
        say.rate(row, lambda count: ray.get([work.remote(turns) for _ in range(count)]),
                 500 if work_us == 1000 else 1000)


def server_logs():
    """What Ray's client server had to say."""
    texts = []
    pattern = os.environ["COMPARE_FOLDER"] + "/**/logs/ray_client_server*"
    for path in sorted(set(map(os.path.realpath, glob.glob(pattern, recursive=True)))):
        with open(path, encoding="utf-8", errors="replace") as file:
            texts.append(f"{os.path.basename(path)}:\n{file.read()}")
    return "\n".join(texts)


def far():
    """A driver elsewhere uses Ray's client, through a proxy that delays."""
    port, far_port = os.environ["COMPARE_PORT"], os.environ["COMPARE_FAR_PORT"]
    program = os.path.join(os.path.dirname(sys.executable), "ray")
    subprocess.run([program, "start", "--head", "--node-ip-address=127.0.0.1",
                    f"--num-cpus={WORKERS}", f"--port={os.environ['COMPARE_PORTS'].split()[0]}",
                    f"--ray-client-server-port={port}", "--include-dashboard=false",
                    "--object-store-memory=500000000"],
                   check=True, stdout=sys.stderr)
    proxy = subprocess.Popen([f"{os.environ['COMPARE_SCRATCH']}/ray/delay", far_port, port, "5"],
                             stdout=subprocess.PIPE)
    proxy.stdout.readline()
    try:
        ray.init(f"ray://127.0.0.1:{far_port}")
    except Exception as error:
        print(server_logs(), file=sys.stderr)
        sys.exit(f"ray.init: {str(error).strip()}")
    chains(["far_10", "far_50"], 6, note="through Ray's client server")


STEPS = {"start": start, "calls": calls, "objects": objects, "queued": queued,
         "actors": actors, "words": words, "grain": grain,
         "chain": lambda: chains(["chain_10", "chain_50"], 40)}

if __name__ == "__main__":
    if sys.argv[1] == "far":
        far()
    else:
        connect()
        STEPS[sys.argv[1]]()
    #   What is left is ended by bench/compare, which is faster.
    sys.stdout.flush()
    os._exit(0)
