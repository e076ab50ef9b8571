#  command.sh - for tests of the troupe command, which source it: a user of whom
#  nothing is known, and whose cluster ends with the test
#
#  $troupe is the command, $folder is for files; $failed is 1 once fail was
#  called.

troupe=$(cd "$(dirname "${TROUPE:-./troupe}")" && pwd)/$(basename "${TROUPE:-./troupe}")
[ -x "$troupe" ] || { echo "$(basename "$0"): there is no $troupe" >&2; exit 1; }
folder=$(mktemp -d)
failed=0

mkdir "$folder/home" "$folder/run"
chmod 700 "$folder/run"
HOME=$folder/home XDG_RUNTIME_DIR=$folder/run TROUPE_FOLDER=$folder/run/troupe
export HOME XDG_RUNTIME_DIR TROUPE_FOLDER
unset TROUPE_ADDRESS TROUPE_TOKEN TROUPE_CONFIG XDG_CONFIG_HOME
cd "$folder/home" || exit 1

finish () {
    "$troupe" stop --force >"$folder/end" 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail () {
    echo "FAIL: $*" >&2
    failed=1
}

#  has out|err PATTERN: what the command said.
has () {
    grep -q -e "$2" "$folder/$1" || fail "wanted '$2' in: $(cat "$folder/$1")"
}
