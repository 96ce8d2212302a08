"""What a text must hold: phrases, or one of several. For `constrained_beam_search`, and for users' own constraints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

_PATIENCE = 10_000  # steps after which a constraint that is always helped on must have been met


class Constraint(ABC):
    """Something that a text must come to, token by token. Your own also needs `seqlen`, the most tokens it takes.

    A constraint that is always given what `advance` asks for must be met in the end: `test`, called by `__init__`,
    tries it.
    """

    seqlen: int

    def __init__(self) -> None:
        self.test()

    def test(self) -> None:
        """ValueError for a constraint that cannot be met by following it."""
        name = type(self).__name__
        for step in range(_PATIENCE):
            if step == 1:
                self.reset()  # which must bring it back to where it can be met
            wanted = self.advance()
            token = wanted[0] if isinstance(wanted, list) else wanted
            if token is None or not self.does_advance(token):
                raise ValueError(f"{name}: advance() gives {wanted!r}, but does_advance() says that it is no help")
            _, completed, _ = self.update(token)
            if completed:
                break
        else:
            raise ValueError(f"{name}: after {_PATIENCE} tokens that advance() asked for it is still not completed")
        if self.remaining() != 0:
            raise ValueError(f"{name}: it is completed, but remaining() is {self.remaining()} and not 0")

    @abstractmethod
    def advance(self) -> int | list[int] | None:
        """The token that brings this a step further, or a list of such tokens, or None where there is none."""

    @abstractmethod
    def does_advance(self, token_id: int) -> bool:
        """Whether this token is a step further."""

    @abstractmethod
    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token in. Returns (a step further?, completed by it?, thrown back to the beginning by it?)."""

    @abstractmethod
    def reset(self) -> None:
        """Back to the beginning."""

    @abstractmethod
    def remaining(self) -> int:
        """How many tokens are still wanted."""

    @abstractmethod
    def copy(self, stateful: bool = False) -> Constraint:
        """A new one like this, as far along as this one if stateful."""


class PhrasalConstraint(Constraint):
    """These tokens, one right behind the other."""

    def __init__(self, token_ids: list[int]) -> None:
        self.token_ids = phrase("token_ids", token_ids)
        self.seqlen = len(self.token_ids)
        self.fulfilled_idx = -1  # the last place of the phrase that is there
        self.completed = False

    def advance(self) -> int | None:
        return None if self.completed else self.token_ids[self.fulfilled_idx + 1]

    def does_advance(self, token_id: int) -> bool:
        return not self.completed and whole_id(token_id) == self.token_ids[self.fulfilled_idx + 1]

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.fulfilled_idx += 1
        self.completed = self.remaining() == 0
        return True, self.completed, False

    def reset(self) -> None:
        self.fulfilled_idx, self.completed = -1, False

    def remaining(self) -> int:
        return self.seqlen - (self.fulfilled_idx + 1)

    def copy(self, stateful: bool = False) -> PhrasalConstraint:
        made = PhrasalConstraint(self.token_ids)
        if stateful:
            made.fulfilled_idx, made.completed = self.fulfilled_idx, self.completed
        return made


class DisjunctiveConstraint(Constraint):
    """One of several phrases."""

    def __init__(self, nested_token_ids: list[list[int]]) -> None:
        self.token_ids = alternatives("nested_token_ids", nested_token_ids)
        self.seqlen = max(map(len, self.token_ids))
        self.current_seq: list[int] = []
        self.completed = False

    def _next(self) -> list[int]:
        """What may follow on the tokens that are there, in the order of the phrases."""
        place = len(self.current_seq)
        begun = [each for each in self.token_ids if each[:place] == self.current_seq and len(each) > place]
        return list(dict.fromkeys(each[place] for each in begun))

    def advance(self) -> list[int] | None:
        return self._next() or None

    def does_advance(self, token_id: int) -> bool:
        return whole_id(token_id) in self._next()

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.current_seq.append(token_id)
        self.completed = not self._next()
        return True, self.completed, False

    def reset(self) -> None:
        self.current_seq, self.completed = [], False

    def remaining(self) -> int:
        return 0 if self.completed else self.seqlen - len(self.current_seq)

    def copy(self, stateful: bool = False) -> DisjunctiveConstraint:
        made = DisjunctiveConstraint(self.token_ids)
        if stateful:
            # One list for both, as ever: where alternatives fork, only the first branch counts as progress. The
            # texts that the search has always found depend on it.
            made.current_seq, made.completed = self.current_seq, self.completed
        return made


class ConstraintListState:
    """How far a text has come with several constraints, of which one at a time is in progress."""

    def __init__(self, constraints: list[Constraint]) -> None:
        self.constraints = constraints
        self.max_seqlen = max(constraint.seqlen for constraint in constraints)
        self.n_constraints = len(constraints)
        self.completed = False
        self.init_state()

    def init_state(self) -> None:
        self.complete_constraints: list[Constraint] = []
        self.inprogress_constraint: Constraint | None = None
        self.pending_constraints = [constraint.copy(stateful=False) for constraint in self.constraints]

    def get_bank(self) -> int:
        """How far it has come: max_seqlen for each constraint that is met, and the steps in the one in progress."""
        begun = self.inprogress_constraint
        steps = self.max_seqlen - begun.remaining() if begun is not None else 0
        return len(self.complete_constraints) * self.max_seqlen + steps

    def advance(self) -> list[int] | None:
        """The tokens that bring the constraint in progress further, or without one any that is pending."""
        begun = self.inprogress_constraint
        wanted: list[int] = []
        for constraint in self.pending_constraints if begun is None else [begun]:
            found = constraint.advance()
            wanted += found if isinstance(found, list) else [] if found is None else [found]
        return wanted or None

    def reset(self, token_ids: Iterable[int] | None) -> None:
        """To the beginning, and on by these tokens."""
        self.init_state()
        for token in token_ids or ():
            self.add(token)
            if self.completed:
                break

    def add(self, token_id: int) -> tuple[bool, bool]:
        """Take a token in. Returns (was a constraint completed?, was it a step further?)."""
        whole_id(token_id)
        if self.completed:
            return True, False
        if self.inprogress_constraint is not None:
            return self._go_on(self.inprogress_constraint, token_id)
        for place, constraint in enumerate(self.pending_constraints):
            if constraint.does_advance(token_id):
                del self.pending_constraints[place]
                return self._go_on(constraint, token_id)
        return False, False

    def _go_on(self, constraint: Constraint, token_id: int) -> tuple[bool, bool]:
        stepped, complete, reset = constraint.update(token_id)
        self.inprogress_constraint = None if reset or complete else constraint
        if reset:
            self.pending_constraints.append(constraint.copy(stateful=False))
        if complete:
            self.complete_constraints.append(constraint)
            self.completed = not self.pending_constraints
        return complete, stepped

    def copy(self, stateful: bool = True) -> ConstraintListState:
        made = ConstraintListState(self.constraints)
        if stateful:
            made.complete_constraints = [each.copy(stateful=True) for each in self.complete_constraints]
            if self.inprogress_constraint is not None:
                made.inprogress_constraint = self.inprogress_constraint.copy(stateful=True)
            made.pending_constraints = [each.copy() for each in self.pending_constraints]
        return made


def constraints_of(settings: Any, vocabulary: int) -> list[Constraint]:
    """What settings.constraints and settings.force_words_ids ask for. ValueError for what nothing can meet."""
    found: list[Constraint] = list(settings.constraints or [])
    for place, each in enumerate(found):
        if not isinstance(each, Constraint):
            raise ValueError(f"constraints[{place}] is a {type(each).__name__}; expected a Constraint")
    words = settings.force_words_ids
    if words is not None and (not isinstance(words, (list, tuple)) or not words):
        raise ValueError(f"force_words_ids is {words!r}; expected a list of phrases, each a list of ids")
    for place, ids in enumerate(words or ()):
        name = f"force_words_ids[{place}]"
        several = isinstance(ids, (list, tuple)) and bool(ids) and isinstance(ids[0], (list, tuple))
        found.append(
            DisjunctiveConstraint(alternatives(name, ids)) if several else PhrasalConstraint(phrase(name, ids))
        )
    for each in found:
        for token in _tokens(getattr(each, "token_ids", [])):
            if token >= vocabulary:
                raise ValueError(
                    f"the id {token} is forced into the text, but the model knows 0 to {vocabulary - 1}: use the "
                    "tokenizer that belongs to the model"
                )
    return found


def phrase(name: str, ids: Any) -> list[int]:
    """ids as the list of a phrase's tokens, or a ValueError."""
    if not isinstance(ids, (list, tuple)) or not ids or not all(_is_id(each) for each in ids):
        raise ValueError(
            f"{name} is {ids!r}; expected a list of at least one token id, all from 0: tokenize with "
            "add_special_tokens=False"
        )
    return list(ids)


def alternatives(name: str, nested: Any) -> list[list[int]]:
    """nested as a list of phrases none of which begins with another: that other would never be complete by itself."""
    if not isinstance(nested, (list, tuple)) or not nested:
        raise ValueError(f"{name} is {nested!r}; expected a list of phrases, each a list of token ids")
    phrases = [phrase(f"{name}[{place}]", each) for place, each in enumerate(nested)]
    for place, one in enumerate(phrases):
        for other in phrases[:place] + phrases[place + 1 :]:
            if other[: len(one)] == one:
                raise ValueError(
                    f"{name} holds the alternatives {one} and {other}, of which the one begins the other: leave one "
                    "of them out"
                )
    return phrases


def whole_id(token_id: Any) -> int:
    if not _is_id(token_id):
        raise TypeError(f"token_id is {token_id!r}; expected the id of a token, an int")
    return int(token_id)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _tokens(nested: Any) -> list[int]:
    return [token for each in nested for token in (each if isinstance(each, list) else [each])]
