/*  side.c - Troupe's side of bench/compare: side STEP                       */

#include "bench/peers/troupe/side.h"

int
main (int argc, char *argv [])
{
    static const struct {
        const char *name;
        int (*run) (troupe_t *);
    } steps []
        = { { "start", side_start }, { "calls", side_calls }, { "objects", side_objects },
            { "chain", side_chain }, { "far", side_far },     { "actors", side_actors },
            { "grain", side_grain } };
    setenv ("TROUPE_OBJECT_MEMORY", "1G", 0);
    troupe_t *troupe = driver_init (&argc, &argv);
    if (!troupe)
        return 1;
    int failed = 1;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (argc > 1 && strcmp (argv [1], steps [i].name) == 0)
            failed = steps [i].run (troupe);
    if (troupe_term (&troupe))
        failed = bench_fail ("troupe_term: %s", troupe_error ());
    return failed ? 1 : 0;
}
