#!/bin/sh
#  docs.sh - the programs of README.md and docs/tutorial.md compile without a
#  warning and print what is shown there; the man pages have all functions,
#  variables of the environment and examples that there are
#
#  A block marked c whose first line is a comment "NAME.c - ..." is a file: a
#  program, or a module if it has no main. In a block marked console, "$ ./NAME",
#  with variables before and arguments after, is run; what follows it, up to the
#  next "$" or the end, is its output. Process ids, and the numbers of workers,
#  may differ.
set -eu

root=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
build=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

fail () {
    echo "docs.sh: $*" >&2
    exit 1
}

#  Writes the C files of a document, and each command as N.run, with the output
#  that belongs to it as N.wanted, into the folder. $2 keeps the Ns apart.
extract () {
    awk -v folder="$folder" -v prefix="$2" '
        function place(name) { return folder "/" name }
        /^```/ && kind != "" { close (file); kind = ""; file = ""; next }
        $0 == "```c" { kind = "c"; first = 1; next }
        $0 == "```console" { kind = "console"; next }
        /^```/ { kind = "other"; next }
        kind == "c" && first {
            first = 0
            if (match ($0, /^\/\*  [a-z_]+\.c - /))
                file = place(substr ($0, 5, index ($0, ".c - ") - 3))
        }
        kind == "c" && file != "" { print >file }
        kind == "console" && /^\$ / {
            if (file != "")
                close (file)
            file = ""
            if ($0 !~ /^\$ ([A-Z_]+=[^ ]* )*\.\//)
                next
            number = sprintf ("%s%03d", prefix, ++count)
            file = place(number ".run")
            print substr ($0, 3) >file
            close (file)
            file = place(number ".wanted")
            printf "" >file
            next
        }
        kind == "console" && file != "" { print >file }
    ' "$1"
}

#  What differs from run to run.
level () {
    sed 's/worker [0-9][0-9]*/worker N/g; s/pid [0-9][0-9]*/pid N/g' "$1"
}

#  compile FILE FLAG...: with the flags that everything is built with.
compile () {
    file=$1
    shift
    # shellcheck disable=SC2086  # a command and flags
    ${TEST_CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
        -Werror -I"$root/include" -I"$folder/include" "$file" "$@" \
        -L"$build/.libs" -Wl,-rpath,"$build/.libs" -ltroupe || fail "$file does not compile"
}

extract "$root/README.md" readme
extract "$root/docs/tutorial.md" tutorial

mkdir "$folder/include"
ln -s "$root/actors" "$folder/include/troupe"
for module in "$build"/actors/.libs/*.so; do
    ln -s "$module" "$folder/"
done

cd "$folder"
programs=0
for file in *.c; do
    name=${file%.c}
    if grep -q '^main (' "$file"; then
        compile "$file" -o "$name"
        grep -l "\./$name\( \|\$\)" ./*.run >/dev/null || fail "$file is never run"
        programs=$((programs + 1))
    else
        compile "$file" -shared -fPIC -o "$name.so"
    fi
done
[ "$programs" -ge 5 ] || fail "only $programs programs were found"

failed=0

#  --- man pages -------------------------------------------------------------

lacks () {
    echo "docs.sh: $*" >&2
    failed=1
}

man=$root/docs/man
header=$root/include/troupe.h

#  What is exported, and the macros for calls, have a page; macros, and what makes
#  arguments, are in the list as well.
functions=$(tr '\n' ' ' <"$header" | grep -o 'TROUPE_EXPORT[^;()]*(' |
    sed -n 's/.*[ *]\(troupe_[a-z_]*\) ($/\1/p')
macros=$(sed -n 's/^#define \(troupe_[a-z_]*\)(.*/\1/p' "$header")
makers=$(tr '\n' ' ' <"$header" | grep -o 'static inline troupe_arg_t troupe_[a-z_0-9]* (' |
    sed 's/.* \(troupe_[a-z_0-9]*\) (/\1/' | grep -v '_$\|^troupe_arg_')
[ "$(echo "$functions" | wc -l)" -ge 50 ] || fail "only these functions were found: $functions"
[ "$(echo "$macros" | wc -l)" -ge 10 ] || fail "only these macros were found: $macros"
[ "$(echo "$makers" | wc -l)" -ge 8 ] || fail "only these makers were found: $makers"
for name in $functions $macros; do
    grep -q "^\.Nm $name\( ,\)\{0,1\}$" "$man"/troupe_*.3 ||
        grep -q "^\.It Fn $name\b" "$man/troupe.3" || lacks "no man page has $name"
done
for name in $macros $makers; do
    grep -q "^\.It.* Fn $name\b\|^\.It Fn $name\b" "$man/troupe.3" || lacks "troupe.3 lacks $name"
done

#  What is looked for in the environment, but for what a node tells its workers.
for name in $(grep -rhoE '"TROUPE_[A-Z_]+"' "$root/src" --include='*.c' | tr -d '"' |
    grep -v '^TROUPE_BOOT' | sort -u); do
    grep -q "^\.It Ev.*\b$name\b" "$man/troupe.7" "$man/troupe.1" || lacks "no man page has $name"
done

#  Pages that are installed are in the Makefile, examples have theirs.
for page in "$man"/*.3 "$man"/*.7; do
    grep -q "docs/man/${page##*/}" "$root/Makefile.am" || lacks "${page##*/} is not installed"
done
for example in $(sed -n 's/^examples_\([a-z]*\)_LDADD.*/\1/p' "$root/Makefile.am"); do
    [ -f "$man/$example.1" ] || lacks "there is no $example.1"
    grep -q "\b$example\b" "$root/README.md" || lacks "README.md does not name $example"
done

#  --- programs ----------------------------------------------------------------

for run in *.run; do
    wanted=${run%.run}.wanted
    status=0
    sh "$run" >got 2>&1 </dev/null || status=$?
    level "$wanted" >wanted.level
    level got >got.level
    if [ "$status" -ne 0 ] || ! cmp -s wanted.level got.level; then
        echo "docs.sh: '$(cat "$run")' ended with status $status and printed" >&2
        diff wanted.level got.level >&2 || true
        failed=1
    fi
done
exit "$failed"
