/*  executor.c - zactors that run tasks                                     */

#include "worker/worker_private.h"

#include "peer/callback.h"

#include <stdio.h>
#include <stdlib.h>

void
executor_report_slots (worker_t *worker)
{
    record_t slots = { .type = RECORD_SLOTS,
                       .id.sequence = worker->blocked + worker->unanswered };
    link_send (worker->peer, HEAD_PROCESS, &slots);
}

/*  Lets executors take what may run: an idle one, or a new one. Answers that
    wait for holds need no slot.                                            */
void
executor_kick (worker_t *worker)
{
    bool work = !list_empty (&worker->queue) || worker->peer->callback_count;
    bool may = work && worker->active + worker->coming < worker->slots;
    bool settles = !list_empty (&worker->due) && !worker->coming;
    if ((!may && !settles) || worker->stopping)
        return;
    worker->coming++;
    list_node_t *node = list_pop (&worker->idle);
    if (node) {
        runner_t *runner = container_of (node, runner_t, idle);
        runner->called = true;
        peer_wake (worker->peer, &runner->waiter);
        return;
    }
    worker->wanted++;
    worker_wake_main (worker);
}

/*  An executor that was called, or made, is there.                         */
static void
s_arrive (worker_t *worker, runner_t *self)
{
    worker->coming -= self->called;
    self->called = false;
}

void
executor_accept (worker_t *worker, const record_t *record, batch_t *batch)
{
    job_t *job = job_new (worker, record, batch, record->id.owner);
    if (!job)
        return;
    uint32_t number = record->number;
    job->task = number < worker->function_count ? worker->functions [number] : NULL;
    if (!job->task) {
        static const troupe_task_t unknown = { .name = "task" };
        job->task = &unknown;
        job_fail (worker, job, TROUPE_ENAME, "this program has no task number %u", number);
        return;
    }
    list_append (&worker->queue, &job->node);
    worker->queued++;
    /*  The head sends more when a quarter is left, if it knows (s_is_full). */
    unsigned load = worker->queued + worker->active;
    worker->low = load / 4 > 1 ? load / 4 - 1 : 0;
    executor_kick (worker);
}

void
executor_recall (worker_t *worker, uint64_t count)
{
    bytes_t leases = { 0 };
    while (count-- && !list_empty (&worker->queue)) {
        job_t *job = container_of (worker->queue.prev, job_t, node);
        uint8_t *place = bytes_extend (&leases, 4);
        if (!place)
            break;
        store_u32 (place, job->lease);
        job_destroy (worker, job);
    }
    bytes_align (&leases);
    record_t returned = { .type = RECORD_RETURNED,
                          .body = leases.data,
                          .body_size = (uint32_t) leases.size };
    link_send (worker->peer, HEAD_PROCESS, &returned);
    bytes_release (&leases);
}

int
executor_blocked (worker_t *worker, bool begins, fault_t *fault)
{
    /*  Callbacks have no lease, so the head does not hear of them.         */
    unsigned *waiting = peer_thread.callback ? &worker->callbacks_blocked : &worker->blocked;
    if (begins && worker->blocked + worker->callbacks_blocked >= EXECUTORS_MAX)
        return fault_set (fault, TROUPE_ELIMIT, "%d tasks wait inside %s already",
                          EXECUTORS_MAX, worker->peer->identity.label);
    if (begins) {
        ++*waiting;
        worker->active--;
        executor_kick (worker);
    } else {
        --*waiting;
        worker->active++;
    }
    if (!peer_thread.callback)
        executor_report_slots (worker);
    return 0;
}

static job_t *
s_take (worker_t *worker)
{
    if (worker->active >= worker->slots)
        return NULL;
    list_node_t *node = list_pop (&worker->queue);
    worker->queued -= node != NULL;
    if (worker->queued == worker->low)
        link_flush_all (worker->peer);
    return node ? container_of (node, job_t, node) : NULL;
}

/*  Runs a callback of troupe_then, if there is one and a slot for it. Its
    waits give the slot away, as those of tasks do.                         */
static bool
s_call_back (worker_t *worker)
{
    if (worker->active >= worker->slots || !worker->peer->callback_count)
        return false;
    peer_thread = (peer_thread_t){ .deadline = CLOCK_NEVER, .executor = true };
    worker->active++;
    bool called = callback_run_first (worker->peer);
    worker->active--;
    peer_thread = (peer_thread_t){ .deadline = CLOCK_NEVER };
    return called;
}

static void
s_run (void *arg)
{
    runner_t *self = arg;
    worker_t *worker = self->worker;
    bytes_t reuse = { 0 };
    int64_t time = 0;           /*  at the end of the last job, if just now  */
    pthread_mutex_lock (&worker->peer->lock);
    while (!worker->stopping) {
        s_arrive (worker, self);
        if (settle_one (worker)) {
            time = 0;
            continue;
        }
        job_t *job = s_take (worker);
        if (job) {
            worker->active++;
            ledger_start (worker->ledger, job->lease);
            time = job_run (worker, job, &reuse, time);
            worker->active--;
            continue;
        }
        time = 0;
        if (s_call_back (worker))
            continue;
        self->waiter.ready = false;
        if (!list_linked (&self->idle))
            list_prepend (&worker->idle, &self->idle);
        if (peer_wait (worker->peer, &self->waiter, CLOCK_NEVER) < 0)
            break;
    }
    list_remove (&self->idle);
    pthread_mutex_unlock (&worker->peer->lock);
    bytes_release (&reuse);
}

int
executor_make (worker_t *worker, fault_t *fault)
{
    runner_t *runner = calloc (1, sizeof *runner);
    runner_t **grown = realloc (worker->executors,
                                (worker->executor_count + 1) * sizeof *grown);
    if (grown)
        worker->executors = grown;
    if (!runner || !grown) {
        free (runner);
        return fault_set (fault, TROUPE_ENOMEM, "no memory for an executor");
    }
    runner->worker = worker;
    runner->called = true;
    runner->waiter = (peer_waiter_t) PEER_WAITER_INIT;
    pthread_mutex_unlock (&worker->peer->lock);
    runner->thread = thread_new (s_run, runner, fault);
    pthread_mutex_lock (&worker->peer->lock);
    if (!runner->thread) {
        free (runner);
        return -1;
    }
    worker->executors [worker->executor_count++] = runner;
    return 0;
}
