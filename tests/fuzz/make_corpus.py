#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the seeds of the fuzz targets: conversations after the cases of the Autobahn suite, and
responses to an upgrade. The files are committed; what a fuzzer finds is added beside them under
another name. Usage: make_corpus.py [DIRECTORY]    (by default corpus/ beside this script)
"""

import os
import struct
import sys

NO_UTF8, CLOSE_FIRST, SMALL, ECHO, DELIVER, WRITE = 1, 2, 4, 8, 16, 32

TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
TEXT_MORE, MORE, LAST = 0x01, 0x00, 0x80
HELLO = b'Hello, world!'
KOSME = 'κόσμε'.encode()


def frame(first, payload=b''):
    n = len(payload)
    if n < 126:
        return bytes([first, n]) + payload
    if n < 65536:
        return bytes([first, 126]) + struct.pack('>H', n) + payload
    return bytes([first, 127]) + struct.pack('>Q', n) + payload


def closing(code, reason=b''):
    return frame(CLOSE, struct.pack('>H', code) + reason)


def fragments(payload, size, first=TEXT_MORE):
    parts = [payload[i:i + size] for i in range(0, len(payload), size)]
    out = frame(first, parts[0])
    for part in parts[1:-1]:
        out += frame(MORE, part)
    return out + frame(LAST, parts[-1])


END = closing(1000)


def frame_seeds():
    def seed(name, data, options=ECHO, pieces=(3, 1, 2)):
        seeds[name] = bytes([options, len(pieces), *pieces]) + data

    seeds = {}
    for n in (0, 1, 64, 65, 125, 126, 127, 128, 700):
        seed(f'1.1-text-{n}', frame(TEXT, b'*' * n) + END)
        seed(f'1.2-binary-{n}', frame(BINARY, b'\xfe' * n) + END, ECHO | SMALL)
    seed('2.1-ping', frame(PING) + END)
    seed('2.3-ping-octets', frame(PING, b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff') + END)
    seed('2.4-ping-125', frame(PING, b'\xfe' * 125) + END, pieces=(1, 1, 60, 64))
    seed('2.5-ping-126', frame(PING, b'\xfe' * 126))
    seed('2.8-pong', frame(PONG, b'unsolicited') + END)
    seed('2.10-pings', b''.join(frame(PING, b'payload-%d' % i) for i in range(10)) + END)
    seed('2.10-many-pings', b''.join(frame(PING, b'%d' % i) for i in range(40)) + END)
    for rsv in range(1, 8):
        seed(f'3.{rsv}-rsv', frame(TEXT, HELLO) + frame(TEXT | rsv << 4, HELLO) + frame(PING))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        seed(f'4-opcode-{opcode}', frame(TEXT, HELLO) + frame(0x80 | opcode, HELLO))
    seed('5.1-ping-fragment', frame(0x09, b'fragment1') + frame(LAST, b'fragment2'))
    seed('5.3-two', frame(TEXT_MORE, b'fragment1') + frame(LAST, b'fragment2') + END)
    seed('5.6-ping-between', frame(TEXT_MORE, b'fragment1') + frame(PING, b'p') + frame(LAST, b'2') + END)
    seed('5.9-nothing-to-continue', frame(LAST, b'x') + frame(TEXT, HELLO))
    seed('5.15-after-message', fragments(b'fragment1fragment2', 9) + frame(MORE, b'3') + frame(TEXT, b'4'))
    seed('5.18-nested', frame(TEXT_MORE, b'1') + frame(TEXT, b'2'))
    seed('5.19-two-pings', frame(TEXT_MORE, b'1') + frame(MORE, b'2') + frame(PING, b'a') + frame(MORE, b'3') +
         frame(PING, b'b') + frame(LAST, b'5') + END)
    seed('6.1-empty-fragments', frame(TEXT_MORE) + frame(MORE) + frame(LAST) + END)
    seed('6.2-octets', fragments(KOSME, 1) + END)
    seed('6.3-bad', frame(TEXT, KOSME + b'\xed\xa0\x80edited'))
    seed('6.3-bad-octets', fragments(KOSME + b'\xed\xa0\x80edited', 1))
    seed('6.3-unchecked', frame(TEXT, KOSME + b'\xed\xa0\x80edited') + END, ECHO | NO_UTF8)
    for i, text in enumerate((b'\xf4\x8f\xbf\xbf', b'\xf4\x90\x80\x80', b'\xc0\xaf', b'\xe0\x9f\xbf', b'\xf0\x8f\xbf\xbf',
                              b'\xed\x9f\xbf', b'\xee\x80\x80', b'\xff', b'\x80', b'\xe2\x82', b'\xf8\x88\x80\x80\x80')):
        seed(f'6.5-utf8-{i}', frame(TEXT, text) + END)
        seed(f'6.5-utf8-octets-{i}', fragments(text + b'.', 1) + END)
    seed('7.1.2-two-closes', END + frame(CLOSE))
    seed('7.1.3-ping-behind', END + frame(PING))
    seed('7.1.5-close-between', frame(TEXT_MORE, b'1') + END + frame(LAST, b'2'))
    seed('7.3.1-no-body', frame(CLOSE))
    seed('7.3.2-one-byte', frame(CLOSE, b'a'))
    seed('7.3.5-longest', closing(1000, b'*' * 123))
    seed('7.3.6-too-long', closing(1000, b'*' * 124))
    seed('7.5.1-bad-reason', closing(1000, KOSME + b'\xed\xa0\x80'))
    for code in (0, 999, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65535):
        seed(f'7.7-code-{code}', closing(code))
    seed('10.1.1-fragments', fragments(b'*' * 600, 130) + END)
    seed('close-first', frame(TEXT, HELLO) + frame(PING, b'x') + END + frame(TEXT, HELLO), ECHO | CLOSE_FIRST)
    seed('close-first-bad', frame(TEXT, HELLO) + frame(0x83), CLOSE_FIRST)
    seed('masked', bytes([TEXT, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]))
    seed('small-fragments-over', frame(0x02, b'x' * 60) + frame(LAST, b'x' * 5), SMALL)
    seed('small-fragments-fit', frame(0x02, b'x' * 60) + frame(LAST, b'x' * 4) + END, ECHO | SMALL)
    seed('length-16-not-minimal', b'\x82\x7e\x00\x7d' + b'x' * 125)
    seed('length-64-not-minimal', b'\x82\x7f' + struct.pack('>Q', 65535))
    seed('length-highest-bit', b'\x82\x7f' + b'\xff' * 8)
    seed('length-2-62', b'\x02\x7f' + struct.pack('>Q', 1 << 62))
    seed('length-announced-only', b'\x02\x7f' + struct.pack('>Q', 65536) + b'x' * 20)
    seed('full-output', b''.join(frame(BINARY, b'y' * 600) for _ in range(16)) + frame(PING, b'p') + END)
    between = b''.join(frame(first, KOSME[i:i + 3]) + frame(PING, b'%d' % i)
                       for i, first in ((0, TEXT_MORE), (3, MORE), (6, MORE), (9, LAST)))
    seed('deliver', fragments(b'one two three', 4) + frame(TEXT_MORE) + frame(LAST) + END, ECHO | DELIVER)
    seed('deliver-octets', fragments(KOSME, 1) + END, ECHO | DELIVER | WRITE)
    seed('deliver-pings-between', between + END, ECHO | DELIVER | WRITE)
    seed('deliver-unchecked', fragments(KOSME + b'\xed\xa0\x80edited', 2) + END, ECHO | DELIVER | NO_UTF8)
    seed('deliver-bad', fragments(KOSME + b'\xed\xa0\x80edited', 2), ECHO | DELIVER)
    seed('deliver-small-over', frame(0x02, b'x' * 60) + frame(LAST, b'x' * 5), DELIVER | SMALL)
    seed('write-pings-between', b''.join(frame(BINARY, b'x' * n) + frame(PING, b'%d' % n)
                                         for n in (0, 1, 30, 125, 126, 300)) + END, ECHO | WRITE)
    seed('write-many-pings', b''.join(frame(PING, b'%d' % i) for i in range(60)) + END, WRITE)
    seed('nothing', b'', pieces=())
    return seeds


S101 = b'HTTP/1.1 101 Switching Protocols\r\n'
UPGRADE = b'Upgrade: websocket\r\n'
CONNECTION = b'Connection: Upgrade\r\n'
ACCEPT = b'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n'
GOOD = S101 + UPGRADE + CONNECTION + ACCEPT
HINTS = b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'

DEFLATE_ANSWERS = {
    'plain': b'',
    'all': b'; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=8',
    'server': b';server_no_context_takeover;server_max_window_bits=10',
    'quoted': b' ; server_no_context_takeover ; server_max_window_bits = "10"',
    'escaped': b'; server_no_context_takeover; server_max_window_bits="1\\0"',
    'too-much': b'; server_no_context_takeover; server_max_window_bits=11',
    'no-bits': b'; client_max_window_bits',
    'bits-7': b'; server_max_window_bits=7',
    'bits-16': b'; server_max_window_bits=16',
    'bits-08': b'; server_max_window_bits=08',
    'bits-empty': b'; server_max_window_bits=',
    'word-with-value': b'; server_no_context_takeover=1',
    'twice-a-parameter': b'; server_no_context_takeover; server_no_context_takeover',
    'unknown-parameter': b'; mux=4',
    'twice': b', permessage-deflate',
    'other-too': b', foo',
    'comma': b',',
    'semicolon': b';',
    'quote-open': b'; server_max_window_bits="10',
    'quote-empty': b'; server_max_window_bits=""',
}


def handshake_seeds():
    def seed(name, data, offers=3, piece=7):
        seeds[name] = bytes([offers, piece]) + data

    seeds = {}
    seed('good', GOOD + b'\r\n')
    seed('good-frames-behind', GOOD + b'\r\n' + frame(TEXT, HELLO), piece=0)
    seed('good-case', S101 + b'UPGRADE: WebSocket\r\nconnection: keep-alive , UPGRADE\r\n' + ACCEPT + b'\r\n')
    seed('good-no-reason', b'HTTP/1.1 101\r\n' + UPGRADE + CONNECTION + ACCEPT + b'\r\n')
    seed('good-two-connections', S101 + UPGRADE + b'Connection: a,,b\r\n' + CONNECTION + ACCEPT + b'\r\n')
    seed('good-many-fields', GOOD + b''.join(b'X-%d: %d\r\n' % (i, i) for i in range(97)) + b'\r\n')
    seed('too-many-fields', GOOD + b''.join(b'X-%d: %d\r\n' % (i, i) for i in range(98)) + b'\r\n')
    for name in (b'chat', b'superchat', b'mqtt', b'Chat', b'chat, superchat', b''):
        line = b'Sec-WebSocket-Protocol: ' + name + b'\r\n'
        seed('protocol-' + (name.decode().replace(', ', '+') or 'empty'), GOOD + line + b'\r\n')
        seed('protocol-all-' + (name.decode().replace(', ', '+') or 'empty'), GOOD + line + b'\r\n', 7)
    seed('protocol-twice', GOOD + b'Sec-WebSocket-Protocol: chat\r\n' * 2 + b'\r\n')
    seed('protocol-not-offered', GOOD + b'Sec-WebSocket-Protocol: chat\r\n\r\n', 0)
    seed('extension', GOOD + b'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n')
    for name, value in DEFLATE_ANSWERS.items():
        line = b'Sec-WebSocket-Extensions: permessage-deflate' + value + b'\r\n'
        seed('deflate-' + name, GOOD + line + b'\r\n', 0x0F)
        seed('deflate-limited-' + name, GOOD + line + b'\r\n', 0xD8)
    seed('deflate-in-two-fields', GOOD + b'Sec-WebSocket-Extensions: permessage-deflate\r\n' * 2 + b'\r\n', 0x08)
    seed('deflate-empty', GOOD + b'Sec-WebSocket-Extensions:\r\n\r\n', 0x08)
    seed('no-upgrade', S101 + CONNECTION + ACCEPT + b'\r\n')
    seed('two-upgrades', S101 + UPGRADE * 2 + CONNECTION + ACCEPT + b'\r\n')
    seed('other-upgrade', S101 + b'Upgrade: h2c, websocket\r\n' + CONNECTION + ACCEPT + b'\r\n')
    seed('no-connection', S101 + UPGRADE + ACCEPT + b'\r\n')
    seed('other-connection', S101 + UPGRADE + b'Connection: keep-alive upgrade\r\n' + ACCEPT + b'\r\n')
    seed('no-accept', S101 + UPGRADE + CONNECTION + b'\r\n')
    seed('two-accepts', GOOD + ACCEPT + b'\r\n')
    seed('wrong-accept', S101 + UPGRADE + CONNECTION + ACCEPT.replace(b's3p', b'S3P') + b'\r\n')
    seed('accept-space', S101 + UPGRADE + CONNECTION + ACCEPT.replace(b'\r\n', b' \t\r\n') + b'\r\n')
    for minor in (0, 2, 9):
        seed(f'minor-{minor}', GOOD.replace(b'HTTP/1.1', b'HTTP/1.%d' % minor) + b'\r\n')
    for status in (99, 100, 102, 199, 200, 204, 301, 400, 401, 403, 404, 426, 500, 503, 999):
        seed(f'status-{status}', b'HTTP/1.1 %03d x\r\nX: y\r\n\r\n' % status + GOOD + b'\r\n')
    for n in (1, 5, 6):
        seed(f'interim-{n}', HINTS * n + GOOD + b'\r\n', piece=13)
    seed('folded', S101 + b' Upgrade: websocket\r\n' + GOOD + b'\r\n')
    seed('space-before-colon', S101 + b'Upgrade : websocket\r\n' + CONNECTION + ACCEPT + b'\r\n')
    seed('no-colon', GOOD + b'Upgrade\r\n\r\n')
    seed('empty-name', GOOD + b': x\r\n\r\n')
    seed('line-feeds-only', GOOD.replace(b'\r\n', b'\n') + b'\n')
    seed('nul-in-value', GOOD + b'X: a\0b\r\n\r\n')
    seed('cr-in-value', GOOD + b'X: a\rb\r\n\r\n')
    seed('high-bytes-in-value', GOOD + b'X: \xff\xfe\r\n\r\n')
    seed('high-bytes-in-name', GOOD + b'X\xff: x\r\n\r\n')
    seed('empty-first-line', b'\r\n' + GOOD + b'\r\n')
    seed('not-http', b'SSH-2.0-OpenSSH_9.2\r\n')
    seed('tls-alert', b'\x15\x03\x03\x00\x02\x02\x28')
    seed('http-2', GOOD.replace(b'HTTP/1.1', b'HTTP/2.0') + b'\r\n')
    seed('half', GOOD[:60])
    seed('longest-status', b'HTTP/1.1 101 ' + b'x' * 4081 + GOOD[len(S101) - 2:] + b'\r\n', piece=255)
    seed('too-long-status', b'HTTP/1.1 101 ' + b'x' * 4082 + GOOD[len(S101) - 2:] + b'\r\n', piece=255)
    seed('longest-line', GOOD + b'X: ' + b'y' * 8187 + b'\r\n\r\n', piece=255)
    seed('too-long-line', GOOD + b'X: ' + b'y' * 8188 + b'\r\n\r\n', piece=255)
    seed('empty', b'')
    return seeds


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, 'corpus')
    for target, seeds in (('frame', frame_seeds()), ('handshake', handshake_seeds())):
        directory = os.path.join(top, target)
        os.makedirs(directory, exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(directory, name), 'wb') as file:
                file.write(data)
        print(f'{target}: {len(seeds)} seeds')


if __name__ == '__main__':
    main()
