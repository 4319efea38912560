#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the seeds of fuzz_vector: texts longer than a few vectors, good ones and such with a fault
where two of them meet. The files are committed; what a fuzzer finds is added beside them.
Usage: make_vector_corpus.py [DIRECTORY]    (by default corpus/vector beside this script)
"""

import base64
import os
import sys

FAULTS = {
    'overlong-2': b'\xc1\xbf', 'overlong-3': b'\xe0\x9f\xbf', 'overlong-4': b'\xf0\x8f\xbf\xbf',
    'surrogate': b'\xed\xa0\x80', 'large': b'\xf4\x90\x80\x80', 'five': b'\xf8\x88\x80\x80\x80',
    'alone': b'\x80', 'short': b'\xf1\x80\x80', 'lead': b'\xe1',
}


def texts():
    yield 'ascii', b'The quick brown fox jumps over the lazy dog. ' * 4
    yield 'two', 'Größenwahn für Übermütige, '.encode() * 5
    yield 'three', '日本語のテキスト'.encode() * 8
    yield 'four', '😀😁😂🤣'.encode() * 12
    yield 'short', b'short'
    yield 'none', b''
    for name, fault in FAULTS.items():
        for place in (15, 31, 63):
            yield f'{name}-{place}', b'.' * (place - 1) + fault + 'ü'.encode() * 40
        yield f'{name}-end', 'é'.encode() * 40 + fault


def others():
    yield 'json', b'{"a":[1,-2.5e3,"x\\u00e4"],"b":"' + 'lang ä '.encode() * 12 + b'","c":{"d":null}}'
    yield 'json-escape', b'["' + b'y' * 40 + b'\\n' + b'z' * 70 + b'\x01"]'
    yield 'base64', base64.b64encode(bytes(range(256)))
    yield 'base64-padded', base64.b64encode(bytes(range(130)))
    yield 'base64-bad', base64.b64encode(bytes(90))[:70] + b'-' + base64.b64encode(bytes(90))[71:]
    yield 'bytes', bytes(range(256))
    item = b'{"price":20123.45,"qty":-0.5e-3,"side":"buy","open":true}'
    yield 'json-market', b'{"seq":"0000000001","levels":[' + b','.join([item] * 4) + b']}'
    yield 'json-pretty', b'{\n\t"a" : [\n\t\t1,\r\n\t\t{ }\n\t],\n' + b' ' * 70 + b'"b" : null\n}\n'
    yield 'json-slashes', b'["' + b'\\\\' * 40 + b'\\u00e4","' + b'\\"' * 70 + b'"]'
    yield 'json-deep', b'[{"a":' * 10 + b'[]' + b'}]' * 10
    yield 'json-numbers', b'[' + b'[-12.5,0,0.25,1E+9],' * 8 + b'[]]'


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, 'corpus', 'vector')
    os.makedirs(directory, exist_ok=True)
    for i, (name, text) in enumerate([*texts(), *others()]):
        with open(os.path.join(directory, name), 'wb') as f:
            f.write(bytes([i % 64, (i * 37) % 256]) + text)


main()
