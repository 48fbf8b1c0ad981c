"""Statements of a psql script, as psql would send them.

Meta-commands and the data of COPY FROM STDIN are left out; a statement that
uses a psql variable is left out, too, since what it would become is not known.
"""
import re

TOKEN = re.compile(
    r"""(?P<line>--[^\n]*)
      | (?P<comment>/\*)
      | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9\x80-\U0010ffff]*)?\$)
      | (?P<escape>[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<meta>\\[^\n]*)
      | (?P<end>;)
      | (?P<variable>(?<![:\w]):['"]?[A-Za-z_]\w*['"]?(?!=))
      | (?P<open>[(\[]) | (?P<close>[)\]])
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
      | (?P<other>.)""",
    re.X | re.S,
)


def comment_end(text, at):
    depth = 0
    while at < len(text):
        if text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*/", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        else:
            at += 1
    return at


def split(text):
    """Yields (line, statement)."""
    at, start, depth, atomic, usable, words = 0, 0, 0, 0, True, []
    while at < len(text):
        m = TOKEN.match(text, at)
        kind, end = m.lastgroup, m.end()
        if kind == "comment":
            end = comment_end(text, at)
        elif kind == "dollar":
            close = text.find(m.group(), end)
            end = len(text) if close < 0 else close + len(m.group())
        elif kind == "word":
            word = m.group().lower()
            words.append(word)
            if word == "atomic" and words[-2:-1] == ["begin"]:
                atomic += 1
            elif word == "case" and atomic:
                atomic += 1
            elif word == "end" and atomic:
                atomic -= 1
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "variable":
            usable = False
        elif kind == "meta":
            # \gset and its like end the statement before them; other commands stand alone
            if words and m.group()[1:2] == "g" and usable:
                yield text.count("\n", 0, start) + 1, text[start:at].strip()
            start, depth, atomic, usable, words = end, 0, 0, True, []
        elif kind == "end" and depth <= 0 and not atomic:
            statement = text[start:at].strip()
            if words and usable:
                yield text.count("\n", 0, start) + 1, statement
            if words[:1] == ["copy"] and "stdin" in words:
                data = text.find("\n\\.\n", end)
                end = len(text) if data < 0 else data + 4
            start, depth, atomic, usable, words = end, 0, 0, True, []
        at = end
