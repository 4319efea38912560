# SPDX-License-Identifier: Apache-2.0
"""
Sixteen clients of one control socket at once, all with the same ids, each with hundreds of calls of
every kind under way together: every answer goes to who has asked, with its id and its content.
"""

import json
import random
import threading

import pytest

from harness import Control, slack, wait_until

CLIENTS, ROUNDS = 16, 25
WAITING = {'request', 'recv', 'wait', 'ping', 'open', 'close'}


class Asker(Control):
    """One client: rounds of calls that are written at once, and what has to come for each."""

    def __init__(self, path, number, url):
        super().__init__(path)
        self.number, self.url = number, url
        self.random = random.Random(number)
        self.own = f'own{number}'
        self.tokens = 0
        self.events = []
        self.subscription = None
        self.is_open = False

    def token(self):
        self.tokens += 1
        return f'<{self.number}.{self.tokens}>'

    # Each gives (method, params, check of its result).

    def ask_status(self):
        return 'status', {'name': 'up'}, lambda r: [b['name'] for b in r['bridges']] == ['up']

    def ask_version(self):
        return 'version', {}, lambda r: 'features' in r

    def ask_send(self):
        text = self.token() + 'x' * self.random.randrange(300)
        return 'send', {'name': 'up', 'text': text}, lambda r: r == {'bytes': len(text), 'queued': False}

    def ask_request(self):
        mine = self.token()
        return ('request', {'name': 'up', 'json': {'id': mine}, 'match': {'pointer': '/id', 'equals': mine}},
                lambda r: json.loads(r['data']) == {'id': mine})

    def ask_ping(self):
        return 'ping', {'name': 'up'}, lambda r: 0 <= r['rtt'] < slack(10)

    def ask_wait(self):
        return 'wait', {'name': 'up'}, lambda r: (r['name'], r['state']) == ('up', 'open')

    def ask_recv(self):
        """With the `send` that it waits for, which comes behind it."""
        mine = self.token()
        self.then = ('send', {'name': 'up', 'text': mine}, lambda r: r['bytes'] == len(mine))
        return ('recv', {'name': 'up', 'match': {'contains': mine}},
                lambda r: [m['data'] for m in r['messages']] == [mine])

    def ask_open_or_close(self):
        self.is_open = not self.is_open
        if self.is_open:
            return ('open', {'name': self.own, 'url': self.url, 'wait': 20},
                    lambda r: (r['name'], r['state'], r['source']) == (self.own, 'open', 'control'))
        return ('close', {'name': self.own, 'wait': 20},
                lambda r: (r['name'], r['state']) == (self.own, 'closed'))

    def ask_subscribe(self):
        if self.subscription is None:
            return 'subscribe', {'name': 'up', 'events': ['message']}, self.subscribed
        number, self.subscription = self.subscription, None
        return 'unsubscribe', {'subscription': number}, lambda r: r == {'removed': 1}

    def subscribed(self, result):
        self.subscription = result['subscription']
        return result.keys() == {'subscription', 'cursor'}

    def calls(self):
        """A round; at most one of those that build on the round before."""
        kinds = [self.ask_status, self.ask_version, self.ask_send, self.ask_request, self.ask_ping, self.ask_wait,
                 self.ask_recv]
        chosen = self.random.choices(kinds, k=10) + [self.ask_open_or_close, self.ask_subscribe]
        self.random.shuffle(chosen)
        made = []
        for ask in chosen:
            self.then = None
            made.append(ask())
            if self.then:
                made.append(self.then)
        return made

    def write(self, calls):
        """In one piece, in many, or partly as batches."""
        lines = [json.dumps({'id': i, 'method': method, 'params': params})
                 for i, (method, params, _) in enumerate(calls)]
        way = self.random.randrange(3)
        if way == 0:
            self.send(''.join(line + '\n' for line in lines))
        elif way == 1:
            for line in lines:
                self.send(line)
                self.send('\n')
        else:
            self.send(f'{lines[0]}\n[{",".join(lines[1:4])}]\n' + ''.join(line + '\n' for line in lines[4:]))

    def answers(self):
        """Those of one line; events are put aside."""
        value = self.answer()
        assert value is not None, 'the daemon has ended the connection'
        if isinstance(value, list):
            return value
        if 'method' in value:
            self.events.append(value['params'])
            return []
        return [value]

    def round(self):
        calls = self.calls()
        self.write(calls)
        got = []
        while len(got) < len(calls):
            got += self.answers()
        assert sorted(a['id'] for a in got) == list(range(len(calls)))
        for answer in got:
            method, params, good = calls[answer['id']]
            assert 'result' in answer, (method, params, answer)
            assert good(answer['result']), (method, params, answer)
        simple = [a['id'] for a in got if calls[a['id']][0] not in WAITING and not 1 <= a['id'] < 4]
        assert simple == sorted(simple)
        return len(calls)


def test_every_answer_goes_to_its_asker(wsbridged, server):
    up = wsbridged({'up': {'url': server.url()}}, limits={'dials_per_second': 0})
    up.wait_open()
    wrong, counts = [], []

    def work(number):
        try:
            with Asker(up.control_path, number, server.url()) as asker:
                counts.append(sum(asker.round() for _ in range(ROUNDS)))
                assert {e['bridge'] for e in asker.events} <= {'up'}
        except Exception as e:  # pylint: disable=broad-except
            wrong.append((number, repr(e)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    assert sum(counts) >= CLIENTS * ROUNDS * 12
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)
    daemon = up.status()['daemon']
    assert (daemon['waiting'], daemon['subscriptions']) == (0, 0)
    assert {b['state'] for b in up.status()['bridges']} == {'open'}


def test_a_thousand_requests_in_one_write(up):
    """Waiting and simple ones: more than may be under way, so the rest stays unread meanwhile."""
    calls = []
    for i in range(1000):
        params = {'name': 'up', 'text': f'[{i}]', 'match': {'contains': f'[{i}]'}} if i % 2 else {}
        calls.append(json.dumps({'id': i, 'method': 'request' if i % 2 else 'version', 'params': params}) + '\n')
    with Control(up.control_path) as control:
        control.send(''.join(calls))
        control.half_close()
        answers = [json.loads(line) for line in control.rest_of_lines()]
    assert sorted(a['id'] for a in answers) == list(range(1000))
    assert [a['id'] for a in answers if a['id'] % 2 == 0] == list(range(0, 1000, 2))
    assert {a['id']: a['result']['data'] for a in answers if a['id'] % 2} == {i: f'[{i}]' for i in range(1, 1000, 2)}


def test_a_batch_of_waiting_and_simple_calls(up):
    """Its answers come together, in one line, when the last one is there; others are not held up."""
    batch = [{'id': 'v', 'method': 'version'},
             {'id': 'r', 'method': 'recv', 'params': {'name': 'up', 'match': {'contains': 'later'}}},
             {'method': 'send', 'params': {'name': 'up', 'text': 'a notification'}},
             {'id': 'n', 'method': 'nope'},
             {'id': 'q', 'method': 'request', 'params': {'name': 'up', 'text': 'q', 'match': {'contains': 'q'}}},
             {'id': 't', 'method': 'wait', 'params': {'name': 'down', 'timeout': 0.2}}]
    with Control(up.control_path) as control:
        control.send(json.dumps(batch) + '\n{"id":"after","method":"version"}\n')
        assert control.answer()['id'] == 'after'
        assert control.silent(0.4)
        up.call('send', name='up', text='later')
        answers = {a['id']: a for a in control.answer()}
    assert answers.keys() == {'v', 'r', 'n', 'q', 't'}
    assert 'features' in answers['v']['result'] and answers['q']['result']['data'] == 'q'
    assert answers['r']['result']['messages'][0]['data'] == 'later'
    assert (answers['n']['error']['code'], answers['t']['error']['code']) == (-32601, -32005)
    assert up.status('up')['rx']['messages'] == 3  # the notification went out, too


@pytest.mark.parametrize('line', [
    'status up', '{"id":1,"method":"status","params":{"name":"up"}}',
    '[{"id":1,"method":"status"},{"id":2,"method":"ping","params":{"name":"up"}}]',
    'ping up', 'request up text="a b" match={"contains":"a b"}', 'wait up state=open timeout=1s',
])
def test_byte_by_byte(up, line):
    with Control(up.control_path) as control:
        for byte in line.encode() + b'\n':
            control.send(bytes([byte]))
        answers = control.answer()
        for answer in answers if isinstance(answers, list) else [answers]:
            assert 'result' in answer, answer
        assert control.silent(0.05)
