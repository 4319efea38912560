# SPDX-License-Identifier: Apache-2.0
"""The method `metrics`: its text is OpenMetrics to the letter, and its numbers are those of `status`."""

import os
import re
import time

import pytest

from harness import TOP, free_port
from openmetrics import Broken, parse, value

GOOD = '# TYPE a counter\n# UNIT a \n# HELP a Text.\na_total{b="c\\"\\\\\\n",d=""} 1.5\n'

BROKEN = [
    '', '# EOF', '# EOF\n\n', GOOD, 'x# EOF\n', GOOD + '\n# EOF\n', GOOD + GOOD + '# EOF\n',
    GOOD.replace('# TYPE a counter', '# TYPE  a counter') + '# EOF\n',
    GOOD.replace('counter', 'meter') + '# EOF\n',
    GOOD.replace('UNIT a ', 'UNIT a bytes') + '# EOF\n',
    GOOD.replace('a_total', 'a') + '# EOF\n',
    GOOD.replace('a_total', 'b_total') + '# EOF\n',
    GOOD.replace('1.5', '-1') + '# EOF\n',
    GOOD.replace('1.5', '1,5') + '# EOF\n',
    GOOD.replace(' 1.5', '  1.5') + '# EOF\n',
    GOOD.replace('d=""', 'b=""') + '# EOF\n',
    GOOD.replace('d=""', 'd="",') + '# EOF\n',
    GOOD.replace('\\\\', '\\x') + '# EOF\n',
    GOOD + 'a_total{d="",b="c\\"\\\\\\n"} 2\n# EOF\n',
    GOOD + '# HELP a Again.\n# EOF\n',
    GOOD + '# TYPE b gauge\nb 1\n# TYPE a counter\n# EOF\n',
    GOOD + '# TYPE a_total gauge\na_total 1\n# EOF\n',
    GOOD + '# comment\n# EOF\n',
    '# TYPE a info\na_info{b="c"} 2\n# EOF\n',
    '# TYPE a stateset\na{b="c"} 1\n# EOF\n',
    '# TYPE a stateset\na{a="c"} 2\n# EOF\n',
]


@pytest.mark.parametrize('text', BROKEN)
def test_the_reader_is_strict(text):
    with pytest.raises(Broken):
        parse(text)


def test_the_reader_reads():
    families = parse(GOOD.replace('# UNIT a \n', '') + '# TYPE b gauge\nb 1e3 5\n# EOF\n')
    assert value(families, 'a_total', b='c"\\\n', d='') == 1.5
    assert value(families, 'b') == 1000
    assert parse('# EOF\n') == {}


def metrics(daemon):
    result = daemon.call('metrics')
    assert result.keys() == {'content_type', 'text'}
    assert result['content_type'] == 'application/openmetrics-text; version=1.0.0; charset=utf-8'
    families = parse(result['text'])
    assert all(f.type and f.help and f.name.startswith('wsbridge_') for f in families.values())
    return families


def test_a_daemon_without_bridges(wsbridged):
    daemon = wsbridged(limits={'clients': 7})
    families = metrics(daemon)
    version = daemon.call('version')
    assert value(families, 'wsbridge_build_info', version=version['version']) == 1
    assert value(families, 'wsbridge_bridges') == 0
    assert value(families, 'wsbridge_limit', limit='clients') == 7
    for name, limit in version['limits'].items():
        assert value(families, 'wsbridge_limit', limit=name) == limit
    assert len(families['wsbridge_limit'].samples) == len(version['limits'])
    status = daemon.status()['daemon']
    assert value(families, 'wsbridge_start_timestamp_seconds') == status['started']
    assert 0 <= value(families, 'wsbridge_uptime_seconds') <= time.time() - status['started'] + 1
    assert value(families, 'wsbridge_control_clients') == 1
    assert value(families, 'wsbridge_log_dropped_lines_total') == 0
    assert not families['wsbridge_bridge_state'].samples


def test_numbers_of_a_bridge(up):
    with up.client('up') as client:
        client.send('12345\n\n')
        client.lines(2)
        families = metrics(up)
        status = up.status('up')
        assert value(families, 'wsbridge_endpoint_clients', bridge='up', endpoint=up.path('up.sock')) == 1
    for direction, name in (('rx', 'received'), ('tx', 'sent')):
        for unit in ('messages', 'bytes'):
            assert value(families, f'wsbridge_bridge_{name}_{unit}_total', bridge='up') == status[direction][unit]
            assert value(families, f'wsbridge_bridge_{name}_{unit}_total', bridge='down') == 0
    assert value(families, 'wsbridge_bridge_received_bytes_total', bridge='up') == 5
    assert families['wsbridge_bridge_received_bytes'].unit == 'bytes'
    assert value(families, 'wsbridge_bridge_connections_total', bridge='up') == 1
    assert value(families, 'wsbridge_bridge_reconnects_total', bridge='up') == 0
    assert value(families, 'wsbridge_bridge_state_change_timestamp_seconds', bridge='up') == status['since']
    assert value(families, 'wsbridge_clients') == 1
    # What does not apply is not there.
    assert ('wsbridge_bridge_retry_in_seconds', frozenset({('bridge', 'up')})) not in \
        families['wsbridge_bridge_retry_in_seconds'].samples
    assert not families['wsbridge_bridge_certificate_expiry_timestamp_seconds'].samples


def test_states(wsbridged, server):
    daemon = wsbridged({'open': {'url': server.url()}, 'closed': {'url': server.url(), 'start': 'manual'},
                        'idle': {'url': server.url(), 'start': 'on-demand'},
                        'waiting': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {'initial': 60, 'max': 60}}})
    for name in ('open', 'closed', 'idle', 'waiting'):
        daemon.wait_state(name, name)
    families = metrics(daemon)
    family = families['wsbridge_bridge_state']
    assert family.type == 'stateset'
    for name in ('open', 'closed', 'idle', 'waiting'):
        mine = {dict(labels)['wsbridge_bridge_state']: v for (_, labels), v in family.samples.items()
                if dict(labels)['bridge'] == name}
        assert mine.keys() == {'connecting', 'open', 'closing', 'waiting', 'idle', 'closed', 'failed'}
        assert [state for state, v in mine.items() if v] == [name]
    assert 0 < value(families, 'wsbridge_bridge_retry_in_seconds', bridge='waiting') <= 60
    assert value(families, 'wsbridge_bridge_attempts', bridge='waiting') == 1


def test_causes_of_losses_add_up(wsbridged, server):
    daemon = wsbridged({'down': {'url': server.url(), 'start': 'manual', 'outbox': {'size': 4096}}})
    with daemon.client('down') as client:
        client.send('x' * 1000 + '\n')
        daemon.wait_status('down', lambda b: b['outbox']['messages'] == 1)
        client.send('y' * 4000 + '\n')
        status = daemon.wait_status('down', lambda b: b['dropped'] == 1)
    families = metrics(daemon)
    causes = {dict(labels)['cause']: v for (_, labels), v in
              families['wsbridge_bridge_dropped_messages'].samples.items()}
    assert causes == {'slow_client': 0, 'unfit': 0, 'outbox_expired': 0, 'outbox_dropped': 0, 'outbox_rejected': 1}
    assert sum(causes.values()) == status['dropped']
    assert value(families, 'wsbridge_bridge_outbox_messages', bridge='down') == 1
    assert value(families, 'wsbridge_bridge_outbox_bytes', bridge='down') == status['outbox']['bytes']


def test_rtt_and_certificate(wsbridged, nginx, trust):
    daemon = wsbridged({'b': {'url': f'wss://localhost:{nginx.rsa}/', 'tls': trust, 'ping': {'interval': 0.1}}})
    bridge = daemon.wait_status('b', lambda b: b['rtt'])
    families = metrics(daemon)
    assert 0 <= value(families, 'wsbridge_bridge_rtt_seconds', bridge='b') < 10
    assert 0 <= value(families, 'wsbridge_bridge_silence_seconds', bridge='b') < 10
    assert value(families, 'wsbridge_bridge_certificate_expiry_timestamp_seconds', bridge='b') == \
        bridge['tls']['not_after']


def test_names_that_need_escapes(wsbridged, server):
    strange = 'a"b\\c{d},e='
    daemon = wsbridged({'x.y@z-1': {'url': server.url(), 'endpoint': f'$DIR/{strange}'}})
    assert value(metrics(daemon), 'wsbridge_endpoint_clients', bridge='x.y@z-1', endpoint=daemon.path(strange)) == 0


def test_the_manual_names_them_all(up):
    with open(os.path.join(TOP, 'docs', 'wsbridge-rpc.7'), encoding='utf-8') as f:
        section = f.read().split('.Sh METRICS')[1].split('.Sh ')[0]
    shown = set(re.findall(r'wsbridge_\w+', ' '.join(line for line in section.split('\n') if line.startswith('.It'))))
    assert shown == {name for f in metrics(up).values() for name in f.sample_names() if 'created' not in name}


def test_command(up, wsbridge):
    done = wsbridge(up, 'metrics')
    assert done.returncode == 0
    assert value(parse(done.stdout), 'wsbridge_bridges') == 2
    assert '"text":"# TYPE ' in wsbridge(up, '--json', 'metrics').stdout
