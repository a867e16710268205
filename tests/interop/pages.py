"""The pages of the ways in, run as they are written: tests/interop/pages.py BINARY [--bin DIR]... [--installed pip|npm]... [PAGE]...

A fenced block whose info string names a file (```python refund.py) is written to that file before anything is run; every
```sh block is run, in order, in one shell in a fresh directory beside a gateway (--data ./aegis-data) with a reviewer who
decides at once. Blocks of any other kind are only read. Words after `sh` say what is different about that block:

    ```sh               the reviewer approves; the block must exit with 0
    ```sh reject        the reviewer rejects, with the reason 'not today'
    ```sh silence       the reviewer decides nothing
    ```sh exits 3       the last command of the block must exit with 3
    ```sh says WORDS    (the last of them) what the block prints must hold these words

The gateway is on a free port: http://127.0.0.1:8000 and http://localhost:8000 in a block become its address, which
AEGIS_AGENT_SERVER holds too. HOME is a fresh directory. --bin names directories of programs for PATH. A page that installs
packages is skipped, loudly, unless --installed says that its packages can be had from there.

Owns reading the pages and what is around them while they run; it must know no page. Nothing but Python's own library.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from gateway import Gateway, apart

WAYS = pathlib.Path(__file__).resolve().parents[2] / "assets" / "ways"
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
INSTALLS = re.compile(r"^\s*(pip|npm) install\b", re.MULTILINE)
REASON = "not today"
# What one page may take, in seconds. Far more than any needs: it ends what hangs.
LIMIT = 600


class Wrong(Exception):
    """A page is not written as this script can read it."""


class Step:
    """One ```sh block: what is run, and what is expected of it."""

    def __init__(self, info, text):
        words, self.says = info.split(), None
        if "says" in words:
            self.says = info.split(" says ", 1)[1].strip()
            words = words[: words.index("says")]
        self.text, self.reviewer, self.exits = text, "approve", 0
        rest = iter(words[1:])
        for word in rest:
            if word in ("approve", "reject", "silence"):
                self.reviewer = word
            elif word == "exits":
                self.exits = int(next(rest))
            else:
                raise Wrong(f"```{info}: {word} is not known; see the top of pages.py")


def read(page):
    """The files that a page brings, and its steps."""
    files, steps = {}, []
    for block in FENCE.finditer(page.read_text()):
        info, text = block["info"].strip(), block["text"]
        language, _, name = info.partition(" ")
        if language == "sh":
            steps.append(Step(info, text))
        elif name:
            if "/" in name or name.startswith("."):
                raise Wrong(f"```{info}: a file's name is one word, without directories")
            # The same name again goes on where the block before ended.
            files[name] = files.get(name, "") + text
    return files, steps


class Reviewer:
    """Decides whatever waits, as the step that runs wants it."""

    def __init__(self, gateway):
        self.gateway, self.verdict, self.errors, self.over = gateway, "silence", [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.1):
            verdict = self.verdict
            if verdict == "silence":
                continue
            try:
                for sealed, digest in self.gateway.waiting():
                    reason = REASON if verdict == "reject" or sealed.get("risk") == "critical" else None
                    command = self.gateway.deciding(verdict, sealed["id"], digest, reason)
                    done = subprocess.run(command, capture_output=True, text=True)
                    # 4 and 5: whoever asked has withdrawn meanwhile, or it has expired.
                    if done.returncode not in (0, 3, 4, 5):
                        self.errors.append(f"decide: {done.returncode} {done.stderr}")
            except Exception as error:  # noqa: BLE001
                self.errors.append(repr(error))

    def stop(self):
        self.over.set()
        self.thread.join(60)


def script(steps, place, url):
    """One shell script of all steps, so that what one exports the next one has."""
    lines = ["set -eu", f'step() {{ echo "$1" > "{place}/now"; while [ -e "{place}/now" ]; do sleep 0.02; done; }}']
    for number, step in enumerate(steps):
        text = step.text.replace("http://127.0.0.1:8000", url).replace("http://localhost:8000", url)
        text = text.replace("127.0.0.1:8000", url.removeprefix("http://"))
        block = place / f"step-{number}.sh"
        block.write_text(text)
        lines.append(f"step {number}")
        if step.exits == 0:
            lines.append(f'. "{block}"')
        else:
            lines += ["code=0", f'sh -eu "{block}" || code=$?', f'[ "$code" = {step.exits} ] || '
                      f'{{ echo "exited with $code, not with {step.exits}"; exit 1; }}']
    lines.append("step end")
    return "\n".join(lines) + "\n"


def run(page, binary, bins):
    """Runs a page. An error says what went wrong, with what was printed."""
    files, steps = read(page)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        place, home, own = work / "page", work / "home", work / "bin"
        for directory in (place, home, own):
            directory.mkdir()
        for name, text in files.items():
            (place / name).write_text(text)
        (own / "aegis-console").symlink_to(binary)
        gateway = Gateway(binary, place / "aegis-data")
        reviewer = Reviewer(gateway)
        try:
            path = os.pathsep.join([str(own), *map(str, bins), os.environ["PATH"]])
            environment = apart({"HOME": str(home), "PATH": path, "AEGIS_AGENT_SERVER": gateway.url,
                                 "AEGIS_AGENT_TOKEN_FILE": "./aegis-data/agent.token"})
            for name, value in os.environ.items():
                # How this machine comes by packages, and at which versions.
                if name.lower().startswith(("pip_", "npm_config_", "ssl_cert_", "node_extra_ca_", "https_proxy")):
                    environment[name] = value
            follow(script(steps, work, gateway.url), steps, reviewer, place, work, environment)
            if reviewer.errors:
                raise AssertionError("the reviewer: " + reviewer.errors[0])
        finally:
            reviewer.stop()
            gateway.stop()


def follow(text, steps, reviewer, place, work, environment):
    """Runs the script; at each step the reviewer is told what to do, and what the step before printed is looked at."""
    (work / "page.sh").write_text(text)
    now, printed, current, began = work / "now", work / "printed", None, 0
    with open(printed, "wb") as output:
        shell = subprocess.Popen(["sh", str(work / "page.sh")], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        end = time.monotonic() + LIMIT
        try:
            while shell.poll() is None or now.exists():
                if time.monotonic() > end:
                    raise AssertionError(f"still running after {LIMIT} s:\n{said(printed)}")
                if not now.exists() or not (word := now.read_text().strip()):
                    time.sleep(0.02)
                    continue
                check(current, said(printed)[began:])
                began, current = len(said(printed)), None if word == "end" else steps[int(word)]
                reviewer.verdict = current.reviewer if current else "silence"
                now.unlink()
            if shell.returncode != 0:
                raise AssertionError(f"exit code {shell.returncode}:\n{said(printed)}")
        finally:
            # What a block left running in the background ends with the page.
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            shell.wait()


def said(printed):
    return printed.read_text(errors="replace")


def check(step, output):
    if step and step.says is not None and step.says not in output:
        raise AssertionError(f"it should say {step.says!r}; it printed:\n{output}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    parser.add_argument("--bin", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--installed", action="append", default=[], choices=["pip", "npm"])
    given = parser.parse_args()
    binary, bins = given.binary.resolve(), [directory.resolve() for directory in given.bin]
    passed = failed = skipped = 0
    for page in given.pages or sorted(WAYS.glob("*.md")):
        try:
            _, steps = read(page)
            missing = {name for step in steps for name in INSTALLS.findall(step.text)} - set(given.installed)
            if missing:
                skipped += 1
                print(f"##### SKIPPED: {page.name} was NOT run: it installs packages with {', '.join(missing)}", flush=True)
                continue
            run(page, binary, bins)
            passed += 1
            print(f"ok    {page.name}: {len(steps)} blocks", flush=True)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAIL  {page.name}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
