#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Writes the seeds of fuzz_proxy: answers of proxies of every kind, good and bad. The files are
committed; what a fuzzer finds is added beside them under another name.
Usage: make_proxy_corpus.py [DIRECTORY]    (by default corpus/proxy beside this script)
"""

import os
import sys

HTTP, HTTPS, SOCKS4, SOCKS4A, SOCKS5, SOCKS5H = range(6)
LOGIN = 0x80 + 4  # a multiple of 6 away from the kind, with the bit of the credentials
OK = b'HTTP/1.1 200 Connection established\r\n\r\n'
MD5 = b'Proxy-Authenticate: Digest realm="r", nonce="n1", qop="auth"\r\n'
STALE = b'Proxy-Authenticate: Digest realm="r", nonce="n2", qop="auth", stale=true\r\n'
SHA = b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256, opaque="o"\r\n'
BASIC = b'Proxy-Authenticate: Basic realm="r"\r\n'
IPV4 = b'\x01\x7f\x00\x00\x01\x01\xbb'


def wants(fields, body=b'', minor=b'1'):
    return (b'HTTP/1.' + minor + b' 407 Who are you\r\n' + fields +
            b'Content-Length: %d\r\n\r\n' % len(body) + body)


def seeds():
    yield 'http-open', HTTP, OK
    yield 'http-open-and-more', HTTP, OK + b'\x16\x03\x01'
    yield 'http-1.0', HTTPS, b'HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n'
    yield 'http-interim', HTTP, b'HTTP/1.1 100 Continue\r\n\r\n' * 3 + OK
    yield 'http-interim-six', HTTP, b'HTTP/1.1 100 Continue\r\n\r\n' * 6 + OK
    for status in (101, 301, 403, 404, 502, 503, 504):
        yield f'http-{status}', HTTP, b'HTTP/1.1 %d x\r\n\r\n' % status
    yield 'http-407-nobody', HTTP, wants(BASIC)
    yield 'http-basic', HTTP + LOGIN, OK
    yield 'http-basic-refused', HTTP + LOGIN, wants(BASIC, b'no')
    yield 'http-md5', HTTP + LOGIN, wants(MD5, b'<html>') + OK
    yield 'http-sha256', HTTP + LOGIN, wants(BASIC + MD5 + SHA) + OK
    yield 'http-stale', HTTP + LOGIN, wants(MD5) + wants(STALE) + OK
    yield 'http-stale-twice', HTTP + LOGIN, wants(MD5) + wants(STALE) + wants(STALE) + OK
    yield 'http-anew', HTTP + LOGIN, wants(MD5, minor=b'0') + OK
    yield 'http-anew-stale', HTTP + LOGIN, wants(MD5, minor=b'0') + wants(STALE, minor=b'0') + OK
    yield 'http-body-cut', HTTP + LOGIN, wants(MD5, b'x' * 300)[:-100]
    yield 'http-sess', HTTP + LOGIN, wants(MD5.replace(b'qop', b'algorithm=MD5-sess, qop'))
    yield 'http-odd', HTTP + LOGIN, wants(b'Proxy-Authenticate: Negotiate a/b==, digest Realm="\\"", nonce=n , qop=auth\r\n') + OK
    for name, kind in (('socks4', SOCKS4), ('socks4a', SOCKS4A)):
        for code in (90, 91, 92, 93, 94):
            yield f'{name}-{code}', kind, bytes([0, code, 1, 187, 127, 0, 0, 1])
    for name, kind in (('socks5', SOCKS5), ('socks5h', SOCKS5H)):
        for code in range(10):
            yield f'{name}-{code}', kind, b'\x05\x00\x05' + bytes([code, 0]) + IPV4
    yield 'socks5-ipv6', SOCKS5, b'\x05\x00\x05\x00\x00\x04' + bytes(18)
    yield 'socks5-name', SOCKS5H, b'\x05\x00\x05\x00\x00\x03\x03abc\x01\xbb'
    yield 'socks5-name-longest', SOCKS5H, b'\x05\x00\x05\x00\x00\x03\xff' + bytes(257)
    yield 'socks5-and-more', SOCKS5H, b'\x05\x00\x05\x00\x00' + IPV4 + b'\x16'
    yield 'socks5-login', SOCKS5H + LOGIN, b'\x05\x02\x01\x00\x05\x00\x00' + IPV4
    yield 'socks5-login-refused', SOCKS5H + LOGIN, b'\x05\x02\x01\x01'
    yield 'socks5-no-method', SOCKS5, b'\x05\xff'


def main(directory):
    os.makedirs(directory, exist_ok=True)
    for name, kind, answer in seeds():
        with open(os.path.join(directory, name), 'wb') as f:
            f.write(bytes([kind, 7]) + answer)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus/proxy'))
