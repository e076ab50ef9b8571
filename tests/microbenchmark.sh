#!/bin/sh
#  microbenchmark.sh - troupe microbenchmark: every entry is done, in an embedded
#  cluster and in one that runs, and says what it has measured; nothing is said
#  of how fast it is
set -u

. "$(dirname "$0")/command.sh"
TROUPE_WORKERS=2
export TROUPE_WORKERS

#  measure STATUS ROUNDS ARG...: runs the verb, briefly; its output is in out and
#  err.
measure () {
    wanted=$1
    shift
    status=0
    "$troupe" microbenchmark --seconds 0.001 --rounds "$@" \
        >"$folder/out" 2>"$folder/err" </dev/null || status=$?
    [ "$status" -eq "$wanted" ] && return
    fail "microbenchmark $* ended with $status: $(cat "$folder/out" "$folder/err")"
}

cat >"$folder/large" <<'END'
GB/s single client put gigabytes
GB/s multi client put gigabytes
END
cat >"$folder/small" <<'END'
ops/s+ single client get calls
ops/s+ single client put calls
ops/s multi client put calls
batches/s single client tasks and get batch
ops/s single client get object containing 10k refs
ops/s single client wait 1k refs
ops/s+ single client tasks sync
ops/s single client tasks async
ops/s multi client tasks async
ops/s+ 1:1 actor calls sync
ops/s 1:1 actor calls async
ops/s 1:1 actor calls concurrent
ops/s 1:n actor calls async
ops/s n:n actor calls async
ops/s n:n actor calls with arg async
ops/s+ 1:1 async-actor calls sync
ops/s 1:1 async-actor calls async
ops/s 1:1 async-actor calls with args async
ops/s 1:n async-actor calls async
ops/s n:n async-actor calls async
ops/s placement group create/removal
END

#  Prints what a line is about, "UNIT NAME", with a + if there is a latency; or
#  the line itself if it is not as it should be; and numbers that cannot be.
read_results () {
    number='[0-9]*\.[0-9][0-9][0-9]'
    latency=", \"p50_us\": $number, \"p99_us\": $number, \"p999_us\": $number"
    latency="$latency, \"samples\": [1-9][0-9]*"
    head='^{"name": "\([^"]*\)", "unit": "\([^"]*\)"'
    head="$head, \"mean\": $number, \"deviation\": $number"
    head="$head, \"rounds\": \[$number\(, $number\)*\]"
    awk '{
        sub (/^.*"mean": /, "")
        mean = $0 + 0
        sub (/^.*"rounds": \[/, "")
        for (count = sum = 0; $0 + 0 > 0; count++) {
            sum += $0 + 0
            sub (/^[0-9.]*(, )?/, "")
        }
        if (count != rounds || mean * count < sum - 0.01 || mean * count > sum + 0.01)
            print mean " is not the mean of " rounds ", but " count " make " sum
        if (sub (/^.*"p50_us": /, "")) {
            p50 = $0 + 0
            sub (/^.*"p99_us": /, "")
            p99 = $0 + 0
            sub (/^.*"p999_us": /, "")
            if (p50 <= 0 || p50 > p99 || p99 > $0 + 0)
                print "percentiles " p50 " " p99 " " $0 + 0
        }
    }' rounds="$1" "$folder/out"
    sed -e "s|$head$latency}\$|\2+ \1|" -e "s|$head}\$|\2 \1|" "$folder/out"
}

#  all LIST ROUNDS ARG...: measures the entries of a list, which are all that
#  there are of that kind.
all () {
    list=$1
    shift
    measure 0 "$@" --json
    read_results "$1" | sort >"$folder/found"
    sort "$folder/$list" | diff - "$folder/found" >&2 || fail "$list $*: not these"
    [ ! -s "$folder/err" ] || fail "$list $*: $(cat "$folder/err")"
}

#  What has no gigabytes.
small='calls|refs|tasks|group'

#  Under ThreadSanitizer it takes minutes to copy so much; and not every machine
#  has the memory.
kilobytes=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
case ${TEST_CC:-} in
*sanitize=thread*) without='too slow under ThreadSanitizer' ;;
*) [ "${kilobytes:-0}" -ge 4000000 ] && without= || without='no memory for them' ;;
esac

#  --- an embedded cluster --------------------------------------------------

all small 1 --filter "$small"
if [ -n "$without" ]; then
    echo "microbenchmark.sh: without gigabytes: $without" >&2
else
    all large 1 --filter 'gigabytes$'
fi
grep '1:1 .* sync$' "$folder/small" >"$folder/sync"
all sync 3 --filter '^1:1 .* sync$'
TROUPE_WORKERS=threads:2
measure 0 1 --filter '^n:n actor calls async$|^1:1 actor calls sync$'
TROUPE_WORKERS=2
has out '^An embedded cluster, 2 workers; '
has out '^ENTRY  *MEAN .* UNIT  *P50 .*s  *P99 .*s  *P99\.9 .*s$'
has out '^1:1 actor calls sync  *[0-9.,]*  *[0-9.]* %  ops/s  *[0-9.,]*  *[0-9.,]*  *[0-9.,]*$'
has out '^n:n actor calls async  *[0-9.,]*  *[0-9.]* %  ops/s$'
[ "$(wc -l <"$folder/out")" -eq 5 ] || fail "lines: $(cat "$folder/out")"

#  An entry that fails is named, and the others are measured.
TROUPE_OBJECT_MEMORY=64M TROUPE_SPILL_FOLDER=off
export TROUPE_OBJECT_MEMORY TROUPE_SPILL_FOLDER
measure 1 1 --json --filter '^single client (put|get) (gigabytes|calls)$'
has out '^{"name": "single client put gigabytes", "error": ".*"}$'
has err '^troupe microbenchmark: single client put gigabytes: '
[ "$(wc -l <"$folder/out")" -eq 3 ] || fail "lines: $(cat "$folder/out")"
measure 1 1 --filter '^single client put gigabytes$'
has out '^single client put gigabytes  failed$'
unset TROUPE_OBJECT_MEMORY TROUPE_SPILL_FOLDER

#  --- a cluster that runs --------------------------------------------------

"$troupe" start --head --bind 127.0.0.1 --port 0 --cpus 2 --json >"$folder/out" 2>&1 ||
    fail "start: $(cat "$folder/out")"
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$folder/out")
"$troupe" list functions --json >"$folder/out" 2>&1
[ "$(cat "$folder/out")" = '[]' ] || fail "functions before: $(cat "$folder/out")"
all small 1 --filter "$small" --address auto
"$troupe" list functions --columns function >"$folder/out" 2>&1
has out '^small_value$'
TROUPE_ADDRESS=$address
export TROUPE_ADDRESS
measure 0 1 --filter '^single client tasks sync$'
has out '^A given cluster; '
unset TROUPE_ADDRESS
"$troupe" stop >"$folder/out" 2>&1 || fail "stop: $(cat "$folder/out")"
measure 3 1 --address "$address"
[ -s "$folder/err" ] || fail 'a cluster that is not there: nothing is said'
exit "$failed"
