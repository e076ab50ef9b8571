#!/bin/sh
#  test_hosts_restart.sh - a head that is killed and started again at its port:
#  its nodes join again, and drivers are told. One that is stopped: what runs is
#  waited for, everybody is told, and nobody waits longer than he was told to
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

TROUPE_SUSPECT_AFTER=2 TROUPE_DEAD_AFTER=3
export TROUPE_SUSPECT_AFTER TROUPE_DEAD_AFTER
hosts_more="two three"
hosts_cluster one
TROUPE_AWAIT_STOPPED=60 hosts_join two
TROUPE_AWAIT_HEAD=1 hosts_join three

left () {
    ip netns pids "$hosts_prefix-$1" | wc -l
}
has_gone () {
    [ "$(left "$1")" -eq 0 ]
}
logged () {
    grep -q "$2" "$hosts_folder/$1"/daemon-*.log
}

#  Killed. Two of three nodes are there for the next head; the third has a
#  second's patience. Whatever ran ends with the cause, and nothing hangs.
hosts_work one two one
hosts_begin held hold "$hosts_folder/held" one two
hosts_kill head
rm -f "$hosts_folder"/head/daemon-*
hosts_until 12 has_gone three || hosts_fail "three waits for a head for ever"
logged three "no head at .* for 1 s" || hosts_fail "three does not say why it ends"
hosts_start_head
hosts_until 14 hosts_is 3 nodes || hosts_fail "the nodes do not join the new head"
logged one "the node has joined again" || hosts_fail "one does not say that it joined"
hosts_end held && hosts_fail "the driver has not noticed"
cat "$hosts_folder/errors-held"
grep -qi "head" "$hosts_folder/errors-held" || hosts_fail "unclear: $(hosts_errors held)"
tells_why () {
    grep -q "the head .*\(silent\|has gone\|does not answer\|has started again\)" "$hosts_folder/errors-$1"
}
#  These may have met the next head, or ended before.
: >"$hosts_folder/enough"
for driver in words nap; do
    hosts_end $driver || tells_why $driver || hosts_fail "$driver: $(hosts_errors $driver)"
done
hosts_end long || hosts_fail "long: $(hosts_errors long)"
grep -q " wrong=0 failed=1 " "$hosts_folder/said-long" && tells_why long ||
    hosts_fail "long: $(hosts_errors long)"
hosts_begin after tasks 200 2 0 "$hosts_folder/after"
hosts_all after 200
hosts_once "$hosts_folder/after" 200

#  Stopped. Every task that began is answered, wherever it runs; the others fail
#  with the cause, and no call is left without an answer.
hosts_begin ending tasks 60 700 0 "$hosts_folder/ended"
hosts_begin asking hold "$hosts_folder/asked" two
hosts_until 5 hosts_ran "$hosts_folder/ended" 5 || hosts_fail "no tasks run"
kill "$(cat "$hosts_folder/pid-asking")"
hosts_run head ./troupe stop --timeout 20 >"$hosts_folder/out" 2>&1 ||
    hosts_fail "the head does not stop: $(cat "$hosts_folder/out")"
grep -q killed "$hosts_folder/out" && hosts_fail "$(cat "$hosts_folder/out")"
hosts_end ending || hosts_fail "ending: $(hosts_errors ending)"
began=$(wc -l <"$hosts_folder/ended")
cat "$hosts_folder/said-ending"
grep -q "right=$began wrong=0 failed=$((60 - began)) missing=0" "$hosts_folder/said-ending" ||
    hosts_fail "of 60 tasks $began began: $(hosts_errors ending)"
hosts_once "$hosts_folder/ended" "$began"
[ "$began" -lt 60 ] && grep -q "the cluster is being stopped" "$hosts_folder/errors-ending" ||
    hosts_fail "unclear: $(hosts_errors ending)"

#  A node that was not told otherwise ends with its head; one that was is there
#  for the next.
has_gone head || hosts_fail "$(left head) processes are left on head"
hosts_until 8 has_gone one || hosts_fail "one waits for a head that was stopped"
logged one "the node ends: the cluster at .* was stopped" || hosts_fail "one does not say why"
hosts_start_head
hosts_until 14 hosts_is 2 nodes || hosts_fail "two does not join again"
hosts_begin last tasks 100 2 0 "$hosts_folder/last"
hosts_all last 100
