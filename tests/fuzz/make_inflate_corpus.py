#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the seeds of fuzz_inflate: the examples of RFC 7692, messages of zlib's under all options,
bombs, and data that is wrong. Usage: make_inflate_corpus.py [DIRECTORY]
"""

import os
import struct
import sys
import zlib

ALONE, SMALL, TEXT, RELEASE, BITS = 1, 2, 4, 8, 16
HELLO = bytes.fromhex('f248cdc9c90700')


def pack(messages, alone=False, bits=15, level=6):
    state, out = zlib.compressobj(level, zlib.DEFLATED, -bits), []
    for message in messages:
        if alone:
            state = zlib.compressobj(level, zlib.DEFLATED, -bits)
        out.append((state.compress(message) + state.flush(zlib.Z_SYNC_FLUSH))[:-4])
    return out


def seed(payloads, options=0, fragment=0, piece=7):
    return bytes([options, fragment, piece]) + b''.join(struct.pack('>H', len(p)) + p for p in payloads)


def seeds():
    prose = b''.join(b'{"n":%d,"name":"gr\xc3\xb6\xc3\x9fe"},' % (i * 7919 % 10007) for i in range(60))
    made = {
        '7.2.3.1-hello': seed([HELLO]),
        '7.2.3.1-fragments': seed([HELLO], fragment=3),
        '7.2.3.2-window': seed([HELLO, bytes.fromhex('f200110000')]),
        '7.2.3.2-no-window': seed([HELLO, bytes.fromhex('f200110000')], ALONE),
        '7.2.3.3-stored': seed([bytes.fromhex('000500faff48656c6c6f00')]),
        '7.2.3.4-final': seed([bytes.fromhex('f348cdc9c9070000'), bytes.fromhex('f200110000')]),
        '7.2.3.4-final-alone': seed([bytes.fromhex('f348cdc9c90700'), HELLO], RELEASE),
        '7.2.3.5-two-blocks': seed([bytes.fromhex('f248050000 00ffffcac9c90700')]),
        '7.2.3.6-empty': seed([b'\x00', b'', b'\x00']),
        'final-many': seed([b'\x03\x00' * 40 + HELLO]),
        'cut-off': seed([HELLO[:3]]),
        'block-type': seed([b'\x07']),
        'stored-length': seed([bytes.fromhex('000500fafe')]),
        'distance': seed([bytes.fromhex('f200110000')]),
        'no-text': seed(pack([b'a\xff']), TEXT),
        'half-a-character': seed(pack([b'\xc3']), TEXT),
        'bomb': seed(pack([bytes(1 << 20)], level=9), piece=0),
        'bomb-small': seed(pack([bytes(1 << 12)], level=9), SMALL, fragment=2),
    }
    for n in (63, 64, 65):
        made[f'limit-{n}'] = seed(pack([b'ab' * n][:1]) + pack([b'x' * n]), SMALL)
        made[f'limit-exact-{n}'] = seed(pack([b'x' * n]), SMALL | RELEASE, fragment=1)
    for options in range(0, 32, 1):
        if options & SMALL:
            continue
        messages = [prose, prose[100:], b'', prose[:300], prose]
        made[f'prose-{options}'] = seed(pack(messages, options & ALONE, 9 if options & BITS else 15), options,
                                        fragment=options * 5, piece=41)
    return made


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, 'corpus')
    folder = os.path.join(folder, 'inflate')
    os.makedirs(folder, exist_ok=True)
    for name, data in seeds().items():
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
