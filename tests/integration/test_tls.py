# SPDX-License-Identifier: Apache-2.0
"""
wss:// to nginx and to scripted servers: what is shown of the connection, which certificates are
taken, and that no byte of a request leaves for a server that was not verified.
"""

import os
import ssl
import threading

import pytest

from certs import openssl
from dumb_server import echo, serve_quietly
from harness import slack, wait_until
from scripted import at, swallow


# nginx in front of a real server ---------------------------------------------


@pytest.mark.parametrize('kind', ['rsa', 'ecdsa'])
def test_nginx(bridges, nginx, certs, trust, kind):
    bridge = bridges.open(f'wss://localhost:{getattr(nginx, kind)}/', tls=trust)
    assert bridge['tls']['version'] == 'TLSv1.3'
    assert bridge['tls']['cipher'].startswith('TLS_')
    assert 'a server' in bridge['tls']['subject'] and 'the root ca' in bridge['tls']['issuer']
    assert 'good.test' in str(bridge['tls']['sans']) and '127.0.0.1' in str(bridge['tls']['sans'])
    assert bridge['tls']['not_after'] == certs[kind].not_after
    assert bridge['url'] == f'wss://localhost:{getattr(nginx, kind)}/'
    assert bridge['peer'] == f'127.0.0.1:{getattr(nginx, kind)}'
    assert bridges.echoes(bridge) and bridges.echoes(bridge, 'x' * 1000000)
    for stage in ('resolve', 'connect', 'tls', 'handshake'):
        assert 0 <= bridge['timings'][stage] < slack(5), bridge['timings']
    bridges.close(bridge)


def test_much_in_both_directions(bridges, nginx, trust):
    """More than any record, buffer or window holds, and the last byte comes without the peer speaking again."""
    bridge = bridges.open(f'wss://127.0.0.1:{nginx.rsa}/', tls=trust)
    lines = [f'{i} '.encode() + b'x' * (i * 37 % 40000) for i in range(300)]
    with bridges.daemon.client(bridge['name']) as client:
        # Beside the reading: what comes back would pass the client's queue, which drops the oldest.
        sender = threading.Thread(target=client.send, args=(b'\n'.join(lines) + b'\n',), daemon=True)
        sender.start()
        assert client.lines(300) == lines
        sender.join()
    bridges.close(bridge)


def client_identity(certs, folder, password):
    path = os.path.join(folder, 'password')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(f'{password}\n')
    return {'ca_file': certs.ca_file, 'cert': certs['client'].cert, 'key': certs['client'].key,
            'key_password': {'file': path}}


def test_client_certificate_with_an_encrypted_key(bridges, nginx, certs, server, folder):
    tls = client_identity(certs, folder, certs['client'].password)
    bridge = bridges.open(f'wss://127.0.0.1:{nginx.clients}/with-certificate', tls=tls)
    headers = dict(server.wait_event('open', path='/with-certificate')['headers'])
    assert headers['X-Client'] == 'CN=a client'
    assert bridges.echoes(bridge)
    bridges.close(bridge)


def test_client_certificate_and_key_in_one_file(bridges, nginx, certs, trust, folder):
    path = os.path.join(folder, 'both.pem')
    key = openssl('pkey', '-in', certs['client'].key, '-passin', f'pass:{certs["client"].password}')
    with open(path, 'wb') as f:
        f.write(certs['client'].pem + key)
    bridges.close(bridges.open(f'wss://127.0.0.1:{nginx.clients}/', tls={**trust, 'cert': path}))


def test_client_key_with_an_empty_password(bridges, nginx, certs, folder):
    """A file that is just being written anew: nothing is dialed with it."""
    error = bridges.refused(f'wss://127.0.0.1:{nginx.clients}/', tls=client_identity(certs, folder, ''))
    assert (error.kind, error.data['option']) == ('invalid_option', 'tls.key_password')
    assert error.message.endswith('tls.key_password: the secret is empty')


def test_client_key_with_a_wrong_password(bridges, nginx, certs, folder):
    tls = client_identity(certs, folder, 'wrong-password-of-the-key')
    error = bridges.refused(f'wss://127.0.0.1:{nginx.clients}/', tls=tls)
    assert (error.kind, error.data['stage']) == ('tls', 'tls')
    assert 'tls.key ' in error.message and 'password' in error.message
    assert 'wrong-password' not in str(error) + str(error.bridge)
    del tls['key_password']
    assert 'the key is encrypted' in bridges.refused(f'wss://127.0.0.1:{nginx.clients}/', tls=tls).message


def test_nginx_without_the_client_certificate_it_wants(bridges, nginx, trust):
    error = bridges.refused(f'wss://127.0.0.1:{nginx.clients}/', tls=trust)
    assert (error.kind, error.data['status'], error.data['stage']) == ('bad_status', 400, 'handshake')
    assert 'No required SSL certificate' in error.data['body']


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
@pytest.mark.parametrize('own', [None, 'other client'])
def test_a_client_certificate_that_the_server_refuses(bridges, scripted, certs, trust, version, own):
    server = scripted(swallow, cert=certs['rsa'], clients=certs.ca_file, maximum_version=ssl.TLSVersion[version])
    identity = {'cert': certs[own].cert, 'key': certs[own].key} if own else {}
    error = bridges.refused(server.url(), tls={**trust, **identity})
    assert error.kind == 'tls', error
    # Before TLS 1.3 there is no alert for "you have not shown one".
    assert ('unknown CA' if own else 'certificate' if version == 'TLSv1_3' else 'handshake failure') in error.message
    assert [c.rest for c in server.connections] == [b'']


# Verification ----------------------------------------------------------------

# server's certificate: what the sentence says; the client goes to good.test unless it says where.
BAD = {
    'expired': 'expired',
    'not yet valid': 'not yet valid',
    'wrong host': 'not for "good.test"',
    'self-signed': 'self-signed',
    'unknown CA': 'unable to get',
    'CN only': 'not for "good.test"',
    'wide wildcard': 'not for "good.test"',
    'for clients': 'purpose',
    'short key': 'key too weak',
}


def assert_no_byte_left(server, error, sentence):
    assert (error.kind, error.data['stage']) == ('tls', 'tls'), error
    assert sentence in error.message, error
    wait_until(lambda: all(c.ended for c in server.connections))
    assert [c.rest + c.request for c in server.connections] == [b'']
    assert error.data['retryable'] is False


@pytest.mark.parametrize('name', BAD, ids=lambda v: v.replace(' ', '-'))
def test_bad_certificate(bridges, scripted, certs, trust, name):
    server = scripted(swallow, cert=certs[name])
    error = bridges.refused(**at(server), tls=trust)
    assert_no_byte_left(server, error, BAD[name])
    # It told the server why (RFC 8446, 6.2).
    assert 'ALERT' in str(server.connections[0].refused)
    assert error.bridge['tls'] is None
    bridges.daemon.log_contains(f'bridge {error.bridge["name"]}: {error.bridge["last_error"]["message"]}')


def test_an_intermediate_that_is_no_ca(bridges, scripted, certs, trust):
    server = scripted(swallow, cert=certs['signed by a leaf'])
    assert_no_byte_left(server, bridges.refused(**at(server), tls=trust), 'invalid CA')


# name that is verified, certificate: is it taken?
NAMES = [
    ('good.test', 'ecdsa', True), ('GOOD.Test', 'ecdsa', True), ('good.test.', 'ecdsa', True),
    ('localhost', 'ecdsa', True), ('a.wild.test', 'ecdsa', True), ('127.0.0.1', 'ecdsa', True), ('::1', 'ecdsa', True),
    ('wild.test', 'ecdsa', False), ('a.b.wild.test', 'ecdsa', False), ('.wild.test', 'ecdsa', None),
    ('', 'ecdsa', None), ('sub.good.test', 'ecdsa', False), ('ood.test', 'ecdsa', False), ('127.0.0.2', 'ecdsa', False),
    ('::2', 'ecdsa', False), ('good.good.test', 'partial wildcard', False), ('127.0.0.1', 'address as a name', False),
]


@pytest.mark.parametrize('name, kind, taken', NAMES, ids=lambda v: str(v).replace(' ', '-') or 'empty')
def test_the_name_that_is_verified(bridges, scripted, certs, trust, name, kind, taken):
    server = scripted(echo, cert=certs[kind])
    tls = {**trust, 'server_name': name}
    if taken is None:
        error = bridges.refused(server.url(), tls=tls)
        assert (error.kind, error.data['option']) == ('invalid_option', 'tls.server_name')
        assert server.connections == []
    elif taken:
        bridge = bridges.open(server.url(), tls=tls)
        assert bridges.echoes(bridge)
        bridges.close(bridge)
        # A literal is not sent as SNI (RFC 6066, 3), nor is the root's dot.
        is_name = not name.replace('.', '').isdigit() and ':' not in name
        assert server.names == [name.lower().rstrip('.') if is_name else None]
        # The Host is the URL's all the same.
        assert server.connections[0].header('host') == f'127.0.0.1:{server.port}'
    else:
        assert_no_byte_left(server, bridges.refused(server.url(), tls=tls), 'is not for')


@pytest.mark.parametrize('name', ['self-signed', 'unknown CA', 'expired', 'wrong host'],
                         ids=lambda v: v.replace(' ', '-'))
def test_verify_off(bridges, scripted, certs, name):
    server = scripted(echo, cert=certs[name])
    bridge = bridges.open(**at(server), tls={'verify': False})
    assert bridges.echoes(bridge) and bridge['tls']['version'] == 'TLSv1.3'
    assert bridges.daemon.log_lines(f'bridge {bridge["name"]}: tls.verify is off')
    bridges.close(bridge)


def test_verify_hostname_off_is_only_that(bridges, scripted, certs, trust):
    server = scripted(echo, cert=certs['wrong host'])
    bridge = bridges.open(**at(server), tls={**trust, 'verify_hostname': False})
    assert bridges.echoes(bridge)
    bridges.close(bridge)
    other = scripted(swallow, cert=certs['unknown CA'])
    assert_no_byte_left(other, bridges.refused(**at(other), tls={**trust, 'verify_hostname': False}), 'unable to get')


def test_the_system_store_is_the_default(bridges, scripted, certs, wsbridged):
    server = scripted([swallow, echo], cert=certs['ecdsa'])
    assert_no_byte_left(server, bridges.refused(**at(server)), 'unable to get')
    daemon = wsbridged({'b': at(server)}, env={'SSL_CERT_FILE': certs.ca_file})
    daemon.wait_open()


def test_one_connection_does_not_disturb_another(bridges, scripted, certs, trust, nginx):
    """The queue of errors of the library belongs to the thread (trust: T16)."""
    good = bridges.open(f'wss://127.0.0.1:{nginx.rsa}/', tls=trust)
    with bridges.daemon.client(good['name']) as client:
        for name in BAD:
            server = scripted(swallow, cert=certs[name])
            bridges.refused(**at(server), tls=trust)
            client.send('still\n')
            assert client.line() == b'still'
    now = bridges.daemon.status(good['name'])
    assert (now['epoch'], now['reconnects'], now['last_error']) == (1, 0, None)
    bridges.close(good)


# Options ---------------------------------------------------------------------


PINS = {
    'its own': (lambda c: [c['ecdsa'].pin], True),
    "its root's": (lambda c: [c['ca'].pin], True),
    'one of two': (lambda c: [c['rsa'].pin, c['ecdsa'].pin], True),
    'another': (lambda c: [c['rsa'].pin], False),
    "another root's": (lambda c: [c['stranger'].pin], False),
}


@pytest.mark.parametrize('verify', [True, False])
@pytest.mark.parametrize('pins', PINS, ids=lambda v: v.replace(' ', '-'))
def test_pins(bridges, scripted, certs, trust, pins, verify):
    make, taken = PINS[pins]
    # A pin on its own is enough for a self-signed certificate, but then it must be the server's.
    taken = taken and (verify or 'root' not in pins)
    server = scripted(echo if taken else swallow, cert=certs['ecdsa'])
    tls = {**trust, 'verify': verify, 'pin_sha256': make(certs)}
    if taken:
        bridge = bridges.open(**at(server), tls=tls)
        assert bridges.echoes(bridge)
        bridges.close(bridge)
    else:
        assert_no_byte_left(server, bridges.refused(**at(server), tls=tls), 'tls.pin_sha256')


def test_a_pin_does_not_replace_verification(bridges, scripted, certs, trust):
    server = scripted(swallow, cert=certs['expired'])
    tls = {**trust, 'pin_sha256': [certs['expired'].pin]}
    assert_no_byte_left(server, bridges.refused(**at(server), tls=tls), 'expired')


# what the server does, what the bridge may: the version, None for none
VERSIONS = [
    ({}, {}, 'TLSv1.3'), ({}, {'max_version': '1.2'}, 'TLSv1.2'), ({}, {'min_version': '1.3'}, 'TLSv1.3'),
    ({'maximum_version': ssl.TLSVersion.TLSv1_2}, {}, 'TLSv1.2'),
    ({'maximum_version': ssl.TLSVersion.TLSv1_2}, {'min_version': '1.3'}, None),
    ({'minimum_version': ssl.TLSVersion.TLSv1_3}, {'max_version': '1.2'}, None),
    ({'minimum_version': ssl.TLSVersion.TLSv1, 'maximum_version': ssl.TLSVersion.TLSv1_1}, {}, None),
]


@pytest.mark.filterwarnings('ignore:ssl.TLSVersion')
@pytest.mark.parametrize('theirs, ours, version', VERSIONS)
def test_versions(bridges, scripted, certs, trust, theirs, ours, version):
    server = scripted(echo if version else swallow, cert=certs['ecdsa'], **theirs)
    if version:
        bridge = bridges.open(**at(server), tls={**trust, **ours})
        assert bridge['tls']['version'] == version and bridges.echoes(bridge)
        bridges.close(bridge)
    else:
        assert_no_byte_left(server, bridges.refused(**at(server), tls={**trust, **ours}), 'version')


@pytest.mark.parametrize('options, cipher', [
    ({'ciphersuites': 'TLS_CHACHA20_POLY1305_SHA256'}, 'TLS_CHACHA20_POLY1305_SHA256'),
    ({'max_version': '1.2', 'ciphers': 'ECDHE-ECDSA-AES256-GCM-SHA384'}, 'ECDHE-ECDSA-AES256-GCM-SHA384'),
    ({'groups': 'X448'}, None),
])
def test_ciphers_and_groups(bridges, scripted, certs, trust, options, cipher):
    server = scripted(echo, cert=certs['ecdsa'])
    bridge = bridges.open(**at(server), tls={**trust, **options})
    assert cipher in (None, bridge['tls']['cipher'])
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@pytest.mark.parametrize('options', [
    {'ca_file': '/nonexistent/ca.pem'}, {'ca_dir': '/nonexistent'}, {'cert': '/nonexistent/cert.pem'},
    {'ciphers': 'no-such-cipher'}, {'ciphersuites': 'NO_SUCH_SUITE'}, {'groups': 'no-such-group'},
    {'keylog_file': '/nonexistent/keys'},
], ids=lambda v: next(iter(v)))
def test_options_that_cannot_be_used(bridges, scripted, certs, trust, options):
    server = scripted(swallow, cert=certs['ecdsa'])
    error = bridges.refused(**at(server), tls={**trust, **options})
    name, value = next(iter(options.items()))
    assert error.kind in ('tls', 'invalid_option')
    assert f'tls.{name}' in error.message + error.data.get('option', '') and value in error.message, error
    assert all(c.rest == b'' for c in server.connections)


def test_key_log(bridges, scripted, certs, trust, folder):
    path = os.path.join(folder, 'keys')
    server = scripted(echo, cert=certs['ecdsa'])
    bridge = bridges.open(**at(server), tls={**trust, 'keylog_file': path})
    bridges.close(bridge)
    with open(path, encoding='ascii') as f:
        labels = {line.split()[0] for line in f}
    assert {'CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET', 'CLIENT_TRAFFIC_SECRET_0',
            'SERVER_TRAFFIC_SECRET_0'} <= labels
    assert os.stat(path).st_mode & 0o777 == 0o600


def replace(path, source):
    with open(source, 'rb') as f, open(path + '.new', 'wb') as new:
        new.write(f.read())
    os.rename(path + '.new', path)


def test_ca_file_that_is_replaced(bridges, scripted, certs, folder):
    path = os.path.join(folder, 'ca.pem')
    replace(path, certs['stranger'].cert)
    server = scripted(serve_quietly, cert=certs['ecdsa'])
    name = bridges.start(**at(server), tls={'ca_file': path})
    bridges.daemon.wait_state(name, 'waiting')
    replace(path, certs.ca_file)
    bridges.daemon.call('reconnect', name=name)
    bridges.daemon.wait_open(name)
    replace(path, certs['stranger'].cert)
    # What is open stays open; the next attempt knows.
    assert bridges.daemon.status(name)['state'] == 'open'
    bridges.daemon.call('reconnect', name=name)
    bridge = bridges.daemon.wait_state(name, 'waiting')
    assert bridge['last_error']['kind'] == 'tls'
    bridges.close(name)


def test_ca_dir(bridges, scripted, certs, folder):
    server = scripted(echo, cert=certs['ecdsa'])
    error = bridges.refused(**at(server), tls={'ca_dir': folder})
    assert error.kind == 'tls'
    subject_hash = openssl('x509', '-in', certs.ca_file, '-noout', '-hash').decode().strip()
    os.symlink(certs.ca_file, os.path.join(folder, f'{subject_hash}.0'))
    bridge = bridges.open(**at(server), tls={'ca_dir': folder})
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@pytest.mark.parametrize('alpn', [['http/1.1'], ['h2', 'http/1.1'], ['h2']])
def test_alpn(bridges, scripted, certs, trust, alpn):
    chosen = []

    def script(conn):
        chosen.append(conn.socket.selected_alpn_protocol())
        echo(conn)

    server = scripted(script, cert=certs['ecdsa'], alpn=alpn)
    bridges.close(bridges.open(**at(server), tls=trust))
    assert chosen == ['http/1.1' if 'http/1.1' in alpn else None]
