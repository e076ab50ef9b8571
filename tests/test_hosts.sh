#!/bin/sh
#  test_hosts.sh - a cluster over several hosts: joining by a token, a program
#  that only the driver has, link cuts, the end
set -u
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/hosts.sh"
trap hosts_remove EXIT
trap 'exit 1' HUP INT TERM

troupe=$(pwd)/troupe
wordfreq=$(pwd)/examples/wordfreq
zipf=$(pwd)/examples/zipf

fail () {
    echo "FAIL: $*" >&2
    for host in head one two; do
        echo "--- $host" >&2
        cat "$hosts_folder/$host"/daemon-*.log >&2 2>/dev/null
    done
    exit 1
}

#  "word":"the","count":1642 of each variant.
answers () {
    sed 's/.*\("word":"[^"]*","count":[0-9]*\).*/\1/' "$1" | sort -u
}

hosts_make head one two drive

hosts_run head "$troupe" start --head --bind "$(hosts_address head)" --port 7690 --cpus 2 \
    --name head >"$hosts_folder/start" || fail "the head does not start"
token=$(cat "$hosts_folder/head/token-7690") || fail "no token"
for host in one two; do
    hosts_run $host "$troupe" start --address "$(hosts_address head):7690" --token "$token" \
        --cpus 2 --name $host >"$hosts_folder/out" 2>&1 ||
        fail "$host does not join: $(cat "$hosts_folder/out")"
done
nodes=$(hosts_run head "$troupe" list nodes --json | grep -c '"alive"')
[ "$nodes" -ge 3 ] || fail "$nodes nodes of 3: $(hosts_run head "$troupe" list nodes)"

"$zipf" --bytes 4M >"$hosts_folder/text"
TROUPE_WORKERS=2 "$wordfreq" --variant sequential --json "$hosts_folder/text" \
    >"$hosts_folder/wanted" || fail "wordfreq fails by itself"

TROUPE_ADDRESS=$(hosts_address head):7690
TROUPE_TOKEN=$token
export TROUPE_ADDRESS TROUPE_TOKEN

hosts_run drive timeout 60 "$wordfreq" --variant all --sublists 12 --json \
    "$hosts_folder/text" >"$hosts_folder/found" 2>"$hosts_folder/errors" ||
    fail "wordfreq on the cluster: $(cat "$hosts_folder/errors")"
[ "$(answers "$hosts_folder/found")" = "$(answers "$hosts_folder/wanted")" ] ||
    fail "wrong answer: $(cat "$hosts_folder/found")"
for host in head one two; do
    ls "$hosts_folder/$host"/logs-$host/worker-*.log >/dev/null 2>&1 ||
        fail "no worker ran on $host"
done

#  Without the token, or with another one, nobody gets in.
(
    unset TROUPE_TOKEN
    hosts_run drive timeout 20 "$wordfreq" "$hosts_folder/text"
) >/dev/null 2>"$hosts_folder/errors" && fail "a driver came in without a token"
grep -q TROUPE_TOKEN "$hosts_folder/errors" || fail "unclear: $(cat "$hosts_folder/errors")"

#  A link that is cut for a moment delays, and changes nothing.
hosts_run drive timeout 90 "$wordfreq" --variant tasks --sublists 200 --json \
    "$hosts_folder/text" >"$hosts_folder/found" 2>"$hosts_folder/errors" &
driver=$!
hosts_link one down
sleep 1
hosts_link one up
wait $driver || fail "wordfreq over a cut link: $(cat "$hosts_folder/errors")"
[ "$(answers "$hosts_folder/found")" = "$(answers "$hosts_folder/wanted")" ] ||
    fail "wrong answer over a cut link: $(cat "$hosts_folder/found")"

for host in two one head; do
    hosts_run $host "$troupe" stop >/dev/null || fail "$host does not stop"
    left=$(ip netns pids "$hosts_prefix-$host" | wc -l)
    [ "$left" -eq 0 ] || fail "$left processes are left on $host"
done
