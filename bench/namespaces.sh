#  namespaces.sh - a place where network namespaces may be made; to be sourced
#
#  namespaces_enter PROGRAM ARGUMENT...: returns where they may be made. Elsewhere
#  it runs the program again in a user namespace of its own, if this user may have
#  one, where they may, and does not return. If he may not, returns: tests/hosts.sh
#  finds that out, and ends with 77.

namespaces_enter () {
    ! unshare -nm true 2>/dev/null || return 0
    unshare -Urnm mount -t tmpfs none /run 2>/dev/null || return 0
    #  /run/netns belongs to root, who is nobody in there, as do folders above
    #  others, where daemons do not put theirs.
    # shellcheck disable=SC2016  # for the inner shell
    exec unshare -Urnm sh -c 'mount -t tmpfs none /run && TMPDIR=/run exec "$@"' sh "$@"
}
