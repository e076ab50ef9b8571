#!/bin/sh
#  test_hosts_beacon.sh - a head found in the local network by its beacon: by a
#  node, by a driver, and only by those who have its token
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

unset TROUPE_ADDRESS TROUPE_TOKEN
hosts_make head other one drive

#  head NAME OPTION...: a head on that host; its token is in $token.
head () {
    host=$1
    shift
    hosts_run "$host" ./troupe start --head --bind "$(hosts_address "$host")" --port 7690 \
        --cpus 2 --name "$host" "$@" >"$hosts_folder/out-$host" 2>&1 ||
        hosts_fail "$host does not start: $(cat "$hosts_folder/out-$host")"
    token=$(cat "$hosts_folder/$host/token-7690")
}

#  Two clusters in one network, of which one stays silent.
head other
silent=$token
head head --beacon
hosts_run one ./troupe start --address beacon --token "$token" --cpus 2 --name one \
    >"$hosts_folder/out" 2>&1 || hosts_fail "one does not join: $(cat "$hosts_folder/out")"
grep -q "$(hosts_address head):7690" "$hosts_folder/out" ||
    hosts_fail "not the right head: $(cat "$hosts_folder/out")"
hosts_is 2 nodes || hosts_fail "not two nodes"

TROUPE_ADDRESS=beacon TROUPE_TOKEN=$token hosts_begin calls calls 20 3 one head
hosts_all calls 40

#  Without the token, and with that of a cluster that says nothing.
TROUPE_ADDRESS=beacon hosts_run drive ./troupe status >"$hosts_folder/out" 2>&1 &&
    hosts_fail "found without a token"
grep -q 'token' "$hosts_folder/out" || hosts_fail "$(cat "$hosts_folder/out")"
TROUPE_ADDRESS=beacon TROUPE_TOKEN=$silent hosts_run drive ./troupe status \
    >"$hosts_folder/out" 2>&1 && hosts_fail "found one that has no beacon"
grep -q 'no beacon' "$hosts_folder/out" || hosts_fail "$(cat "$hosts_folder/out")"
