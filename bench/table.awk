##  table.awk - turns the results of bench/run into one table
##
##  Input, fields separated by tabs:
##      round  program  side  ok       JSON line
##      round  program  side  failed   reason
##      round  program  side  skipped  reason

BEGIN {
    FS = "\t"
    # row(key, program, label, unit, field, kind of budget, bound, base): the base is
    # what the row is compared with, "KEY SIDE", by default the same of the raw twin
    row("task_rate", "task_rate", "tasks, pipelined", "/s", "value", "ratio>=", 1.0)
    row("call_rate", "call_rate", "actor calls, pipelined", "/s", "value", "ratio>=", 0.5)
    row("task_latency", "task_latency", "a task waited for, p50", "us", "p50", "ratio<=", 1.3)
    row("task_latency", "task_latency", "  p99", "us", "p99")
    row("call_latency", "call_latency", "a call waited for, p50", "us", "p50", "ratio<=", 1.5)
    row("call_latency", "call_latency", "  p99", "us", "p99")
    row("startup", "startup", "up, first task answered", "ms", "value", "<=", 50)
    row("memory_head", "memory", "head and node, idle", "MB", "value", "<=", 20)
    row("memory_worker", "memory", "one worker, idle", "MB", "value", "<=", 9)
    row("memory_actor", "actors", "one actor, idle", "kB", "value", "<=", 45)
    row("queued_memory", "queued", "a queued task", "bytes", "value", "<=", 250)
    row("queued_rate", "queued", "queued tasks, drained", "/s", "value")
    row("queued_rate", "queued", "  beside pipelined", "/s", "value", "ratio>=", 1.0,
        "task_rate troupe")
    row("actors_alive", "actors", "actors alive", "", "value", ">=", 5000)
    row("actors_limit", "actors", "actors at the limit", "", "value")
    row("actors_rate", "actors", "a call to each actor", "/s", "value")
    row("task_sleeps", "wake", "sleeps a task waited for", "", "value")
    row("call_sleeps", "wake", "sleeps a call waited for", "", "value")
    row("put_100m_warm", "object_put", "put of 100 MB, warm", "GB/s", "value", "ratio>=", 0.8)
    row("put_100m_cold", "object_put", "  cold", "GB/s", "value")
    row("put_1g_warm", "object_put", "put of 1 GB, warm", "GB/s", "value", "ratio>=", 0.8)
    row("put_1g_cold", "object_put", "  cold", "GB/s", "value")
    row("get_1k", "object_get", "get of 1 kB, p50", "us", "p50")
    row("get_1m", "object_get", "get of 1 MB, p50", "us", "p50")
    row("get_100m", "object_get", "get of 100 MB, p50", "us", "p50", "ratio<=", 0.1)
    row("get_1g", "object_get", "get of 1 GB, p50", "us", "p50", "ratio<=", 0.01)
    row("get_1g", "object_get", "  beside 1 MB", "us", "p50", "ratio<=", 5, "get_1m troupe")
    row("readers_memory", "object_get", "1 GB and ten readers", "MB", "value", "<=", 1300)
    row("many_gets", "object_many", "10,000 gets, each", "us", "value")
    row("many_gets", "object_many", "  of 1,000, each", "us", "at_a_tenth_us")
    row("many_arguments", "object_many", "10,000 arguments, each", "us", "value")
    row("many_arguments", "object_many", "  of 1,000, each", "us", "at_a_tenth_us")
    row("many_returns", "object_many", "3,000 returns, each", "us", "value")
    row("many_waits", "object_many", "1,000 waits of 1,000", "us", "value")
    row("many_waits", "object_many", "  100 of 100", "us", "at_a_tenth_us")
    row("spill_put", "object_spill", "4 GB into 1 GB", "MB/s", "value")
    row("spill_get", "object_spill", "  read back and compared", "MB/s", "value")
    row("wordfreq_sequential", "wordfreq", "100 MB of words, one core", "ms", "value", "ratio<=", 1.1)
    row("wordfreq_tasks", "wordfreq", "  as tasks, two workers", "ms", "value", "ratio<=", 1.25)
    row("wordfreq_actors", "wordfreq", "  as actors, two workers", "ms", "value", "ratio<=", 1.25)
    row("transfer_plain", "transfer", "1 GB to another node", "GB/s", "value", "ratio>=", 0.8)
    row("transfer_plain", "transfer", "  beside plain TCP", "GB/s", "value", "", 0,
        "transfer_tcp raw")
    row("transfer_plain", "transfer", "  into new memory", "GB/s", "first")
    row("transfer_curve", "transfer", "  with CURVE", "GB/s", "value", "ratio>=", 0.8)
    row("broadcast_tree", "broadcast", "100 MB to 8 nodes at once", "GB/s", "value", "", 0,
        "broadcast_sequential troupe")
    row("far_task_rate_1", "cluster", "tasks on 1 node", "/s", "value")
    row("far_task_rate_2", "cluster", "  on 2, beside 1", "/s", "value", "", 0,
        "far_task_rate_1 troupe")
    row("far_task_rate_4", "cluster", "  on 4, beside 1", "/s", "value", "", 0,
        "far_task_rate_1 troupe")
    row("far_call_rate", "cluster", "actor calls between nodes", "/s", "value")
    row("far_call_latency", "cluster", "  one waited for, p50", "us", "p50")
    row("far_chain", "cluster", "10 in a chain, 5 ms away", "ms", "value", "<=", 15)
    row("far_join", "cluster", "a node joins", "ms", "value")
    row("far_node_memory", "cluster", "a node's daemon, idle", "MB", "value")
    row("far_head_actors", "cluster", "1,000 idle, at the head", "kB", "value")
}

function row(key, program, label, unit, field, kind, bound, base,    words)
{
    rows++
    row_key [rows] = key
    row_program [rows] = program
    row_label [rows] = label
    row_unit [rows] = unit
    row_field [rows] = field
    row_kind [rows] = kind
    row_bound [rows] = bound
    split(base ? base : key " raw", words, " ")
    row_base_key [rows] = words [1]
    row_base_side [rows] = words [2]
}

# The value of a field of a flat JSON object, "" if it has none.
function field(json, name,    at, rest)
{
    at = index (json, "\"" name "\":")
    if (!at)
        return ""
    rest = substr (json, at + length (name) + 3)
    if (substr (rest, 1, 1) == "\"") {
        rest = substr (rest, 2)
        match (rest, /([^"\\]|\\.)*/)
        return substr (rest, 1, RLENGTH)
    }
    match (rest, /[-+.0-9e]+/)
    return substr (rest, 1, RLENGTH)
}

{
    if ($1 > rounds)
        rounds = $1
    ran [$2] = 1
    if ($4 == "ok")
        result [field($5, "bench"), field($5, "side"), $1] = $5
    else if ($4 == "skipped")
        skipped [$2] = $5
    else {
        failures [$2, $3]++
        failure_count++
        failure_text [failure_count] = "round " $1 ", " $3 " " $2 ": " $5
    }
}

# Sorts list [1..count]; the counts are small.
function sort(list, count,    i, j, held)
{
    for (i = 2; i <= count; i++) {
        held = list [i]
        for (j = i - 1; j >= 1 && list [j] > held; j--)
            list [j + 1] = list [j]
        list [j + 1] = held
    }
}

function median(list, count)
{
    if (count % 2)
        return list [(count + 1) / 2]
    return (list [count / 2] + list [count / 2 + 1]) / 2
}

function short(value)
{
    if (value >= 1e6)
        return sprintf ("%.2fM", value / 1e6)
    if (value >= 1e4)
        return sprintf ("%.0fk", value / 1e3)
    if (value >= 1000)
        return sprintf ("%.0f", value)
    return sprintf ("%.3g", value)
}

# "median(min-max)" of list [1..count].
function spread(list, count)
{
    if (count == 0)
        return "-"
    sort(list, count)
    if (short(list [1]) == short(list [count]))
        return short(median(list, count))
    return short(median(list, count)) " (" short(list [1]) "-" short(list [count]) ")"
}

# Fills list with the values of a field, a round each; returns how many.
function values(key, side, name, list,    round, count, text)
{
    count = 0
    for (round = 1; round <= rounds; round++) {
        text = field(result [key, side, round], name)
        if (text != "")
            list [++count] = text + 0
    }
    return count
}

# Fills list with the ratios of two values of the same round.
function ratios(key, side, name, base_key, base_side, list,    round, count, above, below)
{
    count = 0
    for (round = 1; round <= rounds; round++) {
        above = field(result [key, side, round], name)
        below = field(result [base_key, base_side, round], name)
        if (above != "" && below + 0 > 0)
            list [++count] = above / below
    }
    return count
}

function budget_text(number,    kind, bound)
{
    kind = row_kind [number]
    bound = row_bound [number]
    if (kind == "ratio>=")
        return sprintf ("at least %g x", bound)
    if (kind == "ratio<=")
        return sprintf ("at most %g x", bound)
    if (kind == ">=")
        return "at least " bound
    return kind == "<=" ? "at most " bound " " row_unit [number] : ""
}

# Whether the budget is met; own and ratio are sorted lists.
function verdict(number, own, own_count, ratio, ratio_count,    kind, bound, value)
{
    kind = row_kind [number]
    bound = row_bound [number]
    if (kind == "")
        return ""
    if (own_count == 0 || (kind ~ /^ratio/ && ratio_count == 0))
        return "unknown"
    value = kind ~ /^ratio/ ? median(ratio, ratio_count) : median(own, own_count)
    if (kind ~ />=$/)
        return value >= bound ? "met" : "missed"
    return value <= bound ? "met" : "missed"
}

# The values of one side, or that the program did not bring one each round.
function side_text(program, side, list, count)
{
    if (failures [program, side] && count < rounds)
        return "failed " rounds - count " of " rounds
    return spread(list, count)
}

function print_row(number,    own, base, ratio, own_count, base_count, ratio_count, program,
                    base_key, base_side, name, text)
{
    program = row_program [number]
    base_key = row_base_key [number]
    base_side = row_base_side [number]
    name = row_field [number]
    own_count = values(row_key [number], "troupe", name, own)
    base_count = values(base_key, base_side, name, base)
    ratio_count = ratios(row_key [number], "troupe", name, base_key, base_side, ratio)
    sort(own, own_count)
    sort(ratio, ratio_count)
    text = side_text(program, "troupe", own, own_count)
    printf "%-25s %-5s  %-21s  %-21s  %-19s  %-16s  %s\n", row_label [number], row_unit [number],
        text, side_text(program, base_side, base, base_count), spread(ratio, ratio_count),
        budget_text(number),
        text ~ /^failed/ ? "failed" : verdict(number, own, own_count, ratio, ratio_count)
}

# The rows that could not be measured here, together if it is for the same reason.
function print_skipped(    number, reason, label, labels)
{
    for (number = 1; number <= rows; number++) {
        if (!(row_program [number] in skipped))
            continue
        reason = skipped [row_program [number]]
        label = row_label [number]
        sub(/^ +/, "", label)
        labels [reason] = labels [reason] (labels [reason] ? "; " : "") label
    }
    for (reason in labels)
        print "\nNot measured, as " reason ":\n" labels [reason]
}

END {
    printf "%-25s %-5s  %-21s  %-21s  %-19s  %-16s\n", "what", "unit", "Troupe",
        "beside it", "ratio", "budget"
    for (number = 1; number <= rows; number++)
        if (row_program [number] in ran && !(row_program [number] in skipped))
            print_row(number)
    print_skipped()
    limit = field(result ["actors_limit", "troupe", rounds], "error")
    gsub(/\\"/, "\"", limit)
    if (limit != "")
        print "\nThe first actor over the limit: " limit
    if (failure_count)
        print ""
    for (i = 1; i <= failure_count; i++)
        print "FAILED: " failure_text [i]
    exit failure_count > 0
}
