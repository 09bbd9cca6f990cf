#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/vectors/chat/templates.json.gz: templates, messages and what PyPI jinja2 renders.

usage: make_vectors.py OUT.json.gz
needs: PyPI jinja2 3.1.6

The environment is set as Hugging Face sets it for chat templates: sandboxed, trim_blocks, lstrip_blocks, loop
controls, raise_exception. One JSON object: templates (name -> text), cases (list of {template, messages, add,
bos, eos, out} or {…, error: true} where rendering raises).
"""
import gzip
import json
import random
import sys

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

# The template of SmolLM2-135M-Instruct, as its GGUF stores it.
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
# Written for these tests, in the manner of the families' templates.
CHATML = """{%- for message in messages -%}
    <|im_start|>{{ message.role }}
{{ message.content | trim }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
"""
LLAMA = """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{#- the system turn always stands #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if message.role not in ['user', 'assistant'] %}
        {{- raise_exception('unknown role ' ~ message.role) }}
    {%- endif %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MISTRAL = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system = false %}{% endif %}{{ bos_token }}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if loop.last and system %}{% set content = system ~ '\\n\\n' ~ message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' ~ content.strip() ~ ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content + eos_token }}{% endif %}{% endfor %}"""
THINKING = """{% set ns = namespace(first=true, count=0, last_user=-1) %}
{% for m in messages %}
{% if m.role == 'user' %}{% set ns.last_user = loop.index0 %}{% endif %}
{% endfor %}
{% for m in messages %}
  {%- if m.role == 'assistant' and '</think>' in m.content %}
    {%- set content = m.content.split('</think>')[-1].lstrip('\\n') %}
  {%- else %}
    {%- set content = m.content %}
  {%- endif %}
  {%- set ns.count = ns.count + 1 %}
  {{- '[' ~ ns.count ~ '/' ~ (messages | length) ~ ' ' ~ m.role | upper ~ (' *' if loop.index0 == ns.last_user else '') ~ '] ' ~ content ~ '\\n' }}
  {%- set ns.first = false %}
{% endfor %}
{{ 'first' if ns.first else 'seen' }} {{ ns.last_user }}
{% if add_generation_prompt is defined and add_generation_prompt %}
<think>
{% endif %}"""
ODDS = """{%- set sep = separator | default('|') -%}
{#- comment -#}  {# another #}
A{% for m in messages if m['role'] != 'system' %}
  {{ loop.index }}:{{ loop.revindex0 }}:{{ m.content[:3] }}~{{ m['content'][-2:] }}{{ sep }}
  {%- if loop.index == 4 %}{% break %}{% endif %}
{% else %}
none
{% endfor %}B
    {% if messages | length > 2 and not add_generation_prompt or false %}
    many {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 * 3 - 1 }} {{ '%s' }}
    {% elif messages|count == 1 %}one{% endif %}
{{ messages[0].missing }}{{ messages[9] is defined }} {{ none is none }} {{ 'a' < 'b' }} {{ 1 <= 2 <= 2 }}
{{ "quote\\"d" ~ 'it\\'s' ~ '\\u00e9\\x41\\q' }} {{ ['x', 'y'] | join(', ') }} {{ messages | first is mapping }}
{%+ if true %} kept {% endif +%}
{{ (messages|last).role.startswith('a') }} {{ 'abc'.replace('b', '--').upper() }} {{ range(3) | list | length }}
{% for k, v in messages[0].items() %}{{ k }}={{ v | trim }};{% endfor %}
{{ 3 in range(5) }} {{ messages[-1].content | length }} {{ not messages }} {{ '' or 'empty' }} {{ 0 and x }}
"""
TEMPLATES = {"smollm2": SMOLLM2, "chatml": CHATML, "llama": LLAMA, "mistral": MISTRAL, "thinking": THINKING,
             "odds": ODDS}

CONTENTS = ["Hello", "  spaces around \n", "", "What is 2+2?", "line one\nline two\n\n", "é ü 漢字 😀 e\u0301",
            "{{ not a template }} {% if %}", "<|im_end|>", "<think>hm</think>\n\nfour", "'quotes\" \\n", "\u00a0nb\u2003",
            "a" * 200, "\ttab", "x</think>y</think>z", "مرحبا", "0"]


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=["jinja2.ext.loopcontrols"])

    def raise_exception(message):
        raise TemplateError(message)

    env.globals["raise_exception"] = raise_exception
    return env


def conversations(rng):
    yield []
    for content in CONTENTS:
        yield [("user", content)]
    yield [("system", "Be brief."), ("user", "Hi")]
    yield [("user", "a"), ("user", "b")]
    yield [("tool", "x")]
    yield [("system", "only")]
    for _ in range(20):
        talk = [("system", rng.choice(CONTENTS))] if rng.random() < 0.4 else []
        for turn in range(rng.randint(1, 7)):
            talk.append(("user" if turn % 2 == 0 else "assistant", rng.choice(CONTENTS)))
        yield talk


def main():
    env = environment()
    rng = random.Random(20251125)
    cases = []
    for talk in conversations(rng):
        messages = [{"role": r, "content": c} for r, c in talk]
        for name, text in TEMPLATES.items():
            case = {"template": name, "messages": messages, "add": rng.random() < 0.5, "bos": "<s>", "eos": "</s>"}
            try:
                case["out"] = env.from_string(text).render(
                    messages=messages, add_generation_prompt=case["add"], bos_token="<s>", eos_token="</s>")
            except TemplateError:
                case["error"] = True
            cases.append(case)
    body = json.dumps({"templates": TEMPLATES, "cases": cases}, ensure_ascii=False, separators=(",", ":"))
    with open(sys.argv[1], "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
            out.write(body.encode())
    print(len(cases), "cases", sum("error" in c for c in cases), "errors")


main()
