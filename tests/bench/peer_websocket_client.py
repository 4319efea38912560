#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A bridge on Python's websocket-client: it blocks, so there is a thread for each direction, and one
client. Usage: peer_websocket_client.py [--tls] ADDRESS:PORT PATH
"""

import os
import socket
import ssl
import sys
import threading

import websocket


def send_lines(client, ws):
    with client.makefile('rb') as lines:
        for line in lines:
            ws.send(line[:-1])


def main(switches, address, path):
    url = ('wss://' if '--tls' in switches else 'ws://') + address
    ws = websocket.create_connection(url, sslopt={'cert_reqs': ssl.CERT_NONE, 'check_hostname': False},
                                     sockopt=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        client, _ = listener.accept()
    threading.Thread(target=send_lines, args=(client, ws), daemon=True).start()
    while True:
        opcode, data = ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            os._exit(0)  # the other thread still waits for lines
        client.sendall(data + b'\n')


if __name__ == '__main__':
    main([a for a in sys.argv[1:] if a.startswith('--')], *[a for a in sys.argv[1:] if not a.startswith('--')])
