"""The OpenAI Agents SDK's agent, with a scripted model. See scripted.py."""

import asyncio
import json

from agents import Model, ModelResponse, Usage, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from scripted import TASK, THREAD, WORDS, refund, told, wanted


def says(text):
    text = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(id="message", type="message", role="assistant", status="completed", content=[text])


class Scripted(Model):
    async def get_response(self, system_instructions, input, *_, **__):
        results = [item["output"] for item in input if item.get("type") == "function_call_output"]
        if results:
            output = [says(told(" | ".join(map(str, results))))]
        else:
            output = [says(WORDS)]
            for call, args in wanted(input[-1]["content"]):
                called = {"type": "function_call", "id": call, "call_id": call, "name": "refund"}
                output.append(ResponseFunctionToolCall(arguments=json.dumps(args), **called))
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    async def stream_response(self, *_, **__):
        raise NotImplementedError


# It would send what it does to OpenAI.
set_tracing_disabled(True)
asyncio.run(refund.run(Scripted(), THREAD, TASK))
