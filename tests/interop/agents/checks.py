"""Agents of published frameworks against a gateway: tests/interop/agents/checks.py BINARY WORK [AGENT]...

Each agent runs the code of its page (assets/ways), taken out of it, with a model that is a script: nothing but the model is
replaced, and nothing leaves this machine. Every check is run for every agent that is named, some at a time; each has a
directory of its own, and the lines of `refunds.txt` in it are what really happened. The last line of the output is
'N passed, N failed'.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pages  # noqa: E402
from gateway import Gateway, apart  # noqa: E402

BINARY, WORK = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
REASON = "not this customer: 'già rimborsato'"
# What may take its time on a machine that is busy, in seconds.
SOON = 60
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Kind:
    """An agent: its page, the program of this directory that runs it, and how it shows that time is over."""

    def __init__(self, page, program, timeout):
        self.page, self.program, self.timeout = page, program, timeout
        self.javascript = program.endswith(".mjs")

    def install(self, place, timeout=None):
        """Writes the page's files into a directory."""
        files, _ = pages.read(pages.WAYS / self.page)
        for name, text in files.items():
            if timeout and self.timeout in text:
                text = text.replace(self.timeout, timeout)
            (place / name).write_text(text)
        if self.javascript:
            (place / "node_modules").symlink_to(WORK / "node_modules")
            (place / self.program).write_text((HERE / self.program).read_text())

    def command(self, *arguments):
        if self.javascript:
            return ["node", self.program, *arguments]
        return [sys.executable, str(HERE / self.program), *arguments]


AGENTS = {
    "langgraph": Kind("langgraph.md", "langgraph_agent.py", 'timeout="20m"'),
    "pydantic-ai": Kind("pydantic-ai.md", "pydantic_ai_agent.py", 'timeout="20m"'),
    "openai-agents": Kind("openai-agents.md", "openai_agents_agent.py", 'timeout="10m"'),
    "langchain": Kind("langchain.md", "langgraph_agent.py", '"timeout": "10m"'),
    "langchain-js": Kind("langchain.md", "langchain_agent.mjs", 'timeout: "10m"'),
}


class Run:
    """One agent's run, in a directory of its own, however often its process is started."""

    def __init__(self, name, gateway, case, orders=None, timeout=None, token=None):
        self.kind, self.gateway = AGENTS[name], gateway
        self.thread = f"{name}-{case}"
        self.orders = orders or [f"order-of-{case}"]
        self.place = WORK / "runs" / self.thread
        self.place.mkdir(parents=True)
        self.kind.install(self.place, timeout and self.kind.timeout.replace("20m", timeout).replace("10m", timeout))
        self.token, self.starts = token or gateway.data / "agent.token", 0

    def start(self, **environment):
        self.starts += 1
        environment = apart({"AEGIS_AGENT_SERVER": self.gateway.url, "AEGIS_AGENT_TOKEN_FILE": str(self.token),
                             "HOME": str(self.place), "LANGSMITH_TRACING": "false", "PYTHONUNBUFFERED": "1", **environment})
        with open(self.place / f"output-{self.starts}", "wb") as output:
            self.process = subprocess.Popen(self.kind.command(self.thread, *self.orders), cwd=self.place, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def output(self):
        return (self.place / f"output-{self.starts}").read_text(errors="replace")

    def end(self, well=True):
        """Waits until it has ended."""
        try:
            code = self.process.wait(2 * SOON)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.thread} still runs:\n{self.output()}") from None
        assert (code == 0) == well, f"{self.thread} ended with {code}:\n{self.output()}"

    def again(self):
        self.start()
        self.end()

    def kill(self):
        self.process.kill()
        self.process.wait(SOON)

    def lines(self, file):
        path = self.place / file
        return path.read_text().splitlines() if path.exists() else []

    def refunds(self):
        """The orders for which the tool has run, each time that it has."""
        return [line.split()[0] for line in self.lines("refunds.txt")]

    def told(self):
        """All that the model has been told became of its calls."""
        return " || ".join(map(json.loads, self.lines("told.txt")))

    def asked(self, state=None):
        """What the gateway has of this run, as (what was sealed, its entry)."""
        found = []
        for one in [state] if state else ["pending", "approved", "rejected", "expired", "cancelled"]:
            entries = ((json.loads(entry["sealed"]), entry) for entry in self.gateway.actions(f"&state={one}"))
            found += [(sealed, entry) for sealed, entry in entries if sealed["thread_id"] == self.thread]
        return found

    def waits(self, count=1):
        """Waits until it waits for so many decisions; gives what was sealed, in the order of the run's orders."""
        def found():
            waiting = [sealed for sealed, _ in self.asked("pending")]
            return waiting if len(waiting) == count and self.kept() else None

        waiting = until(found, lambda: f"{self.thread} does not wait for {count}:\n{self.output()}", self.process)
        return sorted(waiting, key=lambda sealed: self.orders.index(sealed["payload"]["order"]))

    def kept(self):
        """Whether a kill would leave what the run needs to find again what it waits for; OpenAI's keeps it after it has asked."""
        return not self.thread.startswith("openai-agents") or (self.place / f"{self.thread}.json").exists()

    def decide(self, verdict, sealed=None, *flags, environment=None):
        """Decides as a reviewer does, on the digest of what waits."""
        if sealed is None:
            (sealed,) = self.waits()
        entry = self.gateway.entry(sealed["id"])
        command = self.gateway.deciding(verdict, sealed["id"], entry["digest"], REASON if verdict == "reject" else None, *flags)
        return subprocess.run(command, capture_output=True, text=True, env=apart(environment or {"HOME": str(self.place)}))

    def decided(self, verdict, sealed=None):
        done = self.decide(verdict, sealed)
        assert done.returncode == 0, f"decide: {done.returncode}\n{done.stdout}\n{done.stderr}"


def until(found, otherwise, process=None):
    """What `found` gives once it gives something; asked again and again."""
    end = time.monotonic() + 2 * SOON
    while time.monotonic() < end:
        if result := found():
            return result
        assert process is None or process.poll() is None, f"it has ended: {otherwise()}"
        time.sleep(0.1)
    raise AssertionError(otherwise())


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
    run = Run(name, gateway, "approved")
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
    run = Run(name, gateway, "denied")
    run.start()
    run.decided("reject")
    run.end()
    ended(run, [], REASON)
    once_more_changes_nothing(run, [])


@check
def silence_is_a_no(name, gateway):
    run = Run(name, gateway, "silence", timeout="2s")
    run.start()
    run.end()
    ended(run, [], "xpired")
    states = [entry["state"] for _, entry in run.asked()]
    assert states in (["expired"], ["cancelled"]), states


@check
def whoever_is_not_let_in_runs_nothing(name, gateway):
    wrong = WORK / f"wrong-{name}.token"
    wrong.write_text("aegis_agent_" + "0" * 64 + "\n")
    run = Run(name, gateway, "wrong", token=wrong)
    run.start()
    run.end()
    ended(run, [], "")
    assert run.told() and not run.asked(), run.output()


@check
def killed_while_it_waits_and_approved_meanwhile(name, gateway):
    run = Run(name, gateway, "killed-approved")
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
    run = Run(name, gateway, "killed-denied")
    run.start()
    (sealed,) = run.waits()
    run.kill()
    run.decided("reject", sealed)
    run.again()
    ended(run, [], REASON)
    once_more_changes_nothing(run, [])
    assert len(run.asked()) == 1


@check
def killed_while_the_tool_runs_it_is_not_run_again(name, gateway):
    run = Run(name, gateway, "killed-running")
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
            run = Run(name, gateway, f"both-killed-{verdict}")
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
            run.decided(verdict, sealed)
            run.end()
            if verdict == "approve":
                ended(run, run.orders, "refunded")
            else:
                ended(run, [], REASON)
    finally:
        gateway.stop()


@check
def of_two_calls_in_one_turn_one_is_denied(name, gateway):
    run = Run(name, gateway, "two", orders=["order-yes", "order-no"])
    run.start()
    # The recipes ask for all at once, and so do the frameworks for what a model calls in one turn.
    yes, no = run.waits(2)
    run.decided("approve", yes)
    run.decided("reject", no)
    run.end()
    # LangChain in JavaScript runs nothing of a turn in which one call is rejected, as the page says.
    ended(run, [] if name == "langchain-js" else ["order-yes"], REASON)
    taken = gateway.entry(yes["id"])["execution"]["state"]
    assert (taken == "waiting") == (name == "langchain-js"), taken


@check
def whoever_decides_is_killed_at_every_step(name, gateway):
    places = ["after recorded", "before sent", "after sent", "before ended", "after ended"]
    for verdict in ("approve", "reject"):
        # No more than LangGraph has threads for on a machine with one processor.
        run = Run(name, gateway, f"decider-{verdict}", orders=[f"killed-{place.replace(' ', '-')}" for place in places])
        run.start()
        for place, sealed in zip(places, run.waits(len(places))):
            journal = ["--journal", str(run.place / f"journal-{sealed['id']}")]
            killed = run.decide(verdict, sealed, *journal, environment={"AEGIS_CONSOLE_ABORT_AT": place})
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
