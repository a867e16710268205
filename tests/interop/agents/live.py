"""Agents of the frameworks, and a shell script, before a gateway that runs already, for a person to decide by hand.

tests/interop/agents/live.py BINARY WORK [AGENT]... (run.sh BINARY live installs what it needs and runs it). It asks the gateway of
AEGIS_AGENT_SERVER with the token of AEGIS_AGENT_TOKEN_FILE. Every agent wants two refunds; as each comes to its end, what has
happened and what its model was told is printed. Ctrl-C ends them all.
"""

import os
import pathlib
import sys
import time
import types

from runs import AGENTS, Run

SCRIPT = '#!/bin/sh\n# Pays the money for an order back.\necho "$1" 12.50 >>refunds.txt\n'


class Script(Run):
    """The shell's way in, beside the agents: `ask … -- COMMAND`."""

    def __init__(self, binary, gateway, work, case, token):
        self.thread, self.orders, self.url, self.token, self.starts = f"shell-{case}", ["shell-1"], gateway.url, token, 0
        self.place = work / "runs" / self.thread
        self.place.mkdir(parents=True)
        (self.place / "refund.sh").write_text(SCRIPT)
        self.kind = types.SimpleNamespace(command=lambda thread, order: [
            str(binary), "ask", "--action", "refund", "--thread", thread, "--summary", "a script pays an order back", "--",
            "sh", "refund.sh", order])

    def told(self):
        return self.output().strip()


def main():
    binary, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    gateway = types.SimpleNamespace(url=os.environ.get("AEGIS_AGENT_SERVER", "http://127.0.0.1:8000"))
    token, case = pathlib.Path(os.environ["AEGIS_AGENT_TOKEN_FILE"]).resolve(), f"live-{int(time.time())}"
    running = [Script(binary, gateway, work, case, token)]
    for name in sys.argv[3:] or list(AGENTS):
        running.append(Run(name, gateway, work, case, orders=[f"{name}-1", f"{name}-2"], token=token))
    try:
        for run in running:
            run.start()
        print(f"{len(running)} agents ask at {gateway.url}; decide in: aegis-console review --token-file …/reviewer.token", flush=True)
        while running:
            time.sleep(0.2)
            for run in [run for run in running if run.process.poll() is not None]:
                running.remove(run)
                refunds = ", ".join(run.refunds()) or "nothing"
                print(f"\n{run.thread} has ended with {run.process.returncode}; it has refunded {refunds}", flush=True)
                print("  it was told: " + (run.told() or run.output().strip()).replace("\n", "\n  "), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        for run in running:
            if run.process.poll() is None:
                run.process.terminate()
    return 0 if not running else 1


if __name__ == "__main__":
    sys.exit(main())
