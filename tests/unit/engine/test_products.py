"""Linear layers by the faster library of a CPU: the same products, and torch's own function again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Barrier, Thread

import pytest
import torch
from torch.nn import functional

from harness.engine.transformers import products
from harness.engine.transformers.products import SMALLEST, by_onednn, fast_products, onednn_is_faster, rounded

CPU = torch.device("cpu")
OWN = functional.linear
LARGE = (192, 128)
"""A weight that oneDNN takes."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.Size]]:
    """The shapes of the weights that oneDNN multiplied by, on a machine where it is the faster."""
    seen: list[torch.Size] = []

    def counted(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        seen.append(weight.shape)
        return by_onednn(rows, weight, bias)

    monkeypatch.setattr(products, "onednn_is_faster", lambda: True)
    monkeypatch.setattr(products, "by_onednn", counted)
    yield seen
    assert functional.linear is OWN


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


needs_onednn = pytest.mark.skipif(products._onednn() is None, reason="this build of torch has no oneDNN")


@needs_onednn
@pytest.mark.parametrize(
    "shape", [(1, 128), (5, 128), (2, 7, 128), (1, 1, 128), (33, 128), (4, 4, 128), (2, 0, 128)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_torch(calls: list[torch.Size], shape: tuple[int, ...], bias: bool) -> None:
    rows, weight, added = drawn(*shape), drawn(*LARGE), drawn(LARGE[0]) if bias else None
    with torch.inference_mode(), fast_products(CPU):
        found = functional.linear(rows, weight, added)
    assert len(calls) == (0 not in shape)
    torch.testing.assert_close(found, OWN(rows, weight, added), rtol=1e-5, atol=1e-4)


@needs_onednn
def test_gradients_are_those_of_torch(calls: list[torch.Size]) -> None:
    def gradients() -> list[torch.Tensor]:
        given = [drawn(3, 5, 128), drawn(*LARGE), drawn(LARGE[0])]
        for tensor in given:
            tensor.requires_grad_(True)
        functional.linear(*given).square().sum().backward()  # type: ignore[no-untyped-call]
        return [tensor.grad for tensor in given if tensor.grad is not None]

    wanted = gradients()
    with fast_products(CPU):
        found = gradients()
    assert len(calls) == 3  # the layer, and the gradients of its rows and weight
    assert len(found) == 3
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-2)


@needs_onednn
def test_frozen_weights_take_no_gradient(calls: list[torch.Size]) -> None:
    rows = drawn(4, 128).requires_grad_(True)
    with fast_products(CPU):
        functional.linear(rows, drawn(*LARGE)).sum().backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    assert len(calls) == 2


class Packed(torch.nn.Parameter):
    """Stands for a quantised weight, which multiplies in its own way."""


@needs_onednn
@pytest.mark.parametrize(
    ("rows", "weight"),
    [
        (drawn(4, 128), drawn(SMALLEST // 128 - 1, 128)),
        (drawn(4, 128).bfloat16(), drawn(*LARGE).bfloat16()),
        (drawn(4, 128).double(), drawn(*LARGE).double()),
        (drawn(128), drawn(*LARGE)),
        (drawn(4, 128), Packed(drawn(*LARGE), requires_grad=False)),
    ],
    ids=["small", "bfloat16", "float64", "one-row", "quantised"],
)
def test_what_onednn_is_not_given(calls: list[torch.Size], rows: torch.Tensor, weight: torch.Tensor) -> None:
    with torch.inference_mode(), fast_products(CPU):
        found = functional.linear(rows, weight)
    assert not calls
    assert torch.equal(found, OWN(rows, weight))


def test_layers_elsewhere_keep_their_own(calls: list[torch.Size]) -> None:
    with fast_products(CPU):
        found = functional.linear(drawn(4, 128).to("meta"), drawn(*LARGE).to("meta"))
    assert not calls
    assert found.shape == (4, LARGE[0])


@needs_onednn
def test_under_autocast_torch_chooses(calls: list[torch.Size]) -> None:
    with torch.inference_mode(), fast_products(CPU), torch.autocast("cpu", torch.bfloat16):
        found = functional.linear(drawn(4, 128), drawn(*LARGE))
    assert not calls
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize(("rows", "many"), [(1, 1), (3, 4), (9, 16), (16, 16), (17, 32), (64, 64), (65, 80)])
def test_numbers_of_rows_are_few(rows: int, many: int) -> None:
    assert rounded(rows) == many


def test_a_gpu_keeps_its_own(calls: list[torch.Size]) -> None:
    with fast_products(torch.device("cuda")):
        assert functional.linear is OWN


def test_blocks_in_two_threads_overlap_and_nothing_stays(calls: list[torch.Size]) -> None:
    inside, one_left = Barrier(2), Barrier(2)
    after: list[bool] = []

    def first() -> None:
        with fast_products(CPU):
            inside.wait(10)
        one_left.wait(10)

    def second() -> None:
        with fast_products(CPU):
            inside.wait(10)
            one_left.wait(10)
            after.append(functional.linear is OWN)

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert after == [False]
    assert functional.linear is OWN


def test_an_error_inside_leaves_nothing(calls: list[torch.Size]) -> None:
    with pytest.raises(KeyError), fast_products(CPU):
        raise KeyError


@needs_onednn
@pytest.mark.parametrize(("own", "other", "chosen"), [(2.0, 1.0, True), (1.2, 1.0, False), (1.0, 2.0, False)])
def test_only_what_is_much_faster_is_chosen(
    monkeypatch: pytest.MonkeyPatch, own: float, other: float, chosen: bool
) -> None:
    def seconds(linear: Callable[..., torch.Tensor], *given: torch.Tensor) -> float:
        return own if linear is OWN else other

    monkeypatch.setattr(products, "_seconds", seconds)
    assert onednn_is_faster.__wrapped__() is chosen


def test_a_build_without_onednn_is_never_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_onednn", lambda: None)
    assert onednn_is_faster.__wrapped__() is False


@needs_onednn
def test_whoever_turns_onednn_off_has_it_off() -> None:
    torch._C._set_mkldnn_enabled(False)
    try:
        assert onednn_is_faster.__wrapped__() is False
    finally:
        torch._C._set_mkldnn_enabled(True)
