#!/bin/sh
#   matrix.sh - matrix multiplies rightly, also by blocks that do not fit, finds
#   a product that is wrong, has one copy of its matrices, and reports faults
set -u
LC_ALL=C
export LC_ALL
TROUPE_WORKERS=${TROUPE_WORKERS:-2}
export TROUPE_WORKERS
matrix=${MATRIX:-examples/matrix}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
failed=0

fail ()
{
    echo "FAIL: $*" >&2
    failed=1
}

real='[0-9]+\.[0-9]+'
small='[0-9]\.[0-9]+e[-+][0-9]+'
bytes='([0-9]+|null)'
time='\{"seconds":'$real',"gflops":'$real'\}'
member='\{"host":"[^"\\]*","pid":[0-9]+,"blocks":[0-9]+,"private_bytes":'$bytes
member=$member',"shared_bytes":'$bytes',"share_bytes":'$bytes'\}'
shape='\{"size":[0-9]+,"block":[0-9]+,"blocks":[0-9]+,"put_bytes":[0-9]+,"put_seconds":'$real
shape=$shape',"workers":\['$member'(,'$member')*\],"driver":'$member
shape=$shape',"where":\[\[[0-9,]+\](,\[[0-9,]+\])*\](,"plain":'$time')?'
shape=$shape',"sequential":'$time',"tasks":'$time
shape=$shape',"checked":(true,"max_error":'$small'|false),"tolerance":'$small
shape=$shape',"right":(true|false|null)\}'

#   The numbers of a field of the workers, one a line.
of_workers ()
{
    sed 's/.*"workers"://; s/,"driver":.*//' "$folder/out" | grep -o "\"$1\":[0-9]*" | cut -d : -f 2
}

#   Adds up the lines.
sum ()
{
    total=0
    while read -r number; do
        total=$((total + number))
    done
    echo "$total"
}

#   run SIZE BLOCK OPTION...: what it prints has the form that it should have,
#   and each block was computed once
run ()
{
    size=$1 block=$2
    shift 2
    "$matrix" --size "$size" --block "$block" --json "$@" > "$folder/out" 2> "$folder/err" \
        || fail "matrix --size $size --block $block $*: $(cat "$folder/err")"
    [ "$(grep -c -E -x "$shape" "$folder/out")" = 1 ] && [ "$(grep -c . "$folder/out")" = 1 ] \
        || fail "--size $size --block $block $*: not the JSON wanted: $(cat "$folder/out")"
    side=$(((size + block - 1) / block))
    grep -q "\"blocks\":$((side * side)),\"put_bytes\":$((16 * size * size))," "$folder/out" \
        || fail "--size $size --block $block: not $side times $side blocks"
    places=$(sed 's/.*"where"://; s/\]\].*//' "$folder/out" | tr -d '[' | tr '],' '\n\n' | grep -c .)
    [ "$places" = $((side * side)) ] || fail "--size $size --block $block: $places places"
    [ "$(of_workers blocks | sum)" = $((side * side)) ] \
        || fail "--size $size --block $block: the workers' blocks are not all"
}

#   Blocks that fit, that do not, of one number, of all, and of one less.
for case in '1 1' '2 1' '64 64' '64 16' '65 64' '65 16' '100 33' '127 126' '130 129' '37 2' \
    '200 70' '9 3'; do
    # shellcheck disable=SC2086  # two arguments
    run $case
    grep -q '"checked":true,.*"right":true}' "$folder/out" || fail "$case: not right"
done
"$matrix" --size 5 --block 9 --json > "$folder/out" || fail "a block larger than the matrix"
grep -q '"block":5,"blocks":1,' "$folder/out" || fail "a block larger than the matrix: $(cat "$folder/out")"
run 50 20 --no-check
grep -q '"checked":false,.*"right":null}' "$folder/out" || fail "--no-check checks"
grep -q '"plain"' "$folder/out" && fail "--no-check multiplies plainly"
run 50 20 --no-check --check
grep -q '"right":true}' "$folder/out" || fail "--check after --no-check does not check"
(
    TROUPE_WORKERS=threads:2
    export TROUPE_WORKERS
    run 90 25
    [ "$(of_workers pid | grep -c .)" = 1 ] || fail "threads are not one process"
    exit "$failed"
) || failed=1

#   All see the matrices, which are there once: no worker has its own. A
#   sanitizer needs memory for itself.
TROUPE_WORKERS=2
run 500 100
if ! grep -q null "$folder/out"; then
    matrix_bytes=$((8 * 500 * 500))
    for shared in $(of_workers shared_bytes); do
        [ "$shared" -ge $matrix_bytes ] || fail "a worker sees $shared bytes"
    done
    there=$(($(of_workers share_bytes | sum) + $(sed 's/.*"share_bytes":\([0-9]*\)}.*/\1/' "$folder/out")))
    [ "$there" -ge $((2 * matrix_bytes)) ] && [ "$there" -le $((4 * matrix_bytes)) ] \
        || fail "$there bytes for three matrices of $matrix_bytes"
    case ${TEST_CC:-} in
    *sanitize*) ;;
    *)
        for private in $(of_workers private_bytes); do
            [ "$private" -lt $((2 * matrix_bytes)) ] || fail "a worker has $private bytes"
        done ;;
    esac
fi

#   For people: a line for each process, the map, the times, and the verdict.
"$matrix" --size 70 --block 20 > "$folder/out" 2> "$folder/err" || fail "text: $(cat "$folder/err")"
for line in 'Two matrices of 70 x 70, multiplied in 16 blocks of up to 20 x 20\.' \
    'Put 0\.1 MB into shared memory, in .*' '1  worker [0-9]+ .*' '-  driver [0-9]+ .*' \
    'all +16 .*' '( [12]){4}' 'three plain loops .*' 'blocks, by [12] workers? .*' \
    'Right: the largest error is .*'; do
    grep -q -E -x -e "$line" "$folder/out" || fail "text: no line '$line' in $(cat "$folder/out")"
done
[ "$(grep -c -E -x '( [12]){4}' "$folder/out")" = 4 ] || fail "text: not a map of four rows"

#   A wrong product is found.
"$matrix" --size 40 --block 16 --spoil --json > "$folder/out" 2> "$folder/err"
[ $? = 1 ] || fail "--spoil: not status 1"
grep -q '"right":false}' "$folder/out" || fail "--spoil: $(cat "$folder/out")"
grep -q 'the product: is wrong' "$folder/err" || fail "--spoil: $(cat "$folder/err")"

#   refused STATUS TEXT ARGUMENT...: nothing on stdout, TEXT on stderr
refused ()
{
    wanted=$1 text=$2
    shift 2
    "$matrix" "$@" > "$folder/out" 2> "$folder/err"
    status=$?
    [ $status = "$wanted" ] || fail "matrix $*: status $status, not $wanted"
    [ ! -s "$folder/out" ] || fail "matrix $*: output in spite of a fault"
    grep -q -F -e "$text" "$folder/err" || fail "matrix $*: $(cat "$folder/err")"
}

refused 2 "--size must be" --size 0
refused 2 "--size must be" --size -3
refused 2 "--size must be" --size 12x
refused 2 "--size must be" --size ''
refused 2 "--size must be" --size 99999999999999999999
refused 2 "--block must be" --block 0
refused 2 "--block must be" --block 65537
refused 2 "1000000 blocks" --size 1000 --block 1
refused 2 "--spoil is of no use" --spoil --no-check
refused 2 "wanted no argument, got 12" 12
refused 2 "matrix" --what
TROUPE_OBJECT_MEMORY=1M
export TROUPE_OBJECT_MEMORY
refused 1 "more than the object store has" --size 500
"$matrix" --help > "$folder/out" && grep -q '^usage: matrix' "$folder/out" || fail "--help"
"$matrix" --size 20 > /dev/full 2> "$folder/err" && fail "output to a full disk is no fault"
grep -q 'cannot write' "$folder/err" || fail "a full disk: $(cat "$folder/err")"

exit $failed
