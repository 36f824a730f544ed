"""A server in, what it is and what its model is out: kind, version, name, context and chat template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from harness.engine.server.address import Address
from harness.engine.server.calls import Call
from harness.engine.server.fleet import FAILED, Fleet, RefusedError
from harness.engine.server.replies import MOST_COUNTED
from harness.engine.server.servers import Server
from harness.errors import ModelError, did_you_mean
from harness.visible import visible
from harness.wording import some

OWNERS = {
    "vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp", "library": "Ollama", "organization_owner": "LM Studio",
}  # fmt: skip
"""Kinds of servers, by what their lists of models name as the owner."""

UNKNOWN = "an OpenAI-compatible server"

TRANSFORMERS = "transformers serve"

TAKES_ARGUMENTS = frozenset({"vLLM", "SGLang", "llama.cpp", TRANSFORMERS, UNKNOWN})
"""Kinds that pass arguments to the chat template, or refuse them; others ignore them."""

CUT = frozenset({"Ollama", "LM Studio"})
"""Kinds that answer a prompt which is too long for them without its beginning or its middle."""

LEAST_CONTEXT = 2048
"""Tokens that Ollama reads where it does not say how many."""

LONGEST = 200


@dataclass(frozen=True)
class Found:
    """What a server tells of itself and of its model; None for what it does not tell.

    Attributes:
        vocabulary: the size.
        start: the text of the token that begins a text.
        digest: of the model's files.
        cuts: whether it cuts a prompt that is too long, and does not say so.
    """

    url: str
    model: str
    kind: str = UNKNOWN
    version: str | None = None
    context: int | None = None
    template: str | None = None
    vocabulary: int | None = None
    start: str | None = None
    digest: str | None = None
    cuts: bool = False

    @property
    def name(self) -> str:
        """The kind with its version."""
        return f"{self.kind} {self.version}" if self.version else self.kind


async def find(fleet: Fleet, server: Server) -> Found:
    """What a server is.

    Raises:
        ModelError: it does not have the model, wants another key, or has no list of models and none was named.
        EngineError: it cannot be reached, or fails all the time.
    """
    named = fleet.address.model
    try:
        listed = await fleet.ask(Call("models", None, lambda data: data), server, reach=True)
    except RefusedError as error:
        check_key(error, server.url, fleet.address)
        if error.refusal.status < 400 or (named is None and error.refusal.status in (404, 405, FAILED)):
            raise ModelError(
                f"{server.url}: no list of models there: {error.refusal.why}\n"
                "  the address of most servers ends in /v1; where one lists no models, name yours: #NAME"
            ) from error
        listed = {}
    entries = [entry for entry in _list(listed.get("data")) if isinstance(entry, dict) and entry.get("id")]
    owners = {str(entry.get("owned_by")) for entry in entries}
    if not (owners and owners <= OWNERS.keys()) and await _is_transformers(fleet, server):
        # it lists what lies in the hub's cache, not what it serves
        entry = {"id": named} if named else _entry(entries, server.url, named)
        return Found(server.url, str(entry["id"]), TRANSFORMERS)
    entry = _entry(entries, server.url, named)
    found = Found(server.url, str(entry["id"]), OWNERS.get(str(entry.get("owned_by")), UNKNOWN))
    return await _more(fleet, server, found, entry)


async def _is_transformers(fleet: Fleet, server: Server) -> bool:
    """Whether a server is `transformers serve`, which alone has these paths."""
    told = await fleet.told_by(server, Call("/openapi.json", None, lambda data: data)) or {}
    return {"/load_model", "/reset", "/v1/responses"} <= _dict(told.get("paths")).keys()


def check_key(error: RefusedError, url: str, address: Address) -> None:
    """Explain a refusal of the key; raises ModelError."""
    status, why = error.refusal.status, error.refusal.why
    if status == 401 and address.key is None:
        hint = "it wants a key: name the variable that holds it, as in ?key=MY_KEY"
    elif status in (401, 403):
        hint = "see whether the key is this server's, and may use the model"
    else:
        return
    raise ModelError(f"{url}: {why}\n  {hint}") from error


def _entry(entries: Sequence[dict[str, Any]], url: str, named: str | None) -> Mapping[str, Any]:
    """What a server lists of the model; raises ModelError if it is not clear which that is."""
    names = [str(entry["id"]) for entry in entries]
    listed = some([visible(name[:LONGEST]) for name in names], 20)
    if named is None:
        if len(entries) == 1:
            return entries[0]
        what = f"serves {len(names)} models" if names else "lists no model"
        raise ModelError(
            f"{url}: {what}, and the reference names none\n  add #NAME{f', one of: {listed}' if names else ''}"
        )
    for entry in entries:
        aliases = [str(alias) for alias in _list(entry.get("aliases"))]
        if named in (entry["id"], *aliases) or entry["id"] == f"{named}:latest":
            return entry
    if not entries:
        return {"id": named}
    near = did_you_mean(named, names)
    raise ModelError(f"{url}: serves no model '{named}'\n  {f'{near} ' if near else ''}it serves: {listed}")


async def _more(fleet: Fleet, server: Server, found: Found, entry: Mapping[str, Any]) -> Found:
    async def told(path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        return await fleet.told_by(server, Call(path, body, lambda data: data)) or {}

    base = replace(found, context=_int(entry.get("max_model_len")), cuts=found.kind in CUT)
    match found.kind:
        case "vLLM":
            return replace(base, version=_text((await told("/version")).get("version")))
        case "SGLang":
            info = await told("/server_info") or await told("/get_server_info")
            return replace(
                base, version=_text(info.get("version")), cuts=info.get("allow_auto_truncate") is True
            )
        case "llama.cpp":
            return _of_llama(base, await told("/props"), entry)
        case "Ollama":
            shown = await told("/api/show", {"model": found.model})
            tags = _list((await told("/api/tags")).get("models"))
            return _of_ollama(
                replace(base, version=_text((await told("/api/version")).get("version"))), shown, tags
            )
    if entry.get("owned_by") in (entry.get("id"), None):  # as TGI lists it
        info = await told("/info")
        if info.get("model_id") and "max_total_tokens" in info:
            context, version = _int(info["max_total_tokens"]), _text(info.get("version"))
            return replace(base, kind="TGI", version=version, context=context)
    return base


async def find_loaded(fleet: Fleet, server: Server, found: Found) -> Found:
    """The same once the model has answered, as some servers load it for its first request, and tell only then how much it reads."""

    async def told(path: str) -> Mapping[str, Any]:
        return await fleet.told_by(server, Call(path, None, lambda data: data)) or {}

    match found.kind:
        case "Ollama":
            running = map(_dict, _list((await told("/api/ps")).get("models")))
            lengths = [model.get("context_length") for model in running if _is(found.model, model)]
            known = _int(lengths[0]) if lengths else None
            return replace(found, context=known or found.context or LEAST_CONTEXT)
        case "LM Studio":
            loaded = await told(f"/api/v0/models/{quote(found.model)}")
            length = loaded.get("loaded_context_length") or loaded.get("max_context_length")
            return replace(found, context=_int(length))
    return found


def _is(model: str, entry: Mapping[str, Any]) -> bool:
    """Whether an entry of Ollama's lists is that of a model."""
    return entry.get("name") in (model, f"{model}:latest")


def _of_llama(base: Found, props: Mapping[str, Any], entry: Mapping[str, Any]) -> Found:
    meta, settings = _dict(entry.get("meta")), _dict(props.get("default_generation_settings"))
    return replace(
        base,
        version=_text(props.get("build_info")),
        context=_int(settings.get("n_ctx")) or _int(meta.get("n_ctx")),
        template=_text(props.get("chat_template"), 1 << 20),
        vocabulary=_int(meta.get("n_vocab")),
        start=_text(props.get("bos_token")) or _text(props.get("eos_token")),
    )


def _of_ollama(base: Found, shown: Mapping[str, Any], tags: Sequence[Any]) -> Found:
    digests = [tag.get("digest") for tag in map(_dict, tags) if _is(base.model, tag)]
    parameters = re.search(r"^num_ctx\s+(\d{1,9})$", str(shown.get("parameters", "")), re.MULTILINE)
    return replace(
        base,
        context=int(parameters[1]) if parameters else None,
        digest=_text(digests[0]) if digests else None,
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _int(value: Any) -> int | None:
    return value if type(value) is int and 0 < value <= MOST_COUNTED else None


def _text(value: Any, most: int = LONGEST) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= most else None
