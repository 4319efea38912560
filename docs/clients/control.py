#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""control.py SOCKET NAME: the state of a bridge, a question to its server, and its next message."""
import json
import socket
import sys


class Control:
    """Answers are told from events by their id; events that come in between are kept."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.lines = self.socket.makefile(encoding='utf-8')
        self.events, self.id = [], 0

    def read(self):
        return json.loads(self.lines.readline() or sys.exit('control: the daemon has closed the connection'))

    def call(self, method, **params):
        self.id += 1
        request = {'jsonrpc': '2.0', 'id': self.id, 'method': method, 'params': params}
        self.socket.sendall(json.dumps(request).encode() + b'\n')
        while (answer := self.read()).get('id') != self.id:
            self.events.append(answer['params'])
        if 'error' in answer:
            raise RuntimeError(f'{answer["error"]["message"]} ({answer["error"]["data"]["kind"]})')
        return answer['result']

    def event(self):
        return self.events.pop(0) if self.events else self.read()['params']


def main(path, name):
    control = Control(path)
    print(name, 'is', control.call('status', name=name)['bridges'][0]['state'])
    answer = control.call('request', name=name, json={'id': 1}, match={'pointer': '/id', 'equals': 1})
    print('answer:', answer['data'])
    control.call('subscribe', name=name, events=['message'])
    control.call('send', name=name, text='hello')
    print('event:', control.event()['data'])


try:
    main(*sys.argv[1:])
except OSError as e:
    sys.exit(f'control: {sys.argv[1]}: {e.strerror or e}')
except RuntimeError as e:
    sys.exit(f'control: {e}')
