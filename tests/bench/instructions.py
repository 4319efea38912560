#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
How many instructions a message costs in the daemon, counted by callgrind, which needs no quiet
machine. One daemon runs all rows; the control method `version` makes callgrind write what it
counted since the last time (--dump-before), so that the difference of N and 2N messages is left of
what happens once. Instructions inside of libcrypto, libssl and libz are not ours and not counted.

As a test it compares with instructions.json: more than 5 percent above is an error, more than 10
below a hint to write it anew. The numbers hold for a compiler and its options and for the vector
code of a processor; for others there are none, and the test is skipped.

usage: instructions.py [--write] [--build DIR] [TOP]
"""

import argparse
import json
import os
import platform
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time

import runs

ALLOWED, WORTH_A_HINT, SLACK = 1.05, 0.90, 3
NOT_OURS = re.compile(r'/lib(crypto|ssl|z)\.so')
# callgrind takes each byte of a `rep movsb` for an instruction, so that it would decide where buffers lie, and
# whether they are copied as they grow, more than all the rest. With these tunables of glibc vectors copy.
COPIES = 'glibc.cpu.x86_rep_movsb_threshold=0x40000000:glibc.cpu.x86_rep_stosb_threshold=0x40000000'
TURNS = 12  # the least of these counts: how the kernel cuts a stream into reads varies, and adds
SKIPPED = 77
SECONDS = 50  # for all of it


class Row:
    """
    N messages for the first count, twice as many for the second: so few that all of them fit into
    the buffer of a socket, and nobody waits for a client that reads slowly.
    """

    def __init__(self, name, count, size, **more):
        self.name, self.count, self.size = name, count, size
        self.direction = more.get('direction', 'receive')
        self.text = more.get('text', 'ascii')
        self.tls, self.deflate = more.get('tls', False), more.get('deflate', False)
        self.clients, self.endpoint = more.get('clients', 1), more.get('endpoint', {})
        self.framed = self.endpoint.get('framing') == 'json'

    def server(self):
        mode = ['--blast', str(self.count), '--wait-go'] if self.direction == 'receive' else \
               ['--sink', str(self.count), '--ack']
        return [*mode, '--rounds', '0', '--size', str(self.size), '--text', self.text, *['--deflate'] * self.deflate]

    def wrap(self, text):
        return (json.dumps({'type': 'text', 'data': text}) if self.framed else text) + '\n'

    def lines(self, times):
        """What the client writes, and how many lines each client then gets."""
        if self.direction == 'receive' and self.deflate:
            return self.wrap('go') * times, self.count * times  # a compressed stream has one length
        if self.direction == 'receive':
            return self.wrap(f'go {self.count * times}'), self.count * times
        body = 'x' * (self.size - 11)
        return ''.join(self.wrap(f'{i:010} {body}') for i in range(self.count)) * times, times


JSON_IN = {'framing': 'json', 'data': 'inline', 'events': []}
ROWS = [
    Row('receive 64 B', 1000, 64),
    Row('receive 256 B', 250, 256),
    Row('receive 4 KiB', 16, 4096),
    Row('send 64 B', 1000, 64, direction='send'),
    Row('send 256 B', 250, 256, direction='send'),
    Row('send 4 KiB', 16, 4096, direction='send'),
    Row('JSON framing, receive 256 B', 250, 256, text='json', endpoint=JSON_IN),
    Row('JSON framing, send 256 B', 250, 256, direction='send', endpoint=JSON_IN),
    Row('fan-out 8 × 256 B', 250, 256, clients=8),
    Row('TLS receive 256 B', 250, 256, tls=True),
    Row('inflate 1 KiB JSON', 60, 1024, text='json', deflate=True),
]


class Daemon:
    """wsbridged under callgrind, with a bridge for each row and its clients."""

    def __init__(self, place, rows):
        self.place, self.rows, self.processes, self.dumps = place, rows, [], 0
        self.clients, self.control = [], None

    def start(self, tools):
        place, rows = self.place, self.rows
        bridges = {f'row{i}': self.start_server(tools, i, row) for i, row in enumerate(rows)}
        with open(place.path('config.json'), 'w', encoding='utf-8') as file:
            json.dump({'bridges': bridges}, file)
        with open(place.path('log'), 'wb') as log:
            daemon = tools.start(
                ['valgrind', '--tool=callgrind', '--dump-before=method_version', '--dump-line=no',
                 f'--callgrind-out-file={place.path("counts")}', os.path.join(tools.build, 'wsbridged'),
                 '-c', place.path('config.json'), '-s', place.path('control')], None, stdout=log, stderr=log,
                env={**os.environ, 'GLIBC_TUNABLES': COPIES})
        self.processes.append(daemon)
        for i in range(len(rows)):
            runs.wait_for_file(place.path(f'ready{i}'), *self.processes)
        self.clients = [[connect(place.path(f'socket{i}')) for _ in range(row.clients)]
                        for i, row in enumerate(rows)]
        self.control = connect(place.path('control'))

    def start_server(self, tools, i, row):
        port = self.place.path(f'port{i}')
        tls = ['--cert', self.place.certificate, '--key', self.place.key] if row.tls else []
        server = tools.start([os.path.join(tools.build, 'tests/bench/wsload'), *row.server(), *tls,
                              '--port-file', port, '--ready-file', self.place.path(f'ready{i}')], None,
                             stdout=subprocess.DEVNULL)
        self.processes.append(server)
        runs.wait_for_file(port, server)
        with open(port, encoding='ascii') as file:
            url = f'{"wss" if row.tls else "ws"}://127.0.0.1:{file.read().strip()}/'
        return {'url': url, 'tls': {'ca_file': self.place.certificate}, 'ping': {'interval': 0},
                'endpoint': {'unix': self.place.path(f'socket{i}'), 'overflow': 'block', **row.endpoint}}

    def mark(self):
        """The path of what was counted since the mark before."""
        self.control.sendall(b'version\n')
        answer = b''
        while not answer.endswith(b'\n'):
            answer += receive(self.control)
        self.dumps += 1
        return f'{self.place.path("counts")}.{self.dumps}'

    def exchange(self, i, times):
        text, count = self.rows[i].lines(times)
        waiting = selectors.DefaultSelector()
        left = {}
        for client in self.clients[i]:
            waiting.register(client, selectors.EVENT_READ)
            left[client] = count
        self.clients[i][-1].sendall(text.encode())
        while left:
            ready = waiting.select(SECONDS)
            if not ready:
                raise runs.Failed(f'{self.rows[i].name}: nothing came for {SECONDS} seconds')
            for key, _ in ready:
                left[key.fileobj] -= receive(key.fileobj).count(b'\n')
                if left[key.fileobj] <= 0:
                    waiting.unregister(key.fileobj)
                    del left[key.fileobj]

    def count(self, i, times):
        self.exchange(i, times)
        return count_instructions(self.mark())

    def stop(self):
        for process in reversed(self.processes):
            runs.stop(process)


def connect(path):
    runs.wait_for_file(path)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(SECONDS)
    client.connect(path)
    return client


def receive(client):
    data = client.recv(1 << 18)
    if not data:
        raise runs.Failed('the daemon closed a connection')
    return data


def count_instructions(path):
    """Of a file of callgrind: the lines below fn= are costs, but for the one below each calls=."""
    names, total, ours, is_call = {}, 0, True, False
    with open(path, encoding='utf-8') as file:
        for line in file:
            if line.startswith('ob='):
                number, _, name = line[3:].strip().partition(' ')
                names.setdefault(number, name)
                ours = not NOT_OURS.search(names[number])
            elif line.startswith('cob='):
                number, _, name = line[4:].strip().partition(' ')
                names.setdefault(number, name)
            elif line.startswith('calls='):
                is_call = True
            elif line[0] in '0123456789+-*':
                if ours and not is_call:
                    total += int(line.split()[1])
                is_call = False
    return total


def measure(tools):
    place = runs.Place()
    daemon, counts = Daemon(place, ROWS), {}
    try:
        daemon.start(tools)
        daemon.mark()
        for i, row in enumerate(ROWS):
            daemon.exchange(i, 1)  # what is made for the first message
            daemon.mark()
            once, twice = (min(daemon.count(i, times) for _ in range(TURNS)) for times in (1, 2))
            counts[row.name] = round((twice - once) / row.count, 1)
        return counts
    finally:
        daemon.stop()
        place.remove()


def built_for(tools):
    """What the numbers depend on besides the sources, or why there can be none."""
    with open(os.path.join(tools.build, 'wsbridged'), 'rb') as file:
        program = file.read()
    if b'__asan_init' in program or b'__gcov_' in program:
        raise LookupError('the daemon is instrumented')
    if not shutil.which('valgrind'):
        raise LookupError('valgrind not found: apt-get install valgrind')
    compilers = {m.decode() for m in re.findall(rb'GNU C[0-9]+ [0-9.]+|clang version [0-9.]+', program)}
    levels = {m.decode() for m in re.findall(rb'GNU C[0-9]+ [^\0]* (-O[^\0 ]*)', program)}
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        features = file.read().split()
    return {'compiler': ', '.join(sorted(compilers)) or 'unknown', 'optimized': ', '.join(sorted(levels)),
            'position independent': program[16] == 3, 'machine': platform.machine(),
            'avx2': 'avx2' in features, 'libc': ' '.join(platform.libc_ver())}


def compare(stored, counts):
    bad = 0
    for name, count in counts.items():
        known = stored.get(name)
        text = f'{name:30} {count:10.1f}'
        if known is None:
            text, bad = text + '   is not in instructions.json', bad + 1
        elif count > known * ALLOWED + SLACK:
            text, bad = text + f'   was {known}: {100 * (count / known - 1):+.1f} %', bad + 1
        elif count < known * WORTH_A_HINT:
            text += f'   was {known}: better; instructions.py --write keeps it so'
        print(text)
    for name in set(stored) - set(counts):
        print(f'{name}: in instructions.json, but not measured')
        bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--write', action='store_true', help='keep what is measured')
    parser.add_argument('--build', default=os.environ.get('top_builddir', '.'))
    parser.add_argument('top', nargs='?', default=os.environ.get('top_srcdir', '.'))
    options = parser.parse_args()
    tools, path = runs.Tools(options.build), os.path.join(options.top, 'tests/bench/instructions.json')
    with open(path, encoding='utf-8') as file:
        stored = json.load(file)
    try:
        now = built_for(tools)
    except LookupError as reason:
        print(f'skipped: {reason}')
        return SKIPPED
    if not options.write and stored['for'] != now:
        print(f'skipped: instructions.json is for {stored["for"]}, this is {now}')
        return SKIPPED
    start = time.monotonic()
    try:
        counts = measure(tools)
    except runs.Failed as failed:
        print(failed)
        return 1
    print(f'instructions for a message ({time.monotonic() - start:.0f} s)')
    if options.write:
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'for': now, 'rows': counts}, file, indent='\t', ensure_ascii=False)
            file.write('\n')
        compare(counts, counts)
        return 0
    return 1 if compare(stored['rows'], counts) else 0


if __name__ == '__main__':
    sys.exit(main())
