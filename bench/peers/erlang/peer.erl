%%  peer.erl - Erlang's side of bench/compare: nodes that work, a node that
%%  measures a step, and where they find each other's ports

-module(compare_peer).
-behaviour(gen_server).
-compile([nowarn_export_all, export_all]).

-define(TASKS, 10000).
-define(EACH, 5000).
-define(QUEUED, 200000).
-define(ACTORS, 1000).

%%  ------------------------------------------------------------------------
%%  Ports without epmd

start_link() -> ignore.
register_node(_Name, _Port) -> {ok, 1}.
register_node(_Name, _Port, _Family) -> {ok, 1}.
names(_Host) -> {error, address}.
listen_port_please(_Name, _Host) -> {ok, list_to_integer(os:getenv("COMPARE_OWN_PORT", "0"))}.
address_please(Name, _Host, _Family) -> {ok, {127, 0, 0, 1}, port_of(Name), 5}.
port_please(Name, _Host) -> {port, port_of(Name), 5}.
port_please(Name, _Host, _Timeout) -> port_please(Name, _Host).

port_of("w" ++ Number) ->
    Ports = string:lexemes(os:getenv(os:getenv("COMPARE_WAY", "COMPARE_PORTS")), " "),
    list_to_integer(lists:nth(list_to_integer(Number) + 1, Ports)).

%%  ------------------------------------------------------------------------
%%  Workers

worker() -> ok.

noop() -> ok.

init(_) -> {ok, 0}.
handle_call(noop, _From, State) -> {reply, ok, State};
handle_call({next, Number}, _From, State) -> {reply, Number + 1, State}.
handle_cast(_, State) -> {noreply, State}.

spawn_server() ->
    {ok, Pid} = gen_server:start(?MODULE, [], []),
    Pid.

caller(Driver, Servers) ->
    receive run -> ok end,
    many_calls(Servers, ?EACH),
    Driver ! {ran, self()},
    caller(Driver, Servers).

many_calls(Servers, Count) ->
    Ring = list_to_tuple(Servers),
    Requests = [gen_server:send_request(element(I rem tuple_size(Ring) + 1, Ring), noop)
                || I <- lists:seq(1, Count)],
    [{reply, ok} = gen_server:receive_response(Request, 20000) || Request <- Requests],
    ok.

%%  Works off its mailbox once it is let.
queue() ->
    receive open -> queue_open() end.
queue_open() ->
    receive {task, From, Number} -> From ! {done, Number}, queue_open() end.

%%  ------------------------------------------------------------------------
%%  What is said

say(Row, Value) -> io:format("{\"row\":\"~s\",\"value\":~w}~n", [Row, float(Value)]).
say(Row, Value, Note) ->
    io:format("{\"row\":\"~s\",\"value\":~w,\"note\":\"~s\"}~n", [Row, float(Value), Note]).
skip(Row, Why) -> io:format("{\"skip\":\"~s\",\"why\":\"~s\"}~n", [Row, Why]).
ask(Format, Arguments) ->
    io:format(Format ++ "~n", Arguments),
    "done" ++ _ = io:get_line("").

wanted(Row) -> lists:member(Row, string:lexemes(os:getenv("COMPARE_ROWS", ""), ",")).

seconds(Function) ->
    Begin = erlang:monotonic_time(nanosecond),
    Function(),
    (erlang:monotonic_time(nanosecond) - Begin) / 1.0e9.

latency(Row, Function, Count, Note) ->
    case wanted(Row) of
        true ->
            [Function() || _ <- lists:seq(1, Count div 10 + 1)],
            Samples = lists:sort([seconds(Function) || _ <- lists:seq(1, Count)]),
            say(Row, lists:nth(Count div 2 + 1, Samples) * 1.0e6, Note);
        false -> ok
    end.

rate(Row, Function, Count, Note) ->
    case wanted(Row) of
        true ->
            Function(),
            [say(Row, Count / seconds(Function), Note) || _ <- lists:seq(1, 3)];
        false -> ok
    end.

%%  ------------------------------------------------------------------------
%%  Steps

main([Step]) ->
    Nodes = [list_to_atom("w" ++ integer_to_list(I) ++ "@127.0.0.1")
             || I <- lists:seq(0, list_to_integer(os:getenv("COMPARE_WORKERS")) - 1)],
    try
        connect(hd(Nodes), 2000),
        erpc:call(hd(Nodes), ?MODULE, noop, []),
        started(atom_to_list(Step)),
        [connect(Node, 2000) || Node <- Nodes],
        step(atom_to_list(Step), Nodes),
        halt(0)
    catch
        Class:Reason:Stack ->
            io:format(standard_error, "~p: ~p ~p~n", [Class, Reason, Stack]),
            halt(1)
    end.

started("start") -> io:format("{\"answered\":\"startup\"}~n");
started(_) -> ok.

connect(Node, 0) -> error({no_node, Node});
connect(Node, Tries) ->
    case net_kernel:connect_node(Node) of
        true -> ok;
        _ -> timer:sleep(5), connect(Node, Tries - 1)
    end.

step("start", Nodes) ->
    Pids = [erpc:call(Node, os, getpid, []) || Node <- Nodes],
    ask("{\"measure\":\"memory_idle\"}", []),
    ask("{\"measure\":\"memory_worker\",\"pids\":[~s]}", [lists:join(",", Pids)]);
step("calls", Nodes) ->
    Task = "erpc, which starts a process for each task",
    Ring = list_to_tuple(Nodes),
    latency("task_latency", fun() -> erpc:call(hd(Nodes), ?MODULE, noop, []) end, 2000, Task),
    rate("task_rate", fun() -> many_tasks(Ring) end, ?TASKS, Task),
    Servers = [erpc:call(Node, ?MODULE, spawn_server, []) || Node <- Nodes],
    Call = "gen_server on another node",
    latency("call_latency", fun() -> gen_server:call(hd(Servers), noop) end, 2000, Call),
    rate("call_rate", fun() -> many_calls([hd(Servers)], ?TASKS) end, ?TASKS, Call),
    Callers = [spawn(Node, ?MODULE, caller, [self(), Servers]) || Node <- Nodes],
    rate("call_nn", fun() -> meet(Callers) end, ?EACH * length(Nodes), Call);
step("chain", Nodes) -> chains("chain_10", "chain_50", Nodes, 500);
step("far", Nodes) -> chains("far_10", "far_50", Nodes, 10);
step("queued", Nodes) ->
    Queues = [spawn(Node, ?MODULE, queue, []) || Node <- Nodes],
    Ring = list_to_tuple(Queues),
    [element(I rem tuple_size(Ring) + 1, Ring) ! {task, self(), I} || I <- lists:seq(1, ?QUEUED)],
    Time = seconds(fun() ->
        [Queue ! open || Queue <- Queues],
        collect(?QUEUED)
    end),
    say("queued", ?QUEUED / Time, "200,000 messages in the mailboxes of processes");
step("actors", Nodes) ->
    Ring = list_to_tuple(Nodes),
    ask("{\"measure\":\"before\"}", []),
    Time = seconds(fun() ->
        Requests = [erpc:send_request(element(I rem tuple_size(Ring) + 1, Ring), ?MODULE,
                                      spawn_server, []) || I <- lists:seq(1, ?ACTORS)],
        many_calls([erpc:receive_response(Request) || Request <- Requests], ?ACTORS)
    end),
    say("spawn", ?ACTORS / Time),
    ask("{\"measure\":\"memory_actor\",\"since\":\"before\",\"count\":1000}", []);
step("objects", _) ->
    [skip(Row, "no store of values: they are copied into messages")
     || Row <- ["put_1k", "get_1k", "put_100m", "get_100m"]];
step("words", _) -> skip("words", "not written");
step("grain", _) ->
    [skip(Row, "the work is in C") || Row <- ["grain_1ms", "grain_100us", "grain_10us",
                                              "grain_1us"]].

many_tasks(Ring) ->
    Requests = [erpc:send_request(element(I rem tuple_size(Ring) + 1, Ring), ?MODULE, noop, [])
                || I <- lists:seq(1, ?TASKS)],
    [ok = erpc:receive_response(Request) || Request <- Requests].

meet(Callers) ->
    [Caller ! run || Caller <- Callers],
    [receive {ran, Caller} -> ok end || Caller <- Callers].

collect(0) -> ok;
collect(Count) -> receive {done, _} -> collect(Count - 1) end.

chains(Row10, Row50, Nodes, Count) ->
    Note = "no futures: each call is waited for",
    [First, Second | _] = [erpc:call(Node, ?MODULE, spawn_server, []) || Node <- Nodes ++ Nodes],
    latency(Row10, fun() -> 10 = chain(First, Second, 10, 0) end, Count, Note),
    latency(Row50, fun() -> 50 = chain(First, Second, 50, 0) end, Count div 2, Note).

chain(_, _, 0, Number) -> Number;
chain(First, Second, Left, Number) ->
    chain(Second, First, Left - 1, gen_server:call(First, {next, Number})).
