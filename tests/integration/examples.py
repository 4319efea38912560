# SPDX-License-Identifier: Apache-2.0
"""
The examples of the manual, of README and of CLIENTS.md, out of their sources: what is displayed literally
in mdoc, and fenced blocks. Each has a key, "PAGE SECTION", with a number behind it from the second one of a section
on. It runs nothing. The trap: pages break long lines of output, so where a line is long, the next one may
be its continuation, with or without a blank between them.
"""

import os
import re

from harness import TOP

PAGES = ('wsbridge.1', 'wsbridged.8', 'wsbridge.json.5', 'wsbridge-rpc.7')
WIDTH = 66  # of the pages; where the next word would have had room, a line is a whole one

# What is another at each run, and what it is called on both sides before they are compared.
VOLATILE = [
    (r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'DATE'),
    (r'\b\d\d:\d\d:\d\d\.\d{3}\b', 'CLOCK'),
    (r'\b\d{10}(\.\d+)?\b', 'TIME'),
    (r'"[0-9a-f]{16}:\d+"', '"CURSOR"'),
    (r'\b(in|out) to \d+%', r'\1 to SHARE'),
    (r'("(rtt|retry_in|took|open_for|last_rx)": *)\d+(\.\d+)?(e-\d+)?', r'\1SECONDS'),
    (r'(?<![\d.])\d+(\.\d+)?(us|ms|s|min|m|h|d)\b', 'SPAN'),
    (r'(?<![\d.])0\.\d+\.\d+(?![\d.])', 'VERSION'),
    (r'sec-websocket-accept: [A-Za-z0-9+/]{27}=', 'sec-websocket-accept: DIGEST'),
    (r'(\.sock +)\d+ +\d+', r'\1PID UID'),
]


# The last is a backslash, which comes when all others are gone.
ESCAPES = {'\\(dq': '"', '\\&': '', '\\-': '-', '\\[da]': '\u2193', '\\[ua]': '\u2191', '\\e': '\0'}


class Example:
    def __init__(self, page, section, number, language, lines):
        self.page, self.language, self.lines = page, language, lines
        self.key = f'{page} {section}' + (f' {number}' if number > 1 else '')

    @property
    def text(self):
        return '\n'.join(self.lines) + '\n'

    def commands(self):
        """[(command, its output)] of a transcript."""
        found = []
        open_end = False
        for line in self.lines:
            if line.startswith('$ '):
                found.append([line[2:], []])
            elif open_end or (found and not found[-1][1] and line.startswith('\t')):
                found[-1][0] += '\n' + line
            else:
                found[-1][1].append(line)
                continue
            open_end = line.endswith(('\\', '|'))
        return [(command, output) for command, output in found]

    def calls(self):
        """[(request, its answers)] as they go over a control socket."""
        found, depth = [], 0
        for line in self.lines:
            if depth == 0 and not line.startswith('{"jsonrpc"'):
                found.append((line, []))
                continue
            if depth == 0:
                found[-1][1].append([])
            found[-1][1][-1].append(line)
            outside = re.sub(r'"(?:[^"\\]|\\.)*("|$)', '', line)
            depth += outside.count('{') - outside.count('}')
        assert depth <= 0, f'{self.key}: an answer has no end'
        return found


def plain(line):
    """A line of mdoc as it is read."""
    line = re.sub(r'^\\&', '', line)
    shown = line
    for escape, text in ESCAPES.items():
        shown = shown.replace(escape, text)
    assert '\\' not in shown, f'an escape that this does not know: {line}'
    return shown.replace('\0', '\\')


def read(*path):
    with open(os.path.join(TOP, *path), encoding='utf-8') as f:
        return f.read().splitlines()


class Numbers(dict):
    def next(self, section):
        self[section] = self.get(section, 0) + 1
        return self[section]


def of_manual(page):
    section, block, numbers = None, None, Numbers()
    for line in read('docs', page):
        if line.startswith(('.Sh ', '.Ss ')):
            section = line[4:] if line[2] == 'h' else line[4:].split()[0] if page == 'wsbridge.1' else line[4:]
        elif line.startswith('.Bd -literal'):
            block = []
        elif line == '.Ed' and block is not None:
            yield Example(page, section, numbers.next(section), 'mdoc', block)
            block = None
        elif block is not None:
            block.append(plain(line))


def of_markdown(page, *path):
    section, block, language, numbers = None, None, None, Numbers()
    for line in read(*path):
        if block is None and line.startswith('#'):
            section = line.lstrip('# ')
        elif block is None and line.startswith('```'):
            block, language = [], line[3:]
        elif line == '```':
            yield Example(page, section, numbers.next(section), language, block)
            block = None
        elif block is not None:
            block.append(line)


def all_examples():
    found = [e for page in PAGES for e in of_manual(page)] + list(of_markdown('README.md', 'README.md'))
    # The programs that are shown there are run by test_clients.py.
    found += [e for e in of_markdown('CLIENTS.md', 'docs', 'CLIENTS.md') if e.language == 'console']
    return {e.key: e for e in found}


# Comparing ------------------------------------------------------------------

def normal(text, more=()):
    for volatile, name in (*more, *VOLATILE):
        text = re.sub(volatile, name, text)
    return text


def of_line(line):
    """"..." is anything, and the width of a column is nobody's business."""
    pieces = re.split(r'(\.\.\.| +)', line)
    return ''.join('[^\\n]*' if p == '...' else ' +' if p and not p.strip() else re.escape(p) for p in pieces)


def pattern(lines, more=()):
    """What a program has to print where these lines stand in the manual."""
    out = ''
    for i, line in enumerate(lines):
        last = i == len(lines) - 1
        if line == '...':
            out = out.removesuffix('\\n') + r'(\n[^\n]*)*?' + ('' if last else r'\n')
            continue
        out += of_line(normal(line, more))
        if not last:
            next_word = (lines[i + 1].split() or [''])[0]
            out += r'\s*' if len(f'{line} {next_word}'.expandtabs(8)) > WIDTH else r'\n'
    return out


def fits(lines, output, more=()):
    lines_shown = '\n'.join(line.rstrip() for line in normal(output, more).splitlines())
    return re.fullmatch(pattern(lines, more), lines_shown) is not None
