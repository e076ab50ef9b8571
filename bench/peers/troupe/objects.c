/*  objects.c - values put by the driver, and got by it from a worker         */

#include "bench/peers/troupe/side.h"

#define SMALL 1000
#define LARGE 100000000
#define PAGE 4096

static int
make_value (troupe_call_t *call)
{
    size_t size;
    if (troupe_args (call, &size))
        return -1;
    if (size == SMALL) {
        char data [SMALL];
        memset (data, 5, sizeof data);
        return troupe_return (call, troupe_bytes (data, sizeof data));
    }
    troupe_object_t *object = troupe_create (troupe_of (call), TROUPE_ARG_BYTES, size);
    if (!object)
        return troupe_fail (call, "%s", troupe_error ());
    memset (troupe_object_data (object), 5, size);
    return troupe_return (call, object);
}
TROUPE_TASK (make_value);

typedef struct {
    troupe_t *troupe;
    const uint8_t *data;
    size_t size;
} value_t;

static int
s_put (void *context)
{
    const value_t *self = context;
    troupe_future_t *future = troupe_put (self->troupe, troupe_bytes (self->data, self->size));
    return driver_finish (&future);
}

/*  From the finished future to a look at each page. Microseconds, or -1.   */
static double
s_get (const value_t *self)
{
    troupe_future_t *future = troupe_remote (self->troupe, make_value, self->size);
    troupe_bytes_t bytes = { NULL, 0 };
    double time = -1;
    if (future && troupe_wait (&future, 1, 1, -1, NULL) == 1) {
        int64_t start = say_now ();
        if (troupe_get (future, &bytes) == 0 && bytes.size == self->size) {
            const volatile uint8_t *data = bytes.data;
            size_t sum = 0;
            for (size_t at = 0; at < bytes.size; at += PAGE)
                sum += data [at];
            if (sum == 5 * ((bytes.size + PAGE - 1) / PAGE))
                time = (double) (say_now () - start) / 1e3;
        }
    }
    if (time < 0)
        driver_fail (future);
    if (future)
        troupe_future_destroy (&future);
    return time;
}

static int
s_gets (const char *row, const value_t *self, size_t count)
{
    for (size_t i = 0; say_wanted (row) && i < count; i++) {
        double time = s_get (self);
        if (time < 0)
            return -1;
        if (i > 0)
            say_value (row, time);
    }
    return 0;
}

int
side_objects (troupe_t *troupe)
{
    uint8_t *data = malloc (LARGE);
    if (!data)
        return bench_fail ("out of memory");
    memset (data, 7, LARGE);
    value_t small = { troupe, data, SMALL };
    value_t large = { troupe, data, LARGE };
    int failed
        = say_latency ("put_1k", s_put, &small, 1000, NULL) || s_gets ("get_1k", &small, 101)
          || say_latency ("put_100m", s_put, &large, 5, NULL) || s_gets ("get_100m", &large, 6);
    free (data);
    return failed;
}
