# SPDX-License-Identifier: Apache-2.0
"""
The workloads of bench.py, with the least that each is compared with and the most that it may take.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    metric: str  # of a run: wall and cpu for each message, p50, p99
    most: float  # times the floor
    label: str = ''


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    kind: str  # recv, send, echo
    size: int
    count: int
    targets: tuple
    floor: str = 'relay'
    text: str = 'ascii'
    tls: bool = False
    deflate: bool = False
    clients: int = 1
    json_framing: bool = False
    quick: float = 0  # which part of the count --quick takes; 0: not at all

    @property
    def needs(self):
        skill = {'recv': 'plain', 'send': 'send', 'echo': 'echo'}[self.kind]
        more = {'tls': self.tls, 'deflate': self.deflate, 'fanout': self.clients > 1, 'json': self.json_framing}
        return {skill} | {name for name, is_needed in more.items() if is_needed}

    @property
    def endpoint(self):
        return {'framing': 'json', 'data': 'inline', 'events': []} if self.json_framing else {}

    def switches(self):
        return ['--tls'] * self.tls + ['--deflate'] * self.deflate

    def server(self, count, raw):
        mode = {'recv': ['--blast', str(count), '--wait-go'], 'send': ['--sink', str(count), '--ack'],
                'echo': ['--echo']}[self.kind]
        return [*mode, '--size', str(self.size), '--text', self.text, *['--raw'] * raw,
                *['--deflate'] * self.deflate]

    def client(self, count, raw):
        if self.kind == 'send':
            mode = ['--send', str(count), '--wait-ack']
        elif self.kind == 'echo':
            mode = ['--pingpong', str(count)]
        else:
            mode = ['--recv', str(count), '--clients', str(self.clients)]
            framed = self.json_framing and not raw
            mode += ['--go', '{"type":"text","data":"go"}' if framed else 'go']
            mode += ['--after', '"data":{"seq":"'] if framed else []
        return [*mode, '--size', str(self.size), '--text', self.text]


def wall(most):
    return (Target('wall', most),)


MILLION = 1000000
LOADS = [
    Load('receive 64 B', 'recv', 64, MILLION, wall(1.35), quick=0.3),
    Load('receive 256 B', 'recv', 256, MILLION, wall(1.25), quick=0.2),
    Load('receive 4 KiB', 'recv', 4096, 100000, wall(1.15), quick=0.2),
    Load('receive 1 MiB', 'recv', 1 << 20, 2000, wall(1.15)),
    Load('send 64 B', 'send', 64, MILLION, wall(1.5), quick=0.3),
    Load('send 256 B', 'send', 256, MILLION, wall(1.5), quick=0.2),
    Load('send 4 KiB', 'send', 4096, 100000, wall(1.25), quick=0.2),
    Load('send 1 MiB', 'send', 1 << 20, 2000, wall(1.25)),
    Load('echo 64 B', 'echo', 64, 10000, (Target('p50', 1.05, 'p50'), Target('p99', 1.05, 'p99')), quick=0.2),
    Load('TLS receive 256 B', 'recv', 256, MILLION, wall(1.1), floor='tlsrelay', tls=True, quick=0.2),
    Load('TLS receive 64 KiB', 'recv', 65536, 8000, wall(1.1), floor='tlsrelay', tls=True),
    Load('fan-out 64 × 256 B', 'recv', 256, 20000, (Target('cpu', 1.5),), clients=64, quick=0.5),
    Load('JSON framing 256 B', 'recv', 256, 500000, wall(2.0), text='json', json_framing=True, quick=0.2),
    Load('inflate 1 KiB JSON', 'recv', 1024, 50000, wall(1.1), floor='inflaterelay', text='json', deflate=True,
         quick=0.4),
]
