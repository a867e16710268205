"""An agent of a page, and one run of it: in a directory of its own, however often its process is started or killed.

Owns writing the page's code there, starting the program of this directory that runs it, and looking at what it did, what its
model was told, and what the gateway has of it. It must not know what is checked.
"""

import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pages  # noqa: E402
from gateway import apart  # noqa: E402

# What one step may take, in seconds. Far more than any needs: a machine that is busy may take minutes to start Python.
SOON = 300


class Kind:
    """An agent: its page, the program of this directory that runs it, and how the page says by when to decide."""

    def __init__(self, page, program, timeout):
        self.page, self.program, self.timeout = page, program, timeout
        self.javascript = program.endswith(".mjs")

    def install(self, place, work, timeout=None):
        """Writes the page's files into a directory; with another timeout in place of the page's."""
        files, _ = pages.read(pages.WAYS / self.page)
        if timeout:
            assert any(self.timeout in text for text in files.values()), f"{self.page} has no {self.timeout}"
            other = self.timeout.replace("20m", timeout).replace("10m", timeout)
            files = {name: text.replace(self.timeout, other) for name, text in files.items()}
        for name, text in files.items():
            (place / name).write_text(text)
        if self.javascript:
            (place / "node_modules").symlink_to(work / "node_modules")
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

    def __init__(self, name, gateway, work, case, orders=None, timeout=None, token=None, url=None):
        self.kind, self.gateway = AGENTS[name], gateway
        self.thread = f"{name}-{case}"
        self.orders = orders or [f"order-of-{case}"]
        self.place = work / "runs" / self.thread
        self.place.mkdir(parents=True)
        self.kind.install(self.place, work, timeout)
        self.token, self.url, self.starts = token or gateway.data / "agent.token", url or gateway.url, 0

    def start(self, **environment):
        self.starts += 1
        environment = apart({"AEGIS_AGENT_SERVER": self.url, "AEGIS_AGENT_TOKEN_FILE": str(self.token),
                             "HOME": str(self.place), "LANGSMITH_TRACING": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1", **environment})
        with open(self.place / f"output-{self.starts}", "wb") as output:
            self.process = subprocess.Popen(self.kind.command(self.thread, *self.orders), cwd=self.place, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def output(self):
        return (self.place / f"output-{self.starts}").read_text(errors="replace")

    def end(self, well=True):
        """Waits until it has ended."""
        try:
            code = self.process.wait(SOON)
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

    def decide(self, verdict, sealed=None, reason=None, *flags, environment=None):
        """Decides as a reviewer does, on the digest of what waits."""
        if sealed is None:
            (sealed,) = self.waits()
        entry = self.gateway.entry(sealed["id"])
        command = self.gateway.deciding(verdict, sealed["id"], entry["digest"], reason, *flags)
        return subprocess.run(command, capture_output=True, text=True, env=apart(environment or {"HOME": str(self.place)}))

    def decided(self, verdict, sealed=None, reason=None):
        done = self.decide(verdict, sealed, reason)
        assert done.returncode == 0, f"decide: {done.returncode}\n{done.stdout}\n{done.stderr}"


def until(found, otherwise, process=None):
    """What `found` gives once it gives something; asked again and again."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        if result := found():
            return result
        assert process is None or process.poll() is None, f"it has ended: {otherwise()}"
        time.sleep(0.1)
    raise AssertionError(otherwise())
