# SPDX-License-Identifier: Apache-2.0
"""
What bench.py found, as a table, as JSON and as a plot.
"""

import json
import os

import judge
import memory
import programs
import svg

NOTE = '''# How fast it is

{plot}
Each cell is the time of a message in microseconds and, in brackets, how many times that is of what
the *floor* takes in the same run. The floor does the least that any bridge must do: it copies the
same bytes between the same sockets with 64 KiB buffers (`relay`), with OpenSSL for wss (`tlsrelay`),
or with zlib's inflate (`inflaterelay`; `zlib` is inflate alone, of a stream in memory, without
sockets). It looks at nothing; wsbridged checks frames and UTF-8, queues and counts.

{table}

{machine}.

Wall time; for fan-out the processor time of each line that was delivered to one of 64 clients. Median of {runs} rounds in which the programs took turns; ± is
the noise, a standard deviation of the rounds estimated from their median distance to the median. `met`: the ratio is at most the target;
`within noise`: above it by less than ±. Libraries are measured in small bridges of ours, in
`tests/bench`, which do what wsbridged does with the messages and nothing else.

wsbridged runs with its defaults, every check included, but for `overflow: "block"`: no message may be
dropped while the load client, which shares its processor with the load server, does not run. socat
copies bytes like the floor: it stands there because it is what people use.
{failures}
The processor time of the bridge alone, which a load server or client that is slower does not hide:

{processor}

Again: `./dev bench` (a quarter of an hour; a run that is broken off goes on where it was), or
`./dev bench --quick` in less than a minute, without other programs. `bench.json` has every round.
{memory}
## Instructions

How many instructions of the processor a message costs in the daemon, counted by callgrind, without
those inside of OpenSSL and zlib. `make check` measures them again and refuses more than 5 percent
above; `./dev bench instructions --write` keeps new ones (`tests/bench/instructions.json`).

{instructions}

What vector code gains is in [VECTOR.md](VECTOR.md).
'''


MEMORY = '''
## Memory

![The table as a plot](memory.svg)

Resident memory of the process by how many idle bridges it has, each with one endpoint, and the
private memory that one more costs, from 1 to 1000. Beside wss stands a process that holds as many TLS
connections, with buffers released, and does nothing else.

{table}
'''


def number(value):
    return f'{value:.3g}' if value < 100 else f'{value:.0f}'


def cell(of):
    if not of:
        return '–'
    ratio = f' ({number(of["ratio"])})' if 'ratio' in of else ''
    return number(of['microseconds']) + ratio


def line_of(row):
    """For the terminal."""
    ours = row['programs'].get(judge.OURS, {})
    floor = row['programs'].get(row['floor'], {})
    text = f'{row["name"]:20} floor {cell({k: v for k, v in floor.items() if k != "ratio"}):>8} us'
    if 'ratio' in ours:
        text += (f'   ours {number(ours["microseconds"]):>7} us = {ours["ratio"]:5.2f} ± {ours["noise"]:.2f}'
                 f' of at most {row["most"]:.2f}   cpu {number(ours["cpu_microseconds"]):>7} us')
        if floor.get('cpu_microseconds'):
            text += f' = {ours["cpu_microseconds"] / floor["cpu_microseconds"]:.2f}'
    return f'{text}   {row["verdict"]}'


def names_of(rows):
    names = []
    for row in rows:
        names += [name for name in row['programs'] if name not in names and name != row['floor']]
    left_out = (judge.OURS, 'relay', 'inflaterelay', 'tlsrelay')
    return [judge.OURS] + [name for name in names if name not in left_out]


def table(rows):
    names = names_of(rows)
    lines = [['µs for a message', 'floor', 'target', *names, 'verdict']]
    lines.append(['---'] * len(lines[0]))
    for row in rows:
        floor = row['programs'].get(row['floor'], {})
        first = [row['name'], f'{number(floor["microseconds"])} {row["floor"]}' if floor else '–', f'{row["most"]:.2f}']
        cells = [cell(row['programs'].get(name)) for name in names]
        ours = row['programs'].get(judge.OURS, {})
        if 'noise' in ours:
            cells[0] = f'{number(ours["microseconds"])} (**{ours["ratio"]:.2f}** ± {ours["noise"]:.2f})'
        lines.append([*first, *cells, row['verdict']])
    return align(lines)


def processor_table(rows):
    """What a message costs the bridge itself, however long it had to wait for its processor."""
    names = names_of(rows)
    lines = [['µs of processor', 'floor', *names]]
    lines.append(['---'] * len(lines[0]))
    for row in rows:
        if row['metric'] == 'wall':
            costs = [row['programs'].get(name, {}).get('cpu_microseconds') for name in (row['floor'], *names)]
            lines.append([row['name'], *(number(cost) if cost is not None else '–' for cost in costs)])
    return align(lines)


def align(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    lines[1] = ['-' * width for width in widths]
    return '\n'.join('| ' + ' | '.join(text.ljust(width) for text, width in zip(line, widths)) + ' |' for line in lines)


def plot(rows, path):
    names = names_of(rows)
    colours = {name: svg.COLOURS[i % len(svg.COLOURS)] for i, name in enumerate(names)}
    height = 30
    picture = svg.Plot(960, 90 + height * len(rows))
    scale = svg.Scale(0.5, 300, 190, 940)
    bottom = 50 + height * len(rows)
    picture.text(190, 18, 'Time for a message, as a multiple of the floor in the same run (| target)', size=14)
    picture.legend(40, 38, colours.items())
    for tick in scale.ticks():
        picture.line(scale(tick), 50, scale(tick), bottom, svg.INK if tick == 1 else svg.GRID)
        picture.text(scale(tick), bottom + 16, f'{tick:g}', 'middle')
    for i, row in enumerate(rows):
        y = 50 + height * (i + 0.5)
        picture.line(190, y, 940, y)
        picture.text(182, y + 4, row['name'], 'end')
        picture.line(scale(row['most']), y - 11, scale(row['most']), y + 11, svg.INK, 3)
        for name in reversed(names):
            of = row['programs'].get(name, {})
            if 'ratio' in of:
                title = f'{name}: {of["ratio"]:.2f} ({number(of["microseconds"])} µs)'
                picture.dot(scale(of['ratio']), y, colours[name], title, 7 if name == judge.OURS else 5)
    picture.write(path)


def sentence(machine):
    versions = ', '.join(f'{name} {version}' for name, version in machine['versions'].items() if version)
    pinned = 'load and bridge on a processor each' if machine['pinned'] else 'everything on one processor'
    return (f'{machine["processor"]}, {machine["cores"]} processors, {machine["system"]}, Linux '
            f'{machine["kernel"]}, {pinned}; {versions}')


def failures(rows):
    seen = {(row['name'], name): why for row in rows for name, why in row['failures'].items()}
    return '\n' + '\n'.join(f'* {row}, {name}: {why}.' for (row, name), why in seen.items()) + '\n' if seen else ''


def write(directory, found):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, 'bench.json'), 'w', encoding='utf-8') as file:
        json.dump(found, file, indent='\t', ensure_ascii=False)
        file.write('\n')
    plot(found['rows'], os.path.join(directory, 'bench.svg'))


def read_json(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def instructions():
    counts = read_json(os.path.join(programs.HERE, 'instructions.json'))['rows']
    return '\n'.join(['| message | instructions |', '|---|---|',
                      *(f'| {name} | {count:.0f} |' for name, count in counts.items())])


def write_document(directory):
    """From the JSON files that are there."""
    found, of_memory = (read_json(os.path.join(directory, name)) for name in ('bench.json', 'memory.json'))
    if not found:
        return
    text = NOTE.format(plot='![The table as a plot](bench.svg)\n', table=table(found['rows']), runs=found['runs'],
                       processor=processor_table(found['rows']),
                       machine=sentence(found['machine']), failures=failures(found['rows']),
                       memory=MEMORY.format(table=memory.table(of_memory)) if of_memory else '',
                       instructions=instructions())
    with open(os.path.join(directory, 'README.md'), 'w', encoding='utf-8') as file:
        file.write(text)
