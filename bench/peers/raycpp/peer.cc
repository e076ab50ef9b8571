/*  peer.cc - the side of Ray's C++ interface of bench/compare: peer STEP. The
    same file is the library that its workers load                           */

#include "bench/peers/say.h"
#include "bench/peers/work.h"

#include <ray/api.h>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

static const size_t TASKS = 10000;
static const size_t EACH = 2500;
static const size_t QUEUED = 5000;
static const size_t ACTORS = 10;
static const size_t SMALL = 1000;
static const size_t LARGE = 100000000;

static int noop ()
{
    return 0;
}

static int process_id ()
{
    usleep (20000);
    return getpid ();
}

static int work (uint64_t turns)
{
    work_turn (turns);
    return 0;
}

static std::vector<uint8_t> make (size_t size)
{
    return std::vector<uint8_t> (size, 5);
}

static int gate (std::string path)
{
    while (access (path.c_str (), F_OK))
        usleep (1000);
    return 0;
}

class Idler {
public:
    static Idler *Create ()
    {
        return new Idler ();
    }
    int Noop ()
    {
        return 0;
    }
    int Next (int number)
    {
        return number + 1;
    }
};

RAY_REMOTE (noop, process_id, work, make, gate);
RAY_REMOTE (Idler::Create, &Idler::Noop, &Idler::Next);

typedef ray::ActorHandle<Idler> idler_t;

static idler_t *s_one;
static idler_t *s_two;
static std::vector<uint8_t> s_value;
static size_t s_count;
static uint64_t s_turns;

static int s_task (void *)
{
    return *ray::Get (ray::Task (noop).Remote ());
}

static int s_call (void *)
{
    return *ray::Get (s_one->Task (&Idler::Noop).Remote ());
}

static int s_tasks (void *)
{
    std::vector<ray::ObjectRef<int>> answers;
    for (size_t i = 0; i < s_count; i++)
        answers.push_back (ray::Task (noop).Remote ());
    return ray::Get (answers).size () == s_count ? 0 : -1;
}

static int s_calls (void *)
{
    std::vector<ray::ObjectRef<int>> answers;
    for (size_t i = 0; i < s_count; i++)
        answers.push_back (s_one->Task (&Idler::Noop).Remote ());
    return ray::Get (answers).size () == s_count ? 0 : -1;
}

static int s_works (void *)
{
    std::vector<ray::ObjectRef<int>> answers;
    for (size_t i = 0; i < s_count; i++)
        answers.push_back (ray::Task (work).Remote (s_turns));
    return ray::Get (answers).size () == s_count ? 0 : -1;
}

static int s_put (void *)
{
    ray::Put (s_value);
    return 0;
}

/*  Its answer is a vector of its own, so that all pages are read.           */
static double s_get (size_t size)
{
    auto value = ray::Task (make).Remote (size);
    ray::Wait (std::vector<ray::ObjectRef<std::vector<uint8_t>>>{ value }, 1, 30000);
    int64_t start = say_now ();
    auto data = ray::Get (value);
    return data->size () == size ? (double) (say_now () - start) / 1e3 : -1;
}

static int s_chain (void *)
{
    auto value = s_one->Task (&Idler::Next).Remote (0);
    for (size_t i = 1; i < s_count; i++)
        value = (i % 2 ? s_two : s_one)->Task (&Idler::Next).Remote (value);
    return *ray::Get (value) == (int) s_count ? 0 : -1;
}

static int s_connect ()
{
    ray::RayConfig config;
    const std::string scratch = getenv ("COMPARE_SCRATCH");
    config.code_search_path = { scratch + "/raycpp/code" };
    config.head_args = { "--num-cpus=" + std::to_string (say_workers ()),
                         "--include-dashboard=false", "--node-ip-address=127.0.0.1",
                         "--object-store-memory=1000000000" };
    ray::Init (config);
    return 0;
}

/*  All workers have answered.                                               */
static std::set<int> s_warm_up ()
{
    std::set<int> pids;
    for (int i = 0; i < 100 && pids.size () < say_workers (); i++) {
        std::vector<ray::ObjectRef<int>> answers;
        for (size_t k = 0; k < 2 * say_workers (); k++)
            answers.push_back (ray::Task (process_id).Remote ());
        for (auto &pid : ray::Get (answers))
            pids.insert (*pid);
    }
    return pids;
}

static int s_start ()
{
    s_task (NULL);
    say_answered ("startup");
    std::string request;
    for (int pid : s_warm_up ())
        request += (request.empty () ? "" : ",") + std::to_string (pid);
    say_ask ("{\"measure\":\"memory_idle\"}");
    say_ask (("{\"measure\":\"memory_worker\",\"pids\":[" + request + "]}").c_str ());
    return 0;
}

static int s_step_calls ()
{
    say_skip ("call_nn", "not written");
    s_count = TASKS;
    return say_latency ("task_latency", s_task, NULL, 500, NULL)
           || say_rate ("task_rate", s_tasks, NULL, TASKS, 1, NULL)
           || say_latency ("call_latency", s_call, NULL, 500, NULL)
           || say_rate ("call_rate", s_calls, NULL, TASKS, 1, NULL);
}

static int s_step_objects ()
{
    s_value.assign (SMALL, 7);
    int failed = say_latency ("put_1k", s_put, NULL, 1000, NULL);
    for (int i = 0; !failed && i < 30; i++)
        say_value ("get_1k", s_get (SMALL));
    s_value.assign (LARGE, 7);
    failed = failed || say_latency ("put_100m", s_put, NULL, 3, NULL);
    for (int i = 0; !failed && i < 3; i++)
        say_value ("get_100m", s_get (LARGE));
    return failed;
}

static int s_step_chain ()
{
    s_count = 10;
    if (say_latency ("chain_10", s_chain, NULL, 40, NULL))
        return -1;
    s_count = 50;
    return say_latency ("chain_50", s_chain, NULL, 20, NULL);
}

static int s_step_queued ()
{
    const std::string path = std::string (getenv ("COMPARE_FOLDER")) + "/gate";
    std::vector<ray::ObjectRef<int>> answers;
    for (size_t i = 0; i < say_workers (); i++)
        ray::Task (gate).Remote (path);
    for (size_t i = 0; i < QUEUED; i++)
        answers.push_back (ray::Task (noop).Remote ());
    int64_t start = say_now ();
    fclose (fopen (path.c_str (), "w"));
    ray::Get (answers);
    say_value_of ("queued", QUEUED / ((double) (say_now () - start) / 1e9), QUEUED, NULL);
    return 0;
}

static int s_step_actors ()
{
    std::vector<idler_t> members;
    std::vector<ray::ObjectRef<int>> answers;
    say_ask ("{\"measure\":\"before\"}");
    int64_t start = say_now ();
    for (size_t i = 0; i < ACTORS; i++)
        members.push_back (ray::Actor (Idler::Create).Remote ());
    for (auto &member : members)
        answers.push_back (member.Task (&Idler::Noop).Remote ());
    ray::Get (answers);
    say_value_of ("spawn", ACTORS / ((double) (say_now () - start) / 1e9), ACTORS, NULL);
    say_ask (("{\"measure\":\"memory_actor\",\"since\":\"before\",\"count\":"
              + std::to_string (ACTORS) + "}").c_str ());
    return 0;
}

static int s_step_grain ()
{
    static const work_grain_t grains [] = WORK_GRAINS;
    for (auto &grain : grains) {
        s_turns = work_turns (grain.work_us);
        s_count = grain.work_us == 1000 ? 500 : 1000;
        if (say_rate (grain.row, s_works, NULL, s_count, 1, NULL))
            return -1;
    }
    return 0;
}

static int s_run (const std::string &step)
{
    if (step == "words") {
        say_skip ("words", "not written");
        return 0;
    }
    if (step == "far") {
        say_skip ("far_10", "its client for drivers elsewhere is for Python alone");
        say_skip ("far_50", "its client for drivers elsewhere is for Python alone");
        return 0;
    }
    s_connect ();
    if (step == "start")
        return s_start ();
    s_warm_up ();
    idler_t one = ray::Actor (Idler::Create).Remote ();
    idler_t two = ray::Actor (Idler::Create).Remote ();
    s_one = &one;
    s_two = &two;
    if (step == "calls")
        return s_step_calls ();
    if (step == "objects")
        return s_step_objects ();
    if (step == "chain")
        return s_step_chain ();
    if (step == "queued")
        return s_step_queued ();
    if (step == "actors")
        return s_step_actors ();
    return step == "grain" ? s_step_grain () : -1;
}

int main (int argc, char *argv [])
{
    int failed = argc == 2 ? s_run (argv [1]) : 2;
    /*  What is left is ended by bench/compare, which is faster.             */
    fflush (NULL);
    _exit (failed ? 1 : 0);
}
