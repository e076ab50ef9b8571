#!/bin/sh
#  autogen.sh - makes configure and what it needs, in a plain clone
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"

for tool in autoreconf aclocal libtoolize pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: $tool not found: tools/packages installs it," \
            "or install autoconf, automake, libtool and pkg-config" >&2
        exit 1
    fi
done

mkdir -p build-aux m4
autoreconf --install --force --warnings=all
echo "Now run ./configure && make && make check"
