#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""endpoint.py SOCKET TEXT: send a message by an endpoint (framing json), print the next one."""
import json
import socket
import sys


def talk(path, text):
    with socket.socket(socket.AF_UNIX) as bridge:
        bridge.settimeout(10)
        bridge.connect(path)
        bridge.sendall(json.dumps({'type': 'text', 'data': text, 'id': 1}).encode() + b'\n')
        for line in bridge.makefile(encoding='utf-8'):
            record = json.loads(line)
            if record['type'] == 'text':
                return record['data']
            if record['type'] == 'error':  # "ack" with the same id: it has left
                sys.exit(f'endpoint: {record["error"]["message"]}')
        sys.exit('endpoint: the daemon has closed the connection')


try:
    print(talk(*sys.argv[1:]))
except OSError as e:
    sys.exit(f'endpoint: {sys.argv[1]}: {e.strerror or e}')
