#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The benchmark itself works: each workload once, with few messages, through the floor and through
wsbridged, where every message is looked for; and what judge.py makes of numbers that are known.
A test; its times mean nothing. usage: smoke.py [TOP]
"""

import os
import sys

import judge
import loads
import programs
import runs

MESSAGES = 500
KINDS = {'relay': 'floor', judge.OURS: 'ours', 'peer': 'peer'}

# wall times of floor, ours, a peer in five rounds; the most that is allowed; what is said
JUDGED = [
    ([1, 1, 1, 1, 1], [1.2, 1.2, 1.2, 1.2, 1.2], [2, 2, 2, 2, 2], 1.25, 'met'),
    ([1, 1, 1, 1, 1], [1.3, 1.3, 1.3, 1.3, 9.0], [2, 2, 2, 2, 20], 1.25, 'missed'),
    ([1, 1, 1, 1, 1], [1.0, 1.2, 1.3, 1.4, 1.6], [2, 2, 2, 2, 2], 1.25, 'within noise'),
    ([2, 1, 4, 1, 3], [2.4, 1.2, 4.8, 1.2, 3.6], [4, 2, 8, 2, 6], 1.25, 'met'),  # the machine was slow
    ([1, 1, 1, 1, 1], [1.2, 1.2, 1.2, 1.2, 1.2], [1.1, 1.1, 1.1, 1.1, 1.1], 1.25, 'behind peer'),
    ([1, 1, 1, 1, 1], [1.2, 1.2, 1.2, 1.2, 1.2], [0.9, 1.0, 1.19, 1.4, 1.5], 1.25, 'met'),
    ([1, 1, 1, 1, 1], [2, 2, 2, 2, 2], [1, 1, 1, 1, 1], 1.25, 'missed; behind peer'),
]


def check_judge():
    load = loads.LOADS[0]
    for floor, ours, peer, most, expected in JUDGED:
        names = dict(zip(KINDS, (floor, ours, peer)))
        results = {name: [{'wall': v, 'cpu': v} for v in values] for name, values in names.items()}
        row = judge.judge(load, loads.Target('wall', most), {'runs': results, 'failures': {}, 'counts': {}}, KINDS)
        if row['verdict'] != expected:
            yield f'{ours} of {floor}, at most {most}, beside {peer}: {row["verdict"]}, not {expected}'


def check_loads(tools, place):
    for load in loads.LOADS:
        for make in (programs.Relay, programs.TlsRelay, programs.InflateRelay, programs.Zlib, programs.Ours):
            program = make(tools)
            if not program.can(load):
                continue
            try:
                result = runs.run(tools, place, program, load, min(MESSAGES, max(load.count // 100, 20)))
            except runs.Failed as failed:
                yield f'{load.name}, {program.name}: {failed}'
                continue
            if not all(result.get(target.metric, 0) > 0 for target in load.targets):
                yield f'{load.name}, {program.name}: no time in {result}'
            if not result.get('p50', 0) <= result.get('p99', 0):
                yield f'{load.name}, {program.name}: half of the trips took longer than 99 of 100: {result}'


def main():
    tools, place = runs.Tools(os.environ.get('top_builddir', 'build/gcc')), runs.Place()
    try:
        bad = [*check_judge(), *check_loads(tools, place)]
    finally:
        place.remove()
    print('\n'.join(bad) or f'{len(loads.LOADS)} workloads')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
