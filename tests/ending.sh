#!/bin/sh
#  ending.sh - how a cluster ends: what is waited for and what is not, whatever
#  stands in the way, and that everybody is told; each case on a cluster of its
#  own, all at the same time
set -u
LC_ALL=C
export LC_ALL

troupe=$(cd "$(dirname "${TROUPE:-./troupe}")" && pwd)/$(basename "${TROUPE:-./troupe}")
[ -x "$troupe" ] || { echo "ending.sh: there is no $troupe" >&2; exit 1; }
tests=$(dirname "$troupe")/tests
all=$(mktemp -d)
unset TROUPE_ADDRESS TROUPE_TOKEN TROUPE_CONFIG XDG_CONFIG_HOME
HOME=$all
export HOME
cd "$all" || exit 1

finish () {
    for folder in "$all"/*/; do
        for file in "$folder"daemon-*; do
            pid=${file##*-}
            case $pid in *[!0-9]*) continue ;; esac
            kill -9 "$pid" 2>/dev/null
        done
    done
    rm -rf "$all"
}

fail () {
    echo "FAIL: $case: $*" >&2
    for file in "$folder"/*; do
        [ -f "$file" ] && { echo "--- $file"; tail -n 20 "$file"; } >&2
    done
    exit 1
}

#  until SECONDS COMMAND...
until_ () {
    tries=$(($1 * 20))
    shift
    until "$@" 2>/dev/null; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.05
    done
}
says () {
    grep -q -e "$2" "$folder/$1"
}
awaits () {
    until_ 20 says "$1" "$2" || fail "$1 does not say '$2'"
}
has_ended () {
    ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"
}

#  A head with its node alpha, and a node beta; their pids.
begin () {
    "$troupe" start --head --bind 127.0.0.1 --port 0 --name alpha --json "$@" >"$folder/alpha" ||
        fail "no head"
    head=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$folder/alpha")
}
join () {
    "$troupe" start --address auto --name beta --json "$@" >"$folder/beta" || fail "no node"
    node=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$folder/beta")
}
drive () {
    "$troupe" run "$tests/ending_program" "$@" >"$folder/driver" 2>&1 &
    driver=$!
    awaits driver submitted
}
runs () {
    [ "$("$troupe" list tasks --filter state=running --json | grep -c running)" -eq "$1" ]
}
hold () {
    "$troupe" run "$tests/cli_actors" hold "$folder/gate" "$1" >"$folder/driver" 2>&1 &
    driver=$!
    until_ 20 runs "$2" || fail "not $2 tasks run"
}
stop () {
    : >"$folder/stop"
    "$troupe" stop "$@" >"$folder/stop" 2>&1 &
    stopping=$!
}
stops () {
    until_ 40 has_ended "$stopping" || fail "stop hangs"
    wait "$stopping" || fail "stop has failed"
}
interrupt () {
    kill -TERM "$stopping"
    { wait "$stopping"; } 2>/dev/null && fail "an interrupted stop has succeeded"
    says stop "goes on ending" || fail "it does not say what becomes of it"
}
driver_ends () {
    until_ 20 has_ended "$driver" || fail "the driver hangs"
    wait "$driver"
}
#  Nothing that is left.
is_clean () {
    for pid in "$@"; do
        until_ 10 has_ended "$pid" || fail "$pid has not ended"
    done
    grep -q "Sanitizer\|runtime error" "$folder"/daemon-*.log && fail "a daemon goes wrong"
    for file in "$folder"/daemon-* "$folder"/keys-* "$folder"/token-*; do
        case $file in *\** | *.log) ;; *) fail "$file is left" ;; esac
    done
}

#  A task that runs waits for one that has not begun, and would for ever.
case_needs () {
    begin --cpus 2 --resource place=1
    drive needs "$folder/gate"
    until_ 20 runs 2 || fail "not two tasks run"
    stop
    awaits driver "the one that runs has seen runtime stopped"
    awaits driver "hold: the cluster is being stopped"
    awaits stop "waits for 1 task: hold on worker .* on alpha"
    touch "$folder/gate"
    stops
    driver_ends || fail "the driver has failed"
    is_clean "$head"
}

#  A driver that calls an actor for ever, whose method runs a task each time.
case_calls () {
    begin --cpus 2
    drive calls
    stop
    stops
    driver_ends || fail "the driver has failed"
    awaits driver "stopped"
    is_clean "$head"
}

#  An actor that nobody calls is no work.
case_idle () {
    begin --cpus 1 --resource disk=3
    "$troupe" run "$tests/cli_actors" >"$folder/driver" 2>&1
    stop
    stops
    says stop "waits for .* tasks*" && fail "it waits"
    is_clean "$head"
}

#  That the head's own node has nothing to do is not the end.
case_drained () {
    begin --cpus 1
    join --cpus 1
    "$troupe" drain alpha >"$folder/drain" || fail "no drain"
    hold 1 1
    stop
    awaits stop "waits for 1 task: hold on worker .* on beta"
    touch "$folder/gate"
    stops
    driver_ends || fail "the driver has failed"
    is_clean "$head" "$node"
}

#  A node that stands still takes nobody's time but its own.
case_standing () {
    begin --cpus 1
    join --cpus 1
    hold 2 2
    kill -STOP "$node"
    stop --timeout 0.1
    driver_ends && fail "the driver has not noticed"
    says driver "was stopped" || fail "the driver is not told"
    #  Another finds what is about to end.
    "$troupe" stop >"$folder/second" 2>&1
    says second "Stopped" || fail "the second finds nothing"
    stops
    says stop "1 of them had to be killed" || fail "more, or less, was killed"
    grep -q "told to end at once" "$folder/daemon-$head.log" || fail "the head says nothing"
    is_clean "$head" "$node"
}

#  What was told to end does so, whatever becomes of who told it; and two are
#  not twice as urgent.
case_interrupted () {
    begin --cpus 1
    join --cpus 1
    hold 3 2
    stop
    awaits stop "waits for 2 tasks"
    interrupt
    stop
    awaits stop "waits for 2 tasks"
    interrupt
    has_ended "$head" && fail "two stops were one too many"
    touch "$folder/gate"
    driver_ends
    says driver "the cluster is being stopped" || fail "the driver is not told"
    is_clean "$head" "$node"
}

#  The second signal ends the wait, and everybody is told; the third is the end.
case_signals () {
    begin --cpus 1
    join --cpus 1
    hold 2 2
    kill "$head"
    until_ 5 grep -q "waits for 2 tasks" "$folder/daemon-$head.log" || fail "no word of what"
    kill -INT "$head"
    driver_ends
    [ "$(grep -c "was stopped" "$folder/driver")" -eq 2 ] || fail "the driver is not told"
    is_clean "$head" "$node"
    begin --cpus 1
    join --cpus 1
    hold 1 1
    kill -STOP "$node"
    kill "$head"
    until_ 5 grep -q "asked to end" "$folder/daemon-$head.log" || fail "the first"
    kill "$head"
    until_ 5 grep -q "told to end at once" "$folder/daemon-$head.log" || fail "the second"
    kill "$head"
    until_ 2 has_ended "$head" || fail "the third"
    kill -KILL "$node"
    driver_ends
}

#  Force is in order, too.
case_force () {
    begin --cpus 1
    join --cpus 1
    hold 3 2
    "$troupe" status --watch >"$folder/status" 2>&1 &
    status=$!
    awaits status alpha
    stop --force
    stops
    says stop "killed" && fail "it was killed"
    driver_ends
    [ "$(grep -c "was stopped" "$folder/driver")" -eq 2 ] || fail "what runs has not failed"
    says driver "the cluster is being stopped" || fail "something has begun"
    wait "$status"
    says status "the cluster at .* was stopped" || fail "the command is not told"
    is_clean "$head" "$node"
}

#  A head that is killed, while it ends: all miss it as soon as nobody is there.
case_killed () {
    begin --cpus 1
    join --cpus 1
    hold 2 2
    "$troupe" status --watch >"$folder/status" 2>&1 &
    status=$!
    awaits status alpha
    stop
    awaits stop "waits for 2 tasks"
    kill -KILL "$head"
    until_ 6 has_ended "$driver" || fail "the driver waits"
    until_ 6 has_ended "$status" || fail "the command waits"
    driver_ends
    says driver "the head at 127.0.0.1:[0-9]* has gone" || fail "unclear to the driver"
    says status "the head at 127.0.0.1:[0-9]* has gone" || fail "unclear to the command"
    says driver "ipc:" && fail "the driver hears of endpoints"
    stops
    is_clean "$head" "$node"
}

#  A node that is killed while the cluster ends: it is waited for no more.
case_node_killed () {
    begin --cpus 1
    join --cpus 1
    hold 2 2
    stop
    awaits stop "waits for 2 tasks"
    kill -KILL "$node"
    awaits stop "waits for 1 task: hold on worker .* on alpha"
    touch "$folder/gate"
    stops
    driver_ends
    is_clean "$head" "$node"
}

#  A node that looks for a head has no reason to stay.
case_orphan () {
    begin --cpus 1
    join --cpus 1
    kill -KILL "$head"
    until_ 10 grep -q "looks for a head" "$folder/daemon-$node.log" || fail "no search"
    stop
    until_ 3 has_ended "$stopping" || fail "it searches on"
    is_clean "$head" "$node"
}

cases="orphan needs calls idle drained standing interrupted signals force killed node_killed"
[ $# -eq 0 ] || cases=$*
for case in $cases; do
    folder=$all/$case
    mkdir -m 700 "$folder"
    (
        TROUPE_FOLDER=$folder XDG_RUNTIME_DIR=$folder
        export TROUPE_FOLDER XDG_RUNTIME_DIR
        "case_$case"
        echo "$case"
    ) >"$folder.said" 2>&1 &
done
trap finish EXIT
trap 'exit 1' HUP INT TERM
wait
failed=0
for case in $cases; do
    [ "$(cat "$all/$case.said")" = "$case" ] || { cat "$all/$case.said" >&2; failed=1; }
done
exit "$failed"
