"""A reference such as `http://127.0.0.1:8000/v1#name` in, its engine out: servers are found, examined and compared first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from harness.digest import digest
from harness.engine.server.address import Address, read_address
from harness.engine.server.canary import CHATS, MOST_APART, together
from harness.engine.server.engine import ServerEngine, TokensEngine
from harness.engine.server.examining import Examination, Examined
from harness.engine.server.finding import Found
from harness.engine.server.fleet import Fleet, RefusedError
from harness.engine.server.reading import RENDERS, Reader, ServerReader, TokenizerReader
from harness.engine.server.scoring import Echo, Scorer, Steps
from harness.engine.server.servers import Server
from harness.engine.server.writing import Dialect
from harness.engine.settings import Settings
from harness.engine.transformers.reasoning import Mark, marks_in
from harness.errors import EngineError, ModelError
from harness.models.allowed import Allowed
from harness.models.folder import find_folder
from harness.models.identity import tokenizer_identity
from harness.models.reference import Endpoint
from harness.versions import needed
from harness.visible import visible
from harness.wording import count

ASKING = 3
"""Raised whenever a change of this room changes what is asked of a server, or how its replies are read."""


def open_server(endpoint: Endpoint, settings: Settings) -> ServerEngine:
    """The engine of a model behind a server.

    Raises:
        ModelError: the reference is malformed, a server refuses the key, or does not serve the model.
        EngineError: no server can be reached, or they serve different models, or cannot be asked in one way.
    """
    address = read_address(f"{endpoint.scheme}:{endpoint.rest}")
    fleet = Fleet(address, f"{address.model or 'the model'} at {address.places}")
    here = TokenizerReader(_prompting(address.tokenizer, settings)) if address.tokenizer else None
    examined, left_out = fleet.value(lambda: _examined(fleet, here))
    fleet.label = f"{visible(examined[0].found.model)} at {address.places}"
    _check_alike(fleet, examined)
    common = _common(fleet, examined, here is not None)
    if here and common.no_text:
        raise ModelError(f"{address.reference}: takes no tokens, as 'tokenizer' needs: {common.no_text}")
    fleet.told()
    reader = here or ServerReader(fleet, common.found, common.reasons)
    through = (
        f"through {tokenizer_identity(_folder(address.tokenizer, settings))}" if address.tokenizer else None
    )
    how = f"asked {ASKING}, {through or 'chats as messages'}"
    digits = together([server.canary for server in examined])
    identity = _identity(address, common, examined, digits, how)
    text_identity = how if here else fleet.value(lambda: _text_identity(reader, common.found))
    opens = here is None and fleet.value(lambda: reader.inside(CHATS[0])) is not None
    kind = TokensEngine if here else ServerEngine
    return kind(
        fleet,
        replace(common, reasons=common.reasons or opens),
        reader,
        _scorer(fleet, common, here is not None),
        marks=_marks(common, here),
        identity=identity,
        digits=digits,
        text_identity=text_identity,
        sources=_sources([server.found for server in examined]),
        notes=[*left_out, *_notes(fleet, common, identity), *_unproven(fleet, examined)],
    )


async def _examined(fleet: Fleet, reader: Reader | None) -> tuple[list[Examined], list[str]]:
    """What all servers can do, and notes on those that cannot be reached; raises what the first raises if none can."""

    async def examine(server: Server) -> Examined | EngineError:
        try:
            return await Examination(fleet, server, reader).result()
        except EngineError as error:
            server.fault = server.fault or error.text
            return error

    found = await asyncio.gather(*(examine(server) for server in fleet.servers))
    good = [result for result in found if isinstance(result, Examined)]
    errors = [result for result in found if isinstance(result, EngineError)]
    if not good:
        raise errors[0]
    return good, [f"left out: {error.text}" for error in errors]


def _check_alike(fleet: Fleet, examined: Sequence[Examined]) -> None:
    """Refuse servers that serve different models under one name; raises EngineError."""
    first = examined[0]
    for other in examined[1:]:
        named = (first.replies.model, other.replies.model)
        if named[0] != named[1] and None not in named:
            why = (
                f"the first names its model '{visible(str(named[0]))}', the other '{visible(str(named[1]))}'"
            )
        elif (first.found.digest or other.found.digest) != (other.found.digest or first.found.digest):
            why = (
                f"the files of the first have the digest {_short(first)}, those of the other {_short(other)}"
            )
        elif not first.canary.is_like(other.canary):
            why = "they answer the same prompts with other probabilities"
        else:
            continue
        raise EngineError(
            f"{fleet.label}: {first.found.url} and {other.found.url} serve different models: {why}"
        )


def _common(fleet: Fleet, examined: Sequence[Examined], by_tokens: bool) -> Examined:
    """What each server can do, asked as all take it; raises EngineError if they cannot be asked in one way."""
    first = examined[0]
    known: dict[str, tuple[str, str]] = {}
    for server in examined:
        for what, manner in _manner(server, by_tokens):
            url, before = known.setdefault(what, (server.found.url, manner))
            if before != manner:
                raise EngineError(
                    f"{fleet.label}: {url} and {server.found.url} cannot be asked in one way: "
                    f"{what} of the first is {visible(before)}, that of the other {visible(manner)}\n"
                    "  name servers that run one program, with the same options"
                )

    def why_not(reasons: Sequence[str | None]) -> str | None:
        """The reason of the first server that has one, with its address unless all have one."""
        for server, reason in zip(examined, reasons, strict=True):
            if reason:
                return reason if all(reasons) else f"{server.found.url}: {reason}"
        return None

    contexts = [server.found.context for server in examined]
    cuts = any(server.found.cuts for server in examined)
    common = replace(
        first,
        found=replace(first.found, context=min(filter(None, contexts), default=None), cuts=cuts),
        chat=_taken_by_all([server.chat for server in examined]),
        text=_taken_by_all([server.text for server in examined]),
        no_chat=why_not([server.no_chat for server in examined]),
        no_text=why_not([server.no_text for server in examined]),
        no_echo=why_not([server.no_echo for server in examined]),
        reasons=any(server.reasons for server in examined),
    )
    if common.no_chat and common.no_text:
        raise EngineError(
            f"{fleet.label}: all servers together answer nothing\n  {common.no_chat}\n  {common.no_text}"
        )
    return common


def _taken_by_all(dialects: Sequence[Dialect]) -> Dialect:
    return replace(dialects[0], without=frozenset().union(*(dialect.without for dialect in dialects)))


def _manner(examined: Examined, by_tokens: bool) -> Iterator[tuple[str, str]]:
    """What must be the same for all servers of a model, in words."""
    yield "the kind", examined.found.kind
    yield "the name of the model", examined.found.model
    if examined.no_text is None:
        yield "the limit of texts", examined.text.renamed.get("max_tokens", "max_tokens")
    if by_tokens:
        return
    if examined.no_chat is None:
        yield "the limit of chats", examined.chat.renamed.get("max_tokens", "max_tokens")
    if examined.reasons:
        yield "the place of reasoning", "apart from the answer" if examined.apart else "in the answer"
    if examined.found.template:
        yield "the chat template", digest(examined.found.template)[:8]


def _short(examined: Examined) -> str:
    return visible(str(examined.found.digest)[:16])


def _unproven(fleet: Fleet, examined: Sequence[Examined]) -> list[str]:
    """A note on servers of which nothing shows that their models are one."""
    digests = {server.found.digest for server in examined}
    digits = {server.canary.digest for server in examined}
    if any(len(told) == 1 and None not in told for told in (digests, digits)):
        return []
    why = f"they answer the same prompts with log-probabilities that differ, by less than {MOST_APART:g} nats"
    if None in digits:
        why = "they tell no digest of its files and give no log-probabilities"
    servers = count(len(examined), "server")
    return [f"{fleet.label}: nothing shows that its {servers} serve one model: {why}"]


def _sources(servers: Sequence[Found]) -> frozenset[str]:
    """The digests of a model's files, and its names at its addresses."""
    digests = {found.digest for found in servers if found.digest}
    return frozenset(digests | {f"{httpx2.URL(found.url)}#{found.model}" for found in servers})


def _identity(
    address: Address, common: Examined, examined: Sequence[Examined], digits: str | None, how: str
) -> str | None:
    """What tells the model from every other: what the user says of it, the digest of its files, or its own digits."""
    refused = sorted(common.chat.without | common.text.without)
    how = ", ".join([how, *(f"without {name}" for name in refused)])
    if address.revision:
        return f"{common.found.model} {address.revision}, {how}"
    digests = {server.found.digest for server in examined}
    if len(digests) == 1 and None not in digests:
        return f"{common.found.model} {digests.pop()}, {common.found.name}, {how}"
    return f"{common.found.model} {digits[:32]}, {how}" if digits else None


async def _text_identity(reader: Reader, found: Found) -> str:
    """Equal for two models whose servers render, and refuse, chats alike, as far as they show that."""
    if found.kind not in RENDERS:
        return "unknown"
    shown: list[str | None] = []
    for chat in CHATS:
        try:
            shown.append(await reader.shown(chat))
        except RefusedError:
            shown.append(None)
    return digest([found.kind, shown]) if any(shown) else "unknown"


def _marks(examined: Examined, here: TokenizerReader | None) -> list[Mark] | None:
    """How the chat template marks reasoning; None if it is not shown."""
    if here is not None:
        return list(here.prompting.marks.pairs)
    template = examined.found.template
    return None if template is None else list(marks_in([template]))


def _scorer(fleet: Fleet, examined: Examined, by_tokens: bool) -> Scorer | None:
    found, replies = examined.found, examined.replies
    if examined.no_echo is None:
        return Echo(fleet, replies, examined.text, found.model, divides=found.kind == "vLLM")
    if found.kind == "llama.cpp" and found.vocabulary and (found.start or by_tokens):
        return Steps(fleet, found.vocabulary, found.start or "")
    return None


def _notes(fleet: Fleet, examined: Examined, identity: str | None) -> list[str]:
    found, tokenizer = examined.found, fleet.address.tokenizer
    context = f"reads {found.context:,} tokens" if found.context else "does not tell how much it reads"
    chats = f"messages, which its own template renders{_shown(found)}"
    if tokenizer:
        chats = f"tokens, through the template of {tokenizer}"
    notes = [f"{fleet.label}: {found.name}; {context}; chats go as {chats}"]
    if identity is None:
        notes.append(
            f"{fleet.label}: its answers are not kept, for it gives no log-probabilities by which to know the model again; "
            "say which it is to keep them: ?revision=TEXT"
        )
    for name in sorted(examined.chat.without | examined.text.without):
        notes.append(f"{fleet.label}: takes no '{name}', so it was left out")
    return notes


def _shown(found: Found) -> str:
    if not found.template:
        return ""
    return f" ({count(len(found.template), 'character')}, {digest(found.template)[:8]})"


def _folder(tokenizer: str, settings: Settings) -> Path:
    """The folder of a tokenizer, without weights that are pickled; raises ModelError."""
    return find_folder(tokenizer, Allowed(code=settings.allow_remote_code))


def _prompting(reference: str, settings: Settings) -> Any:
    """The `Prompting` of a tokenizer on this disk; raises ModelError."""
    folder = _folder(reference, settings)
    with needed():
        from harness.engine.transformers.prompting import Prompting
        from harness.engine.transformers.tokenizing import load_tokenizer

        tokenizer = load_tokenizer(reference, folder, settings.allow_remote_code)
    end = tokenizer.eos_token_id
    return Prompting(tokenizer, reference, [end] if end is not None else [], None)
