"""LangGraph's and LangChain's agent, with a scripted model: for both pages, whose `run` is called alike. See scripted.py."""

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from scripted import TASK, THREAD, WORDS, refund, told, wanted


class Scripted(BaseChatModel):
    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **_):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **_):
        if isinstance(messages[-1], HumanMessage):
            calls = [{"name": "refund", "args": args, "id": call} for call, args in wanted(messages[-1].content)]
            answer = AIMessage(content=WORDS, tool_calls=calls)
        else:
            answer = AIMessage(content=told(" | ".join(message.content for message in messages if message.type == "tool")))
        return ChatResult(generations=[ChatGeneration(message=answer)])


print(refund.run(Scripted(), THREAD, TASK)[-1].content)
