#!/bin/sh
#  test_hosts_transfers.sh - objects on their way between hosts, and in the middle
#  of that a store is killed or vanishes, a source or the reader: who reads is
#  told, or served by another, and nothing is left
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_cluster home far copy one two three four five
#  So narrow that what is read there is on its way for long, but for where it is
#  to arrive, in less time than it takes to miss a host that vanishes.
for host in one two four five; do
    hosts_wire $host 0 0 2
done
hosts_wire three 0 0 5

#  reads NAME ARGUMENT...: a driver that has nodes read an object.
reads () {
    driver=$1
    shift
    : >"$hosts_folder/said-$driver"
    hosts_run drive tests/hosts_objects read "$@" >"$hosts_folder/said-$driver" \
        2>"$hosts_folder/errors-$driver" &
    echo $! >"$hosts_folder/pid-$driver"
}
#  says NAME TEXT
says () {
    hosts_end "$1" || hosts_fail "$1: $(hosts_errors "$1")"
    cat "$hosts_folder/said-$1"
    grep -q "$2" "$hosts_folder/said-$1" || hosts_fail "$1 does not say $2"
}
objects () {
    hosts_run head ./troupe list objects
}
all_coming () {
    [ "$(objects | grep -c '  copy  coming  ')" -eq 5 ]
}
no_objects () {
    [ "$(hosts_list objects)" -eq 0 ]
}
#  sent STORE: has given pieces to others.
sent () {
    hosts_run head ./troupe list stores --filter "store=$1" --json | grep -q '"sent": *[1-9]'
}

#  The home is killed; the home vanishes; one of two sources is killed, which is
#  not the home; the reader is killed; the reader vanishes: each in the middle.
reads several 64 head copy three
reads killed 64 home one
reads vanished 64 far two
reads dead 64 head four
reads away 64 head five
for driver in several killed vanished dead away; do
    hosts_until 20 grep -q running "$hosts_folder/said-$driver" ||
        hosts_fail "$driver does not run: $(hosts_errors "$driver")"
done
hosts_until 10 all_coming || hosts_fail "not all are on their way: $(objects)"
hosts_until 5 sent copy || hosts_fail "copy is no source: $(hosts_run head ./troupe list stores)"
all_coming || hosts_fail "not all are still on their way: $(objects)"
hosts_kill home
hosts_kill copy
hosts_kill four
hosts_link far down
hosts_link bfive down
says several 'three right'
says killed 'code=7 .*the object was on a node that is lost: node home'
says vanished 'code=7 .*the object was on a node that is lost: node far'
says dead 'code=7 .* on four'
says away 'code=7 .* on five'
hosts_until 5 no_objects || hosts_fail "objects are left: $(objects)"

#  Who was away comes back, and has nothing of what it had.
hosts_link bfive up
hosts_until 30 hosts_is 5 nodes || hosts_fail "five does not come back"
reads again 2 head five
says again 'five right'
hosts_until 5 no_objects || hosts_fail "objects are left: $(objects)"
