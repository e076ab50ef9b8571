#!/bin/sh
#  test_hosts_strangers.sh - who has no key changes nothing, and who listens
#  learns nothing
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

#  Connections that say nothing, or garbage, at the head and at a node.
address=$(hosts_address head)
stranger idle "connected" idle "$address" 7690 2000
stranger noise "connected" noise "$address" 7690 400
port=$(hosts_run head ./troupe list nodes --filter name=one --json |
    sed -n 's/.*"address": *"[^"]*:\([0-9]*\)".*/\1/p')
stranger node "connected" noise "$(hosts_address one)" "$port" 100
cat "$hosts_folder/idle" "$hosts_folder/noise" "$hosts_folder/node"
hosts_begin tasks tasks 500 2 0 "$hosts_folder/ran"
hosts_begin calls calls 100 2 one two head
hosts_all tasks 500
hosts_all calls 300
hosts_once "$hosts_folder/ran" 500
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
grep -iE "stranger|refused|rejected" "$hosts_folder/status" ||
    hosts_fail "strangers are not shown: $(cat "$hosts_folder/status")"
end idle
end noise
end node
