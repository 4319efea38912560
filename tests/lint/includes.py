#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Who may include whom, as data: each folder of src/ has a file .may_include.

    # a comment
    base/buf.h              every file of the folder may include it
    base/*.h                a pattern
    <jansson.h>             a header of a library; those of plain C need no line
    <arpa/inet.h>           or of the system
    @system                 all headers of POSIX and Linux: descriptors, clocks, processes
    backoff.* fsm.c: ...    the line holds for these files only

Errors: an include that no line allows, a line that allows nothing (once the folder has sources),
folders that allow each other in a circle, a private header (_int.h) outside its folder, a folder without the file.
Usage: includes.py [TOP]
"""

import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+("[^"]+"|<[^>]+>)')

PLAIN_C = set('''assert ctype errno float inttypes limits math stdalign stdarg stdbool stddef stdint
    stdio stdlib stdnoreturn string strings endian sys/types'''.split())
LIBRARIES = ('event.h', 'event2/', 'openssl/', 'jansson.h', 'zlib.h', 'zconf.h', 'cmocka.h', 'curses.h',
             'ncurses', 'editline/', 'histedit.h', 'systemd/', 'glib', 'uv.h')

errors = []


def error(place, text):
    errors.append(f'{place}: {text}')


class Rule:
    def __init__(self, place, files, pattern):
        self.place, self.files, self.pattern = place, files, pattern
        self.used = False

    def allows(self, name, includes):
        if not any(fnmatch.fnmatchcase(name, f) for f in self.files):
            return False
        return any(fnmatch.fnmatchcase(i, self.pattern) for i in includes)


def read_rules(path):
    rules = []
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            line = line.split('#')[0].strip()
            if not line:
                continue
            files, colon, pattern = line.rpartition(':')
            rules.append(Rule(f'{path}:{number}', files.split() if colon else ['*'], pattern.strip()))
    return rules


def names_of(written):
    """The names by which a rule can mean this include; none: it needs no rule."""
    name = written[1:-1]
    if written[0] == '"':
        return [name]
    if name.endswith('.h') and name[:-2] in PLAIN_C:
        return []
    return [written] if name.startswith(LIBRARIES) else [written, '@system']


def check_include(place, folder, name, written, rules):
    includes = names_of(written)
    if not includes:
        return
    if written.endswith('_int.h"') and os.path.dirname(includes[0]) != folder:
        error(place, f'{includes[0]} is private to {os.path.dirname(includes[0])}/')
        return
    allowing = [r for r in rules if r.allows(name, includes)]
    for rule in allowing:
        rule.used = True
    if not allowing:
        error(place, f'{" or ".join(includes)} is not allowed by src/{folder}/.may_include')


def check_file(path, folder, rules):
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                check_include(f'{path}:{number}', folder, os.path.basename(path), match.group(1), rules)


def check_folder(src, folder):
    """The folders that this one allows, from its rules."""
    names = sorted(n for n in os.listdir(os.path.join(src, folder)) if n.endswith(('.c', '.h')))
    rules_path = os.path.join(src, folder, '.may_include')
    if not os.path.exists(rules_path):
        if names:
            error(os.path.join(src, folder), 'has no .may_include')
        return set()
    rules = read_rules(rules_path)
    for name in names:
        check_file(os.path.join(src, folder, name), folder, rules)
    has_sources = any(n.endswith('.c') for n in names)
    for rule in rules:
        if has_sources and not rule.used:
            error(rule.place, f'{rule.pattern} allows nothing that is there')
    return {os.path.dirname(r.pattern) for r in rules if r.pattern[0] not in '<@'} - {folder}


def find_circle(graph):
    """Takes away folders without arrows until none is left, or only circles are."""
    while graph:
        ends = [f for f in graph if not any(t in graph for t in graph[f])]
        if not ends:
            return sorted(graph)
        for folder in ends:
            del graph[folder]
    return []


def main(top):
    os.chdir(top)
    folders = sorted(e.name for e in os.scandir('src') if e.is_dir())
    graph = {folder: check_folder('src', folder) for folder in folders}
    circle = find_circle(graph)
    if circle:
        error('src', 'folders allow each other in a circle: ' + ', '.join(circle))
    for line in errors:
        print(line)
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get('top_srcdir', '.')))
