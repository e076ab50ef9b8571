#!/bin/sh
#   wordfreq_kill.sh - wordfreq --variant tasks gives the right answer while
#   its workers are killed, one after another
set -u
LC_ALL=C
export LC_ALL
TROUPE_WORKERS=${TROUPE_WORKERS:-2}
export TROUPE_WORKERS
wordfreq=${WORDFREQ:-examples/wordfreq}
zipf=${ZIPF:-examples/zipf}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

answer ()
{
    sed 's/.*"word"/"word"/; s/,"rounds".*//'
}

"$zipf" --bytes "${BYTES:-8M}" > "$folder/text"
"$wordfreq" --variant sequential --sublists 64 --top 5 --json "$folder/text" \
    | answer > "$folder/wanted"
[ -s "$folder/wanted" ] || exit 1

killed=0
for run in 1 2 3 4 5; do
    "$wordfreq" --variant tasks --sublists 64 --top 5 --json "$folder/text" \
        > "$folder/out" 2> "$folder/err" &
    driver=$!
    #   The pause only sets how often a worker dies. A dozen for each run: on
    #   a slow machine workers could otherwise die faster than they start.
    left=12
    while kill -0 $driver 2> /dev/null; do
        for worker in $(cat /proc/$driver/task/*/children 2> /dev/null); do
            [ $left -gt 0 ] && kill -9 "$worker" 2> /dev/null \
                && killed=$((killed + 1)) left=$((left - 1))
            break
        done
        sleep 0.03
    done
    if ! wait $driver; then
        echo "FAIL: run $run: $(cat "$folder/err")" >&2
        exit 1
    fi
    answer < "$folder/out" > "$folder/found"
    if ! cmp "$folder/wanted" "$folder/found"; then
        echo "FAIL: run $run: wrong answer: $(cat "$folder/found")" >&2
        exit 1
    fi
done
echo "$killed workers killed"
[ $killed -ge 5 ] || { echo "FAIL: too few workers were killed" >&2; exit 1; }
