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
import signal
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

ASK = [{"role": "user", "content": "Name three metals that are mined."}]


class Server:
    """One adit-miner serve-http on a free port; its log goes to stderr."""

    def __init__(self, miner, folder):
        pack = pathlib.Path(folder) / "smollm2.adit"
        packing = [miner, "pack", MODEL, "-o", pack, "--bits", "4", "--act", "a16"]
        subprocess.run(packing, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [miner, "serve-http", "--pack", pack, "--listen", "127.0.0.1:0", "--batch", "8", "--threads", "1"],
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
        self.assertEqual([m.id for m in models], [self.server.model])
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


def main():
    miner = sys.argv.pop(1)
    with tempfile.TemporaryDirectory(prefix="adit-openai-") as folder:
        OpenAiClient.server = Server(miner, folder)
        result = unittest.main(exit=False, verbosity=2).result
        code = OpenAiClient.server.stop()
        assert code == 0, f"serve-http ended with {code}"
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
