"""Which physical lines of a cell begin a statement, and which go on inside a string, a bracket or a continued line.

Called by magics: a line that looks like a command is one only where a statement can begin. Python's own tokenizer is
of no use here, because it stops at the first command.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"#.*|(?P<string>[rRbBuUfFtT]{0,2}(?P<quote>\"\"\"|'''|\"|'))|(?P<open>[(\[{])|(?P<close>[)\]}])")


class Scanner:
    """Follows strings and brackets from line to line.

    Example:
        >>> scanner, begins = Scanner(), []
        >>> for line in ["f(", "  1)", "x = '''", "%time'''", "y"]:
        ...     begins.append(scanner.at_statement)
        ...     scanner.feed(line)
        >>> begins
        [True, False, True, False, True]

    Attributes:
        depth: How many brackets are open.
        quote: The quotation marks of the string that is open; empty: none is.
        continued: Whether the last line ended with a backslash.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""
        self.continued = False

    @property
    def at_statement(self) -> bool:
        """Whether the next line can begin a statement."""
        return not (self.depth or self.quote or self.continued)

    def feed(self, line: str) -> None:
        """Take note of a line of Python."""
        position, comment = 0, False
        while position < len(line):
            comment = not self.quote and line.startswith("#", position)
            position = self._in_string(line, position) if self.quote else self._in_code(line, position)
        self.continued = line.endswith("\\") and not self.quote and not comment
        if len(self.quote) == 1 and not line.endswith("\\"):
            self.quote = ""

    def _in_code(self, line: str, position: int) -> int:
        found = _TOKEN.search(line, position)
        if found is None:
            return len(line)
        if found[0].startswith("#"):
            return found.start() if found.start() > position else len(line)
        if found["string"]:
            self.quote = found["quote"]
        elif found["open"]:
            self.depth += 1
        else:
            self.depth = max(0, self.depth - 1)
        return found.end()

    def _in_string(self, line: str, position: int) -> int:
        while position < len(line):
            if line[position] == "\\":
                position += 2
            elif line.startswith(self.quote, position):
                position += len(self.quote)
                self.quote = ""
                return position
            else:
                position += 1
        return position
