"""The published Python clients against a gateway, unchanged.

Starts two gateways from the binary: one as it is, one in tenant mode. Every check is a function below; the last line of
the output is 'N passed, N failed'.
"""

import asyncio
import json
import pathlib
import subprocess
import sys
import time
import traceback
import urllib.request
from collections import Counter

import httpx
from aegis_hitl import AegisClient
from agentapprovalprotocol import (
    AsyncClient,
    AsyncGate,
    Call,
    Client,
    ConflictError,
    CredentialRefused,
    Gate,
    NotFound,
    Pending,
)

import gateway as gateways
from gateway import meanwhile

BINARY, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Gateway(gateways.Gateway):
    """One that is called by hand too."""

    def __init__(self, name, *flags):
        super().__init__(BINARY, WORK / name, *flags)

    def call(self, method, path, role="reviewer", body=None, **headers):
        headers = {"Authorization": f"Bearer {self.token(role)}", **headers}
        return httpx.request(method, self.url + path, headers=headers, json=body, trust_env=False)

    def gate(self, **settings):
        return Gate(Client(f"{self.url}/aap", self.token("agent")), **settings)


def request_id(response):
    return response.request.headers["x-request-id"]


# The published AEGIS client.


@check
def aegis_quick_start_with_a_bearer(gateway, _):
    async def main():
        async with AegisClient(base_url=gateway.url, api_key=gateway.token("reviewer"), thread_id="order-42") as client:
            payload = {"action": "send_email", "to": "user@example.com"}
            first = await client.approve("idempotency-key-2026-001", payload=payload)
            assert first.status_code == 202, first.text
            again = await client.approve("idempotency-key-2026-001", payload=payload)
            assert again.status_code == 409, again.text
            assert again.json()["decision"]["request_id"] == request_id(first)
            other = await client.reject("idempotency-key-2026-001")
            assert (other.status_code, other.json()["decision"]["verdict"]) == (409, "approve")

    asyncio.run(main())


@check
def aegis_quick_start_self_hosted(_, tenants):
    async def main():
        async with AegisClient(base_url=tenants.url, tenant_id="your-tenant-id", thread_id="order-42") as client:
            first = await client.approve("idempotency-key-001")
            assert first.status_code == 202, first.text
            assert (await client.approve("idempotency-key-001")).status_code == 409
            assert (await client.execute("reject", "idempotency-key-002")).status_code == 202
            assert (await client.approve("idempotency-key-001", tenant_id="another")).status_code == 202
            assert (await client.approve("idempotency-key-001", thread_id="order-43")).status_code == 202
            status = await client.get_status(request_id(first))
            assert status.status_code == 200, status.text
            answer = status.json()
            assert (answer["status"], answer["verdict"]) == ("COMMITTED", "approve"), answer
            assert answer["reviewer"] == "tenant:your-tenant-id", answer
            assert (await client.get_status("00000000-0000-4000-8000-000000000000")).status_code == 404

    asyncio.run(main())


@check
def aegis_without_a_credential_is_refused_outside_tenant_mode(gateway, _):
    async def main():
        async with AegisClient(base_url=gateway.url, tenant_id="t1", thread_id="thr1") as client:
            assert (await client.approve("key")).status_code == 401
            assert (await client.get_status("some-id")).status_code == 401
        async with AegisClient(base_url=gateway.url, api_key=gateway.token("agent"), thread_id="thr1") as client:
            assert (await client.approve("key")).status_code == 403

    asyncio.run(main())


async def burst(settings, calls):
    limits = httpx.Limits(max_connections=None)
    http = httpx.AsyncClient(base_url=settings["base_url"], limits=limits, timeout=60, trust_env=False)
    async with http, AegisClient(client=http, **settings) as client:
        answers = await asyncio.gather(*(client.execute(verdict, key) for verdict, key in calls))
        return answers


@check
def aegis_500_approvals_of_one_key_at_once(gateway, tenants):
    bearer = {"base_url": gateway.url, "api_key": gateway.token("reviewer"), "thread_id": "burst"}
    tenant = {"base_url": tenants.url, "tenant_id": "t1", "thread_id": "burst"}
    for settings in (bearer, tenant):
        answers = asyncio.run(burst(settings, [("approve", "burst-key")] * 500))
        assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 499}
        (won,) = (answer for answer in answers if answer.status_code == 202)
        standing = {answer.json()["decision"]["request_id"] for answer in answers if answer.status_code == 409}
        assert standing == {request_id(won)}


@check
def aegis_approvals_and_rejections_of_few_keys_at_once(gateway, _):
    settings = {"base_url": gateway.url, "api_key": gateway.token("reviewer"), "thread_id": "mixed"}
    calls = [(("approve", "reject")[n % 2], f"mixed-{n // 20}") for n in range(200)]
    answers = asyncio.run(burst(settings, calls))
    assert Counter(answer.status_code for answer in answers) == {202: 10, 409: 190}


# The published AAP client.


@check
def aap_gate_approved(gateway, _):
    call = Call(key="run-1:call-1", tool="send_email", arguments={"to": "a@b.example", "amount": 1.10, "big": 2**53 + 1},
                reasoning="the customer asked", context={"thread_id": "order-42", "summary": "a refund mail"})
    decided = meanwhile(gateway.decide, "approve", "send_email")
    with gateway.gate().guard(call) as verdict:
        assert verdict, verdict
    sealed = decided()
    entry = gateway.entry(sealed["id"])
    assert (entry["state"], entry["execution"]["state"]) == ("approved", "succeeded"), entry
    assert (sealed["thread_id"], sealed["summary"]) == ("order-42", "a refund mail"), sealed


@check
def aap_gate_denied_with_a_reason_that_reaches_the_agent(gateway, _):
    reason = "not to this customer: 'già rimborsato' \u202e"
    decided = meanwhile(gateway.decide, "reject", "refund", reason)
    verdict = gateway.gate().check(Call(key="run-2:call-1", tool="refund", arguments={"order": 7}))
    decided()
    assert not verdict and verdict.status == "denied" and reason in verdict.reason, verdict


@check
def aap_gate_expires(gateway, _):
    started = time.monotonic()
    verdict = gateway.gate(timeout="2s").check(Call(key="run-3:call-1", tool="drop_table", arguments={}))
    took = time.monotonic() - started
    assert not verdict and verdict.status == "expired", verdict
    # Not before its time, and not only when the call that waits would have ended by itself.
    assert 1.5 < took < 20, took
    assert gateway.entry(verdict.request_id)["state"] in ("expired", "cancelled")


@check
def aap_request_expires_on_time_and_cannot_be_decided(gateway, _):
    client = Client(f"{gateway.url}/aap", gateway.token("agent"))
    request = client.create({"tool": "slow", "arguments": {}, "timeout": "1s"}, "expires-1")
    request = client.get(request.id, wait=10)
    assert request.status == "expired" and request.decision.decided_at == request.deadline_at, request
    sealed = json.loads(gateway.entry(request.id)["sealed"])
    headers = {"Thread-Id": sealed["thread_id"], "Idempotency-Key": sealed["idempotency_key"]}
    answer = gateway.call("POST", "/api/v1/hitl/approve", body={}, **headers)
    assert answer.status_code == 409 and answer.json()["decision"] is None, answer.text


@check
def aap_approval_is_consumed_once(gateway, _):
    client, gate = Client(f"{gateway.url}/aap", gateway.token("agent")), gateway.gate()
    call = Call(key="run-4:call-1", tool="deploy", arguments={"to": "production"})
    decided = meanwhile(gateway.decide, "approve", "deploy")
    verdict = gate.check(call)
    decided()
    assert verdict, verdict
    again = gate.check(call)
    assert not again and again.status == "consumed", again
    try:
        client.consume(verdict.request_id, "another-key")
        raise AssertionError("consumed twice")
    except ConflictError as conflict:
        assert conflict.code == "already_consumed", conflict.code
    assert verdict.report("failed", "the disk was full")
    assert verdict.report("failed", "the disk was full"), "the same report again"
    try:
        client.report_outcome(verdict.request_id, "succeeded")
        raise AssertionError("two outcomes")
    except ConflictError as conflict:
        assert conflict.code == "outcome_conflict", conflict.code
    assert gateway.entry(verdict.request_id)["execution"]["note"] == "the disk was full"


@check
def aap_gate_that_pauses(gateway, _):
    gate = gateway.gate(mode="async")
    call = Call(key="run-5:call-1", tool="execute_trade", arguments={"qty": 100}, resume={"thread_id": "x"})
    assert isinstance(gate.check(call), Pending)
    gateway.decide("approve", "execute_trade")
    assert gate.check(call)


@check
def aap_async_gate(gateway, _):
    async def main():
        client = AsyncClient(f"{gateway.url}/aap", gateway.token("agent"))
        decided = meanwhile(gateway.decide, "approve", "Bash")
        call = Call(key="run-6:call-1", tool="Bash", arguments={"command": "ls"}, server="shell")
        async with AsyncGate(client).guard(call) as verdict:
            assert verdict, verdict
        decided()
        await client.aclose()

    asyncio.run(main())


@check
def aap_keys_and_withdrawal(gateway, _):
    client = Client(f"{gateway.url}/aap", gateway.token("agent"))
    submission = {"tool": "withdrawn", "arguments": {"a": [None, True, {"b": "\u0000"}]}, "timeout": "10m"}
    first = client.create(submission, "keys-1")
    assert client.create(submission, "keys-1") == first
    try:
        client.create({**submission, "tool": "other"}, "keys-1")
        raise AssertionError("another body under the same key")
    except ConflictError as conflict:
        assert conflict.code == "idempotency_conflict", conflict.code
    try:
        client.consume(first.id, "c")
        raise AssertionError("consumed what is pending")
    except ConflictError as conflict:
        assert conflict.code == "not_approved", conflict.code
    assert client.cancel(first.id).status == "cancelled"
    assert client.cancel(first.id).status == "cancelled"
    try:
        client.get("00000000-0000-4000-8000-000000000000")
        raise AssertionError("a request that is not there")
    except NotFound:
        pass
    for token in ("wrong", gateway.token("reviewer")):
        try:
            Client(f"{gateway.url}/aap", token).get(first.id)
            raise AssertionError("not an agent")
        except CredentialRefused:
            pass


@check
def numbers_come_back_as_they_were_sent(gateway, _):
    body = b'{ "tool":"raw", "arguments":{"a":1.10,"b":1e400,"c":9007199254740993,"d":-0.0}, "timeout":"10m"}'
    request = urllib.request.Request(f"{gateway.url}/aap/v1/requests", data=body, method="POST")
    request.add_header("Authorization", f"Bearer {gateway.token('agent')}")
    request.add_header("Idempotency-Key", "raw-1")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert b'"arguments":{"a":1.10,"b":1e400,"c":9007199254740993,"d":-0.0}' in answer.read()


def audit(gateway, *words):
    command = [BINARY, "audit", *words, "--data", str(gateway.data)]
    return subprocess.run(command, capture_output=True, text=True)


def grade(trace, policy=None):
    """What the published grader says: its exit code and its words."""
    command = [sys.executable, "-m", "agentack", "check", str(trace)]
    done = subprocess.run(command + (["--policy", str(policy)] if policy else []), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@check
def agentack_grades_the_audit_log_pass(gateway, _):
    client = Client(f"{gateway.url}/aap", gateway.token("agent"))
    arguments = {"text": "\u202e \x1b[2J 漢", "n": 1.10, "deep": [[[{"a": None}]]]}
    for tool, verdict in (("Bash", "approve"), ("http", "approve"), ("graded_no", "reject"), ("left_waiting", None)):
        asked = client.create({"tool": tool, "server": "files", "arguments": arguments, "timeout": "10m"}, f"graded-{tool}")
        if verdict:
            gateway.decide(verdict, tool, "graded")
        if verdict == "approve":
            client.consume(asked.id, "graded")
    exported = audit(gateway, "export", "--format", "agentack")
    assert exported.returncode == 0, exported.stderr
    assert "left out" in exported.stderr, exported.stderr
    lines = exported.stdout.splitlines()
    kinds = Counter(json.loads(line)["type"] for line in lines)
    assert kinds["action_executed"] >= 2 and kinds["action_blocked"] >= 1, kinds
    trace, policy = WORK / "trace.jsonl", WORK / "policy.toml"
    trace.write_text(exported.stdout)
    # By its own policy, and by one under which whatever runs needs a person's yes.
    policy.write_text('version = 1\n[approval]\nrequire_for = ["*"]\n')
    for strict in (None, policy):
        code, said = grade(trace, strict)
        assert code == 0 and "PASS" in said, said
    # It would have said so, had another action run than the one that was shown.
    at = next(i for i, line in enumerate(lines) if '"action_executed"' in line)
    event = json.loads(lines[at])
    event["action"]["parameters"]["digest"] = "sha256:" + "0" * 64
    trace.write_text("\n".join([*lines[:at], json.dumps(event), *lines[at + 1:]]))
    code, said = grade(trace)
    assert code == 1 and "ACK003" in said, said


@check
def the_audit_log_holds_while_the_gateways_run(*gateways):
    for gateway in gateways:
        done = audit(gateway, "verify")
        assert done.returncode == 0 and "holds" in done.stdout, done.stdout + done.stderr


def main():
    failed, started = 0, []
    try:
        started.append(Gateway("gateway"))
        started.append(Gateway("tenants", "--tenant-mode"))
        for function in CHECKS:
            try:
                function(*started)
                print(f"ok    {function.__name__}", flush=True)
            except Exception:  # noqa: BLE001
                failed += 1
                print(f"FAIL  {function.__name__}", flush=True)
                traceback.print_exc(file=sys.stdout)
    finally:
        for gateway in started:
            gateway.stop()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
