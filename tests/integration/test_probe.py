# SPDX-License-Identifier: Apache-2.0
"""`wsbridge probe`: what it shows of a connection, and its exit status by what has failed."""

import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from cli import CONNECTION, DONE, NOT_OPEN, TIMEOUT, USAGE, fails
from dumb_server import serve_quietly
from harness import WRAPPER, free_port, programs, slack, wait_until

SECRET = 'hunter2'
KEYS = ['url', 'ok', 'timings', 'addresses', 'peer', 'proxy', 'tls', 'handshake', 'subprotocol', 'extensions',
        'warnings']


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch):
    for name in ('ws_proxy', 'wss_proxy', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def probe(wsbridge):
    """probe(url, *words, status=0): the object that --json prints."""
    def run(url, *words, status=DONE):
        done = wsbridge(None, 'probe', url, '--json', *words)
        assert (done.returncode, done.stderr) == (status, ''), done
        report = json.loads(done.stdout)
        assert [k for k in report if k not in ('error', 'redirected_to', 'proxy_tls')] == KEYS
        assert report['ok'] == (status == DONE) == ('error' not in report)
        assert len(report['extensions']) == ('sec-websocket-extensions' in (report['handshake'] or {}).get('headers', {}))
        assert all(0 <= t <= report['timings']['total'] for t in report['timings'].values())
        return report
    return run


def stages(report):
    return [s for s in report['timings'] if s != 'total']


# A server that agrees --------------------------------------------------------


def test_open(probe, server):
    report = probe(server.url('/probe'))
    place = f'127.0.0.1:{server.port}'
    assert stages(report) == ['resolve', 'connect', 'handshake']
    assert [(a['address'], a['result']) for a in report['addresses']] == [(place, 'connected')]
    assert 0 < report['addresses'][0]['time'] <= report['timings']['connect']
    assert (report['url'], report['peer'], report['proxy']) == (server.url('/probe'), place, None)
    assert (report['tls'], report['subprotocol'], report['warnings']) == (None, None, [])
    assert report['handshake']['status'] == 101
    assert report['handshake']['headers']['upgrade'].lower() == 'websocket'
    assert server.wait_event('close', path='/probe')['code'] == 1000


def test_open_for_people(wsbridge, server):
    done = wsbridge(None, 'probe', server.url())
    assert (done.returncode, done.stderr) == (DONE, '')
    lines = done.stdout.splitlines()
    assert lines[0] == f'{server.url()}: open'
    assert [line.split()[0] for line in lines[1:7]] == ['resolve', 'connect', 'handshake', 'total', 'ADDRESS',
                                                        f'127.0.0.1:{server.port}']
    assert lines[6].endswith('  connected')
    assert f'  peer         127.0.0.1:{server.port}' in lines
    assert '  status       101' in lines
    assert '\x1b' not in done.stdout


def test_subprotocol(probe, start_server):
    server = start_server('websockets', '--subprotocols', 'chat,other')
    assert probe(server.url(), '-o', 'subprotocols=other')['subprotocol'] == 'other'


def test_a_name(probe, server):
    report = probe(f'ws://localhost:{server.port}/')
    assert f'127.0.0.1:{server.port}' in [a['address'] for a in report['addresses'] if a['result'] == 'connected']


# Failures --------------------------------------------------------------------


def test_refused(probe, wsbridge):
    port = free_port()
    report = probe(f'ws://127.0.0.1:{port}/', status=CONNECTION)
    assert [(a['address'], a['result']) for a in report['addresses']] == [(f'127.0.0.1:{port}', 'Connection refused')]
    assert (report['error']['kind'], report['error']['stage']) == ('connect', 'connect')
    assert stages(report) == ['resolve', 'connect']
    sentence = report['error']['message']
    assert sentence.endswith('Connection refused')
    done = wsbridge(None, 'probe', f'ws://127.0.0.1:{port}/')
    assert (done.returncode, done.stderr) == (CONNECTION, f'wsbridge: probe: {sentence}\n')
    lines = done.stdout.splitlines()
    assert lines[0] == f'ws://127.0.0.1:{port}/: failed'
    assert lines[2].startswith('  connect      failed after ') and lines[2].endswith(f': {sentence}')


def test_unknown_name(probe):
    report = probe('ws://no-such-name.invalid/', status=CONNECTION)
    assert (report['error']['kind'], report['error']['stage']) == ('address', 'resolve')
    assert (report['addresses'], stages(report)) == ([], ['resolve'])


def refuse(conn):
    conn.read_request()
    body = b'<p>caf\xc3\xa9 \x1b[1m</p>\n' + b'x' * 5000
    conn.send(b'HTTP/1.1 404 Not Found\r\nServer: dumb\r\nSet-Cookie: a=' + SECRET.encode() +
              b'\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    conn.drain()


def test_a_refusal(probe, wsbridge, dumb_server):
    server = dumb_server(refuse)
    report = probe(server.url(), status=CONNECTION)
    assert report['error']['kind'] == 'bad_status' and report['error']['status'] == 404
    assert stages(report) == ['resolve', 'connect', 'handshake']
    handshake = report['handshake']
    assert handshake['status'] == 404
    assert handshake['headers'] == {'server': 'dumb', 'set-cookie': '***', 'content-length': '5018'}
    assert handshake['body'].startswith('<p>caf\u00e9 \x1b[1m</p>\nxxx') and len(handshake['body'].encode()) == 4096
    done = wsbridge(None, 'probe', server.url())
    assert done.returncode == CONNECTION
    assert '    <p>caf\u00e9 \\x1b[1m</p>\n    xxx' in done.stdout
    assert '\x1b' not in done.stdout and SECRET not in done.stdout


def test_a_wrong_answer(probe, dumb_server):
    server = dumb_server(lambda conn: (conn.upgrade(Sec_WebSocket_Accept='wrong'), conn.drain()))
    report = probe(server.url(), status=CONNECTION)
    assert (report['error']['kind'], report['error']['stage']) == ('protocol', 'handshake')


def test_no_answer(probe, dumb_server):
    server = dumb_server(lambda conn: conn.drain())
    report = probe(server.url(), '-o', 'timeouts.open=300ms', status=TIMEOUT)
    assert (report['error']['kind'], report['error']['stage']) == ('timeout', 'handshake')
    assert report['timings']['total'] >= 0.3 and stages(report) == ['resolve', 'connect']


def test_no_answer_to_connect(probe):
    with socket.socket() as full:
        full.bind(('127.0.0.1', 0))
        full.listen(0)
        place = '%s:%d' % full.getsockname()
        with socket.create_connection(full.getsockname()):
            report = probe(f'ws://{place}/', '-o', 'timeouts.open=300ms', status=TIMEOUT)
    assert (report['error']['stage'], stages(report)) == ('connect', ['resolve', 'connect'])
    assert [(a['address'], a['result']) for a in report['addresses']] == [(place, 'no answer so far')]
    assert report['addresses'][0]['time'] >= 0.29


def test_a_redirect(probe, dumb_server, server):
    to = server.url('/to')

    def redirect(conn):
        conn.read_request()
        conn.send(f'HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n'.encode())
        conn.drain()

    first = dumb_server(redirect)
    assert probe(first.url(), status=CONNECTION)['error']['status'] == 302
    report = probe(first.url(), '-o', 'redirects=1')
    assert (report['url'], report['redirected_to']) == (first.url(), to)
    assert report['peer'] == f'127.0.0.1:{server.port}'


def test_a_proxy_that_refuses(probe):
    port = free_port()
    proxy = f'http://127.0.0.1:{port}'
    report = probe('ws://example.invalid/', '-o', f'proxy=http://user:{SECRET}@127.0.0.1:{port}', status=CONNECTION)
    assert (report['proxy'], report['error']['stage']) == (proxy, 'connect')
    assert SECRET not in json.dumps(report)


def connect_and_pass_on(conn):
    """An HTTP proxy that is the server as well."""
    conn.read_request()
    conn.connect_request, conn.request = conn.request, b''
    conn.send(b'HTTP/1.1 200 OK\r\n\r\n')
    serve_quietly(conn)


def test_a_proxy(probe, dumb_server, monkeypatch):
    proxy = dumb_server(connect_and_pass_on)
    place = f'127.0.0.1:{proxy.port}'
    monkeypatch.setenv('http_proxy', f'http://user:{SECRET}@{place}')
    report = probe('ws://example.invalid/')
    assert stages(report) == ['resolve', 'connect', 'proxy', 'handshake']
    assert (report['proxy'], report['peer']) == (f'http://{place}', place)
    assert SECRET not in json.dumps(report)
    assert proxy.connections[0].connect_request.startswith(b'CONNECT example.invalid:80 ')


# Usage -----------------------------------------------------------------------


@pytest.mark.parametrize('words, sentence', [
    (['http://h/'], None),
    (['ws://h/', '-o', 'nonsense'], '-o nonsense: expected KEY=VALUE'),
    (['ws://h/', '-o', 'ping.intervall=1'], 'ping.intervall: unknown key; did you mean "ping.interval"?'),
    (['ws://h/', '-o', 'url=ws://i/'], '-o url: the URL is on the command line already'),
    (['ws://h/', '-o', 'redirects=many'], None),
    (['ws://user:hunter2@h/\udcff'], 'the URL is not valid UTF-8'),
])
def test_bad_options(wsbridge, words, sentence):
    for more in ([], ['--json']):
        done = wsbridge(None, 'probe', *words, *more)
        if sentence:
            fails(done, USAGE, f'probe: {sentence}')
        assert (done.returncode, done.stdout) == (USAGE, '') and SECRET not in done.stderr


def test_help(wsbridge):
    done = wsbridge(None, 'probe', '--help')
    assert (done.returncode, done.stderr) == (DONE, '')
    assert done.stdout.startswith('Usage: wsbridge probe [SWITCH...] URL\n')


def test_secrets_are_not_shown(wsbridge, dumb_server):
    server = dumb_server(refuse)
    url = f'ws://user:{SECRET}@127.0.0.1:{server.port}/?token={SECRET}'
    for words in ([], ['--json']):
        done = wsbridge(None, 'probe', url, '-o', f'headers.X-Key={SECRET}', '-o', f'cookie=a={SECRET}', *words)
        assert done.returncode == CONNECTION
        assert SECRET not in done.stdout + done.stderr
    assert SECRET.encode() in server.connections[0].request


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupted(dumb_server, number):
    server = dumb_server(lambda conn: (conn.read_request(), conn.drain()))
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, 'probe', server.url(), '--json'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: server.connections and server.connections[0].request)
    process.send_signal(number)
    out, err = process.communicate(timeout=slack(10))
    assert (process.returncode, err) == (NOT_OPEN, '')
    report = json.loads(out)
    assert report['error']['message'] == 'interrupted before it was open'
    assert report['peer'] == f'127.0.0.1:{server.port}'


def test_interrupted_while_it_closes(dumb_server):
    server = dumb_server(lambda conn: (conn.upgrade(), conn.drain()))  # never answers a Close
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, 'probe', server.url(), '--json',
                                '-o', 'timeouts.close=1h'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: server.connections and server.connections[0].close)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=slack(10))
    assert (process.returncode, err, json.loads(out)['ok']) == (DONE, '', True)


# TLS -------------------------------------------------------------------------


class TlsFront:
    """Takes TLS off and hands the bytes to a server behind it. One thread: an SSLSocket has no lock of its own."""

    def __init__(self, cert, key, behind):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.behind = behind
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.requests = 0  # bytes that came out of TLS
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        raw.settimeout(slack(20))
        try:
            with self.context.wrap_socket(raw, server_side=True) as front, \
                    socket.create_connection(('127.0.0.1', self.behind)) as back:
                while self._copy(front, back):
                    pass
        except (OSError, ValueError):
            pass  # a client that does not trust us

    def _copy(self, front, back):
        """What has come on either side; False at the end of one of them."""
        ready = [front] if front.pending() else select.select([front, back], [], [], slack(20))[0]
        if front in ready:
            data = front.recv(65536)
            self.requests += len(data)
            back.sendall(data)
            return bool(data)
        if back in ready:
            data = back.recv(65536)
            front.sendall(data)
            if not data:
                front.unwrap()
            return bool(data)
        return False

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def make_certificate(folder):
    """make_certificate(days): paths of a certificate for localhost that has signed itself, and of its key."""
    if not shutil.which('openssl'):
        pytest.skip('openssl not found: apt-get install openssl')

    def make(days):
        cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-keyout', key, '-out', cert, '-days', str(days), '-subj', '/CN=localhost',
                        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], check=True, capture_output=True)
        return cert, key
    return make


@pytest.fixture
def tls_front():
    made = []

    def start(cert, key, behind):
        made.append(TlsFront(cert, key, behind))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def test_tls(probe, server, make_certificate, tls_front):
    cert, key = make_certificate(90)
    front = tls_front(cert, key, server.port)
    report = probe(f'wss://localhost:{front.port}/', '-o', f'tls.ca_file={cert}')
    assert stages(report) == ['resolve', 'connect', 'tls', 'handshake']
    tls = report['tls']
    assert (tls['version'], tls['verified'], report['warnings']) == ('TLSv1.3', True, [])
    assert tls['cipher'].startswith('TLS_')
    leaf = tls['chain'][0]
    assert (leaf['subject'], leaf['issuer']) == ('CN=localhost', 'CN=localhost')
    assert leaf['days_left'] in (89, 90)  # 90 only within the second that made it
    assert leaf['sans'] == 'DNS:localhost, IP:127.0.0.1'
    assert leaf['not_after'] - leaf['not_before'] == 90 * 86400


def test_tls_of_a_refusal(probe, dumb_server, make_certificate, tls_front):
    """What was found out about TLS is there although the connection is gone."""
    cert, key = make_certificate(90)
    front = tls_front(cert, key, dumb_server(refuse).port)
    report = probe(f'wss://localhost:{front.port}/', '-o', f'tls.ca_file={cert}', status=CONNECTION)
    assert report['error']['status'] == 404
    assert report['tls']['chain'][0]['subject'] == 'CN=localhost'


def test_a_certificate_that_ends_soon(probe, wsbridge, server, make_certificate, tls_front):
    cert, key = make_certificate(14)
    url = f'wss://localhost:{tls_front(cert, key, server.port).port}/'
    sentence = r'the certificate of CN=localhost expires in 1[34] days'
    warnings = probe(url, '-o', f'tls.ca_file={cert}')['warnings']
    assert len(warnings) == 1 and re.fullmatch(sentence, warnings[0])
    done = wsbridge(None, 'probe', url, '-o', f'tls.ca_file={cert}')
    assert re.search(f'^  warning      {sentence}$', done.stdout, re.MULTILINE)
    assert re.search(r'^    valid      .*, 1[34] days left$', done.stdout, re.MULTILINE)


def test_a_certificate_that_nobody_knows(probe, server, make_certificate, tls_front):
    cert, key = make_certificate(90)
    front = tls_front(cert, key, server.port)
    report = probe(f'wss://localhost:{front.port}/', status=CONNECTION)
    assert (report['error']['kind'], report['error']['stage']) == ('tls', 'tls')
    assert (stages(report), front.requests) == (['resolve', 'connect', 'tls'], 0)
    report = probe(f'wss://localhost:{front.port}/', '-o', 'tls.verify=false')
    assert report['tls']['verified'] is False
    assert report['warnings'] == ['the certificate of the server was not verified']
