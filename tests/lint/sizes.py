#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Limits of docs/STYLE.md: lines of a file and of a function, columns, includes, parameters, nesting.
A reader of tokens, not a C parser: macros are left out, a macro that ends in a block counts as a loop.

An exception is a line "FILE WHAT LIMIT" in exceptions.txt beside this script; one that is no
longer needed is an error. Usage: sizes.py [TOP]
"""

import os
import re
import sys

LIMITS = {'file-lines': 500, 'columns': 100, 'function-lines': 70, 'includes': 15, 'parameters': 5, 'nesting': 3}

TOKEN = re.compile(r'''
    (?P<skip>   //[^\n]* | /\*.*?\*/ | ^[ \t]*\#(?:\\\n|[^\n])* )
  | (?P<string> "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
  | (?P<word>   [A-Za-z_]\w* )
  | (?P<mark>   \.\.\. | [^\s\w] )
''', re.VERBOSE | re.DOTALL | re.MULTILINE)

CONTROL = {'if', 'for', 'while', 'switch'}
NOT_CALLS = {'return', 'sizeof', '_Alignof', '__attribute__', '_Static_assert', 'static_assert'}


class Token:
    def __init__(self, text, line):
        self.text, self.line = text, line
        self.is_word = bool(re.match(r'[A-Za-z_]', text))


def read_tokens(source):
    tokens, line, seen = [], 1, 0
    for match in TOKEN.finditer(source):
        line += source.count('\n', seen, match.start())
        seen = match.start()
        if match.lastgroup != 'skip':
            tokens.append(Token(match.group(), line))
    return tokens


def closing(tokens, i):
    """The index of the bracket that closes the one at i."""
    depth = 0
    for j in range(i, len(tokens)):
        if tokens[j].text in '([{':
            depth += 1
        elif tokens[j].text in ')]}':
            depth -= 1
            if depth == 0:
                return j
    return len(tokens) - 1


def count_parameters(tokens, i, end):
    """Of the list between the brackets at i and end; the dots of a variadic function are none."""
    inner = tokens[i + 1:end]
    if not inner or [t.text for t in inner] == ['void']:
        return 0
    depth, count = 0, 1
    for token in inner:
        depth += (token.text in '([{') - (token.text in ')]}')
        count += depth == 0 and token.text == ','
    return count - (inner[-1].text == '...')


def deepest(tokens, start, end):
    """How deep control statements lie in each other between the braces at start and end."""
    stack, most, i = [], 0, start + 1

    def leave_unbraced():
        while stack and stack[-1] == 'statement':
            stack.pop()

    while i < end:
        text = tokens[i].text
        if text in ('do', 'else') and tokens[i + 1].text != 'if':
            braced = tokens[i + 1].text == '{'
            stack.append('block' if braced else 'statement')
            i += braced
        elif text == '(' and tokens[i - 1].is_word and tokens[i - 1].text not in NOT_CALLS:
            word, close = tokens[i - 1].text, closing(tokens, i)
            after = tokens[close + 1].text
            if after == '{' and (word in CONTROL or tokens[i - 2].text in ';{})'):
                stack.append('block')
                close += 1
            elif word in CONTROL and after != ';':
                stack.append('statement')
            i = close if word in CONTROL or after == '{' else i
        elif text == '{' and tokens[i - 1].text in ';{}:':
            stack.append('plain')
        elif text == '{':
            i = closing(tokens, i)  # an initializer
        elif text == '}':
            leave_unbraced()
            if stack:
                stack.pop()
            if tokens[i + 1].text != 'else':
                leave_unbraced()
        elif text == ';':
            leave_unbraced()
        most = max(most, sum(s != 'plain' for s in stack))
        i += 1
    return most


def functions(tokens):
    """(name, first index, open bracket, close bracket, body's brace or None) at file level."""
    i, first = 0, 0
    while i < len(tokens):
        text = tokens[i].text
        if text == '(' and i > first and tokens[i - 1].is_word and tokens[i - 1].text not in NOT_CALLS:
            close = closing(tokens, i)
            after = tokens[close + 1].text if close + 1 < len(tokens) else ''
            if after in ('{', ';', '__attribute__'):
                yield tokens[i - 1].text, first, i, close, close + 1 if after == '{' else None
            i = close
        elif text == '(':
            i = closing(tokens, i)
        elif text == '{':
            i = closing(tokens, i)
            first = i + 1
        elif text == ';':
            first = i + 1
        i += 1


def measure(path):
    """Each number that has a limit, as (place, what, number)."""
    with open(path, encoding='utf-8') as f:
        source = f.read()
    yield path, 'file-lines', source.count('\n')
    for number, line in enumerate(source.split('\n'), 1):
        yield f'{path}:{number}', 'columns', len(line.expandtabs(8))
    yield path, 'includes', len(re.findall(r'^\s*#\s*include\b', source, re.MULTILINE))
    tokens = read_tokens(source)
    for name, first, opening, close, body in functions(tokens):
        place = f'{path}:{tokens[opening].line}: {name}'
        yield place, 'parameters', count_parameters(tokens, opening, close)
        if body is not None:
            end = closing(tokens, body)
            yield place, 'function-lines', tokens[end].line - tokens[first].line + 1
            yield place, 'nesting', deepest(tokens, body, end)


def read_exceptions(path):
    exceptions = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                words = line.split('#')[0].split()
                if words:
                    exceptions[words[0], words[1]] = int(words[2])
    return exceptions


def sources(top):
    for folder in ('src', 'tests'):
        for path, folders, names in sorted(os.walk(os.path.join(top, folder))):
            folders[:] = [f for f in folders if f != 'node_modules']
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(path, name), top)


def main(top):
    exceptions = read_exceptions(os.path.join(top, 'tests/lint/exceptions.txt'))
    os.chdir(top)
    needed, bad = set(), 0
    for path in sources('.'):
        for place, what, number in measure(path):
            if number <= LIMITS[what]:
                continue
            needed.add((path, what))
            limit = exceptions.get((path, what), LIMITS[what])
            if number > limit:
                print(f'{place}: {what} {number}, the limit is {limit}')
                bad += 1
    for path, what in sorted(set(exceptions) - needed):
        print(f'tests/lint/exceptions.txt: {path} {what} is not needed')
        bad += 1
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('top_srcdir', '.')))
