# SPDX-License-Identifier: Apache-2.0
"""
What stands in the request and where it comes from: secrets of every source, cookies, credentials;
and what is kept of a refusal.
"""

import os
import time

import pytest

from dumb_server import echo
from harness import RpcError, b64, slack, wait_until
from scripted import answer, swallow

QUICK = {'initial': 0.01, 'max': 0.02, 'slow': 0.02}


def put(path, text):
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write(text)
    os.rename(path + '.new', path)


def end_after_upgrade(conn):
    conn.upgrade()


# Secrets ----------------------------------------------------------------------


def test_every_source_of_a_secret(wsbridged, scripted, folder):
    """And headers with several values, in order."""
    put(f'{folder}/token', 'from a file\n')
    put(f'{folder}/credential', 'from a credential')
    put(f'{folder}/script', '#!/bin/sh\necho from a command "$1"\necho a second line\n')
    os.chmod(f'{folder}/script', 0o700)
    server = scripted(echo)
    headers = {'X-Text': 'as it is', 'X-File': {'file': f'{folder}/token'}, 'X-Env': {'env': 'WSB_TEST_TOKEN'},
               'X-Credential': {'credential': 'credential'}, 'X-Command': {'command': [f'{folder}/script', 'a b']},
               'X-Many': ['one', {'file': f'{folder}/token'}, 'three'], 'X-Empty': ''}
    daemon = wsbridged({'b': {'url': server.url(), 'headers': headers}},
                       env={'WSB_TEST_TOKEN': 'from the environment', 'CREDENTIALS_DIRECTORY': folder})
    daemon.wait_open()
    conn = server.connections[0]
    assert {n: conn.header(n) for n in ('x-text', 'x-file', 'x-env', 'x-credential', 'x-command', 'x-empty')} == {
        'x-text': 'as it is', 'x-file': 'from a file', 'x-env': 'from the environment',
        'x-credential': 'from a credential', 'x-command': 'from a command a b', 'x-empty': ''}
    assert [v for n, v in conn.headers if n == 'x-many'] == ['one', 'from a file', 'three']
    assert 'from a' not in str(daemon.status())


def test_rotation(wsbridged, scripted, folder):
    """Read anew at every attempt: file, credential and command."""
    script = f'#!/bin/sh\nn=$(cat {folder}/n 2>/dev/null || echo 0)\necho $((n + 1)) | tee {folder}/n\n'
    put(f'{folder}/script', script)
    os.chmod(f'{folder}/script', 0o700)
    put(f'{folder}/token', 'first')
    put(f'{folder}/credential', 'first')
    server = scripted([end_after_upgrade, answer(503, 'Content-Length: 0'), echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 60, 'max': 60},
                              'cookie': {'file': f'{folder}/token'}, 'auth': {'bearer': {'credential': 'credential'}},
                              'headers': {'X-Count': {'command': [f'{folder}/script']}}}},
                       env={'CREDENTIALS_DIRECTORY': folder})
    daemon.wait_state('b', 'waiting')
    for i, text in enumerate(['second', 'third']):
        put(f'{folder}/token', text)
        put(f'{folder}/credential', f'{text}\n')
        daemon.call('reconnect', name='b')
        daemon.wait_state('b', 'open' if i else 'waiting')
    seen = [(c.header('cookie'), c.header('authorization'), c.header('x-count')) for c in server.connections]
    assert seen == [(t, f'Bearer {t}', str(i + 1)) for i, t in enumerate(['first', 'second', 'third'])]


# secret, what the sentence says besides the option
UNREADABLE = {
    'a file that is missing': ({'file': '$DIR/missing'}, 'missing'),
    'a file that is a folder': ({'file': '$DIR'}, 'not a regular file'),
    'a FIFO': ({'file': '$DIR/fifo'}, 'not a regular file'),
    'an empty file': ({'file': '$DIR/empty'}, 'empty'),
    'a variable that is not set': ({'env': 'WSB_NOT_SET'}, 'WSB_NOT_SET'),
    'no credentials': ({'credential': 'x'}, 'CREDENTIALS_DIRECTORY'),
    'a newline inside': ({'file': '$DIR/two-lines'}, 'character'),
    'a NUL inside': ({'file': '$DIR/nul'}, 'NUL'),
    'a large file': ({'file': '$DIR/large'}, '64'),
    'a program that is missing': ({'command': ['/nonexistent/program']}, '/nonexistent/program'),
    'a program that fails': ({'command': ['/bin/false', 'c0mmand-argument']}, '/bin/false'),
    'a program that prints and fails': ({'command': ['/bin/sh', '-c', 'echo pr1nted; exit 3']}, '/bin/sh'),
    'a program that prints nothing': ({'command': ['/bin/true']}, '/bin/true'),
    'a program that is killed': ({'command': ['/bin/sh', '-c', 'kill -9 $$']}, '/bin/sh'),
    'a program that prints without end': ({'command': ['/bin/cat', '/dev/zero']}, '/bin/cat'),
}


@pytest.mark.parametrize('case', UNREADABLE, ids=lambda v: v.replace(' ', '-'))
def test_secret_that_cannot_be_had(bridges, scripted, folder, case):
    secret, sentence = UNREADABLE[case]
    os.mkfifo(f'{folder}/fifo')
    files = {'empty': b'\n', 'two-lines': b'one\r\nX-Injected: y\n', 'nul': b'a\0b', 'large': b'x' * 100000}
    for name, data in files.items():
        with open(f'{folder}/{name}', 'wb') as f:
            f.write(data)
    kind, value = next(iter(secret.items()))
    secret = {kind: value.replace('$DIR', folder) if isinstance(value, str) else value}
    server = scripted(swallow)
    error = bridges.refused(server.url(), headers={'X-Token': secret}, timeouts={'open': 3})
    assert 'headers.X-Token' in error.message and sentence in error.message, error
    assert 'pr1nted' not in str(error) and 'c0mmand-argument' not in str(error)
    assert server.connections == [], 'without the secret there is nothing to say'


def test_secret_that_comes_back(wsbridged, scripted, folder):
    server = scripted(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'cookie': {'file': f'{folder}/token'}}})
    daemon.wait_status('b', lambda b: b['attempts'] >= 3)
    put(f'{folder}/token', 'here=now')
    daemon.wait_open()
    assert server.connections[0].header('cookie') == 'here=now'


def test_a_hanging_command_holds_up_nobody(wsbridged, scripted):
    server, other = scripted(echo), scripted(echo)
    hang = {'command': ['/bin/sh', '-c', 'exec sleep 1000']}
    daemon = wsbridged({'b': {'url': server.url(), 'headers': {'X-Token': hang}, 'timeouts': {'open': 1.5}},
                        'other': {'url': other.url()}})
    daemon.wait_open('other')
    slowest = 0
    with daemon.client('other') as client:
        for _ in range(100):
            began = time.monotonic()
            assert daemon.status('b')['state'] == 'connecting'
            client.send('x\n')
            assert client.line() == b'x'
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < slack(0.2)
    bridge = daemon.wait_state('b', 'waiting')
    assert bridge['last_error']['kind'] == 'timeout' and server.connections == []
    # Nothing of it is left: neither a process nor a zombie.
    wait_until(lambda: not children(daemon.pid))
    daemon.call('reconnect', name='b')
    wait_until(lambda: children(daemon.pid))
    daemon.call('close', name='b', wait=True)
    wait_until(lambda: not children(daemon.pid))


def children(pid):
    found = []
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/children', encoding='ascii') as f:
            found += f.read().split()
    return found


def test_a_command_gets_nothing_that_is_ours(bridges, scripted, folder):
    """No descriptor but the three, no input, signals as usual."""
    script = (f'ls -l /proc/self/fd > {folder}/fds; grep -E "^Sig(Blk|Ign)" /proc/self/status > {folder}/signals; '
              'cat; echo done')
    server = scripted(echo)
    bridges.close(bridges.open(server.url(), headers={'X-Token': {'command': ['/bin/sh', '-c', script]}}))
    assert server.connections[0].header('x-token') == 'done'
    with open(f'{folder}/fds', encoding='utf-8') as f:
        fds = [line for line in f if '->' in line]
    assert len(fds) == 4 and not any('socket:' in line for line in fds), fds  # the fourth is ls's own
    with open(f'{folder}/signals', encoding='ascii') as f:
        # Above bit 31 are those that the C library keeps for itself.
        assert all(int(line.split()[1], 16) & 0x7fffffff == 0 for line in f)


# Fields of the request --------------------------------------------------------


def test_host_origin_and_user_agent(bridges, scripted):
    server = scripted(echo)

    def fields(**options):
        bridges.close(bridges.open(server.url(), **options))
        return [server.connections[-1].header(n) for n in ('host', 'origin', 'user-agent')]

    own = f'127.0.0.1:{server.port}'
    default = fields()
    assert default[:2] == [own, None] and default[2].startswith('wsbridge/')
    assert fields(host='a.test:81', origin='https://b.test', user_agent='c/1 (d)') == \
        ['a.test:81', 'https://b.test', 'c/1 (d)']
    assert fields(host=None, origin=None, user_agent=None) == [None, None, None]


@pytest.mark.parametrize('auth, user_info, expected', [
    ({'basic': {'user': 'Aladdin', 'password': 'open sesame'}}, '', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='),
    ({'basic': {'user': 'u', 'password': ''}}, '', 'Basic ' + b64(b'u:')),
    ({'basic': {'user': 'ü', 'password': 'pä:ss'}}, '', 'Basic ' + b64('ü:pä:ss'.encode())),
    ({'bearer': 'mF_9.B5f-4.1JqM'}, '', 'Bearer mF_9.B5f-4.1JqM'),
    (None, 'user:pass@', 'Basic ' + b64(b'user:pass')),
    (None, 'us%40er:p%3Ass%2F%C3%BC@', 'Basic ' + b64('us@er:p:ss/ü'.encode())),
    (None, 'user@', 'Basic ' + b64(b'user:')),
])
def test_credentials(bridges, scripted, auth, user_info, expected):
    server = scripted(echo)
    options = {'auth': auth} if auth else {}
    bridge = bridges.open(f'ws://{user_info}127.0.0.1:{server.port}/', **options)
    assert [v for n, v in server.connections[0].headers if n == 'authorization'] == [expected]
    assert bridge['url'] == server.url()
    bridges.close(bridge)


def test_cookie_and_kept_cookies(wsbridged, scripted):
    """The configured one first; then by the rules of RFC 6265 what handshakes have set, good ones and bad ones."""
    def first(conn):
        conn.upgrade(extra=['Set-Cookie: id=1; Path=/; HttpOnly', 'Set-Cookie: area=2; Path=/other',
                            'Set-Cookie: safe=3; Secure', 'Set-Cookie: foreign=4; Domain=example.test',
                            'Set-Cookie: gone=5; Max-Age=0',
                            'Set-Cookie: past=6; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
                            'Set-Cookie: chat=7; Path=/chat; Max-Age=3600'])

    refuse = answer(401, 'Set-Cookie: id=8; Path=/', 'Set-Cookie: refused=9', 'Content-Length: 0')
    server = scripted([first, refuse, echo])
    daemon = wsbridged({'b': {'url': server.url('/chat/room'), 'cookie': 'own=0', 'reconnect': QUICK}})
    daemon.wait_open()
    daemon.wait_status('b', lambda b: b['epoch'] == 2)
    cookies = [sorted(c.header('cookie').split('; ')) for c in server.connections[:3]]
    assert cookies == [['own=0'], ['chat=7', 'id=1', 'own=0'], ['chat=7', 'id=8', 'own=0', 'refused=9']]
    assert server.connections[2].header('cookie').startswith('own=0; ')


@pytest.mark.parametrize('cookies, kept', [('keep', 's=1'), ('off', None)])
def test_cookies_option(wsbridged, scripted, cookies, kept):
    server = scripted([lambda conn: conn.upgrade(extra=['Set-Cookie: s=1']), echo])
    daemon = wsbridged({'b': {'url': server.url(), 'cookies': cookies, 'reconnect': QUICK}})
    daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    assert server.connections[1].header('cookie') == kept


def test_domains_of_cookies(wsbridged, scripted):
    """One host sets cookies for all below it, and for no other (RFC 6265, 5.3)."""
    def script(conn):
        conn.read_request()
        conn.upgrade(extra=[f'Set-Cookie: {conn.header("host")[0]}={domain}; Domain={domain}'
                            for domain in ('good.test', 'evil.test', 'test', 'c.good.test')])

    server = scripted([script, answer(503), script, answer(503), echo])
    hosts = ['evil.test', 'c.good.test', 'good.test']
    daemon = wsbridged({'b': {'url': [f'ws://{h}/' for h in hosts], 'connect_to': f'127.0.0.1:{server.port}',
                              'reconnect': QUICK}})
    daemon.wait_status('b', lambda b: b['epoch'] == 3)
    seen = [(c.header('host'), sorted((c.header('cookie') or '').split('; '))) for c in server.connections[:5]]
    assert seen == [('evil.test', ['']), ('evil.test', ['e=evil.test']), ('c.good.test', ['']),
                    ('c.good.test', ['c=c.good.test', 'c=good.test']), ('good.test', ['c=good.test'])]


def test_cookies_are_of_one_bridge(wsbridged, scripted):
    server = scripted([lambda conn: conn.upgrade(extra=['Set-Cookie: s=1']), echo])
    daemon = wsbridged({'a': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_status('a', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    daemon.call('open', name='b', url=server.url(), wait=True)
    assert [c.header('cookie') for c in server.connections] == [None, 's=1', None]


def test_subprotocols(bridges, start_server):
    server = start_server('websockets', '--subprotocols', 'second,third')
    bridge = bridges.open(server.url(), subprotocols=['first', 'second', 'third'])
    assert bridge['subprotocol'] == 'second'
    assert dict(server.wait_event('open')['headers'])['Sec-WebSocket-Protocol'] == 'first, second, third'
    bridges.close(bridge)


# Refusals ---------------------------------------------------------------------


def test_a_refusal_is_kept(bridges, scripted):
    body = b'{"error": "no such feed"}'
    server = scripted(answer(404, 'X-Request-Id: 17', 'X-Many: a', 'X-Many: b', 'Content-Type: application/json',
                             f'Content-Length: {len(body)}', 'Set-Cookie: s=ecret', body=body))
    error = bridges.refused(server.url())
    assert (error.code, error.kind) == (-32010, 'bad_status')
    assert (error.data['status'], error.data['stage']) == (404, 'handshake')
    assert error.data['body'] == body.decode()
    assert error.data['headers']['x-request-id'] == '17' and error.data['headers']['x-many'] == ['a', 'b']
    kept = error.bridge['handshake']
    assert (kept['status'], kept['headers'], kept['body']) == (404, error.data['headers'], body.decode())
    assert 'ecret' not in str(error) + str(error.bridge)


@pytest.mark.parametrize('script, body', [
    (answer(500, 'Content-Length: 100000', body=b'x' * 100000), 'x' * 4096),
    (answer(500, body=b'until the end'), 'until the end'),
    (answer(500, body=b'x' * 5000), 'x' * 4096),
    (answer(500, 'Content-Length: 4', body=b'fourfive'), 'four'),
    (answer(500, 'Content-Length: 0'), None),
    (answer(500, 'Content-Length: 10', body=b'half'), 'half'),
    (answer(500, 'Content-Length: nonsense', body=b'odd'), 'odd'),
    (answer(500, 'Content-Length: 3', body=b'\xff\x00\x1b'), '\\xff\\x00\\x1b'),
])
def test_body_of_a_refusal(bridges, scripted, script, body):
    """The first 4 KiB of it, without waiting long for what does not come."""
    server = scripted(script)
    began = time.monotonic()
    error = bridges.refused(server.url())
    assert time.monotonic() - began < slack(2)
    assert (error.kind, error.data['status']) == ('bad_status', 500)
    got = error.data.get('body')
    assert got == body or (body and body.startswith('\\') and '\x1b' not in got), error.data


def test_a_body_that_drips(bridges, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b'HTTP/1.1 503 Busy\r\n\r\nbegin')
        conn.socket.settimeout(0.05)
        while True:
            conn.send(b'.')
            try:
                conn.read(1)
            except TimeoutError:
                pass

    server = scripted(script)
    began = time.monotonic()
    error = bridges.refused(server.url())
    assert time.monotonic() - began < slack(2)
    assert error.data['status'] == 503 and error.data['body'].startswith('begin.')


def test_refusal_over_tls_and_in_the_command_line(wsbridged, scripted, certs, wsbridge):
    body = b'go away'
    server = scripted(answer(403, 'Content-Length: 7', body=body), cert=certs['ecdsa'])
    daemon = wsbridged()
    done = wsbridge(daemon, 'open', 'b', server.url(), '-o', f'tls.ca_file={certs.ca_file}', '--wait')
    assert done.returncode == 7 and '403' in done.stderr and done.stdout == ''
    assert daemon.status('b')['handshake']['body'] == 'go away'
    assert daemon.status('b')['handshake']['status'] == 403


def test_kept_answer_of_the_last_attempt(wsbridged, scripted):
    """Not that of an earlier one."""
    server = scripted([answer(404, 'Content-Length: 3', body=b'one'), echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_open()
    bridge = daemon.status('b')
    assert bridge['handshake']['status'] == 101 and 'body' not in bridge['handshake']
    assert bridge['last_error']['status'] == 404


def test_options_are_checked(bridges):
    two = {'basic': {'user': 'a', 'password': 'b'}, 'bearer': 'c'}
    for option, value in [('redirects', -1), ('redirects', 'many'), ('auth', two), ('cookie', 'a\nb'),
                          ('auth', {'basic': {'user': 'a:b', 'password': ''}}), ('headers', {'Host': 'x'}),
                          ('headers', {'Proxy-Authorization': 'Basic eA=='}),
                          ('headers', {'X': 'a\r\nY: b'}), ('connect_to', 'nowhere'), ('proxy', 'ftp://x/')]:
        with pytest.raises(RpcError) as caught:
            bridges.daemon.call('open', name='bad', url='ws://127.0.0.1:1/', **{option: value})
        assert caught.value.kind == 'invalid_option' and caught.value.data['option'].startswith(option), (option, value)
