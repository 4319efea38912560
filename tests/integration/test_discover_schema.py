# SPDX-License-Identifier: Apache-2.0
"""
The document of `rpc.discover` against two judges: the meta-schema of OpenRPC, and the daemon. What the
daemon takes as a parameter, the schema of that parameter allows. A schema may be looser, since what
makes an address or a regular expression cannot be said in it. No call here has an effect: each is
for a bridge that is not there, or a dry run.
"""

import json
import os
import subprocess

import pytest

from harness import HERE, Control

jsonschema = pytest.importorskip('jsonschema', reason='apt-get install python3-jsonschema')

PACKAGES = os.path.join(HERE, 'node_modules')
META, JSON_META = '@open-rpc/meta-schema', '@json-schema-tools/meta-schema'

CONTENT = ('text', 'json', 'binary', 'ping', 'pong')
REQUIRED = {'name': 'nosuch', 'match': {'contains': 'x'}}
VALUES = [None, True, False, 0, 1, -1, 7, 0.5, 1e300, '', 'x', '0', '5s', '2h', 'off', '64K', 'soon', 'open', 'y\n',
          [], [1], ['x'], ['x', 'x'], {}, {'nosuch': 1}, '/tmp/x', '0600', 'AQI=', '@name',
          'ws://127.0.0.1/', '127.0.0.1:80', 'env', 'http://127.0.0.1:3128', '1.2', '3:0', ['message'],
          {'pointer': '/id', 'equals': 1}, {'regex': '('}, {'file': '/tmp/x'}, {'text': 'x'}, 'root', 4000, 1 << 40, '127.0.0.1', '*']
# What an option needs beside it.
COMPANY = {'auth.basic.user': {'basic': {'password': 'p'}}, 'auth.basic.password': {'basic': {'user': 'u'}},
           'tls.key': {'cert': '/tmp/x'}, 'tls.key_password': {'cert': '/tmp/x', 'key': '/tmp/x'},
           'heartbeat': {'interval': 60, 'message': 'x'},
           'heartbeat.timeout': {'interval': 60, 'message': 'x', 'expect': {'contains': 'x'}},
           'heartbeat.expect.equals': {'interval': 60, 'message': 'x', 'expect': {'pointer': '/x'}},
           'rate': {'messages': 9}, 'match.equals': {'pointer': '/x'}}


@pytest.fixture(scope='module')
def daemon(module_daemon, server):
    return module_daemon({'b': {'url': server.url(), 'start': 'manual'}})


@pytest.fixture(scope='module')
def document(daemon):
    return daemon.call('rpc.discover')


def package(*words):
    if not os.path.isdir(os.path.join(PACKAGES, *words)):
        pytest.skip('the meta-schema of OpenRPC is not there: npm ci in tests/integration')
    return os.path.join(PACKAGES, *words)


@pytest.fixture(scope='module')
def meta_validator():
    program = 'process.stdout.write(JSON.stringify(require(process.argv[1]).openrpcDocument))'
    done = subprocess.run(['node', '-e', program, package(META)], capture_output=True, check=True, timeout=20)
    meta = json.loads(done.stdout)
    with open(os.path.join(package(JSON_META), 'schema.json'), encoding='utf-8') as f:
        schemas = json.load(f)
    # The one refers to the other with and without a slash at the end; nothing is fetched.
    store = {schemas['$id']: schemas, schemas['$id'].rstrip('/'): schemas}
    return jsonschema.Draft7Validator(meta, resolver=jsonschema.RefResolver.from_schema(meta, store=store))


def problems(validator, document):
    return [f'{"/".join(map(str, e.absolute_path))}: {e.message[:300]}' for e in validator.iter_errors(document)]


def test_meta_schema(meta_validator, document):
    assert not problems(meta_validator, document)


@pytest.mark.parametrize('spoil', [
    lambda d: d.pop('info'),
    lambda d: d.update(openrpc='2.0.0'),
    lambda d: d['methods'][0].update(right='read'),
    lambda d: d['methods'][0]['params'][0].pop('schema'),
    lambda d: d['methods'][0]['params'][0].update(schema={'type': 'text'}),
    lambda d: d['components']['schemas']['bridge'].update(properties=[]),
    lambda d: d['components']['errors']['timeout'].update(code='-32005'),
])
def test_the_judge_refuses_what_is_wrong(meta_validator, document, spoil):
    spoilt = json.loads(json.dumps(document))
    spoil(spoilt)
    assert problems(meta_validator, spoilt)


# What the daemon says --------------------------------------------------------

class Judge:
    """Which values of a parameter the daemon takes, and which its schema allows."""

    def __init__(self, daemon, document):
        self.daemon, self.document = daemon, document
        self.resolver = jsonschema.RefResolver.from_schema(document)

    def resolve(self, schema):
        while '$ref' in schema:
            schema = self.resolver.resolve(schema['$ref'])[1]
        return schema

    def allows(self, schema, value):
        return jsonschema.Draft7Validator(schema, resolver=self.resolver).is_valid(value)

    def takes(self, method, params):
        if method == 'unsubscribe':
            answer = self.unsubscribe(params)
        else:
            answer = self.daemon.control.ask(json.dumps({'id': 1, 'method': method, 'params': params}))
        error = answer.get('error')
        assert not error or error['data']['kind'] in ('invalid_option', 'no_such_bridge', 'payload'), (params, error)
        return not error or error['data']['kind'] == 'no_such_bridge'

    def unsubscribe(self, params):
        """A connection of its own, which has one subscription; 7 stands for its number."""
        with Control(self.daemon.control_path) as control:
            number = control.call('subscribe', name='*', events=['ping'])['subscription']
            if params.get('subscription') == 7:
                params = {**params, 'subscription': number}
            return control.ask(json.dumps({'id': 1, 'method': 'unsubscribe', 'params': params}))

    def params(self, method, param, value):
        """A whole call around one value."""
        names = {p['name'] for p in method['params']}
        params = {p['name']: REQUIRED[p['name']] for p in method['params'] if p['required']}
        if method['name'] in ('send', 'request') and param not in CONTENT:
            params['text'] = 'x'
        if method['name'] == 'open':
            params.update({'name': 'new', 'url': 'ws://127.0.0.1/'})
        if 'dry_run' in names:
            params['dry_run'] = True
        return {**params, param: value}

    def leaves(self, schema, path):
        """(path, schema) of all that is no group of others."""
        schema = self.resolve(schema)
        groups = schema.get('properties') if schema.get('type') in ('object', ['object', 'boolean', 'null']) else None
        if not groups or {'file', 'contains'} & groups.keys():
            yield path, schema
        for name in groups or {}:
            yield from self.leaves(groups[name], path + (name,))


def edges(schema):
    """Values that lie at what the schema says, on both sides."""
    yield from schema.get('enum', [])
    yield from (schema[k] for k in ('default', 'const') if k in schema)
    if 'minimum' in schema:
        yield from (schema['minimum'], schema['minimum'] - 1)
    if 'maximum' in schema:
        yield from (schema['maximum'], schema['maximum'] + 1)
    for one in schema.get('anyOf', []):
        yield from edges(one)


def inside(path, value):
    """The value at its path below the parameter, which is path[0], with its company."""
    result = {path[0]: COMPANY.get('.'.join(path), COMPANY.get(path[0], {}))} if path[1:] else {}
    result = place = json.loads(json.dumps(result))
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    return result[path[0]]


@pytest.fixture(scope='module')
def judge(daemon, document):
    return Judge(daemon, document)


@pytest.mark.limit(60)
def test_what_the_daemon_takes_its_schema_allows(judge, document):
    wrong, tried = [], 0
    for method in document['methods']:
        for param in method['params']:
            for path, schema in judge.leaves(param['schema'], (param['name'],)):
                where = '.'.join(path)
                values = [v for v in [*VALUES, *edges(schema)] if not (where == 'dry_run' and v is False)]
                values = [inside(path, v) for v in values]
                taken = [v for v in values if judge.takes(method['name'], judge.params(method, param['name'], v))]
                wrong += [f'{method["name"]} {where}: takes {v!r}'
                          for v in taken if not judge.allows(param['schema'], v)]
                if not taken:
                    wrong.append(f'{method["name"]} {where}: takes nothing')
                tried += len(values)
    assert not wrong and tried > 3000, '\n'.join(wrong)


def test_defaults_are_taken(judge, document):
    n = 0
    for method in document['methods']:
        for param in method['params']:
            for path, schema in judge.leaves(param['schema'], (param['name'],)):
                if 'default' in schema:
                    value = inside(path, schema['default'])
                    assert judge.takes(method['name'], judge.params(method, param['name'], value)), (path, value)
                    n += 1
    assert n > 50


def test_required_are_missed_and_unknown_refused(judge, document):
    for method in document['methods']:
        names = {p['name'] for p in method['params']}
        whole = judge.params(method, 'name', '*' if method['name'] == 'unsubscribe' else 'nosuch')
        whole = {k: v for k, v in whole.items() if k in names}
        assert judge.takes(method['name'], whole), method['name']
        assert not judge.takes(method['name'], {**whole, 'nosuch': 1}), method['name']
        for param in method['params']:
            if param['required']:
                less = {k: v for k, v in whole.items() if k != param['name']}
                assert not judge.takes(method['name'], less), (method['name'], param['name'])


def test_everything_is_described(document):
    def walk(schema, where):
        for name, one in schema.get('properties', {}).items():
            assert one.get('description', '').strip() or 'properties' in one or '$ref' in one or name in (
                'file', 'env', 'credential', 'command'), f'{where}.{name}'
            walk(one, f'{where}.{name}')

    walk(document['components']['schemas']['bridge'], 'bridge')
    for method in document['methods']:
        assert len(method['summary']) > 10
        for param in method['params']:
            assert len(param['summary']) > 5
            walk(param['schema'], f'{method["name"]} {param["name"]}')
