"""Agents of published frameworks against a gateway: tests/interop/agents/checks.py BINARY WORK [AGENT]...

Each agent runs the code of its page (assets/ways), taken out of it, with a model that is a script: nothing but the model is
replaced, and nothing leaves this machine. Every check is run for every agent that is named, some at a time; each has a
directory of its own, and the lines of `refunds.txt` in it are what really happened. The last line of the output is
'N passed, N failed'.
"""

import concurrent.futures
import functools
import http.server
import json
import pathlib
import socket
import subprocess
import sys
import threading
import traceback

import runs
from gateway import Gateway, apart
from runs import AGENTS, until

BINARY, WORK = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
REASON = "not this customer: 'già rimborsato'"
CHECKS = []
# A run of an agent: its name, the gateway, what is checked.
Run = functools.partial(runs.Run, work=WORK)


def check(function):
    CHECKS.append(function)
    return function


def ended(run, refunds, *words):
    """What must be true when a run is at its end: what has happened, and that the model knows."""
    assert run.refunds() == refunds, f"it has refunded {run.refunds()}, not {refunds}"
    for word in words:
        assert word in run.told(), f"the model was told {run.told()!r}, which has no {word!r}"


def once_more_changes_nothing(run, refunds):
    told = run.told()
    run.again()
    assert (run.refunds(), run.told()) == (refunds, told), f"started once more: {run.refunds()}, {run.told()}"
    assert not run.asked("pending"), "it asks again for what is at an end"


@check
def approved_runs_once_and_says_how_it_went(name, gateway):
    run = Run(name, gateway, case="approved")
    run.start()
    (sealed,) = run.waits()
    assert (sealed["action"], sealed["payload"]) == ("refund", {"order": run.orders[0], "amount": "12.50"}), sealed
    assert not run.refunds(), "it did not wait"
    run.decided("approve")
    run.end()
    ended(run, run.orders, "refunded 12.50 for order-of-approved")
    # The recipe for HumanInTheLoopMiddleware takes the approval and does not report, as its page says.
    state = "consumed" if name.startswith("langchain") else "succeeded"
    entry = gateway.entry(sealed["id"])
    assert (entry["state"], entry["execution"]["state"]) == ("approved", state), entry


@check
def denied_never_runs_and_the_reason_reaches_the_model(name, gateway):
    run = Run(name, gateway, case="denied")
    run.start()
    run.decided("reject", reason=REASON)
    run.end()
    ended(run, [], REASON)


@check
def silence_is_a_no(name, gateway):
    run = Run(name, gateway, case="silence", timeout="2s")
    run.start()
    run.end()
    ended(run, [], "xpired")
    states = [entry["state"] for _, entry in run.asked()]
    assert states in (["expired"], ["cancelled"]), states


class Nonsense(http.server.BaseHTTPRequestHandler):
    """Says yes to everything, and nothing that makes sense."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"id": "01a21f8e-389e-73c5-a901-d81e467df7ba", "status": "approved", "consumption": {}}')

    do_GET = do_DELETE = do_POST

    def log_message(self, *_):
        pass


@check
def without_a_gateway_that_lets_it_in_nothing_runs(name, gateway):
    wrong = WORK / f"wrong-{name}.token"
    wrong.write_text("aegis_agent_" + "0" * 64 + "\n")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as nonsense, socket.socket() as nobody:
        threading.Thread(target=nonsense.serve_forever, daemon=True).start()
        # A port that is taken and at which nobody listens.
        nobody.bind(("127.0.0.1", 0))
        begun = [
            Run(name, gateway, case="wrong-token", token=wrong),
            Run(name, gateway, case="nonsense", url=f"http://127.0.0.1:{nonsense.server_port}"),
            Run(name, gateway, case="nobody", url=f"http://127.0.0.1:{nobody.getsockname()[1]}"),
        ]
        for run in begun:
            run.start()
        for run in begun:
            run.end()
            assert run.told() and not run.refunds() and not run.asked(), f"{run.thread}: {run.refunds()}\n{run.output()}"
        nonsense.shutdown()


@check
def killed_while_it_waits_and_approved_meanwhile(name, gateway):
    run = Run(name, gateway, case="killed-approved")
    run.start()
    (sealed,) = run.waits()
    run.kill()
    run.decided("approve", sealed)
    assert not run.refunds()
    run.again()
    ended(run, run.orders, "refunded")
    once_more_changes_nothing(run, run.orders)
    assert len(run.asked()) == 1


@check
def killed_while_it_waits_and_denied_meanwhile(name, gateway):
    run = Run(name, gateway, case="killed-denied")
    run.start()
    (sealed,) = run.waits()
    run.kill()
    run.decided("reject", sealed, REASON)
    run.again()
    ended(run, [], REASON)
    once_more_changes_nothing(run, [])
    assert len(run.asked()) == 1


@check
def killed_while_the_tool_runs_it_is_not_run_again(name, gateway):
    run = Run(name, gateway, case="killed-running")
    run.start(AGENT_HANGS="1")
    run.decided("approve")
    until(run.refunds, lambda: f"the tool does not run:\n{run.output()}", run.process)
    run.kill()
    run.start()
    # The recipe for HumanInTheLoopMiddleware stops there, as its page says; the adapters tell the model.
    run.end(well=not name.startswith("langchain"))
    if name.startswith("langchain"):
        assert "killed while a tool ran" in run.output(), run.output()
    ended(run, run.orders, *([] if name.startswith("langchain") else ["already attempted"]))


@check
def agent_and_gateway_are_killed_while_it_waits(name, _):
    gateway = Gateway(BINARY, WORK / f"gateway-of-{name}")
    try:
        for verdict in ("approve", "reject"):
            run = Run(name, gateway, case=f"both-killed-{verdict}")
            run.start()
            (sealed,) = run.waits()
            run.kill()
            until(lambda: gateway.held() == 0, lambda: "the gateway holds a call of an agent that is gone")
            # Started again before anybody has decided, it waits for the very same request,
            run.start()
            until(lambda: gateway.held() == 1, lambda: f"it does not wait again:\n{run.output()}", run.process)
            # also at a gateway that is killed meanwhile.
            gateway.kill()
            gateway.start()
            until(lambda: gateway.held() == 1, lambda: f"it does not go on:\n{run.output()}", run.process)
            assert [one["id"] for one, _ in run.asked()] == [sealed["id"]]
            run.decided(verdict, sealed, REASON if verdict == "reject" else None)
            run.end()
            if verdict == "approve":
                ended(run, run.orders, "refunded")
            else:
                ended(run, [], REASON)
    finally:
        gateway.stop()


@check
def of_two_calls_in_one_turn_one_is_denied(name, gateway):
    run = Run(name, gateway, case="two", orders=["order-yes", "order-no"])
    run.start()
    # The recipes ask for all at once, and so do the frameworks for what a model calls in one turn.
    yes, no = run.waits(2)
    run.decided("approve", yes)
    run.decided("reject", no, REASON)
    run.end()
    # LangChain in JavaScript runs nothing of a turn in which one call is rejected, as the page says.
    ended(run, [] if name == "langchain-js" else ["order-yes"], REASON)
    taken = gateway.entry(yes["id"])["execution"]["state"]
    assert (taken == "waiting") == (name == "langchain-js"), taken


@check
def whoever_decides_is_killed_at_every_step(name, gateway):
    places = ["after recorded", "before sent", "after sent", "before ended", "after ended"]
    for verdict, reason in (("approve", None), ("reject", REASON)):
        # No more than LangGraph has threads for on a machine with one processor.
        run = Run(name, gateway, case=f"decider-{verdict}", orders=[f"killed-{place.replace(' ', '-')}" for place in places])
        run.start()
        for place, sealed in zip(places, run.waits(len(places))):
            journal = ["--journal", str(run.place / f"journal-{sealed['id']}")]
            killed = run.decide(verdict, sealed, reason, *journal, environment={"AEGIS_CONSOLE_ABORT_AT": place})
            assert killed.returncode < 0, f"it was not killed {place}: {killed.returncode} {killed.stderr}"
            as_reviewer = ["--server", gateway.url, "--token-file", str(gateway.data / "reviewer.token")]
            resumed = subprocess.run([str(BINARY), "resume", *journal, *as_reviewer], capture_output=True, text=True, env=apart())
            assert resumed.returncode == 0, f"resumed {place}: {resumed.returncode}\n{resumed.stdout}{resumed.stderr}"
        run.end()
        assert sorted(run.refunds()) == (sorted(run.orders) if verdict == "approve" else []), run.refunds()
        assert run.told().count("refunded" if verdict == "approve" else REASON) == len(places), run.told()


# Once is enough for what is the console's own part: it does not depend on who asks.
ONCE = {"whoever_decides_is_killed_at_every_step"}


def nothing_ran_that_nobody_allowed(gateway):
    """All that has happened, against what the gateway has on record: once for each approval, and never without."""
    ran = [line for file in sorted((WORK / "runs").glob("*/refunds.txt")) for line in
           (f"{file.parent.name} {line}" for line in file.read_text().splitlines())]
    assert ran and len(ran) == len(set(ran)), ran
    approved = {json.loads(entry["sealed"])["thread_id"]: entry for entry in gateway.actions("&state=approved")}
    for thread in {line.split()[0] for line in ran if "both-killed" not in line}:
        assert approved[thread]["execution"]["state"] != "waiting", (thread, approved.get(thread))


def main():
    names = sys.argv[3:] or list(AGENTS)
    failed = count = 0
    gateway = Gateway(BINARY, WORK / "gateway")
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
            began = {}
            for function in CHECKS:
                for name in names[:1] if function.__name__ in ONCE else names:
                    began[pool.submit(function, name, gateway)] = f"{name}: {function.__name__}"
            for future in concurrent.futures.as_completed(began):
                count += 1
                failed += report(began[future], future.exception())
        count += 1
        try:
            nothing_ran_that_nobody_allowed(gateway)
            report("nothing_ran_that_nobody_allowed", None)
        except Exception as error:  # noqa: BLE001
            failed += report("nothing_ran_that_nobody_allowed", error)
    finally:
        gateway.stop()
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed else 0


def report(name, error):
    print(f"{'FAIL' if error else 'ok  '}  {name}", flush=True)
    if error:
        traceback.print_exception(error, file=sys.stdout)
    return 1 if error else 0


if __name__ == "__main__":
    sys.exit(main())
