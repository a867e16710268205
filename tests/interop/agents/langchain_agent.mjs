// LangChain's agent in JavaScript, with a scripted model; as scripted.py says. Run in the directory that holds the page's
// `refund.mjs`: `node langchain_agent.mjs THREAD ORDER...`, copied there, where `node_modules` is found.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import v8 from "node:v8";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { MemorySaver } from "@langchain/langgraph";

const [thread, ...orders] = process.argv.slice(2);
const append = fs.appendFileSync;

class Scripted extends BaseChatModel {
  _llmType() {
    return "scripted";
  }
  bindTools() {
    return this;
  }
  async _generate(messages) {
    const last = messages.at(-1);
    let message;
    if (HumanMessage.isInstance(last)) {
      const calls = JSON.parse(last.content).map((order) => ({ name: "refund", args: { order, amount: "12.50" } }));
      const named = calls.map((call) => ({ ...call, id: `call-${crypto.randomUUID()}`, type: "tool_call" }));
      message = new AIMessage({ content: "The parcel never came.", tool_calls: named });
    } else {
      const words = messages.filter((one) => one.type === "tool").map((one) => one.content).join(" | ");
      append("told.txt", JSON.stringify(words) + "\n");
      message = new AIMessage(`It is said: ${words}`);
    }
    return { generations: [{ message, text: message.content }] };
  }
}

/** Keeps everything in a file, which is what the native checkpointers do with a database. */
class FileSaver extends MemorySaver {
  constructor(file) {
    super();
    this.file = file;
    if (fs.existsSync(file)) Object.assign(this, v8.deserialize(fs.readFileSync(file)));
  }
  keep() {
    fs.writeFileSync(`${this.file}.new`, v8.serialize({ storage: this.storage, writes: this.writes }));
    fs.renameSync(`${this.file}.new`, this.file);
  }
  async put(...what) {
    const config = await super.put(...what);
    this.keep();
    return config;
  }
  async putWrites(...what) {
    await super.putWrites(...what);
    this.keep();
  }
}

if (process.env.AGENT_HANGS) {
  fs.appendFileSync = (...what) => {
    append(...what);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  syncBuiltinESMExports();
}

const { run } = await import(`${process.cwd()}/refund.mjs`);
const messages = await run(new Scripted({}), new FileSaver("threads"), thread, JSON.stringify(orders));
console.log(messages.at(-1).content);
