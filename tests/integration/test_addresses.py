# SPDX-License-Identifier: Apache-2.0
"""
Where the socket leads: addresses of both families, Unix sockets, other places than the URL's, the
next URL of a list, names that change, and networks in which one family is broken.
"""

import os
import time

import pytest

import harness
from dumb_server import echo, serve_quietly
from external import has_ipv6
from harness import Server, free_port, slack, wait_until
from namespace import IPV4, IPV6, OTHER_IPV4, Namespace
from scripted import listen_at

QUICK = {'initial': 0.02, 'max': 0.05, 'slow': 0.05}
needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason='there is no ::1 here')


@needs_ipv6
def test_ipv6(bridges, scripted):
    server = scripted(echo, listener=listen_at(('::1', 0)))
    bridge = bridges.open(f'ws://[::1]:{server.port}/')
    assert bridge['peer'] == f'[::1]:{server.port}' and bridge['url'] == f'ws://[::1]:{server.port}/'
    assert server.connections[0].header('host') == f'[::1]:{server.port}'
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@needs_ipv6
def test_ipv6_nginx(bridges, nginx, certs):
    for url in (f'ws://[::1]:{nginx.plain6}/', f'wss://[::1]:{nginx.rsa6}/'):
        bridge = bridges.open(url, tls={'ca_file': certs.ca_file})
        assert bridges.echoes(bridge) and bridge['peer'].startswith('[::1]:')
        bridges.close(bridge)


def test_unix_nginx(bridges, nginx, server):
    """A Unix-socket upstream with a real server behind, spelled in both ways."""
    for i, options in enumerate([{'url': f'ws+unix://{nginx.unix}:/unix?n=0'},
                                 {'url': 'ws://some.host/unix?n=1', 'connect_to': f'unix:{nginx.unix}'}]):
        bridge = bridges.open(**options)
        assert bridges.echoes(bridge)
        assert bridge['peer'] == f'unix:{nginx.unix}'
        headers = dict(server.wait_event('open', count=i + 1, path='/unix')['headers'])
        assert headers['Host'] == ('some.host' if i else 'localhost')
        bridges.close(bridge)


def test_unix_with_tls(bridges, certs, scripted, folder):
    """wss:// through a Unix socket: the name of the URL is what is verified."""
    path = os.path.join(folder, 'tls.sock')
    server = scripted(echo, cert=certs['ecdsa'], listener=listen_at(path))
    tls = {'ca_file': certs.ca_file}
    bridge = bridges.open('wss://good.test/', connect_to=f'unix:{path}', tls=tls)
    assert server.names == ['good.test'] and bridges.echoes(bridge)
    bridges.close(bridge)
    assert bridges.refused('wss://bad.test/', connect_to=f'unix:{path}', tls=tls).kind == 'tls'


@pytest.mark.parametrize('path, request_path', [('/a b.sock', '/'), ('/plain.sock', '/chat/x?y=z'), ('/a:b.sock', '/')])
def test_unix_paths(bridges, scripted, folder, path, request_path):
    server = scripted(echo, listener=listen_at(folder + path))
    spelled = path.replace(' ', '%20').replace(':', '%3A')
    bridge = bridges.open(f'ws+unix://{folder}{spelled}:{request_path}')
    assert server.connections[0].request.split(b' ')[1] == request_path.encode()
    assert bridges.echoes(bridge)
    bridges.close(bridge)


def test_unix_failures(bridges, folder):
    missing = os.path.join(folder, 'missing.sock')
    plain = os.path.join(folder, 'plain')
    dead = os.path.join(folder, 'dead.sock')
    with open(plain, 'w', encoding='ascii'):
        pass
    listen_at(dead).close()
    for path, sentence in [(missing, 'No such file'), (plain, 'refused'), (dead, 'refused')]:
        error = bridges.refused(f'ws+unix://{path}:/')
        assert (error.kind, error.data['stage']) == ('connect', 'connect')
        assert path in error.message and sentence in error.message
        assert error.data['retryable'] is True


@pytest.mark.parametrize('place', ['127.0.0.1:PORT', 'localhost:PORT'])
def test_connect_to(bridges, scripted, place):
    server = scripted(echo)
    bridge = bridges.open('ws://far.invalid:81/path', connect_to=place.replace('PORT', str(server.port)))
    assert bridge['url'] == 'ws://far.invalid:81/path' and bridge['peer'] == f'127.0.0.1:{server.port}'
    assert server.connections[0].header('host') == 'far.invalid:81'
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@needs_ipv6
def test_connect_to_ipv6(bridges, scripted):
    server = scripted(echo, listener=listen_at(('::1', 0)))
    bridge = bridges.open('ws://far.invalid/', connect_to=f'[::1]:{server.port}')
    assert bridge['peer'] == f'[::1]:{server.port}'
    bridges.close(bridge)


@needs_ipv6
@pytest.mark.parametrize('family', ['ipv4', 'ipv6'])
def test_family(bridges, scripted, family):
    """Literals: the one is taken, the other is refused before a packet leaves."""
    servers = {'ipv4': scripted(echo), 'ipv6': scripted(echo, listener=listen_at(('::1', 0)))}
    urls = {'ipv4': f'ws://127.0.0.1:{servers["ipv4"].port}/', 'ipv6': f'ws://[::1]:{servers["ipv6"].port}/'}
    bridge = bridges.open(urls.pop(family), socket={'family': family})
    assert bridges.echoes(bridge)
    bridges.close(bridge)
    other, url = next(iter(urls.items()))
    error = bridges.refused(url, socket={'family': family})
    assert error.kind in ('address', 'connect') and error.data['stage'] in ('resolve', 'connect')
    assert servers[other].connections == []


def test_bind_address(bridges, scripted):
    server = scripted(echo)
    seen = []

    def script(conn):
        seen.append(conn.socket.getpeername()[0])
        echo(conn)

    server.scripts = [script]
    bridge = bridges.open(server.url(), socket={'bind_address': '127.0.0.9'})
    assert seen == ['127.0.0.9'] and bridges.echoes(bridge)
    bridges.close(bridge)
    # One that is not ours: nothing leaves by another way instead.
    error = bridges.refused(server.url(), socket={'bind_address': '192.0.2.77'})
    assert (error.kind, error.data['stage']) == ('connect', 'connect')
    assert 'bind_address' in error.message and len(server.connections) == 1


def test_bind_device(bridges, scripted):
    server = scripted(echo)
    error = bridges.refused(server.url(), socket={'bind_device': 'no-such-dev0'})
    assert (error.kind, error.data['stage']) == ('connect', 'connect')
    assert 'bind_device' in error.message and server.connections == []
    if os.getuid() == 0:
        bridges.close(bridges.open(server.url(), socket={'bind_device': 'lo'}))


def test_other_socket_options(bridges, scripted):
    server = scripted(echo)
    options = {'nodelay': False, 'keepalive': {'idle': 10, 'interval': 5, 'count': 3}, 'user_timeout': 5,
               'rcvbuf': '64K', 'sndbuf': '64K'}
    bridge = bridges.open(server.url(), socket=options)
    assert bridges.echoes(bridge, 'x' * 500000)
    bridges.close(bridge)


# A list of URLs ---------------------------------------------------------------


def refuse_politely(conn):
    conn.read_request()
    conn.send(b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')


def reset_after_a_message(conn):
    conn.upgrade()
    conn.frame()
    conn.reset()


def test_failover(wsbridged, scripted):
    """In turn, moving on at each failed attempt, and staying where it works."""
    refusing, good = scripted(refuse_politely), scripted([reset_after_a_message, echo])
    down = f'ws://127.0.0.1:{free_port()}/'
    daemon = wsbridged({'b': {'url': [down, refusing.url('/second'), good.url('/third')], 'reconnect': QUICK}},
                       log={'level': 'info'})
    daemon.wait_open()
    bridge = daemon.status('b')
    assert bridge['url'] == good.url('/third') and bridge['epoch'] == 1
    assert len(refusing.connections) == 1
    # The end of an open connection is no failed attempt: the same one first.
    with daemon.client('b') as client:
        client.send('go\n')
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['url'] == good.url('/third') and len(refusing.connections) == 1
    good.stop()
    # Round and round, so all of them are tried again.
    wait_until(lambda: len(refusing.connections) >= 3)
    assert daemon.status('b')['last_error'] is not None


def test_failover_mixes_schemes_and_places(wsbridged, scripted, certs, folder):
    path = os.path.join(folder, 'up.sock')
    urls = [f'wss://127.0.0.1:{scripted(serve_quietly, cert=certs["expired"]).port}/', f'ws+unix://{path}:/']
    daemon = wsbridged({'b': {'url': urls, 'reconnect': QUICK, 'tls': {'ca_file': certs.ca_file}}})
    daemon.wait_status('b', lambda b: b['attempts'] >= 3)
    server = scripted(echo, listener=listen_at(path))
    daemon.wait_open()
    assert daemon.status('b')['peer'] == f'unix:{path}' and len(server.connections) == 1


# Names ------------------------------------------------------------------------


def test_a_name_that_does_not_exist(bridges):
    error = bridges.refused('ws://does-not-exist.invalid/', timeouts={'open': 8})
    assert error.data['stage'] == 'resolve' and 'does-not-exist.invalid' in error.message
    assert error.kind in ('address', 'timeout') and error.data['retryable'] is True


@pytest.fixture
def namespace(folder):
    made = Namespace(os.path.join(folder, 'hosts'))
    yield made
    made.stop()


PORT = 8080  # in there nobody else has it


@pytest.fixture
def inside(namespace, wsbridged, monkeypatch):
    """inside(bridges): a daemon in the namespace. inside.serve(host): a real server in it; '' is everywhere."""
    slack(1)  # is known before the wrapper changes
    servers = []

    def start(bridges, **top):
        monkeypatch.setattr(harness, 'WRAPPER', namespace.prefix + wrapper)
        return wsbridged(bridges, **top)

    def serve(host):
        one = Server('websockets', ['--host', host])
        one.argv, one.port = namespace.prefix + one.argv, PORT
        servers.append(one.start())
        return one

    wrapper = harness.WRAPPER
    start.serve = serve
    yield start
    for one in servers:
        one.kill()


def test_names_are_looked_up_anew(namespace, inside):
    first = inside.serve(IPV4)
    inside.serve(OTHER_IPV4)
    namespace.set_hosts(f'{IPV4} moving.test')
    daemon = inside({'b': {'url': f'ws://moving.test:{PORT}/', 'reconnect': QUICK}})
    daemon.wait_open()
    assert daemon.status('b')['peer'] == f'{IPV4}:{PORT}'
    namespace.set_hosts(f'{OTHER_IPV4} moving.test')
    # What is open stays.
    assert daemon.status('b')['peer'] == f'{IPV4}:{PORT}'
    first.kill()
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['peer'] == f'{OTHER_IPV4}:{PORT}'


def test_ipv6_without_a_route_costs_nothing(namespace, inside):
    inside.serve('')
    namespace.set_hosts(f'2001:db8:ffff::1 both.test\n{IPV4} both.test')
    daemon = inside({'b': {'url': f'ws://both.test:{PORT}/'}})
    daemon.wait_open()
    assert daemon.status('b')['peer'] == f'{IPV4}:{PORT}'
    assert sum(daemon.status('b')['timings'].values()) < slack(0.2)


def test_many_addresses_of_which_one_is_alive(namespace, inside):
    """At most eight in one attempt, and the next attempt begins elsewhere (trust: F15)."""
    inside.serve(IPV4)
    dead = '\n'.join(f'127.1.0.{i} many.test' for i in range(1, 40))
    namespace.set_hosts(f'{dead}\n{IPV4} many.test')
    daemon = inside({'b': {'url': f'ws://many.test:{PORT}/', 'reconnect': QUICK}}, env={'RESOLV_MULTI': 'on'})
    daemon.wait_open()
    bridge = daemon.status('b')
    assert bridge['peer'] == f'{IPV4}:{PORT}'
    assert '(8 addresses)' in bridge['last_error']['message']


def test_all_addresses_blackholed(namespace, inside):
    """Each may take timeouts.connect, and all of it no more than timeouts.open."""
    inside.serve('')
    namespace.set_hosts(f'{IPV6} six.test')
    namespace.break_ipv6()
    for timeouts, least in [({'connect': 0.3, 'open': 5}, 0.3), ({'connect': 5, 'open': 0.4}, 0.4)]:
        daemon = inside({'b': {'url': f'ws://six.test:{PORT}/', 'timeouts': timeouts}})
        began = time.monotonic()
        error = daemon.wait_state('b', 'waiting')['last_error']
        assert time.monotonic() - began < slack(least + 0.7)
        assert error['stage'] == 'connect' and error['kind'] in ('connect', 'timeout')
        assert IPV6 in error['message'] or 'six.test' in error['message']
