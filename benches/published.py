"""Approvals a second: 'decide --batch' with its journal beside the published client. Run by published.sh.

Each run has a gateway of its own with an empty database, and ends only when every approval was accepted: an approval that
is lost, or doubled, ends the comparison with an error.
"""

import asyncio
import json
import pathlib
import subprocess
import sys
import time

from aegis_hitl import AegisClient

BINARY, WORK, COUNT = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])


class Gateway:
    """'serve' on a free port, with its data in a fresh directory."""

    def __init__(self, name):
        self.data = WORK / name
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        assert first.startswith("listening on "), f"serve said {first!r}"
        self.url = first.split()[-1]
        self.token_file = self.data / "reviewer.token"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)


async def published(gateway, in_flight):
    """Every approval through one client, as its README has it."""
    room = asyncio.Semaphore(in_flight)
    token = gateway.token_file.read_text().strip()
    async with AegisClient(base_url=gateway.url, api_key=token, thread_id="bench") as client:

        async def one(number):
            async with room:
                return (await client.approve(f"bench-{number}", payload={"number": number})).status_code

        started = time.monotonic()
        answers = await asyncio.gather(*(one(number) for number in range(COUNT)))
        took = time.monotonic() - started
    assert answers == [202] * COUNT, f"{sum(answer != 202 for answer in answers)} were not accepted"
    return took


def ours(gateway, in_flight):
    """The whole command, from its start to its exit."""
    batch, journal = WORK / f"batch-{in_flight}.jsonl", WORK / f"journal-{in_flight}.db"
    with batch.open("w") as lines:
        for number in range(COUNT):
            line = {"key": f"bench-{number}", "thread": "bench", "decision": "approve", "payload": {"number": number}}
            lines.write(json.dumps(line) + "\n")
    command = [BINARY, "decide", "--batch", str(batch), "--concurrency", str(in_flight), "--json"]
    command += ["--journal", str(journal), "--server", gateway.url, "--token-file", str(gateway.token_file)]
    started = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    took = time.monotonic() - started
    outcomes = {}
    for line in map(json.loads, run.stdout.splitlines()):
        if line["event"] == "outcome":
            assert line["key"] not in outcomes, f"two outcomes of {line['key']}"
            outcomes[line["key"]] = line["outcome"]
    good = sum(outcome in ("accepted", "committed") for outcome in outcomes.values())
    assert good == COUNT, f"{COUNT - good} were not accepted"
    return took


def show(name, took):
    print(f"{name:<44}{took:8.2f} s{COUNT / took:10.0f} a second", flush=True)


def main():
    print(f"{COUNT} approvals, each of another action, 'serve' on this machine")
    theirs, mine = {}, {}
    for in_flight in (16, 64):
        with Gateway(f"theirs-{in_flight}") as gateway:
            theirs[in_flight] = asyncio.run(published(gateway, in_flight))
        show(f"published client, {in_flight} in flight", theirs[in_flight])
        with Gateway(f"ours-{in_flight}") as gateway:
            mine[in_flight] = ours(gateway, in_flight)
        show(f"decide --batch --concurrency {in_flight}, journal on", mine[in_flight])
    for in_flight in (16, 64):
        print(f"{in_flight} in flight: {theirs[in_flight] / mine[in_flight]:.1f} times the published client's rate")


main()
