#!/bin/sh
#  test_hosts_objects.sh - objects between hosts: over links that are cut, that
#  lose frames, with less memory than they need, and with the node that has them
#  killed. Nothing of them is left.
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

TROUPE_OBJECT_MEMORY=96M
export TROUPE_OBJECT_MEMORY
hosts_cluster one two

#  begin NAME ARGUMENT...: a driver in the background; all_right NAME COUNT.
begin () {
    driver=$1
    shift
    : >"$hosts_folder/said-$driver"
    hosts_run drive tests/hosts_objects "$@" >"$hosts_folder/said-$driver" \
        2>"$hosts_folder/errors-$driver" <"${input:-/dev/null}" &
    echo $! >"$hosts_folder/pid-$driver"
    hosts_until 20 grep -q running "$hosts_folder/said-$driver" ||
        hosts_fail "$driver does not run: $(cat "$hosts_folder/errors-$driver")"
}
all_right () {
    hosts_end "$1" || hosts_fail "$1: $(hosts_errors "$1")"
    grep -q "right=$2 wrong=0" "$hosts_folder/said-$1" || hosts_fail "$1: $(hosts_errors "$1")"
}
nothing_left () {
    hosts_until 5 no_objects || hosts_fail "objects are left: $(hosts_run head ./troupe list objects)"
}
no_objects () {
    [ "$(hosts_list objects)" -eq 0 ]
}

#  Three nodes and the driver: each round, six answers and what the driver reads.
begin plain rounds 3 8 one two head
all_right plain 21
nothing_left

#  What is queued behind tasks and a method has its arguments on its nodes before
#  it begins.
mkfifo "$hosts_folder/gate" "$hosts_folder/next"
exec 4<>"$hosts_folder/gate" 5<>"$hosts_folder/next"
hosts_run drive tests/hosts_objects ahead "$hosts_folder/gate" "$hosts_folder/begun" 6 one \
    >"$hosts_folder/said-ahead" 2>"$hosts_folder/errors-ahead" <"$hosts_folder/next" &
echo $! >"$hosts_folder/pid-ahead"
begun () {
    [ -e "$hosts_folder/begun" ] && [ "$(wc -l <"$hosts_folder/begun")" -eq 7 ]
}
copies () {
    hosts_run head ./troupe list objects >"$hosts_folder/objects"
    [ "$(grep -c '512 KiB  copy  memory  ' "$hosts_folder/objects")" -eq 12 ] &&
        grep -q '4\.0 MiB  copy  memory  one ' "$hosts_folder/objects"
}
hosts_until 20 begun || hosts_fail "not all wait: $(hosts_errors ahead)"
echo next >&5
hosts_until 10 copies || hosts_fail "not all are there: $(cat "$hosts_folder/objects")"
echo 1234567 >&4
all_right ahead 220
nothing_left

#  A hold that is handed on arrives before the first one is given up.
begin handed handed 300 one
all_right handed 300
nothing_left

#  Two nodes do not reach each other: that delays what concerns both, and nothing
#  else, on either.
exec 4<>"$hosts_folder/next"
input=$hosts_folder/next
begin parted parted two one head
hosts_part one two on
echo next >&4
hosts_until 20 grep -q 'others came' "$hosts_folder/said-parted" ||
    hosts_fail "others wait, too: $(hosts_errors parted)"
grep -q '^4 wait' "$hosts_folder/said-parted" || hosts_fail "none waits: $(hosts_errors parted)"
hosts_part one two off
echo next >&4
all_right parted 92
input=
nothing_left

#  Links that are cut while objects are on their way.
begin cut rounds 4 16 one two head
for host in one two drive; do
    hosts_link $host down
    sleep 0.3
    hosts_link $host up
done
all_right cut 28
nothing_left

#  More than a store has memory for.
begin flood flood one 240
all_right flood 30
nothing_left

#  One frame in fifty is lost.
hosts_wire one 0 2
begin lossy rounds 2 2 one two
all_right lossy 10

#  The node that has an object is killed: who reads it is told, soon.
mkfifo "$hosts_folder/go"
input=$hosts_folder/go
exec 3<>"$hosts_folder/go"
begin lost lose two
#  Before that: who holds it, who made it, where and how large.
listed () {
    hosts_run head ./troupe list objects |
        grep -q '8\.0 MiB  home  memory  two .*hosts_objects (pid [0-9]*).*worker [0-9]* (pid [0-9]*) on two'
}
counted () {
    hosts_run head ./troupe memory | grep -q '^two  *node  *8\.0 MiB'
}
hosts_until 5 listed || hosts_fail "not listed: $(hosts_run head ./troupe list objects)"
hosts_until 5 counted || hosts_fail "not counted: $(hosts_run head ./troupe memory)"
hosts_kill two
hosts_until 12 hosts_is 2 nodes || hosts_fail "two is still there"
echo go >&3
hosts_end lost || hosts_fail "lost: $(hosts_errors lost)"
cat "$hosts_folder/said-lost"
grep -q "code=7 .*lost" "$hosts_folder/said-lost" || hosts_fail "lost: $(hosts_errors lost)"
nothing_left
