"""Pydantic AI's agent, with a scripted model. See scripted.py."""

import asyncio

from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import FunctionModel
from scripted import TASK, THREAD, WORDS, refund, told, wanted


def scripted(messages, _):
    last = messages[-1].parts
    if isinstance(last[-1], UserPromptPart):
        calls = [ToolCallPart("refund", args, tool_call_id=call) for call, args in wanted(last[-1].content)]
        return ModelResponse(parts=[TextPart(WORDS), *calls])
    return ModelResponse(parts=[TextPart(told(" | ".join(str(part.content) for part in last)))])


print(asyncio.run(refund.run(FunctionModel(scripted), THREAD, TASK)))
