#!/bin/sh
#   test_zipf.sh - zipf writes the same text for the same seed, on every
#   machine, and as many bytes as asked for
set -u
LC_ALL=C
export LC_ALL
zipf=${ZIPF:-examples/zipf}
failed=0

fail ()
{
    echo "FAIL: $*" >&2
    failed=1
}

#   check CHECKSUM BYTES OPTION...: the checksum is that of POSIX cksum
check ()
{
    wanted="$1 $2"
    shift 2
    found=$("$zipf" "$@" | cksum)
    [ "$found" = "$wanted" ] || fail "zipf $*: wanted $wanted, found $found"
}

check 2639189893 1000000
check 2711683017 1000000 --seed 2
check 489529744 3000000 --bytes 3M --words 5000 --exponent 1.07
check 693542096 500000 --bytes 500K --words 1000000 --exponent 0
check 2376537191 17 --bytes 17
check 3515105045 1 --bytes 1
check 1847130427 100000 --bytes 100K --words 1 --exponent 8

#   The second word is half as frequent as the first, the fourth a quarter.
"$zipf" --bytes 4M --words 1000 | tr 'A-Z' 'a-z' | tr -cs 'a-z\200-\377' '\n' \
    | sort | uniq -c | sort -k1,1nr | head -n 4 | (
    read -r first word && [ "$word" = the ] || exit 1
    read -r second word && [ "$word" = of ] || exit 1
    read -r third word && [ "$word" = and ] || exit 1
    [ $((second * 19)) -lt $((first * 10)) ] && [ $((second * 21)) -gt $((first * 10)) ] \
        && [ $((third * 28)) -lt $((first * 10)) ] && [ $((third * 32)) -gt $((first * 10)) ]
) || fail "the counts do not follow Zipf's law"

for bad in '--bytes 0' '--bytes x' '--bytes 1X' '--words 0' '--words 1000001' \
    '--exponent -1' '--exponent 9' '--exponent nan' '--seed -1' '--what' 'file'; do
    #   Split into words on purpose.
    if "$zipf" $bad > /dev/null 2> /dev/null; then
        fail "zipf $bad should be refused"
    fi
done
exit $failed
