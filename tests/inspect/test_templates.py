"""Jinja templates: the ways out are told, whatever they are made of; templates of well-known shapes are silent."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import found, look, verdict

from watchword.inspect.facts import Verdict

# Each was seen to reach what it names under an unsandboxed Environment (as llama-cpp-python 0.2.71 had one), below.
ESCAPES = {
    "class": "{{ ().__class__.__base__.__subclasses__()|length }}",
    "globals": "{{ cycler.__init__.__globals__.os.getpid() }}",
    "item": "{{ cycler['__init__']['__globals__']['os'].getpid() }}",
    "attr": "{{ (cycler|attr('__init__')|attr('__globals__'))['os'].getpid() }}",
    "joined": "{{ (lipsum|attr(['__glo', 'bals__']|join))['os'].getpid() }}",
    "concatenated": "{% set a = '__glo' %}{% set b = 'bals__' %}{{ lipsum[a ~ b]['os'].getpid() }}",
    "formatted": "{{ (lipsum|attr('%s%s'|format('__glo', 'bals__')))['os'].getpid() }}",
    "multiplied": "{{ lipsum['_' * 2 ~ 'globals' ~ '_' * 2]['os'].getpid() }}",
    "reversed": "{{ (lipsum|attr('__slabolg__'[::-1]))['os'].getpid() }}",
    "escaped": "{{ lipsum['\\x5f\\x5fglobals\\x5f\\x5f']['os'].getpid() }}",
    "mapped": "{{ ([lipsum]|map(attribute='__globals__')|first)['os'].getpid() }}",
    "selected": "{{ [lipsum]|selectattr('__globals__')|list|length }}",
    "computed": "{{ (lipsum|attr(name))['os'].getpid() }}",
    "braces": "{{ '{0.__class__}'.format(x) }}",
    "private": "{{ self._TemplateReference__context.name }}",
}


@pytest.mark.parametrize("case", ESCAPES)
def test_a_way_out_of_a_template_is_dangerous(case: str) -> None:
    """Every sample renders without an error in an environment without sandbox, and is told without rendering.

    Fails where attributes by filter, by item or by a text that is put together are not followed.
    """
    from jinja2 import Environment

    assert Environment().from_string(ESCAPES[case]).render(name="__globals__", x=1).strip()
    assert verdict(ESCAPES[case].encode(), "chat_template.jinja") is Verdict.DANGEROUS


@pytest.mark.parametrize(
    "text",
    [
        "{{ __builtins__['eval']('1') }}", "{{ getattr('', '__class__') }}", "{{ x.os.popen('id').read() }}",
        "{{ request.application.__globals__ }}", "{{ config.__class__ }}", "{{ a.b.subprocess.check_output(['id']) }}",
        "{{ requests.get('https://a.example/') }}",
    ],
)  # fmt: skip
def test_an_attempt_is_told_even_where_the_renderer_has_no_such_name(text: str) -> None:
    """Names of other renderers (web frameworks) and of Python's builtins have no place in a chat template."""
    assert found(text.encode(), "chat_template.jinja") == {"template-escape"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "template-endless"),
        ("{% for i in range(5000) %}{% for j in range(5000) %}x{% endfor %}{% endfor %}", "template-endless"),
        ("{{ 'a' * 999999999 }}", "template-endless"),
        ("{{ message._hidden }}", "template-private"),
        ("{% include '/etc/passwd' %}", "template-include"),
        ("{% include '../' ~ x %}", "template-include"),
        ("{{ " + "(" * 500 + ")" * 500 + " }}", "template-limit"),
    ],
)
def test_what_keeps_a_renderer_busy_or_reads_elsewhere_is_told(text: str, rule: str) -> None:
    """Endless loops, long texts, templates from outside and nesting beyond what is parsed."""
    assert found(text.encode(), "chat_template.jinja") == {rule}


HONEST = [
    "{% for message in messages %}{{ '<|im|>' + message['role'] + '\n' + message['content'] }}{% endfor %}",
    "{%- set ns = namespace(found=false, last=messages|length - 1) %}{%- for m in messages[::-1] %}"
    "{%- set ns.found = m.content is string %}{%- endfor %}",
    "{%- macro render(tool) -%}{{ tool | tojson(indent=4) }}{{ render(tool.inner) if tool.inner }}{%- endmacro %}"
    "{%- for t in tools %}{{ render(t.function) }}{%- endfor %}{{ raise_exception('no') if x }}"
    "{{ strftime_now('%d') }}",
    "{{ message.content.split('</think>')[-1].lstrip('\n') }}{{ x.replace('__NAME__', name) }}{{ '__end__' in x }}",
    "{{ 'run these os. scenarios.' }}{{ 'call os.system() or __class__ to see' }}{{ tool.system }}{{ m['class'] }}",
    "{{ messages|selectattr('role', 'equalto', 'system')|map(attribute='content')|join('\n') }}{{ m.get('name') }}",
    "{% generation %}{{ m.content }}{% endgeneration %}{% for i in range(10) %}{{ i }}{% break %}{% endfor %}",
    "{{ config.name }}{{ self.title() }}{{ function.exec }}{{ tool.compile }}{{ tools.open }}{{ system.content }}",
    "no template at all, only {braces} and 100 % text",
]


@pytest.mark.parametrize("text", HONEST)
def test_ordinary_templates_are_silent(text: str) -> None:
    """Shapes of well-known models: namespaces, macros that call themselves, filters, prose with telling words."""
    assert look(text.encode(), "chat_template.jinja").findings == []


@pytest.mark.parametrize(
    "text",
    ["{{ a" + ".b" * 20_000 + "}}", "{{ a" + "|b" * 5_000 + "}}", "{{ a" + "()" * 9_000 + "}}", "{{" * 50_000,
     "{{ " + "not " * 9_000 + "1}}", "{% if a %}" * 3_000, "{% set a = a ~ a %}{{ x[a] }}" * 500, "{{ (-" * 9_000],
)  # fmt: skip
def test_hostile_templates_cost_bounded_time(text: str) -> None:
    """Long chains and deep nesting end in a verdict within seconds."""
    before = time.process_time()
    look(text.encode(), "chat_template.jinja")
    assert time.process_time() - before < 10


WORDS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "for",
    "in",
    "x",
    "|attr(",
    ")",
    "'__a__'",
    "~",
    "[",
    "]",
    ".",
    "if",
    "endif",
    " ",
    "1",
]


@given(st.lists(st.sampled_from(WORDS)))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(words: list[str]) -> None:
    """Whatever the words, there is a verdict and no exception."""
    assert verdict((" ".join(words) + " ").encode(), "x.jinja") in Verdict
