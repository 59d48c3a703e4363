"""Counts of replies that were received and not understood. A stage with too many of them ends early and reports why."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.escaping import visible
from reversegen.core.files import read_json, write_json

FEWEST = 50
"""Replies from which on the share is checked; fewer show little. With 50 replies, a share of one half is accurate to 14
points."""
LONGEST = 160
"""Characters of a reply that an error shows. Half of them are its end, which holds the conclusion."""


class UnreadableReplies:
    """Counts the replies to one kind of request in a stage. `check` ends the stage if too many were not understood.

    Several threads may count. The counts are kept in a file beside the finished batches, so that a restart stops at once again,
    unless the limit was raised.
    """

    def __init__(self, what: str, most: float, key: str, fix: str, *, masked: bool) -> None:
        """`what` names the requests. `most` is the largest allowed share of unreadable replies, and `key` is its setting.

        `fix` is the advice in the error. `masked` hides the text of a reply, which may do harm.
        """
        self._what, self._most, self._key, self._fix, self._masked = what, most, key, fix, masked
        self._counts: Counter[str | None] = Counter()
        self._example: str | None = None
        self._counting = threading.Lock()

    def count(self, reason: str | None, text: str) -> None:
        """Count a reply that was received: the reason why it was not understood (None if it was), and its text."""
        with self._counting:
            self._counts[reason] += 1
            if reason is not None and self._example is None:
                self._example = self._shown(text)

    def keep(self, file: Path) -> None:
        """Write the counts."""
        with self._counting:
            reasons = {reason: n for reason, n in self._counts.items() if reason is not None}
            write_json(file, {"understood": self._counts[None], "reasons": reasons, "example": self._example})

    def take_up(self, file: Path) -> None:
        """Resume from the counts of an earlier start, if it left any."""
        if file.is_file():
            earlier = read_json(file)
            self._counts = Counter({None: earlier["understood"], **earlier["reasons"]})
            self._example = earlier["example"]

    def check(self) -> None:
        """Raise BadInput if too large a share was not understood. The error counts the reasons and shows the first reply."""
        with self._counting:
            total = self._counts.total()
            unread = total - self._counts[None]
            if total < FEWEST or unread <= self._most * total:
                return
            reasons = Counter({reason: n for reason, n in self._counts.items() if reason is not None and n})
        listed = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
        raise BadInput(
            f"{unread} of {total} replies to {self._what} were received and not understood ({listed}), a larger share than "
            f"{self._key}: {self._most:g}; the first is {self._example}; {self._fix}; or raise the share and run the same "
            "command, which repeats no answered request"
        )

    def _shown(self, text: str) -> str:
        """A reply on one line that is safe to print on a terminal."""
        if self._masked:
            return f"masked, {len(text)} characters long"
        line = " ".join(visible(" ".join(text.split())).split())
        half = LONGEST // 2
        return f'"{line}"' if len(line) <= LONGEST else f'"{line[:half]} [...] {line[-half:]}"'
