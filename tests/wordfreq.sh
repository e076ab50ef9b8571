#!/bin/sh
#   wordfreq.sh - every variant of wordfreq, over texts of many kinds and cut
#   in many ways, gives what plain text tools count; and faults are reported
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
failed=0

fail ()
{
    echo "FAIL: $*" >&2
    failed=1
}

#   Lists "count word" of the standard input, in rank order.
count_words ()
{
    dash=$(printf '\342\200[\220-\225\230-\237]')
    sed "s/$dash/ /g" \
        | tr 'A-Z' 'a-z' \
        | tr -s ' \t\n\v\f\r\000,;.:!?"'\''`()[]_*-' '[\n*]' \
        | grep -a -v '^$' \
        | sort | uniq -c \
        | sort -k 1,1nr -k 2 \
        | sed 's/^ *//'
}

#   Makes lines like those of count_words from a line of JSON.
json_top ()
{
    sed 's/.*"top":\[\[//; s/\]\],"words".*//' | sed 's/\],\[/\n/g' \
        | sed 's/^"\(.*\)",\([0-9]*\)$/\2 \1/'
}

string='"([^"\\]|\\(["\\]|u[0-9a-f]{4}))*"'
shape='\{"variant":"[a-z]+","word":'$string',"count":[0-9]+,"top":'
shape=$shape'\[\['$string',[0-9]+\](,\['$string',[0-9]+\])*\],'
shape=$shape'"words":[0-9]+,"sublists":[0-9]+,"rounds":[123],"seconds":[0-9]+\.[0-9]+\}'

#   check EXPECTED N K FILE...: all variants answer as the file EXPECTED says
check ()
{
    expected=$1 n=$2 k=$3
    shift 3
    if ! "$wordfreq" --sublists "$n" --top "$k" --json "$@" > "$folder/out" 2> "$folder/err"; then
        fail "wordfreq --sublists $n --top $k $*: $(cat "$folder/err")"
        return
    fi
    head -n "$k" "$expected" > "$folder/wanted"
    words=$(cut -d ' ' -f 1 "$expected" | paste -s -d + | sed 's/^$/0/')
    words=$(($words))
    for variant in sequential tasks actors; do
        grep -a "^{\"variant\":\"$variant\"," "$folder/out" > "$folder/line"
        json_top < "$folder/line" > "$folder/found"
        cmp -s "$folder/wanted" "$folder/found" \
            || fail "$variant --sublists $n --top $k $*: wanted
$(head -n 3 "$folder/wanted")
found
$(head -n 3 "$folder/found")"
        grep -a -q "\"words\":$words,\"sublists\":$n," "$folder/line" \
            || fail "$variant --sublists $n $*: not $words words"
    done
    [ "$(grep -a -c . "$folder/out")" = 3 ] || fail "wordfreq $*: not three lines"
    [ "$(grep -a -c -E -x "$shape" "$folder/out")" = 3 ] || fail "wordfreq $*: not the JSON wanted"
}

#   Texts: random, flat, steep, tiny, in UTF-8, and one that misleads those
#   who look at the first word of each part only.
"$zipf" --bytes 200K > "$folder/text1"
"$zipf" --bytes 60K --words 3000 --exponent 0.2 --seed 2 > "$folder/text2"
"$zipf" --bytes 20K --words 40 --exponent 0 --seed 3 > "$folder/text3"
"$zipf" --bytes 100K --words 50 --exponent 2 --seed 4 > "$folder/text4"
printf 'b a' > "$folder/text5"
printf '\342\200\234Na\303\257ve\342\200\235\342\200\224na\303\257ve, \303\211t\303\251\n' > "$folder/text6"
for part in 0 1 2 3 4 5 6 7; do
    for line in 1 2 3 4 5 6; do
        echo "top$part top$part top$part win win"
    done
done > "$folder/text7"
for part in 0 1 2 3 4 5 6 7; do
    for line in 1 2 3 4; do
        for word in a b c d e f g h i j k l; do printf '%s%s %s%s %s%s ' $word $part $word $part $word $part; done
        echo "win win"
    done
done > "$folder/text8"
for text in 1 2 3 4 5 6 7 8; do
    count_words < "$folder/text$text" > "$folder/counts$text"
done

#   ThreadSanitizer is slow, and races do not need every number.
step=1
case ${TEST_CC-} in *-fsanitize=thread*) step=5 ;; esac
n=1
while [ $n -le 64 ]; do
    text=$((n % 8 + 1))
    k=$((n * 7 % 20 + 1))
    check "$folder/counts$text" $n $k "$folder/text$text"
    n=$((n + step))
done
for k in 1 20; do
    for text in 1 2 3 4 5 6 7 8; do
        check "$folder/counts$text" 8 $k "$folder/text$text"
    done
done

#   Two files count as one text; what is not a regular file is read through.
cat "$folder/text3" "$folder/text2" | count_words > "$folder/counts"
check "$folder/counts" 5 10 "$folder/text3" "$folder/text2"
check "$folder/counts1" 7 3 /dev/stdin < "$folder/text1"
mkfifo "$folder/pipe"
cat "$folder/text4" > "$folder/pipe" &
check "$folder/counts4" 3 7 "$folder/pipe"
wait $!

#   A book, or a text that every Debian machine has.
for book in "${srcdir:-.}/../shared/data/alice29.txt" /usr/share/common-licenses/GPL-3; do
    [ -r "$book" ] || continue
    count_words < "$book" > "$folder/counts"
    check "$folder/counts" 4 10 "$book"
    break
done

#   Text output names the word in every variant.
"$wordfreq" --top 3 "$folder/text1" > "$folder/out" 2> "$folder/err" || fail "text output"
[ "$(grep -c -E '^(sequential|tasks|actors) +the ' "$folder/out")" = 3 ] \
    || fail "not a line for each variant: $(cat "$folder/out")"
"$wordfreq" --variant tasks --json "$folder/text1" > "$folder/out" || fail "one variant"
[ "$(grep -c '"variant":"tasks"' "$folder/out")" = 1 ] || fail "not one variant"

#   refused STATUS TEXT ARGUMENT...: nothing on stdout, TEXT on stderr
refused ()
{
    wanted=$1 text=$2
    shift 2
    "$wordfreq" "$@" > "$folder/out" 2> "$folder/err"
    status=$?
    [ $status = "$wanted" ] || fail "wordfreq $*: status $status, not $wanted"
    [ ! -s "$folder/out" ] || fail "wordfreq $*: output in spite of a fault"
    grep -q -F -e "$text" "$folder/err" || fail "wordfreq $*: $(cat "$folder/err")"
}

: > "$folder/empty"
echo ', . -- !' > "$folder/blank"
echo secret > "$folder/unreadable"
chmod 000 "$folder/unreadable"
refused 1 "$folder/none: No such file or directory" "$folder/none"
refused 1 "$folder/none: No such file or directory" "$folder/text1" "$folder/none"
refused 1 "$folder/empty: is empty" "$folder/empty"
refused 1 "is empty" /dev/null
refused 1 "$folder: is a folder" "$folder"
refused 1 "no words" "$folder/blank"
[ "$(id -u)" = 0 ] || refused 1 "Permission denied" "$folder/unreadable"
refused 2 "no FILE"
refused 2 "--variant must be" --variant fast "$folder/text1"
refused 2 "--sublists must be" --sublists 0 "$folder/text1"
refused 2 "--sublists must be" --sublists -1 "$folder/text1"
refused 2 "--sublists must be" --sublists 3x "$folder/text1"
refused 2 "--top must be" --top 0 "$folder/text1"
refused 2 "--top must be" --top 99999999999999999999 "$folder/text1"
refused 2 "wordfreq" --what "$folder/text1"
"$wordfreq" --help > "$folder/out" && grep -q '^usage: wordfreq' "$folder/out" || fail "--help"

exit $failed
