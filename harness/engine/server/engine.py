"""Requests in, Answers out, from a model behind one server or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeGuard

from harness.bounded.jinja import TemplateError, TemplateLimitError, template_uses
from harness.engine.abilities import Done
from harness.engine.requests import (
    Answer,
    Chat,
    ChatText,
    Continuations,
    Generate,
    Generated,
    MultipleChoice,
    Plain,
    Progress,
    Prompt,
    Request,
    RollingLogLikelihood,
    Scored,
    UnansweredError,
    answer_from,
)
from harness.engine.server.calls import Call
from harness.engine.server.examining import Examined
from harness.engine.server.finding import TAKES_ARGUMENTS, UNKNOWN
from harness.engine.server.fleet import Fleet, GoneError
from harness.engine.server.reading import RENDERS, Read, Reader, TokenizerReader, bytes_of
from harness.engine.server.replies import usage_of
from harness.engine.server.scoring import Scorer
from harness.engine.server.writing import arguments_of, generated, limits_of, messages_of
from harness.engine.streaming import ask_by_stream
from harness.engine.transformers.prompted import Prompted
from harness.engine.transformers.reasoning import Mark
from harness.errors import EngineError
from harness.suites.format import AnswerKind

if TYPE_CHECKING:
    from harness.engine.transformers.prompting import Prompting

MOST_RENDERED = 4096
"""Prompts whose text is kept."""

BACKENDS = {"vLLM": "vllm"}
"""Names of what computes answers, where it runs in this process too under another."""


class ServerEngine:
    """A model behind servers that speak OpenAI's API.

    Args:
        examined: what the servers can do; the first of several.
        scorer: gives log-probabilities; None if the servers give none.
        marks: how the chat template marks reasoning; None if that is not known.
        identity: what tells the model from every other; None if nothing does.
        digits: equal only for models that answer with the same log-probabilities; None if it gives none.
        sources: what it has in common only with engines of the same model.
        notes: for the user.

    Attributes:
        renders_here: whether chats go as the tokens that `reader` makes, not as messages.
    """

    renders_here = False

    def __init__(
        self,
        fleet: Fleet,
        examined: Examined,
        reader: Reader,
        scorer: Scorer | None,
        *,
        marks: list[Mark] | None,
        identity: str | None,
        digits: str | None,
        text_identity: str,
        sources: frozenset[str],
        notes: Sequence[str],
    ) -> None:
        self.fleet = fleet
        self.label = fleet.label
        self.examined = examined
        self.reader = reader
        self.scorer = scorer
        self.marks = marks
        self.identity = identity
        self.digits = digits
        self.text_identity = text_identity
        self.sources = sources
        self.notes = tuple(notes)
        self.replies = examined.replies
        scores: frozenset[AnswerKind] = frozenset({"choose", "likelihood"}) if scorer else frozenset()
        self.kinds: frozenset[AnswerKind] = scores | {"generate"}
        kind = examined.found.kind
        # nothing shows that two servers of no known kind compute alike
        self.backend = f"{UNKNOWN} at {fleet.address.places}" if kind == UNKNOWN else BACKENDS.get(kind, kind)
        how = "tokens" if self.renders_here else "messages"
        self.device = f"{examined.found.name} at {fleet.address.places}, chats as {how}"
        self._shown = lru_cache(MOST_RENDERED)(self._render)

    # Asking

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; equal requests are asked once.

        Raises:
            EngineError: a server refuses a request, or no server answers any more.
        """
        return ask_by_stream(self, requests, progress)

    def stream(self, requests: Sequence[Request], done: Done) -> None:
        """Answer distinct requests, and pass the answers on as they come; raises as `ask`."""
        jobs = [(request, partial(self._answer, request)) for request in requests]
        with closing(self.fleet.results(jobs)) as results:
            for answers in results:
                done(answers, 0)

    async def _answer(self, request: Request) -> Answer:
        if why := self.refusal(request):
            raise UnansweredError(f"{self.label}: {why}", request)
        try:
            if isinstance(request, Generate):
                return await self._written(request)
            return await self._scored(request)
        except GoneError:
            raise
        except EngineError as error:
            raise UnansweredError(error.text, request) from error

    async def _written(self, request: Generate) -> Generated:
        prompt = request.prompt
        given: dict[str, Any]
        if _is_chat(prompt) and not self.renders_here:
            path, dialect = "chat/completions", self.examined.chat
            given = {"messages": messages_of(prompt), **arguments_of(prompt.arguments)}
        else:
            path, dialect = "completions", self.examined.text
            given = {"prompt": await self.reader.prompt(request)}
            if isinstance(prompt, Chat) and self.examined.found.kind == "vLLM":  # its template wrote them
                given["add_special_tokens"] = False
        apart = self.examined.apart and path == "chat/completions"
        inside = None if apart else await self.reader.inside(prompt)
        limits = limits_of(request, self.marks_reasoning, inside)
        body = dialect.body(self.examined.found.model, **given, **limits)

        def read(data: dict[str, Any]) -> Generated:
            answer = generated(data, self.replies.choice(data, body), request, self.marks, inside)
            self._check_whole(data, given.get("prompt"))
            return answer

        return await self.fleet.ask(Call(path, body, read))

    def _check_whole(self, data: Mapping[str, Any], sent: Read | None) -> None:
        """Refuse an answer to a part of the prompt; raises EngineError."""
        prompt, written = usage_of(data, "prompt_tokens") or 0, usage_of(data, "completion_tokens") or 0
        if isinstance(sent, list) and prompt not in (0, len(sent)):
            raise EngineError(f"{self.label}: was sent {len(sent)} tokens and read {prompt}")
        context = self.examined.found.context
        if context and prompt + written > context + 1:  # the last token is not read
            raise EngineError(
                f"{self.label}: it reads {context:,} tokens, and forgot the beginning of the {prompt + written:,} of prompt and answer\n"
                "  serve it with a longer context"
            )

    async def _scored(self, request: Scored) -> Answer:
        assert self.scorer is not None, "such a request is refused"
        found = [await self.scorer.measured(part) for part in await self.reader.parts(request)]
        likelihoods = [(measured.logprob, measured.greedy) for measured in found]
        tokens = sum(measured.tokens for measured in found)
        return answer_from(request, likelihoods, tokens, self.examined.found.vocabulary)

    # What it cannot answer

    def refusal(self, request: Request) -> str | None:
        """Why a request cannot be answered, known before it is asked; None if it can be."""
        found = self.examined.found
        if (
            found.cuts
            and found.context
            and not self.renders_here
            and (size := bytes_of(request)) >= found.context
        ):
            return (
                f"{found.kind} may cut a prompt that is longer than the {found.context:,} tokens that it reads, and does not say so; "
                f"this one may be: it has {size:,} bytes\n  serve the model with a context of {size + 1:,} tokens or more"
            )
        if isinstance(request, Generate) and _is_chat(request.prompt) and not self.renders_here:
            if why := self.examined.no_chat:
                return f"it answers no chats: {why}"
            if request.prompt.arguments and found.kind not in TAKES_ARGUMENTS:
                return f"{found.kind} takes no arguments of the chat template"
            return None
        if why := self.examined.no_text:
            return f"it continues no text, by /completions: {why}"
        if not isinstance(request, Generate) and self.scorer is None:
            return (
                f"it gives no log-probabilities, as 'answer: choose' and 'answer: likelihood' need: {self.examined.no_echo}\n"
                "  leave such suites out, or serve the model by vLLM or llama.cpp"
            )
        if (
            not self.renders_here
            and found.kind not in RENDERS
            and any(isinstance(prompt, Chat) for prompt in _prompts(request))
        ):
            kind = "the server" if found.kind == UNKNOWN else found.kind
            return (
                f"{kind} does not show what its chat template makes of a chat\n"
                "  name the model's tokenizer, which renders chats here: ?tokenizer=FOLDER"
            )
        return None

    # What it tells

    @property
    def marks_reasoning(self) -> bool:
        """Whether the model reasons before an answer, as its replies or its template show."""
        return self.examined.reasons or bool(self.marks)

    @cached_property
    def template_names(self) -> frozenset[str] | None:
        """The variables that the chat template reads; None if the server does not show it."""
        if (template := self.examined.found.template) is None:
            return None
        try:
            return template_uses("chat", template).names
        except (TemplateError, TemplateLimitError):
            return None

    def render(self, prompt: Prompt) -> str:
        """The text that the model reads for a prompt; of a chat whose template the server does not show, the messages."""
        return self._shown(prompt)

    def shows(self, prompt: Prompt) -> bool:
        """Whether `render` gives the text that the model reads."""
        return isinstance(prompt, Plain) or self.renders_here or self.examined.found.kind in RENDERS

    def _render(self, prompt: Prompt) -> str:
        if isinstance(prompt, Plain):
            return prompt.text
        if self.shows(prompt):
            return self.fleet.value(lambda: self.reader.shown(prompt))
        return "".join(f"[{turn.role}]\n{turn.content}\n" for turn in prompt.messages)

    def remember(self, key: Sequence[Any], find: Callable[[], Any]) -> Any:
        """What `find` finds: nothing is kept. So prompts are compared only where `text_identity` differs."""
        return find()

    def told(self) -> list[str]:
        """What happened since this was last read: requests that were sent again, and servers that were left out."""
        return self.fleet.told()


class TokensEngine(ServerEngine, Prompted):
    """The same, sent the tokens of a tokenizer here, so it tells them too."""

    renders_here = True
    template_names = Prompted.template_names

    reader: TokenizerReader

    @property
    def prompting(self) -> Prompting:  # type: ignore[override]  # its reader's
        """What the model reads for a request."""
        return self.reader.prompting

    @property
    def tokenizer(self) -> Any:
        """What makes the tokens."""
        return self.prompting.tokenizer


def _is_chat(prompt: Prompt) -> TypeGuard[Chat]:
    """Whether a prompt is a chat that goes as messages where the server's template renders it."""
    return isinstance(prompt, Chat) and not isinstance(prompt, ChatText)


def _prompts(request: Request) -> list[Prompt]:
    match request:
        case RollingLogLikelihood():
            return []
        case Continuations(pairs=pairs):
            return [prompt for prompt, _ in pairs]
        case Generate(prompt=prompt) | MultipleChoice(prompt=prompt):
            return [prompt]
