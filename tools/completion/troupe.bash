#  troupe.bash - completion of the troupe command for bash

#  compgen expands words as a shell does, so only names that mean nothing to a
#  shell are offered.
_troupe_harmless ()
{
    grep -v -e '[^[:alnum:]_.:@+-]' -e '^-'
}

_troupe_names ()
{
    troupe list "$1" --columns "$2" 2>/dev/null | sed '1d;s/^ *//' | _troupe_harmless
}

#  The keys of a kind of list, with $2 before and $3 behind each.
_troupe_keys ()
{
    troupe help list 2>/dev/null | sed '1,/^The keys/d' |
        awk -v kind="$1" -v before="$2" -v behind="$3" '/^  [a-z]/ { on = $1 == kind; $1 = "" }
            on { for (i = 1; i <= NF; i++) print before $i behind }'
}

_troupe_methods ()
{
    local name=${1%.*}
    troupe show actor "$name" 2>/dev/null |
        sed -n '/^  methods /,$s/^  \(methods\)\{0,1\}  *\([^ ]*\).*/\2/p' | sed "s/^/$name./" |
        _troupe_harmless
}

_troupe_options ()
{
    local connection='--address --token --token-file'
    case $1 in
    start)
        echo "--head --bind --port --beacon --insecure $connection --name --cpus --memory --gpus" \
            "--resource --module --allow --deny --object-memory --spill-dir" \
            "--foreground --json" ;;
    stop) echo "--force --timeout --address --json" ;;
    drain) echo "--json $connection" ;;
    token) echo "--revoke $connection" ;;
    memory) echo "--json --watch $connection" ;;
    status) echo "--json --watch $connection" ;;
    list) echo "--filter --columns --json --watch $connection" ;;
    show) echo "--json $connection" ;;
    call) echo "--timeout --namespace --json --raw $connection" ;;
    run) echo "$connection" ;;
    logs) echo "--follow --tail --time --json $connection" ;;
    microbenchmark) echo "--filter --rounds --seconds --json $connection" ;;
    esac
    echo --help
}

#  The operands of a verb, $2 being the number of those that are there.
_troupe_operands ()
{
    case $1.$2 in
    help.0) echo "$_troupe_verbs" ;;
    list.0) echo "nodes workers actors classes functions tasks jobs objects stores tokens" ;;
    show.0) echo "node worker actor class function task job object store token" ;;
    show.1)
        case $3 in
        node) _troupe_names nodes name ;;
        actor) _troupe_names actors name ;;
        function) _troupe_names functions function ;;
        class) _troupe_names classes class ;;
        worker) _troupe_names workers id ;;
        job) _troupe_names jobs id ;;
        object) _troupe_names objects id ;;
        store) _troupe_names stores store ;;
        token) _troupe_names tokens name ;;
        esac ;;
    drain.0) _troupe_names nodes name ;;
    token.0) _troupe_names tokens name ;;
    logs.0) _troupe_names nodes name; _troupe_names actors name ;;
    call.0)
        case $4 in
        *.*) _troupe_methods "$4" ;;
        *) _troupe_names actors name | sed 's/$/./' ;;
        esac ;;
    esac
}

_troupe_verbs='start stop drain token status list memory show call run logs microbenchmark version help'

_troupe ()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local verb=${COMP_WORDS[1]} count=0 first='' chosen='' i
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$_troupe_verbs" -- "$word")
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --token-file | --module | --address | --token | --bind | --port | --name | --cpus | \
            --memory | --gpus | --resource | --object-memory | --spill-dir | --allow | --deny | \
            --filter | --columns | --timeout | --tail | --rounds | --seconds | --namespace)
            i=$((i + 1)) ;;
        -*) ;;
        *)
            first=${first:-${COMP_WORDS[i]}}
            count=$((count + 1)) ;;
        esac
    done
    case $before in
    --token-file | --module)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return ;;
    --spill-dir)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return ;;
    --columns)
        compopt -o nospace 2>/dev/null
        [ "${word%,*}" = "$word" ] || chosen=${word%,*},
        mapfile -t COMPREPLY < <(compgen -W "$(_troupe_keys "$first" "$chosen" '')" -- "$word")
        return ;;
    --filter)
        compopt -o nospace 2>/dev/null
        [ "$verb" = list ] &&
            mapfile -t COMPREPLY < <(compgen -W "$(_troupe_keys "$first" '' =)" -- "$word")
        return ;;
    --address | --token | --bind | --port | --name | --cpus | --memory | --gpus | \
        --resource | --object-memory | --allow | --deny | --timeout | \
        --tail | --rounds | --seconds | --namespace)
        return ;;
    esac
    if [ "$verb" = run ] && [ "${word#-}" = "$word" ]; then
        compopt -o filenames 2>/dev/null
        if [ "$count" -eq 0 ]; then
            mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        return
    fi
    if [ "${word#-}" != "$word" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_troupe_options "$verb")" -- "$word")
        return
    fi
    [ "$verb.$count" = call.0 ] && compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(
        compgen -W "$(_troupe_operands "$verb" "$count" "$first" "$word")" -- "$word")
}

complete -F _troupe troupe
