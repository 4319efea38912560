#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the seeds of fuzz_framing: what local clients write and what comes from upstream. The files
are committed; what a fuzzer finds is added beside them under another name.
Usage: make_framing_corpus.py [DIRECTORY]    (by default corpus/framing beside this script)
"""

import os
import sys

LINES, JSON, LENGTH, RAW = range(4)
PACKET = 4
SMALL, NUL, INLINE, ESCAPE, REJECT, BINARY, BASE64 = 1, 2, 4, 8, 16, 32, 64
TEXT = 'a\n\\"\t\x01ä😀'.encode()
VALUE = b'{"v":0.10,"n":9223372036854775808,"a":1,"a":2,"e":1E+2}'
ID = b',"id":{"a":[1, "x"]}}\n'


def frame(kind, payload):
    return len(payload).to_bytes(4, 'big') + bytes([kind]) + payload


def lines():
    yield 'plain', LINES, 0, b'one\ntwo\r\n\nlast'
    yield 'nul', LINES, NUL, b'one\0two\n\0'
    yield 'escape', LINES, ESCAPE, b'a\\nb\\\\\n\\x\n'
    yield 'escape-nul', LINES, ESCAPE | NUL, b'a\\0b\n\\\\\0'
    yield 'reject', LINES, REJECT, b'a\nb'
    yield 'binary', LINES, BINARY, b'\xff\n\x80\n'
    yield 'base64', LINES, BASE64, b'aGVsbG8=\nCg==\naGk\n'
    yield 'bad-utf8', LINES, 0, b'\xc3\n\xa4\nok\n'
    yield 'long', LINES, SMALL, b'x' * 100 + b'\nok\n'
    yield 'packet', LINES | PACKET, 0, b'a\nb\n'
    yield 'text', LINES, ESCAPE, TEXT


def objects():
    yield 'text', JSON, 0, b'{"type":"text","data":"a\\n\\u00e4\\ud83d\\ude00"}\n\n'
    yield 'fragment', JSON, 0, b'{"type":"text","data":"a","fin":false' + ID
    yield 'binary', JSON, 0, b'{"type":"binary","data":"AAr\\/"' + ID
    yield 'value', JSON, INLINE, b'{"type":"json","data":' + VALUE + ID
    yield 'inline', JSON, INLINE, b'{"type":"text","seq":1,"epoch":2,"time":3.5,"inline":true,"data":[1,\r2]}\n'
    yield 'message', JSON, INLINE, VALUE
    yield 'message-newlines', JSON, INLINE, b'[1,\r\n {"a": null}]\n'
    yield 'ping', JSON, 0, b'{"type":"ping","data":"/wA=","encoding":"base64"' + ID
    yield 'pong', JSON, 0, b'{"type":"pong"}'
    yield 'close', JSON, 0, b'{"type":"close","code":4000,"reason":"b\\u0079e"' + ID
    yield 'unknown', JSON, 0, b'{"type":"text","d\\u0061ta":"a","x\\u001b":1' + ID
    yield 'twice', JSON, 0, b'{"type":"ping","type":"ping"' + ID
    yield 'half', JSON, 0, b'{"type":"text","data":"\\ud83d"}\n'
    yield 'not', JSON, 0, b'hello\n[1]\n{"type":1}\n'
    yield 'long', JSON, SMALL, b'{"type":"text","data":"' + b'x' * 100 + b'"}\n'
    yield 'packet', JSON | PACKET, 0, b'{\n"type":"json",\n"data":[\n1\n]\n}\n'
    yield 'bad-utf8', JSON, INLINE, b'a\xff\xe2\x82\n\xc3'
    yield 'escapes', JSON, 0, TEXT


def others():
    yield 'length', LENGTH, 0, frame(1, b'one') + frame(2, b'\xff\0\n') + frame(1, b'')
    yield 'length-type', LENGTH, 0, frame(3, b'x') + frame(1, b'ok')
    yield 'length-utf8', LENGTH, 0, frame(1, b'\xc3') + frame(1, b'ok')
    yield 'length-long', LENGTH, SMALL, frame(2, b'x' * 65) + frame(1, b'ok')
    yield 'length-cut', LENGTH, 0, frame(2, b'123')[:-1]
    yield 'length-none', LENGTH, 0, b'hello\nyou there\n'
    yield 'raw', RAW, BINARY, b'\0\xff any bytes\n'
    yield 'raw-text', RAW, 0, TEXT
    yield 'raw-split', RAW, SMALL, 'ä'.encode() * 70
    yield 'raw-bad', RAW, 0, b'a\xffb\xc3'
    yield 'raw-packet', RAW | PACKET, SMALL, b'x' * 65


def main(directory):
    os.makedirs(directory, exist_ok=True)
    for prefix, seeds in (('lines-', lines()), ('json-', objects()), ('', others())):
        for name, framing, options, data in seeds:
            with open(os.path.join(directory, prefix + name), 'wb') as f:
                f.write(bytes([framing, options, 5]) + data)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus/framing'))
