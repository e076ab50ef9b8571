#!/bin/sh
#  cli.sh - the troupe command: its verbs, what it refuses, its exit codes,
#  that help, man page and completion agree, and a cluster from start to stop
set -u

root=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
. "$root/tests/command.sh"
build=$(dirname "$troupe")

#  run STATUS ARG...: runs the command; its output is in out and err.
run () {
    wanted=$1
    shift
    status=0
    "$troupe" "$@" >"$folder/out" 2>"$folder/err" </dev/null || status=$?
    [ "$status" -eq "$wanted" ] && return
    fail "troupe $* ended with $status, not $wanted: $(cat "$folder/out" "$folder/err")"
}

#  --- help, man page, completion ------------------------------------------

verbs='start stop drain token status list memory show call run logs microbenchmark version help'

run 0 help
cp "$folder/out" "$folder/general"
for verb in $verbs; do
    grep -q "^  $verb  " "$folder/general" || fail "troupe help does not name $verb"
    run 0 help "$verb"
    [ "$verb" = help ] || has out "^usage: troupe $verb"
    cp "$folder/out" "$folder/help"
    run 0 "$verb" --help
    cmp -s "$folder/out" "$folder/help" || fail "troupe $verb --help is not troupe help $verb"
    awk 'length > 84' "$folder/help" | grep . && fail "troupe help $verb has lines too long"
    [ "$verb" = help ] && continue
    for option in $(grep -o -e '--[a-z-]*' "$folder/help" | sort -u); do
        plain=${option#--}
        grep -q "Fl -$plain" "$root/docs/man/troupe.1" || fail "no $option in the man page"
        for file in troupe.bash _troupe; do
            grep -q -e "$option\b" "$root/tools/completion/$file" || fail "no $option in $file"
        done
    done
done

#  Each verb is in the synopsis and has a chapter; each kind of list has its keys.
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$root/docs/man/troupe.1" >"$folder/synopsis"
for verb in $verbs; do
    grep -q "^\.Cm $verb\b" "$folder/synopsis" || fail "no $verb in the synopsis of the man page"
    grep -q "^\.Ss.* troupe $verb\b" "$root/docs/man/troupe.1" || fail "no chapter on $verb"
done
run 0 help list
awk '/^The keys/ { keys = 1; next }
    keys && /^  [a-z]/ { $1 = $1; printf "%s%s", (lines++ ? "\n" : ""), $0; next }
    keys { $1 = $1; printf " %s", $0 }
    END { print "" }' "$folder/out" >"$folder/kinds"
[ "$(grep -c . "$folder/kinds")" = 10 ] || fail "not ten kinds: $(cat "$folder/kinds")"
while read -r kind keys; do
    grep -q -x "\.It $kind Ta $keys" "$root/docs/man/troupe.1" ||
        fail "the man page has other keys of $kind than: $keys"
    one=${kind%s}
    [ "$kind" != classes ] || one=class
    for file in troupe.bash _troupe; do
        grep 'nodes workers' "$root/tools/completion/$file" | grep -q "\b$kind\b" ||
            fail "no list of $kind in $file"
        grep 'node worker' "$root/tools/completion/$file" | grep -q "\b$one\b" ||
            fail "no $one to show in $file"
    done
done <"$folder/kinds"

if command -v bash >/dev/null 2>&1; then
    #  offers WANTED WORD...: what bash offers for the last word. The completion
    #  drops what the command says of errors; here it is kept.
    mkdir "$folder/bin"
    printf '#!/bin/sh\nexec "%s" "$@" 2>>"%s"\n' "$troupe" "$folder/said" >"$folder/bin/troupe"
    chmod +x "$folder/bin/troupe"
    offers () {
        wanted=$1
        shift
        : >"$folder/said"
        offered=$(PATH=$folder/bin:$PATH bash -c '
            . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _troupe
            printf "%s\n" "${COMPREPLY[@]}"' "$root/tools/completion/troupe.bash" "$@" |
            tr '\n' ' ')
        [ "$offered" = "$wanted" ] ||
            fail "bash: $*: '$offered', not '$wanted'; $(cat "$folder/said")"
    }
    offers 'start stop status ' troupe st
    offers 'nodes ' troupe list n
    offers '--filter ' troupe list --f
    offers 'actor ' troupe show --json act
    offers 'name,state ' troupe list nodes --columns name,st
    offers 'function= ' troupe list tasks --filter fun
    offers '/usr ' troupe start --spill-dir /us
    offers ' ' troupe start --object-memory ''
fi
if command -v zsh >/dev/null 2>&1; then
    zsh -n "$root/tools/completion/_troupe" || fail 'zsh: _troupe'
fi

#  --- what is refused ------------------------------------------------------

run 2
has err '^usage: troupe VERB'
run 2 nothing
has err "no verb 'nothing'"
run 0 --version
has out '^troupe [0-9]*\.[0-9]*\.[0-9]*$'
for verb in $verbs; do
    run 2 "$verb" --nothing
    has err "^troupe $verb: "
    has err "^Try troupe help $verb\.$"
done

refused () {
    text=$1
    shift
    run 2 "$@"
    has err "$text"
    [ ! -s "$folder/out" ] || fail "troupe $*: output: $(cat "$folder/out")"
}

refused 'wanted --head' start
refused 'only one of them' start --head --address localhost:1
refused 'makes its own token' start --head --token t
refused 'for --head' start --address localhost:1 --port 1
refused 'for --head' start --address localhost:1 --insecure
refused "'65536'" start --head --port 65536
refused "'many'" start --head --cpus many
refused "'8Q'" start --head --memory 8Q
refused "'disk'" start --head --resource disk
refused 'given twice' start --head --resource disk=1 --resource disk=2
refused 'there is --cpus' start --head --resource cpus=1
refused 'No such file' start --head --module "$folder/none.so"
refused 'HOST:PORT' status --address nowhere
refused 'both' status --token a --token-file b
refused 'wanted one of nodes' list
refused "not 'things'" list things
refused "no 'colour'" list nodes --filter colour=red
refused "no 'colour'" list nodes --columns colour
refused 'KEY=VALUE' list nodes --filter name
refused 'a kind and an ID' show actor
refused 'wanted one node' drain
refused 'NAME.METHOD' call
refused "not 'settings'" call settings
refused 'number of seconds' call --timeout soon settings.get
refused 'wanted a PROGRAM' run
refused "'0'" logs --tail 0
refused 'number of seconds' stop --timeout soon
refused "'\['" microbenchmark --filter '['
refused "no entry has 'nothing'" microbenchmark --filter nothing
refused "'0'" microbenchmark --rounds 0
refused "'soon'" microbenchmark --seconds soon
refused "no 'sync'" microbenchmark sync

#  --- no cluster -----------------------------------------------------------

for command in status 'list nodes' 'show node 1' 'call settings.get' 'drain alpha' logs \
    'run true'; do
    #  Split into words on purpose.
    run 3 $command
    [ -s "$folder/err" ] || fail "troupe $command says nothing"
done
run 0 stop
if [ -w /dev/full ]; then
    "$troupe" version >/dev/full 2>"$folder/err" && fail 'a full disk is not noticed'
    has err 'standard output'
fi

#  --- logs of daemons that have ended; no process has such a number ---------

i=0
mkdir -m 700 -p "$folder/run/troupe"
while [ $((i += 1)) -le 30 ]; do
    echo "$i" >"$folder/run/troupe/daemon-$((4200000 + i)).log"
done
run 0 start --head --bind 127.0.0.1 --port 0 --cpus 1
run 0 stop
[ "$(ls "$folder/run/troupe" | grep -c '^daemon-42000..\.log$')" = 20 ] ||
    fail "logs: $(ls "$folder/run/troupe")"

#  --- without keys -----------------------------------------------------------

run 1 start --head --insecure --bind 192.0.2.1
has err 'loopback addresses only'
#  With few files, a crowd that says nothing takes a part of them and no more.
(
    ulimit -n 300
    run 0 start --head --insecure --port 0 --cpus 1
    exit "$failed"
) || failed=1
has err '^Warning: nothing is encrypted'
has out ' at 127.0.0.1:'
grep -q troupe1: "$folder/out" && fail "a token without keys: $(cat "$folder/out")"
cp "$folder/out" "$folder/start"
join=$(sed -n 's/^ *troupe \(start --address .*\)/\1/p' "$folder/out")
#  Split into words on purpose.
run 0 $join --cpus 1
run 0 status
has out '^nodes 2 '
pid=$(sed -n 's/.* pid \([0-9]*\), ready .*/\1/p' "$folder/start")
port=$(sed -n 's/.* at 127.0.0.1:\([0-9]*\) .*/\1/p' "$folder/start")
"$build/tests/hosts_stranger" idle 127.0.0.1 "$port" 400 >"$folder/crowd" &
crowd=$!
until_cut () {
    for attempt in $(seq 100); do
        files=$(ls "/proc/$pid/fd" | wc -l)
        grep -qs '^connected 400 ' "$folder/crowd" && [ "$files" -lt 250 ] &&
            grep -q 'cut 127.0.0.1: too many connections' "$folder/run/troupe/daemon-$pid.log" &&
            return
        sleep 0.1
    done
    return 1
}
until_cut || fail "$files files are open: $(cat "$folder/run/troupe/daemon-$pid.log")"
run 0 status
has out '^[0-9]* connections were refused: [0-9]* at '
kill "$crowd"
wait "$crowd" 2>/dev/null
run 0 stop --force

#  --- a cluster ------------------------------------------------------------

run 0 start --head --bind 127.0.0.1 --port 0 --cpus 2 --memory 1G --resource disk=3 \
    --name alpha --module "$build/actors/.libs/kv.so" --json
has out '"node": "alpha"'
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$folder/out")
token=$(sed -n 's/.*"token": "\([^"]*\)".*/\1/p' "$folder/out")
[ -n "$address" ] && [ -n "$token" ] || fail "no address or token: $(cat "$folder/out")"

run 0 status
has out "^$address"
has out '^disk .* 0 of 3$'
run 0 status --json
has out '"version": '
run 0 list nodes --columns name,state,cpus
has out '^NAME  *STATE  *CPUS$'
has out '^alpha  *alive  *2$'
run 0 list nodes --filter state=dead --json
[ "$(cat "$folder/out")" = '[]' ] || fail "list: $(cat "$folder/out")"
for kind in workers actors functions tasks jobs; do
    run 0 list "$kind"
done
#  What watches ends when nobody reads it any more.
"$troupe" list nodes --columns name --watch 2>/dev/null | head -n 4 >"$folder/out"
[ "$(tr '\n' ' ' <"$folder/out")" = 'NAME alpha NAME alpha ' ] || fail "watch: $(cat "$folder/out")"
run 0 show node alpha --json
has out '"name": "alpha"'
run 1 show node beta
has err "no node 'beta'"
run 1 call nobody.method
has err "'nobody'"

#  Arguments are what the class says that the method takes.
called () {
    answer=$1
    shift
    run 0 call "$@"
    [ "$(cat "$folder/out")" = "$answer" ] || fail "call $*: $(cat "$folder/out")"
}
run 0 run "$build/tests/cli_actors"
called false kv.set 12 12
called 12 kv.get 12
called true kv.kv_set 12 '"12"'
called '"12"' kv.get 12
called 12 --raw kv.get 12
called '["12"]' kv.keys ''
called -5 counter.add -5
called '[true, -5]' counter.compare_and_swap -5 9223372036854775807
called 9223372036854775807 probe.pass counter
called '[-128, 32767, -2147483648, 9223372036854775807, 255, 65535, 4294967295, 1.8446744073709552e19]' \
    probe.integers -128 32767 -2147483648 9223372036854775807 255 65535 4294967295 \
    18446744073709551615
called '[true, 1.5, 12.0, "12", {"base64": "AAEC"}]' probe.scalars true 1.5 12 12 \
    '{"base64": "AAEC"}'
called '[[1, -2], [9223372036854775807], [0.5, 1.0], [], ["12", "x"]]' probe.arrays '[1, -2]' \
    '[9223372036854775807]' '[0.5, 1]' '[]' '["12", "x"]'
called '[[1, {"a": null}], {"b": [2.5]}, "[x"]' probe.shapes '[1, {"a": null}]' '{"b": [2.5]}' '[x'
called '[[], {}, [1]]' --json probe.shapes '[]' '{}' '[1]'
called '[2, 3, 1, 0, 4, 4, 4]' probe.loose 12 0.5 true null word '"12"' '[1]'
called '[6]' --json probe.loose '[1]'

#  What is wrong with them is said before anything is called, by a name.
wrong () {
    text=$1
    shift
    run 2 call "$@"
    has err "^troupe call: $text\$"
    [ ! -s "$folder/out" ] || fail "call $*: output: $(cat "$folder/out")"
}
wrong "counter.add: argument 1, amount: wanted int64 (an integer from .*), not '5x'" counter.add 5x
wrong 'counter.add takes 1 argument, not 0' counter.add
has err '^  amount: int64, an integer from '
wrong 'counter.get takes 0 arguments, not 1' counter.get 1
wrong "probe.integers: argument 5, e: .*uint8 (an integer from 0 to 255), not '256'" \
    probe.integers 1 1 1 1 256 1 1 1
wrong "probe.shapes: argument 2, b: wanted map (a JSON object), not '\[\]'" probe.shapes '[]' '[]' 1
wrong "probe.shapes: argument 3, c: .*, not '\[x': .*" --json probe.shapes '[]' '{}' '[x'
run 1 call probe.pass nobody
has err "'nobody'"
run 1 call counter.ad 1
has err "has no method 'ad'; it has add (amount: int64), get (), "
called 9223372036854775807 counter.get

#  An actor that cannot start yet, and a method that takes its time.
run 1 call --timeout 0.3 later.size
has err "the actor 'later' has not started yet"
#  The time is for finding the actor, too, which may take all of it.
for seconds in 0.5 1 2 4 8 16 32; do
    run 1 call --timeout $seconds probe.hold "$folder/held"
    grep -q -e 'does not answer in time' -e 'has not started yet' "$folder/err" || break
done
has err 'probe.hold has not answered in time'
touch "$folder/held"
called null probe.hold "$folder/held"

#  Signatures are listed, of modules too.
run 0 list classes --columns class,methods
has out '^counter  add (amount: int64), get (), set (value: int64), '
has out '^probe .* loose$'
run 0 show actor counter
has out '^  methods       add (amount: int64)$'
has out '^                get ()$'
if command -v bash >/dev/null 2>&1; then
    offers 'kv.get ' troupe call kv.g
fi
run 0 show class probe --json
has out '{"name": "pass", "parameters": \[{"name": "counter", "type": "actor"}\]}'
has out '{"name": "loose", "parameters": null}'
run 0 list actors --columns name,program
[ "$(tr '\n' ' ' <"$folder/out" | tr -s ' ')" = 'NAME PROGRAM counter cli_actors kv cli_actors later cli_actors probe cli_actors ' ] ||
    fail "actors: $(cat "$folder/out")"
run 0 show worker 'worker 1'
has out '^  program       cli_actors$'
run 0 show job cli_actors
TROUPE_NAMESPACE=elsewhere
export TROUPE_NAMESPACE
run 1 call kv.size
has err "^troupe call: no actor is named 'kv' in the namespace 'elsewhere'$"
has err "^There is one with --namespace ''\.$"
called 1 --namespace '' kv.size
unset TROUPE_NAMESPACE
run 0 logs
run 0 logs alpha
run 1 logs nobody
has err "no node, worker, actor or task 'nobody'"

#  The same from elsewhere, with the token in a file.
echo "$token" >"$folder/token"
chmod 644 "$folder/token"
run 1 status --address "$address" --token-file "$folder/token"
has err 'others have access'
chmod 600 "$folder/token"
TROUPE_FOLDER=$folder/run/other "$troupe" status --address "$address" \
    --token-file "$folder/token" >"$folder/out" 2>&1 || fail "status: $(cat "$folder/out")"

#  Who only asks has no object store, which would read this; who calls has one.
TROUPE_FOLDER=$folder/run/other TROUPE_OBJECT_MEMORY=nonsense
export TROUPE_OBJECT_MEMORY
run 0 status --address "$address" --token-file "$folder/token"
run 3 call --address "$address" --token-file "$folder/token" kv.size
has err 'TROUPE_OBJECT_MEMORY'
unset TROUPE_OBJECT_MEMORY
TROUPE_FOLDER=$folder/run/troupe

#  Tokens that are none are named, and where they come from.
TROUPE_TOKEN=nothing
export TROUPE_TOKEN
run 3 status
has err "TROUPE_TOKEN: 'nothing' is no token, which begins with 'troupe1:', and there is no file"
unset TROUPE_TOKEN
run 3 status --token nothing
has err "^troupe status: 'nothing' is no token"

#  troupe.conf, and what is wrong with one.
echo "token = $token   # all that it takes" >troupe.conf
chmod 644 troupe.conf
run 3 status
has err 'others have access to troupe.conf, so the token in it is no secret any more'
TROUPE_ADDRESS=$token
export TROUPE_ADDRESS
run 0 status
unset TROUPE_ADDRESS
chmod 602 troupe.conf
run 3 status
has err 'others may write to troupe.conf: chmod o-w'
chmod 600 troupe.conf
TROUPE_FOLDER=$folder/run/other "$troupe" status >"$folder/out" 2>&1 ||
    fail "by troupe.conf: $(cat "$folder/out")"
echo "adress = $address" >>troupe.conf
run 3 status
has err 'troupe.conf, line 2: wanted'
run 1 stop
has err 'troupe.conf, line 2: wanted'
rm troupe.conf
TROUPE_CONFIG=$folder/none
export TROUPE_CONFIG
run 3 status
has err "TROUPE_CONFIG is $folder/none: No such file"
unset TROUPE_CONFIG

#  A token is an address; nodes of hosts with the same name get a number.
host=$(uname -n | sed 's/[. ].*//')
run 0 start --address "$token" --cpus 1 --json
has out "\"node\": \"$host\""
run 0 start --address "$token" --cpus 1 --json
has out "\"node\": \"$host-2\""
run 1 start --address "$token" --cpus 1 --name alpha
has err "'alpha' is there already"

run 0 run sh -c 'echo "$TROUPE_ADDRESS $TROUPE_TOKEN"'
[ "$(cat "$folder/out")" = "$address $token" ] || fail "run: $(cat "$folder/out")"
run 7 run sh -c 'exit 7'
run 127 run "$folder/none"
run 126 run "$folder/home"

#  The environment may name another cluster than the one that runs here.
TROUPE_ADDRESS=127.0.0.1:1
export TROUPE_ADDRESS
run 0 stop
has out '^Nothing of the cluster at 127.0.0.1:1 runs '
has out "at $address"
run 0 stop --address 127.0.0.1:2
has out '^Nothing of the cluster at 127.0.0.1:2 runs '
TROUPE_ADDRESS=$token
run 0 status
[ "$(grep -c '^alpha ' "$folder/out")" = 1 ] || fail "stop has stopped another cluster"
unset TROUPE_ADDRESS

#  More tasks than a list has: it says so, and the filter looks at all of them.
"$troupe" run "$build/tests/cli_actors" hold "$folder/many" 10050 2>"$folder/driver" &
driver=$!
tries=0
until "$troupe" list tasks >"$folder/out" 2>"$folder/err"; [ $? -eq 4 ]; do
    [ $((tries += 1)) -le 100 ] || { fail "no 10,050 tasks: $(cat "$folder/err")"; break; }
    sleep 0.1
done
run 4 list tasks --json
has err '^troupe list: these are the first 10000 of 100[0-9]* tasks, by job and id'
[ "$(grep -c '"id"' "$folder/out")" -eq 10000 ] || fail "cut to $(wc -l <"$folder/out") lines"
tries=0
until run 0 list tasks --filter state=running; [ "$(grep -c hold "$folder/out")" -ge 1 ]; do
    [ $((tries += 1)) -le 100 ] || { fail "none runs: $(cat "$folder/out")"; break; }
    sleep 0.1
done
run 0 list tasks --filter function=hold --filter state!=ready --filter state!=waiting --json
grep -q '"ready"' "$folder/out" && fail "a filter lets through what it should not"
touch "$folder/many"
wait "$driver" || fail "work was lost: $(cat "$folder/driver")"

run 0 drain alpha
run 0 list nodes --filter name=alpha --columns state
has out '^draining$'
run 1 drain beta
has err "no node 'beta'"
#  Daemons that have work end at the same time, and the head is the last.
run 0 stop
run 0 start --head --bind 127.0.0.1 --port 0 --cpus 1 --name alpha --json
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$folder/out")
token=$(sed -n 's/.*"token": "\([^"]*\)".*/\1/p' "$folder/out")
run 0 start --address "$token" --cpus 1 --name beta
run 0 start --address "$token" --cpus 1 --name gamma
"$troupe" run "$build/tests/cli_actors" hold "$folder/gate" 3 2>"$folder/driver" &
driver=$!
#  await TEXT COMMAND...: until the command prints so many lines with the text
await () {
    lines=$1 text=$2 tries=0
    shift 2
    until [ "$("$@" | grep -c -e "$text")" = "$lines" ]; do
        [ $((tries += 1)) -le 200 ] || { fail "not $lines of '$text': $("$@")"; return; }
        sleep 0.1
    done
}
await 3 running "$troupe" list tasks
"$troupe" stop >"$folder/stopped" 2>&1 &
stopping=$!
await 3 draining "$troupe" list nodes
kill -0 "$stopping" "$driver" || fail "work was not waited for: $(cat "$folder/stopped")"
touch "$folder/gate"
wait "$driver" || fail "work was lost: $(cat "$folder/driver")"
wait "$stopping" || fail "stop: $(cat "$folder/stopped")"
grep -q '^Stopped 3 daemons and 3 workers in ' "$folder/stopped" || fail "$(cat "$folder/stopped")"

#  By its token, whatever the name of the host in the address.
run 0 start --head --bind 127.0.0.1 --port 0 --cpus 1 --json
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$folder/out")
token=$(sed -n 's/.*"token": "\([^"]*\)".*/\1/p' "$folder/out")
run 0 start --address "$token" --cpus 1
TROUPE_ADDRESS=$(echo "$address" | sed 's/.*:/localhost:/') TROUPE_TOKEN=$token
export TROUPE_ADDRESS TROUPE_TOKEN
run 0 stop
has out '^Stopped 2 daemons'
unset TROUPE_ADDRESS TROUPE_TOKEN
run 3 status
exit "$failed"
