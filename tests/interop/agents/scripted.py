"""What the scripted agents share: what they are asked to do, what their models say, and how one hangs in the middle of a tool.

An agent is a program of this directory, `python langgraph_agent.py THREAD ORDER...`. It runs the `refund.py` of its page, which
lies in the working directory, with a model that is a script: given a task it wants a refund for each order, in one turn,
under call ids that are never the same twice (so what is asked again is what was saved, not what a script says again); given
what became of them it says that, and ends. What the model is told is appended to `told.txt`.
"""

import json
import os
import sys
import time
import uuid

sys.path.insert(0, os.getcwd())
import refund  # noqa: E402, the page's

THREAD, ORDERS = sys.argv[1], sys.argv[2:]
TASK = json.dumps(ORDERS)
# Said beside the calls: it is sent along as the agent's reasoning, and must be the same when a call is asked for again.
WORDS = "The parcel never came."


def wanted(task):
    """The calls that the model makes, as (call id, arguments)."""
    return [(f"call-{uuid.uuid4()}", {"order": order, "amount": "12.50"}) for order in json.loads(task)]


def told(words):
    """Notes what the model has been told, and gives its last words."""
    with open("told.txt", "a") as file:
        file.write(json.dumps(words) + "\n")
    return "It is said: " + words


class Hangs:
    """A file that is written, and after which nothing goes on."""

    def __init__(self, *how):
        self.file = open(*how)

    def __enter__(self):
        return self.file

    def __exit__(self, *_):
        self.file.close()
        while True:
            time.sleep(60)


if "AGENT_HANGS" in os.environ:
    # The tool of the page writes its line, and then the agent can only be killed.
    refund.open = lambda name, how: Hangs(name, how) if name == "refunds.txt" else open(name, how)
