#  setup.sh - how the peers of bench/compare are fetched and built: sourced by
#  each peer's setup, which prints the peer's version as its last line
#
#  peer_missing REASON: ends, and the peer is shown as missing.
#  peer_unpack PACKAGE...: Debian packages, and those they need that the system
#  does not have, unpacked under $peer_root; nothing is installed.
#  peer_version PACKAGE: of what was unpacked, or of the system's.
#  peer_python REQUIREMENT...: a virtual environment, $peer_folder/venv.
#  peer_compile COMMAND... -o FILE ...: unless the file is newer than $peer_source
#  and what is beside it; $peer_flags finds what was unpacked.

set -u
LC_ALL=C.UTF-8
export LC_ALL

peer_source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
peer_name=$(basename -- "$peer_source")
peer_folder=$COMPARE_SCRATCH/$peer_name
peer_root=$peer_folder/root
mkdir -p "$peer_root" || exit 1
exec 3>&1 >&2

peer_missing () {
    echo "REASON: $*" >&2
    exit 1
}

peer_say () {
    echo "$*" >&3
}

peer_unpack () {
    [ -e "$peer_folder/unpacked" ] && [ "$(cat "$peer_folder/unpacked")" = "$*" ] && return
    command -v apt-get >/dev/null || peer_missing "there is no apt-get to fetch $*"
    mkdir -p "$peer_folder/packages"
    #  As root, apt fetches as a user of its own, who may not write here.
    packages=$(apt-get install --simulate --no-install-recommends "$@" |
        sed -n 's/^Inst \([^ ]*\).*/\1/p') || peer_missing "there is no package $*"
    #  What the system has already is unpacked as well: it is found in one place.
    (cd "$peer_folder/packages" && rm -f ./*.deb &&
        apt-get -o APT::Sandbox::User=root download $packages "$@") ||
        peer_missing "apt-get download fails for $* (apt-get update may help)"
    for package in "$peer_folder"/packages/*.deb; do
        dpkg-deb --extract "$package" "$peer_root" || peer_missing "cannot unpack $package"
    done
    rm -rf "$peer_folder/packages"
    echo "$*" >"$peer_folder/unpacked"
}

#  Without epoch and Debian's part.
peer_version () {
    apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -n 1 |
        sed 's/^[0-9]*://; s/[-+].*//'
}

peer_python () {
    [ -e "$peer_folder/installed" ] && [ "$(cat "$peer_folder/installed")" = "$*" ] && return
    rm -rf "$peer_folder/venv"
    python3 -m venv "$peer_folder/venv" || peer_missing "python3 -m venv fails"
    "$peer_folder/venv/bin/pip" install --quiet --disable-pip-version-check "$@" ||
        peer_missing "pip cannot install $*"
    echo "$*" >"$peer_folder/installed"
}

peer_architecture=$(gcc -print-multiarch 2>/dev/null)
peer_libraries=$peer_root/usr/lib/$peer_architecture
peer_flags="-I$COMPARE_BENCH/.. -I$peer_root/usr/include -L$peer_libraries \
    -Wl,--disable-new-dtags,-rpath,$peer_libraries"

peer_compile () {
    peer_output=
    for peer_word in "$@"; do
        [ "${peer_before:-}" = -o ] && peer_output=$peer_word
        peer_before=$peer_word
    done
    [ -e "$peer_output" ] && [ -z "$(find "$peer_source/setup" "$peer_source"/peer.c* \
        "$COMPARE_BENCH"/peers/*.[ch] "$COMPARE_BENCH/peers/setup.sh" \
        -newer "$peer_output" 2>/dev/null)" ] && return
    "$@" || peer_missing "$(basename "$peer_output") cannot be compiled"
}
