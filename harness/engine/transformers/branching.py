"""Rows of tokens through a model whose attention can branch: what rows have in common is computed once, and nothing is padded.

The nodes of the rows' tree are read in slices, packed in one row of the model. Answers are written side by side, and one that has
ended makes room for the next prompt.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from harness.engine.batching import Budget
from harness.engine.pace import Pace
from harness.engine.requests import Likelihood
from harness.engine.transformers.attention import attending
from harness.engine.transformers.batches import Batch, batches
from harness.engine.transformers.forward import (
    LOGITS_BYTES,
    Forward,
    NotFinite,
    likeliest,
    log_probabilities,
)
from harness.engine.transformers.passes import Copy, ReadingPass, WritingPass
from harness.engine.transformers.prompting import Pair
from harness.engine.transformers.rows import Beginning, Rows, Trail
from harness.engine.transformers.writing import Writing
from harness.engine.tree import Bundle, TokenTree, bundles, grow

SHARE_READ = 24
"""A slice has this share of the tokens that a batch may hold: small enough for a CPU's caches."""

BUNDLE = 64
"""Nodes that attend together."""

REFILL = 8
"""Prompts are read once this share of the rows is free, so that several are read together."""

COMPACT_BELOW = 0.75
"""Without prompts left, the rows of ended answers are given up once a smaller share than this goes on."""


@dataclass(frozen=True)
class Branching:
    """The way of models whose attention can branch.

    Attributes:
        steady: keep the shapes of passes independent of what the model writes, for arithmetic in which the shape may change
            an answer: a pass that writes has all rows with all their room, each row of the group that it began with; a slice
            has its prompts, however many rows are free.
    """

    forward: Forward
    budget: Budget
    steady: bool

    @property
    def slice(self) -> int:
        """The most nodes that are read at once."""
        return max(1, self.budget.tokens // SHARE_READ)

    def likelihoods(
        self, pairs: Sequence[Pair], done: Callable[[Mapping[int, Likelihood]], None], pace: Pace
    ) -> None:
        """See Way."""
        # The last token predicts nothing, so it is not read.
        tree = grow(
            [[*context, *continuation][:-1] for context, continuation in pairs],
            [len(context) - 1 for context, _ in pairs],
        )
        wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)  # node -> row, target
        for row, (_, continuation) in enumerate(pairs):
            for node, target in zip(tree.nodes[row], continuation, strict=True):
                wanted[node].append((row, target))
        left = [len(continuation) for _, continuation in pairs]
        sums, written = [0.0] * len(pairs), [True] * len(pairs)
        most_logits = max(1, LOGITS_BYTES // (4 * int(self.forward.config.vocab_size)))
        trail, first = Trail(), 0
        while first < len(tree):
            end = first
            nodes: list[int] = []
            while end < len(tree) and end - first < self.slice and len(nodes) < most_logits:
                nodes += [end] if end in wanted else []
                end += 1
            with pace.while_reading():
                logits = self.read(tree, first, end, nodes, trail)
                places = [place for place, node in enumerate(nodes) for _ in wanted[node]]
                asked = [target for node in nodes for target in wanted[node]]
                found = log_probabilities(logits, places, [target for _, target in asked])
            for (row, _), (value, greedy) in zip(asked, found, strict=True):
                if not math.isfinite(value):
                    raise NotFinite(row)
                sums[row] += value
                written[row] &= greedy
                left[row] -= 1
            if complete := {row: (sums[row], written[row]) for row, _ in asked if not left[row]}:
                done(complete)
            first = end

    def read(
        self,
        tree: TokenTree,
        first: int,
        end: int,
        nodes: Sequence[int],
        trail: Trail,
        rows: Rows | None = None,
        leave: Callable[[Bundle], list[Copy]] = lambda bundle: [],
    ) -> torch.Tensor:
        """Read the nodes from `first` to `end`; the logits of `nodes`, (nodes, vocabulary)."""
        parts = bundles(tree, first, end, BUNDLE)
        reading = ReadingPass(trail, parts, [leave(part) for part in parts], rows, self.forward.device)
        kept = [node - first for node in nodes] or [0]
        with attending(self.forward.configs, reading):
            logits = self.forward.at(tree.tokens[first:end], tree.depths[first:end], kept)
        return logits[: len(nodes)]

    def write(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Writing],
        done: Callable[[Sequence[int]], None],
        pace: Pace,
    ) -> None:
        """See Way. Answers to the same prompt share a row."""
        sharing: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, prompt in enumerate(prompts):
            sharing[tuple(prompt)].append(index)
        lengths = {
            prompt: max(answers[index].limits.whole for index in indices)
            for prompt, indices in sharing.items()
        }
        for batch in batches(lengths, self.budget.tokens, self.steady):
            _Batch(self, batch, [sharing[prompt] for prompt in batch.prompts], answers, done, pace).run()


class _Batch:
    """Answers of similar length, written in the rows.

    Args:
        sharing: the indices of the answers to each prompt.
    """

    def __init__(
        self,
        way: Branching,
        batch: Batch,
        sharing: Sequence[Sequence[int]],
        answers: Sequence[Writing],
        done: Callable[[Sequence[int]], None],
        pace: Pace,
    ) -> None:
        self.way = way
        self.answers = answers
        self.rows = rows = Rows(batch.rows, batch.most, int(way.forward.config.num_hidden_layers))
        self.done = done
        self.pace = pace
        self.sharing = sharing
        self.tree = grow(batch.prompts, [len(prompt) - 1 for prompt in batch.prompts])
        self.leaves = {nodes[0]: prompt for prompt, nodes in enumerate(self.tree.nodes)}
        self.groups = batch.groups
        self.one_group = len(set(batch.groups)) == 1
        self.unread = Counter(group for group, _ in batch.groups)
        """How many prompts of each group were not read yet."""
        self.beginnings: dict[int, Beginning] = {}
        """Of the groups of which some were read, and some were not."""
        self.trail = Trail()
        self.next = 0
        """The node that is read next."""
        self.going: list[list[int]] = [[] for _ in range(rows.count)]
        """The indices of the answers of each row that go on."""
        self.newest = [0] * rows.count
        self.used = 0
        """The first rows, which have or had an answer."""
        self.refill = math.ceil(rows.count / REFILL)
        """Prompts are read once so many rows are free."""

    def run(self) -> None:
        """Write all answers."""
        while True:
            free = [row for row, answers in enumerate(self.going) if not answers]
            wanted = min(self.refill, sum(self.unread.values())) if self.way.steady else self.refill
            if self.next < len(self.tree) and len(free) >= wanted:
                self._read(free)
            elif len(free) == self.rows.count:
                return
            else:
                self._step()

    def _read(self, free: list[int]) -> None:
        """Read prompts into free rows, as many as a slice has."""
        first = self.next
        prompts: list[int] = []
        most = len(free)
        if self.way.steady:
            most = self.refill
            # Rows that had no answer come first: where groups share a batch, none passes from one group to another.
            free = sorted(free, key=lambda row: row < self.used)
        while self.next < len(self.tree) and self.next - first < self.way.slice and len(prompts) < most:
            if self.next in self.leaves:
                prompts.append(self.leaves[self.next])
            self.next += 1
        rows = dict(zip(prompts, free, strict=False))
        nodes = [self.tree.nodes[prompt][0] for prompt in prompts]
        with self.pace.while_reading():
            logits = self.way.read(
                self.tree, first, self.next, nodes, self.trail, self.rows, lambda part: self._left(part, rows)
            )
            found = likeliest(logits) if nodes else []
        if len(free) == self.rows.count and not self.way.steady:
            self.used = 0
        for (prompt, row), node in zip(rows.items(), nodes, strict=True):
            self.going[row] = list(self.sharing[prompt])
            group = self.groups[prompt][0]
            beginning = self.beginnings[group]
            if self.way.steady and self.one_group:  # of rows that are still empty too
                self.rows.beginnings = [beginning] * self.rows.count
            self.rows.beginnings[row] = beginning
            self.unread[group] -= 1
            if not self.unread[group]:
                del self.beginnings[group]
            self.rows.lengths[row] = self.tree.depths[node] + 1 - beginning.length
            self.used = max(self.used, row + 1)
        self.pace.written += len(rows)
        self._take(list(rows.values()), found)

    def _left(self, part: Bundle, rows: Mapping[int, int]) -> list[Copy]:
        """What a bundle leaves: the beginning of each group that it meets first, and the rest of each prompt to its row."""
        copies = []
        for node in range(part.first, part.first + part.size):
            prompt = self.leaves.get(node)
            if prompt is None:
                continue
            group, begun = self.groups[prompt]
            places = torch.tensor(part.lineage(node), dtype=torch.long, device=self.way.forward.device)
            if group not in self.beginnings:
                self.beginnings[group] = Beginning(begun)
                if begun:
                    copies.append(Copy(places[:begun], beginning=self.beginnings[group]))
            copies.append(Copy(places[begun:], row=rows[prompt]))
        return copies

    def _step(self) -> None:
        """Write a token of each answer."""
        if not self.way.steady and self.next == len(self.tree):
            self._compact()
        if self.way.steady:
            count, room = self.rows.count, self.rows.most
        else:
            count, room = self.used, max(self.rows.lengths[: self.used]) + 1
        writing = WritingPass(self.rows, count, room, self.way.forward.device)
        with self.pace.while_writing(), attending(self.way.forward.configs, writing):
            found = likeliest(self.way.forward.at(self.newest[:count], writing.positions, range(count)))
        going = [row for row in range(count) if self.going[row]]
        for row in going:
            self.rows.lengths[row] += 1
        self.pace.written += len(going)
        self._take(going, [found[row] for row in going])

    def _take(self, rows: Sequence[int], found: Sequence[tuple[int, bool]]) -> None:
        """Give the newest tokens to the answers of rows."""
        ended: list[int] = []
        for row, (token, finite) in zip(rows, found, strict=True):
            if not finite:
                raise NotFinite(self.going[row][0])
            self.newest[row] = token
            on = [index for index in self.going[row] if self.answers[index].take(token)]
            ended += [index for index in self.going[row] if index not in on]
            self.going[row] = on
            if not on and not self.way.steady:
                self.rows.clear(row)
        if ended:
            self.done(ended)

    def _compact(self) -> None:
        """Give up the rows of ended answers, if they are many."""
        going = [row for row in range(self.used) if self.going[row]]
        if len(going) >= COMPACT_BELOW * self.used:
            return
        holes = [row for row in range(len(going)) if not self.going[row]]
        for target, source in zip(holes, reversed(going), strict=False):
            self.rows.move(source, target)
            self.going[target], self.going[source] = self.going[source], []
            self.newest[target] = self.newest[source]
        self.used = len(going)
