"""References to servers: what they name, and what is refused without showing a secret."""

from __future__ import annotations

import pytest

from harness.engine.server.address import read_address
from harness.errors import ModelError
from harness.models.folder import NOTHING
from harness.models.reference import Endpoint, find_pair, resolve
from harness.models.secrets import without_secrets

SCHEMES = ("http", "https")
SECRET = "sk-live-0815"


def read(reference, **variables):
    return read_address(reference, variables)


def test_a_reference_names_servers_a_model_and_how_to_ask():
    address = read(
        "http://a:1/v1,https://b/v1/?key=MY_KEY&revision=3f1c&concurrency=4&timeout=9.5&patience=0#org/name:8b",
        MY_KEY=f" {SECRET}\n",
    )
    assert address.urls == ("http://a:1/v1", "https://b/v1")
    assert (address.model, address.revision, address.concurrency) == ("org/name:8b", "3f1c", 4)
    assert (address.timeout, address.patience, address.key, address.places) == (
        9.5,
        0,
        SECRET,
        "a:1 and 1 more",
    )
    assert SECRET not in repr(address)


@pytest.mark.parametrize(
    ("reference", "url", "model"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1", None),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1", None),
        ("https://host/openai/v2#a%20b", "https://host/openai/v2", "a b"),
        ("http://host/v1#", "http://host/v1", None),
    ],
)
def test_an_address_may_be_short(reference, url, model):
    assert (read(reference).urls, read(reference).model) == ((url,), model)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("http://", "'http://' is no address of a server"),
        ("http://a:99999/v1", "Port out of range"),
        ("http://a b/v1", "is no address of a server"),
        ("http://a/v1/chat/completions#m", "name the server up to '/v1'"),
        ("http://a/v1,http://a/v1#m", "names 2 servers, 1 of them different"),
        ("http://a/v1?concurency=3", "did you mean 'concurrency'?"),
        ("http://a/v1?concurrency=0", "must be a whole number from 1 to 4096, saw '0'"),
        ("http://a/v1?concurrency=2.5", "must be a whole number"),
        ("http://a/v1?timeout=nan", "must be seconds from 0.1 to 86400, saw 'nan'"),
        ("http://a/v1?revision=", "the parameter 'revision' is empty"),
        ("http://a/v1?key=A&key=B", "the parameter 'key' is given twice"),
        ("http://a/v1?key=NOT_THERE", "the environment variable NOT_THERE holds no key"),
        (f"http://a/v1?key={SECRET}", "has a password or a key in it"),
        (f"http://a/v1?{SECRET}", "http://a/v1?(hidden): has a password or a key in it"),
        (
            f"http://a/v1?api_key={SECRET}",
            "no parameter 'api_key'\n  did you mean 'key'?\n  a key goes into an environment",
        ),
        (
            f"http://a/v1?token={SECRET}",
            "http://a/v1?token=(hidden): a server's reference has no parameter 'token'",
        ),
        ("http://a/v1?key=UMLAUT", "has characters that no HTTP header can hold"),
    ],
)
def test_a_malformed_reference_is_explained(reference, message):
    with pytest.raises(ModelError) as raised:
        read(reference, UMLAUT=f"{SECRET}\xfc")
    assert message in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("http://me:pass@host/v1#m", "http://(hidden)@host/v1#m"),
        (
            "--model=https://token@host/v1,http://u:p@other/v1",
            "--model=https://(hidden)@host/v1,http://(hidden)@other/v1",
        ),
        ("http://me:a/b?c#d,e@host/v1?timeout=3", "http://(hidden)@host/v1?timeout=3"),
        ("http://a:1,http://b:2/v1#@cf/m", "http://a:1,http://b:2/v1#@cf/m"),
        (f"http://host/v1?key={SECRET}&x=1", "http://host/v1?key=(hidden)&x=(hidden)"),
        (
            f"--model=http://host/v1?KEY={SECRET}&api-key=1",
            "--model=http://host/v1?KEY=(hidden)&api-key=(hidden)",
        ),
        (f"http://host/v1#m?key={SECRET}", "http://host/v1#m?key=(hidden)"),
        (f"http://host/v1?{SECRET}#R&D", "http://host/v1?(hidden)#R&D"),
        ("http://host/v1?key=SKLIVE0815", "http://host/v1?key=(hidden)"),
        ("http://host/v1?key=SKLIVE_0816", "http://host/v1?key=SKLIVE_0816"),
        ("http://host/v1?timeout=3&key=sk_0#m", "http://host/v1?timeout=3&key=(hidden)#m"),
        ("http://host/v1?key=MY_KEY#me@home", "http://host/v1?key=MY_KEY#me@home"),
        ("me@host a?b=c", "me@host a?b=c"),
    ],
)
def test_secrets_are_hidden_wherever_a_reference_is_shown(text, safe):
    assert without_secrets(text, {"SKLIVE_0816": SECRET}) == safe
    assert without_secrets(safe, {"SKLIVE_0816": SECRET}) == safe


@pytest.mark.parametrize(
    "reference",
    [
        f"http://me:{SECRET}@host/v1#m",
        f"HTTP://me:{SECRET}@host/v1#m",
        f"https://host/v1?key={SECRET}#m",
        f"https://host/v1?api_key={SECRET}#m",
    ],
)
def test_a_secret_in_a_reference_is_refused(reference):
    for use in (
        lambda: resolve(reference, SCHEMES),
        lambda: find_pair("http://a/v1", reference, NOTHING, SCHEMES),
    ):
        with pytest.raises(ModelError, match="into an environment variable") as raised:
            use()
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", [f"m-for-{SECRET}", f"m-for-{SECRET.replace('-', '%2D')}"])
def test_a_reference_with_the_key_in_it_is_refused(name):
    with pytest.raises(ModelError) as raised:
        read(f"http://a/v1?key=MY_KEY#{name}", MY_KEY=SECRET)
    assert str(raised.value) == (
        "http://a/v1?key=MY_KEY#m-for-(hidden): has the key in MY_KEY in it, which would be in every log\n"
        "  let the address and the model's name do without it"
    )


def test_a_word_that_stands_for_a_key_may_be_in_a_reference():
    assert read("http://a/v1?key=MY_KEY#ollama/m", MY_KEY="ollama").model == "ollama/m"


def test_a_reference_to_a_server_is_an_endpoint():
    assert resolve("http://a/v1,http://b/v1?key=K#m", SCHEMES) == Endpoint(
        "http", "//a/v1,http://b/v1?key=K#m"
    )
