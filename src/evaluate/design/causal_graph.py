"""Directed acyclic graphs: who causes whom, what separates two nodes, which paths are open."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

Edge = tuple[str, str]
Path = tuple[str, ...]
State = tuple[str, bool]  # a node, and whether it was reached along an arrow into it
MOST_STEPS = 200_000  # of a search for paths: a dense graph has more paths than can be walked


@dataclass(frozen=True)
class CausalGraph:
    """A directed graph of named nodes.

    Attributes
    ----------
    nodes : tuple of str
        In the order in which the edges name them.
    edges : tuple of (str, str)
        Cause and effect, each pair once, in the order in which they were stated.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> CausalGraph:
        """Return the graph of some edges, each once."""
        pairs = tuple(dict.fromkeys((cause, effect) for cause, effect in edges))
        return cls(tuple(dict.fromkeys(node for pair in pairs for node in pair)), pairs)

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Direct effects of each node."""
        found: dict[str, list[str]] = {node: [] for node in self.nodes}
        for cause, effect in self.edges:
            found[cause].append(effect)
        return {node: tuple(effects) for node, effects in found.items()}

    @cached_property
    def parents(self) -> dict[str, tuple[str, ...]]:
        """Direct causes of each node."""
        found: dict[str, list[str]] = {node: [] for node in self.nodes}
        for cause, effect in self.edges:
            found[effect].append(cause)
        return {node: tuple(causes) for node, causes in found.items()}

    def descendants(self, *nodes: str) -> set[str]:
        """Return what some nodes cause, themselves left out unless another causes them."""
        return _reached(nodes, self.children)

    def ancestors(self, *nodes: str) -> set[str]:
        """Return what causes some nodes, themselves left out unless they cause another."""
        return _reached(nodes, self.parents)

    def cycle(self) -> Path | None:
        """Return nodes that cause one another in a circle, the first one again at the end."""
        done: set[str] = set()
        for first in self.nodes:
            trail: list[str] = []
            rest: list[Iterator[str]] = []
            if first not in done:
                trail, rest = [first], [iter(self.children[first])]
            while rest:
                node = next(rest[-1], None)
                if node is None:
                    done.add(trail.pop())
                    rest.pop()
                elif node in trail:
                    return (*trail[trail.index(node) :], node)
                elif node not in done:
                    trail.append(node)
                    rest.append(iter(self.children[node]))
        return None

    def adjacent(self, a: str, b: str) -> bool:
        """Tell whether one of two nodes causes the other directly."""
        return b in self.children[a] or a in self.children[b]

    def separated(self, a: str, b: str, given: Collection[str]) -> bool:
        """Tell whether some nodes d-separate two others.

        References
        ----------
        Lauritzen et al. (1990), Independence properties of directed Markov fields, Networks
        20(5): separation in the moral graph of the ancestors.
        """
        moral = self._moral({a, b, *given})
        return b not in _component(moral, a, set(given))

    def minimal_separator(
        self, a: str, b: str, allowed: Collection[str], included: Collection[str] = ()
    ) -> tuple[str, ...] | None:
        """Return a d-separating set that no node can be taken from, or None if there is none.

        Parameters
        ----------
        a, b : str
            The nodes to separate.
        allowed : collection of str
            What the set may be made of.
        included : collection of str
            What the set must hold, needed or not.

        References
        ----------
        van der Zander, Liskiewicz and Textor (2014), Constructing separators and adjustment
        sets in ancestral graphs, UAI.
        """
        must = set(included)
        moral = self._moral({a, b, *must})
        widest = (set(moral) & set(allowed)) - {a, b} | must
        if b in _component(moral, a, widest):
            return None
        for end in (a, b):
            inside = _component(moral, end, widest)
            widest = {z for z in widest if moral[z] & inside} | must
        return tuple(node for node in self.nodes if node in widest)

    def without_effect(self, cause: str, effect: str) -> CausalGraph:
        """Return the graph without the arrows by which one node begins to cause another.

        What still connects the two is no effect: an adjustment set has to separate them.

        References
        ----------
        van der Zander, Liskiewicz and Textor (2014), the proper back-door graph.
        """
        on_the_way = {effect} | self.ancestors(effect)
        kept = (e for e in self.edges if e[0] != cause or e[1] not in on_the_way)
        return CausalGraph(self.nodes, tuple(kept))

    def open_paths(self, start: str, end: str, given: Collection[str], most: int) -> list[Path]:
        """Return paths between two nodes that conditioning leaves or makes open, short ones first.

        Parameters
        ----------
        start, end : str
            The ends.
        given : collection of str
            What is conditioned on: it closes chains and forks, and opens colliders, whose
            descendants do so too.
        most : int
            Paths to return at most.

        References
        ----------
        Pearl (2009), Causality, definition 1.2.3.
        """
        closed = set(given)
        opened = closed | self.ancestors(*closed)
        far = self._distances(start, end, closed, opened)
        found: list[Path] = []
        steps = 0

        def walk(trail: list[State], length: int) -> None:
            nonlocal steps
            for state in self._next(trail[-1], closed, opened, len(trail) == 1):
                steps += 1
                if steps > MOST_STEPS or len(found) == most:
                    return
                node = state[0]
                left = far.get(state)
                on_trail = any(node == before for before, _ in trail)
                if left is None or on_trail or len(trail) + left > length:
                    continue
                if node != end:
                    walk([*trail, state], length)
                elif len(trail) == length:
                    found.append((*(n for n, _ in trail), end))

        if (start, False) not in far:
            return found
        for length in range(far[start, False], len(self.nodes)):
            walk([(start, False)], length)
        return found

    def _next(
        self, state: State, closed: set[str], opened: set[str], first: bool
    ) -> Iterator[State]:
        """Go one step on along open ways: to a state's effects, then to its causes."""
        node, into = state
        if first or node not in closed:
            yield from ((child, True) for child in self.children[node])
        if first or (node in opened if into else node not in closed):
            yield from ((parent, False) for parent in self.parents[node])

    def _distances(
        self, start: str, end: str, closed: set[str], opened: set[str]
    ) -> dict[State, int]:
        """Return the fewest steps from each state to the end, along open ways."""
        before: dict[State, list[State]] = {}
        for node in self.nodes:
            for into in (True, False):
                if node != start or not into:
                    for state in self._next((node, into), closed, opened, node == start):
                        before.setdefault(state, []).append((node, into))
        far: dict[State, int] = {(end, True): 0, (end, False): 0}
        queue = deque(far)
        while queue:
            state = queue.popleft()
            for earlier in before.get(state, []):
                if earlier not in far:
                    far[earlier] = far[state] + 1
                    queue.append(earlier)
        return far

    def _moral(self, of: set[str]) -> dict[str, set[str]]:
        """Return the neighbours of some nodes and their ancestors, parents of a child wed."""
        kept = of | self.ancestors(*of)
        moral: dict[str, set[str]] = {node: set() for node in kept}
        for node in kept:
            family = (node, *self.parents[node])
            for one in family:
                moral[one].update(other for other in family if other != one)
        return moral


def arrows(graph: CausalGraph, path: Path) -> str:
    """Return a path as text: ``treatment <- age -> work``."""
    text = path[0]
    for a, b in pairwise(path):
        text += f" {'->' if b in graph.children[a] else '<-'} {b}"
    return text


def colliders(graph: CausalGraph, path: Path) -> list[str]:
    """Return the inner nodes of a path into which both of their arrows on it go."""
    inner = zip(path, path[1:], path[2:], strict=False)
    return [m for a, m, b in inner if m in graph.children[a] and m in graph.children[b]]


def _reached(nodes: Collection[str], steps: dict[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    rest = [*nodes]
    while rest:
        new = [n for n in steps[rest.pop()] if n not in found]
        found.update(new)
        rest += new
    return found


def _component(moral: dict[str, set[str]], node: str, without: set[str]) -> set[str]:
    """Return what a node is connected with where some nodes are taken away."""
    found, rest = {node}, [node]
    while rest:
        new = moral[rest.pop()] - found - without
        found |= new
        rest += new
    return found
