/*  peer.cc - CAF's side of bench/compare: peer worker PORT, peer none STEP,
    peer STEP PORT...: a worker publishes an actor at its port

    A task is a message to one of a pool of actors, which has one in each
    worker.                                                                  */

#include "bench/peers/say.h"
#include "bench/peers/work.h"

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace caf;

using noop_atom = atom_constant<atom ("noop")>;
using next_atom = atom_constant<atom ("next")>;
using work_atom = atom_constant<atom ("work")>;
using pid_atom = atom_constant<atom ("pid")>;
using hold_atom = atom_constant<atom ("hold")>;
using spawn_atom = atom_constant<atom ("spawn")>;
using run_atom = atom_constant<atom ("run")>;
using meet_atom = atom_constant<atom ("meet")>;

static const int TASKS = 10000;
static const int EACH = 5000;
static const int QUEUED = 200000;
static const int ACTORS = 1000;
static const auto TIMEOUT = std::chrono::seconds (30);

static const char *NO_TASKS = "no tasks: a message to one of a pool of actors";
static const char *NO_FUTURES = "no futures: each call is waited for";

/* ------------------------------------------------------------------------
   Workers                                                                  */

static behavior
idler (event_based_actor *)
{
    return { [] (noop_atom) { return noop_atom::value; },
             [] (next_atom, int64_t number) { return number + 1; } };
}

/*  Calls actors in turn, all at once, and says when all have answered.     */
struct caller_state {
    std::vector<actor> actors;
    int left = 0;
    response_promise promise;
};

static behavior
caller (stateful_actor<caller_state> *self)
{
    return { [=] (meet_atom, const actor &one) {
                self->state.actors.push_back (one);
                return meet_atom::value;
            },
             [=] (run_atom, int count) {
                auto &state = self->state;
                state.left = count;
                state.promise = self->make_response_promise ();
                for (int i = 0; i < count; i++)
                    self->send (state.actors [(size_t) i % state.actors.size ()],
                                noop_atom::value);
                return state.promise;
            },
             [=] (noop_atom) {
                if (--self->state.left == 0)
                    self->state.promise.deliver (run_atom::value);
            } };
}

static behavior
service (event_based_actor *self)
{
    return { [] (noop_atom) { return noop_atom::value; },
             [] (next_atom, int64_t number) { return number + 1; },
             [] (work_atom, uint64_t turns) {
                work_turn (turns);
                return noop_atom::value;
            },
             [] (pid_atom) { return (int64_t) getpid (); },
             [] (hold_atom, const std::string &path) {
                while (access (path.c_str (), F_OK))
                    usleep (1000);
             },
             [=] (spawn_atom) { return self->spawn (idler); },
             [=] (meet_atom) -> actor { return self->spawn (caller); } };
}

struct config : actor_system_config {
    config ()
    {
        load<io::middleman> ();
        set ("scheduler.max-threads", 1);
    }
};

static int
s_worker (int port)
{
    config options;
    actor_system system{ options };
    auto published
        = system.middleman ().publish (system.spawn (service), (uint16_t) port, "127.0.0.1");
    if (!published) {
        fprintf (stderr, "caf: cannot publish at port %d\n", port);
        return 1;
    }
    for (;;)
        pause ();
}

/* ------------------------------------------------------------------------
   Driver                                                                   */

struct driver {
    scoped_actor &self;
    std::vector<actor> workers;
    std::vector<actor> callers;
    std::vector<actor> members;
    size_t count;
    uint64_t turns;
    bool failed;

    void fail (const error &)
    {
        failed = true;
    }
    /*  So many answers, in any order.                                      */
    int receive (size_t answers)
    {
        for (size_t i = 0; i < answers && !failed; i++)
            self->receive ([] (noop_atom) {}, [&] (actor &one) { members.push_back (one); },
                           after (TIMEOUT) >> [&] { failed = true; });
        return failed ? -1 : 0;
    }
};

static int
s_noop (driver *d, const actor &to)
{
    d->self->request (to, TIMEOUT, noop_atom::value)
        .receive ([] (noop_atom) {}, [&] (error &e) { d->fail (e); });
    return d->failed ? -1 : 0;
}

static int
s_task (void *context)
{
    driver *d = (driver *) context;
    return s_noop (d, d->workers [d->count++ % d->workers.size ()]);
}

static int
s_call (void *context)
{
    driver *d = (driver *) context;
    return s_noop (d, d->members [0]);
}

static int
s_tasks (void *context)
{
    driver *d = (driver *) context;
    for (int i = 0; i < TASKS; i++)
        d->self->send (d->workers [(size_t) i % d->workers.size ()], noop_atom::value);
    return d->receive (TASKS);
}

static int
s_calls (void *context)
{
    driver *d = (driver *) context;
    for (int i = 0; i < TASKS; i++)
        d->self->send (d->members [0], noop_atom::value);
    return d->receive (TASKS);
}

static int
s_works (void *context)
{
    driver *d = (driver *) context;
    for (size_t i = 0; i < d->count; i++)
        d->self->send (d->workers [i % d->workers.size ()], work_atom::value, d->turns);
    return d->receive (d->count);
}

static int
s_meeting (void *context)
{
    driver *d = (driver *) context;
    for (auto &one : d->callers)
        d->self->send (one, run_atom::value, EACH);
    for (size_t i = 0; i < d->callers.size () && !d->failed; i++)
        d->self->receive ([] (run_atom) {}, after (TIMEOUT) >> [&] { d->failed = true; });
    return d->failed ? -1 : 0;
}

static int
s_chain (void *context)
{
    driver *d = (driver *) context;
    int64_t number = 0;
    for (size_t i = 0; i < d->count && !d->failed; i++)
        d->self->request (d->workers [i % d->workers.size ()], TIMEOUT, next_atom::value, number)
            .receive ([&] (int64_t answer) { number = answer; },
                      [&] (error &e) { d->fail (e); });
    return d->failed || number != (int64_t) d->count ? -1 : 0;
}

static int
s_chains (driver *d, const char *row_10, const char *row_50, size_t samples)
{
    d->count = 10;
    if (say_latency (row_10, s_chain, d, samples, NO_FUTURES))
        return -1;
    d->count = 50;
    return say_latency (row_50, s_chain, d, samples / 2, NO_FUTURES);
}

static int
s_spawn (driver *d, size_t count)
{
    d->members.clear ();
    for (size_t i = 0; i < count; i++)
        d->self->send (d->workers [i % d->workers.size ()], spawn_atom::value);
    return d->receive (count);
}

static int
s_start (driver *d)
{
    std::string request = "{\"measure\":\"memory_worker\",\"pids\":[";
    for (size_t i = 0; i < d->workers.size (); i++)
        d->self->request (d->workers [i], TIMEOUT, pid_atom::value)
            .receive ([&] (int64_t pid) { request += (i ? "," : "") + std::to_string (pid); },
                      [&] (error &e) { d->fail (e); });
    say_ask ("{\"measure\":\"memory_idle\"}");
    say_ask ((request + "]}").c_str ());
    return d->failed ? -1 : 0;
}

static int
s_step_calls (driver *d)
{
    if (s_spawn (d, d->workers.size ()))
        return -1;
    for (auto &worker : d->workers)
        d->self->request (worker, TIMEOUT, meet_atom::value)
            .receive ([&] (actor &one) { d->callers.push_back (one); },
                      [&] (error &e) { d->fail (e); });
    for (auto &one : d->callers)
        for (auto &member : d->members)
            d->self->request (one, TIMEOUT, meet_atom::value, member)
                .receive ([] (meet_atom) {}, [&] (error &e) { d->fail (e); });
    size_t all = (size_t) EACH * d->workers.size ();
    return d->failed || say_latency ("task_latency", s_task, d, 1000, NO_TASKS)
           || say_rate ("task_rate", s_tasks, d, TASKS, 3, NO_TASKS)
           || say_latency ("call_latency", s_call, d, 1000, NULL)
           || say_rate ("call_rate", s_calls, d, TASKS, 3, NULL)
           || say_rate ("call_nn", s_meeting, d, all, 3, NULL);
}

static int
s_step_queued (driver *d)
{
    std::string path = std::string (getenv ("COMPARE_FOLDER")) + "/gate";
    for (auto &worker : d->workers)
        d->self->send (worker, hold_atom::value, path);
    for (int i = 0; i < QUEUED; i++)
        d->self->send (d->workers [(size_t) i % d->workers.size ()], noop_atom::value);
    /*  Until they have arrived: what is sent does not say when it is.       */
    sleep (5);
    int64_t start = say_now ();
    FILE *file = fopen (path.c_str (), "w");
    if (!file)
        return -1;
    fclose (file);
    if (d->receive (QUEUED))
        return -1;
    say_value_of ("queued", QUEUED / ((double) (say_now () - start) / 1e9), 0,
                  "200,000 messages in the mailboxes of actors");
    return 0;
}

static int
s_step_actors (driver *d)
{
    say_ask ("{\"measure\":\"before\"}");
    int64_t start = say_now ();
    if (s_spawn (d, ACTORS))
        return -1;
    for (auto &member : d->members)
        d->self->send (member, noop_atom::value);
    if (d->receive (ACTORS))
        return -1;
    say_value ("spawn", ACTORS / ((double) (say_now () - start) / 1e9));
    say_ask ("{\"measure\":\"memory_actor\",\"since\":\"before\",\"count\":1000}");
    return 0;
}

static int
s_step_grain (driver *d)
{
    static const work_grain_t grains [] = WORK_GRAINS;
    for (auto &grain : grains) {
        d->turns = work_turns (grain.work_us);
        d->count = grain.count < TASKS ? grain.count : TASKS;
        if (say_rate (grain.row, s_works, d, d->count, 1, NO_TASKS))
            return -1;
    }
    return 0;
}

static int
s_none (const char *step)
{
    const char *rows [] = { "put_1k", "get_1k", "put_100m", "get_100m" };
    for (auto row : rows)
        if (strcmp (step, "objects") == 0)
            say_skip (row, "no store of values: they are copied into messages");
    if (strcmp (step, "words") == 0)
        say_skip ("words", "not written");
    return 0;
}

static int
s_drive (const std::string &step, int ports, char *port [])
{
    config options;
    actor_system system{ options };
    scoped_actor self{ system };
    driver d{ self, {}, {}, {}, 0, 0, false };
    for (int i = 0; i < ports && d.workers.size () < say_workers (); i++)
        for (int attempt = 0; attempt < 2000; attempt++) {
            auto worker = system.middleman ().remote_actor ("127.0.0.1",
                                                            (uint16_t) atoi (port [i]));
            if (worker) {
                d.workers.push_back (*worker);
                break;
            }
            usleep (5000);
        }
    if (d.workers.size () != say_workers () || s_noop (&d, d.workers [0])) {
        fprintf (stderr, "caf: not all workers answer\n");
        return -1;
    }
    if (step == "start") {
        say_answered ("startup");
        return s_start (&d);
    }
    if (step == "calls")
        return s_step_calls (&d);
    if (step == "chain")
        return s_chains (&d, "chain_10", "chain_50", 200);
    if (step == "far")
        return s_chains (&d, "far_10", "far_50", 10);
    if (step == "queued")
        return s_step_queued (&d);
    if (step == "actors")
        return s_step_actors (&d);
    return step == "grain" ? s_step_grain (&d) : -1;
}

int
main (int argc, char *argv [])
{
    if (argc < 3)
        return 2;
    std::string step = argv [1];
    if (step == "worker")
        return s_worker (atoi (argv [2]));
    if (step == "none")
        return s_none (argv [2]);
    int failed = s_drive (step, argc - 2, argv + 2);
    /*  Without the slow goodbye to each worker.                            */
    fflush (NULL);
    _exit (failed ? 1 : 0);
}
