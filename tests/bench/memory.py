# SPDX-License-Identifier: Apache-2.0
"""
Memory of the daemon by how many idle bridges it has, each with one endpoint: resident, and private
(what would come free if it went away). Beside wss stands what OpenSSL alone takes, in a process
that only holds connections. Also how long it takes until all are open, and to show the status.
"""

import json
import os
import resource
import socket
import subprocess
import time

import programs
import runs
import svg

NUMBERS = {'ws': (1, 100, 1000, 10000), 'wss': (1, 100, 1000), 'OpenSSL': (1, 100, 1000)}
LOOKS = 20  # in a row, a tenth of a second apart
FILES_FOR_ONE = 3  # a connection, a listener, its lock
FILES_BESIDES = 500
KIB = 1024


def raise_limit(number):
    """Of open files, for the programs that are started; how many bridges there can be, at most this."""
    files, hard = number * FILES_FOR_ONE + FILES_BESIDES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, hard), max(files, hard)))
    except (ValueError, OSError):  # not everybody may raise the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_BESIDES) // FILES_FOR_ONE
    return number if room >= number else room // 1000 * 1000


def read_memory(pid):
    """Resident and private bytes."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        fields = dict(line.split(':', 1) for line in file if ':' in line and 'kB' in line)
    size = {name: int(text.split()[0]) * KIB for name, text in fields.items()}
    return size['Rss'], size['Private_Clean'] + size['Private_Dirty']


def settled(pid):
    """Memory once it has stayed the same for so long that what is tidied up later has been."""
    seen, same = None, 0
    while same < LOOKS:
        time.sleep(0.1)
        now = read_memory(pid)
        same = same + 1 if now == seen else 0
        seen = now
    return seen


def status_seconds(path):
    start, answer = time.monotonic(), b''
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(path)
        control.sendall(b'status\n')
        while not answer.endswith(b'\n'):
            data = control.recv(1 << 20)
            if not data:
                raise runs.Failed('the daemon closed its control socket')
            answer += data
    if b'"error"' in answer[:200]:
        raise runs.Failed('status: ' + answer[:200].decode())
    return time.monotonic() - start


def daemon_command(tools, place, kind, number):
    bridge = {'url': f'{kind}://{place.address}/'}
    if kind == 'wss':
        bridge['tls'] = {'ca_file': place.certificate}
    bridges = {f'b{i}': {**bridge, 'endpoint': place.path(f's{i}')} for i in range(number)}
    limits = {'bridges': number, 'dials_per_second': 0, 'tls_handshakes': 0}
    with open(place.path('config.json'), 'w', encoding='utf-8') as file:
        json.dump({'limits': limits, 'bridges': bridges}, file)
    return [programs.Ours(tools).daemon(), '-c', place.path('config.json'), '-s', place.path('control')]


def measure_one(tools, kind, number):
    place = runs.Place()
    server = program = None
    tls = ['--cert', place.certificate, '--key', place.key] if kind != 'ws' else []
    raw = ['--raw'] if kind == 'OpenSSL' else []
    wsload = os.path.join(tools.build, 'tests/bench/wsload')
    try:
        with open(place.path('log'), 'wb') as log:
            server = tools.start([wsload, '--idle', str(number), *tls, *raw, '--port-file', place.path('port'),
                                  '--ready-file', place.path('ready')], tools.load_core, stderr=log)
            runs.wait_for_file(place.path('port'), server)
            with open(place.path('port'), encoding='ascii') as file:
                place.address = '127.0.0.1:' + file.read().strip()
            start = time.monotonic()
            command = [os.path.join(tools.build, 'tests/bench/tlsrelay'), '--idle', str(number), place.address]
            if kind != 'OpenSSL':
                command = daemon_command(tools, place, kind, number)
            program = tools.start(command, tools.bridge_core, stdout=subprocess.DEVNULL, stderr=log)
            runs.wait_for_file(place.path('ready'), server, program)
        result = {'number': number, 'open_s': round(time.monotonic() - start, 3)}
        result['resident'], result['private'] = settled(program.pid)
        if kind != 'OpenSSL':
            result['status_s'] = round(status_seconds(place.path('control')), 3)
        return result
    finally:
        runs.stop(program)
        runs.stop(server)
        place.remove()


def measure(tools, progress):
    found = {}
    for kind, numbers in NUMBERS.items():
        found[kind] = {'points': []}
        for number in numbers:
            progress.show(f'memory: {number} {kind}')
            possible = raise_limit(number)
            if possible < number:
                found[kind]['left out'] = f'{number}: files may be open for {possible} only'
            try:
                found[kind]['points'].append(measure_one(tools, kind, max(possible, 1)))
            except (runs.Failed, OSError) as failed:
                found[kind]['left out'] = f'{number}: {failed}'
        by_number = {point['number']: point for point in found[kind]['points']}
        if 1 in by_number and 1000 in by_number:
            more = by_number[1000]['private'] - by_number[1]['private']
            found[kind]['private bytes for one more'] = round(more / 999)
        progress.done(line_of(kind, found[kind]))
    return found


def line_of(kind, of):
    points = ', '.join(f'{point["number"]}: {point["resident"] / KIB / KIB:.1f} MiB' for point in of['points'])
    each = of.get('private bytes for one more')
    text = f'memory, {kind:8} {points}' + (f'; private for one more: {each / KIB:.1f} KiB' if each else '')
    return text + (f' ({of["left out"]})' if 'left out' in of else '')


def plot(found, path):
    picture = svg.Plot(640, 400)
    across, up = svg.Scale(1, 10000, 70, 610), svg.Scale(1, 1000, 350, 60)
    picture.text(70, 20, 'Resident memory of the process by the number of idle bridges, MiB', size=14)
    picture.legend(80, 42, [(kind, svg.COLOURS[i]) for i, kind in enumerate(found)])
    for tick in across.ticks((1,)):
        picture.line(across(tick), 60, across(tick), 350)
        picture.text(across(tick), 368, f'{tick:,.0f}', 'middle')
    for tick in up.ticks():
        picture.line(70, up(tick), 610, up(tick))
        picture.text(62, up(tick) + 4, f'{tick:g}', 'end')
    for i, (kind, of) in enumerate(found.items()):
        places = [(across(point['number']), up(point['resident'] / KIB / KIB)) for point in of['points']]
        picture.path(places, svg.COLOURS[i])
        for (x, y), point in zip(places, of['points']):
            picture.dot(x, y, svg.COLOURS[i], f'{kind}, {point["number"]}: {point["resident"] / KIB / KIB:.1f} MiB')
    picture.text(340, 390, 'bridges', 'middle')
    picture.write(path)


def write(directory, found):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, 'memory.json'), 'w', encoding='utf-8') as file:
        json.dump(found, file, indent='\t')
        file.write('\n')
    plot(found, os.path.join(directory, 'memory.svg'))


def table(found):
    lines = ['| bridges | ' + ' | '.join(found) + ' |', '|---|' + '---|' * len(found)]
    for number in sorted({point['number'] for of in found.values() for point in of['points']}):
        cells = []
        for of in found.values():
            point = next((point for point in of['points'] if point['number'] == number), None)
            cells.append(f'{point["resident"] / KIB / KIB:.1f} MiB' if point else '–')
        lines.append(f'| {number} | ' + ' | '.join(cells) + ' |')
    each = [of.get('private bytes for one more') for of in found.values()]
    lines.append('| private, for one more | ' + ' | '.join(f'{n / KIB:.1f} KiB' if n else '–' for n in each) + ' |')
    return '\n'.join(lines)
