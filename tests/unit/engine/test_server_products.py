"""What programs do that serve models, each in its own way, and what is made of it."""

from __future__ import annotations

import pytest

from harness.engine.requests import Chat, Generate, Message, MultipleChoice, Plain, UnansweredError
from harness.errors import EngineError
from tests.support.served import chat, opened, serving


def ollama(context: int | None = 4096) -> dict[str, object]:
    """Ollama with a model that reads so many tokens, once it has answered; None for one that does not tell."""
    running = {"name": "tuned:latest", **({} if context is None else {"context_length": context})}
    return {"owner": "library", "told": {"/api/ps": {"models": [{"name": "other"}, running]}}}


def lm_studio() -> dict[str, object]:
    """LM Studio with a model that reads fewer tokens than it could."""
    lengths = {"max_context_length": 131_072, "loaded_context_length": 4096}
    return {"owner": "organization_owner", "told": {"/api/v0/models/tuned": lengths}}


def sglang() -> dict[str, object]:
    """SGLang that was told to cut; its models read 2,048 tokens here."""
    return {"owner": "sglang", "told": {"/server_info": {"allow_auto_truncate": True}}}


@pytest.mark.parametrize(
    ("behaviour", "kind", "context"),
    [
        (ollama(), "Ollama", 4096),
        (ollama(None), "Ollama", 2048),
        ({"owner": "library"}, "Ollama", 2048),
        (lm_studio(), "LM Studio", 4096),
        (sglang(), "SGLang", 2048),
    ],
)
def test_a_prompt_that_a_server_may_cut_in_silence_is_refused(behaviour, kind, context):
    with serving(**behaviour) as server:
        engine = opened(server).tuned
        fits = Generate(Chat((Message("system", "é" * 100), Message("user", "x" * (context - 201)))), 4)
        assert engine.refusal(fits) is None
        for request in (
            Generate(Chat((Message("system", "é" * 100), Message("user", "x" * (context - 200)))), 4),
            Generate(Plain("x" * context), 4),
            MultipleChoice(Plain("x" * (context - 1)), ("y",)),
        ):
            why = engine.refusal(request)
            assert why.startswith(
                f"{kind} may cut a prompt that is longer than the {context:,} tokens that it reads"
            )
            assert f"it has {context:,} bytes" in why
        with pytest.raises(EngineError, match="cannot be asked what the suites need"):
            opened(server, asked=[request])


def test_a_server_that_refuses_what_is_too_long_may_be_asked():
    with serving() as server:
        assert opened(server).tuned.refusal(Generate(chat("x" * 5000), 4)) is None


@pytest.mark.parametrize(("written", "whole"), [(49, True), (50, False)])
def test_an_answer_to_a_part_of_its_prompt_is_none(written, whole):
    def counted(body, reply):
        if "long" in str(body):
            reply["usage"] = {"prompt_tokens": 2000, "completion_tokens": written}
        return reply

    with serving(reply=counted) as server:
        engine = opened(server).tuned
        if whole:
            assert engine.ask([Generate(chat("long"), 99)])[0].text
            return
        with pytest.raises(
            UnansweredError, match=r"reads 2,048 tokens, and forgot the beginning of the 2,050"
        ):
            engine.ask([Generate(chat("long"), 99)])


@pytest.mark.parametrize("owner", ["library", "someone"])
def test_texts_that_a_server_makes_chats_of_are_refused(owner):
    def as_chat(body, reply):
        reply["usage"]["prompt_tokens"] += 0 if "messages" in body else 8
        return reply

    with serving(owner=owner, reply=as_chat) as server:
        engine = opened(server).tuned
        assert engine.kinds == {"generate"}
        why = "it continues no text, by /completions: it puts a text into the chat template ('a' became 9 tokens)"
        assert engine.refusal(Generate(Plain("It is"), 4)) == why
        assert engine.refusal(MultipleChoice(Plain("It is"), (" late",))) == why
        assert engine.ask([Generate(chat("It is"), 4)])[0].text == "tuned: It is"


@pytest.mark.parametrize("behaviour", [{"owner": "tuned", "models": ["tuned"]}, lm_studio()])
def test_arguments_that_a_server_ignores_are_refused(behaviour):
    told = {"/info": {"model_id": "tuned", "max_total_tokens": 4096, "version": "3.3"}}
    with serving(**{"told": told, **behaviour}) as server:
        engine = opened(server).tuned
        why = f"{engine.examined.found.kind} takes no arguments of the chat template"
        assert engine.refusal(Generate(chat("a", enable_thinking=False), 4)) == why
