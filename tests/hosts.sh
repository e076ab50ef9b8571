#  hosts.sh - several hosts on one machine: network namespaces joined by a
#  switch; to be sourced
#
#  hosts_make NAME...: makes them, or exits with 77 and a note. hosts_run NAME
#  COMMAND...: runs a command on one. hosts_address NAME. hosts_link NAME
#  up|down. hosts_swallow NAME on|off: all that it sends or is sent vanishes.
#  hosts_part NAME NAME on|off: nothing gets from one to the other, nor back.
#  hosts_wire NAME MILLISECONDS PERCENT [MEGABYTES]: a link that is slow, loses
#  frames, or is narrow: so much a second. hosts_reset NAME: resets the
#  connections of a host. hosts_cluster NODE...: makes the hosts, a head called
#  head on the first, the nodes, and a host drive for drivers, and those of
#  $hosts_more. hosts_until SECONDS COMMAND...: tries until it succeeds. All is
#  removed at the end; what runs there is killed.

hosts_prefix=tr$$
hosts_made=
hosts_folder=

hosts_remove () {
    for host in $hosts_made; do
        #  Only processes whose namespace is the one that was made here.
        for pid in $(ip netns pids "$hosts_prefix-$host" 2>/dev/null); do
            kill -9 "$pid" 2>/dev/null
        done
        ip netns del "$hosts_prefix-$host" 2>/dev/null
    done
    hosts_made=
    [ -z "$hosts_folder" ] || rm -rf "$hosts_folder"
}

hosts_skip () {
    echo "SKIP: $*" >&2
    hosts_remove
    exit 77
}

hosts_make () {
    command -v ip >/dev/null 2>&1 || hosts_skip "no ip command (iproute2)"
    ip netns add "$hosts_prefix-switch" 2>/dev/null ||
        hosts_skip "network namespaces are not permitted here"
    hosts_made=switch
    hosts_folder=$(mktemp -d)
    ip -n "$hosts_prefix-switch" link add name bridge type bridge 2>/dev/null ||
        hosts_skip "no bridges here"
    ip -n "$hosts_prefix-switch" link set bridge up
    hosts_count=0
    for host in "$@"; do
        hosts_count=$((hosts_count + 1))
        ip netns add "$hosts_prefix-$host"
        hosts_made="$hosts_made $host"
        ip link add "e$hosts_prefix" netns "$hosts_prefix-$host" type veth \
            peer name "$host" netns "$hosts_prefix-switch" 2>/dev/null ||
            hosts_skip "no veth pairs here"
        ip -n "$hosts_prefix-switch" link set "$host" master bridge up
        ip -n "$hosts_prefix-$host" link set "e$hosts_prefix" name eth0
        ip -n "$hosts_prefix-$host" address add "10.77.0.$hosts_count/24" dev eth0
        ip -n "$hosts_prefix-$host" link set eth0 up
        ip -n "$hosts_prefix-$host" link set lo up
        mkdir -m 700 "$hosts_folder/$host"
        echo "10.77.0.$hosts_count" >"$hosts_folder/$host.address"
    done
}

hosts_address () {
    cat "$hosts_folder/$1.address"
}

#  Each host has a folder of its own for what daemons leave on it.
hosts_run () {
    host=$1
    shift
    TROUPE_FOLDER="$hosts_folder/$host" ip netns exec "$hosts_prefix-$host" "$@"
}

hosts_link () {
    ip -n "$hosts_prefix-switch" link set "$1" "$2"
}

hosts_swallow () {
    hosts_state=3
    [ "$2" = off ] || hosts_state=0
    ip -n "$hosts_prefix-switch" link set "$1" type bridge_slave state $hosts_state ||
        hosts_fail "the switch does not swallow"
}

hosts_part () {
    hosts_verb=add
    [ "$3" = on ] || hosts_verb=del
    ip -n "$hosts_prefix-$1" route $hosts_verb blackhole "$(hosts_address "$2")" &&
        ip -n "$hosts_prefix-$2" route $hosts_verb blackhole "$(hosts_address "$1")" ||
        hosts_fail "$1 and $2 cannot be parted"
}

#  The cable between a host and the switch becomes tests/wire.
hosts_wire () {
    switch=$hosts_prefix-switch
    ip -n "$switch" link set "$1" nomaster
    ip -n "$switch" link add "w$1" type veth peer name "b$1"
    ip -n "$switch" link set "b$1" master bridge up
    ip -n "$switch" link set "w$1" up
    : >"$hosts_folder/wire-$1"
    ip netns exec "$switch" tests/wire "$1" "w$1" "$2" "$3" "${4:-0}" >"$hosts_folder/wire-$1" &
    hosts_until 5 grep -q ready "$hosts_folder/wire-$1"
}

hosts_reset () {
    ip netns exec "$hosts_prefix-$1" ss -K state established '( dport > 1024 )' \
        >"$hosts_folder/reset-$1" 2>/dev/null
    grep -q 10.77 "$hosts_folder/reset-$1"
}

#  Fails if that many seconds pass.
hosts_until () {
    hosts_tries=$(($1 * 20))
    shift
    until "$@"; do
        hosts_tries=$((hosts_tries - 1))
        [ $hosts_tries -gt 0 ] || return 1
        sleep 0.05
    done
}

hosts_fail () {
    echo "FAIL: $*" >&2
    for log in "$hosts_folder"/*/daemon-*.log; do
        echo "--- $log" >&2
        tail -n 30 "$log" >&2
    done
    exit 1
}

hosts_join () {
    hosts_run "$1" ./troupe start --address "$(hosts_address head):7690" --token "$TROUPE_TOKEN" \
        --cpus 2 --name "$@" >"$hosts_folder/out-$1" 2>&1 ||
        hosts_fail "$1 does not join: $(cat "$hosts_folder/out-$1")"
}

hosts_start_head () {
    hosts_run head ./troupe start --head --bind "$(hosts_address head)" --port 7690 --cpus 2 \
        --name head >"$hosts_folder/out-head" 2>&1 ||
        hosts_fail "the head does not start: $(cat "$hosts_folder/out-head")"
}

hosts_cluster () {
    unset TROUPE_ADDRESS TROUPE_TOKEN
    hosts_make head "$@" drive ${hosts_more:-}
    hosts_start_head
    TROUPE_TOKEN=$(cat "$hosts_folder/head/token-7690")
    TROUPE_ADDRESS=$(hosts_address head):7690
    export TROUPE_ADDRESS TROUPE_TOKEN
    for host in "$@"; do
        hosts_join "$host"
    done
}

#  hosts_pid NAME: of its daemon.
hosts_pid () {
    ls "$hosts_folder/$1" | sed -n 's/^daemon-\([0-9]*\)$/\1/p' | head -n 1
}

#  hosts_kill HOST: its daemon, and waits until the kernel has ended it.
hosts_kill () {
    hosts_killed=$(hosts_pid "$1")
    kill -9 "$hosts_killed"
    hosts_until 10 hosts_has_ended "$hosts_killed" || hosts_fail "$1 does not end"
}

hosts_has_ended () {
    ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" 2>/dev/null
}

#  hosts_list KIND [OPTION]...: how many there are, by the head's own word.
hosts_list () {
    hosts_run head ./troupe list "$@" --json 2>/dev/null | grep -c '^ *{'
}

#  hosts_is COUNT KIND [OPTION]...
hosts_is () {
    hosts_wanted=$1
    shift
    [ "$(hosts_list "$@")" -eq "$hosts_wanted" ]
}

#  hosts_begin NAME ARGUMENT...: a driver in the background, on the host drive or
#  on $hosts_from, at work when this returns. hosts_end NAME: waits for it; the exit code is the driver's.
hosts_begin () {
    hosts_driver=$1
    shift
    : >"$hosts_folder/said-$hosts_driver"
    hosts_run "${hosts_from:-drive}" tests/hosts_program "$@" >"$hosts_folder/said-$hosts_driver" \
        2>"$hosts_folder/errors-$hosts_driver" &
    echo $! >"$hosts_folder/pid-$hosts_driver"
    hosts_until 20 grep -q running "$hosts_folder/said-$hosts_driver" ||
        hosts_fail "$hosts_driver does not run: $(cat "$hosts_folder/errors-$hosts_driver")"
}

hosts_end () {
    wait "$(cat "$hosts_folder/pid-$1")"
}

hosts_errors () {
    cat "$hosts_folder/said-$1" "$hosts_folder/errors-$1"
}

#  hosts_all NAME COUNT: every answer of that driver came and was right.
hosts_all () {
    hosts_end "$1" || hosts_fail "$1: $(hosts_errors "$1")"
    grep -q "right=$2 wrong=0 failed=0 missing=0" "$hosts_folder/said-$1" ||
        hosts_fail "$1: $(hosts_errors "$1")"
}

#  hosts_ran FILE COUNT: so many tasks have begun, which note it in the file.
hosts_ran () {
    [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

#  hosts_worker NODE: the pid of a worker there.
hosts_worker () {
    hosts_run head ./troupe list workers --filter "node=$1" --json |
        sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1
}

#  hosts_work NODE NODE NODE: in the background, on the host drive, nap, and until
#  hosts_work_ends wordfreq and long chains of calls over actors on those nodes,
#  again and again. hosts_work_ends: fails unless each answer came and was right.
hosts_work () {
    examples/zipf --bytes 1M >"$hosts_folder/text"
    hosts_run drive examples/wordfreq --variant sequential --json "$hosts_folder/text" \
        >"$hosts_folder/wanted" || hosts_fail "wordfreq fails by itself"
    hosts_words &
    echo $! >"$hosts_folder/pid-words"
    hosts_begin long long "$hosts_folder/enough" 300 "$@"
    hosts_run drive timeout 40 examples/nap >"$hosts_folder/said-nap" 2>"$hosts_folder/errors-nap" &
    echo $! >"$hosts_folder/pid-nap"
}

hosts_answer () {
    sed 's/.*\("word":"[^"]*","count":[0-9]*\).*/\1/' "$1"
}

hosts_words () {
    until [ -e "$hosts_folder/enough" ]; do
        hosts_run drive timeout 40 examples/wordfreq --variant tasks --sublists 100 --json \
            "$hosts_folder/text" >"$hosts_folder/said-words" 2>"$hosts_folder/errors-words" ||
            return 1
        [ "$(hosts_answer "$hosts_folder/said-words")" = "$(hosts_answer "$hosts_folder/wanted")" ] ||
            return 1
        echo done >>"$hosts_folder/rounds"
    done
}

hosts_work_ends () {
    : >"$hosts_folder/enough"
    for hosts_driver in words long nap; do
        hosts_end $hosts_driver || hosts_fail "$hosts_driver: $(hosts_errors $hosts_driver)"
    done
    cat "$hosts_folder/said-long"
    grep -q "chains=[1-9][0-9]* right=[1-9][0-9]*00 wrong=0 failed=0 missing=0" \
        "$hosts_folder/said-long" || hosts_fail "long: $(hosts_errors long)"
    grep -q "4 naps of one second at once" "$hosts_folder/said-nap" || hosts_fail "no naps"
    [ -s "$hosts_folder/rounds" ] || hosts_fail "wordfreq did not end once"
    echo "wordfreq was right $(wc -l <"$hosts_folder/rounds") times"
    rm "$hosts_folder/enough" "$hosts_folder/rounds"
}

#  hosts_once FILE COUNT: each of so many tasks ran, and none of them twice.
hosts_once () {
    [ "$(sort -n "$1" | uniq | wc -l)" -eq "$2" ] || hosts_fail "tasks of $1 did not run"
    [ "$(sort -n "$1" | uniq -d | wc -l)" -eq 0 ] ||
        hosts_fail "ran twice: $(sort -n "$1" | uniq -d | tr '\n' ' ')"
}
