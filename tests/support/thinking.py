"""Tokenizers of thinking models: the essential form of their templates, over a vocabulary of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from harness.engine.transformers.prompting import Prompting

QWEN = """\
{%- for m in messages -%}
{{ '<|im_start|>' + m.role + '\\n' }}
{%- if m.role == 'assistant' -%}
{%- set thought = m.reasoning_content if m.reasoning_content is string else '' -%}
{%- set content = m.content -%}
{%- if '</think>' in content -%}
{%- set thought = content.split('</think>')[0].split('<think>')[-1] -%}
{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}
{%- endif -%}
{%- if loop.last or thought -%}{{ '<think>\\n' + thought.strip() + '\\n</think>\\n\\n' }}{%- endif -%}
{{ content }}
{%- else -%}{{ m.content }}{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false -%}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif -%}
{%- endif -%}
"""
SMOL = """\
{%- set mode = '/think' -%}
{%- if enable_thinking is defined and enable_thinking is false -%}{%- set mode = '/no_think' -%}{%- endif -%}
{%- if messages[0].role == 'system' and '/no_think' in messages[0].content -%}{%- set mode = '/no_think' -%}{%- endif -%}
{{ '<|im_start|>system\\nReasoning Mode: ' + mode + '<|im_end|>\\n' }}
{%- for m in messages if m.role != 'system' -%}
{{ '<|im_start|>' + m.role + '\\n' }}
{%- if m.role == 'assistant' -%}
{%- generation -%}
{%- if mode == '/no_think' -%}{{ '<think>\\n\\n</think>\\n' }}{%- endif -%}{{ m.content.lstrip('\\n') }}
{%- endgeneration -%}
{%- else -%}{{ m.content }}{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}{%- if mode == '/no_think' -%}{{ '<think>\\n\\n</think>\\n' }}{%- endif -%}
{%- endif -%}
"""
DEEPSEEK = """\
{{- bos_token -}}
{%- for m in messages -%}
{%- if m.role == 'user' -%}{{ '<User>' + m.content }}{%- endif -%}
{%- if m.role == 'assistant' -%}{{ '<Assistant>' + m.content.split('</think>')[-1] + '<|im_end|>' }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<Assistant><think>\\n' }}{%- endif -%}
"""
HARMONY = """\
{%- for m in messages -%}
{%- if m.role == 'assistant' -%}
{%- if m.thinking and loop.last -%}
{{ '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}
{%- endif -%}
{{ '<|start|>assistant<|channel|>final<|message|>' + m.content }}
{{- '<|return|>' if loop.last else '<|end|>' -}}
{%- else -%}{{ '<|start|>' + m.role + '<|message|>' + m.content + '<|end|>' }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|start|>assistant' }}{%- endif -%}
"""
MAGISTRAL = """\
{{- bos_token + '[SYSTEM]First draft your thinking: [THINK]your thoughts[/THINK]here, your answer.[/SYSTEM]' -}}
{%- for m in messages -%}
{%- if m.role == 'user' -%}{{ '[INST]' + m.content + '[/INST]' }}{%- else -%}{{ m.content + '<|im_end|>' }}{%- endif -%}
{%- endfor -%}
"""
GLM = """\
{%- for m in messages -%}
{{ '<|' + m.role + '|>\\n' }}
{%- if m.role == 'assistant' -%}
{{ '<think>' + m.reasoning_content + '</think>' if m.reasoning_content else '<think></think>' }}
{%- endif -%}
{{ m.content }}
{%- if m.role == 'user' and enable_thinking is defined and not enable_thinking -%}/nothink{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|assistant|>\\n' }}{{ '<think></think>\\n' if enable_thinking is defined and not enable_thinking else '' }}
{%- endif -%}
"""
PLAIN = """\
{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""


@dataclass(frozen=True)
class Kind:
    """A family of models: its template, and which tokens its vocabulary has, special ones (hidden in a text) or others."""

    template: str
    special: tuple[str, ...] = ("<|im_start|>",)
    others: tuple[str, ...] = ()
    end: str = "<|im_end|>"


KINDS = {
    "qwen": Kind(QWEN, others=("<think>", "</think>")),
    "smol": Kind(SMOL, others=("<think>", "</think>")),
    "smol, special": Kind(SMOL, special=("<|im_start|>", "<think>", "</think>")),
    "deepseek": Kind(DEEPSEEK, special=("<User>", "<Assistant>"), others=("<think>", "</think>")),
    "deepseek, spelled": Kind(DEEPSEEK, special=("<User>", "<Assistant>")),
    "harmony": Kind(
        HARMONY, special=("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|call|>"), end="<|return|>"
    ),
    "magistral": Kind(MAGISTRAL, special=("[INST]", "[/INST]", "[THINK]", "[/THINK]")),
    "glm": Kind(GLM, special=("<|user|>", "<|assistant|>"), others=("<think>", "</think>")),
    "plain": Kind(PLAIN),
    "vocabulary": Kind(PLAIN, others=("<think>", "</think>")),
}


def tokenizer(kind: Kind, **more: Any) -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each byte, and those of the kind."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<s>", kind.end, *kind.special])
    backend.add_tokens([AddedToken(text, normalized=False) for text in kind.others])
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token=kind.end, pad_token=kind.end, **more
    )
    made.chat_template = kind.template
    return made


def prompting(name: str, **more: Any) -> Prompting:
    made = tokenizer(KINDS[name], **more)
    return Prompting(made, name, [made.eos_token_id])
