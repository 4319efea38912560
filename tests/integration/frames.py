# SPDX-License-Identifier: Apache-2.0
"""
WebSocket frames by hand (RFC 6455, 5.2), also wrong ones. Not a library: it checks nothing, because
the tests are about what the other side checks.
"""

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b'', fin=True, rsv=0, **odd):
    """
    odd: `length`, what the header claims instead of the truth; `form`, 16 or 64 bits for the length
    whatever it needs; `mask`, four bytes.
    """
    length, mask = odd.get('length', len(payload)), odd.get('mask')
    form = odd.get('form', 7 if length < 126 else 16 if length < 1 << 16 else 64)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    second = 0x80 if mask else 0
    if form == 7:
        head += bytes([second | length])
    elif form == 16:
        head += struct.pack('>BH', second | 126, length)
    else:
        head += struct.pack('>BQ', second | 127, length)
    return head + (mask or b'') + unmask(payload, mask)


def unmask(data, key):
    if not key:
        return data
    n = len(data)
    keys = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(keys, 'big')).to_bytes(n, 'big')


def text(message, **how):
    return frame(TEXT, message.encode() if isinstance(message, str) else message, **how)


def close(code=None, reason=b''):
    return frame(CLOSE, b'' if code is None else struct.pack('>H', code) + reason)


class Frame:
    """One frame as it was received."""

    def __init__(self, first, key, payload):
        self.fin, self.rsv, self.opcode = bool(first & 0x80), first >> 4 & 7, first & 15
        self.key, self.payload = key, payload  # key None: not masked

    @property
    def code(self):
        """Of a Close; None: it has none."""
        return struct.unpack('>H', self.payload[:2])[0] if len(self.payload) >= 2 else None

    @property
    def reason(self):
        return self.payload[2:]

    def __repr__(self):
        return f'Frame(opcode={self.opcode}, payload={self.payload[:60]!r})'


def read_frame(read):
    """read(n) gives exactly n bytes, or raises EOFError."""
    first, second = read(2)
    length = second & 0x7F
    if length == 126:
        length, = struct.unpack('>H', read(2))
    elif length == 127:
        length, = struct.unpack('>Q', read(8))
    key = read(4) if second & 0x80 else None
    return Frame(first, key, unmask(read(length), key))
