#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The official openai client against `adit-miner serve-http` with SmolLM2-135M.

Use: openai_client_test.py ADIT_MINER. Exit 77, with the reason, when the client or the test model is not installed
(deploy/setup.sh --clients and --model install them under ${ADIT_CACHE:-~/.cache/adit}).
"""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

CACHE = pathlib.Path(os.environ.get("ADIT_CACHE", pathlib.Path.home() / ".cache/adit"))
PYTHON = CACHE / "venvs/openai/bin/python"
MODEL = pathlib.Path(
    os.environ.get("ADIT_TEST_MODEL", CACHE / "models/SmolLM2-135M-Instruct.Q4_1.gguf")
)
SKIPPED = 77


def enter_venv():
    needed = ((PYTHON, "the openai client", "--clients"), (MODEL, "the test model", "--model"))
    for path, what, flag in needed:
        if not path.is_file():
            print(f"skipped: {what} is not installed ({path}): run deploy/setup.sh {flag}")
            sys.exit(SKIPPED)
    if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


if __name__ == "__main__":
    enter_venv()

import jsonschema  # noqa: E402
import openai  # noqa: E402

# As the templates of Qwen2.5 and Hermes are; the test model's own has no place for tools.
TEMPLATE = """{%- if tools %}<|im_start|>system
You can call functions. These are their signatures:
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
For each call write a JSON object in <tool_call></tool_call>:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role }}
{%- if message.content %}{{ '\n' + message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}
{{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "price_of",
            "description": "The price of a metal",
            "parameters": {
                "type": "object",
                "properties": {
                    "metal": {"enum": ["gold", "iron", "copper"]},
                    "grams": {"type": "integer"},
                    "currencies": {"type": "array", "items": {"$ref": "#/$defs/currency"}, "minItems": 1, "maxItems": 2},
                },
                "required": ["metal", "grams", "currencies"],
                "additionalProperties": False,
                "$defs": {"currency": {"enum": ["EUR", "CHF", "TAO"]}},
            },
        },
    },
    {"type": "function", "function": {"name": "time_now", "description": "The time of day"}},
]
ADAPTERS = ["first", "second"]
ASK = [{"role": "user", "content": "Name three metals that are mined."}]


def write_adapter(folder, seed):
    """A random LoRA adapter of SmolLM2-135M, F16, as PEFT would save it; it changes every answer."""
    rng = random.Random(seed)
    rank, hidden, values = 4, 576, 192
    table, data = {}, bytearray()
    for layer in range(0, 30, 3):
        module = f"base_model.model.model.layers.{layer}.self_attn."
        for name, out in (("q_proj", hidden), ("v_proj", values)):
            for matrix, rows, columns, size in (("lora_A", rank, hidden, 0.04), ("lora_B", out, rank, 0.1)):
                begin = len(data)
                data += struct.pack(f"<{rows * columns}e", *(rng.gauss(0, size) for _ in range(rows * columns)))
                table[f"{module}{name}.{matrix}.weight"] = {
                    "dtype": "F16", "shape": [rows, columns], "data_offsets": [begin, len(data)]
                }
    header = json.dumps(table).encode()
    folder.mkdir(exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": ["q_proj", "v_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


class Server:
    """One adit-miner serve-http on a free port; its log goes to stderr."""

    def __init__(self, miner, folder, *more):
        pack = pathlib.Path(folder) / "smollm2.adit"
        if not pack.is_file():
            packing = [miner, "pack", MODEL, "-o", pack, "--bits", "4", "--act", "a16"]
            subprocess.run(packing, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        adapters = []
        for i, name in enumerate(ADAPTERS):
            adapters += ["--adapter", f"{name}={write_adapter(pathlib.Path(folder) / name, i)}"]
        self.process = subprocess.Popen(
            [
                miner, "serve-http", "--pack", pack, "--listen", "127.0.0.1:0", "--batch", "8", "--threads", "1",
                *adapters, *more,
            ],
            stdout=subprocess.PIPE, text=True
        )
        ready = self.process.stdout.readline().split()
        assert ready[0] == "ready", ready
        self.model = ready[3]
        self.client = openai.OpenAI(base_url=f"http://{ready[1]}/v1", api_key="unused", max_retries=0, timeout=300)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class OpenAiClient(unittest.TestCase):
    server: Server

    def chat(self, **more):
        fields = {"model": self.server.model, "messages": ASK, "max_tokens": 24, "seed": 7}
        return self.server.client.chat.completions.create(**(fields | more))

    def stream_text(self, **more):
        text, finish, usage = "", None, None
        for chunk in self.chat(stream=True, stream_options={"include_usage": True}, **more):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
        return text, finish, usage

    def test_lists_its_model(self):
        models = self.server.client.models.list().data
        self.assertEqual([m.id for m in models], [self.server.model, *ADAPTERS])
        self.assertEqual([getattr(m, "parent", None) for m in models], [None, self.server.model, self.server.model])
        self.assertEqual(self.server.client.models.retrieve(self.server.model).object, "model")

    def test_answers_and_repeats_itself_with_a_seed(self):
        first, again, other = self.chat(), self.chat(), self.chat(seed=8)
        self.assertEqual(first.choices[0].message.content, again.choices[0].message.content)
        self.assertNotEqual(first.choices[0].message.content, other.choices[0].message.content)
        self.assertEqual(first.system_fingerprint, again.system_fingerprint)
        self.assertEqual(first.usage.total_tokens, first.usage.prompt_tokens + first.usage.completion_tokens)
        greedy = self.chat(temperature=0, max_tokens=60).choices[0]
        self.assertIn(greedy.finish_reason, ("stop", "length"))
        self.assertTrue(greedy.message.content.strip())

    def test_the_model_names_an_adapter(self):
        models = [self.server.model, *ADAPTERS]
        alone = [self.chat(model=model) for model in models]
        texts = [answer.choices[0].message.content for answer in alone]
        self.assertEqual(len(set(texts)), 3)
        self.assertEqual([answer.model for answer in alone], models)
        self.assertEqual(len({answer.system_fingerprint for answer in alone}), 3)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            together = list(pool.map(lambda model: self.stream_text(model=model)[0], models * 2))
        self.assertEqual(together, texts * 2)

    def test_a_stream_is_the_whole_answer(self):
        for more in ({}, {"temperature": 0}, {"temperature": 1.4, "top_p": 0.9, "extra_body": {"top_k": 50, "min_p": 0.01}}):
            whole = self.chat(**more)
            text, finish, usage = self.stream_text(**more)
            self.assertEqual(text, whole.choices[0].message.content)
            self.assertEqual(finish, whole.choices[0].finish_reason)
            self.assertEqual(usage, whole.usage)

    def test_gives_log_probabilities(self):
        choice = self.chat(temperature=0, logprobs=True, top_logprobs=3).choices[0]
        entries = choice.logprobs.content
        self.assertEqual(b"".join(bytes(e.bytes) for e in entries).decode(), choice.message.content)
        for entry in entries:
            self.assertEqual(len(entry.top_logprobs), 3)
            # Greedy: the likeliest was chosen.
            self.assertEqual(entry.top_logprobs[0].bytes, entry.bytes)
            self.assertEqual(entry.top_logprobs[0].logprob, entry.logprob)
            self.assertLessEqual(entry.logprob, 0)
            values = [t.logprob for t in entry.top_logprobs]
            self.assertEqual(values, sorted(values, reverse=True))
        completion = self.server.client.completions.create(
            model=self.server.model, prompt="The capital of France is", max_tokens=5, temperature=0, logprobs=2
        ).choices[0]
        self.assertEqual("".join(completion.logprobs.tokens), completion.text)
        self.assertEqual(len(completion.logprobs.top_logprobs[0]), 2)

    def test_stops_at_a_string(self):
        text = self.chat(temperature=0, max_tokens=40).choices[0].message.content
        stop = text[20:26]
        cut = text[: text.index(stop)]
        for answer in (self.chat(temperature=0, max_tokens=40, stop=stop).choices[0],):
            self.assertEqual(answer.message.content, cut)
            self.assertEqual(answer.finish_reason, "stop")
        self.assertEqual(self.stream_text(temperature=0, max_tokens=40, stop=[stop, "never"])[0], cut)

    def test_completes_several_prompts(self):
        answer = self.server.client.completions.create(
            model=self.server.model, prompt=["One, two,", "Red, green,"], n=2, max_tokens=8, seed=3
        )
        self.assertEqual([c.index for c in answer.choices], [0, 1, 2, 3])
        one = self.server.client.completions.create(model=self.server.model, prompt="Red, green,", max_tokens=8, seed=4)
        self.assertEqual(one.choices[0].text, answer.choices[3].text)

    def test_holds_answers_to_a_schema(self):
        schema = {
            "type": "object",
            "properties": {
                "metal": {"type": "string", "maxLength": 12},
                "symbol": {"enum": ["Fe", "Cu", "Au", "Ag"]},
                "number": {"type": "integer"},
                "uses": {"type": "array", "items": {"type": "string", "maxLength": 16}, "minItems": 1, "maxItems": 2},
                "noble": {"type": "boolean"},
            },
            "required": ["metal", "symbol", "number", "uses", "noble"],
            "additionalProperties": False,
        }
        given = {"type": "json_schema", "json_schema": {"name": "metal", "schema": schema, "strict": True}}
        ended = 0
        for seed in range(4):
            choice = self.chat(response_format=given, max_tokens=120, seed=seed).choices[0]
            if choice.finish_reason == "stop":
                ended += 1
                jsonschema.validate(json.loads(choice.message.content), schema)
        self.assertGreaterEqual(ended, 2)
        text, _, _ = self.stream_text(response_format=given, max_tokens=120, seed=1)
        self.assertEqual(text, self.chat(response_format=given, max_tokens=120, seed=1).choices[0].message.content)
        choice = self.chat(response_format={"type": "json_object"}, max_tokens=60, temperature=0).choices[0]
        if choice.finish_reason == "stop":
            self.assertIsInstance(json.loads(choice.message.content), dict)

    def test_refuses_with_the_clients_own_errors(self):
        cases = [
            (openai.NotFoundError, {"model": "other"}, "model"),
            (openai.BadRequestError, {"max_tokens": 100000}, "max_tokens"),
            (openai.BadRequestError, {"max_tokens": 9000}, "messages"),
            (openai.BadRequestError, {"frequency_penalty": 0.5}, "frequency_penalty"),
            (openai.BadRequestError, {"logit_bias": {"5": 1}}, "logit_bias"),
            (openai.BadRequestError, {"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
            (openai.BadRequestError, {"extra_body": {"frobnicate": 1}}, "frobnicate"),
            (openai.BadRequestError, {"messages": [{"role": "user", "content": "x"}] * 5000}, "messages"),
        ]
        for kind, more, param in cases:
            with self.assertRaises(kind, msg=param) as caught:
                self.chat(**more)
            self.assertEqual(caught.exception.param, param)
            self.assertIn(param, caught.exception.message)

    def test_serves_eight_streams_at_once(self):
        alone = [self.chat(seed=seed).choices[0].message.content for seed in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda seed: self.stream_text(seed=seed)[0], range(8)))
        self.assertEqual(alone, together)

    def test_a_closed_stream_frees_its_place(self):
        for _ in range(10):
            stream = self.chat(stream=True, max_tokens=4000, temperature=1.5)
            next(iter(stream))
            stream.close()
        self.assertTrue(self.chat(max_tokens=5).choices[0].message.content)


class ToolCalls(unittest.TestCase):
    server: Server

    def chat(self, **more):
        fields = {"model": self.server.model, "messages": ASK, "max_tokens": 120, "seed": 7, "tools": TOOLS}
        return self.server.client.chat.completions.create(**(fields | more))

    def check(self, call):
        self.assertEqual(call.type, "function")
        arguments = json.loads(call.function.arguments)
        if call.function.name == "price_of":
            jsonschema.validate(arguments, TOOLS[0]["function"]["parameters"])
        else:
            self.assertEqual((call.function.name, arguments), ("time_now", {}))

    def test_a_required_call_satisfies_its_schema(self):
        named = {"type": "function", "function": {"name": "price_of"}}
        for choice in ("required", named):
            for seed in range(3):
                answer = self.chat(tool_choice=choice, seed=seed).choices[0]
                self.assertEqual(answer.finish_reason, "tool_calls")
                self.assertIsNone(answer.message.content)
                self.assertEqual(len(answer.message.tool_calls), 1)
                self.check(answer.message.tool_calls[0])
                if choice is named:
                    self.assertEqual(answer.message.tool_calls[0].function.name, "price_of")

    def test_a_stream_brings_the_same_call(self):
        whole = self.chat(tool_choice="required").choices[0].message.tool_calls[0]
        name, arguments, finish, ids = "", "", None, set()
        for chunk in self.chat(tool_choice="required", stream=True):
            for choice in chunk.choices:
                self.assertFalse(choice.delta.content)
                finish = choice.finish_reason or finish
                for delta in choice.delta.tool_calls or []:
                    self.assertEqual(delta.index, 0)
                    ids |= {delta.id} if delta.id else set()
                    name += delta.function.name or ""
                    arguments += delta.function.arguments or ""
        self.assertEqual((name, arguments), (whole.function.name, whole.function.arguments))
        self.assertEqual((finish, len(ids)), ("tool_calls", 1))

    def test_a_call_of_its_own_is_found(self):
        # Small as it is, the model goes on as the conversation did; greedy, so always in the same way.
        messages = []
        for i, question in enumerate(("What time is it?", "And now?", "And what is the time now?")):
            call = {"id": f"c{i}", "type": "function", "function": {"name": "time_now", "arguments": "{}"}}
            messages += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{i}", "content": f"10:0{i}"},
                {"role": "assistant", "content": f"It is 10:0{i}."},
            ]
        fields = {"messages": [*messages, {"role": "user", "content": "What time is it now?"}], "tools": TOOLS[1:]}
        for parallel in (True, False):
            answer = self.chat(temperature=0, parallel_tool_calls=parallel, **fields).choices[0]
            self.assertEqual(answer.finish_reason, "tool_calls")
            self.assertEqual([c.function.name for c in answer.message.tool_calls], ["time_now"])
            self.assertIsNone(answer.message.content)
        deltas = [c.choices[0].delta for c in self.chat(temperature=0, stream=True, **fields)]
        self.assertEqual("".join(d.content or "" for d in deltas), "")
        calls = [call.function for d in deltas for call in d.tool_calls or []]
        self.assertEqual([c.name for c in calls], ["time_now", None])
        self.assertEqual("".join(c.arguments for c in calls), "{}")

    def test_a_conversation_goes_on_with_the_result(self):
        first = self.chat(tool_choice="required").choices[0].message
        call = first.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "61.20 EUR"}
        for more in ({"tool_choice": "none"}, {"tool_choice": "auto"}, {"parallel_tool_calls": False}):
            answer = self.chat(messages=[*ASK, first, result], max_tokens=40, **more).choices[0]
            if more.get("tool_choice") == "none":
                self.assertIsNone(answer.message.tool_calls)
                self.assertTrue(answer.message.content)
            self.assertIn(answer.finish_reason, ("stop", "length", "tool_calls"))

    def test_refuses_with_the_clients_own_errors(self):
        strict = [{"type": "function", "function": {**TOOLS[1]["function"], "strict": True}}]
        cases = [
            ({"tools": strict}, "tools"),
            ({"tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice.function.name"),
            ({"logprobs": True}, "logprobs"),
            ({"response_format": {"type": "json_object"}}, "response_format"),
        ]
        for more, param in cases:
            with self.assertRaises(openai.BadRequestError, msg=param) as caught:
                self.chat(**more)
            self.assertEqual(caught.exception.param, param)


def main():
    miner = sys.argv.pop(1)
    with tempfile.TemporaryDirectory(prefix="adit-openai-") as folder:
        template = pathlib.Path(folder) / "template.jinja"
        template.write_text(TEMPLATE)
        OpenAiClient.server = Server(miner, folder)
        ToolCalls.server = Server(miner, folder, "--chat-template", template)
        result = unittest.main(exit=False, verbosity=2).result
        for case in (OpenAiClient, ToolCalls):
            code = case.server.stop()
            assert code == 0, f"serve-http ended with {code}"
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
