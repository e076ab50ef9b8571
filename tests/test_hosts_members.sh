#!/bin/sh
#  test_hosts_members.sh - nodes that join and leave while work runs: nothing is
#  lost, repeated or wrong
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_more=late
hosts_cluster one two

#  A worker there runs a task.
works () {
    hosts_run head ./troupe list workers --filter "node=$1" --json | grep -q '"state": "busy"'
}

hosts_work two head two
hosts_begin tasks tasks 2500 8 0 "$hosts_folder/ran"
hosts_begin calls calls 400 3 two head
hosts_until 5 hosts_ran "$hosts_folder/ran" 100 || hosts_fail "no tasks run"
hosts_join late
hosts_until 5 works late || hosts_fail "late gets no work"
hosts_run one ./troupe stop --timeout 20 >"$hosts_folder/out" 2>&1 ||
    hosts_fail "one does not stop: $(cat "$hosts_folder/out")"
left=$(ip netns pids "$hosts_prefix-one" | wc -l)
[ "$left" -eq 0 ] || hosts_fail "$left processes are left on one"
hosts_is 3 nodes || hosts_fail "not three nodes"
hosts_all tasks 2500
hosts_all calls 800
hosts_once "$hosts_folder/ran" 2500
hosts_work_ends
