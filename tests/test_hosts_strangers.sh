#!/bin/sh
#  test_hosts_strangers.sh - who has no key changes nothing, however often he
#  connects; who listens learns nothing, and who repeats it gets nowhere
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_more=stranger
hosts_cluster one two

#  stranger NAME WORD ARGUMENT...: one in the background, once it says WORD.
stranger () {
    name=$1 word=$2
    shift 2
    hosts_run "${at:-stranger}" tests/hosts_stranger "$@" >"$hosts_folder/$name" 2>&1 &
    echo $! >"$hosts_folder/pid-$name"
    hosts_until 10 grep -qs "$word" "$hosts_folder/$name" ||
        hosts_fail "$name: $(cat "$hosts_folder/$name")"
}

#  By a signal to it, so that it says what it saw.
end () {
    kill "$(sed -n 's/.* pid //p' "$hosts_folder/$1" | head -n 1)"
    wait "$(cat "$hosts_folder/pid-$1")"
}

#  A session that is listened to at the driver's end. The words are in the
#  text, and the watcher is shown to see what is not encrypted.
cp "$here/../README.md" "$hosts_folder/text"
for round in 1 2 3 4 5 6 7 8; do
    echo "the quixotic zephyrine walrus $round quixotic zephyrine" >>"$hosts_folder/text"
done
at=drive
stranger seen watching watch eth0 quixotic zephyrine walrus
at=stranger
hosts_run drive timeout 30 examples/wordfreq --variant all --sublists 6 --json "$hosts_folder/text" \
    >"$hosts_folder/found" 2>"$hosts_folder/errors" ||
    hosts_fail "wordfreq: $(cat "$hosts_folder/errors")"
end seen
cat "$hosts_folder/seen"
grep -q "quixotic=0 zephyrine=0 walrus=0" "$hosts_folder/seen" || hosts_fail "words were seen"
[ "$(sed -n 's/.*bytes \([0-9]*\).*/\1/p' "$hosts_folder/seen")" -gt 10000 ] ||
    hosts_fail "nothing was seen: $(cat "$hosts_folder/seen")"
at=drive
stranger seen watching watch eth0 quixotic
at=stranger
#  Plain, until it is seen: a datagram may be lost.
plain () {
    hosts_run drive bash -c 'printf "quixotic quixotic quixotic" >/dev/udp/10.77.0.1/9'
    grep -qs "^saw quixotic" "$hosts_folder/seen"
}
hosts_until 10 plain || hosts_fail "the watcher is blind"
end seen

#  refused: connections, by the head's own word; so many and more.
refused () {
    hosts_run head ./troupe status --json | sed -n 's/.*"refused_connections": *\([0-9]*\).*/\1/p'
}
refused_are () {
    [ "$(refused)" -ge "$1" ]
}

#  A session by way of somebody who keeps what the driver said, and says it again.
address=$(hosts_address head)
stranger between listening relay 7790 "$address" 7690 "$hosts_folder/heard"
TROUPE_ADDRESS=$(hosts_address stranger):7790 hosts_begin between tasks 50 1 0 "$hosts_folder/once"
hosts_all between 50
hosts_once "$hosts_folder/once" 50
before=$(refused)
hosts_run stranger tests/hosts_stranger replay "$address" 7690 "$hosts_folder/heard" 20 \
    >"$hosts_folder/replay" || hosts_fail "replay: $(cat "$hosts_folder/replay")"
cat "$hosts_folder/replay"
grep -q "ended 20 of 20" "$hosts_folder/replay" || hosts_fail "a replay is listened to"
hosts_until 5 refused_are $((before + 20)) || hosts_fail "replays: $before, then $(refused)"
hosts_once "$hosts_folder/once" 50
hosts_is 0 jobs || hosts_fail "a replay has made a job"

#  Ten thousand connections that say nothing, half of what one says, or garbage,
#  or are closed in a moment, while work goes on; some at a node, too.
hosts_begin tasks tasks 6000 3 0 "$hosts_folder/ran"
hosts_begin calls calls 1200 2 one two head
before=$(refused)
stranger idle "connected" idle "$address" 7690 3000
stranger stall "connected" stall "$address" 7690 2000
stranger noise "connected" noise "$address" 7690 2500
stranger brief "connected" brief "$address" 7690 2500
port=$(hosts_run head ./troupe list nodes --filter name=one --json |
    sed -n 's/.*"address": *"[^"]*:\([0-9]*\)".*/\1/p')
stranger node "connected" noise "$(hosts_address one)" "$port" 100
cat "$hosts_folder/idle" "$hosts_folder/stall" "$hosts_folder/noise" "$hosts_folder/brief" \
    "$hosts_folder/node"
hosts_all tasks 6000
hosts_all calls 3600
hosts_once "$hosts_folder/ran" 6000
made=$(cat "$hosts_folder/idle" "$hosts_folder/stall" "$hosts_folder/noise" "$hosts_folder/brief" |
    awk '{ all += $2 } END { print all }')
[ "$made" -eq 10000 ] || hosts_fail "only $made connections were made"
hosts_until 12 refused_are $((before + made)) || hosts_fail "refused: $before, then $(refused)"

#  None counts twice, and each where it was: a node tells the head of its own.
refused_at () {
    hosts_run head ./troupe list nodes --filter "name=$1" --json |
        sed -n 's/.*"refused_connections": *\([0-9]*\).*/\1/p'
}
node_tells () {
    [ "$(refused_at one)" -eq 100 ]
}
hosts_until 12 node_tells || hosts_fail "refused at one: $(refused_at one)"
[ "$(refused)" -le $((before + made + 100)) ] ||
    hosts_fail "refused: $before, then $(refused), by $made and 100 connections"

#  It shows in the logs, with who it was if he stayed long enough, and they stay
#  short.
logged () {
    grep -q "$2" "$hosts_folder/$1"/daemon-*.log
}
for host in head one; do
    logged $host "refused \($(hosts_address stranger)\|somebody who has left\): " &&
        hosts_until 5 logged $host "\(and\|or cut\) [0-9]* more" ||
        hosts_fail "no word of it in the log of $host"
done
lines=$(cat "$hosts_folder"/head/daemon-*.log | wc -l)
[ "$lines" -lt 200 ] || hosts_fail "$lines lines in the head's log"
(
    unset TROUPE_TOKEN
    hosts_run stranger timeout 20 tests/hosts_program tasks 1 0 0 ""
) >"$hosts_folder/out" 2>&1 && hosts_fail "a driver came in without a token"
(
    #  The token of a cluster of its own.
    unset TROUPE_TOKEN TROUPE_ADDRESS
    hosts_run stranger ./troupe start --head --port 7691 --name stranger
) >"$hosts_folder/out" 2>&1 || hosts_fail "stranger: $(cat "$hosts_folder/out")"
TROUPE_TOKEN=$(cat "$hosts_folder/stranger/token-7691") \
    hosts_run stranger timeout 20 tests/hosts_program tasks 1 0 0 "" \
    >"$hosts_folder/out" 2>&1 && hosts_fail "a driver came in with another token"
cat "$hosts_folder/out"
hosts_is 3 nodes --filter state=alive || hosts_fail "a node was given up"
hosts_run head ./troupe status >"$hosts_folder/status" || hosts_fail "no status"
grep "connections were refused: .* at head, 100 at one\$" "$hosts_folder/status" ||
    hosts_fail "strangers are not shown: $(cat "$hosts_folder/status")"
for name in idle stall noise brief node; do
    end $name
done
