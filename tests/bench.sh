#!/bin/sh
#  bench.sh - bench/run over programs that only pretend to measure: medians and
#  ratios are right, a failure hides no other row and is the exit status, what
#  cannot be measured is named
set -u
LC_ALL=C
export LC_ALL

run=$(cd "$(dirname "$0")/../bench" && pwd)/run
command -v bash >/dev/null || { echo "SKIP: no bash" >&2; exit 77; }
folder=$(mktemp -d)
failed=0
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$folder/build/bench" "$folder/bin"
unset BENCH_RESULTS BENCH_TIMEOUT

fail () {
    echo "FAIL: $*" >&2
    cat "$folder/out" >&2
    failed=1
}

#  pretend PROGRAM TEXT: a program of the build folder.
pretend () {
    printf '#!/bin/sh\n%s\n' "$2" >"$folder/build/bench/$1"
    chmod 755 "$folder/build/bench/$1"
}

#  result BENCH SIDE VALUE...: prints them by turns, a round each.
result () {
    bench=$1 side=$2
    shift 2
    echo "n=\$(cat $folder/$bench-$side 2>/dev/null || echo 1)"
    echo "echo \$((n + 1)) >$folder/$bench-$side"
    echo "value=\$(echo $* | cut -d ' ' -f \$n)"
    echo "echo \"{\\\"bench\\\":\\\"$bench\\\",\\\"side\\\":\\\"$side\\\",\\\"value\\\":\$value}\""
}

#  expect STATUS NAME...: runs those.
expect () {
    wanted=$1
    shift
    PATH=$folder/bin:$PATH BENCH_ROUNDS=3 bash "$run" "$folder/build" "$@" \
        >"$folder/out" 2>&1
    status=$?
    [ $status -eq "$wanted" ] || fail "status $status, not $wanted, of $*"
}

shows () {
    grep -q -E -e "$1" "$folder/out" || fail "there is no line: $1"
}

pretend task_rate "$(result task_rate troupe 100 300 200)"
pretend raw_task_rate "$(result task_rate raw 100 100 400)"
pretend queued "$(result queued_rate troupe 50 60 400)
$(result queued_memory troupe 251 251 251)"
pretend raw_queued "$(result queued_rate raw 50 50 50)"
expect 0 task_rate queued
shows '^tasks, pipelined +/s +200 \(100-300\) +100 \(100-400\) +1 \(0\.5-3\) +at least 1 x +met$'
shows '^queued tasks, drained +/s +60 \(50-400\) +50 +1\.2 \(1-8\)'
shows '^  beside pipelined +/s +60 \(50-400\) +200 \(100-300\) +0\.5 \(0\.2-2\) +at least 1 x +missed$'
shows '^a queued task +bytes +251 +- +- +at most 250 bytes +missed$'

#  One that fails in a round, one that fails after half of its results, and one
#  that is not there.
rm -f "$folder"/*-raw "$folder"/*-troupe
pretend task_rate "$(result task_rate troupe 100 300 200)
[ \$n -ne 2 ] || { echo 'bench: it broke' >&2; exit 3; }"
pretend memory "$(result memory_head troupe 8 8 8)
echo 'bench: no worker' >&2; exit 1"
expect 1 task_rate memory startup
shows '^tasks, pipelined +/s +200 \(100-300\) .* met$'
shows '^head and node, idle +MB +8 +failed 3 of 3 '
shows '^one worker, idle +MB +failed 3 of 3 .* failed$'
shows '^up, first task answered +ms +failed 3 of 3 .* failed$'
shows '^FAILED: round 2, troupe task_rate: status 3: bench: it broke$'
shows '^FAILED: round 1, troupe memory: status 1: bench: no worker$'
shows '^FAILED: round 3, troupe startup: status 127: not built$'

#  Where there are no namespaces.
rm -f "$folder"/*-raw "$folder"/*-troupe
pretend task_rate "$(result task_rate troupe 100 300 200)"
for program in ip unshare; do
    printf '#!/bin/sh\nexit 1\n' >"$folder/bin/$program"
    chmod 755 "$folder/bin/$program"
done
expect 0 task_rate broadcast cluster
shows '^tasks, pipelined '
shows '^Not measured, as network namespaces are not permitted here:$'
shows '^100 MB to 8 nodes at once; tasks on 1 node; .*1,000 idle, at the head$'
grep -q '^a node joins' "$folder/out" && fail "a row without a value"

[ $failed -eq 0 ] && echo "bench.sh: all checks passed"
exit $failed
