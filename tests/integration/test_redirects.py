# SPDX-License-Identifier: Apache-2.0
"""Redirects: which are followed, where they lead, and what must stay behind when they do."""

import base64
import os
import ssl
import time

import pytest

import frames
from dumb_server import echo, serve_quietly
from harness import b64, slack
from scripted import answer, listen_at, swallow

QUICK = {'initial': 0.01, 'max': 0.02, 'slow': 0.02}


def put(path, text):
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write(text)
    os.rename(path + '.new', path)


def to(location, status=302, *more):
    return answer(status, f'Location: {location}', 'Content-Length: 0', *more)


def by_path(table):
    """A server that does by the path of the request; what is not in the table is a WebSocket."""
    def script(conn):
        path = conn.read_request().split(b' ')[1].decode()
        table.get(path, echo)(conn)
    return script


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_redirects_are_followed(bridges, scripted, status):
    goal = scripted(echo)
    server = scripted(to(goal.url('/goal?q=1'), status))
    bridge = bridges.open(server.url(), redirects=1)
    assert goal.connections[0].request.startswith(b'GET /goal?q=1 HTTP/1.1\r\n')
    assert goal.connections[0].header('host') == f'127.0.0.1:{goal.port}'
    assert bridge['peer'] == f'127.0.0.1:{goal.port}' and bridges.echoes(bridge)
    assert bridge['url'] == goal.url('/goal?...')
    bridges.close(bridge)
    # And not, if nobody said so.
    error = bridges.refused(server.url())
    assert (error.kind, error.data['status']) == ('bad_status', status)
    assert len(goal.connections) == 1


@pytest.mark.parametrize('status', [300, 304, 305, 306, 399, 201])
def test_what_is_no_redirect(bridges, scripted, status):
    goal = scripted(echo)
    server = scripted(to(goal.url(), status))
    error = bridges.refused(server.url(), redirects=5)
    assert (error.kind, error.data['status']) == ('bad_status', status) and goal.connections == []


def test_the_limit_and_loops(bridges, scripted):
    server = scripted(by_path({f'/{i}': to(f'/{i + 1}') for i in range(5)} | {'/loop': to('/loop')}))
    bridges.close(bridges.open(server.url('/0'), redirects=5))
    assert len(server.connections) == 6
    error = bridges.refused(server.url('/0'), redirects=4)
    assert (error.kind, error.data['status']) == ('bad_status', 302)
    assert len(server.connections) == 6 + 5
    error = bridges.refused(server.url('/loop'), redirects=3)
    assert (error.kind, error.data['status']) == ('bad_status', 302)
    assert len(server.connections) == 6 + 5 + 4


def test_every_attempt_begins_at_the_url(wsbridged, scripted):
    goal = scripted([lambda conn: conn.upgrade(), echo])
    server = scripted(to(goal.url()))
    daemon = wsbridged({'b': {'url': server.url(), 'redirects': 1, 'reconnect': QUICK}})
    daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert len(server.connections) == 2


def test_one_deadline_over_all_of_it(bridges, scripted):
    def slow(conn):
        conn.read_request()
        time.sleep(0.15)  # a server that takes its time, each time
        to('/again')(conn)

    server = scripted(slow)
    began = time.monotonic()
    error = bridges.refused(server.url(), redirects=10, timeouts={'open': 0.6})
    assert error.kind == 'timeout' and 0.5 < time.monotonic() - began < slack(1.2)


def test_never_from_wss_to_ws(bridges, scripted, certs):
    goal = scripted(echo)
    for location in (goal.url(), f'http://127.0.0.1:{goal.port}/', f'WS://127.0.0.1:{goal.port}/'):
        server = scripted(to(location), cert=certs['ecdsa'])
        error = bridges.refused(server.url(), redirects=5, tls={'ca_file': certs.ca_file})
        assert (error.kind, error.data['status']) == ('bad_status', 302), error
        assert 'wss' in error.message
    assert goal.connections == []


def test_secrets_of_the_steps_do_not_leave(bridges, scripted, folder):
    """They cannot stay behind alone: the steps make no sense without them."""
    put(folder + '/token', 'canary')
    goal = scripted(echo)
    server = scripted(by_path({'/': to(goal.url()), '/here': to('/goal')}))
    steps = [{'text': {'file': folder + '/token'}}]
    error = bridges.refused(server.url(), redirects=5, on_open=steps)
    assert (error.kind, error.data['status']) == ('bad_status', 302), error
    assert 'on_open has secrets' in error.message
    assert goal.connections == []
    bridge = bridges.open(server.url('/here'), redirects=5, on_open=steps)
    assert bridge['state'] == 'open' and server.connections[-1].request.startswith(b'GET /goal ')
    bridges.close(bridge)


def test_from_ws_to_wss(bridges, scripted, certs):
    goal = scripted(echo, cert=certs['ecdsa'])
    server = scripted(to(goal.url('/x').replace('wss:', 'https:')))
    bridge = bridges.open(server.url(), redirects=1, tls={'ca_file': certs.ca_file})
    assert bridge['tls']['version'] == 'TLSv1.3' and bridges.echoes(bridge)
    bridges.close(bridge)


def test_a_redirect_to_a_server_that_is_not_verified(bridges, scripted, certs):
    goal = scripted(swallow, cert=certs['unknown CA'])
    server = scripted(to(goal.url()))
    error = bridges.refused(server.url(), redirects=1, tls={'ca_file': certs.ca_file})
    assert (error.kind, error.data['stage']) == ('tls', 'tls') and goal.connections[0].rest == b''


# Location: the request target that follows, or None if it is not followed. SAME is this server.
LOCATIONS = {
    '/absolute': '/absolute', 'relative': '/a/b/relative', './dot': '/a/b/dot', '../up': '/a/up',
    '../../../../top': '/top', '?query': '/a/b/c?query', '/p?x=a/../b': '/p?x=a/../b',
    'x/./y/../z': '/a/b/x/z', '/with#fragment': '/with',
    '//SAME/network': '/network', 'ws://SAME/full': '/full', 'http://SAME/full': '/full', 'HTTP://SAME/full': '/full',
    'ws://SAME': '/', 'ws://SAME?q': '/?q', '/a%20b%2F': '/a%20b%2F', '..': '/a/', '/..': '/',
    '': None, 'ftp://SAME/': None, 'javascript:alert(1)': None, 'mailto:a@b.test': None, 'ws://': None,
    'ws:///path': None, '/white space': None,
    '/ctrl\x01': None, '/\xfcber': None, 'ws://SAME:99999/': None, 'ws://[::1/': None,
    '/' + 'x' * 8185: None, 'ws+unix:///tmp/x.sock:/': None, 'unix:/tmp/x.sock': None, 'file:///etc/passwd': None,
}


@pytest.mark.parametrize('location', LOCATIONS, ids=lambda v: repr(v[:30]))
def test_location(bridges, scripted, location):
    expected = LOCATIONS[location]
    server = scripted(None)
    where = location.replace('SAME', f'127.0.0.1:{server.port}')
    server.scripts = [by_path({'/a/b/c?d': to(where)})]
    url = server.url('/a/b/c?d')
    if expected is None:
        error = bridges.refused(url, redirects=3)
        assert (error.kind, error.data.get('status')) in [('bad_status', 302), ('protocol', None)], error
        assert len(server.connections) == 1
    else:
        bridges.close(bridges.open(url, redirects=3))
        assert server.connections[1].request.split(b' ')[1].decode() == expected


@pytest.mark.parametrize('headers', [[], ['Location: /a', 'Location: /b']], ids=['none', 'two'])
def test_no_location_or_two(bridges, scripted, headers):
    server = scripted(by_path({'/start': answer(302, 'Content-Length: 0', *headers)}))
    error = bridges.refused(server.url('/start'), redirects=3)
    assert (error.kind, error.data['status'], len(server.connections)) == ('bad_status', 302, 1), error


def secrets_everywhere(certs, folder):
    """Options with ten secrets, and the secrets."""
    put(f'{folder}/s3', 'sECRET-03-file')
    put(f'{folder}/key-password', certs['client'].password)
    options = {
        'headers': {'X-Api-Key': 'sECRET-01-text', 'X-Many': ['sECRET-02-list', {'file': f'{folder}/s3'}],
                    'X-Command': {'command': ['/bin/echo', 'sECRET-04-command']}},
        'cookie': 'session=sECRET-05-cookie',
        'auth': {'basic': {'user': 'sECRET-06-user', 'password': 'sECRET-07-password'}},
        'origin': 'https://sECRET-08-origin.test', 'host': 'sECRET-09-host.test',
        'tls': {'ca_file': certs.ca_file, 'cert': certs['client'].cert, 'key': certs['client'].key,
                'key_password': {'file': f'{folder}/key-password'}},
    }
    texts = [f'sECRET-0{i}' for i in range(1, 10)] + [b64(b'sECRET-06-user:sECRET-07-password'), 'sECRET-10']
    return options, [t.encode() for t in texts]


def ask_for_a_certificate(server, certs, seen, table):
    server.context.load_verify_locations(certs.ca_file)
    server.context.verify_mode = ssl.CERT_OPTIONAL

    def script(conn):
        seen.append(conn.socket.getpeercert(True))
        by_path(table)(conn)

    server.scripts = [script]


# where the second server is, seen from the first: which of scheme, host and port differ
@pytest.mark.parametrize('case', ['another port', 'another host', 'another scheme', 'and on from there', 'and back again'],
                         ids=lambda v: v.replace(' ', '-'))
def test_no_secret_leaves_for_another_origin(bridges, scripted, certs, folder, case):
    options, secrets = secrets_everywhere(certs, folder)
    certificates = []
    set_cookie = 'Set-Cookie: kept=sECRET-10-kept; Path=/'
    goal = scripted(None, cert=certs['rsa'])
    ask_for_a_certificate(goal, certs, certificates, {'/goal': to('/next')} if 'from there' in case else {})
    if case == 'another scheme':
        server = scripted(to(goal.url('/goal', host='127.0.0.1'), 307, set_cookie))
        url = server.url()
    else:
        host = 'localhost' if case == 'another host' else '127.0.0.1'
        server = scripted(None, cert=certs['ecdsa'])
        server.scripts = [by_path({'/': to(goal.url('/goal', host=host), 307, set_cookie)})]
        url = server.url()
    if case == 'and back again':
        # First to the other origin, then to the first one: what was left behind stays behind.
        middle = scripted(to(server.url('/back')), cert=certs['rsa'])
        server.scripts = [by_path({'/': to(middle.url('/goal'), 307, set_cookie)})]
        goal = server
    bridge = bridges.open(url, redirects=3, **options)
    assert bridges.echoes(bridge)
    first, last = server.connections[0].request, goal.connections[-1].request
    assert len(goal.connections) == (1 if case.startswith('another') else 2)
    # The first server did get all of it,
    missing = [s for s in secrets[:9] if s not in first and s not in (b'sECRET-06', b'sECRET-07')]
    assert missing == [] and secrets[9] in first
    # the second none of it; a cookie that is kept belongs to its host, whatever the port (RFC 6265, 8.5).
    found = [s for s in secrets if s in last]
    assert found == ([] if case == 'another host' else [b'sECRET-10']), last
    names = {line.split(b':')[0].lower() for line in last.split(b'\r\n')[1:]}
    assert names <= {b'host', b'upgrade', b'connection', b'sec-websocket-key', b'sec-websocket-version', b'user-agent',
                     b'cookie', b'sec-websocket-protocol', b'sec-websocket-extensions'}
    assert certificates == ([] if goal is server else [None] * len(goal.connections))
    bridges.close(bridge)


def test_secrets_stay_on_the_same_origin(bridges, scripted, certs, folder):
    options, secrets = secrets_everywhere(certs, folder)
    server = scripted(None, cert=certs['ecdsa'])
    server.scripts = [by_path({'/': to('/next')})]
    bridges.close(bridges.open(server.url(), redirects=1, **options))
    first, second = (c.request for c in server.connections)
    for secret in secrets[:9]:
        assert (secret in first) == (secret in second)
    assert secrets[0] in second and secrets[9] in second


def test_user_information_of_the_url_and_of_the_location(bridges, scripted):
    """The one stays with its origin, the other goes where it came with."""
    goal = scripted(echo)
    server = scripted(to(goal.url('/')))
    bridges.close(bridges.open(f'ws://user:pass@127.0.0.1:{server.port}/', redirects=1))
    assert server.connections[0].header('authorization') and goal.connections[0].header('authorization') is None
    server.scripts = [to(f'ws://other:word@127.0.0.1:{goal.port}/')]
    bridge = bridges.open(f'ws://user:pass@127.0.0.1:{server.port}/', redirects=1)
    assert goal.connections[1].header('authorization') == 'Basic ' + base64.b64encode(b'other:word').decode()
    assert 'word' not in str(bridge)
    bridges.close(bridge)


def test_connect_to_and_server_name_stay_behind(bridges, scripted, certs):
    """They are about the configured server, not about where that one sends us."""
    goal = scripted(echo, cert=certs['rsa'])
    server = scripted(to(goal.url(host='localhost')), cert=certs['ecdsa'])
    tls = {'ca_file': certs.ca_file, 'server_name': 'good.test', 'pin_sha256': [certs['ecdsa'].pin]}
    bridge = bridges.open('wss://first.test/', connect_to=f'127.0.0.1:{server.port}', redirects=1, tls=tls,
                          socket={'family': 'ipv4'})
    assert (server.names, goal.names) == (['good.test'], ['localhost'])
    assert bridges.echoes(bridge)
    bridges.close(bridge)


def test_ws_unix_redirects_stay_in_their_world(bridges, scripted, folder):
    """From a Unix socket a relative Location leads to the same socket."""
    server = scripted(by_path({'/start': to('/next')}), listener=listen_at(f'{folder}/up.sock'))
    bridges.close(bridges.open(f'ws+unix://{folder}/up.sock:/start', redirects=1))
    assert [c.request.split(b' ')[1] for c in server.connections] == [b'/start', b'/next']


def test_close_frames_of_the_first_server_do_not_count(bridges, scripted):
    """What stands behind a redirect's answer is not a frame."""
    goal = scripted(serve_quietly)

    def script(conn):
        conn.read_request()
        conn.send(f'HTTP/1.1 302 Found\r\nLocation: {goal.url()}\r\n\r\n'.encode() + frames.close(1011))

    bridge = bridges.open(scripted(script).url(), redirects=1)
    assert bridge['state'] == 'open' and bridge['last_error'] is None
    bridges.close(bridge)
