#   rows.py - what is compared: the rows of the table, the step of a peer's
#   program that measures them, and the sides that are set beside Troupe

from collections import namedtuple

#   unit: "us", "/s", "bytes" or "%"; better: "low" or "high".
Row = namedtuple("Row", "key step label unit better")

ROWS = [
    Row("task_latency", "calls", "a task waited for, p50", "us", "low"),
    Row("task_rate", "calls", "10,000 no-op tasks", "/s", "high"),
    Row("call_latency", "calls", "an actor call waited for, p50", "us", "low"),
    Row("call_rate", "calls", "10,000 calls of an actor", "/s", "high"),
    Row("call_nn", "calls", "calls, n callers to n actors", "/s", "high"),
    Row("put_1k", "objects", "put of 1 kB, p50", "us", "low"),
    Row("get_1k", "objects", "get of 1 kB, p50", "us", "low"),
    Row("put_100m", "objects", "put of 100 MB, p50", "us", "low"),
    Row("get_100m", "objects", "get of 100 MB, pages read, p50", "us", "low"),
    Row("chain_10", "chain", "chain of 10 dependent calls", "us", "low"),
    Row("chain_50", "chain", "chain of 50 dependent calls", "us", "low"),
    Row("far_10", "far", "chain of 10, driver 5 ms away", "us", "low"),
    Row("far_50", "far", "chain of 50, driver 5 ms away", "us", "low"),
    Row("queued", "queued", "1,000,000 queued tasks, drained", "/s", "high"),
    Row("spawn", "actors", "spawn of 1,000 actors", "/s", "high"),
    Row("startup", "start", "from nothing to the first answer", "us", "low"),
    Row("memory_idle", "start", "memory, all processes, idle", "bytes", "low"),
    Row("memory_worker", "start", "memory, a worker, idle", "bytes", "low"),
    Row("memory_actor", "actors", "memory, an actor, idle", "bytes", "low"),
    Row("words", "words", "the most frequent word of 100 MB", "us", "low"),
    Row("grain_1ms", "grain", "tasks of 1 ms, efficiency", "%", "high"),
    Row("grain_100us", "grain", "tasks of 100 µs, efficiency", "%", "high"),
    Row("grain_10us", "grain", "tasks of 10 µs, efficiency", "%", "high"),
    Row("grain_1us", "grain", "tasks of 1 µs, efficiency", "%", "high"),
]

BY_KEY = {row.key: row for row in ROWS}

#   In the order in which a round runs them.
STEPS = ["start", "calls", "objects", "chain", "far", "queued", "actors", "words", "grain"]

#   Key, which is the name of its folder in bench/peers, and name.
SIDES = [
    ("troupe", "Troupe"),
    ("raw", "raw libzmq"),
    ("ray", "Ray"),
    ("raycpp", "Ray C++"),
    ("dask", "Dask"),
    ("gearman", "Gearman"),
    ("erlang", "Erlang"),
    ("caf", "CAF"),
    ("nats", "NATS"),
]

NAMES = dict(SIDES)
