#!/bin/sh
#  test_hosts_jobs.sh - jobs side by side: detached actors, a job that floods,
#  resources, programs that a node cannot run
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_more=two
hosts_cluster one
hosts_join two --resource lidar=1

#  drive ARGUMENT...: what a driver says, in $said.
drive () {
    said=$(hosts_run drive timeout 30 tests/hosts_program "$@" 2>&1)
}

#  lines NAME: of a file that tasks append to.
lines () {
    wc -l <"$hosts_folder/$1"
}

#  demand NAME ARGUMENT...: tasks with needs, in the background.
demand () {
    name=$1
    shift
    hosts_run drive timeout 30 tests/hosts_program where "$@" >"$hosts_folder/said-$name" \
        2>"$hosts_folder/errors-$name" &
    echo $! >"$hosts_folder/pid-$name"
}
#  Demands that nobody meets, beside all that follows, as they take a while to fail.
demand cpus 64 "" "" 1 0
demand radar 1 radar=1 "" 1 0
demand nine 1 "" nine 1 0

#  A detached actor outlives its driver, and others find it.
for count in 1 2; do
    drive keep index two || hosts_fail "keep: $said"
    [ "$said" = "count=$count" ] || hosts_fail "wanted $count: $said"
done
drive meet index || hosts_fail "meet: $said"
[ "$said" = "count=3" ] || hosts_fail "wanted 3: $said"
drive meet nobody && hosts_fail "nobody was found: $said"
case $said in *nobody*) ;; *) hosts_fail "unclear: $said" ;; esac
hosts_is 1 actors || hosts_fail "not one actor: $(hosts_list actors)"

hosts_run head ./troupe logs index >"$hosts_folder/lines" 2>&1 ||
    hosts_fail "logs of an actor: $(cat "$hosts_folder/lines")"

#  Names belong to a namespace.
said=$(TROUPE_NAMESPACE=elsewhere hosts_run drive timeout 30 tests/hosts_program meet index 2>&1) &&
    hosts_fail "index was found elsewhere: $said"

#  Folder and environment of a job's workers; what they print, which can be
#  turned off.
around () {
    said=$(hosts_run drive env "$@" timeout 30 tests/hosts_program surroundings 2>&1)
}
around || hosts_fail "surroundings: $said"
[ "$(echo "$said" | grep -v '^(')" = "/ -" ] || hosts_fail "surroundings: $said"
echo "$said" | grep -q '^(worker .* on .*) looking around$' || hosts_fail "no line: $said"
around TROUPE_LOG=off TROUPE_JOB_FOLDER=/usr TROUPE_JOB_ENVIRONMENT="TOLD=a b
OTHER=" || hosts_fail "surroundings: $said"
[ "$said" = "/usr a b" ] || hosts_fail "surroundings: $said"
around TROUPE_JOB_FOLDER=/nowhere/at/all && hosts_fail "a folder that is not there: $said"
case $said in */nowhere/at/all*) ;; *) hosts_fail "unclear: $said" ;; esac
#  Each is refused with its name.
for wrong in TROUPE_JOB_FOLDER=here TROUPE_JOB_ENVIRONMENT=TOLD TROUPE_JOB_ENVIRONMENT==1 \
    TROUPE_PRIORITY=1001 TROUPE_SHARE=0 TROUPE_LOG=nonsense; do
    around "$wrong" && hosts_fail "$wrong: $said"
    case $said in "${wrong%%=*} "*) ;; *) hosts_fail "$wrong: $said" ;; esac
done

#  The last lines of workers reach a driver that ends with its last task. They
#  are fewer than a worker may print in a second, all together.
for tasks in 1 2 4; do
    drive speak $tasks $((300 / tasks)) || hosts_fail "speak: $said"
    lines=$(echo "$said" | grep -c '^(worker .* on .*) line [0-9]* is here$')
    [ "$lines" = 300 ] || hosts_fail "$tasks tasks: wanted 300 lines, got $lines"
done
#  Of more, the driver hears how many were left out before it ends.
drive speak 1 20000 || hosts_fail "speak: $said"
lines=$(echo "$said" | grep -c '^(worker .* on .*) line [0-9]* is here$')
left=$(echo "$said" | sed -n 's/^(worker .* on .*) \([0-9]*\) lines left out: .*/\1/p' |
    awk '{ all += $1 } END { print all + 0 }')
[ "$left" -gt 0 ] && [ $((lines + left)) = 20000 ] ||
    hosts_fail "20000 lines: $lines shown, $left left out"

#  What was short so far, and is not, is sent ahead; it does not stand behind others
#  while CPUs are free, and workers of an earlier job of this program warm.
drive tasks 100 0 0 "" || hosts_fail "short tasks: $said"
hosts_begin stuck stand 6 "$hosts_folder/stuck"
hosts_until 5 hosts_ran "$hosts_folder/stuck" 6 ||
    hosts_fail "stuck: six CPUs, but so many run: $(lines stuck)"
: >"$hosts_folder/stuck.open"
hosts_all stuck 6

#  Another job's tasks do not wait behind floods.
#  The second one cannot be over before them: it holds all CPUs for 5 s.
hosts_begin flood tasks 200000 0 0 ""
hosts_begin slow tasks 20000 1 0 ""
began=$(date +%s%N)
drive tasks 100 0 0 "" || hosts_fail "beside the flood: $said"
case $said in *"right=100 "*) ;; *) hosts_fail "beside the flood: $said" ;; esac
echo "100 tasks beside the flood took $((($(date +%s%N) - began) / 1000000)) ms"
grep -q right= "$hosts_folder/said-slow" && hosts_fail "the flood was over already"
hosts_all flood 200000
hosts_all slow 20000

#  Beside a driver that has more to do than all CPUs can, one with five times
#  its share gets five CPUs for each of the other's, one of a higher priority all,
#  and one of a lower priority none. Who needs a whole node gets his turn.
#  pid COUNT: of the driver of so many tasks.
pid () {
    ip netns pids "$hosts_prefix-drive" | while read -r pid; do
        tr '\0' ' ' </proc/$pid/cmdline | grep -q " tasks $1 " && echo "$pid"
    done
}
#  CPUs of the driver of 2500 tasks, and of that of 900, as the head sees them.
cpus () {
    hosts_run head ./troupe list jobs --json |
        sed -n "s/.*(pid $much).*\"cpus\": *\([0-9]*\).*/\1/p;s/.*(pid $other).*\"cpus\": *\([0-9]*\).*/\1/p" |
        tr '\n' ' '
}
has () {
    [ "$(cpus)" = "$1 " ]
}
#  beside NAME CPUS: a driver that comes to have that of the first one's and its
#  own, and keeps it.
beside () {
    hosts_begin "$1" tasks 900 10 0 "$hosts_folder/$1"
    other=$(pid 900)
    hosts_until 10 has "$2" || hosts_fail "$1: $(cpus) CPUs, not $2"
    others=0 own=0 samples=0
    while ! grep -q right= "$hosts_folder/said-$1" && [ $samples -lt 20 ]; do
        pair=$(cpus)
        #  It may end while it is asked for.
        [ -n "${pair#* }" ] || break
        others=$((others + ${pair%% *})) own=$((own + ${pair#* }))
        samples=$((samples + 1))
    done
    hosts_all "$1" 900
    echo "$1: in $samples samples $own CPUs, and $others of the other driver"
}
hosts_begin much tasks 2500 10 0 "$hosts_folder/much"
much=$(pid 2500)
TROUPE_PRIORITY=-1 hosts_begin low tasks 3 0 0 "$hosts_folder/low"
TROUPE_SHARE=5 beside share "1 5"
[ $((others * 10)) -ge "$own" ] && [ $((others * 5 / 2)) -le "$own" ] ||
    hosts_fail "share: $others beside $own"
demand big 2 "" "" 1 0
TROUPE_PRIORITY=1 beside priority "0 6"
[ $((others * 4)) -le "$own" ] || hosts_fail "priority: $others beside $own"
hosts_until 5 grep -q . "$hosts_folder/said-big" || hosts_fail "big: no turn in a flood"
grep -q right= "$hosts_folder/said-much" && hosts_fail "much was over already"
[ ! -e "$hosts_folder/low" ] || hosts_fail "low: $(lines low) tasks ran while others waited"
hosts_all much 2500
hosts_all low 3

#  Demands: by name of node, by resource, by CPUs.
drive where 1 "" two 6 20 || hosts_fail "node two: $said"
[ "$(echo "$said" | sort | uniq -c | tr -s ' ')" = " 6 two" ] || hosts_fail "node two: $said"
drive where 0 "lidar=1" "" 6 20 || hosts_fail "lidar: $said"
[ "$(echo "$said" | sort -u)" = two ] || hosts_fail "lidar: $said"
#  Of four that need all CPUs of a node, three can run at once, on one node each.
demand whole 2 "" "" 4 0 "$hosts_folder/noted"
hosts_until 10 hosts_ran "$hosts_folder/noted" 3 || hosts_fail "whole: $(hosts_errors whole)"
[ "$(hosts_list tasks --filter state=running)" -eq 3 ] || hosts_fail "whole: $(hosts_list tasks)"
hosts_ran "$hosts_folder/noted" 4 && hosts_fail "whole: four tasks of two CPUs run on six CPUs"
: >"$hosts_folder/noted.open"
hosts_end whole || hosts_fail "whole: $(hosts_errors whole)"
[ "$(sort "$hosts_folder/said-whole" | uniq | tr '\n' ' ')" = "head one two " ] ||
    hosts_fail "two CPUs each: $(hosts_errors whole)"
[ "$(wc -l <"$hosts_folder/said-whole")" -eq 4 ] || hosts_fail "whole: $(hosts_errors whole)"

#  A shared library that only the driver's machine has is named.
mkdir "$hosts_folder/lib"
echo 'int far_away (void); int far_away (void) { return 1; }' >"$hosts_folder/far.c"
cat >"$hosts_folder/near.c" <<'END'
#include <troupe.h>
#include <stdio.h>
int far_away (void);
static int
task (troupe_call_t *call)
{
    return troupe_return (call, far_away ());
}
TROUPE_TASK (task);
int
main (int argc, char *argv [])
{
    troupe_t *troupe = troupe_init (&argc, &argv);
    troupe_future_t *future = troupe ? troupe_remote (troupe, task) : NULL;
    int rc = troupe_get (future);
    if (rc)
        fprintf (stderr, "%s\n", troupe_error ());
    troupe_future_destroy (&future);
    troupe_term (&troupe);
    return rc ? 1 : 0;
}
END
${TEST_CC:-cc} -shared -fPIC -o "$hosts_folder/lib/libfaraway.so" "$hosts_folder/far.c" &&
    ${TEST_CC:-cc} -D_GNU_SOURCE -I"$here/../include" -o "$hosts_folder/near" \
        "$hosts_folder/near.c" -L"$hosts_folder/lib" -lfaraway -L.libs -ltroupe \
        -Wl,-rpath,"$(pwd)/.libs" || hosts_fail "the compiler fails"
said=$(LD_LIBRARY_PATH="$hosts_folder/lib" hosts_run drive timeout 30 "$hosts_folder/near" 2>&1) &&
    hosts_fail "it ran: $said"
case $said in *libfaraway*) ;; *) hosts_fail "unclear: $said" ;; esac
echo "$said"

for demand in cpus radar nine; do
    hosts_end $demand && hosts_fail "$demand: the demand was met: $(hosts_errors $demand)"
    grep "no.*$demand" "$hosts_folder/errors-$demand" ||
        hosts_fail "unclear: $(hosts_errors $demand)"
done
