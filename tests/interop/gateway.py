"""A gateway of its own for checks, run from the binary, and how a reviewer of it decides.

Owns starting it on a free port with its data in a fresh directory, ending it (well or with SIGKILL) and starting it anew on
the same port and data; the queue, and deciding by `aegis-console decide`. Needs nothing but Python's own library, so
that it can be used where no package can be had. It must not know what is checked.
"""

import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.request

# Loopback is never called through a proxy, whatever the environment says.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Gateway:
    """`aegis-console serve`, with what it was started with."""

    def __init__(self, binary, data, *flags):
        self.binary, self.data, self.flags = str(binary), pathlib.Path(data), flags
        self.url = None
        self.start()

    def start(self):
        """Starts it: on a free port the first time, afterwards where it was before."""
        listen = self.url.removeprefix("http://") if self.url else "127.0.0.1:0"
        command = [self.binary, "serve", "--listen", listen, "--data", str(self.data), *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        assert first.startswith("listening on "), f"serve said {first!r}"
        self.url = first.split()[-1]

    def token(self, role):
        return (self.data / f"{role}.token").read_text().strip()

    def read(self, path, role="reviewer"):
        """What it answers to a GET."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token(role)}"})
        with DIRECT.open(request, timeout=30) as answer:
            return answer.read().decode()

    def get(self, path, role="reviewer"):
        return json.loads(self.read(path, role))

    def held(self):
        """How many calls it holds until there is a decision."""
        (line,) = (line for line in self.read("/metrics").splitlines() if line.startswith("aegis_gateway_waiting_calls "))
        return int(line.split()[1])

    def actions(self, query=""):
        return self.get(f"/api/v1/hitl/actions?limit=500{query}")["actions"]

    def waiting(self):
        """Every action that waits, as (what was sealed, its digest)."""
        return [(json.loads(entry["sealed"]), entry["digest"]) for entry in self.actions("&state=pending")]

    def pending(self, tool, within=30.0):
        """The one action of that tool that waits; asked for until it is there."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            for sealed, digest in self.waiting():
                if sealed["action"] == tool:
                    return sealed, digest
            time.sleep(0.02)
        raise AssertionError(f"no {tool} in the queue within {within} s")

    def entry(self, action_id):
        return self.get(f"/api/v1/hitl/actions/{action_id}")

    def deciding(self, verdict, action_id, digest, reason=None, *more):
        """The command line of a reviewer who decides on the digest of what waits."""
        command = [self.binary, "decide", verdict, action_id, "--digest", digest, "--server", self.url,
                   "--token-file", str(self.data / "reviewer.token"), *more]
        return command + (["--reason", reason] if reason else [])

    def decide(self, verdict, tool, reason=None):
        """Decides on the one action of that tool that waits."""
        sealed, digest = self.pending(tool)
        done = subprocess.run(self.deciding(verdict, sealed["id"], digest, reason), capture_output=True, text=True)
        assert done.returncode == 0, f"decide: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return sealed

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, "serve did not stop well"

    def kill(self):
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait(30)


def apart(environment=None):
    """An environment in which nothing of the machine's user is found or changed, and nothing is sent through a proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", **(environment or {})}


def meanwhile(function, *arguments):
    """Runs the function beside the check; `join` gives its result or its error."""
    result = {}

    def run():
        try:
            result["value"] = function(*arguments)
        except BaseException as error:  # noqa: BLE001
            result["error"] = error

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join(60)
        assert not thread.is_alive(), "still running after 60 s"
        if "error" in result:
            raise result["error"]
        return result["value"]

    return join
