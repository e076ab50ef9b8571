#!/bin/sh
#  install.sh - an installed copy has what a user's program needs, and exports
#  only what the header promises
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

fail () {
    echo "install.sh: $*" >&2
    exit 1
}

unset MAKEFLAGS MFLAGS MAKELEVEL
make --silent install DESTDIR="$folder/root" >"$folder/install.log" 2>&1 || {
    cat "$folder/install.log" >&2
    fail "make install failed"
}

pc=$(find "$folder/root" -name troupe.pc)
[ -n "$pc" ] || fail "no troupe.pc"
lib=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
prefix=$folder/root$(pkg-config --variable=prefix troupe)
flags=$(pkg-config --define-variable=prefix="$prefix" --cflags --libs troupe)

for header in troupe.h troupe/counter.h troupe/kv.h troupe/queue.h troupe/wordlist.h; do
    [ -r "$prefix/include/$header" ] || fail "$header is not installed"
done
for class in counter kv queue wordlist; do
    [ -r "$lib/troupe/$class.so" ] || fail "$class.so is not installed"
done

cat >"$folder/program.c" <<'END'
#include <inttypes.h>
#include <stdio.h>
#include <troupe.h>

static int
square (troupe_call_t *call)
{
    int64_t n;
    if (troupe_args (call, &n))
        return -1;
    return troupe_return (call, n * n);
}
TROUPE_TASK (square);

typedef struct {
    int64_t total;
} tally_t;

static int
tally_add (troupe_call_t *call)
{
    tally_t *self = troupe_self (call);
    int64_t n;
    if (troupe_args (call, &n))
        return -1;
    self->total += n;
    return troupe_return (call, self->total);
}

static int
tally_get (troupe_call_t *call)
{
    tally_t *self = troupe_self (call);
    return troupe_return (call, self->total);
}
TROUPE_ACTOR (tally, tally_t,
              .methods = { TROUPE_METHOD (tally_get),
                           TROUPE_METHOD (tally_add, .parameters = "number: int64") });

int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    if (!troupe) {
        fprintf (stderr, "%s\n", troupe_error ());
        return 1;
    }
    troupe_actor_t *tally = troupe_spawn (troupe, tally);
    troupe_actor_t *counter = troupe_spawn_by_name (troupe, "counter");
    troupe_future_t *ready = troupe_actor_ready (counter);
    troupe_future_t *squared = troupe_remote (troupe, square, 12);
    troupe_future_t *first = troupe_call (tally, tally_add, squared);
    troupe_future_t *second = troupe_call (tally, tally_add, first);
    int64_t total = 0;
    int failed = troupe_get (second, &total) || troupe_get (ready);
    if (failed)
        fprintf (stderr, "%s\n", troupe_error ());
    printf ("%" PRId64 "\n", total);
    troupe_future_destroy (&second);
    troupe_future_destroy (&first);
    troupe_future_destroy (&squared);
    troupe_future_destroy (&ready);
    troupe_actor_destroy (&counter);
    troupe_actor_destroy (&tally);
    return troupe_term (&troupe) || failed;
}
END

#  TEST_CC is the compiler with the flags that everything is built with.
# shellcheck disable=SC2086  # a command and flags
${TEST_CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
    "$folder/program.c" -o "$folder/program" $flags ||
    fail "a user's program does not compile"

LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
answer=$(TROUPE_MODULES=$lib/troupe TROUPE_WORKERS=2 "$folder/program")
[ "$answer" = 288 ] || fail "the user's program printed '$answer', not 288"

echo '#include <troupe.h>' >"$folder/header.cc"
if command -v c++ >/dev/null 2>&1; then
    c++ -std=c++11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only \
        -I"$prefix/include" "$folder/header.cc" || fail "troupe.h does not compile as C++"
fi

#  What begins with an underscore belongs to compiler and linker.
exported=$(nm -D --defined-only "$lib/libtroupe.so" | awk '$3 !~ /^(troupe_|_)/ { print $3 }')
[ -z "$exported" ] || fail "libtroupe.so exports $exported"
if [ -r "$lib/libtroupe.a" ]; then
    exported=$(nm -g --defined-only "$lib/libtroupe.a" |
        awk 'NF == 3 && $3 !~ /^(troupe_|_)/ { print $3 }')
    [ -z "$exported" ] || fail "libtroupe.a exports $exported"
fi
