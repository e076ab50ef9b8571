/*  raw_grain.c - the tasks of the step "grain" on bare libzmq: pushed to
    worker processes, whose answers are pulled, one message a task           */

#include "bench.h"
#include "peers/say.h"
#include "peers/work.h"

#include <unistd.h>
#include <zmq.h>

#define WORKERS_MAX 64
#define TIMEOUT_MS 20000
#define SIZE 32

typedef struct {
    char tasks [64]; /*  endpoints                               */
    char answers [64];
    void *push;
    void *pull;
    bench_child_t workers [WORKERS_MAX];
    size_t worker_count;
} pool_t;

/*  A task is the number of turns; its answer is itself.                    */
static int
s_worker (void *argument, int to_parent)
{
    const pool_t *pool = argument;
    (void) to_parent;
    void *context = zmq_ctx_new ();
    void *pull = zmq_socket (context, ZMQ_PULL);
    void *push = zmq_socket (context, ZMQ_PUSH);
    if (zmq_connect (pull, pool->tasks) || zmq_connect (push, pool->answers))
        return -1;
    uint64_t task [SIZE / 8] = { 0 };
    zmq_send (push, task, SIZE, 0);
    while (zmq_recv (pull, task, SIZE, 0) == SIZE) {
        work_turn (task [0]);
        if (zmq_send (push, task, SIZE, 0) != SIZE)
            return -1;
    }
    return -1;
}

static int
s_receive (pool_t *self, size_t count)
{
    uint64_t answer [SIZE / 8];
    for (size_t i = 0; i < count; i++)
        if (zmq_recv (self->pull, answer, SIZE, 0) != SIZE)
            return bench_fail ("no answer: %s", zmq_strerror (zmq_errno ()));
    return 0;
}

static int
s_start (pool_t *self)
{
    self->worker_count = say_workers () < WORKERS_MAX ? say_workers () : WORKERS_MAX;
    snprintf (self->tasks, sizeof self->tasks, "ipc://@troupe-grain-%ld-t", (long) getpid ());
    snprintf (self->answers, sizeof self->answers, "ipc://@troupe-grain-%ld-a",
              (long) getpid ());
    for (size_t i = 0; i < self->worker_count; i++)
        if (bench_child_start (&self->workers [i], s_worker, self))
            return -1;
    void *context = zmq_ctx_new ();
    int timeout = TIMEOUT_MS;
    self->push = zmq_socket (context, ZMQ_PUSH);
    self->pull = zmq_socket (context, ZMQ_PULL);
    zmq_setsockopt (self->push, ZMQ_SNDTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt (self->pull, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    if (zmq_bind (self->push, self->tasks) || zmq_bind (self->pull, self->answers))
        return bench_fail ("bind: %s", zmq_strerror (zmq_errno ()));
    /*  Each worker says once that it is there.                             */
    return s_receive (self, self->worker_count);
}

/*  At most so many tasks are under way that no socket is ever full.        */
static int
s_exchange (pool_t *self, const work_grain_t *grain)
{
    const size_t window = 500;
    uint64_t task [SIZE / 8] = { work_turns (grain->work_us) };
    for (size_t i = 0; i < grain->count; i++) {
        if (i >= window && s_receive (self, 1))
            return -1;
        if (zmq_send (self->push, task, SIZE, 0) != SIZE)
            return bench_fail ("send: %s", zmq_strerror (zmq_errno ()));
    }
    return s_receive (self, grain->count < window ? grain->count : window);
}

int
main (void)
{
    static const work_grain_t grains [] = WORK_GRAINS;
    static pool_t self;
    int failed = s_start (&self);
    for (size_t i = 0; !failed && i < sizeof grains / sizeof *grains; i++)
        for (int repeat = 0; !failed && repeat < 4; repeat++) {
            int64_t start = say_now ();
            failed = s_exchange (&self, &grains [i]);
            double seconds = (double) (say_now () - start) / 1e9;
            if (!failed && repeat > 0)
                say_value (grains [i].row, (double) grains [i].count / seconds);
        }
    for (size_t i = 0; i < self.worker_count; i++)
        bench_child_end (&self.workers [i]);
    return failed ? 1 : 0;
}
