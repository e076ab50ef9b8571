#!/bin/sh
#  test_hosts_restart.sh - a head that is killed and started again at its port:
#  its nodes join again, and drivers are told
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_cluster one two

hosts_begin held hold "$hosts_folder/held" one two
hosts_kill head
rm -f "$hosts_folder"/head/daemon-*
hosts_start_head
hosts_until 14 hosts_is 3 nodes || hosts_fail "the nodes do not join the new head"
hosts_end held && hosts_fail "the driver has not noticed"
cat "$hosts_folder/errors-held"
grep -qi "head" "$hosts_folder/errors-held" || hosts_fail "unclear: $(hosts_errors held)"
hosts_begin after tasks 200 2 0 "$hosts_folder/after"
hosts_all after 200
hosts_once "$hosts_folder/after" 200
