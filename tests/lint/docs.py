#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The manual says what the tables say. Options, methods and commands come from the program
list_tables; the manual has an item for each row and below it a line with the same facts:

    .It Cm ping.interval
    Duration, default 20s, 100ms to 1d, or 0, live.

A method or a command has a section (.Ss NAME) with its parameters or switches in it. The errors of
src/base/errors.def are a table in wsbridge-rpc(7). What the manual has and the tables do not is an
error, too. Usage: docs.py [TOP]
"""

import os
import re
import subprocess
import sys

NOT_IN_A_TABLE = {'control', 'defaults', 'bridges'}  # conf/main_conf.c reads them by hand

OPTION = re.compile(r'Cm [a-z][a-z0-9_.]*')
ERROR = re.compile(r'^X\(\w+, (-\d+), "(\w+)", (\d+),', re.MULTILINE)
ERROR_SHOWN = re.compile(r'^\.It (-\d+) Ta (\w+) Ta (\d+)$', re.MULTILINE)

errors = []


def complain(page, text):
    errors.append(f'{page}: {text}')


def read_tables(path):
    output = subprocess.run([path], check=True, capture_output=True, text=True).stdout
    rows = [line.split('\t') for line in output.splitlines()]
    for kind in sorted({'option', 'method', 'param', 'command', 'switch'} - {row[0] for row in rows}):
        complain(path, f'prints no {kind}')
    return rows


def read_items(page):
    """(section, subsection, macro line of the item, the line below it), and all subsections."""
    items, subsections, section, sub = [], [], '', ''
    with open(page, encoding='utf-8') as f:
        lines = f.read().split('\n')
    for line, below in zip(lines, lines[1:]):
        if line.startswith('.Sh '):
            section, sub = line[4:], ''
        elif line.startswith('.Ss '):
            sub = line[4:]
            subsections.append((section, sub))
        elif line.startswith('.It '):
            items.append((section, sub, line[4:], below))
    return items, subsections


def sentence(facts):
    return (facts[0].upper() + facts[1:]).replace('\\', '\\e') + '.'


def check_facts(page, name, facts, below):
    if len(below) != 1:
        complain(page, f'{name} is there {len(below)} times')
    elif below[0] != sentence(facts):
        complain(page, f'{name}: "{below[0]}" stands below it instead of "{sentence(facts)}"')


def check_options(rows, page='docs/wsbridge.json.5'):
    items, _ = read_items(page)
    # Below "Lines" are values of an option.
    items = [(item[3:], below) for _, sub, item, below in items if OPTION.fullmatch(item) and sub != 'Lines']
    known = set(NOT_IN_A_TABLE)
    for kind, name, facts in rows:
        if kind == 'option':
            name = name.replace('bridges.*.', '')
            known.add(name)
            check_facts(page, name, facts, [below for item, below in items if item == name])
    for name in sorted({item for item, _ in items} - known):
        complain(page, f'{name} is no option')


def check_methods(rows, page='docs/wsbridge-rpc.7'):
    items, subsections = read_items(page)
    shown = [sub for section, sub in subsections if section == 'METHODS']
    with open(page, encoding='utf-8') as f:
        text = f.read()
    methods = [row[1] for row in rows if row[0] == 'method']
    params = set()
    for kind, name, facts in rows:
        if kind == 'method' and f'\n.Ss {name}\nRight: {facts}.\n' not in text:
            complain(page, f'{name}: ".Ss {name}", below it "Right: {facts}.", is missing')
        if kind == 'param':
            method, param = name.split()
            params.add((method, f'Cm {param}'))
            check_facts(page, name, facts,
                        [below for _, sub, item, below in items if (sub, item) == (method, f'Cm {param}')])
    for name in sorted(set(shown) - set(methods)):
        complain(page, f'{name} is no method')
    for _, sub, item, _ in items:
        if sub in methods and item.startswith('Cm ') and (sub, item) not in params:
            complain(page, f'{sub}: {item} is no parameter')


def check_commands(rows, page='docs/wsbridge.1'):
    items, subsections = read_items(page)
    shown = {sub.split()[0] for _, sub in subsections}
    commands = [row[1] for row in rows if row[0] == 'command']
    for name in sorted(shown ^ set(commands)):
        complain(page, f'{name} is ' + ('missing' if name in commands else 'no command'))
    there = {((sub.split() or [''])[0], item) for _, sub, item, _ in items if item.startswith('Fl ')}
    known = {(name, facts) for kind, name, facts in rows if kind == 'switch'}
    for command, item in sorted(known - there):
        complain(page, f'{command or "before the command"}: ".It {item}" is missing')
    for command, item in sorted(there - known):
        complain(page, f'{command or "before the command"}: ".It {item}" is no switch')


def check_errors(table='src/base/errors.def', page='docs/wsbridge-rpc.7'):
    with open(table, encoding='utf-8') as t, open(page, encoding='utf-8') as p:
        known, shown = ERROR.findall(t.read()), ERROR_SHOWN.findall(p.read())
    if not known:
        complain(table, 'has no errors')
    for error in known:
        if shown.count(error) != 1:
            complain(page, f'".It {" Ta ".join(error)}" is there {shown.count(error)} times')
    for error in sorted(set(shown) - set(known)):
        complain(page, f'".It {" Ta ".join(error)}" is not in {table}')


def main(top):
    tables = os.path.abspath(os.path.join(os.environ.get('top_builddir', '.'), 'tests/lint/list_tables'))
    built = os.access(tables, os.X_OK)
    os.chdir(top)
    check_errors()
    if built:
        rows = read_tables(tables)
        check_options(rows)
        check_methods(rows)
        check_commands(rows)
    for line in errors:
        print(line)
    if not errors and not built:
        print(f'skipped: {tables} is not built: make tests/lint/list_tables')
        return 77
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('top_srcdir', '.')))
