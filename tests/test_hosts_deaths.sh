#!/bin/sh
#  test_hosts_deaths.sh - nodes and drivers that are killed, a driver's host that
#  vanishes, a node that stands still for so long that it counts as dead: work is
#  repeated or fails with its cause, and nothing is left
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

TROUPE_SUSPECT_AFTER=2 TROUPE_DEAD_AFTER=5
export TROUPE_SUSPECT_AFTER TROUPE_DEAD_AFTER
hosts_more=far
hosts_cluster one two three

#  A node is killed with work on it. What may be repeated is; what may not
#  fails, and the cause names the node. At the same time a driver is killed,
#  and the host of another vanishes.
hosts_begin never tasks 4 -1 0 "$hosts_folder/never" head one two three
hosts_begin again tasks 4 -1 -1 "$hosts_folder/again" head one two three
for tasks in never again; do
    hosts_until 10 hosts_ran "$hosts_folder/$tasks" 4 || hosts_fail "$tasks: not all began"
done
hosts_begin killed hold "$hosts_folder/held" one three
hosts_from=far
hosts_begin vanished hold "$hosts_folder/held" head three
hosts_from=drive
hosts_is 4 jobs || hosts_fail "not 4 jobs: $(hosts_list jobs)"
hosts_kill two
began=$(date +%s)
kill -9 $(ip netns pids "$hosts_prefix-drive" | while read -r pid; do
    tr '\0' ' ' </proc/$pid/cmdline | grep -q " hold " && echo "$pid"
done)
hosts_link far down
#  Its connections were closed, which is noticed before silence would be.
hosts_until 7 hosts_is 3 nodes || hosts_fail "two is still there"
echo "node two was missed after $(($(date +%s) - began)) s"

#  The one that was there begins anew as soon as there is room.
: >"$hosts_folder/never.open"
hosts_until 10 hosts_ran "$hosts_folder/again" 5 || hosts_fail "again: none began anew"
: >"$hosts_folder/again.open"
hosts_all again 4
hosts_end never || hosts_fail "never: $(hosts_errors never)"
grep -q "right=3 wrong=0 failed=1 missing=0" "$hosts_folder/said-never" ||
    hosts_fail "not one of four failed: $(hosts_errors never)"
grep -q "two" "$hosts_folder/errors-never" || hosts_fail "unclear: $(hosts_errors never)"
cat "$hosts_folder/errors-never"
hosts_once "$hosts_folder/never" 4

#  Of the drivers that ended nothing is left: no job, actor, task, worker.
hosts_until 14 hosts_is 0 jobs || hosts_fail "jobs are left: $(hosts_list jobs)"
echo "all had gone after $(($(date +%s) - began)) s"
hosts_until 3 hosts_is 0 actors || hosts_fail "actors are left"
hosts_until 3 hosts_is 0 tasks || hosts_fail "tasks are left"
left=$(ip netns pids "$hosts_prefix-two" | wc -l)
[ "$left" -eq 0 ] || hosts_fail "$left processes are left on two"

#  A node that stands still, with its workers, until it counts as dead, and then
#  goes on: what it says of old work is not heard, it joins anew.
signal () {
    for pid in $(ip netns pids "$hosts_prefix-three"); do
        kill "-$1" "$pid"
    done
}
hosts_begin frozen tasks 300 30 -1 "$hosts_folder/frozen"
hosts_begin cold calls 300 5 three head
signal STOP
hosts_until 12 hosts_is 2 nodes || hosts_fail "three is still there"
signal CONT
hosts_until 12 hosts_is 3 nodes || hosts_fail "three does not join again"
hosts_all frozen 300
hosts_end cold || hosts_fail "cold: $(hosts_errors cold)"
cat "$hosts_folder/said-cold"
read -r right failed <<END
$(sed -n 's/right=\([0-9]*\) wrong=0 failed=\([0-9]*\) missing=0/\1 \2/p' "$hosts_folder/said-cold")
END
[ "$right" -ge 300 ] && [ "$right" -lt 600 ] && [ $((right + failed)) -eq 600 ] ||
    hosts_fail "cold: $(hosts_errors cold)"
grep -q "on three: .*\(silent for\|counted it as dead\)" "$hosts_folder/errors-cold" ||
    hosts_fail "unclear: $(hosts_errors cold)"
