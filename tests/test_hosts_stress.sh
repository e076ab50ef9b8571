#!/bin/sh
#  test_hosts_stress.sh - objects handed about between nodes by many threads, with
#  actors that end; all values are right, and nothing is left while the driver lives.
#  With STRESS_SECONDS it takes so long, and then as long again with workers that
#  are killed, of which nothing is left after half a minute.
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

seconds=${STRESS_SECONDS:-2}
seed=${STRESS_SEED:-$$}
echo "seed $seed"
hosts_cluster one two
mkfifo "$hosts_folder/go"
exec 3<>"$hosts_folder/go"

#  stress NAME KILLS
stress () {
    : >"$hosts_folder/said-$1"
    hosts_run drive tests/hosts_stress "$seconds" 4 "$seed" "$2" one two head \
        >"$hosts_folder/said-$1" 2>"$hosts_folder/errors-$1" <"$hosts_folder/go" &
    echo $! >"$hosts_folder/pid-$1"
}
at_work () {
    [ -n "$(hosts_worker one)" ]
}
at_rest () {
    grep -q 'at rest' "$hosts_folder/said-$1"
}
no_objects () {
    hosts_run head ./troupe list objects >"$hosts_folder/objects" &&
        [ "$(hosts_list objects)" -eq 0 ]
}
ends () {
    hosts_until $((seconds + 90)) at_rest "$1" || hosts_fail "$1 does not end: $(hosts_errors "$1")"
    hosts_until 40 no_objects || hosts_fail "objects are left: $(cat "$hosts_folder/objects")"
    echo >&3
    hosts_end "$1" || hosts_fail "$1: $(hosts_errors "$1")"
    cat "$hosts_folder/said-$1"
    grep -q '^right=[1-9][0-9][0-9]* failed=[0-9]* wrong=0' "$hosts_folder/said-$1" ||
        hosts_fail "$1: $(hosts_errors "$1")"
}

stress ended 0
ends ended

[ -n "${STRESS_SECONDS:-}" ] || exit 0
stress killed 1
hosts_until 30 at_work killed || hosts_fail "killed does not run: $(hosts_errors killed)"
until at_rest killed; do
    worker=$(hosts_worker one)
    [ -z "$worker" ] || kill -9 "$worker" 2>/dev/null
    sleep 0.3
done
ends killed
