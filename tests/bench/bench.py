#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
How fast wsbridged is beside the least that any bridge must do, and beside bridges on other
libraries: the workloads are in loads.py, the programs in programs.py, what the numbers mean in
judge.py. What is done is kept, so that a run that was broken off goes on where it was (--fresh:
from the beginning). Exit status 1: a target is missed, or a peer is ahead.

usage: bench.py [--quick] [--rows TEXT,...] [--peers NAME,...|none] [--runs N] [--out DIR]
                [--build DIR] [--fresh] [--memory | --no-memory]
"""

import argparse
import json
import os
import platform
import sys
import time
import zlib

import judge
import loads
import memory
import programs
import report
import runs

PEER_SECONDS = 0.5  # a run of a slow peer takes fewer messages, so that it takes about this long


class Progress:
    """One line that changes on a terminal; elsewhere a line for each row."""

    def __init__(self):
        self.on_terminal, self.start = sys.stderr.isatty(), time.monotonic()

    def show(self, text):
        if self.on_terminal:
            print(f'\r\033[K{time.monotonic() - self.start:4.0f} s  {text}', end='', file=sys.stderr, flush=True)

    def done(self, text):
        print(('\r\033[K' if self.on_terminal else '') + text, file=sys.stderr, flush=True)


class Kept:
    """Results of a run that was broken off, for the same program and the same options."""

    def __init__(self, path, key, fresh):
        self.path, self.key, self.results = path, key, {}
        try:
            with open(path, encoding='utf-8') as file:
                kept = json.load(file)
            if kept['key'] == key and not fresh:
                self.results = kept['results']
        except (OSError, ValueError, KeyError):
            pass

    def add(self, name, result):
        self.results[name] = result
        with open(self.path + '.tmp', 'w', encoding='utf-8') as file:
            json.dump({'key': self.key, 'results': self.results}, file)
        os.replace(self.path + '.tmp', self.path)

    def forget(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


def count_for(tools, place, program, load, count):
    """Fewer messages for a program that is slow: after a short run one knows."""
    if program.kind not in ('peer', 'raw'):
        return count
    short = max(count // 100, 20)
    result = runs.run(tools, place, program, load, short)
    lines = PEER_SECONDS * 1e6 / max(result['wall'], 1e-3) / load.clients
    return int(min(count, max(lines, short)))


def measure(tools, place, taking, load, options, progress):
    """All rounds of one load: by program a list with one result, or null, for each round."""
    count = int(load.count * (load.quick if options.quick else 1))
    result = {'runs': {program.name: [] for program in taking}, 'failures': {}, 'counts': {}}
    for program in taking:
        try:
            progress.show(f'{load.name}: {program.name}, how many messages')
            result['counts'][program.name] = count_for(tools, place, program, load, count)
        except runs.Failed as failed:
            result['failures'][program.name] = str(failed)
    for turn in range(options.runs):
        for program in taking:
            progress.show(f'{load.name}: round {turn + 1} of {options.runs}, {program.name}')
            run = None
            if program.name not in result['failures']:
                try:
                    run = runs.run(tools, place, program, load, result['counts'][program.name])
                except runs.Failed as failed:
                    result['failures'][program.name] = str(failed)
            result['runs'][program.name].append(run)
    return result


def taking_part(tools, load, options):
    for make in programs.PROGRAMS:
        program = make(tools)
        if program.kind == 'floor' and program.name not in (load.floor, 'zlib'):
            continue
        if program.kind in ('peer', 'raw') and options.peers is not None and program.name not in options.peers:
            continue
        if program.can(load) and program.is_there():
            yield program


def about_machine(tools):
    def first(path, start):
        with open(path, encoding='utf-8') as file:
            return next((line.split(':', 1)[1].strip() for line in file if line.startswith(start)), '')

    def version_of(make):
        program = make(tools)
        return program.version() if program.is_there() else None

    versions = {make.name: version_of(make) for make in programs.PROGRAMS}
    pinned = tools.load_core is not None
    return {'processor': first('/proc/cpuinfo', 'model name'), 'cores': os.cpu_count(),
            'kernel': platform.release(), 'system': platform.freedesktop_os_release().get('PRETTY_NAME', ''),
            'pinned': pinned, 'versions': {name: version for name, version in versions.items() if version}}


def read_options():
    parser = argparse.ArgumentParser(prog='./dev bench', description='How fast wsbridged is.')
    parser.add_argument('--quick', action='store_true', help='fewer rows and messages, no peers: under a minute')
    parser.add_argument('--rows', help='only rows with one of these texts in their name')
    parser.add_argument('--peers', help='only these, or none')
    parser.add_argument('--runs', type=int, help='rounds of each row (5, quick: 3)')
    parser.add_argument('--out', help='where the results go (docs/bench if all was measured, else build/bench)')
    parser.add_argument('--build', default=os.path.join(programs.TOP, 'build/gcc'), help='where wsbridged is')
    parser.add_argument('--fresh', action='store_true', help='do not go on with a run that was broken off')
    parser.add_argument('--memory', action='store_true', help='memory only')
    parser.add_argument('--no-memory', action='store_true', help='speed only')
    options = parser.parse_args()
    options.runs = options.runs or (3 if options.quick else 5)
    options.rows = options.rows.split(',') if options.rows else None
    if options.quick and options.peers is None:
        options.peers = 'none'
    options.peers = options.peers.split(',') if options.peers else None
    options.whole = not (options.quick or options.rows or options.peers)
    kept = os.path.join(programs.TOP, 'build/bench')
    os.makedirs(kept, exist_ok=True)
    which = zlib.crc32(repr([options.quick, options.runs, options.peers]).encode())
    options.state = os.path.join(kept, f'state-{which:08x}.json')
    options.out = options.out or (os.path.join(programs.TOP, 'docs/bench') if options.whole else kept)
    return options


def measure_all(tools, options, progress):
    wanted = [load for load in loads.LOADS if (not options.quick or load.quick) and
              (not options.rows or any(text.lower() in load.name.lower() for text in options.rows))]
    stat = os.stat(programs.Ours(tools).daemon())
    kept = Kept(options.state, [stat.st_mtime_ns, stat.st_size], options.fresh)
    rows, place = [], runs.Place()
    try:
        for load in wanted:
            taking = list(taking_part(tools, load, options))
            if load.name not in kept.results:
                kept.add(load.name, measure(tools, place, taking, load, options, progress))
            kinds = {make.name: make.kind for make in programs.PROGRAMS}
            for target in load.targets:
                row = judge.judge(load, target, kept.results[load.name], kinds)
                rows.append(row)
                progress.done(report.line_of(row))
    finally:
        place.remove()
    kept.forget()
    return rows


def main():
    options = read_options()
    tools, progress, rows = runs.Tools(options.build), Progress(), []
    if not options.memory:
        rows = measure_all(tools, options, progress)
        report.write(options.out, {'machine': about_machine(tools), 'runs': options.runs, 'rows': rows,
                                   'when': time.strftime('%Y-%m-%d', time.gmtime())})
    if options.memory or (options.whole and not options.no_memory):
        memory.write(options.out, memory.measure(tools, progress))
    report.write_document(options.out)
    if not rows:
        return 0
    print(report.table(rows))
    bad = [row['name'] for row in rows if not judge.is_good(row)]
    print(f'{len(rows) - len(bad)} rows met, {len(bad)} not' + (': ' + ', '.join(bad) if bad else ''))
    return 1 if bad else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('\nbroken off; the same command goes on from here')
