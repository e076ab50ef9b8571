#!/bin/sh
#  test_hosts_links.sh - links that go down, connections that are reset, frames
#  that are lost, hosts far away, processes that stand still: no call is lost, repeated or left hanging
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_cluster one two

#  All that follows happens while these run, too.
hosts_work one two head

#  Links that are cut for less than a node's patience, or swallow what they carry.
hosts_begin tasks tasks 2000 5 0 "$hosts_folder/ran"
hosts_begin calls calls 600 3 one two head
for host in one two drive; do
    hosts_link $host down
    sleep 0.4
    hosts_link $host up
done
for host in head one; do
    hosts_swallow $host on
    sleep 0.4
    hosts_swallow $host off
done
hosts_all tasks 2000
hosts_all calls 1800
hosts_once "$hosts_folder/ran" 2000

#  Connections that are reset, on every host in turn.
if hosts_reset one; then
    hosts_begin tasks tasks 1200 5 0 "$hosts_folder/reset"
    hosts_begin calls calls 300 4 one two head
    for host in head drive two one head drive two one; do
        hosts_until 5 hosts_reset $host || hosts_fail "nothing to reset on $host"
    done
    hosts_all tasks 1200
    hosts_all calls 900
    hosts_once "$hosts_folder/reset" 1200
else
    echo "not tested: the kernel does not reset connections on request" >&2
fi

#  Processes that stand still for less than a node's patience.
hosts_begin tasks tasks 2000 5 0 "$hosts_folder/still"
hosts_begin calls calls 400 4 one two head
for pid in "$(hosts_worker one)" "$(hosts_pid two)"; do
    kill -STOP "$pid" || hosts_fail "cannot stop a process"
    sleep 0.7
    kill -CONT "$pid"
done
hosts_all tasks 2000
hosts_all calls 1200
hosts_once "$hosts_folder/still" 2000
hosts_work_ends

#  A driver 100 ms away: a chain costs one hop a step, whoever began it. Were
#  each step waited for, it would be 2 s.
hosts_wire drive 100 0
hosts_run drive timeout 30 tests/hosts_program chain 5 one two head \
    >"$hosts_folder/chain" 2>"$hosts_folder/errors" ||
    hosts_fail "chain: $(cat "$hosts_folder/errors")"
cat "$hosts_folder/chain"
median=$(sed 's/median=\([0-9]*\).*/\1/' "$hosts_folder/chain")
[ "$median" -ge 200 ] || hosts_fail "the link is not slow: $median ms"
[ "$median" -lt 1000 ] || hosts_fail "a chain of ten calls takes $median ms"

#  One frame in twenty is lost.
hosts_wire one 0 5
hosts_begin tasks tasks 600 2 0 "$hosts_folder/lossy"
hosts_begin calls calls 150 1 one two head
hosts_all tasks 600
hosts_all calls 450
hosts_once "$hosts_folder/lossy" 600
hosts_is 3 nodes --filter state=alive || hosts_fail "a node was given up"
