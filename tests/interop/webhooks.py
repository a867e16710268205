"""Agents that pause: the published AAP receiver against a gateway, unchanged.

The receiver of agentapprovalprotocol makes itself an instance, is asked whether it is one, and is told when what the instance
asked has ended; the published gate, in its asynchronous mode, goes on from there. The receiver's ASGI app is served by a few
lines of this file, so that no web server is needed. Every check is a function below; the last line of the output is
'N passed, N failed'.
"""

import asyncio
import json
import pathlib
import subprocess
import sys
import traceback
import uuid

from agentapprovalprotocol import Allow, AsyncClient, AsyncGate, Call, Deny, Pending
from agentapprovalprotocol.receiver import ProvisionError, Receiver, WebhookVerificationFailed

from gateway import Gateway, apart

BINARY, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
SOON = 30
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def provisioner(gateway, name="fleet"):
    """A provisioner's token, made on the command line beside the gateway that runs."""
    command = [BINARY, "token", "create", "--role", "provisioner", "--name", name, "--data", str(gateway.data)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=apart()).stdout.strip()


class Served:
    """An ASGI app on a port of this machine; the same port again after it was closed."""

    def __init__(self, app, port=0):
        self.app, self.port = app, port

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.connection, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/aap/events"

    async def connection(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split()
            headers = [tuple(line.split(": ", 1)) for line in head[1:] if line]
            length = int(dict((name.lower(), value) for name, value in headers).get("content-length", 0))
            body = await reader.readexactly(length)

            async def receive():
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(event):
                if event["type"] == "http.response.start":
                    writer.write(f"HTTP/1.1 {event['status']} \r\nconnection: close\r\n\r\n".encode())
                else:
                    writer.write(event["body"])

            scope = {"type": "http", "method": method, "path": target,
                     "headers": [(name.lower().encode(), value.encode()) for name, value in headers]}
            await self.app(scope, receive, send)
            await writer.drain()
        finally:
            writer.close()


class Paused:
    """An agent whose run pauses: what it keeps of the run is the call alone. Woken, it asks again and goes on, or not."""

    def __init__(self):
        self.calls, self.ran, self.told, self.woken = {}, [], [], asyncio.Event()
        self.gate = None

    def of(self, base_url, token):
        self.gate = AsyncGate(AsyncClient(base_url, token), mode="async")
        return self

    async def begin(self, run, tool="deploy"):
        """The first half of a run: ends with what it waits for."""
        call = Call(key=f"{run}:1", tool=tool, arguments={"run": run}, resume={"framework": "test", "thread_id": run})
        verdict = await self.gate.check(call)
        assert isinstance(verdict, Pending), verdict
        self.calls[run] = call
        return verdict.request_id

    async def resume(self, handle, _request):
        """The second half, whenever somebody says that there is one."""
        call = self.calls[handle["thread_id"]]
        verdict = await self.gate.check(call)
        if isinstance(verdict, Allow):
            self.ran.append(handle["thread_id"])
            await verdict.report("succeeded")
        elif isinstance(verdict, Deny):
            self.told.append((verdict.status, verdict.reason))
        self.woken.set()

    async def until(self, done, within=SOON):
        async with asyncio.timeout(within):
            while not done():
                await self.woken.wait()
                self.woken.clear()


async def off(function, *arguments):
    """A blocking call beside the loop."""
    return await asyncio.to_thread(function, *arguments)


@check
async def a_run_pauses_and_is_woken_once_it_is_decided(gateway):
    agent = Paused()
    receiver = Receiver(resumers={"test": agent.resume})
    async with Served(receiver.asgi()) as served:
        made = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=provisioner(gateway), url=served.url,
                                        instance_name="codex-laptop")
        assert made.instance_name == "codex-laptop" and made.expires_at, made
        agent.of(gateway.url + "/aap", made.token)
        request = await agent.begin("run-1")
        sealed, _ = await off(gateway.pending, "deploy")
        assert sealed["agent"] == "fleet/codex-laptop", sealed["agent"]
        assert not agent.ran
        await off(gateway.decide, "approve", "deploy")
        await agent.until(lambda: agent.ran)
        entry = await off(gateway.entry, request)
        assert agent.ran == ["run-1"] and entry["execution"]["state"] in ("consumed", "succeeded"), entry
        # Told twice, it runs once.
        await receiver.wake(request)
        assert agent.ran == ["run-1"] and agent.told[0][0] == "consumed", agent.told


@check
async def a_rejection_wakes_it_too_with_the_reviewers_words(gateway):
    agent = Paused()
    receiver = Receiver(resumers={"test": agent.resume})
    async with Served(receiver.asgi()) as served:
        made = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=provisioner(gateway), url=served.url)
        agent.of(gateway.url + "/aap", made.token)
        await agent.begin("run-2")
        await off(gateway.decide, "reject", "deploy", "not on a Friday")
        await agent.until(lambda: agent.told)
        status, reason = agent.told[0]
        assert (status, agent.ran) == ("denied", []) and "not on a Friday" in reason, agent.told


@check
async def the_same_asking_is_the_same_instance(gateway):
    token = provisioner(gateway)
    receiver = Receiver(resumers={})
    async with Served(receiver.asgi()) as served:
        first = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=token, url=served.url)
        again = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=token, url=served.url)
        assert first == again and first.token == again.token
        try:
            await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=token, url=served.url + "/other")
        except ProvisionError as error:
            assert (error.status, error.code) == (409, "idempotency_conflict"), error
        else:
            raise AssertionError("another asking under the same key was taken")


@check
async def a_receiver_that_expects_nobody_gets_no_instance(gateway):
    stranger = Receiver(resumers={}, secret="whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", registration_id=str(uuid.uuid4()))
    receiver = Receiver(resumers={})
    async with Served(stranger.asgi()) as served:
        try:
            await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=provisioner(gateway), url=served.url)
        except WebhookVerificationFailed as error:
            assert error.status == 422
        else:
            raise AssertionError("an instance was made for a receiver that did not want it")


@check
async def what_is_decided_while_both_are_down_is_told_once_both_are_back(gateway):
    agent = Paused()
    receiver = Receiver(resumers={"test": agent.resume})
    async with Served(receiver.asgi()) as served:
        made = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=provisioner(gateway), url=served.url)
        agent.of(gateway.url + "/aap", made.token)
        await agent.begin("run-5")
    # Nobody listens any more: the agent's process has exited. Then the gateway is killed.
    await off(gateway.decide, "approve", "deploy")
    await off(gateway.kill)
    await off(gateway.start)
    woken = Receiver(resumers={"test": agent.resume}, secret=made.secret, registration_id=made.registration_id,
                     instance_id=made.instance_id, client=AsyncClient(gateway.url + "/aap", made.token))
    async with Served(woken.asgi(), served.port):
        # A try that was lost comes again after 30 s, one that found nobody after five.
        await agent.until(lambda: agent.ran, within=90)
    assert agent.ran == ["run-5"]


@check
async def an_instance_that_is_revoked_reads_nothing_and_is_told_nothing(gateway):
    agent = Paused()
    receiver = Receiver(resumers={"test": agent.resume})
    async with Served(receiver.asgi()) as served:
        made = await receiver.provision(provider_url=gateway.url + "/aap", provisioner_token=provisioner(gateway), url=served.url,
                                        instance_name="short-lived")
        agent.of(gateway.url + "/aap", made.token)
        await agent.begin("run-6")
        listed = subprocess.run([BINARY, "token", "list", "--json", "--data", str(gateway.data)], capture_output=True, text=True,
                                check=True, env=apart()).stdout
        row = next(json.loads(line) for line in listed.splitlines() if "fleet/short-lived" in line)
        assert (row["role"], row["created_by"]) == ("agent", "fleet") and made.token not in listed, row
        subprocess.run([BINARY, "token", "revoke", "fleet/short-lived", "--data", str(gateway.data)], capture_output=True,
                       check=True, env=apart())
        await off(gateway.decide, "approve", "deploy")
        try:
            await agent.until(lambda: agent.ran or agent.told, within=2)
        except TimeoutError:
            pass
        assert not agent.ran and not agent.told


def main():
    gateway = Gateway(BINARY, WORK / "webhooks")
    failed = 0
    try:
        for one in CHECKS:
            name = one.__name__.replace("_", " ")
            try:
                asyncio.run(one(gateway))
                print(f"ok      {name}")
            except Exception:  # noqa: BLE001
                failed += 1
                print(f"FAILED  {name}")
                traceback.print_exc()
    finally:
        gateway.stop()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


main()
