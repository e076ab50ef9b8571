#!/bin/sh
#  test_hosts_tokens.sh - tokens of their own, and who came by a revoked one is
#  shut out: at once, everywhere, for good, and nobody else
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

hosts_more="bad good"
hosts_cluster

#  token NAME: a token of its own, in a variable.
token () {
    hosts_run head ./troupe token "$1" || hosts_fail "no token $1"
}

#  joins NODE TOKEN
joins () {
    hosts_run "$1" ./troupe start --address "$2" --cpus 2 --name "$1" \
        >"$hosts_folder/out-$1" 2>&1
}

bad=$(token bad)
good=$(token good)
joins bad "$bad" || hosts_fail "bad does not join: $(cat "$hosts_folder/out-bad")"
TROUPE_AWAIT_STOPPED=60 joins good "$good" || hosts_fail "good does not join: $(cat "$hosts_folder/out-good")"
hosts_is 3 nodes || hosts_fail "not three nodes"
[ -z "$(grep -l "$bad" "$hosts_folder"/head/* 2>/dev/null)" ] || hosts_fail "the token is kept"

#  Work on both, by a driver that came by the default token.
hosts_begin calls calls 200 3 good head
hosts_begin doomed calls 100000 3 bad
hosts_run head ./troupe token --revoke bad >"$hosts_folder/out" ||
    hosts_fail "bad is not revoked: $(cat "$hosts_folder/out")"
grep -q 'Shut out: [2-9]' "$hosts_folder/out" || hosts_fail "wrong: $(cat "$hosts_folder/out")"
hosts_is 2 nodes || hosts_fail "bad is still a node"
hosts_end doomed
grep -q ' failed=0 ' "$hosts_folder/said-doomed" && hosts_fail "calls to bad go on"
grep -q "token 'bad' was revoked" "$hosts_folder/errors-doomed" "$hosts_folder/said-doomed" ||
    hosts_fail "no cause: $(hosts_errors doomed)"
hosts_all calls 400

#  Its daemon ends, and it does not get in again, nor a driver with its token.
gone () {
    [ "$(ip netns pids "$hosts_prefix-bad" | wc -l)" -eq 0 ]
}
hosts_until 10 gone || hosts_fail "processes are left on bad"
joins bad "$bad" && hosts_fail "bad is in again"
TROUPE_TOKEN=$bad TROUPE_ADDRESS=$(hosts_address head):7690 hosts_run drive \
    tests/hosts_program calls 1 3 head >"$hosts_folder/out" 2>&1 &&
    hosts_fail "a driver gets in by the token"

#  Tokens are for the head's own machine to make.
hosts_run drive ./troupe token more >"$hosts_folder/out" 2>&1 && hosts_fail "a token from afar"
grep -q 'machine of the head' "$hosts_folder/out" || hosts_fail "$(cat "$hosts_folder/out")"

#  A head that starts again remembers, and the others come back.
hosts_run head ./troupe stop --force >/dev/null || hosts_fail "the head does not stop"
hosts_start_head
hosts_until 30 hosts_is 2 nodes || hosts_fail "good does not come back"
joins bad "$bad" && hosts_fail "bad is in again after a restart"

#  Without the default token, those with one of their own stay.
hosts_run head ./troupe token --revoke default >/dev/null || hosts_fail "default stays"
hosts_run drive ./troupe status >"$hosts_folder/out" 2>&1 && hosts_fail "default lets in"
hosts_is 2 nodes || hosts_fail "good has gone with default"
TROUPE_TOKEN=$good TROUPE_ADDRESS=$(hosts_address head):7690 hosts_begin mine calls 20 3 good
hosts_all mine 20
